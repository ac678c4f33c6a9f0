"""Searching cells move: with persistence, up the chemokine, into free sites or by changing places with a tumour cell."""

from typing import NamedTuple

import numpy as np

from ..compiled import part
from ..randomness import GOLDEN, bits, mix, stream_at, uniform
from ..rules import INDEX, either
from ..tissue.lattice import EMPTY

MOVE, SQUEEZE = INDEX["move"], INDEX["squeeze"]
PERSISTENCE, BIAS = INDEX["persistence"], INDEX["bias"]
TRIES = 3  # moves a searching cell may make in one sub-step
BLOCK = (
    256  # cells that short loops handle together: many reads of memory are then under way at once
)


class Moves(NamedTuple):
    """Scratch: who would move, the row that stands there or EMPTY, and to which site; int32."""

    who: np.ndarray
    onto: np.ndarray
    dest: np.ndarray


@part
def move(cells, space, rates, actors, guide, keys, tick, attempt, hours, kind_at, moves):
    """One try of every searching cell: propose, claim, commit; a site goes to the lowest hash, and losers stay.

    A try becomes a step with probability speed / stride x ``hours``, so that cells are as fast as their speed whatever the
    length of a try, up to one step each. ``attempt``: number of the try in the sub-step; ``moves``: scratch.
    """
    proposals = propose(cells, space, rates, actors, guide, keys, tick, attempt, hours, moves)
    claim_sites(
        cells.name,
        space.claim,
        mix(stream_at(keys.move, tick) + np.uint64(8 * attempt + 4) * GOLDEN),
        proposals,
        moves,
    )
    change_places(cells, space, kind_at, proposals, moves)


@part
def propose(cells, space, rates, actors, guide, keys, tick, attempt, hours, moves):
    """Who would go where: up the chemokine, on with the last heading, or anywhere; returns how many would."""
    # Arrays are taken out of their tuples once: inside the loop numba would count references at every read.
    names, kinds, sites, headings = cells.name, cells.kind, cells.site, cells.heading
    partner, held, own = cells.partner, cells.held, cells.own
    occupant, offsets, stride = space.occupant, space.offsets, space.stride
    uphill, pull, node = guide.uphill, guide.pull, guide.node
    movers, yields, by_kind = actors.movers, actors.yields, rates.by_kind
    speed, steer, stay, squeeze = (
        rates.slot[MOVE],
        rates.slot[BIAS],
        rates.slot[PERSISTENCE],
        rates.slot[SQUEEZE],
    )
    often = np.empty(yields.size)  # by kind: probability of a move in one try
    for kind in range(often.size):
        often[kind] = by_kind[MOVE, kind] / stride * hours
    start = stream_at(keys.move, tick)
    go = mix(start + np.uint64(8 * attempt) * GOLDEN)
    turn = mix(start + np.uint64(8 * attempt + 1) * GOLDEN)
    where = mix(start + np.uint64(8 * attempt + 2) * GOLDEN)
    push = mix(start + np.uint64(8 * attempt + 3) * GOLDEN)
    who, onto, dest = moves.who, moves.onto, moves.dest
    going, heading = np.empty(BLOCK, dtype=np.int32), np.empty(BLOCK, dtype=np.int8)
    up, felt = np.empty(BLOCK, dtype=np.int8), np.empty(BLOCK)
    target, there = np.empty(BLOCK, dtype=np.int32), np.empty(BLOCK, dtype=np.int32)
    proposals = 0
    for first in range(0, movers.size, BLOCK):
        many = 0
        for i in range(first, min(first + BLOCK, movers.size)):
            row = movers[i]
            chance = either(own[speed, row if speed else 0] / stride * hours, often[kinds[row]])
            going[many] = (
                row  # kept only if it goes: no branch to mispredict; a mover may have been killed in this step
            )
            many += (partner[row] < 0) & (kinds[row] >= 0) & (uniform(go, names[row]) < chance)
        for i in range(many):
            here = node[sites[going[i]]]
            up[i] = uphill[here]
            felt[i] = pull[here]
        for i in range(many):
            row = going[i]
            kind = kinds[row]
            draw = uniform(turn, names[row])
            bias = min(either(own[steer, row if steer else 0], by_kind[BIAS, kind]), 1.0) * felt[i]
            bias = bias if up[i] >= 0 else 0.0
            persistence = either(own[stay, row if stay else 0], by_kind[PERSISTENCE, kind])
            on = (headings[row] >= 0) & (draw < bias + (1.0 - bias) * persistence)
            anywhere = np.int64(uniform(where, names[row]) * offsets.size)
            chosen = np.int64(headings[row]) if on else anywhere
            chosen = np.int64(up[i]) if draw < bias else chosen
            heading[i] = chosen
            target[i] = sites[row] + offsets[chosen]
        for i in range(many):
            there[i] = occupant[target[i]]
        for i in range(many):
            row = going[i]
            other = there[i]
            fits = other == EMPTY
            through = either(own[squeeze, row if squeeze else 0], by_kind[SQUEEZE, kinds[row]])
            if (other >= 0) & (uniform(push, names[row]) < through):
                fits = yields[kinds[other]] and held[other] == 0
            headings[row] = heading[i] if fits else -1
            who[proposals] = row
            onto[proposals] = other
            dest[proposals] = target[i]
            proposals += fits
    return proposals


@part
def claim_sites(names, claim, order, proposals, moves):
    """Of those that want one site, the lowest hash claims it; ``claim`` holds the number of its proposal, counted from 1."""
    who, dest = moves.who, moves.dest
    for p in range(proposals):
        target = dest[p]
        claimed = claim[target]
        if claimed == 0:
            claim[target] = p + 1
        else:
            name, rival = names[who[p]], names[who[claimed - 1]]
            mine, theirs = bits(order, name), bits(order, rival)
            if mine < theirs or (mine == theirs and name < rival):
                claim[target] = p + 1


@part
def change_places(cells, space, kind_at, proposals, moves):
    """Those whose claim stands move, and whoever stood there takes their place."""
    who, onto, dest = moves.who, moves.onto, moves.dest
    kinds, sites, occupant, claim = cells.kind, cells.site, space.occupant, space.claim
    for p in range(proposals):
        target = dest[p]
        if claim[target] != p + 1:
            continue
        claim[target] = 0  # losers that come later find it is not theirs either
        row = who[p]
        origin = sites[row]
        occupant[target] = row
        sites[row] = target
        occupant[origin] = onto[p]
        kind_at[origin] = kind_at[target]
        kind_at[target] = kinds[row]
        if onto[p] >= 0:
            sites[onto[p]] = origin
