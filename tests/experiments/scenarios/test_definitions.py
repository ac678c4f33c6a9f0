"""A scenario defines drugs and kinds of cells in tables: arms, studies, the lab and saved runs take them like those that ship."""

import copy
import datetime
import tomllib

import pandas as pd
import pytest

from experiments.lab.lab import Lab
from experiments.report.design import facts
from experiments.runs.run import run_scenario
from experiments.scenarios.arms import grown, tumor_key
from experiments.scenarios.definitions import check_kinds
from experiments.scenarios.scenario import Scenario
from experiments.scenarios.toml_tables import ScenarioError
from experiments.studies.one_run import declared
from experiments.studies.runner import complete
from experiments.studies.study import Study
from experiments.studies.sweep.sweep import Sweep
from experiments.studies.trial.trial import Trial
from simulation.kinds.shipped import KINDS
from simulation.parameter_sets import find
from simulation.plug_ins import class_path
from tests.experiments.command.test_cli import refuse, succeed

MINE = """
question = "Does my drug help?"
parameters = "melanoma"
shape = [31, 31]
days = 2
seed = 3
tumor_cells = 150

[drugs.my_drug]
description = "A toxic pill, daily."
half_life = "5 hour"
schedule = { every = "1 day" }
dose = "10 mg"
effects = [
  { rule = "death", kind = "tumor_cell", add = "1.5 /day" },
  { rule = "death", kind = "macrophage", scale = 2 },
  { receptor = "pdl1", dissociation = { value = "400 nM", range = [1, 1000], source = "assumed: weak" }, volume = "6 L" },
]

[cell_kinds.macrophage]
words = "macrophages"
color = "#8E44AD"
initial_density = "100 cells/mm2"
motile = true
rates = { move = "1 um/minute", engage = "2 /hour", kill = "1 /hour", potency = "3 hits", death = "0.05 /day" }
engages = { tumor_cell = "missing_self" }
engaged_by = { car_t_cell = "target" }
capacity = "nk_cell.capacity"
traits = { appetite = { start = 1.0, spread = 0.3, loss = "tumor.mhc_loss", high = 20 } }

[arms.drug]
[[arms.drug.treatments]]
drug = "my_drug"
half_life = "8 hour"

[arms.both]
[[arms.both.treatments]]
drug = "my_drug"
name = "pill"
[[arms.both.treatments]]
drug = "pembrolizumab"
"""


def read(text: str = MINE) -> Scenario:
    return Scenario.from_text(text, name="mine", file="mine.toml")


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    found = tmp_path_factory.mktemp("mine") / "mine.toml"
    found.write_text(MINE)
    return found


@pytest.fixture(scope="module")
def folder(file):
    """A finished run."""
    succeed("run", file, "--out", file.parent / "run")
    return file.parent / "run"


def test_arms_give_a_drug_of_the_scenario_by_its_name_with_values_of_their_own():
    scenario = read()
    (alone,), (pill, other) = scenario.build_treatments("drug"), scenario.build_treatments("both")
    assert (alone.name, alone.value("half_life"), pill.name, pill.half_life) == (
        "my_drug",
        8,
        "pill",
        5,
    )
    assert type(alone) is type(pill) is scenario.own_drugs["my_drug"] and other.name
    bent = scenario.with_options(set={"treatments.pill.added_death_of_tumor_cell": "3 /day"})
    assert bent.build_treatments("both")[0].value("added_death_of_tumor_cell") == 3


def test_what_a_scenario_defines_travels_with_its_content():
    scenario = read()
    again = Scenario.from_content(scenario.content())
    assert again.own_drugs == scenario.own_drugs and again.own_kinds == scenario.own_kinds
    for name in Scenario.names():
        assert not {"drugs", "cell_kinds"} & Scenario.load(name).model_dump().keys(), (
            "what is not used stands in no file"
        )


def test_shipped_kinds_take_their_numbers_from_parameters_that_measure_what_is_asked_for():
    check_kinds(KINDS, find("melanoma").parameters(), "a file")


def test_a_kind_that_is_defined_is_there_and_makes_another_tumour():
    scenario = read()
    model = grown(scenario)
    assert model.count("macrophage") == 22
    without = read(MINE.replace("100 cells/mm2", "0 cells/mm2"))
    assert grown(without).count("macrophage") == 0
    assert tumor_key(scenario) != tumor_key(without)


def test_a_run_is_read_resumed_and_told_like_any_other(folder, file):
    arms = pd.read_csv(folder / "timeseries.csv").groupby("arm").last()
    assert arms["tumor_cells"]["drug"] < 0.7 * arms["tumor_cells"]["control"]
    assert (arms["macrophages"] > 0).all()
    doses = pd.read_csv(folder / "doses.csv")
    assert set(doses["treatment"]) == {"my_drug", "pill", "pembrolizumab"}
    assert set(doses["amount"][doses["treatment"] == "my_drug"]) == {10}
    report = (folder / "report.html").read_text()
    for words in ("Drug my drug", "A toxic pill, daily.", "1.5 /day", "Kind of cell macrophages"):
        assert words in report
    before = (folder / "timeseries.csv").read_bytes()
    for words in (("plot", folder), ("run", file, "--out", folder, "--resume")):
        succeed(*words)
    assert (folder / "timeseries.csv").read_bytes() == before


def test_a_run_that_was_stopped_is_completed_to_the_same_bytes(folder, file, tmp_path):
    class Stopped(Exception):
        pass

    def stop(arm, day, days):
        if arm == "both" and day > 1:
            raise Stopped

    with pytest.raises(Stopped):
        run_scenario(str(file), out=tmp_path / "run", on_progress=stop)
    run_scenario(str(file), out=tmp_path / "run", resume=True)
    for name in ("timeseries.csv", "doses.csv", "measures.csv"):
        assert (tmp_path / "run" / name).read_bytes() == (folder / name).read_bytes()


def test_it_is_shown_and_checked_by_name(file):
    shown = succeed("show", file)
    for words in ("drug my_drug: A toxic pill, daily.", "kind of cell macrophage", "half_life"):
        assert words in shown
    assert "added_death_of_tumor_cell" in succeed("show", f"{file}:my_drug")
    plain = file.with_name("plain.toml")
    plain.write_text(MINE.replace('{ rule = "death", kind = "macrophage", scale = 2 },', ""))
    assert "keeps every promise" in succeed("check-treatment", f"{plain}:my_drug")
    assert "defines no drug 'my_drag' (did you mean 'my_drug'?)" in refuse(
        "check-treatment", f"{file}:my_drag"
    )
    told = dict(facts(read()))
    assert "half life 5 hour, added death of tumour cell 1.5 /day" in told["Drug my drug"]


def test_a_sweep_varies_its_numbers_and_its_schedule_by_dotted_name(file, tmp_path):
    study = Sweep.from_content(
        {
            "question": "How much of it?",
            "scenario": str(file),
            "seeds": 2,
            "vary": {
                "treatments.my_drug.added_death_of_tumor_cell": [0.0, 3.0],
                "treatments.my_drug.schedule.every": ["12 hours"],
            },
        }
    )
    assert declared(read(), "treatments.my_drug.half_life").unit == "hour"
    summary = complete(study, tmp_path / "study", workers=1)
    assert summary.failed == 0
    rows = summary.tables["outcomes"].query("arm == 'drug'")
    burden = rows.groupby("treatments.my_drug.added_death_of_tumor_cell")["end_cells"].max()
    assert burden[3.0] < 0.5 * burden[0.0]
    wrong = {"vary": {"treatments.my_drug.half_live": [1, 2]}}
    study = Sweep.from_content({"question": "How?", "scenario": str(file)} | wrong)
    with pytest.raises(ValueError, match="half_live.*did you mean 'half_life'"):
        complete(study, tmp_path / "wrong", workers=1)


def studies(file) -> list[Study]:
    """A surface over the doses of its drug and of one that ships, and a trial whose patients differ in its half-life."""
    vary = {"treatments.pill.dose": [0, 10], "treatments.pembrolizumab.dose": [0, 200]}
    x, y = vary
    both = {"vary": vary, "surface": {"arm": "both", "x": x, "y": y}, "seeds": 2}
    differ = {"treatments.pill.half_life": {"distribution": "uniform", "low": 4, "high": 6}}
    asked = {"question": "Does it help?", "scenario": str(file)}
    return [
        Sweep.from_content(asked | both),
        Trial.from_content(asked | {"vary": differ, "patients": 2}),
    ]


@pytest.mark.parametrize("number", [0, 1], ids=["surface", "trial"])
def test_a_surface_and_a_trial_take_it_by_its_name(file, number):
    study = studies(file)[number]
    run = study.runs()[-1]
    outcomes = study.function(run.parameters, run.seed)["outcomes"].set_index("arm")
    assert outcomes["end_cells"]["drug"] < 0.7 * outcomes["end_cells"]["control"]


@pytest.mark.slow
@pytest.mark.parametrize("number", [0, 1], ids=["surface", "trial"])
def test_a_whole_surface_and_a_whole_trial_are_computed_by_workers(file, tmp_path, number):
    summary = complete(studies(file)[number], tmp_path / "study", workers=2)
    assert summary.failed == 0 and len(summary.tables["outcomes"])


def test_the_lab_offers_it_draws_it_and_writes_it_down(file):
    lab = Lab(str(file))
    lab.open()
    name = lab.give(0, "my_drug", 20.0)
    lab.step(12)
    assert "my drug given: 20 mg, every 1 day" in " ".join(lab.log()).replace(
        "every day", "every 1 day"
    )
    frame = lab.frame()
    assert all("macrophages" in panel for panel in frame.panels[1:2])
    exported = Scenario.from_text(lab.exported())
    assert exported.own_drugs == lab.scenario.own_drugs and exported.own_kinds
    written = tomllib.loads(lab.exported())
    assert written["arms"]["left"]["treatments"][0]["drug"] == "my_drug" and name == "my_drug"
    (given,) = exported.build_treatments("left")
    assert (given.value("dose"), class_path(type(given))) == (
        20,
        class_path(lab.scenario.own_drugs["my_drug"]),
    )


WRONG = {
    "drug": ("[drugs.my_drug]", "[drug.my_drug]", ["drug is an unknown key", "'drugs'"]),
    "name": ("[drugs.my_drug]", "[drugs.My-Drug]", ["drugs.My-Drug", "'My-Drug'"]),
    "ships": ("[drugs.my_drug]", "[drugs.nivolumab]", ["drugs.nivolumab", "choose another name"]),
    "key": ('half_life = "5', 'half_live = "5', ["drugs.my_drug", "'half_live'", "'half_life'"]),
    "unit": ("5 hour", "5 huor", ["drugs.my_drug", "half_life", "'huor'", "'hour'"]),
    "rule": ('"death", kind = "tumor', '"deaths", kind = "tumor', ["effects[0].rule", "'death'"]),
    "kind": ('kind = "tumor_cell"', 'kind = "tumour"', ["effects[0].kind", "'tumor_cell'"]),
    "own kind": ('kind = "macrophage"', 'kind = "macrofage"', ["effects[1].kind", "'macrophage'"]),
    "rate unit": ("1.5 /day", "1.5 nM", ["effects[0].add", "does not convert to /hour"]),
    "no unit": ('"1.5 /day"', "1.5", ["effects[0].add", "1.5 has no unit"]),
    "date": ('"5 hour"', "1979-05-27", ["drugs.my_drug", "half_life"]),
    "not a table": ("[arms.drug]", "[drugs]\nother = 5\n[arms.drug]", ["drugs.other = 5"]),
    "schedule": ('every = "1 day"', 'evry = "1 day"', ["drugs.my_drug", "schedule", "'every'"]),
    "arm": ('drug = "my_drug"\nname', 'drug = "my_drag"\nname', ["arms.both", "'my_drug'"]),
    "parameter": ('half_life = "8', 'half_live = "8', ["arms.drug.treatments[0]", "half_live"]),
    "rates": ("move =", "mov =", ["cell_kinds.macrophage", "rates", "'mov'", "'move'"]),
    "rates unit": ("1 um/minute", "1 um/minut", ["rates.move", "'um/minut'", "'um/minute'"]),
    "dotted": ('"2 /hour"', '"t_cell.engage"', ["cell_kinds.macrophage", "rates.engage", "t_cell"]),
    "group": ('"2 /hour"', '"tcell.engage_rate"', ["cell_kinds.macrophage", "'t_cell'"]),
    "dimension": ('"2 /hour"', '"t_cell.speed"', ["rates.engage", "t_cell.speed", "um/minute"]),
    "density": ('"100 cells/mm2"', '"t_cell.sped"', ["initial_density", "t_cell.sped"]),
    "recognition": ("missing_self", "missing_sef", ["engages.tumor_cell", "'missing_self'"]),
    "engages": ('tumor_cell = "missing', 't = "missing', ["cell_kinds.macrophage", "engages"]),
    "color": ("#8E44AD", "violet", ["cell_kinds.macrophage", "color = 'violet'"]),
    "shipped kind": ("[cell_kinds.macrophage]", "[cell_kinds.nk_cell]", ["choose another name"]),
    "kind name": ("[cell_kinds.macrophage]", '[cell_kinds."a b"]', ["cell_kinds", "'a b'"]),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_mistake_is_one_sentence_with_file_key_and_what_is_allowed_and_writes_nothing(
    what, tmp_path
):
    there, instead, told = WRONG[what]
    assert there in MINE
    file = tmp_path / "wrong.toml"
    file.write_text(MINE.replace(there, instead, 1))
    said = refuse("run", file, "--out", tmp_path / "run")
    assert "wrong.toml" in said
    for words in told:
        assert words in said, said
    assert not (tmp_path / "run").exists()
    with pytest.raises(ScenarioError):
        Scenario.load(str(file))


JUNK = (
    -1,
    0,
    1e300,
    10**400,
    float("nan"),
    True,
    "",
    "\n",
    "1e999 /day",
    "5 nonsense",
    "t_cell.speed",
    "x.y",
    [],
    [1],
    {},
    {"value": 1},
    datetime.date(2000, 1, 1),
)


def leaves(part, path=()):
    """The path of everything in tables and lists, tables and lists themselves included."""
    inner = part.items() if isinstance(part, dict) else enumerate(part)
    for key, each in inner:
        yield (*path, key)
        if isinstance(each, dict | list):
            yield from leaves(each, (*path, key))


def test_whatever_stands_anywhere_in_a_table_is_taken_or_told_in_one_sentence():
    told = taken = 0
    whole = tomllib.loads(MINE)
    for section in ("drugs", "cell_kinds"):
        for *path, last in leaves(whole[section]):
            for junk in JUNK:
                content = copy.deepcopy(whole)
                part = content[section]
                for key in path:
                    part = part[key]
                part[last] = junk
                try:
                    Scenario.from_content(content, file="mine.toml")
                    taken += 1
                except ScenarioError as error:
                    told += 1
                    said = str(error)
                    assert said.startswith("mine.toml") and "\n" not in said, said
                    assert len(said) < 600, said
    assert told > 300 and 0 < taken < told, f"{told} told, {taken} taken"


def test_a_misspelt_key_or_name_anywhere_in_a_table_is_told_with_the_nearest():
    whole = tomllib.loads(MINE)
    free = {"my_drug", "macrophage", "appetite"}  # names of one's own
    for section in ("drugs", "cell_kinds"):
        for *path, last in leaves(whole[section]):
            if not isinstance(last, str) or last in free:
                continue
            content = copy.deepcopy(whole)
            part = content[section]
            for key in path:
                part = part[key]
            part[f"{last[:-1]}_"] = part.pop(last)
            with pytest.raises(ScenarioError) as error:
                Scenario.from_content(content, file="mine.toml")
            said = str(error.value)
            missing = f"{last} is missing" in said or "either" in said
            assert f"'{last}'" in said or missing, said
