"""What one arm shows at each moment of a film: its tissue, how a trait is distributed, and how many cells there are."""

import zlib
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from simulation.model import TumorModel
from simulation.plots.arms import tumor_trait
from simulation.plots.selection import FEW, shape_of, without
from simulation.results.results import Results
from simulation.results.snapshots import Snapshot

from ..scenarios.arms import Progress, advance, begun
from ..scenarios.scenario import Scenario
from .tissue import picture


class Shot(NamedTuple):
    """One arm at one moment. ``shape`` is per cent of tumour cells in each bin of the trait, ``few`` the trait of each cell
    where a handful is left, ``none`` per cent without any of it; ``tissue`` is kept packed."""

    day: float
    cells: int
    shape: np.ndarray
    few: np.ndarray
    none: float
    tissue: bytes

    def image(self, pixels: int) -> np.ndarray:
        """The tissue, (pixels, pixels, 3) of uint8."""
        return np.frombuffer(zlib.decompress(self.tissue), dtype=np.uint8).reshape(
            pixels, pixels, 3
        )


class Camera:
    """How shots are taken: pixels of the tissue's side, the trait and the edges of its bins."""

    def __init__(self, pixels: int, trait: str, edges: np.ndarray):
        self.pixels, self.trait, self.edges = pixels, trait, edges

    def shot(self, snapshot: Snapshot, share: float) -> Shot:
        """A snapshot as a shot; ``share`` of the film is over."""
        values = tumor_trait(snapshot, self.trait)
        packed = zlib.compress(picture(snapshot, self.pixels, share).tobytes(), 1)
        few = values if values.size < FEW else values[:0]
        return Shot(
            snapshot.day, values.size, shape_of(values, self.edges), few, without(values), packed
        )


def steps_of(scenario: Scenario, frames: int, dt: float) -> list[int]:
    """The step that each frame shows, evenly spread from day 0 to the last day."""
    last = round(scenario.days * 24 / dt)
    return [round(last * frame / max(frames - 1, 1)) for frame in range(frames)]


def take(
    scenario: Scenario,
    arm: str,
    common: Callable[[], TumorModel],
    frames: int,
    camera: Camera,
    progress: Progress,
) -> tuple[list[Shot], Results]:
    """Run an arm again and take a shot for every frame; returns the shots and what the run recorded."""
    model = begun(scenario, arm, common, progress)
    steps = steps_of(scenario, frames, model.dt)
    wanted, taken = {step: place / max(frames - 1, 1) for place, step in enumerate(steps)}, {}

    def look(model: TumorModel) -> None:
        step = model.clock - model.origin
        if step in wanted and step not in taken:
            taken[step] = camera.shot(model.snapshot(), wanted[step])
        progress(arm, model.day, scenario.days)

    look(model)
    advance(model, scenario, scenario.days, snapshot_every=0, on_progress=look)
    return [taken[step] for step in steps], model.results
