"""The one place where a rate becomes a probability or a waiting time."""

import math

from ..compiled import scalar


@scalar
def happens(draw, rate, hours):
    """Whether an event of this rate falls into the next ``hours``: draw < 1 - exp(-rate x hours)."""
    expected = rate * hours
    return draw < expected and draw < -math.expm1(-expected)


@scalar
def probability(rate, hours):
    """How likely an event of this rate is within ``hours``; it happens to those who draw less."""
    return -math.expm1(-rate * hours)


@scalar
def ruled_out(draw, probability):
    """Whether a draw lies so far above a probability that no rounding brings the event about."""
    return draw > probability + 1e-9


@scalar
def divides(draw, rate, hours):
    """Whether a cell divides, so that the *mean* grows exactly as exp(rate x hours).

    At most one division fits a step; with probability exp(rate x hours) - 1 instead of 1 - exp(-rate x hours) the
    daughters' own divisions are made up for and a birth-death process keeps its exact mean.
    """
    return draw < math.expm1(rate * hours)


@scalar
def wait(draw, rate):
    """Hours until an event of this rate."""
    if rate <= 0.0:
        return math.inf
    return -math.log1p(-draw) / rate


@scalar
def remaining(rate, hours):
    """The share of something that is left when it is lost at ``rate`` for ``hours``."""
    return math.exp(-rate * hours)
