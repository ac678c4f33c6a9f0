"""Reports: what was asked, done and found in a run or study, as one page that needs nothing else."""

import json
import shlex
from functools import cache
from pathlib import Path

import jinja2
import pandas as pd

from simulation.plots import style
from simulation.plots.arms import by_name
from simulation.results.files import write_atomically
from simulation.results.results import Results
from simulation.words import name_words

from ..runs import command_line
from ..runs.folder import RunError, RunFolder
from ..scenarios.own_code import named, only_read
from ..scenarios.scenario import Scenario
from ..studies.archive import PLAN, Archive, Tables
from ..studies.stored import study as stored_study
from ..studies.study import Findings, Study
from ..studies.sweep.pictures import varying
from . import design, pictures
from . import tables as printed

REPORT = "report.html"
JUDGED = ("patients", "scans", "responses", "progression")
"""Tables of a trial with a row per patient, which a report does not print."""
MOST_MESSAGES = 10


def write(folder: str | Path, findings: Findings | None = None) -> Path:
    """Write ``report.html`` into the folder of a finished run or study and return its path; see :func:`study_report`."""
    folder = Path(folder)
    of_study = (folder / PLAN).is_file()
    page = study_report(folder, findings) if of_study else run_report(folder)
    try:
        if of_study:
            Archive(folder).enter([REPORT])
        write_atomically(folder / REPORT, page)
        if not of_study:
            RunFolder(folder).renew([REPORT])
    except OSError as error:
        raise RunError(
            f"cannot write the report into {folder}: {error.strerror or error}"
        ) from None
    return folder / REPORT


def run_report(folder: str | Path) -> str:
    """The report of a finished run as HTML; the same folder gives the same bytes. Raises RunError or ResultsError."""
    folder = Path(folder)
    record = RunFolder(folder).record()
    with only_read(record["plan"].get("treatments", {})):
        return _run_page(folder, record)


def _run_page(folder: Path, record: dict) -> str:
    arms = by_name(Results.load(folder))
    name = record["scenario"]["name"]
    scenario = Scenario.from_content(
        record["scenario"]["in_force"], name=name, file=str(folder / "run.json")
    )
    options = record["plan"].get("options", {})
    again = command_of(name, options)
    command = record["command"] or again
    typed = scenario_in(command if command.startswith("tumorlab run ") else again)
    facts = [
        *design.facts(scenario),
        ("Seed", str(record["seed"])),
        ("Computed", f"in {record['wall_seconds']:g} s on {record['machine']}"),
    ]
    return page(
        kind="run",
        name=name,
        question=record["question"],
        record=record,
        facts=facts,
        sentences=[(arm, record["arms"][arm]["outcome"]) for arm in arms if arm in record["arms"]],
        colors=style.arm_colors(arms),
        pictures=pictures.of_run(arms),
        tables=[printed.of_run(arms)],
        asks_for_more=seeds_sweep(record["question"], typed, options),
        arms=[design.arms(scenario, arms)],
        parameters=[design.changed([scenario])],
        papers=record["papers"],
        command=command,
        modules=named([scenario.content()]),
        text=record["scenario"]["text"] or as_json(scenario.content()),
        file=f"{name}.toml" if record["scenario"]["text"] else "the scenario as JSON",
        notes=record["notes"],
        failures=[],
        defaults=[scenario.parameters],
    )


def study_report(folder: str | Path, findings: Findings | None = None) -> str:
    """The report of a finished study as HTML; ``findings`` are its analysis, made again when none are given.

    Raises StudyError or ScenarioError for a folder that cannot be read.
    """
    archive = Archive(folder)
    record, plan, tables = archive.record(), archive.plan() or {}, archive.tables()
    with only_read(plan.get("treatments", {})):
        return _study_page(stored_study(Path(folder)), record, plan, tables, findings)


def _study_page(
    study: Study, record: dict, plan: dict, tables: Tables, findings: Findings | None
) -> str:
    failed = tables["runs"].query("status == 'failed'")
    if findings is None:
        findings = (
            study.analyse(tables)
            if len(failed) < len(tables["runs"])
            else Findings(sentences=["Every run failed."])
        )
    scenarios, units = study.in_force, study.units
    found, varied = [], dict.fromkeys(getattr(study, "vary", ()), study.varied)
    if "outcomes" in tables:
        outcomes = judged(tables["outcomes"], findings)
        found = [printed.of_study(outcomes, varying(outcomes, list(units)), study.replicate, units)]
    facts = [fact for scenario in scenarios for fact in design.facts(scenario)]
    messages = [
        f"{message} ({number} runs)" if number > 1 else message
        for message, number in failed["message"].value_counts(sort=False).items()
    ]
    return page(
        kind=record["kind"],
        name=record["name"],
        question=record["question"],
        record=record,
        facts=[*facts, *study_facts(study, record, tables)],
        sentences=[("", sentence) for sentence in findings.sentences],
        colors={},
        pictures=pictures.of_study(findings.figures),
        tables=found + printed.of_findings(findings.tables, JUDGED),
        asks_for_more="",
        arms=[
            design.arms(scenario, named=len(scenarios) > 1, varied=varied) for scenario in scenarios
        ],
        parameters=[
            *(printed.of_design(*told) for told in study.described().items()),
            design.changed(scenarios, varied),
        ],
        papers=design.papers(scenarios),
        command=record["command"]
        or shlex.join(["tumorlab", record["kind"], f"{record['name']}.toml"]),
        modules=named(scenario.content() for scenario in scenarios),
        text=plan.get("text") or as_json(plan.get("content", {})),
        file=f"{record['name']}.toml"
        if plan.get("text")
        else "the study as JSON (it was run from Python)",
        notes=record["notes"],
        failures=messages[:MOST_MESSAGES],
        defaults=list(dict.fromkeys(scenario.parameters for scenario in scenarios)),
    )


def judged(outcomes: pd.DataFrame, findings: Findings) -> pd.DataFrame:
    """The outcomes of the patients that were enrolled; all where nobody was, and in a sweep."""
    patients = findings.tables.get("patients")
    if patients is None or "enrolled" not in patients or not patients["enrolled"].any():
        return outcomes
    return outcomes[outcomes["patient"].isin(patients.loc[patients["enrolled"], "patient"])]


def page(**content: object) -> str:
    """The page made of its parts; every text in it is escaped."""
    return _template().render(**content)


@cache
def _template() -> jinja2.Template:
    """The template beside this file."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["words"] = name_words
    return environment.get_template("report.html.j2")


def study_facts(study: Study, record: dict, tables: dict) -> list[tuple[str, str]]:
    """What was run of a study: term and text."""
    failed = f", of which {record['failed']:,} failed" if record["failed"] else ""
    return [
        *study.facts(tables),
        ("Runs", f"{record['runs']:,}{failed}"),
        ("Computed", f"in {record['wall_seconds']:g} s"),
    ]


def command_of(name: str, options: dict) -> str:
    """The command that repeats a run which was not begun by one."""
    typed = {name: options.get(name) for name in ("days", "seed")} | {
        "arms": ",".join(options.get("arms") or ()) or None,
        "set": [f"{name}={value}" for name, value in (options.get("set") or {}).items()],
    }
    return shlex.join(
        [
            "tumorlab",
            "run",
            name if name in Scenario.names() else f"{name}.toml",
            *command_line.given(typed),
        ]
    )


def scenario_in(command: str) -> str:
    """The scenario that a command runs, as it was typed."""
    return shlex.split(command)[2]


def seeds_sweep(question: str, scenario: str, options: dict) -> str:
    """A sweep file that runs the same scenario with ten seeds."""
    named = {
        "question": question,
        "scenario": scenario,
        "seeds": 10,
        "days": options.get("days"),
        "arms": options.get("arms"),
    }
    lines = [f"{name} = {as_json(value)}" for name, value in named.items() if value]
    lines += (
        ["[set]", *(f'"{name}" = {as_json(value)}' for name, value in options["set"].items())]
        if options.get("set")
        else []
    )
    return "\n".join(lines)


def as_json(content: dict) -> str:
    """A table as the page reads it."""
    return json.dumps(content, ensure_ascii=False)
