"""Means and Student's t intervals; along the last axis of an array, what is missing is left out."""

import math
from typing import overload

import numpy as np
from scipy.special import stdtrit

CONFIDENCE = 0.95
Number = float | np.ndarray


def interval(
    values: np.ndarray, confidence: float = CONFIDENCE
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean and Student's t interval over independent values along the last axis, NaN left out; NaN ends for fewer than two."""
    values = np.asarray(values, dtype=float)
    known = np.isfinite(values)
    count, mean = known.sum(axis=-1), mean_known(values)
    squares = np.where(
        known, (np.where(known, values, 0) - np.nan_to_num(mean)[..., None]) ** 2, 0
    ).sum(axis=-1)
    free = np.where(count > 1, count - 1, np.nan)
    half = half_width(np.sqrt(squares / free / np.maximum(count, 1)), free, confidence)
    return mean, mean - half, mean + half


@overload
def half_width(error: float, freedom: float, confidence: float = CONFIDENCE) -> float: ...
@overload
def half_width(error: Number, freedom: Number, confidence: float = CONFIDENCE) -> Number: ...
def half_width(error: Number, freedom: Number, confidence: float = CONFIDENCE) -> Number:
    """Half the width of Student's t interval around a number of this standard error, known with so many degrees of freedom."""
    return stdtrit(freedom, (1 + confidence) / 2) * error


def width_over(seeds: int, deviation: float, confidence: float = CONFIDENCE) -> float:
    """Half the width of the t interval of a mean over ``seeds`` replicates of this standard deviation."""
    return half_width(deviation / math.sqrt(seeds), seeds - 1, confidence)


def mean_known(values: np.ndarray, whole: bool = False) -> np.ndarray:
    """Mean of what is known along the last axis; NaN where nothing is, or where anything is not and it must be ``whole``."""
    known = np.isfinite(values)
    count = np.where(known.all(axis=-1), known.shape[-1], 0) if whole else known.sum(axis=-1)
    return np.divide(
        np.where(known, values, 0).sum(axis=-1),
        count,
        out=np.full(known.shape[:-1], np.nan),
        where=count > 0,
    )
