"""What happened to each arm: in numbers, one row an arm, and in plain words."""

import math

import numpy as np
import pandas as pd

from simulation import CellKind
from simulation.results.results import COLUMNS, Results
from simulation.words import IMMUNE_WORDS, KILL_WORDS, percent

OUTCOMES: dict[str, tuple[str, str]] = {
    "arm": ("name of the arm", ""),
    "start_cells": ("tumour cells on day 0", "cells"),
    "end_cells": ("tumour cells on the last day", "cells"),
    "least_cells": ("fewest tumour cells of any day", "cells"),
    "least_day": ("first day with the fewest tumour cells; empty where none ever were", "day"),
    "gone_day": (
        "first day without tumour cells; empty where some are left, or none ever were",
        "day",
    ),
    "mean_cells": ("tumour cells, averaged over the days", "cells"),
    "growth": (
        "ln of burden on the last day over day 0, one cell added to each; empty where none was on day 0",
        "1",
    ),
    "effect": (
        "ln of burden on the last day over the control's, one cell added to each; empty where one had none on day 0",
        "1",
    ),
    "antigen_shift": (
        "change of the mean ln antigen of cells that have some, until the last day with such cells",
        "1",
    ),
    "target_shift": (
        "ln of the mean CAR target over that of day 0; of the last day with tumour cells",
        "1",
    ),
    "mhc_shift": (
        "ln of the mean MHC-I capacity over that of day 0; of the last day with tumour cells",
        "1",
    ),
    "pdl1_shift": (
        "ln of the mean PD-L1 shown over that of day 0; of the last day with tumour cells",
        "1",
    ),
    "antigen_low_share": ("share of cells with low antigen on the last day with tumour cells", "1"),
    "mhc_low_share": ("share of cells with low MHC-I on the last day with tumour cells", "1"),
    "target_negative_share": (
        "share of cells without CAR target on the last day with tumour cells",
        "1",
    ),
    "kills_by_t": ("tumour cells killed by CD8 T cells", "cells"),
    "kills_by_car_t": ("tumour cells killed by CAR T cells", "cells"),
    "kills_by_nk": ("tumour cells killed by NK cells", "cells"),
    "peak_t_cells": ("most CD8 T cells of any day", "cells"),
    "peak_car_t_cells": ("most CAR T cells of any day", "cells"),
    "end_vigour": ("mean vigour of the T cells on the last day", "1"),
    "end_fixed_exhaustion": ("mean fixed exhaustion of the T cells on the last day", "1"),
}
TRAITS = {"mean_antigen": "antigen", "mean_car_target": "CAR target", "mean_mhc": "MHC-I"}
NOTABLE = 0.8


def numbers(results: Results, control: Results) -> dict[str, object]:
    """The outcome of one arm, in the columns of OUTCOMES; NaN where there is nothing to measure."""
    series, last = results.timeseries, results.timeseries.iloc[-1]
    days, cells = series["day"].to_numpy(float), series["tumor_cells"].to_numpy(float)
    living = series[series["tumor_cells"] > 0]
    first, late = (living.iloc[0], living.iloc[-1]) if len(living) else (series.iloc[0], last)
    visible = series["mean_ln_antigen"].dropna()
    start, end, beside = cells[0], cells[-1], float(control.timeseries["tumor_cells"].iloc[-1])
    length = days[-1] - days[0]
    existed = start > 0
    compared = existed and control.timeseries["tumor_cells"].iloc[0] > 0

    def shift(column: str) -> float:
        return (
            math.log(late[column] / first[column])
            if late[column] > 0 and first[column] > 0
            else math.nan
        )

    found: dict[str, object] = {
        "arm": results.arm,
        "start_cells": int(start),
        "end_cells": int(end),
        "least_cells": int(cells.min()),
        "least_day": float(days[cells.argmin()]) if existed else math.nan,
        "gone_day": float(days[cells.argmin()]) if existed and end == 0 else math.nan,
        "mean_cells": float(np.trapezoid(cells, days) / length) if length > 0 else float(end),
        "growth": math.log((end + 1) / (start + 1)) if existed else math.nan,
        "effect": math.log((end + 1) / (beside + 1)) if compared else math.nan,
        "antigen_shift": float(visible.iloc[-1] - visible.iloc[0]) if len(visible) else math.nan,
        "target_shift": shift("mean_car_target"),
        "mhc_shift": shift("mean_mhc"),
        "pdl1_shift": shift("mean_pdl1"),
        **{
            share: float(late[share])
            for share in ("antigen_low_share", "mhc_low_share", "target_negative_share")
        },
        **{kills: int(last[kills]) for kills in KILL_WORDS if kills in OUTCOMES},
        "peak_t_cells": int(series["t_cells"].max()),
        "peak_car_t_cells": int(series["car_t_cells"].max()),
        "end_vigour": float(last["mean_vigour"]),
        "end_fixed_exhaustion": float(last["mean_fixed_exhaustion"]),
    }
    return found | {
        name: int(np.nan_to_num(series[column].max()))
        for name, (column, _) in of_kinds().items()
        if column in series
    }


def outcomes_of(kind: CellKind) -> tuple[str, str]:
    """The outcomes that a kind of cell which does not ship adds: its kills, and the most of its cells."""
    return kind.kills, f"peak_{kind.column}"


def of_kinds() -> dict[str, tuple[str, str]]:
    """Outcomes of kinds of cells that do not ship -> column of the time series, and what they are."""
    kills = {name: (name, f"tumour cells killed by {words}") for name, words in KILL_WORDS.items()}
    peaks = {
        f"peak_{name}": (name, f"most {words} of any day") for name, words in IMMUNE_WORDS.items()
    }
    return {name: each for name, each in (kills | peaks).items() if each[0] not in COLUMNS}


def explained(quantity: str) -> tuple[str, str]:
    """What an outcome is, and its unit; its name where nobody said so."""
    own = of_kinds().get(quantity, ("", quantity.replace("_", " ")))
    return OUTCOMES.get(quantity, (own[1], "cells" if own[0] else ""))


def tell(arms: dict[str, Results]) -> dict[str, str]:
    """One sentence per arm: its tumour, its tumour beside the control's, and what the surviving cells have lost."""
    control = arms.get("control")
    end = None if control is None else int(control.timeseries["tumor_cells"].iloc[-1])
    told = {}
    for arm, results in arms.items():
        parts = [burden(results.timeseries)]
        if arm != "control" and end is not None and results.timeseries["tumor_cells"].iloc[0] > 0:
            parts += beside(int(results.timeseries["tumor_cells"].iloc[-1]), end)
        told[arm] = ", ".join(parts + changes(results.timeseries))
    return told


def verdict(start: int, lowest: int, end: int) -> str:
    """What became of a tumour, in one word: absent, eliminated, relapsed, grew, shrank or held."""
    if start == 0 or end == 0:
        return "eliminated" if start else "absent"
    if lowest < 0.5 * start and end > 2 * lowest:
        return "relapsed"
    return "grew" if end > 1.25 * start else "shrank" if end < 0.8 * start else "held"


def burden(series: pd.DataFrame) -> str:
    """The course of one tumour: eliminated, shrank, held, grew, or shrank and came back."""
    days, cells = series["day"], series["tumor_cells"]
    start, end, lowest = int(cells.iloc[0]), int(cells.iloc[-1]), int(cells.min())
    numbers = f"({start:,} to {end:,} cells)"
    match verdict(start, lowest, end):
        case "absent":
            return "no tumour to begin with"
        case "eliminated":
            return f"eliminated on day {days[cells == 0].iloc[0]:.0f} (from {start:,} cells)"
        case "relapsed":
            return (
                f"shrank to {_share(lowest, start)} of its start by day {days[cells.idxmin()]:.0f} "
                f"and grew back to {_share(end, start)} {numbers}"
            )
        case "grew":
            return f"grew {end / start:.1f}-fold {numbers}"
        case verb:
            return f"{verb} {'to' if verb == 'shrank' else 'at'} {_share(end, start)} of its start {numbers}"


def beside(end: int, control: int) -> list[str]:
    """The last day's tumour in words of the control's."""
    if control == 0:
        return ["as was the control"] if end == 0 else ["while the control was eliminated"]
    if end == 0:
        return [f"while the control has {control:,} cells"]
    if 0.95 < end / control < 1.05:
        return [f"level with the control ({control:,} cells)"]
    return [f"{_share(end, control)} of the control's {control:,} cells"]


def changes(series: pd.DataFrame) -> list[str]:
    """Traits that the tumour cells of the last day have notably less or more of than those of day 0."""
    found = []
    for column, trait in TRAITS.items():
        if column in series:
            start, end = float(series[column].iloc[0]), float(series[column].iloc[-1])
            ratio = end / start if start > 0 else math.nan
            if ratio < NOTABLE or ratio > 1 / NOTABLE:
                found.append(f"{_share(end, start)} of the starting {trait}")
    return [f"its cells now carry {' and '.join(found)}"] if found else []


def _share(part: float, whole: float) -> str:
    return percent(part / whole if part else 0.0)
