"""Searching cells against the persistent random walk on a lattice.

A step keeps the last heading with probability P and else goes to any of the Moore neighbours. Steps k apart then correlate
as P^k, and n steps have <s^2> [n (1 + P) / (1 - P) - 2 P (1 - P^n) / (1 - P)^2] mean square displacement, with <s^2> the
mean squared length of a step (3/2 sites^2 in 2-D, 27/13 in 3-D). The number of steps in N tries of chance p is binomial,
so P^n averages to (1 - p + p P)^N. Walkers are sparse and too far from walls to reach them.
"""

import numpy as np
import pytest

from simulation import Treatment
from tests.dish import dish, places, sow, standard_errors

LIMIT = 4.0  # standard errors
TRIES = 18  # a step of any length has 6 sub-steps of 3 tries
SHAPES = {2: (500, 500), 3: (72, 72, 72)}
WALKERS = {2: 350, 3: 450}


def walkers(axes, seed, speed=4.0, persistence=0.0, dt=1.0, bias=0.0, number=None):
    """A dish with T cells at random places and nothing else; their names."""
    model = dish(
        SHAPES[axes],
        seed,
        {"t_cell.speed": speed, "t_cell.persistence": persistence, "t_cell.chemokine_bias": bias},
        dt=dt,
    )
    sites = model.lattice.interior[
        np.argsort(model.randomness.uniform("walkers", 0, model.lattice.interior))
    ]
    return model, sow(model, "t_cell", model.lattice.coordinates(sites[: number or WALKERS[axes]]))


def displacements(model, names, steps, windows):
    """Displacements in sites over ``windows`` windows of ``steps`` steps, of walkers that cannot meet a wall: (n, axes)."""
    found = []
    for _ in range(windows):
        start = places(model, names)
        for _ in range(steps):
            model.step()
        far = ((start >= TRIES * steps) & (start < np.array(model.shape) - TRIES * steps)).all(
            axis=1
        )
        found.append((places(model, names) - start)[far])
    return np.concatenate(found)


def chance_of_a_step(axes, dt=1.0, speed=4.0):
    """Share of tries that become steps, and its standard error, counted on walkers that never turn."""
    model, names = walkers(axes, 1, speed=speed, persistence=1.0, dt=dt)
    moved = np.abs(displacements(model, names, 1, round(12 / dt))).max(axis=1)
    return moved.mean() / TRIES, moved.std() / np.sqrt(moved.size) / TRIES


def mean_square(axes, chance, persistence, tries):
    """The law above, sites^2."""
    squared = {2: 3 / 2, 3: 27 / 13}[axes]
    memory = (1 - chance + chance * persistence) ** tries
    return squared * (
        chance * tries * (1 + persistence) / (1 - persistence)
        - 2 * persistence * (1 - memory) / (1 - persistence) ** 2
    )


@pytest.mark.parametrize(
    ("axes", "persistence", "steps", "windows"),
    [
        (2, 0.0, 4, 24),
        (2, 0.7, 1, 40),
        (2, 0.7, 6, 20),
        (2, 0.9, 3, 24),
        (3, 0.0, 1, 16),
        (3, 0.7, 1, 16),
    ],
)
def test_mean_square_displacement_is_that_of_the_persistent_walk(axes, persistence, steps, windows):
    """Ballistic at first, then diffusive with (1 + P) / (1 - P) times the spread of a walk that forgets."""
    chance, unsure = chance_of_a_step(axes)
    law = mean_square(axes, chance, persistence, TRIES * steps)
    model, names = walkers(axes, 2, persistence=persistence)
    moved = displacements(model, names, steps, windows)
    squared = (moved**2).sum(axis=1)
    error = np.hypot(squared.std() / np.sqrt(squared.size), law * unsure / chance)
    assert error < 0.04 * law, "the experiment sees 4 %"
    off = standard_errors(squared.mean(), law, error)
    assert abs(off) < LIMIT, (
        f"walkers spread {squared.mean():.1f} sites^2, not {law:.1f}: {off:.1f} SE"
    )
    if persistence:
        forgetful = standard_errors(
            squared.mean(), mean_square(axes, chance, 0.0, TRIES * steps), error
        )
        assert forgetful > 2 * LIMIT, f"a walk that forgets would be {forgetful:.1f} SE away"
    drift = np.abs(moved.mean(axis=0)) / (moved.std(axis=0) / np.sqrt(len(moved)))
    assert drift.max() < LIMIT, (
        f"without chemokine walkers drift by {moved.mean(axis=0)} sites: {drift.max():.1f} SE"
    )


@pytest.mark.parametrize("dt", [1.0, 0.25])
@pytest.mark.parametrize("axes", [2, 3])
def test_cells_are_as_fast_as_their_speed(axes, dt):
    """Steps an hour times their mean length is the speed, whatever the length of a step in time."""
    speed, stride = (
        4.0,
        {2: (4 + 4 * 2**0.5) / 8, 3: (6 + 12 * 2**0.5 + 8 * 3**0.5) / 26}[axes] * 15.0,
    )
    chance, unsure = chance_of_a_step(axes, dt)
    found, error = (TRIES / dt * stride / 60 * each for each in (chance, unsure))
    off = standard_errors(found, speed, error)
    assert abs(off) < LIMIT, f"cells walk {found:.3f} um/minute, not {speed}: {off:.1f} SE"


def test_waits_between_steps_are_exponential():
    """Slow cells seen every 6 minutes: the share that has not moved yet falls as exp(-rate t)."""
    dt, speed = 0.1, 0.3
    chance, unsure = chance_of_a_step(2, dt, speed)
    model, names = walkers(2, 3, speed=speed, dt=dt, number=2500)
    start, still = places(model, names), np.ones(2500, dtype=bool)
    rate = chance * TRIES / dt
    for step in range(1, 31):
        model.step()
        still &= (places(model, names) == start).all(axis=1)
        share = np.exp(-rate * dt * step)
        error = np.hypot(
            np.sqrt(share * (1 - share) / 2500), share * dt * step * unsure * TRIES / dt
        )
        off = standard_errors(still.mean(), share, error)
        assert abs(off) < LIMIT, (
            f"after {step * dt:.1f} h {still.mean():.3f} stand still, not {share:.3f}: {off:.1f} SE"
        )


class Lure(Treatment):
    """Chemokine made along one edge, so that its gradient points there everywhere."""

    def modify(self, rules, model):
        shape = model.tissue.fine.shape
        source = np.zeros(shape)
        source[0] = 1e9
        rules.supply("chemokine", source.ravel())


@pytest.mark.parametrize(
    ("axes", "bias", "persistence"), [(2, 0.3, 0.7), (2, 0.3, 0.0), (2, 1.0, 0.7), (3, 0.3, 0.7)]
)
def test_chemokine_draws_walkers_up_its_gradient(axes, bias, persistence):
    """Where it saturates a step goes up it with probability b, so the mean step is b / (1 - (1 - b) P) sites."""
    chance, unsure = chance_of_a_step(axes)
    model, names = walkers(axes, 4, persistence=persistence, bias=bias)
    model.tissue.fields["chemokine"].decay = 1e-3
    model.give(Lure())
    model.step()
    moved = displacements(model, names, 1, 8)
    law = -TRIES * chance * bias / (1 - (1 - bias) * persistence)
    error = np.hypot(moved[:, 0].std() / np.sqrt(len(moved)), law * unsure / chance)
    off = standard_errors(moved[:, 0].mean(), law, error)
    assert abs(off) < LIMIT, (
        f"walkers drift {moved[:, 0].mean():.2f} sites an hour, not {law:.2f}: {off:.1f} SE"
    )
    assert (
        np.abs(
            moved[:, 1:].mean(axis=0) / (moved[:, 1:].std(axis=0) / np.sqrt(len(moved)) + 1e-9)
        ).max()
        < LIMIT
    )


def test_a_packed_tumour_lets_through_only_by_squeezing():
    """A step onto a tumour cell exchanges places with probability squeeze, else the cell stays."""
    squeeze, dt = 0.05, 0.1
    chance, _ = chance_of_a_step(2, dt)
    model, names = walkers(2, 5, dt=dt, number=4000)
    model.parameters.t_cell.set(squeeze=squeeze, engage_rate=0)
    free = model.lattice.interior[model.lattice.occupant[model.lattice.interior] < 0]
    tumor = sow(model, "tumor_cell", model.lattice.coordinates(free))
    start = places(model, names)
    model.step()
    share = (places(model, names) != start).any(axis=1).mean()
    law = 1 - (1 - chance * squeeze) ** TRIES
    off = standard_errors(share, law, np.sqrt(law * (1 - law) / 4000))
    assert abs(off) < LIMIT, f"{share:.4f} of the T cells got on, not {law:.4f}: {off:.1f} SE"
    assert model.count("tumor_cell") == len(tumor), "nobody is lost in the crowd"
