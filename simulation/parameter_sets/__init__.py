"""Named parameter sets, one file per disease or published model; each overrides some of the common values."""

from dataclasses import dataclass

from ..parameters.given import quoted
from ..parameters.parameter import ParameterError, Parameters, nearest
from .groups import all_groups


@dataclass(frozen=True)
class ParameterSet:
    """A disease. ``values``: dotted name -> (value in the declared unit, source). ``liquid``: no tissue, as in leukaemia."""

    name: str
    meaning: str
    values: dict[str, tuple[float, str]]
    liquid: bool = False
    spacing: float = 15.0

    def parameters(self) -> Parameters:
        """All groups with this set's values in force, each with its own source."""
        parameters = all_groups()
        for dotted, (value, source) in self.values.items():
            parameters.override(dotted, value, source)
        return parameters


def names() -> list[str]:
    """Names of the sets that ship."""
    return sorted(_shipped())


def find(name: str) -> ParameterSet:
    """A shipped set by name. Raises ParameterError with the nearest name."""
    shipped = _shipped()
    if not isinstance(name, str) or name not in shipped:
        raise ParameterError(f"there is no parameter set {quoted(name)}{nearest(quoted(name), sorted(shipped))}")
    return shipped[name]


def _shipped() -> dict[str, ParameterSet]:
    from . import b_all, melanoma, mouse_b16, nsclc

    return {module.SET.name: module.SET for module in (b_all, melanoma, mouse_b16, nsclc)}
