"""Where runs are computed: in this process, in worker processes, on a Dask cluster, or on any executor."""

import asyncio
import gc
import multiprocessing
import signal
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ThreadPoolExecutor,
    wait,
)
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from simulation.parameters.given import shortened

from .archive import Run, StudyError, Tables, pack
from .workers import WORKER, NoWorkers, Processes

TRIES = 3
WINDOW = 1000  # runs handed to an executor ahead of their turn, where it does not say how many workers it has
DASK_SECONDS = 20
LETTERS = 1000  # of what is kept of an error; its traceback stands beside it
TIDY_SECONDS = 5.0
_tidied = [0.0]


@dataclass(frozen=True)
class Answer:
    """What came of a run: the content of its file, or why there is none."""

    content: bytes = b""
    message: str = ""
    traceback: str = ""


def attempt(function: Callable[[dict[str, Any], int], Tables], run: Run) -> Answer:
    """Call a run's function; what it raises becomes a message, so that one bad corner does not stop a study."""
    try:
        return Answer(pack(function(run.parameters, run.seed), run.key))
    except Exception as error:
        return Answer(
            message=shortened(f"{type(error).__name__}: {error}", LETTERS),
            traceback=traceback.format_exc(),
        )
    finally:
        _tidy()


def _tidy() -> None:
    """Free models that are done with: they hold each other, and left alone Python frees such only after many runs.

    In a worker of ours all that was imported for the first run is set apart, so that tidying takes milliseconds.
    """
    if time.monotonic() - _tidied[0] > TIDY_SECONDS:
        gc.collect()
        if multiprocessing.current_process().name == WORKER and not gc.get_freeze_count():
            gc.freeze()
        _tidied[0] = time.monotonic()


class Submits(Protocol):
    """The part of ``concurrent.futures.Executor`` that is used."""

    def submit(self, function: Callable[..., Any], /, *arguments: object) -> Future[Any]:
        """Compute it, now or later."""


def compute(
    function: Callable[[dict[str, Any], int], Tables],
    runs: Iterable[Run],
    executor: Submits,
    window: int = WINDOW,
) -> Iterator[tuple[Run, Answer]]:
    """Runs and what came of them, as they end. A run whose worker died is tried again, up to TRIES times in all."""
    due = deque((run, 1) for run in runs)
    waiting: dict[Future[Any], tuple[Run, int]] = {}
    try:
        while due or waiting:
            while due and len(waiting) < window:
                run, number = due.popleft()
                waiting[executor.submit(attempt, function, run)] = run, number
            for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                run, number = waiting.pop(future)
                try:
                    yield run, future.result()
                except NoWorkers as error:
                    raise StudyError(
                        f"{error}; is there memory for them, and does a script of your own start a study only under "
                        "if __name__ == '__main__'? What is finished is kept, --resume goes on"
                    ) from None
                except (BrokenExecutor, CancelledError) as error:
                    raise StudyError(
                        f"the executor stopped working ({error or type(error).__name__}); "
                        "what is finished is kept, resume with a new one"
                    ) from None
                except (
                    Exception
                ) as error:  # the worker's death: attempt() itself answers all other mistakes
                    if number < TRIES:
                        due.append((run, number + 1))
                    else:
                        yield (
                            run,
                            Answer(
                                message=f"its worker died {TRIES} times ({type(error).__name__}: {error})"
                            ),
                        )
    finally:
        for future in waiting:
            future.cancel()


class Here:
    """Computes each run when it is submitted, in this process."""

    def submit(self, function: Callable[..., Any], /, *arguments: object) -> Future[Any]:
        """Compute it now; an error is raised here, not kept."""
        future: Future[Any] = Future()
        future.set_result(function(*arguments))
        return future


@contextmanager
def local(workers: int) -> Iterator[tuple[Submits, int]]:
    """An executor for this machine and its window: this process for one worker, otherwise worker processes."""
    if workers == 1:
        yield Here(), 1
        return
    compile_loops()
    processes = Processes(workers)
    try:
        yield processes, 2 * workers
    finally:
        processes.stop()


@contextmanager
def dask(scheduler: str, workers: int) -> Iterator[tuple[Executor, int]]:
    """An executor on a Dask cluster: the address of its scheduler, or ``slurm`` for jobs as dask-jobqueue is configured.

    Raises StudyError for a scheduler that does not answer or a package that is missing.
    """
    try:
        from distributed import Client

        if scheduler == "slurm":
            cluster_class = slurm_cluster()
    except ImportError as error:
        raise StudyError(
            f'--scheduler needs {error.name}: pip install "tumorlab[cluster]"', key="--scheduler"
        ) from None
    try:
        cluster = cluster_class() if scheduler == "slurm" else None
        if cluster:
            cluster.scale(jobs=workers)
        else:
            _knock(scheduler)
        client = Client(cluster or scheduler, timeout=DASK_SECONDS, set_as_default=False)
    except (OSError, TimeoutError, ValueError, TypeError, RuntimeError) as error:
        raise StudyError(
            f"--scheduler {scheduler}: no Dask scheduler can be reached there ({shortened(error)})",
            key="--scheduler",
        ) from None
    try:
        yield client.get_executor(pure=False), max(WINDOW, 4 * sum(client.ncores().values()))
    finally:
        client.close()
        if cluster:
            cluster.close()


def slurm_cluster() -> type:
    """``SLURMCluster`` of dask-jobqueue; importing that takes Ctrl-C away, and it is given back here."""
    usual = signal.getsignal(signal.SIGINT)
    try:
        from dask_jobqueue import SLURMCluster
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, usual)
    return SLURMCluster


def _knock(scheduler: str) -> None:
    """Raise OSError or ValueError where no scheduler answers; a Client that finds none lives on and complains at its end."""
    from distributed import Security
    from distributed.comm import connect

    async def knock() -> None:
        connection = await connect(
            scheduler, timeout=DASK_SECONDS, **Security().get_connection_args("client")
        )
        await connection.close()

    with ThreadPoolExecutor(1) as thread:  # a notebook's own thread has an event loop already
        thread.submit(asyncio.run, knock()).result()


def compile_loops() -> None:
    """Compile the loops once, before workers start: these find them on disk."""
    from simulation.model import TumorModel

    TumorModel(shape=(9, 9), seed=0, tumor_cells=5, treatments=["car_t"]).run(
        days=0.25, snapshot_every=0
    )
