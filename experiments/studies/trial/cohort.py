"""Virtual patients: every patient's parameters are drawn from stated distributions with stated correlations."""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np
from pydantic import Field
from scipy import stats

from experiments.scenarios.toml_tables import ScenarioError, Table
from simulation.parameters.parameter import Parameter, nearest

DISTRIBUTIONS = {
    "lognormal": ("median", "spread"),
    "normal": ("mean", "spread"),
    "beta": ("mean", "spread"),
    "uniform": ("low", "high"),
    "loguniform": ("low", "high"),
}
"""The keys that each distribution needs besides the bounds ``low`` and ``high``, which all may have."""
DIGITS = 6


class Spread(Table):
    """How one parameter differs between patients, in its declared unit; ``low`` and ``high`` cut the distribution off."""

    distribution: Literal["lognormal", "normal", "beta", "uniform", "loguniform"] = Field(
        description=f"one of {', '.join(DISTRIBUTIONS)}"
    )
    median: float | None = Field(None, gt=0, description="a number above 0")
    mean: float | None = Field(None, description="a number")
    spread: float | None = Field(
        None,
        gt=0,
        description="a number above 0: sigma of the logarithm of a lognormal, "
        "standard deviation of a normal or beta",
    )
    low: float | None = Field(None, description="a number")
    high: float | None = Field(None, description="a number")


class Patient(NamedTuple):
    """One virtual patient: a number, a seed of its own, and its parameters by dotted name."""

    number: int
    seed: int
    parameters: dict[str, float]


class Cohort:
    """Patients drawn from ``vary`` (dotted name -> Spread) with ``correlations`` between the underlying normals.

    Correlations are those of a Gaussian copula: they hold exactly for the normals that the draws begin as, and so nearly
    for the logarithms of lognormal parameters. Patient ``i`` depends on ``seed`` and ``i`` alone: a larger cohort begins
    with the same patients, and a parameter added at the end leaves the others as they were. ``declared`` gives the
    Parameter behind a dotted name, whose range bounds every draw. Raises ScenarioError that calls the source ``file``.
    """

    def __init__(
        self,
        vary: dict[str, Spread],
        correlations: dict[str, dict[str, float]],
        seed: int,
        declared: Callable[[str], Parameter],
        file: str = "trial",
    ):
        self.names, self.seed = list(vary), seed
        self.marginals = {
            name: Marginal(name, spread, declared(name), file) for name, spread in vary.items()
        }
        self.correlation = correlation_matrix(self.names, correlations, file)
        self._mix = np.linalg.cholesky(self.correlation)

    def patient(self, number: int) -> Patient:
        """The patient of that number, from 0 on."""
        random = np.random.default_rng([self.seed, number])
        seed = int(random.integers(2**53))
        ranks = stats.norm.cdf(self._mix @ random.standard_normal(len(self.names)))
        return Patient(
            number,
            seed,
            {
                name: marginal.value(rank)
                for (name, marginal), rank in zip(
                    self.marginals.items(), ranks.tolist(), strict=True
                )
            },
        )

    def patients(self, count: int) -> list[Patient]:
        """The first ``count`` patients."""
        return [self.patient(number) for number in range(count)]


class Marginal:
    """The distribution of one parameter, cut off at its bounds."""

    def __init__(self, name: str, spread: Spread, parameter: Parameter, file: str):
        self.integer = parameter.integer
        try:
            self.low, self.high = _bounds(spread, parameter)
            self._whole = _distribution(spread, (self.low, self.high))
        except ScenarioError as error:
            raise ScenarioError.of(error, file=file, key=f"vary.{name}") from None
        self._ranks = self._whole.cdf([self.low, self.high])
        if self._ranks[1] - self._ranks[0] < 0.01:
            raise ScenarioError(
                f"less than 1 % of this distribution lies between {self.low:g} and {self.high:g}; "
                "move its centre or its bounds",
                file=file,
                key=f"vary.{name}",
            )

    def value(self, rank: float) -> float | int:
        """The value below which that share of the patients lies."""
        inside = self._ranks[0] + rank * (self._ranks[1] - self._ranks[0])
        value = min(max(float(self._whole.ppf(inside)), self.low), self.high)
        return (
            round(value)
            if self.integer
            else min(max(float(f"{value:.{DIGITS}g}"), self.low), self.high)
        )


def _bounds(spread: Spread, parameter: Parameter) -> tuple[float, float]:
    """Bounds of a distribution, by default those of its parameter."""
    needed = DISTRIBUTIONS[spread.distribution]
    if missing := [key for key in needed if getattr(spread, key) is None]:
        raise ScenarioError(
            f"a {spread.distribution} distribution needs {' and '.join(needed)}, "
            f"and {missing[0]} is missing"
        )
    stray = [
        key
        for key in ("median", "mean", "spread")
        if getattr(spread, key) is not None and key not in needed
    ]
    if stray:
        raise ScenarioError(
            f"{stray[0]} has no meaning for a {spread.distribution} distribution, which takes "
            f"{', '.join(dict.fromkeys([*needed, 'low', 'high']))}"
        )
    for key in ("low", "high"):
        value = getattr(spread, key)
        if value is not None and not parameter.low <= value <= parameter.high:
            raise ScenarioError(
                f"{key} = {value:g} is outside the parameter's own range; "
                f"it must be {parameter.allowed()}",
                key=key,
            )
    low = parameter.low if spread.low is None else spread.low
    high = parameter.high if spread.high is None else spread.high
    if not low < high:
        raise ScenarioError(f"low = {low:g} must be below high = {high:g}", key="low")
    return low, high


def _distribution(spread: Spread, bounds: tuple[float, float]) -> Any:
    """The distribution as scipy.stats has it, before it is cut off."""
    low, high = bounds
    match spread.distribution:
        case "lognormal":
            return stats.lognorm(s=spread.spread, scale=spread.median)
        case "normal":
            return stats.norm(spread.mean, spread.spread)
        case "uniform":
            return stats.uniform(low, high - low)
        case "loguniform":
            if low <= 0:
                raise ScenarioError(
                    f"low = {low:g} is not allowed for a loguniform distribution; it must be above 0",
                    key="low",
                )
            return stats.loguniform(low, high)
    assert spread.mean is not None and spread.spread is not None  # a beta distribution has both
    centre, deviation = (spread.mean - low) / (high - low), spread.spread / (high - low)
    if not 0 < centre < 1 or deviation**2 >= centre * (1 - centre):
        raise ScenarioError(
            f"no beta distribution between {low:g} and {high:g} has mean = {spread.mean:g} and "
            f"spread = {spread.spread:g}; the mean must lie between them, and the spread (a standard "
            "deviation) be smaller"
        )
    size = centre * (1 - centre) / deviation**2 - 1
    return stats.beta(centre * size, (1 - centre) * size, loc=low, scale=high - low)


def correlation_matrix(
    names: list[str], correlations: dict[str, dict[str, float]], file: str = "trial"
) -> np.ndarray:
    """The full matrix, ones on its diagonal, from the pairs that are stated; raises ScenarioError when none can exist."""
    matrix = np.eye(len(names))
    for one, others in correlations.items():
        for other, value in others.items():
            key = f'correlations."{one}"."{other}"'
            stands = f"{key} = {value:g}"
            for name in (one, other):
                if name not in names:
                    raise ScenarioError(
                        f"{stands}: {name!r} does not vary between patients{nearest(name, names)}",
                        file=file,
                        key=key,
                    )
            a, b = names.index(one), names.index(other)
            if a == b:
                raise ScenarioError(
                    f"{stands}: a parameter cannot be correlated with itself", file=file, key=key
                )
            if not -1 < value < 1:
                raise ScenarioError(
                    f"{stands} is not allowed; it must be between -1 and 1, both left out",
                    file=file,
                    key=key,
                )
            if matrix[a, b] not in (0, value):
                raise ScenarioError(
                    f"{stands}: the same pair has {matrix[a, b]:g} elsewhere", file=file, key=key
                )
            matrix[a, b] = matrix[b, a] = value
    if names and (least := np.linalg.eigvalsh(matrix)[0]) < 1e-9:
        among = [name for name, row in zip(names, matrix, strict=True) if np.count_nonzero(row) > 1]
        raise ScenarioError(
            f"the matrix of {', '.join(among)} is not positive definite (its "
            f"smallest eigenvalue is {least:.2g}): these correlations cannot all hold at once",
            file=file,
            key="correlations",
        )
    return matrix
