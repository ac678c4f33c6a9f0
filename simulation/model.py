"""The model: build, grow, step, run, fork, give, stop, save. A step is a list of verbs."""

import os
from collections.abc import Callable, Iterator
from functools import partial

import mesa
import numpy as np

from . import parameter_sets
from .cells.table import CellTable
from .cells.windows import Inhabitants
from .errors import ModelError
from .interrupts import guarded, whole
from .kernels import act as acting
from .kinds.kind import CellKind, KindError, Process, named
from .kinds.registry import Kinds
from .kinds.shipped import KINDS, RECOGNITIONS
from .parameters.bibliography import references
from .parameters.given import number, quoted, several, whole_number
from .parameters.parameter import nearest
from .population import Population
from .randomness import Randomness
from .results import measures
from .results.results import Results
from .results.snapshots import Snapshot
from .step import VERBS, Step
from .tissue import substances as tissue
from .tissue.lattice import Lattice
from .treatments import Treatment
from .treatments.regimen import Regimen

COUNTERS = ("kills", "deaths", "births", "starved", "arrived")


class TumorModel(Step, Regimen, Population, Inhabitants, mesa.Model):
    """A tumour and the immune system on a lattice.

    ``parameters``: name of a parameter set. ``treatments``: names, classes, instances or tables. ``shape``: two or three numbers
    of sites. ``seed``: a whole number; one is drawn and kept when none is given. ``overrides``: dotted parameter name ->
    value in its declared unit. ``dt``: hours a step. ``cell_kinds``, ``processes``: plug-ins, or module:NAME of them. Alone,
    ``TumorModel()`` starts with a heterogeneous tumour and immune cells. Raises ValueError (a sentence) for what is not allowed.
    """

    def __init__(self, parameters="melanoma", treatments=(), shape=(201, 201), seed=None, *, overrides=None, dt=1.0,
                 tumor_cells=None, immune_cells=True, liquid=None, cell_kinds=(), processes=(), arm="model", rng=None):
        self.seed = checked_seed(rng if seed is None else seed)
        super().__init__(rng=self.seed % 2**63)
        self._counted_step, self.step = self.step, self._whole_step  # Mesa's own, which counts, and with it all of ours
        self.disease = parameters if isinstance(parameters, parameter_sets.ParameterSet) else parameter_sets.find(parameters)
        self.parameters = self.disease.parameters()
        self.parameters.update({} if overrides is None else checked_table(overrides))
        self.liquid = self.disease.liquid if liquid is None else bool(liquid)
        self.dt = checked_dt(dt)
        self.arm = arm
        self.randomness = Randomness(self.seed)
        self.lattice = Lattice(shape, spacing=self.disease.spacing, liquid=self.liquid)
        self.kinds = Kinds([*KINDS], [*RECOGNITIONS])
        self.processes: dict[str, Process] = {}
        self.process_state: dict[str, dict] = {}
        self.cells = CellTable(self.kinds.traits(), len(self.kinds.recognitions), most=self.lattice.size)
        self.clock = 0  # steps since the model was built
        self.origin = 0  # the step of day 0
        self.owed = 0.0  # hours asked of run() that were no whole step
        self.immune_cells = bool(immune_cells)
        self.vessels = self._lay_vessels()
        self.tissue = tissue.Tissue(self.lattice, self.parameters, self.vessels)
        self.primed = 0.0  # antigen release remembered, deaths per mm2 and hour
        self.released = np.zeros(max(1, round(self.parameters.recruitment.delay / self.dt)), dtype=np.int64)
        self.counters = {name: np.zeros((0,) * (1 + (name == "kills")), dtype=np.int64) for name in COUNTERS}
        self._count_kinds()
        self.treatments: dict[str, Treatment] = {}
        self._pending: list[tuple] = []
        self._hazards: list[tuple] = []
        self._born_by_hand = 0
        self._move_in()
        self._measures: tuple[int, dict] | None = None
        self.shipped_kinds = len(self.kinds)
        for kind in several(cell_kinds):
            self.add_kind(kind)
        for process in several(processes):
            self.add_process(process)
        self._arrays_by_kind()
        self.rules = self._rules()
        self._fold()
        self._plant(self.parameters.tumor.initial_cells if tumor_cells is None else checked_count(tumor_cells, "tumor_cells"))
        self.datacollector = mesa.DataCollector(model_reporters=measures.reporters(self.measures))
        self._begin()
        for treatment in several(treatments):
            self.give(treatment)

    # ---------------------------------------------------------------- time

    @property
    def hours(self) -> float:
        """Simulated hours since the model was built."""
        return self.clock * self.dt

    @property
    def day(self) -> float:
        """Days since day 0: the fork, the end of growing, or the start."""
        return (self.clock - self.origin) * self.dt / 24.0

    def step(self) -> None:
        """One step of ``dt`` hours: treat, diffuse, sense, recruit, act, divide, die, settle, measure."""
        for _, run in self.deeds():
            run()

    def deeds(self) -> Iterator[tuple[str, Callable[[], None]]]:
        """What one step is made of, in order: the verbs, and the processes after each, by name."""
        for verb in VERBS:
            yield verb, getattr(self, verb)
            for process in self.processes.values():
                if process.after == verb:
                    yield process.name, partial(process.run, self)

    def _whole_step(self, *arguments, **keywords) -> None:
        with whole():
            self._counted_step(*arguments, **keywords)

    def run(self, days: float | None = None, progress: bool | None = None, snapshot_every: float = 7.0, on_progress=None, *,
            until: float | None = None) -> "TumorModel":
        """Run for ``days``, or ``until`` a day; a progress bar appears when a person watches.

        What is no whole step is carried to the next run. The moment at which a run ends has a row in the results; one that lies
        between two rows goes when time goes on. ``on_progress(model)`` is called after each step.
        """
        from .progress import watch

        steps, owed = self._asked(days, until)
        self.owed = 0.0  # should the run be stopped
        apart = 0 if snapshot_every is None or snapshot_every is False else checked_days(snapshot_every, "snapshot_every")
        every = max(1, round(apart * 24.0 / self.dt)) if apart else 0
        if every and not self.results.snapshots:
            self.results.add_snapshot(self.snapshot())
        with guarded():
            for _ in watch(steps, f"{self.arm}, {steps * self.dt / 24.0:g} days", progress):
                with whole():  # a step and the snapshot that is due after it
                    self.step()
                    if every and (self.clock - self.origin) % every == 0:
                        self.results.add_snapshot(self.snapshot())
                if on_progress is not None:
                    on_progress(self)
            with whole():
                if not self.results.has(self.day):
                    self.results.end()
                    self._record()
                if every and self.day not in self.results.snapshots:
                    self.results.add_snapshot(self.snapshot())
                self.owed = owed
        return self

    def steps_until(self, day: float) -> int:
        """Steps from now to the step nearest to a day; below 0 for a day that is past."""
        return round(checked_days(day, "until") * 24.0 / self.dt) - (self.clock - self.origin)

    def _asked(self, days: float | None, until: float | None) -> tuple[int, float]:
        """Whole steps of a run, and the hours that are left over."""
        if (days is None) == (until is None):
            raise ModelError("run takes either days, how long, or until, the day on which it ends")
        if until is None:
            hours = checked_days(days) * 24.0 + self.owed
            steps = max(0, round(hours / self.dt))
        else:
            day = checked_days(until, "until")
            steps, hours = self.steps_until(day), day * 24.0 - (self.clock - self.origin) * self.dt
            if steps < 0:
                raise ModelError(f"until = {day:g} is not allowed: it is day {self.day:g} already")
        return steps, hours - steps * self.dt

    def grow(self, cells: int = 5000, max_days: float = 60.0, immune_cells: bool = True, on_progress=None) -> "TumorModel":
        """Grow untreated until the tumour has ``cells`` cells, or for ``max_days``; day 0 is where it ends.

        ``immune_cells=False`` keeps them out until day 0.
        """
        if self.treatments or self._pending:
            raise ModelError("a tumour grows before it is treated: give treatments after grow()")
        wanted, steps = checked_count(cells, "cells"), round(checked_days(max_days, "max_days") * 24.0 / self.dt)
        present, self.owed = self.immune_cells, 0.0
        self.immune_cells = present and bool(immune_cells)
        if present and not immune_cells:
            self.kill(np.flatnonzero(self.cells.alive & self._attackers[self.cells["kind"]]))
        try:
            with guarded():
                for _ in range(steps):
                    if self.count("tumor_cell") >= wanted or self.count("tumor_cell") == 0:
                        break
                    self.step()
                    if on_progress is not None:
                        on_progress(self)
        finally:
            self.immune_cells = present
        if present and not immune_cells:
            self._scatter_immune()
        self._begin()
        return self

    def _begin(self) -> None:
        """Make this moment day 0: results start anew."""
        self.origin = self.clock
        for counter in self.counters.values():
            counter[:] = 0
        self._measures = None
        self.results = Results(self.arm)
        self.results.citations = self.citations()
        self.results.provenance = {"seed": self.seed, "parameter_set": self.disease.name, "dt": self.dt,
                                   "shape": list(self.lattice.shape), "parameters": self.parameters.declared()}
        self.results.record(self.measures)

    # ---------------------------------------------------------------- what the model is made of

    def add_kind(self, kind: CellKind | str) -> None:
        """A further kind of cell; its traits get columns, its rules a baseline, the interaction table a row and a column."""
        kind = named(kind, CellKind)
        self.kinds.add(kind)
        for trait in kind.traits:
            self.cells.add_trait(trait.name)
        self.cells.add_recognitions(len(self.kinds.recognitions))
        self._count_kinds()
        self._arrays_by_kind()

    def _count_kinds(self) -> None:
        """Counters of every kind: one number each, and of ``kills`` who killed whom."""
        for name, counter in self.counters.items():
            self.counters[name] = np.pad(counter, [(0, len(self.kinds) - len(counter))] * counter.ndim)

    def add_process(self, process: Process | str) -> None:
        """A further behaviour with its own loop, run after the verb it names."""
        process = named(process, Process)
        if process.after not in VERBS:
            raise KindError(f"process {process.name!r}: after = {process.after!r} is no verb{nearest(process.after, VERBS)}")
        self.processes[process.name] = process
        self.process_state.setdefault(process.name, {})

    def relay(self) -> None:
        """Work out anew what follows from vessels, parameters and seed; the fields keep their values."""
        before = self.tissue.state()
        self.tissue = tissue.Tissue(self.lattice, self.parameters, self.vessels)
        self.tissue.restore(before)
        self._arrays_by_kind()

    def _arrays_by_kind(self) -> None:
        kinds, random = self.kinds, self.randomness
        self._motile, self._yielding, self._driven = (kinds.flags(f) for f in ("motile", "yielding", "driven"))
        self._recognition, self._attackers = kinds.interactions(), kinds.attackers()
        self._capacity = kinds.numbers("capacity", self.parameters)
        self._pdl1_induced = kinds.numbers("pdl1_induced", self.parameters)
        self._reach = max(0, round(self.parameters.recruitment.entry_reach / self.lattice.spacing))
        self._act_keys = acting.ActKeys(*(random.key(f"act.{name}") for name in acting.ActKeys._fields))
        self._release = np.zeros(1, dtype=np.int64)
        self._acting = ""
        edge = self.lattice.coordinates(self.lattice.interior)
        far = np.array(self.lattice.shape) - 1
        self._rim = self.lattice.interior[((edge == 0) | (edge == far)).any(axis=1)].astype(np.int64)

    # ---------------------------------------------------------------- what can be read

    @property
    def shape(self) -> tuple[int, ...]:
        return self.lattice.shape

    @property
    def fields(self):
        """Name -> Field."""
        return self.tissue.fields

    @property
    def measures(self) -> dict:
        """The numbers of this moment, as in a row of the time series."""
        if self._measures is None or self._measures[0] != self.cells.version:
            self._measures = (self.cells.version, measures.measure(self))
        return self._measures[1]

    def snapshot(self) -> Snapshot:
        """Every living cell and every field at this moment."""
        table, order = self.cells, self.lattice.occupant[self.lattice.interior]
        rows = order[order >= 0]
        taken = ["kind", "name", "clone", "antigen", "car_target", "mhc", "presented_mhc", "pdl1", "pdl1_shown",
                 "stress_ligand", "exhaustion", "fixed_exhaustion", "stimulation"]
        cells = {name: table[name][rows] for name in dict.fromkeys([*taken, *self.kinds.traits()])}
        cells["site"] = self.lattice.flat(table["site"][rows]).astype(np.int64)
        cells["vigour"] = (1.0 - cells["exhaustion"]) * (1.0 - cells["fixed_exhaustion"])
        fields = {name: self.tissue.image(name) for name in self.fields}
        return Snapshot(self.day, self.shape, self.lattice.spacing, self.liquid, tuple(self.kinds.names), cells, fields)

    def citations(self) -> list[str]:
        """References behind the parameters in force, each once, in alphabetical order."""
        groups = [*self.parameters.groups().values(), *getattr(self, "treatments", {}).values()]
        return references(row["source"] for group in groups for row in group.table())

    # ---------------------------------------------------------------- copies

    def fork(self, treatments=(), seed: int | None = None, arm: str | None = None) -> "TumorModel":
        """Another future of the same tissue: day 0 is now, and ``treatments`` join those already given.

        With ``seed`` the draws differ from here on; without, the two differ only by what the treatments do.
        """
        from .state import copied

        twin = copied(self, seed=None if seed is None else checked_seed(seed), arm=arm or self.arm)
        twin._begin()
        for treatment in several(treatments):
            twin.give(treatment)
        return twin

    def save(self, folder: str | os.PathLike) -> None:
        """Write the whole state into a folder: arrays as npz, the rest as JSON, each with its SHA-256; never pickle."""
        from .state import save

        save(self, folder)

    @classmethod
    def load(cls, folder: str | os.PathLike, cell_kinds=(), processes=()) -> "TumorModel":
        """A model that goes on exactly where the saved one stood. Raises StateError for a damaged or foreign folder."""
        from .state import load

        return load(cls, folder, cell_kinds, processes)


def checked_seed(seed) -> int:
    """A whole number from 0 to 2^63 - 1; one is drawn from the operating system when none is given."""
    if seed is None:
        return int.from_bytes(os.urandom(4), "little")
    found = whole_number(seed)
    if found is None or not 0 <= found < 2**63:
        raise ModelError(f"seed = {quoted(seed)} is not allowed: give a whole number from 0 to 2^63 - 1")
    return found


def checked_dt(dt) -> float:
    """Hours of a step."""
    found = number(dt)
    if found is None or not 0.001 <= found <= 6.0:
        raise ModelError(f"dt = {quoted(dt)} is not allowed: give the hours of a step, between 0.001 and 6")
    return float(found)


def checked_days(days, name: str = "days") -> float | int:
    """A span of simulated time."""
    found = number(days)
    if found is None or not 0 <= found <= 36_500:
        raise ModelError(f"{name} = {quoted(days)} is not allowed: give a number between 0 and 36500")
    return found


def checked_count(cells, name: str) -> int:
    """A number of cells."""
    found = whole_number(cells)
    if found is None or found < 0:
        raise ModelError(f"{name} = {quoted(cells)} is not allowed: give a whole number of at least 0")
    return found


def checked_table(values) -> dict:
    """Values by name: a dictionary or a series of pandas."""
    try:
        return dict(values)
    except (TypeError, ValueError):
        raise ModelError(f"overrides = {quoted(values)} is not allowed: give dotted names with values") from None
