"""One vocabulary: numbers, shares and intervals are written, and t intervals computed, in one place each."""

import ast
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

import experiments
import simulation
from experiments import words as parameter_words
from experiments.studies.statistics import half_width, interval, width_over
from simulation import words

HOUSES = {Path(package.__file__).parent for package in (experiments, simulation)}
FILES = sorted(file for house in HOUSES for file in house.rglob("*.py"))
WRITERS = {"words.py", "statistics.py"}


def texts(tree: ast.AST) -> Iterator[list[ast.expr]]:
    """The parts of every f-string."""
    return (node.values for node in ast.walk(tree) if isinstance(node, ast.JoinedStr))


def own_percents(tree: ast.AST) -> list[int]:
    """Lines with a text that multiplies by 100, or formats a number as a percent, and says %."""
    found = []
    for parts in texts(tree):
        for part, after in zip(parts, [*parts[1:], None], strict=True):
            if isinstance(part, ast.FormattedValue):
                spec = ast.unparse(part.format_spec) if part.format_spec else ""
                said = isinstance(after, ast.Constant) and str(after.value).lstrip().startswith("%")
                if spec.endswith("%'") or (
                    said and (spec.endswith(("f'", "g'")) or _times_hundred(part.value))
                ):
                    found.append(part.lineno)
    return found


def _times_hundred(tree: ast.AST) -> bool:
    return any(
        isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.Mult)
        and 100 in (getattr(node.left, "value", None), getattr(node.right, "value", None))
        for node in ast.walk(tree)
    )


def own_t_intervals(tree: ast.AST) -> list[int]:
    """Lines that ask scipy for quantiles of Student's t."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if (
            isinstance(node, ast.Attribute)
            and (node.attr == "stdtrit" or ast.unparse(node).endswith("stats.t"))
        )
        or (isinstance(node, ast.alias) and node.name in ("stdtrit", "t"))
    ]


@pytest.mark.parametrize("file", FILES, ids=lambda file: "/".join(file.parts[-3:]))
def test_no_other_file_writes_percents_or_computes_t_intervals_of_its_own(file):
    tree = ast.parse(file.read_text(encoding="utf-8"))
    if file.name not in WRITERS:
        assert not own_t_intervals(tree), "t intervals come from experiments.studies.statistics"
        assert not own_percents(tree), "shares are written by simulation.words.percent"


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ('f"{100 * share:.0f} %"', True),
        ('f"{share * 100:.3g}% of it"', True),
        ('f"{part:.2f} %"', True),
        ('f"{part:.0%}"', True),
        ('f"{level:g} and 95 % interval"', False),
        ('f"{percent(share)} of it"', False),
        ('f"{name} % of cells"', False),
    ],
)
def test_a_percent_written_by_hand_is_seen(text, seen):
    assert bool(own_percents(ast.parse(text))) == seen


@pytest.mark.parametrize(
    "text",
    [
        "stats.t.ppf(0.9, 3)",
        "scipy.stats.t.interval(0.9, 3)",
        "from scipy.special import stdtrit",
        "from scipy.stats import t",
    ],
)
def test_a_t_interval_computed_by_hand_is_seen(text):
    assert own_t_intervals(ast.parse(text))


def tables_of_words(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Key and words of every table of texts at the top of a file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict) and len(node.keys) > 1:
            pairs = [
                (getattr(key, "value", None), getattr(value, "value", None))
                for key, value in zip(node.keys, node.values, strict=True)
            ]
            if all(isinstance(key, str) and isinstance(value, str) for key, value in pairs):
                yield from pairs


def test_no_other_table_repeats_the_words_for_cells_and_traits():
    """What simulation.words calls by a name is called so by looking it up, not by a second table."""
    told = set(
        (words.KIND_WORDS | words.IMMUNE_WORDS | words.TRAIT_WORDS | words.CATEGORY_WORDS).items()
    )
    repeated = {
        file.name: sorted(again)
        for file in FILES
        if file.name not in WRITERS
        if len(again := told & set(tables_of_words(ast.parse(file.read_text(encoding="utf-8")))))
        > 1
    }
    assert not repeated


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "0 %"),
        (-0.0, "0 %"),
        (1, "100 %"),
        (0.9999, "99.99 %"),
        (0.996, "99.6 %"),
        (0.464, "46 %"),
        (0.0137, "1.4 %"),
        (1e-7, "0.00001 %"),
        (1.05, "105 %"),
        (12.5, "1,250 %"),
        (-0.5, "-50 %"),
        (-0.034, "-3.4 %"),
        (math.nan, "–"),
    ],
)
def test_a_share_has_two_digits_and_is_never_all_or_nothing_where_it_is_neither(share, text):
    assert words.percent(share) == text


def test_every_share_can_be_read_back():
    for share in np.r_[np.geomspace(1e-9, 10, 500), 1 - np.geomspace(1e-9, 0.5, 500)]:
        text = words.percent(share)
        read = float(text.removesuffix(" %").replace(",", "")) / 100
        assert "e" not in text and read == pytest.approx(share, rel=0.051)
        assert (read == 0) == (share == 0) and (read == 1) <= (share >= 1 or share > 1 - 1e-7)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.25, "0.25"),
        (12_500, "12,500"),
        (2e8, "2×10⁸"),
        (-1510, "-1,510"),
        (99_999.9, "10⁵"),
        (5e-4, "5×10⁻⁴"),
        (math.inf, "∞"),
        (math.nan, "none"),
        (-0.0, "0"),
    ],
)
def test_a_number_is_written_with_few_signs(value, text):
    assert words.number_words(value) == text


def test_a_difference_has_its_sign_and_an_interval_its_unit_once():
    assert [words.signed_words(value) for value in (0.25, -62.4, 0, 1510)] == [
        "+0.25",
        "-62.4",
        "0",
        "+1,510",
    ]
    assert (
        words.bounds(0.15, 0.95, words.percent, "95 % interval ") == " (95 % interval 15 to 95 %)"
    )
    assert words.bounds(math.nan, 1) == ""


def test_a_parameter_is_called_alike_on_sliders_in_sentences_and_in_pictures():
    assert parameter_words.axis_words("tumor.pdl1") == "tumour PD-L1"
    assert (
        words.trait_words("pdl1") == "constitutive PD-L1"
        and words.view_words("pdl1") == "PD-L1 shown"
    )


def test_half_widths_are_those_of_students_t():
    values = np.random.default_rng(1).normal(size=(3, 7))
    middle, low, high = interval(values)
    for row, mean, below, above in zip(values, middle, low, high, strict=True):
        expected = stats.t.interval(0.95, 6, row.mean(), stats.sem(row))
        assert (mean, below, above) == pytest.approx((row.mean(), *expected))
    assert (
        width_over(7, 2.0, 0.9)
        == pytest.approx(half_width(2 / math.sqrt(7), 6, 0.9))
        == pytest.approx(stats.t.ppf(0.95, 6) * 2 / math.sqrt(7))
    )
