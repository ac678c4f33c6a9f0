"""A rule may be bent for chosen cells, and then every loop sees it, for the newborn and the newcomers of the step as well."""

import ast
from pathlib import Path

import numpy as np
import pytest

import simulation
from simulation import CellAgent, CellKind, Treatment, TumorModel
from simulation.rules import INDEX, RULES, RuleError
from simulation.testing.witness import bits, differences
from tests.dish import dish, grid, sow
from tests.simulation.test_reproducibility import steps

OF_CELLS = [rule.name for rule in RULES if rule.of_cells]
BUSY = {
    "t_cell.initial_density": 300,
    "car_t_cell.initial_density": 100,
    "nk_cell.initial_density": 150,
    "tumor.pdl1": 0.7,
    "tumor.mhc": 0.2,
    "tumor.antigen": 3,
    "tumor.car_target": 0.2,
    "tumor.division_rate": 4,
    "tumor.necrosis_rate": 2,
    "tumor.oxygen_uptake": 20,
    "tumor.oxygen_half": 15,
    "recruitment.vessel_density": 15,
    "nk_cell.engage_rate": 12,
    "t_cell.division_rate": 3,
    "nk_cell.division_rate": 3,
    "car_t_cell.division_rate": 3,
    "t_cell.il2_divisions": 2,
    "t_cell.division_limit": 1,
    "nk_cell.capacity": 1,
}
ARRIVING = {"t_cell.base_influx": 400, "nk_cell.base_influx": 300, "car_t_cell.base_influx": 100}


class Bender(Treatment):
    """Does one thing to rules at every step; ``deed(rules, model)``."""

    deed = None

    def modify(self, rules, model):
        type(self).deed(rules, model)


def bender(what):
    return type("Bent", (Bender,), {"deed": staticmethod(what), "__doc__": "Bends rules."})()


def tissue(*given, **overrides):
    """A little tumour with all kinds of immune cells, where every rule of cells is at work."""
    return TumorModel(
        "melanoma",
        shape=(19, 19),
        seed=11,
        tumor_cells=200,
        overrides=BUSY | overrides,
        treatments=["aldesleukin", "interferon_alfa", *given],
    )


def everybody(model):
    return np.ones(model.cells.rows, dtype=bool)


def living(model):
    return model.cells.alive


def half(model):
    """Every second cell by name, so that no kind is chosen as a whole."""
    return model.cells.alive & (model.cells["name"] % 2 == 0)


def same(one, other):
    """That two models agree to the last bit."""
    assert differences(one, other) == "", differences(one, other)


@pytest.fixture(scope="module")
def plain():
    """Two days without any bending, and with arrivals."""
    return steps(tissue(**ARRIVING), 48)


def test_the_tissue_is_lively(plain):
    assert plain.counters["births"].min() > 5 and plain.counters["arrived"][1:].min() > 5
    assert plain.counters["kills"][1:, 0].min() > 5 and plain.counters["starved"][0] > 5


@pytest.mark.parametrize("chosen", [everybody, living, half])
def test_times_one_changes_nothing(plain, chosen):
    """Every rule of cells times one and plus nothing, for cells that are chosen one by one."""

    def times_one(rules, model):
        for name in OF_CELLS:
            getattr(rules, name).scale(1.0, where=chosen(model))
            getattr(rules, name).add(np.zeros(model.cells.rows), where=chosen(model))

    same(steps(tissue(bender(times_one), **ARRIVING), 48), plain)


@pytest.mark.parametrize("chosen", [everybody, living])
@pytest.mark.parametrize("name", OF_CELLS)
def test_to_choose_all_cells_is_to_choose_none(name, chosen):
    """With births and arrivals: a newcomer of the step is as if it had been chosen with the others of its kind."""
    plainly = tissue(bender(lambda rules, model: getattr(rules, name).scale(0.7)), **ARRIVING)
    singly = tissue(
        bender(lambda rules, model: getattr(rules, name).scale(0.7, where=chosen(model))),
        **ARRIVING,
    )
    same(steps(plainly, 24), steps(singly, 24))


def test_three_factors_fold_in_the_order_of_names_whoever_is_chosen(plain):
    """Factors that do not commute to the last bit: the one that chooses all cells keeps its turn."""

    def course(where):
        drugs = [
            bender(lambda rules, model, f=f, w=w: rules.division.scale(f, where=w and w(model)))
            for f, w in ((0.1, None), (1 / 3, where), (7.7, None))
        ]
        for drug, name in zip(drugs, "abc", strict=True):
            drug.name = name
        return steps(tissue(*drugs, **ARRIVING), 24)

    same(course(None), course(everybody))
    assert differences(course(None), steps(tissue(**ARRIVING), 24)), "and they change something"


@pytest.mark.parametrize("name", OF_CELLS)
def test_every_loop_reads_the_rate_of_the_cell(name, monkeypatch):
    """Each cell has its own rate and that of its kind is no number: who reads the kind alone goes astray."""
    still = {
        f"{kind}.{influx}": 0
        for kind in ("t_cell", "car_t_cell", "nk_cell")
        for influx in ("base_influx", "influx_gain")
    }
    usual = steps(tissue(**still), 24)
    fold = TumorModel.fold

    def own_rates(model):
        fold(model)
        rates, kinds = model.rates, model.cells["kind"]
        found = [
            model.cells.own[slot, : len(kinds)].copy() for slot in range(1, len(model.cells.own))
        ]
        own = np.where(kinds >= 0, rates.by_kind[INDEX[name]][kinds], np.nan)
        model.cells.choose([*found, own])
        rates.slot[INDEX[name]] = len(found) + 1
        rates.by_kind[INDEX[name]] = np.nan

    monkeypatch.setattr(TumorModel, "fold", own_rates)
    same(usual, steps(tissue(**still), 24))


@pytest.mark.parametrize("name", OF_CELLS)
def test_half_of_the_cells_can_be_meant(plain, name):
    """Bent for half of the cells a rule gives another run than bent for none, and than bent for all."""

    def course(where):
        def deed(rules, model):
            rule = getattr(rules, name)
            rule.scale(0.3, where=where(model))
            if name in (
                "interferon",
                "il2",
                "potency",
                "lethal_hits",
            ):  # nothing to scale, or whole numbers
                rule.add(3.0, where=where(model))

        return steps(tissue(bender(deed), **ARRIVING), 48)

    some = course(half)
    assert differences(some, plain), f"rules.{name} is not read where cells are chosen"
    assert differences(some, course(everybody)), (
        f"rules.{name} does not tell the chosen from the others"
    )


def reads_of_kinds(tree):
    """Every ``by_kind[RULE, kind]`` in a module that is read for a cell by other means than ``either(own, general)``."""
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Subscript) and "by_kind" in ast.unparse(node.value)):
            continue
        up, inside = node, []
        while up in parents and not isinstance(up, ast.stmt):
            up = parents[up]
            inside.append(up)
        either = any(
            isinstance(each, ast.Call) and ast.unparse(each.func) == "either" for each in inside
        )
        table = isinstance(up, ast.Assign) and ast.unparse(up.targets[0]).endswith(
            "[kind]"
        )  # one entry a kind, no cell yet
        if not either and not table:
            yield f"line {node.lineno}: {ast.unparse(up)}"


def test_no_loop_reads_a_rate_in_another_way():
    files = sorted(Path(simulation.__file__).parent.rglob("*.py"))
    found = {
        file.name: [*reads_of_kinds(ast.parse(file.read_text()))]
        for file in files
        if file.parent.name == "kernels" or file.name in ("measures.py", "tissue.py", "step.py")
    }
    assert {name: lines for name, lines in found.items() if lines} == {}
    wrong = "def f():\n    rate = by_kind[DEATH, kind] * 2\n    return rate"
    assert [*reads_of_kinds(ast.parse(wrong))], "the search finds a wrong one"


@pytest.mark.parametrize("name", [rule.name for rule in RULES if not rule.of_cells])
def test_rules_of_cells_still_to_come_take_no_chosen_cells(name):
    for deed in (
        lambda rule, model: rule.scale(2.0, where=everybody(model)),
        lambda rule, model: rule.add(np.arange(model.cells.rows) * 1.0),
    ):
        model = tissue(bender(lambda rules, model, deed=deed: deed(getattr(rules, name), model)))
        with pytest.raises(
            RuleError, match=f"rules.{name} is a rule of cells that are still to come"
        ):
            model.step()
    fine = bender(lambda rules, model: getattr(rules, name).scale(2.0, kind="t_cell"))
    assert tissue(fine).rules is not None and steps(tissue(fine), 1).rules.kill


def test_a_daughter_has_the_rates_of_her_mother_in_the_step_of_her_birth():
    """Half of the clones are made to die within minutes; their daughters of the same step die with them."""
    doomed = bender(
        lambda rules, model: rules.death.add(
            1e6, where=model.rows("tumor_cell") & (model.cells["clone"] % 2 == 0)
        )
    )
    model = dish((60, 60), 3, {"tumor.division_rate": 5}, treatments=[doomed])
    sow(model, "tumor_cell", grid((60, 60), 3))
    model.step()
    assert model.counters["births"][0] > 20
    assert (model.cells["clone"][model.rows("tumor_cell")] % 2 == 1).all()


class Runner(CellAgent):
    """A motile cell that T cells kill."""

    kind = "runner"


RUNNER = CellKind(
    "runner",
    agent=Runner,
    motile=True,
    engaged_by={"t_cell": "peptide"},
    traits=(),
    rates={"move": 240.0, "lethal_hits": 1, "persistence": 0.5},
)


def test_who_was_killed_does_not_walk():
    """Motile targets are killed among others: each dies once, and nobody stands where the lattice knows nobody."""
    model = dish(
        (40, 40),
        3,
        {"t_cell.engage_rate": 60, "t_cell.kill_rate": 60, "t_cell.speed": 4},
        cell_kinds=[RUNNER],
    )
    number = len(sow(model, "runner", grid((40, 40), 4)))
    sow(model, "t_cell", grid((40, 40), 4, margin=1))
    seen = model.kinds.recognitions[0].score

    def see(model, score, stimulus):
        seen(model, score, stimulus)
        score[model.rows("runner")] = 1.0

    model.kinds.recognitions[0] = type(model.kinds.recognitions[0])("peptide", "sees runners", see)
    for _ in range(6):
        model.step()
        rows = np.flatnonzero(model.cells.alive)
        assert (model.lattice.occupant[model.cells["site"][rows]] == rows).all()
        assert np.count_nonzero(model.lattice.occupant >= 0) == len(rows)
    deaths = model.counters["deaths"][model.kinds.index("runner")]
    assert deaths == number - model.count("runner") > number // 2
    assert bits(model)["kind"]
