"""The picture of a schedule search: regimens from best to worst."""

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from experiments.words import value_words
from simulation.plots import style
from simulation.words import name_words

from ..axis import RATIOS, ratio_ticks, short_words, title

AS_GOOD = "#1B5FA8"


def ranking(table: pd.DataFrame, *, quantity: str, question: str = "", most: int = 24) -> Figure:
    """Regimens from best to worst: the outcome with its interval, the paired difference to the best, and doses given.

    Filled marks are not told apart from the best. ``table`` is that of :func:`experiments.studies.schedules.ranking.analyse`.
    """
    shown = table.head(most)
    totals = [name for name in table if name.endswith(" doses") or " total" in name]
    places = np.arange(len(shown))
    with style.context():
        width = 13 + 1.7 * len(totals)
        figure = style.picture(width, 2.2 + 0.46 * len(shown))
        title(figure, question)
        axes = figure.subplots(
            1,
            2 + bool(totals),
            sharey=True,
            squeeze=False,
            width_ratios=[3, 3] + ([0.75 * len(totals) + 0.3] if totals else []),
        )[0]
        for panel, middle, ends in (
            (axes[0], quantity, ""),
            (axes[1], "difference", "difference_"),
        ):
            middle, low, high = (
                shown[column].to_numpy(float) for column in (middle, f"{ends}low", f"{ends}high")
            )
            error = np.nan_to_num(np.stack([middle - low, high - middle]))
            for good, face in ((True, AS_GOOD), (False, "white")):
                here = shown["as_good"].to_numpy() == good
                panel.errorbar(
                    middle[here],
                    places[here],
                    xerr=error[:, here],
                    fmt="o",
                    color=AS_GOOD if good else style.MUTED,
                    markerfacecolor=face,
                    markersize=8,
                    elinewidth=1.8,
                    capsize=0,
                )
            panel.xaxis.set_major_locator(MaxNLocator(nbins=5))
            if quantity in RATIOS:
                panel.set_xticks(*ratio_ticks(*panel.get_xlim()))
            panel.grid(axis="y", visible=False)
        axes[1].axvline(0, color=style.INK, linewidth=1)
        axes[0].set_yticks(places, [textwrap.fill(words, 44) for words in shown["regimen"]])
        axes[0].set_ylim(len(shown) - 0.4, -0.6)
        axes[0].set_title("Outcome")
        axes[0].set_xlabel(short_words(quantity).replace("\n", " "))
        axes[1].set_title("Beside the best")
        axes[1].set_xlabel(
            f"{'ratio' if quantity in RATIOS else 'difference'} to the best over the same seeds (right: worse)"
        )
        if totals:
            _totals(axes[2], shown, totals)
        look: dict[str, Any] = {"marker": "o", "linewidth": 1.8, "markersize": 8}
        marks = [
            Line2D([], [], color=AS_GOOD, label="not told apart from the best", **look),
            Line2D([], [], color=style.MUTED, markerfacecolor="white", label="worse", **look),
        ]
        cut = f"; best {most} of {len(table)} regimens" if len(table) > most else ""
        figure.legend(
            handles=marks,
            loc="outside lower center",
            ncols=2,
            title=f"lines: 95 % intervals{cut}",
            title_fontsize=11,
        )
    return figure


def _totals(axes: Axes, shown: pd.DataFrame, totals: Sequence[str]) -> None:
    """What each regimen gives in all, as a small table beside the bars."""
    axes.set_xlim(-0.5, len(totals) - 0.5)
    axes.grid(False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    axes.xaxis.tick_top()
    axes.set_xticks(
        range(len(totals)), [textwrap.fill(name_words(name), 14) for name in totals], fontsize=10.5
    )
    for column, name in enumerate(totals):
        for place, value in enumerate(shown[name]):
            axes.text(column, place, value_words(value), ha="center", va="center", fontsize=10.5)
