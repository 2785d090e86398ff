"""An analyst's person files through the engine: pairs proposed, scored and explained. Frames in, frames out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

import pyarrow as pa
from pyspark.sql import DataFrame, Observation
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType

from linkage_spark.linkage.blocking import propose_pairs
from linkage_spark.linkage.comparison.tokens import NameKnowledge
from linkage_spark.linkage.decision import tier_of_rank, with_policy
from linkage_spark.linkage.evidence import FILES, explain
from linkage_spark.linkage.joining import file_conflicts, without_floor
from linkage_spark.linkage.score_stage import score_candidates
from linkage_spark.model.frequencies import Frequencies
from linkage_spark.model.schema import Model
from linkage_spark.tables.candidates import COMPARED_COLUMNS, scored_pair_of


def propose_file_pairs(
    left: DataFrame,
    right: DataFrame,
    *,
    model: Model,
    refined: Collection[str],
    secret: bytes,
    within: bool,
    broadcast: bool,
    observation: Observation,
) -> DataFrame:
    """Candidate pairs of two person files, or of one against itself.

    Nothing but the rules decides which pairs are compared: the gate of the force's tier policy stays open.

    Args:
        left: PERSON rows with the model's further columns.
        right: the same of the other file; ``left`` once more when ``within``.
        model: its rules.
        refined: HMACs of the heavy keys that take their second key.
        secret: the key of those HMACs.
        within: one file: a pair stands once, the lesser reference on the left.
        broadcast: send the left file's keys to every task; else Spark chooses.
        observation: takes the counts per rule.
    """
    return propose_pairs(
        right,
        left,
        model=model,
        refined=refined,
        secret=secret,
        observation=observation,
        within=within,
        gated=False,
        broadcast=broadcast,
    )


def explain_file_pairs(scored: DataFrame, *, model: Model) -> DataFrame:
    """Scored pairs of person files, with what the reviewers' policy would make of each and why.

    Args:
        scored: SCORED_PAIR with the model's further attributes.
        model: levels, weights, thresholds.

    Returns:
        One row per pair: ``ref_l``, ``ref_r``, ``match_weight`` (bits), ``tier`` (the force's policy, thresholds in,
        rivals out; independent of the default decision), ``explanation``, ``conflicts`` (``joining.file_conflicts``), and
        the ``level_`` and ``weight_`` columns of SCORED_PAIR with the further ones.
    """
    contract = scored_pair_of(tuple(model.further))
    judged = with_policy(scored, model=model).withColumn("tier", tier_of_rank(F.col("tier_rank")))
    judged = judged.withColumn("conflicts", file_conflicts())
    evidence = [name for name in contract.names if name.startswith(("level_", "weight_"))]
    said = ["employee_id", "person_ref", "match_weight_millibits", "tier", "conflicts", *evidence]
    schema = StructType(list(judged.select(*said).schema) + [StructField("explanation", StringType(), nullable=False)])
    inputs = [name for name in judged.columns if name != "evidence_values"]

    def explain_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            sentences = [explain(row, model, FILES) for row in batch.to_pylist()]
            columns = [batch.column(name) for name in said]
            yield pa.RecordBatch.from_arrays(
                [*columns, pa.array(sentences, type=pa.string())], names=[*said, "explanation"]
            )

    explained = judged.select(*inputs).mapInArrow(explain_batches, schema=schema)
    return explained.select(
        F.col("employee_id").alias("ref_l"),
        F.col("person_ref").alias("ref_r"),
        (F.col("match_weight_millibits") / F.lit(1000.0)).alias("match_weight"),
        "tier",
        "explanation",
        "conflicts",
        *evidence,
    )


def conflicting_file_pairs(
    pairs: DataFrame, persons: DataFrame, *, model: Model, frequencies: Frequencies, names: NameKnowledge
) -> DataFrame:
    """Given pairs of one file that have something against each other, whatever they weigh.

    Args:
        pairs: ``ref_l``, ``ref_r``; also such as no rule proposed.
        persons: PERSON rows with the model's further columns, one per ref.
        model: levels, weights, thresholds.
        frequencies: how common values are.
        names: nicknames, transliterations and sex-marked parts.

    Returns:
        ``ref_l``, ``ref_r``, ``match_weight`` (bits), ``conflicts`` (``joining.file_conflicts``, never empty).
    """
    columns = (*COMPARED_COLUMNS, *model.further)
    sides = {side: persons.select(*[F.col(name).alias(f"{name}_{side}") for name in columns]) for side in "lr"}
    looked_at = (
        pairs.select(F.col("ref_l").alias("person_ref_l"), F.col("ref_r").alias("person_ref_r"))
        .join(sides["l"], on=["person_ref_l"])
        .join(sides["r"], on=["person_ref_r"])
        .withColumn("rule_mask", F.lit(0).cast("long"))
    )
    scored = score_candidates(looked_at, model=without_floor(model), frequencies=frequencies, names=names)
    told = scored.select(
        F.col("employee_id").alias("ref_l"),
        F.col("person_ref").alias("ref_r"),
        (F.col("match_weight_millibits") / F.lit(1000.0)).alias("match_weight"),
        file_conflicts().alias("conflicts"),
    )
    return told.where(F.size("conflicts") > 0)
