"""The contract that every treatment keeps: parameters, a schedule, and hooks that bend the rules of one step."""

import re
from typing import Any, ClassVar

from ..body.compartment import Compartment
from ..contract import Model
from ..errors import TumorLabError
from ..kinds.kind import CellKind, Process
from ..parameters.given import quoted
from ..parameters.parameter import Parameter, ParameterGroup
from ..parameters.sources import assumed
from ..rules import RulesOf
from ..tissue.effect import Effect
from ..tissue.field_kind import FieldKind
from .schedule import Schedule, mean_level


class TreatmentError(TumorLabError):
    """A treatment that cannot be found, built or given; one sentence."""


class Treatment(ParameterGroup):
    """Base of all treatments.

    ``Pembrolizumab(name="p", first_dose=7, schedule=Schedule(every="6 weeks"))``: parameters in their declared unit. All
    hooks are optional. A hook writes only its own ``state`` (numbers and arrays, saved with the model), its own traits
    and compartments; what it does to cells goes through ``rules`` or the model's verbs.
    """

    first_dose = Parameter(
        0,
        "day",
        "day of the first dose, counted from the day the treatment is given to the model",
        source=assumed("at once"),
        range=(0, 3650),
    )
    schedule: Schedule = Schedule()
    kinds: ClassVar[tuple[CellKind, ...]] = ()
    processes: ClassVar[tuple[Process, ...]] = ()
    compartments: ClassVar[tuple[type[Compartment], ...]] = ()
    fields: ClassVar[tuple[FieldKind, ...]] = ()
    field_effects: ClassVar[tuple[Effect, ...]] = ()

    def __init__(
        self,
        name: str | None = None,
        schedule: Schedule | dict[str, Any] | None = None,
        **parameters: Any,
    ):
        self.name = checked_name(snake_case(type(self).__name__) if name is None else name)
        self.prefix = f"treatments.{self.name}"
        if schedule is not None:
            self.schedule = Schedule.from_dict(schedule)
        self.state: dict[str, Any] = {}
        self.start = 0.0  # hour of the model at which it was given
        self.doses: list[tuple[float, float]] = []  # hour and amount of every dose so far
        self.stopped = False
        self.set(**parameters)

    def on_start(self, model: Model) -> None:
        """The treatment joins the model."""

    def on_dose(self, model: Model, dose: int) -> None:
        """A dose is given; ``dose`` counts from 0."""

    def on_step(self, model: Model) -> None:
        """A step begins; ``model.add_hazard`` and ``model.infuse`` may be used."""

    def modify(self, rules: RulesOf, model: Model) -> None:
        """Bend the rules of this step: ``rules.kill.scale(2)``, ``rules.occupy("pd1", s)``."""

    def measure(self, model: Model) -> dict[str, float]:
        """Numbers about itself, recorded with the time series."""
        return {}

    def level(self, model: Model, half_life: float) -> float:
        """Mean over this step of what is left of all doses, each worth 1 when given; ``half_life`` in hours."""
        return mean_level(self.doses, model.hours, model.hours + model.dt, half_life)

    @classmethod
    def takes(cls, name: str) -> bool:
        """Whether it has a parameter of that name."""
        return name in cls.parameters()

    @classmethod
    def describe(cls) -> str:
        """Its first line."""
        return (cls.__doc__ or cls.__name__).strip().splitlines()[0]


def snake_case(word: str) -> str:
    """PembrolizumabLow -> pembrolizumab_low; PD1Blockade -> pd1_blockade."""
    word = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z0-9])(?=[A-Z][a-z])", "_", word)
    return word.lower()


def checked_name(name: str) -> str:
    """The name of a treatment as it is; raises TreatmentError where it cannot be one."""
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,59}", name):
        raise TreatmentError(
            f"a treatment is named with at most 60 letters, digits and underscores, not {quoted(name)}"
        )
    return name
