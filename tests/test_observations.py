"""What must be observable, over paired seeds; every observation is also made with its mechanism switched off.

``pytest -m slow -rP tests/test_observations.py`` prints the numbers.
"""

import math

import numpy as np
import pytest

from simulation import TumorModel

from .trials import arms, burden, last, ln_ratio, standard_error

SEEDS = range(1, 11)
FEW = range(1, 4)
pytestmark = pytest.mark.slow

MOUSE = {"parameters": "mouse_b16", "shape": (121, 121), "tumor_cells": 500}
NO_T = {"t_cell.initial_density": 0, "t_cell.base_influx": 0, "t_cell.influx_gain": 0}
NO_NK = {"nk_cell.initial_density": 0, "nk_cell.base_influx": 0, "nk_cell.influx_gain": 0}


def run(model: TumorModel, days: float) -> TumorModel:
    return model.run(days, progress=False, snapshot_every=0)


# ---------------------------------------------------------------- 1. immunoediting


def test_three_antigenicities_have_three_fates():
    found = [arms("immunoediting", seed) for seed in SEEDS]
    high = np.mean([burden(arm["high"])[-1] == 0 for arm in found])
    low = np.mean([burden(arm["low"])[-1] == 0 for arm in found])
    print("eliminated: high", high, "low", low)
    assert high >= 0.8, f"high antigenicity is eliminated in {high:.0%} of seeds"
    assert low <= 0.1, f"low antigenicity is eliminated in {low:.0%} of seeds"
    middle = [burden(arm["control"])[: 21 * 4 + 1] for arm in found]
    held = np.mean([cells.min() >= 50 and cells.max() <= 1000 and cells.max() < 0.4 * 121 * 121 for cells in middle])
    print("middle held:", held)
    assert held >= 0.5, f"the middle stays between 0.1 and 2 times its start for 21 days in {held:.0%} of seeds"


def test_without_lytic_hits_nothing_is_eliminated():
    left = [burden(arms("immunoediting", seed, set={"t_cell.kill_rate": 0})["high"])[-1] for seed in FEW]
    assert min(left) > 500, f"T cells that do not hit leave {left} cells of a well-seen tumour"


def test_a_held_tumor_grows_when_its_t_cells_are_deleted():
    grown, advantage = [], []
    for seed in SEEDS:
        dim = {"tumor.antigen": 0.21, "t_cell.influx_gain": 10}
        model = run(TumorModel(**MOUSE, seed=seed, overrides=dim), 10)
        freed = model.fork()
        freed.kill(np.flatnonzero(freed.rows("t_cell")))
        freed.parameters.update(NO_T)
        end = run(freed, 11).count("tumor_cell")
        grown.append(end / model.count("tumor_cell"))
        advantage.append(math.log(end / (run(model.fork(), 11).count("tumor_cell") + 1)))
    print("without T cells, fold in 11 days:", np.round(grown, 1), "ln of without over with:", np.round(advantage, 1))
    assert min(grown) > 2, f"without its T cells the held tumour grows {np.round(grown, 1)}-fold in 11 days"
    assert np.mean(advantage) > 3 * standard_error(advantage), f"ln of without over with: {np.round(advantage, 1)}"


# ---------------------------------------------------------------- 2. selection


def ln_antigen_after(births: int, seed: int, overrides: dict) -> float:
    """Change of mean ln antigen when the tumour has had so many births."""
    overrides = {"tumor.antigen": 0.22, "tumor.antigen_spread": 0.5, **overrides}
    model = run(TumorModel(**MOUSE, seed=seed, overrides=overrides), 42)
    table = model.results.timeseries
    at = int(np.searchsorted(table["births"].to_numpy(), births))
    assert at < len(table), f"seed {seed} had only {table['births'].iloc[-1]} births"
    return table["mean_ln_antigen"].iloc[at] - table["mean_ln_antigen"].iloc[0]


def test_attack_selects_for_low_antigen_and_growth_alone_does_not():
    births = 3000
    attacked = [ln_antigen_after(births, seed, NO_NK) for seed in SEEDS]
    alone = [ln_antigen_after(births, seed, {**NO_T, **NO_NK}) for seed in SEEDS]
    print("ln antigen: alone", np.round(alone, 2), "attacked", np.round(attacked, 2))
    assert abs(np.mean(alone)) < 0.15, f"without attack ln antigen moves by {np.mean(alone):.2f}"
    assert np.mean(attacked) < -0.5, f"under attack by {np.mean(attacked):.2f} +- {standard_error(attacked):.2f}"


def test_attack_that_sees_all_cells_alike_does_not_select():
    blind = {**NO_NK, "t_cell.half_antigen": 0.001, "t_cell.kill_rate": 0.7}
    moved = [ln_antigen_after(1500, seed, blind) for seed in FEW]
    assert abs(np.mean(moved)) < 0.3, f"T cells that see dim and bright alike move ln antigen by {np.mean(moved):.2f}"


def test_car_t_cells_clear_most_and_the_target_low_inherit():
    deep, back, shift = [], [], []
    for seed in SEEDS:
        arm = arms("car_t_antigen_escape", seed, days=42)
        cells, control = burden(arm["car_t"]), last(arm["control"], "mean_car_target")
        deep.append(cells.min() / cells[0])
        if cells.min() > 0:
            back.append(cells[-1] / cells.min())
            shift.append(math.log((last(arm["car_t"], "mean_car_target") + 1e-3) / control))
    print("nadir", np.round(deep, 4), "relapse, fold", np.round(back, 1), "ln target", np.round(shift, 2))
    assert np.median(deep) < 0.1, f"deepest response: {np.round(deep, 3)} of the start"
    assert len(back) >= 6 and np.median(back) > 5, f"relapse: {np.round(back, 1)} times the nadir"
    assert np.mean(shift) < -2 * standard_error(shift) and np.median(shift) < -0.4, f"ln target: {np.round(shift, 2)}"


# ---------------------------------------------------------------- 3. checkpoint


def test_blockade_controls_an_inflamed_tumor_and_not_a_cold_one():
    hot = [ln_ratio(a["pembrolizumab"], a["control"]) for a in (arms("checkpoint_blockade", s) for s in SEEDS)]
    cold = [ln_ratio(a["pembrolizumab"], a["control"]) for a in (arms("cold_tumor", s) for s in SEEDS)]
    print("ln ratio: inflamed", np.round(hot, 2), "cold", np.round(cold, 3))
    below_half = np.mean(np.array(hot) < math.log(0.5))
    assert below_half >= 0.8, f"treated below half of control on {below_half:.0%} of seeds"
    assert abs(np.median(cold)) < 0.1, f"cold: median paired ln ratio {np.median(cold):.3f}"
    assert abs(np.median(cold)) < 0.1 * abs(np.median(hot)), f"cold {np.median(cold):.3f}, inflamed {np.median(hot):.2f}"


def test_without_the_brake_there_is_nothing_to_release():
    for seed in FEW:
        arm = arms("checkpoint_blockade", seed, days=14, set={"checkpoint.brake": 0, "checkpoint.exhaustion_gain": 0})
        assert np.array_equal(burden(arm["pembrolizumab"]), burden(arm["control"])), "the drug acts without its receptor"


# ---------------------------------------------------------------- 4. missing self


def test_nk_cells_keep_mhc_low_cells_down():
    low = {"control": [], "no_nk": []}
    mhc = []
    for seed in SEEDS:
        found = arms("missing_self", seed)
        for arm in low:
            low[arm].append(np.nan_to_num(last(found[arm], "mhc_low_share")) * burden(found[arm])[-1])
        mhc.append(np.log1p(low["no_nk"][-1]) - np.log1p(low["control"][-1]))
        share = last(found["no_nk"], "mhc_low_share")
        assert share > 0.1 or burden(found["no_nk"])[-1] == 0, f"without NK cells {share:.0%} are MHC-low"
    print("MHC-low cells", {arm: np.round(cells).tolist() for arm, cells in low.items()})
    assert np.mean(mhc) > 3 * standard_error(mhc), f"MHC-low cells, ln without over with NK cells: {np.round(mhc, 1)}"


def test_without_t_cells_nobody_breeds_mhc_low_cells():
    for seed in FEW:
        found = arms("missing_self", seed, days=28, set=NO_T)["no_nk"]
        assert last(found, "mhc_low_share") < 0.1, "MHC-low cells spread without T-cell pressure"


def effect_of_nk_alone(seed: int, overrides: dict) -> float:
    """ln of tumour cells with NK cells over without, no T cells about."""
    many = {"nk_cell.initial_density": 15, "nk_cell.base_influx": 3, "nk_cell.influx_gain": 4}
    alone = run(TumorModel(**MOUSE, seed=seed, overrides={**NO_T, **many, **overrides}), 21).count("tumor_cell")
    none = run(TumorModel(**MOUSE, seed=seed, overrides={**NO_T, **NO_NK, **overrides}), 21).count("tumor_cell")
    return math.log((alone + 1) / (none + 1))


def test_nk_cells_alone_spare_mhc_normal_tumors():
    normal = [effect_of_nk_alone(seed, {"tumor.mhc_loss": 0, "tumor.mhc_halving": 0}) for seed in SEEDS]
    low = [effect_of_nk_alone(seed, {"tumor.mhc": 0.05}) for seed in SEEDS]
    more = np.subtract(normal, low)
    print("ln with NK cells over without: MHC-normal", np.round(normal, 2), "MHC-low", np.round(low, 2))
    assert np.mean(normal) > -0.1, f"MHC-normal: ln ratio {np.mean(normal):.2f} +- {standard_error(normal):.2f}"
    assert np.mean(more) > 5 * standard_error(more), f"MHC-low against MHC-normal: {np.round(more, 2)}"
    assert np.mean(low) < -0.2, f"MHC-low: ln ratio {np.mean(low):.2f} +- {standard_error(low):.2f}"


# ---------------------------------------------------------------- 7. rates in vivo


def test_kills_per_day_beside_a_recognised_cell():
    rates = []
    for seed in SEEDS:
        model = TumorModel("melanoma", shape=(121, 121), seed=seed)
        model.grow(2000, max_days=60, immune_cells=False)
        beside = 0.0
        for _ in range(24 * 4):
            model.step()
            sites = model.cells["site"][model.rows("t_cell")]
            around = model.lattice.occupant[sites[:, None] + model.lattice.space.offsets]
            seen = np.where(around >= 0, model.cells.seen[0, np.maximum(around, 0)], 0.0)
            beside += np.count_nonzero((seen > 0.5).any(axis=1)) / 24
        rates.append(model.measures["kills_by_t"] / beside)
    print("kills per T cell and day", np.round(rates, 2))
    assert 2 <= np.mean(rates) <= 16, f"kills per T cell and day beside a recognised cell: {np.round(rates, 1)}"
