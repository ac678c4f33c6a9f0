"""One small run, kept with the number of its rules: a change of results must be meant, and is then flagged in the changelog.

To keep new numbers: raise ``RESULTS`` in ``simulation/state.py``, then ``python -m tests.golden.test_golden``.
"""

import io
from pathlib import Path

import pandas as pd
import pytest

from simulation import TumorModel
from simulation.state import RESULTS

KEPT = Path(__file__).parent / "small_run.csv"


def small_run() -> pd.DataFrame:
    model = TumorModel(
        "melanoma",
        ["pembrolizumab", {"drug": "car_t", "trafficking": 0.02}],
        shape=(41, 41),
        seed=7,
        tumor_cells=400,
    )
    return model.run(4, progress=False).results.timeseries


def read(file: Path) -> tuple[int, pd.DataFrame]:
    """The number of the rules, and the numbers that they gave."""
    first, _, table = file.read_text().partition("\n")
    assert first.startswith("rules "), f"{file.name} does not say which rules gave its numbers"
    return int(first.removeprefix("rules ")), pd.read_csv(io.StringIO(table))


def agree(run: pd.DataFrame, kept: pd.DataFrame) -> None:
    # Other versions of the mathematical library may differ in the last digits, so floats are compared to 1e-9.
    pd.testing.assert_frame_equal(run, kept, check_dtype=False, rtol=1e-9, atol=1e-12)


def renew(run: pd.DataFrame, file: Path = KEPT, rules: int = RESULTS) -> None:
    """Keep other numbers; raises AssertionError where the rules still have the number under which others were kept."""
    number, kept = read(file)
    if rules <= number:
        agree(run, kept)
    file.write_text(f"rules {rules}\n{run.to_csv(index=False)}")


def test_the_same_seed_still_gives_the_kept_numbers():
    agree(small_run(), read(KEPT)[1])


def test_the_kept_numbers_are_those_of_the_rules_in_force():
    assert read(KEPT)[0] == RESULTS, "raise RESULTS and renew the golden run together"


def test_other_numbers_cannot_be_kept_under_the_same_number_of_the_rules(tmp_path):
    run = read(KEPT)[1]
    other, file = run.assign(tumor_cells=run["tumor_cells"] + 1), tmp_path / "run.csv"
    file.write_text(KEPT.read_text())
    with pytest.raises(AssertionError):
        renew(other, file)
    assert file.read_text() == KEPT.read_text()
    renew(other, file, RESULTS + 1)
    assert read(file)[0] == RESULTS + 1 and read(file)[1].equals(other)


if __name__ == "__main__":
    renew(small_run())
