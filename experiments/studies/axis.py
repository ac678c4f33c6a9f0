"""How outcomes stand in a picture: counts, ratios and shares on their axes, arms in order, the question above."""

import textwrap

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from simulation.plots import style
from simulation.words import number_words

from ..runs.outcomes import explained

SHORT = {
    "start_cells": "tumour cells,\nday 0",
    "end_cells": "tumour cells,\nlast day",
    "least_cells": "tumour cells,\nfewest",
    "mean_cells": "tumour cells,\nmean over time",
    "peak_t_cells": "most CD8 T cells",
    "peak_car_t_cells": "most CAR T cells",
    "effect": "burden,\nratio to control",
    "growth": "burden,\nratio to day 0",
    "antigen_shift": "antigen,\nratio to day 0",
    "target_shift": "CAR target,\nratio to day 0",
    "mhc_shift": "MHC-I,\nratio to day 0",
    "pdl1_shift": "PD-L1 shown,\nratio to day 0",
    "target_negative_share": "share without\nCAR target",
    "antigen_low_share": "share\nlow in antigen",
    "mhc_low_share": "share\nlow in MHC-I",
    "end_vigour": "T-cell vigour",
}
RATIOS = ("effect", "growth", "antigen_shift", "target_shift", "mhc_shift", "pdl1_shift")
"""Outcomes that are logarithms of a ratio; axes show the ratio."""
BESIDE_CONTROL = ("effect",)
"""Outcomes that compare with the control and say nothing of it."""
RATIO_MARKS = ((2.5, (1,)), (1.6, (1, 3)), (0.6, (1, 2, 5)), (0.3, (1, 1.5, 2, 3, 4, 5, 6, 8)))
"""Which marks an axis of ratios has that spans more than so many decades; below these the marks are evenly spaced."""


def short_words(quantity: str) -> str:
    """An outcome as the label of an axis."""
    return SHORT.get(quantity) or textwrap.fill(explained(quantity)[0], 24)


def is_count(quantity: str) -> bool:
    """Whether an outcome is a number of cells."""
    return explained(quantity)[1] == "cells"


def outcome_axis(axes: Axes, quantity: str, values: np.ndarray) -> None:
    """Counts on a logarithmic axis with a place for zero, ratios on a logarithmic axis, shares from 0 to 1."""
    if not values.size:
        return
    if quantity in RATIOS:
        axes.axhline(0, color=style.MUTED, linewidth=1, zorder=1)
        low, high = min(values.min(), 0.0), max(values.max(), 0.0)
        room = 0.06 * max(high - low, 0.4)
        axes.set_ylim(low - room, high + room)
        axes.set_yticks(*ratio_ticks(low - room, high + room))
    elif is_count(quantity):
        style.count_axis(axes, values)
    elif quantity.endswith("_share") or quantity in ("end_vigour", "end_fixed_exhaustion"):
        axes.set_ylim(-0.04, 1.04)
        axes.yaxis.set_major_locator(MaxNLocator(nbins=4))
    else:
        axes.yaxis.set_major_locator(MaxNLocator(nbins=5))


def ratio_ticks(low: float, high: float) -> tuple[list[float], list[str]]:
    """Marks on an axis of natural logarithms that read as ratios: 0.01, 0.1, 1."""
    decades = (high - low) / np.log(10)
    wanted = next((parts for least, parts in RATIO_MARKS if decades > least), ())
    if not wanted:
        even = MaxNLocator(nbins=4, steps=[1, 2, 5, 10]).tick_values(np.exp(low), np.exp(high))
        even = [mark for mark in even if np.exp(low) <= mark <= np.exp(high)]
        return [float(np.log(mark)) for mark in even], [number_words(mark) for mark in even]
    step = max(1, round(decades / 5))
    ticks = [
        np.log(part) + power * np.log(10)
        for power in range(-12, 13)
        if power % step == 0
        for part in wanted
    ]
    ticks = [tick for tick in ticks if low <= tick <= high]
    return ticks, [number_words(np.exp(tick), 3) for tick in ticks]


def by_arm(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Rows by arm, the control first."""
    names = sorted(table["arm"].unique(), key=lambda arm: arm != "control")
    return {arm: table[table["arm"] == arm] for arm in names}


def title(figure: Figure, question: str) -> None:
    """The question above everything."""
    if question:
        figure.suptitle(
            textwrap.fill(question, int(figure.get_figwidth() * 8)), fontsize=14, x=0.01, ha="left"
        )
