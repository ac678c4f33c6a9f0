"""Where cells come in: the vessels of the tissue, and the rim of the patch."""

import numpy as np


class Vessels:
    """Entry points, as padded site indices: ``sites`` of vessels, ``rim`` of the edge; ``reach``: sites searched around each."""

    def __init__(self, lattice, parameters, randomness):
        group = parameters.recruitment
        share = group.vessel_density * (lattice.spacing / 1000.0) ** lattice.ndim
        self.sites = lattice.interior[
            randomness.uniform("vessels", 0, lattice.interior) < share
        ].astype(np.int64)
        places, far = lattice.coordinates(lattice.interior), np.array(lattice.shape) - 1
        self.rim = lattice.interior[((places == 0) | (places == far)).any(axis=1)].astype(np.int64)
        self.reach = max(0, round(group.entry_reach / lattice.spacing))

    def state(self, keep) -> dict:
        """Everything that must be saved: another seed would have laid others."""
        return {"sites": self.sites.copy()}

    def restore(self, state: dict, read) -> None:
        """Stand as it was."""
        self.sites = state["sites"]
