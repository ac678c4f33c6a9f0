"""The one place where a rate becomes a probability or a waiting time."""

import math

from ..compiled import scalar


@scalar
def happens(draw, rate, hours):
    """Whether an event of this rate falls into the next ``hours``: draw < 1 - exp(-rate x hours)."""
    expected = rate * hours
    return draw < expected and draw < -math.expm1(-expected)


@scalar
def divides(draw, rate, hours):
    """Whether a cell divides, so that the *mean* grows exactly as exp(rate x hours).

    At most one division fits a step; with probability exp(rate x hours) - 1 instead of 1 - exp(-rate x hours) the
    daughters' own divisions are made up for and a birth-death process keeps its exact mean.
    """
    return draw < math.expm1(rate * hours)


@scalar
def may_divide(draw, rate, hours):
    """Whether ``divides`` is not ruled out, without an exponential: x (1 + x) is at least exp(x) - 1, or above 1."""
    expected = rate * hours
    return draw < expected * (1.0 + expected)


@scalar
def wait(draw, rate):
    """Hours until an event of this rate."""
    if rate <= 0.0:
        return math.inf
    return -math.log1p(-draw) / rate


@scalar
def too_late(draw, rate, hours):
    """Whether ``wait(draw, rate)`` is certainly not below ``hours``, without a logarithm: -log(1 - draw) is at least draw."""
    return draw > rate * hours * (1.0 + 1e-12) + 1e-300


@scalar
def remaining(rate, hours):
    """The share of something that is left when it is lost at ``rate`` for ``hours``."""
    return math.exp(-rate * hours)
