"""Cells read the fields: interferon lifts presented MHC-I and PD-L1, and recognition scores follow."""


from ..compiled import loop
from ..rules import INDEX
from .chance import either

INTERFERON, ANTIGEN_SHOWN = INDEX["interferon"], INDEX["antigen_shown"]


@loop
def show(cells, rates, mhc, pdl1, interferon, node, resting, induced):
    """Presented MHC-I = mhc (resting + (1 - resting) I/(1+I)); shown PD-L1 = pdl1 + induced I/(1+I)."""
    kinds, sites, presented_mhc, pdl1_shown = cells.kind, cells.site, cells.presented_mhc, cells.pdl1_shown
    own, slot, by_kind = cells.own, rates.slot, rates.by_kind
    for row in range(kinds.size):
        kind = kinds[row]
        if kind < 0:
            continue
        signal = interferon[node[sites[row]]] + either(own[slot[INTERFERON], row], by_kind[INTERFERON, kind])
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
def see_missing_self(cells, stress, half, score, stimulus):
    """NK cell: activation = stress ligand x (1 - m^4 / (half^4 + m^4)), m = presented MHC-I; at most 1."""
    kinds, presented_mhc = cells.kind, cells.presented_mhc
    for row in range(kinds.size):
        if kinds[row] >= 0:
            m = presented_mhc[row] ** 4
            score[row] = min(1.0, stress[row] * (1.0 - m / (half**4 + m)))
            stimulus[row] = score[row]


@loop
def find_uphill(concentration, shape, headings, signs, uphill, pull):
    """For every mesh node the heading nearest to the gradient, and how strongly the substance is felt, c / (1 + c).

    ``shape`` int64 [3] nodes per axis; ``headings`` int8 (3, 3, 3): heading of each direction; ``signs``: scratch int64 [3].
    """
    for node in range(concentration.size):
        z = node % shape[2]
        y = (node // shape[2]) % shape[1]
        x = node // (shape[2] * shape[1])
        here = concentration[node]
        pull[node] = here / (1.0 + here)
        gx = gy = gz = 0.0
        if shape[0] > 1:
            step = shape[2] * shape[1]
            gx = concentration[node + step if x + 1 < shape[0] else node] - concentration[node - step if x > 0 else node]
        if shape[1] > 1:
            step = shape[2]
            gy = concentration[node + step if y + 1 < shape[1] else node] - concentration[node - step if y > 0 else node]
        if shape[2] > 1:
            gz = concentration[node + 1 if z + 1 < shape[2] else node] - concentration[node - 1 if z > 0 else node]
        steepest = max(abs(gx), abs(gy), abs(gz))
        uphill[node] = -1
        if steepest <= 1e-6 * here:
            continue
        signs[0] = 0 if abs(gx) < 0.4142 * steepest else (1 if gx > 0 else -1)
        signs[1] = 0 if abs(gy) < 0.4142 * steepest else (1 if gy > 0 else -1)
        signs[2] = 0 if abs(gz) < 0.4142 * steepest else (1 if gz > 0 else -1)
        uphill[node] = headings[signs[0] + 1, signs[1] + 1, signs[2] + 1]


@loop
def deposit(cells, space, rates, rules, drives, node, share, interferon, wide, amounts):
    """Add what every cell gives and takes to its mesh node, several rules at once, in the order of sites.

    ``rules`` int64 [n]; ``drives`` int64 [n]: 0 as it is, 1 times activity (stimulation x vigour), 2 times I/(1+I) of the
    interferon at hand. ``share`` float64 per node: 1 / sites of the node. ``amounts`` float64 (n, nodes) is added to.
    """
    occupant, interior, kinds = space.occupant, space.interior, cells.kind
    own, slot, by_kind = cells.own, rates.slot, rates.by_kind
    stimulation, exhaustion, fixed_exhaustion = cells.stimulation, cells.exhaustion, cells.fixed_exhaustion
    for i in range(interior.size):
        site = interior[i]
        row = occupant[site]
        if row < 0:
            continue
        kind = kinds[row]
        for n in range(rules.size):
            amount = either(own[slot[rules[n]], row], by_kind[rules[n], kind])
            if amount == 0.0:
                continue
            if drives[n] == 1:
                amount *= stimulation[row] * (1.0 - exhaustion[row]) * (1.0 - fixed_exhaustion[row])
            elif drives[n] == 2:
                signal = interferon[wide[site]] + either(own[slot[INTERFERON], row], by_kind[INTERFERON, kind])
                amount *= signal / (1.0 + signal)
            here = node[site]
            amounts[n, here] += amount * share[here]
