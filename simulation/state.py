"""A model as arrays and plain values: how it is forked, saved, and loaded to go on to the last bit."""

import importlib
import io
import json
import os
import shutil
import tempfile
from pathlib import Path

import mesa
import numpy as np

from .files import UNREADABLE, digests, remove, sealed, unsealed, verify
from .kinds import CellKind, Process
from .parameter_sets import ParameterSet
from .randomness import Randomness
from .results import ABOUT, TABLES, Results
from .snapshots import snapshot_files
from .treatments import find

FORMAT = 1
SUMS = "sha256.json"
MUST = ("state.json", "state.npz", *(f"results/{name}" for name in (*TABLES, ABOUT)))


class StateError(ValueError):
    """A state that cannot be saved or read; one sentence naming file and reason."""


def arrays_of(model) -> dict[str, np.ndarray]:
    """Every array of a model."""
    found = {f"cells/{name}": array for name, array in model.cells.state().items()}
    found |= {f"tissue/{name}": array for name, array in model.tissue.state().items()}
    found |= {f"counters/{name}": array.copy() for name, array in model.counters.items()}
    found["vessels"] = model.vessels.copy()
    found["released"] = model.released.copy()
    return found


def plain_of(model) -> dict:
    """Everything of a model that is no array, as JSON can hold it."""
    return {
        "format": FORMAT,
        "seed": model.seed,
        "arm": model.arm,
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
        "steps": model.steps,
        "primed": model.primed,
        "born_by_hand": model._born_by_hand,
        "treatments": [treatment_state(t) for t in model.treatments.values()],
        "pending": [[action, treatment_state(what) if action == "give" else what] for action, what in model._pending],
        "kinds": [path_of_constant(kind, kind.agent.__module__) for kind in model.kinds.all[model.shipped_kinds :]],
        "processes": [path_of_constant(process, process.run.__module__) for process in model.processes.values()],
        "process_state": {name: encoded(state, f"process {name}") for name, state in model.process_state.items()},
        "visitors": [visitor_state(model, agent) for agent in model.visitors()],
    }


def treatment_state(treatment) -> dict:
    cls = type(treatment)
    return {
        "class": f"{cls.__module__}:{cls.__qualname__}",
        "name": treatment.name,
        "parameters": {name: treatment.value(name) for name in treatment.parameters()},
        "schedule": treatment.schedule.to_dict(),
        "start": treatment.start,
        "doses": [list(dose) for dose in treatment.doses],
        "stopped": treatment.stopped,
        "state": encoded(treatment.state, f"treatment {treatment.name}"),
    }


def treatment_from(table: dict):
    treatment = find(table["class"])(name=table["name"], schedule=table["schedule"], **table["parameters"])
    treatment.start, treatment.stopped = table["start"], table["stopped"]
    treatment.doses = [tuple(dose) for dose in table["doses"]]
    treatment.state = decoded(table["state"])
    return treatment


def visitor_state(model, agent: mesa.Agent) -> dict:
    cls = type(agent)
    if not (hasattr(agent, "state") and hasattr(agent, "restore")):
        raise StateError(
            f"{cls.__name__} cannot be saved or forked: a plain Mesa agent needs state() -> dict and restore(dict)"
        )
    site = model._standing.get(agent)
    return {"class": f"{cls.__module__}:{cls.__qualname__}", "site": None if site is None else int(site),
            "state": encoded(agent.state(), cls.__name__)}


def encoded(value, where: str):
    """Numbers, texts, lists, tables and arrays as JSON can hold them, bit for bit. Raises StateError for anything else."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        return {"array": value.tobytes().hex(), "dtype": value.dtype.str, "shape": list(value.shape)}
    if isinstance(value, list | tuple):
        return [encoded(each, where) for each in value]
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {"table": {key: encoded(each, where) for key, each in value.items()}}
    raise StateError(f"{where} cannot be saved: its state holds {value!r}, allowed are numbers, texts, lists, tables and arrays")


def decoded(value):
    if isinstance(value, list):
        return [decoded(each) for each in value]
    if isinstance(value, dict) and "array" in value:
        return np.frombuffer(bytes.fromhex(value["array"]), dtype=value["dtype"]).reshape(value["shape"]).copy()
    if isinstance(value, dict):
        return {key: decoded(each) for key, each in value["table"].items()}
    return value


def path_of_constant(thing: CellKind | Process, module: str) -> str:
    """``module:NAME`` of a plug-in that is a constant of its module. Raises StateError when it is not."""
    for name, value in vars(importlib.import_module(module)).items():
        if value is thing:
            return f"{module}:{name}"
    raise StateError(f"{type(thing).__name__} {thing.name!r} cannot be saved: make it a constant of module {module!r}")


def constant_at(path: str):
    module, _, name = path.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise StateError(f"{path} is needed by the saved model and cannot be imported ({error})") from None


def rebuilt(cls, plain: dict, arrays: dict, kinds, processes):
    """A model from its parts; ``kinds``, ``processes``: the plug-ins themselves."""
    values = {name: (value, plain["sources"][name]) for name, value in plain["parameters"].items()}
    disease = ParameterSet(values=values, **plain["parameter_set"])
    treatments = [treatment_from(table) for table in plain["treatments"]]
    kinds = list(kinds)  # in the order in which they joined: rows hold the number of their kind
    kinds += [kind for treatment in treatments for kind in treatment.kinds if kind not in kinds]
    model = cls(disease, shape=tuple(plain["shape"]), seed=plain["seed"], dt=plain["dt"], liquid=plain["liquid"],
                tumor_cells=0, immune_cells=False, arm=plain["arm"], cell_kinds=kinds, processes=processes)
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
    for name in ("clock", "origin", "steps", "primed", "immune_cells"):
        setattr(model, name, plain[name])
    model._born_by_hand = plain["born_by_hand"]
    model.treatments = {treatment.name: treatment for treatment in treatments}
    model._pending = [(action, treatment_from(what) if action == "give" else what) for action, what in plain["pending"]]
    model.process_state = {name: decoded(state) for name, state in plain["process_state"].items()}
    for visitor in plain["visitors"]:
        agent = constant_at(visitor["class"])(model)
        if visitor["site"] is not None:
            model.place(agent, model.lattice.position(visitor["site"]))
        agent.restore(decoded(visitor["state"]))
    model.rules = model._rules()
    model.rates = model.rules.fold(model.cells["kind"])
    model._measures = None
    return model


def copied(model, seed: int | None, arm: str):
    """An independent model in the same state."""
    plain = json.loads(json.dumps(plain_of(model)))
    plain["arm"] = arm
    twin = rebuilt(type(model), plain, arrays_of(model), model.kinds.all[model.shipped_kinds :],
                   list(model.processes.values()))
    if seed is not None:
        twin.seed, twin.randomness = seed, Randomness(seed)
        twin.relay()
    return twin


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
    plain, buffer = plain_of(model), io.BytesIO()
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
    if plain.get("format") != FORMAT:
        raise StateError(f"{folder}: format {plain.get('format')!r} is not the one this version reads ({FORMAT})")
    with np.load(folder / "state.npz", allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    kinds = list(cell_kinds) or [constant_at(path) for path in plain["kinds"]]
    processes = list(processes) or [constant_at(path) for path in plain["processes"]]
    model = rebuilt(cls, plain, arrays, kinds, processes)
    model.results = Results.load(folder / "results")[plain["arm"]]
    for snapshot in model.results.snapshots.values():  # into memory: the folder may go away
        model.results.add_snapshot(snapshot)
    return model


def _told(part: dict | None) -> str:
    return ", ".join(f"{name} {value}" for name, value in part.items()) if part else "nothing"
