"""Treatments and kinds of cells that a scenario defines in tables, ``[drugs.NAME]`` and ``[cell_kinds.NAME]``."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from simulation.errors import TumorLabError
from simulation.kinds.kind import CellKind
from simulation.kinds.registry import Kinds
from simulation.kinds.shipped import KINDS, RECOGNITIONS
from simulation.kinds.table import kind_from_table
from simulation.parameters.parameter import Parameters
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
    """Raises ScenarioError for kinds that name parameters, or columns of results, which cannot be theirs."""
    for number, kind in enumerate(kinds := [*kinds]):
        try:
            among = Kinds([*KINDS, *kinds[: number + 1]], [*RECOGNITIONS])
            among.baseline(parameters)
            for attribute in ("capacity", "pdl1_induced", "initial_density"):
                among.numbers(attribute, parameters)
        except TumorLabError as error:
            raise ScenarioError.of(error, file=file, key=f"cell_kinds.{kind.name}") from None


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
