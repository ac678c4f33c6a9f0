"""Who says so: a paper, label or published model that a number is from, or the reason it is assumed."""

from .given import quoted
from .parameter import ParameterError, check_source


def cite(key: str, what: str = "") -> str:
    """A source of the bibliography, and what of it: ``cite("Weigelin2021", "three hits")``; several are joined by ``"; "``."""
    given = isinstance(key, str) and isinstance(what, str)
    if not given or key.split() != [key] or key.rstrip(":,") != key or ";" in key + what:
        raise ParameterError(
            f"cite takes one key of the bibliography and what of it, without ';', not {quoted(key)} and {quoted(what)}"
        )
    return f"{key}: {what}" if what else key


def assumed(reason: str) -> str:
    """The source of a number that no paper gives: why it is what it is."""
    source = f"assumed: {reason}"
    check_source(source if isinstance(reason, str) else "", f"assumed({quoted(reason)})")
    return source
