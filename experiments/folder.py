"""The folder of one run: its plan, its checkpoints, and run.json, which is written last and marks it finished."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from pydantic import ConfigDict, Field

from simulation.files import write_atomically

from .tables import Kept

TABLES = ("timeseries.csv", "doses.csv", "measures.csv", "columns.json", "provenance.json")
PICTURES = ("overview.png", "time_courses.png", "distributions.png", "selection.png", "t_cell_state.png")
MADE_OF_IT = ("report.html", "film.mp4", "film.gif")
KEPT = 2


class RunError(ValueError):
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
        return self.path / "checkpoints" / "plan.json"

    @property
    def finished(self) -> bool:
        """Whether the run was completed."""
        return (self.path / "run.json").is_file()

    @property
    def begun(self) -> bool:
        """Whether a run was begun here; raises RunError when the folder holds something else."""
        if self.finished or self.plan_file.is_file():
            return True
        if self.path.exists() and not (self.path.is_dir() and not any(self.path.iterdir())):
            raise RunError(f"{self.path} holds something else than a run; choose another --out")
        return False

    def plan(self) -> dict | None:
        """What the run was begun with, None when nothing was begun; raises RunError for a damaged plan."""
        if not self.begun:
            return None
        if self.plan_file.is_file():
            return Plan.read(self.plan_file, RunError)
        return Record.read(self.path / "run.json", RunError)["plan"]

    def begin(self, plan: dict, *, overwrite: bool = False, resume: bool = False) -> None:
        """Make the folder and write down what is going to be run; an old run in it is removed only on request."""
        if self.path.exists() and not resume:
            if not overwrite:
                raise RunError(f"{self.path} exists already; --resume completes or shows it, --overwrite replaces it")
            if self.begun:
                self._clear()
        write_atomically(self.plan_file, json.dumps(plan, indent=1) + "\n")

    def _clear(self) -> None:
        """Remove what a run wrote, the finished mark first, and nothing else."""
        for name in ("run.json", *TABLES, *PICTURES, *MADE_OF_IT):
            (self.path / name).unlink(missing_ok=True)
        for folder in (self.path / "snapshots", self.path / "exports", *(self.path / "checkpoints").glob("*/")):
            shutil.rmtree(folder, ignore_errors=not folder.exists())

    def keep_arm(self, model: object, arm: str, *, last: bool) -> None:
        """Save an arm's checkpoint of this day; older ones go, but for one to fall back on while the run lasts."""
        model.save(self.path / "checkpoints" / arm / f"day_{model.day:07.2f}")
        for old in self.checkpoints(arm)[1 if last else KEPT:]:
            shutil.rmtree(old)

    def checkpoints(self, arm: str) -> list[Path]:
        """An arm's whole checkpoints, the newest first."""
        return sorted((self.path / "checkpoints" / arm).glob("day_*"), reverse=True)

    def finish(self, record: dict) -> None:
        """Write run.json with the SHA-256 of every file; from now on the run is finished."""
        for part in [*(self.path / "checkpoints").rglob(".*/")]:  # of a save that was killed
            shutil.rmtree(part, ignore_errors=True)
        hashes = {name: _hash(file) for name, file in self._files() if name != "run.json"}
        write_atomically(self.path / "run.json", json.dumps(record | {"files": hashes}, indent=1) + "\n")

    def record(self) -> dict:
        """The content of run.json, when tables and snapshots are as they were written; raises RunError."""
        if not self.finished:
            what = "holds no finished run" if self.path.exists() else "does not exist"
            hint = "; complete it with tumorlab run ... --resume" if self.plan_file.is_file() else ""
            raise RunError(f"{self.path} {what}{hint}")
        record = Record.read(self.path / "run.json", RunError)
        for name, expected in record["files"].items():
            if name in TABLES or name.startswith("snapshots/"):
                file = self.path / name
                if not file.is_file():
                    raise RunError(f"{file} is missing")
                if _hash(file) != expected:
                    raise RunError(f"{file} is damaged (its SHA-256 is not the one in run.json)")
        return record

    def renew(self, names: list[str]) -> None:
        """Enter files that were drawn anew into a finished run.json."""
        record = Record.read(self.path / "run.json", RunError)
        record["files"] |= {name: _hash(self.path / name) for name in names}
        write_atomically(self.path / "run.json", json.dumps(record, indent=1) + "\n")

    def _files(self) -> Iterator[tuple[str, Path]]:
        for file in sorted(self.path.rglob("*")):
            if file.is_file():
                yield file.relative_to(self.path).as_posix(), file


def _hash(file: Path) -> str:
    with open(file, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
