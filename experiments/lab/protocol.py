"""What was done in a session of the lab, as a scenario that ``tumorlab run`` replays exactly."""

import json
import re
from collections.abc import Mapping

from simulation.plug_ins import class_path
from simulation.treatments import SHIPPED

from ..runs.provenance import version
from ..scenarios.definitions import OWN
from ..scenarios.scenario import OF_TREATMENT, Scenario
from ..words import moment_words

BARE = re.compile(r"[A-Za-z0-9_-]+")
NAMES = {class_path(cls): name for name, cls in SHIPPED.items()}


def regimens(log: list[dict], names: Mapping[str, str] = NAMES) -> list[dict]:
    """The log of one arm as ``[[arms.NAME.treatments]]`` tables: each treatment with the days it was given and stopped.

    ``names``: what a class is called in a scenario, by its path.
    """
    tables: dict[str, dict] = {}
    for entry in log:
        name = entry["treatment"]
        if entry["action"] == "give":
            table = {
                "drug": names.get(entry["class"], entry["class"]),
                "name": name,
                "schedule": entry["schedule"],
            }
            table |= {"given": float(entry["day"])} if entry["day"] else {}
            tables[name] = table | (
                {"parameters": entry["parameters"]} if entry["parameters"] else {}
            )
        else:
            tables[name].setdefault("stopped", float(entry["day"]))
    return list(tables.values())


def protocol(scenario: Scenario, arms: dict[str, tuple[str, list[dict]]], day: float) -> dict:
    """The content of a scenario with these arms until ``day``; ``arms``: name -> (arm it began as, its log)."""
    content = scenario.content() | {"days": max(day, 1 / 24)}
    content["set"] = own(content["set"])
    content["arms"] = {}
    names = NAMES | {class_path(cls): drug for drug, cls in scenario.own_drugs.items()}
    for name, (began_as, log) in arms.items():
        arm = scenario.arms[began_as]
        table = {"start": "twin", "set": own(arm.set)} if arm.start == "twin" else {}
        content["arms"][name] = table | {"treatments": regimens(log, names)}
    return content


def own(values: dict) -> dict:
    """What is set about the tumour itself: the log knows how each treatment was."""
    return {name: value for name, value in values.items() if not OF_TREATMENT.fullmatch(name)}


def heading(scenario: Scenario, seed: int, day: float) -> str:
    """Comment lines on top of an exported scenario."""
    return (
        f"# Recorded in the browser lab of tumorlab {version()}: {scenario.name}, seed {seed}, until {moment_words(day)}.\n"
        "# Every action stands at its day; run with: tumorlab run THIS_FILE.toml\n"
        "# The command adds an untreated control where neither tumour is one.\n"
    )


def toml(content: dict) -> str:
    """The content of a scenario as TOML text; numbers with all their digits."""
    lines = [
        f"{key} = {value(each)}" for key, each in content.items() if not isinstance(each, dict)
    ]
    for section in ("set", "grow"):
        if content.get(section):
            lines += ["", f"[{section}]", *pairs(content[section])]
    for section in OWN:
        for name, table in content.get(section, {}).items():
            lines += ["", f"[{section}.{word(name)}]", *pairs(table)]
    for arm, table in content["arms"].items():
        plain = {key: each for key, each in table.items() if key not in ("treatments", "set")}
        lines += ["", f"[arms.{word(arm)}]", *pairs(plain)]
        if table.get("set"):
            lines += [f"[arms.{word(arm)}.set]", *pairs(table["set"])]
        for regimen in table.get("treatments", []):
            lines += [f"[[arms.{word(arm)}.treatments]]", *pairs(regimen)]
    return "\n".join(lines) + "\n"


def pairs(table: dict) -> list[str]:
    """The lines of a table in TOML."""
    return [f"{word(key)} = {value(each)}" for key, each in table.items()]


def word(key: str) -> str:
    """A key, in quotes where it needs them."""
    return key if BARE.fullmatch(key) else json.dumps(key)


def value(each: object) -> str:
    """A TOML value."""
    if isinstance(each, dict):
        return "{ " + ", ".join(pairs(each)) + " }" if each else "{}"
    if isinstance(each, list | tuple):
        return "[" + ", ".join(map(value, each)) + "]"
    if isinstance(each, bool):
        return str(each).lower()
    return json.dumps(each, ensure_ascii=False) if isinstance(each, str) else repr(each)
