"""The one picture of a run: every arm beside its control, from the tissue to the curves that explain it."""

from collections.abc import Iterable, Mapping
from textwrap import wrap

import numpy as np
from matplotlib.figure import Figure

from ..results import Results
from . import style
from .arms import by_name, column, last_day, nearest_day
from .selection import start_and_end, trait_under_selection
from .time_courses import arm_legend, burden, dose_rows, eliminated_on, immune_columns, present, stack
from .tissue import kind_handles, tissue

STATES = {"mean_pdl1": "PD-L1 on tumour cells", "mean_presented_mhc": "MHC-I on tumour cells",
          "mean_vigour": "T-cell vigour (1 = fresh)"}
WIDTH, CURVES = 16.0, 4.9
UPRIGHT = 4


def overview(arms: Results | Iterable[Results] | Mapping[str, Results], question: str | None = None,
             title: str | None = None) -> Figure:
    """Tissue of every arm half-way and at the end; below, burden with doses, immune cells, states, and selection."""
    arms = by_name(arms)
    with style.context():
        heading = [style.name_words(title)[0].upper() + style.name_words(title)[1:]] if title else []
        heading += wrap(question, 105) if question else []
        above, below = tissue_height(len(arms)), CURVES + 0.21 * max(0, len(dose_rows(arms)) - 1)
        figure = style.picture(WIDTH, above + below + 0.36 * len(heading), w_pad=0.06, h_pad=0.06)
        if heading:
            figure.suptitle("\n".join(heading), fontsize=18, fontweight="bold", x=0.012, ha="left")
        upper, lower = figure.subfigures(2, 1, height_ratios=[above, below])
        tissues(upper, arms)
        curves(lower, arms)
    return figure


def tissue_height(arms: int) -> float:
    """Inches that the tissues of so many arms need: two beside each other, or one above the other."""
    if arms >= UPRIGHT:
        return 2 * (min(WIDTH / arms - 0.5, 2.8) + 0.35) + 0.9
    return min(WIDTH / (2 * arms), 4.0) + 1.15


def tissues(figure, arms: Mapping[str, Results]) -> None:
    """One block per arm: what happened in words, and its tissue at two days."""
    colors, drawn = style.arm_colors(arms), []
    for block, (name, results) in zip(np.atleast_1d(figure.subfigures(1, len(arms))), arms.items(), strict=True):
        block.suptitle(f"{style.name_words(name)}: {outcome(results)}", color=colors[name], fontweight="bold",
                       fontsize=14 if len(arms) < 3 else 12.5)
        if not len(results.snapshots):
            block.text(0.5, 0.5, "no snapshot was kept", ha="center", color=style.MUTED)
            continue
        wanted = ([0.0] if len(arms) == 1 else []) + [last_day(arms) / 2, None]
        days = dict.fromkeys(nearest_day(results, day) for day in wanted)
        upright = len(arms) >= UPRIGHT
        panels = np.atleast_1d(block.subplots(len(days), 1) if upright else block.subplots(1, len(days)))
        for axes, day in zip(panels, days, strict=True):
            tissue(results, day, axes=axes, legend=False)
            drawn.append(results.snapshots[day])
    if drawn:
        figure.legend(handles=kind_handles(*drawn), loc="outside lower center", ncols=8, fontsize=12, handlelength=0.9)


def curves(figure, arms: Mapping[str, Results]) -> None:
    """Four columns: burden, immune cells, states over time, and the trait under selection at start and end."""
    grid = figure.add_gridspec(1, 4, width_ratios=[1.25, 1, 1, 1.1])
    burden(figure.add_subplot(grid[0]), arms)
    for cell, columns, unit, counts in ((grid[1], present(arms, immune_columns(arms)), "cells", True),
                                        (grid[2], STATES, "mean", False)):
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
        return f"fell to {style.percent(lowest)}, " + ("then regrew" if end > 0.5 else f"now at {style.percent(end)}")
    if end >= 1.25:
        return f"grew {end:.1f}-fold"
    return f"held at {style.percent(end)}" if end > 0.8 else f"shrank to {style.percent(end)}"
