"""What is missing stays missing: a tumour that never was has no growth, and no sentence tells a number that is none."""

import math
import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from experiments.report.tables import NO_VALUE, of_run
from experiments.runs.outcomes import numbers, tell
from experiments.studies.replicates import seeds_for_width
from experiments.studies.schedules import ranking as regimens
from experiments.studies.sensitivity import analysis as sensitivity
from experiments.studies.surface import analysis as surfaces
from experiments.studies.surface import sentences as surface_sentences
from experiments.studies.surface.grid import SurfaceError
from experiments.studies.sweep import sentences as sweep_sentences
from experiments.studies.trial import sentences as trial_sentences
from experiments.studies.trial.curves import compared
from experiments.studies.trial.responses import patients_of
from simulation.results.results import Results

from .runs.test_outcomes import arm
from .studies.test_surfaces import UNITS, X, Y, hazards, outcomes
from .studies.test_trial import tables, trial

NUMBERS = st.sampled_from([math.nan, math.inf, 0.0, 0.4, 1.5])
NONE = re.compile(r"\b(nan|inf|NaN|None|none to none)\b|∞")
quick = settings(max_examples=25, deadline=None, derandomize=True)


def hold(sentences: list[str]) -> None:
    """No sentence tells a number that is none."""
    for sentence in sentences:
        assert not NONE.search(sentence), sentence


# ---------------------------------------------------------------- a tumour that never was


def whole(name: str, cells: list[int]) -> Results:
    """Results with every column that outcomes read."""
    results = Results(name)
    for day, number in enumerate(cells):
        row = {
            "day": float(day),
            "tumor_cells": number,
            "t_cells": 5,
            "car_t_cells": 0,
            "mean_vigour": 1.0,
            "mean_fixed_exhaustion": 0.0,
            "kills_by_t": 0,
            "kills_by_car_t": 0,
            "kills_by_nk": 0,
        }
        results.record(
            row
            | dict.fromkeys(
                (
                    "mean_antigen",
                    "mean_ln_antigen",
                    "mean_car_target",
                    "mean_mhc",
                    "mean_pdl1",
                    "antigen_low_share",
                    "mhc_low_share",
                    "target_negative_share",
                ),
                1.0 if number else math.nan,
            )
        )
    return results


def test_a_tumour_that_never_was_neither_grew_nor_shrank():
    never, eliminated, grew = (
        whole("drug", [0, 0]),
        whole("drug", [100, 0]),
        whole("control", [100, 200]),
    )
    row = numbers(never, grew)
    derived = {
        name for name, value in row.items() if isinstance(value, float) and math.isnan(value)
    }
    assert {
        "growth",
        "effect",
        "gone_day",
        "least_day",
        "antigen_shift",
        "target_shift",
        "mhc_shift",
        "pdl1_shift",
        "antigen_low_share",
        "mhc_low_share",
        "target_negative_share",
    } <= derived
    assert math.isnan(numbers(grew, whole("control", [0, 0]))["effect"]), (
        "beside nothing there is no effect"
    )
    there = numbers(eliminated, grew)
    assert (
        there["growth"] == -math.log(101)
        and there["effect"] == -math.log(201)
        and there["gone_day"] == 1.0
    )
    told = {words: drug for words, _, drug in of_run({"control": grew, "drug": never}).rows}
    assert told["burden on the last day over that of day 0"] == NO_VALUE
    assert told.get("burden on the last day over the control's", NO_VALUE) == NO_VALUE
    words = tell({"control": grew, "drug": never})
    assert words["drug"] == "no tumour to begin with", "nor was it eliminated"
    hold(words.values())


def test_nothing_is_told_over_a_control_that_is_gone():
    gone, grew = whole("control", [100, 0]), whole("drug", [100, 200])
    told = {words: drug for words, _, drug in of_run({"control": gone, "drug": grew}).rows}
    assert told["burden on the last day over that of day 0"] == "2"
    assert told.get("burden on the last day over the control's", NO_VALUE) == NO_VALUE


def test_a_patient_without_a_tumour_has_no_phase_and_no_group():
    courses = {
        0: {"control": [2600, 4000, 8000], "pembrolizumab": [2600, 0, 0]},
        1: {"control": [0, 0, 0], "pembrolizumab": [0, 0, 0]},
    }
    found = patients_of(
        tables(courses, mean_pdl1={1: math.nan})["timeseries"], trial(contrast_day=42)
    ).set_index("patient")
    assert found.loc[0, "control_phase"] == "escape" and pd.isna(found.loc[1, "control_phase"])
    assert found.loc[0, "pdl1_group"] == "high" and pd.isna(found.loc[1, "pdl1_group"])


# ---------------------------------------------------------------- sentences


def test_a_share_of_patients_comes_with_their_number():
    courses = {
        patient: {
            "control": [2600, 4000, 8000],
            "pembrolizumab": [2600, 0, 0] if patient else [2600, 4000, 8000],
        }
        for patient in range(4)
    }
    found = trial(contrast_day=42).analyse(
        tables(courses, mean_pdl1=dict(enumerate([1.0, 1.0, 2.0, 2.0])))
    )
    (told,) = [sentence for sentence in found.sentences if "responses by biomarker" in sentence]
    assert "PD-L1 1 of 2 low and 2 of 2 high; antigen 3 of 4 high" in told and "%" not in told, told
    hold(found.sentences)


@quick
@given(st.lists(NUMBERS, min_size=12, max_size=12), st.integers(0, 3))
def test_sentences_of_a_trial_tell_only_numbers(drawn, patients):
    row = SimpleNamespace(
        arm="drug",
        responders=0,
        patients=patients,
        share=drawn[0],
        low=drawn[1],
        high=drawn[2],
        CR=0,
        PR=0,
        SD=0,
        PD=0,
        progressions=0,
        median_day=drawn[3],
        p_value=drawn[4],
        hazard_ratio=drawn[5],
        pseudoprogressions=0,
    )
    groups = pd.DataFrame(
        [
            {
                "arm": "drug",
                "biomarker": "pdl1",
                "group": group,
                "patients": number,
                "responders": 0,
                "share": drawn[0],
            }
            for group, number in (("low", patients), ("high", 1))
        ]
    )
    names = (
        "difference",
        "paired_error",
        "variance_ratio",
        "ratio_low",
        "ratio_high",
        "unpaired_patients",
    )
    contrasts = pd.DataFrame(
        [
            {"arm": "drug", "against": "control", "quantity": "cells, day 3", "pairs": patients}
            | dict(zip(names, drawn[6:], strict=True))
        ]
    )
    hold(
        [
            trial_sentences.response(row),
            trial_sentences.progression(row),
            compared("drug", row),
            *trial_sentences.subgroups(groups),
            *trial_sentences.pairing(contrasts),
        ]
    )
    for said in (trial_sentences.progression(row), compared("drug", row)):
        assert ("log-rank" in said) == (not math.isnan(row.p_value)), (
            "a p value that is none is no p = 1"
        )
    for said in trial_sentences.subgroups(groups):
        assert ("low" in said) == (patients > 0), (
            "of a group of nobody none responded, and that says nothing"
        )


@quick
@given(
    st.lists(NUMBERS, min_size=8, max_size=8),
    st.sampled_from(["matters", "perhaps", "does not matter"]),
)
def test_sentences_of_a_sensitivity_tell_only_numbers(drawn, verdict):
    table = pd.DataFrame(
        [
            {
                "parameter": f"p{number}",
                "verdict": verdict,
                "direction": "raises",
                "mu_star": 0.4,
                "mu_star_low": drawn[number],
                "mu_star_high": drawn[number + 1],
            }
            for number in range(3)
        ]
    )
    noise = {
        "quantity": "effect",
        "arm": "drug",
        "share": drawn[5],
        "share_of_means": drawn[6],
        "seeds": 3,
    }
    hold(sensitivity._sentences(table, noise, "morris"))


@quick
@given(
    st.lists(NUMBERS, min_size=12, max_size=12),
    st.lists(st.sampled_from([0, 0, 3, 900]), min_size=12, max_size=12),
    st.lists(st.sampled_from([1000, 1000, 0]), min_size=12, max_size=12),
    st.booleans(),
)
def test_sentences_of_a_sweep_tell_only_numbers(effects, cells, starts, ranges):
    points = pd.DataFrame({"a": np.repeat(np.arange(4.0), 3), "seed": np.tile([1, 2, 3], 4)})
    if ranges:
        points = pd.DataFrame({"a": np.arange(14.0), "seed": 1})
        effects, cells, starts = effects + [math.nan] * 2, [*cells, 0, 5], starts + [1000] * 2
    rows = points.assign(
        run=range(len(points)),
        start_cells=starts,
        end_cells=np.where(starts, cells, 0),
        effect=effects,
    )
    for name in ("control", "drug"):
        told = sweep_sentences.told(rows.assign(arm=name), ["a"], {})
        hold(told)
        none = f"{starts.count(0)} of {len(rows)} runs had no tumour on day 0 and are left out."
        assert (none in told) == (0 in starts)


def test_runs_that_had_no_tumour_are_no_part_of_a_median():
    rows = pd.DataFrame(
        {
            "run": range(6),
            "seed": range(6),
            "start_cells": [1000] * 3 + [0] * 3,
            "end_cells": [900] * 3 + [0] * 3,
            "effect": [0.0] * 3 + [math.nan] * 3,
            "arm": "control",
        }
    )
    assert sweep_sentences.told(rows, [], {}) == [
        "control: 90 % of the burden of day 0 (quartiles 90 % and 90 %).",
        "3 of 6 runs had no tumour on day 0 and are left out.",
    ]
    assert "quartiles" not in sweep_sentences.told(rows.iloc[1:4], [], {})[0], (
        "two runs have none to speak of"
    )


def test_a_point_without_a_value_hides_no_link():
    rows = pd.DataFrame(
        {
            "run": range(20),
            "a": np.arange(20.0),
            "seed": 1,
            "start_cells": 1000,
            "arm": "drug",
            "end_cells": np.arange(100, 120),
            "effect": np.linspace(-2, -1, 20),
        }
    )
    for gone in (0, 1):
        told = sweep_sentences.told(
            rows.assign(effect=rows["effect"].where(rows["run"] >= gone)), ["a"], {}
        )
        assert told == [
            "drug: what is left of the control's burden rises with a (rank correlation 1.00)."
        ]


@pytest.mark.parametrize("share", [0.2, 0.6, 1.0])
def test_sentences_of_surfaces_and_schedules_tell_only_numbers(share):
    table = outcomes(hazards, doses=((0, 1, 3), (0, 2, 8)), seeds=3)
    gone = np.random.default_rng(1).random(len(table)) < share
    table["end_cells"] = table["end_cells"].astype(float).mask(gone & (table["arm"] == "both"))
    try:
        hold(surfaces.analyse(table, X, Y, "both", units=UNITS).sentences)
        hold(regimens.analyse(table, [X, Y], "both", quantity="end_cells", units=UNITS).sentences)
    except SurfaceError as error:
        hold([str(error)])


@quick
@given(st.dictionaries(st.sampled_from(["excess", "low", "high"]), NUMBERS, min_size=3, max_size=3))
def test_what_a_combination_leaves_is_told_with_an_interval_only_where_there_is_one(drawn):
    row = pd.Series({f"bliss_{end}": value for end, value in drawn.items()})
    left = surface_sentences._left(row, "bliss")
    hold([left, surface_sentences._removed(drawn["excess"])])
    assert ("interval" in left) == bool(
        np.isfinite(np.exp([-drawn["low"], -drawn["high"]])).all()
    ), left


@quick
@given(st.lists(NUMBERS, min_size=5, max_size=5), st.booleans(), st.integers(0, 3))
@example([1.0, 4.0, 0.8, math.nan, math.nan], True, 3)
@example([1.0, 4.0, 0.8, 0.7, 0.9], True, 3)
def test_what_it_takes_to_reach_a_level_is_told_as_far_as_it_is_known(drawn, reached, pairs):
    grid = SimpleNamespace(
        x=X,
        y=Y,
        x_doses=np.array([0.0, 1, 3]),
        y_doses=np.array([0.0, 2, 8]),
        mean=np.array([[0.0, 0.5, 1], [0.5, 1, 1.5], [1, math.nan, math.nan]]),
    )
    names = ("x_alone", "y_alone", "combination_index", "low", "high")
    drawn = [math.nan if math.isinf(value) else value for value in drawn]
    row = pd.Series(
        dict(zip(names, drawn, strict=True)) | {"level": 0.5, "reached": reached, "points": pairs}
    )
    if math.isnan(row["combination_index"]):
        row["points"] = 0
    if np.isnan(row[["low", "high"]].astype(float)).any():  # both are known, or neither
        row["low"] = row["high"] = math.nan
    told = surface_sentences._isobole(grid, row, UNITS)
    hold([told])
    if reached:
        assert ("at no tested dose" in told or "by no tested dose" in told) == bool(
            np.isnan(drawn[:2]).any()
        )
    if "combination index" in told:
        assert ("no interval" in told) == math.isnan(row["low"])


def test_other_sentences_tell_only_numbers():
    hold(
        [
            str(seeds_for_width([1.0, 1.0, math.nan, math.inf], 0.1, planned=planned))
            for planned in (None, 1, 2, 100)
        ]
    )
    hold(
        tell(
            {
                "control": arm("control", [100, 50, 0], [1.0, math.nan, math.nan]),
                "drug": arm("drug", [0, 0], [math.nan] * 2),
            }
        ).values()
    )
    hold(
        tell(
            {
                "drug": arm("drug", [100, 50], [0.0, 1.0]),
                "other": arm("other", [100, 50], [0.0, 0.0]),
            }
        ).values()
    )
