"""A parameter that no rule reads is a defect, and a value without a source is another."""

import pytest

from simulation import Parameter, ParameterGroup, TumorModel, parameter_sets, treatments
from simulation.parameter_sets.groups import all_groups
from simulation.parameters.bibliography import is_known, keys_in
from simulation.state import taken_apart
from tests.simulation.kinds.macrophage import Opsonin

LIVELY = {
    "t_cell.initial_density": 200,
    "car_t_cell.initial_density": 100,
    "nk_cell.initial_density": 100,
    "recruitment.delay": 0.2,
    "recruitment.rim_share": 0.2,
    "nk_cell.capacity": 1,
    "tumor.mhc": 0.3,
    "tumor.initial_cells": 300,
}

BATTLE = {
    **LIVELY,
    "tumor.division_rate": 2,
    "tumor.death_rate": 0.5,
    "tumor.necrosis_threshold": 30,
    "tumor.antigen_loss": 0.01,
    "tumor.mhc_loss": 0.01,
    "tumor.mhc_halving": 0.01,
    "tumor.car_target_loss": 0.01,
    "recruitment.vessel_density": 200,
    **{
        f"{group}.{name}": value
        for group in ("t_cell", "car_t_cell", "nk_cell")
        for name, value in {
            "base_influx": 50,
            "influx_gain": 100,
            "division_rate": 3,
            "division_limit": 0,
            "il2_secretion": 5,
            "il2_drive": 0.5,
            "exhaustion_rate": 2,
            "fixation_rate": 0.5,
        }.items()
    },
}


@pytest.fixture(scope="module")
def read():
    """(group class, parameter) read by a rule in short runs, flat and liquid, with every treatment.

    Reading begins after the table of parameters has been written down, which reads them all.
    """
    Parameter.trace = set()
    try:
        for liquid in (False, True):
            model = TumorModel(
                "mouse_b16",
                shape=(31, 31),
                seed=1,
                treatments=treatments.names(),
                liquid=liquid,
                overrides=LIVELY,
            )
            for _ in range(24):
                model.step()
        return frozenset(Parameter.trace)
    finally:
        Parameter.trace = None


GROUPS = [type(group) for group in all_groups().groups().values()] + [
    treatments.find(name) for name in treatments.names()
]


def declared():
    return [
        pytest.param(group, name, id=f"{group.__name__}.{name}")
        for group in GROUPS
        for name in group.parameters()
    ]


@pytest.mark.parametrize(("group", "name"), declared())
def test_every_parameter_is_read_by_a_rule(read, group, name):
    assert (group.__name__, name) in read, (
        f"no rule reads {name} of {group.__name__}: remove it or use it"
    )


@pytest.fixture(scope="module")
def still():
    return signature({})


def signature(overrides):
    """The final state of a lively little run, as bytes."""
    model = TumorModel(
        "mouse_b16",
        shape=(25, 25),
        seed=2,
        overrides={**BATTLE, **overrides},
        treatments=["pembrolizumab", "aldesleukin", Opsonin(strength=0.3)],
    )
    for _ in range(30):
        model.step()
    return {name: array.tobytes() for name, array in taken_apart(model)[0].items()}


@pytest.mark.parametrize("dotted", all_groups().names())
def test_every_parameter_changes_a_run(still, dotted):
    """Moved within its range, each parameter leaves its mark on a day of a lively tissue."""
    parameter = all_groups().parameter(dotted)
    value = BATTLE.get(
        dotted, TumorModel(shape=(3, 3), tumor_cells=0, parameters="mouse_b16").parameters[dotted]
    )
    tried = [2 * value, parameter.high, parameter.low]
    for other in tried:
        if (
            parameter.low <= other <= parameter.high
            and other != value
            and signature({dotted: other}) != still
        ):
            return
    raise AssertionError(f"{dotted} may be {value} or {tried}: nothing changes")


def test_a_parameter_that_nobody_reads_would_be_found():
    class Idle(ParameterGroup):
        used = Parameter(1, "1", "read", source="assumed: for a test", range=(0, 2))
        idle = Parameter(1, "1", "never read", source="assumed: for a test", range=(0, 2))

    Parameter.trace = set()
    try:
        idle = Idle()
        assert idle.used == 1 and idle.table("idle") and idle.copy()
        assert Parameter.trace == {("Idle", "used")}, "tables and copies are no reading"
    finally:
        Parameter.trace = None


@pytest.mark.parametrize("name", parameter_sets.names())
def test_every_value_of_a_set_has_a_source(name):
    """A key of the bibliography, or "assumed" with its reason; a unit and a range that holds the value."""
    for row in parameter_sets.find(name).parameters().table():
        check_row(row)


@pytest.mark.parametrize("name", treatments.names())
def test_every_value_of_a_treatment_has_a_source(name):
    for row in treatments.build(name).table():
        check_row(row)


def check_row(row):
    source = row["source"]
    assert keys_in(source) or source.startswith("assumed: "), (
        f"{row['name']}: {source!r} is neither a paper nor an assumption"
    )
    assert all(is_known(key) for key in keys_in(source)), (
        f"{row['name']}: {source!r} is not in the bibliography"
    )
    if source.startswith("assumed: "):
        assert len(source) > len("assumed: ") + 3, f"{row['name']}: the assumption has no reason"
    assert row["meaning"] and row["low"] <= row["value"] <= row["high"], row["name"]


def test_papers_relied_on_are_cited():
    cited = TumorModel(shape=(9, 9), tumor_cells=0, treatments=["car_t"], seed=1)
    cited.step()
    assert any("Weigelin" in reference for reference in cited.citations())
    assert len(set(cited.citations())) == len(cited.citations())
