"""What a trial found: every patient's response in every arm, and what the arms come to."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from simulation.readouts.response import CATEGORIES, Response, phase, respond, scans, sizes

from ..contrasts import contrasts
from .judged import CONTROL, Judged, Protocol, by_arm
from .survival import Comparison, compare, kaplan_meier, rate

MARKERS = {"pdl1": "mean_pdl1", "antigen": "mean_antigen", "cd8": "t_cells"}
"""Biomarker -> column of the time series on day 0; CD8 cells are divided by the patch."""


def judge(timeseries: pd.DataFrame, protocol: Protocol) -> Judged:
    """Judge every patient by the rules of the trial, from the time series alone."""
    patients = patients_of(timeseries, protocol)
    enrolled = timeseries[timeseries["patient"].isin(patients.loc[patients["enrolled"], "patient"])]
    scanned, responses = responses_of(enrolled, protocol)
    progression, comparisons = progression_of(responses)
    about = contrasts(
        responses,
        {
            "cells_then": f"tumour cells, day {protocol.contrasted_on:g}",
            "burden": f"ln tumour cells, day {protocol.contrasted_on:g}",
            "change_then": f"change in diameter (%), day {protocol.contrasted_on:g}",
            "responded": "objective response (%)",
        },
        control=CONTROL,
    )
    return Judged(
        patients,
        scanned,
        responses,
        rates_of(responses),
        progression,
        comparisons,
        subgroups_of(patients, responses, protocol.subgroups),
        about,
    )


def patients_of(timeseries: pd.DataFrame, protocol: Protocol) -> pd.DataFrame:
    """One row per patient: what was drawn, and what was there on day 0.

    A biomarker is cut at the median of the enrolled, or as stated; at or above the cut is ``high``.
    """
    own = timeseries[timeseries["arm"] == CONTROL]
    labels = list(own.columns[: own.columns.get_loc("arm")])
    table = own.drop_duplicates("patient")[labels].reset_index(drop=True)
    first = own.drop_duplicates("patient").reset_index(drop=True)
    table["cells"], table["enrolled"] = (
        first["tumor_cells"],
        first["tumor_cells"] >= protocol.enrolled_from,
    )
    for name, column in MARKERS.items():
        table[name] = first[column] / (protocol.tissue if name == "cd8" else 1.0)
    for name, cut in protocol.subgroups.items():
        level = table.loc[table["enrolled"], name].median() if cut == "median" else float(cut)
        known = table[name].notna() & math.isfinite(level)
        group = pd.Series(np.where(table[name] >= level, "high", "low"), index=table.index)
        table[f"{name}_cut"], table[f"{name}_group"] = level, group.where(known, None)
    told = {
        patient: phase(rows)
        for patient, rows in own.groupby("patient", sort=False)
        if rows["tumor_cells"].iloc[0] > 0
    }
    table["control_phase"] = [told.get(patient) for patient in table["patient"]]
    return table


def responses_of(timeseries: pd.DataFrame, protocol: Protocol) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Every scan, and every patient's response, in each arm.

    Beside the fields of Response: ``cells_then``, the tumour cells, ``burden``, ln of tumour cells + 1, and ``change_then``,
    the change in diameter in %, all on the day of the contrasts; ``responded``, 100 (%) for an objective response, else 0.
    """
    how: dict[str, Any] = {"dimension": protocol.dimension, "infiltrate": protocol.infiltrate}
    seen, told = [pd.DataFrame(columns=["patient", "arm"])], []
    for (patient, arm), rows in timeseries.groupby(["patient", "arm"], sort=False):
        scanned = scans(rows, protocol.recist, **how)
        response = respond(scanned, protocol.recist)
        then = sizes(rows, np.array([protocol.contrasted_on]), protocol.recist, **how)
        told.append(
            {"patient": patient, "arm": arm}
            | response._asdict()
            | {
                "cells_then": then["cells"].iloc[-1],
                "burden": math.log(then["cells"].iloc[-1] + 1),
                "responded": 100.0 * response.objective,
                "change_then": 100 * (then["diameter"].iloc[-1] / then["diameter"].iloc[0] - 1),
            }
        )
        scanned.insert(0, "patient", patient)
        scanned.insert(1, "arm", arm)
        seen.append(scanned)
    columns = [
        "patient",
        "arm",
        *Response._fields,
        "cells_then",
        "burden",
        "responded",
        "change_then",
    ]
    return pd.concat(seen[1:] or seen, ignore_index=True), pd.DataFrame(told, columns=columns)


def rates_of(responses: pd.DataFrame) -> pd.DataFrame:
    """Objective responses of each arm with the exact interval, and how many patients of each best response."""
    rows = []
    for arm, own in by_arm(responses):
        best = own["best"].value_counts()
        rows.append(
            {"arm": arm, "patients": len(own), "responders": int(own["objective"].sum())}
            | rate(own["objective"].sum(), len(own))._asdict()
            | {kind: int(best.get(kind, 0)) for kind in (*CATEGORIES, "NE")}
            | {"pseudoprogressions": int(own["pseudoprogression"].sum())}
        )
    return pd.DataFrame(rows)


def progression_of(responses: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Kaplan-Meier curves of the time to progression, and each arm against the control.

    Nobody dies in the model, so this is progression-free survival. The comparison is the one a clinic would make, as if
    the arms held different patients.
    """
    curves, rows = [], []
    times = {
        arm: (own["progression_day"].to_numpy(), own["progressed"].to_numpy(dtype=bool))
        for arm, own in by_arm(responses)
    }
    for arm, (days, progressed) in times.items():
        curve, median = kaplan_meier(days, progressed)
        curve.insert(0, "arm", arm)
        curves.append(curve)
        against = (
            compare(days, progressed, *times[CONTROL])
            if arm != CONTROL
            else Comparison(*[math.nan] * 5)
        )
        rows.append(
            {
                "arm": arm,
                "patients": len(days),
                "progressions": int(progressed.sum()),
                "median_day": median,
            }
            | against._asdict()
        )
    return pd.concat(curves, ignore_index=True) if curves else pd.DataFrame(), pd.DataFrame(rows)


def subgroups_of(
    patients: pd.DataFrame, responses: pd.DataFrame, biomarkers: Iterable[str]
) -> pd.DataFrame:
    """Response and hazard of progression in all patients and in each half of each biomarker, per arm.

    ``hazard_ratio`` compares the arm with the control within the group. Groups were not randomised, and many are compared.
    """
    rows = []
    for name, group in [("all", "all")] + [
        (name, group) for name in biomarkers for group in ("low", "high")
    ]:
        chosen = patients if name == "all" else patients[patients[f"{name}_group"] == group]
        inside = responses[responses["patient"].isin(chosen["patient"])]
        times = {
            arm: (own["progression_day"].to_numpy(), own["progressed"].to_numpy(dtype=bool))
            for arm, own in by_arm(inside)
        }
        for arm, own in by_arm(inside):
            against = (
                compare(*times[arm], *times[CONTROL])
                if arm != CONTROL
                else Comparison(*[math.nan] * 5)
            )
            rows.append(
                {
                    "biomarker": name,
                    "group": group,
                    "arm": arm,
                    "cut": math.nan if name == "all" else float(patients[f"{name}_cut"].iloc[0]),
                    "patients": len(own),
                    "responders": int(own["objective"].sum()),
                }
                | rate(own["objective"].sum(), len(own))._asdict()
                | {
                    "hazard_ratio": against.hazard_ratio,
                    "hazard_low": against.low,
                    "hazard_high": against.high,
                    "p_value": against.p_value,
                }
            )
    return pd.DataFrame(rows)
