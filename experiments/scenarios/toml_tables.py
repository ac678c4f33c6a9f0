"""Tables in TOML and JSON files whose mistakes are told in one sentence: file, key, what stands there, what is allowed."""

import codecs
import math
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic.fields import FieldInfo

from simulation.errors import TumorLabError
from simulation.parameters.given import plain, quoted, real, shortened
from simulation.parameters.parameter import nearest
from simulation.results.files import unsealed

LARGEST = 10_000_000
"""Bytes of a TOML file."""


class ScenarioError(TumorLabError):
    """A scenario that cannot be run; the message is one sentence naming file, key and what is allowed."""


def _value(value: object) -> float | int | str:
    """A finite number, or a text such as "22 day"; what the parameter itself allows is checked with its group."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(
            'it must be a number in the declared unit or a text with a unit such as "22 day"'
        )
    if not isinstance(value, str) and not math.isfinite(real(value)):
        raise ValueError("it must be a finite number")
    return value


def _flat(table: object, prefix: str = "") -> object:
    """Dotted names of nested tables: ``tumor.division_rate = 1`` without quotes means the same as with them."""
    if not isinstance(table, dict):
        return table
    flat = {}
    for key, value in table.items():
        flat |= (
            _flat(value, f"{prefix}{key}.")
            if isinstance(value, dict)
            else {f"{prefix}{key}": value}
        )
    return flat


Value = Annotated[object, BeforeValidator(_value)]
Overrides = Annotated[dict[str, Value], BeforeValidator(_flat)]


class Table(BaseModel):
    """A TOML table: no unknown keys, no silent conversions, no nan, no inf; a field's description is what it allows."""

    model_config = ConfigDict(
        extra="forbid", allow_inf_nan=False, strict=True, frozen=True, serialize_by_alias=True
    )

    @classmethod
    def checked(cls, content: dict, file: str, known: object = None) -> Self:
        """The table with this content; raises ScenarioError that calls the source ``file``.

        ``known``: what validators are told beside the content.
        """
        try:
            return cls.model_validate(plain(content), context=known)
        except ValidationError as error:
            raise _told(cls, error, file) from None

    @classmethod
    def keys(cls) -> dict[str, FieldInfo]:
        """Its keys as a file writes them, which may be no names in Python, such as ``try``."""
        return {field.alias or name: field for name, field in cls.model_fields.items()}

    @classmethod
    def inside(cls, path: list[str | int]) -> type["Table"]:
        """The table to which the last key of ``path`` belongs."""
        table, keys = cls, list(path[:-1])
        while keys:
            field = table.keys().get(keys.pop(0))
            if field is None:
                break
            inner = _inner(field.annotation)
            if inner is None:
                break
            table = inner
            if keys and get_origin(field.annotation) in (dict, list):
                keys.pop(0)
        return table


class Kept(BaseModel):
    """A sealed JSON file of a folder: the keys that are read again, each of its type; others may stand beside them."""

    model_config = ConfigDict(extra="allow", strict=True)
    remedy: ClassVar[str] = "--overwrite starts anew"

    @classmethod
    def read(cls, file: Path, damaged: type[TumorLabError]) -> dict:
        """The content of the file; raises FileNotFoundError, or ``damaged`` with a sentence that names file and key."""
        try:
            content = unsealed(file.read_bytes())
            cls.model_validate(content)
            return content
        except ValidationError as error:
            key = ".".join(map(str, error.errors()[0]["loc"]))
            reason = f"{key} is missing or not what this version writes"
        except ValueError as error:
            reason = str(error)
        raise damaged(f"{file} is damaged and cannot be read ({reason}); {cls.remedy}", file=file)


def read_toml(path: Path, file: str) -> tuple[dict, str]:
    """Content and text of a TOML file; raises ScenarioError that calls it ``file``."""
    try:
        text = _decoded(_content(path))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise ScenarioError(f"{file} cannot be read ({reason})", file=file) from None
    return parse_toml(text, file), text


def _content(path: Path) -> bytes:
    """The bytes of a file; raises ValueError for one that is no TOML file by its nature, OSError where it cannot be read."""
    found = path.stat()
    if not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
        raise ValueError("it is a pipe or a device, and must be a file")
    if found.st_size > LARGEST:
        raise ValueError(f"it has {found.st_size:,} bytes, and may have {LARGEST:,}")
    return path.read_bytes()


def _decoded(content: bytes) -> str:
    """Text in UTF-8, with or without the mark that some editors put in front; raises ValueError that names the encoding."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in content:
        raise ValueError("it is not UTF-8 but UTF-16 or no text; save it with the encoding UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ValueError(f"line {line} is not UTF-8; save it with the encoding UTF-8") from None


def parse_toml(text: str, file: str) -> dict:
    """The content of TOML text; raises ScenarioError that calls it ``file``."""
    try:
        return tomllib.loads(text.removeprefix("\ufeff"))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ScenarioError(f"{file} is not a TOML file ({error})", file=file) from None


def _inner(annotation: object) -> type[Table] | None:
    """The table that a field's type holds, if any."""
    if isinstance(annotation, type) and not get_args(annotation):
        return annotation if issubclass(annotation, Table) else None
    return next(filter(None, map(_inner, get_args(annotation))), None)


def _below(error: Mapping[str, Any]) -> bool:
    """A key that the whole file does not know comes first: it may be why others are wrong."""
    return not (error["type"] == "extra_forbidden" and len(error["loc"]) == 1)


def _told(root: type[Table], error: ValidationError, file: str) -> ScenarioError:
    """The first mistake: the key as in the file, what stands there, what is allowed."""
    first, *others = sorted(error.errors(), key=_below)
    path = list(first["loc"])
    table = root.inside(path)
    key = shortened(
        "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
    )
    stands = f"{key} = {quoted(first['input'])} is not allowed"
    field = table.keys().get(path[-1]) or root.inside(path[:-1]).keys().get((path[-2:] or path)[0])
    allowed = f"it must be {field.description}" if field and field.description else first["msg"]
    match first["type"]:
        case "extra_forbidden":
            reason = f"{key} is an unknown key{nearest(str(path[-1]), list(table.keys()))}"
        case "missing":
            reason = f"{key} is missing; {allowed}"
        case "value_error":
            reason = f"{stands}; {first['ctx']['error']}"
        case _:
            reason = f"{stands}; {allowed}"
    return ScenarioError(
        reason + (f" (and {len(others)} more)" if others else ""), file=file, key=key
    )
