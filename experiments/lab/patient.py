"""The patient on the bench of the lab: a scenario, a seed, a patch of tissue, and what was set differently."""

import math
import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from simulation.errors import TumorLabError
from simulation.model import TumorModel

from ..scenarios.arms import forked, grown, planted, tumor_key
from ..scenarios.own_code import of_tumors
from ..scenarios.scenario import Scenario
from .bank import Bank
from .growth import Growth

SMALL = 101  # sites along the edge of the quick patch, about 1.5 mm; for scenarios of more than twice its area
SHELF = 8  # grown tumours that are kept
QUICK_SEEDS = {
    "car_t_antigen_escape": 4
}  # where the seed of the scenario shows its question on the whole patch only
CELLS_AT_START = "tumor.initial_cells"


class LabError(TumorLabError):
    """Something the lab cannot do; one sentence that says what is allowed."""


class Eliminated(LabError):
    """No tumour cell was left at day 0."""


class Patient(NamedTuple):
    """A scenario with a seed of one's own, parameters changed by hand, and a quick or a whole patch.

    A ``sheltered`` tumour grows without immune cells, which come on day 0: they would have eliminated it before.
    """

    scenario: str
    seed: int
    whole: bool = False
    changed: tuple[tuple[str, float], ...] = ()
    sheltered: bool = False

    @classmethod
    def of(cls, scenario: str) -> "Patient":
        """The patient of a scenario as it ships, on the quick patch."""
        return cls(scenario, QUICK_SEEDS.get(scenario) or _written(scenario).seed)

    def with_seed(self, text: str) -> "Patient":
        """The same patient with the seed that was typed; raises LabError."""
        try:
            seed = int(str(text).strip())
        except ValueError:
            seed = -1
        if not 0 <= seed < 2**63:
            raise LabError(
                f"seed = {str(text).strip()[:40]!r} is not allowed: give a whole number from 0 to 2^63 - 1",
                key="seed",
            )
        return self._replace(seed=seed, sheltered=False)

    def with_value(self, dotted: str, value: float) -> "Patient":
        """The same patient with one parameter set; what the scenario itself says is not kept as a change."""
        changed = {name: number for name, number in self.changed if name != dotted}
        if value != self.written().model_parameters()[dotted]:
            changed[dotted] = value
        return self._replace(changed=tuple(sorted(changed.items())), sheltered=False)

    def written(self) -> Scenario:
        """The scenario as it is written; a file of one's own as it was when it was first asked for."""
        return _written(self.scenario)

    def bench(self) -> Scenario:
        """The scenario that the lab runs: on the quick patch with cells in proportion. Raises ScenarioError."""
        return _bench(self)


_written = cache(Scenario.load)


def _bench(patient: Patient) -> Scenario:
    written = patient.written()
    content = written.content() | {"seed": patient.seed}
    quick, share = [SMALL, SMALL], SMALL**2 / math.prod(written.shape)
    if not patient.whole and len(written.shape) == 2 and share < 0.5:
        content["shape"] = quick
        if grow := content.get("grow"):
            content["grow"] = grow | {"cells": max(1, round(grow["cells"] * share))}
        if "tumor_cells" in content:
            content["tumor_cells"] = max(1, round(content["tumor_cells"] * share))
        else:
            start = written.model_parameters()[CELLS_AT_START]
            content["set"] = content["set"] | {CELLS_AT_START: max(1, round(start * share))}
    content["set"] = content["set"] | dict(patient.changed)
    if patient.sheltered:
        content["grow"] = content["grow"] | {"immune_cells": False}
    return Scenario.from_content(content, name=written.name, file=f"{written.name} in the lab")


class Shelf:
    """Tumours grown to day 0, kept so that a reset, and the next visitor, need not wait; the oldest go, at most into a bank."""

    def __init__(self, most: int = SHELF, bank: Bank | None = None):
        self._most, self._lock, self._bank = most, threading.Lock(), bank or Bank(None)
        self._grown: OrderedDict[str, TumorModel] = OrderedDict()

    def start(
        self, scenario: Scenario, arm: str, progress: Callable[[Growth], None] = lambda growth: None
    ) -> TumorModel:
        """An arm of a scenario at day 0 with the treatments of that day; the tumour is grown when it is not here yet."""
        own = arm if scenario.arms[arm].start == "twin" else None
        key = tumor_key(scenario, own)
        with self._lock:
            tumor = self._grown.get(key)
        kept = scenario.grow and not of_tumors(scenario.content(), own)
        if tumor is None and kept:
            tumor = self._bank.take(key)
        if tumor is None:
            tumor = followed(scenario, own, progress)
            if kept:  # code of a user's own may be another when the bank is opened again
                self._bank.put(key, tumor)
        with self._lock:
            self._grown[key] = tumor
            self._grown.move_to_end(key)
            while len(self._grown) > self._most:
                self._grown.popitem(last=False)
            if tumor.count("tumor_cell"):
                return forked(tumor, scenario, arm)
        raise Eliminated(
            "this tumour dies out while it grows, so there is no day 0: let its cells divide more or die less"
        )


def followed(scenario: Scenario, own: str | None, progress: Callable[[Growth], None]) -> TumorModel:
    """A tumour grown to day 0 while somebody is told how far it is."""
    model = planted(scenario, own)
    if not scenario.grow:
        return model
    what = f"growing {own}" if own else "growing"
    growth = Growth(what, model.count("tumor_cell"), scenario.grow.cells, scenario.grow.max_days)

    def told(what: str, day: float, days: float) -> None:
        growth.see(model.count("tumor_cell"), day)
        progress(growth)

    return grown(scenario, own, told, model)
