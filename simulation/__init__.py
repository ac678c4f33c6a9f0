"""Tumour and immune system on a lattice, with pluggable immunotherapies."""

from importlib import import_module

from . import treatments
from .cells.agents import CellAgent
from .errors import TumorLabError
from .kinds.car_t_cell import CarTCell
from .kinds.coat import COATED
from .kinds.kind import CellKind, Process, Recognition, Trait
from .kinds.nk_cell import NKCell
from .kinds.t_cell import TCell
from .kinds.tumor_cell import TumorCell
from .model import TumorModel
from .parameters.parameter import Parameter, ParameterGroup
from .parameters.sources import assumed, cite
from .results.results import Results
from .results.snapshots import Snapshot
from .testing.checks import CheckFailed, check_cell_kind, check_treatment, parametrize_with_promises
from .treatments import Treatment
from .treatments.schedule import Schedule

__version__ = "0.1.0"
__all__ = [
    "COATED",
    "CarTCell",
    "CellAgent",
    "CellKind",
    "CheckFailed",
    "NKCell",
    "Parameter",
    "ParameterGroup",
    "Process",
    "Recognition",
    "Results",
    "Schedule",
    "Snapshot",
    "TCell",
    "Trait",
    "Treatment",
    "TumorCell",
    "TumorLabError",
    "TumorModel",
    "assumed",
    "check_cell_kind",
    "check_treatment",
    "cite",
    "parametrize_with_promises",
    "plots",
    "treatments",
]


def __getattr__(name: str) -> object:
    """``simulation.plots`` is imported when it is asked for: matplotlib takes longer to start than all the rest."""
    if name == "plots":
        return import_module("simulation.plots")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), "plots"})
