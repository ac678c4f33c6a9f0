"""Parameters: units are converted once, ranges hold, and every refusal says what is allowed."""

import copy
import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.parameters.bibliography import BIBLIOGRAPHY, is_known, keys_in, references
from simulation.parameters.parameter import (
    Parameter,
    ParameterError,
    ParameterGroup,
    Parameters,
    nearest,
)
from simulation.parameters.units import UNITS, canonical


class Tumor(ParameterGroup):
    division_rate = Parameter(
        0.69, "1/day", "divisions of a cell with room", source="Halle2016: here", range=(0, 5)
    )
    lethal_hits = Parameter(
        3, "hits", "damage that kills", source="Weigelin2021", range=(1, 10), integer=True
    )
    loss = Parameter(
        1e-5, "1/division", "loss of antigen", source="assumed: scaled up", range=(0, 0.1)
    )


class TCell(ParameterGroup):
    speed = Parameter(4, "um/minute", "speed", source="Torres2023", range=(0, 20))
    lifespan = Parameter("1 week", "day", "mean life", source="SPQSP", range=(1, 30))


@pytest.fixture
def parameters():
    return Parameters({"tumor": Tumor(), "t_cell": TCell()})


def test_reading_gives_hours_and_micrometres(parameters):
    assert parameters.tumor.division_rate == 0.69 / 24
    assert parameters["tumor.division_rate"] == 0.69
    assert parameters.t_cell.speed == 240
    assert parameters.t_cell.lifespan == 168 and parameters["t_cell.lifespan"] == 7
    assert type(parameters.tumor.lethal_hits) is int and type(parameters.t_cell.speed) is float
    assert isinstance(Tumor.division_rate, Parameter)


@pytest.mark.parametrize("text, per_day", [
    ("0.02 1/hour", 0.48), ("0.02/hour", 0.48), ("0.02 /h", 0.48), ("1/day", 1), ("1 / day", 1), ("2 per week", 2 / 7),
    ("1.5", 1.5), (" 3e-1 /d ", 0.3), (np.float32(0.5), 0.5), (np.int64(2), 2), (0, 0), (5, 5),
])  # fmt: skip
def test_numbers_and_texts_with_a_unit_are_accepted(parameters, text, per_day):
    parameters.set("tumor.division_rate", text)
    assert parameters["tumor.division_rate"] == pytest.approx(per_day, rel=1e-14)
    assert type(parameters["tumor.division_rate"]) is float


@pytest.mark.parametrize(
    "value",
    [
        True,
        np.bool_(True),
        None,
        math.nan,
        math.inf,
        -math.inf,
        "nan",
        "inf",
        -0.1,
        5.1,
        "22 days",
        "3 hits",
        "1 /fortnight",
        "fast",
        "",
        [1],
        10**400,
        1j,
        "1 2 /day",
    ],
)
def test_a_refused_value_changes_nothing_and_names_key_range_and_unit(parameters, value):
    with pytest.raises(ParameterError) as refusal:
        parameters.set("tumor.division_rate", value)
    message = str(refusal.value)
    assert (
        message.startswith("tumor.division_rate = ")
        and "between 0 and 5 /day" in message
        and "\n" not in message
    )
    assert parameters["tumor.division_rate"] == 0.69


def test_a_unit_of_another_dimension_is_answered_with_those_that_fit(parameters):
    with pytest.raises(
        ParameterError, match=r"'day' does not convert to um/minute \(choices: um/second, um/minute"
    ):
        parameters.set("t_cell.speed", "3 days")


def test_whole_numbers_stay_whole(parameters):
    parameters.set("tumor.lethal_hits", 4.0)
    assert type(parameters["tumor.lethal_hits"]) is int and parameters.tumor.lethal_hits == 4
    with pytest.raises(ParameterError, match="a whole number between 1 and 10 hits"):
        parameters.set("tumor.lethal_hits", 2.5)


def test_assigning_shows_the_right_form(parameters):
    with pytest.raises(AttributeError, match=r"write tumor\.set\(division_rate=0\.5\)"):
        parameters.tumor.division_rate = 0.5


@pytest.mark.parametrize("word, answer", [
    ("tumor.divison_rate", "did you mean 'tumor.division_rate'?"), ("tumour.x", "did you mean 'tumor'?"),
    ("division_rate", "did you mean 'tumor.division_rate'?"), ("tcell.speed", "did you mean 't_cell.speed'?"),
    ("spleen.size", "choices: tumor, t_cell"),
])  # fmt: skip
def test_a_misspelt_name_is_answered_with_the_nearest(parameters, word, answer):
    for attempt in (
        lambda: parameters[word],
        lambda: parameters.set(word, 1),
        lambda: parameters.update({word: 1}),
    ):
        with pytest.raises(ParameterError) as refusal:
            attempt()
        assert answer in str(refusal.value)


def test_a_misspelt_attribute_is_an_attribute_error_too(parameters):
    with pytest.raises(AttributeError, match="did you mean 'division_rate'"):
        _ = parameters.tumor.divison_rate
    with pytest.raises(AttributeError, match="did you mean 'tumor'"):
        _ = parameters.tumour
    assert not hasattr(parameters.tumor, "on_step")


def test_setting_several_is_all_or_none(parameters):
    with pytest.raises(ParameterError):
        parameters.tumor.set(division_rate=1, lethal_hits=99)
    with pytest.raises(ParameterError):
        parameters.update({"tumor.division_rate": 1, "t_cell.speed": -1})
    assert parameters.changed() == {}
    parameters.update({"tumor.division_rate": 1, "t_cell.speed": "60 um/hour"})
    assert parameters.changed() == {"tumor.division_rate": 1, "t_cell.speed": 1}


def test_copies_are_independent(parameters):
    copies = [parameters.copy(), copy.deepcopy(parameters), pickle.loads(pickle.dumps(parameters))]
    group = copy.copy(parameters.tumor)
    parameters.set("tumor.division_rate", 2)
    group.set(lethal_hits=1)
    assert parameters.tumor.lethal_hits == 3 and group.division_rate == 0.69 / 24
    for each in copies:
        assert each["tumor.division_rate"] == 0.69 and each.tumor.division_rate == 0.69 / 24
        assert each.names() == parameters.names()


def test_the_table_says_who_says_so(parameters):
    rows = {row["name"]: row for row in parameters.table()}
    assert list(rows) == parameters.names() == list(parameters.declared()) == list(parameters)
    assert rows["t_cell.speed"] == {
        "name": "t_cell.speed",
        "value": 4.0,
        "unit": "um/minute",
        "low": 0.0,
        "high": 20.0,
        "meaning": "speed",
        "source": "Torres2023",
    }
    parameters.override("t_cell.speed", 2, "Boissonnas2007: with antigen")
    assert (
        parameters.t_cell.table("cells")[0]
        | {"name": "cells.speed", "source": "Boissonnas2007: with antigen"}
        == parameters.t_cell.table("cells")[0]
    )
    parameters.set("t_cell.speed", 2)
    assert parameters.t_cell.source("speed") == "Boissonnas2007: with antigen"
    parameters.set("t_cell.speed", 3)
    assert (
        parameters.t_cell.source("speed")
        == "set by hand; the default 4 um/minute is from Torres2023"
    )
    with pytest.raises(ParameterError, match="t_cell.speed: source"):
        parameters.override("t_cell.speed", 2, " ")


def test_a_subclass_may_redeclare_and_the_base_comes_first():
    class Fast(TCell):
        reach = Parameter(10, "um", "reach", source="assumed: test", range=(0, 100))
        speed = Parameter(10, "um/minute", "speed", source="assumed: test", range=(5, 20))

        def __init__(self, name):  # a treatment has its own constructor
            self.name = name

    assert list(Fast.parameters()) == ["speed", "lifespan", "reach"]
    assert Fast("x").speed == 600 and TCell().speed == 240 and Fast("x").prefix == "fast"
    assert Fast("x").copy().name == "x"


def group(name, member):
    return type("Group", (ParameterGroup,), {name: member})


@pytest.mark.parametrize("declare, message", [
    (lambda: type("A", (TCell,), {"speed": 3}), "A.speed hides a parameter; write speed = Parameter"),
    (lambda: group("x", Parameter(3, "hits", "m", source="PhysiCell", range=(4, 5))), "the default Group.x = 3"),
    (lambda: group("set", Parameter(3, "1", "m", source="PhysiCell", range=(1, 5))), "Group.set: every group uses"),
    (lambda: Parameter(1, "dayz", "m", source="PhysiCell", range=(0, 1)), "did you mean 'day'"),
    (lambda: Parameter(1, "day", "m", source="", range=(0, 1)), "source must be"),
    (lambda: Parameter(1, "day", "m", source="assumed: ", range=(0, 1)), "source must be"),
    (lambda: Parameter(1, "day", "m", source="PhysiCell", range=(2, 1)), "range must be"),
    (lambda: Parameter(1, "day", "m", source="PhysiCell", range=(0, 1), integer=True), "whole number"),
])  # fmt: skip
def test_a_wrong_declaration_is_refused_at_once(declare, message):
    with pytest.raises(ParameterError) as refusal:
        declare()
    assert message in str(refusal.value)


def test_the_trace_lists_what_was_read(parameters, monkeypatch):
    monkeypatch.setattr(Parameter, "trace", set())
    _ = parameters.tumor.division_rate, parameters["t_cell.speed"]
    assert Parameter.trace == {("Tumor", "division_rate")}


@given(st.sampled_from(sorted(UNITS)), st.floats(1e-6, 1e6))
def test_every_unit_converts_into_all_of_its_dimension_and_back(unit, number):
    for other in UNITS:
        if UNITS[other].dimension == UNITS[unit].dimension:

            class Group(ParameterGroup):
                x = Parameter(0, unit, "x", source="assumed: test", range=(-math.inf, math.inf))

            group = Group()
            group.set(x=f"{number!r} {other}" if other != "1" else number)
            expected = number * UNITS[other].factor if other != "1" else number * UNITS[unit].factor
            assert group.x == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("0.5 d^-1", "0.5 /day"),
        ("0.02 h-1", "0.02 /hour"),
        ("0.5 day⁻¹", "0.5 /day"),
        ("0.5 day^(-1)", "0.5 /day"),
        ("0.5 d−1", "0.5 /day"),
        ("0.5 per day", "0.5 /day"),
        ("0.5 1/d", "0.5 /day"),
        ("0.5/days", "0.5 /day"),
    ],
)
def test_units_as_papers_write_them(parameters, written, name):
    one, other = parameters.copy(), parameters.copy()
    one["tumor.division_rate"], other["tumor.division_rate"] = written, name
    assert one["tumor.division_rate"] == other["tumor.division_rate"]


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("um² s⁻¹", "um2/second"),
        ("µm^2·s^-1", "um2/second"),
        ("cells mm-2 d-1", "cells/mm2/day"),
        ("mg·kg⁻¹", "mg/kg"),
        ("nM um3 h^-1", "nM um3/hour"),
        ("cells / mL", "cells/mL"),
        ("division⁻¹", "1/division"),
        ("ml/min", "mL/minute"),
    ],
)
def test_units_of_every_shape_as_papers_write_them(written, name):
    assert canonical(written) == name and canonical(name) == name


@pytest.mark.parametrize(
    "nonsense",
    ["furlong", "h--1", "^2", "d^", "/", "d d", "m/s/", "mol", "cells^2", "h^-1.5", "()"],
)
def test_what_is_no_unit_stays_as_it_is_and_is_refused(nonsense):
    assert (
        canonical(nonsense) == nonsense or UNITS[canonical(nonsense)].dimension == "a plain number"
    )
    with pytest.raises(ParameterError):
        Parameter(1, nonsense + "?", "x", source="assumed: test", range=(0, 2))


def test_units_against_hand_calculation():
    assert (
        UNITS["um2/second"].factor == 3600
        and UNITS["1/minute"].factor == 60
        and UNITS["pM"].factor == 1e-3
    )
    assert UNITS["cells/mm2/day"].factor == pytest.approx(1 / 24)
    # one molecule in one cubic micrometre is 1.66 nM
    assert UNITS["molecules/hour"].factor == pytest.approx(1.66054, rel=1e-5)
    assert canonical("µm / min") == "um/minute" and canonical("divisions") == "divisions"


def test_nearest():
    assert (
        nearest("pembrolizumb", ["nivolumab", "pembrolizumab"])
        == " (did you mean 'pembrolizumab'?)"
    )
    assert nearest("Tumor", ["TUMOR"]) == " (did you mean 'TUMOR'?)"
    assert nearest("xyz", ["a", "b"]) == " (choices: a, b)" and nearest("xyz", []) == ""


def test_sources_lead_to_the_bibliography():
    assert keys_in("Weigelin2021: kills; label:pembrolizumab; Weigelin2021") == [
        "Weigelin2021",
        "label:pembrolizumab",
    ]
    assert is_known("Weigelin2021; assumed: scaled to the patch; roughly") and is_known(
        "assumed: no data"
    )
    assert not any(
        map(is_known, ["assumed: ", "Nobody2020", "Weigelin2021; Nobody2020", "set by hand", ""])
    )
    papers = references(["PhysiCell", "assumed: x", "PhysiCell: lattice"])
    assert papers == [f"{BIBLIOGRAPHY['PhysiCell']} [PhysiCell]"]
    assert all(len(text) > 15 for text in BIBLIOGRAPHY.values())
