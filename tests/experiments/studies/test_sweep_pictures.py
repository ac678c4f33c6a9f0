"""Pictures of sweeps: what is drawn is what the tables hold, whatever the values of the swept parameters."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from experiments.studies.axis import by_arm, ratio_ticks
from experiments.studies.rulers import ruler
from experiments.studies.sweep import maps
from experiments.studies.sweep import pictures as sweeps
from experiments.words import axis_label, axis_words, point_words, value_words
from simulation.plots import style
from simulation.words import number_words

PDL1, DOSE = "tumor.pdl1", "treatments.pembrolizumab.dose"
QUESTION = "Does it matter?"


def sweep(
    points,
    seeds=5,
    arms=("control", "pembrolizumab"),
    *,
    end=lambda point, arm, seed: 1000 * seed,
    **columns,
):
    """Tables of a sweep over ``points`` (dicts); ``end`` is the last burden, reached in a straight line from 1000."""
    outcomes, series = [], []
    for number, point in enumerate(points):
        for seed in range(1, seeds + 1):
            labels = (
                {"run": number * seeds + seed, "scenario": "a", "point": number}
                | point
                | {"seed": seed}
            )
            control = end(point, "control", seed)
            for arm in arms:
                cells = end(point, arm, seed)
                outcomes.append(
                    labels
                    | {
                        "arm": arm,
                        "start_cells": 1000,
                        "end_cells": cells,
                        "least_cells": min(cells, 1000),
                        "effect": np.log((cells + 1) / (control + 1)),
                        "antigen_shift": -0.1,
                        "antigen_low_share": 0.0,
                        "target_negative_share": 0.5,
                        "peak_car_t_cells": 0,
                    }
                    | columns
                )
                series += [
                    labels
                    | {"arm": arm, "day": day, "tumor_cells": 1000 + (cells - 1000) * day / 10}
                    for day in (0.0, 5.0, 10.0)
                ]
    return {"outcomes": pd.DataFrame(outcomes), "timeseries": pd.DataFrame(series)}


def grid(**axes):
    """All combinations, as the points of a design."""
    points = [{}]
    for name, values in axes.items():
        points = [point | {name: value} for point in points for value in values]
    return points


def lines(axes, color):
    """The lines of one colour that have more than one point and no marker: medians."""
    return [
        line
        for line in axes.lines
        if to_hex(line.get_color()) == to_hex(color) and line.get_marker() == "None"
    ]


def test_the_median_line_is_the_median_of_the_runs():
    figure = sweeps.responses(
        sweep(
            grid(**{PDL1: (0.1, 0.5, 2.0)}),
            end=lambda point, arm, seed: int(
                100 * seed**2 * (1 + point[PDL1]) * (1 if arm == "control" else 0.1)
            ),
        )["outcomes"],
        [PDL1],
    )
    panel = figure.axes[0]
    for arm, factor in (("control", 1), ("pembrolizumab", 0.1)):
        median = max(
            lines(panel, style.arm_colors(["control", "pembrolizumab"])[arm]),
            key=lambda line: line.get_zorder(),
        )
        assert median.get_ydata() == pytest.approx(
            [900 * (1 + pdl1) * factor for pdl1 in (0.1, 0.5, 2)], abs=1
        )


def test_every_arm_has_its_colour_and_stands_beside_the_others():
    arms = ("control", "pembrolizumab", "both")
    figure = sweeps.responses(sweep(grid(**{PDL1: (0.1, 0.5, 2.0)}), arms=arms)["outcomes"], [PDL1])
    dots = [
        line
        for line in figure.axes[0].lines
        if line.get_marker() == "o" and to_hex(line.get_color()) != "#ffffff"
    ]
    assert [to_hex(line.get_color()) for line in dots] == [
        to_hex(color) for color in style.arm_colors(arms).values()
    ]
    places = [np.sort(line.get_xdata())[:5].mean() for line in dots]
    assert places[0] < places[1] < places[2]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == list(arms)


def test_a_control_has_no_effect_on_itself_to_show():
    figure = sweeps.responses(sweep(grid(**{PDL1: (0.1, 2.0)}))["outcomes"], [PDL1], ["effect"])
    assert not lines(figure.axes[0], style.CONTROL)


def test_axes_carry_words_and_units():
    points = grid(**{PDL1: (0.1, 2.0), DOSE: (0, 2, 200)})
    figure = sweeps.responses(
        sweep(points)["outcomes"], [PDL1, DOSE], units={PDL1: "1", DOSE: "mg"}, question=QUESTION
    )
    labels = [axes.get_xlabel() for axes in figure.axes if axes.get_visible()]
    assert labels[-2:] == ["tumour PD-L1", "pembrolizumab dose (mg)"]
    assert figure.get_suptitle() == QUESTION


@pytest.mark.parametrize(
    ("axes", "tables", "names"),
    [
        ([], sweep([{}]), {"responses", "time_courses"}),
        ([PDL1], sweep(grid(**{PDL1: (0.1, 0.5, 2.0)})), {"responses", "time_courses"}),
        (
            [PDL1, DOSE],
            sweep(grid(**{PDL1: (0.1, 0.5, 2.0), DOSE: (0, 2, 20, 200)})),
            {"responses", "maps"},
        ),
        (
            list("abcdef"),
            sweep(
                [
                    dict(zip("abcdef", row, strict=True))
                    for row in np.random.default_rng(1).random((30, 6))
                ],
                2,
            ),
            {"responses"},
        ),
        (
            list("abcdefgh"),
            sweep(
                [
                    dict(zip("abcdefgh", row, strict=True))
                    for row in np.random.default_rng(1).random((12, 8))
                ],
                1,
            ),
            {"responses"},
        ),
        (
            ["x.every"],
            sweep(grid(**{"x.every": ("8 hours", "1 day")}), arms=("control",)),
            {"responses", "time_courses"},
        ),
        (
            [PDL1, DOSE],
            sweep(grid(**{PDL1: (1,), DOSE: (0, 2)}), end=lambda *_: 0),
            {"responses", "time_courses"},
        ),
    ],
)
def test_each_design_has_the_pictures_that_suit_it(axes, tables, names, tmp_path):
    drawn = sweeps.figures(tables, axes, {}, QUESTION)
    assert set(drawn) == names
    for name, figure in drawn.items():
        figure.savefig(tmp_path / f"{name}.png")


def test_several_scenarios_are_one_more_axis():
    tables = sweep(grid(**{PDL1: (0.1, 2.0)}))
    other = {
        name: table.assign(scenario="cold_tumor", run=table["run"] + 100)
        for name, table in tables.items()
    }
    both = {name: pd.concat([table, other[name]]) for name, table in tables.items()}
    assert sweeps.varying(both["outcomes"], [PDL1]) == ["scenario", PDL1]
    drawn = sweeps.figures(both, [PDL1], {})
    assert set(drawn) == {"responses", "maps", "time_courses"}
    titles = [axes.get_title("left") for axes in drawn["time_courses"].axes]
    assert titles == [
        "scenario a, tumour PD-L1 0.1",
        "scenario a, tumour PD-L1 2",
        "scenario cold tumour, tumour PD-L1 0.1",
        "scenario cold tumour, tumour PD-L1 2",
    ]


def test_maps_hold_medians_and_gaps():
    table = sweep(
        grid(**{PDL1: (0.1, 2.0), DOSE: (0, 2)}),
        end=lambda point, arm, seed: (
            seed * 10 if arm == "control" else (100 * seed * (1 + point[DOSE]))
        ),
    )["outcomes"]
    figure = maps.maps(
        table[~((table[PDL1] == 2) & (table[DOSE] == 2))], PDL1, DOSE, ["end_cells", "effect"]
    )
    shown = [
        axes
        for axes in figure.axes
        if axes.images and axes.get_visible() and axes.get_title("left")
    ]
    assert [axes.get_title("left") for axes in shown] == [
        "tumour cells, last day: pembrolizumab",
        "burden, ratio to control: pembrolizumab",
    ], "an idle control has no map"
    written = {text.get_position(): text.get_text() for text in shown[0].texts}
    assert written == {(0, 0): "300", (1, 0): "300", (0, 1): "900", (1, 1): "no run"}
    low, high = shown[1].images[0].get_clim()
    assert low == -high, "a ratio of one is the middle of the colours"


def test_time_courses_are_medians_over_seeds():
    tables = sweep(grid(**{PDL1: (0.1, 2.0)}), end=lambda point, arm, seed: seed * 1000)
    figure = sweeps.time_courses(tables["timeseries"], [PDL1])
    line = figure.axes[0].lines[0]
    assert line.get_xdata() == pytest.approx([0, 5, 10])
    assert line.get_ydata() == pytest.approx([1000, 2000, 3000])


def test_an_arm_that_a_dose_does_not_touch_counts_once_a_seed():
    def end(point, arm, seed):
        return round(
            1000 * seed * (1 + point[PDL1]) / (1 + (point[DOSE] if arm != "control" else 0))
        )

    table = sweep(grid(**{PDL1: (0.1, 2.0), DOSE: (0, 2, 200)}), end=end)["outcomes"]
    table["effect"] = 0.0
    control, treated = (table[table["arm"] == arm] for arm in ("control", "pembrolizumab"))
    assert len(sweeps.distinct(control, PDL1)) == 2 * 5, "the control is one run at every dose"
    assert len(sweeps.distinct(control, DOSE)) == 3 * 2 * 5, (
        "at each dose it stands beside the others"
    )
    assert len(sweeps.distinct(treated, PDL1)) == 2 * 3 * 5
    panel = sweeps.responses(table, [PDL1, DOSE], ["end_cells"]).axes[0]
    dots = [
        line
        for line in panel.lines
        if line.get_marker() == "o" and to_hex(line.get_color()) == style.CONTROL.lower()
    ]
    assert len(dots[0].get_xdata()) == 10, "as many dots as runs"


def test_titles_of_points_are_read_whole():
    points = grid(**{PDL1: (0.1, 2.0), DOSE: (0, 200)})
    figure = sweeps.time_courses(sweep(points)["timeseries"], [PDL1, DOSE], units={DOSE: "mg"})
    assert figure.axes[0].get_title("left") == "tumour PD-L1 0.1;\npembrolizumab dose 0 mg"
    figure.draw_without_rendering()
    width = figure.bbox.width
    assert all(axes._left_title.get_window_extent().x1 <= width for axes in figure.axes), (
        "no title is cut"
    )
    assert (
        sweeps.lines("an only very long parameter of 3", 12)
        == "an only very\nlong\nparameter of\n3"
    )


def test_relapse_brings_the_smallest_burden_into_the_picture():
    steady, back = (
        sweep(grid(**{PDL1: (0.1, 2.0)}), least_cells=least)["outcomes"] for least in (1000, 100)
    )
    assert "least_cells" not in sweeps.quantities_of(steady)
    assert "least_cells" in sweeps.quantities_of(back)
    assert sweeps.quantities_of(steady)[-1] == "antigen_shift"
    assert sweeps.quantities_of(steady.assign(antigen_low_share=0.2))[-1] == "antigen_low_share"
    assert sweeps.quantities_of(back.assign(peak_car_t_cells=9))[-1] == "target_negative_share"


@pytest.mark.parametrize(
    ("values", "listed", "logarithmic", "marks"),
    [
        ((1, 2, 3), True, False, [1, 2, 3]),
        ((0.1, 1, 10), True, True, [-1, 0, 1]),
        ((0, 0.1, 1, 10), True, True, [-2, -1, 0, 1]),
        ((0, 0.01, 0.03, 0.1), True, False, [0, 1, 2, 3]),
        ((0, 0.3, 3, 200), True, True, None),
        ((0, 1, 2, 30), True, False, [0, 1, 2, 3]),
        (("8 hours", "1 day"), True, False, [0, 1]),
        (("2", "1"), True, False, [1, 2]),
        ((5,), True, False, [5]),
        (tuple(np.linspace(0.01, 1, 30)), False, False, None),
        (tuple(np.geomspace(0.01, 1, 30)), False, True, None),
    ],
)
def test_values_stand_where_a_reader_expects_them(values, listed, logarithmic, marks):
    measure = ruler(pd.Series(values))
    assert (measure.listed, measure.logarithmic) == (listed, logarithmic)
    if marks:
        assert measure.marks == pytest.approx(marks)
    if listed:
        gaps = np.diff(measure.marks)
        assert (gaps > 0).all() and (not gaps.size or gaps.min() > 0.12 * np.ptp(measure.marks)), (
            "no mark covers another"
        )


def test_ratios_read_as_ratios():
    ticks, words = ratio_ticks(np.log(0.004), np.log(2))
    assert "0.01" in words and "1" in words
    assert [float(word) for word in words] == pytest.approx(np.exp(ticks))
    for low, high in ((-0.05, 0.06), (-0.4, 0.1), (-2, 0.1), (-9, 2), (-25, 0)):
        assert 2 <= len(ratio_ticks(low, high)[0]) <= 9


def test_the_control_comes_first():
    assert list(by_arm(pd.DataFrame({"arm": ["both", "control", "both"]}))) == ["control", "both"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("treatments.il2.peak", "IL-2 peak"),
        ("tumor.pdl1", "tumour PD-L1"),
        ("treatments.il2.schedule.every", "IL-2 interval"),
        ("t_cell.base_influx", "CD8 T cell base influx"),
        ("treatments.car_t.dose", "CAR T dose"),
        ("tumor.car_target_negative_share", "tumour CAR target negative share"),
        ("scenario", "scenario"),
    ],
)
def test_dotted_names_in_words(name, words):
    assert axis_words(name) == words


def test_values_in_words():
    assert [number_words(value) for value in (0, 0.25, 12500, 2e8, 1e-5, 1e8, -3e6)] == [
        "0",
        "0.25",
        "12,500",
        "2×10⁸",
        "10⁻⁵",
        "10⁸",
        "-3×10⁶",
    ]
    assert value_words(200, "mg") == "200 mg"
    assert value_words("8 hours", "day") == "8 hours"
    assert value_words(0.5, "1") == "0.5"
    assert axis_label("t_cell.base_influx", {"t_cell.base_influx": "cells/mm2/day"}).endswith(
        "(cells/mm²/day)"
    )
    assert (
        point_words(
            {
                "treatments.il2.schedule.every": "8 hours",
                "treatments.il2.schedule.times": 14,
                "tumor.pdl1": 2,
            }
        )
        == "IL-2: interval 8 hours, doses per cycle 14; tumour PD-L1 2"
    )
