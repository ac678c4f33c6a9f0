"""The folder of one run: its plan, its checkpoints, and run.json, which is written last and marks it finished."""

import json
import os
import re
import shutil
from functools import cached_property
from pathlib import Path

from pydantic import ConfigDict, Field

from simulation import state
from simulation.errors import TumorLabError
from simulation.model import TumorModel
from simulation.results import results
from simulation.results.files import digest, digests, remove, sealed, verify, write_atomically
from simulation.results.snapshots import snapshot_files

from ..scenarios.toml_tables import Kept

RECORD = "run.json"
TABLES = (*results.TABLES, results.ABOUT)
PICTURES = (
    "overview.png",
    "time_courses.png",
    "distributions.png",
    "selection.png",
    "t_cell_state.png",
)
MADE_OF_IT = ("report.html", "film.mp4", "film.gif")
EXPORT = re.compile(r".+_day_-?\d+\.\d\d\.(h5ad|vti|vtp)")
KEPT = 2


class RunError(TumorLabError):
    """A run that cannot be begun, continued or written; the message is one sentence naming the folder or file."""


class Options(Kept):
    """What a run was asked for beside its scenario."""

    model_config = ConfigDict(extra="forbid")

    days: float | None
    seed: int | None
    arms: list[str] | None
    set: dict | None


class Plan(Kept):
    """What a run was begun with."""

    scenario: dict
    options: Options
    treatments: dict[str, dict] = {}
    packages: dict[str, str] = {}
    results: int = 1


class ScenarioRun(Kept):
    """The scenario of a finished run."""

    name: str
    text: str
    in_force: dict


class Arm(Kept):
    """An arm of a finished run."""

    outcome: str


class Record(Kept):
    """The content of run.json."""

    version: str
    command: str
    question: str
    seed: int
    scenario: ScenarioRun
    arms: dict[str, Arm] = Field(min_length=1)
    papers: list[str]
    packages: dict[str, str]
    plan: Plan
    machine: str
    notes: list[str]
    wall_seconds: float
    files: dict[str, str]


class RunFolder:
    """Where a run is kept. Every file and every checkpoint in it is whole or not there."""

    def __init__(self, path: str | os.PathLike):
        self.path = Path(path)

    @property
    def plan_file(self) -> Path:
        """The file that says what is run."""
        return self.path / "checkpoints" / "plan.json"

    @property
    def finished(self) -> bool:
        """Whether the run was completed."""
        return (self.path / RECORD).is_file()

    @property
    def begun(self) -> bool:
        """Whether a run was begun here; raises RunError when the folder holds something else."""
        if self.finished or self.plan_file.is_file():
            return True
        if self.path.exists() and not (self.path.is_dir() and not any(self.path.iterdir())):
            raise RunError(
                f"{self.path} holds something else than a run; choose another --out", file=self.path
            )
        return False

    def plan(self) -> dict | None:
        """What the run was begun with, None when nothing was begun; raises RunError for a damaged plan."""
        if not self.begun:
            return None
        return self._record()["plan"] if self.finished else Plan.read(self.plan_file, RunError)

    def begin(self, plan: dict, *, overwrite: bool = False, resume: bool = False) -> None:
        """Make the folder and write down what is going to be run; an old run in it is removed only on request."""
        if self.path.exists() and not resume:
            if not overwrite:
                raise RunError(
                    f"{self.path} exists already; --resume completes or shows it, --overwrite replaces it",
                    file=self.path,
                )
            if self.begun:
                self._clear()
        write_atomically(self.plan_file, sealed(plan))

    def _clear(self) -> None:
        """Remove what a run wrote, the finished mark first, and nothing else; the plan is written over."""
        if not self.plan_file.is_file():
            try:
                self._record()
            except RunError:
                raise RunError(
                    f"{self.path / RECORD} is not the record of a run, or damaged, and nothing else of one is here; "
                    "move it away or choose another --out",
                    file=self.path / RECORD,
                ) from None
        self._clear_parts()
        remove(self.path, [RECORD, *self._written()])

    def _written(self) -> list[str]:
        """The names of the files in the folder that a run and what is made of it leave behind, but for plan and record."""
        names = [*TABLES, *PICTURES, *MADE_OF_IT, *snapshot_files(self.path)]
        names += [
            f"exports/{file.name}"
            for file in self.path.glob("exports/*")
            if EXPORT.fullmatch(file.name)
        ]
        for saved in self._checkpoint_folders("{}"):
            names += [
                (saved / name).relative_to(self.path).as_posix() for name in state.written(saved)
            ]
        return [name for name in names if (self.path / name).is_file()]

    def _clear_parts(self) -> None:
        """Remove what a save that was killed left behind."""
        for part in self._checkpoint_folders(".{}-*"):
            shutil.rmtree(part, ignore_errors=True)

    def _checkpoint_folders(self, named: str) -> list[Path]:
        """The folders of checkpoints of every sort, ``named`` after the sort."""
        sorts = [("", "grown"), ("", "growing"), ("*/", "growing"), ("*/", "day_*")]
        return [
            found
            for arm, sort in sorts
            for found in self.path.glob(f"checkpoints/{arm}{named.format(sort)}/")
        ]

    def save(self, model: TumorModel, place: Path) -> None:
        """Save a model as a part of this very run."""
        state.save(model, place, of=self._part(place))

    def load(self, place: Path) -> TumorModel:
        """A model that was saved here; raises StateError for one that is damaged or of another run, arm or day."""
        return state.load(TumorModel, place, of=self._part(place))

    def _part(self, place: Path) -> dict:
        return {
            "plan": self._identity,
            "checkpoint": place.relative_to(self.path / "checkpoints").as_posix(),
        }

    @cached_property
    def _identity(self) -> str:
        """Sixteen hex digits of what the run was begun with: scenario, options, seed."""
        return digest(json.dumps(self.plan()).encode())[:16]

    def keep_arm(self, model: TumorModel, arm: str, *, last: bool) -> None:
        """Save an arm's checkpoint of this day; older ones go, but for one to fall back on while the run lasts."""
        self.save(model, self.path / "checkpoints" / arm / f"day_{model.day:07.2f}")
        for old in self.checkpoints(arm)[1 if last else KEPT :]:
            state.discard(old)

    def checkpoints(self, arm: str) -> list[Path]:
        """An arm's whole checkpoints, the newest first."""
        return sorted((self.path / "checkpoints" / arm).glob("day_*"), reverse=True)

    def finish(self, record: dict) -> None:
        """Write run.json with the SHA-256 of every file; from now on the run is finished."""
        self._clear_parts()
        plan = self.plan_file.relative_to(self.path).as_posix()
        write_atomically(
            self.path / RECORD,
            sealed(record | {"files": digests(self.path, [*self._written(), plan])}),
        )

    def record(self) -> dict:
        """The content of run.json, when tables and snapshots are as they were written; raises RunError."""
        if not self.finished:
            what = "holds no finished run" if self.path.exists() else "does not exist"
            hint = (
                "; complete it with tumorlab run ... --resume" if self.plan_file.is_file() else ""
            )
            raise RunError(f"{self.path} {what}{hint}", file=self.path)
        record = self._record()
        read = {
            name: told
            for name, told in record["files"].items()
            if name in TABLES or name.startswith("snapshots/")
        }
        verify(self.path, read, [], TABLES, RunError)
        return record

    def renew(self, names: list[str]) -> None:
        """Enter files that were drawn anew into a finished run.json."""
        record = self._record()
        record["files"] |= digests(self.path, names)
        write_atomically(self.path / RECORD, sealed(record))

    def _record(self) -> dict:
        return Record.read(self.path / RECORD, RunError)
