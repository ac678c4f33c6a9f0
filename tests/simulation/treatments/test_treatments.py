"""What each drug does and how: small experiments on paired seeds, each of which fails when its mechanism is removed."""

import ast
import inspect
import itertools
import math
from pathlib import Path

import numpy as np
import pytest

import simulation
from simulation import Parameter, Schedule, TCell, Treatment, TumorModel, treatments
from simulation.parameters.parameter import ParameterError
from simulation.treatments import TreatmentError, build, find, names
from simulation.treatments.schedule import ScheduleError

DAY = 24
NOBODY_ELSE = {
    f"{kind}.{number}": 0
    for kind in ("t_cell", "nk_cell")
    for number in ("initial_density", "base_influx", "influx_gain")
}
UNIFORM = {f"tumor.{trait}_spread": 0 for trait in ("antigen", "car_target", "pdl1", "mutation")}
STILL = {f"tumor.{rate}_rate": 0 for rate in ("division", "death", "necrosis")} | {
    f"t_cell.{rate}": 0
    for rate in ("division_rate", "death_rate", "exhaustion_rate", "ifn_gamma_secretion", "speed")
}


def steps(model: TumorModel, hours: int) -> TumorModel:
    for _ in range(hours):
        model.step()
    return model


def table(model: TumorModel) -> str:
    """The time series as it is written to a file, without the name of the arm."""
    return model.results.timeseries.drop(columns="arm").to_csv()


def paired(tissue: TumorModel, *given, days: float) -> list[TumorModel]:
    """Control and treated arm of one tissue after some days."""
    return [
        tissue.fork(treatments=each).run(days=days, snapshot_every=0, progress=False)
        for each in ((), given)
    ]


def last(model: TumorModel, column: str) -> float:
    return model.results.timeseries[column].iloc[-1]


def empty(**keywords) -> TumorModel:
    """Tissue without cells, for levels of drugs over weeks."""
    return TumorModel(shape=(3, 3), seed=1, tumor_cells=0, immune_cells=False, dt=6.0, **keywords)


def mean_and_error(values) -> tuple[float, float]:
    return float(np.mean(values)), float(np.std(values, ddof=1) / math.sqrt(len(values)))


# ---------------------------------------------------------------- schedules and levels


@pytest.mark.parametrize(
    ("name", "days"),
    [
        ("pembrolizumab", [0, 21, 42, 63, 84]),
        ("nivolumab", [0, 14, 28, 42, 56, 70, 84]),
        ("atezolizumab", [0, 21, 42, 63, 84]),
        ("placebo", [0, 21, 42, 63, 84]),
        ("car_t", [0]),
        ("aldesleukin", [k / 3 for k in range(14)] + [13 / 3 + 9 + k / 3 for k in range(14)]),
        (
            "interferon_alfa",
            [7 * w + day for w in range(4) for day in range(5)]
            + [28 + k * 7 / 3 for k in range(25)],
        ),
    ],
)
def test_doses_are_given_when_the_label_says(name, days):
    model = empty(treatments=[name])
    model.run(days=84.25, snapshot_every=0, progress=False)
    np.testing.assert_allclose(model.results.doses["day"], days, atol=0.25)
    assert set(model.results.doses["treatment"]) == {name}


@pytest.mark.parametrize(
    ("name", "hours"),
    [
        ("pembrolizumab", 22 * DAY),
        ("nivolumab", 26.7 * DAY),
        ("atezolizumab", 27 * DAY),
        ("aldesleukin", 85 / 60),
        ("interferon_alfa", 2.5),
    ],
)
def test_half_is_left_after_a_half_life(name, hours):
    drug = build({"drug": name, "schedule": {}})
    assert drug.half_life == pytest.approx(hours)
    model = empty(treatments=[drug])
    model.run(days=15, snapshot_every=0, progress=False)
    level = model.results.measures.set_index("day")["value"]
    fallen = np.log2(level[1.0] / level[1.0 + np.arange(1, 5) * 0.25])
    np.testing.assert_allclose(fallen, np.arange(1, 5) * 6 / hours, rtol=1e-6)


def test_a_dose_of_pembrolizumab_is_the_concentration_of_its_mass_in_its_volume():
    model = empty(treatments=["pembrolizumab"]).run(days=0.25, snapshot_every=0, progress=False)
    serum = 0.200 / 149_000 / 6.0 * 1e9  # mol / L -> nM
    found = model.treatments["pembrolizumab"]
    expected = serum * found.value("penetration")
    assert found.concentration(model) == pytest.approx(expected, rel=0.02)


def test_antibodies_accumulate_and_il2_does_not():
    for name, factor in (("pembrolizumab", 1 / (1 - 2 ** (-21 / 22))), ("aldesleukin", 1.0)):
        level = empty(treatments=[{"drug": name, "schedule": {"every": "21 days"}}])
        level = level.run(
            days=9 * 21 + 1, snapshot_every=0, progress=False
        ).results.measures.set_index("day")["value"]
        assert level[9 * 21 + 0.25] / level[0.25] == pytest.approx(factor, rel=0.01)


def test_after_a_drug_is_stopped_no_dose_follows_and_what_is_there_washes_out():
    model = steps(
        TumorModel(shape=(9, 9), seed=1, tumor_cells=9, treatments=["aldesleukin", "nivolumab"]), 30
    )
    model.stop("aldesleukin")
    steps(model, 2 * DAY)
    doses = model.results.doses
    assert list(doses.loc[doses.treatment == "aldesleukin", "day"] * DAY) == [0, 8, 16, 24]
    assert model.rules.il2.value["t_cell"] < 1e-6
    assert "aldesleukin" in model.treatments and model.results.log[-1]["action"] == "stop"


# ---------------------------------------------------------------- receptors


def free(receptor: str, *given, **overrides) -> float:
    """Free share of a receptor one hour after the first doses."""
    overrides = {name.replace("__", "."): value for name, value in overrides.items()}
    model = TumorModel(
        shape=(3, 3),
        seed=1,
        tumor_cells=0,
        immune_cells=False,
        treatments=given,
        overrides=overrides,
    )
    return float(steps(model, 1).rules.free(receptor))


def weak(drug: str, times_kd: float, **more):
    """An antibody whose dose makes ``times_kd`` of its K_d in the tumour."""
    one = build(drug)
    per_mg = 1000.0 / one.value("volume") / one.value("molar_mass") * one.value("penetration")
    return {"drug": drug, "dissociation": one.value("dose") * per_mg / times_kd, **more}


def test_two_antibodies_to_one_receptor_add_up_and_are_not_counted_twice():
    def expected(strength):
        return 1 - 0.8 * strength / (1 + strength)

    one, other = weak("pembrolizumab", 1.0), weak("nivolumab", 2.0)
    alone, beside = (free("pd1", each, checkpoint__max_occupancy=0.8) for each in (one, other))
    both = free("pd1", one, other, checkpoint__max_occupancy=0.8)
    assert (alone, beside, both) == pytest.approx((expected(1), expected(2), expected(3)), rel=0.01)
    assert both > alone * beside


def test_no_dose_covers_more_than_the_most_that_antibodies_cover():
    for receptor, drug in (
        ("pd1", "pembrolizumab"),
        ("pd1", "nivolumab"),
        ("pdl1", "atezolizumab"),
    ):
        left = free(receptor, {"drug": drug, "dose": 5000}, checkpoint__max_occupancy=0.7)
        assert 0.3 < left < 0.305
        assert free({"pd1": "pdl1", "pdl1": "pd1"}[receptor], drug) == 1.0


def test_the_most_that_is_covered_sets_the_effect_and_not_the_dose():
    left = 1 - empty().parameters.checkpoint.max_occupancy
    assert free("pd1", "pembrolizumab") == pytest.approx(left, abs=0.01)
    assert free("pd1", {"drug": "pembrolizumab", "dose": 20}) == pytest.approx(left, abs=0.01)


# ---------------------------------------------------------------- the brake


def kills_of_held_t_cells(seed: int, pdl1: float, given=(), hours: int = DAY, **overrides) -> int:
    """Kills by 64 T cells that stay where they are, each amid eight equal targets; nothing else happens."""
    overrides = (
        NOBODY_ELSE
        | UNIFORM
        | STILL
        | {"tumor.antigen": 10, "tumor.pdl1": pdl1, "tumor.pdl1_induced": 0}
        | overrides
    )
    model = TumorModel(
        "mouse_b16",
        shape=(41, 41),
        seed=seed,
        tumor_cells=41 * 41,
        immune_cells=False,
        overrides=overrides,
        treatments=given,
    )
    places = [(x, y) for x in range(3, 41, 5) for y in range(3, 41, 5)]
    model.kill([model.lattice.occupant[model.lattice.site(place)] for place in places])
    for place in places:
        TCell(model, pos=place)
    return int(steps(model, hours).counters["kills"][model.kinds.index("t_cell")].sum())


def share_of(part: int, whole: int) -> tuple[float, float]:
    """A ratio of two counts and its standard error."""
    return part / whole, part / whole * math.sqrt(1 / part + 1 / whole)


def test_full_engagement_of_pd1_lowers_killing_by_50_to_90_percent():
    seeds = range(3)
    unbraked, braked = (
        sum(kills_of_held_t_cells(seed, pdl1) for seed in seeds) for pdl1 in (0, 10)
    )
    left, error = share_of(braked, unbraked)
    assert 0.1 + 2 * error < left < 0.5 - 2 * error, (
        f"{1 - left:.3f} +- {error:.3f} of killing is lost"
    )
    brakeless = sum(kills_of_held_t_cells(seed, 10, **{"checkpoint.brake": 0}) for seed in seeds)
    assert brakeless == unbraked, "without a brake the same PD-L1 does nothing"


def test_covering_pd1_or_pdl1_gives_killing_back():
    unbraked, braked, by_pd1, by_pdl1, by_both = (
        sum(kills_of_held_t_cells(seed, pdl1, given) for seed in range(2))
        for pdl1, given in (
            (0, ()),
            (10, ()),
            (10, ("pembrolizumab",)),
            (10, ("atezolizumab",)),
            (10, ("pembrolizumab", "atezolizumab")),
        )
    )
    for treated in (by_pd1, by_pdl1):
        assert (
            braked + 5 * math.sqrt(treated + braked)
            < treated
            < unbraked - 2 * math.sqrt(treated + unbraked)
        )
    # Both together leave 0.15 x 0.15 of the signal, next to nothing.
    assert by_both == pytest.approx(unbraked, rel=0, abs=3 * math.sqrt(2 * unbraked))
    for drug in ("pembrolizumab", "atezolizumab"):
        uncovered, alone = (
            kills_of_held_t_cells(0, 10, each, **{"checkpoint.max_occupancy": 0})
            for each in ((drug,), ())
        )
        assert uncovered == alone, f"{drug} that covers nothing does nothing"


@pytest.mark.parametrize("drug", ["pembrolizumab", "nivolumab", "atezolizumab"])
def test_without_pdl1_and_its_induction_drug_and_control_are_equal_byte_for_byte(drug):
    def arms(**pdl1):
        overrides = {f"tumor.{name}": value for name, value in pdl1.items()} | {
            "t_cell.initial_density": 400
        }
        tumor = steps(TumorModel(shape=(31, 31), seed=5, tumor_cells=250, overrides=overrides), 6)
        return [table(arm) for arm in paired(tumor, drug, days=3)]

    control, treated = arms(pdl1=0, pdl1_induced=0)
    assert treated == control
    control, treated = arms(pdl1=2, pdl1_induced=0.5)
    assert treated != control


# ---------------------------------------------------------------- cytokines


def test_il2_makes_lymphocytes_divide_and_wanes_within_a_day_of_the_last_dose():
    crowd = NOBODY_ELSE | {"t_cell.initial_density": 400, "nk_cell.initial_density": 400}
    births = {
        "t_cell": np.zeros(2),
        "nk_cell": np.zeros(2),
    }  # while dosed, and from a day after the last dose on
    for seed in range(3):
        tissue = TumorModel(shape=(41, 41), seed=seed, tumor_cells=0, overrides=crowd)
        control, treated = (tissue.fork(treatments=given) for given in ((), ("aldesleukin",)))
        for part, hours in enumerate((13 * 8 + 24, 4 * DAY)):
            before = treated.counters["births"].copy()
            for arm in (control, treated):
                steps(arm, hours)
            for kind in births:
                births[kind][part] += (treated.counters["births"] - before)[
                    treated.kinds.index(kind)
                ]
        assert len(treated.results.doses) == 14 and not control.counters["births"].any()
        assert treated.count("nk_cell") > control.count("nk_cell") and treated.count(
            "t_cell"
        ) > control.count("t_cell")
    for kind, (dosed, after) in births.items():
        assert dosed > 9 and after == 0, f"{kind}: {births[kind]}"
    deaf = TumorModel(
        shape=(41, 41),
        seed=0,
        tumor_cells=0,
        treatments=["aldesleukin"],
        overrides=crowd | {"t_cell.il2_drive": 0, "nk_cell.il2_drive": 0},
    )
    assert not steps(deaf, 13 * 8).counters["births"].any(), (
        "IL-2 that drives nobody makes nobody divide"
    )


def test_il2_expands_t_and_nk_cells_in_a_tumour():
    more = {"t_cells": [], "nk_cells": []}
    for seed in range(8):
        overrides = {"t_cell.initial_density": 200, "nk_cell.initial_density": 200}
        tumor = TumorModel(shape=(41, 41), seed=seed, tumor_cells=500, overrides=overrides)
        control, treated = paired(tumor, "aldesleukin", days=5)
        for column, found in more.items():
            found.append(math.log(last(treated, column) / last(control, column)))
    for column, found in more.items():
        mean, error = mean_and_error(found)
        assert mean > 3 * error, f"{column}: ln ratio {mean:.3f} +- {error:.3f}"
    unfelt = {
        f"{kind}.{number}": 0
        for kind in ("t_cell", "nk_cell")
        for number in ("il2_drive", "il2_divisions", "il2_refill")
        if (kind, number) != ("t_cell", "il2_refill")
    }
    control, treated = paired(
        TumorModel(shape=(41, 41), seed=0, tumor_cells=500, overrides=overrides | unfelt),
        "aldesleukin",
        days=2,
    )
    assert table(treated) == table(control), (
        "IL-2 acts through drive, divisions and refill, and through nothing else"
    )


@pytest.mark.parametrize("il2_refill", [3, 0])
def test_il2_gives_back_the_capacity_of_nk_cells_sooner(il2_refill):
    """Refill goes as 1 + il2_refill c / (il2_half + c), hour by hour; with il2_refill at zero IL-2 does nothing to it."""
    overrides = NOBODY_ELSE | {
        "nk_cell.initial_density": 500,
        "nk_cell.il2_refill": il2_refill,
        "nk_cell.il2_drive": 0,
    }
    tissue = TumorModel(shape=(21, 21), seed=1, tumor_cells=0, overrides=overrides)
    tissue.cells["capacity"][tissue.rows("nk_cell")] = 0.0
    control, treated = tissue.fork(), tissue.fork(treatments=["aldesleukin"])
    half, expected = control.parameters.fields.il2_half, np.zeros(2)
    for _ in range(12):
        for arm, model in enumerate((control, treated)):
            level = steps(model, 1).rules.il2.value["nk_cell"]
            expected[arm] += model.rules.refill.value["nk_cell"] * (
                1 + il2_refill * level / (half + level)
            )
    found = [arm.cells["capacity"][arm.rows("nk_cell")].mean() for arm in (control, treated)]
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    assert (found[1] > 1.5 * found[0]) == (il2_refill > 0)


def interferon_arms(seed: int, **overrides) -> list[TumorModel]:
    """A tumour without immune cells, four days with and without interferon."""
    overrides = {name.replace("__", "."): value for name, value in overrides.items()}
    tumor = TumorModel(
        shape=(51, 51), seed=seed, tumor_cells=600, immune_cells=False, overrides=overrides
    )
    return paired(tumor, "interferon_alfa", days=4)


def test_interferon_alfa_raises_mhc_and_pdl1_both_and_slows_division():
    births = np.zeros(2)
    for seed in range(4):
        control, treated = interferon_arms(seed)
        for column in ("mean_presented_mhc", "mean_pdl1"):
            rise = treated.results.timeseries[column] - control.results.timeseries[column]
            assert (rise.iloc[1:] > 0).all() and rise.max() > 0.05, column
        births += [arm.counters["births"][0] for arm in (control, treated)]
    assert births[1] < births[0] - 3 * math.sqrt(births.sum()), births
    control, treated = interferon_arms(0, tumor__interferon_arrest=0)
    assert treated.counters["births"][0] == control.counters["births"][0], (
        "without arrest divisions are those of the control"
    )
    assert last(treated, "mean_pdl1") > last(control, "mean_pdl1"), "which leaves PD-L1 induced"


def test_interferon_alfa_acts_through_the_interferon_rule_alone():
    control, treated = interferon_arms(
        1, tumor__interferon_arrest=0, tumor__pdl1_induced=0, tumor__mhc_resting=1
    )
    assert table(treated) == table(control)
    assert str(treated.rules.interferon).count("(interferon_alfa)") == 1


# ---------------------------------------------------------------- CAR T cells


def car_t_curve(target: float, seed: int, days: int = 12, **overrides) -> tuple[float, int]:
    """Area under the CAR T curve (cell days) and kills in a tumour of one target level, with no other immune cell."""
    overrides = UNIFORM | {"tumor.car_target": target, "tumor.car_target_loss": 0} | overrides
    model = TumorModel(
        shape=(41, 41), seed=seed, tumor_cells=600, immune_cells=False, overrides=overrides
    )
    model.give(
        {"drug": "car_t", "dose": 3e8, "trafficking": 0.1, "patient_tumor_cells": 1e9}
    )  # 18 cells
    course = model.run(days=days, snapshot_every=0, progress=False).results.timeseries
    return float(np.trapezoid(course["car_t_cells"], course["day"])), int(
        course["kills_by_car_t"].iloc[-1]
    )


def test_the_lower_the_target_the_smaller_the_car_t_curve_while_cells_are_still_killed():
    targets, seeds = (1.0, 0.3, 0.1), range(3)
    area, kills = np.array(
        [[car_t_curve(target, seed) for seed in seeds] for target in targets]
    ).transpose(2, 0, 1)
    for higher, lower in itertools.pairwise(area):
        mean, error = mean_and_error(np.log(higher / lower))
        assert mean > 3 * error, f"area under the curve {higher} and {lower}"
    assert (kills[-1] > 100).all(), "a target of 0.1 is seen well enough to be killed"
    infused = 18 * 12
    assert (area[-1] < infused).all(), "and too badly to feed expansion"
    one_gate, _ = np.array(
        [car_t_curve(0.1, seed, **{"car_t_cell.half_drive": 0.03}) for seed in seeds]
    ).T
    assert (one_gate > infused).all(), (
        "where what suffices for lysis also feeds, the same target expands them"
    )
    _, unseen = np.array(
        [car_t_curve(0.1, seed, **{"car_t_cell.half_lysis": 1}) for seed in seeds]
    ).T
    assert (unseen < 0.5 * kills[-1]).all(), "where lysis needs more, the same target is spared"


@pytest.mark.slow
def test_two_thresholds_make_the_difference_between_car_t_curves():
    seeds = range(4)
    ratios = []
    for overrides in ({"car_t_cell.half_drive": 0.001}, {}):
        high, low = (
            np.array([car_t_curve(target, seed, **overrides)[0] for seed in seeds])
            for target in (1.0, 0.1)
        )
        ratios.append(np.log(high / low))
    one_threshold, two_thresholds = ratios
    mean, error = mean_and_error(two_thresholds - 2 * one_threshold)
    assert mean > 3 * error, (
        f"ln of the ratio of curves: one threshold {one_threshold}, two {two_thresholds}"
    )


def test_the_infusion_reaches_the_patch_in_proportion():
    for dose, expected in ((1e8, 3), (2e8, 6), (1e9, 30)):
        model = TumorModel(shape=(41, 41), seed=1, tumor_cells=600, immune_cells=False)
        model.give({"drug": "car_t", "dose": dose, "trafficking": 0.05, "patient_tumor_cells": 1e9})
        steps(model, 1)
        assert model.treatments["car_t"].state["infused"] == expected
        assert model.treatments["car_t"].measure(model)["infused"] == expected
        assert abs(model.count("car_t_cell") - expected) <= 1
        assert list(model.results.doses["amount"]) == [dose]


def car_t_course(**overrides):
    """60 CAR T cells infused into a small tumour, ten days."""
    model = TumorModel(
        shape=(41, 41),
        seed=1,
        tumor_cells=600,
        immune_cells=False,
        overrides={name.replace("__", "."): value for name, value in overrides.items()},
    )
    model.give({"drug": "car_t", "dose": 1e9, "trafficking": 0.1})
    course = model.run(days=10, snapshot_every=0, progress=False).results.timeseries
    assert model.treatments["car_t"].state["infused"] == 60
    return course


def test_car_t_cells_without_any_target_contract_and_are_lost():
    """Survivors are binomial at every moment; with target they expand, and without death all stay."""
    course = car_t_course(tumor__car_target=0, car_t_cell__death_rate=0.5)
    share = np.exp(-0.5 * course["day"])[1:]
    off = (course["car_t_cells"][1:] - 60 * share) / np.sqrt(60 * share * (1 - share))
    assert np.abs(off).max() < 4, (
        f"CAR T cells leave 60 exp(-d t) by {np.abs(off).max():.1f} standard errors"
    )
    assert course["kills_by_car_t"].iloc[-1] == 0
    undying = car_t_course(tumor__car_target=0, car_t_cell__death_rate=0)
    assert (undying["car_t_cells"][1:] == 60).all() and undying["kills_by_car_t"].iloc[-1] == 0
    seen = car_t_course(car_t_cell__death_rate=0.5)
    more = seen["car_t_cells"][12] - 60 * share[12]
    assert more > 4 * np.sqrt(60 * share[12]) and seen["kills_by_car_t"].iloc[-1] > 100, (
        "it is the target that they lack"
    )


# ---------------------------------------------------------------- given, stopped, combined


@pytest.fixture(scope="module")
def tumor() -> TumorModel:
    overrides = {
        "t_cell.initial_density": 200,
        "car_t_cell.initial_density": 60,
        "nk_cell.initial_density": 100,
        "tumor.pdl1": 1,
    }
    return steps(TumorModel(shape=(31, 31), seed=3, tumor_cells=350, overrides=overrides), 6)


def test_placebo_equals_control_byte_for_byte(tumor):
    control, placebo = (
        tumor.fork(treatments=given).run(days=2, progress=False) for given in ((), ("placebo",))
    )
    assert table(placebo) == table(control)
    assert len(placebo.results.doses) == 1
    day = placebo.results.snapshots[2.0].frame()
    assert day.equals(control.results.snapshots[2.0].frame())


def test_the_order_of_the_list_does_not_matter_to_the_last_bit(tumor):
    given = [*names()]
    one, other, none = (
        tumor.fork(treatments=order).run(days=1.5, progress=False)
        for order in (given, given[::-1], ())
    )
    assert table(one) == table(other) != table(none)
    assert one.results.snapshots[1.5].frame().equals(other.results.snapshots[1.5].frame())


def test_a_treatment_given_live_starts_then_and_is_written_down(tumor):
    model = steps(tumor.fork(), DAY)
    model.give({"drug": "aldesleukin", "first_dose": 0.5})
    steps(model, DAY)
    assert list(model.results.doses["day"] * DAY) == [36, 44]
    entry = model.results.log[-1]
    assert (entry["day"], entry["action"], entry["parameters"]) == (
        1.0,
        "give",
        {"first_dose": 0.5},
    )
    assert entry["class"] == "simulation.treatments.cytokines:Aldesleukin"


def test_a_treatment_stopped_before_its_first_dose_leaves_no_trace(tumor):
    control, treated = tumor.fork(), tumor.fork(treatments=[{"drug": "car_t", "first_dose": 1}])
    for arm in (control, treated):
        steps(arm, 12)
    unstopped = treated.fork()
    treated.stop("car_t")
    for arm in (control, treated, unstopped):
        steps(arm, DAY)
    assert table(treated) == table(control) and treated.results.doses.empty
    assert unstopped.count("car_t_cell") > treated.count("car_t_cell"), (
        "a dose that is not stopped is given"
    )


def test_the_model_keeps_its_own_copy_of_a_treatment(tumor):
    drug = treatments.Pembrolizumab()
    one, other = tumor.fork(treatments=[drug]), tumor.fork(treatments=[drug])
    drug.set(dose=0)
    steps(one, 2)
    assert (
        one.treatments["pembrolizumab"].value("dose") > 0
        and len(one.treatments["pembrolizumab"].doses) == 1
    )
    assert drug.doses == [] and not other.treatments
    assert float(one.rules.free("pd1")) < 0.5


def test_two_treatments_of_one_name_and_an_unknown_name_are_refused(tumor):
    model = tumor.fork(treatments=["pembrolizumab"])
    with pytest.raises(TreatmentError, match="two treatments named 'pembrolizumab'"):
        model.give("pembrolizumab")
    steps(model, 1)
    with pytest.raises(TreatmentError, match="two treatments named 'pembrolizumab'"):
        model.give(treatments.Nivolumab(name="pembrolizumab"))
    model.give(treatments.Pembrolizumab(name="second"))
    with pytest.raises(
        TreatmentError, match=r"no treatment 'pembrolizumap' .*did you mean 'pembrolizumab'"
    ):
        model.stop("pembrolizumap")


# ---------------------------------------------------------------- found and built


def test_a_treatment_is_found_by_name_and_by_module_and_class():
    assert (
        find("pembrolizumab")
        is find("simulation.treatments:Pembrolizumab")
        is treatments.Pembrolizumab
    )
    assert names() == sorted(names()) and {"placebo", "car_t", "aldesleukin"} <= set(names())
    for name in names():
        assert find(name)().name == name


def test_a_treatment_is_built_from_a_name_a_class_an_instance_or_a_table():
    table = {
        "drug": "pembrolizumab",
        "name": "p",
        "first_dose": 7,
        "half_life": "20 days",
        "schedule": {"every": "6 weeks"},
    }
    drug = build(table)
    assert (drug.name, drug.value("first_dose"), drug.half_life) == ("p", 7, 20 * 24)
    assert drug.schedule == Schedule(every="6 weeks") and table["drug"] == "pembrolizumab"
    twin = build(drug)
    assert twin is not drug and (twin.name, twin.changed(), twin.schedule) == (
        drug.name,
        drug.changed(),
        drug.schedule,
    )
    assert type(build("placebo")) is type(build(treatments.Placebo)) is treatments.Placebo


@pytest.mark.parametrize(
    ("what", "error", "words"),
    [
        (
            "pembrolizumap",
            TreatmentError,
            r"no treatment 'pembrolizumap' \(did you mean 'pembrolizumab'\?\)",
        ),
        ("Pembrolizumab", TreatmentError, r"did you mean 'pembrolizumab'"),
        ("zzz", TreatmentError, r"choices: aldesleukin, .*module:Class"),
        ("nowhere:Drug", TreatmentError, r"module 'nowhere' cannot be imported"),
        ("simulation.treatments:Pembro", TreatmentError, r"has no class 'Pembro'"),
        (
            "simulation:TumorModel",
            TreatmentError,
            r"TumorModel is not a subclass of simulation.Treatment",
        ),
        (3, TreatmentError, r"3 is not a treatment: give a name, a class, an instance or a table"),
        (TumorModel, TreatmentError, r"is not a treatment"),
        ({"dose": 3}, TreatmentError, r"needs drug ="),
        ({"drug": "pembro"}, TreatmentError, r"did you mean 'pembrolizumab'"),
        (
            {"drug": "pembrolizumab", "half_live": 3},
            ParameterError,
            r"half_live' \(did you mean 'half_life'\?\)",
        ),
        (
            {"drug": "pembrolizumab", "half_life": 300},
            ParameterError,
            r"half_life = 300 is not allowed: .* 15 and 30 day",
        ),
        (
            {"drug": "pembrolizumab", "half_life": "3 mg"},
            ParameterError,
            r"half_life = '3 mg' is not allowed",
        ),
        (
            {"drug": "pembrolizumab", "dose": float("nan")},
            ParameterError,
            r"dose = nan is not allowed",
        ),
        (
            {"drug": "pembrolizumab", "first_dose": -1},
            ParameterError,
            r"first_dose = -1 is not allowed",
        ),
        (
            {"drug": "pembrolizumab", "name": "two words"},
            TreatmentError,
            r"letters, digits and underscores, not 'two w",
        ),
        (
            {"drug": "pembrolizumab", "schedule": {"evry": "1 day"}},
            ScheduleError,
            r"no 'evry' \(did you mean 'every'\?\)",
        ),
        (
            {"drug": "pembrolizumab", "schedule": "weekly"},
            ScheduleError,
            r"schedule = 'weekly' must be a table",
        ),
    ],
)
def test_what_cannot_be_built_is_answered_with_one_sentence(what, error, words):
    with pytest.raises(error, match=words) as caught:
        build(what)
    assert isinstance(caught.value, ValueError) and "\n" not in str(caught.value)


def test_a_named_drug_is_a_subclass_holding_the_numbers_of_its_label():
    class Biweekly(treatments.PD1Blockade):
        """Anti-PD-1 antibody, every 2 weeks."""

        half_life = Parameter(
            10, "day", "terminal serum half-life", source="assumed: to be tried", range=(5, 15)
        )
        schedule = Schedule(every="2 weeks")

    assert Biweekly().half_life == 240 and Biweekly().name == "biweekly"
    assert Biweekly.describe() == "Anti-PD-1 antibody, every 2 weeks."
    assert free("pd1", Biweekly()) < 0.2


def test_treatments_that_ship_use_only_what_the_package_exports():
    """Names imported are exported ones (or their modules' public names); nothing private is touched."""
    of_types = {"Model", "RulesOf"}
    allowed = {
        *simulation.__all__,
        *of_types,
        "TreatmentError",
        "snake_case",
        "mean_level",
        "nearest",
    }
    files = {inspect.getfile(treatments.find(name)) for name in treatments.names()}
    assert len(files) >= 4
    for file in map(Path, files):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom):
                assert {alias.name for alias in node.names} <= allowed, file.name
            if isinstance(node, ast.Attribute):
                assert not node.attr.startswith("_"), f"{file.name} touches {node.attr}"


def test_every_drug_names_papers_for_its_label_numbers():
    for name in names():
        cited = TumorModel(shape=(3, 3), tumor_cells=0, immune_cells=False, treatments=[name])
        steps(cited, 1)
        label = f"[label:{name}"
        if name not in ("placebo", "car_t"):
            assert any(label in line for line in cited.citations()), name


def test_the_base_treatment_does_nothing_and_describes_itself():
    assert Treatment().measure(None) == {} and Treatment.describe() == "Base of all treatments."


HOOKS = ("on_start", "on_dose", "on_step", "modify", "measure")


def test_every_hook_is_called_through_one_place_of_the_regimen():
    model = TumorModel(shape=(9, 9), seed=1, tumor_cells=5, treatments=["placebo"])
    call, heard = model.regimen.call, []

    def listening(treatment, hook, *arguments):
        heard.append((treatment.name, hook))
        return call(treatment, hook, *arguments)

    model.regimen.call = listening
    model.run(0.5, progress=False)
    assert dict.fromkeys(heard) == dict.fromkeys(("placebo", hook) for hook in HOOKS), (
        "each hook, in the order of a step"
    )


def test_no_module_of_the_engine_calls_a_hook_by_itself():
    engine = Path(simulation.__file__).parent
    for file in engine.rglob("*.py"):
        if file.parent.name == "testing":  # promises call measure() of a drug on the bench
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in HOOKS[:-1]
            ):
                of_base = (
                    isinstance(node.func.value, ast.Call)
                    and ast.unparse(node.func.value) == "super()"
                )
                assert of_base, f"{file.name}:{node.lineno} calls {node.func.attr}()"
