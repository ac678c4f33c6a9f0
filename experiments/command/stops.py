"""How a command ends when it is told to: by a person with Ctrl-C, or by a scheduler with SIGTERM."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Terminated(KeyboardInterrupt):
    """SIGTERM came; whatever cleans up after Ctrl-C does so after this."""


def exit_code(stop: KeyboardInterrupt) -> int:
    """What shells and schedulers expect of a program that a signal ended: 128 and its number."""
    return 128 + (signal.SIGTERM if isinstance(stop, Terminated) else signal.SIGINT)


@contextmanager
def terminable() -> Iterator[None]:
    """While it lasts, SIGTERM raises Terminated, where Python alone would end without a word."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    usual = signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, usual or signal.SIG_DFL)


def _terminate(number, frame) -> None:
    signal.signal(
        signal.SIGTERM, signal.SIG_IGN
    )  # once is enough: what follows keeps what there is
    raise Terminated
