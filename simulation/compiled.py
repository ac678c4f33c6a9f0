"""The one decorator for compiled loops, and the folder that keeps what was compiled.

numba's disk cache notices an edit in the file of a loop, but not in the files that loop calls. So the cache
folder carries a hash of all files that hold loops or their constants: an edit in any of them starts a new folder.
"""

import hashlib
import os
import sys
from pathlib import Path

import platformdirs

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


def cache_folder() -> Path:
    """Where compiled loops of exactly this source are kept between runs."""
    base = os.environ.get("TUMORLAB_CACHE") or platformdirs.user_cache_dir("tumorlab")
    return Path(base) / f"loops-{source_hash()}-py{sys.version_info.major}{sys.version_info.minor}"


CACHE = cache_folder()
try:
    CACHE.mkdir(parents=True, exist_ok=True)
    ON_DISK = os.access(CACHE, os.W_OK)
except OSError:
    ON_DISK = False  # a read-only home still runs: loops are then compiled anew in each process
if ON_DISK:
    os.environ["NUMBA_CACHE_DIR"] = str(CACHE)

import numba  # noqa: E402  (must see NUMBA_CACHE_DIR)

numba.config.CACHE_DIR = os.environ.get("NUMBA_CACHE_DIR", "")


def loop(function):
    """Compile a loop over arrays; kept on disk, no fast-math, so the same input gives the same bits."""
    return numba.njit(cache=ON_DISK, fastmath=False)(function)


def scalar(function):
    """Compile a small function of scalars and fold it into the loops that call it."""
    return numba.njit(cache=ON_DISK, fastmath=False, forceinline=True)(function)


def already_compiled() -> bool:
    """Whether an earlier run left compiled loops on disk, so that this one starts at once."""
    return ON_DISK and any(CACHE.rglob("*.nbi"))
