"""How an arm of a scenario begins: as a fork of the common tumour, or grown on its own."""

from collections.abc import Callable

from simulation.model import TumorModel

from .scenario import Scenario

Progress = Callable[[str, float, float], None]


def grown(scenario: Scenario, arm: str | None = None, progress: Progress = lambda what, day, days: None) -> TumorModel:
    """A tumour at day 0: the common one, or with an arm's own parameters if one is named."""
    grow = scenario.grow
    model = TumorModel(parameters=scenario.parameters, shape=tuple(scenario.shape), seed=scenario.seed,
                       overrides=scenario.overrides(arm), tumor_cells=scenario.tumor_cells, arm=arm or "grown")
    if grow:
        what = f"growing {arm}" if arm else "growing"
        model.grow(grow.cells, max_days=grow.max_days, immune_cells=grow.immune_cells,
                   on_progress=lambda model: progress(what, model.hours / 24, grow.max_days))
    return model


def begun(scenario: Scenario, arm: str, common: Callable[[], TumorModel],
          progress: Progress = lambda what, day, days: None) -> TumorModel:
    """An arm at day 0 with its treatments: a fork of ``common()``, or of a tumour of its own."""
    tumor = common() if scenario.arms[arm].start == "fork" else grown(scenario, arm, progress)
    return tumor.fork(treatments=scenario.build_treatments(arm), arm=arm)
