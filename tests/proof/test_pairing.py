"""What pairing is worth: thirty virtual patients, each with and without PD-1 blockade."""

import numpy as np

from experiments.studies.contrasts import contrast
from experiments.studies.trial.trial import Trial

from .kept import Measured, proven

PATIENTS = 30


def trial() -> Trial:
    """The shipped trial, shorter, smaller, and of one drug."""
    shipped = Trial.load("checkpoint_trial").model_dump(exclude_none=True)
    return Trial.from_content(
        shipped
        | {
            "patients": PATIENTS,
            "days": 30.0,
            "arms": {"pembrolizumab": shipped["arms"]["pembrolizumab"]},
        }
    )


def paired_patients(number: int) -> Measured:
    """Tumour cells of a patient on day 0, and on day 30 with and without the drug."""
    study = trial()
    run = study.runs()[number]
    assert run.labels["patient"] == number
    rows = study.function(run.parameters, run.seed)["timeseries"].groupby("arm")["tumor_cells"]
    return {"start": int(rows.first()["control"])} | {
        arm: int(cells) for arm, cells in rows.last().items()
    }


@proven(paired_patients, range(PATIENTS))
def test_pairing_at_least_halves_the_variance_of_what_pd1_blockade_does_to_the_burden_by_day_30(
    found,
):
    enrolled = [each for each in found if each["start"] >= trial().enrolled_from]
    burden = contrast(
        *(np.array([each[arm] for each in enrolled]) for arm in ("pembrolizumab", "control"))
    )
    assert burden.high < 0, "the drug does something"
    assert burden.variance_ratio > 2, f"{burden.variance_ratio:.1f} over {burden.pairs} patients"
