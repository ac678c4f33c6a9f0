"""Small studies to try the runner with: runs that count, fail or die, and a scenario that takes a tenth of a second."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd

from experiments.studies.archive import Run
from experiments.studies.study import Study
from simulation import Parameter, Treatment

QUICK = {
    "shape": [21, 21],
    "days": 1.0,
    "grow": {"cells": 60, "max_days": 2.0},
    "set": {"tumor.initial_cells": 40},
}
"""Keys of a sweep that make a scenario small."""


def count(parameters: dict, seed: int) -> dict[str, pd.DataFrame]:
    """One row that depends on parameters and seed; a line in the file ``log`` says that it was computed."""
    if log := parameters.get("log"):
        with open(log, "a") as file:
            file.write(f"{parameters['x']} {seed}\n")
    if parameters["x"] == parameters.get("raises"):
        raise ValueError(f"x = {parameters['x']} cannot be computed")
    dies = parameters.get("dies", {}).get(str(parameters["x"]))
    if dies == "always" or (dies and not Path(dies).exists()):
        Path(dies).touch() if dies != "always" else None
        os.kill(os.getpid(), signal.SIGKILL)
    noise = np.random.default_rng([parameters["x"], seed]).normal()
    return {
        "outcomes": pd.DataFrame(
            {"arm": ["control"], "y": [parameters["x"] + noise], "empty": [float("nan")]}
        )
    }


class Counting(Study):
    """A study of ``count``."""

    kind: ClassVar[str] = "counting"
    grows: ClassVar[tuple[str, ...]] = ("seeds",)
    points: int = 6
    seeds: int = 2
    extra: dict = {}

    @property
    def function(self) -> Callable:
        return count

    def runs(self) -> list[Run]:
        return [
            Run("count", {"x": x} | self.extra, seed, {"x": x})
            for x in range(self.points)
            for seed in range(1, self.seeds + 1)
        ]


def counting(**keys) -> Counting:
    """A study of count with these keys."""
    return Counting.from_content({"question": "Does it count?"} | keys)


class Fragile(Treatment):
    """A treatment that breaks at high potency."""

    potency = Parameter(1, "1", "above 5 it raises", range=(0, 10), source="assumed: for a test")

    def on_step(self, model):
        if self.potency > 5:
            raise RuntimeError("it broke")
