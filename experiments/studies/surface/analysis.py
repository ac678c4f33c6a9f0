"""Dose and combination surfaces: what two treatments do together, beside what each of them does alone.

The effect of a run is ln(control/treated), the logarithm of its control's burden over its own: below 0 where the treated tumour
is the larger one. It is not clipped; a tumour without a cell left counts as half a cell. By default the burden is that of the
last day (``end_cells``). What effects say about an interaction is in ``interactions.py``.
"""

from collections.abc import Mapping

import pandas as pd

from ..study import Findings
from .grid import QUANTITIES, grid
from .interactions import excess, overall
from .isoboles import isoboles, levels_reached


def analyse(
    outcomes: pd.DataFrame,
    x: str,
    y: str,
    arm: str,
    *,
    quantity: str = "end_cells",
    level: float = 0.5,
    units: Mapping[str, str] | None = None,
    question: str = "",
) -> Findings:
    """Tables, pictures and sentences of a surface: ``surface``, ``overall``, ``isoboles``, ``levels``.

    ``level`` is the effect of the middle isobole; two more are halfway to 0 and to 1. ``units`` gives the unit of each dose
    by its dotted name. Raises SurfaceError.
    """
    from . import pictures as drawn
    from . import sentences as surface_sentences

    measured, units = grid(outcomes, x=x, y=y, arm=arm, quantity=quantity), units or {}
    levels = (level / 2, level, (1 + level) / 2)
    pairs, mean = excess(measured), overall(measured)
    curves, reached = isoboles(measured, levels), levels_reached(measured, levels)
    figures = {
        "surface": drawn.surface(measured, pairs, levels=levels, units=units, question=question)
    }
    if len(curves):
        figures["isobologram"] = drawn.isobologram(
            measured, curves, reached, units=units, question=question
        )
    sentences = surface_sentences.told(
        measured, pairs, mean, reached, quantity=QUANTITIES[quantity], units=units
    )
    left = outcomes.loc[outcomes["arm"] == arm, quantity]
    if gone := int((left == 0).sum()):
        sentences.append(
            f"In {gone} of {left.size} runs no cell was left; that counts as half a cell, so the effect is at least "
            "what is told."
        )
    named = {"x": x, "y": y}
    return Findings(
        tables={
            "surface": pairs.rename(columns=named),
            "overall": mean,
            "isoboles": curves.rename(columns=named),
            "levels": reached.rename(
                columns={f"{axis}_alone": f"{name} alone" for axis, name in named.items()}
            ),
        },
        figures=figures,
        sentences=sentences,
    )
