"""A kind of cell that a table describes lives, is checked and is saved as one that Python declares; a mistake is one sentence."""

import dataclasses
import doctest

import pytest

from simulation import CellAgent, CellKind, Trait, TumorModel, check_cell_kind, kind_from_table
from simulation.kinds import table
from simulation.kinds.registry import Kinds
from simulation.kinds.shipped import KINDS, RECOGNITIONS
from simulation.parameter_sets import find
from simulation.parameters.tables import TableError
from simulation.testing import kind_promises
from simulation.testing.small_tissues import CROWD, run
from simulation.testing.witness import differences

WHOLE = {
    "description": "A phagocyte that eats what lacks MHC-I.",
    "words": "macrophages",
    "color": "#8E44AD",
    "initial_density": "100 cells/mm2",
    "capacity": "nk_cell.capacity",
    "motile": True,
    "rates": {
        "move": "1 um/minute",
        "persistence": 0.5,
        "engage": "2 /hour",
        "kill": "24 /day",
        "potency": "3 hits",
        "division": "t_cell.division_rate",
        "influx": "24 cells/mm2/day",
    },
    "traits": {"appetite": {"start": 1.0, "spread": 0.3, "mutation": "5 %", "high": 50}},
    "engages": {"tumor_cell": "missing_self"},
    "engaged_by": {"t_cell": "peptide"},
}


class Twin(CellAgent):
    """The same kind, in Python."""

    kind = "macrophage"


IN_PYTHON = CellKind(
    "macrophage",
    agent=Twin,
    traits=(Trait("appetite", start=1.0, spread=0.3, mutation=0.05, high=50.0),),
    rates={
        "move": 60.0,
        "persistence": 0.5,
        "engage": 2.0,
        "kill": 1.0,
        "potency": 3.0,
        "division": "t_cell.division_rate",
        "influx": 1.0,
    },
    engages={"tumor_cell": "missing_self"},
    engaged_by={"t_cell": "peptide"},
    motile=True,
    capacity="nk_cell.capacity",
    initial_density=100.0,
    words="macrophages",
    color="#8E44AD",
)


def made(**changes) -> CellKind:
    return kind_from_table("macrophage", WHOLE | changes)


def tissue(kind: CellKind) -> TumorModel:
    return TumorModel(
        cell_kinds=[kind],
        shape=(31, 31),
        seed=3,
        tumor_cells=300,
        overrides=CROWD | {"tumor.mhc": 0.05},
    )


def test_it_keeps_every_promise_of_a_kind():
    assert len(check_cell_kind(made())) == len(kind_promises.PROMISES)


def test_it_is_declared_and_lives_as_the_same_kind_in_python_to_the_last_bit():
    kind = made()
    assert dataclasses.replace(kind, agent=Twin) == IN_PYTHON
    one, other = run(tissue(kind)), run(tissue(IN_PYTHON))
    assert not differences(one, other) and one.count("macrophage") > 20
    assert one.counters["kills"].sum() == other.counters["kills"].sum() > 0
    harmless = run(tissue(made(engages={})))
    assert differences(one, harmless), "whom it engages makes a difference"


def test_it_travels_with_saved_models_by_what_it_says(tmp_path):
    kind = made(color="#123456")
    whole, half = run(tissue(kind), hours=12), run(tissue(kind), hours=6)
    half.save(tmp_path / "saved")
    forked = run(half.fork(), hours=6)
    for address in [name for name, value in vars(table).items() if value is kind]:
        del vars(table)[address]  # as in a process that never read the table
    loaded = run(TumorModel.load(tmp_path / "saved"), hours=6)
    assert not differences(whole, loaded) and not differences(whole, forked)
    assert loaded.kinds["macrophage"].color == "#123456"
    assert loaded.kinds["macrophage"] is not kind and made(color="#123456") is not kind


def test_kinds_of_tables_may_meet_each_other_and_themselves():
    eaten = kind_from_table("debris", {"rates": {"lethal_hits": "1 hits"}}, ["macrophage"])
    eater = kind_from_table(
        "macrophage", WHOLE | {"engages": {"debris": "missing_self"}}, ["debris"]
    )
    kinds = Kinds([*KINDS, eaten, eater], [*RECOGNITIONS])
    met = kinds.interactions()
    assert met[kinds.index("macrophage"), kinds.index("debris")] == 2
    assert kinds.baseline(find("melanoma").parameters()).shape[1] == 6
    assert kind_from_table("crowd", {"engages": {"crowd": "target"}}).engages == {"crowd": "target"}


def test_what_is_left_out_is_told_by_default():
    kind = kind_from_table("dead_weight", {})
    assert (kind.words, kind.column, kind.agent.__name__) == (
        "dead weights",
        "dead_weights",
        "DeadWeight",
    )
    assert not (kind.motile or kind.yielding or kind.rates or kind.traits)


def test_what_the_docstring_shows_is_so():
    found = doctest.testmod(table)
    assert found.attempted and not found.failed


WRONG = [
    ({"motil": True}, ["'motil' is an unknown key", "'motile'"]),
    ({"motile": 1}, ["motile = 1", "true or false"]),
    ({"yielding": True}, ["yielding", "a motile cell cannot be yielding"]),
    ({"rates": 5}, ["rates", "5 is not a table"]),
    ({"rates": {"mov": "1 um/h"}}, ["rates", "there is no rule 'mov'", "'move'"]),
    ({"rates": {"move": 60}}, ["rates.move", "60 has no unit", '"2 um/hour"']),
    ({"rates": {"move": "60 um"}}, ["rates.move", "'um' does not convert to um/hour"]),
    ({"rates": {"kill": "1 /huor"}}, ["rates.kill", "'/huor'", "'/hour'"]),
    ({"rates": {"kill": "-1 /hour"}}, ["rates.kill", "at least 0"]),
    ({"rates": {"kill": "often"}}, ["rates.kill", "a number with a unit"]),
    ({"rates": {"kill": True}}, ["rates.kill", "a number with a unit"]),
    ({"rates": {"brake": "much"}}, ["rates.brake", "a number"]),
    ({"traits": {"site": {}}}, ["traits", "'site'", "choose another"]),
    ({"traits": {"neighbors": {}}}, ["traits", "'neighbors'", "choose another"]),
    ({"traits": {"a b": {}}}, ["traits", "'a b'", "choose another"]),
    ({"traits": {"appetite": 3}}, ["traits.appetite", "3 is not a table"]),
    ({"traits": {"appetite": {"strat": 1}}}, ["traits.appetite", "'strat'", "'start'"]),
    ({"traits": {"appetite": {"loss": 2}}}, ["traits.appetite.loss", "at most 1"]),
    ({"traits": {"appetite": {"start": 200}}}, ["traits.appetite.start", "at most 100"]),
    ({"traits": {"appetite": {"start": "1 nM"}}}, ["traits.appetite.start", "'nM'"]),
    ({"engages": {"tumour_cell": "peptide"}}, ["engages", "'tumour_cell'", "'tumor_cell'"]),
    ({"engages": {"tumor_cell": "peptid"}}, ["engages.tumor_cell", "'peptid'", "'peptide'"]),
    ({"engages": {"tumor_cell": 1}}, ["engages.tumor_cell", "peptide, target, missing_self"]),
    ({"engaged_by": ["t_cell"]}, ["engaged_by", "is not a table"]),
    ({"capacity": "many"}, ["capacity", "a number"]),
    ({"initial_density": 20}, ["initial_density", "20 has no unit", '"2 cells/mm2"']),
    ({"initial_density": "20 cells/mL"}, ["initial_density", "'cells/mL'"]),
    ({"color": "purple"}, ["color = 'purple'", '"#8E44AD"']),
    ({"words": ""}, ["words", "one line"]),
    ({"column": "t_cells"}, ["column = 't_cells'", "there already"]),
    ({"column": "my cells"}, ["column", "letters, digits and underscores"]),
    ({"description": 3}, ["description = 3", "one line"]),
]


@pytest.mark.parametrize(("changes", "told"), WRONG, ids=lambda part: str(part)[:50])
def test_a_mistake_is_one_sentence_that_names_the_key_and_what_is_allowed(changes, told):
    with pytest.raises(TableError) as error:
        made(**changes)
    said = str(error.value)
    assert "\n" not in said and len(said) < 400, said
    for words in told:
        assert words in said


@pytest.mark.parametrize("name", ["", "My_Kind", "1st", "a b", "a.b", "a" * 61, 7, "t_cell"])
def test_a_name_is_a_word_of_its_own(name):
    with pytest.raises(TableError, match="choose another name|is named with a small letter"):
        kind_from_table(name, WHOLE)
