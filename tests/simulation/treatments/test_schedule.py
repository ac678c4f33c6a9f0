"""Schedules: doses fall where the words say, windows never lose one, and drug levels are exact integrals."""

import itertools
import json
import math
import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from simulation.treatments.schedule import Schedule, ScheduleError, level, mean_level

DAY, WEEK = 24.0, 168.0
INTERLEUKIN = Schedule(every="8 hours", times=14, rest="9 days", cycles=2)
INTERFERON = Schedule(
    every="1 day",
    times=5,
    rest="3 days",
    cycles=4,
    then=Schedule(every="2 days", times=3, rest="3 days", cycles=48),
)


def test_an_antibody_every_three_weeks():
    assert Schedule(every="3 weeks").dose_times(9 * WEEK) == [0, 3 * WEEK, 6 * WEEK, 9 * WEEK]
    assert Schedule(every=21, times=2).dose_times(99 * WEEK) == [0, 3 * WEEK]
    assert Schedule(every=21, first="36 hours").dose_times(22 * DAY) == [36]


def test_a_single_dose():
    assert Schedule().dose_times(1e6) == [0] and Schedule(first=2).dose_times(1e6) == [48]
    assert Schedule().due(0, 1) == 1 and Schedule().due(1, 2) == 0 and Schedule().due(-5, 0) == 0
    assert Schedule(rest="3 weeks", cycles=3).dose_times(1e6) == [0, 3 * WEEK, 6 * WEEK]


def test_interleukin_2_in_two_cycles_with_nine_days_of_rest():
    doses = INTERLEUKIN.dose_times(1e6)
    assert len(doses) == 28 and doses[13] == 13 * 8 and doses[14] - doses[13] == 9 * DAY


def test_interferon_five_days_a_week_then_three_times_a_week():
    doses = INTERFERON.dose_times(1e6)
    assert len(doses) == 20 + 144
    assert [hour / DAY for hour in doses[:6]] == [0, 1, 2, 3, 4, 7]
    assert [hour / DAY - 28 for hour in doses[20:25]] == [0, 2, 4, 7, 9]


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("q3w", "3 weeks"),
        ("Q2W", "2 weeks"),
        ("q8h", "8 hours"),
        ("q21d", "3 weeks"),
        ("bid", "12 hours"),
        ("daily", "1 day"),
        ("weekly", "1 week"),
        (np.int64(21), "3 weeks"),
        (np.float32(0.5), "12 hours"),
    ],
)
def test_durations_as_papers_and_arrays_write_them(short, long):
    assert Schedule(every=short) == Schedule(every=long)
    assert Schedule.from_dict({"every": 1, "times": 2, "rest": short}) == Schedule(
        every=1, times=2, rest=long
    )


@pytest.mark.parametrize(
    "days",
    [[0, 7, 21], (0, 7, 21), np.array([0, 7, 21]), pd.Series([0, 7, 21]), [0, "1 week", "q3w"]],
)
def test_doses_on_days_that_are_named(days):
    named = Schedule(days=days)
    assert (
        named.dose_times(1e5) == [0, 7 * DAY, 21 * DAY]
        and named.due(0, 7 * DAY) == 1
        and named.due(7 * DAY, 22 * DAY) == 2
    )
    assert str(named) == "on days 0, 7, 21" and hash(named) == hash(Schedule(days=[0, 7, 21]))
    assert Schedule.from_dict(json.loads(json.dumps(named.to_dict()))) == named
    assert Schedule(days=days, first=2).dose_times(1e5) == [48, 9 * DAY, 23 * DAY]
    after = Schedule(days=days, rest="q3w", then=Schedule(every="q3w", times=2))
    assert [hour / DAY for hour in after.dose_times(1e5)] == [0, 7, 21, 42, 63]


def test_a_step_asks_for_its_own_doses_only():
    """Doses of one hour cost the same whether ten or ten million came before."""
    hourly, year = Schedule(every="1 hour"), 24.0 * 365
    assert hourly.between(year, year + 2) == [year, year + 1]
    assert hourly.between(1000 * year, 1000 * year + 1) == [1000 * year]


def test_cycles_may_go_on_for_ever():
    assert (
        len(Schedule(every=1, times=21, rest=8, cycles=None).dose_times(28 * 10 * DAY - 1)) == 210
    )
    assert (
        Schedule(every=1, times=21, rest=8, cycles="for ever").due(0, 28 * DAY * 10**6)
        == 21 * 10**6
    )


durations = st.one_of(
    st.integers(1, 30), st.floats(0.05, 40), st.sampled_from(["8 hours", "3 weeks", "0.1 days"])
)


@st.composite
def schedules(draw, follow=True):
    return Schedule(
        every=draw(durations),
        times=draw(st.integers(1, 6)),
        rest=draw(durations),
        cycles=draw(st.integers(1, 4)),
        first=draw(st.floats(0, 5)),
        then=draw(st.none() | schedules(follow=False)) if follow else None,
    )


@settings(max_examples=150, deadline=None)
@given(schedules(), st.lists(st.floats(0, 5000), min_size=1, max_size=8))
def test_adjoining_windows_share_no_dose_and_lose_none(schedule, cuts):
    doses = schedule.dose_times(1e5)
    assert doses == sorted(doses)
    edges = sorted({0.0, *cuts, *doses, 1e5})
    for start, end in itertools.pairwise(edges):
        assert schedule.due(start, end) == sum(start <= hour < end for hour in doses)


@given(schedules())
def test_a_schedule_survives_a_file(schedule):
    again = Schedule.from_dict(json.loads(json.dumps(schedule.to_dict())))
    assert (
        again == schedule
        and hash(again) == hash(schedule)
        and again.dose_times(1e4) == schedule.dose_times(1e4)
    )
    assert eval(repr(schedule)) == schedule and pickle.loads(pickle.dumps(schedule)) == schedule


def test_equal_regimens_are_equal_however_written():
    assert (
        Schedule(every="3 weeks")
        == Schedule(every=21)
        == Schedule(every="504 hours")
        != Schedule(every=20)
    )
    forever = Schedule(every=1, times=5, rest=2, cycles=None)
    assert (
        Schedule.from_dict(forever.to_dict()) == forever
        and forever.to_dict()["cycles"] == "for ever"
    )


@pytest.mark.parametrize("schedule, words", [
    (Schedule(), "a single dose"),
    (Schedule(every="3 weeks"), "every 3 weeks"),
    (Schedule(every=1, times=4), "every day x 4"),
    (Schedule(rest="3 weeks", cycles=4), "a dose every 3 weeks x 4"),
    (INTERLEUKIN, "every 8 hours x 14, again 9 days after the last dose, 2 cycles"),
    (Schedule(every="90 minutes", first=2), "after 2 days: every 1.5 hours"),
    (Schedule(every=7, times=2, then=Schedule(every="4 weeks")), "every week x 2; 1 week later every 4 weeks"),
])  # fmt: skip
def test_plain_words(schedule, words):
    assert str(schedule) == words


@pytest.mark.parametrize("table, message", [
    ({"every": "3 fortnights"}, "every = '3 fortnights'"), ({"every": 0}, "an hour or more"), ({"every": -1}, "= -1"),
    ({"every": math.nan}, "every = nan"), ({"every": math.inf}, "every = inf"), ({"every": True}, "every = True"),
    ({"every": "1 mg"}, "must be a duration"), ({"first": -1}, "not before the start of treatment"),
    ({"times": 3}, "need every"), ({"every": 1, "times": 0}, "times = 0"), ({"every": 1, "times": 2.5}, "times = 2.5"),
    ({"every": 1, "times": 2, "cycles": 2}, "needs rest"), ({"every": 1, "rest": 2}, "needs times"),
    ({"every": 1, "then": {}}, "needs times"), ({"then": {}}, "when it starts"), ({"evry": 1}, "did you mean 'every'?"),
    ({"every": 1, "times": 2, "then": 3}, "schedule = 3"), ("weekly", "must be a table"),
    ({"cycles": None, "rest": 1, "then": {}}, "number of cycles"), ({"every": "1 minute"}, "an hour or more"),
    ({"every": "q3"}, "must be a duration"), ({"every": "q0w"}, "an hour or more"), ({"days": "0, 7"}, "a list such as"),
    ({"days": 7}, "a list such as"), ({"days": []}, "in order"), ({"days": [7, 0]}, "in order"), ({"days": [0, 0]}, "in order"),
    ({"days": [-1, 0]}, "days = -1"), ({"days": [0, "soon"]}, "days = 'soon'"), ({"days": [0], "every": 1}, "are left out"),
    ({"days": [0], "times": 2}, "are left out"), ({"days": [0], "rest": 2}, "are left out"),
    ({"days": [0], "cycles": 2}, "are left out"),
])  # fmt: skip
def test_an_impossible_schedule_is_refused_in_one_sentence(table, message):
    with pytest.raises(ScheduleError) as refusal:
        Schedule.from_dict(table)
    assert message in str(refusal.value) and "\n" not in str(refusal.value)


def test_a_schedule_cannot_be_changed():
    with pytest.raises(AttributeError):
        INTERLEUKIN.times = 3


def test_an_endless_list_of_doses_is_refused():
    with pytest.raises(ScheduleError, match="finite"):
        Schedule(every=1).dose_times(math.inf)


def test_the_level_halves_in_a_half_life_and_doses_add():
    assert level([(0, 8.0)], 2, 1) == pytest.approx(2)
    assert level([(0, 8.0), (1, 4.0), (5, 9.0)], 2, 1) == pytest.approx(4)
    assert (
        level([(3, 1.0)], 2, 1) == 0
        and level([(3, 1.0)], 3, 1) == 1
        and level([(0, 1.0)], 9, math.inf) == 1
    )


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(-40, 40), st.floats(0, 100)), max_size=6),
    st.integers(-20, 20),
    st.integers(1, 30),
    st.floats(0.3, 700),
)
def test_the_mean_level_is_the_integral_of_the_level(doses, start, hours, half_life):
    jumps = sorted(
        {start, start + hours, *(hour for hour, _ in doses if start < hour < start + hours)}
    )
    expected = (
        sum(
            quad(lambda at: level(doses, at, half_life), low, high - 1e-12, limit=200)[0]
            for low, high in itertools.pairwise(jumps)
        )
        / hours
    )
    mean = mean_level(doses, start, start + hours, half_life)
    assert mean == pytest.approx(expected, rel=1e-6, abs=1e-9)
    assert mean == mean_level(doses[::-1], start, start + hours, half_life)


def test_steady_state_of_an_antibody():
    doses = [(hour, 1.0) for hour in Schedule(every="3 weeks").dose_times(3 * WEEK * 60)]
    mean = mean_level(doses, 3 * WEEK * 59, 3 * WEEK * 60, 22 * DAY)
    assert mean == pytest.approx(22 / math.log(2) / 21, rel=1e-9)


def test_impossible_levels_are_refused():
    with pytest.raises(ScheduleError, match="half_life"):
        level([], 0, 0)
    with pytest.raises(ScheduleError, match="must come after"):
        mean_level([], 1, 1, 1)
