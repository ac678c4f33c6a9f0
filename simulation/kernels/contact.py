"""Contacts: engage a recognised neighbour, hit it, switch off or let go; three hits in time kill.

Within one sub-step every event has its own time (an exponential wait drawn for the attacker or the target), so hits,
repair, detachment and death happen in their true order and no rate is biased by the length of the sub-step.
"""

import numpy as np

from ..cells.table import DEAD
from ..compiled import part
from ..randomness import GOLDEN, mix, stream_at, uniform
from ..rules import INDEX, either
from ..tissue.lattice import EMPTY
from .chance import happens, probability, ruled_out, wait

ENGAGE, KILL, POTENCY, DETACH = INDEX["engage"], INDEX["kill"], INDEX["potency"], INDEX["detach"]
BRAKE, REPAIR, LETHAL = INDEX["brake"], INDEX["repair"], INDEX["lethal_hits"]
ANTIGEN_UNITS = 1 << 20  # antigen release is summed in whole units, so that no order of summing matters
HITS_EACH = 16  # hits one attacker may make in one sub-step


@part
def engage(cells, space, rates, attackers, recognition, keys, tick, attempt, hours):
    """After a try at moving, a free attacker looks at one neighbour of a kind it engages, and binds it as recognition allows.

    ``recognition`` int8 (kinds, kinds): which score decides, -1 where a kind does not engage the other. ``attempt``: number of
    the look in the sub-step, each of ``hours``. A contact begins at its own time, and hours left over from the contact
    before are searched as well, so the length of a look biases nothing. In liquid mode an attacker meets random sites, as
    a Poisson process of its rate.
    """
    stream = stream_at(keys.engage, tick)
    start = stream + np.uint64(attempt) * GOLDEN
    choose = mix(stream + np.uint64(8 * attempt + 1) * GOLDEN)
    begin = attempt * hours
    names, kinds, partners, since = cells.name, cells.kind, cells.partner, cells.since
    occupant, offsets = space.occupant, space.offsets
    own, slot, by_kind = cells.own, rates.slot, rates.by_kind
    all_alike = slot[ENGAGE] == 0
    likeliest = np.empty(recognition.shape[0])  # by kind: with a neighbour that is fully recognised
    for kind in range(likeliest.size):
        likeliest[kind] = probability(by_kind[ENGAGE, kind], hours)
    around = np.empty(offsets.size, dtype=np.int32)
    for i in range(attackers.size):
        row = attackers[i]
        kind = kinds[row]
        if kind < 0 or partners[row] >= 0:
            continue
        free = hours - since[row]
        name = names[row]
        draw = uniform(start, name)
        if all_alike and since[row] == 0.0 and ruled_out(draw, likeliest[kind]):
            continue
        since[row] = 0.0
        if cells.capacity[row] < 1.0 or cells.specificity[row] <= 0.0:
            continue
        rate = either(own[slot[ENGAGE], row], by_kind[ENGAGE, kind])
        target = -1
        if space.liquid:
            passed = wait(draw, rate)
            meeting = choose
            while passed < free:
                met = occupant[space.interior[np.int64(uniform(meeting, name) * space.interior.size)]]
                if met >= 0 and recognition[kind, kinds[met]] >= 0:
                    score = cells.seen[recognition[kind, kinds[met]], met] * cells.specificity[row]
                    if uniform(meeting + GOLDEN, name) < score:
                        target = met
                        break
                passed += wait(uniform(meeting + np.uint64(2) * GOLDEN, name), rate)
                meeting = mix(meeting + np.uint64(3) * GOLDEN)
        else:
            site = cells.site[row]
            candidates = 0
            for d in range(offsets.size):
                other = occupant[site + offsets[d]]
                if other >= 0 and recognition[kind, kinds[other]] >= 0:
                    around[candidates] = other
                    candidates += 1
            if candidates == 0:
                continue
            target = around[np.int64(uniform(choose, name) * candidates)]
            score = cells.seen[recognition[kind, kinds[target]], target] * cells.specificity[row]
            passed = wait(draw, rate * score)
        if target >= 0 and passed < free:
            partners[row] = target
            cells.held[target] += 1
            since[row] = begin + hours - free + passed


@part
def strike(cells, space, rates, attackers, recognition, keys, tick, hours, strain_gain, half_pdl1, antigen,
           when, by, dying, kills, deaths_of, released):
    """What happens on every held target in one sub-step, event by event; returns the number killed.

    ``strain_gain``: how much faster a fully PD-1-inhibited cell exhausts. ``when``, ``by``: scratch for times and attackers
    of hits; ``dying``: scratch as long as ``attackers``. ``kills`` (who killed whom: kinds x kinds), ``deaths_of`` (per kind) and
    ``released`` ([1]: antigen of the killed, in units of 1 / ANTIGEN_UNITS), all int64, are added to.
    """
    hit = stream_at(keys.hit, tick)
    leave = stream_at(keys.detach, tick)
    switch = stream_at(keys.brake, tick)
    mend = stream_at(keys.repair, tick)
    deaths = 0
    names, kinds, partners, damages = cells.name, cells.kind, cells.partner, cells.damage
    first_of, next_of, until, since = cells.attacker, cells.chain, cells.until, cells.since
    own, slot, by_kind = cells.own, rates.slot, rates.by_kind
    detach_alike, kill_alike = slot[DETACH] == 0, slot[KILL] == 0
    leaving, hitting = np.empty(recognition.shape[0]), np.empty(recognition.shape[0])  # by kind: likeliest in one sub-step
    for kind in range(leaving.size):
        leaving[kind] = probability(by_kind[DETACH, kind], hours)
        hitting[kind] = probability(by_kind[KILL, kind], hours)
    for i in range(attackers.size):
        row = attackers[i]
        if kinds[row] >= 0 and partners[row] >= 0:
            target = partners[row]
            next_of[row] = first_of[target]
            first_of[target] = row

    for target in range(damages.size):  # nobody holds them: damage is only repaired
        if damages[target] > 0 and first_of[target] < 0 and kinds[target] >= 0:
            repair = either(own[slot[REPAIR], target], by_kind[REPAIR, kinds[target]])
            for k in range(damages[target]):
                if happens(uniform(mend + np.uint64(k) * GOLDEN, names[target]), repair, hours):
                    damages[target] -= 1

    for i in range(attackers.size):
        first = attackers[i]
        if kinds[first] < 0 or partners[first] < 0:
            continue
        target = partners[first]
        if first_of[target] != first:
            continue
        target_kind = kinds[target]
        target_name = names[target]
        shown = cells.pdl1_shown[target]
        signal = rates.free[0, 0] * rates.free[1, 0] * shown * shown / (half_pdl1 * half_pdl1 + shown * shown)

        hits = 0
        row = first
        while row >= 0:
            kind = kinds[row]
            name = names[row]
            begun = since[row]  # below 0 where hours left over were searched
            draw = uniform(leave, name)
            end = np.inf  # or any time after this sub-step
            if not detach_alike or begun < 0.0 or not ruled_out(draw, leaving[kind]):
                end = begun + wait(draw, either(own[slot[DETACH], row], by_kind[DETACH, kind]))
            strokes = HITS_EACH
            if kill_alike and begun >= 0.0 and ruled_out(uniform(hit, name), hitting[kind]):
                strokes = 0
            brake = either(own[slot[BRAKE], row], by_kind[BRAKE, kind])
            rate = either(own[slot[KILL], row], by_kind[KILL, kind])
            rate *= (1.0 - cells.exhaustion[row]) * (1.0 - cells.fixed_exhaustion[row])
            time = begun
            for k in range(strokes):
                time += wait(uniform(hit + np.uint64(k) * GOLDEN, name), rate)
                if time >= end or time >= hours or hits == when.size:
                    break
                if brake > 0.0 and uniform(switch + np.uint64(k) * GOLDEN, name) < brake * signal:
                    end = time
                    cells.braked[row] = ~cells.braked[row]  # marked; counted below, unless the target dies before
                    break
                at = hits
                while at > 0 and when[at - 1] > time:
                    when[at] = when[at - 1]
                    by[at] = by[at - 1]
                    at -= 1
                when[at] = time
                by[at] = row
                hits += 1
            until[row] = end
            row = next_of[row]

        repair = either(own[slot[REPAIR], target], by_kind[REPAIR, target_kind])
        lethal = either(own[slot[LETHAL], target], by_kind[LETHAL, target_kind])
        damage = np.int64(damages[target])
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
                damage += np.int64(either(own[slot[POTENCY], row], by_kind[POTENCY, kinds[row]]))
                done += 1
                if damage >= lethal:
                    killer = row
                    last = now
                    break
            else:
                break
            turn += 1
            mended = now + wait(uniform(mend + np.uint64(turn) * GOLDEN, target_name), repair * damage)
        damages[target] = min(damage, 32000)

        if killer >= 0:
            cells.kills[killer] += 1
            cells.capacity[killer] -= 1.0
            kills[kinds[killer], target_kind] += 1
            deaths_of[target_kind] += 1
            released[0] += np.int64(np.rint(antigen[target] * ANTIGEN_UNITS))
            dying[deaths] = target
            deaths += 1
        row = first
        while row >= 0:
            rule = recognition[kinds[row], target_kind]
            ended = max(min(until[row], last), since[row])
            engaged = ended - since[row]
            since[row] = 0.0
            if cells.braked[row] < 0:
                cells.braked[row] = ~cells.braked[row] + (1 if until[row] <= last else 0)
            braked = either(own[slot[BRAKE], row], by_kind[BRAKE, kinds[row]]) > 0.0
            cells.strain[row] += engaged * cells.seen[rule, target] * (1.0 + (strain_gain * signal if braked else 0.0))
            cells.contact[row] += engaged * cells.stimulus[rule, target]
            if killer >= 0 or until[row] < hours:
                partners[row] = -1
                cells.held[target] -= 1
                since[row] = ended - hours
            following = next_of[row]
            next_of[row] = -1
            row = following
        first_of[target] = -1

    for d in range(deaths):  # after all hits, so that a dying attacker's place in the loop does not matter
        target = dying[d]
        space.occupant[cells.site[target]] = EMPTY
        cells.kind[target] = DEAD
        if cells.partner[target] >= 0:
            cells.held[cells.partner[target]] -= 1
            cells.partner[target] = -1
    return deaths
