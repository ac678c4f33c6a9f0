"""One arm's tissue as a square of pixels: the cells of a layer, a solid seen from an angle, or what a liquid is made of."""

import math

import numpy as np
from matplotlib.colors import to_rgb

from simulation.plots import style
from simulation.plots.tissue import FEW, FREE, SQUARES, dot_size, tinted
from simulation.plots.volume import seen
from simulation.results.snapshots import Snapshot

FINE = 2
"""Pixels are drawn twice as fine along each axis, then averaged."""
SWING, SWINGS = 50.0, 2
"""A solid turns to and fro by so many degrees, so often in a film."""
ELEVATION = 28.0
BEYOND = 236
"""Grey of what lies beyond the walls of a tissue that is not square."""
LEAST = 4.0
"""Least radius of a dot in fine pixels: cells that move are looked at for a moment only."""
RIM = "#8A5A2B"
"""Around the last few tumour cells, as in :func:`plots.tissue`."""


def picture(snapshot: Snapshot, pixels: int, share: float) -> np.ndarray:
    """The tissue, (pixels, pixels, 3) of uint8 on white; ``share`` of the film is over, which turns a solid."""
    if snapshot.liquid:
        return composition(snapshot, pixels)
    if len(snapshot.shape) == 3:
        azimuth = -45 + SWING * math.sin(2 * math.pi * SWINGS * share)
        return averaged(seen(snapshot, azimuth, ELEVATION, FINE * pixels))
    return averaged(flat(snapshot, FINE * pixels))


def flat(plane: Snapshot, pixels: int) -> np.ndarray:
    """A 2-D tissue in the colours of :func:`plots.tissue`: tumour as an area, immune cells as dots, rarer kinds on top."""
    scale = pixels / max(plane.shape)
    wide, high = (max(1, round(side * scale)) for side in plane.shape)
    tumor = plane.is_kind("tumor_cell")
    area = np.rint(tinted(plane, tumor, style.KIND_COLORS["tumor_cell"]) * 255).astype(np.uint8)[
        ::-1
    ]
    image = np.full((pixels, pixels, 3), BEYOND, dtype=np.uint8)
    top, left = (pixels - high) // 2, (pixels - wide) // 2
    rows, columns = (np.arange(n) * m // n for n, m in zip((high, wide), area.shape, strict=False))
    inside = image[top : top + high, left : left + wide]
    inside[:] = area.take(rows, 0).take(columns, 1)
    counts = plane.counts()
    kinds = sorted(
        (kind for kind in plane.kinds if kind != "tumor_cell" and counts[kind]),
        key=lambda kind: -counts[kind],
    )
    sizes = [dot_size(plane, plane.is_kind(kind)) for kind in kinds]
    if np.count_nonzero(tumor) < FEW:
        for part, color in ((1.0, RIM), (0.75, style.KIND_COLORS["tumor_cell"])):
            dots(inside, plane, tumor, dot_size(plane, tumor), color, scale, part)
    for kind, size in zip(kinds, sizes, strict=True):
        dots(
            inside,
            plane,
            plane.is_kind(kind),
            min(size, 2 * min(sizes)),
            style.kind_color(kind, plane.kinds),
            scale,
        )
    return image


def dots(
    image: np.ndarray,
    plane: Snapshot,
    cells: np.ndarray,
    size: float,
    color: str,
    scale: float,
    part: float = 1.0,
) -> None:
    """The chosen cells as discs of one diameter (um), or their inner ``part``; ``scale`` is pixels a site."""
    radius = (
        round(part * max(size / plane.spacing * scale / 2, LEAST)) + 0.45
    )  # these discs look round
    reach = math.ceil(radius)
    down, across = (part.ravel() for part in np.mgrid[-reach : reach + 1, -reach : reach + 1])
    disc = np.hypot(down, across) <= radius
    x, y = np.divmod(plane.cells["site"][cells], plane.shape[1])
    columns = np.floor((x[:, None] + 0.5) * scale).astype(np.int64) + across[disc]
    rows = image.shape[0] - 1 - np.floor((y[:, None] + 0.5) * scale).astype(np.int64) + down[disc]
    kept = (columns >= 0) & (columns < image.shape[1]) & (rows >= 0) & (rows < image.shape[0])
    image[rows[kept], columns[kept]] = np.rint(255 * np.array(to_rgb(color)))


def composition(snapshot: Snapshot, pixels: int) -> np.ndarray:
    """Squares in proportion to the cells of each kind, read from the bottom left, as in :func:`plots.tissue`."""
    counts, sites = snapshot.counts(), math.prod(snapshot.shape)
    squares = SQUARES**2
    whole = {
        kind: max(round(count * squares / sites), 1 if count else 0)
        for kind, count in counts.items()
    }
    colors = [
        style.kind_color(kind, snapshot.kinds)
        for kind, number in whole.items()
        for _ in range(number)
    ][:squares]
    colors += [FREE] * (squares - len(colors))
    palette = np.rint(255 * np.array([to_rgb(color) for color in colors])).reshape(
        SQUARES, SQUARES, 3
    )[::-1]
    place = np.arange(pixels) * SQUARES // pixels
    image = palette.astype(np.uint8)[np.ix_(place, place)]
    border = np.flatnonzero(np.diff(place, prepend=-1))
    image[border], image[:, border] = 255, 255
    return image


def averaged(image: np.ndarray) -> np.ndarray:
    """The mean of every FINE x FINE pixels."""
    total = sum(
        image[row::FINE, column::FINE].astype(np.uint16)
        for row in range(FINE)
        for column in range(FINE)
    )
    return ((total + FINE**2 // 2) // FINE**2).astype(np.uint8)
