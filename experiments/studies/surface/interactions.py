"""What two treatments do together beyond a null: Bliss independence, a simulated null, and the better of the two alone.

Effects are ln(control/treated). Independent hazards add in it where growth is exponential (Bliss 1939); where room limits
growth a tumour grows back into the room that it lost, and no drug is independent of another. There the null is simulated:
each drug combined with a second copy of itself at matched effect (a sham combination), which by definition is no interaction.

All comparisons are paired: expected and observed effect come from the same tumour (seed), and only then is the mean taken.
Intervals are Student's t, those of dose pairs wide enough to hold for all pairs together (Bonferroni).
"""

from typing import Any

import numpy as np
import pandas as pd

from ..statistics import CONFIDENCE, interval, mean_known
from .bliss import beyond_bliss, roomy
from .grid import Grid
from .shams import matched

EXACT = 1e-9
"""Differences below this are rounding."""
REFERENCES = ("bliss", "sham", "single")


def excess(grid: Grid, confidence: float = CONFIDENCE) -> pd.DataFrame:
    """One row per pair of doses, single agents included: the effect, what was expected, and the excess over it.

    Columns: x, y (doses), seeds (paired runs behind the row), effect, effect_low, effect_high, bliss and single (the effects
    that they expect), room; then for ``bliss``, ``sham`` and ``single`` the excess with low, high, and the verdict on all of
    them. Intervals of excess hold for all pairs of both drugs at once. ``sham`` is told of the drug that explains most,
    its interval reaches over both; it is NaN where no dose of either drug matches the other.
    """
    alone = grid.effect[:, :1], grid.effect[:1]
    beyond, room = _beyond(grid), roomy(grid)
    inner = np.logical_and.outer(grid.x_doses > 0, grid.y_doses > 0)
    family = max(1, int((inner & room & (np.isfinite(beyond["bliss"][0]).sum(axis=2) > 1)).sum()))
    doses = np.meshgrid(grid.x_doses, grid.y_doses, indexing="ij")
    table = pd.DataFrame(
        {
            "x": doses[0].ravel(),
            "y": doses[1].ravel(),
            "seeds": np.isfinite(beyond["bliss"][0]).sum(axis=2).ravel(),
            "room": room.ravel(),
        }
    )
    for name, values in zip(
        ("effect", "effect_low", "effect_high"), interval(grid.effect, confidence), strict=True
    ):
        table[name] = values.ravel()
    table["bliss"] = mean_known(np.minimum(alone[0] + alone[1], grid.most)).ravel()
    table["single"] = np.maximum(*np.broadcast_arrays(*map(mean_known, alone))).ravel()
    flat = {
        name: [values.reshape(-1, grid.seeds.size) for values in several]
        for name, several in beyond.items()
    }
    table = pd.concat([table, _compared(flat, 1 - (1 - confidence) / family)], axis=1)
    table["verdict"] = [
        _verdict(row, bool(grid.shams)) if both else ""
        for both, row in zip(inner.ravel(), table.to_dict("records"), strict=True)
    ]
    return table


def overall(grid: Grid, confidence: float = CONFIDENCE) -> pd.DataFrame:
    """The excess averaged over all dose pairs, per seed and then over seeds: one test in place of one per pair.

    One row with pairs, seeds, the columns of :func:`excess` on each reference, and the verdict. Pairs without room or without any
    run are left out, and where there are shams those that none matches; of the others only seeds that have them all count.
    """
    beyond, room = _beyond(grid), roomy(grid)
    there = {
        name: [
            np.isfinite(values).any(axis=2) & room & (np.indices(room.shape).min(axis=0) > 0)
            for values in several
        ]
        for name, several in beyond.items()
    }
    told = there["bliss"][0]
    if (known := told & np.any(there["sham"], axis=0)).any():
        told = known
    means = {
        name: [
            mean_known(values[told & here].T, whole=True)[None]
            for values, here in zip(several, there[name], strict=True)
        ]
        for name, several in beyond.items()
    }
    seeds = int(np.isfinite(means["bliss"][0]).sum())
    table = pd.concat(
        [
            pd.DataFrame({"pairs": [int(told.sum())], "seeds": seeds, "room": bool(told.any())}),
            _compared(means, confidence),
        ],
        axis=1,
    )
    table["verdict"] = [_verdict(table.iloc[0].to_dict(), bool(grid.shams))]
    return table


def _beyond(grid: Grid) -> dict[str, list[np.ndarray]]:
    """Per reference the excess over it, doses of x by doses of y by seeds: one array, of the shams one per drug."""
    beyond, alone_x, alone_y = beyond_bliss(grid), grid.effect[:, :1], grid.effect[:1]
    better = np.where((mean_known(alone_x) >= mean_known(alone_y))[..., None], alone_x, alone_y)
    return {
        "bliss": [beyond],
        "sham": [beyond - sham for sham in matched(grid)],
        "single": [grid.effect - better],
    }


def _compared(beyond: dict[str, list[np.ndarray]], confidence: float) -> pd.DataFrame:
    """Excess, low and high over each reference, a row per row of values; over several of one kind at once.

    Of several, low is the lowest and high the highest, so that only what is beyond each of them is beyond; the excess is the one
    nearest to 0, and 0 where one lies above and another below.
    """
    columns: dict[str, np.ndarray] = {}
    for name in REFERENCES:
        rows = len(beyond["bliss"][0])
        several = np.stack(
            [np.stack(interval(values, confidence)) for values in beyond[name]]
            or [np.full((3, rows), np.nan)]
        )
        mean, low, high = (
            several[:, 0],
            np.fmin.reduce(several[:, 1]),
            np.fmax.reduce(several[:, 2]),
        )
        nearest = np.fmax(np.fmin.reduce(mean), 0) + np.fmin(np.fmax.reduce(mean), 0)
        columns |= {
            f"{name}_excess": np.where(np.isfinite(low), nearest, mean[0]),
            f"{name}_low": low,
            f"{name}_high": high,
        }
    return pd.DataFrame(columns)


def _verdict(row: dict[str, Any], shams: bool) -> str:
    """What both nulls say together: synergy and antagonism are beyond Bliss independence and beyond what the shams do."""
    if row["seeds"] < 2:
        return "too few runs"
    if not row["room"]:
        return "no room"
    if not (above := side(row["bliss_low"], row["bliss_high"])):
        return "additive"
    if not shams or np.isnan(row["sham_low"]):
        return "above Bliss" if above > 0 else "below Bliss"
    if side(row["sham_low"], row["sham_high"]) != above:
        return "explained by the tissue"
    return "synergy" if above > 0 else "antagonism"


def side(low: float, high: float) -> int:
    """1 where an interval lies above 0, -1 below, 0 where it holds 0 or is not known."""
    return int(low > EXACT) - int(high < -EXACT)
