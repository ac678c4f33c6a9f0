"""Errors whose message is one sentence for a reader."""


class ModelError(ValueError):
    """A model asked for something impossible; one sentence."""


class UnknownTrait(ModelError, AttributeError):
    """A trait that a cell does not have."""
