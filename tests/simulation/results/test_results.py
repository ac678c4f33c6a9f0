"""Results on disk: nothing is lost, the same results give the same bytes, and damage is named in one sentence."""

import errno
import json
import math
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from simulation.results.results import COLUMNS, Results, ResultsError, Snapshot, write_atomically

KINDS = ("tumor_cell", "t_cell")


def snapshot(day=7.0, cells=5, shape=(6, 4)):
    random = np.random.Generator(np.random.PCG64(3))
    kind = np.arange(cells, dtype=np.int8) % 2
    traits = {
        "kind": kind,
        "site": np.arange(cells, dtype=np.int64) * 3,
        "name": np.arange(cells, dtype=np.int64),
        "antigen": random.lognormal(size=cells),
    }
    return Snapshot(day, shape, 15.0, False, KINDS, traits, {"oxygen": random.random((3, 2))})


def results(arm="control", rows=9, **more):
    made = Results(arm)
    for i in range(rows):
        mean = 1 / (3 + i) if i < rows - 1 else math.nan
        made.record({"day": i / 4, "tumor_cells": 100 - 10 * i, "mean_antigen": mean} | more)
    made.add_dose(0.0, "pembrolizumab", 200.0)
    made.add_measures(0.25, "pembrolizumab", {"occupancy": 0.1 + 0.2})
    made.add_snapshot(snapshot())
    made.log.append({"day": 1.0, "give": "pembrolizumab"})
    made.provenance["seed"] = 7
    made.citations.append("Weigelin et al. 2021")
    return made


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }


def test_everything_comes_back(tmp_path):
    kept = results()
    kept.save(tmp_path)
    loaded = Results.load(tmp_path)["control"]
    for table in ("timeseries", "doses", "measures"):
        pd.testing.assert_frame_equal(
            getattr(loaded, table), getattr(kept, table), check_exact=True
        )
    assert (loaded.log, loaded.provenance, loaded.citations) == (
        kept.log,
        kept.provenance,
        kept.citations,
    )
    assert list(loaded.snapshots) == [7.0]
    for name, values in kept.snapshots[7.0].cells.items():
        read = loaded.snapshots[7.0].cells[name]
        assert read.dtype == values.dtype and np.array_equal(read, values)


def test_numbers_keep_their_bits(tmp_path):
    bits = np.random.Generator(np.random.PCG64(1)).integers(0, 2**64, 3000, dtype=np.uint64)
    values = bits.view(np.float64)
    values = values[np.isfinite(values)]
    kept = Results()
    for day, value in enumerate(values):
        kept.record({"day": float(day), "tumor_cells": day, "mean_il2": float(value)})
    kept.save(tmp_path)
    read = Results.load(tmp_path)["model"].timeseries
    assert read["mean_il2"].to_numpy().tobytes() == values.tobytes()
    assert read["tumor_cells"].dtype == np.int64


def test_the_same_results_give_the_same_bytes_also_after_a_detour_through_disk(tmp_path):
    Results.save_all(tmp_path / "a", [results("drug"), results("control")])
    Results.save_all(tmp_path / "b", Results.load(tmp_path / "a").values())
    assert files(tmp_path / "a") == files(tmp_path / "b")


def test_a_run_continued_from_disk_writes_what_an_unbroken_one_writes(tmp_path):
    unbroken, first = results(rows=9), results(rows=9)
    first.save(tmp_path / "half")
    second = Results.load(tmp_path / "half")["control"]
    for run in (unbroken, second):
        run.record({"day": 9 / 4, "tumor_cells": 3, "mean_antigen": 0.1 + 0.2})
        run.add_snapshot(snapshot(14.0))
    unbroken.save(tmp_path / "a")
    second.save(tmp_path / "b")
    assert files(tmp_path / "a") == files(tmp_path / "b")


def test_control_comes_first_and_columns_are_explained(tmp_path):
    Results.save_all(tmp_path, [results("drug", macrophages=4), results("control")])
    table = pd.read_csv(tmp_path / "timeseries.csv")
    assert list(dict.fromkeys(table["arm"])) == ["control", "drug"]
    assert list(table)[:2] == ["arm", "day"]
    assert (tmp_path / "timeseries.csv").read_text().splitlines()[-1] == "drug,2.0,20,,4"
    explained = json.loads((tmp_path / "columns.json").read_text())
    assert list(explained) == list(table)
    assert explained["tumor_cells"] == {"meaning": COLUMNS["tumor_cells"][0], "unit": "cells"}
    assert "macrophages" not in Results.load(tmp_path)["control"].timeseries


def test_means_are_empty_when_no_tumour_cell_is_left(tmp_path):
    results().save(tmp_path)
    assert (tmp_path / "timeseries.csv").read_text().splitlines()[-1] == "control,2.0,20,"


def test_an_arm_called_na_or_007_keeps_its_name(tmp_path):
    Results.save_all(tmp_path, [results("NA"), results("007")])
    assert list(Results.load(tmp_path)) == ["NA", "007"]
    assert len(Results.load(tmp_path)["007"].timeseries) == 9


def test_a_copy_is_independent():
    kept = results()
    twin = kept.copy(arm="drug")
    twin.record({"day": 9.0, "tumor_cells": 0})
    twin.add_dose(9.0, "x", 1)
    twin.add_snapshot(snapshot(9.0))
    assert (len(kept.timeseries), len(kept.doses), len(kept.snapshots)) == (9, 1, 1)
    assert set(twin.timeseries["arm"]) == {"drug"}


def test_snapshots_are_in_order_of_day_and_stale_ones_leave(tmp_path):
    kept = results()
    for day in (0.0, 3.5):
        kept.add_snapshot(snapshot(day))
    assert list(kept.snapshots) == [0.0, 3.5, 7.0]
    kept.save(tmp_path)
    del kept.snapshots[7.0]
    kept.save(tmp_path)
    names = sorted(file.name for file in (tmp_path / "snapshots" / "control").iterdir())
    assert names == ["day_0000.00.npz", "day_0003.50.npz"]


def test_a_frame_has_one_row_per_cell_with_coordinates_and_kind():
    frame = snapshot().frame()
    assert list(frame["kind"]) == ["tumor_cell", "t_cell", "tumor_cell", "t_cell", "tumor_cell"]
    assert list(zip(frame["x"], frame["y"], strict=True))[2] == (1, 2)
    assert snapshot().counts() == {"tumor_cell": 3, "t_cell": 2}
    assert len(snapshot(cells=1, shape=(2, 2, 2)).frame()[["x", "y", "z"]].columns) == 3


@pytest.mark.parametrize("where", [0, 40, 300, -30])
def test_a_damaged_snapshot_is_named_in_one_sentence(tmp_path, where):
    file = tmp_path / "day.npz"
    snapshot(cells=2, shape=(60, 60)).save(file)
    content = bytearray(file.read_bytes())
    content[where] ^= 0xFF
    file.write_bytes(content)
    try:
        read = Snapshot.load(file)
    except ResultsError as error:
        assert "day.npz" in str(error) and "\n" not in str(error)
    else:  # a byte nobody reads, such as a time stamp
        assert read.frame().equals(snapshot(cells=2, shape=(60, 60)).frame())


@pytest.mark.parametrize("keep", [0, 10, 0.5, -1])
def test_a_cut_snapshot_is_refused(tmp_path, keep):
    file = tmp_path / "day.npz"
    snapshot().save(file)
    content = file.read_bytes()
    file.write_bytes(content[: int(keep * len(content)) if isinstance(keep, float) else keep])
    with pytest.raises(ResultsError, match="day.npz"):
        Snapshot.load(file)


def test_a_pickle_is_never_opened(tmp_path):
    file = tmp_path / "day.npz"
    np.savez(file, about=np.array({"day": 1}, dtype=object))
    with pytest.raises(ResultsError, match="day.npz"):
        Snapshot.load(file)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("timeseries.csv", "arm,day\ncontrol,0,5\n"),
        ("timeseries.csv", "arm,day\ncontrol,zero\n"),
        ("timeseries.csv", ""),
        ("doses.csv", "arm,day\n"),
        ("provenance.json", "{"),
        ("provenance.json", "[]"),
    ],
)
def test_a_damaged_table_is_named_in_one_sentence(tmp_path, name, content):
    results().save(tmp_path)
    (tmp_path / name).write_text(content)
    with pytest.raises(ResultsError) as error:
        Results.load(tmp_path)
    assert name in str(error.value) and "\n" not in str(error.value)


def test_a_folder_without_results_says_so(tmp_path):
    with pytest.raises(ResultsError, match="provenance.json does not exist"):
        Results.load(tmp_path)


def test_a_write_that_fails_leaves_the_old_file_and_no_rubbish(tmp_path, monkeypatch):
    file = tmp_path / "deep" / "table.csv"
    write_atomically(file, "old")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_atomically(file, "new")
    assert file.read_text() == "old"
    assert [entry.name for entry in file.parent.iterdir()] == ["table.csv"]
