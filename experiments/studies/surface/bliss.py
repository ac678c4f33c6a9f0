"""Bliss independence of two treatments, for effects that are ln(control/treated): the effects of both alone add (Bliss 1939)."""

import numpy as np

from ..statistics import mean_known
from .grid import LEAST, Grid

FEWEST = 10
"""Where fewer cells are expected, ln of a whole number of cells is too coarse and too near to elimination to compare."""


def beyond_bliss(grid: Grid) -> np.ndarray:
    """Effect beyond the sum of both effects alone, doses of x by doses of y by seeds; no more is expected than can be seen."""
    return grid.effect - np.minimum(grid.effect[:, :1] + grid.effect[:1], grid.most)


def roomy(grid: Grid) -> np.ndarray:
    """Where Bliss independence expects enough cells, in the geometric mean over seeds, for a difference to show."""
    return mean_known(np.maximum(grid.most - grid.effect[:, :1] - grid.effect[:1], 0)) >= np.log(
        FEWEST / LEAST
    )
