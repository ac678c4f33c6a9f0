"""The cell table: one row per cell, one array per trait; birth, inheritance and death of rows.

Rows of dead cells (kind -1) are used again by the newborn. Nothing outside a step may rely on row order: now and then the
rows are laid anew in the order of their sites, which makes loops faster and changes no result.
"""

from collections import namedtuple
from typing import NamedTuple

import numpy as np

DEAD = -1
COAT = "coat"
"""The column of Fc-bearing antibody on every cell, which is there only while such an antibody is."""


class Column(NamedTuple):
    """What every cell has, beside the traits of its kind: one array, an entry per row."""

    name: str
    dtype: type
    blank: float = 0
    """What a new row starts with."""
    high: float | None = None
    """The most that may be written by hand; None: it follows from what happens to the cell."""
    inherited: bool = True
    kept: bool = True
    """Whether it means anything between steps, and so is saved."""
    looped: bool = True
    """Whether compiled loops see it."""


ANY = np.iinfo(np.int64).max  # as much as the type of the column holds
OF_EVERY_CELL = (
    Column("name", np.int64),
    Column("mother", np.int64, looped=False),
    Column("clone", np.int64, high=ANY, looped=False),
    Column("born", np.int32, looped=False),
    Column("site", np.int32),
    Column("kind", np.int8),
    Column("heading", np.int8, blank=-1, inherited=False),
    Column("damage", np.int16, high=ANY, inherited=False),
    Column("held", np.int16, inherited=False),
    Column("divisions", np.int16, high=ANY),
    Column("receptor", np.int8, high=ANY),  # the channel of its recognition that it sees
    Column("kills", np.int32, inherited=False),
    Column("braked", np.int32, inherited=False),  # hits that the brake took from it
    Column("partner", np.int32, blank=-1, inherited=False),
    Column("stimulation", np.float64, high=1.0),
    Column("exhaustion", np.float64, high=1.0),
    Column("fixed_exhaustion", np.float64, high=1.0),
    Column("capacity", np.float64, blank=np.inf, high=np.inf),
    Column("specificity", np.float64, blank=1.0, high=1.0),
    Column("presented_mhc", np.float64),
    Column("pdl1_shown", np.float64),
    Column("pdl1", np.float64, high=100.0, looped=False),
    # hours of engagement in this step, weighted by what exhausts, and by what stimulates
    Column("strain", np.float64, inherited=False, kept=False),
    Column("contact", np.float64, inherited=False, kept=False),
    # hours into the sub-step when a contact begins; of a free cell: minus the hours it has not yet searched
    Column("since", np.float64, inherited=False),
)
COLUMNS = {column.name: column for column in OF_EVERY_CELL}
SCRATCH = tuple(column.name for column in OF_EVERY_CELL if not column.kept)
BY_HAND = {
    column.name: min(column.high, np.iinfo(column.dtype).max)
    if np.issubdtype(column.dtype, np.integer)
    else column.high
    for column in OF_EVERY_CELL
    if column.high is not None
}
"""What may be written of a cell beside its traits -> the highest value."""
Cells = namedtuple(
    "Cells",
    [*(column.name for column in OF_EVERY_CELL if column.looped), "seen", "stimulus", "own"],
)
Cells.__doc__ = """What a compiled loop sees of the table: arrays over rows.

``seen`` and ``stimulus``, float64 (channels of all recognitions, rows): how well a target is recognised, and how strongly it
drives division.
``own``, float64 (chosen rules + 1, rows): rates of single cells, NaN where their kind's hold; slot 0 is all NaN.
"""


class CellTable:
    """All cells of a model. ``table["antigen"]`` is the live array of that trait, one entry per row."""

    def __init__(self, traits: list[str], channels: int, rows: int = 1024, most: int | None = None):
        self.traits = list(dict.fromkeys(traits))
        self.most = most
        self.rows = 0
        self.version = 0  # goes up whenever rows change hands
        self._columns = {column.name: np.zeros(0, dtype=column.dtype) for column in OF_EVERY_CELL}
        for trait in self.traits:
            self._columns.setdefault(trait, np.zeros(0))
        self.seen = np.zeros((channels, 0))
        self.stimulus = np.zeros((channels, 0))
        self.own = np.zeros((1, 0))
        self._reserve(rows)
        self._row_of: tuple[int, np.ndarray, np.ndarray] | None = None

    def __getitem__(self, trait: str) -> np.ndarray:
        return self._columns[trait][: self.rows]

    def __contains__(self, trait: str) -> bool:
        return trait in self._columns

    @property
    def columns(self) -> list[str]:
        """The names of all columns."""
        return list(self._columns)

    @property
    def alive(self) -> np.ndarray:
        """True for rows that hold a living cell."""
        return self["kind"] != DEAD

    def add_trait(self, trait: str) -> None:
        """A column for a trait of a kind, 0 in every row, unless there is one."""
        if trait not in self._columns:
            self.traits.append(trait)
            self._columns[trait] = np.zeros(len(self._columns["name"]))

    def drop_trait(self, trait: str) -> None:
        """Without the column of a trait, where there is one."""
        if trait in self._columns:
            self.traits.remove(trait)
            del self._columns[trait]

    def add_channels(self, number: int) -> None:
        """Room for the scores of ``number`` channels in all."""
        missing = number - len(self.seen)
        if missing > 0:
            blank = np.zeros((missing, self.seen.shape[1]))
            self.seen, self.stimulus = (
                np.vstack([self.seen, blank]),
                np.vstack([self.stimulus, blank]),
            )

    def choose(self, rates: list[np.ndarray]) -> None:
        """Own rates of single cells for this step, a row of the table's length per slot from 1 on."""
        if len(self.own) <= len(rates):
            self.own = np.full((len(rates) + 1, self.own.shape[1]), np.nan)
        for slot, each in enumerate(rates, start=1):
            self.own[slot] = np.nan
            self.own[slot, : len(each)] = each

    def view(self) -> Cells:
        """The table as a compiled loop takes it; what has an entry per row and something else is as long as the capacity."""
        columns = {f: self._columns[f][: self.rows] for f in Cells._fields if f in self._columns}
        return Cells(**columns, seen=self.seen, stimulus=self.stimulus, own=self.own)

    def _reserve(self, rows: int) -> None:
        old = len(self._columns["name"])
        if rows <= old:
            return
        size = max(rows, old + old // 4)
        if self.most is not None:
            size = max(rows, min(size, self.most))
        for name, column in self._columns.items():
            grown = np.zeros(size, dtype=column.dtype)
            grown[:old] = column
            self._columns[name] = grown
        for attribute in ("seen", "stimulus", "own"):
            matrix = getattr(self, attribute)
            grown = np.full((len(matrix), size), np.nan if attribute == "own" else 0.0)
            grown[:, :old] = matrix
            setattr(self, attribute, grown)

    def take_rows(self, number: int) -> np.ndarray:
        """Blank rows for ``number`` new cells."""
        taken = self._rows_for(number)
        for name, column in self._columns.items():
            column[taken] = _blank(name)
        for matrix, blank in ((self.seen, 0.0), (self.stimulus, 0.0), (self.own, np.nan)):
            for scores in matrix:
                scores[taken] = blank
        return taken

    def bear(self, mothers: np.ndarray) -> np.ndarray:
        """Rows for daughters: copies of their mothers, but for what belongs to one cell alone."""
        daughters = self._rows_for(len(mothers))
        for name, column in self._columns.items():
            inherited = name not in COLUMNS or COLUMNS[name].inherited
            column[daughters] = column[mothers] if inherited else _blank(name)
        for scores in (*self.seen, *self.stimulus, *self.own):
            scores[daughters] = scores[mothers]
        return daughters

    def _rows_for(self, number: int) -> np.ndarray:
        """Rows for ``number`` new cells: first those of dead cells, then new ones at the end."""
        if number == 0:
            return np.empty(0, dtype=np.int64)
        free = np.flatnonzero(self["kind"] == DEAD)[:number]
        fresh = np.arange(self.rows, self.rows + number - len(free))
        if len(fresh):
            self._reserve(int(fresh[-1]) + 1)
            self.rows = int(fresh[-1]) + 1
        self.version += 1
        return np.concatenate([free, fresh])

    def row_of(self, name: int, last: int = -1) -> int:
        """The row of the living cell of that name; -1 when there is none. ``last``: the row that it had when it was last seen."""
        if (
            0 <= last < self.rows
            and self._columns["name"][last] == name
            and self._columns["kind"][last] != DEAD
        ):
            return last
        if self._row_of is None or self._row_of[0] != self.version:
            rows = np.flatnonzero(self.alive)
            order = np.argsort(self["name"][rows])
            self._row_of = (self.version, self["name"][rows][order], rows[order])
        _, names, rows = self._row_of
        at = int(np.searchsorted(names, name))
        return int(rows[at]) if at < len(names) and names[at] == name else -1

    def sort_by_site(self, occupant: np.ndarray, interior: np.ndarray) -> None:
        """Lay living rows kind by kind, each in the order of its sites, and give the dead rows back."""
        order = occupant[interior]
        order = order[order >= 0].astype(np.int64)
        order = order[
            np.argsort(self["kind"][order], kind="stable")
        ]  # loops over one kind then read memory in one go
        new_row = np.full(self.rows + 1, -1, dtype=np.int32)
        new_row[order] = np.arange(len(order), dtype=np.int32)
        for column in self._columns.values():
            column[: len(order)] = column[order]
            column[len(order) : self.rows] = 0
        for matrix in (self.seen, self.stimulus, self.own):
            matrix[:, : len(order)] = matrix[:, order]
        self.rows = len(order)
        partner = self._columns["partner"][: self.rows]
        partner[:] = new_row[partner]  # -1 reads the extra last entry, which is -1
        occupant[self["site"]] = np.arange(self.rows, dtype=np.int32)
        self.version += 1

    def state(self) -> dict[str, np.ndarray]:
        """Everything that must be saved, by column."""
        arrays = {name: self[name].copy() for name in self._columns if name not in SCRATCH}
        return {
            **arrays,
            "seen": self.seen[:, : self.rows].copy(),
            "stimulus": self.stimulus[:, : self.rows].copy(),
        }

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Stand as it was when :meth:`state` was taken."""
        rows = len(state["name"])
        if COAT in state:
            self.add_trait(COAT)
        self._reserve(rows)
        self.rows = rows
        for name, column in self._columns.items():
            column[:rows] = state[name] if name in state else _blank(name)
        self.add_channels(len(state["seen"]))
        for name in ("seen", "stimulus"):
            scores = getattr(self, name)
            scores[:, :rows] = 0.0
            scores[: len(state[name]), :rows] = state[name]
        self.version += 1


def _blank(name: str) -> float:
    """What a new row has in a column; traits of kinds are set after."""
    return COLUMNS[name].blank if name in COLUMNS else 0
