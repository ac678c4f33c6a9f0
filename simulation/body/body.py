"""The body: compartments beside the tissue, what the dead leave to them, and how many cells they send."""

import math
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from typing import Any

import numpy as np

from ..contract import Cells, Model
from ..parameters.given import quoted, shortened
from ..parameters.parameter import nearest
from ..plug_ins import at
from ..rules import checked_number
from .compartment import Compartment, CompartmentError
from .lymph_node import UNITS, LymphNode


class Body:
    """Compartments by name, the lymph node first; ``release``: int64, what the dead of the last step left of each antigen."""

    def __init__(self, delay: float, dt: float):
        self.antigens = ["antigen"]
        self.release = np.zeros(1, dtype=np.int64)
        self.lymph_node = LymphNode(delay, dt)
        self.compartments: dict[str, Compartment] = {self.lymph_node.name: self.lymph_node}

    def __contains__(self, name: str) -> bool:
        return name in self.compartments

    def __getitem__(self, name: str) -> Compartment:
        return self.compartments[name]

    def __iter__(self) -> Iterator[Compartment]:
        return iter(self.compartments.values())

    def added(self) -> list[Compartment]:
        """Those that do not ship, in the order in which they joined."""
        return [each for each in self if each is not self.lymph_node]

    def add(self, what: object, traits: Sequence[str]) -> Compartment:
        """One more, from a class, the module:NAME of one, or an instance, of which it is a copy. Raises CompartmentError."""
        made = _of_this_body(what)
        if not isinstance(made.name, str) or not made.name.isidentifier():
            raise CompartmentError(
                f"a compartment is named like a variable, not {quoted(made.name)}: write name = 'blood' in its class",
                key=type(made).__name__,
            )
        if made.name in self.compartments:
            raise CompartmentError(f"there is a compartment {made.name!r} already")
        for antigen in made.antigens:
            if antigen not in traits:
                raise CompartmentError(
                    f"no kind of cell has a trait {quoted(antigen)}{nearest(antigen, traits)}",
                    key=f"antigens of compartment {made.name!r}",
                )
        self._join(made)
        return made

    def _join(self, compartment: Compartment) -> None:
        self.compartments[compartment.name] = compartment
        self.antigens = list(dict.fromkeys([*self.antigens, *compartment.antigens]))
        self.release = np.pad(self.release, (0, len(self.antigens) - len(self.release)))
        self.lymph_node.make_room(len(self.antigens))

    def take_up(self, cells: Cells, dead: np.ndarray) -> None:
        """What these cells release when they die."""
        for number, antigen in enumerate(self.antigens):
            self.release[number] += np.rint(cells[antigen][dead] * UNITS).astype(np.int64).sum()

    def released(self, antigen: str) -> float:
        """What the dead of the last step released: the sum of that trait. Raises CompartmentError where nobody asked for it."""
        if antigen not in self.antigens:
            raise CompartmentError(
                f"nobody asked what the dead release of {quoted(antigen)}{nearest(antigen, self.antigens)}: name it in "
                "antigens = (...) of the compartment"
            )
        return float(self.release[self.antigens.index(antigen)] / UNITS)

    def advance(self, model: Model) -> None:
        """Every compartment goes on by one step, and what was released is forgotten."""
        for compartment in self:
            compartment.advance(model)
        self.release[:] = 0

    def arrivals(self, model: Model) -> list[float]:
        """Cells of each kind that enter per hour, as compartments bend it in the order of names, so that no other matters."""
        found = []
        asked = [self.compartments[name] for name in sorted(self.compartments)]
        for kind, rate in zip(model.kinds.names, model.rules.value("influx"), strict=True):
            for each in asked:
                rate = rate + _given(each, "addition", kind)
            for each in asked:
                rate = rate * _given(each, "factor", kind)
            found.append(rate * model.lattice.extent)
        return found

    def state(self, keep: Callable[..., Any]) -> dict[str, Any]:
        """Everything that must be saved, but for the classes."""
        return {
            f"compartment {name}": keep(each.state(), f"compartment {name}")
            for name, each in self.compartments.items()
        } | {"release": self.release.copy()}

    def restore(
        self,
        state: dict[str, Any],
        read: Callable[..., Any],
        classes: Sequence[type[Compartment]] = (),
    ) -> None:
        """Stand as it was; compartments of these ``classes`` come again, their constructors not called."""
        node, *others = (table for name, table in state.items() if name != "release")
        for cls, table in zip(classes, others, strict=True):
            made = cls.__new__(cls)
            made.restore(read(table))
            self._join(made)
        self.lymph_node.restore(read(node))
        self.release = state["release"].copy()


def _of_this_body(what: object) -> Compartment:
    """A compartment that no other model has."""
    if isinstance(what, str):
        module, _, name = what.rpartition(":")
        if not (module and name):
            raise CompartmentError(
                f"there is no compartment {quoted(what)}; one of your own is module:NAME"
            )
        try:
            what = at(what)
        except (ImportError, AttributeError) as error:
            raise CompartmentError(
                f"compartment {quoted(what)} cannot be imported ({shortened(error)})"
            ) from None
    if isinstance(what, type) and issubclass(what, Compartment):
        try:
            return what()
        except TypeError as error:
            raise CompartmentError(
                f"{what.__name__} cannot be made without arguments ({shortened(error)}): give an instance"
            ) from None
    if not isinstance(what, Compartment):
        raise CompartmentError(
            f"{quoted(what)} is no compartment: give a subclass of simulation.Compartment, or the module:NAME of one"
        )
    return deepcopy(what)


def _given(compartment: Compartment, how: str, kind: str) -> float:
    """What a compartment says of a kind: a finite number of at least 0."""
    value = getattr(compartment, how)(kind)
    if type(value) is float and 0.0 <= value < math.inf:
        return value
    return float(checked_number(value, f"{how}({kind!r}) of compartment {compartment.name!r}"))
