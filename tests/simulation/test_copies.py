"""Forks, saved models and copies: what constructors and users set comes along, and the code in use is the code in use."""

import json
import sys
from dataclasses import dataclass
from types import SimpleNamespace

import mesa
import numpy as np
import pytest

from simulation import (
    CellAgent,
    CellKind,
    CheckFailed,
    Process,
    Schedule,
    Treatment,
    TumorModel,
    check_cell_kind,
    check_treatment,
    state,
)
from simulation.errors import StateError
from simulation.state import NOW, RESULTS
from tests.simulation.test_reproducibility import assert_same_state, steps


class Aimed(Treatment):
    """Kills one kind of cell, as its constructor is told."""

    schedule = Schedule(every="8 hours")

    def __init__(self, target="tumor_cell", hazard=0.05, name=None, schedule=None, **parameters):
        super().__init__(name, schedule, **parameters)
        self.target, self.hazard = target, hazard

    def modify(self, rules, model):
        rules.death.add(self.hazard * self.level(model, 8.0), kind=self.target)


class Needy(Treatment):
    """Has an argument without default."""

    def __init__(self, dose, **keywords):
        super().__init__(**keywords)
        self.amount = dose


@dataclass(frozen=True)
class Plan:
    """Something that does not change."""

    days: int


class Walker(mesa.Agent):
    """A plain agent whose constructor takes more than the model, and that knows another agent."""

    def __init__(self, model, stride, friend=None):
        super().__init__(model)
        self.stride, self.friend, self.walked = stride, friend, 0

    def state(self):
        return {"walked": self.walked}

    def restore(self, state):
        self.walked, self.friend = state["walked"], None


class Loner(Walker):
    """Does not think of its friend."""

    def restore(self, state):
        self.walked = state["walked"]


class Nurse(CellAgent):
    """A cell of no consequence."""

    kind = "nurse"


def look(model):
    """A process that does nothing."""


class Dosed(TumorModel):
    """A model with a constructor of its own, which looks at what it was told in every step."""

    def __init__(self, drug_dose=1.0, seed=None):
        self.early = ["before", (1, 2)]
        super().__init__(shape=(21, 21), seed=seed, tumor_cells=40, immune_cells=False)
        self.drug_dose, self.seen = drug_dose, np.zeros(2)

    @property
    def measures(self):
        return super().measures | {
            "drug_dose": getattr(self, "drug_dose", 0.0),
            "length": len(self.early),
        }

    def step(self):
        super().step()
        self.seen = self.seen + self.drug_dose


NURSE, LOOK = CellKind("nurse", agent=Nurse), Process("look", after="die", run=look)
VALUES = [
    1,
    2.5,
    True,
    None,
    "text",
    (1, (2, 3)),
    [1, [2.0]],
    {"a": {"b": 1}},
    np.arange(3),
    np.array(["x", "yz"]),
    np.float32(0.1),
    np.array(3.0),
    np.int8(4),
    np.array([[1 + 2j]]),
    float("inf"),
    {},
    (),
    "",
    Schedule(every="3 weeks", times=4),
]
SHARED = [look, Plan, Plan(3), NURSE, {1: "a number as key"}]
REFUSED = [{1, 2}, object(), SimpleNamespace(a=1), np.array([object()]), [[{"a": {3}}]]]


def small(*treatments, **keywords):
    return TumorModel(
        shape=(21, 21),
        seed=3,
        tumor_cells=60,
        treatments=treatments,
        **{"overrides": {"t_cell.initial_density": 300}} | keywords,
    )


def equal(one, other):
    if isinstance(one, np.ndarray | np.generic):
        return (
            type(one) is type(other)
            and one.dtype == other.dtype
            and np.array_equal(one, other)
            and one.shape == other.shape
        )
    return type(one) is type(other) and one == other


def changeable(value) -> set[int]:
    """Whatever can be changed in a value, however deep: lists, tables and arrays, by identity."""
    inside = (
        value.values()
        if isinstance(value, dict)
        else value
        if isinstance(value, list | tuple)
        else ()
    )
    own = {id(value)} if isinstance(value, list | dict | np.ndarray) else set()
    return own.union(*map(changeable, inside))


def ways(model, folder):
    """The model forked, and saved and loaded."""
    model.save(folder / "model")
    return model.fork(), type(model).load(folder / "model")


# ---------------------------------------------------------------- what is set


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_what_a_constructor_sets_survives_copy_fork_save_and_load(value, tmp_path):
    model = steps(small(Needy(value, name="now")), 1)
    model.give(Needy(value, name="later"))
    now, twins = model.treatments["now"], ways(model, tmp_path)
    pairs = [
        (now, now.copy()),
        *((now, each.treatments["now"]) for each in twins),
        *((model.regimen.pending[0][1], each.regimen.pending[0][1]) for each in twins),
    ]
    for origin, drug in pairs:
        assert type(drug) is Needy and equal(drug.amount, value), drug.amount
        assert not changeable(drug.amount) & changeable(origin.amount), (
            "a copy of its own, to its innermost list"
        )


@pytest.mark.parametrize("value", SHARED, ids=lambda value: type(value).__name__)
def test_code_and_what_is_frozen_is_shared_by_forks_and_is_no_part_of_a_file(value, tmp_path):
    model = steps(small(Needy(value)), 1)
    assert model.fork().treatments["needy"].amount == value
    with pytest.raises(
        StateError,
        match="treatment needy cannot be saved: its amount holds .*, allowed are numbers",
    ):
        model.save(tmp_path / "model")
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("value", REFUSED, ids=lambda value: type(value).__name__)
def test_what_cannot_come_along_is_refused_in_one_sentence(value, tmp_path):
    treated, own = steps(small(Needy(value)), 1), Dosed(seed=1)
    own.more = value
    for model, what in (
        (treated, "treatment needy cannot be {}: its amount"),
        (own, "Dosed cannot be {}: its more"),
    ):
        with pytest.raises(StateError, match=what.format("forked") + " holds") as error:
            model.fork()
        assert "\n" not in str(error.value) and len(str(error.value)) < 250
        with pytest.raises(StateError, match=what.format("saved") + " holds"):
            model.save(tmp_path / "model")


def test_a_treatment_aimed_elsewhere_stays_aimed_there(tmp_path):
    """Forked, and loaded, it does what the one that was never stopped does, which is not what the default does."""
    model = steps(small(Aimed(target="t_cell", hazard=0.2)), 4)
    twins = ways(model, tmp_path)
    steps(model, 20)
    for twin in twins:
        assert twin.treatments["aimed"].target == "t_cell"
        assert steps(twin, 20).counts() == model.counts()
    assert model.counts() != steps(small(Aimed(hazard=0.2)), 24).counts(), "the target matters"


def test_a_source_that_was_given_with_a_value_comes_along(tmp_path):
    drug = Needy(1)
    drug.override("first_dose", 2, "assumed: for a test")
    model = steps(small(drug), 1)
    for each in ways(model, tmp_path):
        assert each.treatments["needy"].source("first_dose") == "assumed: for a test"


MADE_ANEW = {
    *(
        "arm",
        "disease",
        "dt",
        "liquid",
        "parameters",
        "seed",
        "shipped_kinds",
    ),  # told to the new one
    *("kinds", "lattice", "randomness", "rates", "rules", "verbs", "step"),  # follow from these
    *("datacollector", "results"),  # a fork begins its own; a saved model has files of their own
}
"""Attributes of a model that are neither parts nor of the moment."""


def test_nothing_of_a_model_is_forgotten_when_it_is_saved():
    """A new attribute is a part, is of the moment, or stands in the list above with a reason; Mesa's own have none."""
    named = {*TumorModel.parts, *NOW} | MADE_ANEW
    mesas_own = set(vars(mesa.Model())) - named
    assert {name for name in vars(small()) if not name.startswith("_")} - mesas_own == named
    for part in TumorModel.parts:
        assert hasattr(getattr(small(), part), "state") and hasattr(
            getattr(small(), part), "restore"
        )


# ---------------------------------------------------------------- check_treatment


def test_check_treatment_tries_other_arguments_of_the_constructor():
    assert (
        "What its constructor was told survives when it is copied, forked, or saved and loaded."
        in check_treatment(Aimed)
    )


def test_check_treatment_sees_what_a_fork_or_a_file_would_lose(monkeypatch):
    def by_its_constructor(cls, table, read):
        return cls(name=table["name"], schedule=table["schedule"], **table["parameters"])

    for module in ("treatments.regimen", "testing.treatment_promises"):
        monkeypatch.setattr(f"simulation.{module}.treatment_from", by_its_constructor)
    with pytest.raises(CheckFailed) as caught:
        check_treatment(Aimed)
    for way in ("forked", "saved and loaded"):
        assert [
            told for told in caught.value.broken if f"when it is {way}, it loses target" in told
        ], caught.value.broken


ELSEWHERE = {}


class Aside(Treatment):
    """Keeps what it was told outside itself."""

    schedule = Schedule(every="8 hours")

    def __init__(self, hazard=0.05, **keywords):
        super().__init__(**keywords)
        ELSEWHERE[id(self)] = hazard

    def modify(self, rules, model):
        rules.death.add(ELSEWHERE.get(id(self), 0.05) * bool(self.doses))


class Recast(Treatment):
    """Copies itself with the defaults of its constructor."""

    def __init__(self, strength=1.0, name=None, schedule=None, **parameters):
        super().__init__(name, schedule, **parameters)
        self.strength = strength

    def copy(self):
        return type(self)(name=self.name, schedule=self.schedule, **self.changed())


@pytest.mark.parametrize(
    ("treatment", "words"),
    [
        (
            Aside,
            "its argument hazard leaves no trace in it: keep it as an attribute, self.hazard = hazard",
        ),
        (Recast, "when it is copied, it loses strength: leave copy to Treatment"),
    ],
)
def test_check_treatment_finds_arguments_that_are_lost(treatment, words):
    with pytest.raises(CheckFailed, match=words):
        check_treatment(treatment)


# ---------------------------------------------------------------- the code in use


def redefined(cls):
    return type(
        cls.__name__,
        (cls,),
        {"__module__": cls.__module__, "__qualname__": cls.__qualname__, "__doc__": "Again."},
    )


def with_nurse():
    return small(cell_kinds=[NURSE])


def with_look():
    return small(processes=[LOOK])


def with_walker():
    model = small(immune_cells=False)
    model.place(Walker(model, 3), (0, 0))
    return model


USES = {
    "a treatment": (
        lambda: steps(small(Aimed()), 1),
        "Aimed",
        lambda model: type(model.treatments["aimed"]),
    ),
    "a treatment to come": (
        lambda: small(Aimed()),
        "Aimed",
        lambda model: type(model.regimen.pending[0][1]),
    ),
    "a kind": (with_nurse, "NURSE", lambda model: model.kinds["nurse"]),
    "a process": (with_look, "LOOK", lambda model: model.processes["look"]),
    "a visitor": (with_walker, "Walker", lambda model: type(model.visitors()[0])),
}


@pytest.mark.parametrize("what", USES)
def test_a_fork_uses_the_very_code_of_its_origin_whatever_its_name_means_by_now(
    what, monkeypatch, tmp_path
):
    build, name, used = USES[what]
    model, here = build(), sys.modules[__name__]
    original = getattr(here, name)
    assert used(ways(model, tmp_path)[1]) is original
    again = redefined(original) if isinstance(original, type) else type(original)(**vars(original))
    monkeypatch.setattr(here, name, again)
    assert used(model.fork()) is original
    with pytest.raises(
        StateError, match="cannot be saved: .*(defined again|make it a constant)"
    ) as error:
        model.save(tmp_path / "redefined")
    assert "\n" not in str(error.value) and not (tmp_path / "redefined").exists()
    monkeypatch.delattr(here, name)
    assert used(model.fork()) is original
    with pytest.raises(StateError, match="cannot be saved"):
        model.save(tmp_path / "gone")


@pytest.mark.parametrize("what", USES)
def test_code_of_the_running_script_can_be_forked_and_checked_but_not_saved(
    what, monkeypatch, tmp_path
):
    build, name, used = USES[what]
    model, thing = build(), globals()[name]
    code = {"NURSE": Nurse, "LOOK": look}.get(name, thing)
    monkeypatch.setattr(code, "__module__", "__main__")
    monkeypatch.setattr(f"__main__.{name}", thing, raising=False)
    assert used(model.fork()) is thing
    with pytest.raises(
        StateError,
        match="cannot be saved: it is defined in the running script.*move it into a module",
    ):
        model.save(tmp_path / "model")
    assert not any(tmp_path.iterdir())
    if check := {"NURSE": check_cell_kind, "Aimed": check_treatment}.get(
        name if what != "a treatment to come" else ""
    ):
        with pytest.warns(UserWarning, match="move it into a module of its own"):
            assert len(check(thing)) > 10


def test_a_class_inside_a_class_is_found_again(tmp_path):
    class Here:
        pass

    Here.Drug = type(
        "Drug",
        (Treatment,),
        {"__module__": __name__, "__qualname__": "Aimed.Drug", "__doc__": "Inside."},
    )
    Aimed.Drug = Here.Drug
    try:
        assert all(
            type(each.treatments["drug"]) is Here.Drug
            for each in ways(steps(small(Here.Drug()), 1), tmp_path)
        )
    finally:
        del Aimed.Drug


def test_a_plain_agent_keeps_what_its_constructor_was_told(tmp_path):
    model = small(immune_cells=False)
    friend = Walker(model, 1)
    model.place(Walker(model, stride=5, friend=friend), (0, 0))
    for each in ways(model, tmp_path):
        assert [walker.stride for walker in each.visitors()] == [1, 5]
    Loner(model, 2, friend)
    with pytest.raises(
        StateError, match=r"Loner.friend does not come along.*let restore\(\) set it"
    ):
        model.fork()


# ---------------------------------------------------------------- models with a constructor of their own


def test_a_model_with_a_constructor_of_its_own_is_forked_saved_and_loaded(tmp_path):
    model = steps(Dosed(2.0, seed=1), 3)
    model.note, model.weights = "mine", np.arange(3.0)
    for twin in ways(model, tmp_path):
        assert (
            type(twin) is Dosed
            and (twin.drug_dose, twin.note) == (2.0, "mine")
            and twin.early == ["before", (1, 2)]
        )
        assert np.array_equal(twin.weights, model.weights) and twin.weights is not model.weights
        assert twin.count("tumor_cell") == model.count("tumor_cell") and twin.seen.tolist() == [
            6.0,
            6.0,
        ]
        assert steps(twin, 2).seen.tolist() == [10.0, 10.0] and twin.fork().fork().drug_dose == 2.0
    assert model.seen.tolist() == [6.0, 6.0]
    twin = Dosed.load(tmp_path / "model")
    assert_same_state(steps(model, 5), steps(twin, 5), "the saved one goes on")
    assert model.results.timeseries.equals(twin.results.timeseries)


def test_a_fork_collects_what_its_origin_collects_from_now_on():
    model = Dosed(2.0, seed=1)
    model.datacollector = mesa.DataCollector(
        {"dose": lambda model: model.drug_dose, "seed": "seed"},
        {"kind": "kind"},
        tables={"marks": ["day"]},
    )
    fork = steps(model, 2).fork()
    found = steps(fork, 3).datacollector.get_model_vars_dataframe()
    assert (
        found.values.tolist() == [[2.0, 1]] * 3 and len(model.datacollector.model_vars["dose"]) == 2
    )
    assert set(fork.datacollector.get_agent_vars_dataframe()["kind"]) == {"tumor_cell"}
    assert list(fork.datacollector.get_table_dataframe("marks")) == ["day"]


def test_a_saved_model_is_read_by_its_own_class(tmp_path):
    Dosed(seed=1).save(tmp_path / "own")
    small().save(tmp_path / "plain")
    with pytest.raises(
        StateError, match="holds a Dosed: read it with Dosed.load, not TumorModel.load"
    ):
        TumorModel.load(tmp_path / "own")
    with pytest.raises(StateError, match="holds a TumorModel"):
        Dosed.load(tmp_path / "plain")


# ---------------------------------------------------------------- the rules that made it


@pytest.mark.parametrize("number", [RESULTS + 1, RESULTS - 1, None, "2"])
def test_a_state_made_by_rules_that_give_other_numbers_is_refused(number, tmp_path, monkeypatch):
    monkeypatch.setattr(state, "RESULTS", number)
    small().save(tmp_path / "model")
    monkeypatch.undo()
    if number is None:  # as version 0.1 wrote it
        found = json.loads((tmp_path / "model" / "state.json").read_text())
        assert state.other_rules({key: value for key, value in found.items() if key != "results"})
    with pytest.raises(
        StateError, match=f"rules of this version .{RESULTS}. give the same seed other numbers"
    ) as error:
        TumorModel.load(tmp_path / "model")
    assert str(tmp_path) in str(error.value) and "\n" not in str(error.value)
