"""Rules start every step from their baseline; treatments bend them by name, add up, and leave no trace."""

import numpy as np
import pytest

from simulation import Schedule, Treatment, TumorModel, treatments
from simulation.rules import INDEX, RULES, RuleError, Rules
from tests.simulation.test_reproducibility import steps

KINDS = ["tumor_cell", "t_cell"]
KIND_OF_ROW = np.array([0, 0, 1, 1, -1], dtype=np.int8)


@pytest.fixture
def rules():
    """Five rows: two tumour cells, two T cells, one dead; kill 3 /h for T cells, death 0.1 and 0.2 /h."""
    baseline = np.zeros((len(RULES), 2))
    baseline[INDEX["kill"]] = 0.0, 3.0
    baseline[INDEX["death"]] = 0.1, 0.2
    return Rules(baseline, KINDS, KIND_OF_ROW, {"pd1": 0.85, "pdl1": 0.85}, {"il2": 9})


def in_force(rules, name):
    """The value every living row feels."""
    rates, own = rules.fold()
    slot, living = rates.slot[INDEX[name]], KIND_OF_ROW[:4]
    return (own[slot - 1][:4] if slot else rates.by_kind[INDEX[name]][living]).tolist()


def test_factors_multiply_and_additions_add(rules):
    rules.for_treatment("a").kill.scale(2)
    rules.for_treatment("b").kill.scale(0.5)
    rules.for_treatment("b").kill.scale(3)
    rules.for_treatment("c").death.add(0.05)
    assert in_force(rules, "kill") == [0, 0, 9, 9]
    assert in_force(rules, "death") == pytest.approx([0.15, 0.15, 0.25, 0.25])


def test_a_kind_or_chosen_cells_can_be_meant(rules):
    rules.for_treatment("a").death.scale(2, kind="t_cell")
    assert in_force(rules, "death") == pytest.approx([0.1, 0.1, 0.4, 0.4])
    rules.for_treatment("b").death.add(1.0, where=np.array([True, False, True, False, True]))
    assert in_force(rules, "death") == pytest.approx([1.1, 0.1, 1.4, 0.4])
    rules.for_treatment("c").death.scale(np.array([1, 2, 3, 4, 5.0]))
    rules.for_treatment("d").death.scale(10, where=np.array([True] * 5), kind="tumor_cell")
    assert in_force(rules, "death") == pytest.approx(
        [0.1 * 10 + 1, 0.1 * 2 * 10, 0.2 * 2 * 3 + 1, 0.2 * 2 * 4]
    )


def test_a_combination_does_not_depend_on_the_order_to_the_last_bit():
    """Numbers that do not commute in floating point: folded in the order of names, every order gives the same bits."""
    found = set()
    for order in ("abc", "cba", "bca", "acb"):
        baseline = np.full((len(RULES), 2), 0.1)
        rules = Rules(baseline, KINDS, KIND_OF_ROW, {"pd1": 0.85, "pdl1": 0.85}, {"il2": 9})
        for who in order:
            number = {"a": 0.1, "b": 0.2, "c": 0.3}[who]
            rules.for_treatment(who).kill.scale(number)
            rules.for_treatment(who).kill.add(number)
            rules.for_treatment(who).death.add(
                number, where=np.array([True, True, False, False, False])
            )
            rules.for_treatment(who).occupy("pd1", number)
        rates, own = rules.fold()
        found.add((rates.by_kind.tobytes(), np.array(own).tobytes(), rates.free))
    assert len(found) == 1


def test_occupancy_adds_over_two_antibodies_and_is_not_counted_twice(rules):
    """Free receptor = 1 - 0.85 S / (1 + S), S summed over drugs: two drugs at S = 1 leave what one at S = 2 leaves."""
    rules.for_treatment("pembrolizumab").occupy("pd1", 1.0)
    assert rules.free("pd1") == pytest.approx(1 - 0.85 / 2)
    rules.for_treatment("nivolumab").occupy("pd1", 1.0)
    assert rules.free("pd1") == pytest.approx(1 - 0.85 * 2 / 3)
    assert rules.free("pd1") > (1 - 0.85 / 2) ** 2, "two are less than independent"
    assert rules.free("pdl1") == 1.0
    assert rules.fold()[0].free == (rules.free("pd1"), 1.0)


@pytest.mark.parametrize(
    ("deed", "message"),
    [
        (
            lambda r: setattr(r, "kill", 5),
            r"rules.kill cannot be assigned to: write rules.kill.scale\(5\) or rules.kill.add\(5\)",
        ),
        (lambda r: r.kil.scale(2), "there is no rule 'kil'.*did you mean 'kill'"),
        (lambda r: r.kill.scale(-1), "finite numbers of at least 0"),
        (lambda r: r.kill.scale(float("nan")), "finite numbers of at least 0"),
        (lambda r: r.kill.scale(float("inf")), "finite numbers of at least 0"),
        (lambda r: r.kill.scale(2, kind="t_cel"), "no kind 't_cel'.*did you mean 't_cell'"),
        (lambda r: r.kill.scale(2, where=[True, False]), "one True or False per row"),
        (lambda r: r.kill.scale([1, 2]), "one per row"),
        (lambda r: r.occupy("pd-1", 1), "no receptor 'pd-1'.*'pd1'"),
        (lambda r: r.occupy("pd1", -1), "finite numbers of at least 0"),
        (lambda r: r.occupy("pd1", "much"), "takes one number, not 'much'"),
        (
            lambda r: r.kill.scale("much"),
            r"takes one number, or one per row of the cell table \(5\), not 'much'",
        ),
        (lambda r: r.kill.scale(None), "finite numbers of at least 0|takes one number"),
        (
            lambda r: r.kill.scale(np.array([1, 2, -3, 4, 5.0])),
            "finite numbers of at least 0, not -3",
        ),
        (lambda r: r.kill.scale(np.ones((5, 5))), "not 5x5 of them"),
        (lambda r: r.supply("il-2", 1), "no field 'il-2'.*did you mean 'il2'"),
        (lambda r: r.supply("il2", -1), "finite numbers of at least 0, not -1"),
        (lambda r: r.supply("il2", np.ones(4)), r"one per mesh node of that field \(9\)"),
        (lambda r: r.supply("il2", np.full(9, np.nan)), "finite numbers of at least 0, not nan"),
        (lambda r: r.supply("il2", "much"), "takes one number"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence_with_the_right_form(rules, deed, message):
    with pytest.raises(RuleError, match=message) as error:
        deed(rules.for_treatment("mine"))
    assert "\n" not in str(error.value) and len(str(error.value)) < 200, "a sentence, not an array"
    assert in_force(rules, "kill") == [0, 0, 3, 3] and not rules.supplies, "and nothing has changed"


def test_a_rule_of_the_model_cannot_be_assigned_either():
    model = TumorModel(shape=(9, 9), tumor_cells=1, seed=1)
    with pytest.raises(RuleError, match="kil"):
        _ = model.rules.kil
    with pytest.raises(RuleError, match="rules.kill"):
        model.rules.kill = 3


def test_a_printed_rule_says_who_changed_it(rules):
    assert str(rules.kill) == "kill = 3 /h"
    rules.for_treatment("pembrolizumab").kill.scale(2.66)
    assert str(rules.kill) == "kill = 3 /h x 2.66 (pembrolizumab) = 7.98 /h"
    rules.for_treatment("other").kill.add(1, kind="t_cell")
    assert str(rules.kill) == "kill = 3 /h x 2.66 (pembrolizumab) + 1 (other) = 8.98 /h"
    assert rules.kill.value == {"tumor_cell": 0.0, "t_cell": pytest.approx(8.98)}
    rules.for_treatment("x").death.scale(2, kind="t_cell")
    assert str(rules.death).splitlines() == [
        "death[tumor_cell] = 0.1 /h",
        "death[t_cell] = 0.2 /h x 2 (x) = 0.4 /h",
    ]
    rules.for_treatment("y").repair.add(1, where=np.ones(5, dtype=bool))
    assert "on chosen cells" in str(rules.repair)


class Booster(Treatment):
    """Doubles killing in the step in which it is dosed, and leaves."""

    schedule = Schedule(every="6 hours", times=2)

    def on_dose(self, model, dose):
        self.state["now"] = model.clock

    def modify(self, rules, model):
        if self.state.get("now") == model.clock:
            rules.kill.scale(2, kind="t_cell")


def test_what_is_not_renewed_is_gone_at_the_next_step():
    model = TumorModel("mouse_b16", shape=(15, 15), seed=1, treatments=[Booster], tumor_cells=20)
    baseline, text = model.rules.kill.value["t_cell"], str(model.rules.kill)
    factors = []
    for _ in range(12):
        model.step()
        factors.append(model.rules.kill.value["t_cell"] / baseline)
    assert factors == [2, 1, 1, 1, 1, 1] * 2
    assert str(model.rules.kill) == text


def test_a_drug_that_washed_out_leaves_no_trace():
    """A short-lived antibody, given once: the receptor is covered, then free again as if it had never been given."""
    brief = treatments.Pembrolizumab(half_life=15, schedule=Schedule(every=None), dose=1)
    model = TumorModel(
        "mouse_b16", shape=(9, 9), seed=1, treatments=[brief], tumor_cells=5, immune_cells=False
    )
    model.step()
    covered = model.rules.free("pd1")
    assert covered < 0.5
    model.treatments["pembrolizumab"].doses[0] = (-24.0 * 15 * 80, 1.0)  # eighty half-lives ago
    model.step()
    assert model.rules.free("pd1") == 1.0
    cytokine = treatments.Aldesleukin(schedule=Schedule(every=None))
    model.give(cytokine)
    model.step()
    assert model.rules.il2.value["t_cell"] > 0.5
    steps(model, 24 * 8)
    assert model.rules.il2.value["t_cell"] < 1e-30


def test_two_checkpoint_antibodies_in_a_model_cover_as_the_sum_of_their_strengths():
    model = TumorModel(
        "mouse_b16", shape=(9, 9), seed=1, treatments=["pembrolizumab", "nivolumab"], tumor_cells=5
    )
    model.step()
    strengths = [t.concentration(model) / t.dissociation for t in model.treatments.values()]
    before = model.clock
    model.clock -= 1  # the concentrations of the step that was taken
    strengths = [t.concentration(model) / t.dissociation for t in model.treatments.values()]
    model.clock = before
    most, total = model.parameters.checkpoint.max_occupancy, sum(strengths)
    assert model.rules.free("pd1") == pytest.approx(1 - most * total / (1 + total), rel=1e-12)
