"""What a kind of cell is: agent class, traits, rates, whom it meets and how. Declared here, never coded into the loops."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import mesa
import numpy as np

from ..contract import Model
from ..errors import TumorLabError
from ..parameters.given import quoted, several
from ..parameters.parameter import ParameterError, ParameterGroup, Parameters, nearest
from ..rules import INDEX

Number = float | str
"""A number in inside units, or the dotted name of a parameter."""


class KindError(TumorLabError):
    """A kind, recognition or process that is declared wrongly; the message says what is allowed."""


@dataclass(frozen=True)
class Trait:
    """A number that every cell of a kind carries.

    A new cell draws it log-normally around ``start`` with sigma ``spread``, or gets zero with probability
    ``negative_share``. At division both daughters' values step log-normally by ``mutation``, are halved with probability
    ``halving`` and lost for good with probability ``loss``. Values lie between 0 and ``high``.
    """

    name: str
    start: Number = 0.0
    spread: Number = 0.0
    negative_share: Number = 0.0
    mutation: Number = 0.0
    loss: Number = 0.0
    halving: Number = 0.0
    high: float = 100.0


@dataclass(frozen=True)
class Recognition:
    """How an attacker tells a target: fills a score (0 to 1, gates engagement) and a stimulus (drives division) per row.

    ``score(model, score, stimulus)`` is called once a step and writes both float64 arrays in place.
    """

    name: str
    meaning: str
    score: Callable[[Model, np.ndarray, np.ndarray], None]


@dataclass(frozen=True)
class Process:
    """A behaviour that no existing verb covers, with its own loop.

    ``run(model)`` is called after the verb named in ``after`` at every step. It may keep arrays and numbers in
    ``model.process_state[name]``, which are saved and forked with the model.
    """

    name: str
    after: str
    run: Callable[[Model], None]


@dataclass(frozen=True)
class CellKind:
    """A kind of cell.

    ``rates``: rule name -> number (inside units) or dotted parameter name; what is left out is zero. ``engages``: kind of
    target -> Recognition or the name of one, this kind's row in the interaction table; ``engaged_by`` its column.
    ``motile`` cells move, ``yielding`` ones can be changed places with, ``driven`` ones divide only as stimulation and
    vigour allow. ``capacity``: kills in store. ``column``: the name of its count in results; ``words`` and ``color``: how
    pictures call and draw it. ``parameters``: a class of its own parameters, which join those of the model under the kind's
    name; ``processes``: behaviours that no verb covers, which join with it.

    >>> from simulation import CellAgent, CellKind, Parameter, ParameterGroup, TumorModel, assumed
    >>> class Scout(CellAgent):
    ...     kind = "scout"
    >>> class ScoutParameters(ParameterGroup):
    ...     speed = Parameter(2, "um/minute", "speed", range=(0, 20), source=assumed("as T cells"))
    >>> scout = CellKind(
    ...     "scout", Scout, rates={"move": "scout.speed"}, motile=True, parameters=ScoutParameters
    ... )
    >>> dish = {"shape": (9, 9), "seed": 1, "tumor_cells": 5, "cell_kinds": [scout]}
    >>> TumorModel(**dish, overrides={"scout.speed": 3}).parameters["scout.speed"]
    3.0
    """

    name: str
    agent: type
    traits: tuple[Trait, ...] = ()
    rates: Mapping[str, Number] = field(default_factory=dict)
    engages: Mapping[str, "str | Recognition"] = field(default_factory=dict)
    engaged_by: Mapping[str, "str | Recognition"] = field(default_factory=dict)
    motile: bool = False
    yielding: bool = False
    driven: bool = False
    capacity: Number | None = None
    pdl1_induced: Number = 0.0
    initial_density: Number = 0.0
    column: str = ""
    words: str = ""
    color: str = ""
    parameters: type[ParameterGroup] | None = None
    processes: tuple[Process, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.isidentifier():
            raise KindError(f"a kind is named like a variable, not {quoted(self.name)}")
        if not (
            isinstance(self.agent, type)
            and issubclass(self.agent, mesa.Agent)
            and hasattr(self.agent, "window")
        ):
            raise KindError(
                f"agent = {quoted(self.agent)} is not a subclass of simulation.CellAgent",
                key=f"kind {self.name!r}",
            )
        for rule in self.rates:
            if rule not in INDEX:
                raise KindError(
                    f"there is no rule {quoted(rule)}{nearest(rule, list(INDEX))}",
                    key=f"kind {self.name!r}",
                )
        if self.parameters is not None and not (
            isinstance(self.parameters, type) and issubclass(self.parameters, ParameterGroup)
        ):
            raise KindError(
                f"parameters = {quoted(self.parameters)} is not a subclass of simulation.ParameterGroup",
                key=f"kind {self.name!r}",
            )
        object.__setattr__(self, "processes", tuple(several(self.processes)))
        for process in self.processes:
            if not isinstance(process, Process):
                raise KindError(
                    f"processes holds {quoted(process)}, which is not a simulation.Process",
                    key=f"kind {self.name!r}",
                )
        if self.motile and self.yielding:
            raise KindError("a motile cell cannot be yielding as well", key=f"kind {self.name!r}")
        object.__setattr__(self, "column", self.column or f"{self.name}s")

    @property
    def attacks(self) -> bool:
        """Whether it engages cells of any kind."""
        return bool(self.engages)

    @property
    def kills(self) -> str:
        """The column of the tumour cells that it killed."""
        return f"kills_by_{self.name.removesuffix('_cell')}"

    @property
    def shown(self) -> dict[str, str]:
        """How pictures, tables and legends call and draw it."""
        return {
            "column": self.column,
            "kills": self.kills,
            "words": self.words or f"{self.name.replace('_', ' ')}s",
            "color": self.color,
            "meaning": self.meaning,
        }

    @property
    def meaning(self) -> str:
        """What it is, in the first line of its agent."""
        return (vars(self.agent).get("__doc__") or "").strip().partition("\n")[0]

    def join(self, parameters: Parameters) -> None:
        """Its parameters stand among those of a model, once. Raises KindError where its name is that of another group."""
        if self.parameters is None:
            return
        there = parameters.groups().get(self.name)
        if there is None:
            try:
                parameters.join(self.name, self.parameters())
            except ParameterError as error:
                raise KindError.of(error, key=f"kind {self.name!r}") from None
        elif type(there) is not self.parameters:
            raise KindError(
                f"there are other parameters called {self.name!r} already: give the kind another name",
                key=f"kind {self.name!r}",
            )


def resolve(number: Number, parameters: Parameters) -> float:
    """A number in inside units, from itself or from the dotted name of a parameter."""
    if isinstance(number, str):
        group, _, name = number.partition(".")
        return float(getattr(getattr(parameters, group), name))
    return float(number)
