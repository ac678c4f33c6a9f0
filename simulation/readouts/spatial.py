"""Readouts in space: one number each for infiltration, neighbours, mixing and clusters of a trait.

Every function reads a Snapshot, in 2-D or 3-D, and changes nothing. The parts stand in ``lattice_images``, ``margin``,
``neighbours`` and ``autocorrelation``; what a study needs of them can be imported from here.
"""

import math

import numpy as np

from ..results.snapshots import Snapshot
from ..words import kind_words, trait_words
from .autocorrelation import (
    REACH,
    autocorrelation,
    cell_pairs,
    correlogram,
    half_distance,
    moran,
    morans_i,
    trait_products,
)
from .lattice_images import (
    TUMOR,
    SpatialError,
    chosen,
    coordinates,
    immune_kinds,
    shipped,
    site_extent,
    sites_within,
)
from .margin import (
    T_CELLS,
    Histology,
    class_of,
    density,
    infiltration,
    infiltration_class,
    margin_distance,
    zone_masks,
)
from .neighbours import (
    RADII,
    contacts,
    cross_k,
    distance_from,
    mixing,
    nearest_distances,
    random_distance,
)

__all__ = [
    "SPATIAL",
    "Histology",
    "SpatialError",
    "autocorrelation",
    "contacts",
    "coordinates",
    "cross_k",
    "half_distance",
    "infiltration",
    "infiltration_class",
    "margin_distance",
    "mixing",
    "morans_i",
    "nearest_distances",
    "readouts",
    "site_extent",
]

TRAITS = ("antigen", "car_target", "mhc", "pdl1", "pdl1_shown")
ZONES = {
    "core": "deeper than the margin",
    "margin": "in the invasive margin",
    "stroma": "outside the margin",
}


def described() -> dict[str, tuple[str, str]]:
    """Name -> (meaning, unit) of every readout of the shipped kinds of cell."""
    rows = {
        "infiltration_class": (
            "hot, excluded or cold, by the T cells in core and margin; 'no tumor' without tissue",
            "",
        ),
        "tumor_extent": (
            "tumour tissue inside the margin, gaps between tumour cells included (mm3 in 3-D)",
            "mm2",
        ),
    }
    for kind in shipped():
        words = kind_words(kind)
        rows |= {
            f"{kind}s_{zone}": (f"{words} {where} (cells/mm3 in 3-D)", "cells/mm2")
            for zone, where in ZONES.items()
        }
        rows |= {
            f"{kind}s_inside_share": (f"share of the {words} that stand in tumour tissue", "1"),
            f"{kind}s_distance": (
                f"mean distance of the {words} from the nearest tumour cell",
                "um",
            ),
            f"{kind}s_median_distance": (
                f"median distance of the {words} from the nearest tumour cell",
                "um",
            ),
            f"{kind}s_distance_ratio": (
                f"mean distance of the {words} from the nearest tumour cell, over that of places "
                "chosen at random",
                "fold",
            ),
        }
    rows["tumor_t_distance"] = (
        "mean distance of the tumour cells from the nearest T cell, CAR T cells included",
        "um",
    )
    for name, words in (("t_tumor", "tumour"), ("t_t", "T")):
        rows |= {
            f"{name}_k_{radius}": (
                f"{words} cells within {radius} um of a T cell, over complete spatial randomness "
                "(Ripley's K)",
                "fold",
            )
            for radius in RADII
        }
    rows["mixing_score"] = (
        "contacts of immune with tumour cells over contacts of immune cells with each other",
        "1",
    )
    rows["mixing_ratio"] = (
        "mixing score over its value when the cells swap places at random",
        "fold",
    )
    for trait in TRAITS:
        words = trait_words(trait)
        rows[f"{trait}_moran"] = (
            f"Moran's I of {words} between tumour cells that touch (0 = scattered, 1 = in clusters)",
            "1",
        )
        rows[f"{trait}_patch"] = (
            f"distance at which the correlation of {words} between tumour cells has halved",
            "um",
        )
    return rows


SPATIAL: dict[str, tuple[str, str]] = described()
"""Name -> (meaning, unit) of what :func:`readouts` gives; a plug-in kind of cell adds the same seven names of its own."""


def readouts(snapshot: Snapshot, histology: Histology | None = None) -> dict[str, float | str]:
    """All scalar readouts of one snapshot, named and explained in SPATIAL; NaN where there is nothing to measure.

    T cells include CAR T cells in the class, in K and in ``tumor_t_distance``. Raises SpatialError for a liquid.
    """
    found = infiltrates(snapshot, histology or Histology())
    tumor = chosen(snapshot, TUMOR)
    found["tumor_t_distance"] = mean(
        distance_from(snapshot, T_CELLS).flat[snapshot.cells["site"][tumor]]
    )
    for name, other in (("t_tumor", TUMOR), ("t_t", T_CELLS)):
        ratios = cross_k(snapshot, T_CELLS, other)["ratio"]
        found |= {
            f"{name}_k_{radius}": float(ratio) for radius, ratio in zip(RADII, ratios, strict=True)
        }
    found["mixing_score"], found["mixing_ratio"] = mixing(snapshot)
    reach = sites_within(snapshot, REACH)
    pairs = cell_pairs(snapshot, tumor, reach)
    for trait in TRAITS:
        products = trait_products(snapshot, trait, tumor, reach)
        found[f"{trait}_moran"] = moran(products, pairs)
        found[f"{trait}_patch"] = half_distance(correlogram(products, pairs, snapshot.spacing))
    return {name: found[name] for name in dict.fromkeys([*SPATIAL, *found])}


def infiltrates(snapshot: Snapshot, histology: Histology) -> dict[str, float | str]:
    """The readouts of one snapshot about the margin, and about the distance of immune cells from it and from tumour cells."""
    distance, away = margin_distance(snapshot, histology), distance_from(snapshot, TUMOR)
    zones, by_chance = zone_masks(distance, histology), random_distance(away)
    found: dict[str, float | str] = {
        "infiltration_class": class_of(snapshot, distance, histology),
        "tumor_extent": float(np.count_nonzero(distance < 0) * site_extent(snapshot)),
    }
    for kind in dict.fromkeys([*shipped(), *immune_kinds(snapshot)]):
        sites = snapshot.cells["site"][chosen(snapshot, kind)]
        found |= {f"{kind}s_{zone}": density(snapshot, sites, mask) for zone, mask in zones.items()}
        found[f"{kind}s_inside_share"] = mean(distance.flat[sites] < 0)
        found[f"{kind}s_distance"] = mean(away.flat[sites])
        found[f"{kind}s_median_distance"] = (
            float(np.median(away.flat[sites])) if sites.size else math.nan
        )
        found[f"{kind}s_distance_ratio"] = found[f"{kind}s_distance"] / by_chance
    return found


def mean(values: np.ndarray) -> float:
    """The mean; NaN of nothing."""
    return float(np.mean(values)) if np.size(values) else math.nan
