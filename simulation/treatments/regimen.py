"""The treatments of a model: given, stopped, and what they may do to cells at large."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np

from ..body.compartment import Compartment
from ..contract import Model
from ..errors import ModelError
from ..kinds.kind import CellKind, Process
from ..parameters.given import quoted
from ..parameters.parameter import nearest
from ..plug_ins import class_path
from ..results.results import Results
from ..rules import Rules
from ..tissue.effect import Effect
from ..tissue.field_kind import FieldKind
from . import Treatment, TreatmentError, build
from .schedule import Schedule

EVERY_TREATMENT = frozenset({*vars(Treatment()), "schedule"})


State = dict[str, Any]
"""The saved state of a treatment, or of all of them."""
Hazard = tuple[str, Any, np.ndarray | None]
"""Who adds it, the rate or rates, and the rows chosen."""


class Treated(Model, Protocol):
    """A model as its regimen sees it: what a plug-in sees, and what treatments bring with them."""

    results: Results

    def add_kind(self, kind: CellKind) -> None:
        """A further kind of cell."""

    def add_process(self, process: Process) -> None:
        """A further behaviour."""

    def add_compartment(self, compartment: type[Compartment]) -> Compartment:
        """A further part of the body."""

    def add_field(self, kind: FieldKind) -> None:
        """A further substance."""

    def add_effect(self, effect: Effect) -> None:
        """What a field does to a rule."""

    def citations(self) -> list[str]:
        """References behind the parameters in force."""


class Regimen:
    """Treatments in force, by name; what is given or stopped acts from the next step on, and is logged."""

    def __init__(self, model: Treated):
        self.model = model
        self.treatments: dict[str, Treatment] = {}
        self.pending: list[
            tuple[str, Any]
        ] = []  # ("give", treatment) or ("stop", name), for the next step
        self._hazards: list[tuple[str, Any, np.ndarray | None, np.ndarray]] = []
        self._acting = ""  # the treatment whose on_step is called

    def give(self, treatment: object) -> Treatment:
        """Add a treatment; it acts from the next step on. Raises TreatmentError when its name is taken."""
        treatment = build(treatment)
        taken = set(self.treatments) | {t.name for action, t in self.pending if action == "give"}
        if treatment.name in taken:
            raise TreatmentError(
                f"there are two treatments named {treatment.name!r}: give one of them another name"
            )
        self.pending.append(("give", treatment))
        self.model.results.log.append(
            {
                "day": self.model.day,
                "action": "give",
                "treatment": treatment.name,
                "class": class_path(type(treatment)),
                "parameters": treatment.changed(),
                "schedule": treatment.schedule.to_dict(),
            }
        )
        return treatment

    def stop(self, name: str) -> None:
        """No further doses of a treatment from the next step on; what is in the body washes out."""
        taken = [*self.treatments, *(t.name for action, t in self.pending if action == "give")]
        if name not in taken:
            raise TreatmentError(
                f"there is no treatment {quoted(name)} in this model{nearest(name, taken)}"
            )
        self.pending.append(("stop", name))
        self.model.results.log.append({"day": self.model.day, "action": "stop", "treatment": name})

    def treat(self, start: float, end: float) -> None:
        """What is pending joins or leaves, what is due between two hours is given, and ``on_step`` is called."""
        pending, self.pending = self.pending, []
        for action, what in pending:
            self._join(what) if action == "give" else self._leave(what)
        for treatment in self.in_order():
            offset = treatment.start + treatment.first_dose
            for hour in (
                ()
                if treatment.stopped
                else treatment.schedule.between(start - offset, end - offset)
            ):
                treatment.doses.append((hour + offset, 1.0))
                amount = treatment.value("dose") if "dose" in treatment.parameters() else 1.0
                self.model.results.add_dose(self.model.day, treatment.name, amount)
                self.call(treatment, "on_dose", self.model, len(treatment.doses) - 1)
        self._hazards = []
        for treatment in self.in_order():
            self._acting = treatment.name
            self.call(treatment, "on_step", self.model)
        self._acting = ""

    def bend(self, rules: Rules) -> None:
        """Every treatment bends the rules of this step, in the order of names."""
        for who, rate, where in self._hazards_now():
            rules.for_treatment(who).death.add(rate, where=where)
        for treatment in self.in_order():
            self.call(treatment, "modify", rules.for_treatment(treatment.name), self.model)

    def measure(self) -> None:
        """What treatments measure about themselves goes into the results."""
        for treatment in self.in_order():
            if found := self.call(treatment, "measure", self.model):
                self.model.results.add_measures(self.model.day, treatment.name, found)

    def call(self, treatment: Treatment, hook: str, *arguments: object) -> Any:
        """Call a hook: the one way in which the model reaches into a treatment, so that whoever watches them stands here."""
        return getattr(treatment, hook)(*arguments)

    def in_order(self) -> list[Treatment]:
        """The treatments in force, in the order of names, so that the order in which they were given leaves no trace."""
        return [self.treatments[name] for name in sorted(self.treatments)]

    def _join(self, treatment: Treatment) -> None:
        for field in treatment.fields:
            self.model.add_field(field)
        for kind in treatment.kinds:
            if kind.name not in self.model.kinds.names:
                self.model.add_kind(kind)
        for process in treatment.processes:
            self.model.add_process(process)
        for compartment in treatment.compartments:
            if compartment.name not in self.model.body:
                self.model.add_compartment(compartment)
        for effect in treatment.field_effects:
            self.model.add_effect(effect)
        treatment.start = self.model.hours
        self.treatments[treatment.name] = treatment
        self.call(treatment, "on_start", self.model)
        self.model.results.citations = self.model.citations()

    def _leave(self, name: str) -> None:
        self.treatments[name].stopped = True

    def add_hazard(self, rate: Any, where: np.ndarray | None = None) -> None:
        """Called in ``on_step``: cells chosen by ``where`` (one True or False per row) die at ``rate`` per hour more.

        ``rate``: one number, or one per row.
        """
        if not self._acting:
            raise ModelError("add_hazard is called by a treatment in its on_step")
        rows = self.model.cells.rows
        if where is not None and (np.asarray(where).dtype != bool or np.shape(where) != (rows,)):
            raise ModelError(
                f"where= takes one True or False for each of the {rows} rows of the cell table",
                key="add_hazard",
            )
        if np.ndim(rate) and np.shape(rate) != (rows,):
            raise ModelError(
                f"add_hazard takes one rate, or one for each of the {rows} rows of the cell table"
            )
        self._hazards.append((self._acting, rate, where, self.model.cells["name"].copy()))

    def _hazards_now(self) -> Iterator[Hazard]:
        """Who adds which hazard to which rows, for the cells that were meant: other hooks may have brought or removed some."""
        for who, rate, where, names in self._hazards:
            same = np.zeros(self.model.cells.rows, dtype=bool)
            same[: len(names)] = self.model.cells["name"][: len(names)] == names
            if not same.all():
                where = (
                    same & _longer(where, same.size)
                    if where is not None
                    else same
                    if np.ndim(rate)
                    else None
                )
                rate = _longer(rate, same.size)
            yield who, rate, where

    def state(self, keep: Callable[..., Any]) -> State:
        """Everything that must be saved, but for the classes."""
        return {
            "treatments": [
                treatment_state(treatment, keep) for treatment in self.treatments.values()
            ],
            "pending": [
                [action, treatment_state(what, keep) if action == "give" else what]
                for action, what in self.pending
            ],
        }

    def restore(
        self,
        state: State,
        read: Callable[[Any], Any],
        classes: Sequence[type[Treatment]],
        to_come: Sequence[type[Treatment]],
    ) -> None:
        """Stand as it was: treatments in force, of these ``classes``, and those that were still ``to_come``."""
        there = [
            treatment_from(*each, read) for each in zip(classes, state["treatments"], strict=True)
        ]
        self.treatments = {treatment.name: treatment for treatment in there}
        coming = iter(to_come)
        self.pending = [
            (action, treatment_from(next(coming), what, read) if action == "give" else what)
            for action, what in state["pending"]
        ]


def _longer(values: Any, rows: int) -> Any:
    """One value per row as a longer array, blank for further rows; a single value as it is."""
    return np.pad(np.asarray(values), (0, rows - len(values))) if np.ndim(values) else values


def treatment_state(treatment: Treatment, keep: Callable[..., Any]) -> State:
    """A treatment as plain values; ``keep(value, where, part)`` copies or encodes what its author keeps in it."""
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
        "attributes": {
            name: keep(value, where, f"its {name}") for name, value in attributes(treatment).items()
        },
    }


def attributes(treatment: Treatment) -> dict[str, object]:
    """What a treatment holds beside what every treatment has: in general, the arguments of its constructor."""
    return {name: value for name, value in vars(treatment).items() if name not in EVERY_TREATMENT}


def treatment_from(cls: type[Treatment], table: State, read: Callable[[Any], Any]) -> Treatment:
    """A treatment as it was, its constructor not called again."""
    treatment = cls.__new__(cls)
    Treatment.__init__(
        treatment,
        name=table["name"],
        schedule=Schedule.from_dict(table["schedule"]),
        **table["parameters"],
    )
    vars(treatment).update({name: read(value) for name, value in table["attributes"].items()})
    treatment._sources = dict(table["sources"])
    treatment.start, treatment.stopped = table["start"], table["stopped"]
    treatment.doses = [tuple(dose) for dose in table["doses"]]
    treatment.state = read(table["state"])
    return treatment
