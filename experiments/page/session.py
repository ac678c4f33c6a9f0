"""One visitor of the lab: a player with a lab of its own, and what the page shows of it."""

import base64
import logging
from collections.abc import Callable
from dataclasses import replace
from html import escape

import solara

from ..lab.lab import DEFAULT, SIDES, Frame, Lab
from ..lab.legend import at, legend
from ..lab.monitors import Monitor
from ..lab.patient import Patient
from ..lab.player import Player, View

log = logging.getLogger(__name__)


class Session:
    """``player`` does what is asked; ``view`` is reactive; pictures go straight to one widget, many times a second."""

    def __init__(self):
        self._feed = None
        self.player = Player(Lab(DEFAULT), self.publish)
        self.view: solara.Reactive[View] = solara.reactive(self.player.view)
        self.player.start()

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
        except ValueError as error:
            self.player.say(str(error))
        else:
            self.player.choose(patient, arms)

    def whats_at(self, side: int, place: dict) -> str:
        """What stands in a tissue where it is pointed at."""
        frame = self.player.view.frame
        return at(frame.snapshots[side], float(place["x"]), float(place["y"]), frame.show) if frame else ""

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
    found = {"number": frame.number, "day": f"day <b>{frame.day:.1f}</b>",
             "legend": legend(frame.show, frame.snapshots, frame.top),
             "panels": "".join(f"<div>{panel}</div>" for panel in frame.panels)}
    for side, name in enumerate(SIDES):
        snapshot = frame.snapshots[side]
        width = snapshot.shape[0] * snapshot.spacing
        length = next((length for length in (500, 200, 100, 50) if length < 0.4 * width), 20)
        found[name] = {"picture": "data:image/png;base64," + base64.b64encode(frame.pictures[side]).decode(),
                       "bar": 0 if snapshot.liquid else 100 * length / width, "bar_words": f"{length} µm"}
        found[f"told-{name}"] = f'<span title="{escape(frame.told[side])}">{escape(frame.told[side])}</span>'
        found[f"monitors-{name}"] = "".join(monitor(f"{key}-{name}", each) for key, each in frame.monitors[side].items())
    return found


def monitor(identity: str, each: Monitor) -> str:
    """One monitor as HTML."""
    return (f'<div class="lab-monitor lab-{escape(each.value)}" title="{escape(each.meaning)}" id="{identity}">'
            f"<span>{escape(each.name)}</span><b>{escape(each.value)}</b><em>{escape(each.remark)}</em></div>")
