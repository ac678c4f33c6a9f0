"""The few widgets of the page that Vue draws: the tissue, what changes with every picture, a slider, a list, a line of text.

Lists go to them as one text each: solara walks through every list of the page whenever anything changes.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import solara

from ..lab.dials import LAST, Dial


@solara.component_vue("feed.vue")
def FeedView(event_shown: Callable, frame: dict | None = None):
    """Takes each picture, as one message, to the parts of the page; tells when it was shown."""


@solara.component_vue("live.vue")
def LiveView(part: str, look: str, status: bool = False):
    """A part of the page that changes with every picture; a ``status`` is read out when it changes."""


@solara.component_vue("keys.vue")
def KeysView():
    """Nothing to be seen: the space bar plays and pauses."""


@solara.component_vue("tissue.vue")
def TissueView(
    side: str,
    busy: str,
    share: float,
    cancellable: bool,
    tip: str,
    event_pointed: Callable,
    event_cancelled: Callable,
):
    """The picture of a tissue, which tells where it is pointed at."""


@solara.component_vue("dial.vue")
def DialView(
    name: str,
    label: str,
    labels: str,
    place: int,
    meaning: str,
    changed: bool,
    narrow: bool,
    event_moved: Callable,
):
    """A slider with its name and its value in words; ``label`` is its name where it is read out alone."""


@solara.component_vue("choice.vue")
def ChoiceView(name: str, label: str, items: str, value: str, meaning: str, event_chosen: Callable):
    """A list to choose from."""


@solara.component_vue("entry.vue")
def EntryView(
    name: str,
    value: str,
    wrong: bool,
    meaning: str,
    event_entered: Callable,
    event_confirmed: Callable,
):
    """A line of text."""


def choice(
    items: Sequence[tuple[str, str]],
    value: str,
    chosen: Callable[[str], None],
    *,
    name: str = "",
    label: str = "",
    meaning: str = "",
):
    """A list of (value, words); ``label`` is read out where no ``name`` stands beside it."""
    return ChoiceView(
        name=name,
        label=label or name,
        items="\n".join(map("\t".join, items)),
        value=value,
        meaning=meaning,
        event_chosen=chosen,
    )


def slider(
    dial: Dial,
    moved: Callable[[float], None],
    *,
    name: str = "",
    label: str = "",
    changed: bool = False,
    narrow: bool = False,
):
    """A dial that tells the value at every place while it is dragged, and calls ``moved(value)`` when it is let go."""
    labels = [
        dial.shown if place == dial.place else replace(dial, value=dial.at(place)).shown
        for place in range(LAST + 1)
    ]
    name = name or dial.words
    return DialView(
        name=name,
        label=label or name,
        labels="\n".join(labels),
        place=dial.place,
        meaning=dial.meaning,
        changed=changed,
        narrow=narrow,
        event_moved=lambda place: moved(dial.at(place)),
    ).key(dial.name)
