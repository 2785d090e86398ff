"""What true links carry: the highest tier that the policy grants on the values as recorded. Frames in, frames out."""

from __future__ import annotations

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from linkage_spark.linkage.comparison.tokens import NameKnowledge
from linkage_spark.linkage.decision import tier_of_rank, with_policy
from linkage_spark.linkage.score_stage import score_candidates
from linkage_spark.model.frequencies import Frequencies
from linkage_spark.model.schema import Model, Thresholds
from linkage_spark.tables.candidates import COMPARED_COLUMNS
from linkage_spark.tables.canonical import PERSON
from linkage_spark.tables.enums import SourceSystem
from linkage_spark.tables.linkage import LINK_WEIGHTS

CLAIM_EVIDENCE: tuple[str, ...] = (
    "employee_variant_no",
    "person_variant_no",
    "level_name",
    "level_given",
    "level_surname",
    "level_date_of_birth",
    "level_address",
    *LINK_WEIGHTS,
)
"""Of SCORED_PAIR: the best pair of variants with its levels and its weights in 1/1000 bit."""

_NO_THRESHOLD_BITS = -10_000.0
"""Below any weight."""


def claim_true_links(
    person: DataFrame,
    *,
    truth_employee: DataFrame,
    truth_person: DataFrame,
    model: Model,
    frequencies: Frequencies,
    names: NameKnowledge,
) -> DataFrame:
    """Compare every true pair as screening would, and ask the policy alone: thresholds, blocking and rivals aside.

    It is the screening's own comparator that reads the values: where it does not see that two values agree, no
    claim holds, and the pair counts as one that does not carry a tier. So a figure over the pairs that carry a
    tier says nothing about what the comparator cannot see; ``supportable`` of ``evaluation.judged`` does not
    depend on it and stands beside.

    Args:
        person: PERSON, roster and police. Rows with a ``not_screened_reason`` take no part, on either side.
        truth_employee: TRUTH_EMPLOYEE; reads ``employee_id``, ``true_person_id``.
        truth_person: TRUTH_PERSON; reads the record's key and ``true_person_id``.
        model: levels, weights and limits of rarity.
        frequencies: shares of values, frozen with the model: two clauses of the policy ask for a rare name.
        names: nicknames, transliterations and sex-marked parts.

    Returns:
        One row per true pair of which both sides took part: ``employee_id``, ``source_system``, ``person_ref``,
        ``claim_tier`` (Tier), ``claim_reason`` (PolicyReason), ``claim_weight`` (log2) and CLAIM_EVIDENCE, all of
        the pair of variants with the highest tier, then the highest weight, then the lowest variant numbers.
    """
    pairs = _true_pairs(person, truth_employee, truth_person)
    open_model = model.model_copy(
        update={
            "thresholds": Thresholds(
                match_bits=_NO_THRESHOLD_BITS, possible_bits=_NO_THRESHOLD_BITS, floor_bits=_NO_THRESHOLD_BITS
            )
        }
    )
    scored = score_candidates(pairs, model=open_model, frequencies=frequencies, names=names)
    best = Window.partitionBy("employee_id", "source_system", "person_ref").orderBy(
        F.desc("tier_rank"), F.desc("match_weight_millibits"), "employee_variant_no", "person_variant_no"
    )
    return (
        with_policy(scored, model=open_model)
        .withColumn("place", F.row_number().over(best))
        .where("place = 1")
        .select(
            "employee_id",
            "source_system",
            "person_ref",
            tier_of_rank(F.col("tier_rank")).alias("claim_tier"),
            F.col("policy_reason").alias("claim_reason"),
            (F.col("match_weight_millibits") / F.lit(1000.0)).alias("claim_weight"),
            *CLAIM_EVIDENCE,
        )
    )


def _true_pairs(person: DataFrame, truth_employee: DataFrame, truth_person: DataFrame) -> DataFrame:
    """Candidate pairs straight from the truth: every variant of the one side with every variant of the other."""
    taking_part = PERSON.check(person).where(F.col("not_screened_reason").isNull())
    of_hr = F.col("source_system") == SourceSystem.HR.value
    left = taking_part.where(of_hr).select(*[F.col(name).alias(f"{name}_l") for name in COMPARED_COLUMNS])
    right = taking_part.where(~of_hr).select(*[F.col(name).alias(f"{name}_r") for name in COMPARED_COLUMNS])
    true = truth_person.select(
        F.col("source_system").alias("source_system_r"), F.col("person_ref").alias("person_ref_r"), "true_person_id"
    ).join(
        F.broadcast(truth_employee.select(F.col("employee_id").alias("person_ref_l"), "true_person_id")),
        on="true_person_id",
        how="inner",
    )
    return (
        true.drop("true_person_id")
        .join(F.broadcast(left), on="person_ref_l", how="inner")
        .join(right, on=["source_system_r", "person_ref_r"], how="inner")
        .withColumn("rule_mask", F.lit(0).cast("long"))
    )
