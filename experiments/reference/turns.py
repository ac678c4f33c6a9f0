"""Whether a change made the engine faster: this checkout and another, run in turn, in the least processor time.

On a machine that others use, walls vary two-fold for equal code; the least processor time of several turns hardly does.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

SIZES = {
    "1e5 in 2-D": ((500, 500), 100_000),
    "1e6 in 2-D": ((1581, 1581), 1_000_000),
    "1e6 in 3-D": ((126, 126, 126), 1_000_000),
}
HERE = Path(__file__).parents[2]
STEPS = """
import json, sys
from time import process_time
from experiments.reference.benchmark import Case, infiltrated
shape, cells, steps = json.loads(sys.argv[1])
model, least = infiltrated(Case("", tuple(shape), cells, 0)), {}
for number in range(steps + 2):  # loops are compiled, and memory is touched, in the first two
    for verb, run in model.deeds():
        begun = process_time()
        run()
        if number > 1:
            least[verb] = min(least.get(verb, 1e9), 1000.0 * (process_time() - begun))
print(json.dumps(least))
"""


def least(checkout: Path, shape: tuple[int, ...], cells: int, steps: int) -> dict[str, float]:
    """The least ms of processor for each verb over some steps of a fresh process, with the code of one checkout."""
    done = subprocess.run(
        [sys.executable, "-c", STEPS, json.dumps([shape, cells, steps])],
        cwd=checkout,
        check=True,
        text=True,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(checkout)},
    )
    return json.loads(done.stdout)


def in_turn(
    before: Path, shape: tuple[int, ...], cells: int, steps: int = 10, turns: int = 3
) -> dict[str, tuple[float, float]]:
    """For each verb that both have, and the whole step, the least ms before and now."""
    found = {before: [], HERE: []}
    for _ in range(turns):
        for checkout, measured in found.items():
            measured.append(least(checkout, shape, cells, steps))
    old, new = (
        {verb: min(one[verb] for one in measured) for verb in measured[0]}
        for measured in found.values()
    )
    return {verb: (old[verb], new[verb]) for verb in new if verb in old} | {
        "step": (sum(old.values()), sum(new.values()))
    }


def main(before: str, *names: str) -> None:
    """Print a table for each of the ``names`` of SIZES, by default the first."""
    for name in names or list(SIZES)[:1]:
        table = Table(
            "", "ms before", "ms now", "now / before", title=f"{name}, least processor time"
        )
        for verb, (old, new) in in_turn(Path(before).resolve(), *SIZES[name]).items():
            table.add_row(verb, f"{old:.2f}", f"{new:.2f}", f"{new / old:.2f}")
        Console().print(table)


if __name__ == "__main__":
    main(*sys.argv[1:])
