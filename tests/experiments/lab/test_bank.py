"""Tumours that are kept on disk are the very ones that would grow, whatever happens to the disk."""

import os
import shutil
import time

import pytest

from experiments.lab import bank as module
from experiments.lab.bank import UNUSED, Bank
from experiments.lab.lab import Lab
from experiments.lab.patient import Eliminated, Patient, Shelf
from experiments.scenarios.arms import grown
from simulation import compiled
from tests.experiments.lab.test_lab import SMALL


@pytest.fixture
def patient(tmp_path):
    (tmp_path / "small.toml").write_text(SMALL)
    return Patient.of(str(tmp_path / "small.toml"))


@pytest.fixture
def counted(monkeypatch):
    """Seeds of tumours that were really grown, in order."""
    seeds = []
    monkeypatch.setattr(
        "experiments.lab.patient.grown",
        lambda scenario, *rest: seeds.append(scenario.seed) or grown(scenario, *rest),
    )
    return seeds


def opened(patient: Patient, bank: Bank, arms=None) -> Lab:
    """A lab as it is after a new start: its shelf is empty, its bank is not."""
    lab = Lab(shelf=Shelf(bank=bank))
    lab.choose(patient, arms)
    lab.open()
    return lab


@pytest.mark.parametrize("arms", [("control", "drug"), ("dim", "late")])
def test_a_kept_tumour_goes_on_to_the_last_bit(tmp_path, patient, counted, arms):
    bank = Bank(tmp_path / "bank")
    first = opened(patient, bank, arms)
    assert len(counted) == 1 + ("dim" in arms)
    kept = opened(patient, bank, arms)
    assert len(counted) == 1 + ("dim" in arms), "a tumour is grown once"
    for hours in (0, 48):
        for lab in (first, kept):
            lab.give(0, "car_t", 1e8, once=True)
            lab.step(hours)
        assert (kept.csv(), kept.exported()) == (first.csv(), first.exported())
        one, other = first.frame(), kept.frame()
        assert (one.pictures, one.panels, one.monitors) == (
            other.pictures,
            other.panels,
            other.monitors,
        )


def test_another_tumour_another_engine_and_other_libraries_are_grown(
    tmp_path, patient, counted, monkeypatch
):
    bank = Bank(tmp_path / "bank")
    for other in (
        patient,
        patient.with_seed("6"),
        patient.with_value("tumor.death_rate", 0.01),
        patient,
    ):
        opened(other, bank)
    assert counted == [5, 6, 5]
    monkeypatch.setattr(module, "engine", lambda: "another")
    opened(patient, bank)
    assert counted == [5, 6, 5, 5]


def test_the_engine_is_all_of_its_source(tmp_path, monkeypatch):
    source = tmp_path / "simulation"
    shutil.copytree(
        module.simulation.__path__[0], source, ignore=shutil.ignore_patterns("__pycache__")
    )
    monkeypatch.setattr(module.simulation, "__file__", str(source / "__init__.py"))
    found = {module.engine.__wrapped__()}
    for name in ("model.py", "state.py", "kernels/act.py", "parameter_sets/melanoma.py"):
        with open(source / name, "a") as file:
            file.write("# other rules\n")
        found.add(module.engine.__wrapped__())
    assert len(found) == 5


def test_a_tumour_that_dies_out_is_not_grown_twice(tmp_path, patient, counted):
    bank, dying = (
        Bank(tmp_path / "bank"),
        patient.with_value("tumor.division_rate", 0.0).with_value("tumor.death_rate", 2.0),
    )
    for _ in range(2):
        with pytest.raises(Eliminated):
            opened(dying, bank)
    assert len(counted) == 2, "once with and once without immune cells"


def halved(file):
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def flipped(file):
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def replaced(file):
    file.unlink()
    file.mkdir()


@pytest.mark.parametrize(
    "damage",
    [halved, flipped, replaced, lambda file: file.unlink(), lambda file: file.write_bytes(b"")],
)
def test_a_damaged_one_is_grown_again_and_replaced(tmp_path, patient, counted, damage):
    bank = Bank(tmp_path / "bank")
    whole = opened(patient, bank).csv()
    names = sorted(
        file.relative_to(bank.folder) for file in bank.folder.rglob("*") if file.is_file()
    )
    assert len(names) > 3
    for number, name in enumerate(names[::3]):
        damage(bank.folder / name)
        assert opened(patient, bank).csv() == whole
        assert len(counted) == number + 2, f"{name} was damaged"
        assert opened(patient, bank).csv() == whole and len(counted) == number + 2


def test_a_tumour_under_the_name_of_another_is_not_believed(tmp_path, patient, counted):
    bank = Bank(tmp_path / "bank")
    opened(patient, bank)
    own = next(bank.folder.iterdir())
    opened(patient.with_seed("6"), bank)
    other = next(place for place in bank.folder.iterdir() if place != own)
    shutil.rmtree(own)
    shutil.copytree(other, own)
    opened(patient, bank)
    assert counted == [5, 6, 5]


def test_the_least_used_go_and_the_folder_stays_small(tmp_path, patient):
    bank = Bank(tmp_path / "bank")
    for seed in "1234":
        opened(patient.with_seed(seed), bank)
    places, sizes = list(bank.folder.iterdir()), 0
    assert len(places) == 4
    for place in places:
        os.utime(place, (time.time() - 100,) * 2)
        sizes += sum(file.stat().st_size for file in place.rglob("*") if file.is_file())
    bank.most = int(0.9 * sizes)
    opened(patient.with_seed("1"), bank)  # used again
    opened(patient.with_seed("5"), bank)
    left = {place.name for place in bank.folder.iterdir()}
    assert len(left) == 3 and bank.take("nothing") is None
    for place in bank.folder.iterdir():
        os.utime(place, (time.time() - UNUSED - 100,) * 2)
    opened(patient.with_seed("6"), bank)
    assert len(list(bank.folder.iterdir())) == 1, "old ones go"


@pytest.mark.parametrize("nowhere", ["none", "file", "dangling", "/proc/nothing", "full"])
def test_without_a_place_to_keep_them_they_are_grown(
    tmp_path, patient, counted, monkeypatch, nowhere
):
    (tmp_path / "file").touch()
    (tmp_path / "dangling").symlink_to("/proc/nothing")
    if nowhere == "full":
        monkeypatch.setattr(
            "os.fsync", lambda handle: (_ for _ in ()).throw(OSError(28, "No space left on device"))
        )
    bank = Bank(None if nowhere == "none" else tmp_path / nowhere)
    assert opened(patient, bank).csv() == opened(patient, bank).csv()
    assert len(counted) == 2


def test_the_users_own_bank_lies_beside_the_compiled_loops(tmp_path, monkeypatch):
    monkeypatch.setattr(compiled, "CACHE", tmp_path / "loops-1")
    assert Bank.of_user().folder == tmp_path / "tumours"
    monkeypatch.setattr(compiled, "CACHE", None)
    assert Bank.of_user().folder is None and Bank.of_user().take("any") is None
