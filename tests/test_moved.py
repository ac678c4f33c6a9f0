"""What stood elsewhere in version 0.1 is still found there, and says where it is now; public names come from the packages."""

import importlib
import subprocess
import sys
import warnings

import pytest

import experiments

WAS = {
    "experiments.sweep": ["Sweep", "sweep"],
    "experiments.trial": ["Trial"],
    "experiments.runner": ["complete", "Summary"],
    "experiments.replicates": ["seeds_for_width", "seeds_for_consistency", "vargha_delaney"],
}


@pytest.mark.parametrize(
    ("module", "name"), [(module, name) for module, names in WAS.items() for name in names]
)
def test_an_import_of_version_0_1_gives_the_same_thing_and_warns(module, name):
    public = getattr(experiments, {"sweep": "run_sweep"}.get(name, name))
    with pytest.warns(
        FutureWarning,
        match=f"{module} is now experiments.studies.*stand in experiments; the old name goes",
    ):
        assert getattr(importlib.import_module(module), name) is public
    assert not hasattr(importlib.import_module(module), "nothing_of_the_kind")


def test_it_warns_once_where_it_is_imported():
    code = "for _ in range(3):\n    from experiments.sweep import sweep\n"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.count("FutureWarning") == 1


def test_every_public_name_is_there_and_warns_of_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in experiments.__all__:
            assert getattr(experiments, name).__name__ == name
        assert set(experiments.__all__) <= set(dir(experiments))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = experiments.nothing
