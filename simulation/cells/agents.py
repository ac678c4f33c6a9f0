"""Mesa agents as windows on one row of the cell table.

Reading or writing an attribute of an agent reads or writes the table; nothing is kept in the agent itself. Making an agent
is a real birth, removing it a real death, and looking at agents never changes a run.
"""

import mesa
import numpy as np

from ..errors import ModelError, UnknownTrait
from .table import BY_HAND, COLUMNS

READ_ONLY = COLUMNS.keys() - BY_HAND.keys()


class DeadCellError(ModelError, AttributeError):
    """A window on a cell that has died."""


class CellAgent(mesa.Agent):
    """One living cell. Traits of its kind are attributes; ``pos`` is its place on the lattice.

    ``TumorCell(model, pos=(10, 12), antigen=0.2)`` is a birth: at ``pos`` or, when left out, at a random free site; traits
    not given start as the parameters say. Raises ModelError when the place is taken, UnknownTrait for a misspelt trait.
    """

    kind: str = ""
    _ids = None  # Mesa 3.3 would keep every model alive here

    def __init__(self, model, pos=None, **traits):
        name = model.born(self.kind, pos, traits)
        self.__dict__.update(model=model, _name=name, _row=-1)
        model.inhabitants.adopt(self)

    @classmethod
    def window(cls, model, name: int) -> "CellAgent":
        """A window on a cell that lives already."""
        agent = cls.__new__(cls)
        agent.__dict__.update(model=model, _name=name, _row=-1)
        return agent

    @property
    def unique_id(self) -> int:
        """Its name, by which Mesa knows it."""
        return self._name

    @unique_id.setter
    def unique_id(self, value):
        """Mesa numbers agents itself; a cell keeps its own name."""

    @property
    def alive(self) -> bool:
        """Whether the cell still lives."""
        return self._found() >= 0

    @property
    def row(self) -> int:
        """Its row in the cell table at this moment. Raises DeadCellError when it has died."""
        return self._living_row()

    def _found(self) -> int:
        row = self.__dict__["_row"] = self.model.cells.row_of(self._name, self._row)
        return row

    def _living_row(self) -> int:
        row = self._found()
        if row < 0:
            raise DeadCellError(
                f"{type(self).__name__} {self._name} is dead: ask .alive first, or take model.agents anew"
            )
        return row

    @property
    def pos(self) -> tuple[int, ...]:
        """Where it stands on the lattice."""
        return self.model.lattice.position(self.model.cells["site"][self.row])

    @pos.setter
    def pos(self, value):
        """Mesa sets a first position itself; a cell stands where the lattice says."""

    @property
    def vigour(self) -> float:
        """(1 - plastic exhaustion)(1 - fixed exhaustion)."""
        return (1.0 - self.exhaustion) * (1.0 - self.fixed_exhaustion)

    @property
    def engaged_with(self) -> "CellAgent | None":
        """The cell it holds, if any."""
        partner = int(self.model.cells["partner"][self.row])
        return None if partner < 0 else self.model.agent(int(self.model.cells["name"][partner]))

    def neighbors(self) -> list[mesa.Agent]:
        """The agents on the sites around it."""
        return self.model.neighbors(self.pos)

    def remove(self) -> None:
        """Kill the cell."""
        row = self.row
        self.model.inhabitants.windows.reconcile()
        self.model.kill([row])
        self.model.inhabitants.forget(self)

    def __getattr__(self, name: str):
        if name.startswith("__") or "model" not in self.__dict__:
            raise AttributeError(name)
        cells = self.model.cells
        if isinstance(
            getattr(type(self), name, None), property
        ):  # it raised an AttributeError: the cell is dead
            self._living_row()
        if name not in cells:
            raise UnknownTrait(f"{type(self).__name__} has no trait {name!r}")
        return cells[name][self._living_row()].item()

    def __setattr__(self, name: str, value):
        cells = self.model.cells
        if isinstance(getattr(type(self), name, None), property) or name not in cells:
            object.__setattr__(self, name, value)
            return
        if name in READ_ONLY:
            raise UnknownTrait(
                f"{name} of a cell follows from what happens to it and cannot be assigned"
            )
        cells[name][self.row] = self.model.population.checked_trait(self.kind, name, value)

    def __repr__(self) -> str:
        if not self.alive:
            return f"<{type(self).__name__} {self._name}, dead>"
        return f"<{type(self).__name__} {self._name} at {self.pos}>"


TAKEN = READ_ONLY.union(
    dir(CellAgent),
    (name for name, column in COLUMNS.items() if column.dtype is not np.float64),
)
"""Names that no trait can have, since every cell has them."""
