"""The units that a parameter may have.

Inside, times are hours, lengths micrometres, concentrations nM, pressures mmHg, rates per hour. What is counted per
area or volume of tissue stays per mm2 and mm3. Amounts of a substance are nM um3 (0.602 molecules).
"""

import re
from typing import NamedTuple


class Unit(NamedTuple):
    """What one unit is inside (``factor``), and what it measures: only units of one dimension convert."""

    factor: float
    dimension: str


HOURS = {"second": 1 / 3600, "minute": 1 / 60, "hour": 1.0, "day": 24.0, "week": 168.0}
PER_HOUR = {"second": 3600.0, "minute": 60.0, "hour": 1.0, "day": 1 / 24, "week": 1 / 168}
NM_UM3_PER_MOLECULE = 1 / 0.602214076  # a mole is 6.02214076e23 molecules; 1 nM um3 is 1e-24 mole


def _rates(amount: str, factor: float = 1.0) -> dict[str, Unit]:
    """The unit ``amount`` per second, minute, hour, day, week."""
    return {
        f"{amount}/{time}": Unit(factor * each, f"{amount} per time")
        for time, each in PER_HOUR.items()
    }


UNITS: dict[str, Unit] = {
    "1": Unit(1.0, "a plain number"),
    "%": Unit(0.01, "a plain number"),
    "fold": Unit(1.0, "a plain number"),
    **{name: Unit(hours, "time") for name, hours in HOURS.items()},
    **_rates("1"),
    # what is counted
    **{
        name: Unit(1.0, name)
        for name in ("hits", "kills", "cells", "divisions", "sites", "doses", "moves")
    },
    "molecules": Unit(1.0, "molecules"),
    "1/division": Unit(1.0, "probability per division"),
    **_rates("hits"),
    **_rates("kills"),
    **_rates("cells"),
    **_rates("divisions"),
    **_rates("sites"),
    # space
    "um": Unit(1.0, "length"),
    "mm": Unit(1000.0, "length"),
    "um2": Unit(1.0, "area"),
    "um3": Unit(1.0, "volume"),
    **_rates("um"),
    **_rates("um2"),
    "cells/mm2": Unit(1.0, "cells per area"),
    "cells/mm3": Unit(1.0, "cells per volume"),
    "cells/mL": Unit(1e-3, "cells per volume"),
    **_rates("cells/mm2"),
    **_rates("cells/mm3"),
    "vessels/mm2": Unit(1.0, "vessels per area"),
    "vessels/mm3": Unit(1.0, "vessels per volume"),
    "deaths/mm2": Unit(1.0, "deaths per area"),
    **_rates("deaths/mm2"),
    # substances
    "nM": Unit(1.0, "concentration"),
    "pM": Unit(1e-3, "concentration"),
    "uM": Unit(1e3, "concentration"),
    "mmHg": Unit(1.0, "pressure"),
    **_rates("nM"),
    **_rates("mmHg"),
    "nM um3": Unit(1.0, "amount of substance"),
    **_rates("nM um3"),
    **{
        f"molecules/{time}": Unit(each * NM_UM3_PER_MOLECULE, "nM um3 per time")
        for time, each in PER_HOUR.items()
    },
    # doses
    "mg": Unit(1.0, "mass"),
    "ug": Unit(1e-3, "mass"),
    "mg/kg": Unit(1.0, "mass per body weight"),
    "mg/m2": Unit(1.0, "mass per body surface"),
    "IU/kg": Unit(1.0, "activity per body weight"),
    "MIU/m2": Unit(1.0, "activity per body surface"),
    "cells/kg": Unit(1.0, "cells per body weight"),
    "kg": Unit(1.0, "body weight"),
    "m2": Unit(1.0, "body surface"),
    "kDa": Unit(1.0, "molar mass"),
    "L": Unit(1.0, "fluid volume"),
    "mL": Unit(1e-3, "fluid volume"),
    **_rates("L"),
    **{f"mL/{time}": Unit(1e-3 * each, "L per time") for time, each in PER_HOUR.items()},
}

_ALIASES = {
    "s": "second", "sec": "second", "secs": "second", "seconds": "second", "min": "minute", "mins": "minute",
    "minutes": "minute", "h": "hour", "hr": "hour", "hrs": "hour", "hours": "hour", "d": "day", "days": "day", "w": "week",
    "wk": "week", "wks": "week", "weeks": "week", "hits": "hit", "kills": "kill", "cells": "cell", "divisions": "division",
    "sites": "site", "doses": "dose", "moves": "move", "deaths": "death", "molecules": "molecule", "vessels": "vessel",
    "l": "L", "ml": "mL", "ul": "uL",
}  # fmt: skip
_LOOKS = str.maketrans("µμ⁰¹²³⁴⁵⁶⁷⁸⁹⁻−·×*", "uu0123456789--   ")
_NUMBER = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(.*)", re.DOTALL)
_FACTOR = re.compile(r"([A-Za-z%]+)(?:\^?\(?([+-]?\d+)\)?)?|1")


def _factors(text: str) -> tuple[tuple[str, int], ...] | None:
    """A unit as its factors and their powers, in alphabetical order, however it is written; None for what is no unit."""
    powers: dict[str, int] = {}
    top, *below = re.split(r"/|\bper\b", text.translate(_LOOKS))
    for sign, part in [(1, top), *((-1, each) for each in below)]:
        for word in part.split():
            match = _FACTOR.fullmatch(word)
            if match is None:
                return None
            if match[1]:
                name = _ALIASES.get(match[1], match[1])
                powers[name] = powers.get(name, 0) + sign * int(match[2] or 1)
    return tuple(sorted((name, power) for name, power in powers.items() if power))


_NAMES = {_factors(unit): unit for unit in UNITS}


def canonical(unit: str) -> str:
    """The name in ``UNITS`` of a unit written another way, or the text itself.

    >>> [canonical(text) for text in ("days", "/d", "µm/min", "d^-1", "h-1", "day⁻¹", "cells mm^-2 d^-1", "per hour")]
    ['day', '1/day', 'um/minute', '1/day', '1/hour', '1/day', 'cells/mm2/day', '1/hour']
    """
    return unit if unit in UNITS else _NAMES.get(_factors(unit), unit)


def split(text: str) -> tuple[float, str] | None:
    """The number and the unit (``""`` where none stands) of a text such as ``"22 days"``; None if it is not such."""
    match = _NUMBER.fullmatch(text.strip())
    if match is None:
        return None
    return float(match[1]), canonical(match[2]) if match[2] else ""


def convert(number: float, unit: str, into: str) -> float:
    """``number`` in another unit of the same dimension; ``unit == into`` returns the same bits."""
    if UNITS[unit].factor == UNITS[into].factor:
        return number
    return number * UNITS[unit].factor / UNITS[into].factor


def phrase(number: float, unit: str) -> str:
    """A number with its unit, as a person writes it: ``0.5 /day``, ``3 hits``, ``0.3``."""
    shown = f"{number:.12g}"
    if unit == "1":
        return shown
    return f"{shown} {unit[1:] if unit.startswith('1/') else unit}"
