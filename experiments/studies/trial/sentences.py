"""What a trial found, in plain words."""

import math

import numpy as np
import pandas as pd

from experiments.words import listed
from simulation.readouts.response import CATEGORIES
from simulation.words import bounds, name_words, number_words, percent, signed_words

from .judged import CONTROL, Judged, Protocol, Row

MAPPINGS = {
    2: "a disc (2-D: the square root of the cells)",
    3: "a ball (3-D: the cube root of the cells)",
}
PHASES = {"elimination": "eliminated", "equilibrium": "held", "escape": "lost"}


def sentences(found: Judged, protocol: Protocol) -> list[str]:
    """The trial's answer, one sentence a line."""
    enrolled = int(found.patients["enrolled"].sum())
    if not enrolled:
        return [
            f"None of {len(found.patients)} patients had {protocol.enrolled_from:,} tumour cells at day 0, so there is "
            "nothing to judge."
        ]
    return [
        cohort(found, protocol),
        measured(protocol),
        *map(response, found.response_rates.itertuples()),
        *map(progression, found.comparisons.itertuples()),
        *pseudoprogression(found.response_rates),
        *subgroups(found.subgroups),
        *pairing(found.contrasts),
        *immunoediting(found.patients),
    ]


def cohort(found: Judged, protocol: Protocol) -> str:
    """How many patients there are and how many were enrolled."""
    all_of_them, enrolled = len(found.patients), int(found.patients["enrolled"].sum())
    rest = all_of_them - enrolled
    lacking = (
        f"; {rest} of {all_of_them} had too little tumour at day 0 (under {protocol.enrolled_from:,} cells)"
        if rest
        else ""
    )
    return f"{enrolled} patients, each in {len(found.response_rates)} arms{lacking}."


def measured(protocol: Protocol) -> str:
    """The mapping from cells to diameter, and when it is seen."""
    recist = protocol.recist
    return (
        f"A scan shows the diameter of {MAPPINGS[protocol.dimension]}, scaled to {recist.value('nominal_diameter'):g} mm at "
        f"day 0{', immune cells included' if protocol.infiltrate else ''}; scans every {recist.value('every'):g} days."
    )


def response(row: Row) -> str:
    """The objective response rate of one arm with its interval and categories."""
    kinds = ", ".join(f"{getattr(row, kind)} {kind}" for kind in CATEGORIES)
    known = math.isfinite(row.share)
    share = (
        f", {percent(row.share)}{bounds(row.low, row.high, percent, '95 % interval ')}"
        if known
        else ""
    )
    return f"{name(row.arm)}: {row.responders} of {row.patients} responded{share}; {kinds}."


def progression(row: Row) -> str:
    """Time to progression of one arm, and beside the control."""
    median = f"day {row.median_day:g}" if math.isfinite(row.median_day) else "not reached"
    words = f"{name(row.arm)}: {row.progressions} of {row.patients} progressed, median {median}"
    if row.arm == CONTROL or math.isnan(row.p_value):
        return words + "."
    ratio = (
        f"hazard ratio {row.hazard_ratio:.2f}{bounds(row.low, row.high, '{:.2f}'.format)}, "
        if math.isfinite(row.hazard_ratio)
        else "hazard ratio not to be estimated, "
    )
    return f"{words}; {ratio}log-rank {p_words(row.p_value)}."


def pseudoprogression(rates: pd.DataFrame) -> list[str]:
    """How many progressions the next scan took back, where there were any."""
    told = [
        f"{row.pseudoprogressions} in {name(row.arm)}"
        for row in rates.itertuples()
        if row.pseudoprogressions
    ]
    return (
        [f"Pseudoprogression (a progression that the next scan takes back): {listed(told)}."]
        if told
        else []
    )


def subgroups(table: pd.DataFrame) -> list[str]:
    """How many responded of those with little and with much of each biomarker, in every treated arm."""
    from .judged import BIOMARKERS

    told = []
    for arm in [arm for arm in table["arm"].unique() if arm != CONTROL]:
        own = table[(table["arm"] == arm) & (table["patients"] > 0)].set_index(
            ["biomarker", "group"]
        )
        halves = [
            f"{words} {listed([f'{row.responders} of {row.patients} {group}' for group, row in own.loc[key].iterrows()])}"
            for key, words in BIOMARKERS.items()
            if key in own.index.get_level_values(0)
        ]
        if halves:
            told.append(f"{name(arm)}, responses by biomarker: {'; '.join(halves)}.")
    return told


def pairing(contrasts: pd.DataFrame) -> list[str]:
    """What pairing was worth for what was measured on the stated day, each arm against the control."""
    needed = ["difference", "paired_error", "variance_ratio", "unpaired_patients"]
    known = contrasts[np.isfinite(contrasts[needed]).all(axis=1)]
    known = known[(known["against"] == CONTROL) & known["quantity"].str.contains("day")]
    return [
        f"{name(arm)} - control, paired by patient: {'; '.join(map(paired, own.itertuples()))}."
        for arm, own in known.groupby("arm", sort=False)
    ]


def paired(row: Row) -> str:
    """One difference with its standard error, and what it took to know it as well without pairs."""
    between = (
        f"{row.ratio_low:.1f} to {row.ratio_high:.1f}; "
        if math.isfinite(row.ratio_low + row.ratio_high)
        else ""
    )
    return (
        f"{row.quantity} {signed_words(row.difference)} ± {number_words(row.paired_error)}, "
        f"variance {row.variance_ratio:.1f} times smaller than unpaired ({between}{row.unpaired_patients:,.0f} patients "
        f"unpaired for what {row.pairs} gave)"
    )


def immunoediting(patients: pd.DataFrame) -> list[str]:
    """Phases of the enrolled patients' controls."""
    counts = patients.loc[patients["enrolled"], "control_phase"].value_counts()
    told = listed([f"{counts.get(phase, 0)} {words}" for phase, words in PHASES.items()])
    return [
        f"Left untreated, of {counts.sum()} tumours the immune system had {told} by the last day."
    ]


def name(arm: str) -> str:
    """An arm as people read it."""
    return name_words(arm)


def p_words(p: float) -> str:
    """A p value as it is printed: p < 0.001, p = 0.03."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}" if p < 0.995 else "p = 1"
