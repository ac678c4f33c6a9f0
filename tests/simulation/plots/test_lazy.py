"""Pictures are imported by those who draw them."""

import subprocess
import sys
from pathlib import Path

import pytest

import simulation

LAZY = """
import sys, simulation
model = simulation.TumorModel(shape=(9, 9), seed=1, tumor_cells=5)
model.fork().step()
assert not [name for name in sys.modules if name.startswith(("matplotlib", "simulation.plots"))]
assert simulation.plots.overview and "matplotlib" in sys.modules
from simulation import *
assert plots is simulation.plots
"""


def test_the_engine_imports_no_pictures_until_they_are_asked_for():
    done = subprocess.run(
        [sys.executable, "-c", LAZY], cwd=Path(__file__).parents[3], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_plots_are_listed_and_what_the_package_does_not_have_is_missing():
    assert "plots" in dir(simulation)
    with pytest.raises(AttributeError, match="has no attribute 'plotz'"):
        _ = simulation.plotz
