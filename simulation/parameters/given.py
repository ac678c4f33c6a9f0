"""What people give, as plain Python: numbers of NumPy and pandas as numbers, any sequence as a list; and how it is quoted."""

import math
import reprlib
from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral, Real
from typing import Any

SHORT = reprlib.Repr()
SHORT.maxstring = SHORT.maxother = 60


def plain(value: Any) -> Any:
    """A value with Python's own numbers, texts, lists and tables in place of those of other libraries; the rest as it is."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return _float(value)
    if isinstance(value, Mapping):
        return {plain(key): plain(each) for key, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray | memoryview):
        return [plain(each) for each in value]
    if hasattr(value, "dtype") and hasattr(
        value, "tolist"
    ):  # arrays, series, and truth values of NumPy
        return plain(value.tolist())
    return value


def number(value: object) -> float | int | None:
    """A number as Python has it; None for what is none, as are True and False."""
    found = plain(value)
    return found if isinstance(found, int | float) and not isinstance(found, bool) else None


def real(value: object) -> float:
    """A number as a float, infinite where it is too large for one; NaN for what is none."""
    found = number(value)
    return math.nan if found is None else _float(found)


def whole_number(value: object) -> int | None:
    """A whole number as Python has it, None for what is none; 5.0 is one and 5.5 is not."""
    found = number(value)
    return (
        int(found) if isinstance(found, int) or (found is not None and found.is_integer()) else None
    )


def several(value: object) -> list[Any]:
    """Things in a row as a list: one text, table or object stands for a list of it, None for an empty one."""
    if value is None:
        return []
    return (
        list(value)
        if isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping)
        else [value]
    )


def quoted(value: object) -> str:
    """A value as the sentence of an error quotes it: on one line and short."""
    try:
        return shortened(SHORT.repr(value), 60)
    except Exception:  # a number of thousands of digits, or a repr that fails
        return f"a very large {type(value).__name__}"


def shortened(text: object, most: int = 160) -> str:
    """A text on one line, its middle left out where it is longer than ``most`` letters."""
    line = " ".join(str(text).split())
    return line if len(line) <= most else f"{line[: most - 23]}...{line[-20:]}"


def _float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
