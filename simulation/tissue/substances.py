"""Substances in the tissue of one model: meshes, fields, vessels, and what cells give and take."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from .. import words
from ..parameters.parameter import resolve
from .effect import Effect
from .exchange import deposit, find_uphill, standing
from .field_kind import FIELD_KINDS, FieldKind
from .fields import Field, FieldError, Mesh

FINE, WIDE = (
    2,
    4,
)  # sites per node along an axis: 30 um for oxygen, IL-2 and chemokine, 60 um for far-reaching IFN-gamma


GUIDES = ("uphill", "pull")
"""What is kept of the chemokine beside the fields."""


class Guide(NamedTuple):
    """What a searching cell smells: heading up the chemokine and its strength per mesh node, the node of every site."""

    uphill: np.ndarray
    pull: np.ndarray
    node: np.ndarray


class Surroundings(NamedTuple):
    """Concentrations per mesh node, and the node of every site on each mesh."""

    interferon: np.ndarray
    oxygen: np.ndarray
    il2: np.ndarray
    wide: np.ndarray  # node of a site on the mesh of interferon
    fine: np.ndarray  # node of a site on the mesh of oxygen and IL-2


class Tissue:
    """The fields over one lattice. ``vessels``: where blood comes in; ``kinds``: the substances there are, by name."""

    def __init__(self, lattice, parameters, vessels, kinds: Iterable[FieldKind] = FIELD_KINDS):
        self.lattice, self.parameters, self.vessels = lattice, parameters, vessels
        shape = (1, 1, 1) if lattice.liquid else lattice.shape
        fine, wide = (1, 1) if lattice.liquid else (FINE, WIDE)
        self.fine, self.wide = (
            Mesh(shape, lattice.spacing, fine),
            Mesh(shape, lattice.spacing, wide),
        )
        self.node_fine, self.share_fine = self._nodes(self.fine)
        self.node_wide, self.share_wide = self._nodes(self.wide)
        self.kinds: dict[str, FieldKind] = {}
        self.fields: dict[str, Field] = {}
        self.effects: list[Effect] = []
        for kind in kinds:
            self.add(kind)
        self._fed_by: np.ndarray | None = None
        self._vessel_share: dict[Mesh, np.ndarray] = {}
        self.uphill = np.full(self.fine.size, -1, dtype=np.int8)
        self.pull = np.zeros(self.fine.size)
        self._shape = np.array(self.fine.shape, dtype=np.int64)
        self._headings = np.full((3, 3, 3), -1, dtype=np.int8)
        for heading, direction in enumerate(lattice.directions):
            self._headings[tuple(direction + 1) + (1,) * (3 - lattice.ndim)] = heading
        self._signs = np.zeros(3, dtype=np.int64)

    def _nodes(self, mesh):
        """Node of every padded site (int32), and 1 / sites per node."""
        node = np.zeros(self.lattice.occupant.size, dtype=np.int32)
        if self.lattice.liquid:
            return node, np.array([1.0 / self.lattice.size])
        node[self.lattice.interior] = mesh.node_of_site
        return node, 1.0 / mesh.sites_per_node

    def add(self, kind: FieldKind) -> None:
        """A further substance; to add one again is to mean the same. Raises FieldError where there is another of the name."""
        if self.kinds.get(kind.name, kind) != kind or kind.name in GUIDES:
            raise FieldError(f"there is another field {kind.name!r} already")
        if kind.name in self.kinds:
            return
        numbers = (resolve(n, self.parameters) for n in (kind.diffusion, kind.decay))
        mesh, initial = getattr(self, kind.mesh), resolve(kind.initial, self.parameters)
        field = Field(kind.name, mesh, *numbers, kind.quasi_steady, kind.unit, initial)
        self.kinds[kind.name], self.fields[kind.name] = kind, field
        words.show_field(kind.name, kind.unit, kind.words)

    def anew(self) -> "Tissue":
        """One with the same substances and effects, made from parameters and vessels as they are now; its fields begin anew."""
        tissue = Tissue(self.lattice, self.parameters, self.vessels, self.kinds.values())
        tissue.effects = self.effects
        return tissue

    def vessel_share(self, mesh: Mesh) -> np.ndarray:
        """Share of the sites of each node that are vessels, as they are at this moment."""
        if self._fed_by is not self.vessels.sites:
            self._fed_by, self._vessel_share = self.vessels.sites, {}
        if mesh not in self._vessel_share:
            node, share = self._ground(mesh)
            vessels = np.bincount(node[self._fed_by], minlength=mesh.size)
            self._vessel_share[mesh] = vessels * share
        return self._vessel_share[mesh]

    def diffuse(self, cells, rates, places: Mapping[str, int], supplies, hours: float) -> None:
        """One step of every field.

        ``places``: where each rule stands in ``rates``; ``supplies``: (who, field, concentration per hour) from treatments.
        """
        extra: dict[str, np.ndarray] = {}
        for _, name, rate in sorted(supplies, key=lambda s: (s[0], s[1])):
            extra.setdefault(name, np.zeros(self.mesh(name).size))
            extra[name] += np.asarray(rate, dtype=float)
        stood = standing(self.lattice.space)
        for name, kind in self.kinds.items():
            field = self.fields[name]
            given = [
                self._exchanged(cells, stood, rates, places[rule], drive, name)
                for rule, drive in kind.given.items()
            ]
            sources = [each for each in (*given, extra.get(name)) if each is not None]
            exchange = resolve(kind.supply, self.parameters)
            field.advance(
                hours,
                source=sum(sources[1:], start=sources[0]) if sources else None,
                uptake=self._exchanged(cells, stood, rates, places[f"{name}_uptake"], 0, name),
                supply=self.vessel_share(field.mesh) * exchange if exchange else None,
                supply_level=resolve(kind.in_vessels, self.parameters),
            )
        find_uphill(
            self.fields["chemokine"].values,
            self._shape,
            self._headings,
            self._signs,
            self.uphill,
            self.pull,
        )

    def _exchanged(self, cells, stood, rates, rule: int, drive: int, name: str):
        """What all cells give or take by a rule, one number a node of the field; None where nobody does."""
        if not (rates.slot[rule] or rates.by_kind[rule].any()):
            return None
        node, share = self._ground(self.mesh(name))
        amounts = np.zeros(share.size)
        deposit(
            cells,
            self.lattice.occupant,
            stood,
            rates,
            rule,
            drive,
            node,
            share,
            self.fields["ifn_gamma"].values,
            self.node_wide,
            amounts,
        )
        return amounts

    def mesh(self, name: str) -> Mesh:
        """The mesh on which a field is held."""
        return self.fields[name].mesh

    def node(self, name: str) -> np.ndarray:
        """The node of every padded site on the mesh of a field."""
        return self._ground(self.mesh(name))[0]

    def _ground(self, mesh: Mesh) -> tuple[np.ndarray, np.ndarray]:
        """The node of every padded site on a mesh, and of each node the share that one site is."""
        if mesh is self.fine:
            return self.node_fine, self.share_fine
        return self.node_wide, self.share_wide

    def level(self, name: str, sites: np.ndarray) -> np.ndarray:
        """The concentration of a field at padded sites."""
        return self.fields[name].values[self.node(name)[sites]]

    def around(self) -> Surroundings:
        """What a dividing cell senses."""
        values = {name: field.values for name, field in self.fields.items()}
        return Surroundings(
            values["ifn_gamma"], values["oxygen"], values["il2"], self.node_wide, self.node_fine
        )

    def guide(self) -> Guide:
        """What a moving cell smells."""
        return Guide(self.uphill, self.pull, self.node_fine)

    def image(self, name: str) -> np.ndarray:
        """A field as an array with the axes of the lattice, on its own mesh."""
        shape = (
            self.mesh(name).shape[: self.lattice.ndim]
            if not self.lattice.liquid
            else (1,) * self.lattice.ndim
        )
        return self.fields[name].values.reshape(shape).copy()

    def state(self, keep) -> dict[str, np.ndarray]:
        """Everything that must be saved."""
        fields = {name: field.values.copy() for name, field in self.fields.items()}
        return {**fields, **{name: getattr(self, name).copy() for name in GUIDES}}

    def restore(self, state: dict[str, np.ndarray], read) -> None:
        """Stand as it was."""
        for name, field in self.fields.items():
            field.values = state.get(name, field.values)
        for name in GUIDES:
            getattr(self, name)[:] = state[name]
