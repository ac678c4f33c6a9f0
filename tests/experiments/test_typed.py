"""What people type: numbers and sequences of any library are taken, names are found, and the rest ends in a sentence."""

import json
import math
import os
import sys
from collections import deque
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import simulation
from experiments.command import completion
from experiments.command.cli import app
from experiments.lab import protocol
from experiments.scenarios.scenario import Scenario
from experiments.studies import runner
from experiments.studies.designs import Axis, points
from experiments.studies.sweep.sweep import Sweep, run_sweep
from experiments.studies.trial.trial import Trial
from simulation import Schedule, TCell, TumorLabError, TumorModel, plug_ins, treatments
from simulation.parameters.given import number, plain, quoted, several, whole_number
from simulation.treatments import Pembrolizumab, TreatmentError

SMALL = {"shape": (15, 15), "seed": 1, "tumor_cells": 20}
PATIENT = {
    "question": "Why?",
    "parameters": "melanoma",
    "shape": [15, 15],
    "days": 1,
    "tumor_cells": 20,
    "arms": {"drug": {"treatments": [{"drug": "pembrolizumab"}]}},
}
CHEMO = '''
from simulation import Treatment

class Chemo(Treatment):
    """Kills whatever there is."""
    def modify(self, rules, model):
        rules.death.add(0.1)
'''


def said(call) -> str:
    """The one sentence in which a call ends."""
    with pytest.raises(ValueError) as caught:
        call()
    message = str(caught.value)
    assert isinstance(caught.value, TumorLabError), repr(caught.value)
    assert "\n" not in message and len(message) < 300, message
    return message


# ---------------------------------------------------------------- numbers and sequences


@pytest.mark.parametrize(
    "given, taken",
    [
        (np.int64(3), 3),
        (np.float32(0.5), 0.5),
        (np.array(4), 4),
        (Fraction(1, 2), 0.5),
        (np.True_, True),
        (np.str_("a"), "a"),
        (range(3), [0, 1, 2]),
        ((1, 2), [1, 2]),
        (deque([1]), [1]),
        (np.arange(2), [0, 1]),
        (pd.Series([1, 2], index=[5, 6]), [1, 2]),
        (pd.Index([1.5]), [1.5]),
        ({"a": np.arange(2)}, {"a": [0, 1]}),
        (pd.array([1, 2]), [1, 2]),
        (None, None),
        ("ab", "ab"),
    ],
)
def test_values_of_other_libraries_become_those_of_python(given, taken):
    assert plain(given) == taken and type(plain(given)) is type(taken)
    assert plain([given]) == [taken]


def test_what_is_no_number_is_none():
    assert [number(value) for value in (True, np.True_, "1", None, [1], np.array([1]))] == [
        None
    ] * 6
    assert [whole_number(value) for value in (5.0, np.uint64(5), 5.5, math.nan, math.inf)] == [
        5,
        5,
        None,
        None,
        None,
    ]
    assert several("a") == ["a"] and several({"drug": "a"}) == [{"drug": "a"}]
    assert several(None) == [] and several((1, 2)) == [1, 2]


def test_a_model_takes_numbers_of_numpy_and_gives_the_same_bits():
    ours = TumorModel(**SMALL, dt=0.5, overrides={"tumor.pdl1": 0.5})
    theirs = TumorModel(
        shape=np.array([15, 15]),
        seed=np.uint64(1),
        tumor_cells=np.int32(20),
        dt=np.float32(0.5),
        overrides=pd.Series({"tumor.pdl1": np.float32(0.5)}),
    )
    assert [type(given) for given in (theirs.seed, theirs.dt, theirs.parameters["tumor.pdl1"])] == [
        int,
        float,
        float,
    ]
    ours.grow(30, max_days=0.5)
    theirs.grow(np.int64(30), max_days=np.float64(0.5))
    ours.run(1, snapshot_every=0.5)
    theirs.run(np.int64(1), snapshot_every=np.float32(0.5))
    theirs.fork(seed=np.int16(3)).run(until=np.float64(1.25), snapshot_every=None)
    assert theirs.results.timeseries.equals(ours.results.timeseries)
    assert list(theirs.results.snapshots) == list(ours.results.snapshots)


def test_a_scenario_takes_arrays_series_and_ranges():
    plainly = Scenario.from_content(PATIENT)
    given = PATIENT | {"shape": np.array([15, 15]), "days": np.float32(1), "seed": np.int64(1)}
    given["arms"] = {"drug": {"treatments": ({"drug": np.str_("pembrolizumab")},)}}
    assert Scenario.from_content(given).content() == plainly.content()
    for arms in (
        "drug",
        np.array(["drug"]),
        np.array(["control", "drug"]),
        pd.Series(["drug", "control"]),
    ):
        assert (
            plainly.with_options(
                days=np.int64(2), seed=np.uint8(3), set=pd.Series({"tumor.pdl1": 0.5}), arms=arms
            ).content()
            == plainly.with_options(days=2, seed=3, set={"tumor.pdl1": 0.5}).content()
        )


@pytest.mark.parametrize(
    "values",
    [np.linspace(0.1, 2, 2), pd.Series([0.1, 2.0]), (np.float32(0.5), 1, 2), deque([0.1, 2.0])],
)
def test_a_sweep_takes_any_sequence_of_values(values):
    study = Sweep.from_content(
        {
            "question": "?",
            "scenario": np.array(["checkpoint_blockade"]),
            "seeds": np.int64(2),
            "vary": {"tumor.pdl1": values},
            "shape": (41, 41),
            "days": np.int16(1),
            "grow": {"cells": np.int64(50)},
        }
    )
    runs = study.runs()
    assert len(runs) == 2 * len(values)
    assert [type(run.parameters["set"]["tumor.pdl1"]) for run in runs[:1]] == [float]


def test_axes_and_designs_take_numbers_of_numpy():
    axis = Axis("a", low=np.float64(0), high=np.int64(1), steps=np.int64(3))
    assert points("grid", [axis]) == [{"a": 0.0}, {"a": 0.5}, {"a": 1.0}]
    assert len(points("latin_hypercube", [Axis("a", low=0, high=1)], np.int64(4), np.int64(2))) == 4
    for values in (
        np.array([1, 2]),
        pd.Series([1, 2], index=[5, 6]),
        (np.float32(1), np.int64(2)),
        range(1, 3),
    ):
        found = points("grid", [Axis("a", values=values)])
        assert json.loads(json.dumps(found)) == found == [{"a": 1}, {"a": 2}], (
            "Python's own numbers, as a plan of a study holds"
        )


@pytest.mark.parametrize("design", ["latin_hypercube", "sobol", "morris", "saltelli"])
@pytest.mark.parametrize("samples", [4.0, np.float32(4), np.uint8(4), np.array(4)])
def test_a_whole_number_of_samples_is_one_however_it_is_written(design, samples):
    axes = [Axis("a", low=0, high=1, steps=None), Axis("b", values=[1, 2, 3])]
    assert points(design, axes, samples, np.int64(2)) == points(design, axes, 4, 2)


@pytest.mark.parametrize("steps", [1, 2.5, "3", True, math.nan, [3]])
def test_steps_are_a_whole_number(steps):
    assert "steps = " in said(lambda: Axis("a", low=0, high=1, steps=steps))
    assert Axis("a", low=0, high=1, steps=np.float64(3)).levels() == [0, 0.5, 1]


def test_a_trial_takes_numbers_of_numpy():
    study = Trial.from_content(
        trial_of(
            patients=np.int64(3),
            seed=np.int64(5),
            shape=np.array([41, 41]),
            contrast_day=np.float64(2),
            subgroups={"pdl1": np.float64(0.5)},
        )
    )
    assert len(study.runs()) == 3


def trial_of(**other) -> dict:
    return {
        "question": "?",
        "scenario": "checkpoint_blockade",
        "patients": 4,
        "shape": [41, 41],
        "days": 21,
        "grow": {"cells": 60, "max_days": 2},
        "vary": {"tumor.pdl1": {"distribution": "lognormal", "median": 1, "spread": 0.5}},
    } | other


def test_a_short_trial_compares_its_arms_on_its_last_day():
    assert (
        Trial.from_content(trial_of()).contrasted_on == 21 and Trial.from_content(trial_of()).runs()
    )
    assert Trial.from_content(trial_of(days=84)).contrasted_on == 30
    assert "contrast_day = 30 is after the last day, 21" in said(
        Trial.from_content(trial_of(contrast_day=30)).runs
    )


# ---------------------------------------------------------------- one thing without a list, and things by name


@pytest.mark.parametrize(
    "one",
    [
        "pembrolizumab",
        Pembrolizumab,
        Pembrolizumab(),
        {"drug": "pembrolizumab"},
        ("pembrolizumab",),
        np.array(["pembrolizumab"]),
        pd.Series(["pembrolizumab"]),
    ],
)
def test_one_treatment_needs_no_list(one):
    model = TumorModel(**SMALL, treatments=one)
    assert [treatment.name for _, treatment in model.regimen.pending] == ["pembrolizumab"]
    assert [entry["treatment"] for entry in TumorModel(**SMALL).fork(one).results.log] == [
        "pembrolizumab"
    ]


def test_an_arm_of_a_scenario_takes_one_treatment_without_a_list():
    for one in ("pembrolizumab", {"drug": "pembrolizumab"}, ["pembrolizumab"]):
        given = Scenario.from_content(PATIENT | {"arms": {"drug": {"treatments": one}}})
        assert given.content() == Scenario.from_content(PATIENT).content()


def test_kinds_and_processes_are_taken_by_name(tmp_path, monkeypatch):
    (tmp_path / "typed_macro.py").write_text("""
from simulation import CellAgent, CellKind, Process

class Macrophage(CellAgent):
    kind = "macrophage"

def idle(model):
    pass

MACROPHAGE = CellKind("macrophage", Macrophage)
IDLE = Process("idle", "divide", idle)
""")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    for kinds, processes in (
        ("typed_macro:MACROPHAGE", "typed_macro:IDLE"),
        (["typed_macro:MACROPHAGE"], ["typed_macro:IDLE"]),
    ):
        model = TumorModel(**SMALL, cell_kinds=kinds, processes=processes)
        assert "macrophage" in model.kinds.names and "idle" in model.processes
    for wrong in (
        "typed_macro:IDLE",
        "typed_macro:NOTHING",
        "typed_macro",
        "./typed_macro.py:MACROPHAGE",
        7,
        TCell,
    ):
        assert said(lambda wrong=wrong: TumorModel(**SMALL, cell_kinds=[wrong]))
    assert "is not a Process" in said(
        lambda: TumorModel(**SMALL, processes="typed_macro:MACROPHAGE")
    )


@pytest.fixture
def beside(tmp_path, monkeypatch):
    """A scenario and its treatment in one folder, seen from another."""
    there, here = tmp_path / "there", tmp_path / "here"
    there.mkdir()
    here.mkdir()
    (there / "typed_chemo.py").write_text(CHEMO)
    (there / "mine.toml").write_text(
        'question = "?"\nparameters = "melanoma"\nshape = [15, 15]\ndays = 0.25\ntumor_cells = 20\n'
        '[[arms.drug.treatments]]\ndrug = "typed_chemo:Chemo"\n'
    )
    (there / "sweep.toml").write_text('question = "?"\nscenario = "mine.toml"\nseeds = 1\n')
    monkeypatch.chdir(here)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(plug_ins, "_beside", [])
    yield there
    sys.modules.pop("typed_chemo", None)


def test_a_treatment_lies_beside_its_scenario(beside, tmp_path):
    before = list(sys.path)
    result = CliRunner().invoke(app, ["show", str(beside / "mine.toml")])
    assert result.exit_code == 0 and "typed_chemo" not in sys.modules and sys.path == before, (
        "what is read runs nothing"
    )
    arm = Scenario.load(beside / "mine.toml").build_treatments("drug")
    assert type(arm[0]).__name__ == "Chemo" and sys.path[: len(before)] == before, (
        "its folder comes last"
    )
    assert sys.path[-1] == str(beside)


def test_a_treatment_lies_beside_the_scenario_of_a_sweep(beside):
    assert Sweep.load(beside / "sweep.toml").runs()


def test_a_treatment_of_ones_own_that_fails_is_told_in_a_sentence(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    broken = {
        "syntax": "def (",
        "name": "nothing_there",
        "leaves": "import sys; sys.exit(3)",
        "imports": "import not_there",
    }
    for name, code in broken.items():
        (tmp_path / f"typed_{name}.py").write_text(code)
        assert f"typed_{name}" in said(lambda name=name: treatments.find(f"typed_{name}:Drug"))


@pytest.mark.parametrize(
    "drug, words",
    [
        ("./chemo.py:Chemo", "chemo:Chemo"),
        ("chemo.py:Chemo", "chemo:Chemo"),
        ("C:\\own\\chemo.py:Chemo", "chemo:Chemo"),
        ("unittest.__main__:x", "a module of Python itself"),
        ("this:x", "a module of Python itself"),
        ("pytest.__main__:x", "a program"),
        (".chemo:Chemo", "not the name of a module"),
        ("chemo:", "module:Class"),
        ("simulation:TumorModel", "is not a subclass"),
        (7, "is not the name of a treatment"),
        ("x" * 10_000, "there is no treatment"),
    ],
)
def test_what_is_no_treatment_is_refused_and_not_run(drug, words, monkeypatch):
    ran = []
    monkeypatch.setattr(
        plug_ins.importlib, "import_module", lambda name: ran.append(name) or simulation
    )
    with pytest.raises(TreatmentError, match=words) as caught:
        treatments.find(drug)
    assert set(ran) <= {"simulation"} and len(str(caught.value)) < 300


# ---------------------------------------------------------------- what is refused


HUGE = {
    "text": "x" * 100_000,
    "array": np.arange(100_000.0),
    "nested": [[[list(range(9))] * 9] * 9] * 9,
    "digits": 10**5000,
    "below": -1,
    "nan": math.nan,
    "table": {str(number): number for number in range(9_999)},
    "frame": pd.DataFrame({"a": range(99)}),
    "bytes": b"x" * 9_999,
    "object": object(),
    "true": True,
}
SWEEP = {"question": "?", "scenario": "combination"}
ENTRIES = {
    "seed": lambda value: TumorModel(**SMALL | {"seed": value}),
    "dt": lambda value: TumorModel(**SMALL, dt=value),
    "shape": lambda value: TumorModel(**SMALL | {"shape": value}),
    "tumor_cells": lambda value: TumorModel(**SMALL | {"tumor_cells": value}),
    "parameters": lambda value: TumorModel(value, **SMALL),
    "treatments": lambda value: TumorModel(**SMALL, treatments=[value]),
    "treatment parameter": lambda value: Pembrolizumab(dose=value),
    "treatment name": lambda value: Pembrolizumab(name=value),
    "cell_kinds": lambda value: TumorModel(**SMALL, cell_kinds=[value]),
    "processes": lambda value: TumorModel(**SMALL, processes=[value]),
    "override": lambda value: TumorModel(**SMALL, overrides={"tumor.pdl1": value}),
    "override name": lambda value: TumorModel(
        **SMALL, overrides={str(quoted(value)) + "x" * 9_999: 1}
    ),
    "schedule": lambda value: Schedule(every=value),
    "schedule days": lambda value: Schedule(days=value),
    "schedule times": lambda value: Schedule(every=1, times=-1 if value is True else value),
    "days": lambda value: TumorModel(**SMALL).run(value),
    "until": lambda value: TumorModel(**SMALL).run(until=value),
    "grow": lambda value: TumorModel(**SMALL).grow(value),
    "scenario shape": lambda value: Scenario.from_content(PATIENT | {"shape": value}),
    "scenario days": lambda value: Scenario.from_content(PATIENT | {"days": value}),
    "scenario seed": lambda value: Scenario.from_content(PATIENT | {"seed": value}),
    "scenario arms": lambda value: Scenario.from_content(PATIENT | {"arms": value}),
    "scenario drug": lambda value: Scenario.from_content(
        PATIENT | {"arms": {"a": {"treatments": [{"drug": value}]}}}
    ),
    "scenario set": lambda value: Scenario.from_content(PATIENT | {"set": {"tumor.pdl1": value}}),
    "scenario name": lambda value: Scenario.load(
        value if isinstance(value, str) else quoted(value)
    ),
    "sweep vary": lambda value: Sweep.from_content(SWEEP | {"vary": {"tumor.pdl1": value}}).runs(),
    "sweep seeds": lambda value: Sweep.from_content(SWEEP | {"seeds": value}).runs(),
    "trial patients": lambda value: Trial.from_content(trial_of(patients=value)),
    "trial vary": lambda value: Trial.from_content(trial_of(vary=value)),
}


@pytest.mark.parametrize("entry", ENTRIES)
def test_a_value_that_will_not_do_ends_in_a_short_sentence(entry):
    for name, value in HUGE.items():
        if (entry, name) != ("grow", "digits"):  # more cells than a tissue holds are waited for
            try:
                said(lambda value=value: ENTRIES[entry](value))
            except BaseException as error:
                raise AssertionError(f"{entry}, {name}: {type(error).__name__}") from error


@pytest.mark.parametrize("seed", [2**63, -1, 1.5, "a", True, math.nan, np.uint64(2**63), [1]])
def test_a_seed_is_told_both_its_bounds(seed):
    assert "from 0 to 2^63 - 1" in said(lambda: TumorModel(**SMALL | {"seed": seed}))
    assert "from 0 to 2^63 - 1" in said(lambda: Scenario.from_content(PATIENT | {"seed": seed}))
    assert "from 0 to 2^63 - 1" in said(lambda: Trial.from_content(trial_of(seed=seed)))


@pytest.mark.parametrize("shape", [[5, 1_000_000], [5, 20_000], [7, 7, 10_001]])
def test_a_side_too_long_is_told_with_the_file(shape):
    assert said(
        lambda: Scenario.from_content(PATIENT | {"shape": shape}, file="mine.toml")
    ).startswith("mine.toml: shape")
    study = Sweep.from_content(
        {"question": "?", "scenario": "combination", "shape": shape}, file="swept.toml"
    )
    assert said(study.runs).startswith("swept.toml: ")


FILES = {"scenario": "combination", "sweep": "pd1_il2_surface", "trial": "checkpoint_trial"}
COMMANDS = {"run": "scenario", "sweep": "sweep", "trial": "trial"}


@pytest.mark.parametrize("own_file", [False, True])
@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_of_another_kind_names_its_command(command, kind, own_file, tmp_path, monkeypatch):
    if COMMANDS[command] == kind:
        return
    monkeypatch.chdir(tmp_path)
    word = FILES[kind]
    if own_file:
        from experiments.scenarios import scenario
        from experiments.studies import study

        folder = scenario.SHIPPED if kind == "scenario" else study.SHIPPED
        (tmp_path / "own.toml").write_text((folder / f"{word}.toml").read_text())
        word = "own.toml"
    result = CliRunner().invoke(app, [command, word])
    right = next(name for name, its in COMMANDS.items() if its == kind)
    assert result.exit_code == 2 and f"is a {kind}, not a {COMMANDS[command]}" in result.stderr
    assert (
        f"tumorlab {right} {word}" in result.stderr
        and os.listdir(tmp_path) == ["own.toml"] * own_file
    )


@pytest.mark.parametrize("word", FILES.values())
@pytest.mark.parametrize(
    "command", [["plot"], ["film"], ["export", "--to", "vti"], ["check-treatment"]]
)
def test_commands_that_take_no_file_refuse_one_in_a_sentence(command, word, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, [*command[:1], word, *command[1:]])
    assert (
        result.exit_code == 2
        and result.stderr.startswith("Error: ")
        and result.stderr.count("\n") == 1
    )


def test_a_study_of_ones_own_is_shown_as_one(tmp_path):
    from experiments.studies import study

    (tmp_path / "own.toml").write_text((study.SHIPPED / "pd1_il2_surface.toml").read_text())
    result = CliRunner().invoke(app, ["show", str(tmp_path / "own.toml")])
    assert result.exit_code == 0 and result.stdout.startswith("own (study)")


# ---------------------------------------------------------------- workers and memory


def test_no_more_workers_than_have_room(monkeypatch):
    study = Sweep.from_content(
        {"question": "?", "scenario": "combination", "seeds": 8, "shape": [500, 500]}
    )
    assert (
        study.memory
        == Scenario.load("combination").memory
        / math.prod(Scenario.load("combination").shape)
        * 250_000
    )
    for have, workers, expected in ((1e12, 8, 8), (1.3e9, 8, 2), (4e8, 8, 1), (1.3e9, 2, 2)):
        monkeypatch.setattr(runner, "available", lambda have=have: have)
        notes = []
        assert runner._with_room(study, workers, notes) == expected
        assert (f"{expected} of {workers} workers" in "".join(notes)) == (expected < workers)
    for wrong in (0, -1, 1.5, "two", True):
        assert "whole number of at least 1" in said(
            lambda wrong=wrong: runner.checked_workers(wrong)
        )


# ---------------------------------------------------------------- the Tab key


def complete(line: str) -> list[str]:
    """What is offered after a line, as a shell asks for it."""
    shown = CliRunner().invoke(
        app,
        [],
        prog_name="tumorlab",
        env={
            "_TUMORLAB_COMPLETE": "complete_bash",
            "COMP_WORDS": line,
            "COMP_CWORD": str(len(line.split(" ")) - 1),
        },
    )
    return shown.stdout.split()


def test_the_tab_key_offers_commands_scenarios_and_dotted_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert set(complete("tumorlab t")) == {"trial"} and "check-treatment" in complete("tumorlab c")
    assert complete("tumorlab run c") == [name for name in Scenario.names() if name.startswith("c")]
    assert complete("tumorlab sweep pd") == ["pd1_il2_surface"] and complete("tumorlab trial ") == [
        "checkpoint_trial"
    ]
    assert "tumor.pdl1=" in complete("tumorlab run combination --set tumor.")
    assert complete("tumorlab run combination --set treatments.pembrolizumab.do") == [
        "treatments.pembrolizumab.dose="
    ]
    assert "mouse_b16" in complete("tumorlab show mouse") and complete(
        "tumorlab check-treatment ald"
    ) == ["aldesleukin"]
    arms = [name for name in Scenario.load("combination").arms if name != "control"]
    assert complete(f"tumorlab run combination --arms {arms[0]},{arms[1][:3]}")[0].startswith(
        f"{arms[0]},"
    )


def test_the_tab_key_offers_files_and_runs_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "mine.toml").write_text("")
    (tmp_path / "own.toml").write_text(
        'question = "?"\nparameters = "melanoma"\nshape = [15, 15]\ndays = 1\ntumor_cells = 20\n'
        '[[arms.drug.treatments]]\ndrug = "typed_trap:Trap"\n'
    )
    (tmp_path / "typed_trap.py").write_text("from pathlib import Path\nPath('it_ran').touch()\n")
    for other in ("own.txt", "own", "deeper/mine.csv"):
        (tmp_path / other).write_text("no table")
    assert completion.scenarios("o") == ["own.toml"] and completion.scenarios("dee") == ["deeper/"]
    assert (
        completion.scenarios("deeper/") == ["deeper/mine.toml"]
        and completion.scenarios("nowhere/x") == []
    )
    assert "tumor.pdl1=" in complete("tumorlab run own.toml --set tumor.pd")
    assert complete("tumorlab run own.toml --set treatments.") == ["treatments.trap.first_dose="], (
        "what every treatment has"
    )
    assert complete("tumorlab run own.toml --arms dr") == ["drug"]
    assert not (tmp_path / "it_ran").exists() and "typed_trap" not in sys.modules, (
        "and its treatment was not"
    )


# ---------------------------------------------------------------- everything at once


def test_a_sweep_runs_with_numbers_of_numpy(tmp_path):
    found = run_sweep(
        "checkpoint_blockade",
        {"tumor.pdl1": np.linspace(0.1, 2, 2)},
        out=tmp_path / "study",
        seeds=np.int64(1),
        workers=np.int64(1),
        shape=(41, 41),
        days=np.float64(0.25),
        arms=np.array(["pembrolizumab"]),
        grow={"cells": np.int64(20), "max_days": 0.25},
    )
    assert not found.failed and sorted(found.tables["outcomes"]["tumor.pdl1"].unique()) == [
        0.1,
        2.0,
    ]


def test_named_days_are_taken_and_told_everywhere(tmp_path):
    days = tmp_path / "days.toml"
    days.write_text(
        'question = "?"\nparameters = "melanoma"\nshape = [15, 15]\ndays = 8\ntumor_cells = 20\n'
        '[[arms.drug.treatments]]\ndrug = "pembrolizumab"\nschedule = { days = [9, 21] }\n'
    )
    scenario = Scenario.load(days)
    assert scenario.undosed() == ["drug: no dose of pembrolizumab falls within 8 days"]
    assert "(on days 9, 21, from day 0)" in CliRunner().invoke(app, ["show", str(days)]).stdout
    log = TumorModel(**SMALL, treatments=scenario.build_treatments("drug")).results.log
    recorded = Scenario.from_text(
        protocol.toml(protocol.protocol(scenario, {"drug": ("drug", log)}, 8))
    )
    assert recorded.build_treatments("drug")[0].schedule == Schedule(days=[9, 21])
    study = Sweep.from_content(
        {
            "question": "?",
            "scenario": str(days),
            "vary": {"treatments.pembrolizumab.schedule.first": [0, 2]},
        }
    )
    assert [
        str(one.schedule)
        for one in study.scenarios["days"]
        .with_options(set={"treatments.pembrolizumab.schedule.first": 2})
        .build_treatments("drug")
    ] == ["after 2 days: on days 9, 21"]
    assert "every" in said(
        Sweep.from_content(
            {
                "question": "?",
                "scenario": str(days),
                "vary": {"treatments.pembrolizumab.schedule.every": ["q3w"]},
            }
        ).runs
    )
