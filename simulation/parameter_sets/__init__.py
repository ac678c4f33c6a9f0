"""Named parameter sets, one file per disease or published model; each overrides some of the common values."""

from ..parameters.given import quoted
from ..parameters.parameter import ParameterError, nearest
from . import b_all, melanoma, mouse_b16, nsclc
from .parameter_set import ParameterSet

SHIPPED = {module.SET.name: module.SET for module in (b_all, melanoma, mouse_b16, nsclc)}


def names() -> list[str]:
    """Names of the sets that ship."""
    return sorted(SHIPPED)


def find(name: str) -> ParameterSet:
    """A shipped set by name. Raises ParameterError with the nearest name."""
    if not isinstance(name, str) or name not in SHIPPED:
        raise ParameterError(
            f"there is no parameter set {quoted(name)}{nearest(quoted(name), sorted(SHIPPED))}"
        )
    return SHIPPED[name]
