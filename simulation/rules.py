"""The rates in force, and how treatments bend them for one step.

Every step starts from the baseline that kinds and parameters give. A treatment adds *contributions*: factors, additions,
receptor occupancy, field sources. They are folded in the order of treatment names, so a combination does not depend on the
order of the list, to the last bit; what a treatment does not renew at the next step is gone.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from .parameters import nearest


class RuleError(ValueError, AttributeError):
    """A rule was assigned to, misspelt, or given something impossible; the message shows the right form."""


class Rule(NamedTuple):
    name: str
    unit: str
    meaning: str


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
    Rule("sensitivity", "", "stimulation from a share of time in stimulating contact; it saturates at 1"),
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
    Rule("influx", "/mm2/h", "cells that enter without antigen release"),
    Rule("influx_gain", "/mm2/h", "further cells that enter at saturating antigen release"),
    Rule("antigen_shown", "", "factor on the antigen that T cells see"),
    Rule("interferon", "", "interferon signal beside IFN-gamma, in its half-effect units"),
    Rule("il2", "nM", "IL-2 beside what the tissue makes"),
    Rule("ifn_gamma_secretion", "/h", "IFN-gamma made by a fully active cell, in the volume of its site"),
    Rule("il2_secretion", "nM/h", "IL-2 made by a fully active cell, in the volume of its site"),
    Rule("il2_uptake", "/h", "IL-2 cleared by one cell from the volume of its site"),
    Rule("chemokine_secretion", "/h", "chemokine made by a resting cell, in the volume of its site"),
    Rule("chemokine_induced", "/h", "further chemokine at saturating interferon"),
    Rule("oxygen_uptake", "/h", "oxygen consumed by one cell from the volume of its site"),
)
INDEX = {rule.name: i for i, rule in enumerate(RULES)}
RECEPTORS = ("pd1", "pdl1")


class Rates(NamedTuple):
    """What a compiled loop sees of the rules: by kind, or by cell where a treatment chose cells.

    The value of rule r for a cell is ``cellwise[slot[r], row]`` where ``slot[r] >= 0``, else ``by_kind[r, kind]``.
    """

    by_kind: np.ndarray  # float64 (rules, kinds)
    slot: np.ndarray  # int64 (rules,)
    cellwise: np.ndarray  # float64 (chosen rules, rows)
    free: np.ndarray  # float64 (receptors, rows or 1): free share of each receptor


@dataclass(frozen=True)
class Contribution:
    """One thing a treatment does to one rule in one step."""

    who: str
    value: object
    where: np.ndarray | None
    kinds: tuple[int, ...] | None


@dataclass
class Bends:
    """All contributions to one rule in one step."""

    factors: list[Contribution] = field(default_factory=list)
    additions: list[Contribution] = field(default_factory=list)


class Rules:
    """The rules of one step. ``print(model.rules.kill)`` says the value and who changed it.

    ``baseline``: float64 (rules, kinds), inside units. ``max_occupancy``: the most of a receptor that drugs can cover.
    """

    def __init__(self, baseline: np.ndarray, kinds: list[str], rows: int, max_occupancy: dict[str, float]):
        self._baseline = baseline
        self._kinds = list(kinds)
        self._rows = rows
        self._max_occupancy = max_occupancy
        self._bends: dict[str, Bends] = {}
        self._occupied: dict[str, list[Contribution]] = {}
        self.supplies: list[tuple[str, str, object]] = []

    def __getattr__(self, name: str):
        if name.startswith("_"):
            raise AttributeError(name)
        return RuleReport(self, checked_rule(name))

    def __setattr__(self, name: str, value):
        if name in INDEX:
            raise RuleError(f"rules.{name} cannot be assigned to: a treatment's modify() says rules.{name}.scale({value!r})")
        object.__setattr__(self, name, value)

    def __dir__(self):
        return [*super().__dir__(), *INDEX]

    def for_treatment(self, name: str) -> "RulesOf":
        """The door through which one treatment bends the rules."""
        return RulesOf(self, name)

    def value(self, name: str) -> np.ndarray:
        """The rule in force, per kind, where no cells were chosen; float64 (kinds,)."""
        factor, addition, _ = self._folded(name)
        return self._baseline[INDEX[name]] * factor + addition

    def _folded(self, name: str):
        bends = self._bends.get(name, Bends())
        factor, addition = np.ones(len(self._kinds)), np.zeros(len(self._kinds))
        chosen = []
        for total, part, combine in (
            (factor, bends.factors, np.multiply),
            (addition, bends.additions, np.add),
        ):
            for c in sorted(part, key=lambda c: c.who):
                if c.where is not None or np.ndim(c.value) > 0:
                    chosen.append((combine, c))
                    continue
                kinds = slice(None) if c.kinds is None else list(c.kinds)
                total[kinds] = combine(total[kinds], float(c.value))
        return factor, addition, chosen

    def free(self, receptor: str):
        """Free share of a receptor: 1 - RO_max S / (1 + S), S summed over drugs in name order."""
        total = 0.0
        for c in sorted(self._occupied.get(receptor, ()), key=lambda c: c.who):
            total = total + c.value
        return 1.0 - self._max_occupancy[receptor] * total / (1.0 + total)

    def fold(self, kind_of_row: np.ndarray) -> Rates:
        """Everything contributed so far as arrays; ``kind_of_row`` int8, -1 for the dead."""
        by_kind = self._baseline.copy()
        slot = np.full(len(RULES), -1, dtype=np.int64)
        columns = []
        for name in sorted(self._bends):
            factor, addition, chosen = self._folded(name)
            index = INDEX[name]
            by_kind[index] = self._baseline[index] * factor + addition
            if chosen:
                slot[index] = len(columns)
                columns.append(self._per_cell(index, factor, addition, chosen, kind_of_row))
        cellwise = np.array(columns) if columns else np.zeros((0, 0))
        free = np.array([np.broadcast_to(self.free(r), ()) for r in RECEPTORS]).reshape(-1, 1)
        return Rates(by_kind, slot, cellwise, np.ascontiguousarray(free))

    def _per_cell(self, index, factor, addition, chosen, kind_of_row):
        factors, additions = factor[kind_of_row], addition[kind_of_row]
        for combine, c in chosen:
            target = factors if combine is np.multiply else additions
            where = np.ones(self._rows, dtype=bool) if c.where is None else c.where
            if c.kinds is not None:
                where = where & np.isin(kind_of_row, c.kinds)
            value = np.broadcast_to(np.asarray(c.value, dtype=float), (self._rows,))
            target[where] = combine(target[where], value[where])
        return self._baseline[index][kind_of_row] * factors + additions


def checked_rule(name: str) -> str:
    if name not in INDEX:
        raise RuleError(f"there is no rule {name!r}{nearest(name, list(INDEX))}")
    return name


class RulesOf:
    """The rules as one treatment sees them: it may bend them, never assign to them."""

    def __init__(self, rules: Rules, who: str):
        object.__setattr__(self, "_rules", rules)
        object.__setattr__(self, "_who", who)

    def __getattr__(self, name: str) -> "Bend":
        return Bend(self._rules, checked_rule(name), self._who)

    def __setattr__(self, name, value):
        raise RuleError(
            f"rules.{name} cannot be assigned to: write rules.{name}.scale({value!r}) or rules.{name}.add({value!r})"
        )

    def occupy(self, receptor: str, strength: float) -> None:
        """Cover a receptor: ``strength`` is concentration / K_d; strengths of several drugs add up."""
        if receptor not in RECEPTORS:
            raise RuleError(f"there is no receptor {receptor!r}{nearest(receptor, list(RECEPTORS))}")
        strength = checked_number(strength, f"occupy({receptor!r})")
        self._rules._occupied.setdefault(receptor, []).append(Contribution(self._who, strength, None, None))

    def supply(self, field_name: str, rate) -> None:
        """Bring a substance into the tissue: concentration per hour, one number or one per mesh node."""
        self._rules.supplies.append((self._who, field_name, rate))


class Bend:
    """One rule in the hands of one treatment."""

    def __init__(self, rules: Rules, name: str, who: str):
        self._rules, self._name, self._who = rules, name, who

    def scale(self, factor, where=None, kind: str | None = None) -> None:
        """Multiply the rule by ``factor`` (number, or one per row), for the chosen rows or kind only."""
        self._contribute("factors", factor, where, kind)

    def add(self, amount, where=None, kind: str | None = None) -> None:
        """Add ``amount`` (inside units) to the rule: a hazard to ``death``, a concentration to ``il2``."""
        self._contribute("additions", amount, where, kind)

    def _contribute(self, part, value, where, kind):
        rules = self._rules
        value = checked_number(value, f"rules.{self._name}", rows=rules._rows)
        if where is not None:
            where = np.asarray(where)
            if where.dtype != bool or where.shape != (rules._rows,):
                raise RuleError(f"rules.{self._name}: where= takes one True or False per row of the cell table")
        kinds = None
        if kind is not None:
            if kind not in rules._kinds:
                raise RuleError(f"rules.{self._name}: there is no kind {kind!r}{nearest(kind, rules._kinds)}")
            kinds = (rules._kinds.index(kind),)
        contribution = Contribution(self._who, value, where, kinds)
        getattr(rules._bends.setdefault(self._name, Bends()), part).append(contribution)


def checked_number(value, what: str, rows: int | None = None):
    """A finite, non-negative number or an array of them (one per row). Raises RuleError."""
    array = np.asarray(value, dtype=float)
    if array.ndim > 0 and (rows is None or array.shape != (rows,)):
        raise RuleError(f"{what} takes one number, or one per row of the cell table")
    if not np.all(np.isfinite(array)) or np.any(array < 0.0):
        raise RuleError(f"{what} takes finite numbers of at least 0, not {value!r}")
    return float(array) if array.ndim == 0 else array


class RuleReport:
    """A rule to read: ``str()`` shows baseline, who changed it, and the value in force."""

    def __init__(self, rules: Rules, name: str):
        self._rules, self._name = rules, name

    @property
    def value(self) -> dict[str, float]:
        """The value in force, by kind, inside units."""
        return dict(zip(self._rules._kinds, self._rules.value(self._name).tolist(), strict=True))

    def __str__(self) -> str:
        rule = RULES[INDEX[self._name]]
        unit = f" {rule.unit}" if rule.unit else ""
        bends = self._rules._bends.get(self._name, Bends())
        lines = {}
        for k, (kind, value) in enumerate(self.value.items()):
            base = self._rules._baseline[INDEX[self._name]][k]
            text = f"{base:.3g}{unit}"
            changed = matters = False
            for sign, part in (("x", bends.factors), ("+", bends.additions)):
                for c in sorted(part, key=lambda c: c.who):
                    if c.kinds is not None and k not in c.kinds:
                        continue
                    chosen = " on chosen cells" if c.where is not None or np.ndim(c.value) else ""
                    amount = "" if np.ndim(c.value) else f" {c.value:.3g}"
                    text += f" {sign}{amount} ({c.who}{chosen})"
                    changed, matters = True, matters or sign == "+"
            if changed:
                text += f" = {value:.3g}{unit}"
            if base or matters:
                lines.setdefault(text, []).append(kind)
        if not lines:
            return f"{self._name} = 0{unit}"
        if len(lines) == 1:
            return f"{self._name} = {next(iter(lines))}"
        return "\n".join(f"{self._name}[{', '.join(kinds)}] = {text}" for text, kinds in lines.items())

    __repr__ = __str__
