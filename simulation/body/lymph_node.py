"""The lymph node: antigen released in the tissue primes T cells there, which arrive some days later."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..contract import Model
from .compartment import Compartment

UNITS = 1 << 20  # release is summed in whole units, so that no order of summing matters


class LymphNode(Compartment):
    """Remembers what the tumour released, each antigen for itself; a gain in arrivals saturates with the first one.

    ``released``: int64 (steps of the delay, antigens), whole units. ``primed``: release remembered, per mm2 and hour.
    """

    name = "lymph_node"

    def __init__(self, delay: float, dt: float):
        self.released = np.zeros((max(1, round(delay / dt)), 1), dtype=np.int64)
        self.primed = np.zeros(1)
        self._gained: dict[str, float] = {}

    def make_room(self, antigens: int) -> None:
        """One more antigen begins with nothing."""
        more = antigens - len(self.primed)
        self.released, self.primed = (
            np.pad(self.released, [(0, 0), (0, more)]),
            np.pad(self.primed, (0, more)),
        )

    def advance(self, model: Model) -> None:
        """Put down what was just released, and take in what was released before the delay."""
        group, body = model.parameters.recruitment, model.body
        steps = len(self.released)
        self.released[(model.clock - 1) % steps] += body.release
        slot = model.clock % steps
        release = self.released[slot] / UNITS / model.lattice.extent / model.dt
        self.released[slot] = 0
        self.primed += (release - self.primed) * -math.expm1(-model.dt / group.memory)
        gain = self.primed[0] / (group.half_release + self.primed[0])
        boost = model.rules.value("influx_gain")
        self._gained = dict(zip(model.kinds.names, (boost * gain).tolist(), strict=True))

    def addition(self, kind: str) -> float:
        """What antigen release of some days ago allows of the highest gain."""
        return self._gained.get(kind, 0.0)

    def state(self) -> dict[str, Any]:
        """Everything that must be saved."""
        return {"released": self.released, "primed": self.primed}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Stand as it was."""
        self.released, self.primed = state["released"], state["primed"]
