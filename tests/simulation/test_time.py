"""Time as runs count it: where a run ends has a row, no part of a step is lost, and a step is done as a whole or not at all."""

import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from simulation import Process, Treatment, TumorModel, interrupts
from simulation.errors import ModelError
from simulation.step import VERBS
from tests.simulation.test_reproducibility import assert_same_state, steps


class Counted(Treatment):
    """Measures how many tumour cells there are."""

    def measure(self, model):
        return {"cells": model.count("tumor_cell")}


def small(**keywords):
    return TumorModel(
        shape=(21, 21),
        **{
            "seed": 3,
            "tumor_cells": 80,
            "treatments": [Counted],
            "overrides": {"t_cell.initial_density": 100},
        }
        | keywords,
    )


def run(model, *days):
    for each in days:
        model.run(each, progress=False)
    return model


def recorded(model):
    return model.results.timeseries.to_csv(), model.results.measures.to_csv()


# ---------------------------------------------------------------- where a run ends


@pytest.mark.parametrize("dt", [1.0, 0.7, 0.25])
@pytest.mark.parametrize("days", [0.0, 0.03, 0.25, 0.9, 1.0, 1.1])
def test_the_end_of_a_run_has_a_row_and_just_one(days, dt):
    model = run(small(dt=dt), days)
    series, measured = model.results.timeseries, model.results.measures
    assert series["day"].iloc[-1] == model.day and series["day"].is_unique
    assert series["tumor_cells"].iloc[-1] == model.count("tumor_cell")
    pictures = model.results.snapshots
    assert [*pictures][-1] == model.day and pictures[model.day].counts()[
        "tumor_cell"
    ] == model.count("tumor_cell")
    if model.clock:
        assert measured["day"].iloc[-1] == model.day and measured["value"].iloc[-1] == model.count(
            "tumor_cell"
        )
        assert not measured[["day", "quantity"]].duplicated().any()


@pytest.mark.parametrize(
    "pieces", [(0.3, 0.6), (0.1,) * 9, (0.04, 0.46, 0.4), (0.75, 0.15), (0.9, 0.0)], ids=str
)
def test_a_run_in_pieces_forked_or_saved_in_between_records_what_one_run_does(pieces, tmp_path):
    whole, model = run(small(), 0.9), small()
    for number, days in enumerate(pieces):
        run(model, days).save(tmp_path / str(number))
        model = TumorModel.load(tmp_path / str(number))
    assert recorded(model) == recorded(whole)
    assert_same_state(model, whole, "pieces")
    assert recorded(steps(model, 4)) == recorded(steps(whole, 4)) == recorded(steps(small(), 26)), (
        "and as steps do"
    )
    assert recorded(run(model, 0.9)) == recorded(run(whole, 0.9))


# ---------------------------------------------------------------- parts of a step


@pytest.mark.parametrize(
    ("parts", "dt"), [(3, 1.0), (7, 1.0), (11, 1.0), (100, 1.0), (7, 0.7), (13, 5.0)]
)
def test_parts_of_a_day_add_up_to_the_day(parts, dt, tmp_path):
    model = small(dt=dt, immune_cells=False)
    for number in range(parts):
        run(model, 1 / parts)
        if number == 2:
            model.save(tmp_path / "model")
            model = TumorModel.load(tmp_path / "model")
        assert (
            abs(model.hours + model.owed - 24 * (number + 1) / parts) < 1e-9
            and abs(model.owed) <= dt / 2 + 1e-9
        )
    assert model.clock == round(24 / dt)


def test_a_fork_owes_what_its_origin_owes_and_growing_pays():
    model = run(small(immune_cells=False, treatments=()), 0.4 / 24)
    assert (model.clock, model.fork().owed) == (0, 0.4) and run(model.fork(), 0.2 / 24).hours == 1.0
    assert model.grow(cells=90, max_days=1).owed == 0.0


def test_until_names_the_day_on_which_a_run_ends_whatever_is_owed():
    model = small(immune_cells=False)
    for day in (0.4, 0.4, 0.9, 1.0):
        model.run(until=day, progress=False)
        assert model.clock == round(24 * day) and abs(model.day + model.owed / 24 - day) < 1e-9
    for mistake, words in (
        ({"until": 0.5}, "it is day 1 already"),
        ({}, "either days"),
        ({"days": 1, "until": 2}, "either days"),
        ({"until": float("nan")}, "until = nan is not allowed"),
        ({"days": -1}, "days = -1 is not allowed"),
    ):
        with pytest.raises(ModelError, match=words):
            model.run(progress=False, **mistake)


# ---------------------------------------------------------------- a step as a whole


class Break:
    """A process that sends this program a signal in a step, once."""

    def __init__(self, verb: str, at: int, number=signal.SIGINT):
        self.at, self.number = at, number
        self.process = Process("breaks", after=verb, run=self)

    def __call__(self, model):
        if model.clock == self.at + (self.process.after in ("settle", "measure")):
            self.at = -1
            signal.raise_signal(self.number)


class Impatient(TumorModel):
    """Does something of its own after each step."""

    own = 0

    def step(self):
        super().step()
        self.own += 1


@pytest.mark.parametrize("verb", VERBS)
def test_ctrl_c_in_a_step_has_its_effect_after_it(verb):
    """Wherever it comes: the step is done, once, and the model goes on as one that was never stopped."""
    whole = Impatient(shape=(21, 21), seed=3, tumor_cells=80)
    model = Impatient(shape=(21, 21), seed=3, tumor_cells=80, processes=[Break(verb, at=5).process])
    usual = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        model.run(1, progress=False)
    assert (model.clock, model.steps, model.own) == (6, 6, 6) and signal.getsignal(
        signal.SIGINT
    ) is usual
    assert_same_state(model, steps(whole, 6), "stopped")
    assert_same_state(steps(model, 10), steps(whole, 10), "gone on")
    assert recorded(model) == recorded(whole)


def test_a_step_by_hand_is_as_whole_and_sigterm_waits_too():
    class Stop(BaseException):
        pass

    def stop(number, frame):
        raise Stop

    usual = signal.signal(signal.SIGTERM, stop)
    try:
        model = small(processes=[Break("sense", at=2, number=signal.SIGTERM).process])
        with pytest.raises(Stop):
            steps(model, 10)
        assert model.clock == model.steps == 3 and signal.getsignal(signal.SIGTERM) is stop
        assert_same_state(model, steps(small(), 3), "stopped")
    finally:
        signal.signal(signal.SIGTERM, usual)


def test_a_snapshot_that_is_due_is_not_lost_to_ctrl_c():
    days = []
    for stopped in (False, True):
        model = small(processes=[Break("act", at=23 if stopped else -1).process])
        if stopped:
            with pytest.raises(KeyboardInterrupt):
                model.run(2, progress=False, snapshot_every=1)
        model.run(until=2, progress=False, snapshot_every=1)
        days.append([*model.results.snapshots])
    assert days[0] == days[1] == [0.0, 1.0, 2.0]


def test_a_run_that_is_stopped_owes_nothing():
    """The hours that were owed went into steps that are no longer asked for."""
    model = run(small(processes=[Break("act", at=3).process]), 0.4 / 24)
    assert model.owed == 0.4
    with pytest.raises(KeyboardInterrupt):
        run(model, 1)
    assert (model.clock, model.owed) == (4, 0.0) and run(model, 1).clock == 28


def test_a_guard_is_put_up_once_a_run(monkeypatch):
    """For every step it would cost more time than small steps take."""
    puts, put, model = [], signal.signal, small(immune_cells=False, treatments=())
    monkeypatch.setattr(
        signal, "signal", lambda number, handler: puts.append(number) or put(number, handler)
    )
    for days, what in (
        (1, model.run),
        (2, model.run),
        (1, lambda days, progress: model.grow(10**6, max_days=days)),
    ):
        puts.clear()
        what(days, progress=False)
        assert 2 <= len(puts) <= 2 * len(interrupts.STOPS), (
            "there and back, for each signal that has a handler"
        )


def test_a_signal_that_is_ignored_stays_ignored():
    usual = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert steps(small(processes=[Break("act", at=1).process]), 3).clock == 3
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, usual)


def test_a_model_runs_in_another_thread():
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(run, small(), 0.25).result().clock == 6
    assert threading.current_thread() is threading.main_thread()


def test_growing_that_is_stopped_leaves_a_model_that_grows_on():
    whole, model = (small(treatments=(), processes=[Break("act", at=at).process]) for at in (-1, 3))
    with pytest.raises(KeyboardInterrupt):
        model.grow(cells=1000, max_days=1, immune_cells=False)
    assert model.immune_cells and model.clock == 4
    model.grow(cells=1000, max_days=1 - model.hours / 24, immune_cells=False)
    assert_same_state(model, whole.grow(cells=1000, max_days=1, immune_cells=False), "grown on")
    assert model.counts() == whole.counts() and recorded(model) == recorded(whole)
