"""What a loop passes over without a logarithm is what the logarithm would have ruled out."""

import math

import numpy as np
import pytest

from simulation.kernels import chance

too_late, wait, may_divide, divides = (
    f.py_func for f in (chance.too_late, chance.wait, chance.may_divide, chance.divides)
)
STEPS = (
    -8,
    -3,
    -2,
    -1,
    0,
    1,
    2,
    3,
    8,
)  # of a draw around where an event is just in time, on the grid of draws


def draws_about(share: float) -> list[float]:
    """Draws on the 53-bit grid at a share and next to it."""
    return [d for step in STEPS if 0.0 <= (d := (round(share * 2**53) + step) / 2**53) < 1.0]


@pytest.mark.parametrize("begun", [0.0, -0.05, 0.05, 0.166])
def test_an_event_that_is_too_late_never_falls_into_the_hours_left(begun):
    hours, ruled_out, wanted = 1.0 / 6.0, 0, 0
    for rate in [0.0, 1e-300, *np.geomspace(1e-18, 1e6, 400)]:
        left = hours - begun
        for draw in [
            0.0,
            *draws_about(rate * left),
            *draws_about(-math.expm1(-rate * left)),
            0.1,
            0.5,
            0.9,
            1.0 - 2.0**-53,
        ]:
            late = begun + wait(draw, rate) >= hours
            assert late or not too_late(draw, rate, left), (draw, rate)
            ruled_out, wanted = ruled_out + too_late(draw, rate, left), wanted + late
    assert ruled_out > 0.5 * wanted, "it spares most logarithms"


def test_a_cell_whose_draw_rules_division_out_does_not_divide():
    spared = 0
    for rate in [0.0, *np.geomspace(1e-14, 20.0, 1000)]:
        for draw in [
            0.0,
            *draws_about(math.expm1(rate)),
            *draws_about(rate * (1.0 + rate)),
            0.1,
            0.5,
            0.9,
            1.0 - 2.0**-53,
        ]:
            assert may_divide(draw, rate, 1.0) or not divides(draw, rate, 1.0), (draw, rate)
            spared += not may_divide(draw, rate, 1.0)
    assert spared > 3000
