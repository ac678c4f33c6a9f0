"""The natural killer cell: sees stress, is held back by MHC-I and not by PD-L1, kills a limited number."""

import numpy as np

from ..cells.agents import CellAgent
from ..cells.table import COAT
from ..contract import Model
from ..kernels import sensing
from ..parameters.parameter import Parameter
from ..parameters.sources import assumed, cite
from .kind import CellKind, Recognition
from .lymphocyte import MODEL, LymphocyteParameters, rates_of


class NKCellParameters(LymphocyteParameters):
    """Natural killer cells."""

    initial_density = Parameter(
        5,
        "cells/mm2",
        "cells scattered over the tissue at the start (per mm3 in 3-D)",
        source=assumed("NK cells are rare in tumours"),
        range=(0, 4000),
    )
    base_influx = Parameter(
        1,
        "cells/mm2/day",
        "cells that enter without antigen release (per mm3 in 3-D)",
        source=assumed("NK cells are rare in tumours"),
        range=(0, 1000),
    )
    influx_gain = Parameter(
        2,
        "cells/mm2/day",
        "further cells that enter at saturating antigen release",
        source=assumed("as rare as before"),
        range=(0, 1000),
    )
    chemokine_bias = Parameter(
        0.05,
        "1",
        "probability of heading up the chemokine where it saturates",
        source=assumed("NK cells stay in the stroma more than T cells do"),
        range=(0, 1),
    )
    half_mhc = Parameter(
        0.15, "1", "presented MHC-I of half inhibition", source=cite("Brodin2010"), range=(0.001, 1)
    )
    half_coat = Parameter(
        0.3,
        "1",
        "antibody on a cell of half activation through the Fc receptor, of macrophages as well",
        source=assumed("a third of a target of 10^4 molecules, covered, is enough to be seen"),
        range=(0.001, 10),
    )
    engage_rate = Parameter(
        0.6,
        "1/hour",
        "contacts with a fully activating neighbour",
        source=assumed("contacts in tumours are transient"),
        range=(0, 600),
    )
    kill_rate = Parameter(
        2, "1/hour", "lytic hits of an engaged cell", source=MODEL, range=(0, 600)
    )
    potency = Parameter(
        3,
        "hits",
        "damage units of one hit: one NK hit is lethal",
        source=assumed("the kill rate counts whole kills"),
        range=(1, 100),
        integer=True,
    )
    detach_rate = Parameter(
        0.9,
        "1/hour",
        "contacts that end by themselves; 68 minutes when the kill fails",
        source=cite("Jenkins2015"),
        range=(0, 600),
    )
    capacity = Parameter(
        5, "1", "kills before granules are spent", source=cite("Bhat2007"), range=(1, 100)
    )
    refill_rate = Parameter(
        1,
        "1/day",
        "kills regained",
        source=assumed("days to refill; IL-2 restores"),
        range=(0, 100),
    )
    il2_refill = Parameter(
        3,
        "1",
        "how many times faster at saturating IL-2, beyond 1",
        source=assumed("IL-2 restores"),
        range=(0, 100),
    )
    exhaustion_rate = Parameter(
        0,
        "1/day",
        "plastic exhaustion while engaged",
        source=assumed("limited by granules instead"),
        range=(0, 10),
    )
    division_rate = Parameter(
        0.5, "1/day", "divisions of a fully stimulated cell", source=assumed("as CD8"), range=(0, 5)
    )
    il2_drive = Parameter(
        1.0,
        "1",
        "drive to divide from saturating IL-2 alone",
        source=assumed("NK cells carry the intermediate IL-2 receptor without activation"),
        range=(0, 1),
    )
    death_rate = Parameter(
        0.1, "1/day", "death", source=assumed("turnover of 5 to 15 days"), range=(0, 5)
    )
    ifn_gamma_secretion = Parameter(
        20,
        "1/hour",
        "IFN-gamma of an active cell, half-effects in its own site",
        source=assumed("half of a T cell"),
        range=(0, 1000),
    )
    il2_uptake = Parameter(
        5,
        "1/hour",
        "IL-2 cleared by one cell",
        source=assumed("a tenth of the receptors of a T cell"),
        range=(0, 10_000),
    )


class NKCell(CellAgent):
    """A natural killer cell: sees stress, is held back by MHC-I, kills a limited number."""

    kind = "nk_cell"


NO_COAT = np.empty(0)


def _missing_self(model: Model, score: np.ndarray, stimulus: np.ndarray) -> None:
    cells, group = model.cells, model.parameters.nk_cell
    stress, coat = cells["stress_ligand"], NO_COAT
    if COAT in cells:
        coat = cells[COAT]
    sensing.see_missing_self(
        cells.view(), stress, group.half_mhc, coat, group.half_coat, score, stimulus
    )


MISSING_SELF = Recognition(
    "missing_self",
    "NK cell: stress ligand without enough MHC-I, or antibody on the cell",
    _missing_self,
)
NK_CELL = CellKind(
    "nk_cell",
    agent=NKCell,
    rates={
        **rates_of("nk_cell"),
        "refill": "nk_cell.refill_rate",
        "il2_refill": "nk_cell.il2_refill",
    },
    engages={"tumor_cell": MISSING_SELF},
    motile=True,
    driven=True,
    capacity="nk_cell.capacity",
    initial_density="nk_cell.initial_density",
    words="NK cells",
    color="#008A4E",
)
