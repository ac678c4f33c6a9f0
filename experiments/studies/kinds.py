"""The kinds of studies there are. A new kind is a package beside ``sweep`` and ``trial``, and one name here."""

from typing import TypeVar

from experiments.scenarios.scenario import Scenario

from .study import Study
from .sweep.sweep import Sweep
from .trial.trial import Trial

Kind = TypeVar("Kind", Scenario, Study)
STUDIES: dict[str, type[Study]] = {study.kind: study for study in (Sweep, Trial)}


def load(kind: type[Kind], word: str) -> Kind:
    """The file of that name or path as a scenario or study; what is of another kind is told by its name and command."""
    return kind.load(word)
