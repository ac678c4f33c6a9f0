"""Small maps of two swept parameters."""

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, LinearSegmentedColormap, LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator

from experiments.words import axis_label, value_words
from simulation.plots import style
from simulation.words import name_words, number_words

from ..axis import BESIDE_CONTROL, RATIOS, by_arm, is_count, ratio_ticks, short_words, title
from ..rulers import ruler

AROUND_ONE = LinearSegmentedColormap.from_list(
    "ratio", ["#1B5FA8", "#67A9CF", "#FFFFFF", "#F1A340", "#B35806"]
)
NO_RUN = "#D9D9D9"
EVEN = 0.02
"""A control whose medians differ by no more than this share is the same everywhere."""


def maps(
    outcomes: pd.DataFrame,
    x: str,
    y: str,
    quantities: Sequence[str],
    *,
    units: Mapping[str, str] | None = None,
    question: str = "",
) -> Figure:
    """Medians over seeds as small maps over two swept parameters, one map per outcome and arm.

    A control that is the same everywhere has no map. Ratios: white is 1, blue less, orange more.
    """
    arms, rows_of_maps = by_arm(outcomes), []
    for quantity in quantities:
        row = []
        for arm, rows in arms.items():
            table = rows.groupby([y, x])[quantity].median().unstack(x)
            table = table.reindex(
                index=ruler(outcomes[y]).values, columns=ruler(outcomes[x]).values
            )
            known = table.to_numpy(float)[np.isfinite(table.to_numpy(float))]
            if not known.size:
                continue
            even = np.ptp(known) <= EVEN * np.abs(known).max()
            if arm != "control" or len(arms) == 1 or not (even or quantity in BESIDE_CONTROL):
                row.append((quantity, arm, table))
        rows_of_maps += [row] if row else []
    places, across, down = _places([len(row) for row in rows_of_maps])
    with style.context():
        rows, columns = rows_of_maps[0][0][2].shape
        figure = style.picture(
            across * max(4.8, 0.78 * columns + 2), down * max(2.6, 0.5 * rows + 1.1) + 0.8
        )
        grid = figure.add_gridspec(down, across)
        for row in rows_of_maps:
            colors = _colors(row[0][0], [table for _, _, table in row])
            for quantity, arm, table in row:
                line, column = places.pop(0)
                axes = figure.add_subplot(grid[line, column])
                _map(figure, axes, table, quantity, colors)
                axes.set_title(
                    f"{short_words(quantity)}: {name_words(arm)}".replace("\n", " "), fontsize=12
                )
                axes.set_xlabel(
                    axis_label(x, units)
                    if not any(below == (line + 1, column) for below in places)
                    else ""
                )
                axes.set_ylabel(textwrap.fill(axis_label(y, units), 24) if column == 0 else "")
        title(figure, question)
    return figure


def _places(lengths: Sequence[int]) -> tuple[list[tuple[int, int]], int, int]:
    """Line and column of each map, columns, lines: an outcome a line where there are many arms, else filled up."""
    if max(lengths) > 2 or set(lengths) == {2}:
        return (
            [(line, column) for line, many in enumerate(lengths) for column in range(many)],
            max(lengths),
            len(lengths),
        )
    total = sum(lengths)
    across = 2 if total in (2, 4) else min(total, 3)
    return [divmod(place, across) for place in range(total)], across, -(-total // across)


def _colors(quantity: str, tables: Sequence[pd.DataFrame]) -> tuple[Colormap, Normalize]:
    """The colours that the maps of one outcome share."""
    values = np.concatenate([table.to_numpy(float).ravel() for table in tables])
    values = values[np.isfinite(values)]
    if is_count(quantity):
        return style.colormap("share"), LogNorm(
            1, max(float(values.max()), 10.0), clip=True
        )  # no cell looks like one cell
    if quantity in RATIOS:
        reach = max(float(np.abs(values).max()), np.log(1.5))
        return AROUND_ONE, Normalize(-reach, reach)
    return style.colormap("share"), Normalize(
        0, 1 if quantity.endswith("_share") else float(values.max()) or 1
    )


def _map(
    figure: Figure,
    axes: Axes,
    table: pd.DataFrame,
    quantity: str,
    colors: tuple[Colormap, Normalize],
) -> None:
    """One map, its medians written into it."""
    axes.grid(False)
    shown = table.to_numpy(float)
    drawn = axes.imshow(
        np.ma.masked_invalid(shown),
        cmap=colors[0].with_extremes(bad=NO_RUN),
        norm=colors[1],
        origin="lower",
        aspect="auto",
    )
    for (j, i), value in np.ndenumerate(shown):
        told = np.exp(value) if quantity in RATIOS else value
        dark = (
            np.isfinite(value)
            and np.dot(drawn.cmap(drawn.norm(value))[:3], (0.3, 0.59, 0.11)) < 0.5
        )
        axes.text(
            i,
            j,
            number_words(told, 2) if np.isfinite(value) else "no run",
            ha="center",
            va="center",
            fontsize=10 if table.shape[1] <= 6 else 8,
            color="white" if dark else style.INK,
        )
    for set_ticks, names in ((axes.set_xticks, table.columns), (axes.set_yticks, table.index)):
        set_ticks(range(len(names)), [name_words(value_words(name)) for name in names])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    bar = figure.colorbar(drawn, ax=axes, fraction=0.05, pad=0.02)
    bar.outline.set_visible(False)
    if quantity in RATIOS:
        ticks, words = ratio_ticks(*bar.ax.get_ylim())
        bar.set_ticks(ticks, labels=words)
    elif is_count(quantity):
        bar.locator, bar.formatter = (
            LogLocator(numticks=5),
            FuncFormatter(lambda value, _: number_words(value)),
        )
        bar.update_ticks()
    bar.ax.minorticks_off()
