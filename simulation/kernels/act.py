"""The six sub-steps of one step: move, engage, hit, kill, be switched off; then vigour and stimulation are brought up to date."""

from typing import NamedTuple

import numpy as np

from ..compiled import loop
from ..rules import INDEX, either
from .chance import remaining
from .contact import Blows, Fights, strike
from .engagement import engage
from .movement import TRIES, Moves, move

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


class Actors(NamedTuple):
    """Who acts in a step, and on whom."""

    movers: np.ndarray  # int32, rows of motile cells
    attackers: np.ndarray  # int32, rows of cells that engage others
    suppressors: np.ndarray  # int32, rows of cells whose PD-L1 is felt by all beside them
    yields: np.ndarray  # bool per kind: may be exchanged with
    recognition: np.ndarray  # int16 (kinds, kinds): first score that may decide, or -1
    known: np.ndarray  # int8 (kinds, kinds + 1): 1 where a kind engages the other; nobody, -1, reads the extra last entry


@loop
def act(cells, space, rates, actors, guide, keys, tick, hours, checkpoint, toll):
    """Six sub-steps of ``hours / 6``; ``tick`` counts sub-steps. Returns the number of cells killed."""
    each = hours / SUBSTEPS
    movers, attackers, rows = actors.movers.size, actors.attackers.size, cells.kind.size
    moves = Moves(
        np.empty(movers + 1, np.int32),
        np.empty(movers + 1, np.int32),
        np.empty(movers + 1, np.int32),
    )
    fights = Fights(
        np.empty(attackers + 1, np.int32),
        np.empty(attackers + 1, np.int32),
        np.empty(attackers + 1),
        np.empty(attackers + 1, np.bool_),
        np.zeros(rows if actors.suppressors.size else 1),
    )
    blows = Blows(
        np.full(rows, -1, np.int32),
        np.full(rows, each),
        np.empty(rows + 1, np.int32),
        np.empty(rows + 1, np.int32),
    )
    looking = np.empty(attackers + 1, np.int32)
    kind_at = np.full(
        space.occupant.size, -1, np.int8
    )  # the kind that stands on each site: a byte, so that it stays at hand
    for row in range(rows):
        if cells.kind[row] >= 0:
            kind_at[cells.site[row]] = cells.kind[row]
    for i in range(attackers):
        cells.strain[actors.attackers[i]] = 0.0
        cells.contact[actors.attackers[i]] = 0.0
    killed = 0
    for sub in range(SUBSTEPS):
        for attempt in range(TRIES):
            if not space.liquid:
                move(
                    cells,
                    space,
                    rates,
                    actors,
                    guide,
                    keys,
                    tick + sub,
                    attempt,
                    each / TRIES,
                    kind_at,
                    moves,
                )
            engage(
                cells,
                space,
                rates,
                actors,
                keys,
                tick + sub,
                attempt,
                each / TRIES,
                kind_at,
                looking,
            )
        killed += strike(
            cells,
            space,
            rates,
            actors,
            keys,
            tick + sub,
            each,
            checkpoint,
            kind_at,
            fights,
            blows,
            toll,
        )
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
        cells.fixed_exhaustion[row] = 1.0 - (1.0 - cells.fixed_exhaustion[row]) * remaining(
            rate * exhaustion, hours
        )
        cells.exhaustion[row] = exhaustion
        kept = remaining(either(own[slot[FORGETTING], row], by_kind[FORGETTING, kind]), hours)
        sensitivity = either(own[slot[SENSITIVITY], row], by_kind[SENSITIVITY, kind])
        stimulus = min(1.0, sensitivity * cells.contact[row] / hours)
        cells.stimulation[row] = cells.stimulation[row] * kept + (1.0 - kept) * stimulus
        if cells.capacity[row] < full_capacity[kind]:
            level = il2[node[cells.site[row]]] + either(own[slot[IL2], row], by_kind[IL2, kind])
            faster = 1.0 + either(own[slot[IL2_REFILL], row], by_kind[IL2_REFILL, kind]) * level / (
                il2_half + level
            )
            refill = either(own[slot[REFILL], row], by_kind[REFILL, kind]) * faster * hours
            cells.capacity[row] = min(full_capacity[kind], cells.capacity[row] + refill)
