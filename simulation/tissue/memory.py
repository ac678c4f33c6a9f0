"""How much memory there is for a model: of the machine, of the container it runs in, and of the process."""

import math
import os
from collections.abc import Iterator
from pathlib import Path

BYTES_PER_SITE = 400
"""What a model needs at most for each of its sites, full of cells."""


def available(root: Path = Path("/")) -> float:
    """Bytes that this process may hold: the least that machine, containers and its own limit allow; inf if none says."""
    return min([math.inf, *_limits(root)])


def _limits(root: Path) -> Iterator[float]:
    try:
        yield float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, ValueError, OSError):
        pass
    try:
        import resource  # not on Windows

        soft, _ = resource.getrlimit(resource.RLIMIT_AS)
        if soft != resource.RLIM_INFINITY:
            yield float(soft)
    except ImportError:
        pass
    for group in control_groups(root, "memory"):
        for file in (group / "memory.max", group / "memory.limit_in_bytes"):
            try:
                yield float(file.read_text())
            except (OSError, ValueError):
                pass  # no such group, or "max"


def control_groups(root: Path, controller: str) -> list[Path]:
    """Folders of the groups on the way down to this process, each of which may have a limit; of either kind."""
    groups, named = root / "sys/fs/cgroup", [Path()]
    try:  # "0::/a/b", or "4:memory:/a/b" of the older kind
        for line in (root / "proc/self/cgroup").read_text().splitlines():
            path = Path(line.split(":", 2)[2].lstrip("/"))
            named += [path, *path.parents]
    except (OSError, IndexError):
        pass
    return [kind / path for path in dict.fromkeys(named) for kind in (groups, groups / controller)]
