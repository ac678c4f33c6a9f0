"""What the Tab key offers: scenarios, studies, treatments, dotted names and arms. Nothing is run to find out."""

import os
from collections.abc import Iterable
from pathlib import Path

import typer


def scenarios(incomplete: str) -> list[str]:
    """Scenarios that ship, and TOML files here."""
    from ..scenarios.scenario import Scenario

    return _begun([*Scenario.names(), *_files(incomplete)], incomplete)


def sweeps(incomplete: str) -> list[str]:
    """Sweeps that ship, and TOML files here."""
    return _begun([*_studies("sweep"), *_files(incomplete)], incomplete)


def trials(incomplete: str) -> list[str]:
    """Trials that ship, and TOML files here."""
    return _begun([*_studies("trial"), *_files(incomplete)], incomplete)


def entries(incomplete: str) -> list[str]:
    """All that can be shown."""
    from simulation import parameter_sets, treatments

    from ..scenarios.scenario import Scenario
    from ..studies.study import Study

    return _begun(
        [
            *Scenario.names(),
            *Study.names(),
            *treatments.names(),
            *parameter_sets.names(),
            *_files(incomplete),
        ],
        incomplete,
    )


def treatments(incomplete: str) -> list[str]:
    """Treatments that ship."""
    from simulation import treatments

    return _begun(treatments.names(), incomplete)


def arms(context: typer.Context, incomplete: str) -> list[str]:
    """Arms of the scenario that was typed, after those that stand there already."""
    scenario = _typed(context)
    before, comma, last = incomplete.rpartition(",")
    return [before + comma + arm for arm in _begun(scenario.arms if scenario else [], last)]


def settings(context: typer.Context, incomplete: str) -> list[str]:
    """Dotted names of the scenario that was typed, or of any model, each with its equals sign."""
    from simulation.parameter_sets.groups import all_groups

    from ..scenarios.own_code import only_named

    scenario = _typed(context)
    with only_named():
        names = [*(scenario.model_parameters() if scenario else all_groups())]
        for arm in scenario.arms if scenario else ():
            for one in scenario.build_treatments(arm):
                names += [f"treatments.{one.name}.{parameter}" for parameter in one.parameters()]
    return [f"{name}=" for name in _begun(dict.fromkeys(names), incomplete)]


def _typed(context: typer.Context):
    """The scenario that stands on the line; none where it cannot be read."""
    from ..scenarios.own_code import only_named
    from ..scenarios.scenario import Scenario

    # An option that still lacks its value hides the arguments before it: the shell's own words have them.
    words = (os.environ.get("_TYPER_COMPLETE_ARGS") or os.environ.get("COMP_WORDS", "")).split()
    after = words[words.index(context.info_name) + 1 :] if context.info_name in words else []
    try:
        with only_named():
            return Scenario.load(context.params.get("scenario") or next(iter(after), ""))
    except ValueError:
        return None


def _studies(kind: str) -> list[str]:
    from ..scenarios.file_kinds import kind_of
    from ..scenarios.toml_tables import read_toml
    from ..studies.kinds import STUDIES
    from ..studies.study import SHIPPED

    return [
        name
        for name in STUDIES[kind].names()
        if kind_of(read_toml(SHIPPED / f"{name}.toml", name)[0]) == kind
    ]


def _files(incomplete: str) -> list[str]:
    """TOML files, and folders on the way to them."""
    folder = Path(incomplete).parent if not incomplete.endswith("/") else Path(incomplete)
    if not folder.is_dir():
        return []
    found = [f"{path}/" if path.is_dir() else str(path) for path in folder.iterdir()]
    return sorted(name for name in found if name.endswith(("/", ".toml")))


def _begun(names: Iterable[str], incomplete: str) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]
