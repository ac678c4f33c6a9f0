"""What is counted: one row of numbers per moment, summed in the order of sites so that row order leaves no trace."""

from collections.abc import Iterable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from ..compiled import loop

FIELDS = ("oxygen", "ifn_gamma", "il2", "chemokine")
"""The fields of every model; those that plug-ins bring get a column of their mean behind all others."""
LOW = 0.1  # below this share of normal a trait counts as low


class Totals(NamedTuple):
    """Sums over the cells of each kind, float64 (kinds)."""

    number: np.ndarray
    antigen: np.ndarray
    ln_antigen: np.ndarray
    antigen_positive: np.ndarray
    car_target: np.ndarray
    target_negative: np.ndarray
    pdl1: np.ndarray
    mhc: np.ndarray
    presented_mhc: np.ndarray
    antigen_low: np.ndarray
    mhc_low: np.ndarray
    vigour: np.ndarray
    fixed_exhaustion: np.ndarray
    engaged: np.ndarray


@loop
def tally(
    cells: Any,
    space: Any,
    antigen: np.ndarray,
    car_target: np.ndarray,
    mhc: np.ndarray,
    low: float,
    totals: Totals,
) -> None:
    """Add up what the cells of each kind have."""
    occupant, interior, kinds, partner = space.occupant, space.interior, cells.kind, cells.partner
    pdl1, presented, exhaustion, fixed = (
        cells.pdl1_shown,
        cells.presented_mhc,
        cells.exhaustion,
        cells.fixed_exhaustion,
    )
    for i in range(interior.size):
        row = occupant[interior[i]]
        if row < 0:
            continue
        k = kinds[row]
        totals.number[k] += 1.0
        totals.antigen[k] += antigen[row]
        if antigen[row] > 0.0:
            totals.ln_antigen[k] += np.log(antigen[row])
            totals.antigen_positive[k] += 1.0
        totals.car_target[k] += car_target[row]
        totals.target_negative[k] += car_target[row] == 0.0
        totals.pdl1[k] += pdl1[row]
        totals.mhc[k] += mhc[row]
        totals.presented_mhc[k] += presented[row]
        totals.antigen_low[k] += antigen[row] < low
        totals.mhc_low[k] += mhc[row] < low
        totals.vigour[k] += (1.0 - exhaustion[row]) * (1.0 - fixed[row])
        totals.fixed_exhaustion[k] += fixed[row]
        totals.engaged[k] += partner[row] >= 0


def share(part: float, whole: float) -> float:
    """A mean or share; NaN when there is nobody."""
    return part / whole if whole > 0 else float("nan")


def measure(model: Any) -> dict[str, float]:
    """One row of the time series; the columns are explained in ``results.COLUMNS``."""
    kinds = model.kinds
    totals = Totals(*np.zeros((len(Totals._fields), len(kinds))))
    cells = model.cells
    tally(
        cells.view(),
        model.lattice.space,
        cells["antigen"],
        cells["car_target"],
        cells["mhc"],
        LOW,
        totals,
    )
    by = {
        kind: {name: float(values[k]) for name, values in totals._asdict().items()}
        for k, kind in enumerate(kinds.names)
    }
    tumor = by["tumor_cell"]
    t_cells = {q: by["t_cell"][q] + by["car_t_cell"][q] for q in Totals._fields}
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
        **{
            kind.kills: kills[kind.name]
            for kind, meets in zip(kinds, kinds.interactions()[:, tumor_index] >= 0, strict=True)
            if meets
        },
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
    return row | {f"mean_{name}": level for name, level in fields.items() if name not in FIELDS}


def measured(column: str, model: Any) -> float | None:
    """One column of the present moment; what the data collector reads."""
    return model.measures.get(column)


def reporters(columns: Iterable[str]) -> dict[str, Any]:
    """Model reporters for a Mesa DataCollector, one a column; functions of a module, so that they can be pickled."""
    return {column: partial(measured, column) for column in columns}
