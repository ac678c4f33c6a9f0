"""Isoboles: the pairs of doses that have one and the same effect, beside the line of additive doses.

Loewe & Muischnek 1926: if two drugs are one drug in two bottles, the doses (x, y) of equal effect lie on the straight line
x/X + y/Y = 1 between the doses X and Y that reach it alone. That sum is the combination index (Chou & Talalay 1984):
below 1 less than additive doses is needed, above 1 more. Between tested doses the mean effect, ln(control/treated), is taken as
linear. Levels are shares of the control's burden that are removed, in the geometric mean over seeds.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from ..statistics import CONFIDENCE, half_width
from .grid import Grid


class Line(NamedTuple):
    """Along one tested dose of one treatment: the dose of the other (``along``: x or y) that reaches a level, NaN if none does.

    ``combination_index`` is that of the pair, and ``without`` the same with each seed left out in turn.
    """

    along: str
    fixed: float
    found: float
    combination_index: float
    without: np.ndarray


def isoboles(grid: Grid, levels: Sequence[float], confidence: float = CONFIDENCE) -> pd.DataFrame:
    """One row per point of an isobole: level, x, y, ``along`` (which dose was interpolated), combination_index, low, high.

    The doses that reach a level alone are points too. Along each tested dose the smallest dose of the other treatment that
    reaches the level counts. The index is NaN where one treatment alone never reaches the level. Intervals: jackknife over
    seeds, on the logarithm.
    """
    rows = []
    for level in levels:
        alone = _alone(grid, grid.mean, effect_of(level))
        for axis, point in (("x", (alone[0], 0.0)), ("y", (0.0, alone[1]))):
            if np.isfinite(point).all():
                rows.append(
                    (
                        level,
                        *point,
                        axis,
                        1.0 if np.isfinite(alone).all() else np.nan,
                        np.nan,
                        np.nan,
                    )
                )
        for line in _lines(grid, effect_of(level)):
            x, y = (line.found, line.fixed) if line.along == "x" else (line.fixed, line.found)
            rows.append(
                (
                    level,
                    x,
                    y,
                    line.along,
                    line.combination_index,
                    *_jackknife(line.combination_index, line.without, confidence),
                )
            )
    columns = ["level", "x", "y", "along", "combination_index", "low", "high"]
    return pd.DataFrame(rows, columns=columns).sort_values(["level", "x", "y"], ignore_index=True)


def levels_reached(
    grid: Grid, levels: Sequence[float], confidence: float = CONFIDENCE
) -> pd.DataFrame:
    """One row per level: x_alone and y_alone (doses, NaN when not reached), reached (by any pair), points (pairs of doses on
    its isobole), combination_index (geometric mean over them), low, high."""
    rows = []
    for level in levels:
        effect = effect_of(level)
        alone, lines = _alone(grid, grid.mean, effect), list(_lines(grid, effect))
        row = {
            "level": level,
            "x_alone": alone[0],
            "y_alone": alone[1],
            "reached": bool((grid.mean >= effect).any()),
            "points": len(lines),
        }
        indices = [line.combination_index for line in lines if np.isfinite(line.combination_index)]
        mean = float(stats.gmean(indices)) if indices else np.nan
        without = (
            stats.gmean([line.without for line in lines])
            if indices
            else np.full(grid.seeds.size, np.nan)
        )
        low, high = _jackknife(mean, without, confidence)
        rows.append(row | {"combination_index": mean, "low": low, "high": high})
    return pd.DataFrame(rows)


def effect_of(share: float) -> float:
    """The effect that removes a share of the control's burden."""
    return float(-np.log1p(-share))


def crossing(doses: np.ndarray, effects: np.ndarray, level: float) -> np.ndarray:
    """The smallest dose at which effects (..., doses), linear between doses, reach a level; NaN if none does.

    Doses at which an effect is missing are left out.
    """
    measured = np.isfinite(effects).all(axis=tuple(range(effects.ndim - 1)))
    if not measured.any():
        return np.full(effects.shape[:-1], np.nan)
    doses, effects = doses[measured], effects[..., measured]
    reached = effects >= level
    first = np.argmax(reached, axis=-1)
    before = np.maximum(first - 1, 0)
    low, high = (
        np.take_along_axis(effects, place[..., None], -1)[..., 0] for place in (before, first)
    )
    share = np.divide(level - low, high - low, out=np.zeros_like(low), where=high > low)
    return np.where(
        reached.any(axis=-1), doses[before] + share * (doses[first] - doses[before]), np.nan
    )


def _alone(grid: Grid, mean: np.ndarray, level: float) -> np.ndarray:
    """The doses of x alone and of y alone that reach a level in mean effects (..., doses of x, doses of y)."""
    return np.stack(
        [
            crossing(grid.x_doses, mean[..., :, 0], level),
            crossing(grid.y_doses, mean[..., 0, :], level),
        ]
    )


def _lines(grid: Grid, level: float) -> Iterator[Line]:
    """The lines along which less than the whole dose of the other treatment is needed."""
    whole, without = grid.mean, grid.without_each_seed
    alone, alone_without = _alone(grid, whole, level), _alone(grid, without, level)
    for along, kept, fixed_doses, doses in (
        ("y", 0, grid.x_doses, grid.y_doses),
        ("x", 1, grid.y_doses, grid.x_doses),
    ):
        for place, fixed in enumerate(fixed_doses[1:], start=1):
            at = (..., place, slice(None)) if along == "y" else (..., slice(None), place)
            found = float(crossing(doses, whole[at], level))
            if found > 0:
                index = fixed / alone[kept] + found / alone[1 - kept]
                indices = (
                    fixed / alone_without[kept]
                    + crossing(doses, without[at], level) / alone_without[1 - kept]
                )
                yield Line(along, float(fixed), found, float(index), indices)


def _jackknife(value: float, without: np.ndarray, confidence: float) -> tuple[float, float]:
    """An interval for a positive number from its values with each seed left out; NaN where one of them is not defined."""
    many = without.size
    if many < 2 or not np.isfinite(np.append(without, value)).all():
        return np.nan, np.nan
    error = np.sqrt((many - 1) * np.var(np.log(without)))
    half = half_width(error, many - 1, confidence)
    return float(value * np.exp(-half)), float(value * np.exp(half))
