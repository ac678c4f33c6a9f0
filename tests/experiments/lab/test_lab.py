"""The lab without its page: sessions replay to the last bit, pictures say what is there, and nothing a visitor does breaks it."""

import io
import re
import threading
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image
from typer.testing import CliRunner

from experiments.command.cli import app
from experiments.lab import charts, legend, panels, tissue
from experiments.lab import lab as lab_module
from experiments.lab.dials import LAST, Dial, amount_of, dials
from experiments.lab.lab import Lab
from experiments.lab.patient import LabError, Patient, Shelf
from experiments.lab.player import PROBLEM, Player
from experiments.lab.protocol import protocol, toml
from experiments.runs.outcomes import tell
from experiments.runs.run import run_scenario
from experiments.scenarios.arms import grown
from experiments.scenarios.scenario import Scenario
from experiments.words import moment_words
from simulation import treatments
from simulation.plots import style
from simulation.readouts.response import Recist, scans
from simulation.words import kind_words, view_words
from tests.simulation.test_reproducibility import assert_same_state

SMALL = """
question = "What is left of it?"
parameters = "melanoma"
shape = [41, 41]
days = 6
seed = 5
[set]
"tumor.pdl1" = 2.0
"tumor.initial_cells" = 120
"t_cell.initial_density" = 40
"treatments.aldesleukin.peak" = 3.0
[grow]
cells = 150
max_days = 5
[[arms.drug.treatments]]
drug = "aldesleukin"
[arms.dim]
start = "twin"
[arms.dim.set]
"tumor.antigen" = 0.1
[[arms.late.treatments]]
drug = "pembrolizumab"
given = 0.5
stopped = 1.0
"""


@pytest.fixture
def patient(tmp_path):
    (tmp_path / "small.toml").write_text(SMALL)
    return Patient.of(str(tmp_path / "small.toml"))


@pytest.fixture
def lab(patient):
    lab = Lab(shelf=Shelf())
    lab.choose(patient)
    lab.open()
    return lab


@pytest.fixture
def undrawn(monkeypatch):
    """Runs without their overview, which takes longer than they do."""
    monkeypatch.setattr("experiments.runs.run.overview", lambda arms, question: b"")


# ---------------------------------------------------------------- what was done can be done again


def a_busy_session(lab: Lab) -> None:
    """Doses, a start, a stop and an infusion, some of them in the same hour, some before the first step."""
    lab.give(0, "pembrolizumab", 150.0, once=True)
    lab.step(7)
    lab.give(1, "car_t", 5e9, once=True)
    lab.give(0, "pembrolizumab")
    lab.step(20)
    lab.stop(0, "pembrolizumab_2")
    lab.stop(1, "aldesleukin")
    lab.give(1, "interferon_alfa")
    lab.step(40)
    lab.give(0, "placebo")  # acts at a step that never comes


def test_an_exported_session_replays_to_the_last_byte(lab, tmp_path, undrawn):
    a_busy_session(lab)
    (tmp_path / "exported.toml").write_text(lab.exported())
    run_scenario(str(tmp_path / "exported.toml"), tmp_path / "replayed")
    rows = (tmp_path / "replayed" / "timeseries.csv").read_text().splitlines()
    replayed = [row for row in rows if not row.startswith("control,")]
    assert replayed == lab.csv().splitlines(), (
        "the run of an exported session is the session itself"
    )
    assert lab.names() == ("left", "right") and len(replayed) == 1 + 2 * (67 // 6 + 2), (
        "every 6 hours and hour 67"
    )


def test_the_command_replays_a_session_and_each_action_matters(lab, tmp_path, undrawn):
    lab.step(10)
    lab.give(1, "pembrolizumab", 400.0)
    lab.step(26)
    exported = lab.exported()
    assert "given = 0.4166666666666667" in exported and "dose = 400.0" in exported
    ran = {}
    for name, text in {
        "as_it_was": exported,
        "earlier": exported.replace("given = 0.41", "given = 0.01"),
    }.items():
        (tmp_path / f"{name}.toml").write_text(text)
        told = CliRunner().invoke(
            app, ["run", str(tmp_path / f"{name}.toml"), "--out", str(tmp_path / name), "--quiet"]
        )
        assert told.exit_code == 0, told.output
        ran[name] = (tmp_path / name / "timeseries.csv").read_text()
    assert ran["as_it_was"] == lab.csv(), (
        "an untreated left tumour is the control, and the whole file is the same"
    )
    assert ran["earlier"] != lab.csv(), "the day of an action decides what happens"


@pytest.mark.parametrize(
    "arms", [("dim", "drug"), ("control", "control"), ("late", "dim"), ("late", "late")]
)
def test_every_beginning_replays(patient, arms, tmp_path, undrawn):
    lab = Lab(shelf=Shelf())
    lab.choose(patient, arms)
    lab.open()
    lab.step(30)
    (tmp_path / "exported.toml").write_text(lab.exported())
    run_scenario(str(tmp_path / "exported.toml"), tmp_path / "replayed")
    rows = (tmp_path / "replayed" / "timeseries.csv").read_text().splitlines()
    mine = set(lab.csv().splitlines())
    assert mine <= set(rows) and all(row in mine or row.startswith("control,") for row in rows)


@pytest.mark.parametrize("name", Scenario.names())
def test_every_scenario_can_be_written_down_and_read_again(name):
    for whole in (False, True):
        bench = Patient.of(name)._replace(whole=whole).bench()
        arms = {arm: (arm, []) for arm in bench.arms}
        again = Scenario.from_text(toml(protocol(bench, arms, bench.days)))
        assert (
            again.overrides() == bench.overrides()
            and again.grow == bench.grow
            and again.shape == bench.shape
        )
        assert list(again.arms) == list(bench.arms)
        assert again.lines == bench.lines and list(again.lines) == ["Watch", "Try", "It means"]


# ---------------------------------------------------------------- two tumours, one patient


def test_two_tumours_differ_only_by_what_is_done_to_them(lab, patient):
    lab.choose(patient, ("control", "control"))
    lab.open()
    lab.step(12)
    left, right = lab.frame().pictures
    assert left == right, "untreated forks of one tumour are the same picture"
    lab.give(1, "car_t", 1e10, once=True)
    lab.step(48)
    left, right = (model.count("tumor_cell") for model in lab.models)
    assert right < left, "CAR T cells in the right tumour leave the left one alone"
    assert lab.models[0].results.doses.empty and len(lab.models[1].results.doses) == 1


def test_reset_gives_the_first_picture_again(lab):
    first = lab.frame()
    a_busy_session(lab)
    assert lab.frame().pictures != first.pictures and len(lab.log()) > 4
    lab.reset()
    again = lab.frame()
    assert (again.pictures, again.panels, again.monitors) == (
        first.pictures,
        first.panels,
        first.monitors,
    )
    (words,) = lab.log()
    assert (
        words
        == "day 0, right: aldesleukin given: 3 nM, every 8 hours x 14, again 9 days after the last dose, 2 cycles"
    )


def test_the_shelf_spares_growing_and_stays_small(patient, monkeypatch):
    times = []
    monkeypatch.setattr(
        "experiments.lab.patient.grown", lambda *given: times.append(1) or grown(*given)
    )
    shelf = Shelf(most=2)
    lab = Lab(shelf=shelf)
    for seed in ("1", "1", "2", "3", "1"):
        lab.choose(patient.with_seed(seed), ("control", "drug"))
        lab.open()
        lab.reset()
    assert len(times) == 4, (
        "each seed grows once for both tumours; the first was gone when it was wanted again"
    )
    assert len(shelf._grown) == 2
    other = Lab(shelf=shelf)
    other.choose(lab.patient)
    other.open()
    other.step(5)
    assert lab.day == 0 and other.models[0] is not lab.models[0], (
        "visitors share grown tumours, never what they do with them"
    )


def test_a_quick_patch_holds_cells_in_proportion():
    patient = Patient.of("checkpoint_blockade")
    quick, whole = patient.bench(), patient._replace(whole=True).bench()
    share = 101 * 101 / (201 * 201)
    assert quick.shape == [101, 101] and whole.shape == [201, 201]
    assert quick.grow.cells == round(5000 * share) and quick.overrides()[
        "tumor.initial_cells"
    ] == round(1500 * share)
    assert whole.content() == patient.written().content()
    assert patient.with_value("tumor.pdl1", 0.5).bench().overrides()["tumor.pdl1"] == 0.5


# ---------------------------------------------------------------- what is shown is what is there


def test_monitors_tell_what_a_teacher_reads_out(lab):
    lab.give(1, "car_t", 1e10, once=True)
    lab.step(24 * 4)
    frame, model = lab.frame(), lab.models[1]
    series, found = model.results.timeseries, frame.monitors[1]
    assert found["burden"].value == f"{model.count('tumor_cell'):,}"
    judged = scans(series, Recist(every=4))
    assert found["response"].value == judged["category"].iloc[-1]
    last = series[series["day"] >= 3.0]
    cells = last["t_cells"] + last["car_t_cells"]
    kills = (last["kills_by_t"] + last["kills_by_car_t"]).iloc[[0, -1]].diff().iloc[-1]
    assert (
        found["kills"].value == f"{kills / cells.mean():.2f}"
        and found["kills"].remark == "last day"
    )
    assert found["antigen"].value == (
        "–" if not model.count("tumor_cell") else f"{series['mean_antigen'].iloc[-1]:.2f}"
    )
    assert "car_t_cells" in found and "car_t_cells" not in frame.monitors[0]


def test_a_pixel_has_the_colour_of_the_cell_that_stands_there(lab):
    lab.give(1, "car_t", 5e9, once=True)
    lab.step(3)
    snapshot = lab.frame().snapshots[1]
    image = Image.open(io.BytesIO(tissue.picture(snapshot, "kinds"))).convert("RGB")
    edge = image.width // snapshot.shape[0]
    for kind in ("t_cell", "car_t_cell", "nk_cell"):
        site = snapshot.cells["site"][snapshot.is_kind(kind)][0]
        x, y = divmod(int(site), snapshot.shape[1])
        pixel = image.getpixel((x * edge + edge // 2, image.height - 1 - (y * edge + edge // 2)))
        assert pixel == tuple(round(255 * part) for part in to_rgb(style.kind_color(kind))), (
            f"a {kind} stands where it is drawn"
        )
        assert kind_words(kind)[:-1] in legend.at(snapshot, (x + 0.5) / 41, 1 - (y + 0.5) / 41)
    assert tissue.picture(snapshot, "kinds") == tissue.picture(snapshot, "kinds")


def colors_in(png: bytes) -> set[tuple[int, int, int]]:
    return {color for _, color in Image.open(io.BytesIO(png)).convert("RGB").getcolors(1 << 16)}


def rgb(color: str) -> tuple[int, ...]:
    return tuple(round(255 * part) for part in to_rgb(color))


@pytest.mark.parametrize("show", [show for show in tissue.VIEWS if show != "kinds"])
def test_immune_cells_stay_in_sight_in_every_view(lab, show):
    lab.give(1, "car_t", 5e9, once=True)
    lab.step(3)
    snapshot = lab.frame().snapshots[1]
    hollow = ("nk_cell",) if show == "vigour" else ("t_cell", "car_t_cell", "nk_cell")
    drawn, told = colors_in(tissue.picture(snapshot, show)), legend.legend(show, (snapshot,), 1.0)
    for kind in hollow:
        color = style.kind_color(kind)
        assert rgb(color) in drawn and f'class="hollow" style="border-color:{color}"' in told, (
            f"{kind} in {show}"
        )
    without = replace(
        snapshot,
        cells={
            name: values[snapshot.is_kind("tumor_cell")] for name, values in snapshot.cells.items()
        },
    )
    assert not {rgb(style.kind_color(kind)) for kind in hollow if show != "clone"} & colors_in(
        tissue.picture(without, show)
    )


def test_a_kill_flashes_where_it_happened_and_only_in_the_next_picture(lab):
    model, watch = lab.models[1], lab._watches[1]
    lab.give(1, "car_t", 5e9, once=True)
    killed = 0
    for _ in range(8):
        before, counted = model.snapshot(), int(model.counters["kills"][:, 0].sum())
        tumor = dict(
            zip(
                before.trait("site", "tumor_cell").tolist(),
                before.trait("name", "tumor_cell").tolist(),
                strict=True,
            )
        )
        lab.frame()
        lab.step(1)
        number = int(model.counters["kills"][:, 0].sum()) - counted
        assert len(watch.killed) == len(set(watch.killed.tolist())) == number, (
            "a flash for every kill, and none besides"
        )
        left = set(model.snapshot().trait("name", "tumor_cell").tolist())
        assert all(tumor[site] not in left for site in watch.killed.tolist()), (
            "it flashes where a tumour cell stood that is gone"
        )
        assert (rgb(tissue.FLASH_COLOR) in colors_in(lab.frame().pictures[1])) == bool(number)
        killed += number
    assert killed > 5


def test_of_those_that_died_the_nearest_to_who_has_killed_flash(lab, monkeypatch):
    """Five die by themselves in the hour in which two kill: cells of that many, at the killers, flash."""
    watch, killer, other = lab._watches[0], 41 * 5 + 6, 41 * 30 + 30
    sites = np.array(
        [
            0,
            41 * 5 + 5,
            41 * 5 + 9,
            41 * 20 + 20,
            41 * 29 + 29,
            41 * 40 + 40,
            41 * 33 + 3,
            41 * 10 + 40,
        ]
    )
    names = np.arange(8)

    def looked(left: np.ndarray, killed: int, kills: dict) -> None:
        watch._tumor, watch._killed, watch._kills = (names[left], sites[left]), killed, kills

    looked(names >= 0, 3, {100: (3, 41 * 10 + 39)})
    now = {100: (3, 41 * 40 + 40), 101: (1, killer), 102: (1, other)}
    monkeypatch.setattr(watch, "_look", lambda: looked(names == 7, 5, now))
    watch.hour()
    assert sorted(watch.killed.tolist()) == [41 * 5 + 5, 41 * 29 + 29]


def test_a_day_between_two_pictures_shows_its_last_six_hours(lab):
    watch, seen = lab._watches[0], []
    for _ in range(24):
        lab.step(1)
        seen.append((watch._hours[-1][0].tolist(), watch._hours[-1][1].tolist()))
    assert watch.killed.tolist() == [site for places, _ in seen[-6:] for site in places]
    assert watch.braked.tolist() == sorted({name for _, names in seen[-6:] for name in names})


def test_a_ring_marks_whom_the_brake_took_a_hit_from_and_the_drug_takes_the_rings_away(
    lab, patient
):
    lab.choose(patient.with_value("checkpoint.brake", 1.0), ("control", "control"))
    lab.open()
    lab.give(1, "pembrolizumab")
    taken = [0, 0]
    for _ in range(6):
        lab.step(6)
        frame = lab.frame()
        for side, watch in enumerate(lab._watches):
            snapshot, names = frame.snapshots[side], watch.braked
            kinds = snapshot.cells["kind"][np.isin(snapshot.cells["name"], names)]
            assert {snapshot.kinds[kind] for kind in kinds} <= {"t_cell", "car_t_cell"}, (
                "NK cells have no such brake"
            )
            assert (rgb(style.INK) in colors_in(frame.pictures[side])) == bool(kinds.size)
            taken[side] += names.size
    assert taken[0] - taken[1] > 3 * sum(taken) ** 0.5, (
        f"{taken} rings without and with the drug, over 3 standard errors apart"
    )
    counts = [model.cells["braked"][model.cells.alive] for model in lab.models]
    assert all((each >= 0).all() for each in counts) and counts[0].sum() > counts[1].sum()


def test_a_daughter_has_neither_kills_nor_hits_that_were_taken(lab, patient):
    """They belong to the one cell: inherited, they would ring a cell at its birth."""
    lab.choose(patient.with_value("checkpoint.brake", 1.0))
    lab.open()
    lab.give(0, "car_t", 1e10, once=True)
    cells, of_such = lab.models[0].cells, 0
    for _ in range(72):
        lab.step(1)
        kills, braked = (
            dict(zip(cells["name"].tolist(), cells[column].tolist(), strict=True))
            for column in ("kills", "braked")
        )
        new = np.flatnonzero(cells.alive & (cells["born"] == lab.models[0].clock))
        assert not cells["kills"][new].any() and not cells["braked"][new].any()
        of_such += sum(
            kills.get(mother, 0) + braked.get(mother, 0) > 0
            for mother in cells["mother"][new].tolist()
        )
    assert of_such > 10, "mothers had some"


def test_without_a_brake_no_hit_is_taken(lab, patient):
    lab.choose(patient.with_value("checkpoint.brake", 0.0))
    lab.open()
    lab.step(24)
    assert (
        not any(model.cells["braked"].any() for model in lab.models)
        and lab.models[0].counters["kills"].any()
    )


def test_looking_changes_nothing(lab, patient):
    alone = grown(patient.bench()).fork(arm="control")
    alone.run(2, progress=False)
    for _ in range(48):
        lab.step(1)
        lab.frame("pdl1")
    pd = lab.models[0].results.timeseries
    assert pd.to_csv(index=False) == alone.results.timeseries.to_csv(index=False)
    assert_same_state(lab.models[0], alone, "looked at")


def test_the_sentence_of_the_command_appears_when_a_tumour_crosses_a_threshold(lab):
    lab.give(1, "car_t", 2e10, once=True)
    told = []
    for _ in range(24):
        lab.step(6)
        told.append(lab.frame().told)
    end = next(
        day for day, (_, right) in enumerate(told) if "eliminated" in right or "shrank" in right
    )
    course = lab.models[1].results.timeseries["tumor_cells"]
    share = course / course.iloc[0]
    assert share.iloc[end + 1] < 0.8 <= share.iloc[: end + 1].min(), (
        "in the very picture in which it is crossed"
    )
    told_right = [
        line for line in lab.log() if "right: shrank" in line or "right: eliminated" in line
    ]
    assert told_right and "of the control's" in told_right[0] and told_right[0].startswith("day ")
    assert tell(lab.results())[lab.names()[1]].split()[0] in told[-1][1]
    days = [24 * day for day, _, _ in lab._told]
    assert days == pytest.approx([6 * round(day / 6) for day in days]), (
        "on days of which the time series has a row"
    )
    lab.reset()
    assert lab.frame().told == ("", "")


@pytest.mark.parametrize(
    ("cells", "news"),
    [
        (
            [100, 130, 120, 130, 120, 130, 70, 90, 70],
            ["grew", "shrank"],
        ),  # what lies between is no news
        ([100, 40, 30, 90, 130, 20, 0], ["shrank", "relapsed", "shrank", "eliminated"]),
    ],
)
def test_a_tumour_at_a_threshold_is_told_of_once(lab, cells, news):
    watch, told = lab._watches[0], []
    watch._start = watch._lowest = cells[0]
    for number in cells[1:]:
        watch._tumor = (np.arange(number), np.arange(number))
        watch._judge()
        told += [watch._told] * watch.crossed
    assert told == news


def test_an_arm_treated_by_hand_is_no_control_and_one_that_follows_its_plan_is_not_by_hand(
    lab, patient
):
    assert lab.arms == ("control", "drug") and not lab.by_hand(0) and not lab.by_hand(1)
    lab.give(0, "placebo")
    assert lab.by_hand(0) and lab.names() == ("left", "drug")
    lab.choose(patient, ("late", "control"))
    lab.open()
    for _ in range(30):
        assert not lab.by_hand(0) and lab.names() == ("late", "control"), (
            "what the arm itself gives and stops is no hand"
        )
        lab.step(1)
    lab.reset()
    lab.step(15)
    lab.stop(0, "pembrolizumab")
    assert lab.by_hand(0) and lab.names()[0] == "left", "stopped earlier than planned"


def test_scenarios_open_with_the_arms_that_the_question_is_about():
    opened = {name: Lab(name).arms for name in Scenario.names()}
    assert opened["combination"] == ("control", "both") and opened["cytokines"] == (
        "il2",
        "ifn_alpha",
    )
    assert opened["immunoediting"] == ("high", "low") and opened["missing_self"] == (
        "control",
        "no_nk",
    )
    content = Scenario.load("combination").content()
    other = Scenario.from_content(
        content | {"arms": {name: content["arms"][name] for name in ("il2", "both")}},
        name="cytokines",
    )
    assert lab_module.opening(other) == ("control", "both"), (
        "a file of one's own may have the name of one that ships"
    )


@pytest.mark.parametrize(
    "day, words",
    [
        (0, "day 0"),
        (5 + 17 / 24, "day 5, 17:00"),
        (0.5, "day 0, 12:00"),
        (41.999999, "day 42"),
        (7 + 1 / 24, "day 7, 1:00"),
        (1 + 1 / 48, "day 1, 0:30"),
        (365.0, "day 365"),
    ],
)
def test_a_moment_is_told_as_day_and_hour(day, words):
    assert moment_words(day) == words


def test_the_log_and_the_export_tell_the_hour(lab):
    lab.step(17)
    lab.give(0, "pembrolizumab")
    assert lab.log()[-1].startswith("day 0, 17:00, left: pembrolizumab given")
    assert (
        lab.running(0)[0].words.endswith("from day 0, 17:00")
        and "until day 0, 17:00." in lab.exported()
    )


@pytest.mark.parametrize("number", [1, 2, 4, 13, 30])
def test_doses_at_one_time_are_counted(lab, number):
    for _ in range(number):
        lab.give(0, "pembrolizumab", once=True)
    lab.step(6)
    lab.give(0, "pembrolizumab", once=True)
    lab.step(24)
    burden = lab.frame().panels[0]
    assert (f">×{number}<" in burden) == (number > 1) and ">×1<" not in burden


def test_places_that_are_free_have_an_edge_in_every_legend():
    page = (Path(legend.__file__).parents[1] / "page" / "page.css").read_text()
    assert re.search(r"\.lab-keys i \{[^}]*border: 1px solid", page), (
        "a swatch as pale as the page is seen by its edge"
    )


def test_antigen_is_drawn_from_dark_to_bright_and_grey_where_it_is_lost(lab):
    snapshot = lab.frame().snapshots[0]
    tumor = np.flatnonzero(snapshot.is_kind("tumor_cell"))[:3]
    cells = dict(snapshot.cells) | {"antigen": snapshot.cells["antigen"].copy()}
    cells["antigen"][tumor] = 0.0, 0.05, 2.0
    image = Image.open(
        io.BytesIO(tissue.picture(replace(snapshot, cells=cells), "antigen"))
    ).convert("RGB")
    edge = image.width // 41
    x, y = np.divmod(snapshot.cells["site"][tumor], 41)
    places = zip((x * edge).tolist(), (image.height - 1 - y * edge).tolist(), strict=True)
    none, dim, bright = map(image.getpixel, places)
    assert none == tuple(round(255 * part) for part in to_rgb(style.INVISIBLE)) and sum(dim) < sum(
        bright
    )


def test_what_is_pointed_at_is_told_as_the_view_shows_it(lab):
    lab.step(3)
    snapshot = lab.frame().snapshots[0]
    site = snapshot.cells["site"][snapshot.is_kind("nk_cell")][0]
    x, y = divmod(int(site), 41)
    there = (x + 0.5) / 41, 1 - (y + 0.5) / 41
    assert legend.at(snapshot, *there).startswith("NK cell: on patrol")
    assert legend.at(snapshot, *there, "antigen").startswith("NK cell"), (
        "immune cells are drawn hollow in this view"
    )
    row = np.flatnonzero(snapshot.is_kind("tumor_cell"))[0]
    x, y = divmod(int(snapshot.cells["site"][row]), 41)
    told = {
        show: legend.at(snapshot, (x + 0.5) / 41, 1 - (y + 0.5) / 41, show) for show in tissue.VIEWS
    }
    for show in ("antigen", "mhc", "stress_ligand", "oxygen", "il2", "chemokine"):
        assert told[show].startswith(f"tumour cell: {view_words(show)}"), (
            "what is shown comes first"
        )
    assert (
        f"stress ligand {snapshot.cells['stress_ligand'][row]:.2f}" in told["stress_ligand"]
        and "clone" in told["clone"]
    )


def test_a_dot_is_pointed_at_as_far_as_it_is_drawn(lab):
    """An immune cell lies over the tumour cells beside it, whose squares are seen where its dot ends."""
    snapshot = lab.frame().snapshots[0]
    rows = [
        np.flatnonzero(snapshot.is_kind(kind))[0]
        for kind in ("nk_cell", "tumor_cell", "tumor_cell", "tumor_cell")
    ]
    cells = {name: values[rows] for name, values in snapshot.cells.items()}
    cells["site"] = 201 * np.array([100, 101, 102, 104]) + 100
    sparse = replace(snapshot, shape=(201, 201), cells=cells)
    image = Image.open(io.BytesIO(tissue.picture(sparse, "antigen"))).convert("RGB")
    ring = rgb(style.kind_color("nk_cell"))
    for right, kind in (
        (0.0, "NK cell"),
        (0.6, "NK cell"),
        (1.3, "NK cell"),
        (1.8, "tumour cell"),
        (2.4, "tumour cell"),
        (2.7, "no cell"),
        (3.4, "no cell"),
        (3.6, "tumour cell"),
        (4.4, "tumour cell"),
        (4.6, "no cell"),
    ):
        x, y = 100.5 + right, 100.5
        assert legend.at(sparse, x / 201, 1 - y / 201, "antigen").startswith(kind), right
        assert (image.getpixel((int(3 * x), int(3 * (201 - y)))) == ring) == (1.0 < right < 1.5), (
            right
        )
    x, y = 100.5, 100.5 + 1.3
    assert legend.at(sparse, x / 201, 1 - y / 201).startswith("NK cell"), (
        "up as well as to the right"
    )


def test_blood_tells_cells_without_target_from_free_places(lab):
    lab.choose(Patient.of("b_all_car_t"))
    lab.open()
    snapshot = lab.frame("oxygen").snapshots[0]
    assert lab.frame("oxygen").show == "kinds" and "oxygen" not in lab.views, (
        "blood is stirred: no field has a shape"
    )
    cells = dict(snapshot.cells) | {"car_target": np.zeros_like(snapshot.cells["car_target"])}
    image = Image.open(
        io.BytesIO(tissue.picture(replace(snapshot, cells=cells), "car_target"))
    ).convert("RGB")
    edge = image.width // tissue.SQUARES
    lowest, highest = (
        image.getpixel((edge // 2, y)) for y in (image.height - edge // 2, edge // 2)
    )
    assert lowest == tuple(round(255 * part) for part in to_rgb(style.INVISIBLE)) != highest
    assert "free places" in legend.legend("car_target", (snapshot,), 1.0)


def test_a_poster_has_the_colours_of_the_page_and_says_who_is_who(lab, monkeypatch):
    lab.step(30)
    lab.give(0, "pembrolizumab")
    lab.step(1)
    taken = []
    monkeypatch.setattr(
        "experiments.lab.lab.overview",
        lambda arms, *words: taken.append((style.arm_colors(arms), *words)) or b"",
    )
    lab.poster()
    ((colors, question, title),) = taken
    assert colors == {"left, began as control": panels.COLORS[0], "drug": panels.COLORS[1]}
    assert (question, title) == ("What is left of it?", "small, seed 5")
    assert style.arm_colors(["left", "right"])["left"] == style.ARM_COLORS[0], (
        "elsewhere the palette counts from the first arm"
    )


@pytest.mark.parametrize("scenario", ["small", "b_all_car_t"])
def test_every_view_can_be_drawn_and_explained(lab, scenario):
    if scenario != "small":
        lab.choose(Patient.of(scenario).with_value("tumor.initial_cells", 3999))
        lab.open()
        lab.step(2)
    for show in tissue.VIEWS:
        frame = lab.frame(show)
        for png in frame.pictures:
            image = Image.open(io.BytesIO(png))
            assert image.format == "PNG" and min(image.size) >= 280
        words = legend.legend(show, frame.snapshots, frame.top)
        ElementTree.fromstring(f"<p>{words}</p>")
        assert len(words) > 40
        assert all(
            legend.at(snapshot, place, place, show)
            for snapshot in frame.snapshots
            for place in (0.0, 0.5, 0.999, 1.0)
        )
    with pytest.raises(LabError, match="choices: kinds"):
        lab.frame("colour")


def test_panels_are_whole_and_nothing_leaves_them(lab):
    lab.give(0, "aldesleukin")
    lab.give(1, "interferon_alfa")
    lab.give(1, "pembrolizumab")
    lab.give(1, "car_t", 5e9)
    lab.step(60)
    for panel in lab.frame().panels:
        drawn = ElementTree.fromstring(panel)
        width, height = float(drawn.get("width")), float(drawn.get("height"))
        for text in drawn.iter("{http://www.w3.org/2000/svg}text"):
            length = 0.56 * float(text.get("font-size")) * len(text.text)
            left = float(text.get("x")) - {"end": length, "middle": length / 2}.get(
                text.get("text-anchor"), 0
            )
            assert left > -3 and left + length < width + 4, f"{text.text!r} is clipped"
            assert 8 < float(text.get("y")) < height
    burden = lab.frame().panels[0]
    assert "CAR T" in burden and "more" in burden, "four treatments are named, the others counted"
    assert f'fill="{panels.COLORS[0]}">aldesleukin' in burden, (
        "the left tumour has its share of the rows"
    )


def test_a_dose_is_on_the_axis_before_the_next_step_and_doses_of_a_drug_share_a_row(lab):
    """A click is seen at once, or a student clicks again."""
    lab.step(12)
    lab.give(0, "pembrolizumab", once=True)
    lab.give(0, "nivolumab")
    lab.stop(0, "nivolumab")  # in the same hour: it is never given
    (left, _) = lab.frame() and lab._courses
    assert {drug: days.tolist() for drug, days in left.doses.items()} == {"pembrolizumab": [0.5]}
    lab.step(12)
    lab.give(0, "pembrolizumab", once=True)
    lab.frame()
    assert {drug: days.tolist() for drug, days in left.doses.items()} == {
        "pembrolizumab": [0.5, 1.0]
    }
    lab.step(1)
    lab.frame()
    assert left.doses["pembrolizumab"].tolist() == [0.5, 1.0], "and counts once"


def test_only_what_has_doses_to_come_can_be_stopped(lab):
    for _ in range(3):
        lab.give(0, "pembrolizumab", once=True)
    lab.give(0, "pembrolizumab")
    lab.give(0, "car_t")
    assert [(each.label, each.due) for each in lab.running(0)] == [
        ("pembrolizumab × 3", False),
        ("pembrolizumab (no. 4)", True),
        ("CAR T", False),
    ]
    lab.step(5)
    lab.stop(0, "pembrolizumab_4")
    assert [(each.label, each.due) for each in lab.running(0)] == [
        ("pembrolizumab × 4", False),
        ("CAR T", False),
    ]
    assert lab.log()[1] == "day 0, left: pembrolizumab (no. 2) given: 200 mg, a single dose"


def test_a_tumour_that_is_eliminated_while_it_grows_is_grown_without_immune_cells(patient):
    """What a student finds who lowers PD-L1: not an empty bench, but a tumour that is cleared before their eyes."""
    seen = patient.with_value("tumor.antigen", 3.0).with_value("t_cell.initial_density", 1000.0)
    lab = Lab(shelf=Shelf())
    lab.choose(seen)
    lab.open()
    assert (
        lab.patient.sheltered
        and not lab.scenario.grow.immune_cells
        and lab.models[0].count("tumor_cell") >= 60
    )
    assert "immune_cells = false" in lab.exported()
    assert not lab.patient.with_value("tumor.antigen", 1.0).sheltered, (
        "another tumour is tried as it is written"
    )
    lab.choose(patient.with_value("tumor.division_rate", 0.0).with_value("tumor.death_rate", 2.0))
    with pytest.raises(LabError, match="dies out while it grows"):
        lab.open()
    assert not lab.ready


def test_counts_have_a_place_for_zero_and_round_ticks():
    scale = charts.counts(np.array([0, 3, 4000.0]))
    places = scale.place(np.array([0.0, 1, 10, 4000]))
    assert 0 <= places[0] < places[1] < places[2] < places[3] <= 1 and scale.ticks[0] == (0.0, "0")
    assert [label for _, label in charts.counts(np.array([700.0, 5000])).ticks] == [
        "1,000",
        "2,000",
        "5,000",
    ]
    assert np.isnan(scale.place(np.array([np.nan]))).all()
    assert [label for _, label in charts.days(42).ticks] == ["0", "7", "14", "21", "28", "35", "42"]


def test_a_distribution_keeps_every_cell():
    edges = np.geomspace(0.01, 5, 37)
    shape = panels.shape_of(np.array([0.0, 1e-6, 0.01, 1.0, 5.0, 90.0]), edges)
    assert shape.sum() == pytest.approx(100 * 5 / 6), (
        "cells beyond the ends stand in the end bins, lost ones nowhere"
    )
    assert shape[0] == pytest.approx(200 / 6) and shape[-1] == pytest.approx(200 / 6)


# ---------------------------------------------------------------- what a visitor may do wrong


@pytest.mark.parametrize("text", ["seven", "", "-1", "1.5", "1e3", "9" * 30, "9" * 5000, "<b>"])
def test_a_seed_that_is_none_is_told_in_one_sentence(patient, text):
    with pytest.raises(LabError, match="give a whole number from 0 to"):
        patient.with_seed(text)


def test_sliders_reach_their_ends_and_show_the_value_that_is_in_force():
    shown = {dial.name: dial.shown for name in Scenario.names() for dial in dials(Patient.of(name))}
    assert shown["t_cell.base_influx"].endswith(" cells/mm²/day") and shown[
        "tumor.division_rate"
    ].endswith(" /day")
    for name in Scenario.names():
        for dial in [
            *dials(Patient.of(name)),
            *filter(None, map(amount_of, map(treatments.find, treatments.names()))),
        ]:
            low, high = dial.parameter.low, dial.parameter.high
            assert (dial.at(0), dial.at(LAST)) == (low, high) and (dial.at(-5), dial.at(1e9)) == (
                low,
                high,
            )
            values = [dial.at(place) for place in range(LAST + 1)]
            assert values == sorted(values), f"{dial.name} rises from left to right"
            for value in values:
                dial.parameter.accept(value, dial.name)
            assert dial.at(dial.place) == pytest.approx(
                dial.value, rel=0.07, abs=(high - low) / LAST
            )
            assert (
                replace(dial, value=dial.at(0)).place == 0
                and replace(dial, value=high).place == LAST
            )


def test_a_wide_slider_resolves_small_values():
    name = "t_cell.base_influx"
    influx = Dial(
        name, 1.5, Patient.of("checkpoint_blockade").written().model_parameters().parameter(name)
    )
    assert sum(influx.at(place) < 5 for place in range(LAST)) > 50
    assert "between 0 and 1000 cells/mm²/day" in influx.meaning


@pytest.mark.parametrize(
    "name, place",
    [
        ("tumor.division_rate", 0),
        ("t_cell.initial_density", LAST),
        ("tumor.antigen", 0),
        ("tumor.pdl1", LAST),
    ],
)
def test_a_slider_at_its_end_gives_a_tumour_or_a_sentence(lab, patient, name, place):
    parameter = patient.written().model_parameters().parameter(name)
    lab.choose(patient.with_value(name, Dial(name, parameter.default, parameter).at(place)))
    try:
        lab.open()
        lab.step(24)
        lab.frame()
    except LabError as error:
        assert "eliminated while it grew" in str(error)


def test_what_makes_no_sense_is_told(lab, patient):
    with pytest.raises(ValueError, match="there is no treatment 'pembro'"):
        lab.give(0, "pembro")
    with pytest.raises(ValueError, match="dose = -1.0 is not allowed"):
        lab.give(0, "pembrolizumab", -1.0)
    lab.stop(0, "pembrolizumab")  # a click that came twice
    assert [lab.give(0, "nivolumab") for _ in range(3)] == [
        "nivolumab",
        "nivolumab_2",
        "nivolumab_3",
    ]
    with pytest.raises(LabError, match="has no arm 'both'"):
        lab.choose(patient, ("both", "control"))
    with pytest.raises(LabError, match="the lab ends on day 365"):
        lab.step(366 * 24)
    lab.choose(patient)
    for early in (
        lab.step,
        lab.frame,
        lab.exported,
        lab.csv,
        lab.poster,
        lambda: lab.give(0, "placebo"),
    ):
        with pytest.raises(LabError, match="wait until it has grown"):
            early()


# ---------------------------------------------------------------- the worker behind a page


class Watcher:
    """A page that sees every picture at once."""

    def __init__(self, lab: Lab, looks: bool = True):
        self.views, self.looks = [], looks
        self.player = Player(lab, self.publish).start()

    def publish(self, view) -> None:
        self.views.append(view)
        if view.frame and self.looks:
            self.player.seen(view.frame.number)

    def until(self, wanted, seconds: float = 30.0) -> None:
        end = time.monotonic() + seconds
        while not (self.views and wanted(self.views[-1])):
            assert time.monotonic() < end, f"this never came; the last view says {self.views[-1:]}"
            time.sleep(0.01)

    def __enter__(self):
        self.until(lambda view: view.frame is not None)
        return self

    def __exit__(self, *error):
        self.player.close()
        self.player.join(10)
        assert not any(
            thread.name == "lab" and thread.is_alive() for thread in threading.enumerate()
        )


def test_a_session_plays_takes_a_dose_and_stops_where_the_scenario_ends(lab):
    with Watcher(lab) as page:
        first = page.views[-1].frame.pictures
        page.player.play(True)
        page.until(lambda view: view.frame.day > 1)
        page.player.give(0, "car_t", 1e10, True)
        page.until(lambda view: view.frame.day >= 6 and not view.playing)
        assert "the scenario ends here" in page.views[-1].message
        assert [each.name for each in page.views[-1].running[0]] == ["car_t"]
        days = [view.frame.day for view in page.views]
        assert days == sorted(days) and len(days) > 20
        page.player.play(True)
        page.until(lambda view: view.frame.day > 6.5)
        page.player.reset()  # during play
        page.until(lambda view: view.frame.day == 0 and not view.playing)
        assert page.views[-1].frame.pictures == first


def test_ten_clicks_at_once_are_ten_steps_and_few_pictures(lab):
    with Watcher(lab) as page:
        pictures = page.views[-1].frame.number
        for _ in range(10):
            page.player.step()
        page.until(lambda view: view.frame.day == 10 * 3 / 24)
        assert page.views[-1].frame.number <= pictures + 10
        for on in (True, False) * 5:
            page.player.play(on)
        page.until(lambda view: not view.playing)


def test_mistakes_are_told_and_the_session_goes_on(lab):
    with Watcher(lab) as page:
        page.player.give(0, "pembro", None, False)
        page.until(lambda view: "there is no treatment" in view.message)
        page.player.step()
        page.until(lambda view: view.frame.day > 0 and not view.message)
        page.player.give(0, "placebo", None, False)  # while it pauses
        page.until(lambda view: view.log[-1].endswith("left: placebo given: every 3 weeks"))


def test_a_defect_puts_the_session_back_to_day_0_and_never_kills_it(lab, monkeypatch):
    with Watcher(lab) as page:
        page.player.step()
        page.until(lambda view: view.frame.day > 0)
        with monkeypatch.context() as broken:
            broken.setattr(lab, "step", lambda hours: 1 / 0)
            page.player.play(True)
            page.until(lambda view: view.message == PROBLEM and view.frame.day == 0)
        page.player.step()
        page.until(lambda view: view.frame.day > 0)


def test_growing_is_given_up_when_another_tumour_is_wanted(patient):
    lab = Lab(shelf=Shelf())
    lab.choose(patient.with_value("tumor.division_rate", 0.3))
    page = Watcher(lab)
    for seed in range(20, 26):
        page.player.choose(patient.with_seed(str(seed)))
    with page:
        page.until(
            lambda view: view.frame is not None and view.patient.seed == 25 and not view.busy
        )
        assert lab.patient.seed == 25


def of_one_patient(view) -> bool:
    """Whether heading, sliders, choices, curves and pictures of a view belong together."""
    bench = view.patient.bench()
    pictures = view.frame is None or all(
        snapshot.shape == tuple(bench.shape) for snapshot in view.frame.snapshots
    )
    return pictures and view.choices == tuple(bench.arms) and set(view.arms) <= set(bench.arms)


@pytest.fixture
def other(tmp_path):
    """A patient of another scenario, whose tumour never ends to grow by itself."""
    text = SMALL.replace("41, 41", "51, 51").replace(
        "cells = 150\nmax_days = 5", "cells = 2500\nmax_days = 300"
    )
    text = text.replace("arms.dim", "arms.dark").replace("aldesleukin", "placebo")
    (tmp_path / "other.toml").write_text(
        text.replace('"treatments.placebo.peak" = 3.0\n', '"tumor.death_rate" = 1.0\n')
    )
    return Patient.of(str(tmp_path / "other.toml"))


def test_while_a_tumour_grows_everything_belongs_to_it_and_cancelling_brings_back_the_one_before(
    lab, patient, other
):
    with Watcher(lab) as page:
        page.player.step()
        page.player.give(0, "placebo", None, True)
        page.until(lambda view: view.log and view.frame.day > 0)
        before = page.views[-1]
        page.player.choose(other)
        page.until(lambda view: view.busy.startswith("growing: "))
        meanwhile = page.views[-1]
        assert re.fullmatch(
            r"growing: [\d,]+ of 2,500 tumour cells(, about \d+ (s|min) left)?", meanwhile.busy
        )
        assert (meanwhile.patient, meanwhile.frame, meanwhile.ready, meanwhile.log) == (
            other,
            None,
            False,
            (),
        )
        page.player.cancel()
        page.until(lambda view: view.frame is not None)
        after = page.views[-1]
        assert "cancelled" in after.message and not after.busy
        assert (after.patient, after.arms, after.log, after.frame.day) == (
            patient,
            before.arms,
            before.log,
            before.frame.day,
        )
        assert after.frame.pictures == before.frame.pictures
        page.player.cancel()  # a click that came too late
        page.player.step()
        page.until(lambda view: view.frame.day == 2 * before.frame.day)
        assert all(map(of_one_patient, page.views))


def test_a_tumour_that_nobody_waited_for_can_be_grown_later(patient, other):
    lab = Lab(shelf=Shelf())
    lab.choose(other)
    page = Watcher(lab)
    page.until(lambda view: view.busy.startswith("growing: "))
    page.player.choose(other.with_seed("7"))
    page.player.cancel()
    page.until(lambda view: not view.busy)
    assert "press Grow this tumour" in page.views[-1].message and page.views[-1].frame is None
    page.player.choose(patient)
    with page:
        assert page.views[-1].patient == patient
        assert all(map(of_one_patient, page.views))


def test_nobody_looking_ends_playing(lab, monkeypatch):
    monkeypatch.setattr("experiments.lab.player.UNSEEN", 0.2)
    with Watcher(lab) as page:
        page.looks = False
        page.player.play(True)
        page.until(lambda view: view.playing)
        page.until(lambda view: not page.player._playing)
        assert page.views[-1].frame.day < 2
