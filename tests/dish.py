"""A dish: a model in which only what an experiment asks for happens, and cells can be sown in bulk."""

import numpy as np

from simulation import TumorModel

LYMPHOCYTES = ("t_cell", "car_t_cell", "nk_cell")
STILL = {  # no fields, no room for chance but what is asked for
    "recruitment.vessel_density": 0,
    "tumor.death_rate": 0,
    "tumor.division_rate": 0,
    "tumor.necrosis_rate": 0,
    "tumor.oxygen_half": 0,
    "tumor.oxygen_uptake": 0,
    "tumor.chemokine_secretion": 0,
    "tumor.chemokine_induced": 0,
    "tumor.mutation_spread": 0,
    "tumor.antigen_loss": 0,
    "tumor.car_target_loss": 0,
    "tumor.mhc_loss": 0,
    "tumor.mhc_halving": 0,
    "tumor.antigen_spread": 0,
    "tumor.car_target_spread": 0,
    "tumor.pdl1_spread": 0,
    "tumor.stress_ligand_spread": 0,
    **{
        f"{group}.{name}": 0
        for group in LYMPHOCYTES
        for name in (
            "initial_density",
            "base_influx",
            "influx_gain",
            "ifn_gamma_secretion",
            "il2_secretion",
            "il2_uptake",
            "oxygen_uptake",
            "death_rate",
            "division_rate",
            "speed",
            "exhaustion_rate",
        )
    },
}


def dish(shape, seed, overrides=None, **more):
    """An empty model where nothing grows, dies, moves or diffuses unless ``overrides`` say so."""
    given = {"tumor_cells": 0, "immune_cells": False, **more}
    return TumorModel(
        "mouse_b16", shape=shape, seed=seed, overrides={**STILL, **(overrides or {})}, **given
    )


def sow(model, kind, positions):
    """Cells of one kind at ``positions`` (cells, axes); returns their names, in the same order."""
    rows = model.sow(kind, positions)
    return model.cells["name"][rows]


def grid(shape, spacing, margin=0):
    """Positions ``spacing`` apart, at least ``margin`` from every wall: (cells, axes)."""
    axes = [np.arange(margin, n - margin, spacing) for n in shape]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(shape))


def rows_of(model, names):
    """The row of every named cell; -1 for the dead."""
    order = np.argsort(model.cells["name"], kind="stable")
    at = np.searchsorted(model.cells["name"], names, sorter=order)
    found = order[np.minimum(at, len(order) - 1)]
    return np.where((model.cells["name"][found] == names) & model.cells.alive[found], found, -1)


def places(model, names):
    """Where the named cells stand: (cells, axes)."""
    return model.lattice.coordinates(model.cells["site"][rows_of(model, names)])


def standard_errors(value, expected, error):
    """How many standard errors lie between a measurement and its law."""
    return (value - expected) / error
