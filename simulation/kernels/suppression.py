"""Suppressors lend their PD-L1 to the cells beside them."""

from ..compiled import part


@part
def feel(cells, space, suppressors, felt):
    """Of every cell the largest PD-L1 that suppressors beside it show; a maximum, so that no order of cells matters.

    ``felt``: float64 per row. Without suppressors, and in liquid, where nobody is beside, it stays as it is.
    """
    if suppressors.size == 0 or space.liquid:
        return
    kinds, sites, shown = cells.kind, cells.site, cells.pdl1_shown
    occupant, offsets = space.occupant, space.offsets
    felt[:] = 0.0
    for i in range(suppressors.size):
        row = suppressors[i]
        if kinds[row] < 0:
            continue
        for d in range(offsets.size):
            beside = occupant[sites[row] + offsets[d]]
            if beside >= 0:
                felt[beside] = max(felt[beside], shown[row])
