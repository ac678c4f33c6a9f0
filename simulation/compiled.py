"""The one decorator for compiled loops, and the folder that keeps what was compiled.

numba's disk cache notices an edit in the file of a loop, but not in the files that loop calls. So the cache
folder carries a hash of all files that hold loops or their constants: an edit in any of them starts a new folder.
"""

import hashlib
import os
import sys
import warnings
from pathlib import Path

import platformdirs

from .files import check_writable

PACKAGE = Path(__file__).parent
MARKS = (b"compiled import", b"INDEX", b"EMPTY =")  # files that hold loops, or the constants that loops read


def source_hash() -> str:
    """Sixteen hex digits that change when any file changes that a compiled loop is made from."""
    digest = hashlib.sha256()
    for file in sorted(PACKAGE.rglob("*.py")):
        if not any(mark in file.read_bytes() for mark in MARKS):
            continue
        digest.update(file.relative_to(PACKAGE).as_posix().encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def cache_folder() -> Path | None:
    """Where compiled loops of exactly this source are kept between runs, None where nothing can be written."""
    try:
        base = os.environ.get("TUMORLAB_CACHE") or platformdirs.user_cache_dir("tumorlab")
        folder = Path(base) / f"loops-{source_hash()}-py{sys.version_info.major}{sys.version_info.minor}"
        folder.mkdir(parents=True, exist_ok=True)
        check_writable(folder)
    except (OSError, RuntimeError):  # a full disk, a read-only home, a user without one
        return None
    return folder


if CACHE := cache_folder():
    os.environ["NUMBA_CACHE_DIR"] = str(CACHE)

import numba  # noqa: E402  (must see NUMBA_CACHE_DIR)
from numba.core.caching import FunctionCache  # noqa: E402

numba.config.CACHE_DIR = os.environ.get("NUMBA_CACHE_DIR", "")


class Cache(FunctionCache):
    """Compiled loops on disk, without which a run goes on: a full disk or a damaged file costs time, not the run."""

    def load_overload(self, signature, context):
        try:
            return super().load_overload(signature, context)
        except Exception:  # whatever unpickling a damaged file raises; it is written anew
            self._try(super().flush)

    def save_overload(self, signature, compiled):
        self._try(super().save_overload, signature, compiled)

    def _try(self, write, *arguments) -> None:
        try:
            write(*arguments)
        except OSError as error:
            self.disable()
            warnings.warn(f"compiled loops cannot be kept in {CACHE} ({error}); each process compiles them anew", stacklevel=2)


def loop(function):
    """Compile a loop over arrays; kept on disk, no fast-math, so the same input gives the same bits."""
    return _kept(numba.njit(fastmath=False)(function), function)


def scalar(function):
    """Compile a small function of scalars and fold it into the loops that call it."""
    return _kept(numba.njit(fastmath=False, forceinline=True)(function), function)


def _kept(compiled, function):
    """A compiled function that is found on disk by the next process."""
    if CACHE:
        compiled._cache = Cache(function)
    return compiled


def already_compiled() -> bool:
    """Whether an earlier run left compiled loops on disk, so that this one starts at once."""
    return CACHE is not None and any(CACHE.rglob("*.nbi"))
