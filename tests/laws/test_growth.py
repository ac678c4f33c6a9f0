"""Growth and decay against the exact birth-death process: every founder is a replicate, its clone the outcome.

Founders stand far enough apart for room never to limit, so clones of one run are independent. The laws are those of the
linear birth-death process (Bailey 1964): m = exp((b - d) t), mean m, variance (b + d) / (b - d) m (m - 1),
extinct share d (m - 1) / (b m - d).
"""

import numpy as np
import pytest

from tests.dish import dish, grid, rows_of, sow, standard_errors

LIMIT = 4.0  # standard errors
SHAPE = (1200, 1200)
SPACING = 5
DAY = 24.0


def clone_sizes(seed, birth=0.0, death=0.0, days=1.0, dt=1.0):
    """Cells of every clone after ``days``, the extinct ones included; rates per day."""
    model = dish(SHAPE, seed, {"tumor.division_rate": birth, "tumor.death_rate": death}, dt=dt)
    founders = sow(model, "tumor_cell", grid(SHAPE, SPACING))
    for _ in range(round(days * DAY / dt)):
        model.step()
    clones = model.cells["clone"][model.cells.alive]
    order = np.sort(founders)
    return np.bincount(np.searchsorted(order, clones), minlength=len(founders))


def test_undisturbed_cells_grow_exponentially():
    """At the step of 1 h in which models run; a bias of 1 % in the mean would be 6 standard errors."""
    birth = 0.69
    sizes = np.concatenate([clone_sizes(seed, birth) for seed in (1, 2, 3)])
    mean = np.exp(birth)
    error = np.sqrt(mean * (mean - 1) / sizes.size)
    assert 0.01 * mean > 5 * error, "the experiment is large enough to see a bias of 1 %"
    off = standard_errors(sizes.mean(), mean, error)
    assert abs(off) < LIMIT, (
        f"the mean clone has {sizes.mean():.4f} cells, not exp(b t) = {mean:.4f}: {off:.1f} SE"
    )


def test_dying_cells_decay_exponentially_and_their_lifetimes_are_exponential():
    """Survivors are binomial at every moment, so lifetimes follow exp(-d t) all along."""
    death, steps = 1.0, 48
    model = dish((600, 600), 4, {"tumor.death_rate": death})
    number = len(sow(model, "tumor_cell", grid((600, 600), 2)))
    alive = []
    for _ in range(steps):
        model.step()
        alive.append(model.count("tumor_cell"))
    expected = np.exp(-death * np.arange(1, steps + 1) / DAY)
    off = standard_errors(
        np.array(alive) / number, expected, np.sqrt(expected * (1 - expected) / number)
    )
    assert 0.01 * expected[23] > 2 * np.sqrt(expected[23] * (1 - expected[23]) / number)
    assert np.abs(off).max() < LIMIT, f"survivors leave exp(-d t) by {np.abs(off).max():.1f} SE"


def test_clones_follow_the_birth_death_process():
    """Mean, variance and extinct share after 0.5 days at b = 2, d = 1 a day.

    Steps of 0.1 h: at most one division fits a step, which takes 2 b dt from the variance (1.7 % here, 6 % at 1 h and
    0.7 a day) and nothing from the mean.
    """
    birth, death, days = 2.0, 1.0, 0.5
    sizes = clone_sizes(5, birth, death, days, dt=0.1)
    m = np.exp((birth - death) * days)
    variance = (birth + death) / (birth - death) * m * (m - 1)
    extinct = death * (m - 1) / (birth * m - death)
    number = sizes.size
    fourth = ((sizes - sizes.mean()) ** 4).mean()
    laws = {
        "mean": (sizes.mean(), m, np.sqrt(variance / number)),
        "variance": (sizes.var(), variance, np.sqrt((fourth - sizes.var() ** 2) / number)),
        "extinct share": ((sizes == 0).mean(), extinct, np.sqrt(extinct * (1 - extinct) / number)),
    }
    for law, numbers in laws.items():
        off = standard_errors(*numbers)
        assert abs(off) < LIMIT, (
            f"{law} of the clones is {numbers[0]:.4f}, not {numbers[1]:.4f}: {off:.1f} SE"
        )


@pytest.mark.slow
def test_clone_sizes_of_pure_birth_are_geometric():
    """Chi-squared over clone sizes 1 to 7 and more: P(n) = e^-bt (1 - e^-bt)^(n - 1)."""
    birth, days = 2.0, 0.5
    sizes = clone_sizes(6, birth, days=days, dt=0.1)
    stay = np.exp(-birth * days)
    shares = stay * (1 - stay) ** np.arange(7)
    expected = np.append(shares, 1 - shares.sum()) * sizes.size
    counts = np.bincount(np.minimum(sizes, 8), minlength=9)[1:]
    chi_squared = ((counts - expected) ** 2 / expected).sum()
    off = standard_errors(chi_squared, 7, np.sqrt(14))
    assert off < LIMIT, (
        f"clone sizes {counts} are not geometric {expected.round()}: chi-squared {chi_squared:.1f} of 7"
    )
    poisson = np.exp(-birth * days) * np.cumprod(
        np.append(1, birth * days / np.arange(1, 7))
    )  # were births independent of size
    other = np.append(poisson, 1 - poisson.sum()) * sizes.size
    assert ((counts - other) ** 2 / other).sum() > 7 + 10 * np.sqrt(14), (
        "the experiment tells clones from another law"
    )


@pytest.mark.parametrize("liquid", [False, True])
def test_without_room_nobody_is_born(liquid):
    """A full lattice stays as it is, however fast cells would divide."""
    model = dish((40, 40), 7, {"tumor.division_rate": 5.0}, tumor_cells=1600, liquid=liquid)
    names = model.cells["name"].copy()
    for _ in range(24):
        model.step()
    assert (rows_of(model, names) >= 0).all() and model.count("tumor_cell") == 1600
    model.kill(np.flatnonzero(model.rows("tumor_cell"))[::2])
    for _ in range(24):
        model.step()
    assert model.count("tumor_cell") > 1000, "where there is room they divide"


def test_oxygen_slows_division_and_interferon_arrests_it():
    """Division at oxygen c goes as c / (c + half), at interferon signal I as 1 - arrest I / (1 + I)."""
    birth, half, arrest, signal = 0.69, 15.0, 0.6, 2.0
    vessels = {"recruitment.vessel_density": 1000, "tumor.division_rate": birth}
    for factor, more, hold in (
        (38 / (38 + half), {"tumor.oxygen_half": half}, {"oxygen": 38.0}),
        (
            1 - arrest * signal / (1 + signal),
            {"tumor.interferon_arrest": arrest, "fields.ifn_gamma_decay": 0},
            {"ifn_gamma": signal},
        ),
    ):
        model = dish((600, 600), 8, {**vessels, **more, "fields.oxygen_decay": 0})
        number = len(sow(model, "tumor_cell", grid((600, 600), SPACING)))
        for name, value in hold.items():
            model.fields[name].values = np.full(model.fields[name].values.size, value)
        for _ in range(24):
            model.step()
        mean = np.exp(birth * factor)
        error = np.sqrt(mean * (mean - 1) / number)
        off = standard_errors(model.count("tumor_cell") / number, mean, error)
        assert abs(off) < LIMIT, (
            f"with {hold} a clone has {model.count('tumor_cell') / number:.3f} cells, not {mean:.3f}"
        )
        free = standard_errors(model.count("tumor_cell") / number, np.exp(birth), error)
        assert free < -2 * LIMIT, (
            f"without the factor a clone would have {np.exp(birth):.3f} cells: {free:.1f} SE"
        )
