"""Substances that diffuse between cells: oxygen, cytokines and chemokines on a mesh of nodes."""

import math

import numpy as np

from simulation.compiled import loop, scalar
from simulation.tissue.multigrid import Balance, Hierarchy, solve

from ..errors import TumorLabError

LEAST_LOSS = 1e-6  # 1/h; a quasi-steady substance that nothing removes would have no steady state


class FieldError(TumorLabError):
    """A mesh or a field is asked for something impossible."""


class Mesh:
    """Nodes of `coarse` lattice sites a side, over an interior of (nx, ny, nz) sites; an axis of one site stays one.

    Attributes: `shape` (nodes on three axes), `spacing` (um between nodes), `size` (nodes), `node_of_site` (int32,
    flat node of every interior site in C order), `sites_per_node` (float64; fewer at a ragged far edge).
    What stands on a node is a mean over its own sites.

    A coarser mesh changes what a cell reads, against one node a site of 15 um, by (mean over sites): oxygen at 30 um
    0.8 % (5 % inside a tumour, where it is nearly used up), chemokine at 30 um 2.1 %, IL-2 at 30 um 8 % (its reach is
    55 um; a lone secreting cell reads 25 % too little of its own), IFN-gamma at 60 um 0.8 to 2 %. Totals differ by
    under 0.3 %, ring means around a lone cell from one node on by under 0.3 % (chemokine) and 1 to 2 % (IL-2).
    """

    def __init__(self, shape_sites: tuple[int, ...], spacing_um: float, coarse: int = 1):
        sites = tuple(int(length) for length in shape_sites) + (1,) * (3 - len(shape_sites))
        if len(sites) != 3 or min(sites) < 1 or int(coarse) < 1 or not 0 < spacing_um < math.inf:
            raise FieldError(
                f"a mesh needs 1 to 3 axes of at least one site, a positive spacing and coarse >= 1, "
                f"not shape {tuple(shape_sites)}, spacing {spacing_um} um and coarse {coarse}"
            )
        self.coarse = int(coarse)
        self.spacing = float(spacing_um) * self.coarse
        self.shape = tuple(-(-length // self.coarse) for length in sites)
        self.size = math.prod(self.shape)
        widths = [np.bincount(np.arange(length) // self.coarse) / self.coarse for length in sites]
        x, y, z = (
            np.repeat(np.arange(len(w)), np.rint(w * self.coarse).astype(int)) for w in widths
        )
        node = (x[:, None, None] * self.shape[1] + y[:, None]) * self.shape[2] + z
        self.node_of_site = node.astype(np.int32).ravel()
        self.sites_per_node = np.bincount(self.node_of_site, minlength=self.size).astype(np.float64)
        self.volume = self.sites_per_node / self.sites_per_node[0]
        self.nothing = np.zeros(self.size)
        self.hierarchy = Hierarchy(widths)


class Field:
    """One diffusing substance between reflecting walls: `values` (flat float64, one a node) in `unit`.

    `diffusion` in um2/h, `decay` in 1/h. A quasi-steady field is in balance with its sources of the moment; any
    other remembers its past. Only `values` is state.
    """

    def __init__(
        self,
        name: str,
        mesh: Mesh,
        diffusion: float,
        decay: float,
        quasi_steady: bool,
        unit: str,
        initial: float = 0.0,
    ):
        for quantity, value in (
            ("diffusion", diffusion),
            ("decay", decay),
            ("initial value", initial),
        ):
            if not 0 <= value < math.inf:
                raise FieldError(
                    f"the {quantity} of field '{name}' must be finite and not negative, not {value}"
                )
        self.name, self.mesh, self.unit, self.quasi_steady = name, mesh, unit, bool(quasi_steady)
        self.diffusion, self.decay = float(diffusion), float(decay)
        nodes = mesh.hierarchy.nodes
        self._values = np.full(nodes, float(initial))
        self._excess, self._share, self._loss, self._gain = (np.zeros(nodes) for _ in range(4))
        self.cycles = 0

    @property
    def values(self) -> np.ndarray:
        """Concentration at every node, flat in C order; may be written in place."""
        return self._values[: self.mesh.size]

    @values.setter
    def values(self, values: np.ndarray) -> None:
        self._values[: self.mesh.size] = values

    def advance(
        self,
        hours: float,
        source: np.ndarray | None = None,
        uptake: np.ndarray | None = None,
        supply: np.ndarray | None = None,
        supply_level: float = 0.0,
    ) -> None:
        """Move on by `hours`: dc/dt = D lap c - (decay + uptake + supply) c + source + supply supply_level.

        Arrays of `mesh.size` float64: `source` in unit/h, `uptake` and `supply` in 1/h, none negative; absent is zero.
        Backward Euler, the past weighted so that decay and approach to the steady state are exact where nothing
        diffuses. A change of sources is what it blurs: 50 um2/s in steps of 1 h are 19 % off (mean over sites) in the
        hour in which sources appear, 1.4 % after 4 h; in steps of 0.5 h, 10 % and 0.6 %.
        Raises FieldError for an input that is negative or not finite.
        """
        source, uptake, supply = (
            self.mesh.nothing if each is None else np.ascontiguousarray(each, dtype=np.float64)
            for each in (source, uptake, supply)
        )
        hierarchy, exchange = self.mesh.hierarchy, self.diffusion / self.mesh.spacing**2
        work = (self._excess, self._share, self._loss, self._gain)
        pulls = (hierarchy.low * exchange, hierarchy.high * exchange)
        balance = Balance(
            self._values, *work, self.mesh.volume, hierarchy.levels, *pulls, hierarchy.part
        )
        if not (
            0 < hours < math.inf
            and source.shape == uptake.shape == supply.shape == (self.mesh.size,)
            and weigh(
                balance, source, uptake, supply, float(supply_level), self.decay, self._step(hours)
            )
        ):
            raise FieldError(
                f"field '{self.name}' advances by positive hours, from values, with source, uptake and supply "
                f"that are finite, not negative and given for each of its {self.mesh.size} nodes"
            )
        self.cycles = solve(balance)

    def _step(self, hours: float) -> float:
        """The hours over which the past fades; to be quasi-steady is to take an endless step."""
        return math.inf if self.quasi_steady else float(hours)

    def copy(self) -> "Field":
        """An independent field with the same values on the same mesh."""
        twin = Field(self.name, self.mesh, self.diffusion, self.decay, self.quasi_steady, self.unit)
        twin.values = self.values
        return twin


@scalar
def weight_of_past(loss, hours):
    """Weight of the past, 1/h, that makes loss without diffusion exact: loss / (exp(loss hours) - 1)."""
    if hours == np.inf:
        return 0.0
    return 1.0 / hours if loss * hours < 1e-9 else loss / math.expm1(min(loss * hours, 700.0))


@loop
def weigh(balance, source, uptake, supply, supply_level, decay, hours):
    """Write what every node loses (1/h) and gains (unit/h); False when anything is negative or not finite."""
    values, loss, gain = balance.values, balance.loss, balance.gain
    last, remembered, lawful = -1.0, 0.0, True
    for node in range(len(source)):
        lost = decay + uptake[node] + supply[node]
        given = source[node] + supply[node] * supply_level
        lawful &= (source[node] >= 0) & (uptake[node] >= 0) & (supply[node] >= 0) & (lost < np.inf)
        lawful &= (0 <= given) & (given < np.inf) & (0 <= values[node]) & (values[node] < np.inf)
        if lost != last:
            last, remembered = lost, weight_of_past(lost, hours)
        loss[node] = max(lost + remembered, LEAST_LOSS)
        gain[node] = given + remembered * values[node]
    return lawful
