"""Means and their intervals along the last axis of an array, leaving out what is missing."""

import numpy as np
from scipy.special import stdtrit


def interval(values: np.ndarray, confidence: float = 0.95) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean and Student's t interval over independent values along the last axis, NaN left out; NaN ends for fewer than two."""
    values = np.asarray(values, dtype=float)
    known = np.isfinite(values)
    count, mean = known.sum(axis=-1), mean_known(values)
    squares = np.where(known, (np.where(known, values, 0) - np.nan_to_num(mean)[..., None]) ** 2, 0).sum(axis=-1)
    free = np.where(count > 1, count - 1, np.nan)
    half = stdtrit(free, (1 + confidence) / 2) * np.sqrt(squares / free / np.maximum(count, 1))
    return mean, mean - half, mean + half


def mean_known(values: np.ndarray, whole: bool = False) -> np.ndarray:
    """Mean of what is known along the last axis; NaN where nothing is, or where anything is not and it must be ``whole``."""
    known = np.isfinite(values)
    count = np.where(known.all(axis=-1), known.shape[-1], 0) if whole else known.sum(axis=-1)
    return np.divide(np.where(known, values, 0).sum(axis=-1), count, out=np.full(known.shape[:-1], np.nan), where=count > 0)
