"""A recognition with channels, of which every attacker sees the one of its receptor."""

import dataclasses

import numpy as np
import pytest

from simulation import CellKind, Recognition, TumorModel, check_cell_kind
from simulation.errors import ModelError
from simulation.kinds.kind import KindError
from simulation.testing.witness import differences
from tests.dish import dish, grid, sow
from tests.simulation.kinds.clones import CLONE, PEPTIDES, Clone
from tests.simulation.test_reproducibility import steps

FAST = {"t_cell.engage_rate": 60, "t_cell.kill_rate": 60, "checkpoint.brake": 0}


def test_the_kind_keeps_all_promises():
    assert check_cell_kind(CLONE)


def attacked(receptors, parameters=None, **more):
    """A quarter of the tumour cells shows both antigens, one each, or none; beside each stands a clone; hours later."""
    places = grid((60, 60), 4, margin=1)
    model = dish((60, 60), 3, FAST, cell_kinds=[CLONE], **more)
    sow(model, "tumor_cell", places)
    rows, sort = np.flatnonzero(model.rows("tumor_cell")), np.arange(len(places)) % 4
    model.cells["antigen"][rows] = 5.0 * np.isin(sort, (0, 1))
    model.cells["second_antigen"][rows] = 5.0 * np.isin(sort, (0, 2))
    sow(model, "clone", places + (0, 1))
    clones = np.flatnonzero(model.rows("clone"))
    model.cells["receptor"][clones] = np.resize(receptors, len(clones))
    steps(model, 12)
    left = model.rows("tumor_cell")
    shown = [model.cells[name][left] > 0 for name in ("antigen", "second_antigen")]
    return (
        model,
        len(places) // 4,
        [int(np.sum(a & b)) for a in (shown[0], ~shown[0]) for b in (shown[1], ~shown[1])],
    )


@pytest.mark.parametrize(
    ("receptor", "left"), [(0, (0, 0, 1, 1)), (1, (0, 1, 0, 1))], ids=["first", "second"]
)
@pytest.mark.parametrize("liquid", [False, True], ids=["tissue", "liquid"])
def test_escape_from_one_antigen_is_no_escape_from_the_other(receptor, left, liquid):
    """Of cells with both, the first, the second and no antigen, those without what the receptor sees are left, all of them."""
    _, each, found = attacked([receptor], liquid=liquid)
    assert found == [each * share for share in left]


def test_clones_of_both_receptors_leave_only_what_shows_neither():
    _, each, found = attacked([0, 1], liquid=True)
    assert found == [0, 0, 0, each]


def test_stimulation_and_exhaustion_follow_the_channel_of_the_receptor():
    """The second antigen is weak: who sees it is stimulated and tires as its own score says, not as the first one's."""
    places, model = (
        grid((40, 40), 4, margin=1),
        dish((40, 40), 3, {**FAST, "t_cell.exhaustion_rate": 2}, cell_kinds=[CLONE]),
    )
    sow(model, "tumor_cell", places)
    rows = model.rows("tumor_cell")
    model.cells["antigen"][rows], model.cells["second_antigen"][rows] = 5.0, 0.6
    model.parameters.tumor.set(lethal_hits=100, repair_rate=0)
    sow(model, "clone", places + (0, 1))
    clones = np.flatnonzero(model.rows("clone"))
    model.cells["receptor"][clones] = np.arange(len(clones)) % 2
    steps(model, 1)
    clones, cells = model.rows("clone"), model.cells
    rows = model.rows("tumor_cell")
    scores = {
        cells["receptor"][row]: cells["strain"][row] / cells["contact"][row]
        for row in np.flatnonzero(clones & (cells["contact"] > 0))
    }
    assert scores == {0: 1.0, 1: 1.0}, "both tire as they are stimulated"
    contact = [
        cells["contact"][clones & (cells["receptor"] == channel)].mean() for channel in (0, 1)
    ]
    first, second = (
        model.kinds.recognitions.index(PEPTIDES),
        model.kinds.recognitions.index(PEPTIDES) + 1,
    )
    score = [cells.seen[channel, : cells.rows][rows][0] for channel in (first, second)]
    assert score[1] == pytest.approx((0.6 * 0.5) ** 2 / (0.3**2 + (0.6 * 0.5) ** 2))
    assert contact[1] / contact[0] == pytest.approx(score[1] / score[0], rel=0.12)


def test_receptors_are_given_inherited_written_saved_and_forked(tmp_path):
    second = dataclasses.replace(CLONE, receptor=1)
    model = TumorModel(shape=(31, 31), seed=1, tumor_cells=100, cell_kinds=[second])
    assert Clone(model).receptor == 1 and Clone(model, receptor=0).receptor == 0
    model = TumorModel(shape=(31, 31), seed=1, tumor_cells=200, cell_kinds=[CLONE])
    for number in range(30):
        Clone(model, receptor=number % 2)
    model.cells["second_antigen"][model.rows("tumor_cell")] = 1.0
    model.parameters.t_cell.set(division_rate=5)
    model.population.arrange()
    steps(model, 30)
    rows = np.flatnonzero(model.rows("clone"))
    mothers = dict(zip(model.cells["name"], model.cells["receptor"], strict=True))
    daughters = [row for row in rows if model.cells["mother"][row] in mothers]
    assert len(daughters) > 5
    for row in daughters:
        assert model.cells["receptor"][row] == mothers[model.cells["mother"][row]]
    model.save(tmp_path / "saved")
    loaded, fork = TumorModel.load(tmp_path / "saved"), model.fork()
    for other in (loaded, fork):
        assert not differences(steps(other, 5), model if other is fork else steps(model, 5))


@pytest.mark.parametrize("receptor", [2, -1])
def test_a_receptor_that_is_no_channel_is_refused_before_a_loop_reads_it(receptor):
    model = dish((9, 9), 1, cell_kinds=[CLONE])
    Clone(model)
    model.cells["receptor"][:] = receptor
    with pytest.raises(ModelError, match=rf"receptor = {receptor} of a clone .* from 0 to 1"):
        model.step()
    model = dish((9, 9), 1)
    sow(model, "t_cell", [(4, 4)])
    model.cells["receptor"][:] = 1
    with pytest.raises(ModelError, match="receptor = 1 of a t_cell .* from 0 to 0"):
        model.step()


@pytest.mark.parametrize("channels", [0, 128, 1.5, True, "two", None])
def test_a_number_of_channels_that_is_none_is_refused(channels):
    with pytest.raises(KindError, match="channels = .* must be a whole number between 1 and 127"):
        Recognition("r", "", print, channels=channels)


@pytest.mark.parametrize("receptor", [-1, 127, 0.5, True, "b"])
def test_a_receptor_of_a_kind_is_a_number_of_a_channel(receptor):
    with pytest.raises(KindError, match="receptor = .* number of a channel, from 0 to 126"):
        CellKind("clone", agent=Clone, receptor=receptor)


def test_a_kind_whose_receptor_its_recognition_does_not_have_is_refused():
    wrong = dataclasses.replace(CLONE, receptor=2)
    with pytest.raises(KindError, match="receptor = 2 is no channel of .*'peptides'.* has 2"):
        TumorModel(shape=(9, 9), tumor_cells=0, cell_kinds=[wrong])
