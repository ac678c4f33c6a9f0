"""The runner of studies: nothing finished is lost, nothing is computed twice, nothing damaged is believed."""

import errno
import hashlib
import os
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import pandas as pd
import pytest

from experiments.studies.archive import Archive, DamagedFile, StudyError, pack, unpack
from experiments.studies.runner import complete
from simulation.results.files import sealed, unsealed
from tests.studies import counting


def digest(folder) -> str:
    """SHA-256 of the consolidated outcomes."""
    return hashlib.sha256((folder / "outcomes.parquet").read_bytes()).hexdigest()


def lines(file) -> list[str]:
    return file.read_text().split("\n")[:-1] if file.exists() else []


@pytest.fixture(scope="module")
def serial(tmp_path_factory):
    """The hash of the study computed in one piece, in this process."""
    folder = tmp_path_factory.mktemp("serial")
    complete(counting(), folder)
    return digest(folder)


@pytest.mark.parametrize(
    "executor", [lambda: ThreadPoolExecutor(2), lambda: ProcessPoolExecutor(2)]
)
def test_any_executor_gives_the_same_bytes(tmp_path, serial, executor):
    with executor() as pool:
        summary = complete(counting(), tmp_path, executor=pool)
    assert (digest(tmp_path), summary.computed) == (serial, 12)


def test_four_shards_give_the_same_bytes_and_the_last_one_joins(tmp_path, serial):
    summaries = [complete(counting(), tmp_path, shard=(part, 4)) for part in (3, 1, 4, 2)]
    assert [summary.computed for summary in summaries] == [3, 3, 3, 3]
    assert [summary.missing for summary in summaries] == [9, 6, 3, 0], (
        "each shard does its own part only"
    )
    assert digest(tmp_path) == serial


def test_asking_again_computes_nothing_and_more_seeds_only_what_is_new(tmp_path):
    log, out = tmp_path / "log", tmp_path / "out"
    for seeds, expected in ((2, 12), (2, 12), (3, 18)):
        summary = complete(counting(seeds=seeds, extra={"log": str(log)}), out)
        assert len(lines(log)) == expected
    assert len(summary.tables["outcomes"]) == 18 and list(
        summary.tables["outcomes"]["run"]
    ) == list(range(18))
    assert list(summary.tables["outcomes"].columns) == ["run", "x", "seed", "arm", "y", "empty"]


def test_a_run_that_raises_is_recorded_and_the_rest_completes(tmp_path):
    study = counting(extra={"raises": 3})
    summary = complete(study, tmp_path)
    index = summary.tables["runs"]
    assert (summary.failed, len(summary.tables["outcomes"])) == (2, 10)
    assert set(index.loc[index.status == "failed", "message"]) == {
        "ValueError: x = 3 cannot be computed"
    }
    assert complete(study, tmp_path).computed == 0, "a failed run is not tried again unasked"
    assert complete(study, tmp_path, retry_failed=True).computed == 2


def test_a_worker_that_dies_is_replaced_and_its_run_repeated(tmp_path, serial):
    once = tmp_path / "once"
    study = counting(extra={"dies": {"2": str(once)}})
    summary = complete(study, tmp_path / "out", workers=2)
    plain = complete(counting(), tmp_path / "plain")
    assert once.exists(), "a worker was killed"
    assert (summary.failed, summary.computed) == (0, 12)
    assert summary.tables["outcomes"].y.tolist() == plain.tables["outcomes"].y.tolist()


@pytest.mark.slow
def test_a_run_that_kills_every_worker_is_given_up_and_named(tmp_path):
    summary = complete(counting(points=3, extra={"dies": {"1": "always"}}), tmp_path, workers=2)
    failed = summary.tables["runs"].query("status == 'failed'")
    assert (
        failed.x.tolist() == [1, 1]
        and failed.message.str.startswith("its worker died 3 times").all()
    )
    assert len(summary.tables["outcomes"]) == 4


def test_an_executor_that_breaks_is_told_and_what_is_finished_stays(tmp_path):
    study = counting(extra={"dies": {"5": "always"}})
    with (
        ProcessPoolExecutor(1) as pool,
        pytest.raises(StudyError, match="the executor stopped working"),
    ):
        complete(study, tmp_path, executor=pool)
    assert len(list((tmp_path / "runs").glob("*.run"))) > 0


@pytest.mark.parametrize("harm", ["flip", "cut", "empty", "remove"])
def test_a_damaged_run_is_named_and_alone_repeated(tmp_path, serial, harm):
    log, out = tmp_path / "log", tmp_path / "out"
    study = counting(extra={"log": str(log)})
    complete(study, out)
    before, victim = digest(out), Archive(out).run_file(study.runs()[7])
    whole = victim.read_bytes()
    match harm:
        case "flip":
            victim.write_bytes(whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:])
        case "cut":
            victim.write_bytes(whole[: len(whole) // 2])
        case "empty":
            victim.write_bytes(b"")
        case "remove":
            victim.unlink()
    summary = complete(study, out)
    assert summary.computed == 1 and lines(log)[12:] == ["3 2"], "the damaged run alone is repeated"
    assert victim.name in summary.notes[0] and "its run is repeated" in summary.notes[0]
    assert digest(out) == before and victim.read_bytes() == whole


def test_every_flipped_bit_of_a_run_file_is_noticed():
    key = counting().runs()[0].key
    content = pack({"outcomes": pd.DataFrame({"y": [1.5, float("nan")], "word": ["a", "b"]})}, key)
    assert unpack(content, key)["outcomes"]["word"] == ["a", "b"]
    for place in range(len(content)):
        for bit in (1, 128):
            harmed = content[:place] + bytes([content[place] ^ bit]) + content[place + 1 :]
            with pytest.raises(ValueError, match="SHA-256"):
                unpack(harmed, key)


@pytest.mark.parametrize("harm", ["flip", "remove"])
def test_a_damaged_table_is_named_and_made_again(tmp_path, serial, harm):
    complete(counting(), tmp_path)
    file = tmp_path / "outcomes.parquet"
    content = file.read_bytes()
    file.write_bytes(
        content[:40] + bytes([content[40] ^ 1]) + content[41:]
    ) if harm == "flip" else file.unlink()
    with pytest.raises(DamagedFile, match="outcomes.parquet is (damaged|missing)"):
        Archive(tmp_path).tables()
    assert complete(counting(), tmp_path).computed == 0
    assert digest(tmp_path) == serial


@pytest.mark.parametrize(
    "content, key",
    [
        ("{}", "SHA-256"),
        ("[]", "it holds no table"),
        ("{", "Expecting property name"),
        ({"files": {}}, "runs.parquet"),
        ({"failed": "none"}, "failed"),
        ({"notes": None}, "notes"),
        ({"keys": [1]}, "keys.0"),
        ({"plan": 1}, "plan"),
    ],
)
def test_a_record_that_is_not_what_was_written_is_named_and_made_again(tmp_path, content, key):
    complete(counting(points=2), tmp_path)
    file = tmp_path / "study.json"
    whole = unsealed(file.read_bytes())
    file.write_text(sealed(whole | content) if isinstance(content, dict) else content)
    with pytest.raises(DamagedFile, match=f"study.json is damaged .*{key}"):
        Archive(tmp_path).tables()
    assert complete(counting(points=2), tmp_path).computed == 0
    assert unsealed(file.read_bytes())["files"] == whole["files"]


def test_a_damaged_plan_is_named(tmp_path):
    complete(counting(points=2), tmp_path)
    (tmp_path / "plan.json").write_text(
        sealed({"kind": "counting", "name": "study", "content": [1]})
    )
    with pytest.raises(
        DamagedFile,
        match="plan.json is damaged .*content is missing or not what this version writes",
    ):
        complete(counting(points=2), tmp_path)


def test_a_full_disk_is_one_sentence_and_the_finished_runs_stay(tmp_path, monkeypatch, serial):
    calls, fsync = [], os.fsync

    def full(descriptor):
        calls.append(descriptor)
        if len(calls) > 6:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(
        StudyError, match=r"cannot write to .*No space left on device.*--resume goes on"
    ):
        complete(counting(), tmp_path)
    monkeypatch.undo()
    assert len(list((tmp_path / "runs").iterdir())) == 5, (
        "five runs after the plan, and nothing half-written"
    )
    assert complete(counting(), tmp_path).computed == 7
    assert digest(tmp_path) == serial


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("do not touch")
    with pytest.raises(StudyError, match="holds something else than a study"):
        complete(counting(), tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_folder_of_another_study_is_refused_by_what_differs(tmp_path):
    complete(counting(points=2), tmp_path)
    with pytest.raises(
        StudyError, match=r"holds another study \(other points\); choose another --out"
    ):
        complete(counting(points=3), tmp_path)
    with pytest.raises(StudyError, match="exists already; --resume"):
        complete(counting(points=2), tmp_path, resume=False)
    assert complete(counting(points=3), tmp_path, overwrite=True).runs == 6
    assert len(list((tmp_path / "runs").iterdir())) == 6, "what the other study left is gone"


def test_an_empty_design_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(StudyError, match="the design is empty"):
        complete(counting(points=0), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_unreachable_scheduler_is_refused_before_anything_is_written(tmp_path, monkeypatch):
    pytest.importorskip("distributed", reason="the extra 'cluster' is not installed")
    monkeypatch.setattr("experiments.studies.executors.DASK_SECONDS", 1)
    monkeypatch.setattr(
        "distributed.Client",
        lambda *given, **how: pytest.fail("a Client that finds nothing complains late"),
    )
    for address in ("tcp://127.0.0.1:1", "nowhere://at-all"):
        with pytest.raises(
            StudyError, match=f"--scheduler {address}: no Dask scheduler can be reached"
        ):
            complete(counting(), tmp_path / "out", scheduler=address)
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_workers_end_when_their_driver_is_killed():
    script = (
        "import os, time\nfrom experiments.studies.executors import Processes\n"
        "if __name__ == '__main__':\n"
        "    pool = Processes(1)\n    process = pool.submit(os.getpid).result(60)\n    pool.submit(time.sleep, 60)\n"
        "    time.sleep(0.5)\n    print(process, flush=True)\n    time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True
    ) as driver:
        worker = int(driver.stdout.readline())
        os.kill(worker, 0)
        driver.kill()
    deadline = time.monotonic() + 20
    while alive(worker) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not alive(worker), "no worker is left computing for nobody"


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
        return True
    except ProcessLookupError:
        return False
