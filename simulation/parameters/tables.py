"""Declarations that people write as tables in place of Python: read key by key, and found again by what they say."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

from ..errors import TumorLabError
from .bibliography import is_known
from .given import plain, quoted, real
from .parameter import Parameter, ParameterError, nearest
from .sources import assumed
from .units import UNITS, canonical, convert, phrase, split

AUTHOR = assumed("said by the author of the scenario")
OF_NUMBER = ("value", "range", "source", "meaning")
LARGEST = 1e15
NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")
PARTS = {"%": "%25", ".": "%2E", ":": "%3A"}
"""Signs that part an address, and how they stand in a name."""


class TableError(TumorLabError):
    """A table that cannot be what it says; one sentence, and the key at which it stands."""


def refuse(given: object, key: str, allowed: str) -> NoReturn:
    """Raises TableError: what stands at a key, and what may."""
    last = key.rpartition(".")[2]
    raise TableError(f"{last} = {quoted(given)} is not allowed: it must be {allowed}", key=key)


def checked_name(name: object, what: str, taken: Iterable[str]) -> str:
    """The name of something of a user's own. Raises TableError where it is no name, or that of what ships."""
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise TableError(
            f"{what} is named with a small letter, then small letters, digits and underscores, at most 60 in all, "
            f"not {quoted(name)}"
        )
    if name in taken:
        raise TableError(f"{what} called {name!r} ships; choose another name")
    return name


def checked_table(given: object, keys: Iterable[str], key: str = "") -> dict[str, Any]:
    """A table with no other keys than these. Raises TableError with the nearest key."""
    table, names = plain(given), [*keys]
    if not isinstance(table, dict):
        raise TableError(f"{quoted(given)} is not a table", key=key or None)
    for each in table:
        if each not in names:
            raise TableError(
                f"{quoted(each)} is an unknown key{nearest(str(each), names)}", key=key or None
            )
    return table


def checked_word(given: object, key: str, choices: Iterable[str], what: str) -> str:
    """One of several names. Raises TableError with the nearest."""
    names = [*choices]
    if not isinstance(given, str) or given not in names:
        raise TableError(f"there is no {what} {quoted(given)}{nearest(str(given), names)}", key=key)
    return given


def checked_line(given: object, key: str, most: int) -> str:
    """A text on one line."""
    if not isinstance(given, str) or not 0 < len(given.strip()) <= most or "\n" in given:
        refuse(given, key, f"a text on one line, of at most {most} letters")
    return given.strip()


def quantity(given: object, unit: str, key: str) -> tuple[float, str]:
    """A number of at least 0, and the unit in which it is written, which must convert to ``unit``. Raises TableError.

    >>> quantity("1.5 /day", "1/hour", "add")
    (1.5, '1/day')
    """
    dimension, wanted = UNITS[unit].dimension, f'a number with a unit such as "2 {_shown(unit)}"'
    bare = dimension == "a plain number"
    if isinstance(given, str):
        number, written = split(given) or refuse(given, key, "a number" if bare else wanted)
    else:
        number, written = real(given), ""
    if not 0.0 <= number <= LARGEST:
        allowed = "a number" if bare else wanted
        refuse(given, key, f"{allowed}, at least 0 and at most {LARGEST:g}")
    if not written and not bare:
        raise TableError(f"{quoted(given)} has no unit: write {wanted}", key=key)
    written = written or unit
    if written not in UNITS or UNITS[written].dimension != dimension:
        units = [_shown(each) for each in UNITS if UNITS[each].dimension == dimension]
        raise TableError(
            f"{quoted(given)} is not allowed: {quoted(_shown(written))} does not convert to {_shown(unit)}"
            f"{nearest(_shown(written), units)}",
            key=key,
        )
    return number, written


def inside(given: object, unit: str, key: str) -> float:
    """A number in inside units, of a number or of a text with a unit that converts to ``unit``."""
    number, written = quantity(given, unit, key)
    return number * UNITS[written].factor


def parameter(
    given: object,
    unit: str,
    meaning: str,
    key: str,
    *,
    source: str = AUTHOR,
    range: tuple[float, float] | None = None,
    zero: bool = True,
) -> Parameter:
    """A parameter of a number, of a text with a unit, or of a table with ``value``, ``range``, ``source`` and ``meaning``.

    ``range`` is what may stand there where the table does not say, in ``unit``; without it up to a hundredfold, from 0, or
    where it cannot be ``zero`` from a hundredth. Raises TableError.
    """
    told = isinstance(given, Mapping)
    table = checked_table(given if told else {"value": given}, OF_NUMBER, key)
    if "value" not in table:
        raise TableError(f'value is missing: write {{ value = "2 {_shown(unit)}" }}', key=key)
    number, written = quantity(table["value"], unit, f"{key}.value" if told else key)
    usual = (0.0 if zero else number / 100, 100 * number or 100.0)
    if range is not None:
        usual = (convert(range[0], unit, written), convert(range[1], unit, written))
    made = Parameter(
        number,
        written,
        checked_line(table.get("meaning", meaning), f"{key}.meaning", 160),
        source=checked_source(table.get("source", source), f"{key}.source"),
        range=_range(table["range"], written, f"{key}.range") if "range" in table else usual,
    )
    if not zero and not (number and made.low):
        refuse(given, key, "more than 0, and so must be its range")
    try:
        made.accept(number, key.rpartition(".")[2])
    except ParameterError as error:
        remedy = "" if "range" in table else "; range = [lowest, highest] allows others"
        raise TableError(f"{error.reason}{remedy}", key=key) from None
    return made


def checked_source(given: object, key: str) -> str:
    """Who says so: a key of the bibliography, or a reason. Raises TableError."""
    if not isinstance(given, str) or not is_known(given):
        refuse(
            given, key, '"assumed: the reason", or a key of the bibliography as in tumorlab show'
        )
    return given


def _range(given: object, unit: str, key: str) -> tuple[float, float]:
    ends = given if isinstance(given, list) and len(given) == 2 else None
    if ends is None:
        refuse(given, key, "a list of the lowest and the highest value")
    low, high = (
        convert(*quantity(end, unit, key), unit)
        if isinstance(end, str)
        else quantity(f"{real(end)} {unit}", unit, key)[0]
        for end in ends
    )
    if low > high:
        refuse(given, key, "a list of the lowest and the highest value, in this order")
    return low, high


def _shown(unit: str) -> str:
    return phrase(1, canonical(unit)).removeprefix("1 ")


def address_of(name: str, table: object, beside: object) -> str:
    """What something defined in a table is called as a constant of a module: its name, and all that defines it.

    >>> address_of("my_drug", {"half_life": "1.5 hour"}, [])
    'my_drug=[{"half_life"%3A "1%2E5 hour"}, []]'
    """
    text = json.dumps([table, beside], sort_keys=True, default=repr, ensure_ascii=False)
    return name + "=" + "".join(PARTS.get(letter, letter) for letter in text)


def read_back(word: str) -> tuple[str, Any, Any]:
    """The name, the table and what it was told beside, as :func:`address_of` wrote them; AttributeError for any other word."""
    name, sign, text = word.partition("=")
    for letter, part in reversed(PARTS.items()):
        text = text.replace(part, letter)
    try:
        table, beside = json.loads(text if sign and NAME.fullmatch(name) else "")
        return name, table, beside
    except (ValueError, TypeError):
        raise AttributeError(word) from None
