"""Values that travel with a model: numbers, texts, lists, tables and arrays, copied for a fork or written as JSON."""

from types import FunctionType

import numpy as np

from .errors import StateError
from .treatments.schedule import Schedule

PLAIN = (bool, int, float, str, type(None))
ARRAYS = "biufcUS"  # kinds of arrays whose bytes are all there is to them


def carried(value, where: str, part: str = "its state"):
    """An independent copy for a fork; functions, classes and frozen dataclasses, which do not change, are shared."""
    if type(value) in (list, tuple):
        return type(value)(carried(each, where, part) for each in value)
    if type(value) is dict:
        return {key: carried(each, where, part) for key, each in value.items()}
    if isinstance(value, FunctionType | type) or _frozen(value):
        return value
    return decoded(encoded(value, where, part, "forked"))


def encoded(value, where: str, part: str = "its state", verb: str = "saved"):
    """A value as JSON can hold it, bit for bit. Raises StateError for what is no number, text, list, table or array."""
    if type(value) in PLAIN:
        return value
    if isinstance(value, np.generic) and value.dtype.kind in ARRAYS:
        return encoded(np.asarray(value), where) | {"scalar": True}
    if type(value) is np.ndarray and value.dtype.kind in ARRAYS:
        return {
            "array": value.tobytes().hex(),
            "dtype": value.dtype.str,
            "shape": list(value.shape),
        }
    if type(value) is list:
        return [encoded(each, where, part, verb) for each in value]
    if type(value) is tuple:
        return {"tuple": [encoded(each, where, part, verb) for each in value]}
    if type(value) is dict and all(type(key) is str for key in value):
        return {"table": {key: encoded(each, where, part, verb) for key, each in value.items()}}
    if type(value) is Schedule:
        return {"schedule": value.to_dict()}
    raise StateError(
        f"{where} cannot be {verb}: {part} holds {_short(value)}, allowed are numbers, texts, lists, tables "
        "(with texts as keys), arrays and schedules"
    )


def decoded(value):
    """What was encoded."""
    if type(value) is list:
        return [decoded(each) for each in value]
    if type(value) is not dict:
        return value
    if "array" in value:
        array = (
            np.frombuffer(bytes.fromhex(value["array"]), dtype=value["dtype"])
            .reshape(value["shape"])
            .copy()
        )
        return array[()] if value.get("scalar") else array
    if "tuple" in value:
        return tuple(decoded(each) for each in value["tuple"])
    if "schedule" in value:
        return Schedule.from_dict(value["schedule"])
    return {key: decoded(each) for key, each in value["table"].items()}


def _frozen(value) -> bool:
    return getattr(getattr(type(value), "__dataclass_params__", None), "frozen", False)


def _short(value) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= 80 else f"a {type(value).__name__}"
