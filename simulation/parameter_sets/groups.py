"""The parameters every model has, with the values that the named sets start from."""

from ..kinds.car_t_cell import CarTCellParameters
from ..kinds.nk_cell import NKCellParameters
from ..kinds.t_cell import TCellParameters
from ..kinds.tumor_cell import TumorParameters
from ..parameters.parameter import Parameter, ParameterGroup, Parameters
from ..parameters.sources import assumed, cite


class Checkpoint(ParameterGroup):
    """PD-1 on T and CAR T cells, which have a brake, and PD-L1 on what they hold."""

    brake = Parameter(
        0.45,
        "1",
        "probability that a hit is lost and the contact ends, at full signal",
        source=assumed("full engagement then lowers killing by 50 to 90 %"),
        range=(0, 1),
    )
    half_pdl1 = Parameter(
        0.5, "1", "shown PD-L1 of half inhibition (Hill 2)", source=cite("QSPIO"), range=(0.001, 10)
    )
    exhaustion_gain = Parameter(
        2,
        "1",
        "how much faster a fully inhibited cell exhausts",
        source=assumed("dysfunction is faster"),
        range=(0, 20),
    )
    max_occupancy = Parameter(
        0.85,
        "1",
        "most of a receptor that antibodies cover",
        source=cite("Brahmer2010"),
        range=(0, 1),
    )


class Recruitment(ParameterGroup):
    """How immune cells come in."""

    vessel_density = Parameter(
        100,
        "vessels/mm2",
        "entry points (per mm3 in 3-D)",
        source=assumed("50 to 200 microvessels a mm2 in tumours"),
        range=(0, 1000),
    )
    rim_share = Parameter(
        0.0,
        "1",
        "share of arrivals that come over the rim of the patch instead",
        source=assumed("a patch inside a tumour"),
        range=(0, 1),
    )
    entry_reach = Parameter(
        45,
        "um",
        "how far from an entry a free site may lie",
        source=assumed("perivascular space"),
        range=(0, 300),
    )
    half_release = Parameter(
        20,
        "deaths/mm2/day",
        "antigen-weighted deaths of half the gain",
        source=assumed("a few per cent of a packed tumour a day"),
        range=(0.01, 10_000),
    )
    delay = Parameter(
        4,
        "day",
        "from antigen release to arrival",
        source=assumed("effectors arrive day 5 to 8 in mice"),
        range=(0, 30),
    )
    memory = Parameter(
        3, "day", "how long release is remembered", source=assumed("days"), range=(0.1, 60)
    )


class Fields(ParameterGroup):
    """Substances between cells."""

    ifn_gamma_diffusion = Parameter(
        50,
        "um2/second",
        "diffusion of IFN-gamma",
        source=assumed("20 to 100 for its size"),
        range=(0, 1000),
    )
    ifn_gamma_decay = Parameter(
        7.7,
        "1/day",
        "loss of IFN-gamma; with diffusion a reach of 750 um",
        source=cite("QSPIO"),
        range=(0, 1000),
    )
    il2_diffusion = Parameter(
        10, "um2/second", "diffusion of IL-2", source=cite("Busse2010"), range=(0, 1000)
    )
    il2_decay = Parameter(0.2, "1/minute", "loss of IL-2", source=cite("QSPIO"), range=(0, 100))
    il2_half = Parameter(
        0.32,
        "nM",
        "IL-2 of half effect on expansion",
        source=cite("Marchingo2014"),
        range=(0.001, 100),
    )
    chemokine_diffusion = Parameter(
        30,
        "um2/second",
        "diffusion of CXCL9 and CXCL10",
        source=assumed("10 to 100 for their size"),
        range=(0, 1000),
    )
    chemokine_decay = Parameter(
        1,
        "1/hour",
        "loss of chemokine; with diffusion a reach of 330 um",
        source=assumed("1 to 10 an hour"),
        range=(0, 1000),
    )
    oxygen_diffusion = Parameter(
        1667, "um2/second", "diffusion of oxygen", source=cite("PhysiCell"), range=(0, 100_000)
    )
    oxygen_decay = Parameter(
        0.1, "1/minute", "background use of oxygen", source=cite("PhysiCell"), range=(0, 100)
    )
    oxygen_supply = Parameter(
        1000,
        "1/minute",
        "exchange of one vessel with its site",
        source=assumed("a vessel holds its site near its own level"),
        range=(0, 100_000),
    )
    oxygen_vessel = Parameter(
        38, "mmHg", "oxygen in vessels", source=cite("PhysiCell"), range=(0, 150)
    )


def all_groups() -> Parameters:
    """A fresh set of all groups with their default values."""
    return Parameters(
        {
            "tumor": TumorParameters(),
            "t_cell": TCellParameters(),
            "car_t_cell": CarTCellParameters(),
            "nk_cell": NKCellParameters(),
            "checkpoint": Checkpoint(),
            "recruitment": Recruitment(),
            "fields": Fields(),
        }
    )
