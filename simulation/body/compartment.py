"""What a compartment of the body is: a few numbers beside the tissue, by which more or fewer cells enter it."""

from collections.abc import Mapping
from typing import Any

from ..contract import Model
from ..errors import TumorLabError


class CompartmentError(TumorLabError):
    """A compartment that is declared wrongly or gives something impossible; the message says what is allowed."""


class Compartment:
    """A part of the body outside the tissue, well mixed and without chance, that bends how many cells enter.

    ``name``: by which ``model.body`` knows it. ``antigens``: further traits of which it asks what the dead release. It makes
    no draws: arrivals are drawn by the names of entries, so that a higher rate adds cells and takes none away. Its attributes
    are saved and forked with the model: numbers, texts, lists, tables and arrays.

    >>> from simulation import Compartment, TumorModel
    >>> class Fever(Compartment):
    ...     '''Warmth rises with every tumour cell that dies, fades, and lets T cells in.'''
    ...
    ...     name = "fever"
    ...     warmth = 0.0
    ...
    ...     def advance(self, model):
    ...         self.warmth = 0.9 * self.warmth + model.body.released("antigen")
    ...
    ...     def factor(self, kind):
    ...         return 1.0 + self.warmth if kind == "t_cell" else 1.0
    >>> model = TumorModel(shape=(21, 21), seed=1, tumor_cells=40, compartments=[Fever]).run(days=2)
    >>> model.body["fever"].warmth > 0
    True
    """

    name: str = ""
    antigens: tuple[str, ...] = ()

    def advance(self, model: Model) -> None:
        """Go on by one step of ``model.dt`` hours; ``model.body.released(antigen)`` says what the dead of the last one left."""

    def addition(self, kind: str) -> float:
        """Further cells of a kind that enter, per mm2 (mm3 in 3-D) and hour; at least 0."""
        return 0.0

    def factor(self, kind: str) -> float:
        """What all arrivals of a kind are multiplied by; at least 0."""
        return 1.0

    def state(self) -> dict[str, Any]:
        """Everything that must be saved: its attributes."""
        return dict(vars(self))

    def restore(self, state: Mapping[str, Any]) -> None:
        """Stand as it was; no constructor is called again."""
        vars(self).update(state)
