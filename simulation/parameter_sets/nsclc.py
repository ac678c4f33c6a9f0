"""Non-small-cell lung cancer of a patient."""

from ..parameters.sources import assumed
from .parameter_set import ParameterSet

SET = ParameterSet(
    name="nsclc",
    meaning="a growing patch of a patient's lung cancer, moderately inflamed",
    values={
        "tumor.division_rate": (
            0.45,
            assumed("slower than melanoma, volume doubling 100 to 200 days"),
        ),
        "tumor.death_rate": (0.20, assumed("high cell loss")),
        "tumor.antigen": (0.7, assumed("fewer presented mutations than melanoma")),
        "tumor.pdl1": (0.4, assumed("half of tumours are PD-L1 positive")),
        "t_cell.base_influx": (3, assumed("between cold and inflamed")),
        "t_cell.influx_gain": (15, assumed("between cold and inflamed")),
        "t_cell.squeeze": (0.03, assumed("dense stroma; T cells move under 2 um/minute there")),
    },
)
