"""B16 melanoma in a mouse: fast."""

from ..parameters.sources import assumed
from .parameter_set import ParameterSet

SET = ParameterSet(
    name="mouse_b16",
    meaning="B16 melanoma under the skin of a mouse: cycle of a day, T cells attack early",
    values={
        "tumor.division_rate": (
            0.69,
            assumed("cycle of 24 h; 34 to 36 % new cells a day were measured with oxygen limiting"),
        ),
        "tumor.death_rate": (0.10, assumed("low loss early")),
        "recruitment.vessel_density": (80, assumed("leaky and sparse vessels")),
    },
)
