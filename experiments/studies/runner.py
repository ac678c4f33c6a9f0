"""The runner of studies: never loses a finished run, and gives the same bits on any number of workers."""

import io
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simulation.parameters.given import quoted, whole_number
from simulation.results.files import write_atomically
from simulation.state import RESULTS, other_rules
from simulation.tissue.memory import available

from ..runs.provenance import packages, version
from .archive import Archive, DamagedFile, Run, StudyError, Tables
from .executors import Submits, compute, dask, local
from .study import Findings, Study

WORKER_BYTES = 300_000_000
"""What a worker holds beside its models: Python and its packages."""
Progress = Callable[[int, int, int], None]
Say = Callable[[str], None]


@dataclass
class Summary:
    """What a study came to. ``tables`` has ``runs`` (the index) and one table per name that the function returns."""

    folder: Path
    tables: Tables
    findings: Findings
    runs: int
    computed: int
    failed: int
    missing: int = 0
    notes: list[str] = field(default_factory=list)
    figures: list[Path] = field(default_factory=list)


def complete(
    study: Study,
    out: str | Path | None = None,
    *,
    workers: int = 1,
    executor: Submits | None = None,
    scheduler: str | None = None,
    shard: tuple[int, int] | None = None,
    resume: bool = True,
    overwrite: bool = False,
    retry_failed: bool = False,
    on_progress: Progress | None = None,
    say: Say | None = None,
    command: str = "",
) -> Summary:
    """Compute what is missing of a study, join all runs into tables, and make figures of them.

    ``executor``: any ``concurrent.futures.Executor``; else ``scheduler``, a Dask address or ``slurm``; else ``workers``
    processes. ``shard = (3, 20)`` computes every twentieth run, the third first, for job arrays that share ``out``; the
    shard that finds all runs done joins them, and one that overwrites leaves its siblings' runs alone.
    ``on_progress(done, all, failed)`` is called after each run.
    Raises StudyError before anything is run where the study, the folder or the scheduler will not do.
    """
    began = time.perf_counter()
    archive = Archive(Path("results") / study.name if out is None else out)
    notes: list[str] = []
    runs = study.runs()
    if not runs:
        raise StudyError("the design is empty; there is nothing to run", file=study.file)
    if executor is None and not scheduler:
        workers = _with_room(study, checked_workers(workers), notes)
    due_to = _connection(executor, scheduler, workers)
    try:
        with due_to as (submits, window):
            mine = (
                study.order(runs) if shard is None else study.order(runs)[shard[0] - 1 :: shard[1]]
            )
            _begin(archive, study, mine, runs, resume=resume, overwrite=overwrite, notes=notes)
            todo = _todo(archive, mine, retry_failed, notes)
            progress, computed = _Counter(len(mine), len(mine) - len(todo), on_progress), len(todo)
            pilot = [run for run in study.pilot(runs) if shard is None]
            if ahead := [run for run in pilot if run.key in {other.key for other in todo}]:
                _work(study, archive, ahead, submits, window, progress)
                todo = [run for run in todo if run.key not in {other.key for other in ahead}]
            if pilot and todo and say:
                for sentence in study.forecast(archive.join(pilot), len(runs)):
                    say(sentence)
            _work(study, archive, todo, submits, window, progress)
        if shard is None:
            archive.tidy()
        missing = _missing(archive, runs)
        if missing or (tables := _joined(archive, runs)) is None:
            return Summary(
                archive.path,
                {},
                Findings(),
                len(runs),
                computed,
                progress.failed,
                missing or 1,
                notes,
            )
        return _finish(study, archive, runs, tables, computed, notes, command, began)
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        raise StudyError(
            f"cannot write to {archive.path}: {error.strerror or error}{where}; what is finished is kept, "
            "--resume goes on"
        ) from None


def analyse(study: Study, archive: Archive) -> Summary:
    """Make tables and figures of a finished study again, from its stored tables alone."""
    tables, record = archive.tables(), archive.record()
    findings = _findings(study, tables)
    figures = _write(archive, findings)
    return Summary(
        archive.path, tables, findings, record["runs"], 0, record["failed"], figures=figures
    )


def checked_workers(workers: int) -> int:
    """How many processes compute; raises StudyError."""
    found = whole_number(workers)
    if found is None or found < 1:
        raise StudyError(
            f"workers = {quoted(workers)} is not allowed; it must be a whole number of at least 1",
            key="workers",
        )
    return found


def _with_room(study: Study, workers: int, notes: list[str]) -> int:
    """As many workers as have room in memory for a run each; what is left out is noted."""
    each, have = study.memory + WORKER_BYTES, available()
    if workers * each <= have:
        return workers
    fewer = max(1, int(have / each))
    if fewer < workers:
        notes.append(
            f"{fewer} of {workers} workers were used: a run needs up to {each / 1e9:.1f} GB of memory, and there are "
            f"{have / 1e9:.1f} GB"
        )
    return fewer


def _connection(
    executor: Submits | None, scheduler: str | None, workers: int
) -> AbstractContextManager[tuple[Submits, int]]:
    if executor is not None:
        return nullcontext((executor, 1000))
    return dask(scheduler, workers) if scheduler else local(workers)


def _begin(
    archive: Archive,
    study: Study,
    mine: list[Run],
    runs: list[Run],
    *,
    resume: bool,
    overwrite: bool,
    notes: list[str],
) -> None:
    """Open the folder for this study; raises StudyError when it belongs to another.

    Of the runs, a shard that overwrites removes its own and those that nobody asks for: its siblings may be done, or at work.
    """
    plan = study.plan() | {"text": study.text, "packages": packages(), "results": RESULTS}
    if overwrite and archive.begun:
        own = {run.key for run in mine}
        archive.clear(run for run in runs if run.key not in own)
        archive.begin(plan)
        return
    stored = archive.plan()
    if stored is None:
        archive.begin(plan)
        return
    if not resume:
        raise StudyError(
            f"{archive.path} exists already; --resume completes or shows it, --overwrite replaces it",
            file=archive.path,
        )
    if why := other_rules(stored):
        raise StudyError(
            f"{archive.path} {why}; choose another --out, or --overwrite", file=archive.path
        )
    if differs := _difference(stored, plan, study.grows):
        raise StudyError(
            f"{archive.path} holds another study ({differs}); choose another --out, or --overwrite",
            file=archive.path,
        )
    if stored.get("packages") != plan["packages"]:
        notes.append(
            "begun with other versions of Python or its packages: the last digits may differ"
        )
        plan["packages"] = stored.get("packages")
    if stored != plan:
        archive.begin(plan)


def _difference(stored: dict[str, Any], plan: dict[str, Any], grows: tuple[str, ...]) -> str:
    """In what a stored plan is another one than this, in words; empty when it is the same."""
    if stored.get("kind") != plan["kind"]:
        return f"a {stored.get('kind')}, not a {plan['kind']}"
    old, new = (
        each.get("content", {}) | {"scenarios": each.get("scenarios")} for each in (stored, plan)
    )
    names = [
        key
        for key in dict.fromkeys([*new, *old])
        if key not in grows and old.get(key) != new.get(key)
    ]
    return f"other {', '.join(names)}" if names else ""


def _todo(archive: Archive, runs: list[Run], retry_failed: bool, notes: list[str]) -> list[Run]:
    """The runs to be computed: those not there, damaged, or failed and to be tried again."""
    todo, known = [], archive.known()
    for run in runs:
        try:
            if archive.whole(run):
                continue
            if archive.failure(run):
                if retry_failed:
                    todo.append(run)
                continue
            if archive.failure_file(run).is_file():
                notes.append(f"{archive.failure_file(run)} is damaged; its run is repeated")
            elif run.key in known:
                notes.append(f"{archive.run_file(run)} is missing; its run is repeated")
        except DamagedFile as damage:
            notes.append(f"{damage}; its run is repeated")
        todo.append(run)
    return todo


class _Counter:
    """Counts what is done and reports it."""

    def __init__(self, total: int, done: int, report: Progress | None):
        self.total, self.done, self.failed, self._report = (
            total,
            done,
            0,
            report or (lambda done, total, failed: None),
        )
        self._report(done, total, 0)

    def add(self, failed: bool) -> None:
        self.done += 1
        self.failed += failed
        self._report(self.done, self.total, self.failed)


def _work(
    study: Study,
    archive: Archive,
    runs: list[Run],
    submits: Submits,
    window: int,
    progress: _Counter,
) -> None:
    """Compute runs and keep each as it ends."""
    for run, answer in compute(study.function, runs, submits, window):
        if answer.message:
            archive.keep_failure(run, answer.message, answer.traceback)
        else:
            archive.keep(run, answer.content)
        progress.add(bool(answer.message))


def _missing(archive: Archive, runs: list[Run]) -> int:
    """How many runs are neither there nor failed."""
    return sum(not archive.failure(run) and not archive.run_file(run).is_file() for run in runs)


def _joined(archive: Archive, runs: list[Run]) -> Tables | None:
    """The runs as tables; None where one has just gone, because a shard that overwrites computes it again."""
    try:
        return archive.join(runs)
    except FileNotFoundError:
        return None
    except DamagedFile as damage:
        raise StudyError(f"{damage}; --resume repeats its run", file=damage.file) from None


def _finish(
    study: Study,
    archive: Archive,
    runs: list[Run],
    tables: Tables,
    computed: int,
    notes: list[str],
    command: str,
    began: float,
) -> Summary:
    """Write tables and figures, and mark the study finished."""
    failed = int((tables["runs"]["status"] == "failed").sum())
    notes += study.notes(tables) if failed < len(runs) else []
    archive.finish(
        tables,
        {
            "version": version(),
            "results": RESULTS,
            "kind": study.kind,
            "name": study.name,
            "question": study.question,
            "command": command,
            "runs": len(runs),
            "failed": failed,
            "keys": [run.key for run in runs],
            "packages": packages(),
            "notes": notes,
            "computed": computed,
            "wall_seconds": round(time.perf_counter() - began, 1),
        },
    )
    findings = _findings(study, tables)
    figures = _write(archive, findings)
    return Summary(archive.path, tables, findings, len(runs), computed, failed, 0, notes, figures)


def _findings(study: Study, tables: Tables) -> Findings:
    """What is made of the tables; where every run failed, nothing but the sentence that says so."""
    failed = (tables["runs"]["status"] == "failed").all()
    return Findings(sentences=["every run failed"]) if failed else study.analyse(tables)


def _write(archive: Archive, findings: Findings) -> list[Path]:
    """Write derived tables and figures; returns the figures' files."""
    archive.enter(
        [
            *(f"{name}.csv" for name in findings.tables),
            *(f"{name}.png" for name in findings.figures),
        ]
    )
    for name, table in findings.tables.items():
        write_atomically(
            archive.path / f"{name}.csv", table.to_csv(index=False, lineterminator="\n")
        )
    figures = []
    for name, figure in findings.figures.items():
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", metadata={"Software": None})
        write_atomically(archive.path / f"{name}.png", buffer.getvalue())
        figures.append(archive.path / f"{name}.png")
    return figures
