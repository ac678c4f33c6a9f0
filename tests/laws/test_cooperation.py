"""Cooperation: hits of several T cells add up only while the damage of earlier ones is remembered.

n T cells are held on one target: with hit rate h and repair r of each damage unit, the time from k to k + 1 units is
h(k) = (1 + k r h(k-1)) / (n h), and death comes at three units. Groups stand apart, so each is a replicate. Deaths are
seen at the end of a step; the mean over the grid of steps is taken from the exact survival function of the same chain.
"""

import numpy as np
import pytest
from scipy.linalg import expm

from tests.dish import dish, grid, rows_of, sow, standard_errors

LIMIT = 4.0  # standard errors
HIT, REPAIR = 1.5, 1.2  # per hour
AROUND = np.array([(0, 1), (1, 0), (0, -1)])
SHAPE = (240, 240)
HELD = {
    "t_cell.detach_rate": 0,
    "t_cell.engage_rate": 600,
    "checkpoint.brake": 0,
    "t_cell.kill_rate": HIT,
}


def survival(attackers, repair, lethal, dt, steps):
    """Share of targets alive at 0, dt, 2 dt...: the chain over 0 to lethal - 1 damage units."""
    rates = np.zeros((lethal, lethal))
    for damage in range(lethal):
        rates[damage, damage] = -attackers * HIT - damage * repair
        if damage:
            rates[damage, damage - 1] = damage * repair
        if damage + 1 < lethal:
            rates[damage, damage + 1] = attackers * HIT
    one = expm(rates * dt)
    state, alive = np.eye(lethal)[0], []
    for _ in range(steps):
        alive.append(state.sum())
        state = state @ one
    return np.array(alive)


def mean_time(attackers, repair=REPAIR, lethal=3):
    """h0 + h1 + ..., hours."""
    total = waiting = 0.0
    for damage in range(lethal):
        waiting = (1 + damage * repair * waiting) / (attackers * HIT)
        total += waiting
    return total


def experiment(attackers, seed, repair=REPAIR, lethal=3, dt=0.25, hours=40):
    """Share of targets alive at 0, dt, 2 dt... and their number."""
    model = dish(
        SHAPE, seed, {**HELD, "tumor.repair_rate": repair, "tumor.lethal_hits": lethal}, dt=dt
    )
    targets = grid(SHAPE, 4, margin=1)
    sow(model, "tumor_cell", targets)
    for place in AROUND[:attackers]:
        sow(model, "t_cell", targets + place)
    alive = []
    for _ in range(round(hours / dt)):
        alive.append(model.count("tumor_cell"))
        if not alive[-1]:
            break
        model.step()
    return np.pad(np.array(alive), (0, round(hours / dt) - len(alive))) / len(targets), len(targets)


@pytest.mark.parametrize(
    ("attackers", "minutes"), [pytest.param(1, 267, marks=pytest.mark.slow), (2, 90), (3, 53)]
)
def test_three_hits_in_time_kill_and_more_t_cells_kill_more_than_in_proportion(attackers, minutes):
    """267, 90 and 53 minutes; 3,600 replicates see 1.3 %."""
    assert 60 * mean_time(attackers) == pytest.approx(minutes, abs=0.7), (
        "the formula gives the stated minutes"
    )
    dt, hours = 0.25, 40
    alive, number = experiment(attackers, seed=attackers, dt=dt, hours=hours)
    exact = survival(attackers, REPAIR, 3, dt, len(alive))
    assert dt * exact.sum() - dt / 2 == pytest.approx(mean_time(attackers), rel=2e-3), (
        "the chain agrees with the formula"
    )
    grid_shift = dt * exact.sum() - mean_time(attackers)
    found = dt * alive.sum() - grid_shift
    spread = np.sqrt(
        2 * (dt * np.arange(len(exact)) * exact).sum() * dt
        - (dt * exact.sum()) ** 2
        + dt * dt * exact.sum()
    )
    off = standard_errors(found, mean_time(attackers), spread / np.sqrt(number))
    assert abs(off) < LIMIT, (
        f"{attackers} T cells need {60 * found:.1f} minutes, not {minutes}: {off:.1f} SE"
    )
    shape = standard_errors(
        alive, exact, np.sqrt(np.maximum(exact * (1 - exact), 1 / number) / number)
    )
    assert np.abs(shape).max() < 4.5, (
        f"survivors leave the law by {np.abs(shape).max():.1f} SE at some moment"
    )


@pytest.mark.parametrize("changed", [{"repair": 0}, {"repair": 1.3 * REPAIR}, {"lethal": 2}])
def test_memory_of_damage_is_what_makes_the_law(changed):
    """With repair off or 30 % faster, or one hit fewer in the model alone, the survivors leave the law."""
    alive, number = experiment(2, seed=2, hours=10, **changed)
    exact = survival(2, REPAIR, 3, 0.25, len(alive))
    off = standard_errors(
        alive, exact, np.sqrt(np.maximum(exact * (1 - exact), 1 / number) / number)
    )
    assert np.abs(off).max() > 4.5, (
        f"{changed} moves survivors by no more than {np.abs(off).max():.1f} SE"
    )


@pytest.mark.parametrize("attackers", [1, 2, 3])
def test_where_one_hit_kills_the_rate_per_t_cell_is_flat(attackers):
    """Blood cells: lethal hits 1, no repair; kills per T cell and hour of contact equal the hit rate."""
    dt = 0.05
    alive, number = experiment(attackers, seed=10 + attackers, repair=0, lethal=1, dt=dt, hours=8)
    exact = survival(attackers, 0, 1, dt, len(alive))
    shift = dt * exact.sum() - 1 / (attackers * HIT)
    per_cell = 1 / (attackers * (dt * alive.sum() - shift))
    off = standard_errors(per_cell, HIT, HIT / np.sqrt(number))
    assert abs(off) < LIMIT, (
        f"a T cell among {attackers} kills {per_cell:.3f} an hour, not {HIT}: {off:.1f} SE"
    )


def test_damage_that_nobody_adds_to_is_forgotten():
    """Every unit is repaired independently: two units after t are binomial with exp(-repair t)."""
    model = dish(SHAPE, 21, {"tumor.repair_rate": REPAIR}, dt=0.5)
    names = sow(model, "tumor_cell", grid(SHAPE, 2))
    model.cells["damage"][rows_of(model, names)] = 2
    model.step()
    left = model.cells["damage"][rows_of(model, names)]
    kept = np.exp(-REPAIR * 0.5)
    for units, share in enumerate([(1 - kept) ** 2, 2 * kept * (1 - kept), kept**2]):
        off = standard_errors(
            (left == units).mean(), share, np.sqrt(share * (1 - share) / len(names))
        )
        assert abs(off) < LIMIT, (
            f"{(left == units).mean():.3f} of the cells keep {units} units, not {share:.3f}"
        )


@pytest.mark.parametrize("pdl1", [0.0, 0.5, 5.0])
def test_pd1_switches_a_contact_off_in_place_of_a_hit(pdl1):
    """With brake q and signal s = p^2 / (0.5^2 + p^2) the first hit kills with probability 1 - q s."""
    brake, signal = 0.45, pdl1**2 / (0.25 + pdl1**2)
    overrides = {
        **HELD,
        "checkpoint.brake": brake,
        "checkpoint.half_pdl1": 0.5,
        "tumor.pdl1": pdl1,
        "tumor.pdl1_induced": 0,
        "tumor.lethal_hits": 1,
    }
    model = dish(SHAPE, 22, overrides)
    targets = grid(SHAPE, 4, margin=1)
    sow(model, "tumor_cell", targets)
    names = sow(model, "t_cell", targets + AROUND[0])
    model.sense()
    rows = rows_of(model, names)
    held = model.lattice.occupant[(targets + 1) @ model.lattice.strides]
    model.cells["partner"][rows], model.cells["held"][held] = held, 1
    model.parameters.t_cell.set(engage_rate=0)
    before = model.count("tumor_cell")
    for _ in range(12):
        model.step()
    killed, kills = before - model.count("tumor_cell"), 1 - brake * signal
    off = standard_errors(
        killed / before, kills, np.sqrt(max(kills * (1 - kills), 1 / before) / before)
    )
    assert abs(off) < LIMIT, (
        f"{killed / before:.3f} of the contacts kill, not 1 - q s = {kills:.3f}: {off:.1f} SE"
    )


def test_a_contact_without_a_hit_lasts_exponentially():
    """Held without hitting, contacts end at the detachment rate."""
    rate, dt = 1.5, 0.25
    model = dish(SHAPE, 23, {**HELD, "t_cell.kill_rate": 0, "t_cell.detach_rate": rate}, dt=dt)
    targets = grid(SHAPE, 4, margin=1)
    sow(model, "tumor_cell", targets)
    names = sow(model, "t_cell", targets + AROUND[0])
    rows, held = (
        rows_of(model, names),
        model.lattice.occupant[(targets + 1) @ model.lattice.strides],
    )
    model.cells["partner"][rows], model.cells["held"][held] = held, 1
    model.parameters.t_cell.set(engage_rate=0)
    for step in range(1, 9):
        model.step()
        found, share = (model.cells["partner"][rows] >= 0).mean(), np.exp(-rate * dt * step)
        off = standard_errors(found, share, np.sqrt(share * (1 - share) / len(names)))
        assert abs(off) < LIMIT, (
            f"after {step * dt} h {found:.3f} of the contacts last, not {share:.3f}: {off:.1f} SE"
        )


@pytest.mark.parametrize("antigen", [0.0, 0.1, 1.0])
def test_engagement_waits_exponentially_at_a_rate_that_recognition_gates(antigen):
    """Rate = engage x^2 / (0.3^2 + x^2), x = antigen x presented MHC-I; what is not recognised is never engaged."""
    rate, presented, dt = 3.0, 0.5, 0.1
    overrides = {
        **HELD,
        "t_cell.engage_rate": rate,
        "t_cell.kill_rate": 0,
        "tumor.antigen": antigen,
        "tumor.mhc_resting": presented,
        "t_cell.half_antigen": 0.3,
    }
    model = dish(SHAPE, 24, overrides, dt=dt)
    targets = grid(SHAPE, 4, margin=1)
    sow(model, "tumor_cell", targets)
    names = sow(model, "t_cell", targets + AROUND[0])
    x = antigen * presented
    gated = rate * x * x / (0.09 + x * x)
    for step in range(1, 11):
        model.step()
        free, share = (
            (model.cells["partner"][rows_of(model, names)] < 0).mean(),
            np.exp(-gated * dt * step),
        )
        off = standard_errors(
            free, share, np.sqrt(max(share * (1 - share), 1 / len(names)) / len(names))
        )
        assert abs(off) < LIMIT, (
            f"after {step * dt:.1f} h {free:.3f} still search, not {share:.3f}: {off:.1f} SE"
        )
