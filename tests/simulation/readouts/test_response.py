"""Response on scans: every category, rule and mapping has its known answer; immunoediting has its three phases."""

import math

import numpy as np
import pandas as pd
import pytest

from simulation.parameters.bibliography import is_known
from simulation.parameters.parameter import ParameterError
from simulation.readouts.response import (
    Immunoediting,
    Recist,
    ResponseError,
    dimension_of,
    equivalent_diameter,
    judged,
    phase,
    respond,
    scans,
    sizes,
)


def series(days, cells, **more) -> pd.DataFrame:
    """One arm's time series."""
    return pd.DataFrame(
        {"arm": "drug", "day": np.asarray(days, dtype=float), "tumor_cells": cells} | more
    )


def course(*diameters: float, every: float = 42, **rules):
    """Baseline and scans every 42 days with these diameters in mm: their table and what they come to."""
    recist = Recist(**rules)
    table = judged([every * scan for scan in range(len(diameters))], diameters, recist)
    return table, respond(table, recist)


@pytest.mark.parametrize(
    ("diameter", "nadir", "expected"),
    [
        (0, 50, "CR"),
        (35, 50, "PR"),
        (35.1, 50, "SD"),
        (34.9, 50, "PR"),
        (50, 50, "SD"),
        (59.9, 50, "SD"),
        (60, 50, "PD"),
        (35, 30, "PR"),  # 17 % above the nadir: the response against baseline still holds
        (36, 30, "PD"),  # 20 % and 6 mm above the nadir, though 28 % below baseline
        (24, 20, "PR"),  # 20 % above the nadir, but only 4 mm
        (25, 20, "PD"),  # 25 % and 5 mm
        (5, 0, "PD"),
        (4.9, 0, "PR"),  # back after a complete response
    ],
)
def test_each_scan_has_its_category(diameter, nadir, expected):
    table, _ = course(50, nadir, diameter)
    assert table["category"].iloc[-1] == expected, (
        f"{diameter} mm after a nadir of {nadir} mm, 50 mm at baseline"
    )


def test_progression_is_measured_from_the_smallest_scan_and_response_from_baseline():
    table, response = course(50, 30, 20, 28)
    assert table["category"].tolist() == ["baseline", "PR", "PR", "PD"]
    assert table["nadir"].tolist() == [50, 50, 30, 20]
    assert table["change"].tolist() == pytest.approx([0, -0.4, -0.6, -0.44])
    assert response.best == "PR", "the best response before progression is kept"


def test_what_was_never_smaller_than_baseline_is_measured_from_baseline():
    assert course(50, 58, 61)[0]["category"].tolist() == ["baseline", "SD", "PD"]


@pytest.mark.parametrize(
    ("diameters", "best"),
    [
        ((50, 30, 10, 0), "CR"),
        ((50, 30, 31), "PR"),
        ((50, 45, 50), "SD"),
        ((50, 62, 70), "PD"),
        ((50, 62, 10), "PD"),
        ((50, 45, 62), "SD"),
        ((50, 0, 20), "CR"),
    ],
)
def test_best_overall_response_is_the_best_up_to_progression(diameters, best):
    assert course(*diameters)[1].best == best


def test_times_and_their_censoring():
    relapsed, lasting, stable = (
        course(*d)[1] for d in ((50, 30, 25, 40), (50, 40, 30, 25), (50, 50, 50, 50))
    )
    assert (relapsed.progression_day, relapsed.progressed) == (126, True)
    assert (relapsed.response_day, relapsed.response_duration, relapsed.response_ended) == (
        42,
        84,
        True,
    )
    assert (lasting.progression_day, lasting.progressed) == (126, False), (
        "censored at the last scan"
    )
    assert (lasting.response_day, lasting.response_duration, lasting.response_ended) == (
        84,
        42,
        False,
    )
    assert (
        math.isnan(stable.response_day)
        and math.isnan(stable.response_duration)
        and not stable.objective
    )


def test_the_best_change_counts_up_to_progression():
    assert course(50, 40, 60, 5)[1].best_change == pytest.approx(-0.2)
    assert course(50, 65)[1].best_change == pytest.approx(0.3), (
        "a tumour that only grew has a change above zero"
    )


@pytest.mark.parametrize(
    ("diameters", "every", "best"),
    [
        ((50, 30, 30), 42, "PR"),
        ((50, 30, 45), 42, "SD"),
        ((50, 30), 42, "SD"),
        ((50, 30, 70), 42, "SD"),
        ((50, 0, 0), 42, "CR"),
        ((50, 0, 20 / 3), 42, "SD"),
        ((50, 0, 4), 42, "PR"),
        ((50, 30, 30), 21, "SD"),
        ((50, 30, 30, 30), 21, "PR"),
    ],
)
def test_a_response_may_be_asked_to_be_seen_again_four_weeks_later(diameters, every, best):
    assert course(*diameters, every=every, confirm=28)[1].best == best


def test_pseudoprogression_is_a_progression_that_the_next_scan_takes_back():
    table, response = course(50, 65, 40, 20)
    assert table["category"].tolist() == ["baseline", "PD", "SD", "PR"]
    assert table["immune_category"].tolist() == ["baseline", "iUPD", "iSD", "iPR"]
    assert response.pseudoprogression and math.isnan(response.confirmed_progression_day)
    assert (response.best, response.progression_day) == ("PD", 42), (
        "RECIST 1.1 itself does not wait"
    )


def test_a_progression_that_grows_on_is_confirmed_from_its_first_day():
    table, response = course(50, 65, 71, 20)
    assert table["immune_category"].tolist() == ["baseline", "iUPD", "iCPD", "iCPD"]
    assert not response.pseudoprogression and response.confirmed_progression_day == 42


def test_a_progression_that_stands_still_is_not_confirmed():
    table, response = course(50, 65, 69, 80)
    assert table["immune_category"].tolist() == ["baseline", "iUPD", "iUPD", "iCPD"], (
        "4 mm do not confirm, 11 mm do"
    )
    assert response.confirmed_progression_day == 42
    assert not course(50, 65, 69)[1].pseudoprogression, "nothing has taken it back"


@pytest.mark.parametrize(("dimension", "fewer", "more"), [(2, 0.51, 0.44), (3, 0.66, 0.73)])
def test_a_diameter_is_a_square_root_of_cells_in_2d_and_a_cube_root_in_3d(dimension, fewer, more):
    start, small, large = equivalent_diameter([1e6, (1 - fewer) * 1e6, (1 + more) * 1e6], dimension)
    assert small / start == pytest.approx(0.7, abs=0.005), (
        f"-30 % in diameter is -{fewer:.0%} of the cells"
    )
    assert large / start == pytest.approx(1.2, abs=0.005), (
        f"+20 % in diameter is +{more:.0%} of the cells"
    )


def test_the_equivalent_diameter_is_that_of_a_disc_or_ball_of_packed_cells():
    assert equivalent_diameter(math.pi * 100**2 / 15**2, 2) == pytest.approx(200), (
        "a disc of 100 um radius"
    )
    assert equivalent_diameter(4 / 3 * math.pi * 100**3 / 15**3, 3) == pytest.approx(200), (
        "a ball of 100 um radius"
    )


def test_the_same_cells_respond_in_2d_and_not_in_3d():
    shrinking = series([0, 42], [1000, 450])
    assert scans(shrinking, dimension=2)["category"].tolist() == ["baseline", "PR"]
    assert scans(shrinking, dimension=3)["category"].tolist() == ["baseline", "SD"]


def test_the_patch_is_scaled_to_the_nominal_lesion_and_that_decides_by_the_5_mm_rule():
    growing = series([0, 42], [1000, 1500])  # + 22 % in diameter
    for nominal, expected in ((10, "SD"), (50, "PD")):
        seen = scans(growing, Recist(nominal_diameter=nominal))
        assert seen["diameter"].iloc[0] == pytest.approx(nominal)
        assert seen["category"].iloc[-1] == expected, f"+22 % of {nominal} mm"


def test_scans_come_at_their_days_and_on_the_last_day():
    assert Recist().scan_days(84).tolist() == [42, 84]
    assert Recist().scan_days(100).tolist() == [42, 84, 100], (
        "the last day too when it falls beside"
    )
    assert Recist(every="3 weeks", first=63).scan_days(84).tolist() == [63, 84]
    assert Recist().scan_days(10).tolist() == [10]
    assert Recist().scan_days(0).size == 0


def test_a_scan_shows_the_newest_record_of_its_day():
    seen = sizes(series([0, 20.75, 21, 21.25], [100, 50, 25, 16]), [21], Recist())
    assert seen["cells"].tolist() == [100, 25]
    assert seen["diameter"].tolist() == pytest.approx([50, 25])


def test_a_lesion_without_scans_cannot_be_judged():
    assert respond(scans(series([0], [1000]))).best == "NE"


def test_a_few_cells_are_not_seen():
    few = series([0, 42], [1500, 2])  # 1.8 mm of 50 mm
    assert scans(few)["category"].iloc[-1] == "CR"
    assert scans(few, Recist(smallest_seen=0))["category"].iloc[-1] == "PR"


def test_infiltrate_counts_as_lesion_while_there_is_tumour_and_makes_pseudoprogression():
    inflamed = series(
        [0, 42, 84, 126], [1000, 800, 200, 0], t_cells=[0, 900, 100, 500], nk_cells=[0, 0, 0, 0]
    )
    assert scans(inflamed)["category"].tolist() == ["baseline", "SD", "PR", "CR"]
    seen = scans(inflamed, infiltrate=True)
    assert seen["category"].tolist() == ["baseline", "PD", "PR", "CR"], (
        "a scan cannot tell T cells from tumour"
    )
    assert respond(seen).pseudoprogression and not respond(scans(inflamed)).pseudoprogression
    assert seen["cells"].tolist() == [1000, 800, 200, 0], "cells are tumour cells all the same"


def test_what_cannot_be_judged_is_told_in_a_sentence():
    with pytest.raises(ResponseError, match="no tumour to measure at day 0"):
        scans(series([0, 42], [0, 0]))
    with pytest.raises(ResponseError, match="no tumour at day 0"):
        phase(series([0, 42], [0, 0]))
    with pytest.raises(ResponseError, match="liquid tumour has none"):
        dimension_of((50, 50), liquid=True)
    with pytest.raises(ResponseError, match="must be 2 .* or 3"):
        equivalent_diameter(10, 1)
    with pytest.raises(
        ParameterError,
        match="scans.every = 0 is not allowed: it must be a number between 1 and 365 day",
    ):
        Recist(every=0)
    assert dimension_of((9, 9)) == 2 and dimension_of((9, 9, 9)) == 3


@pytest.mark.parametrize(
    ("slope", "level", "expected"),
    [
        (0.0, 1.0, "equilibrium"),
        (0.019, 1.0, "equilibrium"),
        (0.021, 1.0, "escape"),
        (-0.021, 0.5, "elimination"),
        (-0.019, 0.5, "equilibrium"),
        (0.0, 3.1, "escape"),
        (-0.021, 3.1, "equilibrium"),
        (0.021, 0.2, "escape"),
    ],
)
def test_the_phase_follows_from_the_last_two_weeks(slope, level, expected):
    days = np.arange(0, 43)
    cells = level * 1e5 * np.exp(slope * (days - 42))
    cells[0] = 1e5
    assert phase(series(days, cells)) == expected, f"slope {slope} a day, {level} times day 0"


def test_a_tumour_that_is_gone_was_eliminated_however_it_went():
    assert phase(series([0, 10, 20, 30, 40], [100, 900, 900, 900, 0])) == "elimination"


def test_what_happened_before_the_last_part_does_not_matter():
    early = np.concatenate([np.geomspace(100, 1000, 20), np.full(30, 250.0)])
    assert phase(series(np.arange(50), early)) == "equilibrium"


def test_every_number_has_a_unit_a_meaning_a_range_and_a_source():
    for group in (Recist(), Immunoediting()):
        for row in group.table():
            assert is_known(row["source"]), row
            assert row["low"] <= row["value"] <= row["high"], row


@pytest.mark.parametrize(
    ("name", "other", "cells"),
    [
        ("nominal_diameter", 10, [1000, 1500, 1500]),
        ("every", 28, [1000, 300, 300]),
        ("first", 21, [1000, 300, 300]),
        ("partial_response", 60, [1000, 300, 300]),
        ("progression", 50, [1000, 1600, 1600]),
        ("least_growth", 20, [1000, 1600, 1600]),
        ("smallest_seen", 0, [1500, 2, 2]),
        ("confirm", 60, [1000, 1000, 300]),
    ],
)
def test_every_number_of_recist_matters(name, other, cells):
    def told(recist):
        return respond(scans(series([0, 42, 84], cells), recist), recist)

    assert str(told(Recist())) != str(told(Recist(**{name: other}))), (
        f"nothing changes with {name} = {other}"
    )
