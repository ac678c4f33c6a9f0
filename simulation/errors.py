"""Errors whose message is one sentence for a reader."""


class ModelError(ValueError):
    """A model asked for something impossible; one sentence."""


class UnknownTrait(ModelError, AttributeError):
    """A trait that a cell does not have."""


class StateError(ValueError):
    """A state that cannot be forked, saved or read; one sentence naming what and why."""
