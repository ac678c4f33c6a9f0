"""One small run, kept: a change of results must be meant, and is then flagged in the changelog.

To keep new numbers: ``python -m tests.test_golden``.
"""

from pathlib import Path

import pandas as pd

from simulation import TumorModel

KEPT = Path(__file__).parent / "golden" / "small_run.csv"


def small_run() -> pd.DataFrame:
    model = TumorModel("melanoma", ["pembrolizumab", {"drug": "car_t", "trafficking": 0.02}], shape=(41, 41),
                       seed=7, tumor_cells=400)
    return model.run(4, progress=False).results.timeseries


def test_the_same_seed_still_gives_the_kept_numbers():
    kept = pd.read_csv(KEPT)
    # Other versions of the mathematical library may differ in the last digits, so floats are compared to 1e-9.
    pd.testing.assert_frame_equal(small_run(), kept, check_dtype=False, rtol=1e-9, atol=1e-12)


if __name__ == "__main__":
    KEPT.parent.mkdir(exist_ok=True)
    small_run().to_csv(KEPT, index=False)
