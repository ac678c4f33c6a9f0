"""The state of the T cells: vigour, fixed exhaustion, who is engaged, and how vigour is spread."""

from collections.abc import Iterable, Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..results.results import Results
from ..words import name_words
from . import style
from .arms import by_name, column, last_day
from .time_courses import arm_legend, line, stack

EDGES = np.linspace(0, 1, 21)
STATE = {
    "mean_vigour": "T-cell vigour (1 = fresh, 0 = exhausted)",
    "mean_fixed_exhaustion": "Fixed exhaustion (beyond rescue)",
}


def t_cell_state(arms: Results | Iterable[Results] | Mapping[str, Results]) -> Figure:
    """Curves of vigour, fixed exhaustion and engaged share on the left; the spread of vigour over time on the right."""
    arms = by_name(arms)
    colors = style.arm_colors(arms)
    with style.context():
        figure = style.picture(13.5, max(7.5, 2.6 * len(arms)))
        left, right = figure.subfigures(1, 2, width_ratios=[1.15, 1])
        vigour, fixed, engaged = left.subplots(3, 1)
        stack([vigour, fixed], arms, STATE, unit="mean", whole=("mean_vigour",))
        fixed.set_xlabel("")
        fixed.tick_params(labelbottom=False)
        for name, results in arms.items():
            line(engaged, *engaged_share(results), colors[name], name_words(name))
        style.level_axis(
            engaged, np.concatenate([engaged_share(results)[1] for results in arms.values()])
        )
        style.day_axis(engaged, last_day(arms))
        engaged.set_ylabel("% of T cells")
        engaged.set_title("Engaged with a target", fontsize=12)
        panels = np.atleast_1d(right.subplots(len(arms), 1, sharex=True))
        for axes, (name, results) in zip(panels, arms.items(), strict=True):
            image = spread(axes, results, last_day(arms))
            axes.set_title(f"Spread of vigour: {name_words(name)}", color=colors[name], fontsize=12)
            axes.set_ylabel("vigour")
            axes.set_xlabel("day" if axes is panels[-1] else "")
        bar = right.colorbar(
            image,
            ax=list(panels),
            label="% of T cells per 0.05 of vigour",
            shrink=0.8,
            extend="max",
        )
        bar.outline.set_visible(False)
        arm_legend(left, arms)
    return figure


def engaged_share(results: Results) -> tuple[np.ndarray, np.ndarray]:
    """Days and per cent of T cells (CAR T cells included) that are engaged; NaN where there is no T cell."""
    days, engaged = column(results, "engaged_t")
    cells = column(results, "t_cells")[1] + np.nan_to_num(column(results, "car_t_cells")[1])
    return days, np.divide(100 * engaged, cells, out=np.full(days.size, np.nan), where=cells > 0)


def spread(axes: Axes, results: Results, last: float):
    """Vigour of all T cells, snapshot by snapshot, as columns shaded by the share of cells."""
    days = np.array(list(results.snapshots))
    shares = np.full((EDGES.size - 1, max(days.size, 1)), np.nan)
    for i, day in enumerate(days):
        vigour = results.snapshots[day].trait("vigour", "t_cell", "car_t_cell")
        if vigour.size:
            counts = np.histogram(vigour, EDGES)[0]
            shares[counts > 0, i] = counts[counts > 0] * 100 / vigour.size
    middles = (days[1:] + days[:-1]) / 2
    borders = (
        np.concatenate([[0.0], middles, [max(last, 0.25)]]) if days.size else np.array([0.0, last])
    )
    image = axes.pcolormesh(
        borders, EDGES, shares, cmap=style.colormap("share"), vmin=0, vmax=30, rasterized=True
    )
    axes.set_ylim(0, 1)
    axes.grid(False)
    style.day_axis(axes, last)
    return image
