"""How parameters and their values are written for a reader: in sentences, tables and pictures."""

import re
from collections.abc import Mapping

from simulation.words import KIND_WORDS, RAISED, TRAIT_WORDS, name_words, number_words

ONE_CELL = {
    kind: KIND_WORDS[kind].removesuffix("s") for kind in sorted(KIND_WORDS, key=len, reverse=True)
}
WORDS = (
    ONE_CELL
    | {"tumor": "tumour", "mhc": "MHC-I"}
    | {name: TRAIT_WORDS[name] for name in ("car_target", "ifn_gamma")}
)
"""Parts of dotted names, longer ones first."""
OF_SCHEDULE = {
    "every": "interval",
    "times": "doses per cycle",
    "rest": "rest",
    "cycles": "cycles",
    "first": "delay",
}


def axis_words(name: str) -> str:
    """A dotted name in plain words: ``treatments.il2.peak`` is IL-2 peak, ``tumor.pdl1`` is tumour PD-L1."""
    *path, last = name.removeprefix("treatments.").split(".")
    if path and path[-1] == "schedule":
        path, last = path[:-1], OF_SCHEDULE.get(last, last)
    return " ".join(_words(part) for part in (*path, last))


def drug_words(name: str) -> str:
    """The drug that a dotted name belongs to: ``treatments.il2.peak`` is IL-2; any other name in plain words."""
    return _words(name.split(".")[1]) if name.startswith("treatments.") else axis_words(name)


def point_words(point: Mapping[str, object], units: Mapping[str, str] | None = None) -> str:
    """The values of a design point: IL-2: interval 8 hours, doses per cycle 14; tumour PD-L1 2."""
    drugs: dict[str, list[str]] = {}
    for name, value in point.items():
        drug = drug_words(name) if name.startswith("treatments.") else ""
        value = (
            _words(value) if name == "scenario" else value_words(value, (units or {}).get(name, ""))
        )
        drugs.setdefault(drug, []).append(f"{axis_words(name).removeprefix(drug).lstrip()} {value}")
    return "; ".join(
        f"{drug}{': ' if len(told) > 1 else ' '}{', '.join(told)}" if drug else ", ".join(told)
        for drug, told in drugs.items()
    )


def axis_label(name: str, units: Mapping[str, str] | None = None) -> str:
    """The words of a dotted name with the unit in brackets; a plain number has none."""
    unit = unit_words((units or {}).get(name, ""))
    return f"{axis_words(name)} ({unit})" if unit else axis_words(name)


def unit_words(unit: str) -> str:
    """A unit as it is written after a number; nothing for plain numbers."""
    if unit == "1":
        return ""
    return re.sub(
        r"\b([mu])m([23]?)\b",
        lambda of: f"{of[1].replace('u', 'µ')}m{of[2].translate(RAISED)}",
        unit.removeprefix("1") if unit.startswith("1/") else unit,
    )


def value_words(value: object, unit: str = "") -> str:
    """A value with its unit: 20 mg, 0.5 nM, 2×10⁸ cells; a text such as 8 hours as it is."""
    if isinstance(value, str):
        return value
    unit = unit_words(unit)
    return number_words(float(value)) + (f" {unit}" if unit else "")


def moment_words(day: float) -> str:
    """A moment of a run as day and hour: day 5, 17:00; a whole day alone."""
    whole, minutes = divmod(round(day * 24 * 60), 24 * 60)
    return f"day {whole}" + (f", {minutes // 60}:{minutes % 60:02d}" if minutes else "")


def listed(words: list[str]) -> str:
    """Words in a row: a, b and c."""
    return (
        words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""
    )


def _words(part: str) -> str:
    """One part of a dotted name, its abbreviations written as in the field."""
    for key, words in WORDS.items():
        part = re.sub(rf"(?<![A-Za-z0-9]){key}(?![A-Za-z0-9])", words, part)
    return name_words(part)
