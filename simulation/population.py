"""The cells of a model: how many there are, how they come to stand in the tissue, how they are taken out."""

from collections.abc import Mapping
from numbers import Integral, Real

import numpy as np

from .arguments import checked_count
from .cells.dead import Dead
from .cells.table import BY_HAND, CellTable
from .contract import Giver
from .errors import ModelError, UnknownTrait
from .kernels import death, recruitment
from .kernels.inheritance import start_trait
from .kinds.kind import resolve
from .parameters.given import plain, quoted
from .parameters.parameter import nearest
from .tissue.lattice import EMPTY

COUNTERS = ("kills", "deaths", "births", "starved", "arrived", "emigrated")


class Population:
    """Counting, planting, infusing and removing cells. ``cells`` is the table, ``counters`` what happened since day 0."""

    def __init__(self, kinds, lattice, vessels, parameters, randomness):
        self.kinds, self.lattice, self.vessels = kinds, lattice, vessels
        self.parameters, self.randomness = parameters, randomness
        self.cells = CellTable(kinds.traits(), kinds.channels, most=lattice.size)
        self.counters = {
            name: np.zeros((0,) * (1 + (name == "kills")), dtype=np.int64) for name in COUNTERS
        }
        self.dead = Dead()
        self._sown_at, self._sown = (
            -1,
            {},
        )  # a step, and how often cells were sown in it on each site
        self.arrange()

    def arrange(self) -> None:
        """Room for every kind there is: columns for its traits, counters, and what the loops read of it."""
        for trait in self.kinds.traits():
            self.cells.add_trait(trait)
        self.cells.add_channels(self.kinds.channels)
        for (
            name,
            counter,
        ) in self.counters.items():  # one number a kind, and of ``kills`` who killed whom
            self.counters[name] = np.pad(
                counter, [(0, len(self.kinds) - len(counter))] * counter.ndim
            )
        self.by_kind = self.kinds.arrays(self.parameters)

    def count(self, kind: str) -> int:
        """Living cells of one kind."""
        return int(np.count_nonzero(self.cells["kind"] == self.kinds.index(kind)))

    def counts(self) -> dict[str, int]:
        """Living cells of every kind."""
        return {name: self.count(name) for name in self.kinds.names}

    def rows(self, kind: str) -> np.ndarray:
        """True for the rows of the living cells of one kind: a ``where=`` for rules."""
        return self.cells["kind"] == self.kinds.index(kind)

    def kill(self, rows) -> int:
        """Remove cells, by row or by one True or False per row; returns how many.

        A cell named twice dies once. Raises ModelError for a row without a living cell: rows change hands at every step.
        """
        return self._take_out(rows, "deaths")

    def emigrate(self, rows) -> int:
        """Cells leave the tissue, chosen as :meth:`kill` chooses; returns how many. No death is counted."""
        return self._take_out(rows, "emigrated")

    def _take_out(self, rows, counter: str) -> int:
        rows = self._living(rows)
        self.counters[counter] += np.bincount(self.cells["kind"][rows], minlength=len(self.kinds))
        self.lattice.occupant[self.cells["site"][rows]] = EMPTY
        self.cells["kind"][rows] = -1
        self.let_go()
        self.cells.version += 1
        return len(rows)

    def _living(self, rows) -> np.ndarray:
        """Rows of living cells, each once, from row numbers or from one True or False per row."""
        asked, all_rows = np.asarray(rows), self.cells.rows
        if asked.dtype == bool and asked.shape == (all_rows,):
            return np.flatnonzero(asked & self.cells.alive)
        if asked.size and (asked.dtype.kind not in "iu" or asked.ndim > 1):
            raise ModelError(
                f"cells are chosen by whole row numbers, or by one True or False for each of the {all_rows} rows of "
                f"the cell table, not by {quoted(rows)}"
            )
        found = np.unique(asked.astype(np.int64))
        dead = found[(found < 0) | (found >= all_rows)]
        dead = dead if dead.size else found[~self.cells.alive[found]]
        if dead.size:
            raise ModelError(
                f"row {dead[0]} holds no living cell: rows change hands at every step, so take them anew"
            )
        return found

    def infuse(self, kind: str, number: int, by: Giver, clock: int, traits=None) -> np.ndarray:
        """Bring cells in through the vessels; returns their rows, if they found room. Names come from treatment and dose."""
        self.kinds.index(kind)
        if isinstance(number, bool) or not isinstance(number, Integral) or number < 0:
            raise ModelError(
                f"infuse takes a whole number of cells, at least 0, not {quoted(number)}"
            )
        if not isinstance(by, Giver):
            raise ModelError(
                f"infuse takes by=, the treatment that brings the cells, not {quoted(by)}"
            )
        values = self.checked_traits(kind, traits, int(number))
        number = min(int(number), self.lattice.size)  # more would never find room
        anywhere = self.lattice.liquid or not len(self.vessels.sites)
        entries = self.lattice.interior.astype(np.int64) if anywhere else self.vessels.sites
        purpose, dose = f"treatments.{by.name}.infuse.{kind}", len(by.doses)
        sites, chosen = np.empty(number, dtype=np.int64), np.empty(number, dtype=np.int64)
        placed = recruitment.infuse(
            self.lattice.space,
            entries,
            np.arange(number),
            self.lattice.strides,
            self.vessels.reach,
            self.randomness.stream(purpose, dose),
            sites,
            chosen,
        )
        names = self.randomness.names(purpose + ".name", dose, chosen[:placed])
        placed_values = {name: value[chosen[:placed]] for name, value in values.items()}
        return self.settle(kind, sites[:placed], names, clock, placed_values)

    def sow(self, kind: str, clock: int, positions, sites, number, traits) -> np.ndarray:
        """Cells are born on free sites; returns their rows. A cell is named by kind, site and moment."""
        self.kinds.index(kind)
        if sum(given is not None for given in (positions, sites, number)) != 1:
            raise ModelError(
                "sow takes either positions, (cells, axes), or sites, or the number of cells, at random free sites"
            )
        if number is not None:
            sites = self._random_free(kind, checked_count(number, "number"), clock)
        else:
            sites = (
                self.lattice.sites(positions)
                if sites is None
                else self.lattice.checked_sites(sites)
            )
        values = self.checked_traits(kind, traits, len(sites))
        twice = np.ones(len(sites), dtype=bool)
        twice[np.unique(sites, return_index=True)[1]] = False
        taken = sites[twice | (self.lattice.occupant[sites] != EMPTY)]
        if len(taken):
            raise ModelError(
                f"{self.lattice.position(taken[0])} is taken: sow takes free sites, each once"
            )
        ordinals = sites + self._times_sown(sites, clock) * self.lattice.occupant.size
        names = self.randomness.names(f"sow.{kind}", clock, ordinals)
        return self.settle(kind, sites, names, clock, values)

    def _times_sown(self, sites: np.ndarray, clock: int) -> np.ndarray:
        """How often cells were sown on these sites before in this step, so that each has a name of its own."""
        if clock != self._sown_at:
            self._sown_at, self._sown = clock, {}
        times = [self._sown.get(site, 0) for site in sites.tolist()]
        self._sown.update(zip(sites.tolist(), [many + 1 for many in times], strict=True))
        return np.array(times, dtype=np.int64)

    def free_sites(self) -> np.ndarray:
        """Sites of the lattice where nobody stands."""
        interior = self.lattice.interior
        return interior[self.lattice.occupant[interior] == EMPTY]

    def _random_free(self, kind: str, number: int, clock: int) -> np.ndarray:
        """So many free sites, by chance."""
        free = self.free_sites()
        if number > len(free):
            raise ModelError(
                f"number = {number} does not fit: {len(free)} sites are free", key="number"
            )
        draws = self.randomness.uniform(f"sow.{kind}.site", clock, free)
        return free[np.argsort(draws, kind="stable")[:number]].astype(np.int64)

    def let_go(self) -> None:
        """End every contact that one side did not survive."""
        death.let_go(self.cells.view(), np.flatnonzero(self.cells["partner"] >= 0))

    def settle(self, kind: str, sites, names, clock: int, values=None) -> np.ndarray:
        """Rows for cells that come from outside, with traits as the parameters say, but for checked ``values`` of some."""
        rows = self.cells.take_rows(len(sites))
        if len(rows) == 0:
            return rows
        cells = self.cells
        cells["kind"][rows] = self.kinds.index(kind)
        cells["name"][rows] = names
        cells["clone"][rows] = names
        cells["born"][rows] = clock
        declared = self.kinds[kind]
        cells["receptor"][rows] = declared.receptor
        cells["capacity"][rows] = self.by_kind.capacity[self.kinds.index(kind)]
        for trait in declared.traits:
            numbers = [
                resolve(n, self.parameters)
                for n in (trait.start, trait.spread, trait.negative_share)
            ]
            stream = self.randomness.stream(f"start.{trait.name}", 0)
            start_trait(cells[trait.name], rows, cells["name"], *numbers, trait.high, stream)
        for name, value in (values or {}).items():
            cells[name][rows] = value
        cells["presented_mhc"][rows] = cells["mhc"][rows] * self.parameters.tumor.mhc_resting
        cells["pdl1_shown"][rows] = cells["pdl1"][rows]
        self.stand(rows, sites)
        return rows

    def stand(self, rows: np.ndarray, sites: np.ndarray) -> None:
        """Cells of these rows stand on these free sites."""
        self.cells["site"][rows] = sites
        self.lattice.occupant[sites] = rows

    def plant(self, number: int, clock: int) -> None:
        """A disc of tumour cells in the middle; in a liquid they are anywhere."""
        if not 0 <= number <= self.lattice.size:
            raise ModelError(
                f"tumor.initial_cells = {quoted(number)} does not fit: the lattice has {self.lattice.size} sites",
                key="tumor.initial_cells",
            )
        liquid = self.lattice.liquid
        order = (
            self.by_chance("plant.order", clock)
            if liquid
            else np.argsort(self.lattice.from_centre(), kind="stable")
        )
        sites = self.lattice.interior[order[:number]].astype(np.int64)
        self.settle(
            "tumor_cell",
            sites,
            self.randomness.names("plant.tumor_cell", 0, np.arange(number)),
            clock,
        )

    def scatter(self, clock: int) -> None:
        """Every kind in its initial density, on free sites."""
        for kind in self.kinds:
            number = round(resolve(kind.initial_density, self.parameters) * self.lattice.extent)
            order = self.by_chance(f"scatter.{kind.name}", clock)
            free = self.lattice.interior[order][
                self.lattice.occupant[self.lattice.interior[order]] == EMPTY
            ]
            sites = free[:number].astype(np.int64)
            names = self.randomness.names(f"scatter.{kind.name}.name", clock, sites)
            self.settle(kind.name, sites, names, clock)

    def by_chance(self, purpose: str, clock: int) -> np.ndarray:
        """All interior sites in a random order."""
        return np.argsort(
            self.randomness.uniform(purpose, clock, self.lattice.interior), kind="stable"
        )

    def checked_trait(self, kind: str, name: str, value) -> float:
        """A value that a trait of a kind may take. Raises UnknownTrait, or ModelError with the range."""
        whole, high = self._range(kind, name)
        number = isinstance(value, Real) and not isinstance(value, bool)
        if not number or not 0.0 <= value <= high or (whole and value != int(value)):
            raise ModelError(
                f"{name} = {quoted(value)} of a {kind} is not allowed: it must be "
                f"{'a whole number ' if whole else ''}between 0 and {high:.12g}",
                key=name,
            )
        return int(value) if whole else float(value)

    def checked_traits(self, kind: str, traits, number: int) -> dict[str, np.ndarray]:
        """Values of traits for ``number`` cells of a kind, from one number or one per cell. Raises UnknownTrait, ModelError."""
        if not isinstance(traits, Mapping | None):
            raise ModelError(
                f"traits = {quoted(traits)} is not allowed: give a table of traits, such as {{'antigen': 0.5}}",
                key="traits",
            )
        checked = {}
        for name, given in (traits or {}).items():
            whole, high = self._range(kind, name)
            try:
                values = np.asarray(given)
            except ValueError:  # rows of several lengths
                values = np.empty((0, 0))
            if values.ndim == 0:
                checked[name] = np.full(number, self.checked_trait(kind, name, plain(given)))
                continue
            if values.shape != (number,):
                raise ModelError(
                    f"{name} of a {kind} takes one number, or one per cell ({number}), not "
                    f"{'x'.join(map(str, values.shape))} of them",
                    key=name,
                )
            if values.dtype.kind not in "iuf":
                self.checked_trait(kind, name, values.tolist()[0])
            allowed = (
                (values >= 0) & (values <= high) & ((values == np.floor(values)) | (not whole))
            )
            if not allowed.all():
                self.checked_trait(kind, name, values[~allowed][0].item())
            checked[name] = values
        return checked

    def _range(self, kind: str, name: str) -> tuple[bool, float]:
        """Whether a trait is a whole number, and the most it may be. Raises UnknownTrait."""
        highs = BY_HAND | {trait.name: trait.high for trait in self.kinds[kind].traits}
        if name not in highs:
            raise UnknownTrait(f"a {kind} has no trait {quoted(name)}{nearest(name, highs)}")
        return np.issubdtype(self.cells[name].dtype, np.integer), highs[name]

    def state(self, keep) -> dict:
        """Everything that must be saved."""
        sown = [(site, times) for site, times in self._sown.items()]
        return self.cells.state() | {
            "sown": np.array(sown, dtype=np.int64).reshape(-1, 2),
            "sown at": self._sown_at,
            **{f"counted {name}": counter.copy() for name, counter in self.counters.items()},
        }

    def restore(self, state: dict, read) -> None:
        """Stand as it was: every living cell on its site."""
        for name in self.counters:
            if f"counted {name}" in state:
                self.counters[name] = state[f"counted {name}"].copy()
        self._sown_at = state.get("sown at", -1)
        self._sown = dict(state.get("sown", np.zeros((0, 2), dtype=np.int64)).tolist())
        self.cells.restore(state)
        self.lattice.occupant[self.lattice.interior] = EMPTY
        rows = np.flatnonzero(self.cells.alive)
        self.lattice.occupant[self.cells["site"][rows]] = rows
