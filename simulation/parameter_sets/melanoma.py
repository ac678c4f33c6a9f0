"""Melanoma of a patient: slow cycle, high loss, many mutations, T cells present."""

from . import ParameterSet

SET = ParameterSet(
    name="melanoma",
    meaning="a growing patch of a patient's melanoma metastasis, inflamed, PD-L1-low",
    values={
        "tumor.division_rate": (0.55, "assumed: cycle of 44 h (human xenograft), oxygen not limiting"),
        "tumor.death_rate": (0.22, "assumed: cell-loss factor 0.6 to 0.7 counted on realised divisions"),
        "tumor.antigen_spread": (0.4, "assumed: 0.3 to 0.6 within a line, more between"),
        "tumor.pdl1": (0.1, "assumed: PD-L1-low; scenarios raise it"),
    },
)
