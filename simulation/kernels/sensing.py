"""Cells read the fields: interferon lifts presented MHC-I and PD-L1, and recognition scores follow."""

from ..compiled import loop
from ..rules import INDEX, either

INTERFERON, ANTIGEN_SHOWN = INDEX["interferon"], INDEX["antigen_shown"]


@loop
def show(cells, rates, mhc, pdl1, interferon, node, resting, induced):
    """Presented MHC-I = mhc (resting + (1 - resting) I/(1+I)); shown PD-L1 = pdl1 + induced I/(1+I)."""
    kinds, sites, presented_mhc, pdl1_shown = (
        cells.kind,
        cells.site,
        cells.presented_mhc,
        cells.pdl1_shown,
    )
    own, slot, by_kind = cells.own, rates.slot, rates.by_kind
    for row in range(kinds.size):
        kind = kinds[row]
        if kind < 0:
            continue
        signal = interferon[node[sites[row]]] + either(
            own[slot[INTERFERON], row], by_kind[INTERFERON, kind]
        )
        felt = signal / (1.0 + signal)
        presented_mhc[row] = mhc[row] * (resting + (1.0 - resting) * felt)
        pdl1_shown[row] = pdl1[row] + induced[kind] * felt


@loop
def see_peptide(cells, rates, antigen, half, score, stimulus):
    """T-cell receptor: x = antigen x presented MHC-I; score x^2 / (half^2 + x^2), and the stimulus is the same."""
    kinds, presented_mhc = cells.kind, cells.presented_mhc
    own, slot, by_kind = cells.own, rates.slot, rates.by_kind
    for row in range(kinds.size):
        kind = kinds[row]
        if kind < 0:
            continue
        factor = either(own[slot[ANTIGEN_SHOWN], row], by_kind[ANTIGEN_SHOWN, kind])
        x = antigen[row] * factor * presented_mhc[row]
        score[row] = x * x / (half * half + x * x)
        stimulus[row] = score[row]


@loop
def see_target(cells, target, half_lysis, half_drive, score, stimulus):
    """CAR: lysis c^2 / (half_lysis^2 + c^2) without MHC; stimulus likewise with about ten times the half-value."""
    for row in range(cells.kind.size):
        if cells.kind[row] >= 0:
            c = target[row] * target[row]
            score[row] = c / (half_lysis * half_lysis + c)
            stimulus[row] = c / (half_drive * half_drive + c)


@loop
def see_missing_self(cells, stress, half, coat, half_coat, score, stimulus):
    """NK cell: activation s = stress ligand x (1 - m^4 / (half^4 + m^4)), m = presented MHC-I; at most 1.

    Antibody on the cell activates as well: 1 - (1 - s)(1 - c^2 / (half_coat^2 + c^2)). ``coat``: c per row, or empty.
    """
    kinds, presented_mhc, coated = cells.kind, cells.presented_mhc, coat.size > 0
    for row in range(kinds.size):
        if kinds[row] >= 0:
            m = presented_mhc[row] ** 4
            score[row] = min(1.0, stress[row] * (1.0 - m / (half**4 + m)))
            if coated:
                c = coat[row] * coat[row]
                score[row] += (1.0 - score[row]) * c / (half_coat * half_coat + c)
            stimulus[row] = score[row]
