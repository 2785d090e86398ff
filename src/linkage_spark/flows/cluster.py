"""Police person records → pairs that join → components → clusters that nothing speaks against. Frames in, frames out."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from pyspark.sql import DataFrame, Observation
from pyspark.sql import functions as F

from linkage_spark.linkage.blocking import propose_pairs
from linkage_spark.linkage.comparison.tokens import NameKnowledge
from linkage_spark.linkage.joining import (
    agreeing_pairs,
    as_edges,
    as_records,
    close_forename_conflicts,
    close_forenames,
    conflicting_pairs,
    joining_pairs,
    later_forename_conflicts,
    with_forenames,
    without_floor,
)
from linkage_spark.linkage.score_stage import score_candidates
from linkage_spark.model.frequencies import Frequencies
from linkage_spark.model.schema import Model
from linkage_spark.nominals.guard_stage import component_sizes
from linkage_spark.nominals.numbers import differing_pairs, equal_pairs
from linkage_spark.nominals.records import record_id
from linkage_spark.tables.candidates import COMPARED_COLUMNS, SCORED_PAIR
from linkage_spark.tables.canonical import PERSON
from linkage_spark.tables.enums import CutReason


@dataclass(frozen=True)
class Comparing:
    """With what pairs are scored.

    Attributes:
        model: the model of nominals.
        frequencies: frozen with it.
        names: nicknames, transliterations and sex-marked parts of names.
    """

    model: Model
    frequencies: Frequencies
    names: NameKnowledge

    def score(self, candidates: DataFrame) -> DataFrame:
        """SCORED_PAIR of the pairs above the model's floor."""
        scored = score_candidates(candidates, model=self.model, frequencies=self.frequencies, names=self.names)
        return SCORED_PAIR.conform(scored)

    def score_all(self, pairs: DataFrame) -> DataFrame:
        """SCORED_PAIR of all pairs, however little they weigh."""
        model = without_floor(self.model)
        return SCORED_PAIR.conform(score_candidates(pairs, model=model, frequencies=self.frequencies, names=self.names))


def records_of(persons: DataFrame) -> DataFrame:
    """PERSON rows of the police under their record ids (``joining.as_records``)."""
    return as_records(PERSON.check(persons), record_id())


def compare_records(
    records: DataFrame,
    *,
    comparing: Comparing,
    refined: Collection[str],
    secret: bytes,
    observation: Observation | None = None,
) -> DataFrame:
    """Every pair of records that the rules propose, scored.

    Args:
        records: what ``records_of`` gave.
        comparing: the model, and what is frozen with it.
        refined: HMACs of its refined keys.
        secret: key of the HMACs.
        observation: takes the counts per rule.

    Returns:
        SCORED_PAIR with record ids as text; a pair stands once.
    """
    candidates = propose_pairs(
        records,
        records,
        model=comparing.model,
        refined=refined,
        secret=secret,
        observation=observation,
        within=True,
        broadcast=False,
    )
    return comparing.score(candidates)


def compare_across(
    changed: DataFrame,
    others: DataFrame,
    *,
    comparing: Comparing,
    refined: Collection[str],
    secret: bytes,
    broadcast: bool,
    observation: Observation | None = None,
) -> DataFrame:
    """The pairs of ``compare_records`` that hold one changed record and one of the others, by one scan of the others.

    Args:
        changed: rows of the changed records, as ``records_of`` gives them.
        others: rows of all other records.
        comparing: as in ``compare_records``; its rules must be symmetric (``keys.is_symmetric``).
        refined: as in ``compare_records``.
        secret: as in ``compare_records``.
        broadcast: send the changed records' keys to every task; without it Spark chooses.
        observation: takes the counts per rule.

    Returns:
        SCORED_PAIR, row for row as ``compare_records`` over both together gives them.
    """
    pairs = propose_pairs(
        others,
        changed,
        model=comparing.model,
        refined=refined,
        secret=secret,
        observation=observation,
        broadcast=broadcast,
    )
    return comparing.score(_lesser_left(pairs))


def _lesser_left(pairs: DataFrame) -> DataFrame:
    """Candidate pairs with the lesser ``person_ref`` on the left, as ``within`` has them."""
    is_swapped = F.col("person_ref_l") > F.col("person_ref_r")
    names = [name[:-2] for name in pairs.columns if name.endswith("_l")]
    sides = [
        F.when(is_swapped, F.col(f"{name}{other}")).otherwise(F.col(f"{name}{own}")).alias(f"{name}{own}")
        for own, other in (("_l", "_r"), ("_r", "_l"))
        for name in names
    ]
    return pairs.select("rule_mask", *sides)


def accepted_edges(
    scored: DataFrame,
    records: DataFrame,
    judgements: DataFrame,
    numbers: DataFrame,
    *,
    comparing: Comparing,
    most_bearers: int,
) -> DataFrame:
    """Pairs that join: those of the rule, those with the same verified number, and those that a reviewer has judged the same.

    A number joins two records where one more thing agrees (``joining.agreeing_pairs``), whatever the rule says of them.

    Args:
        scored: what ``compare_records`` gave.
        records: what ``records_of`` gave.
        judgements: the one in force per pair: ``left_record_id`` < ``right_record_id``, ``same`` BOOLEAN.
        numbers: verified PNC and CRO numbers (``numbers.usable_numbers``).
        comparing: as in ``compare_records``.
        most_bearers: a number on more records joins nobody.

    Returns:
        NOMINAL_EDGE without the columns of the guard; ``by_rule``: the rule accepts it; and ``denied``: judged *not the
        same*, so that it joins nobody. A judged pair of records of which one has gone is left out.
    """
    ends = ["left_record_id", "right_record_id"]
    denied = judgements.where("not same").select("left_record_id", "right_record_id", F.lit(True).alias("denied"))
    same = judgements.where("same").select("left_record_id", "right_record_id")
    equal = equal_pairs(numbers, max_records=most_bearers)
    by_rule = joining_pairs(scored, model=comparing.model).join(same, on=ends, how="left_anti")
    by_judgement = as_edges(comparing.score_all(pairs_of_records(records, same)), model=comparing.model)
    open_pairs = equal.join(same, on=ends, how="left_anti").join(by_rule.select(*ends), on=ends, how="left_anti")
    by_number = agreeing_pairs(comparing.score_all(pairs_of_records(records, open_pairs)), model=comparing.model)
    edges = (
        _joined_by(by_rule, by_rule=True)
        .unionByName(_joined_by(by_number))
        .unionByName(_joined_by(by_judgement, judged_same=True))
    )
    told = edges.join(denied, on=ends, how="left").join(
        equal.withColumn("same_identifier", F.lit(True)), on=ends, how="left"
    )
    return told.withColumns({name: F.coalesce(name, F.lit(False)) for name in ("denied", "same_identifier")})


def _joined_by(edges: DataFrame, *, by_rule: bool = False, judged_same: bool = False) -> DataFrame:
    """What joins these pairs."""
    return edges.withColumns({"by_rule": F.lit(by_rule), "judged_same": F.lit(judged_same)})


def conflicts_inside(
    records: DataFrame,
    components: DataFrame,
    edges: DataFrame,
    judgements: DataFrame,
    numbers: DataFrame,
    *,
    comparing: Comparing,
    most_records: int,
) -> DataFrame:
    """What speaks against two records of one component being one person.

    Pairs that the rule accepts are not compared again where both records have one row, only their forenames are looked at; an
    alias is looked behind. Forenames do not speak against two records that bear one verified number. A component of more than
    ``most_records`` is not looked into.

    Args:
        records: what ``records_of`` gave.
        components: ``record_id``, ``component_id``.
        edges: accepted pairs.
        judgements: as in ``accepted_edges``.
        numbers: as in ``accepted_edges``.
        comparing: as in ``compare_records``.
        most_records: largest component whose pairs are compared.

    Returns:
        ``left_record_id``, ``right_record_id``, ``reason`` (CutReason); a pair may stand with several.
    """
    sizes = component_sizes(components).where(F.col("records").between(2, most_records)).select("component_id")
    placed = components.join(sizes, on=["component_id"])
    left = placed.select("component_id", F.col("record_id").alias("left_record_id"))
    right = placed.select("component_id", F.col("record_id").alias("right_record_id"))
    pairs = left.join(right, on=["component_id"]).where("left_record_id < right_record_id").drop("component_id")
    open_pairs = pairs.join(_settled(edges, records), on=["left_record_id", "right_record_id"], how="left_anti")
    scored = comparing.score_all(pairs_of_records(records, open_pairs))
    judged = judgements.where("not same").select(
        "left_record_id", "right_record_id", F.lit(CutReason.JUDGED_NOT_SAME.value).alias("reason")
    )
    same_number = edges.where("same_identifier").select("left_record_id", "right_record_id")
    told_apart = pairs.join(same_number, on=["left_record_id", "right_record_id"], how="left_anti")
    told = with_forenames(told_apart, records)
    close = close_forenames(told, model=comparing.model, frequencies=comparing.frequencies)
    by_slip = close_forename_conflicts(comparing.score_all(pairs_of_records(records, close)))
    by_forenames = later_forename_conflicts(told).unionByName(by_slip)
    by_values = conflicting_pairs(scored, model=comparing.model).unionByName(by_forenames)
    return by_values.unionByName(differing_pairs(numbers, components, most_records=most_records)).unionByName(judged)


def _settled(edges: DataFrame, records: DataFrame) -> DataFrame:
    """Pairs of records with one row each that the rule accepts: nothing but their forenames can speak against them."""
    several = records.where("variant_no > 0").select(F.col("person_ref").cast("long").alias("record_id")).distinct()
    settled = edges.where("by_rule").select("left_record_id", "right_record_id")
    for end in ("left_record_id", "right_record_id"):
        settled = settled.join(several.withColumnRenamed("record_id", end), on=[end], how="left_anti")
    return settled


def pairs_of_records(records: DataFrame, pairs: DataFrame) -> DataFrame:
    """All pairs of variants of given pairs of records, as ``score_candidates`` takes them; proposed by no rule."""
    compared = records.select(*COMPARED_COLUMNS)
    sides = {
        suffix: compared.select(
            F.col("person_ref").cast("long").alias(end),
            *[F.col(name).alias(f"{name}_{suffix}") for name in compared.columns],
        )
        for suffix, end in (("l", "left_record_id"), ("r", "right_record_id"))
    }
    joined = pairs.join(sides["l"], on=["left_record_id"]).join(sides["r"], on=["right_record_id"])
    return joined.drop("left_record_id", "right_record_id").withColumn("rule_mask", F.lit(0).cast("long"))
