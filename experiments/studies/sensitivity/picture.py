"""The picture of a sensitivity analysis: ranked bars that a reader needs no statistics for."""

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from experiments.runs.outcomes import explained
from experiments.studies.designs import Axis
from experiments.words import axis_words, value_words
from simulation.plots import style
from simulation.words import name_words, number_words, percent

DIRECTION_COLORS = {"raises": "#DB8400", "lowers": "#2F93DE", "either way": "#7A5BA6"}
MARKS = {"raises": "▲", "lowers": "▼", "either way": "◆"}
IDLE, BAND, BAND_INK = "#C9C9C9", "#EFE3D2", "#A08050"
LABEL_WIDTH = 50


def ranking(
    tables: Sequence[pd.DataFrame],
    noises: Sequence[dict[str, Any]],
    axes: Sequence[Axis],
    design: str,
    arm: str,
) -> Figure:
    """A panel per quantity, a bar per parameter in the order of the first quantity, the strongest on top.

    Bars are mu* (Morris) or total indices (Saltelli) with bootstrap intervals, coloured by what more of the parameter does;
    what seed noise alone would give is a band. ``tables``: one per quantity, as :func:`sensitivity.analyse` makes them.
    """
    order = list(tables[0]["parameter"])
    labels = [wording(next(axis for axis in axes if axis.name == name)) for name in order]
    with style.context():
        lines = max(label[0].count("\n") for label in labels) + 2
        height = 2.7 + len(order) * (0.24 + 0.16 * lines)
        figure = style.picture(4.9 + 3.4 * len(tables), height)
        panels = figure.subplots(1, len(tables), sharey=True, squeeze=False)[0]
        for panel, table, noise in zip(panels, tables, noises, strict=True):
            _bars(panel, table.set_index("parameter").loc[order], noise, design)
        _name(panels[0], labels)
        method = "Morris screening" if design == "morris" else "Sobol indices"
        figure.suptitle(
            f"What decides the outcome? (arm {name_words(arm)}, {method})",
            x=0.012,
            ha="left",
            fontsize=15,
            fontweight="bold",
        )
        figure.legend(
            handles=_legend(tables, design),
            loc="outside lower left",
            ncols=2 if len(tables) < 3 else 3,
            fontsize=10.5,
            handlelength=1.5,
        )
    return figure


def wording(axis: Axis) -> tuple[str, str]:
    """A parameter in words, and its dotted name with the range that was swept."""
    meaning = axis.meaning.split(";")[0].split(" (")[0]
    told = bool(meaning) and meaning != "schedule"
    words = (
        f"{axis_words(axis.name.rpartition('.')[0])}: {meaning}" if told else axis_words(axis.name)
    )
    if axis.values is not None:
        *others, last = axis.values
        swept = ", ".join([*map(value_words, others), value_words(last, axis.unit)])
    else:
        low, high = axis.ends
        swept = f"{number_words(low)} to {value_words(high, axis.unit)}"
    width = LABEL_WIDTH if len(words) <= LABEL_WIDTH else min(LABEL_WIDTH, len(words) // 2 + 6)
    return textwrap.fill(words, width), f"{axis.name}, {swept}"


def _bars(axes: Axes, table: pd.DataFrame, noise: dict[str, Any], design: str) -> None:
    """The bars of one quantity."""
    index = "mu_star" if design == "morris" else "total"
    places = np.arange(len(table))
    floor, reach = table["noise_floor"].max(), table["noise_reach"].max()
    if reach > 0:
        axes.axvspan(0, reach, color=BAND, zorder=0, linewidth=0)
        axes.axvline(floor, color=BAND_INK, linewidth=1.2, linestyle=(0, (2, 2)), zorder=2.5)
    for place, row in zip(places, table.to_dict("records"), strict=True):
        matters = row["verdict"] != "does not matter"
        color = (
            _pale(row["direction"])
            if row["verdict"] == "perhaps"
            else DIRECTION_COLORS[row["direction"]]
        )
        axes.barh(place, row[index], height=0.6, color=color if matters else IDLE, zorder=2)
        axes.plot(
            [row[f"{index}_low"], row[f"{index}_high"]],
            [place, place],
            color=style.INK,
            linewidth=1.3,
            zorder=3,
        )
        if matters:
            axes.annotate(
                MARKS[row["direction"]],
                (row[f"{index}_high"], place),
                (5, 0),
                textcoords="offset points",
                va="center",
                fontsize=9,
                color=DIRECTION_COLORS[row["direction"]],
            )
    if design == "saltelli":
        axes.plot(
            table["first"].clip(lower=0),
            places,
            linestyle="",
            marker="D",
            markersize=5,
            markerfacecolor="white",
            markeredgecolor=style.INK,
            zorder=4,
            clip_on=False,
        )
    top = max(table[f"{index}_high"].max(), reach if reach > 0 else 0) or 1.0
    axes.set_xlim(0, top * 1.1)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 5, 10]))
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", which="both", length=0)
    quantity = noise["quantity"]
    meaning, unit = explained(quantity)
    axes.set_title(name_words(quantity))
    what = (
        f"mean change over the range{f' ({unit})' if unit not in ('', '1') else ''}"
        if design == "morris"
        else "share of the variance"
    )
    chance = (
        ""
        if np.isnan(noise["share"])
        else f"\nchance between seeds: {percent(noise['share'])} of a run's variance"
    )
    axes.set_xlabel(what + "\n" + textwrap.fill(meaning, 44) + chance, fontsize=10, loc="left")


def _pale(direction: str) -> tuple[float, float, float]:
    """A lighter shade of a direction's colour."""
    red, green, blue = (0.4 * part + 0.6 for part in to_rgb(DIRECTION_COLORS[direction]))
    return red, green, blue


def _name(axes: Axes, labels: list[tuple[str, str]]) -> None:
    """Two sizes of tick label: the words, and below them the dotted name and range."""
    places = np.arange(len(labels))
    axes.set_ylim(len(labels) - 0.45, -0.55)
    axes.yaxis.remove_overlapping_locs = False
    axes.set_yticks(places, [words for words, _ in labels], fontsize=10.5, linespacing=1.2)
    axes.set_yticks(places, [swept for _, swept in labels], minor=True, fontsize=8.5)
    axes.tick_params(axis="y", which="both", length=0)
    axes.tick_params(axis="y", which="both", pad=9)
    for label in axes.get_yticklabels():
        label.set_verticalalignment("bottom")
    for label in axes.get_yticklabels(minor=True):
        label.set_verticalalignment("top")
        label.set_color(style.MUTED)


def _legend(tables: Sequence[pd.DataFrame], design: str) -> list[Artist]:
    """Only what is in the picture."""
    whole = pd.concat(list(tables))
    shown = whole[whole["verdict"] != "does not matter"]
    words = {
        "raises": "more of it raises the outcome",
        "lowers": "more of it lowers the outcome",
        "either way": "either way, or unclear which",
    }
    handles: list[Artist] = [
        Line2D(
            [],
            [],
            linestyle="",
            marker=marker,
            color=DIRECTION_COLORS[way],
            markersize=9,
            label=words[way],
        )
        for way, marker in (("raises", "^"), ("lowers", "v"), ("either way", "D"))
        if (shown["direction"] == way).any()
    ]
    if (whole["verdict"] == "perhaps").any():
        handles.append(Patch(color=_pale("lowers"), label="pale: cannot be judged yet"))
    if (whole["verdict"] == "does not matter").any():
        handles.append(Patch(color=IDLE, label="does not matter"))
    if (whole["noise_floor"] > 0).any():
        handles += [
            Patch(color=BAND, label="chance alone reaches this far (95 %)"),
            Line2D(
                [],
                [],
                color=BAND_INK,
                linewidth=1.2,
                linestyle=(0, (2, 2)),
                label="chance alone, on average",
            ),
        ]
    if design == "saltelli":
        handles.append(
            Line2D(
                [],
                [],
                linestyle="",
                marker="D",
                markersize=5,
                markerfacecolor="white",
                markeredgecolor=style.INK,
                label="alone (bar: with interactions)",
            )
        )
    return [
        *handles,
        Line2D([], [], color=style.INK, linewidth=1.3, label="95 % bootstrap interval"),
    ]
