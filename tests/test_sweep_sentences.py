"""What a sweep says of itself: the best and worst points of a grid, and the links that runs over ranges show."""

import numpy as np
import pandas as pd

from experiments.sweep_sentences import told

PDL1, DOSE, INFLUX = "tumor.pdl1", "treatments.pembrolizumab.dose", "t_cell.influx_gain"


def runs(points: pd.DataFrame, ln: np.ndarray, arm: str = "pembrolizumab") -> pd.DataFrame:
    """Outcomes of runs whose burden is so many natural logarithms away from 1000 cells."""
    return points.assign(arm=arm, effect=ln, growth=ln, end_cells=np.maximum(np.round(1000 * np.exp(ln)), 0))


def test_a_grid_names_its_best_and_worst_point_with_medians_and_eliminated_runs():
    points = pd.DataFrame([(pdl1, seed) for pdl1 in (0.1, 1.0, 2.0) for seed in range(3)], columns=[PDL1, "seed"])
    effect = np.log([1.0, 0.9, 0.8, 0.5, 0.4, 0.6, 0.0004, 0.0004, 0.2])
    (sentence,) = told(runs(points, effect), [PDL1], {})
    assert sentence == ("pembrolizumab: from 0.04 % of the control's burden (0.04 % to 0.89 %), gone in 2 of 3 runs at tumour "
                        "PD-L1 2 to 90 % of the control's burden (85 % to 95 %) at tumour PD-L1 0.1.")


def test_the_control_is_not_told_by_doses_it_did_not_get():
    points = pd.DataFrame({DOSE: [0, 0, 200, 200], "seed": [1, 2, 1, 2]})
    control = runs(points, np.log([4.0, 8.0, 4.0, 8.0]), "control")
    assert told(control, [DOSE], {DOSE: "mg"}) == ["control: 5.7 times the burden of day 0 (4 to 8)."]


def test_runs_over_ranges_are_told_by_the_links_they_show():
    random = np.random.default_rng(1)
    points = pd.DataFrame(random.uniform(size=(80, 3)), columns=[PDL1, INFLUX, "tumor.antigen"])
    effect = 2 * points[PDL1] - points[INFLUX] + 0.1 * random.normal(size=80)
    (sentence,) = told(runs(points, effect.to_numpy()), list(points), {})
    assert "rises with tumour PD-L1" in sentence and "falls with CD8 T cell influx gain" in sentence
    assert sentence.index("PD-L1") < sentence.index("influx"), "the stronger link first"
    assert sentence.endswith("no link is seen with tumour antigen.")
    (nothing,) = told(runs(points, random.normal(size=80)), list(points), {})
    assert nothing == "pembrolizumab: what it leaves of the control's burden goes with none of the swept parameters."


def test_outcomes_that_could_not_be_measured_are_passed_over():
    points = pd.DataFrame({PDL1: [0.1, 0.1, 2.0, 2.0]})
    assert told(runs(points, np.full(4, np.nan)), [PDL1], {}) == []
