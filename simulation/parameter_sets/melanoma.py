"""Melanoma of a patient: slow cycle, high loss, many mutations, T cells present."""

from ..parameters.sources import assumed
from .parameter_set import ParameterSet

SET = ParameterSet(
    name="melanoma",
    meaning="a growing patch of a patient's melanoma metastasis, inflamed, PD-L1-low",
    values={
        "tumor.division_rate": (
            0.75,
            assumed("with tissue oxygen a cycle of 44 h, as in a human xenograft"),
        ),
        "tumor.death_rate": (
            0.25,
            assumed("cell-loss factor of a patch about 0.6, as in that xenograft"),
        ),
        "tumor.pdl1": (0.1, assumed("PD-L1-low; scenarios raise it")),
        "t_cell.base_influx": (2.5, assumed("density is about influx x lifespan")),
        "t_cell.influx_gain": (12, assumed("gives about 200 CD8 a mm2 in inflamed tumours")),
    },
)
