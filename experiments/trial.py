"""As in version 0.1: now ``experiments.studies.trial.trial``."""

from .moved import moved

__getattr__ = moved(__name__, "experiments.studies.trial.trial")
