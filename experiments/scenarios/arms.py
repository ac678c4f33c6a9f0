"""How an arm of a scenario begins, as a fork of the common tumour or grown on its own, and how it goes on."""

import json
from collections.abc import Callable, Iterable

from simulation import CellKind, Process, Treatment
from simulation.model import TumorModel

from .scenario import Scenario

Progress = Callable[[str, float, float], None]


def planted(scenario: Scenario, arm: str | None = None) -> TumorModel:
    """A tumour before it grows: the common one, or with an arm's own parameters if one is named."""
    return TumorModel(
        parameters=scenario.parameters,
        shape=tuple(scenario.shape),
        seed=scenario.seed,
        overrides=scenario.tumor_overrides(arm),
        tumor_cells=scenario.tumor_cells,
        cell_kinds=[*scenario.plug_ins(CellKind, arm), *scenario.own_kinds],
        processes=scenario.plug_ins(Process, arm),
        arm=arm or "grown",
    )


def grown(
    scenario: Scenario,
    arm: str | None = None,
    progress: Progress = lambda what, day, days: None,
    model: TumorModel | None = None,
) -> TumorModel:
    """A tumour at day 0: planted and grown, or ``model``, one that has been growing, grown on."""
    grow, model = scenario.grow, model or planted(scenario, arm)
    if grow:
        what = f"growing {arm}" if arm else "growing"
        model.grow(
            grow.cells,
            max_days=grow.max_days - model.hours / 24,
            immune_cells=grow.immune_cells,
            on_progress=lambda model: progress(what, model.hours / 24, grow.max_days),
        )
        progress(what, model.hours / 24, model.hours / 24)  # at its end, be it before max_days
    return model


def tumor_key(scenario: Scenario, arm: str | None = None) -> str:
    """What a tumour at day 0 depends on, as text: scenarios with the same key grow the same tumour."""
    content = scenario.content()
    kept = {
        name: content.get(name) for name in ("parameters", "shape", "seed", "tumor_cells", "grow")
    }
    kept |= {"set": scenario.tumor_overrides(arm)}
    kept |= {name: content[name] for name in ("cell_kinds",) if name in content}
    arms = [content] if arm is None else [content, content["arms"][arm]]
    for key in ("kinds", "processes"):
        if named := [each for table in arms for each in table.get(key, [])]:
            kept[key] = named
    return json.dumps(kept, sort_keys=True)


def begun(
    scenario: Scenario,
    arm: str,
    common: Callable[[], TumorModel],
    progress: Progress = lambda what, day, days: None,
) -> TumorModel:
    """An arm at day 0 with the treatments of that day: a fork of ``common()``, or of a tumour of its own."""
    tumor = common() if scenario.arms[arm].start == "fork" else grown(scenario, arm, progress)
    return forked(tumor, scenario, arm)


def forked(tumor: TumorModel, scenario: Scenario, arm: str) -> TumorModel:
    """A future of a tumour at day 0, with the treatments that an arm is given on that day."""
    kinds = [
        kind for kind in scenario.plug_ins(CellKind, arm) if kind.name not in tumor.kinds.names
    ]
    twin = tumor.fork(
        arm=arm,
        cell_kinds=kinds,
        processes=[
            one for one in scenario.plug_ins(Process, arm) if one.name not in tumor.processes
        ],
        overrides=_of(kinds, scenario, arm),
    )
    both = zip(scenario.arms[arm].treatments, scenario.build_treatments(arm), strict=True)
    for regimen, treatment in both:
        if regimen.given == 0:
            give(twin, treatment, scenario)
    return twin


def give(model: TumorModel, treatment: Treatment, scenario: Scenario) -> None:
    """A treatment of the model's arm is given, and the kinds of cells that it brings have the values that are set."""
    model.give(treatment)
    model.parameters.update(_of(treatment.kinds, scenario, model.arm))


def _of(kinds: Iterable[CellKind], scenario: Scenario, arm: str) -> dict[str, float | str]:
    """What a scenario sets for these kinds of cells in an arm."""
    names = {kind.name for kind in kinds}
    values = scenario.overrides(arm)
    return {name: value for name, value in values.items() if name.partition(".")[0] in names}


def advance(
    model: TumorModel,
    scenario: Scenario,
    day: float,
    *,
    snapshot_every: float = 7.0,
    on_progress: Callable[[TumorModel], None] | None = None,
) -> TumorModel:
    """Run an arm until ``day``, giving and stopping treatments on the days that the scenario names."""
    for moment, action, name, decide in _decisions(model, scenario):
        if model.steps_until(moment) >= model.steps_until(day):
            break
        _run(model, moment, snapshot_every, on_progress)
        if not any(
            entry["action"] == action and entry["treatment"] == name for entry in model.results.log
        ):
            decide(model)
    return _run(model, day, snapshot_every, on_progress)


def _decisions(model: TumorModel, scenario: Scenario) -> list[tuple]:
    """Day, action, treatment and what to do, in order of time; at the same time as they stand in the file."""
    arm, found = model.arm, []
    for regimen, treatment in zip(
        scenario.arms[arm].treatments, scenario.build_treatments(arm), strict=True
    ):
        if regimen.given > 0:
            found.append(
                (
                    regimen.given,
                    "give",
                    treatment.name,
                    lambda model, one=treatment: give(model, one, scenario),
                )
            )
        if regimen.stopped is not None:
            found.append(
                (
                    regimen.stopped,
                    "stop",
                    treatment.name,
                    lambda model, one=treatment: model.stop(one.name),
                )
            )
    return sorted(found, key=lambda decision: decision[0])


def _run(
    model: TumorModel,
    day: float,
    snapshot_every: float,
    on_progress: Callable[[TumorModel], None] | None,
) -> TumorModel:
    if model.steps_until(day) > 0:
        model.run(until=day, progress=False, snapshot_every=snapshot_every, on_progress=on_progress)
    return model
