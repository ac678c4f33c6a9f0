"""A step is done as a whole: a person's Ctrl-C, or a scheduler's SIGTERM, has its effect when the step is over."""

import signal
import threading


class Held:
    """While it lasts, one signal is noted only; at its end it does what it usually does."""

    def __init__(self, number: signal.Signals):
        self._number, self._usual, self._came = number, None, False

    def __enter__(self) -> None:
        # Only a handler in Python can break into a step, and only in the main thread.
        if threading.current_thread() is threading.main_thread() and callable(signal.getsignal(self._number)):
            self._usual = signal.signal(self._number, self._note)

    def __exit__(self, *problem) -> None:
        if self._usual is not None:
            signal.signal(self._number, self._usual)
            if self._came:
                signal.raise_signal(self._number)

    def _note(self, number, frame) -> None:
        self._came = True
