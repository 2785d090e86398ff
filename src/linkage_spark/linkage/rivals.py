"""Leader advantage: what the rivals of a link leave of it, seen from the record and from the employee.

Rivals exclude each other. Seen from one police record they are the other employees: one record is of one
person. An employee rightly has several records, so seen from one employee only those records compete that
cannot be of one person: their full dates of birth contradict each other (docs/decisions, 3).
"""

from __future__ import annotations

from functools import reduce
from operator import add

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from linkage_spark.linkage.comparison.dates import GENERATION_YEARS
from linkage_spark.model.schema import Model

EMPLOYEES_AGAINST, RECORDS_AGAINST = "employees_against", "records_against"
"""Odds of all rivals of one side together against this pair's own: 0 where there is none, 1 where they balance."""

_MILLIBITS_PER_BIT = 1000.0
_DIGITS = 8
_CENTURY_YEARS = 100
_FIRST_OF_JANUARY = "0101"


def with_rivals(best: DataFrame, *, model: Model) -> DataFrame:
    """Add what the rivals of each link leave of it.

    In the race is a link that the policy leaves above non_match. With odds o = 2^match_weight the posterior of
    a link is that of alternatives that exclude each other,

        p = λ·r / ((1 − π) + Σ λ·r_k),   λ·r = (1 − λ)·o

    where r is the likelihood ratio, λ the prior of a pair, π = λ × employees on the roster the prior that a
    record is an employee's. The sum runs over the link itself and its rivals; each side has its own, and
    a link has the lesser of its two sides' posteriors, as in ``linkage.assignment``. Among employees the sum holds every
    pair above the model's floor, also one that the policy rules out: it holds no match back, but it is an alternative. Records that contradict this one may contradict each
    other or not; their odds are added as if they did, which errs against the link.

    Args:
        best: one row per employee and police record: their ids, ``tier_rank`` (0 non_match), ``match_weight_millibits``
            and the record's ``person_dob_year``, ``person_dob_month`` and ``person_dob_day`` (null = unknown:
            contradicts nothing).
        model: its prior and the size of the roster.

    Returns:
        The rows with ``rival_employee_id`` and ``leader_margin_bits`` (the strongest other employee in the race; null
        when none), ``rival_posterior`` (0 to 1), EMPLOYEES_AGAINST and RECORDS_AGAINST.
    """
    return _among_records(_among_employees(best), model)


def too_close(against: str, *, margin_bits: float) -> Column:
    """True when a link does not outweigh all its rivals of one side together by the margin.

    Of one rival: when its weight is less than the margin below.
    """
    return F.col(against) > F.pow(F.lit(2.0), F.lit(-float(margin_bits)))


def dates_exclude(year_l: Column, digits_l: Column, year_r: Column, digits_r: Column) -> Column:
    """Two full dates of birth contradict each other, as ``linkage.comparison.dates`` says it of full dates.

    Args:
        year_l: year of the one.
        digits_l: the one as yyyymmdd.
        year_r: year of the other.
        digits_r: the other as yyyymmdd.
    """
    gap = F.abs(year_l - year_r)
    same_day = F.substring(digits_l, 5, 4) == F.substring(digits_r, 5, 4)
    differs = [F.substring(digits_l, at, 1) != F.substring(digits_r, at, 1) for at in range(1, _DIGITS + 1)]
    differing = reduce(add, [each.cast("int") for each in differs])
    birthday = same_day & (F.substring(digits_l, 5, 4) != F.lit(_FIRST_OF_JANUARY))
    slip = (gap < GENERATION_YEARS) & ((differing <= 2) | birthday)
    return ~((gap == 0) | ((gap == _CENTURY_YEARS) & same_day) | slip)


def _in_the_race() -> Column:
    """The policy leaves the link above non_match."""
    return F.col("tier_rank") > 0


def _among_employees(best: DataFrame) -> DataFrame:
    """Seen from the police record: the strongest other employee, and all of them together."""
    record = Window.partitionBy("source_system", "person_ref")
    # In order: highest weight first, then the employee's id; out of the race last.
    order = record.orderBy(F.desc(_in_the_race()), F.desc("match_weight_millibits"), F.asc("employee_id")).rowsBetween(
        Window.unboundedPreceding, Window.unboundedFollowing
    )
    racer = F.when(_in_the_race(), F.struct("match_weight_millibits", "employee_id"))
    leader, second = F.nth_value(racer, 1).over(order), F.nth_value(racer, 2).over(order)
    # Summed in a fixed order, so that the last digit of a double never depends on the partitions.
    racers = F.array_sort(F.collect_list(racer).over(record))
    weights = F.array_sort(F.collect_list("match_weight_millibits").over(record))
    raced = (
        best.withColumn("leader", leader)
        .withColumn("second", second)
        .withColumn("racers", racers)
        .withColumn("weights", weights)
    )
    is_leader = F.col("leader.employee_id") == F.col("employee_id")
    rival = F.when(is_leader, F.col("second")).otherwise(F.col("leader"))
    others = F.filter("racers", lambda one: one["employee_id"] != F.col("employee_id"))
    margin = F.col("match_weight_millibits") - F.col("rival.match_weight_millibits")
    return (
        raced.withColumn("rival", rival)
        .withColumn("rival_employee_id", F.col("rival.employee_id"))
        .withColumn("leader_margin_bits", margin / F.lit(_MILLIBITS_PER_BIT))
        .withColumn(EMPLOYEES_AGAINST, _against(F.transform(others, lambda one: one["match_weight_millibits"])))
        .withColumn("employees_odds", _odds(F.col("weights"), F.lit(0)))
        .drop("leader", "second", "racers", "weights", "rival")
    )


def _among_records(raced: DataFrame, model: Model) -> DataFrame:
    """Seen from the employee: the records that contradict this one, and the posterior of both sides.

    A record that another employee in the race fits better is no rival: it is theirs. 1 January is no full date: systems
    enter it when only the year is known.
    """
    year, month, day = (F.col(f"person_dob_{part}") for part in ("year", "month", "day"))
    digits = (year * 10_000 + month * 100 + day).cast("string")
    full = (F.length(digits) == _DIGITS) & (F.substring(digits, 5, 4) != F.lit(_FIRST_OF_JANUARY))
    own = raced.withColumn("digits", F.when(full, digits))
    unbeaten = F.coalesce(F.col("leader_margin_bits") >= 0, F.lit(True))
    racer = F.when(
        _in_the_race() & unbeaten & F.col("digits").isNotNull(),
        F.struct(F.col("match_weight_millibits"), year.alias("year"), F.col("digits")),
    )
    # A date never excludes itself, so a record needs no key to tell it from its rivals.
    racers = F.array_sort(F.collect_list(racer).over(Window.partitionBy("employee_id")))
    against = F.filter(
        "records", lambda one: dates_exclude(F.col("person_dob_year"), F.col("digits"), one["year"], one["digits"])
    )
    prior = 2.0**model.prior_bits / (1.0 + 2.0**model.prior_bits)
    is_an_employee = min(prior * model.rival.roster_size, 0.5)
    odds = F.pow(F.lit(2.0), F.col("match_weight_millibits") / F.lit(_MILLIBITS_PER_BIT))
    total = F.greatest(F.col("employees_odds"), odds + odds * F.col(RECORDS_AGAINST))
    posterior = odds * F.lit(1.0 - prior) / (F.lit(1.0 - is_an_employee) + total * F.lit(1.0 - prior))
    return (
        own.withColumn("records", racers)
        .withColumn("rivals", F.when(F.col("digits").isNotNull(), against).otherwise(F.array()))
        .withColumn(RECORDS_AGAINST, _against(F.transform("rivals", lambda one: one["match_weight_millibits"])))
        .withColumn("rival_posterior", posterior)
        .drop("digits", "records", "rivals", "employees_odds")
    )


def _against(weights: Column) -> Column:
    """Odds of these weights together against the row's own."""
    return _odds(weights, F.col("match_weight_millibits"))


def _odds(weights: Column, less: Column) -> Column:
    """Sum of 2^(weight - less), weights in 1/1000 bit, in the order given."""
    return F.aggregate(
        weights,
        F.lit(0.0),
        lambda total, weight: total + F.pow(F.lit(2.0), (weight - less) / F.lit(_MILLIBITS_PER_BIT)),
    )
