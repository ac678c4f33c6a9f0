"""How many cores this process may use: of the machine, of its scheduler, and of the container it runs in."""

import os
from collections.abc import Iterator
from pathlib import Path

from simulation.tissue.memory import control_groups


def usable_cores(root: Path = Path("/")) -> int:
    """Cores for workers, at least 1: the least of the machine's, its affinity, Slurm's share and container quotas."""
    return max(1, min([os.cpu_count() or 1, *_limits(root)]))


def _limits(root: Path) -> Iterator[int]:
    if hasattr(os, "sched_getaffinity"):  # Linux alone has it
        yield len(os.sched_getaffinity(0))
    if (share := os.environ.get("SLURM_CPUS_PER_TASK", "")).isdigit():
        yield int(share)
    for group in control_groups(root, "cpu"):
        for quota in (
            _numbers(group / "cpu.max"),
            _numbers(group / "cpu.cfs_quota_us") + _numbers(group / "cpu.cfs_period_us"),
        ):
            if len(quota) == 2 and quota[0] > 0 < quota[1]:  # "max", or -1, is no limit
                yield int(quota[0] / quota[1])


def _numbers(file: Path) -> list[int]:
    """The numbers in a file of a control group; none where it is not there or says "max"."""
    try:
        return [int(word) for word in file.read_text().split()]
    except (OSError, ValueError):
        return []
