"""Suppressors lend their PD-L1 to the cells beside them."""

import dataclasses

import numpy as np
import pytest

from simulation import TumorModel, check_cell_kind
from simulation.kernels.suppression import feel
from tests.dish import dish, grid, sow
from tests.simulation.kinds.macrophage import MACROPHAGE
from tests.simulation.test_reproducibility import steps

STRONG = {
    "t_cell.engage_rate": 60,
    "t_cell.kill_rate": 4,
    "t_cell.exhaustion_rate": 3,
    "tumor.lethal_hits": 3,
    "tumor.pdl1_induced": 0,
    "checkpoint.brake": 0.6,
}
STILL = dataclasses.replace(MACROPHAGE, rates={}, motile=False)
POWERLESS = dataclasses.replace(STILL, suppressor=False)


def test_the_kind_keeps_all_promises():
    assert check_cell_kind(MACROPHAGE)


def held(own, beside, kind=STILL, far=False, treatments=(), hours=4, shape=(60, 60)):
    """T cells by name, after hours beside tumour cells that show ``own`` PD-L1 and macrophages that show ``beside``."""
    places = grid(shape, 6, margin=1)
    model = dish(shape, 3, STRONG, cell_kinds=[kind], treatments=treatments)
    sow(model, "tumor_cell", places)
    sow(model, "t_cell", places + (0, 1))
    sow(model, "macrophage", places + ((0, 3) if far else (0, 2)))
    for name, level in (("tumor_cell", own), ("macrophage", beside)):
        model.cells["pdl1"][model.rows(name)] = level
    steps(model, hours)
    rows = np.flatnonzero(model.rows("t_cell"))
    rows = rows[np.argsort(model.cells["name"][rows])]
    columns = ("braked", "kills", "exhaustion", "stimulation")
    return {name: model.cells[name][rows].tolist() for name in columns}


def test_an_attacker_feels_the_larger_of_its_target_and_the_suppressors_beside_it():
    """To the last bit, T cells fare as if their target showed the larger PD-L1: hits lost, kills, exhaustion."""
    alone = {level: held(level, 0.0, kind=POWERLESS) for level in (0.0, 0.3, 1.0)}
    assert sum(alone[1.0]["braked"]) > 20 and sum(alone[0.0]["braked"]) == 0
    assert np.mean(alone[1.0]["exhaustion"]) > 1.1 * np.mean(alone[0.0]["exhaustion"])
    assert held(0.0, 1.0) == held(0.3, 1.0) == held(1.0, 0.3) == held(1.0, 0.0) == alone[1.0]
    assert held(0.3, 0.0) == alone[0.3]
    assert held(0.3, 1.0, kind=POWERLESS) == alone[0.3], "others that show it lend nothing"
    assert held(0.3, 1.0, far=True) == alone[0.3], "nor who is two sites away"


def test_it_acts_on_exhaustion_and_on_the_brake_each_by_itself():
    """Without a brake on hits there is no exhaustion by PD-L1 either, and with it both follow what is felt."""
    felt, free = held(0.0, 1.0), held(0.0, 0.0)
    assert sum(felt["kills"]) < 0.8 * sum(free["kills"])
    braked, never = np.array(felt["braked"]) > 0, np.array(felt["braked"]) == 0
    assert braked.any() and never.any()
    tired = np.array(felt["exhaustion"])[never] - np.array(free["exhaustion"])[never]
    assert np.median(tired) > 0, "also those who lost no hit tire faster"


@pytest.mark.parametrize("shape", [(12, 13), (6, 7, 5)])
def test_what_is_felt_is_the_maximum_over_all_suppressors_beside_a_cell(shape):
    """Looked up cell by cell through Mesa agents, in a crowd where many have several beside them; nothing of before is left."""
    model = TumorModel(shape=shape, seed=2, tumor_cells=60, cell_kinds=[STILL], immune_cells=False)
    for level in np.linspace(2.0, 0.1, 25):
        STILL.agent(model, pdl1=level)
    model.sense()
    cells, suppressors = model.cells, np.flatnonzero(model.rows("macrophage")).astype(np.int32)
    felt = np.full(cells.rows, 9.0)
    feel.py_func(cells.view(), model.lattice.space, suppressors, felt)
    several = 0
    for row in np.flatnonzero(cells.alive):
        beside = [
            each.pdl1_shown
            for each in model.agent(int(cells["name"][row])).neighbors()
            if each.kind == "macrophage"
        ]
        assert felt[row] == max(beside, default=0.0)
        several += len(beside) > 1
    assert several > 20


@pytest.mark.parametrize("drug", ["atezolizumab", "pembrolizumab"])
def test_antibodies_to_pd1_and_pdl1_act_on_suppressors_by_themselves(drug):
    shielded, treated = held(0.0, 2.0), held(0.0, 2.0, treatments=[drug])
    assert sum(treated["braked"]) < 0.5 * sum(shielded["braked"]) and sum(treated["braked"]) > 0
    assert sum(treated["kills"]) > 1.1 * sum(shielded["kills"])
    assert treated == held(2.0, 0.0, treatments=[drug])


def test_macrophages_shield_a_tumour_by_their_pdl1_and_not_by_their_presence():
    """In a tissue attacked for four days, kills by T cells fall where macrophages lend PD-L1, in each of four pairs."""
    kills = {}
    for name, kind in (
        ("lent", MACROPHAGE),
        ("kept", dataclasses.replace(MACROPHAGE, suppressor=False)),
    ):
        for seed in range(4):
            model = TumorModel(
                shape=(41, 41),
                seed=seed,
                tumor_cells=500,
                cell_kinds=[dataclasses.replace(kind, initial_density=1500)],
                overrides={
                    "t_cell.initial_density": 600,
                    "tumor.pdl1": 0,
                    "tumor.pdl1_induced": 0,
                    "checkpoint.brake": 0.8,
                },
            )
            steps(model, 96)
            kills[name, seed] = model.counters["kills"][model.kinds.index("t_cell")].sum()
    ratios = [kills["lent", seed] / kills["kept", seed] for seed in range(4)]
    assert max(ratios) < 0.97 and min(ratios) > 0.3, ratios


def test_in_liquid_nobody_is_beside():
    runs = []
    for kind in (STILL, POWERLESS):
        model = dish((20, 20), 3, STRONG, cell_kinds=[kind], liquid=True)
        sow(model, "tumor_cell", grid((20, 20), 4))
        sow(model, "t_cell", grid((20, 20), 4) + (0, 1))
        sow(model, "macrophage", grid((20, 20), 4) + (0, 2))
        steps(model, 6)
        runs.append([model.cells[name].tolist() for name in ("braked", "kills", "exhaustion")])
    assert runs[0] == runs[1]
