"""Verbs on cells say what they cannot do in one sentence, and what they do is counted once."""

import ast
import builtins
from pathlib import Path

import numpy as np
import pytest

import simulation
from experiments.reference.benchmark import timed_step
from simulation import CellAgent, CellKind, NKCell, Process, TCell, Treatment, TumorCell, TumorModel
from simulation.errors import ModelError, UnknownTrait
from simulation.tissue.lattice import LatticeError
from simulation.treatments import Placebo
from tests.dish import dish, grid, sow
from tests.simulation.cells.test_agents import SMALL
from tests.simulation.test_reproducibility import assert_same_state, steps


@pytest.fixture
def model():
    return TumorModel("mouse_b16", seed=4, **SMALL)


@pytest.mark.parametrize(
    "choose",
    [
        lambda model: model.rows("tumor_cell"),
        lambda model: model.rows("tumor_cell").tolist(),
        lambda model: np.flatnonzero(model.rows("tumor_cell")),
        lambda model: np.flatnonzero(model.rows("tumor_cell")).tolist() * 2,
    ],
)
def test_cells_are_killed_by_mask_or_by_row_each_once(model, choose):
    others = model.count("t_cell"), model.count("nk_cell")
    assert model.kill(choose(model)) == 200
    assert (
        model.count("tumor_cell") == 0 and (model.count("t_cell"), model.count("nk_cell")) == others
    )
    assert model.counters["deaths"].tolist() == [200, 0, 0, 0]
    assert np.count_nonzero(model.lattice.occupant >= 0) == sum(others)
    assert model.kill([]) == 0 and model.kill(model.rows("tumor_cell")) == 0, "nobody is left"


def test_a_row_without_a_living_cell_is_refused_and_nobody_else_loses_his_place(model):
    model.kill([3])
    cell = TumorCell(model, pos=model.lattice.position(model.cells["site"][3]))
    model.kill([cell.row])
    newcomer = TCell(model, pos=model.lattice.position(model.cells["site"][3]))
    dead = (
        next(row for row in range(model.cells.rows) if model.cells["kind"][row] < 0)
        if not model.cells.alive.all()
        else None
    )
    deaths = model.counters["deaths"].sum()
    for rows in ([-1], [model.cells.rows], [0, 10**9], [] if dead is None else [0, dead]):
        if rows:
            with pytest.raises(ModelError, match="holds no living cell: rows change hands"):
                model.kill(rows)
    for rows in ([0.5], ["a"], [[0, 1]], np.ones(3, dtype=bool), "tumor_cell", None):
        with pytest.raises(
            ModelError, match="whole row numbers, or by one True or False for each of the"
        ) as error:
            model.kill(rows)
        assert len(str(error.value)) < 250 and "\n" not in str(error.value)
    assert newcomer.alive and model.counters["deaths"].sum() == deaths


@pytest.mark.parametrize(
    ("number", "by", "message"),
    [
        (-3, Placebo(), "whole number of cells, at least 0, not -3"),
        (2.5, Placebo(), "not 2.5"),
        ("3", Placebo(), "not '3'"),
        (float("nan"), Placebo(), "not nan"),
        (True, Placebo(), "not True"),
        (3, "me", "by=, the treatment that brings the cells"),
    ],
)
def test_an_infusion_is_checked(model, number, by, message):
    before = model.counts()
    with pytest.raises(ModelError, match=message):
        model.infuse("t_cell", number, by=by)
    assert model.counts() == before
    assert len(model.infuse("t_cell", np.int64(2), by=Placebo())) == 2


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("damage", 40_000),
        ("damage", -1),
        ("damage", 1.5),
        ("damage", "2"),
        ("damage", True),
        ("damage", None),
        ("divisions", 1e6),
        ("clone", 2**70),
        ("clone", -1),
        ("clone", 0.5),
        ("capacity", -1),
        ("capacity", float("nan")),
        ("antigen", "high"),
        ("antigen", float("inf")),
        ("antigen", np.ones(3)),
        ("pdl1", float("inf")),
        ("exhaustion", 1.5),
        ("specificity", 2),
        ("stimulation", -0.1),
    ],
)
def test_values_that_a_column_cannot_hold_are_refused_at_birth_and_later(model, name, value):
    cell, number = model.agents_by_type[TumorCell][0], model.count("tumor_cell")
    before = getattr(cell, name)
    for deed in (lambda: setattr(cell, name, value), lambda: TumorCell(model, **{name: value})):
        with pytest.raises(
            ModelError, match=f"{name} = .* of a tumor_cell is not allowed: it must be "
        ) as error:
            deed()
        assert len(str(error.value)) < 200
    assert getattr(cell, name) == before and model.count("tumor_cell") == number


def test_numbers_of_numpy_are_numbers(model):
    cell = TumorCell(model, antigen=np.float32(0.5), damage=np.int64(2), clone=np.int64(7))
    assert (cell.antigen, cell.damage, cell.clone) == (0.5, 2, 7)


def test_a_cell_takes_no_trait_of_another_kind_at_birth_nor_later(model):
    cell = NKCell(model)
    for deed in (lambda: setattr(cell, "car_target", 0.5), lambda: NKCell(model, car_target=0.5)):
        with pytest.raises(UnknownTrait, match="a nk_cell has no trait 'car_target'"):
            deed()


@pytest.mark.parametrize(
    "position",
    [
        (99, 0),
        (-1, 0),
        (1, 2, 3),
        (1,),
        (1.5, 2),
        ("a", 1),
        5,
        None,
        (float("nan"), 0),
        (float("inf"), 0),
    ],
)
def test_a_place_off_the_lattice_is_refused_by_every_verb(model, position):
    deeds = [model.neighbors, model.free_neighbors, lambda place: model.place(None, place)]
    if position is not None:
        deeds.append(lambda place: TumorCell(model, pos=place))
    for deed in deeds:
        with pytest.raises(
            LatticeError, match="is not on the lattice: allowed are 2 whole numbers from 0 to"
        ):
            deed(position)


def test_a_taken_place_is_refused_in_the_programs_own_words(model):
    place = model.agents_by_type[TumorCell][0].pos
    for deed in (lambda: TCell(model, pos=place), lambda: model.place(None, place)):
        with pytest.raises(ModelError, match="is taken"):
            deed()


def raised(tree):
    """Names of what is raised, by function, where it is no class of the program."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef) and not function.name.startswith("__"):
            for node in ast.walk(function):
                if (
                    isinstance(node, ast.Raise)
                    and isinstance(node.exc, ast.Call)
                    and isinstance(node.exc.func, ast.Name)
                    and isinstance(getattr(builtins, node.exc.func.id, None), type)
                ):
                    yield f"{function.name}: {node.exc.func.id}"


def test_errors_of_the_engine_are_the_programs_own():
    """Who catches ``ModelError`` and its kin catches them all; the built-in ones stay for what is caught again inside."""
    inner = {
        "snapshots.py",
        "results.py",
        "files.py",
        "plug_ins.py",
        "compiled.py",
        "tables.py",  # asked by __getattr__ of modules, which must raise what Python asks for
    }  # told by callers
    found = {
        file.name: [*raised(ast.parse(file.read_text()))]
        for file in Path(simulation.__file__).parent.rglob("*.py")
        if file.name not in inner
    }
    assert {name: names for name, names in found.items() if names} == {}


# ---------------------------------------------------------------- what a step and its fields are


def test_relay_and_a_fork_with_another_seed_keep_the_fields():
    model = steps(
        TumorModel(
            shape=(21, 21), seed=3, tumor_cells=150, overrides={"t_cell.initial_density": 300}
        ),
        12,
    )
    before = {name: field.values.copy() for name, field in model.fields.items()}
    assert all(values.any() for values in before.values()), "there is something to lose"
    fork = model.fork(seed=8)
    model.relay()
    for other in (model, fork):
        for name, field in other.fields.items():
            assert (field.values == before[name]).all(), f"{name} is gone"
    assert fork.seed == 8


class Blaze(Treatment):
    """Heats and cools cells by hazards, while another treatment brings cells in."""

    def on_step(self, model):
        self.state["aim"] = model.cells["name"][model.rows("tumor_cell")][:50]
        rate = np.where(np.isin(model.cells["name"], self.state["aim"]), 1e9, 0.0)
        model.add_hazard(1e9, where=rate > 0)
        model.add_hazard(rate)


class Cuckoo(Treatment):
    """Removes one cell and brings in many, after hazards have been named."""

    def on_step(self, model):
        model.kill(np.flatnonzero(model.rows("tumor_cell"))[:1])
        model.infuse("nk_cell", 40, by=self)


def test_a_hazard_meets_the_cells_it_was_meant_for_whoever_comes_and_goes_meanwhile():
    model = dish(
        (60, 60),
        3,
        {"recruitment.vessel_density": 0},
        treatments=[Blaze(name="a"), Cuckoo(name="b")],
    )
    sow(model, "tumor_cell", grid((60, 60), 5))
    number = model.count("tumor_cell")
    model.step()
    aimed = model.treatments["a"].state["aim"]
    assert not np.isin(aimed, model.cells["name"][model.cells.alive]).any()
    assert model.count("tumor_cell") == number - 50 and model.count("nk_cell") == 40


@pytest.mark.parametrize(
    "wrong", [{"where": [True]}, {"where": "tumor_cell"}, {"rate": np.ones(3)}]
)
def test_a_hazard_for_rows_that_are_not_there_is_refused(wrong):
    class Wrong(Treatment):
        """Names rows that are not there."""

        def on_step(self, model):
            model.add_hazard(**{"rate": 1.0} | wrong)

    model = TumorModel(shape=(9, 9), seed=1, tumor_cells=5, treatments=[Wrong()])
    with pytest.raises(ModelError, match="for each of the .* rows of the cell table"):
        model.step()


class Decoy(CellAgent):
    """A bystander that T cells see and that is no tumour cell."""

    kind = "decoy"


DECOY = CellKind(
    "decoy", agent=Decoy, engaged_by={"t_cell": "target"}, yielding=True, rates={"lethal_hits": 1}
)


def test_kills_of_tumour_cells_are_counted_apart_from_kills_of_others():
    """T cells kill decoys and tumour cells; results count tumour cells, as their words say."""
    model = dish(
        (40, 40), 3, {"t_cell.engage_rate": 60, "t_cell.kill_rate": 60}, cell_kinds=[DECOY]
    )
    targets = grid((40, 40), 4, margin=1)
    sow(model, "tumor_cell", targets[::2])
    sow(model, "decoy", targets[1::2])
    model.cells["car_target"][model.rows("decoy")] = 1.0
    sow(model, "t_cell", targets + (0, 1))
    steps(model, 6)
    kills, t_cell = model.counters["kills"], model.kinds.index("t_cell")
    assert kills[t_cell, 0] > 20 and kills[t_cell, model.kinds.index("decoy")] > 20
    assert (
        model.measures["kills_by_t"]
        == kills[t_cell, 0]
        == len(targets[::2]) - model.count("tumor_cell")
    )
    assert model.cells["kills"][model.rows("t_cell")].sum() == kills[t_cell].sum(), (
        "a cell counts all it kills"
    )


def count_steps(model):
    memory = model.process_state["counting"]
    memory["steps"] = memory.get("steps", 0) + 1


COUNTING = Process("counting", after="act", run=count_steps)


def test_a_timed_step_is_a_step_with_its_processes():
    timed, plain = (
        TumorModel("mouse_b16", seed=4, processes=[COUNTING], **SMALL) for _ in range(2)
    )
    _, parts = timed_step(timed)
    plain.step()
    plain.steps = timed.steps  # Mesa counts calls of step()
    assert_same_state(timed, plain, "a timed step")
    assert timed.process_state["counting"]["steps"] == 1 and "counting" in parts
