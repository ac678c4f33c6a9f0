"""Proofs: what takes minutes over many seeds is measured by ``make proof`` and kept here, seed by seed, as JSON.

Each claim is tested on what is kept at every run of the tests; one seed is measured again among the slow ones, and must give
the kept numbers. So a change of results cannot pass by a proof: its rules have another number, or its seed other cells.
"""

import json
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from simulation.state import RESULTS

FOLDER = Path(__file__).parent
KEPT = pytest.param("kept", id="as kept")
AGAIN = pytest.param("again", id="one seed again", marks=pytest.mark.slow)
ANEW = pytest.param("anew", id="all seeds", marks=pytest.mark.proof)
Measured = dict[str, float]
"""Numbers of one seed by name."""
Claim = Callable[[list[Measured]], None]


def proven(measure: Callable[[int], Measured], seeds: Iterable[int]) -> Callable[[Claim], Callable]:
    """Make a claim about the numbers of all ``seeds``, in order, a test of what is kept, of one seed and of all anew."""
    seeds = list(seeds)

    def tested(claim: Claim) -> Callable:
        file = FOLDER / f"{measure.__name__}.json"

        @pytest.mark.parametrize("way", [KEPT, AGAIN, ANEW])
        def test(way: str) -> None:
            if way == "again":
                assert written(measure(seeds[0])) == read(file, seeds)[0], (
                    f"other numbers than {file.name} keeps: make proof"
                )
                return
            found = (
                [written(measure(seed)) for seed in seeds] if way == "anew" else read(file, seeds)
            )
            claim(found)
            if way == "anew":
                keep(found, file, seeds)

        test.__name__, test.__doc__ = claim.__name__, claim.__doc__
        return test

    return tested


def written(numbers: Measured) -> Measured:
    """Numbers as they are kept: other versions of the mathematical library may differ in digits beyond the ninth."""
    return {
        name: value if isinstance(value, int) else float(f"{value:.9g}")
        for name, value in numbers.items()
    }


def keep(found: list[Measured], file: Path, seeds: list[int]) -> None:
    """Write the numbers of all seeds, with that of the rules that gave them, a seed to a line."""
    lines = [
        f'"{seed}": {json.dumps(each, sort_keys=True, allow_nan=False)}'
        for seed, each in zip(seeds, found, strict=True)
    ]
    file.write_text("\n".join([f'{{"rules": {RESULTS}, "seeds": {{', ",\n".join(lines), "}}", ""]))


def read(file: Path, seeds: list[int]) -> list[Measured]:
    """The kept numbers of all seeds, in order; raises AssertionError where others, or other rules, gave them."""
    kept = json.loads(file.read_text())
    assert kept["rules"] == RESULTS, (
        f"{file.name} is of rules {kept['rules']}, and {RESULTS} are in force: make proof"
    )
    assert list(kept["seeds"]) == [str(seed) for seed in seeds], (
        f"{file.name} is of seeds {', '.join(kept['seeds'])}: make proof"
    )
    return list(kept["seeds"].values())
