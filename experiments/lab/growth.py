"""How far a tumour has grown towards day 0, and how long it will still take."""

import math
import time
from collections.abc import Callable

LEAST_SHARE, LEAST_SECONDS = 0.1, 1.0  # less growth than this tells nothing about the rest


class Growth:
    """Follows a tumour that grows until it has ``target`` cells, or for ``days``.

    Growth is taken to be exponential since the tumour was smallest: immune cells may first make it smaller.
    """

    def __init__(
        self,
        what: str,
        cells: int,
        target: int,
        days: float,
        clock: Callable[[], float] = time.monotonic,
    ):
        self.what, self.target, self._days, self._clock = what, target, days, clock
        self._least = cells
        self.see(cells, 0.0)

    def see(self, cells: int, day: float) -> None:
        """Take in how many cells there are on a day of growing."""
        self.cells, self.day = cells, day
        if cells <= self._least:
            self._least, self._least_day, self._since = cells, day, self._clock()

    @property
    def share(self) -> float:
        """How much of the growth is done, from 0 to 1."""
        least = max(self._least, 1)
        whole = math.log(self.target / least) if self.target > least else 0.0
        return min(1.0, math.log(max(self.cells, 1) / least) / whole) if whole else 1.0

    @property
    def seconds_left(self) -> float | None:
        """An estimate; None as long as there is too little to go by."""
        seconds, share = self._clock() - self._since, self.share
        if share < LEAST_SHARE or seconds < LEAST_SECONDS:
            return None
        given_up = (self._days - self.day) * seconds / (self.day - self._least_day)
        return min((1 - share) / share * seconds, given_up)

    @property
    def words(self) -> str:
        """What a visitor reads meanwhile."""
        left, told = self.seconds_left, ""
        if left is not None:
            told = (
                f", about {max(1, round(left))} s left"
                if left < 90
                else f", about {left / 60:.0f} min left"
            )
        return f"{self.what}: {self.cells:,} of {self.target:,} tumour cells{told}"
