"""A tissue in three dimensions: seen from an angle with a corner cut open, and in three slices through one point."""

import itertools

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize, to_rgb
from matplotlib.figure import Figure
from scipy.ndimage import uniform_filter

from ..results.results import Results
from ..results.snapshots import Snapshot
from . import style
from .arms import PlotError, nearest_day
from .tissue import VIEWS, bare, color_bar, draw, headline, kind_handles, scale_bar

PIXELS = 1400
LIGHT = np.array([-0.45, 0.5, 0.74])  # from the upper left, before the picture
EDGE = 0.8
AXES = ("x", "y", "z")
BALL, IMMUNE_SIZE = 0.72, 1.35
SHOWN = {"pdl1": "pdl1_shown", "pdl1_constitutive": "pdl1"}


def volume(
    results: Results | Snapshot,
    day: float | None = None,
    show: str = "kinds",
    *,
    azimuth: float = -45.0,
    elevation: float = 25.0,
    cut: bool = True,
    legend: bool = True,
) -> Figure:
    """Draw the cells of a 3-D snapshot (the one nearest to ``day``) as balls, seen from an angle in degrees.

    The projection is parallel, so that the scale bar holds everywhere. ``cut`` opens the corner of high x and low y, which
    faces an azimuth of -45. ``show`` is "kinds" or a trait of the tumour cells, which then stand alone. Raises PlotError
    for a snapshot that is not 3-D, a liquid, or a name the snapshot does not have.
    """
    snapshot = solid(
        results if isinstance(results, Snapshot) else results.snapshots[nearest_day(results, day)]
    )
    choices = [
        "kinds",
        *sorted({*SHOWN, *snapshot.cells} - {"kind", "site", "name", "clone", "vigour"}),
    ]
    if show not in choices:
        raise PlotError(f"nothing called {show!r} to show in 3-D (choices: {', '.join(choices)})")
    with style.context():
        figure = style.picture(7.6, 7.6 if show == "kinds" else 6.6)
        axes = figure.add_subplot()
        width = extent(snapshot, elevation)
        axes.imshow(
            seen(snapshot, azimuth, elevation, PIXELS, show=show, cut=cut),
            extent=(0, width, 0, width),
        )
        bare(axes, (0, width, 0, width))
        for spine in axes.spines.values():
            spine.set_visible(False)
        scale_bar(axes, width)
        axes.set_title(headline(snapshot))
        words = f"from azimuth {azimuth:g}°, elevation {elevation:g}°" + (
            "; one corner cut open" if cut else ""
        )
        axes.set_xlabel(words, fontsize=10.5, color=style.MUTED)
        if show == "kinds" and legend:
            figure.legend(
                handles=kind_handles(snapshot),
                loc="outside lower center",
                ncols=5,
                handlelength=0.9,
                columnspacing=1.2,
                handletextpad=0.5,
            )
        elif legend:
            color_bar(
                axes, ScalarMappable(scale_of(snapshot, show), style.colormap(show)), show, snapshot
            )
    return figure


def slices(
    results: Results | Snapshot,
    day: float | None = None,
    show: str = "kinds",
    *,
    at: tuple[float, float, float] | None = None,
) -> Figure:
    """Draw three slices, one site thick, across each axis of a 3-D snapshot (the one nearest to ``day``).

    ``at`` is the point in um where they meet, the middle when none is given; ``show`` is as in :func:`tissue`. Raises
    PlotError for a snapshot that is not 3-D, a liquid, a point outside, or a name the snapshot does not have.
    """
    snapshot = solid(
        results if isinstance(results, Snapshot) else results.snapshots[nearest_day(results, day)]
    )
    choices = sorted({*VIEWS, *snapshot.cells, *snapshot.fields} - {"kind", "site", "name"})
    if show not in choices:
        raise PlotError(f"nothing called {show!r} to show (choices: {', '.join(choices)})")
    layers = tuple(side // 2 for side in snapshot.shape) if at is None else layers_at(snapshot, at)
    norm = None if show in ("kinds", "clone") else scale_of(snapshot, show)
    with style.context():
        figure = style.picture(14.5, 5.9)
        panels = figure.subplots(1, 3)
        for panel, axis in zip(panels, (2, 1, 0), strict=True):
            plane = slice_across(snapshot, axis, layers[axis])
            draw(panel, plane, show, legend=False)
            if norm is not None:
                (panel.collections if show == "vigour" else panel.images)[0].set_norm(norm)
            across, up = (AXES[other] for other in range(3) if other != axis)
            panel.set(xlabel=across, ylabel=up)
            panel.set_title(
                f"{AXES[axis]} = {(layers[axis] + 0.5) * snapshot.spacing:,.0f} µm", fontsize=12
            )
            edge = 0.06 * max(plane.shape) * plane.spacing
            for other, line in zip(
                (a for a in range(3) if a != axis), (panel.axvline, panel.axhline), strict=True
            ):
                line(
                    (layers[other] + 0.5) * snapshot.spacing,
                    color=style.INK,
                    linewidth=0.7,
                    linestyle=(0, (edge / 40, 5)),
                )
        figure.suptitle(headline(snapshot), fontsize=15, fontweight="bold", x=0.01, ha="left")
        if show == "kinds":
            figure.legend(
                handles=kind_handles(snapshot),
                loc="outside lower center",
                ncols=8,
                handlelength=0.9,
            )
        elif norm is not None:
            color_bar(panels[-1], ScalarMappable(norm, style.colormap(show)), show, snapshot)
    return figure


def solid(snapshot: Snapshot) -> Snapshot:
    """The snapshot itself; raises ValueError unless it is a tissue in three dimensions."""
    if snapshot.liquid:
        raise PlotError(
            "a liquid has no places to look at in 3-D; plots.tissue draws what it is made of"
        )
    if len(snapshot.shape) != 3:
        sites = " x ".join(map(str, snapshot.shape))
        raise PlotError(
            f"a 3-D view needs a 3-D snapshot, and this one has {sites} sites; plots.tissue draws it"
        )
    return snapshot


def layers_at(snapshot: Snapshot, at: tuple[float, float, float]) -> tuple[int, ...]:
    """The site along each axis that holds a point in um; raises ValueError for one outside."""
    layers = tuple(int(place // snapshot.spacing) for place in at)
    if len(layers) != 3 or any(
        not 0 <= layer < side for layer, side in zip(layers, snapshot.shape, strict=False)
    ):
        sides = " x ".join(f"{side * snapshot.spacing:g}" for side in snapshot.shape)
        raise PlotError(
            f"at = {tuple(at)} is not a point (x, y, z) inside the tissue of {sides} um", key="at"
        )
    return layers


def slice_across(snapshot: Snapshot, axis: int, layer: int) -> Snapshot:
    """The 2-D snapshot of the cells and fields in one layer across an axis."""
    places = np.unravel_index(snapshot.cells["site"], snapshot.shape)
    here = places[axis] == layer
    across, up = (other for other in range(3) if other != axis)
    shape = (snapshot.shape[across], snapshot.shape[up])
    cells = {trait: values[here] for trait, values in snapshot.cells.items()}
    cells["site"] = places[across][here] * shape[1] + places[up][here]
    fields = {
        name: values.take(layer * values.shape[axis] // snapshot.shape[axis], axis)
        for name, values in snapshot.fields.items()
    }
    return Snapshot(snapshot.day, shape, snapshot.spacing, False, snapshot.kinds, cells, fields)


def seen(
    snapshot: Snapshot,
    azimuth: float,
    elevation: float,
    pixels: int,
    *,
    show: str = "kinds",
    cut: bool = True,
) -> np.ndarray:
    """The picture of a 3-D snapshot from an angle: (pixels, pixels, 3) of uint8, a parallel projection on white.

    Angles are as matplotlib counts them, in degrees; the width does not depend on the azimuth.
    """
    toward, frame = view(azimuth, elevation)
    scale = pixels * snapshot.spacing / extent(snapshot, elevation)
    image = np.full((pixels, pixels, 3), 255, dtype=np.uint8)
    box(image, snapshot.shape, frame, scale, cut)
    chosen, slope = facing(snapshot, toward, show, cut)
    if not chosen.any():
        return image
    places = np.column_stack(np.unravel_index(snapshot.cells["site"][chosen], snapshot.shape))
    places = places - (np.array(snapshot.shape) - 1) / 2
    tumor = snapshot.is_kind("tumor_cell")[chosen]
    lit = 0.5 + 0.5 * slope @ (LIGHT @ np.array([*frame, toward]))
    shade, light = shades(colors_of(snapshot, chosen, show), tumor, lit)
    order = np.argsort(places @ toward, kind="stable")
    at = np.rint(places[order] @ frame.T * (scale, -scale) + pixels / 2).astype(np.int64)
    radii = [
        max(np.floor(scale * size) + 0.45, 0.6) for size in (BALL, BALL * IMMUNE_SIZE)
    ]  # these discs look round
    paint(image, at, shade[order], light[order], np.where(tumor, 0, 1)[order], radii)
    return image


def shades(colors: np.ndarray, tumor: np.ndarray, lit: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The darkest and lightest colour of each ball: tumour cells are lightened and immune cells darkened by shading.

    In shade the tumour's tan would look to colour-blind readers like the green of NK cells.
    """
    lit = lit[:, None]
    shade = np.where(tumor[:, None], colors * (0.88 + 0.1 * lit), colors * 0.84)
    return shade, np.where(tumor[:, None], colors + 0.4 * lit * (1 - colors), colors)


def view(azimuth: float, elevation: float) -> tuple[np.ndarray, np.ndarray]:
    """Unit vector toward the viewer, and the two (right, up) that span the picture."""
    a, e = np.radians([azimuth, elevation])
    toward = np.array([np.cos(e) * np.cos(a), np.cos(e) * np.sin(a), np.sin(e)])
    right = np.array([-np.sin(a), np.cos(a), 0.0])
    return toward, np.array([right, np.cross(toward, right)])


def extent(snapshot: Snapshot, elevation: float) -> float:
    """Width in um of a square picture that holds the box at every azimuth."""
    x, y, z = snapshot.shape
    e = np.radians(elevation)
    flat = float(np.hypot(x, y))
    return 1.04 * snapshot.spacing * max(flat, abs(np.sin(e)) * flat + abs(np.cos(e)) * z)


def facing(
    snapshot: Snapshot, toward: np.ndarray, show: str, cut: bool
) -> tuple[np.ndarray, np.ndarray]:
    """The cells that can be seen, and which way the surface slopes at each of them (unit vectors, cells x 3).

    A cell can be seen that is not cut away and has an empty site on one of the sides that face the viewer.
    """
    chosen = (
        np.ones(snapshot.cells["site"].size, dtype=bool)
        if show == "kinds"
        else snapshot.is_kind("tumor_cell")
    )
    x, y, z = np.unravel_index(snapshot.cells["site"], snapshot.shape)
    if cut:
        chosen &= ~((x > (snapshot.shape[0] - 1) / 2) & (y < (snapshot.shape[1] - 1) / 2))
    taken = np.zeros([side + 2 for side in snapshot.shape], dtype=bool)
    taken[x[chosen] + 1, y[chosen] + 1, z[chosen] + 1] = True
    covered = chosen.copy()
    for axis, (one, step) in enumerate(
        zip((x, y, z), np.sign(np.rint(toward * 1e6)).astype(int), strict=True)
    ):
        if step:
            beside = [x + 1, y + 1, z + 1]
            beside[axis] = one + 1 + step
            covered &= taken[tuple(beside)]
    chosen &= ~covered
    filled = uniform_filter(taken.astype(np.float32), 5, mode="constant")
    x, y, z = x[chosen] + 1, y[chosen] + 1, z[chosen] + 1
    slope = np.column_stack(
        [
            filled[x - 1, y, z] - filled[x + 1, y, z],
            filled[x, y - 1, z] - filled[x, y + 1, z],
            filled[x, y, z - 1] - filled[x, y, z + 1],
        ]
    )
    return chosen, slope / np.maximum(np.linalg.norm(slope, axis=1, keepdims=True), 1e-9)


def scale_of(snapshot: Snapshot, show: str) -> Normalize:
    """The one colour scale of a field or trait in all parts of the tissue."""
    if show in snapshot.fields:
        return style.scale(show, snapshot.fields[show])
    return style.scale(show, snapshot.trait(SHOWN.get(show, show), "tumor_cell"))


def colors_of(snapshot: Snapshot, chosen: np.ndarray, show: str) -> np.ndarray:
    """A colour (red, green, blue, each 0 to 1) for each of the chosen cells."""
    if show == "kinds":
        palette = np.array(
            [to_rgb(style.kind_color(kind, snapshot.kinds)) for kind in snapshot.kinds]
        )
        return palette[snapshot.cells["kind"][chosen]]
    values = snapshot.cells[SHOWN.get(show, show)][chosen]
    return style.colormap(show)(scale_of(snapshot, show)(np.maximum(values, 1e-12)))[:, :3]


def paint(
    image: np.ndarray,
    at: np.ndarray,
    shade: np.ndarray,
    light: np.ndarray,
    size: np.ndarray,
    radii: list[float],
) -> None:
    """Balls onto an image, in the given order: centres (column, row), colours, and which of the radii each one has."""
    reach = int(np.ceil(max(radii)))
    down, across = (part.ravel() for part in np.mgrid[-reach : reach + 1, -reach : reach + 1])
    pixels = image.shape[0]
    lit = np.stack([lighting(across, down, radius) for radius in radii])
    used = np.isfinite(lit).any(axis=0)
    down, across, lit = down[used], across[used], lit[:, used]
    for part in np.array_split(np.arange(len(at)), max(1, len(at) * lit.shape[1] // 4_000_000)):
        bright = lit[size[part]]
        rows, columns = at[part, 1, None] + down, at[part, 0, None] + across
        inside = (
            np.isfinite(bright)
            & (rows >= 0)
            & (rows < pixels)
            & (columns >= 0)
            & (columns < pixels)
        )
        which, where = np.nonzero(inside)
        ball = (
            shade[part][which] + bright[which, where][:, None] * (light[part] - shade[part])[which]
        )
        image[rows[inside], columns[inside]] = np.rint(255 * ball).astype(np.uint8)


def lighting(across: np.ndarray, down: np.ndarray, radius: float) -> np.ndarray:
    """How brightly each pixel of a ball is lit, 0 to 1; NaN outside of it."""
    distance = np.hypot(across, down) / radius
    height = np.sqrt(np.clip(1 - np.minimum(distance, 1) ** 2, 0, 1))
    lit = (LIGHT[0] * across - LIGHT[1] * down) / radius + LIGHT[2] * height
    return np.where(distance <= 1, np.clip(lit, 0, 1), np.nan)


def box(
    image: np.ndarray, shape: tuple[int, ...], frame: np.ndarray, scale: float, cut: bool
) -> None:
    """The edges of the lattice as thin grey lines, and those of the corner that is cut open."""
    ends = [((0, 0, 0), (1, 1, 1))] + ([((0.5, 0, 0), (1, 0.5, 1))] if cut else [])
    for low, high in ends:
        corners = np.array([*itertools.product(*zip(low, high, strict=True))])
        for one, other in itertools.combinations(corners, 2):
            if np.count_nonzero(one != other) == 1:
                along = np.linspace(one, other, 2 * image.shape[0])
                places = (along - 0.5) * np.array(shape)
                at = np.rint(places @ frame.T * (scale, -scale) + image.shape[0] / 2).astype(
                    np.int64
                )
                at = np.clip(at, 0, image.shape[0] - 1)
                image[at[:, 1], at[:, 0]] = int(255 * EDGE)
