"""What a plain sweep says, in sentences: where each arm did best and worst, or what its outcome goes with."""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd
from scipy import stats

from experiments.words import axis_words, listed, point_words
from simulation.words import name_words, number_words, percent

MOST_VALUES = 12
"""Parameters with more values than this were sampled over a range: points are ranked, not compared one by one."""
CHANCE = 0.01
"""A link this improbable by chance, shared by all parameters of the sweep, is called one."""
FEW = 3
"""Fewer runs than this have no quartiles to speak of."""


def told(outcomes: pd.DataFrame, axes: Sequence[str], units: Mapping[str, str]) -> list[str]:
    """One sentence per arm: what is left of the burden of day 0 (control) or of the control's, over the swept parameters.

    ``outcomes`` has a row per run and arm; ``axes`` are its columns that vary, with their ``units``. Runs that had no tumour on
    day 0 are left out, and a run that several points share, as an untreated arm does over doses, counts once.
    """
    found = []
    for arm, rows in outcomes.groupby("arm", sort=False):
        rows = rows[rows["start_cells"] > 0]
        rows = rows.assign(
            left=rows["end_cells"]
            / (rows["start_cells"] if arm == "control" else control_cells(rows))
        )
        own = [axis for axis in axes if concerns(axis, rows, axes, str(arm))]
        rows = rows.drop_duplicates([*own, "seed"])
        than = "the burden of day 0" if arm == "control" else "the control's burden"
        if rows["left"].notna().any():
            ranges = any(rows[axis].nunique() > MOST_VALUES for axis in own)
            said = links(rows, own, than) if ranges else extremes(rows, own, than, units)
            found.append(f"{name_words(str(arm))}: {said}.")
    if nothing := int((outcomes.drop_duplicates("run")["start_cells"] == 0).sum()):
        found.append(
            f"{nothing} of {outcomes['run'].nunique()} runs had no tumour on day 0 and are left out."
        )
    return found


def control_cells(rows: pd.DataFrame) -> pd.Series:
    """The control's cells on the last day, which the effect of an arm stands for; NaN where none were left."""
    cells = ((rows["end_cells"] + 1) / np.exp(rows["effect"]) - 1).round()
    return cells.where(cells > 0)


def concerns(axis: str, rows: pd.DataFrame, axes: Sequence[str], arm: str) -> bool:
    """Whether a parameter varies in an arm and can have changed anything there."""
    if rows[axis].nunique() < 2 or (arm == "control" and axis.startswith("treatments.")):
        return False
    alike = rows.groupby([*(other for other in axes if other != axis), "seed"])["end_cells"]
    return bool(alike.nunique().max() > 1 or alike.size().max() == 1)


def extremes(rows: pd.DataFrame, axes: list[str], than: str, units: Mapping[str, str]) -> str:
    """The points with the lowest and the highest median, among equal ones by their mean."""
    if not axes:
        return outcome(rows, than)
    of_points = rows.dropna(subset="left").groupby(axes)["left"].agg(["median", "mean"])
    ranked, ends = of_points.sort_values(["median", "mean"], kind="stable").index, []
    for key in (ranked[0], ranked[-1]):
        point = dict(zip(axes, key if isinstance(key, tuple) else (key,), strict=True))
        there = rows[(rows[axes] == pd.Series(point)).all(axis=1)]
        ends.append(f"{outcome(there, than)} at {point_words(point, units)}")
    return f"from {ends[0]} to {ends[1]}"


def outcome(rows: pd.DataFrame, than: str) -> str:
    """The median of some runs with the quartiles, and in how many no tumour cell is left."""
    low, middle, high = rows["left"].quantile([0.25, 0.5, 0.75])
    gone = int((rows["end_cells"] == 0).sum())
    if middle == 0:
        return f"no tumour cell left in {gone} of {len(rows)} runs"
    written, of = (percent, "of") if middle < 2 else (partial(number_words, digits=2), "times")
    words = f"{written(middle)} {of} {than}"
    words += (
        f" (quartiles {written(low)} and {written(high)})" if rows["left"].count() >= FEW else ""
    )
    return words + (f", none left in {gone} of {len(rows)} runs" if gone else "")


def links(rows: pd.DataFrame, axes: list[str], than: str) -> str:
    """Which parameters the outcome of points over ranges goes with, strongest first; a point is the mean over its seeds."""
    points = rows.groupby(axes, as_index=False)["left"].mean().dropna(subset="left")
    found: dict[str, float | None] = {}
    without = []
    for axis in axes:
        strength, chance = link(points, axis)
        if chance < CHANCE / len(axes):
            found[axis] = strength
        else:
            without.append(axis_words(axis))
    told = [
        f"differs with {axis_words(axis)}"
        if strength is None
        else f"{'rises' if strength > 0 else 'falls'} with {axis_words(axis)} (rank correlation {strength:.2f})"
        for axis, strength in sorted(found.items(), key=lambda each: -abs(each[1] or 1.0))
    ]
    said = (
        f"what is left of {than} {listed(told)}"
        if told
        else f"what is left of {than} goes with none of the swept parameters"
    )
    return said + (f"; no link is seen with {listed(without)}" if told and without else "")


def link(points: pd.DataFrame, axis: str) -> tuple[float | None, float]:
    """The rank correlation of the outcome with an axis (None for one of names) and how probable it is by chance."""
    if pd.api.types.is_numeric_dtype(points[axis]):
        found = (
            stats.spearmanr(points[axis], points["left"]) if points["left"].nunique() > 1 else None
        )
        return (found.statistic, found.pvalue) if found else (0.0, 1.0)
    groups = [group.to_numpy() for _, group in points.groupby(axis)["left"]]
    return None, (stats.kruskal(*groups).pvalue if points["left"].nunique() > 1 else 1.0)
