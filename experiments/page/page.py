"""The page of the browser lab. What it shows and does is in :mod:`experiments.lab`; here it is laid out."""

import logging
import math
from collections.abc import Callable
from html import escape
from pathlib import Path

import solara

from simulation import parameter_sets
from simulation.words import name_words, view_words

from ..lab.dials import dials
from ..lab.patient import LabError, Patient
from ..lab.player import PACES, View
from ..scenarios.scenario import Scenario
from ..words import listed
from .glossary import glossary
from .session import OFFERED, SEATS, Session
from .tumor import Tumor
from .widgets import EntryView, FeedView, KeysView, LiveView, choice, slider

log = logging.getLogger(__name__)
STYLE = (Path(__file__).parent / "page.css").read_text(encoding="utf-8")
SEED = "the same seed gives the same tumour, to the last cell; another seed is another patient"
PATCH = "the quick patch is grown in seconds, with cells in proportion; the whole one is the scenario's own"


@solara.component
def Page():
    """The whole page; a defect in it is told in the terminal, never on the screen."""
    solara.Title("Tumor-Immune Lab")
    solara.Style(STYLE)
    defect, mend = solara.use_exception()
    if defect is not None:
        log.error("the page failed", exc_info=defect)
        with solara.Div(classes=["lab", "lab-defect"]):
            solara.HTML(
                "p",
                "Something went wrong on this page; the terminal the lab was started from says what.",
            )
            solara.Button("Start again", on_click=mend, color="primary")
        return
    Bench()


@solara.component
def Bench():
    """One session: the patient on the left, both tumours beside each other, curves below."""
    tries, set_tries = solara.use_state(0)
    folded, set_folded = solara.use_state(True)
    session = solara.use_memo(Session.admitted, [tries])
    solara.use_effect(lambda: session and session.close, [session])
    if session is None:
        Full(lambda: set_tries(tries + 1))
        return
    with solara.Div(classes=["lab"]):
        Feed(session)
        KeysView()
        Heading(session)
        with solara.Div(classes=["lab-body"]):
            with solara.Div(classes=["lab-left"]):
                solara.Button(
                    "Patient",
                    icon_name="mdi-menu-down" if folded else "mdi-menu-up",
                    small=True,
                    outlined=True,
                    classes=["lab-fold"],
                    on_click=lambda: set_folded(not folded),
                    attributes={
                        "aria-expanded": str(not folded).lower(),
                        "title": "seed, patch and sliders",
                    },
                )
                PatientCard(session, folded)
                Notes(session)
            with solara.Div(classes=["lab-main"]):
                Controls(session)
                with solara.Div(classes=["lab-tumors"]):
                    Tumor(session, 0)
                    Tumor(session, 1)
                LiveView(part="panels", look="lab-panels")


@solara.component
def Full(again: Callable[[], None]):
    """In place of a session: there are as many as there may be."""
    with solara.Div(classes=["lab", "lab-defect"]):
        solara.HTML(
            "p",
            f"The lab is full: {SEATS.most} visitors at once are all it lets in. Try again when one has left; "
            "whoever started it can let in more with tumorlab app --sessions.",
            attributes={"id": "full"},
        )
        solara.Button("Try again", on_click=again, color="primary")


@solara.component
def Heading(session: Session):
    """The name of the lab, the scenario, its question, what to look for, and what the words mean."""
    patient = session.view.value.patient
    scenario = patient.scenario

    def choose(name: str) -> None:
        session.choose(Patient.of(name))
        session.player.show("kinds")  # a colour chosen for one question says little about the next

    with solara.Div(classes=["lab-heading"]):
        solara.HTML("h1", "Tumor-Immune Lab")
        choice(
            [(name, name_words(each.name)) for name, each in OFFERED.items()],
            scenario,
            label="scenario",
            chosen=choose,
            meaning="what the lab is about",
        )
        solara.HTML("p", escape(OFFERED[scenario].question), attributes={"id": "question"})
        solara.HTML("details", glossary(patient), classes=["lab-words"])
        lines = "".join(
            f"<p><b>{word}</b>{escape(line)}</p>" for word, line in OFFERED[scenario].lines.items()
        )
        solara.HTML("div", lines, classes=["lab-why"])


@solara.component
def PatientCard(session: Session, folded: bool):
    """Seed, patch and sliders; what is changed here takes effect when the tumour is grown. Narrow pages fold it away."""
    view = session.view.value
    patient, arms = view.patient, view.arms
    draft, set_draft = solara.use_state(patient)
    typed, set_typed = solara.use_state(str(patient.seed))
    problem, set_problem = solara.use_state("")

    def follow(shown: Patient = patient) -> None:
        set_draft(shown)
        set_typed(str(shown.seed))
        set_problem("")

    def ship(shipped: Patient) -> None:
        follow(shipped)
        if shipped != patient:
            session.choose(shipped, arms)

    solara.use_effect(follow, [patient])

    def enter(text: str, grow: bool = False) -> None:
        set_typed(text)
        try:
            changed = draft.with_seed(text)
        except LabError as error:
            set_problem(str(error))
            return
        set_problem("")
        set_draft(changed)
        if grow and changed != patient:
            session.choose(changed, arms)

    sizes = patches(draft)
    with solara.Div(classes=["lab-card", "lab-patient", *(["folded"] if folded else [])]):
        with solara.Div(classes=["lab-row"]):
            EntryView(
                name="seed",
                value=typed,
                wrong=bool(problem),
                meaning=SEED,
                event_entered=enter,
                event_confirmed=lambda text: enter(text, grow=True),
            )
            choice(
                sizes,
                "whole" if draft.whole or len(sizes) == 1 else "quick",
                label="patch",
                meaning=PATCH,
                chosen=lambda word: set_draft(draft._replace(whole=word == "whole")),
            )
        for dial in dials(draft):
            slider(
                dial,
                lambda value, name=dial.name: set_draft(
                    lambda newest: newest.with_value(name, value)
                ),
                changed=dial.name in dict(draft.changed),
            )
        with solara.Div(classes=["lab-row", "lab-growth"]):
            solara.Button(
                "Grow this tumour",
                on_click=lambda: session.choose(draft, arms),
                color="primary",
                small=True,
                disabled=bool(problem) or (draft == patient and (view.ready or bool(view.busy))),
                classes=["lab-grow"],
            )
            shipped = Patient.of(patient.scenario)
            solara.Button(
                "As shipped",
                on_click=lambda: ship(shipped),
                text=True,
                small=True,
                disabled=not problem and draft == patient == shipped,
            )
        solara.HTML(
            "p",
            escape(problem or about(draft, patient, view)),
            classes=["lab-problem" if problem else "lab-about"],
        )


def patches(patient: Patient) -> list[tuple[str, str]]:
    """The sizes of patch to choose from."""
    quick, whole = (patient._replace(whole=each, changed=()).bench() for each in (False, True))
    words = [size(bench).rpartition(" x ")[2] for bench in (quick, whole)]
    if quick.shape == whole.shape:
        return [("whole", words[1])]
    return [("quick", f"quick patch, {words[0]}"), ("whole", f"whole patch, {words[1]}")]


def size(scenario: Scenario) -> str:
    """The size of a patch in words."""
    disease = parameter_sets.find(scenario.parameters)
    if disease.liquid:
        return f"{math.prod(scenario.shape):,} places"
    return " x ".join(f"{side * disease.spacing / 1000:.1f}" for side in scenario.shape) + " mm"


def about(draft: Patient, patient: Patient, view: View) -> str:
    """What was grown, or that something waits to be grown."""
    bench, written = patient.bench(), patient.written()
    own = [name_words(arm) for arm in dict.fromkeys(view.arms) if written.arms[arm].start == "twin"]
    if draft != patient:
        return "Changed: press Grow this tumour. " + (
            "Both tumours start from it."
            if not own
            else f"What makes {listed(own)} different stays as it is."
        )
    if not view.ready and not view.busy:
        return "There is no tumour: none is left at day 0."
    if patient.sheltered:
        return (
            "The immune system would eliminate this tumour while it is small. To be seen, it was grown without immune cells; "
            "they come on day 0."
        )
    cells = bench.grow.cells if bench.grow else bench.tumor_cells
    smaller = (
        ""
        if bench.shape == written.shape
        else f" The scenario itself has {size(written)}; cells are in proportion."
    )
    return (
        f"Day 0 is at {cells:,} tumour cells on {size(bench)}.{smaller}"
        if cells
        else f"On {size(bench)}.{smaller}"
    )


@solara.component
def Notes(session: Session):
    """What was done, and what can be taken home."""
    view, lab = session.view.value, session.player.lab
    files = solara.use_memo(
        lambda: [
            (
                "Scenario",
                "lab_session.toml",
                "a TOML file: tumorlab run replays this session exactly",
                session.file(lab.exported),
            ),
            (
                "Data",
                "lab_timeseries.csv",
                "the time series of both tumours as CSV",
                session.file(lab.csv),
            ),
            (
                "Picture",
                "lab_session.png",
                "the whole session as one large PNG",
                session.file(lab.poster),
            ),
        ],
        [],
    )
    with solara.Div(classes=["lab-card", "lab-notes"]):
        lines = (
            "".join(f"<li>{escape(line)}</li>" for line in reversed(view.log))
            or "<li>nothing was given so far</li>"
        )
        solara.HTML("div", f"<h2>What happened</h2><ul>{lines}</ul>", classes=["lab-log"])
        with solara.Div(classes=["lab-row", "lab-exports"]):
            for words, name, meaning, made in files:
                with solara.FileDownload(made, name):
                    solara.Button(
                        words,
                        icon_name="mdi-download",
                        small=True,
                        text=True,
                        disabled=not view.ready,
                        attributes={"title": meaning},
                    )


@solara.component
def Controls(session: Session):
    """Play, pause, step, reset; the day; pace and colours; what there is to say."""
    view, player = session.view.value, session.player
    idle, play = not view.ready, ("Pause", "mdi-pause") if view.playing else ("Play", "mdi-play")
    with solara.Div(classes=["lab-bar"]):
        with solara.Div(classes=["lab-controls"]):
            solara.Button(
                play[0],
                icon_name=play[1],
                color="primary",
                small=True,
                disabled=idle,
                classes=["lab-play"],
                on_click=lambda: player.play(not player.view.playing),
            )
            solara.Button(
                "Step",
                icon_name="mdi-skip-next",
                on_click=player.step,
                disabled=idle,
                small=True,
                outlined=True,
            )
            solara.Button(
                "Reset",
                icon_name="mdi-replay",
                on_click=player.reset,
                disabled=idle,
                small=True,
                outlined=True,
            )
            LiveView(part="day", look="lab-clock")
            choice(
                [(str(hours), f"{hours} h a picture") for hours in PACES],
                str(view.pace),
                name="pace",
                chosen=lambda hours: player.pace(int(hours)),
                meaning="simulated hours from picture to picture",
            )
            choice(
                [(name, view_words(name)) for name in view.views],
                view.show,
                player.show,
                name="colour by",
                meaning="what the colours of the tissue show",
            )
            solara.HTML(
                "span",
                escape(view.message),
                classes=["lab-message"],
                attributes={"id": "message", "role": "status", "title": view.message},
            )
        with solara.Div(classes=["lab-legend"]):
            LiveView(part="legend", look="lab-keys")


@solara.component
def Feed(session: Session):
    """Nothing to be seen: where every picture arrives."""
    feed = FeedView(event_shown=session.player.seen)
    solara.use_effect(lambda: session.connect(solara.get_widget(feed)), [])
