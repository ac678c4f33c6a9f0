"""Compiled loops are kept where they can be; where they cannot, everything runs all the same."""

import errno
import os
import pickle
import subprocess
import sys
import warnings
from pathlib import Path

import numba
import numpy as np
import platformdirs
import pytest

from simulation import TumorModel, compiled, progress

ROOT = Path(__file__).parents[2]
ODD = {
    "a user of whom nothing is known": {
        "HOME": None,
        "TMPDIR": None,
        "MPLCONFIGDIR": None,
        "TUMORLAB_CACHE": None,
        "LANG": "C",
        "LC_ALL": "C",
        "PYTHONOPTIMIZE": "2",
    },
    "nothing can be written but in the temporary folder": {
        "HOME": "/proc/home",
        "TMPDIR": "/proc/tmp",
        "MPLCONFIGDIR": "/proc/matplotlib",
        "PYTHONIOENCODING": "ascii",
        "TUMORLAB_CACHE": __file__,
    },
}
NOBODY = "import pwd\ndef nobody(*_): raise KeyError('no such user')\npwd.getpwuid = nobody\n"
COMMANDS = "import sys\nfrom experiments.command.cli import main\nsys.argv = ['tumorlab', *sys.argv[1:]]\nmain()\n"
TRAPS = (
    "numpy",
    "pandas",
    "simulation",
    "experiments",
    "anndata",
    "imageio_ffmpeg",
    "solara",
    "copy",
    "json",
    "evil",
)
TINY = "from simulation import TumorModel\nTumorModel(shape=(9, 9), seed=1, tumor_cells=5).run(days=0.1, progress=False)\n"


def started(
    code: str, environment: dict[str, str | None], folder: Path, *words: str
) -> subprocess.CompletedProcess:
    """A program beside modules that end it when they are imported, as a console command is started."""
    for name in TRAPS:
        (folder / f"{name}.py").write_text(
            "raise SystemExit('code of the current folder has run')\n"
        )
    program = folder / "bin" / "program"
    program.parent.mkdir()
    program.write_text(NOBODY + code)
    kept = {**os.environ, "PYTHONPATH": str(ROOT)} | environment
    return subprocess.run(
        [sys.executable, str(program), *words],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        env={name: value for name, value in kept.items() if value is not None},
        timeout=300,
    )


@pytest.mark.slow
@pytest.mark.parametrize("odd", ODD)
def test_every_command_starts_in_an_odd_environment(odd, tmp_path):
    done = started(COMMANDS, ODD[odd], tmp_path, "show", "checkpoint_blockade")
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
    assert "checkpoint_blockade (scenario)" in done.stdout
    assert {file.name for file in tmp_path.iterdir()} == {f"{name}.py" for name in TRAPS} | {"bin"}


@pytest.mark.slow
@pytest.mark.parametrize("odd", ODD)
def test_a_model_runs_in_an_odd_environment(odd, tmp_path):
    done = started(TINY, ODD[odd], tmp_path)
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr


@pytest.mark.parametrize("base", ["file", "/proc/nothing", "dangling", "long" * 80, None])
def test_a_cache_that_cannot_be_made_is_done_without(tmp_path, monkeypatch, base):
    def homeless(*arguments):
        raise RuntimeError("could not determine the home directory")

    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    (tmp_path / "dangling").symlink_to("/proc/nothing")
    monkeypatch.setattr(platformdirs, "user_cache_dir", homeless)
    monkeypatch.setenv("TUMORLAB_CACHE", base or "")
    assert compiled.cache_folder() is None


def test_a_cache_on_a_full_disk_is_done_without(tmp_path, monkeypatch):
    def full(*arguments, **keywords):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setenv("TUMORLAB_CACHE", str(tmp_path))
    assert compiled.cache_folder() is not None
    monkeypatch.setattr("tempfile.TemporaryFile", full)
    assert compiled.cache_folder() is None


def doubled(x):
    return 2.0 * x


@pytest.fixture()
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(compiled, "CACHE", tmp_path)
    monkeypatch.setattr(compiled.numba.config, "CACHE_DIR", str(tmp_path))
    monkeypatch.setenv(
        "NUMBA_CACHE_DIR", str(tmp_path)
    )  # numba reads it again whenever its environment has changed
    monkeypatch.setattr(compiled, "LOOPS", [])
    monkeypatch.setattr(compiled, "_numbers", [0, 0])
    return tmp_path


def test_loops_are_found_on_disk_by_the_next_process(cache):
    first, second = compiled.loop(doubled), compiled.loop(doubled)
    assert first(np.float64(2)) == second(np.float64(2)) == 4
    assert sum(second.stats.cache_hits.values()) == 1 and not sum(first.stats.cache_hits.values())
    compiled.loop(doubled)
    assert compiled.missing() == []


def rewritten(index: Path, change, version: str = numba.__version__) -> None:
    """An index of numba's with other content."""
    with index.open("rb") as file:
        assert pickle.load(file) == numba.__version__
        content = pickle.load(file)
    index.write_bytes(pickle.dumps(version) + pickle.dumps(change(*content)))


OTHERS = {
    "of another folder": lambda file: file.parent.rename(file.parent.with_name("elsewhere")),
    "of another loop": lambda file: file.rename(file.with_name("tripled-1.py311.nbi")),
    "of another version of numba": lambda file: rewritten(
        file, lambda *content: content, version="0.1"
    ),
    "of another state of the file": lambda file: rewritten(
        file, lambda stamp, index: ((0.0, 0), index)
    ),
    "of another processor": lambda file: rewritten(
        file,
        lambda stamp, index: (
            stamp,
            {(key[0], ("z80", "", ""), key[2]): name for key, name in index.items()},
        ),
    ),
    "without its code": lambda file: next(file.parent.glob("*.nbc")).unlink(),
    "cut short": lambda file: file.write_bytes(file.read_bytes()[:50]),
}


@pytest.mark.parametrize("other", OTHERS)
def test_only_files_that_would_be_used_are_believed_and_what_is_compiled_is_told(cache, other):
    told = []
    compiled.loop(doubled)(np.float64(2))
    (index,) = cache.rglob("*.nbi")
    OTHERS[other](index)
    again = compiled.loop(doubled)
    assert compiled.missing() == [f"{__name__}.doubled"]
    with compiled.told(lambda number, of: told.append((number, of))):
        again(np.float64(2))
        compiled.loop(doubled)(np.float64(2))
    assert told == [(1, 1), (0, 0)] or told == [(2, 2), (0, 0)], (
        "once, while it is compiled; never when it is found"
    )


@pytest.mark.parametrize("watched", [True, False])
def test_compilation_is_told_to_a_person_whatever_started_it(cache, monkeypatch, watched):
    shown = []
    monkeypatch.setattr(compiled, "_tellers", [])
    monkeypatch.setattr("sys.stderr.isatty", lambda: watched, raising=False)
    monkeypatch.setattr(
        progress.Bars,
        "show",
        lambda self, what, done, of, count="": (
            shown.append(f"{what} {count}"),
            self._tasks.setdefault(what, self._progress.add_task(what, count=count)),
        ),
    )
    compiled.loop(doubled)(np.float64(2))
    assert shown == ["compiling 1 of 1 loops, the first time only"] * watched


@pytest.mark.parametrize("kind", ["part", "scalar"])
def test_loops_that_other_loops_call_cannot_be_called_from_python(cache, kind):
    inner = getattr(compiled, kind)(doubled)
    outer = numba.njit(lambda x: inner(x))
    for _ in range(2):
        with pytest.raises(TypeError, match="called by compiled loops alone"):
            inner(2.0)
        assert outer(2.0) == 4


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.ENOENT])
def test_a_disk_that_fills_up_while_loops_are_compiled_is_a_warning(cache, monkeypatch, number):
    def full(*arguments):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("numba.core.caching.IndexDataCacheFile._open_for_write", full)
    with pytest.warns(UserWarning, match="cannot be kept in .*each process compiles them anew"):
        assert compiled.loop(doubled)(np.float64(2)) == 4


@pytest.mark.parametrize("part", ["*.nbi", "*.nbc"])
@pytest.mark.parametrize("harm", ["cut", "emptied", "flipped", "removed"])
def test_a_damaged_cache_is_written_anew(cache, part, harm):
    compiled.loop(doubled)(np.float64(2))
    (file,) = cache.rglob(part)
    content = file.read_bytes()
    match harm:
        case "cut":
            file.write_bytes(content[: len(content) // 2])
        case "emptied":
            file.write_bytes(b"")
        case "flipped":
            file.write_bytes(bytes(255 - byte for byte in content))
        case "removed":
            file.unlink()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert compiled.loop(doubled)(np.float64(2)) == 4
    again = compiled.loop(doubled)
    assert again(np.float64(2)) == 4 and sum(again.stats.cache_hits.values()) == 1, (
        "it was written anew"
    )


def test_a_fork_and_a_loaded_model_compile_no_loop_a_second_time(tmp_path):
    def used() -> dict[str, list]:
        return {loop._cache.counted: list(loop.signatures) for loop in compiled.LOOPS}

    model = TumorModel(
        shape=(15, 15), seed=1, tumor_cells=40, treatments=["pembrolizumab", "aldesleukin"]
    )
    model.run(days=0.5, progress=False)
    before = used()
    model.save(tmp_path / "saved")
    for other in (model.fork(treatments=["interferon_alfa"]), TumorModel.load(tmp_path / "saved")):
        other.run(days=0.5, progress=False)
    assert used() == before, (
        "an array that is exactly full has another type than a slice of a longer one"
    )


ONE_EACH = """
import collections, sys
from simulation import compiled
told = []
with compiled.told(lambda number, of: told.append((number, of))):
    expected = compiled.missing()
    from simulation import TumorModel
    from experiments.runs.run import run_scenario
    from experiments.scenarios.scenario import Scenario
    assert len(compiled.missing()) == len(compiled.LOOPS)
    run_scenario(Scenario.load("checkpoint_blockade").with_options(days=1.0), sys.argv[1], set={"tumor.initial_cells": 300})
    fork = TumorModel.load(sys.argv[1] + "/checkpoints/grown").fork(treatments=["pembrolizumab"])
    fork.run(days=1)
number = len(compiled.LOOPS)
assert [pair for pair in told if pair != (0, 0)] == [(n, number) for n in range(1, number + 1)], told
assert told[-1] == (0, 0) and compiled.missing() == []
loops = {loop._cache.counted: len(loop.signatures) for loop in compiled.LOOPS}
assert set(loops.values()) == {1}, loops
"""


@pytest.mark.slow
def test_a_first_run_with_forks_and_a_load_compiles_every_loop_once_and_counts_them_all(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", ONE_EACH, str(tmp_path / "run")],
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": str(ROOT), "TUMORLAB_CACHE": str(tmp_path / "cache")},
    )
    assert done.returncode == 0, done.stderr
