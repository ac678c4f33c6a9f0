"""Virtual trials: a cohort of virtual patients, each grown once and forked into every arm, judged as a clinic would."""

import math
from collections.abc import Callable
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal

import pandas as pd
from pydantic import BeforeValidator, Field

from experiments.scenarios.file_kinds import file_kind
from experiments.scenarios.scenario import DOTTED, Grow, Scenario
from experiments.scenarios.toml_tables import Overrides, ScenarioError, Table, Value
from experiments.words import listed, unit_words
from simulation import parameter_sets
from simulation.errors import TumorLabError
from simulation.parameters.given import number, several
from simulation.parameters.parameter import Parameter, ParameterError, nearest
from simulation.readouts.response import Recist, ResponseError, dimension_of

from ..archive import Run, StudyError, Tables
from ..one_run import asked_of, declared, run_one
from ..study import SHIPPED, Findings, Study
from . import survival
from .cohort import Cohort, Spread
from .judged import BIOMARKERS, Protocol
from .responses import judge
from .sentences import sentences

ARMS = "a list of arms of the scenario, or tables written [arms.NAME]"


class Scans(Table):
    """When and how lesions are measured; numbers left out are those of RECIST 1.1."""

    every: Value | None = Field(None, description="a number of days")
    first: Value | None = Field(None, description="a number of days")
    confirm: Value | None = Field(None, description="a number of days")
    nominal_diameter: Value | None = Field(None, description="a number of mm")
    smallest_seen: Value | None = Field(None, description="a number of mm")
    least_growth: Value | None = Field(None, description="a number of mm")
    partial_response: Value | None = Field(None, description="a number of %")
    progression: Value | None = Field(None, description="a number of %")
    dimension: Literal[2, 3] | None = Field(None, description="2 or 3")
    infiltrate: bool = Field(False, description="true or false")

    def recist(self) -> Recist:
        """The rules in force; raises ParameterError."""
        return Recist(**self.model_dump(exclude_none=True, exclude={"dimension", "infiltrate"}))


def _by_dotted_name(table: Any, prefix: str = "") -> Any:
    """Tables within tables by dotted name: ``tumor.pdl1 = { ... }`` without quotes means the same as with them."""
    if not isinstance(table, dict):
        return table
    flat: dict[str, Any] = {}
    for key, value in table.items():
        deeper = (
            isinstance(value, dict)
            and value
            and all(isinstance(inner, dict) for inner in value.values())
        )
        flat |= _by_dotted_name(value, f"{prefix}{key}.") if deeper else {f"{prefix}{key}": value}
    return flat


def _arms(value: object) -> object:
    value = several(value) if isinstance(value, str) else value
    if (
        not isinstance(value, list | dict)
        or not value
        or not all(isinstance(name, str) for name in value)
    ):
        raise ValueError(f"it must be {ARMS}")
    return value


def _cut(value: object) -> object:
    found = number(value)
    if value != "median" and (found is None or not math.isfinite(found)):
        raise ValueError('it must be "median" or a number')
    return value


@file_kind("trial", SHIPPED)
class Trial(Study):
    """A virtual trial: every patient is in every arm, so that arms differ only by what the treatment does."""

    kind: ClassVar[str] = "trial"
    grows: ClassVar[tuple[str, ...]] = (
        "question",
        "patients",
        "scans",
        "subgroups",
        "contrast_day",
        "measurable_cells",
    )

    replicate: ClassVar[str] = "patient"
    varied: ClassVar[str] = "drawn"

    scenario: str = Field(
        min_length=1, description="the name of a scenario or the path of a TOML file"
    )
    patients: int = Field(
        ge=2, le=100_000, description="a whole number of patients from 2 to 100000"
    )
    seed: int = Field(1, ge=0, lt=2**63, description="a whole number from 0 to 2^63 - 1")
    days: float | None = Field(
        None, gt=0, le=3650, description="a number of days above 0 and at most 3650"
    )
    shape: list[int] | None = Field(
        None, min_length=2, max_length=3, description="two or three whole numbers of sites"
    )
    grow: Grow | None = Field(None, description="a table with cells, max_days, immune_cells")
    arms: Annotated[object, BeforeValidator(_arms)] = Field(
        None, validate_default=False, description=ARMS
    )
    set: Overrides = Field({}, description=DOTTED)
    vary: Annotated[dict[str, Spread], BeforeValidator(_by_dotted_name)] = Field(
        min_length=1,
        description='tables such as { distribution = "lognormal", median = 1, spread = 0.5 } by dotted name',
    )
    correlations: dict[str, dict[str, float]] = Field(
        {}, description='tables such as "tumor.pdl1" = { "tumor.antigen" = 0.3 }'
    )
    scans: Scans = Field(
        Scans(), description="a table with every, first, confirm, nominal_diameter..."
    )
    subgroups: dict[str, Annotated[object, BeforeValidator(_cut)]] = Field(
        dict.fromkeys(BIOMARKERS, "median"),
        description='a table of biomarkers, each "median" or a number',
    )
    contrast_day: float | None = Field(None, gt=0, description="a number of days above 0")
    measurable_cells: int | None = Field(
        None, ge=1, description="a whole number of cells, at least 1"
    )

    @property
    def function(self) -> Callable[[dict[str, Any], int], Tables]:
        return run_one

    # ------------------------------------------------------------ what is run

    @cached_property
    def base(self) -> Scenario:
        """The scenario that every patient is a variation of; raises StudyError."""
        content = self.scenario_called(self.scenario).content()
        content |= {
            key: value for key in ("days", "shape") if (value := getattr(self, key)) is not None
        }
        content |= {"grow": self.grow.model_dump()} if self.grow else {}
        content |= {"arms": self.arms} if isinstance(self.arms, dict) else {}
        content["set"] = content.get("set", {}) | self.set
        try:
            scenario = Scenario.from_content(content, name=self.scenario, file=self.file)
            return (
                scenario.with_options(arms=self.arms, typed=False)
                if isinstance(self.arms, list)
                else scenario
            )
        except ScenarioError as error:
            raise StudyError.of(error) from None

    @cached_property
    def cohort(self) -> Cohort:
        """The virtual patients; raises StudyError."""
        if twice := [name for name in self.vary if name in self.set]:
            raise self.refused(
                twice[0], StudyError("it is also under [set]; a parameter is either set or varied")
            )
        try:
            return Cohort(self.vary, self.correlations, self.seed, self.parameter, self.file)
        except ScenarioError as error:
            raise StudyError.of(error) from None

    def parameter(self, name: str) -> Parameter:
        """The parameter behind a dotted name; raises StudyError."""
        try:
            if (parameter := declared(self.base, name)) is not None:
                return parameter
        except TumorLabError as error:
            raise self.refused(name, error) from None
        raise self.refused(name, StudyError("a schedule cannot differ between patients"))

    @cached_property
    def dimension(self) -> int:
        """2 or 3: whether diameters go with the square or the cube root of cells; raises StudyError for a leukaemia."""
        try:
            own = dimension_of(
                tuple(self.base.shape), parameter_sets.find(self.base.parameters).liquid
            )
        except ResponseError as error:
            raise StudyError.of(error, file=self.file, key="scenario") from None
        return self.scans.dimension or own

    @cached_property
    def recist(self) -> Recist:
        """The rules by which scans are judged; raises StudyError."""
        try:
            return self.scans.recist()
        except ParameterError as error:
            raise StudyError.of(error, file=self.file) from None

    @property
    def memory(self) -> int:
        return self.base.memory

    @property
    def enrolled_from(self) -> int:
        """Tumour cells of day 0 from which a patient has measurable disease; by default half of what was to grow."""
        grow = self.base.grow
        return self.measurable_cells or (math.ceil(grow.cells / 2) if grow else 1)

    @property
    def contrasted_on(self) -> float:
        """The day on which arms are compared: the stated one, or day 30, or the last where a trial is shorter."""
        return min(30.0, self.base.days) if self.contrast_day is None else self.contrast_day

    @property
    def tissue(self) -> float:
        """The patch in mm2 (mm3 in 3-D)."""
        width = parameter_sets.find(self.base.parameters).spacing / 1000
        return math.prod(side * width for side in self.base.shape)

    @property
    def protocol(self) -> Protocol:
        """How patients are judged; raises StudyError."""
        return Protocol(
            question=self.question,
            recist=self.recist,
            infiltrate=self.scans.infiltrate,
            space=len(self.base.shape),
            tissue=self.tissue,
            dimension=self.dimension,
            enrolled_from=self.enrolled_from,
            contrasted_on=self.contrasted_on,
            subgroups=self.subgroups,
        )

    def check(self) -> None:
        """What the shape of the file cannot tell; raises StudyError."""
        survival.check_lifelines()
        if len(self.base.arms) < 2:
            raise StudyError("a trial needs an arm beside the control", file=self.file, key="arms")
        for name in self.subgroups:
            if name not in BIOMARKERS:
                raise StudyError(
                    f"there is no biomarker {name!r}{nearest(name, BIOMARKERS)}",
                    file=self.file,
                    key=f"subgroups.{name}",
                )
        if self.contrasted_on > self.base.days:
            raise StudyError(
                f"contrast_day = {self.contrast_day:g} is after the last day, {self.base.days:g}",
                file=self.file,
                key="contrast_day",
            )
        _ = self.dimension, self.recist
        for name, marginal in self.cohort.marginals.items():
            for value in (marginal.low, marginal.high):
                try:
                    self.base.with_options(set={name: value}, typed=False)
                except ScenarioError as error:
                    raise self.refused(name, error) from None

    def runs(self) -> list[Run]:
        self.check()
        content = asked_of(self.base)
        return [
            Run(
                "run_one",
                {"scenario": content, "set": patient.parameters, "record": {"every": 1.0}},
                patient.seed,
                {"patient": patient.number} | patient.parameters,
            )
            for patient in self.cohort.patients(self.patients)
        ]

    # ------------------------------------------------------------ what is made of it

    def notes(self, tables: Tables) -> list[str]:
        return self.base.undosed(self.vary)

    @property
    def in_force(self) -> list[Scenario]:
        return [self.base]

    def facts(self, tables: Tables) -> list[tuple[str, str]]:
        return [
            ("Patients", f"{self.patients:,}, each in every arm"),
            ("Scans", f"every {self.recist.value('every'):g} days, judged by RECIST 1.1"),
            ("Seed of the cohort", str(self.seed)),
        ]

    def described(self) -> dict[str, pd.DataFrame]:
        rows = []
        for name, spread in self.vary.items():
            given = spread.model_dump(exclude_none=True)
            declared = self.parameter(name)
            rows.append(
                {
                    "parameter": name,
                    "distribution": given.pop("distribution"),
                    "with": listed([f"{key} {value:g}" for key, value in given.items()])
                    or "its whole range",
                    "unit": unit_words(declared.unit),
                    "meaning": declared.meaning,
                }
            )
        return {"How patients differ": pd.DataFrame(rows)}

    def analyse(self, tables: Tables) -> Findings:
        from . import pictures

        found = judge(tables["timeseries"], self.protocol)
        return Findings(
            found._asdict(), pictures.figures(found, self.protocol), sentences(found, self.protocol)
        )
