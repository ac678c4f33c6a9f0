"""Errors: one base, file and key and reason kept apart, and a sentence that is made at the end and never taken apart."""

import ast
import copy
import importlib
import pickle
import pkgutil
import sys
from pathlib import Path

import pytest

import experiments
import simulation
from experiments.scenarios.scenario import Scenario
from experiments.scenarios.toml_tables import ScenarioError
from experiments.studies.archive import StudyError
from experiments.studies.sweep.sweep import Sweep
from experiments.studies.trial.trial import Trial
from simulation import TumorLabError, TumorModel
from simulation.cells.agents import DeadCellError
from simulation.errors import UnknownTrait
from simulation.parameters.parameter import ParameterError, UnknownParameter
from simulation.plug_ins import CodeError
from simulation.rules import RuleError
from simulation.testing.checks import CheckFailed

PACKAGES = (simulation, experiments)
SIGNALS = {"Broken", "Interrupted", "WorkerDied", "NoWorkers"}
"""What is raised and caught within a package, and never reaches whoever called it."""
SWEEP = {
    "question": "What?",
    "scenario": "checkpoint_blockade",
    "shape": [41, 41],
    "grow": {"cells": 20},
}
TRIAL = {"question": "What?", "scenario": "checkpoint_blockade", "patients": 2}
PDL1 = "tumor.pdl1 = 99 is not allowed: it must be a number between 0 and 10"


def everything_raised() -> list[type[Exception]]:
    """Every class of exceptions that a module of either package defines."""
    for package in PACKAGES:
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    ours = [
        module
        for name, module in sys.modules.items()
        if name.partition(".")[0] in ("simulation", "experiments")
    ]
    found = {
        value
        for module in ours
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, Exception)
        and value.__module__ == module.__name__
    }
    return sorted(found, key=lambda cls: cls.__name__)


# ---------------------------------------------------------------- one base


def test_every_error_descends_from_the_base():
    found = everything_raised()
    assert len(found) > 25
    assert {cls.__name__ for cls in found if not issubclass(cls, TumorLabError)} == SIGNALS
    assert issubclass(TumorLabError, ValueError)


def test_every_error_carries_file_key_and_reason_and_travels_with_them():
    for cls in everything_raised():
        if not issubclass(cls, TumorLabError) or cls is CheckFailed:
            continue
        error = cls("it is too large", file=Path("a.toml"), key="tumor.pdl1")
        for one in (error, copy.copy(error), pickle.loads(pickle.dumps(error)), cls.of(error)):
            assert type(one) is cls and (one.file, one.key, one.reason) == (
                "a.toml",
                "tumor.pdl1",
                "it is too large",
            ), cls
            assert str(one) == "a.toml: tumor.pdl1: it is too large", cls


@pytest.mark.parametrize(
    "cls, also",
    [
        (UnknownTrait, AttributeError),
        (DeadCellError, AttributeError),
        (RuleError, AttributeError),
        (UnknownParameter, AttributeError),
        (CodeError, ImportError),
        (CheckFailed, AssertionError),
    ],
)
def test_an_error_stays_what_python_expects_in_its_place(cls, also):
    assert issubclass(cls, also)


def test_a_broken_promise_keeps_all_its_sentences():
    failed = CheckFailed("Drug", ["one", "two"])
    assert (failed.broken, str(failed)) == (["one", "two"], "Drug breaks 2 promises:\n- one\n- two")


# ---------------------------------------------------------------- the sentence


@pytest.mark.parametrize(
    "file, key, told",
    [
        (None, None, "7 is too large"),
        ("a.toml", None, "a.toml: 7 is too large"),
        (None, "x", "x: 7 is too large"),
        ("a.toml", "x", "a.toml: x: 7 is too large"),
    ],
)
def test_a_sentence_leaves_out_what_is_not_known(file, key, told):
    assert str(TumorLabError("7 is too large", file=file, key=key)) == told


def test_a_reason_that_names_its_place_is_not_told_it_twice():
    error = TumorLabError("x = 7 is too large", file="a.toml", key="x")
    assert str(error) == "a.toml: x = 7 is too large"
    assert str(TumorLabError("a.toml is damaged", file="a.toml")) == "a.toml is damaged"
    assert str(TumorLabError("xs are too many", key="x")) == "x: xs are too many", (
        "another word begins with the same letters"
    )
    assert str(TumorLabError.of(error, key="set")) == "a.toml: set: x = 7 is too large"
    assert TumorLabError.of(error, file="a.toml").key == "x"


def test_a_mistake_seen_from_further_out_says_where_it_lies_there():
    inner = ParameterError("it is too large", file="b.toml", key="x")
    outer = StudyError.of(inner, file="a.toml", key="vary")
    assert (type(outer), outer.file, outer.key, outer.reason) == (
        StudyError,
        "a.toml",
        "vary: b.toml: x",
        "it is too large",
    )
    same = StudyError.of(inner, file="b.toml", key="vary")
    assert (same.file, same.key) == ("b.toml", "vary: x"), "one file is named once"
    assert str(StudyError.of(inner)) == str(inner)
    assert str(StudyError.of(KeyError("x"), file="a.toml")) == "a.toml: 'x'", (
        "a mistake of others has a reason alone"
    )


# ---------------------------------------------------------------- known places


@pytest.mark.parametrize(
    "vary, key, reason",
    [
        ({"tumor.pdl1": [0.5, 99]}, "vary.tumor.pdl1", PDL1),
        (
            {"tumor.pdl1": {"low": 0.5, "high": 99}},
            "vary.tumor.pdl1",
            "high = 99 is not allowed: it must be a number between",
        ),
        ({"tumor.pdl1": []}, "vary.tumor.pdl1", "the list of values is empty"),
        ({"tumor.pdl2": [1]}, "vary.tumor.pdl2", "there is no parameter 'tumor.pdl2'"),
        (
            {"treatments.aspirin.dose": [1]},
            "vary.treatments.aspirin.dose",
            "no treatment is named 'aspirin'",
        ),
        (
            {"treatments.pembrolizumab.half_life": [900]},
            "vary.treatments.pembrolizumab.half_life",
            "treatments.pembrolizumab.half_life = 900 is not allowed",
        ),
        (
            {"treatments.pembrolizumab.schedule.every": [7, "1 week"]},
            "vary.treatments.pembrolizumab.schedule.every",
            "7 and '1 week'",
        ),
        (
            {"treatments.pembrolizumab.schedule.every": ["soon"]},
            "vary.treatments.pembrolizumab.schedule.every: schedule",
            "every = 'soon' must be a duration",
        ),
    ],
)
def test_a_sweep_over_a_bad_value_says_file_key_and_reason_apart(vary, key, reason):
    with pytest.raises(StudyError) as caught:
        Sweep.from_content(SWEEP | {"vary": vary}, file="folder/sweep.toml").check()
    error = caught.value
    assert (error.file, error.key) == ("sweep.toml", key) and error.reason.startswith(reason), repr(
        (error.key, error.reason)
    )
    assert str(error) == f"sweep.toml: {key}: {error.reason}"


@pytest.mark.parametrize(
    "spread, reason",
    [
        (
            {"distribution": "uniform", "low": 0, "high": 99},
            "high = 99 is outside the parameter's own range",
        ),
        (
            {"distribution": "uniform", "low": 0.5, "high": 0.5},
            "low = 0.5 must be below high = 0.5",
        ),
        ({"distribution": "normal", "mean": 50, "spread": 1}, "less than 1 % of this distribution"),
    ],
)
def test_a_trial_with_a_bad_distribution_says_file_key_and_reason_apart(spread, reason):
    with pytest.raises(StudyError) as caught:
        Trial.from_content(
            TRIAL | {"vary": {"tumor.pdl1": spread}}, file="folder/trial.toml"
        ).check()
    error = caught.value
    assert (error.file, error.key) == ("trial.toml", "vary.tumor.pdl1") and error.reason.startswith(
        reason
    ), error.reason


@pytest.mark.parametrize(
    "content, key, reason",
    [
        ({"set": {"tumor.pdl1": 99}}, "set", PDL1),
        (
            {"set": {"treatments.aspirin.dose": 7}},
            "set: treatments.aspirin.dose",
            "no treatment is named 'aspirin'",
        ),
        ({"days": -1}, "days", "days = -1 is not allowed"),
        ({"dyas": 1}, "dyas", "dyas is an unknown key (did you mean 'days'?)"),
        ({"shape": [2, 2]}, "shape", "shape = [2, 2] is too small"),
        ({"parameters": "melanome"}, "parameters", "there is no parameter set 'melanome'"),
        (
            {"arms": {"drug": {"treatments": [{"drug": "pembrolizumab", "half_life": 900}]}}},
            "arms.drug.treatments[0]",
            "treatments.pembrolizumab.half_life = 900 is not allowed",
        ),
    ],
)
def test_a_scenario_with_a_mistake_says_file_key_and_reason_apart(content, key, reason):
    written = {"question": "Why?", "parameters": "melanoma", "shape": [41, 41], "days": 1}
    with pytest.raises(ScenarioError) as caught:
        Scenario.from_content(written | content, file="a.toml")
    error = caught.value
    assert (error.file, error.key) == ("a.toml", key) and error.reason.startswith(reason), repr(
        (error.key, error.reason)
    )


def test_a_model_names_the_parameter_that_it_refuses():
    with pytest.raises(TumorLabError) as caught:
        TumorModel(shape=(9, 9), seed=1, tumor_cells=1, overrides={"tumor.pdl1": 99})
    assert (caught.value.file, caught.value.key, str(caught.value)) == (None, "tumor.pdl1", PDL1)


def test_a_damaged_file_is_named(tmp_path):
    (tmp_path / "provenance.json").write_text("{}")
    with pytest.raises(TumorLabError) as caught:
        simulation.Results.load(tmp_path)
    assert caught.value.file == str(tmp_path / "provenance.json")
    assert str(caught.value).startswith(f"{caught.value.file} is damaged")


# ---------------------------------------------------------------- nothing takes sentences apart


CUTS = {
    "split",
    "rsplit",
    "splitlines",
    "partition",
    "rpartition",
    "removeprefix",
    "removesuffix",
    "replace",
    "strip",
    "lstrip",
    "rstrip",
    "startswith",
    "find",
    "index",
    "rfind",
    "translate",
}
TEXTS = {"args", "reason", "msg", "message", "__module__"}


def taken_apart(tree: ast.AST) -> list[int]:
    """The lines on which the text of an exception is cut, searched, indexed or looked into."""
    found = []
    for scope in ast.walk(tree):
        if isinstance(scope, ast.ExceptHandler) and scope.name:
            errors = {scope.name}
        elif isinstance(scope, ast.FunctionDef):
            errors = {
                each.arg
                for each in scope.args.args
                if (each.annotation and "Err" in ast.unparse(each.annotation))
                or (each.annotation and "Exception" in ast.unparse(each.annotation))
            }
        else:
            continue
        texts: set[str] = set()

        def is_text(node: ast.AST, errors=errors, texts=texts) -> bool:
            match node:
                case ast.Name(id=name):
                    return name in texts
                case ast.Call(func=ast.Name(id="str" | "repr"), args=[ast.Name(id=name)]):
                    return name in errors
                case ast.JoinedStr(values=values):
                    return any(
                        isinstance(each, ast.FormattedValue)
                        and isinstance(each.value, ast.Name)
                        and each.value.id in errors
                        for each in values
                    )
                case ast.Attribute(value=ast.Name(id=name), attr=attribute):
                    return name in errors and attribute in TEXTS
                case ast.Attribute(
                    value=ast.Call(func=ast.Name(id="type"), args=[ast.Name(id=name)]),
                    attr=attribute,
                ):
                    return name in errors and attribute in TEXTS
                case ast.Call(func=ast.Attribute(value=value, attr=attribute)) if attribute in CUTS:
                    return is_text(value)
                case ast.Subscript(value=value):
                    return is_text(value)
            return False

        for node in ast.walk(scope):
            if isinstance(node, ast.Assign) and is_text(node.value):
                texts |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        for node in ast.walk(scope):
            match node:
                case ast.Call(func=ast.Attribute(value=value, attr=attribute)) if (
                    attribute in CUTS and is_text(value)
                ):
                    found.append(node.lineno)
                case ast.Call(func=ast.Attribute(value=ast.Name(id="re")), args=arguments) if any(
                    map(is_text, arguments)
                ):
                    found.append(node.lineno)
                case ast.Subscript(value=value) if is_text(value):
                    found.append(node.lineno)
                case ast.Compare(left=left, comparators=compared) if any(
                    map(is_text, [left, *compared])
                ):
                    found.append(node.lineno)
    return sorted(set(found))


@pytest.mark.parametrize(
    "way",
    [
        "str(error).split(': ')[-1]",
        "str(error).removeprefix('a')",
        "error.args[0]",
        "f'{error}'.partition(':')",
        "str(error)[3:]",
        "error.reason.replace('a', 'b')",
        "re.sub('a', 'b', str(error))",
        "'set' in str(error)",
        "str(error) == 'a'",
        "type(error).__module__.split('.')[0]",
        "str(error).rstrip('.')",
    ],
)
def test_the_ways_to_take_a_sentence_apart_are_known(way):
    assert taken_apart(ast.parse(f"try:\n    pass\nexcept ValueError as error:\n    said = {way}"))
    assert taken_apart(ast.parse(f"def cut(error: ValueError):\n    return {way}"))


def test_a_sentence_within_another_is_not_taken_apart_and_one_that_is_kept_first_is():
    caught = "try:\n    pass\nexcept OSError as error:\n    "
    assert not taken_apart(ast.parse(caught + "raise KindError(f'no: {error}') from None"))
    assert not taken_apart(ast.parse(caught + "told.append(str(error))"))
    assert taken_apart(
        ast.parse(caught + "said = str(error)\n    raise KindError(said.split()[0])")
    )


def test_no_module_takes_the_text_of_an_error_apart():
    found = {}
    for package in PACKAGES:
        for file in sorted(Path(package.__file__).parent.rglob("*.py")):
            if lines := taken_apart(ast.parse(file.read_text())):
                found[str(file)] = lines
    assert not found
