"""What is imported is declared, what gets installed is pinned, and every licence is one that the project can live with."""

import ast
import re
import sys
import tomllib
from functools import cache
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CORE = PROJECT["dependencies"]
EXTRAS = PROJECT["optional-dependencies"]
DISTRIBUTION = {"PIL": "pillow"}
"""Import -> what it is installed as, where these differ by more than case and hyphens."""
OF_THE_PROJECT = {"simulation", "experiments", "tests", "chemotherapy", "their_kinds"}
"""Its packages, and modules that tests write."""
ONLY_IF_THERE = {"squidpy", "vtk"}
"""What a test takes when a user has it."""
NOT_IMPORTED = {
    "networkx": "Mesa imports it without declaring it",
    "ipyvue": "held below 2 for solara",
    "ipyvuetify": "likewise",
    "altair": "Mesa's own pages in a lesson",
    "ipykernel": "runs the lessons",
    "nbmake": "runs the lessons",
    "ruff": "make lint",
    "mypy": "make lint",
    "import-linter": "make lint",
    "codespell": "make lint",
    "pre-commit": "runs them before a commit",
    "nbstripout": "likewise",
    "pytest-cov": "make coverage",
    "pytest-xdist": "pytest -n",
    "pyarrow": "pandas reads and writes Parquet with it",
}

SHORT = {
    "gnu library or lesser general public license": "lgpl",
    "gnu lesser general public license": "lgpl",
    "gnu affero general public license": "agpl",
    "gnu general public license": "gpl",
    "mozilla public license": "mpl",
}
PERMISSIVE = {"mit", "bsd", "0bsd", "apache", "isc", "psf", "python", "zlib", "cc0"}
WEAK_COPYLEFT = {
    "pebble": ("lgpl", "imported as it is, never changed or copied"),
    "certifi": ("mpl", "a list of certificates that requests reads"),
    "hypothesis": ("mpl", "of tests only"),
    "legacy-api-wrap": ("mpl", "imported by AnnData as it is"),
    "session-info2": ("mpl", "imported by AnnData as it is"),
    "pathspec": ("mpl", "of mypy only"),
    "tqdm": ("mpl", "imported by Mesa as it is"),
}
"""Imported as libraries, unchanged, and not shipped with the project: package -> licence and reason."""

TOOLS = {"codespell": ("gpl", "a program that make lint starts, of developers only")}
"""Started, never imported and never shipped, so that their licence binds nobody: package -> licence and reason."""

ENVIRONMENT = Path(sys.prefix)
OWN = (ENVIRONMENT / "installed-test").exists() or ENVIRONMENT == ROOT / ".venv"
"""``make test`` leaves its mark in the environment that it makes; a user's own, conda's say, has neither mark nor place."""
own_environment = pytest.mark.skipif(
    not OWN, reason=f"{ENVIRONMENT} was not made from constraints.txt by make test"
)


def name_of(module: str) -> str:
    return canonicalize_name(DISTRIBUTION.get(module, module))


def declared(requirements: list[str]) -> set[str]:
    return {canonicalize_name(Requirement(each).name) for each in requirements} - {"tumorlab"}


@cache
def modules(file: Path) -> list[tuple[str, bool]]:
    """Every module that a file imports, also by a text such as ``find_spec("solara")``, and whether at once."""
    tree, found = ast.parse(file.read_bytes()), []
    lazy = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.If)]
    later = {id(inner) for node in lazy for inner in ast.walk(node)}
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module]
        elif isinstance(node, ast.Call) and node.args:
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            word = (
                node.args[0].values[0] if isinstance(node.args[0], ast.JoinedStr) else node.args[0]
            )
            if called in ("import_module", "find_spec", "importorskip") and isinstance(
                word, ast.Constant
            ):
                names = [word.value]
        found += [(name.split(".")[0], id(node) not in later) for name in names]
    return found


def imported(*packages: str, at_once: bool = False) -> dict[str, set[str]]:
    """Distribution -> the files that import it; ``at_once`` leaves out what a function or a checker of types imports."""
    found: dict[str, set[str]] = {}
    for file in (file for package in packages for file in sorted((ROOT / package).rglob("*.py"))):
        for top, now in modules(file):
            own = top in OF_THE_PROJECT or top in sys.stdlib_module_names
            if not own and (now or not at_once):
                found.setdefault(name_of(top), set()).add(file.relative_to(ROOT).as_posix())
    return found


def installs(requirements: list[str]) -> set[str]:
    """Everything that pip installs for these requirements in this environment."""
    found, due = set(), [(Requirement(each), "") for each in requirements]
    while due:
        need, extra = due.pop()
        if need.marker and not need.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(need.name)
        for wanted in ["", *need.extras]:
            if (name, wanted) not in found:
                found.add((name, wanted))
                inner = (
                    [*CORE, *EXTRAS.get(wanted, [])]
                    if name == "tumorlab"
                    else metadata.requires(name)
                ) or []
                due += [(Requirement(each), wanted) for each in inner]
    return {name for name, _ in found} - {"tumorlab"}


def constraints() -> dict[str, str]:
    """Package -> version that constraints.txt holds it at on this Python."""
    lines = [
        line
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    for line in lines:
        assert re.fullmatch(r'[a-z0-9-]+==[0-9a-z.]+(; python_version (<|>=) "3\.12")?', line), (
            f"constraints.txt: {line}"
        )
    pins = [
        need for need in map(Requirement, lines) if need.marker is None or need.marker.evaluate()
    ]
    assert len(pins) == len({need.name for need in pins}), "a package is named twice"
    return {need.name: str(need.specifier).removeprefix("==") for need in pins}


def licence(name: str) -> str:
    """The licence that a package declares: its expression, else its classifier, else the words it has."""
    about = metadata.metadata(name)
    classifiers = [
        text.split("::")[-1]
        for text in about.get_all("Classifier") or []
        if text.startswith("License ::")
    ]
    return (
        about.get("License-Expression")
        or " and ".join(classifiers)
        or (about.get("License") or "").split("\n")[0]
    )


def kinds(words: str) -> set[str]:
    """The families of licences in an expression: ``BSD-3-Clause AND Apache-2.0 WITH ...`` is bsd and apache."""
    words = re.sub(r"\bwith [\w-]+|\bthe |[()]", "", words.lower())
    for name, short in SHORT.items():
        words = words.replace(name, short)
    return {
        found[0]
        for part in re.split(r"\b(?:and|or)\b", words)
        if (found := re.search(r"\w+", part))
    }


def test_every_import_is_declared():
    core, known = (
        declared(CORE),
        declared([*CORE, *EXTRAS["lab"], *EXTRAS["research"], *EXTRAS["cluster"]]),
    )
    for name, files in imported("simulation", "experiments").items():
        of_authors = name == "pytest" and files == {
            "simulation/testing/checks.py"
        }  # who has it writes tests with it
        assert name in known or of_authors, (
            f"{name} is imported in {sorted(files)} and not in pyproject.toml"
        )
    for name, files in imported("simulation", "experiments", at_once=True).items():
        pages = {file for file in files if file.startswith("experiments/page/")}
        assert name in core or files == pages, (
            f"{name} of an extra is imported at once in {sorted(files - pages)}"
        )
    for name, files in imported("tests").items():
        assert name in known | declared(EXTRAS["test"]) | ONLY_IF_THERE, (
            f"{name} is imported in {sorted(files)}"
        )


def test_what_is_declared_is_used():
    used = imported("simulation", "experiments", "tests")
    for name in declared([*CORE, *(each for extra in EXTRAS.values() for each in extra)]):
        assert name in used or name in NOT_IMPORTED, f"{name} is declared and nothing imports it"


@own_environment
def test_everything_that_gets_installed_is_pinned():
    pins, installed = constraints(), installs(["tumorlab[test]"])
    assert installed <= set(pins), f"constraints.txt does not name {sorted(installed - set(pins))}"
    if sys.platform == "linux":
        assert set(pins) <= installed, (
            f"constraints.txt names {sorted(set(pins) - installed)}, which nothing needs"
        )
    found = {name: metadata.version(name) for name in installed}
    differs = {
        name: (version, pins[name]) for name, version in found.items() if version != pins[name]
    }
    assert not differs, f"installed, and in constraints.txt: {differs}"


@own_environment
def test_every_licence_is_allowed():
    for name in sorted(installs(["tumorlab[test]"])):
        found = kinds(licence(name))
        known, _ = (WEAK_COPYLEFT | TOOLS).get(name, ("", ""))
        assert found and found <= PERMISSIVE | {known}, (
            f"{name} is under {licence(name)!r}; is it a licence to live with?"
        )


@pytest.mark.parametrize(
    "words, expected",
    [
        ("BSD-3-Clause AND Apache-2.0 WITH LLVM-exception", {"bsd", "apache"}),
        ("GPL-3.0-only", {"gpl"}),
        ("(MIT OR GPL-2.0) AND 0BSD", {"mit", "gpl", "0bsd"}),
        ("GNU Affero General Public License v3", {"agpl"}),
        ("GNU General Public License (GPL)", {"gpl"}),
        ("GNU Library or Lesser General Public License (LGPL)", {"lgpl"}),
        ("Mozilla Public License 2.0 (MPL 2.0)", {"mpl"}),
        ("The MIT License (MIT)", {"mit"}),
        ("Proprietary", {"proprietary"}),
    ],
)
def test_a_licence_is_read_in_whole(words, expected):
    assert kinds(words) == expected
