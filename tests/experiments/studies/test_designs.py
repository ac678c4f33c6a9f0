"""Designs: what a [vary] table becomes."""

import itertools
import math

import numpy as np
import pytest

from experiments.studies.designs import DESIGNS, Axis, DesignError, points, size

AXES = [
    Axis("tumor.antigen", low=0.3, high=3, scale="log"),
    Axis("tumor.death_rate", low=0.0, high=0.5),
    Axis("tumor.lethal_hits", low=1, high=5, integer=True),
    Axis("treatments.a.dose", values=[0, 200]),
]


def column(found, name):
    return np.array([point[name] for point in found])


def test_a_grid_is_every_combination_in_order():
    found = points(
        "grid", [Axis("a", values=[1, 2]), Axis("b", low=1, high=100, scale="log", steps=3)]
    )
    assert found == [{"a": a, "b": b} for a in (1, 2) for b in (1, 10, 100)], (
        "the last axis turns fastest, and steps on a log scale multiply"
    )


def test_a_grid_of_whole_numbers_holds_each_once():
    found = points("grid", [Axis("a", low=1, high=3, steps=7, integer=True)])
    assert [point["a"] for point in found] == [1, 2, 3], (
        "seven steps over three whole numbers are three points"
    )


@pytest.mark.parametrize(
    ("design", "expected"), [("latin_hypercube", 4), ("sobol", 4), ("morris", 48), ("saltelli", 64)]
)
def test_a_point_is_there_once_but_where_the_order_is_analysed(design, expected):
    pytest.importorskip("SALib")
    found = points(
        design, [Axis("a", values=["1 day", "8 hours"]), Axis("b", low=1, high=2, integer=True)], 16
    )
    assert len(found) == expected, "16 samples of two times two values are four different points"


@pytest.mark.parametrize("design", [design for design in DESIGNS if design != "grid"])
def test_a_design_stays_in_its_ranges_and_comes_again_with_its_seed(design):
    pytest.importorskip("SALib")
    found = points(design, AXES, 16, seed=3)
    assert len(found) == size(design, AXES, 16)
    assert found == points(design, AXES, 16, seed=3), "the same seed gives the same points"
    assert found != points(design, AXES, 16, seed=4), "another seed gives others"
    for axis, (low, high) in zip(AXES, ((0.3, 3), (0, 0.5), (1, 5), (0, 200)), strict=True):
        values = column(found, axis.name)
        assert low <= values.min() and values.max() <= high, f"{axis.name} leaves its range"
    assert all(isinstance(point["tumor.lethal_hits"], int) for point in found), (
        "a whole number stays one"
    )
    assert all(float(f"{value:.12g}") == value for point in found for value in point.values()), (
        "numbers print short"
    )


def test_a_latin_hypercube_has_one_point_in_each_slice_of_each_axis():
    values = column(points("latin_hypercube", AXES, 50), "tumor.death_rate")
    assert sorted(np.floor(values / 0.5 * 50)) == list(range(50))
    logs = np.log(column(points("latin_hypercube", AXES, 50), "tumor.antigen") / 0.3) / np.log(10)
    assert sorted(np.floor(logs * 50)) == list(range(50)), (
        "on a log scale the slices are equal ratios"
    )


def test_a_sobol_sequence_is_balanced():
    values = column(points("sobol", AXES, 64), "tumor.death_rate")
    assert np.all(np.histogram(values, bins=64, range=(0, 0.5))[0] == 1), (
        "64 points, one in each of 64 slices"
    )


def test_a_morris_trajectory_moves_one_parameter_at_a_time():
    pytest.importorskip("SALib")
    found = points("morris", AXES, 10)
    for start in range(0, len(found), len(AXES) + 1):
        steps = found[start : start + len(AXES) + 1]
        moved = [
            [name for name in before if before[name] != after[name]]
            for before, after in itertools.pairwise(steps)
        ]
        assert sorted(name for names in moved for name in names) == sorted(
            axis.name for axis in AXES
        ) and all(len(names) == 1 for names in moved), (
            "each step moves one parameter, and each parameter moves once"
        )


def test_a_saltelli_block_changes_one_parameter_of_its_first_point():
    pytest.importorskip("SALib")
    found = points("saltelli", AXES[:2], 8)
    for start in range(0, len(found), 4):
        first, *changed, last = found[start : start + 4]
        for axis, point in zip(AXES[:2], changed, strict=True):
            expected = first | {axis.name: last[axis.name]}
            assert point == expected, f"{axis.name} alone comes from the other sample"


def test_a_position_and_its_value_belong_together():
    for axis in AXES[:2]:
        assert [axis.position(axis.value(u)) for u in (0, 0.25, 1)] == pytest.approx(
            [0, 0.25, 1], abs=1e-9
        )
    assert [AXES[3].position(value) for value in (0, 200)] == [0, 1]
    assert math.isclose(AXES[0].value(0.5), math.sqrt(0.9), rel_tol=1e-11), (
        "the middle of a log range is its geometric mean"
    )


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({}, "vary.x: it varies nothing; give a list of values, or low and high"),
        (
            {"low": 1},
            "vary.x: low is given and high is missing; give a list of values, or low and high",
        ),
        (
            {"high": 1},
            "vary.x: high is given and low is missing; give a list of values, or low and high",
        ),
        ({"low": 2, "high": 2}, "vary.x: low = 2 must be below high = 2"),
        (
            {"low": 0, "high": 2, "scale": "log"},
            "vary.x: low = 0 is not allowed with scale = 'log'; it must be above 0",
        ),
        (
            {"low": 0, "high": 2, "scale": "ln"},
            "vary.x: scale = 'ln' is not allowed; it must be 'linear' or 'log'",
        ),
        (
            {"low": 0, "high": math.nan},
            "vary.x: high = nan is not allowed; it must be a finite number",
        ),
        (
            {"low": 0.2, "high": 0.9, "integer": True},
            "vary.x: there are no two whole numbers between 0.2 and 0.9",
        ),
        ({"values": []}, "vary.x: the list of values is empty; it must hold at least one"),
        ({"values": [1, 2, 1]}, "vary.x = [1, 2, 1]: a value stands there twice"),
        (
            {"values": [1], "low": 0},
            "vary.x: give either a list of values or low and high, not both",
        ),
    ],
)
def test_a_wrong_axis_is_told_in_a_sentence(keys, says):
    with pytest.raises(DesignError) as error:
        Axis("x", **keys)
    assert str(error.value) == says


@pytest.mark.parametrize(
    ("design", "axes", "samples", "says"),
    [
        ("grid", [], 1, "the design is empty: [vary] must name at least one parameter"),
        (
            "random",
            AXES,
            1,
            "design = 'random' is not allowed; it must be one of grid, latin_hypercube, sobol, morris, saltelli",
        ),
        (
            "grid",
            AXES,
            1,
            "vary.tumor.antigen: a grid needs steps beside low and high, such as steps = 4, or a list of values",
        ),
        (
            "sobol",
            AXES,
            100,
            "samples = 100 is not allowed; a sobol design is balanced only with a power of two, such as 64 or 128",
        ),
        ("morris", AXES, 1, "samples = 1 is not allowed; it must be a whole number of at least 2"),
        (
            "sobol",
            [AXES[0], AXES[0]],
            4,
            "vary.tumor.antigen is named twice; each parameter may vary once",
        ),
        (
            "sobol",
            [Axis("x", values=[1])],
            4,
            "vary.x: one value varies nothing in a sobol design; put it under [set]",
        ),
        (
            "sobol",
            [Axis("x", low=0, high=1, steps=3)],
            4,
            "vary.x: steps is for a grid; leave it out of a sobol design",
        ),
        (
            "grid",
            [Axis(name, values=range(200)) for name in "abc"],
            1,
            "the grid design has 8,000,000 points; at most 1,000,000 are allowed",
        ),
    ],
)
def test_a_wrong_design_is_told_in_a_sentence(design, axes, samples, says):
    with pytest.raises(DesignError) as error:
        points(design, axes, samples)
    assert str(error.value) == says
