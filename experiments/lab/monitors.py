"""The numbers a teacher reads out: one row of monitors per tumour, in words and with what they mean."""

import math
from typing import NamedTuple

import numpy as np

from simulation.readouts.response import (
    Recist,
    ResponseError,
    category_of,
    dimension_of,
    equivalent_diameter,
)
from simulation.words import CATEGORY_WORDS, NO_VALUE, kind_words, percent, tick_words

from .course import Course


class Monitor(NamedTuple):
    """One number: what it is called, its value, a remark beside it, and what it means."""

    name: str
    value: str
    remark: str
    meaning: str


def monitors(course: Course) -> dict[str, Monitor]:
    """The monitors of one tumour by key."""
    cells, start, now = (
        course["tumor_cells"][-1],
        course["tumor_cells"][0],
        {name: course[name][-1] for name in course.columns},
    )
    kills, window = kills_per_t_cell(course)
    found = {
        "burden": Monitor(
            "tumour cells",
            f"{cells:,.0f}",
            times(cells / start) if start and cells else "gone",
            "burden: living tumour cells of the patch",
        ),
        "response": response(course),
        "antigen": Monitor(
            "mean antigen",
            level(now["mean_antigen"]),
            f"day 0: {level(course['mean_antigen'][0])}",
            "mean antigen of the living tumour cells; 1 is about 30 peptide-MHC on a cell",
        ),
        "kills": Monitor(
            "kills per T cell and day",
            level(kills),
            window,
            "tumour cells killed by T cells and CAR T cells in the last day, over the T cells there were",
        ),
        "t_cells": Monitor(
            "CD8 T cells",
            f"{now['t_cells']:,.0f}",
            f"vigour {level(now['mean_vigour'])}",
            "living CD8 T cells; vigour is the mean of all T cells, 1 fresh, 0 exhausted",
        ),
    }
    if course["car_t_cells"].any():
        found["car_t_cells"] = Monitor(
            "CAR T cells",
            f"{now['car_t_cells']:,.0f}",
            f"target {level(now['mean_car_target'])}",
            "living CAR T cells, and the mean target on the tumour cells that are left",
        )
    else:
        found["nk_cells"] = Monitor(
            "NK cells",
            f"{now['nk_cells']:,.0f}",
            f"killed {now['kills_by_nk']:,.0f}",
            "living NK cells, and what they killed since day 0",
        )
    for kind in course.model.kinds.all[course.model.shipped_kinds :]:
        words = kind_words(kind.name)
        found[kind.column] = Monitor(
            words,
            f"{now[kind.column]:,.0f}",
            f"killed {now[kind.kills]:,.0f}" if kind.attacks else "",
            f"living {words}, and what they killed since day 0" if kind.attacks else kind.meaning,
        )
    return found


def response(course: Course) -> Monitor:
    """RECIST 1.1 if a scan were taken now; a leukaemia, which has no diameter, by its cells."""
    name, cells = "response now", course["tumor_cells"]
    try:
        dimension = dimension_of(course.model.shape, course.model.liquid)
    except ResponseError:
        return Monitor(
            name,
            percent(cells[-1] / max(cells[0], 1)),
            "of day 0",
            "a leukaemia has no diameter: the share of the cells of day 0",
        )
    if not cells[0]:
        return Monitor(name, NO_VALUE, "no tumour at day 0", "there is nothing to compare with")
    recist = Recist()
    shown = equivalent_diameter(cells, dimension)
    shown *= recist.value("nominal_diameter") / shown[0]
    shown[shown < recist.value("smallest_seen")] = 0.0
    change, nadir = float(shown[-1] / shown[0] - 1), float(shown[:-1].min(initial=shown[0]))
    category = category_of(float(shown[-1]), nadir, change, recist)
    remark = f"diameter {percent(change, sign=True)}"
    if category == "PD" and nadir:
        remark = f"{percent(shown[-1] / nadir - 1, sign=True)} from smallest"
    return Monitor(
        name,
        category,
        remark,
        f"{CATEGORY_WORDS[category]}: RECIST 1.1 if scanned now, diameter against day 0 and against the smallest "
        "since",
    )


def kills_per_t_cell(course: Course) -> tuple[float, str]:
    """Kills by T cells per T cell and day over the last day, or since day 0 while that is shorter; and which it is."""
    days = course["day"]
    first = max(int(np.searchsorted(days, days[-1] - 1.0, side="right")) - 1, 0)
    length = days[-1] - days[first]
    t_cells = (course["t_cells"] + course["car_t_cells"])[first:].mean()
    killed = (course["kills_by_t"] + course["kills_by_car_t"])[[first, -1]]
    if length <= 0 or not t_cells:
        return math.nan, "no T cell" if length > 0 else "nothing yet"
    return float(
        (killed[1] - killed[0]) / t_cells / length
    ), "last day" if length > 0.99 else "since day 0"


def level(value: float) -> str:
    """A level with two digits; a dash where there is nobody to measure."""
    return NO_VALUE if value != value else f"{value:.2f}" if value < 10 else tick_words(value)


def times(share: float) -> str:
    """A share of day 0 as a reader says it: a multiple, or per cent of what is small."""
    return f"{percent(share)} of day 0" if share < 0.1 else f"{share:.2f} x day 0"
