"""Compiled loops are kept where they can be; where they cannot, everything runs all the same."""

import errno
import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import platformdirs
import pytest

from simulation import compiled

ROOT = Path(__file__).parents[1]
ODD = {
    "a user of whom nothing is known": {"HOME": None, "TMPDIR": None, "MPLCONFIGDIR": None, "TUMORLAB_CACHE": None, "LANG": "C",
                                        "LC_ALL": "C", "PYTHONOPTIMIZE": "2"},
    "nothing can be written but in the temporary folder": {"HOME": "/proc/home", "TMPDIR": "/proc/tmp",
                                                           "MPLCONFIGDIR": "/proc/matplotlib", "PYTHONIOENCODING": "ascii",
                                                           "TUMORLAB_CACHE": __file__},
}
NOBODY = "import pwd\ndef nobody(*_): raise KeyError('no such user')\npwd.getpwuid = nobody\n"
COMMANDS = "import sys\nfrom experiments.cli import main\nsys.argv = ['tumorlab', *sys.argv[1:]]\nmain()\n"
TRAPS = ("numpy", "pandas", "simulation", "experiments", "anndata", "imageio_ffmpeg", "solara", "copy", "json", "evil")
TINY = "from simulation import TumorModel\nTumorModel(shape=(9, 9), seed=1, tumor_cells=5).run(days=0.1, progress=False)\n"


def started(code: str, environment: dict[str, str | None], folder: Path, *words: str) -> subprocess.CompletedProcess:
    """A program beside modules that end it when they are imported, as a console command is started."""
    for name in TRAPS:
        (folder / f"{name}.py").write_text("raise SystemExit('code of the current folder has run')\n")
    program = folder / "bin" / "program"
    program.parent.mkdir()
    program.write_text(NOBODY + code)
    kept = {**os.environ, "PYTHONPATH": str(ROOT)} | environment
    return subprocess.run([sys.executable, str(program), *words], cwd=folder, capture_output=True, encoding="utf-8",
                          env={name: value for name, value in kept.items() if value is not None}, timeout=300)


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
    return tmp_path


def test_loops_are_found_on_disk_by_the_next_process(cache):
    first, second = compiled.loop(doubled), compiled.loop(doubled)
    assert first(np.float64(2)) == second(np.float64(2)) == 4
    assert sum(second.stats.cache_hits.values()) == 1 and not sum(first.stats.cache_hits.values())
    assert compiled.already_compiled()


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
            file.write_bytes(content[:len(content) // 2])
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
    assert again(np.float64(2)) == 4 and sum(again.stats.cache_hits.values()) == 1, "it was written anew"
