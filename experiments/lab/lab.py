"""A session of the lab: one patient's tumour, two futures of it side by side, and a log of what was done to them."""

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd

from simulation import parameter_sets, treatments
from simulation.model import TumorModel
from simulation.plots import style
from simulation.results.results import Results
from simulation.words import name_words

from ..runs.outcomes import tell
from ..runs.pictures import overview
from ..scenarios.arms import advance
from ..scenarios.scenario import Scenario
from ..words import moment_words, value_words
from . import panels, tissue
from .bank import Bank
from .charts import nice
from .course import Course
from .dials import amount_of
from .growth import Growth
from .monitors import Monitor, monitors
from .patient import Eliminated, LabError, Patient, Shelf
from .protocol import heading, protocol, toml
from .watch import Watch

DEFAULT = "checkpoint_blockade"
SIDES = ("left", "right")
OPENING = {
    "cytokines": ("il2", "ifn_alpha"),
    "immunoediting": ("high", "low"),
}  # where no arm has all of the question
LONGEST = 365.0
WEEK = 7 * 24
BENCH = (
    "patient",
    "scenario",
    "arms",
    "models",
    "_courses",
    "_watches",
    "_told",
)  # what lies on it, and what was seen of it
FIELD_TOPS = {"oxygen": 60.0}
SHELF = Shelf(bank=Bank.of_user())
DRAWING = threading.Lock()  # the settings of a figure are shared by all sessions


class Running(NamedTuple):
    """A treatment of one tumour: its name, how it is called, what it is, and whether it has doses to come."""

    name: str
    label: str
    words: str
    due: bool


@dataclass(frozen=True)
class Frame:
    """Everything that is seen at one moment; a tuple holds the left and the right tumour."""

    number: int
    day: float
    show: str
    top: float
    trait: str
    pictures: tuple[bytes, bytes]
    panels: tuple[str, str, str, str]
    monitors: tuple[dict[str, Monitor], dict[str, Monitor]]
    told: tuple[str, str]
    snapshots: tuple


class Lab:
    """Two forks of one grown tumour that step together; plain Python, one per visitor, used by one thread at a time.

    ``open`` grows the patient's tumour, ``step`` moves both on, ``give`` and ``stop`` act at once and are logged, ``frame``
    draws, ``exported`` writes down what was done. Raises LabError and other TumorLabErrors.
    """

    def __init__(self, scenario: str = DEFAULT, shelf: Shelf = SHELF):
        self._shelf, self._frames = shelf, 0
        self.models, self._before = (), {}
        self.choose(Patient.of(scenario))

    # ---------------------------------------------------------------- who lies on the bench

    def choose(self, patient: Patient, arms: tuple[str, str] | None = None) -> None:
        """Another patient, checked but not yet grown; ``arms`` are what the two tumours begin as."""
        scenario = patient.bench()
        arms = arms or opening(scenario)
        for arm in arms:
            if arm not in scenario.arms:
                raise LabError(
                    f"{patient.scenario} has no arm {arm!r} (choices: {', '.join(scenario.arms)})"
                )
        if self.ready:
            self._before = {name: getattr(self, name) for name in BENCH}
        self.patient, self.scenario, self.arms = patient, scenario, arms
        self.models: tuple[TumorModel, ...] = ()

    def back(self) -> None:
        """Put back the tumours that were there before others were chosen, which have not grown."""
        if not self.ready:
            vars(self).update(self._before)

    def open(self, progress: Callable[[Growth], None] = lambda growth: None) -> None:
        """Grow the tumour, or take the grown one from the shelf, and fork it twice: this is day 0.

        Where the immune system eliminates it while it grows, it grows without immune cells, which come on day 0.
        """
        try:
            self.models = tuple(
                self._shelf.start(self.scenario, arm, progress) for arm in self.arms
            )
        except Eliminated:
            if not (self.scenario.grow and self.scenario.grow.immune_cells):
                raise
            self.patient = self.patient._replace(sheltered=True)
            self.scenario = self.patient.bench()
            self.models = tuple(
                self._shelf.start(self.scenario, arm, progress) for arm in self.arms
            )
        for model in self.models:
            model.results.add_snapshot(model.snapshot())
        self._courses, self._watches = (
            tuple(map(Course, self.models)),
            tuple(map(Watch, self.models)),
        )
        self._told: list[tuple[float, int, str]] = []
        self._before = {}

    reset = open
    """Both tumours as they were on day 0."""

    @property
    def ready(self) -> bool:
        """Whether there are tumours to look at."""
        return bool(self.models)

    @property
    def day(self) -> float:
        """Days since day 0."""
        return self.models[0].day if self.ready else 0.0

    @property
    def finished(self) -> bool:
        """Whether the days of the scenario are over; the session may go on."""
        return abs(self.day - self.scenario.days) < 1e-6

    # ---------------------------------------------------------------- time and treatment

    def step(self, hours: int = 1) -> None:
        """Both tumours move on by whole hours; what the scenario gives or stops on a day is done then."""
        if self.day + hours / 24 > LONGEST:
            raise LabError(
                f"the lab ends on day {LONGEST:g}; for longer runs export the scenario and use tumorlab run"
            )
        for _ in range(int(hours)):
            for model in self._both():
                advance(model, self.scenario, model.day + 1 / 24, snapshot_every=0)
                if (model.clock - model.origin) % WEEK == 0:
                    model.results.add_snapshot(model.snapshot())
            for watch in self._watches:
                watch.hour()
            for side in (side for side in range(2) if self._watches[side].crossed):
                self._told.append((self.day, side, tell(self.results())[self.names()[side]]))

    def give(self, side: int, drug: str, amount: float | None = None, once: bool = False) -> str:
        """Give a treatment to one tumour from now on, or a single dose of it; returns the name it is logged under."""
        model, kind = self._both()[side], self.scenario.find(drug)
        dial = amount_of(kind)
        given = {dial.parameter.name: amount} if dial and amount is not None else {}
        planned = self.scenario.build_treatments(self.arms[side])
        taken = {entry["treatment"] for entry in model.results.log} | {
            treatment.name for treatment in planned
        }
        name = drug.rpartition(":")[2].lower()
        numbered = [name, *(f"{name}_{number}" for number in range(2, len(taken) + 2))]
        name = next(each for each in numbered if each not in taken)
        return model.give(kind(name=name, schedule={} if once else None, **given)).name

    def stop(self, side: int, name: str) -> None:
        """No further doses of a treatment; what is in the body washes out."""
        if name in [each.name for each in self.running(side) if each.due]:
            self._both()[side].stop(name)

    def running(self, side: int) -> list[Running]:
        """The treatments of one tumour in the order in which they were given; those without a dose to come are one a drug."""
        log = self.models[side].results.log if self.ready else []
        stopped = {entry["treatment"] for entry in log if entry["action"] == "stop"}
        found: dict[str, Running] = {}
        times: Counter[str] = Counter()
        for entry in log:
            if entry["action"] != "give":
                continue
            given, drug = treatment_of(entry), entry["class"]
            hours = 24 * (self.day - entry["day"] - given.value("first_dose"))
            if given.name not in stopped and given.schedule.due(hours + 1e-6, 24 * LONGEST):
                words = f"{given.schedule}, from {moment_words(entry['day'])}"
                found[given.name] = Running(given.name, called(given.name), words, True)
                continue
            times[drug] += 1
            label = called(given.name).partition(" (")[0] + (
                f" × {times[drug]}" if times[drug] > 1 else ""
            )
            first = found[drug].name if drug in found else given.name
            found[drug] = Running(
                first,
                label,
                "no dose is to come; what was given works on until it has washed out",
                False,
            )
        return list(found.values())

    def log(self) -> list[str]:
        """What was done and what came of it, a line each, the newest last."""
        lines = [
            (entry["day"], side, action_words(entry))
            for side in range(len(self.models))
            for entry in self.models[side].results.log
        ]
        lines += self._told if self.ready else []
        return [
            f"{moment_words(day)}, {SIDES[side]}: {words}"
            for day, side, words in sorted(lines, key=lambda line: line[0])
        ]

    def _both(self) -> tuple[TumorModel, ...]:
        if not self.ready:
            raise LabError("there is no tumour yet: wait until it has grown")
        return self.models

    # ---------------------------------------------------------------- what is seen

    def frame(self, show: str = "kinds") -> Frame:
        """The pictures and numbers of this moment."""
        self._both()
        known = dict.fromkeys((*tissue.VIEWS, *self.views))
        if show not in known:
            raise LabError(f"nothing called {show!r} to show (choices: {', '.join(known)})")
        show = show if show in self.views else "kinds"
        for course in self._courses:
            course.refresh()
        snapshots = tuple(course.snapshot for course in self._courses)
        top, trait = field_top(show, snapshots), show if show in panels.LEVELS else self.trait
        pictures = tuple(
            tissue.picture(snapshot, show, top, watch.killed, watch.braked)
            for snapshot, watch in zip(snapshots, self._watches, strict=True)
        )
        for watch in self._watches:
            watch.pictured()
        self._frames += 1
        return Frame(
            self._frames,
            self.day,
            show,
            top,
            trait,
            pictures,
            panels.panels(self._courses, trait, max(self.scenario.days, self.day)),
            tuple(map(monitors, self._courses)),
            tuple(map(self._newest, range(2))),
            snapshots,
        )

    def _newest(self, side: int) -> str:
        """The last sentence about one tumour."""
        return next(
            (
                f"{moment_words(day)}: {words}"
                for day, about, words in reversed(self._told)
                if about == side
            ),
            "",
        )

    @property
    def views(self) -> tuple[str, ...]:
        """What the tissue can be coloured by."""
        liquid = parameter_sets.find(self.scenario.parameters).liquid
        held = [model.fields for model in self.models] or [tissue.FIELDS]
        return tissue.views(
            liquid, [name for name in held[0] if all(name in each for each in held)]
        )

    @property
    def trait(self) -> str:
        """The trait whose distribution is followed: what the attackers see, or what the scenario is about."""
        if any(name.startswith("tumor.mhc") for name in self.scenario.set):
            return "mhc"
        drugs = {regimen.drug for arm in self.scenario.arms.values() for regimen in arm.treatments}
        given = {
            entry["class"]
            for model in self.models
            for entry in model.results.log
            if entry["action"] == "give"
        }
        return "car_target" if any("car_t" in each for each in drugs | given) else "antigen"

    # ---------------------------------------------------------------- what is taken home

    def names(self) -> tuple[str, str]:
        """The arms that the two tumours are in an export: what they began as, or their side once something was done."""
        names = []
        for side, arm in enumerate(self.arms):
            alone = arm not in names or arm == "control"
            names.append(arm if alone and not self.by_hand(side) else SIDES[side])
        return names[0], names[1]

    def by_hand(self, side: int) -> bool:
        """Whether anything was done to a tumour that its arm does not do by itself."""
        arm, planned = self.arms[side], set()
        for regimen, treatment in zip(
            self.scenario.arms[arm].treatments, self.scenario.build_treatments(arm), strict=True
        ):
            days = {"give": regimen.given, "stop": regimen.stopped}
            planned |= {
                (action, treatment.name, round(24 * day))
                for action, day in days.items()
                if day is not None
            }
        log = self._both()[side].results.log
        return any(
            (entry["action"], entry["treatment"], round(24 * entry["day"])) not in planned
            for entry in log
        )

    def results(self) -> dict[str, Results]:
        """The results of both tumours by the arm they are in an export; two that are untreated are one."""
        return {
            name: model.results.copy(arm=name)
            for name, model in zip(self.names(), self._both(), strict=True)
        }

    def exported(self) -> str:
        """The session as a scenario in TOML: ``tumorlab run`` gives the same time series, bit for bit."""
        arms = {
            name: (arm, model.results.log)
            for name, arm, model in zip(self.names(), self.arms, self._both(), strict=True)
        }
        text = toml(protocol(self.scenario, arms, self.day))
        Scenario.from_text(text, name="exported", file="the exported scenario")
        return heading(self.scenario, self.patient.seed, self.day) + text

    def csv(self) -> str:
        """The time series of both tumours, as ``timeseries.csv`` of a run holds them."""
        arms = sorted(self.results().values(), key=lambda arm: arm.arm != "control")
        return pd.concat([arm.timeseries for arm in arms], ignore_index=True).to_csv(
            index=False, lineterminator="\n"
        )

    def poster(self) -> bytes:
        """The whole session as one large PNG."""
        arms = self.results()
        for name, model in zip(self.names(), self.models, strict=True):
            arms[name].add_snapshot(model.snapshot())
        labels = {
            name: name if name == arm else f"{name}, began as {name_words(arm)}"
            for name, arm in zip(self.names(), self.arms, strict=True)
        }
        title = f"{name_words(self.scenario.name)}, seed {self.patient.seed}"
        with DRAWING, style.painted(dict(zip(labels.values(), panels.COLORS, strict=False))):
            return overview(
                {labels[name]: results for name, results in arms.items()},
                self.scenario.question,
                title,
            )


def opening(scenario: Scenario) -> tuple[str, str]:
    """The two arms that a scenario opens with: untreated, beside the arm in which most is done."""
    if (found := OPENING.get(scenario.name)) and scenario.arms.keys() >= {*found}:
        return found
    other = [arm for arm in scenario.arms if arm != "control"] or ["control"]
    return "control", max(other, key=lambda arm: len(scenario.arms[arm].treatments))


def field_top(show: str, snapshots: tuple) -> float:
    """The upper end of the colour scale of a field, the same for both tumours and not trembling with every step."""
    if show in tissue.OF_CELLS:
        return 1.0
    highest = max(float(snapshot.fields[show].max()) for snapshot in snapshots)
    return FIELD_TOPS.get(show) or nice(max(highest, 1e-6))


def treatment_of(entry: dict) -> treatments.Treatment:
    """The treatment that an entry of the log gave."""
    return treatments.find(entry["class"])(
        name=entry["treatment"], schedule=entry["schedule"], **entry["parameters"]
    )


def called(name: str) -> str:
    """The name of a treatment in words; the second one of a drug is told apart from an amount: ``IL-2 (no. 2)``."""
    drug, _, number = name.rpartition("_")
    return f"{name_words(drug)} (no. {number})" if drug and number.isdigit() else name_words(name)


def action_words(entry: dict) -> str:
    """One action of the log in words, with the amount of a dose."""
    if entry["action"] == "stop":
        return f"{called(entry['treatment'])} stopped"
    given = treatment_of(entry)
    dial, own = amount_of(type(given)), type(given).parameters()
    told = [value_words(given.value(dial.name), dial.parameter.unit)] if dial else []
    told += [
        f"{name.replace('_', ' ')} {value_words(value, own[name].unit)}"
        for name, value in entry["parameters"].items()
        if not (dial and name == dial.name)
    ]
    return f"{called(given.name)} given: {', '.join([*told, str(given.schedule)])}"
