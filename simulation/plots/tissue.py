"""The tissue at one moment, as a microscope would show it; for a leukaemia, what the blood is made of."""

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import EllipseCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from ..results.results import Results
from ..results.snapshots import Snapshot
from ..words import day_words, kind_words, with_unit
from . import style
from .arms import PlotError, nearest_day

VIEWS = ("kinds", "antigen", "car_target", "pdl1", "pdl1_constitutive", "mhc", "vigour", "clone")
PIXELS = 420
SMALLEST_DOT = 0.0115
DOTS_COVER = 0.15
SQUARES = 20
FREE = "#F1F1F1"
FEW = 60
COLORED = {"vigour": ("tumor_cell", "t_cell", "car_t_cell")}
"""Kinds that have no rings in a view that is not of the tumour cells alone."""
BELOW_ANY_SCALE = 1e-12
CLONE_COLORS = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#CC79A7",
    "#D55E00",
    "#56B4E9",
    "#F0E442",
    "#000000",
)


def tissue(
    results: Results | Snapshot,
    day: float | None = None,
    show: str = "kinds",
    *,
    axes: Axes | None = None,
    projection: str = "slice",
    legend: bool = True,
) -> Figure:
    """Draw the snapshot nearest to ``day`` (the last one by default).

    ``show`` is "kinds", a trait of the tumour cells ("antigen", "car_target", "pdl1", "mhc", "clone", ...), "vigour" of
    the T cells, or the name of a field. In 3-D ``projection`` is "slice" (the middle) or "maximum" (whatever is nearest
    to the viewer). In liquid mode there is no space and the composition is drawn instead. Raises PlotError for a name
    that the snapshot does not have.
    """
    snapshot = (
        results if isinstance(results, Snapshot) else results.snapshots[nearest_day(results, day)]
    )
    choices = sorted({*VIEWS, *snapshot.cells, *snapshot.fields} - {"kind", "site", "name"})
    if show not in choices:
        raise PlotError(f"nothing called {show!r} to show (choices: {', '.join(choices)})")
    if projection not in ("slice", "maximum"):
        raise PlotError(f"projection is {projection!r} (choices: slice, maximum)")
    with style.context():
        figure = (
            style.figure_of(axes)
            if axes is not None
            else style.picture(7.6, 7.2 if show == "kinds" else 6.6)
        )
        axes = figure.add_subplot() if axes is None else axes
        if snapshot.liquid and show not in snapshot.fields:
            composition(axes, snapshot)
            axes.set_xlabel(
                kinds_note(snapshot) if legend else "", fontsize=10.5, color=style.MUTED
            )
        else:
            whole_picture = show in ("kinds", "vigour") or show in snapshot.fields
            shown = snapshot.is_kind(*(snapshot.kinds if whole_picture else ("tumor_cell",)))
            if projection == "slice":
                draw(axes, middle(snapshot), show, legend)
            else:
                immune = nearest_to_viewer(snapshot, ~snapshot.is_kind("tumor_cell"))
                draw(axes, nearest_to_viewer(snapshot, shown), show, legend, immune)
            if len(snapshot.shape) == 3:
                words = (
                    f"middle layer of {snapshot.shape[2]}"
                    if projection == "slice"
                    else "seen from above"
                )
                axes.set_xlabel(words, fontsize=10.5, color=style.MUTED)
        axes.set_title(
            headline(snapshot), **({} if legend else {"fontsize": 12, "fontweight": "normal"})
        )
        if legend and (show == "kinds" or snapshot.liquid):
            figure.legend(
                handles=kind_handles(snapshot),
                loc="outside lower center",
                ncols=5,
                handlelength=0.9,
                columnspacing=1.2,
                handletextpad=0.5,
            )
        elif legend and show not in snapshot.fields:
            figure.legend(
                handles=ring_handles(snapshot, COLORED.get(show, ("tumor_cell",))),
                loc="outside lower center",
                ncols=5,
                handletextpad=0.2,
            )
    return figure


def headline(snapshot: Snapshot) -> str:
    """Day and burden of a snapshot."""
    cells = snapshot.counts().get("tumor_cell", 0)
    burden = f"{cells:,} tumour cell{'s' if cells > 1 else ''}" if cells else "no tumour cell left"
    return f"{day_words(snapshot.day)}: {burden}"


def kind_handles(*snapshots: Snapshot) -> list[Patch]:
    """Legend entries for the kinds of cell that are present in any of the snapshots."""
    counts = [snapshot.counts() for snapshot in snapshots]
    known = dict.fromkeys(kind for number in counts for kind in number)
    kinds = [
        kind for kind in known if kind == "tumor_cell" or any(number.get(kind) for number in counts)
    ]
    handles = [Patch(color=style.kind_color(kind, kinds), label=kind_words(kind)) for kind in kinds]
    if any(snapshot.liquid for snapshot in snapshots):
        handles.append(Patch(facecolor=FREE, edgecolor="#888888", linewidth=0.6, label="free"))
    return handles


def ring_handles(snapshot: Snapshot, colored: tuple[str, ...]) -> list[Line2D]:
    """Legend entries for the rings of a view."""
    return [
        Line2D(
            [],
            [],
            linestyle="",
            marker="o",
            markerfacecolor="none",
            label=kind_words(kind),
            markeredgecolor=style.kind_color(kind, snapshot.kinds),
        )
        for kind, number in snapshot.counts().items()
        if number and kind not in colored
    ]


def kinds_note(*snapshots: Snapshot) -> str | None:
    """What must be known of the squares of a liquid, once for a figure; None of a tissue."""
    liquid = next((snapshot for snapshot in snapshots if snapshot.liquid), None)
    return (
        liquid
        and f"liquid: no places; a square is {math.prod(liquid.shape) / SQUARES**2:,.0f} sites"
    )


def middle(snapshot: Snapshot) -> Snapshot:
    """A 2-D snapshot as it is; of a 3-D one, the layer halfway up the last axis."""
    if len(snapshot.shape) == 2:
        return snapshot
    depth = snapshot.shape[2]
    here = snapshot.cells["site"] % depth == depth // 2
    cells = {trait: values[here] for trait, values in snapshot.cells.items()}
    cells["site"] = cells["site"] // depth
    fields = {name: values[:, :, values.shape[2] // 2] for name, values in snapshot.fields.items()}
    return Snapshot(
        snapshot.day,
        snapshot.shape[:2],
        snapshot.spacing,
        snapshot.liquid,
        snapshot.kinds,
        cells,
        fields,
    )


def nearest_to_viewer(snapshot: Snapshot, shown: np.ndarray) -> Snapshot:
    """A 2-D snapshot as it is; of a 3-D one, the topmost shown cell of every column and the highest of every field."""
    if len(snapshot.shape) == 2:
        return snapshot
    some = {trait: values[shown] for trait, values in snapshot.cells.items()}
    columns, depth = np.divmod(some["site"], snapshot.shape[2])
    order = np.lexsort((depth, columns))
    topmost = (
        order[np.append(columns[order][1:] != columns[order][:-1], True)] if order.size else order
    )
    cells = {trait: values[topmost] for trait, values in some.items()} | {"site": columns[topmost]}
    fields = {name: values.max(axis=2) for name, values in snapshot.fields.items()}
    return Snapshot(
        snapshot.day,
        snapshot.shape[:2],
        snapshot.spacing,
        snapshot.liquid,
        snapshot.kinds,
        cells,
        fields,
    )


def draw(
    axes: Axes, plane: Snapshot, show: str, legend: bool, immune: Snapshot | None = None
) -> None:
    """A 2-D snapshot: tumour or field as an image, immune cells as dots large enough to be seen, rings beside a trait.

    ``immune`` holds the cells of the rings where they are not those of ``plane``.
    """
    tumor = plane.is_kind("tumor_cell")
    extent = (0, plane.shape[0] * plane.spacing, 0, plane.shape[1] * plane.spacing)
    put = {"origin": "lower", "extent": extent, "zorder": 1}
    if show in plane.fields:
        values = plane.fields[show]
        norm, cmap = style.scale(show, values), style.colormap(show)
        image = axes.imshow(values.T, norm=norm, cmap=cmap, interpolation="bilinear", **put)
        outline(axes, plane, tumor)
    elif show in ("kinds", "vigour"):
        image = axes.imshow(
            tinted(
                plane, tumor, style.FAINT if show == "vigour" else style.KIND_COLORS["tumor_cell"]
            ),
            interpolation="nearest",
            **put,
        )
        if show == "kinds":
            immune_cells(axes, plane)
        else:
            who = plane.is_kind("t_cell", "car_t_cell")
            norm, cmap = style.scale(show, plane.cells[show]), style.colormap(show)
            image = dots(
                axes,
                plane,
                who,
                dot_size(plane, who),
                array=plane.cells[show][who],
                norm=norm,
                cmap=cmap,
            )
            rings(axes, immune or plane, COLORED[show])
    elif show == "clone":
        image = axes.imshow(clones(plane, tumor), interpolation="nearest", **put)
        rings(axes, immune or plane)
    else:
        trait = {"pdl1": "pdl1_shown", "pdl1_constitutive": "pdl1"}.get(show, show)
        norm, cmap = style.scale(show, plane.cells[trait][tumor]), style.colormap(show)
        image = axes.imshow(
            averaged(plane, tumor, plane.cells[trait]),
            norm=norm,
            cmap=cmap,
            interpolation="nearest",
            **put,
        )
        rings(axes, immune or plane)
    if legend and show not in ("kinds", "clone"):
        color_bar(axes, image, show, plane)
    bare(axes, extent)
    scale_bar(axes, extent[1])


def blocks(plane: Snapshot, cells: np.ndarray) -> tuple[np.ndarray, tuple[int, int], int]:
    """Flat pixel of each chosen cell, pixels per axis, and sites along the edge of a pixel."""
    edge = max(1, -(-max(plane.shape) // (2 * PIXELS)))
    across, up = np.divmod(plane.cells["site"][cells], plane.shape[1])
    pixels = (-(-plane.shape[0] // edge), -(-plane.shape[1] // edge))
    return (up // edge) * pixels[0] + across // edge, pixels, edge


def averaged(plane: Snapshot, cells: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Mean of a trait over the chosen cells of each pixel; NaN where there is none."""
    pixel, (wide, high), _ = blocks(plane, cells)
    count = np.bincount(pixel, minlength=wide * high)
    total = np.bincount(pixel, weights=values[cells], minlength=wide * high)
    mean = np.maximum(total / np.maximum(count, 1), BELOW_ANY_SCALE)
    return np.where(count > 0, mean, np.nan).reshape(high, wide)


def tinted(plane: Snapshot, cells: np.ndarray, color: str) -> np.ndarray:
    """White tissue, coloured by the share of each pixel that the chosen cells fill."""
    pixel, (wide, high), edge = blocks(plane, cells)
    share = (
        np.minimum(np.bincount(pixel, minlength=wide * high) / edge ** len(plane.shape), 1.0) ** 0.5
    )
    white, full = np.array(to_rgb(style.NOTHING)), np.array(to_rgb(color))
    return (white + share[:, None] * (full - white)).reshape(high, wide, 3)


def clones(plane: Snapshot, cells: np.ndarray) -> np.ndarray:
    """The eight largest clones in a colour each, all others grey."""
    names, which, sizes = np.unique(
        plane.cells["clone"][cells], return_inverse=True, return_counts=True
    )
    palette = np.full((names.size, 3), to_rgb("#D5D5D5"))
    for clone, color in zip(np.argsort(-sizes, kind="stable"), CLONE_COLORS, strict=False):
        palette[clone] = to_rgb(color)
    pixel, (wide, high), _ = blocks(plane, cells)
    image = np.ones((high * wide, 3))
    image[pixel] = palette[which]
    return image.reshape(high, wide, 3)


def immune_cells(axes: Axes, plane: Snapshot) -> None:
    """All cells that are not tumour, rarer kinds on top and up to twice as large; a few tumour cells as dots, too."""
    tumor = plane.is_kind("tumor_cell")
    if np.count_nonzero(tumor) < FEW:
        dots(
            axes,
            plane,
            tumor,
            dot_size(plane, tumor),
            facecolors=[style.KIND_COLORS["tumor_cell"]],
            edgecolors="#8A5A2B",
            linewidths=0.7,
        )
    kinds = sorted(
        (kind for kind in plane.kinds if kind != "tumor_cell"),
        key=lambda kind: -plane.counts()[kind],
    )
    sizes = [dot_size(plane, plane.is_kind(kind)) for kind in kinds]
    for kind, size in zip(kinds, sizes, strict=True):
        color = style.kind_color(kind, plane.kinds)
        dots(axes, plane, plane.is_kind(kind), min(size, 2 * min(sizes)), facecolors=[color])


def rings(axes: Axes, plane: Snapshot, colored: tuple[str, ...] = ("tumor_cell",)) -> None:
    """The cells whose kind has no colours in this view: small rings on a white edge."""
    for kind in plane.kinds:
        who = plane.is_kind(kind)
        if kind not in colored and who.any():
            for color, width in (("white", 2.4), (style.kind_color(kind, plane.kinds), 1.2)):
                dots(
                    axes,
                    plane,
                    who,
                    plane.spacing + 0.5 * (dot_size(plane, who) - plane.spacing),
                    facecolors="none",
                    edgecolors=color,
                    linewidths=width,
                )


def dot_size(plane: Snapshot, cells: np.ndarray) -> float:
    """Diameter in um: large enough to be seen, covering little of the picture, never smaller than a site."""
    width = max(plane.shape) * plane.spacing
    return max(
        plane.spacing,
        width * min(SMALLEST_DOT, np.sqrt(DOTS_COVER / max(np.count_nonzero(cells), 1))),
    )


def dots(
    axes: Axes, plane: Snapshot, cells: np.ndarray, size: float, **colors
) -> EllipseCollection:
    """The chosen cells as dots of one diameter (um)."""
    across, up = np.divmod(plane.cells["site"][cells], plane.shape[1])
    where = np.column_stack([(across + 0.5) * plane.spacing, (up + 0.5) * plane.spacing])
    drawn = EllipseCollection(
        [size],
        [size],
        [0.0],
        units="x",
        offsets=where,
        offset_transform=axes.transData,
        zorder=2,
        rasterized=True,
        **{"linewidths": 0} | colors,
    )
    return axes.add_collection(drawn, autolim=False)


def outline(axes: Axes, plane: Snapshot, cells: np.ndarray) -> None:
    """The rim of the tumour, drawn on a field."""
    if min(plane.shape) < 8 or not cells.any():
        return
    edge = max(2, max(plane.shape) // 60)
    across, up = np.divmod(plane.cells["site"][cells], plane.shape[1])
    shape = (-(-plane.shape[1] // edge), -(-plane.shape[0] // edge))
    share = (
        np.bincount((up // edge) * shape[1] + across // edge, minlength=shape[0] * shape[1])
        / edge**2
    )
    share = share.reshape(shape)
    x, y = ((np.arange(n) + 0.5) * edge * plane.spacing for n in (shape[1], shape[0]))
    if share.max() > 0.3 > share.min():
        axes.contour(x, y, share, levels=[0.3], colors=["white"], linewidths=1.2, zorder=2)


def color_bar(axes: Axes, image, show: str, plane: Snapshot) -> None:
    """The colour scale beside a picture; grey stands for cells without any."""
    none = show in ("antigen", "car_target") and np.any(plane.trait(show, "tumor_cell") <= 0)
    bar = style.figure_of(axes).colorbar(
        image, ax=axes, shrink=0.8, pad=0.02, extend="min" if none else "neither"
    )
    bar.set_label(with_unit(show) + (" (grey: none)" if none else ""))
    bar.outline.set_visible(False)
    bar.ax.grid(False)
    if show in ("antigen", "car_target"):
        bar.set_ticks([0.03, 0.1, 0.3, 1, 3], labels=["0.03", "0.1", "0.3", "1", "3"])
        bar.ax.minorticks_off()


def bare(axes: Axes, extent: tuple[float, float, float, float]) -> None:
    """A picture without ticks, in a thin frame."""
    axes.set(xlim=extent[:2], ylim=extent[2:], xticks=[], yticks=[], aspect="equal")
    axes.grid(False)
    for spine in axes.spines.values():
        spine.set(visible=True, color="#C8C8C8", linewidth=0.8)


def scale_bar(axes: Axes, width: float) -> None:
    """A bar of a round number of micrometres, about a quarter of the width."""
    fit = [
        step * 10**power
        for power in range(5)
        for step in (1, 2, 5)
        if step * 10**power <= width * 0.36
    ]
    length = max(fit, default=width)
    edge = 0.035 * width
    axes.add_patch(
        Rectangle(
            (0.7 * edge, 0.5 * edge),
            length + 0.6 * edge,
            0.8 * edge,
            facecolor="white",
            alpha=0.85,
            zorder=3,
        )
    )
    axes.add_patch(
        Rectangle((edge, 0.75 * edge), length, 0.3 * edge, facecolor=style.INK, zorder=4)
    )
    words = f"{length:g} µm" if length < 1000 else f"{length / 1000:g} mm"
    axes.text(
        edge,
        1.45 * edge,
        words,
        ha="left",
        va="bottom",
        fontsize=10.5,
        zorder=4,
        bbox={"facecolor": "white", "alpha": 0.85, "edgecolor": "none", "pad": 1},
    )


def composition(axes: Axes, snapshot: Snapshot) -> None:
    """Blood has no places: squares in proportion to the cells of each kind, read from the bottom left."""
    sites, squares = int(np.prod(snapshot.shape)), SQUARES**2
    counts = snapshot.counts()
    share = {kind: count * squares / sites for kind, count in counts.items()}
    whole = {kind: max(round(part), 1 if counts[kind] else 0) for kind, part in share.items()}
    colors = np.array(
        [to_rgb(style.kind_color(kind, snapshot.kinds)) for kind in whole] + [to_rgb(FREE)]
    )
    place = np.full(squares, len(whole))
    filled = np.repeat(np.arange(len(whole)), list(whole.values()))[:squares]
    place[: filled.size] = filled
    axes.pcolormesh(colors[place].reshape(SQUARES, SQUARES, 3), edgecolors="white", linewidth=1.6)
    bare(axes, (0, SQUARES, 0, SQUARES))
