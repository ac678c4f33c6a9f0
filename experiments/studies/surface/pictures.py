"""Pictures of dose surfaces and of ranked regimens."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.patheffects import Normal, Stroke
from matplotlib.ticker import FuncFormatter, MaxNLocator

from experiments.words import axis_label, drug_words
from simulation.plots import style
from simulation.words import number_words, percent, signed_words

from ..axis import title
from .grid import Grid
from .interactions import side

SYNERGY, ANTAGONISM = "#1B5FA8", "#B35806"
DIVERGING = LinearSegmentedColormap.from_list(
    "excess", [ANTAGONISM, "#F1A340", "#FFFFFF", "#67A9CF", SYNERGY]
)
EFFECT = LinearSegmentedColormap.from_list(
    "effect", ["#FFFFFF", "#D8CDE6", "#9B7BB8", "#5E2C86", "#2D0A4E"]
)
ALONE, NO_RUN = "#F4F4F4", "#D9D9D9"
LEVEL_COLORS = ("#D98B00", "#C2185B", "#222222")
EXCESS = {
    "bliss": "Beyond Bliss independence",
    "sham": "Beyond a drug combined with itself",
    "single": "Beyond the better drug alone",
}
LEFT_OUT = ("no run", "no room", "no match")
SMALLEST_SCALE = 0.2
"""The colours of an excess reach at least this far, so that noise near zero stays pale."""


def surface(
    grid: Grid,
    pairs: pd.DataFrame,
    *,
    levels: Sequence[float] = (),
    units: Mapping[str, str] | None = None,
    question: str = "",
) -> Figure:
    """Maps over the doses: the effect with its isoboles, and the excess over Bliss independence, over the simulated null where
    there is one, and over the highest single agent (blue more, orange less, white zero; hatched where the interval holds 0)."""
    columns, rows = grid.x_doses.size, grid.y_doses.size
    shown = {name: words for name, words in EXCESS.items() if name != "sham" or grid.shams}
    across = 2 if len(shown) == 3 else 3
    down = (1 + len(shown)) // across
    with style.context():
        figure = style.picture(
            across * max(5.2, 0.95 * columns + 1.3), down * max(4.2, 0.72 * rows + 1.6) + 1
        )
        effect, *others = figure.subplots(down, across, sharex=True, sharey=True).ravel()
        title(figure, question)
        table = -np.expm1(-_square(grid, pairs, "effect"))
        drawn = _map(effect, table, EFFECT, Normalize(0, 1))
        _shares(effect, table)
        colors = _contours(effect, table, levels)
        effect.set_title("Effect: burden removed")
        _bar(
            figure,
            drawn,
            effect,
            "share of the control's burden",
            lambda value, _: percent(round(value, 2)),
        )
        reach = max(
            SMALLEST_SCALE,
            float(np.nan_to_num(pairs[[f"{name}_excess" for name in shown]].abs()).max(initial=0)),
        )
        for axes, (name, words) in zip(others, shown.items(), strict=True):
            _excess(figure, axes, grid, pairs, name, reach)
            axes.set_title(words)
        for number, axes in enumerate((effect, *others)):
            _dose_axes(
                axes,
                grid,
                units or {},
                left=number % across == 0,
                below=number >= across * (down - 1),
            )
        marks: list[Artist] = [
            Line2D(
                [],
                [],
                color=colors[level],
                linewidth=2.4,
                label=f"{percent(level, digits=3)} removed",
            )
            for level in colors
        ]
        marks += [
            Patch(
                facecolor="white",
                edgecolor="#777777",
                hatch="////",
                label="95 % interval of all pairs together holds 0",
            ),
            Patch(facecolor=ALONE, edgecolor="#BBBBBB", label="one drug alone"),
        ]
        texts = {text.get_text() for axes in others for text in axes.texts}
        marks += [
            Patch(facecolor=NO_RUN, edgecolor="#999999", label=words)
            for words in LEFT_OUT
            if words in texts
        ]
        figure.legend(
            handles=marks,
            loc="outside lower center",
            ncols=3 if across == 2 else len(marks),
            handlelength=1.8,
        )
    return figure


def isobologram(
    grid: Grid,
    curves: pd.DataFrame,
    reached: pd.DataFrame,
    *,
    units: Mapping[str, str] | None = None,
    question: str = "",
) -> Figure:
    """One panel per level that is reached: doses of equal effect (points on a line) beside the straight line of additive
    doses; below that line less is needed than additive doses."""
    shown = reached[reached["reached"] & reached["level"].isin(curves["level"])]
    with style.context():
        figure = style.picture(max(7.5, 5.2 * len(shown)), 5.6)
        title(figure, question)
        for axes, (_, row) in zip(
            figure.subplots(1, len(shown), squeeze=False)[0], shown.iterrows(), strict=True
        ):
            _isobole(axes, grid, curves[curves["level"] == row["level"]], row, units or {})
        marks: list[Artist] = [
            Line2D([], [], color=SYNERGY, marker="o", markersize=7, label="doses with this effect")
        ]
        single = shown[["x_alone", "y_alone"]].notna().sum(axis=1)
        if (single == 2).any():
            marks += [
                Line2D([], [], color=style.CONTROL, linestyle="--", label="additive doses"),
                Patch(facecolor=SYNERGY, alpha=0.1, label="less than additive"),
            ]
        if (single == 1).any():
            marks.append(
                Line2D(
                    [],
                    [],
                    color=style.CONTROL,
                    linestyle=":",
                    label="if the other drug did nothing",
                )
            )
        figure.legend(handles=marks, loc="outside lower center", ncols=len(marks))
    return figure


def _square(grid: Grid, pairs: pd.DataFrame, column: str) -> np.ndarray:
    """A column of the pairs as a map, doses of y by doses of x."""
    return pairs[column].to_numpy().reshape(grid.x_doses.size, grid.y_doses.size).T


def _map(
    axes: Axes, table: np.ndarray, colors: LinearSegmentedColormap, scale: Normalize
) -> AxesImage:
    """Cells of one size whatever the doses; grey where there is no run."""
    axes.grid(False)
    drawn = axes.imshow(
        table, cmap=colors.with_extremes(bad=NO_RUN), norm=scale, origin="lower", aspect="auto"
    )
    axes.set_xticks(np.arange(table.shape[1] + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(table.shape[0] + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=1.5)
    axes.tick_params(which="both", length=0)
    axes.spines[:].set_visible(False)
    return drawn


def _shares(axes: Axes, table: np.ndarray) -> None:
    """The share that each cell removes in percent, below 0 where the tumour grew larger; legible across the isoboles."""
    size = 10.5 if table.shape[1] <= 6 else 8.5
    for (j, i), value in np.ndenumerate(table):
        known = np.isfinite(value)
        halo = [Stroke(linewidth=3, foreground=EFFECT(float(value))), Normal()] if known else None
        axes.text(
            i,
            j,
            percent(round(float(value), 2)) if known else "no run",
            ha="center",
            va="center",
            fontsize=size,
            zorder=5,
            color="white" if known and value > 0.5 else style.INK,
            path_effects=halo,
        )


def _contours(axes: Axes, table: np.ndarray, levels: Sequence[float]) -> dict[float, str]:
    """Isoboles over the cells, one colour per level that is crossed."""
    known = table[np.isfinite(table)]
    crossed = [level for level in levels if known.size and known.min() < level <= known.max()]
    colors = {
        level: LEVEL_COLORS[list(levels).index(level) % len(LEVEL_COLORS)] for level in crossed
    }
    if crossed and min(table.shape) > 1:
        axes.contour(
            np.ma.masked_invalid(table),
            levels=crossed,
            colors=list(colors.values()),
            linewidths=2.4,
        )
    return colors


def _excess(
    figure: Figure, axes: Axes, grid: Grid, pairs: pd.DataFrame, name: str, reach: float
) -> None:
    """One map of excess with its intervals; single agents have none, nor have pairs that say nothing."""
    room = _square(grid, pairs, "room").astype(bool) | (name == "single")
    table = np.where(room, _square(grid, pairs, f"{name}_excess"), np.nan)
    low, high = (_square(grid, pairs, f"{name}_{end}") for end in ("low", "high"))
    drawn = _map(axes, table, DIVERGING, Normalize(-reach, reach))
    size = 10.5 if table.shape[1] <= 6 else 8.5
    for (j, i), value in np.ndenumerate(table):
        if not (i and j):
            axes.add_patch(
                Rectangle(
                    (i - 0.5, j - 0.5), 1, 1, facecolor=ALONE, edgecolor="white", linewidth=1.5
                )
            )
            continue
        if not np.isfinite(value):
            seeds = _square(grid, pairs, "seeds")[j, i]
            words = "no run" if not seeds else "no match" if room[j, i] else "no room"
            axes.text(i, j, words, ha="center", va="center", fontsize=size)
            continue
        lowest, highest = float(low[j, i]), float(high[j, i])
        unsure = not side(lowest, highest)
        ink = "white" if abs(value) > 0.72 * reach and not unsure else style.INK
        if unsure:
            axes.add_patch(
                Rectangle(
                    (i - 0.5, j - 0.5),
                    1,
                    1,
                    fill=False,
                    hatch="////",
                    edgecolor="#BBBBBB",
                    linewidth=0,
                )
            )
        box = (
            {"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 1.5}
            if unsure
            else None
        )
        axes.text(
            i,
            j + 0.13,
            _excess_words(float(value)),
            ha="center",
            va="center",
            fontsize=size + 1,
            color=ink,
            bbox=box,
            fontweight="normal" if unsure else "bold",
        )
        if np.isfinite(lowest):
            axes.text(
                i,
                j - 0.22,
                f"{_excess_words(lowest)} to {_excess_words(highest)}",
                ha="center",
                va="center",
                fontsize=size - 2,
                color=ink,
                bbox=box,
            )
    _bar(
        figure,
        drawn,
        axes,
        "ln(cells expected / cells left)",
        lambda value, _: signed_words(value, 3),
    )


def _excess_words(excess: float) -> str:
    """A difference of logarithms, which has no more than two digits after the point to say."""
    return signed_words(round(excess, 2))


def _bar(
    figure: Figure, drawn: AxesImage, axes: Axes, label: str, words: Callable[..., str]
) -> None:
    bar = figure.colorbar(
        drawn, ax=axes, fraction=0.05, pad=0.02, label=label, format=FuncFormatter(words)
    )
    bar.outline.set_visible(False)
    bar.locator = MaxNLocator(nbins=5, steps=[1, 2, 5, 10])
    bar.update_ticks()


def _dose_axes(axes: Axes, grid: Grid, units: Mapping[str, str], left: bool, below: bool) -> None:
    """Every tested dose on its axis, at even distances."""
    axes.set_xticks(range(grid.x_doses.size), [number_words(dose) for dose in grid.x_doses])
    axes.set_yticks(range(grid.y_doses.size), [number_words(dose) for dose in grid.y_doses])
    if below:
        axes.set_xlabel(axis_label(grid.x, units))
    if left:
        axes.set_ylabel(axis_label(grid.y, units))


def _isobole(
    axes: Axes, grid: Grid, points: pd.DataFrame, row: pd.Series, units: Mapping[str, str]
) -> None:
    """The isobole of one level on linear axes of dose."""
    alone = np.array([row["x_alone"], row["y_alone"]])
    if np.isfinite(alone).all():
        axes.fill([0, alone[0], 0], [0, 0, alone[1]], color=SYNERGY, alpha=0.1, linewidth=0)
        axes.plot([alone[0], 0], [0, alone[1]], "--", color=style.CONTROL, linewidth=2)
        note = (
            ""
            if np.isnan(row["combination_index"])
            else f"combination index {row['combination_index']:.2f}"
        )
        note += "" if np.isnan(row["low"]) else f" ({row['low']:.2f} to {row['high']:.2f})"
    else:
        if np.isfinite(alone).any():
            line, at = (
                (axes.axvline, alone[0]) if np.isfinite(alone[0]) else (axes.axhline, alone[1])
            )
            line(at, color=style.CONTROL, linestyle=":", linewidth=2)
        never = [
            drug_words(name)
            for name, dose in zip((grid.x, grid.y), alone, strict=True)
            if np.isnan(dose)
        ]
        note = f"{' and '.join(never)} alone: not reached"
    ordered = points.sort_values(["x", "y"], ascending=[True, False])
    axes.plot(
        ordered["x"], ordered["y"], color=SYNERGY, marker="o", markersize=7, clip_on=False, zorder=3
    )
    for name, set_limit, column in (("x", axes.set_xlim, "x"), ("y", axes.set_ylim, "y")):
        top = float(np.nanmax([points[column].max(), row[f"{name}_alone"]]))
        set_limit(0, 1.08 * top if top > 0 else float(getattr(grid, f"{name}_doses")[-1]))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(nbins=5))
        axis.set_major_formatter(FuncFormatter(lambda value, _: number_words(value)))
    axes.set_xlabel(axis_label(grid.x, units))
    axes.set_ylabel(axis_label(grid.y, units))
    axes.set_title(f"{percent(row['level'], digits=3)} of the burden removed\n")
    axes.text(0, 1.02, note, transform=axes.transAxes, fontsize=10.5, color=style.MUTED)
