"""A tumour bank: tumours grown to day 0, kept on disk, so that the next start of the lab need not grow them again."""

import hashlib
import json
import shutil
import time
from contextlib import suppress
from functools import cache
from pathlib import Path

import numba
import numpy as np

import simulation
from simulation import compiled
from simulation.model import TumorModel
from simulation.results.files import UNREADABLE
from simulation.state import load, save

MOST = 100 * 2**20  # bytes, about a hundred tumours
UNUSED = 60 * 24 * 3600.0  # seconds after which one is thrown away that nobody asked for


class Bank:
    """Keeps tumours in a folder, the least used thrown away first. What cannot be kept or read is grown again, without a word."""

    def __init__(self, folder: Path | None, most: int = MOST):
        self.folder, self.most = folder, most

    @classmethod
    def of_user(cls) -> "Bank":
        """The one beside the compiled loops; it keeps nothing where nothing can be written."""
        return cls(compiled.CACHE and compiled.CACHE.parent / "tumours")

    def take(self, key: str) -> TumorModel | None:
        """The tumour that was put in under a key, to the last bit; None where there is none that is whole."""
        place = self._place(key)
        if place is None or not place.is_dir():
            return None
        try:
            tumor = load(TumorModel, place, of=label(key))
            place.touch()
        except UNREADABLE:
            shutil.rmtree(place, ignore_errors=True)
            return None
        return tumor

    def put(self, key: str, tumor: TumorModel) -> None:
        """Keep a tumour under a key."""
        if place := self._place(key):
            with suppress(*UNREADABLE):
                save(tumor, place, of=label(key))
                self._tidy()

    def _place(self, key: str) -> Path | None:
        return (
            self.folder
            and self.folder / hashlib.sha256(json.dumps(label(key)).encode()).hexdigest()[:32]
        )

    def _tidy(self) -> None:
        """Throw away what nobody asked for in a long time, and what is beyond the room there is."""
        room = self.most
        for place in sorted(filter(Path.is_dir, self.folder.iterdir()), key=used, reverse=True):
            room -= sum(file.stat().st_size for file in place.rglob("*") if file.is_file())
            if room < 0 or time.time() - used(place) > UNUSED:
                shutil.rmtree(place, ignore_errors=True)


def used(place: Path) -> float:
    """When a tumour was last put in or taken out."""
    return place.stat().st_mtime


def label(key: str) -> dict[str, str]:
    """What a tumour depends on: its own parameters, and everything that grows it."""
    return {"tumour": key, "engine": engine()}


@cache
def engine() -> str:
    """A hash of the engine's source and of the libraries that decide about its last bits."""
    digest = hashlib.sha256(f"numpy {np.__version__} numba {numba.__version__}".encode())
    folder = Path(simulation.__file__).parent
    for file in sorted(folder.rglob("*.py")):
        digest.update(file.relative_to(folder).as_posix().encode() + file.read_bytes())
    return digest.hexdigest()
