"""Selection made visible: how the distribution of a trait drifts, and by how much its mean has moved."""

from collections.abc import Iterable, Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator

from ..results.results import Results
from ..words import SCALES, capital, day_words, name_words, percent, tick_words, trait_words
from . import style
from .arms import PlotError, by_name, column, last_day, nearest_day, tumor_trait
from .time_courses import arm_lines

TRAITS = ("antigen", "car_target", "pdl1", "mhc", "stress_ligand", "presented_mhc", "pdl1_shown")
DAYS_SHOWN = 7
FEW = 30
STRIP = 0.21
"""Part of a panel's width for the cells that have none of the trait."""


def distributions(
    arms: Results | Iterable[Results] | Mapping[str, Results], trait: str | None = None
) -> Figure:
    """The distribution of a tumour trait (by default the one under selection) day below day, one column per arm.

    The first day's shape stays as an outline behind every later one; cells that have lost the trait altogether stand
    apart as a bar with their share in per cent. Horizontal axis logarithmic.
    """
    arms = by_name(arms)
    trait = checked(trait or trait_under_selection(arms))
    days = {name: chosen_days(results) for name, results in arms.items()}
    edges = bins(arms, trait)
    rows = max(len(chosen) for chosen in days.values())
    any_lost = any(
        without(tumor_trait(arms[name].snapshots[day], trait))
        for name in arms
        for day in days[name]
    )
    colors = style.arm_colors(arms)
    with style.context():
        figure = style.picture(max(6.5, 5.2 * len(arms)), 2.1 + 0.95 * rows)
        figure.suptitle(
            f"Tumour cells by {trait_words(trait)}",
            fontsize=15,
            fontweight="bold",
            x=0.01,
            ha="left",
        )
        for part, (name, results) in zip(
            np.atleast_1d(figure.subfigures(1, len(arms))), arms.items(), strict=True
        ):
            *beside, ridge = (
                part.subplots(1, 2, width_ratios=[1, 4.5], sharey=True)
                if any_lost
                else [part.subplots()]
            )
            ridges(ridge, results, days[name], trait, edges, colors[name])
            for axes in beside:
                lost(axes, results, days[name], trait, colors[name])
            ridge.set_title(name_words(name), color=colors[name])
            (beside or [ridge])[0].set_yticks(
                [0.3 - row for row in range(len(days[name]))],
                [day_words(day) for day in days[name]],
            )
    return figure


def checked(trait: str) -> str:
    """The trait itself; PlotError with the choices unless it is one of tumour cells."""
    if trait not in TRAITS:
        raise PlotError(f"no distribution of {trait!r} (choices: {', '.join(TRAITS)})")
    return trait


def chosen_days(results: Results) -> list[float]:
    """The first snapshot, every so many of the following, and the last."""
    last, days = nearest_day(results, None), list(results.snapshots)
    every = -(-(len(days) - 1) // (DAYS_SHOWN - 1)) or 1
    return [*days[:-1:every], last]


def bins(arms: Mapping[str, Results], trait: str) -> np.ndarray:
    """Logarithmic bin edges that hold the trait in the first and last snapshots of all arms."""
    ends = [np.empty(0)]
    for results in arms.values():
        ends += [
            tumor_trait(results.snapshots[nearest_day(results, day)], trait) for day in (0, None)
        ]
    values = np.concatenate(ends)
    values = values[values > 0]
    low, high = (np.percentile(values, 0.1), values.max()) if values.size else (0.1, 1.0)
    low = min(low, high / 10)
    return np.geomspace(low / 1.2, high * 1.2, 41)


def shape_of(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Per cent of all cells in each bin; cells beyond the ends count in the end bins, zeros nowhere."""
    some = np.clip(values[values > 0], edges[0], edges[-1])
    return np.histogram(some, edges)[0] * 100 / max(values.size, 1)


def without(values: np.ndarray) -> float:
    """Per cent of cells that have none of the trait."""
    return 100 * float(np.count_nonzero(values <= 0)) / values.size if values.size else 0.0


def ridges(
    axes: Axes, results: Results, days: list[float], trait: str, edges: np.ndarray, color: str
) -> None:
    """One filled shape per day, the first on top, all on one vertical scale."""
    shapes = [shape_of(tumor_trait(results.snapshots[day], trait), edges) for day in days]
    many = [len(tumor_trait(results.snapshots[day], trait)) >= FEW for day in days]
    tallest = (
        max(
            (values.max() for values, enough in zip(shapes, many, strict=True) if enough), default=0
        )
        or 100
    )
    for row, (day, values) in enumerate(zip(days, shapes, strict=True)):
        floor = -row
        axes.axhline(floor, color="#BBBBBB", linewidth=0.8, zorder=2)
        filled, outline = (
            {"fill": True, "color": color, "alpha": 0.75},
            {"color": style.INK, "linewidth": 1.1},
        )
        if many[row]:
            axes.stairs(values / tallest * 0.86 + floor, edges, baseline=floor, zorder=3, **filled)
        else:
            one_by_one(axes, tumor_trait(results.snapshots[day], trait), floor, 0.3, color)
        if many[0]:
            axes.stairs(
                shapes[0] / tallest * 0.86 + floor, edges, baseline=floor, zorder=4, **outline
            )
        cells = results.snapshots[day].counts().get("tumor_cell", 0)
        axes.text(
            0.995,
            floor + 0.8,
            f"{cells:,} cells" if cells else "no cell left",
            ha="right",
            va="top",
            transform=axes.get_yaxis_transform(),
            color=style.MUTED,
            fontsize=10,
        )
    trait_axis(axes, edges, trait)
    axes.set_ylim(-len(days) + 0.9, 1.0)
    axes.grid(False, axis="y")
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)


def one_by_one(axes: Axes, values: np.ndarray, floor: float, height: float, color: str) -> None:
    """A tick per cell: a handful of cells has no distribution."""
    axes.vlines(values[values > 0], floor, floor + height, color=color, linewidth=1.5, zorder=4)


def lost(axes: Axes, results: Results, days: list[float], trait: str, color: str) -> None:
    """Beside each shape, the share of cells that have none of the trait."""
    shares = [without(tumor_trait(results.snapshots[day], trait)) for day in days]
    axes.barh(-np.arange(len(days)) + 0.3, shares, height=0.5, color=color, alpha=0.75)
    for row, share in enumerate(shares):
        axes.text(4, -row + 0.3, percent(share / 100), va="center", fontsize=10.5, zorder=5)
    axes.set(xlim=(0, 100), xticks=[], xlabel="none")
    axes.tick_params(axis="y", length=0)
    axes.grid(False)


def trait_axis(axes: Axes, edges: np.ndarray, trait: str) -> None:
    """A logarithmic axis of trait levels, labelled in plain numbers."""
    axes.set_xscale("log")
    axes.set_xlim(edges[0], edges[-1])
    steps = (1, 3) if edges[-1] / edges[0] < 1e4 else (1,)
    ticks = [step * 10.0**power for power in range(-6, 4) for step in steps]
    axes.set_xticks([tick for tick in ticks if edges[0] <= tick <= edges[-1]])
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: tick_words(value)))
    axes.minorticks_off()
    axes.set_xlabel(
        f"{trait_words(trait)} ({SCALES[trait]})" if trait in SCALES else trait_words(trait)
    )


def start_and_end(axes: Axes, arms: Mapping[str, Results], trait: str) -> None:
    """Ends as lines in the arm's colour, starts dotted (one grey shape if all are alike), zeros as numbers on the left."""
    edges, looks = bins(arms, trait), arm_lines(arms)
    starts = {
        name: tumor_trait(arm.snapshots[nearest_day(arm, 0)], trait) for name, arm in arms.items()
    }
    ends = {
        name: tumor_trait(arm.snapshots[nearest_day(arm, None)], trait)
        for name, arm in arms.items()
    }
    if alike := all(np.array_equal(start, starts[next(iter(arms))]) for start in starts.values()):
        starts = {"start": starts[next(iter(arms))]}
    for name, values in starts.items():
        dotted = {"linestyle": ":", "linewidth": 1.6}
        look = {"fill": True, "color": "#D0D0D0"} if alike else looks[name] | dotted
        axes.stairs(shape_of(values, edges), edges, zorder=2, **look)
    for name, values in ends.items():
        if values.size >= FEW:
            axes.stairs(shape_of(values, edges), edges, linewidth=2.2, zorder=3, **looks[name])
    top = (
        axes.get_ylim()[1]
        if any(values.size for values in (*starts.values(), *ends.values()))
        else 10.0
    )
    for name, values in ends.items():
        if 0 < values.size < FEW:
            one_by_one(axes, values, 0, 0.08 * top, looks[name]["color"])
    trait_axis(axes, edges, trait)
    lost_shares(
        axes,
        {
            "start": [
                (style.MUTED if alike else looks[name]["color"], without(values))
                for name, values in starts.items()
            ],
            "end": [
                (looks[name]["color"], without(values))
                for name, values in ends.items()
                if values.size
            ],
        },
        edges,
    )
    axes.set_ylim(0, top)
    axes.set_ylabel("% of tumour cells")
    axes.set_xlabel(axes.get_xlabel(), loc="right")
    words = capital(trait_words(trait))
    axes.set_title(f"{words}: start ({'grey' if alike else 'dotted'}), end (line)", fontsize=12)


def lost_shares(
    axes: Axes, shares: Mapping[str, list[tuple[str, float]]], edges: np.ndarray
) -> None:
    """A shaded strip left of the distribution with the per cent of cells that have none, as numbers: they have no axis.

    ``shares``: start and end -> colour and per cent of each arm. Nothing is drawn where no cell is without.
    """
    if not any(share for told in shares.values() for _, share in told):
        return
    left = edges[0] * (edges[0] / edges[-1]) ** (STRIP / (1 - STRIP))
    axes.axvspan(left, edges[0], color="#F4F4F4", zorder=0, linewidth=0)
    axes.set_xlim(left, edges[-1])
    lines, size = (
        [("none", style.MUTED, "normal")],
        11 if sum(map(len, shares.values())) < 6 else 9.5,
    )
    for when, told in shares.items():
        lines += [("", style.MUTED, "normal"), (when, style.MUTED, "normal")]
        lines += [(percent(share / 100), color, "bold") for color, share in told]
    for place, (words, color, weight) in enumerate(lines):
        axes.annotate(
            words,
            (STRIP / 2, 1),
            xycoords="axes fraction",
            xytext=(0, -4 - 1.25 * size * place),
            textcoords="offset points",
            va="top",
            ha="center",
            fontsize=size,
            fontweight=weight,
            color=color,
        )


def selection_differential(
    arms: Results | Iterable[Results] | Mapping[str, Results], trait: str | None = None
) -> Figure:
    """How far the mean of ln trait has moved since day 0, above the share of cells that have lost it altogether.

    Cells without any of the trait have no logarithm: they are left out of the upper curve and counted in the lower one.
    """
    arms = by_name(arms)
    trait = checked(trait or trait_under_selection(arms))
    colors = style.arm_colors(arms)
    with style.context():
        figure = style.picture(9, 6.5)
        upper, lower = figure.subplots(2, 1, height_ratios=[2.4, 1])
        shares = [np.zeros(1)]
        for name, results in arms.items():
            days, means, lost_share = moved(results, trait)
            marker = "o" if days.size < 30 else None
            upper.plot(days, means, color=colors[name], label=name_words(name), marker=marker)
            snap_days = list(results.snapshots)
            lower.plot(snap_days, lost_share, color=colors[name], marker="o", markersize=5)
            shares.append(np.array(lost_share))
        upper.axhline(0, color="#888888", linewidth=1, linestyle="--", zorder=1)
        low, high = upper.get_ylim()
        upper.set_ylim(min(low, -0.2), max(high, 0.2))
        upper.set_title(f"Selection on {trait_words(trait)}")
        upper.set_ylabel("change of mean ln " + trait_words(trait))
        fold = upper.secondary_yaxis(
            "right", functions=(np.exp, lambda y: np.log(np.maximum(y, 1e-12)))
        )
        fold.set_ylabel("fold of the start")
        fold.yaxis.set_major_locator(
            LogLocator(subs=(1, 1.5, 2, 3, 4, 5, 6, 7, 8) if high - low < 1.5 else (1, 2, 5))
        )
        fold.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"×{value:.2g}"))
        upper.legend(loc="best")
        style.level_axis(lower, np.concatenate(shares))
        lower.set_ylim(0, max(float(np.nanmax(np.concatenate(shares))) * 1.15, 1))
        lower.set_ylabel("% with none")
        for axes in (upper, lower):
            style.day_axis(axes, last_day(arms), label=axes is lower)
    return figure


def moved(results: Results, trait: str) -> tuple[np.ndarray, np.ndarray, list[float]]:
    """Days, change of the mean of ln trait since the first of them, and the per cent without it per snapshot."""
    snapshots = [tumor_trait(results.snapshots[day], trait) for day in results.snapshots]
    lost_share = [without(values) if values.size else np.nan for values in snapshots]
    days, means = (
        column(results, "mean_ln_antigen") if trait == "antigen" else (np.empty(0), np.empty(0))
    )
    if not np.any(np.isfinite(means)):
        days = np.array(list(results.snapshots))
        means = np.array(
            [
                np.log(values[values > 0]).mean() if np.any(values > 0) else np.nan
                for values in snapshots
            ]
        )
    known = means[np.isfinite(means)]
    return days, means - (known[0] if known.size else 0.0), lost_share


def trait_under_selection(arms: Mapping[str, Results]) -> str:
    """The CAR target where CAR T cells were at work, the MHC-I capacity where that moved most, else the antigen."""
    if any(
        np.nanmax(column(results, "car_t_cells")[1], initial=0) > 0 for results in arms.values()
    ):
        return "car_target"
    return max(
        ("antigen", "mhc"),
        key=lambda trait: max(shift(results, trait) for results in arms.values()),
    )


def shift(results: Results, trait: str) -> float:
    """How far the mean of a trait has fallen or risen, as a share of its start."""
    if not len(results.snapshots):
        return 0.0
    ends = [tumor_trait(results.snapshots[nearest_day(results, day)], trait) for day in (0, None)]
    if not all(values.size for values in ends) or ends[0].mean() <= 0:
        return 0.0
    return abs(float(ends[1].mean() / ends[0].mean()) - 1)
