"""How many people a screening finds, finds falsely and misses: from probabilities alone, or counted with the truth."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from linkage_spark.evaluation.expectation import BITS_OFF, ExpectedEstimate, Limits, Part, Range, statement
from linkage_spark.evaluation.expected import match_probability
from linkage_spark.evaluation.figures import PeopleFigures, PeopleTruth
from linkage_spark.evaluation.intervals import Z_95
from linkage_spark.tables.enums import Tier

Row = Mapping[str, Any]

_PARTS = 1_000_000
_SCENARIOS: dict[str, float] = {"stated": 0.0, "less": -BITS_OFF, "more": BITS_OFF}
"""Every weight as it is, and off by BITS_OFF either way."""

_LEAST = 1e-15
"""A pair is never wrong with less than this probability: its logarithm stays finite."""


def is_shown() -> Column:
    """The link is in a tier that reviewers see; false when it was not scored."""
    return F.coalesce(F.col("tier").isin(Tier.MATCH.value, Tier.POSSIBLE.value), F.lit(False))


def count_people(links: DataFrame) -> DataFrame:
    """Employees that are shown, shown falsely and missed, as the probabilities have it: one row.

    Of one employee's pairs, each is right with its own probability p (``expected.match_probability``), apart from the others:
    all shown ones are wrong with the product of 1 - p over them, W; all others with the product over those, V. An
    employee with a shown link is *falsely* shown with probability W; an employee, shown or not, is *missed* with
    probability W·(1 - V) (W = 1 where nothing is shown): some pair below the tiers is right, and no shown one.
    Several records of one stranger are not apart, so W is rather too small for employees with many links.

    Args:
        links: LINK of all scored pairs, all tiers. Reads ``employee_id``, ``tier``, ``rival_posterior``.

    Returns:
        ``employees_scored``, ``employees_shown`` LONG, and for each of stated, less and more (weights off by
        BITS_OFF): ``falsely_…``, ``falsely_variance_…``, ``missed_…``, ``missed_variance_…``, LONG in millionths,
        rounded per employee before they are added, so that the order of rows changes nothing.
    """
    probability = match_probability()
    logs = {name: _log_wrong(probability, bits) for name, bits in _SCENARIOS.items()}
    shown = is_shown()
    per_employee = links.groupBy("employee_id").agg(
        F.count_if(shown).alias("links_shown"),
        *[F.sum(F.when(shown, log).otherwise(F.lit(0))).alias(f"w_{name}") for name, log in logs.items()],
        *[F.sum(F.when(shown, F.lit(0)).otherwise(log)).alias(f"v_{name}") for name, log in logs.items()],
    )
    sums: list[Column] = []
    for name in _SCENARIOS:
        wrong, others = (F.pow(F.lit(2.0), F.col(f"{part}_{name}") / F.lit(float(_PARTS))) for part in "wv")
        falsely = F.when(F.col("links_shown") > 0, wrong).otherwise(F.lit(0.0))
        missed = wrong * (F.lit(1.0) - others)
        sums += [*_sums(f"falsely{{}}_{name}", falsely), *_sums(f"missed{{}}_{name}", missed)]
    return per_employee.agg(
        F.count(F.lit(1)).alias("employees_scored"),
        F.count_if(F.col("links_shown") > 0).alias("employees_shown"),
        *sums,
    )


def _log_wrong(probability: Column, bits: float) -> Column:
    """log2 of the chance that a pair is wrong when its weight is off by ``bits``, in millionths, a whole number.

    With odds o = p/(1-p) that is -log2(1 + o·2^bits).
    """
    wrong = F.greatest(F.lit(1.0) - probability, F.lit(_LEAST))
    chance = wrong / (wrong + (F.lit(1.0) - wrong) * F.lit(2.0**bits))
    return F.round(F.log2(chance) * F.lit(float(_PARTS))).cast("long")


def _sums(name: str, chance: Column) -> list[Column]:
    """A sum of chances and of their variances, in millionths."""
    parts = {"": chance, "_variance": chance * (F.lit(1.0) - chance)}
    return [
        F.coalesce(F.sum(F.round(value * F.lit(float(_PARTS))).cast("long")), F.lit(0)).alias(name.format(suffix))
        for suffix, value in parts.items()
    ]


def people_figures(row: Row, *, employees: int, not_screened: int) -> PeopleFigures:
    """The committee's figures and sentence, from probabilities alone.

    X is counted: employees with at least one shown link. Y and Z are sums of chances of ``count_people``, one coin an
    employee; limits are mean ± 1.96 standard deviations (Poisson-binomial, as in ``expectation.expected_figures``),
    within what can be; the wide ones hold those at one bit less, as stated, and at one bit more.

    Args:
        row: of ``count_people``.
        employees: N, all on the roster.
        not_screened: of them, those that took no part; nothing is said of them.
    """
    shown = int(row["employees_shown"])
    falsely = _estimate(row, "falsely", shown)
    missed = _estimate(row, "missed", int(row["employees_scored"]))
    said = statement(
        employees,
        shown,
        min(float(shown), falsely["value"] or 0.0),
        missed["value"] or 0.0,
        {"false": _range(falsely, "low", "high"), "missed": _range(missed, "low", "high")},
        reviewed=False,
        wide=_wide(falsely, missed),
    )
    if not_screened:
        said += f" Not screened, so that nothing is said of them: {not_screened:,} of the {employees:,}."
    return {
        "employees": employees,
        "not_screened": not_screened,
        "shown": shown,
        "falsely": falsely,
        "missed": missed,
        "statement": said,
    }


def count_true_people(judged: DataFrame) -> DataFrame:
    """Employees counted with the truth: one row with the keys of ``PeopleTruth``, LONG.

    Args:
        judged: of ``judged.judge``; which pairs were scored is known where it had ``scored_links``.
    """
    shown, true = is_shown(), F.col("is_true")
    scored = F.col("match_weight").isNotNull()
    per_employee = judged.groupBy("employee_id").agg(
        F.max(shown).alias("any_shown"),
        F.max(shown & true).alias("true_shown"),
        F.max(scored & true).alias("true_scored"),
        F.max(true).alias("any_true"),
    )
    return per_employee.agg(
        F.count_if("any_shown").alias("shown"),
        F.count_if(F.col("any_shown") & ~F.col("true_shown")).alias("shown_falsely"),
        F.count_if(F.col("true_scored") & ~F.col("true_shown")).alias("missed_scored"),
        F.count_if(F.col("any_true") & ~F.col("true_shown")).alias("missed"),
    )


def true_people(row: Row) -> PeopleTruth:
    """The collected row of ``count_true_people``."""
    return {
        "shown": int(row["shown"]),
        "shown_falsely": int(row["shown_falsely"]),
        "missed_scored": int(row["missed_scored"]),
        "missed": int(row["missed"]),
    }


def _estimate(row: Row, name: str, most: int) -> ExpectedEstimate:
    """One figure with its interval, and the wider range over the scenarios."""
    found: list[Limits] = []
    for scenario in _SCENARIOS:
        value = int(row[f"{name}_{scenario}"]) / _PARTS
        spread = Z_95 * sqrt(int(row[f"{name}_variance_{scenario}"]) / _PARTS)
        found.append(Limits(value, max(0.0, value - spread), max(value, min(float(most), value + spread))))
    wide_low, wide_high = min(one.low for one in found), max(one.high for one in found)
    return {**found[0].estimate(), "wide_low": round(wide_low, 6), "wide_high": round(wide_high, 6)}


def _range(found: ExpectedEstimate, low: str, high: str) -> Range:
    """Two of its limits."""
    return float(found[low] or 0.0), float(found[high] or 0.0)  # type: ignore[literal-required]


def _wide(falsely: ExpectedEstimate, missed: ExpectedEstimate) -> dict[Part, Range]:
    """The wider ranges by part; what is counted has none."""
    return {"false": _range(falsely, "wide_low", "wide_high"), "missed": _range(missed, "wide_low", "wide_high")}
