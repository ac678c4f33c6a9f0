"""The six sub-steps of one step: move, engage, hit, kill, be switched off; then vigour and stimulation are brought up to date."""

from typing import NamedTuple

import numpy as np

from ..compiled import loop
from ..rules import INDEX, either
from .chance import remaining
from .contact import engage, strike
from .movement import TRIES, move

EXHAUSTION, RECOVERY, FIXATION = INDEX["exhaustion"], INDEX["recovery"], INDEX["fixation"]
FORGETTING, SENSITIVITY = INDEX["forgetting"], INDEX["sensitivity"]
REFILL, IL2_REFILL = INDEX["refill"], INDEX["il2_refill"]
IL2 = INDEX["il2"]
SUBSTEPS = 6


class ActKeys(NamedTuple):
    """Keys of the draws made in the sub-steps."""

    move: np.uint64
    engage: np.uint64
    hit: np.uint64
    detach: np.uint64
    brake: np.uint64
    repair: np.uint64


class Scratch(NamedTuple):
    """Arrays that loops use and forget."""

    roaming: np.ndarray
    dest: np.ndarray
    who: np.ndarray
    onto: np.ndarray
    when: np.ndarray
    by: np.ndarray


@loop
def act(cells, space, rates, movers, attackers, yields, recognition, guide, keys, tick, hours, strain_gain, half_pdl1,
        antigen, scratch, kills, deaths_of, released):
    """Six sub-steps of ``hours / 6``; ``tick`` counts sub-steps. Returns the number of cells killed."""
    each = hours / SUBSTEPS
    killed = 0
    for i in range(attackers.size):
        cells.strain[attackers[i]] = 0.0
        cells.contact[attackers[i]] = 0.0
    for sub in range(SUBSTEPS):
        for attempt in range(TRIES):
            if not space.liquid:
                move(cells, space, rates, movers, yields, guide.uphill, guide.pull, guide.node, keys, tick + sub, attempt,
                     each / TRIES, scratch.roaming, scratch.dest, scratch.who, scratch.onto)
            engage(cells, space, rates, attackers, recognition, keys, tick + sub, attempt, each / TRIES)
        killed += strike(cells, space, rates, attackers, recognition, keys, tick + sub, each, strain_gain, half_pdl1,
                         antigen, scratch.when, scratch.by, scratch.dest, kills, deaths_of, released)
    return killed


@loop
def tire(cells, rates, attackers, node, il2, il2_half, full_capacity, hours):
    """Vigour, stimulation and capacity after a step: e' = x rho (1 + 2 s)(1 - e) while engaged, recovery else.

    Fixed exhaustion f' = fixation e (1 - f). Stimulation relaxes to sensitivity x the share of the
    step spent in stimulating contact, at most 1.
    """
    own, slot, by_kind = cells.own, rates.slot, rates.by_kind
    for i in range(attackers.size):
        row = attackers[i]
        kind = cells.kind[row]
        if kind < 0:
            continue
        rate = either(own[slot[EXHAUSTION], row], by_kind[EXHAUSTION, kind])
        exhaustion = 1.0 - (1.0 - cells.exhaustion[row]) * remaining(rate, cells.strain[row])
        free = max(0.0, hours - cells.contact[row])
        rate = either(own[slot[RECOVERY], row], by_kind[RECOVERY, kind])
        exhaustion *= remaining(rate, free)
        rate = either(own[slot[FIXATION], row], by_kind[FIXATION, kind])
        cells.fixed_exhaustion[row] = 1.0 - (1.0 - cells.fixed_exhaustion[row]) * remaining(rate * exhaustion, hours)
        cells.exhaustion[row] = exhaustion
        kept = remaining(either(own[slot[FORGETTING], row], by_kind[FORGETTING, kind]), hours)
        sensitivity = either(own[slot[SENSITIVITY], row], by_kind[SENSITIVITY, kind])
        stimulus = min(1.0, sensitivity * cells.contact[row] / hours)
        cells.stimulation[row] = cells.stimulation[row] * kept + (1.0 - kept) * stimulus
        if cells.capacity[row] < full_capacity[kind]:
            level = il2[node[cells.site[row]]] + either(own[slot[IL2], row], by_kind[IL2, kind])
            faster = 1.0 + either(own[slot[IL2_REFILL], row], by_kind[IL2_REFILL, kind]) * level / (il2_half + level)
            refill = either(own[slot[REFILL], row], by_kind[REFILL, kind]) * faster * hours
            cells.capacity[row] = min(full_capacity[kind], cells.capacity[row] + refill)
