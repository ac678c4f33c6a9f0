"""What T and NK cells share: their parameters, and the rules these stand behind."""

from ..parameters.parameter import Parameter, ParameterGroup
from ..parameters.sources import assumed, cite

MODEL = assumed(
    "tried together with the other contact rules so that killing falls in the measured range"
)


class LymphocyteParameters(ParameterGroup):
    """What T and NK cells share; each kind restates what differs."""

    initial_density = Parameter(
        0,
        "cells/mm2",
        "cells scattered over the tissue at the start (per mm3 in 3-D)",
        source=assumed("set by the disease"),
        range=(0, 4000),
    )
    base_influx = Parameter(
        0,
        "cells/mm2/day",
        "cells that enter without antigen release (per mm3 in 3-D)",
        source=assumed("set by the disease"),
        range=(0, 1000),
    )
    influx_gain = Parameter(
        0,
        "cells/mm2/day",
        "further cells that enter at saturating antigen release",
        source=assumed("set by the disease"),
        range=(0, 1000),
    )
    speed = Parameter(
        4, "um/minute", "speed of a searching cell", source=cite("Boissonnas2007"), range=(0, 30)
    )
    persistence = Parameter(
        0.7,
        "1",
        "probability of keeping the heading at each step",
        source=assumed("persistence of a few minutes in tissue"),
        range=(0, 1),
    )
    chemokine_bias = Parameter(
        0.3,
        "1",
        "probability of heading up the chemokine where it saturates",
        source=assumed("PhysiCell uses 0.5"),
        range=(0, 1),
    )
    squeeze = Parameter(
        0.05,
        "1",
        "probability that a step onto a tumour cell exchanges places",
        source=assumed("a packed tumour would be impenetrable without"),
        range=(0, 1),
    )
    engage_rate = Parameter(
        12,
        "1/hour",
        "contacts with a fully recognised neighbour",
        source=cite("PhysiCell"),
        range=(0, 600),
    )
    kill_rate = Parameter(
        2, "1/hour", "lytic hits of an engaged cell", source=MODEL, range=(0, 600)
    )
    potency = Parameter(
        1,
        "hits",
        "damage units of one hit",
        source=cite("Weigelin2021"),
        range=(1, 100),
        integer=True,
    )
    detach_rate = Parameter(
        1.5,
        "1/hour",
        "contacts that end by themselves; 40 minutes when the kill fails",
        source=cite("Jenkins2015"),
        range=(0, 600),
    )
    exhaustion_rate = Parameter(
        0.25,
        "1/day",
        "plastic exhaustion while engaged with a fully recognised cell",
        source=assumed("dysfunction starts in the first days"),
        range=(0, 10),
    )
    recovery_rate = Parameter(
        0.2, "1/day", "recovery from plastic exhaustion", source=assumed("days"), range=(0, 10)
    )
    fixation_rate = Parameter(
        0.05,
        "1/day",
        "plastic exhaustion becoming fixed",
        source=assumed("fixed by about two weeks (Philip 2017 has the states, not the rate)"),
        range=(0, 10),
    )
    division_rate = Parameter(
        0.5,
        "1/day",
        "divisions of a fully stimulated cell",
        source=assumed("8 to 24 h in a lymph node, far slower in tumours"),
        range=(0, 5),
    )
    division_limit = Parameter(
        4,
        "divisions",
        "divisions without IL-2",
        source=cite("Marchingo2014"),
        range=(0, 50),
        integer=True,
    )
    il2_divisions = Parameter(
        7,
        "divisions",
        "further divisions at saturating IL-2",
        source=cite("Marchingo2014"),
        range=(0, 50),
    )
    il2_drive = Parameter(
        0.5,
        "1",
        "drive to divide from saturating IL-2 alone",
        source=assumed("high-dose IL-2 expands lymphocytes without antigen"),
        range=(0, 1),
    )
    sensitivity = Parameter(
        1,
        "1",
        "stimulation from a share of time in stimulating contact; it saturates at 1",
        source=assumed("in tissue, contact all the time stimulates fully"),
        range=(0, 100),
    )
    forgetting_rate = Parameter(
        1.41,
        "1/day",
        "fading of stimulation; a memory of 17 hours",
        source=assumed("about one day"),
        range=(0.01, 100),
    )
    death_rate = Parameter(
        0.2,
        "1/day",
        "death; its inverse is the lifespan in tissue",
        source=cite("SPQSP"),
        range=(0, 5),
    )
    ifn_gamma_secretion = Parameter(
        40,
        "1/hour",
        "IFN-gamma of an active cell, half-effects in its own site",
        source=assumed("one active cell in a hundred sites then gives about one half-effect"),
        range=(0, 1000),
    )
    il2_secretion = Parameter(
        0,
        "nM/hour",
        "IL-2 of an active cell in its own site",
        source=assumed("none"),
        range=(0, 1000),
    )
    il2_uptake = Parameter(
        54,
        "1/hour",
        "IL-2 cleared by one cell; 51 um3/s from a site of 15 um",
        source=cite("Busse2010"),
        range=(0, 10_000),
    )
    oxygen_uptake = Parameter(
        1,
        "1/minute",
        "oxygen consumed in packed tissue",
        source=assumed("a tenth of a tumour cell"),
        range=(0, 100),
    )


def rates_of(group: str) -> dict[str, str]:
    """Rules of a lymphocyte, each from the parameter of that group."""
    same = (
        "squeeze",
        "sensitivity",
        "persistence",
        "potency",
        "division_limit",
        "il2_divisions",
        "il2_drive",
        "influx_gain",
        "ifn_gamma_secretion",
        "il2_secretion",
        "il2_uptake",
        "oxygen_uptake",
    )
    rated = (
        "engage",
        "kill",
        "detach",
        "exhaustion",
        "recovery",
        "fixation",
        "forgetting",
        "division",
        "death",
    )
    return {
        **{rule: f"{group}.{rule}" for rule in same},
        **{rule: f"{group}.{rule}_rate" for rule in rated},
        "move": f"{group}.speed",
        "bias": f"{group}.chemokine_bias",
        "influx": f"{group}.base_influx",
    }
