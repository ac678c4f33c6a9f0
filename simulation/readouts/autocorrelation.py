"""Clusters of a trait: whether cells near each other are alike."""

import math

import numpy as np
import pandas as pd

from ..parameters.parameter import nearest
from ..results.snapshots import Snapshot
from .lattice_images import (
    TUMOR,
    Kinds,
    SpatialError,
    chosen,
    correlate,
    image,
    lengths,
    sites_within,
)

REACH = 300.0  # um


def morans_i(snapshot: Snapshot, trait: str, kind: Kinds = TUMOR) -> float:
    """Moran's I of a trait over the pairs of cells of a kind on neighbouring sites, all weighing the same.

    -1 / (n - 1) is expected when values are scattered over the cells. NaN when no two cells touch or all are equal.
    """
    who = chosen(snapshot, kind)
    return moran(trait_products(snapshot, trait, who, 1), cell_pairs(snapshot, who, 1))


def autocorrelation(
    snapshot: Snapshot, trait: str, kind: Kinds = TUMOR, reach: float = REACH
) -> pd.DataFrame:
    """Correlation of a trait between cells of a kind by their distance, up to ``reach`` um, in steps of one site.

    Columns distance (um), correlation (1 = equal, 0 = unrelated) and pairs.
    """
    who, sites = chosen(snapshot, kind), sites_within(snapshot, reach)
    products, pairs = trait_products(snapshot, trait, who, sites), cell_pairs(snapshot, who, sites)
    return correlogram(products, pairs, snapshot.spacing)


def half_distance(curve: pd.DataFrame) -> float:
    """Distance in um at which correlation falls to half of that between neighbours; NaN if it never does.

    ``curve`` comes from :func:`autocorrelation`. NaN also where neighbours are no more alike than by chance (two
    standard errors, 1 / sqrt(pairs)).
    """
    distance, level, pairs = (
        curve[name].to_numpy() for name in ("distance", "correlation", "pairs")
    )
    below = np.flatnonzero(level <= level[0] / 2)
    if below.size == 0 or not level[0] ** 2 * pairs[0] > 4:
        return math.nan
    here = below[0]
    return float(np.interp(level[0] / 2, level[[here, here - 1]], distance[[here, here - 1]]))


def trait_products(snapshot: Snapshot, trait: str, who: np.ndarray, reach: int) -> np.ndarray:
    """Sum of products of the standardised trait over pairs of the chosen cells, by displacement (see correlate)."""
    if trait not in snapshot.cells:
        raise SpatialError(f"cells have no trait {trait!r}{nearest(trait, snapshot.cells)}")
    values = snapshot.cells[trait][who].astype(float)
    if values.size == 0 or np.ptp(values) == 0:
        return np.full((2 * reach + 1,) * len(snapshot.shape), math.nan)
    standard = image(snapshot, who, (values - values.mean()) / values.std())
    return correlate(standard, standard, reach)


def cell_pairs(snapshot: Snapshot, who: np.ndarray, reach: int) -> np.ndarray:
    """Ordered pairs of the chosen cells by displacement (see correlate)."""
    cells = image(snapshot, who)
    return np.rint(correlate(cells, cells, reach))


def moran(products: np.ndarray, pairs: np.ndarray) -> float:
    """Moran's I from products and pairs by displacement."""
    reach = products.shape[0] // 2
    touching = np.ix_(*[np.arange(reach - 1, reach + 2)] * products.ndim)
    around = np.arange(3**products.ndim) != 3**products.ndim // 2
    total = pairs[touching].ravel()[around].sum()
    return float(products[touching].ravel()[around].sum() / total) if total else math.nan


def correlogram(products: np.ndarray, pairs: np.ndarray, spacing: float) -> pd.DataFrame:
    """The table of :func:`autocorrelation` from products and pairs by displacement."""
    reach = products.shape[0] // 2
    step = np.rint(lengths(products.ndim, reach)).astype(int).ravel()
    count, total = (np.bincount(step, each.ravel())[1 : reach + 1] for each in (pairs, products))
    correlation = np.divide(total, count, out=np.full(reach, math.nan), where=count > 0)
    distance = spacing * np.arange(1.0, reach + 1)
    return pd.DataFrame(
        {"distance": distance, "correlation": correlation, "pairs": (count / 2).astype(int)}
    )
