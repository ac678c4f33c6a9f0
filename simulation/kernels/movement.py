"""Searching cells move: with persistence, up the chemokine, into free sites or by changing places with a tumour cell."""

import numpy as np

from ..compiled import loop
from ..lattice import EMPTY
from ..randomness import GOLDEN, bits, mix, stream_at, uniform
from ..rules import INDEX
from .chance import happens

MOVE, SQUEEZE = INDEX["move"], INDEX["squeeze"]
PERSISTENCE, BIAS = INDEX["persistence"], INDEX["bias"]
TRIES = 3  # moves a searching cell may make in one sub-step


@loop
def move(cells, space, rates, movers, yields, uphill, pull, node, keys, tick, hours, dest, who, onto):
    """Three rounds of propose, claim, commit; a site goes to the lowest hash, and losers stay.

    ``movers``: rows of motile cells; ``yields`` bool per kind: may be exchanged with. ``uphill`` int8 per mesh node: the
    heading up the chemokine, -1 where there is none; ``pull`` float64 per node: how strongly it is felt, 0 to 1; ``node``
    int32 per site. ``dest``, ``who``, ``onto``: scratch as long as ``movers``.
    """
    headings = space.offsets.size
    each = hours / TRIES
    start = stream_at(keys.move, tick)
    for attempt in range(TRIES):
        go = mix(start + np.uint64(8 * attempt) * GOLDEN)
        turn = mix(start + np.uint64(8 * attempt + 1) * GOLDEN)
        where = mix(start + np.uint64(8 * attempt + 2) * GOLDEN)
        push = mix(start + np.uint64(8 * attempt + 3) * GOLDEN)
        order = mix(start + np.uint64(8 * attempt + 4) * GOLDEN)
        proposals = 0
        for i in range(movers.size):
            row = movers[i]
            if cells.partner[row] >= 0:
                continue
            kind = cells.kind[row]
            name = cells.name[row]
            slot = rates.slot[MOVE]
            speed = rates.cellwise[slot, row] if slot >= 0 else rates.by_kind[MOVE, kind]
            if not happens(uniform(go, name), speed / space.spacing, each):
                continue
            site = cells.site[row]
            draw = uniform(turn, name)
            here = node[site]
            slot = rates.slot[BIAS]
            bias = rates.cellwise[slot, row] if slot >= 0 else rates.by_kind[BIAS, kind]
            bias = min(bias, 1.0) * pull[here] if uphill[here] >= 0 else 0.0
            if draw < bias:
                heading = np.int64(uphill[here])
            else:
                heading = np.int64(cells.heading[row])
                if heading < 0 or draw >= bias + (1.0 - bias) * rates.by_kind[PERSISTENCE, kind]:
                    heading = np.int64(uniform(where, name) * headings)
            target = site + space.offsets[heading]
            there = space.occupant[target]
            if there != EMPTY:
                if there < 0 or not yields[cells.kind[there]] or cells.held[there] > 0:
                    cells.heading[row] = -1
                    continue
                slot = rates.slot[SQUEEZE]
                squeeze = rates.cellwise[slot, row] if slot >= 0 else rates.by_kind[SQUEEZE, kind]
                if uniform(push, name) >= squeeze:
                    cells.heading[row] = -1
                    continue
            cells.heading[row] = heading
            dest[proposals] = target
            who[proposals] = row
            onto[proposals] = there
            claimed = space.claim[target]
            proposals += 1
            if claimed == 0:
                space.claim[target] = proposals
            else:
                rival = cells.name[who[claimed - 1]]
                mine, theirs = bits(order, name), bits(order, rival)
                if mine < theirs or (mine == theirs and name < rival):
                    space.claim[target] = proposals
        for p in range(proposals):
            target = dest[p]
            if space.claim[target] != p + 1:
                continue
            row = who[p]
            origin = cells.site[row]
            space.occupant[target] = row
            cells.site[row] = target
            space.occupant[origin] = onto[p]
            if onto[p] >= 0:
                cells.site[onto[p]] = origin
        for p in range(proposals):
            space.claim[dest[p]] = 0
