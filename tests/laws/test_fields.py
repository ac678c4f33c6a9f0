"""Fields against mathematics: spreading, steady profiles, conservation, and what a coarser mesh costs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import k0

from simulation.tissue.fields import Field, FieldError, Mesh
from simulation.tissue.multigrid import TOLERANCE

HOUR = 3600.0  # um2/s to um2/h
OXYGEN = dict(diffusion=1667 * HOUR, decay=6.0, quasi_steady=True, unit="mmHg")
IL2 = dict(diffusion=10 * HOUR, decay=12.0, quasi_steady=True, unit="nM")
CHEMOKINE = dict(diffusion=30 * HOUR, decay=3.0, quasi_steady=True, unit="nM")
IFN_GAMMA = dict(diffusion=50 * HOUR, decay=7.7 / 24, quasi_steady=False, unit="nM")


def positions(mesh):
    """Distance of every node from the middle along each axis that has more than one node, um: (axes, nodes)."""
    axes = [
        (np.arange(length) - (length - 1) / 2) * mesh.spacing for length in mesh.shape if length > 1
    ]
    return np.array([axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")])


def exchange_matrix(mesh, diffusion):
    """Exchange between neighbours as a full matrix, 1/h, written without the solver's tables."""
    widths = [np.bincount(np.arange(n) // mesh.coarse) * mesh.spacing / mesh.coarse for n in SITES]
    matrix = np.zeros((mesh.size, mesh.size))
    for node in np.ndindex(mesh.shape):
        for axis in range(3):
            if node[axis] + 1 < mesh.shape[axis]:
                other = tuple(place + (along == axis) for along, place in enumerate(node))
                here, there = (np.ravel_multi_index(each, mesh.shape) for each in (node, other))
                near, far = widths[axis][node[axis]], widths[axis][node[axis] + 1]
                flow = diffusion / ((near + far) / 2)
                matrix[here, there], matrix[there, here] = flow / near, flow / far
    return matrix - np.diag(matrix.sum(axis=1))


SITES = (17, 11, 7)


@pytest.mark.parametrize("quasi_steady", [True, False])
def test_a_step_solves_the_linear_problem_written_out_in_full(quasi_steady):
    """On a ragged 3-D mesh with sources, uptake and vessels the values equal those of a dense solver."""
    random = np.random.default_rng(5)
    mesh = Mesh(SITES, 15.0, 2)
    source, uptake, supply = random.random((3, mesh.size))
    field = Field("x", mesh, 2000.0, 0.3, quasi_steady, "nM", initial=0.7)
    loss, step = 0.3 + 9 * uptake + supply, 0.5
    past = 0.0 if quasi_steady else loss / np.expm1(loss * step)
    exact = np.linalg.solve(
        np.diag(loss + past) - exchange_matrix(mesh, 2000.0),
        source + 4 * supply + past * field.values,
    )
    field.advance(step, source, 9 * uptake, supply, 4.0)
    assert np.abs(field.values - exact).max() < TOLERANCE * exact.max()


@pytest.mark.parametrize("shape", [(161, 161), (61, 61, 61)])
def test_a_pulse_spreads_as_a_gaussian(shape):
    """Mass stays, variance grows by 2 D t along each axis, and the shape is the Gaussian's within 1 %."""
    mesh = Mesh(shape, 15.0)
    diffusion, start, steps, hours = 900.0, 60.0**2, 40, 0.0625
    square = (positions(mesh) ** 2).sum(axis=0)
    axes = len(shape)

    def gaussian(variance):
        return (
            np.exp(-square / (2 * variance))
            / (2 * np.pi * variance) ** (axes / 2)
            * mesh.spacing**axes
        )

    field = Field("x", mesh, diffusion, 0.0, False, "nM")
    field.values = gaussian(start)
    for _ in range(steps):
        field.advance(hours)
    variance = start + 2 * diffusion * steps * hours
    assert field.values.sum() == pytest.approx(1.0, rel=1e-9)
    assert (field.values * square).sum() / field.values.sum() / axes == pytest.approx(
        variance, rel=1e-4
    )
    assert np.abs(field.values - gaussian(variance)).sum() < 0.01


@pytest.mark.parametrize("shape", [(400,), (1, 400), (400, 3), (3, 3, 400)])
def test_the_steady_profile_falls_exponentially_with_the_reach(shape):
    """Away from a source c falls by e over sqrt(D / k), in 1-D and along any axis of 2-D and 3-D tissue."""
    mesh = Mesh(shape, 15.0)
    field = Field("x", mesh, **CHEMOKINE)
    along = int(np.argmax(mesh.shape))
    source = np.zeros(mesh.shape)
    source[tuple(slice(0, 1) if axis == along else slice(None) for axis in range(3))] = 1.0
    for _ in range(4):
        field.advance(1.0, source.ravel())
    profile = field.values.reshape(mesh.shape).mean(
        axis=tuple(axis for axis in range(3) if axis != along)
    )
    x = np.arange(400) * mesh.spacing
    reach = np.sqrt(CHEMOKINE["diffusion"] / CHEMOKINE["decay"])
    near = (x > reach) & (x < 5 * reach)
    measured = -1 / np.polyfit(x[near], np.log(profile[near]), 1)[0]
    assert measured == pytest.approx(reach, rel=3e-3)
    assert profile[0] == pytest.approx(
        mesh.spacing / np.sqrt(CHEMOKINE["diffusion"] * CHEMOKINE["decay"]), rel=0.05
    )


def test_a_point_source_in_a_plane_makes_a_bessel_profile():
    """c(r) = q / (2 pi D) K0(r / reach) within 1 % from four nodes of the source outwards."""
    mesh = Mesh((301, 301), 15.0)
    field = Field("x", mesh, **CHEMOKINE)
    source = np.zeros(mesh.shape)
    source[150, 150, 0] = 2.0
    for _ in range(4):
        field.advance(1.0, source.ravel())
    distance = np.sqrt((positions(mesh) ** 2).sum(axis=0))
    reach = np.sqrt(CHEMOKINE["diffusion"] / CHEMOKINE["decay"])
    exact = (
        2.0
        * mesh.spacing**2
        / (2 * np.pi * CHEMOKINE["diffusion"])
        * k0(np.maximum(distance, 1.0) / reach)
    )
    ring = (distance > 60) & (distance < 800)
    assert np.abs(field.values / exact - 1)[ring].max() < 0.01


@pytest.mark.parametrize("shape, coarse", [((50, 50), 1), ((51, 37), 4), ((21, 18, 25), 2)])
def test_nothing_is_lost_or_made_without_decay(shape, coarse):
    """What is in the tissue, summed over its sites, is the start plus what the sources gave, to rounding."""
    random = np.random.default_rng(2)
    mesh = Mesh(shape, 15.0, coarse)
    field = Field("x", mesh, 50 * HOUR, 0.0, False, "nM")
    field.values = random.random(mesh.size) ** 4
    source = random.random(mesh.size)
    before = (field.values * mesh.sites_per_node).sum()
    for _ in range(10):
        field.advance(1.0, source)
    after = (field.values * mesh.sites_per_node).sum()
    assert after == pytest.approx(before + 10 * (source * mesh.sites_per_node).sum(), rel=1e-11)


@pytest.mark.parametrize("hours", [0.01, 1.0, 30.0])
def test_decay_and_approach_to_the_steady_state_are_exact_for_any_step(hours):
    """A uniform substance decays as exp(-k t) and rises as s/k (1 - exp(-k t)), whatever the step."""
    mesh = Mesh((20, 20), 15.0)
    decaying = Field("x", mesh, 100.0, 0.32, False, "nM", initial=3.0)
    rising = Field("x", mesh, 100.0, 0.02, False, "nM")
    decaying.advance(hours)
    rising.advance(
        hours, np.full(mesh.size, 2.0), np.full(mesh.size, 0.1), np.full(mesh.size, 0.2), 5.0
    )
    for field, exact in (
        (decaying, 3 * np.exp(-0.32 * hours)),
        (rising, 3 / 0.32 * -np.expm1(-0.32 * hours)),
    ):
        assert field.values.mean() == pytest.approx(exact, rel=1e-10)
        assert np.abs(field.values / exact - 1).max() < 3 * TOLERANCE


EXTREME = st.floats(1e-9, 1e9)


@settings(max_examples=150)
@given(
    shape=st.lists(st.integers(1, 13), min_size=1, max_size=3),
    coarse=st.integers(1, 4),
    diffusion=st.just(0.0) | EXTREME,
    rates=st.lists(st.just(0.0) | EXTREME, min_size=5, max_size=5),
    hours=EXTREME,
    quasi_steady=st.booleans(),
    seed=st.integers(0, 99),
)
def test_values_stay_finite_and_never_negative(
    shape, coarse, diffusion, rates, hours, quasi_steady, seed
):
    """Any sources, uptake, step and mesh, however absurd, leave finite values at or above zero."""
    random = np.random.default_rng(seed)
    mesh = Mesh(tuple(shape), 15.0, coarse)
    decay, source, uptake, supply, level = rates
    field = Field("x", mesh, diffusion, decay, quasi_steady, "nM")
    field.values = random.random(mesh.size) * (random.random(mesh.size) < 0.3)
    scattered = [rate * (random.random(mesh.size) < 0.3) for rate in (source, uptake, supply)]
    for _ in range(3):
        field.advance(hours, *scattered, level)
        assert np.isfinite(field.values).all() and field.values.min() >= 0


@given(seed=st.integers(0, 999), coarse=st.integers(1, 3))
def test_no_value_passes_the_level_of_the_vessels(seed, coarse):
    """Oxygen between vessels and consuming cells lies between zero and the level in the vessels."""
    random = np.random.default_rng(seed)
    mesh = Mesh((24, 31), 15.0, coarse)
    field = Field("oxygen", mesh, **OXYGEN, initial=38.0)
    for _ in range(3):
        field.advance(
            1.0,
            None,
            600 * random.random(mesh.size),
            900.0 * (random.random(mesh.size) < 0.1),
            38.0,
        )
        assert 0 <= field.values.min() and field.values.max() <= 38 * (1 + TOLERANCE)
        assert field.values.min() < 19 and field.values.max() > 1, (
            "cells consume, and vessels supply"
        )


def test_the_same_input_gives_the_same_bits_and_a_copy_goes_its_own_way():
    """A copy continues with the same bits, and advancing it leaves the original alone."""
    random = np.random.default_rng(8)
    mesh = Mesh((70, 45), 15.0, 2)
    field = Field("ifn_gamma", mesh, **IFN_GAMMA)
    field.advance(1.0, random.random(mesh.size))
    before, twin, source = field.values.copy(), field.copy(), random.random(mesh.size)
    twin.advance(1.0, source)
    assert (field.values == before).all()
    field.advance(1.0, source)
    assert field.values.tobytes() == twin.values.tobytes()


def test_oxygen_enters_a_tumor_about_100_um_deep():
    """With an uptake of 10 per minute oxygen falls by e over sqrt(D / k), about 100 um, from a tumour's edge."""
    mesh = Mesh((200, 40), 15.0, 2)
    field = Field("oxygen", mesh, **OXYGEN, initial=38.0)
    tumor = np.repeat(np.arange(100) >= 50, 20).astype(float)
    for _ in range(4):
        field.advance(1.0, None, 600 * tumor, 60 * (1 - tumor), 38.0)
    depth = (np.arange(100) - 50 + 0.5) * mesh.spacing
    profile = field.values.reshape(100, 20).mean(axis=1)
    inside = (depth > 30) & (depth < 500)
    measured = -1 / np.polyfit(depth[inside], np.log(profile[inside]), 1)[0]
    assert measured == pytest.approx(np.sqrt(1667 * 60 / (10 + 0.1)), rel=0.01)


def read_by_cells(substance, coarse, source, uptake, supply, hours):
    """What a cell on each site reads after some hours, on a mesh of that coarseness."""
    mesh = Mesh((160, 160), 15.0, coarse)
    field = Field("x", mesh, **substance)
    nodes = [
        np.bincount(mesh.node_of_site, each) / mesh.sites_per_node
        for each in (source, uptake, supply)
    ]
    for _ in range(hours):
        field.advance(1.0, *nodes, 38.0)
    return field.values[mesh.node_of_site]


@pytest.mark.parametrize(
    "substance, coarse, error, bias",
    [
        (OXYGEN, 2, 0.015, 0.003),
        (IL2, 2, 0.10, 0.001),
        (CHEMOKINE, 2, 0.03, 0.001),
        (IFN_GAMMA, 4, 0.015, 0.001),
    ],
)
def test_a_coarser_mesh_changes_what_cells_read_by_little(substance, coarse, error, bias):
    """Mean difference a site between the mesh in use and one node a site; the bias is near zero."""
    random = np.random.default_rng(3)
    x, y = (np.indices((160, 160)).reshape(2, -1) - 79.5) * 15
    radius = np.hypot(x, y)
    tumor = (radius < 700) & (random.random(radius.size) < 0.85)
    if substance is OXYGEN:
        inputs = 0.0 * tumor, 600.0 * tumor, 600.0 * (random.random(radius.size) < 0.01)
    else:
        t_cell = (abs(radius - 700) < 200) & (random.random(radius.size) < 0.1)
        inputs = 10.0 * t_cell, 0.0 * tumor, 0.0 * tumor
    fine, coarser = (read_by_cells(substance, each, *inputs, 12) for each in (1, coarse))
    assert 0 < np.abs(coarser - fine).sum() < error * fine.sum()
    assert abs((coarser - fine).sum()) < bias * fine.sum()


def test_a_mesh_covers_every_site_once():
    """Sites are counted into nodes of `coarse` sites a side; the far edge may hold fewer; one site stays one."""
    mesh = Mesh((7, 5, 1), 15.0, 2)
    assert mesh.shape == (4, 3, 1) and mesh.size == 12 and mesh.spacing == 30.0
    assert mesh.node_of_site.dtype == np.int32 and mesh.node_of_site.reshape(7, 5)[6].tolist() == [
        9,
        9,
        10,
        10,
        11,
    ]
    assert mesh.sites_per_node.tolist() == [4, 4, 2, 4, 4, 2, 4, 4, 2, 2, 2, 1]
    assert Mesh((1, 1, 1), 15.0, 2).shape == (1, 1, 1)


def test_impossible_requests_are_refused_in_one_sentence():
    """A negative source, a wrong number of nodes, no time or a negative rate raise an error that names the field."""
    mesh = Mesh((6, 6), 15.0)
    field = Field("oxygen", mesh, **OXYGEN, initial=38.0)
    for hours, source in (
        (1.0, np.full(36, -1.0)),
        (1.0, np.full(36, np.nan)),
        (1.0, np.ones(5)),
        (0.0, np.ones(36)),
    ):
        with pytest.raises(FieldError, match="oxygen"):
            field.advance(hours, source)
    assert (field.values == 38.0).all()
    with pytest.raises(FieldError, match="decay of field 'x'"):
        Field("x", mesh, 1.0, -1.0, True, "nM")
    with pytest.raises(FieldError, match="coarse"):
        Mesh((5, 5), 15.0, 0)
