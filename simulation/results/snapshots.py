"""The tissue at one moment: every living cell, every field; in memory and on disk."""

import io
import json
import os
import re
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .files import UNREADABLE, damaged, write_atomically

NAME = re.compile(r"day_-?\d+\.\d\d\.npz")


@dataclass
class Snapshot:
    """Every living cell and every field at one moment; read it, do not change it.

    ``day`` is time since day 0; ``shape`` the lattice in sites, 2-D (nx, ny) or 3-D; ``spacing`` um between sites.
    ``cells`` has one array per trait with one entry per cell, ordered by site: ``kind`` (index into ``kinds``),
    ``site`` (flat C-order index into ``shape``), ``name``, ``clone`` and the traits. ``fields`` are arrays with as many
    axes as ``shape``, each on a mesh of its own.
    """

    day: float
    shape: tuple[int, ...]
    spacing: float
    liquid: bool
    kinds: tuple[str, ...]
    cells: dict[str, np.ndarray]
    fields: dict[str, np.ndarray] = field(default_factory=dict)

    def is_kind(self, *names: str) -> np.ndarray:
        """Which cells are of one of the named kinds, as a mask over the cells."""
        return np.isin(
            self.cells["kind"], [i for i, kind in enumerate(self.kinds) if kind in names]
        )

    def trait(self, trait: str, *kinds: str) -> np.ndarray:
        """One trait of the cells of the named kinds (of all cells when none is named)."""
        return self.cells[trait][self.is_kind(*kinds)] if kinds else self.cells[trait]

    def counts(self) -> dict[str, int]:
        """Living cells of each kind."""
        numbers = np.bincount(self.cells["kind"], minlength=len(self.kinds))
        return {kind: int(number) for kind, number in zip(self.kinds, numbers, strict=True)}

    def frame(self) -> pd.DataFrame:
        """One row per cell: kind by name, coordinates in sites, traits."""
        axes = dict(zip("xyz", np.unravel_index(self.cells["site"], self.shape), strict=False))
        kinds = np.array(self.kinds, dtype=object)[self.cells["kind"]]
        traits = {name: values for name, values in self.cells.items() if name != "kind"}
        return pd.DataFrame({"kind": kinds} | axes | traits)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write one ``.npz`` file; the same snapshot gives the same bytes."""
        write_atomically(path, self._compressed)

    @cached_property
    def _compressed(self) -> bytes:
        """The content of its file, made once: every checkpoint of a run holds all snapshots so far."""
        about = {
            "day": self.day,
            "shape": [int(n) for n in self.shape],
            "spacing": self.spacing,
            "liquid": bool(self.liquid),
            "kinds": list(self.kinds),
        }
        arrays: dict[str, Any] = {f"cells/{name}": values for name, values in self.cells.items()}
        arrays |= {f"fields/{name}": values for name, values in self.fields.items()}
        buffer = io.BytesIO()
        np.savez_compressed(buffer, about=np.array(json.dumps(about)), **arrays)
        return buffer.getvalue()

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Snapshot":
        """Read what :meth:`save` wrote; raises ResultsError when the file is missing or damaged."""
        try:
            with np.load(path, allow_pickle=False) as stored:
                about = json.loads(str(stored["about"]))
                parts = {name: stored[name] for name in stored.files if name != "about"}
            cells = {
                name.removeprefix("cells/"): part
                for name, part in parts.items()
                if name.startswith("cells/")
            }
            fields = {
                name.removeprefix("fields/"): part
                for name, part in parts.items()
                if name.startswith("fields/")
            }
            snapshot = cls(
                float(about["day"]),
                tuple(about["shape"]),
                float(about["spacing"]),
                bool(about["liquid"]),
                tuple(about["kinds"]),
                cells,
                fields,
            )
            if len({len(values) for values in cells.values()}) > 1:
                raise ValueError("arrays of different length")
            if np.any(cells["site"] >= np.prod(snapshot.shape)) or np.any(
                cells["kind"] >= len(snapshot.kinds)
            ):
                raise ValueError("a cell outside the lattice or of an unknown kind")
        except UNREADABLE as error:
            raise damaged(path, error) from None
        return snapshot


class Snapshots(MutableMapping[float, Snapshot]):
    """Snapshots by day, in order of day; those on disk are read when asked for, so that large runs fit in memory."""

    def __init__(self, entries: Mapping[float, Snapshot | Path] | None = None):
        self._entries: dict[float, Snapshot | Path] = dict(sorted((entries or {}).items()))

    def __getitem__(self, day: float) -> Snapshot:
        entry = self._entries[day]
        return entry if isinstance(entry, Snapshot) else Snapshot.load(entry)

    def __setitem__(self, day: float, snapshot: Snapshot) -> None:
        in_order = not self._entries or day >= max(self._entries)
        self._entries[day] = snapshot
        if not in_order:
            self._entries = dict(sorted(self._entries.items()))

    def __delitem__(self, day: float) -> None:
        del self._entries[day]

    def __iter__(self) -> Iterator[float]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        return (
            f"Snapshots(days {', '.join(f'{day:g}' for day in self)})"
            if self._entries
            else "Snapshots(none)"
        )

    def copy(self) -> "Snapshots":
        """The same snapshots under their own book-keeping."""
        return Snapshots(self._entries)

    def names(self) -> list[str]:
        """The names of their files."""
        return [f"day_{day:07.2f}.npz" for day in self]

    def save(self, folder: Path) -> None:
        """Make ``folder`` hold exactly these snapshots, one ``day_*.npz`` each."""
        files = dict(zip(self, map(folder.joinpath, self.names()), strict=True))
        for day, file in files.items():
            if self._entries[day] != file:
                self[day].save(file)
        for stale in set(_named(folder)) - set(files.values()):
            stale.unlink()

    @classmethod
    def load(cls, folder: Path) -> "Snapshots":
        """The snapshots in ``folder``; raises ResultsError when one of them is damaged."""
        entries = {}
        for file in _named(folder):
            try:
                with np.load(file, allow_pickle=False) as stored:
                    entries[float(json.loads(str(stored["about"]))["day"])] = file
            except UNREADABLE as error:
                raise damaged(file, error) from None
        return cls(entries)


def snapshot_files(folder: Path) -> list[str]:
    """The names of all snapshots in a folder of results."""
    return [
        file.relative_to(folder).as_posix()
        for arm in sorted(folder.glob("snapshots/*/"))
        for file in _named(arm)
    ]


def _named(folder: Path) -> list[Path]:
    """The files that have the name of a snapshot."""
    return sorted(file for file in folder.glob("day_*.npz") if NAME.fullmatch(file.name))
