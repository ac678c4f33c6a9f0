"""Decisions taken while an arm runs: given and stopped on a day, the same as by hand, also after a stop in between."""

import pandas as pd
import pytest

from experiments.scenarios.arms import advance, begun, grown
from experiments.scenarios.scenario import Scenario
from experiments.scenarios.toml_tables import ScenarioError
from simulation import TumorModel

TEXT = """
question = "Does it matter when?"
parameters = "melanoma"
shape = [41, 41]
days = 4
seed = 5
tumor_cells = 300
[set]
"tumor.pdl1" = 2.0
"t_cell.initial_density" = 300
[[arms.late.treatments]]
drug = "pembrolizumab"
given = 1.25
[[arms.late.treatments]]
drug = "aldesleukin"
name = "il2"
stopped = 2.5
"""


def test_a_scenario_takes_the_decisions_that_a_hand_would(tmp_path):
    scenario = Scenario.from_text(TEXT)
    tumor = grown(scenario)
    by_hand = tumor.fork(treatments=[{"drug": "aldesleukin", "name": "il2"}], arm="late")
    by_hand.run(days=1.25)
    by_hand.give("pembrolizumab")
    by_hand.run(days=1.25)
    by_hand.stop("il2")
    by_hand.run(days=1.5)
    written = advance(begun(scenario, "late", lambda: tumor), scenario, 4.0)
    pd.testing.assert_frame_equal(
        written.results.timeseries, by_hand.results.timeseries, check_exact=True
    )
    assert written.results.doses.equals(by_hand.results.doses)
    assert set(written.results.doses.treatment) == {"il2", "pembrolizumab"}
    for pause in (1.25, 2.5, 3.0):  # saved at the very moment of a decision, before, or after it
        advance(begun(scenario, "late", lambda: tumor), scenario, pause).save(tmp_path / str(pause))
        resumed = advance(TumorModel.load(tmp_path / str(pause)), scenario, 4.0)
        pd.testing.assert_frame_equal(
            resumed.results.timeseries, by_hand.results.timeseries, check_exact=True
        )


def test_the_day_of_a_decision_matters():
    scenario = Scenario.from_text(TEXT)
    tumor = grown(scenario)
    late = advance(begun(scenario, "late", lambda: tumor), scenario, 4.0)
    early = Scenario.from_text(TEXT.replace("given = 1.25", "given = 0.25"))
    assert not advance(begun(early, "late", lambda: tumor), early, 4.0).results.timeseries.equals(
        late.results.timeseries
    )


@pytest.mark.parametrize(
    "text, sentence",
    [
        (
            TEXT.replace("stopped = 2.5", "given = 3\nstopped = 2.5"),
            "stopped = 2.5 lies before given = 3",
        ),
        (
            TEXT.replace("given = 1.25", "given = -1"),
            "it must be the day on which it is given, at least 0",
        ),
    ],
)
def test_a_decision_in_the_past_is_refused(text, sentence):
    with pytest.raises(ScenarioError, match=sentence):
        Scenario.from_text(text)
