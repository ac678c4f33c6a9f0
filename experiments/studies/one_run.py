"""One run of a sweep: a point of the design from one seed, every arm, as tables."""

import threading
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import pandas as pd
from pydantic import Field

from simulation.model import TumorModel
from simulation.parameters.parameter import Parameter
from simulation.readouts import spatial
from simulation.results.results import Results

from ..runs import outcomes
from ..scenarios.arms import advance, begun, grown, tumor_key
from ..scenarios.scenario import OF_TREATMENT, Scenario
from ..scenarios.toml_tables import Table
from .archive import Tables

_last = threading.local()


class Record(Table):
    """What is kept of each run."""

    every: float = Field(
        1.0, ge=0.25, description="days between rows of the time series, at least 0.25"
    )
    tissue: list[float] = Field([], description="a list of days on which the tissue is measured")


def run_one(parameters: dict[str, Any], seed: int) -> Tables:
    """Every arm of one scenario from one seed, as tables: a pure function of its arguments.

    ``parameters``: ``scenario`` (the content of a scenario file), ``set`` (dotted name -> value) and ``record``: ``every``,
    days between rows of the time series, and ``tissue``, days on which the tissue is measured. Returns ``outcomes`` (a row per
    arm), ``timeseries`` (a row per arm and day) and, where asked for, ``tissue``. Raises ValueError for what cannot be run.
    """
    scenario = Scenario.from_content(parameters["scenario"]).with_options(
        seed=seed, set=parameters.get("set"), typed=False
    )
    record = Record(**parameters.get("record", {}))
    tumor, arms, tissue = tumor_of(scenario), {}, []
    for arm, plan in scenario.arms.items():
        untreated = plan.start == "fork" and not plan.treatments
        key = f"{arm} {scenario.days} {record}" if untreated else ""
        taken = tumor.untreated.get(key) or course(scenario, arm, tumor, record)
        if untreated:
            tumor.untreated[key] = taken
        arms[arm] = taken.results
        tissue += taken.tissue
    series = [results.timeseries for results in arms.values()]
    kept = [
        rows[(rows["day"] % record.every < 1e-9) | (rows.index == len(rows) - 1)] for rows in series
    ]
    tables = {
        "outcomes": pd.DataFrame(
            [outcomes.numbers(results, arms["control"]) for results in arms.values()]
        ),
        "timeseries": pd.concat(kept, ignore_index=True),
    }
    return tables | ({"tissue": pd.DataFrame(tissue)} if tissue else {})


class Course(NamedTuple):
    """An arm to its last day: its results, and a row for each day on which its tissue was measured."""

    results: Results
    tissue: list[dict[str, Any]]


class Tumor(NamedTuple):
    """A tumour at day 0, grown when it is first asked for, and its futures without treatment, by arm and what is recorded."""

    key: str
    common: Callable[[], TumorModel]
    untreated: dict[str, Course]


def tumor_of(scenario: Scenario) -> Tumor:
    """The tumour of a scenario; of the last one this thread keeps what does not depend on treatments: doses share it."""
    key = tumor_key(scenario)
    if getattr(_last, "tumor", None) is None or _last.tumor.key != key:
        _last.tumor = Tumor(key, cache(lambda: grown(scenario)), {})
    return _last.tumor


def course(scenario: Scenario, arm: str, tumor: Tumor, record: Record) -> Course:
    """Run an arm to its last day."""
    model, tissue = begun(scenario, arm, tumor.common), []
    for day in [*sorted({day for day in record.tissue if day < scenario.days}), scenario.days]:
        advance(model, scenario, day, snapshot_every=0)
        if day in record.tissue:
            tissue.append({"arm": arm, "day": model.day} | spatial.readouts(model.snapshot()))
    return Course(model.results, tissue)


def asked_of(scenario: Scenario) -> dict[str, Any]:
    """The content of a scenario without what does not change its cells, so that the same run has the same key."""
    return {key: value for key, value in scenario.content().items() if key != "seed"} | {
        "question": "one run"
    }


def declared(scenario: Scenario, name: str) -> Parameter | None:
    """The declaration behind a dotted name, None for a part of a schedule; raises ValueError with the nearest name."""
    found = OF_TREATMENT.fullmatch(name)
    if not found:
        return scenario.model_parameters().parameter(name)
    built = [treatment for arm in scenario.arms for treatment in scenario.build_treatments(arm)]
    treatment = next((one for one in built if one.name == found[1]), None)
    if treatment is None:
        scenario.with_options(set={name: 0}, typed=False)  # raises with the names there are
    return None if found[2] or treatment is None else treatment._parameter(found[3])
