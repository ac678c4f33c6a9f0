"""Sites in one flat array with a wall around it; 2-D and 3-D share all code, and liquid mode has no neighbourhood.

A site index counts the padded array, walls included, so that a neighbour is ``site + offset`` without a border case.
``interior`` lists the sites where cells can stand, in C order of the shape the user gave.
"""

import itertools
from typing import NamedTuple

import numpy as np

from ..errors import TumorLabError
from ..parameters.given import quoted
from .memory import BYTES_PER_SITE, available

EMPTY = -1
WALL = -2
FOREIGN = -3  # a plain Mesa agent stands there: the compiled loops leave the site alone

SMALLEST, LARGEST = 3, 10_000


class LatticeError(TumorLabError):
    """A shape or position that cannot be; one sentence."""


class Space(NamedTuple):
    """What a compiled loop sees of the lattice. ``n`` sites, offsets of the Moore neighbours."""

    occupant: np.ndarray  # int32 per padded site: row of the cell, or EMPTY, WALL, FOREIGN
    claim: np.ndarray  # int32 per padded site: scratch of propose-claim-commit, zero between uses
    interior: np.ndarray  # int32 per interior site: its padded index
    offsets: np.ndarray  # int64 per neighbour
    stride: float  # mean length of a step to a neighbour, um: a step over a corner is longer
    liquid: bool


class Lattice:
    """A box of sites, one cell each.

    ``shape``: two or three whole numbers; ``spacing`` in um. ``liquid`` removes the neighbourhood: every pair of sites is
    equally far apart. Raises LatticeError when the shape is not usable.
    """

    def __init__(self, shape, spacing: float = 15.0, liquid: bool = False):
        self.shape = checked_shape(shape)
        self.spacing = float(spacing)
        self.liquid = bool(liquid)
        self.ndim = len(self.shape)
        self.size = int(np.prod(self.shape))
        padded = tuple(n + 2 for n in self.shape)
        self.padded_shape = padded
        self.strides = np.array(
            [int(np.prod(padded[i + 1 :])) for i in range(self.ndim)], dtype=np.int64
        )
        occupant = np.full(padded, WALL, dtype=np.int32)
        inside = tuple(slice(1, -1) for _ in padded)
        occupant[inside] = EMPTY
        index = np.arange(occupant.size, dtype=np.int32).reshape(padded)
        self.directions = np.array(
            [d for d in itertools.product((-1, 0, 1), repeat=self.ndim) if any(d)], dtype=np.int64
        )
        self.space = Space(
            occupant=occupant.ravel(),
            claim=np.zeros(occupant.size, dtype=np.int32),
            interior=np.ascontiguousarray(index[inside].ravel()),
            offsets=self.directions @ self.strides,
            stride=float(np.linalg.norm(self.directions, axis=1).mean()) * self.spacing,
            liquid=self.liquid,
        )

    @property
    def occupant(self) -> np.ndarray:
        """Per padded site the row of its cell, or EMPTY, WALL or FOREIGN."""
        return self.space.occupant

    @property
    def interior(self) -> np.ndarray:
        """The padded index of every site that is not border."""
        return self.space.interior

    @property
    def extent(self) -> float:
        """Area in mm2 (volume in mm3 in 3-D)."""
        return self.size * (self.spacing / 1000.0) ** self.ndim

    def site(self, position) -> int:
        """The site at ``position`` (whole numbers, one per axis, from 0). Raises LatticeError outside the lattice."""
        try:
            asked = tuple(position)
            whole = tuple(int(p) for p in asked)
            inside = whole == asked and len(whole) == self.ndim
            inside = inside and all(0 <= p < n for p, n in zip(whole, self.shape, strict=True))
        except (TypeError, ValueError, OverflowError):
            inside = False
        if not inside:
            raise LatticeError(
                f"position {position} is not on the lattice: allowed are {self.ndim} whole numbers from 0 to "
                f"{self.shape} exclusive"
            )
        return int(sum((p + 1) * int(s) for p, s in zip(whole, self.strides, strict=True)))

    def sites(self, positions) -> np.ndarray:
        """The sites at many positions: whole numbers (positions, axes). Raises LatticeError as :meth:`site` does."""
        try:
            asked = np.asarray(positions)
        except ValueError:  # rows of several lengths
            asked = np.array(None)
        if asked.size == 0 and asked.shape in ((0,), (0, self.ndim)):
            return np.empty(0, dtype=np.int64)
        if asked.ndim != 2 or asked.shape[1] != self.ndim or asked.dtype.kind not in "iuf":
            raise LatticeError(
                f"positions = {quoted(positions)} is not allowed: give whole numbers (cells, {self.ndim}), one row a cell"
            )
        inside = (asked == np.floor(asked)) & (asked >= 0) & (asked < np.array(self.shape))
        if not (whole := inside.all(axis=1)).all():
            self.site(asked[~whole][0].tolist())
        return (asked.astype(np.int64) + 1) @ self.strides

    def checked_sites(self, sites) -> np.ndarray:
        """Sites of the padded array on which cells can stand. Raises LatticeError for what is none."""
        asked = np.asarray(sites)
        if asked.ndim != 1 or (asked.size and asked.dtype.kind not in "iu"):
            raise LatticeError(
                f"sites = {quoted(sites)} is not allowed: give whole numbers in a row, as lattice.interior holds them"
            )
        inside = np.isin(asked, self.interior)
        if not inside.all():
            raise LatticeError(
                f"site {asked[~inside][0]} is not on the lattice: allowed are those in lattice.interior; positions go by "
                "coordinates"
            )
        return asked.astype(np.int64)

    def position(self, site: int) -> tuple[int, ...]:
        """Coordinates of a site, one whole number per axis."""
        return tuple(int(c) - 1 for c in np.unravel_index(int(site), self.padded_shape))

    def coordinates(self, sites: np.ndarray) -> np.ndarray:
        """Coordinates of many sites: shape (len(sites), ndim)."""
        return np.stack(np.unravel_index(sites, self.padded_shape), axis=-1) - 1

    def flat(self, sites: np.ndarray) -> np.ndarray:
        """C-order index into ``shape`` (no walls) of many sites."""
        return np.ravel_multi_index(tuple(self.coordinates(sites).T), self.shape)

    def neighbours(self, site: int) -> np.ndarray:
        """The sites around one site, walls left out; none in liquid mode."""
        if self.liquid:
            return np.empty(0, dtype=np.int64)
        around = int(site) + self.space.offsets
        return around[self.occupant[around] != WALL]

    def from_centre(self) -> np.ndarray:
        """Squared distance of each interior site from the middle, in site widths."""
        centre = (np.array(self.shape) - 1) / 2.0
        axes = [(np.arange(n) - c) ** 2 for n, c in zip(self.shape, centre, strict=True)]
        total = axes[0]
        for axis in axes[1:]:
            total = np.add.outer(total, axis)
        return total.ravel()


def checked_shape(shape) -> tuple[int, ...]:
    """``shape`` as a tuple of ints. Raises LatticeError with the allowed form."""
    try:
        numbers = tuple(shape)
        whole = tuple(int(n) for n in numbers)
    except (TypeError, ValueError, OverflowError):
        whole = numbers = ()
    told = f"shape = {quoted(shape)} is not usable"
    if (
        isinstance(shape, str)
        or len(whole) not in (2, 3)
        or any(a != b for a, b in zip(whole, numbers, strict=True))
    ):
        raise LatticeError(f"{told}: give two or three whole numbers", key="shape")
    sites = np.prod(whole, dtype=float)
    if any(not SMALLEST <= n <= LARGEST for n in whole) or sites > 2e8:
        raise LatticeError(
            f"{told}: {SMALLEST} to {LARGEST} sites a side, at most 2e8 in all", key="shape"
        )
    if (need := BYTES_PER_SITE * sites) > (have := available()):
        raise LatticeError(
            f"{told}: it needs about {need / 1e9:,.1f} GB of memory and there are {have / 1e9:,.1f} GB, enough "
            f"for {have / BYTES_PER_SITE:,.0f} sites",
            key="shape",
        )
    return whole
