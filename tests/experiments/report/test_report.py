"""Reports: one file that needs nothing else, says what was asked, done and found, and how sure that is."""

import base64
import html
import io
import re
import tomllib
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy import stats

from experiments.report import design, report, tables
from experiments.runs.folder import RunError
from experiments.runs.run import run_scenario
from experiments.scenarios.scenario import Scenario
from experiments.studies.archive import Archive, StudyError
from experiments.studies.runner import complete
from experiments.studies.sweep.pictures import varying
from experiments.studies.sweep.sweep import Sweep
from experiments.studies.trial.trial import Trial
from simulation.plots import style
from tests.studies import QUICK

EVIL = '<script>alert("x")</script> & "why" </h1>?'
SCENARIO = f"""
question = '{EVIL}'
parameters = "melanoma"
shape = [41, 31]
days = 2
tumor_cells = 150
seed = 7
[set]
"tumor.division_rate" = 1.5
"t_cell.initial_density" = 40
[[arms.pembrolizumab.treatments]]
drug = "pembrolizumab"
dose = 100
given = 1
[arms.low]
start = "twin"
set = {{ "tumor.antigen" = 0.2 }}
"""


class Outline(HTMLParser):
    """What a page is made of: elements with their attributes, and the text."""

    def __init__(self, page: str):
        super().__init__()
        self.elements, self.texts = [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_data(self, text):
        self.texts.append(text)

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self):
        return re.sub(r"\s+", " ", " ".join(self.texts))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report") / "run"
    run_scenario(
        Scenario.from_text(SCENARIO, name="evil"),
        folder,
        command="tumorlab run evil.toml --out run",
    )
    return folder


@pytest.fixture(scope="module")
def page(run):
    return report.run_report(run)


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """A sweep of 2 points x 3 seeds x 2 arms."""
    folder = tmp_path_factory.mktemp("report") / "sweep"
    content = QUICK | {
        "question": "Does PD-L1 matter?",
        "scenario": "checkpoint_blockade",
        "seeds": 3,
        "vary": {"tumor.pdl1": [0.1, 2.0]},
    }
    summary = complete(
        Sweep.from_content(content, name="small", file="small.toml"),
        folder,
        command="tumorlab sweep small.toml",
    )
    return folder, summary


@pytest.fixture(scope="module")
def swept_page(swept):
    return report.study_report(swept[0])


def pictures(page: str) -> list[Image.Image]:
    return [
        Image.open(io.BytesIO(base64.b64decode(image["src"].partition(",")[2])))
        for image in Outline(page).all("img")
    ]


def test_a_page_needs_nothing_from_anywhere(page):
    outline = Outline(page)
    assert page.startswith("<!DOCTYPE html>") and len(page) < 3_000_000
    assert not outline.all("script") and not outline.all("link") and not outline.all("iframe")
    assert all(image["src"].startswith("data:image/png;base64,") for image in outline.all("img"))
    assert not [
        name
        for _, attributes in outline.elements
        for name in attributes
        if name in ("href", "action", "srcset")
    ]
    assert "url(" not in page and "@import" not in page


def test_markup_in_a_question_is_inert(page):
    assert "<script" not in page and "</h1>?" not in page
    assert EVIL in Outline(page).text
    assert Outline(page).all("meta")[2]["content"].startswith("default-src 'none'")


def test_the_same_folder_gives_the_same_bytes(run, page):
    assert report.run_report(run) == page


def test_a_run_says_what_was_done_and_how_to_do_it_again(page):
    text = Outline(page).text
    for said in (
        "0.615 × 0.465 mm (41 × 31 sites of 15 µm",
        "Seed 7",
        "2 days from day 0",
        "tumorlab run evil.toml --out run",
        "pembrolizumab 100 mg, every 3 weeks, from day 1",
        "pembrolizumab: 1 (day 1)",
        "numpy " + np.__version__,
        "grown on its own from the same seed, with tumor.antigen = 0.2",
        'drug = "pembrolizumab"',
    ):
        assert said in text, said


def test_a_single_run_says_that_it_has_no_interval_and_what_would(page):
    text = Outline(page).text
    assert "One run: no interval." in text and 'scenario = "evil.toml" seeds = 10' in text
    sweep = html.unescape(re.search(r"<pre>(question = .*?)</pre>", page, re.S)[1])
    found = Sweep.from_content(tomllib.loads(sweep.replace("evil.toml", "cold_tumor")))
    assert found.question == EVIL and found.seeds == 10


def test_changed_parameters_stand_with_unit_default_meaning_and_source(page):
    rows = {row[0]: row for row in cells(page, "Parameters that differ from default")}
    assert rows["tumor.division_rate"][1:4] == ["1.5", "/day", "0.75"]
    assert "xenograft" in rows["tumor.division_rate"][5], (
        "the source is that of melanoma's own value"
    )
    assert rows["tumor.antigen"][1] == "0.2" and rows["tumor.antigen"][-1] == "low"
    assert rows["treatments.pembrolizumab.dose"][1:4] == ["100", "mg", "200"]
    assert len(rows) == 4, "and nothing else"


def cells(page: str, caption: str) -> list[list[str]]:
    """The body of the table with that caption."""
    body = (
        page.partition(f"<caption>{caption}</caption>")[2]
        .partition("</table>")[0]
        .partition("<tbody")[2]
    )
    return [
        [html.unescape(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)]
        for row in re.findall(r"<tr[^>]*>(.*?)</tr>", body)
    ]


def test_the_table_of_a_run_has_its_numbers(run, page):
    from simulation.results.results import Results

    arms = Results.load(run)
    rows = {row[0]: row[1:] for row in cells(page, "What happened in each arm")}
    ends = [
        int(arms[arm].timeseries["tumor_cells"].iloc[-1])
        for arm in ("control", "pembrolizumab", "low")
    ]
    assert rows["tumour cells on the last day"] == [f"{end:,}" for end in ends]
    assert rows["burden on the last day over the control's"] == [
        "–",
        *(tables.plain(end / ends[0]) for end in ends[1:]),
    ]
    assert "killed by CAR T cells" not in rows, "no row for cells that were never there"


def test_papers_relied_on_are_listed(page):
    assert (
        "[label:pembrolizumab]" in page
        and "[Weigelin2021]" in page
        and "[label:nivolumab]" not in page
    )


def test_a_page_can_be_read_by_those_who_do_not_see_it(page):
    outline = Outline(page)
    assert outline.all("html")[0]["lang"] == "en" and len(outline.all("h1")) == 1
    heads = [tag for tag, _ in outline.elements if re.fullmatch("h[1-6]", tag)]
    assert set(heads) == {"h1", "h2"}
    assert all(len(image["alt"]) > 60 for image in outline.all("img"))
    assert all(head.get("scope") in ("col", "row") for head in outline.all("th"))
    assert len(outline.all("caption")) == len(outline.all("table")) == 3
    regions = [part for part in outline.all("div") if part.get("role") == "region"]
    assert regions and all(part["tabindex"] == "0" and part["aria-label"] for part in regions)
    alternatives = " ".join(image["alt"] for image in outline.all("img"))
    assert re.search(r"Curves of living tumour cells.*control: .*low: ", alternatives)


def test_pictures_are_sharp_and_light(page):
    for image in pictures(page):
        assert 900 <= image.width <= 1500 and image.convert("RGB").getpixel((2, 2)) == (
            255,
            255,
            255,
        )
    assert len(pictures(page)) == 5 + 3, "curves, selection and three stacks; a tissue for each arm"


def test_arms_have_the_colours_of_the_pictures(page):
    colors = style.arm_colors(["control", "pembrolizumab", "low"])
    assert [item["style"] for item in Outline(page).all("li") if "style" in item] == [
        f"border-color: {color}" for color in colors.values()
    ]


def test_a_sweep_gives_means_with_intervals_over_seeds(swept, swept_page):
    summary, page = swept[1], swept_page
    rows = cells(page, "What happened in each arm")
    assert [row[:4] for row in rows] == [
        [f"tumour PD-L1 {level}", arm, "3", "0 of 3 (0 to 71 %)"]
        for level in ("0.1", "2")
        for arm in ("control", "pembrolizumab")
    ]
    table = summary.tables["outcomes"].query("point == 1 and arm == 'pembrolizumab'")
    growth = table["growth"].to_numpy()
    half = stats.t.ppf(0.975, 2) * growth.std(ddof=1) / np.sqrt(3)
    said = [
        tables.ratio(value) for value in (growth.mean(), growth.mean() - half, growth.mean() + half)
    ]
    assert rows[3][5] == f"{said[0]} ({said[1]} to {said[2]})"
    text = Outline(page).text
    assert (
        "Means over 3 seeds with 95 % intervals" in text
        and "grid, 2 points" in text
        and "1 to 3, the same" in text
    )
    assert cells(page, "Parameters that vary")[0][:3] == ["tumor.pdl1", "0.1, 2", tables.NO_VALUE]
    assert "tumor.pdl1" not in {
        row[0] for row in cells(page, "Parameters that differ from default")
    }, "it varies"
    assert (
        "One run" not in text and "tumorlab sweep small.toml" in text and "[Weigelin2021]" in text
    )


def test_a_study_is_analysed_again_when_no_findings_are_given(swept, swept_page):
    folder, summary = swept
    assert report.write(folder, summary.findings) == folder / "report.html"
    assert (folder / "report.html").read_text() == swept_page


def test_one_seed_has_no_interval():
    table = pd.DataFrame(
        {
            "arm": ["control"],
            "seed": [1],
            "end_cells": [10],
            "growth": [0.0],
            "effect": [0.0],
            "antigen_shift": [0.0],
            "peak_car_t_cells": [0],
        }
    )
    made = tables.of_study(table, [], "seed", {})
    assert (
        made.note == "One seed: there is no interval. More seeds give one."
        and " to " not in " ".join(made.rows[0])
    )


def test_seeds_count_once_where_points_are_many():
    """Twenty points share two seeds: the interval is that of two values, not of forty."""
    random = np.random.default_rng(1)
    table = pd.DataFrame(
        {
            "point": np.repeat(range(20), 2),
            "seed": [1, 2] * 20,
            "arm": "control",
            "end_cells": 50,
            "growth": random.normal(size=40) + np.tile([0, 1], 20),
            "effect": 0.0,
            "antigen_shift": 0.0,
            "peak_car_t_cells": 0,
        }
    )
    made = tables.of_study(table, ["point"], "seed", {})
    assert len(made.rows) == 1 and "20 points" in made.note and made.rows[0][2] == "0 of 40"
    low = float(
        re.search(r"\((\S+) to", made.rows[0][4])[1]
        .replace("×10⁻", "e-")
        .translate(str.maketrans("⁰¹²³⁴⁵", "012345"))
    )
    assert low < 0.2, "two seeds leave much open"


def test_tables_of_an_analysis_are_printed_while_they_can_be_read():
    short = pd.DataFrame(
        {"parameter": ["tumor.pdl1"], "mu_star": [0.123456], "il2": [None], "matters": [True]}
    )
    own = {"sensitivity": short, "long": pd.DataFrame({"x": range(1000)}), "scans": short}
    made = tables.of_findings(own, left_out=("scans",))
    assert [table.caption for table in made] == ["Sensitivity"]
    assert made[0].columns == ["Parameter", "Mu star", "IL-2", "Matters"]
    assert made[0].rows == [["tumor.pdl1", "0.123", "–", "yes"]]


def test_failed_runs_are_told(tmp_path):
    content = QUICK | {
        "question": "Q?",
        "scenario": "broken.toml",
        "vary": {"treatments.fragile.potency": [1, 9]},
        "seeds": 2,
    }
    (tmp_path / "broken.toml").write_text(
        'question = "Q?"\nparameters = "melanoma"\nshape = [31, 31]\ndays = 1\n[[arms.fragile.treatments]]\n'
        'drug = "tests.studies:Fragile"\n'
    )
    content["vary"] = {"treatments.fragile.potency": [1, 9]}
    complete(
        Sweep.from_content(content, name="broken", file=str(tmp_path / "broken.toml")),
        tmp_path / "out",
    )
    text = Outline(report.study_report(tmp_path / "out")).text
    assert "2 of 4 runs failed" in text and "it broke" in text and "(2 runs)" in text
    assert "It needs tests.studies:Fragile, a module of your own" in text


def test_a_study_whose_runs_all_failed_has_a_report(tmp_path):
    (tmp_path / "broken.toml").write_text(
        'question = "Q?"\nparameters = "melanoma"\nshape = [31, 31]\ndays = 1\n[[arms.fragile.treatments]]\n'
        'drug = "tests.studies:Fragile"\npotency = 9\n'
    )
    content = QUICK | {"question": "Q?", "scenario": "broken.toml", "seeds": 1}
    complete(
        Sweep.from_content(content, name="broken", file=str(tmp_path / "broken.toml")),
        tmp_path / "out",
    )
    text = Outline(report.study_report(tmp_path / "out")).text
    assert "Every run failed." in text and "1 of 1 runs failed" in text


def test_a_trial_gives_means_over_enrolled_patients(tmp_path):
    pytest.importorskip("lifelines")
    content = QUICK | {
        "question": "Who responds?",
        "scenario": "checkpoint_blockade",
        "patients": 3,
        "contrast_day": 1.0,
        "shape": [41, 41],
        "measurable_cells": 1,
        "vary": {"tumor.pdl1": {"distribution": "lognormal", "median": 1, "spread": 0.5}},
    }
    found = complete(
        Trial.from_content(content, name="few", file="few.toml"), tmp_path / "out"
    ).findings
    found.figures = {
        name: found.figures[name] for name in ("waterfall",)
    }  # the others take seconds
    page = report.study_report(tmp_path / "out", found)
    assert [row[:2] for row in cells(page, "What happened in each arm")] == [
        ["control", "3"],
        ["pembrolizumab", "3"],
    ]
    assert cells(page, "How patients differ")[0][:3] == [
        "tumor.pdl1",
        "lognormal",
        "median 1 and spread 0.5",
    ]
    text = Outline(page).text
    assert (
        "Means over 3 patients" in text
        and "judged by RECIST 1.1" in text
        and "3, each in every arm" in text
    )


def test_a_folder_without_a_finished_run_or_study_is_refused(tmp_path):
    with pytest.raises(RunError, match="does not exist"):
        report.run_report(tmp_path / "nothing")
    with pytest.raises(StudyError, match="does not exist"):
        report.study_report(tmp_path / "nothing")
    Archive(tmp_path / "begun").begin({"kind": "sweep", "name": "mine", "content": {}})
    with pytest.raises(StudyError, match="--resume"):
        report.write(tmp_path / "begun")


def test_a_run_from_python_says_which_command_repeats_it():
    options = {
        "days": 1.23456789,
        "seed": 1234567,
        "arms": ["control", "il2"],
        "set": {"tumor.pdl1": 2, "tumor.death_rate": "0.2 /day"},
    }
    words = (
        "tumorlab run cold_tumor --days 1.23456789 --seed 1234567 --arms control,il2 --set tumor.pdl1=2 "
        "--set 'tumor.death_rate=0.2 /day'"
    )
    assert report.command_of("cold_tumor", options) == words, (
        "every digit stands, and a shell reads each value as one"
    )
    assert report.command_of("my own", {}) == "tumorlab run 'my own.toml'"


def test_the_recipe_for_more_seeds_names_the_file_as_it_was_given():
    typed = report.scenario_in("tumorlab run 'sub/my \"own\".toml' --days 1.23456789")
    found = tomllib.loads(
        report.seeds_sweep("Why?", typed, {"days": 1.23456789, "set": {"tumor.pdl1": 2}})
    )
    assert found == {
        "question": "Why?",
        "scenario": 'sub/my "own".toml',
        "seeds": 10,
        "days": 1.23456789,
        "set": {"tumor.pdl1": 2},
    }


def test_a_recipe_follows_whatever_command_a_run_was_given(tmp_path):
    run_scenario(
        Scenario.from_text(SCENARIO, name="evil"), tmp_path / "run", days=0.5, command="make figure"
    )
    text = Outline(report.run_report(tmp_path / "run")).text
    assert 'scenario = "evil.toml" seeds = 10 days = 0.5' in text and "make figure" in text


def numbers(points, arms=("control", "il2"), seeds=(1, 2)):
    """Outcomes with a row per point, seed and arm."""
    return pd.DataFrame(
        [
            point
            | {
                "seed": seed,
                "arm": arm,
                "end_cells": 50,
                "growth": 0.1 * seed,
                "effect": 0.0,
                "antigen_shift": 0.0,
                "peak_car_t_cells": 0,
            }
            for point in points
            for seed in seeds
            for arm in arms
        ]
    )


@pytest.mark.parametrize(
    ("points", "where"),
    [
        (1, ["scenario a", "scenario b"]),
        (
            2,
            [
                "scenario a, tumour PD-L1 0",
                "scenario a, tumour PD-L1 1",
                "scenario b, tumour PD-L1 0",
                "scenario b, tumour PD-L1 1",
            ],
        ),
        (20, ["scenario a", "scenario b"]),
    ],
)
def test_rows_of_several_scenarios_say_which(points, where):
    table = numbers(
        [
            {"scenario": name, "point": number, "tumor.pdl1": number}
            for name in "ab"
            for number in range(points)
        ]
    )
    made = tables.of_study(table, varying(table, ["tumor.pdl1"]), "seed", {})
    assert [row[0] for row in made.rows[::2]] == where, (
        "an arm of one scenario is not taken for that of another"
    )
    assert ("20 points" in made.note) == (points == 20)


def test_many_patients_are_one_row_an_arm():
    made = tables.of_study(
        numbers([{}], seeds=range(20)).rename(columns={"seed": "patient"}), [], "patient", {}
    )
    assert [row[:2] for row in made.rows] == [["control", "20"], ["IL-2", "20"]]
    assert "Means over 20 patients" in made.note


def test_a_swept_dose_is_not_told_as_one_dose():
    scenario = Scenario.from_text(SCENARIO, name="mine")
    told = [
        design.arms(
            scenario, varied={f"treatments.pembrolizumab.{name}": "swept" for name in names}
        ).rows[1][2]
        for names in ((), ("dose",), ("schedule.every", "first_dose"))
    ]
    assert told == [
        "pembrolizumab 100 mg, every 3 weeks, from day 1",
        "pembrolizumab, swept dose, every 3 weeks, from day 1",
        "pembrolizumab 100 mg, swept schedule, from a swept day",
    ]


def test_biomarkers_are_called_the_same_everywhere():
    table = pd.DataFrame({"biomarker": ["all", "cd8", "pdl1"], "arm": ["il2", "il2", "il2"]})
    assert [row[0] for row in tables.of_findings({"subgroups": table})[0].rows] == [
        "all",
        "CD8 density",
        "PD-L1",
    ]
