"""Worker processes on this machine: one that dies is replaced, and takes no run with it but its own."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

STARTS = 10  # processes in a row that may end before they can compute anything
WORKER = "tumorlab worker"
SPAWN = multiprocessing.get_context("spawn")


class WorkerDied(RuntimeError):
    """The process that computed a run is gone."""


class NoWorkers(RuntimeError):
    """No process can be started, or each ends at once; the message says why or how."""


class Processes:
    """An executor: threads that wait, each for a process of its own. Nothing is shared that a dying process could hold."""

    def __init__(self, workers: int):
        self._threads, self._own = ThreadPoolExecutor(workers), threading.local()
        self._workers: set[_Worker] = set()
        self._stopped = False

    def submit(self, function: Callable[..., Any], /, *arguments: object) -> Future[Any]:
        """A thread that waits for its process computes it as soon as one is free."""
        return self._threads.submit(self._compute, function, arguments)

    def stop(self) -> None:
        """End all processes, whatever they compute."""
        self._stopped = True
        self._threads.shutdown(wait=False, cancel_futures=True)
        for worker in list(self._workers):
            worker.process.kill()
        self._threads.shutdown()

    def _compute(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> object:
        """Send a call to this thread's process; raises WorkerDied, NoWorkers, or what stopped the process from calling."""
        worker = self._ready(function, arguments)
        try:
            return worker.ask(function, *arguments)
        except (EOFError, OSError):
            raise WorkerDied(f"exit code {self._buried(worker)}") from None

    def _ready(self, *call: object) -> "_Worker":
        """This thread's process, begun anew where it is gone, once it has imported all that the call needs."""
        for _ in range(STARTS):
            worker = getattr(self._own, "worker", None)
            if worker is None:
                worker = self._own.worker = self._begun()
            with suppress(EOFError, OSError):
                if not self._stopped and worker.ask(bool, call):
                    return worker
            code = self._buried(worker)
            if self._stopped:
                raise WorkerDied("stopped")
        raise NoWorkers(
            f"{STARTS} worker processes in a row ended as soon as they were started, the last with exit code {code}"
        )

    def _begun(self) -> "_Worker":
        """A new process; raises NoWorkers where the system or Python refuses one."""
        try:
            worker = _Worker()
        except (OSError, RuntimeError, AssertionError) as error:
            raise NoWorkers(f"no worker process can be started ({error})") from None
        self._workers.add(worker)
        return worker

    def _buried(self, worker: "_Worker") -> int | None:
        """The exit code of a process that is gone."""
        self._own.worker = None
        self._workers.discard(worker)
        worker.pipe.close()
        worker.process.join(1.0)
        worker.process.kill()
        worker.process.join()
        return worker.process.exitcode


class _Worker:
    """A process and the pipe to it."""

    def __init__(self) -> None:
        self.pipe, there = SPAWN.Pipe()
        self.process = SPAWN.Process(
            target=_serve, args=(there, os.getpid()), name=WORKER, daemon=True
        )
        self.process.start()
        there.close()  # the process holds the only other end: when it dies, the pipe says so

    def ask(self, function: Callable[..., Any], /, *arguments: object) -> object:
        """What the function returns over there; raises EOFError or OSError where the process is gone."""
        self.pipe.send((function, arguments))
        answer, error = self.pipe.recv()
        if error is not None:
            raise error
        return answer


def _serve(pipe: Connection, driver: int) -> None:
    """Answer calls until the driver is gone. Ctrl-C is left to the driver."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_watch, args=(driver,), daemon=True).start()
    while True:
        try:
            function, arguments = pipe.recv()
            answer: tuple[object, Exception | None] = function(*arguments), None
        except EOFError:
            return
        except Exception as error:
            answer = None, RuntimeError(f"{type(error).__name__}: {error}")
        pipe.send(answer)


def _watch(driver: int) -> None:
    """End this process when its driver was killed."""
    while os.getppid() == driver:
        time.sleep(1.0)
    os._exit(1)
