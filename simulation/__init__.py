"""Tumour and immune system on a lattice, with pluggable immunotherapies."""

from importlib import import_module

from . import treatments
from .body.compartment import Compartment
from .cells.agents import CellAgent
from .errors import TumorLabError
from .kinds.car_t_cell import CarTCell
from .kinds.coat import COATED
from .kinds.kind import CellKind, Process, Recognition, Trait
from .kinds.nk_cell import NKCell
from .kinds.t_cell import TCell
from .kinds.table import kind_from_table
from .kinds.tumor_cell import TumorCell
from .model import TumorModel
from .parameters.parameter import Parameter, ParameterGroup
from .parameters.sources import assumed, cite
from .results.results import Results
from .results.snapshots import Snapshot
from .rules import Rule
from .testing.checks import CheckFailed, check_cell_kind, check_treatment, parametrize_with_promises
from .tissue.effect import Effect
from .tissue.field_kind import FieldKind
from .treatments import Treatment
from .treatments.schedule import Schedule
from .treatments.table import treatment_from_table

__version__ = "0.2.0"
__all__ = [
    "COATED",
    "CarTCell",
    "CellAgent",
    "CellKind",
    "CheckFailed",
    "Compartment",
    "Effect",
    "FieldKind",
    "NKCell",
    "Parameter",
    "ParameterGroup",
    "Process",
    "Recognition",
    "Results",
    "Rule",
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
    "kind_from_table",
    "parametrize_with_promises",
    "plots",
    "treatment_from_table",
    "treatments",
]


def __getattr__(name: str) -> object:
    """``simulation.plots`` is imported when it is asked for: matplotlib takes longer to start than all the rest."""
    if name == "plots":
        return import_module("simulation.plots")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), "plots"})
