"""A scenario becomes arms, and the arms become results on disk."""

import itertools
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from simulation.errors import StateError
from simulation.model import TumorModel
from simulation.parameters.given import plain, several
from simulation.plug_ins import class_path
from simulation.results.files import write_atomically
from simulation.results.results import Results, ResultsError
from simulation.state import RESULTS, discard, other_rules

from ..scenarios.arms import Progress, advance, forked, grown, planted
from ..scenarios.gone import gone
from ..scenarios.own_code import descriptions
from ..scenarios.scenario import Scenario
from .folder import PICTURES, RunError, RunFolder
from .outcomes import tell
from .pictures import overview
from .provenance import packages, version

CHECKPOINT_DAYS = 7.0


@dataclass
class RunSummary:
    """What a run came to: ``outcomes`` holds a sentence per arm, ``notes`` what a reader should know besides."""

    folder: Path
    outcomes: dict[str, str]
    notes: list[str] = field(default_factory=list)
    computed: bool = True

    @property
    def picture(self) -> Path:
        """The file of its first picture."""
        return self.folder / PICTURES[0]


def default_folder(scenario: Scenario, seed: int | None = None) -> Path:
    """Where a run goes when nobody says otherwise."""
    return Path("results") / f"{scenario.name}-seed{scenario.seed if seed is None else seed}"


def run_scenario(
    scenario: Scenario | str,
    out: str | Path | None = None,
    *,
    arms: list[str] | None = None,
    days: float | None = None,
    seed: int | None = None,
    set: dict | None = None,
    resume: bool = False,
    overwrite: bool = False,
    on_progress: Progress | None = None,
    doing: Callable[[str], None] | None = None,
    command: str = "",
) -> RunSummary:
    """Run every arm of a scenario and write the run folder; with ``resume``, complete or only read an earlier one.

    ``on_progress(arm, day, days)`` is called as the arms advance, ``doing(what)`` before what else takes seconds. Everything is
    checked before anything is written.
    Raises ScenarioError for a scenario or option that cannot be run, RunError for a folder that cannot be used.
    """
    began = time.perf_counter()
    scenario = Scenario.load(scenario) if isinstance(scenario, str) else scenario
    given = plain(
        {
            "days": days,
            "seed": seed,
            "arms": None if arms is None else several(arms),
            "set": None if set is None else dict(set),
        }
    )
    folder = RunFolder(default_folder(scenario, seed) if out is None else out)
    if resume and overwrite:
        raise RunError(
            "--resume and --overwrite exclude each other: one keeps what is there, the other removes it"
        )
    try:
        stored = folder.plan() if resume else None
        if stored and (why := other_rules(stored)):
            raise RunError(
                f"{folder.path} {why}; --overwrite starts anew, and tumorlab plot draws what is there",
                file=folder.path,
            )
        options = _same_options(folder, stored, scenario, given) if stored else given
        chosen = scenario.with_options(**options)
        if stored and folder.finished:
            return _finished(folder)
        if not stored:
            plan = {
                "name": scenario.name,
                "scenario": scenario.model_dump(mode="json"),
                "options": options,
            }
            stored = plan | {
                "packages": packages(),
                "results": RESULTS,
                "treatments": descriptions([plan["scenario"]]),
            }
            folder.begin(stored, overwrite=overwrite, resume=resume)
        run = _Run(chosen, folder, on_progress or (lambda arm, day, days: None))
        if stored.get("packages") != packages():
            run.notes.append(
                "begun with other versions of Python or its packages: the last digits may differ"
            )
        results = [run.arm(arm) for arm in chosen.arms]
        if doing:
            doing("drawing the picture")
        return run.finish(results, stored, command, began)
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        raise RunError(f"cannot write to {folder.path}: {error.strerror or error}{where}") from None
    except MemoryError:
        raise RunError(
            f"shape = {chosen.shape} does not fit in the memory that is free; take fewer sites",
            key="shape",
        ) from None


class _Run:
    """One run being computed: arm after arm, with a checkpoint every CHECKPOINT_DAYS simulated days, and where it is stopped."""

    def __init__(self, scenario: Scenario, folder: RunFolder, progress: Progress):
        self.scenario, self.folder, self.progress = scenario, folder, progress
        self.notes: list[str] = []
        self.about: dict[str, dict] = {}
        self._common: TumorModel | None = None

    def arm(self, arm: str) -> Results:
        """The results of one arm, continued from its newest whole checkpoint."""
        model = self._newest(self.folder.checkpoints(arm))
        if model is None:
            fork = self.scenario.arms[arm].start == "fork"
            model = forked(self._grown() if fork else self._grow(arm), self.scenario, arm)
        days, report = (
            self.scenario.days,
            lambda model: self.progress(arm, model.day, self.scenario.days),
        )
        try:
            while model.steps_until(days) > 0:
                marks = (number * CHECKPOINT_DAYS for number in itertools.count(1))
                until = min(
                    days,
                    next(mark for mark in marks if mark >= days or model.steps_until(mark) > 0),
                )
                advance(model, self.scenario, until, on_progress=report)
                self.folder.keep_arm(model, arm, last=model.steps_until(days) <= 0)
        except KeyboardInterrupt:
            self.folder.keep_arm(model, arm, last=False)
            raise
        self.about[arm] = {
            "start": self.scenario.arms[arm].start,
            "parameters": model.parameters.declared(),
            "treatments": {
                name: {"class": class_path(type(treatment)), "schedule": str(treatment.schedule)}
                | {parameter: treatment.value(parameter) for parameter in treatment.parameters()}
                for name, treatment in model.treatments.items()
            },
            "papers": model.citations(),
        }
        return model.results

    def _newest(self, checkpoints: list[Path]) -> TumorModel | None:
        """The model of the newest checkpoint that is whole; a damaged one is named and passed over."""
        for checkpoint in checkpoints:
            try:
                return self.folder.load(checkpoint)
            except (StateError, ResultsError) as error:
                self.notes.append(f"{error}; continued from what was before it")
        return None

    def _grown(self) -> TumorModel:
        """The common tumour, grown once and kept."""
        if self._common is None:
            kept = self.folder.path / "checkpoints" / "grown"
            self._common = self._newest([kept] if kept.exists() else [])
            if self._common is None:
                self._common = self._grow()
                self.folder.save(self._common, kept)
        return self._common

    def _grow(self, arm: str | None = None) -> TumorModel:
        """A tumour grown to day 0; where that is stopped, what has grown is kept and grows on when the run is resumed."""
        kept = self.folder.path / "checkpoints" / (arm or "") / "growing"
        model = self._newest([kept] if kept.exists() else []) or planted(self.scenario, arm)
        try:
            grown(self.scenario, arm, self.progress, model)
        except KeyboardInterrupt:
            self.folder.save(model, kept)
            raise
        discard(kept)
        return model

    def _start_cells(self, arms: dict[str, Results]) -> dict[str, int]:
        """Tumour cells of day 0, once for all forks of the common tumour."""
        cells = {
            arm: int(results.timeseries["tumor_cells"].iloc[0]) for arm, results in arms.items()
        }
        forks = [arm for arm in arms if self.scenario.arms[arm].start == "fork"]
        return {arm: number for arm, number in cells.items() if arm not in forks[1:]}

    def finish(self, results: list[Results], plan: dict, command: str, began: float) -> RunSummary:
        """Write tables, snapshots and picture, then run.json, which marks the run finished."""
        arms = {result.arm: result for result in results}
        outcomes = tell(arms)
        for arm, cells in self._start_cells(arms).items():
            grow = self.scenario.grow
            if not cells:
                self.notes.append(
                    "{}: the tumour is gone before day 0: {}; {}".format(
                        arm, *gone(self.scenario, arm)
                    )
                )
            elif grow and cells < grow.cells:
                self.notes.append(
                    f"{arm} starts with {cells} tumour cells, not {grow.cells}; max_days is {grow.max_days:g}"
                )
        outcomes |= {
            arm: f"{outcomes[arm]}: {gone(self.scenario, arm)[0]}"
            for arm, result in arms.items()
            if not result.timeseries["tumor_cells"].iloc[0]
        }
        self.notes += self.scenario.undosed()
        Results.save_all(self.folder.path, results)
        write_atomically(self.folder.path / PICTURES[0], overview(arms, self.scenario.question))
        scenario = self.scenario
        self.folder.finish(
            {
                "version": version(),
                "results": RESULTS,
                "command": command,
                "question": scenario.question,
                "seed": scenario.seed,
                "days": scenario.days,
                "scenario": {
                    "name": scenario.name,
                    "text": scenario.text,
                    "in_force": scenario.model_dump(mode="json"),
                },
                "arms": {
                    arm: {"outcome": outcomes[arm]} | about for arm, about in self.about.items()
                },
                "papers": sorted(
                    {paper for about in self.about.values() for paper in about["papers"]}
                ),
                "packages": packages(),
                "plan": plan,
                "machine": f"{platform.machine()} {sys.platform}",
                "notes": self.notes,
                "wall_seconds": round(time.perf_counter() - began, 1),
            }
        )
        return RunSummary(self.folder.path, outcomes, self.notes)


def _same_options(folder: RunFolder, stored: dict, scenario: Scenario, given: dict) -> dict:
    """The options a run was begun with; raises RunError when the scenario or a given option is another one."""
    if stored.get("scenario") != scenario.model_dump(mode="json"):
        raise RunError(
            f"{folder.path} was begun with another scenario than {scenario.name} as it is now; "
            "choose another --out, or --overwrite",
            file=folder.path,
        )
    options = stored["options"]
    begun = scenario.with_options(**options)
    in_force = {
        "days": begun.days,
        "seed": begun.seed,
        "arms": list(begun.arms),
        "set": options["set"] or {},
    }
    for name, value in given.items():
        value = (
            [*dict.fromkeys(["control", *value])] if name == "arms" and value is not None else value
        )
        same = (
            sorted(value) == sorted(in_force[name])
            if name == "arms" and value
            else value == in_force[name]
        )
        if value is not None and not same:
            raise RunError(
                f"{folder.path} was begun with {_words(in_force[name])}; leave the option out to "
                "resume that run, or choose another --out",
                key=f"--{name}",
                file=folder.path,
            )
    return options


def _words(value: object) -> str:
    if isinstance(value, dict):
        return " ".join(f"{name}={one}" for name, one in value.items()) or "nothing set"
    return ",".join(value) if isinstance(value, list) else str(value)


def _finished(folder: RunFolder) -> RunSummary:
    """The summary of a run that is complete, read from its folder."""
    record = folder.record()
    return RunSummary(
        folder.path,
        {arm: about["outcome"] for arm, about in record["arms"].items()},
        record["notes"],
        computed=False,
    )
