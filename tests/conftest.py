"""Settings of all tests: the same examples on every machine, pictures without a screen."""

import signal

import matplotlib
import pytest
from hypothesis import settings

from simulation import interrupts

matplotlib.use("Agg")
# The first example of a property may wait seconds for the compiler, so examples have no deadline.
settings.register_profile("tumorlab", derandomize=True, deadline=None)
settings.load_profile("tumorlab")


@pytest.fixture(autouse=True)
def signals_as_they_were():
    """A test that leaves another handler of Ctrl-C behind would let a later one hang or pass for nothing."""
    before = [signal.getsignal(number) for number in interrupts.STOPS]
    yield
    assert [
        signal.getsignal(number) for number in interrupts.STOPS
    ] == before and not interrupts._guards
