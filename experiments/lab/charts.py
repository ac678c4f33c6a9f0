"""Small charts as SVG text, drawn many times a second: axes, curves, shapes and marks."""

from collections.abc import Callable, Sequence
from html import escape
from typing import NamedTuple

import numpy as np

from simulation.plots import style
from simulation.words import tick_words

GRID, EDGE = "#E8E8E8", "#888888"
JOINED = 'stroke-linejoin="round"'
ROUND, DASHED = (
    f'stroke-linecap="round" {JOINED}',
    f'stroke-dasharray="2.5 3" {JOINED}',
)  # round ends would close the gaps
ZERO = -0.45  # where a count of zero stands on a logarithmic axis, in decades below one cell
STEPS = np.array([1.0, 2.0, 5.0, 10.0])


class Scale(NamedTuple):
    """An axis: ``place`` puts values between 0 and 1 (NaN stays NaN), ``ticks`` are values with their labels."""

    place: Callable[[np.ndarray], np.ndarray]
    ticks: tuple[tuple[float, str], ...]


def days(last: float) -> Scale:
    """Days from 0 to the last; weeks where there are some."""
    last = max(last, 1.0)
    step = 7 * max(1, round(last / 42)) if last >= 14 else nice(last / 4)
    return Scale(
        lambda values: np.asarray(values, dtype=float) / last,
        labelled(np.arange(0, last + 1e-9, step)),
    )


def linear(top: float, low: float = 0.0, parts: int = 2) -> Scale:
    """From ``low`` to a round number at or above ``top``."""
    step = nice((max(top, 1e-12) - low) / parts)
    top = low + step * max(1, np.ceil((top - low) / step - 1e-9))
    ticks = labelled(np.arange(low, top + step / 2, step))
    return Scale(lambda values: (np.asarray(values, dtype=float) - low) / (top - low), ticks)


def counts(values: np.ndarray) -> Scale:
    """Counts on a logarithmic axis that has a place for zero where one of the values is zero."""
    values = np.asarray(values, dtype=float)
    values = values[np.isfinite(values)]
    high = np.log10(max(values.max(initial=1.0), 10.0)) + 0.04
    some = values[values > 0]
    low = (
        ZERO if some.size < values.size or not some.size else np.log10(max(some.min(), 1.0)) - 0.04
    )
    low = min(low, high - 0.9)
    marks = [
        step * 10.0**power
        for power in range(8)
        for step in ((1, 2, 5) if high - low < 1.9 else (1,))
    ]
    ticks = [mark for mark in marks if low <= np.log10(mark) <= high]
    ticks = ([0.0] if low == ZERO else []) + ticks[:: max(1, -(-len(ticks) // 5))]

    def place(values: np.ndarray) -> np.ndarray:
        values = np.asarray(values, dtype=float)
        return (
            np.where(values < 1, ZERO, np.log10(np.maximum(values, 1.0))) + 0 * values - low
        ) / (high - low)

    return Scale(place, labelled(ticks))


def logarithmic(low: float, high: float, ticks: Sequence[float]) -> Scale:
    """Levels on a logarithmic axis; what lies beyond its ends stands at the ends."""
    span = np.log(high / low)
    return Scale(lambda values: np.log(np.clip(values, low, high) / low) / span, labelled(ticks))


def nice(step: float) -> float:
    """The round number at or above a step: 1, 2 or 5 times a power of ten."""
    power = 10.0 ** np.floor(np.log10(step))
    return float(power * STEPS[np.searchsorted(STEPS, step / power - 1e-9)])


def labelled(values: Sequence[float]) -> tuple[tuple[float, str], ...]:
    """Ticks with their numbers as a reader would write them."""
    return tuple((float(value), tick_words(float(value)) if value else "0") for value in values)


class Chart:
    """One panel: a frame of ``width`` x ``height`` pixels inside which data stand between ``x`` and ``y`` scales."""

    def __init__(
        self,
        box: tuple[float, float, float, float],
        x: Scale,
        y: Scale,
        *,
        title: str = "",
        label_days: bool = True,
        x_words: str = "",
        meaning: str = "",
    ):
        self.left, self.top, self.width, self.height = box
        self.x, self.y = x, y
        self.parts = [f"<g><title>{escape(meaning)}</title>" if meaning else "<g>"]
        self.parts.append(rect(*box, "#FFFFFF"))
        bottom = self.top + self.height
        for value, label in y.ticks:
            at = self._up(value)
            self.parts.append(rule(self.left, at, self.left + self.width, at))
            self.parts.append(words(self.left - 5, at + 3.6, label, end=True))
        for value, label in x.ticks:
            at = self._across(value)
            if label_days:
                self.parts.append(rule(at, bottom, at, bottom + 3, EDGE))
                self.parts.append(words(at, bottom + 13.5, label, middle=True))
        self.parts.append(rule(self.left, bottom, self.left + self.width, bottom, EDGE))
        if title:
            self.parts.append(words(self.left, self.top - 5, title, size=11, ink=style.INK))
        if x_words:
            self.parts.append(words(self.left + self.width, bottom + 26, x_words, end=True))

    def _across(self, value) -> np.ndarray:
        return self.left + self.width * self.x.place(value)

    def _up(self, value) -> np.ndarray:
        return self.top + self.height * (1 - self.y.place(value))

    def line(
        self,
        across: np.ndarray,
        up: np.ndarray,
        color: str,
        *,
        width: float = 2.0,
        dashed: bool = False,
    ) -> None:
        """A curve; it breaks where a value is missing. A single point is a dot."""
        places = [
            (f"{px:.1f},{py:.1f}" if px == px and py == py else None)
            for px, py in zip(self._across(across).tolist(), self._up(up).tolist(), strict=True)
        ]
        pieces = "".join(f" {place}" if place else "|" for place in places).split("|")
        path = "".join(f"M{piece[1:].replace(' ', 'L')}" for piece in pieces if " " in piece)
        if path:
            path, width = (path, width) if "L" in path else (path + "h0.01", 5)
            ends = DASHED if dashed else ROUND
            self.parts.append(
                f'<path d="{path}" fill="none" stroke="{color}" stroke-width="{width}" {ends}/>'
            )

    def steps(
        self,
        edges: np.ndarray,
        heights: np.ndarray,
        color: str,
        *,
        filled: bool = False,
        dashed: bool = False,
    ) -> None:
        """A histogram: its outline, or a filled shape."""
        across, up = np.repeat(self._across(edges), 2), np.repeat(self._up(heights), 2)
        floor = self.top + self.height
        up = np.concatenate([[floor], up, [floor]])
        path = "M" + "L".join(
            f"{px:.1f},{py:.1f}" for px, py in zip(across.tolist(), up.tolist(), strict=True)
        )
        look = f'fill="{color}"' if filled else f'fill="none" stroke="{color}" stroke-width="1.9"'
        self.parts.append(f'<path d="{path}" {look} {DASHED if dashed else JOINED}/>')

    def ticks_of(self, values: np.ndarray, color: str) -> None:
        """A tick on the floor for each value: a handful of cells has no distribution."""
        floor = self.top + self.height
        self.parts += [
            rule(at, floor - 14, at, floor, color, 1.6) for at in self._across(values).tolist()
        ]

    def doses(self, row: int, when: np.ndarray, color: str, name: str) -> None:
        """Doses above the frame: one row a treatment, triangles or, where they are many, ticks; its name beside.

        Doses that fall on one place are counted beside it.
        """
        level = self.top - 8 - 13 * row
        places, times = np.unique(np.round(self._across(when)), return_counts=True)
        if len(places) <= 12:
            self.parts += [
                f'<path d="M{at - 4:.1f},{level - 4}h8l-4,7.5z" fill="{color}"/>'
                for at in places.tolist()
            ]
        else:
            self.parts += [rule(at, level - 4, at, level + 4, color, 1.3) for at in places.tolist()]
        end = self.left + self.width
        counts = [
            (at + 6, f"×{number}")
            for at, number in zip(places.tolist(), times.tolist(), strict=True)
            if number > 1
        ]
        self.parts += [
            words(at, level + 3.5, count, ink=color, size=9, halo=True) for at, count in counts
        ]
        places[times > 1] += 14
        gaps = np.diff(np.append(places, end))
        room = 5.8 * len(name) + 12
        fitting = np.flatnonzero(gaps > room)
        if fitting.size:
            self.parts.append(words(places[fitting[-1]] + 8, level + 3.5, name, ink=color))
        else:  # behind a halo, at the right end
            self.parts.append(words(end, level + 3.5, name, ink=color, end=True, halo=True))

    def note(self, text: str, color: str, row: int = 0) -> None:
        """Words in the upper left corner of the frame."""
        self.parts.append(
            words(self.left + 4, self.top + 11 + 13 * row, text, ink=color, halo=True)
        )

    def text(self) -> str:
        """The chart as SVG."""
        return "".join(self.parts) + "</g>"


def svg(width: float, height: float, charts: Sequence[Chart], title: str, extra: str = "") -> str:
    """Charts together as one picture under a title, to be put into a page."""
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}" '
    head += f'font-family="inherit" role="img" aria-label="{escape(title)}">'
    return (
        head
        + words(2, 14, title, size=13, ink=style.INK, bold=True)
        + "".join(map(Chart.text, charts))
        + extra
        + "</svg>"
    )


def rect(left: float, top: float, width: float, height: float, color: str) -> str:
    """A filled rectangle."""
    return f'<rect x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{color}"/>'


def rule(x0: float, y0: float, x1: float, y1: float, color: str = GRID, width: float = 0.9) -> str:
    """A straight line."""
    return f'<line x1="{x0:.1f}" y1="{y0:.1f}" x2="{x1:.1f}" y2="{y1:.1f}" stroke="{color}" stroke-width="{width}"/>'


def words(
    x: float,
    y: float,
    text: str,
    *,
    size: float = 10.5,
    ink: str = style.MUTED,
    end: bool = False,
    middle: bool = False,
    bold: bool = False,
    halo: bool = False,
) -> str:
    """A line of text."""
    anchor = ' text-anchor="end"' if end else ' text-anchor="middle"' if middle else ""
    weight = ' font-weight="700"' if bold else ""
    behind = ' stroke="#FFFFFF" stroke-width="3" paint-order="stroke"' if halo else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{ink}"{anchor}{weight}{behind}>{escape(text)}</text>'
