"""The film of a run: every arm's tissue, burden and the trait under selection in step, as MP4 and GIF."""

import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import numpy as np

from simulation.errors import StateError
from simulation.model import TumorModel
from simulation.plots.arms import by_name
from simulation.plots.selection import bins, trait_under_selection
from simulation.results.files import check_writable, write_atomically
from simulation.results.results import Results, ResultsError
from simulation.treatments import TreatmentError

from ..runs.folder import RunFolder
from ..runs.provenance import packages
from ..scenarios.arms import Progress, grown
from ..scenarios.own_code import named, only_read
from ..scenarios.scenario import Scenario
from ..words import listed
from .files import FilmError, check_ffmpeg, write
from .screen import Screen, tissue_pixels
from .shots import Camera, Shot, take

FILMS = ("film.mp4", "film.gif")
LIMITS = {"seconds": (1, 600), "fps": (1, 60), "size": (320, 3840)}


def make(
    folder: str | Path,
    seconds: float = 20.0,
    fps: int = 20,
    size: int = 1280,
    on_progress: Progress | None = None,
    *,
    own_code: bool = False,
) -> list[Path]:
    """Make ``film.mp4`` and ``film.gif`` of a finished run in its folder, and return their paths.

    The run is computed again from its stored scenario and seed, since a smooth film needs hundreds of moments; that what was
    recorded is the same to the last bit is checked. ``size`` is pixels across. ``on_progress(what, day, days)`` is called as
    it goes. Treatments of one's own that the run names are imported, which runs their code, only with ``own_code``.
    Raises FilmError, RunError or ResultsError.
    """
    check({"seconds": seconds, "fps": fps, "size": size})
    check_ffmpeg()
    folder, progress = Path(folder), on_progress or (lambda what, day, days: None)
    run = RunFolder(folder)
    record = run.record()
    content = record["scenario"]["in_force"]
    if (own := named([content])) and not own_code:
        raise FilmError(
            f"a film computes the run again, and {folder} names code that does not ship ({listed(own)}); "
            "--own-code imports and runs it"
        )
    stored = by_name(Results.load(folder))
    trait = trait_under_selection(stored)
    edges = bins(stored, trait)
    scenario = Scenario.from_content(
        content, name=record["scenario"]["name"], file=str(folder / "run.json")
    )
    try:
        check_writable(folder)
    except OSError as error:
        raise _cannot_write(folder, error) from None
    camera = Camera(tissue_pixels(len(stored), size), trait, edges)
    frames = max(2, round(seconds * fps))
    common = cache(lambda: common_tumor(run, scenario, progress))
    shots = {
        arm: checked(take(scenario, arm, common, frames, camera, progress), stored[arm], record)
        for arm in stored
    }
    screen = Screen(stored, shots, record["question"], trait, edges, size)
    try:
        with tempfile.TemporaryDirectory() as place:
            files = [Path(place) / name for name in FILMS]
            write(pictures(screen, frames, seconds, progress), *files, fps)
            for file in files:
                write_atomically(folder / file.name, file.read_bytes())
        run.renew(list(FILMS))
    except OSError as error:
        raise _cannot_write(folder, error) from None
    return [folder / name for name in FILMS]


def _cannot_write(folder: Path, error: OSError) -> FilmError:
    return FilmError(f"cannot write the film into {folder}: {error.strerror or error}")


def check(values: dict[str, float]) -> None:
    """Raises FilmError for a length, rate or size that is not allowed."""
    for name, (low, high) in LIMITS.items():
        if not (isinstance(values[name], int | float) and low <= values[name] <= high):
            raise FilmError(
                f"{name} = {values[name]!r} is not allowed; it must be a number from {low} to {high}",
                key=name,
            )


def common_tumor(run: RunFolder, scenario: Scenario, progress: Progress) -> TumorModel:
    """The tumour that arms fork from: the one that was kept, else grown again."""
    try:
        with only_read({}):  # an untreated tumour needs none
            return run.load(run.path / "checkpoints" / "grown")
    except (StateError, ResultsError, TreatmentError):
        return grown(scenario, progress=progress)


def checked(taken: tuple[list[Shot], Results], stored: Results, record: dict) -> list[Shot]:
    """The shots of an arm; raises FilmError unless the same was recorded as in the stored run."""
    shots, results = taken
    if same(results, stored):
        return shots
    here = packages()
    other = [
        f"{name} {version} (here {here.get(name)})"
        for name, version in record["packages"].items()
        if here.get(name) != version
    ]
    why = (
        f"it was computed with {', '.join(other)}"
        if other
        else "it was computed on another kind of machine, or changed since"
    )
    raise FilmError(
        f"arm {stored.arm!r}, computed again, is not what the run recorded: {why}; "
        "run the scenario again with --overwrite"
    )


def same(results: Results, stored: Results) -> bool:
    """Whether two results recorded the same numbers, to the last bit."""
    one, other = results.timeseries, stored.timeseries
    return (
        len(one) == len(other)
        and set(one) == set(other)
        and all(
            np.array_equal(one[name].to_numpy(float), other[name].to_numpy(float), equal_nan=True)
            for name in one
            if name != "arm"
        )
    )


def pictures(
    screen: Screen, frames: int, seconds: float, progress: Callable
) -> Iterator[np.ndarray]:
    """Every frame in order."""
    last = next(iter(screen.shots.values()))[-1].day
    for number in range(frames):
        yield screen.frame(number, seconds)
        progress("drawing the film", last * (number + 1) / frames, last)
