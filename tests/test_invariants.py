"""What holds at every moment of every run: places, numbers, ranges, contacts."""

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulation import NKCell, TCell, TumorCell, TumorModel, treatments
from simulation.cells import COLUMNS, SCRATCH

SHARES = ("exhaustion", "fixed_exhaustion", "stimulation", "specificity", "presented_mhc", "mhc")
ORDINALS = {"clone", "name", "mother"}
CROWDED = {"t_cell.initial_density": 300, "nk_cell.initial_density": 200, "t_cell.base_influx": 60,
           "nk_cell.base_influx": 40, "recruitment.delay": 0.2}
spaces = st.one_of(
    st.tuples(st.tuples(st.integers(3, 21), st.integers(3, 21)), st.booleans()),
    st.tuples(st.tuples(*[st.integers(3, 9)] * 3), st.just(False)),
)
drugs = st.lists(st.sampled_from(treatments.names()), unique=True, max_size=3)


def check_places(model):
    """One cell per site, and lattice and table say the same."""
    cells, lattice = model.cells, model.lattice
    rows = np.flatnonzero(cells.alive)
    sites = cells["site"][rows]
    assert len(np.unique(sites)) == len(rows), "two cells stand on one site"
    assert (lattice.occupant[sites] == rows).all(), "the lattice names another row than the one that stands there"
    inside = lattice.occupant[lattice.interior]
    assert np.array_equal(np.sort(inside[inside >= 0]), rows), "the lattice holds a row that is not alive"
    assert np.isin(sites, lattice.interior).all(), "a cell stands in the wall"
    assert (lattice.space.claim == 0).all(), "a claim of the last step was left behind"
    assert len(np.unique(cells["name"][rows])) == len(rows), "two cells have one name"


def check_numbers(model, before, counters):
    """Births minus deaths plus arrivals is the change, kind by kind."""
    change = {name: model.counters[name] - counters[name] for name in counters}
    balance = change["births"] - change["deaths"] + change["arrived"]
    now = np.array(list(model.counts().values()))
    infused = now - before - balance
    cells = model.kinds.index("car_t_cell")
    allowed = np.zeros(len(now), dtype=bool)
    allowed[cells] = any(isinstance(t, treatments.CarT) for t in model.treatments.values())
    assert (infused[~allowed] == 0).all() and (infused >= 0).all(), f"cells came or went without being counted: {infused}"
    assert (change["starved"] <= change["deaths"]).all()
    tumor = model.kinds.index("tumor_cell")
    assert change["kills"].sum() <= change["deaths"][tumor], "more kills than deaths"


def check_ranges(model):
    """Traits within what they may be, fields finite and not negative."""
    rows = np.flatnonzero(model.cells.alive)
    for name in model.cells.columns:
        values = model.cells[name][rows]
        if COLUMNS.get(name, np.float64) is np.float64 and name not in (*SCRATCH, "since"):
            assert not np.isnan(values).any() and (values >= 0).all(), f"{name} is negative or not a number"
    for name in SHARES:
        assert (model.cells[name][rows] <= 1).all(), f"{name} exceeds 1"
    assert (model.cells["damage"][rows] >= 0).all() and (model.cells["divisions"][rows] >= 0).all()
    lethal = model.parameters.tumor.lethal_hits
    assert (model.cells["damage"][rows] < lethal).all(), "a cell lives with lethal damage"
    for kind in model.kinds:
        mine = rows[model.cells["kind"][rows] == model.kinds.index(kind.name)]
        for trait in kind.traits:
            assert (model.cells[trait.name][mine] <= trait.high).all(), f"{trait.name} exceeds its limit"
    for name, field in model.fields.items():
        assert np.isfinite(field.values).all() and (field.values >= 0).all(), f"{name} is negative or not finite"
    assert model.fields["oxygen"].values.max() <= 38.0 * (1 + 1e-6), "more oxygen than vessels hold"


def check_contacts(model):
    """Who holds is counted by who is held; only neighbours of an engaged kind are held."""
    cells = model.cells
    holders = np.flatnonzero(cells.alive & (cells["partner"] >= 0))
    targets = cells["partner"][holders]
    held = np.bincount(targets, minlength=cells.rows)
    rows = np.flatnonzero(cells.alive)
    assert (cells["held"][rows] == held[rows]).all(), "a cell is held by another number of cells than it says"
    assert cells.alive[targets].all(), "a dead cell is held"
    table = model.kinds.interactions()
    assert (table[cells["kind"][holders], cells["kind"][targets]] >= 0).all(), "a cell holds one it does not engage"
    if not model.liquid:
        here, there = (model.lattice.coordinates(cells["site"][r]) for r in (holders, targets))
        assert (np.abs(here - there).max(axis=1) <= 1).all() if len(holders) else True, "a contact over a distance"


def check(model, before, counters):
    check_places(model)
    check_numbers(model, before, counters)
    check_ranges(model)
    check_contacts(model)


def settled(model):
    """What the next step is measured against."""
    return np.array(list(model.counts().values())), {name: counter.copy() for name, counter in model.counters.items()}


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(space=spaces, given_drugs=drugs, seed=st.integers(0, 2**31), steps=st.integers(1, 24), share=st.floats(0, 0.7),
       dt=st.sampled_from([0.1, 1.0, 3.0]))
def test_invariants_hold_after_every_step(space, given_drugs, seed, steps, share, dt):
    shape, liquid = space
    model = TumorModel("mouse_b16", shape=shape, liquid=liquid, seed=seed, treatments=given_drugs, dt=dt,
                       tumor_cells=int(share * np.prod(shape)), overrides=CROWDED)
    for _ in range(steps):
        before, counters = settled(model)
        model.step()
        check(model, before, counters)


extremes = {
    "every rate at its limit": {"t_cell.engage_rate": 600, "t_cell.kill_rate": 600, "t_cell.detach_rate": 600,
                                "tumor.division_rate": 5, "tumor.death_rate": 5, "t_cell.division_rate": 5, "t_cell.speed": 30},
    "crowding": {"tumor.division_rate": 5, "tumor.death_rate": 0, "t_cell.squeeze": 1, "t_cell.base_influx": 1000},
    "mutation": {"tumor.mutation_spread": 1, "tumor.mhc_loss": 0.1, "tumor.mhc_halving": 0.1, "tumor.antigen_loss": 0.1,
                 "tumor.antigen": 10, "tumor.antigen_spread": 2, "tumor.division_rate": 5, "tumor.death_rate": 4},
    "one hit, many cells": {"tumor.lethal_hits": 1, "nk_cell.potency": 100, "nk_cell.kill_rate": 600, "tumor.mhc": 0,
                            "nk_cell.initial_density": 1500},
    "thirst": {"fields.oxygen_supply": 0, "tumor.oxygen_uptake": 100, "tumor.necrosis_rate": 10},
    "flood": {"t_cell.ifn_gamma_secretion": 1000, "t_cell.il2_secretion": 1000, "fields.il2_decay": 0,
              "fields.ifn_gamma_decay": 0, "fields.ifn_gamma_diffusion": 0},
}


@settings(max_examples=18, suppress_health_check=[HealthCheck.too_slow])
@given(space=spaces, seed=st.integers(0, 2**31), extreme=st.sampled_from(sorted(extremes)))
def test_invariants_hold_where_parameters_are_extreme(space, seed, extreme):
    shape, liquid = space
    model = TumorModel(shape=shape, liquid=liquid, seed=seed, tumor_cells=int(0.4 * np.prod(shape)),
                       overrides={**CROWDED, **extremes[extreme]})
    for _ in range(12):
        before, counters = settled(model)
        model.step()
        check(model, before, counters)


@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(space=spaces, seed=st.integers(0, 2**31), data=st.data())
def test_invariants_hold_while_a_user_adds_and_removes(space, seed, data):
    """Births, deaths and traits by hand, treatments given and stopped, rows laid anew, forks, between the steps."""
    shape, liquid = space
    model = TumorModel("mouse_b16", shape=shape, liquid=liquid, seed=seed, tumor_cells=int(0.3 * np.prod(shape)),
                       overrides=CROWDED)
    for _ in range(10):
        deed = data.draw(st.sampled_from(["birth", "death", "give", "stop", "sort", "fork", "trait", "step"]))
        if deed == "birth" and sum(model.counts().values()) < model.lattice.size:
            data.draw(st.sampled_from([TumorCell, TCell, NKCell]))(model)
        elif deed == "death" and len(model.agents):
            model.agents[data.draw(st.integers(0, len(model.agents) - 1))].remove()
        elif deed == "give":
            model.give(treatments.find(data.draw(st.sampled_from(treatments.names())))(name=f"t{model.clock}"))
        elif deed == "stop" and model.treatments and not any(action == "stop" for action, _ in model._pending):
            model.stop(next(iter(model.treatments)))
        elif deed == "sort":
            model.cells.sort_by_site(model.lattice.occupant, model.lattice.interior)
        elif deed == "fork":
            model = model.fork(seed=data.draw(st.sampled_from([None, 5])))
        elif deed == "trait" and model.count("tumor_cell"):
            model.agents_by_type[TumorCell][0].antigen = 0.2
        check_places(model)
        check_contacts(model)
        if {action for action, _ in model._pending} == {"give"} and len(model._pending) > 1:
            assert len({t.name for _, t in model._pending}) == len(model._pending)
        before, counters = settled(model)
        model.step()
        check(model, before, counters)
