"""Draws without state: right values, no pattern, and the same whenever they are asked for.

Tolerances are in standard errors, two-sided; seeds are fixed, so a test that passes once passes always.
A battery of harder tests ran outside the suite: see laws/mixing.md.
"""

import hashlib
import math

import numpy as np
import pytest

from simulation.randomness import Randomness

DRAWS = 1_000_000
WORD = 2**64


def plain_mix(x: int) -> int:
    """The SplitMix64 finaliser, written again with Python's unbounded integers."""
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 % WORD
    x = (x ^ x >> 27) * 0x94D049BB133111EB % WORD
    return x ^ x >> 31


def plain_stream(seed: int, purpose: str, tick: int) -> int:
    key = int.from_bytes(
        hashlib.blake2b(f"{seed}/{purpose}".encode(), digest_size=8).digest(), "little"
    )
    return plain_mix((key + tick * 0x9E3779B97F4A7C15) % WORD)


def plain_uniform(stream: int, name: int) -> float:
    return (plain_mix(stream ^ name) >> 11) / 2**53


def plain_normal(stream: int, name: int) -> float:
    second_stream = plain_mix((stream + 0x9E3779B97F4A7C15) % WORD)
    radius = math.sqrt(-2 * math.log(1 - plain_uniform(stream, name)))
    return radius * math.cos(2 * math.pi * plain_uniform(second_stream, name))


def assert_within(value, expected, standard_error, limit=4.0):
    deviation = (value - expected) / standard_error
    assert abs(deviation) < limit, f"{value} is {deviation:.1f} standard errors from {expected}"


def assert_unrelated(first, second):
    """The correlation of independent numbers is 0 with standard error 1 / sqrt(n)."""
    assert_within(np.corrcoef(first, second)[0, 1], 0.0, 1 / math.sqrt(len(first)))


# --- right values -----------------------------------------------------------------------------------------------


def test_plain_mixing_gives_the_published_splitmix64_sequence():
    published = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431]
    assert [plain_mix((1234567 + n * 0x9E3779B97F4A7C15) % WORD) for n in range(1, 5)] == published


@pytest.mark.parametrize("seed", [0, 1, -3, 2**70])
@pytest.mark.parametrize("tick", [0, 1, 6047, 2**40])
def test_draws_equal_the_plain_python_implementation(seed, tick):
    purpose = "treatments.pembrolizumab.x"
    names = [0, 1, 2, 41_000, 2**62 + 12345, 2**63 - 1]
    stream = plain_stream(seed, purpose, tick)
    randomness = Randomness(seed)
    assert randomness.uniform(purpose, tick, names).tolist() == [
        plain_uniform(stream, name) for name in names
    ]
    assert randomness.names(purpose, tick, names).tolist() == [
        plain_mix(stream ^ name) % 2**63 for name in names
    ]
    expected = [plain_normal(stream, name) for name in names]
    np.testing.assert_allclose(
        randomness.normal(purpose, tick, names), expected, rtol=1e-13, atol=1e-15
    )


def test_written_down_draws_stay_what_they_are():
    """Values kept here change only together with the line "changes results" in the changelog."""
    draws = Randomness(1).uniform("contact.hit", 7, [0, 1, 2**62])
    assert draws.tolist() == [0.8014969257249125, 0.6999792538952664, 0.7317028324266153]


# --- no pattern -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["plain", "hashed"])
def names(request):
    """Names as of the first cells of a tumour (consecutive) or as of daughters (hashed)."""
    consecutive = np.arange(DRAWS)
    return (
        consecutive
        if request.param == "plain"
        else Randomness(9).names("daughters", 5, consecutive)
    )


def test_draws_are_uniform_over_names(names):
    draws = Randomness(2).uniform("contact.hit", 3, names)
    assert 0 <= draws.min() and draws.max() < 1
    assert_within(draws.mean(), 1 / 2, math.sqrt(1 / 12 / DRAWS))
    assert_within(draws.var(), 1 / 12, math.sqrt(1 / 180 / DRAWS))
    counts = np.bincount((draws * 1000).astype(int), minlength=1000)
    expected = DRAWS / 1000
    chi_squared = ((counts - expected) ** 2 / expected).sum()
    assert_within(chi_squared, 999, math.sqrt(2 * 999))


def test_draws_are_uniform_over_ticks():
    randomness = Randomness(2)
    draws = np.array([randomness.uniform("contact.hit", tick, [5])[0] for tick in range(20_000)])
    assert_within(draws.mean(), 1 / 2, math.sqrt(1 / 12 / draws.size))
    assert_within(draws.var(), 1 / 12, math.sqrt(1 / 180 / draws.size))
    assert_unrelated(draws[:-1], draws[1:])


@pytest.mark.parametrize("step", [1, 2, 8, 501, 4096])
def test_neighbouring_names_are_unrelated(names, step):
    """Steps as between mother and daughter rows, and between rows of a 500-wide lattice."""
    draws = Randomness(4).uniform("move", 11, names)
    assert_unrelated(draws[:-step], draws[step:])


def test_ticks_purposes_and_seeds_are_unrelated(names):
    randomness = Randomness(4)
    draws = randomness.uniform("move", 11, names)
    for other in (
        randomness.uniform("move", 12, names),
        randomness.uniform("move", 11 + 2**32, names),
        randomness.uniform("mov", 11, names),
        randomness.uniform("divide", 11, names),
        Randomness(5).uniform("move", 11, names),
        Randomness(-4).uniform("move", 11, names),
    ):
        assert_unrelated(draws, other)


def test_mother_and_daughter_are_unrelated():
    randomness = Randomness(4)
    mothers = np.arange(DRAWS)
    daughters = randomness.names("divide.name", 20, mothers)
    assert_unrelated(
        randomness.uniform("divide", 21, mothers), randomness.uniform("divide", 21, daughters)
    )


def test_every_bit_of_a_name_changes_every_bit_of_a_draw_half_the_time():
    """The avalanche: 63 x 63 shares of flips, each 1/2 within standard error 0.5 / sqrt(n)."""
    randomness, count = Randomness(6), 10_000
    names = randomness.names("daughters", 0, np.arange(count))
    places = np.arange(63)
    before = randomness.names("avalanche", 1, names)
    deviations = []
    for place in places:
        flipped = before ^ randomness.names("avalanche", 1, names ^ (1 << place))
        shares = ((flipped[:, None] >> places) & 1).mean(axis=0)
        deviations.append((shares - 0.5) / (0.5 / math.sqrt(count)))
    deviations = np.array(deviations)
    assert np.abs(deviations).max() < 5, (
        "the largest of 3969 normal numbers exceeds 5 with probability 0.002"
    )
    assert_within((deviations**2).mean(), 1, math.sqrt(2 / deviations.size))


# --- the same whenever asked ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["uniform", "normal", "names"])
def test_a_draw_does_not_depend_on_what_else_is_drawn(kind):
    names = np.array([7, 3, 2**61, 0])
    first = getattr(Randomness(8), kind)("move", 2, names)
    later = Randomness(8)
    later.uniform("move", 1, np.arange(100))
    later.uniform("divide", 2, np.arange(100))
    draw = getattr(later, kind)
    assert draw("move", 2, names[::-1])[::-1].tolist() == first.tolist()
    assert draw("move", 2, names).tolist() == first.tolist()
    assert [draw("move", 2, [name])[0] for name in names] == first.tolist()


def test_names_of_descendants_are_unique_and_have_63_bits():
    randomness = Randomness(3)
    generations = [np.arange(50_000)]
    for tick in range(10):
        generations.append(randomness.names("divide.name", tick, generations[tick % 3]))
    everybody = np.concatenate(generations)
    assert everybody.min() >= 0
    assert np.unique(everybody).size == everybody.size


# --- normal numbers ---------------------------------------------------------------------------------------------


def test_normal_draws_have_the_moments_of_the_normal_distribution(names):
    draws = Randomness(10).normal("divide.antigen", 4, names)
    assert np.isfinite(draws).all()
    assert_within(draws.mean(), 0, math.sqrt(1 / DRAWS))
    assert_within((draws**2).mean(), 1, math.sqrt(2 / DRAWS))
    assert_within((draws**3).mean(), 0, math.sqrt(15 / DRAWS))
    assert_within((draws**4).mean(), 3, math.sqrt(96 / DRAWS))
    beyond_two = 0.0455002638963584
    assert_within((np.abs(draws) > 2).mean(), beyond_two, math.sqrt(beyond_two / DRAWS))
    assert_unrelated(draws[:-1], draws[1:])
