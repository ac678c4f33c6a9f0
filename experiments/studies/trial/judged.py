"""What a trial found, and by which rules it was judged."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import pandas as pd

from simulation.readouts.response import Recist

CONTROL = "control"
BIOMARKERS = {"pdl1": "PD-L1", "antigen": "antigen", "cd8": "CD8 density"}
"""What patients are grouped by, as measured on day 0, in words."""
Row = Any
"""A row of a table as ``itertuples`` gives it: its columns are its attributes, which no type knows."""


@dataclass(frozen=True)
class Protocol:
    """How a trial judges its patients: all that its tables, sentences and pictures need to know of it."""

    question: str
    recist: Recist
    infiltrate: bool
    """Whether immune cells count as lesion."""
    space: int
    """2 or 3: the dimensions of the tissue."""
    tissue: float
    """The patch in mm2, or mm3 where ``space`` is 3."""
    dimension: int
    """2 or 3: whether diameters go with the square or the cube root of cells."""
    enrolled_from: int
    """Tumour cells of day 0 from which a patient has measurable disease."""
    contrasted_on: float
    """The day on which arms are compared."""
    subgroups: Mapping[str, Any]
    """By biomarker, where patients are parted: ``"median"`` or a level."""


class Judged(NamedTuple):
    """The tables of a trial, each written under its name.

    ``patients``: a row per patient with its day 0, biomarkers, groups and the immunoediting phase of its control;
    ``scans``: a row per patient, arm and scan; ``responses``: a row per patient and arm; ``response_rates``,
    ``comparisons``: a row per arm; ``progression``: Kaplan-Meier per arm; ``subgroups``: a row per biomarker, group and arm;
    ``contrasts``: a row per arm and quantity. Only patients with measurable disease at day 0 are in the others.
    """

    patients: pd.DataFrame
    scans: pd.DataFrame
    responses: pd.DataFrame
    response_rates: pd.DataFrame
    progression: pd.DataFrame
    comparisons: pd.DataFrame
    subgroups: pd.DataFrame
    contrasts: pd.DataFrame


def by_arm(responses: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """The rows of each arm, in the order of the trial."""
    for arm in responses["arm"].unique():
        yield arm, responses[responses["arm"] == arm]
