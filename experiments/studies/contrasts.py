"""Differences between two arms: paired, where both arms began from the same tumour, beside unpaired."""

import math
from typing import NamedTuple

import numpy as np
import pandas as pd

from .statistics import CONFIDENCE, half_width

RESAMPLES = 2000
MOST_AT_ONCE = 1_000_000


class Contrast(NamedTuple):
    """A mean difference, treated minus control, and how exactly each design knows it.

    ``variance_ratio`` is the variance of the difference between arms of different patients over that between arms of
    the same patient, with a bootstrap interval. ``unpaired_patients`` is how many patients, half of them in each arm, a
    trial of different patients needs for the standard error that ``pairs`` patients in both arms gave; ``saved`` is how
    many fewer the pairs are.
    """

    pairs: int
    difference: float
    low: float
    high: float
    paired_error: float
    unpaired_error: float
    variance_ratio: float
    ratio_low: float
    ratio_high: float
    unpaired_patients: float
    saved: float


def contrast(treated: np.ndarray, control: np.ndarray) -> Contrast:
    """Compare two arms patient by patient; entry i of both arrays is patient i. Pairs with a NaN are left out.

    ``low`` and ``high`` are the 95 % interval of the paired difference (Student's t). Numbers that need more than one
    pair, or some variation, are NaN.
    """
    treated, control = np.asarray(treated, dtype=float), np.asarray(control, dtype=float)
    known = np.isfinite(treated) & np.isfinite(control)
    treated, control = treated[known], control[known]
    pairs, difference = len(treated), treated - control
    if pairs < 2:
        return Contrast(pairs, float(difference.mean()) if pairs else math.nan, *[math.nan] * 9)
    paired_error = float(difference.std(ddof=1) / math.sqrt(pairs))
    unpaired_error = math.sqrt((treated.var(ddof=1) + control.var(ddof=1)) / pairs)
    margin = half_width(paired_error, pairs - 1)
    mean, ratio = float(difference.mean()), float(variance_ratio(treated, control))
    needed = 2 * math.ceil(pairs * ratio) if math.isfinite(ratio) else math.nan
    return Contrast(
        pairs,
        mean,
        mean - margin,
        mean + margin,
        paired_error,
        unpaired_error,
        ratio,
        *_interval(treated, control),
        needed,
        needed - pairs,
    )


def variance_ratio(treated: np.ndarray, control: np.ndarray) -> np.ndarray | float:
    """Variance of an unpaired over that of a paired difference, along the last axis; NaN where the latter does not vary.

    For arms of equal variance whose patients correlate by r it is 1 / (1 - r).
    """
    paired = np.var(treated - control, axis=-1, ddof=1)
    unpaired = np.var(treated, axis=-1, ddof=1) + np.var(control, axis=-1, ddof=1)
    ratio = np.divide(
        unpaired, paired, out=np.full(np.shape(paired), np.nan), where=np.asarray(paired) > 0
    )
    return ratio if ratio.ndim else float(ratio)


def _interval(treated: np.ndarray, control: np.ndarray) -> tuple[float, float]:
    """Percentile bootstrap interval of the variance ratio over patients; the same data give the same interval."""
    random, count = np.random.default_rng(1), len(treated)
    at_once = max(1, MOST_AT_ONCE // count)
    drawn = (
        random.integers(count, size=(min(at_once, RESAMPLES - begun), count))
        for begun in range(0, RESAMPLES, at_once)
    )
    ratios = np.concatenate(
        [variance_ratio(treated[patients], control[patients]) for patients in drawn]
    )
    ratios = ratios[np.isfinite(ratios)]
    if len(ratios) < RESAMPLES / 2:
        return math.nan, math.nan
    low, high = np.quantile(ratios, [0.5 - CONFIDENCE / 2, 0.5 + CONFIDENCE / 2])
    return float(low), float(high)


def contrasts(
    table: pd.DataFrame,
    quantities: dict[str, str],
    *,
    by: str = "patient",
    control: str = "control",
) -> pd.DataFrame:
    """Every arm against the control, and against each treated arm before it: a row per quantity and pair of arms.

    ``table`` has one row per arm and value of ``by`` (patient, or seed); ``quantities`` are its columns with the words for
    each. Columns: ``quantity``, ``arm``, ``against`` and those of :class:`Contrast`.
    """
    arms = [control, *[arm for arm in table["arm"].unique() if arm != control]]
    pairs = [(arm, other) for other in arms for arm in arms[arms.index(other) + 1 :]]
    rows = []
    for column, words in quantities.items():
        wide = table.pivot(index=by, columns="arm", values=column)
        rows += [
            {"quantity": words, "arm": arm, "against": other}
            | contrast(wide[arm].to_numpy(dtype=float), wide[other].to_numpy(dtype=float))._asdict()
            for arm, other in pairs
        ]
    return pd.DataFrame(rows, columns=["quantity", "arm", "against", *Contrast._fields])
