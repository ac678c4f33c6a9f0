"""Compartments of the body: a user's own bends who enters, is saved with the model, and only ever adds arrivals."""

from itertools import permutations

import numpy as np
import pytest

from simulation import (
    CheckFailed,
    Compartment,
    Schedule,
    Treatment,
    TumorModel,
    check_treatment,
)
from simulation.body.compartment import CompartmentError
from simulation.state import copied
from simulation.testing.witness import differences
from tests.dish import STILL
from tests.simulation.test_reproducibility import assert_same_state, steps

SETTINGS = {
    **STILL,
    "tumor.death_rate": 1.0,
    "t_cell.base_influx": 40,
    "nk_cell.base_influx": 40,
    "recruitment.vessel_density": 100,
}


class Priming(Compartment):
    """T cells enter faster for some days when tumour cells released antigen."""

    name = "priming"
    memory = 48.0  # hours

    def __init__(self, gain=2.0):
        self.gain, self.primed = gain, 0.0

    def advance(self, model):
        kept = np.exp(-model.dt / self.memory)
        self.primed = kept * self.primed + model.body.released("antigen") / model.lattice.extent

    def factor(self, kind):
        return 1.0 + self.gain * self.primed / (self.primed + 100.0) if kind == "t_cell" else 1.0


class Bone(Compartment):
    """Sends NK cells at a steady rate, and hears of the CAR target of the dead."""

    name = "bone"
    antigens = ("car_target",)

    def advance(self, model):
        self.heard = vars(self).get("heard", 0.0) + model.body.released("car_target")

    def addition(self, kind):
        return 1.0 if kind == "nk_cell" else 0.0


def tissue(*compartments, tumor_cells=300, seed=5, **overrides):
    model = TumorModel(
        "mouse_b16",
        shape=(41, 41),
        seed=seed,
        tumor_cells=tumor_cells,
        immune_cells=True,
        overrides={**SETTINGS, **overrides},
        compartments=compartments,
    )
    return model


def arrived(model, kind="t_cell"):
    return int(model.counters["arrived"][model.kinds.index(kind)])


def newcomers(model, kind):
    """Names of all cells of a kind that ever entered; nobody dies in these tissues but tumour cells."""
    return set(model.cells["name"][model.rows(kind)].tolist())


def test_t_cells_enter_faster_when_antigen_is_released_and_through_this_compartment_alone():
    """Two-sided: with antigen in the dead arrivals are as many more as the factor says; without it, or without gain, not one."""
    plain = [arrived(steps(tissue(seed=seed), 72)) for seed in range(3)]
    primed, law = 0, 0.0
    for seed, many in enumerate(plain):
        model, factors = tissue(Priming, seed=seed), []
        for _ in range(72):
            model.step()
            factors.append(model.body["priming"].factor("t_cell"))
        primed, law = primed + arrived(model), law + many * np.mean(factors)
    assert abs(primed - law) < 4 * np.sqrt(law), f"{primed} arrived, the factor says {law:.0f}"
    assert primed > 1.5 * sum(plain) > 60
    silent, without = tissue(Priming, seed=0, **{"tumor.antigen": 0}), tissue(Priming(0.0), seed=0)
    assert arrived(steps(silent, 72)) == arrived(steps(without, 72)) == plain[0], "not one more"


def test_more_rate_only_adds_arrivals():
    """All who enter the plain tissue enter the primed one too, by name; other kinds are the very same."""
    plain, primed = (
        steps(tissue(*which, seed=9, tumor_cells=200), 72) for which in ((), (Priming,))
    )
    fewer, more = newcomers(plain, "t_cell"), newcomers(primed, "t_cell")
    assert fewer < more and len(fewer) == arrived(plain) and len(more) == arrived(primed)
    assert newcomers(plain, "nk_cell") == newcomers(primed, "nk_cell")


def test_an_addition_brings_cells_of_that_kind_at_that_rate():
    plain, sent = (steps(tissue(*which), 96) for which in ((), (Bone,)))
    more = 1.0 * 96 * plain.lattice.extent
    excess = arrived(sent, "nk_cell") - arrived(plain, "nk_cell")
    assert abs(excess - more) < 4 * np.sqrt(more), f"{excess} where {more:.0f} were sent"
    assert newcomers(plain, "nk_cell") < newcomers(sent, "nk_cell")
    assert arrived(sent) == arrived(plain)


def test_compartments_are_saved_forked_and_loaded_and_the_run_goes_on_to_the_last_bit(tmp_path):
    model = steps(tissue(Priming(gain=3.0), Bone, tumor_cells=200), 30)
    model.save(tmp_path / "model")
    forked, loaded = model.fork(), TumorModel.load(tmp_path / "model")
    steps(model, 30)
    for twin in (forked, loaded):
        assert type(twin.body["priming"]) is Priming and twin.body["priming"].gain == 3.0
        assert twin.body["priming"] is not model.body["priming"]
        assert not differences(steps(twin, 30), model)
        assert vars(twin.body["priming"]) == vars(model.body["priming"])
        assert vars(twin.body["bone"]) == vars(model.body["bone"])
        assert np.array_equal(twin.body.lymph_node.released, model.body.lymph_node.released)
    assert model.body["bone"].heard > 0


def test_what_the_lymph_node_remembers_decides_and_is_carried():
    """Taken out of the copy, the run goes on otherwise: it is no ornament."""
    influx = {"t_cell.influx_gain": 400, "recruitment.delay": 0.5, "tumor.death_rate": 2.0}
    model = steps(tissue(**influx), 40)
    twin, forgetful = copied(model, None, "arm"), copied(model, None, "arm")
    forgetful.body.lymph_node.released[:], forgetful.body.lymph_node.primed[:] = 0, 0
    for each in (model, twin, forgetful):
        steps(each, 15)
    assert_same_state(twin, model, "a twin")
    assert newcomers(forgetful, "t_cell") < newcomers(model, "t_cell")


def test_release_is_summed_over_the_dead_per_antigen_in_whole_units():
    """The sum of each trait over those who died, whatever order they died in; asked only where somebody asks."""
    model = tissue(Bone, **{"tumor.antigen_spread": 0.5, "tumor.car_target_spread": 0.5})
    for _ in range(5):
        cells = model.cells
        before = {
            trait: dict(zip(cells["name"].tolist(), cells[trait].tolist(), strict=True))
            for trait in model.body.antigens
        }
        names = set(cells["name"][model.rows("tumor_cell")].tolist())
        model.step()
        dead = names - set(model.cells["name"][model.rows("tumor_cell")].tolist())
        assert dead
        for trait in ("antigen", "car_target"):
            told = sum(round(before[trait][name] * 2**20) for name in dead) / 2**20
            assert model.body.released(trait) == told
    with pytest.raises(CompartmentError, match="nobody asked what the dead release of 'mhc'"):
        model.body.released("mhc")
    assert tissue().body.antigens == ["antigen"]


class Drip(Compartment):
    """Sends cells at some rate."""

    def __init__(self, name, rate):
        self.name, self.rate = name, rate

    def addition(self, kind):
        return self.rate

    def factor(self, kind):
        return 1.0 + self.rate


def test_the_order_in_which_compartments_join_does_not_matter_to_the_last_bit():
    drips = [Drip("a", 0.1), Drip("b", 0.2), Drip("c", 0.3)]
    rates = [tissue(*order).body.arrivals(tissue(*order)) for order in permutations(drips)]
    assert all(each == rates[0] for each in rates) and min(rates[0]) > 0
    one, other = (steps(tissue(*which), 40) for which in ((Priming, Bone), (Bone, Priming)))
    assert_same_state(one, other, "order")


class Blood(Compartment):
    """Lymphocytes in the blood, 1 at rest: as many enter the tissue as there are."""

    name = "blood"
    level = 1.0
    recovery = 0.05 / 24.0

    def advance(self, model):
        self.level += (1.0 - self.level) * -np.expm1(-self.recovery * model.dt)

    def factor(self, kind):
        return 1.0 if kind == "tumor_cell" else self.level


class Lymphodepletion(Treatment):
    """Takes nine tenths of the lymphocytes out of the blood."""

    compartments = (Blood,)
    schedule = Schedule(every="2 weeks", times=2)

    def on_dose(self, model, dose):
        model.body["blood"].level *= 0.1


def test_a_treatment_brings_a_compartment_and_writes_it_alone():
    """Two-sided: as many enter as blood holds, and without the treatment, or before it, nothing differs."""
    assert len(check_treatment(Lymphodepletion)) > 15
    plain, treated = steps(tissue(seed=2), 96), tissue(seed=2)
    treated.give(Lymphodepletion())
    treated.give(Lymphodepletion(name="twice"))
    levels = []
    for _ in range(96):
        treated.step()
        levels.append(treated.body["blood"].level)
    assert [*treated.body.compartments] == ["lymph_node", "blood"] and levels[0] < 0.02
    law = (arrived(plain) + arrived(plain, "nk_cell")) * np.mean(levels)
    found = arrived(treated) + arrived(treated, "nk_cell")
    assert abs(found - law) < 4 * np.sqrt(law), f"{found} arrived, {law:.0f} by the blood"
    assert newcomers(treated, "t_cell") < newcomers(plain, "t_cell")


class Meddler(Treatment):
    """Empties a compartment that is not its own."""

    def on_dose(self, model, dose):
        model.body.lymph_node.primed[:] = 5.0


def test_check_treatment_sees_who_writes_a_compartment_that_is_not_its_own():
    with pytest.raises(CheckFailed, match=r"changes the model \(compartment lymph_node\)"):
        check_treatment(Meddler)


class Unnamed(Compartment):
    """Has no name."""


class Odd(Priming):
    """Says what cannot be."""

    name = "odd"
    says = -1.0

    def factor(self, kind):
        return self.says


class Needy(Compartment):
    """Wants to be told something."""

    name = "needy"

    def __init__(self, much):
        self.much = much


@pytest.mark.parametrize(
    ("what", "words"),
    [
        (Unnamed, "Unnamed: a compartment is named like a variable, not ''"),
        ("priming", "there is no compartment 'priming'; one of your own is module:NAME"),
        ("tests.simulation.test_body:Primin", "cannot be imported"),
        ("tests.simulation.test_body:SETTINGS", "is no compartment: give a subclass of"),
        (3, "3 is no compartment"),
        (Needy, "Needy cannot be made without arguments .*: give an instance"),
        (type("Node", (Priming,), {"name": "lymph_node"}), "there is a compartment 'lymph_node'"),
        (
            type("Far", (Priming,), {"antigens": ("car_targt",)}),
            "'car_targt' .did you mean 'car_target'",
        ),
    ],
)
def test_what_is_no_compartment_is_refused_in_one_sentence(what, words):
    model = tissue()
    with pytest.raises(CompartmentError, match=words) as error:
        model.add_compartment(what)
    assert "\n" not in str(error.value) and [*model.body.compartments] == ["lymph_node"]


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf"), "two", None, [1.0, 2.0]])
def test_a_factor_that_is_no_number_is_refused_with_the_name_of_the_compartment(value):
    model = tissue()
    model.add_compartment("tests.simulation.test_body:Odd").says = value
    with pytest.raises(ValueError, match=r"factor\('tumor_cell'\) of compartment 'odd'") as error:
        model.step()
    assert "\n" not in str(error.value)
