"""What a plain sweep says, in sentences: where each arm did best and worst, or what its outcome goes with."""

import math
from collections.abc import Mapping, Sequence

import pandas as pd
from scipy import stats

from simulation.plots import style

from .words import axis_words, listed, point_words

MOST_VALUES = 12
"""Parameters with more values than this were sampled over a range: their runs are ranked, not compared point by point."""
CHANCE = 0.01
"""A rank correlation this improbable by chance, shared by all parameters of the sweep, is called a link."""


def told(outcomes: pd.DataFrame, axes: Sequence[str], units: Mapping[str, str]) -> list[str]:
    """One sentence per arm: its growth (control), or what it leaves of the control's burden, over the swept parameters.

    ``outcomes`` has a row per run and arm; ``axes`` are its columns that vary, with their ``units``.
    """
    found = []
    for arm, rows in outcomes.groupby("arm", sort=False):
        quantity = "growth" if arm == "control" else "effect"
        rows, own = rows.dropna(subset=quantity), [axis for axis in axes if arm != "control" or not _of_treatment(axis)]
        if rows.empty:
            continue
        if any(rows[axis].nunique() > MOST_VALUES for axis in own):
            found.append(_links(arm, rows, own, quantity))
        else:
            found.append(_extremes(arm, rows, own, quantity, units))
    return found


def _of_treatment(axis: str) -> bool:
    return axis.startswith("treatments.")


def _extremes(arm: str, rows: pd.DataFrame, axes: list[str], quantity: str, units: Mapping[str, str]) -> str:
    """The points with the lowest and the highest median."""
    name = style.name_words(arm)
    if not axes:
        return f"{name}: {_outcome(rows, quantity)}."
    medians = rows.groupby(axes)[quantity].median()
    ends = []
    for key in (medians.idxmin(), medians.idxmax()):
        point = dict(zip(axes, key if isinstance(key, tuple) else (key,), strict=True))
        there = rows[(rows[axes] == pd.Series(point)).all(axis=1)]
        ends.append(f"{_outcome(there, quantity)} at {point_words(point, units)}")
    return f"{name}: from {ends[0]} to {ends[1]}."


def _outcome(rows: pd.DataFrame, quantity: str) -> str:
    """The median of some runs with their middle half, and how many ended without a tumour cell."""
    low, middle, high = rows[quantity].quantile([0.25, 0.5, 0.75])
    gone, than = int((rows["end_cells"] == 0).sum()), "the burden of day 0" if quantity == "growth" else "the control's burden"
    written, of = (_per_cent, "of") if middle < math.log(2) else (_fold, "times")
    words = f"{written(middle)} {of} {than} ({written(low)} to {written(high)})"
    return words + (f", gone in {gone} of {len(rows)} runs" if gone else "")


def _links(arm: str, rows: pd.DataFrame, axes: list[str], quantity: str) -> str:
    """Which parameters the outcome of runs over ranges goes with, strongest first."""
    name, what = style.name_words(arm), "its growth" if quantity == "growth" else "what it leaves of the control's burden"
    links, without = {}, []
    for axis in axes:
        found = None
        if pd.api.types.is_numeric_dtype(rows[axis]) and rows[axis].nunique() > 1 and rows[quantity].nunique() > 1:
            found = stats.spearmanr(rows[axis], rows[quantity])
        if found is not None and found.pvalue < CHANCE / len(axes):
            links[axis] = found.statistic
        else:
            without.append(axis_words(axis))
    strongest = [f"{'rises' if links[axis] > 0 else 'falls'} with {axis_words(axis)} (rank correlation {links[axis]:.2f})"
                 for axis in sorted(links, key=lambda axis: -abs(links[axis]))]
    said = f"{name}: {what} {listed(strongest)}" if strongest else f"{name}: {what} goes with none of the swept parameters"
    return said + (f"; no link is seen with {listed(without)}." if strongest and without else ".")


def _per_cent(ln: float) -> str:
    return style.percent(math.exp(ln))


def _fold(ln: float) -> str:
    return style.number(float(f"{math.exp(ln):.2g}"))
