"""The treatments of a model: given, stopped, and what they may do to cells at large."""

import numpy as np

from ..errors import ModelError
from ..parameters.given import quoted
from ..parameters.parameter import nearest
from ..plug_ins import class_path
from . import Treatment, TreatmentError, build


class Regimen:
    """Treatments in force; what is given or stopped acts from the next step on, and is logged."""

    def give(self, treatment) -> Treatment:
        """Add a treatment; it acts from the next step on. Raises TreatmentError when its name is taken."""
        treatment = build(treatment)
        taken = set(self.treatments) | {t.name for action, t in self._pending if action == "give"}
        if treatment.name in taken:
            raise TreatmentError(f"there are two treatments named {treatment.name!r}: give one of them another name")
        self._pending.append(("give", treatment))
        self.results.log.append({"day": self.day, "action": "give", "treatment": treatment.name,
                                 "class": class_path(type(treatment)), "parameters": treatment.changed(),
                                 "schedule": treatment.schedule.to_dict()})
        return treatment

    def stop(self, name: str) -> None:
        """No further doses of a treatment from the next step on; what is in the body washes out."""
        taken = [*self.treatments, *(t.name for action, t in self._pending if action == "give")]
        if name not in taken:
            raise TreatmentError(f"there is no treatment {quoted(name)} in this model{nearest(name, taken)}")
        self._pending.append(("stop", name))
        self.results.log.append({"day": self.day, "action": "stop", "treatment": name})

    def _join(self, treatment: Treatment) -> None:
        for kind in treatment.kinds:
            if kind.name not in self.kinds.names:
                self.add_kind(kind)
        for process in treatment.processes:
            self.add_process(process)
        treatment.start = self.hours
        self.treatments[treatment.name] = treatment
        treatment.on_start(self)
        self.results.citations = self.citations()

    def _leave(self, name: str) -> None:
        self.treatments[name].stopped = True

    def add_hazard(self, rate, where=None) -> None:
        """Called in ``on_step``: cells chosen by ``where`` (one True or False per row) die at ``rate`` per hour more.

        ``rate``: one number, or one per row.
        """
        if not self._acting:
            raise ModelError("add_hazard is called by a treatment in its on_step")
        rows = self.cells.rows
        if where is not None and (np.asarray(where).dtype != bool or np.shape(where) != (rows,)):
            raise ModelError(f"add_hazard: where= takes one True or False for each of the {rows} rows of the cell table")
        if np.ndim(rate) and np.shape(rate) != (rows,):
            raise ModelError(f"add_hazard takes one rate, or one for each of the {rows} rows of the cell table")
        self._hazards.append((self._acting, rate, where, self.cells["name"].copy()))

    def _hazards_now(self):
        """Who adds which hazard to which rows, for the cells that were meant: other hooks may have brought or removed some."""
        for who, rate, where, names in self._hazards:
            same = np.zeros(self.cells.rows, dtype=bool)
            same[: len(names)] = self.cells["name"][: len(names)] == names
            if not same.all():
                where = same & _longer(where, same.size) if where is not None else same if np.ndim(rate) else None
                rate = _longer(rate, same.size)
            yield who, rate, where


def _longer(values, rows: int):
    """One value per row as a longer array, blank for further rows; a single value as it is."""
    return np.pad(np.asarray(values), (0, rows - len(values))) if np.ndim(values) else values
