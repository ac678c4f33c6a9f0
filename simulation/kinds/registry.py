"""All kinds of one model, and who meets whom."""

from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np

from .. import words
from ..parameters.given import quoted
from ..parameters.parameter import Parameters, nearest
from ..rules import RECEPTORS, RULES, Rule, Rules, RulesOf
from .kind import MOST_CHANNELS, CellKind, KindError, Process, Recognition, resolve


class ByKind(NamedTuple):
    """What the loops read of each kind; one entry per kind, ``recognition`` int16 (attacker, target): its first channel."""

    motile: np.ndarray
    yielding: np.ndarray
    driven: np.ndarray
    suppressor: np.ndarray
    channels: np.ndarray
    recognition: np.ndarray
    attackers: np.ndarray
    capacity: np.ndarray
    pdl1_induced: np.ndarray


class Processes(dict[str, Process]):
    """Further behaviours of one model, by name, and what each of them ``kept``."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[str, dict[str, Any]] = {}

    def add(self, process: Process) -> None:
        """One more; what it kept in an earlier life stays."""
        self[process.name] = process
        self.kept.setdefault(process.name, {})

    def after(self, verb: str) -> list[Process]:
        """Those that run after a verb of the step."""
        return [process for process in self.values() if process.after == verb]

    def state(self, keep: Callable[..., Any]) -> dict[str, Any]:
        """Everything that must be saved."""
        return {"kept": {name: keep(state, f"process {name}") for name, state in self.kept.items()}}

    def restore(self, state: dict[str, Any], read: Callable[..., Any]) -> None:
        """Stand as it was, in the order in which they joined."""
        self.kept = {name: read(kept) for name, kept in state["kept"].items()}
        for name in [name for name in self.kept if name in self]:
            self[name] = self.pop(name)


class Kinds:
    """All kinds of one model, the rules they follow, and the interaction table between them."""

    def __init__(self, kinds: list[CellKind], recognitions: list[Recognition]):
        self.all: list[CellKind] = []
        self.recognitions = list(recognitions)
        self.rules = [*RULES]
        for kind in kinds:
            self.add(kind)

    def add(self, kind: CellKind) -> None:
        """A further kind and its recognitions. Raises KindError when its name is taken or there are too many."""
        if kind.name in self.names:
            raise KindError(f"there is a kind {kind.name!r} already")
        if len(self.all) == 127:
            raise KindError("a model holds at most 127 kinds of cells")
        self.declare(kind.brings, f"kind {kind.name!r}")
        for recognition in (*kind.engages.values(), *kind.engaged_by.values()):
            if isinstance(recognition, Recognition) and recognition not in self.recognitions:
                if recognition.name in [each.name for each in self.recognitions]:
                    raise KindError(
                        f"there is another recognition {recognition.name!r} already",
                        key=f"kind {kind.name!r}",
                    )
                self.recognitions.append(recognition)
        self.all.append(kind)
        words.show(kind.name, **kind.shown)

    def declare(self, rules: Iterable[Rule], key: str) -> None:
        """Further rules, behind those there are; to declare one again is to mean the same.

        Raises KindError, and declares none, where there is another of the name.
        """
        fresh = [rule for rule in dict.fromkeys(rules) if rule not in self.rules]
        taken = [rule.name for rule in (*self.rules, *fresh)]
        for rule in fresh:
            if not (isinstance(rule.name, str) and rule.name.isidentifier()):
                raise KindError(
                    f"a rule is named like a variable, not {quoted(rule.name)}", key=key
                )
            if taken.count(rule.name) > 1 or any(
                hasattr(door, rule.name) for door in (Rules, RulesOf)
            ):
                raise KindError(f"there is another rule {rule.name!r} already", key=key)
        self.rules += fresh

    @property
    def places(self) -> dict[str, int]:
        """Where each rule stands in the rates, by its name."""
        return {rule.name: i for i, rule in enumerate(self.rules)}

    @property
    def names(self) -> list[str]:
        """The names of all kinds, in their order."""
        return [kind.name for kind in self.all]

    def index(self, name: str) -> int:
        """The number of a kind by its name. Raises KindError with the nearest name."""
        if name not in self.names:
            raise KindError(f"there is no kind of cell {quoted(name)}{nearest(name, self.names)}")
        return self.names.index(name)

    def __iter__(self) -> Iterator[CellKind]:
        return iter(self.all)

    def __len__(self) -> int:
        return len(self.all)

    def __getitem__(self, name: str) -> CellKind:
        return self.all[self.index(name)]

    def traits(self) -> list[str]:
        """The traits of all kinds, each once."""
        return list(dict.fromkeys(trait.name for kind in self.all for trait in kind.traits))

    def receptors(self) -> list[str]:
        """What antibodies can cover: the receptors that loops read, and the surface molecules among the traits."""
        return list(dict.fromkeys([*RECEPTORS, *self.surfaces()]))

    def surfaces(self) -> list[str]:
        """The surface molecules among the traits of all kinds, each once."""
        traits = (trait for kind in self.all for trait in kind.traits)
        return list(dict.fromkeys(trait.name for trait in traits if trait.surface))

    @property
    def channels(self) -> int:
        """The channels of all recognitions together."""
        return sum(recognition.channels for recognition in self.recognitions)

    def scores(self) -> Iterator[tuple[Recognition, int | slice]]:
        """Every recognition, with where its scores stand: one row, or a row a channel."""
        first = 0
        for recognition in self.recognitions:
            after = first + recognition.channels
            yield recognition, first if recognition.channels == 1 else slice(first, after)
            first = after

    def fewest_channels(self) -> np.ndarray:
        """int64 per kind: the channels that its cells can choose from, whatever they meet. Raises KindError."""
        table, fewest = self.interactions(), np.full(len(self.all), MOST_CHANNELS)
        first = 0
        for recognition in self.recognitions:
            uses = (table == first).any(axis=1)
            fewest[uses] = np.minimum(fewest[uses], recognition.channels)
            first += recognition.channels
            for k in np.flatnonzero(uses):
                if self.all[k].receptor >= recognition.channels:
                    raise KindError(
                        f"receptor = {self.all[k].receptor} is no channel of recognition {recognition.name!r}, "
                        f"which has {recognition.channels}, counted from 0",
                        key=f"kind {self.all[k].name!r}",
                    )
        return fewest

    def flags(self, flag: str) -> np.ndarray:
        """One True or False per kind."""
        return np.array([bool(getattr(kind, flag)) for kind in self.all])

    def interactions(self) -> np.ndarray:
        """int16 (attacker, target): first channel of the recognition, -1 where the first does not engage the second."""
        names = [recognition.name for recognition in self.recognitions]
        first = [0, *accumulate(recognition.channels for recognition in self.recognitions)]
        table = np.full((len(self.all), len(self.all)), -1, dtype=np.int16)
        for i, kind in enumerate(self.all):
            for pairs, cell in (
                (kind.engages, lambda j, i=i: (i, j)),
                (kind.engaged_by, lambda j, i=i: (j, i)),
            ):
                for other, recognition in pairs.items():
                    name = recognition.name if isinstance(recognition, Recognition) else recognition
                    if name not in names:
                        raise KindError(
                            f"there is no recognition {quoted(name)}{nearest(name, names)}",
                            key=f"kind {kind.name!r}",
                        )
                    table[cell(self.index(other))] = first[names.index(name)]
        return table

    def attackers(self) -> np.ndarray:
        """True for kinds that engage anybody."""
        return np.asarray((self.interactions() >= 0).any(axis=1))

    def arrays(self, parameters: Parameters) -> ByKind:
        """What the loops read of each kind."""
        return ByKind(
            self.flags("motile"),
            self.flags("yielding"),
            self.flags("driven"),
            self.flags("suppressor"),
            self.fewest_channels(),
            self.interactions(),
            self.attackers(),
            self.numbers("capacity", parameters),
            self.numbers("pdl1_induced", parameters),
        )

    def baseline(self, parameters: Parameters) -> np.ndarray:
        """float64 (rules, kinds): every rule before any treatment."""
        table, places = np.zeros((len(self.rules), len(self.all))), self.places
        for k, kind in enumerate(self.all):
            for rule, number in kind.rates.items():
                table[places[rule], k] = resolve(number, parameters)
        return table

    def numbers(self, attribute: str, parameters: Parameters) -> np.ndarray:
        """One declared number per kind; infinite where the kind leaves it open."""
        values = [getattr(kind, attribute) for kind in self.all]
        return np.array([np.inf if v is None else resolve(v, parameters) for v in values])
