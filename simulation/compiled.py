"""The decorators for compiled loops, the folder that keeps what was compiled, and who is told when a loop is compiled.

numba's disk cache notices an edit in the file of a loop, but not in the files that loop calls. So the cache
folder carries a hash of all files that hold loops or their constants: an edit in any of them starts a new folder.
"""

import gc
import hashlib
import os
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs

PACKAGE = Path(__file__).parent
MARKS = (
    b"compiled import",
    b"INDEX",
    b"EMPTY =",
    b"DEAD =",
)  # files that hold loops, or what loops are made from


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
        folder = (
            Path(base) / f"loops-{source_hash()}-py{sys.version_info.major}{sys.version_info.minor}"
        )
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder, buffering=0) as probe:
            probe.write(b"room")
    except (OSError, RuntimeError):  # a full disk, a read-only home, a user without one
        return None
    return folder


if CACHE := cache_folder():
    os.environ["NUMBA_CACHE_DIR"] = str(CACHE)

import numba  # noqa: E402  (must see NUMBA_CACHE_DIR)
from numba.core.caching import FunctionCache, NullCache  # noqa: E402

numba.config.CACHE_DIR = os.environ.get("NUMBA_CACHE_DIR", "")


Tell = Callable[
    [int, int], None
]  # (number of the loop that is compiled now, how many there are); (0, 0): none any more
SAME_BITS = {
    "fastmath": False,
    "no_cfunc_wrapper": True,
}  # the wrapper would be for callers in C, of whom there are none
LOOPS: list = []  # what every run compiles, or finds on disk
_tellers: list[Tell] = []
_unasked: list[Callable[[], Tell]] = []  # makes a teller for a terminal where nobody asked for one
_begun: list[str] = []  # being compiled: a loop, then its part
_numbers = [0, 0]  # as told


class Cache(FunctionCache):
    """Compiled loops on disk, without which a run goes on: a full disk or a damaged file costs time, not the run."""

    def load_overload(self, signature, context):
        """The kept loop for these arguments, or None; a damaged file is emptied."""
        try:
            return super().load_overload(signature, context)
        except Exception:  # whatever unpickling a damaged file raises; it is written anew
            self._try(super().flush)

    def save_overload(self, signature, compiled):
        """Keep a compiled loop, where the disk lets it."""
        self._try(super().save_overload, signature, compiled)

    def _try(self, write, *arguments) -> None:
        try:
            write(*arguments)
        except OSError as error:
            self.disable()
            warnings.warn(
                f"compiled loops cannot be kept in {CACHE} ({error}); each process compiles them anew",
                stacklevel=2,
            )

    def keeps(self, codegen) -> bool:
        """Whether it holds this very loop, of this file, for this processor and version of numba."""
        try:
            index = self._cache_file._load_index()
        except Exception:  # damaged
            return False
        here = self._index_key(None, codegen)[1:]
        return any(
            key[1:] == here and Path(self._cache_file._data_path(name)).is_file()
            for key, name in index.items()
        )


class Told:
    """A cache that tells whoever waits: what it does not find gets compiled, and is done when it is to be kept."""

    counted = ""  # name of a loop; scalars, which take no time, have none

    def load_overload(self, signature, context):
        """The kept loop, or None, which is told: it gets compiled now."""
        found = super().load_overload(signature, context)
        if found is None and self.counted:
            _numbers[0] += 1
            _numbers[1] = max(_numbers[0], _numbers[1] or len(missing()))
            _begun.append(self.counted)
            gc.disable()  # it finds nothing while a loop is compiled, and takes a seventh of the time
            _tell(*_numbers)
        return found

    def save_overload(self, signature, compiled):
        """Keep a compiled loop, and tell when it was the last one under way."""
        super().save_overload(signature, compiled)
        if self.counted in _begun:
            del _begun[_begun.index(self.counted) :]
            if not _begun:
                gc.enable()
                _tell(0, 0)


class OnDisk(Told, Cache):
    """Loops that the next process finds."""


class InMemory(Told, NullCache):
    """Loops of this process alone, where nothing can be written."""

    def keeps(self, codegen) -> bool:
        """Never: the next process compiles anew."""
        return False


def loop(function):
    """Compile a loop over arrays; kept on disk, no fast-math, so the same input gives the same bits."""
    return _kept(numba.njit(**SAME_BITS)(function), function, every_run=True)


def rare(function):
    """Compile a loop that only some runs call."""
    return _kept(numba.njit(**SAME_BITS)(function), function)


def part(function):
    """Compile a loop that only other loops call."""
    return _kept(
        _inner(numba.njit(**SAME_BITS, no_cpython_wrapper=True)(function)), function, every_run=True
    )


def scalar(function):
    """Compile a small function of scalars and fold it into the loops that call it."""
    return _kept(
        _inner(numba.njit(**SAME_BITS, no_cpython_wrapper=True, forceinline=True)(function)),
        function,
        counted=False,
    )


def _inner(compiled):
    """A compiled function without a door to Python, which costs compilation; whoever calls it from there is told so."""

    def refuse(*arguments, **keywords):
        raise TypeError(
            f"{compiled.py_func.__qualname__} is called by compiled loops alone; from Python take its py_func"
        )

    compiled._insert, compiled._compile_for_args = (lambda *arguments, **keywords: None), refuse
    return compiled


def _kept(compiled, function, every_run: bool = False, counted: bool = True):
    """A compiled function that is found on disk by the next process."""
    compiled._cache = OnDisk(function) if CACHE else InMemory()
    if counted:
        compiled._cache.counted = f"{function.__module__}.{function.__qualname__}"
    if every_run:
        LOOPS.append(compiled)
    return compiled


def missing() -> list[str]:
    """The loops of every run that neither this process nor the disk has, so that a run compiles them first."""
    return [
        loop._cache.counted
        for loop in LOOPS
        if not loop.signatures and not loop._cache.keeps(loop.targetctx.codegen())
    ]


@contextmanager
def told(tell: Tell) -> Iterator[None]:
    """While this lasts, ``tell(number, all)`` hears of each loop that is compiled, and ``tell(0, 0)`` when none is any more."""
    _tellers.append(tell)
    try:
        yield
    finally:
        _tellers.remove(tell)


def when_unasked(make: Callable[[], Tell]) -> None:
    """``make()`` gives who is told on a terminal when nobody else is."""
    _unasked[:] = [make]


def _tell(number: int, of: int) -> None:
    if not _tellers and _unasked and sys.stderr.isatty():
        _tellers.append(_unasked[0]())
    if _tellers:
        _tellers[-1](number, of)
