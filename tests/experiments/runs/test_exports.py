"""The snapshots of a run, handed to other programs from the command line."""

import numpy as np
import pytest

from experiments.runs.exports import export
from experiments.runs.folder import RunError
from experiments.runs.run import run_scenario
from experiments.scenarios.scenario import Scenario
from simulation.results.results import Results

TEXT = (
    'question = "?"\nparameters = "melanoma"\nshape = [15, 15, 9]\ndays = 0.5\ntumor_cells = 60\n'
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A finished run in 3-D with snapshots of two days."""
    folder = tmp_path_factory.mktemp("run") / "out"
    run_scenario(Scenario.from_text(TEXT), folder)
    return folder


@pytest.mark.parametrize("form", ["vti", "vtp"])
def test_every_snapshot_becomes_a_vtk_file(folder, form):
    files = export(folder, form)
    assert [file.name for file in files] == [
        f"control_day_0000.00.{form}",
        f"control_day_0000.50.{form}",
    ]
    assert b'Name="cell_kind"' in files[1].read_bytes()


def test_a_snapshot_becomes_anndata(folder):
    anndata = pytest.importorskip("anndata", reason="the extra 'research' is not installed")
    (file,) = export(folder, "h5ad", [0.5])
    cells = anndata.read_h5ad(file)
    snapshot = Results.load(folder)["control"].snapshots[0.5]
    assert cells.obs["cell_type"].value_counts()["tumor_cell"] == snapshot.counts()["tumor_cell"]
    assert np.ptp(cells.obsm["spatial"], axis=0).max() < 15 * snapshot.spacing


def test_a_day_or_form_there_is_not_is_one_sentence(folder):
    with pytest.raises(RunError, match="no snapshot of arm control on day 3 .choices: 0, 0.5"):
        export(folder, "vti", [3.0])
    with pytest.raises(RunError, match="--to stl is not allowed; it must be one of h5ad, vti, vtp"):
        export(folder, "stl")
