"""A kind of cell as a user writes it: with parameters of its own, and a process by which it changes."""

import numpy as np

from simulation import (
    CellAgent,
    CellKind,
    Parameter,
    ParameterGroup,
    Process,
    Recognition,
    Trait,
    Treatment,
    assumed,
    cite,
)

TEACHING = assumed("for a test")


class Phagocyte(CellAgent):
    """A phagocyte: eats tumour cells that show little MHC-I, and turns from M1 to M2."""

    kind = "phagocyte"


class PhagocyteParameters(ParameterGroup):
    """How phagocytes come, walk, eat and polarise."""

    speed = Parameter(2, "um/minute", "speed", range=(0, 20), source=TEACHING)
    influx = Parameter(40, "cells/mm2/day", "cells that enter", range=(0, 900), source=TEACHING)
    appetite = Parameter(20, "1/hour", "hits", range=(0, 60), source=TEACHING)
    polarisation = Parameter(
        0.25, "1/day", "rate of turning M2", range=(0, 10), source=cite("QSPIO", "M1 to M2")
    )


def see_little_mhc(model, score, stimulus):
    """Recognised the better, the less MHC-I is presented."""
    score[:] = np.clip(1.0 - model.cells["presented_mhc"], 0.0, 1.0)
    stimulus[:] = 0.0


def polarise(model):
    """Every phagocyte turns M2 a little at every step."""
    mine = model.rows("phagocyte")
    kept = np.exp(-model.parameters.phagocyte.polarisation * model.dt)
    model.cells["m2"][mine] = 1 - (1 - model.cells["m2"][mine]) * kept


PHAGOCYTE = CellKind(
    "phagocyte",
    agent=Phagocyte,
    traits=(Trait("m2", high=1.0),),
    rates={
        "move": "phagocyte.speed",
        "persistence": 0.5,
        "engage": 2.0,
        "kill": "phagocyte.appetite",
        "potency": 3.0,
        "detach": 1.0,
        "influx": "phagocyte.influx",
    },
    engages={"tumor_cell": Recognition("little_mhc", "where little MHC-I is", see_little_mhc)},
    motile=True,
    parameters=PhagocyteParameters,
    processes=(Process("polarise", after="act", run=polarise),),
)


class Bringer(Treatment):
    """Phagocytes come from the moment on at which it is given."""

    kinds = (PHAGOCYTE,)


def count(model):
    """How often it was called."""
    memory = model.process_state["tally"]
    memory["steps"] = memory.get("steps", 0) + 1


TALLY = Process("tally", after="settle", run=count)
