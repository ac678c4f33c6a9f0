"""A substance that a user brings: fibroblasts make TGF-beta, and T cells in it kill less."""

import numpy as np

from simulation import CellAgent, CellKind, Effect, FieldKind, parametrize_with_promises

from ...dish import dish, sow

TGF_BETA = FieldKind("tgf_beta", diffusion=36_000, decay=3.6, words="TGF-beta")
SUPPRESSION = Effect("tgf_beta", rule="kill", kind="t_cell", most=-1.0, half=1.0)


class Fibroblast(CellAgent):
    """Stays where it is and makes TGF-beta."""

    kind = "fibroblast"


FIBROBLAST = CellKind(
    "fibroblast",
    agent=Fibroblast,
    rates={"tgf_beta_secretion": 200.0, "death": 0.001},
    fields=(TGF_BETA,),
    effects=(SUPPRESSION,),
)


@parametrize_with_promises(FIBROBLAST)
def test_the_fibroblast(promise):
    promise()


PAIRS = np.array([(x, y) for x in range(4, 78, 3) for y in range(4, 38, 3)])


def killed_beside(fibroblasts, seed):
    """Of 300 tumour cells, each held by one T cell, those dead after 2 hours: (near the fibroblasts, far from them)."""
    model = dish((81, 41), seed, {"tumor.lethal_hits": 1, "tumor.pdl1": 0}, cell_kinds=FIBROBLAST)
    if fibroblasts:
        sow(model, "fibroblast", [(x, y) for x in (0, 1) for y in range(41)])
    for _ in range(12):
        model.step()
    targets = sow(model, "tumor_cell", PAIRS)
    sow(model, "t_cell", PAIRS + (1, 0))
    for _ in range(2):
        model.step()
    dead = ~np.isin(targets, model.cells["name"][model.rows("tumor_cell")])
    return dead[PAIRS[:, 0] < 12].mean(), dead[PAIRS[:, 0] > 56].mean()


def test_t_cells_kill_less_where_fibroblasts_make_tgf_beta_and_no_less_far_away():
    seeds = range(1, 5)
    with_them, without = (np.array([killed_beside(f, s) for s in seeds]) for f in (True, False))
    lost = without.mean(axis=0) - with_them.mean(axis=0)
    error = np.sqrt((with_them.var(axis=0, ddof=1) + without.var(axis=0, ddof=1)) / len(seeds))
    assert lost[0] > 4 * max(error[0], 0.02), "near them most hits are lost"
    assert abs(lost[1]) < 4 * max(error[1], 0.02), "far away killing is as before"
