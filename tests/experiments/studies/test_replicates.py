"""Replicates: planned numbers of seeds against what is known of normal samples."""

import numpy as np
import pytest
from scipy import stats

from experiments.studies.archive import StudyError
from experiments.studies.replicates import (
    SMALL,
    seeds_for_consistency,
    seeds_for_width,
    vargha_delaney,
)
from experiments.studies.statistics import width_over


def sample(deviation, size, seed=1):
    """Normal values whose mean is 0 and whose standard deviation is exactly this."""
    values = np.random.default_rng(seed).normal(size=size)
    return (values - values.mean()) / values.std(ddof=1) * deviation


def test_a_known_deviation_needs_the_seeds_of_the_textbook():
    plan = seeds_for_width(sample(0.8, 5), 0.2, planned=10, name="effect (pembrolizumab)")
    assert plan.seeds == 64, "(t s / w)^2 with s = 0.8, w = 0.2, t about 2.0 is 64"
    assert width_over(64, 0.8) <= 0.2 < width_over(63, 0.8), "64 is the first number that is enough"
    assert plan.half_width == pytest.approx(2.262 * 0.8 / np.sqrt(10), rel=1e-3)
    assert str(plan) == (
        "effect (pembrolizumab): standard deviation 0.8 over 5 pilot seeds; +-0.2 at 95 % needs 64 seeds "
        "(25 to 510 given so small a pilot); this design has 10, giving +-0.57"
    )


def test_planned_intervals_hold_the_mean_as_often_as_they_say():
    plan = seeds_for_width(sample(1.0, 1000), 0.3)
    draws = np.random.default_rng(2).normal(5.0, 1.0, (4000, plan.seeds))
    margins = width_over(plan.seeds, 1.0) * draws.std(axis=1, ddof=1)
    covered = np.mean(np.abs(draws.mean(axis=1) - 5.0) <= margins)
    assert covered == pytest.approx(0.95, abs=3 * np.sqrt(0.95 * 0.05 / 4000)), (
        "95 % of intervals hold the true mean"
    )
    assert margins.mean() == pytest.approx(0.3, rel=0.03), "and they are as wide as was asked"


def test_a_small_pilot_says_how_uncertain_it_is():
    truth = seeds_for_width(sample(1.0, 100_000), 0.25).seeds
    random = np.random.default_rng(3)
    plans = [seeds_for_width(random.normal(size=5), 0.25) for _ in range(1000)]
    held = np.mean([plan.low <= truth <= plan.high for plan in plans])
    assert held == pytest.approx(0.95, abs=0.02), (
        f"95 % of pilots of 5 give bounds around the true {truth} seeds"
    )
    wide = seeds_for_width(sample(1.0, 5), 0.25)
    narrow = seeds_for_width(sample(1.0, 100), 0.25)
    assert narrow.high - narrow.low < 0.2 * (wide.high - wide.low), "a larger pilot knows it better"


def test_an_outcome_that_never_varies_needs_two_seeds():
    assert seeds_for_width([3.0, 3.0, 3.0], 0.1).seeds == 2
    assert "more than 1,000,000 seeds" in str(seeds_for_width([0, 1e9, -1e9], 1e-3)), (
        "what cannot be reached is said"
    )
    assert str(seeds_for_width([1.0, 2.0], 1.0, planned=1)).endswith(
        "this design has 1, which gives no interval"
    )


@pytest.mark.parametrize(
    ("values", "width", "says"),
    [
        (
            [1.0, np.nan],
            0.1,
            "growth: a pilot needs at least 2 seeds with a value, and this one has 1",
        ),
        ([1.0, 2.0], 0.0, "growth: width = 0.0 is not allowed; it must be above 0"),
    ],
)
def test_a_pilot_that_says_nothing_is_refused(values, width, says):
    with pytest.raises(StudyError) as error:
        seeds_for_width(values, width, name="growth")
    assert str(error.value) == says


def test_vargha_delaney_is_the_chance_that_one_is_above_the_other():
    assert vargha_delaney([4, 5], [1, 2, 3]) == 1 and vargha_delaney([1, 2, 3], [4, 5]) == 0
    assert vargha_delaney([1, 2], [1, 1]) == 0.75, "one tie in two counts a quarter"
    assert vargha_delaney([7, 7], [7, 7]) == 0.5, "equal values are no difference"
    random = np.random.default_rng(4)
    a, b = random.normal(0.5, 1, 4000), random.normal(0, 1, 4000)
    assert vargha_delaney(a, b) == pytest.approx(stats.norm.cdf(0.5 / np.sqrt(2)), abs=0.02), (
        "known for normal samples"
    )
    with pytest.raises(StudyError, match="neither of which may be empty"):
        vargha_delaney([1.0], [])


def test_consistency_needs_the_seeds_that_theory_gives():
    plan = seeds_for_consistency(sample(1.0, 200), planned=10, name="effect")
    random = np.random.default_rng(
        5
    )  # A between samples of n has variance (2 n + 1) / (12 n^2), nearly normal
    for size in (50, 200, 500):
        deviation = np.sqrt((2 * size + 1) / 12 / size**2)
        shared, own = random.normal(size=(4000, 1)), random.normal(size=(4000, 19))
        farthest = np.median(np.abs((shared + own) / np.sqrt(2)).max(axis=1)) * deviation
        assert plan.scores[size] == pytest.approx(0.5 + farthest, rel=0.02), (
            f"the largest A of {size} seeds a batch"
        )
    assert plan.seeds in (150, 200) and plan.scores[plan.seeds] <= 0.5 + SMALL < plan.scores[10]
    assert (
        f"needs {plan.seeds} seeds; with the 10 of this design chance alone moves A up to 0.7"
        in str(plan)
    )
