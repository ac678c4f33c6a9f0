"""Arms of a shipped scenario in memory, and small summaries of them, for the tests of what must be observable."""

import math

import numpy as np

from experiments.scenarios.scenario import Scenario
from simulation import Results, TumorModel


def tumor(scenario: Scenario, arm: str | None = None) -> TumorModel:
    """The tumour of a scenario at day 0, with an arm's own parameters if one is named."""
    model = TumorModel(
        scenario.parameters,
        shape=tuple(scenario.shape),
        seed=scenario.seed,
        overrides=scenario.overrides(arm),
        tumor_cells=scenario.tumor_cells,
    )
    if scenario.grow:
        model.grow(
            scenario.grow.cells,
            max_days=scenario.grow.max_days,
            immune_cells=scenario.grow.immune_cells,
        )
    return model


def arms(
    name: str, seed: int, days: float | None = None, set: dict | None = None
) -> dict[str, Results]:
    """Results of every arm of a shipped scenario under one seed."""
    scenario = Scenario.load(name).with_options(seed=seed, days=days, set=set)
    common, found = None, {}
    for arm, declared in scenario.arms.items():
        if declared.start == "fork":
            common = common or tumor(scenario)
        start = common if declared.start == "fork" else tumor(scenario, arm)
        model = start.fork(scenario.build_treatments(arm), arm=arm)
        found[arm] = model.run(scenario.days, progress=False, snapshot_every=0).results
    return found


def burden(results: Results) -> np.ndarray:
    """Tumour cells every 6 h from day 0."""
    return results.timeseries["tumor_cells"].to_numpy()


def last(results: Results, column: str) -> float:
    return float(results.timeseries[column].iloc[-1])


def ln_ratio(treated: Results, control: Results) -> float:
    """ln of treated over control burden at the end."""
    return ln_fold(burden(treated)[-1], burden(control)[-1])


def ln_fold(cells: float, others: float) -> float:
    """ln of cells over others; one cell is added to both, so that elimination has a number."""
    return math.log((cells + 1) / (others + 1))


def mhc_low_cells(results: Results) -> int:
    """MHC-low tumour cells at the end."""
    return round(float(np.nan_to_num(last(results, "mhc_low_share")) * burden(results)[-1]))


def standard_error(values) -> float:
    return float(np.std(values, ddof=1) / math.sqrt(len(values)))
