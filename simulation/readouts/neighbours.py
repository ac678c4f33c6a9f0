"""Neighbours: how near cells of two kinds stand, how many there are within a radius, and how far they mix.

Cells stand on the middles of lattice sites, one a site, so that counts of pairs by displacement are exact correlations
of images, and chance is chance on this lattice.
"""

import math

import numpy as np
import pandas as pd
from scipy.ndimage import distance_transform_edt
from scipy.spatial import cKDTree

from ..results.snapshots import Snapshot
from .lattice_images import (
    TUMOR,
    Kinds,
    SpatialError,
    chosen,
    coordinates,
    correlate,
    image,
    immune_kinds,
    lengths,
    sites_within,
)

RADII = (30, 75, 150)  # um: two sites, five, ten


def distance_from(snapshot: Snapshot, to: Kinds) -> np.ndarray:
    """Distance in um of every site from the nearest cell of a kind, 0 where one stands; NaN if there is none."""
    taken = image(snapshot, to) > 0
    if not taken.any():
        return np.full(snapshot.shape, math.nan)
    return distance_transform_edt(~taken, sampling=snapshot.spacing)


def random_distance(distance: np.ndarray) -> float:
    """Mean distance from the nearest cell of a kind when places are chosen at random, walls and all.

    ``distance`` comes from :func:`distance_from`; its mean over the sites that no such cell fills is what complete
    spatial randomness of the others would show.
    """
    elsewhere = distance[distance != 0]
    return float(elsewhere.mean()) if elsewhere.size else math.nan


def nearest_distances(snapshot: Snapshot, of: Kinds, to: Kinds) -> np.ndarray:
    """Distance in um of each cell of one kind (or several) from the nearest cell of another; no cell is its own.

    One entry per cell in order of the snapshot; NaN where there is nobody to measure to.
    """
    who = chosen(snapshot, of)
    if not same(of, to):
        return distance_from(snapshot, to).flat[snapshot.cells["site"][who]]
    places = coordinates(snapshot)[who]
    return (
        cKDTree(places).query(places, k=[2])[0][:, 0]
        if len(places) > 1
        else np.full(len(places), math.nan)
    )


def cross_k(
    snapshot: Snapshot, of: Kinds, to: Kinds, radii: tuple[float, ...] = RADII
) -> pd.DataFrame:
    """Ripley's K between two kinds of cell, or of one kind, with translation edge correction.

    A pair at displacement h is weighted by the patch over its overlap with itself shifted by h, which is unbiased in a
    box (Ohser 1983). Columns radius (um), k (um2, um3 in 3-D), random (K of complete spatial randomness on the lattice:
    pi r2 or 4/3 pi r3 but for the grain of the sites), ratio, l (um; the radius of a disc or ball of size k). NaN without
    cells, and for radii that do not fit into the patch.
    """
    first, second = image(snapshot, of), image(snapshot, to)
    spacing, ndim = snapshot.spacing, len(snapshot.shape)
    reach = sites_within(snapshot, max(radii))
    length, axis = lengths(ndim, reach), np.arange(-reach, reach + 1)
    overlap = math.prod(np.ix_(*[1 - np.abs(axis) / side for side in snapshot.shape]))
    pairs = np.rint(correlate(first, second, reach)) / overlap
    possible = first.sum() * (second.sum() - same(of, to))
    rows = []
    for radius in radii:
        within = (length > 0) & (length * spacing <= radius * (1 + 1e-9))
        seen = possible > 0 and radius < (reach + 1) * spacing
        k = first.size * spacing**ndim * float(pairs[within].sum()) / possible if seen else math.nan
        random = np.count_nonzero(within) * spacing**ndim * first.size / (first.size - 1)
        ratio = k / random if random else math.nan
        rows.append(
            (
                float(radius),
                k,
                random,
                ratio,
                (k / (math.pi if ndim == 2 else 4 / 3 * math.pi)) ** (1 / ndim),
            )
        )
    return pd.DataFrame(rows, columns=["radius", "k", "random", "ratio", "l"])


def contacts(snapshot: Snapshot, of: Kinds, to: Kinds) -> int:
    """Pairs of cells on neighbouring sites (8 around a site, 26 in 3-D), each pair counted once."""
    touching = np.rint(correlate(image(snapshot, of), image(snapshot, to), 1))
    return int(touching.sum() - touching[(1,) * touching.ndim]) // (1 + same(of, to))


def mixing(snapshot: Snapshot) -> tuple[float, float]:
    """Mixing score, and its ratio to chance; NaN without tumour cells or without contacts between immune cells.

    The score is the number of immune-tumour contacts over that of immune-immune contacts (Keren 2018, Cell 174:1373),
    contacts being pairs on neighbouring sites. The ratio divides by its value when the same cells swap places at
    random, 2 n_tumor / (n_immune - 1): 1 is mixed, near 0 compartments.
    """
    immune = immune_kinds(snapshot)
    tumor_cells, immune_cells = (
        np.count_nonzero(chosen(snapshot, kinds)) for kinds in (TUMOR, immune)
    )
    if not (tumor_cells and immune_cells and (among := contacts(snapshot, immune, immune))):
        return math.nan, math.nan
    score = contacts(snapshot, immune, TUMOR) / among
    return score, float(score * (immune_cells - 1) / (2 * tumor_cells))


def same(of: Kinds, to: Kinds) -> bool:
    """Whether two choices of kinds are one; raises SpatialError when they overlap in part."""
    first, second = ({kinds} if isinstance(kinds, str) else set(kinds) for kinds in (of, to))
    if first != second and first & second:
        raise SpatialError(
            f"{sorted(first & second)[0]!r} cannot stand on both sides of a pair with other kinds beside it"
        )
    return first == second
