"""The length of a step is a matter of accuracy: half of it changes outcomes only within noise."""

import numpy as np
import pytest

from simulation import TumorModel

LIMIT = 3.5  # standard errors
DAYS = 3
SEEDS = range(8)
CROWD = {"t_cell.initial_density": 150, "recruitment.delay": 1, "t_cell.base_influx": 20}


def outcome(dt, seed, liquid):
    """Numbers that matter after some days of a fight whose end is open."""
    model = TumorModel(
        "mouse_b16",
        shape=(81, 81),
        seed=seed,
        dt=dt,
        tumor_cells=2000,
        liquid=liquid,
        overrides=CROWD,
    )
    for _ in range(round(DAYS * 24 / dt)):
        model.step()
    row = model.measures
    return [
        row["tumor_cells"],
        row["kills_by_t"],
        row["births"],
        row["t_cells"],
        row["mean_vigour"],
    ]


@pytest.mark.parametrize("liquid", [False, True])
def test_half_the_step_changes_outcomes_only_within_noise(liquid):
    """The same seeds at 1 h and at 0.5 h; differences in standard errors of their mean."""
    coarse, fine = (
        np.array([outcome(dt, seed, liquid) for seed in SEEDS], dtype=float) for dt in (1.0, 0.5)
    )
    assert coarse[:, 1].min() > 300, "the experiment is about killing"
    error = np.sqrt((coarse.var(axis=0, ddof=1) + fine.var(axis=0, ddof=1)) / len(coarse))
    assert (error < 0.1 * coarse.mean(axis=0)).all(), (
        f"noise hides {LIMIT * error / coarse.mean(axis=0)} of each number"
    )
    off = (fine - coarse).mean(axis=0) / error
    names = ("tumour cells", "kills", "births", "T cells", "vigour")
    report = ", ".join(
        f"{n} {c:.4g} -> {f:.4g} ({o:+.1f} SE)"
        for n, c, f, o in zip(names, coarse.mean(axis=0), fine.mean(axis=0), off, strict=True)
    )
    assert np.abs(off).max() < LIMIT, f"halving the step matters: {report}"


def test_growth_and_loss_without_contacts_do_not_depend_on_the_step():
    """Tumour alone, with oxygen and mutation: the mean of 8 seeds at 2 h, 1 h and 0.5 h."""
    sizes = {}
    for dt in (2.0, 1.0, 0.5):
        runs = []
        for seed in SEEDS:
            model = TumorModel(
                "mouse_b16", shape=(81, 81), seed=seed, dt=dt, tumor_cells=800, immune_cells=False
            )
            for _ in range(round(DAYS * 24 / dt)):
                model.step()
            runs.append(
                [model.measures["tumor_cells"], model.measures["births"], model.measures["deaths"]]
            )
        sizes[dt] = np.array(runs, dtype=float)
    for dt in (2.0, 0.5):
        error = np.sqrt(
            (sizes[dt].var(axis=0, ddof=1) + sizes[1.0].var(axis=0, ddof=1)) / len(SEEDS)
        )
        assert (error < 0.03 * sizes[1.0].mean(axis=0)).all(), "the experiment sees 10 %"
        off = (sizes[dt] - sizes[1.0]).mean(axis=0) / error
        assert np.abs(off).max() < LIMIT, (
            f"at dt = {dt} h cells, births and deaths are off by {off.round(1)} SE"
        )
