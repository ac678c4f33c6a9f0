"""Cells as images: where they stand on the lattice, and how images of cells go together."""

import math

import numpy as np
from scipy import fft

from ..errors import TumorLabError
from ..parameters.parameter import nearest
from ..results.snapshots import Snapshot
from ..words import IN_EVERY_MODEL

TUMOR = "tumor_cell"
Kinds = str | tuple[str, ...]


class SpatialError(TumorLabError):
    """A snapshot that cannot be read in space, or a kind of cell or trait that it does not have; one sentence."""


def chosen(snapshot: Snapshot, kinds: Kinds) -> np.ndarray:
    """The cells of one kind or several, as a mask; raises SpatialError for a name that is no kind, and for a liquid."""
    if snapshot.liquid:
        raise SpatialError(
            f"the snapshot of day {snapshot.day:g} is of a liquid: it has no neighbourhood to read"
        )
    names = (kinds,) if isinstance(kinds, str) else tuple(kinds)
    known = [*dict.fromkeys([*snapshot.kinds, *IN_EVERY_MODEL])]
    for name in names:
        if name not in known:
            raise SpatialError(f"there is no kind of cell {name!r}{nearest(name, known)}")
    return snapshot.is_kind(*names)


def shipped() -> list[str]:
    """The kinds of cells that every model has, but for the tumour cell."""
    return [kind for kind in IN_EVERY_MODEL if kind != TUMOR]


def immune_kinds(snapshot: Snapshot) -> tuple[str, ...]:
    """Every kind of cell but the tumour cell."""
    return tuple(kind for kind in snapshot.kinds if kind != TUMOR)


def coordinates(snapshot: Snapshot) -> np.ndarray:
    """Middle of every cell's site in um from the corner of the patch: shape (cells, 2 or 3)."""
    return (
        np.stack(np.unravel_index(snapshot.cells["site"], snapshot.shape), axis=1) + 0.5
    ) * snapshot.spacing


def site_extent(snapshot: Snapshot) -> float:
    """mm2 (mm3 in 3-D) of one site."""
    return (snapshot.spacing / 1000) ** len(snapshot.shape)


def image(
    snapshot: Snapshot, who: Kinds | np.ndarray, values: np.ndarray | float = 1.0
) -> np.ndarray:
    """``values`` of the chosen cells (kinds, or a mask) at their sites and 0 elsewhere: float64 of the snapshot's shape."""
    who = who if isinstance(who, np.ndarray) else chosen(snapshot, who)
    picture = np.zeros(snapshot.shape)
    picture.flat[snapshot.cells["site"][who]] = values
    return picture


def correlate(first: np.ndarray, second: np.ndarray, reach: int) -> np.ndarray:
    """Sum over sites x of ``first[x] * second[x + h]`` for each displacement h of up to ``reach`` sites along each axis.

    Shape (2 reach + 1, ...), no displacement in the middle; nothing stands beyond the walls. By fast Fourier transform.
    """
    size = [fft.next_fast_len(side + reach, real=True) for side in first.shape]
    one = fft.rfftn(first, size)
    other = one if second is first else fft.rfftn(second, size)
    return fft.irfftn(one.conj() * other, size)[
        np.ix_(*[np.arange(-reach, reach + 1)] * first.ndim)
    ]


def lengths(ndim: int, reach: int) -> np.ndarray:
    """Length in sites of every displacement of up to ``reach`` sites along each axis."""
    return np.sqrt(sum(part**2 for part in np.ix_(*[np.arange(-reach, reach + 1.0)] * ndim)))


def sites_within(snapshot: Snapshot, length: float) -> int:
    """A length in whole sites, at least one and no more than fits into the patch."""
    return max(1, min(math.floor(length / snapshot.spacing * (1 + 1e-9)), min(snapshot.shape) - 1))
