"""The tumour cell: what it shows, how it grows, how it changes."""

from typing import Any

from ..cells.agents import CellAgent
from ..parameters.parameter import Parameter, ParameterGroup
from ..parameters.sources import assumed, cite
from .kind import CellKind, Trait


class TumorParameters(ParameterGroup):
    """Tumour cells: what they show, how they grow, how they change."""

    initial_cells = Parameter(
        500,
        "cells",
        "tumour cells at the start, as a disc in the middle",
        source=assumed("a nodule of about 0.4 mm"),
        range=(0, 10_000_000),
        integer=True,
    )
    antigen = Parameter(
        1.0,
        "1",
        "mean antigen; 1 is about 30 peptide-MHC a cell at full MHC-I",
        source=cite("Purbhoo2004"),
        range=(0, 10),
    )
    antigen_spread = Parameter(
        0.3,
        "1",
        "sigma of ln antigen between cells at the start",
        source=assumed("0.3 to 0.6 measured within cell lines, 0.8 to 1.2 between"),
        range=(0, 2),
    )
    antigen_negative_share = Parameter(
        0.0,
        "1",
        "share of cells without antigen at the start",
        source=assumed("pre-existing negatives are 0.1 to 20 % where reported"),
        range=(0, 1),
    )
    car_target = Parameter(
        1.0,
        "1",
        "mean CAR target; 1 is 10^4 molecules a cell",
        source=cite("Majzner2018"),
        range=(0, 100),
    )
    car_target_spread = Parameter(
        0.3,
        "1",
        "sigma of ln CAR target between cells at the start",
        source=assumed("as for antigen"),
        range=(0, 2),
    )
    car_target_negative_share = Parameter(
        0.0,
        "1",
        "share of cells without CAR target at the start",
        source=assumed("as for antigen"),
        range=(0, 1),
    )
    mhc = Parameter(
        1.0,
        "1",
        "mean MHC-I capacity",
        source=assumed("1 is the normal of the tissue"),
        range=(0, 1),
    )
    pdl1 = Parameter(
        0.1,
        "1",
        "mean constitutive PD-L1; 1 is strongly positive",
        source=assumed("PD-L1-low disease"),
        range=(0, 10),
    )
    pdl1_spread = Parameter(
        0.3,
        "1",
        "sigma of ln PD-L1 between cells at the start",
        source=assumed("as for antigen"),
        range=(0, 2),
    )
    pdl1_induced = Parameter(
        0.5, "1", "PD-L1 added by saturating interferon", source=cite("Hoekstra2020"), range=(0, 10)
    )
    mhc_resting = Parameter(
        0.5,
        "1",
        "share of MHC-I capacity shown without interferon",
        source=assumed("interferon raises surface MHC-I two- to ten-fold"),
        range=(0, 1),
    )
    stress_ligand = Parameter(
        0.5,
        "1",
        "mean ligand for activating NK receptors",
        source=assumed("half-effect 10^3 to 10^4 molecules, measured poorly"),
        range=(0, 10),
    )
    stress_ligand_spread = Parameter(
        0.3,
        "1",
        "sigma of ln stress ligand between cells at the start",
        source=assumed("as for antigen"),
        range=(0, 2),
    )
    mutation_spread = Parameter(
        0.05,
        "1",
        "sigma of the log-normal step of a daughter's antigen, target, PD-L1, ligand",
        source=assumed("small against the spread between cells"),
        range=(0, 1),
    )
    antigen_loss = Parameter(
        1e-5,
        "1",
        "probability per daughter that antigen is lost for good",
        source=assumed("measured 1e-6 to 1e-4 per division"),
        range=(0, 0.1),
    )
    car_target_loss = Parameter(
        1e-5,
        "1",
        "probability per daughter that the CAR target is lost for good",
        source=assumed("measured 1e-6 to 1e-4 per division"),
        range=(0, 0.1),
    )
    mhc_loss = Parameter(
        1e-5,
        "1",
        "probability per daughter that MHC-I is lost for good",
        source=assumed("measured 1e-6 to 1e-4 per division"),
        range=(0, 0.1),
    )
    mhc_halving = Parameter(
        1e-5,
        "1",
        "probability per daughter that MHC-I capacity is halved",
        source=assumed("as loss; HLA loss of one copy is found in 17 % of cancers"),
        range=(0, 0.1),
    )
    division_rate = Parameter(
        0.69,
        "1/day",
        "divisions of a cell with room and oxygen in plenty",
        source=assumed("mouse tumours double in 1 to 3 days"),
        range=(0, 5),
    )
    death_rate = Parameter(
        0.10,
        "1/day",
        "spontaneous death",
        source=assumed("0.05 to 0.3 gives loss factors of 0.3 to 0.7"),
        range=(0, 5),
    )
    interferon_arrest = Parameter(
        0.5,
        "1",
        "share of division lost at saturating interferon",
        source=cite("Beck2019"),
        range=(0, 1),
    )
    oxygen_half = Parameter(
        15,
        "mmHg",
        "oxygen at which division is half as fast",
        source=cite("PhysiCell"),
        range=(0, 100),
    )
    necrosis_threshold = Parameter(
        5,
        "mmHg",
        "oxygen below which cells die of hypoxia",
        source=cite("PhysiCell"),
        range=(0, 100),
    )
    necrosis_rate = Parameter(
        0.7,
        "1/day",
        "death below that threshold",
        source=assumed("most die within two days"),
        range=(0, 10),
    )
    repair_rate = Parameter(
        1.2, "1/hour", "repair of one unit of damage", source=cite("Weigelin2021"), range=(0, 60)
    )
    lethal_hits = Parameter(
        3,
        "hits",
        "damage at which a cell dies",
        source=cite("Weigelin2021"),
        range=(1, 100),
        integer=True,
    )
    chemokine_secretion = Parameter(
        30,
        "1/hour",
        "chemokine made without interferon, half-effects in the cell's own site",
        source=assumed("inflamed tumours lure T cells from some hundred um"),
        range=(0, 1000),
    )
    chemokine_induced = Parameter(
        60,
        "1/hour",
        "further chemokine at saturating interferon",
        source=assumed("CXCL9 and CXCL10 are interferon-induced"),
        range=(0, 1000),
    )
    oxygen_uptake = Parameter(
        10, "1/minute", "oxygen consumed in packed tissue", source=cite("PhysiCell"), range=(0, 100)
    )


class TumorCell(CellAgent):
    """A tumour cell: what it shows decides who can see it."""

    kind = "tumor_cell"


def tumor_trait(name: str, **more: Any) -> Trait:
    """A trait that differs between tumour cells and is inherited with mutations."""
    return Trait(
        name,
        start=f"tumor.{name}",
        spread=f"tumor.{name}_spread",
        mutation="tumor.mutation_spread",
        **more,
    )


TUMOR_CELL = CellKind(
    "tumor_cell",
    agent=TumorCell,
    traits=(
        tumor_trait(
            "antigen", negative_share="tumor.antigen_negative_share", loss="tumor.antigen_loss"
        ),
        tumor_trait(
            "car_target",
            negative_share="tumor.car_target_negative_share",
            loss="tumor.car_target_loss",
            surface=True,
        ),
        Trait(
            "mhc", start="tumor.mhc", loss="tumor.mhc_loss", halving="tumor.mhc_halving", high=1.0
        ),
        tumor_trait("pdl1", surface=True),
        tumor_trait("stress_ligand"),
    ),
    rates={
        "division": "tumor.division_rate",
        "death": "tumor.death_rate",
        "necrosis": "tumor.necrosis_rate",
        "repair": "tumor.repair_rate",
        "lethal_hits": "tumor.lethal_hits",
        "interferon_arrest": "tumor.interferon_arrest",
        "oxygen_half": "tumor.oxygen_half",
        "antigen_shown": 1.0,
        "chemokine_secretion": "tumor.chemokine_secretion",
        "chemokine_induced": "tumor.chemokine_induced",
        "oxygen_uptake": "tumor.oxygen_uptake",
    },
    yielding=True,
    pdl1_induced="tumor.pdl1_induced",
    words="tumour cells",
    color="#E3C09C",
)
