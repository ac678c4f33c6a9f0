"""The plain-Mesa twin, fed the keyed draws, follows the compiled loops cell by cell and bit by bit."""

import numpy as np
import pytest

from experiments.reference import plain_cells
from experiments.reference.plain_cells import half_effect
from experiments.reference.plain_mesa import PlainTumor
from simulation import CarTCell, NKCell, TCell, TumorModel
from simulation.randomness import Randomness
from simulation.rules import RULES
from simulation.step import VERBS
from tests.simulation.kinds.clones import ANTIGENS, CLONE, Clone

STILL = ("diffuse", "recruit", "measure")  # fields stand still and nobody enters
OVERRIDES = {
    "tumor.antigen": 0.4,
    "tumor.pdl1": 0.4,
    "tumor.antigen_negative_share": 0.1,
    "tumor.mhc_halving": 0.05,
    "tumor.antigen_loss": 0.02,
    "tumor.division_rate": 2.0,
    "tumor.death_rate": 0.3,
    "t_cell.bystander_share": 0.2,
    "t_cell.squeeze": 0.2,
    "t_cell.exhaustion_rate": 3.0,
    "t_cell.division_rate": 3.0,
    "t_cell.division_limit": 1,
    "t_cell.il2_divisions": 1,
    "car_t_cell.division_rate": 3.0,
    "car_t_cell.division_limit": 3,
    "nk_cell.engage_rate": 6.0,
    "nk_cell.kill_rate": 4.0,
    "nk_cell.division_rate": 3.0,
    "checkpoint.brake": 0.5,
    "tumor.necrosis_threshold": 13.0,
    "tumor.necrosis_rate": 0.05,
}
SURROUNDINGS = {"interferon": 0.7, "oxygen": 12.0, "il2": 0.2, "uphill": (0, 1), "pull": 0.4}
COMPARED = (
    "damage",
    "divisions",
    "kills",
    "stimulation",
    "exhaustion",
    "fixed_exhaustion",
    "capacity",
    "specificity",
    "receptor",
    "antigen",
    "car_target",
    "mhc",
    "pdl1",
    "stress_ligand",
    "mother",
)
COUNTED = ("potency", "lethal_hits", "division_limit", "il2_divisions")
RULES_OF_TWIN = (
    *COUNTED,
    "move",
    "squeeze",
    "persistence",
    "bias",
    "engage",
    "kill",
    "detach",
    "brake",
    "repair",
    "exhaustion",
    "recovery",
    "fixation",
    "sensitivity",
    "forgetting",
    "refill",
    "il2_refill",
    "division",
    "il2_drive",
    "interferon_arrest",
    "oxygen_half",
    "antigen_shown",
    "interferon",
    "il2",
    "death",
    "necrosis",
)

LEFT_OUT = (
    "influx",
    "influx_gain",  # nobody enters
    "ifn_gamma_secretion",
    "il2_secretion",
    "il2_uptake",
    "chemokine_secretion",
    "chemokine_induced",
    "oxygen_uptake",
)  # fields stand still


class KeyedDraws:
    """The draws of the compiled loops in plain Python: purpose, tick and cell name say which."""

    GOLDEN, WORD = 0x9E3779B97F4A7C15, 2**64 - 1
    BRANCH = {
        "go": 0,
        "turn": 1,
        "where": 2,
        "push": 3,
        "site": 4,
        "choose": 1,
        "room": 1,
        "cradle": 2,
        "birth": 3,
        "angle": 1,
        "loss": 2,
        "halving": 3,
    }

    def __init__(self, seed):
        self.randomness, self.tick = Randomness(seed), 0

    def mix(self, x):
        x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & self.WORD
        x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & self.WORD
        return x ^ (x >> 31)

    def rank(self, purpose, name, number=0):
        path, _, leaf = purpose.rpartition(".")
        if leaf in self.BRANCH:
            steps = 8 * number + self.BRANCH[leaf]
            stream = self.mix(
                (int(self.randomness.stream(path, self.tick)) + steps * self.GOLDEN) & self.WORD
            )
        else:
            stream = (
                int(self.randomness.stream(purpose, self.tick)) + number * self.GOLDEN
            ) & self.WORD
        return self.mix(stream ^ name)

    def uniform(self, purpose, name, number=0):
        return (self.rank(purpose, name, number) >> 11) * 2.0**-53

    def name(self, purpose, mother):
        return self.rank(purpose, mother) & (2**63 - 1)


def lattice_and_twin(seed, shape, **more):
    """A crowded model in constant fields, and its twin."""
    sites = int(np.prod(shape))
    model = TumorModel(
        shape=shape,
        seed=seed,
        tumor_cells=sites * 35 // 100,
        immune_cells=False,
        overrides=OVERRIDES,
        **more,
    )
    for cls, share in ((TCell, 8), (CarTCell, 3), (NKCell, 7)):
        for _ in range(sites * share // 100):
            cls(model)
    model.fields["ifn_gamma"].values[:] = SURROUNDINGS["interferon"]
    model.fields["oxygen"].values[:] = SURROUNDINGS["oxygen"]
    model.fields["il2"].values[:] = SURROUNDINGS["il2"]
    uphill = SURROUNDINGS["uphill"] + (0,) * (len(shape) - 2)
    model.tissue.uphill[:] = model.lattice.directions.tolist().index(list(uphill))
    model.tissue.pull[:] = SURROUNDINGS["pull"]
    surroundings = SURROUNDINGS | {"uphill": uphill}
    return model, PlainTumor(model, KeyedDraws(seed), classes=[PlainClone], **surroundings)


class PlainClone(plain_cells.TCell):
    """Sees the antigen of its receptor."""

    kind = "clone"

    def scores(self, target):
        """A channel for each antigen."""
        half, mhc = self.model.parameters.t_cell.half_antigen, target.presented_mhc
        return [half_effect(getattr(target, antigen) * mhc, half) for antigen in ANTIGENS]


class Forgetful(PlainClone):
    """Sees the first antigen, whatever its receptor."""

    def recognises(self, target):
        """The first."""
        return self.scores(target)[0]


def clones():
    """The same crowd, and clones that see one of two antigens each."""
    model, _ = lattice_and_twin(seed=4, shape=(20, 21), cell_kinds=[CLONE])
    for number in range(30):
        Clone(model, receptor=number % 2)
    second = model.randomness.uniform("second antigen", 0, model.cells["name"])
    model.cells["second_antigen"][:] = np.where(model.rows("tumor_cell"), second, 0.0)
    return model


def hour(model):
    for verb in VERBS:
        if verb not in STILL:
            getattr(model, verb)()


def of_loops(model):
    """Name -> everything about a cell, from the table."""
    cells, found = model.cells, {}
    for row in np.flatnonzero(cells.alive):
        partner, heading = int(cells["partner"][row]), int(cells["heading"][row])
        kind = model.kinds.names[cells["kind"][row]]
        found[int(cells["name"][row])] = (
            kind,
            model.lattice.position(cells["site"][row]),
            tuple(cells[trait][row].item() for trait in COMPARED),
            int(cells["name"][partner]) if partner >= 0 else None,
            int(cells["held"][row]),
            tuple(model.lattice.directions[heading].tolist()) if heading >= 0 else None,
        )
    return found


def of_agents(twin):
    """The same from the agents."""
    found = {}
    for agent in twin.agents:
        partner = getattr(agent, "partner", None)
        found[agent.name] = (
            agent.kind,
            agent.cell.coordinate,
            tuple(getattr(agent, trait) for trait in COMPARED),
            partner.name if partner else None,
            len(getattr(agent, "holders", ())),
            getattr(agent, "heading", None),
        )
    return found


def differs(loops, agents):
    """The first cell that is not the same in both, or None."""
    return next(
        (name for name in loops.keys() | agents.keys() if loops.get(name) != agents.get(name)), None
    )


@pytest.fixture(scope="module")
def course():
    """100 hours of the compiled loops, and the cells at each."""
    model, _ = lattice_and_twin(seed=1, shape=(20, 21))
    hours = []
    for _ in range(100):
        hour(model)
        hours.append(of_loops(model))
    return model, hours


def test_twin_follows_the_compiled_loops_to_the_last_bit(course):
    model, hours = course
    twin = lattice_and_twin(seed=1, shape=(20, 21))[1]
    for number, loops in enumerate(hours):
        twin.step()
        assert differs(loops, of_agents(twin)) is None, f"a cell differs after {number + 1} hours"
    happened = model.counters
    assert happened["births"].min() > 2 and happened["deaths"].min() > 2, (
        "every kind divides and dies"
    )
    assert happened["kills"][1:, 0].min() > 5 and happened["starved"][0] > 2


@pytest.mark.parametrize(("seed", "shape", "steps"), [(2, (23, 17), 60), (3, (8, 9, 7), 30)])
def test_twin_follows_with_another_seed_and_in_3d(seed, shape, steps):
    model, twin = lattice_and_twin(seed, shape)
    assert differs(of_loops(model), of_agents(twin)) is None, "the twin starts as a copy"
    for number in range(steps):
        hour(model)
        twin.step()
        assert differs(of_loops(model), of_agents(twin)) is None, (
            f"a cell differs after {number + 1} hours"
        )
    assert model.counters["kills"].sum() > 10 and model.counters["births"].sum() > 10


def test_twin_follows_clones_that_see_one_of_two_antigens_each():
    """Bit by bit; one whose cells all see the first antigen leaves the course: the comparison is sharp."""
    model = clones()
    twins = [
        PlainTumor(model, KeyedDraws(4), classes=[cls], **SURROUNDINGS)
        for cls in (PlainClone, Forgetful)
    ]
    for _ in range(25):
        for each in (model, *twins):
            hour(each) if each is model else each.step()
        assert differs(of_loops(model), of_agents(twins[0])) is None
    assert differs(of_loops(model), of_agents(twins[1])) is not None
    of, receptor = model.rows("clone"), model.cells["receptor"]
    kills = [model.cells["kills"][of & (receptor == channel)].sum() for channel in (0, 1)]
    assert min(kills) > 3 and model.counters["births"][model.kinds.index("clone")] > 0


def test_every_rule_is_compared_but_for_those_that_the_twin_leaves_out():
    assert sorted(RULES_OF_TWIN + LEFT_OUT) == sorted(rule.name for rule in RULES)


@pytest.mark.parametrize("rule", RULES_OF_TWIN)
def test_a_change_of_any_one_rule_shows(course, rule):
    """The comparison is sharp: a twin with one rule changed leaves the course."""
    hours, twin = course[1], lattice_and_twin(seed=1, shape=(20, 21))[1]
    for rates in twin.rates.values():
        setattr(
            rates,
            rule,
            getattr(rates, rule) + 3.0 if rule in COUNTED else getattr(rates, rule) * 0.7 + 0.01,
        )
    for loops in hours:
        twin.step()
        if differs(loops, of_agents(twin)) is not None:
            return
    pytest.fail(f"{rule} was changed and nothing differs")


def test_it_is_an_ordinary_mesa_model_on_its_own():
    model, _ = lattice_and_twin(seed=1, shape=(20, 21))
    first, again = (PlainTumor(model, **SURROUNDINGS) for _ in range(2))
    for _ in range(24):
        first.step()
        again.step()
    state = of_agents(first)
    assert state == of_agents(again), "model.random is seeded"
    assert len({cell[1] for cell in state.values()}) == len(state), "one cell per site"
    assert first.clock == first.steps == 24
    start = of_loops(model)
    assert start.keys() - state.keys() and state.keys() - start.keys(), (
        "some died and some were born"
    )
