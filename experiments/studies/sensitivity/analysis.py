"""Sensitivity: which parameters an outcome depends on, and which it does not, beyond the noise between seeds.

Morris screening (Morris 1991; mu* of Campolongo et al. 2007) and Sobol indices (Saltelli et al. 2010), both through SALib.
Every range counts as 0 to 1, on a logarithmic scale where the range is one.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import special, stats

from experiments.runs.outcomes import explained
from experiments.studies.designs import LEVELS, Axis, problem, salib, size
from simulation.words import bounds, number_words, percent

from ..archive import StudyError
from ..statistics import CONFIDENCE, half_width
from ..study import Findings

INDEX = {"morris": "mu_star", "saltelli": "total"}
"""The column that says how much a parameter matters."""
STEP = LEVELS / 2 / (LEVELS - 1)
"""Length of one Morris step, as a share of the range."""
MATTERS, PERHAPS, NOT = "matters", "perhaps", "does not matter"
RAISES, LOWERS, EITHER = "raises", "lowers", "either way"
MOST_NAMED = 10


def analyse(
    outcomes: pd.DataFrame,
    axes: Sequence[Axis],
    design: str,
    samples: int,
    quantities: Sequence[str],
    arm: str,
    seed: int = 1,
) -> Findings:
    """Rank the parameters of a Morris or Saltelli design by their effect on each quantity of one arm.

    ``outcomes`` has the columns point, seed, arm, one per axis, and the quantities; a point's value is the mean over its seeds.
    Tables ``sensitivity`` (a row per quantity and parameter) and ``seed_noise`` (a row per quantity); one figure; sentences.
    A parameter matters when its index is above what seed noise alone reaches in 95 % of studies, and the bootstrap interval of
    the index is above what noise alone gives on average: a parameter that does nothing passes that in about 3 % of studies. It
    does not matter when its index is within the noise and its interval ends below half of the strongest index.
    A quantity without two whole trajectories or blocks is not ranked, and a sentence says so. Raises StudyError for another
    design.
    """
    from .picture import ranking

    if design not in INDEX:
        raise StudyError(
            f"design = {design!r} has no indices; it must be one of {', '.join(INDEX)}",
            key="sensitivity",
        )
    axes, mine = list(axes), outcomes[outcomes["arm"] == arm]
    findings, ranked, noises = Findings(), [], []
    for quantity in quantities:
        values = mine.pivot(index="point", columns="seed", values=quantity).astype(float)
        values = values.reindex(range(size(design, axes, samples)))
        whole, sentences = _whole_blocks(values, design, len(axes), quantity)
        if not whole:
            findings.sentences += sentences
            continue
        noise = seed_noise(values.loc[whole])
        if design == "morris":
            table = morris(
                _positions(mine, axes).loc[whole].to_numpy(),
                values.loc[whole].to_numpy(),
                axes,
                seed,
            )
        else:
            table = saltelli(values.loc[whole].to_numpy(), axes, seed)
            firsts = [point for point in whole if point % (len(axes) + 2) in (0, len(axes) + 1)]
            table["direction"] = _directions(
                _positions(mine, axes).loc[firsts], values.loc[firsts].mean(axis=1)
            )
        table = _ranked(table, axes, INDEX[design], quantity)
        ranked.append(table)
        noises.append({"quantity": quantity, "arm": arm, "points": len(whole)} | noise)
        findings.sentences += [*_sentences(table, noises[-1], design), *sentences]
    if not ranked:
        return findings
    findings.tables = {
        "sensitivity": pd.concat(ranked, ignore_index=True),
        "seed_noise": pd.DataFrame(noises),
    }
    findings.figures = {"sensitivity": ranking(ranked, noises, axes, design, arm)}
    return findings


def morris(
    positions: np.ndarray, values: np.ndarray, axes: Sequence[Axis], seed: int
) -> pd.DataFrame:
    """mu*, its bootstrap interval, mu, sigma and direction of each parameter, as changes over its whole range; and the noise.

    ``positions``: points x axes between 0 and 1, whole trajectories; ``values``: points x seeds. Noise alone gives half-normal
    effects, of a variance that each step's seeds tell: ``noise_floor`` is the mean mu* of a parameter that does nothing,
    ``noise_reach`` its 95 % quantile (central limit).
    """
    means = np.nanmean(values, axis=1)
    found = salib("analyze.morris").analyze(
        problem(axes),
        positions,
        means,
        num_resamples=1000,
        conf_level=CONFIDENCE,
        num_levels=LEVELS,
        seed=seed,
    )
    blocks = values.reshape(-1, len(axes) + 1, values.shape[1])
    variances, unbiased = _noise_of_differences(blocks[:, 1:] - blocks[:, :-1])
    floor = np.sqrt(2 / np.pi) * _mean(np.sqrt(variances) / unbiased) / STEP
    reach = floor + stats.norm.ppf(CONFIDENCE) * np.sqrt(
        max(_mean(variances) / STEP**2 - floor**2, 0) / len(blocks)
    )
    mu, mu_star, sigma, half = (
        np.asarray(found[name], float) for name in ("mu", "mu_star", "sigma", "mu_star_conf")
    )
    certain = np.abs(mu) > half_width(sigma / np.sqrt(len(blocks)), len(blocks) - 1)
    return pd.DataFrame(
        {
            "mu_star": mu_star,
            "mu_star_low": np.maximum(mu_star - half, 0),
            "mu_star_high": mu_star + half,
            "mu": mu,
            "sigma": sigma,
            "noise_floor": floor,
            "noise_reach": reach,
            "direction": np.where(certain, np.where(mu > 0, RAISES, LOWERS), EITHER),
        }
    )


def saltelli(values: np.ndarray, axes: Sequence[Axis], seed: int) -> pd.DataFrame:
    """First-order and total Sobol indices with bootstrap intervals, and the total index that noise alone gives.

    ``values``: points x seeds, whole blocks of axes + 2. Noise of variance v in the points adds v / V to every total index, V
    being the variance of their means: the ``noise_floor``; ``noise_reach`` is its 95 % quantile over blocks (central limit).
    """
    means = np.nanmean(values, axis=1)
    blocks = values.reshape(-1, len(axes) + 2, values.shape[1])
    columns = (
        "first",
        "first_low",
        "first_high",
        "total",
        "total_low",
        "total_high",
        "noise_floor",
        "noise_reach",
    )
    variance = means.var()
    if np.ptp(means) < 1e-12 * max(abs(means.mean()), 1e-300):
        return pd.DataFrame(0.0, index=range(len(axes)), columns=list(columns))
    found = salib("analyze.sobol").analyze(
        problem(axes),
        means,
        calc_second_order=False,
        conf_level=CONFIDENCE,
        num_resamples=int(np.clip(8_000_000 // len(blocks), 100, 1000)),
        seed=seed,
    )
    first, first_half, total, half = (
        np.asarray(found[name], float) for name in ("S1", "S1_conf", "ST", "ST_conf")
    )
    variances, _ = _noise_of_differences(blocks[:, 1:-1] - blocks[:, :1])
    seeds = values.shape[1]
    fourth = 3 * _mean(variances**2) / (1 + 2 / (seeds - 1)) if seeds > 1 else np.nan
    floor = _mean(variances) / 2 / variance
    reach = floor + stats.norm.ppf(CONFIDENCE) * np.sqrt(
        max(fourth / 4 / variance**2 - floor**2, 0) / len(blocks)
    )
    return pd.DataFrame(
        dict(
            zip(
                columns,
                (
                    first,
                    first - first_half,
                    first + first_half,
                    total,
                    np.maximum(total - half, 0),
                    total + half,
                    *np.full((2, len(axes)), [[floor], [reach]]),
                ),
                strict=True,
            )
        )
    )


def _noise_of_differences(differences: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How much the mean difference of two points varies by chance, from its seeds on the last axis: the variance, and the
    factor by which its root is too small on average (c4 of normal samples). NaN where fewer than two seeds tell it."""
    seeds = np.isfinite(differences).sum(axis=-1).astype(float)
    seeds[seeds < 2] = np.nan
    squares = np.nansum(
        (differences - np.nansum(differences, axis=-1, keepdims=True) / seeds[..., None]) ** 2,
        axis=-1,
    )
    unbiased = np.sqrt(2 / (seeds - 1)) * np.exp(
        special.gammaln(seeds / 2) - special.gammaln((seeds - 1) / 2)
    )
    return squares / (seeds - 1) / seeds, unbiased


def _mean(values: np.ndarray) -> float:
    """The mean of what is there; NaN of nothing."""
    there = values[np.isfinite(values)]
    return float(there.mean()) if there.size else np.nan


def seed_noise(values: pd.DataFrame) -> dict[str, float]:
    """How much of an outcome is chance: points x seeds in, variances and shares out.

    ``share``: within-point variance over the whole variance of single runs. ``point_variance``: variance of a point's mean
    that differs between points, from the residuals beside point and seed means, since all points have the same seeds and
    what a seed does to all of them alike cancels. ``share_of_means``: that over the variance of the means. NaN for one seed.
    """
    table = values.dropna().to_numpy(float)
    points, seeds = table.shape if table.size else (0, 0)
    means = values.mean(axis=1)
    if points < 2 or seeds < 2:
        return {
            "seeds": values.shape[1],
            "within_variance": np.nan,
            "between_variance": float(means.var(ddof=1)),
            "share": np.nan,
            "point_variance": np.nan,
            "share_of_means": np.nan,
        }
    within = float(table.var(axis=1, ddof=1).mean())
    residuals = table - table.mean(axis=1, keepdims=True) - table.mean(axis=0) + table.mean()
    point_variance = float(
        (residuals**2).sum() / (points - 1) / (seeds - 1) / values.count(axis=1).mean()
    )
    total = float(means.var(ddof=1))
    between = max(total - point_variance, 0.0)
    return {
        "seeds": seeds,
        "within_variance": within,
        "between_variance": between,
        "share": within / (within + between) if within + between > 0 else 0.0,
        "point_variance": point_variance,
        "share_of_means": min(point_variance / total, 1.0) if total > 0 else 0.0,
    }


def _whole_blocks(
    values: pd.DataFrame, design: str, axes: int, quantity: str
) -> tuple[list[int], list[str]]:
    """The points of whole trajectories or Saltelli blocks, and what is said about the others."""
    length, word = (axes + 1, "trajectory") if design == "morris" else (axes + 2, "block")
    there = values.notna().any(axis=1).to_numpy().reshape(-1, length)
    kept = there.all(axis=1)
    if kept.sum() < 2:
        return [], [
            f"{quantity}: cannot be ranked, because only {kept.sum()} of {_count(len(kept), word)} "
            f"{'has' if kept.sum() == 1 else 'have'} a value at each of {length} points; at least 2 must have."
        ]
    said = []
    if not kept.all():
        missing = list(values.index[~there.ravel()])
        named = ", ".join(map(str, missing[:MOST_NAMED])) + (
            ", ..." if len(missing) > MOST_NAMED else ""
        )
        said.append(
            f"{quantity}: {_count(len(missing), 'point')} ({named}) {'has' if len(missing) == 1 else 'have'} no value; "
            f"{_count((~kept).sum(), word)} of {len(kept)} left out."
        )
    if gaps := int(values[there.ravel()].isna().to_numpy().sum()):
        said.append(
            f"{quantity}: {_count(gaps, 'run')} of {values.size:,} without a value; "
            "those points are means over fewer seeds."
        )
    return list(values.index[np.repeat(kept, length)]), said


def _positions(rows: pd.DataFrame, axes: Sequence[Axis]) -> pd.DataFrame:
    """Points x axes: where on its range each parameter stands, 0 to 1."""
    first = rows.drop_duplicates("point").set_index("point")
    return pd.DataFrame(
        {axis.name: [axis.position(value) for value in first[axis.name]] for axis in axes},
        index=first.index,
    )


def _directions(positions: pd.DataFrame, values: pd.Series) -> list[str]:
    """Whether more of each parameter raises or lowers the values, by Spearman's rank correlation."""
    found = []
    for name in positions:
        if positions[name].nunique() < 2 or values.nunique() < 2:
            found.append(EITHER)
            continue
        correlation = stats.spearmanr(positions[name], values)
        found.append(
            EITHER
            if correlation.pvalue > 1 - CONFIDENCE
            else RAISES
            if correlation.statistic > 0
            else LOWERS
        )
    return found


def _ranked(table: pd.DataFrame, axes: Sequence[Axis], index: str, quantity: str) -> pd.DataFrame:
    """The rows of one quantity with parameter, range and verdict, the largest index first."""
    floor, reach = table["noise_floor"].fillna(0.0), table["noise_reach"].fillna(0.0)
    told = table[index] > reach
    matters = told & (table[f"{index}_low"] > floor)
    strongest = max(table.loc[matters, index], default=0.0)
    verdict = np.select(
        [matters, ~told & (table[f"{index}_high"] <= strongest / 2)], [MATTERS, NOT], PERHAPS
    )
    about = pd.DataFrame(
        {
            "quantity": quantity,
            "parameter": [axis.name for axis in axes],
            "meaning": [axis.meaning for axis in axes],
            "unit": [axis.unit for axis in axes],
            "low": [axis.value(0.0) for axis in axes],
            "high": [axis.value(1.0) for axis in axes],
            "scale": [axis.scale if axis.values is None else "list" for axis in axes],
        }
    )
    whole = pd.concat([about, table], axis=1).assign(verdict=verdict)
    whole = whole.sort_values(index, ascending=False, kind="stable", ignore_index=True)
    whole.insert(1, "rank", range(1, len(whole) + 1))
    return whole


def _sentences(table: pd.DataFrame, noise: dict[str, Any], design: str) -> list[str]:
    """What matters, what does not, and how much is chance, for one quantity."""
    index, quantity = INDEX[design], noise["quantity"]
    strong, unsure, idle = (
        table[table["verdict"] == verdict] for verdict in (MATTERS, PERHAPS, NOT)
    )
    meaning = explained(quantity)[0]
    said = [
        f"{quantity} ({noise['arm']}: {meaning}): {len(strong) or 'none'} of {len(table)} parameters "
        f"{'matters' if len(strong) == 1 else 'matter'} beyond the noise between seeds."
    ]
    if len(strong):
        what = (
            "Over its range" if design == "morris" else "By its share of the variance (total index)"
        )
        named = [_told(row, index) for row in strong.head(MOST_NAMED).to_dict("records")]
        more = f"; and {len(strong) - MOST_NAMED} more" if len(strong) > MOST_NAMED else ""
        said.append(f"{quantity}: {what}, {'; '.join(named)}{more}.")
    if len(idle):
        most = idle[index + "_high"].max()
        below = f" (below {_short(most)})" if np.isfinite(most) else ""
        said.append(
            f"{quantity}: {', '.join(idle['parameter'])} {'does' if len(idle) == 1 else 'do'} not matter beyond "
            f"the noise between seeds{below}."
        )
    if len(unsure):
        said.append(
            f"{quantity}: {', '.join(unsure['parameter'])} cannot be judged yet; more seeds or samples would tell."
        )
    if not np.isfinite([noise["share"], noise["share_of_means"]]).all():
        said.append(
            f"{quantity}: with one seed a point, effect and noise cannot be told apart, and parameters are judged "
            "against zero only; run at least 2 seeds."
        )
    else:
        said.append(
            f"{quantity}: seeds make {percent(noise['share'])} of the variance of single runs, "
            f"{percent(noise['share_of_means'])} of that of means over {noise['seeds']} seeds."
        )
    return said


def _told(row: dict[str, Any], index: str) -> str:
    """One parameter in words: its direction, index and interval."""
    acts = "moves it" if row["direction"] == EITHER else f"{row['direction']} it"
    value, between = _short(row[index]), bounds(row[index + "_low"], row[index + "_high"], _short)
    return f"{row['parameter']} {acts}{' by' if index == 'mu_star' else ','} {value}{between}"


def _short(value: float) -> str:
    """A number with two digits."""
    return number_words(value, 2)


def _count(number: int, word: str) -> str:
    """A number of things in words: 1 run, 3 trajectories."""
    plural = word[:-1] + "ies" if word.endswith("y") else word + "s"
    return f"{number:,} {word if number == 1 else plural}"
