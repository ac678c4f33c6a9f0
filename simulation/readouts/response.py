"""Response of a tumour as a clinic would judge it: RECIST 1.1 on scans, and the phase of immunoediting.

The patch is a number of cells, a scan shows a diameter. The mapping is that of a disc (2-D: diameter ~ square root of
the cells) or a ball (3-D: cube root), scaled so that day 0 is a lesion of ``nominal_diameter``. A diameter 30 % smaller
is 51 % fewer cells in 2-D and 66 % fewer in 3-D, so the mapping in use belongs beside every result. A patch has one
lesion: there are no new ones, and no one dies.
"""

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from ..errors import TumorLabError
from ..parameters.given import quoted
from ..parameters.parameter import Parameter, ParameterGroup
from ..parameters.sources import assumed, cite
from ..words import IMMUNE_WORDS

RESPONSES = ("CR", "PR")
CATEGORIES = ("CR", "PR", "SD", "PD")
SCAN_COLUMNS = ("day", "cells", "diameter", "change", "nadir", "category", "immune_category")
TOLERANCE = 1e-6
"""Rounding, in days and millimetres, that moves neither a scan nor a category."""


class ResponseError(TumorLabError):
    """A response that cannot be judged; the message is one sentence."""


class Recist(ParameterGroup):
    """When scans are taken and how they are judged: RECIST 1.1."""

    prefix = "scans"

    nominal_diameter = Parameter(
        50,
        "mm",
        "sum of lesion diameters at day 0; the patch is scaled to it",
        range=(10, 500),
        source=cite("C-144-01", "median 97.8 mm") + "; " + assumed("between 25 mm and that"),
    )
    every = Parameter(
        42, "day", "time between scans", source=cite("RECIST1.1", "6 to 12 weeks"), range=(1, 365)
    )
    first = Parameter(
        0,
        "day",
        "day of the first scan; 0 is after one interval",
        source=assumed("as the others"),
        range=(0, 365),
    )
    partial_response = Parameter(
        30,
        "%",
        "decrease from baseline of a partial response",
        source=cite("RECIST1.1"),
        range=(1, 100),
    )
    progression = Parameter(
        20,
        "%",
        "increase from the nadir of progressive disease",
        source=cite("RECIST1.1"),
        range=(1, 500),
    )
    least_growth = Parameter(
        5,
        "mm",
        "growth from the nadir without which there is no progressive disease",
        source=cite("RECIST1.1") + "; " + cite("iRECIST", "the growth that confirms a progression"),
        range=(0, 100),
    )
    smallest_seen = Parameter(
        2,
        "mm",
        "diameter below which a scan shows nothing",
        range=(0, 10),
        source=assumed("less than half a slice of 5 mm"),
    )
    confirm = Parameter(
        0,
        "day",
        "a response must be seen again this much later; 0 asks for no confirmation",
        source=cite("RECIST1.1", "28 days where response is the endpoint"),
        range=(0, 365),
    )

    def scan_days(self, last: float) -> np.ndarray:
        """Days of the scans after baseline; the last day of the record too when it falls beside them."""
        first = self.value("first") or self.value("every")
        planned = np.arange(first, last + TOLERANCE, self.value("every"))
        beside = last > 0 and (not planned.size or last - planned[-1] > TOLERANCE)
        return np.append(planned, last) if beside else planned


class Immunoediting(ParameterGroup):
    """What tells elimination, equilibrium and escape of an untreated tumour apart."""

    window = Parameter(
        14,
        "day",
        "last part of the run that is judged",
        source=assumed("longer than a wave of recruits"),
        range=(1, 365),
    )
    steady = Parameter(
        0.02,
        "1/day",
        "slope of ln burden up to which a tumour is held; doubling in 35 days",
        source=assumed("well below growth without immune cells"),
        range=(0, 1),
    )
    escaped = Parameter(
        3,
        "fold",
        "burden over that of day 0 from which a tumour that does not shrink has escaped",
        source=assumed("such a tumour may stand still only because the patch is full"),
        range=(1, 1000),
    )


class Response(NamedTuple):
    """What became of one lesion: days are counted from day 0; a day is NaN when the thing did not happen.

    ``best`` is the best overall response up to progression, ``best_change`` the lowest change from baseline up to then;
    ``progression_day`` is the day of progression when ``progressed``, else of the last scan (censored);
    ``response_duration`` runs from ``response_day`` to progression when ``response_ended``, else to the last scan;
    ``pseudoprogression`` is a progression that the next scan takes back, ``confirmed_progression_day`` one that it
    does not.
    """

    best: str
    objective: bool
    best_change: float
    progression_day: float
    progressed: bool
    response_day: float
    response_duration: float
    response_ended: bool
    pseudoprogression: bool
    confirmed_progression_day: float


def dimension_of(shape: tuple[int, ...], liquid: bool = False) -> int:
    """2 or 3, as the lattice has it; raises ResponseError for a leukaemia, which has no diameter."""
    if liquid:
        raise ResponseError(
            "RECIST measures diameters, and a liquid tumour has none; judge it by its cells instead"
        )
    return checked_dimension(len(shape))


def checked_dimension(dimension: int) -> int:
    """``dimension`` itself; raises ResponseError unless it is 2 or 3."""
    if dimension not in (2, 3):
        raise ResponseError(
            f"dimension = {quoted(dimension)} is not allowed; it must be 2 (a disc) or 3 (a ball)",
            key="dimension",
        )
    return dimension


def equivalent_diameter(cells: np.ndarray, dimension: int, spacing: float = 15.0) -> np.ndarray:
    """Diameter in um of the disc (2 sqrt(N a^2 / pi)) or ball that ``cells`` packed cells of width ``spacing`` fill."""
    filled = np.asarray(cells, dtype=float) * spacing ** checked_dimension(dimension)
    return 2 * np.sqrt(filled / math.pi) if dimension == 2 else np.cbrt(6 * filled / math.pi)


def sizes(
    timeseries: pd.DataFrame,
    days: np.ndarray,
    recist: Recist | None = None,
    *,
    dimension: int = 2,
    infiltrate: bool = False,
) -> pd.DataFrame:
    """What a scan would show of one arm at day 0 and on each of ``days``: columns ``day``, ``cells``, ``diameter`` in mm.

    Each takes the newest record of its day. With ``infiltrate`` the immune cells of the patch count as lesion while tumour
    is seen, since a scan cannot tell them apart. Raises ResponseError when there is no tumour at day 0.
    """
    recist = recist or Recist()
    recorded = timeseries["day"].to_numpy(dtype=float)
    at = np.append(recorded[0], days)
    rows = timeseries.iloc[np.searchsorted(recorded, at + TOLERANCE, side="right") - 1]
    tumor = rows["tumor_cells"].to_numpy(dtype=float)
    if not tumor[0] > 0:
        raise ResponseError(
            "there is no tumour to measure at day 0, so there is no response to judge"
        )
    immune = (
        rows[[name for name in IMMUNE_WORDS if infiltrate and name in rows]]
        .to_numpy(dtype=float)
        .sum(axis=1)
    )
    shown, bare = (
        equivalent_diameter(tumor + immune, dimension),
        equivalent_diameter(tumor, dimension),
    )
    scale = recist.value("nominal_diameter") / shown[0]
    seen = bare * scale >= recist.value("smallest_seen")
    return pd.DataFrame(
        {"day": at, "cells": tumor.astype(np.int64), "diameter": np.where(seen, shown * scale, 0.0)}
    )


def scans(
    timeseries: pd.DataFrame,
    recist: Recist | None = None,
    *,
    dimension: int = 2,
    infiltrate: bool = False,
) -> pd.DataFrame:
    """Every scan of one arm: a row for baseline and each scan day, columns SCAN_COLUMNS; see :func:`sizes`.

    ``diameter`` and ``nadir`` (the smallest before) in mm, ``change`` from baseline as a share. ``immune_category``
    follows iRECIST: iUPD is a progression not yet confirmed, iCPD one that grew by ``least_growth`` once more.
    """
    recist = recist or Recist()
    days = recist.scan_days(float(timeseries["day"].iloc[-1]))
    seen = sizes(timeseries, days, recist, dimension=dimension, infiltrate=infiltrate)
    return judged(seen["day"], seen["diameter"], recist).assign(cells=seen["cells"])[
        list(SCAN_COLUMNS)
    ]


def judged(
    days: Sequence[float], diameters: Sequence[float], recist: Recist | None = None
) -> pd.DataFrame:
    """Categories of a series of diameters in mm, baseline first: the columns of :func:`scans` without ``cells``."""
    recist = recist or Recist()
    diameters = np.asarray(diameters, dtype=float)
    nadir = np.minimum.accumulate(np.append(diameters[:1], diameters[:-1]))
    change = diameters / diameters[0] - 1
    category = [
        category_of(*measured, recist) for measured in zip(diameters, nadir, change, strict=True)
    ]
    table = pd.DataFrame(
        {
            "day": np.asarray(days, dtype=float),
            "diameter": diameters,
            "change": change,
            "nadir": nadir,
            "category": ["baseline", *category[1:]],
        }
    )
    return table.assign(immune_category=_immune_categories(table, recist))


def category_of(diameter: float, nadir: float, change: float, recist: Recist) -> str:
    """RECIST 1.1 at one scan. Progression outweighs a response that still holds against baseline."""
    if diameter == 0:
        return "CR"
    growth = diameter - nadir
    if (
        growth >= recist.value("progression") / 100 * nadir - TOLERANCE
        and growth >= recist.value("least_growth") - TOLERANCE
    ):
        return "PD"
    return "PR" if change <= -recist.value("partial_response") / 100 + TOLERANCE else "SD"


def _immune_categories(table: pd.DataFrame, recist: Recist) -> list[str]:
    """iRECIST: the first PD waits; further growth confirms it for good, a scan without PD takes it back."""
    told, confirmed = ["baseline"], False
    diameters, categories = table["diameter"].to_numpy(), table["category"].to_list()
    for scan in range(1, len(table)):
        if categories[scan] == "PD" and told[-1] == "iUPD":
            confirmed |= (
                diameters[scan] - diameters[scan - 1] >= recist.value("least_growth") - TOLERANCE
            )
        told.append(
            "iCPD" if confirmed else "iUPD" if categories[scan] == "PD" else f"i{categories[scan]}"
        )
    return told


def respond(scanned: pd.DataFrame, recist: Recist | None = None) -> Response:
    """The whole course of one lesion, from the table that :func:`scans` gives.

    With ``confirm`` a response counts when a scan at least that much later, and before progression, still shows one.
    A lesion that was never scanned after baseline is NE, not evaluable.
    """
    recist = recist or Recist()
    later = scanned.iloc[1:]
    if later.empty:
        return Response(
            "NE",
            False,
            math.nan,
            float(scanned["day"].iloc[0]),
            False,
            math.nan,
            math.nan,
            False,
            False,
            math.nan,
        )
    days, categories = later["day"].to_numpy(), later["category"].to_numpy()
    progressed = "PD" in categories
    until = int(np.argmax(categories == "PD")) if progressed else len(later)
    end = float(days[until] if progressed else days[-1])
    before, when = categories[:until], days[:until]
    sure = [
        _confirmed(before, when, (kind,) if kind == "CR" else RESPONSES, recist)
        for kind in RESPONSES
    ]
    objective = any(math.isfinite(day) for day in sure)
    best = next(
        (kind for kind, day in zip(RESPONSES, sure, strict=True) if math.isfinite(day)),
        "SD" if until else "PD",
    )
    start = sure[1]
    immune = later["immune_category"].to_list()
    return Response(
        best=best,
        objective=objective,
        best_change=float(later["change"].iloc[: until + 1].min()),
        progression_day=end,
        progressed=progressed,
        response_day=start,
        response_duration=end - start,
        response_ended=objective and progressed,
        pseudoprogression=any(
            a == "iUPD" and b not in ("iUPD", "iCPD") for a, b in itertools.pairwise(immune)
        ),
        confirmed_progression_day=_confirmed_progression(days, immune),
    )


def _confirmed(
    categories: np.ndarray, days: np.ndarray, kinds: tuple[str, ...], recist: Recist
) -> float:
    """Day of the first scan of these kinds that a later one confirms; NaN when there is none."""
    found = days[np.isin(categories, kinds)]
    wait = recist.value("confirm")
    sure = [day for day in found if wait == 0 or found[-1] - day >= wait - TOLERANCE]
    return float(sure[0]) if sure else math.nan


def _confirmed_progression(days: np.ndarray, immune: list[str]) -> float:
    """Day of the first of the scans in a row that led to a confirmed progression."""
    if "iCPD" not in immune:
        return math.nan
    first = immune.index("iCPD")
    while first and immune[first - 1] == "iUPD":
        first -= 1
    return float(days[first])


def phase(timeseries: pd.DataFrame, thresholds: Immunoediting | None = None) -> str:
    """The phase of immunoediting of an untreated arm: ``elimination``, ``equilibrium`` or ``escape``.

    Judged from the last ``window`` days: no cell left, or fewer than at day 0 and falling, is elimination; rising, or
    far above day 0 and not falling, is escape; all else is equilibrium. One cell is added before the logarithm.
    """
    thresholds = thresholds or Immunoediting()
    days, cells = (
        timeseries["day"].to_numpy(dtype=float),
        timeseries["tumor_cells"].to_numpy(dtype=float),
    )
    if not cells[0] > 0:
        raise ResponseError(
            "there is no tumour at day 0, so there is no phase of immunoediting to tell"
        )
    last = days >= days[-1] - thresholds.value("window") - TOLERANCE
    last[-2:] = True  # records may lie further apart than the window is long
    slope = np.polyfit(days[last], np.log(cells[last] + 1), 1)[0] if last.sum() > 1 else 0.0
    steady, level = thresholds.value("steady"), cells[-1] / cells[0]
    if cells[-1] == 0 or (slope < -steady and level < 1):
        return "elimination"
    if slope > steady or (level >= thresholds.value("escaped") and slope >= -steady):
        return "escape"
    return "equilibrium"
