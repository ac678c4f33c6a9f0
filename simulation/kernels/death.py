"""Cells die by hazards: age, hypoxia, drugs. Hazards add; where growth is exponential that is Bliss independence."""

from ..cells.table import DEAD
from ..compiled import loop
from ..randomness import stream_at, uniform
from ..rules import INDEX, either
from ..tissue.lattice import EMPTY
from .chance import happens

DEATH, NECROSIS = INDEX["death"], INDEX["necrosis"]


@loop
def die(
    cells,
    space,
    rates,
    oxygen,
    node,
    threshold,
    key,
    tick,
    hours,
    deaths,
    starved,
    dead,
):
    """Deaths of one step; ``deaths`` and ``starved`` (of those, below the oxygen threshold) int64 per kind are added to,

    as is ``dead`` int64: how many, then the row of each.
    """
    names, kinds, sites = cells.name, cells.kind, cells.site
    own, slot, by_kind = cells.own, rates.slot, rates.by_kind
    start = stream_at(key, tick)
    for row in range(kinds.size):
        kind = kinds[row]
        if kind < 0:
            continue
        hazard = either(own[slot[DEATH], row], by_kind[DEATH, kind])
        necrosis = either(own[slot[NECROSIS], row], by_kind[NECROSIS, kind])
        hypoxic = necrosis > 0.0 and oxygen[node[sites[row]]] < threshold
        if hypoxic:
            hazard += necrosis
        if happens(uniform(start, names[row]), hazard, hours):
            deaths[kind] += 1
            if hypoxic:
                starved[kind] += 1
            dead[0] += 1
            dead[dead[0]] = row
            space.occupant[sites[row]] = EMPTY
            kinds[row] = DEAD


@loop
def let_go(cells, attackers):
    """End every contact that one side did not survive."""
    for i in range(attackers.size):
        row = attackers[i]
        target = cells.partner[row]
        if target < 0:
            continue
        if cells.kind[row] < 0:
            cells.held[target] -= 1
            cells.partner[row] = -1
        elif cells.kind[target] < 0:
            cells.partner[row] = -1
