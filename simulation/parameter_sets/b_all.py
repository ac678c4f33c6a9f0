"""B-cell acute lymphoblastic leukaemia, well mixed."""

from ..parameters.sources import assumed, cite
from .parameter_set import ParameterSet

SET = ParameterSet(
    name="b_all",
    meaning="B-cell leukaemia in marrow and blood: no tissue, binary killing, CD19 as the CAR target",
    liquid=True,
    values={
        "tumor.lethal_hits": (1, cite("Weigelin2021")),
        "tumor.division_rate": (0.30, assumed("leukaemia doubles in 3 to 5 days with loss")),
        "tumor.death_rate": (0.08, assumed("moderate loss")),
        "tumor.car_target": (1.5, assumed("5,000 to 50,000 CD19 a blast")),
        "tumor.car_target_spread": (0.5, assumed("0.3 to 0.6 within a line")),
        "car_t_cell.sensitivity": (
            6,
            assumed("a blast dies within one hit, so contacts that stimulate fully are brief"),
        ),
        "t_cell.sensitivity": (6, assumed("as CAR T cells")),
        "tumor.antigen": (0.3, assumed("few mutations")),
        "tumor.necrosis_rate": (0.0, assumed("blood is not hypoxic")),
        "tumor.oxygen_half": (0.0, assumed("blood is not hypoxic")),
        "tumor.initial_cells": (2000, assumed("a tenth of the sites of the usual vessel")),
        "t_cell.base_influx": (1, assumed("few tumour-specific T cells")),
        "t_cell.influx_gain": (2, assumed("few tumour-specific T cells")),
    },
)
