"""The model: build, grow, step, run, fork, give, stop, save. A step is a list of verbs."""

import math
import os

import mesa
import numpy as np

from . import measures, parameter_sets, tissue
from .agents import KINDS
from .bibliography import references
from .cells import CellTable, inherit, start_trait
from .kernels import act as acting
from .kernels import death, division, recruitment, sensing
from .kernels.contact import ANTIGEN_UNITS
from .kinds import RECOGNITIONS, CellKind, KindError, Kinds, Process, resolve
from .lattice import EMPTY, Lattice
from .parameters import nearest
from .randomness import Randomness
from .results import Results
from .rules import Rules
from .snapshots import Snapshot
from .treatments import Treatment, TreatmentError, build
from .windows import Inhabitants

VERBS = ("treat", "diffuse", "sense", "recruit", "act", "divide", "die", "settle", "measure")
RECORD_EVERY = 6.0  # hours between rows of the time series
SORT_EVERY = 48  # steps between laying rows anew in the order of sites; changes no result
COUNTERS = ("kills", "deaths", "births", "starved", "arrived")


class ModelError(ValueError):
    """A model asked for something impossible; one sentence."""


class TumorModel(Inhabitants, mesa.Model):
    """A tumour and the immune system on a lattice.

    ``parameters``: name of a parameter set. ``treatments``: names, classes, instances or tables. ``shape``: two or three numbers
    of sites. ``seed``: a whole number; one is drawn and kept when none is given. ``overrides``: dotted parameter name ->
    value in its declared unit. ``dt``: hours a step. ``cell_kinds``, ``processes``: plug-ins. Alone, ``TumorModel()``
    starts with a heterogeneous tumour and immune cells. Raises ValueError (one sentence) for what is not allowed.
    """

    def __init__(self, parameters="melanoma", treatments=(), shape=(201, 201), seed=None, *, overrides=None, dt=1.0,
                 tumor_cells=None, immune_cells=True, liquid=None, cell_kinds=(), processes=(), arm="model", rng=None):
        self.seed = checked_seed(rng if seed is None else seed)
        super().__init__(rng=self.seed % 2**63)
        self.disease = parameter_sets.find(parameters) if isinstance(parameters, str) else parameters
        self.parameters = self.disease.parameters()
        self.parameters.update(overrides or {})
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
        self.immune_cells = bool(immune_cells)
        self.vessels = self._lay_vessels()
        self.tissue = tissue.Tissue(self.lattice, self.parameters, self.vessels)
        self.primed = 0.0  # antigen release remembered, deaths per mm2 and hour
        self.released = np.zeros(max(1, round(self.parameters.recruitment.delay / self.dt)), dtype=np.int64)
        self.counters = {name: np.zeros(len(self.kinds), dtype=np.int64) for name in COUNTERS}
        self.treatments: dict[str, Treatment] = {}
        self._pending: list[tuple] = []
        self._hazards: list[tuple] = []
        self._born_by_hand = 0
        self._move_in()
        self._measures: tuple[int, dict] | None = None
        self._scratch = None
        self.shipped_kinds = len(self.kinds)
        for kind in cell_kinds:
            self.add_kind(kind)
        for process in processes:
            self.add_process(process)
        self._arrays_by_kind()
        self.rules = self._rules()
        self.rates = self.rules.fold(self.cells["kind"])
        self._plant(self.parameters.tumor.initial_cells if tumor_cells is None else int(tumor_cells))
        self.datacollector = mesa.DataCollector(model_reporters=measures.reporters(self.measures))
        self._begin()
        for treatment in treatments:
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
        for verb in VERBS:
            getattr(self, verb)()
            for process in self.processes.values():
                if process.after == verb:
                    process.run(self)

    def run(self, days: float, progress: bool | None = None, snapshot_every: float = 7.0, on_progress=None) -> "TumorModel":
        """Run for ``days``; a progress bar appears when a person watches. ``on_progress(model)`` is called after each step."""
        from .progress import watch

        steps = checked_steps(days, self.dt)
        every = max(1, round(snapshot_every * 24.0 / self.dt)) if snapshot_every else 0
        if every and self.day not in self.results.snapshots:
            self.results.add_snapshot(self.snapshot())
        for _ in watch(steps, f"{self.arm}, {days:g} days", progress):
            self.step()
            if every and (self.clock - self.origin) % every == 0:
                self.results.add_snapshot(self.snapshot())
            if on_progress is not None:
                on_progress(self)
        if every and self.day not in self.results.snapshots:
            self.results.add_snapshot(self.snapshot())
        return self

    def grow(self, cells: int = 5000, max_days: float = 60.0, immune_cells: bool = True, on_progress=None) -> "TumorModel":
        """Grow untreated until the tumour has ``cells`` cells, or for ``max_days``; day 0 is where it ends.

        ``immune_cells=False`` keeps them out until day 0.
        """
        if self.treatments or self._pending:
            raise ModelError("a tumour grows before it is treated: give treatments after grow()")
        present = self.immune_cells
        self.immune_cells = present and bool(immune_cells)
        if present and not immune_cells:
            self.kill(np.flatnonzero(self.cells.alive & self._attackers[self.cells["kind"]]))
        for _ in range(checked_steps(max_days, self.dt)):
            if self.count("tumor_cell") >= cells or self.count("tumor_cell") == 0:
                break
            self.step()
            if on_progress is not None:
                on_progress(self)
        if present and not immune_cells:
            self.immune_cells = present
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

    # ---------------------------------------------------------------- the verbs of a step

    def treat(self) -> None:
        """Give what is due; every treatment then bends the rules of this step."""
        pending, self._pending = self._pending, []
        for action, what in pending:
            self._join(what) if action == "give" else self._leave(what)
        start, end = self.hours, self.hours + self.dt
        ordered = [self.treatments[name] for name in sorted(self.treatments)]
        for treatment in ordered:
            offset = treatment.start + treatment.first_dose
            due = 0 if treatment.stopped else treatment.schedule.due(start - offset, end - offset)
            if due:
                for hour in treatment.schedule.dose_times(math.nextafter(end - offset, -math.inf))[-due:]:
                    treatment.doses.append((hour + offset, 1.0))
                    amount = treatment.value("dose") if "dose" in treatment.parameters() else 1.0
                    self.results.add_dose(self.day, treatment.name, amount)
                    treatment.on_dose(self, len(treatment.doses) - 1)
        self._hazards = []
        for treatment in ordered:
            self._acting = treatment.name
            treatment.on_step(self)
        self._acting = ""
        self.rules = self._rules()
        for who, rate, where in self._hazards:
            self.rules.for_treatment(who).death.add(rate, where=where)
        for treatment in ordered:
            treatment.modify(self.rules.for_treatment(treatment.name), self)
        self.rates = self.rules.fold(self.cells["kind"])

    def diffuse(self) -> None:
        """Fields move on by one step."""
        self.tissue.diffuse(self.cells.view(), self.rates, self.parameters, self.rules.supplies, self.dt)

    def sense(self) -> None:
        """Cells read fields; who can be recognised, and how well, follows."""
        cells, tumor = self.cells, self.parameters.tumor
        sensing.show(cells.view(), self.rates, cells["mhc"], cells["pdl1"], self.fields["ifn_gamma"].values,
                     self.tissue.node_wide, tumor.mhc_resting, self._pdl1_induced)
        for i, recognition in enumerate(self.kinds.recognitions):
            recognition.score(self, cells.seen[i, : cells.rows], cells.stimulus[i, : cells.rows])

    def recruit(self) -> None:
        """Immune cells enter: base influx, and a gain that antigen release of some days ago allows."""
        group = self.parameters.recruitment
        slot = self.clock % len(self.released)
        release = self.released[slot] / ANTIGEN_UNITS / self.lattice.extent / self.dt
        self.released[slot] = 0
        self.primed += (release - self.primed) * -math.expm1(-self.dt / group.memory)
        if not self.immune_cells:
            return
        gain = self.primed / (group.half_release + self.primed)
        influx, boost = self.rules.value("influx"), self.rules.value("influx_gain")
        for k, kind in enumerate(self.kinds):
            arrivals = (influx[k] + boost[k] * gain) * self.lattice.extent  # cells per hour
            for entries, share, purpose in ((self.vessels, 1.0 - group.rim_share, "vessel"),
                                            (self._rim, group.rim_share, "rim")):
                if arrivals > 0.0 and share > 0.0 and len(entries):
                    self._enter(k, kind, entries, arrivals * share / len(entries), purpose)

    def _enter(self, k, kind, entries, rate, purpose) -> None:
        sites, names = np.empty(len(entries), dtype=np.int64), np.empty(len(entries), dtype=np.int64)
        arrived = recruitment.enter(self.lattice.space, entries, rate, self.lattice.strides, self._reach,
                                    self.randomness.key(f"recruit.{kind.name}.{purpose}"), self.clock, self.dt, sites, names)
        self._settle_new(kind.name, sites[:arrived], names[:arrived])
        self.counters["arrived"][k] += arrived

    def act(self) -> None:
        """Six sub-steps of moving, engaging, hitting and letting go; then exhaustion and stimulation."""
        kind = self.cells["kind"]
        movers = np.flatnonzero(self._motile[kind] & (kind >= 0))
        attackers = np.flatnonzero(self._attackers[kind] & (kind >= 0))
        scratch = self._scratch_for(max(len(movers), len(attackers)))
        cells, checkpoint = self.cells.view(), self.parameters.checkpoint
        acting.act(cells, self.lattice.space, self.rates, movers, attackers, self._yielding, self._recognition,
                   self.tissue.guide(), self._act_keys, self.clock * acting.SUBSTEPS, self.dt,
                   checkpoint.exhaustion_gain, checkpoint.half_pdl1, self.cells["antigen"], scratch,
                   self.counters["kills"], self.counters["deaths"], self._release)
        group = self.parameters.fields
        acting.tire(cells, self.rates, attackers, self.tissue.node_fine, self.fields["il2"].values, group.il2_half,
                    self._capacity, self.dt)
        for agent in self.visitors():
            agent.step()

    def divide(self) -> None:
        """Cells with room and drive divide; daughters inherit, with small steps and rare losses."""
        rows = self.cells.rows
        mothers, sites, names = (np.empty(rows, dtype=np.int64) for _ in range(3))
        births = division.divide(self.cells.view(), self.lattice.space, self.rates, self._driven, self.tissue.around(),
                                 self.parameters.fields.il2_half, self.randomness.key("divide"), self.clock, self.dt,
                                 mothers, sites, names)
        if births == 0:
            return
        mothers, sites, names = mothers[:births], sites[:births], names[:births]
        cells = self.cells
        cells["divisions"][mothers] += 1
        daughters = cells.take_rows(births)
        cells.copy_rows(mothers, daughters)
        cells["mother"][daughters] = cells["name"][mothers]
        cells["name"][daughters] = names
        cells["born"][daughters] = self.clock + 1
        self._stand(daughters, sites)
        both = np.concatenate([mothers, daughters])
        kind = cells["kind"][both]
        self.counters["births"] += np.bincount(kind[births:], minlength=len(self.kinds))
        for k, each in enumerate(self.kinds):
            for trait in each.traits:
                numbers = [resolve(n, self.parameters) for n in (trait.mutation, trait.loss, trait.halving)]
                if any(numbers):
                    stream = self.randomness.stream(f"inherit.{trait.name}", self.clock)
                    inherit(cells[trait.name], both[kind == k], cells["name"], *numbers, trait.high, stream)

    def die(self) -> None:
        """Hazards of age, hypoxia and drugs."""
        cells, tumor = self.cells, self.parameters.tumor
        death.die(cells.view(), self.lattice.space, self.rates, self.fields["oxygen"].values, self.tissue.node_fine,
                  tumor.necrosis_threshold, cells["antigen"], self.randomness.key("die"), self.clock, self.dt,
                  self.counters["deaths"], self.counters["starved"], self._release)
        self._let_go()

    def settle(self) -> None:
        """The step ends: antigen release is put down for later, rows are laid anew now and then, time goes on."""
        self.released[self.clock % len(self.released)] += self._release[0]
        self._release[0] = 0
        self.clock += 1
        self.cells.version += 1
        if self.clock % SORT_EVERY == 0:
            self.cells.sort_by_site(self.lattice.occupant, self.lattice.interior)

    def measure(self) -> None:
        """A row for the data collector; every 6 hours one for the results."""
        self.datacollector.collect(self)
        if (self.clock - self.origin) % max(1, round(RECORD_EVERY / self.dt)) == 0:
            self.results.record(self.measures)
            for name in sorted(self.treatments):
                found = self.treatments[name].measure(self)
                if found:
                    self.results.add_measures(self.day, name, found)

    # ---------------------------------------------------------------- treatments

    def give(self, treatment) -> Treatment:
        """Add a treatment; it acts from the next step on. Raises TreatmentError when its name is taken."""
        treatment = build(treatment)
        taken = set(self.treatments) | {t.name for action, t in self._pending if action == "give"}
        if treatment.name in taken:
            raise TreatmentError(f"there are two treatments named {treatment.name!r}: give one of them another name")
        self._pending.append(("give", treatment))
        self.results.log.append({"day": self.day, "action": "give", "treatment": treatment.name,
                                 "class": class_path(type(treatment)), "parameters": treatment.changed(),
                                 "schedule": treatment.schedule.to_dict()})
        return treatment

    def stop(self, name: str) -> None:
        """No further doses of a treatment from the next step on; what is in the body washes out."""
        taken = [*self.treatments, *(t.name for action, t in self._pending if action == "give")]
        if name not in taken:
            raise TreatmentError(f"there is no treatment {name!r} in this model{nearest(name, taken)}")
        self._pending.append(("stop", name))
        self.results.log.append({"day": self.day, "action": "stop", "treatment": name})

    def _join(self, treatment: Treatment) -> None:
        for kind in treatment.kinds:
            if kind.name not in self.kinds.names:
                self.add_kind(kind)
        for process in treatment.processes:
            self.add_process(process)
        treatment.start = self.hours
        self.treatments[treatment.name] = treatment
        treatment.on_start(self)
        self.results.citations = self.citations()

    def _leave(self, name: str) -> None:
        self.treatments[name].stopped = True

    def add_hazard(self, rate, where=None) -> None:
        """Called in ``on_step``: cells chosen by ``where`` (one True or False per row) die at ``rate`` per hour more."""
        if not self._acting:
            raise ModelError("add_hazard is called by a treatment in its on_step")
        self._hazards.append((self._acting, rate, where))

    def infuse(self, kind: str, number: int, by: Treatment) -> int:
        """Bring cells in through the vessels; returns how many found room. Their names come from treatment and dose."""
        self.kinds.index(kind)
        number = min(int(number), self.lattice.size)  # more would never find room
        entries = self.lattice.interior if self.liquid or not len(self.vessels) else self.vessels
        purpose, dose = f"treatments.{by.name}.infuse.{kind}", len(by.doses)
        sites, chosen = np.empty(number, dtype=np.int64), np.empty(number, dtype=np.int64)
        placed = recruitment.infuse(self.lattice.space, entries, np.arange(number), self.lattice.strides, self._reach,
                                    self.randomness.stream(purpose, dose), sites, chosen)
        names = self.randomness.names(purpose + ".name", dose, chosen[:placed])
        self._settle_new(kind, sites[:placed], names)
        return placed

    # ---------------------------------------------------------------- cells

    @property
    def fields(self):
        """Name -> Field."""
        return self.tissue.fields

    def count(self, kind: str) -> int:
        """Living cells of one kind."""
        return int(np.count_nonzero(self.cells["kind"] == self.kinds.index(kind)))

    def counts(self) -> dict[str, int]:
        """Living cells of every kind."""
        return {name: self.count(name) for name in self.kinds.names}

    def rows(self, kind: str) -> np.ndarray:
        """True for the rows of the living cells of one kind: a ``where=`` for rules."""
        return self.cells["kind"] == self.kinds.index(kind)

    def kill(self, rows) -> None:
        """Remove cells by row."""
        rows = np.asarray(rows, dtype=np.int64)
        kinds = self.cells["kind"][rows]
        self.counters["deaths"] += np.bincount(kinds[kinds >= 0], minlength=len(self.kinds))
        self.lattice.occupant[self.cells["site"][rows]] = EMPTY
        self.cells["kind"][rows] = -1
        self._let_go()
        self.cells.version += 1
        self._measures = None

    def _let_go(self) -> None:
        death.let_go(self.cells.view(), np.flatnonzero(self.cells["partner"] >= 0))

    def _settle_new(self, kind: str, sites: np.ndarray, names: np.ndarray) -> np.ndarray:
        """Rows for cells that come from outside, with traits as the parameters say."""
        rows = self.cells.take_rows(len(sites))
        if len(rows) == 0:
            return rows
        cells = self.cells
        cells["kind"][rows] = self.kinds.index(kind)
        cells["name"][rows] = names
        cells["clone"][rows] = names
        cells["born"][rows] = self.clock
        declared = self.kinds[kind]
        cells["capacity"][rows] = self._capacity[self.kinds.index(kind)]
        for trait in declared.traits:
            numbers = [resolve(n, self.parameters) for n in (trait.start, trait.spread, trait.negative_share)]
            stream = self.randomness.stream(f"start.{trait.name}", 0)
            start_trait(cells[trait.name], rows, cells["name"], *numbers, trait.high, stream)
        cells["presented_mhc"][rows] = cells["mhc"][rows] * self.parameters.tumor.mhc_resting
        cells["pdl1_shown"][rows] = cells["pdl1"][rows]
        self._stand(rows, sites)
        return rows

    def _stand(self, rows, sites) -> None:
        self.cells["site"][rows] = sites
        self.lattice.occupant[sites] = rows

    def _plant(self, number: int) -> None:
        """The start: a disc of tumour cells, immune cells scattered around."""
        if not 0 <= number <= self.lattice.size:
            raise ModelError(f"tumor.initial_cells = {number} does not fit: the lattice has {self.lattice.size} sites")
        order = self._by_chance("plant.order") if self.liquid else np.argsort(self.lattice.from_centre(), kind="stable")
        sites = self.lattice.interior[order[:number]].astype(np.int64)
        self._settle_new("tumor_cell", sites, self.randomness.names("plant.tumor_cell", 0, np.arange(number)))
        if self.immune_cells:
            self._scatter_immune()

    def _scatter_immune(self) -> None:
        for kind in self.kinds:
            number = round(resolve(kind.initial_density, self.parameters) * self.lattice.extent)
            order = self._by_chance(f"scatter.{kind.name}")
            free = self.lattice.interior[order][self.lattice.occupant[self.lattice.interior[order]] == EMPTY]
            sites = free[:number].astype(np.int64)
            names = self.randomness.names(f"scatter.{kind.name}.name", self.clock, sites)
            self._settle_new(kind.name, sites, names)

    def _by_chance(self, purpose: str) -> np.ndarray:
        """All interior sites in a random order."""
        return np.argsort(self.randomness.uniform(purpose, self.clock, self.lattice.interior), kind="stable")

    def _lay_vessels(self) -> np.ndarray:
        share = self.parameters.recruitment.vessel_density * (self.lattice.spacing / 1000.0) ** self.lattice.ndim
        chosen = self.randomness.uniform("vessels", 0, self.lattice.interior) < share
        return self.lattice.interior[chosen].astype(np.int64)

    # ---------------------------------------------------------------- what the model is made of

    def add_kind(self, kind: CellKind) -> None:
        """A further kind of cell; its traits get columns, its rules a baseline, the interaction table a row and a column."""
        self.kinds.add(kind)
        for trait in kind.traits:
            self.cells.add_trait(trait.name)
        self.cells.add_recognitions(len(self.kinds.recognitions))
        for name, counter in self.counters.items():
            self.counters[name] = np.append(counter, np.zeros(len(self.kinds) - len(counter), dtype=np.int64))
        self._arrays_by_kind()

    def add_process(self, process: Process) -> None:
        """A further behaviour with its own loop, run after the verb it names."""
        if process.after not in VERBS:
            raise KindError(f"process {process.name!r}: after = {process.after!r} is no verb{nearest(process.after, VERBS)}")
        self.processes[process.name] = process
        self.process_state.setdefault(process.name, {})

    def relay(self) -> None:
        """Work out anew what follows from vessels, parameters and seed."""
        self.tissue = tissue.Tissue(self.lattice, self.parameters, self.vessels)
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

    def _rules(self) -> Rules:
        most = self.parameters.checkpoint.max_occupancy
        return Rules(self.kinds.baseline(self.parameters), self.kinds.names, self.cells.rows, {"pd1": most, "pdl1": most})

    def _scratch_for(self, rows: int) -> acting.Scratch:
        if self._scratch is None or len(self._scratch.dest) < rows:
            size = rows + rows // 2 + 16
            roaming, dest, who, onto = (np.empty(size, dtype=np.int64) for _ in range(4))
            self._scratch = acting.Scratch(roaming, dest, who, onto, np.empty(4096), np.empty(4096, dtype=np.int64))
        return self._scratch

    def checked_trait(self, kind: str, name: str, value) -> float:
        """A value that a trait may take. Raises ValueError with the range."""
        high = {trait.name: trait.high for trait in self.kinds[kind].traits}.get(name, np.inf)
        if name in ("exhaustion", "fixed_exhaustion", "stimulation", "specificity"):
            high = 1.0
        if not 0.0 <= float(value) <= high:
            raise ModelError(f"{name} = {value!r} of a {kind} is not allowed: it must be between 0 and {high:g}")
        return float(value)

    # ---------------------------------------------------------------- what can be read

    @property
    def shape(self) -> tuple[int, ...]:
        return self.lattice.shape

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
        for treatment in treatments or ():
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
    """A whole number of at least 0; one is drawn from the operating system when none is given."""
    if seed is None:
        return int.from_bytes(os.urandom(4), "little")
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**63:
        raise ModelError(f"seed = {seed!r} is not allowed: give a whole number of at least 0")
    return int(seed)


def checked_dt(dt) -> float:
    if isinstance(dt, bool) or not isinstance(dt, int | float) or not 0.001 <= dt <= 6.0:
        raise ModelError(f"dt = {dt!r} is not allowed: give the hours of a step, between 0.001 and 6")
    return float(dt)


def checked_steps(days, dt: float) -> int:
    if isinstance(days, bool) or not isinstance(days, int | float) or not 0 <= days <= 36_500:
        raise ModelError(f"days = {days!r} is not allowed: give a number between 0 and 36500")
    return round(days * 24.0 / dt)


def class_path(cls: type) -> str:
    """``module:Class``, how a class is written down."""
    return f"{cls.__module__}:{cls.__qualname__}"
