"""The dead of the last verb, whose rows keep their traits until somebody else is born into them."""

import numpy as np

from .table import DEAD, CellTable


class Dead:
    """Who a compiled loop killed: it is handed a list that is long enough, and writes how many and the row of each."""

    def __init__(self) -> None:
        self.forget()

    def begin(self, cells: CellTable) -> np.ndarray:
        """An empty list for a loop that kills: int64, how many, then room for every row."""
        if len(self._list) <= cells.rows:
            self._list = np.empty(cells.rows * 5 // 4 + 2, dtype=np.int64)
        self._list[0] = 0
        return self._list

    def end(self, cells: CellTable) -> None:
        """The loop is over: remember whose rows these were."""
        self._names = cells["name"][self._list[1 : 1 + self._list[0]]]

    def forget(self) -> None:
        """Rows are about to change hands."""
        self._list, self._names = np.zeros(1, dtype=np.int64), np.empty(0, dtype=np.int64)

    def rows(self, cells: CellTable) -> np.ndarray:
        """Their rows, without those into which somebody was born since."""
        rows = self._list[1 : 1 + self._list[0]]
        return rows[(cells["kind"][rows] == DEAD) & (cells["name"][rows] == self._names)]
