"""Snapshots of a run in the formats of other programs: AnnData for squidpy and scanpy, VTK for ParaView."""

import io
from pathlib import Path

from simulation.readouts.export import to_anndata, to_vtk
from simulation.results.files import write_atomically
from simulation.results.results import Results
from simulation.results.snapshots import Snapshot

from .folder import RunError, RunFolder

FORMATS = {
    "h5ad": "AnnData: cells, traits and places",
    "vti": "VTK: the lattice as an image",
    "vtp": "VTK: the cells as points",
}


def export(folder: Path, form: str, days: list[float] | None = None) -> list[Path]:
    """Write every snapshot of a finished run (those of ``days``) as ``exports/<arm>_day_<day>.<form>``; returns the files.

    Raises RunError for a form or day that there is not, ExportError where a library is missing or a liquid has no places.
    """
    if form not in FORMATS:
        raise RunError(
            f"--to {form} is not allowed; it must be one of {', '.join(FORMATS)}", key="--to"
        )
    RunFolder(folder).record()
    files = []
    for arm, results in Results.load(folder).items():
        for day in results.snapshots if days is None else days:
            if day not in results.snapshots:
                there = ", ".join(f"{one:g}" for one in results.snapshots)
                raise RunError(
                    f"{folder} has no snapshot of arm {arm} on day {day:g} (choices: {there})",
                    file=folder,
                )
            file = Path(folder) / "exports" / f"{arm}_day_{day:07.2f}.{form}"
            file.parent.mkdir(exist_ok=True)
            if form == "h5ad":
                _write_h5ad(results.snapshots[day], file)
            else:
                to_vtk(results.snapshots[day], file)
            files.append(file)
    return files


def _write_h5ad(snapshot: Snapshot, file: Path) -> None:
    """An AnnData file, made in memory: HDF5 itself ends in a traceback where the disk is full."""
    cells, buffer = to_anndata(snapshot), io.BytesIO()
    import h5py
    from anndata.io import write_elem

    with h5py.File(buffer, "w") as whole:
        write_elem(whole, "/", cells)
    write_atomically(file, buffer.getvalue())
