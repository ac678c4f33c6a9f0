"""What every kind of cell promises, and how ``check_cell_kind`` tries it."""

import dataclasses
import math
import warnings
from collections.abc import Iterator
from contextlib import suppress
from functools import cached_property

import numpy as np

from .. import addresses
from ..cells.agents import TAKEN
from ..errors import StateError
from ..kinds.kind import CellKind, KindError, Number, Recognition, resolve
from ..kinds.shipped import KINDS, RECOGNITIONS
from ..model import TumorModel
from ..parameter_sets import find
from ..parameters.parameter import Parameter, nearest
from ..results.results import COLUMNS as RESULTS
from ..step import VERBS
from ..treatments import Treatment
from .small_tissues import CROWD, HALF, HOURS, Broken, continued, run, told
from .witness import differences


class Fertility(Treatment):
    """Everything that lets cells of one kind divide; for trying kinds."""

    def modify(self, rules, model):
        """Cells of the kind divide more, longer, and with IL-2 beside."""
        kind = self.state["kind"]
        rules.division.add(0.1, kind=kind)
        rules.division_limit.add(20.0, kind=kind)
        rules.il2_drive.add(1.0, kind=kind)
        rules.il2.add(10.0)


class Nursery:
    """One kind of cell on the bench, among those that ship."""

    def __init__(self, kind: CellKind):
        self.kind = kind
        self.parameters = find("melanoma").parameters()
        with suppress(KindError):  # told by the promise about its parameters
            kind.join(self.parameters)
        self.ships = any(kind is each for each in KINDS)

    def tissue(self, kind: CellKind | None = None, number: int = 12, **keywords) -> TumorModel:
        """A little tumour, with ``number`` cells of the kind born by hand. Raises Broken when it cannot be built."""
        kind = kind or self.kind
        settings = {
            "shape": (21, 21),
            "seed": 21,
            "tumor_cells": 250,
            "overrides": CROWD,
        } | keywords
        try:
            model = TumorModel(cell_kinds=() if self.ships else (kind,), **settings)
            for _ in range(number):
                kind.agent(model)
        except Exception as error:
            raise Broken(f"a model with it cannot be built ({told(error)})") from None
        return model

    @cached_property
    def grown(self) -> TumorModel:
        """The usual tissue after the whole trial."""
        return run(self.tissue())

    def number(self, number: Number, what: str, high: float = math.inf) -> Iterator[str]:
        """A sentence unless it is a number from 0 to ``high``, or the dotted name of a parameter that is one."""
        try:
            value = resolve(number, self.parameters)
        except (ValueError, TypeError, AttributeError) as error:
            if isinstance(number, str):
                yield f"{what} = {number!r} is no parameter{nearest(number, self.parameters.names())}"
            else:
                yield f"{what} = {number!r} is no number ({error}): write a number or the dotted name of a parameter"
            return
        if not 0.0 <= value <= high or not math.isfinite(value):
            yield f"{what} = {value!r} is not allowed: it must be a finite number between 0 and {high:g}"


# ---------------------------------------------------------------- what it declares


def rated(nursery: Nursery) -> Iterator[str]:
    """Its rates and densities are numbers or known parameters."""
    kind = nursery.kind
    for rule, number in kind.rates.items():
        yield from nursery.number(number, f"the rate {rule}")
    for name in ("pdl1_induced", "initial_density", "capacity"):
        if getattr(kind, name) is not None:
            yield from nursery.number(getattr(kind, name), name)


def furnished(nursery: Nursery) -> Iterator[str]:
    """Its parameters have a name of their own and each is read; its processes run after a verb."""
    kind = nursery.kind
    for process in kind.processes:
        if process.after not in VERBS:
            yield f"process {process.name!r}: after = {process.after!r} is no verb{nearest(process.after, VERBS)}"
    if kind.parameters is None:
        return
    try:
        kind.join(find("melanoma").parameters())
    except KindError as error:
        yield str(error)
        return
    before, Parameter.trace = Parameter.trace, set()
    try:
        run(nursery.tissue())
        read = {name for group, name in Parameter.trace if group == kind.parameters.__name__}
    finally:
        Parameter.trace = before
    for name in kind.parameters.parameters():
        if name not in read:
            yield f"nothing reads {kind.name}.{name} within {HOURS} hours: let a rate, trait or process read it, or take it out"


def traited(nursery: Nursery) -> Iterator[str]:
    """Its traits have names of their own and sensible numbers."""
    for trait in nursery.kind.traits:
        if not trait.name.isidentifier() or trait.name in TAKEN:
            yield f"a trait cannot be called {trait.name!r}, which every cell has already or is no word: choose another"
        elif hasattr(nursery.kind.agent, trait.name):
            yield f"{nursery.kind.agent.__name__}.{trait.name} hides the trait {trait.name!r}: take it out of the class"
        yield from nursery.number(trait.start, f"the start of trait {trait.name}", high=trait.high)
        for name, high in {
            "spread": 5,
            "mutation": 5,
            "negative_share": 1,
            "loss": 1,
            "halving": 1,
        }.items():
            yield from nursery.number(
                getattr(trait, name), f"{name} of trait {trait.name}", high=high
            )


def acquainted(nursery: Nursery) -> Iterator[str]:
    """It engages known kinds, and is engaged by them, through known recognitions."""
    kinds = [*dict.fromkeys([*(each.name for each in KINDS), nursery.kind.name])]
    recognitions = [each.name for each in RECOGNITIONS]
    for pairs, word in ((nursery.kind.engages, "engages"), (nursery.kind.engaged_by, "engaged_by")):
        for other, recognition in pairs.items():
            if other not in kinds:
                yield f"{word} names an unknown kind {other!r}{nearest(other, kinds)}"
            if not isinstance(recognition, Recognition) and recognition not in recognitions:
                yield f"{word} names an unknown recognition {recognition!r}{nearest(recognition, recognitions)}"


def windowed(nursery: Nursery) -> Iterator[str]:
    """Its agent is of the same kind, with a line that says what it is."""
    kind, agent = nursery.kind, nursery.kind.agent
    if agent.kind != kind.name:
        yield f"its agent says it is of kind {agent.kind!r}: write class {agent.__name__}(CellAgent): kind = {kind.name!r}"
    if not (vars(agent).get("__doc__") or "").strip():
        yield f"{agent.__name__} has no docstring: say in one line what the cell is and does"


def counted(nursery: Nursery) -> Iterator[str]:
    """Its columns in the results are its own."""
    others = {each.column for each in KINDS if each is not nursery.kind} | (
        set() if nursery.ships else set(RESULTS)
    )
    if nursery.kind.column in others:
        yield f'its column {nursery.kind.column!r} is taken: write CellKind(..., column="another_name")'
    if not nursery.ships and nursery.kind.kills in RESULTS:
        yield f"its column {nursery.kind.kills!r} is taken: give the kind another name"


def importable(nursery: Nursery) -> Iterator[str]:
    """It is a constant of the module of its agent, so that a saved model can be loaded."""
    module = getattr(nursery.kind.agent, "__module__", "")
    try:
        addresses.of_constant(nursery.kind, module)
    except StateError as error:
        if addresses.in_script(module):
            warnings.warn(str(error), stacklevel=5)
            return
        yield (
            f"it is no constant of module {module!r}, where its agent is defined: write there "
            f"{nursery.kind.name.upper()} = CellKind(...)"
        )


# ---------------------------------------------------------------- how it lives


def living(nursery: Nursery) -> Iterator[str]:
    """Its cells are born by hand, can be looked at, and die by hand."""
    model = nursery.tissue(number=3)
    agent = model.agents_by_type[nursery.kind.agent][0]
    for trait in nursery.kind.traits:
        value = getattr(agent, trait.name, None)
        if not isinstance(value, float) or not 0.0 <= value <= trait.high:
            yield f"a cell reads {trait.name} = {value!r}: it must be a number between 0 and {trait.high:g}"
    before = model.count(nursery.kind.name)
    agent.remove()
    if agent.alive or model.count(nursery.kind.name) != before - 1:
        yield "remove() does not take a cell away: leave remove to CellAgent"


def lawful(nursery: Nursery) -> Iterator[str]:
    """One cell a site, traits in range, fields never negative, and every birth and death counted."""
    model = nursery.tissue()
    before = model.counts()
    for _ in range(4):
        run(model, hours=HOURS // 4)
        yield from irregularities(model)
    for k, (name, number) in enumerate(before.items()):
        count = {counter: int(many[k].sum()) for counter, many in model.counters.items()}
        gained = count["births"] + count["arrived"] - count["deaths"] - count["emigrated"]
        if model.count(name) != number + gained:
            yield f"{model.count(name)} cells of kind {name} are left where births and deaths make {number + gained}"


def dividing(nursery: Nursery) -> Iterator[str]:
    """Where it can divide, daughters inherit its traits within their range."""
    model = nursery.tissue()
    model.give(Fertility()).state["kind"] = nursery.kind.name
    run(model, where=", while its cells divide")
    yield from irregularities(model)
    if not model.counters["births"][model.kinds.index(nursery.kind.name)]:
        yield "its cells cannot be made to divide, whatever their drive"


def resumable(nursery: Nursery) -> Iterator[str]:
    """A run that is forked, or saved and loaded, goes on to the last bit."""
    module = nursery.kind.agent.__module__
    saved = nursery.ships or not (addresses.in_script(module) or any(importable(nursery)))
    for word, other in continued(run(nursery.tissue(), hours=HALF), saved):
        if found := differences(nursery.grown, other):
            yield f"when the model is {word}, the run goes on differently in {found}: keep all in the cell table"


def repeatable(nursery: Nursery) -> Iterator[str]:
    """The same seed gives the same run."""
    if found := differences(nursery.grown, run(nursery.tissue())):
        yield f"two runs with one seed differ in {found}: keep all in the cell table"


def unobtrusive(nursery: Nursery) -> Iterator[str]:
    """A model that knows it but holds none of its cells runs as if it did not know it."""
    if nursery.ships:
        return
    rates = {
        rule: number for rule, number in nursery.kind.rates.items() if not rule.startswith("influx")
    }
    absent = dataclasses.replace(nursery.kind, rates=rates, initial_density=0.0)
    without = run(TumorModel(shape=(21, 21), seed=21, tumor_cells=250, overrides=CROWD))
    if found := differences(without, run(nursery.tissue(absent, number=0))):
        yield f"its mere declaration changes {found} of other cells: give it no trait that they have with other numbers"


def sturdy(nursery: Nursery) -> None:
    """It lives in 3-D, in liquid, and alone."""
    run(nursery.tissue(shape=(9, 9, 9)), hours=8, where=", in 3-D")
    run(nursery.tissue(parameters="b_all"), hours=8, where=", in liquid")
    run(nursery.tissue(tumor_cells=0, immune_cells=False), hours=8, where=", alone")


def irregularities(model: TumorModel) -> Iterator[str]:
    """What contradicts the order of every model, in sentences; nothing when all is well."""
    cells, occupant = model.cells, model.lattice.occupant
    rows = np.flatnonzero(cells.alive)
    if len(np.unique(cells["name"][rows])) != len(rows):
        yield "two living cells have one name"
    if not np.array_equal(occupant[cells["site"][rows]], rows) or np.count_nonzero(
        occupant >= 0
    ) != len(rows):
        yield "the lattice and the cell table disagree about who stands where"
    partner = cells["partner"][rows]
    held = np.bincount(partner[partner >= 0], minlength=cells.rows)[rows]
    if np.any(cells["kind"][partner[partner >= 0]] < 0) or not np.array_equal(
        held, cells["held"][rows]
    ):
        yield "a cell holds a dead one, or is held by more cells than hold it"
    for k, kind in enumerate(model.kinds):
        mine = rows[cells["kind"][rows] == k]
        for trait in kind.traits:
            values = cells[trait.name][mine]
            if len(values) and not (np.all(values >= 0.0) and np.all(values <= trait.high)):
                yield f"{trait.name} of a {kind.name} leaves its range of 0 to {trait.high:g}"
        for name in ("exhaustion", "fixed_exhaustion", "stimulation"):
            if np.any((cells[name][mine] < 0.0) | (cells[name][mine] > 1.0)):
                yield f"{name} of a {kind.name} leaves its range of 0 to 1"
    for name, field in model.fields.items():
        if not (np.all(np.isfinite(field.values)) and np.all(field.values >= 0.0)):
            yield f"the field {name} is negative or not finite"


PROMISES = (
    furnished,
    rated,
    traited,
    acquainted,
    windowed,
    counted,
    importable,
    living,
    lawful,
    dividing,
    resumable,
    repeatable,
    unobtrusive,
    sturdy,
)
