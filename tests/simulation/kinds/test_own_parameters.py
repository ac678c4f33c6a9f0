"""A kind of cell brings parameters and processes of its own, whenever it comes."""

import dataclasses

import numpy as np
import pytest

from simulation import (
    CellAgent,
    CellKind,
    Parameter,
    ParameterGroup,
    Process,
    TumorModel,
    assumed,
    check_cell_kind,
    parametrize_with_promises,
)
from simulation.errors import TumorLabError
from simulation.kinds.kind import KindError
from simulation.parameters.parameter import UnknownParameter
from simulation.results.results import COLUMNS
from simulation.testing.checks import CheckFailed
from tests.phagocyte import PHAGOCYTE, TALLY, Bringer, Phagocyte, polarise
from tests.simulation.test_reproducibility import assert_same_state, steps

SMALL = {"shape": (31, 31), "seed": 4, "tumor_cells": 150}


@parametrize_with_promises(PHAGOCYTE)
def test_the_phagocyte(promise):
    promise()


@pytest.mark.parametrize("rate", [0.0, 0.25, 5.0])
def test_its_process_reads_its_own_parameter(rate):
    """M2 follows 1 - exp(-rate t) to the last digits, for every value that is set."""
    model = TumorModel(**SMALL, cell_kinds=[PHAGOCYTE], overrides={"phagocyte.polarisation": rate})
    cell = Phagocyte(model)
    steps(model, 12)
    assert cell.m2 == pytest.approx(1 - np.exp(-rate / 2), rel=1e-9)


def test_its_rates_follow_what_is_set():
    """Twice the influx brings more, none brings none; keyed draws leave the other kinds at the door alone."""
    found = {}
    for influx in (0, 100, 200):
        model = TumorModel(
            **SMALL,
            cell_kinds=[PHAGOCYTE],
            overrides={"phagocyte.influx": influx, "phagocyte.appetite": 0},
        )
        found[influx] = steps(model, 24).measures["phagocytes"]
    assert found[0] == 0
    extent = TumorModel(**SMALL).lattice.extent
    for influx in (100, 200):
        mean = influx * extent
        assert abs(found[influx] - mean) < 4 * np.sqrt(mean), f"{found[influx]}, not {mean:.1f}"


def test_its_parameters_are_found_by_dotted_name_and_their_sources_are_cited():
    with pytest.raises(UnknownParameter, match="did you mean 'phagocyte.speed'"):
        TumorModel(**SMALL, cell_kinds=[PHAGOCYTE], overrides={"phagocyte.sped": 1})
    with pytest.raises(TumorLabError, match="'phagocyte.speed'"):
        TumorModel(**SMALL, overrides={"phagocyte.speed": 1})
    model, plain = TumorModel(**SMALL, cell_kinds=[PHAGOCYTE]), TumorModel(**SMALL)
    named = {row["name"]: row["source"] for row in model.parameters.table()}
    assert named["phagocyte.polarisation"] == "QSPIO: M1 to M2"
    assert model.results.provenance["parameters"]["phagocyte.speed"] == 2
    assert model.results.provenance["kinds"]["phagocyte"]["column"] == "phagocytes"
    assert "kinds" not in plain.results.provenance
    assert list(plain.measures) == [name for name in COLUMNS if name != "arm"], "no column more"
    assert {*model.measures} - {*plain.measures} == {"phagocytes", "kills_by_phagocyte"}


def test_a_treatment_brings_them_now_or_later(tmp_path):
    """What is set for a kind to come is known from the start, saved while it waits, and in force when it joins."""
    early = TumorModel(
        **SMALL, treatments=[Bringer()], overrides={"phagocyte.polarisation": "5 1/day"}
    )
    assert "phagocyte" not in early.kinds.names
    early.save(tmp_path / "waiting")
    loaded, fork = TumorModel.load(tmp_path / "waiting"), early.fork()
    for model in (early, loaded, fork):
        assert model.parameters["phagocyte.polarisation"] == 5
        steps(model, 12)
        assert "polarise" in model.processes
        assert model.results.provenance["kinds"].keys() == {"phagocyte"}
    assert_same_state(early, loaded, "loaded")
    late = steps(TumorModel(**SMALL), 6)
    late.give(Bringer())
    late.parameters["phagocyte.influx"] = 900
    assert steps(late, 12).count("phagocyte") > 0
    assert "phagocyte.influx" in late.results.provenance["parameters"]


def test_a_fork_is_joined_by_kinds_and_processes_of_its_own():
    trunk = steps(TumorModel(**SMALL), 6)
    fork = trunk.fork(
        cell_kinds=[PHAGOCYTE], processes=[TALLY], overrides={"phagocyte.influx": 900}
    )
    assert fork.measures["phagocytes"] == 0 and "phagocytes" in fork.results.timeseries
    assert steps(fork, 6).count("phagocyte") > 0 and fork.process_state["tally"]["steps"] == 6
    assert "phagocyte" not in trunk.kinds.names
    with pytest.raises(TumorLabError, match=r"'tumor.division_rate' belongs to no kind"):
        trunk.fork(cell_kinds=[PHAGOCYTE], overrides={"tumor.division_rate": 1})


def test_processes_go_on_in_the_order_in_which_they_joined(tmp_path):
    """Two processes after one verb need their order; one that came before a kind still runs before the kind's."""
    model = TumorModel(**SMALL, processes=[TALLY])
    model.add_kind(PHAGOCYTE)
    assert [*model.processes] == ["tally", "polarise"]
    model.save(tmp_path / "model")
    for other in (model.fork(), TumorModel.load(tmp_path / "model")):
        assert [*other.processes] == ["tally", "polarise"]


class Numbers(ParameterGroup):
    """One number that nothing reads."""

    idle = Parameter(1, "1", "nothing", range=(0, 2), source=assumed("for a test"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"parameters": Numbers()}, "is not a subclass of simulation.ParameterGroup"),
        ({"parameters": dict}, "is not a subclass of simulation.ParameterGroup"),
        ({"processes": [polarise]}, "which is not a simulation.Process"),
    ],
)
def test_what_is_brought_wrongly_is_one_sentence(change, said):
    with pytest.raises(KindError, match=said):
        dataclasses.replace(PHAGOCYTE, **change)


@pytest.mark.parametrize("name", ["tumor", "fields", "names"])
def test_parameters_cannot_take_the_place_of_others(name):
    agent = type("Other", (CellAgent,), {"kind": name, "__doc__": "Another."})
    with pytest.raises(KindError, match=name):
        TumorModel(**SMALL, cell_kinds=[CellKind(name, agent, parameters=Numbers)])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"processes": ()}, "nothing reads phagocyte.polarisation"),
        ({"processes": (Process("polarise", after="dance", run=polarise),)}, "is no verb"),
    ],
)
def test_the_promises_cover_parameters_and_processes(change, said):
    with pytest.raises(CheckFailed, match=said):
        check_cell_kind(dataclasses.replace(PHAGOCYTE, **change))
