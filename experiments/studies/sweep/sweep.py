"""Sweeps: scenarios run over a design of parameter values, with the same seeds at every point."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import pandas as pd
from pydantic import BeforeValidator, Field

from experiments.runs.outcomes import OUTCOMES, outcomes_of
from experiments.scenarios.file_kinds import file_kind
from experiments.scenarios.scenario import DOTTED, OF_TREATMENT, Grow, Scenario
from experiments.scenarios.toml_tables import Overrides, ScenarioError
from experiments.words import unit_words
from simulation import parameter_sets
from simulation.errors import TumorLabError
from simulation.parameters.given import several
from simulation.treatments.schedule import Schedule

from ..archive import Run, StudyError, Tables
from ..designs import DESIGNS, Axis, DesignError, points
from ..executors import Submits
from ..one_run import Record, asked_of, declared, run_one
from ..runner import Progress, Summary, complete
from ..study import SHIPPED, Findings, Study
from ..surface import grid, shams
from .file import Precision, Schedules, Sensitivity, Surface, Vary, axis_table
from .sentences import told

MOST_RUNS = 1_000_000


def _arms(names: object) -> object:
    return [names] if isinstance(names, str) else names


@file_kind("sweep", SHIPPED)
class Sweep(Study):
    """Scenarios over a design of parameter values; every point is run with the same seeds."""

    kind: ClassVar[str] = "sweep"
    grows: ClassVar[tuple[str, ...]] = (
        "question",
        "seeds",
        "precision",
        "sensitivity",
        "surface",
        "schedules",
    )

    scenario: Annotated[list[str], BeforeValidator(several)] = Field(
        min_length=1,
        description="the name of a scenario, the path of a TOML file, or a list of these",
    )
    arms: Annotated[list[str] | None, BeforeValidator(_arms)] = Field(
        None, min_length=1, description="a list of arms; the control is always run"
    )
    days: float | None = Field(
        None, gt=0, le=3650, description="a number of days above 0 and at most 3650"
    )
    shape: list[int] | None = Field(
        None, min_length=2, max_length=3, description="two or three whole numbers of sites"
    )
    grow: Grow | None = Field(None, description="a table with cells, max_days, immune_cells")
    seeds: int = Field(
        10, ge=1, le=1_000_000, description="a whole number of seeds from 1 to 1000000"
    )
    first_seed: int = Field(1, ge=0, lt=2**62, description="a whole number from 0 to 2^62 - 1")
    design: Literal["grid", "latin_hypercube", "sobol", "morris", "saltelli"] = Field(
        "grid", description=" or ".join(f'"{design}"' for design in DESIGNS)
    )
    samples: int = Field(64, ge=1, description="a whole number of at least 1")
    design_seed: int = Field(1, ge=0, lt=2**32, description="a whole number from 0 to 2^32 - 1")
    vary: dict[str, Annotated[Vary, BeforeValidator(axis_table)]] = Field(
        {}, description="values or ranges by dotted name"
    )
    set: Overrides = Field({}, description=DOTTED)
    record: Record = Field(Record(), description="a table with every and tissue")
    precision: Precision | None = Field(
        None, description="a table with arm, quantity, width, pilot"
    )
    sensitivity: Sensitivity | None = Field(None, description="a table with arm and quantities")
    surface: Surface | None = Field(
        None, description="a table with arm, x, y, quantity, level, sham"
    )
    schedules: Schedules | None = Field(None, description="a table with arm and quantity")

    @property
    def function(self) -> Callable[[dict[str, Any], int], Tables]:
        return run_one

    @cached_property
    def scenarios(self) -> dict[str, Scenario]:
        """The scenarios by name, as this sweep changes them; raises StudyError."""
        found = {}
        for word in self.scenario:
            scenario = self.scenario_called(word)
            try:
                content = scenario.content()
                content |= {
                    key: value
                    for key in ("days", "shape")
                    if (value := getattr(self, key)) is not None
                }
                content |= {"grow": self.grow.model_dump()} if self.grow else {}
                content["set"] = content.get("set", {}) | self.set
                changed = Scenario.from_content(content, name=scenario.name, file=scenario.name)
                found[scenario.name] = changed.with_options(arms=self.arms, typed=False)
            except ScenarioError as error:
                raise StudyError.of(error, file=self.file) from None
        if len(found) < len(self.scenario):
            raise StudyError(
                f"two of {', '.join(self.scenario)} have the same name",
                file=self.file,
                key="scenario",
            )
        return found

    @property
    def memory(self) -> int:
        return max(scenario.memory for scenario in self.scenarios.values())

    @cached_property
    def axes(self) -> list[Axis]:
        """The swept parameters with unit and meaning; raises StudyError for a name or value that no scenario takes."""
        return [self._checked_axis(name, vary) for name, vary in self.vary.items()]

    def _checked_axis(self, name: str, vary: Vary) -> Axis:
        if name in self.set:
            raise self.refused(
                name, StudyError("it is also under [set]; a parameter is either set or varied")
            )
        try:
            parameter = next(declared(scenario, name) for scenario in self.scenarios.values())
            given = vary.model_dump(exclude_none=True)
            if parameter:
                if given.keys() <= {"scale", "steps"}:
                    given |= {"low": parameter.low, "high": parameter.high}
                for key in ("low", "high"):
                    given |= {key: parameter.accept(given[key], key)} if key in given else {}
                given |= (
                    {"values": [parameter.accept(value, name) for value in vary.values]}
                    if vary.values
                    else {}
                )
                about: dict[str, Any] = {
                    "integer": parameter.integer,
                    "unit": parameter.unit,
                    "meaning": parameter.meaning,
                }
            else:
                about = {"meaning": "schedule"}
                if vary.values is None:
                    raise StudyError("a part of a schedule varies over a list of values")
                given["values"] = of_one_type(name.split(".")[-1], vary.values)
            axis = Axis(name, **given, **about)
            for scenario in self.scenarios.values():
                for value in axis.values or (axis.low, axis.high):
                    scenario.with_options(set={name: value}, typed=False)
        except DesignError as error:
            raise StudyError.of(error, file=self.file) from None
        except TumorLabError as error:
            raise self.refused(name, error) from None
        return axis

    def check(self) -> None:
        """What the shape of the file cannot tell; raises StudyError."""
        design = self._points
        kinds = [kind for each in self.scenarios.values() for kind in each.known_kinds()]
        choices = [*OUTCOMES, *(name for kind in kinds for name in outcomes_of(kind))][1:]
        for key in ("precision", "sensitivity", "surface", "schedules"):
            if asked := getattr(self, key):
                for name, scenario in self.scenarios.items():
                    if asked.arm not in scenario.arms:
                        raise StudyError(
                            f"{key}.arm = {asked.arm!r}: {name} has no such arm "
                            f"(choices: {', '.join(scenario.arms)})",
                            file=self.file,
                            key=f"{key}.arm",
                        )
                for quantity in asked.quantities if key == "sensitivity" else [asked.quantity]:
                    if quantity not in choices:
                        raise StudyError(
                            f"there is no outcome {quantity!r} (choices: {', '.join(choices)})",
                            file=self.file,
                            key=key,
                        )
        liquid = [
            name
            for name, scenario in self.scenarios.items()
            if parameter_sets.find(scenario.parameters).liquid
        ]
        if self.record.tissue and liquid:
            raise StudyError(
                f"{liquid[0]} is a liquid, which has no neighbourhood; leave it out",
                file=self.file,
                key="record.tissue",
            )
        for name, scenario in self.scenarios.items():
            if outside := [day for day in self.record.tissue if not 0 <= day <= scenario.days]:
                raise StudyError(
                    f"day {outside[0]:g} is not allowed; {name} has days 0 to {scenario.days:g}",
                    file=self.file,
                    key="record.tissue",
                )
        if (self.design in ("morris", "saltelli")) != (self.sensitivity is not None):
            raise StudyError(
                'design = "morris" or "saltelli" and a table [sensitivity] go together',
                file=self.file,
                key="design",
            )
        if surface := self.surface:
            try:
                grid.check(
                    pd.DataFrame(design),
                    x=surface.x,
                    y=surface.y,
                    quantity=surface.quantity,
                    sham=surface.sham,
                )
                design = design + [point for _, point in self._shams]
            except (StudyError, ScenarioError) as error:
                raise StudyError.of(error, file=self.file) from None
        if (self.sensitivity or self.surface or self.schedules) and len(self.scenario) > 1:
            raise StudyError(
                f"this analysis is of one scenario; {len(self.scenario)} are given", file=self.file
            )
        if (count := len(design) * self.seeds * len(self.scenario)) > MOST_RUNS:
            raise StudyError(
                f"{count:,} runs are asked for; at most {MOST_RUNS:,} are allowed", file=self.file
            )

    @cached_property
    def _points(self) -> list[dict[str, Any]]:
        if not self.vary:
            return [{}]
        try:
            return points(self.design, self.axes, self.samples, self.design_seed)
        except DesignError as error:
            raise StudyError.of(error, file=self.file) from None

    def runs(self) -> list[Run]:
        self.check()
        record = self.record.model_dump()
        contents = {name: asked_of(scenario) for name, scenario in self.scenarios.items()}
        once = dict.fromkeys([axis.name for axis in self.copies], 0)
        asked = [
            (name, number, {"scenario": content, "set": point}, point | once)
            for name, content in contents.items()
            for number, point in enumerate(self._points)
        ]
        asked += [
            (next(iter(contents)), len(self._points) + number, parameters, point)
            for number, (parameters, point) in enumerate(self._shams)
        ]
        return [
            Run(
                "run_one",
                parameters | {"record": record},
                seed,
                {"scenario": name, "point": number} | labels,
            )
            for name, number, parameters, labels in asked
            for seed in range(self.first_seed, self.first_seed + self.seeds)
        ]

    @property
    def copies(self) -> list[Axis]:
        """The doses of the copies with which a surface combines each of its drugs, as axes; none without shams."""
        asked = self.surface
        own = [
            axis for axis in self.axes if asked and asked.sham and axis.name in (asked.x, asked.y)
        ]
        return [replace(axis, name=grid.again(axis.name)) for axis in own]

    @cached_property
    def _shams(self) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        """What a run with a drug and its copy is called with, and its point; raises StudyError or ScenarioError."""
        if not (asked := self.surface) or not asked.sham:
            return []
        scenario = next(iter(self.scenarios.values()))
        return [
            ({"scenario": asked_of(twice), "set": values}, point)
            for point in shams.points(self._points, asked.x, asked.y)
            for twice, values in [shams.twice(scenario, asked.arm, point, asked.x, asked.y)]
        ]

    @property
    def _of_tumor(self) -> list[str]:
        """The labels that tell one tumour from another of the same seed."""
        return ["scenario", *(name for name in self.vary if not OF_TREATMENT.fullmatch(name))]

    def order(self, runs: list[Run]) -> list[Run]:
        """Runs of one tumour follow each other, since they share its growth and its untreated arm."""
        places: dict[tuple[Any, ...], int] = {}

        def place(run: Run) -> tuple[int, int]:
            tumor = tuple(str(run.labels[name]) for name in self._of_tumor)
            return places.setdefault(tumor, len(places)), run.seed

        return sorted(runs, key=place)

    def pilot(self, runs: list[Run]) -> list[Run]:
        """The first seeds of the first, middle and last point: they belong to the design, so they cost nothing."""
        if not self.precision or self.seeds < self.precision.pilot:
            return []
        seeds, last = (
            range(self.first_seed, self.first_seed + self.precision.pilot),
            len(self._points) - 1,
        )
        return [
            run for run in runs if run.labels["point"] in (0, last // 2, last) and run.seed in seeds
        ]

    def forecast(self, pilot: Tables, runs: int) -> list[str]:
        from ..replicates import seeds_for_width

        if (wanted := self.precision) is None:
            return []
        values = (
            pilot["outcomes"]
            .query("arm == @wanted.arm")
            .groupby(["scenario", "point"])[wanted.quantity]
        )
        if (spread := values.std()).isna().all():
            return []
        name = f"{wanted.quantity} ({wanted.arm}), where it varies most"
        return [
            str(
                seeds_for_width(
                    values.get_group(spread.idxmax()), wanted.width, planned=self.seeds, name=name
                )
            )
        ]

    def notes(self, tables: Tables) -> list[str]:
        """Samples that fall on one point, treatments without a dose, and tumours that stayed smaller than asked."""
        found, several = [], len(self.scenarios) > 1
        if (
            self.vary
            and self.design in ("latin_hypercube", "sobol")
            and len(self._points) < self.samples
        ):
            found.append(
                f"the {self.samples} samples fall on {len(self._points)} different points; each was run once"
            )
        tumors = (
            tables["outcomes"].query("arm == 'control'").drop_duplicates([*self._of_tumor, "seed"])
        )
        for name, scenario in self.scenarios.items():
            told, cells = (
                scenario.undosed(self.vary),
                tumors.loc[tumors["scenario"] == name, "start_cells"],
            )
            if scenario.grow and (small := int((cells < scenario.grow.cells).sum())):
                told.append(
                    f"{small} of {len(cells)} tumours had fewer than {scenario.grow.cells} cells at day 0"
                )
            found += [f"{name}: {note}" for note in told] if several else told
        return found

    @property
    def in_force(self) -> list[Scenario]:
        return list(self.scenarios.values())

    @property
    def units(self) -> dict[str, str]:
        return {axis.name: axis.unit for axis in [*self.axes, *self.copies]}

    def facts(self, tables: Tables) -> list[tuple[str, str]]:
        points = len(
            tables["runs"].drop_duplicates(
                [name for name in ("scenario", "point") if name in tables["runs"]]
            )
        )
        last = self.first_seed + self.seeds - 1
        seeds = f"{self.first_seed} to {last}" if self.seeds > 1 else f"{last}"
        return [
            (
                "Design",
                f"{self.design.replace('_', ' ')}, {points:,} point{'s' if points > 1 else ''}",
            ),
            ("Seeds", f"{seeds}, the same at every point"),
        ]

    def described(self) -> dict[str, pd.DataFrame]:
        rows = [
            {
                "parameter": axis.name,
                "values": axis.words,
                "unit": unit_words(axis.unit),
                "meaning": axis.meaning,
            }
            for axis in [*self.axes, *self.copies]
        ]
        return {"Parameters that vary": pd.DataFrame(rows)} if rows else {}

    def analyse(self, tables: Tables) -> Findings:
        if asked := self.sensitivity:
            from ..sensitivity import analysis as sensitivity

            return sensitivity.analyse(
                tables["outcomes"],
                self.axes,
                self.design,
                self.samples,
                asked.quantities,
                asked.arm,
            )
        names, units = (
            [axis.name for axis in self.axes],
            {axis.name: axis.unit for axis in self.axes},
        )
        if surface := self.surface:
            from ..surface import analysis as surfaces

            return surfaces.analyse(
                tables["outcomes"],
                surface.x,
                surface.y,
                surface.arm,
                quantity=surface.quantity,
                level=surface.level,
                units=units,
                question=self.question,
            )
        if schedules := self.schedules:
            from ..schedules import ranking as regimens

            return regimens.analyse(
                tables["outcomes"],
                names,
                schedules.arm,
                quantity=schedules.quantity,
                units=units,
                scenario=next(iter(self.scenarios.values())),
                question=self.question,
            )
        from . import pictures as sweeps

        return Findings(
            figures=sweeps.figures(tables, names, units, self.question),
            sentences=told(tables["outcomes"], sweeps.varying(tables["outcomes"], names), units),
        )


def of_one_type(part: str, values: list[Any]) -> list[Any]:
    """The values of a part of a schedule, durations as texts where texts and numbers of days are mixed; raises StudyError."""
    mixed = len({isinstance(value, str) for value in values}) > 1
    if part in ("every", "rest", "first"):
        texts = [getattr(Schedule(**{part: value}), part) for value in values]
        if twice := [
            value for value, text in zip(values, texts, strict=True) if texts.count(text) > 1
        ]:
            raise StudyError(
                f"{' and '.join(map(repr, twice[:2]))} are the same; each value may stand there once"
            )
        return texts if mixed else values
    if mixed:
        raise StudyError(
            f"{values} mixes texts and numbers; give numbers only, and for ever as one that outlasts the run"
        )
    return values


def run_sweep(
    scenario: str | Sequence[str],
    vary: Mapping[str, object],
    *,
    out: str | Path,
    workers: int = 1,
    question: str = "What changes when these parameters change?",
    on_progress: Progress | None = None,
    executor: Submits | None = None,
    retry_failed: bool = False,
    **keys: object,
) -> Summary:
    """Run scenarios over a design and return its tables, figures and sentences; what is in ``out`` already is not run again.

    ``vary``: dotted name -> a list of values, a tuple (low, high), or a table as in a sweep file. ``keys`` are the other keys
    of a sweep file: ``design``, ``samples``, ``seeds``, ``arms``, ``days``, ``shape``, ``set``... Raises StudyError.
    """
    tables = {
        name: {"low": how[0], "high": how[1]} if isinstance(how, tuple) and len(how) == 2 else how
        for name, how in dict(vary).items()
    }
    asked = {"question": question, "scenario": several(scenario), "vary": tables}
    study = Sweep.from_content(asked | keys, name="sweep", file="sweep")
    return complete(
        study,
        out,
        workers=workers,
        executor=executor,
        on_progress=on_progress,
        retry_failed=retry_failed,
    )
