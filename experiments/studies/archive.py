"""The folder of a study: its plan, one file per run, the tables made of them, and study.json, written last."""

import gzip
import io
import json
import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd

from simulation.errors import TumorLabError
from simulation.results.files import PART, digest, sealed, write_atomically
from simulation.state import RESULTS

from ..scenarios.toml_tables import Kept

Tables = dict[str, pd.DataFrame]
PLAN, MARK, MADE = "plan.json", "study.json", "made.json"
KEY = re.compile(r"[0-9a-f]{20}")


class StudyError(TumorLabError):
    """A study that cannot be begun, continued or written; the message is one sentence naming the file or key."""


class DamagedFile(StudyError):
    """A file that is not what was written."""


class Plan(Kept):
    """What a study was begun with."""

    kind: str
    name: str
    content: dict[str, Any]
    scenarios: dict[str, dict[str, Any]] = {}
    text: str = ""
    treatments: dict[str, dict[str, Any]] = {}
    packages: dict[str, str] = {}
    results: int = 1


class Record(Kept):
    """The content of study.json."""

    version: str
    kind: str
    name: str
    question: str
    command: str
    runs: int
    failed: int
    keys: list[str]
    packages: dict[str, str]
    notes: list[str]
    wall_seconds: float
    plan: str
    files: dict[str, str]

    remedy: ClassVar[str] = "--resume makes it again"


class Made(Kept):
    """The content of made.json: tables, figures and pages made of the runs, entered before they are written."""

    files: list[str]


class Failure(Kept):
    """Why a run has no result."""

    key: str
    message: str


@dataclass(frozen=True)
class Run:
    """One run: what its function is called with (plain JSON values), and the columns put in front of its tables."""

    function: str
    parameters: dict[str, Any]
    seed: int
    labels: dict[str, Any]

    @cached_property
    def key(self) -> str:
        """Twenty hex digits that are the same for the same question to the same rules, asked in whatever study."""
        asked = json.dumps([RESULTS, self.function, self.parameters, self.seed], sort_keys=True)
        return digest(asked.encode())[:20]


def pack(tables: Tables, key: str) -> bytes:
    """Tables as the content of a run file: the SHA-256 of the rest on a line, then gzipped JSON. Same tables, same bytes.

    ``key``: that of the run, so that the file says which question it answers, whatever it is called.
    """
    columns = {
        name: {column: table[column].tolist() for column in table} for name, table in tables.items()
    }
    body = gzip.compress(
        json.dumps({"key": key, "tables": columns}).encode(), compresslevel=4, mtime=0
    )
    return digest(body).encode() + b"\n" + body


def unpack(content: bytes, key: str) -> dict[str, dict[str, list[Any]]]:
    """Table -> column -> values; raises ValueError when a single bit is not what was written for the run of that key."""
    told, _, body = content.partition(b"\n")
    if digest(body).encode() != told:
        raise ValueError("its SHA-256 is not the one it was written with")
    kept = json.loads(gzip.decompress(body))
    if kept["key"] != key:
        raise ValueError(f"it holds the run {kept['key']}")
    return kept["tables"]


class Archive:
    """Where a study is kept. Every file in it is whole or not there; a run's file is named by what the run asks."""

    def __init__(self, path: str | Path):
        self.path = Path(path)

    def plan(self) -> dict[str, Any] | None:
        """What the study was begun with, None where nothing was; raises StudyError for a folder of something else."""
        if (self.path / PLAN).is_file():
            return Plan.read(self.path / PLAN, DamagedFile)
        if self.path.exists() and not (self.path.is_dir() and not any(self.path.iterdir())):
            raise StudyError(
                f"{self.path} holds something else than a study; choose another --out",
                file=self.path,
            )
        return None

    @property
    def begun(self) -> bool:
        """Whether a study was begun here, be its plan whole or damaged."""
        return (self.path / PLAN).is_file()

    def begin(self, plan: dict[str, Any]) -> None:
        """Write down what is going to be run."""
        write_atomically(self.path / PLAN, sealed(plan))

    def clear(self, siblings: Iterable[Run] = ()) -> None:
        """Remove what a study wrote, the finished mark first, and nothing else; runs of siblings stay, the plan is written over.

        Raises StudyError where the plan cannot be read and nothing of a study lies beside it: it may be somebody else's.
        """
        stay = {run.key for run in siblings}
        found = [*self.path.glob("runs/*.run"), *self.path.glob("failures/*.json")]
        runs = [file for file in found if KEY.fullmatch(file.stem)]
        if not runs and not (self.path / MARK).is_file():
            try:
                self.plan()
            except DamagedFile:
                raise StudyError(
                    f"{self.path / PLAN} is not the plan of a study, or damaged; move it away or choose another "
                    "--out",
                    file=self.path / PLAN,
                ) from None
        ours = [MARK, *self._made(), MADE]
        for file in [
            *map(self.path.joinpath, ours),
            *(file for file in runs if file.stem not in stay),
        ]:
            file.unlink(missing_ok=True)

    def enter(self, names: Iterable[str]) -> None:
        """Note the names of files that are going to be made of the runs: these, and no others beside them, are ours."""
        made = self._made()
        if new := [name for name in names if name not in made]:
            write_atomically(self.path / MADE, sealed({"files": [*made, *new]}))

    def _made(self) -> list[str]:
        """The names that were entered, none where the list cannot be read; names of files in this folder only."""
        try:
            return [
                name
                for name in Made.read(self.path / MADE, DamagedFile)["files"]
                if Path(name).name == name
            ]
        except (FileNotFoundError, DamagedFile):
            return []

    def known(self) -> set[str]:
        """Keys of the runs that were there when the study was finished; empty when it never was, or cannot be read."""
        try:
            return set(Record.read(self.path / MARK, DamagedFile)["keys"])
        except (FileNotFoundError, DamagedFile):
            return set()

    def run_file(self, run: Run) -> Path:
        """The file of a finished run."""
        return self.path / "runs" / f"{run.key}.run"

    def failure_file(self, run: Run) -> Path:
        """The file that says why a run failed."""
        return self.path / "failures" / f"{run.key}.json"

    def keep(self, run: Run, content: bytes) -> None:
        """Write a finished run; an earlier failure of it is forgotten."""
        write_atomically(self.run_file(run), content)
        self.failure_file(run).unlink(missing_ok=True)

    def keep_failure(self, run: Run, message: str, traceback: str) -> None:
        """Write down why a run has no result."""
        about = {
            "key": run.key,
            "message": message,
            "labels": run.labels,
            "seed": run.seed,
            "traceback": traceback,
        }
        write_atomically(self.failure_file(run), sealed(about))

    def whole(self, run: Run) -> bool:
        """Whether the run is there; raises DamagedFile when it is not what was written."""
        try:
            self.columns(run)
        except FileNotFoundError:
            return False
        return True

    def columns(self, run: Run) -> dict[str, dict[str, list[Any]]]:
        """A run's tables as lists; raises FileNotFoundError or DamagedFile."""
        file = self.run_file(run)
        try:
            return unpack(file.read_bytes(), run.key)
        except FileNotFoundError:
            raise
        except (OSError, ValueError, KeyError, TypeError, EOFError, zlib.error) as error:
            raise DamagedFile(f"{file} is damaged ({error})", file=file) from None

    def failure(self, run: Run) -> str | None:
        """Why a run failed, None where it did not; a failure that cannot be read, or of another run, is none."""
        try:
            failure = Failure.read(self.failure_file(run), DamagedFile)
        except (FileNotFoundError, DamagedFile):
            return None
        return failure["message"] if failure["key"] == run.key else None

    def join(self, runs: list[Run]) -> Tables:
        """All finished runs in one table each, in the order of the design, with the labels in front; and ``runs``, the index."""
        joined: dict[str, dict[str, list[Any]]] = {}
        index: list[dict[str, Any]] = []
        for number, run in enumerate(runs):
            message = self.failure(run)
            index.append(
                {
                    "run": number,
                    **run.labels,
                    "seed": run.seed,
                    "status": "failed" if message else "finished",
                    "message": message or "",
                }
            )
            for name, columns in ({} if message else self.columns(run)).items():
                length = len(next(iter(columns.values()), []))
                _extend(
                    joined.setdefault(name, {}),
                    {"run": [number] * length}
                    | {
                        label: [value] * length
                        for label, value in (run.labels | {"seed": run.seed}).items()
                    }
                    | columns,
                )
        return {"runs": pd.DataFrame(index)} | {
            name: pd.DataFrame(columns) for name, columns in joined.items()
        }

    def tidy(self) -> None:
        """Remove what drivers that were killed left half-written; not while others write."""
        for stale in [*self.path.glob("*/.*.part"), *self.path.glob(".*.part")]:
            if PART.fullmatch(stale.name):
                stale.unlink(missing_ok=True)

    def finish(self, tables: Tables, record: dict[str, Any]) -> dict[str, str]:
        """Write the tables as Parquet, then study.json with the SHA-256 of each; returns these."""
        self.enter(f"{name}.parquet" for name in tables)
        hashes = {}
        for name, table in tables.items():
            buffer = io.BytesIO()
            table.to_parquet(buffer, index=False, compression="zstd")
            write_atomically(self.path / f"{name}.parquet", buffer.getvalue())
            hashes[f"{name}.parquet"] = digest(buffer.getvalue())
        write_atomically(
            self.path / MARK, sealed(record | {"plan": digest(self.path / PLAN), "files": hashes})
        )
        return hashes

    def record(self) -> dict[str, Any]:
        """The content of study.json; raises StudyError where no study was finished, or DamagedFile."""
        if not (self.path / MARK).is_file():
            hint = "; complete it with --resume" if self.plan() else ""
            what = "holds no finished study" if self.path.exists() else "does not exist"
            raise StudyError(f"{self.path} {what}{hint}", file=self.path)
        return Record.read(self.path / MARK, DamagedFile)

    def tables(self) -> Tables:
        """The tables of a finished study; raises DamagedFile for one that is missing or not what was written."""
        found, record = {}, self.record()
        if not self.begun or digest(self.path / PLAN) != record["plan"]:
            raise DamagedFile(
                f"{self.path / PLAN} is not the one that the tables answer; --resume makes them again",
                file=self.path / PLAN,
            )
        if "runs.parquet" not in record["files"]:
            raise DamagedFile(
                f"{self.path / MARK} is damaged (it names no runs.parquet); --resume makes it again",
                file=self.path / MARK,
            )
        for name, told in record["files"].items():
            file = self.path / name
            if not file.is_file():
                raise DamagedFile(f"{file} is missing; --resume makes it again", file=file)
            content = file.read_bytes()
            if digest(content) != told:
                raise DamagedFile(
                    f"{file} is damaged (its SHA-256 is not the one in {MARK}); --resume makes it again",
                    file=file,
                )
            found[Path(name).stem] = pd.read_parquet(io.BytesIO(content))
        return found


def _extend(table: dict[str, list[Any]], rows: dict[str, list[Any]]) -> None:
    """Append rows; a column that one side lacks is filled with None."""
    before = len(next(iter(table.values()), []))
    length = len(next(iter(rows.values()), []))
    for column in rows:
        table.setdefault(column, [None] * before)
    for column, values in table.items():
        values += rows.get(column, [None] * length)
