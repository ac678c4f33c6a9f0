"""The model: build, grow, step, run, fork, give, stop, save. A step is a list of verbs."""

import os
from collections.abc import Callable, Iterator
from functools import partial

import mesa
import numpy as np

from . import compiled, parameter_sets, state
from .arguments import checked_count, checked_days, checked_dt, checked_seed, checked_table
from .body.body import Body
from .body.compartment import Compartment
from .cells.table import CellTable
from .cells.windows import Inhabitants
from .errors import ModelError, UnknownTrait
from .interrupts import guarded, whole
from .kernels.surroundings import around
from .kinds.catalogue import named
from .kinds.kind import CellKind, KindError, Process
from .kinds.registry import Kinds, Processes
from .kinds.shipped import KINDS, RECOGNITIONS
from .parameters.bibliography import references
from .parameters.given import quoted, several
from .parameters.parameter import nearest
from .population import Population
from .randomness import Randomness
from .results import measures
from .results.results import Results
from .results.snapshots import Snapshot
from .rules import RuleError, Rules, checked_rule
from .step import VERBS, Step
from .tissue.effect import Effect
from .tissue.field_kind import FieldKind
from .tissue.fields import FieldError
from .tissue.lattice import Lattice
from .tissue.substances import Tissue
from .tissue.vessels import Vessels
from .treatments import Treatment, build
from .treatments.regimen import Regimen


class TumorModel(mesa.Model):
    """A tumour and the immune system on a lattice.

    ``parameters``: name of a parameter set. ``treatments``: names, classes, instances or tables. ``shape``: two or three numbers
    of sites. ``seed``: a whole number; one is drawn and kept when none is given. ``overrides``: dotted parameter name ->
    value in its declared unit. ``dt``: hours a step. ``cell_kinds``, ``processes``, ``compartments``, ``fields``, ``effects``:
    plug-ins, or module:NAME of them. Alone, ``TumorModel()`` starts with a heterogeneous tumour and immune cells. Raises
    ValueError (a sentence) for what is not allowed.
    """

    parts = ("population", "vessels", "tissue", "body", "processes", "regimen", "inhabitants")
    """What a model is made of and saved as, in the order in which it stands again: plain agents come when all else is there."""

    def __init__(
        self,
        parameters="melanoma",
        treatments=(),
        shape=(201, 201),
        seed=None,
        *,
        overrides=None,
        dt=1.0,
        tumor_cells=None,
        immune_cells=True,
        liquid=None,
        cell_kinds=(),
        processes=(),
        compartments=(),
        fields=(),
        effects=(),
        arm="model",
        rng=None,
    ):
        self.seed = checked_seed(rng if seed is None else seed)
        super().__init__(rng=self.seed % 2**63)
        self._counted_step, self.step = (
            self.step,
            self._whole_step,
        )  # Mesa's own, which counts, and with it all of ours
        self.disease = (
            parameters
            if isinstance(parameters, parameter_sets.ParameterSet)
            else parameter_sets.find(parameters)
        )
        cell_kinds = [named(kind, CellKind) for kind in several(cell_kinds)]
        treatments = [build(treatment) for treatment in several(treatments)]
        self.parameters = self.disease.parameters(
            [*cell_kinds, *(kind for treatment in treatments for kind in treatment.kinds)]
        )
        self.parameters.update({} if overrides is None else checked_table(overrides))
        self.liquid = self.disease.liquid if liquid is None else bool(liquid)
        self.dt = checked_dt(dt)
        self.arm = arm
        self.randomness = Randomness(self.seed)
        self.lattice = Lattice(shape, spacing=self.disease.spacing, liquid=self.liquid)
        self.kinds = Kinds([*KINDS], [*RECOGNITIONS])
        self.shipped_kinds = len(self.kinds)
        self.clock = 0  # steps since the model was built
        self.origin = 0  # the step of day 0
        self.owed = 0.0  # hours asked of run() that were no whole step
        self.immune_cells = bool(immune_cells)
        self.vessels = Vessels(self.lattice, self.parameters, self.randomness)
        self.tissue = Tissue(self.lattice, self.parameters, self.vessels)
        self.body = Body(self.parameters.recruitment.delay, self.dt)
        self.population = Population(
            self.kinds, self.lattice, self.vessels, self.parameters, self.randomness
        )
        self.regimen = Regimen(self)
        self.processes = Processes()
        self.inhabitants = Inhabitants(self)
        self.verbs = Step(self)
        self._measures: tuple[int, dict] | None = None
        for field in self.tissue.kinds.values():
            self.kinds.declare(field.rules, f"field {field.name!r}")
        for field in several(fields):
            self.add_field(field)
        for kind in cell_kinds:
            self.add_kind(kind)
        for process in several(processes):
            self.add_process(process)
        for compartment in several(compartments):
            self.add_compartment(compartment)
        for effect in several(effects):
            self.add_effect(effect)
        self.rules = self.baseline()
        self.fold()
        self.population.plant(
            self.parameters.tumor.initial_cells
            if tumor_cells is None
            else checked_count(tumor_cells, "tumor_cells"),
            self.clock,
        )
        if self.immune_cells:
            self.population.scatter(self.clock)
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
        for _, run in self.deeds():
            run()

    def deeds(self) -> Iterator[tuple[str, Callable[[], None]]]:
        """What one step is made of, in order: the verbs, and the processes after each, by name."""
        for verb in VERBS:
            yield verb, getattr(self, verb)
            for process in self.processes.after(verb):
                yield process.name, partial(process.run, self)

    def treat(self) -> None:
        """Doses are given; every treatment bends the rules of this step."""
        self.verbs.treat()

    def diffuse(self) -> None:
        """Fields move on by one step."""
        self.verbs.diffuse()

    def sense(self) -> None:
        """Cells read the fields; who is recognised, and how well, follows."""
        self.verbs.sense()

    def recruit(self) -> None:
        """Immune cells enter."""
        self.verbs.recruit()

    def act(self) -> None:
        """Cells move, engage, hit, kill and let go."""
        self.verbs.act()

    def divide(self) -> None:
        """Cells with room and drive divide."""
        self.verbs.divide()

    def die(self) -> None:
        """Cells die of age, hypoxia and drugs."""
        self.verbs.die()

    def settle(self) -> None:
        """The step ends, time goes on."""
        self.verbs.settle()

    def measure(self) -> None:
        """A row for the data collector; every 6 hours one for the results."""
        self.verbs.measure()

    def _whole_step(self, *arguments, **keywords) -> None:
        with whole():
            self._counted_step(*arguments, **keywords)

    def run(
        self,
        days: float | None = None,
        progress: bool | None = None,
        snapshot_every: float = 7.0,
        on_progress=None,
        *,
        until: float | None = None,
    ) -> "TumorModel":
        """Run for ``days``, or ``until`` a day; a progress bar appears when a person watches.

        What is no whole step is carried to the next run. The moment at which a run ends has a row in the results; one that lies
        between two rows goes when time goes on. ``on_progress(model)`` is called after each step.
        """
        from .progress import watch

        steps, owed = self._asked(days, until)
        self.owed = 0.0  # should the run be stopped
        apart = (
            0
            if snapshot_every is None or snapshot_every is False
            else checked_days(snapshot_every, "snapshot_every")
        )
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
                    self.record()
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
                raise ModelError(
                    f"until = {day:g} is not allowed: it is day {self.day:g} already", key="until"
                )
        return steps, hours - steps * self.dt

    def grow(
        self, cells: int = 5000, max_days: float = 60.0, immune_cells: bool = True, on_progress=None
    ) -> "TumorModel":
        """Grow untreated until the tumour has ``cells`` cells, or for ``max_days``; day 0 is where it ends.

        ``immune_cells=False`` keeps them out until day 0.
        """
        if self.treatments or self.regimen.pending:
            raise ModelError("a tumour grows before it is treated: give treatments after grow()")
        wanted, steps = (
            checked_count(cells, "cells"),
            round(checked_days(max_days, "max_days") * 24.0 / self.dt),
        )
        present, self.owed = self.immune_cells, 0.0
        self.immune_cells = present and bool(immune_cells)
        if present and not immune_cells:
            self.kill(
                np.flatnonzero(
                    self.cells.alive & self.population.by_kind.attackers[self.cells["kind"]]
                )
            )
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
            self.population.scatter(self.clock)
        self._begin()
        return self

    def _begin(self) -> None:
        """Make this moment day 0: results start anew."""
        self.origin = self.clock
        for counter in self.counters.values():
            counter[:] = 0
        self._measures = None
        self.results = Results(self.arm)
        self.results.provenance = {
            "seed": self.seed,
            "parameter_set": self.disease.name,
            "dt": self.dt,
            "shape": list(self.lattice.shape),
        }
        self._own_up()
        self.results.record(self.measures)

    def _own_up(self) -> None:
        """The results know the parameters in force and their sources, and the kinds that do not ship."""
        self.results.citations = self.citations()
        self.results.provenance["parameters"] = self.parameters.declared()
        if own := self.kinds.all[self.shipped_kinds :]:
            self.results.provenance["kinds"] = {kind.name: kind.shown for kind in own}

    def record(self) -> None:
        """A row of this moment for the results, and what treatments measure about themselves."""
        self.results.record(self.measures)
        self.regimen.measure()

    # ---------------------------------------------------------------- what the model is made of

    def add_kind(self, kind: CellKind | str) -> None:
        """A further kind of cell; its traits get columns, its rules a baseline, the interaction table a row and a column.

        Its parameters, processes, fields and effects join with it.
        """
        kind = named(kind, CellKind)
        kind.join(self.parameters)
        for field in kind.fields:
            self.add_field(field)
        self.kinds.add(kind)
        self.population.arrange()
        self._renew()
        for process in kind.processes:
            self.add_process(process)
        for effect in kind.effects:
            self.add_effect(effect)
        if "results" in vars(self):
            self._own_up()

    def add_field(self, kind: FieldKind | str) -> None:
        """A further substance in the tissue, as ``initial`` as it says: saved, forked and drawn like the others.

        To add one again is to mean the same. Raises FieldError, or KindError, where a field, rule or trait has its name.

        >>> from simulation import FieldKind, TumorModel
        >>> model = TumorModel(shape=(31, 31), seed=1, tumor_cells=50)
        >>> model.add_field(FieldKind("adenosine", "uM", diffusion=1e6, decay=30.0, quasi_steady=True))
        >>> list(model.fields)
        ['oxygen', 'ifn_gamma', 'il2', 'chemokine', 'adenosine']
        """
        kind = named(kind, FieldKind)
        if kind.name in self.cells:
            raise FieldError(f"there is a trait {kind.name!r} already", key=f"field {kind.name!r}")
        self.tissue.add(kind)
        self.kinds.declare(kind.rules, f"field {kind.name!r}")
        self._renew()

    def add_effect(self, effect: Effect | str) -> None:
        """What a field does to a rule of cells from the next step on; to add one again is to mean the same.

        Raises FieldError, RuleError or KindError where there is no such field, rule or kind of cell.

        >>> from simulation import Effect, TumorModel
        >>> model = TumorModel(shape=(31, 31), seed=1, tumor_cells=50)
        >>> model.add_effect(Effect("ifn_gamma", rule="division", kind="t_cell", most=0.5, half=1.0))
        """
        effect = named(effect, Effect)
        if effect.field not in self.fields:
            raise FieldError(
                f"there is no field {quoted(effect.field)}{nearest(effect.field, self.fields)}",
                key=effect.key,
            )
        rule = self.kinds.rules[self.kinds.places[checked_rule(effect.rule, self.kinds.places)]]
        if not rule.of_cells:
            raise RuleError(
                "it is a rule of cells that are still to come, which stand nowhere", key=effect.key
            )
        if effect.kind is not None:
            self.kinds.index(effect.kind)
        effect.strength(self.parameters)
        if effect not in self.tissue.effects:
            self.tissue.effects.append(effect)

    def add_process(self, process: Process | str) -> None:
        """A further behaviour with its own loop, run after the verb it names."""
        process = named(process, Process)
        if process.after not in VERBS:
            raise KindError(
                f"after = {process.after!r} is no verb{nearest(process.after, VERBS)}",
                key=f"process {process.name!r}",
            )
        self.processes.add(process)

    def add_compartment(self, compartment: Compartment | type[Compartment] | str) -> Compartment:
        """A further part of the body, which bends how many cells enter; returns the one of this model.

        ``compartment``: a class, the module:NAME of one, or an instance, of which the model has a copy. Raises
        CompartmentError when its name is taken, or for an antigen that no kind of cell has as a trait.
        """
        return self.body.add(compartment, self.kinds.traits())

    def reseed(self, seed: int) -> None:
        """All draws are those of another seed from now on; the vessels stay where they are."""
        self.seed = checked_seed(seed)
        self.randomness = self.population.randomness = Randomness(self.seed)
        self.relay()

    def relay(self) -> None:
        """Work out anew what follows from vessels, parameters and seed; the fields keep their values."""
        before = self.tissue.state(None)
        self.tissue = self.tissue.anew()
        self.tissue.restore(before, None)
        self.population.arrange()
        self.verbs.renew()

    def baseline(self) -> Rules:
        """The rules before any treatment."""
        most = self.parameters.checkpoint.max_occupancy
        meshes = {name: field.values.size for name, field in self.fields.items()}
        return Rules(
            self.kinds.baseline(self.parameters),
            self.kinds.names,
            self.cells["kind"],
            dict.fromkeys(self.kinds.receptors(), most),
            meshes,
            self.kinds.rules,
            self.kinds.surfaces(),
        )

    def _renew(self) -> None:
        """Rules and rates have room for what joined; treatments bend them again at the next step."""
        if "rules" in vars(self):  # the model stands
            self.rules = self.baseline()
            self.fold()

    def fold(self) -> None:
        """The rules of this step as arrays: rates by kind, and those of chosen cells beside the cell table."""
        self.rates, chosen = self.rules.fold()
        self.cells.choose(chosen)

    # ---------------------------------------------------------------- cells

    @property
    def cells(self) -> CellTable:
        """The cell table."""
        return self.population.cells

    @property
    def counters(self) -> dict[str, np.ndarray]:
        """What happened since day 0: one number a kind, and of ``kills`` who killed whom."""
        return self.population.counters

    def count(self, kind: str) -> int:
        """Living cells of one kind."""
        return self.population.count(kind)

    def counts(self) -> dict[str, int]:
        """Living cells of every kind."""
        return self.population.counts()

    def rows(self, kind: str) -> np.ndarray:
        """True for the rows of the living cells of one kind: a ``where=`` for rules."""
        return self.population.rows(kind)

    def kill(self, rows) -> int:
        """Remove cells, by row or by one True or False per row; returns how many."""
        return self.population.kill(rows)

    def infuse(self, kind: str, number: int, by: Treatment, traits=None) -> np.ndarray:
        """Bring cells in through the vessels; returns the rows of those that found room.

        ``by``: the treatment, from whose name and doses their names are drawn. ``traits``: trait -> one number, or an array with
        one for each of the ``number`` cells, whether it finds room or not. Raises ModelError for a value that is not allowed,
        UnknownTrait.

        >>> from simulation import TumorModel, treatments
        >>> model = TumorModel(shape=(21, 21), seed=1, tumor_cells=40)
        >>> rows = model.infuse("t_cell", 5, by=treatments.Placebo(), traits={"specificity": 0.5})
        >>> len(rows), model.cells["specificity"][rows].tolist()
        (5, [0.5, 0.5, 0.5, 0.5, 0.5])
        """
        return self.population.infuse(kind, number, by, self.clock, traits)

    def sow(self, kind: str, positions=None, *, sites=None, number=None, traits=None) -> np.ndarray:
        """Many cells at once are born on free sites; returns their rows, in the order given.

        ``positions``: whole numbers (cells, axes); or ``sites``: as ``model.cells["site"]`` and ``model.lattice.interior`` hold
        them; or ``number``: so many, at random free sites. ``traits``: trait -> one number, or an array with one a cell; others
        start as the parameters say. A cell is named by its kind, its site and the moment, so that it is the same
        whatever else is sown and in whichever order, and founds a clone of its own. Raises ModelError for a site that is taken
        and for a value that is not allowed, LatticeError, UnknownTrait.

        >>> from simulation import TumorModel
        >>> model = TumorModel(shape=(21, 21), seed=1, tumor_cells=0, immune_cells=False)
        >>> rows = model.sow("tumor_cell", [(10, 10), (10, 11)], traits={"antigen": [0.2, 1.0]})
        >>> model.cells["antigen"][rows].tolist(), model.count("tumor_cell")
        ([0.2, 1.0], 2)
        """
        return self.population.sow(kind, self.clock, positions, sites, number, traits)

    def emigrate(self, rows) -> int:
        """Cells leave the tissue alive, by row or by one True or False per row; returns how many. No death is counted.

        >>> from simulation import TumorModel
        >>> model = TumorModel(shape=(21, 21), seed=1, tumor_cells=40, immune_cells=False)
        >>> model.emigrate(model.rows("tumor_cell")), model.count("tumor_cell"), int(model.counters["deaths"].sum())
        (40, 0, 0)
        """
        return self.population.emigrate(rows)

    @property
    def dead(self) -> np.ndarray:
        """Rows of the cells that the last ``act`` or ``die`` killed, whose traits can still be read; int64.

        A ``Process`` after ``act`` sees who was killed by contact, one after ``die`` who died of age, hypoxia and drugs. It is
        empty once cells divide or the step ends; a row in which a cell was born since is left out.
        """
        return self.population.dead.rows(self.cells)

    def around(self, values, reach: float) -> np.ndarray:
        """For every living cell the mean of ``values`` over all sites within ``reach`` um, its own included; float64 per row.

        ``values``: one number of at least 0 per row, such as what each cell took up. A site without a living cell counts as 0,
        what lies beyond the edge does not count; in a liquid the mean is over all sites. The dead have 0. Raises ModelError.

        >>> import numpy as np
        >>> from simulation import TumorModel
        >>> model = TumorModel(shape=(21, 21), seed=1, tumor_cells=0, immune_cells=False)
        >>> rows = model.sow("tumor_cell", [(10, 10), (10, 11)])
        >>> model.around(np.where(model.cells.alive, 1.0, 0.0), reach=model.lattice.spacing)[rows].tolist()
        [0.4, 0.4]
        """
        return around(self.cells, self.lattice, values, reach)

    # ---------------------------------------------------------------- treatments

    @property
    def treatments(self) -> dict[str, Treatment]:
        """The treatments in force, by name."""
        return self.regimen.treatments

    def give(self, treatment) -> Treatment:
        """Add a treatment; it acts from the next step on. Raises TreatmentError when its name is taken.

        The parameters of the kinds that it brings are there at once.
        """
        treatment = build(treatment)
        for kind in treatment.kinds:
            kind.join(self.parameters)
        return self.regimen.give(treatment)

    def stop(self, name: str) -> None:
        """No further doses of a treatment from the next step on; what is in the body washes out."""
        self.regimen.stop(name)

    def add_hazard(self, rate, where=None) -> None:
        """Called in ``on_step``: cells chosen by ``where`` (one True or False per row) die at ``rate`` per hour more."""
        self.regimen.add_hazard(rate, where)

    @property
    def process_state(self) -> dict[str, dict]:
        """What each process keeps, by its name; saved and forked with the model."""
        return self.processes.kept

    # ---------------------------------------------------------------- agents

    @property
    def agents(self):
        """All agents, an AgentSet; reading it makes windows on cells and changes nothing."""
        self._reconcile()
        return self._all_agents

    @agents.setter
    def agents(self, value):
        raise UnknownTrait(
            "model.agents cannot be assigned to: a cell is born by TumorCell(model), and dies by its remove()"
        )

    @property
    def agents_by_type(self) -> dict:
        """Class -> AgentSet; every kind of cell has one, be it empty."""
        self._reconcile()
        return self._agents_by_type

    @property
    def agent_types(self) -> list[type]:
        """The classes of which there is an agent."""
        return [cls for cls, agents in self.agents_by_type.items() if len(agents)]

    def _reconcile(self) -> None:
        if "inhabitants" not in vars(self):  # Mesa is still setting up
            return
        for kind in self.kinds:
            if kind.agent not in self._agents_by_type:
                self._agents_by_type[kind.agent] = type(self._all_agents)([], random=self.random)
        self.inhabitants.windows.reconcile()

    def agent(self, name: int) -> mesa.Agent:
        """The window on the living cell of that name. Raises KeyError when it has died."""
        return self.inhabitants.agent(name)

    def visitors(self) -> list[mesa.Agent]:
        """The users' own plain Mesa agents, in the order in which they came."""
        return self.inhabitants.visitors()

    def born(self, kind: str, position, traits: dict) -> int:
        """A cell is born at ``position`` or a random free site; returns its name. Raises ModelError, LatticeError."""
        return self.inhabitants.born(kind, position, traits)

    def place(self, agent: mesa.Agent, position) -> None:
        """Let a plain Mesa agent stand (or move) on the lattice; cells leave its site alone. Raises ModelError if taken."""
        self.inhabitants.place(agent, position)

    def neighbors(self, position) -> list[mesa.Agent]:
        """The agents on the sites around a position."""
        return self.inhabitants.neighbors(position)

    def free_neighbors(self, position) -> list[tuple[int, ...]]:
        """Positions around a position where nobody stands."""
        return self.inhabitants.free_neighbors(position)

    def deregister_agent(self, agent: mesa.Agent) -> None:
        """Mesa calls this when an agent is removed; a plain agent gives its site free."""
        self.inhabitants.leave(agent)
        super().deregister_agent(agent)

    # ---------------------------------------------------------------- what can be read

    @property
    def shape(self) -> tuple[int, ...]:
        """Sites along each axis of the lattice."""
        return self.lattice.shape

    @property
    def fields(self):
        """Name -> Field."""
        return self.tissue.fields

    def concentration(self, field: str, sites) -> np.ndarray:
        """What a field holds at sites, as ``model.cells["site"]`` counts them, in its unit."""
        if field not in self.fields:
            raise FieldError(f"there is no field {quoted(field)}{nearest(field, self.fields)}")
        return self.tissue.level(field, sites)

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
        taken = [
            "kind",
            "name",
            "clone",
            "antigen",
            "car_target",
            "mhc",
            "presented_mhc",
            "pdl1",
            "pdl1_shown",
            "stress_ligand",
            "exhaustion",
            "fixed_exhaustion",
            "stimulation",
        ]
        cells = {name: table[name][rows] for name in dict.fromkeys([*taken, *self.kinds.traits()])}
        cells["site"] = self.lattice.flat(table["site"][rows]).astype(np.int64)
        cells["vigour"] = (1.0 - cells["exhaustion"]) * (1.0 - cells["fixed_exhaustion"])
        fields = {name: self.tissue.image(name) for name in self.fields}
        return Snapshot(
            self.day,
            self.shape,
            self.lattice.spacing,
            self.liquid,
            tuple(self.kinds.names),
            cells,
            fields,
        )

    def citations(self) -> list[str]:
        """References behind the parameters in force, each once, in alphabetical order."""
        groups = [*self.parameters.groups().values(), *self.treatments.values()]
        return references(row["source"] for group in groups for row in group.table())

    # ---------------------------------------------------------------- copies

    def fork(
        self,
        treatments=(),
        seed: int | None = None,
        arm: str | None = None,
        *,
        cell_kinds=(),
        processes=(),
        overrides=None,
    ) -> "TumorModel":
        """Another future of the same tissue: day 0 is now, and ``treatments`` join those already given.

        With ``seed`` the draws differ from here on; without, the two differ only by what joins: treatments, further
        ``cell_kinds`` and ``processes``. ``overrides`` are values of parameters that these kinds bring.
        """
        twin = state.copied(
            self, seed=None if seed is None else checked_seed(seed), arm=arm or self.arm
        )
        kinds = [named(kind, CellKind) for kind in several(cell_kinds)]
        for kind in kinds:
            kind.join(twin.parameters)
        values = {} if overrides is None else checked_table(overrides)
        for dotted in values:
            if dotted.partition(".")[0] not in [kind.name for kind in kinds]:
                raise ModelError(
                    f"{quoted(dotted)} belongs to no kind of cell that joins now, and the tumour is there already",
                    key="overrides",
                )
        twin.parameters.update(values)
        for kind in kinds:
            twin.add_kind(kind)
        for process in several(processes):
            twin.add_process(process)
        if len(twin.kinds) > len(self.kinds):
            twin.rules = twin.baseline()
            twin.fold()
        twin._begin()
        for treatment in several(treatments):
            twin.give(treatment)
        return twin

    def save(self, folder: str | os.PathLike) -> None:
        """Write the whole state into a folder: arrays as npz, the rest as JSON, each with its SHA-256; never pickle."""
        state.save(self, folder)

    @classmethod
    def load(cls, folder: str | os.PathLike, cell_kinds=(), processes=()) -> "TumorModel":
        """A model that goes on exactly where the saved one stood. Raises StateError for a damaged or foreign folder."""
        return state.load(cls, folder, cell_kinds, processes)


def _bar() -> compiled.Tell:
    """A bar while loops are compiled, made when it is needed."""
    from .progress import Unasked

    return Unasked()


compiled.when_unasked(_bar)
