"""Snapshots of a run in the formats of other programs: AnnData for squidpy and scanpy, VTK for ParaView."""

from pathlib import Path

from simulation.export import to_anndata, to_vtk
from simulation.results import Results

from .folder import RunError, RunFolder

FORMATS = {"h5ad": "AnnData: cells, traits and places", "vti": "VTK: the lattice as an image", "vtp": "VTK: the cells as points"}


def export(folder: Path, form: str, days: list[float] | None = None) -> list[Path]:
    """Write every snapshot of a finished run (those of ``days``) as ``exports/<arm>_day_<day>.<form>``; returns the files.

    Raises RunError for a form or day that there is not, ExportError where a library is missing or a liquid has no places.
    """
    if form not in FORMATS:
        raise RunError(f"--to {form} is not allowed; it must be one of {', '.join(FORMATS)}")
    RunFolder(folder).record()
    files = []
    for arm, results in Results.load(folder).items():
        for day in results.snapshots if days is None else days:
            if day not in results.snapshots:
                there = ", ".join(f"{one:g}" for one in results.snapshots)
                raise RunError(f"{folder} has no snapshot of arm {arm} on day {day:g} (choices: {there})")
            file = Path(folder) / "exports" / f"{arm}_day_{day:07.2f}.{form}"
            file.parent.mkdir(exist_ok=True)
            if form == "h5ad":
                _write_h5ad(results.snapshots[day], file)
            else:
                to_vtk(results.snapshots[day], file)
            files.append(file)
    return files


def _write_h5ad(snapshot: object, file: Path) -> None:
    """An AnnData file, whole or not there."""
    part = file.with_name(f".{file.name}.part")
    cells = to_anndata(snapshot)
    try:
        cells.write_h5ad(part)
        part.replace(file)
    except (OSError, RuntimeError) as error:  # HDF5 has both for a disk that is full
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise RunError(f"cannot write {file}: {reason}") from None
    finally:
        part.unlink(missing_ok=True)
