"""The folder of a study: its plan, one file per run, the tables made of them, and study.json, written last."""

import gzip
import hashlib
import io
import json
import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from simulation.files import write_atomically
from simulation.state import RESULTS

from .tables import Kept

Tables = dict[str, pd.DataFrame]
PLAN, MARK = "plan.json", "study.json"


class StudyError(ValueError):
    """A study that cannot be begun, continued or written; the message is one sentence naming the file or key."""


class DamagedFile(StudyError):
    """A file that is not what was written."""


class Plan(Kept):
    """What a study was begun with."""

    kind: str
    name: str
    content: dict
    scenarios: dict[str, dict] = {}
    text: str = ""
    treatments: dict[str, dict] = {}
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
    files: dict[str, str]


class Failure(Kept):
    """Why a run has no result."""

    message: str


@dataclass(frozen=True)
class Run:
    """One run: what its function is called with (plain JSON values), and the columns put in front of its tables."""

    function: str
    parameters: dict
    seed: int
    labels: dict

    @cached_property
    def key(self) -> str:
        """Twenty hex digits that are the same for the same question to the same rules, asked in whatever study."""
        asked = json.dumps([RESULTS, self.function, self.parameters, self.seed], sort_keys=True)
        return hashlib.sha256(asked.encode()).hexdigest()[:20]


def pack(tables: Tables) -> bytes:
    """Tables as the content of a run file: the SHA-256 of the rest on a line, then gzipped JSON. Same tables, same bytes."""
    columns = {name: {column: table[column].tolist() for column in table} for name, table in tables.items()}
    body = gzip.compress(json.dumps(columns).encode(), compresslevel=4, mtime=0)
    return hashlib.sha256(body).hexdigest().encode() + b"\n" + body


def unpack(content: bytes) -> dict[str, dict[str, list]]:
    """Table -> column -> values; raises ValueError when a single bit is not what was written."""
    digest, _, body = content.partition(b"\n")
    if hashlib.sha256(body).hexdigest().encode() != digest:
        raise ValueError("its SHA-256 is not the one it was written with")
    return json.loads(gzip.decompress(body))


class Archive:
    """Where a study is kept. Every file in it is whole or not there; a run's file is named by what the run asks."""

    def __init__(self, path: str | Path):
        self.path = Path(path)

    def plan(self) -> dict | None:
        """What the study was begun with, None where nothing was; raises StudyError for a folder of something else."""
        if (self.path / PLAN).is_file():
            return Plan.read(self.path / PLAN, DamagedFile)
        if self.path.exists() and not (self.path.is_dir() and not any(self.path.iterdir())):
            raise StudyError(f"{self.path} holds something else than a study; choose another --out")
        return None

    def begin(self, plan: dict) -> None:
        """Write down what is going to be run."""
        write_atomically(self.path / PLAN, json.dumps(plan, indent=1) + "\n")

    def clear(self) -> None:
        """Remove what a study wrote, the finished mark first, and nothing else."""
        names = [MARK, "*.parquet", "*.csv", "*.png", "report.html", "runs/*.run", "failures/*.json", PLAN]
        for file in [file for name in names for file in self.path.glob(name)]:
            file.unlink()

    def known(self) -> set[str]:
        """Keys of the runs that were there when the study was finished; empty when it never was, or cannot be read."""
        try:
            return set(Record.read(self.path / MARK, DamagedFile)["keys"])
        except (FileNotFoundError, DamagedFile):
            return set()

    def run_file(self, run: Run) -> Path:
        return self.path / "runs" / f"{run.key}.run"

    def failure_file(self, run: Run) -> Path:
        return self.path / "failures" / f"{run.key}.json"

    def keep(self, run: Run, content: bytes) -> None:
        """Write a finished run; an earlier failure of it is forgotten."""
        write_atomically(self.run_file(run), content)
        self.failure_file(run).unlink(missing_ok=True)

    def keep_failure(self, run: Run, message: str, traceback: str) -> None:
        """Write down why a run has no result."""
        about = {"message": message, "labels": run.labels, "seed": run.seed, "traceback": traceback}
        write_atomically(self.failure_file(run), json.dumps(about, indent=1) + "\n")

    def whole(self, run: Run) -> bool:
        """Whether the run is there; raises DamagedFile when it is not what was written."""
        try:
            self.columns(run)
        except FileNotFoundError:
            return False
        return True

    def columns(self, run: Run) -> dict[str, dict[str, list]]:
        """A run's tables as lists; raises FileNotFoundError or DamagedFile."""
        file = self.run_file(run)
        try:
            return unpack(file.read_bytes())
        except FileNotFoundError:
            raise
        except (OSError, ValueError, EOFError, zlib.error) as error:
            raise DamagedFile(f"{file} is damaged ({error})") from None

    def failure(self, run: Run) -> str | None:
        """Why a run failed, None where it did not; a failure that cannot be read is none."""
        try:
            return Failure.read(self.failure_file(run), DamagedFile)["message"]
        except (FileNotFoundError, DamagedFile):
            return None

    def join(self, runs: list[Run]) -> Tables:
        """All finished runs in one table each, in the order of the design, with the labels in front; and ``runs``, the index."""
        joined: dict[str, dict[str, list]] = {}
        index: list[dict] = []
        for number, run in enumerate(runs):
            message = self.failure(run)
            index.append({"run": number, **run.labels, "seed": run.seed, "status": "failed" if message else "finished",
                          "message": message or ""})
            for name, columns in ({} if message else self.columns(run)).items():
                length = len(next(iter(columns.values()), []))
                _extend(joined.setdefault(name, {}), {"run": [number] * length}
                        | {label: [value] * length for label, value in (run.labels | {"seed": run.seed}).items()} | columns)
        return {"runs": pd.DataFrame(index)} | {name: pd.DataFrame(columns) for name, columns in joined.items()}

    def finish(self, tables: Tables, record: dict) -> dict[str, str]:
        """Write the tables as Parquet, then study.json with the SHA-256 of each; returns these."""
        for stale in [*self.path.glob("*/.*.part"), *self.path.glob(".*.part")]:  # of a driver that was killed
            stale.unlink(missing_ok=True)
        hashes = {}
        for name, table in tables.items():
            buffer = io.BytesIO()
            table.to_parquet(buffer, index=False, compression="zstd")
            write_atomically(self.path / f"{name}.parquet", buffer.getvalue())
            hashes[f"{name}.parquet"] = hashlib.sha256(buffer.getvalue()).hexdigest()
        write_atomically(self.path / MARK, json.dumps(record | {"files": hashes}, indent=1) + "\n")
        return hashes

    def record(self) -> dict:
        """The content of study.json; raises StudyError where no study was finished, or DamagedFile."""
        if not (self.path / MARK).is_file():
            hint = "; complete it with --resume" if self.plan() else ""
            what = "holds no finished study" if self.path.exists() else "does not exist"
            raise StudyError(f"{self.path} {what}{hint}")
        return Record.read(self.path / MARK, DamagedFile)

    def tables(self) -> Tables:
        """The tables of a finished study; raises DamagedFile for one that is missing or not what was written."""
        found, files = {}, self.record()["files"]
        if "runs.parquet" not in files:
            raise DamagedFile(f"{self.path / MARK} is damaged (it names no runs.parquet); --resume makes it again")
        for name, digest in files.items():
            file = self.path / name
            if not file.is_file():
                raise DamagedFile(f"{file} is missing; --resume makes it again")
            content = file.read_bytes()
            if hashlib.sha256(content).hexdigest() != digest:
                raise DamagedFile(f"{file} is damaged (its SHA-256 is not the one in {MARK}); --resume makes it again")
            found[Path(name).stem] = pd.read_parquet(io.BytesIO(content))
        return found


def _extend(table: dict[str, list], rows: dict[str, list]) -> None:
    """Append rows; a column that one side lacks is filled with None."""
    before = len(next(iter(table.values()), []))
    length = len(next(iter(rows.values()), []))
    for column in rows:
        table.setdefault(column, [None] * before)
    for column, values in table.items():
        values += rows.get(column, [None] * length)
