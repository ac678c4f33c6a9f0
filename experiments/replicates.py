"""As in version 0.1: now ``experiments.studies.replicates``."""

from .moved import moved

__getattr__ = moved(__name__, "experiments.studies.replicates")
