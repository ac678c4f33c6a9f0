"""A model as arrays and plain values: how it is forked, saved, and loaded to go on to the last bit."""

import io
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import mesa
import numpy as np

from . import addresses
from .kinds.kind import CellKind, Process
from .model import TumorModel
from .parameter_sets import ParameterSet
from .randomness import Randomness
from .results.files import UNREADABLE, digests, remove, sealed, unsealed, verify
from .results.results import ABOUT, TABLES, Results
from .results.snapshots import snapshot_files
from .treatments import Treatment
from .treatments.schedule import Schedule
from .values import StateError, carried, decoded, encoded

FORMAT = 2
RESULTS = 2
"""The rules by number: one more with every change by which the same seed gives other results. Version 0.1 was 1."""
EVERY_TREATMENT = frozenset({*vars(Treatment()), "schedule"})
SUMS = "sha256.json"
MUST = ("state.json", "state.npz", *(f"results/{name}" for name in (*TABLES, ABOUT)))


class Plugins(NamedTuple):
    """The code in use beside what ships: classes of treatments in force and to come, kinds, processes, classes of visitors."""

    treatments: list[type[Treatment]]
    pending: list[type[Treatment]]
    kinds: list[CellKind]
    processes: list[Process]
    visitors: list[type[mesa.Agent]]


def plugins_of(model) -> Plugins:
    """The very objects that a model uses."""
    pending = [type(what) for action, what in model._pending if action == "give"]
    return Plugins([type(treatment) for treatment in model.treatments.values()], pending,
                   model.kinds.all[model.shipped_kinds :], [*model.processes.values()],
                   [type(agent) for agent in model.visitors()])


def addresses_of(plugins: Plugins) -> dict[str, list[str]]:
    """Where each is found again; raises StateError for one that is not."""
    classes = {name: [addresses.of_class(cls) for cls in getattr(plugins, name)]
               for name in ("treatments", "pending", "visitors")}
    return classes | {
        "kinds": [addresses.of_constant(kind, kind.agent.__module__) for kind in plugins.kinds],
        "processes": [addresses.of_constant(one, getattr(one.run, "__module__", "")) for one in plugins.processes],
    }


def arrays_of(model) -> dict[str, np.ndarray]:
    """Every array of a model."""
    found = {f"cells/{name}": array for name, array in model.cells.state().items()}
    found |= {f"tissue/{name}": array for name, array in model.tissue.state().items()}
    found |= {f"counters/{name}": array.copy() for name, array in model.counters.items()}
    found["vessels"] = model.vessels.copy()
    found["released"] = model.released.copy()
    return found


def plain_of(model, keep: Callable = encoded) -> dict:
    """Everything of a model that is no array and no code; ``keep(value, where)`` copies or encodes what users set."""
    return {
        "seed": model.seed,
        "arm": model.arm,
        "class": type(model).__qualname__,
        "attributes": {key: keep(value, type(model).__name__, f"its {key}") for key, value in vars(model).items()
                       if key not in engine()},
        "parameter_set": {"name": model.disease.name, "meaning": model.disease.meaning, "liquid": model.disease.liquid,
                          "spacing": model.disease.spacing},
        "shape": list(model.shape),
        "liquid": model.liquid,
        "dt": model.dt,
        "immune_cells": model.immune_cells,
        "parameters": model.parameters.declared(),
        "sources": {row["name"]: row["source"] for row in model.parameters.table()},
        "clock": model.clock,
        "origin": model.origin,
        "owed": model.owed,
        "steps": model.steps,
        "running": model.running,
        "primed": model.primed,
        "born_by_hand": model._born_by_hand,
        "treatments": [treatment_state(t, keep) for t in model.treatments.values()],
        "pending": [[action, treatment_state(what, keep) if action == "give" else what] for action, what in model._pending],
        "process_state": {key: keep(state, f"process {key}") for key, state in model.process_state.items()},
        "visitors": [visitor_state(model, agent, keep) for agent in model.visitors()],
    }


@cache
def engine() -> frozenset[str]:
    """Attributes that every model has; others are those of a subclass or its user."""
    return frozenset(vars(TumorModel(shape=(3, 3), seed=0, tumor_cells=0, immune_cells=False)))


def treatment_state(treatment: Treatment, keep: Callable = encoded) -> dict:
    """A treatment as plain values."""
    where = f"treatment {treatment.name}"
    return {
        "name": treatment.name,
        "parameters": {name: treatment.value(name) for name in treatment.parameters()},
        "sources": dict(treatment._sources),
        "schedule": treatment.schedule.to_dict(),
        "start": treatment.start,
        "doses": [list(dose) for dose in treatment.doses],
        "stopped": treatment.stopped,
        "state": keep(treatment.state, where),
        "attributes": {name: keep(value, where, f"its {name}") for name, value in attributes(treatment).items()},
    }


def attributes(treatment: Treatment) -> dict[str, object]:
    """What a treatment holds beside what every treatment has: in general, the arguments of its constructor."""
    return {name: value for name, value in vars(treatment).items() if name not in EVERY_TREATMENT}


def treatment_from(cls: type[Treatment], table: dict, read: Callable) -> Treatment:
    """A treatment as it was, its constructor not called again."""
    treatment = cls.__new__(cls)
    Treatment.__init__(treatment, name=table["name"], schedule=Schedule.from_dict(table["schedule"]), **table["parameters"])
    vars(treatment).update({name: read(value) for name, value in table["attributes"].items()})
    treatment._sources = dict(table["sources"])
    treatment.start, treatment.stopped = table["start"], table["stopped"]
    treatment.doses = [tuple(dose) for dose in table["doses"]]
    treatment.state = read(table["state"])
    return treatment


def visitor_state(model, agent: mesa.Agent, keep: Callable) -> dict:
    """A plain Mesa agent as plain values; raises StateError where it does not say what it remembers."""
    name, site = type(agent).__name__, model._standing.get(agent)
    if not (hasattr(agent, "state") and hasattr(agent, "restore")):
        raise StateError(f"{name} cannot be saved or forked: a plain Mesa agent needs state() -> dict and restore(dict)")
    own, left = {}, []
    for key in vars(agent).keys() - {"model", "unique_id", "pos"}:
        try:
            own[key] = keep(getattr(agent, key), name)
        except StateError:  # such as another agent
            left.append(key)
    return {"site": None if site is None else int(site), "state": keep(agent.state(), name), "attributes": own,
            "left": sorted(left)}


def visit(model, cls: type[mesa.Agent], table: dict, read: Callable) -> None:
    """A plain Mesa agent comes again, its constructor not called; ``restore`` has the last word."""
    agent = cls.__new__(cls)
    mesa.Agent.__init__(agent, model)
    vars(agent).update({key: read(value) for key, value in table["attributes"].items()})
    if table["site"] is not None:
        model.place(agent, model.lattice.position(table["site"]))
    agent.restore(read(table["state"]))
    if missing := [key for key in table["left"] if key not in vars(agent)]:
        raise StateError(f"{cls.__name__}.{missing[0]} does not come along, as it is no number, text, list, table or array: "
                         "let restore() set it")


def rebuilt(cls, plain: dict, arrays: dict, plugins: Plugins, read: Callable = decoded):
    """A model from its parts; no constructor of a subclass, treatment or agent is called again."""
    values = {name: (value, plain["sources"][name]) for name, value in plain["parameters"].items()}
    disease = ParameterSet(values=values, **plain["parameter_set"])
    treatments = [treatment_from(*each, read) for each in zip(plugins.treatments, plain["treatments"], strict=True)]
    kinds = list(plugins.kinds)  # in the order in which they joined: rows hold the number of their kind
    kinds += [kind for treatment in treatments for kind in treatment.kinds if kind not in kinds]
    model = cls.__new__(cls)
    vars(model).update({name: read(value) for name, value in plain["attributes"].items()})
    TumorModel.__init__(model, disease, shape=tuple(plain["shape"]), seed=plain["seed"], dt=plain["dt"], liquid=plain["liquid"],
                        tumor_cells=0, immune_cells=False, arm=plain["arm"], cell_kinds=kinds, processes=plugins.processes)
    model.lattice.occupant[model.lattice.interior] = -1
    model.cells.restore({name.removeprefix("cells/"): a for name, a in arrays.items() if name.startswith("cells/")})
    rows = np.flatnonzero(model.cells.alive)
    model.lattice.occupant[model.cells["site"][rows]] = rows
    model.vessels = arrays["vessels"]
    model.relay()
    model.tissue.restore({name.removeprefix("tissue/"): a for name, a in arrays.items() if name.startswith("tissue/")})
    for name in model.counters:
        model.counters[name] = arrays[f"counters/{name}"].copy()
    model.released = arrays["released"].copy()
    for name in ("clock", "origin", "owed", "steps", "running", "primed", "immune_cells"):
        setattr(model, name, plain[name])
    model._born_by_hand = plain["born_by_hand"]
    model.treatments = {treatment.name: treatment for treatment in treatments}
    pending = iter(plugins.pending)
    model._pending = [(action, treatment_from(next(pending), what, read) if action == "give" else what)
                      for action, what in plain["pending"]]
    model.process_state = {name: read(state) for name, state in plain["process_state"].items()}
    for visitor in zip(plugins.visitors, plain["visitors"], strict=True):
        visit(model, *visitor, read)
    model.rules = model._rules()
    model._fold()
    model._measures = None
    return model


def copied(model, seed: int | None, arm: str):
    """An independent model in the same state, made of the very code in use."""
    twin = rebuilt(type(model), plain_of(model, carried) | {"arm": arm}, arrays_of(model), plugins_of(model), read=lambda it: it)
    made = model.datacollector  # perhaps by a subclass; its reporters are code
    twin.datacollector = mesa.DataCollector(made.model_reporters, made.agent_reporters, made.agenttype_reporters,
                                            {name: [*columns] for name, columns in made.tables.items()})
    if seed is not None:
        twin.seed, twin.randomness = seed, Randomness(seed)
        twin.relay()
    return twin


def other_rules(made_by: dict) -> str:
    """Why what an earlier version began cannot go on, in words; empty where the same seed gives the same numbers."""
    number = made_by.get("results", 1)
    return "" if number == RESULTS else (f"was made by rules {number!r}, and the rules of this version ({RESULTS}) give the same "
                                         "seed other numbers")


def written(folder: Path) -> list[str]:
    """The names of the files of a saved model that are in a folder."""
    return [name for name in (SUMS, *MUST, *(f"results/{name}" for name in snapshot_files(folder / "results")))
            if (folder / name).is_file()]


def discard(folder: Path) -> None:
    """Remove a saved model; what else lies in its folder stays."""
    remove(folder.parent, [f"{folder.name}/{name}" for name in written(folder)])


def save(model, folder: str | os.PathLike, of: dict | None = None) -> None:
    """Write a model into ``folder``, replacing a model saved there only when the new one is whole.

    ``of``: what it belongs to, which :func:`load` compares. Raises StateError for a folder that holds anything else.
    """
    folder = Path(folder)
    ours = {folder / name for name in written(folder)}
    there = folder.rglob("*") if folder.is_dir() else [folder] if folder.exists() else []
    if other := sorted(file for file in there if not file.is_dir() and file not in ours):
        raise StateError(f"{other[0]} is no part of a saved model and would be lost; choose another folder, or move it away")
    plain = {"format": FORMAT, "results": RESULTS, "code": addresses_of(plugins_of(model))} | plain_of(model)
    plain["passing"] = model.results.passing
    buffer = io.BytesIO()
    np.savez(buffer, **arrays_of(model))
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        fresh.chmod(0o755)
        try:
            (fresh / "state.npz").write_bytes(buffer.getvalue())
            (fresh / "state.json").write_text(json.dumps(plain, indent=1))
            model.results.save(fresh / "results")
            (fresh / SUMS).write_text(sealed({"of": of, "files": digests(fresh, written(fresh))}))
            for name in written(fresh):
                with open(fresh / name, "rb") as handle:
                    os.fsync(handle.fileno())
            if folder.exists():
                old = fresh.with_name(fresh.name + "-old")
                os.replace(folder, old)
                os.replace(fresh, folder)
                shutil.rmtree(old)
            else:
                os.replace(fresh, folder)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    except OSError as error:
        raise StateError(f"{folder}: the model cannot be saved ({error.strerror or error})") from None


def load(cls, folder: str | os.PathLike, cell_kinds=(), processes=(), of: dict | None = None):
    """Read a model back. Raises StateError naming the file that is missing, damaged or foreign.

    ``of``: what it must have been saved as a part of; by default anything.
    """
    folder = Path(folder)
    try:
        sums = unsealed((folder / SUMS).read_bytes())
        files, part = dict(sums["files"]), sums["of"]
    except UNREADABLE as error:
        raise StateError(f"{folder}: no saved model can be read here ({error})") from None
    verify(folder, files, {*written(folder)} - {SUMS}, MUST, StateError)
    if of is not None and part != of:
        raise StateError(f"{folder} belongs to something else: it was saved for {_told(part)}, not for {_told(of)}")
    plain = json.loads((folder / "state.json").read_text())
    if why := other_rules(plain):
        raise StateError(f"{folder} {why}: grow the tumour anew")
    if plain.get("format") != FORMAT:
        raise StateError(f"{folder}: format {plain.get('format')!r} is not the one this version reads ({FORMAT})")
    if plain["class"] != cls.__qualname__:
        raise StateError(f"{folder} holds a {plain['class']}: read it with {plain['class']}.load, not {cls.__qualname__}.load")
    with np.load(folder / "state.npz", allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    code = {name: [addresses.needed(path) for path in paths] for name, paths in plain["code"].items()
            if not {"kinds": cell_kinds, "processes": processes}.get(name)}
    model = rebuilt(cls, plain, arrays, Plugins(**{"kinds": cell_kinds, "processes": processes} | code))
    model.results = Results.load(folder / "results")[plain["arm"]]
    model.results.passing = plain["passing"]
    for snapshot in model.results.snapshots.values():  # into memory: the folder may go away
        model.results.add_snapshot(snapshot)
    return model


def _told(part: dict | None) -> str:
    return ", ".join(f"{name} {value}" for name, value in part.items()) if part else "nothing"
