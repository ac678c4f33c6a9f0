"""A kind of cell without Python: a table says its rates, its traits and whom it engages, and a kind is made of it."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from ..cells.agents import TAKEN, CellAgent
from ..parameters.given import quoted
from ..parameters.tables import (
    TableError,
    address_of,
    checked_line,
    checked_name,
    checked_table,
    checked_word,
    inside,
    read_back,
    refuse,
)
from ..results.results import COLUMNS
from ..rules import INDEX, unit_of
from .kind import CellKind, Number, Trait
from .shipped import KINDS, RECOGNITIONS

SWITCHES = ("motile", "yielding", "driven", "suppressor")
NUMBERS = {"capacity": "1", "pdl1_induced": "1", "initial_density": "cells/mm2"}
LOOKS = ("words", "color", "column")
MEETS = ("engages", "engaged_by")
KEYS = ("description", "rates", "traits", *MEETS, *SWITCHES, *NUMBERS, *LOOKS)
OF_TRAIT = {"start": 0, "spread": 5, "negative_share": 1, "mutation": 5, "loss": 1, "halving": 1}
"""Numbers of a trait, and the highest; a start has ``high``."""
DOTTED = re.compile(r"[A-Za-z_]\w*\.[A-Za-z_]\w*")


def kind_from_table(name: str, table: Mapping[str, Any], kinds: Iterable[str] = ()) -> CellKind:
    """The kind of cell called ``name`` that a table describes, as one that Python declares.

    ``rates``: rule -> a text with a unit that converts to that of the rule, a plain number, or the dotted name of a parameter.
    ``traits``: name -> a table of ``start``, ``spread``, ``negative_share``, ``mutation``, ``loss``, ``halving``, ``high``,
    and ``surface``, true where antibodies can bind it. ``engages`` and ``engaged_by``: kind of cell -> the name of a
    recognition that ships. ``motile``, ``yielding``, ``driven``, ``suppressor``: true or false. ``capacity``,
    ``pdl1_induced``, ``initial_density`` (``"20 cells/mm2"``): numbers or dotted names. ``description``, ``words``, ``color``
    (``"#8E44AD"``) and ``column``: texts. ``kinds``: kinds beside those that ship.
    Raises TableError, KindError.

    >>> from simulation import TumorModel, kind_from_table
    >>> MACROPHAGE = kind_from_table("macrophage", {
    ...     "rates": {"move": "1 um/minute", "engage": "2 /hour", "kill": "1 /hour", "potency": "3 hits", "death": "0.05 /day"},
    ...     "engages": {"tumor_cell": "missing_self"},
    ...     "initial_density": "100 cells/mm2",
    ...     "motile": True,
    ... })
    >>> model = TumorModel(cell_kinds=[MACROPHAGE], shape=(31, 31), seed=1)
    >>> model.count("macrophage")
    22
    """
    checked_name(name, "a kind of cell", [kind.name for kind in KINDS])
    table, kinds = checked_table(table, KEYS), sorted(kinds)
    address = address_of(name, table, kinds)
    if address not in globals():
        known = [*(kind.name for kind in KINDS), *kinds]
        globals()[address] = _made(name, table, list(dict.fromkeys([*known, name])))
    found: CellKind = globals()[address]
    return found


def __getattr__(word: str) -> CellKind:
    """A kind of a table by its address, from which it is made again where a saved model names it."""
    name, table, kinds = read_back(word)
    return kind_from_table(name, table, kinds)


def _made(name: str, table: dict[str, Any], kinds: list[str]) -> CellKind:
    about = checked_line(
        table.get("description", f"A {name.replace('_', ' ')}."), "description", 120
    )
    members = {"__module__": __name__, "__doc__": about, "kind": name}
    declared: dict[str, Any] = {key: _switch(table[key], key) for key in SWITCHES if key in table}
    declared |= {key: _number(table[key], NUMBERS[key], key) for key in NUMBERS if key in table}
    declared |= {key: _look(table[key], key) for key in LOOKS if key in table}
    declared.setdefault("words", f"{name.replace('_', ' ')}s")
    if declared.get("motile") and declared.get("yielding"):
        raise TableError("a motile cell cannot be yielding as well", key="yielding")
    if (column := declared.get("column", f"{name}s")) in COLUMNS:
        refuse(column, "column", "the name of a column of its own; this one is there already")
    rates = {
        checked_word(rule, "rates", INDEX, "rule"): _number(each, unit_of(rule), f"rates.{rule}")
        for rule, each in _table_at(table, "rates").items()
    }
    for key in MEETS:
        declared[key] = {
            checked_word(other, key, kinds, "kind of cell"): checked_word(
                how, f"{key}.{other}", [each.name for each in RECOGNITIONS], "recognition"
            )
            for other, how in _table_at(table, key).items()
        }
    return CellKind(
        name,
        agent=type(name.title().replace("_", ""), (CellAgent,), members),
        traits=tuple(_trait(*each) for each in _table_at(table, "traits").items()),
        rates=rates,
        **declared,
    )


def _trait(name: str, given: object) -> Trait:
    key = f"traits.{name}"
    if not name.isidentifier() or name in TAKEN:
        raise TableError(
            f"a trait cannot be called {quoted(name)}, which every cell has already or is no word: choose another",
            key="traits",
        )
    table = checked_table(given, [*OF_TRAIT, "high", "surface"], key)
    high = inside(table.get("high", 100.0), "1", f"{key}.high")
    numbers: dict[str, Any] = {
        each: _number(table[each], "1", f"{key}.{each}", most or high)
        for each, most in OF_TRAIT.items()
        if each in table
    }
    return Trait(
        name, **numbers, high=high, surface=_switch(table.get("surface", False), f"{key}.surface")
    )


def _number(given: object, unit: str, key: str, most: float = float("inf")) -> Number:
    """A number in inside units, or the dotted name of a parameter as it is."""
    if isinstance(given, str) and DOTTED.fullmatch(given):
        return given
    number = inside(given, unit, key)
    if number > most:
        refuse(given, key, f"at most {most:g}")
    return number


def _switch(given: object, key: str) -> bool:
    if not isinstance(given, bool):
        refuse(given, key, "true or false")
    return given


def _look(given: object, key: str) -> str:
    text = checked_line(given, key, 40)
    if key == "color" and not re.fullmatch(r"#[0-9A-Fa-f]{6}", text):
        refuse(given, key, 'a colour such as "#8E44AD"')
    if key == "column" and not text.isidentifier():
        refuse(given, key, "letters, digits and underscores")
    return text


def _table_at(table: dict[str, Any], key: str) -> dict[str, Any]:
    found = table.get(key, {})
    return checked_table(found, found if isinstance(found, dict) else (), key)
