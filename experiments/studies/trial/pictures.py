"""The pictures of a trial: a bar, a line or a dot for every patient, arms beside each other."""

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MultipleLocator

from simulation.plots import style
from simulation.readouts.response import CATEGORIES, Recist
from simulation.words import CATEGORY_WORDS, name_words, percent

from . import curves
from .judged import Judged, Protocol, by_arm

CATEGORY_COLORS = {
    "CR": "#08519C",
    "PR": "#6BAED6",
    "SD": "#BDBDBD",
    "PD": "#D55E00",
    "NE": "#FFFFFF",
}
PANEL = 4.6
"""Inches of one arm's panel."""


def figures(found: Judged, protocol: Protocol) -> dict[str, Figure]:
    """Every picture of a trial by the name of its file; none where nobody was enrolled."""
    if not found.patients["enrolled"].any():
        return {}
    last, per = float(found.scans["day"].max()), f"per mm{'²³'[protocol.space - 2]}"
    with style.context():
        return {
            "waterfall": waterfall(found.responses, protocol.recist, protocol.question),
            "spider": spider(found.scans, found.responses, protocol.recist, protocol.question),
            "swimmer": swimmer(found.responses, last, protocol.question),
            "progression": curves.progression(found, protocol.question),
            "subgroups": curves.subgroups(found.subgroups, protocol.question, per),
            "contrasts": curves.contrasts(found.contrasts, protocol.question),
        }


def waterfall(responses: pd.DataFrame, recist: Recist, question: str) -> Figure:
    """Best change in diameter of every patient, in order, a panel per arm, coloured by best response."""
    figure, panels = beside(responses, question, "best change in diameter (%)")
    for axes, (_, own) in zip(panels, by_arm(responses), strict=True):
        own = own.sort_values(["best_change", "patient"], ascending=[False, True])
        axes.bar(
            np.arange(len(own)),
            100 * own["best_change"],
            width=0.9 if len(own) < 40 else 1.0,
            color=[CATEGORY_COLORS[best] for best in own["best"]],
            edgecolor="white",
            linewidth=0.4 if len(own) < 200 else 0,
            zorder=2,
        )
        thresholds(axes, recist)
        axes.set(xlim=(-1, len(own)), xticks=[], xlabel=f"{len(own)} patients")
        axes.grid(axis="x", visible=False)
    percent_axis(panels[0], 100 * responses["best_change"])
    legend(figure, categories(responses))
    return figure


def spider(scans: pd.DataFrame, responses: pd.DataFrame, recist: Recist, question: str) -> Figure:
    """Change in diameter of every patient over the scans, a panel per arm, coloured by best response."""
    figure, panels = beside(responses, question, "change in diameter from baseline (%)")
    for axes, (arm, own) in zip(panels, by_arm(responses), strict=True):
        lines = dict(iter(scans[scans["arm"] == arm].groupby("patient")))
        for row in own.sort_values("best_change", ascending=False).itertuples():
            line = lines[row.patient]
            axes.plot(
                line["day"],
                100 * line["change"],
                color=CATEGORY_COLORS[row.best],
                linewidth=1.2,
                alpha=0.75,
                marker="o",
                markersize=2.6,
            )
        thresholds(axes, recist)
        scan_axis(axes, scans)
    percent_axis(panels[0], 100 * scans["change"])
    legend(figure, categories(responses, line=True))
    return figure


def swimmer(responses: pd.DataFrame, last: float, question: str) -> Figure:
    """A bar per patient up to progression or the last scan, coloured by best response; responses and ends are marked."""
    figure, panels = beside(responses, question, "patients", height=7.5)
    for axes, (_, own) in zip(panels, by_arm(responses), strict=True):
        rank = own["best"].map({kind: place for place, kind in enumerate(CATEGORIES)})
        own = own.assign(rank=rank).sort_values(
            ["progression_day", "progressed", "rank", "best_change"],
            ascending=[True, False, False, False],
        )
        place = np.arange(len(own))
        axes.barh(
            place,
            own["progression_day"],
            height=0.8 if len(own) < 50 else 1.0,
            zorder=2,
            color=[CATEGORY_COLORS[best] for best in own["best"]],
        )
        size = float(np.clip(330 / len(own), 2.2, 7))
        ended = own["progressed"].to_numpy(dtype=bool)
        axes.plot(
            own["response_day"],
            place,
            "^",
            color=style.INK,
            markersize=size,
            linestyle="none",
            zorder=4,
        )
        for rows, marker, color, aside in (
            (ended, "x", style.INK, 0.0),
            (~ended, ">", style.MUTED, 0.015 * last),
        ):
            if rows.any():
                axes.plot(
                    own["progression_day"][rows] + aside,
                    place[rows],
                    marker,
                    color=color,
                    markersize=size,
                    linestyle="none",
                    zorder=4,
                    clip_on=False,
                )
        axes.set(ylim=(-1, len(own)), yticks=[], xlim=(0, last * 1.04), xlabel="day")
        axes.xaxis.set_major_locator(MultipleLocator(week_step(last)))
        axes.grid(axis="y", visible=False)
    marks = [
        Line2D([], [], color=color, marker=marker, linestyle="none", label=words)
        for marker, color, words in (
            ("^", style.INK, "response begins"),
            ("x", style.INK, "progression"),
            (">", style.MUTED, "without progression"),
        )
    ]
    legend(figure, [*categories(responses), *marks], columns=4)
    return figure


def beside(
    responses: pd.DataFrame, question: str, label: str, height: float = 5.4
) -> tuple[Figure, list[Axes]]:
    """A picture with a panel per arm on common axes, titled with its name and response rate."""
    arms = list(by_arm(responses))
    figure = style.picture(max(PANEL * len(arms), 7.0), height)
    panels = list(figure.subplots(1, len(arms), sharex=True, sharey=True, squeeze=False)[0])
    for axes, (arm, own) in zip(panels, arms, strict=True):
        axes.set_title(
            f"{name_words(arm)}\n{percent(own['objective'].mean())} respond", fontsize=12
        )
    panels[0].set_ylabel(label)
    figure.suptitle(question, fontsize=14, x=0.01, ha="left")
    return figure, panels


def thresholds(axes: Axes, recist: Recist) -> None:
    """The lines of partial response and progression against baseline."""
    for value in (-recist.value("partial_response"), recist.value("progression")):
        axes.axhline(value, color=style.MUTED, linewidth=1.0, linestyle=(0, (4, 3)), zorder=1.5)
    axes.axhline(0, color=style.INK, linewidth=0.9, zorder=3)


def percent_axis(axes: Axes, changes: pd.Series) -> None:
    """An axis of per cent from -100 to the largest change."""
    top = max(float(changes.max()), 25.0)
    axes.set_ylim(-106, top * 1.06)
    axes.yaxis.set_major_locator(MultipleLocator(25 if top <= 150 else 50 if top <= 300 else 100))
    axes.yaxis.set_major_formatter(
        FuncFormatter(lambda value, _: f"{value:+.0f}" if value else "0")
    )


def scan_axis(axes: Axes, scans: pd.DataFrame) -> None:
    """The axis of days."""
    last = float(scans["day"].max())
    axes.set(xlim=(0, last * 1.02), xlabel="day")
    axes.xaxis.set_major_locator(MultipleLocator(week_step(last)))


def week_step(last: float) -> float:
    """Days between tick marks: whole weeks, at most about six marks."""
    return 7.0 * max(1.0, np.ceil(last / 7 / 6)) if last >= 14 else 2.0


def categories(responses: pd.DataFrame, line: bool = False) -> list[Artist]:
    """Legend entries of the categories that occur."""
    present = [kind for kind in CATEGORIES if (responses["best"] == kind).any()]
    words = {kind: f"{kind}: {CATEGORY_WORDS[kind]}" for kind in present}
    if line:
        return [
            Line2D([], [], color=CATEGORY_COLORS[kind], marker="o", markersize=4, label=words[kind])
            for kind in present
        ]
    return [Patch(color=CATEGORY_COLORS[kind], label=words[kind]) for kind in present]


def legend(figure: Figure, entries: list[Artist], columns: int = 4) -> None:
    """One legend under all panels, best response first."""
    figure.legend(
        handles=entries,
        loc="outside lower center",
        ncols=columns,
        fontsize=11,
        title="Best response",
        title_fontsize=11,
    )
