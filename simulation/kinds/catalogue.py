"""Kinds of cells, processes, fields and effects by name: those that ship beside what every model has, and a user's own."""

import sys
from typing import TypeVar

from ..parameters.given import quoted, shortened
from ..parameters.parameter import nearest
from ..plug_ins import at
from ..tissue.effect import Effect
from ..tissue.field_kind import FieldKind
from .kind import CellKind, KindError, Process
from .shipped import KINDS

Named = TypeVar("Named", CellKind, Process, FieldKind, Effect)
WORDS = {CellKind: "kind of cell", Process: "process", FieldKind: "field", Effect: "effect"}
SHIPPED: dict[type, dict[str, object]] = {cls: {} for cls in WORDS}
"""What a model has only when it is named, by name."""


def names(cls: type) -> list[str]:
    """Names of those of a sort that ship and that a model has only when they are named, in alphabetical order."""
    return sorted(SHIPPED[cls])


def named(what: object, cls: type[Named]) -> Named:
    """A kind, process, field or effect from itself, from its name where it ships, or from ``module:NAME``; raises KindError."""
    if isinstance(what, cls):
        return what
    word = WORDS[cls]
    if not isinstance(what, str):
        raise KindError(
            f"{quoted(what)} is not a {cls.__name__}: give one, its name, or the module:NAME of one"
        )
    if what in SHIPPED[cls]:
        found: object = SHIPPED[cls][what]
    elif cls is CellKind and what in [kind.name for kind in KINDS]:
        raise KindError(f"every model has the kind {quoted(what)}: it need not be named")
    else:
        module, _, name = what.rpartition(":")
        if not (module and name):
            choices = nearest(what, names(cls)) if names(cls) else ""
            raise KindError(
                f"there is no {word} {quoted(what)}{choices}; one of your own is module:NAME"
            )
        try:
            found = at(what, cls)
        except ImportError as error:
            raise KindError(
                f"{word} {quoted(what)} cannot be imported ({shortened(error)})"
            ) from None
        except AttributeError:
            there = [
                key for key, each in vars(sys.modules[module]).items() if isinstance(each, cls)
            ]
            raise KindError(
                f"module {quoted(module)} has no {word} {quoted(name)}{nearest(name, there)}"
            ) from None
    if not isinstance(found, cls):
        raise KindError(f"{quoted(what)} is not a {cls.__name__}")
    return found
