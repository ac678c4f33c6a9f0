"""The papers, labels and published models in references.bib that parameters rely on, and what each is relied on for."""

import re
from collections.abc import Iterable
from pathlib import Path

from .parameter import ParameterError

FILE = Path(__file__).with_name("references.bib")
FIELDS = ("author", "title", "journal", "volume", "pages", "year", "doi", "note")


def read_bibtex(text: str, file: str = FILE.name) -> dict[str, dict[str, str]]:
    """Key -> fields of every entry: one field a line, in braces, without inner braces; anything else is refused."""
    entries: dict[str, dict[str, str]] = {}
    fields: dict[str, str] | None = None
    for number, line in enumerate(text.splitlines(), 1):
        where = f"{file}, line {number}"
        if fields is None:
            if not line.strip() or line.startswith("%"):
                continue
            opened = re.fullmatch(r"@[a-z]+\{([^\s,;{}]*[^\s,;:{}]),", line)
            if not opened:
                raise ParameterError(f"an entry begins with @article{{Key, not {line!r}", key=where)
            if opened[1] in entries:
                raise ParameterError(f"the key {opened[1]} is there twice", key=where)
            fields = entries[opened[1]] = {}
        elif line == "}":
            fields = None
        else:
            field = re.fullmatch(r"  (\w+) = \{([^{}]*[^{}\s])\},", line)
            if not field or field[1] not in FIELDS or field[1] in fields:
                raise ParameterError(
                    f"a field is written once, as '  name = {{text}},', where name is one of "
                    f"{', '.join(FIELDS)}, not {line!r}",
                    key=where,
                )
            fields[field[1]] = field[2]
    if fields is not None:
        raise ParameterError("the last entry is not closed by a line }", key=file)
    return entries


def reference(fields: dict[str, str]) -> str:
    """An entry in one line: authors and year, title, journal, DOI, and in brackets what it is relied on for."""
    names = [name.partition(",")[0] for name in fields.get("author", "").split(" and ")]
    authors = (
        f"{names[0]} et al." if len(names) > 2 or names[-1] == "others" else " and ".join(names)
    )
    place = ":".join(fields[name] for name in ("volume", "pages") if name in fields)
    parts = [
        f"{authors} {fields.get('year', '')}".strip(),
        fields.get("title", ""),
        f"{fields.get('journal', '')} {place}".strip(),
        f"doi:{fields['doi']}" if "doi" in fields else "",
    ]
    note = f" ({fields['note']})" if "note" in fields else ""
    return ". ".join(part for part in parts if part) + note


ENTRIES = read_bibtex(FILE.read_text(encoding="utf-8"))
BIBLIOGRAPHY = {key: reference(fields) for key, fields in ENTRIES.items()}


def keys_in(source: str) -> list[str]:
    """The bibliography keys in a parameter's source: ``"Halle2016: kills per day; Breart2008"`` names two."""
    return list(dict.fromkeys(key for key in _first_words(source) if key in BIBLIOGRAPHY))


def is_known(source: str) -> bool:
    """Whether every part of a source is a key of the bibliography, up to a part ``assumed: the reason``."""
    named, assumed, reason = source.partition("assumed:")
    words = _first_words(named)
    return all(key in BIBLIOGRAPHY for key in words) and (
        bool(reason.strip()) if assumed else bool(words)
    )


def references(sources: Iterable[str]) -> list[str]:
    """Each paper that any of the sources names, once, in alphabetical order."""
    keys = {key for source in sources for key in keys_in(source)}
    return sorted(f"{BIBLIOGRAPHY[key]} [{key}]" for key in keys)


def _first_words(source: str) -> list[str]:
    return [part.split()[0].rstrip(":,") for part in source.split(";") if part.strip()]
