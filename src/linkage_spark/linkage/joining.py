"""Scored pairs of police person records → pairs that may join their records, and pairs that speak against it."""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from linkage_spark.kit.frames import local_frame
from linkage_spark.linkage.decision import best_variants, tier_of_rank, with_policy
from linkage_spark.model.frequencies import Frequencies
from linkage_spark.model.schema import Model, Thresholds
from linkage_spark.tables.candidates import SCORED_PAIR
from linkage_spark.tables.enums import CutReason, PolicyReason, Tier
from linkage_spark.tables.nominals import NOMINAL_EDGE

_EVERY_PAIR = -1e6
"""Bits below every match weight."""

_SLIP_EDITS = 2
"""Letters by which two spellings of one slip may differ: two letters exchanged count as two."""

_ADDED_LATER = ("judged_same", "same_identifier", "cut_reason", "because_left_record_id", "because_right_record_id")


def as_records(persons: DataFrame, record_id: Column) -> DataFrame:
    """PERSON rows whose reference is the record's id as text: what pairs of police records are made of.

    Args:
        persons: PERSON rows of the police.
        record_id: the id of a row's record.
    """
    return persons.withColumn("person_ref", record_id.cast("string"))


def joining_pairs(scored: DataFrame, *, model: Model) -> DataFrame:
    """The pairs that the joining rule accepts: name, date of birth and place agree together, and the weight is enough.

    The rule is the policy's for tier match, with the model's own ``match_bits``: name and date of birth alone never
    join, nor does a pair with a twin's pattern or names marked for different sexes. Rivals do not count here; the
    guard looks at whole components.

    Args:
        scored: SCORED_PAIR of records as ``as_records`` makes them.
        model: the model of nominals.

    Returns:
        One row per pair, its best variants: NOMINAL_EDGE without what numbers, reviewers and the guard add.
    """
    best = best_variants(with_policy(SCORED_PAIR.conform(scored), model=model))
    accepted = best.withColumn("tier", tier_of_rank(F.col("tier_rank"))).where(F.col("tier") == F.lit(Tier.MATCH.value))
    return _with_ends(accepted).select(*_own_columns(model))


def as_edges(scored: DataFrame, *, model: Model) -> DataFrame:
    """Every pair as it stands, accepted or not: for pairs that a reviewer has judged the same. Columns of ``joining_pairs``."""
    best = best_variants(with_policy(SCORED_PAIR.conform(scored), model=model))
    return _with_ends(best).select(*_own_columns(model))


def agreeing_pairs(scored: DataFrame, *, model: Model) -> DataFrame:
    """Pairs of which one of the three agrees: whole name (variants and order allowed), full date of birth, or premises.

    For pairs that something else joins already, which alone is not enough; weight and policy do not count.

    Args:
        scored: SCORED_PAIR, made ``without_floor``.
        model: the model of nominals.

    Returns:
        Columns of ``joining_pairs``, of the best variants among those that agree.
    """
    judged = with_policy(SCORED_PAIR.conform(scored), model=model).where("name_whole or dob_full or same_premises")
    return _with_ends(best_variants(judged)).select(*_own_columns(model))


def without_floor(model: Model) -> Model:
    """The same model, keeping every scored pair: what speaks against joining lies below every floor."""
    cuts = model.thresholds
    kept = Thresholds(match_bits=cuts.match_bits, possible_bits=cuts.possible_bits, floor_bits=_EVERY_PAIR)
    return model.model_copy(update={"thresholds": kept})


def conflicting_pairs(scored: DataFrame, *, model: Model) -> DataFrame:
    """Pairs of records that may not be one person, by their best variants or by what the records themselves say.

    An alias or a further date of birth may join two records only where their main rows do not exclude each other: who gives
    a brother's name is not the brother.

    Args:
        scored: SCORED_PAIR of pairs inside components, made ``without_floor``.
        model: the model of nominals.

    Returns:
        ``left_record_id``, ``right_record_id``, ``reason`` (CutReason: the first in its order that holds of either).
    """
    judged = with_policy(SCORED_PAIR.conform(scored), model=model)
    main = judged.where("employee_variant_no = 0 and person_variant_no = 0")
    looked_at = _with_ends(best_variants(judged).unionByName(main)).withColumn("rank", _rank_of_conflict())
    first = looked_at.groupBy("left_record_id", "right_record_id").agg(F.min("rank").alias("rank"))
    names = F.array(*[F.lit(reason.value) for reason in _CONFLICTS])
    return first.where("rank is not null").select(
        "left_record_id", "right_record_id", F.element_at(names, F.col("rank")).alias("reason")
    )


def with_forenames(pairs: DataFrame, records: DataFrame) -> DataFrame:
    """Pairs of records with what their forenames are told by. Main rows alone: an alias is no second name.

    Args:
        pairs: ``left_record_id``, ``right_record_id``, of one component.
        records: what ``as_records`` gave.

    Returns:
        ``left_record_id``, ``right_record_id``, and the structs ``left`` and ``right``: ``given_first``, ``given_tokens``,
        ``given_sound``, ``later`` (forenames after the first), ``date_of_birth`` and ``premises_key``, each null where it is.
    """
    main = records.where("variant_no = 0")
    told = pairs.select("left_record_id", "right_record_id")
    for side in ("left", "right"):
        own = main.select(
            F.col("person_ref").cast("long").alias(f"{side}_record_id"),
            F.struct(
                *("given_first", "given_tokens", "given_sound"),
                _later_forenames().alias("later"),
                *("date_of_birth", "premises_key"),
            ).alias(side),
        )
        told = told.join(own, on=[f"{side}_record_id"])
    return told


def later_forename_conflicts(told: DataFrame) -> DataFrame:
    """Pairs of which one is called by a later forename of the other, whose own first forename is another.

    A middle name in use looks like that, and so does a twin or a brother who bears the other's name as a second one. Name,
    date and home do not tell them apart, and joining two people is the worse error. Forenames in another order are one
    name, and a prefix such as Muhammad before the first forename is none.

    Args:
        told: what ``with_forenames`` gave.

    Returns:
        ``left_record_id``, ``right_record_id``, ``reason``: TWIN_PATTERN where the full dates of birth are equal,
        ANOTHER_OF_THE_HOUSEHOLD where they are not and the home is one; null parts agree with nothing.
    """
    called = told.where(_called_by_later("left", "right") | _called_by_later("right", "left"))
    reason = F.when(
        F.col("left.date_of_birth") == F.col("right.date_of_birth"), F.lit(CutReason.TWIN_PATTERN.value)
    ).when(F.col("left.premises_key") == F.col("right.premises_key"), F.lit(CutReason.ANOTHER_OF_THE_HOUSEHOLD.value))
    return called.select("left_record_id", "right_record_id", reason.alias("reason")).where("reason is not null")


def _later_forenames() -> Column:
    """Forenames after the first."""
    tokens, after = F.col("given_tokens"), F.array_position("given_tokens", F.col("given_first")) + F.lit(1)
    return F.slice(tokens, after.cast("int"), F.size(tokens))


def _called_by_later(one: str, other: str) -> Column:
    """The first forename of one is a later one of the other, whose own first forename is none of the one's."""
    is_later = F.array_contains(F.col(f"{other}.later"), F.col(f"{one}.given_first"))
    return is_later & ~F.array_contains(F.col(f"{one}.given_tokens"), F.col(f"{other}.given_first"))


def close_forenames(told: DataFrame, *, model: Model, frequencies: Frequencies) -> DataFrame:
    """Pairs of one date of birth whose first forenames are written nearly alike, sound unlike, and are both in use.

    Saima and Salma are two names, and two sisters may bear them; Salma and Salna are one name and a slip; Alison and Allison
    are one name in two spellings. A forename is in use where more records bear it than all slips of the other would give: its
    share is above the model's m of a slip times the other's. Records are counted and not people, once per model id; a forename
    that fewer than ``min_bearers`` bear is not in use, and without frequencies no pair is told.

    Args:
        told: what ``with_forenames`` gave.
        model: its m of a slip in given names.
        frequencies: how common forenames are.

    Returns:
        ``left_record_id``, ``right_record_id``; whether the forenames are a slip apart, and no variants of one name, is for
        the comparison to say (``close_forename_conflicts``).
    """
    given = frequencies.of("given")
    rows = sorted(given.shares.items()) if given else []
    near = told.where(
        (F.col("left.date_of_birth") == F.col("right.date_of_birth"))
        & F.levenshtein("left.given_first", "right.given_first").between(1, _SLIP_EDITS)
        & (F.col("left.given_sound") != F.col("right.given_sound"))
        & ~F.arrays_overlap("left.given_tokens", "right.given_tokens")
    )
    for side in ("left", "right"):
        in_use = local_frame(told.sparkSession, rows, schema=f"{side}_given string, {side}_share double")
        near = near.join(F.broadcast(in_use), on=F.col(f"{side}.given_first") == F.col(f"{side}_given"))
    rarer, commoner = (way("left_share", "right_share") for way in (F.least, F.greatest))
    return near.where(rarer > F.lit(model.name.given["typo"].m) * commoner).select("left_record_id", "right_record_id")


def close_forename_conflicts(scored: DataFrame) -> DataFrame:
    """Of ``close_forenames``, those whose main rows the comparison takes for a slip, beside a surname that agrees.

    Args:
        scored: SCORED_PAIR of those pairs, made ``without_floor``.

    Returns:
        ``left_record_id``, ``right_record_id``, ``reason``: TWIN_PATTERN.
    """
    main = scored.where("employee_variant_no = 0 and person_variant_no = 0")
    return _with_ends(main.where("level_given = 'typo' and surname_agrees and dob_full")).select(
        "left_record_id", "right_record_id", F.lit(CutReason.TWIN_PATTERN.value).alias("reason")
    )


_CONFLICTS: Mapping[CutReason, str] = {
    CutReason.DATES_CONTRADICT: "dob_contradicts",
    CutReason.TWIN_PATTERN: "forename_differs and surname_agrees and dob_full or twin_pattern",
    CutReason.ANOTHER_OF_THE_HOUSEHOLD: f"policy_reason = '{PolicyReason.CONTRADICTION.value}'",
    CutReason.SEX_MARKED_CONFLICT: "sex_marked_conflict",
}
"""In the order of CutReason. A twin who has moved has the pattern without the home."""

FILE_CONFLICTS = (CutReason.DATES_CONTRADICT, CutReason.TWIN_PATTERN, CutReason.SEX_MARKED_CONFLICT)
"""What two records of an analyst's file may have against each other. Of what a side lacks, or is not mapped, none holds."""


def file_conflicts() -> Column:
    """Names of the FILE_CONFLICTS that hold of a scored pair, in their order; an empty array when none does."""
    return F.array_compact(
        F.array(*[F.when(F.expr(_CONFLICTS[reason]), F.lit(reason.value)) for reason in FILE_CONFLICTS])
    )


def standing_conflict(conflicts: Column, match_weight: Column, *, outweighed_from: Mapping[CutReason, float]) -> Column:
    """The first conflict of a pair that stands; null when none does.

    Args:
        conflicts: what ``file_conflicts`` gave.
        match_weight: the pair's own, bits.
        outweighed_from: by reason, the weight from which a pair is let be: it has taken the reason into account. What is
            not named stands whatever the pair weighs.
    """
    outweighed = [F.when(match_weight >= F.lit(bits), F.lit(reason.value)) for reason, bits in outweighed_from.items()]
    return F.get(F.array_except(conflicts, F.array(*outweighed).cast("array<string>")), 0)


def _rank_of_conflict() -> Column:
    """Place of the first conflict that holds, from 1; null when none does."""
    return F.coalesce(*[F.when(F.expr(claim), F.lit(no)) for no, claim in enumerate(_CONFLICTS.values(), start=1)])


def _with_ends(pairs: DataFrame) -> DataFrame:
    """The two records' ids, the lower on the left; levels and weights do not depend on sides."""
    one, other = F.col("employee_id").cast("long"), F.col("person_ref").cast("long")
    return pairs.withColumn("left_record_id", F.least(one, other)).withColumn("right_record_id", F.greatest(one, other))


def _own_columns(model: Model) -> list[Column]:
    """NOMINAL_EDGE's columns that follow from the score."""
    own = [name for name in NOMINAL_EDGE.names if name not in _ADDED_LATER]
    return [F.lit(model.id).alias(name) if name == "model_id" else F.col(name) for name in own]
