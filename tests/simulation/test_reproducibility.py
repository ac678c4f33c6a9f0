"""The same seed gives the same bytes: in another process, after save and load, in forks, in any order of rows and drugs."""

import itertools
import json
import shutil
import subprocess
import sys
from pathlib import Path

import mesa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulation import Parameter, Schedule, TCell, Treatment, TumorCell, TumorModel, treatments
from simulation.errors import StateError
from simulation.results.files import digests, sealed, unsealed
from simulation.state import RESULTS, taken_apart
from simulation.treatments import TreatmentError
from tests.dish import dish, sow

ROOT = Path(__file__).parents[2]
CROWDED = {
    "t_cell.initial_density": 200,
    "t_cell.base_influx": 30,
    "nk_cell.base_influx": 20,
    "recruitment.delay": 0.5,
    "tumor.mhc_halving": 0.05,
    "tumor.antigen_loss": 0.01,
    "tumor.pdl1": 0.5,
}


class Ratchet(Treatment):
    """A plug-in with a memory: arrays and numbers of its own decide whom it hurts and whom it helps."""

    step = Parameter(
        0.05,
        "1",
        "how much stronger every dose makes it",
        source="assumed: for a test",
        range=(0, 1),
    )
    schedule = Schedule(every="8 hours")

    def on_start(self, model):
        self.state = {
            "sizes": np.zeros(3, dtype=np.int64),
            "strength": 0.0,
            "marks": [1, 2.5, "text", None],
            "table": {"a": 1},
        }

    def on_dose(self, model, dose):
        self.state["sizes"] = np.append(self.state["sizes"], model.count("tumor_cell"))
        self.state["strength"] += self.step / 3.0

    def on_step(self, model):
        draws = model.randomness.uniform(
            f"treatments.{self.name}.who", model.clock, model.cells["name"]
        )
        model.add_hazard(
            0.01 * self.state["strength"], where=model.rows("tumor_cell") & (draws < 0.5)
        )

    def modify(self, rules, model):
        rules.kill.scale(1.0 + self.state["sizes"].sum() % 7 / 10.0, where=model.rows("t_cell"))
        rules.division.scale(0.9, kind="tumor_cell")

    def measure(self, model):
        return {"strength": self.state["strength"], "seen": int(self.state["sizes"].sum())}


class Stander(mesa.Agent):
    """A plain Mesa agent that walks when it can and remembers how far; it can be saved."""

    def __init__(self, model):
        super().__init__(model)
        self.walked = 0

    def step(self):
        free = self.model.free_neighbors(self.pos)
        if free:
            self.model.place(self, min(free))
            self.walked += 1

    def state(self):
        return {"walked": self.walked}

    def restore(self, state):
        self.walked = state["walked"]


class Forgetful(mesa.Agent):
    """A plain Mesa agent that cannot be saved."""

    def step(self):
        pass


EVERY = [*treatments.names(), f"{__name__}:Ratchet"]
SPACES = {
    "flat": {"shape": (31, 31)},
    "deep": {"shape": (11, 11, 11)},
    "liquid": {"shape": (31, 31), "liquid": True},
}
CASES = [
    *itertools.product(EVERY, ["flat"]),
    ("car_t", "liquid"),
    (EVERY[-1], "deep"),
    (EVERY[-1], "liquid"),
]


def young(drug, space="flat", seed=7, arm="arm", **more):
    """A small crowded tumour that gets one drug."""
    return TumorModel(
        "mouse_b16",
        seed=seed,
        treatments=[drug] if drug else [],
        tumor_cells=350,
        overrides=CROWDED,
        arm=arm,
        **SPACES[space],
        **more,
    )


def steps(model, number):
    for _ in range(number):
        model.step()
    return model


def assert_same_state(first, second, what):
    """Every array of two models is equal to the last bit."""
    one, two = taken_apart(first)[0], taken_apart(second)[0]
    assert one.keys() == two.keys()
    for name in one:
        assert one[name].tobytes() == two[name].tobytes(), f"{what}: {name} differs"


def table(model):
    return model.results.timeseries.to_csv(index=False)


def by_name(model):
    """Every column of the living, in the order of names, and who holds whom by name."""
    cells = model.cells
    rows = np.flatnonzero(cells.alive)
    rows = rows[np.argsort(cells["name"][rows])]
    columns = {
        name: cells[name][rows]
        for name in cells.columns
        if name not in ("partner", "strain", "contact")
    }
    partner = cells["partner"][rows]
    columns["holds"] = np.where(partner >= 0, cells["name"][partner], -1)
    return columns


SCRIPT = """
import sys
from pathlib import Path
from simulation import TumorModel
from tests.simulation.test_reproducibility import CASES, steps, young
folder = Path(sys.argv[1])
for number in range(len(CASES)):
    model = TumorModel.load(folder / f"saved-{number}")
    steps(model, 30).save(folder / f"continued-{number}")
steps(young("pembrolizumab"), 60).results.save(folder / "again")
"""


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    """Saved here after 30 steps, continued for 30 in another process; the folder, and the models never stopped."""
    folder = tmp_path_factory.mktemp("elsewhere")
    models = []
    for number, (drug, space) in enumerate(CASES):
        model = steps(young(drug, space), 30)
        model.give(treatments.Nivolumab(name="pending"))
        model.save(folder / f"saved-{number}")
        models.append(steps(model, 30))
    subprocess.run([sys.executable, "-c", SCRIPT, str(folder)], cwd=ROOT, check=True, timeout=300)
    return folder, models


@pytest.mark.parametrize(
    "case", range(len(CASES)), ids=["-".join(c).rpartition(":")[2] for c in CASES]
)
def test_saved_loaded_and_continued_elsewhere_equals_never_stopped(elsewhere, case):
    folder, models = elsewhere
    model, continued = models[case], TumorModel.load(folder / f"continued-{case}")
    assert_same_state(model, continued, CASES[case])
    assert table(model) == table(continued), "the time series differ"
    assert model.results.doses.equals(continued.results.doses) and model.results.measures.equals(
        continued.results.measures
    )
    for name, treatment in model.treatments.items():
        other = continued.treatments[name]
        assert json.dumps(
            treatment.state, default=lambda a: (a.dtype.str, a.tolist())
        ) == json.dumps(other.state, default=lambda a: (a.dtype.str, a.tolist())), (
            f"the memory of {name} differs"
        )
        assert treatment.doses == other.doses and treatment.schedule == other.schedule
    assert_same_state(steps(model, 5), steps(continued, 5), "five steps later")


def test_the_same_seed_gives_the_same_bytes_in_another_process(elsewhere, tmp_path):
    folder, _ = elsewhere
    steps(young("pembrolizumab"), 60).results.save(tmp_path)
    again, here = (
        (where / "timeseries.csv").read_bytes() for where in (folder / "again", tmp_path)
    )
    assert again == here and len(here) > 1000
    other = steps(young("pembrolizumab", seed=8), 60)
    assert table(other) != here.decode(), "another seed is another run"


@pytest.mark.parametrize("space", SPACES)
def test_a_fork_has_the_same_future(space):
    """A fork taken at any moment goes on as its origin does, in every array."""
    model = steps(young("car_t", space), 20)
    fork = model.fork()
    assert fork.hours == model.hours and fork.day == 0.0
    for _ in range(25):
        model.step()
        fork.step()
    for name, array in taken_apart(model)[0].items():
        if not name.startswith("population/counted "):
            assert array.tobytes() == taken_apart(fork)[0][name].tobytes(), (
                f"{name} of the fork differs"
            )
    before = table(fork)
    steps(model, 5)
    assert table(fork) == before, "the fork lives on its own"
    assert (
        by_name(steps(model.fork(seed=99), 10))["name"].tobytes()
        != by_name(steps(model, 10))["name"].tobytes()
    )


def test_placebo_equals_control_exactly():
    control, placebo = steps(young(None), 60), steps(young("placebo"), 60)
    assert len(placebo.results.doses) == 1
    assert_same_state(control, placebo, "placebo")
    assert table(control) == table(placebo)


def test_the_order_of_treatments_does_not_matter():
    """All at once, in four orders, with one antibody twice: every array to the last bit."""

    def all_of():
        return [
            *EVERY,
            treatments.Pembrolizumab(name="second", first_dose=1),
            Ratchet(name="another"),
        ]

    orders = [
        lambda t: t,
        lambda t: t[::-1],
        lambda t: t[1::2] + t[::2],
        lambda t: sorted(t, key=str),
    ]
    runs = []
    for order in orders:
        model = TumorModel(
            "mouse_b16",
            shape=(31, 31),
            seed=3,
            treatments=order(all_of()),
            tumor_cells=350,
            overrides=CROWDED,
        )
        runs.append(steps(model, 40))
    assert runs[0].results.doses.treatment.nunique() == len(all_of())
    for run in runs[1:]:
        assert_same_state(runs[0], run, "another order of the list")
        assert table(runs[0]) == table(run)


def test_one_extra_isolated_cell_changes_nobody_else():
    """Fields and recruitment off: a cell far away leaves every other lineage as it was, in every column."""
    live = {
        "tumor.division_rate": 3,
        "tumor.death_rate": 0.4,
        "tumor.mutation_spread": 0.1,
        "tumor.antigen_spread": 0.3,
        "t_cell.speed": 0.5,
        "t_cell.death_rate": 0.5,
        "t_cell.division_rate": 2,
        "t_cell.exhaustion_rate": 1,
    }
    runs = []
    for extra in (False, True):
        model = dish((30, 160), 6, live)
        block = np.stack(
            np.meshgrid(np.arange(8, 22), np.arange(8, 22), indexing="ij"), axis=-1
        ).reshape(-1, 2)
        sow(model, "tumor_cell", block[::2])
        sow(model, "t_cell", block[1::4])
        clone = TumorCell(model, pos=(15, 150)).clone if extra else 0
        steps(model, 60)
        found = by_name(model)
        keep = found["clone"] != clone
        assert (model.lattice.coordinates(found["site"][keep])[:, 1] < 120).all(), (
            "nobody came near"
        )
        runs.append({name: column[keep] for name, column in found.items()})
        assert extra == (not keep.all()), "the extra cell is there, and lived"
    assert model.counters["kills"].sum() > 10 and model.counters["births"].sum() > 100, (
        "a lively run"
    )
    for name in runs[0]:
        assert runs[0][name].tobytes() == runs[1][name].tobytes(), f"{name} of others changed"


@pytest.mark.parametrize("space", SPACES)
def test_laying_rows_anew_changes_no_bit(space, monkeypatch):
    """Rows sorted at every step, never, or in between by hand: the same cells, the same table."""
    runs = []
    for every, by_hand in ((1, False), (10**9, False), (10**9, True)):
        monkeypatch.setattr("simulation.step.SORT_EVERY", every)
        model = young("car_t", space)
        for step in range(40):
            if by_hand and step % 7 == 3:
                model.cells.sort_by_site(model.lattice.occupant, model.lattice.interior)
            model.step()
        runs.append(model)
    assert not np.array_equal(runs[0].cells["name"], runs[1].cells["name"]), (
        "the rows do lie differently"
    )
    for run in runs[1:]:
        assert table(run) == table(runs[0])
        first, second = by_name(runs[0]), by_name(run)
        for name in first:
            assert first[name].tobytes() == second[name].tobytes(), (
                f"{name} depends on the order of rows"
            )
        for name, field in run.fields.items():
            assert field.values.tobytes() == runs[0].fields[name].values.tobytes(), (
                f"{name} depends on the order of rows"
            )


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("damage") / "model"
    steps(young(EVERY[-1]), 5).save(folder)
    return folder


@settings(max_examples=60)
@given(data=st.data())
def test_a_damaged_state_is_refused_in_one_sentence(saved, data):
    """Any byte of any file changed, any file cut short or gone."""
    files = sorted(f for f in saved.rglob("*") if f.is_file())
    file = data.draw(st.sampled_from(files))
    whole = file.read_bytes()
    deed = data.draw(st.sampled_from(["flip", "cut", "remove", "empty"]))
    place = data.draw(st.integers(0, len(whole) - 1))
    changed = {
        "flip": whole[:place]
        + bytes([whole[place] ^ data.draw(st.integers(1, 255))])
        + whole[place + 1 :],
        "cut": whole[:place],
        "remove": None,
        "empty": b"",
    }[deed]
    try:
        file.unlink() if changed is None else file.write_bytes(changed)
        if file.name == "sha256.json" and changed is not None and sums(changed) == sums(whole):
            return  # only white space changed
        with pytest.raises(StateError) as error:
            TumorModel.load(saved)
        assert "\n" not in str(error.value) and str(saved) in str(error.value), str(error.value)
    finally:
        file.write_bytes(whole)


def sums(text):
    try:
        return json.loads(text)
    except ValueError:
        return None


def test_a_whole_state_loads_again_after_those_experiments(saved):
    assert steps(TumorModel.load(saved), 1).clock == 6


@pytest.mark.parametrize("found", ["nothing", "a file", "another format"])
def test_a_foreign_folder_is_refused_in_one_sentence(found, tmp_path, saved):
    folder = tmp_path / "model"
    if found == "a file":
        folder.write_text("not a model")
    if found == "another format":
        shutil.copytree(saved, folder)
        (folder / "state.json").write_text(json.dumps({"format": 99, "results": RESULTS}))
        sums = unsealed((folder / "sha256.json").read_bytes())
        sums["files"] |= digests(folder, ["state.json"])
        (folder / "sha256.json").write_text(sealed(sums))
    with pytest.raises(StateError) as error:
        TumorModel.load(folder)
    assert str(folder) in str(error.value) and "\n" not in str(error.value)
    assert ("format 99" in str(error.value)) == (found == "another format")


def test_saving_over_an_older_state_leaves_no_trace_of_it(tmp_path):
    model = young(None)
    model.save(tmp_path / "m")
    steps(model, 3).save(tmp_path / "m")
    assert TumorModel.load(tmp_path / "m").clock == 3
    assert [f.name for f in tmp_path.iterdir()] == ["m"], "nothing half-written stays behind"


def test_a_folder_that_cannot_be_written_is_refused_in_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match="cannot be saved") as error:
        young(None).save(tmp_path / "file" / "model")
    assert "\n" not in str(error.value)


def test_a_plain_agent_without_state_cannot_be_saved_and_one_with_state_can(tmp_path):
    model = young(None)
    forgetful = Forgetful(model)
    model.place(forgetful, (0, 0))
    with pytest.raises(
        StateError, match=r"Forgetful cannot be saved or forked.*state\(\).*restore\(dict\)"
    ):
        model.save(tmp_path / "a")
    assert not (tmp_path / "a").exists(), "nothing half-written"
    with pytest.raises(StateError, match="Forgetful"):
        model.fork()
    forgetful.remove()
    model.place(Stander(model), (0, 0))
    steps(model, 4).save(tmp_path / "b")
    twin = TumorModel.load(tmp_path / "b")
    (walker,) = twin.visitors()
    (original,) = model.visitors()
    assert walker.walked == original.walked > 0 and walker.pos == original.pos
    assert_same_state(steps(model, 10), steps(twin, 10), "a model with a visitor")
    assert walker.walked == original.walked and walker.pos == original.pos


def test_what_cannot_be_written_down_is_refused_in_one_sentence(tmp_path):
    model = steps(young(Ratchet()), 1)
    model.treatments["ratchet"].state["thing"] = object()
    with pytest.raises(StateError, match="treatment ratchet cannot be saved.*allowed are"):
        model.save(tmp_path / "m")


def test_two_treatments_with_one_name_are_refused():
    with pytest.raises(TreatmentError, match="two treatments named 'pembrolizumab'"):
        young("pembrolizumab").give("pembrolizumab")


def test_births_by_hand_are_the_same_after_a_load(tmp_path):
    """Names of cells made by hand follow from how many there were."""
    model = young(None)
    TumorCell(model)
    model.save(tmp_path / "m")
    twin = TumorModel.load(tmp_path / "m")
    assert TCell(model).unique_id == TCell(twin).unique_id
