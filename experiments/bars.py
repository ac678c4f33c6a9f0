"""What a person who waits sees on stderr: a word about the first compilation, and bars."""

import sys

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn


def announce_compilation() -> None:
    """Say that the first run takes longer, where it does."""
    from simulation.compiled import already_compiled
    if not already_compiled():
        typer.echo("Compiling loops for the first time (about a minute); later runs start at once.", err=True)


class ArmBars:
    """Progress on stderr: a word about the first compilation, and a bar per arm when a person watches."""

    def __init__(self, quiet: bool):
        self._quiet = quiet
        self._progress = Progress(TextColumn("{task.description:20}"), BarColumn(),
                                  TextColumn("day {task.completed:.0f} of {task.total:.0f}"), TimeRemainingColumn(),
                                  console=Console(stderr=True), transient=True,
                                  disable=quiet or not sys.stderr.isatty())
        self._tasks: dict[str, int] = {}

    def __enter__(self) -> "ArmBars":
        self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def stop(self) -> None:
        self._progress.stop()

    def update(self, arm: str, day: float, days: float) -> None:
        if not self._tasks and not self._quiet:
            announce_compilation()
        if arm not in self._tasks:
            self._tasks[arm] = self._progress.add_task(arm, total=days)
        self._progress.update(self._tasks[arm], completed=day)


class RunBar:
    """Progress of a study on stderr: runs done, time left, failures; sentences go above the bar."""

    def __init__(self, quiet: bool):
        self._quiet, self._task = quiet, None
        self._console = Console(stderr=True, highlight=False, markup=False)
        self._progress = Progress(TextColumn("{task.completed:.0f} of {task.total:.0f} runs"), BarColumn(),
                                  TimeRemainingColumn(), TextColumn("{task.fields[failed]}"), console=self._console,
                                  transient=True, disable=quiet or not sys.stderr.isatty())

    def __enter__(self) -> "RunBar":
        self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def stop(self) -> None:
        self._progress.stop()

    def say(self, sentence: str) -> None:
        if not self._quiet:
            self._console.print(sentence, soft_wrap=True)

    def update(self, done: int, total: int, failed: int) -> None:
        if self._task is None:
            if done < total and not self._quiet:
                announce_compilation()
            self._task = self._progress.add_task("runs", total=total, failed="")
        self._progress.update(self._task, completed=done, failed=f"{failed} failed" if failed else "")
