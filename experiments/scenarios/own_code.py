"""Code of a user's own that scenarios name: described when a folder is written, so that reading it runs no code."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from functools import cache

from simulation import CellKind, Process, Treatment, plug_ins, treatments
from simulation.kinds import catalogue
from simulation.kinds import stand_in as kinds
from simulation.treatments import stand_in as drugs


def named(scenarios: Iterable[dict]) -> list[str]:
    """The treatments, kinds and processes, as module:NAME, that scenarios name and that do not ship."""
    return list(_own(scenarios))


def of_tumors(content: dict, arm: str | None = None) -> list[str]:
    """The kinds and processes that do not ship and that the tumour of a scenario, or of one of its arms, has at day 0."""
    tables = [content] + ([] if arm is None else [content["arms"][arm]])
    return named([{key: table.get(key, []) for key in ("kinds", "processes")} for table in tables])


def descriptions(scenarios: Iterable[dict]) -> dict[str, dict]:
    """What can be read about the code that scenarios name and that does not ship, as JSON holds it."""
    return {
        path: drugs.description(treatments.find(path))
        if sort is Treatment
        else kinds.description(catalogue.named(path, sort))
        for path, sort in _own(scenarios).items()
    }


def only_read(described: Mapping[str, dict]) -> AbstractContextManager[None]:
    """Within it no code is imported that does not ship, and what is of one's own is what is described of it."""
    return plug_ins.only_read(
        cache(
            lambda path, sort: _stand_in(path, sort, described[path]) if path in described else None
        )
    )


def only_named() -> AbstractContextManager[None]:
    """Within it no code is imported that does not ship, and what is of one's own is no more than its name."""
    return plug_ins.only_read(cache(_stand_in))


def _stand_in(path: str, sort: type, about: dict | None = None) -> object:
    return (
        kinds.stand_in(path, sort, about)
        if sort in (CellKind, Process)
        else drugs.stand_in(path, about)
    )


def _own(scenarios: Iterable[dict]) -> dict[str, type]:
    """What scenarios name as module:NAME and does not ship, and what it should be."""
    return {
        path: sort
        for content in scenarios
        for path, sort in _paths(content)
        if ":" in path and not plug_ins.ships(path)
    }


def _paths(content: dict) -> Iterator[tuple[str, type]]:
    arms = content.get("arms", {}).values()
    for arm in arms:
        for regimen in arm.get("treatments", []):
            yield str(regimen.get("drug", "")), Treatment
    for table in (content, *arms):
        for kind in table.get("kinds", []):
            yield str(kind), CellKind
        for process in table.get("processes", []):
            yield str(process), Process
