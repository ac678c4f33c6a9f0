"""Files that are whole or not there at all."""

import os
import tempfile
import uuid
import zipfile
import zlib
from pathlib import Path

UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError, zipfile.BadZipFile, zlib.error)


class ResultsError(ValueError):
    """Results that cannot be found or read; the message is one sentence that names the file."""


def write_atomically(path: str | os.PathLike, content: bytes | str) -> None:
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


def check_writable(folder: str | os.PathLike) -> None:
    """Raise OSError where no file can be written into a folder, before hours are spent on what goes there."""
    with tempfile.TemporaryFile(dir=folder, buffering=0) as probe:
        probe.write(b"room")


def damaged(path: str | os.PathLike, error: BaseException) -> ResultsError:
    """The one sentence about a file that cannot be read; raise it ``from None``."""
    if isinstance(error, FileNotFoundError):
        return ResultsError(f"{path} does not exist")
    reason = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
    return ResultsError(f"{path} is damaged and cannot be read ({reason})")
