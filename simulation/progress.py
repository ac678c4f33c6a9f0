"""A progress bar when a person watches, silence otherwise."""

import sys
from collections.abc import Iterator

from rich.console import Console
from rich.progress import track

from .compiled import already_compiled


def watch(steps: int, label: str, progress: bool | None) -> Iterator[int]:
    """Count ``steps``, showing how far it is; ``progress=None`` decides by whether stderr is a terminal."""
    if progress is None:
        progress = sys.stderr.isatty()
    if progress and not already_compiled():
        Console(stderr=True).print("Compiling loops for the first time (about a minute)...")
    if not progress:
        return iter(range(steps))
    return iter(track(range(steps), description=label, console=Console(stderr=True), transient=True))
