"""The one picture of a run: every arm beside its control, from the tissue to the curves that explain it."""

from collections.abc import Iterable, Mapping
from textwrap import wrap

import numpy as np
from matplotlib.figure import Figure

from ..results.results import Results
from ..words import name_words, percent
from . import style
from .arms import by_name, column, last_day, nearest_day
from .selection import start_and_end, trait_under_selection
from .time_courses import (
    arm_legend,
    burden,
    dose_rows,
    eliminated_on,
    immune_columns,
    present,
    stack,
)
from .tissue import kind_handles, kinds_note, tissue

STATES = {
    "mean_pdl1": "PD-L1 on tumour cells",
    "mean_presented_mhc": "MHC-I on tumour cells",
    "mean_vigour": "T-cell vigour (1 = fresh)",
}
WIDTH, CURVES = 16.0, 4.9
UPRIGHT, NARROW = 4, 6
"""From so many arms on, the tissues of an arm stand below each other, and their titles take two lines."""


def overview(
    arms: Results | Iterable[Results] | Mapping[str, Results],
    question: str | None = None,
    title: str | None = None,
) -> Figure:
    """Tissue of every arm half-way (or at first) and at the end; below, burden with doses, immune cells, states, selection."""
    arms = by_name(arms)
    with style.context():
        heading = [name_words(title)[0].upper() + name_words(title)[1:]] if title else []
        heading += wrap(question, 105) if question else []
        above, below = tissue_height(arms), CURVES + 0.21 * max(0, len(dose_rows(arms)) - 1)
        figure = style.picture(WIDTH, above + below + 0.36 * len(heading), w_pad=0.06, h_pad=0.06)
        if heading:
            figure.suptitle("\n".join(heading), fontsize=18, fontweight="bold", x=0.012, ha="left")
        upper, lower = figure.subfigures(2, 1, height_ratios=[above, below])
        tissues(upper, arms)
        curves(lower, arms)
    return figure


def tissue_height(arms: Mapping[str, Results]) -> float:
    """Inches that the tissues need: two beside each other, or one above the other, below what became of the arm."""
    lines, number = next(iter(headings(arms).values())).count("\n"), len(arms)
    if number >= UPRIGHT:
        return (
            2 * (min(WIDTH / number - 0.5, 2.8) + (0.35 if number < NARROW else 0.55))
            + 0.9
            + 0.2 * lines
        )
    return min(WIDTH / (2 * number), 4.0) + 1.15 + 0.2 * lines


def heading_size(arms: int) -> float:
    """Points of the words above so many arms."""
    return 14 if arms < 3 else 12.5 if arms < NARROW else 11


def headings(arms: Mapping[str, Results]) -> dict[str, str]:
    """What became of each arm, below its name unless both fit into one line; all are equally high."""
    signs = int(WIDTH / len(arms) * 72 / (0.62 * heading_size(len(arms))))
    told = {name: (name_words(name), outcome(results)) for name, results in arms.items()}
    lines = {name: [": ".join(parts)] for name, parts in told.items()}
    if any(len(line) > signs for (line,) in lines.values()):
        lines = {
            name: [line for part in parts for line in wrap(part, signs)]
            for name, parts in told.items()
        }
    most = max(map(len, lines.values()))
    return {name: "\n".join([" "] * (most - len(own)) + own) for name, own in lines.items()}


def days_shown(arms: Mapping[str, Results], results: Results) -> list[float]:
    """The snapshots half-way and at the end; the first one for a single arm, or where none is about half-way."""
    last = last_day(arms)
    middle = nearest_day(results, last / 2)
    early = [middle] if 0.25 * last <= middle <= 0.75 * last else [nearest_day(results, 0)]
    first = [nearest_day(results, 0)] if len(arms) == 1 else []
    return list(dict.fromkeys([*first, *early, nearest_day(results, None)]))


def tissues(figure, arms: Mapping[str, Results]) -> None:
    """One block per arm: what happened in words, and its tissue at two days."""
    colors, told, drawn = style.arm_colors(arms), headings(arms), []
    for block, (name, results) in zip(
        np.atleast_1d(figure.subfigures(1, len(arms))), arms.items(), strict=True
    ):
        block.suptitle(
            told[name], color=colors[name], fontweight="bold", fontsize=heading_size(len(arms))
        )
        if not len(results.snapshots):
            block.text(0.5, 0.5, "no snapshot was kept", ha="center", color=style.MUTED)
            continue
        days = days_shown(arms, results)
        upright = len(arms) >= UPRIGHT
        panels = np.atleast_1d(
            block.subplots(len(days), 1) if upright else block.subplots(1, len(days))
        )
        for axes, day in zip(panels, days, strict=True):
            tissue(results, day, axes=axes, legend=False)
            if len(arms) >= NARROW:
                axes.set_title(
                    axes.get_title("left").replace(": ", "\n"), fontsize=10.5, fontweight="normal"
                )
            drawn.append(results.snapshots[day])
    if drawn:
        figure.legend(
            handles=kind_handles(*drawn),
            loc="outside lower center",
            ncols=8,
            fontsize=12,
            handlelength=0.9,
            title=kinds_note(*drawn),
            title_fontsize=11,
        )


def curves(figure, arms: Mapping[str, Results]) -> None:
    """Four columns: burden, immune cells, states over time, and the trait under selection at start and end."""
    grid = figure.add_gridspec(1, 4, width_ratios=[1.25, 1, 1, 1.1])
    burden(figure.add_subplot(grid[0]), arms)
    for cell, columns, unit, counts in (
        (grid[1], present(arms, immune_columns(arms)), "cells", True),
        (grid[2], STATES, "mean", False),
    ):
        panels = [figure.add_subplot(part) for part in cell.subgridspec(len(columns), 1)]
        stack(panels, arms, columns, unit=unit, counts=counts, whole=("mean_vigour",))
    if all(len(results.snapshots) for results in arms.values()):
        start_and_end(figure.add_subplot(grid[3]), arms, trait_under_selection(arms))
    arm_legend(figure, arms)


def outcome(results: Results) -> str:
    """What became of the tumour of one arm, in a few words."""
    days, cells = column(results, "tumor_cells")
    if not cells.size:
        return "nothing recorded"
    if (gone := eliminated_on(days, cells)) is not None:
        return f"eliminated on day {gone:.0f}"
    if not cells.any():
        return "no tumour"
    if cells[0] <= 0:
        return f"{cells[-1]:,.0f} cells"
    end, lowest = cells[-1] / cells[0], cells.min() / cells[0]
    if lowest < min(0.5, end / 3):
        return f"fell to {percent(lowest)}, " + (
            "then regrew" if end > 0.5 else f"now at {percent(end)}"
        )
    if end >= 1.25:
        return f"grew {end:.1f}-fold"
    return f"held at {percent(end)}" if end > 0.8 else f"shrank to {percent(end)}"
