"""The CD8 T cell: sees peptide on MHC-I, is switched off by PD-L1, tires."""

import numpy as np

from ..cells.agents import CellAgent
from ..contract import Model
from ..kernels import sensing
from ..parameters.parameter import Parameter
from ..parameters.sources import assumed, cite
from .kind import CellKind, Recognition, Trait
from .lymphocyte import LymphocyteParameters, rates_of


class TCellParameters(LymphocyteParameters):
    """CD8 T cells."""

    initial_density = Parameter(
        20,
        "cells/mm2",
        "cells scattered over the tissue at the start (per mm3 in 3-D)",
        source=assumed("before the tumour is noticed"),
        range=(0, 4000),
    )
    base_influx = Parameter(
        5,
        "cells/mm2/day",
        "cells that enter without antigen release (per mm3 in 3-D)",
        source=assumed("inflamed tissue; density is about influx x lifespan"),
        range=(0, 1000),
    )
    influx_gain = Parameter(
        25,
        "cells/mm2/day",
        "further cells that enter at saturating antigen release",
        source=assumed("gives a few hundred CD8 a mm2 in inflamed tumours"),
        range=(0, 1000),
    )
    half_antigen = Parameter(
        0.3,
        "1",
        "antigen x presented MHC-I of half recognition, about 10 peptide-MHC",
        source=cite("Purbhoo2004"),
        range=(0.001, 10),
    )
    bystander_share = Parameter(
        0.0,
        "1",
        "share of entering T cells that do not know the tumour",
        source=assumed("cells are counted as tumour-specific"),
        range=(0, 1),
    )
    il2_secretion = Parameter(
        17.7,
        "nM/hour",
        "IL-2 of an active cell in its own site; 10 molecules a second",
        source=assumed("measured 1 to 100 molecules a second"),
        range=(0, 1000),
    )


class TCell(CellAgent):
    """A CD8 T cell: sees peptide on MHC-I, is switched off by PD-L1, tires."""

    kind = "t_cell"


def _peptide(model: Model, score: np.ndarray, stimulus: np.ndarray) -> None:
    half = model.parameters.t_cell.half_antigen
    sensing.see_peptide(
        model.cells.view(), model.rates, model.cells["antigen"], half, score, stimulus
    )


PEPTIDE = Recognition("peptide", "T-cell receptor on peptide-MHC", _peptide)
T_CELL = CellKind(
    "t_cell",
    agent=TCell,
    traits=(Trait("specificity", start=1.0, negative_share="t_cell.bystander_share", high=1.0),),
    rates={**rates_of("t_cell"), "brake": "checkpoint.brake"},
    engages={"tumor_cell": PEPTIDE},
    motile=True,
    driven=True,
    initial_density="t_cell.initial_density",
    words="CD8 T cells",
    color="#0064B4",
)
