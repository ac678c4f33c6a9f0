"""The rules of moving, contact, division and death as a plain Mesa model: to read, to compare with, to time against.

Fields stand still here, nobody enters and nobody is treated. Fed the keyed draws, it follows the compiled loops cell by
cell and bit by bit (``tests/experiments/reference``); fed ``model.random`` it is an ordinary Mesa model of the same rules.
"""

from types import SimpleNamespace

import mesa
import numpy as np
from mesa.discrete_space import OrthogonalMooreGrid

from simulation.kinds.kind import resolve

from .plain_cells import (
    STATE,
    TRIES,
    CarTCell,
    LivingCell,
    Lymphocyte,
    NKCell,
    TCell,
    TumorCell,
)

SUBSTEPS = 6  # of a step: damage is forgotten within an hour
CLASSES = {cls.kind: cls for cls in (TumorCell, TCell, CarTCell, NKCell)}


class MesaDraws:
    """Draws as Mesa models make them: the next number of ``model.random``, whoever asks for whatever."""

    def __init__(self, random):
        self.random, self.tick, self.named = random, 0, 0

    def uniform(self, purpose: str, name: int, number: int = 0) -> float:
        """A number in [0, 1)."""
        return self.random.random()

    rank = uniform  # of those who claim one site, the lowest has it

    def name(self, purpose: str, mother: int) -> int:
        """The name of a newborn."""
        self.named -= 1
        return self.named


class PlainTumor(mesa.Model):
    """A copy of a :class:`simulation.TumorModel` at this moment, as Mesa agents on an OrthogonalMooreGrid.

    ``draws``: where random numbers come from, ``model.random`` unless given. ``interferon``, ``oxygen`` (mmHg) and
    ``il2`` (nM) are the same everywhere and always, as are ``uphill``, the heading up the chemokine, and its ``pull``.
    ``classes``: agents of further kinds, a class of ``plain_cells`` each.
    """

    def __init__(
        self,
        model,
        draws=None,
        *,
        interferon=0.0,
        oxygen=38.0,
        il2=0.0,
        uphill=None,
        pull=0.0,
        classes=(),
    ):
        super().__init__(rng=model.seed)
        self.grid = OrthogonalMooreGrid(model.shape, capacity=1, random=self.random)
        self.headings = [tuple(direction) for direction in model.lattice.directions.tolist()]
        self.interferon, self.oxygen, self.il2, self.uphill, self.pull = (
            interferon,
            oxygen,
            il2,
            uphill,
            pull,
        )
        self.draws = draws or MesaDraws(self.random)
        self.classes = CLASSES | {cls.kind: cls for cls in classes}
        self.traits = model.kinds.traits()
        self.parameters, self.clock, self.dt = model.parameters, model.clock, model.dt
        self.substep, self.stride = model.dt / SUBSTEPS, model.lattice.space.stride
        self.free_receptors = model.rates.free.pd1 * model.rates.free.pdl1
        self.rates, self.inheritance, self.full_capacity = {}, {}, {}
        for k, kind in enumerate(model.kinds):
            rates = dict(zip(model.kinds.places, model.rates.by_kind[:, k].tolist(), strict=True))
            self.rates[kind.name] = SimpleNamespace(**rates)
            self.inheritance[kind.name] = {
                t.name: [
                    resolve(number, self.parameters)
                    for number in (t.mutation, t.loss, t.halving, t.high)
                ]
                for t in kind.traits
            }
            self.full_capacity[kind.name] = model.kinds.numbers("capacity", self.parameters)[k]
        self.claims = {}
        self._copy(model)

    def _copy(self, model) -> None:
        """Every cell of ``model`` as an agent, contacts included."""
        cells, rows = model.cells, np.flatnonzero(model.cells.alive)
        agents = {}
        for row in rows.tolist():
            site = self.grid[model.lattice.position(cells["site"][row])]
            state = {trait: cells[trait][row].item() for trait in (*STATE, *self.traits)}
            agents[row] = self.classes[model.kinds.names[cells["kind"][row]]](
                self, site, int(cells["name"][row]), state
            )
            agents[row].mother = int(cells["mother"][row])
        for row, agent in agents.items():
            if cells["heading"][row] >= 0:
                agent.heading = self.headings[cells["heading"][row]]
            if isinstance(agent, Lymphocyte):
                agent.since = cells["since"][row].item()
            if cells["partner"][row] >= 0:
                agent.partner = agents[int(cells["partner"][row])]
                agent.partner.holders.append(agent)

    def every(self, base: type[LivingCell], verb: str, *arguments) -> None:
        """Ask every cell of one class to do something."""
        for cls, agents in list(self.agents_by_type.items()):
            if issubclass(cls, base):
                agents.do(verb, *arguments)

    def step(self) -> None:
        """One hour: see, then six sub-steps of moving and fighting, then divide and die."""
        self.every(TumorCell, "show")
        for substep in range(SUBSTEPS):
            self.draws.tick = self.clock * SUBSTEPS + substep
            for attempt in range(TRIES):
                self.every(Lymphocyte, "move", attempt)
                self.grant("enter")
                self.every(Lymphocyte, "engage", attempt)
            self.every(TumorCell, "suffer")
        self.draws.tick = self.clock
        self.every(LivingCell, "step")
        self.grant("bear")
        self.every(LivingCell, "die")
        self.clock += 1

    def claim(self, site, cell: LivingCell, purpose: str, number: int = 0) -> None:
        """A cell wants a site; where two want one, the lower rank has it and the other stays as it is."""
        rank = (self.draws.rank(purpose, cell.name, number), cell.name)
        if site not in self.claims or rank < self.claims[site][0]:
            self.claims[site] = (rank, cell)

    def grant(self, verb: str) -> None:
        """Those who have their site act on it."""
        claims, self.claims = self.claims, {}
        for site, (_, cell) in claims.items():
            getattr(cell, verb)(site)
