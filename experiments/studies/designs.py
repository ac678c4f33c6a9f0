"""Designs: from the ranges of some parameters to the list of points that a study runs."""

import importlib
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, cast

import numpy as np
from scipy.stats import qmc

from simulation.errors import TumorLabError
from simulation.parameters.given import number, plain, quoted, whole_number
from simulation.words import number_words

DESIGNS = ("grid", "latin_hypercube", "sobol", "morris", "saltelli")
MOST_POINTS = 1_000_000
LEVELS = 4
"""Levels of a Morris design: an elementary effect is a step over two thirds of the range."""
DIGITS = 12


class DesignError(TumorLabError):
    """A design that cannot be made; the message is one sentence naming the parameter and what is allowed."""


@dataclass(frozen=True)
class Axis:
    """One varied parameter: a list of ``values``, or a range from ``low`` to ``high`` in the parameter's own unit.

    ``scale`` is ``"linear"`` or ``"log"``; ``steps`` is for a grid; an ``integer`` axis takes whole numbers only.
    Raises DesignError when nothing can vary.
    """

    name: str
    values: Sequence[Any] | None = None
    low: float | None = None
    high: float | None = None
    scale: str = "linear"
    steps: int | None = None
    integer: bool = False
    unit: str = ""
    meaning: str = ""

    def __post_init__(self) -> None:
        for name in ("values", "low", "high", "steps"):
            object.__setattr__(self, name, plain(getattr(self, name)))
        if self.values is not None:
            self._check_values(self.values)
        else:
            self._check_range()

    @property
    def key(self) -> str:
        """Where it stands in a file."""
        return f"vary.{self.name}"

    @property
    def ends(self) -> tuple[float, float]:
        """Low and high of a range, which a list does not have."""
        return cast(tuple[float, float], (self.low, self.high))

    @property
    def words(self) -> str:
        """Its list or range, for a reader."""
        if self.values is not None:
            return ", ".join(
                value if isinstance(value, str) else number_words(float(value))
                for value in self.values
            )
        steps = f", {self.steps} steps" if self.steps else ""
        low, high = self.ends
        return f"{number_words(low)} to {number_words(high)}{' (logarithmic)' if self.scale == 'log' else ''}{steps}"

    def _check_values(self, values: Sequence[Any]) -> None:
        if self.low is not None or self.high is not None or self.steps is not None:
            raise DesignError(
                "give either a list of values or low and high, not both", key=self.key
            )
        if not len(values):
            raise DesignError(
                "the list of values is empty; it must hold at least one", key=self.key
            )
        if any(value in values[:place] for place, value in enumerate(values)):
            raise DesignError(
                f"{self.key} = {quoted(values)}: a value stands there twice", key=self.key
            )

    def _check_range(self) -> None:
        for end, other in (("low", "high"), ("high", "low")):
            value = getattr(self, end)
            if value is None:
                wrong = (
                    "it varies nothing"
                    if getattr(self, other) is None
                    else f"{other} is given and {end} is missing"
                )
                raise DesignError(f"{wrong}; give a list of values, or low and high", key=self.key)
            if (found := number(value)) is None or not math.isfinite(found):
                raise DesignError(
                    f"{end} = {quoted(value)} is not allowed; it must be a finite number",
                    key=self.key,
                )
        low, high = self.ends
        if not low < high:
            raise DesignError(f"low = {low:g} must be below high = {high:g}", key=self.key)
        if self.scale not in ("linear", "log"):
            raise DesignError(
                f"scale = {self.scale!r} is not allowed; it must be 'linear' or 'log'", key=self.key
            )
        if self.scale == "log" and low <= 0:
            raise DesignError(
                f"low = {low:g} is not allowed with scale = 'log'; it must be above 0",
                key=self.key,
            )
        if self.steps is not None:
            if (steps := whole_number(self.steps)) is None or steps < 2:
                raise DesignError(
                    f"steps = {quoted(self.steps)} is not allowed; it must be a whole number of at least 2",
                    key=self.key,
                )
            object.__setattr__(self, "steps", steps)
        if self.integer and math.ceil(low) >= math.floor(high):
            raise DesignError(
                f"there are no two whole numbers between {low:g} and {high:g}",
                key=self.key,
            )

    def value(self, position: float) -> float | int:
        """The value at a position from 0 (low, or the first of the list) to 1 (high, or the last)."""
        if self.values is not None:
            return self.values[
                min(int(round(position * len(self.values), DIGITS)), len(self.values) - 1)
            ]
        low, high = self.ends
        log = self.scale == "log"
        value = low * (high / low) ** position if log else low + (high - low) * position
        if self.integer:
            return min(max(round(value), math.ceil(low)), math.floor(high))
        return min(max(float(f"{value:.{DIGITS}g}"), float(low)), float(high))

    def position(self, value: float) -> float:
        """The position of a value between 0 and 1; the inverse of ``value`` but for rounding."""
        if self.values is not None:
            return list(self.values).index(value) / max(len(self.values) - 1, 1)
        low, high = self.ends
        if self.scale == "log":
            return math.log(value / low) / math.log(high / low)
        return (value - low) / (high - low)

    def levels(self) -> list[Any]:
        """The values of this axis in a grid; raises DesignError for a range without steps."""
        if self.values is not None:
            return list(self.values)
        if self.steps is None:
            raise DesignError(
                "a grid needs steps beside low and high, such as steps = 4, or a list of values",
                key=self.key,
            )
        return list(
            dict.fromkeys(self.value(step / (self.steps - 1)) for step in range(self.steps))
        )


def points(
    design: str, axes: Sequence[Axis], samples: int = 64, seed: int = 1
) -> list[dict[str, float | int]]:
    """The points of a design, parameter name -> value, in design order; the same seed gives the same points.

    ``samples`` is the number of points of a Latin hypercube or Sobol sequence, of trajectories of a Morris design
    (each of one point more than there are axes), or N of a Saltelli design of N (axes + 2) points; a grid ignores it.
    A point on which two samples fall is there once; but Morris and Saltelli designs keep the order in which SALib analyses
    them, and may hold a point twice.
    Raises DesignError.
    """
    axes, samples, seed = list(axes), plain(samples), plain(seed)
    _check(design, axes, samples)
    if design == "grid":
        names = [axis.name for axis in axes]
        return [
            dict(zip(names, values, strict=True))
            for values in itertools.product(*(axis.levels() for axis in axes))
        ]
    positions = _positions(design, axes, cast(int, whole_number(samples)), seed)
    found = [
        {axis.name: axis.value(place) for axis, place in zip(axes, row, strict=True)}
        for row in positions.tolist()
    ]
    return (
        found
        if design in ("morris", "saltelli")
        else list({tuple(point.values()): point for point in found}.values())
    )


def problem(axes: Sequence[Axis]) -> dict[str, Any]:
    """The axes as SALib describes them, every range scaled to 0...1."""
    return {
        "num_vars": len(axes),
        "names": [axis.name for axis in axes],
        "bounds": [[0.0, 1.0]] * len(axes),
    }


def salib(method: str) -> ModuleType:
    """A module of SALib, such as ``sample.morris``; raises DesignError where SALib is not installed."""
    try:
        return importlib.import_module(f"SALib.{method}")
    except ImportError:
        raise DesignError(
            'a Morris or Saltelli design needs SALib: pip install "tumorlab[research]"'
        ) from None


def _check(design: str, axes: list[Axis], samples: int) -> None:
    """Raise DesignError when a design would have no point, too many, or points that its method cannot use."""
    if design not in DESIGNS:
        raise DesignError(
            f"design = {design!r} is not allowed; it must be one of {', '.join(DESIGNS)}",
            key="design",
        )
    if not axes:
        raise DesignError("the design is empty: [vary] must name at least one parameter")
    names = [axis.name for axis in axes]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise DesignError(
            f"vary.{twice} is named twice; each parameter may vary once", key=f"vary.{twice}"
        )
    if design != "grid":
        for axis in axes:
            if axis.steps is not None:
                raise DesignError(
                    f"steps is for a grid; leave it out of a {design} design", key=axis.key
                )
            if axis.values is not None and len(axis.values) < 2:
                raise DesignError(
                    f"one value varies nothing in a {design} design; put it under [set]",
                    key=axis.key,
                )
        whole, least = whole_number(samples), 2 if design == "morris" else 1
        if whole is None or whole < least:
            raise DesignError(
                f"samples = {quoted(samples)} is not allowed; it must be a whole number of at least {least}",
                key="samples",
            )
        samples = whole
        if design in ("sobol", "saltelli") and samples & (samples - 1):
            below = 1 << samples.bit_length() - 1
            raise DesignError(
                f"samples = {samples} is not allowed; a {design} design is balanced only with a power of two, "
                f"such as {below} or {2 * below}",
                key="samples",
            )
    if (count := size(design, axes, samples)) > MOST_POINTS:
        raise DesignError(
            f"the {design} design has {count:,} points; at most {MOST_POINTS:,} are allowed"
        )


def size(design: str, axes: Sequence[Axis], samples: int = 64) -> int:
    """How many points a design has, told without making them."""
    match design:
        case "grid":
            return math.prod(
                len(axis.values) if axis.values is not None else axis.steps or 1 for axis in axes
            )
        case "morris":
            return samples * (len(axes) + 1)
        case "saltelli":
            return samples * (len(axes) + 2)
    return samples


def _positions(design: str, axes: list[Axis], samples: int, seed: int) -> np.ndarray:
    """Points x axes, each between 0 and 1."""
    if design == "latin_hypercube":
        return qmc.LatinHypercube(len(axes), seed=np.random.default_rng(seed)).random(samples)
    if design == "sobol":
        return qmc.Sobol(len(axes), scramble=True, seed=np.random.default_rng(seed)).random(samples)
    if design == "morris":
        return salib("sample.morris").sample(problem(axes), samples, num_levels=LEVELS, seed=seed)
    return salib("sample.sobol").sample(problem(axes), samples, calc_second_order=False, seed=seed)
