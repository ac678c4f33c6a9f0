"""The pictures of a trial's arms: progression over time, response in subgroups, paired beside unpaired contrasts."""

import math
from collections.abc import Iterable

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MultipleLocator, NullFormatter, NullLocator

from simulation.plots import style
from simulation.words import bounds, capital, name_words, number_words

from ..statistics import half_width
from .judged import BIOMARKERS, CONTROL, Judged, Row, by_arm
from .sentences import p_words

ALL = {"all": "all patients"}
BROAD = 4.2
"""Points of the control's curve, which lies beneath, so that an equal curve leaves it seen."""
HAZARDS = (0.05, 20.0)
"""Ends of the axis of hazard ratios; intervals beyond are cut and marked with an arrow."""


def progression(found: Judged, question: str) -> Figure:
    """Kaplan-Meier curves of the time to progression with bands, and the number at risk below."""
    arms = list(by_arm(found.responses))
    colors, last = style.arm_colors([arm for arm, _ in arms]), float(found.scans["day"].max())
    figure = style.picture(9, 6 + 0.55 * len(arms))
    axes, table = figure.subplots(2, 1, sharex=True, height_ratios=[12, 1 + len(arms)])
    for (arm, own), against in zip(arms, found.comparisons.itertuples(), strict=True):
        curve = found.progression[found.progression["arm"] == arm]
        days, free = extended(curve["day"], last), extended(curve["free"])
        axes.fill_between(
            days,
            extended(curve["low"]),
            extended(curve["high"]),
            step="post",
            color=colors[arm],
            alpha=0.16,
            linewidth=0,
        )
        axes.step(
            days,
            free,
            where="post",
            color=colors[arm],
            linewidth=BROAD if arm == CONTROL else 2.2,
            zorder=2 if arm == CONTROL else 2.5,
            label=compared(arm, against),
        )
        left = own[~own["progressed"].to_numpy(dtype=bool)]["progression_day"]
        if len(left):
            axes.plot(
                left,
                np.interp(left, curve["day"], curve["free"]),
                "|",
                color=colors[arm],
                markersize=11,
                markeredgewidth=1.6,
                clip_on=False,
            )
    axes.set(ylim=(0, 1.03), xlim=(0, last * 1.03), ylabel="share without progression")
    at_risk(table, arms, colors, last)
    figure.legend(
        *axes.get_legend_handles_labels(),
        loc="outside lower left",
        title="Bands: 95 %. Ticks: without progression at the last scan.",
        alignment="left",
        title_fontsize=11,
    )
    axes.tick_params(labelbottom=False)
    axes.set_title("Time to progression")
    figure.suptitle(question, fontsize=14, x=0.01, ha="left")
    return figure


def extended(values: pd.Series, last: float | None = None) -> np.ndarray:
    """A curve's values with its last one repeated (or ``last`` put there), so that steps reach the end."""
    values = values.to_numpy(dtype=float)
    return np.append(values, values[-1] if last is None else max(last, values[-1]))


def compared(arm: str, against: Row) -> str:
    """An arm's entry in the legend."""
    words = name_words(arm)
    if arm == CONTROL or math.isnan(against.p_value):
        return words
    ratio = (
        f"hazard ratio {against.hazard_ratio:.2f}{bounds(against.low, against.high, '{:.2f}'.format)}, "
        if math.isfinite(against.hazard_ratio)
        else ""
    )
    return f"{words}: {ratio}log-rank {p_words(against.p_value)}"


def at_risk(
    axes: Axes, arms: list[tuple[str, pd.DataFrame]], colors: dict[str, str], last: float
) -> None:
    """Patients without progression just before each marked day."""
    step = 7.0 * max(1.0, np.ceil(last / 7 / 6)) if last >= 14 else 2.0
    axes.xaxis.set_major_locator(MultipleLocator(step))
    days = np.arange(0, last + 1e-6, step)
    for place, (arm, own) in enumerate(arms):
        for day in days:
            axes.text(
                day,
                -place,
                f"{(own['progression_day'] >= day).sum()}",
                color=colors[arm],
                ha="center",
                va="center",
                fontsize=11,
            )
    axes.set(
        ylim=(-len(arms) + 0.4, 0.6),
        yticks=[-place for place in range(len(arms))],
        yticklabels=[name_words(arm) for arm, _ in arms],
        xlabel="day",
    )
    axes.set_title("patients at risk", fontsize=11, fontweight="normal")
    for label, (arm, _) in zip(axes.get_yticklabels(), arms, strict=True):
        label.set_color(colors[arm])
    axes.grid(visible=False)
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.tick_params(length=0)
    axes.tick_params(axis="y", pad=18)


def subgroups(table: pd.DataFrame, question: str, per: str = "per mm²") -> Figure:
    """A forest: response rates and hazard ratios with their intervals, in all patients and by biomarker."""
    arms = list(table["arm"].unique())
    colors, groups = (
        style.arm_colors(arms),
        list(table[["biomarker", "group"]].drop_duplicates().itertuples(index=False)),
    )
    place = {
        tuple(group): -number - 0.35 * sum(other[1] == "low" for other in groups[: number + 1])
        for number, group in enumerate(groups)
    }
    figure = style.picture(12.5, 1.9 + 0.75 * len(groups))
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=[1, 1])
    for number, arm in enumerate(arms):
        shift = 0.26 * ((len(arms) - 1) / 2 - number)
        own = table[table["arm"] == arm]
        rows = [place[row.biomarker, row.group] + shift for row in own.itertuples()]
        forest(
            left,
            own["share"] * 100,
            own["low"] * 100,
            own["high"] * 100,
            rows,
            colors[arm],
            name_words(arm),
        )
        if arm != CONTROL:
            rows = [place[row.biomarker, row.group] + shift for row in own.itertuples()]
            forest(
                right,
                own["hazard_ratio"],
                own["hazard_low"],
                own["hazard_high"],
                rows,
                colors[arm],
                None,
                HAZARDS,
            )
    left.set(
        xlim=(-2, 102),
        xlabel="objective response (%), exact 95 % interval",
        yticks=list(place.values()),
        yticklabels=[group_words(table, biomarker, group, per) for biomarker, group in groups],
    )
    left.set_title("Objective response")
    right.set_xscale("log")
    right.set(
        xlim=HAZARDS,
        xlabel="progression, arm over control, 95 % interval",
        ylim=(min(place.values()) - 0.6, 0.6),
    )
    right.set_title("Hazard ratio")
    right.axvline(1, color=style.INK, linewidth=1)
    ratio_axis(right, (0.1, 0.2, 0.5, 1, 2, 5, 10))
    for axes in (left, right):
        axes.grid(axis="y", visible=False)
        axes.tick_params(axis="y", length=0)
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=len(arms))
    figure.suptitle(question, fontsize=14, x=0.01, ha="left")
    return figure


def group_words(table: pd.DataFrame, biomarker: str, group: str, per: str) -> str:
    """One subgroup: what it is, where it was cut, how many patients it has."""
    own = table[(table["biomarker"] == biomarker) & (table["group"] == group)].iloc[0]
    words, count = capital((ALL | BIOMARKERS).get(biomarker, biomarker)), int(own["patients"])
    if biomarker == "all":
        return f"{words}\nn = {count}"
    sign = "≥" if group == "high" else "<"
    unit = f" {per}" if biomarker == "cd8" else ""
    return f"{words} {sign} {number_words(own['cut'])}{unit}\nn = {count}"


def forest(
    axes: Axes,
    values: Iterable[float],
    low: Iterable[float],
    high: Iterable[float],
    rows: list[float],
    color: str,
    label: str | None,
    ends: tuple[float, float] | None = None,
    marker: str = "s",
    filled: bool = True,
) -> None:
    """Points with intervals; what lies beyond ``ends`` is cut there and marked with an arrow."""
    for value, below, above, row in zip(values, low, high, rows, strict=True):
        if not np.isfinite(value):
            continue
        cut = (max(below, ends[0]), min(above, ends[1])) if ends else (below, above)
        axes.plot(cut, [row, row], color=color, linewidth=2.0, zorder=2)
        if ends:
            for beyond, arrow, at in (
                (below < ends[0], "<", ends[0]),
                (above > ends[1], ">", ends[1]),
            ):
                if beyond:
                    axes.plot(at, row, arrow, color=color, markersize=6, clip_on=False)
            value = min(max(value, ends[0]), ends[1])
        axes.plot(
            value,
            row,
            marker,
            color=color,
            markersize=7,
            label=label,
            zorder=3,
            markerfacecolor=color if filled else "white",
            markeredgewidth=1.6,
        )
        label = None


def contrasts(table: pd.DataFrame, question: str) -> Figure:
    """Differences between arms, paired beside unpaired; right of each, how much smaller pairing makes its variance."""
    quantities, colors = (
        list(table["quantity"].unique()),
        style.arm_colors([CONTROL, *table["arm"].unique()]),
    )
    rows = len(table) // len(quantities)
    figure = style.picture(13.5, 1.9 + len(quantities) * (0.75 + 0.42 * rows))
    grid = figure.subplots(
        len(quantities),
        2,
        width_ratios=[1.4, 1],
        sharex="col" if len(quantities) == 1 else False,
        squeeze=False,
    )
    top = 3 * max([3.0, *table["ratio_high"].dropna()])
    for (left, right), quantity in zip(grid, quantities, strict=True):
        own = table[table["quantity"] == quantity]
        differences(left, own, colors)
        ratios(right, own, colors, top)
        left.set_title(
            quantity if quantity.startswith("ln ") else f"{quantity[0].upper()}{quantity[1:]}",
            fontsize=12,
        )
    grid[0][1].set_title(
        f"Variance saved by pairing (beside: patients an\nunpaired trial needs for what "
        f"{int(table['pairs'].max())} patients gave)",
        fontsize=12,
    )
    grid[-1][0].set_xlabel("difference with 95 % interval: filled paired, hollow unpaired")
    grid[-1][1].set_xlabel("variance, unpaired over paired, with 95 % interval")
    figure.suptitle(question, fontsize=14, x=0.01, ha="left")
    return figure


def differences(axes: Axes, rows: pd.DataFrame, colors: dict[str, str]) -> None:
    """Paired and unpaired intervals of one quantity (Student's t), a pair of arms to a row."""
    for place, row in enumerate(rows.itertuples()):
        margin = half_width(row.unpaired_error, 2 * row.pairs - 2)
        for low, high, shift, filled in (
            (row.low, row.high, 0.17, True),
            (row.difference - margin, row.difference + margin, -0.17, False),
        ):
            forest(
                axes,
                [row.difference],
                [low],
                [high],
                [-place + shift],
                colors[row.arm],
                None,
                marker="o",
                filled=filled,
            )
    axes.axvline(0, color=style.INK, linewidth=1)
    axes.set(
        yticks=[-place for place in range(len(rows))],
        ylim=(-len(rows) + 0.45, 0.55),
        yticklabels=[
            f"{name_words(row.arm)}\n- {name_words(row.against)}" for row in rows.itertuples()
        ],
    )
    axes.tick_params(axis="y", labelsize=10, length=0)
    axes.grid(axis="y", visible=False)


def ratios(axes: Axes, rows: pd.DataFrame, colors: dict[str, str], top: float) -> None:
    """Variance ratios with their bootstrap intervals; beside each, the patients an unpaired trial needs."""
    for place, row in enumerate(rows.itertuples()):
        forest(
            axes,
            [row.variance_ratio],
            [row.ratio_low],
            [row.ratio_high],
            [-place],
            colors[row.arm],
            None,
            (0.5, top),
            marker="o",
        )
        if np.isfinite(row.variance_ratio):
            axes.annotate(
                f"{row.unpaired_patients:,.0f}",
                (np.nanmax([row.ratio_high, row.variance_ratio]), -place),
                xytext=(8, 0),
                textcoords="offset points",
                va="center",
                color=colors[row.arm],
                fontsize=10.5,
            )
    axes.axvline(1, color=style.INK, linewidth=1)
    axes.set_xscale("log")
    axes.set(xlim=(0.5, top), yticks=[], ylim=(-len(rows) + 0.45, 0.55))
    ratio_axis(axes, (0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000))
    axes.grid(axis="y", visible=False)


def ratio_axis(axes: Axes, ticks: tuple[float, ...]) -> None:
    """Plain numbers on a logarithmic axis."""
    low, high = axes.get_xlim()
    axes.set_xticks([tick for tick in ticks if low <= tick <= high])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
