"""What was done, in words and tables: the tissue, the arms and their regimens, what differs from default, the papers."""

from collections.abc import Container, Iterable, Mapping
from types import MappingProxyType

import pandas as pd

from simulation import CellKind, parameter_sets
from simulation.parameters.bibliography import references
from simulation.results.results import Results
from simulation.treatments import Treatment
from simulation.words import name_words, number_words

from ..scenarios.scenario import Regimen, Scenario
from ..words import OF_SCHEDULE, axis_words, listed, unit_words, value_words
from .tables import NO_VALUE, Table


def tissue(scenario: Scenario) -> str:
    """The lattice in sites and mm."""
    disease = parameter_sets.find(scenario.parameters)
    sites = " × ".join(map(str, scenario.shape))
    if disease.liquid:
        return f"a liquid of {sites} places, well mixed, without neighbourhood"
    sides = " × ".join(number_words(side * disease.spacing / 1000) for side in scenario.shape)
    return f"{sides} mm ({sites} sites of {disease.spacing:g} µm, a cell each, reflecting walls)"


def facts(scenario: Scenario) -> list[tuple[str, str]]:
    """The setting of a scenario: term and text."""
    found = [
        ("Scenario", scenario.name),
        ("Disease", f"{scenario.parameters}: {parameter_sets.find(scenario.parameters).meaning}"),
        ("Tissue", tissue(scenario)),
    ]
    if grow := scenario.grow:
        without = "" if grow.immune_cells else ", without immune cells"
        found.append(
            (
                "Day 0",
                f"the tumour, grown untreated{without}, has {grow.cells:,} cells "
                f"(or after {grow.max_days:g} days)",
            )
        )
    return [*found, ("Length", f"{scenario.days:g} days from day 0"), *defined(scenario)]


def defined(scenario: Scenario) -> list[tuple[str, str]]:
    """What a scenario defines in tables: each drug and each kind of cell with its numbers."""
    found = []
    for name, drug in scenario.own_drugs.items():
        numbers = [
            f"{axis_words(each)} {value_words(one.default, one.unit)}"
            for each, one in drug.parameters().items()
            if each != "first_dose"
        ]
        found.append(
            (f"Drug {name_words(name)}", f"{drug.describe()} {listed(numbers)}; {drug.schedule}")
        )
    for kind in scenario.own_kinds:
        rates = scenario.cell_kinds[kind.name].get("rates", {})
        told = [f"{name_words(rule)} {value_words(value)}" for rule, value in rates.items()]
        about = (kind.agent.__doc__ or "").strip()
        found.append((f"Kind of cell {kind.words}", " ".join(filter(None, [about, listed(told)]))))
    return found


def arms(
    scenario: Scenario,
    results: dict[str, Results] | None = None,
    named: bool = False,
    varied: Mapping[str, str] = MappingProxyType({}),
) -> Table:
    """The arms with what each is given; with results, also the doses that were; ``named`` where scenarios are several.

    ``varied``: parameter that differs from run to run -> how, such as swept; it has no value to be told.
    """
    rows = []
    for name, arm in scenario.arms.items():
        both = zip(arm.treatments, scenario.build_treatments(name), strict=True)
        own = [
            f"{dotted} = {value}"
            for dotted, value in arm.set.items()
            if not dotted.startswith("treatments.")
        ]
        start = (
            "grown on its own from the same seed" + (f", with {listed(own)}" if own else "")
            if arm.start == "twin"
            else "a fork of the common tumour"
        )
        joined = [kind.shown["words"] for kind in scenario.plug_ins(CellKind, name)]
        row = {
            "arm": name_words(name),
            "start": start + (f"; {listed(joined)} live in it" if joined else ""),
            "treatment": "; ".join(regimen(*pair, varied) for pair in both) or "untreated",
        }
        if results:
            row["doses given"] = doses(results[name]) if name in results else NO_VALUE
        rows.append(row)
    return Table(
        "Arms and their regimens" + (f": {scenario.name}" if named else ""),
        pd.DataFrame(rows),
        stacked=True,
    )


def regimen(asked: Regimen, treatment: Treatment, varied: Mapping[str, str]) -> str:
    """A treatment as a clinician would note it: drug, dose, schedule, first dose, and when it was given and stopped."""

    def how(*parts: str) -> str | None:
        return next(
            (
                varied[known]
                for part in parts
                if (known := f"treatments.{treatment.name}.{part}") in varied
            ),
            None,
        )

    drug = name_words(asked.drug.split(":")[-1])
    name = name_words(treatment.name)
    declared = treatment.parameters()
    dose = (
        f" {value_words(treatment.value('dose'), declared['dose'].unit)}"
        if "dose" in declared
        else ""
    )
    dose = f", {word} dose" if (word := how("dose")) else dose
    schedule = (
        f"{word} schedule"
        if (word := how(*(f"schedule.{part}" for part in OF_SCHEDULE)))
        else str(treatment.schedule)
    )
    day = (
        f"a {word} day"
        if (word := how("first_dose"))
        else f"day {treatment.value('first_dose') + asked.given:g}"
    )
    stopped = f", stopped on day {asked.stopped:g}" if asked.stopped is not None else ""
    return f"{name}{'' if name == drug else f' ({drug})'}{dose}, {schedule}, from {day}{stopped}"


def doses(results: Results) -> str:
    """How many doses of each treatment were given, and when."""
    told = []
    for treatment, rows in results.doses.groupby("treatment", sort=False):
        days = [number_words(day) for day in rows["day"]]
        when = f"day {listed(days)}" if len(days) <= 4 else f"day {days[0]} to {days[-1]}"
        told.append(f"{name_words(str(treatment))}: {len(days)} ({when})")
    return "; ".join(told) or "none"


def changed(scenarios: Iterable[Scenario], varied: Container[str] = ()) -> Table | None:
    """The parameters that differ from default, with unit, default, meaning and the source of the default.

    Those that are ``varied`` from run to run are left out.
    """
    rows: dict[tuple, dict] = {}
    several = len(scenarios := list(scenarios)) > 1
    for scenario in scenarios:
        disease = parameter_sets.find(scenario.parameters)
        for arm, declared in scenario.arms.items():
            usual = {
                row["name"]: row for row in disease.parameters(scenario.known_kinds(arm)).table()
            }
            where = "" if declared.start == "fork" else name_words(arm)
            where = " ".join(filter(None, [scenario.name if several else "", where]))
            for name, value in scenario.model_parameters(arm).declared().items():
                if value != usual[name]["value"] and name not in varied:
                    _enter(rows, usual[name], value, usual[name]["value"], where or "all")
            for treatment in scenario.build_treatments(arm):
                default = {
                    row["name"]: row
                    for row in type(treatment)(name=treatment.name).table(
                        f"treatments.{treatment.name}"
                    )
                }
                given = " ".join(filter(None, [scenario.name if several else "", name_words(arm)]))
                for name, value in treatment.changed().items():
                    row = default[f"treatments.{treatment.name}.{name}"]
                    if row["name"] not in varied:
                        _enter(rows, row, value, row["value"], given)
    if not rows:
        return None
    table = pd.DataFrame([row | {"arms": listed(row["arms"])} for row in rows.values()])
    if set(table["arms"]) == {"all"}:
        table = table.drop(columns="arms")
    return Table("Parameters that differ from default", table, stacked=True)


def _enter(rows: dict[tuple, dict], row: dict, value: float, default: float, where: str) -> None:
    """One line per name and value; an arm that shares it is added to it."""
    line = rows.setdefault(
        (row["name"], value),
        {
            "parameter": row["name"],
            "value": number_words(value),
            "unit": unit_words(row["unit"]) or NO_VALUE,
            "default": number_words(default),
            "meaning": row["meaning"],
            "source of the default": row["source"],
            "arms": [],
        },
    )
    if where not in line["arms"]:
        line["arms"].append(where)


def papers(scenarios: Iterable[Scenario]) -> list[str]:
    """The papers behind the parameters and treatments of scenarios, each once, in alphabetical order."""
    sources = []
    for scenario in scenarios:
        for arm in scenario.arms:
            groups = [
                *scenario.model_parameters(arm).groups().values(),
                *scenario.build_treatments(arm),
            ]
            sources += [row["source"] for group in groups for row in group.table()]
    return references(sources)
