"""What daughters inherit, and what new cells start with."""

import numpy as np

from ..compiled import loop
from ..randomness import GOLDEN, mix, normal, uniform


@loop
def inherit(trait, rows, name, spread, loss, halving, high, stream):
    """Each daughter's trait steps log-normally with unchanged mean, is rarely lost for good, or halved."""
    stream_loss = mix(stream + np.uint64(2) * GOLDEN)
    stream_half = mix(stream + np.uint64(3) * GOLDEN)
    for i in range(rows.size):
        row = rows[i]
        value = trait[row]
        if value == 0.0:
            continue
        if spread > 0.0:
            value *= np.exp(spread * normal(stream, name[row]) - 0.5 * spread * spread)
        if halving > 0.0 and uniform(stream_half, name[row]) < halving:
            value *= 0.5
        if loss > 0.0 and uniform(stream_loss, name[row]) < loss:
            value = 0.0
        trait[row] = min(value, high)


@loop
def start_trait(trait, rows, name, mean, spread, negative_share, high, stream):
    """A new cell's trait: log-normal around ``mean``, or zero for the stated share of negatives."""
    stream_negative = mix(stream + np.uint64(2) * GOLDEN)
    for i in range(rows.size):
        row = rows[i]
        value = mean
        if spread > 0.0:
            value *= np.exp(spread * normal(stream, name[row]) - 0.5 * spread * spread)
        if negative_share > 0.0 and uniform(stream_negative, name[row]) < negative_share:
            value = 0.0
        trait[row] = min(value, high)
