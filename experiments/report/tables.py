"""The tables of a report: what happened in each arm, with intervals over seeds or patients where there are any."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from simulation.results.results import Results
from simulation.words import NO_VALUE, bounds, capital, day_words, name_words, number_words, percent

from ..runs import outcomes
from ..studies.axis import RATIOS
from ..studies.statistics import interval
from ..studies.trial.judged import BIOMARKERS
from ..studies.trial.survival import rate
from ..words import point_words

FEW_POINTS, MOST_ROWS, MOST_COLUMNS = 12, 60, 20


@dataclass(frozen=True)
class Table:
    """A table for a reader: texts by column; ``stacked`` tables become one block a row on a narrow screen, others scroll."""

    caption: str
    content: pd.DataFrame
    note: str = ""
    stacked: bool = False

    @property
    def columns(self) -> list[str]:
        """The heading of each column."""
        return [str(name) for name in self.content]

    @property
    def rows(self) -> list[list[str]]:
        """The texts of each row."""
        return self.content.astype(object).to_numpy().tolist()


def of_design(heading: str, table: pd.DataFrame) -> Table:
    """A table of texts about a design; a dash where there is none."""
    return Table(heading, table.replace("", NO_VALUE), stacked=True)


def plain(value: float) -> str:
    """A count or level; a dash where there is none."""
    return number_words(float(value)) if math.isfinite(value) else NO_VALUE


def ratio(ln: float) -> str:
    """A ratio from its logarithm."""
    return number_words(math.exp(ln)) if math.isfinite(ln) else NO_VALUE


def day(value: float) -> str:
    """A moment by its day."""
    return day_words(value) if math.isfinite(value) else NO_VALUE


TOLD: dict[str, tuple[str, Callable[[float], str]]] = {
    "start_cells": ("tumour cells on day 0", plain),
    "end_cells": ("tumour cells on the last day", plain),
    "growth": ("burden on the last day over that of day 0", ratio),
    "effect": ("burden on the last day over the control's", ratio),
    "least_cells": ("fewest tumour cells of any day", plain),
    "least_day": ("day of the fewest", day),
    "gone_day": ("first day without tumour cells", day),
    "antigen_shift": ("antigen of tumour cells over that of day 0", ratio),
    "target_shift": ("CAR target of tumour cells over that of day 0", ratio),
    "target_negative_share": ("tumour cells without CAR target at the end", percent),
    "mhc_shift": ("MHC-I capacity of tumour cells over that of day 0", ratio),
    "pdl1_shift": ("PD-L1 shown over that of day 0", ratio),
    "kills_by_t": ("killed by CD8 T cells", plain),
    "kills_by_car_t": ("killed by CAR T cells", plain),
    "kills_by_nk": ("killed by NK cells", plain),
    "peak_t_cells": ("most CD8 T cells of any day", plain),
    "peak_car_t_cells": ("most CAR T cells of any day", plain),
    "end_vigour": ("T-cell vigour on the last day (1 = fresh)", plain),
}
"""Outcome -> words, and how a number of it is written."""
OF_CAR = ("target_shift", "target_negative_share", "kills_by_car_t", "peak_car_t_cells")
OVER = {"growth": "start_cells", "effect": "end_cells"}
"""Burden on the last day over which other burden."""


def of_run(arms: Mapping[str, Results]) -> Table:
    """What happened in the arms of one run: a row per quantity, a column per arm."""
    control = arms.get("control") or next(iter(arms.values()))
    numbers = {arm: outcomes.numbers(results, control) for arm, results in arms.items()}
    car = any(row["peak_car_t_cells"] for row in numbers.values())
    own = {
        quantity for row in numbers.values() for quantity in row if quantity in outcomes.of_kinds()
    }
    told_of = TOLD | {name: (outcomes.explained(name)[0], plain) for name in sorted(own)}
    rows = []
    for quantity, (name, write) in told_of.items():
        if (quantity in OF_CAR and not car) or (quantity == "effect" and len(arms) == 1):
            continue
        told = [write(row.get(quantity, math.nan)) for row in numbers.values()]
        if quantity in OVER:
            told = [
                over(row["end_cells"], beside[OVER[quantity]])
                if math.isfinite(row[quantity]) and (quantity != "effect" or row is not beside)
                else NO_VALUE
                for row in numbers.values()
                for beside in [row if quantity == "growth" else numbers[control.arm]]
            ]
        if set(told) != {NO_VALUE}:
            rows.append([name, *told])
    columns = ["", *map(name_words, arms)]
    return Table(
        "What happened in each arm",
        pd.DataFrame(rows, columns=columns),
        "Traits are means over the tumour cells, on the last day with tumour cells.",
    )


def over(part: float, whole: float) -> str:
    """One burden over another."""
    return plain(part / whole) if whole else NO_VALUE


def of_study(
    table: pd.DataFrame, axes: Sequence[str], replicate: str, units: Mapping[str, str]
) -> Table:
    """Means with 95 % intervals over seeds or patients: a row per design point and arm, or per arm where points are many.

    ``table`` are the consolidated outcomes and ``axes`` those of its columns that vary, ``scenario`` among them where there are
    several; ``replicate`` is the column that holds what was repeated, ``seed`` or ``patient``.
    """
    point = [name for name in ("scenario", "point") if name in table]
    points = len(table[point].drop_duplicates()) if "point" in point else 1
    named = [axis for axis in axes if points <= FEW_POINTS or axis == "scenario"]
    each = table["point"].nunique() if points > FEW_POINTS else 1
    car = bool((table["peak_car_t_cells"] > 0).any())
    shown = ["end_cells", "growth", "effect", "target_shift" if car else "antigen_shift"]
    rows = []
    for _, part in table.groupby(named, sort=False) if named else [((), table)]:
        for arm, own in part.groupby("arm", sort=False):
            found = {"where": point_words(part.iloc[0][named], units)} if named else {}
            found |= {"arm": name_words(arm), "runs": f"{len(own):,}"}
            found["eliminated"] = eliminated(own, pooled=each > 1)
            found |= {
                TOLD[name][0]: NO_VALUE
                if name == "effect" and arm == "control"
                else mean(own, name, replicate)
                for name in shown
            }
            rows.append(found)
    number, one = table[replicate].nunique(), {"seed": "seed", "patient": "patient"}[replicate]
    note = (
        f"Means over {number} {one}s with 95 % intervals (Student's t); of ratios the geometric mean, with one cell added to "
        "each burden."
    )
    if number == 1:
        note = f"One {one}: there is no interval. More {one}s give one."
    elif each > 1:
        note += f" Each {one} counts once, as its mean over the {each} points of the design."
    else:
        note += " Behind the number of tumours that were eliminated stands the exact interval of the share."
    return Table("What happened in each arm", pd.DataFrame(rows), note, stacked=True)


def mean(rows: pd.DataFrame, quantity: str, replicate: str) -> str:
    """The mean of an outcome with its interval, each replicate counting once; a dash where there is no value."""
    values = rows.groupby(replicate)[quantity].mean().to_numpy(float)
    values = values[np.isfinite(values)]
    middle, low, high = interval(values)
    write = TOLD[quantity][1]
    return write(middle) + bounds(low if quantity in RATIOS else max(low, 0), high, write)


def eliminated(rows: pd.DataFrame, pooled: bool) -> str:
    """How many runs ended without a tumour cell, with the exact interval of the share where runs are independent."""
    gone, number = int((rows["end_cells"] == 0).sum()), len(rows)
    found = rate(gone, number)
    interval_words = "" if pooled or number < 2 else bounds(found.low, found.high, percent)
    return f"{gone} of {number}{interval_words}"


def of_findings(tables: Mapping[str, pd.DataFrame], left_out: Sequence[str] = ()) -> list[Table]:
    """The analysis' own tables, as far as they are short enough to be read."""
    return [
        Table(words(name), readable(table))
        for name, table in tables.items()
        if name not in left_out and 0 < len(table) <= MOST_ROWS and table.shape[1] <= MOST_COLUMNS
    ]


def readable(table: pd.DataFrame) -> pd.DataFrame:
    """A table of texts with few digits and plain column names."""
    table = table.replace({"biomarker": BIOMARKERS}) if "biomarker" in table else table
    return pd.DataFrame({words(name): [cell(value) for value in table[name]] for name in table})


def cell(value: object) -> str:
    """A value of a table as a reader writes it."""
    if (
        value is None
        or value is pd.NA
        or (isinstance(value, float | np.floating) and math.isnan(value))
    ):
        return NO_VALUE
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, int | float | np.number):
        return number_words(float(value))
    return str(value) if "." in str(value) else name_words(str(value))


def words(name: str) -> str:
    """The name of a column or table with its underscores taken out; dotted names stay as they are."""
    name = str(name)
    return name if "." in name else capital(name_words(name))
