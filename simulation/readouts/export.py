"""Snapshots for other programs: AnnData for squidpy and scanpy, VTK files for ParaView."""

import base64
import math
import os
import sys
import zlib
from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

import numpy as np
import pandas as pd

from ..errors import TumorLabError
from ..results.files import write_atomically
from ..results.snapshots import Snapshot
from .lattice_images import coordinates

if TYPE_CHECKING:
    from anndata import AnnData

LABELS = ("kind", "site", "name", "clone")
"""What a cell is called and where it stands; everything else in a snapshot is a trait."""
VTK_TYPES = {
    "float32": "Float32",
    "float64": "Float64",
    "int8": "Int8",
    "int32": "Int32",
    "int64": "Int64",
}


class ExportError(TumorLabError):
    """A snapshot that cannot be exported as asked, or a library that is missing; one sentence."""


def to_anndata(snapshot: Snapshot) -> "AnnData":
    """One snapshot as AnnData, as squidpy and scanpy read it: one row per cell, one variable per trait.

    ``X`` holds the traits (float64), ``obs`` the kind of cell (``cell_type``, categorical, only kinds that are there),
    the ``clone`` (categorical) and the ``site``; rows are named by the cells' names. ``obsm["spatial"]`` has the middle of
    each cell's site in um, two columns or three; a liquid has none. ``uns`` keeps day (days), shape (sites), spacing (um),
    liquid and the fields. Raises ExportError when anndata is not installed.
    """
    try:
        from anndata import AnnData
    except ImportError:
        raise ExportError('to_anndata needs anndata: pip install "tumorlab[research]"') from None
    traits = trait_names(snapshot)
    cells = snapshot.cells
    names = pd.Index(cells["name"].astype(str).astype(object))
    kinds = pd.Categorical.from_codes(cells["kind"].astype(int), categories=list(snapshot.kinds))
    obs = pd.DataFrame(
        {
            "cell_type": kinds.remove_unused_categories(),
            "clone": pd.Categorical(cells["clone"].astype(str)),
            "site": cells["site"],
        },
        index=names,
    )
    matrix = (
        np.column_stack([cells[trait].astype(float) for trait in traits])
        if traits
        else np.empty((len(names), 0))
    )
    # squidpy takes a key "spatial" in uns for a Visium slide, so there is none.
    about = {
        "day": snapshot.day,
        "shape": np.array(snapshot.shape),
        "spacing": snapshot.spacing,
        "liquid": bool(snapshot.liquid),
        "fields": {name: np.asarray(field) for name, field in snapshot.fields.items()},
    }
    places = {} if snapshot.liquid else {"spatial": coordinates(snapshot)}
    return AnnData(
        X=matrix,
        obs=obs,
        var=pd.DataFrame(index=pd.Index(traits, dtype=object)),
        obsm=places,
        uns=about,
    )


def to_vtk(snapshot: Snapshot, path: str | os.PathLike) -> None:
    """Write one snapshot for ParaView, whole or not at all; 2-D becomes one layer, lengths are um.

    A path that ends in ``.vti`` gets the lattice as an image: one voxel per site with the kind of its cell (``cell_kind``,
    -1 where none stands), its traits (NaN there) and the fields. One that ends in ``.vtp`` gets the cells as points with
    kind and traits. Both carry the day as ``TimeValue`` and the names of the kinds, in order, as ``kinds``. Raises
    ExportError for another ending and for a liquid.
    """
    path = Path(path)
    if snapshot.liquid:
        raise ExportError("a liquid has no places to write into a VTK file", file=path)
    if path.suffix not in (".vti", ".vtp"):
        raise ExportError(
            "a VTK file ends in .vti (the lattice as an image) or .vtp (the cells as points)",
            file=path,
        )
    write_atomically(path, lattice_xml(snapshot) if path.suffix == ".vti" else points_xml(snapshot))


def trait_names(snapshot: Snapshot) -> list[str]:
    """The traits that cells of a snapshot carry."""
    return [name for name in snapshot.cells if name not in LABELS]


def lattice_xml(snapshot: Snapshot) -> str:
    """The lattice as VTK ImageData."""
    sites = [*snapshot.shape, 1][:3]
    kind = np.full(math.prod(sites), -1, dtype=np.int8)
    kind[snapshot.cells["site"]] = snapshot.cells["kind"]
    arrays = {"cell_kind": kind.reshape(sites)}
    for trait in trait_names(snapshot):
        values = np.full(math.prod(sites), np.nan, dtype=np.float32)
        values[snapshot.cells["site"]] = snapshot.cells[trait]
        arrays[trait] = values.reshape(sites)
    arrays |= {
        name: at_sites(field, snapshot.shape).astype(np.float32).reshape(sites)
        for name, field in snapshot.fields.items()
    }
    data = "".join(data_array(name, values.ravel(order="F")) for name, values in arrays.items())
    extent = " ".join(f"0 {side}" for side in sites)
    spacing = " ".join([f"{snapshot.spacing:.17g}"] * 3)
    return vtk_file(
        "ImageData",
        f'WholeExtent="{extent}" Origin="0 0 0" Spacing="{spacing}"',
        snapshot,
        f'<Piece Extent="{extent}">\n<CellData Scalars="cell_kind">\n{data}</CellData>\n</Piece>\n',
    )


def points_xml(snapshot: Snapshot) -> str:
    """The cells as VTK PolyData: points, each with a vertex to be drawn."""
    number = snapshot.cells["site"].size
    places = np.zeros((number, 3), dtype=np.float32)
    places[:, : len(snapshot.shape)] = coordinates(snapshot)
    if len(snapshot.shape) == 2:
        places[:, 2] = 0.5 * snapshot.spacing
    arrays = {
        "cell_kind": snapshot.cells["kind"].astype(np.int8),
        "clone": snapshot.cells["clone"].astype(np.int64),
    }
    arrays |= {trait: snapshot.cells[trait].astype(np.float32) for trait in trait_names(snapshot)}
    data = "".join(data_array(name, values) for name, values in arrays.items())
    return vtk_file(
        "PolyData",
        "",
        snapshot,
        (
            f'<Piece NumberOfPoints="{number}" NumberOfVerts="{number}" NumberOfLines="0" NumberOfStrips="0" '
            f'NumberOfPolys="0">\n<PointData Scalars="cell_kind">\n{data}</PointData>\n'
            f"<Points>\n{data_array('Points', places.ravel(), components=3)}</Points>\n"
            f"<Verts>\n{data_array('connectivity', np.arange(number))}{data_array('offsets', np.arange(1, number + 1))}"
            "</Verts>\n</Piece>\n"
        ),
    )


def vtk_file(kind: str, attributes: str, snapshot: Snapshot, piece: str) -> str:
    """A VTK XML file around one piece, with the day and the names of the kinds of cell."""
    letters = " ".join(str(code) for name in snapshot.kinds for code in [*name.encode(), 0])
    return (
        f'<?xml version="1.0"?>\n<VTKFile type="{kind}" version="1.0" byte_order="{sys.byteorder.title()}Endian" '
        f'header_type="UInt64" compressor="vtkZLibDataCompressor">\n<{kind} {attributes}>\n<FieldData>\n'
        f'<DataArray type="Float64" Name="TimeValue" NumberOfTuples="1" format="ascii">{snapshot.day:.17g}</DataArray>\n'
        f'<Array type="String" Name="kinds" NumberOfTuples="{len(snapshot.kinds)}" format="ascii">{letters}</Array>\n'
        f"</FieldData>\n{piece}</{kind}>\n</VTKFile>\n"
    )


def data_array(name: str, values: np.ndarray, components: int = 1) -> str:
    """One array in base64: a header of four numbers (blocks, their size, size of the last, packed size), then zlib."""
    raw = np.ascontiguousarray(values).tobytes()
    packed = zlib.compress(raw, 6)
    header = np.array(
        [1, len(raw), 0, len(packed)] if raw else [0, 0, 0], dtype=np.uint64
    ).tobytes()
    text = base64.b64encode(header).decode() + (base64.b64encode(packed).decode() if raw else "")
    return (
        f'<DataArray type="{VTK_TYPES[values.dtype.name]}" Name={quoteattr(name)} NumberOfComponents="{components}" '
        f'format="binary">{text}</DataArray>\n'
    )


def at_sites(field: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """A field on its own coarser mesh as every site reads it: an array of ``shape``, each node repeated over its sites."""
    nodes = 1  # sites a side of a node: 1, 2, 4...
    while tuple(-(-side // nodes) for side in shape) != field.shape and nodes < max(shape):
        nodes *= 2
    return field[
        np.ix_(
            *[
                np.minimum(np.arange(side) // nodes, last - 1)
                for side, last in zip(shape, field.shape, strict=True)
            ]
        )
    ]
