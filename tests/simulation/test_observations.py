"""What must be observable, over paired seeds; every observation is also made with its mechanism switched off.

``pytest -m slow -rP tests/simulation/test_observations.py`` prints the numbers.
"""

import math

import numpy as np
import pytest
from scipy.stats import norm

from simulation import Process, Results, TumorModel
from simulation.readouts.response import phase

from ..trials import arms, burden, last, ln_ratio, standard_error

SEEDS = range(1, 11)
FEW = range(1, 4)
pytestmark = pytest.mark.slow

MOUSE = {"parameters": "mouse_b16", "shape": (121, 121), "tumor_cells": 500}
NO_T = {"t_cell.initial_density": 0, "t_cell.base_influx": 0, "t_cell.influx_gain": 0}
NO_NK = {"nk_cell.initial_density": 0, "nk_cell.base_influx": 0, "nk_cell.influx_gain": 0}


def run(model: TumorModel, days: float) -> TumorModel:
    return model.run(days, progress=False, snapshot_every=0)


# ---------------------------------------------------------------- 1. immunoediting


@pytest.fixture(scope="module")
def edited() -> list[dict[str, Results]]:
    """Every arm of the scenario on all of its 28 days, seed by seed."""
    return [arms("immunoediting", seed) for seed in SEEDS]


def phases(found: list[dict[str, Results]], arm: str) -> list[str]:
    return [phase(each[arm].timeseries) for each in found]


def test_a_tumor_seen_well_is_eliminated_and_one_hardly_seen_escapes(edited):
    high, low = phases(edited, "high"), phases(edited, "low")
    print("high", high, "low", low)
    assert high.count("elimination") >= 8, f"high antigenicity: {high}"
    assert low.count("escape") >= 9, f"low antigenicity: {low}"


def test_one_seen_dimly_is_pushed_back_for_weeks(edited):
    """Neither gone nor as if nobody had come: below its start for a week or more, far below its dim twin throughout."""
    middle = [burden(each["control"]) for each in edited]
    below = [np.count_nonzero(cells < cells[0]) / 4 for cells in middle]
    fewer = [
        math.log((burden(each["control"])[84] + 1) / (burden(each["low"])[84] + 1))
        for each in edited
    ]
    print(
        "days below the start",
        below,
        "nadir",
        [int(cells.min()) for cells in middle],
        "ln over low",
        np.round(fewer, 2),
    )
    assert sum(cells.min() > 0 for cells in middle) >= 8, "it is not eliminated"
    assert np.mean(below) > 7 + 3 * standard_error(below), f"days below its start: {below}"
    assert -4 < np.mean(fewer) < -1 - 3 * standard_error(fewer), (
        f"ln of its cells over those of the low one on day 21: {fewer}"
    )


@pytest.mark.xfail(
    strict=True,
    reason="cells that show less antigen are selected and grow back from the second week on, "
    "and nothing new learns to see them: phase() of all 28 days says escape",
)
def test_one_seen_dimly_is_in_equilibrium_at_the_end(edited):
    found = phases(edited, "control")
    assert found.count("equilibrium") >= 5, f"the middle after all 28 days: {found}"


def test_it_is_selection_by_antigen_that_lets_the_dim_one_escape(edited):
    """The same tumour in which all cells show, and keep, the same antigen never escapes."""
    alike = {
        "tumor.antigen": 0.21,
        "t_cell.influx_gain": 10,
        "tumor.antigen_spread": 0,
        "tumor.mutation_spread": 0,
        "tumor.antigen_loss": 0,
    }
    uniform = [run(TumorModel(**MOUSE, seed=seed, overrides=alike), 28).results for seed in FEW]
    found = [phase(each.timeseries) for each in uniform]
    more = [ln_ratio(each["control"], one) for each, one in zip(edited, uniform, strict=False)]
    print("alike", found, "ln of differing over alike", np.round(more, 2))
    assert "escape" not in found and np.mean(more) > 3 * standard_error(more), (
        f"alike: {found}, ln of the others over it {more}"
    )


def test_without_lytic_hits_nothing_is_eliminated():
    found = [arms("immunoediting", seed, set={"t_cell.kill_rate": 0}) for seed in FEW]
    assert phases(found, "high") == ["escape"] * len(FEW), phases(found, "high")
    assert [last(each["high"], "kills_by_t") for each in found] == [0] * len(FEW)


def freed(seed: int, **after) -> tuple[float, float]:
    """A tumour under attack loses its T cells on day 10: its growth in 11 days, and ln of it over that with T cells."""
    dim = {"tumor.antigen": 0.21, "t_cell.influx_gain": 10}
    model = run(TumorModel(**MOUSE, seed=seed, overrides=dim), 10).fork()
    model.parameters.update({name.replace("__", "."): value for name, value in after.items()})
    alone, attacked = model.fork(), model.fork()
    alone.kill(np.flatnonzero(alone.rows("t_cell")))
    alone.parameters.update(NO_T)
    ends = [run(each, 11).count("tumor_cell") for each in (alone, attacked)]
    return ends[0] / model.count("tumor_cell"), math.log((ends[0] + 1) / (ends[1] + 1))


def test_a_tumor_under_attack_grows_when_its_t_cells_are_deleted():
    grown, advantage = np.transpose([freed(seed) for seed in SEEDS])
    print(
        "without T cells, fold in 11 days:",
        np.round(grown, 1),
        "ln of without over with:",
        np.round(advantage, 1),
    )
    most = math.exp((0.69 - 0.10) * 11)  # with room and oxygen in plenty
    assert 2 < min(grown) and max(grown) < most, (
        f"without its T cells the tumour grows {np.round(grown, 1)}-fold in 11 days"
    )
    assert 3 * standard_error(advantage) < np.mean(advantage) < math.log(most), (
        f"ln without over with: {np.round(advantage, 1)}"
    )
    harmless = [freed(seed, t_cell__kill_rate=0)[1] for seed in FEW]
    print("where T cells do not hit, ln of without over with:", np.round(harmless, 2))
    assert np.abs(harmless).max() < 0.2, (
        f"deleting T cells that do not hit: ln of without over with {np.round(harmless, 2)}"
    )


# ---------------------------------------------------------------- 2. selection


def ln_antigen_after(births: int, seed: int, overrides: dict) -> tuple[float, int]:
    """Change of mean ln antigen when the tumour has had so many births, and kills by T cells until then."""
    overrides = {"tumor.antigen": 0.22, "tumor.antigen_spread": 0.5, **overrides}
    model = run(TumorModel(**MOUSE, seed=seed, overrides=overrides), 42)
    table = model.results.timeseries
    at = int(np.searchsorted(table["births"].to_numpy(), births))
    assert at < len(table), f"seed {seed} had only {table['births'].iloc[-1]} births"
    return table["mean_ln_antigen"].iloc[at] - table["mean_ln_antigen"].iloc[0], int(
        table["kills_by_t"].iloc[at]
    )


def test_attack_selects_for_low_antigen_and_growth_alone_does_not():
    births = 3000
    attacked = [ln_antigen_after(births, seed, NO_NK)[0] for seed in SEEDS]
    alone = [ln_antigen_after(births, seed, {**NO_T, **NO_NK})[0] for seed in SEEDS]
    print("ln antigen: alone", np.round(alone, 2), "attacked", np.round(attacked, 2))
    error = standard_error(alone)
    assert error < 0.05 and abs(np.mean(alone)) < 3 * error, (
        f"without attack it moves by {np.mean(alone):.3f} +- {error:.3f}"
    )
    moved, error = np.mean(attacked), standard_error(attacked)
    assert -1.5 < moved < -0.5 - 3 * error, (
        f"under attack ln antigen moves by {moved:.2f} +- {error:.2f}"
    )


def test_attack_that_sees_all_cells_alike_does_not_select():
    """As many cells are killed, or more, and what is left is no dimmer."""
    blind = {**NO_NK, "t_cell.half_antigen": 0.001, "t_cell.kill_rate": 0.7}
    (unmoved, killed), (moved, fewer) = (
        np.transpose([ln_antigen_after(1500, seed, overrides) for seed in SEEDS])
        for overrides in (blind, NO_NK)
    )
    print(
        "ln antigen: alike",
        np.round(unmoved, 2),
        "as they see",
        np.round(moved, 2),
        "kills",
        killed,
        fewer,
    )
    assert killed.min() > 300, f"T cells that see all alike kill {killed}"
    error = standard_error(unmoved)
    assert abs(np.mean(unmoved)) < 0.15 and error < 0.05, (
        f"they move ln antigen by {np.mean(unmoved):.3f} +- {error:.3f}"
    )
    more = np.subtract(unmoved, moved)
    assert np.mean(more) > 3 * standard_error(more), (
        f"against T cells that see what is shown: {np.round(more, 2)}"
    )


def draw_target_anew(model: TumorModel) -> None:
    """Whoever has just divided draws its CAR target as cells of the start did: nothing is inherited."""
    cells, tumor = model.cells, model.parameters.tumor
    born = cells["born"] == model.clock + 1
    both = np.flatnonzero(
        model.rows("tumor_cell") & (born | np.isin(cells["name"], cells["mother"][born]))
    )
    share, negative = (
        model.randomness.uniform(f"anew.{of}", model.clock, cells["name"][both])
        for of in ("target", "loss")
    )
    spread = tumor.car_target_spread
    drawn = tumor.car_target * np.exp(
        spread * norm.ppf(np.clip(share, 1e-9, 1 - 1e-9)) - spread**2 / 2
    )
    cells["car_target"][both] = np.where(negative < tumor.car_target_negative_share, 0.0, drawn)


ANEW = Process("draw_target_anew", after="divide", run=draw_target_anew)
UNSEEN = {"tumor.car_target_negative_share": 0, "tumor.car_target_loss": 0}


def under_car_t(seed: int, overrides: dict, *processes: Process) -> Results:
    """The scenario of escape from CAR T cells on a small patch, four weeks, without a control."""
    few = {
        "tumor.initial_cells": 400,
        "tumor.car_target_spread": 0.8,
        "tumor.car_target_negative_share": 0.02,
        "t_cell.initial_density": 1,
        "t_cell.base_influx": 0.1,
        "t_cell.influx_gain": 0.3,
        **overrides,
    }
    model = TumorModel("melanoma", shape=(81, 81), seed=seed, overrides=few)
    treated = model.grow(1200, max_days=60).fork([{"drug": "car_t", "trafficking": 0.3}])
    for process in processes:
        treated.add_process(process)
    return run(treated, 28).results


def relapse(seeds, overrides, *processes) -> np.ndarray:
    """ln of tumour cells four weeks after CAR T cells, seed by seed."""
    return np.array(
        [math.log(burden(under_car_t(seed, overrides, *processes))[-1] + 1) for seed in seeds]
    )


def test_relapse_after_car_t_cells_needs_heredity():
    """Daughters that draw their target anew are seen again, and the tumour that would come back is cleared."""
    seeds = FEW
    back, cleared = relapse(seeds, {}), relapse(seeds, {}, ANEW)
    more = back - cleared
    print("ln cells: inherited", np.round(back, 1), "drawn anew", np.round(cleared, 1))
    assert min(back) > math.log(100) and np.mean(more) > 3 * standard_error(more), (
        f"inherited {back}, drawn anew {cleared}"
    )


def test_dim_cells_escape_because_what_suffices_for_lysis_does_not_feed_expansion():
    """Where every cell has some target, dim ones are killed but feed no expansion; with one gate they feed it and are cleared."""
    dim = {**UNSEEN, "tumor.car_target": 0.1}
    two, one = (
        [under_car_t(seed, {**dim, **gate}) for seed in FEW]
        for gate in ({}, {"car_t_cell.half_drive": 0.03})
    )
    peaks = [
        math.log(fed["car_t_cells"].max() / unfed["car_t_cells"].max())
        for fed, unfed in zip(
            (each.timeseries for each in one), (each.timeseries for each in two), strict=True
        )
    ]
    left = [[int(burden(each)[-1]) for each in gates] for gates in (two, one)]
    print("ln of CAR T peaks, one gate over two", np.round(peaks, 2), "cells left", left)
    assert math.log(1.5) + 3 * standard_error(peaks) < np.mean(peaks) < math.log(10), (
        f"ln of CAR T peaks: {np.round(peaks, 2)}"
    )
    assert max(left[1]) == 0 and max(left[0]) > 100, (
        f"cells left with two gates and with one: {left}"
    )


# ---------------------------------------------------------------- 3. checkpoint


def blockade(seed: int, **after) -> tuple[Results, Results]:
    """A small tumour grown under its brake, then five days without and with a PD-1 antibody; ``after`` holds from day 0."""
    inflamed = {
        "tumor.pdl1": 2,
        "tumor.initial_cells": 400,
        "checkpoint.brake": 0.5,
        "t_cell.base_influx": 1.5,
        "t_cell.influx_gain": 6,
    }
    model = TumorModel("melanoma", shape=(101, 101), seed=seed, overrides=inflamed).grow(
        1200, max_days=60
    )
    model.parameters.update({name.replace("__", "."): value for name, value in after.items()})
    control, treated = (run(model.fork(given), 5).results for given in ((), ["pembrolizumab"]))
    return control, treated


def test_without_the_brake_there_is_nothing_to_release():
    """Released at day 0, a tumour that T cells attack has the same course with the drug, row by row; braked, it has not."""
    effects = []
    for seed in FEW:
        control, treated = blockade(seed, checkpoint__brake=0, checkpoint__exhaustion_gain=0)
        assert burden(control)[:9].min() > 100 and last(control, "kills_by_t") > 500, (
            "there is a tumour, and it is attacked"
        )
        assert treated.timeseries.equals(control.timeseries), "the drug acts without its receptor"
        control, treated = blockade(seed)
        effects.append(ln_ratio(treated, control))
    print("ln ratio with the brake, day 5", np.round(effects, 2))
    assert -4 < np.mean(effects) < -3 * standard_error(effects), (
        f"with the brake: ln ratio {np.round(effects, 2)}"
    )


# ---------------------------------------------------------------- 4. missing self


def test_without_t_cells_nobody_breeds_mhc_low_cells():
    pressed, left = (
        [
            last(arms("missing_self", seed, days=28, set=given)["no_nk"], "mhc_low_share")
            for seed in FEW
        ]
        for given in ({}, NO_T)
    )
    more = np.subtract(pressed, left)
    print("MHC-low share: under T cells", np.round(pressed, 3), "without", np.round(left, 3))
    assert 0 < min(left) and max(left) < 0.1, (
        f"without T cells some are lost by chance and do not spread: {np.round(left, 3)}"
    )
    assert np.mean(more) > 3 * standard_error(more), (
        f"share under T cells less that without: {np.round(more, 3)}"
    )


def effect_of_nk_alone(seed: int, overrides: dict) -> float:
    """ln of tumour cells with NK cells over without, no T cells about."""
    many = {"nk_cell.initial_density": 15, "nk_cell.base_influx": 3, "nk_cell.influx_gain": 4}
    alone = run(TumorModel(**MOUSE, seed=seed, overrides={**NO_T, **many, **overrides}), 21).count(
        "tumor_cell"
    )
    none = run(TumorModel(**MOUSE, seed=seed, overrides={**NO_T, **NO_NK, **overrides}), 21).count(
        "tumor_cell"
    )
    return math.log((alone + 1) / (none + 1))


NORMAL = {"tumor.mhc_loss": 0, "tumor.mhc_halving": 0}
LOW = {"tumor.mhc": 0.05}


@pytest.mark.xfail(
    strict=True,
    reason="NK cells inflate tumours by 15 to 25 %: exchange of places (squeeze) loosens the packed "
    "tumour, and cells beside the gaps divide",
)
def test_nk_cells_alone_leave_mhc_normal_tumors_as_they_are():
    normal = [effect_of_nk_alone(seed, NORMAL) for seed in FEW]
    error = standard_error(normal)
    assert abs(np.mean(normal)) < 0.05 + 3 * error, (
        f"MHC-normal: ln ratio {np.mean(normal):.3f} +- {error:.3f}"
    )


def test_nk_cells_that_cannot_change_places_leave_mhc_normal_tumors_as_they_are():
    """What inflates tumours is the exchange of places: without it, the effect is within 5 %, hits or no hits."""
    normal = [effect_of_nk_alone(seed, {**NORMAL, "nk_cell.squeeze": 0}) for seed in FEW]
    error = standard_error(normal)
    assert abs(np.mean(normal)) + 3 * error < 0.06, (
        f"MHC-normal: ln ratio {np.mean(normal):.3f} +- {error:.3f}"
    )


def test_nk_cells_kill_what_lacks_mhc_and_spare_what_shows_it():
    effects = {
        name: np.array([effect_of_nk_alone(seed, overrides) for seed in FEW])
        for name, overrides in {
            "low": LOW,
            "normal": NORMAL,
            "low, no hits": {**LOW, "nk_cell.kill_rate": 0},
            "normal, not inhibited": {**NORMAL, "nk_cell.half_mhc": 1},
        }.items()
    }
    print(
        "ln with NK cells over without:",
        {name: np.round(found, 2).tolist() for name, found in effects.items()},
    )
    for name, spared in (
        ("low", "normal"),
        ("low", "low, no hits"),
        ("normal, not inhibited", "normal"),
    ):
        less = effects[name] - effects[spared]
        assert np.mean(less) < -3 * standard_error(less), (
            f"{name} against {spared}: ln ratio {np.round(less, 2)}"
        )
    assert -1.5 < np.mean(effects["low"]) < -0.2, f"MHC-low: ln ratio {np.round(effects['low'], 2)}"


# ---------------------------------------------------------------- 7. rates in vivo


def kills_per_day(seed: int, **overrides) -> float:
    """Kills per T cell and day beside a recognised cell, in the first four days of an attack on a grown tumour."""
    model = TumorModel(
        "melanoma",
        shape=(121, 121),
        seed=seed,
        overrides={name.replace("__", "."): value for name, value in overrides.items()},
    )
    model.grow(2000, max_days=60, immune_cells=False)
    beside = 0.0
    for _ in range(24 * 4):
        model.step()
        sites = model.cells["site"][model.rows("t_cell")]
        around = model.lattice.occupant[sites[:, None] + model.lattice.space.offsets]
        seen = np.where(around >= 0, model.cells.seen[0, np.maximum(around, 0)], 0.0)
        beside += np.count_nonzero((seen > 0.5).any(axis=1)) / 24
    return model.measures["kills_by_t"] / beside


def test_kills_per_day_beside_a_recognised_cell():
    rates = [kills_per_day(seed) for seed in SEEDS]
    error = standard_error(rates)
    print("kills per T cell and day", np.round(rates, 2))
    assert 2 + 3 * error < np.mean(rates) < 16 - 3 * error, (
        f"kills per T cell and day: {np.round(rates, 1)}"
    )


@pytest.mark.parametrize("changed", [{"t_cell__kill_rate": 0.5}, {"tumor__lethal_hits": 1}])
def test_slow_hits_or_hits_that_need_no_company_leave_the_rates_in_vivo(changed):
    rate = kills_per_day(1, **changed)
    print("kills per T cell and day with", changed, round(rate, 2))
    assert not 1 < rate < 24, f"{changed}: {rate:.1f} kills per T cell and day, as in vivo"
