"""One base of all errors: what is known of a mistake is kept apart, and the sentence for a reader is made of it at the end."""

import os
from typing import Self


class TumorLabError(ValueError):
    """A mistake that ends in one sentence: the file and the key where it stands, as far as they are known, and the reason.

    A reason that begins with the file or the key, as in ``tumor.pdl1 = 7 is not allowed``, is not told them again.
    """

    def __init__(
        self, reason: str, *, file: str | os.PathLike[str] | None = None, key: str | None = None
    ):
        super().__init__(reason)
        self.reason = reason
        self.file = None if file is None else os.fspath(file)
        self.key = key

    def __str__(self) -> str:
        return ": ".join([*self._untold(self.file, self.key), self.reason])

    @classmethod
    def of(
        cls, error: Exception, *, file: str | os.PathLike[str] | None = None, key: str | None = None
    ) -> Self:
        """A mistake as this kind of error, as it is seen from the ``file`` or the ``key`` in which its own place lies."""
        if not isinstance(error, TumorLabError):
            return cls(str(error), file=file, key=key)
        around = error.file if file is None else os.fspath(file)
        place = error._untold(key, None if around == error.file else error.file, error.key)
        return cls(error.reason, file=around, key=": ".join(place) or error.key)

    def _untold(self, *places: str | None) -> list[str]:
        """The places that are known and with which the reason does not begin."""
        return [place for place in places if place and not self.reason.startswith(f"{place} ")]


class ModelError(TumorLabError):
    """A model asked for something impossible; one sentence."""


class UnknownTrait(ModelError, AttributeError):
    """A trait that a cell does not have."""


class StateError(TumorLabError):
    """A state that cannot be forked, saved or read; one sentence naming what and why."""
