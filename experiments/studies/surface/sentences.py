"""What a dose surface says, in sentences."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from experiments.words import drug_words, listed, value_words
from simulation.words import bounds, percent

from ..statistics import interval
from .bliss import FEWEST
from .grid import Grid
from .isoboles import crossing, effect_of

VERDICTS = (
    "synergy",
    "antagonism",
    "explained by the tissue",
    "additive",
    "above Bliss",
    "below Bliss",
    "no room",
    "too few runs",
)
UNTOLD = "without a simulated null at these effects it is not told whether that is"
REASONS = {
    "synergy": "synergy: fewer cells are left than by either null",
    "antagonism": "antagonism: more cells are left than by either null",
    "explained by the tissue": "explained by the tissue: it differs from Bliss independence, but not so from what a drug "
    "combined with itself does",
    "additive": "additive: not told apart from Bliss independence",
    "above Bliss": f"above Bliss independence: fewer cells are left than it predicts; {UNTOLD} synergy or the tissue",
    "below Bliss": f"below Bliss independence: more cells are left than it predicts; {UNTOLD} antagonism or the tissue",
}


def told(
    grid: Grid,
    pairs: pd.DataFrame,
    overall: pd.DataFrame,
    levels: pd.DataFrame,
    *,
    quantity: str,
    units: Mapping[str, str],
) -> list[str]:
    """Effects, excess, isoboles and gaps, one sentence each; ``quantity`` in words."""
    return [
        _effects(grid, pairs, quantity, units),
        *_excess(grid, overall.iloc[0]),
        *_each(grid, pairs, units),
        *(_isobole(grid, row, units) for _, row in levels.iterrows()),
        *_gaps(grid, units),
    ]


def _effects(grid: Grid, pairs: pd.DataFrame, quantity: str, units: Mapping[str, str]) -> str:
    alone_x, alone_y, both = (
        _removed(pairs.loc[which, "effect"].max())
        for which in (pairs["y"] == 0, pairs["x"] == 0, (pairs["x"] > 0) & (pairs["y"] > 0))
    )
    seeds = "1 seed" if grid.seeds.size == 1 else f"{grid.seeds.size} paired seeds"
    said = (
        f"Effect is ln(control/treated) of the {quantity} ({seeds}); in the geometric mean up to {alone_x} of the control's "
        f"burden is removed with {drug_words(grid.x)} alone, {alone_y} with {drug_words(grid.y)} alone and {both} with both"
    )
    if pairs["effect"].isna().all():
        return said + "."
    best = pairs.loc[pairs["effect"].idxmax()]
    return f"{said} (most at {_pair(grid, best['x'], best['y'], units)})."


def _excess(grid: Grid, row: pd.Series) -> list[str]:
    """The average over dose pairs against both nulls and the better single agent, and what follows."""
    if not row["room"]:
        return ["At no dose pair is enough known, or left, to compare with Bliss independence."]
    if row["seeds"] < 2:
        return [
            "Too few seeds have every dose pair to compare their mean with what either null predicts."
        ]
    said = [
        f"Over {row['pairs']} dose pairs the combination leaves {_left(row, 'bliss')} of the cells that Bliss independence "
        "predicts."
    ]
    if grid.shams and np.isfinite(row["sham_low"]):
        said.append(
            f"Beside the simulated null it leaves {_left(row, 'sham')} of the cells that a drug combined with itself at "
            "matched effect leaves, whichever of the two drugs is taken."
        )
        idle = [
            drug_words(name)
            for name, alone in ((grid.x, grid.effect[1:, 0]), (grid.y, grid.effect[0, 1:]))
            if not (interval(alone)[1] > 0).any()
        ]
        said += [
            f"{name} alone does nothing that is told from nothing: the sham that matches it is the other drug alone."
            for name in idle
        ]
    return [
        *said,
        f"By these averages the combination is {REASONS[row['verdict']]}.",
        f"It leaves {_left(row, 'single')} of the cells that the better single agent leaves.",
    ]


def _each(grid: Grid, pairs: pd.DataFrame, units: Mapping[str, str]) -> list[str]:
    """The verdicts pair by pair, and where the excess over Bliss independence is largest."""
    inner = pairs[(pairs["x"] > 0) & (pairs["y"] > 0)]
    counts = inner["verdict"].value_counts()
    against = (
        "against Bliss independence and the simulated null"
        if grid.shams
        else "against Bliss independence alone"
    )
    said = [
        f"Pair by pair, {against} and with intervals that hold for all pairs together: "
        f"{listed([f'{counts[name]} {name}' for name in VERDICTS if name in counts])}."
    ]
    roomy = inner[inner["room"] & inner["bliss_low"].notna()]
    if len(roomy):
        top = roomy.loc[roomy["bliss_excess"].abs().idxmax()]
        said.append(
            f"The largest difference from Bliss independence is at {_pair(grid, top['x'], top['y'], units)}: "
            f"{_left(top, 'bliss')} of the cells it predicts ({top['verdict']})."
        )
    if full := int((inner["verdict"] == "no room").sum()):
        said.append(
            f"In {full} of {len(inner)} dose pairs Bliss independence expects fewer than {FEWEST} cells: no room "
            "for a verdict."
        )
    return said


def _isobole(grid: Grid, row: pd.Series, units: Mapping[str, str]) -> str:
    """What it takes to reach one level of effect, alone and together."""
    share = f"{percent(row['level'], digits=3)} of the control's burden"
    if not row["reached"]:
        return f"No tested dose or pair of doses removes {share}."
    if np.isnan(row["x_alone"]) and np.isnan(row["y_alone"]):
        return f"{share} is removed by both, but by no tested dose of {drug_words(grid.x)} or {drug_words(grid.y)} alone."
    alone = [
        f"by {drug_words(name)} alone "
        + (
            "at no tested dose"
            if np.isnan(dose)
            else f"from {value_words(dose, units.get(name, ''))}"
        )
        for name, dose in ((grid.x, row["x_alone"]), (grid.y, row["y_alone"]))
    ]
    said = f"{share} is removed {listed(alone)}"
    if np.isnan(row["x_alone"]) or np.isnan(row["y_alone"]):
        return f"{said}: there is no line of additive doses to compare with.{_spared(grid, row, units)}"
    if not row["points"]:
        return f"{said}; every tested pair lies beyond these doses."
    verdict = (
        "no interval"
        if np.isnan(row["low"])
        else f"95 % interval {row['low']:.2f} to {row['high']:.2f}: "
        + (
            "less than additive doses suffice"
            if row["high"] < 1
            else "more than additive doses are needed"
            if row["low"] > 1
            else "not told apart from additive doses"
        )
    )
    return (
        f"{said}; together the combination index is {row['combination_index']:.2f} over {row['points']} dose pairs "
        f"({verdict})."
    )


def _spared(grid: Grid, row: pd.Series, units: Mapping[str, str]) -> str:
    """How far the other drug brings down the dose of the one drug that reaches a level alone."""
    doses, effects, name, other, most = (
        (grid.x_doses, grid.mean[:, -1], grid.x, grid.y, grid.y_doses[-1])
        if np.isfinite(row["x_alone"])
        else (grid.y_doses, grid.mean[-1], grid.y, grid.x, grid.x_doses[-1])
    )
    found = float(crossing(doses, effects, effect_of(row["level"])))
    if not found > 0:
        return ""
    return (
        f" With {drug_words(other)} {value_words(most, units.get(other, ''))} it takes {drug_words(name)} "
        f"{value_words(found, units.get(name, ''))}."
    )


def _gaps(grid: Grid, units: Mapping[str, str]) -> list[str]:
    """One sentence on the runs that are missing, if any are."""
    missing = ~np.isfinite(grid.effect)
    if not missing.any():
        return []
    empty = [
        _pair(grid, grid.x_doses[i], grid.y_doses[j], units)
        for i, j in np.argwhere(missing.all(axis=2))
    ]
    shown = listed(empty[:3] + ([f"{len(empty) - 3} more"] if len(empty) > 3 else []))
    return [
        f"{missing.sum()} of {missing.size} runs are missing, failed or had no control burden"
        + (f" (every seed of {shown})" if empty else "")
        + "; what is left is compared over the same seeds only."
    ]


def _pair(grid: Grid, x_dose: float, y_dose: float, units: Mapping[str, str]) -> str:
    return " with ".join(
        f"{drug_words(name)} {value_words(dose, units.get(name, ''))}"
        for name, dose in ((grid.x, x_dose), (grid.y, y_dose))
    )


def _removed(effect: float) -> str:
    """The share of the control's burden that an effect removes."""
    return percent(-np.expm1(-effect)) if np.isfinite(effect) else "an unknown share"


def _left(row: pd.Series, reference: str) -> str:
    """Cells left over cells expected, with the interval."""
    middle, high, low = (np.exp(-row[f"{reference}_{end}"]) for end in ("excess", "low", "high"))
    return percent(middle) + bounds(low, high, percent, "95 % interval ")
