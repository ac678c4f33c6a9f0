"""The four panels under the tissues: burden with doses, immune cells, the trait that drifts, and the state of the T cells."""

from collections.abc import Sequence
from itertools import zip_longest

import numpy as np

from simulation.plots import style
from simulation.words import IMMUNE_WORDS, SCALES, capital, name_words, percent, trait_words

from . import charts
from .charts import Chart
from .course import Course

COLORS = (style.CONTROL, style.ARM_COLORS[0])
"""The colours of the left and the right tumour."""
HEIGHT, WIDE, NARROW = 212, 296, 212
LEVELS = {
    "antigen": (0.01, 5, (0.01, 0.1, 1)),
    "car_target": (0.01, 10, (0.01, 0.1, 1, 10)),
    "pdl1": (0.02, 20, (0.1, 1, 10)),
    "mhc": (0.05, 1.1, (0.1, 0.3, 1)),
    "stress_ligand": (0.05, 5, (0.1, 0.3, 1, 3)),
}
FEW = 30
ROWS = 4
SOFT = "#D0D0D0"


def panels(courses: Sequence[Course], trait: str, last: float) -> tuple[str, str, str, str]:
    """The four panels as SVG; ``trait`` is one of LEVELS, ``last`` the end of the axis of days."""
    return (
        burden(courses, last),
        immune(courses, last),
        distribution(courses, trait),
        t_cell_state(courses, last),
    )


def values(courses: Sequence[Course], column: str) -> np.ndarray:
    """One column of all courses, one after another."""
    return np.concatenate(columns(courses, column))


def draw(chart: Chart, courses: Sequence[Course], up: Sequence[np.ndarray], **look) -> None:
    """A curve of both tumours; the left one lies broad beneath, so that an equal curve is seen."""
    for course, curve, color, width in zip(courses, up, COLORS, (3.2, 1.8), strict=False):
        chart.line(course["day"], curve, color, width=width, **look)


def columns(courses: Sequence[Course], name: str) -> list[np.ndarray]:
    """One column of each course."""
    return [course[name] for course in courses]


def burden(courses: Sequence[Course], last: float) -> str:
    """Living tumour cells on a logarithmic axis, doses above it."""
    given = [
        [(color, name, days) for name, days in reversed(course.doses.items())]
        for course, color in zip(courses, COLORS, strict=False)
    ]
    rows = [
        row for rank in zip_longest(*given) for row in rank if row
    ]  # the sides take turns, what came last first
    shown = sorted(rows[:ROWS], key=lambda row: COLORS.index(row[0]))
    top = 26 + 13 * max(len(shown), 1)
    chart = Chart(
        (44, top, WIDE - 56, HEIGHT - top - 32),
        charts.days(last),
        charts.counts(values(courses, "tumor_cells")),
        x_words="day",
        meaning="Living tumour cells of both tumours; triangles are doses.",
    )
    draw(chart, courses, columns(courses, "tumor_cells"))
    for row, (color, name, days) in enumerate(shown):
        more = (
            f" (and {len(rows) - len(shown)} more)"
            if row == len(shown) - 1 and len(rows) > len(shown)
            else ""
        )
        chart.doses(row, days, color, name_words(name) + more)
    return charts.svg(WIDE, HEIGHT, [chart], "Tumour cells and doses")


def immune(courses: Sequence[Course], last: float) -> str:
    """A small panel for each kind of immune cell that was ever there."""
    present = [
        kind
        for kind in IMMUNE_WORDS
        if kind in courses[0].columns and np.nanmax(values(courses, kind), initial=0) > 0
    ] or ["t_cells"]
    stacked = []
    for place, kind in enumerate(present):
        stacked.append(
            chart := stack(
                place,
                len(present),
                last,
                charts.linear(max(np.nanmax(values(courses, kind)), 4)),
                IMMUNE_WORDS[kind],
                f"Living {IMMUNE_WORDS[kind]} of both tumours.",
            )
        )
        draw(chart, courses, columns(courses, kind))
    return charts.svg(NARROW, HEIGHT, stacked, "Immune cells")


def t_cell_state(courses: Sequence[Course], last: float) -> str:
    """Vigour with fixed exhaustion, and the share of T cells that are engaged."""
    vigour = stack(
        0,
        2,
        last,
        charts.linear(1.0),
        "vigour (dotted: exhausted)",
        "Mean vigour of the T cells, 1 fresh and 0 exhausted; dotted, the exhaustion no drug rescues.",
    )
    draw(vigour, courses, columns(courses, "mean_vigour"))
    draw(vigour, courses, columns(courses, "mean_fixed_exhaustion"), dashed=True)
    shares = [course.engaged() for course in courses]
    top = max(float(np.nanmax(share, initial=10.0)) for share in shares)
    contact = stack(
        1,
        2,
        last,
        charts.linear(top),
        "% engaged with a target",
        "Share of the T cells, CAR T cells included, that hold a tumour cell at this moment.",
    )
    draw(contact, courses, shares)
    return charts.svg(NARROW, HEIGHT, [vigour, contact], "State of the T cells")


def stack(place: int, number: int, last: float, y: charts.Scale, title: str, meaning: str) -> Chart:
    """One of several panels below each other on a common axis of days."""
    room = (HEIGHT - 22 - 30) / number
    lowest = place == number - 1
    return Chart(
        (40, 22 + 17 + place * room, NARROW - 50, room - 22),
        charts.days(last),
        y,
        title=title,
        label_days=lowest,
        x_words="day" if lowest else "",
        meaning=meaning,
    )


def distribution(courses: Sequence[Course], trait: str) -> str:
    """How many tumour cells have how much of a trait: at day 0 in grey, now as lines; those without stand apart."""
    low, high, ticks = LEVELS[trait]
    edges = np.geomspace(low, high, 37)
    starts, ends = (
        [course.trait(trait, start=first) for course in courses] for first in (True, False)
    )
    alike = len(courses) == 1 or np.array_equal(*starts)
    shapes = [
        (shape_of(start, edges), shape_of(end, edges))
        for start, end in zip(starts, ends, strict=True)
    ]
    many = [end.size >= FEW for end in ends]
    tallest = [start.max() for start, _ in shapes] + [
        now.max() for (_, now), some in zip(shapes, many, strict=True) if some
    ]
    top = max(20.0, *tallest)
    chart = Chart(
        (34, 39, NARROW - 46, HEIGHT - 39 - 44),
        charts.logarithmic(low, high, ticks),
        charts.linear(top, parts=3),
        title="% of cells (grey: day 0)" if alike else "% of cells (dotted: day 0)",
        meaning=f"Distribution of {trait_words(trait)} over the living tumour cells against its shape at day 0.",
    )
    for (start, _), color in zip(shapes[:1] if alike else shapes, COLORS, strict=False):
        chart.steps(edges, start, SOFT if alike else color, filled=alike, dashed=not alike)
    notes = []
    for end, color, (_, now), some in zip(ends, COLORS, shapes, many, strict=False):
        if some:
            chart.steps(edges, now, color)
        else:
            chart.ticks_of(end[end > 0], color)
        if none := np.count_nonzero(end <= 0) / max(end.size, 1):
            notes.append((f"none: {percent(none)}", color))
    for row, (note, color) in enumerate(notes):
        chart.note(note, color, row)
    unit = charts.words(NARROW - 12, HEIGHT - 4, SCALES.get(trait, "level"), end=True)
    title = capital(trait_words(trait))
    return charts.svg(
        NARROW, HEIGHT, [chart], title if len(title) > 15 else f"{title} of tumour cells", unit
    )


def shape_of(trait: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Per cent of all cells in each bin; cells beyond the ends count in the end bins, zeros nowhere."""
    some = np.log(np.clip(trait[trait > 0], edges[0], edges[-1] * (1 - 1e-9)) / edges[0])
    bins = (some / np.log(edges[1] / edges[0])).astype(np.int64)
    return (
        np.bincount(np.minimum(bins, edges.size - 2), minlength=edges.size - 1)
        * 100
        / max(trait.size, 1)
    )
