"""What a plug-in may see of a model, and do with it: hooks, recognitions and processes are typed with this."""

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np

from .parameters.parameter import Parameters
from .randomness import Randomness


class Cells(Protocol):
    """The living cells, one row each. ``cells["antigen"]`` is the live array of a trait; rows change hands at every step."""

    rows: int
    version: int
    """Goes up whenever rows change hands."""

    def __getitem__(self, trait: str) -> np.ndarray: ...

    def __contains__(self, trait: str) -> bool: ...

    def view(self) -> Any:
        """The table as a compiled loop takes it."""

    @property
    def alive(self) -> np.ndarray:
        """True for rows that hold a living cell."""


class Ground(Protocol):
    """The lattice that cells stand on."""

    shape: tuple[int, ...]
    spacing: float
    liquid: bool
    size: int

    @property
    def extent(self) -> float:
        """Area in mm2 (volume in mm3 in 3-D)."""

    def coordinates(self, sites: np.ndarray) -> np.ndarray:
        """Positions of sites: (sites, axes)."""


class Vessels(Protocol):
    """Where blood comes in: ``sites``, as ``cells["site"]`` counts them."""

    sites: np.ndarray

    def grow(self, sites: object) -> int:
        """New vessels at sites; returns how many were not there before."""

    def prune(self, sites: object) -> int:
        """No vessels at sites any longer; returns how many there were."""


class Substance(Protocol):
    """A field. ``values``: concentration per mesh node."""

    values: np.ndarray
    unit: str


@runtime_checkable
class Giver(Protocol):
    """Who brings cells in: a treatment, by whose name and doses their names are drawn."""

    name: str
    doses: list[tuple[float, float]]


class Model(Protocol):
    """A tumour and the immune system, as a plug-in sees them."""

    parameters: Parameters
    cells: Cells
    lattice: Ground
    vessels: Vessels
    randomness: Randomness
    counters: dict[str, np.ndarray]
    process_state: dict[str, dict[str, Any]]
    """What each process keeps, by its name; saved and forked with the model."""
    clock: int
    """Steps since the model was built."""
    dt: float
    """Hours a step."""
    kinds: Any
    body: Any
    """What lies outside the tissue: compartments by name, and what the dead release."""
    rules: Any
    """The rules of this step; ``rules.free(name)`` is the free share of a receptor or surface molecule."""
    rates: Any
    """The rates of this step as the compiled loops read them."""

    @property
    def hours(self) -> float:
        """Simulated hours since the model was built."""

    @property
    def day(self) -> float:
        """Days since day 0."""

    @property
    def fields(self) -> Mapping[str, Substance]:
        """Name -> field."""

    def concentration(self, field: str, sites: np.ndarray) -> np.ndarray:
        """What a field holds at sites, as ``cells["site"]`` counts them, in its unit."""

    @property
    def measures(self) -> Mapping[str, float]:
        """The numbers of this moment."""

    def count(self, kind: str) -> int:
        """Living cells of one kind."""

    def rows(self, kind: str) -> np.ndarray:
        """True for the rows of the living cells of one kind."""

    def kill(self, rows: object) -> int:
        """Remove cells, by row or by one True or False per row; returns how many."""

    def infuse(
        self, kind: str, number: int, by: Giver, traits: Mapping[str, object] | None = None
    ) -> np.ndarray:
        """Bring cells in through the vessels; returns the rows of those that found room."""

    def sow(
        self,
        kind: str,
        positions: object = None,
        *,
        sites: object = None,
        number: int | None = None,
        traits: Mapping[str, object] | None = None,
    ) -> np.ndarray:
        """Many cells at once are born on free sites; returns their rows."""

    def emigrate(self, rows: object) -> int:
        """Cells leave the tissue, and no death is counted; returns how many."""

    @property
    def dead(self) -> np.ndarray:
        """Rows of the cells that the last ``act`` or ``die`` killed, whose traits can still be read."""

    def around(self, values: object, reach: float) -> np.ndarray:
        """For every living cell the mean of values over the sites within ``reach`` um."""

    def add_hazard(self, rate: object, where: np.ndarray | None = None) -> None:
        """Called in ``on_step``: chosen cells die at ``rate`` per hour more."""
