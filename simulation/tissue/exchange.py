"""What cells and fields give each other: secretion and uptake, and the way up a gradient."""

import numpy as np

from ..compiled import loop
from ..rules import INDEX, either

INTERFERON = INDEX["interferon"]


@loop
def find_uphill(concentration, shape, headings, signs, uphill, pull):
    """For every mesh node the heading nearest to the gradient, and how strongly the substance is felt, c / (1 + c).

    ``shape`` int64 [3] nodes per axis; ``headings`` int8 (3, 3, 3): heading of each direction; ``signs``: scratch int64 [3].
    """
    for node in range(concentration.size):
        z = node % shape[2]
        y = (node // shape[2]) % shape[1]
        x = node // (shape[2] * shape[1])
        here = concentration[node]
        pull[node] = here / (1.0 + here)
        gx = gy = gz = 0.0
        if shape[0] > 1:
            step = shape[2] * shape[1]
            gx = (
                concentration[node + step if x + 1 < shape[0] else node]
                - concentration[node - step if x > 0 else node]
            )
        if shape[1] > 1:
            step = shape[2]
            gy = (
                concentration[node + step if y + 1 < shape[1] else node]
                - concentration[node - step if y > 0 else node]
            )
        if shape[2] > 1:
            gz = (
                concentration[node + 1 if z + 1 < shape[2] else node]
                - concentration[node - 1 if z > 0 else node]
            )
        steepest = max(abs(gx), abs(gy), abs(gz))
        uphill[node] = -1
        if steepest <= 1e-6 * here:
            continue
        signs[0] = 0 if abs(gx) < 0.4142 * steepest else (1 if gx > 0 else -1)
        signs[1] = 0 if abs(gy) < 0.4142 * steepest else (1 if gy > 0 else -1)
        signs[2] = 0 if abs(gz) < 0.4142 * steepest else (1 if gz > 0 else -1)
        uphill[node] = headings[signs[0] + 1, signs[1] + 1, signs[2] + 1]


@loop
def standing(space):
    """The sites where cells stand, in their order."""
    occupant, interior = space.occupant, space.interior
    stood = np.empty(interior.size + 1, dtype=np.int32)
    cells = 0
    for i in range(interior.size):
        stood[cells] = interior[i]  # kept only if a cell stands there: no branch to mispredict
        cells += occupant[interior[i]] >= 0
    return stood[:cells]


@loop
def deposit(cells, occupant, stood, rates, rule, drive, node, share, interferon, wide, amounts):
    """Add what every cell gives or takes by one rule to its mesh node, in the order of sites.

    ``stood``: sites of cells. ``drive``: 0 as it is, 1 times activity (stimulation x vigour), 2 times I/(1+I) of the
    interferon at hand. ``share`` float64 per node: 1 / sites of the node. ``amounts`` float64 per node is added to.
    """
    kinds, own, slot, by_kind = cells.kind, cells.own, rates.slot, rates.by_kind
    stimulation, exhaustion, fixed_exhaustion = (
        cells.stimulation,
        cells.exhaustion,
        cells.fixed_exhaustion,
    )
    giving, chosen, many = np.empty(stood.size + 1, dtype=np.int32), slot[rule], 0
    for i in range(stood.size):
        row = occupant[stood[i]]
        giving[many] = stood[i]
        many += either(own[chosen, row if chosen else 0], by_kind[rule, kinds[row]]) != 0.0
    for i in range(many):
        site = giving[i]
        row = occupant[site]
        kind = kinds[row]
        amount = either(own[chosen, row if chosen else 0], by_kind[rule, kind])
        if drive == 1:
            amount *= stimulation[row] * (1.0 - exhaustion[row]) * (1.0 - fixed_exhaustion[row])
        elif drive == 2:
            signal = interferon[wide[site]] + either(
                own[slot[INTERFERON], row], by_kind[INTERFERON, kind]
            )
            amount *= signal / (1.0 + signal)
        here = node[site]
        amounts[here] += amount * share[here]
