"""The benchmark writes what it promises; how fast it was is nobody's test."""

import json
import subprocess
import sys

import pytest

from experiments.reference import benchmark, turns
from simulation.step import VERBS


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    out = tmp_path_factory.mktemp("benchmark") / "numbers.json"
    returned = benchmark.main(out, quick=True)
    numbers = json.loads(out.read_text())
    assert numbers == returned
    return numbers


def test_keys_and_values_are_sane(written):
    assert written["ratio_to_mesa"] > 1.0 and written["ratio_to_mesa_whole_step"] > 0.0
    assert written["step_ms"] > 0.0 and written["cost_per_cell_largest_to_smallest"] > 0.0
    assert 0.0 <= written["bytes_per_site"] < 1e6
    assert list(written["parts_ms"]) == list(VERBS) and all(
        ms >= 0.0 for ms in written["parts_ms"].values()
    )
    assert {"processor", "cores", "load", "python", "numba", "mesa"} <= written["machine"].keys()


def test_each_size_holds_all_lineages_in_2d_and_3d(written):
    assert {len(case["shape"]) for case in written["cases"]} == {2, 3}
    for case in written["cases"]:
        assert case["cells"] == sum(case["counts"].values()) and min(case["counts"].values()) > 0
        assert case["cell_steps_per_s"] == pytest.approx(1000.0 * case["cells"] / case["step_ms"])
        assert sum(case["parts_ms"].values()) == pytest.approx(case["step_ms"], rel=0.5)


def test_an_infiltrated_tumor_is_as_ordered():
    case = benchmark.Case("", (40, 40), 500, 0)
    model = benchmark.infiltrated(case)
    assert model.counts() == {"tumor_cell": 500, "t_cell": 90, "car_t_cell": 10, "nk_cell": 50}
    model.step()
    assert sorted(model.treatments) == sorted(benchmark.TREATMENTS)


WITHOUT = """
import importlib, os, pkgutil, sys, types
import matplotlib.pyplot, mesa, numba, pandas, psutil, pydantic, rich.progress, scipy.integrate, typer
for name in ("resource", "fcntl", "pwd", "grp", "termios"):
    sys.modules[name] = None
for name in ("getloadavg", "sched_getaffinity", "sysconf", "getuid", "uname"):
    delattr(os, name)
import experiments, simulation
for package in (simulation, experiments):
    for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not found.name.startswith("experiments.page."):
            importlib.import_module(found.name)
from experiments.page import app  # what else makes the page is solara's
from experiments.reference import benchmark
from experiments.studies import cores
psutil.Process = lambda: types.SimpleNamespace(memory_info=lambda: types.SimpleNamespace(peak_wset=7))
psutil.getloadavg = lambda: (0.5, 0.5, 0.5)  # of its own where the system has none
assert benchmark.peak_memory() == 7 and cores.usable_cores() >= 1
names = ("processor", "machine", "platform", "python_version")
benchmark.platform = types.SimpleNamespace(**{name: lambda: "" for name in names})
assert benchmark.machine()["load"] == 0.5
"""


def test_nothing_needs_a_module_that_only_unix_has():
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr


def test_two_checkouts_are_measured_in_turn_with_their_own_code(monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(
        turns,
        "least",
        lambda checkout, *size: (
            asked.append(checkout),
            {"act": len(asked) + 10.0 * (checkout == tmp_path), "divide": 1.0},
        )[1],
    )
    found = turns.in_turn(tmp_path, (20, 20), 200, turns=2)
    assert asked == [tmp_path, turns.HERE] * 2
    assert found == {"act": (11.0, 2.0), "divide": (1.0, 1.0), "step": (12.0, 3.0)}


def test_a_checkout_is_measured_by_verb():
    assert list(turns.least(turns.HERE, (20, 20), 200, 1)) == list(VERBS)
