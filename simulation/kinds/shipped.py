"""The kinds of cells that every model has, in the order of their numbers, and how they recognise each other."""

from .. import words
from .car_t_cell import CAR_T_CELL, TARGET
from .nk_cell import MISSING_SELF, NK_CELL
from .t_cell import PEPTIDE, T_CELL
from .tumor_cell import TUMOR_CELL

KINDS = (TUMOR_CELL, T_CELL, CAR_T_CELL, NK_CELL)
RECOGNITIONS = (PEPTIDE, TARGET, MISSING_SELF)

for kind in KINDS:  # a picture of results that were read back needs no model
    words.show(kind.name, **kind.shown)
    words.IN_EVERY_MODEL.append(kind.name)
