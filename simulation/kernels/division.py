"""Cells divide into a free neighbouring site; where two want one site, the lowest hash has it and the other waits."""

import numpy as np

from ..compiled import loop
from ..randomness import GOLDEN, bits, mix, name_from, stream_at, uniform
from ..rules import INDEX, either
from ..tissue.lattice import EMPTY
from .chance import divides, may_divide

DIVISION, LIMIT, IL2_DIVISIONS = INDEX["division"], INDEX["division_limit"], INDEX["il2_divisions"]
IL2_DRIVE, ARREST, OXYGEN_HALF = (
    INDEX["il2_drive"],
    INDEX["interferon_arrest"],
    INDEX["oxygen_half"],
)
INTERFERON, IL2 = INDEX["interferon"], INDEX["il2"]


@loop
def divide(cells, space, rates, driven, around, il2_half, key, tick, hours, mothers, sites, names):
    """Fill ``mothers`` (rows), ``sites`` and ``names`` of daughters to be born; returns how many.

    ``driven`` bool per kind: divides only as stimulation x vigour allow, and a limited number of times. Interferon slows
    division, oxygen limits it as oxygen / (oxygen + half).
    """
    kinds, occupant, claim, offsets = cells.kind, space.occupant, space.claim, space.offsets
    own, slot, by_kind = cells.own, rates.slot, rates.by_kind
    start = stream_at(key, tick)
    pick = mix(start + GOLDEN)
    order = mix(start + np.uint64(2) * GOLDEN)
    birth = mix(start + np.uint64(3) * GOLDEN)
    all_names, many = cells.name, 0
    for row in range(kinds.size):
        rate = either(own[slot[DIVISION], row], by_kind[DIVISION, kinds[row]])
        mothers[many] = row  # kept only if it may divide: no branch to mispredict
        many += (kinds[row] >= 0) & may_divide(uniform(start, all_names[row]), rate, hours)
    proposals = 0
    for i in range(many):
        row = mothers[i]
        kind, name, site = kinds[row], all_names[row], cells.site[row]
        draw = uniform(start, name)
        rate = either(own[slot[DIVISION], row], by_kind[DIVISION, kind])
        if driven[kind]:
            level = around.il2[around.fine[site]] + either(own[slot[IL2], row], by_kind[IL2, kind])
            fed = level / (il2_half + level)
            limit = either(own[slot[LIMIT], row], by_kind[LIMIT, kind])
            further = either(own[slot[IL2_DIVISIONS], row], by_kind[IL2_DIVISIONS, kind])
            if cells.divisions[row] >= limit + further * fed:
                continue
            drive = min(
                1.0,
                cells.stimulation[row]
                + either(own[slot[IL2_DRIVE], row], by_kind[IL2_DRIVE, kind]) * fed,
            )
            rate *= drive * (1.0 - cells.exhaustion[row]) * (1.0 - cells.fixed_exhaustion[row])
        arrest = either(own[slot[ARREST], row], by_kind[ARREST, kind])
        if arrest > 0.0:
            signal = around.interferon[around.wide[site]] + either(
                own[slot[INTERFERON], row], by_kind[INTERFERON, kind]
            )
            rate *= 1.0 - arrest * signal / (1.0 + signal)
        half = either(own[slot[OXYGEN_HALF], row], by_kind[OXYGEN_HALF, kind])
        if half > 0.0:
            oxygen = around.oxygen[around.fine[site]]
            rate *= oxygen / (oxygen + half)
        if not divides(draw, rate, hours):
            continue
        target = -1
        if space.liquid:
            target = space.interior[np.int64(uniform(pick, name) * space.interior.size)]
            if occupant[target] != EMPTY:
                continue
        else:
            free = 0
            for d in range(offsets.size):
                if occupant[site + offsets[d]] == EMPTY:
                    free += 1
            if free == 0:
                continue
            skip = np.int64(uniform(pick, name) * free)
            for d in range(offsets.size):
                if occupant[site + offsets[d]] == EMPTY:
                    if skip == 0:
                        target = site + offsets[d]
                        break
                    skip -= 1
        mothers[proposals] = row
        sites[proposals] = target
        claimed = claim[target]
        proposals += 1
        if claimed == 0:
            claim[target] = proposals
        else:
            rival = cells.name[mothers[claimed - 1]]
            mine, theirs = bits(order, name), bits(order, rival)
            if mine < theirs or (mine == theirs and name < rival):
                claim[target] = proposals
    births = 0
    for p in range(proposals):
        if claim[sites[p]] == p + 1:
            claim[sites[p]] = 0
            mothers[births] = mothers[p]
            sites[births] = sites[p]
            names[births] = name_from(birth, cells.name[mothers[p]])
            births += 1
    return births
