"""Windows on cells, made when somebody first asks and then reconciled: the dead leave, the newborn join."""

import mesa
import numpy as np

from ..errors import ModelError, UnknownTrait
from ..tissue.lattice import EMPTY, FOREIGN


class Windows:
    """Keeps the agents of one model in step with its cell table.

    New windows join in order of birth step and name. Mesa's sets hold weak references, so the windows live here.
    """

    def __init__(self, model):
        self._model = model
        self._agents: dict[int, mesa.Agent] = {}
        self._version = -1

    def __getitem__(self, name: int) -> mesa.Agent:
        return self._agents[name]

    def __contains__(self, name: int) -> bool:
        return name in self._agents

    def reconcile(self) -> None:
        """Drop windows on the dead and make those on the newborn; nothing to do while the table stands still."""
        model, cells = self._model, self._model.cells
        if self._version == cells.version:
            return
        self._version = cells.version
        rows = np.flatnonzero(cells.alive)
        names = cells["name"][rows]
        known = np.fromiter(self._agents, dtype=np.int64, count=len(self._agents))
        for name in known[~np.isin(known, names, assume_unique=True)].tolist():
            self.drop(self._agents[name])
        new = rows[~np.isin(names, known, assume_unique=True)]
        new = new[np.lexsort((cells["name"][new], cells["born"][new]))]
        classes = [kind.agent for kind in model.kinds]
        for name, kind in zip(cells["name"][new].tolist(), cells["kind"][new].tolist(), strict=True):
            self.join(classes[kind].window(model, name))

    def join(self, agent: mesa.Agent) -> None:
        self._agents[agent.unique_id] = agent
        mesa.Model.register_agent(self._model, agent)

    def drop(self, agent: mesa.Agent) -> None:
        if self._agents.pop(agent.unique_id, None) is not None:
            mesa.Model.deregister_agent(self._model, agent)


class Inhabitants:
    """The Mesa side of a model: its agents, made on demand, and plain Mesa agents that stand on the lattice."""

    def _move_in(self) -> None:
        self._windows = Windows(self)
        self._standing: dict[mesa.Agent, int] = {}
        self._born_by_hand = 0

    @property
    def agents(self):
        """All agents, an AgentSet; reading it makes windows on cells and changes nothing."""
        self._reconcile()
        return self._all_agents

    @agents.setter
    def agents(self, value):
        raise UnknownTrait("model.agents cannot be assigned to: a cell is born by TumorCell(model), and dies by its remove()")

    @property
    def agents_by_type(self) -> dict:
        """Class -> AgentSet; every kind of cell has one, be it empty."""
        self._reconcile()
        return self._agents_by_type

    @property
    def agent_types(self) -> list[type]:
        return [cls for cls, agents in self.agents_by_type.items() if len(agents)]

    def _reconcile(self) -> None:
        if not hasattr(self, "_windows"):
            return
        for kind in self.kinds:
            if kind.agent not in self._agents_by_type:
                self._agents_by_type[kind.agent] = type(self._all_agents)([], random=self.random)
        self._windows.reconcile()

    def agent(self, name: int) -> mesa.Agent:
        """The window on the living cell of that name. Raises KeyError when it has died."""
        self._windows.reconcile()
        return self._windows[name]

    def visitors(self) -> list[mesa.Agent]:
        """The users' own plain Mesa agents, in the order in which they came."""
        return [agent for agent in self._all_agents if getattr(type(agent), "window", None) is None]

    def born(self, kind: str, position, traits: dict) -> int:
        """A cell is born at ``position`` or a random free site; returns its name. Raises ModelError, LatticeError."""
        checked = {trait: self.checked_trait(kind, trait, value) for trait, value in traits.items()}
        self._windows.reconcile()
        site = self._free_site() if position is None else self.lattice.site(position)
        if self.lattice.occupant[site] != EMPTY:
            raise ModelError(f"{self.lattice.position(site)} is taken by another cell")
        name = self.randomness.names(f"agents.{kind}", self.clock, np.array([self._born_by_hand]))
        self._born_by_hand += 1
        row = self._settle_new(kind, np.array([site]), name)
        for trait, value in checked.items():
            self.cells[trait][row] = value
        self.cells["pdl1_shown"][row] = self.cells["pdl1"][row]
        self.cells["presented_mhc"][row] = self.cells["mhc"][row] * self.parameters.tumor.mhc_resting
        return int(name[0])

    def adopt(self, agent: mesa.Agent) -> None:
        """Take in the window on a cell that was just born by hand."""
        self._windows.join(agent)
        self._windows.reconcile()

    def forget(self, agent: mesa.Agent) -> None:
        """Let go of the window on a cell."""
        self._windows.drop(agent)
        self._windows.reconcile()

    def _free_site(self) -> int:
        for site in self.lattice.interior[self._by_chance(f"agents.site.{self._born_by_hand}")]:
            if self.lattice.occupant[site] == EMPTY:
                return int(site)
        raise ModelError("no site of the lattice is free")

    def place(self, agent: mesa.Agent, position) -> None:
        """Let a plain Mesa agent stand (or move) on the lattice; cells leave its site alone. Raises ModelError if taken."""
        site = self.lattice.site(position)
        if self.lattice.occupant[site] != EMPTY:
            raise ModelError(f"{self.lattice.position(site)} is taken")
        if agent in self._standing:
            self.lattice.occupant[self._standing[agent]] = EMPTY
        self.lattice.occupant[site] = FOREIGN
        self._standing[agent] = site
        agent.pos = self.lattice.position(site)

    def neighbors(self, position) -> list[mesa.Agent]:
        """The agents on the sites around a position."""
        around = self.lattice.neighbours(self.lattice.site(position))
        self._windows.reconcile()
        visitors = {site: agent for agent, site in self._standing.items()}
        names, found = self.cells["name"], []
        for site in around:
            row = self.lattice.occupant[site]
            if row >= 0:
                found.append(self._windows[int(names[row])])
            elif row == FOREIGN:
                found.append(visitors[int(site)])
        return found

    def free_neighbors(self, position) -> list[tuple[int, ...]]:
        """Positions around a position where nobody stands."""
        around = self.lattice.neighbours(self.lattice.site(position))
        return [self.lattice.position(site) for site in around if self.lattice.occupant[site] == EMPTY]

    def deregister_agent(self, agent: mesa.Agent) -> None:
        """Mesa calls this when an agent is removed; a plain agent gives its site free."""
        site = self._standing.pop(agent, None)
        if site is not None:
            self.lattice.occupant[site] = EMPTY
        super().deregister_agent(agent)
