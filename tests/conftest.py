"""Settings of all tests: the same examples on every machine, pictures without a screen."""

import signal

import matplotlib
import pytest
from hypothesis import settings

from simulation import interrupts, words

matplotlib.use("Agg")
# The first example of a property may wait seconds for the compiler, so examples have no deadline.
settings.register_profile("tumorlab", derandomize=True, deadline=None)
settings.load_profile("tumorlab")
PALETTE = [(each, dict(each)) for each in (words.KIND_WORDS, words.IMMUNE_WORDS, words.KIND_COLORS)]


@pytest.fixture(autouse=True)
def signals_as_they_were():
    """A test that leaves another handler of Ctrl-C behind would let a later one hang or pass for nothing."""
    before = [signal.getsignal(number) for number in interrupts.STOPS]
    yield
    assert [
        signal.getsignal(number) for number in interrupts.STOPS
    ] == before and not interrupts._guards


@pytest.fixture(autouse=True)
def palette_of_what_ships():
    """A kind of cell that a test made brings words and a colour, which are not there for the next test."""
    yield
    for each, shipped in PALETTE:
        each.clear()
        each.update(shipped)
