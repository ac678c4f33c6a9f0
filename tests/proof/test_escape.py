"""Checkpoint blockade, CAR T cells and NK cells over ten paired seeds: who answers, who comes back, who is kept down."""

import math

import numpy as np

from ..trials import arms, burden, last, ln_fold, mhc_low_cells, standard_error
from .kept import Measured, proven

SEEDS = range(1, 11)
FEW = range(1, 4)


def blockade(seed: int) -> Measured:
    """Tumour cells at the end of the two scenarios, with and without a PD-1 antibody."""
    return {
        f"{scenario}.{arm}": int(burden(results)[-1])
        for scenario in ("checkpoint_blockade", "cold_tumor")
        for arm, results in arms(scenario, seed).items()
        if arm in ("control", "pembrolizumab")
    }


@proven(blockade, SEEDS)
def test_blockade_controls_an_inflamed_tumor_and_not_a_cold_one(found):
    hot, cold = (
        [ln_fold(each[f"{scenario}.pembrolizumab"], each[f"{scenario}.control"]) for each in found]
        for scenario in ("checkpoint_blockade", "cold_tumor")
    )
    below_half = np.mean(np.array(hot) < math.log(0.5))
    assert below_half >= 0.8, f"treated below half of control on {below_half:.0%} of seeds"
    assert abs(np.median(cold)) < 0.1, f"cold: median paired ln ratio {np.median(cold):.3f}"
    more = np.subtract(hot, cold)
    assert np.mean(more) < -3 * standard_error(more), (
        f"inflamed against cold: ln ratio {np.round(more, 2)}"
    )
    assert abs(np.median(cold)) < 0.1 * abs(np.median(hot)), (
        f"cold {np.median(cold):.3f}, inflamed {np.median(hot):.2f}"
    )


def car_t(seed: int) -> Measured:
    """Burden under CAR T cells at its start, nadir and end, and mean target with and without them."""
    found = arms("car_t_antigen_escape", seed, days=42)
    cells = burden(found["car_t"])
    target = last(found["car_t"], "mean_car_target") if cells[-1] else 0.0
    return {
        "start": int(cells[0]),
        "nadir": int(cells.min()),
        "end": int(cells[-1]),
        "target": target,
        "control_target": last(found["control"], "mean_car_target"),
    }


@proven(car_t, SEEDS)
def test_car_t_cells_clear_most_and_the_target_low_inherit(found):
    deep = [each["nadir"] / each["start"] for each in found]
    relapsed = [each for each in found if each["nadir"] > 0]
    back = [each["end"] / each["nadir"] for each in relapsed]
    shift = [math.log((each["target"] + 1e-3) / each["control_target"]) for each in relapsed]
    assert np.median(deep) < 0.1, f"deepest response: {np.round(deep, 3)} of the start"
    assert len(back) >= 6 and np.median(back) > 5, f"relapse: {np.round(back, 1)} times the nadir"
    assert np.mean(shift) < -3 * standard_error(shift) and np.median(shift) < -0.4, (
        f"ln target: {np.round(shift, 2)}"
    )


def missing_self(seed: int, **given) -> Measured:
    """Tumour cells, and those among them that lack MHC-I, at the end with NK cells and without."""
    found = arms("missing_self", seed, **given)
    return {f"{arm}.cells": int(burden(found[arm])[-1]) for arm in ("control", "no_nk")} | {
        f"{arm}.mhc_low": mhc_low_cells(found[arm]) for arm in ("control", "no_nk")
    }


def harmless_nk_cells(seed: int) -> Measured:
    """The same where NK cells do not hit."""
    return missing_self(seed, set={"nk_cell.kill_rate": 0})


@proven(missing_self, SEEDS)
def test_nk_cells_keep_mhc_low_cells_down(found):
    shares = [each["no_nk.mhc_low"] / each["no_nk.cells"] for each in found if each["no_nk.cells"]]
    assert len(shares) >= 5 and min(shares) > 0.1, (
        f"without NK cells MHC-low are {np.round(shares, 2)}"
    )
    more = without_over_with(found)
    assert np.mean(more) > 3 * standard_error(more), (
        f"MHC-low cells, ln without over with NK cells: {np.round(more, 1)}"
    )
    assert np.mean(more) > KEPT_DOWN, (
        f"MHC-low cells, ln without over with NK cells: {np.round(more, 1)}"
    )


@proven(harmless_nk_cells, FEW)
def test_nk_cells_that_do_not_hit_keep_nobody_down(found):
    left = without_over_with(found)
    assert np.abs(left).max() < 0.5 * KEPT_DOWN, (
        f"NK cells that do not hit: ln without over with {np.round(left, 2)}"
    )


KEPT_DOWN = 1.0
"""ln of MHC-low cells without NK cells over with, at least."""


def without_over_with(found: list[Measured]) -> list[float]:
    return [ln_fold(each["no_nk.mhc_low"], each["control.mhc_low"]) for each in found]
