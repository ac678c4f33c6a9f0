"""Substances in the tissue of one model: meshes, fields, vessels, and what cells give and take."""

from typing import NamedTuple

import numpy as np

from ..rules import INDEX
from .exchange import deposit, find_uphill
from .fields import Field, Mesh

FINE, WIDE = (
    2,
    4,
)  # sites per node along an axis: 30 um for oxygen, IL-2 and chemokine, 60 um for far-reaching IFN-gamma
ALWAYS, ACTIVE, INDUCED = 0, 1, 2


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
    """Four fields over one lattice. ``vessels``: padded site indices of entry points."""

    def __init__(self, lattice, parameters, vessels: np.ndarray):
        self.lattice = lattice
        shape = (1, 1, 1) if lattice.liquid else lattice.shape
        fine, wide = (1, 1) if lattice.liquid else (FINE, WIDE)
        self.fine, self.wide = (
            Mesh(shape, lattice.spacing, fine),
            Mesh(shape, lattice.spacing, wide),
        )
        self.node_fine, self.share_fine = self._nodes(self.fine)
        self.node_wide, self.share_wide = self._nodes(self.wide)
        group = parameters.fields
        self.fields = {
            "oxygen": Field(
                "oxygen",
                self.fine,
                group.oxygen_diffusion,
                group.oxygen_decay,
                True,
                "mmHg",
                group.oxygen_vessel,
            ),
            "ifn_gamma": Field(
                "ifn_gamma", self.wide, group.ifn_gamma_diffusion, group.ifn_gamma_decay, False, "1"
            ),
            "il2": Field("il2", self.fine, group.il2_diffusion, group.il2_decay, True, "nM"),
            "chemokine": Field(
                "chemokine", self.fine, group.chemokine_diffusion, group.chemokine_decay, True, "1"
            ),
        }
        self.vessel_share = (
            np.bincount(self.node_fine[vessels], minlength=self.fine.size) * self.share_fine
        )
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

    def diffuse(self, cells, rates, parameters, supplies, hours: float) -> None:
        """One step of every field; ``supplies``: (who, field, concentration per hour) from treatments."""
        extra = {name: np.zeros(self.mesh(name).size) for name in self.fields}
        for _, name, rate in sorted(supplies, key=lambda s: (s[0], s[1])):
            extra[name] += np.asarray(rate, dtype=float)
        group = parameters.fields
        (made,) = self._deposits(cells, rates, {"ifn_gamma_secretion": ACTIVE}, wide=True)
        self.fields["ifn_gamma"].advance(hours, source=made + extra["ifn_gamma"])
        il2, cleared, chemokine, induced, breathed = self._deposits(
            cells,
            rates,
            {
                "il2_secretion": ACTIVE,
                "il2_uptake": ALWAYS,
                "chemokine_secretion": ALWAYS,
                "chemokine_induced": INDUCED,
                "oxygen_uptake": ALWAYS,
            },
        )
        self.fields["il2"].advance(hours, source=il2 + extra["il2"], uptake=cleared)
        self.fields["chemokine"].advance(hours, source=chemokine + induced + extra["chemokine"])
        self.fields["oxygen"].advance(
            hours,
            source=extra["oxygen"],
            uptake=breathed,
            supply=self.vessel_share * group.oxygen_supply,
            supply_level=group.oxygen_vessel,
        )
        find_uphill(
            self.fields["chemokine"].values,
            self._shape,
            self._headings,
            self._signs,
            self.uphill,
            self.pull,
        )

    def _deposits(self, cells, rates, drives: dict[str, int], wide: bool = False) -> np.ndarray:
        """What all cells give or take by each rule; (rules, nodes)."""
        mesh, node, share = (
            (self.wide, self.node_wide, self.share_wide)
            if wide
            else (self.fine, self.node_fine, self.share_fine)
        )
        amounts = np.zeros((len(drives), mesh.size))
        deposit(
            cells,
            self.lattice.space,
            rates,
            np.array([INDEX[rule] for rule in drives]),
            np.array(list(drives.values())),
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
        return {**fields, "uphill": self.uphill.copy(), "pull": self.pull.copy()}

    def restore(self, state: dict[str, np.ndarray], read) -> None:
        """Stand as it was."""
        for name, field in self.fields.items():
            field.values = state[name]
        self.uphill[:] = state["uphill"]
        self.pull[:] = state["pull"]
