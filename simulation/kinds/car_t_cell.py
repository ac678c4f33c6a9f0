"""The CAR T cell: sees its target without MHC, expands on contact, contracts."""

import numpy as np

from ..cells.agents import CellAgent
from ..contract import Model
from ..kernels import sensing
from ..parameters.parameter import Parameter
from ..parameters.sources import assumed, cite
from .kind import CellKind, Recognition
from .lymphocyte import LymphocyteParameters, rates_of


class CarTCellParameters(LymphocyteParameters):
    """CAR T cells."""

    half_lysis = Parameter(
        0.03,
        "1",
        "CAR target of half recognition for lysis, about 300 molecules",
        source=cite("Watanabe2015"),
        range=(0.0001, 10),
    )
    half_drive = Parameter(
        0.3,
        "1",
        "CAR target of half stimulation, ten times more than for lysis",
        source=cite("Watanabe2015"),
        range=(0.0001, 10),
    )
    division_rate = Parameter(
        0.9,
        "1/day",
        "divisions of a fully stimulated cell",
        source=assumed("doubling in about 0.8 days"),
        range=(0, 5),
    )
    division_limit = Parameter(
        12,
        "divisions",
        "divisions without IL-2",
        source=assumed("expansion a thousand-fold and more in patients"),
        range=(0, 50),
        integer=True,
    )
    il2_divisions = Parameter(
        3,
        "divisions",
        "further divisions at saturating IL-2",
        source=assumed("less dependent than CD8"),
        range=(0, 50),
    )
    death_rate = Parameter(
        0.15,
        "1/day",
        "death; contraction half-life about 4.3 days",
        source=assumed("Stein 2019 as remembered"),
        range=(0, 5),
    )
    il2_secretion = Parameter(
        17.7,
        "nM/hour",
        "IL-2 of an active cell in its own site; 10 molecules a second",
        source=assumed("as CD8"),
        range=(0, 1000),
    )
    exhaustion_rate = Parameter(
        0.08,
        "1/day",
        "plastic exhaustion while engaged with a fully recognised cell",
        source=assumed("a 4-1BB CAR tires more slowly than a CD8 receptor"),
        range=(0, 10),
    )
    fixation_rate = Parameter(
        0.02,
        "1/day",
        "plastic exhaustion becoming fixed",
        source=assumed("as its exhaustion"),
        range=(0, 10),
    )


class CarTCell(CellAgent):
    """A CAR T cell: sees its target without MHC, expands on contact, contracts."""

    kind = "car_t_cell"


def _target(model: Model, score: np.ndarray, stimulus: np.ndarray) -> None:
    group = model.parameters.car_t_cell
    target, free = model.cells["car_target"], model.rules.free("car_target")
    if free < 1.0:  # what antibodies cover is hidden
        target = target * free
    sensing.see_target(
        model.cells.view(), target, group.half_lysis, group.half_drive, score, stimulus
    )


TARGET = Recognition("target", "CAR on its surface molecule, without MHC", _target)
CAR_T_CELL = CellKind(
    "car_t_cell",
    agent=CarTCell,
    rates={**rates_of("car_t_cell"), "brake": "checkpoint.brake"},
    engages={"tumor_cell": TARGET},
    motile=True,
    driven=True,
    initial_density="car_t_cell.initial_density",
    words="CAR T cells",
    color="#CC2F00",
)
