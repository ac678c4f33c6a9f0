"""A treatment without Python: a table says its half-life, its schedule and its effects, and a treatment is made of it."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from ..contract import Model
from ..errors import TumorLabError
from ..kinds.shipped import KINDS
from ..kinds.table import kind_from_table
from ..parameters.given import plain, several, shortened
from ..parameters.parameter import Parameter
from ..parameters.tables import (
    AUTHOR,
    TableError,
    address_of,
    checked_line,
    checked_name,
    checked_source,
    checked_table,
    parameter,
    read_back,
    refuse,
)
from ..parameters.units import UNITS, split
from ..rules import RulesOf
from . import SHIPPED
from .base import Treatment
from .checkpoint_blockade import CheckpointAntibody, concentration
from .effects import ANTIBODY, PHARMACOKINETICS, Effect, read_effect
from .schedule import Schedule

KEYS = ("description", "source", "half_life", "schedule", *ANTIBODY, "effects")
DOSES = ("mg", "mg/kg", "mg/m2", "IU/kg", "MIU/m2", "cells", "cells/kg", "1")
"""A unit of everything in which a dose may be measured."""
FC = Parameter(
    1.0,
    "1",
    "share of it that coats cells: 1 for IgG1, 0 where its Fc is silent",
    range=(0, 1),
    source=AUTHOR,
)
MISSING = {"half_life": '"5 hour"', "effects": '[{ rule = "division", scale = 0.5 }]'}


class TableTreatment(Treatment):
    """A treatment that a table describes: its effects fade with what is left of its doses."""

    effects: ClassVar[tuple[Effect, ...]] = ()

    def in_tissue(self, model: Model) -> float:
        """Mean level over this step of what is left of all doses, each worth 1 at the dose of the table."""
        level = self.level(model, self.half_life)
        if not self.takes("dose"):
            return level
        return level * (self.value("dose") / self.parameters()["dose"].default)

    def modify(self, rules: RulesOf, model: Model) -> None:
        """Each effect in proportion to the level; a factor is reached at level 1 and goes no further."""
        level = self.in_tissue(model)
        for effect in self.effects:
            strength = getattr(self, effect.strength)
            if effect.how == "add":
                getattr(rules, effect.what).add(strength * level, kind=effect.kind)
            elif effect.how == "scale":
                factor = 1.0 + (strength - 1.0) * min(1.0, level)
                getattr(rules, effect.what).scale(factor, kind=effect.kind)
            else:
                strength = self.concentration(model) / strength
                rules.occupy(
                    effect.what, strength, fc=self.value("fc") if self.takes("fc") else 0.0
                )

    def concentration(self, model: Model) -> float:
        """Mean concentration in the tumour over this step, nM, of a drug that covers a receptor."""
        level = self.level(model, self.half_life)
        return concentration(self.dose, self.volume, self.molar_mass, self.penetration, level)

    def measure(self, model: Model) -> dict[str, float]:
        """Its level, and where it covers a receptor its concentration in the tumour."""
        covers = any(effect.how == "occupy" for effect in self.effects)
        return {"level": self.in_tissue(model)} | (
            {"concentration_nM": self.concentration(model)} if covers else {}
        )


def treatment_from_table(
    name: str, table: Mapping[str, Any], kinds: Iterable[str] = ()
) -> type[Treatment]:
    """The treatment called ``name`` that a table describes, as a class like those that ship.

    ``half_life`` and each of ``effects`` are told as texts with a unit, or as ``{value, range, source, meaning}``; besides
    ``schedule`` (a table or a Schedule), ``dose``, ``description`` and ``source``. An effect is one of
    ``{rule, add}`` (in the unit of the rule; what one dose adds right after it is given), ``{rule, scale}`` (the factor right
    after a dose), both perhaps with a ``kind`` of cell, and ``{receptor, dissociation, dose}`` (an antibody, perhaps with
    ``volume``, ``molar_mass``, ``penetration``, and ``fc``, 1 where it coats cells). All fade with the half-life, and grow with
    ``dose``. ``kinds``: kinds of cells beside those that ship. Each number is a Parameter: ``half_life``,
    ``added_death_of_tumor_cell``, ``factor_on_division``, ``dissociation_from_pd1``. Raises TableError.

    >>> from simulation import TumorModel, treatment_from_table
    >>> MyDrug = treatment_from_table("my_drug", {
    ...     "half_life": "5 hour",
    ...     "schedule": {"every": "1 week"},
    ...     "effects": [{"rule": "death", "kind": "tumor_cell", "add": "1.2 /day"}, {"rule": "division", "scale": 0.5}],
    ... })
    >>> model = TumorModel(treatments=[MyDrug(half_life="500 hour")], shape=(31, 31), seed=1)
    >>> model.step()
    >>> print(model.rules.division)  # right after the first dose
    division[tumor_cell] = 0.0312 /h x 0.5 (my_drug) = 0.0156 /h
    division[t_cell, nk_cell] = 0.0208 /h x 0.5 (my_drug) = 0.0104 /h
    division[car_t_cell] = 0.0375 /h x 0.5 (my_drug) = 0.0188 /h
    """
    checked_name(name, "a treatment", SHIPPED)
    table, kinds = checked_table(table, KEYS), sorted(kinds)
    if isinstance(schedule := table.get("schedule"), Schedule):
        table["schedule"] = schedule.to_dict()
    address = address_of(name, table, kinds)
    if address not in globals():
        globals()[address] = _made(name, table, [*(kind.name for kind in KINDS), *kinds], address)
    found: type[Treatment] = globals()[address]
    return found


def __getattr__(word: str) -> type[Treatment]:
    """A treatment of a table by its address, from which it is made again where a saved model names it."""
    name, table, kinds = read_back(word)
    return treatment_from_table(name, table, kinds)


def _made(name: str, table: dict[str, Any], kinds: list[str], address: str) -> type[TableTreatment]:
    for key, example in MISSING.items():
        if not table.get(key):
            raise TableError(f"{key} is missing: write {key} = {example}")
    source = checked_source(table.get("source", AUTHOR), "source")
    about = "half-life of the drug, with which its effects fade"
    half_life = parameter(table["half_life"], "hour", about, "half_life", source=source, zero=False)
    told = {key: (table[key], key) for key in ANTIBODY if key in table}
    effects, strengths = _effects(several(table["effects"]), kinds, source, told)
    members: dict[str, Any] = {"half_life": half_life} | strengths
    members |= _amounts(told, any(effect.how == "occupy" for effect in effects), source)
    line = f"A drug of a table: {', '.join(effect.words for effect in effects)}"
    # A drug is tried and given also where no cell of such a kind ever comes, as one of a class brings its kinds.
    spoken_of = {effect.kind for effect in effects if effect.kind} - {kind.name for kind in KINDS}
    members["kinds"] = tuple(kind_from_table(kind, {}) for kind in sorted(spoken_of))
    members["__doc__"] = checked_line(
        table.get("description", shortened(line, 120)), "description", 120
    )
    try:
        members["schedule"] = Schedule.from_dict(table.get("schedule", {}))
    except TumorLabError as error:
        raise TableError.of(error) from None
    members |= {"__module__": __name__, "__qualname__": address, "effects": tuple(effects)}
    return type(name, (TableTreatment,), members)


def _effects(
    tables: list[Any], kinds: list[str], source: str, told: dict[str, tuple[Any, str]]
) -> tuple[list[Effect], dict[str, Parameter]]:
    """All effects, and their strengths by name; what an effect says of the drug is added to what is ``told``."""
    effects: list[Effect] = []
    strengths: dict[str, Parameter] = {}
    for number, each in enumerate(tables):
        effect, strength = read_effect(each, kinds, where := f"effects[{number}]", source)
        if effect.strength in strengths:
            raise TableError(f"another effect {effect.words} as well: make them one", key=where)
        for key in (key for key in ANTIBODY if key in each):
            if key in told:
                raise TableError(f"{key} is told twice, and a drug has one", key=f"{where}.{key}")
            told[key] = each[key], f"{where}.{key}"
        effects.append(effect)
        strengths[effect.strength] = strength
    return effects, strengths


def _amounts(told: dict[str, tuple[Any, str]], antibody: bool, source: str) -> dict[str, Parameter]:
    """The dose, and of an antibody what makes a concentration of it: what a table does not say is that of an antibody."""
    usual = {**CheckpointAntibody.parameters(), "fc": FC}
    if antibody and "dose" not in told:
        raise TableError('dose is missing: an antibody needs one, as in dose = "200 mg"')
    if not antibody and (other := told.keys() - {"dose"}):
        raise TableError(
            f"{min(other)} is of a drug that covers a receptor, and this one covers none"
        )
    made = {}
    for name in dict.fromkeys([*PHARMACOKINETICS, *told]) if antibody else told:
        known, (given, key) = usual[name], told.get(name, (None, name))
        if given is None:
            given = {"value": f"{known.default} {known.unit}", "source": known.source}
        unit, limits = known.unit, (known.low, known.high)
        made[name] = parameter(
            given,
            unit if antibody else _unit_of_dose(given),
            known.meaning,
            key,
            source=source,
            range=limits if antibody else None,
            zero=name in ("dose", "penetration", "fc"),
        )
        if name == "dose" and not made[name].default:
            refuse(0, key, "more than 0; an arm without the drug is a control")
    return made


def _unit_of_dose(given: object) -> str:
    """The unit of DOSES to which the unit of a dose converts; mg where it is none."""
    value = plain(given)
    value = value.get("value") if isinstance(value, dict) else value
    found = split(value) if isinstance(value, str) else None
    unit = found[1] if found and found[1] else "1"
    measured = UNITS[unit].dimension if unit in UNITS else ""
    return next((each for each in DOSES if UNITS[each].dimension == measured), "mg")
