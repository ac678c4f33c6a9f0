"""A named set of parameters: what one disease, assay or published model changes of the common values."""

from collections.abc import Iterable
from dataclasses import dataclass

from ..kinds.kind import CellKind
from ..parameters.parameter import Parameters
from .groups import all_groups


@dataclass(frozen=True)
class ParameterSet:
    """A disease. ``values``: dotted name -> (value in the declared unit, source). ``liquid``: no tissue, as in leukaemia."""

    name: str
    meaning: str
    values: dict[str, tuple[float, str]]
    liquid: bool = False
    spacing: float = 15.0

    def parameters(self, kinds: Iterable[CellKind] = ()) -> Parameters:
        """All groups, and those that ``kinds`` bring, with this set's values in force, each with its own source."""
        parameters = all_groups()
        for kind in kinds:
            kind.join(parameters)
        for dotted, (value, source) in self.values.items():
            parameters.override(dotted, value, source)
        return parameters
