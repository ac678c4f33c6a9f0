"""Searching cells move: with persistence, up the chemokine, into free sites or by changing places with a tumour cell."""

import numpy as np

from ..compiled import part
from ..randomness import GOLDEN, bits, mix, stream_at, uniform
from ..rules import INDEX, either
from ..tissue.lattice import EMPTY

MOVE, SQUEEZE = INDEX["move"], INDEX["squeeze"]
PERSISTENCE, BIAS = INDEX["persistence"], INDEX["bias"]
TRIES = 3  # moves a searching cell may make in one sub-step


@part
def move(cells, space, rates, movers, yields, uphill, pull, node, keys, tick, attempt, hours, roaming, dest, who,
         onto):
    """One try of every searching cell: propose, claim, commit; a site goes to the lowest hash, and losers stay.

    A try becomes a step with probability speed / stride x ``hours``, so that cells are as fast as their speed whatever the
    length of a try, up to one step each. ``attempt``: number of the try in the sub-step. ``movers``: rows of motile cells;
    ``yields`` bool per kind: may be exchanged with. ``uphill`` int8 per mesh node: the heading up the chemokine, -1 where
    there is none; ``pull`` float64 per node: how strongly it is felt, 0 to 1; ``node`` int32 per site. ``roaming``,
    ``dest``, ``who``, ``onto``: scratch as long as ``movers``.
    """
    # Arrays are taken out of their tuples once: inside the loop numba would count references at every read.
    names, kinds, sites, headings = cells.name, cells.kind, cells.site, cells.heading
    occupant, claim, offsets = space.occupant, space.claim, space.offsets
    own, slot, by_kind = cells.own, rates.slot, rates.by_kind
    often = np.empty(yields.size)  # by kind: probability of a move in one try
    for kind in range(yields.size):
        often[kind] = by_kind[MOVE, kind] / space.stride * hours
    searching = 0
    for i in range(movers.size):
        row = movers[i]
        roaming[searching] = row
        searching += cells.partner[row] < 0 and kinds[row] >= 0  # a mover may have been killed in this step
    start = stream_at(keys.move, tick)
    go = mix(start + np.uint64(8 * attempt) * GOLDEN)
    turn = mix(start + np.uint64(8 * attempt + 1) * GOLDEN)
    where = mix(start + np.uint64(8 * attempt + 2) * GOLDEN)
    push = mix(start + np.uint64(8 * attempt + 3) * GOLDEN)
    order = mix(start + np.uint64(8 * attempt + 4) * GOLDEN)
    going = 0
    for i in range(searching):
        row = roaming[i]
        chance = either(own[slot[MOVE], row] / space.stride * hours, often[kinds[row]])
        who[going] = row  # kept only if it goes: no branch to mispredict
        going += uniform(go, names[row]) < chance
    proposals = 0
    for i in range(going):
        row = who[i]
        kind = kinds[row]
        name = names[row]
        site = sites[row]
        draw = uniform(turn, name)
        here = node[site]
        bias = 0.0
        if uphill[here] >= 0:
            bias = min(either(own[slot[BIAS], row], by_kind[BIAS, kind]), 1.0) * pull[here]
        if draw < bias:
            heading = np.int64(uphill[here])
        else:
            heading = np.int64(headings[row])
            persistence = either(own[slot[PERSISTENCE], row], by_kind[PERSISTENCE, kind])
            if heading < 0 or draw >= bias + (1.0 - bias) * persistence:
                heading = np.int64(uniform(where, name) * offsets.size)
        target = site + offsets[heading]
        there = occupant[target]
        if there != EMPTY:
            squeeze = either(own[slot[SQUEEZE], row], by_kind[SQUEEZE, kind])
            blocked = there < 0 or uniform(push, name) >= squeeze
            if blocked or not yields[kinds[there]] or cells.held[there] > 0:
                headings[row] = -1
                continue
        headings[row] = heading
        dest[proposals] = target
        who[proposals] = row
        onto[proposals] = there
        claimed = claim[target]
        proposals += 1
        if claimed == 0:
            claim[target] = proposals
        else:
            rival = names[who[claimed - 1]]
            mine, theirs = bits(order, name), bits(order, rival)
            if mine < theirs or (mine == theirs and name < rival):
                claim[target] = proposals
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
        if onto[p] >= 0:
            sites[onto[p]] = origin
