"""A treatment that a table describes acts, is checked and is saved as one that Python describes; a mistake is one sentence."""

import copy
import doctest
import math
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation import (
    Parameter,
    Schedule,
    Treatment,
    TumorModel,
    assumed,
    check_treatment,
    kind_from_table,
    treatment_from_table,
)
from simulation.parameters import tables
from simulation.parameters.tables import TableError
from simulation.plug_ins import class_path
from simulation.testing.small_tissues import run, under_attack
from simulation.testing.witness import differences
from simulation.treatments import Pembrolizumab, TreatmentError, build, find, table
from tests.dish import dish, grid, sow, standard_errors

WHOLE = {
    "description": "A toxic antibody, daily.",
    "source": "assumed: for a test",
    "half_life": "5 hour",
    "schedule": {"every": "1 day"},
    "dose": "100 mg",
    "effects": [
        {"rule": "death", "kind": "tumor_cell", "add": "1.5 /day"},
        {"rule": "division", "scale": {"value": 0.5, "range": [0, 1]}},
        {"receptor": "pd1", "dissociation": "30 pM", "penetration": "20 %"},
    ],
}


def made(**changes) -> type[Treatment]:
    return treatment_from_table("my_drug", WHOLE | changes)


class InPython(Treatment):
    """The first two effects of the table, in Python."""

    half_life = Parameter(5, "hour", "half-life", range=(1, 100), source=assumed("for a test"))
    potency = Parameter(1.5, "1/day", "death rate", range=(0, 20), source=assumed("for a test"))
    schedule = Schedule(every="1 day")

    def modify(self, rules, model):
        level = self.level(model, self.half_life)
        rules.death.add(self.potency * level, kind="tumor_cell")
        rules.division.scale(1.0 + (0.5 - 1.0) * min(1.0, level))


def test_it_keeps_every_promise_of_a_treatment():
    assert len(check_treatment(made())) >= 17


def test_it_acts_as_the_same_drug_in_python_to_the_last_bit():
    drug = made(effects=WHOLE["effects"][:2])
    arms = [run(under_attack().fork([each(name="a")])) for each in (drug, InPython)]
    assert not differences(*arms)
    assert differences(arms[0], run(under_attack().fork())), "the drug does something"


def test_an_antibody_of_a_table_is_the_one_that_ships_to_the_last_bit():
    told = {key: each for key, each in Pembrolizumab.parameters().items() if key != "first_dose"}
    effect = {key: f"{each.default} {each.unit}" for key, each in told.items()}
    half_life = effect.pop("half_life")
    antibody = treatment_from_table(
        "antibody",
        {
            "half_life": half_life,
            "schedule": Pembrolizumab.schedule,
            "effects": [{"receptor": "pd1"} | effect],
        },
    )
    arms = [run(under_attack().fork([each(name="a")])) for each in (antibody, Pembrolizumab)]
    assert not differences(*arms)
    assert differences(arms[0], run(under_attack().fork())), "the antibody does something"


@pytest.mark.parametrize("share", [1.0, 0.5])
def test_cells_die_by_what_the_table_says_and_by_half_of_it_at_half_the_dose(share):
    """The hazard of one dose, integrated: within 4 standard errors of the binomial law, either way."""
    model = dish((101, 101), seed=3)
    sow(model, "tumor_cell", grid((101, 101), 1))
    drug = made(schedule={}, effects=WHOLE["effects"][:1])(dose=100 * share)
    model.give(drug)
    hours, before = 24, model.count("tumor_cell")
    for _ in range(hours):
        model.step()
    hazard = share * 1.5 / 24 * 5 / math.log(2) * (1 - 0.5 ** (hours / 5))
    lives = math.exp(-hazard)
    error = math.sqrt(before * lives * (1 - lives))
    assert abs(standard_errors(model.count("tumor_cell"), before * lives, error)) < 4
    assert abs(standard_errors(before, before * lives, error)) > 10, "it could be told from no drug"


def test_a_factor_is_reached_right_after_a_dose_and_goes_no_further():
    for every, expected in (("1 hour", 0.5), ("100 days", 0.5)):
        model = TumorModel(shape=(31, 31), seed=1, tumor_cells=20)
        model.give(made(half_life="100 hour", schedule={"every": every}))
        base = model.rules.division.value["tumor_cell"]
        for _ in range(3):
            model.step()
        factor = model.rules.division.value["tumor_cell"] / base
        assert factor == pytest.approx(expected, abs=0.02), f"a dose every {every}"


def test_every_number_is_a_parameter_with_unit_range_source_and_readable_name():
    rows = {row["name"].rpartition(".")[2]: row for row in made()().table()}
    assert {*rows} == {
        "first_dose",
        "half_life",
        "dose",
        "volume",
        "molar_mass",
        "penetration",
        "added_death_of_tumor_cell",
        "factor_on_division",
        "dissociation_from_pd1",
    }
    death, factor = rows["added_death_of_tumor_cell"], rows["factor_on_division"]
    assert (death["value"], death["unit"], death["source"]) == (1.5, "1/day", "assumed: for a test")
    assert (factor["low"], factor["high"]) == (0, 1)
    assert rows["volume"]["source"] == "label:pembrolizumab", "what is not told is an antibody's"
    default = made(source=tables.AUTHOR)().source("half_life")
    assert default == "assumed: said by the author of the scenario"


def test_the_dose_of_an_antibody_may_stand_with_its_receptor():
    beside = made(effects=[WHOLE["effects"][2]])().table()
    told = {key: each for key, each in WHOLE.items() if key != "dose"}
    effects = [WHOLE["effects"][2] | {"dose": "100 mg"}]
    assert treatment_from_table("my_drug", told | {"effects": effects})().table() == beside


def test_units_convert_once_at_the_door():
    hourly = made(effects=[{"rule": "death", "add": "0.0625 /h"}])()
    daily = made(effects=[{"rule": "death", "add": "1.5 d^-1"}])()
    assert hourly.added_death == daily.added_death == 0.0625
    assert made(half_life="1 day")().half_life == made(half_life="24 h")().half_life == 24


def test_the_same_table_is_the_same_class_and_another_one_is_not():
    assert made() is made() is treatment_from_table("my_drug", copy.deepcopy(WHOLE))
    assert made() is not made(half_life="6 hour")
    assert build(made()).name == "my_drug" and made().describe() == "A toxic antibody, daily."


def test_it_travels_between_processes_and_saved_models_by_what_it_says(tmp_path):
    drug = made(half_life="7 hour")
    path = class_path(drug)
    assert find(path) is drug and pickle.loads(pickle.dumps(drug)) is drug
    whole = run(under_attack().fork([drug(dose="50 mg")]), hours=12)
    half = run(under_attack().fork([drug(dose="50 mg")]), hours=6)
    half.save(tmp_path / "saved")
    forked = run(half.fork(), hours=6)
    del vars(table)[drug.__qualname__]  # as in a process that never read the table
    loaded = run(TumorModel.load(tmp_path / "saved"), hours=6)
    assert not differences(whole, loaded) and not differences(whole, forked)
    again = loaded.treatments["my_drug"]
    assert type(again) is not drug and class_path(type(again)) == path
    assert (again.value("dose"), again.half_life) == (50, 7)


@pytest.mark.parametrize("module", [table, tables])
def test_what_the_docstrings_show_is_so(module):
    found = doctest.testmod(module)
    assert found.attempted and not found.failed


# ---------------------------------------------------------------- mistakes

EFFECT = {"rule": "death", "kind": "tumor_cell", "add": "1 /day"}
BINDS = {"receptor": "pd1", "dissociation": "0.03 nM", "dose": "200 mg"}
WRONG = [
    ({"half_live": "5 hour"}, ["'half_live' is an unknown key", "'half_life'"]),
    ({"half_life": None}, ["half_life is missing", '"5 hour"']),
    ({"half_life": 5}, ["half_life", "5 has no unit", '"2 hour"']),
    ({"half_life": "5"}, ["half_life", "'5' has no unit"]),
    ({"half_life": "5 huor"}, ["half_life", "'huor' does not convert to hour", "'hour'"]),
    ({"half_life": "5 nM"}, ["half_life", "'nM' does not convert", "second, minute, hour, day"]),
    ({"half_life": "0 hour"}, ["half_life", "more than 0"]),
    ({"half_life": {"value": "5 hour", "range": [0, 9]}}, ["half_life", "more than 0"]),
    ({"half_life": "1e300 hour"}, ["half_life", "at most 1e+15"]),
    ({"half_life": "-1 hour"}, ["half_life", "at least 0"]),
    ({"half_life": "soon"}, ["half_life = 'soon'", "a number with a unit"]),
    ({"half_life": True}, ["half_life", "a number with a unit"]),
    ({"half_life": float("nan")}, ["half_life", "a number with a unit"]),
    ({"half_life": {"val": "5 hour"}}, ["half_life", "'val'", "'value'"]),
    ({"half_life": {"range": [1, 2]}}, ["half_life", "value is missing"]),
    ({"half_life": {"value": "5 hour", "range": [9, 1]}}, ["half_life.range", "in this order"]),
    ({"half_life": {"value": "5 hour", "range": 9}}, ["half_life.range", "lowest and the highest"]),
    ({"half_life": {"value": "5 hour", "range": [6, 9]}}, ["between 6 and 9 hour"]),
    ({"half_life": {"value": "5 hour", "source": "a feeling"}}, ["half_life.source", "assumed:"]),
    ({"half_life": {"value": "5 hour", "meaning": ""}}, ["half_life.meaning", "one line"]),
    ({"source": "Nobody1999"}, ["source = 'Nobody1999'", "bibliography"]),
    ({"description": "two\nlines"}, ["description", "one line"]),
    ({"description": 7}, ["description = 7", "one line"]),
    ({"schedule": {"evry": "1 day"}}, ["schedule", "'evry'", "'every'"]),
    ({"schedule": "daily"}, ["schedule", "must be a table"]),
    ({"schedule": {"every": "1 dya"}}, ["schedule", "every = '1 dya'"]),
    ({"dose": "0 mg", "effects": [EFFECT]}, ["dose", "more than 0"]),
    ({"dose": "5 day", "effects": [EFFECT]}, ["dose", "'day' does not convert to mg"]),
    ({"dose": "5 mgg"}, ["dose", "'mgg'"]),
    ({"dose": "9000 mg"}, ["dose", "between 0 and 5000 mg", "range = [lowest, highest]"]),
    ({"volume": "6 L", "effects": [EFFECT]}, ["volume", "covers a receptor"]),
    ({"effects": None}, ["effects is missing"]),
    ({"effects": []}, ["effects is missing"]),
    ({"effects": "death"}, ["effects[0]", "'death' is not a table"]),
    ({"effects": [{}]}, ["effects[0]", "either a rule or a receptor"]),
    ({"effects": [EFFECT | {"ad": 1}]}, ["effects[0]", "'ad' is an unknown key", "'add'"]),
    ({"effects": [EFFECT | {"rule": "deth"}]}, ["effects[0].rule", "'deth'", "'death'"]),
    ({"effects": [EFFECT | {"kind": "tumour_cell"}]}, ["effects[0].kind", "'tumor_cell'"]),
    ({"effects": [EFFECT | {"scale": 2}]}, ["effects[0]", "either add or scale"]),
    ({"effects": [{"rule": "death"}]}, ["effects[0]", "either add or scale"]),
    ({"effects": [EFFECT | {"add": 1.5}]}, ["effects[0].add", "no unit", '"2 /hour"']),
    ({"effects": [EFFECT | {"add": "1.5 /dya"}]}, ["effects[0].add", "'/dya'", "'/day'"]),
    ({"effects": [EFFECT | {"add": "1.5 nM"}]}, ["effects[0].add", "does not convert to /hour"]),
    ({"effects": [EFFECT | {"add": "-1 /day"}]}, ["effects[0].add", "at least 0"]),
    ({"effects": [{"rule": "il2", "add": "1 /day"}]}, ["effects[0].add", "to nM", "pM"]),
    ({"effects": [{"rule": "death", "scale": "half"}]}, ["effects[0].scale", "a number"]),
    ({"effects": [{"rule": "death", "scale": "2 /day"}]}, ["effects[0].scale", "'/day'"]),
    ({"effects": [{"rule": "death", "scale": -1}]}, ["effects[0].scale", "at least 0"]),
    ({"effects": [EFFECT, EFFECT]}, ["effects[1]", "adds to death of tumor_cell", "make them one"]),
    ({"effects": [BINDS | {"receptor": "pd2"}]}, ["effects[0].receptor", "'pd2'", "'pd1'"]),
    ({"effects": [BINDS | {"kind": "t_cell"}]}, ["effects[0]", "'kind' is an unknown key"]),
    ({"effects": [BINDS | {"rule": "death"}]}, ["effects[0]", "unknown key"]),
    ({"effects": [BINDS]}, ["effects[0].dose", "told twice"]),
    (
        {"effects": [BINDS | {"dissociation": "0 nM"}], "dose": None},
        ["dissociation", "more than 0"],
    ),
    ({"effects": [BINDS | {"volume": "0 L"}], "dose": None}, ["effects[0].volume", "more than 0"]),
    ({"effects": [{"receptor": "pd1"}]}, ["effects[0]", "dissociation is missing"]),
    ({"effects": [BINDS | {"dissociation": "3 mg"}]}, ["effects[0].dissociation", "to nM"]),
    ({"effects": [WHOLE["effects"][2]], "dose": None}, ["dose is missing", '"200 mg"']),
]


@pytest.mark.parametrize(("changes", "told"), WRONG, ids=lambda part: str(part)[:50])
def test_a_mistake_is_one_sentence_that_names_the_key_and_what_is_allowed(changes, told):
    content = {key: value for key, value in (WHOLE | changes).items() if value is not None}
    with pytest.raises(TableError) as error:
        treatment_from_table("my_drug", content)
    said = str(error.value)
    assert "\n" not in said and len(said) < 400, said
    for words in told:
        assert words in said


@pytest.mark.parametrize("name", ["", "My_Drug", "1st", "a b", "a.b", "a" * 61, 7, "pembrolizumab"])
def test_a_name_is_a_word_of_its_own(name):
    with pytest.raises(TableError, match="choose another name|is named with a small letter"):
        treatment_from_table(name, WHOLE)


def test_an_effect_on_a_kind_of_one_s_own_needs_that_kind_to_be_named_and_is_tried_without_its_cells():
    effects = [{"rule": "death", "kind": "macrophage", "add": "24 /day"}]
    with pytest.raises(TableError, match="there is no kind of cell 'macrophage'"):
        made(effects=effects)
    drug = treatment_from_table("my_drug", WHOLE | {"effects": effects}, kinds=["macrophage"])
    check_treatment(drug)


def test_an_effect_on_a_kind_of_one_s_own_meets_the_cells_of_that_kind_also_after_save_and_load(
    tmp_path,
):
    density = {"initial_density": "1000 cells/mm2"}
    kind = kind_from_table("macrophage", density)
    effects = [{"rule": "death", "kind": "macrophage", "add": "4.8 /day"}]
    drug = treatment_from_table("my_drug", WHOLE | {"effects": effects}, kinds=["macrophage"])
    model = TumorModel(cell_kinds=[kind], treatments=[drug], shape=(51, 51), seed=1, tumor_cells=9)
    before = model.count("macrophage")
    run(model, hours=6)
    model.save(tmp_path / "saved")
    loaded, forked = TumorModel.load(tmp_path / "saved"), model.fork()
    for each in (model, loaded, forked):
        assert each.kinds["macrophage"] is kind
        run(each, hours=6)
    assert not differences(model, loaded) and not differences(model, forked)
    lives = math.exp(-4.8 / 24 * 5 / math.log(2) * (1 - 0.5 ** (12 / 5)))
    error = math.sqrt(before * lives * (1 - lives))
    assert before > 400
    assert abs(standard_errors(model.count("macrophage"), before * lives, error)) < 4


@given(st.text(min_size=1, max_size=60))
def test_a_table_is_read_back_from_its_address_whatever_it_says(text):
    address = tables.address_of("my_drug", {"description": text}, [text])
    assert not {".", ":"} & {*address}
    assert tables.read_back(address) == ("my_drug", {"description": text}, [text])


@pytest.mark.parametrize(
    "word",
    ["my_drug", "my_drug=", "my_drug=[", "my_drug=[1]", "my_drug=7", "My=[]", "__path__", ""],
)
def test_what_is_no_address_is_no_treatment(word):
    with pytest.raises(AttributeError):
        tables.read_back(word)
    with pytest.raises(TreatmentError):
        find(f"simulation.treatments.table:{word}")


def test_an_antibody_of_a_table_coats_what_it_covers_as_its_fc_part_says():
    """On surface molecules too: NK cells see what IgG1 covers, and not what a silent antibody covers."""
    table = {
        "half_life": "20 day",
        "dose": "200 mg",
        "schedule": {"days": [0]},
        "effects": [{"receptor": "car_target", "dissociation": "1 nM"}],
    }
    models = {}
    for fc in (0.0, 1.0):
        marker = treatment_from_table("marker", table | {"fc": fc})
        models[fc] = TumorModel(treatments=[marker], shape=(31, 31), tumor_cells=60, seed=1)
        models[fc].step()
    free = {fc: model.rules.free("car_target") for fc, model in models.items()}
    assert free[0.0] == free[1.0] < 0.5, "either covers, and hides the molecule from CARs"
    assert models[0.0].rules.coating("car_target") == 0.0 and "coat" not in models[0.0].cells
    coat = models[1.0].cells["coat"][models[1.0].rows("tumor_cell")]
    assert coat.max() > 0.3
