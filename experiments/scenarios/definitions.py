"""Treatments and kinds of cells that a scenario defines in tables, ``[drugs.NAME]`` and ``[cell_kinds.NAME]``."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from simulation.errors import TumorLabError
from simulation.kinds.kind import CellKind, Number
from simulation.kinds.table import NUMBERS, OF_TRAIT, kind_from_table
from simulation.parameters.parameter import Parameters
from simulation.parameters.units import UNITS
from simulation.rules import unit_of
from simulation.treatments import Treatment
from simulation.treatments.table import treatment_from_table

from .toml_tables import ScenarioError

OWN = ("drugs", "cell_kinds")
Made = TypeVar("Made")


def own_drugs(content: dict, file: str) -> dict[str, type[Treatment]]:
    """The treatments that the content of a scenario defines, by name; raises ScenarioError."""
    return _made(content, "drugs", file, treatment_from_table)


def own_kinds(content: dict, file: str) -> list[CellKind]:
    """The kinds of cells that the content of a scenario defines; raises ScenarioError."""
    return [*_made(content, "cell_kinds", file, kind_from_table).values()]


def check_kinds(kinds: Iterable[CellKind], parameters: Parameters, file: str) -> None:
    """Raises ScenarioError for a kind that takes a number from a parameter that there is not, or that measures something else."""
    for kind in kinds:
        for key, number, unit in _numbers(kind):
            try:
                measured = parameters.parameter(number).unit if isinstance(number, str) else unit
            except TumorLabError as error:
                where = f"cell_kinds.{kind.name}.{key}"
                raise ScenarioError.of(error, file=file, key=where) from None
            if UNITS[measured].dimension != UNITS[unit].dimension:
                raise ScenarioError(
                    f"{number} is not allowed: {measured} does not convert to {unit}",
                    file=file,
                    key=f"cell_kinds.{kind.name}.{key}",
                )


def _numbers(kind: CellKind) -> Iterator[tuple[str, Number | None, str]]:
    """Every number that a kind declares: its key, itself, and the unit of what it stands for."""
    for rule, number in kind.rates.items():
        yield f"rates.{rule}", number, unit_of(rule)
    for name, unit in NUMBERS.items():
        yield name, getattr(kind, name), unit
    for trait in kind.traits:
        for name in OF_TRAIT:
            yield f"traits.{trait.name}.{name}", getattr(trait, name), "1"


def _made(content: dict, key: str, file: str, make: Callable[..., Made]) -> dict[str, Made]:
    """What the tables under a key define; where there are no tables the shape of the file is checked elsewhere."""
    tables, found = content.get(key), {}
    kinds = content.get("cell_kinds")
    for name, table in tables.items() if isinstance(tables, dict) else ():
        if isinstance(table, dict):
            try:
                found[name] = make(name, table, kinds if isinstance(kinds, dict) else ())
            except TumorLabError as error:
                raise ScenarioError.of(error, file=file, key=f"{key}.{name}") from None
    return found
