"""Where cells come in: the vessels of the tissue, and the rim of the patch."""

import numpy as np

from ..parameters.given import quoted
from .lattice import LatticeError


class Vessels:
    """Entry points, as padded site indices: ``sites`` of vessels, ``rim`` of the edge; ``reach``: sites searched around each.

    Vessels come and go while a model runs: oxygen and whatever else they supply follow from the next step on, and immune
    cells come in where vessels are then. As many come as before: influx is counted per area of tissue, not per vessel.
    """

    def __init__(self, lattice, parameters, randomness):
        self.lattice, group = lattice, parameters.recruitment
        share = group.vessel_density * (lattice.spacing / 1000.0) ** lattice.ndim
        self.sites = lattice.interior[
            randomness.uniform("vessels", 0, lattice.interior) < share
        ].astype(np.int64)
        places, far = lattice.coordinates(lattice.interior), np.array(lattice.shape) - 1
        self.rim = lattice.interior[((places == 0) | (places == far)).any(axis=1)].astype(np.int64)
        self.reach = max(0, round(group.entry_reach / lattice.spacing))

    def grow(self, sites) -> int:
        """New vessels at sites, as ``model.cells["site"]`` counts them; returns how many were not there before.

        Raises LatticeError for what is no site of the tissue.

        >>> from simulation import TumorModel
        >>> model = TumorModel(shape=(31, 31), seed=1, tumor_cells=50)
        >>> model.vessels.grow(model.cells["site"][model.rows("tumor_cell")][:3])
        3
        """
        before = len(self.sites)
        self.sites = np.union1d(self.sites, self._checked(sites, "grow"))
        return len(self.sites) - before

    def prune(self, sites) -> int:
        """No vessels at sites any longer; returns how many there were. Raises LatticeError for what is no site of the tissue."""
        before = len(self.sites)
        self.sites = np.setdiff1d(self.sites, self._checked(sites, "prune"))
        return before - len(self.sites)

    def _checked(self, sites, what: str) -> np.ndarray:
        """Sites of the tissue as int64, each once."""
        asked = np.atleast_1d(np.asarray(sites))
        if asked.size and asked.dtype.kind not in "iu":
            raise LatticeError(f"vessels.{what} takes sites as whole numbers, not {quoted(sites)}")
        asked = asked.astype(np.int64).ravel()
        outside = asked[~np.isin(asked, self.lattice.interior)]
        if outside.size:
            raise LatticeError(
                f"vessels.{what} takes sites as model.cells['site'] counts them, and {outside[0]} is none of the tissue: "
                "model.lattice.site((x, y)) is the site at a position"
            )
        return asked

    def state(self, keep) -> dict:
        """Everything that must be saved: another seed would have laid others."""
        return {"sites": self.sites.copy()}

    def restore(self, state: dict, read) -> None:
        """Stand as it was."""
        self.sites = state["sites"]
