"""Immune cells by their distance from the margin of the tumour."""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from ..readouts import spatial
from ..results.results import Results
from ..results.snapshots import Snapshot
from ..words import day_words, kind_words, name_words
from . import style
from .arms import by_name, nearest_day

FEWEST_SITES = 20  # in a bin; less tissue has no density to speak of
CLASS_WORDS = {"no tumor": "no tumour tissue"}


def infiltration(
    arms: Snapshot | Results | Iterable[Results] | Mapping[str, Results | Snapshot],
    day: float | None = None,
    *,
    histology: spatial.Histology | None = None,
    width: float = 50.0,
) -> Figure:
    """Density of each immune kind by distance from the tumour margin, arms overlaid, in the snapshot nearest to ``day``.

    Distance is negative inside the tumour and comes in bins of ``width`` um; the band is one standard error of a count
    (Poisson). The legend says whether a tumour is hot, excluded or cold. Raises SpatialError for a liquid.
    """
    snapshots = snapshots_of(arms, day)
    profiles = {
        name: spatial.infiltration(shot, histology, width) for name, shot in snapshots.items()
    }
    kinds = dict.fromkeys(
        kind
        for shot in snapshots.values()
        for kind, number in shot.counts().items()
        if number and kind != "tumor_cell"
    )
    kinds = sorted(kinds or ["t_cell"], key=[*style.KIND_COLORS, *kinds].index)
    colors = style.arm_colors(snapshots)
    with style.context():
        figure = style.picture(max(7.0, 4.9 * len(kinds)), 5.2)
        panels = figure.subplots(1, len(kinds), squeeze=False, sharex=True)[0]
        for axes, kind in zip(panels, kinds, strict=True):
            top = [
                profile_line(axes, profile[profile["kind"] == kind], shot, colors[name])
                for (name, profile), shot in zip(profiles.items(), snapshots.values(), strict=True)
            ]
            style.level_axis(axes, np.concatenate(top))
            axes.set_title(kind_words(kind))
            axes.set_xlabel("distance from the margin (µm)")
            axes.xaxis.set_major_locator(MaxNLocator(5))
        three = {len(shot.shape) == 3 for shot in snapshots.values()}
        panels[0].set_ylabel(
            f"cells per {'mm³' if three == {True} else 'mm²' if three == {False} else 'mm² (mm³ in 3-D)'}"
        )
        inside_out(panels)
        handles = [
            Line2D([], [], color=colors[name], linewidth=3, label=headline(name, shot, histology))
            for name, shot in snapshots.items()
        ]
        figure.legend(
            handles=handles,
            loc="outside lower center",
            ncols=min(len(handles), 3),
            handlelength=1.6,
        )
    return figure


def snapshots_of(arms, day: float | None) -> dict[str, Snapshot]:
    """One snapshot per arm: the one given, or of Results the one nearest to ``day``."""
    named = {"": arms} if isinstance(arms, Snapshot) else arms
    if not (
        isinstance(named, Mapping) and all(isinstance(arm, Snapshot) for arm in named.values())
    ):
        named = by_name(named)
    return {
        name: arm if isinstance(arm, Snapshot) else arm.snapshots[nearest_day(arm, day)]
        for name, arm in named.items()
    }


def headline(name: str, snapshot: Snapshot, histology: spatial.Histology | None) -> str:
    """What the legend says of an arm: its name, the day, and how its tumour is infiltrated."""
    found = spatial.infiltration_class(snapshot, histology)
    who = f"{name_words(name)}, " if name else ""
    return f"{who}{day_words(snapshot.day)}: {CLASS_WORDS.get(found, found)}"


def profile_line(axes: Axes, profile: pd.DataFrame, snapshot: Snapshot, color: str) -> np.ndarray:
    """One arm's density over distance with a band of one standard error; the tops of the band."""
    drawn = profile[profile["extent"] > (FEWEST_SITES - 0.5) * spatial.site_extent(snapshot)]
    middle, density = (drawn["low"] + drawn["high"]).to_numpy() / 2, drawn["density"].to_numpy()
    error = np.sqrt(drawn["cells"].to_numpy()) / drawn["extent"].to_numpy()
    look = (
        {"linewidth": 3.2, "zorder": 2}
        if color == style.CONTROL
        else {"linewidth": 2.0, "zorder": 2.5}
    )
    axes.fill_between(
        middle, density - error, density + error, color=color, alpha=0.12, linewidth=0, zorder=1.5
    )
    axes.plot(middle, density, color=color, **look)
    return density + error


def inside_out(panels: Iterable[Axes]) -> None:
    """The tumour shaded, its margin marked, and both sides named; words instead where no arm has a margin."""
    for axes in panels:
        if not any(line.get_xdata().size for line in axes.lines):
            axes.text(
                0.5,
                0.5,
                "no margin to measure from",
                ha="center",
                transform=axes.transAxes,
                color=style.MUTED,
            )
            axes.set(xticks=[], yticks=[])
            continue
        low, high = axes.get_xlim()
        axes.axvspan(min(low, 0), 0, color=style.FAINT, zorder=0, linewidth=0)
        axes.axvline(0, color=style.MUTED, linewidth=1, zorder=1)
        axes.set_xlim(low, high)
        for side, words, align in ((-6, "tumour", "right"), (6, "outside", "left")):
            axes.annotate(
                words,
                (0, 1),
                xycoords=axes.get_xaxis_transform(),
                xytext=(side, -4),
                textcoords="offset points",
                ha=align,
                va="top",
                fontsize=10.5,
                color=style.MUTED,
            )
