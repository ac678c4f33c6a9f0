"""How long growing still takes is told as soon as there is something to go by, and is about right."""

import math

import pytest

from experiments.lab.growth import Growth


class Clock:
    """Seconds that pass as they are told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def followed(
    sizes, target: int, seconds_a_step: float, days: float = 90.0
) -> list[tuple[float, float, float | None, str]]:
    """Second, share, estimate and words while a tumour has these sizes, one an hour."""
    clock = Clock()
    growth, told = Growth("growing", sizes[0], target, days, clock), []
    for step, cells in enumerate(sizes[1:], 1):
        clock.now = step * seconds_a_step
        growth.see(cells, step / 24)
        told.append((clock.now, growth.share, growth.seconds_left, growth.words))
    return told


@pytest.mark.parametrize("doubling", [50, 200, 600])
@pytest.mark.parametrize("dip", [0, 150])
def test_exponential_growth_is_foreseen_also_after_the_tumour_was_pushed_back(doubling, dip):
    sizes = [round(1000 - 3 * hour) for hour in range(dip)]
    low = sizes[-1] if sizes else 1000
    sizes += [round(low * 2 ** (hour / doubling)) for hour in range(2 * doubling + 1)]
    target = sizes[-1]
    told = followed(sizes, target, 0.03)
    end = told[-1][0]
    assert all(estimate is None and share == 0 for _, share, estimate, _ in told[: max(0, dip - 1)])
    for now, _, estimate, _ in told:
        if estimate is not None:
            assert estimate == pytest.approx(end - now, rel=0.1, abs=0.5)
    assert sum(estimate is not None for _, _, estimate, _ in told) > 0.7 * len(told) - dip - 34
    assert told[-1][1] == 1 and math.isclose(told[-1][2], 0)


def test_what_will_never_be_there_is_given_up_at_a_known_time():
    told = followed([100, *(120 for _ in range(24 * 30))], 1000, 0.05, days=30)
    for now, _, estimate, _ in told[40:]:
        assert estimate is None or estimate <= 30 * 24 * 0.05 - now + 0.1


@pytest.mark.parametrize("cells, target", [(0, 10), (10, 10), (20, 10), (0, 0), (1, 1), (5, 0)])
def test_odd_tumours_have_a_share(cells, target):
    for _, share, estimate, words in followed([cells] * 50, target, 1.0):
        assert (
            0 <= share <= 1
            and f"{cells} of {target}" in words
            and (estimate is None or estimate >= 0)
        )


def test_the_words_say_cells_and_time():
    assert (
        followed([1000, 1500], 3000, 20.0)[-1][3]
        == "growing: 1,500 of 3,000 tumour cells, about 34 s left"
    )
    assert (
        followed([1000, 1500], 3000, 200.0)[-1][3]
        == "growing: 1,500 of 3,000 tumour cells, about 6 min left"
    )
    assert followed([1000, 1010], 3000, 20.0)[-1][3] == "growing: 1,010 of 3,000 tumour cells"
