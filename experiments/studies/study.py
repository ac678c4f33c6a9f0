"""A study: which runs it has, the function that computes one, and what is made of them all."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Self

import pandas as pd
from matplotlib.figure import Figure
from pydantic import Field, PrivateAttr

from simulation.parameters.given import quoted
from simulation.parameters.parameter import nearest
from simulation.plug_ins import look_beside

from ..scenarios.file_kinds import check_kind, check_name
from ..scenarios.own_code import descriptions
from ..scenarios.scenario import Scenario
from ..scenarios.toml_tables import ScenarioError, Table, read_toml
from .archive import Run, StudyError, Tables

SHIPPED = Path(__file__).parent


@dataclass
class Findings:
    """What is made of the tables of a study: further tables (CSV), figures (PNG), and sentences for a reader."""

    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    figures: dict[str, Figure] = field(default_factory=dict)
    sentences: list[str] = field(default_factory=list)


class Study(Table):
    """A study file. A kind of study says which runs it has, which function computes one, and what is made of the tables."""

    kind: ClassVar[str] = "study"
    grows: ClassVar[tuple[str, ...]] = ()
    """Keys that may be changed when a study is resumed: what is there stays right, more is asked."""
    replicate: ClassVar[str] = "seed"
    """What is different between runs that are otherwise the same."""
    varied: ClassVar[str] = "swept"
    """How a parameter came to the value it has in one run."""

    question: str = Field(min_length=1, description="one sentence")

    _name: str = PrivateAttr("study")
    _file: str = PrivateAttr("study")
    _text: str = PrivateAttr("")
    _scenarios_used: dict[str, dict[str, Any]] = PrivateAttr(default_factory=dict)

    @property
    def text(self) -> str:
        """Its file as it was read; empty for a study that was made in Python."""
        return self._text

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return self._name

    @staticmethod
    def names() -> list[str]:
        """The studies that ship."""
        return sorted(file.stem for file in SHIPPED.glob("*.toml"))

    @classmethod
    def load(cls, name_or_path: str | Path) -> Self:
        """The shipped study of that name, or the TOML file at that path; raises StudyError or ScenarioError."""
        word = str(name_or_path)
        path = SHIPPED / f"{word}.toml" if word in cls.names() else Path(word)
        if path.name == word and not (word.endswith(".toml") or os.path.isfile(path)):
            check_name(word, cls.kind)
            raise StudyError(
                f"there is no study {quoted(word)}{nearest(word, cls.names())}; "
                "a file of your own is given by a path ending in .toml"
            )
        content, text = read_toml(path, path.name if path.parent == SHIPPED else word)
        check_kind(content, cls.kind, word)
        study = cls.from_content(content, name=path.stem, file=str(path))
        study._text = text
        if path.parent != SHIPPED:  # what ships needs no code of a user's own
            look_beside(path)
        return study

    @classmethod
    def from_content(
        cls,
        content: dict[str, Any],
        *,
        name: str = "study",
        file: str = "study",
        scenarios: dict[str, Any] | None = None,
    ) -> Self:
        """A study from the content of its file; raises ScenarioError that calls it by the name of ``file``.

        ``scenarios``, contents by name, stand for files that may have changed since.
        """
        study = cls.checked(content, Path(file).name)
        study._name, study._file, study._scenarios_used = name, file, dict(scenarios or {})
        return study

    def scenario_called(self, word: str) -> Scenario:
        """The scenario of that name, or of that path as seen from the study's file; raises StudyError."""
        beside = Path(self._file).parent / word
        name = beside.stem if word.endswith(".toml") else word
        try:
            if name not in self._scenarios_used:
                found = Scenario.load(
                    beside if word.endswith(".toml") and beside.is_file() else word
                )
                self._scenarios_used[name] = found.content()
            return Scenario.from_content(self._scenarios_used[name], name=name, file=name)
        except ScenarioError as error:
            raise StudyError.of(error, file=self.file) from None

    def refused(self, name: str, error: Exception) -> StudyError:
        """A mistake in a value that is varied: it stands under ``vary``, also where a scenario was told it under ``set``."""
        if isinstance(error, ScenarioError) and error.key in ("set", f"set: {name}"):
            return StudyError(error.reason, file=self.file, key=f"vary.{name}")
        return StudyError.of(error, file=self.file, key=f"vary.{name}")

    @property
    def file(self) -> str:
        """What errors call the study."""
        return Path(self._file).name

    @property
    def memory(self) -> int:
        """Bytes that one of its runs needs at most."""
        return 0

    @property
    def in_force(self) -> list[Scenario]:
        """The scenarios that are run, as the study changes them."""
        return []

    @property
    def units(self) -> dict[str, str]:
        """The unit of each varied parameter that is a column of the tables, by its dotted name."""
        return {}

    def facts(self, tables: Tables) -> list[tuple[str, str]]:
        """What was run, as terms and texts."""
        return []

    def described(self) -> dict[str, pd.DataFrame]:
        """What a reader must know of the design that is in no result, by its heading."""
        return {}

    @property
    def function(self) -> Callable[[dict[str, Any], int], Tables]:
        """The pure function that computes one run; a function of a module, so that workers find it."""
        raise NotImplementedError

    def runs(self) -> list[Run]:
        """Every run, in the order of the design."""
        raise NotImplementedError

    def order(self, runs: list[Run]) -> list[Run]:
        """The runs in the order in which they are best computed; it changes no result."""
        return runs

    def pilot(self, runs: list[Run]) -> list[Run]:
        """Runs to be computed first, for :meth:`forecast`."""
        return []

    def forecast(self, pilot: Tables, runs: int) -> list[str]:
        """What the pilot's tables say about how many runs are needed."""
        return []

    def analyse(self, tables: Tables) -> Findings:
        """Tables, figures and sentences made from the consolidated tables alone."""
        return Findings()

    def notes(self, tables: Tables) -> list[str]:
        """What a reader should know besides the findings."""
        return []

    def plan(self) -> dict[str, Any]:
        """What identifies the study, as JSON: its own content, that of the scenarios it uses, and their own treatments."""
        return {
            "kind": self.kind,
            "name": self.name,
            "content": self.model_dump(mode="json", exclude_none=True),
            "scenarios": self._scenarios_used,
            "treatments": descriptions(self._scenarios_used.values()),
        }
