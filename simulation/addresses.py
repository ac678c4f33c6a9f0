"""Where code of a user is found again: ``module:Class`` of a class, ``module:NAME`` of a constant."""

import sys

from .errors import StateError
from .plug_ins import at, class_path


def needed(path: str):
    """What a saved model needs from an address; raises StateError where nothing can be found there."""
    try:
        return at(path)
    except (ImportError, AttributeError, ValueError) as error:
        raise StateError(
            f"{path} is needed by the saved model and cannot be imported ({error})"
        ) from None


def of_class(cls: type) -> str:
    """The address of a class, where whoever loads a model finds that very class; raises StateError with the remedy."""
    _outside_script(cls.__module__, cls.__name__)
    path = class_path(cls)
    try:
        found = at(path)
    except (ImportError, AttributeError, ValueError):
        found = None
    if found is not cls:
        what = (
            "does not lead back to it"
            if found is None
            else "is another class by now, as it was defined again"
        )
        raise StateError(
            f"{cls.__name__} cannot be saved: {path} {what}; define it once, at the top of a module that can "
            "be imported"
        )
    return path


def of_constant(thing, module: str) -> str:
    """The address of a plug-in that is a constant of its module; raises StateError with the remedy."""
    what = f"{type(thing).__name__} {thing.name!r}"
    _outside_script(module, what)
    for name, value in vars(sys.modules.get(module, object)).items():
        if value is thing:
            return f"{module}:{name}"
    raise StateError(f"{what} cannot be saved: make it a constant of module {module!r}")


def in_script(module: str) -> bool:
    """Whether a module is the running script or notebook, which no other process can import."""
    return module in ("__main__", "__mp_main__")


def _outside_script(module: str, what: str) -> None:
    if in_script(module):
        raise StateError(
            f"{what} cannot be saved: it is defined in the running script or notebook, where nobody who loads "
            "the model finds it; move it into a module of its own and import it from there"
        )
