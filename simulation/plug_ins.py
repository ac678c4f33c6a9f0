"""Classes and constants of a user's own modules, called ``module:NAME``: importing one runs its code."""

import importlib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from operator import attrgetter
from pathlib import Path

from .errors import TumorLabError

StandsIn = Callable[[str, type], object]
"""``module:NAME`` and what it should be -> what is taken in place of it, None for nothing."""
_stands_in: ContextVar[StandsIn | None] = ContextVar(
    "what is taken in place of code that must not run", default=None
)
_beside: list[str] = []
"""Folders of the files that were read and may name code of a user's own."""


class CodeError(TumorLabError, ImportError):
    """Code of a user's own that cannot be imported, or must not; one sentence."""


@contextmanager
def only_read(stands_in: StandsIn) -> Iterator[None]:
    """Within it no code is imported that does not ship: ``stands_in`` gives something in place of it, or it is refused."""
    before = _stands_in.set(stands_in)
    try:
        yield
    finally:
        _stands_in.reset(before)


def look_beside(file: str | os.PathLike) -> None:
    """Modules that lie beside this file are found from now on; not where it is only read."""
    folder = str(Path(file).absolute().parent)
    if _stands_in.get() is None and folder not in _beside:
        _beside.append(folder)


def at(path: str, wanted: type = object) -> object:
    """What is called ``module:NAME``; its module may lie in the current folder, or beside the file that names it.

    ``wanted``: of what class it should be, for what stands in where no code may run.
    Raises ImportError (a CodeError where it is ours to tell why), or AttributeError.
    """
    module, _, name = path.rpartition(":")
    if module.endswith(".py"):
        stem = module.replace("\\", "/").rpartition("/")[2].removesuffix(".py")
        raise CodeError(
            f"it is called without folder and ending: {stem}:{name or 'Class'}, with {stem}.py in the current "
            "folder or beside the scenario"
        )
    if not all(part.isidentifier() for part in module.split(".")):
        raise CodeError(f"{module!r} is not the name of a module")
    if not ships(path):
        if stands_in := _stands_in.get():
            if (found := stands_in(path, wanted)) is None:
                raise CodeError("it does not ship, and what is only read runs no code")
            return found
        _check_own(module)
        _look_here()
    return attrgetter(name)(_imported(module))


def class_path(cls: type) -> str:
    """``module:Class``, how a class is written down."""
    return f"{cls.__module__}:{cls.__qualname__}"


def ships(path: str) -> bool:
    """Whether ``module:NAME`` is part of this package."""
    return path.partition(":")[0].partition(".")[0] == __package__


def _check_own(module: str) -> None:
    """A program, or a module of Python itself, is nothing of a user's own, and importing one may do anything."""
    package, *parts = module.split(".")
    if package in sys.stdlib_module_names:
        raise CodeError(
            f"{package} is a module of Python itself; give one of your own another name"
        )
    if "__main__" in parts:
        raise CodeError("it is a program, which would run")


def _imported(module: str):
    try:
        return importlib.import_module(module)
    except ImportError:
        raise
    except (Exception, SystemExit) as error:
        raise CodeError(f"it fails when it is imported: {type(error).__name__}: {error}") from error


def _look_here() -> None:
    """Modules are found here too, after all others, so that none stands for an installed one."""
    try:
        folders = [os.getcwd(), *_beside]
    except OSError:  # the folder is gone
        folders = _beside
    sys.path += [folder for folder in dict.fromkeys(folders) if folder not in sys.path]
