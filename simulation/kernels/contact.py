"""Contacts: engage a recognised neighbour, hit it, switch off or let go; three hits in time kill.

Within one sub-step every event has its own time (an exponential wait drawn for the attacker or the target), so hits,
repair, detachment and death happen in their true order and no rate is biased by the length of the sub-step.
"""

import numpy as np

from ..cells import DEAD
from ..compiled import loop
from ..lattice import EMPTY
from ..randomness import GOLDEN, mix, stream_at, uniform
from ..rules import INDEX
from .chance import happens, wait

ENGAGE, KILL, POTENCY, DETACH = INDEX["engage"], INDEX["kill"], INDEX["potency"], INDEX["detach"]
BRAKE, REPAIR, LETHAL = INDEX["brake"], INDEX["repair"], INDEX["lethal_hits"]
ANTIGEN_UNITS = 1 << 20  # antigen release is summed in whole units, so that no order of summing matters
HITS_EACH = 16  # hits one attacker may make in one sub-step


@loop
def engage(cells, space, rates, attackers, recognition, keys, tick, hours):
    """A free attacker looks at one neighbour among those of a kind it engages, and binds it as recognition allows.

    ``recognition`` int8 (kinds, kinds): which score decides, -1 where a kind does not engage the other. In liquid mode
    the attacker meets whoever is at one random site.
    """
    start = stream_at(keys.engage, tick)
    choose = mix(start + GOLDEN)
    for i in range(attackers.size):
        row = attackers[i]
        if cells.kind[row] < 0 or cells.partner[row] >= 0 or cells.capacity[row] < 1.0:
            continue
        if cells.specificity[row] <= 0.0:
            continue
        kind = cells.kind[row]
        name = cells.name[row]
        target = -1
        if space.liquid:
            met = space.occupant[space.interior[np.int64(uniform(choose, name) * space.interior.size)]]
            if met >= 0 and recognition[kind, cells.kind[met]] >= 0:
                target = met
        else:
            site = cells.site[row]
            candidates = 0
            for d in range(space.offsets.size):
                other = space.occupant[site + space.offsets[d]]
                if other >= 0 and recognition[kind, cells.kind[other]] >= 0:
                    candidates += 1
            if candidates == 0:
                continue
            pick = np.int64(uniform(choose, name) * candidates)
            for d in range(space.offsets.size):
                other = space.occupant[site + space.offsets[d]]
                if other >= 0 and recognition[kind, cells.kind[other]] >= 0:
                    if pick == 0:
                        target = other
                        break
                    pick -= 1
        if target < 0:
            continue
        score = cells.seen[recognition[kind, cells.kind[target]], target] * cells.specificity[row]
        slot = rates.slot[ENGAGE]
        rate = rates.cellwise[slot, row] if slot >= 0 else rates.by_kind[ENGAGE, kind]
        if happens(uniform(start, name), rate * score, hours):
            cells.partner[row] = target
            cells.held[target] += 1


@loop
def strike(cells, space, rates, attackers, recognition, keys, tick, hours, strain_gain, half_pdl1, antigen,
           when, by, dying, kills_by, deaths_of, released):
    """What happens on every held target in one sub-step, event by event; returns the number killed.

    ``strain_gain``: how much faster a fully PD-1-inhibited cell exhausts. ``when``, ``by``: scratch for times and attackers
    of hits; ``dying``: scratch as long as ``attackers``. ``kills_by`` and ``deaths_of`` int64 per kind and
    ``released`` int64 [1] (antigen of the killed, in units of 1 / ANTIGEN_UNITS) are added to.
    """
    hit = stream_at(keys.hit, tick)
    leave = stream_at(keys.detach, tick)
    switch = stream_at(keys.brake, tick)
    mend = stream_at(keys.repair, tick)
    deaths = 0
    for i in range(attackers.size):
        row = attackers[i]
        if cells.kind[row] >= 0 and cells.partner[row] >= 0:
            target = cells.partner[row]
            cells.chain[row] = cells.attacker[target]
            cells.attacker[target] = row

    for target in range(cells.damage.size):  # nobody holds them: damage is only repaired
        if cells.damage[target] > 0 and cells.attacker[target] < 0 and cells.kind[target] >= 0:
            slot = rates.slot[REPAIR]
            repair = rates.cellwise[slot, target] if slot >= 0 else rates.by_kind[REPAIR, cells.kind[target]]
            for k in range(cells.damage[target]):
                if happens(uniform(mend + np.uint64(k) * GOLDEN, cells.name[target]), repair, hours):
                    cells.damage[target] -= 1

    for i in range(attackers.size):
        first = attackers[i]
        if cells.kind[first] < 0 or cells.partner[first] < 0:
            continue
        target = cells.partner[first]
        if cells.attacker[target] != first:
            continue
        target_kind = cells.kind[target]
        target_name = cells.name[target]
        shown = cells.pdl1_shown[target]
        signal = rates.free[0, 0] * rates.free[1, 0] * shown * shown / (half_pdl1 * half_pdl1 + shown * shown)

        hits = 0
        row = first
        while row >= 0:
            kind = cells.kind[row]
            name = cells.name[row]
            slot = rates.slot[DETACH]
            rate = rates.cellwise[slot, row] if slot >= 0 else rates.by_kind[DETACH, kind]
            end = wait(uniform(leave, name), rate)
            slot = rates.slot[BRAKE]
            brake = rates.cellwise[slot, row] if slot >= 0 else rates.by_kind[BRAKE, kind]
            slot = rates.slot[KILL]
            rate = rates.cellwise[slot, row] if slot >= 0 else rates.by_kind[KILL, kind]
            rate *= (1.0 - cells.exhaustion[row]) * (1.0 - cells.fixed_exhaustion[row])
            time = 0.0
            for k in range(HITS_EACH):
                time += wait(uniform(hit + np.uint64(k) * GOLDEN, name), rate)
                if time >= end or time >= hours or hits == when.size:
                    break
                if brake > 0.0 and uniform(switch + np.uint64(k) * GOLDEN, name) < brake * signal:
                    end = time
                    break
                at = hits
                while at > 0 and when[at - 1] > time:
                    when[at] = when[at - 1]
                    by[at] = by[at - 1]
                    at -= 1
                when[at] = time
                by[at] = row
                hits += 1
            cells.until[row] = end
            row = cells.chain[row]

        slot = rates.slot[REPAIR]
        repair = rates.cellwise[slot, target] if slot >= 0 else rates.by_kind[REPAIR, target_kind]
        slot = rates.slot[LETHAL]
        lethal = rates.cellwise[slot, target] if slot >= 0 else rates.by_kind[LETHAL, target_kind]
        damage = np.int64(cells.damage[target])
        last = hours
        turn = 0
        done = 0
        killer = -1
        mended = wait(uniform(mend, target_name), repair * damage)
        while True:
            struck = when[done] if done < hits else np.inf
            if mended < struck and mended < hours:
                now = mended
                damage -= 1
            elif struck < hours:
                now = struck
                row = by[done]
                slot = rates.slot[POTENCY]
                potency = rates.cellwise[slot, row] if slot >= 0 else rates.by_kind[POTENCY, cells.kind[row]]
                damage += np.int64(potency)
                done += 1
                if damage >= lethal:
                    killer = row
                    last = now
                    break
            else:
                break
            turn += 1
            mended = now + wait(uniform(mend + np.uint64(turn) * GOLDEN, target_name), repair * damage)
        cells.damage[target] = min(damage, 32000)

        if killer >= 0:
            cells.kills[killer] += 1
            cells.capacity[killer] -= 1.0
            kills_by[cells.kind[killer]] += 1
            deaths_of[target_kind] += 1
            released[0] += np.int64(np.rint(antigen[target] * ANTIGEN_UNITS))
            dying[deaths] = target
            deaths += 1
        row = first
        while row >= 0:
            rule = recognition[cells.kind[row], target_kind]
            engaged = min(cells.until[row], last)
            braked = rates.by_kind[BRAKE, cells.kind[row]] > 0.0
            cells.strain[row] += engaged * cells.seen[rule, target] * (1.0 + (strain_gain * signal if braked else 0.0))
            cells.contact[row] += engaged * cells.stimulus[rule, target]
            if killer >= 0 or cells.until[row] < hours:
                cells.partner[row] = -1
                cells.held[target] -= 1
            following = cells.chain[row]
            cells.chain[row] = -1
            row = following
        cells.attacker[target] = -1

    for d in range(deaths):  # after all hits, so that a dying attacker's place in the loop does not matter
        target = dying[d]
        space.occupant[cells.site[target]] = EMPTY
        cells.kind[target] = DEAD
        if cells.partner[target] >= 0:
            cells.held[cells.partner[target]] -= 1
            cells.partner[target] = -1
    return deaths
