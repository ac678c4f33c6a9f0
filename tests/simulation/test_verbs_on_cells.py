"""What plug-ins do with many cells at once: see who died, sow, infuse with traits, let go, look around."""

import io
import json
from time import process_time

import numpy as np
import pytest

from simulation import (
    Process,
    Schedule,
    TCell,
    Treatment,
    TumorCell,
    TumorLabError,
    TumorModel,
    parametrize_with_promises,
    state,
    treatments,
)
from simulation.errors import ModelError, StateError
from simulation.results.files import digests, sealed
from simulation.testing.witness import differences
from simulation.tissue.lattice import EMPTY
from tests.dish import dish
from tests.simulation.test_reproducibility import assert_same_state, steps

WARD = treatments.Placebo()
BATTLE = {"t_cell.initial_density": 400, "tumor.death_rate": 1.0, "tumor.antigen_spread": 0.5}


def battle(seed=3, **more):
    settings = {"shape": (31, 31), "seed": seed, "tumor_cells": 300, "overrides": BATTLE}
    return TumorModel("mouse_b16", **settings | more)


def empty(shape=(21, 21), seed=1, **more):
    return TumorModel(shape=shape, seed=seed, tumor_cells=0, immune_cells=False, **more)


# ---------------------------------------------------------------- model.dead


def note(verb):
    def run(model):
        cells, dead, kept = model.cells, model.dead, model.process_state[f"note {verb}"]
        assert not cells.alive[dead].any() and len(np.unique(dead)) == len(dead)
        kept.setdefault("names", []).extend(cells["name"][dead].tolist())
        kept.setdefault("antigen", []).extend(cells["antigen"][dead].tolist())

    return Process(f"note {verb}", after=verb, run=run)


NOTES = [note("act"), note("die")]


def test_a_process_sees_who_was_killed_by_contact_and_who_died_and_reads_their_traits():
    model = battle(processes=NOTES)
    antigen = {}
    killed = 0
    for _ in range(30):
        cells = model.cells
        antigen |= dict(zip(cells["name"].tolist(), cells["antigen"].tolist(), strict=True))
        before = set(cells["name"][cells.alive].tolist())
        for told in model.process_state.values():
            told.clear()
        model.step()
        gone = before - set(cells["name"][cells.alive].tolist())
        act, die = (model.process_state[f"note {verb}"] for verb in ("act", "die"))
        young = set(die["names"]) - before  # born and died within the step
        assert len(act["names"] + die["names"]) == len({*act["names"], *die["names"]})
        assert {*act["names"], *die["names"]} - young == gone
        for name, value in zip(act["names"], act["antigen"], strict=True):
            assert value == antigen[name], "of the cell that died, not of another in its row"
        killed += len(act["names"])
        assert not len(model.dead), "the step is over"
    assert killed == model.counters["kills"].sum() > 20
    assert not differences(model, steps(battle(), 30)), "looking changes nothing"


def test_a_row_into_which_somebody_is_born_is_no_longer_one_of_the_dead():
    model = battle()
    steps(model, 5)
    model.act()
    dead, free = model.dead, np.flatnonzero(~model.cells.alive)
    newborn = model.sow("tumor_cell", number=len(free) // 2)
    left = [row for row in dead if row not in newborn]
    assert 0 < len(left) < len(dead) and model.dead.tolist() == left
    model.kill(newborn)
    assert model.dead.tolist() == left, "others died there, by hand"
    model.divide()
    assert not len(model.dead)


# ---------------------------------------------------------------- sow


def test_ten_thousand_cells_are_sown_in_under_a_second_with_the_traits_they_were_given():
    model = empty((201, 201))
    places = model.lattice.coordinates(model.lattice.interior[np.arange(10_000) * 4])
    antigen = np.linspace(0.0, 2.0, 10_000)
    begun = process_time()
    rows = model.sow("tumor_cell", places, traits={"antigen": antigen, "mhc": 0.5, "pdl1": 3})
    assert process_time() - begun < 1.0
    cells = model.cells
    assert model.count("tumor_cell") == 10_000 and (cells["antigen"][rows] == antigen).all()
    assert (cells["mhc"][rows] == 0.5).all() and (cells["pdl1_shown"][rows] == 3.0).all()
    shown = 0.5 * model.parameters.tumor.mhc_resting
    assert (cells["presented_mhc"][rows] == shown).all()
    assert (model.lattice.coordinates(cells["site"][rows]) == places).all()
    assert (cells["clone"][rows] == cells["name"][rows]).all()
    assert len(np.unique(cells["name"][rows])) == 10_000
    assert cells["stress_ligand"][rows].std() > 0, "what was not given starts as ever"


def sown(model, places, kind="tumor_cell", **more):
    """Name and drawn antigen by place."""
    rows = model.sow(kind, places, **more)
    cells = model.cells
    values = zip(cells["name"][rows].tolist(), cells["antigen"][rows].tolist(), strict=True)
    return dict(zip(map(tuple, np.asarray(places).tolist()), values, strict=True))


@pytest.mark.parametrize("shape", [(15, 15), (9, 9, 9)])
def test_a_sown_cell_is_the_same_whatever_else_is_sown_and_in_whichever_order(shape):
    model = empty(shape)
    places = model.lattice.coordinates(model.lattice.interior[::3])
    together = sown(model, places)
    reverse = sown(empty(shape), places[::-1])
    one, by_site = empty(shape), empty(shape)
    sown(one, places[:1] + 1, "t_cell")
    apart = {}
    for place in places:
        apart |= sown(one, [place])
    by_site.sow("tumor_cell", sites=by_site.lattice.interior[::3])
    names = by_site.cells["name"][by_site.rows("tumor_cell")].tolist()
    assert together == reverse == apart and sorted(names) == sorted(n for n, _ in together.values())
    assert together != sown(empty(shape, seed=2), places), "another seed"
    assert together != sown(steps(empty(shape), 1), places), "another moment"


def test_who_is_sown_where_another_was_sown_before_in_the_same_step_has_a_name_of_his_own(tmp_path):
    model = empty()
    names = []
    for _ in range(3):
        rows = model.sow("t_cell", [(4, 4)])
        names.append(int(model.cells["name"][rows[0]]))
        model.emigrate(rows)
        model.save(tmp_path / "model")
        model = TumorModel.load(tmp_path / "model")
    assert len(set(names)) == 3
    model.step()
    model.sow("t_cell", [(4, 4)])
    again = empty()
    again.step()
    again.sow("t_cell", [(4, 4)])
    assert not differences(model, again), "earlier steps are forgotten"


def test_paired_arms_stay_paired_where_one_sows_more():
    few, many = (dish((41, 41), seed=4, overrides={"tumor.division_rate": 1}) for _ in range(2))
    few.sow("tumor_cell", [(5, 5), (5, 30)])
    many.sow("tumor_cell", [(35, 20), (5, 30), (5, 5)])
    steps(few, 40), steps(many, 40)
    less, more = (set(m.cells["name"][m.cells.alive].tolist()) for m in (few, many))
    assert less < more and len(less) > 4


def test_by_number_cells_stand_at_random_free_sites_the_same_for_a_seed():
    one, other = empty((31, 31)), empty((31, 31))
    for model in (one, other):
        model.sow("t_cell", number=300)
        model.sow("tumor_cell", number=500)
    assert not differences(one, other)
    x = one.lattice.coordinates(one.cells["site"][one.rows("t_cell")]).mean(axis=0)
    assert (abs(x - 15) < 4 * 31 / np.sqrt(12 * 300)).all(), "all over the lattice"
    assert one.sow("tumor_cell", number=0).tolist() == [] == one.sow("tumor_cell", []).tolist()


WRONG = [
    ({"positions": [(10, 10)]}, r"\(10, 10\) is taken: sow takes free sites, each once"),
    ({"positions": [(1, 1), (2, 2), (1, 1)]}, r"\(1, 1\) is taken"),
    ({"positions": [(1, 1), (1, 21)]}, r"position \[1, 21\] is not on the lattice"),
    ({"positions": [(-1, 1)]}, r"position \[-1, 1\] is not on the lattice"),
    ({"positions": [(0.5, 1)]}, "is not on the lattice"),
    ({"positions": [(float("nan"), 1)]}, "is not on the lattice"),
    ({"positions": [(1, 1, 1)]}, r"whole numbers \(cells, 2\), one row a cell"),
    ({"positions": (1, 1)}, r"whole numbers \(cells, 2\)"),
    ({"positions": [(1, 1), (1,)]}, r"whole numbers \(cells, 2\)"),
    ({"positions": "here"}, r"whole numbers \(cells, 2\)"),
    ({"sites": [3]}, "site 3 is not on the lattice"),
    ({"sites": [-40]}, "site -40 is not on the lattice"),
    ({"sites": [30.5]}, "give whole numbers in a row"),
    ({"number": 500}, "number = 500 does not fit: 440 sites are free"),
    ({"number": -1}, "number = -1 is not allowed"),
    ({}, "sow takes either positions"),
    ({"number": 1, "positions": [(1, 1)]}, "sow takes either positions"),
    ({"number": 2, "traits": {"antign": 1}}, "no trait 'antign' .did you mean 'antigen'"),
    ({"number": 2, "traits": {"antigen": [1.0]}}, r"one number, or one per cell \(2\), not 1"),
    ({"number": 2, "traits": {"antigen": [[1], [1, 2]]}}, r"one per cell \(2\)"),
    ({"number": 2, "traits": {"antigen": [1.0, -1.0]}}, "antigen = -1.0 of a tumor_cell"),
    ({"number": 2, "traits": {"antigen": [1.0, float("nan")]}}, "antigen = nan of a tumor_cell"),
    ({"number": 2, "traits": {"antigen": ["a", "b"]}}, "antigen = 'a' of a tumor_cell"),
    ({"number": 2, "traits": {"antigen": None}}, "antigen = None of a tumor_cell"),
    ({"number": 2, "traits": {"damage": [1, 1.5]}}, "damage = 1.5 .*a whole number"),
    ({"number": 2, "traits": {"name": 1}}, "a tumor_cell has no trait 'name'"),
    ({"number": 2, "traits": 3}, "traits = 3 is not allowed"),
]


@pytest.mark.parametrize(("asked", "words"), WRONG, ids=str)
def test_what_cannot_be_sown_is_refused_in_one_sentence_and_nobody_is_born(asked, words):
    model = empty()
    model.sow("tumor_cell", [(10, 10)])
    with pytest.raises(TumorLabError, match=words) as error:
        model.sow("tumor_cell", **asked)
    assert "\n" not in str(error.value) and len(str(error.value)) < 250
    assert model.count("tumor_cell") == 1 and (model.lattice.occupant >= 0).sum() == 1
    with pytest.raises(TumorLabError, match="did you mean 'tumor_cell'"):
        model.sow("tumor_cel", number=1)


def test_a_birth_or_death_by_hand_does_not_look_at_all_cells(monkeypatch):
    """What is searched and sorted grows with the number of births and deaths, not with its square."""
    number, looked = 300, 0

    def counted(function):
        def counting(array, *arguments, **keywords):
            nonlocal looked
            looked += np.size(array)
            return function(array, *arguments, **keywords)

        return counting

    model = empty((31, 31))
    places = [model.lattice.position(site) for site in model.lattice.interior[:number]]
    assert len(model.agents) == 0
    for name in ("isin", "argsort", "lexsort"):
        monkeypatch.setattr(np, name, counted(getattr(np, name)))
    agents = [TumorCell(model, pos=place) for place in places]
    assert sum(agent.antigen > 0 for agent in agents) == number
    assert len(model.agents_by_type[TumorCell]) == number
    for agent in agents:
        agent.remove()
    assert not len(model.agents) and not agents[0].alive
    assert looked < 10 * number, f"{looked} rows were looked at for {number} births and deaths"


def test_windows_follow_births_and_deaths_by_hand_among_those_of_the_model():
    model = battle()
    born = [TumorCell(model) for _ in range(3)]
    model.kill(model.rows("t_cell"))
    born[1].remove()
    born.append(TCell(model))
    assert [agent.alive for agent in born] == [True, False, True, True]
    assert len(model.agents_by_type[TCell]) == model.count("t_cell") == 1
    assert len(model.agents_by_type[TumorCell]) == model.count("tumor_cell") == 302
    model.cells.sort_by_site(model.lattice.occupant, model.lattice.interior)
    assert born[0].pos == model.agent(born[0].unique_id).pos and born[0] in model.agents
    assert model.cells["name"][born[3].row] == born[3].unique_id


# ---------------------------------------------------------------- infuse, emigrate


def test_infused_cells_carry_the_traits_they_were_given_each_its_own_though_some_find_no_room():
    full, free = (
        battle(seed=1, shape=(15, 15), tumor_cells=195, immune_cells=False),
        empty((15, 15)),
    )
    given = np.arange(40) / 40
    room = {}
    for model in (full, free):
        rows = model.infuse(
            "t_cell", 40, by=WARD, traits={"specificity": given, "exhaustion": 0.25}
        )
        assert len(rows) == model.count("t_cell") and (model.cells["kind"][rows] == 1).all()
        assert (model.cells["exhaustion"][rows] == 0.25).all()
        names, values = model.cells["name"][rows], model.cells["specificity"][rows]
        room[model] = dict(zip(names.tolist(), values.tolist(), strict=True))
    assert 1 < len(room[full]) < len(room[free]), "some find no room in a packed tissue"
    assert room[full].items() <= room[free].items(), "a cell has the value that was meant for it"
    for traits, words in (
        ({"specificty": 1}, "did you mean 'specificity'"),
        ({"specificity": [0.1]}, r"one per cell \(5\)"),
        ({"specificity": 2}, "between 0 and 1"),
    ):
        with pytest.raises(ModelError, match=words):
            free.infuse("t_cell", 5, by=WARD, traits=traits)


def test_who_emigrates_is_no_death_and_lets_go_of_what_it_held():
    model = steps(battle(), 10)
    holders = model.rows("t_cell") & (model.cells["partner"] >= 0)
    released, deaths = model.body.release.copy(), model.counters["deaths"].copy()
    held, many = int(model.cells["held"].sum()), model.count("t_cell")
    assert model.emigrate(holders) == holders.sum() > 0
    assert model.count("t_cell") == many - holders.sum()
    assert model.cells["held"].sum() == held - holders.sum()
    assert (model.counters["deaths"] == deaths).all() and not len(model.dead)
    assert (model.body.release == released).all()
    assert model.counters["emigrated"].tolist() == [0, holders.sum(), 0, 0]
    with pytest.raises(ModelError, match="holds no living cell"):
        model.emigrate(np.flatnonzero(holders))
    steps(model, 5)


class Traffic(Treatment):
    """Brings cells in each of the ways there are, and takes some out."""

    schedule = Schedule(every="8 hours")

    def on_dose(self, model, dose):
        model.emigrate(model.rows("nk_cell") & (model.around(model.cells["antigen"], 30.0) > 0.5))
        rows = model.infuse("t_cell", 4, by=self, traits={"specificity": [1.0, 0.5, 0.5, 0.0]})
        free = min(3, int((model.lattice.occupant == EMPTY).sum()))
        rows = np.append(rows, model.sow("nk_cell", number=free, traits={"exhaustion": 0.1}))
        self.state["names"] = model.cells["name"][rows]


@parametrize_with_promises(Traffic)
def test_a_treatment_that_uses_every_verb_keeps_all_promises(promise):
    promise()


# ---------------------------------------------------------------- around


def by_hand(model, values, reach):
    """The mean over sites within reach, site by site."""
    lattice, cells = model.lattice, model.cells
    places = lattice.coordinates(lattice.interior)
    at = np.zeros(len(places))
    row = lattice.occupant[lattice.interior]
    at[row >= 0] = values[row[row >= 0]]
    found = np.zeros(cells.rows)
    for one in np.flatnonzero(cells.alive):
        far = places - lattice.coordinates(cells["site"][[one]])
        near = (far**2).sum(axis=1) * lattice.spacing**2 <= reach**2 * (1 + 1e-9)
        found[one] = at[near | lattice.liquid].mean()
    return found


@pytest.mark.parametrize("reach", [0, 14.9, 15.0, 22, 33.6, 75, 1e4])
@pytest.mark.parametrize(
    ("shape", "liquid"), [((13, 17), False), ((5, 7, 6), False), ((9, 9), True), ((3, 40), False)]
)
def test_around_is_the_mean_over_all_sites_within_reach_up_to_the_walls(shape, liquid, reach):
    model = empty(shape, liquid=liquid)
    size = int(np.prod(shape))
    model.sow("tumor_cell", number=int(0.4 * size))
    model.sow("nk_cell", number=int(0.1 * size))
    model.kill(model.rows("nk_cell"))
    values = model.randomness.uniform("test.values", 0, np.arange(model.cells.rows))
    found = model.around(values, reach)
    assert np.allclose(found, by_hand(model, values, reach), rtol=1e-12, atol=0)
    assert (found[~model.cells.alive] == 0).all()
    if reach == 0 and not liquid:
        assert (found == np.where(model.cells.alive, values, 0)).all()


def test_what_is_around_does_not_depend_on_rows_or_on_what_lies_farther_away_and_is_never_below_0():
    model = battle(shape=(41, 41))
    names = model.cells["name"].copy()
    values = model.randomness.uniform("test.values", 0, names) * 10.0 ** (names % 30 - 15)
    found = dict(zip(names.tolist(), model.around(values, 40.0).tolist(), strict=True))
    model.cells.sort_by_site(model.lattice.occupant, model.lattice.interior)
    again = model.cells["name"]
    values = model.randomness.uniform("test.values", 0, again) * 10.0 ** (again % 30 - 15)
    sorted_rows = dict(zip(again.tolist(), model.around(values, 40.0).tolist(), strict=True))
    assert found == sorted_rows and min(found.values()) >= 0.0
    centre = model.lattice.coordinates(model.cells["site"])
    far = (abs(centre - 20) > 8).any(axis=1)
    near = np.abs(centre - 20).max(axis=1) <= 4
    values[far] = 1e300
    assert (
        model.around(values, 40.0)[near] == [found[name] for name in again[near].tolist()]
    ).all()


@pytest.mark.parametrize(
    ("values", "reach", "words"),
    [
        (1.0, 10, "one per row of the cell table"),
        ([1.0], 10, "one per row of the cell table"),
        ("a", 10, "one per row"),
        (None, -1, "reach = -1 is not allowed"),
        (None, float("nan"), "reach = nan is not allowed"),
        (None, "far", "reach = 'far' is not allowed"),
        (-1.0, 10, "at least 0"),
        (float("inf"), 10, "finite numbers"),
    ],
)
def test_around_says_what_it_takes(values, reach, words):
    model = battle()
    if not isinstance(values, list | str) and values != 1.0:
        values = np.full(model.cells.rows, 0.0 if values is None else values)
    with pytest.raises(ModelError, match=words) as error:
        model.around(values, reach)
    assert "\n" not in str(error.value)


# ---------------------------------------------------------------- states of earlier versions


def rewritten(folder, change):
    """A saved model as an earlier version would have written it, with its sums."""
    plain = json.loads((folder / "state.json").read_text())
    with np.load(folder / "state.npz") as archive:
        arrays = dict(archive)
    change(plain, arrays)
    (folder / "state.json").write_text(json.dumps(plain))
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    (folder / "state.npz").write_bytes(buffer.getvalue())
    files = digests(folder, [name for name in state.written(folder) if name != state.SUMS])
    (folder / state.SUMS).write_text(sealed({"of": None, "files": files}))


def as_of_format_2(plain, arrays):
    """The lymph node stood alone, had put down what the last step released, and knew one antigen."""
    plain["format"] = 2
    node = plain["parts"].pop("body")["compartment lymph_node"]["table"]
    released, primed = (state.decoded(node[name]) for name in ("released", "primed"))
    released[(plain["now"]["clock"] - 1) % len(released)] += arrays.pop("body/release")
    arrays["lymph_node/released"] = released[:, 0]
    plain["parts"]["lymph_node"] = {"primed": float(primed[0])}
    del plain["code"]["compartments"]
    for name in ("sown", "counted emigrated"):
        del arrays[f"population/{name}"]
    del plain["parts"]["population"]["sown at"]


def test_a_model_saved_in_format_2_goes_on_to_the_last_bit(tmp_path):
    overrides = BATTLE | {"t_cell.influx_gain": 400, "recruitment.delay": 0.5}
    model = steps(battle(overrides=overrides), 40)
    model.save(tmp_path / "model")
    rewritten(tmp_path / "model", as_of_format_2)
    loaded = TumorModel.load(tmp_path / "model")
    assert_same_state(steps(loaded, 20), steps(model, 20), "format 2")
    forgetful = TumorModel.load(tmp_path / "model")
    forgetful.body.lymph_node.released[:], forgetful.body.lymph_node.primed[:] = 0, 0
    assert differences(steps(forgetful, 20), model), "what was released matters"


def test_columns_and_scores_that_an_older_state_does_not_have_are_blank(tmp_path):
    model = steps(battle(), 3)
    model.save(tmp_path / "model")

    def without(plain, arrays):
        for name in ("specificity", "braked", "counted starved"):
            del arrays[f"population/{name}"]
        arrays["population/seen"] = arrays["population/seen"][:1]

    rewritten(tmp_path / "model", without)
    loaded = TumorModel.load(tmp_path / "model")
    cells = loaded.cells
    assert (cells["specificity"] == 1.0).all() and (cells["braked"] == 0).all()
    assert (loaded.counters["starved"] == 0).all()
    assert (cells.seen[0, : cells.rows] == model.cells.seen[0, : cells.rows]).all()
    assert (cells.seen[1:, : cells.rows] == 0).all()
    assert (cells["antigen"] == model.cells["antigen"]).all()
    steps(loaded, 3)


@pytest.mark.parametrize("number", [1, 4, None])
def test_a_format_that_is_not_read_is_refused(tmp_path, number):
    model = battle()
    model.save(tmp_path / "model")
    rewritten(tmp_path / "model", lambda plain, arrays: plain.update(format=number))
    with pytest.raises(StateError, match=rf"format {number} is not the one this version reads"):
        TumorModel.load(tmp_path / "model")
