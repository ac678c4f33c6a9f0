"""What ARCHITECTURE.md names exists, and what CONTRIBUTING.md shows runs as it is written there."""

import ast
import importlib
import os
import re
import runpy
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from simulation import parameter_sets, treatments

ROOT = Path(__file__).parents[1]
ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
MECHANISMS = [
    [part.strip() for part in line.strip("|").split("|")]
    for line in ARCHITECTURE.splitlines()
    if "::test_" in line and line.startswith("|")
]
EXAMPLES = dict(
    re.findall(r"^```python\n# (\S+\.py)\n(.*?)^```", CONTRIBUTING, re.DOTALL | re.MULTILINE)
)


def defined(file: str) -> set[str]:
    """Functions of a file, those of classes as ``Class.function``."""
    body = ast.parse((ROOT / file).read_text(encoding="utf-8")).body
    inner = {
        f"{each.name}.{part.name}"
        for each in body
        if isinstance(each, ast.ClassDef)
        for part in each.body
        if isinstance(part, ast.FunctionDef)
    }
    return inner | {each.name for each in body if isinstance(each, ast.FunctionDef)}


@pytest.mark.parametrize(
    ("mechanism", "where", "parameters", "test"), MECHANISMS, ids=[row[0] for row in MECHANISMS]
)
def test_a_mechanism_is_where_the_table_says(mechanism, where, parameters, test):
    known = {
        *parameter_sets.find("melanoma").parameters().names(),
        *(
            f"{name}.{each}"
            for name in treatments.names()
            for each in treatments.find(name).parameters()
        ),
    }
    file, _, function = where.strip("`").partition(":")
    assert function in defined(file), f"{file} has no {function}"
    named = re.findall(r"`([^`]+)`", parameters)
    assert named and set(named) <= known, f"there is no {set(named) - known}"
    file, _, function = test.strip("`").partition("::")
    assert function in defined(file), f"{file} has no {function}"


def test_the_table_has_every_loop_that_a_step_calls():
    called = {path.stem for path in (ROOT / "simulation" / "kernels").glob("*.py")} - {
        "__init__",
        "chance",
        "surroundings",  # asked for by plug-ins
    }
    assert called <= {Path(row[1].strip("`").partition(":")[0]).stem for row in MECHANISMS}


def test_files_and_folders_that_are_named_exist():
    for text in (ARCHITECTURE, CONTRIBUTING):
        for name in re.findall(r"`((?:simulation|experiments|tests|notebooks)/[\w/.]*)[`:]", text):
            assert (ROOT / name).exists(), f"there is no {name}"


def test_the_floors_that_are_shown_are_those_that_are_held():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"][
        "importlinter"
    ]["contracts"]
    held = set(
        re.findall(
            r"\w+",
            " ".join(layer for contract in contracts for layer in contract.get("layers", ())),
        )
    )
    shown = re.findall(
        r"`(\w+)[/.]",
        ARCHITECTURE[ARCHITECTURE.index("|---|") : ARCHITECTURE.index("`experiments` may")],
    )
    assert len(shown) > 20 and set(shown) <= held, f"{set(shown) - held} is no floor"


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_runs_as_it_is_written(name, tmp_path, monkeypatch, capsys):
    (tmp_path / name).write_text(EXAMPLES[name], encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(
        sys.modules, name.removesuffix(".py"), None
    )  # put back afterwards, so that no other test finds it
    del sys.modules[name.removesuffix(".py")]
    if not name.startswith("test_"):
        runpy.run_path(name, run_name="__main__")
        assert capsys.readouterr().out
        return
    module = importlib.import_module(name.removesuffix(".py"))
    for test in (each for word, each in vars(module).items() if word.startswith("test_")):
        for case in test.pytestmark[0].args[1]:
            test(*case.values)


def test_there_is_an_example_of_a_treatment_a_kind_and_a_process():
    assert [
        word in " ".join(EXAMPLES.values()) for word in ("(Treatment)", "CellKind(", "Process(")
    ] == [True] * 3


@pytest.mark.slow
def test_a_loop_can_be_debugged_as_it_is_written(tmp_path):
    command = re.search(r"^NUMBA_DISABLE_JIT=1 \S+ (.*)$", ARCHITECTURE, re.MULTILINE)[1]
    options, code = re.fullmatch(r'(.*) -c "(.*)"', command).groups()
    subprocess.run(
        [sys.executable, *options.split(), "-c", code],
        cwd=ROOT,
        check=True,
        env=os.environ | {"NUMBA_DISABLE_JIT": "1"},
    )
