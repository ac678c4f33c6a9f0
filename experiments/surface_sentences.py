"""What a dose surface says, in sentences."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from .isoboles import crossing
from .words import drug_words, listed, value_words

if TYPE_CHECKING:
    from .surfaces import Grid

REFERENCES = {"bliss": "Bliss independence predicts", "single": "the better single agent does"}
VERDICTS = ("synergy", "additive", "antagonism", "too few runs")
FULL = 0.95
"""Where the expected effect is above this, synergy has no room."""


def told(grid: "Grid", pairs: pd.DataFrame, overall: pd.DataFrame, levels: pd.DataFrame, *, quantity: str,
         units: Mapping[str, str]) -> list[str]:
    """Effects, excess, isoboles and gaps, one sentence each; ``quantity`` in words."""
    return [_effects(grid, pairs, quantity, units), *(_excess(row, pairs) for _, row in overall.iterrows()),
            *_extreme(grid, pairs, units), *(_isobole(grid, row, units) for _, row in levels.iterrows()), *_gaps(grid, units)]


def _effects(grid: "Grid", pairs: pd.DataFrame, quantity: str, units: Mapping[str, str]) -> str:
    alone_x, alone_y, both = (_percent(pairs.loc[which, "effect"].max()) for which in (
        pairs["y"] == 0, pairs["x"] == 0, (pairs["x"] > 0) & (pairs["y"] > 0)))
    seeds = "1 seed" if grid.seeds.size == 1 else f"{grid.seeds.size} paired seeds"
    said = (f"Effect is the share of the control's {quantity} that is removed (0 to 1, {seeds}): up to {alone_x} "
            f"with {drug_words(grid.x)} alone, {alone_y} with {drug_words(grid.y)} alone and {both} with both")
    if pairs["effect"].isna().all():
        return said + "."
    best = pairs.loc[pairs["effect"].idxmax()]
    return f"{said} (most at {_pair(grid, best['x'], best['y'], units)})."


def _excess(row: pd.Series, pairs: pd.DataFrame) -> str:
    """The average over dose pairs against one reference, and the verdicts pair by pair."""
    counts = pairs.loc[(pairs["x"] > 0) & (pairs["y"] > 0), f"{row['reference']}_verdict"].value_counts()
    each = listed([f"{counts[name]} {name}" for name in VERDICTS if name in counts])
    reference = REFERENCES[row["reference"]]
    if row["seeds"] < 2:
        return f"Too few seeds have every dose pair to compare their mean with what {reference}; pair by pair: {each}."
    return (f"Over {row['pairs']} dose pairs the combination removes {abs(100 * row['excess']):.1f} percentage points "
            f"{'more' if row['excess'] >= 0 else 'less'} than {reference} (95 % interval {_points(row['low'])} to "
            f"{_points(row['high'])}: {row['verdict']}); pair by pair: {each}.")


def _extreme(grid: "Grid", pairs: pd.DataFrame, units: Mapping[str, str]) -> list[str]:
    """Where the excess over Bliss independence is largest, and where it has no room."""
    inner, said = pairs[(pairs["x"] > 0) & (pairs["y"] > 0)], []
    if inner["bliss_low"].notna().any():
        top = inner.loc[inner["bliss_excess"].abs().idxmax()]
        said.append(f"The largest difference from Bliss independence is {_points(top['bliss_excess'])} points (95 % interval "
                    f"{_points(top['bliss_low'])} to {_points(top['bliss_high'])}) at {_pair(grid, top['x'], top['y'], units)}.")
    if full := int((inner["bliss"] > FULL).sum()):
        said.append(f"In {full} of {len(inner)} dose pairs Bliss independence already expects more than {FULL:.0%}: "
                    "synergy has no room there.")
    return said


def _isobole(grid: "Grid", row: pd.Series, units: Mapping[str, str]) -> str:
    """What it takes to reach one level of effect, alone and together."""
    share = f"{_percent(row['level'])} of the control's burden"
    if not row["reached"]:
        return f"No tested dose or pair of doses removes {share}."
    if np.isnan(row["x_alone"]) and np.isnan(row["y_alone"]):
        return f"{share} is removed by both, but by no tested dose of {drug_words(grid.x)} or {drug_words(grid.y)} alone."
    alone = [f"by {drug_words(name)} alone "
             + ("at no tested dose" if np.isnan(dose) else f"from {value_words(dose, units.get(name, ''))}")
             for name, dose in ((grid.x, row["x_alone"]), (grid.y, row["y_alone"]))]
    said = f"{share} is removed {listed(alone)}"
    if np.isnan(row["x_alone"]) or np.isnan(row["y_alone"]):
        return f"{said}: there is no line of additive doses to compare with.{_spared(grid, row, units)}"
    if not row["points"]:
        return f"{said}; every tested pair lies beyond these doses."
    verdict = ("no interval" if np.isnan(row["low"]) else f"95 % interval {row['low']:.2f} to {row['high']:.2f}: "
               + ("less than additive doses suffice" if row["high"] < 1 else
                  "more than additive doses are needed" if row["low"] > 1 else "not told apart from additive doses"))
    return (f"{said}; together the combination index is {row['combination_index']:.2f} over {row['points']} dose pairs "
            f"({verdict}).")


def _spared(grid: "Grid", row: pd.Series, units: Mapping[str, str]) -> str:
    """How far the other drug brings down the dose of the one drug that reaches a level alone."""
    doses, effects, name, other, most = ((grid.x_doses, grid.mean[:, -1], grid.x, grid.y, grid.y_doses[-1])
                                         if np.isfinite(row["x_alone"]) else
                                         (grid.y_doses, grid.mean[-1], grid.y, grid.x, grid.x_doses[-1]))
    found = float(crossing(doses, effects, row["level"]))
    if not found > 0:
        return ""
    return (f" With {drug_words(other)} {value_words(most, units.get(other, ''))} it takes {drug_words(name)} "
            f"{value_words(found, units.get(name, ''))}.")


def _gaps(grid: "Grid", units: Mapping[str, str]) -> list[str]:
    """One sentence on the runs that are missing, if any are."""
    missing = ~np.isfinite(grid.effect)
    if not missing.any():
        return []
    empty = [_pair(grid, grid.x_doses[i], grid.y_doses[j], units) for i, j in np.argwhere(missing.all(axis=2))]
    shown = listed(empty[:3] + ([f"{len(empty) - 3} more"] if len(empty) > 3 else []))
    return [f"{missing.sum()} of {missing.size} runs are missing, failed or had no control burden"
            + (f" (every seed of {shown})" if empty else "") + "; what is left is compared over the same seeds only."]


def _pair(grid: "Grid", x_dose: float, y_dose: float, units: Mapping[str, str]) -> str:
    return " with ".join(f"{drug_words(name)} {value_words(dose, units.get(name, ''))}"
                         for name, dose in ((grid.x, x_dose), (grid.y, y_dose)))


def _percent(share: float) -> str:
    return "an unknown share" if np.isnan(share) else f"{100 * share:.3g} %"


def _points(share: float) -> str:
    """A difference of shares in percentage points."""
    return f"{100 * share:+.1f}"
