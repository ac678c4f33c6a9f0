"""New kinds of cells, recognitions and processes come in through their declarations; no loop is touched."""

import mesa
import numpy as np
import pytest

from simulation import (
    CellAgent,
    CellKind,
    Process,
    Recognition,
    TCell,
    Trait,
    TumorCell,
    TumorModel,
    check_cell_kind,
)
from simulation.kinds.kind import KindError
from simulation.testing.checks import CheckFailed
from tests.dish import STILL, dish, grid, sow
from tests.simulation.test_reproducibility import assert_same_state, steps

DAY = 24.0


class Decoy(CellAgent):
    """A healthy cell that shows the same antigen and draws T cells off."""

    kind = "decoy"


class Eater(CellAgent):
    """A phagocyte that eats what shows its own sign, whatever T cells think of it."""

    kind = "eater"


def see_sign(model, score, stimulus):
    """Fully recognised above half of stress ligand 1, not at all below."""
    shown = model.cells["stress_ligand"] > 0.5
    score[:], stimulus[:] = shown, shown


SIGN = Recognition("sign", "a sign that says eat me", see_sign)
DECOY = CellKind(
    "decoy",
    agent=Decoy,
    traits=(
        Trait("antigen", start=1.0),
        Trait("mhc", start="tumor.mhc", high=1.0),
        Trait("softness", start=2.0, mutation=0.3),
    ),
    rates={
        "division": 2.0 / DAY,
        "death": 0.5 / DAY,
        "repair": 1.2,
        "lethal_hits": 1,
        "antigen_shown": 1.0,
    },
    engaged_by={"t_cell": "peptide"},
    yielding=True,
    column="decoys",
)
EATER = CellKind(
    "eater",
    agent=Eater,
    traits=(Trait("appetite", start=3.0, spread=0.5),),
    rates={
        "move": "t_cell.speed",
        "engage": 60.0,
        "kill": 60.0,
        "potency": 100,
        "detach": 0.1,
        "persistence": 0.5,
    },
    engages={"tumor_cell": SIGN},
    motile=True,
    capacity=2,
)


def fallow(cells, **more):
    """A dish that knows the new kinds, with some cells of theirs."""
    model = dish(
        (40, 40),
        3,
        {"t_cell.engage_rate": 60, "t_cell.kill_rate": 60, **more},
        cell_kinds=[DECOY, EATER],
    )
    for kind, places in cells.items():
        sow(model, kind, places)
    return model


def test_a_new_kind_is_born_divides_and_dies_with_its_own_trait_and_rates():
    """Decoys follow the birth-death mean of their own rates, their trait mutates, and everybody counts them."""
    model = dish((300, 300), 3, cell_kinds=[DECOY])
    number = len(sow(model, "decoy", grid((300, 300), 6)))
    steps(model, 12)
    mean, found = np.exp(1.5 * 0.5), model.count("decoy") / number
    error = np.sqrt((2.5 / 1.5) * mean * (mean - 1) / number)
    assert abs(found - mean) < 4 * error, (
        f"{found:.3f} decoys each, not exp((b - d) t) = {mean:.3f}"
    )
    softness = model.cells["softness"][model.rows("decoy")]
    assert 0.1 < np.log(softness).std() < 0.6, "daughters step away from their mothers"
    assert softness.mean() == pytest.approx(2.0, abs=4 * softness.std() / np.sqrt(number))
    assert model.measures["decoys"] == model.count("decoy") == len(model.agents_by_type[Decoy])
    assert model.counters["births"][model.kinds.index("decoy")] > 0
    cell = Decoy(model, softness=1.5)
    assert cell.softness == 1.5 and cell.antigen == 1.0
    assert (model.cells["softness"][model.rows("tumor_cell")] == 0).all(), "others do not carry it"


def test_t_cells_engage_the_new_kind_through_the_interaction_table():
    """Side by side with T cells, decoys are killed; declared without ``engaged_by`` they are left alone."""
    targets = grid((40, 40), 4, margin=1)
    beside = {"decoy": targets, "t_cell": targets + (0, 1)}
    attacked = steps(fallow(beside), 6)
    assert attacked.counters["kills"][attacked.kinds.index("t_cell")].sum() > 0.8 * len(targets)
    hidden = CellKind(
        "decoy",
        agent=Decoy,
        traits=DECOY.traits,
        rates={"lethal_hits": 1, "antigen_shown": 1.0},
        yielding=True,
    )
    model = dish(
        (40, 40), 3, {"t_cell.engage_rate": 60, "t_cell.kill_rate": 60}, cell_kinds=[hidden]
    )
    for kind, places in beside.items():
        sow(model, kind, places)
    steps(model, 6)
    assert model.counters["kills"].sum() == 0 and model.count("decoy") == len(targets)


def test_the_new_kind_attacks_by_a_recognition_of_its_own():
    """Eaters kill the tumour cells that show their sign and no other, as many as they have capacity for."""
    targets = grid((40, 40), 4, margin=1)
    model = fallow({"tumor_cell": targets, "eater": targets + (0, 1)}, **{"t_cell.speed": 0})
    shown = np.arange(model.cells.rows) % 2 == 0
    model.cells["stress_ligand"][:] = np.where(shown, 0.9, 0.1)
    names = set(model.cells["name"][model.rows("tumor_cell") & ~shown])
    steps(model, 8)
    assert set(model.cells["name"][model.rows("tumor_cell")]) == names, (
        "all that show it are eaten, and only they"
    )
    assert model.counters["kills"][model.kinds.index("eater")].sum() == len(targets) - len(names)
    eaters = model.rows("eater")
    assert (
        model.cells["capacity"][eaters].min() == 1.0
        and np.log(model.cells["appetite"][eaters]).std() > 0.3
    )


def test_moving_kinds_move_and_others_stay():
    model = fallow({"eater": grid((40, 40), 8), "decoy": grid((40, 40), 8) + 3})
    before = {
        name: set(
            zip(
                model.cells["name"][model.rows(name)],
                model.cells["site"][model.rows(name)],
                strict=True,
            )
        )
        for name in ("eater", "decoy")
    }
    model.parameters.t_cell.set(speed=4)
    steps(model, 1)
    after = set(zip(model.cells["name"], model.cells["site"], strict=True))
    assert len(before["eater"] & after) < 3
    stayed = [pair for pair in before["decoy"] if pair[0] in {name for name, _ in after}]
    assert stayed and set(stayed) <= after


def grow_older(model):
    """Counts steps, remembers the largest tumour, and once, kills one cell: what a process may do."""
    memory = model.process_state["ageing"]
    memory["steps"] = memory.get("steps", 0) + 1
    memory["sizes"] = np.append(
        memory.get("sizes", np.zeros(0, dtype=np.int64)), model.count("tumor_cell")
    )
    if memory["steps"] == 3:
        model.kill(np.flatnonzero(model.rows("tumor_cell"))[:1])


AGEING = Process("ageing", after="die", run=grow_older)


def test_a_process_runs_after_its_verb_and_its_memory_is_saved_and_forked(tmp_path):
    model = TumorModel(
        "mouse_b16",
        shape=(21, 21),
        seed=2,
        tumor_cells=60,
        processes=[AGEING],
        cell_kinds=[DECOY, EATER],
        immune_cells=False,
        overrides={**STILL},
    )
    steps(model, 5)
    memory = model.process_state["ageing"]
    assert memory["steps"] == 5 and memory["sizes"].tolist() == [60, 60, 60, 59, 59]
    Decoy(model), Eater(model)
    model.save(tmp_path / "m")
    fork, loaded = model.fork(), TumorModel.load(tmp_path / "m")
    for twin in (fork, loaded):
        assert twin.process_state["ageing"]["sizes"].tolist() == memory["sizes"].tolist()
        assert twin.counts() == model.counts() and list(twin.processes) == ["ageing"]
    assert_same_state(steps(model, 5), steps(loaded, 5), "a model with new kinds and a process")
    steps(fork, 1)
    assert (
        fork.process_state["ageing"]["steps"] == 6 and model.process_state["ageing"]["steps"] == 10
    )
    assert fork.process_state["ageing"]["sizes"].dtype == np.int64


def test_a_kind_that_nobody_can_import_cannot_be_saved(tmp_path):
    local = CellKind(
        "local", agent=type("Local", (CellAgent,), {"kind": "local", "__doc__": "Local."})
    )
    model = TumorModel(shape=(9, 9), tumor_cells=1, seed=1, cell_kinds=[local])
    with pytest.raises(
        ValueError, match="CellKind 'local' cannot be saved: make it a constant of module"
    ) as error:
        model.save(tmp_path / "m")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("declare", "message"),
    [
        (lambda: CellKind("2nd", agent=Decoy), "named like a variable"),
        (
            lambda: CellKind("decoy", agent=Decoy, rates={"devision": 1.0}),
            "no rule 'devision'.*did you mean 'division'",
        ),
        (
            lambda: CellKind("decoy", agent=Decoy, motile=True, yielding=True),
            "cannot be yielding as well",
        ),
        (
            lambda: empty(CellKind("tumor_cell", agent=TumorCell)),
            "there is a kind 'tumor_cell' already",
        ),
        (
            lambda: empty(CellKind("decoy", agent=Decoy, engages={"tumour_cell": "peptide"})),
            "no kind of cell 'tumour_cell'.*'tumor_cell'",
        ),
        (
            lambda: empty(CellKind("decoy", agent=Decoy, engages={"tumor_cell": "peptid"})),
            "no recognition 'peptid'.*'peptide'",
        ),
        (
            lambda: empty(
                CellKind(
                    "decoy",
                    agent=Decoy,
                    engages={"tumor_cell": Recognition("peptide", "mine", see_sign)},
                )
            ),
            "another recognition 'peptide' already",
        ),
        (
            lambda: TumorModel(
                shape=(9, 9), tumor_cells=0, processes=[Process("p", after="dye", run=print)]
            ),
            "after = 'dye' is no verb.*did you mean 'die'",
        ),
    ],
)
def test_wrong_declarations_are_refused_in_one_sentence(declare, message):
    with pytest.raises(KindError, match=message) as error:
        declare()
    assert "\n" not in str(error.value)


def empty(kind):
    return TumorModel(shape=(9, 9), tumor_cells=0, seed=1, cell_kinds=[kind])


def test_check_cell_kind_keeps_good_ones_and_names_what_is_wrong():
    assert check_cell_kind(DECOY) and check_cell_kind(EATER)
    wrong = CellKind("decoy", agent=TCell, rates={"division": -1.0})
    with pytest.raises(CheckFailed) as error:
        check_cell_kind(wrong)
    assert len(error.value.broken) >= 2, "the wrong agent and the negative rate are both named"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"agent": dict}, "agent = <class 'dict'> is not a subclass of simulation.CellAgent"),
        ({"agent": None}, "agent = None"),
        ({"agent": Decoy.window}, "is not a subclass"),
        ({"agent": mesa.Agent}, "is not a subclass"),
        ({"name": 5}, "not 5"),
        ({"name": "a b"}, "named like a variable"),
        ({"rates": {"kil": 1}}, "there is no rule 'kil'"),
        ({"yielding": True}, "motile"),
    ],
)
def test_a_kind_that_cannot_be_is_refused_where_it_is_declared(wrong, message):
    with pytest.raises(KindError, match=message):
        CellKind(**{"name": "roamer", "agent": Decoy, "motile": True} | wrong)
