"""Whatever happens to a file that was written is told in a sentence, or changes nothing: no damage is believed."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from experiments.runs import run as running
from experiments.runs.folder import RunError, RunFolder
from experiments.runs.run import run_scenario
from experiments.scenarios.scenario import Scenario
from experiments.studies import stored
from experiments.studies.archive import Archive, StudyError
from experiments.studies.runner import complete
from experiments.studies.sweep import sweep
from experiments.studies.trial import trial
from simulation import TumorLabError, TumorModel
from simulation.errors import StateError
from simulation.results.files import sealed, unsealed
from simulation.results.results import Results

from ..studies import Counting, counting

CONTENT = {
    "question": "?",
    "parameters": "melanoma",
    "shape": [21, 21],
    "days": 1.0,
    "tumor_cells": 60,
    "set": {"tumor.division_rate": 1, "t_cell.initial_density": 40},
    "grow": {"cells": 70, "max_days": 2.0},
    "arms": {"drug": {"treatments": [{"drug": "pembrolizumab"}]}},
}
KINDS = {"counting": Counting, "sweep": sweep.Sweep, "trial": trial.Trial}


def scenario(**keys) -> Scenario:
    return Scenario.from_content(CONTENT | keys, name="small", file="small.toml")


def harms(whole: bytes, siblings: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
    """What can become of a file: name of the harm and what stands there then."""
    for place in sorted(
        {0, len(whole) // 7, len(whole) // 2, len(whole) - 40, len(whole) - 2}
        & set(range(len(whole)))
    ):
        yield (
            f"bit flipped at {place}",
            whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :],
        )
    yield "cut", whole[: len(whole) // 2]
    yield from [
        ("empty", b""),
        ("{}", b"{}"),
        ("[]", b"[]"),
        ("null", b"null"),
        ("deep", b"[" * 9999),
    ]
    yield from [
        ("not text", b"\xff\xfe\x00"),
        ("no files", b'{"files": {}}'),
        ("sealed nothing", sealed({}).encode()),
    ]
    yield from siblings.items()


def siblings(file: Path, folder: Path, *others: Path) -> dict[str, bytes]:
    """The file of the same name in other folders, and one of the same kind beside it."""
    there = {
        f"that of {other.name}": (other / file.relative_to(folder)).read_bytes()
        for other in others
        if (other / file.relative_to(folder)).is_file()
    }
    alike = [
        one for one in sorted(folder.rglob(f"*{file.suffix}")) if one != file and one.is_file()
    ]
    return there | {f"that of {one.relative_to(folder)}": one.read_bytes() for one in alike[:3]}


def unharmed(
    folder: Path, others: list[Path], read: Callable[[Path], object], but: tuple[str, ...] = ()
) -> int:
    """Harm every file in every way, but for those that end like one of ``but``.

    ``read`` gives what it gave before, or raises an error of ours. Returns how often it did so.
    """
    before, noticed = read(folder), 0
    for file in sorted(
        one for one in folder.rglob("*") if one.is_file() and not one.name.endswith(but)
    ):
        whole = file.read_bytes()
        for harm, content in harms(whole, siblings(file, folder, *others)):
            if content == whole:
                continue
            file.write_bytes(content)
            try:
                assert read(folder) == before, f"{file.name}: {harm} was believed"
            except ValueError as error:
                assert isinstance(error, TumorLabError), f"{file.name}: {harm}: {error!r}"
                assert "\n" not in str(error) and str(folder) in str(error), (
                    f"{file.name}: {harm}: {error}"
                )
                noticed += 1
            finally:
                file.write_bytes(whole)
        file.unlink()
        try:
            assert read(folder) == before, f"{file.name}: that it is gone was not noticed"
        except ValueError as error:
            assert isinstance(error, TumorLabError), f"{file.name}: gone: {error!r}"
            noticed += 1
        file.write_bytes(whole)
    assert read(folder) == before
    return noticed


def bits(results: dict[str, Results]) -> str:
    """Everything recorded, as text that is the same for the same bits."""
    return repr(
        [
            (
                arm,
                one.timeseries.to_dict("list"),
                one._doses,
                one._measures,
                one.log,
                one.provenance,
                one.citations,
                [
                    (
                        day,
                        {
                            name: values.tobytes()
                            for name, values in (shot.cells | shot.fields).items()
                        },
                    )
                    for day, shot in one.snapshots.items()
                ],
            )
            for arm, one in results.items()
        ]
    )


# ---------------------------------------------------------------- runs


class Stopped(BaseException):
    """A stop that no code catches."""


def stopped(folder: Path, seed: int = 1) -> Path:
    """A run that was stopped in its last arm: a grown tumour, a whole arm, and two checkpoints of another."""

    def on_progress(arm, day, days):
        if arm == "drug" and day > 0.5:
            raise Stopped

    with pytest.raises(Stopped), pytest.MonkeyPatch.context() as patch:
        patch.setattr(running, "CHECKPOINT_DAYS", 0.25)
        run_scenario(scenario(seed=seed), folder, on_progress=on_progress)
    return folder


@pytest.fixture(scope="module")
def halves(tmp_path_factory) -> tuple[Path, Path]:
    """Runs of two seeds, each stopped in the middle."""
    place = tmp_path_factory.mktemp("halves")
    return stopped(place / "one"), stopped(place / "two", seed=2)


@pytest.fixture(scope="module")
def wholes(halves, tmp_path_factory) -> tuple[Path, Path]:
    """The same two runs completed."""
    place = tmp_path_factory.mktemp("wholes")
    for half, seed in zip(halves, (1, 2), strict=True):
        shutil.copytree(half, place / half.name)
        run_scenario(scenario(seed=seed), place / half.name, resume=True)
    return place / "one", place / "two"


def tables(folder: Path) -> bytes:
    return (folder / "timeseries.csv").read_bytes()


def test_no_damage_to_a_finished_run_is_believed(wholes, tmp_path):
    for whole in wholes:
        shutil.copytree(whole, tmp_path / whole.name, ignore=shutil.ignore_patterns("checkpoints"))

    def read(folder: Path) -> str:
        return repr(RunFolder(folder).record()) + bits(Results.load(folder))

    assert unharmed(tmp_path / "one", [tmp_path / "two"], read, but=(".png",)) > 100


def test_no_damage_to_a_checkpoint_or_the_plan_is_believed(halves):
    runs = [RunFolder(half) for half in halves]
    places = [run.checkpoints("control")[0] for run in runs]

    def read(place: Path) -> str:
        model = RunFolder(halves[0]).load(place)
        return f"{model.clock} {model.seed} {model.cells['name'].tobytes()} " + bits(
            {model.arm: model.results}
        )

    assert unharmed(places[0], places[1:], read) > 100
    file = runs[0].plan_file
    whole = file.read_bytes()
    for harm, content in harms(whole, {}):
        file.write_bytes(content)
        with pytest.raises(RunError, match="plan.json is damaged"):
            RunFolder(halves[0]).plan()
            pytest.fail(harm)
    file.write_bytes(whole)


def swapped(folder: Path, other: Path, what: str) -> None:
    """Put what belongs elsewhere into a stopped run."""
    place = folder / "checkpoints"
    newest, older = RunFolder(folder).checkpoints("drug")
    source, target = {
        "seed": (RunFolder(other).checkpoints("drug")[0], newest),
        "arm": (RunFolder(folder).checkpoints("control")[0], newest),
        "day": (older, newest),
        "tumour": (other / "checkpoints" / "grown", place / "grown"),
    }[what]
    if what == "tumour":  # it is asked for only where an arm begins
        shutil.rmtree(place / "drug")
    shutil.rmtree(target)
    shutil.copytree(source, target)


@pytest.mark.parametrize("what", ["seed", "arm", "day", "tumour"])
def test_a_checkpoint_of_another_seed_arm_or_day_is_named_and_passed_over(
    halves, wholes, tmp_path, what
):
    shutil.copytree(halves[0], tmp_path / "run")
    swapped(tmp_path / "run", halves[1], what)
    summary = run_scenario(scenario(), tmp_path / "run", resume=True)
    assert len(summary.notes) == 1 and "belongs to something else" in summary.notes[0], (
        summary.notes
    )
    assert summary.notes[0].endswith("; continued from what was before it")
    assert tables(tmp_path / "run") == tables(wholes[0])


def test_a_checkpoint_of_other_options_is_passed_over(halves, wholes, tmp_path):
    """The same seed, arm and day, but another value of a parameter."""
    other = tmp_path / "other"
    run_scenario(scenario(), other, set={"tumor.division_rate": 0.5})
    shutil.copytree(halves[0], tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "checkpoints" / "control")
    shutil.copytree(other / "checkpoints" / "control", tmp_path / "run" / "checkpoints" / "control")
    summary = run_scenario(scenario(), tmp_path / "run", resume=True)
    assert "belongs to something else" in summary.notes[0]
    assert tables(tmp_path / "run") == tables(wholes[0])


def test_a_finished_run_answers_for_its_own_plan(wholes, tmp_path):
    assert RunFolder(wholes[0]).load(wholes[0] / "checkpoints" / "grown").seed == 1
    shutil.copytree(wholes[0], tmp_path / "run")
    shutil.copy(
        wholes[1] / "checkpoints" / "plan.json", tmp_path / "run" / "checkpoints" / "plan.json"
    )
    with pytest.raises(RunError, match="was begun with"):
        run_scenario(scenario(seed=2), tmp_path / "run", resume=True)


@pytest.mark.parametrize(
    "finished, content", [(True, ""), (True, "[]"), (False, "{}"), (False, "nonsense")]
)
def test_overwrite_starts_a_run_anew_whatever_became_of_its_plan(
    halves, wholes, tmp_path, finished, content
):
    run = tmp_path / "run"
    shutil.copytree((wholes if finished else halves)[1], run)
    (run / "checkpoints" / "plan.json").write_text(content)
    if finished:
        (run / "run.json").write_text(content)
    with pytest.raises(RunError, match="is damaged and cannot be read .*; --overwrite starts anew"):
        run_scenario(scenario(), run, resume=True)
    run_scenario(scenario(), run, days=0.25, arms=["control"], overwrite=True)
    assert list(RunFolder(run).record()["arms"]) == ["control"]


def test_overwriting_a_run_leaves_everything_else_alone(wholes, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(wholes[0], run)
    own = [
        "mine.csv",
        "mine.png",
        "notes.txt",
        "snapshots/mine.npz",
        "snapshots/control/day_mine.npz",
        "exports/mine.h5ad",
        "exports/cells.csv",
        "checkpoints/README",
        "checkpoints/control/why.txt",
        "checkpoints/.ipynb_checkpoints/x.ipynb",
        "movie.mp4",
        ".control.csv.part",
    ]
    for name in own:
        (run / name).parent.mkdir(parents=True, exist_ok=True)
        (run / name).write_text("mine")
    (run / "exports" / "control_day_0001.00.vti").write_text("ours")
    run_scenario(scenario(), run, days=0.25, arms=["control"], overwrite=True)
    assert [name for name in own if not (run / name).is_file()] == []
    assert (
        not (run / "exports" / "control_day_0001.00.vti").exists()
        and not (run / "snapshots" / "drug").exists()
    )
    assert not {*own} & RunFolder(run).record()["files"].keys()
    assert {file.name for file in run.glob("snapshots/control/*")} == {
        "day_0000.00.npz",
        "day_0000.25.npz",
        "day_mine.npz",
    }


def test_a_run_json_of_somebody_else_is_left_alone(tmp_path):
    (tmp_path / "run.json").write_text('{"mine": true}')
    with pytest.raises(
        RunError, match="run.json is not the record of a run, or damaged, .*; move it away"
    ):
        run_scenario(scenario(), tmp_path, overwrite=True)
    assert (tmp_path / "run.json").read_text() == '{"mine": true}' and len(
        list(tmp_path.iterdir())
    ) == 1


# ---------------------------------------------------------------- models and results


def test_a_model_is_not_saved_over_files_that_are_none_of_its_own(tmp_path):
    model = TumorModel(shape=(9, 9), seed=1, tumor_cells=5)
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.txt").write_text("mine")
    (tmp_path / "letter").write_text("mine")
    for place in ("home", "letter"):
        with pytest.raises(StateError, match="would be lost; choose another folder"):
            model.save(tmp_path / place)
    assert (tmp_path / "home" / "thesis.txt").read_text() == "mine" and (
        tmp_path / "letter"
    ).read_text() == "mine"
    model.save(tmp_path / "model")
    model.save(tmp_path / "model")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["home", "letter", "model"]


def test_no_damage_to_results_of_a_session_is_believed(wholes, tmp_path):
    Results.save_all(tmp_path / "one", Results.load(wholes[0]).values())
    Results.save_all(tmp_path / "two", Results.load(wholes[1]).values())
    assert (
        unharmed(tmp_path / "one", [tmp_path / "two"], lambda folder: bits(Results.load(folder)))
        > 100
    )


def test_a_snapshot_that_was_not_written_with_the_results_is_told(wholes, tmp_path):
    shutil.copytree(wholes[0], tmp_path / "run")
    shutil.copy(
        tmp_path / "run/snapshots/control/day_0001.00.npz",
        tmp_path / "run/snapshots/control/day_0002.00.npz",
    )
    with pytest.raises(ValueError, match="day_0002.00.npz was not written with the rest"):
        Results.load(tmp_path / "run")


# ---------------------------------------------------------------- studies


@pytest.fixture
def kinds(monkeypatch):
    monkeypatch.setattr(stored, "STUDIES", KINDS)


@pytest.fixture
def studies(tmp_path, kinds) -> tuple[Path, Path]:
    """Two studies of three runs, of which one fails; their runs have other keys."""
    for name, extra in (("one", {"raises": 1}), ("two", {"raises": 1, "other": True})):
        complete(counting(points=3, seeds=1, extra=extra), tmp_path / name)
    return tmp_path / "one", tmp_path / "two"


def test_no_damage_to_a_study_is_believed_where_it_is_read(studies):
    def read(folder: Path) -> str:
        found = Archive(folder).tables()
        tables = {name: table.to_csv() for name, table in found.items()}
        return repr([Archive(folder).record(), stored.study(folder).model_dump(), tables])

    assert unharmed(studies[0], [studies[1]], read, but=(".run",)) > 50


@pytest.mark.slow
def test_no_damage_to_a_study_is_believed_where_it_is_completed(studies, tmp_path):
    """Completed again, a study with any damage comes to the same tables, or a sentence says what is wrong."""

    def read(folder: Path) -> str:
        shutil.rmtree(tmp_path / "copy", ignore_errors=True)
        shutil.copytree(folder, tmp_path / "copy")
        try:
            summary = complete(counting(points=3, seeds=1, extra={"raises": 1}), tmp_path / "copy")
        except StudyError as error:
            raise StudyError(f"{error} ({folder})") from None
        return repr({name: table.to_csv() for name, table in summary.tables.items()})

    assert unharmed(studies[0], [studies[1]], read, but=(".parquet", "made.json")) > 10


def test_two_run_files_that_change_places_are_noticed(studies):
    one, two = sorted(studies[0].glob("runs/*.run"))
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(second)
    two.write_bytes(first)
    summary = complete(counting(points=3, seeds=1, extra={"raises": 1}), studies[0])
    assert summary.computed == 2 and len(summary.notes) == 2
    assert all("is damaged (it holds the run" in note for note in summary.notes)
    assert (one.read_bytes(), two.read_bytes()) == (first, second)


def test_a_damaged_failure_is_named_and_its_run_repeated(studies):
    (file,) = studies[0].glob("failures/*.json")
    for content in ("{}", "", sealed(unsealed(file.read_bytes()) | {"key": "0" * 20})):
        file.write_text(content)
        summary = complete(counting(points=3, seeds=1, extra={"raises": 1}), studies[0])
        assert summary.computed == 1 and summary.notes == [
            f"{file} is damaged; its run is repeated"
        ]


@pytest.mark.parametrize("content", ["", "{}", "[]", "null", "nonsense"])
def test_overwrite_starts_a_study_anew_whatever_became_of_its_plan(studies, content):
    (studies[0] / "plan.json").write_text(content)
    with pytest.raises(StudyError, match="plan.json is damaged .*; --overwrite starts anew"):
        complete(counting(points=2), studies[0])
    assert complete(counting(points=2), studies[0], overwrite=True).computed == 4
    assert len(list(studies[0].glob("runs/*"))) == 4 and not list(studies[0].glob("failures/*"))


def test_a_plan_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "plan.json").write_text('{"mine": true}')
    with pytest.raises(
        StudyError, match="plan.json is not the plan of a study, or damaged; move it away"
    ):
        complete(counting(points=2), tmp_path, overwrite=True)
    assert (tmp_path / "plan.json").read_text() == '{"mine": true}'


OWN = [
    "mine.csv",
    "mine.png",
    "mine.parquet",
    "report.txt",
    "runs/mine.run",
    "failures/mine.json",
    "notes/x.csv",
    ".mine.part",
]


@pytest.mark.parametrize("finished", [True, False])
def test_overwriting_a_study_leaves_everything_else_alone(tmp_path, kinds, monkeypatch, finished):
    """Also where it was stopped between two of the files that are made of its runs."""
    from experiments.studies import runner
    from experiments.studies.study import Findings

    frame = complete(counting(points=2), tmp_path).tables["outcomes"]
    monkeypatch.setattr(
        Counting, "analyse", lambda study, tables: Findings({"one": frame, "other": frame})
    )
    if finished:
        complete(counting(points=2), tmp_path)
    else:

        def stop(file, content):
            if "other" in file.name:
                raise Stopped
            file.write_text(content)

        with pytest.raises(Stopped), pytest.MonkeyPatch.context() as patch:
            patch.setattr(runner, "write_atomically", stop)
            complete(counting(points=2), tmp_path)
    assert (tmp_path / "one.csv").is_file() and (tmp_path / "other.csv").is_file() == finished
    for name in OWN:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("mine")
    monkeypatch.undo()
    complete(counting(points=1), tmp_path, overwrite=True)
    assert [name for name in OWN if not (tmp_path / name).is_file()] == []
    assert not (tmp_path / "one.csv").exists() and not (tmp_path / "other.csv").exists()
    assert len(list(tmp_path.glob("runs/*"))) == 2 + 1


def test_a_list_of_files_that_names_others_removes_nothing_elsewhere(tmp_path):
    complete(counting(points=1), tmp_path / "study")
    (tmp_path / "letter.txt").write_text("mine")
    names = ["../letter.txt", str(tmp_path / "letter.txt"), "runs/x.run"]
    (tmp_path / "study" / "made.json").write_text(sealed({"files": names}))
    complete(counting(points=1), tmp_path / "study", overwrite=True)
    assert (tmp_path / "letter.txt").read_text() == "mine"


# ---------------------------------------------------------------- shards


def test_shards_that_overwrite_leave_each_others_runs(tmp_path):
    """One after the other, over nothing, over the same study and over another one."""
    log, out = tmp_path / "log", tmp_path / "out"
    for points, expected in ((2, 4), (2, 4), (3, 6)):
        log.unlink(missing_ok=True)
        for part in (1, 2):
            summary = complete(
                counting(points=points, extra={"log": str(log)}),
                out,
                shard=(part, 2),
                overwrite=True,
            )
        assert (summary.missing, len(summary.tables["outcomes"])) == (0, expected)
        assert len(log.read_text().splitlines()) == expected, "each run is computed anew, once"
    assert len(list(tmp_path.glob("out/runs/*"))) == 6, "what the other study left is gone"


def test_shards_that_overwrite_at_the_same_time_lose_nothing(tmp_path):
    """Each is begun while the other computes; whichever ends last finds all runs."""
    study = counting(points=3)
    complete(counting(points=3, extra={"old": 1}), tmp_path)
    others: list = []

    def begin_the_other(done, total, failed):
        if done == 1 and not others:
            others.append(None)
            others[0] = complete(study, tmp_path, shard=(2, 2), overwrite=True)

    summary = complete(study, tmp_path, shard=(1, 2), overwrite=True, on_progress=begin_the_other)
    assert others[0].missing == 2 and summary.missing == 0 and len(summary.tables["outcomes"]) == 6
    assert len(list(tmp_path.glob("runs/*"))) == 6


def test_a_run_that_goes_while_tables_are_made_is_missing_and_no_error(tmp_path, monkeypatch):
    study, join = counting(points=2), Archive.join

    def taken(archive, runs):
        archive.run_file(runs[1]).unlink()  # by a shard that begins to overwrite
        return join(archive, runs)

    monkeypatch.setattr(Archive, "join", taken)
    complete(study, tmp_path, shard=(1, 2))
    assert complete(study, tmp_path, shard=(2, 2)).missing == 1
