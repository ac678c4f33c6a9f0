"""Contacts: an attacker hits its target, is switched off by PD-1 or lets go; three hits in time kill.

Within one sub-step every event has its own time (an exponential wait drawn for the attacker or the target), so hits,
repair, detachment and death happen in their true order and no rate is biased by the length of the sub-step.
"""

from typing import NamedTuple

import numpy as np

from ..cells.table import DEAD
from ..compiled import part, scalar
from ..randomness import GOLDEN, stream_at, uniform
from ..rules import INDEX, either
from ..tissue.lattice import EMPTY
from .chance import happens, too_late, wait
from .movement import BLOCK
from .suppression import feel

KILL, POTENCY, DETACH = INDEX["kill"], INDEX["potency"], INDEX["detach"]
BRAKE, REPAIR, LETHAL = INDEX["brake"], INDEX["repair"], INDEX["lethal_hits"]
HITS_EACH = 16  # hits one attacker may make in one sub-step
MOST_DAMAGE = 32_000  # fits int16


class Checkpoint(NamedTuple):
    """The PD-1 axis: what a signal through it does beside the brake."""

    exhaustion_gain: float  # how much faster a fully PD-1-inhibited cell exhausts
    half_pdl1: float


class Toll(NamedTuple):
    """What killing adds to, all int64."""

    kills: np.ndarray  # (kinds, kinds): who killed whom
    deaths: np.ndarray  # (kinds,)
    dead: np.ndarray  # how many, then the row of each


class Fights(NamedTuple):
    """Scratch: attackers that hold a target in this sub-step."""

    attacker: np.ndarray  # int32, its row
    target: np.ndarray  # int32, the row of its target
    until: np.ndarray  # hours into the sub-step when it lets go; infinite where that is later
    braked: np.ndarray  # bool: lets go because PD-1 took a hit from it
    felt: np.ndarray  # per row: the strongest PD-L1 of suppressors beside it; one 0 without any


class Blows(NamedTuple):
    """Scratch: hits of this sub-step, in a chain by time for each target."""

    first: (
        np.ndarray
    )  # int32 per row of the cell table: the number of its first blow, -1 where there is none
    last: np.ndarray  # float64 per row: when the cell is killed, or the length of a sub-step
    suffering: np.ndarray  # int32: rows of those who are hit or damaged
    dying: np.ndarray  # int32: rows of those who are killed


@scalar
def pd1_signal(free, shown_pdl1, half):
    """PD-1 signal from 0 to 1: free receptors x free ligands x L^2 / (half^2 + L^2), L = PD-L1 that the attacker meets."""
    return free.pd1 * free.pdl1 * shown_pdl1 * shown_pdl1 / (half * half + shown_pdl1 * shown_pdl1)


@part
def strike(
    cells,
    space,
    rates,
    actors,
    keys,
    tick,
    hours,
    checkpoint,
    kind_at,
    fights,
    blows,
    toll,
):
    """What happens on every held target in one sub-step, event by event; returns the number killed."""
    fighting = pair(cells, actors.attackers, fights)
    feel(cells, space, actors.suppressors, fights.felt)
    when, by, following = hit(cells, rates, keys, tick, hours, checkpoint, fighting, fights, blows)
    killed = suffer(cells, rates, keys, tick, hours, when, by, following, blows, toll)
    remember(cells, rates, actors.recognition, hours, checkpoint, fighting, fights, blows)
    bury(cells, space, kind_at, killed, blows)
    return killed


@part
def pair(cells, attackers, fights):
    """List who holds whom; returns how many do."""
    kinds, partners, attacker, target = cells.kind, cells.partner, fights.attacker, fights.target
    fighting = 0
    for i in range(attackers.size):
        row = attackers[i]
        attacker[fighting] = row
        target[fighting] = partners[row]
        fighting += (kinds[row] >= 0) & (partners[row] >= 0)
    return fighting


@part
def hit(cells, rates, keys, tick, hours, checkpoint, fighting, fights, blows):
    """Times of all hits in this sub-step, and when contacts end; in place of a hit, PD-1 may end the contact.

    Returns when each blow falls, whose it is, and the next one on the same target.
    """
    names, kinds, since, shown = cells.name, cells.kind, cells.since, cells.pdl1_shown
    exhaustion, fixed_exhaustion, own = cells.exhaustion, cells.fixed_exhaustion, cells.own
    by_kind, detach, kill, brake = (
        rates.by_kind,
        rates.slot[DETACH],
        rates.slot[KILL],
        rates.slot[BRAKE],
    )
    strikes, leave, switch = (
        stream_at(keys.hit, tick),
        stream_at(keys.detach, tick),
        stream_at(keys.brake, tick),
    )
    attacker, target, until, braked, first = (
        fights.attacker,
        fights.target,
        fights.until,
        fights.braked,
        blows.first,
    )
    busy, acting = np.empty(fighting + 1, dtype=np.int32), 0
    for i in range(fighting):
        row = attacker[i]
        name, kind, left = names[row], kinds[row], hours - since[row]
        stays = too_late(
            uniform(leave, name),
            either(own[detach, row if detach else 0], by_kind[DETACH, kind]),
            left,
        )
        waits = too_late(
            uniform(strikes, name), either(own[kill, row if kill else 0], by_kind[KILL, kind]), left
        )
        until[i] = np.inf
        braked[i] = False
        busy[acting] = i
        acting += not (stays & waits)
    felt, shielded = fights.felt, fights.felt.size > 1
    when, by = np.empty(acting * HITS_EACH), np.empty(acting * HITS_EACH, dtype=np.int32)
    following = np.empty(acting * HITS_EACH, dtype=np.int32)
    hits = 0
    for b in range(acting - 1, -1, -1):
        i = busy[b]
        row, held = attacker[i], target[i]
        name, kind, time = (
            names[row],
            kinds[row],
            since[row],
        )  # below 0 where hours left over were searched
        end, rate = np.inf, either(own[detach, row if detach else 0], by_kind[DETACH, kind])
        if not too_late(uniform(leave, name), rate, hours - time):
            end = time + wait(uniform(leave, name), rate)
        until[i] = end
        rate = either(own[kill, row if kill else 0], by_kind[KILL, kind])
        rate *= (1.0 - exhaustion[row]) * (1.0 - fixed_exhaustion[row])
        if too_late(uniform(strikes, name), rate, hours - time):
            continue
        braking = either(own[brake, row if brake else 0], by_kind[BRAKE, kind])
        for k in range(HITS_EACH):
            time += wait(uniform(strikes + np.uint64(k) * GOLDEN, name), rate)
            if time >= end or time >= hours:
                break
            met = max(shown[held], felt[row if shielded else 0])
            signal = pd1_signal(rates.free, met, checkpoint.half_pdl1)
            if braking > 0.0 and uniform(switch + np.uint64(k) * GOLDEN, name) < braking * signal:
                end = time
                braked[i] = True
                break
            before, after = -1, first[held]
            while after >= 0 and when[after] <= time:
                before, after = after, following[after]
            when[hits], by[hits], following[hits] = time, row, after
            if before < 0:
                first[held] = hits
            else:
                following[before] = hits
            hits += 1
        until[i] = end
    return when, by, following


@part
def suffer(cells, rates, keys, tick, hours, when, by, following, blows, toll):
    """Damage: hits of all who hold a cell and repair, in the order in which they happen; returns how many cells die."""
    names, kinds, held, damages, kills, capacity = (
        cells.name,
        cells.kind,
        cells.held,
        cells.damage,
        cells.kills,
        cells.capacity,
    )
    own, slot, by_kind = cells.own, rates.slot, rates.by_kind
    first, last, dying = blows.first, blows.last, blows.dying
    mend = stream_at(keys.repair, tick)
    suffering, many, killed = blows.suffering, 0, 0
    for row in range(damages.size):
        suffering[many] = row
        many += ((damages[row] > 0) | (first[row] >= 0)) & (kinds[row] >= 0)
    for s in range(many):
        row = suffering[s]
        kind, name, damage = kinds[row], names[row], np.int64(damages[row])
        repair = either(own[slot[REPAIR], row], by_kind[REPAIR, kind])
        if held[row] <= 0:
            for k in range(damages[row]):
                damage -= happens(uniform(mend + np.uint64(k) * GOLDEN, name), repair, hours)
            damages[row] = damage
            continue
        lethal = either(own[slot[LETHAL], row], by_kind[LETHAL, kind])
        blow, turn, now = first[row], 0, 0.0
        first[row] = -1
        draw = uniform(mend, name)
        mended = np.inf if too_late(draw, repair * damage, hours) else wait(draw, repair * damage)
        while True:
            struck = when[blow] if blow >= 0 else np.inf
            if mended < struck and mended < hours:
                now = mended
                damage -= 1
            elif struck < hours:
                now = struck
                attacker = by[blow]
                blow = following[blow]
                damage += np.int64(
                    either(own[slot[POTENCY], attacker], by_kind[POTENCY, kinds[attacker]])
                )
                if damage >= lethal:
                    last[row] = now
                    dying[killed] = row
                    killed += 1
                    kills[attacker] += 1
                    capacity[attacker] -= 1.0
                    toll.kills[kinds[attacker], kind] += 1
                    toll.deaths[kind] += 1
                    toll.dead[0] += 1
                    toll.dead[toll.dead[0]] = row
                    break
            else:
                break
            turn += 1
            mended = now + wait(uniform(mend + np.uint64(turn) * GOLDEN, name), repair * damage)
        damages[row] = min(damage, MOST_DAMAGE)
    return killed


@part
def remember(cells, rates, recognition, hours, checkpoint, fighting, fights, blows):
    """Add up engagement as it exhausts and as it stimulates; contacts end with the target, or when the attacker lets go."""
    kinds, partners, since, held, braked_hits = (
        cells.kind,
        cells.partner,
        cells.since,
        cells.held,
        cells.braked,
    )
    seen, stimulus, shown, strain, contact = (
        cells.seen,
        cells.stimulus,
        cells.pdl1_shown,
        cells.strain,
        cells.contact,
    )
    own, brake, by_kind, last = cells.own, rates.slot[BRAKE], rates.by_kind, blows.last
    receptor, felt, shielded = cells.receptor, fights.felt, fights.felt.size > 1
    rule, pdl1, alive = np.empty(BLOCK, dtype=np.int16), np.empty(BLOCK), np.empty(BLOCK)
    tiring, driving = np.empty(BLOCK), np.empty(BLOCK)
    for start in range(0, fighting, BLOCK):
        many = min(BLOCK, fighting - start)
        attacker, target = (
            fights.attacker[start : start + many],
            fights.target[start : start + many],
        )
        until, braked = fights.until[start : start + many], fights.braked[start : start + many]
        for i in range(many):
            row = attacker[i]
            rule[i] = recognition[kinds[row], kinds[target[i]]] + receptor[row]
            pdl1[i] = max(shown[target[i]], felt[row if shielded else 0])
            alive[i] = last[target[i]]
        for i in range(many):
            tiring[i] = seen[rule[i], target[i]]
            driving[i] = stimulus[rule[i], target[i]]
        for i in range(many):
            row = attacker[i]
            ended = max(min(until[i], alive[i]), since[row])
            engaged = ended - since[row]
            since[row] = 0.0
            gain = checkpoint.exhaustion_gain * pd1_signal(
                rates.free, pdl1[i], checkpoint.half_pdl1
            )
            inhibited = either(own[brake, row if brake else 0], by_kind[BRAKE, kinds[row]]) > 0.0
            strain[row] += engaged * tiring[i] * (1.0 + (gain if inhibited else 0.0))
            contact[row] += engaged * driving[i]
            if until[i] < hours or alive[i] < hours:
                braked_hits[row] += braked[i] and until[i] <= alive[i]
                partners[row] = -1
                held[target[i]] -= 1
                since[row] = ended - hours


@part
def bury(cells, space, kind_at, killed, blows):
    """The killed leave their sites, after all hits, so that a dying attacker's place in a loop does not matter."""
    for d in range(killed):
        row = blows.dying[d]
        space.occupant[cells.site[row]] = EMPTY
        kind_at[cells.site[row]] = -1
        cells.kind[row] = DEAD
        if cells.partner[row] >= 0:
            cells.held[cells.partner[row]] -= 1
            cells.partner[row] = -1
