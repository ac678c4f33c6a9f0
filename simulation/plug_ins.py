"""Classes and constants of a user's own modules, called ``module:NAME``: importing one runs its code."""

import importlib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from operator import attrgetter

StandsIn = Callable[[str], object]
"""``module:NAME`` -> what is taken in place of it, None for nothing."""
_stands_in: ContextVar[StandsIn | None] = ContextVar("what is taken in place of code that must not run", default=None)


@contextmanager
def only_read(stands_in: StandsIn) -> Iterator[None]:
    """Within it no code is imported that does not ship: ``stands_in`` gives something in place of it, or it is refused."""
    before = _stands_in.set(stands_in)
    try:
        yield
    finally:
        _stands_in.reset(before)


def at(path: str) -> object:
    """What is called ``module:NAME``; its module may lie in the current folder. Raises ImportError or AttributeError."""
    module, _, name = path.partition(":")
    if not all(part.isidentifier() for part in module.split(".")):
        raise ImportError(f"{module!r} is not the name of a module")
    if not ships(path):
        if stands_in := _stands_in.get():
            if (found := stands_in(path)) is None:
                raise ImportError("it does not ship, and what is only read runs no code")
            return found
        _look_here()
    return attrgetter(name)(importlib.import_module(module))


def ships(path: str) -> bool:
    """Whether ``module:NAME`` is part of this package."""
    return path.partition(":")[0].partition(".")[0] == __package__


def _look_here() -> None:
    """Modules are found in the current folder too, after all others, so that none there stands for an installed one."""
    try:
        here = os.getcwd()
    except OSError:  # the folder is gone
        return
    if here not in sys.path:
        sys.path.append(here)
