"""The shape of a scenario file, and everything that can be wrong with one."""

import math
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self, TypeVar

from pydantic import (
    BeforeValidator,
    Field,
    PrivateAttr,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    field_validator,
    model_serializer,
    model_validator,
)

from simulation import CellKind, Process, parameter_sets, treatments
from simulation.errors import TumorLabError
from simulation.kinds.catalogue import WORDS, named
from simulation.kinds.stand_in import StandInKind
from simulation.parameters.given import plain, quoted, several
from simulation.parameters.parameter import Parameters, nearest
from simulation.plug_ins import look_beside
from simulation.tissue.lattice import LatticeError, checked_shape
from simulation.tissue.memory import BYTES_PER_SITE, available
from simulation.treatments.schedule import Schedule
from simulation.treatments.stand_in import StandIn

from .definitions import OWN, check_kinds, own_drugs, own_kinds
from .file_kinds import check_kind, check_name, file_kind
from .toml_tables import Overrides, ScenarioError, Table, Value, parse_toml, read_toml

SHIPPED = Path(__file__).parent
ARM_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
OF_TREATMENT = re.compile(r"treatments\.([^.]+)\.(schedule\.)?([^.]+)")
LINE = 150  # two rows of a third of the lab's page
PlugIn = TypeVar("PlugIn", CellKind, Process)
DOTTED = "a table of dotted names and values"


class Grow(Table):
    """The tumour grows once, untreated; day 0 is the moment it has ``cells`` cells."""

    cells: int = Field(ge=1, description="a whole number of tumour cells, at least 1")
    max_days: float = Field(
        60.0, gt=0, le=3650, description="a number of days above 0 and at most 3650"
    )
    immune_cells: bool = Field(True, description="true or false")


class Regimen(Table):
    """One treatment of one arm; the treatment's own parameters stand beside these keys or in ``parameters``."""

    drug: str = Field(min_length=1, description="the name of a treatment or module:Class")
    name: str | None = Field(
        None, pattern=r"^[A-Za-z]\w*$", max_length=60, description="letters, digits and underscores"
    )
    first_dose: Value = Field(0.0, description="a number of days after day 0, at least 0")
    parameters: dict[str, Value] = Field(
        {}, description="a table of the treatment's own parameters"
    )
    schedule: dict | None = Field(
        None, description='a table such as { every = "3 weeks", times = 4 }'
    )
    given: float = Field(
        0.0,
        ge=0,
        description="the day on which it is given, at least 0; first_dose counts from then",
    )
    stopped: float | None = Field(
        None, ge=0, description="the day on which it is stopped, at least 0"
    )

    @model_validator(mode="before")
    @classmethod
    def _gather_parameters(cls, table: object, info: ValidationInfo) -> object:
        try:
            drug = treatments.find(table["drug"], info.context or {})
        except (ValueError, KeyError, TypeError, AttributeError):
            return table  # told better when the treatment is built
        beside = {
            key: value
            for key, value in table.items()
            if drug.takes(key) and key not in cls.model_fields
        }
        given = table.get("parameters", {})
        if not beside or not isinstance(given, dict):
            return table
        return {key: value for key, value in table.items() if key not in beside} | {
            "parameters": given | beside
        }

    @model_validator(mode="after")
    def _stopped_after_given(self) -> "Regimen":
        if self.stopped is not None and self.stopped < self.given:
            raise ValueError(f"stopped = {self.stopped:g} lies before given = {self.given:g}")
        return self

    @field_validator("first_dose")
    @classmethod
    def _not_before_the_start(cls, day: float | str) -> float | str:
        if isinstance(day, int | float) and day < 0:
            raise ValueError(
                "a dose cannot be given before the start, so it must be day 0 or later"
            )
        return day


def _regimens(given: object) -> object:
    """One treatment without a list, and the name of a drug for a table that holds nothing else."""
    one_or_more = several(given) if isinstance(given, str | dict) else given
    return (
        [{"drug": each} if isinstance(each, str) else each for each in one_or_more]
        if isinstance(one_or_more, list)
        else given
    )


def _listed(given: object) -> object:
    """One name without a list."""
    return [given] if isinstance(given, str) else given


Names = Annotated[list[str], BeforeValidator(_listed)]
CODE = "that ships, or module:NAME of your own, in a file beside the scenario"


class PlugIns(Table):
    """A table that may name kinds of cells and processes; where it names none, nothing is written of them."""

    kinds: Names = Field([], description=f"a list of kinds of cells: the name of one {CODE}")
    processes: Names = Field([], description=f"a list of processes: the name of one {CODE}")

    @model_serializer(mode="wrap")
    def _written(self, write: SerializerFunctionWrapHandler) -> dict[str, object]:
        return {
            name: value
            for name, value in write(self).items()
            if value or name not in PlugIns.model_fields
        }


class Arm(PlugIns):
    """One course of treatment: a fork of the common tumour, or a twin grown from the same seed with its own ``set``."""

    start: Literal["fork", "twin"] = Field("fork", description='"fork" or "twin"')
    set: Overrides = Field({}, description=DOTTED)
    treatments: Annotated[list[Regimen], BeforeValidator(_regimens)] = Field(
        [], description="tables written [[arms.NAME.treatments]]"
    )


def _names(kinds: Iterable[CellKind]) -> set[str]:
    return {kind.name for kind in kinds}


@file_kind("run", SHIPPED)
class Scenario(PlugIns):
    """A patient, the arms that are compared, and the question they answer."""

    kind: ClassVar[str] = "scenario"

    question: str = Field(min_length=1, description="one sentence")
    watch: str | None = Field(
        None,
        min_length=1,
        max_length=LINE,
        description=f"a line of at most {LINE} letters: what to watch",
    )
    attempt: str | None = Field(
        None,
        alias="try",
        min_length=1,
        max_length=LINE,
        description=f"a line of at most {LINE} letters: what to try",
    )
    means: str | None = Field(
        None,
        min_length=1,
        max_length=LINE,
        description=f"a line of at most {LINE} letters: what it means",
    )
    parameters: str = Field(description="the name of a parameter set")
    shape: list[int] = Field(
        min_length=2, max_length=3, description="two or three whole numbers of sites"
    )
    days: float = Field(gt=0, le=3650, description="a number of days above 0 and at most 3650")
    seed: int = Field(1, ge=0, lt=2**63, description="a whole number from 0 to 2^63 - 1")
    tumor_cells: int | None = Field(
        None, ge=1, description="a whole number of tumour cells, at least 1"
    )
    set: Overrides = Field({}, description=DOTTED)
    grow: Grow | None = Field(None, description="a table with cells, max_days, immune_cells")
    drugs: dict[str, dict] = Field({}, description="tables written [drugs.NAME]")
    cell_kinds: dict[str, dict] = Field({}, description="tables written [cell_kinds.NAME]")
    arms: dict[str, Arm] = Field({}, description="tables written [arms.NAME]")

    _name: str = PrivateAttr("scenario")
    _file: str = PrivateAttr("scenario")
    _text: str = PrivateAttr("")

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return self._name

    @property
    def lines(self) -> dict[str, str]:
        """What a reader does with it, in words: what to watch, what to try, what it means; those that are written."""
        told = {"Watch": self.watch, "Try": self.attempt, "It means": self.means}
        return {word: line for word, line in told.items() if line}

    @property
    def text(self) -> str:
        """The file as it was read."""
        return self._text

    @staticmethod
    def names() -> list[str]:
        """The scenarios that ship."""
        return sorted(file.stem for file in SHIPPED.glob("*.toml"))

    @classmethod
    def load(cls, name_or_path: str | os.PathLike) -> Self:
        """The shipped scenario of that name, or the TOML file at that path; raises ScenarioError."""
        word = str(name_or_path)
        if word in cls.names():
            path, file = SHIPPED / f"{word}.toml", f"{word}.toml"
        elif word.endswith(".toml") or Path(word).name != word or os.path.isfile(word):
            path, file = Path(word), word
        else:
            check_name(word, "scenario")
            raise ScenarioError(
                f"there is no scenario {quoted(word)}{nearest(word, cls.names())}; "
                "a file of your own is given by a path ending in .toml"
            )
        content, text = read_toml(path, file)
        check_kind(content, "scenario", word)
        if path.parent != SHIPPED:  # what ships needs no code of a user's own
            look_beside(path)
        return cls._whole(content, path.stem, file, text)

    @classmethod
    def from_text(cls, text: str, *, name: str = "scenario", file: str = "scenario") -> "Scenario":
        """A checked scenario from TOML text; ``file`` is what errors call it."""
        return cls._whole(parse_toml(text, file), name, file, text)

    @classmethod
    def from_content(
        cls, content: dict, *, name: str = "scenario", file: str = "scenario"
    ) -> "Scenario":
        """A checked scenario from the content of its file; ``file`` is what errors call it."""
        return cls._whole(content, name, file, "")

    @model_serializer(mode="wrap")
    def _said(self, write: SerializerFunctionWrapHandler) -> dict:
        """A scenario that defines nothing of its own is written without a word of it."""
        return {key: value for key, value in write(self).items() if value or key not in OWN}

    def content(self) -> dict:
        """What :meth:`from_content` makes this scenario from: plain values, as JSON and TOML hold them."""
        return self.model_dump(mode="json", exclude_none=True)

    @classmethod
    def _whole(cls, content: dict, name: str, file: str, text: str) -> "Scenario":
        """The scenario with its control arm first; everything checked."""
        content = plain(content)
        if isinstance(arms := content.get("arms", {}), dict):
            content = content | {"arms": {"control": arms.get("control", {})} | arms}
        own_kinds(content, file)  # of which drugs may speak
        scenario = cls.checked(content, file, own_drugs(content, file))
        scenario._name, scenario._file, scenario._text = name, file, text
        scenario._check()
        return scenario

    def with_options(
        self,
        *,
        days: float | None = None,
        seed: int | None = None,
        arms: list[str] | None = None,
        set: dict | None = None,
        typed: bool = True,
    ) -> "Scenario":
        """This scenario with other values; the control arm always stays.

        Raises ScenarioError that calls them options of a command line, or keys of a file where they were not ``typed``.
        """
        arms = None if arms is None else several(arms)
        for arm in arms or ():
            if arm not in [*self.arms]:
                said = (
                    f"--arms: {self._file} has no arm"
                    if typed
                    else f"{self._file}: arms: it has no arm"
                )
                raise ScenarioError(f"{said} {quoted(arm)}{nearest(arm, list(self.arms))}")
        given = {"days": days, "seed": seed, "set": set}
        content = self.model_dump(exclude_none=True)
        content |= {
            name: value for name, value in given.items() if value is not None and name != "set"
        }
        content["set"] |= {} if set is None else dict(set)
        if arms is not None:
            content["arms"] = {
                name: arm for name, arm in content["arms"].items() if name in {"control", *arms}
            }
        changed = "".join(
            f" --{name}" for name, value in given.items() if typed and value is not None
        )
        scenario = self._whole(
            content, self._name, self._file + (f" with{changed}" if changed else ""), self._text
        )
        scenario._file = self._file
        return scenario

    @property
    def own_drugs(self) -> dict[str, type[treatments.Treatment]]:
        """The treatments that it defines in tables, by name."""
        return own_drugs({key: getattr(self, key) for key in OWN}, self._file)

    @property
    def own_kinds(self) -> list[CellKind]:
        """The kinds of cells that it defines in tables."""
        return own_kinds({key: getattr(self, key) for key in OWN}, self._file)

    def find(self, drug: str) -> type[treatments.Treatment]:
        """The treatment that this scenario calls by a name: its own, one that ships, or module:Class; raises TreatmentError."""
        return treatments.find(drug, self.own_drugs)

    @property
    def memory(self) -> int:
        """Bytes that a run of it needs at most: the common tumour, and the arm that is run."""
        return 2 * BYTES_PER_SITE * math.prod(self.shape)

    def overrides(self, arm: str | None = None) -> dict[str, float | str]:
        """Dotted name -> value that an arm's tumour (any tumour when none is named) has of its own.

        What is set for all arms leaves out the kinds of cells that only other arms know.
        """
        own = {} if arm is None else self.arms[arm].set
        elsewhere = _names(self.known_kinds()) - _names(self.known_kinds(arm))
        return {
            name: value
            for name, value in (self.set | own).items()
            if not OF_TREATMENT.fullmatch(name)
            and (name in own or name.partition(".")[0] not in elsewhere)
        }

    def tumor_overrides(self, arm: str | None = None) -> dict[str, float | str]:
        """Those of the common tumour, or of a twin's, before anything joins it: kinds that join later are left out."""
        later = _names(self.known_kinds()) - _names(self.plug_ins(CellKind, arm))
        return {
            name: value
            for name, value in self.overrides(arm).items()
            if name.partition(".")[0] not in later
        }

    def plug_ins(self, cls: type[PlugIn], arm: str | None = None) -> list[PlugIn]:
        """The kinds (or processes) of every tumour, and those of an arm if one is named; raises ScenarioError."""
        tables = [("", self)] + ([] if arm is None else [(f"arms.{arm}.", self.arms[arm])])
        key = "kinds" if cls is CellKind else "processes"
        found: list[PlugIn] = []
        for before, table in tables:
            for number, word in enumerate(getattr(table, key)):
                where = f"{before}{key}[{number}]"
                try:
                    one = named(word, cls)
                except TumorLabError as error:
                    raise ScenarioError.of(error, file=self._file, key=where) from None
                if one.name in [other.name for other in found]:
                    raise ScenarioError(
                        f"{quoted(word)} brings a second {WORDS[cls]} called {one.name!r}",
                        file=self._file,
                        key=where,
                    )
                found.append(one)
        return found

    def known_kinds(self, arm: str | None = None) -> list[CellKind]:
        """The kinds that an arm (all arms when none is named) has beside those of every model, from treatments too."""
        arms = [*self.arms] if arm is None else [arm]
        kinds = [kind for each in arms for kind in self.plug_ins(CellKind, each)]
        drugs = [treatment for each in arms for treatment in self.build_treatments(each)]
        kinds += [kind for treatment in drugs for kind in treatment.kinds]
        return [kind for place, kind in enumerate(kinds) if kind not in kinds[:place]]

    def model_parameters(self, arm: str | None = None) -> Parameters:
        """Every parameter of an arm's tumour; raises ParameterError for a wrong name or value.

        Where code of a user's own is only named, values of parameters that it may have are passed over.
        """
        parameters = parameter_sets.find(self.parameters).parameters(self.known_kinds(arm))
        arms = [*self.arms] if arm is None else [arm]
        guess = any(
            not kind.described for kind in self.known_kinds(arm) if isinstance(kind, StandInKind)
        ) or any(
            not one.described
            for each in arms
            for one in self.build_treatments(each)
            if isinstance(one, StandIn)
        )
        for name, value in self.overrides(arm).items():
            if not guess or name.partition(".")[0] in parameters.groups():
                parameters.set(name, value)
        return parameters

    def build_treatments(self, arm: str) -> list[treatments.Treatment]:
        """Fresh treatments of an arm, with what ``set`` says about ``treatments.<name>.<parameter>``.

        ``treatments.<name>.schedule.<key>`` changes one part of its schedule.
        """
        built, own = [], self.own_drugs
        for number, regimen in enumerate(self.arms[arm].treatments):
            plain = regimen.model_dump(
                exclude_none=True, exclude={"parameters", "given", "stopped"}
            )
            try:
                treatment = treatments.build(plain | regimen.parameters, own)
                self._bend(treatment, self.set | self.arms[arm].set)
            except ValueError as error:
                raise ScenarioError.of(
                    error, file=self._file, key=f"arms.{arm}.treatments[{number}]"
                ) from None
            built.append(treatment)
        return built

    def undosed(self, varied: Iterable[str] = ()) -> list[str]:
        """A sentence for each treatment of which no dose falls within the run, leaving out those that are ``varied``."""
        found, length = [], f"{self.days:g} day{'' if self.days == 1 else 's'}"
        for name, arm in self.arms.items():
            for regimen, treatment in zip(arm.treatments, self.build_treatments(name), strict=True):
                last = self.days if regimen.stopped is None else min(self.days, regimen.stopped)
                due = treatment.schedule.due(
                    0.0, 24 * (last - regimen.given) - treatment.first_dose
                )
                if not due and not any(
                    dotted.startswith(f"treatments.{treatment.name}.") for dotted in varied
                ):
                    found.append(f"{name}: no dose of {treatment.name} falls within {length}")
        return found

    @staticmethod
    def _bend(treatment: treatments.Treatment, values: dict) -> None:
        """Give a treatment what dotted names say about it and its schedule."""
        schedule = {}
        for dotted, value in values.items():
            if (found := OF_TREATMENT.fullmatch(dotted)) and found[1] == treatment.name:
                _, of_schedule, key = found.groups()
                if of_schedule:
                    schedule[key] = value
                else:
                    treatment.set(**{key: value})
        if schedule:
            treatment.schedule = Schedule.from_dict(treatment.schedule.to_dict() | schedule)

    def _check(self) -> None:
        """What the shape of the file cannot tell; raises ScenarioError."""
        self._check_space()
        try:
            parameter_sets.find(self.parameters)
        except TumorLabError as error:
            raise ScenarioError.of(error, file=self._file, key="parameters") from None
        check_kinds(self.own_kinds, parameter_sets.find(self.parameters).parameters(), self._file)
        names = {arm: self._check_arm(arm) for arm in self.arms}
        self._check_set("set", None, [name for arm in names.values() for name in arm])
        for arm in self.arms:
            self._check_set(f"arms.{arm}.set", arm, names[arm])

    def _check_space(self) -> None:
        """The lattice has room for its cells and fits in this machine's memory."""
        if min(self.shape) < 5:
            raise ScenarioError(
                f"shape = {self.shape} is too small; each side must be at least 5 sites",
                file=self._file,
                key="shape",
            )
        if (need := self.memory) > (have := available()):
            raise ScenarioError(
                f"shape = {self.shape} needs about {need / 1e9:,.0f} GB of memory and "
                f"this machine has {have / 1e9:,.0f} GB; at most {have / 2 / BYTES_PER_SITE:,.0f} "
                "sites fit",
                file=self._file,
                key="shape",
            )
        try:
            checked_shape(self.shape)
        except LatticeError as error:
            raise ScenarioError.of(error, file=self._file) from None
        self._check_room("tumor_cells", self.tumor_cells or 0)
        self._check_room("grow.cells", self.grow.cells if self.grow else 0)

    def _check_room(self, key: str, cells: int) -> None:
        """The lattice has a site for each of that many cells."""
        if cells > (sites := math.prod(self.shape)):
            raise ScenarioError(
                f"{key} = {cells} does not fit; it must be at most {sites}, the number of sites",
                file=self._file,
                key=key,
            )

    def _check_arm(self, name: str) -> list[str]:
        """The names of an arm's treatments, when the arm is in order."""
        if not ARM_NAME.fullmatch(name) or name == "grown":
            raise ScenarioError(
                f"{name!r} is not a usable name; it must be up to 40 letters, digits, _ and -, and not 'grown'",
                file=self._file,
                key="arms",
            )
        if self.arms[name].start == "fork" and not all(
            map(OF_TREATMENT.fullmatch, self.arms[name].set)
        ):
            raise ScenarioError(
                "a fork shares its tumour with the other arms; an arm with parameters of its own must have "
                'start = "twin"',
                file=self._file,
                key=f"arms.{name}.set",
            )
        for cls in (CellKind, Process):
            self.plug_ins(cls, name)
        names = [treatment.name for treatment in self.build_treatments(name)]
        for one in names:
            if names.count(one) > 1:
                raise ScenarioError(
                    f"two treatments are named {one!r}; a name must be unique within its arm",
                    file=self._file,
                    key=f"arms.{name}.treatments",
                )
        return names

    def _check_set(self, where: str, arm: str | None, treatment_names: list[str]) -> None:
        """Every dotted name that is set exists and may have that value."""
        for dotted in self.arms[arm].set if arm else self.set:
            if (found := OF_TREATMENT.fullmatch(dotted)) and found[1] not in treatment_names:
                raise ScenarioError(
                    f"no treatment is named {found[1]!r}{nearest(found[1], treatment_names)}",
                    file=self._file,
                    key=f"{where}: {dotted}",
                )
        try:
            parameters = self.model_parameters(arm)
        except TumorLabError as error:
            raise ScenarioError.of(error, file=self._file, key=where) from None
        if self.tumor_cells is None:
            self._check_room("tumor.initial_cells", parameters["tumor.initial_cells"])
