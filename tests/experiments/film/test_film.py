"""Films: the same run again, moment by moment; what is drawn is what was counted; both files can be played."""

import hashlib
import itertools
import sys

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.text import Text
from PIL import Image

from experiments.film import film
from experiments.film.files import FilmError
from experiments.film.screen import FLASH, Screen, tissue_pixels
from experiments.film.shots import Camera, steps_of
from experiments.film.tissue import BEYOND, picture
from experiments.runs.folder import RunFolder
from experiments.runs.run import run_scenario
from experiments.scenarios.scenario import Scenario
from simulation.plots import style
from simulation.results.files import digests, sealed, unsealed
from simulation.results.results import ABOUT, Results
from tests.simulation.plots.test_plots import results, snapshot

SMALL = """
question = "What does the drug do?"
parameters = "melanoma"
shape = [41, 41]
days = 2
tumor_cells = 150
[set]
"tumor.division_rate" = 1.5
"t_cell.initial_density" = 40
[grow]
cells = 200
max_days = 5
[[arms.pembrolizumab.treatments]]
drug = "pembrolizumab"
given = 1
"""
SHORT = {"seconds": 1, "fps": 8, "size": 640}
EDGES = np.geomspace(0.05, 5, 21)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder of a small finished run."""
    folder = tmp_path_factory.mktemp("film") / "run"
    run_scenario(Scenario.from_text(SMALL, name="small"), folder)
    return folder


def screen(arms: dict[str, Results], frames: int = 29, size: int = 1280) -> Screen:
    """A screen of made-up results, with a shot of the nearest snapshot for every frame."""
    camera = Camera(tissue_pixels(len(arms), size), "antigen", EDGES)
    shots = {}
    for arm, made in arms.items():
        by_day = {day: camera.shot(made.snapshots[day], 0.0) for day in made.snapshots}
        days = np.linspace(0, 14, frames)
        shots[arm] = [
            by_day[min(by_day, key=lambda known, day=day: abs(known - day))]._replace(day=day)
            for day in days
        ]
    return Screen(arms, shots, "Why does one tumour escape?", "antigen", EDGES, size)


def pixels(frame, color, where=None):
    """How many pixels have exactly this colour, in a part of the frame."""
    part = frame if where is None else frame[where]
    return np.count_nonzero((part == np.rint(255 * np.array(to_rgb(color)))).all(axis=2))


def tissue_of(made: Screen, arm: str):
    """Rows and columns of an arm's tissue."""
    left, top = made.corners[arm]
    return np.s_[top : top + made.pixels, left : left + made.pixels]


def test_a_film_has_all_its_frames_in_both_files_and_is_entered_in_the_run(run):
    ffmpeg = pytest.importorskip("imageio_ffmpeg")
    told = []
    mp4, gif = film.make(
        run, **SHORT, on_progress=lambda what, day, days: told.append((what, day, days))
    )
    frames, seconds = ffmpeg.count_frames_and_secs(str(mp4))
    assert frames == 8 and seconds == pytest.approx(1, abs=0.1)
    with Image.open(gif) as moving:
        assert moving.n_frames >= 6 and moving.info.get("loop") == 0
    files = RunFolder(run).record()["files"]
    assert files["film.mp4"] == hashlib.sha256(mp4.read_bytes()).hexdigest() and "film.gif" in files
    assert {"control", "pembrolizumab", "drawing the film"} <= {what for what, _, _ in told}
    assert not list(run.glob(".*part")), "nothing is left behind"


def test_a_film_replaces_an_older_one(run):
    pytest.importorskip("imageio_ffmpeg")
    (run / "film.mp4").write_bytes(b"an older film")
    mp4, _ = film.make(run, **SHORT | {"size": 400})
    assert mp4.read_bytes()[4:8] == b"ftyp"


def test_a_film_of_another_run_than_the_stored_one_is_refused(run, tmp_path):
    """The file is changed together with its hash: only computing it again can tell."""
    pytest.importorskip("imageio_ffmpeg")
    other = tmp_path / "other"
    other.mkdir()
    for file in run.rglob("*"):
        if file.is_file() and "checkpoints" not in file.parts and file.stem != "film":
            copy = other / file.relative_to(run)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(file.read_bytes())
    rows = (other / "timeseries.csv").read_text().splitlines()
    names, last = rows[0].split(","), rows[-1].split(",")
    last[names.index("tumor_cells")] = str(int(last[names.index("tumor_cells")]) + 1)
    (other / "timeseries.csv").write_text("\n".join([*rows[:-1], ",".join(last)]) + "\n")
    about = unsealed((other / ABOUT).read_bytes())
    about["files"] |= digests(other, ["timeseries.csv"])
    (other / ABOUT).write_text(sealed(about))
    RunFolder(other).renew(["timeseries.csv", ABOUT])
    with pytest.raises(
        FilmError, match="arm 'pembrolizumab', computed again, is not what the run recorded"
    ):
        film.make(other, **SHORT)
    record = unsealed((other / "run.json").read_bytes())
    record["packages"]["numpy"] = "1.0"
    (other / "run.json").write_text(sealed(record))
    with pytest.raises(FilmError, match=r"computed with numpy 1.0 \(here"):
        film.make(other, **SHORT)
    assert not (other / "film.mp4").exists()


def test_without_ffmpeg_one_sentence_says_what_to_install(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(FilmError, match=r'pip install "tumorlab\[lab\]"'):
        film.make(run)


@pytest.mark.parametrize(
    ("option", "value"), [("seconds", 0), ("fps", 1000), ("size", 10), ("seconds", "long")]
)
def test_an_option_out_of_range_is_refused(run, option, value):
    with pytest.raises(FilmError, match=f"{option} = .*it must be a number from"):
        film.make(run, **{option: value})


def test_frames_are_spread_evenly_from_the_first_to_the_last_day():
    scenario = Scenario.from_text(SMALL)
    steps = steps_of(scenario, 13, 1.0)
    assert steps == [0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48]
    assert steps_of(scenario, 200, 1.0)[-1] == 48, "a short run repeats moments"


def test_a_frame_shows_the_tissue_and_the_numbers_of_its_moment():
    made = screen({"control": results(end=900), "drug": results("drug", 0)})
    start, end = made.frame(0, 20), made.frame(28, 20)
    for arm in ("control", "drug"):
        inside = tuple(slice(part.start + 8, part.stop - 60) for part in tissue_of(made, arm))
        shown = made.shots[arm][28].image(made.pixels)[8:-60, 8:-60]
        assert np.array_equal(end[inside], shown), "the tissue is not stretched or moved"
    tan = style.KIND_COLORS["tumor_cell"]
    assert pixels(end, tan, tissue_of(made, "control")) > 1.5 * pixels(
        start, tan, tissue_of(made, "control")
    )
    assert pixels(end, tan, tissue_of(made, "drug")) == 0
    assert (
        made.stamp.get_text() == "day 14.0"
        and made.counts["drug"].get_text() == "no tumour cell left"
    )


def test_the_curve_grows_with_the_film_and_never_runs_ahead():
    made = screen({"control": results(end=900), "drug": results("drug", 100)})
    made.frame(14, 20)
    for arm, last in (("control", 900), ("drug", 100)):
        days, cells = made.curves[arm].get_data()
        assert days.max() == pytest.approx(7.0) and days.min() == 0
        assert cells[-2] == pytest.approx((400 + last) / 2, abs=10), (
            "the curve is that of the stored run"
        )


def test_a_dose_flashes_when_it_is_given_in_the_arm_that_gets_it():
    made = screen({"control": results(), "drug": results("drug", 200, doses=(0, 7))})
    seconds = 14.0  # a day a second
    strength = [made._flash("drug", number, seconds)[0] for number in range(29)]  # every half day
    lit = [number / 2 for number, bright in enumerate(strength) if bright]
    assert lit == [0.0, 0.5, 7.0, 7.5] and strength[0] == strength[14] == 1 > strength[15] > 0
    assert FLASH == 0.8 and made._flash("drug", 14, seconds)[1] == "pembrolizumab"
    assert all(made._flash("control", number, seconds)[0] == 0 for number in range(29))
    color = style.arm_colors(["control", "drug"])["drug"]
    around = tuple(slice(part.start - 6, part.stop + 6) for part in tissue_of(made, "drug"))
    assert (
        pixels(made.frame(14, seconds), color, around)
        > pixels(made.frame(20, seconds), color, around) + 1000
    )


@pytest.mark.parametrize("count", [1, 2, 3, 4, 6])
def test_texts_stay_inside_the_screen_and_apart(count):
    names = ["control", "pembrolizumab", "IL-2 every 8 hours for two weeks", "both", "five", "six"][
        :count
    ]
    made = screen(
        {name: results(name, 100 * (i + 1), doses=(0, 7)) for i, name in enumerate(names)}, frames=3
    )
    frame = made.frame(1, 20)
    height, width = frame.shape[:2]
    assert width == 1280 and height % 2 == 0 and height < 1100
    drawn = [
        (text.get_text(), text.get_window_extent())
        for text in made.figure.findobj(Text)
        if text.get_visible() and len(text.get_text().strip()) > 5
    ]
    for text, box in drawn:
        assert -1 <= box.x0 and box.x1 <= width + 1 and -1 <= box.y0 and box.y1 <= height + 1, (
            f"{text!r} is cut off"
        )
    for (one, a), (other, b) in itertools.combinations(
        [(t, b) for t, b in drawn if t != "pembrolizumab"], 2
    ):
        overlap = min(a.x1, b.x1) - max(a.x0, b.x0) > 2 and min(a.y1, b.y1) - max(a.y0, b.y0) > 2
        assert not overlap, f"{one!r} overlaps {other!r}"


def test_a_tissue_that_is_not_square_keeps_its_proportions():
    image = picture(snapshot(tumor=0, immune=0, shape=(60, 20)), 300, 0.0)
    inside = ~(image == BEYOND).all(axis=2)
    assert inside.sum() == 300 * 100 and inside.any(axis=1).sum() == 100


def test_a_cell_is_drawn_where_it_is():
    made = snapshot(tumor=0, immune=1, shape=(40, 40))
    made.cells["site"][:] = 30 * 40 + 5  # x = 30, y = 5: right, and low
    rows, columns = np.nonzero((picture(made, 400, 0.0) != 255).any(axis=2))
    assert rows.mean() == pytest.approx(400 - 55, abs=3) and columns.mean() == pytest.approx(
        305, abs=3
    )


def test_a_few_tumour_cells_are_seen():
    made = snapshot(tumor=3, immune=0, shape=(200, 200))
    assert (picture(made, 400, 0.0) != 255).any(axis=2).sum() > 40


def test_a_liquid_shows_shares():
    made = snapshot(tumor=400, immune=40, liquid=True)
    image = picture(made, 400, 0.0)
    square = pixels(image, style.KIND_COLORS["tumor_cell"]) / 19**2
    assert square == pytest.approx(made.counts()["tumor_cell"] * 400 / 1600, rel=0.1)


def test_a_solid_turns():
    made = snapshot(tumor=200, immune=20, shape=(15, 15, 15))
    assert (picture(made, 200, 0.0) != picture(made, 200, 0.1)).any()
    assert (picture(made, 200, 0.0) != picture(made, 200, 1.0)).mean() < 0.005, (
        "it ends as it began"
    )


def test_a_film_of_a_tumour_that_is_gone_can_be_drawn():
    gone = Results("control")
    for day in (0.0, 7.0, 14.0):
        gone.record({"day": day, "tumor_cells": 0})
        gone.add_snapshot(snapshot(day, 0, 5))
    assert screen({"control": gone}, frames=3).frame(2, 20).shape[1] == 1280


@pytest.mark.slow
@pytest.mark.parametrize("shape", ["[25, 25, 25]", "[61, 31]"])
def test_films_of_other_tissues(shape, tmp_path):
    pytest.importorskip("imageio_ffmpeg")
    run_scenario(
        Scenario.from_text(SMALL.replace("[41, 41]", shape), name="other"), tmp_path / "run"
    )
    assert all(file.stat().st_size > 1000 for file in film.make(tmp_path / "run", **SHORT))
