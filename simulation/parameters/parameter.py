"""Parameters: every number of the model with its unit, meaning, source and range.

A parameter is declared once, on a group (``tumor``, ``t_cell``...) or on a treatment. Reading it gives the value in
inside units (hours, micrometres, nM); setting it, and everything written to a file, uses the declared unit.
"""

import difflib
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from typing import Any, ClassVar, Self

from ..errors import TumorLabError
from .given import quoted, real
from .units import UNITS, canonical, convert, phrase, split

Number = float | str
"""A number in inside units, or the dotted name of a parameter."""


class ParameterError(TumorLabError):
    """A parameter that does not exist, or a value it cannot take; one sentence that says what is allowed."""


class UnknownParameter(ParameterError, AttributeError):
    """A name that no group or parameter has; the message suggests the nearest."""


def nearest(word: str, choices: Iterable[str]) -> str:
    """The end of an error message: `` (did you mean 'x'?)``, or `` (choices: a, b, c)`` when nothing is near."""
    names = [str(choice) for choice in choices]
    by_lower_case = {name.lower(): name for name in names}
    found = difflib.get_close_matches(str(word).lower(), list(by_lower_case), n=1)
    if found:
        return f" (did you mean {by_lower_case[found[0]]!r}?)"
    shown = names if len(names) <= 30 else [*names[:30], f"and {len(names) - 30} more"]
    return f" (choices: {', '.join(shown)})" if names else ""


def check_source(source: str, key: str) -> None:
    """Raise ParameterError naming ``key`` unless a source is text that says something."""
    if not isinstance(source, str) or source.strip(": \n\t") in ("", "assumed"):
        raise ParameterError(
            f"source must be cite('Key', 'what') or assumed('the reason'), not {quoted(source)}",
            key=key,
        )


class Parameter:
    """One number: its default and range in the declared unit, what it means and who says so.

    ``source`` is ``cite("Weigelin2021", "three hits")``, several joined by ``"; "``, or ``assumed("the reason")``: the texts
    ``"Weigelin2021: three hits"`` and ``"assumed: the reason"``. ``range`` is inclusive. An ``integer`` is a whole number and
    reads as int.
    """

    trace: ClassVar[set[tuple[str, str]] | None] = None
    """When a set, every reading adds (class name of the group, name)."""

    def __init__(
        self,
        value: float | str,
        unit: str,
        meaning: str,
        *,
        source: str,
        range: tuple[float, float],
        integer: bool = False,
    ):
        self.name = ""
        self.unit, self.meaning, self.source, self.integer = (
            canonical(unit),
            meaning,
            source,
            integer,
        )
        label = f"Parameter({value!r}, {unit!r}, {meaning!r})"
        if self.unit not in UNITS:
            raise ParameterError(f"there is no unit {unit!r}{nearest(unit, UNITS)}", key=label)
        check_source(source, label)
        self.low, self.high = (float(bound) for bound in range)
        if not self.low <= self.high:
            raise ParameterError(f"range must be (low, high), not {range!r}", key=label)
        self.factor = 1 if integer else UNITS[self.unit].factor
        if self.factor != UNITS[self.unit].factor:
            raise ParameterError(
                f"a whole number cannot have the unit {unit}, which is converted inside", key=label
            )
        self.default: Any = value  # perhaps a text with a unit, until its group accepts it

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, group: Any, owner: type | None = None) -> Any:
        if group is None:
            return self
        if Parameter.trace is not None:
            Parameter.trace.add((type(group).__name__, self.name))
        return group._inside[self.name]

    def __set__(self, group: Any, value: object) -> None:
        raise AttributeError(
            f"{group.key(self.name)} cannot be assigned, because it reads in inside units but is "
            f"set in {self.unit}; write {group.prefix}.set({self.name}={value!r})"
        )

    def __repr__(self) -> str:
        return (
            f"Parameter({self.default!r}, {self.unit!r}, {self.meaning!r}, source={self.source!r}, "
            f"range=({self.low:g}, {self.high:g}){', integer=True' if self.integer else ''})"
        )

    def allowed(self) -> str:
        """What may stand here, in words: ``between 0 and 0.2 /hour``."""
        return f"a {'whole ' if self.integer else ''}number between {self.low:.12g} and {phrase(self.high, self.unit)}"

    def accept(self, value: object, key: str) -> float | int:
        """The declared value of a number or of a text with a unit; ParameterError naming ``key`` if not allowed."""
        number, hint = self._number(value)
        whole = not self.integer or number % 1 == 0
        if hint or not (whole and math.isfinite(number) and self.low <= number <= self.high):
            raise ParameterError(
                f"{key} = {quoted(value)} is not allowed: it must be {self.allowed()}{hint}",
                key=key,
            )
        return int(number) if self.integer else number

    def _number(self, value: object) -> tuple[float, str]:
        """A value as a number in the declared unit, and what to add to the refusal if it is none."""
        if isinstance(value, str):
            number, unit = split(value) or (math.nan, self.unit)
            unit = unit or self.unit
            if unit not in UNITS or UNITS[unit].dimension != UNITS[self.unit].dimension:
                units = [
                    each for each in UNITS if UNITS[each].dimension == UNITS[self.unit].dimension
                ]
                return (
                    math.nan,
                    f"; {quoted(unit)} does not convert to {self.unit} (choices: {', '.join(units)})",
                )
            return convert(number, unit, self.unit), ""
        return real(value), ""


class ParameterGroup:
    """A named group of parameters; the base of ``Tumor``, ``TCell``... and of every treatment."""

    prefix: str = "group"
    """First part of the dotted names: the class name in snake_case, unless told otherwise."""
    _parameters: ClassVar[dict[str, Parameter]] = {}
    _values: dict[str, float | int]
    _sources: dict[str, str]
    _inside: dict[str, float | int]

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        if "prefix" not in vars(cls):
            cls.prefix = re.sub(
                r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", cls.__name__
            ).lower()
        found: dict[str, Parameter] = {}
        for base in reversed(cls.__mro__):
            for name, member in vars(base).items():
                if isinstance(member, Parameter):
                    found[name] = member
                    if hasattr(ParameterGroup, name):
                        raise ParameterError(
                            "every group uses this name; choose another",
                            key=f"{cls.__name__}.{name}",
                        )
                elif name in found:
                    raise ParameterError(
                        f"{base.__name__}.{name} hides a parameter; write {name} = "
                        f"Parameter({member!r}, {found[name].unit!r}, ..., source=..., range=...)"
                    )
        for name, parameter in found.items():
            parameter.default = parameter.accept(
                parameter.default, f"the default {cls.__name__}.{name}"
            )
        cls._parameters = found

    def __new__(cls, *arguments: Any, **keywords: Any) -> Self:
        """A group with every parameter at its default."""
        group = super().__new__(cls)
        group._values, group._sources = {}, {}
        group._inside = {name: each.default * each.factor for name, each in cls._parameters.items()}
        return group

    def __init__(self, **values: Any):
        self.set(**values)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise UnknownParameter(
            f"{type(self).__name__} has no {quoted(name)}{nearest(name, self._parameters)}"
        )

    @classmethod
    def parameters(cls) -> dict[str, Parameter]:
        """Name -> Parameter, those of the base class first."""
        return dict(cls._parameters)

    def key(self, name: str) -> str:
        """The dotted name of one parameter."""
        return f"{self.prefix}.{name}"

    def set(self, **values: Any) -> None:
        """Give parameters other values, in their declared unit or as text with a unit; all or none."""
        accepted = {
            name: self._parameter(name).accept(value, self.key(name))
            for name, value in values.items()
        }
        for name, value in accepted.items():
            if value != self.value(name):
                self._sources.pop(name, None)
            self._store(name, value)

    def override(self, name: str, value: float | str, source: str) -> None:
        """Give a parameter another value together with the source that says so."""
        check_source(source, self.key(name))
        self._store(name, self._parameter(name).accept(value, self.key(name)))
        self._sources[name] = source

    def value(self, name: str) -> float | int:
        """The value in the declared unit."""
        return self._values.get(name, self._parameter(name).default)

    def source(self, name: str) -> str:
        """Who says so: the overriding source, the declared one, or a note that the value was set by hand."""
        parameter = self._parameter(name)
        if name in self._sources or self.value(name) == parameter.default:
            return self._sources.get(name, parameter.source)
        return f"set by hand; the default {phrase(parameter.default, parameter.unit)} is from {parameter.source}"

    def changed(self) -> dict[str, float | int]:
        """Name -> declared value of the parameters that differ from their default."""
        return {
            name: self.value(name)
            for name, each in self._parameters.items()
            if self.value(name) != each.default
        }

    def table(self, prefix: str | None = None) -> list[dict[str, Any]]:
        """One row a parameter: dotted name, value, unit, low, high, meaning, source."""
        return [
            {
                "name": f"{prefix or self.prefix}.{name}",
                "value": self.value(name),
                "unit": each.unit,
                "low": each.low,
                "high": each.high,
                "meaning": each.meaning,
                "source": self.source(name),
            }
            for name, each in self._parameters.items()
        ]

    def copy(self) -> Self:
        """An independent copy."""
        return deepcopy(self)

    __copy__ = copy

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.changed().items())})"

    def _parameter(self, name: str) -> Parameter:
        if name not in self._parameters:
            raise UnknownParameter(
                f"{self.prefix} has no parameter {quoted(name)}{nearest(name, self._parameters)}"
            )
        return self._parameters[name]

    def _store(self, name: str, value: float | int) -> None:
        self._values[name] = value
        self._inside[name] = value * self._parameters[name].factor


class Parameters:
    """All groups of one model: ``p.tumor.death`` is the inside value, ``p["tumor.death"]`` the declared one."""

    def __init__(self, groups: Mapping[str, ParameterGroup]):
        self._groups: dict[str, ParameterGroup] = {}
        for name, group in groups.items():
            self.join(name, group)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # copying asks before anything is there
            raise AttributeError(name)
        raise UnknownParameter(f"there is no parameter group {name!r}{nearest(name, self._groups)}")

    def __getitem__(self, dotted: str) -> float | int:
        group, name = self._find(dotted)
        return group.value(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def __repr__(self) -> str:
        return f"Parameters({', '.join(repr(group) for group in self._groups.values())})"

    def groups(self) -> dict[str, ParameterGroup]:
        """Name -> group."""
        return dict(self._groups)

    def join(self, name: str, group: ParameterGroup) -> None:
        """A further group under this name. Raises ParameterError for a name that it cannot have."""
        if hasattr(Parameters, name):
            raise ParameterError(
                f"a parameter group cannot be named {name!r}, which Parameters uses itself"
            )
        group.prefix = name
        self._groups[name] = group
        setattr(self, name, group)

    def names(self) -> list[str]:
        """Every dotted name, in order of declaration."""
        return [group.key(name) for group in self._groups.values() for name in group._parameters]

    def set(self, dotted: str, value: float | str) -> None:
        """Set one parameter by its dotted name, in its declared unit or as text with a unit."""
        group, name = self._find(dotted)
        group.set(**{name: value})

    __setitem__ = set

    def update(self, values: Mapping[str, float | str]) -> None:
        """Set several parameters by dotted name; all or none."""
        accepted = {
            dotted: self.parameter(dotted).accept(value, dotted) for dotted, value in values.items()
        }
        for dotted, value in accepted.items():
            self.set(dotted, value)

    def override(self, dotted: str, value: float | str, source: str) -> None:
        """Set one parameter together with the source that says so."""
        group, name = self._find(dotted)
        group.override(name, value, source)

    def parameter(self, dotted: str) -> Parameter:
        """The declaration behind a dotted name."""
        group, name = self._find(dotted)
        return group._parameter(name)

    def declared(self) -> dict[str, float | int]:
        """Dotted name -> declared value of every parameter."""
        return {
            group.key(name): group.value(name)
            for group in self._groups.values()
            for name in group._parameters
        }

    def changed(self) -> dict[str, float | int]:
        """Dotted name -> declared value of those that differ from their default."""
        return {
            group.key(name): value
            for group in self._groups.values()
            for name, value in group.changed().items()
        }

    def table(self) -> list[dict[str, Any]]:
        """The rows of every group, with dotted names."""
        return [row for group in self._groups.values() for row in group.table()]

    def copy(self) -> "Parameters":
        """An independent copy."""
        return Parameters({name: group.copy() for name, group in self._groups.items()})

    def _find(self, dotted: str) -> tuple[ParameterGroup, str]:
        group, _, name = str(dotted).partition(".")
        if group in self._groups and name in self._groups[group]._parameters:
            return self._groups[group], name
        same_end = [full for full in self.names() if full.endswith("." + (name or group))]
        if group in self._groups:
            hint = nearest(dotted, [full for full in self.names() if full.startswith(f"{group}.")])
        elif len(same_end) == 1:
            hint = nearest(same_end[0], same_end)
        else:
            hint = f": no group {quoted(group)}{nearest(group, self._groups)}"
        raise UnknownParameter(f"there is no parameter {quoted(dotted)}{hint}")


def resolve(number: Number, parameters: Parameters) -> float:
    """A number in inside units, from itself or from the dotted name of a parameter."""
    if isinstance(number, str):
        group, _, name = number.partition(".")
        return float(getattr(getattr(parameters, group), name))
    return float(number)
