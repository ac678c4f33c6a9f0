"""What lies around a cell: a mean over the sites within reach, so that nothing farther away changes a bit."""

import math

import numpy as np

from ..compiled import rare
from ..errors import ModelError
from ..parameters.given import quoted, real


def around(cells, lattice, values, reach) -> np.ndarray:
    """For every living cell the mean of ``values``, one per row, over all sites within ``reach`` um. Raises ModelError."""
    rows, far = cells.rows, real(reach)
    try:
        given = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        given = np.empty(0)
    if given.shape != (rows,) or not (np.isfinite(given) & (given >= 0.0)).all():
        raise ModelError(
            f"around takes finite numbers of at least 0, one per row of the cell table ({rows})"
        )
    if not 0.0 <= far < math.inf:
        raise ModelError(
            f"reach = {quoted(reach)} is not allowed: give um, at least 0", key="reach"
        )
    living, found, flat = np.flatnonzero(cells.alive), np.zeros(rows), 3 - lattice.ndim
    sites = cells["site"][living]
    if lattice.liquid:  # every pair of sites is equally far apart
        found[living] = math.fsum(given[living]) / lattice.size
        return found
    at, places = np.zeros(lattice.occupant.size), np.zeros((len(living), 3), dtype=np.int64)
    at[sites] = given[living]
    places[:, flat:] = lattice.coordinates(sites)
    shape = np.array((1,) * flat + lattice.shape)
    strides = np.append(np.zeros(flat, dtype=np.int64), lattice.strides)
    widths = int(min((far / lattice.spacing) ** 2 + 1e-9, float((shape**2).sum())))
    found[living] = mean_around(at, sites, places, shape, strides, widths)
    return found


@rare
def mean_around(at, sites, places, shape, strides, widths):
    """For each site the mean of ``at`` (per padded site) over the sites within the square root of ``widths`` site widths.

    ``places`` int64 (sites, 3): coordinates, a plane being one layer. What lies beyond the edge of ``shape`` does not count.
    """
    found, reach = np.empty(sites.size), np.int64(math.sqrt(widths))
    for i in range(sites.size):
        total, many = 0.0, 0
        here = np.int64(sites[i])
        for x in range(max(-places[i, 0], -reach), min(shape[0] - 1 - places[i, 0], reach) + 1):
            for y in range(max(-places[i, 1], -reach), min(shape[1] - 1 - places[i, 1], reach) + 1):
                left = widths - x * x - y * y
                if left < 0:
                    continue
                half = np.int64(math.sqrt(left))
                first = max(-places[i, 2], -half)
                last = min(shape[2] - 1 - places[i, 2], half)
                line = here + x * strides[0] + y * strides[1]
                for z in range(first, last + 1):
                    total += at[line + z * strides[2]]
                many += last - first + 1
        found[i] = total / many
    return found
