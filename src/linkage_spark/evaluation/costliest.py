"""The costliest errors of a made-up force, pair by pair: levels, weights and references; values only when asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from linkage_spark.evaluation.judged import BELOW_FLOOR, NEVER_PROPOSED, PAIR_KEY
from linkage_spark.evaluation.losses import reason_of, stage_of
from linkage_spark.evaluation.people import is_shown
from linkage_spark.tables.enums import Tier
from linkage_spark.tables.linkage import LINK_WEIGHTS

Row = Mapping[str, Any]

MOST = 20
"""Errors of either kind that are shown."""

LEVELS: tuple[str, ...] = ("level_given", "level_surname", "level_date_of_birth", "level_address")
"""Levels that are shown side by side."""

VALUES: tuple[str, ...] = ("given_name", "surname", "birth", "address")
"""What stands beside the levels when values are asked for: standard forms, of either side."""

_PAIR = (*PAIR_KEY, "employee_variant_no", "person_variant_no")
_JUDGED = ("tier", "outcome", "claim_tier", "claim_reason", "supportable", "error_classes", "hard_negative")
_COLUMNS = (*_PAIR, *_JUDGED, "naming_tradition", "weight_bits", "policy_reason", *LEVELS, *LINK_WEIGHTS)


def choose_false_links(judged: DataFrame, link: DataFrame, *, most: int = MOST) -> DataFrame:
    """False links shown, the greatest match weight first; ties by key.

    Args:
        judged: of ``judged.judge``.
        link: LINK.
        most: rows.

    Returns:
        PAIR_KEY, both variant numbers, ``tier``, ``outcome``, ``claim_tier``, ``claim_reason``, ``supportable``,
        ``error_classes``, ``hard_negative``, ``naming_tradition``, ``weight_bits``, ``policy_reason``, LEVELS, LINK_WEIGHTS.
    """
    evidence = link.select(*_PAIR, "policy_reason", *LEVELS, *LINK_WEIGHTS)
    false = judged.where(is_shown() & ~F.col("is_true")).withColumn("weight_bits", F.col("match_weight"))
    return _first(false.join(evidence, on=PAIR_KEY, how="inner"), [F.desc("weight_bits")], most)


def choose_lost_links(judged: DataFrame, claims: DataFrame, *, most: int = MOST) -> DataFrame:
    """True links lost, those that carry most first: tier granted by the policy, then weight; ties by key.

    Args:
        judged: of ``judged.judge`` with claims.
        claims: of ``flows.claims.claim_true_links``, whose weights and levels are shown: a pair that no rule proposed
            has no others.
        most: rows.

    Returns:
        The columns of ``choose_false_links``; ``policy_reason`` is that of the claim.
    """
    evidence = claims.select(*_PAIR, F.col("claim_weight").alias("weight_bits"), *LEVELS, *LINK_WEIGHTS)
    lost = judged.where(F.col("is_true") & ~is_shown()).withColumn("policy_reason", F.col("claim_reason"))
    rank = F.when(F.col("claim_tier") == Tier.MATCH.value, 2).when(F.col("claim_tier") == Tier.POSSIBLE.value, 1)
    joined = lost.join(evidence, on=PAIR_KEY, how="inner").withColumn("claim_rank", rank.otherwise(0))
    return _first(joined, [F.desc("claim_rank"), F.desc("weight_bits")], most)


def _first(rows: DataFrame, order: list[Column], most: int) -> DataFrame:
    return rows.orderBy(*order, *PAIR_KEY).limit(most).select(*_COLUMNS)


def with_values(chosen: DataFrame, person: DataFrame) -> DataFrame:
    """Add both sides' standard forms, VALUES suffixed ``_l`` and ``_r``. For a made-up force; personal data elsewhere.

    Args:
        chosen: of ``choose_false_links`` or ``choose_lost_links``.
        person: PERSON.
    """
    parts = [F.coalesce(F.col(name).cast("string"), F.lit("–")) for name in ("dob_year", "dob_month", "dob_day")]
    address = F.concat_ws(" ", "saon", "paon", "street", "town", "postcode")
    said = {"given_name": F.col("given_name"), "surname": F.col("surname"), "birth": F.concat_ws("-", *parts)}
    values = [column.alias(name) for name, column in {**said, "address": address}.items()]
    persons = person.select("source_system", "person_ref", "variant_no", *values)
    keys = {
        "_l": (F.lit("hr"), F.col("employee_id"), F.col("employee_variant_no")),
        "_r": (F.col("source_system"), F.col("person_ref"), F.col("person_variant_no")),
    }
    found = chosen
    for side, (source, ref, variant) in keys.items():
        renamed = persons.select(*[F.col(name).alias(f"_{name}") for name in persons.columns])
        same = (F.col("_source_system") == source) & (F.col("_person_ref") == ref) & (F.col("_variant_no") == variant)
        found = found.join(renamed, on=same, how="left").select(
            *found.columns, *[F.col(f"_{name}").alias(f"{name}{side}") for name in VALUES]
        )
    return found


def told(rows: list[dict[str, Any]], *, lost: bool) -> list[dict[str, Any]]:
    """The collected rows in their order, with ``why``: one phrase on what made the error.

    Args:
        rows: collected rows of one of the choosers, in any order.
        lost: they are true links lost; else false links shown.
    """
    rank = {Tier.MATCH.value: 2, Tier.POSSIBLE.value: 1}

    def place(row: Row) -> tuple[Any, ...]:
        claim = -rank.get(row["claim_tier"], 0) if lost else 0
        return claim, -row["weight_bits"], *(row[name] for name in PAIR_KEY)

    return [{**row, "why": _why_lost(row) if lost else _why_false(row)} for row in sorted(rows, key=place)]


def _why_false(row: Row) -> str:
    """What stands behind a false link."""
    if row["hard_negative"]:
        return str(row["hard_negative"])
    return "namesake_or_chance"


def _why_lost(row: Row) -> str:
    """Where a true link was lost."""
    if row["outcome"] in (NEVER_PROPOSED, BELOW_FLOOR) and row["claim_tier"] != Tier.NON_MATCH.value:
        return f"{stage_of(row['outcome'])}: {row['outcome']}"
    reason = reason_of(row)
    return f"{stage_of(reason)}: {reason}"
