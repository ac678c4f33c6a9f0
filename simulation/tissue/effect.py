"""What a substance does to the cells that stand in it."""

import math
from dataclasses import dataclass

import numpy as np

from ..compiled import rare
from ..parameters.given import quoted
from ..parameters.parameter import Number, resolve
from .field_kind import checked
from .fields import FieldError


@dataclass(frozen=True)
class Effect:
    """A field bends a rule of the cells that stand in it, each by the concentration c at its own site.

    The rule is multiplied by 1 + ``most`` c / (``half`` + c): ``most`` is -1 for a substance that can stop it, 1 for one
    that can double it; ``half``, in the unit of the field, is the concentration of half the effect. ``kind`` is the kind of
    cell, by default every kind. Both numbers may be dotted names of parameters. A report of the rule names the field. A cell
    that enters within a step feels it from the next step on. Raises FieldError for what is not allowed.

    >>> from simulation import Effect, FieldKind, TumorModel
    >>> tgf_beta = FieldKind("tgf_beta", diffusion=1e5, decay=0.6, initial=1.0)
    >>> suppression = Effect("tgf_beta", rule="kill", kind="t_cell", most=-1.0, half=3.0)
    >>> model = TumorModel(shape=(31, 31), seed=1, tumor_cells=50, fields=tgf_beta, effects=suppression)
    >>> model.step()
    >>> print(model.rules.kill)
    kill[t_cell] = 2 /h x 0.75 to 0.75 (tgf_beta) = 1.5 to 1.5 /h
    kill[car_t_cell, nk_cell] = 2 /h
    """

    field: str
    rule: str
    kind: str | None = None
    most: Number = -1.0
    half: Number = 1.0

    def __post_init__(self) -> None:
        for what, least in (("most", -1.0), ("half", 0.0)):
            object.__setattr__(self, what, checked(getattr(self, what), what, self.key, least))

    @property
    def key(self) -> str:
        """How a sentence about it calls it."""
        return f"effect of {quoted(self.field)} on {quoted(self.rule)}"

    def strength(self, parameters) -> tuple[float, float]:
        """``most`` and ``half`` as numbers. Raises FieldError for those under which a rule would be negative."""
        most, half = resolve(self.most, parameters), resolve(self.half, parameters)
        if not (-1.0 <= most < math.inf and 0.0 < half < math.inf):
            raise FieldError(
                f"most must be at least -1 and half above 0, not {most:g} and {half:g}",
                key=self.key,
            )
        return most, half

    def bend(self, rules, cells, tissue, kind: int, parameters) -> None:
        """Contribute its factors to the rules of this step; ``kind`` is the number of the kind, -1 for all."""
        most, half = self.strength(parameters)
        factors = np.ones(cells.rows)
        level, node = tissue.fields[self.field].values, tissue.node(self.field)
        respond(cells["kind"], cells["site"], kind, level, node, most, half, factors)
        rules.feel(self.field, self.rule, factors, None if kind < 0 else kind)


@rare
def respond(kinds, sites, kind, level, node, most, half, factors):
    """Write 1 + most c / (half + c) for every living cell of a kind, of all kinds where it is -1."""
    for row in range(kinds.size):
        if kinds[row] == kind or (kind < 0 and kinds[row] >= 0):
            here = level[node[sites[row]]]
            factors[row] = 1.0 + most * here / (half + here)
