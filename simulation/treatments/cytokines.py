"""Cytokines given to the patient: short half-lives, cycles of dosing and rest."""

from ..contract import Model
from ..parameters.parameter import Parameter
from ..parameters.sources import assumed, cite
from ..rules import RulesOf
from .base import Treatment
from .schedule import Schedule


class SystemicCytokine(Treatment):
    """A cytokine that bathes the tissue while it lasts; ``peak`` is what one dose brings to the tissue."""

    def in_tissue(self, model: Model) -> float:
        """Mean level in the tissue over this step, in the unit of ``peak``."""
        return self.peak * self.level(model, self.half_life)

    def measure(self, model: Model) -> dict[str, float]:
        """The level that cells of the tissue meet."""
        return {"level_in_tissue": self.in_tissue(model)}


class Aldesleukin(SystemicCytokine):
    """High-dose IL-2: 600,000 IU/kg every 8 hours x 14, 9 days of rest, once more."""

    peak = Parameter(
        2.0,
        "nM",
        "IL-2 in the tissue right after one dose",
        range=(0, 1000),
        source=assumed("42 MIU are 2.6 mg, about 20 nM in 8 L, a tenth of it in tissue"),
    )
    half_life = Parameter(
        85, "minute", "elimination half-life", source=cite("label:aldesleukin"), range=(10, 600)
    )
    schedule = Schedule(every="8 hours", times=14, rest="9 days", cycles=2)

    def modify(self, rules: RulesOf, model: Model) -> None:
        """IL-2 is added to what the tissue makes."""
        rules.il2.add(self.in_tissue(model))


class InterferonAlfa(SystemicCytokine):
    """IFN-alpha-2b: 20 MIU/m2 on 5 days a week for 4 weeks, then 3 times a week."""

    peak = Parameter(
        6.0,
        "1",
        "signal right after one dose, in half-effects of IFN-gamma",
        range=(0, 1000),
        source=assumed(
            "both interferons act through STAT1; the mean over a day is then near one half-effect"
        ),
    )
    half_life = Parameter(
        2.5, "hour", "serum half-life", source=cite("label:interferon_alfa_2b"), range=(0.5, 72)
    )
    schedule = Schedule(
        every="1 day", times=5, rest="3 days", cycles=4, then=Schedule(every="56 hours")
    )

    def modify(self, rules: RulesOf, model: Model) -> None:
        """Its signal is added to that of IFN-gamma."""
        rules.interferon.add(self.in_tissue(model))
