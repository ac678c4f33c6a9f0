"""What there is to run and to give: scenarios, studies, treatments, parameter sets, each in one line or in full."""

from dataclasses import dataclass, field
from pathlib import Path

from simulation import CellKind, parameter_sets, treatments
from simulation.kinds import catalogue
from simulation.parameters.bibliography import BIBLIOGRAPHY
from simulation.parameters.given import quoted
from simulation.parameters.parameter import nearest
from simulation.plug_ins import at, class_path
from simulation.treatments.stand_in import StandIn
from simulation.words import kind_words

from ..scenarios.file_kinds import kind_of
from ..scenarios.own_code import only_named
from ..scenarios.scenario import PlugIns, Scenario
from ..scenarios.toml_tables import ScenarioError, read_toml
from ..studies.kinds import STUDIES
from ..studies.study import SHIPPED, Study


@dataclass
class Entry:
    """One thing in full: its kind, what it is, lines of facts, and rows of parameters."""

    name: str
    kind: str
    meaning: str
    facts: list[str] = field(default_factory=list)
    rows: list[dict] = field(default_factory=list)

    def references(self) -> list[str]:
        """The papers behind the rows, in full."""
        sources = [source.strip() for row in self.rows for source in row["source"].split(";")]
        return [
            f"{key}: {reference}"
            for key, reference in BIBLIOGRAPHY.items()
            if any(source == key or source.startswith(f"{key}:") for source in sources)
        ]


def overview() -> dict[str, dict[str, str]]:
    """Heading -> name -> one line, for everything that ships."""
    kinds = {name: catalogue.named(name, CellKind).meaning for name in catalogue.names(CellKind)}
    return {
        "Scenarios": {name: Scenario.load(name).question for name in Scenario.names()},
        "Studies": {
            name: read_toml(SHIPPED / f"{name}.toml", name)[0]["question"] for name in Study.names()
        },
        "Treatments": {name: treatments.find(name).describe() for name in treatments.names()},
        "Parameter sets": {
            name: parameter_sets.find(name).meaning for name in parameter_sets.names()
        },
    } | ({"Kinds of cells": kinds} if kinds else {})


def entry(word: str, *, all_parameters: bool = False) -> Entry:
    """The scenario (name or path), treatment (name or module:Class) or parameter set called ``word``."""
    if word in catalogue.names(CellKind) or (":" in word and isinstance(_there(word), CellKind)):
        return _kind(word)
    if ":" in word or word in treatments.names():
        return _treatment(word)
    if word in parameter_sets.names():
        return _parameter_set(word)
    if word in Study.names():
        return _study(word, *read_toml(SHIPPED / f"{word}.toml", word))
    if word in Scenario.names() or word.endswith(".toml") or "/" in word:
        if (
            word not in Scenario.names()
            and kind_of((read := read_toml(Path(word), word))[0]) in STUDIES
        ):
            return _study(Path(word).stem, *read)
        with only_named():
            return _scenario(Scenario.load(word), all_parameters)
    names = [*Scenario.names(), *Study.names(), *treatments.names(), *parameter_sets.names()]
    raise ScenarioError(
        f"there is nothing called {quoted(word)}{nearest(word, names)}; tumorlab list shows what there is"
    )


def _study(name: str, content: dict, text: str) -> Entry:
    return Entry(
        name, "study", str(content.get("question", "no question is asked")), text.splitlines()
    )


def _regimen(treatment: treatments.Treatment) -> str:
    """A treatment of an arm; of one that does not ship only how to see more, since a scenario that is shown runs no code."""
    if isinstance(treatment, StandIn):
        return f"{treatment.name} (of your own: tumorlab show {class_path(type(treatment))})"
    return f"{treatment.name} ({treatment.schedule}, from day {treatment.value('first_dose'):g})"


def find_treatment(word: str) -> type[treatments.Treatment]:
    """A treatment by name, as module:Class, or as FILE.toml:NAME of one that a scenario defines; raises TumorLabError."""
    file, _, name = word.rpartition(":")
    if not file.endswith(".toml"):
        return treatments.find(word)
    with only_named():
        own = Scenario.load(file).own_drugs
    if name not in own:
        raise ScenarioError(
            f"it defines no drug {quoted(name)}{nearest(name, own)}", file=file, key="drugs"
        )
    return own[name]


def _treatment(word: str) -> Entry:
    found = find_treatment(word)
    treatment = treatments.build(found)
    return Entry(
        word,
        "treatment",
        found.describe(),
        [f"schedule: {treatment.schedule}"],
        treatment.table(f"treatments.{treatment.name}"),
    )


def _there(path: str) -> object:
    """What is called ``module:NAME``; nothing where it cannot be imported, which is told by whoever needs it."""
    try:
        return at(path)
    except (ImportError, AttributeError):
        return None


def _kind(word: str) -> Entry:
    kind = catalogue.named(word, CellKind)
    whom = {"engages": kind.engages, "is engaged by": kind.engaged_by}
    facts = [
        f"{verb}: {', '.join(map(kind_words, others))}" for verb, others in whom.items() if others
    ]
    facts += [f"process: {process.name}, after {process.after}" for process in kind.processes]
    rows = kind.parameters().table(kind.name) if kind.parameters else []
    return Entry(kind.name, "kind of cell", kind.meaning, facts, rows)


def _parameter_set(name: str) -> Entry:
    found = parameter_sets.find(name)
    facts = ["liquid: well mixed, no neighbourhood"] if found.liquid else []
    return Entry(name, "parameter set", found.meaning, facts, found.parameters().table())


def _named(table: PlugIns) -> list[str]:
    """The kinds and processes that a table names; of those of one's own how to see more."""
    return [
        f"{word}: "
        + ", ".join(
            f"{path} (of your own: tumorlab show {path})" if ":" in path and kinds else path
            for path in paths
        )
        for word, paths, kinds in (
            ("kinds of cells", table.kinds, True),
            ("processes", table.processes, False),
        )
        if paths
    ]


def _scenario(scenario: Scenario, all_parameters: bool) -> Entry:
    facts = [
        *(f"{word.lower()}: {line}" for word, line in scenario.lines.items()),
        f"parameters: {scenario.parameters}",
        f"lattice: {' x '.join(map(str, scenario.shape))} sites, {scenario.days:g} days, seed {scenario.seed}",
    ]
    if grow := scenario.grow:
        without = "" if grow.immune_cells else " without immune cells"
        facts.append(
            f"day 0: the tumour, grown{without}, has {grow.cells} cells ({grow.max_days:g} days at most)"
        )
    facts += [f"drug {name}: {drug.describe()}" for name, drug in scenario.own_drugs.items()]
    facts += [
        f"kind of cell {kind.name}: {(kind.agent.__doc__ or '').strip()}"
        for kind in scenario.own_kinds
    ]
    facts += _named(scenario)
    rows: dict[str, dict] = {}
    for name, arm in scenario.arms.items():
        given = scenario.build_treatments(name)
        own = [f"{dotted} = {value}" for dotted, value in arm.set.items()]
        regimens = [_regimen(one) for one in given]
        twin = ["a twin from the same seed"] if arm.start == "twin" else []
        told = [*twin, *_named(arm), *own, *regimens]
        facts.append(f"arm {name}: " + "; ".join(told or ["untreated"]))
        for treatment in given:
            if isinstance(treatment, StandIn):
                continue
            rows |= {row["name"]: row for row in treatment.table(f"treatments.{treatment.name}")}
    changed = set(scenario.overrides())
    table = [
        row
        for row in scenario.model_parameters().table()
        if all_parameters or row["name"] in changed
    ]
    if not all_parameters:
        facts.append(f"all other values: tumorlab show {scenario.parameters}, or --all")
    return Entry(scenario.name, "scenario", scenario.question, facts, table + list(rows.values()))
