"""CAR T cells: infused once, they see their target without MHC, expand on contact, contract and may be lost."""

from ..contract import Model
from ..parameters.parameter import Parameter
from ..parameters.sources import assumed, cite
from .base import Treatment


class CarT(Treatment):
    """CAR T cells, one infusion."""

    dose = Parameter(
        2e8,
        "cells",
        "CAR T cells infused into the patient",
        source=cite("label:tisagenlecleucel"),
        range=(0, 1e12),
    )
    trafficking = Parameter(
        0.1,
        "1",
        "share of infused cells that reach tumour tissue",
        range=(0, 1),
        source=assumed("most infused cells are held in lung, liver and spleen"),
    )
    patient_tumor_cells = Parameter(
        1e9,
        "cells",
        "tumour cells of the whole patient, of which the patch is a part",
        source=assumed("about one gram of tumour"),
        range=(1, 1e14),
    )

    def on_dose(self, model: Model, dose: int) -> None:
        """The tumour in view receives its share of the cells that reach the patient's tumour."""
        reaching = (
            self.dose * self.trafficking * model.count("tumor_cell") / self.patient_tumor_cells
        )
        placed = len(model.infuse("car_t_cell", round(reaching), by=self))
        self.state["infused"] = self.state.get("infused", 0) + placed

    def measure(self, model: Model) -> dict[str, float]:
        """How many cells found room so far."""
        return {"infused": self.state.get("infused", 0)}
