"""Immune cells enter from vessels, into the nearest free site; a packed entry lets nobody in."""

import numpy as np

from ..compiled import loop, part, rare
from ..randomness import GOLDEN, bits, mix, name_from, stream_at, uniform
from ..tissue.lattice import EMPTY
from .chance import happens


@part
def nearest_free(space, entry, strides, reach, stream):
    """A free site nearest to ``entry`` (rings of growing Chebyshev distance, at most ``reach`` sites), or -1.

    Within a ring the lowest hash wins, so that no direction is favoured. In liquid mode: eight random sites are tried.
    """
    if space.liquid:
        for trial in range(8):
            draw = uniform(stream + np.uint64(trial) * GOLDEN, entry)
            site = space.interior[np.int64(draw * space.interior.size)]
            if space.occupant[site] == EMPTY:
                return np.int64(site)
        return np.int64(-1)
    depth = reach if strides.size == 3 else 0
    last = strides.size - 1
    third = strides[last] if strides.size == 3 else 0
    for ring in range(reach + 1):
        best = np.int64(-1)
        lowest = np.uint64(0)
        for i in range(-ring, ring + 1):
            for j in range(-ring, ring + 1):
                for k in range(-min(ring, depth), min(ring, depth) + 1):
                    if max(abs(i), abs(j), abs(k)) != ring:
                        continue
                    site = entry + i * strides[0] + j * strides[1] + k * third
                    if site < 0 or site >= space.occupant.size or space.occupant[site] != EMPTY:
                        continue
                    order = bits(stream, site)
                    if best < 0 or order < lowest:
                        best, lowest = np.int64(site), order
        if best >= 0:
            return best
    return np.int64(-1)


@loop
def enter(space, entries, rate, strides, reach, key, tick, hours, sites, names):
    """Arrivals of one kind: fill ``sites`` and ``names`` (as long as ``entries``); returns how many found room.

    ``rate``: arrivals per entry and hour. A site taken is marked with its own entry until the row is written.
    """
    start = stream_at(key, tick)
    where = mix(start + GOLDEN)
    birth = mix(start + np.uint64(2) * GOLDEN)
    arrived = 0
    for e in range(entries.size):
        name = name_from(
            birth, entries[e]
        )  # entries are small numbers: hashed before they are drawn with
        if not happens(uniform(start, name), rate, hours):
            continue
        site = nearest_free(space, np.int64(entries[e]), strides, reach, where)
        if site < 0:
            continue
        space.occupant[site] = 0  # taken; the caller writes the row
        sites[arrived] = site
        names[arrived] = name
        arrived += 1
    return arrived


@rare
def infuse(space, entries, ordinals, strides, reach, stream, sites, chosen):
    """Infused cells, one per ordinal, each at a random entry; fill ``sites`` and ``chosen``; returns how many found room."""
    placed = 0
    for i in range(ordinals.size):
        name = name_from(stream, ordinals[i])
        for trial in range(4):
            pick = mix(stream + np.uint64(trial + 1) * GOLDEN)
            entry = entries[np.int64(uniform(pick, name) * entries.size)]
            site = nearest_free(space, np.int64(entry), strides, reach, pick)
            if site >= 0:
                space.occupant[site] = 0
                sites[placed] = site
                chosen[placed] = ordinals[i]
                placed += 1
                break
    return placed
