"""Sensitivity: known indices come back through design, runner, consolidated tables and analysis."""

import itertools
import math
from functools import cache

import numpy as np
import pandas as pd
import pytest

from experiments.studies.archive import Run, StudyError
from experiments.studies.designs import Axis, points
from experiments.studies.runner import complete
from experiments.studies.sensitivity.analysis import MATTERS, NOT, analyse, seed_noise
from experiments.studies.study import Study

pytest.importorskip("SALib")

PI = math.pi
ISHIGAMI = [Axis(f"x.{name}", low=-PI, high=PI) for name in "abc"] + [
    Axis("x.dummy", low=0.01, high=100, scale="log")
]
VARIANCE = 7**2 / 8 + 0.1 * PI**4 / 5 + 0.1**2 * PI**8 / 18 + 1 / 2
FIRST = {
    "x.a": 0.5 * (1 + 0.1 * PI**4 / 5) ** 2 / VARIANCE,
    "x.b": 7**2 / 8 / VARIANCE,
    "x.c": 0.0,
    "x.dummy": 0.0,
}
TOTAL = FIRST | {"x.a": 1 - FIRST["x.b"], "x.c": 0.1**2 * PI**8 * 8 / 225 / VARIANCE}
LINEAR = [Axis(f"x.{name}", low=0.01, high=1, scale="log") for name in "pqr"] + [
    Axis("x.dummy", low=0, high=1)
]
SLOPES = {"x.p": 3.0, "x.q": -2.0, "x.r": 1.0, "x.dummy": 0.0}


def chance(parameters: dict, seed: int) -> float:
    """A normal number that belongs to these parameters and this seed."""
    words = np.frombuffer(repr(sorted(parameters.items())).encode(), np.uint8)
    return float(np.random.default_rng([seed, *words]).normal())


def ishigami(point: dict, seed: int, noise: float = 0.0) -> float:
    """The function of Ishigami and Homma (1990), with a parameter that does nothing, and noise if asked for."""
    a, b, c = (point[f"x.{name}"] for name in "abc")
    value = math.sin(a) + 7 * math.sin(b) ** 2 + 0.1 * c**4 * math.sin(a)
    return value + noise * chance(point, seed) if noise else value


def linear(point: dict, seed: int, noise: float = 0.0, common: float = 0.0) -> float:
    """A sum of slopes over the logarithmic ranges; ``common`` is what a seed does to all points alike."""
    value = (
        sum(SLOPES[axis.name] * axis.position(point[axis.name]) for axis in LINEAR) + common * seed
    )
    return value + noise * chance(point, seed) if noise else value


def run_ishigami(parameters: dict, seed: int) -> dict[str, pd.DataFrame]:
    """One run of a study, with a control arm."""
    return {
        "outcomes": pd.DataFrame(
            {"arm": ["control", "treated"], "effect": [0.0, ishigami(parameters["set"], seed)]}
        )
    }


class Formula(Study):
    """A study of the Ishigami function, analysed as a sweep is."""

    samples: int

    @property
    def function(self):
        return run_ishigami

    def runs(self) -> list[Run]:
        return [
            Run("run_ishigami", {"set": point}, 1, {"point": number} | point)
            for number, point in enumerate(points("saltelli", ISHIGAMI, self.samples))
        ]

    def analyse(self, tables):
        return analyse(
            tables["outcomes"], ISHIGAMI, "saltelli", self.samples, ["effect"], "treated"
        )


def consolidated(function, axes, design, samples, seeds, **keys) -> pd.DataFrame:
    """The outcomes table of a study, made without a runner."""
    return pd.DataFrame(
        [
            point
            | {
                "point": number,
                "seed": seed,
                "arm": "treated",
                "effect": function(point, seed, **keys),
            }
            for number, point in enumerate(points(design, axes, samples))
            for seed in range(1, seeds + 1)
        ]
    )


@cache
def linear_outcomes(noise=0.0, common=0.0, seeds=4) -> pd.DataFrame:
    return consolidated(linear, LINEAR, "morris", 12, seeds, noise=noise, common=common)


def linear_table(outcomes, quantity="effect"):
    findings = analyse(outcomes, LINEAR, "morris", 12, [quantity], "treated")
    return findings.tables["sensitivity"].set_index("parameter"), findings


def assert_known(table, tolerance):
    """First and total indices are Ishigami's, within this and within 1.5 times the half-width of their own intervals."""
    for index, known in (("first", FIRST), ("total", TOTAL)):
        for name, value in known.items():
            row = table.loc[name]
            assert row[index] == pytest.approx(value, abs=tolerance), f"{index} index of {name}"
            slack = 0.5 * (row[f"{index}_high"] - row[f"{index}_low"]) / 2
            assert row[f"{index}_low"] - slack <= value <= row[f"{index}_high"] + slack, (
                f"interval of {index}, {name}"
            )


def test_ishigami_comes_back_through_the_runner(tmp_path):
    study = Formula(question="Are the known indices found?", samples=128)
    summary = complete(study, tmp_path / "study", workers=1)
    table = summary.findings.tables["sensitivity"].set_index("parameter")
    assert summary.runs == 128 * 6 and summary.failed == 0
    assert_known(table, tolerance=0.15)
    assert table.loc["x.dummy", "verdict"] == NOT and table.loc["x.dummy", "total"] == 0
    assert (tmp_path / "study" / "sensitivity.png").stat().st_size > 10_000
    assert pd.read_csv(tmp_path / "study" / "sensitivity.csv")["rank"].tolist() == [1, 2, 3, 4]


def test_ishigami_is_exact_with_many_samples():
    found = analyse(
        consolidated(ishigami, ISHIGAMI, "saltelli", 1024, 1),
        ISHIGAMI,
        "saltelli",
        1024,
        ["effect"],
        "treated",
    )
    table = found.tables["sensitivity"].set_index("parameter")
    assert_known(table, tolerance=0.03)
    assert list(table.index[:2]) == ["x.a", "x.b"] and table.loc["x.c", "verdict"] == MATTERS, (
        "x.c has no effect alone and yet a quarter of the variance"
    )
    assert table.loc["x.c", "direction"] == "either way"


def test_added_seed_noise_is_measured_and_set_apart():
    noise = 3.0
    found = analyse(
        consolidated(ishigami, ISHIGAMI, "saltelli", 256, 4, noise=noise),
        ISHIGAMI,
        "saltelli",
        256,
        ["effect"],
        "treated",
    )
    told, table = (
        found.tables["seed_noise"].iloc[0],
        found.tables["sensitivity"].set_index("parameter"),
    )
    assert told["within_variance"] == pytest.approx(noise**2, rel=0.06), (
        "1536 points x 4 seeds: 2 % standard error"
    )
    assert told["share"] == pytest.approx(noise**2 / (noise**2 + VARIANCE), rel=0.06)
    added = noise**2 / 4 / (noise**2 / 4 + VARIANCE)
    assert table.loc["x.dummy", "total"] == pytest.approx(added, rel=0.3), (
        "noise alone gives the dummy a total index"
    )
    assert table.loc["x.dummy", "noise_floor"] == pytest.approx(added, rel=0.15), (
        "and the floor says so"
    )
    assert table.loc["x.dummy", "verdict"] == NOT
    assert (table.loc[["x.a", "x.b", "x.c"], "verdict"] == MATTERS).all()


def test_morris_on_a_linear_function_gives_its_slopes():
    table, findings = linear_table(linear_outcomes())
    assert table["mu_star"].to_dict() == pytest.approx(
        {name: abs(slope) for name, slope in SLOPES.items()}, abs=1e-8
    )
    assert table["mu"].to_dict() == pytest.approx(SLOPES, abs=1e-8)
    assert table["sigma"].max() < 1e-8, "a linear function has no interactions"
    assert table["verdict"].to_dict() == {
        "x.p": MATTERS,
        "x.q": MATTERS,
        "x.r": MATTERS,
        "x.dummy": NOT,
    }
    assert table["direction"].to_dict() == {
        "x.p": "raises",
        "x.q": "lowers",
        "x.r": "raises",
        "x.dummy": "either way",
    }
    assert (
        "Over its range, x.p raises it by 3 (3 to 3); x.q lowers it by 2 (2 to 2)"
        in findings.sentences[1]
    )
    assert "x.dummy does not matter" in findings.sentences[2]


def test_what_a_seed_does_to_all_points_alike_is_no_noise():
    plain, _ = linear_table(linear_outcomes(noise=0.5))
    paired, findings = linear_table(linear_outcomes(noise=0.5, common=10.0))
    assert paired["mu_star"].to_dict() == pytest.approx(plain["mu_star"].to_dict()), (
        "it cancels in every effect"
    )
    assert paired["noise_floor"].iloc[0] == pytest.approx(plain["noise_floor"].iloc[0]), (
        "and in the noise floor"
    )
    assert findings.tables["seed_noise"]["share"].iloc[0] > 0.9, "but single runs do scatter by it"


def test_the_floor_is_what_a_parameter_without_effect_gives():
    random, mu_star, floors, mattering = np.random.default_rng(7), [], [], 0
    for _ in range(40):
        noisy = linear_outcomes().copy()
        noisy["effect"] += random.normal(0, 1.0, len(noisy))
        table, _ = linear_table(noisy)
        mu_star.append(table.loc["x.dummy", "mu_star"])
        floors.append(table.loc["x.dummy", "noise_floor"])
        mattering += table.loc["x.dummy", "verdict"] == MATTERS
    error = np.std(mu_star, ddof=1) / np.sqrt(len(mu_star))
    assert np.mean(mu_star) == pytest.approx(np.mean(floors), abs=3 * error), (
        "the dummy's mean mu* is the floor"
    )
    assert mattering <= 4, f"about 3 % of studies call the dummy important, not {mattering} of 40"
    assert np.mean(mu_star) > 0.2, "without a floor this much would have been taken for an effect"


def test_parameters_below_the_noise_are_not_called_important():
    table, findings = linear_table(linear_outcomes(noise=5.0, seeds=2))
    assert (table.loc[["x.dummy", "x.r"], "verdict"] != MATTERS).all()
    assert (
        table.loc[table["verdict"] == NOT, "mu_star_high"] <= table["mu_star"].max() / 2
    ).all(), (
        "that a parameter does not matter is said only where half of the strongest would have been seen"
    )
    assert findings.tables["seed_noise"]["share"].iloc[0] > 0.8


def test_seed_noise_of_known_variances():
    random = np.random.default_rng(1)
    points_and_seeds = pd.DataFrame(
        random.normal(0, 2, (3000, 1)) + random.normal(0, 1, (3000, 5)) + 10 * np.arange(5)
    )
    noise = seed_noise(points_and_seeds - 10 * np.arange(5))
    assert noise["share"] == pytest.approx(0.2, abs=0.01), "1 of 1 + 4 is noise"
    assert seed_noise(points_and_seeds)["point_variance"] == pytest.approx(1 / 5, rel=0.05)


def test_missing_runs_cost_their_trajectory_and_are_named():
    whole = linear_outcomes(noise=0.1)
    table, findings = linear_table(whole[~whole["point"].isin([7, 8, 30])])
    assert any(
        sentence == "effect: 3 points (7, 8, 30) have no value; 2 trajectories of 12 left out."
        for sentence in findings.sentences
    ), findings.sentences
    assert table["mu_star"].to_dict() == pytest.approx(
        {name: abs(slope) for name, slope in SLOPES.items()}, abs=0.15
    )
    _, findings = linear_table(
        whole.assign(effect=whole["effect"].where((whole["point"] != 3) | (whole["seed"] != 2)))
    )
    assert (
        "effect: 1 run of 240 without a value; those points are means over fewer seeds."
        in findings.sentences
    )


def test_a_quantity_that_is_mostly_missing_is_left_out_in_a_sentence():
    whole = linear_outcomes(noise=0.1)
    outcomes = whole.assign(rare=whole["effect"].where(whole["point"] < 9))
    findings = analyse(outcomes, LINEAR, "morris", 12, ["rare", "effect"], "treated")
    assert findings.sentences[0] == (
        "rare: cannot be ranked, because only 1 of 12 trajectories has a value at each of 5 points; "
        "at least 2 must have."
    )
    assert set(findings.tables["sensitivity"]["quantity"]) == {"effect"}, (
        "the others are ranked all the same"
    )
    assert not analyse(outcomes, LINEAR, "morris", 12, ["rare"], "treated").tables


def test_one_seed_is_said_to_tell_no_noise():
    _, findings = linear_table(linear_outcomes(seeds=1))
    assert "with one seed a point, effect and noise cannot be told apart" in findings.sentences[-1]


def test_an_outcome_that_never_changes_depends_on_nothing():
    for design, samples in (("morris", 12), ("saltelli", 16)):
        outcomes = consolidated(linear, LINEAR, design, samples, 2).assign(effect=1.0)
        findings = analyse(outcomes, LINEAR, design, samples, ["effect"], "treated")
        assert (findings.tables["sensitivity"]["verdict"] == NOT).all()
        assert "none of 4 parameters matter" in findings.sentences[0]


def test_another_design_has_no_indices():
    with pytest.raises(StudyError) as error:
        analyse(linear_outcomes(), LINEAR, "sobol", 12, ["effect"], "treated")
    assert (
        str(error.value)
        == "sensitivity: design = 'sobol' has no indices; it must be one of morris, saltelli"
    )


def test_the_picture_shows_each_parameter_in_words_and_keeps_its_labels_apart():
    axes = [
        Axis(
            axis.name.replace("x.", "t_cell."),
            low=axis.low,
            high=axis.high,
            scale=axis.scale,
            unit="1/day",
            meaning=f"rate {axis.name[-1]}; a note",
        )
        for axis in LINEAR
    ]
    outcomes = linear_outcomes(noise=0.5).rename(
        columns=dict(zip((a.name for a in LINEAR), (a.name for a in axes), strict=True))
    )
    outcomes = outcomes.assign(growth=outcomes["effect"])
    figure = analyse(outcomes, axes, "morris", 12, ["effect", "growth"], "treated").figures[
        "sensitivity"
    ]
    figure.canvas.draw()
    panels = figure.axes
    assert [panel.get_title(loc="left") for panel in panels] == ["effect", "growth"]
    words = [label.get_text() for label in panels[0].get_yticklabels()]
    assert words[0] == "CD8 T cell: rate p"
    labels = [*panels[0].get_yticklabels(), *panels[0].get_yticklabels(minor=True)]
    assert "t_cell.p, 0.01 to 1 /day" in [label.get_text() for label in labels]
    boxes = sorted((label.get_window_extent() for label in labels), key=lambda box: box.y0)
    assert all(lower.y1 <= upper.y0 + 2 for lower, upper in itertools.pairwise(boxes)), (
        "labels do not overlap"
    )
