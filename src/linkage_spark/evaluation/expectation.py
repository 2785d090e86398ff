"""What scores say of themselves without any truth: expected false and missed pairs, and the sentence for a committee.

Rows are those of ``clerical.count_strata``. Driver only: no Spark here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import ceil, floor, sqrt
from typing import Any, Literal, NamedTuple, TypedDict

from linkage_spark.evaluation.intervals import Z_95

Row = Mapping[str, Any]

MILLIONTHS = 1_000_000
"""Probabilities are added as whole numbers of this part."""

BITS_OFF = 1.0
"""How far every weight may be off, either way, in the wider range."""


class Estimate(TypedDict):
    """A figure with its 95 % interval, rounded to 6 places; null where there is nothing to estimate."""

    value: float | None
    low: float | None
    high: float | None


class ExpectedEstimate(Estimate):
    """The same, and the wider range if every weight were off by BITS_OFF either way, the interval within it."""

    wide_low: float | None
    wide_high: float | None


class ExpectedFigures(TypedDict):
    """What the probabilities say of all scored pairs; pairs that were never scored are in none of it.

    ``true_shown`` + ``false_shown`` = ``shown``. ``missed_among_scored``: true pairs that were scored and are not shown.
    """

    pairs: int
    shown: int
    true_shown: ExpectedEstimate
    false_shown: ExpectedEstimate
    missed_among_scored: ExpectedEstimate
    precision: ExpectedEstimate
    recall_among_scored: ExpectedEstimate


class Limits(NamedTuple):
    """A figure between its 95 % limits, not rounded; low <= value <= high."""

    value: float
    low: float
    high: float

    def estimate(self) -> Estimate:
        """The figure for a reader."""
        return {"value": round(self.value, 6), "low": round(self.low, 6), "high": round(self.high, 6)}


def share_of_both(first: Limits, second: Limits) -> Limits | None:
    """The first one's share of both, for two independent figures of at least 0, such as true pairs shown and missed.

    The limits of the ratio first : second are made of the limits of both ("method of variance estimates recovery"),
    so they keep inside 0 to 1 and have a width where one figure is 0.

    Source: A. Donner and G. Y. Zou (2012), "Closed-form confidence intervals for functions of the normal mean
    and standard deviation", Statistical Methods in Medical Research 21 (4), 347-359.

    Returns:
        None when both figures are 0.
    """
    if first.value + second.value <= 0:
        return None
    low = _least_share(first.value, second.value, first.value - first.low, second.high - second.value)
    high = 1 - _least_share(second.value, first.value, second.value - second.low, first.high - first.value)
    value = first.value / (first.value + second.value)
    return Limits(value, min(low, value), max(high, value))


def _least_share(part: float, rest: float, below: float, above: float) -> float:
    """Lower limit of part / (part + rest): ``below`` is part's way down, ``above`` the way up of the rest.

    With x = part : rest it solves part - x·rest = sqrt(below² + x²·above²).
    """
    over = max(0.0, part * part - below * below)
    under = part * rest + sqrt(above * above * over + below * below * rest * rest)
    return over / (over + under) if over else 0.0


def shifted(probability: float, bits: float) -> float:
    """The probability after ``bits`` more of evidence: its odds times 2^bits. 0 and 1 stay."""
    gained: float = probability * 2.0**bits
    return gained / (gained + 1 - probability)


def expected_figures(strata: Iterable[Row]) -> ExpectedFigures:
    """Expected true, false and missed pairs, precision and recall among the scored pairs.

    Every pair is a coin of its own that falls on its probability, so a number of true pairs is Poisson-binomial with mean
    Σp and variance Σp(1-p) (L. Le Cam 1960, "An approximation theorem for the Poisson binomial distribution",
    Pacific Journal of Mathematics 10 (4), 1181-1197); limits are mean ± 1.96 standard deviations within what can be. In a
    stratum p is its mean, which makes the variance a trifle too great, never too small. Whether the probabilities
    are right is another matter: the wide range holds the intervals at one bit less, as stated and at one bit more.

    Args:
        strata: reads ``shown`` BOOLEAN, ``pairs`` (at least 1) and ``probability_millionths`` (sum over its pairs);
            never null.
    """
    rows = list(strata)
    scenarios = [_scenario(rows, bits) for bits in (0.0, -BITS_OFF, BITS_OFF)]
    return {
        "pairs": sum(int(row["pairs"]) for row in rows),
        "shown": sum(int(row["pairs"]) for row in rows if row["shown"]),
        "true_shown": _ranged([scenario.true_shown for scenario in scenarios]),
        "false_shown": _ranged([scenario.false_shown for scenario in scenarios]),
        "missed_among_scored": _ranged([scenario.missed for scenario in scenarios]),
        "precision": _ranged([scenario.precision for scenario in scenarios]),
        "recall_among_scored": _ranged([scenario.recall for scenario in scenarios]),
    }


class _Scenario(NamedTuple):
    true_shown: Limits
    false_shown: Limits
    missed: Limits
    precision: Limits | None
    recall: Limits | None


def _scenario(rows: Sequence[Row], bits: float) -> _Scenario:
    """All figures when every weight is off by ``bits``."""
    shown = [row for row in rows if row["shown"]]
    found, missed = _true_pairs(shown, bits), _true_pairs([row for row in rows if not row["shown"]], bits)
    pairs = sum(int(row["pairs"]) for row in shown)
    false = Limits(pairs - found.value, pairs - found.high, pairs - found.low)
    precision = Limits(*(count / pairs for count in found)) if pairs else None
    return _Scenario(found, false, missed, precision, share_of_both(found, missed))


def _true_pairs(rows: Sequence[Row], bits: float) -> Limits:
    """Poisson-binomial mean and limits of the true pairs in some strata."""
    counts = [int(row["pairs"]) for row in rows]
    means = [shifted(int(row["probability_millionths"]) / MILLIONTHS / int(row["pairs"]), bits) for row in rows]
    value = min(float(sum(counts)), sum(count * mean for count, mean in zip(counts, means, strict=True)))
    spread = Z_95 * sqrt(sum(count * mean * (1 - mean) for count, mean in zip(counts, means, strict=True)))
    return Limits(value, max(0.0, value - spread), min(float(sum(counts)), value + spread))


def _ranged(scenarios: Sequence[Limits | None]) -> ExpectedEstimate:
    """The first scenario's figure, and the range over all of them."""
    known = [limits for limits in scenarios if limits is not None]
    if not known or scenarios[0] is None:
        return {"value": None, "low": None, "high": None, "wide_low": None, "wide_high": None}
    low, high = min(limits.low for limits in known), max(limits.high for limits in known)
    return {**scenarios[0].estimate(), "wide_low": round(low, 6), "wide_high": round(high, 6)}


# ---- in words ----------------------------------------------------------------------------------------------

Part = Literal["found", "false", "missed"]
Range = tuple[float, float]


def statement(
    n_people: int,
    expected_found: float,
    expected_false: float,
    expected_missed: float,
    intervals: Mapping[Part, Range],
    reviewed: bool,
    *,
    wide: Mapping[Part, Range] | None = None,
    counted: Literal["people", "links"] = "people",
) -> str:
    """The committee's sentence: out of N people we expect to find X, of whom Y falsely, and to miss Z; and on what it rests.

    Args:
        n_people: people that were looked for; records where ``counted`` is 'links'.
        expected_found: X; those found falsely are among them.
        expected_false: Y.
        expected_missed: Z, among the pairs that were scored.
        intervals: 95 % limits by part; a part that was counted and not estimated has none.
        reviewed: the figures come from a reviewed sample; otherwise from the probabilities alone.
        wide: limits by part if every weight were off by one bit; said where nothing was reviewed.
        counted: what X, Y and Z are: people, or links, of which a record can have several.

    Returns:
        A few sentences; limits are rounded outwards to whole numbers.

    Raises:
        ValueError: a figure is below 0, or more are found falsely than are found.
    """
    if min(n_people, expected_found, expected_false, expected_missed) < 0:
        raise ValueError("a number of people or links is below 0")
    if expected_false > expected_found:
        raise ValueError(f"{expected_false} found falsely of {expected_found} found")

    def part(name: Part, value: float) -> str:
        return _count(value) + (f" (95 % interval {_range(intervals[name])})" if name in intervals else "")

    whose, noun, whom = ("people", "", "whom") if counted == "people" else ("records", " links", "which")
    sentences = [
        f"Out of {n_people:,} {whose} we expect to find {part('found', expected_found)}{noun}, of {whom} "
        f"{part('false', expected_false)} falsely, and to miss {part('missed', expected_missed)}."
    ]
    if counted == "links":
        sentences.append("A record can have several links.")
    if not reviewed and wide:
        words: dict[Part, str] = {"found": "found", "false": "found falsely", "missed": "missed"}
        said = ", ".join(f"{_range(wide[name])} {words[name]}" for name in words if name in wide)
        sentences.append(f"If the model's weights are off by {BITS_OFF:g} bit either way: {said}.")
    sentences.append(_RESTS[reviewed])
    return " ".join([*sentences, "Pairs that were never scored are not counted in any of these figures."])


_RESTS = {
    True: "This rests on a sample of the scored pairs that people reviewed.",
    False: "This rests on the model's own probabilities alone; no pair was reviewed.",
}


def _count(value: float) -> str:
    """A whole number, halves rounded up; what is between 0 and a half is said to be below one."""
    return "fewer than 1" if 0 < value < 0.5 else f"{floor(value + 0.5):,}"


def _range(limits: Range) -> str:
    """Limits rounded outwards; a millionth above a whole number is that number."""
    low, high = floor(round(limits[0], 6)), ceil(round(limits[1], 6))
    return f"{low:,} to {high:,}"
