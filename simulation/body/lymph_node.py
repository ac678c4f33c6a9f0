"""The lymph node: antigen released in the tissue primes T cells there, which arrive some days later."""

import math

import numpy as np

from ..kernels.contact import ANTIGEN_UNITS


class LymphNode:
    """Remembers what the tumour released. ``extent``: mm2 (mm3 in 3-D) of the tissue it drains; ``dt``: hours a step."""

    def __init__(self, parameters, extent: float, dt: float):
        self._group, self._extent, self._dt = parameters.recruitment, extent, dt
        self.release = np.zeros(1, dtype=np.int64)  # of this step so far; the loops add to it
        self.released = np.zeros(
            max(1, round(self._group.delay / dt)), dtype=np.int64
        )  # by step, of the days of delay
        self.primed = 0.0  # antigen release remembered, deaths per mm2 and hour

    def prime(self, clock: int) -> float:
        """Take in what was released before the delay; returns the share of the highest gain in arrivals that it allows."""
        slot = clock % len(self.released)
        release = self.released[slot] / ANTIGEN_UNITS / self._extent / self._dt
        self.released[slot] = 0
        self.primed += (release - self.primed) * -math.expm1(-self._dt / self._group.memory)
        return self.primed / (self._group.half_release + self.primed)

    def put_down(self, clock: int) -> None:
        """The step ends: what it released is kept for later."""
        self.released[clock % len(self.released)] += self.release[0]
        self.release[0] = 0

    def state(self, keep) -> dict:
        """Everything that must be saved."""
        return {"released": self.released.copy(), "primed": self.primed}

    def restore(self, state: dict, read) -> None:
        """Stand as it was."""
        self.released, self.primed = state["released"].copy(), state["primed"]
