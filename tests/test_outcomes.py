"""What happened, in words: every course of a tumour has its own sentence, computed from the numbers."""

import numpy as np
import pytest

from experiments.outcomes import tell
from simulation.results import Results


def arm(name: str, cells: list[int], antigen: list[float] | None = None) -> Results:
    """Results with one row per day."""
    results = Results(name)
    for day, number in enumerate(cells):
        results.record({"day": float(day), "tumor_cells": number, "mean_antigen": (antigen or [1.0] * len(cells))[day]})
    return results


@pytest.mark.parametrize("cells, expected", [
    ([1000, 300, 0, 0], "eliminated on day 2 (from 1,000 cells)"),
    ([1000, 900, 400], "shrank to 40 % of its start (1,000 to 400 cells)"),
    ([1000, 1100, 1050], "held at 105 % of its start (1,000 to 1,050 cells)"),
    ([1000, 2000, 3200], "grew 3.2-fold (1,000 to 3,200 cells)"),
    ([1000, 20, 860], "shrank to 2 % of its start by day 1 and grew back to 86 % (1,000 to 860 cells)"),
    ([10_000, 5, 4], "shrank to 0.04 % of its start (10,000 to 4 cells)"),
    ([0, 0], "no tumour to begin with"),
])
def test_each_course_has_its_words(cells, expected):
    assert tell({"control": arm("control", cells)}) == {"control": expected}


@pytest.mark.parametrize("treated, control, expected", [
    ([1000, 500], [1000, 2000], "25 % of the control's 2,000 cells"),
    ([1000, 2020], [1000, 2000], "level with the control (2,000 cells)"),
    ([1000, 0], [1000, 2000], "while the control has 2,000 cells"),
    ([1000, 10], [1000, 0], "while the control was eliminated"),
    ([1000, 0], [1000, 0], "as was the control"),
])
def test_an_arm_is_told_beside_its_control(treated, control, expected):
    assert tell({"control": arm("control", control), "drug": arm("drug", treated)})["drug"].endswith(expected)


def test_a_notable_shift_of_antigen_is_told_and_a_small_one_is_not():
    assert "40 % of the starting antigen" in tell({"control": arm("control", [1000, 900], [1.0, 0.4])})["control"]
    assert "antigen" not in tell({"control": arm("control", [1000, 900], [1.0, 0.9])})["control"]
    assert "antigen" not in tell({"control": arm("control", [1000, 0], [1.0, np.nan])})["control"]
