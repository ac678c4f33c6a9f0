"""The course of one tumour in the lab up to this moment: its curves as arrays, its doses, a trait then and now."""

import numpy as np

from simulation.model import TumorModel

COLUMNS = ("day", "tumor_cells", "t_cells", "car_t_cells", "nk_cells", "mean_antigen", "mean_car_target", "mean_vigour",
           "mean_fixed_exhaustion", "engaged_t", "kills_by_t", "kills_by_car_t", "kills_by_nk")


class Course:
    """What the panels and monitors read of one tumour.

    ``columns``: those of the time series in COLUMNS as float64, this moment last. ``doses``: treatment -> days.
    ``snapshot``: the tissue now.
    """

    def __init__(self, model: TumorModel):
        self.model, self._rows = model, -1
        self._recorded: dict[str, np.ndarray] = {}
        self.refresh()

    def refresh(self) -> None:
        """Read the tumour as it is now."""
        table = self.model.results.timeseries
        if len(table) != self._rows:
            self._rows = len(table)
            self._recorded = {name: table[name].to_numpy(dtype=float) for name in COLUMNS}
        self.columns, now = self._recorded, self.model.measures
        if self._recorded["day"][-1] != self.model.day:
            self.columns = {name: np.append(values, now[name]) for name, values in self._recorded.items()}
        start = self.model.origin * self.model.dt
        self.doses = {name: np.array([(hour - start) / 24 for hour, _ in treatment.doses])
                      for name, treatment in self.model.treatments.items() if treatment.doses}
        self.snapshot = self.model.snapshot()

    def __getitem__(self, column: str) -> np.ndarray:
        return self.columns[column]

    def trait(self, trait: str, start: bool = False) -> np.ndarray:
        """A trait of the tumour cells now, or at day 0."""
        snapshot = self.model.results.snapshots[0.0] if start else self.snapshot
        return snapshot.trait(trait, "tumor_cell")

    def engaged(self) -> np.ndarray:
        """Per cent of T cells, CAR T cells included, that are engaged; NaN where there is none."""
        cells = self["t_cells"] + self["car_t_cells"]
        return np.divide(100 * self["engaged_t"], cells, out=np.full(cells.size, np.nan), where=cells > 0)
