"""Virtual trials: patients are drawn as stated, judged as hand-made answers say, and every mistake is one sentence."""

import json
import math

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text
from scipy import stats

from experiments.scenarios.toml_tables import ScenarioError
from experiments.studies.archive import Archive, StudyError
from experiments.studies.runner import complete
from experiments.studies.stored import analysed
from experiments.studies.trial import responses
from experiments.studies.trial.cohort import Cohort, Spread
from experiments.studies.trial.survival import compare, kaplan_meier, rate
from experiments.studies.trial.trial import Trial
from simulation.parameter_sets.groups import all_groups

GOOD = {
    "question": "Does it shrink?",
    "scenario": "checkpoint_blockade",
    "patients": 4,
    "days": 84,
    "vary": {
        "tumor.pdl1": {"distribution": "lognormal", "median": 1, "spread": 0.5},
        "tumor.antigen": {"distribution": "uniform", "low": 0.5, "high": 2},
    },
}
SPREADS = {
    "tumor.pdl1": {"distribution": "lognormal", "median": 0.8, "spread": 0.6},
    "tumor.mhc": {"distribution": "beta", "mean": 0.8, "spread": 0.1},
    "tumor.division_rate": {
        "distribution": "normal",
        "mean": 0.6,
        "spread": 0.2,
        "low": 0.3,
        "high": 1.2,
    },
    "t_cell.base_influx": {"distribution": "uniform", "low": 1, "high": 5},
    "tumor.mhc_loss": {"distribution": "loguniform", "low": 1e-6, "high": 1e-3},
}
DRAWS = 2000
# Weeks to relapse of 21 children with leukaemia on 6-mercaptopurine and 21 on placebo (Freireich 1963)
TREATED = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
RELAPSED = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]


def trial(**keys) -> Trial:
    return Trial.from_content(GOOD | keys, name="mine", file="mine.toml")


def cohort(vary=None, correlations=None, seed=1) -> Cohort:
    spreads = {name: Spread(**spread) for name, spread in (vary or SPREADS).items()}
    return Cohort(spreads, correlations or {}, seed, all_groups().parameter)


def scores(drawn: pd.DataFrame) -> pd.DataFrame:
    """Normal scores of the ranks of each column."""
    return drawn.rank().apply(lambda ranks: stats.norm.ppf((ranks - 0.5) / len(drawn)))


@pytest.fixture(scope="module")
def drawn():
    """Parameters of 2000 patients, with two correlations."""
    correlations = {
        "tumor.pdl1": {"tumor.mhc": -0.5},
        "tumor.division_rate": {"t_cell.base_influx": 0.7},
    }
    return pd.DataFrame(
        [patient.parameters for patient in cohort(correlations=correlations).patients(DRAWS)]
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("tumor.pdl1", stats.lognorm(s=0.6, scale=0.8)),
        ("tumor.mhc", stats.beta(0.8 * 15, 0.2 * 15)),  # mean 0.8, variance 0.8 x 0.2 / 16
        ("tumor.division_rate", stats.truncnorm(-1.5, 3, loc=0.6, scale=0.2)),
        ("t_cell.base_influx", stats.uniform(1, 4)),
        ("tumor.mhc_loss", stats.loguniform(1e-6, 1e-3)),
    ],
)
def test_every_parameter_has_the_stated_distribution(drawn, name, expected):
    for share in (0.05, 0.25, 0.5, 0.75, 0.95):
        below = np.mean(drawn[name] <= expected.ppf(share))
        off = (below - share) / math.sqrt(share * (1 - share) / DRAWS)
        assert abs(off) < 3.5, (
            f"{name}: {below:.3f} lie below its {share:.0%} point, {off:.1f} standard errors off"
        )


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("tumor.pdl1", "tumor.mhc", -0.5),
        ("tumor.division_rate", "t_cell.base_influx", 0.7),
        ("tumor.pdl1", "tumor.mhc_loss", 0.0),
    ],
)
def test_correlations_are_those_stated(drawn, one, other, expected):
    found = scores(drawn)[[one, other]].corr().iloc[0, 1]
    off = (found - expected) / ((1 - expected**2) / math.sqrt(DRAWS))
    assert abs(off) < 3.5, (
        f"{one} and {other} correlate by {found:.3f}, {off:.1f} standard errors from {expected}"
    )


def test_no_draw_leaves_its_bounds(drawn):
    assert (
        drawn["tumor.division_rate"].between(0.3, 1.2).all()
        and drawn["tumor.mhc"].between(0, 1).all()
    )
    narrow = cohort(
        {
            "tumor.pdl1": {
                "distribution": "lognormal",
                "median": 1,
                "spread": 1,
                "low": 0.5,
                "high": 2,
            }
        }
    )
    drawn = [patient.parameters["tumor.pdl1"] for patient in narrow.patients(500)]
    assert 0.5 <= min(drawn) < 0.55 and 1.8 < max(drawn) <= 2
    assert len(set(drawn)) > 450, "a distribution is cut off, not heaped at its bounds"


def test_a_patient_does_not_depend_on_the_size_of_the_cohort():
    assert cohort().patients(50)[:5] == cohort().patients(5)
    assert cohort().patient(49) == cohort().patients(50)[49]


def test_a_further_parameter_leaves_the_others_as_they_were():
    first = dict(list(SPREADS.items())[:3])
    few, more = cohort(first).patient(7), cohort().patient(7)
    assert few.seed == more.seed
    assert few.parameters == {name: more.parameters[name] for name in first}


def test_patients_and_cohorts_differ():
    seeds = {patient.seed for seed in (1, 2) for patient in cohort(seed=seed).patients(50)}
    assert len(seeds) == 100


def test_a_whole_number_stays_whole():
    one = cohort(
        {"tumor.initial_cells": {"distribution": "lognormal", "median": 500, "spread": 0.5}}
    ).patient(0)
    assert isinstance(one.parameters["tumor.initial_cells"], int)


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"vary": {}}, "vary = {} is not allowed; it must be tables such as"),
        (
            {"vary": {"tumor.pld1": {"distribution": "lognormal", "median": 1, "spread": 1}}},
            "did you mean 'tumor.pdl1'",
        ),
        (
            {"vary": {"tumor.pdl1": {"distribution": "poisson"}}},
            "it must be one of lognormal, normal, beta, uniform, loguniform",
        ),
        (
            {"vary": {"tumor.pdl1": {"distribution": "lognormal", "median": 1}}},
            "needs median and spread, and spread is missing",
        ),
        (
            {"vary": {"tumor.pdl1": {"distribution": "uniform", "low": 0, "high": 1, "spread": 1}}},
            "spread has no meaning",
        ),
        (
            {"vary": {"tumor.pdl1": {"distribution": "uniform", "low": 0, "high": 11}}},
            "high = 11 is outside the parameter's own range; it must be a number between 0 and 10",
        ),
        (
            {"vary": {"tumor.pdl1": {"distribution": "uniform", "low": 2, "high": 1}}},
            "low = 2 must be below high = 1",
        ),
        (
            {"vary": {"tumor.pdl1": {"distribution": "loguniform", "low": 0, "high": 1}}},
            "it must be above 0",
        ),
        (
            {"vary": {"tumor.mhc": {"distribution": "beta", "mean": 0.5, "spread": 0.6}}},
            "no beta distribution between 0 and 1",
        ),
        (
            {"vary": {"tumor.pdl1": {"distribution": "normal", "mean": 90, "spread": 1}}},
            "less than 1 % of this distribution",
        ),
        (
            {
                "vary": {
                    "treatments.pembrolizumab.schedule.times": {
                        "distribution": "uniform",
                        "low": 1,
                        "high": 2,
                    }
                }
            },
            "a schedule cannot differ between patients",
        ),
        (
            {
                "vary": {
                    "treatments.nivolumab.dose": {"distribution": "uniform", "low": 1, "high": 2}
                }
            },
            "no treatment is named 'nivolumab'",
        ),
        ({"set": {"tumor.pdl1": 1}}, "vary.tumor.pdl1: it is also under \\[set\\]"),
        (
            {"correlations": {"tumor.pdl1": {"tumor.mhc": 0.5}}},
            "'tumor.mhc' does not vary between patients",
        ),
        ({"correlations": {"tumor.pdl1": {"tumor.antigen": 1}}}, "must be between -1 and 1"),
        ({"correlations": {"tumor.pdl1": {"tumor.pdl1": 0.5}}}, "cannot be correlated with itself"),
        (
            {
                "correlations": {
                    "tumor.pdl1": {"tumor.antigen": 0.5},
                    "tumor.antigen": {"tumor.pdl1": 0.4},
                }
            },
            "has 0.5 elsewhere",
        ),
        ({"patients": 1}, "a whole number of patients from 2"),
        ({"arms": ["pembro"]}, "no arm 'pembro' \\(did you mean 'pembrolizumab'"),
        ({"arms": ["control"]}, "a trial needs an arm beside the control"),
        ({"arms": 3}, "a list of arms of the scenario, or tables"),
        (
            {"arms": {"drug": {"treatments": [{"drug": "pembrolizumap"}]}}},
            "arms.drug.treatments\\[0\\].*did you mean",
        ),
        (
            {"scenario": "checkpoint"},
            "there is no scenario 'checkpoint' \\(did you mean 'checkpoint_blockade'",
        ),
        ({"scenario": "b_all_car_t"}, "a liquid tumour has none"),
        (
            {"scans": {"every": 0}},
            "scans.every = 0 is not allowed: it must be a number between 1 and 365 day",
        ),
        ({"scans": {"evry": 1}}, "scans.evry is an unknown key \\(did you mean 'every'"),
        ({"scans": {"dimension": 4}}, "scans.dimension = 4 is not allowed; it must be 2 or 3"),
        ({"subgroups": {"pdl2": "median"}}, "there is no biomarker 'pdl2' \\(did you mean 'pdl1'"),
        (
            {"subgroups": {"pdl1": "mean"}},
            "subgroups.pdl1 = 'mean' is not allowed; it must be \"median\" or a number",
        ),
        ({"contrast_day": 100}, "contrast_day = 100 is after the last day, 84"),
    ],
)
def test_a_mistake_is_one_sentence_before_anything_runs(keys, sentence):
    with pytest.raises((StudyError, ScenarioError), match=sentence) as told:
        trial(**keys).runs()
    assert str(told.value).startswith("mine.toml"), "the sentence names the file"
    assert "\n" not in str(told.value)


def test_correlations_that_cannot_all_hold_are_named():
    vary = {
        name: SPREADS[name]
        for name in ("tumor.pdl1", "tumor.mhc", "tumor.mhc_loss", "t_cell.base_influx")
    }
    impossible = {
        "tumor.pdl1": {"tumor.mhc": 0.9, "tumor.mhc_loss": 0.9},
        "tumor.mhc": {"tumor.mhc_loss": -0.9},
    }
    with pytest.raises(
        StudyError, match="tumor.pdl1, tumor.mhc, tumor.mhc_loss is not positive definite .* -0.8"
    ):
        trial(vary=vary, correlations=impossible).runs()


def test_a_missing_lifelines_is_told_before_anything_runs(monkeypatch):
    monkeypatch.setattr("experiments.studies.trial.survival.find_spec", lambda name: None)
    with pytest.raises(StudyError, match=r'needs lifelines: pip install "tumorlab\[research\]"'):
        trial().runs()


def test_every_patient_is_one_run_of_all_arms():
    runs = trial().runs()
    assert len(runs) == 4 and len({run.seed for run in runs}) == 4
    first = runs[0]
    assert list(first.parameters["scenario"]["arms"]) == ["control", "pembrolizumab"]
    assert first.labels == {"patient": 0} | first.parameters["set"]
    assert json.loads(json.dumps(first.parameters)) == first.parameters, "plain JSON values"


def test_a_larger_trial_begins_with_the_same_runs():
    assert [run.key for run in trial(patients=9).runs()[:4]] == [run.key for run in trial().runs()]


def test_arms_are_chosen_by_name_or_written_out():
    both = {"both": {"treatments": [{"drug": "pembrolizumab"}, {"drug": "aldesleukin"}]}}
    assert list(trial(arms=["pembrolizumab"]).base.arms) == ["control", "pembrolizumab"]
    assert list(trial(arms=both).base.arms) == ["control", "both"]


def test_a_treatment_s_parameter_may_differ_between_patients():
    vary = {
        "treatments.pembrolizumab.half_life": {"distribution": "normal", "mean": 22, "spread": 3}
    }
    assert all(
        15 <= run.parameters["set"]["treatments.pembrolizumab.half_life"] <= 30
        for run in trial(vary=vary).runs()
    )


def test_dotted_names_need_no_quotes():
    nested = {
        "tumor": {"pdl1": GOOD["vary"]["tumor.pdl1"], "antigen": GOOD["vary"]["tumor.antigen"]}
    }
    assert [run.key for run in trial(vary=nested).runs()] == [run.key for run in trial().runs()]


# ---------------------------------------------------------------- what is made of the tables


def tables(courses: dict[int, dict[str, list[int]]], **more) -> dict[str, pd.DataFrame]:
    """A trial's tables: patient -> arm -> tumour cells every 42 days; ``more``: column -> a value per patient."""
    rows = [
        {
            "run": patient,
            "patient": patient,
            "tumor.pdl1": 1.0,
            "seed": 100 + patient,
            "arm": arm,
            "day": 42.0 * scan,
            "tumor_cells": count,
            "t_cells": more.get("t_cells", {}).get(patient, 100),
            "car_t_cells": 0,
            "nk_cells": 0,
            "mean_antigen": 1.0,
            "mean_pdl1": more.get("mean_pdl1", {}).get(patient, 1.0),
        }
        for patient, arms in courses.items()
        for arm, cells in arms.items()
        for scan, count in enumerate(cells)
    ]
    return {"timeseries": pd.DataFrame(rows)}


GROWING, HELD, SHRINKING, CLEARED = (
    [2600, 4000, 8000],
    [2600, 2600, 2600],
    [2600, 1000, 1000],
    [2600, 0, 0],
)
RELAPSING = [2600, 500, 2000]
PATIENTS = {
    0: {"control": GROWING, "pembrolizumab": CLEARED},
    1: {"control": GROWING, "pembrolizumab": SHRINKING},
    2: {"control": HELD, "pembrolizumab": RELAPSING},
    3: {"control": GROWING, "pembrolizumab": GROWING},
    4: {"control": HELD, "pembrolizumab": HELD},
    5: {"control": [100, 90, 80], "pembrolizumab": [100, 0, 0]},
}


@pytest.fixture(scope="module")
def findings():
    return trial(contrast_day=42).analyse(tables(PATIENTS, mean_pdl1={0: 2, 1: 2, 2: 2}))


def test_every_patient_is_judged_in_every_arm(findings):
    best = findings.tables["responses"].pivot(index="patient", columns="arm", values="best")
    assert best["control"].tolist() == ["PD", "PD", "SD", "PD", "SD"]
    assert best["pembrolizumab"].tolist() == ["CR", "PR", "PR", "PD", "SD"]
    scans = findings.tables["scans"]
    assert scans.query("patient == 2 and arm == 'pembrolizumab'")["category"].tolist() == [
        "baseline",
        "PR",
        "PD",
    ]
    assert scans.query("patient == 1 and arm == 'pembrolizumab'")["change"].iloc[
        -1
    ] == pytest.approx(math.sqrt(1000 / 2600) - 1)


def test_a_patient_without_measurable_disease_is_not_enrolled(findings):
    patients = findings.tables["patients"].set_index("patient")
    assert patients["enrolled"].tolist() == [True] * 5 + [False], (
        "100 cells are less than half of the 5000 that were to grow"
    )
    assert 5 not in set(findings.tables["responses"]["patient"])
    assert any(
        "5 patients, each in 2 arms; 1 of 6 had too little tumour" in sentence
        for sentence in findings.sentences
    )
    assert (
        patients.loc[0, "control_phase"] == "escape"
        and patients.loc[4, "control_phase"] == "equilibrium"
    )


def test_rates_and_their_exact_intervals(findings):
    rates = findings.tables["response_rates"].set_index("arm")
    assert rates.loc[
        "pembrolizumab", ["patients", "responders", "CR", "PR", "SD", "PD"]
    ].tolist() == [5, 3, 1, 2, 1, 1]
    assert rates.loc["pembrolizumab", ["low", "high"]].tolist() == pytest.approx(
        [0.1466, 0.9473], abs=1e-4
    )
    assert rates.loc["control", "responders"] == 0
    assert any(
        "pembrolizumab: 3 of 5 responded, 60 % (95 % interval 15 to 95 %)" in each
        for each in findings.sentences
    )


@pytest.mark.parametrize(
    ("successes", "number", "low", "high"),
    [
        (3, 10, 0.0667395, 0.6524529),
        (0, 10, 0.0, 0.3084971),
        (10, 10, 0.6915029, 1.0),
        (50, 100, 0.3983211, 0.6016789),
    ],
)
def test_clopper_pearson_is_what_tables_say(successes, number, low, high):
    assert rate(successes, number) == pytest.approx((successes / number, low, high), abs=1e-6)


def test_nobody_has_no_rate():
    assert all(math.isnan(each) for each in rate(0, 0))


def test_kaplan_meier_is_the_product_of_the_shares_that_stay():
    curve, median = kaplan_meier(TREATED, RELAPSED)
    at, free = curve.set_index("day"), 1.0
    for day in sorted({day for day, event in zip(TREATED, RELAPSED, strict=True) if event}):
        risk = sum(other >= day for other in TREATED)
        events = sum(other == day and event for other, event in zip(TREATED, RELAPSED, strict=True))
        free *= 1 - events / risk
        assert at.loc[day, ["at_risk", "events"]].tolist() == [risk, events]
        assert at.loc[day, "free"] == pytest.approx(free)
        assert at.loc[day, "low"] < free < at.loc[day, "high"]
    assert (round(free, 3), median) == (0.448, 23), "as printed for 6-mercaptopurine"


def test_log_rank_and_hazard_ratio_of_the_textbook_example():
    found = compare(np.array(TREATED), np.array(RELAPSED), np.array(PLACEBO), np.ones(21))
    assert found.log_rank == pytest.approx(16.79, abs=0.01) and found.p_value < 1e-4
    assert math.log(found.hazard_ratio) == pytest.approx(-1.572, abs=0.002)
    assert found.low < found.hazard_ratio < found.high < 1


def test_what_cannot_be_compared_is_nan():
    never, always = np.zeros(5, dtype=bool), np.ones(5, dtype=bool)
    days = np.full(5, 84.0)
    assert all(math.isnan(each) for each in compare(days, never, days, never)), "nothing happened"
    apart = compare(days, never, days, always)
    assert math.isnan(apart.hazard_ratio) and apart.p_value < 0.05, (
        "no event in one arm: a test, but no ratio"
    )
    assert all(math.isnan(each) for each in compare(days[:0], never[:0], days, always))


def test_progression_and_its_median(findings):
    found = findings.tables["comparisons"].set_index("arm")
    assert found["progressions"].tolist() == [3, 2] and found.loc["control", "median_day"] == 42
    assert math.isinf(found.loc["pembrolizumab", "median_day"])
    assert any(
        "pembrolizumab: 2 of 5 progressed, median not reached" in sentence
        for sentence in findings.sentences
    )


def test_subgroups_split_at_the_median_or_where_stated(findings):
    found = findings.tables["subgroups"].set_index(["biomarker", "group", "arm"])
    assert found.loc[("pdl1", "high", "pembrolizumab"), ["patients", "responders"]].tolist() == [
        3,
        3,
    ]
    assert found.loc[("pdl1", "low", "pembrolizumab"), ["patients", "responders"]].tolist() == [
        2,
        0,
    ]
    stated = trial(subgroups={"cd8": 15.0}).analyse(tables(PATIENTS, t_cells={0: 200}))
    patients = stated.tables["patients"].set_index("patient")
    assert patients.loc[0, "cd8"] == pytest.approx(200 / (201 * 0.015) ** 2), (
        "CD8 cells per mm2 of the patch"
    )
    assert patients["cd8_group"].tolist() == ["high"] + ["low"] * 5
    assert set(stated.tables["subgroups"]["biomarker"]) == {"all", "cd8"}


def test_contrasts_pair_both_arms_of_a_patient(findings):
    found = findings.tables["contrasts"].set_index("quantity")
    change = found.loc["change in diameter (%), day 42"]
    control, treated = (
        100 * (np.sqrt(np.array(cells) / 2600) - 1)
        for cells in ([4000, 4000, 2600, 4000, 2600], [0, 1000, 500, 4000, 2600])
    )
    assert change["difference"] == pytest.approx(np.mean(treated - control))
    assert change["paired_error"] == pytest.approx(np.std(treated - control, ddof=1) / math.sqrt(5))
    assert found.loc["objective response (%)", "difference"] == pytest.approx(60)


def test_the_dimension_and_the_infiltrate_change_what_a_scan_shows():
    flat, ball = (
        trial(scans={"dimension": dimension}).analyse(
            tables(
                {
                    0: {"control": HELD, "drug": [2600, 1170, 1170]},
                    1: {"control": HELD, "drug": HELD},
                }
            )
        )
        for dimension in (2, 3)
    )
    assert flat.tables["response_rates"]["PR"].tolist() == [0, 1]
    assert ball.tables["response_rates"]["PR"].tolist() == [0, 0], (
        "45 % of the cells are 77 % of a ball's diameter"
    )
    assert any("square root" in sentence for sentence in flat.sentences)
    assert any("cube root" in sentence for sentence in ball.sentences)


def test_where_nobody_is_enrolled_that_is_all_there_is_to_say():
    nobody = trial().analyse(
        tables({0: {"control": [0, 0], "drug": [0, 0]}, 1: {"control": [9, 0], "drug": [9, 0]}})
    )
    assert nobody.figures == {} and nobody.sentences == [
        "None of 2 patients had 2,500 tumour cells at day 0, so there is nothing to judge."
    ]


# ---------------------------------------------------------------- pictures


def test_pictured_intervals_of_a_difference_are_students(findings):
    row = findings.tables["contrasts"].iloc[0]
    drawn = {
        round(float(line.get_ydata()[0]), 2): line.get_xdata()
        for line in findings.figures["contrasts"].axes[0].lines
        if len(line.get_xdata()) == 2 and np.ptp(line.get_ydata()) == 0
    }
    half = stats.t.ppf(0.975, 2 * 5 - 2) * row["unpaired_error"]
    assert drawn[0.17] == pytest.approx([row["low"], row["high"]]), "paired: as the table has it"
    assert drawn[-0.17] == pytest.approx([row["difference"] - half, row["difference"] + half]), (
        "unpaired: two groups of five"
    )


def test_a_control_is_seen_beneath_an_equal_curve():
    courses = {
        patient: {"control": course, "drug": course}
        for patient, course in enumerate((GROWING, HELD, SHRINKING))
    }
    panel = trial().analyse(tables(courses)).figures["progression"].axes[0]
    control, drug = (
        next(line for line in panel.lines if line.get_label().startswith(arm))
        for arm in ("control", "drug")
    )
    assert np.array_equal(control.get_ydata(), drug.get_ydata())
    assert (
        control.get_linewidth() > 1.5 * drug.get_linewidth()
        and control.get_zorder() < drug.get_zorder()
    )


def random_courses(count: int, seed: int = 1) -> dict[int, dict[str, list[int]]]:
    """Patients whose tumours grow in the control and do anything under two drugs."""
    random = np.random.default_rng(seed)

    def course(mean):
        return [
            2600,
            *np.maximum(2600 * np.exp(np.cumsum(random.normal(mean, 0.5, 4))), 0).astype(int),
        ]

    return {
        patient: {
            "control": course(0.4),
            "pembrolizumab": course(-0.3),
            "pembrolizumab_and_il2": course(-0.4),
        }
        for patient in range(count)
    }


@pytest.mark.parametrize(
    "courses",
    [
        random_courses(30),
        random_courses(2),
        {0: {"control": GROWING, "drug": CLEARED}, 1: {"control": HELD, "drug": CLEARED}},
    ],
    ids=["many", "two", "no event in one arm"],
)
def test_every_picture_is_drawn_and_nothing_leaves_it(courses):
    figures = trial().analyse(tables(courses)).figures
    assert list(figures) == [
        "waterfall",
        "spider",
        "swimmer",
        "progression",
        "subgroups",
        "contrasts",
    ]
    for name, figure in figures.items():
        figure.draw_without_rendering()
        seen, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
        assert -0.03 <= seen.x0 and seen.x1 <= width + 0.03, f"{name} is cut off at its side"
        assert -0.03 <= seen.y0 and seen.y1 <= height + 0.03, f"{name} is cut off above or below"


def texts(figure) -> set[str]:
    figure.draw_without_rendering()
    return {
        text.get_text() for text in figure.findobj(Text) if text.get_visible() and text.get_text()
    }


def test_pictures_say_what_the_tables_say(findings):
    assert {"control\n0 % respond", "pembrolizumab\n60 % respond"} <= texts(
        findings.figures["waterfall"]
    )
    assert {"PD-L1 ≥ 2\nn = 3", "All patients\nn = 5"} <= texts(findings.figures["subgroups"])
    assert {"5", "2", "patients at risk"} <= texts(findings.figures["progression"])
    axes = findings.figures["waterfall"].axes[1]
    assert [bar.get_height() for bar in axes.patches] == pytest.approx(
        sorted(
            100 * findings.tables["responses"].query("arm == 'pembrolizumab'")["best_change"],
            reverse=True,
        )
    )


def test_patients_at_risk_are_those_not_yet_progressed():
    table = pd.DataFrame(
        {"progression_day": [42.0, 42, 84, 84], "progressed": [True, True, True, False]}
    )
    curve, _ = kaplan_meier(table["progression_day"], table["progressed"])
    assert curve["at_risk"].tolist() == [4, 4, 2]


# ---------------------------------------------------------------- the whole way


def test_a_small_trial_from_file_to_figures_and_back(tmp_path):
    small = trial(
        patients=2,
        shape=[21, 21],
        days=2,
        grow={"cells": 60, "max_days": 2},
        contrast_day=2,
        set={"tumor.initial_cells": 50},
        measurable_cells=20,
    )
    summary = complete(small, tmp_path / "out")
    assert (summary.runs, summary.failed) == (2, 0)
    series = summary.tables["timeseries"]
    assert list(series.columns[:7]) == [
        "run",
        "patient",
        "tumor.pdl1",
        "tumor.antigen",
        "seed",
        "arm",
        "day",
    ]
    first = series[(series["day"] == 0) & (series["patient"] == 0)]
    assert first["tumor_cells"].nunique() == 1, "both arms begin with the same tumour"
    assert len(summary.findings.tables["responses"]) == 4
    assert {file.stem for file in summary.figures} == set(summary.findings.figures)
    drawn = {file.name: file.read_bytes() for file in (tmp_path / "out").glob("*.csv")}
    again = analysed(tmp_path / "out")
    assert again.findings.sentences == summary.findings.sentences
    assert {file.name: file.read_bytes() for file in (tmp_path / "out").glob("*.csv")} == drawn, (
        "from what is stored alone"
    )
    assert Archive(tmp_path / "out").record()["kind"] == "trial"


def test_the_trial_that_ships_is_in_order():
    shipped = Trial.load("checkpoint_trial")
    runs = shipped.runs()
    assert len(runs) == 100 and len(shipped.base.arms) == 3
    room = math.prod(shipped.base.shape) / shipped.base.grow.cells
    assert math.sqrt(room) > 2, (
        "an untreated tumour has room to double its diameter: progression needs 20 %"
    )
    assert set(shipped.subgroups) == set(responses.MARKERS)
