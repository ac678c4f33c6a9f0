"""What a picture every few hours would miss: where cells were killed, whose hits the brake took, and when a verdict changes."""

from collections import deque

import numpy as np

from simulation.model import TumorModel

from ..runs.outcomes import verdict

RECENT = 6  # hours before a picture of which it shows kills and hits that were taken
RECORD = 6  # hours between looks at the burden, as between rows of the time series


class Watch:
    """Looks at one tumour after every hour; nothing of it changes the run.

    ``killed``: flat sites of tumour cells that were killed since the last picture, in its RECENT hours at most. ``braked``:
    names of cells from which the brake took a hit. ``crossed``: whether the verdict on the tumour has just become another.
    """

    def __init__(self, model: TumorModel):
        self.model, self.crossed = model, False
        self._start = self._lowest = model.count("tumor_cell")
        self._told = verdict(self._start, self._lowest, self._start)
        self._hours: deque[tuple[np.ndarray, np.ndarray]] = deque(maxlen=RECENT)
        self._shown = False
        self._look()

    def hour(self) -> None:
        """Notice what has happened in the hour that is over."""
        if self._shown:
            self._hours.clear()
            self._shown = False
        (names, sites), killed, kills, braked = self._tumor, self._killed, self._kills, self._braked
        self._look()
        number = self._killed - killed
        places = sites[~np.isin(names, self._tumor[0])] if number else sites[:0]
        if (
            places.size > number
        ):  # some died by themselves: those killed are nearest to who has killed
            places = places[
                np.argsort(self._distance(places, risen(kills, self._kills)), kind="stable")[
                    :number
                ]
            ]
        self._hours.append((places, np.array(list(risen(braked, self._braked)), dtype=np.int64)))
        self._judge()

    def pictured(self) -> None:
        """A picture is taken: what was seen until now goes with the next hour."""
        self._shown = True

    @property
    def killed(self) -> np.ndarray:
        """Flat sites of the tumour cells killed since the last picture."""
        return np.concatenate([np.empty(0, dtype=np.int64), *(places for places, _ in self._hours)])

    @property
    def braked(self) -> np.ndarray:
        """Names of the cells from which the brake took a hit since the last picture."""
        return np.unique(
            np.concatenate([np.empty(0, dtype=np.int64), *(names for _, names in self._hours)])
        )

    def _look(self) -> None:
        model = self.model
        cells, tumor = model.cells, model.kinds.names.index("tumor_cell")
        rows = np.flatnonzero(cells["kind"] == tumor)
        self._tumor = cells["name"][rows], model.lattice.flat(cells["site"][rows]).astype(np.int64)
        self._killed = int(model.counters["kills"][:, tumor].sum())
        self._kills, self._braked = self._counts("kills"), self._counts("braked")

    def _counts(self, column: str) -> dict[int, tuple[int, int]]:
        """How often, and at which site, by name of each cell for which it is not zero."""
        cells = self.model.cells
        some = np.flatnonzero(cells.alive & (cells[column] > 0))
        found = (
            cells["name"][some],
            cells[column][some],
            self.model.lattice.flat(cells["site"][some]),
        )
        return {
            name: (count, site)
            for name, count, site in zip(*(each.tolist() for each in found), strict=True)
        }

    def _distance(self, places: np.ndarray, killers: dict[int, int]) -> np.ndarray:
        """From each place to the nearest killer, in sites."""
        if not killers:
            return np.zeros(places.size)
        shape = self.model.shape
        here, there = (
            np.array(np.unravel_index(sites, shape))
            for sites in (places, np.array(list(killers.values())))
        )
        return np.linalg.norm(here[:, :, None] - there[:, None, :], axis=0).min(axis=1)

    def _judge(self) -> None:
        """A tumour that is held is not told of: crossing to and fro would be told without end."""
        self.crossed = False
        if round(24 * self.model.day) % RECORD:
            return
        end = len(self._tumor[0])
        self._lowest = min(self._lowest, end)
        now = verdict(self._start, self._lowest, end)
        self.crossed = now not in ("held", self._told)
        if self.crossed:
            self._told = now


def risen(before: dict[int, tuple[int, int]], now: dict[int, tuple[int, int]]) -> dict[int, int]:
    """Name -> site of every cell whose count has risen."""
    return {
        name: site for name, (count, site) in now.items() if count > before.get(name, (0, 0))[0]
    }
