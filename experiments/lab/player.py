"""The worker of one session: it does what is asked, one thing after another, plays in between, and shows each picture."""

import gc
import logging
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace

from simulation.errors import TumorLabError

from .growth import Growth
from .lab import Frame, Lab, Running
from .patient import LabError, Patient

PICTURE_EVERY = (
    0.09  # seconds: a picture is drawn at least so often while playing, however long the pace
)
LEAST_PAUSE = 0.05  # seconds between pictures: no more than 20 a second
UNSEEN = 60.0  # seconds without a page that shows the pictures, after which playing ends
PACES = (1, 3, 6, 12, 24)  # hours per picture
PROBLEM = "something went wrong, and the lab was put back to day 0; the terminal it was started from says what"
CANCELLED = {
    True: "Growing was cancelled: these are the tumours from before.",
    False: "Growing was cancelled: choose a scenario, or press Grow this tumour.",
}
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class View:
    """What a page shows: the newest picture and everything around it; replaced as a whole, never changed."""

    frame: Frame | None = None
    ready: bool = False
    playing: bool = False
    busy: str = "preparing"
    share: float = 0.0
    message: str = ""
    patient: Patient | None = None
    arms: tuple[str, str] = ("control", "control")
    choices: tuple[str, ...] = ("control",)
    views: tuple[str, ...] = ("kinds",)
    running: tuple[tuple[Running, ...], tuple[Running, ...]] = ((), ())
    log: tuple[str, ...] = ()
    show: str = "kinds"
    pace: int = 3


class Interrupted(Exception):
    """Growing is given up, because another tumour is wanted."""


class Player:
    """Owns a lab and the one thread that touches it; ``publish(view)`` is called from that thread after every change.

    Requests are done in order; those that wait are done together before the next picture. While it plays, a picture
    waits until the last but one was seen, so that a slow browser is never flooded.
    """

    def __init__(self, lab: Lab, publish: Callable[[View], None]):
        self.lab, self._publish = lab, publish
        self.view = View(patient=lab.patient)
        self._requests: queue.SimpleQueue[tuple[Callable[[], object], Future]] = queue.SimpleQueue()
        self._playing, self._closed = False, False
        self._seen, self._seen_number, self._wanted = threading.Event(), 0, 0
        self._unseen_since = 0.0
        self._thread = threading.Thread(target=self._work, name="lab", daemon=True)

    def start(self) -> "Player":
        """Begin to work: the tumour of the lab is grown first."""
        self.grow()
        self._thread.start()
        return self

    def close(self) -> None:
        """Stop working; what is being grown is given up."""
        self._closed = True
        self._wanted += 1
        self._seen.set()
        self._requests.put((lambda: None, Future()))

    def join(self, seconds: float | None = None) -> None:
        """Wait until the worker has ended."""
        self._thread.join(seconds)

    # ---------------------------------------------------------------- what can be asked

    def ask(self, what: Callable[[], object]) -> Future:
        """Have something done between two steps; the future gives the answer, or the error."""
        answer: Future = Future()
        self._requests.put((what, answer))
        return answer

    def play(self, on: bool) -> None:
        """Play or pause."""
        self._playing = on
        self._unseen_since = time.monotonic()
        self.ask(lambda: None)

    def step(self) -> None:
        """Pause, and one picture further."""
        self._playing = False
        self.ask(lambda: self._step(self.view.pace))

    def reset(self) -> None:
        """Pause, and both tumours as on day 0."""
        self._playing = False
        self.ask(self._reset)

    def choose(self, patient: Patient, arms: tuple[str, str] | None = None) -> None:
        """Another patient, or the same with other arms, grown at once."""
        self._playing = False
        self._wanted += 1
        wanted = self._wanted
        self.ask(lambda: self._choose(patient, arms, wanted))

    def grow(self) -> None:
        """Grow what lies on the bench."""
        self._wanted += 1
        wanted = self._wanted
        self.ask(lambda: self._grow(wanted))

    def cancel(self) -> None:
        """Give up what is being grown, and go back to the tumours from before."""
        self._wanted += 1
        self.ask(self._back)

    def give(self, side: int, drug: str, amount: float | None, once: bool) -> None:
        """Give a treatment, or one dose of it, to a tumour."""
        self.ask(lambda: self.lab.give(side, drug, amount, once))

    def stop(self, side: int, name: str) -> None:
        """Stop a treatment of a tumour."""
        self.ask(lambda: self.lab.stop(side, name))

    def show(self, what: str) -> None:
        """Colour the tissue by something else."""
        self.ask(lambda: self._set(show=what))

    def pace(self, hours: int) -> None:
        """So many hours per picture."""
        self.ask(lambda: self._set(pace=hours))

    def say(self, message: str) -> None:
        """Show a sentence."""
        self.ask(lambda: self._set(message=message))

    def seen(self, number: int) -> None:
        """A page has shown a picture."""
        self._seen_number = number
        self._seen.set()

    # ---------------------------------------------------------------- the worker

    def _work(self) -> None:
        while not self._closed:
            try:
                self._turn()
            except Exception:  # a defect: told in the terminal, and the session goes on from day 0
                log.exception("a session of the lab failed")
                self._playing = False
                self._recover()
        self.lab.models = ()
        gc.collect()

    def _turn(self) -> None:
        """Do what was asked, or one picture's worth of playing."""
        asked = not self._playing or not self.lab.ready or not self._requests.empty()
        if asked:
            self._do(*self._requests.get())
            while not self._requests.empty():
                self._do(*self._requests.get())
        else:
            began = time.monotonic()
            self._play()
            time.sleep(max(0.0, LEAST_PAUSE - (time.monotonic() - began)))
        if not self._closed:
            self._show()
            if not asked:
                self._wait()

    def _do(self, what: Callable[[], object], answer: Future) -> None:
        try:
            answer.set_result(what())
        except Interrupted:
            answer.cancel()
        except TumorLabError as error:
            answer.set_exception(error)
            self._playing = False
            self._set(message=str(error), busy="", share=0.0)
        except BaseException as error:
            answer.set_exception(error)
            raise

    def _reset(self) -> None:
        self.lab.reset()
        gc.collect()  # models refer to themselves: without this, dozens of them wait to be forgotten

    def _step(self, hours: int) -> None:
        self._set(message="")
        self.lab.step(hours)

    def _play(self) -> None:
        """Hours up to the pace, fewer when a picture is due; pause where the scenario ends."""
        until = time.monotonic() + PICTURE_EVERY
        for hour in range(self.view.pace):
            if hour and (time.monotonic() > until or not self._requests.empty()):
                break
            try:
                self._step(1)
            except LabError as error:
                self._playing = False
                self._set(message=str(error))
                break
            if self.lab.finished:
                self._playing = False
                self._set(
                    message=f"Day {self.lab.day:g}: the scenario ends here. Play goes on, Reset goes back to day 0."
                )
                break

    def _wait(self) -> None:
        """Wait until the picture before this one was seen; playing ends when nobody has looked for a while."""
        until = time.monotonic() + 1.0
        while (
            self.view.frame
            and self._seen_number < self.view.frame.number - 1
            and self._requests.empty()
        ):
            self._seen.clear()
            if not self._seen.wait(max(0.0, until - time.monotonic())):
                break
        else:
            self._unseen_since = time.monotonic()
        if time.monotonic() - self._unseen_since > UNSEEN:
            self._playing = False

    def _choose(self, patient: Patient, arms: tuple[str, str] | None, wanted: int) -> None:
        self.lab.choose(patient, arms)
        self._grow(wanted)

    def _grow(self, wanted: int) -> None:
        if wanted != self._wanted:
            return
        told = 0.0

        def progress(growth: Growth) -> None:
            nonlocal told
            if wanted != self._wanted:
                raise Interrupted
            if time.monotonic() - told > 0.2:
                told, lab = time.monotonic(), self.lab
                self._set(
                    busy=growth.words,
                    share=growth.share,
                    message="",
                    frame=None,
                    ready=False,
                    playing=False,
                    patient=lab.patient,
                    arms=lab.arms,
                    choices=tuple(lab.scenario.arms),
                    views=lab.views,
                    running=((), ()),
                    log=(),
                )
                self._publish(self.view)

        self.lab.open(progress)
        gc.collect()
        self._set(busy="", share=0.0, message="")

    def _back(self) -> None:
        if self.view.busy:
            self.lab.back()
            self._set(busy="", share=0.0, message=CANCELLED[self.lab.ready])

    def _show(self) -> None:
        """Draw this moment and publish it."""
        lab, frame = self.lab, self.view.frame if self.view.busy else None
        if lab.ready:
            frame = lab.frame(self.view.show)
            self._set(show=frame.show)
        self._set(
            frame=frame,
            ready=lab.ready,
            views=lab.views,
            playing=self._playing,
            patient=lab.patient,
            arms=lab.arms,
            choices=tuple(lab.scenario.arms),
            running=(tuple(lab.running(0)), tuple(lab.running(1))),
            log=tuple(lab.log()),
        )
        self._publish(self.view)

    def _recover(self) -> None:
        """Back to day 0 after a defect, with whatever still works."""
        try:
            self.lab.reset()
            self._set(message=PROBLEM, show="kinds", busy="")
            self._show()
        except Exception:
            log.exception("the session could not be put back to day 0")
            self._set(message=PROBLEM, busy="", playing=False)
            self._publish(self.view)

    def _set(self, **changes) -> None:
        self.view = replace(self.view, **changes)
