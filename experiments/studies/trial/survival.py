"""Rates and times as trials report them: exact intervals, Kaplan-Meier curves, log-rank tests, hazard ratios."""

import math
import warnings
from importlib.util import find_spec
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from ..archive import StudyError
from ..statistics import CONFIDENCE


class Rate(NamedTuple):
    """A share of patients with its exact (Clopper-Pearson) interval."""

    share: float
    low: float
    high: float


class Comparison(NamedTuple):
    """Two arms compared: the hazard of the first over that of the second with its interval, and the log-rank test.

    The hazard ratio and its bounds are NaN where they cannot be estimated, as when one arm has no event.
    """

    hazard_ratio: float
    low: float
    high: float
    log_rank: float
    p_value: float


def rate(successes: int, number: int) -> Rate:
    """The share of successes; NaN where nobody was looked at."""
    if number == 0:
        return Rate(math.nan, math.nan, math.nan)
    interval = binomtest(int(successes), int(number)).proportion_ci(CONFIDENCE, method="exact")
    return Rate(successes / number, float(interval.low), float(interval.high))


def check_lifelines() -> None:
    """Raises StudyError where lifelines is not installed."""
    if find_spec("lifelines") is None:
        raise StudyError('a trial needs lifelines: pip install "tumorlab[research]"')


def kaplan_meier(days: np.ndarray, happened: np.ndarray) -> tuple[pd.DataFrame, float]:
    """The share still free of an event, and its median day (infinite when not reached).

    Columns: ``day`` (0 and every day on which something happened or was censored), ``at_risk`` just before, ``events``,
    ``free`` with ``low`` and ``high`` of the pointwise band (Greenwood, log-log).
    """
    check_lifelines()
    from lifelines import KaplanMeierFitter

    fitted = KaplanMeierFitter().fit(
        np.asarray(days, dtype=float), np.asarray(happened, dtype=bool), alpha=1 - CONFIDENCE
    )
    band = fitted.confidence_interval_.to_numpy()
    table = pd.DataFrame(
        {
            "day": fitted.event_table.index.to_numpy(dtype=float),
            "at_risk": fitted.event_table["at_risk"].to_numpy(dtype=np.int64),
            "events": fitted.event_table["observed"].to_numpy(dtype=np.int64),
            "free": fitted.survival_function_.to_numpy()[:, 0],
            "low": band[:, 0],
            "high": band[:, 1],
        }
    )
    return table, float(fitted.median_survival_time_)


def compare(
    days: np.ndarray, happened: np.ndarray, other_days: np.ndarray, other_happened: np.ndarray
) -> Comparison:
    """One arm against another, as if their patients were different ones: Cox hazard ratio and log-rank test."""
    check_lifelines()
    from lifelines import CoxPHFitter
    from lifelines.exceptions import ConvergenceError, ConvergenceWarning
    from lifelines.statistics import logrank_test

    if not len(days) or not len(other_days) or not (np.any(happened) or np.any(other_happened)):
        return Comparison(*[math.nan] * 5)
    test = logrank_test(days, other_days, happened, other_happened)
    table = pd.DataFrame(
        {
            "day": np.concatenate([days, other_days]).astype(float),
            "happened": np.concatenate([happened, other_happened]).astype(int),
            "arm": np.repeat([1.0, 0.0], [len(days), len(other_days)]),
        }
    )
    ratio = (math.nan, math.nan, math.nan)
    if np.any(happened) and np.any(other_happened):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", ConvergenceWarning)
            try:
                fitted = CoxPHFitter(alpha=1 - CONFIDENCE).fit(table, "day", "happened")
                low, high = fitted.confidence_intervals_.to_numpy()[0]
                ratio = (math.exp(fitted.params_.iloc[0]), math.exp(low), math.exp(high))
            except (ConvergenceError, ConvergenceWarning, ValueError, OverflowError):
                pass
    return Comparison(*ratio, log_rank=float(test.test_statistic), p_value=float(test.p_value))
