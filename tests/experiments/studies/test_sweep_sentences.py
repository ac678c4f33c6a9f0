"""What a sweep says of itself: the best and worst points of a grid, and the links that runs over ranges show."""

import numpy as np
import pandas as pd

from experiments.studies.sweep.sentences import told

PDL1, DOSE, INFLUX = "tumor.pdl1", "treatments.pembrolizumab.dose", "t_cell.influx_gain"


def runs(
    points: pd.DataFrame, share: object, arm: str = "pembrolizumab", start: object = 1000
) -> pd.DataFrame:
    """Outcomes of runs of which this share of 1000 cells, the control's and those of day 0, is left."""
    end = np.round(1000 * np.asarray(share, dtype=float))
    points = points if "seed" in points else points.assign(seed=1)
    return points.assign(
        run=range(len(points)),
        arm=arm,
        start_cells=start,
        end_cells=end,
        effect=np.log((end + 1) / 1001),
    )


def test_a_grid_names_its_best_and_worst_point_with_medians_and_eliminated_runs():
    points = pd.DataFrame(
        [(pdl1, seed) for pdl1 in (0.1, 1.0, 2.0) for seed in range(3)], columns=[PDL1, "seed"]
    )
    (sentence,) = told(runs(points, [1.0, 0.9, 0.8, 0.5, 0.4, 0.6, 0.0, 0.004, 0.2]), [PDL1], {})
    assert sentence == (
        "pembrolizumab: from 0.4 % of the control's burden (quartiles 0.2 % and 10 %), none left in 1 of 3 runs "
        "at tumour PD-L1 2 to 90 % of the control's burden (quartiles 85 % and 95 %) at tumour PD-L1 0.1."
    )
    (sentence,) = told(runs(points, [1.0] * 6 + [0.0] * 3), [PDL1], {})
    assert "from no tumour cell left in 3 of 3 runs at tumour PD-L1 2 to 100 %" in sentence, (
        "nothing is no share of a cell"
    )
    (sentence,) = told(runs(points, [1.0] * 3 + [0.0, 0.0, 0.5] + [0.0] * 3), [PDL1], {})
    assert "left in 3 of 3 runs at tumour PD-L1 2" in sentence, (
        "of two medians of nothing, the one without exceptions"
    )


def test_a_run_that_doses_share_counts_once_and_no_arm_is_told_by_a_drug_it_did_not_get():
    points = pd.DataFrame(
        [(dose, seed) for dose in (0, 20, 200) for seed in (1, 2, 3, 4)], columns=[DOSE, "seed"]
    )
    for arm, than in (("control", "day 0"), ("IL-2", "the control's")):
        (sentence,) = told(runs(points, [4.0, 8.0, 5.0, 7.0] * 3, arm), [DOSE], {DOSE: "mg"})
        assert (
            sentence.startswith(f"{arm}: 6 times the")
            and than in sentence
            and "(quartiles 4.8 and 7.2)" in sentence
        )
    everywhere = told(
        runs(
            points.rename(columns={DOSE: "tumor.car_target"}), [4.0, 8.0, 5.0, 7.0] * 3, "control"
        ),
        ["tumor.car_target"],
        {},
    )
    assert everywhere == ["control: 6 times the burden of day 0 (quartiles 4.8 and 7.2)."], (
        "what changes nothing is not named"
    )
    once = told(runs(points[points["seed"] == 1], [4.0] * 3, "control"), [DOSE], {})
    assert once == ["control: 4 times the burden of day 0."], "one run has no quartiles"
    (sentence,) = told(runs(points, np.repeat([1.0, 0.5, 0.1], 4)), [DOSE], {DOSE: "mg"})
    assert "dose 200 mg" in sentence and "dose 0 mg" in sentence, (
        "the arm that gets the drug is told by it"
    )


def test_runs_over_ranges_are_told_by_the_links_they_show():
    random = np.random.default_rng(1)
    points = pd.DataFrame(random.uniform(size=(80, 3)), columns=[PDL1, INFLUX, "tumor.antigen"])
    share = 3 + 2 * points[PDL1] - points[INFLUX] + 0.1 * random.normal(size=80)
    (sentence,) = told(runs(points, share), list(points), {})
    assert "rises with tumour PD-L1" in sentence and "falls with CD8 T cell influx gain" in sentence
    assert sentence.index("PD-L1") < sentence.index("influx"), "the stronger link first"
    assert sentence.endswith("no link is seen with tumour antigen.")
    (nothing,) = told(runs(points, random.uniform(size=80)), list(points), {})
    assert (
        nothing
        == "pembrolizumab: what is left of the control's burden goes with none of the swept parameters."
    )


def test_seeds_of_a_point_are_not_independent_points():
    """16 points x 10 seeds, and an outcome that belongs to the point: chance alone seldom makes a link."""
    wrong = 0
    for study in range(100):
        random = np.random.default_rng(study)
        points = pd.DataFrame({PDL1: random.permutation(16), INFLUX: random.permutation(16)})
        share = np.repeat(random.uniform(0.1, 1, 16), 10)
        seeds = (
            points.loc[np.repeat(points.index, 10)]
            .assign(seed=np.tile(np.arange(10), 16))
            .reset_index(drop=True)
        )
        wrong += "none of the swept" not in told(runs(seeds, share), [PDL1, INFLUX], {})[0]
    assert wrong <= 4, "1 % is claimed; 4 of 100 is three standard errors above"


def test_names_are_compared_as_groups():
    points = pd.DataFrame({"scenario": ["cold", "inflamed"] * 14, PDL1: np.linspace(0, 1, 28)})
    share = np.where(points["scenario"] == "cold", 0.9, 0.1) + 0.01 * points[PDL1]
    (sentence,) = told(runs(points, share), ["scenario", PDL1], {})
    assert "differs with scenario" in sentence


def test_runs_without_a_tumour_on_day_0_are_left_out_and_counted():
    points = pd.DataFrame({PDL1: [0.1, 0.1, 2.0, 2.0], "seed": [1, 2, 1, 2]})
    said = told(runs(points, [0, 0, 2.0, 4.0], "control", start=[0, 0, 1000, 1000]), [PDL1], {})
    assert said == [
        "control: 3 times the burden of day 0.",
        "2 of 4 runs had no tumour on day 0 and are left out.",
    ]
    assert told(runs(points, [0.0] * 4, start=0), [PDL1], {}) == [
        "4 of 4 runs had no tumour on day 0 and are left out."
    ]
