"""Readouts in space against known answers: planted tissues, complete spatial randomness, boards and halves."""

import math

import numpy as np
import pytest
from matplotlib.text import Text
from scipy.spatial import cKDTree

from simulation import Parameter, Results, Snapshot, TumorModel, plots
from simulation.parameters.bibliography import is_known
from simulation.readouts import spatial
from simulation.readouts.lattice_images import coordinates, correlate, image
from simulation.readouts.margin import Histology, margin_distance, tumor_tissue
from simulation.readouts.neighbours import (
    contacts,
    cross_k,
    distance_from,
    mixing,
    nearest_distances,
    random_distance,
)

KINDS = ("tumor_cell", "t_cell", "car_t_cell", "nk_cell")
TUMOR, T, CAR_T, NK = range(4)
MM2 = (1000 / 15) ** 2  # sites per mm2


def planted(tissue, spacing=15.0, kinds=KINDS, liquid=False, **traits):
    """A snapshot with a cell of kind k at every site of an integer array that holds k >= 0."""
    tissue = np.asarray(tissue)
    sites = np.flatnonzero(tissue >= 0)
    cells = {
        "kind": tissue.flat[sites].astype(np.int8),
        "site": sites,
        "name": sites + 1,
        "clone": sites % 3,
    }
    cells |= {name: np.full(sites.size, 1.0) for name in spatial.TRAITS}
    cells |= {name: np.asarray(values, dtype=float).flat[sites] for name, values in traits.items()}
    return Snapshot(2.0, tissue.shape, spacing, liquid, kinds, cells, {})


def from_middle(shape):
    """Distance of every site from the middle, in sites."""
    return np.sqrt(
        sum(
            (axis - (side - 1) / 2) ** 2
            for axis, side in zip(np.indices(shape), shape, strict=True)
        )
    )


def disc(shape=(101, 101), radius=25, inside=0.0, margin=0.0, outside=0.0, seed=0):
    """A packed disc or ball of tumour (radius in sites) with T cells at given densities per mm2 of a one-site section.

    ``inside``: deeper than 120 um; ``margin``: within 90 um of the edge; ``outside``: farther than 120 um out.
    """
    random = np.random.Generator(np.random.PCG64(seed))
    depth = (from_middle(shape) - radius) * 15
    tissue = np.where(depth < 0, TUMOR, -1)
    chance = (
        np.where(depth < -120, inside, 0)
        + np.where(np.abs(depth) < 90, margin, 0)
        + np.where(depth > 120, outside, 0)
    )
    tissue[random.random(shape) < chance / MM2] = T
    return planted(tissue)


def scattered(shape, seed, **numbers):
    """Cells of each kind scattered by complete spatial randomness, one a site."""
    random = np.random.Generator(np.random.PCG64(seed))
    tissue = np.full(math.prod(shape), -1)
    places = random.choice(tissue.size, sum(numbers.values()), replace=False)
    tissue[places] = np.repeat([KINDS.index(kind) for kind in numbers], list(numbers.values()))
    return planted(tissue.reshape(shape))


# -------------------------------------------------------------------- margin and infiltration


@pytest.mark.parametrize("shape", [(101, 101), (61, 61, 61)])
def test_the_margin_of_a_disc_and_of_a_ball_lies_at_its_radius(shape):
    distance = margin_distance(disc(shape, radius=20))
    true = (from_middle(shape) - 20) * 15
    near = np.abs(true) < 250
    assert np.abs(distance - true)[near].max() < 2.1 * 15, (
        "the margin lies within two sites of the edge of a packed tumour"
    )
    assert distance[(shape[0] // 2,) * len(shape)] < -250, (
        "the middle is deep inside, and that is negative"
    )


def test_enclosed_gaps_belong_to_the_tumour_and_lone_cells_do_not():
    tissue = np.where(from_middle((101, 101)) < 30, TUMOR, -1)
    tissue[from_middle((101, 101)) < 12] = -1
    tissue[::10, ::10] = np.where(tissue[::10, ::10] < 0, TUMOR, tissue[::10, ::10])
    inside = tumor_tissue(planted(tissue))
    assert inside[50, 50] and inside[50, 30], "a necrotic middle is part of the tumour"
    assert not inside[:15].any() and not inside[:, :15].any(), (
        "scattered tumour cells are no tissue"
    )


def test_infiltration_gives_back_the_planted_densities_and_counts_every_cell():
    shot = disc((201, 201), radius=50, inside=150, margin=800, outside=50)
    table = spatial.infiltration(shot, width=50)
    t_cells = table[table["kind"] == "t_cell"]
    assert t_cells["cells"].sum() == shot.counts()["t_cell"], "every T cell has a bin"
    assert table["extent"].iloc[: len(t_cells)].sum() == pytest.approx(201**2 / MM2)
    for low, high, planned in ((-600, -200, 150), (-50, 50, 800), (200, 1000, 50)):
        here = t_cells[(t_cells["low"] >= low) & (t_cells["high"] <= high)]
        density, error = (
            here["cells"].sum() / here["extent"].sum(),
            math.sqrt(here["cells"].sum()) / here["extent"].sum(),
        )
        assert density == pytest.approx(planned, abs=4 * error), (
            f"{low} to {high} um: {density:.0f} of {planned} per mm2"
        )
    assert 0 in set(t_cells["low"]) and 0 in set(t_cells["high"]), "bins meet at the margin"


@pytest.mark.parametrize("shape", [(101, 101), (61, 61, 61)])
@pytest.mark.parametrize(
    ("planned", "expected"),
    [
        ({"inside": 500, "margin": 100}, "hot"),
        ({"inside": 500, "margin": 2000}, "hot"),
        ({"inside": 20, "margin": 1500}, "excluded"),
        ({"inside": 20, "margin": 30, "outside": 30}, "cold"),
        ({}, "cold"),
    ],
)
def test_hot_excluded_and_cold_are_told_apart(shape, planned, expected):
    assert spatial.infiltration_class(disc(shape, radius=22, **planned)) == expected


def test_every_threshold_of_the_class_counts_and_says_who_sets_it():
    shot = disc(inside=400, margin=600)
    Parameter.trace = set()
    try:
        spatial.readouts(disc(margin=600))
        assert {name for _, name in Parameter.trace} == set(Histology.parameters()), (
            "a parameter that nobody reads"
        )
    finally:
        Parameter.trace = None
    assert all(is_known(row["source"]) for row in Histology().table())
    assert spatial.infiltration_class(shot) == "hot"
    assert spatial.infiltration_class(shot, Histology(hot_core=1000)) == "excluded"
    assert (
        spatial.infiltration_class(shot, Histology(hot_core=1000, excluded_margin=2000)) == "cold"
    )
    wide = spatial.readouts(shot, Histology(margin_reach=300))
    assert wide["t_cells_margin"] != spatial.readouts(shot)["t_cells_margin"]
    assert spatial.readouts(shot, Histology(tumor_share=0.9))["tumor_extent"] < wide["tumor_extent"]
    assert spatial.readouts(shot, Histology(smoothing=90))["tumor_extent"] != wide["tumor_extent"]


def test_a_tumour_too_thin_for_a_core_is_judged_by_all_its_tissue():
    shape = (81, 81)
    tissue = np.where(from_middle(shape) < 5, TUMOR, -1)
    tissue[40, 38:43] = T
    found = spatial.readouts(planted(tissue))
    assert math.isnan(found["t_cells_core"]) and found["infiltration_class"] == "hot"


# -------------------------------------------------------------------- neighbours


def test_distances_of_planted_cells_are_known():
    tissue = np.full((30, 40), -1)
    tissue[5, 5], tissue[9, 8], tissue[25, 30], tissue[25, 31] = TUMOR, T, T, NK
    shot = planted(tissue)
    assert nearest_distances(shot, "t_cell", "tumor_cell").tolist() == [
        75,
        15 * math.hypot(20, 25),
    ], "3-4-5, then far"
    assert nearest_distances(shot, "tumor_cell", ("t_cell", "nk_cell")).tolist() == [75]
    assert nearest_distances(shot, "t_cell", "t_cell") == pytest.approx(
        [15 * math.hypot(16, 22)] * 2
    ), "never one's own"
    assert np.isnan(nearest_distances(shot, "t_cell", "car_t_cell")).all()
    assert nearest_distances(shot, "car_t_cell", "t_cell").size == 0
    found = spatial.readouts(shot)
    assert (
        found["t_cells_distance"]
        == found["t_cells_median_distance"]
        == pytest.approx((75 + 15 * math.hypot(20, 25)) / 2)
    )


def test_random_places_are_as_far_as_theory_says_and_random_cells_as_far_as_random_places():
    sparse = scattered((200, 200), 1, tumor_cell=400)
    theory = 15 * (0.5 * math.sqrt(200**2 / 400) + (0.0514 + 0.041 / 20) * 800 / 400)
    found = random_distance(distance_from(sparse, "tumor_cell"))
    assert found == pytest.approx(theory, rel=0.04), (
        "Clark & Evans 1954 with the walls of Donnelly 1978"
    )
    ratios = [
        spatial.readouts(scattered((60, 60), seed, tumor_cell=300, t_cell=200))[
            "t_cells_distance_ratio"
        ]
        for seed in range(40)
    ]
    error = np.std(ratios, ddof=1) / math.sqrt(40)
    assert np.mean(ratios) == pytest.approx(1, abs=4 * error) and error < 0.01, (
        "no attraction, no avoidance"
    )
    assert spatial.readouts(disc(margin=1500))["t_cells_distance_ratio"] < 0.3, (
        "T cells at the tumour are near it"
    )


@pytest.mark.parametrize(
    ("shape", "numbers", "radius"),
    [
        ((81, 61), {"t_cell": 300, "tumor_cell": 700}, 150),
        ((25, 21, 19), {"t_cell": 400, "tumor_cell": 1500}, 75),
    ],
)
@pytest.mark.parametrize("to", ["tumor_cell", "t_cell"])
def test_k_of_random_cells_is_that_of_complete_spatial_randomness_thanks_to_edge_correction(
    shape, numbers, radius, to
):
    shots = [scattered(shape, seed, **numbers) for seed in range(60)]
    found = np.array([cross_k(shot, "t_cell", to, (radius,))["k"].item() for shot in shots])
    expected, error = (
        cross_k(shots[0], "t_cell", to, (radius,))["random"].item(),
        found.std(ddof=1) / math.sqrt(60),
    )
    assert found.mean() == pytest.approx(expected, abs=4 * error) and error < 0.01 * expected
    theory = math.pi * radius**2 if len(shape) == 2 else 4 / 3 * math.pi * radius**3
    assert expected == pytest.approx(theory, rel=0.02), (
        "pi r2 or 4/3 pi r3 but for the grain of the lattice"
    )
    naive = np.mean([uncorrected(shot, "t_cell", to, radius) for shot in shots])
    assert naive < expected - 10 * error, (
        "without edge correction the same cells would look kept apart"
    )


def uncorrected(shot, of, to, radius):
    """K from counting pairs and ignoring the walls."""
    one, other = (cKDTree(coordinates(shot)[shot.is_kind(kind)]) for kind in (of, to))
    pairs = one.count_neighbors(other, radius * (1 + 1e-9)) - (one.n if of == to else 0)
    return (
        math.prod(shot.shape)
        * shot.spacing ** len(shot.shape)
        * pairs
        / (one.n * (other.n - (of == to)))
    )


@pytest.mark.parametrize("shape", [(40, 30), (12, 14, 13)])
def test_k_equals_the_sum_over_pairs_with_translation_weights(shape):
    shot = scattered(shape, 5, t_cell=60, tumor_cell=90)
    sides = np.array(shape) * 15.0
    t_cells, tumor = (coordinates(shot)[shot.is_kind(kind)] for kind in ("t_cell", "tumor_cell"))
    apart = np.abs(t_cells[:, None] - tumor[None])
    weights = np.prod(sides / (sides - apart), axis=2) * (
        np.linalg.norm(apart, axis=2) <= 75 * (1 + 1e-9)
    )
    by_hand = sides.prod() * weights.sum() / (60 * 90)
    table = cross_k(shot, "t_cell", "tumor_cell", (75,))
    assert table["k"].item() == pytest.approx(by_hand, rel=1e-9)
    volume = (
        math.pi * table["l"].item() ** 2
        if len(shape) == 2
        else 4 / 3 * math.pi * table["l"].item() ** 3
    )
    assert volume == pytest.approx(by_hand), "L is the radius of a disc or ball of size K"
    assert cross_k(shot, "tumor_cell", "t_cell", (75,))["k"].item() == pytest.approx(by_hand), (
        "K is the same both ways"
    )


@pytest.mark.parametrize("shape", [(20, 13), (8, 9, 7)])
def test_a_full_lattice_is_exactly_as_dense_around_its_cells_as_anywhere(shape):
    ratios = cross_k(planted(np.full(shape, T)), "t_cell", "t_cell", (15, 30, 75))["ratio"]
    assert ratios.to_numpy() == pytest.approx(np.ones(3), rel=1e-12)


def test_k_tells_mixed_from_segregated_and_gives_up_beyond_the_patch():
    found = spatial.readouts(disc(inside=0, outside=300))
    assert found["t_tumor_k_30"] == 0 and found["t_tumor_k_75"] == 0, (
        "nobody within 100 um of the tumour"
    )
    assert spatial.readouts(disc(inside=300))["t_tumor_k_75"] > 2
    small = spatial.readouts(scattered((8, 30), 0, t_cell=30, tumor_cell=60))
    assert math.isnan(small["t_tumor_k_150"]) and small["t_tumor_k_75"] > 0, (
        "150 um do not fit into 120"
    )


def test_mixing_score_counts_contacts_of_segregated_and_of_mixed_tissue():
    half = np.where(np.indices((10, 10))[1] < 5, TUMOR, T)
    assert contacts(planted(half), "t_cell", "tumor_cell") == 10 + 9 + 9, (
        "straight and diagonal over one border"
    )
    among = 10 * 4 + 9 * 5 + 2 * 9 * 4
    assert contacts(planted(half), "t_cell", "t_cell") == among, "each pair counts once"
    score, ratio = mixing(planted(half))
    assert score == pytest.approx(28 / among) and ratio == pytest.approx(score * 49 / 100)
    board = np.where(np.indices((10, 10)).sum(axis=0) % 2, TUMOR, T)
    assert mixing(planted(board))[0] == pytest.approx(2 * 10 * 9 / 81), (
        "rook contacts over half of the diagonal ones"
    )
    kinds = np.where(half == T, np.indices((10, 10))[0] % 3 + 1, TUMOR)
    assert mixing(planted(kinds)) == mixing(planted(half)), "all immune kinds count alike"
    ratios = [
        mixing(scattered((40, 40), seed, t_cell=200, nk_cell=100, tumor_cell=900))[1]
        for seed in range(30)
    ]
    error = np.std(ratios, ddof=1) / math.sqrt(30)
    assert np.mean(ratios) == pytest.approx(1, abs=4 * error + 0.01) and error < 0.03


# -------------------------------------------------------------------- patches of a trait


@pytest.mark.parametrize("n", [6, 16])
def test_morans_i_of_a_board_and_of_two_halves_is_known(n):
    x, y = np.indices((n, n))
    tumor, pairs = np.full((n, n), TUMOR), 2 * (n - 1) * (2 * n - 1)
    board = spatial.morans_i(planted(tumor, antigen=(x + y) % 2), "antigen")
    halves = spatial.morans_i(planted(tumor, antigen=y < n // 2), "antigen")
    assert board == pytest.approx(-1 / (2 * n - 1)), (
        "rook neighbours differ, diagonal ones are equal"
    )
    assert halves == pytest.approx(1 - 2 * (3 * n - 2) / pairs), (
        "only contacts over the border differ"
    )


def test_moran_is_the_textbook_sum_over_neighbours_also_in_3d_and_with_gaps():
    for shape in ((9, 8), (5, 6, 7)):
        shot = scattered(shape, 3, tumor_cell=40, t_cell=10)
        values = np.random.Generator(np.random.PCG64(1)).lognormal(size=50)
        shot.cells["antigen"] = values
        tumor = shot.is_kind("tumor_cell")
        z, places = values[tumor] - values[tumor].mean(), coordinates(shot)[tumor]
        touch = np.abs(places[:, None] - places[None]).max(axis=2) == 15
        by_hand = 40 / touch.sum() * (touch * np.outer(z, z)).sum() / (z**2).sum()
        assert spatial.morans_i(shot, "antigen") == pytest.approx(by_hand, rel=1e-9)


def test_scattered_values_have_no_autocorrelation_and_patches_have_their_size():
    random = np.random.Generator(np.random.PCG64(2))
    found = [
        spatial.morans_i(
            planted(np.full((40, 40), TUMOR), antigen=random.random((40, 40))), "antigen"
        )
        for _ in range(30)
    ]
    assert np.mean(found) == pytest.approx(-1 / 1599, abs=4 * np.std(found, ddof=1) / math.sqrt(30))
    noise = [
        spatial.readouts(planted(np.full((40, 40), TUMOR), pdl1=random.random((40, 40))))[
            "pdl1_patch"
        ]
        for _ in range(20)
    ]
    assert np.isnan(noise).sum() >= 17, (
        "chance likeness of neighbours is no patch (two standard errors)"
    )
    sizes = []
    for side in (6, 12):
        blocks = np.kron(random.random((120 // side, 120 // side)), np.ones((side, side)))
        shot = planted(np.full((120, 120), TUMOR), antigen=blocks)
        curve = spatial.autocorrelation(shot, "antigen")
        assert curve["correlation"][0] == pytest.approx(spatial.morans_i(shot, "antigen")), (
            "in 2-D one site is the neighbours"
        )
        assert abs(curve["correlation"][curve["distance"] >= 1.5 * side * 15]).max() < 0.15, (
            "none beyond a block"
        )
        sizes.append(spatial.readouts(shot)["antigen_patch"])
        assert 0.3 * side * 15 < sizes[-1] < 0.8 * side * 15, (
            "half the correlation is gone over about half a block"
        )
    assert 1.5 < sizes[1] / sizes[0] < 2.5, "twice the block, twice the patch"


# -------------------------------------------------------------------- all readouts


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("shape", [(40, 30), (12, 11, 10), (3, 3), (3, 3, 3)])
@pytest.mark.parametrize(
    "fill", ["nothing", "tumour only", "one tumour cell", "immune only", "one of each", "scattered"]
)
def test_readouts_of_any_tissue_are_numbers_or_missing(shape, fill):
    tissue = np.full(shape, -1)
    first, last = (0,) * len(shape), tuple(side - 1 for side in shape)
    if fill == "tumour only":
        tissue[:] = TUMOR
    elif fill == "scattered":
        tissue.flat[:9] = [0, 1, 2, 3, 0, 1, 2, 3, 0]
    elif fill == "immune only":
        tissue.flat[::2] = T
    elif fill != "nothing":
        tissue[first] = TUMOR
        tissue[last] = NK if fill == "one of each" else -1
    found = spatial.readouts(planted(tissue))
    assert list(found) == list(spatial.SPATIAL)
    assert all(
        isinstance(value, str if name == "infiltration_class" else float)
        for name, value in found.items()
    )
    assert not any(math.isinf(value) for value in found.values() if isinstance(value, float))
    assert (found["infiltration_class"] == "no tumor") == (found["tumor_extent"] == 0)
    if fill in ("nothing", "tumour only", "one tumour cell"):
        assert (
            math.isnan(found["t_cells_distance"])
            and math.isnan(found["mixing_score"])
            and math.isnan(found["t_tumor_k_30"])
        )


def test_readouts_are_described_and_cover_plug_in_kinds():
    assert all(meaning and isinstance(unit, str) for meaning, unit in spatial.SPATIAL.values())
    tissue = disc(inside=300).cells
    shot = Snapshot(0.0, (101, 101), 15.0, False, ("tumor_cell", "macrophage"), tissue, {})
    found = spatial.readouts(shot)
    assert found["macrophages_core"] > 100 and list(found)[: len(spatial.SPATIAL)] == list(
        spatial.SPATIAL
    )
    assert found["t_cells_core"] == 0 and found["mixing_score"] > 1, (
        "a kind that is unknown to the shipped ones is immune"
    )


def test_a_liquid_and_wrong_names_are_refused_in_one_sentence():
    board = np.full((9, 9), TUMOR)
    with pytest.raises(spatial.SpatialError, match="day 2 is of a liquid"):
        spatial.readouts(planted(board, liquid=True))
    with pytest.raises(spatial.SpatialError, match="did you mean 't_cell'"):
        nearest_distances(planted(board), "tcell", "tumor_cell")
    with pytest.raises(spatial.SpatialError, match="did you mean 'antigen'"):
        spatial.morans_i(planted(board), "antigens")
    with pytest.raises(spatial.SpatialError, match="both sides"):
        cross_k(planted(board), "t_cell", ("t_cell", "nk_cell"))


@pytest.fixture(scope="module", params=[(41, 41), (15, 15, 15)], ids=["2-D", "3-D"])
def model(request):
    made = TumorModel(
        "melanoma",
        shape=request.param,
        seed=1,
        overrides={
            "tumor.initial_cells": 400,
            "t_cell.initial_density": 50 if len(request.param) == 2 else 2000,
        },
    )
    made.run(days=1, progress=False)
    return made


def test_zones_of_a_real_tissue_add_up_to_its_cells(model):
    shot = model.snapshot()
    found, distance = spatial.readouts(shot), margin_distance(shot)
    total = sum(
        found[f"t_cells_{zone}"] * np.count_nonzero(mask) * model.lattice.extent / distance.size
        for zone, mask in (
            ("core", distance < -100),
            ("margin", abs(distance) <= 100),
            ("stroma", distance > 100),
        )
        if mask.any()
    )
    assert total == pytest.approx(shot.counts()["t_cell"]) and shot.counts()["t_cell"] > 0
    assert found["antigen_moran"] < 1 and found["t_cells_distance"] >= 15
    everyone = image(shot, KINDS)
    assert correlate(everyone, everyone, 0).item() == pytest.approx(sum(shot.counts().values())), (
        "one cell a site"
    )


def test_looking_changes_neither_the_snapshot_nor_the_run(model):
    before = model.snapshot()
    copied = {name: values.copy() for name, values in before.cells.items()}
    assert str(spatial.readouts(before)) == str(spatial.readouts(before))
    assert all(np.array_equal(copied[name], values) for name, values in before.cells.items())


# -------------------------------------------------------------------- picture


def arms():
    """Three arms of one snapshot: hot, excluded, and without a tumour."""
    made = {
        "control": disc(inside=600, margin=100, outside=20),
        "pembrolizumab": disc(margin=1500, outside=30),
        "both": scattered((101, 101), 0, t_cell=100, nk_cell=50),
    }
    results = []
    for arm, shot in made.items():
        results.append(Results(arm))
        results[-1].add_snapshot(shot)
    return results


def words(figure):
    figure.draw_without_rendering()
    return {
        text.get_text() for text in figure.findobj(Text) if text.get_visible() and text.get_text()
    }


@pytest.mark.filterwarnings("error")
def test_the_picture_of_infiltration_has_units_arms_and_classes():
    figure = plots.infiltration(arms())
    assert {
        "CD8 T cells",
        "NK cells",
        "cells per mm²",
        "distance from the margin (µm)",
        "tumour",
        "outside",
        "control, day 2: hot",
        "pembrolizumab, day 2: excluded",
        "both, day 2: no tumour tissue",
    } <= words(figure)
    control, excluded = figure.axes[0].lines[:2]
    inside = control.get_xdata() < -150
    assert control.get_ydata()[inside].mean() > 300 > 50 > excluded.get_ydata()[inside].mean()


@pytest.mark.filterwarnings("error")
def test_no_picture_of_infiltration_fails():
    assert "no margin to measure from" in words(plots.infiltration(arms()[2:]))
    assert "cells per mm³" in words(plots.infiltration(disc((41, 41, 41), radius=12, margin=500)))
    assert "day 2: cold" in words(plots.infiltration(planted(np.full((20, 20), TUMOR))))
    assert "day 2: no tumour tissue" in words(plots.infiltration(planted(np.full((20, 20), -1))))
    with pytest.raises(spatial.SpatialError, match="liquid"):
        plots.infiltration(planted(np.full((9, 9), TUMOR), liquid=True))
