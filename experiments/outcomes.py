"""What happened to each arm, told in plain words from its time series."""

import math

import pandas as pd

from simulation.results import Results

TRAITS = {"mean_antigen": "antigen", "mean_car_target": "CAR target", "mean_mhc": "MHC-I"}
NOTABLE = 0.8


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


def burden(series: pd.DataFrame) -> str:
    """The course of one tumour: eliminated, shrank, held, grew, or shrank and came back."""
    days, cells = series["day"], series["tumor_cells"]
    start, end, lowest = int(cells.iloc[0]), int(cells.iloc[-1]), int(cells.min())
    if start == 0:
        return "no tumour to begin with"
    if end == 0:
        return f"eliminated on day {days[cells == 0].iloc[0]:.0f} (from {start:,} cells)"
    numbers = f"({start:,} to {end:,} cells)"
    if lowest < 0.5 * start and end > 2 * lowest:
        return (f"shrank to {_share(lowest, start)} of its start by day {days[cells.idxmin()]:.0f} "
                f"and grew back to {_share(end, start)} {numbers}")
    if end > 1.25 * start:
        return f"grew {end / start:.1f}-fold {numbers}"
    if end < 0.8 * start:
        return f"shrank to {_share(end, start)} of its start {numbers}"
    return f"held at {_share(end, start)} of its start {numbers}"


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
    """A share in percent, with decimals only where they matter."""
    percent = 100 * part / whole
    return f"{percent:.0f} %" if percent >= 1 or percent == 0 else f"{percent:.1g} %"
