"""What happened, in words: every course of a tumour has its own sentence, computed from the numbers."""

import numpy as np
import pandas as pd
import pytest

from experiments.runs import outcomes
from experiments.runs.outcomes import OUTCOMES, numbers, tell
from simulation.results.results import Results


def arm(name: str, cells: list[int], antigen: list[float] | None = None) -> Results:
    """Results with one row per day."""
    results = Results(name)
    for day, number in enumerate(cells):
        results.record(
            {
                "day": float(day),
                "tumor_cells": number,
                "mean_antigen": (antigen or [1.0] * len(cells))[day],
            }
        )
    return results


@pytest.mark.parametrize(
    "cells, expected",
    [
        ([1000, 300, 0, 0], "eliminated on day 2 (from 1,000 cells)"),
        ([1000, 900, 400], "shrank to 40 % of its start (1,000 to 400 cells)"),
        ([1000, 1100, 1050], "held at 105 % of its start (1,000 to 1,050 cells)"),
        ([1000, 2000, 3200], "grew 3.2-fold (1,000 to 3,200 cells)"),
        (
            [1000, 20, 860],
            "shrank to 2 % of its start by day 1 and grew back to 86 % (1,000 to 860 cells)",
        ),
        ([10_000, 5, 4], "shrank to 0.04 % of its start (10,000 to 4 cells)"),
        (
            [10_000, 5, 12],
            "shrank to 0.05 % of its start by day 1 and grew back to 0.12 % (10,000 to 12 cells)",
        ),
        ([0, 0], "no tumour to begin with"),
    ],
)
def test_each_course_has_its_words(cells, expected):
    assert tell({"control": arm("control", cells)}) == {"control": expected}


@pytest.mark.parametrize(
    "treated, control, expected",
    [
        ([1000, 500], [1000, 2000], "25 % of the control's 2,000 cells"),
        ([1000, 2020], [1000, 2000], "level with the control (2,000 cells)"),
        ([1000, 0], [1000, 2000], "while the control has 2,000 cells"),
        ([1000, 10], [1000, 0], "while the control was eliminated"),
        ([1000, 0], [1000, 0], "as was the control"),
    ],
)
def test_an_arm_is_told_beside_its_control(treated, control, expected):
    assert tell({"control": arm("control", control), "drug": arm("drug", treated)})[
        "drug"
    ].endswith(expected)


def test_a_notable_shift_of_antigen_is_told_and_a_small_one_is_not():
    assert (
        "40 % of the starting antigen"
        in tell({"control": arm("control", [1000, 900], [1.0, 0.4])})["control"]
    )
    assert "antigen" not in tell({"control": arm("control", [1000, 900], [1.0, 0.9])})["control"]
    assert "antigen" not in tell({"control": arm("control", [1000, 0], [1.0, np.nan])})["control"]


def course(name: str, **columns: list[float]) -> Results:
    """Results with the given columns and others that stand still."""
    results, still = (
        Results(name),
        dict.fromkeys(
            (
                "mean_car_target",
                "mean_mhc",
                "mean_pdl1",
                "antigen_low_share",
                "mhc_low_share",
                "target_negative_share",
                "kills_by_t",
                "kills_by_car_t",
                "kills_by_nk",
                "t_cells",
                "car_t_cells",
                "mean_vigour",
                "mean_fixed_exhaustion",
            ),
            1,
        ),
    )
    for day, values in enumerate(zip(*columns.values(), strict=True)):
        results.record({"day": float(day)} | still | dict(zip(columns, values, strict=True)))
    return results


def test_the_numbers_of_an_arm_are_what_its_course_says():
    control = course("control", tumor_cells=[99, 199, 399], mean_ln_antigen=[0.0, 0.0, 0.0])
    drug = course(
        "drug",
        tumor_cells=[99, 49, 0],
        mean_ln_antigen=[0.0, -0.5, np.nan],
        mean_mhc=[1.0, 0.5, np.nan],
    )
    found = numbers(drug, control)
    assert list(found) == list(OUTCOMES)
    assert (found["least_cells"], found["least_day"], found["gone_day"], found["mean_cells"]) == (
        0,
        2.0,
        2.0,
        49.25,
    )
    assert found["effect"] == pytest.approx(np.log(1 / 400)) and found["growth"] == pytest.approx(
        np.log(1 / 100)
    )
    assert (found["antigen_shift"], found["mhc_shift"]) == (-0.5, pytest.approx(np.log(0.5))), (
        "of the last day with cells"
    )
    assert (
        np.isnan(numbers(control, control)["gone_day"]) and numbers(control, control)["effect"] == 0
    )


@pytest.mark.parametrize(
    "start, lowest, end, word",
    [
        (0, 0, 0, "absent"),
        (100, 0, 0, "eliminated"),
        (100, 100, 126, "grew"),
        (100, 100, 125, "held"),
        (100, 80, 80, "held"),
        (100, 79, 79, "shrank"),
        (100, 49, 99, "relapsed"),
        (100, 49, 98, "held"),
        (100, 50, 110, "held"),
    ],
)
def test_a_verdict_is_the_verb_of_the_sentence(start, lowest, end, word):
    assert outcomes.verdict(start, lowest, end) == word
    series = pd.DataFrame({"day": [0.0, 1.0, 2.0], "tumor_cells": [start, lowest, end]})
    told = {"absent": "no tumour", "relapsed": "shrank to"}.get(word, word)
    sentence = outcomes.burden(series)
    assert sentence.startswith(told) and ("grew back" in sentence) == (word == "relapsed")
