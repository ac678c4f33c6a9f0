"""The bench on which plug-ins are tried: small tissues, how they are run, and what is said when that fails."""

import tempfile
import traceback
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from ..errors import StateError
from ..model import TumorModel
from .witness import HOOKS

HOURS = 20  # of one trial: three doses, 8 hours apart
HALF = HOURS // 2
CROWD = {
    "t_cell.initial_density": 300,
    "car_t_cell.initial_density": 60,
    "nk_cell.initial_density": 150,
    "tumor.pdl1": 0.7,
    "tumor.mhc": 0.5,
    "tumor.car_target": 0.2,
}  # all of them kill, and the tumour lasts


class Broken(Exception):
    """A promise that broke while it was tried: a sentence, and in what tissue."""

    def __init__(self, sentence: str, where: str = ""):
        super().__init__(sentence + where)
        self.sentence = sentence


def run(*models: TumorModel, hours: int = HOURS, where: str = "") -> TumorModel:
    """Step all models in turn; returns the first. Raises Broken with the hook that failed."""
    for _ in range(hours):
        for model in models:
            try:
                model.step()
            except Exception as error:
                raise Broken(f"{hook_in(error)} raises {told(error)}", where) from None
    return models[0]


def faults(model: TumorModel, hours: int, where: str) -> Iterator[Broken]:
    """What goes wrong when a model is run."""
    try:
        run(model, hours=hours, where=where)
    except Broken as broken:
        yield broken


def continued(model: TumorModel, saved: bool = True) -> Iterator[tuple[str, TumorModel]]:
    """A fork, and what was ``saved`` and loaded, each half a trial later. Raises Broken when that cannot be done."""
    try:
        yield "forked", run(model.fork(), hours=HALF)
        if saved:
            with tempfile.TemporaryDirectory() as folder:
                model.save(Path(folder, "saved"))
                loaded = TumorModel.load(Path(folder, "saved"))
            yield "saved and loaded", run(loaded, hours=HALF)
    except StateError as error:
        raise Broken(str(error)) from None


def told(error: Exception) -> str:
    """An error by its kind and its words."""
    return f"{type(error).__name__}: {error}"


def hook_in(error: Exception) -> str:
    """The hook in which an error came up, in words."""
    names = [
        frame.name for frame in traceback.extract_tb(error.__traceback__) if frame.name in HOOKS
    ]
    return f"{names[0]}()" if names else "a step"


@cache
def under_attack() -> TumorModel:
    """A little tumour among immune cells; every arm forks from it, nobody steps it."""
    model = TumorModel("melanoma", shape=(21, 21), seed=11, tumor_cells=250, overrides=CROWD)
    return run(model, hours=12)


@cache
def odd_tissues() -> dict[str, TumorModel]:
    """Tissues in which a hook may stumble, by what is special about them."""
    no_tumor, no_immune = under_attack().fork(), under_attack().fork()
    no_tumor.kill(no_tumor.rows("tumor_cell").nonzero()[0])
    no_immune.immune_cells = False
    no_immune.kill((no_immune.cells.alive & ~no_immune.rows("tumor_cell")).nonzero()[0])
    return {
        "in a small tissue": under_attack(),
        "without tumour cells": no_tumor,
        "without immune cells": no_immune,
        "without any cell": TumorModel(shape=(9, 9), seed=13, tumor_cells=0, immune_cells=False),
        "in 3-D": TumorModel(shape=(9, 9, 9), seed=14, tumor_cells=60, overrides=CROWD),
        "in liquid": TumorModel("b_all", shape=(21, 21), seed=15, tumor_cells=120, overrides=CROWD),
    }
