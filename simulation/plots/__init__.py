"""Pictures of Results: tissue, curves, selection, T cells, and the overview of a run."""

from . import style
from .overview import overview
from .selection import distributions, selection_differential
from .spatial import infiltration
from .t_cell_state import t_cell_state
from .time_courses import time_courses
from .tissue import tissue
from .volume import slices, volume

__all__ = [
    "distributions",
    "infiltration",
    "overview",
    "selection_differential",
    "slices",
    "style",
    "t_cell_state",
    "time_courses",
    "tissue",
    "volume",
]
