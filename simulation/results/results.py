"""What a run leaves behind: tidy tables, snapshots of the tissue, provenance, and how they are kept on disk."""

import csv
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..words import IMMUNE_WORDS, KILL_WORDS, show
from .files import (
    UNREADABLE,
    ResultsError,
    damaged,
    digests,
    sealed,
    unsealed,
    verify,
    write_atomically,
)
from .snapshots import Snapshot, Snapshots, snapshot_files

__all__ = ["COLUMNS", "Results", "ResultsError", "Snapshot", "Snapshots", "write_atomically"]

COLUMNS: dict[str, tuple[str, str]] = {
    "arm": ("name of the arm", ""),
    "day": ("time since day 0, the fork or the start of the arm", "day"),
    "tumor_cells": ("burden: living tumour cells", "cells"),
    "t_cells": ("living CD8 T cells, without CAR T cells", "cells"),
    "car_t_cells": ("living CAR T cells", "cells"),
    "nk_cells": ("living NK cells", "cells"),
    "mean_antigen": (
        "mean antigen of the tumour cells (1 = about 30 peptide-MHC at full MHC)",
        "1",
    ),
    "mean_ln_antigen": (
        "mean natural logarithm of antigen over the tumour cells that still have some",
        "1",
    ),
    "mean_car_target": ("mean CAR target of the tumour cells (1 = 10,000 molecules)", "1"),
    "mean_pdl1": (
        "mean PD-L1 shown by the tumour cells, constitutive and induced (1 = strongly positive)",
        "1",
    ),
    "mean_mhc": ("mean heritable MHC-I capacity of the tumour cells (0 to 1)", "1"),
    "mean_presented_mhc": (
        "mean MHC-I presented by the tumour cells, raised by IFN-gamma (0 to 1)",
        "1",
    ),
    "mean_ifn_gamma": ("mean IFN-gamma over the patch (1 = half-effect concentration)", "1"),
    "mean_oxygen": ("mean oxygen over the patch", "mmHg"),
    "mean_il2": ("mean interleukin-2 over the patch", "nM"),
    "kills_by_t": ("tumour cells killed by CD8 T cells since day 0", "cells"),
    "kills_by_car_t": ("tumour cells killed by CAR T cells since day 0", "cells"),
    "kills_by_nk": ("tumour cells killed by NK cells since day 0", "cells"),
    "births": ("tumour cells born since day 0", "cells"),
    "deaths": ("tumour cells dead of any cause since day 0", "cells"),
    "necrosis_deaths": ("tumour cells dead for want of oxygen since day 0", "cells"),
    "mean_vigour": (
        "mean vigour of the T cells, CAR T cells included (1 = fresh, 0 = exhausted)",
        "1",
    ),
    "mean_fixed_exhaustion": (
        "mean fixed exhaustion of the T cells, CAR T cells included (0 to 1)",
        "1",
    ),
    "engaged_t": ("T cells engaged with a target, CAR T cells included", "cells"),
    "target_negative_share": ("share of the tumour cells without CAR target", "1"),
    "antigen_low_share": ("share of the tumour cells with low antigen", "1"),
    "mhc_low_share": ("share of the tumour cells with low MHC-I capacity", "1"),
}
ABOUT = "provenance.json"
TABLES = ("timeseries.csv", "doses.csv", "measures.csv", "columns.json")
DOSE_COLUMNS = ("arm", "day", "treatment", "amount")
MEASURE_COLUMNS = ("arm", "day", "treatment", "quantity", "value")
WORDS = ("arm", "treatment", "quantity")


class Results:
    """Everything recorded about one arm.

    Tables ``timeseries``, ``doses`` and ``measures``; ``snapshots`` by day; ``log`` of treatments given and stopped
    while it ran; ``provenance``; ``citations``, the papers relied on.
    """

    def __init__(self, arm: str = "model"):
        self.arm = arm
        self.snapshots = Snapshots()
        self.log: list[dict[str, Any]] = []
        self.provenance: dict[str, Any] = {}
        self.citations: list[str] = []
        self._rows: list[dict[str, Any]] = []
        self._doses: list[tuple[Any, ...]] = []
        self._measures: list[tuple[Any, ...]] = []
        self._table: tuple[str, pd.DataFrame] | None = None
        self.passing: list[int] | None = None  # rows and measures that stay when time goes on

    def __repr__(self) -> str:
        days = (
            f"day {self._rows[0]['day']:g} to {self._rows[-1]['day']:g}"
            if self._rows
            else "nothing recorded"
        )
        return f"Results({self.arm!r}, {days}, {len(self._rows)} rows, {len(self.snapshots)} snapshots)"

    def record(self, row: dict[str, Any]) -> None:
        """Append one row of the time series: ``day`` and any of COLUMNS; other columns follow those."""
        self._rows.append({name: value for name, value in row.items() if name != "arm"})
        self._table = None

    def has(self, day: float) -> bool:
        """Whether the last row is of this day."""
        return bool(self._rows) and self._rows[-1]["day"] == day

    def end(self) -> None:
        """Time stops between two rows: what is recorded now is of this moment, and goes when time goes on."""
        self.passing = [len(self._rows), len(self._measures)]

    def go_on(self) -> None:
        """Time goes on: rows are again what they would be had it never stopped."""
        if self.passing:
            rows, measures = self.passing
            del self._rows[rows:], self._measures[measures:]
            self.passing = self._table = None

    def add_snapshot(self, snapshot: Snapshot) -> None:
        """Keep a snapshot under its day; a second one of the same day replaces the first."""
        self.snapshots[snapshot.day] = snapshot

    def add_dose(self, day: float, treatment: str, amount: float) -> None:
        """Note that a treatment was given."""
        self._doses.append((float(day), treatment, float(amount)))

    def add_measures(self, day: float, treatment: str, quantities: dict[str, float]) -> None:
        """Note what a treatment measured about itself."""
        self._measures += [
            (float(day), treatment, name, float(value)) for name, value in quantities.items()
        ]

    @property
    def timeseries(self) -> pd.DataFrame:
        """One row per record, columns in the order of COLUMNS; means are NaN when no cell is left."""
        if self._table is None or self._table[0] != self.arm:
            found = dict.fromkeys(name for row in self._rows for name in row)
            order = [c for c in COLUMNS if c in found] + [c for c in found if c not in COLUMNS]
            frame = pd.DataFrame(self._rows, columns=order)
            frame.insert(0, "arm", pd.Series([self.arm] * len(frame), dtype=object))
            self._table = (self.arm, frame)
        return self._table[1]

    @property
    def doses(self) -> pd.DataFrame:
        """One row per dose given: arm, day, treatment, amount."""
        return pd.DataFrame([(self.arm, *dose) for dose in self._doses], columns=list(DOSE_COLUMNS))

    @property
    def measures(self) -> pd.DataFrame:
        """One row per quantity a treatment measured: arm, day, treatment, quantity, value."""
        return pd.DataFrame(
            [(self.arm, *measure) for measure in self._measures], columns=list(MEASURE_COLUMNS)
        )

    def copy(self, arm: str | None = None) -> "Results":
        """An independent copy, under another arm's name if one is given; snapshots are shared."""
        twin = Results(arm or self.arm)
        twin.snapshots = self.snapshots.copy()
        twin.log, twin.citations = [dict(entry) for entry in self.log], list(self.citations)
        twin.provenance = dict(self.provenance)
        twin._rows, twin._doses, twin._measures = (
            list(self._rows),
            list(self._doses),
            list(self._measures),
        )
        twin.passing = self.passing
        return twin

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write tables, snapshots and provenance into ``folder``; see :meth:`save_all`."""
        self.save_all(folder, [self])

    @staticmethod
    def save_all(folder: str | os.PathLike[str], results: Iterable["Results"]) -> None:
        """Write all arms into one set of tables, ``control`` first; the same results give the same bytes.

        ``provenance.json`` is written last, with the SHA-256 of every other file and of itself.
        """
        folder, arms = Path(folder), sorted(results, key=lambda arm: arm.arm != "control")
        timeseries = _joined([arm.timeseries for arm in arms])
        columns = {
            name: dict(zip(("meaning", "unit"), explained(name), strict=True))
            for name in timeseries
        }
        about = {
            arm.arm: {"provenance": arm.provenance, "citations": arm.citations, "log": arm.log}
            for arm in arms
        }
        for arm in arms:
            arm.snapshots.save(folder / "snapshots" / arm.arm)
        write_atomically(folder / "columns.json", json.dumps(columns, indent=1) + "\n")
        write_atomically(folder / "doses.csv", _csv(_joined([arm.doses for arm in arms])))
        write_atomically(folder / "measures.csv", _csv(_joined([arm.measures for arm in arms])))
        write_atomically(folder / "timeseries.csv", _csv(timeseries))
        kept = {f"snapshots/{arm.arm}/{name}" for arm in arms for name in arm.snapshots.names()}
        write_atomically(
            folder / ABOUT,
            sealed({"arms": about, "files": digests(folder, {*TABLES, *kept})}, _plain),
        )

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> dict[str, "Results"]:
        """Read what :meth:`save_all` wrote, by arm; raises ResultsError that names a missing or damaged file."""
        folder = Path(folder)
        try:
            about = unsealed((folder / ABOUT).read_bytes())
            kept = {
                arm: (dict(a["provenance"]), list(a["citations"]), list(a["log"]))
                for arm, a in about["arms"].items()
            }
            files = dict(about["files"])
        except UNREADABLE as error:
            raise damaged(folder / ABOUT, error) from None
        read = [name for name in snapshot_files(folder) if name.split("/")[1] in kept]
        verify(folder, files, read, TABLES, ResultsError)
        tables = {
            name: _read_csv(folder / f"{name}.csv", columns)
            for name, columns in (
                ("timeseries", ("arm", "day")),
                ("doses", DOSE_COLUMNS),
                ("measures", MEASURE_COLUMNS),
            )
        }
        arms = {}
        for arm, (provenance, citations, log) in kept.items():
            results = arms[arm] = cls(arm)
            results.provenance, results.citations, results.log = provenance, citations, log
            for kind, shown in provenance.get("kinds", {}).items():
                show(kind, **shown)
            rows = {
                name: _records(
                    table[table["arm"] == arm].drop(columns="arm"), folder / f"{name}.csv"
                )
                for name, table in tables.items()
            }
            results._rows = rows["timeseries"]
            results._doses = [tuple(row.values()) for row in rows["doses"]]
            results._measures = [tuple(row.values()) for row in rows["measures"]]
            results.snapshots = Snapshots.load(folder / "snapshots" / arm)
        return arms


def explained(column: str) -> tuple[str, str]:
    """What a column of the time series means, and its unit; those of kinds of cells that do not ship from their words."""
    if column in COLUMNS:
        return COLUMNS[column]
    if column in IMMUNE_WORDS:
        return f"living {IMMUNE_WORDS[column]}", "cells"
    if column in KILL_WORDS:
        return f"tumour cells killed by {KILL_WORDS[column]} since day 0", "cells"
    return column.replace("_", " "), ""


def _joined(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Tables under each other; whole numbers stay whole where an arm lacks a column."""
    columns = list(dict.fromkeys(name for table in tables for name in table))
    whole = {
        name: "Int64"
        for name in columns
        if all(
            pd.api.types.is_integer_dtype(table[name])
            for table in tables
            if name in table and len(table)
        )
    }
    filled = [table for table in tables if len(table)] or tables[:1]
    joined = (
        pd.concat(filled, ignore_index=True).reindex(columns=columns) if filled else pd.DataFrame()
    )
    return joined.astype(whole)


def _csv(table: pd.DataFrame) -> str:
    """A table as text: shortest decimals that give back the same bits, nothing for a missing value."""
    return table.to_csv(index=False, lineterminator="\n")


def _read_csv(file: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    """A table of texts; Python's own reading of numbers is exact whatever the version of pandas."""
    try:
        with open(file, newline="", encoding="utf-8") as text:
            names, *lines = csv.reader(text)
        if missing := [name for name in columns if name not in names]:
            raise ValueError(f"column {missing[0]!r} is missing")
        cells = zip(*lines, strict=True) if lines else [()] * len(names)
        return pd.DataFrame(dict(zip(names, map(list, cells), strict=True)), dtype=object)
    except UNREADABLE as error:
        raise damaged(file, error) from None


def _records(table: pd.DataFrame, file: Path) -> list[dict[str, Any]]:
    """The rows of one arm with the bits that were written; columns only other arms have are left out."""
    columns = {name: list(texts) for name, texts in table.items() if name in COLUMNS or any(texts)}
    try:
        read = {
            name: texts if name in WORDS else _numbers(texts) for name, texts in columns.items()
        }
    except ValueError as error:
        raise damaged(file, error) from None
    return [dict(zip(read, row, strict=True)) for row in zip(*read.values(), strict=True)]


def _numbers(texts: list[str]) -> list[int] | list[float]:
    """Whole numbers where every text is one, else floats; an empty text is a missing value."""
    whole = all(text.lstrip("-").isdigit() for text in texts)
    return [int(text) if whole else float(text or "nan") for text in texts]


def _plain(value: Any) -> Any:
    """A NumPy number or array as what JSON can hold."""
    return value.tolist() if isinstance(value, np.generic | np.ndarray) else str(value)
