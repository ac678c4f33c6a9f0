"""As in version 0.1: now ``experiments.studies.sweep.sweep``."""

from .moved import moved

__getattr__ = moved(__name__, "experiments.studies.sweep.sweep", sweep="run_sweep")
