"""A step is done as a whole: a person's Ctrl-C, or a scheduler's SIGTERM, has its effect when the step is over."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

STOPS = (signal.SIGINT, signal.SIGTERM)


class Guard:
    """Stands before the handlers of signals, and holds back what comes ``inside`` of a step."""

    def __init__(self):
        self.inside = 0
        self._came: list[int] = []
        self._usual: dict[int, Callable] = {}
        for number in STOPS:
            if callable(
                usual := signal.getsignal(number)
            ):  # only a handler in Python can break into a step
                self._usual[number] = usual
                signal.signal(number, self._note)

    def deliver(self) -> None:
        """What was held back has its usual effect."""
        while self._came and not self.inside:
            number = self._came.pop()
            self._usual[number](number, None)

    def leave(self) -> None:
        """The usual handlers stand where they stood, unless one of them put another in its place."""
        try:
            self._put_back(signal.SIGINT)
        finally:
            self._put_back(signal.SIGTERM)

    def _put_back(self, number: int) -> None:
        if signal.getsignal(number) == self._note:
            signal.signal(number, self._usual[number])

    def _note(self, number: int, frame) -> None:
        self._came.append(number)
        self.deliver()


_guards: list[Guard] = []  # of the main thread, the only one in which handlers run; at most one


@contextmanager
def guarded() -> Iterator[Guard | None]:
    """While it lasts, a guard stands; putting it up takes longer than making a step whole, so a run does so once."""
    if threading.current_thread() is not threading.main_thread():
        yield None
    elif _guards:
        yield _guards[0]
    else:
        _guards.append(Guard())
        try:
            yield _guards[0]
        finally:
            _guards.pop().leave()


@contextmanager
def whole() -> Iterator[None]:
    """What is done while it lasts is not broken into."""
    with guarded() as guard:
        if guard is None:
            yield
            return
        guard.inside += 1
        try:
            yield
        finally:
            guard.inside -= 1
            guard.deliver()
