"""What the hooks of a treatment touch: everything is looked at before a hook and after it."""

import importlib
import pickle
from collections.abc import Callable

import numpy as np

from ..cells.table import SCRATCH
from ..treatments import Treatment
from ..treatments.regimen import treatment_state
from ..values import encoded

HOOKS = {
    "on_start": ("model",),
    "on_dose": ("model", "dose"),
    "on_step": ("model",),
    "modify": ("rules", "model"),
    "measure": ("model",),
}
VERBS = (
    "infuse",
    "sow",
    "kill",
    "emigrate",
    "born",
)  # what on_start, on_dose and on_step may do to cells
GENERATORS = {
    "random": "getstate",
    "numpy.random": "get_state",
}  # of the whole process: looked at, never drawn from
KEPT = {
    "name",
    "prefix",
    "schedule",
    "state",
    "start",
    "doses",
    "stopped",
    "_values",
    "_inside",
    "_sources",
}
RATES = "model/rates of kinds"
PLACES = {"population": "cells", "tissue": "tissue", "vessels": "model", "body": "model"}
"""The parts of a model that a hook must leave alone, and what they are called."""
INSTEAD = {
    "cells": "bend a rule (rules.kill.scale(2, where=chosen)), or call model.infuse, model.kill or model.add_hazard in "
    "on_dose or on_step",
    "tissue": "write rules.supply('il2', rate) in modify()",
    "parameters": "write rules.division.scale(0.5) in modify()",
    "model": "a treatment acts through rules, infuse, sow, kill, emigrate and add_hazard, vessels.grow and prune alone",
    "treatments": "leave other treatments alone",
    "self": "keep it in self.state, as attributes say what a treatment is, not what has happened",
    "random": "draw with model.randomness.uniform('MINE.purpose', model.clock, model.cells['name'])",
}
WORDS = {
    "cells": "the cell table",
    "tissue": "the fields",
    "parameters": "the parameters",
    "model": "the model",
    "treatments": "other treatments",
    "self": "attributes of its own",
    "random": "the random numbers of others",
}


class Witness:
    """Stands beside one treatment in one model and notes what its hooks change that is not theirs."""

    def __init__(self, model, treatment: Treatment):
        self.model, self.treatment = model, treatment
        self._changed: dict[tuple[str, str], dict[str, None]] = {}
        self._notes: dict[str, None] = {}
        self._own = {trait.name for kind in treatment.kinds for trait in kind.traits} - set(
            model.kinds.traits()
        )
        self._own |= {
            f"compartment {each.name}"
            for each in treatment.compartments
            if each.name not in model.body
        }
        self._mine = f"treatments.{treatment.name}"
        self._hook = ""
        model.regimen.call = self._watched(model.regimen.call)
        for verb in VERBS:
            setattr(model, verb, self._allowed(verb, getattr(model, verb)))
        for verb in ("grow", "prune"):
            method = getattr(model.vessels, verb)
            setattr(model.vessels, verb, self._allowed(f"vessels.{verb}", method))
        model.randomness.key = self._asked(model.randomness.key)

    def sentences(self) -> list[str]:
        """One sentence for each hook and each sort of thing it changed."""
        found = []
        for (hook, place), names in self._changed.items():
            shown = ", ".join([*names][:6]) + (
                f" and {len(names) - 6} more" if len(names) > 6 else ""
            )
            found.append(
                f"{hook}() changes {WORDS[place]} ({shown}), which a hook must leave alone: {INSTEAD[place]}"
            )
        return [sentence.replace("MINE", self._mine) for sentence in [*found, *self._notes]]

    def _watched(self, call: Callable) -> Callable:
        def watched(treatment: Treatment, hook: str, *arguments):
            if treatment is not self.treatment:
                return call(treatment, hook, *arguments)
            self._hook, self._before = hook, self._seen()
            try:
                return call(treatment, hook, *arguments)
            finally:
                self._compare()
                self._hook = ""

        return watched

    def _allowed(self, verb: str, method: Callable) -> Callable:
        def allowed(*arguments, **keywords):
            hook = self._hook
            if not hook:
                return method(*arguments, **keywords)
            if hook in ("modify", "measure"):
                self._note(
                    f"calls model.{verb}, which is no moment to change cells: call it in on_dose or on_step"
                )
            self._compare()
            self._hook = ""  # the model itself is at work
            try:
                return method(*arguments, **keywords)
            finally:
                self._hook = hook
                self._before = self._seen()

        return allowed

    def _asked(self, key: Callable) -> Callable:
        def asked(purpose: str):
            if self._hook and not purpose.startswith(f"{self._mine}."):
                self._note(
                    f"draws for the purpose {purpose!r}, which is not its own: write 'MINE.{purpose}'"
                )
            return key(purpose)

        return asked

    def _note(self, what: str) -> None:
        self._notes[f"{self._hook}() {what}"] = None

    def _compare(self) -> None:
        after = self._seen()
        changed = [
            thing for thing in self._before | after if self._before.get(thing) != after.get(thing)
        ]
        if any(thing.startswith("parameters/") for thing in changed):
            changed = [thing for thing in changed if thing != RATES]  # they follow
        for thing in changed:
            place, _, name = thing.partition("/")
            self._changed.setdefault((self._hook, place), {})[name] = None
        self._before = after

    def _seen(self) -> dict[str, object]:
        """Everything that a hook must leave alone, by ``place/name``."""
        model, seen = self.model, {}
        for part in PLACES:
            for name, value in getattr(model, part).state(encoded).items():
                if name not in self._own:
                    seen[f"{PLACES[part]}/{name}"] = (
                        value.tobytes() if isinstance(value, np.ndarray) else value
                    )
        seen["model/lattice"] = model.lattice.occupant.tobytes()
        seen[RATES] = model.kinds.baseline(model.parameters).tobytes()
        for name in ("seed", "dt", "clock", "origin", "steps", "immune_cells", "liquid"):
            seen[f"model/{name}"] = getattr(model, name)
        seen |= {f"parameters/{name}": value for name, value in model.parameters.declared().items()}
        for name, other in model.treatments.items():
            if other is not self.treatment:
                seen[f"treatments/{name}"] = treatment_state(other, encoded)
        for name, value in vars(self.treatment).items():
            if name not in KEPT:
                seen[f"self/{name}"] = _frozen(value)
        for module, getter in GENERATORS.items():
            seen[f"random/{module}"] = _frozen(getattr(importlib.import_module(module), getter)())
        seen["random/model.random"] = model.random.getstate()
        seen["random/model.rng"] = _frozen(model.rng.bit_generator.state)
        return seen


def _frozen(value) -> object:
    try:
        return pickle.dumps(value)
    except Exception:
        return repr(value)


def bits(model) -> dict[str, bytes]:
    """Every living cell, in the order of names, and every field: equal only where two models agree to the last bit."""
    cells = model.cells
    rows = np.flatnonzero(cells.alive)
    rows = rows[np.argsort(cells["name"][rows])]
    found = {
        name: cells[name][rows].tobytes()
        for name in cells.columns
        if name not in {*SCRATCH, "kind", "partner"}
    }
    found["kind"] = np.array(model.kinds.names, dtype="U64")[cells["kind"][rows]].tobytes()
    partner = cells["partner"][rows]
    found["partner"] = np.where(
        partner >= 0, cells["name"][partner] if len(rows) else 0, -1
    ).tobytes()
    return found | {f"field {name}": field.values.tobytes() for name, field in model.fields.items()}


def differences(one, other) -> str:
    """The traits and fields in which two models differ, in words; empty where they agree to the last bit."""
    mine, theirs = bits(one), bits(other)
    if mine["name"] != theirs["name"]:
        return "which cells live"
    return ", ".join(name for name in mine if name in theirs and mine[name] != theirs[name])
