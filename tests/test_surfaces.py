"""Dose surfaces: no interaction, additivity and planted synergy are told apart, and gaps never become numbers."""

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from scipy import stats

from experiments import regimens, surfaces
from experiments.archive import StudyError
from experiments.isoboles import crossing, isoboles, levels_reached
from experiments.pictures import surfaces as drawn
from experiments.scenario import Scenario
from experiments.surfaces import SurfaceError
from experiments.sweep import Sweep, sweep
from simulation import Parameter, Treatment

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


def sham(x, y, sensitivity=1.0):
    """One saturating drug in two bottles, the second three times as strong."""
    dose = sensitivity * (x + 3 * y)
    return dose**2 / (100 + dose**2)


def outcomes(effect, doses=UNEVEN, seeds=6, *, noise=0.0, arm="both"):
    """A sweep's outcomes: tumours differ in burden and sensitivity by seed; ``noise`` is that of each treated run."""
    rows, random = [], np.random.default_rng(1)
    for point, (x, y) in enumerate((x, y) for x in doses[0] for y in doses[1]):
        for seed in range(1, seeds + 1):
            burden, sensitivity = 2000 * 1.3**seed, 0.7 + 0.1 * seed
            left = burden * (1 - effect(x, y, sensitivity)) * math.exp(noise * random.normal() * (x + y > 0))
            labels = {"run": len(rows) // 2, "scenario": "combination", "point": point, X: x, Y: y, "seed": seed}
            rows += [labels | {"arm": each, "end_cells": cells, "mean_cells": cells,
                               "effect": math.log((cells + 1) / (burden + 1))}
                     for each, cells in (("control", burden), (arm, left))]
    return pd.DataFrame(rows)


def grid(effect, doses=UNEVEN, **how):
    return surfaces.grid(outcomes(effect, doses, **how), x=X, y=Y, arm="both")


def pairs(table):
    """The rows with both drugs."""
    return table[(table["x"] > 0) & (table["y"] > 0)]


def test_independent_hazards_have_no_excess_over_bliss():
    table = pairs(surfaces.excess(grid(hazards)))
    assert table["bliss_excess"].abs().max() < 1e-12, "hazards that add multiply the surviving shares: nothing is left over"
    assert set(table["bliss_verdict"]) == {"additive"}, "rounding must not be called synergy"
    assert (table["single_verdict"] == "synergy").all(), "two working drugs remove more than the better one"
    overall = surfaces.overall(grid(hazards)).set_index("reference")
    assert overall.loc["bliss", "excess"] == pytest.approx(0, abs=1e-12)
    assert overall.loc["single", "excess"] > 0.05


@pytest.mark.parametrize(("effect", "word", "sign"), [(synergy, "synergy", 1), (antagonism, "antagonism", -1)])
def test_a_planted_interaction_is_found_with_its_sign(effect, word, sign):
    table = pairs(surfaces.excess(grid(effect, noise=0.02)))
    strong = table[table["bliss_excess"].abs() > 0.05]
    assert len(strong) >= 4, "the planted interaction is large at several doses"
    assert (strong["bliss_verdict"] == word).all()
    assert (np.sign(strong["bliss_excess"]) == sign).all()
    overall = surfaces.overall(grid(effect, noise=0.02)).set_index("reference")
    assert overall.loc["bliss", "verdict"] == word
    plain = surfaces.overall(grid(hazards, noise=0.02)).set_index("reference")
    assert plain.loc["bliss", "verdict"] == "additive", "without the interaction there is nothing to find"


def test_pairing_by_seed_is_what_finds_a_small_interaction():
    """Tumours differ far more in sensitivity than the interaction is large; only the same tumour's own expectation tells."""
    table = outcomes(synergy, noise=0.01)
    paired = surfaces.overall(surfaces.grid(table, x=X, y=Y, arm="both")).set_index("reference").loc["bliss"]
    shuffled = surfaces.grid(table, x=X, y=Y, arm="both")
    for i, j in np.ndindex(shuffled.effect.shape[:2]):
        shuffled.effect[i, j] = np.roll(shuffled.effect[i, j], 2 * i + j)
    unpaired = surfaces.overall(shuffled).set_index("reference").loc["bliss"]
    assert (unpaired["high"] - unpaired["low"]) > 1.5 * (paired["high"] - paired["low"])


def test_the_highest_single_agent_expects_no_more_than_bliss():
    for effect in (hazards, synergy, antagonism, sham):
        table = surfaces.excess(grid(effect, noise=0.3))
        assert (table["single"] <= table["bliss"] + 1e-12).all()
        assert (table["single_excess"] >= table["bliss_excess"] - 1e-12).all()


def test_intervals_cover_the_truth_as_often_as_they_say():
    random, covered = np.random.default_rng(7), 0
    for _ in range(400):
        _, low, high = surfaces.interval(random.normal(0.1, 0.2, 5))
        covered += low <= 0.1 <= high
    assert covered / 400 == pytest.approx(0.95, abs=3 * math.sqrt(0.95 * 0.05 / 400))


def test_effects_stay_between_none_and_all():
    table = outcomes(hazards)
    table.loc[table["arm"] == "both", "end_cells"] *= np.where(table.loc[table["arm"] == "both", "seed"] == 1, 50, 1)
    removed = surfaces.removed(table, "both")
    assert removed.between(0, 1).all()
    said = surfaces.analyse(table, X, Y, "both", units=UNITS).sentences
    assert any("16 of 96 runs the treated tumour was larger" in sentence for sentence in said)


def test_effect_as_a_logarithm_is_the_same_effect():
    table = outcomes(hazards)
    assert surfaces.removed(table, "both", "effect").to_numpy() == pytest.approx(surfaces.removed(table, "both"), abs=1e-3)


def test_a_drug_combined_with_itself_lies_on_the_additive_line():
    doses = (np.arange(0, 13, 3), np.arange(0, 5))  # equal steps of strength: interpolation is exact
    measured = grid(sham, doses)
    curves, reached = isoboles(measured, (0.4, 0.6)), levels_reached(measured, (0.4, 0.6))
    assert curves["combination_index"].to_numpy() == pytest.approx(1, abs=1e-9)
    assert reached["combination_index"].to_numpy() == pytest.approx(1, abs=1e-9)
    assert (reached["points"] >= 3).all()
    assert (surfaces.overall(measured).set_index("reference")["excess"]["bliss"]) > 0.02, \
        "by Bliss a steep drug is in synergy with itself: the two references ask different questions"


def test_a_sham_combination_on_uneven_doses_stays_near_the_line():
    reached = levels_reached(grid(sham, ((0, 2, 4, 7, 10, 14, 20), (0, 0.6, 1.5, 2.5, 3.5, 5, 7))), (0.5,)).iloc[0]
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
        dose = np.add.outer(np.arange(5.0), np.arange(5.0))[..., None] * (1 + 0.15 * random.normal(size=8))
        effect = np.clip(dose / (3 + dose) + 0.03 * random.normal(size=dose.shape) * (dose > 0), 0, 1)
        row = levels_reached(surfaces.Grid("x", "y", np.arange(5.0), np.arange(5.0), np.arange(8), effect), (0.4,)).iloc[0]
        covered += row["low"] <= 1 <= row["high"]
    assert covered / tried > 0.95 - 3 * math.sqrt(0.95 * 0.05 / tried)


def test_crossing_takes_the_smallest_dose_and_says_when_there_is_none():
    doses, effects = np.array([0.0, 1, 2, 4]), np.array([[0, 0.2, 0.6, 0.4], [0, 0.1, 0.2, 0.3], [0, np.nan, 0.6, 0.8]])
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
    assert any("No tested dose or pair of doses removes 75 %" in sentence for sentence in findings.sentences)
    nothing = surfaces.analyse(outcomes(lambda *_: 0.0), X, Y, "both", units=UNITS)
    assert "isobologram" not in nothing.figures
    assert nothing.tables["isoboles"].empty


def test_missing_and_failed_runs_are_left_out_and_said_in_one_sentence():
    table = outcomes(hazards, noise=0.1)
    gone = ((table[X] == 3) & (table[Y] == 2)) | ((table[X] == 1) & (table[Y] == 0) & (table["seed"] <= 2))
    findings = surfaces.analyse(table[~gone], X, Y, "both", units=UNITS)
    surface = findings.tables["surface"].set_index([X, Y])
    assert surface.loc[(3, 2), "seeds"] == 0
    assert np.isnan(surface.loc[(3, 2), "effect"])
    assert surface.loc[(3, 2), "bliss_verdict"] == "too few runs"
    assert surface.loc[(1, 8), "seeds"] == 4, "pairs count only where the single agent of the same seed is there"
    said = [sentence for sentence in findings.sentences if "missing" in sentence]
    assert len(said) == 1
    assert "8 of 96 runs" in said[0]
    assert "pembrolizumab 3 mg with IL-2 2 nM" in said[0]
    whole = surfaces.excess(grid(hazards, noise=0.1)).set_index(["x", "y"])
    pd.testing.assert_series_equal(surface.loc[(10, 8)], whole.loc[(10, 8)], check_names=False)


def test_a_control_without_burden_has_no_effect_to_measure():
    table = outcomes(hazards)
    table.loc[(table["seed"] == 2) & (table["arm"] == "control"), ["end_cells", "mean_cells"]] = 0
    assert surfaces.excess(surfaces.grid(table, x=X, y=Y, arm="both"))["seeds"].eq(5).all()


def test_one_seed_gives_no_interval():
    table = surfaces.excess(grid(synergy, seeds=1))
    assert set(pairs(table)["bliss_verdict"]) == {"too few runs"}
    assert surfaces.analyse(outcomes(synergy, seeds=1), X, Y, "both").figures


@pytest.mark.parametrize(("change", "how", "words"), [
    (lambda t: t[t[X] > 0], {}, "must be varied from 0"),
    (lambda t: t.assign(**{"tumor.pdl1": t["seed"]}), {}, "tumor.pdl1 varies too"),
    (lambda t: t.assign(**{X: t[X].astype(str) + " mg"}), {}, "in numbers"),
    (lambda t: t, {"arm": "il2"}, "no such arm (choices: both, control)"),
    (lambda t: t, {"quantity": "kills_by_t"}, "must be one of end_cells"),
    (lambda t: t, {"x": "treatments.pembrolizumab.peak"}, "does not vary"),
    (lambda t: t, {"x": Y}, "needs two treatments"),
])
def test_a_surface_that_cannot_be_made_is_refused_in_one_sentence(change, how, words):
    with pytest.raises(SurfaceError) as refused:
        surfaces.analyse(change(outcomes(hazards)), **{"x": X, "y": Y, "arm": "both"} | how)
    assert words in str(refused.value)
    assert isinstance(refused.value, StudyError), "the command line tells it in one line"
    assert "\n" not in str(refused.value)


def test_the_map_of_excess_is_white_at_zero_and_even_on_both_sides():
    assert to_rgb(drawn.DIVERGING(0.5)) == pytest.approx((1, 1, 1), abs=0.01)
    table = surfaces.excess(grid(synergy))
    figure = drawn.surface(grid(synergy), table, levels=(0.5,), units=UNITS)
    for axes in figure.axes[1:3]:
        low, high = axes.images[0].get_clim()
        assert low == -high
        assert high >= table[["bliss_excess", "single_excess"]].abs().max().max()
    words = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert figure.axes[0].get_xlabel() == "pembrolizumab dose (mg)"
    assert figure.axes[0].get_ylabel() == "IL-2 peak (nM)"
    assert [tick.get_text() for tick in figure.axes[0].get_xticklabels()] == ["0", "1", "3", "10"]
    assert f"{100 * table['effect'].max():.0f} %" in words


def test_cells_whose_interval_holds_zero_are_hatched():
    quiet, loud = (drawn.surface(measured, surfaces.excess(measured)) for measured in (
        grid(hazards, noise=0.1), grid(synergy, noise=0.005)))
    hatched = [sum(bool(patch.get_hatch()) for patch in figure.axes[1].patches) for figure in (quiet, loud)]
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
                labels = {"run": len(rows) // 2, "scenario": "combination", EVERY: every, TIMES: times, "seed": seed}
                value = effect(every, times) + seed - 4 + noise * random.normal()
                rows += [labels | {"arm": "control", "effect": 0.0}, labels | {"arm": "both", "effect": value}]
    return pd.DataFrame(rows)


def test_the_best_regimen_is_found_although_tumours_differ_more_than_regimens():
    table = regimens.schedules(courses(lambda every, times: -0.05 * times - 0.3 * (every == "8 hours")), [EVERY, TIMES], "both")
    assert table.loc[0, [EVERY, TIMES]].tolist() == ["8 hours", 14]
    assert list(table["rank"]) == [1, 2, 3, 4, 5, 6]
    assert list(table["as_good"]) == [True] + [False] * 5, "paired by seed, every other regimen is worse"
    assert table["difference"].iloc[0] == 0
    assert table["difference"].iloc[-1] == pytest.approx(0.05 * 11 + 0.3, abs=0.1)


def test_regimens_that_do_the_same_are_not_told_apart():
    same = courses(lambda every, times: -0.5)
    assert regimens.schedules(same, [EVERY, TIMES], "both")["as_good"].all()
    findings = regimens.analyse(courses(lambda every, times: -0.5 if times > 3 else 0), [EVERY, TIMES], "both",
                                scenario=Scenario.load("combination"))
    good = findings.tables["schedules"][findings.tables["schedules"]["as_good"]]
    assert sorted(good[TIMES]) == [7, 7, 14, 14]
    assert any("needs the fewest" in sentence for sentence in findings.sentences) == (good["il2 doses"].iloc[0] > 14)


def test_confidence_is_shared_by_all_comparisons():
    """Beside ten more regimens the same two need a wider interval, or the truly best would be ruled out too often."""
    values = np.random.default_rng(5).normal(size=(12, 6)) + np.r_[0, 0.5, [20] * 10][:, None]
    rows = pd.DataFrame([{"run": 0, TIMES: times, "seed": seed, "arm": "both", "effect": values[times, seed]}
                         for times in range(12) for seed in range(6)])
    few, many = (regimens.schedules(rows[rows[TIMES] < size], [TIMES], "both").loc[1] for size in (2, 12))
    assert many["difference"] == pytest.approx(few["difference"])
    wider = (many["difference_high"] - many["difference_low"]) / (few["difference_high"] - few["difference_low"])
    assert wider == pytest.approx(stats.t.ppf(1 - 0.025 / 11, 5) / stats.t.ppf(0.975, 5))


def test_a_missing_run_of_an_easy_tumour_does_not_change_the_order():
    table = courses(lambda every, times: -0.05 * times - 0.3 * (every == "8 hours"))
    easy = (table[EVERY] == "8 hours") & (table[TIMES] == 14) & (table["seed"] == 0)
    assert regimens.schedules(table[~easy], [EVERY, TIMES], "both").loc[0, [EVERY, TIMES]].tolist() == ["8 hours", 14]


def test_total_doses_are_those_that_the_schedule_gives():
    scenario = Scenario.load("combination")
    given = regimens.given(scenario, "both", {EVERY: "8 hours", TIMES: 14, "treatments.il2.peak": 3.0})
    assert given == {"pembrolizumab doses": 2, "pembrolizumab total (mg)": 400, "il2 doses": 28, "il2 total (nM)": 84}
    late = regimens.given(scenario, "both", {TIMES: 14, "treatments.il2.first_dose": scenario.days})
    assert late["il2 doses"] == 0, "a dose after the last day is not given"
    assert regimens.given(scenario, "both", {"treatments.pembrolizumab.schedule.every": "6 weeks"})["pembrolizumab doses"] == 1


def test_the_picture_of_regimens_shows_total_doses():
    findings = regimens.analyse(courses(lambda every, times: -0.05 * times), [EVERY, TIMES], "both",
                                scenario=Scenario.load("combination"), question="Which one?")
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

    dose = Parameter(0.1, "1/day", "death rate of tumour cells", range=(0, 10), source="assumed: for testing")

    def modify(self, rules, model):
        rules.death.add(self.dose, kind="tumor_cell")


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
drug = "tests.test_surfaces:Poison"
name = "one"
[[arms.both.treatments]]
drug = "tests.test_surfaces:Poison"
name = "other"
"""


def test_two_poisons_in_the_simulation_are_neither_synergistic_nor_antagonistic(tmp_path):
    """Hazards add in the program, so Bliss independence and, for constant hazards, dose additivity hold together."""
    (tmp_path / "poisons.toml").write_text(POISONS)
    one, other = "treatments.one.dose", "treatments.other.dose"
    summary = sweep(str(tmp_path / "poisons.toml"), {one: [0, 0.3, 0.6], other: [0, 0.3, 0.6]}, seeds=3,
                    out=tmp_path / "out", executor=ThreadPoolExecutor(1), surface={"arm": "both", "x": one, "y": other})
    tables = summary.findings.tables
    bliss = tables["overall"].set_index("reference").loc["bliss"]
    assert abs(bliss["excess"]) < 0.01, "3 x 2000 cells: the standard error of a share is about 0.005"
    alone = tables["surface"].set_index([one, other]).loc[(0.6, 0.0), "effect"]
    assert alone == pytest.approx(1 - math.exp(-0.6 * 2), abs=0.03)
    assert tables["levels"].set_index("level").loc[0.5, "combination_index"] == pytest.approx(1, abs=0.05)
    assert {path.name for path in summary.figures} == {"surface.png", "isobologram.png"}


def test_a_schedule_search_through_a_sweep_tells_the_total_doses(tmp_path):
    (tmp_path / "poisons.toml").write_text(POISONS)
    summary = sweep(str(tmp_path / "poisons.toml"), {"treatments.one.first_dose": [0, 3], "treatments.one.dose": [0.2, 0.5]},
                    seeds=3, out=tmp_path / "out", executor=ThreadPoolExecutor(1), days=2, schedules={"arm": "both"})
    table = summary.findings.tables["schedules"]
    assert table.loc[0, ["treatments.one.first_dose", "treatments.one.dose"]].tolist() == [0, 0.5]
    assert set(table["one doses"]) == {0, 1}
    assert (tmp_path / "out" / "schedules.png").is_file()


def test_a_surface_without_single_agents_is_refused_before_anything_runs(tmp_path):
    (tmp_path / "poisons.toml").write_text(POISONS)
    with pytest.raises(StudyError, match="sweep: surface: treatments.one.dose must be varied from 0"):
        sweep(str(tmp_path / "poisons.toml"), {"treatments.one.dose": [1, 2], "treatments.other.dose": [0, 1]}, seeds=2,
              out=tmp_path / "out", surface={"arm": "both", "x": "treatments.one.dose", "y": "treatments.other.dose"})
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("name", "runs"), [("pd1_il2_surface", 160), ("car_t_dose", 96), ("antigen_heterogeneity", 96)])
def test_shipped_studies_are_in_order(name, runs):
    study = Sweep.load(name)
    assert len(study.runs()) == runs
    if study.surface:
        axes = {axis.name: axis.values for axis in study.axes}
        assert 0 in axes[study.surface.x] and 0 in axes[study.surface.y], "the drugs alone belong to the grid"
