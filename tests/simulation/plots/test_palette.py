"""The pictures as a set: one palette and one scale of type in tissue, curves, report and film, also for colour-blind readers.

``test_plots`` checks that the colours of the palette are told apart; here it is checked that pictures use them, and that they
still are when they are lit, faded or laid on each other.
"""

import itertools
import re
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgb
from matplotlib.text import Text

from experiments.film.tissue import picture
from experiments.report import pictures as report_pictures
from simulation import plots
from simulation.plots import style
from simulation.plots.tissue import FREE, kind_handles
from simulation.plots.volume import seen
from tests.experiments.film.test_film import screen

from .test_plots import COLOR_BLIND, KINDS, lab, results, snapshot
from .test_volume import cells_at

ROOT = Path(__file__).parents[3]
SIZES = {10, 10.5, 11, 12, 12.5, 13, 14, 15, 18, 22}
"""Points, at a hundred pixels an inch; 22 is the time stamp of a film."""
ARMS = {"control": results(end=900), "drug": results("drug", 0, doses=(0, 7))}


def rgb(color):
    return tuple(round(255 * part) for part in to_rgb(color))


def colors_in(image, least=20):
    """Colours that fill at least so many pixels."""
    found, number = np.unique(image.reshape(-1, 3), axis=0, return_counts=True)
    return {
        tuple(int(part) for part in color)
        for color, count in zip(found, number, strict=True)
        if count >= least
    }


def ball(kind):
    """The pixels of a lit ball of a kind, by number."""
    image = seen(cells_at((4, 4, 4), kinds=[kind]), -45, 25, 200, cut=False).reshape(-1, 3)
    return image[np.ptp(image.astype(int), axis=1) > 20]


def drawn():
    """Every kind of picture, made inside the settings of all pictures."""
    solid = snapshot(3.0, 300, 60, shape=(13, 12, 11))
    with style.context():
        return {
            "overview": plots.overview(ARMS, "Why?", "a scenario"),
            "time courses": plots.time_courses(ARMS),
            "distributions": plots.distributions(ARMS),
            "selection": plots.selection_differential(ARMS),
            "T cells": plots.t_cell_state(ARMS),
            "tissue": plots.tissue(ARMS["control"], show="antigen"),
            "infiltration": plots.infiltration(ARMS),
            "volume": plots.volume(solid),
            "slices": plots.slices(solid),
            "film": screen(ARMS, frames=3).figure,
            "report, curves": report_pictures.curves(ARMS),
            "report, tissue": report_pictures.lapse(ARMS["control"], 14, style.INK),
            "report, selection": report_pictures.selection(ARMS, "antigen"),
            "report, cells": report_pictures.stacked(
                ARMS, {"t_cells": "CD8 T cells"}, "cells", True
            ),
        }


def test_each_kind_of_cell_alone_writes_down_its_colour():
    literal = re.compile("|".join(style.KIND_COLORS.values()), re.IGNORECASE)
    files = [
        file for folder in ("simulation", "experiments") for file in (ROOT / folder).rglob("*.py")
    ]
    found = {file.stem: literal.findall(file.read_text()) for file in files}
    assert {name: colors for name, colors in found.items() if colors} == {
        kind: [style.KIND_COLORS[kind]] for kind in KINDS
    }


@pytest.mark.parametrize("shape", [(40, 40), (13, 12)])
def test_the_film_shows_cells_in_the_colours_of_the_tissue(shape):
    made = snapshot(tumor=70, immune=30, shape=shape)
    film, handles = colors_in(picture(made, 400, 0.0)), kind_handles(made)
    assert (
        len(handles) == len(KINDS) and {rgb(handle.get_facecolor()) for handle in handles} <= film
    )
    assert {rgb(style.KIND_COLORS[kind]) for kind in KINDS} <= film


def test_a_liquid_has_the_same_colours_in_film_and_tissue():
    made = snapshot(tumor=400, immune=90, liquid=True)
    figure = plots.tissue(made)
    still = {rgb(color) for color in figure.axes[0].collections[0].get_array().reshape(-1, 3)}
    moving = colors_in(picture(made, 400, 0.0)) - {(255, 255, 255)}
    assert still == moving == {rgb(color) for color in [*style.KIND_COLORS.values(), FREE]}


def test_a_plug_in_kind_has_one_colour_everywhere():
    made = cells_at((4, 4, 4), kinds=[0])
    made.kinds = (*KINDS, "macrophage")
    made.cells["kind"][:] = 4
    color = style.kind_color("macrophage", made.kinds)
    assert rgb(kind_handles(made)[-1].get_facecolor()) == rgb(color)
    ball = seen(made, -45, 25, 200, cut=False).reshape(-1, 3)
    ball = ball[np.ptp(ball.astype(int), axis=1) > 20].astype(float)
    assert np.allclose(
        ball.mean(axis=0) / ball.mean(axis=0).sum(),
        np.array(rgb(color)) / sum(rgb(color)),
        atol=0.02,
    )


def test_arms_have_one_colour_in_curves_film_and_report():
    colors = style.arm_colors(ARMS)
    with style.context():
        curves = report_pictures.curves(ARMS)
    lines = {
        line.get_label(): to_hex(line.get_color())
        for line in curves.axes[0].get_lines()
        if line.get_label() in colors
    }
    film = screen(ARMS, frames=3)
    assert lines == {arm: to_hex(color) for arm, color in colors.items()}
    assert {arm: to_hex(film.curves[arm].get_color()) for arm in ARMS} == lines
    assert {arm: to_hex(film.shapes[arm].get_edgecolor()) for arm in ARMS} == lines


def test_a_legend_of_many_arms_leaves_the_curves_their_height():
    names = ["control", *(f"a_regimen_with_quite_a_long_name_{number}" for number in range(7))]
    with style.context():
        few, many = (
            report_pictures.curves({name: results(name) for name in names[:number]})
            for number in (2, 8)
        )
    heights = []
    for figure in (few, many):
        figure.draw_without_rendering()
        heights.append(figure.axes[0].get_position().height * figure.get_figheight())
    assert heights[1] > 0.85 * heights[0], "the picture grows with its legend"


def test_the_tissues_of_a_liquid_are_explained_once():
    with style.context():
        figure = report_pictures.lapse(results(liquid=True), 14, style.INK)
    assert figure.legends[0].get_title().get_text() == "liquid: no places; a square is 4 sites"
    assert not any(axes.get_xlabel() for axes in figure.axes), (
        "notes below each would be printed over each other"
    )


@pytest.mark.parametrize("blindness", COLOR_BLIND)
def test_lit_balls_of_two_kinds_are_told_apart_by_colour_blind_readers(blindness):
    """Light and shade move a colour; the typical pixel of a ball stays nearer to its own kind than to any other."""
    typical = {kind: np.median(ball(number), axis=0) / 255 for number, kind in enumerate(KINDS)}
    for one, other in itertools.permutations(KINDS, 2):
        own, foreign = (
            np.linalg.norm(lab(typical[one], blindness) - lab(style.KIND_COLORS[kind], blindness))
            for kind in (one, other)
        )
        assert own < foreign, f"a lit {one} looks like a {other}"
    nearest = min(
        np.linalg.norm(lab(a, blindness) - lab(b, blindness))
        for a, b in itertools.combinations(typical.values(), 2)
    )
    assert nearest > 15, f"two lit kinds differ by only {nearest:.0f} (just noticeable: 2)"


@pytest.mark.parametrize("blindness", COLOR_BLIND)
def test_the_darkest_side_of_a_tumour_looks_like_no_immune_cell(blindness):
    side = ball(0)
    darkest = side[side.sum(axis=1).argsort()[: len(side) // 20]].mean(axis=0) / 255
    own, *others = (
        np.linalg.norm(lab(darkest, blindness) - lab(style.KIND_COLORS[kind], blindness))
        for kind in KINDS
    )
    assert own < 0.6 * min(others)


@pytest.mark.parametrize("blindness", COLOR_BLIND)
def test_immune_cells_stand_out_from_the_tumour_they_are_drawn_on(blindness):
    tumor = lab(style.KIND_COLORS["tumor_cell"], blindness)
    for kind in KINDS[1:]:
        assert np.linalg.norm(tumor - lab(style.KIND_COLORS[kind], blindness)) > 25
    lightness = [lab(style.KIND_COLORS[kind], blindness)[0] for kind in KINDS]
    assert lightness[0] - max(lightness[1:]) > 15, "they stand out in a grey print, too"


def test_every_picture_keeps_to_one_scale_of_type():
    for name, figure in drawn().items():
        if name != "film":
            figure.draw_without_rendering()
        texts = [
            text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()
        ]
        sizes = {round(float(text.get_fontsize()), 2) for text in texts}
        assert sizes <= SIZES, f"{name}: {sorted(sizes - SIZES)}"
        assert {text.get_fontfamily()[0] for text in texts} == {"DejaVu Sans"}, name
