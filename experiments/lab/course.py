"""The course of one tumour in the lab up to this moment: its curves as arrays, its doses, a trait then and now."""

import numpy as np
import pandas as pd

from simulation import treatments
from simulation.model import TumorModel
from simulation.words import IMMUNE_WORDS

COLUMNS = (
    "day",
    "tumor_cells",
    "mean_antigen",
    "mean_car_target",
    "mean_vigour",
    "mean_fixed_exhaustion",
    "engaged_t",
)


DAY = 4
"""Rows of a day."""


class Course:
    """What the panels and monitors read of one tumour.

    ``columns``: those of the time series in COLUMNS, and the count of every kind, as float64, this moment last.
    ``doses``: drug -> days of all its doses, with those that are given this hour.
    ``snapshot``: the tissue now.
    """

    def __init__(self, model: TumorModel):
        self.model, self._seen = model, (-1, 0)
        self._recorded: dict[str, np.ndarray] = {}
        self.refresh()

    def refresh(self) -> None:
        """Read the tumour as it is now."""
        table = self.model.results.timeseries
        if (len(table), len(self.model.kinds)) != self._seen:
            self._seen = (len(table), len(self.model.kinds))
            self._recorded = {name: _filled(table, name) for name in self._names()}
        self.columns, now = self._recorded, self.model.measures
        if self._recorded["day"][-1] != self.model.day:
            self.columns = {
                name: np.append(values, now.get(name, 0.0))
                for name, values in self._recorded.items()
            }
        self.doses = self._doses()
        self.snapshot = self.model.snapshot()

    def _names(self) -> list[str]:
        """COLUMNS, and how many cells of each kind there are and what they killed."""
        kinds = [kind for kind in self.model.kinds if kind.name != "tumor_cell"]
        return [*COLUMNS, *(kind.column for kind in kinds), *(kind.kills for kind in kinds)]

    def _doses(self) -> dict[str, np.ndarray]:
        """Days of doses by drug, called by the first name under which it was given."""
        model, names, found = self.model, {}, {}
        start = model.origin * model.dt
        log = model.results.log
        stopped = {entry["treatment"] for entry in log if entry["action"] == "stop"}
        for name, treatment in model.treatments.items():
            if treatment.doses:
                found.setdefault(names.setdefault(type(treatment), name), []).extend(
                    (hour - start) / 24 for hour, _ in treatment.doses
                )
        for entry in log:
            if (
                entry["action"] == "give"
                and entry["treatment"] not in model.treatments.keys() | stopped
            ):
                kind = treatments.find(entry["class"])
                given = kind(schedule=entry["schedule"], **entry["parameters"])
                if given.schedule.due(0, 1e-6) and not given.value("first_dose"):
                    found.setdefault(names.setdefault(kind, entry["treatment"]), []).append(
                        model.day
                    )
        return {name: np.sort(days) for name, days in found.items()}

    def __getitem__(self, column: str) -> np.ndarray:
        """A column; zeros for a kind of cell that the other tumour has and this one lacks."""
        if column not in self.columns and column in IMMUNE_WORDS:
            return np.zeros_like(self.columns["day"])
        return self.columns[column]

    def trait(self, trait: str, start: bool = False) -> np.ndarray:
        """A trait of the tumour cells now, or at day 0."""
        snapshot = self.model.results.snapshots[0.0] if start else self.snapshot
        return snapshot.trait(trait, "tumor_cell")

    def engaged(self) -> np.ndarray:
        """Per cent of T cells, CAR T cells included, that are engaged, over the last DAY; NaN where there was none."""
        cells, engaged = (
            np.convolve(values, np.ones(DAY))[: values.size]
            for values in (self["t_cells"] + self["car_t_cells"], self["engaged_t"])
        )
        return np.divide(100 * engaged, cells, out=np.full(cells.size, np.nan), where=cells > 0)


def _filled(table: pd.DataFrame, column: str) -> np.ndarray:
    """A column of the time series; 0 where its kind of cell had not come yet, or kills nobody."""
    if column in COLUMNS:
        return table[column].to_numpy(dtype=float)
    return np.nan_to_num(table[column].to_numpy(float)) if column in table else np.zeros(len(table))
