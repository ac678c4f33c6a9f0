"""Paired beside unpaired: on numbers whose correlation is known, pairing is worth what theory says."""

import math

import numpy as np
import pandas as pd
import pytest

from experiments.studies.contrasts import Contrast, contrast, contrasts, variance_ratio


def pairs(count: int, correlation: float, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Two arms of standard normals with that correlation; the treated one has a mean of -1."""
    mix = np.linalg.cholesky([[1, correlation], [correlation, 1]])
    control, treated = mix @ np.random.default_rng(seed).standard_normal((2, count))
    return treated - 1, control


@pytest.mark.parametrize("correlation", [-0.5, 0.0, 0.5, 0.8])
def test_the_variance_ratio_of_correlated_normals_is_one_over_one_minus_r(correlation):
    ratios = [variance_ratio(*pairs(400, correlation, seed)) for seed in range(100)]
    error = np.std(ratios, ddof=1) / 10
    off = (np.mean(ratios) - 1 / (1 - correlation)) / error
    assert abs(off) < 3.5, (
        f"correlation {correlation}: ratio {np.mean(ratios):.3f} is {off:.1f} standard errors off"
    )


def test_both_standard_errors_are_those_of_theory():
    found = contrast(*pairs(5000, 0.75))
    assert found.difference == pytest.approx(-1, abs=4 * found.paired_error)
    assert found.paired_error == pytest.approx(math.sqrt(2 * (1 - 0.75) / 5000), rel=0.04)
    assert found.unpaired_error == pytest.approx(math.sqrt(2 / 5000), rel=0.04)


def test_the_interval_holds_the_truth_as_often_as_it_says():
    found = [contrast(*pairs(15, 0.6, seed)) for seed in range(200)]
    inside = np.mean([each.low <= -1 <= each.high for each in found])
    assert abs(inside - 0.95) < 3.5 * math.sqrt(0.95 * 0.05 / 200), (
        f"{inside:.3f} of the 95 % intervals"
    )


def test_saved_patients_are_what_an_unpaired_trial_needs_beyond_the_pairs():
    treated, control = np.array([1.0, 3.0, 5.0, 6.0]), np.array([2.0, 4.0, 5.0, 7.0])
    found = contrast(treated, control)
    variance = treated.var(ddof=1) + control.var(ddof=1)
    assert found.variance_ratio == pytest.approx(variance / (treated - control).var(ddof=1))
    per_arm = math.ceil(4 * found.variance_ratio)
    assert (found.unpaired_patients, found.saved) == (2 * per_arm, 2 * per_arm - 4)
    assert math.sqrt(variance / per_arm) <= found.paired_error, (
        "that many in each arm are as precise as the pairs"
    )


def test_without_correlation_pairing_still_saves_the_second_set_of_patients_only():
    found = contrast(*pairs(4000, 0.0))
    assert found.saved == pytest.approx(4000, rel=0.1)
    assert found.ratio_low < 1 < found.ratio_high


def test_the_ratio_has_an_interval_that_holds_it():
    found = contrast(*pairs(200, 0.8))
    assert found.ratio_low < found.variance_ratio < found.ratio_high
    assert found.ratio_low < 5 < found.ratio_high
    assert contrast(*pairs(200, 0.8)) == found, "the same data give the same interval"


def test_missing_values_leave_their_pair_out_and_nothing_else():
    treated, control = pairs(50, 0.5)
    holed = treated.copy()
    holed[3] = np.nan
    assert contrast(holed, control) == contrast(np.delete(treated, 3), np.delete(control, 3))


@pytest.mark.parametrize(
    ("treated", "control"), [([], []), ([1.0], [2.0]), ([1.0, 2.0], [2.0, 3.0])]
)
def test_where_nothing_varies_or_is_there_is_no_ratio(treated, control):
    found = contrast(np.array(treated), np.array(control))
    assert math.isnan(found.variance_ratio) and math.isnan(found.saved)
    assert len(treated) < 2 or found.paired_error == 0


def test_every_arm_is_held_against_the_control_and_the_arms_before_it_of_the_same_patient():
    table = pd.DataFrame(
        {
            "patient": [0, 1, 2] * 3,
            "arm": ["control"] * 3 + ["a"] * 3 + ["b"] * 3,
            "burden": [1.0, 2, 4, 0, 1, 2, 1, 2, 4],
        }
    )
    found = contrasts(table, {"burden": "ln burden"})
    assert found.columns.tolist() == ["quantity", "arm", "against", *Contrast._fields]
    assert list(zip(found["arm"], found["against"], strict=True)) == [
        ("a", "control"),
        ("b", "control"),
        ("b", "a"),
    ]
    assert found["difference"].tolist() == pytest.approx([-4 / 3, 0, 4 / 3])
    assert found["paired_error"].tolist() == pytest.approx(
        [np.std([1, 1, 2], ddof=1) / math.sqrt(3), 0, 1 / 3]
    )
    shuffled = contrasts(
        table.sample(frac=1, random_state=1).sort_values("arm", kind="stable"),
        {"burden": "ln burden"},
    )
    assert set(shuffled["difference"].round(9)) == set(found["difference"].round(9)), (
        "rows are matched by patient"
    )


def test_seeds_pair_as_patients_do():
    table = pd.DataFrame(
        {
            "seed": [1, 2, 1, 2],
            "arm": ["control", "control", "drug", "drug"],
            "effect": [0.0, 1, -1, 1],
        }
    )
    assert contrasts(table, {"effect": "effect"}, by="seed")["difference"].tolist() == [-0.5]
