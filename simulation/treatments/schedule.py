"""When doses are given, and how much of a drug is left afterwards."""

import itertools
import math
import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

from ..errors import TumorLabError
from ..parameters.given import quoted, real, whole_number
from ..parameters.parameter import nearest
from ..parameters.units import HOURS, UNITS, split

FOR_EVER = "for ever"
LONGEST = 24.0 * 36525  # a hundred years, in hours
MOST_DOSES = 1_000_000
WORDS = {
    "daily": "1 day",
    "qd": "1 day",
    "bid": "12 hours",
    "tid": "8 hours",
    "weekly": "1 week",
    "qw": "1 week",
}


class ScheduleError(TumorLabError):
    """A schedule that cannot be followed; the message is one sentence."""


@dataclass(frozen=True, repr=False)
class Schedule:
    """Doses in cycles: ``times`` doses ``every`` so often, a ``rest``, so many ``cycles``, ``then`` another schedule.

    Durations are texts (``"3 weeks"``, ``"8 hours"``, ``"q3w"``) or numbers of days. ``rest`` is the time from the last dose of a
    cycle to the first of the next. ``every=None`` is one dose a cycle; ``times=None`` goes on for ever, and so does
    ``cycles=None`` (``"for ever"`` in files). ``first`` delays the first dose. The first dose of ``then`` comes a
    ``rest`` (without one, an ``every``) after the last dose. ``days=[0, 7, 21]`` names each dose instead. Raises
    ScheduleError.

    >>> Schedule(every="q3w", times=4)
    Schedule(every='3 weeks', times=4)
    >>> print(Schedule(days=[0, 7, 21]))
    on days 0, 7, 21
    """

    every: str | float | None = None
    times: int | None = None
    rest: str | float | None = None
    cycles: int | str | None = 1
    first: str | float = 0
    then: "Schedule | None" = None
    days: Sequence[str | float] | None = None

    def __post_init__(self) -> None:
        if self.days is not None:
            self._check_days(self.days)
        for name in ("every", "rest", "first"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, _text(_hours(getattr(self, name), name)))
        object.__setattr__(self, "cycles", None if self.cycles == FOR_EVER else self.cycles)
        for name in ("times", "cycles"):
            count = getattr(self, name)
            if count is None:
                continue
            found = whole_number(count)
            if found is None or not 1 <= found <= MOST_DOSES:
                raise ScheduleError(
                    f"{name} = {quoted(count)} must be a whole number, 1 or more, at most {MOST_DOSES}",
                    key="schedule",
                )
            object.__setattr__(self, name, found)
        if self.every is None and self.times not in (None, 1):
            raise ScheduleError(
                f"{self.times} doses need every, the time between them", key="schedule"
            )
        if self.days is None and self.rest is None and self.cycles != 1:
            raise ScheduleError(
                "more than one cycle needs rest, the time from its last dose to the next",
                key="schedule",
            )
        if (
            self.every is not None
            and self.times is None
            and not (self.rest is None and self.then is None)
        ):
            raise ScheduleError(
                "rest or then needs times, as without it the doses of a cycle never end",
                key="schedule",
            )
        if self.then is not None:
            if not isinstance(self.then, Schedule):
                raise ScheduleError(
                    f"then = {quoted(self.then)} must be a Schedule", key="schedule"
                )
            if self.cycles is None or (self.rest is None and self.every is None):
                raise ScheduleError(
                    "then needs a number of cycles, and rest or every to say when it starts",
                    key="schedule",
                )

    def _check_days(self, days: Sequence[str | float]) -> None:
        if isinstance(days, str) or (
            not isinstance(days, Sequence) and not hasattr(days, "tolist")
        ):
            raise ScheduleError(
                f"days = {quoted(days)} must be a list such as [0, 7, 21]", key="schedule"
            )
        hours = [_hours(day, "days") for day in days]
        if not hours or any(later <= earlier for earlier, later in itertools.pairwise(hours)):
            raise ScheduleError(
                f"days = {quoted(days)} must be in order, each once, as in [0, 7, 21]",
                key="schedule",
            )
        if (
            self.every is not None
            or self.times is not None
            or self.cycles != 1
            or (self.then is None and self.rest is not None)
        ):
            raise ScheduleError(
                "days names every dose, so every, times, cycles and rest are left out",
                key="schedule",
            )
        object.__setattr__(self, "days", tuple(hour / 24.0 for hour in hours))

    @classmethod
    def from_dict(cls, table: "Schedule | dict[str, Any]") -> "Schedule":
        """The schedule of a table (TOML or JSON) with the keywords of the constructor."""
        if isinstance(table, Schedule):
            return table
        if not isinstance(table, dict):
            raise ScheduleError(
                f'schedule = {quoted(table)} must be a table such as {{ every = "3 weeks", times = 4 }}',
                key="schedule",
            )
        names = [field.name for field in fields(cls)]
        for name in table:
            if name not in names:
                raise ScheduleError(
                    f"there is no {quoted(name)}{nearest(name, names)}", key="schedule"
                )
        return cls(
            **{**table, "then": cls.from_dict(table["then"])}
            if table.get("then") is not None
            else table
        )

    def to_dict(self) -> dict[str, Any]:
        """The keywords that differ from their default, as texts and whole numbers only."""
        values = {each.name: (getattr(self, each.name), each.default) for each in fields(self)}
        table = {name: value for name, (value, default) in values.items() if value != default}
        if self.first == "0 days":
            del table["first"]
        if self.days is not None:
            table["days"] = list(self.days)
        if "cycles" in table and self.cycles is None:
            table["cycles"] = FOR_EVER
        if self.then is not None:
            table["then"] = self.then.to_dict()
        return table

    def dose_times(self, until: float) -> list[float]:
        """Hours after the start of treatment of the doses given up to and including ``until``."""
        if not math.isfinite(until):
            raise ScheduleError(
                f"until = {quoted(until)} must be a finite number of hours", key="dose_times"
            )
        return self.between(-math.inf, math.nextafter(until, math.inf))

    def between(self, start: float, end: float) -> list[float]:
        """Hours after the start of treatment of the doses given at or after ``start`` and before ``end``."""
        return [
            each._time(first, number)
            for first, each in self._parts
            for number in range(each._count(first, start), each._count(first, end))
        ]

    def due(self, start: float, end: float) -> int:
        """Number of doses at or after hour ``start`` and before hour ``end``."""
        return sum(
            max(0, each._count(first, end) - each._count(first, start))
            for first, each in self._parts
        )

    def __str__(self) -> str:
        if self.days is not None:
            words = f"on {'day' if len(self.days) == 1 else 'days'} {', '.join(f'{day:g}' for day in self.days)}"
        elif self.every is None:
            words = "a single dose" if self.cycles == 1 else f"a dose every {_every(self.rest)}"
            words += "" if self.cycles in (1, None) else f" x {self.cycles}"
        else:
            words = f"every {_every(self.every)}" + (
                "" if self.times is None else f" x {self.times}"
            )
            if self.cycles != 1:
                cycles = FOR_EVER if self.cycles is None else f"{self.cycles} cycles"
                words += f", again {self.rest} after the last dose, {cycles}"
        if self.first != "0 days":
            words = f"after {self.first}: {words}"
        return (
            words if self.then is None else f"{words}; {self.rest or self.every} later {self.then}"
        )

    def __repr__(self) -> str:
        shown = {name: getattr(self, name) for name in self.to_dict()}
        return f"Schedule({', '.join(f'{name}={value!r}' for name, value in shown.items())})"

    @cached_property
    def _parts(self) -> list[tuple[float, "Schedule"]]:
        """This schedule and those that follow, each with the hour of its first dose."""
        start = _hours(self.first, "first")
        if self.then is None:
            return [(start, self)]
        pause = self._time(start, self._total - 1) + _hours(self.rest or self.every, "rest")
        return [(start, self), *((pause + later, part) for later, part in self.then._parts)]

    @cached_property
    def _total(self) -> float:
        """Number of doses, without those of ``then``."""
        if self.days is not None:
            return len(self.days)
        if self.cycles is None or (self.every is not None and self.times is None):
            return math.inf
        return int(self.cycles) * (self.times or 1)

    @cached_property
    def _steps(self) -> tuple[float, float, float]:
        """Doses in a cycle, hours between them, hours from cycle to cycle."""
        every = _hours(self.every, "every") if self.every is not None else 0.0
        times = math.inf if self.times is None and self.every is not None else (self.times or 1)
        rest = _hours(self.rest, "rest") if self.rest is not None else math.inf
        return times, every, (times - 1) * every + rest

    def _time(self, start: float, number: float) -> float:
        """Hour of one dose, the first being number 0."""
        if self.days is not None:
            return start + 24.0 * float(self.days[int(number)])
        times, every, cycle = self._steps
        if number < times:
            return start + number * every
        return start + (number // times) * cycle + (number % times) * every

    def _count(self, start: float, before: float) -> int:
        """Number of doses before an hour."""
        if before <= start:
            return 0
        if self.days is not None:
            return bisect_left(self.days, before, key=lambda day: start + 24.0 * float(day))
        times, every, cycle = self._steps
        whole = 0 if cycle == math.inf else math.floor((before - start) / cycle)
        left = before - start - (whole * cycle if whole else 0.0)
        guess = (whole * times if whole else 0) + (
            min(times, math.ceil(left / every)) if every else 1
        )
        count = int(min(guess, self._total))
        # Division rounds: the hour of each dose decides, so that adjoining windows never share or lose one.
        while count > 0 and self._time(start, count - 1) >= before:
            count -= 1
        while count < self._total and self._time(start, count) < before:
            count += 1
        return count


def level(doses: list[tuple[float, float]], at: float, half_life: float) -> float:
    """Sum at hour ``at`` of doses ``(hour, amount)`` that decay with a half-life in hours."""
    rate = _decay(half_life)
    return math.fsum(amount * math.exp(-rate * (at - hour)) for hour, amount in doses if hour <= at)


def mean_level(
    doses: list[tuple[float, float]], start: float, end: float, half_life: float
) -> float:
    """Mean of :func:`level` over the hours from ``start`` to ``end``: the exact integral, not a sample."""
    if end <= start:
        raise ScheduleError(f"end = {end!r} must come after start = {start!r}", key="mean_level")
    rate = _decay(half_life)
    exposures = []
    for hour, amount in doses:
        since = max(hour, start)
        if since < end:
            hours = end - since
            integral = -math.expm1(-rate * hours) / rate if rate else hours
            exposures.append(amount * math.exp(-rate * (since - hour)) * integral)
    return math.fsum(exposures) / (end - start)


def _decay(half_life: float) -> float:
    if not half_life > 0:
        raise ScheduleError(
            f"half_life = {quoted(half_life)} must be a positive number of hours", key="half_life"
        )
    return math.log(2) / half_life


def _hours(duration: str | float | None, name: str) -> float:
    """Hours of a duration; zero is allowed for ``first`` and ``days`` only."""
    lowest = (
        0.0 if name in ("first", "days") else HOURS["hour"]
    )  # every dose is remembered: more would cost more and more
    hours = math.nan
    if isinstance(duration, str):
        word = duration.strip().lower()
        short = re.fullmatch(r"q(\d+)([hdw])", word)
        duration = f"{short[1]} {short[2]}" if short else WORDS.get(word, duration)
        number, unit = split(duration) or (math.nan, "")
        hours = number * HOURS.get(unit or "day", math.nan)
    else:
        hours = real(duration) * HOURS["day"]
    if not lowest <= hours <= LONGEST:
        least = (
            "not before the start of treatment" if name in ("first", "days") else "an hour or more"
        )
        raise ScheduleError(
            f'{name} = {quoted(duration)} must be a duration such as "3 weeks", "q3w" or a '
            f"number of days, {least}",
            key="schedule",
        )
    return hours


def _text(hours: float) -> str:
    """The one way to write a duration, so that equal schedules compare equal."""
    for unit in ("week", "day"):
        number = hours / UNITS[unit].factor
        if number == int(number) and (number or unit == "day"):
            return f"{int(number)} {unit}{'' if number == 1 else 's'}"
    return f"{int(hours) if hours == int(hours) else hours!r} hour{'' if hours == 1 else 's'}"


def _every(duration: str | float | None) -> str:
    """A duration after the word every: ``day``, not ``1 day``."""
    return str(duration).removeprefix("1 ")
