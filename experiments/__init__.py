"""Scenarios, runs and studies of the simulation, on disk and from the command line. Imports simulation, never reversed.

The names below are public; each is loaded when it is first asked for.
"""

import importlib

_PUBLIC = {
    "experiments.scenarios.scenario": ["Scenario"],
    "experiments.scenarios.toml_tables": ["ScenarioError"],
    "experiments.runs.run": ["run_scenario"],
    "experiments.runs.folder": ["RunError", "RunFolder"],
    "experiments.studies.archive": ["StudyError"],
    "experiments.studies.study": ["Findings", "Study"],
    "experiments.studies.runner": ["Summary", "complete"],
    "experiments.studies.replicates": [
        "seeds_for_consistency",
        "seeds_for_width",
        "vargha_delaney",
    ],
    "experiments.studies.sweep.sweep": ["Sweep", "run_sweep"],
    "experiments.studies.trial.trial": ["Trial"],
}
_HOME = {name: module for module, names in _PUBLIC.items() for name in names}
__all__ = sorted(_HOME)


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(importlib.import_module(_HOME[name]), name)
    return found


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
