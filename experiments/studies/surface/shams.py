"""Sham combinations: a drug with a second copy of itself, which by definition is neither synergy nor antagonism.

Loewe & Muischnek 1926 think the sham; here it is run, in the same tissue, from the same seeds. Each drug is combined with its
copy at every pair of its own doses, so that n doses cost n (n + 1) / 2 points. The sham that matches a pair of two drugs has
the copy at the dose with the effect of the other drug alone; between the doses that were run its excess is taken as linear in
that effect, which is exact where the excess is a product of both effects.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations_with_replacement
from typing import Any

import numpy as np

from experiments.scenarios.scenario import Scenario

from ..archive import StudyError
from ..statistics import interval
from .bliss import beyond_bliss, roomy
from .grid import OF_DRUG, Grid, again
from .isoboles import crossing


def points(design: Sequence[Mapping[str, Any]], x: str, y: str) -> list[dict[str, Any]]:
    """The points of both shams: one drug at two of its doses, the larger first, the other drug at 0."""
    found = []
    for axis, other in ((x, y), (y, x)):
        doses = sorted({point[axis] for point in design} - {0})
        found += [
            dict(design[0]) | {axis: high, other: 0, again(x): 0, again(y): 0} | {again(axis): low}
            for low, high in combinations_with_replacement(doses, 2)
        ]
    return found


def twice(
    scenario: Scenario, arm: str, point: Mapping[str, object], x: str, y: str
) -> tuple[Scenario, dict[str, Any]]:
    """The scenario whose arm has the drug of a sham point twice, and the values to set in it: the copy has all the drug has.

    Raises StudyError or ScenarioError where the arm has no such drug, or cannot have it twice.
    """
    axis = x if point[again(x)] else y
    drug, content = OF_DRUG.sub(r"\1", axis), scenario.content()
    regimens, names = (
        content["arms"][arm]["treatments"],
        [one.name for one in scenario.build_treatments(arm)],
    )
    if drug not in names:
        raise StudyError(
            f"arm {arm!r} has no treatment {drug!r} (choices: {', '.join(names)})", key="surface"
        )
    regimens.append(regimens[names.index(drug)] | {"name": f"{drug}_again"})
    for own in (content.get("set", {}), content["arms"][arm].get("set", {})):
        own |= _copied(own, drug)
    plain = {name: value for name, value in point.items() if name not in (again(x), again(y))}
    changed = type(scenario).from_content(content, name=scenario.name, file=scenario.name)
    return changed, plain | _copied(plain, drug) | {again(axis): point[again(axis)]}


def matched(grid: Grid) -> list[np.ndarray]:
    """The excess over Bliss independence of the sham of each drug at the effects of every pair, doses of x by of y by seeds.

    NaN where no tested dose of the drug has the effect of the other, or where the sham has no room.
    """
    found = []
    for sham in grid.shams:
        of_x = sham.x == grid.x
        known = np.where(roomy(sham)[..., None], beyond_bliss(sham), np.nan)
        places = _places(sham.mean[:, 0], grid.effect[0] if of_x else grid.effect[:, 0])
        low = np.nan_to_num(places).astype(int)
        share = (places - low)[:, None]
        between = known[:, low] + np.where(
            share == 0, 0, share * (known[:, np.minimum(low + 1, len(known) - 1)] - known[:, low])
        )
        found.append(between if of_x else between.swapaxes(0, 1))
    return found


def _places(curve: np.ndarray, alone: np.ndarray) -> np.ndarray:
    """Where along a dose curve of mean effects the effects of another drug alone (doses by seeds) lie; NaN beyond its end.

    A drug that does harm is matched by harm, unless its harm is not told from nothing: that is matched by no dose.
    """
    mean, _, high = interval(alone)
    mean = np.where((mean < 0) & ~(high < 0), 0, mean)
    numbers = np.arange(curve.size, dtype=float)
    return np.array(
        [
            np.nan
            if np.isnan(effect)
            else crossing(numbers, np.sign(effect or 1) * curve, abs(effect))
            for effect in mean
        ]
    )


def _copied(values: Mapping[str, object], drug: str) -> dict[str, Any]:
    """What is set of a drug, set of its copy."""
    return {
        again(name): value
        for name, value in values.items()
        if name.startswith(f"treatments.{drug}.")
    }
