"""Reading a folder runs no code: what it says of treatments of one's own is enough to draw, tell and export it."""

import json
import shutil
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from experiments.command.cli import app
from experiments.film import film
from experiments.runs.folder import RunFolder
from experiments.scenarios.own_code import only_named, only_read
from experiments.scenarios.scenario import Scenario
from experiments.scenarios.toml_tables import ScenarioError
from experiments.studies.archive import MARK, PLAN, Archive
from experiments.studies.sweep.sweep import Sweep
from simulation import TumorModel, plug_ins, state, treatments
from simulation.errors import StateError
from simulation.results.files import digest, digests, sealed
from simulation.treatments.stand_in import StandIn, description, stand_in

DRUG = '''
from simulation import Parameter, Schedule, Treatment

class Drug(Treatment):
    """A drug of one's own."""
    potency = Parameter(0.5, "1/day", "death rate", range=(0, 20), source="assumed: for a test")
    schedule = Schedule(every="2 days", times=3)

    def __init__(self, target="tumor_cell", **given):
        super().__init__(**given)
        self.target = target

    def modify(self, rules, model):
        rules.death.add(self.potency, kind=self.target)
'''
PLUG_INS = """
import mesa
from simulation import CellKind, Process, CellAgent

def idle(model):
    pass

class Macrophage(CellAgent):
    pass

class Passer(mesa.Agent):
    def state(self):
        return {}
    def restore(self, state):
        pass

KIND = CellKind("macrophage", Macrophage)
PROCESS = Process("idle", "divide", idle)
"""
SCENARIO = """
question = "What does a drug of one's own do?"
parameters = "melanoma"
shape = [21, 21]
days = 0.25
tumor_cells = 60
[set]
"treatments.helper.potency" = 1
[[arms.drug.treatments]]
drug = "their_drug:Drug"
name = "helper"
parameters = { target = "t_cell" }
schedule = { every = "1 day" }
"""
SWEEP = """
question = "How much of it?"
scenario = "theirs.toml"
seeds = 1
[vary]
"treatments.helper.potency" = [1, 2]
"""
READING = (
    "plot run",
    "export run --to vti",
    "film run",
    "plot study",
    "show theirs.toml",
    "list",
    "show placebo",
)


def tumorlab(*words):
    return CliRunner().invoke(app, list(map(str, words)))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with a run and a sweep of a treatment of one's own, as their author has it."""
    place = tmp_path_factory.mktemp("author")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", list(sys.path))
        patch.chdir(place)
        written = {
            "their_drug.py": DRUG,
            "their_kinds.py": PLUG_INS,
            "theirs.toml": SCENARIO,
            "sweep.toml": SWEEP,
        }
        for name, text in written.items():
            Path(name).write_text(text)
        for words in (
            "run theirs.toml --out run",
            "sweep sweep.toml --workers 1 --out study --quiet",
        ):
            done = tumorlab(*words.split())
            assert done.exit_code == 0, done.output
        import their_kinds

        model = TumorModel(
            shape=(21, 21),
            seed=1,
            tumor_cells=20,
            cell_kinds=[their_kinds.KIND],
            processes=[their_kinds.PROCESS],
            treatments=["their_drug:Drug"],
        )
        model.place(their_kinds.Passer(model), (0, 0))
        model.save("state")
    yield place
    for name in ("their_drug", "their_kinds"):
        sys.modules.pop(name, None)


@pytest.fixture()
def downloaded(made, tmp_path, monkeypatch):
    """The same beside modules of the same names that say when they are run, and are found if anybody looks."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    for name in ("their_drug", "their_kinds"):
        (tmp_path / f"{name}.py").write_text(
            f"from pathlib import Path\nPath({str(tmp_path / 'RUN')!r}).touch()\n"
        )
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    assert not (tmp_path / "RUN").exists(), "code of a folder that was only read has run"


def test_a_folder_is_read_without_its_code(downloaded):
    before = {file: file.read_bytes() for file in downloaded.rglob("report.html")}
    assert len(before) == 2
    for words in READING:
        done = tumorlab(*words.split())
        if words.startswith("film"):
            assert (
                done.exit_code == 2
                and "names code that does not ship (their_drug:Drug); --own-code imports"
                in done.stderr
            )
        else:
            assert done.exit_code == 0, f"{words}: {done.output}"
    assert before == {file: file.read_bytes() for file in before}, (
        "the description says all that the code said"
    )
    said = tumorlab("show", "theirs.toml").stdout
    assert "arm drug: helper (of your own: tumorlab show their_drug:Drug)" in said


def test_a_folder_without_descriptions_is_refused_and_not_run(downloaded):
    record = json.loads((downloaded / "run" / "run.json").read_text())
    for about in (record, record["plan"]):
        about.pop("treatments", None)
    scenario = record["scenario"]["in_force"]
    with (
        only_read({}),
        pytest.raises(ScenarioError, match="'their_drug:Drug'.*what is only read runs no code"),
    ):
        Scenario.from_content(scenario)
    archive = Archive(downloaded / "study")
    record, plan = archive.record(), archive.path / PLAN
    plan.write_text(sealed(archive.plan() | {"treatments": {}}))
    (archive.path / MARK).write_text(sealed(record | {"plan": digest(plan)}))
    done = tumorlab("plot", "study")
    assert done.exit_code == 2 and "what is only read runs no code" in done.stderr, done.output


@pytest.mark.parametrize(
    "about",
    [
        {},
        {"class": 1},
        {"class": "their_drug:Drug", "meaning": "", "schedule": {}, "parameters": {"x": {}}},
        {
            "class": "their_drug:Drug",
            "meaning": "",
            "schedule": {"every": "__import__"},
            "parameters": {},
        },
        {"class": "their_drug:Drug", "meaning": "", "schedule": {}, "parameters": []},
    ],
)
def test_a_description_that_is_not_what_was_written_is_told(downloaded, about):
    with pytest.raises(
        treatments.TreatmentError, match="the description of treatment 'their_drug:Drug'"
    ):
        stand_in("their_drug:Drug", about)


@pytest.mark.parametrize("place", ["treatments", "kinds", "processes", "visitors", "pending"])
def test_a_kept_tumour_that_names_code_is_grown_again(downloaded, place):
    kept = downloaded / "run" / "checkpoints" / "grown"
    shutil.rmtree(kept, ignore_errors=True)
    shutil.copytree(downloaded / "state", kept)
    plain = json.loads((kept / "state.json").read_text())
    code = plain["code"]
    named = code["pending" if place == "treatments" else place]
    assert named, "this place names something"
    (kept / "state.json").write_text(
        json.dumps(plain | {"code": {key: [] for key in code} | {place: named}})
    )
    run, files = (
        RunFolder(downloaded / "run"),
        [name for name in state.written(kept) if name != state.SUMS],
    )
    (kept / state.SUMS).write_text(sealed({"files": digests(kept, files), "of": run._part(kept)}))
    with (
        pytest.raises(StateError, match="is needed by the saved model and cannot be imported"),
        plug_ins.only_read(lambda path, wanted: None),
    ):
        run.load(kept)
    scenario = Scenario.from_text(
        'question = "?"\nparameters = "melanoma"\nshape = [15, 15]\ndays = 1\ntumor_cells = 10\n'
    )
    model = film.common_tumor(RunFolder(downloaded / "run"), scenario, lambda what, day, days: None)
    assert model.shape == (15, 15)


def test_only_with_a_word_does_a_film_import_what_a_run_names(made, monkeypatch):
    asked = []
    monkeypatch.setattr(film, "take", lambda scenario, *rest: asked.append(scenario) or exit())
    monkeypatch.setattr(sys, "path", [*sys.path, str(made)])
    with pytest.raises(SystemExit):
        film.make(made / "run", 1, 2, 320, own_code=True)
    assert type(asked[0].build_treatments("drug")[0]).__name__ == "Drug"


def test_a_stand_in_reads_like_the_treatment_and_cannot_be_given():
    drug = stand_in("simulation.treatments.car_t:CarT", description(treatments.CarT))
    one, other = drug(name="a"), treatments.CarT(name="a")
    assert (
        one.table() == other.table()
        and str(one.schedule) == str(other.schedule)
        and drug.describe() == other.describe()
    )
    assert issubclass(drug, StandIn)
    with pytest.raises(treatments.TreatmentError, match="only described"):
        TumorModel(shape=(9, 9), seed=1, tumor_cells=5, treatments=[one]).run(days=0.1)


def test_what_is_only_named_takes_any_word(tmp_path, monkeypatch):
    with only_named():
        scenario = Scenario.from_text(SCENARIO)
        assert scenario.build_treatments("drug")[0].name == "helper"


@pytest.mark.parametrize(
    "path",
    [":Drug", "..relative:Drug", "os.path/:Drug", "their drug:Drug", "nowhere:Drug", "os:nothing"],
)
def test_what_is_no_module_is_one_sentence(path):
    with pytest.raises(treatments.TreatmentError):
        treatments.find(path)


def test_the_current_folder_is_looked_into_last_and_only_for_a_module_that_is_named(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        sys, "path", [place for place in sys.path if place not in ("", str(tmp_path))]
    )
    (tmp_path / "lies_here_alone.py").write_text("THING = 3\n")
    assert tumorlab("list").exit_code == 0
    assert str(tmp_path) not in sys.path
    assert plug_ins.at("simulation.kinds.kind:Process") and str(tmp_path) not in sys.path
    assert plug_ins.at("lies_here_alone:THING") == 3 and sys.path[-1] == str(tmp_path)


def test_nothing_is_looked_for_beside_what_ships(monkeypatch):
    """Its folder holds modules of the program, which are no code of a user's own."""
    monkeypatch.setattr(plug_ins, "_beside", [])
    Scenario.load("combination")
    Sweep.load("pd1_il2_surface")
    assert plug_ins._beside == []
