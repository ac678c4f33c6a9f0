"""One step of the model, verb by verb."""

import numpy as np

from .cells.table import COAT
from .errors import ModelError
from .kernels import act as acting
from .kernels import death, division, recruitment, sensing
from .kernels.contact import Checkpoint, Toll
from .kernels.inheritance import inherit
from .kinds.kind import resolve

VERBS = ("treat", "diffuse", "sense", "recruit", "act", "divide", "die", "settle", "measure")
RECORD_EVERY = 6.0  # hours between rows of the time series
NOBODY = np.empty(0, dtype=np.int32)
SORT_EVERY = 48  # steps between laying rows anew in the order of sites; changes no result


class Step:
    """The verbs of one step of ``model.dt`` hours, in the order of VERBS."""

    def __init__(self, model):
        self.model = model
        self.renew()

    def renew(self) -> None:
        """Work out anew what follows from the seed."""
        key = self.model.randomness.key
        self._act_keys = acting.ActKeys(*(key(f"act.{name}") for name in acting.ActKeys._fields))

    def treat(self) -> None:
        """Give what is due; every treatment then bends the rules of this step."""
        model = self.model
        model.regimen.treat(model.hours, model.hours + model.dt)
        model.rules = model.baseline()
        model.regimen.bend(model.rules)
        for effect in model.tissue.effects:
            kind = -1 if effect.kind is None else model.kinds.index(effect.kind)
            effect.bend(model.rules, model.cells, model.tissue, kind, model.parameters)
        model.fold()

    def diffuse(self) -> None:
        """Fields move on by one step."""
        model = self.model
        model.tissue.diffuse(
            model.cells.view(), model.rates, model.kinds.places, model.rules.supplies, model.dt
        )

    def sense(self) -> None:
        """Cells read fields; who can be recognised, and how well, follows."""
        model = self.model
        cells, tumor = model.cells, model.parameters.tumor
        sensing.show(
            cells.view(),
            model.rates,
            cells["mhc"],
            cells["pdl1"],
            model.fields["ifn_gamma"].values,
            model.tissue.node_wide,
            tumor.mhc_resting,
            model.population.by_kind.pdl1_induced,
        )
        self._coat()
        for recognition, at in model.kinds.scores():
            recognition.score(model, cells.seen[at, : cells.rows], cells.stimulus[at, : cells.rows])

    def _coat(self) -> None:
        """Fc-bearing antibody on every cell: its level of each molecule x the share of it that such antibodies cover."""
        cells, coatings = self.model.cells, self.model.rules.coatings()
        if not coatings:
            cells.drop_trait(COAT)
            return
        cells.add_trait(COAT)
        cells[COAT][:] = 0.0
        for molecule, share in coatings.items():
            cells[COAT][:] += share * cells["pdl1_shown" if molecule == "pdl1" else molecule]

    def recruit(self) -> None:
        """The body advances by one step, and immune cells enter as it says."""
        model, vessels = self.model, self.model.vessels
        model.body.advance(model)
        if not model.immune_cells:
            return
        share_of_rim = model.parameters.recruitment.rim_share
        for k, (kind, arrivals) in enumerate(
            zip(model.kinds, model.body.arrivals(model), strict=True)
        ):
            for entries, share, purpose in (
                (vessels.sites, 1.0 - share_of_rim, "vessel"),
                (vessels.rim, share_of_rim, "rim"),
            ):
                if arrivals > 0.0 and share > 0.0 and len(entries):
                    self._enter(k, kind, entries, arrivals * share / len(entries), purpose)

    def _enter(self, k, kind, entries, rate, purpose) -> None:
        model = self.model
        sites, names = (
            np.empty(len(entries), dtype=np.int64),
            np.empty(len(entries), dtype=np.int64),
        )
        arrived = recruitment.enter(
            model.lattice.space,
            entries,
            rate,
            model.lattice.strides,
            model.vessels.reach,
            model.randomness.key(f"recruit.{kind.name}.{purpose}"),
            model.clock,
            model.dt,
            sites,
            names,
        )
        model.population.settle(kind.name, sites[:arrived], names[:arrived], model.clock)
        model.counters["arrived"][k] += arrived

    def act(self) -> None:
        """Six sub-steps of moving, engaging, hitting and letting go; then exhaustion and stimulation."""
        model, by_kind = self.model, self.model.population.by_kind
        kind = model.cells["kind"]
        movers, attackers, suppressors = (
            np.flatnonzero(who[kind] & (kind >= 0)).astype(np.int32) if who.any() else NOBODY
            for who in (by_kind.motile, by_kind.attackers, by_kind.suppressor)
        )
        self._check_receptors(attackers)
        known = np.zeros((len(model.kinds), len(model.kinds) + 1), dtype=np.int8)
        known[:, :-1] = by_kind.recognition >= 0
        cells, checkpoint = model.cells.view(), model.parameters.checkpoint
        acting.act(
            cells,
            model.lattice.space,
            model.rates,
            acting.Actors(
                movers, attackers, suppressors, by_kind.yielding, by_kind.recognition, known
            ),
            model.tissue.guide(),
            self._act_keys,
            model.clock * acting.SUBSTEPS,
            model.dt,
            Checkpoint(checkpoint.exhaustion_gain, checkpoint.half_pdl1),
            Toll(
                model.counters["kills"],
                model.counters["deaths"],
                model.population.dead.begin(model.cells),
            ),
        )
        self._bury()
        group = model.parameters.fields
        acting.tire(
            cells,
            model.rates,
            attackers,
            model.tissue.node_fine,
            model.fields["il2"].values,
            group.il2_half,
            by_kind.capacity,
            model.dt,
        )
        for agent in model.visitors():
            agent.step()

    def _check_receptors(self, attackers) -> None:
        """Loops check no index, so a cell that sees a channel which is none is named here. Raises ModelError."""
        cells, kinds = self.model.cells, self.model.kinds
        if not cells["receptor"].any():
            return
        kind, receptor = cells["kind"][attackers], cells["receptor"][attackers]
        fewest = self.model.population.by_kind.channels
        channels = fewest[kind]
        wrong = np.flatnonzero((receptor < 0) | (receptor >= channels))
        if wrong.size:
            first = wrong[0]
            raise ModelError(
                f"receptor = {receptor[first]} of a {kinds.names[kind[first]]} is not allowed: it must be a channel of "
                f"what its kind engages by, from 0 to {channels[first] - 1}",
                key="receptor",
            )

    def divide(self) -> None:
        """Cells with room and drive divide; daughters inherit, with small steps and rare losses."""
        model = self.model
        model.population.dead.forget()
        rows = model.cells.rows
        mothers, sites, names = (np.empty(rows, dtype=np.int64) for _ in range(3))
        births = division.divide(
            model.cells.view(),
            model.lattice.space,
            model.rates,
            model.population.by_kind.driven,
            model.tissue.around(),
            model.parameters.fields.il2_half,
            model.randomness.key("divide"),
            model.clock,
            model.dt,
            mothers,
            sites,
            names,
        )
        if births == 0:
            return
        mothers, sites, names = mothers[:births], sites[:births], names[:births]
        cells = model.cells
        cells["divisions"][mothers] += 1
        daughters = cells.bear(mothers)
        cells["mother"][daughters] = cells["name"][mothers]
        cells["name"][daughters] = names
        cells["born"][daughters] = model.clock + 1
        model.population.stand(daughters, sites)
        both = np.concatenate([mothers, daughters])
        kind = cells["kind"][both]
        model.counters["births"] += np.bincount(kind[births:], minlength=len(model.kinds))
        for k, each in enumerate(model.kinds):
            for trait in each.traits:
                numbers = [
                    resolve(n, model.parameters)
                    for n in (trait.mutation, trait.loss, trait.halving)
                ]
                if any(numbers):
                    stream = model.randomness.stream(f"inherit.{trait.name}", model.clock)
                    inherit(
                        cells[trait.name],
                        both[kind == k],
                        cells["name"],
                        *numbers,
                        trait.high,
                        stream,
                    )

    def die(self) -> None:
        """Hazards of age, hypoxia and drugs."""
        model = self.model
        cells, tumor = model.cells, model.parameters.tumor
        death.die(
            cells.view(),
            model.lattice.space,
            model.rates,
            model.fields["oxygen"].values,
            model.tissue.node_fine,
            tumor.necrosis_threshold,
            model.randomness.key("die"),
            model.clock,
            model.dt,
            model.counters["deaths"],
            model.counters["starved"],
            model.population.dead.begin(cells),
        )
        self._bury()
        model.population.let_go()

    def _bury(self) -> None:
        """Who a loop killed is known by name, and what they release goes to the body."""
        model = self.model
        model.population.dead.end(model.cells)
        model.body.take_up(model.cells, model.dead)

    def settle(self) -> None:
        """The step ends: rows are laid anew now and then, time goes on."""
        model = self.model
        model.population.dead.forget()
        model.clock += 1
        model.cells.version += 1
        if model.clock % SORT_EVERY == 0:
            model.cells.sort_by_site(model.lattice.occupant, model.lattice.interior)

    def measure(self) -> None:
        """A row for the data collector; every 6 hours one for the results."""
        model = self.model
        model.datacollector.collect(model)
        model.results.go_on()
        if (model.clock - model.origin) % max(1, round(RECORD_EVERY / model.dt)) == 0:
            model.record()
