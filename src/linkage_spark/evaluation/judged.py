"""Truth × links → one row per pair that is true or was scored, and lazy counts over those rows."""

from __future__ import annotations

from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StructField, StructType

from linkage_spark.evaluation.expected import match_probability
from linkage_spark.tables.enums import AddressKind, PolicyReason, SourceSystem, Tier
from linkage_spark.tables.types import LONG, STRING, STRINGS

TRUTH_EMPLOYEE = StructType(
    [
        StructField("employee_id", STRING),
        StructField("true_person_id", LONG),
        StructField("naming_tradition", STRING),
    ]
)
"""Truth of the roster: one row per employee."""

TRUTH_PERSON = StructType(
    [
        StructField("source_system", STRING),
        StructField("person_ref", STRING),
        StructField("true_person_id", LONG),
        StructField("error_classes", STRINGS),
        StructField("naming_tradition", STRING),
        StructField("hard_negative", STRING),
    ]
)
"""Truth of the police side: one row per person record; error_classes empty when recorded clean."""

PAIR_KEY = ["employee_id", "source_system", "person_ref"]
RECORD_KEY = ["source_system", "person_ref"]

PATTERN_COLUMNS: tuple[str, ...] = (
    "source_system",
    "tier",
    "is_true",
    "supportable",
    "naming_tradition",
    "error_classes",
    "hard_negative",
    "on_duty_sign",
    "address_noted",
    "outcome",
    "claim_tier",
    "claim_reason",
    "age_band",
    "event_types",
)
"""By what judged pairs are counted; with ``pairs`` LONG they are the input of ``accuracy``."""

AGE_BANDS: tuple[tuple[int, str], ...] = (
    (55, "55_and_over"),
    (45, "45_to_54"),
    (35, "35_to_44"),
    (25, "25_to_34"),
    (0, "under_25"),
)
"""Least age in years and name of each band, the oldest first."""

UNKNOWN_AGE = "age_unknown"
"""The band of an employee without a year of birth."""

SHOWN_MATCH = "shown_match"
SHOWN_POSSIBLE = "shown_possible"
NEGATED = "negated_by_reviewer"
EMPLOYEE_REFUSED = "employee_refused"
EMPLOYEE_NOT_SCREENED = "employee_not_screened"
RECORD_REFUSED = "record_refused"
RECORD_NOT_SCREENED = "record_not_screened"
HELD_BACK = "held_back: "
BELOW_FLOOR = "below_floor"
NEVER_PROPOSED = "never_proposed"
NOT_SHOWN = "not_shown"


def judge(
    links: DataFrame,
    *,
    truth_employee: DataFrame,
    truth_person: DataFrame,
    person: DataFrame,
    scored_links: DataFrame | None = None,
    proposed: DataFrame | None = None,
    claims: DataFrame | None = None,
    event_types: DataFrame | None = None,
    as_of: date | None = None,
    negated: DataFrame | None = None,
) -> DataFrame:
    """One row per (employee, person record) that is true or was scored.

    A true link is an employee and a police person record of the same ``true_person_id``, screened
    or not, refused or not: nothing that was lost on the way drops out of recall. A record is
    *supportable* when it holds a name and at least a full date of birth or a dwelling's address:
    where it holds less, no method that keeps to name, date of birth and address can show the link.

    Args:
        links: LINK; tiers match and possible.
        truth_employee: TRUTH_EMPLOYEE.
        truth_person: TRUTH_PERSON.
        person: PERSON, roster and police.
        scored_links: LINK's columns for all scored pairs, where kept; its non_match rows tell what the
            policy held back. None: such pairs count as not shown.
        proposed: PAIR_KEY of every candidate pair, where kept; tells pairs below the model's floor
            from pairs that no rule proposed. None: the two stay one.
        claims: PAIR_KEY, ``claim_tier``, ``claim_reason``: the highest tier that the policy grants a true pair
            on its values as recorded (``flows.claims``). None: not asked.
        event_types: RECORD_KEY and ``event_types`` (sorted, joined by '|') of records that stand in an event.
        as_of: the day on which ages are told; None: no ages.
        negated: PAIR_KEY of the links that are not shown because of a reviewer's word (NEGATED_LINK). A true one among them is
            the reviewer's loss and not the model's; a false one is shown to nobody, and leaves no row unless it was scored
            again. None: the run knew nothing of such links.

    Returns:
        PAIR_KEY, ``is_true``, ``tier`` (null when not scored), ``match_weight`` (log2; null when not
        scored), ``match_probability`` (0 to 1, of weight and rivals; null when not scored), ``supportable``, ``naming_tradition`` (the employee's), ``error_classes`` (sorted,
        joined by '|'; '' when clean), ``hard_negative`` (null when none), ``on_duty_sign``,
        ``address_noted`` (the record's address has an issue, or none was recorded), ``outcome``, ``claim_tier``
        and ``claim_reason`` (null where not asked, where the pair is not true, and where one side took no part in
        the comparison), ``age_band`` of the employee (year of ``as_of`` less year of birth) and ``event_types``
        ('' in no event).
    """
    scored = _scored(links, scored_links)
    true_pairs = (
        truth_person.select(*RECORD_KEY, "true_person_id")
        .join(
            F.broadcast(truth_employee.select("employee_id", "true_person_id")),
            on="true_person_id",
            how="inner",
        )
        .select(*PAIR_KEY, F.lit(True).alias("is_true"))
    )
    pairs = true_pairs.join(scored, on=PAIR_KEY, how="full_outer")
    pairs = _marked(_marked(pairs, proposed, "was_proposed"), negated, "was_negated")
    labelled = (
        pairs.join(_truth_marks(truth_person), on=RECORD_KEY, how="left")
        .join(
            F.broadcast(truth_employee.select("employee_id", "naming_tradition")),
            on="employee_id",
            how="left",
        )
        .join(_record_marks(person, pairs), on=RECORD_KEY, how="left")
        .join(F.broadcast(_employee_marks(person)), on="employee_id", how="left")
    )
    labelled = _joined(labelled, claims, PAIR_KEY, ("claim_tier", "claim_reason"))
    labelled = _joined(labelled, event_types, RECORD_KEY, ("event_types",))
    return labelled.select(
        *PAIR_KEY,
        F.coalesce("is_true", F.lit(False)).alias("is_true"),
        "tier",
        "match_weight",
        "match_probability",
        F.coalesce("supportable", F.lit(False)).alias("supportable"),
        F.coalesce("naming_tradition", F.lit("")).alias("naming_tradition"),
        F.coalesce("error_classes", F.lit("")).alias("error_classes"),
        "hard_negative",
        F.coalesce("link_on_duty", "record_on_duty", F.lit(False)).alias("on_duty_sign"),
        F.coalesce("address_noted", F.lit(True)).alias("address_noted"),
        _outcome(scored_kept=scored_links is not None, proposed_kept=proposed is not None).alias("outcome"),
        "claim_tier",
        "claim_reason",
        _age_band(as_of).alias("age_band"),
        F.coalesce("event_types", F.lit("")).alias("event_types"),
    )


def count_patterns(judged: DataFrame) -> DataFrame:
    """Judged pairs that are true or shown, counted by PATTERN_COLUMNS into ``pairs``."""
    told = judged.where(F.col("is_true") | _shown())
    return told.groupBy(*PATTERN_COLUMNS).agg(F.count(F.lit(1)).alias("pairs"))


def count_weights(judged: DataFrame) -> DataFrame:
    """Scored pairs per half bit of match weight: ``at_least_bits``, ``is_true``, ``pairs``."""
    half_bit = (F.floor(F.col("match_weight") * 2) / 2).alias("at_least_bits")
    scored = judged.where(F.col("match_weight").isNotNull())
    return scored.groupBy(half_bit, "is_true").agg(F.count(F.lit(1)).alias("pairs"))


def count_hard_negatives(truth_person: DataFrame) -> DataFrame:
    """Person records per kind of hard negative: ``hard_negative``, ``records``."""
    marked = truth_person.where(F.col("hard_negative").isNotNull())
    return marked.groupBy("hard_negative").agg(F.count(F.lit(1)).alias("records"))


def count_judged_hits(judged: DataFrame, *, hit: DataFrame, involvement: DataFrame, event: DataFrame) -> DataFrame:
    """Hits shown and hits that the true links would give, on employee × event × role.

    A hit is true when the employee truly stands in that event in that role.

    Args:
        judged: from ``judge``.
        hit: HIT.
        involvement: INVOLVEMENT.
        event: EVENT.

    Returns:
        ``event_type``, ``tier`` (null when missed), ``on_duty_sign``, ``is_true``, ``hits``.
    """
    key = ["employee_id", "source_system", "event_ref", "role"]
    wanted = (
        judged.where("is_true")
        .join(involvement.select(*RECORD_KEY, "event_ref", "role"), on=RECORD_KEY, how="inner")
        .groupBy(*key)
        .agg(F.max("on_duty_sign").alias("wanted_on_duty"))
        .join(event.select("source_system", "event_ref", "event_type"), on=["source_system", "event_ref"])
        .withColumn("is_true", F.lit(True))
    )
    shown = hit.select(
        *key, "tier", F.col("event_type").alias("shown_type"), F.col("on_duty_sign").alias("shown_on_duty")
    )
    both = wanted.join(shown, on=key, how="full_outer").select(
        F.coalesce("event_type", "shown_type").alias("event_type"),
        "tier",
        F.coalesce("shown_on_duty", "wanted_on_duty").alias("on_duty_sign"),
        F.coalesce("is_true", F.lit(False)).alias("is_true"),
    )
    return both.groupBy("event_type", "tier", "on_duty_sign", "is_true").agg(F.count(F.lit(1)).alias("hits"))


def list_event_types(involvement: DataFrame, event: DataFrame) -> DataFrame:
    """Per person record the types of the events it stands in: RECORD_KEY, ``event_types`` (sorted, joined by '|').

    Args:
        involvement: INVOLVEMENT.
        event: EVENT.
    """
    types = involvement.select(*RECORD_KEY, "event_ref").join(
        event.select("source_system", "event_ref", "event_type"), on=["source_system", "event_ref"], how="inner"
    )
    listed = F.array_join(F.array_sort(F.collect_set("event_type")), "|")
    return types.groupBy(*RECORD_KEY).agg(listed.alias("event_types"))


def _joined(rows: DataFrame, frame: DataFrame | None, key: list[str], columns: tuple[str, ...]) -> DataFrame:
    """Further columns by their key; null where there is no such frame."""
    if frame is None:
        return rows.withColumns({name: F.lit(None).cast("string") for name in columns})
    return rows.join(frame.select(*key, *columns), on=key, how="left")


def _marked(pairs: DataFrame, frame: DataFrame | None, mark: str) -> DataFrame:
    """Pairs with a mark: true where the frame holds the pair, else null."""
    if frame is None:
        return pairs.withColumn(mark, F.lit(None).cast("boolean"))
    return pairs.join(frame.select(*PAIR_KEY).distinct().withColumn(mark, F.lit(True)), on=PAIR_KEY, how="left")


def _age_band(as_of: date | None) -> Column:
    """The band of the age that the employee reaches in the year of ``as_of``."""
    band = F.lit(UNKNOWN_AGE)
    if as_of is None:
        return band
    age = F.lit(as_of.year) - F.col("employee_birth_year")
    for least, name in reversed(AGE_BANDS):
        band = F.when(age >= F.lit(least), F.lit(name)).otherwise(band)
    return band


def _scored(links: DataFrame, scored_links: DataFrame | None) -> DataFrame:
    """The links, and where kept the non_match pairs, in the columns that judging reads; a pair stands once."""
    columns = [*PAIR_KEY, "tier", "match_weight", "policy_reason", "on_duty_sign", "rival_posterior"]
    shown = links.where(_shown())
    if scored_links is not None:
        others = scored_links.where(~_shown()).join(shown.select(*PAIR_KEY), on=PAIR_KEY, how="left_anti")
        shown = shown.select(*columns).unionByName(others.select(*columns))
    return (
        shown.withColumn("match_probability", match_probability())
        .select(*columns[:-1], "match_probability")
        .withColumnRenamed("on_duty_sign", "link_on_duty")
    )


def _shown() -> Column:
    """True for the tiers that reviewers see; false when not scored."""
    return F.coalesce(F.col("tier").isin(Tier.MATCH.value, Tier.POSSIBLE.value), F.lit(False))


def _truth_marks(truth_person: DataFrame) -> DataFrame:
    """Per person record: error classes as one string, and the kind of hard negative."""
    classes = F.array_join(F.array_sort(F.array_distinct("error_classes")), "|")
    return truth_person.select(*RECORD_KEY, classes.alias("error_classes"), "hard_negative")


def _record_marks(person: DataFrame, pairs: DataFrame) -> DataFrame:
    """Per person record of ``pairs``, over its variants: what it holds and why it was not screened.

    A record takes part when any of its variants does.
    """
    has_name = (F.size("given_tokens") + F.size("surname_tokens")) > 0
    has_address = (F.col("address_kind") == AddressKind.DWELLING.value) & (
        F.col("postcode").isNotNull() | F.col("street").isNotNull()
    )
    wanted = pairs.select(*RECORD_KEY).distinct()
    return (
        person.join(wanted, on=RECORD_KEY, how="left_semi")
        .groupBy(*RECORD_KEY)
        .agg(
            (F.max(has_name) & (F.max(F.col("date_of_birth").isNotNull()) | F.max(has_address))).alias("supportable"),
            F.max("on_duty_sign").alias("record_on_duty"),
            F.min(F.col("address_issue").isNotNull() | F.col("address_raw").isNull()).alias("address_noted"),
            F.max(F.col("not_screened_reason").isNull()).alias("record_screened"),
        )
    )


def _employee_marks(person: DataFrame) -> DataFrame:
    """Per employee that standardising kept: whether any variant takes part in the comparison, and the year of birth."""
    return (
        person.where(F.col("source_system") == SourceSystem.HR.value)
        .groupBy(F.col("person_ref").alias("employee_id"))
        .agg(
            F.max(F.col("not_screened_reason").isNull()).alias("employee_screened"),
            F.max("dob_year").alias("employee_birth_year"),
        )
    )


def _outcome(*, scored_kept: bool, proposed_kept: bool) -> Column:
    """What became of a pair: the first of these that applies.

    A proposed pair whose dates of birth contradict each other is not scored: the gate takes it out for the policy.
    """
    vetoed = F.col("claim_reason") == PolicyReason.CONTRADICTION.value
    unscored = NEVER_PROPOSED if proposed_kept else (BELOW_FLOOR + "_or_" + NEVER_PROPOSED)
    return (
        F.when(F.col("tier") == Tier.MATCH.value, F.lit(SHOWN_MATCH))
        .when(F.col("tier") == Tier.POSSIBLE.value, F.lit(SHOWN_POSSIBLE))
        .when(F.col("was_negated"), F.lit(NEGATED))
        .when(F.col("employee_screened").isNull(), F.lit(EMPLOYEE_REFUSED))
        .when(~F.col("employee_screened"), F.lit(EMPLOYEE_NOT_SCREENED))
        .when(F.col("record_screened").isNull(), F.lit(RECORD_REFUSED))
        .when(~F.col("record_screened"), F.lit(RECORD_NOT_SCREENED))
        .when(F.col("tier").isNotNull(), F.concat(F.lit(HELD_BACK), F.col("policy_reason")))
        .when(F.col("was_proposed") & vetoed, F.lit(HELD_BACK + PolicyReason.CONTRADICTION.value))
        .when(F.col("was_proposed"), F.lit(BELOW_FLOOR if scored_kept else NOT_SHOWN))
        .otherwise(F.lit(unscored if scored_kept or proposed_kept else NOT_SHOWN))
    )
