"""Kinds of files: a scenario, a sweep and a trial are told apart by their keys, and each has its command.

A kind makes itself known where it is defined; whoever must tell all of them apart imports :mod:`experiments.studies.kinds`.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

from .toml_tables import ScenarioError, Table, read_toml

Known = TypeVar("Known", bound=type[Table])


class FileKind(NamedTuple):
    """A kind of file: its table, the command it is for, and the folder of those that ship."""

    table: type[Table]
    command: str
    shipped: Path


KINDS: dict[str, FileKind] = {}


def file_kind(command: str, shipped: Path) -> Callable[[Known], Known]:
    """Make a table, which says its ``kind``, known as a kind of file."""

    def known(table: Known) -> Known:
        KINDS[table.kind] = FileKind(table, command, shipped)
        return table

    return known


def kind_of(content: dict, supposed: str = "scenario") -> str:
    """What a file is by the keys it has; what it is supposed to be, unless another kind knows more of them."""
    unknown = {
        name: len(content.keys() - kind.table.model_fields.keys()) for name, kind in KINDS.items()
    }
    return min([supposed, *KINDS], key=unknown.__getitem__)


def check_kind(content: dict, supposed: str, word: str) -> None:
    """Raises ScenarioError that names the right command for a file of another kind."""
    if (kind := kind_of(content, supposed)) != supposed:
        raise ScenarioError(
            f"{word} is a {kind}, not a {supposed}; it is for tumorlab {KINDS[kind].command} {word}"
        )


def check_name(word: str, supposed: str) -> None:
    """Raises ScenarioError that names the right command for what ships under this name as another kind."""
    for folder in dict.fromkeys(kind.shipped for kind in KINDS.values()):
        if os.path.isfile(file := folder / f"{word}.toml") and file.stem == word:
            check_kind(read_toml(file, word)[0], supposed, word)
