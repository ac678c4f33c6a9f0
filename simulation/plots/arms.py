"""Arms put in order for a picture."""

from collections.abc import Iterable, Mapping

import numpy as np

from ..errors import TumorLabError
from ..results.results import Results
from ..results.snapshots import Snapshot


class PlotError(TumorLabError):
    """A picture that cannot be drawn; one sentence with what can be."""


def by_name(arms: Results | Iterable[Results] | Mapping[str, Results]) -> dict[str, Results]:
    """One Results, several, or a dict of them, as a dict with the control first."""
    if isinstance(arms, Results):
        named = {arms.arm: arms}
    elif isinstance(arms, Mapping):
        named = dict(arms)
    else:
        named = {results.arm: results for results in arms}
    if not named:
        raise PlotError("a picture needs the results of at least one arm")
    return dict(sorted(named.items(), key=lambda item: item[0] != "control"))


def last_day(arms: Mapping[str, Results]) -> float:
    """The last day that any arm has reached."""
    days = [
        float(results.timeseries["day"].max())
        for results in arms.values()
        if len(results.timeseries)
    ]
    return max(days + [day for results in arms.values() for day in results.snapshots], default=1.0)


def column(results: Results, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Days and values of one column of the time series; NaN where there is none."""
    table = results.timeseries
    days = table["day"].to_numpy(dtype=float) if "day" in table else np.empty(0)
    return days, table[name].to_numpy(dtype=float) if name in table else np.full(days.size, np.nan)


def nearest_day(results: Results, day: float | None) -> float:
    """The day of the snapshot nearest to ``day`` (the last one when None)."""
    if not len(results.snapshots):
        raise PlotError(
            f"arm {results.arm!r} has no snapshot to draw; run it with snapshot_every=7"
        )
    days = list(results.snapshots)
    return days[-1] if day is None else min(days, key=lambda known: abs(known - day))


def tumor_trait(snapshot: Snapshot, trait: str) -> np.ndarray:
    """One trait of the tumour cells."""
    return snapshot.trait(trait, "tumor_cell")
