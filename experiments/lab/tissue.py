"""The tissue as a PNG made straight from arrays, many times a second; colours as in every other picture."""

import io
import math
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
from matplotlib.colors import to_rgb
from PIL import Image

from simulation.plots import style
from simulation.plots.tissue import CLONE_COLORS, FEW, FREE, middle
from simulation.results.snapshots import Snapshot

PIXELS = 600
SQUARES = 20
TRAITS = ("antigen", "car_target", "pdl1", "mhc", "stress_ligand")
FIELDS = ("oxygen", "ifn_gamma", "il2", "chemokine")
OF_CELLS = ("kinds", *TRAITS, "vigour", "clone")
VIEWS = (*OF_CELLS, *FIELDS)
"""What every tissue can be coloured by: kinds of cell, traits of tumour cells, vigour of T cells, clones, fields."""
SHOWN = {"pdl1": "pdl1_shown"}
T_CELLS = ("t_cell", "car_t_cell")
WHITE, NONE, FAINT, RIM, UNUSED, FLASH, FLARE, BRAKED, KIND, FIRST = 0, 1, 2, 3, 4, 5, 6, 7, 8, 24
FLASH_COLOR, FLARE_COLOR = "#FFD500", "#E06C00"
KINDS = FIRST - KIND
SHADES = 256 - FIRST
BANDS = 4  # shades of a field that are drawn alike: a quarter of the bytes
HOLLOW = (
    0.5,
    1.0,
)  # inner and outer radius of the dot of an immune cell that the view does not colour
DOT = 0.0155  # diameter of an immune cell, as a share of the width of the picture


def views(liquid: bool, fields: Iterable[str] = FIELDS) -> tuple[str, ...]:
    """The views there are: blood is stirred, so that a field has nothing to show."""
    return OF_CELLS if liquid else (*OF_CELLS, *fields)


def picture(
    snapshot: Snapshot,
    show: str,
    top: float = 1.0,
    killed: Sequence[int] = (),
    braked: Sequence[int] = (),
) -> bytes:
    """A PNG of about PIXELS pixels a side; the same snapshot gives the same bytes.

    ``show`` is one of VIEWS, ``top`` the upper end of the colour scale of a field, ``killed`` are sites that flash, ``braked``
    names of cells that get a ring. In 3-D the middle layer is drawn; a liquid, which has no places, as squares in proportion.
    """
    if snapshot.liquid:
        return encoded(composition(snapshot, show, top), palette(show, snapshot.kinds))
    plane = middle(snapshot)
    edge = max(1, round(PIXELS / max(plane.shape)))
    image = (
        field(plane, show, top, max(1, edge // 2))
        if show in plane.fields
        else enlarged(cells(plane, show), edge)
    )
    edge = image.shape[0] // plane.shape[1]
    flashes = layer(np.asarray(killed, dtype=np.int64), snapshot.shape)
    for color, ring in ((FLARE, (0, 1.9)), (FLASH, (0, 1.5))):
        dots(image, plane, flashes, color, edge, ring)
    sites, counts = plane.cells["site"], plane.counts()
    for kind in sorted(plane.kinds, key=lambda kind: -counts[kind]):
        who, color = plane.is_kind(kind), KIND + plane.kinds.index(kind) % KINDS
        if kind == "tumor_cell":
            if show == "kinds" and counts[kind] < FEW:
                dots(image, plane, sites[who], color, edge)
        elif show == "kinds":
            dots(image, plane, sites[who], color, edge)
        elif show == "vigour" and kind in T_CELLS:
            dots(image, plane, sites[who], shade(show, plane.cells["vigour"][who], top), edge)
        else:
            for hollow, ring in ((WHITE, (0.5, 1.3)), (color, HOLLOW)):
                dots(image, plane, sites[who], hollow, edge, ring)
    dots(
        image,
        plane,
        sites[np.isin(plane.cells["name"], np.asarray(braked, dtype=np.int64))],
        BRAKED,
        edge,
        (1.3, 1.8),
    )
    return encoded(image, palette(show, plane.kinds))


def layer(sites: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Sites of the layer that is drawn, as :func:`middle` counts them."""
    if len(shape) == 2:
        return sites
    return sites[sites % shape[2] == shape[2] // 2] // shape[2]


def cells(plane: Snapshot, show: str) -> np.ndarray:
    """Colour numbers of a 2-D snapshot, uint8 of (rows from the top, columns), a pixel a site."""
    image = np.zeros(plane.shape, dtype=np.uint8)
    tumor = plane.is_kind("tumor_cell")
    sites = plane.cells["site"][tumor]
    if show == "kinds":
        image.flat[sites] = KIND + plane.kinds.index("tumor_cell")
    elif show == "vigour":
        image.flat[sites] = FAINT
    elif show == "clone":
        image.flat[sites] = FIRST + plane.cells["clone"][tumor] % len(CLONE_COLORS)
    else:
        image.flat[sites] = shade(show, plane.cells[SHOWN.get(show, show)][tumor], 1.0)
    return image.T[::-1]


def field(plane: Snapshot, show: str, top: float, edge: int) -> np.ndarray:
    """A field, smoothed between its nodes, with the rim of the tumour in white."""
    values = plane.fields[show].T[::-1]
    size = (plane.shape[0] * edge, plane.shape[1] * edge)
    smooth = np.asarray(
        Image.fromarray(values.astype(np.float32)).resize(size, Image.Resampling.BILINEAR)
    )
    image = FIRST + (shade(show, smooth, top) - FIRST) // BANDS * BANDS
    if min(plane.shape) >= 8:
        tumor = np.zeros(plane.shape, dtype=np.float32)
        tumor.flat[plane.cells["site"][plane.is_kind("tumor_cell")]] = 255.0
        coarse = (max(4, plane.shape[0] // 3), max(4, plane.shape[1] // 3))
        dense = (
            Image.fromarray(tumor.T[::-1])
            .resize(coarse, Image.Resampling.BOX)
            .resize(size, Image.Resampling.BILINEAR)
        )
        inside = np.asarray(dense) > 76
        rim = np.zeros_like(inside)
        for shift in (1, 2):
            rim[shift:] |= inside[shift:] != inside[:-shift]
            rim[:, shift:] |= inside[:, shift:] != inside[:, :-shift]
        image[rim] = RIM
    return image


def composition(snapshot: Snapshot, show: str, top: float) -> np.ndarray:
    """Squares in proportion to the cells of each kind, tumour first, ordered by the trait that is shown."""
    sites, squares = int(np.prod(snapshot.shape)), SQUARES**2
    numbers = {
        kind: max(round(count * squares / sites), 1 if count else 0)
        for kind, count in snapshot.counts().items()
    }
    place = np.full(squares, UNUSED, dtype=np.uint8)
    filled = 0
    for kind, number in numbers.items():
        here = slice(filled, min(filled + number, squares))
        filled = here.stop
        place[here] = part(snapshot, kind, show, top, here.stop - here.start)
    side = PIXELS // SQUARES
    image = enlarged(place.reshape(SQUARES, SQUARES)[::-1], side).copy()
    for gap in (0, 1):
        image[gap::side] = image[:, gap::side] = WHITE
    return image


def part(snapshot: Snapshot, kind: str, show: str, top: float, squares: int) -> np.ndarray | int:
    """Colour numbers of the squares of one kind: quantiles of the trait that is shown, where the kind has it."""
    if show == "kinds":
        return KIND + snapshot.kinds.index(kind) % KINDS
    if show in snapshot.fields:
        return shade(show, snapshot.fields[show].ravel()[:1], top)
    seen = T_CELLS if show == "vigour" else ("tumor_cell",)
    if kind not in seen or not squares:
        return FAINT
    values = np.sort(snapshot.trait(SHOWN.get(show, show), kind))
    values = values[((np.arange(squares) + 0.5) / squares * values.size).astype(int)]
    return FIRST + values % len(CLONE_COLORS) if show == "clone" else shade(show, values, top)


def shade(show: str, values: np.ndarray, top: float) -> np.ndarray:
    """Colour numbers of levels: FIRST and up along the scale, NONE for what lies below one that is logarithmic."""
    level = (
        np.asarray(values) / top
        if show not in OF_CELLS
        else np.asarray(style.scale(show, values)(np.maximum(values, 1e-12)))
    )
    numbers = (FIRST + np.clip(level, 0, 1) * (SHADES - 1)).astype(np.uint8)
    return np.where(level < 0, np.uint8(NONE), numbers)


def dots(
    image: np.ndarray,
    plane: Snapshot,
    sites: np.ndarray,
    colors: np.ndarray | int,
    edge: int,
    ring: tuple[float, float] = (0.0, 1.0),
) -> None:
    """Stamp discs, never smaller than a site, onto an image of ``edge`` pixels a site; of each the part between two radii."""
    size = max(edge, round(DOT * max(image.shape)))
    reach, even = math.ceil(ring[1] * size / 2), 0.5 * (size % 2 == 0)
    far = np.hypot(*(np.mgrid[-reach : reach + 1, -reach : reach + 1] - even)) / (size / 2)
    disc = np.argwhere((far <= ring[1]) & ((far > ring[0]) | (ring[0] == 0))) - reach
    across, up = np.divmod(sites, plane.shape[1])
    x, y = across * edge + edge // 2, image.shape[0] - 1 - (up * edge + edge // 2)
    rows = np.clip(y[:, None] + disc[:, 0], 0, image.shape[0] - 1)
    columns = np.clip(x[:, None] + disc[:, 1], 0, image.shape[1] - 1)
    image[rows, columns] = np.reshape(colors, (-1, 1))


def enlarged(image: np.ndarray, edge: int) -> np.ndarray:
    """An image of which every pixel is a square of that edge."""
    return np.repeat(np.repeat(image, edge, axis=0), edge, axis=1)


def encoded(image: np.ndarray, colors: bytes) -> bytes:
    """A PNG of colour numbers."""
    drawn = Image.frombytes("P", image.shape[::-1], np.ascontiguousarray(image).tobytes())
    drawn.putpalette(colors)
    buffer = io.BytesIO()
    drawn.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


@lru_cache(maxsize=64)
def palette(show: str, kinds: tuple[str, ...]) -> bytes:
    """256 colours, three bytes each: some fixed ones, then what the view needs."""
    fixed = [
        style.NOTHING,
        style.INVISIBLE,
        style.FAINT,
        "#FFFFFF",
        FREE,
        FLASH_COLOR,
        FLARE_COLOR,
        style.INK,
    ]
    fixed += [style.kind_color(kind, kinds) for kind in kinds[:KINDS]] + ["#FFFFFF"] * (
        KINDS - len(kinds)
    )
    if show == "kinds":
        colors = []
    elif show == "clone":
        colors = list(CLONE_COLORS)
    else:
        colors = [tuple(color[:3]) for color in style.colormap(show)(np.linspace(0, 1, SHADES))]
    rgb = np.array([to_rgb(color) for color in [*fixed, *colors]])
    table = np.zeros((256, 3), dtype=np.uint8)
    table[: len(rgb)] = np.round(255 * rgb)
    return table.tobytes()
