"""Every promise of a plug-in is broken once on purpose, and found; everything that ships keeps all of them."""

import random
import re
import threading
from functools import cache

import numpy as np
import pytest

from simulation import (
    CellAgent,
    CellKind,
    Parameter,
    Schedule,
    Trait,
    Treatment,
    check_cell_kind,
    check_treatment,
    parametrize_with_promises,
    treatments,
)
from simulation.kinds.shipped import KINDS
from simulation.testing import kind_promises, treatment_promises
from simulation.testing.checks import CheckFailed


def broken_by(check, plug_in) -> list[str]:
    with pytest.raises(CheckFailed) as caught:
        check(plug_in)
    assert isinstance(caught.value, AssertionError) and str(caught.value).count("\n- ") == len(
        caught.value.broken
    )
    return caught.value.broken


# ---------------------------------------------------------------- treatments


@pytest.mark.parametrize("name", treatments.names())
def test_every_treatment_that_ships_keeps_every_promise(name):
    assert len(check_treatment(name)) >= 17


class Nurse(CellAgent):
    """A cell that a treatment brings along."""

    kind = "nurse"


NURSE = CellKind(
    "nurse",
    agent=Nurse,
    traits=(Trait("patience", start=1.0, spread=0.2, mutation=0.1),),
    rates={"move": 100.0, "death": 0.01},
    motile=True,
)


class Honest(Treatment):
    """Uses every hook as it is meant."""

    rate = Parameter(
        0.02, "1/hour", "hazard after a dose", source="assumed: to be tried", range=(0, 10)
    )
    schedule = Schedule(every="1 day")
    kinds = (NURSE,)

    def on_start(self, model):
        self.state["levels"] = np.zeros(3)

    def on_dose(self, model, dose):
        self.state["given"] = self.state.get("given", 0) + len(model.infuse("nurse", 3, by=self))
        model.kill(np.flatnonzero(model.rows("tumor_cell"))[:1])
        nurses = model.rows("nurse")
        model.cells["patience"][nurses] *= 0.5  # a trait that it brought itself

    def on_step(self, model):
        chance = model.randomness.uniform(
            f"treatments.{self.name}.who", model.clock, model.cells["name"]
        )
        self.state["chosen"] = (chance < 0.5) & model.rows("tumor_cell")
        self.state["levels"][model.clock % 3] = self.level(model, 8.0)
        if self.doses:
            model.add_hazard(self.rate, where=self.state["chosen"])

    def modify(self, rules, model):
        rules.division.scale(1.0 / (1.0 + self.level(model, 8.0)), kind="tumor_cell")

    def measure(self, model):
        return {"given": self.state.get("given", 0), "level": float(self.state["levels"].mean())}


def test_a_treatment_that_uses_every_hook_as_meant_keeps_every_promise():
    check_treatment(Honest)


class NeedsArguments(Treatment):
    """Cannot be constructed without arguments."""

    def __init__(self, strength):
        super().__init__()


class Careless(Treatment):
    rate = Parameter(1, "1/hour", "a rate", source="Nobody1999", range=(0, 2))
    schedule = "every 3 weeks"

    def on_doses(self, model, dose):
        """Its name is not that of the hook."""

    def __repr__(self):
        return "?"


class _Hidden(Treatment):
    """Its name begins with an underscore."""


class Stubborn(Treatment):
    """Loses the name and schedule it is given."""

    def __init__(self, name=None, schedule=None, **parameters):
        super().__init__(**parameters)


class WrongArguments(Treatment):
    """Its hooks take something else."""

    def on_dose(self, model):
        pass

    def modify(self, model, rules):
        pass


class Uncopyable(Treatment):
    """Holds what cannot be copied."""

    def __init__(self, **keywords):
        super().__init__(**keywords)
        self.lock = threading.Lock()


class Stale(Treatment):
    """Loses one parameter, and works out in its constructor what set() changes later."""

    rate = Parameter(1, "1/hour", "a rate", source="assumed: to be tried", range=(0, 2))
    lost = Parameter(1, "1/hour", "a rate", source="assumed: to be tried", range=(0, 2))

    def __init__(self, name=None, schedule=None, **parameters):
        super().__init__(
            name, schedule, **{key: value for key, value in parameters.items() if key != "lost"}
        )
        self.double = 2 * self.rate


class Brittle(Treatment):
    """Cannot live with the end of a range, nor without tumour cells, nor in 3-D."""

    half_life = Parameter(1, "hour", "half-life", source="assumed: to be tried", range=(0, 2))

    def modify(self, rules, model):
        rules.kill.scale(1.0 + self.level(model, self.half_life))

    def on_step(self, model):
        self.state["share"] = 1 / model.count("tumor_cell")

    def on_dose(self, model, dose):
        _, _ = model.shape


class ScalesAntigen(Treatment):
    """Writes the antigen of tumour cells instead of bending a rule."""

    def modify(self, rules, model):
        if self.doses:
            model.cells["antigen"][:] *= 0.99


class WarmsTheTissue(Treatment):
    """Writes a field."""

    def on_dose(self, model, dose):
        model.fields["oxygen"].values += 1.0


class TurnsAKnob(Treatment):
    """Sets a parameter of the model."""

    def on_dose(self, model, dose):
        model.parameters.set("tumor.division_rate", 0.1)


class Butcher(Treatment):
    """Kills past the verbs of the model, and at the wrong moment."""

    def on_step(self, model):
        model.cells["kind"][np.flatnonzero(model.rows("nk_cell"))[:1]] = -1

    def modify(self, rules, model):
        if self.doses:
            model.kill(np.flatnonzero(model.rows("tumor_cell"))[:1])


class Diarist(Treatment):
    """Remembers in attributes of its own."""

    seen = 0

    def modify(self, rules, model):
        self.seen += 1
        rules.kill.scale(1.0 + (self.seen % 3) * bool(self.doses))


class Gambler(Treatment):
    """Draws from the random numbers of the whole process."""

    def modify(self, rules, model):
        rules.kill.scale(1.0 + (np.random.random() + random.random()) * bool(self.doses))


class DrawsFromMesa(Treatment):
    """Draws from the model's own generator, which is not saved."""

    def modify(self, rules, model):
        rules.kill.scale(1.0 + model.random.random() * bool(self.doses))


class DrawsForOthers(Treatment):
    """Draws what decides about division."""

    def on_step(self, model):
        model.randomness.uniform("divide", model.clock, model.cells["name"])


class Shared(Treatment):
    """Remembers in the class what belongs to one model."""

    counts = {}

    def on_step(self, model):
        self.counts[model.seed] = self.counts.get(model.seed, 0) + 1
        if len(self.counts) > 1 and self.doses:
            model.add_hazard(0.5)


class Hoarder(Treatment):
    """Keeps a set in its state."""

    def on_dose(self, model, dose):
        self.state["names"] = {1, 2}


class Jealous(Treatment):
    """Looks at the list of treatments when it joins."""

    def on_start(self, model):
        self.state["place"] = len(model.treatments)

    def modify(self, rules, model):
        rules.division.scale(1.0 + self.state["place"] * bool(self.doses))


class Suspicious(Treatment):
    """Looks at how the rates of the model are laid out."""

    def modify(self, rules, model):
        rules.kill.scale(1.0 + model.rates.slot.any() * bool(self.doses))


class Eager(Treatment):
    """Acts without having been given."""

    def modify(self, rules, model):
        rules.kill.scale(2.0)


class Assigns(Treatment):
    """Assigns to a rule."""

    def modify(self, rules, model):
        rules.kill = 3.0


class NotANumber(Treatment):
    """Measures a mean over nobody."""

    def measure(self, model):
        vigour = 1.0 - model.cells["exhaustion"][model.rows("t_cell")]
        return {"vigour": float(vigour.sum() / len(vigour)) if len(vigour) else float("nan")}


class MeasuresText(Treatment):
    """Returns something else than numbers."""

    def measure(self, model):
        return "fine"


@cache
def faults(treatment) -> list[str]:
    return broken_by(check_treatment, treatment)


BAD = {
    NeedsArguments: [r"cannot be constructed without arguments .*strength"],
    Careless: [
        r"first line of its docstring",
        r"'Nobody1999' of parameter rate is not known: name a key",
        r"schedule is 'every 3 weeks': write schedule = Schedule\(",
        r"on_doses\(\) is never called by the model \(did you mean 'on_dose'\?\)",
        r"repr\(\) gives '\?'",
    ],
    _Hidden: [r"cannot be constructed .*letters, digits and underscores"],
    Stubborn: [r"named 'another_name' and calls itself 'stubborn'", r"keeps its own schedule"],
    WrongArguments: [
        r"on_dose\(\) takes \(model\): write def on_dose\(self, model, dose\)",
        r"modify\(\) takes \(model, rules\): write def modify\(self, rules, model\)",
    ],
    Uncopyable: [r"copy\(\) raises TypeError"],
    Stale: [r"the constructor loses lost = 0", r"self.double does not follow rate"],
    Brittle: [
        r"modify\(\) raises ScheduleError.*, with half_life = 0 hour",
        r"on_step\(\) raises ZeroDivisionError.*, without tumour cells",
        r"on_dose\(\) raises ValueError.*, in 3-D",
    ],
    ScalesAntigen: [r"modify\(\) changes the cell table \(antigen\).*bend a rule"],
    WarmsTheTissue: [r"on_dose\(\) changes the fields \(oxygen\).*rules.supply"],
    TurnsAKnob: [r"on_dose\(\) changes the parameters \(tumor.division_rate\)"],
    Butcher: [
        r"on_step\(\) changes the cell table \(kind\)",
        r"modify\(\) calls model.kill, which is no moment to change cells",
    ],
    Diarist: [
        r"modify\(\) changes attributes of its own \(seen\).*self.state",
    ],
    Gambler: [
        r"modify\(\) changes the random numbers of others \(random, numpy.random\).*uniform\('treatments.gambler.",
        r"two runs with one seed differ",
    ],
    DrawsFromMesa: [
        r"modify\(\) changes the random numbers of others \(model.random\)",
        r"when the model is saved and loaded, the run goes on differently",
    ],
    DrawsForOthers: [
        r"draws for the purpose 'divide', .* own: write 'treatments.draws_for_others.divide'"
    ],
    Shared: [r"a second model beside the first changes"],
    Hoarder: [r"cannot be saved: its state holds \{1, 2\}"],
    Jealous: [r"the order of the list of treatments changes"],
    Suspicious: [r"multiplies every rule by one it changes .*look neither at model.rates"],
    Eager: [r"although its first dose has not been given"],
    Assigns: [
        r"modify\(\) raises RuleError: rules.kill cannot be assigned to: write rules.kill.scale\(3.0\)"
    ],
    NotANumber: [
        r"measure\(\) returns vigour = nan, which is no finite number, without immune cells"
    ],
    MeasuresText: [r"measure\(\)"],
}
ONE_FAULT = [
    NeedsArguments,
    _Hidden,
    ScalesAntigen,
    WarmsTheTissue,
    TurnsAKnob,
    Hoarder,
    Jealous,
    Eager,
    Assigns,
    NotANumber,
    DrawsForOthers,
]


@pytest.mark.parametrize("bad", BAD, ids=lambda cls: cls.__name__)
def test_every_broken_promise_of_a_treatment_is_found_and_told_in_a_sentence(bad):
    broken = faults(bad)
    for words in BAD[bad]:
        assert [sentence for sentence in broken if re.search(words, sentence)], (words, broken)
    assert all("\n" not in sentence for sentence in broken) and len(set(broken)) == len(broken)
    assert bad not in ONE_FAULT or len(broken) == 1, (
        f"one fault is told once and nothing else is blamed, not {broken}"
    )


def test_a_treatment_made_inside_a_function_is_told_to_move():
    class Local(Treatment):
        """Lives in a function."""

    broken = broken_by(check_treatment, Local)
    assert len(broken) == 1 and "at the top of a module that can be imported" in broken[0]


def test_a_treatment_of_the_running_script_is_warned_about(monkeypatch):
    monkeypatch.setattr(Honest, "__module__", "__main__")
    monkeypatch.setattr("__main__.Honest", Honest, raising=False)
    with pytest.warns(UserWarning, match="move it into a module of its own"):
        check_treatment(Honest)


def test_what_is_no_treatment_is_refused():
    assert "class Drug(Treatment)" in broken_by(check_treatment, Nurse)[0]
    with pytest.raises(ValueError, match="pembrolizumab"):
        check_treatment("pembrolizumap")


def test_checking_leaves_nothing_behind():
    np.random.seed(3)
    before, state = np.random.get_state()[1].tobytes(), random.getstate()
    check_treatment("car_t")
    assert np.random.get_state()[1].tobytes() == before and random.getstate() == state


# ---------------------------------------------------------------- kinds


@pytest.mark.parametrize("kind", [*KINDS, NURSE], ids=lambda kind: kind.name)
def test_every_kind_that_ships_keeps_every_promise(kind):
    assert len(check_cell_kind(kind)) == len(kind_promises.PROMISES)


class Ghost(CellAgent):
    kind = "ghost"


class Impostor(CellAgent):
    """Says it is something else."""

    kind = "t_cell"


class Moody(CellAgent):
    """Hides a trait behind an attribute."""

    kind = "moody"
    temper = 3.0


class Sterile(CellAgent):
    """Changes what every cell has."""

    kind = "sterile"


UNKNOWN_RATE = CellKind(
    "sterile", agent=Sterile, rates={"death": "sterile.death_rate", "move": float("inf")}
)
ODD_TRAITS = CellKind(
    "sterile", agent=Sterile, traits=(Trait("site"), Trait("greed", start=5.0, high=1.0, loss=2.0))
)
STRANGERS = CellKind(
    "sterile", agent=Sterile, engages={"tumour_cell": "peptide"}, engaged_by={"t_cell": "peptid"}
)
IMPOSTOR = CellKind("impostor", agent=Impostor)
GHOST = CellKind("ghost", agent=Ghost)
MOODY = CellKind("moody", agent=Moody, traits=(Trait("temper", start=0.5),))
CROWDED = CellKind("sterile", agent=Sterile, column="deaths")
LOCAL = [CellKind("sterile", agent=Sterile)]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (UNKNOWN_RATE, r"the rate death = 'sterile.death_rate' is no parameter \("),
        (UNKNOWN_RATE, r"the rate move = inf is not allowed"),
        (ODD_TRAITS, r"a trait cannot be called 'site'"),
        (
            ODD_TRAITS,
            r"the start of trait greed = 5.0 is not allowed: it must be a finite number between 0 and 1",
        ),
        (ODD_TRAITS, r"loss of trait greed = 2.0"),
        (STRANGERS, r"engages names an unknown kind 'tumour_cell' \(did you mean 'tumor_cell'"),
        (STRANGERS, r"engaged_by names an unknown recognition 'peptid' \(did you mean 'peptide'"),
        (
            IMPOSTOR,
            r"its agent says it is of kind 't_cell': write class Impostor\(CellAgent\): kind = 'impostor'",
        ),
        (GHOST, r"Ghost has no docstring"),
        (MOODY, r"Moody.temper hides the trait 'temper'"),
        (CROWDED, r"its column 'deaths' is taken"),
        (LOCAL[0], r"it is no constant of module '.*test_testing'.*write there STERILE = CellKind"),
        ("t_cell", r"is not a CellKind"),
    ],
)
def test_a_broken_promise_of_a_kind_is_found_and_told_in_a_sentence(kind, words):
    broken = broken_by(check_cell_kind, kind)
    assert [sentence for sentence in broken if re.search(words, sentence)], broken


# ---------------------------------------------------------------- as tests of pytest


class Forgetful(Treatment):
    """Says nothing of what it does to cells, and calls its own number by no source."""

    schedule = "daily"


def cases(*plug_ins) -> dict:
    """Name of a test -> what it tries."""
    return {case.id: case.values[0] for case in parametrize_with_promises(*plug_ins).args[1]}


def test_each_promise_is_a_test_with_a_name_of_its_own():
    found = cases("placebo", Honest, NURSE)
    assert {"Placebo-resumable", "Honest-resumable", "nurse-resumable"} <= set(found)
    assert len(found) == 2 * len(treatment_promises.PROMISES) + len(kind_promises.PROMISES)


def test_a_broken_promise_fails_its_own_test_alone():
    found = cases(Forgetful)
    with pytest.raises(CheckFailed, match=r"Forgetful breaks a promise:\n- .*schedule"):
        found["Forgetful-scheduled"]()
    assert found["Forgetful-described"]() == [treatment_promises.described.__doc__]


def test_what_has_no_promises_is_refused_before_any_test():
    for wrong in (int, 3, "no_such_drug"):
        with pytest.raises(ValueError if wrong == "no_such_drug" else CheckFailed):
            parametrize_with_promises(wrong)
