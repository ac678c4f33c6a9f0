"""Pictures of any sweep: outcomes against each swept parameter, maps over two of them, courses in time.

Points are runs; lines and bands are medians and the middle half of the runs (quartiles). One colour per arm.
"""

import re
import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.runs.outcomes import OUTCOMES
from experiments.words import axis_label, point_words
from simulation.plots import style
from simulation.words import name_words

from ..axis import BESIDE_CONTROL, by_arm, outcome_axis, short_words, title
from ..rulers import Ruler, ruler
from .maps import maps

FIXED = "\N{NO-BREAK SPACE}"
FEW_POINTS, MOST_AXES, MOST_CELLS = 6, 6, 12
RELAPSE = 2.0
"""A tumour that halved and then became so many times larger again has come back."""


def figures(
    tables: Mapping[str, pd.DataFrame],
    axes: Sequence[str],
    units: Mapping[str, str],
    question: str = "",
) -> dict[str, Figure]:
    """The pictures that suit a sweep: ``responses`` always, ``maps`` for a grid of two parameters, ``time_courses`` for few
    points. ``tables`` are the consolidated ``outcomes`` and ``timeseries``; several scenarios count as one more axis."""
    outcomes = tables["outcomes"]
    axes = varying(outcomes, axes)
    drawn = {"responses": responses(outcomes, axes, units=units, question=question)}
    if len(axes) == 2 and all(outcomes[axis].nunique() <= MOST_CELLS for axis in axes):
        drawn["maps"] = maps(
            outcomes, axes[0], axes[1], quantities_of(outcomes), units=units, question=question
        )
    series = tables.get("timeseries")
    if series is not None and 1 <= len(series.drop_duplicates(_point(series))) <= FEW_POINTS:
        drawn["time_courses"] = time_courses(series, axes, units=units, question=question)
    return drawn


def varying(outcomes: pd.DataFrame, axes: Sequence[str]) -> list[str]:
    """The columns that a sweep varies, ``scenario`` first where there are several; those with one value are left out."""
    names = ["scenario", *axes] if "scenario" in outcomes and "scenario" not in axes else list(axes)
    return [name for name in names if outcomes[name].nunique() > 1]


def quantities_of(outcomes: pd.DataFrame) -> list[str]:
    """The outcomes worth a row of panels: burden, its lowest point where tumours come back, effect, and what was selected."""
    treated = outcomes[outcomes["arm"] != "control"]
    chosen = ["end_cells"]
    shrunk = treated["least_cells"] < 0.5 * treated["start_cells"]
    if (shrunk & (treated["end_cells"] > RELAPSE * treated["least_cells"])).mean() > 0.1:
        chosen.append("least_cells")
    if len(treated):
        chosen.append("effect")
    if (outcomes["peak_car_t_cells"] > 0).any():
        chosen.append("target_negative_share")
    else:
        chosen += ["antigen_shift"] + ["antigen_low_share"] * bool(
            (outcomes["antigen_low_share"] > 0.1).any()
        )
    return [name for name in chosen if outcomes[name].notna().any()]


def responses(
    outcomes: pd.DataFrame,
    axes: Sequence[str],
    quantities: Sequence[str] | None = None,
    *,
    units: Mapping[str, str] | None = None,
    question: str = "",
) -> Figure:
    """Outcomes (rows of panels) against each swept parameter (columns), arms beside each other.

    Values of a grid stand side by side with median and middle half; over a range the runs are dots under a running median.
    Runs of one seed are joined where one parameter varies. With more than six parameters only the first outcome is shown.
    """
    quantities = list(quantities or quantities_of(outcomes))
    arms = by_arm(outcomes)
    panels = [(quantity, axis) for quantity in quantities for axis in (axes or ["arm"])]
    across = min(max(len(axes), 1), MOST_AXES)
    if len(axes) > MOST_AXES:
        panels = [(quantities[0], axis) for axis in axes]
    down = -(-len(panels) // across)
    with style.context():
        figure = style.picture(max(3.4 * across + 0.8, 7.5), 2.7 * down + 1.5)
        grid = figure.subplots(down, across, squeeze=False)
        for place, axes_of_panel in enumerate(grid.flat):
            if place >= len(panels):
                axes_of_panel.set_visible(False)
                continue
            quantity, axis = panels[place]
            shown = {
                arm: rows
                for arm, rows in arms.items()
                if quantity not in BESIDE_CONTROL or arm != "control"
            } or arms
            _response(
                axes_of_panel,
                shown,
                quantity,
                axis,
                ruler(outcomes[axis]),
                list(arms),
                joined=len(axes) == 1,
            )
            last = place + across >= len(panels)
            below = (axes and last) or len(axes) > MOST_AXES
            axes_of_panel.set_xlabel(textwrap.fill(axis_label(axis, units), 30) if below else "")
            if place % across == 0:
                axes_of_panel.set_ylabel(short_words(quantity))
        _legend(
            figure,
            list(arms),
            "points: runs; lines: medians; bars and bands: middle half of the runs",
        )
        title(figure, question)
    return figure


def time_courses(
    timeseries: pd.DataFrame,
    axes: Sequence[str] = (),
    column: str = "tumor_cells",
    *,
    units: Mapping[str, str] | None = None,
    question: str = "",
) -> Figure:
    """Median and middle half of the runs over time, one panel per design point, one colour per arm."""
    points = list(timeseries.groupby(_point(timeseries), sort=False))
    names = list(by_arm(timeseries))
    colors = style.arm_colors(names)
    across = 2 if len(points) in (2, 4) else min(len(points), 3)
    down = -(-len(points) // across)
    with style.context():
        figure = style.picture(max(4.6 * across, 7.5), 3.4 * down + 1.1)
        panels = figure.subplots(down, across, squeeze=False, sharex=True, sharey=True)
        for place, panel in enumerate(panels.flat):
            if place >= len(points):
                panel.set_visible(False)
                continue
            rows = points[place][1]
            for arm in names:
                wide = rows[rows["arm"] == arm].pivot_table(
                    index="day", columns="run", values=column
                )
                if wide.empty:
                    continue
                low, middle, high = (
                    wide.quantile(share, axis=1).to_numpy() for share in (0.25, 0.5, 0.75)
                )
                panel.fill_between(wide.index, low, high, color=colors[arm], alpha=0.2, linewidth=0)
                panel.plot(
                    wide.index,
                    middle,
                    color=colors[arm],
                    linewidth=3.2 if arm == "control" else 2.2,
                )
            panel.set_title(
                lines(point_words(rows.iloc[0][list(axes)], units), 38 if across < 3 else 34),
                fontsize=11.5,
            )
            style.day_axis(
                panel, float(timeseries["day"].max()), label=place + across >= len(points)
            )
            if place % across == 0:
                panel.set_ylabel(
                    "living tumour cells" if column == "tumor_cells" else column.replace("_", " ")
                )
        style.count_axis(panels[0, 0], timeseries[column].to_numpy())
        _legend(figure, names, "lines: medians; bands: middle half of the runs")
        title(figure, question)
    return figure


def lines(words: str, width: int) -> str:
    """The words of a point in lines of so many letters, broken between two parameters where they can be."""
    parts = re.split("(?<=[;,]) ", words)
    return textwrap.fill(
        " ".join(part.replace(" ", FIXED) if len(part) <= width else part for part in parts), width
    ).replace(FIXED, " ")


def _point(table: pd.DataFrame) -> list[str]:
    """The columns that name a design point."""
    return [name for name in ("scenario", "point") if name in table]


def _response(
    axes: Axes,
    arms: Mapping[str, pd.DataFrame],
    quantity: str,
    axis: str,
    scale: Ruler,
    names: Sequence[str],
    joined: bool,
) -> None:
    """One panel of :func:`responses`."""
    colors = style.arm_colors(names)
    for place, (arm, rows) in enumerate(arms.items()):
        rows = rows.dropna(subset=quantity)
        if scale.listed:
            beside = (
                scale.room * 0.26 * (place - (len(arms) - 1) / 2) * min(1, 2.6 / len(arms))
                if axis != "arm"
                else 0.0
            )
            _listed(axes, distinct(rows, axis), quantity, axis, scale, beside, colors[arm], joined)
        else:
            _running(axes, scale.places(rows[axis]), rows[quantity].to_numpy(float), colors[arm])
    scale.draw(axes)
    values = np.concatenate([rows[quantity].dropna().to_numpy(float) for rows in arms.values()])
    outcome_axis(axes, quantity, values)


def distinct(rows: pd.DataFrame, axis: str) -> pd.DataFrame:
    """The runs at each value of an axis, each once: an arm that another axis does not touch is the same run all along it."""
    told = [name for name in rows if name in OUTCOMES]
    return rows.drop_duplicates(
        [*dict.fromkeys([*(name for name in ("scenario", axis, "seed") if name in rows), *told])]
    )


def _listed(
    axes: Axes,
    rows: pd.DataFrame,
    quantity: str,
    axis: str,
    scale: Ruler,
    beside: float,
    color: str,
    joined: bool,
) -> None:
    """Values of a grid: runs as dots, median and middle half beside them."""
    at = scale.places(rows[axis])
    seeds = rows["seed"].rank(method="dense").to_numpy()
    jitter = scale.room * 0.07 * (2 * (seeds * 0.618034 % 1) - 1)
    if joined and axis != "arm":
        for _, one in rows.assign(at=at + beside).sort_values("at").groupby("seed"):
            axes.plot(one["at"], one[quantity], color=color, alpha=0.18, linewidth=0.8, zorder=1)
    axes.plot(
        at + beside + jitter,
        rows[quantity],
        "o",
        color=color,
        alpha=0.35,
        markersize=4,
        markeredgewidth=0,
        zorder=2,
    )
    quartiles = (
        rows.groupby(pd.Series(at, index=rows.index))[quantity]
        .quantile([0.25, 0.5, 0.75])
        .unstack()
    )
    place = quartiles.index.to_numpy(float) + beside
    axes.vlines(place, quartiles[0.25], quartiles[0.75], color=color, linewidth=3, zorder=3)
    axes.plot(place, quartiles[0.5], "-", color=color, linewidth=1.6, zorder=3)
    axes.plot(
        place,
        quartiles[0.5],
        "o",
        color="white",
        markeredgecolor=color,
        markeredgewidth=2,
        markersize=7.5,
        zorder=4,
    )


def _running(axes: Axes, at: np.ndarray, values: np.ndarray, color: str) -> None:
    """Runs over a range as dots, under the median and middle half of bins with equally many runs."""
    axes.plot(
        at,
        values,
        "o",
        color=color,
        alpha=float(np.clip(30 / max(at.size, 1), 0.06, 0.4)),
        markersize=4,
        markeredgewidth=0,
        zorder=2,
    )
    bins = int(np.clip(at.size // 10, 1, 8))
    if at.size < 6:
        return
    parts = np.array_split(np.argsort(at, kind="stable"), bins)
    middle = [np.median(at[part]) for part in parts]
    low, median, high = (
        np.array([np.quantile(values[part], share) for part in parts])
        for share in (0.25, 0.5, 0.75)
    )
    axes.fill_between(middle, low, high, color=color, alpha=0.18, linewidth=0, zorder=1)
    axes.plot(middle, median, color=color, linewidth=2.4, zorder=3)


def _legend(figure: Figure, names: Sequence[str], note: str) -> None:
    colors = style.arm_colors(names)
    handles = [
        Line2D([], [], color=colors[name], linewidth=3, label=name_words(name)) for name in names
    ]
    across = max(1, min(len(names), int(figure.get_figwidth() / 1.9)))
    figure.legend(
        handles=handles,
        loc="outside lower center",
        ncols=across,
        handlelength=1.6,
        title=note,
        title_fontsize=11,
    )
