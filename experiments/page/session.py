"""One visitor of the lab: a player with a lab of its own, and what the page shows of it."""

import base64
import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from html import escape

import solara
from solara.server.kernel_context import PageStatus, contexts

from simulation.errors import TumorLabError

from ..lab.lab import DEFAULT, SIDES, Frame, Lab
from ..lab.legend import at, legend
from ..lab.monitors import Monitor
from ..lab.patient import Patient
from ..lab.player import Player, View
from ..scenarios.scenario import Scenario

log = logging.getLogger(__name__)
OFFERED = {name: Scenario.load(name) for name in Scenario.names()}
"""The scenarios that visitors choose from, by name or path: those that ship, and files that the lab was opened with."""


class Seats:
    """Places for ``most`` visitors at once, so that each of them sees pictures."""

    def __init__(self, most: int):
        self.most, self._taken, self._moved = most, 0, threading.Condition()

    def take(self, patience: float) -> bool:
        """Take a place, where one is free or becomes so within seconds: a page that is loaded again leaves its own first."""
        with self._moved:
            found = self._moved.wait_for(lambda: self._taken < self.most, patience)
            self._taken += found
        return found

    def leave(self) -> None:
        """Give a place back."""
        with self._moved:
            self._taken -= 1
            self._moved.notify()


SEATS = Seats(16)  # each one who plays takes time from the others


def first() -> str:
    """The scenario that a visitor finds on the bench."""
    return next((name for name in OFFERED if name not in Scenario.names()), DEFAULT)


class Session:
    """``player`` does what is asked; ``view`` is reactive; pictures go straight to one widget, many times a second."""

    def __init__(self):
        self._feed = None
        self.player = Player(Lab(first()), self.publish)
        self.view: solara.Reactive[View] = solara.reactive(self.player.view)
        self.player.start()

    @classmethod
    def admitted(cls) -> "Session | None":
        """A session, where there is a place for one more, or one whose page has gone without a word."""
        if SEATS.take(patience=2.0):
            return cls()
        for context in list(contexts.values()):
            if context.page_status and PageStatus.CONNECTED not in context.page_status.values():
                context.close(reason="cull")
                if SEATS.take(patience=0.0):
                    return cls()
        return None

    def close(self) -> None:
        """End, and leave the place to somebody else."""
        self.player.close()
        SEATS.leave()

    def connect(self, feed) -> None:
        """Send every picture to this widget."""
        self._feed = feed
        feed.frame = parts(self.player.view.frame)

    def publish(self, view: View) -> None:
        """Show a view; called by the player's thread."""
        still = replace(view, frame=None)
        if still != self.view.peek():
            self.view.value = still
        if self._feed is not None:
            self._feed.frame = parts(view.frame)

    def choose(self, patient: Patient, arms: tuple[str, str] | None = None) -> None:
        """Put another patient on the bench; a mistake is told in the page."""
        try:
            patient.bench()
        except TumorLabError as error:
            self.player.say(str(error))
        else:
            self.player.choose(patient, arms)

    def whats_at(self, side: int, place: dict) -> str:
        """What stands in a tissue where it is pointed at."""
        frame = self.player.view.frame
        return (
            at(frame.snapshots[side], float(place["x"]), float(place["y"]), frame.show)
            if frame
            else ""
        )

    def file(self, what: Callable[[], str | bytes]) -> Callable[[], str | bytes]:
        """A file that is made when it is asked for, between two steps; in place of one that cannot be made, why."""

        def made() -> str | bytes:
            try:
                return self.player.ask(what).result(timeout=120)
            except Exception as error:
                log.exception("an export failed")
                return f"This could not be exported: {error}\n"

        return made


def parts(frame: Frame | None) -> dict:
    """A picture as the page takes it: an image and a scale per side, HTML for the rest."""
    if frame is None:
        return {"number": 0}
    found = {
        "number": frame.number,
        "day": f"day <b>{frame.day:.1f}</b>",
        "legend": legend(frame.show, frame.snapshots, frame.top),
        "panels": "".join(f"<div>{panel}</div>" for panel in frame.panels),
    }
    for side, name in enumerate(SIDES):
        snapshot = frame.snapshots[side]
        width = snapshot.shape[0] * snapshot.spacing
        length = next((length for length in (500, 200, 100, 50) if length < 0.4 * width), 20)
        found[name] = {
            "picture": "data:image/png;base64," + base64.b64encode(frame.pictures[side]).decode(),
            "bar": 0 if snapshot.liquid else 100 * length / width,
            "bar_words": f"{length} µm",
        }
        found[f"told-{name}"] = (
            f'<span title="{escape(frame.told[side])}">{escape(frame.told[side])}</span>'
        )
        found[f"monitors-{name}"] = "".join(
            monitor(f"{key}-{name}", each) for key, each in frame.monitors[side].items()
        )
    return found


def monitor(identity: str, each: Monitor) -> str:
    """One monitor as HTML."""
    return (
        f'<div class="lab-monitor lab-{escape(each.value)}" title="{escape(each.meaning)}" id="{identity}">'
        f"<span>{escape(each.name)}</span><b>{escape(each.value)}</b><em>{escape(each.remark)}</em></div>"
    )
