"""Treatments of a user's own in what a folder holds: described when it is written, so that reading it runs no code."""

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager

from simulation import plug_ins, treatments
from simulation.treatments.stand_in import description, stand_in


def named(scenarios: Iterable[dict]) -> list[str]:
    """The treatments, as module:Class, that the contents of scenarios name and that do not ship."""
    drugs = [
        str(regimen.get("drug", ""))
        for scenario in scenarios
        for arm in scenario.get("arms", {}).values()
        for regimen in arm.get("treatments", [])
    ]
    return [drug for drug in dict.fromkeys(drugs) if ":" in drug and not plug_ins.ships(drug)]


def descriptions(scenarios: Iterable[dict]) -> dict[str, dict]:
    """What can be read about the treatments that scenarios name and that do not ship, as JSON holds it."""
    return {drug: description(treatments.find(drug)) for drug in named(scenarios)}


def only_read(described: Mapping[str, dict]) -> AbstractContextManager[None]:
    """Within it no code is imported that does not ship, and treatments of one's own are what is described of them."""
    return plug_ins.only_read(
        {drug: stand_in(drug, about) for drug, about in described.items()}.get
    )


def only_named() -> AbstractContextManager[None]:
    """Within it no code is imported that does not ship, and treatments of one's own are no more than their names."""
    return plug_ins.only_read(stand_in)
