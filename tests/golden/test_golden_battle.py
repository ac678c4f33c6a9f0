"""A second kept run in which everything happens, and the proof that it is not blind: every rule moved a little shows in it.

To keep new numbers: raise ``RESULTS`` in ``simulation/state.py``, then ``python -m tests.golden.test_golden_battle``.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from simulation import Treatment, TumorModel
from simulation.rules import RULES
from simulation.state import RESULTS
from tests.golden.test_golden import agree, read, renew

KEPT = Path(__file__).parent / "battle.csv"
EVERY = 6  # hours between rows
CROWD = {
    "tumor.antigen": 0.5,
    "tumor.mhc": 0.3,
    "tumor.pdl1": 0.6,
    "tumor.mhc_loss": 0.02,
    "tumor.mhc_halving": 0.02,
    "tumor.antigen_loss": 0.02,
    "tumor.car_target_loss": 0.02,
    "tumor.division_rate": 1.6,
    "tumor.necrosis_threshold": 28,
    "tumor.necrosis_rate": 0.2,
    "recruitment.rim_share": 0.2,
    "recruitment.half_release": 400,
    "t_cell.initial_density": 60,
    "t_cell.base_influx": 40,
    "t_cell.influx_gain": 240,
    "t_cell.kill_rate": 1,
    "t_cell.division_rate": 4,
    "car_t_cell.initial_density": 10,
    "car_t_cell.base_influx": 40,
    "car_t_cell.influx_gain": 120,
    "car_t_cell.kill_rate": 0.5,
    "car_t_cell.division_rate": 2,
    "nk_cell.initial_density": 60,
    "nk_cell.base_influx": 10,
    "nk_cell.influx_gain": 200,
    "nk_cell.capacity": 1,
    "nk_cell.engage_rate": 2,
    "nk_cell.exhaustion_rate": 0.1,
    "nk_cell.il2_secretion": 1,
    "nk_cell.division_rate": 2,
    **{
        f"{kind}.{name}": value
        for kind in ("t_cell", "car_t_cell", "nk_cell")
        for name, value in (("division_limit", 1), ("il2_divisions", 3))
    },
}
SPACES = {
    "tissue": {"shape": (41, 41)},
    "liquid": {"shape": (41, 41), "liquid": True},
    "volume": {"shape": (12, 12, 12)},
}
DAYS = {"tissue": 8, "liquid": 4, "volume": 4}


class Mask(Treatment):
    """Hides half of the antigen of chosen cells, those with little CAR target, and makes them die; young T cells hit less."""

    def modify(self, rules, model):
        dim = model.rows("tumor_cell") & (model.cells["car_target"] < 0.9)
        rules.antigen_shown.scale(0.5, where=dim)
        rules.death.add(0.001, where=dim)
        rules.kill.scale(0.8, where=model.rows("t_cell") & (model.clock - model.cells["born"] < 48))


class Nudge(Treatment):
    """Moves one rule of one kind, or of all, a little."""

    def __init__(self, rule, kind):
        super().__init__()
        self.rule, self.kind = rule, kind

    def modify(self, rules, model):
        bend = getattr(rules, self.rule)
        if self.rule in ADDED:
            bend.add(ADDED[self.rule], kind=self.kind)
        else:
            bend.scale(FACTORS.get(self.rule, 1.05), kind=self.kind)


ADDED = {
    "il2": 0.05,
    "interferon": 0.05,
    "division_limit": 1,
}  # zero before any treatment, or counted in whole divisions
FACTORS = {"potency": 0.95}  # whole hits: the fraction is cut off, so only less of it shows


UNREAD = {  # (rule, kind) that is not zero here and that no loop reads, with the reason
    (
        "il2",
        "tumor_cell",
    ): "only cells that are driven to divide or refill their capacity feel IL-2",
    ("division_limit", "tumor_cell"): "only kinds that are driven to divide have a limit",
    **{
        (
            "interferon",
            kind,
        ): "interferon acts on what shows PD-L1 or MHC-I, or stops dividing: tumour cells here"
        for kind in ("t_cell", "car_t_cell", "nk_cell")
    },
}


def given() -> list:
    return [
        "aldesleukin",
        "interferon_alfa",
        "pembrolizumab",
        Mask(),
        {"drug": "car_t", "trafficking": 0.002, "patient_tumor_cells": 1e8, "first_dose": 1},
    ]


def battle(space: str = "tissue", treatments=(), overrides=()) -> TumorModel:
    crowd = {
        name: min(value * 30, 1000)
        if space == "volume" and name.endswith(("density", "influx", "influx_gain"))
        else value
        for name, value in CROWD.items()
    }
    return TumorModel(
        "mouse_b16",
        [*given(), *treatments],
        seed=11,
        tumor_cells=900,
        overrides=crowd | dict(overrides),
        **SPACES[space],
    )


def row(model: TumorModel) -> dict:
    """The numbers of a moment, and for every kind who came, was born, died, and the NK cells that are out of kills."""
    found = dict(model.measures)
    for k, kind in enumerate(model.kinds.names):
        found |= {
            f"{event}.{kind}": int(model.counters[event][k])
            for event in ("arrived", "births", "deaths")
        }
    spent = model.rows("nk_cell") & (model.cells["capacity"] < 1)
    return found | {"spent_nk": int(np.count_nonzero(spent))}


def rows(model: TumorModel, days: float):
    """A row at once and one every 6 hours."""
    yield row(model)
    for hour in range(1, round(days * 24) + 1):
        model.step()
        if hour % EVERY == 0:
            yield row(model)


def all_rows() -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"space": space, **found}
            for space in SPACES
            for found in rows(battle(space), DAYS[space])
        ]
    )


@pytest.fixture(scope="module")
def course() -> pd.DataFrame:
    return all_rows()


@pytest.fixture(scope="module")
def unchanged(course) -> list[tuple]:
    """The rows in tissue, to be compared with those of a run in which something was changed."""
    return [
        tuple(each)
        for each in course[course.space == "tissue"].drop(columns="space").to_numpy().tolist()
    ]


def shows(model: TumorModel, unchanged: list[tuple]) -> bool:
    """Whether a run leaves the course; it is followed until it does."""
    return any(
        not np.array_equal(tuple(found.values()), kept, equal_nan=True)
        for found, kept in zip(rows(model, DAYS["tissue"]), unchanged, strict=True)
    )


def test_the_same_seed_still_gives_the_kept_battle(course):
    rules, kept = read(KEPT)
    assert rules == RESULTS, "raise RESULTS and renew the kept battle together"
    agree(course, kept)


def test_everything_happens_in_the_battle(course):
    """In tissue: kills by each kind, capacity that runs out and comes back, arrivals that follow release after 4 days."""
    table = course[course.space == "tissue"].set_index("day")
    end = table.iloc[-1]
    for column in (
        "kills_by_t",
        "kills_by_car_t",
        "kills_by_nk",
        "necrosis_deaths",
        "births.tumor_cell",
        "births.t_cell",
        "births.car_t_cell",
        "births.nk_cell",
        "deaths.t_cell",
        "deaths.nk_cell",
    ):
        assert end[column] > 20, f"{column} is {end[column]}"
    spent = table["spent_nk"]
    assert spent.max() > 20 and spent.iloc[-1] < spent.max() / 2, (
        "capacity runs out and is refilled"
    )
    for kind in ("t_cell", "car_t_cell", "nk_cell"):
        came = table[f"arrived.{kind}"]
        early, late = came[4.0] / 4, (came[8.0] - came[4.0]) / 4
        error = np.sqrt(early / 4 + late / 4)
        assert late > early + 3 * error, (
            f"{kind}: {early} a day before the delay is over, {late} after"
        )


@pytest.fixture(scope="module")
def baseline() -> dict[tuple[str, str], float]:
    """The rules in force a day before anything is given, by rule and kind."""
    model = TumorModel("mouse_b16", shape=(3, 3), seed=1, tumor_cells=0, overrides=CROWD)
    return {
        (rule.name, kind): value
        for rule in RULES
        for kind, value in getattr(model.rules, rule.name).value.items()
    }


@pytest.mark.parametrize("rule", [rule.name for rule in RULES])
def test_every_rule_moved_a_little_shows(rule, unchanged):
    assert shows(battle(treatments=[Nudge(rule, None)]), unchanged), (
        f"{rule} was changed and the kept run does not see it"
    )


@pytest.mark.slow
def test_every_rule_of_every_kind_moved_a_little_shows_but_for_those_that_nobody_reads(
    baseline, unchanged
):
    tried = [pair for pair, value in baseline.items() if value or pair[0] in ADDED]
    blind = {
        (rule, kind)
        for rule, kind in tried
        if not shows(battle(treatments=[Nudge(rule, kind)]), unchanged)
    }
    assert blind == set(UNREAD), "what is listed as unread, and nothing else, leaves no trace"


@pytest.mark.parametrize("left_out", range(5))
def test_every_treatment_left_out_shows(left_out, unchanged, monkeypatch):
    fewer = given()
    del fewer[left_out]
    monkeypatch.setattr(f"{__name__}.given", lambda: fewer)
    assert shows(battle(), unchanged)


def test_a_run_in_which_nothing_was_changed_is_the_course(unchanged):
    assert not shows(battle(treatments=["placebo"]), unchanged), "what shows is the change"


if __name__ == "__main__":
    renew(all_rows(), KEPT)
