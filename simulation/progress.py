"""What a person who waits sees on stderr: a bar for each thing that goes on, and one while loops are compiled."""

import sys
from collections.abc import Iterator

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from . import compiled


class Bars:
    """Bars on a terminal, gone at the end. Elsewhere one sentence, should loops be compiled; when quiet, nothing."""

    def __init__(self, quiet: bool = False):
        self.quiet, self.watched = quiet, sys.stderr.isatty() and not quiet
        self.console = Console(stderr=True, highlight=False, markup=False)
        self._progress = Progress(
            TextColumn("{task.description:20}"),
            BarColumn(),
            TextColumn("{task.fields[count]}"),
            TimeRemainingColumn(),
            console=self.console,
            transient=True,
            disable=not self.watched,
        )
        self._tasks: dict[str, int] = {}
        self._told = compiled.told(self.compiling)
        self._compiles = False

    def __enter__(self) -> "Bars":
        self._told.__enter__()
        self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()
        self._told.__exit__(*error)

    def stop(self) -> None:
        """Take the bars off the screen."""
        self._progress.stop()

    def show(self, what: str, done: float, of: float | None, count: str = "") -> None:
        """Bring the bar of ``what`` to where it is; without ``of`` nobody knows how long it takes."""
        if what not in self._tasks:
            self._tasks[what] = self._progress.add_task(what, count=count)
        self._progress.update(self._tasks[what], completed=done, total=of, count=count)

    def compiling(self, number: int, of: int) -> None:
        """Tell of the loops that are compiled, as :func:`compiled.told` does."""
        if number == 0:
            self._progress.remove_task(self._tasks.pop("compiling"))
        else:
            self.show("compiling", number - 1, of, f"{number} of {of} loops, the first time only")
            if not (self.quiet or self.watched or self._compiles):
                self.console.print(
                    f"Compiling {of} loops, the first time only; later runs start at once.",
                    soft_wrap=True,
                )
            self._compiles = True


class Unasked:
    """A bar that is there only while loops are compiled, for whoever has no other."""

    def __init__(self):
        self._bars: Bars | None = None

    def __call__(self, number: int, of: int) -> None:
        """Loop ``number`` of ``of`` is compiled now; 0 when none is any more."""
        if self._bars is None:
            self._bars = Bars()
            self._bars._progress.start()
        self._bars.compiling(number, of)
        if number == 0:
            self._bars.stop()
            self._bars = None


def watch(steps: int, label: str, progress: bool | None) -> Iterator[int]:
    """Count ``steps``, showing how far it is; ``progress=None`` decides by whether stderr is a terminal."""
    if progress or (progress is None and sys.stderr.isatty()):
        return _shown(steps, label)
    return iter(range(steps))


def _shown(steps: int, label: str) -> Iterator[int]:
    with Bars() as bars:
        for step in range(steps):
            bars.show(label, step, steps)
            yield step
