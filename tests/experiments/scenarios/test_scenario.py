"""Scenario files: what ships is in order; every mistake is one sentence that names file, key and what is allowed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from experiments.command.catalog import entry
from experiments.scenarios.scenario import Scenario
from experiments.scenarios.toml_tables import ScenarioError
from experiments.studies.archive import StudyError
from experiments.studies.sweep.sweep import Sweep
from experiments.studies.trial.trial import Trial
from simulation.parameters.parameter import ParameterError

GOOD = """
question = "What happens?"
parameters = "melanoma"
shape = [31, 31]
days = 2
seed = 3
[set]
"tumor.division_rate" = 0.5
[grow]
cells = 100
[arms.drug]
[[arms.drug.treatments]]
drug = "pembrolizumab"
"""
SHIPPED_ARMS = {
    "immunoediting": {"control", "high", "low"},
    "checkpoint_blockade": {"control", "pembrolizumab"},
    "cold_tumor": {"control", "pembrolizumab"},
    "car_t_antigen_escape": {"control", "car_t"},
    "b_all_car_t": {"control", "car_t"},
    "cytokines": {"control", "il2", "ifn_alpha"},
    "missing_self": {"control", "no_nk"},
    "combination": {"control", "pembrolizumab", "il2", "both"},
}


def read(text: str = GOOD) -> Scenario:
    return Scenario.from_text(text, name="mine", file="mine.toml")


@pytest.mark.parametrize("name", Scenario.names())
def test_every_scenario_that_ships_is_in_order(name):
    scenario = Scenario.load(name)
    assert scenario.question.endswith("?")
    assert next(iter(scenario.arms)) == "control"


@pytest.mark.parametrize("name", SHIPPED_ARMS)
def test_the_promised_arms_ship(name):
    assert set(Scenario.load(name).arms) == SHIPPED_ARMS[name]


def test_the_control_arm_is_added_first():
    assert list(read().arms) == ["control", "drug"]


def test_values_reach_the_parameters_of_the_right_arm():
    scenario = read(GOOD + '[arms.fast]\nstart = "twin"\nset = { "tumor.division_rate" = 0.9 }\n')
    assert scenario.model_parameters("control")["tumor.division_rate"] == 0.5
    assert scenario.model_parameters("fast")["tumor.division_rate"] == 0.9


def test_dotted_names_need_no_quotes():
    assert read(GOOD.replace('"tumor.division_rate"', "tumor.division_rate")).set == {
        "tumor.division_rate": 0.5
    }


def test_a_treatment_is_set_by_its_dotted_name():
    scenario = read().with_options(set={"treatments.pembrolizumab.first_dose": 7})
    assert scenario.build_treatments("drug")[0].value("first_dose") == 7
    assert scenario.overrides() == {"tumor.division_rate": 0.5}, (
        "a treatment's value is not the tumour's"
    )


def test_a_treatment_s_own_parameters_stand_beside_its_name_or_in_a_table():
    for written in ("half_life = 20", 'parameters = { half_life = "20 days" }'):
        scenario = read(GOOD.replace('drug = "pem', f'{written}\ndrug = "pem'))
        assert scenario.build_treatments("drug")[0].value("half_life") == 20


def test_two_builds_of_one_arm_share_nothing():
    first, second = read().build_treatments("drug"), read().build_treatments("drug")
    assert first[0] is not second[0]


def test_options_change_a_copy_and_keep_the_control():
    scenario = read(GOOD + "[arms.other]\n")
    changed = scenario.with_options(days=1, seed=9, arms=["drug"], set={"tumor.pdl1": 1})
    assert (changed.days, changed.seed, list(changed.arms)) == (1, 9, ["control", "drug"])
    assert changed.set == {"tumor.division_rate": 0.5, "tumor.pdl1": 1}
    assert (scenario.days, scenario.seed, len(scenario.arms)) == (2, 3, 3)


@pytest.mark.parametrize(
    "key, given",
    [
        ("first_dose = 1", True),
        ("first_dose = 2", False),
        ("given = 5", False),
        ("given = 1", True),
        ("first_dose = 1\nstopped = 1", False),
        ('schedule = { every = "1 day", first = "3 days" }', False),
    ],
)
def test_a_treatment_that_is_never_given_within_the_run_is_told(key, given):
    scenario = read(GOOD.replace('drug = "pem', f'{key}\ndrug = "pem'))
    told = [] if given else ["drug: no dose of pembrolizumab falls within 2 days"]
    assert scenario.undosed() == told, f"{key} in a run of 2 days"
    assert scenario.undosed(["treatments.pembrolizumab.first_dose"]) == [], (
        "where it varies it is left out"
    )


MISTAKES = {
    "unknown key": ("days = 2", "days = 2\ndyas = 3", ["dyas is an unknown key", "'days'"]),
    "unknown key in an arm": (
        "[arms.drug]",
        '[arms.drug]\nstrat = "fork"',
        ["arms.drug.strat is an unknown key", "'start'"],
    ),
    "unknown key in a treatment": (
        'drug = "pem',
        'dosis = 2\ndrug = "pem',
        ["arms.drug.treatments[0].dosis"],
    ),
    "unknown table": ("[grow]", "[grwo]", ["grwo is an unknown key", "'grow'"]),
    "missing key": ("days = 2\n", "", ["days is missing", "a number of days"]),
    "wrong type": ("days = 2", 'days = "two"', ["days = 'two'", "a number of days"]),
    "true is no number": ("days = 2", "days = true", ["days = True", "a number of days"]),
    "nan": ("days = 2", "days = nan", ["days = nan", "a number of days"]),
    "inf": ("days = 2", "days = inf", ["days = inf", "at most 3650"]),
    "negative": ("days = 2", "days = -2", ["days = -2", "above 0"]),
    "no seed": ("seed = 3", "seed = -1", ["seed = -1", "from 0"]),
    "seed with decimals": ("seed = 3", "seed = 1.5", ["seed = 1.5", "a whole number"]),
    "one side": ("shape = [31, 31]", "shape = [31]", ["shape = [31]", "two or three"]),
    "no lattice": ("shape = [31, 31]", "shape = [0, 31]", ["shape = [0, 31]", "at least 5"]),
    "a lattice with decimals": (
        "shape = [31, 31]",
        "shape = [31, 3.5]",
        ["shape[1] = 3.5", "whole numbers"],
    ),
    "a lattice beyond memory": (
        "shape = [31, 31]",
        "shape = [9999999, 9999999]",
        ["GB of memory", "sites fit"],
    ),
    "more cells than sites": ("cells = 100", "cells = 1000", ["grow.cells = 1000", "at most 961"]),
    "no cells": ("cells = 100", "cells = 0", ["grow.cells = 0", "at least 1"]),
    "parameter set": ('"melanoma"', '"melanomma"', ["parameters", "'melanoma'"]),
    "parameter name": (
        "tumor.division_rate",
        "tumor.divsion_rate",
        ["set:", "divsion_rate", "division_rate"],
    ),
    "parameter group": ("tumor.division_rate", "tumour.division_rate", ["set:", "'tumor'"]),
    "parameter range": ("= 0.5", "= -0.5", ["set:", "tumor.division_rate", "-0.5"]),
    "parameter nan": ("= 0.5", "= nan", ["set.tumor.division_rate = nan", "finite"]),
    "parameter list": ("= 0.5", "= [1]", ["set.tumor.division_rate = [1]", "a number"]),
    "parameter unit": ("= 0.5", '= "22 mmHg"', ["set:", "tumor.division_rate", "mmHg"]),
    "drug": ('"pembrolizumab"', '"pembrolizumap"', ["arms.drug.treatments[0]", "'pembrolizumab'"]),
    "before the start": (
        'drug = "pem',
        'first_dose = -1\ndrug = "pem',
        ["first_dose = -1", "before the start"],
    ),
    "drug parameter": (
        'drug = "pem',
        'parameters = { halflife = 20 }\ndrug = "pem',
        ["treatments[0]", "half_life"],
    ),
    "schedule": (
        'drug = "pem',
        'schedule = { evry = 3 }\ndrug = "pem',
        ["arms.drug.treatments[0]", "evry"],
    ),
    "twice one name": (
        "[arms.drug]",
        '[arms.drug]\n[[arms.drug.treatments]]\ndrug = "pembrolizumab"',
        ["arms.drug.treatments", "two treatments", "'pembrolizumab'"],
    ),
    "fork with parameters": (
        "[arms.drug]",
        '[arms.drug]\nset = { "tumor.pdl1" = 1 }',
        ["arms.drug.set", '"twin"'],
    ),
    "start": (
        "[arms.drug]",
        '[arms.drug]\nstart = "graft"',
        ["arms.drug.start = 'graft'", '"fork" or "twin"'],
    ),
    "name of an arm": ("[arms.drug]", '[arms."../x"]', ["'../x'", "letters"]),
    "value of no treatment": (
        "[grow]",
        '"treatments.nivolumab.first_dose" = 1\n[grow]',
        ["set:", "'nivolumab'"],
    ),
    "no TOML": ("days = 2", "days = ", ["not a TOML file", "line"]),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_sentence(mistake):
    old, new, expected = MISTAKES[mistake]
    assert old in GOOD
    with pytest.raises(ScenarioError) as caught:
        read(GOOD.replace(old, new, 1))
    message = str(caught.value)
    assert message.startswith("mine.toml") and "\n" not in message
    for words in expected:
        assert words in message, message


def test_a_name_that_is_nearly_right_is_suggested():
    with pytest.raises(ScenarioError, match="did you mean 'checkpoint_blockade'"):
        Scenario.load("checkpoint_blokade")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_file_is_read_as_every_editor_saves_it(tmp_path, encoding, newline):
    file = tmp_path / "mine.toml"
    file.write_bytes(GOOD.replace("\n", newline).encode(encoding))
    assert (
        Scenario.load(file).content()
        == read().content()
        == read(file.read_text(encoding="utf-8")).content()
    )
    assert not Scenario.load(file).text.startswith("\ufeff"), "a report prints the file"


def every_kind_of_file(content: bytes, folder: Path) -> Iterator[ScenarioError]:
    """What is said to such a file as scenario, as sweep, as trial, and as the scenario of a sweep."""
    (folder / "mine.toml").write_bytes(content)
    (folder / "sweep.toml").write_text('question = "?"\nscenario = "mine.toml"\n')
    for load, name in (
        (Scenario.load, "mine"),
        (Sweep.load, "mine"),
        (Trial.load, "mine"),
        (Sweep.load, "sweep"),
    ):
        with pytest.raises(ValueError) as caught:
            load(folder / f"{name}.toml").runs()
        yield caught.value


@pytest.mark.parametrize(
    "encoding, expected",
    [
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16"),
        ("utf-16-be", "UTF-16"),
        ("utf-32", "UTF-16"),
        ("latin-1", "line 3 "),
        ("cp1252", "line 3 "),
    ],
)
def test_a_file_in_another_encoding_is_told_which_is_needed(tmp_path, encoding, expected):
    for error in every_kind_of_file(
        'question = "?"\n\n# ein größerer Tumor\n'.encode(encoding), tmp_path
    ):
        assert isinstance(error, ScenarioError | StudyError)
        assert "mine.toml cannot be read" in str(error) and expected in str(error)
        assert "save it with the encoding UTF-8" in str(error)


@pytest.mark.parametrize("content, expected", [(None, "No such file"), (b"\xff\xfe", "UTF-8")])
def test_an_unreadable_file_is_named(tmp_path, content, expected):
    file = tmp_path / "mine.toml"
    if content:
        file.write_bytes(content)
    with pytest.raises(ScenarioError, match=expected) as caught:
        Scenario.load(file)
    assert str(file) in str(caught.value)


def test_a_folder_is_no_scenario(tmp_path):
    with pytest.raises(ScenarioError, match="cannot be read"):
        Scenario.load(tmp_path)


@pytest.mark.parametrize(
    "option, expected",
    [
        ({"days": float("nan")}, "--days"),
        ({"seed": -1}, "--seed"),
        ({"set": {"tumor.pdl": 1}}, "--set"),
        ({"arms": ["drugs"]}, "--arms"),
    ],
)
def test_an_impossible_option_is_named(option, expected):
    with pytest.raises(ScenarioError, match=expected):
        read().with_options(**option)
    with pytest.raises(ScenarioError, match="^mine.toml: ") as caught:
        read().with_options(**option, typed=False)
    assert "--" not in str(caught.value), "what stands in a file was not typed as an option"


def test_parameter_errors_are_told_by_the_parameter():
    with pytest.raises(ParameterError):
        read().model_copy(update={"set": {"tumor.division_rate": -1}}).model_parameters()


def test_three_lines_are_optional_shown_and_kept():
    plain = Scenario.load("combination").content()
    told = {key: plain.pop(key) for key in ("watch", "try", "means")}
    bare = Scenario.from_content(plain, name="mine")
    assert (
        bare.lines == {}
        and list(told) == ["watch", "try", "means"]
        and not {*told} & bare.content().keys()
    )
    whole = Scenario.from_content(plain | told).with_options(days=3)
    assert whole.lines == {"Watch": told["watch"], "Try": told["try"], "It means": told["means"]}
    assert {key: whole.content()[key] for key in told} == told
    shown = entry("combination").facts
    assert [line for line in shown if line.partition(": ")[2] in told.values()] == shown[:3]


@pytest.mark.parametrize("key", ["watch", "try", "means"])
@pytest.mark.parametrize("value", ["", 7, "x" * 151, ["a"]])
def test_a_line_that_is_none_is_told_by_its_key(key, value):
    with pytest.raises(
        ScenarioError,
        match=rf"mine: {key} = .* is not allowed; it must be a line of at most 150 le",
    ) as told:
        Scenario.from_content(Scenario.load("combination").content() | {key: value}, file="mine")
    assert "attempt" not in str(told.value)


def test_a_mistyped_line_finds_its_key():
    with pytest.raises(ScenarioError, match="tri is an unknown key .*'try'"):
        Scenario.from_content(Scenario.load("combination").content() | {"tri": "this"}, file="mine")
