"""The house stands as it is drawn: a folder is small enough to be read, and every package is one that ships."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CATALOGUES = {
    "simulation/treatments",
    "simulation/kinds",
    "simulation/parameter_sets",
    "experiments/scenarios",
}
"""Folders that grow by one file per thing they hold."""
MANY = 16
"""About a dozen files are read at a glance; ``simulation`` itself and ``studies`` have a few more."""
FOLDERS = sorted(
    {
        file.parent.relative_to(ROOT).as_posix()
        for package in ("simulation", "experiments")
        for file in (ROOT / package).rglob("*.py")
    }
)


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_holds_about_a_dozen_files(folder):
    files = [file.name for file in (ROOT / folder).glob("*.py") if file.name != "__init__.py"]
    assert len(files) <= MANY or folder in CATALOGUES, (
        f"{folder} holds {len(files)} files; is a part of it a noun of its own?"
    )


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_folder_is_a_package_that_ships(folder):
    assert (ROOT / folder / "__init__.py").exists(), (
        f"{folder} has no __init__.py, so that the wheel leaves it out"
    )


@pytest.mark.parametrize("package", ["simulation", "experiments"])
def test_a_package_says_that_it_is_typed_and_the_mark_ships(package):
    shipped = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"][
        "setuptools"
    ]["package-data"]
    assert (ROOT / package / "py.typed").exists() and "py.typed" in shipped[package]


def test_hooks_before_a_commit_start_what_make_lint_starts_and_download_nothing():
    hooks = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    lint = re.search(
        r"^lint:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE
    )[1]
    assert re.findall(r"repo: (\S+)", hooks) == ["local"] and set(
        re.findall(r"language: (\S+)", hooks)
    ) == {"system"}
    for command in re.findall(r"\$\(BIN\)/(.*)", lint):
        assert command.removesuffix(" .") in hooks, (
            f"make lint starts {command!r}, and no hook does"
        )


def test_the_workflow_calls_parts_that_there_are():
    parts = re.search(
        r"^parts=\((.*)\)$", (ROOT / ".ci" / "run").read_text(encoding="utf-8"), re.MULTILINE
    )[1].split()
    called = re.search(
        r"part: \[(.*)\]", (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    )[1].split(", ")
    assert {"tests", "lint"} <= set(called) <= set(parts)


@pytest.mark.skipif(sys.platform == "win32", reason="a script for bash")
def test_a_part_that_there_is_not_is_told_with_those_that_there_are():
    done = subprocess.run([ROOT / ".ci" / "run", "test"], capture_output=True, text=True)
    assert done.returncode == 2 and "there is no part test (choices: tests lint" in done.stderr
