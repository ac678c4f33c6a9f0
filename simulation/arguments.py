"""What a model is asked for, checked; what is not allowed is told in one sentence."""

import os

from .errors import ModelError
from .parameters.given import number, quoted, whole_number


def checked_seed(seed) -> int:
    """A whole number from 0 to 2^63 - 1; one is drawn from the operating system when none is given."""
    if seed is None:
        return int.from_bytes(os.urandom(4), "little")
    found = whole_number(seed)
    if found is None or not 0 <= found < 2**63:
        raise ModelError(
            f"seed = {quoted(seed)} is not allowed: give a whole number from 0 to 2^63 - 1",
            key="seed",
        )
    return found


def checked_dt(dt) -> float:
    """Hours of a step."""
    found = number(dt)
    if found is None or not 0.001 <= found <= 6.0:
        raise ModelError(
            f"dt = {quoted(dt)} is not allowed: give the hours of a step, between 0.001 and 6",
            key="dt",
        )
    return float(found)


def checked_days(days, name: str = "days") -> float | int:
    """A span of simulated time."""
    found = number(days)
    if found is None or not 0 <= found <= 36_500:
        raise ModelError(
            f"{name} = {quoted(days)} is not allowed: give a number between 0 and 36500", key=name
        )
    return found


def checked_count(cells, name: str) -> int:
    """A number of cells."""
    found = whole_number(cells)
    if found is None or found < 0:
        raise ModelError(
            f"{name} = {quoted(cells)} is not allowed: give a whole number of at least 0", key=name
        )
    return found


def checked_table(values) -> dict:
    """Values by name: a dictionary or a series of pandas."""
    try:
        return dict(values)
    except (TypeError, ValueError):
        raise ModelError(
            f"overrides = {quoted(values)} is not allowed: give dotted names with values",
            key="overrides",
        ) from None
