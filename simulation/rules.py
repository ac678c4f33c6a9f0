"""The rates in force, and how treatments bend them for one step.

Every step starts from the baseline that kinds and parameters give. A treatment adds *contributions*: factors, additions,
receptor occupancy, field sources. They are folded in the order of treatment names, so a combination does not depend on the
order of the list, to the last bit; what a treatment does not renew at the next step is gone.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .compiled import rare, scalar
from .errors import TumorLabError
from .parameters.given import quoted
from .parameters.parameter import nearest
from .parameters.units import canonical


class RuleError(TumorLabError, AttributeError):
    """A rule was assigned to, misspelt, or given something impossible; the message shows the right form."""


class Rule(NamedTuple):
    """What a cell does at some rate, or how well: its name, unit and meaning.

    A kind of cell may bring rules of its own, for a process of its own to read; treatments bend them as any other.

    >>> from simulation import Rule
    >>> Rule("polarisation", "/h", "macrophages that turn from eating to shielding")
    Rule(name='polarisation', unit='/h', meaning='macrophages that turn from eating to shielding', of_cells=True)
    """

    name: str
    unit: str
    meaning: str
    of_cells: bool = True  # False: a rule of cells that are still to come, so none can be chosen


RULES = (
    Rule("move", "um/h", "speed of a searching cell where nothing is in its way"),
    Rule("squeeze", "", "probability that a step onto a yielding cell exchanges places with it"),
    Rule("persistence", "", "probability of keeping the heading of the last step"),
    Rule("bias", "", "probability of heading up the chemokine gradient where chemokine saturates"),
    Rule("engage", "/h", "contacts made with a recognised neighbour"),
    Rule("kill", "/h", "lytic hits delivered by an engaged cell of full vigour"),
    Rule("potency", "hits", "damage units of one hit"),
    Rule("detach", "/h", "contacts that end by themselves"),
    Rule("brake", "", "probability that a hit is lost and the contact ends, at full PD-1 signal"),
    Rule("repair", "/h", "repair of one damage unit"),
    Rule("lethal_hits", "hits", "damage at which a cell dies"),
    Rule("exhaustion", "/h", "plastic exhaustion while engaged"),
    Rule("recovery", "/h", "recovery from plastic exhaustion while not engaged"),
    Rule("fixation", "/h", "plastic exhaustion becoming fixed"),
    Rule(
        "sensitivity",
        "",
        "stimulation from a share of time in stimulating contact; it saturates at 1",
    ),
    Rule("forgetting", "/h", "fading of stimulation"),
    Rule("refill", "/h", "recovery of the capacity to kill, in kills"),
    Rule("il2_refill", "", "how many times faster capacity recovers at saturating IL-2, beyond 1"),
    Rule("division", "/h", "divisions of a fully driven cell with room"),
    Rule("division_limit", "divisions", "divisions a stimulated cell may make without IL-2"),
    Rule("il2_divisions", "divisions", "further divisions at saturating IL-2"),
    Rule("il2_drive", "", "drive to divide from saturating IL-2 alone"),
    Rule("interferon_arrest", "", "share of division lost at saturating interferon"),
    Rule("oxygen_half", "mmHg", "oxygen at which division is half as fast"),
    Rule("death", "/h", "deaths by age and by everything that adds a hazard"),
    Rule("necrosis", "/h", "further deaths below the necrosis threshold"),
    Rule("influx", "cells/mm2/h", "cells that enter without antigen release", of_cells=False),
    Rule(
        "influx_gain",
        "cells/mm2/h",
        "further cells that enter at saturating antigen release",
        of_cells=False,
    ),
    Rule("antigen_shown", "", "factor on the antigen that T cells see"),
    Rule("interferon", "", "interferon signal beside IFN-gamma, in its half-effect units"),
    Rule("il2", "nM", "IL-2 beside what the tissue makes"),
    Rule(
        "ifn_gamma_secretion",
        "/h",
        "IFN-gamma made by a fully active cell, in the volume of its site",
    ),
    Rule("il2_secretion", "nM/h", "IL-2 made by a fully active cell, in the volume of its site"),
    Rule("il2_uptake", "/h", "IL-2 cleared by one cell from the volume of its site"),
    Rule(
        "chemokine_secretion", "/h", "chemokine made by a resting cell, in the volume of its site"
    ),
    Rule("chemokine_induced", "/h", "further chemokine at saturating interferon"),
    Rule("oxygen_uptake", "/h", "oxygen consumed by one cell from the volume of its site"),
)
INDEX = {rule.name: i for i, rule in enumerate(RULES)}
"""Where the rules stand that every model has and loops know; those that kinds and fields bring stand behind them."""


class Free(NamedTuple):
    """Free share of each receptor that loops read."""

    pd1: float
    pdl1: float


RECEPTORS = Free._fields
NOBODY = np.empty(0)


class Rates(NamedTuple):
    """What a compiled loop sees of the rules of one step.

    The value of rule r for a cell is ``either(cells.own[slot[r], row], by_kind[r, kind])``, and it is read in no other way.
    Slot 0 is NaN in every row: loops that run often read its first (``row if slot[r] else 0``), which stays at hand.
    """

    by_kind: np.ndarray  # float64 (rules, kinds)
    slot: np.ndarray  # int64 (rules,): where the rates of single cells stand in ``cells.own``; 0 where none was chosen
    free: Free


@dataclass(frozen=True)
class Contribution:
    """One thing a treatment does to one rule in one step."""

    who: str
    value: float | np.ndarray
    where: np.ndarray | None
    kinds: tuple[int, ...] | None


class Cover(NamedTuple):
    """What one antibody covers of a receptor in one step."""

    who: str
    strength: float  # concentration / K_d
    fc: float  # share of it whose Fc part immune cells can hold on to


@dataclass
class Bends:
    """All contributions to one rule in one step."""

    factors: list[Contribution] = field(default_factory=list)
    additions: list[Contribution] = field(default_factory=list)
    felt: list[Contribution] = field(default_factory=list)
    """Factors of the fields in which cells stand, one per row, 1 where none is felt."""


class Rules:
    """The rules of one step. ``print(model.rules.kill)`` says the value and who changed it.

    ``baseline``: float64 (rules, kinds), inside units. ``kind_of_row``: int8, -1 for the dead. ``max_occupancy``: of each
    receptor the most that drugs can cover. ``meshes``: number of mesh nodes of each field. ``declared``: the rules there are.
    ``surfaces``: the receptors that cells carry as a trait, and are coated by.
    """

    def __init__(
        self,
        baseline: np.ndarray,
        kinds: list[str],
        kind_of_row: np.ndarray,
        max_occupancy: dict[str, float],
        meshes: Mapping[str, int],
        declared: Iterable[Rule] = RULES,
        surfaces: Collection[str] = (),
    ):
        self._declared = {rule.name: rule for rule in declared}
        self._place = {name: i for i, name in enumerate(self._declared)}
        self._baseline = baseline
        self._kinds = list(kinds)
        self._kind_of_row = kind_of_row.copy()
        self._present: np.ndarray | None = (
            None  # living cells by kind, counted when somebody chooses cells
        )
        self._max_occupancy = max_occupancy
        self._meshes = dict(meshes)
        self._surfaces = sorted(surfaces)
        self._bends: dict[str, Bends] = {}
        self._occupied: dict[str, list[Cover]] = {}
        self.supplies: list[tuple[str, str, object]] = []

    def __getattr__(self, name: str) -> "RuleReport":
        if name.startswith("_"):
            raise AttributeError(name)
        return RuleReport(self, checked_rule(name, self._place))

    def __setattr__(self, name: str, value: object) -> None:
        if not name.startswith("_") and name in self._place:
            raise RuleError(
                f"rules.{name} cannot be assigned to: a treatment's modify() says rules.{name}.scale({value!r})"
            )
        object.__setattr__(self, name, value)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._place]

    def for_treatment(self, name: str) -> "RulesOf":
        """The door through which one treatment bends the rules."""
        return RulesOf(self, name)

    def value(self, name: str) -> np.ndarray:
        """The rule in force for cells of each kind that were not chosen singly; float64 (kinds,)."""
        return self._folded(name)[0]

    def _folded(self, name: str) -> tuple[np.ndarray, np.ndarray | None]:
        """A rule by kind, and by row (NaN for the dead) where single cells were chosen, else None."""
        bends, base = self._bends.get(name, Bends()), self._baseline[self._place[name]]
        factor, factors = self._combined(bends.factors, np.multiply, np.ones(len(self._kinds)))
        addition, additions = self._combined(bends.additions, np.add, np.zeros(len(self._kinds)))
        by_kind = base * factor + addition
        if factors is None and additions is None and not bends.felt:
            return by_kind, None
        singly = [NOBODY if rows is None else rows for rows in (factors, additions)]
        felt = reduce(np.multiply, (c.value for c in bends.felt)) if bends.felt else NOBODY
        single = np.empty(len(self._kind_of_row))
        cell_by_cell(self._kind_of_row, base, factor, addition, *singly, felt, single)
        return by_kind, single

    def _combined(
        self, part: list[Contribution], combine: np.ufunc, by_kind: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Contributions combined in the order of names, by kind and by row: to choose all cells of a kind is to name it."""
        kinds, by_row = self._kind_of_row, None
        for c in sorted(part, key=lambda c: c.who):
            whole, rows = self._meant(c)
            if rows is not None and by_row is None:
                by_row = by_kind[kinds]
            if by_row is not None:
                rows = whole[kinds] if rows is None else whole[kinds] | rows
                by_row[rows] = combine(
                    by_row[rows], c.value[rows] if isinstance(c.value, np.ndarray) else c.value
                )
            if whole.any():
                by_kind[whole] = combine(by_kind[whole], c.value)
        return by_kind, by_row

    def _meant(self, c: Contribution) -> tuple[np.ndarray, np.ndarray | None]:
        """The kinds that a contribution means as a whole, newcomers included, and the rows that it means singly or None.

        A kind of which every living cell was chosen is meant as a whole.
        """
        named = (
            np.ones(len(self._kinds), dtype=bool)
            if c.kinds is None
            else np.zeros(len(self._kinds), dtype=bool)
        )
        named[list(c.kinds or ())] = True
        if c.where is None and np.ndim(c.value) == 0:
            return named, None
        living = self._kind_of_row >= 0
        where, whole = living if c.where is None else c.where & living, np.zeros_like(named)
        if np.ndim(c.value) == 0:
            self._present = self._by_kind(living) if self._present is None else self._present
            everyone = c.where is not None and c.where.all()
            whole = named & (
                everyone | (self._present > 0) & (self._by_kind(where) == self._present)
            )
        rows = where & (named & ~whole)[self._kind_of_row]
        return whole, rows if rows.any() else None

    def _by_kind(self, rows: np.ndarray) -> np.ndarray:
        """How many of the chosen rows are of each kind."""
        return np.bincount(self._kind_of_row[rows], minlength=len(self._kinds))

    def feel(self, who: str, name: str, factors: np.ndarray, kind: int | None) -> None:
        """The field ``who`` multiplies a rule of the cells of a kind, None for all, by ``factors``, one per row."""
        kinds = None if kind is None else (kind,)
        bends = self._bends.setdefault(name, Bends())
        bends.felt.append(Contribution(who, factors, None, kinds))

    def free(self, receptor: str) -> float:
        """Free share of a receptor: 1 - RO_max S / (1 + S), S summed over drugs in name order. Raises RuleError."""
        total, _ = self._strength(receptor)
        return 1.0 - self._max_occupancy[receptor] * total / (1.0 + total)

    def coating(self, receptor: str) -> float:
        """Share of a receptor covered by antibodies that bear Fc: RO_max S_fc / (1 + S). Raises RuleError."""
        total, with_fc = self._strength(receptor)
        return self._max_occupancy[receptor] * with_fc / (1.0 + total)

    def coatings(self) -> dict[str, float]:
        """Surface molecule -> its coating, in the order of names; only those that are coated."""
        coatings = {name: self.coating(name) for name in self._surfaces if name in self._occupied}
        return {name: share for name, share in coatings.items() if share > 0.0}

    def _strength(self, receptor: str) -> tuple[float, float]:
        """S of all drugs, and the part of it that bears Fc, summed in the order of names."""
        total = with_fc = 0.0
        covers = self._occupied.get(checked_receptor(receptor, self._max_occupancy), ())
        for cover in sorted(covers, key=lambda cover: cover.who):
            total = total + cover.strength
            with_fc = with_fc + cover.strength * cover.fc
        return total, with_fc

    def fold(self) -> tuple[Rates, list[np.ndarray]]:
        """Everything contributed so far: the rates, and the own rates of single cells, a row per slot from 1 on."""
        by_kind = self._baseline.copy()
        slot = np.zeros(len(self._place), dtype=np.int64)
        own: list[np.ndarray] = []
        for name in sorted(self._bends):
            by_kind[self._place[name]], single = self._folded(name)
            if single is not None:
                own.append(single)
                slot[self._place[name]] = len(own)
        return Rates(
            by_kind, slot, Free(*(float(self.free(receptor)) for receptor in RECEPTORS))
        ), own


def checked_rule(name: str, among: Iterable[str] = INDEX) -> str:
    """The name of a rule as it is; raises RuleError with the nearest names."""
    if name not in among:
        raise RuleError(f"there is no rule {quoted(name)}{nearest(name, among)}")
    return name


def unit_of(rule: str) -> str:
    """The inside unit of a rule as parameters write it: ``1/hour`` of division, ``1`` of a plain number."""
    return canonical(RULES[INDEX[checked_rule(rule)]].unit or "1")


def checked_receptor(name: object, receptors: Collection[str]) -> str:
    """The name of a receptor as it is; raises RuleError with the nearest names."""
    if not isinstance(name, str) or name not in receptors:
        raise RuleError(f"there is no receptor {quoted(name)}{nearest(quoted(name), receptors)}")
    return name


class RulesOf:
    """The rules as one treatment sees them: it may bend them, never assign to them."""

    def __init__(self, rules: Rules, who: str):
        object.__setattr__(self, "_rules", rules)
        object.__setattr__(self, "_who", who)

    if TYPE_CHECKING:
        _rules: Rules
        _who: str

    def __getattr__(self, name: str) -> "Bend":
        return Bend(self._rules, checked_rule(name, self._rules._place), self._who)

    def __setattr__(self, name: str, value: object) -> None:
        raise RuleError(
            f"rules.{name} cannot be assigned to: write rules.{name}.scale({value!r}) or rules.{name}.add({value!r})"
        )

    def occupy(self, receptor: str, strength: float, fc: float = 0.0) -> None:
        """Cover a receptor: ``strength`` is concentration / K_d; strengths S of several drugs add up.

        ``receptor``: ``pd1``, ``pdl1``, or a trait that a kind of cell declares as ``surface`` molecule. The share
        RO_max S / (1 + S) is covered, and hidden from CARs. ``fc``, 0 to 1: how much of the drug immune cells can hold on to
        by its Fc part; a cell is then coated by its level of the molecule x the share that such drugs cover, which NK cells
        see, and all who engage by ``COATED``. Raises RuleError.

        >>> from simulation import Treatment, TumorModel
        >>> class Marker(Treatment):
        ...     def modify(self, rules, model):
        ...         rules.occupy("car_target", 3.0, fc=1.0)
        >>> model = TumorModel(treatments=[Marker], shape=(21, 21), tumor_cells=40, seed=1)
        >>> model.step()
        >>> round(model.rules.free("car_target"), 4), round(model.rules.coating("car_target"), 4)
        (0.3625, 0.6375)
        >>> bool(model.cells["coat"].max() > 0.5)
        True
        """
        rules = self._rules
        what = f"occupy({checked_receptor(receptor, rules._max_occupancy)!r})"
        covered, bearing = (
            float(checked_number(strength, what)),
            float(checked_number(fc, f"fc of {what}")),
        )
        if bearing > 1.0:
            raise RuleError(f"fc of {what} takes a share between 0 and 1, not {bearing:g}")
        if bearing and receptor not in rules._surfaces:
            raise RuleError(
                f"{what} coats nothing, because no kind of cell carries {receptor!r} as a surface trait: leave out fc="
            )
        rules._occupied.setdefault(receptor, []).append(Cover(self._who, covered, bearing))

    def supply(self, field_name: str, rate: object) -> None:
        """Bring a substance into the tissue: concentration per hour, one number or one per mesh node."""
        meshes = self._rules._meshes
        if field_name not in meshes:
            raise RuleError(f"there is no field {quoted(field_name)}{nearest(field_name, meshes)}")
        rate = checked_number(
            rate, f"supply({field_name!r})", meshes[field_name], "mesh node of that field"
        )
        self._rules.supplies.append((self._who, field_name, rate))


class Bend:
    """One rule in the hands of one treatment."""

    def __init__(self, rules: Rules, name: str, who: str):
        self._rules, self._name, self._who = rules, name, who

    def scale(
        self, factor: object, where: np.ndarray | None = None, kind: str | None = None
    ) -> None:
        """Multiply the rule by ``factor`` (number, or one per row), for the chosen rows or kind only."""
        self._contribute("factors", factor, where, kind)

    def add(self, amount: object, where: np.ndarray | None = None, kind: str | None = None) -> None:
        """Add ``amount`` (inside units) to the rule: a hazard to ``death``, a concentration to ``il2``."""
        self._contribute("additions", amount, where, kind)

    def _contribute(
        self, part: str, value: object, where: np.ndarray | None, kind: str | None
    ) -> None:
        rules, what = self._rules, f"rules.{self._name}"
        rows = len(rules._kind_of_row)
        value = checked_number(value, what, rows, "row of the cell table")
        if where is not None:
            where = np.asarray(where)
            if where.dtype != bool or where.shape != (rows,):
                raise RuleError(
                    "where= takes one True or False per row of the cell table", key=what
                )
        if not rules._declared[self._name].of_cells and (where is not None or np.ndim(value)):
            raise RuleError(
                f"{what} is a rule of cells that are still to come, so none can be chosen: leave out where=, "
                "give one number, or name a kind="
            )
        kinds = None
        if kind is not None:
            if kind not in rules._kinds:
                raise RuleError(
                    f"there is no kind {quoted(kind)}{nearest(kind, rules._kinds)}", key=what
                )
            kinds = (rules._kinds.index(kind),)
        contribution = Contribution(self._who, value, where, kinds)
        getattr(rules._bends.setdefault(self._name, Bends()), part).append(contribution)


def checked_number(
    value: Any, what: str, size: int | None = None, each: str = ""
) -> float | np.ndarray:
    """A finite, non-negative number, or ``size`` of them, one per ``each``. Raises RuleError."""
    number = f"{what} takes one number" + (
        f", or one per {each} ({size})" if size is not None else ""
    )
    try:
        array = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        raise RuleError(f"{number}, not {quoted(value)}") from None
    if array.ndim > 0 and (size is None or array.shape != (size,)):
        raise RuleError(f"{number}, not {'x'.join(map(str, array.shape))} of them")
    wrong = array[~(np.isfinite(array) & (array >= 0.0))]
    if wrong.size:
        raise RuleError(f"{what} takes finite numbers of at least 0, not {wrong.flat[0]:g}")
    if array.ndim == 0 or (array.size and (array == array[0]).all()):
        return float(array.flat[0])  # the same for all is one number
    return array


class RuleReport:
    """A rule to read: ``str()`` shows baseline, who changed it, and the value in force."""

    def __init__(self, rules: Rules, name: str):
        self._rules, self._name = rules, name

    @property
    def value(self) -> dict[str, float]:
        """The value in force, by kind, inside units."""
        return dict(zip(self._rules._kinds, self._rules.value(self._name).tolist(), strict=True))

    def __str__(self) -> str:
        rules, rule = self._rules, self._rules._declared[self._name]
        unit = f" {rule.unit}" if rule.unit else ""
        bends = rules._bends.get(self._name, Bends())
        by_kind, single = rules._folded(self._name)
        lines: dict[str, list[str]] = {}
        for k, (kind, value) in enumerate(zip(rules._kinds, by_kind, strict=True)):
            base, mine = rules._baseline[rules._place[self._name]][k], rules._kind_of_row == k
            text, in_force = f"{base:.3g}{unit}", f"{value:.3g}"
            changed = matters = False
            for c in bends.felt if mine.any() else ():
                if c.kinds is None or k in c.kinds:
                    text += f" x {span(c.value, mine)} ({c.who})"
                    changed, in_force = True, span(single, mine)
            for sign, part in (("x", bends.factors), ("+", bends.additions)):
                for c in sorted(part, key=lambda c: c.who):
                    if c.kinds is not None and k not in c.kinds:
                        continue
                    chosen = " on chosen cells" if c.where is not None or np.ndim(c.value) else ""
                    amount = "" if np.ndim(c.value) else f" {c.value:.3g}"
                    text += f" {sign}{amount} ({c.who}{chosen})"
                    changed, matters = True, matters or sign == "+"
            if changed:
                text += f" = {in_force}{unit}"
            if base or matters:
                lines.setdefault(text, []).append(kind)
        if not lines:
            return f"{self._name} = 0{unit}"
        if len(lines) == 1:
            return f"{self._name} = {next(iter(lines))}"
        return "\n".join(
            f"{self._name}[{', '.join(kinds)}] = {text}" for text, kinds in lines.items()
        )

    __repr__ = __str__


def span(values: Any, rows: np.ndarray) -> str:
    """The lowest and the highest of the values of some rows."""
    return f"{values[rows].min():.3g} to {values[rows].max():.3g}"


@scalar
def either(own: float, general: float) -> float:
    """A rate of one cell: its own where a treatment chose it, that of its kind where its own is NaN."""
    return general if own != own else own


@rare
def cell_by_cell(
    kinds: np.ndarray,
    base: np.ndarray,
    factor: np.ndarray,
    addition: np.ndarray,
    factors: np.ndarray,
    additions: np.ndarray,
    felt: np.ndarray,
    single: np.ndarray,
) -> None:
    """A rule of every living cell, NaN for the dead: base x factor x felt + addition.

    Factor and addition are the cell's own where ``factors`` and ``additions`` are not empty, else those of its kind.
    """
    for row in range(kinds.size):
        kind = kinds[row]
        if kind < 0:
            single[row] = np.nan
            continue
        times = factors[row] if factors.size else factor[kind]
        if felt.size:
            times *= felt[row]
        single[row] = base[kind] * times + (additions[row] if additions.size else addition[kind])
