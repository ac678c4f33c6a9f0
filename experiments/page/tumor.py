"""One of the two tumours on the page: its tissue, its monitors, and what can be given to it."""

from dataclasses import replace
from html import escape

import solara

from simulation import treatments
from simulation.words import name_words

from ..lab.dials import amount_of
from ..lab.lab import SIDES
from ..lab.panels import COLORS
from ..scenarios.scenario import Scenario
from ..words import axis_words, value_words
from .session import Session
from .widgets import LiveView, TissueView, choice, slider

DRUGS = {
    "pembrolizumab": "pembrolizumab (anti-PD-1)",
    "nivolumab": "nivolumab (anti-PD-1)",
    "car_t": "CAR T cells",
    "atezolizumab": "atezolizumab (anti-PD-L1)",
    "aldesleukin": "aldesleukin (IL-2)",
    "interferon_alfa": "interferon alfa",
}
FIRST_DRUG = ("pembrolizumab", "car_t")


@solara.component
def Tumor(session: Session, side: int):
    """Tissue and monitors under the arm it begins as; below, the drugs."""
    view = session.view.value
    scenario = view.patient.written()

    def begin_as(arm: str) -> None:
        session.choose(view.patient, (arm, view.arms[1]) if side == 0 else (view.arms[0], arm))

    with solara.Div(classes=["lab-card", "lab-tumor", f"lab-tumor-{SIDES[side]}"]):
        with solara.Div(classes=["lab-row", "lab-name"]):
            solara.HTML("i", "", style=f"background:{COLORS[side]}")
            hand = ", then by hand" if view.ready and session.player.lab.by_hand(side) else ""
            choice(
                [
                    (arm, arm_words(arm, scenario) + hand * (arm == view.arms[side]))
                    for arm in view.choices
                ],
                view.arms[side],
                begin_as,
                name=f"{SIDES[side]} tumour begins as",
                meaning="an arm of the scenario; what you give comes on top",
            )
        with solara.Div(classes=["lab-look"]):
            Tissue(session, side)
            LiveView(part=f"monitors-{SIDES[side]}", look="lab-monitors")
        Cabinet(session, side)
        Course(session, side)


def arm_words(arm: str, scenario: Scenario) -> str:
    """An arm by its name, with the one thing that makes its tumour another one."""
    own = scenario.arms[arm].set if scenario.arms[arm].start == "twin" else {}
    told = [f" ({axis_words(name)} {value_words(value)})" for name, value in own.items()]
    return name_words(arm) + (told[0] if len(told) == 1 else "")


@solara.component
def Tissue(session: Session, side: int):
    """The tissue, and what stands where it is pointed at."""
    view = session.view.value
    tip, set_tip = solara.use_state("")
    TissueView(
        side=SIDES[side],
        busy=view.busy or ("" if view.ready else "no tumour"),
        share=100 * view.share,
        tip=tip,
        cancellable=bool(view.busy) and not view.ready,
        event_cancelled=lambda *_: session.player.cancel(),
        event_pointed=lambda place: set_tip(session.whats_at(side, place)),
    )


@solara.component
def Cabinet(session: Session, side: int):
    """What can be given: a drug, its amount, now once or from now on."""
    player, idle = session.player, not session.view.value.ready
    drug, set_drug = solara.use_state(FIRST_DRUG[side])
    amounts, set_amounts = solara.use_state({})
    scenario = session.view.value.patient.written()
    offered = [*scenario.own_drugs, *treatments.names()]
    drug = drug if drug in offered else FIRST_DRUG[side]  # that of another scenario
    kind = scenario.find(drug)
    dial, regimen = amount_of(kind), str(kind().schedule)
    if dial:
        dial = replace(dial, value=amounts.get(drug, dial.value))
    with solara.Div(classes=["lab-row", "lab-cabinet"]):
        choice(
            [(name, DRUGS.get(name, name_words(name))) for name in offered],
            drug,
            set_drug,
            label=f"drug for the {SIDES[side]} tumour",
            meaning=kind.describe(),
        )
        if dial:
            slider(
                replace(dial, name=f"treatments.{drug}.{dial.name}"),
                lambda value: set_amounts({**amounts, drug: value}),
                name=dial.name,
                label=f"{dial.name} of {name_words(drug)} for the {SIDES[side]} tumour",
                narrow=True,
            )
        solara.Button(
            "Infuse" if drug == "car_t" else "One dose",
            color="primary",
            small=True,
            disabled=idle,
            classes=["lab-once"],
            on_click=lambda: player.give(side, drug, dial.value if dial else None, True),
        )
        if regimen != "a single dose":
            solara.Button(
                "Start",
                outlined=True,
                small=True,
                disabled=idle,
                attributes={"title": f"from now on: {regimen}"},
                classes=["lab-start"],
                on_click=lambda: player.give(side, drug, dial.value if dial else None, False),
            )


@solara.component
def Course(session: Session, side: int):
    """What was given and can be stopped, and the last sentence about the tumour."""
    view, player = session.view.value, session.player
    with solara.Div(classes=["lab-row", "lab-running"]):
        if view.running[side]:
            with solara.Div(classes=["lab-given"]):
                for each in view.running[side]:
                    look = ["lab-drug"] if each.due else ["lab-drug", "past"]
                    with solara.Div(classes=look, attributes={"title": each.words}).key(each.name):
                        solara.HTML("span", escape(each.label))
                        if each.due:
                            solara.Button(
                                "stop",
                                text=True,
                                x_small=True,
                                disabled=not view.ready,
                                classes=["lab-stop"],
                                on_click=lambda name=each.name: player.stop(side, name),
                            )
        LiveView(part=f"told-{SIDES[side]}", look="lab-told", status=True)
