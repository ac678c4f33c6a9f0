"""Files and folders that cannot be read or written: one sentence, exit code 2, nothing half-written."""

import errno
import os
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from experiments.command.cli import app
from experiments.runs.run import run_scenario
from experiments.scenarios.scenario import Scenario
from experiments.scenarios.toml_tables import LARGEST
from experiments.studies.runner import complete
from experiments.studies.sweep.sweep import Sweep

SCENARIO = """
question = "?"
parameters = "melanoma"
shape = [15, 15]
days = 0.25
tumor_cells = 40
[[arms.p.treatments]]
drug = "placebo"
"""
SWEEP = 'question = "?"\nscenario = "mine.toml"\nseeds = 1\n[vary]\n"tumor.pdl1" = [0.1, 2]\n'
TRIAL = """
question = "?"
scenario = "mine.toml"
patients = 2
contrast_day = 0.25
[vary]
"tumor.pdl1" = { distribution = "uniform", low = 0.1, high = 1 }
"""
WRITING = (
    "run mine.toml --out {}",
    "sweep sweep.toml --workers 1 --out {}",
    "trial trial.toml --workers 1 --out {}",
    "benchmark --out {}",
)
DRAWING = (
    "plot run",
    "plot study",
    "film run --seconds 1",
    "export run --to vti",
    "export run --to h5ad",
)


def refuse(words: str) -> str:
    """The sentence that a command ends with."""
    done = CliRunner().invoke(app, words.split())
    assert done.exit_code == 2, f"{words}: {done.output} {done.exception!r}"
    assert done.stderr.startswith("Error: ") and done.stderr.count("\n") == 1, (
        f"{words}: {done.stderr}"
    )
    return done.stderr


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A finished run and a finished sweep beside their files."""
    place = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        for name, text in {"mine": SCENARIO, "sweep": SWEEP, "trial": TRIAL}.items():
            Path(f"{name}.toml").write_text(text)
        run_scenario(Scenario.load("mine.toml"), "run")
        complete(Sweep.load("sweep.toml"), "study")
    return place


@pytest.fixture()
def place(made, tmp_path, monkeypatch):
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def everything(place: Path) -> dict[str, bytes]:
    return {
        file.relative_to(place).as_posix(): file.read_bytes()
        for file in place.rglob("*")
        if file.is_file()
    }


@pytest.mark.parametrize("words", WRITING)
@pytest.mark.parametrize("out", ["mine.toml/x", "/proc/nothing/x", "dangling/x"])
def test_a_folder_that_cannot_be_made_is_told_before_anything_is_computed(
    place, monkeypatch, words, out
):
    monkeypatch.setattr(
        "simulation.model.TumorModel.step", lambda model: pytest.fail("a model ran")
    )
    monkeypatch.setattr(
        "experiments.reference.benchmark.main", lambda out: pytest.fail("it was measured")
    )
    (place / "dangling").symlink_to(place / "nowhere")
    before = everything(place)
    assert words.format(out).split()[-1].split("/")[0] in refuse(words.format(out))
    assert everything(place) == before


@pytest.mark.parametrize("words", [words.removesuffix(" --out {}") for words in WRITING[:3]])
def test_the_usual_folder_that_cannot_be_made_is_told(place, words):
    (place / "results").write_text("a file of that name")
    assert "results" in refuse(words)


def test_a_benchmark_is_not_written_into_a_folder(place):
    assert "is a folder" in refuse("benchmark --out run")


@pytest.mark.parametrize("words", [words.format("out") for words in WRITING[:3]] + list(DRAWING))
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
def test_a_disk_that_takes_nothing_is_told(place, monkeypatch, words, number):
    """Full or read-only: every file that is written is synchronised first, or a folder tried before long work."""
    if words.startswith("export run --to h5ad"):
        pytest.importorskip("anndata", reason="the extra 'research' is not installed")
    if words.startswith("film"):
        pytest.importorskip("imageio_ffmpeg", reason="the extra 'lab' is not installed")

    def refused(*arguments, **keywords):
        raise OSError(number, os.strerror(number))

    before = everything(place)
    monkeypatch.setattr(os, "fsync", refused)
    monkeypatch.setattr("tempfile.TemporaryFile", refused)
    said = refuse(words)
    assert os.strerror(number) in said and (
        "cannot write tables and pictures into study" in said
    ) == (words == "plot study")
    if words.endswith("--out out"):
        assert said.startswith("Error: cannot write to out: "), (
            "not a file that nobody has heard of"
        )
        assert ("what is finished is kept, --resume goes on" in said) == (
            not words.startswith("run")
        )
    monkeypatch.undo()
    assert everything(place) == before, "nothing is half-written"


@pytest.mark.parametrize(
    "words, taken",
    [
        ("plot run", "run/overview.png"),
        ("plot study", "study/sensitivity.png"),
        ("export run --to vti", "run/exports"),
    ],
)
def test_a_name_that_something_else_has_taken_is_told(place, monkeypatch, words, taken):
    for name in (
        "overview",
        "time_courses",
        "distributions",
        "selection_differential",
        "t_cell_state",
    ):
        monkeypatch.setattr(f"simulation.plots.{name}", lambda *arguments, **keywords: None)
    monkeypatch.setattr("experiments.runs.pictures._png", lambda figure: b"")
    if words == "plot study":
        taken = next(file.as_posix() for file in Path("study").glob("*.png"))
    target = place / taken
    if target.exists():
        target.unlink()
    if words.startswith("export"):
        target.write_text("a file")
    else:
        target.mkdir()
    refuse(words)


@pytest.mark.parametrize("verb", ["run", "sweep", "trial", "show"])
@pytest.mark.parametrize(
    "kind", ["folder", "dangling", "pipe", "device", "huge", "loop", "long", "through a file"]
)
def test_a_file_that_is_none_is_told(place, verb, kind):
    file = {
        "device": "/dev/zero",
        "long": f"{'long' * 80}.toml",
        "through a file": "mine.toml/x.toml",
    }.get(kind, "it.toml")
    match kind:
        case "folder":
            Path(file).mkdir()
        case "dangling":
            Path(file).symlink_to("nowhere")
        case "loop":
            Path(file).symlink_to(file)
        case "pipe":
            os.mkfifo(file)
        case "huge":
            with open(file, "wb") as huge:
                huge.truncate(LARGEST + 1)
    why = {
        "pipe": "a pipe or a device",
        "device": "a pipe or a device",
        "huge": f"may have {LARGEST:,}",
    }.get(kind, "")
    said = refuse(f"{verb} {file}")
    assert said.startswith(f"Error: {file} cannot be read (") and why in said
    assert not Path("results").exists()


@pytest.mark.parametrize("verb", ["run", "sweep", "trial", "show"])
def test_a_file_that_may_not_be_read_is_told(place, monkeypatch, verb):
    content = Path.read_bytes

    def forbidden(path):
        if path.name == "it.toml":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return content(path)

    Path("it.toml").write_text(SCENARIO)
    monkeypatch.setattr(Path, "read_bytes", forbidden)
    assert "it.toml cannot be read (Permission denied)" in refuse(f"{verb} it.toml")


@pytest.mark.parametrize("words", ["plot it", "film it", "export it --to vti"])
@pytest.mark.parametrize(
    "kind", ["nothing", "empty", "file", "dangling", "pipe", "loop", "through a file"]
)
def test_a_folder_that_is_none_is_told(place, words, kind):
    match kind:
        case "empty":
            Path("it").mkdir()
        case "file":
            Path("it").write_text("text")
        case "dangling":
            Path("it").symlink_to("nowhere")
        case "loop":
            Path("it").symlink_to("it")
        case "pipe":
            os.mkfifo("it")
    refuse(words.replace(" it", " mine.toml/it") if kind == "through a file" else words)


@pytest.mark.parametrize("name", ["run.json", "timeseries.csv", "provenance.json"])
@pytest.mark.parametrize("words", ["plot run", "export run --to vti"])
def test_a_stored_file_that_is_a_folder_is_told(place, words, name):
    (place / "run" / name).unlink()
    (place / "run" / name).mkdir()
    said = refuse(words)
    assert said.startswith(
        "Error: run holds no finished run"
        if name == "run.json"
        else f"Error: run/{name} cannot be read ("
    )


def test_a_current_folder_that_is_gone_is_told(place, monkeypatch):
    gone = place / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    refuse("run checkpoint_blockade --days 0.1")
    assert "module 'nowhere_at_all' cannot be imported" in refuse(
        "check-treatment nowhere_at_all:Drug"
    )
    assert CliRunner().invoke(app, ["list"]).exit_code == 0
