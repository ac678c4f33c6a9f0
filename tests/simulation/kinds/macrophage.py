"""A macrophage that eats what antibodies coat, and lends its PD-L1 to the tumour; and an antibody that coats."""

from simulation import COATED, CellAgent, CellKind, Parameter, Schedule, Trait, Treatment, assumed

DAY = 24.0


class Macrophage(CellAgent):
    """A macrophage of the tumour: eats one coated cell in three days, switches T cells beside it off."""

    kind = "macrophage"


MACROPHAGE = CellKind(
    "macrophage",
    agent=Macrophage,
    traits=(Trait("pdl1", start=1.0, spread=0.3),),
    rates={
        "move": 30.0,
        "persistence": 0.5,
        "squeeze": 0.05,
        "engage": 0.5,
        "kill": 2.0,
        "potency": 100,
        "detach": 1.0,
        "refill": 0.33 / DAY,
        "death": 0.02 / DAY,
        "division": 0.1 / DAY,
    },
    engages={"tumor_cell": COATED},
    motile=True,
    driven=True,
    suppressor=True,
    capacity=1,
    initial_density=200,
    words="macrophages",
    color="#7A5C99",
)


class Opsonin(Treatment):
    """An antibody on the CAR target whose Fc part phagocytes and NK cells hold on to."""

    strength = Parameter(10, "1", "over K_d", range=(0, 1000), source=assumed("saturates"))
    half_life = Parameter(22, "day", "in serum", range=(1, 100), source=assumed("an IgG"))
    fc = Parameter(1, "1", "share with an Fc part", range=(0, 1), source=assumed("an IgG1"))
    schedule = Schedule(every="1 week", times=4)

    def modify(self, rules, model):
        """It covers its target."""
        strength = self.strength * self.level(model, self.half_life)
        rules.occupy("car_target", strength, fc=self.fc)
