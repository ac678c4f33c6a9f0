"""A lattice that does not fit in the memory there is, is refused before anything is built."""

import pytest

from simulation import TumorModel
from simulation.tissue import lattice, memory
from simulation.tissue.lattice import LatticeError, checked_shape


def machine(root, groups, limits):
    """A machine as Linux shows it: which control groups the process is in, and their limits."""
    files = {"proc/self/cgroup": groups} | {
        f"sys/fs/cgroup/{name}": limit for name, limit in limits.items()
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text + "\n")
    return root


@pytest.mark.parametrize(
    ("groups", "limits", "expected"),
    [
        ("0::/", {"memory.max": "2000000"}, 2e6),
        (
            "0::/user/job",
            {"user/job/memory.max": "max", "user/memory.max": "3000000", "memory.max": "max"},
            3e6,
        ),
        ("0::/user/job", {"user/job/memory.max": "1000000", "user/memory.max": "3000000"}, 1e6),
        (
            "4:memory:/docker/x\n1:cpu:/y",
            {
                "memory/docker/x/memory.limit_in_bytes": "4000000",
                "memory/memory.limit_in_bytes": "9223372036854771712",
            },
            4e6,
        ),
    ],
)
def test_the_least_limit_of_all_containers_counts(tmp_path, groups, limits, expected):
    assert memory.available(machine(tmp_path, groups, limits)) == expected


@pytest.mark.parametrize("groups", ["", "nonsense", "0::/gone"])
def test_without_a_container_the_machine_counts(tmp_path, groups):
    assert (
        1e8 < memory.available(machine(tmp_path, groups, {})) == memory.available(tmp_path / "no")
    )


def test_a_lattice_beyond_memory_is_refused_before_it_is_built(monkeypatch):
    monkeypatch.setattr(lattice, "available", lambda: 40e6)
    with pytest.raises(
        LatticeError,
        match=r"shape = \(1000, 1000\) is not usable: it needs about 0.4 GB of memory and there are "
        r"0.0 GB, enough for 100,000 sites",
    ):
        TumorModel(shape=(1000, 1000))
    assert checked_shape((300, 300)) == (300, 300)


@pytest.mark.parametrize(
    "shape",
    [
        5,
        None,
        "99",
        (9,),
        (9, 9.5),
        (9, float("nan")),
        (9, float("inf")),
        (9, "a"),
        range(100_000),
        (2, 9),
        (9, 10**9),
        (9, -3),
        (10**40, 9),
    ],
)
def test_a_shape_that_is_none_is_told_shortly(shape):
    with pytest.raises(LatticeError, match="^shape = .* is not usable: ") as error:
        checked_shape(shape)
    assert len(str(error.value)) < 200
