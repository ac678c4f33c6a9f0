"""Where the values of a swept parameter stand on an axis: side by side, linear or logarithmic, zero included."""

import textwrap
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator

from simulation.words import name_words, number_words

from ..words import value_words

FEW = 10
"""Up to so many different values are marked one by one."""
DECADES = 1.5
"""Values that span more than this stand on a logarithmic axis."""
CLOSE = 0.13
"""Marks nearer than this share of the axis would overlap."""


@dataclass(frozen=True)
class Ruler:
    """The places of values on an axis. ``listed`` values have a mark each; ``room`` is the least distance between them."""

    values: list[Any]
    listed: bool
    logarithmic: bool
    marks: np.ndarray
    room: float

    def places(self, column: pd.Series) -> np.ndarray:
        """Where these values stand."""
        if self.listed:
            return column.map(dict(zip(self.values, self.marks, strict=True))).to_numpy(float)
        values = column.to_numpy(float)
        return np.log10(values) if self.logarithmic else values

    def draw(self, axes: Axes) -> None:
        """Marks and limits on the horizontal axis."""
        if self.listed:
            room = max(34 // len(self.values), 6)
            words = [
                textwrap.fill(name_words(value_words(value)), room, break_long_words=False)
                for value in self.values
            ]
            axes.set_xticks(self.marks, words)
            if max(len(line) for word in words for line in word.split("\n")) > room:
                axes.tick_params(axis="x", labelrotation=35)
            axes.set_xlim(self.marks[0] - 0.6 * self.room, self.marks[-1] + 0.6 * self.room)
            return
        margin = 0.04 * (self.marks[-1] - self.marks[0])
        axes.set_xlim(self.marks[0] - margin, self.marks[-1] + margin)
        if self.logarithmic:
            low, high = 10 ** (self.marks[[0, -1]])
            ticks = LogLocator(subs=(1, 3) if high / low < 300 else (1,), numticks=6).tick_values(
                low, high
            )
            ticks = ticks[(ticks >= low * 0.999) & (ticks <= high * 1.001)]
            axes.set_xticks(np.log10(ticks), [number_words(tick) for tick in ticks])
        else:
            axes.xaxis.set_major_locator(MaxNLocator(nbins=5))
            axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number_words(value)))


def ruler(column: pd.Series) -> Ruler:
    """The ruler for a column of swept values: texts in order of appearance, numbers in order of size."""
    known = column.dropna()
    if not pd.api.types.is_numeric_dtype(known):
        numbers = pd.to_numeric(known, errors="coerce")
        if numbers.isna().any():
            names = list(dict.fromkeys(known))
            return Ruler(names, True, False, np.arange(len(names), dtype=float), 1.0)
        known = numbers
    values = np.unique(known.to_numpy(float))
    positive = values[values > 0]
    logarithmic = bool(
        values[0] >= 0 and positive.size > 1 and np.log10(positive[-1] / positive[0]) > DECADES
    )
    if values.size > FEW:  # drawn from a range: evenly over its logarithm, or evenly
        logarithmic &= bool(values[0] > 0 and np.median(values) < 0.25 * values[-1])
        marks = np.log10(values) if logarithmic else values
        return Ruler(values.tolist(), False, logarithmic, marks, 0.0)
    marks = values
    if logarithmic:
        marks = np.log10(positive)
        if values[0] == 0:
            marks = np.append(marks[0] - np.median(np.diff(marks)), marks)
    gaps = np.diff(marks)
    if gaps.size and gaps.min() < CLOSE * np.ptp(marks):
        marks, gaps = np.arange(values.size, dtype=float), np.ones(values.size - 1)
    return Ruler(values.tolist(), True, logarithmic, marks, float(gaps.min()) if gaps.size else 1.0)
