"""Mesa's side of the model: agents are windows on rows, and everything a Mesa user expects works."""

import gc
import weakref

import mesa
import numpy as np
import pandas as pd
import pytest
from packaging.version import Version

from simulation import CarTCell, NKCell, TCell, TumorCell, TumorModel
from simulation.cells.agents import DeadCellError
from tests.simulation.test_reproducibility import Stander, assert_same_state, by_name, steps, table

SMALL = dict(
    shape=(31, 31),
    tumor_cells=200,
    overrides={"t_cell.initial_density": 150, "nk_cell.initial_density": 60},
)
SEEDS_OF_BATCH = "rng" if Version(mesa.__version__) >= Version("3.5") else "seed"


@pytest.fixture
def model():
    return TumorModel("mouse_b16", seed=4, **SMALL)


class LittleModel(TumorModel):
    """As ``TumorModel``, small, with one parameter to sweep."""

    def __init__(self, antigen=1.0, seed=None, rng=None):
        super().__init__(
            "mouse_b16",
            shape=(21, 21),
            seed=seed,
            rng=rng,
            tumor_cells=50,
            overrides={"tumor.antigen": antigen},
        )


# --- reading ----------------------------------------------------------------------------------------------------


def test_a_model_without_arguments_is_a_heterogeneous_tumour_with_immune_cells():
    model = TumorModel()
    counts = model.counts()
    assert isinstance(model, mesa.Model) and isinstance(model.datacollector, mesa.DataCollector)
    assert counts["tumor_cell"] > 100 and counts["t_cell"] > 0 and counts["nk_cell"] > 0
    assert np.std(model.agents_by_type[TumorCell].get("antigen")) > 0.1, "cells differ in antigen"
    assert (
        isinstance(model.seed, int) and model.seed != TumorModel(shape=(5, 5), tumor_cells=0).seed
    )


def test_agent_sets_count_select_and_aggregate_as_the_arrays_do(model):
    cells, rows = model.cells, model.rows("tumor_cell")
    assert len(model.agents) == cells.alive.sum() == sum(model.counts().values())
    assert set(model.agents_by_type) == {TumorCell, TCell, CarTCell, NKCell}
    assert {cls.kind: len(agents) for cls, agents in model.agents_by_type.items()} == model.counts()
    assert set(model.agent_types) == {TumorCell, TCell, NKCell}, (
        "kinds without a living cell are no types"
    )
    tumor = model.agents_by_type[TumorCell]
    assert np.mean(tumor.get("antigen")) == pytest.approx(cells["antigen"][rows].mean())
    assert tumor.agg("antigen", max) == cells["antigen"][rows].max()
    high = tumor.select(lambda cell: cell.antigen > 1.0)
    assert len(high) == (cells["antigen"][rows] > 1.0).sum() > 0
    assert len(model.agents.select(agent_type=NKCell)) == model.count("nk_cell")
    groups = model.agents.groupby("kind").count()
    assert groups == {kind: number for kind, number in model.counts().items() if number}
    assert sorted(tumor.get("unique_id")) == sorted(cells["name"][rows].tolist()), (
        "a cell keeps its own name"
    )
    assert set(tumor.get("pos")) == {model.lattice.position(s) for s in cells["site"][rows]}


def test_looking_at_agents_never_changes_a_run():
    """Agents made, counted, grouped and read at every step: the same run, to the last bit, as one never looked at."""
    looked_at, alone = (
        TumorModel("mouse_b16", seed=9, treatments=["pembrolizumab"], **SMALL) for _ in range(2)
    )
    for _ in range(30):
        looked_at.step()
        alone.step()
        looked_at.agents_by_type[TumorCell].agg("antigen", sum)
        looked_at.agents.select(lambda cell: cell.vigour > 0.5).groupby("kind").count()
        for cell in looked_at.agents_by_type[TCell]:
            repr(cell), cell.engaged_with, cell.neighbors()
        looked_at.agents.shuffle_do("neighbors")
    assert_same_state(looked_at, alone, "a run that was looked at")
    assert table(looked_at) == table(alone)


def test_windows_are_kept_and_reconciled_with_the_living(model):
    before = {agent.unique_id: agent for agent in model.agents}
    born = model.cells["born"].max()
    steps(model, 24)
    after = {agent.unique_id: agent for agent in model.agents}
    assert set(after) == set(model.cells["name"][model.cells.alive].tolist())
    stayed = set(before) & set(after)
    assert stayed and all(before[name] is after[name] for name in stayed), "a window is made once"
    dead = next(agent for name, agent in before.items() if name not in after)
    assert not dead.alive and dead not in model.agents and "dead" in repr(dead)
    newborn = [agent for name, agent in after.items() if name not in before]
    assert newborn and list(model.agents)[-len(newborn) :] == newborn, "the newborn join at the end"
    order = [(agent.born, agent.unique_id) for agent in newborn]
    assert order == sorted(order) and min(order)[0] >= born, "in order of birth step and name"


def test_a_window_on_a_dead_cell_raises_a_clear_error(model):
    cell = model.agents_by_type[TumorCell][0]
    name = cell.unique_id
    cell.remove()
    assert not cell.alive
    for look in (
        lambda: cell.antigen,
        lambda: cell.pos,
        lambda: cell.vigour,
        lambda: cell.remove(),
        lambda: setattr(cell, "antigen", 0.5),
    ):
        with pytest.raises(DeadCellError, match=f"TumorCell {name} is dead"):
            look()


# --- writing ----------------------------------------------------------------------------------------------------


def test_writing_an_attribute_writes_the_table(model):
    cell = model.agents_by_type[TumorCell][3]
    cell.antigen = 0.125
    assert model.cells["antigen"][cell.row] == 0.125 == cell.antigen
    model.agents_by_type[TumorCell].set("pdl1", 0.75)
    assert (model.cells["pdl1"][model.rows("tumor_cell")] == 0.75).all()
    model.agents_by_type[TCell].do(lambda t_cell: setattr(t_cell, "exhaustion", 0.5))
    assert (model.cells["exhaustion"][model.rows("t_cell")] == 0.5).all()
    cell.my_note = "kept on the window"
    assert cell.my_note == "kept on the window" and "my_note" not in model.cells


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("mhc", 1.5, "mhc = 1.5 of a tumor_cell is not allowed: it must be between 0 and 1"),
        ("antigen", -1, "between 0 and"),
        ("antigen", float("nan"), "between 0 and"),
        ("exhaustion", 1.1, "between 0 and 1"),
        ("site", 5, "cannot be assigned"),
        ("name", 5, "cannot be assigned"),
        ("kind", 1, "kind"),
    ],
)
def test_impossible_values_are_refused_in_one_sentence(model, name, value, message):
    cell = model.agents_by_type[TumorCell][0]
    with pytest.raises((ValueError, AttributeError), match=message) as error:
        setattr(cell, name, value)
    assert "\n" not in str(error.value)


def test_misspelt_traits_name_what_there_is(model):
    cell = model.agents_by_type[TumorCell][0]
    with pytest.raises(AttributeError, match="antigne"):
        _ = cell.antigne
    with pytest.raises(AttributeError, match="antigen"):
        TumorCell(model, antigne=0.5)


def test_a_birth_by_hand_is_a_birth(model):
    number = model.count("tumor_cell")
    place = next(
        p for p in np.ndindex(model.shape) if model.lattice.occupant[model.lattice.site(p)] == -1
    )
    cell = TumorCell(model, pos=place, antigen=0.25)
    assert model.count("tumor_cell") == number + 1 and cell in model.agents and cell.pos == place
    assert cell.antigen == 0.25 and cell.mhc == model.parameters.tumor.mhc, (
        "what is not given starts as parameters say"
    )
    assert model.agent(cell.unique_id) is cell
    with pytest.raises(ValueError, match="taken"):
        TCell(model, pos=place)
    with pytest.raises(ValueError, match="not on the lattice"):
        TCell(model, pos=(99, 0))
    assert TCell(model).pos is not None, "without a place it stands on a random free site"
    assert model.agents_by_type[TumorCell][-1] is cell
    steps(model, 2)
    assert not cell.alive or cell.antigen > 0


def test_a_death_by_hand_is_a_death(model):
    number, deaths = model.count("tumor_cell"), model.counters["deaths"].sum()
    steps(model, 3)
    held = next(
        (cell for cell in model.agents_by_type[TCell] if cell.engaged_with is not None), None
    )
    assert held is not None, "somebody is engaged"
    target, place = held.engaged_with, held.engaged_with.pos
    number, deaths = model.count("tumor_cell"), model.counters["deaths"].sum()
    target.remove()
    assert model.count("tumor_cell") == number - 1 and model.counters["deaths"].sum() == deaths + 1
    assert held.engaged_with is None, "whoever held it lets go"
    assert place in model.free_neighbors(held.pos) and target not in model.agents
    steps(model, 3)


def test_rows_may_be_laid_anew_under_a_window(model):
    cell = model.agents_by_type[TumorCell][-1]
    antigen, place = cell.antigen, cell.pos
    model.kill(np.flatnonzero(model.rows("tumor_cell"))[:50])
    if cell.alive:
        model.cells.sort_by_site(model.lattice.occupant, model.lattice.interior)
        assert (cell.antigen, cell.pos) == (antigen, place)


# --- a user's own agents ----------------------------------------------------------------------------------------


class Wall(mesa.Agent):
    """A piece of scar: stands still, lets nobody in, counts its neighbours."""

    def __init__(self, model, pos):
        super().__init__(model)
        model.place(self, pos)
        self.seen = 0

    def step(self):
        self.seen += len(self.model.neighbors(self.pos))


def test_a_plain_mesa_agent_stands_on_the_lattice_and_blocks_cells():
    """A ring of them around one tumour cell: she has no room while it stands, and fills it once it is gone."""
    model = TumorModel(
        "mouse_b16",
        shape=(9, 9),
        seed=2,
        tumor_cells=1,
        immune_cells=False,
        overrides={
            "tumor.division_rate": 5,
            "tumor.death_rate": 0,
            "tumor.oxygen_half": 0,
            "tumor.necrosis_rate": 0,
        },
    )
    (mother,) = model.agents
    assert mother.pos == (4, 4)
    ring = [Wall(model, place) for place in model.free_neighbors(mother.pos)]
    assert len(ring) == 8 and len(model.agents_by_type[Wall]) == 8 and len(model.agents) == 9
    steps(model, 24)
    assert model.count("tumor_cell") == 1, "nobody is born into a wall"
    assert ring[0].seen > 24, "the model's step asks plain agents to step as well"
    assert set(model.neighbors(mother.pos)) == set(ring)
    with pytest.raises(ValueError, match="taken"):
        TumorCell(model, pos=ring[0].pos)
    with pytest.raises(ValueError, match="taken"):
        model.place(ring[0], (4, 4))
    free = ring[0].pos
    ring[0].remove()
    assert free in model.free_neighbors(mother.pos) and len(model.agents_by_type[Wall]) == 7
    steps(model, 24)
    assert model.count("tumor_cell") > 1, "she divides where the wall is open"
    assert all(model.lattice.occupant[model.lattice.site(wall.pos)] == -3 for wall in ring[1:])


def test_a_visitor_that_walks_leaves_its_site_free(model):
    walker = Stander(model)
    place = model.free_neighbors((0, 0))[0]
    model.place(walker, place)
    steps(model, 3)
    assert walker.walked > 0 and walker.pos != place
    assert (model.lattice.occupant == -3).sum() == 1, "it stands on one site"


# --- collecting and batches -------------------------------------------------------------------------------------


def test_the_data_collector_holds_a_row_a_step(model):
    steps(model, 12)
    frame = model.datacollector.get_model_vars_dataframe()
    assert isinstance(frame, pd.DataFrame) and len(frame) == 12
    assert frame["tumor_cells"].iloc[-1] == model.count("tumor_cell")
    assert {"tumor_cells", "t_cells", "mean_antigen", "kills_by_t"} <= set(frame.columns)


def test_batch_run_sweeps_parameters_and_seeds():
    """Mesa 3.3 takes seeds as a parameter, 3.5 as ``rng``; one row per parameter and seed, and seeds matter."""
    more = {"rng": [1, 2]} if SEEDS_OF_BATCH == "rng" else {}
    parameters = {"antigen": [0.1, 1.0]} | ({} if more else {"seed": [1, 2]})
    found = pd.DataFrame(
        mesa.batch_run(
            LittleModel,
            parameters,
            number_processes=1,
            max_steps=24,
            data_collection_period=-1,
            display_progress=False,
            **more,
        )
    )
    assert len(found) == 4 and found.groupby("antigen").size().tolist() == [2, 2]
    means = found.groupby("antigen").mean_antigen.mean()
    assert means[0.1] == pytest.approx(0.1, rel=0.2) and means[1.0] == pytest.approx(1.0, rel=0.2)
    assert found[found.antigen == 1.0].mean_antigen.nunique() == 2, "two seeds are two tumours"
    again = pd.DataFrame(
        mesa.batch_run(
            LittleModel,
            parameters,
            number_processes=1,
            max_steps=24,
            data_collection_period=-1,
            display_progress=False,
            **more,
        )
    )
    assert found.equals(again) or found.drop(columns="RunId").equals(again.drop(columns="RunId"))


# --- memory -----------------------------------------------------------------------------------------------------


def test_no_model_is_kept_alive():
    """After del and a collection nothing holds a model, its table or its windows.

    A user's plain Mesa agent does hold its model for ever under Mesa 3.3 (``mesa.Agent._ids``); cells do not.
    """
    gone = []
    for _ in range(3):
        model = TumorModel("mouse_b16", seed=1, treatments=["car_t"], **SMALL)
        agents = list(model.agents)
        fork = steps(model, 3).fork()
        gone += [weakref.ref(each) for each in (model, model.cells, agents[0], fork)]
        del model, agents, fork
    gc.collect()
    assert [each() for each in gone] == [None] * len(gone)


def test_forks_have_windows_of_their_own(model):
    fork = model.fork()
    mine, theirs = model.agents_by_type[TumorCell][0], fork.agents_by_type[TumorCell][0]
    assert mine is not theirs and mine.unique_id == theirs.unique_id
    theirs.antigen = 3.0
    assert mine.antigen != 3.0
    assert by_name(model)["name"].tobytes() == by_name(fork)["name"].tobytes()
