"""Clusters of this run and nominals of the last → which nominal each record belongs to, and what happened to each.

A nominal's id is our own and lasts: it depends neither on the engine's cluster ids nor on the model nor on the order of
rows, and a record with a lower id changes nothing. Who keeps an id when records regroup is a rule of counts and ages, and
every change is an event: ``replay`` tells members and nominals of any run from the events alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from linkage_spark.tables.enums import NominalEventKind, NominalState
from linkage_spark.tables.nominals import NOMINAL, NOMINAL_EVENT, NOMINAL_MEMBER


@dataclass(frozen=True)
class Identity:
    """What a run makes of the clusters.

    Attributes:
        member: NOMINAL_MEMBER: every record of this run.
        nominal: NOMINAL: every nominal there ever was, ended ones as they ended.
        event: NOMINAL_EVENT: what happened in this run alone.
    """

    member: DataFrame
    nominal: DataFrame
    event: DataFrame


def assign_identity(clusters: DataFrame, member: DataFrame, nominal: DataFrame, *, run_no: int) -> Identity:
    """Give every record its nominal, and tell what changed: ``assign_members``, then ``tell_changes``.

    Each of the three frames goes back to ``clusters``, which should therefore be a kept cut. A run that writes the members
    first calls the two steps itself and tells the changes from the members as written.

    Args:
        clusters: every live record once: ``record_id``, ``cluster_id`` (BIGINT; any id, used only to see who is together),
            ``quarantined`` (the cluster waits for a reviewer), ``parted`` (``with_parted``); none is ever null.
        member: NOMINAL_MEMBER of the last good run; empty before the first.
        nominal: NOMINAL of the last good run.
        run_no: number of this run among those that made nominals: above those of all earlier good runs; a restarted run
            has the same, and gives the same ids.

    Returns:
        The same rows for the same sets of rows, whatever their order or partitions.
    """
    return tell_changes(assign_members(clusters, member, nominal, run_no=run_no), member, nominal, run_no=run_no)


def with_parted(clusters: DataFrame, member: DataFrame, judgements: DataFrame) -> DataFrame:
    """Add which records under quarantine may not stay in the nominal where they are.

    Of two records under quarantine in one nominal that are judged *not the same*, it is the one that came to it later; of
    two that came in one run, that with the higher id.

    Args:
        clusters: ``record_id``, ``cluster_id``, ``quarantined``.
        member: NOMINAL_MEMBER of the last good run.
        judgements: the one in force per pair: ``left_record_id``, ``right_record_id``, ``same`` BOOLEAN.

    Returns:
        The same with ``parted`` BOOLEAN, never null.
    """
    held = clusters.where("quarantined").join(member.drop("quarantined"), on=["record_id"])
    sides = {
        side: held.select(
            F.col("record_id").alias(f"{side}_record_id"),
            "nominal_id",
            F.struct("since_run_no", "record_id").alias(f"{side}_came"),
        )
        for side in ("left", "right")
    }
    denied = judgements.where("not same").select("left_record_id", "right_record_id")
    together = denied.join(sides["left"], on=["left_record_id"]).join(
        sides["right"], on=["right_record_id", "nominal_id"]
    )
    later = together.select(F.greatest("left_came", "right_came").alias("later")).select("later.record_id").distinct()
    found = clusters.join(later.withColumn("parted", F.lit(True)), on=["record_id"], how="left")
    return found.withColumn("parted", F.coalesce("parted", F.lit(False)))


def assign_members(clusters: DataFrame, member: DataFrame, nominal: DataFrame, *, run_no: int) -> DataFrame:
    """Give every record its nominal.

    1. *Groups.* The records of a cluster are one group. Under quarantine nobody moves: all records under quarantine that
       come from one nominal are one group, whatever their clusters, and a record that has no nominal, or that a reviewer's
       word parts from an earlier one (``with_parted``), is one by itself.
    2. *Who keeps an id.* Records under quarantine keep theirs. Otherwise a nominal goes to the group that holds most of
       its records; of equal ones to that with the record that has been in it longest, then with the lowest record id.
    3. *Merge.* A group that several nominals go to takes the oldest of them, then the lowest id. The others end, even
       where some of their records went elsewhere: an id never stays behind with the smaller part of what it stood for.
    4. *New.* A group that no nominal goes to gets a new id: xxHash64 of its lowest record and ``run_no``. Ids of ended
       nominals are never given again; a collision is a fault that ``identity_checks`` counts, and the next run number
       gives other ids.

    Args:
        clusters: as in ``assign_identity``.
        member: NOMINAL_MEMBER of the last good run.
        nominal: NOMINAL of the last good run.
        run_no: number of this run.

    Returns:
        NOMINAL_MEMBER after this run. A record keeps ``since_run_no`` for as long as it stays in its nominal.
    """
    grouped = _groups(clusters, member)
    ages = nominal.where("ended_run_no is null").select(F.col("nominal_id").alias("former_id"), "created_run_no")
    goes = (
        _claims(grouped, "group_id")
        .unionByName(ages, allowMissingColumns=True)
        .groupBy("former_id")
        .agg(F.min("claim").alias("best"), F.max("created_run_no").alias("created_run_no"))
        .where("best is not null")
    )
    oldest = F.min(F.struct("created_run_no", "former_id"))
    taken = (
        goes.groupBy(F.col("best.group_id").alias("group_id"))
        .agg(oldest.alias("oldest"))
        .select("group_id", F.col("oldest.former_id").alias("taken_id"))
    )
    new_id = F.xxhash64(F.lit("nominal"), F.col("group_id"), F.lit(run_no))
    assigned = grouped.join(taken, on=["group_id"], how="left").withColumn("nominal_id", F.coalesce("taken_id", new_id))
    since = F.when(_differ("nominal_id", "former_id"), F.lit(run_no)).otherwise(F.col("since_run_no"))
    return NOMINAL_MEMBER.conform(assigned.withColumn("since_run_no", since))


def tell_changes(members: DataFrame, member: DataFrame, nominal: DataFrame, *, run_no: int) -> Identity:
    """Tell from the members before and after what became of each nominal.

    A nominal of which no record is left ends, retired. One whose records are left, but whose id another nominal took over,
    ends, merged into that one: the nominal to which most of its records went, by the rule of ``assign_members``.

    Args:
        members: NOMINAL_MEMBER after this run, of ``assign_members``; returned as it is.
        member: NOMINAL_MEMBER of the last good run.
        nominal: NOMINAL of the last good run.
        run_no: number of this run.

    Returns:
        Members, NOMINAL after this run, and the NOMINAL_EVENT rows of this run:
        *created*; *joined* (record, and the nominal it came from if any); *left* (the record is no longer in the data);
        *merged* (into which); *split* (records went from the one, which has not merged into the other, to the other);
        *quarantined* and *released*; *retired*. Nothing changed: no row.
    """
    moves = _moves(members, member)
    whole = _whole(moves, nominal)
    told = whole.select("nominal_id", F.inline(_nominal_events())).withColumn("record_id", F.lit(None).cast("long"))
    event = _record_events(moves).unionByName(told).withColumn("run_no", F.lit(run_no))
    return Identity(member=members, nominal=_nominals(whole, run_no), event=NOMINAL_EVENT.conform(event))


def _differ(one: str, other: str) -> Column:
    """The two ids are not the same; null is an id of its own."""
    return ~F.col(one).eqNullSafe(F.col(other))


def _groups(clusters: DataFrame, member: DataFrame) -> DataFrame:
    """One row per record: ``record_id``, ``group_id`` (its lowest record), ``quarantined``, ``former_id``, ``since_run_no``."""
    former = member.select("record_id", F.col("nominal_id").alias("former_id"), "since_run_no")
    joined = clusters.join(former, on=["record_id"], how="left")
    held = F.col("quarantined")
    leaves = F.col("former_id").isNull() | F.col("parted")
    by_cluster = F.when(~held, F.col("cluster_id"))
    by_nominal = F.when(held & ~leaves, F.col("former_id"))
    alone = F.when(held & leaves, F.col("record_id"))
    lowest = F.min("record_id").over(Window.partitionBy(by_cluster, by_nominal, alone))
    return joined.select("record_id", lowest.alias("group_id"), "quarantined", "former_id", "since_run_no")


def _claims(records: DataFrame, to: str) -> DataFrame:
    """One row per former nominal and place its records went to: ``former_id``, ``claim``; the least claim is the best.

    The order of rule 2 of ``assign_members``: under quarantine, most records, longest in it, lowest record.
    """
    shared = (
        records.where(F.col("former_id").isNotNull() & F.col(to).isNotNull())
        .groupBy("former_id", to)
        .agg(
            F.min(~F.col("quarantined")).alias("free"),
            (-F.count(F.lit(1))).alias("minus_records"),
            F.min(F.struct("since_run_no", "record_id")).alias("longest"),
        )
    )
    return shared.select("former_id", F.struct("free", "minus_records", "longest", to).alias("claim"))


def _moves(members: DataFrame, member: DataFrame) -> DataFrame:
    """Every record of before or now: ``former_id`` and its ``since_run_no``, ``nominal_id``, ``quarantined``; null where it was not."""
    before = member.select("record_id", F.col("nominal_id").alias("former_id"), "since_run_no")
    return members.select("record_id", "nominal_id", "quarantined").join(before, on=["record_id"], how="full")


def _whole(moves: DataFrame, nominal: DataFrame) -> DataFrame:
    """All that is known of each nominal there ever was, gathered by one grouping: a row per nominal.

    ``state_before``, ``created_run_no``, ``merged_before``, ``ended_run_no`` (null if new); ``records_now``, ``held`` (null
    without records); ``went_to``: the nominals that have records of it, itself among them if it lives; ``survivor_id``: the
    nominal that took it over; ``state``.
    """
    before = nominal.select(
        "nominal_id",
        F.col("state").alias("state_before"),
        "created_run_no",
        F.col("merged_into").alias("merged_before"),
        "ended_run_no",
    )
    now = (
        moves.where("nominal_id is not null")
        .groupBy("nominal_id")
        .agg(F.count(F.lit(1)).cast("int").alias("records_now"), F.max("quarantined").alias("held"))
    )
    claims = _claims(moves, "nominal_id").select(F.col("former_id").alias("nominal_id"), "claim")
    single = [*before.columns[1:], *now.columns[1:]]
    gathered = (
        before.unionByName(now, allowMissingColumns=True)
        .unionByName(claims, allowMissingColumns=True)
        .groupBy("nominal_id")
        .agg(
            *[F.max(name).alias(name) for name in single],
            F.min("claim").alias("best"),
            F.collect_set("claim.nominal_id").alias("went_to"),
        )
    )
    survivor = F.when(F.col("best.nominal_id") != F.col("nominal_id"), F.col("best.nominal_id"))
    return gathered.withColumn("survivor_id", survivor).withColumn("state", _state_now())


def _state_now() -> Column:
    """NominalState after the run, of a row of ``_whole``."""
    return (
        F.when(F.col("held"), F.lit(NominalState.QUARANTINED.value))
        .when(F.col("records_now").isNotNull(), F.lit(NominalState.LIVE.value))
        .when(F.col("ended_run_no").isNotNull(), F.col("state_before"))
        .when(F.col("survivor_id").isNotNull(), F.lit(NominalState.MERGED.value))
        .otherwise(F.lit(NominalState.RETIRED.value))
    )


def _nominals(whole: DataFrame, run_no: int) -> DataFrame:
    """NOMINAL after this run: live ones with their number of records, ended ones as they ended."""
    ended = F.col("records_now").isNull()
    return NOMINAL.conform(
        whole.select(
            "nominal_id",
            "state",
            F.coalesce("records_now", F.lit(0)).alias("records"),
            F.coalesce("created_run_no", F.lit(run_no)).alias("created_run_no"),
            F.when(ended, F.coalesce("merged_before", "survivor_id")).alias("merged_into"),
            F.when(ended, F.coalesce("ended_run_no", F.lit(run_no))).alias("ended_run_no"),
        )
    )


def _record_events(moves: DataFrame) -> DataFrame:
    """Records that came to a nominal, from another or from nowhere, and records that are gone."""
    gone = F.col("nominal_id").isNull()
    return moves.where(_differ("nominal_id", "former_id")).select(
        F.when(gone, F.lit(NominalEventKind.LEFT.value)).otherwise(F.lit(NominalEventKind.JOINED.value)).alias("kind"),
        F.coalesce("nominal_id", "former_id").alias("nominal_id"),
        F.when(~gone, F.col("former_id")).alias("other_nominal_id"),
        "record_id",
    )


def _nominal_events() -> Column:
    """What happened to a nominal as a whole, of a row of ``_whole``: an array of ``kind`` and ``other_nominal_id``."""
    new = F.col("state_before").isNull()
    changed = _differ("state", "state_before")
    is_held = F.col("state") == F.lit(NominalState.QUARANTINED.value)
    was_held = F.col("state_before") == F.lit(NominalState.QUARANTINED.value)
    is_live = F.col("state") == F.lit(NominalState.LIVE.value)
    merged = F.col("state") == F.lit(NominalState.MERGED.value)
    retired = F.col("state") == F.lit(NominalState.RETIRED.value)
    nothing = F.lit(None).cast("long")
    parts = F.filter("went_to", lambda to: (to != F.col("nominal_id")) & ~to.eqNullSafe(F.col("survivor_id")))
    return F.concat(
        F.array_compact(
            F.array(
                F.when(new, _happening(NominalEventKind.CREATED, nothing)),
                F.when(changed & is_held, _happening(NominalEventKind.QUARANTINED, nothing)),
                F.when(is_live & was_held, _happening(NominalEventKind.RELEASED, nothing)),
                F.when(changed & merged, _happening(NominalEventKind.MERGED, F.col("survivor_id"))),
                F.when(changed & retired, _happening(NominalEventKind.RETIRED, nothing)),
            )
        ),
        F.transform(parts, lambda to: _happening(NominalEventKind.SPLIT, to)),
    )


def _happening(kind: NominalEventKind, other: Column) -> Column:
    """One kind of event and the other nominal it concerns."""
    return F.struct(F.lit(kind.value).alias("kind"), other.alias("other_nominal_id"))
