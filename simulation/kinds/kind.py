"""What a kind of cell is: agent class, traits, rates, whom it meets and how. Declared here, never coded into the loops."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from numbers import Integral

import mesa
import numpy as np

from ..cells.table import COAT
from ..contract import Model
from ..errors import TumorLabError
from ..parameters.given import quoted, several
from ..parameters.parameter import Number as Number
from ..parameters.parameter import ParameterError, ParameterGroup, Parameters, nearest
from ..parameters.parameter import resolve as resolve
from ..rules import INDEX, Rule
from ..tissue.effect import Effect
from ..tissue.field_kind import FieldKind

MOST_CHANNELS = 127  # fits int8


class KindError(TumorLabError):
    """A kind, recognition or process that is declared wrongly; the message says what is allowed."""


@dataclass(frozen=True)
class Trait:
    """A number that every cell of a kind carries.

    A new cell draws it log-normally around ``start`` with sigma ``spread``, or gets zero with probability
    ``negative_share``. At division both daughters' values step log-normally by ``mutation``, are halved with probability
    ``halving`` and lost for good with probability ``loss``. Values lie between 0 and ``high``. A ``surface`` molecule can be
    bound by antibodies: ``rules.occupy(name, ...)``.

    >>> Trait("cd20", start=1.0, spread=0.3, loss=1e-5, surface=True).surface
    True
    """

    name: str
    start: Number = 0.0
    spread: Number = 0.0
    negative_share: Number = 0.0
    mutation: Number = 0.0
    loss: Number = 0.0
    halving: Number = 0.0
    high: float = 100.0
    surface: bool = False


@dataclass(frozen=True)
class Recognition:
    """How an attacker tells a target: fills a score (0 to 1, gates engagement) and a stimulus (drives division) per row.

    ``score(model, score, stimulus)`` is called once a step and writes both float64 arrays in place, of shape (rows,). With
    several ``channels`` they have the shape (channels, rows), and every attacker reads the channel that its ``receptor``
    names: T-cell clones that see different peptides, or CARs that see one target, another, or both. Of an antigen that
    antibodies cover, a channel sees the free share, ``model.rules.free(name)``. Raises KindError for a number of channels
    that is none.

    >>> def see_both(model, score, stimulus):
    ...     for channel, antigen in enumerate(("antigen", "car_target")):
    ...         shown = model.cells[antigen] * model.cells["presented_mhc"]
    ...         score[channel] = stimulus[channel] = shown**2 / (0.3**2 + shown**2)
    >>> Recognition("two_peptides", "T-cell receptors on two peptides", see_both, channels=2).channels
    2
    """

    name: str
    meaning: str
    score: Callable[[Model, np.ndarray, np.ndarray], None]
    channels: int = 1

    def __post_init__(self) -> None:
        if not whole(self.channels) or not 1 <= self.channels <= MOST_CHANNELS:
            raise KindError(
                f"channels = {quoted(self.channels)} is not allowed: it must be a whole number between 1 and "
                f"{MOST_CHANNELS}",
                key=f"recognition {self.name!r}",
            )


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
    vigour allow. A ``suppressor`` lends its PD-L1 to the cells beside it: an attacker there feels the larger of what its target
    and its neighbours show; in liquid nobody is beside. ``receptor``: the channel that its cells see when they come in.
    ``capacity``: kills in store. ``rules``, ``fields`` and ``effects``: what it brings into a model, or needs
    there; several kinds may bring the same. ``column``: the name of its count in results; ``words`` and ``color``: how
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
    suppressor: bool = False
    receptor: int = 0
    capacity: Number | None = None
    pdl1_induced: Number = 0.0
    initial_density: Number = 0.0
    rules: tuple[Rule, ...] = ()
    fields: tuple[FieldKind, ...] = ()
    effects: tuple[Effect, ...] = ()
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
        for what, cls in (("rules", Rule), ("fields", FieldKind), ("effects", Effect)):
            brought = getattr(self, what)
            if not (isinstance(brought, tuple) and all(isinstance(one, cls) for one in brought)):
                raise KindError(
                    f"{what} = {quoted(brought)} is not a tuple of simulation.{cls.__name__}",
                    key=f"kind {self.name!r}",
                )
        known = [*INDEX, *(rule.name for rule in self.brings)]
        for name in self.rates:
            if name not in known:
                ours = str(name).endswith(("_secretion", "_uptake", "_induced"))
                hint = "; a kind names in fields= whose rules it has" if ours else ""
                raise KindError(
                    f"there is no rule {quoted(name)}{nearest(name, known)}{hint}",
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
        if not whole(self.receptor) or not 0 <= self.receptor < MOST_CHANNELS:
            raise KindError(
                f"receptor = {quoted(self.receptor)} is not allowed: it is the number of a channel, from 0 to "
                f"{MOST_CHANNELS - 1}",
                key=f"kind {self.name!r}",
            )
        if COAT in [trait.name for trait in self.traits]:
            raise KindError(
                f"a trait cannot be called {COAT!r}, which is the antibody on every cell: choose another",
                key=f"kind {self.name!r}",
            )
        object.__setattr__(self, "column", self.column or f"{self.name}s")

    @property
    def brings(self) -> tuple[Rule, ...]:
        """The rules that come with it: its own, and those of its fields."""
        return (*self.rules, *(rule for kind in self.fields for rule in kind.rules))

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


def whole(number: object) -> bool:
    """Whether it is a whole number, and no True or False."""
    return isinstance(number, Integral) and not isinstance(number, bool)
