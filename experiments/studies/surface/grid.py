"""Effects on a grid of two doses, and of each drug with a copy of itself."""

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from experiments.words import listed, value_words

from ..archive import StudyError
from ..statistics import mean_known

QUANTITIES = {
    "end_cells": "burden of the last day",
    "mean_cells": "burden averaged over time",
    "least_cells": "smallest burden",
}
LEAST = 0.5
"""Cells that an eliminated tumour counts as: its ln is then finite, and no more than a cell was counted wrong."""
OF_DRUG = re.compile(r"treatments\.([^.]+)\.(.+)")


class SurfaceError(StudyError):
    """A surface or ranking that a design or its table cannot give; the message is one sentence."""


@dataclass(frozen=True)
class Grid:
    """Effects on a grid of two doses: ``effect[i, j, k]`` is ln(control/treated) of dose ``x_doses[i]`` of ``x`` with
    ``y_doses[j]`` of ``y`` in the tumour of ``seeds[k]``; NaN where a run is missing. Doses rise from 0.

    ``most[k]`` is the effect that leaves nothing. ``shams`` are the grids of a drug with its copy, where they were run.
    """

    x: str
    y: str
    x_doses: np.ndarray
    y_doses: np.ndarray
    seeds: np.ndarray
    effect: np.ndarray
    most: np.ndarray
    shams: tuple["Grid", ...] = ()

    @property
    def mean(self) -> np.ndarray:
        """Mean effect over seeds, doses of x by doses of y; NaN where every run is missing."""
        return mean_known(self.effect)

    @property
    def without_each_seed(self) -> np.ndarray:
        """Mean effect with one seed left out: seeds by doses of x by doses of y."""
        left_out = np.eye(self.seeds.size, dtype=bool)[:, None, None]
        return mean_known(np.where(left_out, np.nan, self.effect))


def again(name: str) -> str:
    """The dotted name of a treatment's copy: ``treatments.il2.peak`` becomes ``treatments.il2_again.peak``."""
    return OF_DRUG.sub(r"treatments.\1_again.\2", name)


def effects(outcomes: pd.DataFrame, arm: str, quantity: str = "end_cells") -> pd.DataFrame:
    """Effect of an arm in each run, and the ``most`` that can be seen in it, indexed by ``run``: ln(control/treated).

    A burden of 0 counts as half a cell; without any control burden there is no effect (NaN).
    Raises SurfaceError for an arm that the table does not have.
    """
    arms = {
        name: rows.set_index("run")[quantity].astype(float)
        for name, rows in outcomes.groupby("arm")
    }
    for name in (arm, "control"):
        if name not in arms:
            raise SurfaceError(
                f"arm = {name!r}: the results hold no such arm (choices: {', '.join(map(str, arms))})",
                key="arm",
            )
    control = arms["control"].reindex(arms[arm].index)
    control = np.log(control.where(control > 0).clip(lower=LEAST))
    return pd.DataFrame(
        {"effect": control - np.log(arms[arm].clip(lower=LEAST)), "most": control - np.log(LEAST)}
    )


def check(
    design: pd.DataFrame, *, x: str, y: str, quantity: str = "end_cells", sham: bool = False
) -> None:
    """Raise SurfaceError unless a design, one row a point (or run) and one column a parameter, makes a surface over x and y."""
    if quantity not in QUANTITIES:
        raise SurfaceError(
            f"quantity = {quantity!r} is not allowed; it must be one of {', '.join(QUANTITIES)}",
            key="surface",
        )
    for name in (x, y):
        if name not in design:
            raise SurfaceError(
                f"{name} does not vary (choices: {', '.join(one for one in design if '.' in one)})",
                key="surface",
            )
    if x == y or _drug(x) == _drug(y):
        raise SurfaceError(
            f"x and y are both {x if x == y else f'of {_drug(x)}'}; a surface needs two treatments",
            key="surface",
        )
    for other in design.columns.drop([x, y, again(x), again(y)], errors="ignore"):
        if ("." in other or other == "scenario") and design[other].nunique(dropna=False) > 1:
            raise SurfaceError(
                f"{other} varies too; a surface needs one value of everything but {x} and {y}",
                key="surface",
            )
    for name in (x, y):
        _doses(design[name], name)
        if sham and not OF_DRUG.fullmatch(name):
            raise SurfaceError(
                f"{name} is no dose of a treatment, which could be given twice; set sham = false",
                key="surface",
            )


def grid(outcomes: pd.DataFrame, *, x: str, y: str, arm: str, quantity: str = "end_cells") -> Grid:
    """The effects of an arm over the doses of two treatments, with those of the shams that were run.

    Raises SurfaceError when the table holds no such grid.
    """
    check(outcomes, x=x, y=y, quantity=quantity)
    rows = outcomes[outcomes["arm"] == arm].set_index("run")
    rows = rows.assign(**effects(outcomes, arm, quantity))
    copies = [again(name) for name in (x, y) if again(name) in rows]
    seeds = np.sort(outcomes["seed"].unique())
    most = rows.groupby("seed")["most"].max().reindex(seeds).to_numpy()
    doses = {name: _doses(outcomes[name], name) for name in (x, y)}

    def placed(one: str, other: str, other_doses: np.ndarray) -> np.ndarray:
        effect = np.full((doses[one].size, other_doses.size, seeds.size), np.nan)
        own = rows[
            (rows[[name for name in (x, y, *copies) if name not in (one, other)]] == 0).all(axis=1)
        ]
        effect[
            np.searchsorted(doses[one], own[one].astype(float)),
            np.searchsorted(other_doses, own[other].astype(float)),
            np.searchsorted(seeds, own["seed"]),
        ] = own["effect"]
        return effect

    shams = []
    for name in (x, y):
        if again(name) in rows:
            half = placed(name, again(name), doses[name])
            both = np.where(
                np.isfinite(half), half, half.swapaxes(0, 1)
            )  # the copy first is the same combination
            shams.append(Grid(name, again(name), doses[name], doses[name], seeds, both, most))
    return Grid(x, y, doses[x], doses[y], seeds, placed(x, y, doses[y]), most, tuple(shams))


def _drug(name: str) -> str:
    """The treatment that a dotted name belongs to; any other name as it is."""
    return found[1] if (found := OF_DRUG.fullmatch(name)) else name


def _doses(column: pd.Series, name: str) -> np.ndarray:
    """The doses of one treatment, 0 first; raises SurfaceError when they are no numbers or no dose is 0."""
    try:
        doses = np.unique(column.astype(float))
    except (ValueError, TypeError):
        raise SurfaceError(
            f"{name} must be varied in numbers, not texts, to lie on an axis of doses",
            key="surface",
        ) from None
    if doses[0] != 0 or doses.size < 2:
        raise SurfaceError(
            f"{name} must be varied from 0, because the other treatment alone is the run with its "
            f"dose 0; it was {listed([value_words(dose) for dose in doses])}",
            key="surface",
        )
    return doses
