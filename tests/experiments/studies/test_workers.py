"""Worker processes: whenever and however often they are killed, every run is computed; where none can live, a sentence."""

import errno
import math
import operator
import os
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress

import psutil
import pytest

from experiments.studies import executors, workers
from experiments.studies.archive import StudyError
from experiments.studies.runner import complete
from tests.studies import counting


@pytest.fixture(autouse=True)
def no_loops(monkeypatch):
    """Nothing here needs the model's loops compiled."""
    monkeypatch.setattr(executors, "compile_loops", lambda: None)


def slowly(code: int) -> None:
    """End this process a while after its pipe."""
    os.closerange(3, 256)
    time.sleep(0.3)
    os._exit(code)


def killing(number: int, age: float, killed: list[int]) -> threading.Thread:
    """Kill that many worker processes of this one, each when it is ``age`` seconds old."""

    def kill():
        deadline = time.monotonic() + 60
        while len(killed) < number and time.monotonic() < deadline:
            for child in psutil.Process().children():
                try:
                    old = time.time() - child.create_time() >= age
                    if (
                        old
                        and child.pid not in killed
                        and "spawn_main" in " ".join(child.cmdline())
                    ):
                        child.kill()
                        killed.append(child.pid)
                        break
                except psutil.NoSuchProcess:
                    pass
            time.sleep(0.005)

    thread = threading.Thread(target=kill, daemon=True)
    thread.start()
    return thread


def test_workers_killed_at_once_are_begun_anew_and_cost_a_study_no_run(tmp_path):
    killed: list[int] = []
    killing(3, 0.2, killed)
    summary = complete(counting(), tmp_path, workers=2)
    assert len(killed) >= 2, "workers were killed"
    assert (summary.failed, summary.missing, len(summary.tables["outcomes"])) == (0, 0, 12)


def test_what_dies_before_it_computes_counts_against_no_run(tmp_path):
    """Of two runs one at least would have lost more workers than a run may."""
    killed: list[int] = []
    thread = killing(8, 0.02, killed)
    summary = complete(counting(points=1), tmp_path, workers=2)
    thread.join(60)
    assert len(killed) == 8 > 2 * executors.TRIES and (summary.failed, summary.missing) == (0, 0)


@pytest.mark.parametrize("age", [0.0, 0.02, 0.05])
def test_a_worker_killed_at_any_moment_of_its_start_costs_nothing(age):
    killed: list[int] = []
    thread, pool = killing(8, age, killed), workers.Processes(2)
    try:
        while thread.is_alive():
            results = [pool.submit(operator.add, number, 1) for number in range(2)]
            for number, result in enumerate(results):
                with suppress(workers.WorkerDied):  # by chance in the middle of an addition
                    assert result.result(60) == number + 1
        assert len(killed) == 8
    finally:
        pool.stop()


def test_an_idle_worker_that_is_killed_costs_nothing():
    pool = workers.Processes(1)
    try:
        for _ in range(4):
            process = pool.submit(os.getpid).result(60)
            os.kill(process, signal.SIGKILL)
            assert pool.submit(os.getpid).result(60) != process
    finally:
        pool.stop()


def test_a_run_killed_in_the_middle_tells_how_its_worker_ended():
    pool = workers.Processes(1)
    try:
        for end, code in ((os._exit, 9), (slowly, 5)):
            with pytest.raises(workers.WorkerDied, match=f"exit code {code}$"):
                pool.submit(end, code).result(60)
        assert pool.submit(len, "abc").result(60) == 3
    finally:
        pool.stop()


def test_where_no_worker_lives_a_study_ends_in_a_sentence_and_keeps_what_is_finished(
    tmp_path, monkeypatch
):
    study = counting(points=2)
    complete(study, tmp_path, shard=(1, 2))
    monkeypatch.setattr(
        workers, "_serve", operator.neg
    )  # which takes no pipe, so that the process ends with code 1
    monkeypatch.setattr(workers, "STARTS", 3)
    begun, begin = [], workers.SPAWN.Pipe
    monkeypatch.setattr(workers.SPAWN, "Pipe", lambda: begun.append(1) or begin())
    with pytest.raises(
        StudyError,
        match="3 worker processes in a row ended as soon as they were started, the last with exit "
        "code 1; .*What is finished is kept, --resume goes on",
    ):
        complete(study, tmp_path, workers=2)
    assert len(list(tmp_path.glob("runs/*.run"))) == 2
    assert 3 <= len(begun) <= 6, "as often as it says, for each of two workers at most"


def test_a_script_without_a_guard_ends_in_a_sentence(tmp_path):
    """Its workers run it again when they import it, and Python refuses to start workers of workers."""
    script = tmp_path / "script.py"
    script.write_text(
        "from experiments.studies import workers\nworkers.STARTS = 2\n"
        "workers.Processes(1).submit(len, 'abc').result()\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert (
        "NoWorkers: 2 worker processes in a row ended as soon as they were started"
        in done.stderr.splitlines()[-1]
    )


def test_stopping_ends_workers_that_compute():
    pool = workers.Processes(2)
    process = pool.submit(os.getpid).result(60)
    busy = [pool.submit(time.sleep, 60) for _ in range(4)]
    began = time.monotonic()
    pool.stop()
    assert time.monotonic() - began < 10 and all(each.done() for each in busy)
    assert not psutil.pid_exists(process)


def test_what_waits_for_a_worker_is_not_begun_when_all_is_stopped():
    pool = workers.Processes(1)
    pool.submit(os.getpid).result(60)
    computing, *waiting = (pool.submit(time.sleep, 60) for _ in range(3))
    while not computing.running():
        time.sleep(0.01)
    pool.stop()
    assert [each.cancelled() for each in (computing, *waiting)] == [False, True, True]


def test_ctrl_c_is_left_to_the_driver():
    """A terminal sends it to workers too, which go on until the driver ends them."""
    pool = workers.Processes(1)
    try:
        process = pool.submit(os.getpid).result(60)
        busy = pool.submit(time.sleep, 0.5)
        time.sleep(0.1)
        os.kill(process, signal.SIGINT)
        assert busy.result(60) is None and pool.submit(os.getpid).result(60) == process
    finally:
        pool.stop()


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.EAGAIN, "Resource temporarily unavailable"),
        RuntimeError("not now"),
        AssertionError("daemonic processes are not allowed to have children"),
    ],
    ids=repr,
)
def test_where_no_process_can_be_started_a_study_ends_in_a_sentence(tmp_path, monkeypatch, error):
    def refused(process):
        raise error

    monkeypatch.setattr(workers.SPAWN.Process, "start", refused)
    with pytest.raises(
        StudyError,
        match=f"no worker process can be started .*{re.escape(error.args[-1])}.*What is finished is",
    ):
        complete(counting(), tmp_path, workers=2)
    assert not list(tmp_path.glob("failures/*"))


def test_a_call_that_cannot_be_made_over_there_is_told():
    pool = workers.Processes(1)
    try:
        with pytest.raises(RuntimeError, match="ValueError: math domain error"):
            pool.submit(math.sqrt, -1.0).result(60)
    finally:
        pool.stop()
