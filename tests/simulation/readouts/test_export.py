"""Snapshots in other programs' formats, read back: AnnData as squidpy wants it, VTK as ParaView wants it."""

import base64
import sys
import zlib
from xml.etree import ElementTree

import numpy as np
import pytest

from simulation import Snapshot, TumorModel
from simulation.readouts.export import ExportError, at_sites, to_anndata, to_vtk
from simulation.readouts.lattice_images import coordinates

DTYPES = {"Float32": "<f4", "Float64": "<f8", "Int8": "<i1", "Int32": "<i4", "Int64": "<i8"}
NEEDS = "needs {0}: pip install {0}"


@pytest.fixture(scope="module", params=[(21, 17), (9, 11, 7)], ids=["2-D", "3-D"])
def snapshot(request):
    """A model's tissue after a few hours: tumour, T and NK cells, no CAR T cells."""
    model = TumorModel(
        "melanoma",
        shape=request.param,
        seed=3,
        overrides={
            "tumor.initial_cells": 80,
            "t_cell.initial_density": 200 if len(request.param) == 2 else 4000,
            "nk_cell.initial_density": 100 if len(request.param) == 2 else 3000,
        },
    )
    model.run(days=0.25, progress=False)
    shot = model.snapshot()
    assert min(shot.counts()[kind] for kind in ("tumor_cell", "t_cell", "nk_cell")) > 0
    return shot


# -------------------------------------------------------------------- AnnData


def test_anndata_keeps_squidpys_contract(snapshot):
    pytest.importorskip("anndata", reason=NEEDS.format("anndata"))
    data = to_anndata(snapshot)
    assert (
        data.shape == (snapshot.cells["site"].size, len(data.var_names))
        and data.X.dtype == np.float64
    )
    assert data.obsm["spatial"].shape == (data.n_obs, len(snapshot.shape)), (
        "one column of um per axis"
    )
    assert data.obs["cell_type"].dtype == "category", (
        "squidpy takes clusters from a categorical column only"
    )
    assert list(data.obs["cell_type"].cat.categories) == ["tumor_cell", "t_cell", "nk_cell"], (
        "no cluster without cells"
    )
    assert data.obs_names.is_unique and data.var_names.is_unique
    assert data.obs_names.map(type).unique().tolist() == [str]
    assert "spatial" not in data.uns, (
        "squidpy would take the tissue for a Visium slide with hexagonal spots"
    )
    assert {"antigen", "vigour", "pdl1_shown"} <= set(data.var_names) and not {
        "kind",
        "site",
        "name",
    } & set(data.var_names)


def test_anndata_gives_back_the_snapshot_also_from_disk(snapshot, tmp_path):
    anndata = pytest.importorskip("anndata", reason=NEEDS.format("anndata"))
    made = to_anndata(snapshot)
    made.write_h5ad(tmp_path / "tissue.h5ad")
    for data in (made, anndata.read_h5ad(tmp_path / "tissue.h5ad")):
        for trait in data.var_names:
            assert np.array_equal(data[:, trait].X.ravel(), snapshot.cells[trait]), (
                f"{trait} came back changed"
            )
        assert [*data.obs["cell_type"]] == [snapshot.kinds[kind] for kind in snapshot.cells["kind"]]
        assert data.obs_names.astype(np.int64).tolist() == snapshot.cells["name"].tolist(), (
            "all 63 bits of a name"
        )
        assert [int(clone) for clone in data.obs["clone"]] == snapshot.cells["clone"].tolist()
        sites = np.floor(data.obsm["spatial"] / data.uns["spacing"]).astype(int)
        assert np.array_equal(
            np.ravel_multi_index(tuple(sites.T), tuple(data.uns["shape"])), snapshot.cells["site"]
        )
        assert data.uns["day"] == snapshot.day
        assert all(
            np.array_equal(data.uns["fields"][name], field)
            for name, field in snapshot.fields.items()
        )


def test_squidpy_counts_the_same_contacts_and_the_same_moran(snapshot):
    squidpy = pytest.importorskip("squidpy", minversion="1.8", reason=NEEDS.format("squidpy"))
    from simulation.readouts import spatial

    data = to_anndata(snapshot)
    reach = snapshot.spacing * len(snapshot.shape) ** 0.5 + 0.01  # also over a corner
    squidpy.gr.spatial_neighbors_radius(data, radius=reach)
    squidpy.gr.interaction_matrix(data, cluster_key="cell_type")
    assert data.uns["cell_type_interactions"][0, 1] == spatial.contacts(
        snapshot, "tumor_cell", "t_cell"
    )
    tumor = data[data.obs["cell_type"] == "tumor_cell"].copy()
    squidpy.gr.spatial_neighbors_radius(tumor, radius=reach)
    squidpy.gr.spatial_autocorr(
        tumor, mode="moran", genes=["antigen"], transformation=False, show_progress_bar=False
    )
    assert tumor.uns["moranI"].loc["antigen", "I"] == pytest.approx(
        spatial.morans_i(snapshot, "antigen")
    )


def test_anndata_of_an_empty_tissue_and_of_a_liquid():
    pytest.importorskip("anndata", reason=NEEDS.format("anndata"))
    nothing = {
        "kind": np.empty(0, np.int8),
        "site": np.empty(0, int),
        "name": np.empty(0, int),
        "clone": np.empty(0, int),
        "antigen": np.empty(0),
    }
    empty = to_anndata(Snapshot(0.0, (5, 5), 15.0, False, ("tumor_cell",), nothing, {}))
    assert empty.shape == (0, 1) and empty.obsm["spatial"].shape == (0, 2)
    blood = TumorModel(
        "melanoma", shape=(9, 9), seed=1, liquid=True, overrides={"tumor.initial_cells": 20}
    ).snapshot()
    assert "spatial" not in to_anndata(blood).obsm, "a liquid has no places"


def test_missing_anndata_is_one_sentence(snapshot, monkeypatch):
    monkeypatch.setitem(sys.modules, "anndata", None)
    with pytest.raises(
        ExportError, match=r'^to_anndata needs anndata: pip install "tumorlab\[research\]"$'
    ):
        to_anndata(snapshot)


# -------------------------------------------------------------------- VTK


def read(path):
    """Attributes and arrays of a VTK XML file: an independent reading with the standard library."""
    root = ElementTree.parse(path).getroot()
    assert (
        root.attrib["header_type"] == "UInt64"
        and root.attrib["compressor"] == "vtkZLibDataCompressor"
    )
    grid, arrays = root[0], {}
    for array in root.iter("DataArray"):
        if array.attrib["format"] == "ascii":
            arrays[array.attrib["Name"]] = float(array.text)
            continue
        blocks, size, last, packed = np.frombuffer(base64.b64decode(array.text[:44]), "<u8")
        raw = zlib.decompress(base64.b64decode(array.text[44:]))
        assert (
            (blocks, last) == (1, 0)
            and len(raw) == size
            and len(base64.b64decode(array.text[44:])) == packed
        )
        arrays[array.attrib["Name"]] = np.frombuffer(raw, DTYPES[array.attrib["type"]])
    kinds = (
        bytes(int(code) for code in next(root.iter("Array")).text.split()).decode().split("\0")[:-1]
    )
    return grid, arrays, kinds


def check_lattice(snapshot, arrays):
    """Each site's voxel holds what stands there; x runs fastest."""
    at = dict.fromkeys(arrays)
    for name, values in arrays.items():
        at[name] = values.reshape([*snapshot.shape, 1][:3], order="F").reshape(snapshot.shape)
    sites = np.unravel_index(snapshot.cells["site"], snapshot.shape)
    assert np.array_equal(at["cell_kind"][sites], snapshot.cells["kind"])
    assert np.count_nonzero(at["cell_kind"] >= 0) == snapshot.cells["site"].size, (
        "-1 where no cell stands"
    )
    assert np.array_equal(at["antigen"][sites], snapshot.cells["antigen"].astype(np.float32))
    assert (
        np.count_nonzero(np.isnan(at["antigen"]))
        == at["antigen"].size - snapshot.cells["site"].size
    )
    corner = (0,) * len(snapshot.shape)
    last = (-1,) * len(snapshot.shape)
    for name, field in snapshot.fields.items():
        assert at[name][corner] == np.float32(field[corner]) and at[name][last] == np.float32(
            field[last]
        )
        assert at[name].mean() == pytest.approx(field.mean(), rel=0.2), "a field keeps its level"


def test_vti_holds_the_lattice(snapshot, tmp_path):
    to_vtk(snapshot, tmp_path / "made" / "tissue.vti")
    grid, arrays, kinds = read(tmp_path / "made" / "tissue.vti")
    sides = [*snapshot.shape, 1][:3]
    assert (
        grid.attrib["WholeExtent"] == " ".join(f"0 {side}" for side in sides)
        and grid.attrib["Spacing"] == "15 15 15"
    )
    assert arrays.pop("TimeValue") == snapshot.day and tuple(kinds) == snapshot.kinds
    check_lattice(snapshot, arrays)
    assert [file.name for file in (tmp_path / "made").iterdir()] == ["tissue.vti"], (
        "nothing half-written is left"
    )


def test_vtp_holds_the_cells(snapshot, tmp_path):
    to_vtk(snapshot, str(tmp_path / "cells.vtp"))
    grid, arrays, kinds = read(tmp_path / "cells.vtp")
    number = snapshot.cells["site"].size
    assert (
        grid.find("Piece").attrib["NumberOfPoints"]
        == grid.find("Piece").attrib["NumberOfVerts"]
        == str(number)
    )
    places = arrays["Points"].reshape(-1, 3)
    assert (
        np.allclose(places[:, : len(snapshot.shape)], coordinates(snapshot))
        and tuple(kinds) == snapshot.kinds
    )
    assert (
        arrays["connectivity"].tolist() == list(range(number)) and arrays["offsets"][-1] == number
    )
    assert np.array_equal(arrays["clone"], snapshot.cells["clone"])
    assert np.array_equal(arrays["vigour"], snapshot.cells["vigour"].astype(np.float32))


def test_vtk_itself_reads_both_files(snapshot, tmp_path):
    vtk = pytest.importorskip("vtk", reason=NEEDS.format("vtk"))
    from vtk.util.numpy_support import vtk_to_numpy

    to_vtk(snapshot, tmp_path / "tissue.vti")
    to_vtk(snapshot, tmp_path / "cells.vtp")
    image, points = vtk.vtkXMLImageDataReader(), vtk.vtkXMLPolyDataReader()
    for reader, name in ((image, "tissue.vti"), (points, "cells.vtp")):
        reader.SetFileName(str(tmp_path / name))
        reader.Update()
        assert reader.GetErrorCode() == 0
    data = image.GetOutput().GetCellData()
    check_lattice(
        snapshot,
        {
            data.GetArrayName(i): vtk_to_numpy(data.GetArray(i))
            for i in range(data.GetNumberOfArrays())
        },
    )
    assert image.GetOutput().GetFieldData().GetArray("TimeValue").GetValue(0) == snapshot.day
    places = vtk_to_numpy(points.GetOutput().GetPoints().GetData())
    assert np.allclose(places[:, : len(snapshot.shape)], coordinates(snapshot))
    assert points.GetOutput().GetNumberOfVerts() == snapshot.cells["site"].size


def test_an_empty_tissue_makes_whole_vtk_files(tmp_path):
    nothing = {
        "kind": np.empty(0, np.int8),
        "site": np.empty(0, int),
        "name": np.empty(0, int),
        "clone": np.empty(0, int),
    }
    empty = Snapshot(0.0, (4, 3), 15.0, False, ("tumor_cell",), nothing, {})
    to_vtk(empty, tmp_path / "tissue.vti")
    assert (read(tmp_path / "tissue.vti")[1]["cell_kind"] == -1).all()
    to_vtk(empty, tmp_path / "cells.vtp")
    ElementTree.parse(tmp_path / "cells.vtp")


def test_what_cannot_be_exported_is_said_in_one_sentence(snapshot, tmp_path):
    with pytest.raises(ExportError, match=r"tissue.vtk: a VTK file ends in .vti .* or .vtp"):
        to_vtk(snapshot, tmp_path / "tissue.vtk")
    blood = TumorModel(
        "melanoma", shape=(9, 9), seed=1, liquid=True, overrides={"tumor.initial_cells": 20}
    ).snapshot()
    with pytest.raises(ExportError, match="a liquid has no places"):
        to_vtk(blood, tmp_path / "blood.vti")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("shape", [(3, 3), (5, 5), (21, 17), (9, 11, 7), (101, 100)])
def test_a_field_is_laid_over_its_own_sites(shape):
    """As the mesh of the model does it: a node covers one, two or four sites a side, fewer at the far edge."""
    from simulation.tissue.fields import Mesh

    for coarse in (1, 2, 4):
        mesh = Mesh(shape, 15.0, coarse)
        nodes = np.arange(mesh.size).reshape(mesh.shape[: len(shape)])
        assert np.array_equal(at_sites(nodes, shape).ravel(), mesh.node_of_site), (
            f"{coarse} sites a node"
        )
