"""A model as arrays and plain values: how it is forked, saved, and loaded to go on to the last bit."""

import io
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import NamedTuple

import mesa
import numpy as np

from . import addresses
from .body.compartment import Compartment
from .errors import StateError
from .kinds.kind import CellKind, Process
from .parameter_sets import ParameterSet
from .results.files import UNREADABLE, digests, remove, sealed, unsealed, verify
from .results.results import ABOUT, TABLES, Results
from .results.snapshots import snapshot_files
from .tissue.effect import Effect
from .tissue.field_kind import FIELD_KINDS, FieldKind
from .treatments import Treatment
from .values import carried, decoded, encoded

FORMAT = 3
RESULTS = 2
"""The rules by number: one more with every change by which the same seed gives other results. Version 0.1 was 1."""
SUMS = "sha256.json"
NOW = ("clock", "origin", "owed", "steps", "running", "immune_cells")
"""What a model itself knows of the moment; the rest is known to its parts."""
MUST = ("state.json", "state.npz", *(f"results/{name}" for name in (*TABLES, ABOUT)))


class Plugins(NamedTuple):
    """The code in use beside what ships: classes of treatments in force and to come, kinds, processes, compartments, visitors."""

    treatments: list[type[Treatment]]
    pending: list[type[Treatment]]
    kinds: list[CellKind]
    processes: list[Process]
    compartments: list[type[Compartment]]
    visitors: list[type[mesa.Agent]]


def plugins_of(model) -> Plugins:
    """The very objects that a model uses."""
    pending = [type(what) for action, what in model.regimen.pending if action == "give"]
    brought = [process for kind in model.kinds for process in kind.processes]
    return Plugins(
        [type(treatment) for treatment in model.treatments.values()],
        pending,
        model.kinds.all[model.shipped_kinds :],
        [one for one in model.processes.values() if one not in brought],
        [type(one) for one in model.body.added()],
        [type(agent) for agent in model.visitors()],
    )


def addresses_of(plugins: Plugins) -> dict[str, list[str]]:
    """Where each is found again; raises StateError for one that is not."""
    classes = {
        name: [addresses.of_class(cls) for cls in getattr(plugins, name)]
        for name in ("treatments", "pending", "compartments", "visitors")
    }
    return classes | {
        "kinds": [addresses.of_constant(kind, kind.agent.__module__) for kind in plugins.kinds],
        "processes": [
            addresses.of_constant(one, getattr(one.run, "__module__", ""))
            for one in plugins.processes
        ],
    }


def taken_apart(model, keep: Callable = encoded) -> tuple[dict[str, np.ndarray], dict]:
    """All of a model that is no code: its arrays, called ``part/name``, and plain values.

    ``keep(value, where, part)`` copies or encodes what users set.
    """
    parts = {name: getattr(model, name).state(keep) for name in model.parts}
    arrays = {
        f"{part}/{name}": value
        for part, state in parts.items()
        for name, value in state.items()
        if isinstance(value, np.ndarray)
    }
    plain = {
        part: {name: value for name, value in state.items() if not isinstance(value, np.ndarray)}
        for part, state in parts.items()
    }
    return arrays, {
        "seed": model.seed,
        "arm": model.arm,
        "class": type(model).__qualname__,
        "attributes": {
            key: keep(value, type(model).__name__, f"its {key}")
            for key, value in vars(model).items()
            if key not in engine(_base(type(model)))
        },
        "parameter_set": {
            "name": model.disease.name,
            "meaning": model.disease.meaning,
            "liquid": model.disease.liquid,
            "spacing": model.disease.spacing,
        },
        "shape": list(model.shape),
        "liquid": model.liquid,
        "dt": model.dt,
        "parameters": model.parameters.declared(),
        "sources": {row["name"]: row["source"] for row in model.parameters.table()},
        "now": {name: getattr(model, name) for name in NOW},
        "parts": plain,
        **further(model),
    }


def further(model) -> dict[str, list[dict]]:
    """Fields and effects beside those of every model, which are data and no code; nothing where there are none."""
    found = {
        "fields": [*model.tissue.kinds.values()][len(FIELD_KINDS) :],
        "effects": model.tissue.effects,
    }
    return {
        name: [asdict(each) for each in declared] for name, declared in found.items() if declared
    }


def _base(cls: type[mesa.Model]) -> type[mesa.Model]:
    """The model itself, which a user's class may descend from."""
    return next(each for each in cls.__mro__ if mesa.Model in each.__bases__)


@cache
def engine(base: type[mesa.Model]) -> frozenset[str]:
    """Attributes that every model has; others are those of a subclass or its user."""
    return frozenset(vars(base(shape=(3, 3), seed=0, tumor_cells=0, immune_cells=False)))


def rebuilt(cls, plain: dict, arrays: dict, plugins: Plugins, read: Callable = decoded):
    """A model from its parts; no constructor of a subclass, treatment or agent is called again."""
    kinds = list(
        plugins.kinds
    )  # in the order in which they joined: rows hold the number of their kind
    for kind in (kind for drug in plugins.treatments for kind in drug.kinds):
        if kind.name not in [each.name for each in kinds]:  # as when the drug joined
            kinds.append(kind)
    there = {kind.name for kind in kinds}
    to_come = [kind for drug in plugins.pending for kind in drug.kinds if kind.name not in there]
    later = {kind.name for kind in to_come}
    values = {name: (value, plain["sources"][name]) for name, value in plain["parameters"].items()}
    now = {name: each for name, each in values.items() if name.partition(".")[0] not in later}
    disease = ParameterSet(values=now, **plain["parameter_set"])
    model = cls.__new__(cls)
    vars(model).update({name: read(value) for name, value in plain["attributes"].items()})
    _base(cls).__init__(
        model,
        disease,
        shape=tuple(plain["shape"]),
        seed=plain["seed"],
        dt=plain["dt"],
        liquid=plain["liquid"],
        tumor_cells=0,
        immune_cells=False,
        arm=plain["arm"],
        cell_kinds=kinds,
        processes=plugins.processes,
        fields=[FieldKind(**each) for each in plain.get("fields", ())],
    )
    model.tissue.effects = [Effect(**each) for each in plain.get("effects", ())]
    for kind in to_come:
        kind.join(model.parameters)
    for name in values.keys() - now.keys():
        model.parameters.override(name, *values[name])
    for name, value in plain["now"].items():
        setattr(model, name, value)
    code = {
        "regimen": (plugins.treatments, plugins.pending),
        "body": (plugins.compartments,),
        "inhabitants": (plugins.visitors,),
    }
    for part in model.parts:
        held = {
            name.removeprefix(f"{part}/"): array
            for name, array in arrays.items()
            if name.startswith(f"{part}/")
        }
        getattr(model, part).restore(plain["parts"][part] | held, read, *code.get(part, ()))
        if part == "vessels":
            model.relay()
    model.rules = model.baseline()
    model.fold()
    return model


def copied(model, seed: int | None, arm: str):
    """An independent model in the same state, made of the very code in use."""
    arrays, plain = taken_apart(model, carried)
    twin = rebuilt(type(model), plain | {"arm": arm}, arrays, plugins_of(model), read=lambda it: it)
    made = model.datacollector  # perhaps by a subclass; its reporters are code
    twin.datacollector = mesa.DataCollector(
        made.model_reporters,
        made.agent_reporters,
        made.agenttype_reporters,
        {name: [*columns] for name, columns in made.tables.items()},
    )
    if seed is not None:
        twin.reseed(seed)
    return twin


def other_rules(made_by: dict) -> str:
    """Why what an earlier version began cannot go on, in words; empty where the same seed gives the same numbers."""
    number = made_by.get("results", 1)
    return (
        ""
        if number == RESULTS
        else (
            f"was made by rules {number!r}, and the rules of this version ({RESULTS}) give the same "
            "seed other numbers"
        )
    )


def written(folder: Path) -> list[str]:
    """The names of the files of a saved model that are in a folder."""
    return [
        name
        for name in (
            SUMS,
            *MUST,
            *(f"results/{name}" for name in snapshot_files(folder / "results")),
        )
        if (folder / name).is_file()
    ]


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
        raise StateError(
            f"{other[0]} is no part of a saved model and would be lost; choose another folder, or move it away"
        )
    arrays, plain = taken_apart(model)
    plain |= {"format": FORMAT, "results": RESULTS, "code": addresses_of(plugins_of(model))}
    plain["passing"] = model.results.passing
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
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
        raise StateError(
            f"the model cannot be saved ({error.strerror or error})", file=folder
        ) from None


def load(cls, folder: str | os.PathLike, cell_kinds=(), processes=(), of: dict | None = None):
    """Read a model back. Raises StateError naming the file that is missing, damaged or foreign.

    ``of``: what it must have been saved as a part of; by default anything.
    """
    folder = Path(folder)
    try:
        sums = unsealed((folder / SUMS).read_bytes())
        files, part = dict(sums["files"]), sums["of"]
    except UNREADABLE as error:
        raise StateError(f"no saved model can be read here ({error})", file=folder) from None
    verify(folder, files, {*written(folder)} - {SUMS}, MUST, StateError)
    if of is not None and part != of:
        raise StateError(
            f"{folder} belongs to something else: it was saved for {_told(part)}, not for {_told(of)}",
            file=folder,
        )
    plain = json.loads((folder / "state.json").read_text())
    if why := other_rules(plain):
        raise StateError(f"{folder} {why}: grow the tumour anew", file=folder)
    if plain.get("format") not in (2, FORMAT):
        raise StateError(
            f"format {plain.get('format')!r} is not the one this version reads (2 and {FORMAT})",
            file=folder,
        )
    if plain["class"] != cls.__qualname__:
        raise StateError(
            f"{folder} holds a {plain['class']}: read it with {plain['class']}.load, not {cls.__qualname__}.load",
            file=folder,
        )
    with np.load(folder / "state.npz", allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    if plain["format"] == 2:
        _as_of_format_3(plain, arrays)
    given = {"kinds": cell_kinds, "processes": processes}
    code = {
        name: [addresses.needed(path) for path in paths]
        for name, paths in plain["code"].items()
        if not given.get(name)
    }
    model = rebuilt(cls, plain, arrays, Plugins(**given | code))
    model.results = Results.load(folder / "results")[plain["arm"]]
    model.results.passing = plain["passing"]
    for snapshot in model.results.snapshots.values():  # into memory: the folder may go away
        model.results.add_snapshot(snapshot)
    return model


def _as_of_format_3(plain: dict, arrays: dict) -> None:
    """In format 2 the lymph node was a part of its own and knew one antigen."""
    node = plain["parts"].pop("lymph_node")
    node = {
        "released": arrays.pop("lymph_node/released").reshape(-1, 1),
        "primed": np.array([node["primed"]]),
    }
    plain["parts"]["body"] = {"compartment lymph_node": encoded(node, "lymph_node")}
    arrays["body/release"] = np.zeros(1, dtype=np.int64)
    plain["code"]["compartments"] = []


def _told(part: dict | None) -> str:
    return ", ".join(f"{name} {value}" for name, value in part.items()) if part else "nothing"
