"""The pictures of a run folder."""

import io
from pathlib import Path

from simulation import plots
from simulation.results.files import check_writable, write_atomically
from simulation.results.results import Results

from .folder import PICTURES, RunError, RunFolder


def overview(arms: dict[str, Results], question: str, title: str | None = None) -> bytes:
    """The one picture of a run, as PNG."""
    return _png(plots.overview(arms, question=question, title=title))


def draw_all(folder: Path) -> list[Path]:
    """Draw every picture of a finished run again; raises RunError or ResultsError for a folder that cannot be read."""
    run = RunFolder(folder)
    try:
        record = run.record()
        arms = Results.load(folder)
        check_writable(folder)
        drawn = (
            overview(arms, record["question"]),
            *map(
                _png,
                (
                    plots.time_courses(arms),
                    plots.distributions(arms),
                    plots.selection_differential(arms),
                    plots.t_cell_state(arms),
                ),
            ),
        )
        for name, picture in zip(PICTURES, drawn, strict=True):
            write_atomically(folder / name, picture)
        run.renew(list(PICTURES))
    except OSError as error:
        raise RunError(f"cannot write pictures into {folder}: {error.strerror or error}") from None
    return [folder / name for name in PICTURES]


def _png(figure: object) -> bytes:
    """A figure as PNG; the same figure gives the same bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
