"""A tissue in three dimensions: what stands in front hides what stands behind, lengths are true, other snapshots are refused."""

import sys

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from simulation import plots
from simulation.plots import style
from simulation.plots.volume import extent, facing, seen, slice_across, view
from simulation.results.results import Snapshot
from simulation.words import with_unit

from .test_plots import KINDS, TRAITS, snapshot, words

module = sys.modules["simulation.plots.volume"]
ALL = {"azimuth": -45.0, "elevation": 25.0}


def cells_at(*places, shape=(9, 9, 9), kinds=None):
    """A snapshot of one cell at each place, tumour cells unless told otherwise."""
    site = np.ravel_multi_index(np.array(places).T, shape)
    order = np.argsort(site)
    kind = np.array(kinds or [0] * len(places), dtype=np.int8)[order]
    cells = {"kind": kind, "site": site[order], "name": site[order] + 1, "clone": site[order]}
    cells |= {trait: np.full(site.size, 0.5) for trait in TRAITS}
    return Snapshot(
        2.0,
        shape,
        15.0,
        False,
        KINDS,
        cells,
        {"oxygen": np.arange(5**3, dtype=float).reshape(5, 5, 5)},
    )


def blue(image):
    """Pixels that are rather blue: T cells."""
    return np.count_nonzero(image[:, :, 2].astype(int) > image[:, :, 1].astype(int) + 40)


def ink(image):
    """Rows and columns that a cell covers: pixels with a colour."""
    return np.argwhere(np.ptp(image.astype(int), axis=2) > 20)


def test_the_nearer_cell_hides_the_farther_one():
    front, behind = (6, 2, 4), (4, 4, 4)  # on a line toward an azimuth of -45
    one = seen(cells_at(front, behind, kinds=[1, 3]), -45, 0, 200, cut=False)
    other = seen(cells_at(front, behind, kinds=[3, 1]), -45, 0, 200, cut=False)
    assert blue(one) > 4 * blue(other), (
        "the T cell is seen in front of the NK cell, and hidden behind it"
    )


def test_a_cell_inside_the_tumour_is_seen_only_where_a_corner_is_cut_open():
    block = [(x, y, z) for x in range(2, 7) for y in range(2, 7) for z in range(2, 7)]
    made = cells_at(*block, kinds=[1 if place == (4, 3, 4) else 0 for place in block])
    assert blue(seen(made, -45, 25, 200, cut=False)) == 0
    assert blue(seen(made, -45, 25, 200, cut=True)) > 0


@pytest.mark.parametrize(("azimuth", "elevation"), [(-45, 25), (30, 10), (120, 80), (-90, 60)])
def test_leaving_out_what_is_walled_in_changes_the_picture_hardly(azimuth, elevation, monkeypatch):
    block = [(x, y, z) for x in range(1, 8) for y in range(1, 8) for z in range(1, 8)]
    made = cells_at(*block)
    short = seen(made, azimuth, elevation, 200)
    chosen, slope = facing(made, view(azimuth, elevation)[0], "kinds", True)
    assert chosen.sum() < len(block) / 2, "most cells of a block are not drawn"
    slopes = np.zeros((len(block), 3))
    slopes[chosen] = slope
    uncut = np.array(
        [
            not (x > 4 and y < 4)
            for x, y, _ in np.array(np.unravel_index(made.cells["site"], made.shape)).T
        ]
    )
    monkeypatch.setattr(module, "facing", lambda *_: (uncut, slopes[uncut]))
    whole = seen(made, azimuth, elevation, 200)
    assert (short != whole).any(axis=2).mean() < 0.01


def test_lengths_are_true_at_every_angle():
    """Two cells 6 sites apart across the line of sight are 6 sites apart in the picture, as the scale bar says."""
    made = cells_at((4, 4, 1), (4, 4, 7))
    for azimuth in (-45, 10, 200):
        rows = ink(seen(made, azimuth, 0, 600, cut=False))[:, 0]
        measured = (
            (rows.max() - rows.min()) * extent(made, 0) / 600
        )  # both end a ball's radius beyond the middles
        ball = ink(seen(cells_at((4, 4, 1)), azimuth, 0, 600, cut=False))[:, 0]
        measured -= (ball.max() - ball.min()) * extent(made, 0) / 600
        assert measured == pytest.approx(6 * 15.0, abs=3)


def test_the_box_stays_inside_the_picture_while_it_turns():
    made = cells_at((0, 0, 0), (8, 8, 8), (0, 8, 0), (8, 0, 8), (8, 8, 0), (0, 0, 8))
    for elevation in (0, 25, 60, 90):
        for azimuth in range(0, 360, 30):
            pixels = ink(seen(made, azimuth, elevation, 150, cut=False))
            assert pixels.min() > 0 and pixels.max() < 149, "no cell is cut off"


def test_slices_show_the_cells_and_fields_of_their_layer_alone():
    made = cells_at((1, 2, 3), (1, 5, 6), (4, 2, 3))
    plane = slice_across(made, 0, 1)
    assert plane.shape == (9, 9) and plane.frame()[["x", "y"]].to_numpy().tolist() == [
        [2, 3],
        [5, 6],
    ]
    assert slice_across(made, 2, 3).frame()[["x", "y"]].to_numpy().tolist() == [[1, 2], [4, 2]]
    assert np.array_equal(slice_across(made, 1, 8).fields["oxygen"], made.fields["oxygen"][:, 4])


def test_slices_of_a_field_have_one_colour_scale():
    figure = plots.slices(cells_at((1, 2, 3)), show="oxygen")
    limits = {image.get_clim() for axes in figure.axes[:3] for image in axes.images}
    assert limits == {(0.0, 124.0)}


@pytest.mark.parametrize("show", ["kinds", "antigen", "pdl1", "mhc", "stimulation"])
def test_a_volume_has_day_scale_bar_and_key(show):
    told = words(plots.volume(snapshot(3.0, 300, 60, shape=(13, 12, 11)), show=show, azimuth=-60))
    assert any(text.endswith("µm") for text in told)
    assert "day 3: 300 tumour cells" in told or any(text.startswith("day 3: ") for text in told)
    assert ("CD8 T cells" in told) == (show == "kinds") and (
        show == "kinds" or with_unit(show) in " ".join(told)
    )


@pytest.mark.parametrize("show", ["kinds", "vigour", "clone", "antigen", "oxygen"])
def test_slices_say_where_they_are(show):
    told = words(
        plots.slices(snapshot(3.0, 300, 60, shape=(13, 12, 11)), show=show, at=(40, 100, 20))
    )
    assert {"x = 38 µm", "y = 98 µm", "z = 22 µm"} <= told


def test_an_empty_box_is_drawn():
    assert words(plots.volume(snapshot(tumor=0, immune=0, shape=(9, 9, 9))))
    assert words(plots.volume(snapshot(tumor=0, immune=5, shape=(9, 9, 9)), show="antigen"))


@pytest.mark.parametrize("draw", [plots.volume, plots.slices])
def test_what_cannot_be_drawn_in_three_dimensions_is_refused_in_one_sentence(draw):
    with pytest.raises(ValueError, match="40 x 40 sites; plots.tissue draws it"):
        draw(snapshot())
    with pytest.raises(ValueError, match="a liquid has no places"):
        draw(snapshot(shape=(9, 9, 9), tumor=50, liquid=True))
    with pytest.raises(ValueError, match="choices: .*antigen"):
        draw(snapshot(shape=(9, 9, 9), tumor=50), show="colour")


def test_a_point_outside_is_refused():
    with pytest.raises(ValueError, match="inside the tissue of 135 x 135 x 135 um"):
        plots.slices(snapshot(shape=(9, 9, 9), tumor=50), at=(0, 0, 200))


def test_balls_keep_the_hue_of_their_kind():
    for number, kind in enumerate(KINDS):
        image = seen(cells_at((4, 4, 4), kinds=[number]), **ALL, pixels=120, cut=False)
        pixels = image[tuple(ink(image).T)].astype(float)
        color = 255 * np.array(to_rgb(style.KIND_COLORS[kind]))
        share = pixels @ color / (np.linalg.norm(pixels, axis=1) * np.linalg.norm(color))
        assert share.min() > 0.985, f"a {kind} is lit, not recoloured"
