"""One step of the model, verb by verb."""

import math

import numpy as np

from .kernels import act as acting
from .kernels import death, division, recruitment, sensing
from .kernels.contact import ANTIGEN_UNITS, Checkpoint, Toll
from .kernels.inheritance import inherit
from .kinds.kind import resolve
from .rules import Rules

VERBS = ("treat", "diffuse", "sense", "recruit", "act", "divide", "die", "settle", "measure")
RECORD_EVERY = 6.0  # hours between rows of the time series
SORT_EVERY = 48  # steps between laying rows anew in the order of sites; changes no result


class Step:
    """The verbs of one step of ``model.dt`` hours, in the order of VERBS."""

    def treat(self) -> None:
        """Give what is due; every treatment then bends the rules of this step."""
        pending, self._pending = self._pending, []
        for action, what in pending:
            self._join(what) if action == "give" else self._leave(what)
        start, end = self.hours, self.hours + self.dt
        ordered = [self.treatments[name] for name in sorted(self.treatments)]
        for treatment in ordered:
            offset = treatment.start + treatment.first_dose
            for hour in () if treatment.stopped else treatment.schedule.between(start - offset, end - offset):
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
        for who, rate, where in self._hazards_now():
            self.rules.for_treatment(who).death.add(rate, where=where)
        for treatment in ordered:
            treatment.modify(self.rules.for_treatment(treatment.name), self)
        self._fold()

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
        movers, attackers = (np.flatnonzero(who[kind] & (kind >= 0)).astype(np.int32) for who in (self._motile, self._attackers))
        known = np.zeros((len(self.kinds), len(self.kinds) + 1), dtype=np.int8)
        known[:, :-1] = self._recognition >= 0
        cells, checkpoint = self.cells.view(), self.parameters.checkpoint
        acting.act(cells, self.lattice.space, self.rates,
                   acting.Actors(movers, attackers, self._yielding, self._recognition, known), self.tissue.guide(),
                   self._act_keys, self.clock * acting.SUBSTEPS, self.dt,
                   Checkpoint(checkpoint.exhaustion_gain, checkpoint.half_pdl1), self.cells["antigen"],
                   Toll(self.counters["kills"], self.counters["deaths"], self._release))
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
        daughters = cells.bear(mothers)
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
        self.results.go_on()
        if (self.clock - self.origin) % max(1, round(RECORD_EVERY / self.dt)) == 0:
            self._record()

    def _record(self) -> None:
        """A row of this moment for the results, and what treatments measure about themselves."""
        self.results.record(self.measures)
        for name in sorted(self.treatments):
            found = self.treatments[name].measure(self)
            if found:
                self.results.add_measures(self.day, name, found)

    def _rules(self) -> Rules:
        most = self.parameters.checkpoint.max_occupancy
        meshes = {name: field.values.size for name, field in self.fields.items()}
        return Rules(self.kinds.baseline(self.parameters), self.kinds.names, self.cells["kind"], {"pd1": most, "pdl1": most},
                     meshes)

    def _fold(self) -> None:
        """The rules of this step as arrays: rates by kind, and those of chosen cells beside the cell table."""
        self.rates, chosen = self.rules.fold()
        self.cells.choose(chosen)
