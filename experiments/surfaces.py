"""Dose and combination surfaces: what two treatments do together, beside what each of them does alone.

The effect of a run is the share of its own control's burden that it removes, 1 - treated/control, between 0 and 1. By
default the burden is that of the last day (``end_cells``): then two drugs that add independent death hazards multiply
their surviving shares, so that Bliss independence is exactly what "no interaction" means. ``mean_cells``, the burden
averaged over time, is quieter where many tumours are eliminated, but promises no such thing.

All comparisons are paired: expected and observed effect come from the same tumour (seed), and only then is the mean taken.
Bliss 1939 (independent action); highest single agent: the better of the two by its mean effect.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from .archive import StudyError
from .isoboles import isoboles, levels_reached
from .study import Findings
from .words import listed, value_words

QUANTITIES = {
    "end_cells": "burden of the last day",
    "mean_cells": "burden averaged over time",
    "least_cells": "smallest burden",
    "effect": "burden of the last day, one cell added",
}
EXACT = 1e-9
"""Differences below this are rounding."""


class SurfaceError(StudyError):
    """A surface or ranking that a design or its table cannot give; the message is one sentence."""


@dataclass(frozen=True)
class Grid:
    """Effects on a grid of two doses: ``effect[i, j, k]`` is the share of the control's burden that dose ``x_doses[i]`` of
    ``x`` with ``y_doses[j]`` of ``y`` removes in the tumour of ``seeds[k]``; NaN where a run is missing. Doses rise from 0.
    """

    x: str
    y: str
    x_doses: np.ndarray
    y_doses: np.ndarray
    seeds: np.ndarray
    effect: np.ndarray

    @property
    def mean(self) -> np.ndarray:
        """Mean effect over seeds, doses of x by doses of y; NaN where every run is missing."""
        return _mean(np.where(np.isfinite(self.effect), self.effect, 0.0).sum(axis=2), np.isfinite(self.effect).sum(axis=2))

    @property
    def without_each_seed(self) -> np.ndarray:
        """Mean effect with one seed left out: seeds by doses of x by doses of y."""
        known = np.isfinite(self.effect)
        effect = np.where(known, self.effect, 0.0)
        means = _mean(effect.sum(axis=2, keepdims=True) - effect, known.sum(axis=2, keepdims=True) - known)
        return np.moveaxis(means, 2, 0)


def removed(outcomes: pd.DataFrame, arm: str, quantity: str = "end_cells") -> pd.Series:
    """Share of its control's burden that ``arm`` removes in each run, 0 to 1, indexed by ``run``.

    A treated tumour larger than its control counts as no effect; without any control burden there is none (NaN).
    Raises SurfaceError for an arm that the table does not have.
    """
    if quantity == "effect":
        outcomes = outcomes.assign(effect=np.exp(outcomes["effect"]))
    arms = {name: rows.set_index("run")[quantity].astype(float) for name, rows in outcomes.groupby("arm")}
    for name in (arm, "control"):
        if name not in arms:
            raise SurfaceError(f"arm = {name!r}: the results hold no such arm (choices: {', '.join(map(str, arms))})")
    control = arms["control"].reindex(arms[arm].index)
    return (1 - arms[arm] / control.where(control > 0)).clip(0, 1).rename("effect")


def check(design: pd.DataFrame, *, x: str, y: str, quantity: str = "end_cells") -> None:
    """Raise SurfaceError unless a design, one row a point (or run) and one column a parameter, makes a surface over x and y."""
    if quantity not in QUANTITIES:
        raise SurfaceError(f"surface: quantity = {quantity!r} is not allowed; it must be one of {', '.join(QUANTITIES)}")
    for name in (x, y):
        if name not in design:
            raise SurfaceError(f"surface: {name} does not vary (choices: {', '.join(one for one in design if '.' in one)})")
    if x == y:
        raise SurfaceError(f"surface: x and y are both {x}; a surface needs two treatments")
    for other in design:
        if other not in (x, y) and ("." in other or other == "scenario") and design[other].nunique(dropna=False) > 1:
            raise SurfaceError(f"surface: {other} varies too; a surface needs one value of everything but {x} and {y}")
    for name in (x, y):
        _doses(design[name], name)


def grid(outcomes: pd.DataFrame, *, x: str, y: str, arm: str, quantity: str = "end_cells") -> Grid:
    """The effects of an arm over the doses of two treatments; raises SurfaceError when the table holds no such grid."""
    check(outcomes, x=x, y=y, quantity=quantity)
    rows = outcomes[outcomes["arm"] == arm].set_index("run")
    rows = rows.assign(effect=removed(outcomes, arm, quantity))
    doses = {name: _doses(outcomes[name], name) for name in (x, y)}
    seeds = np.sort(outcomes["seed"].unique())
    effect = np.full((doses[x].size, doses[y].size, seeds.size), np.nan)
    places = (np.searchsorted(doses[x], rows[x].astype(float)), np.searchsorted(doses[y], rows[y].astype(float)),
              np.searchsorted(seeds, rows["seed"]))
    effect[places] = rows["effect"]
    return Grid(x, y, doses[x], doses[y], seeds, effect)


def excess(grid: Grid, confidence: float = 0.95) -> pd.DataFrame:
    """One row per pair of doses, single agents included: the effect, what was expected, and the excess over it.

    Columns: x, y (doses), seeds (paired runs behind the row), effect; then for ``bliss`` and ``single`` (the highest
    single agent): the expected effect, and for the excess its mean, low, high and verdict. Intervals are Student's t over
    the differences of paired seeds. Verdicts: ``synergy``, ``antagonism``, ``additive`` (the interval holds 0),
    ``too few runs``; single agents have none.
    """
    rows = []
    for i, x_dose in enumerate(grid.x_doses):
        for j, y_dose in enumerate(grid.y_doses):
            both, alone_x, alone_y = grid.effect[i, j], grid.effect[i, 0], grid.effect[0, j]
            paired = np.isfinite(both) & np.isfinite(alone_x) & np.isfinite(alone_y)
            both, alone_x, alone_y = both[paired], alone_x[paired], alone_y[paired]
            row = {"x": x_dose, "y": y_dose, "seeds": int(paired.sum())}
            row |= dict(zip(("effect", "effect_low", "effect_high"), interval(both, confidence), strict=True))
            best = alone_x if alone_x.sum() >= alone_y.sum() else alone_y
            for name, expected in (("bliss", alone_x + alone_y - alone_x * alone_y), ("single", best)):
                mean, low, high = interval(both - expected, confidence)
                told = verdict(low, high) if i and j else ""
                row |= {name: expected.mean() if expected.size else np.nan, f"{name}_excess": mean,
                        f"{name}_low": low, f"{name}_high": high, f"{name}_verdict": told}
            rows.append(row)
    table = pd.DataFrame(rows)
    table[["effect_low", "effect_high"]] = table[["effect_low", "effect_high"]].clip(0, 1)
    return table


def overall(grid: Grid, confidence: float = 0.95) -> pd.DataFrame:
    """The excess averaged over all dose pairs, per seed and then over seeds: one test in place of one per pair.

    One row per reference (``bliss``, ``single``): excess, low, high, pairs, seeds, verdict. Pairs of doses without any run are
    left out; of the others only seeds that have them all count.
    """
    both, alone_x, alone_y = grid.effect[1:, 1:], grid.effect[1:, :1], grid.effect[:1, 1:]
    better = (grid.mean[1:, :1] >= grid.mean[:1, 1:])[..., None]
    expected = {"bliss": alone_x + alone_y - alone_x * alone_y, "single": np.where(better, alone_x, alone_y)}
    rows = []
    for name, share in expected.items():
        beyond = both - share
        beyond = beyond[np.isfinite(beyond).any(axis=2)]  # pairs x seeds
        whole = np.isfinite(beyond).all(axis=0) & (beyond.shape[0] > 0)
        mean, low, high = interval(beyond[:, whole].mean(axis=0), confidence)
        rows.append({"reference": name, "excess": mean, "low": low, "high": high, "pairs": beyond.shape[0],
                     "seeds": int(whole.sum()), "verdict": verdict(low, high)})
    return pd.DataFrame(rows)


def interval(values: np.ndarray, confidence: float = 0.95) -> tuple[float, float, float]:
    """Mean and Student's t interval over independent values; NaN ends for fewer than two."""
    mean = float(values.mean()) if values.size else np.nan
    if values.size < 2:
        return mean, np.nan, np.nan
    half = float(stdtrit(values.size - 1, (1 + confidence) / 2) * values.std(ddof=1) / np.sqrt(values.size))
    return mean, mean - half, mean + half


def verdict(low: float, high: float) -> str:
    """What an interval of the excess says."""
    if np.isnan(low):
        return "too few runs"
    return "synergy" if low > EXACT else "antagonism" if high < -EXACT else "additive"


def analyse(outcomes: pd.DataFrame, x: str, y: str, arm: str, *, quantity: str = "end_cells", level: float = 0.5,
            units: Mapping[str, str] | None = None, question: str = "") -> Findings:
    """Tables, pictures and sentences of a surface: ``surface``, ``overall``, ``isoboles``, ``levels``.

    ``level`` is the effect of the middle isobole; two more are halfway to 0 and to 1. ``units`` gives the unit of each dose
    by its dotted name. Raises SurfaceError.
    """
    from . import surface_sentences
    from .pictures import surfaces as drawn
    measured, units = grid(outcomes, x=x, y=y, arm=arm, quantity=quantity), units or {}
    levels = (level / 2, level, (1 + level) / 2)
    pairs, mean = excess(measured), overall(measured)
    curves, reached = isoboles(measured, levels), levels_reached(measured, levels)
    figures = {"surface": drawn.surface(measured, pairs, levels=levels, units=units, question=question)}
    if len(curves):
        figures["isobologram"] = drawn.isobologram(measured, curves, reached, units=units, question=question)
    sentences = surface_sentences.told(measured, pairs, mean, reached, quantity=QUANTITIES[quantity], units=units)
    if larger := _larger(outcomes, arm, quantity):
        sentences.append(f"In {larger} of {measured.effect.size} runs the treated tumour was larger than its control; "
                         "this counts as no effect.")
    named = {"x": x, "y": y}
    return Findings(tables={"surface": pairs.rename(columns=named), "overall": mean, "isoboles": curves.rename(columns=named),
                            "levels": reached.rename(columns={f"{axis}_alone": f"{name} alone" for axis, name in named.items()})},
                    figures=figures, sentences=sentences)


def _larger(outcomes: pd.DataFrame, arm: str, quantity: str) -> int:
    """In how many runs the treated burden is above the control's."""
    wide = outcomes[outcomes["arm"].isin([arm, "control"])].pivot(index="run", columns="arm", values=quantity)
    return int((wide[arm] > wide["control"]).sum())


def _mean(total: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Totals over counts; NaN where nothing was counted."""
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)


def _doses(column: pd.Series, name: str) -> np.ndarray:
    """The doses of one treatment, 0 first; raises SurfaceError when they are no numbers or no dose is 0."""
    try:
        doses = np.unique(column.astype(float))
    except (ValueError, TypeError):
        raise SurfaceError(f"surface: {name} must be varied in numbers, not texts, to lie on an axis of doses") from None
    if doses[0] != 0 or doses.size < 2:
        raise SurfaceError(f"surface: {name} must be varied from 0, because the other treatment alone is the run with its "
                           f"dose 0; it was {listed([value_words(dose) for dose in doses])}")
    return doses
