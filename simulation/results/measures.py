"""What is counted: one row of numbers per moment, summed in the order of sites so that row order leaves no trace."""

from collections.abc import Iterable
from functools import partial
from typing import Any

import numpy as np

from ..compiled import loop

LOW = 0.1  # below this share of normal a trait counts as low
QUANTITIES = ("number", "antigen", "ln_antigen", "antigen_positive", "car_target", "target_negative", "pdl1", "mhc",
              "presented_mhc", "antigen_low", "mhc_low", "vigour", "fixed_exhaustion", "engaged")


@loop
def tally(cells: Any, space: Any, antigen: np.ndarray, car_target: np.ndarray, mhc: np.ndarray, low: float,
          totals: np.ndarray) -> None:
    """Sums per kind, float64 (kinds, quantities) in the order of QUANTITIES."""
    occupant, interior, kinds, partner = space.occupant, space.interior, cells.kind, cells.partner
    pdl1, presented, exhaustion, fixed = cells.pdl1_shown, cells.presented_mhc, cells.exhaustion, cells.fixed_exhaustion
    for i in range(interior.size):
        row = occupant[interior[i]]
        if row < 0:
            continue
        k = kinds[row]
        totals[k, 0] += 1.0
        totals[k, 1] += antigen[row]
        if antigen[row] > 0.0:
            totals[k, 2] += np.log(antigen[row])
            totals[k, 3] += 1.0
        totals[k, 4] += car_target[row]
        totals[k, 5] += car_target[row] == 0.0
        totals[k, 6] += pdl1[row]
        totals[k, 7] += mhc[row]
        totals[k, 8] += presented[row]
        totals[k, 9] += antigen[row] < low
        totals[k, 10] += mhc[row] < low
        totals[k, 11] += (1.0 - exhaustion[row]) * (1.0 - fixed[row])
        totals[k, 12] += fixed[row]
        totals[k, 13] += partner[row] >= 0


def share(part: float, whole: float) -> float:
    """A mean or share; NaN when there is nobody."""
    return part / whole if whole > 0 else float("nan")


def measure(model: Any) -> dict[str, float]:
    """One row of the time series; the columns are explained in ``results.COLUMNS``."""
    kinds = model.kinds
    totals = np.zeros((len(kinds), len(QUANTITIES)))
    cells = model.cells
    tally(cells.view(), model.lattice.space, cells["antigen"], cells["car_target"], cells["mhc"], LOW, totals)
    by = {kind: dict(zip(QUANTITIES, totals[k].tolist(), strict=True)) for k, kind in enumerate(kinds.names)}
    tumor = by["tumor_cell"]
    t_cells = {q: by["t_cell"][q] + by["car_t_cell"][q] for q in QUANTITIES}
    n = tumor["number"]
    fields = {name: float(np.sum(f.values) / f.values.size) for name, f in model.fields.items()}
    tumor_index = kinds.index("tumor_cell")
    kills = dict(zip(kinds.names, model.counters["kills"][:, tumor_index].tolist(), strict=True))
    row = {"day": model.day}
    row |= {kind.column: int(by[kind.name]["number"]) for kind in kinds}
    row |= {
        "mean_antigen": share(tumor["antigen"], n),
        "mean_ln_antigen": share(tumor["ln_antigen"], tumor["antigen_positive"]),
        "mean_car_target": share(tumor["car_target"], n),
        "mean_pdl1": share(tumor["pdl1"], n),
        "mean_mhc": share(tumor["mhc"], n),
        "mean_presented_mhc": share(tumor["presented_mhc"], n),
        "mean_ifn_gamma": fields["ifn_gamma"],
        "mean_oxygen": fields["oxygen"],
        "mean_il2": fields["il2"],
        "kills_by_t": kills["t_cell"],
        "kills_by_car_t": kills["car_t_cell"],
        "kills_by_nk": kills["nk_cell"],
        "births": int(model.counters["births"][tumor_index]),
        "deaths": int(model.counters["deaths"][tumor_index]),
        "necrosis_deaths": int(model.counters["starved"][tumor_index]),
        "mean_vigour": share(t_cells["vigour"], t_cells["number"]),
        "mean_fixed_exhaustion": share(t_cells["fixed_exhaustion"], t_cells["number"]),
        "engaged_t": int(t_cells["engaged"]),
        "target_negative_share": share(tumor["target_negative"], n),
        "antigen_low_share": share(tumor["antigen_low"], n),
        "mhc_low_share": share(tumor["mhc_low"], n),
    }
    return row


def measured(column: str, model: Any) -> float | None:
    """One column of the present moment; what the data collector reads."""
    return model.measures.get(column)


def reporters(columns: Iterable[str]) -> dict[str, Any]:
    """Model reporters for a Mesa DataCollector, one a column; functions of a module, so that they can be pickled."""
    return {column: partial(measured, column) for column in columns}
