"""Modules of version 0.1 that are still found where they were; they go after the next release."""

import importlib
import warnings
from collections.abc import Callable


def moved(old: str, new: str, **renamed: str) -> Callable[[str], object]:
    """The ``__getattr__`` of a module that moved: it warns once, and gives what stands in the new one."""

    def get(name: str) -> object:
        found = getattr(importlib.import_module(new), renamed.get(name, name))
        if not name.startswith("__"):
            warnings.warn(
                f"{old} is now {new}, and its public names stand in {old.partition('.')[0]}; "
                "the old name goes after the next release",
                FutureWarning,
                stacklevel=2,
            )
        return found

    return get
