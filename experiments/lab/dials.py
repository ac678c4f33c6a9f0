"""Parameters on sliders: which ones a scenario offers, in what unit, and how a place on the slider becomes a value."""

import math
from dataclasses import dataclass

from simulation.parameters.bibliography import BIBLIOGRAPHY, keys_in
from simulation.parameters.parameter import Parameter
from simulation.treatments import Treatment

from ..words import axis_words, unit_words, value_words
from .patient import CELLS_AT_START, Patient

LAST = 200  # the rightmost place of a slider
MOST = 6
USUAL = (
    "tumor.antigen",
    "tumor.pdl1",
    "checkpoint.brake",
    "tumor.division_rate",
    "t_cell.base_influx",
    "t_cell.influx_gain",
)
AMOUNTS = ("dose", "peak")


@dataclass(frozen=True)
class Dial:
    """One parameter on a slider with places 0 to LAST: linear in a narrow range, logarithmic with a zero in a wide one."""

    name: str
    value: float
    parameter: Parameter

    @property
    def words(self) -> str:
        """Its name in words: ``CD8 T cell: base influx``."""
        group, _, name = self.name.rpartition(".")
        return (
            f"{axis_words(group)}: {axis_words(name)}"
            if group and not group.startswith("treatments")
            else axis_words(name)
        )

    @property
    def shown(self) -> str:
        """The value with its unit."""
        return value_words(self.value, self.parameter.unit)

    @property
    def meaning(self) -> str:
        """What it is, what it may be, and who says so."""
        source = self.parameter.source
        for key in keys_in(source):
            source = source.replace(key, BIBLIOGRAPHY[key])
        return unit_words(f"{self.parameter.meaning}; {self.parameter.allowed()}. Source: {source}")

    @property
    def narrow(self) -> bool:
        """Whether a linear slider resolves the default."""
        return self.parameter.low < 0 or self.parameter.high <= 8 * abs(
            self.parameter.default or self.value
        )

    @property
    def place(self) -> int:
        """Where on the slider the value stands."""
        low, high = self.parameter.low, self.parameter.high
        if self.narrow:
            return round(LAST * (self.value - low) / (high - low))
        least = self._least
        if self.value <= low:
            return 0
        return max(
            1,
            round(
                1 + (LAST - 1) * math.log(max(self.value, least) / least) / math.log(high / least)
            ),
        )

    def at(self, place: float) -> float:
        """The value at a place: two significant digits, the ends exactly."""
        low, high = self.parameter.low, self.parameter.high
        place = min(max(float(place), 0.0), LAST)
        if place in (0, LAST):
            return low if place == 0 else high
        if self.narrow:
            value = float(f"{low + (high - low) * place / LAST:.3g}")
        else:
            value = float(f"{self._least * (high / self._least) ** ((place - 1) / (LAST - 1)):.2g}")
        return int(value) if self.parameter.integer else value

    @property
    def _least(self) -> float:
        """The lowest value above zero that a wide slider offers."""
        usual = self.parameter.default or self.value or self.parameter.high / 1e3
        return max(self.parameter.low, min(usual, self.parameter.high) / 100)


def dials(patient: Patient) -> list[Dial]:
    """The sliders of a patient: what the scenario is about first, then what is usually asked for; at most MOST."""
    written = patient.written()
    own = [name for name in written.overrides() if name != CELLS_AT_START]
    parameters, changed = written.model_parameters(), dict(patient.changed)
    names = list(dict.fromkeys([*own, *USUAL]))[:MOST]
    return [
        Dial(name, changed.get(name, parameters[name]), parameters.parameter(name))
        for name in names
    ]


def amount_of(treatment: type[Treatment]) -> Dial | None:
    """The amount of one dose as a slider; None for a treatment that has none."""
    own = treatment.parameters()
    return next((Dial(name, own[name].default, own[name]) for name in AMOUNTS if name in own), None)
