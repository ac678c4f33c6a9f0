"""Schedule search: which of the regimens that were run is best, and which are not told apart from it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from experiments.runs.outcomes import explained
from experiments.scenarios.scenario import Scenario
from experiments.words import listed, point_words, unit_words
from simulation.words import number_words

from ..statistics import CONFIDENCE, Number, interval
from ..study import Findings
from ..surface.grid import SurfaceError

AMOUNTS = ("dose", "peak")
"""The parameters of a treatment that say how much one dose is."""


def schedules(
    outcomes: pd.DataFrame,
    axes: Sequence[str],
    arm: str,
    *,
    quantity: str = "effect",
    confidence: float = CONFIDENCE,
) -> pd.DataFrame:
    """The regimens (points of ``axes``) of an arm in order of ``quantity`` beside the other regimens of the same
    seed, least (best) first.

    Columns: rank, the axes, seeds, quantity (its mean), low, high, then the paired ``difference`` to the best regimen over
    the seeds that both have, difference_low, difference_high, and ``as_good``: whether that interval holds 0. The confidence
    of the differences is shared by all comparisons (Bonferroni), so that the truly best regimen is ruled out no more often
    than stated. Raises SurfaceError for names the table does not have.
    """
    for name in (*axes, quantity):
        if name not in outcomes:
            raise SurfaceError(f"the results have no column {name!r}", key="schedules")
    rows = outcomes[outcomes["arm"] == arm].dropna(subset=quantity)
    if rows.empty or not axes:
        what = (
            f"no run of arm {arm!r} (choices: {listed(sorted(outcomes['arm'].unique()))})"
            if axes
            else "no varied parameter"
        )
        raise SurfaceError(f"the results hold {what}", key="schedules")
    wide = rows.pivot_table(index=list(axes), columns="seed", values=quantity, sort=False)
    beside_others = (
        wide - wide.mean()
    )  # a seed that is easier to treat must not favour the regimens that have it
    wide = wide.loc[beside_others.mean(axis=1).sort_values(kind="stable").index]
    shared = 1 - (1 - confidence) / max(len(wide) - 1, 1)
    ranked = []
    least: Number
    most: Number
    for place, (_, values) in enumerate(wide.iterrows()):
        mean, low, high = interval(values.dropna().to_numpy(float), confidence)
        difference, least, most = interval((values - wide.iloc[0]).dropna().to_numpy(float), shared)
        if not place:
            least = most = 0.0
        ranked.append(
            {
                "seeds": int(values.notna().sum()),
                quantity: mean,
                "low": low,
                "high": high,
                "difference": difference,
                "difference_low": least,
                "difference_high": most,
                "as_good": not least > 0,
            }
        )
    table = pd.concat([wide.index.to_frame(index=False), pd.DataFrame(ranked)], axis=1)
    table.insert(0, "rank", np.arange(1, len(table) + 1))
    return table


def given(scenario: Scenario, arm: str, point: Mapping[str, object]) -> dict[str, float]:
    """What the arm of a scenario is given in all at one point of a design: a number per ``NAME doses`` and ``NAME total``.

    The total is doses x amount of one dose, in the declared unit of the treatment's ``dose`` or ``peak``; a treatment that
    has neither gives its number of doses only. A dose on the last day does not count: it changes nothing any more.
    """
    totals: dict[str, float] = {}
    for treatment in scenario.with_options(set=dict(point)).build_treatments(arm):
        hours = round(24 * scenario.days)  # a run takes whole steps
        doses = treatment.schedule.due(-treatment.first_dose, hours - treatment.first_dose)
        totals[f"{treatment.name} doses"] = doses
        if amount := next((name for name in AMOUNTS if name in treatment.parameters()), None):
            unit = unit_words(treatment.parameters()[amount].unit)
            totals[f"{treatment.name} total" + (f" ({unit})" if unit else "")] = (
                doses * treatment.value(amount)
            )
    return totals


def analyse(
    outcomes: pd.DataFrame,
    axes: Sequence[str],
    arm: str,
    *,
    quantity: str = "effect",
    units: Mapping[str, str] | None = None,
    scenario: Scenario | None = None,
    question: str = "",
) -> Findings:
    """Table ``schedules``, figure ``schedules`` and what they say; with the scenario, total doses stand beside each regimen."""
    from . import picture

    units, table = units or {}, schedules(outcomes, axes, arm, quantity=quantity)
    if scenario is not None:
        totals = pd.DataFrame(
            [given(scenario, arm, _plain(row)) for row in table[list(axes)].to_dict("records")]
        )
        for place, name in enumerate(totals):
            table.insert(len(axes) + 1 + place, name, totals[name])
    table.insert(
        1, "regimen", [point_words(row, units) for row in table[list(axes)].to_dict("records")]
    )
    best, meaning = table.iloc[0], explained(quantity)[0]
    sentences = [
        f"Best of {len(table)} regimens by {meaning}: {best['regimen']} ({number_words(best[quantity])} on average over "
        f"{best['seeds']} seeds)."
    ]
    rivals = table.iloc[1:][table["as_good"].iloc[1:]]
    sentences.append(
        f"Not told apart from it over the same seeds: {_named(rivals)}."
        if len(rivals)
        else "Every other regimen is worse over the same seeds."
        if len(table) > 1
        else "It is the only one."
    )
    sentences += [
        _sparing(table, name) for name in table if name.endswith(" doses") and len(rivals)
    ]
    if len(short := table[table["seeds"] < table["seeds"].max()]):
        sentences.append(
            f"Runs are missing or failed in {len(short)} of {len(table)} regimens; these are compared over the "
            "seeds they have."
        )
    figure = picture.ranking(table, quantity=quantity, question=question)
    return Findings(
        tables={"schedules": table},
        figures={"schedules": figure},
        sentences=[word for word in sentences if word],
    )


def _sparing(table: pd.DataFrame, name: str) -> str:
    """The fewest doses of one treatment among the regimens not told apart from the best, where that spares any."""
    least = table[table["as_good"]].sort_values([name, "rank"]).iloc[0]
    if not least[name] < table[name].iloc[0]:
        return ""
    return (
        f"Of these, {least['regimen']} needs the fewest {name.replace('_', ' ')}: {least[name]:g} in place of "
        f"{table[name].iloc[0]:g}."
    )


def _named(rows: pd.DataFrame, most: int = 5) -> str:
    names = [f"{regimen}" for regimen in rows["regimen"].iloc[:most]]
    return "; ".join(names) + (f"; and {len(rows) - most} more" if len(rows) > most else "")


def _plain(point: Mapping[str, object]) -> dict[str, Any]:
    """Values of a table as a scenario takes them: Python's own, whole numbers whole."""
    values = {
        name: value.item() if isinstance(value, np.generic) else value
        for name, value in point.items()
    }
    return {
        name: int(value) if isinstance(value, float) and value.is_integer() else value
        for name, value in values.items()
    }
