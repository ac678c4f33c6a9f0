"""The margin of a tumour: what is tumour tissue, how deep cells infiltrate it, and whether it is hot, excluded or cold."""

import math

import numpy as np
import pandas as pd
from scipy.ndimage import binary_fill_holes, distance_transform_edt, gaussian_filter

from ..parameters.parameter import Parameter, ParameterGroup
from ..parameters.sources import assumed, cite
from ..results.snapshots import Snapshot
from .lattice_images import TUMOR, chosen, image, immune_kinds, site_extent

T_CELLS = ("t_cell", "car_t_cell")


class Histology(ParameterGroup):
    """How tissue is read: what is tumour, where its margin lies, and when it is called hot, excluded or cold."""

    smoothing = Parameter(
        30,
        "um",
        "sigma of the Gaussian that turns tumour cells into tumour tissue",
        range=(1, 500),
        source=assumed(
            "two cell diameters, so that small gaps between tumour cells are tumour tissue"
        ),
    )
    tumor_share = Parameter(
        0.3,
        "1",
        "smoothed share of sites with a tumour cell from which tissue is tumour",
        source=assumed("about half of the 0.5 to 0.8 found inside nodules"),
        range=(0.001, 1),
    )
    margin_reach = Parameter(
        100,
        "um",
        "how far the invasive margin reaches to either side; deeper inside is the core",
        source=assumed("slides are read 500 um to either side, more than most patches hold"),
        range=(1, 5000),
    )
    hot_core = Parameter(
        200,
        "cells/mm2",
        "T cells in the core from which a tumour is hot",
        source=cite("Galon", "medians of 100 to 300 CD8 per mm2 in the core of colorectal cancers"),
        range=(0, 10_000),
    )
    excluded_margin = Parameter(
        300,
        "cells/mm2",
        "T cells in the margin from which a tumour that is not hot is excluded",
        source=cite("Tumeh2014", "about 300 per mm2 in non-responders, 2,600 in responders")
        + "; "
        + cite("Galon", "medians of 200 to 600"),
        range=(0, 10_000),
    )


def tumor_tissue(snapshot: Snapshot, histology: Histology | None = None) -> np.ndarray:
    """Which sites are tumour tissue, as a bool array of the snapshot's shape.

    The image of tumour cells is smoothed by a Gaussian (walls reflect it) and cut at a share; gaps that tumour tissue
    encloses belong to it, be they necrotic or cleared, while lone tumour cells make no tissue. With the default values
    the edge lies within a cell or two of the outermost tumour cells.
    """
    histology = histology or Histology()
    share = gaussian_filter(
        image(snapshot, TUMOR), histology.smoothing / snapshot.spacing, mode="reflect"
    )
    return binary_fill_holes(share >= histology.tumor_share)


def margin_distance(snapshot: Snapshot, histology: Histology | None = None) -> np.ndarray:
    """Distance of every site from the tumour margin in um, negative inside the tumour; shape of the snapshot.

    The margin runs half a site beside the outermost sites of tumour tissue. Without tumour tissue all is infinitely far
    outside, and where it fills the whole patch infinitely deep inside.
    """
    tissue = tumor_tissue(snapshot, histology)
    if tissue.all() or not tissue.any():
        return np.full(snapshot.shape, -math.inf if tissue.all() else math.inf)
    outside, inside = (
        distance_transform_edt(part, sampling=snapshot.spacing) for part in (~tissue, tissue)
    )
    return np.where(tissue, 0.5 * snapshot.spacing - inside, outside - 0.5 * snapshot.spacing)


def zone_masks(distance: np.ndarray, histology: Histology) -> dict[str, np.ndarray]:
    """Core, margin and stroma as masks over the sites, from the signed distance of the margin."""
    reach = histology.margin_reach
    return {
        "core": distance < -reach,
        "margin": np.abs(distance) <= reach,
        "stroma": distance > reach,
    }


def density(snapshot: Snapshot, sites: np.ndarray, where: np.ndarray) -> float:
    """Cells per mm2 (mm3 in 3-D) of the masked part of the tissue; ``sites`` are flat; NaN if the part is empty."""
    extent = np.count_nonzero(where) * site_extent(snapshot)
    return float(np.count_nonzero(where.flat[sites]) / extent) if extent else math.nan


def infiltration(
    snapshot: Snapshot,
    histology: Histology | None = None,
    width: float = 50.0,
    kinds: tuple[str, ...] | None = None,
) -> pd.DataFrame:
    """Density of each kind of cell by distance from the margin, in bins of ``width`` um that meet at the margin.

    Columns kind, low, high (um; negative inside), cells, extent (mm2, mm3 in 3-D) and density (cells per extent). No
    rows without a margin. ``kinds`` are all immune kinds unless given.
    """
    distance = margin_distance(snapshot, histology)
    if not np.isfinite(distance).all():
        empty = pd.DataFrame(
            {name: [] for name in ("kind", "low", "high", "cells", "extent", "density")}
        )
        return empty.astype({"kind": object, "cells": int})
    edges = np.arange(
        math.floor(distance.min() / width), math.ceil(distance.max() / width) + 1
    ) * float(width)
    extent = np.histogram(distance, edges)[0] * site_extent(snapshot)
    tables = []
    for kind in immune_kinds(snapshot) if kinds is None else kinds:
        cells = np.histogram(distance.flat[snapshot.cells["site"][chosen(snapshot, kind)]], edges)[
            0
        ]
        per_extent = np.divide(cells, extent, out=np.full(extent.size, math.nan), where=extent > 0)
        tables.append(
            pd.DataFrame(
                {
                    "kind": kind,
                    "low": edges[:-1],
                    "high": edges[1:],
                    "cells": cells,
                    "extent": extent,
                    "density": per_extent,
                }
            )
        )
    return pd.concat(tables, ignore_index=True)


def infiltration_class(snapshot: Snapshot, histology: Histology | None = None) -> str:
    """``hot``, ``excluded``, ``cold`` or ``no tumor``, by the density of T cells (CAR T cells included).

    Hot: the core holds at least ``hot_core``. Excluded: it does not, but the margin holds ``excluded_margin``. Cold:
    neither. A tumour too thin for a core is judged by all its tissue. In 3-D a density is that of a section one site
    thick, so that the same thresholds in cells/mm2 hold.
    """
    histology = histology or Histology()
    return class_of(snapshot, margin_distance(snapshot, histology), histology)


def class_of(snapshot: Snapshot, distance: np.ndarray, histology: Histology) -> str:
    """Inflamed, excluded or desert, by where the T cells stand."""
    zones = zone_masks(distance, histology)
    core = zones["core"] if zones["core"].any() else distance < 0
    if not core.any():
        return "no tumor"
    sites = snapshot.cells["site"][chosen(snapshot, T_CELLS)]
    section = (snapshot.spacing / 1000) ** (len(snapshot.shape) - 2)
    if density(snapshot, sites, core) * section >= histology.hot_core:
        return "hot"
    return (
        "excluded"
        if density(snapshot, sites, zones["margin"]) * section >= histology.excluded_margin
        else "cold"
    )
