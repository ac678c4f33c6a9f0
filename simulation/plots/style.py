"""One palette, one type size and a few axis habits for all pictures.

Kinds of cell and arms have colours of their own, told apart by colour-blind readers (in the manner of Okabe & Ito 2008;
a test simulates the three common forms). Maps are perceptually uniform.
"""

import io
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import Colormap, LinearSegmentedColormap, LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, MultipleLocator

from ..words import KIND_COLORS, tick_words

OTHER_KINDS = ("#8E44AD", "#F0E442", "#56B4E9", "#000000")
CONTROL = "#4D4D4D"
ARM_COLORS = ("#9B2D8E", "#DB8400", "#2F93DE", "#6B5300", "#000000", "#B9A67C")
NOTHING = "#FFFFFF"
INVISIBLE = "#B8B8B8"
FAINT = "#F0E4D6"
INK = "#222222"
MUTED = "#6B6B6B"

RC = {
    "font.size": 12,
    "font.family": "DejaVu Sans",
    "axes.titlesize": 13,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 12,
    "xtick.labelsize": 11,
    "ytick.labelsize": 11,
    "legend.fontsize": 11,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#888888",
    "axes.linewidth": 0.9,
    "axes.grid": True,
    "grid.color": "#E8E8E8",
    "grid.linewidth": 0.8,
    "axes.axisbelow": True,
    "lines.linewidth": 2.2,
    "lines.solid_capstyle": "round",
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "figure.facecolor": "white",
    "figure.dpi": 100,
}


class Picture(Figure):
    """A figure of its own: nothing is kept open behind it, and a notebook shows it once."""

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        FigureCanvasAgg(self).print_png(buffer)
        return buffer.getvalue()


def context():
    """Matplotlib settings of all pictures, for a ``with`` block."""
    return mpl.rc_context(RC)


def picture(width: float, height: float, **layout: float) -> Picture:
    """An empty picture, inches wide and high, whose parts make room for each other."""
    figure = Picture(figsize=(width, height), layout="constrained")
    figure.get_layout_engine().set(
        **{"w_pad": 0.09, "h_pad": 0.09, "wspace": 0.03, "hspace": 0.03} | layout
    )
    return figure


def figure_of(axes: Axes) -> Figure:
    """The whole figure that ``axes`` belong to, also from inside a sub-figure."""
    return axes.get_figure(root=True)


def kind_color(kind: str, kinds: Iterable[str] = ()) -> str:
    """The colour of a kind of cell, the same in every picture; plug-in kinds take the next free ones."""
    extra = [other for other in kinds if other not in KIND_COLORS]
    return (
        KIND_COLORS.get(kind)
        or OTHER_KINDS[extra.index(kind) % len(OTHER_KINDS) if kind in extra else 0]
    )


def arm_colors(names: Iterable[str]) -> dict[str, str]:
    """A colour per arm: dark grey for the control, then the palette in order; within :func:`painted`, those given there."""
    treated = [name for name in names if name != "control"]
    colors = {name: ARM_COLORS[i % len(ARM_COLORS)] for i, name in enumerate(treated)} | (
        _painted.get() or {}
    )
    return {name: colors.get(name, CONTROL) for name in names}


_painted: ContextVar[dict[str, str] | None] = ContextVar("colours of arms", default=None)


@contextmanager
def painted(colors: Mapping[str, str]) -> Iterator[None]:
    """Pictures drawn within it give these arms these colours."""
    before = _painted.set(dict(colors))
    try:
        yield
    finally:
        _painted.reset(before)


def colormap(trait: str) -> Colormap:
    """The sequential map of a trait or field; grey for cells without any."""
    names = {
        "antigen": "viridis",
        "car_target": "viridis",
        "mhc": "cividis",
        "presented_mhc": "cividis",
        "vigour": "plasma",
        "oxygen": "cividis",
        "il2": "viridis",
        "chemokine": "viridis",
    }
    part = {"vigour": (0.0, 0.86), "share": (0.05, 0.85)}.get(
        trait, (0.0, 1.0) if trait in names else (0.12, 0.92)
    )
    colors = mpl.colormaps[names.get(trait, "magma_r")](np.linspace(*part, 256))
    return LinearSegmentedColormap.from_list(f"{trait}_map", colors).with_extremes(
        under=INVISIBLE, bad=NOTHING
    )


def scale(trait: str, values: np.ndarray) -> Normalize:
    """The colour scale of a trait; fixed for traits, so that pictures of two days can be compared."""
    if trait in ("antigen", "car_target", "stress_ligand"):
        return LogNorm(0.03, 3)
    if trait in ("mhc", "presented_mhc", "vigour", "exhaustion", "fixed_exhaustion"):
        return Normalize(0, 1)
    if trait.startswith("pdl1"):
        return Normalize(0, 4)
    top = float(np.max(values, initial=0.0))
    return Normalize(0, top if top > 0 else 1)


def count_axis(axes: Axes, values: np.ndarray) -> None:
    """A logarithmic axis of counts that also has a place for zero."""
    values = np.asarray(values, dtype=float)
    values = values[np.isfinite(values)]
    top = max(float(values.max(initial=1.0)), 1.0)
    bottom = float(values[values > 0].min(initial=top))
    decades = np.log10(top / bottom)
    if values.size and values.min() <= 0:
        axes.set_yscale("symlog", linthresh=1, linscale=0.35)
        axes.set_ylim(-0.12, top * 10 ** (0.06 * np.log10(top) + 0.04))
        step = 1 if np.log10(top) <= 5 else 2
        axes.set_yticks([0] + [10.0**k for k in range(0, int(np.log10(top)) + 1, step)])
        axes.axhline(0, color="#888888", linewidth=0.8, zorder=1)
    else:
        axes.set_yscale("log")
        room = 10 ** (0.08 * max(decades, 0.5))
        axes.set_ylim(bottom / room, top * room)
        fine = (1, 2, 5) if decades < 2 else (1,)
        fine = fine if decades >= 0.7 else (1, 1.5, 2, 3, 4, 5, 6, 8)
        axes.yaxis.set_major_locator(LogLocator(subs=fine, numticks=9))
    axes.minorticks_off()
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: tick_words(value)))


def level_axis(axes: Axes, values: np.ndarray, whole: bool = False) -> None:
    """A linear axis from zero; ``whole`` ends it at one, for shares and vigour."""
    top = float(np.max(values, initial=0.0, where=np.isfinite(values))) or 1.0
    axes.set_ylim(0, 1.04 if whole else top * 1.12)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(
        FuncFormatter(lambda value, _: tick_words(value) if value else "0")
    )


def day_axis(axes: Axes, last: float, label: bool = True) -> None:
    """The axis of days, from day 0 to the last day."""
    axes.set_xlim(0, max(last, 0.25))
    weeks = (
        MultipleLocator(7 * np.ceil(last / 45))
        if last >= 14
        else MaxNLocator(nbins=7, steps=[1, 2, 5, 10])
    )
    axes.xaxis.set_major_locator(weeks)
    axes.set_xlabel("day" if label else "")
    axes.tick_params(labelbottom=label)
