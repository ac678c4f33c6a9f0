"""Effects that tables tell: what a drug does to a rule or a receptor while it lasts, and how strongly."""

from collections.abc import Iterable
from typing import NamedTuple

from ..kinds.shipped import KINDS
from ..parameters.parameter import Parameter
from ..parameters.tables import TableError, checked_table, checked_word, parameter
from ..rules import INDEX, RECEPTORS, RULES, unit_of
from .checkpoint_blockade import CheckpointAntibody

PHARMACOKINETICS = ("dose", "volume", "molar_mass", "penetration")
ANTIBODY = (*PHARMACOKINETICS, "fc")
"""What an antibody is told beside its half-life and what it binds."""
ON_RULE = ("rule", "kind", "add", "scale")
SURFACES = [trait.name for kind in KINDS for trait in kind.traits if trait.surface]
ON_RECEPTOR = ("receptor", "dissociation", *ANTIBODY)


class Effect(NamedTuple):
    """One effect of a drug: ``how`` it acts (add, scale, occupy), on which rule or receptor, and on which kind of cell.

    ``strength`` is the name of the parameter that says how strongly.
    """

    how: str
    what: str
    kind: str | None
    strength: str

    @property
    def words(self) -> str:
        """What it does, in a line."""
        of = f" of {self.kind}" if self.kind else ""
        verb = {"add": "adds to", "scale": "scales", "occupy": "covers"}[self.how]
        return f"{verb} {self.what}{of}"


def read_effect(
    given: object, kinds: Iterable[str], key: str, source: str
) -> tuple[Effect, Parameter]:
    """An effect and its strength, from ``{rule, kind, add or scale}`` or ``{receptor, dissociation}``; raises TableError."""
    table = checked_table(given, dict.fromkeys([*ON_RULE, *ON_RECEPTOR]), key)
    if "receptor" in table and "rule" not in table:
        checked_table(table, ON_RECEPTOR, key)
        known = list(dict.fromkeys([*RECEPTORS, *SURFACES]))
        what = checked_word(table["receptor"], f"{key}.receptor", known, "receptor")
        how, kind, number, name = "occupy", None, "dissociation", f"dissociation_from_{what}"
        usual = CheckpointAntibody.dissociation
        unit, meaning, range = usual.unit, f"{usual.meaning} to {what}", (usual.low, usual.high)
    elif "rule" in table:
        checked_table(table, ON_RULE, key)
        what = checked_word(table["rule"], f"{key}.rule", INDEX, "rule")
        if kind := table.get("kind"):
            checked_word(kind, f"{key}.kind", kinds, "kind of cell")
        how = number = "add" if "add" in table else "scale"
        of = f"{what}_of_{kind}" if kind else what
        name = f"added_{of}" if how == "add" else f"factor_on_{of}"
        unit, range = (unit_of(what) if how == "add" else "1"), None
        about = f"{what}{f' of {kind}' if kind else ''} ({RULES[INDEX[what]].meaning})"
        meaning = (
            f"what one dose adds to {about}" if how == "add" else f"factor on {about} after a dose"
        )
        if len(table.keys() & {"add", "scale"}) != 1:
            raise TableError("an effect on a rule has either add or scale", key=key)
    else:
        raise TableError("an effect has either a rule or a receptor", key=key)
    if number not in table:
        raise TableError(f'{number} is missing: write {number} = "0.03 nM"', key=key)
    strength = parameter(
        table[number],
        unit,
        meaning,
        f"{key}.{number}",
        source=source,
        range=range,
        zero=how != "occupy",
    )
    return Effect(how, what, kind, name), strength
