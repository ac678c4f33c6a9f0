"""What a substance between cells is. Declared here, never coded into the loops."""

import math
from dataclasses import dataclass

from ..parameters.given import number, quoted
from ..parameters.parameter import Number, nearest
from ..rules import INDEX, Rule
from .fields import FieldError

MESHES = ("wide", "fine")
DRIVES = ("always", "active", "induced")
"""When a cell gives or takes, by the number that the loop knows: at any time, as it is active, as interferon induces it."""


@dataclass(frozen=True)
class FieldKind:
    """A substance that cells give, take up and feel.

    It brings two rules, ``<name>_secretion`` (``unit`` an hour, in the volume of a cell's own site) and ``<name>_uptake``
    (1/h), which kinds of cells name in their ``rates`` and treatments bend. ``mesh``: "wide" is a node every 60 um, "fine"
    every 30 um. ``diffusion`` in um2/h, ``decay`` and ``supply`` in 1/h, or dotted names of parameters. A ``quasi_steady``
    substance is in balance with its sources, as what moves far within a step is; any other remembers its past. ``secretion``
    is "always" or "active": in proportion to stimulation x vigour. ``induced`` brings a rule ``<name>_induced``, secreted as
    interferon is felt. Vessels exchange at the rate ``supply`` with blood that holds ``in_vessels``. ``initial``: everywhere
    at the start. Raises FieldError for what is not allowed.

    >>> from simulation import CellKind, FieldKind, TumorModel
    >>> tgf_beta = FieldKind("tgf_beta", diffusion=1e5, decay=0.6, words="TGF-beta")
    >>> model = TumorModel(shape=(31, 31), seed=1, tumor_cells=50, fields=tgf_beta)
    >>> float(model.fields["tgf_beta"].values.max())
    0.0
    >>> print(model.rules.tgf_beta_secretion)
    tgf_beta_secretion = 0 /h
    """

    name: str
    unit: str = "1"
    mesh: str = "wide"
    diffusion: Number = 0.0
    decay: Number = 0.0
    quasi_steady: bool = False
    secretion: str = "always"
    induced: bool = False
    supply: Number = 0.0
    in_vessels: Number = 0.0
    initial: Number = 0.0
    words: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.isidentifier():
            raise FieldError(f"a field is named like a variable, not {quoted(self.name)}")
        key = f"field {self.name!r}"
        for what, choices in (("mesh", MESHES), ("secretion", DRIVES[:2])):
            if (given := getattr(self, what)) not in choices:
                raise FieldError(
                    f"{what} = {quoted(given)} is not allowed{nearest(str(given), choices)}",
                    key=key,
                )
        for what in ("diffusion", "decay", "supply", "in_vessels", "initial"):
            object.__setattr__(self, what, checked(getattr(self, what), what, key))

    @property
    def given(self) -> dict[str, int]:
        """The rules by which cells give it -> when they do, as a place in DRIVES."""
        rules = {f"{self.name}_secretion": DRIVES.index(self.secretion)}
        return rules | ({f"{self.name}_induced": DRIVES.index("induced")} if self.induced else {})

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules that it brings, beside those that every model has."""
        called = self.words or self.name.replace("_", " ")
        unit = "/h" if self.unit == "1" else f"{self.unit}/h"
        maker = "a cell" if self.secretion == "always" else "a fully active cell"
        volume = "in the volume of its site"
        brought = [
            Rule(f"{self.name}_secretion", unit, f"{called} made by {maker}, {volume}"),
            Rule(f"{self.name}_uptake", "/h", f"{called} cleared by one cell, {volume}"),
        ]
        if self.induced:
            meaning = f"further {called} at saturating interferon"
            brought.append(Rule(f"{self.name}_induced", unit, meaning))
        return tuple(rule for rule in brought if rule.name not in INDEX)


def checked(value: object, what: str, key: str, least: float = 0.0) -> Number:
    """The dotted name of a parameter, or a finite number of at least ``least``. Raises FieldError."""
    if isinstance(value, str) and "." in value:
        return value
    if (found := number(value)) is None or not least <= found < math.inf:
        raise FieldError(
            f"{what} = {quoted(value)} is not allowed: it must be a finite number of at least {least:g}, "
            "or the dotted name of a parameter",
            key=key,
        )
    return found


OXYGEN = FieldKind(
    "oxygen",
    "mmHg",
    "fine",
    "fields.oxygen_diffusion",
    "fields.oxygen_decay",
    quasi_steady=True,
    supply="fields.oxygen_supply",
    in_vessels="fields.oxygen_vessel",
    initial="fields.oxygen_vessel",
)
IFN_GAMMA = FieldKind(
    "ifn_gamma",
    "1",
    "wide",
    "fields.ifn_gamma_diffusion",
    "fields.ifn_gamma_decay",
    secretion="active",
)
IL2 = FieldKind(
    "il2",
    "nM",
    "fine",
    "fields.il2_diffusion",
    "fields.il2_decay",
    quasi_steady=True,
    secretion="active",
)
CHEMOKINE = FieldKind(
    "chemokine",
    "1",
    "fine",
    "fields.chemokine_diffusion",
    "fields.chemokine_decay",
    quasi_steady=True,
    induced=True,
)
FIELD_KINDS = (OXYGEN, IFN_GAMMA, IL2, CHEMOKINE)
"""The substances of every model, in the order in which they move on: what interferon induces follows interferon."""
