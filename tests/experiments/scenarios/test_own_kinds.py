"""Scenarios name kinds of cells and processes of a user's own, in a file beside them, for the whole way to the report."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from experiments.command.catalog import entry
from experiments.lab.course import Course
from experiments.lab.legend import legend
from experiments.lab.monitors import monitors
from experiments.runs.outcomes import OUTCOMES
from experiments.scenarios.arms import advance, begun, grown, planted, tumor_key
from experiments.scenarios.own_code import only_named
from experiments.scenarios.scenario import Scenario
from simulation import plug_ins
from tests.experiments.scenarios.test_own_code import tumorlab

SCENARIO = """
question = "Do phagocytes of one's own eat the tumour?"
parameters = "melanoma"
shape = [25, 25]
days = 0.5
tumor_cells = 120
kinds = ["their_phagocyte:PHAGOCYTE"]
set = { "phagocyte.influx" = 600 }
[arms.hungry]
start = "twin"
set = { "phagocyte.appetite" = 60 }
"""
LATE = """
question = "Who comes when?"
parameters = "melanoma"
shape = [25, 25]
days = 0.75
tumor_cells = 120
processes = "their_phagocyte:TALLY"
set = { "phagocyte.influx" = 900 }
arms.now.kinds = "their_phagocyte:PHAGOCYTE"
[[arms.later.treatments]]
drug = "their_phagocyte:Bringer"
given = 0.25
"""
SWEEP = """
question = "Does their appetite matter?"
scenario = "eaten.toml"
seeds = 1
vary = { "phagocyte.appetite" = [0, 60] }
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder of a user with the phagocyte beside two scenarios and a sweep; the commands are given elsewhere."""
    place = tmp_path_factory.mktemp("own_kinds")
    source = Path(__file__).parents[2] / "phagocyte.py"
    shutil.copy(source, place / "their_phagocyte.py")
    for name, text in {"eaten": SCENARIO, "late": LATE, "sweep": SWEEP}.items():
        (place / f"{name}.toml").write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", list(sys.path))
        patch.setattr(plug_ins, "_beside", [])
        yield place
    sys.modules.pop("their_phagocyte", None)


@pytest.fixture(scope="module")
def run(folder):
    """A run of the first scenario, by the command."""
    done = tumorlab("run", folder / "eaten.toml", "--out", folder / "run")
    assert done.exit_code == 0, done.output
    return folder / "run"


def test_a_run_counts_them_and_says_where_they_come_from(run):
    table = pd.read_csv(run / "timeseries.csv")
    end = table.groupby("arm").last()
    assert (end["phagocytes"] > 0).all() and (end["kills_by_phagocyte"] > 0).all()
    columns = json.loads((run / "columns.json").read_text())
    assert columns["phagocytes"]["meaning"] == "living phagocytes"
    assert "killed by phagocytes" in columns["kills_by_phagocyte"]["meaning"]
    record = json.loads((run / "run.json").read_text())
    assert record["scenario"]["in_force"]["kinds"] == ["their_phagocyte:PHAGOCYTE"]
    assert record["arms"]["hungry"]["parameters"]["phagocyte.appetite"] == 60
    assert record["arms"]["control"]["parameters"]["phagocyte.influx"] == 600
    assert any("QSPIO" in paper for paper in record["papers"])
    page = (run / "report.html").read_text()
    assert "phagocytes live in it" in page and "tumour cells killed by phagocytes" in page
    assert "their_phagocyte:PHAGOCYTE, a module of your own" in page
    assert tumorlab("run", run.parent / "eaten.toml", "--out", run, "--resume").exit_code == 0


def test_the_folder_is_read_without_their_code(run, tmp_path):
    """In another process, where the code is not there: pictures and report are the same to the last byte."""
    other = shutil.copytree(run, tmp_path / "run")
    before = {name: (other / name).read_bytes() for name in ("overview.png", "report.html")}
    done = subprocess.run(
        [sys.executable, "-m", "experiments.command.cli", "plot", str(other)],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert before == {name: (other / name).read_bytes() for name in before}


def test_show_tells_of_them_and_runs_no_code_that_is_not_asked_for(folder, monkeypatch):
    sys.modules.pop("their_phagocyte", None)
    shown = entry(str(folder / "eaten.toml"))
    assert any("tumorlab show their_phagocyte:PHAGOCYTE" in fact for fact in shown.facts)
    assert "their_phagocyte" not in sys.modules
    monkeypatch.chdir(folder)
    said = tumorlab("show", "their_phagocyte:PHAGOCYTE").stdout
    assert "turns from M1 to M2" in said and "phagocyte.appetite" in said
    assert "polarise, after act" in said


def test_a_sweep_varies_them(folder):
    done = tumorlab("sweep", folder / "sweep.toml", "--out", folder / "study", "--workers", 1)
    assert done.exit_code == 0, done.output
    table = pd.read_parquet(folder / "study" / "outcomes.parquet")
    killed = table[table["arm"] == "control"].set_index("phagocyte.appetite")["kills_by_phagocyte"]
    assert killed[0.0] == 0 and killed[60.0] > 0
    assert list(table.columns)[-2:] == ["kills_by_phagocyte", "peak_phagocytes"]
    assert "kills_by_phagocyte" not in OUTCOMES


def test_an_arm_has_them_of_its_own_and_a_treatment_brings_them_later(folder):
    scenario = Scenario.load(folder / "late.toml")
    trunk = grown(scenario)
    assert "phagocyte" not in trunk.kinds.names and "tally" in trunk.processes
    found = {}
    for arm in scenario.arms:
        model = found[arm] = advance(begun(scenario, arm, lambda: trunk), scenario, 0.75)
        assert model.process_state["tally"]["steps"] == 18
    assert "phagocytes" not in found["control"].results.timeseries
    assert found["now"].count("phagocyte") > 0 and found["later"].count("phagocyte") > 0
    for arm in ("now", "later"):
        assert found[arm].parameters["phagocyte.influx"] == 900
    course = Course(found["now"])
    assert course["phagocytes"][-1] == found["now"].count("phagocyte")
    assert monitors(course)["phagocytes"].remark.startswith("killed")
    key = legend("kinds", [course.snapshot], 1.0)
    assert "phagocytes" in key and "turns from M1 to M2" in key
    assert Course(found["control"])["phagocytes"].max() == 0


def test_a_tumour_is_known_by_its_kinds(folder):
    scenario = Scenario.load(folder / "eaten.toml")
    assert "their_phagocyte:PHAGOCYTE" in tumor_key(scenario)
    assert "kinds" not in tumor_key(Scenario.load("cold_tumor"))
    assert planted(scenario).parameters["phagocyte.influx"] == 600
    with only_named():
        Scenario.load(folder / "eaten.toml").model_parameters()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("PHAGOCYTE", "PHAGOCYT", "kinds[0]: module 'their_phagocyte' has no kind of cell 'PHAGOCYT'"
         " (did you mean 'PHAGOCYTE'?)"),
        ("PHAGOCYTE", "TALLY", "is not a CellKind"),
        ("their_phagocyte:PHAGOCYTE", "phagocyte", "there is no kind of cell 'phagocyte'"),
        ("their_phagocyte:PHAGOCYTE", "nk_cell", "every model has the kind 'nk_cell'"),
        ("their_phagocyte:PHAGOCYTE", "os:path", "os is a module of Python itself"),
        ("their_phagocyte:", "./their_phagocyte.py:", "called without folder and ending: their_phagocyte:PHAGOCYTE"),
        ("their_phagocyte:", "their_phagocite:", "cannot be imported"),
        ("phagocyte.influx", "phagocyte.inflx", "did you mean 'phagocyte.influx'"),
        ("phagocyte.influx\" = 600", "phagocyte.influx\" = -1", "set: phagocyte.influx = -1 is not allowed"),
        ("kinds = ", "kind = ", "kind is an unknown key (did you mean 'kinds'?)"),
        ("kinds = [", "kinds = [3, ", "kinds[0] = 3 is not allowed"),
        ("kinds = [", "kinds = [\"their_phagocyte:PHAGOCYTE\", ", "a second kind of cell called 'phagocyte'"),
        ("kinds = [", "processes = [", "is not a Process"),
        ("start = \"twin\"", "start = \"twin\"\nkinds = \"their_phagocyte:PHAGOCYTE\"", "arms.hungry.kinds[0]"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_sentence(folder, old, new, said):
    bad = folder / "bad.toml"
    bad.write_text(SCENARIO.replace(old, new, 1))
    done = tumorlab("run", bad, "--out", folder / "bad")
    assert done.exit_code == 2 and said in " ".join(done.stderr.split()), done.stderr
    assert "Traceback" not in done.stderr and not (folder / "bad").exists()
