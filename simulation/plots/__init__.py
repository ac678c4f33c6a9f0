"""Pictures of Results: tissue, curves, selection, T cells, and the overview of a run."""

from . import style
from .overview import overview
from .selection import distributions, selection_differential
from .t_cell_state import t_cell_state
from .time_courses import time_courses
from .tissue import tissue

__all__ = ["distributions", "overview", "selection_differential", "style", "t_cell_state", "time_courses", "tissue"]
