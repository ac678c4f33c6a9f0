"""Curves over time: burden, immune cells, what tumour cells show, kills; arms overlaid, doses marked."""

from collections.abc import Iterable, Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator
from matplotlib.transforms import ScaledTranslation, blended_transform_factory

from ..results.results import COLUMNS, Results
from ..words import IMMUNE_WORDS, KILL_WORDS, name_words
from . import style
from .arms import by_name, column, last_day

SHOWN = {
    "mean_antigen": "Antigen of tumour cells",
    "mean_car_target": "CAR target of tumour cells",
    "mean_pdl1": "PD-L1 shown by tumour cells",
    "mean_presented_mhc": "MHC-I presented by tumour cells",
}
MANY_DOSES = 12
ROW = 15
DASHES = ("-", "--", "-.", ":")
"""How the first, second, third arm of one colour is drawn."""


def time_courses(arms: Results | Iterable[Results] | Mapping[str, Results]) -> Figure:
    """Four panels of curves, one colour per arm: burden with doses, immune cells, tumour traits, cumulative kills."""
    arms = by_name(arms)
    with style.context():
        figure = style.picture(14, 10)
        grid = figure.add_gridspec(2, 2)
        burden(figure.add_subplot(grid[0, 0]), arms)
        for cell, columns, unit, counts in (
            (grid[0, 1], present(arms, immune_columns(arms)), "cells", True),
            (grid[1, 0], present(arms, SHOWN), "mean", False),
            (grid[1, 1], present(arms, kill_columns()), "cells", False),
        ):
            small = cell.subgridspec(len(columns), 1)
            stack(
                [figure.add_subplot(part) for part in small],
                arms,
                columns,
                unit=unit,
                counts=counts,
            )
        arm_legend(figure, arms)
    return figure


def immune_columns(arms: Mapping[str, Results]) -> dict[str, str]:
    """The columns of immune cells, those of plug-in kinds last."""
    more = dict.fromkeys(
        name
        for results in arms.values()
        for name in results.timeseries
        if name not in COLUMNS and name not in KILL_WORDS
    )
    return IMMUNE_WORDS | {
        name: name.replace("_", " ") for name in more if name not in IMMUNE_WORDS
    }


def kill_columns() -> dict[str, str]:
    """The columns of kills, by those who killed, those of plug-in kinds last."""
    return {name: f"Killed by {words} since day 0" for name, words in KILL_WORDS.items()}


def present(arms: Mapping[str, Results], columns: dict[str, str]) -> dict[str, str]:
    """The columns worth a panel: those that are ever above zero; what only CAR T cells see where there are any."""

    def seen(name: str) -> bool:
        if name == "mean_car_target":
            return seen("car_t_cells")
        return any(np.nanmax(column(results, name)[1], initial=0) > 0 for results in arms.values())

    return {name: words for name, words in columns.items() if seen(name)} or dict(
        [next(iter(columns.items()))]
    )


def arm_legend(figure: Figure, arms: Mapping[str, Results], size: float = 12.5) -> None:
    """Which colour is which arm, once for all curves, in rows that fit; nothing for a single arm."""
    if len(arms) > 1:
        handles = [
            Line2D([], [], linewidth=3, label=name_words(name), **look)
            for name, look in arm_lines(arms).items()
        ]
        across = legend_columns(arms, figure.bbox.width / figure.dpi, size)
        figure.legend(
            handles=handles,
            loc="outside lower center",
            ncols=across,
            fontsize=size,
            handlelength=1.6,
        )


def legend_columns(names: Iterable[str], width: float, size: float) -> int:
    """How many arms stand beside each other in a legend of so many inches and points."""
    entries = [size * (0.061 + 0.0073 * len(name_words(name))) for name in names]
    return (
        len(entries)
        if sum(entries) <= width
        else int(np.clip(width // max(entries), 1, len(entries)))
    )


def arm_lines(names: Iterable[str]) -> dict[str, dict[str, str]]:
    """Colour and dashes of each arm; an arm is dashed where an earlier one has its colour."""
    colors = list(style.arm_colors(names).items())
    return {
        name: {
            "color": color,
            "linestyle": DASHES[
                [earlier for _, earlier in colors[:place]].count(color) % len(DASHES)
            ],
        }
        for place, (name, color) in enumerate(colors)
    }


def burden(axes: Axes, arms: Mapping[str, Results]) -> None:
    """Living tumour cells on a logarithmic axis; an arm that reaches zero is labelled in words."""
    looks, everything = arm_lines(arms), []
    for name, results in arms.items():
        days, cells = column(results, "tumor_cells")
        everything.append(cells)
        line(axes, days, cells, label=name_words(name), **looks[name])
    style.count_axis(axes, np.concatenate(everything))
    style.day_axis(axes, last_day(arms))
    axes.set_ylabel("living tumour cells")
    last, place = last_day(arms), 0
    for name, results in arms.items():
        if (gone := eliminated_on(*column(results, "tumor_cells"))) is not None:
            axes.plot(
                gone, 0, "o", color=looks[name]["color"], markersize=7, clip_on=False, zorder=5
            )
            side = 1 if gone < 0.55 * last else -1
            axes.annotate(
                f"eliminated, day {gone:.0f}",
                (gone, 0),
                xytext=(10 * side, 9 + 14 * place),
                textcoords="offset points",
                ha="left" if side > 0 else "right",
                va="center",
                color=looks[name]["color"],
                fontsize=10.5,
            )
            place += 1
    mark_doses(axes, arms)
    axes.set_title("Tumour burden", pad=6 + ROW * len(dose_rows(arms)))


def eliminated_on(days: np.ndarray, cells: np.ndarray) -> float | None:
    """The day from which no tumour cell is left; None if some are, or if there never was one."""
    alive = np.flatnonzero(cells > 0)
    return float(days[alive[-1] + 1]) if alive.size and alive[-1] + 1 < cells.size else None


def stack(
    panels: list[Axes],
    arms: Mapping[str, Results],
    columns: dict[str, str],
    *,
    unit: str = "",
    counts: bool = False,
    whole: tuple[str, ...] = (),
) -> None:
    """One narrow panel per column on a common axis of days."""
    looks, last = arm_lines(arms), last_day(arms)
    for axes, (name, words) in zip(panels, columns.items(), strict=True):
        values = np.concatenate([column(results, name)[1] for results in arms.values()])
        for arm, results in arms.items():
            line(axes, *column(results, name), label=name_words(arm), **looks[arm])
        if counts and spans_decades(values):
            style.count_axis(axes, values)
            axes.yaxis.set_major_locator(sparse(axes))
        else:
            style.level_axis(axes, values, whole=name in whole)
        style.day_axis(axes, last, label=axes is panels[-1])
        axes.set_title(words, fontsize=12)
        axes.set_ylabel(unit)


def spans_decades(values: np.ndarray) -> bool:
    """Whether counts differ so much that only a logarithmic axis shows them all."""
    values = values[np.isfinite(values)]
    return bool(values.size) and values.max() > 30 and values.max() > 10 * max(values.min(), 1)


def sparse(axes: Axes) -> FixedLocator:
    """The same tick marks, at most four of them, for a narrow panel."""
    low, high = axes.get_ylim()
    ticks = [tick for tick in axes.get_yticks() if low <= tick <= high]
    return FixedLocator(ticks[:: max(1, -(-len(ticks) // 4))])


def line(
    axes: Axes, days: np.ndarray, values: np.ndarray, color: str, label: str, linestyle: str = "-"
) -> None:
    """One curve, a dot when there is a single point; the control lies broad beneath, so that an equal curve is seen."""
    look = (
        {"linewidth": 3.8, "zorder": 2}
        if color == style.CONTROL
        else {"linewidth": 2.0, "zorder": 2.5}
    )
    axes.plot(
        days,
        values,
        color=color,
        label=label,
        linestyle=linestyle,
        marker="o" if days.size == 1 else None,
        **look,
    )


def dose_rows(arms: Mapping[str, Results]) -> list[tuple[str, str, np.ndarray]]:
    """Arm, treatment and days of its doses, one entry per row of marks."""
    rows = []
    for name, results in arms.items():
        for treatment, doses in results.doses.groupby("treatment", sort=False):
            rows.append((name, str(treatment), doses["day"].to_numpy(dtype=float)))
    return rows


def mark_doses(axes: Axes, arms: Mapping[str, Results]) -> None:
    """Doses above the axes, one row per treatment of an arm: triangles, or ticks when they are many."""
    colors, rows = style.arm_colors(arms), dose_rows(arms)
    first, last = axes.get_xlim()
    for place, (arm, treatment, days) in enumerate(reversed(rows)):
        raised = ScaledTranslation(
            0, (8 + ROW * place) / 72, axes.get_figure(root=True).dpi_scale_trans
        )
        above = blended_transform_factory(axes.transData, axes.transAxes) + raised
        mark = (
            {"marker": "v", "markersize": 8}
            if days.size <= MANY_DOSES
            else {"marker": "|", "markersize": 9}
        )
        axes.plot(
            days,
            np.ones(days.size),
            linestyle="none",
            color=colors[arm],
            clip_on=False,
            transform=above,
            gid=f"doses of {treatment}",
            label="_doses",
            **mark,
        )
        words = name_words(treatment)
        edges = np.append(days, last)
        widest = int(np.argmax(np.diff(edges)))
        figure = axes.get_figure(root=True)
        points = axes.get_position().width * figure.get_figwidth() * 72  # the width of the axes
        room = np.diff(edges)[widest] / (last - first) * points
        beside = (
            edges[widest] if room > 7 * len(words) + 12 else last
        )  # where no gap is wide enough, right of the axes
        axes.annotate(
            words,
            (beside, 1.0),
            xycoords=above,
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            color=colors[arm],
            fontsize=10.5,
            annotation_clip=False,
        )
