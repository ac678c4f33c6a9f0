"""Free attackers look for a target that they recognise, and bind it."""

import numpy as np

from ..compiled import part
from ..randomness import GOLDEN, mix, stream_at, uniform
from ..rules import INDEX, either
from .chance import too_late, wait
from .movement import BLOCK

ENGAGE = INDEX["engage"]


@part
def engage(cells, space, rates, actors, keys, tick, attempt, hours, kind_at, looking):
    """After a try at moving, a free attacker looks at one neighbour of a kind it engages, and binds it as recognition allows.

    ``attempt``: number of the look in the sub-step, each of ``hours``. A contact begins at its own time, and hours left over
    from the contact before are searched as well, so the length of a look biases nothing. ``looking``: scratch.
    """
    stream = stream_at(keys.engage, tick)
    start = stream + np.uint64(attempt) * GOLDEN
    choose = mix(stream + np.uint64(8 * attempt + 1) * GOLDEN)
    many = look(cells, rates, actors.attackers, start, hours, looking)
    if space.liquid:
        meet(cells, space, rates, actors.recognition, start, choose, attempt, hours, many, looking)
    else:
        bind(cells, space, rates, actors, start, choose, attempt, hours, kind_at, many, looking)


@part
def look(cells, rates, attackers, start, hours, looking):
    """The free attackers whose draw would let them bind a neighbour that they recognise in full; returns how many."""
    names, kinds, partners, since = cells.name, cells.kind, cells.partner, cells.since
    own, slot, by_kind = cells.own, rates.slot[ENGAGE], rates.by_kind
    many = 0
    for i in range(attackers.size):
        row = attackers[i]
        free = (kinds[row] >= 0) & (partners[row] < 0)
        rate = either(own[slot, row if slot else 0], by_kind[ENGAGE, kinds[row]])
        late = too_late(uniform(start, names[row]), rate, hours - since[row])
        since[row] = 0.0 if free & late else since[row]
        looking[many] = row
        many += free & ~late
    return many


@part
def bind(cells, space, rates, actors, start, choose, attempt, hours, kind_at, many, looking):
    """Each looks at one neighbour of a kind that it engages; how well it is recognised decides whether they bind in time."""
    names, kinds, partners, since, sites = (
        cells.name,
        cells.kind,
        cells.partner,
        cells.since,
        cells.site,
    )
    capacity, specificity, seen, held = cells.capacity, cells.specificity, cells.seen, cells.held
    occupant, offsets, recognition, known = (
        space.occupant,
        space.offsets,
        actors.recognition,
        actors.known,
    )
    own, slot, by_kind = cells.own, rates.slot[ENGAGE], rates.by_kind
    around = np.empty(offsets.size + 1, dtype=np.int32)
    rows, target = np.empty(BLOCK, dtype=np.int32), np.empty(BLOCK, dtype=np.int32)
    rule, score, free = np.empty(BLOCK, dtype=np.int16), np.empty(BLOCK), np.empty(BLOCK)
    receptor = cells.receptor
    for first in range(0, many, BLOCK):
        able = 0
        for i in range(first, min(first + BLOCK, many)):
            row = looking[i]
            rows[able] = row
            free[able] = hours - since[row]
            since[row] = 0.0
            able += (capacity[row] >= 1.0) & (specificity[row] > 0.0)
        met = 0
        for i in range(able):
            row = rows[i]
            kind, site = kinds[row], sites[row]
            candidates = 0
            for d in range(offsets.size):
                there = site + offsets[d]
                around[candidates] = there  # kept only if it is one: no branch to mispredict
                candidates += known[kind, kind_at[there]]
            chosen = around[np.int64(uniform(choose, names[row]) * candidates)]
            rows[met] = row
            free[met] = free[i]
            target[met] = chosen
            rule[met] = recognition[kind, kind_at[chosen]] + receptor[row]
            met += candidates > 0
        for i in range(met):
            target[i] = occupant[target[i]]
        for i in range(met):
            score[i] = seen[rule[i], target[i]]
        for i in range(met):
            row = rows[i]
            draw = uniform(start, names[row])
            rate = either(own[slot, row if slot else 0], by_kind[ENGAGE, kinds[row]]) * (
                score[i] * specificity[row]
            )
            if too_late(draw, rate, free[i]):
                continue
            passed = wait(draw, rate)
            if passed < free[i]:
                partners[row] = target[i]
                held[target[i]] += 1
                since[row] = attempt * hours + hours - free[i] + passed


@part
def meet(cells, space, rates, recognition, start, choose, attempt, hours, many, looking):
    """In liquid mode an attacker meets random sites, as a Poisson process of its rate."""
    names, kinds, partners, since = cells.name, cells.kind, cells.partner, cells.since
    capacity, specificity, seen, held = cells.capacity, cells.specificity, cells.seen, cells.held
    own, slot, by_kind = cells.own, rates.slot[ENGAGE], rates.by_kind
    occupant, interior, receptor = space.occupant, space.interior, cells.receptor
    for i in range(many):
        row = looking[i]
        kind, name = kinds[row], names[row]
        free = hours - since[row]
        since[row] = 0.0
        if capacity[row] < 1.0 or specificity[row] <= 0.0:
            continue
        rate = either(own[slot, row if slot else 0], by_kind[ENGAGE, kind])
        passed = wait(uniform(start, name), rate)
        meeting = choose
        while passed < free:
            met = occupant[interior[np.int64(uniform(meeting, name) * interior.size)]]
            if met >= 0 and recognition[kind, kinds[met]] >= 0:
                rule = recognition[kind, kinds[met]] + receptor[row]
                score = seen[rule, met] * specificity[row]
                if uniform(meeting + GOLDEN, name) < score:
                    partners[row] = met
                    held[met] += 1
                    since[row] = attempt * hours + hours - free + passed
                    break
            passed += wait(uniform(meeting + np.uint64(2) * GOLDEN, name), rate)
            meeting = mix(meeting + np.uint64(3) * GOLDEN)
