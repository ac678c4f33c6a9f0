"""What holds at every moment of every run: places, numbers, ranges, contacts."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulation import NKCell, TCell, TumorCell, TumorModel, treatments
from simulation.cells.table import COLUMNS, SCRATCH
from simulation.tissue.lattice import EMPTY

SHARES = ("exhaustion", "fixed_exhaustion", "stimulation", "specificity", "presented_mhc", "mhc")
ORDINALS = {"clone", "name", "mother"}
CROWDED = {
    "t_cell.initial_density": 300,
    "nk_cell.initial_density": 200,
    "t_cell.base_influx": 60,
    "nk_cell.base_influx": 40,
    "recruitment.delay": 0.2,
}
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
    assert (lattice.occupant[sites] == rows).all(), (
        "the lattice names another row than the one that stands there"
    )
    inside = lattice.occupant[lattice.interior]
    assert np.array_equal(np.sort(inside[inside >= 0]), rows), (
        "the lattice holds a row that is not alive"
    )
    assert np.isin(sites, lattice.interior).all(), "a cell stands in the wall"
    assert (lattice.space.claim == 0).all(), "a claim of the last step was left behind"
    assert len(np.unique(cells["name"][rows])) == len(rows), "two cells have one name"


def check_numbers(model, before, counters):
    """Births minus deaths plus arrivals is the change, kind by kind."""
    change = {name: model.counters[name] - counters[name] for name in counters}
    balance = change["births"] - change["deaths"] + change["arrived"] - change["emigrated"]
    now = np.array(list(model.counts().values()))
    infused = now - before - balance
    cells = model.kinds.index("car_t_cell")
    allowed = np.zeros(len(now), dtype=bool)
    allowed[cells] = any(isinstance(t, treatments.CarT) for t in model.treatments.values())
    assert (infused[~allowed] == 0).all() and (infused >= 0).all(), (
        f"cells came or went without being counted: {infused}"
    )
    assert (change["starved"] <= change["deaths"]).all()
    tumor = model.kinds.index("tumor_cell")
    assert change["kills"].sum() <= change["deaths"][tumor], "more kills than deaths"


def check_ranges(model):
    """Traits within what they may be, fields finite and not negative."""
    rows = np.flatnonzero(model.cells.alive)
    for name in model.cells.columns:
        values = model.cells[name][rows]
        if COLUMNS.get(name, np.float64) is np.float64 and name not in (*SCRATCH, "since"):
            assert not np.isnan(values).any() and (values >= 0).all(), (
                f"{name} is negative or not a number"
            )
    for name in SHARES:
        assert (model.cells[name][rows] <= 1).all(), f"{name} exceeds 1"
    assert (model.cells["damage"][rows] >= 0).all() and (model.cells["divisions"][rows] >= 0).all()
    lethal = model.parameters.tumor.lethal_hits
    assert (model.cells["damage"][rows] < lethal).all(), "a cell lives with lethal damage"
    for kind in model.kinds:
        mine = rows[model.cells["kind"][rows] == model.kinds.index(kind.name)]
        for trait in kind.traits:
            assert (model.cells[trait.name][mine] <= trait.high).all(), (
                f"{trait.name} exceeds its limit"
            )
    for name, field in model.fields.items():
        assert np.isfinite(field.values).all() and (field.values >= 0).all(), (
            f"{name} is negative or not finite"
        )
    assert model.fields["oxygen"].values.max() <= 38.0 * (1 + 1e-6), "more oxygen than vessels hold"


def check_contacts(model):
    """Who holds is counted by who is held; only neighbours of an engaged kind are held."""
    cells = model.cells
    holders = np.flatnonzero(cells.alive & (cells["partner"] >= 0))
    targets = cells["partner"][holders]
    held = np.bincount(targets, minlength=cells.rows)
    rows = np.flatnonzero(cells.alive)
    assert (cells["held"][rows] == held[rows]).all(), (
        "a cell is held by another number of cells than it says"
    )
    assert cells.alive[targets].all(), "a dead cell is held"
    table = model.kinds.interactions()
    assert (table[cells["kind"][holders], cells["kind"][targets]] >= 0).all(), (
        "a cell holds one it does not engage"
    )
    if not model.liquid:
        here, there = (model.lattice.coordinates(cells["site"][r]) for r in (holders, targets))
        assert (np.abs(here - there).max(axis=1) <= 1).all() if len(holders) else True, (
            "a contact over a distance"
        )


def check(model, before, counters):
    check_places(model)
    check_numbers(model, before, counters)
    check_ranges(model)
    check_contacts(model)


def settled(model):
    """What the next step is measured against."""
    return np.array(list(model.counts().values())), {
        name: counter.copy() for name, counter in model.counters.items()
    }


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(
    space=spaces,
    given_drugs=drugs,
    seed=st.integers(0, 2**31),
    steps=st.integers(1, 24),
    share=st.floats(0, 0.7),
    dt=st.sampled_from([0.1, 1.0, 3.0]),
)
def test_invariants_hold_after_every_step(space, given_drugs, seed, steps, share, dt):
    shape, liquid = space
    model = TumorModel(
        "mouse_b16",
        shape=shape,
        liquid=liquid,
        seed=seed,
        treatments=given_drugs,
        dt=dt,
        tumor_cells=int(share * np.prod(shape)),
        overrides=CROWDED,
    )
    for _ in range(steps):
        before, counters = settled(model)
        model.step()
        check(model, before, counters)


def first(model, kind):
    return np.flatnonzero(model.rows(kind))[0]


def move_the_lattice(model):
    row = first(model, "tumor_cell")
    model.lattice.occupant[model.cells["site"][row]] = first(model, "t_cell")


def stand_on_another(model):
    one, other = np.flatnonzero(model.rows("tumor_cell"))[:2]
    model.cells["site"][one] = model.cells["site"][other]


def share_a_name(model):
    one, other = np.flatnonzero(model.rows("tumor_cell"))[:2]
    model.cells["name"][one] = model.cells["name"][other]


def leave_a_claim(model):
    model.lattice.space.claim[model.lattice.interior[0]] = 1


def hide_a_death(model):
    model.counters["deaths"][0] -= 1


def invent_a_kill(model):
    model.counters["kills"][1] += model.counters["deaths"][0] + 1


def survive_three_hits(model):
    model.cells["damage"][first(model, "tumor_cell")] = model.parameters.tumor.lethal_hits


def show_too_much(model):
    model.cells["mhc"][first(model, "tumor_cell")] = 1.1


def carry_less_than_nothing(model):
    model.cells["antigen"][first(model, "tumor_cell")] = -0.1


def tire_beyond_one(model):
    model.cells["exhaustion"][first(model, "t_cell")] = 1.1


def drain_a_field(model):
    model.fields["il2"].values[0] = -1e-9


def breathe_too_much(model):
    model.fields["oxygen"].values[0] = 39


def hold_nobody(model):
    model.cells["held"][first(model, "tumor_cell")] += 1


def hold_a_friend(model):
    one, other = np.flatnonzero(model.rows("t_cell"))[:2]
    release(model, one)
    model.cells["partner"][one] = other
    model.cells["held"][other] += 1


def hold_from_afar(model):
    one = first(model, "t_cell")
    release(model, one)
    tumor = np.flatnonzero(model.rows("tumor_cell"))
    here, there = (model.lattice.coordinates(model.cells["site"][rows]) for rows in (one, tumor))
    far = tumor[np.abs(there - here).max(axis=1).argmax()]
    model.cells["partner"][one] = far
    model.cells["held"][far] += 1


def release(model, row):
    if model.cells["partner"][row] >= 0:
        model.cells["held"][model.cells["partner"][row]] -= 1


@pytest.mark.parametrize(
    "wrong",
    [
        move_the_lattice,
        stand_on_another,
        share_a_name,
        leave_a_claim,
        hide_a_death,
        invent_a_kill,
        survive_three_hits,
        show_too_much,
        carry_less_than_nothing,
        tire_beyond_one,
        drain_a_field,
        breathe_too_much,
        hold_nobody,
        hold_a_friend,
        hold_from_afar,
    ],
)
def test_a_state_that_is_wrong_in_one_place_is_found(wrong):
    """The checks are sharp: one thing put wrong by hand after a good step is seen."""
    model = TumorModel("mouse_b16", shape=(21, 21), seed=1, tumor_cells=200, overrides=CROWDED)
    for _ in range(6):
        before, counters = settled(model)
        model.step()
    check(model, before, counters)
    wrong(model)
    with pytest.raises(AssertionError):
        check(model, before, counters)


extremes = {
    "every rate at its limit": {
        "t_cell.engage_rate": 600,
        "t_cell.kill_rate": 600,
        "t_cell.detach_rate": 600,
        "tumor.division_rate": 5,
        "tumor.death_rate": 5,
        "t_cell.division_rate": 5,
        "t_cell.speed": 30,
    },
    "crowding": {
        "tumor.division_rate": 5,
        "tumor.death_rate": 0,
        "t_cell.squeeze": 1,
        "t_cell.base_influx": 1000,
    },
    "mutation": {
        "tumor.mutation_spread": 1,
        "tumor.mhc_loss": 0.1,
        "tumor.mhc_halving": 0.1,
        "tumor.antigen_loss": 0.1,
        "tumor.antigen": 10,
        "tumor.antigen_spread": 2,
        "tumor.division_rate": 5,
        "tumor.death_rate": 4,
    },
    "one hit, many cells": {
        "tumor.lethal_hits": 1,
        "nk_cell.potency": 100,
        "nk_cell.kill_rate": 600,
        "tumor.mhc": 0,
        "nk_cell.initial_density": 1500,
    },
    "thirst": {"fields.oxygen_supply": 0, "tumor.oxygen_uptake": 100, "tumor.necrosis_rate": 10},
    "flood": {
        "t_cell.ifn_gamma_secretion": 1000,
        "t_cell.il2_secretion": 1000,
        "fields.il2_decay": 0,
        "fields.ifn_gamma_decay": 0,
        "fields.ifn_gamma_diffusion": 0,
    },
}


@settings(max_examples=18, suppress_health_check=[HealthCheck.too_slow])
@given(space=spaces, seed=st.integers(0, 2**31), extreme=st.sampled_from(sorted(extremes)))
def test_invariants_hold_where_parameters_are_extreme(space, seed, extreme):
    shape, liquid = space
    model = TumorModel(
        shape=shape,
        liquid=liquid,
        seed=seed,
        tumor_cells=int(0.4 * np.prod(shape)),
        overrides={**CROWDED, **extremes[extreme]},
    )
    for _ in range(12):
        before, counters = settled(model)
        model.step()
        check(model, before, counters)


@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(space=spaces, seed=st.integers(0, 2**31), data=st.data())
def test_invariants_hold_while_a_user_adds_and_removes(space, seed, data):
    """Births, deaths and traits by hand, treatments given and stopped, rows laid anew, forks, between the steps."""
    shape, liquid = space
    model = TumorModel(
        "mouse_b16",
        shape=shape,
        liquid=liquid,
        seed=seed,
        tumor_cells=int(0.3 * np.prod(shape)),
        overrides=CROWDED,
    )
    for _ in range(10):
        deed = data.draw(
            st.sampled_from(
                ["birth", "sow", "death", "leave", "give", "stop", "sort", "fork", "trait", "step"]
            )
        )
        if deed == "birth" and sum(model.counts().values()) < model.lattice.size:
            data.draw(st.sampled_from([TumorCell, TCell, NKCell]))(model)
        elif deed == "sow":
            many = data.draw(st.integers(0, int((model.lattice.occupant == EMPTY).sum())))
            model.sow(data.draw(st.sampled_from(["tumor_cell", "nk_cell"])), number=many)
        elif deed == "leave":
            model.emigrate(model.rows("nk_cell"))
        elif deed == "death" and len(model.agents):
            model.agents[data.draw(st.integers(0, len(model.agents) - 1))].remove()
        elif deed == "give":
            model.give(
                treatments.find(data.draw(st.sampled_from(treatments.names())))(
                    name=f"t{model.clock}"
                )
            )
        elif (
            deed == "stop"
            and model.treatments
            and not any(action == "stop" for action, _ in model.regimen.pending)
        ):
            model.stop(next(iter(model.treatments)))
        elif deed == "sort":
            model.cells.sort_by_site(model.lattice.occupant, model.lattice.interior)
        elif deed == "fork":
            model = model.fork(seed=data.draw(st.sampled_from([None, 5])))
        elif deed == "trait" and model.count("tumor_cell"):
            model.agents_by_type[TumorCell][0].antigen = 0.2
        check_places(model)
        check_contacts(model)
        if {action for action, _ in model.regimen.pending} == {"give"} and len(
            model.regimen.pending
        ) > 1:
            assert len({t.name for _, t in model.regimen.pending}) == len(model.regimen.pending)
        before, counters = settled(model)
        model.step()
        check(model, before, counters)
