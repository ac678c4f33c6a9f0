"""A study read back from its folder."""

from pathlib import Path

from ..scenarios.own_code import only_read
from .archive import Archive, StudyError
from .kinds import STUDIES
from .runner import Summary, analyse
from .study import Study


def study(folder: Path) -> Study:
    """The study that was begun in a folder; raises StudyError where there is none."""
    plan = Archive(folder).plan()
    if not plan or plan.get("kind") not in STUDIES:
        raise StudyError(f"{folder} holds no study", file=folder)
    return STUDIES[plan["kind"]].from_content(
        plan["content"], name=plan["name"], file=plan["name"], scenarios=plan.get("scenarios")
    )


def analysed(folder: Path) -> Summary:
    """Tables and figures of a finished study, made again from its stored tables. Raises StudyError."""
    archive = Archive(folder)
    try:
        with only_read((archive.plan() or {}).get("treatments", {})):
            return analyse(study(folder), archive)
    except OSError as error:
        raise StudyError(
            f"cannot write tables and pictures into {folder}: {error.strerror or error}"
        ) from None
