"""Dose surfaces: no interaction, additivity and planted synergy are told apart, and gaps never become numbers."""

import json
import math
import re
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from scipy import stats

from experiments.scenarios.scenario import Scenario
from experiments.studies.archive import StudyError
from experiments.studies.schedules import ranking as regimens
from experiments.studies.statistics import interval
from experiments.studies.surface import analysis as surfaces
from experiments.studies.surface import grid as effect_grid
from experiments.studies.surface import pictures as drawn
from experiments.studies.surface import sentences, shams
from experiments.studies.surface.bliss import FEWEST, beyond_bliss
from experiments.studies.surface.grid import LEAST, SurfaceError
from experiments.studies.surface.interactions import excess, overall
from experiments.studies.surface.isoboles import crossing, effect_of, isoboles, levels_reached
from experiments.studies.sweep.sweep import Sweep, run_sweep
from simulation import Parameter, Treatment
from tests.dish import STILL

X, Y = "treatments.pembrolizumab.dose", "treatments.il2.peak"
UNITS = {X: "mg", Y: "nM"}
UNEVEN = ((0, 1, 3, 10), (0, 0.5, 2, 8))
EVEN = ((0, 1, 2, 3, 4), (0, 1, 2, 3, 4))


def hazards(x, y, sensitivity=1.0):
    """Two drugs that add independent death hazards."""
    return 1 - math.exp(-sensitivity * (0.08 * x + 0.15 * y))


def synergy(x, y, sensitivity=1.0):
    """As hazards, and the second drug works better where the first has been given."""
    return 1 - math.exp(-sensitivity * (0.08 * x + 0.15 * y + 0.1 * x * y / (1 + y)))


def antagonism(x, y, sensitivity=1.0):
    return 1 - math.exp(-sensitivity * (0.08 * x + 0.15 * y) / (1 + 0.2 * x * y))


def bottles(x, y, sensitivity=1.0):
    """One saturating drug in two bottles, the second three times as strong."""
    dose = sensitivity * (x + 3 * y)
    return dose**2 / (100 + dose**2)


def crowded(x, y, sensitivity=1.0):
    """Independent hazards in a tissue where the smaller a tumour is the less of it grows back: effects do more than add."""
    hazard = sensitivity * (0.08 * x + 0.15 * y)
    return 1 - math.exp(-hazard - 0.4 * hazard**2)


def crowded_synergy(x, y, sensitivity=1.0):
    """The same tissue, and the second drug works better where the first has been given."""
    return 1 - (1 - crowded(x, y, sensitivity)) * math.exp(-0.2 * x * y / (1 + y))


def enhancer(x, y, sensitivity=1.0):
    """A drug, and one that does nothing alone and makes the first stronger."""
    return 1 - math.exp(-sensitivity * 0.15 * x * (1 + 0.2 * y))


def outcomes(effect, doses=UNEVEN, seeds=6, *, noise=0.0, arm="both", twice=False):
    """A sweep's outcomes: tumours differ in burden and sensitivity by seed; ``noise`` is that of each treated run.

    ``twice`` adds the shams: a drug and its copy are one drug in two bottles.
    """
    rows, random = [], np.random.default_rng(1)
    design = [{X: x, Y: y} for x in doses[0] for y in doses[1]]
    if twice:
        design = [
            point | {effect_grid.again(X): 0, effect_grid.again(Y): 0} for point in design
        ] + shams.points(design, X, Y)
    for number, point in enumerate(design):
        x, y = (point[name] + point.get(effect_grid.again(name), 0) for name in (X, Y))
        for seed in range(1, seeds + 1):
            burden, sensitivity = 2000 * 1.3**seed, 0.7 + 0.1 * seed
            left = (
                burden
                * (1 - effect(x, y, sensitivity))
                * math.exp(noise * random.normal() * (x + y > 0))
            )
            labels = (
                {"run": len(rows) // 2, "scenario": "combination", "point": number}
                | point
                | {"seed": seed}
            )
            rows += [
                labels | {"arm": each, "end_cells": cells, "mean_cells": cells}
                for each, cells in (("control", burden), (arm, left))
            ]
    return pd.DataFrame(rows)


def grid(effect, doses=UNEVEN, **how):
    return effect_grid.grid(outcomes(effect, doses, **how), x=X, y=Y, arm="both")


def pairs(table):
    """The rows with both drugs."""
    return table[(table["x"] > 0) & (table["y"] > 0)]


def null(random, noise, *, seeds=10, doses=4, twice=False, hazard=0.0):
    """A grid in which two drugs only add ``hazard`` a dose step each, every run with its own noise; ``twice`` with both shams."""
    steps, most = np.arange(float(doses)), np.full(seeds, 8.0)

    def effects():
        effect = (hazard * np.add.outer(steps, steps))[..., None] + noise * random.normal(
            size=(doses, doses, seeds)
        )
        effect[0, 0] = 0
        return effect

    both, copies = effects(), []
    for name, alone in (("x", both[:, 0]), ("y", both[0])) if twice else ():
        own = effects()
        own[:, 0] = own[0] = alone
        own = np.where(np.tri(doses)[..., None] > 0, own, own.swapaxes(0, 1))
        copies.append(
            effect_grid.Grid(name, f"{name} again", steps, steps, np.arange(seeds), own, most)
        )
    return effect_grid.Grid("x", "y", steps, steps, np.arange(seeds), both, most, tuple(copies))


CALLED = ("synergy", "antagonism", "above Bliss", "below Bliss")


@pytest.mark.parametrize(("noise", "hazard"), [(0.02, 0), (0.6, 0), (0.3, 0.4)])
def test_drugs_that_do_not_interact_are_called_anything_no_oftener_than_the_nominal_rate(
    noise, hazard
):
    """Two idle drugs, in little and in much noise, and two that work: per pair (all together) and over all pairs."""
    random, tried = np.random.default_rng(7), 200
    pair = mean = 0
    for _ in range(tried):
        measured = null(random, noise, hazard=hazard)
        pair += excess(measured)["verdict"].isin(CALLED).any()
        mean += overall(measured)["verdict"].isin(CALLED).any()
    error = math.sqrt(0.05 * 0.95 / tried)
    assert abs(mean / tried - 0.05) < 3 * error, (
        "one paired t test on normal noise is exact, on both sides"
    )
    assert 0 < pair / tried < 0.05 + 3 * error, (
        "the correction for nine pairs holds, and does not forbid every verdict"
    )


def test_shams_make_no_verdict_more_frequent():
    random, tried = np.random.default_rng(8), 100
    found = [null(random, 0.3, twice=True) for _ in range(tried)]
    called = sum(excess(measured)["verdict"].isin(CALLED).any() for measured in found)
    assert called / tried < 0.05 + 3 * math.sqrt(0.05 * 0.95 / tried)


def test_independent_hazards_have_no_excess_over_bliss():
    table = pairs(excess(grid(hazards)))
    assert table["bliss_excess"].abs().max() < 1e-12, (
        "hazards that add, add in ln survival: nothing is left over"
    )
    assert set(table["verdict"]) == {"additive"}, "rounding must not be called synergy"
    assert (table["single_low"] > 0).all(), "two working drugs remove more than the better one"
    mean = overall(grid(hazards)).iloc[0]
    assert mean["bliss_excess"] == pytest.approx(0, abs=1e-12)
    assert mean["single_excess"] > 0.05


@pytest.mark.parametrize(("effect", "sign"), [(synergy, 1), (antagonism, -1)])
@pytest.mark.parametrize(
    ("twice", "words"),
    [(True, {1: "synergy", -1: "antagonism"}), (False, {1: "above Bliss", -1: "below Bliss"})],
)
def test_a_planted_interaction_is_found_with_its_sign(effect, sign, twice, words):
    """Synergy and antagonism are words for what the simulated null does not explain; without it Bliss alone is named."""
    table = pairs(excess(grid(effect, noise=0.02, twice=twice)))
    strong = table[table["bliss_excess"].abs() > 0.15]
    assert len(strong) >= 4, "the planted interaction is large at several doses"
    assert (strong["verdict"] == words[sign]).all()
    assert (np.sign(strong["bliss_excess"]) == sign).all()
    assert overall(grid(effect, noise=0.02, twice=twice))["verdict"].tolist() == [words[sign]]
    plain = overall(grid(hazards, noise=0.02, twice=twice))
    assert plain["verdict"].tolist() == ["additive"], (
        "without the interaction there is nothing to find"
    )


def test_a_pair_that_a_drug_with_itself_explains_is_never_called_synergistic():
    """In a crowded tissue plain hazards exceed Bliss independence; a true interaction exceeds the tissue as well."""
    alone = pairs(excess(grid(crowded, noise=0.02)))
    assert (alone["verdict"] == "above Bliss").sum() >= 5, "Bliss independence is no null here"
    table = pairs(excess(grid(crowded, noise=0.02, twice=True)))
    assert set(table["verdict"]) <= {"explained by the tissue", "additive"}
    assert (table["verdict"] == "explained by the tissue").sum() >= 5
    assert overall(grid(crowded, noise=0.02, twice=True))["verdict"].tolist() == [
        "explained by the tissue"
    ]
    true = grid(crowded_synergy, noise=0.02, twice=True)
    assert overall(true)["verdict"].tolist() == ["synergy"]
    assert (pairs(excess(true))["verdict"] == "synergy").sum() >= 4


def test_a_drug_that_only_enhances_another_is_synergistic():
    measured = grid(enhancer, noise=0.02, twice=True)
    assert overall(measured)["verdict"].tolist() == ["synergy"], (
        "a drug that is idle alone is matched by no dose of the other"
    )


def test_shams_at_tested_effects_are_themselves_and_between_them_the_product_of_effects_is_exact():
    """ln survival a + b + 2ab: the excess of a pair, and of the sham at any matched effect, is 2ab."""
    doses = np.array([0.0, 1, 2, 3]), np.array([0.0, 0.4, 1, 2.2, 2.9])
    both, most = 2 * np.multiply.outer(*doses) + np.add.outer(*doses), np.array([99.0, 99])
    own = [2 * np.multiply.outer(each, each) + np.add.outer(each, each) for each in doses]
    effects = [np.repeat(each[..., None], 2, axis=2) for each in (both, *own)]
    copies = [
        effect_grid.Grid(name, name * 2, each, each, np.arange(2), effect, most)
        for name, each, effect in zip("xy", doses, effects[1:], strict=True)
    ]
    measured = effect_grid.Grid("x", "y", *doses, np.arange(2), effects[0], most, tuple(copies))
    of_x, of_y = shams.matched(measured)
    assert of_x == pytest.approx(beyond_bliss(measured))
    assert of_y[:3] == pytest.approx(beyond_bliss(measured)[:3])
    assert np.isnan(of_y[3]).all(), "no tested dose of y does as much as the highest of x"
    assert set(pairs(excess(measured))["verdict"]) == {"explained by the tissue"}


def test_pairing_by_seed_is_what_finds_a_small_interaction():
    """Tumours differ far more in sensitivity than the interaction is large; only the same tumour's own expectation tells."""
    table = outcomes(
        lambda x, y, sensitivity: 1 - (1 - hazards(x, y, sensitivity)) * math.exp(-0.01 * x * y),
        noise=0.01,
    )
    paired = overall(effect_grid.grid(table, x=X, y=Y, arm="both")).iloc[0]
    shuffled = effect_grid.grid(table, x=X, y=Y, arm="both")
    for i, j in np.ndindex(shuffled.effect.shape[:2]):
        shuffled.effect[i, j] = np.roll(shuffled.effect[i, j], 2 * i + j)
    unpaired = overall(shuffled).iloc[0]
    assert (unpaired["bliss_high"] - unpaired["bliss_low"]) > 1.5 * (
        paired["bliss_high"] - paired["bliss_low"]
    )


def test_the_highest_single_agent_expects_no_more_than_bliss():
    for effect in (hazards, synergy, antagonism, bottles):
        table = excess(grid(effect))
        assert (table["single"] <= table["bliss"] + 1e-12).all()
        assert (table["single_excess"] >= table["bliss_excess"] - 1e-12).all()


def test_intervals_cover_the_truth_as_often_as_they_say():
    values = np.random.default_rng(7).normal(0.1, 0.2, (400, 5))
    _, low, high = interval(values)
    covered = ((low <= 0.1) & (0.1 <= high)).mean()
    assert covered == pytest.approx(0.95, abs=3 * math.sqrt(0.95 * 0.05 / 400))
    assert np.array_equal(interval(values[0]), interval(np.append(values[0], np.nan))), (
        "what is missing is left out"
    )


def test_intervals_of_pairs_are_those_of_all_pairs_together():
    measured = grid(hazards, noise=0.1)
    row = pairs(excess(measured)).iloc[0]
    _, low, high = interval(beyond_bliss(measured)[1, 1], 1 - 0.05 / 9)
    assert (row["bliss_low"], row["bliss_high"]) == pytest.approx((low, high))


def test_a_tumour_larger_than_its_control_has_an_effect_below_zero():
    table = outcomes(hazards)
    table.loc[table["arm"] == "both", "end_cells"] *= np.where(
        table.loc[table["arm"] == "both", "seed"] == 1, 50, 1
    )
    found = effect_grid.effects(table, "both")["effect"]
    seeds = table[table["arm"] == "both"].set_index("run")["seed"]
    assert found[seeds == 1].to_numpy() == pytest.approx(
        effect_grid.effects(outcomes(hazards), "both")["effect"][seeds == 1] - math.log(50)
    ), "nothing is clipped"


def test_an_eliminated_tumour_counts_as_half_a_cell_and_makes_no_antagonism():
    """Two drugs, each of which leaves about a cell or none: nothing more can be seen of both together."""
    table = outcomes(lambda x, y, _: 1 - 1e-4 ** ((x > 0) + (y > 0)), noise=0.3)
    table["end_cells"] = table["end_cells"].round()
    measured = effect_grid.grid(table, x=X, y=Y, arm="both")
    assert measured.effect.max() == pytest.approx(math.log(2000 * 1.3**6 / LEAST), abs=0.01)
    found = pairs(excess(measured))
    assert set(found["verdict"]) == {"no room"}
    assert (found["bliss_low"] <= 0).all() and (found["bliss_high"] >= 0).all()
    said = " ".join(surfaces.analyse(table, X, Y, "both", units=UNITS).sentences)
    assert f"fewer than {FEWEST} cells" in said
    assert "no cell was left; that counts as half a cell" in said


def test_eliminating_together_what_neither_eliminates_alone_is_beyond_bliss():
    table = outcomes(
        lambda x, y, _: 1 if x and y else 0.5 * ((x > 0) + (y > 0)), noise=0.1, twice=True
    )
    assert set(pairs(excess(effect_grid.grid(table, x=X, y=Y, arm="both")))["verdict"]) == {
        "synergy"
    }


def test_a_drug_combined_with_itself_lies_on_the_additive_line():
    doses = (
        np.arange(0, 13, 3),
        np.arange(0, 5),
    )  # equal steps of strength: interpolation is exact
    measured = grid(bottles, doses)
    curves, reached = isoboles(measured, (0.4, 0.6)), levels_reached(measured, (0.4, 0.6))
    assert curves["combination_index"].to_numpy() == pytest.approx(1, abs=1e-9)
    assert reached["combination_index"].to_numpy() == pytest.approx(1, abs=1e-9)
    assert (reached["points"] >= 3).all()
    assert overall(measured)["bliss_excess"][0] > 0.02, (
        "by Bliss a steep drug is in synergy with itself: the two references ask different questions"
    )


def test_a_sham_combination_on_uneven_doses_stays_near_the_line():
    reached = levels_reached(
        grid(bottles, ((0, 2, 4, 7, 10, 14, 20), (0, 0.6, 1.5, 2.5, 3.5, 5, 7))), (0.5,)
    ).iloc[0]
    assert reached["combination_index"] == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize(("effect", "below"), [(synergy, True), (antagonism, False)])
def test_the_combination_index_knows_which_side_of_the_line(effect, below):
    row = levels_reached(grid(effect, noise=0.02), (0.3,)).iloc[0]
    assert (row["high"] < 1) if below else (row["low"] > 1)


def test_jackknife_intervals_cover_an_index_of_one():
    """Equal noise in both drugs: the interval of the index holds 1 about as often as it says."""
    covered, tried = 0, 60
    for seed in range(tried):
        random = np.random.default_rng(seed)
        dose = np.add.outer(np.arange(5.0), np.arange(5.0))[..., None] * (
            1 + 0.15 * random.normal(size=8)
        )
        effect = dose / (3 + dose) + 0.03 * random.normal(size=dose.shape) * (dose > 0)
        measured = effect_grid.Grid(
            "x", "y", np.arange(5.0), np.arange(5.0), np.arange(8), effect, np.full(8, 8.0)
        )
        row = levels_reached(measured, (1 - math.exp(-0.4),)).iloc[0]
        covered += row["low"] <= 1 <= row["high"]
    assert covered / tried > 0.95 - 3 * math.sqrt(0.95 * 0.05 / tried)


def test_a_level_is_a_share_and_its_effect_a_logarithm():
    assert effect_of(0.5) == pytest.approx(math.log(2))
    found = levels_reached(
        grid(hazards, (np.arange(0, 13, 3), np.arange(0, 5)), seeds=1), (0.3,)
    ).iloc[0]
    assert hazards(found["x_alone"], 0, 0.8) == pytest.approx(0.3, abs=1e-9), (
        "hazards are linear in ln survival"
    )


def test_crossing_takes_the_smallest_dose_and_says_when_there_is_none():
    doses, effects = (
        np.array([0.0, 1, 2, 4]),
        np.array([[0, 0.2, 0.6, 0.4], [0, 0.1, 0.2, 0.3], [0, np.nan, 0.6, 0.8]]),
    )
    assert crossing(doses, effects[0], 0.4) == pytest.approx(1.5)
    assert np.isnan(crossing(doses, effects[1], 0.4))
    assert crossing(doses, effects[2], 0.3) == pytest.approx(1), "a missing dose is bridged"
    assert crossing(doses, effects[0], 0.0) == 0


def test_a_level_that_is_not_reached_is_said():
    weak = outcomes(lambda x, y, sensitivity: hazards(x, 0, sensitivity) if x else 0)
    findings = surfaces.analyse(weak, X, Y, "both", units=UNITS)
    assert findings.tables["levels"][f"{Y} alone"].isna().all()
    assert findings.tables["levels"]["combination_index"].isna().all()
    assert any("IL-2 alone at no tested dose" in sentence for sentence in findings.sentences)
    assert any(
        "No tested dose or pair of doses removes 75 %" in sentence
        for sentence in findings.sentences
    )
    nothing = surfaces.analyse(outcomes(lambda *_: 0.0), X, Y, "both", units=UNITS)
    assert "isobologram" not in nothing.figures
    assert nothing.tables["isoboles"].empty


def test_missing_and_failed_runs_are_left_out_and_said_in_one_sentence():
    table = outcomes(hazards, noise=0.1)
    gone = ((table[X] == 3) & (table[Y] == 2)) | (
        (table[X] == 1) & (table[Y] == 0) & (table["seed"] <= 2)
    )
    findings = surfaces.analyse(table[~gone], X, Y, "both", units=UNITS)
    surface = findings.tables["surface"].set_index([X, Y])
    assert surface.loc[(3, 2), "seeds"] == 0
    assert np.isnan(surface.loc[(3, 2), "effect"])
    assert surface.loc[(3, 2), "verdict"] == "too few runs"
    assert surface.loc[(1, 8), "seeds"] == 4, (
        "pairs count only where the single agent of the same seed is there"
    )
    said = [sentence for sentence in findings.sentences if "missing" in sentence]
    assert len(said) == 1
    assert "8 of 96 runs" in said[0]
    assert "pembrolizumab 3 mg with IL-2 2 nM" in said[0]
    whole, same = (
        excess(grid(hazards, noise=0.1)).set_index(["x", "y"]),
        ["seeds", "effect", "bliss", "bliss_excess"],
    )
    pd.testing.assert_series_equal(
        surface.loc[(10, 8), same], whole.loc[(10, 8), same], check_names=False
    )


def test_a_control_without_burden_has_no_effect_to_measure():
    table = outcomes(hazards)
    table.loc[(table["seed"] == 2) & (table["arm"] == "control"), ["end_cells", "mean_cells"]] = 0
    assert excess(effect_grid.grid(table, x=X, y=Y, arm="both"))["seeds"].eq(5).all()


def test_one_seed_gives_no_interval():
    for twice in (False, True):
        assert set(pairs(excess(grid(synergy, seeds=1, twice=twice)))["verdict"]) == {
            "too few runs"
        }
        findings = surfaces.analyse(outcomes(synergy, seeds=1, twice=twice), X, Y, "both")
        assert findings.figures
        assert any(sentence.startswith("Too few seeds") for sentence in findings.sentences)


@pytest.mark.parametrize(
    ("effect", "twice", "word"),
    [
        (crowded, True, "explained by the tissue"),
        (crowded, False, "above Bliss"),
        (crowded_synergy, True, "synergy"),
        (hazards, True, "additive"),
    ],
)
def test_sentences_say_which_null_they_use_and_claim_synergy_only_beyond_both(effect, twice, word):
    findings = surfaces.analyse(
        outcomes(effect, noise=0.02, twice=twice), X, Y, "both", units=UNITS
    )
    said = " ".join(findings.sentences)
    assert "of the cells that Bliss independence predicts" in said
    assert ("a drug combined with itself at matched effect leaves" in said) == twice
    assert f"the combination is {word}" in said
    claims = said.replace("not told whether that is synergy or the tissue", "")
    assert ("synergy" in claims) == (word == "synergy")
    assert set(findings.tables["overall"]["verdict"]) == {word}


def test_the_largest_difference_told_is_one_that_can_be_judged():
    """A pair without room, and one without an interval, may have the largest excess and is not the one that is told."""
    measured = grid(hazards)
    found = excess(measured)
    inner = found[(found["x"] > 0) & (found["y"] > 0)].index
    for column, blank in (("room", False), ("bliss_low", np.nan)):
        table = found.copy()
        table.loc[inner, ["bliss_excess", "bliss_low", "room"]] = [0.1, 0.05, True]
        table.loc[inner[0], "bliss_excess"] = 9.0
        table.loc[inner[-1], "bliss_excess"] = -0.2
        told = sentences._each(measured, table, {})[1]
        assert sentences._pair(measured, *table.loc[inner[0], ["x", "y"]], {}) in told
        table.loc[inner[0], column] = blank
        told = sentences._each(measured, table, {})[1]
        assert sentences._pair(measured, *table.loc[inner[-1], ["x", "y"]], {}) in told


@pytest.mark.parametrize(
    ("change", "how", "words"),
    [
        (lambda t: t[t[X] > 0], {}, "must be varied from 0"),
        (lambda t: t.assign(**{"tumor.pdl1": t["seed"]}), {}, "tumor.pdl1 varies too"),
        (lambda t: t.assign(**{X: t[X].astype(str) + " mg"}), {}, "in numbers"),
        (lambda t: t, {"arm": "il2"}, "no such arm (choices: both, control)"),
        (lambda t: t, {"quantity": "kills_by_t"}, "must be one of end_cells"),
        (lambda t: t, {"x": "treatments.pembrolizumab.peak"}, "does not vary"),
        (lambda t: t, {"x": Y}, "needs two treatments"),
        (
            lambda t: t.assign(**{"treatments.il2.half_life": t[X]}),
            {"x": "treatments.il2.half_life"},
            "both of il2",
        ),
    ],
)
def test_a_surface_that_cannot_be_made_is_refused_in_one_sentence(change, how, words):
    with pytest.raises(SurfaceError) as refused:
        surfaces.analyse(change(outcomes(hazards)), **{"x": X, "y": Y, "arm": "both"} | how)
    assert words in str(refused.value)
    assert isinstance(refused.value, StudyError), "the command line tells it in one line"
    assert "\n" not in str(refused.value)


def test_the_map_of_excess_is_white_at_zero_and_even_on_both_sides():
    assert to_rgb(drawn.DIVERGING(0.5)) == pytest.approx((1, 1, 1), abs=0.01)
    measured = grid(synergy, twice=True)
    table = excess(measured)
    figure = drawn.surface(measured, table, levels=(0.5,), units=UNITS)
    assert [axes.get_title(loc="left") for axes in figure.axes[:4]] == [
        "Effect: burden removed",
        *drawn.EXCESS.values(),
    ]
    for axes in figure.axes[1:4]:
        low, high = axes.images[0].get_clim()
        assert low == -high
        assert high >= table[["bliss_excess", "sham_excess", "single_excess"]].abs().max().max()
    words = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert figure.axes[2].get_xlabel() == "pembrolizumab dose (mg)"
    assert figure.axes[0].get_ylabel() == "IL-2 peak (nM)"
    assert [tick.get_text() for tick in figure.axes[2].get_xticklabels()] == ["0", "1", "3", "10"]
    assert f"{-100 * math.expm1(-table['effect'].max()):.0f} %" in words


def test_cells_whose_interval_holds_zero_are_hatched():
    quiet, loud = (
        drawn.surface(measured, excess(measured))
        for measured in (grid(hazards, noise=0.1), grid(synergy, noise=0.005))
    )
    hatched = [
        sum(bool(patch.get_hatch()) for patch in figure.axes[1].patches) for figure in (quiet, loud)
    ]
    assert hatched[0] == 9
    assert hatched[1] <= 2


# Schedules

EVERY, TIMES = "treatments.il2.schedule.every", "treatments.il2.schedule.times"


def courses(effect, seeds=8, noise=0.05):
    """Outcomes of regimens whose effect is ``effect(every, times)``; seeds differ far more than regimens."""
    random, rows = np.random.default_rng(3), []
    for every in ("8 hours", "1 day"):
        for times in (3, 7, 14):
            for seed in range(seeds):
                labels = {
                    "run": len(rows) // 2,
                    "scenario": "combination",
                    EVERY: every,
                    TIMES: times,
                    "seed": seed,
                }
                value = effect(every, times) + seed - 4 + noise * random.normal()
                rows += [
                    labels | {"arm": "control", "effect": 0.0},
                    labels | {"arm": "both", "effect": value},
                ]
    return pd.DataFrame(rows)


def test_the_best_regimen_is_found_although_tumours_differ_more_than_regimens():
    table = regimens.schedules(
        courses(lambda every, times: -0.05 * times - 0.3 * (every == "8 hours")),
        [EVERY, TIMES],
        "both",
    )
    assert table.loc[0, [EVERY, TIMES]].tolist() == ["8 hours", 14]
    assert list(table["rank"]) == [1, 2, 3, 4, 5, 6]
    assert list(table["as_good"]) == [True] + [False] * 5, (
        "paired by seed, every other regimen is worse"
    )
    assert table["difference"].iloc[0] == 0
    assert table["difference"].iloc[-1] == pytest.approx(0.05 * 11 + 0.3, abs=0.1)


def test_regimens_that_do_the_same_are_not_told_apart():
    same = courses(lambda every, times: -0.5)
    assert regimens.schedules(same, [EVERY, TIMES], "both")["as_good"].all()
    findings = regimens.analyse(
        courses(lambda every, times: -0.5 if times > 3 else 0),
        [EVERY, TIMES],
        "both",
        scenario=Scenario.load("combination"),
    )
    good = findings.tables["schedules"][findings.tables["schedules"]["as_good"]]
    assert sorted(good[TIMES]) == [7, 7, 14, 14]
    assert any("needs the fewest" in sentence for sentence in findings.sentences) == (
        good["il2 doses"].iloc[0] > 14
    )


def test_confidence_is_shared_by_all_comparisons():
    """Beside ten more regimens the same two need a wider interval, or the truly best would be ruled out too often."""
    values = np.random.default_rng(5).normal(size=(12, 6)) + np.r_[0, 0.5, [20] * 10][:, None]
    rows = pd.DataFrame(
        [
            {"run": 0, TIMES: times, "seed": seed, "arm": "both", "effect": values[times, seed]}
            for times in range(12)
            for seed in range(6)
        ]
    )
    few, many = (
        regimens.schedules(rows[rows[TIMES] < size], [TIMES], "both").loc[1] for size in (2, 12)
    )
    assert many["difference"] == pytest.approx(few["difference"])
    wider = (many["difference_high"] - many["difference_low"]) / (
        few["difference_high"] - few["difference_low"]
    )
    assert wider == pytest.approx(stats.t.ppf(1 - 0.025 / 11, 5) / stats.t.ppf(0.975, 5))


def test_a_missing_run_of_an_easy_tumour_does_not_change_the_order():
    table = courses(lambda every, times: -0.05 * times - 0.3 * (every == "8 hours"))
    easy = (table[EVERY] == "8 hours") & (table[TIMES] == 14) & (table["seed"] == 0)
    assert regimens.schedules(table[~easy], [EVERY, TIMES], "both").loc[
        0, [EVERY, TIMES]
    ].tolist() == ["8 hours", 14]


def test_total_doses_are_those_that_the_schedule_gives():
    scenario = Scenario.load("combination")
    given = regimens.given(
        scenario, "both", {EVERY: "8 hours", TIMES: 14, "treatments.il2.peak": 3.0}
    )
    assert given == {
        "pembrolizumab doses": 2,
        "pembrolizumab total (mg)": 400,
        "il2 doses": 28,
        "il2 total (nM)": 84,
    }
    late = regimens.given(scenario, "both", {TIMES: 14, "treatments.il2.first_dose": scenario.days})
    assert late["il2 doses"] == 0, "a dose after the last day is not given"
    assert (
        regimens.given(scenario, "both", {"treatments.pembrolizumab.schedule.every": "6 weeks"})[
            "pembrolizumab doses"
        ]
        == 1
    )


def test_the_picture_of_regimens_shows_total_doses():
    findings = regimens.analyse(
        courses(lambda every, times: -0.05 * times),
        [EVERY, TIMES],
        "both",
        scenario=Scenario.load("combination"),
        question="Which one?",
    )
    figure = findings.figures["schedules"]
    assert len(figure.axes) == 3
    assert "IL-2 doses" in [tick.get_text() for tick in figure.axes[2].get_xticklabels()]
    assert figure.axes[0].get_yticklabels()[0].get_text().startswith("IL-2: interval")


def test_a_schedule_search_without_runs_is_refused():
    with pytest.raises(SurfaceError, match="no run of arm 'il2'"):
        regimens.schedules(courses(lambda *_: 0), [EVERY], "il2")
    with pytest.raises(SurfaceError, match="no column"):
        regimens.schedules(courses(lambda *_: 0), ["treatments.il2.peak"], "both")


# Through the simulation itself


class Poison(Treatment):
    """A hazard that lasts for ever."""

    dose = Parameter(
        0.1, "1/day", "death rate of tumour cells", range=(0, 10), source="assumed: for testing"
    )
    strength = Parameter(1, "1", "factor on it", range=(0, 10), source="assumed: for testing")

    def modify(self, rules, model):
        rules.death.add(self.dose * self.strength, kind="tumor_cell")


class Venom(Poison):
    """A hazard that doubles where the other poison is given."""

    def modify(self, rules, model):
        given = any(type(one) is Poison and one.dose for one in model.treatments.values())
        rules.death.add(self.dose * self.strength * (1 + given), kind="tumor_cell")


POISONS = """
question = "Do two poisons add up?"
parameters = "melanoma"
shape = [51, 51]
days = 2
tumor_cells = 2000
[set]
"tumor.division_rate" = 0
"t_cell.initial_density" = 0
"t_cell.base_influx" = 0
"t_cell.influx_gain" = 0
"nk_cell.initial_density" = 0
"nk_cell.base_influx" = 0
"nk_cell.influx_gain" = 0
[[arms.both.treatments]]
drug = "tests.experiments.studies.test_surfaces:Poison"
name = "one"
[[arms.both.treatments]]
drug = "tests.experiments.studies.test_surfaces:Poison"
name = "other"
"""
ONE, OTHER = "treatments.one.dose", "treatments.other.dose"
SURFACE = {"arm": "both", "x": ONE, "y": OTHER}


def poisoned(folder, *, second="Poison", seeds=5, one=(0, 0.3), other=(0, 0.5), **keys):
    """The overall row of a sweep over two poisons, the second of half the strength, in tumours that do nothing but grow."""
    alone = STILL | {"tumor.division_rate": 0.5, "treatments.other.strength": 0.5}
    first, last = (POISONS.split("[set]")[0] + "[[arms" + POISONS.split("[[arms", 1)[1]).rsplit(
        "Poison", 1
    )
    for key, value in keys.items():
        first = re.sub(rf"(?m)^{key} = .*", f"{key} = {json.dumps(value)}", first)
    (folder / "poisons.toml").write_text(first + second + last)
    summary = run_sweep(
        str(folder / "poisons.toml"),
        {ONE: list(one), OTHER: list(other)},
        seeds=seeds,
        set=alone,
        out=folder / "out",
        executor=ThreadPoolExecutor(1),
        surface=SURFACE,
    )
    return summary.findings.tables["overall"].iloc[0]


LIQUID = {"parameters": "b_all", "shape": [201, 201], "tumor_cells": 400, "days": 3}
TISSUE = {"parameters": "melanoma", "shape": [41, 41], "tumor_cells": 500, "days": 6}


def test_two_poisons_in_the_simulation_are_neither_synergistic_nor_antagonistic(tmp_path):
    """Without growth hazards add, so Bliss independence and, for constant hazards, dose additivity hold together."""
    (tmp_path / "poisons.toml").write_text(POISONS)
    summary = run_sweep(
        str(tmp_path / "poisons.toml"),
        {ONE: [0, 0.3, 0.6], OTHER: [0, 0.3, 0.6]},
        seeds=3,
        out=tmp_path / "out",
        executor=ThreadPoolExecutor(1),
        surface=SURFACE,
    )
    tables = summary.findings.tables
    assert abs(tables["overall"]["bliss_excess"][0]) < 0.05, (
        "3 x 2000 cells, 200 of which are left: about 0.015 a standard error"
    )
    assert set(tables["overall"]["verdict"]) == {"additive"}
    alone = tables["surface"].set_index([ONE, OTHER]).loc[(0.6, 0.0), "effect"]
    assert alone == pytest.approx(0.6 * 2, abs=0.08)
    assert tables["levels"].set_index("level").loc[0.5, "combination_index"] == pytest.approx(
        1, abs=0.05
    )
    assert {path.name for path in summary.figures} == {"surface.png", "isobologram.png"}
    assert summary.runs == 3 * (9 + 6), "three pairs of doses of each drug with its copy"


@pytest.mark.slow
def test_in_a_liquid_far_from_full_plain_hazards_add_in_ln_survival(tmp_path):
    row = poisoned(tmp_path, **LIQUID)
    error = (row["bliss_high"] - row["bliss_excess"]) / stats.t.ppf(0.975, row["seeds"] - 1)
    assert abs(row["bliss_excess"]) < 3 * error < 0.15
    assert row["verdict"] == "additive"


@pytest.mark.slow
def test_in_a_tissue_the_simulated_null_explains_by_how_much_plain_hazards_exceed_bliss(tmp_path):
    """Growth is limited by room there: two hazards that know nothing of each other remove more than Bliss expects."""
    row = poisoned(tmp_path, **TISSUE)
    assert row["bliss_low"] > 0.1, "against Bliss independence alone this would be called synergy"
    assert row["sham_low"] < 0 < row["sham_high"] < row["sham_low"] + 0.4, (
        "and the sham is measured well enough to tell"
    )
    assert row["verdict"] == "explained by the tissue"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("second", "place", "verdict"),
    [
        ("Poison", LIQUID, {"additive", "explained by the tissue"}),
        ("Venom", LIQUID, {"synergy"}),
        ("Poison", TISSUE, {"explained by the tissue"}),
        ("Venom", TISSUE, {"synergy"}),
    ],
)
def test_plain_hazards_and_a_true_interaction_are_told_apart_between_tested_doses(
    second, place, verdict, tmp_path
):
    row = poisoned(
        tmp_path, second=second, seeds=12, one=(0, 0.1, 0.3), other=(0, 0.3, 0.5), **place
    )
    half = stats.t.ppf(0.975, row["seeds"] - 1)
    bliss, sham = (
        (row[f"{name}_high"] - row[f"{name}_low"]) / 2 / half for name in ("bliss", "sham")
    )
    assert row["verdict"] in verdict
    assert (abs(row["sham_excess"]) < 3 * sham) == (second == "Poison")
    assert (abs(row["bliss_excess"]) < 3 * bliss) == (second == "Poison" and place is LIQUID)


def test_a_sham_gives_the_copy_all_that_the_drug_has():
    scenario = Scenario.load("combination").with_options(
        set={"treatments.il2.half_life": 60, X: 20}
    )
    point = {
        X: 0,
        Y: 8,
        "treatments.il2.schedule.times": 3,
        effect_grid.again(X): 0,
        effect_grid.again(Y): 2,
    }
    twice, values = shams.twice(scenario, "both", point, X, Y)
    built = {one.name: one for one in twice.with_options(set=values).build_treatments("both")}
    assert set(built) == {"pembrolizumab", "il2", "il2_again"}
    assert (built["il2"].peak, built["il2_again"].peak, built["pembrolizumab"].dose) == (8, 2, 0)
    assert built["il2"].half_life == built["il2_again"].half_life == 1, "60 minutes"
    assert built["il2"].schedule.to_dict() == built["il2_again"].schedule.to_dict()
    assert built["il2"].schedule.times == 3


def test_shams_are_runs_of_the_study_and_can_be_left_out():
    content = {
        "question": "Is it?",
        "scenario": "combination",
        "arms": ["both"],
        "vary": {X: [0, 1, 20], Y: [0, 2]},
        "seeds": 2,
        "surface": {"arm": "both", "x": X, "y": Y},
    }
    runs = Sweep.from_content(content).runs()
    assert len(runs) == 2 * (6 + 3 + 1)
    labels = [
        tuple(run.labels[name] for name in (X, effect_grid.again(X), Y, effect_grid.again(Y)))
        for run in runs[12::2]
    ]
    assert labels == [(1, 1, 0, 0), (20, 1, 0, 0), (20, 20, 0, 0), (0, 0, 2, 2)]
    assert len({run.key for run in runs}) == len(runs)
    plain = Sweep.from_content(content | {"surface": content["surface"] | {"sham": False}}).runs()
    assert [run.key for run in plain] == [run.key for run in runs[:12]], (
        "a sham changes no other run"
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {
                "vary": {X: [0, 1], "t_cell.base_influx": [0, 1]},
                "surface": {"x": X, "y": "t_cell.base_influx"},
            },
            "set sham = false",
        ),
        (
            {"surface": {"arm": "il2", "x": X, "y": Y}, "arms": ["il2", "both"]},
            "has no treatment 'pembrolizumab'",
        ),
    ],
)
def test_a_sham_that_cannot_be_run_is_refused_in_one_sentence(change, words):
    content = {
        "question": "Is it?",
        "scenario": "combination",
        "vary": {X: [0, 1], Y: [0, 2]},
        "arms": ["both"],
        "seeds": 2,
    }
    content |= change | {"surface": {"arm": "both"} | change["surface"]}
    with pytest.raises(StudyError) as refused:
        Sweep.from_content(content).runs()
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_schedule_search_through_a_sweep_tells_the_total_doses(tmp_path):
    (tmp_path / "poisons.toml").write_text(POISONS)
    summary = run_sweep(
        str(tmp_path / "poisons.toml"),
        {"treatments.one.first_dose": [0, 3], "treatments.one.dose": [0.2, 0.5]},
        seeds=3,
        out=tmp_path / "out",
        executor=ThreadPoolExecutor(1),
        days=2,
        schedules={"arm": "both"},
    )
    table = summary.findings.tables["schedules"]
    assert table.loc[0, ["treatments.one.first_dose", "treatments.one.dose"]].tolist() == [0, 0.5]
    assert set(table["one doses"]) == {0, 1}
    assert (tmp_path / "out" / "schedules.png").is_file()


def test_a_surface_without_single_agents_is_refused_before_anything_runs(tmp_path):
    (tmp_path / "poisons.toml").write_text(POISONS)
    with pytest.raises(
        StudyError, match="sweep: surface: treatments.one.dose must be varied from 0"
    ):
        run_sweep(
            str(tmp_path / "poisons.toml"),
            {ONE: [1, 2], OTHER: [0, 1]},
            seeds=2,
            out=tmp_path / "out",
            surface=SURFACE,
        )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "runs"), [("pd1_il2_surface", 280), ("car_t_dose", 96), ("antigen_heterogeneity", 96)]
)
def test_shipped_studies_are_in_order(name, runs):
    study = Sweep.load(name)
    assert len(study.runs()) == runs
    if study.surface:
        axes = {axis.name: axis.values for axis in study.axes}
        assert 0 in axes[study.surface.x] and 0 in axes[study.surface.y], (
            "the drugs alone belong to the grid"
        )
