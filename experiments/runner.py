"""As in version 0.1: now ``experiments.studies.runner``."""

from .moved import moved

__getattr__ = moved(__name__, "experiments.studies.runner")
