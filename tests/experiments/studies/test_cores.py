"""Workers share the cores that this process may use, not all that the machine has."""

import os

import pytest

from experiments.studies import cores
from experiments.studies.cores import usable_cores
from tests.simulation.test_memory import machine


@pytest.fixture(autouse=True)
def sixteen_cores(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 16)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(12)), raising=False)
    monkeypatch.delenv("SLURM_CPUS_PER_TASK", raising=False)


@pytest.mark.parametrize(
    ("groups", "limits", "expected"),
    [
        ("0::/", {"cpu.max": "max 100000"}, 12),
        ("0::/", {"cpu.max": "400000 100000"}, 4),
        ("0::/user/job", {"user/job/cpu.max": "max 100000", "user/cpu.max": "250000 100000"}, 2),
        ("0::/user/job", {"user/job/cpu.max": "50000 100000", "user/cpu.max": "250000 100000"}, 1),
        (
            "4:cpu,cpuacct:/docker/x",
            {"cpu/docker/x/cpu.cfs_quota_us": "300000", "cpu/docker/x/cpu.cfs_period_us": "100000"},
            3,
        ),
        ("4:cpu,cpuacct:/", {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, 12),
        ("nonsense", {"cpu.max": "nonsense"}, 12),
    ],
)
def test_quotas_of_all_containers_count(tmp_path, groups, limits, expected):
    assert usable_cores(machine(tmp_path, groups, limits)) == expected


@pytest.mark.parametrize(
    ("share", "expected"), [("3", 3), ("1", 1), ("99", 12), ("0", 1), ("", 12), ("many", 12)]
)
def test_the_share_that_slurm_gave_counts(tmp_path, monkeypatch, share, expected):
    monkeypatch.setenv("SLURM_CPUS_PER_TASK", share)
    assert usable_cores(tmp_path) == expected


def test_a_system_without_affinity_counts_its_cores(tmp_path, monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity")
    assert usable_cores(tmp_path) == 16
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert usable_cores(tmp_path) == 1


@pytest.mark.parametrize("verb", ["sweep", "trial"])
def test_studies_take_as_many_workers_as_there_are_usable_cores(monkeypatch, verb):
    from typer.testing import CliRunner

    from experiments.command.cli import app
    from experiments.studies import runner

    asked = []

    def complete(study, out, *, workers, **others):
        asked.append(workers)
        raise ValueError

    monkeypatch.setenv("SLURM_CPUS_PER_TASK", "5")
    monkeypatch.setattr(runner, "complete", complete)
    for words in ([], ["--workers", "7"]):
        CliRunner().invoke(
            app, [verb, {"sweep": "car_t_dose", "trial": "checkpoint_trial"}[verb], *words]
        )
    assert asked == [min(5, cores.usable_cores()), 7]
