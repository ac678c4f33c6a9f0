"""Kinds of files: a scenario, a sweep and a trial are told apart by their keys, and each has its command."""

import os

from ..studies import study
from ..studies.sweep.sweep import Sweep
from ..studies.trial.trial import Trial
from . import scenario
from .scenario import Scenario
from .toml_tables import ScenarioError, Table, read_toml

KINDS: dict[str, type[Table]] = {"scenario": Scenario, "sweep": Sweep, "trial": Trial}
COMMANDS = {"scenario": "run", "sweep": "sweep", "trial": "trial"}


def kind_of(content: dict, supposed: str = "scenario") -> str:
    """What a file is by the keys it has; what it is supposed to be, unless another kind knows more of them."""
    unknown = {kind: len(content.keys() - table.model_fields.keys()) for kind, table in KINDS.items()}
    return min([supposed, *KINDS], key=unknown.__getitem__)


def check_kind(content: dict, supposed: str, word: str) -> None:
    """Raises ScenarioError that names the right command for a file of another kind."""
    if (kind := kind_of(content, supposed)) != supposed:
        raise ScenarioError(f"{word} is a {kind}, not a {supposed}; it is for tumorlab {COMMANDS[kind]} {word}")


def check_name(word: str, supposed: str) -> None:
    """Raises ScenarioError that names the right command for what ships under this name as another kind."""
    for folder in (scenario.SHIPPED, study.SHIPPED):
        if os.path.isfile(file := folder / f"{word}.toml") and file.stem == word:
            check_kind(read_toml(file, word)[0], supposed, word)
