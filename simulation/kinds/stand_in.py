"""A kind of cell or a process of one's own as a folder describes it: what can be read about it, without its code."""

from dataclasses import dataclass
from typing import Any

from ..cells.agents import CellAgent
from ..contract import Model
from ..parameters.described import declared, described
from ..parameters.parameter import ParameterGroup, Parameters
from .kind import CellKind, KindError, Process

STEP = "treat"
"""The verb before which nothing else happens."""


@dataclass(frozen=True)
class StandInKind(CellKind):
    """A kind of which the description is there and not the code; it can be read about, and no step be run with it."""

    described: bool = True
    """Whether its parameters are known."""

    def join(self, parameters: Parameters) -> None:
        """Its parameters stand among those of a model; a kind may be described twice, by itself and by its treatment."""
        if self.name not in parameters.groups():
            super().join(parameters)


def description(one: CellKind | Process) -> dict[str, Any]:
    """What can be read about a kind or a process, as JSON holds it."""
    if isinstance(one, Process):
        return {"name": one.name, "after": one.after}
    return {
        "name": one.name,
        "meaning": one.meaning,
        "column": one.column,
        "words": one.words,
        "color": one.color,
        "parameters": described(one.parameters) if one.parameters else None,
    }


def stand_in(
    path: str, cls: type[CellKind | Process], about: dict[str, Any] | None = None
) -> CellKind | Process:
    """What is called ``module:NAME`` with that description; without one, a name alone. Raises KindError."""
    name = path.rpartition(":")[2]

    def refuse(model: Model) -> None:
        raise KindError(f"{path} is only described here; without its code no step can be run")

    process = Process(name, after=STEP, run=refuse)
    known = about or {"name": name.lower(), "after": STEP, "meaning": ""}
    try:
        if cls is Process:
            return Process(known["name"], after=known["after"], run=refuse)
        agent = type(name, (CellAgent,), {"kind": known["name"], "__doc__": known["meaning"]})
        table = known.get("parameters")
        group = None if table is None else type(name, (ParameterGroup,), {**declared(table)})
        texts = {key: known[key] for key in ("column", "words", "color") if key in known}
        return StandInKind(
            known["name"],
            agent,
            parameters=group,
            processes=(process,),
            described=about is not None,
            **texts,
        )
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise KindError(f"the description of {path!r} is not what was written ({error})") from None
