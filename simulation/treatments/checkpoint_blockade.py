"""Antibodies that cover PD-1 or PD-L1, so that a contact is not switched off; other checkpoints are not modelled yet."""

from ..contract import Model
from ..parameters.parameter import Parameter
from ..parameters.sources import assumed, cite
from ..rules import RulesOf
from .base import Treatment
from .schedule import Schedule


def concentration(
    dose: float, volume: float, molar_mass: float, penetration: float, level: float
) -> float:
    """Concentration in the tumour, nM, of an antibody of which ``level`` doses (mg) are left in a volume (L); kDa a mole."""
    return dose / volume / molar_mass * 1000.0 * penetration * level  # mg / L / kDa is micromolar


class CheckpointAntibody(Treatment):
    """An antibody that covers one receptor in proportion to concentration / K_d."""

    receptor = ""

    dose = Parameter(
        200, "mg", "amount of one dose", source=cite("label:pembrolizumab"), range=(0, 5000)
    )
    volume = Parameter(
        6.0, "L", "volume of distribution", source=cite("label:pembrolizumab"), range=(1, 50)
    )
    molar_mass = Parameter(
        149, "kDa", "molar mass of the antibody", source=assumed("an IgG"), range=(50, 1000)
    )
    half_life = Parameter(
        22, "day", "terminal serum half-life", source=cite("label:pembrolizumab"), range=(1, 100)
    )
    penetration = Parameter(
        0.3,
        "1",
        "concentration in tumour over serum",
        range=(0, 1),
        source=assumed("0.1 to 0.5 at steady state"),
    )
    dissociation = Parameter(
        0.03, "nM", "K_d of the antibody", source=cite("label:pembrolizumab"), range=(0.0001, 1000)
    )

    def concentration(self, model: Model) -> float:
        """Mean concentration in the tumour over this step, nM."""
        level = self.level(model, self.half_life)
        return concentration(self.dose, self.volume, self.molar_mass, self.penetration, level)

    def modify(self, rules: RulesOf, model: Model) -> None:
        """The antibody occupies its receptor, by its concentration over the dissociation constant."""
        rules.occupy(self.receptor, self.concentration(model) / self.dissociation)

    def measure(self, model: Model) -> dict[str, float]:
        """Its concentration in the tumour."""
        return {"concentration_nM": self.concentration(model)}


class PD1Blockade(CheckpointAntibody):
    """An antibody against PD-1."""

    receptor = "pd1"


class PDL1Blockade(CheckpointAntibody):
    """An antibody against PD-L1."""

    receptor = "pdl1"


class Pembrolizumab(PD1Blockade):
    """Anti-PD-1 antibody, 200 mg every 3 weeks."""

    half_life = Parameter(
        22, "day", "terminal serum half-life", source=cite("label:pembrolizumab"), range=(15, 30)
    )
    schedule = Schedule(every="3 weeks")


class Nivolumab(PD1Blockade):
    """Anti-PD-1 antibody, 240 mg every 2 weeks."""

    dose = Parameter(
        240, "mg", "amount of one dose", source=cite("label:nivolumab"), range=(0, 5000)
    )
    half_life = Parameter(
        26.7, "day", "terminal serum half-life", source=cite("label:nivolumab"), range=(12, 40)
    )
    dissociation = Parameter(
        2.6, "nM", "K_d of the antibody", source=cite("label:nivolumab"), range=(0.0001, 1000)
    )
    schedule = Schedule(every="2 weeks")


class Atezolizumab(PDL1Blockade):
    """Anti-PD-L1 antibody, 1200 mg every 3 weeks."""

    dose = Parameter(
        1200, "mg", "amount of one dose", source=cite("label:atezolizumab"), range=(0, 5000)
    )
    volume = Parameter(
        6.9, "L", "volume of distribution", source=cite("label:atezolizumab"), range=(1, 50)
    )
    half_life = Parameter(
        27, "day", "terminal serum half-life", source=cite("label:atezolizumab"), range=(15, 40)
    )
    dissociation = Parameter(
        0.4, "nM", "K_d of the antibody", source=cite("label:atezolizumab"), range=(0.0001, 1000)
    )
    schedule = Schedule(every="3 weeks")
