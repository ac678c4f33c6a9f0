"""Pictures say what the numbers say: words, units, doses, colours; and none of them fails on an empty tumour."""

import io
import itertools
import math

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.text import Text

from simulation import TumorModel, plots
from simulation.plots import arms, style
from simulation.plots.overview import days_shown, outcome
from simulation.plots.selection import moved, shape_of, start_and_end, without
from simulation.plots.t_cell_state import engaged_share
from simulation.plots.time_courses import arm_lines, dose_rows
from simulation.plots.tissue import VIEWS, averaged, dot_size, nearest_to_viewer, tinted
from simulation.results.results import Results, Snapshot
from simulation.words import KIND_WORDS, percent

KINDS = ("tumor_cell", "t_cell", "car_t_cell", "nk_cell")
TRAITS = (
    "antigen",
    "car_target",
    "mhc",
    "presented_mhc",
    "pdl1",
    "pdl1_shown",
    "stress_ligand",
    "vigour",
    "exhaustion",
    "fixed_exhaustion",
    "stimulation",
)
# Complete loss of one cone, in linear RGB (Machado, Oliveira & Fernandes 2009)
COLOR_BLIND = {
    "protan": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deutan": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritan": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
    "none": np.eye(3),
}


def snapshot(
    day=0.0,
    tumor=400,
    immune=60,
    *,
    shape=(40, 40),
    liquid=False,
    antigen=1.0,
    negative=0.0,
    seed=1,
):
    """A disc of tumour among scattered immune cells of three kinds."""
    random = np.random.Generator(np.random.PCG64([seed, int(day)]))
    places = np.stack(np.unravel_index(np.arange(math.prod(shape)), shape), axis=1)
    distance = np.linalg.norm(places - (np.array(shape) - 1) / 2, axis=1)
    kind = np.full(distance.size, -1, dtype=np.int8)
    kind[np.argsort(distance, kind="stable")[:tumor]] = 0
    kind[random.choice(distance.size, immune, replace=False)] = np.arange(immune) % 3 + 1
    site = np.flatnonzero(kind >= 0)
    cells = {"kind": kind[site], "site": site, "name": site + 1, "clone": site % 7}
    cells |= {trait: random.random(site.size) for trait in TRAITS}
    cells["antigen"] = random.lognormal(math.log(antigen), 0.3, site.size) * (
        random.random(site.size) >= negative
    )
    fields = {"oxygen": distance.reshape(shape)[tuple(slice(None, None, 2) for _ in shape)]}
    return Snapshot(day, shape, 15.0, liquid, KINDS, cells, fields)


def results(arm="control", end=800, *, days=14, doses=(), **look):
    """An arm whose burden goes in a straight line from 400 to ``end``."""
    made = Results(arm)
    for i in range(4 * days + 1):
        tumor = round(400 + (end - 400) * i / (4 * days))
        level = 1 - 0.5 * i / (4 * days) if tumor else math.nan
        made.record(
            {
                "day": i / 4,
                "tumor_cells": tumor,
                "t_cells": 20 + i,
                "car_t_cells": 0,
                "nk_cells": 20,
                "mean_antigen": level,
                "mean_ln_antigen": math.log(level) if tumor else math.nan,
                "mean_pdl1": level,
                "mean_presented_mhc": level,
                "kills_by_t": i,
                "kills_by_nk": i,
                "kills_by_car_t": 0,
                "mean_vigour": 1 - i / 100,
                "mean_fixed_exhaustion": i / 200,
                "engaged_t": 5,
            }
        )
        if i % 28 == 0:
            made.add_snapshot(snapshot(i / 4, tumor, antigen=level if tumor else 1.0, **look))
    for day in doses:
        made.add_dose(day, "pembrolizumab", 200.0)
    return made


def words(figure):
    """Every visible text of a drawn figure."""
    figure.draw_without_rendering()
    return {
        text.get_text() for text in figure.findobj(Text) if text.get_visible() and text.get_text()
    }


def marks(figure, label="doses of pembrolizumab"):
    """Days of the dose marks."""
    return [line.get_xdata().tolist() for line in figure.findobj(lambda a: a.get_gid() == label)]


def lab(color, blindness):
    """CIE L*a*b* (D65) of a colour as a colour-blind reader sees it."""
    srgb = np.array(to_rgb(color))
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    linear = np.clip(np.array(COLOR_BLIND[blindness]) @ linear, 0, 1)
    xyz = (
        np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
        @ linear
    )
    f = np.cbrt(xyz / [0.9505, 1.0, 1.089])
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("blindness", COLOR_BLIND)
@pytest.mark.parametrize("palette", ["kinds", "arms"])
def test_colours_are_told_apart_by_colour_blind_readers(palette, blindness):
    colors = {
        "kinds": [*style.KIND_COLORS.values(), style.NOTHING],
        "arms": [style.CONTROL, *style.ARM_COLORS, style.NOTHING],
    }[palette]
    nearest = min(
        np.linalg.norm(lab(a, blindness) - lab(b, blindness))
        for a, b in itertools.combinations(colors, 2)
    )
    assert nearest > 15, f"two {palette} differ by only {nearest:.0f} (just noticeable: 2)"


def test_the_control_is_grey_and_first_whatever_the_order():
    named = arms.by_name([results("drug"), results("control")])
    assert list(named) == ["control", "drug"]
    assert style.arm_colors(named)["control"] == style.CONTROL
    with pytest.raises(ValueError, match="at least one arm"):
        arms.by_name([])


def test_overview_tells_question_outcome_doses_and_units():
    figure = plots.overview(
        {"control": results(end=800), "pembrolizumab": results("pembrolizumab", 0, doses=(0, 7))},
        question="Why does one tumour escape?",
        title="checkpoint_blockade",
    )
    seen = words(figure)
    assert any(
        "Checkpoint blockade" in text and "Why does one tumour escape?" in text for text in seen
    )
    assert {
        "control: grew 2.0-fold",
        "pembrolizumab: eliminated on day 14",
        "eliminated, day 14",
    } <= seen
    assert {"living tumour cells", "day", "cells", "antigen (1 = about 30 peptide-MHC)"} <= seen
    assert {"day 14: no tumour cell left", "200 µm"} <= seen
    assert marks(figure) == [[0.0, 7.0]]


LONG = [
    "control",
    "pembrolizumab",
    "atezolizumab_and_interferon_alfa",
    "nivolumab",
    "aldesleukin_high_dose",
    "car_t_cells",
    "interferon",
    "twin",
]


@pytest.mark.parametrize(
    "names",
    [
        ["control"],
        LONG[:2],
        ["control", "pembrolizumab", "il2"],
        ["control", "pembrolizumab", "il2", "both"],
        LONG[:4],
        LONG[:6],
        LONG,
    ],
    ids=len,
)
def test_overview_texts_stay_inside_the_picture_and_apart(names):
    figure = plots.overview(
        [results(name, 100 * (i + 1), doses=(0,)) for i, name in enumerate(names)],
        question="Do two treatments together do more than each alone, or does order matter? " * 2,
    )
    words(figure)
    width, height = figure.get_size_inches() * figure.dpi
    beyond = {
        id(label)
        for axes in figure.findobj(Axes)
        for axis in (axes.xaxis, axes.yaxis)
        for label, at in zip(axis.get_ticklabels(), axis.get_ticklocs(), strict=False)
        if not min(axis.get_view_interval()) <= at <= max(axis.get_view_interval())
    }
    drawn = [
        (text.get_text(), text.get_window_extent())
        for text in figure.findobj(Text)
        if text.get_visible() and text.get_text().strip() and id(text) not in beyond
    ]
    for text, box in drawn:
        assert -1 <= box.x0 and box.x1 <= width + 1 and -1 <= box.y0 and box.y1 <= height + 1, (
            f"{text!r} is cut off"
        )
    titles = [(text, box) for text, box in drawn if len(text) > 8]
    for (one, a), (other, b) in itertools.combinations(titles, 2):
        overlap = min(a.x1, b.x1) - max(a.x0, b.x0) > 2 and min(a.y1, b.y1) - max(a.y0, b.y0) > 2
        assert not overlap, f"{one!r} overlaps {other!r}"


def kept_on(days, last, arm="control"):
    """An arm with snapshots of these days."""
    made = Results(arm)
    for day in (0.0, last):
        made.record({"day": day, "tumor_cells": 400, "t_cells": 20})
    for day in days:
        made.add_snapshot(snapshot(day))
    return {arm: made}


@pytest.mark.parametrize(
    ("days", "last", "shown"),
    [
        ((0, 7, 8), 8, [0, 8]),
        ((0, 7, 14), 14, [7, 14]),
        ((0, 7, 9), 9, [0, 9]),
        ((0, 7, 10), 10, [7, 10]),
        ((0,), 0, [0]),
    ],
)
def test_a_day_near_the_end_is_not_shown_as_half_way(days, last, shown):
    made = kept_on(days, last) | kept_on(days, last, "drug")
    assert days_shown(made, made["control"]) == shown


def test_a_seventh_arm_is_told_from_the_first_by_its_dashes():
    looks = list(
        arm_lines([f"arm{number}" for number in range(2 * len(style.ARM_COLORS))]).values()
    )
    assert len({(look["color"], look["linestyle"]) for look in looks}) == len(looks)
    assert {look["linestyle"] for look in looks[: len(style.ARM_COLORS)]} == {"-"}
    names = ["control", *(f"arm{number}" for number in range(7))]
    figure = plots.time_courses([results(name, 100 * place) for place, name in enumerate(names)])
    drawn = {line.get_label(): line.get_linestyle() for line in figure.axes[0].lines}
    assert (drawn["arm0"], drawn["arm6"]) == ("-", "--")


def test_cells_without_the_trait_are_a_number_off_the_axis():
    def ends(name, negative):
        made = Results(name)
        for day, share in ((0.0, 0.0), (14.0, negative)):
            made.record({"day": day, "tumor_cells": 400, "t_cells": 20})
            made.add_snapshot(snapshot(day, negative=share))
        return made

    figure = style.picture(5, 4)
    axes = figure.add_subplot()
    start_and_end(axes, {"control": ends("control", 0.0), "drug": ends("drug", 1.0)}, "antigen")
    told = [(text.get_text(), text.get_color()) for text in axes.texts]
    assert [text for text, _ in told] == ["none", "", "start", "0 %", "", "end", "0 %", "100 %"]
    assert told[-1][1] == style.arm_colors(["control", "drug"])["drug"]
    assert not axes.collections, "no bar whose height could be read off the axis"


def test_a_liquid_is_explained_once():
    arms = {name: results(name, liquid=True) for name in ("control", "drug")}
    figure = plots.overview(arms)
    assert [text.get_text() for text in figure.findobj(Text) if "no places" in text.get_text()] == [
        "liquid: no places; a square is 4 sites"
    ]
    assert "liquid: no places; a square is 4 sites" in words(plots.tissue(arms["control"]))


@pytest.mark.parametrize(
    ("course", "said"),
    [
        ([100, 300], "grew 3.0-fold"),
        ([100, 90], "held at 90 %"),
        ([100, 40], "shrank to 40 %"),
        ([0, 0], "no tumour"),
        ([1000, 5, 700], "fell to 0.5 %, then regrew"),
        ([1000, 5, 40], "fell to 0.5 %, now at 4 %"),
        ([100, 50, 0, 0], "eliminated on day 2"),
        ([], "nothing recorded"),
    ],
)
def test_outcome_in_words(course, said):
    made = Results()
    for day, cells in enumerate(course):
        made.record({"day": float(day), "tumor_cells": cells})
    assert outcome(made) == said


def test_time_courses_have_units_and_mark_every_dose_even_many():
    treated = results("drug", 200, doses=np.arange(0, 10, 1 / 3))
    figure = plots.time_courses([results(), treated])
    assert {
        "living tumour cells",
        "CD8 T cells",
        "NK cells",
        "Antigen of tumour cells",
        "PD-L1 shown by tumour cells",
        "Killed by CD8 T cells since day 0",
        "pembrolizumab",
        "control",
        "drug",
    } <= words(figure)
    assert "CAR T cells" not in words(figure), "no panel for cells that were never there"
    assert len(marks(figure)[0]) == 30


def test_burden_axis_has_a_place_for_zero():
    figure = plots.time_courses([results(end=0)])
    axes = figure.axes[0]
    assert axes.get_yscale() == "symlog" and 0 in axes.get_yticks()
    assert axes.get_lines()[0].get_ydata()[-1] == 0
    assert plots.time_courses([results(end=900)]).axes[0].get_yscale() == "log"


def test_a_plug_in_kind_gets_its_panel_and_colour():
    made = results()
    for row in made._rows:
        row["macrophages"] = 12
    made._table = None
    assert "macrophages" in words(plots.time_courses(made))
    assert style.kind_color("macrophage", (*KINDS, "macrophage")) in style.OTHER_KINDS


def test_tissue_shows_each_cell_where_it_is():
    made = snapshot()
    one = {name: values[:1] for name, values in made.cells.items()} | {
        "site": np.array([3 * 40 + 7])
    }
    image = tinted(Snapshot(0, (40, 40), 15, False, KINDS, one, {}), np.array([True]), "#000000")
    assert image.shape == (40, 40, 3)
    assert np.argwhere(image[:, :, 0] < 1).tolist() == [[7, 3]], "x to the right, y up"


@pytest.mark.parametrize(
    ("shape", "largest"), [((200, 200), 200), ((1000, 1000), 840), ((1700, 900), 840)]
)
def test_large_lattices_are_averaged_not_sampled(shape, largest):
    made = snapshot(shape=shape, tumor=3, immune=0)
    made.cells["antigen"][:] = 2.0
    mean = averaged(made, made.is_kind("tumor_cell"), made.cells["antigen"])
    assert max(mean.shape) <= largest
    assert np.nanmax(mean) == 2.0, "a single cell is not lost between pixels"


def test_dots_are_seen_when_few_and_leave_the_tumour_visible_when_many():
    few, many = snapshot(shape=(1000, 1000), immune=30), snapshot(shape=(1000, 1000), immune=60_000)
    width = 1000 * 15.0
    assert dot_size(few, few.is_kind("t_cell")) > width / 100
    assert dot_size(many, many.is_kind("t_cell")) ** 2 * 20_000 < 0.2 * width**2


@pytest.mark.parametrize("show", [*VIEWS, "oxygen", "presented_mhc"])
@pytest.mark.parametrize(
    ("shape", "tumor", "immune"),
    [((40, 40), 300, 50), ((40, 30), 0, 50), ((20, 20), 0, 0), ((13, 12, 11), 300, 60)],
)
def test_every_view_of_every_tissue(show, shape, tumor, immune):
    figure = plots.tissue(snapshot(3.0, tumor, immune, shape=shape), show=show)
    seen = words(figure)
    assert any(text.endswith("µm") for text in seen)
    assert any(
        text.startswith("day 3: ") and ("no tumour cell left" in text) == (tumor == 0)
        for text in seen
    )
    assert ("middle layer of 11" in seen) == (len(shape) == 3)


def test_projection_keeps_the_cell_nearest_to_the_viewer():
    made = snapshot(tumor=0, immune=2, shape=(4, 4, 4))
    made.cells["site"], made.cells["kind"] = np.array([21, 23]), np.array([0, 1], dtype=np.int8)
    seen = nearest_to_viewer(made, np.array([True, True]))
    assert (
        seen.cells["kind"].tolist() == [1]
        and seen.cells["site"].tolist() == [5]
        and seen.shape == (4, 4)
    )
    assert "seen from above" in words(plots.tissue(made, projection="maximum"))


def test_liquid_is_drawn_as_a_composition():
    made = snapshot(tumor=400, immune=40, liquid=True)
    figure = plots.tissue(made)
    assert any(text.startswith("liquid: no places") for text in words(figure))
    squares = figure.axes[0].collections[0].get_array().reshape(-1, 3)
    squares = np.count_nonzero((squares == to_rgb(style.KIND_COLORS["tumor_cell"])).all(axis=1))
    assert squares == round(made.counts()["tumor_cell"] * 400 / 1600)


def test_an_unknown_view_lists_the_choices():
    with pytest.raises(ValueError, match="choices: antigen, .*kinds"):
        plots.tissue(snapshot(), show="colour")
    with pytest.raises(ValueError, match="slice, maximum"):
        plots.tissue(snapshot(), projection="mean")
    with pytest.raises(ValueError, match="snapshot_every"):
        plots.tissue(Results("bare"))
    with pytest.raises(ValueError, match="choices: antigen"):
        plots.distributions(results(), "clone")


def test_distribution_shows_the_drift_and_the_share_without():
    edges = np.geomspace(0.01, 10, 31)
    values = np.array([0.0] * 25 + [0.1] * 50 + [1.0] * 25)
    assert without(values) == 25.0
    assert shape_of(values, edges).sum() == pytest.approx(75.0), "zeros are in no bin"
    figure = plots.distributions([results(negative=0.5), results("drug", 0)])
    assert {
        "none",
        "day 0",
        "day 7",
        "day 14",
        "no cell left",
        "antigen (1 = about 30 peptide-MHC)",
    } <= words(figure)


def test_selection_differential_is_the_change_of_mean_ln_and_ignores_zeros():
    made = results(end=300)
    days, change, _ = moved(made, "antigen")
    assert change[0] == 0 and change[-1] == pytest.approx(math.log(0.5))
    target = results(negative=0.4)
    for day in target.snapshots:
        target.snapshots[day].cells["car_target"][:] = 0.0 if day == 7 else math.exp(-day / 14)
    days, change, share = moved(target, "car_target")
    assert days.tolist() == [0, 7, 14] and share == [0, 100, 0]
    assert np.isnan(change[1]) and change[2] == pytest.approx(-1)
    seen = words(plots.selection_differential(made))
    assert {"change of mean ln antigen", "% with none", "fold of the start"} <= seen


def test_t_cell_state_gives_shares_of_living_t_cells():
    made = results()
    made.record({"day": 14.25, "tumor_cells": 0, "t_cells": 0, "car_t_cells": 0, "engaged_t": 0})
    share = engaged_share(made)[1]
    assert share[0] == pytest.approx(25) and np.isnan(share[-1])
    seen = words(plots.t_cell_state(made))
    assert {"Engaged with a target", "% of T cells", "Fixed exhaustion (beyond rescue)"} <= seen


@pytest.mark.parametrize(
    "draw",
    [
        plots.overview,
        plots.time_courses,
        plots.distributions,
        plots.selection_differential,
        plots.t_cell_state,
    ],
)
@pytest.mark.parametrize(
    "case", ["no tumour from the start", "single row", "one tumour cell", "3-D", "liquid"]
)
@pytest.mark.filterwarnings("error")
def test_no_picture_fails_on(draw, case):
    made = Results("control")
    tumor = {"no tumour from the start": 0, "one tumour cell": 1}.get(case, 50)
    look = {"3-D": {"shape": (9, 9, 9)}, "liquid": {"liquid": True}}.get(case, {})
    if case in ("3-D", "liquid"):
        made = results(**look)
    else:
        mean = 0.5 if tumor else math.nan
        made.record(
            {
                "day": 0.0,
                "tumor_cells": tumor,
                "t_cells": 0,
                "mean_antigen": mean,
                "mean_vigour": math.nan,
            }
        )
        made.add_snapshot(snapshot(0.0, tumor, 0))
    assert words(draw(made))


def test_a_picture_is_shown_once_in_a_notebook_and_leaves_no_open_figure():
    import matplotlib.pyplot as plt

    figure = plots.tissue(snapshot())
    assert plt.get_fignums() == []
    assert figure._repr_png_().startswith(b"\x89PNG")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg")
    assert b"<svg" in buffer.getvalue()


def test_doses_of_two_arms_stand_in_rows_of_their_own():
    treated = {"a": results("a", doses=(0, 7)), "b": results("b", doses=(3,))}
    rows = dose_rows({"control": results()} | treated)
    assert [(arm, treatment, days.tolist()) for arm, treatment, days in rows] == [
        ("a", "pembrolizumab", [0, 7]),
        ("b", "pembrolizumab", [3]),
    ]


@pytest.mark.parametrize(
    "share, words",
    [
        (1, "100 %"),
        (0.9999, "99.99 %"),
        (0.464, "46 %"),
        (0.0999, "10 %"),
        (0.0137, "1.4 %"),
        (0.0004, "0.04 %"),
        (0, "0 %"),
    ],
)
def test_shares_are_written_without_powers_of_ten(share, words):
    assert percent(share) == words


@pytest.mark.parametrize(
    "show", ["antigen", "car_target", "pdl1", "mhc", "vigour", "clone", "exhaustion"]
)
def test_immune_cells_are_rings_beside_every_trait(show):
    model = TumorModel(shape=(61, 61), seed=1, tumor_cells=60)
    model.run(0.25, progress=False)
    drawn = plots.tissue(model.snapshot(), show=show)
    rings = {
        to_hex(each.get_edgecolors()[0]).upper()
        for each in drawn.axes[0].collections
        if len(each.get_edgecolors()) and not len(each.get_facecolors())
    }
    wanted = ["nk_cell"] if show == "vigour" else ["t_cell", "nk_cell"]
    assert rings == {"#FFFFFF", *(style.KIND_COLORS[kind] for kind in wanted)}
    assert {text.get_text() for text in drawn.legends[0].get_texts()} == {
        KIND_WORDS[kind] for kind in wanted
    }
