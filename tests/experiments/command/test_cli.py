"""The tumorlab command: what it prints, what it leaves on disk, how it stops, and what it says to mistakes."""

import hashlib
import json
import os
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from experiments.command import arguments
from experiments.command.bars import ArmBars
from experiments.command.cli import app
from experiments.runs.folder import RunFolder
from experiments.scenarios.scenario import Scenario
from experiments.studies.study import Study
from simulation import parameter_sets, treatments
from simulation.model import TumorModel
from simulation.plots import overview
from simulation.results.files import sealed, unsealed
from simulation.results.results import Results
from simulation.state import RESULTS

ROOT = Path(__file__).parents[3]
SMALL = """
question = "What does the drug do?"
parameters = "melanoma"
shape = [31, 31]
days = 2
tumor_cells = 100
[set]
"tumor.division_rate" = 2
"t_cell.initial_density" = 40
"t_cell.kill_rate" = 0.1
"nk_cell.kill_rate" = 0.1
[grow]
cells = 150
[arms.pembrolizumab]
[[arms.pembrolizumab.treatments]]
drug = "pembrolizumab"
[arms.twin]
start = "twin"
set = { "tumor.pdl1" = 1.0 }
"""
COLUMNS = [
    "arm",
    "day",
    "tumor_cells",
    "t_cells",
    "car_t_cells",
    "nk_cells",
    "mean_antigen",
    "mean_car_target",
    "mean_pdl1",
    "mean_mhc",
    "kills_by_t",
    "kills_by_car_t",
    "kills_by_nk",
]


def tumorlab(*words):
    return CliRunner().invoke(app, list(map(str, words)))


def succeed(*words) -> str:
    result = tumorlab(*words)
    assert result.exit_code == 0, result.output
    return result.stdout


def refuse(*words) -> str:
    """The sentence to a mistake: exit code 2, one line, no traceback."""
    result = tumorlab(*words)
    assert result.exit_code == 2, result.output
    assert "Traceback" not in result.output and result.stdout == ""
    assert result.stderr.startswith("Error: ") and result.stderr.count("\n") == 1, result.stderr
    return result.stderr


@pytest.fixture(scope="module")
def scenario(tmp_path_factory):
    file = tmp_path_factory.mktemp("scenario") / "small.toml"
    file.write_text(SMALL)
    return file


@pytest.fixture(scope="module")
def folder(scenario):
    """A finished run."""
    succeed("run", scenario, "--out", scenario.parent / "run")
    return scenario.parent / "run"


def tables(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.glob("*.csv")}


def snapshots(folder: Path) -> dict[str, bytes]:
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in folder.glob("snapshots/*/*.npz")
    }


def test_list_names_everything_in_one_line_each():
    lines = [line.split()[0] for line in succeed("list").splitlines()]
    assert {"checkpoint_blockade", "pembrolizumab", "melanoma", "placebo", "b_all"} <= set(lines)
    assert len(lines) == len(set(lines)) + lines.count("Parameter") - 1, "every name once"


@pytest.mark.parametrize(
    "name, expected",
    [
        ("pembrolizumab", "half_life"),
        ("melanoma", "tumor.division_rate"),
        ("checkpoint_blockade", "arm pembrolizumab"),
    ],
)
def test_show_explains_one_thing(name, expected):
    shown = succeed("show", name)
    assert expected in shown and "source" in shown and "range" in shown


def test_show_suggests_the_nearest_name():
    assert "did you mean 'pembrolizumab'" in refuse("show", "pembrolizumap")


def commands() -> dict:
    """Name -> command."""
    return typer.main.get_command(app).commands


@pytest.mark.parametrize("name", commands())
def test_the_help_of_every_command_ends_with_an_example_that_can_be_typed(name):
    command = commands()[name]
    program, verb, *words = shlex.split(command.epilog.removeprefix("Example: "))
    assert (program, verb) == ("tumorlab", name)
    given = command.make_context(verb, words).params
    there = [*Scenario.names(), *Study.names(), *treatments.names(), *parameter_sets.names()]
    named = [given[each] for each in ("name", "scenario", "study", "treatment") if each in given]
    assert all(each in there for each in named), named
    assert arguments.settings(given.get("set_")) is None or Scenario.load(
        given["scenario"]
    ).with_options(set=arguments.settings(given["set_"]))
    assert command.epilog.split()[-1] in succeed(name, "--help")


def test_version():
    assert succeed("--version").startswith("tumorlab ")


def test_a_run_says_what_happened_and_where_the_picture_is(scenario, tmp_path):
    *outcomes, picture, report = succeed(
        "run", scenario, "--days", "0.5", "--out", tmp_path / "run", "--quiet"
    ).splitlines()
    assert [line.split()[0] for line in outcomes] == ["control", "pembrolizumab", "twin"]
    assert all("cells" in line for line in outcomes)
    assert Path(picture.removeprefix("picture: ")).read_bytes().startswith(b"\x89PNG")
    assert (
        Path(report.removeprefix("report: "))
        .read_text(encoding="utf-8")
        .startswith("<!DOCTYPE html>")
    )


def test_the_folder_of_a_run(folder):
    series = pd.read_csv(folder / "timeseries.csv")
    assert list(series["arm"].unique()) == ["control", "pembrolizumab", "twin"]
    assert set(COLUMNS) <= set(series) and list(series)[:2] == ["arm", "day"]
    assert list(series[series["arm"] == "control"]["day"]) == [0.25 * n for n in range(9)], (
        "one row per 6 h"
    )
    assert set(json.loads((folder / "columns.json").read_text())) == set(series)
    assert pd.read_csv(folder / "doses.csv")["treatment"].tolist() == ["pembrolizumab"]
    record = json.loads((folder / "run.json").read_text())
    assert record["arms"]["twin"]["parameters"]["tumor.pdl1"] == 1.0
    assert {"version", "seed", "packages", "papers", "wall_seconds", "command"} <= set(record)
    files = {
        file.relative_to(folder).as_posix(): file for file in folder.rglob("*") if file.is_file()
    }
    assert record["files"].keys() == files.keys() - {"run.json"}
    assert all(
        hashlib.sha256(files[name].read_bytes()).hexdigest() == said
        for name, said in record["files"].items()
    )
    assert {path.parent.name for path in folder.glob("snapshots/*/day_*.npz")} == {
        "control",
        "pembrolizumab",
        "twin",
    }


def test_forks_start_from_one_tumour_and_twins_from_their_own(folder):
    start = pd.read_csv(folder / "timeseries.csv").query("day == 0").set_index("arm")
    assert start.loc["control"].equals(start.loc["pembrolizumab"])
    assert start.loc["twin", "mean_pdl1"] > start.loc["control", "mean_pdl1"]


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not(scenario, folder, tmp_path):
    succeed("run", scenario, "--out", tmp_path / "same")
    succeed("run", scenario, "--out", tmp_path / "other", "--seed", 2)
    assert tables(tmp_path / "same") == tables(folder)
    assert tables(tmp_path / "other")["timeseries.csv"] != tables(folder)["timeseries.csv"]


def test_leaving_an_arm_out_does_not_change_the_others(scenario, folder, tmp_path):
    succeed("run", scenario, "--out", tmp_path / "run", "--arms", "twin")
    some, whole = (pd.read_csv(path / "timeseries.csv") for path in (tmp_path / "run", folder))
    assert list(some["arm"].unique()) == ["control", "twin"]
    assert some.equals(whole[whole["arm"] != "pembrolizumab"].reset_index(drop=True))


def test_set_reaches_the_model_and_the_record(scenario, tmp_path):
    succeed(
        "run",
        scenario,
        "--out",
        tmp_path / "run",
        "--days",
        "0.25",
        "--arms",
        "pembrolizumab",
        "--set",
        "tumor.division_rate=0.3",
        "--set",
        "treatments.pembrolizumab.half_life=20 day",
    )
    arms = json.loads((tmp_path / "run" / "run.json").read_text())["arms"]
    assert arms["control"]["parameters"]["tumor.division_rate"] == 0.3
    assert arms["pembrolizumab"]["treatments"]["pembrolizumab"]["half_life"] == 20


def test_an_existing_folder_is_left_alone(scenario, folder):
    before = tables(folder)
    said = refuse("run", scenario, "--out", folder, "--days", 1)
    assert str(folder) in said and "--resume" in said and "--overwrite" in said
    assert tables(folder) == before


def test_overwrite_replaces_a_run_but_nothing_else(scenario, tmp_path):
    run = tmp_path / "run"
    for days in ("0.5", "0.25"):
        succeed("run", scenario, "--out", run, "--days", days, "--arms", "control", "--overwrite")
    assert pd.read_csv(run / "timeseries.csv")["day"].max() == 0.25
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "dear.txt").write_text("dear")
    assert "something else" in refuse("run", scenario, "--out", tmp_path / "letters", "--overwrite")
    assert (tmp_path / "letters" / "dear.txt").exists()


def test_resume_on_a_finished_run_shows_its_summary(scenario, folder):
    before = {file: file.stat().st_mtime_ns for file in folder.rglob("*")}
    assert "picture: " in succeed("run", scenario, "--out", folder, "--resume")
    assert {file: file.stat().st_mtime_ns for file in folder.rglob("*")} == before


@pytest.mark.parametrize(
    "option, value",
    [("--seed", "2"), ("--days", "9"), ("--arms", "twin"), ("--set", "tumor.pdl1=1")],
)
def test_resume_with_another_option_is_refused(scenario, folder, option, value):
    assert option in refuse("run", scenario, "--out", folder, "--resume", option, value)


def test_resume_of_nothing_just_starts(scenario, tmp_path):
    succeed(
        "run",
        scenario,
        "--out",
        tmp_path / "run",
        "--resume",
        "--days",
        "0.25",
        "--arms",
        "control",
    )
    assert RunFolder(tmp_path / "run").finished


class Stopped(BaseException):
    """A stop that no code catches, at a chosen moment."""


def stop_at(arm: str, day: float):
    def on_progress(name, now, days):
        if name == arm and now >= day:
            raise Stopped

    return on_progress


@pytest.mark.parametrize(
    "arm, day",
    [
        ("growing", 0),
        ("pembrolizumab", 1.5),
        *(pytest.param(arm, 1, marks=pytest.mark.slow) for arm in ("control", "twin")),
    ],
)
def test_a_stopped_run_is_completed_bit_for_bit(scenario, folder, tmp_path, monkeypatch, arm, day):
    from experiments.runs import run

    monkeypatch.setattr(run, "CHECKPOINT_DAYS", 0.5)
    with pytest.raises(Stopped):
        run.run_scenario(Scenario.load(scenario), tmp_path / "run", on_progress=stop_at(arm, day))
    assert "no finished run" in refuse("plot", tmp_path / "run")
    succeed("run", scenario, "--out", tmp_path / "run", "--resume")
    assert tables(tmp_path / "run") == tables(folder)


def test_a_damaged_checkpoint_is_named_and_passed_over(scenario, folder, tmp_path, monkeypatch):
    from experiments.runs import run

    monkeypatch.setattr(run, "CHECKPOINT_DAYS", 0.5)
    with pytest.raises(Stopped):
        run.run_scenario(
            Scenario.load(scenario), tmp_path / "run", on_progress=stop_at("control", 1.5)
        )
    newest, _ = RunFolder(tmp_path / "run").checkpoints("control")  # and one to fall back on
    largest = max(newest.rglob("*.*"), key=lambda file: file.stat().st_size)
    content = bytearray(largest.read_bytes())
    content[len(content) // 2] ^= 1
    largest.write_bytes(content)
    result = tumorlab("run", scenario, "--out", tmp_path / "run", "--resume")
    assert result.exit_code == 0 and str(newest) in result.stderr
    assert tables(tmp_path / "run") == tables(folder)


@pytest.mark.parametrize(
    "blow", [signal.SIGTERM, pytest.param(signal.SIGKILL, marks=pytest.mark.slow)]
)
def test_a_run_that_is_hit_is_completed_bit_for_bit(scenario, tmp_path, blow):
    words = ["run", str(scenario), "--days", "14", "--arms", "control", "--out"]
    run = tmp_path / "run"
    process = subprocess.Popen(
        [sys.executable, "-m", "experiments.command.cli", *words, str(run)],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )
    patience = time.monotonic() + 120
    while (
        not RunFolder(run).checkpoints("control")
        and process.poll() is None
        and time.monotonic() < patience
    ):
        time.sleep(0.005)
    process.send_signal(blow)
    said = process.communicate()[1]
    if blow != signal.SIGKILL:
        assert process.returncode == 128 + blow and "--resume" in said and "Traceback" not in said
    assert not RunFolder(run).finished
    succeed(*words, run, "--resume")
    succeed(*words, tmp_path / "whole")
    assert tables(run) == tables(tmp_path / "whole")
    assert snapshots(run) == snapshots(tmp_path / "whole")


STOPS = [
    ("growing", 0.2, signal.SIGTERM),
    ("control", 0.5, signal.SIGINT),
    ("control", 1.3, signal.SIGTERM),
    ("pembrolizumab", 1.6, signal.SIGTERM),
    ("growing twin", 0.2, signal.SIGINT),
    ("twin", 1.9, signal.SIGTERM),
]


def test_a_run_that_is_stopped_goes_on_from_that_very_step(scenario, folder, tmp_path, monkeypatch):
    """Six times, in growth and in arms: the exit code of the signal, a sentence, and no step is done twice."""
    due, done, update = [*STOPS], [], ArmBars.update

    def hit(self, name, now, days):
        if now < days or not name.startswith("growing"):  # the end is told once more
            done.append((name, round(24 * now)))
        if due and name == due[0][0] and now >= due[0][1]:
            signal.raise_signal(due.pop(0)[2])
        update(self, name, now, days)

    monkeypatch.setattr(ArmBars, "update", hit)
    words = ["run", str(scenario), "--out", str(tmp_path / "run")]
    for number, (_, _, blow) in enumerate(STOPS):
        stopped = tumorlab(*words, *["--resume"] * bool(number))
        assert stopped.exit_code == 128 + blow and stopped.stdout == "", stopped.output
        assert f"complete it with: tumorlab {' '.join(words)} --resume" in stopped.stderr
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    succeed(*words, "--resume")
    hours = [step for step in done if step[1] > 0]
    assert len(hours) == len(set(hours)) and {name for name, _ in hours} == {
        name for name, _, _ in STOPS
    }
    assert tables(tmp_path / "run") == tables(folder) and snapshots(tmp_path / "run") == snapshots(
        folder
    )


def test_a_run_shows_what_goes_on_in_order_and_every_bar_full_at_its_end(
    scenario, tmp_path, monkeypatch
):
    shown, show = {}, ArmBars.show

    def watched(self, what, done, of, count=""):
        shown[what] = (done, of, count)
        show(self, what, done, of, count)

    monkeypatch.setattr(ArmBars, "show", watched)
    succeed("run", scenario, "--out", tmp_path / "run", "--days", 1)
    assert list(shown) == [
        "growing",
        "control",
        "pembrolizumab",
        "growing twin",
        "twin",
        "drawing the picture",
        "drawing the report",
    ]
    assert all(done == of for done, of, _ in shown.values() if of is not None)
    assert 0 < shown["growing"][0] < Scenario.load(scenario).grow.max_days, (
        "it ended before it had to"
    )
    shown.clear()
    succeed("plot", tmp_path / "run")
    assert list(shown) == ["drawing the pictures and the report"]


GONE = {
    "immune cells eliminated it": (
        {"t_cell.initial_density": 400, "tumor.initial_cells": 5, "t_cell.kill_rate": 20},
        "[grow] immune_cells = false",
    ),
    "no tumour cell was planted": ({"tumor.initial_cells": 0}, "raise tumor.initial_cells"),
    "died faster than they divided, 5 against": (
        {"tumor.death_rate": 5, "tumor.initial_cells": 3},
        "lower tumor.death_rate",
    ),
}


@pytest.mark.parametrize("reason", GONE)
def test_a_tumor_that_is_gone_before_day_0_is_told_with_reason_and_remedy(
    reason, scenario, tmp_path
):
    values, remedy = GONE[reason]
    file = tmp_path / "gone.toml"
    file.write_text(
        SMALL.replace("tumor_cells = 100", "").replace("cells = 150", "cells = 150\nmax_days = 20")
    )
    sets = [word for name, value in values.items() for word in ("--set", f"{name}={value}")]
    done = tumorlab(
        "run", file, "--out", tmp_path / "run", "--days", 0.25, "--arms", "pembrolizumab", *sets
    )
    assert done.exit_code == 0, done.output
    assert done.stdout.count("no tumour to begin with: ") == 2 and reason in done.stdout
    assert (
        done.stderr.count("gone before day 0") == 1
        and reason in done.stderr
        and remedy in done.stderr
    )


def test_a_run_tells_of_its_last_moment(scenario, tmp_path):
    told = succeed("run", scenario, "--days", 0.9, "--arms", "control", "--out", tmp_path / "run")
    model = TumorModel.load(RunFolder(tmp_path / "run").checkpoints("control")[0])
    last = Results.load(tmp_path / "run")["control"].timeseries.iloc[-1]
    assert last["day"] == model.day == 22 / 24
    assert (
        last["tumor_cells"] == model.count("tumor_cell")
        and f"to {model.count('tumor_cell'):,} cells" in told
    )


def test_a_run_begun_under_other_rules_is_not_gone_on_with(scenario, folder, tmp_path):
    shutil.copytree(folder, run := tmp_path / "run")
    record = RunFolder(run).record()
    plan = unsealed(RunFolder(run).plan_file.read_bytes())
    assert plan.pop("results") == record["results"] == RESULTS
    RunFolder(run).plan_file.write_text(sealed(plan))  # as another version wrote it
    (run / "run.json").write_text(sealed(record | {"plan": plan}))
    for finished in (True, False):
        said = refuse("run", scenario, "--out", run, "--resume")
        assert (
            str(run) in said and "was made by rules 1" in said and "--overwrite starts anew" in said
        )
        if finished:
            (run / "run.json").unlink()
    succeed("run", scenario, "--days", 0.5, "--arms", "control", "--out", run, "--overwrite")
    assert RunFolder(run).plan()["results"] == RESULTS


def test_a_disk_that_fills_up_is_one_sentence(scenario, tmp_path):
    """No file can become larger than a few kilobytes: the system refuses the rest, as a full disk does."""
    before, disposition = (
        resource.getrlimit(resource.RLIMIT_FSIZE),
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN),
    )
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        said = refuse("run", scenario, "--out", tmp_path / "run", "--quiet")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, disposition)
    assert str(tmp_path / "run") in said
    assert not RunFolder(tmp_path / "run").finished and not list(tmp_path.rglob("*.part"))
    succeed("run", scenario, "--out", tmp_path / "run", "--resume")


def test_a_folder_that_cannot_be_written_is_one_sentence(scenario, tmp_path):
    (tmp_path / "file").write_text("in the way")
    assert str(tmp_path / "file") in refuse("run", scenario, "--out", tmp_path / "file" / "run")


def test_plot_draws_again_and_the_record_stays_true(folder):
    drawn = succeed("plot", folder).split()
    assert len(drawn) == 6 and all(
        Path(file).read_bytes().startswith(b"\x89PNG") for file in drawn[:5]
    )
    assert Path(drawn[5]).name == "report.html"
    files = json.loads((folder / "run.json").read_text())["files"]
    assert {name: files.get(name) for name in map(os.path.basename, drawn)} == {
        os.path.basename(file): hashlib.sha256(Path(file).read_bytes()).hexdigest()
        for file in drawn
    }
    assert overview(Results.load(folder))


def test_a_damaged_snapshot_is_named(scenario, tmp_path):
    succeed("run", scenario, "--out", tmp_path / "run", "--days", "0.25", "--arms", "control")
    snapshot = next((tmp_path / "run").glob("snapshots/control/*.npz"))
    content = bytearray(snapshot.read_bytes())
    content[len(content) // 2] ^= 1
    snapshot.write_bytes(content)
    assert str(snapshot) in refuse("plot", tmp_path / "run")
    assert str(snapshot) in refuse("run", scenario, "--out", tmp_path / "run", "--resume")
    snapshot.unlink()
    assert str(snapshot) in refuse("plot", tmp_path / "run")


@pytest.mark.parametrize(
    "harm, key",
    [
        ({"scenario": {}}, "scenario.name"),
        ({"arms": [1]}, "arms"),
        ({"arms": {}}, "arms"),
        ({"notes": None}, "notes"),
        ({"plan": {}}, "plan.scenario"),
        ({"question": 1}, "question"),
        ([], "it holds no table"),
    ],
)
def test_a_record_that_is_not_what_was_written_is_named_by_whatever_reads_it(
    scenario, folder, tmp_path, harm, key
):
    run = tmp_path / "run"
    shutil.copytree(folder, run)
    record = unsealed((run / "run.json").read_bytes())
    (run / "run.json").write_text(sealed(record | harm) if harm else "[]")
    for words in (
        ["plot", run],
        ["film", run],
        ["run", scenario, "--out", run, "--resume"],
        ["export", run, "--to", "vti"],
    ):
        said = refuse(*words)
        assert f"{run / 'run.json'} is damaged" in said and key in said, f"{words[0]} says {said}"


def test_a_run_notes_a_treatment_of_which_no_dose_falls_within_it(scenario, tmp_path):
    late = ["--days", "0.25", "--set", "treatments.pembrolizumab.first_dose=9"]
    result = tumorlab("run", scenario, "--out", tmp_path / "run", *late)
    assert "Note: pembrolizumab: no dose of pembrolizumab falls within 0.25 days." in result.stderr
    assert json.loads((tmp_path / "run" / "run.json").read_text())["notes"] == [
        "pembrolizumab: no dose of pembrolizumab falls within 0.25 days"
    ]


def test_a_study_file_that_is_not_there_is_named():
    for verb in ("sweep", "trial"):
        assert (
            refuse(verb, "nowhere.toml")
            == "Error: nowhere.toml cannot be read (No such file or directory).\n"
        )
    assert "there is no study 'nowhere'" in refuse("sweep", "nowhere")


@pytest.mark.parametrize(
    "words, expected",
    [
        (["checkpoint_blokade"], "'checkpoint_blockade'"),
        (["nowhere.toml"], "nowhere.toml"),
        (["checkpoint_blockade", "--arms", "pembro"], "'pembrolizumab'"),
        (["checkpoint_blockade", "--days", "nan"], "--days"),
        (["checkpoint_blockade", "--days", "-1"], "--days"),
        (["checkpoint_blockade", "--days", "soon"], "--days"),
        (["checkpoint_blockade", "--dyas", "1"], "--dyas"),
        (["checkpoint_blockade", "--arms", ","], "--arms"),
        (["checkpoint_blockade", "--seed", "-1"], "--seed"),
        (["checkpoint_blockade", "--set", "tumor.division_rate"], "dotted.name=value"),
        (["checkpoint_blockade", "--set", "tumor.divison_rate=1"], "division_rate"),
        (["checkpoint_blockade", "--set", "tumor.division_rate=nan"], "finite"),
        (["checkpoint_blockade", "--set", "treatments.pembrolizumab.first_dose=-3"], "first_dose"),
        (["checkpoint_blockade", "--resume", "--overwrite"], "exclude"),
    ],
)
def test_a_mistake_on_the_command_line_writes_nothing(tmp_path, monkeypatch, words, expected):
    monkeypatch.chdir(tmp_path)
    assert expected in refuse("run", *words)
    assert os.listdir(tmp_path) == []


@pytest.mark.slow
def test_check_treatment_accepts_what_ships_and_names_what_is_broken(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "keeps every promise" in succeed("check-treatment", "placebo")
    assert "nowhere" in refuse("check-treatment", "nowhere:Drug")
    (tmp_path / "half_made.py").write_text("class Drug:\n    pass\n")
    assert tumorlab("check-treatment", "half_made:Drug").exit_code in (1, 2)
