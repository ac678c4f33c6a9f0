"""The pictures of a report: narrow enough for a phone, with words for those who cannot see them, embedded in the page."""

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simulation.plots import style
from simulation.plots.arms import column, last_day, nearest_day, tumor_trait
from simulation.plots.overview import STATES, outcome
from simulation.plots.selection import start_and_end, trait_under_selection
from simulation.plots.time_courses import (
    arm_legend,
    burden,
    dose_rows,
    immune_columns,
    kill_columns,
    legend_columns,
    present,
    stack,
)
from simulation.plots.tissue import kind_handles, kinds_note, tissue
from simulation.plots.volume import volume
from simulation.results.results import Results
from simulation.words import day_words, kind_words, name_words, number_words, trait_words

WIDTH = 5.4
"""Inches of a picture that is read on a phone and stands beside another on a desk."""
SIZE = 11
"""Points of the names of arms."""
SHARP, WIDEST = 190, 1500
"""Pixels an inch, and pixels of the widest picture."""
LEGIBLE, LARGE = 58, 100
"""Pixels of the page an inch, below which the words of a wide picture cannot be read, and above which they are too large."""


@dataclass(frozen=True)
class Picture:
    """A picture of a report: a data URI, its text alternative, and the widths in pixels at which a wide one is legible."""

    source: str
    alternative: str
    caption: str
    wide: bool
    least: int
    most: int


def picture(figure: Figure, alternative: str, caption: str) -> Picture:
    """A figure as a picture; the same figure gives the same bytes."""
    inches, buffer = figure.get_figwidth(), io.BytesIO()
    figure.savefig(
        buffer, format="png", dpi=min(SHARP, WIDEST / inches), metadata={"Software": None}
    )
    return Picture(
        f"data:image/png;base64,{base64.b64encode(lighter(buffer.getvalue())).decode()}",
        alternative,
        caption,
        inches > 1.3 * WIDTH,
        round(LEGIBLE * inches),
        round(LARGE * inches),
    )


def lighter(png: bytes) -> bytes:
    """A picture in the 256 colours that it needs most, which no eye tells from it and a page carries easily."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(
        buffer, "PNG", optimize=True
    )
    return min(png, buffer.getvalue(), key=len)


def of_run(arms: Mapping[str, Results]) -> list[Picture]:
    """Burden, tissue, selection, immune cells, states and kills of a run."""
    last, colors = last_day(arms), style.arm_colors(arms)
    panels = (
        (present(arms, immune_columns(arms)), "cells", True, "Immune cells in the tissue."),
        (STATES, "mean", False, "What tumour cells show, and the state of the T cells."),
        (present(arms, kill_columns()), "cells", False, "Tumour cells killed since day 0."),
    )
    with style.context():
        pictures = [
            picture(
                curves(arms),
                curves_in_words(arms),
                "Living tumour cells; doses stand above the curves.",
            )
        ]
        pictures += [
            picture(
                lapse(results, last, colors[arm]),
                lapse_in_words(results, last),
                f"Tissue, {name_words(arm)}.",
            )
            for arm, results in arms.items()
            if len(results.snapshots)
        ]
        pictures += [
            picture(
                solid(results),
                f"The tissue of {name_words(arm)} on its last day in three dimensions.",
                f"{name_words(arm)}, one corner cut open.",
            )
            for arm, results in arms.items()
            if deep(results)
        ]
        if all(len(results.snapshots) for results in arms.values()):
            trait = trait_under_selection(arms)
            pictures.append(
                picture(
                    selection(arms, trait),
                    selection_in_words(arms, trait),
                    f"How {trait_words(trait)} is distributed over the tumour cells, at the start and at "
                    "the end.",
                )
            )
        for columns, unit, counts, caption in panels:
            pictures.append(
                picture(
                    stacked(arms, columns, unit, counts), stacked_in_words(arms, columns), caption
                )
            )
    return pictures


def of_study(figures: Mapping[str, Figure]) -> list[Picture]:
    """The figures of an analysis, with the words that stand in them as alternative."""
    return [
        picture(figure, texts(figure), f"{name.replace('_', ' ').capitalize()}.")
        for name, figure in figures.items()
    ]


# ---------------------------------------------------------------- figures


def curves(arms: Mapping[str, Results]) -> Figure:
    """Burden over time."""
    figure = style.picture(WIDTH, 3.5 + 0.21 * len(dose_rows(arms)) + legend_height(arms))
    burden(figure.add_subplot(), arms)
    arm_legend(figure, arms, SIZE)
    return figure


def stacked(
    arms: Mapping[str, Results], columns: dict[str, str], unit: str, counts: bool
) -> Figure:
    """A narrow panel per column."""
    figure = style.picture(WIDTH, 0.7 + 1.55 * len(columns) + legend_height(arms))
    panels = list(np.atleast_1d(figure.subplots(len(columns), 1)))
    stack(panels, arms, columns, unit=unit, counts=counts, whole=("mean_vigour",))
    arm_legend(figure, arms, SIZE)
    return figure


def lapse(results: Results, last: float, color: str) -> Figure:
    """The tissue of an arm on four days from the first to the last, or as many as there are."""
    days = lapse_days(results, last)
    down, across = (2, 2) if len(days) == 4 else (1, len(days))
    figure = style.picture(WIDTH, 1.4 + down * min(WIDTH / across - 0.1, 3.6))
    for axes, shown in zip(figure.subplots(down, across, squeeze=False).ravel(), days, strict=True):
        tissue(results, shown, axes=axes, legend=False)
        axes.set_title(
            axes.get_title("left").replace(": ", "\n"),
            fontsize=12 if across < 3 else 10.5,
            fontweight="normal",
        )
    figure.suptitle(
        name_words(results.arm), color=color, fontsize=14, fontweight="bold", x=0.02, ha="left"
    )
    shots = [results.snapshots[shown] for shown in days]
    figure.legend(
        handles=kind_handles(*shots),
        loc="outside lower center",
        ncols=3,
        handlelength=0.9,
        columnspacing=1.2,
        title=kinds_note(*shots),
        title_fontsize=10.5,
    )
    return figure


def lapse_days(results: Results, last: float) -> list[float]:
    """Up to four days with snapshots, spread over the run."""
    return list(dict.fromkeys(nearest_day(results, last * part / 3) for part in range(4)))


def deep(results: Results) -> bool:
    """Whether an arm has a tissue in three dimensions to show."""
    shots = results.snapshots
    return (
        bool(len(shots))
        and not (last := shots[nearest_day(results, None)]).liquid
        and len(last.shape) == 3
    )


def solid(results: Results) -> Figure:
    """The last tissue in three dimensions."""
    figure = volume(results)
    figure.set_size_inches(WIDTH, 5.7)
    return figure


def selection(arms: Mapping[str, Results], trait: str) -> Figure:
    """The trait at the start and at the end."""
    figure = style.picture(WIDTH, 3.9 + legend_height(arms))
    axes: Axes = figure.add_subplot()
    start_and_end(axes, arms, trait)
    arm_legend(figure, arms, SIZE)
    return figure


def legend_height(arms: Mapping[str, Results]) -> float:
    """Inches of the legend of arms."""
    return 0.22 * -(-len(arms) // legend_columns(arms, WIDTH, SIZE))


# ---------------------------------------------------------------- words


def curves_in_words(arms: Mapping[str, Results]) -> str:
    """Burden on the first and last day, and what became of each arm."""
    told = [f"{name_words(arm)}: {outcome(results)}" for arm, results in arms.items()]
    return f"Curves of living tumour cells from day 0 to {day_words(last_day(arms))}. {'; '.join(told)}."


def lapse_in_words(results: Results, last: float) -> str:
    """The cells of each kind on the days that are shown."""
    told = []
    for shown in lapse_days(results, last):
        counts = results.snapshots[shown].counts()
        cells = [
            f"{number:,} {kind_words(kind)}"
            for kind, number in counts.items()
            if number or kind == "tumor_cell"
        ]
        told.append(f"{day_words(shown)}: {', '.join(cells)}")
    return f"Pictures of the tissue of {name_words(results.arm)}; {'; '.join(told)}."


def selection_in_words(arms: Mapping[str, Results], trait: str) -> str:
    """The median of a trait at the start and at the end."""
    told = []
    for arm, results in arms.items():
        ends = [
            tumor_trait(results.snapshots[nearest_day(results, shown)], trait)
            for shown in (0, None)
        ]
        medians = [
            number_words(np.median(values), 2) if values.size else "no cell left" for values in ends
        ]
        told.append(f"{name_words(arm)}: {medians[0]}, then {medians[1]}")
    return f"Distribution of {trait_words(trait)} at the start and at the end. Medians: {'; '.join(told)}."


def stacked_in_words(arms: Mapping[str, Results], columns: Mapping[str, str]) -> str:
    """First and last value of each curve."""
    told = []
    for name, words in columns.items():
        ends = []
        for arm, results in arms.items():
            values = column(results, name)[1]
            values = values[np.isfinite(values)]
            ends.append(
                f"{name_words(arm)} {number_words(values[0])} to {number_words(values[-1])}"
                if values.size
                else f"{name_words(arm)} none"
            )
        told.append(f"{words}: {', '.join(ends)}")
    return f"Curves over time, first to last value. {'; '.join(told)}."


def texts(figure: Figure) -> str:
    """The titles and axis labels of a figure, in order, each once."""
    title = figure.get_suptitle().replace("\n", " ")
    panels = [axes for axes in figure.axes if axes.get_visible()]
    heads = dict.fromkeys(
        axes.get_title(side).replace("\n", ", ") for axes in panels for side in ("left", "center")
    )
    labels = dict.fromkeys(
        label.replace("\n", " ")
        for axes in panels
        for label in (axes.get_ylabel(), axes.get_xlabel())
    )
    parts = [
        title.rstrip("?.") + ("?" if title.endswith("?") else ""),
        f"Panels: {', '.join(filter(None, heads))}" if any(heads) else "",
        f"Axes: {', '.join(filter(None, labels))}" if any(labels) else "",
    ]
    return ". ".join(filter(None, parts)).replace("?.", "?")
