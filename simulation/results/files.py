"""Files that are whole or not there at all, and that vouch for their content: a flipped bit is told, never believed."""

import hashlib
import json
import os
import re
import tempfile
import uuid
import zipfile
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ..errors import TumorLabError
from ..parameters.given import shortened

SEAL = "sha256"
PART = re.compile(r"\..+\.[0-9a-f]{32}\.part")
"""The name of a file while it is written, which stays behind when the writer is killed."""
UNREADABLE = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    EOFError,
    zipfile.BadZipFile,
    zlib.error,
)


class ResultsError(TumorLabError):
    """Results that cannot be found or read; the message is one sentence that names the file."""


def write_atomically(path: str | os.PathLike[str], content: bytes | str) -> None:
    """Write a whole file or nothing: temporary file in the same folder, fsync, rename; missing folders are made.

    Several machines may write into one shared folder: the temporary file's name is nobody else's.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
    try:
        with open(temporary, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            error.filename = os.fspath(path)  # a full disk names none
        raise


def check_writable(folder: str | os.PathLike[str]) -> None:
    """Raise OSError where no file can be written into a folder, before hours are spent on what goes there."""
    with tempfile.TemporaryFile(dir=folder, buffering=0) as probe:
        probe.write(b"room")


def damaged(path: str | os.PathLike[str], error: BaseException) -> ResultsError:
    """The one sentence about a file that cannot be read; raise it ``from None``."""
    if isinstance(error, FileNotFoundError):
        return ResultsError(f"{path} does not exist", file=path)
    return ResultsError(
        f"{path} is damaged and cannot be read ({shortened(error) or type(error).__name__})",
        file=path,
    )


def digest(content: bytes | Path) -> str:
    """The SHA-256 of some bytes, or of a file."""
    if isinstance(content, bytes):
        return hashlib.sha256(content).hexdigest()
    with open(content, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sealed(content: dict[str, Any], plain: Callable[..., Any] | None = None) -> str:
    """A table as JSON text that ends with the SHA-256 of all the rest; ``plain`` turns what JSON cannot hold."""
    rest = json.dumps(content, default=plain)
    return json.dumps(json.loads(rest) | {SEAL: digest(rest.encode())}, indent=1) + "\n"


def unsealed(text: bytes) -> dict[str, Any]:
    """The table in a sealed text; raises ValueError unless it is the very one that was sealed."""
    try:
        content = json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(content, dict):
        raise ValueError("it holds no table")
    seal = content.pop(SEAL, None)
    if digest(json.dumps(content).encode()) != seal:
        raise ValueError(
            "its content is not what was written: the SHA-256 in it is another or missing"
        )
    return content


def digests(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """The SHA-256 of files in a folder by name, ``/`` between the parts, in order of name."""
    return {name: digest(folder / name) for name in sorted(names)}


def verify(
    folder: Path,
    written: dict[str, str],
    there: Iterable[str],
    must: Iterable[str],
    told: type[TumorLabError],
) -> None:
    """Raise ``told`` unless files are as ``written``, which says their SHA-256 by name.

    ``must``: names without which the list itself is not whole; ``there``: names that are found and will be read.
    """
    if unnamed := sorted({*must} - {*written}):
        raise told(
            f"{folder / unnamed[0]} is not in the list of files that were written into {folder}",
            file=folder / unnamed[0],
        )
    for name, expected in written.items():
        try:
            found = digest(folder / name)
        except FileNotFoundError:
            raise told(f"{folder / name} is missing", file=folder / name) from None
        except OSError as error:
            raise told(
                f"{folder / name} cannot be read ({error.strerror or error})", file=folder / name
            ) from None
        if found != expected:
            raise told(
                f"{folder / name} is damaged (its SHA-256 is not the one it was written with)",
                file=folder / name,
            )
    if strange := sorted({*there} - {*written}):
        raise told(
            f"{folder / strange[0]} was not written with the rest of {folder}; move it away",
            file=folder / strange[0],
        )


def remove(folder: Path, names: Iterable[str]) -> None:
    """Remove files of a folder, and the folders in it that are empty then; everything else stays."""
    inside = set()
    for name in names:
        (folder / name).unlink(missing_ok=True)
        inside |= set(Path(name).parents) - {Path(".")}
    for inner in sorted(inside, reverse=True):
        if (place := folder / inner).is_dir() and not any(place.iterdir()):
            place.rmdir()
