"""The one vocabulary: how numbers, shares, cells, traits and names are written where a person reads them."""

import math
import re
from collections.abc import Callable

import numpy as np

KIND_WORDS: dict[str, str] = {}
"""Kinds of cells in the plural, as they declare it themselves."""
IMMUNE_WORDS: dict[str, str] = {}
"""Columns of a time series that count immune cells."""
KIND_COLORS: dict[str, str] = {}
"""The colour of each kind of cell, as it declares it itself."""
IN_EVERY_MODEL: list[str] = []
"""Kinds of cells that every model has."""
KIND_MEANING: dict[str, str] = {}
"""What each kind of cell is, in a line."""
KILL_WORDS: dict[str, str] = {}
"""Columns of a time series that count kills, and who killed."""
NAME_WORDS = {
    "car_t": "CAR T",
    "b_all": "B-ALL",
    "il2": "IL-2",
    "ifn_alpha": "IFN-α",
    "no_nk": "no NK cells",
    "pdl1": "PD-L1",
}
TRAIT_WORDS = {
    "antigen": "antigen",
    "car_target": "CAR target",
    "pdl1": "PD-L1 shown",
    "pdl1_shown": "PD-L1 shown",
    "pdl1_constitutive": "constitutive PD-L1",
    "mhc": "MHC-I capacity",
    "presented_mhc": "presented MHC-I",
    "stress_ligand": "stress ligand",
    "vigour": "T-cell vigour",
    "exhaustion": "plastic exhaustion",
    "fixed_exhaustion": "fixed exhaustion",
    "stimulation": "stimulation",
    "clone": "clone",
    "oxygen": "oxygen",
    "ifn_gamma": "IFN-γ",
    "il2": "IL-2",
    "chemokine": "chemokine",
    "kinds": "kind of cell",
}
"""What a view of the tissue shows: traits and fields."""
SCALES = {
    "antigen": "1 = about 30 peptide-MHC",
    "car_target": "1 = 10,000 molecules",
    "pdl1": "1 = strongly positive",
    "pdl1_shown": "1 = strongly positive",
    "mhc": "1 = full",
    "presented_mhc": "1 = full",
}
"""What a level of 1 of a trait of tumour cells is."""
FIELD_UNITS = {"oxygen": "mmHg", "ifn_gamma": "1 = half effect", "il2": "nM"}
CATEGORY_WORDS = {
    "CR": "complete response",
    "PR": "partial response",
    "SD": "stable disease",
    "PD": "progressive disease",
}
NO_VALUE = "–"
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
PLAIN = 1e5
"""From here on a number is written as a power of ten."""


def show(kind: str, column: str, kills: str, words: str, color: str, meaning: str) -> None:
    """Call a kind of cell, and its columns in results, by these words; draw it in this colour where it says one."""
    KIND_WORDS[kind], KIND_MEANING[kind] = words, meaning
    if kind != "tumor_cell":
        IMMUNE_WORDS[column] = KILL_WORDS[kills] = words
    if color:
        KIND_COLORS[kind] = color


def show_field(field: str, unit: str, words: str = "") -> None:
    """Call a field in pictures by these words, and its levels by this unit; what is known of it stays."""
    if words:
        TRAIT_WORDS.setdefault(field, words)
    if unit != "1":
        FIELD_UNITS.setdefault(field, unit)


def number_words(value: float, digits: int | None = None) -> str:
    """A number with as few signs as tell it apart: 0.25, 12,500, 2×10⁸; with so many significant ``digits`` if they are given."""
    value = float(value)
    if not math.isfinite(value):
        return "none" if math.isnan(value) else "∞" if value > 0 else "-∞"
    value = float(f"{value:.{digits}g}") if digits else value or 0.0
    if value and not 1e-3 <= abs(value) < PLAIN - 0.5:
        mantissa, exponent = f"{value:.2e}".split("e")
        power = f"10{str(int(exponent)).translate(RAISED)}"
        return power if float(mantissa) == 1 else f"{float(mantissa):g}×{power}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def tick_words(value: float) -> str:
    """A mark of an axis: counts to the last cell, 12,000,000, and levels as numbers, 0.3; the powers of ten stand in a column."""
    return f"{value:,.0f}" if value >= 10 else number_words(value)


def signed_words(value: float, digits: int | None = None) -> str:
    """A difference with its sign: +0.25, -62.4, -1,510; 0 has none."""
    return f"{'+' if value > 0 else ''}{number_words(value, digits)}"


def percent(share: float, digits: int = 2, sign: bool = False) -> str:
    """A share with two digits, never in powers of ten, and never as all or nothing where it is neither: 46 %, 1.4 %, 99.96 %."""
    part = 100 * float(share) or 0.0
    if not math.isfinite(part):
        return NO_VALUE
    if 99 < part < 100:
        text = f"{100 - float(f'{100 - part:.1g}'):.12g}"
    elif abs(part) >= 10**digits:
        text = f"{part:,.0f}"
    else:
        text = np.format_float_positional(
            part, precision=digits, unique=False, fractional=False, trim="-"
        )
    return f"{'+' if sign and part > 0 else ''}{text} %"


def bounds(
    low: float, high: float, write: Callable[[float], str] = number_words, before: str = ""
) -> str:
    """An interval in brackets after a number, its unit once; nothing where a bound is not known."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return ""
    return f" ({before}{write(low).removesuffix(' %')} to {write(high)})"


def day_words(day: float) -> str:
    """A day of a run: day 3, day 2.25."""
    return f"day {number_words(day)}"


def kind_words(kind: str) -> str:
    """A kind of cell in plain words."""
    return KIND_WORDS.get(kind, kind.replace("_", " ") + "s")


def view_words(trait: str) -> str:
    """A trait or field that a view of the tissue shows, in plain words."""
    return TRAIT_WORDS.get(trait, trait.replace("_", " "))


def trait_words(trait: str) -> str:
    """A trait in the table of cells, where ``pdl1`` is what a cell has of its own, in plain words."""
    return view_words("pdl1_constitutive" if trait == "pdl1" else trait)


def with_unit(trait: str) -> str:
    """A trait or field that a view shows, with its unit if it has one."""
    return (
        f"{view_words(trait)} ({FIELD_UNITS[trait]})" if trait in FIELD_UNITS else view_words(trait)
    )


def name_words(name: str) -> str:
    """The name of an arm, a treatment or a scenario as it is written in a picture."""
    for key, words in NAME_WORDS.items():
        name = re.sub(rf"(?<![A-Za-z0-9]){key}(?![A-Za-z0-9])", words, name)
    return name.replace("_", " ")


def capital(words: str) -> str:
    """Words with a capital at their start, the rest as it is."""
    return words[:1].upper() + words[1:]
