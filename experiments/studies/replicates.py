"""Replicates: how many seeds a wanted precision takes, told from a pilot before a long sweep."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy import stats

from simulation.words import percent

from .archive import StudyError
from .statistics import CONFIDENCE, width_over

MOST_SEEDS = 1_000_000
SMALL = 0.06
"""Vargha-Delaney A within 0.5 +- 0.06 is a small difference at most (Vargha and Delaney 2000)."""
BATCHES = 20
SIZES = (1, 5, 10, 20, 50, 100, 150, 200, 300, 400, 500, 700, 1000)


@dataclass(frozen=True)
class WidthPlan:
    """How many seeds give a confidence interval of half-width ``width``; ``low`` and ``high`` as the pilot is uncertain."""

    name: str
    deviation: float
    pilot: int
    width: float
    level: float
    seeds: int
    low: int
    high: int
    planned: int | None = None
    half_width: float | None = None
    """The half-width that the planned seeds give."""

    def __str__(self) -> str:
        needs = f"needs {_number(self.seeds)} seeds" + (
            f" ({self.low:,} to {_number(self.high)} given so small a pilot)"
            if self.low < self.high
            else ""
        )
        text = (
            f"{self.name}: standard deviation {self.deviation:.3g} over {self.pilot} pilot seeds; "
            f"+-{self.width:g} at {percent(self.level, digits=3)} {needs}"
        )
        if self.planned is None:
            return text
        gives = f"giving +-{self.half_width:.2g}" if self.planned > 1 else "which gives no interval"
        return f"{text}; this design has {self.planned:,}, {gives}"


@dataclass(frozen=True)
class ConsistencyPlan:
    """The smallest number of seeds at which batches of replicates differ by chance only a little."""

    name: str
    pilot: int
    seeds: int | None
    scores: dict[int, float] = field(default_factory=dict)
    """Seeds in a batch -> the largest A between batches, 0.5 to 1."""
    planned: int | None = None

    def __str__(self) -> str:
        largest = max(self.scores)
        needs = (
            f"needs {self.seeds:,} seeds" if self.seeds else f"needs more than {largest:,} seeds"
        )
        text = (
            f"{self.name}: that {BATCHES} batches of seeds differ by no more than a small effect "
            f"(Vargha-Delaney A within {0.5 - SMALL:.2f} to {0.5 + SMALL:.2f}) {needs}"
        )
        if self.planned is None:
            return text
        return f"{text}; with the {self.planned:,} of this design chance alone moves A up to {self.scores[self.planned]:.2f}"


def seeds_for_width(
    values: Sequence[float],
    width: float,
    *,
    level: float = CONFIDENCE,
    planned: int | None = None,
    name: str = "the outcome",
) -> WidthPlan:
    """Seeds for a t interval of half-width ``width`` around the mean, from the values of a pilot.

    The number is the smallest n with t(n - 1) s / sqrt(n) <= width; ``low`` and ``high`` repeat it for the ends of the
    chi-square interval of s at the same level. Values that are not finite are left out. Raises StudyError for fewer than 2
    values or a width that is not above 0.
    """
    finite = _finite(values, name)
    if not (math.isfinite(width) and width > 0):
        raise StudyError(f"width = {width!r} is not allowed; it must be above 0", key=name)
    deviation, freedom = float(np.std(finite, ddof=1)), len(finite) - 1
    bounds = [
        deviation * math.sqrt(freedom / stats.chi2.ppf(tail, freedom))
        for tail in ((1 + level) / 2, (1 - level) / 2)
    ]
    half = None
    if planned is not None and planned > 1:
        half = float(width_over(planned, deviation, level))
    seeds, low, high = (_smallest(sd, width, level) for sd in (deviation, *bounds))
    return WidthPlan(
        name, deviation, len(finite), float(width), level, seeds, low, high, planned, half
    )


def vargha_delaney(a: Sequence[float], b: Sequence[float]) -> float:
    """Probability that a value of ``a`` is above one of ``b``, ties counting half (Vargha and Delaney 2000).

    Raises StudyError when either has no value or one that is not a number.
    """
    ones, others = np.asarray(a, float), np.asarray(b, float)
    if not (ones.size and others.size) or np.isnan(ones).any() or np.isnan(others).any():
        raise StudyError(
            "Vargha-Delaney A compares two lists of numbers, neither of which may be empty or hold a gap"
        )
    return (
        float(
            stats.mannwhitneyu(ones, others, method="asymptotic").statistic
            / (ones.size * others.size)
        )
        if np.ptp(np.r_[ones, others])
        else 0.5
    )


def seeds_for_consistency(
    values: Sequence[float],
    *,
    sizes: Sequence[int] = SIZES,
    planned: int | None = None,
    seed: int = 1,
    repeats: int = 20,
    name: str = "the outcome",
) -> ConsistencyPlan:
    """Smallest batch of replicates with which the first of 20 batches differs little from all others (Alden et al. 2013).

    Batches are drawn with replacement from ``values``; the largest ``|A - 0.5|`` of the 19 comparisons is taken, and of
    ``repeats`` such experiments the median. Raises StudyError for fewer than 2 values.
    """
    finite, random = _finite(values, name), np.random.default_rng(seed)
    wanted = sorted({*sizes, *([planned] if planned else [])})
    scores = {}
    for size in wanted:
        farthest = [
            np.abs(_scores(random.choice(finite, (BATCHES, size))) - 0.5).max()
            for _ in range(repeats)
        ]
        scores[size] = 0.5 + float(np.median(farthest))
    enough = [
        size
        for size in wanted
        if all(scores[other] <= 0.5 + SMALL for other in wanted if other >= size)
    ]
    return ConsistencyPlan(name, len(finite), min(enough, default=None), scores, planned)


def _scores(batches: np.ndarray) -> np.ndarray:
    """Vargha-Delaney A of the first batch against each of the others; batches x seeds in."""
    size = batches.shape[1]
    pairs = np.hstack([np.broadcast_to(batches[0], (len(batches) - 1, size)), batches[1:]])
    ranks = stats.rankdata(pairs, axis=1)[:, :size].sum(axis=1)
    return (ranks - size * (size + 1) / 2) / size**2


def _smallest(deviation: float, width: float, level: float) -> int:
    """The smallest n >= 2 whose half-width is at most ``width``; MOST_SEEDS + 1 when that is not enough."""
    below, above = 1, 2
    while width_over(above, deviation, level) > width:
        below, above = above, 2 * above
        if below > MOST_SEEDS:
            return MOST_SEEDS + 1
    while above - below > 1:
        middle = (below + above) // 2
        below, above = (
            (middle, above) if width_over(middle, deviation, level) > width else (below, middle)
        )
    return above


def _finite(values: Sequence[float], name: str) -> np.ndarray:
    finite = np.asarray(values, float)
    finite = finite[np.isfinite(finite)]
    if len(finite) < 2:
        raise StudyError(
            f"a pilot needs at least 2 seeds with a value, and this one has {len(finite)}", key=name
        )
    return finite


def _number(seeds: int) -> str:
    return f"more than {MOST_SEEDS:,}" if seeds > MOST_SEEDS else f"{seeds:,}"
