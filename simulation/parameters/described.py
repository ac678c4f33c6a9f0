"""Parameters as a folder describes them, so that they can be read about without the code that declares them."""

from collections.abc import Mapping
from typing import Any

from .parameter import Parameter, ParameterGroup


def described(cls: type[ParameterGroup]) -> dict[str, dict[str, Any]]:
    """The parameters of a group, as JSON holds them."""
    return {
        name: {
            "value": each.default,
            "unit": each.unit,
            "meaning": each.meaning,
            "source": each.source,
            "range": [each.low, each.high],
            "integer": each.integer,
        }
        for name, each in cls.parameters().items()
    }


def declared(table: Mapping[str, Mapping[str, Any]]) -> dict[str, Parameter]:
    """The parameters that were described, by name."""
    return {name: Parameter(**each) for name, each in table.items()}
