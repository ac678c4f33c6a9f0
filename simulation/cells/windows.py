"""Windows on cells, made when somebody first asks and then reconciled: the dead leave, the newborn join."""

from collections.abc import Callable, Sequence

import mesa
import numpy as np

from ..errors import ModelError, StateError
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
        for name, kind in zip(
            cells["name"][new].tolist(), cells["kind"][new].tolist(), strict=True
        ):
            self.join(classes[kind].window(model, name))

    def join(self, agent: mesa.Agent) -> None:
        """An agent becomes known to Mesa."""
        self._agents[agent.unique_id] = agent
        mesa.Model.register_agent(self._model, agent)

    def admit(self, agent: mesa.Agent) -> None:
        """The window on the one cell that was born since windows and cells agreed."""
        self.join(agent)
        self._version = self._model.cells.version

    def dismiss(self, agent: mesa.Agent) -> None:
        """The window on the one cell that was killed since windows and cells agreed."""
        self.drop(agent)
        self._version = self._model.cells.version

    def drop(self, agent: mesa.Agent) -> None:
        """An agent leaves Mesa, if it was known."""
        if self._agents.pop(agent.unique_id, None) is not None:
            mesa.Model.deregister_agent(self._model, agent)


class Inhabitants:
    """The Mesa side of a model: windows on its cells, made on demand, and plain Mesa agents that stand on the lattice."""

    def __init__(self, model):
        self.model, self.lattice, self.population = model, model.lattice, model.population
        self.windows = Windows(model)
        self.standing: dict[mesa.Agent, int] = {}  # site of each plain agent
        self.born_by_hand = 0

    def agent(self, name: int) -> mesa.Agent:
        """The window on the living cell of that name. Raises KeyError when it has died."""
        self.windows.reconcile()
        return self.windows[name]

    def visitors(self) -> list[mesa.Agent]:
        """The users' own plain Mesa agents, in the order in which they came."""
        return [
            agent
            for agent in self.model._all_agents
            if getattr(type(agent), "window", None) is None
        ]

    def born(self, kind: str, position, traits: dict) -> int:
        """A cell is born at ``position`` or a random free site; returns its name. Raises ModelError, LatticeError."""
        checked = {
            trait: self.population.checked_trait(kind, trait, value)
            for trait, value in traits.items()
        }
        self.windows.reconcile()
        site = self._free_site() if position is None else self.lattice.site(position)
        if self.lattice.occupant[site] != EMPTY:
            raise ModelError(f"{self.lattice.position(site)} is taken by another cell")
        name = self.model.randomness.names(
            f"agents.{kind}", self.model.clock, np.array([self.born_by_hand])
        )
        self.born_by_hand += 1
        self.population.settle(kind, np.array([site]), name, self.model.clock, checked)
        return int(name[0])

    def adopt(self, agent: mesa.Agent) -> None:
        """Take in the window on a cell that was just born by hand."""
        self.windows.admit(agent)

    def forget(self, agent: mesa.Agent) -> None:
        """Let go of the window on a cell that was just killed by hand."""
        self.windows.dismiss(agent)

    def _free_site(self) -> int:
        free = self.population.free_sites()
        if not len(free):
            raise ModelError("no site of the lattice is free")
        purpose = f"agents.site.{self.born_by_hand}"
        return int(free[np.argmin(self.model.randomness.uniform(purpose, self.model.clock, free))])

    def place(self, agent: mesa.Agent, position) -> None:
        """Let a plain Mesa agent stand (or move) on the lattice; cells leave its site alone. Raises ModelError if taken."""
        site = self.lattice.site(position)
        if self.lattice.occupant[site] != EMPTY:
            raise ModelError(f"{self.lattice.position(site)} is taken")
        if agent in self.standing:
            self.lattice.occupant[self.standing[agent]] = EMPTY
        self.lattice.occupant[site] = FOREIGN
        self.standing[agent] = site
        agent.pos = self.lattice.position(site)

    def neighbors(self, position) -> list[mesa.Agent]:
        """The agents on the sites around a position."""
        around = self.lattice.neighbours(self.lattice.site(position))
        self.windows.reconcile()
        visitors = {site: agent for agent, site in self.standing.items()}
        names, found = self.population.cells["name"], []
        for site in around:
            row = self.lattice.occupant[site]
            if row >= 0:
                found.append(self.windows[int(names[row])])
            elif row == FOREIGN:
                found.append(visitors[int(site)])
        return found

    def free_neighbors(self, position) -> list[tuple[int, ...]]:
        """Positions around a position where nobody stands."""
        around = self.lattice.neighbours(self.lattice.site(position))
        return [
            self.lattice.position(site) for site in around if self.lattice.occupant[site] == EMPTY
        ]

    def leave(self, agent: mesa.Agent) -> None:
        """A plain agent gives its site free."""
        site = self.standing.pop(agent, None)
        if site is not None:
            self.lattice.occupant[site] = EMPTY

    def state(self, keep: Callable) -> dict:
        """Everything that must be saved, but for the classes."""
        return {
            "born_by_hand": self.born_by_hand,
            "visitors": [self._visitor_state(agent, keep) for agent in self.visitors()],
        }

    def restore(self, state: dict, read: Callable, classes: Sequence[type[mesa.Agent]]) -> None:
        """Stand as it was; plain agents, of these ``classes``, come again."""
        self.born_by_hand = state["born_by_hand"]
        for cls, table in zip(classes, state["visitors"], strict=True):
            self._visit(cls, table, read)

    def _visitor_state(self, agent: mesa.Agent, keep: Callable) -> dict:
        name, site = type(agent).__name__, self.standing.get(agent)
        if not (hasattr(agent, "state") and hasattr(agent, "restore")):
            raise StateError(
                f"{name} cannot be saved or forked: a plain Mesa agent needs state() -> dict and restore(dict)"
            )
        own, left = {}, []
        for key in vars(agent).keys() - {"model", "unique_id", "pos"}:
            try:
                own[key] = keep(getattr(agent, key), name)
            except StateError:  # such as another agent
                left.append(key)
        return {
            "site": None if site is None else int(site),
            "state": keep(agent.state(), name),
            "attributes": own,
            "left": sorted(left),
        }

    def _visit(self, cls: type[mesa.Agent], table: dict, read: Callable) -> None:
        """A plain Mesa agent comes again, its constructor not called; ``restore`` has the last word."""
        agent = cls.__new__(cls)
        mesa.Agent.__init__(agent, self.model)
        vars(agent).update({key: read(value) for key, value in table["attributes"].items()})
        if table["site"] is not None:
            self.place(agent, self.lattice.position(table["site"]))
        agent.restore(read(table["state"]))
        if missing := [key for key in table["left"] if key not in vars(agent)]:
            raise StateError(
                f"{cls.__name__}.{missing[0]} does not come along, as it is no number, text, list, table or array: "
                "let restore() set it"
            )
