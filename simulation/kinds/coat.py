"""Recognition of antibody on a cell by its Fc part, for phagocytes of a user's own."""

import numpy as np

from ..cells.table import COAT
from ..contract import Model
from .kind import Recognition


def _coated(model: Model, score: np.ndarray, stimulus: np.ndarray) -> None:
    """c^2 / (half^2 + c^2), c = Fc-bearing antibody on the cell; nobody is seen where there is none."""
    score[:] = 0.0
    if COAT in model.cells:
        squared, half = model.cells[COAT] ** 2, model.parameters.nk_cell.half_coat
        score[:] = squared / (half * half + squared)
    stimulus[:] = score


COATED = Recognition("coated", "Fc receptor on antibody that coats a cell", _coated)
"""Who engages by this sees cells that antibodies coat: ``CellKind(..., engages={"tumor_cell": COATED})``."""
