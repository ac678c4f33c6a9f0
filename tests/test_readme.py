"""What the README shows is run as it is written there."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from experiments.scenarios.scenario import Scenario
from experiments.studies.study import SHIPPED, Study
from experiments.studies.sweep.sweep import Sweep
from simulation import TumorModel, check_cell_kind, check_treatment

ROOT = str(Path(__file__).parent.parent)
README = (Path(ROOT) / "README.md").read_text(encoding="utf-8")
SESSION, SWEEP, TREATMENT, USE = re.findall(
    r"^```python\n(.*?)^```", README, re.DOTALL | re.MULTILINE
)
SWEEP_FILE, SCENARIO, TABLES = re.findall(r"^```toml\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with the README's treatment in it, as the current one."""
    (tmp_path / "chemotherapy.py").write_text(TREATMENT, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_the_treatment_keeps_its_promises_and_can_be_used(folder, capsys):
    exec(compile(USE, "README.md", "exec"), {})
    assert "chemotherapy" in capsys.readouterr().out


def test_the_treatment_kills_tumour_cells(folder):
    from chemotherapy import Chemotherapy

    control = TumorModel(shape=(61, 61), seed=2)
    treated = control.fork(treatments=[Chemotherapy(potency=3)])
    for arm in (control, treated):
        arm.run(days=1)
    assert treated.counts()["tumor_cell"] < 0.8 * control.counts()["tumor_cell"]


def test_the_scenario_is_accepted(folder):
    scenario = Scenario.from_text(SCENARIO)
    assert list(scenario.arms) == ["control", "pembrolizumab", "both", "inflamed"]
    assert [treatment.name for treatment in scenario.build_treatments("both")] == [
        "pembrolizumab",
        "chemo",
    ]


def test_what_the_scenario_defines_in_tables_is_accepted_and_keeps_its_promises(folder):
    scenario = Scenario.from_text(SCENARIO + TABLES)
    (drug,) = scenario.build_treatments("mine")
    assert drug.describe() == "A toxic antibody against PD-L1, weekly."
    assert "added_death_of_tumor_cell" in drug.parameters()
    check_treatment(type(drug))
    (kind,) = scenario.own_kinds
    check_cell_kind(kind)


def test_the_scenarios_and_studies_of_the_tables_are_those_that_ship():
    table = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", README, re.MULTILINE))
    studies = {
        name: tomllib.loads((SHIPPED / f"{name}.toml").read_text())["question"]
        for name in Study.names()
    }
    assert table == {name: Scenario.load(name).question for name in Scenario.names()} | studies


def test_the_lessons_of_the_table_are_those_that_ship():
    lessons = sorted(Path(ROOT, "notebooks").glob("*.ipynb"))
    assert re.findall(r"\]\((notebooks/.*?\.ipynb)\)", README) == [
        f"notebooks/{lesson.name}" for lesson in lessons
    ]


def test_the_sweep_file_is_accepted():
    study = Sweep.from_content(tomllib.loads(SWEEP_FILE))
    assert len(study.runs()) == 3 * 4 * 3 * 10


@pytest.mark.slow
def test_the_sweep_in_ten_lines_runs(folder):
    (folder / "ten_lines.py").write_text(SWEEP, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "ten_lines.py"],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": ROOT},
    )
    assert done.returncode == 0 and done.stdout.count("pembrolizumab") == 9, done.stderr


@pytest.mark.slow
def test_the_first_session_runs(folder, capsys):
    exec(compile(SESSION, "README.md", "exec"), {})
    assert (folder / "courses.png").stat().st_size > 10_000
