"""Tiers: from scored pairs of variants to one link per employee and police person record.

The policy is written once, as claims over named facts. A claim works on Spark columns and on single
values alike, so that the run and the desk for complaints (``jobs/why.py``) apply the same text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from linkage_spark.linkage.rivals import EMPLOYEES_AGAINST, RECORDS_AGAINST, too_close, with_rivals
from linkage_spark.model.schema import Model
from linkage_spark.tables.candidates import SCORED_PAIR
from linkage_spark.tables.enums import PolicyReason, Tier
from linkage_spark.tables.linkage import LINK

Facts = Mapping[str, Any]
"""Policy facts by name: Spark columns, or numpy booleans of one pair. Both know ``&``, ``|`` and ``~``."""

FACTS: tuple[str, ...] = (
    "dob_full",
    "dob_near",
    "dob_contradicts",
    "name_whole",
    "forename_agrees",
    "forename_differs",
    "surname_agrees",
    "same_premises",
    "same_postcode",
    "twin_pattern",
    "sex_marked_conflict",
    "rare_name",
    "rare_surname",
    "on_duty_sign",
)

_MADE_LATER = ("explanation", "evidence_fingerprint")
_RANK = {Tier.NON_MATCH: 0, Tier.POSSIBLE: 1, Tier.MATCH: 2}
_MILLIBITS_PER_BIT = 1000


# --- Named claims ---------------------------------------------------------------------------------


def dates_contradict(facts: Facts) -> Any:
    """The dates of birth exclude each other."""
    return facts["dob_contradicts"]


def another_of_the_household(facts: Facts) -> Any:
    """Another forename at the same premises, and no full date of birth that agrees."""
    return facts["same_premises"] & facts["forename_differs"] & ~facts["dob_full"]


def twin_at_home(facts: Facts) -> Any:
    """Same surname, full date of birth and premises, another forename."""
    return facts["twin_pattern"]


def forename_date_and_premises_agree(facts: Facts) -> Any:
    """Full date of birth, forename part and premises agree."""
    return facts["dob_full"] & facts["forename_agrees"] & facts["same_premises"]


def whole_name_date_and_postcode_agree(facts: Facts) -> Any:
    """Full date of birth, whole name and full postcode agree."""
    return facts["dob_full"] & facts["name_whole"] & facts["same_postcode"]


def forename_premises_agree_and_date_is_near(facts: Facts) -> Any:
    """Forename part and premises agree; the dates differ by a slip of writing."""
    return facts["dob_near"] & facts["forename_agrees"] & facts["same_premises"]


def all_three_agree(facts: Facts) -> Any:
    """One of the three ways in which name, date of birth and place agree together."""
    return (
        forename_date_and_premises_agree(facts)
        | whole_name_date_and_postcode_agree(facts)
        | forename_premises_agree_and_date_is_near(facts)
    )


def all_agree_with_a_conflict(facts: Facts) -> Any:
    """All three agree, but the names are marked for different sexes."""
    return all_three_agree(facts) & facts["sex_marked_conflict"]


def date_and_premises_agree(facts: Facts) -> Any:
    """Date and premises agree without the forename; a near date needs the surname and no other forename."""
    near = facts["dob_near"] & facts["surname_agrees"] & ~facts["forename_differs"]
    return facts["same_premises"] & (facts["dob_full"] | near)


def name_and_premises_agree(facts: Facts) -> Any:
    """Forename part and premises agree; no date of birth that could be compared speaks for or against."""
    return facts["same_premises"] & facts["forename_agrees"]


def name_and_date_agree(facts: Facts) -> Any:
    """Whole name and date of birth agree, the date in full or but for a slip; the place does not count."""
    return facts["name_whole"] & (facts["dob_full"] | facts["dob_near"])


def rare_name_agrees(facts: Facts) -> Any:
    """A rare whole name agrees, alone."""
    return facts["name_whole"] & facts["rare_name"]


def on_duty_name_agrees(facts: Facts) -> Any:
    """An on-duty sign, and two name parts agree, or a rare surname beside no other forename."""
    rare_surname = facts["surname_agrees"] & facts["rare_surname"] & ~facts["forename_differs"]
    return facts["on_duty_sign"] & (facts["name_whole"] | rare_surname)


@dataclass(frozen=True)
class Clause:
    """One clause of the policy.

    Attributes:
        reason: its name on the link.
        tier: the highest tier it allows.
        holds: the claim it rests on.
    """

    reason: PolicyReason
    tier: Tier
    holds: Callable[[Facts], Any]


POLICY: tuple[Clause, ...] = (
    # Vetoes.
    Clause(PolicyReason.CONTRADICTION, Tier.NON_MATCH, dates_contradict),
    Clause(PolicyReason.CONTRADICTION, Tier.NON_MATCH, another_of_the_household),
    # Agreement with a conflict: never above possible.
    Clause(PolicyReason.TWIN_PATTERN, Tier.POSSIBLE, twin_at_home),
    Clause(PolicyReason.CONFLICT, Tier.POSSIBLE, all_agree_with_a_conflict),
    # Name, date of birth and place agree together. Name and date alone are never here, however rare the name.
    Clause(PolicyReason.SAME_PREMISES_AND_DATE, Tier.MATCH, forename_date_and_premises_agree),
    Clause(PolicyReason.SAME_NAME_DATE_AND_POSTCODE, Tier.MATCH, whole_name_date_and_postcode_agree),
    Clause(PolicyReason.SAME_PREMISES_NEAR_DATE, Tier.MATCH, forename_premises_agree_and_date_is_near),
    # Two of the three.
    Clause(PolicyReason.DATE_AND_PREMISES_ONLY, Tier.POSSIBLE, date_and_premises_agree),
    Clause(PolicyReason.NAME_AND_PREMISES_ONLY, Tier.POSSIBLE, name_and_premises_agree),
    Clause(PolicyReason.NAME_AND_DATE_ONLY, Tier.POSSIBLE, name_and_date_agree),
    # A name alone.
    Clause(PolicyReason.RARE_NAME_ALONE, Tier.POSSIBLE, rare_name_agrees),
    Clause(PolicyReason.ON_DUTY_NAME, Tier.POSSIBLE, on_duty_name_agrees),
)
"""The clauses in order: the first that holds decides. Where none does, the pair rests on one element only."""


def no_clause_holds(facts: Facts) -> Any:
    """One element alone agrees, or none."""
    return ~reduce(lambda left, right: left | right, [clause.holds(facts) for clause in POLICY])


OTHERWISE = Clause(PolicyReason.ONE_ELEMENT_ONLY, Tier.NON_MATCH, no_clause_holds)
"""What holds when no clause does."""


def clause_of(row: Mapping[str, Any]) -> Clause:
    """The clause that decides one scored pair, thresholds and rivals aside."""
    facts = {name: np.bool_(bool(row[name])) for name in FACTS}
    return next((clause for clause in POLICY if bool(clause.holds(facts))), OTHERWISE)


def judge(row: Mapping[str, Any], model: Model) -> tuple[Tier, PolicyReason]:
    """Tier and reason of one scored pair before rivals are looked at: what ``decide`` says in columns."""
    clause = clause_of(row)
    weight = int(row["match_weight_millibits"])
    if clause.tier is Tier.NON_MATCH:
        return clause.tier, clause.reason
    if weight < least_shown(model, on_duty=clause.reason is PolicyReason.ON_DUTY_NAME):
        return Tier.NON_MATCH, PolicyReason.BELOW_THRESHOLD
    if clause.tier is Tier.MATCH and weight < _millibits(model.thresholds.match_bits):
        return Tier.POSSIBLE, PolicyReason.BELOW_THRESHOLD
    return clause.tier, clause.reason


# --- The stage ------------------------------------------------------------------------------------


def decide(scored: DataFrame, *, model: Model) -> DataFrame:
    """Reduce scored pairs to one link per employee and police record, and name its tier.

    The best pair of variants is the one of the highest tier, then the highest weight, then the lowest
    variant numbers. Rivals are pairs that exclude this one and that the policy leaves above non_match: other
    employees of the same police record, and other records of the same employee whose full date of birth
    contradicts this one's (``linkage.rivals``). A match that does not outweigh all its rivals of either side
    together by ``rival.margin_bits`` becomes possible.

    Args:
        scored: SCORED_PAIR.
        model: its thresholds, prior and rival settings.

    Returns:
        LINK without ``explanation`` and ``evidence_fingerprint``, with the further columns of
        SCORED_PAIR; all tiers. ``rule_mask`` unites the rules of all variants of the pair.
    """
    judged = with_policy(SCORED_PAIR.conform(scored), model=model)
    best = best_variants(judged)
    ranked = with_rivals(best, model=model)
    claims_match = F.col("tier_rank") == _RANK[Tier.MATCH]
    employees = claims_match & too_close(EMPLOYEES_AGAINST, margin_bits=model.rival.margin_bits)
    records = claims_match & too_close(RECORDS_AGAINST, margin_bits=model.rival.margin_bits)
    tier = F.when(employees | records, F.lit(Tier.POSSIBLE.value)).otherwise(tier_of_rank(F.col("tier_rank")))
    reason = (
        F.when(employees, F.lit(PolicyReason.RIVAL_TOO_CLOSE.value))
        .when(records, F.lit(PolicyReason.RIVAL_RECORD_TOO_CLOSE.value))
        .otherwise(F.col("policy_reason"))
    )
    complete = (
        ranked.withColumn("tier", tier)
        .withColumn("policy_reason", reason)
        .withColumn("model_id", F.lit(model.id))
        .withColumn("match_weight", F.col("match_weight_millibits") / F.lit(float(_MILLIBITS_PER_BIT)))
    )
    own = [name for name in LINK.names if name not in _MADE_LATER]
    return complete.select(*own, *[name for name in SCORED_PAIR.names if name not in LINK.names])


def with_policy(scored: DataFrame, *, model: Model) -> DataFrame:
    """Add ``tier_rank`` (0 non_match, 1 possible, 2 match) and ``policy_reason``, thresholds included, rivals not."""
    facts = {name: F.col(name) for name in FACTS}
    rank = _first_that_holds(facts, lambda clause: _RANK[clause.tier])
    reason = _first_that_holds(facts, lambda clause: clause.reason.value)
    weight = F.col("match_weight_millibits")
    on_duty = F.col("claimed_reason") == F.lit(PolicyReason.ON_DUTY_NAME.value)
    least = F.when(on_duty, F.lit(least_shown(model, on_duty=True))).otherwise(F.lit(least_shown(model, on_duty=False)))
    allowed = F.when(weight < least, F.lit(_RANK[Tier.NON_MATCH]))
    allowed = allowed.when(weight < _millibits(model.thresholds.match_bits), F.lit(_RANK[Tier.POSSIBLE]))
    claimed = scored.withColumn("claimed_rank", rank).withColumn("claimed_reason", reason)
    held_back = allowed.otherwise(F.lit(_RANK[Tier.MATCH])) < F.col("claimed_rank")
    below = F.when(held_back, F.lit(PolicyReason.BELOW_THRESHOLD.value)).otherwise(F.col("claimed_reason"))
    return (
        claimed.withColumn("tier_rank", F.least(F.col("claimed_rank"), allowed.otherwise(F.lit(_RANK[Tier.MATCH]))))
        .withColumn("policy_reason", below)
        .drop("claimed_rank", "claimed_reason")
    )


def _first_that_holds(facts: Facts, say: Callable[[Clause], int | str]) -> Column:
    """What ``say`` says of the first clause that holds."""
    chain = reduce(
        lambda when, clause: when.when(clause.holds(facts), F.lit(say(clause))),
        POLICY[1:],
        F.when(POLICY[0].holds(facts), F.lit(say(POLICY[0]))),
    )
    return chain.otherwise(F.lit(say(OTHERWISE)))


def tier_of_rank(rank: Column) -> Column:
    """The tier's name."""
    return (
        F.when(rank == _RANK[Tier.MATCH], F.lit(Tier.MATCH.value))
        .when(rank == _RANK[Tier.POSSIBLE], F.lit(Tier.POSSIBLE.value))
        .otherwise(F.lit(Tier.NON_MATCH.value))
    )


def best_variants(judged: DataFrame) -> DataFrame:
    """One row per employee and police record."""
    pair = Window.partitionBy("employee_id", "source_system", "person_ref")
    order = pair.orderBy(
        F.desc("tier_rank"),
        F.desc("match_weight_millibits"),
        F.asc("employee_variant_no"),
        F.asc("person_variant_no"),
    )
    return (
        judged.withColumn("all_rules", F.bit_or("rule_mask").over(pair))
        .withColumn("place", F.row_number().over(order))
        .where("place = 1")
        .withColumn("rule_mask", F.col("all_rules"))
        .drop("place", "all_rules")
    )


def least_shown(model: Model, *, on_duty: bool) -> int:
    """The least weight that is shown, 1/1000 bit; lower for an on-duty record that is shown for its name alone."""
    return _millibits(model.thresholds.possible_bits - (model.on_duty_bits if on_duty else 0.0))


def _millibits(bits: float) -> int:
    """Thresholds as integers, like the weights they are compared with."""
    return round(bits * _MILLIBITS_PER_BIT)
