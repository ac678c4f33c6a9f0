"""Antibodies cover surface molecules, hide them from CARs, and coat cells for who holds on to Fc."""

import dataclasses

import numpy as np
import pytest

from simulation import CellKind, Trait, Treatment, TumorModel, check_treatment
from simulation.kinds.kind import KindError
from simulation.rules import RuleError
from simulation.testing.witness import differences
from tests.dish import dish, grid, sow
from tests.simulation.kinds.macrophage import MACROPHAGE, Macrophage, Opsonin
from tests.simulation.test_reproducibility import steps

MOST = 0.85


def test_the_antibody_keeps_all_promises():
    assert check_treatment(Opsonin)


class Covers(Treatment):
    """Covers what its test says."""

    def __init__(self, receptor="car_target", strength=1.0, fc=0.0, **more):
        super().__init__(**more)
        self.receptor, self.strength, self.fc = receptor, strength, fc

    def modify(self, rules, model):
        """As told."""
        rules.occupy(self.receptor, self.strength, fc=self.fc)


def tissue(*treatments, **more):
    settings = {"shape": (41, 41), "seed": 3, "tumor_cells": 300} | more
    return TumorModel(treatments=treatments, **settings)


def test_macrophages_eat_coated_cells_and_no_others():
    """In two days some 20 cells fall where an antibody with Fc coats; none without Fc, without antibody, or without target."""
    dense = dataclasses.replace(MACROPHAGE, initial_density=800)
    quiet = {"nk_cell.initial_density": 0, "nk_cell.base_influx": 0, "t_cell.initial_density": 0}
    eaten = {}
    for name, drugs, negative in (
        ("coated", [Opsonin], 0.4),
        ("without Fc", [Opsonin(fc=0)], 0.4),
        ("nobody", [], 0.4),
        ("negative", [Opsonin], 1.0),
    ):
        given = {**quiet, "tumor.car_target_negative_share": negative, "tumor.car_target_loss": 0}
        model = tissue(*drugs, cell_kinds=[dense], overrides=given)
        steps(model, 48)
        eaten[name] = model.counters["kills"][model.kinds.index("macrophage")].sum()
        shown = model.cells["car_target"][model.rows("tumor_cell")]
        if name == "coated":
            share = np.mean(shown == 0)
    assert eaten["without Fc"] == eaten["nobody"] == eaten["negative"] == 0
    assert 8 < eaten["coated"] < 120
    assert 0.4 < share < 0.75, "cells without the target are left"


def test_the_coat_is_the_level_times_the_share_that_bears_fc():
    """S = 2 with Fc and 3 without: free 1 - 0.85 5/6, coated 0.85 2/6 of every cell's level; PD-L1 as it is shown."""
    drugs = [Covers(strength=2.0, fc=1.0, name="a"), Covers(strength=3.0, name="b")]
    model = steps(tissue(*drugs, Covers("pdl1", 1.0, 0.5, name="c")), 1)
    assert model.rules.free("car_target") == pytest.approx(1 - MOST * 5 / 6)
    assert model.rules.coating("car_target") == pytest.approx(MOST * 2 / 6)
    assert model.rates.free.pdl1 == pytest.approx(1 - MOST / 2)
    model.sense()
    cells, rows = model.cells, model.cells.alive
    expected = cells["car_target"] * MOST * 2 / 6 + cells["pdl1_shown"] * MOST * 0.5 / 2
    assert cells["coat"][rows] == pytest.approx(expected[rows], rel=1e-12)
    assert cells["coat"][model.rows("t_cell")].max() == 0


def test_nk_cells_see_a_coat_beside_missing_self():
    """1 - (1 - missing self)(1 - c^2 / (0.3^2 + c^2)); cells without coat score as before, to the bit."""
    plain = tissue(overrides={"tumor.car_target_negative_share": 0.3})
    coated = plain.fork([Covers(strength=1.0, fc=1.0)])
    for model in (plain, coated):
        model.treat(), model.sense()
    at = [recognition.name for recognition in plain.kinds.recognitions].index("missing_self")
    rows = plain.cells.alive
    before, after = (model.cells.seen[at, : model.cells.rows][rows] for model in (plain, coated))
    coat = coated.cells["coat"][rows]
    assert after == pytest.approx(1 - (1 - before) * (1 - coat**2 / (0.3**2 + coat**2)), rel=1e-12)
    assert np.array_equal(after[coat == 0], before[coat == 0]) and (coat == 0).sum() > 50
    assert np.array_equal(coated.cells.stimulus[at, : coated.cells.rows][rows], after)


def nk_kills(*drugs):
    """Kills of NK cells in a dish of tumour cells that show MHC-I and the target."""
    places = grid((60, 60), 3, margin=1)
    model = dish(
        (60, 60), 5, {"nk_cell.engage_rate": 6, "tumor.stress_ligand": 0.1}, treatments=drugs
    )
    for kind, apart in (("tumor_cell", (0, 0)), ("nk_cell", (0, 1))):
        sow(model, kind, places + apart)
    steps(model, 8)
    return int(model.counters["kills"].sum()), len(places)


def test_nk_cells_kill_what_an_antibody_with_fc_coats_and_spare_what_one_without_covers():
    (spared, number), (masked, _), (killed, _) = nk_kills(), nk_kills(Covers()), nk_kills(Opsonin)
    assert spared == masked < 0.2 * number
    assert 0.6 * number < killed <= number


@pytest.mark.parametrize("strength", [0.0, 1.0, 10.0])
def test_a_covered_target_is_hidden_from_cars_by_its_free_share(strength):
    model = tissue(Covers(strength=strength))
    model.treat(), model.sense()
    at = [recognition.name for recognition in model.kinds.recognitions].index("target")
    free, group = 1 - MOST * strength / (1 + strength), model.parameters.car_t_cell
    seen, rows = model.cells["car_target"] * free, model.rows("tumor_cell")
    for scores, half in (
        (model.cells.seen, group.half_lysis),
        (model.cells.stimulus, group.half_drive),
    ):
        expected = seen**2 / (half**2 + seen**2)
        assert scores[at, : model.cells.rows][rows] == pytest.approx(expected[rows], rel=1e-12)


def test_an_antibody_that_has_washed_out_leaves_no_coat_and_a_coated_run_is_saved(tmp_path):
    model = steps(tissue(Opsonin, cell_kinds=[MACROPHAGE]), 10)
    assert model.cells["coat"].max() > 0.3
    rows = np.flatnonzero(model.rows("tumor_cell"))
    coat = model.agent(int(model.cells["name"][rows[0]])).coat
    assert coat == model.cells["coat"][rows[0]] > 0
    model.save(tmp_path / "coated")
    loaded, fork = TumorModel.load(tmp_path / "coated"), model.fork()
    assert not differences(steps(loaded, 10), steps(model, 10))
    assert not differences(steps(fork, 10), model)
    bare = tissue(cell_kinds=[MACROPHAGE])
    assert "coat" not in bare.cells and "coat" not in steps(bare, 3).cells
    model.regimen.treatments.clear()
    assert "coat" not in steps(model, 1).cells


ANTIGEN = CellKind("macrophage", agent=Macrophage, traits=(Trait("cd20", surface=True),))


def test_a_kind_that_declares_a_surface_molecule_opens_it_to_antibodies():
    model = steps(tissue(Covers("cd20", 4.0, fc=1.0), cell_kinds=[ANTIGEN]), 1)
    assert model.rules.free("cd20") == pytest.approx(1 - MOST * 4 / 5)
    model.cells["cd20"][model.rows("tumor_cell")] = 2.0
    model.sense()
    assert model.cells["coat"][model.rows("tumor_cell")] == pytest.approx(2.0 * MOST * 4 / 5)


@pytest.mark.parametrize(
    ("receptor", "fc", "message"),
    [
        ("car_targt", 0.0, "no receptor 'car_targt' .did you mean 'car_target'"),
        ("cd2", 0.0, "no receptor 'cd2' .did you mean 'cd20'"),
        ("antigen", 0.0, "no receptor 'antigen'"),
        (5, 0.0, "no receptor 5"),
        (None, 0.0, "no receptor None"),
        ("pd1", 1.0, "coats nothing, because no kind of cell carries 'pd1' as a surface trait"),
        ("cd20", 1.5, "fc of occupy.'cd20'. takes a share between 0 and 1, not 1.5"),
        ("cd20", -1, "fc of occupy.'cd20'. takes finite numbers of at least 0"),
        ("cd20", "much", "fc of occupy.'cd20'. takes one number, not 'much'"),
    ],
)
def test_what_cannot_be_covered_is_refused_in_one_sentence(receptor, fc, message):
    with pytest.raises(RuleError, match=message) as error:
        tissue(Covers(receptor, 1.0, fc), cell_kinds=[ANTIGEN]).step()
    assert "\n" not in str(error.value)


def test_a_trait_cannot_be_called_like_the_coat():
    with pytest.raises(KindError, match="cannot be called 'coat'"):
        CellKind("macrophage", agent=Macrophage, traits=(Trait("coat"),))
