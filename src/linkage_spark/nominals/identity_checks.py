"""What must hold of members, nominals and events before a run of nominals is published; counts only."""

from __future__ import annotations

from enum import StrEnum
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from linkage_spark.nominals.identity import Identity
from linkage_spark.nominals.replay import history, last_place
from linkage_spark.tables.enums import NominalState
from linkage_spark.tables.nominals import NOMINAL, NOMINAL_MEMBER

_MEMBER = tuple(name for name in NOMINAL_MEMBER.names if name != "record_id")
_NOMINAL = tuple(name for name in NOMINAL.names if name != "nominal_id")


class IdentityFault(StrEnum):
    """What can be wrong with the identities of a run. Any count above 0 stops it."""

    RUN_NO_NOT_ABOVE = "run_no_not_above"
    CLUSTER_MISSING = "cluster_missing"
    RECORD_NOT_ONCE = "record_not_once"
    MOVED_IN_QUARANTINE = "moved_in_quarantine"
    NOT_ONE_CLUSTER = "not_one_cluster"
    ID_COLLISION = "id_collision"
    NOMINAL_NOT_ONCE = "nominal_not_once"
    NOMINAL_MISCOUNTED = "nominal_miscounted"
    ENDED_CHANGED = "ended_changed"
    MERGED_INTO_NOTHING = "merged_into_nothing"
    REPLAY_DIFFERS = "replay_differs"


SENTENCES: dict[IdentityFault, str] = {
    IdentityFault.RUN_NO_NOT_ABOVE: "records or nominals of the last run have a run number that is not below this run's",
    IdentityFault.CLUSTER_MISSING: "records have no cluster, or it is not said whether it waits for a reviewer",
    IdentityFault.RECORD_NOT_ONCE: "records do not stand exactly once in the clusters and once among the members",
    IdentityFault.MOVED_IN_QUARANTINE: "records under quarantine are not in the nominal where they were, or new and not alone, or not parted "
    "from one that a reviewer judged not the same",
    IdentityFault.NOT_ONE_CLUSTER: "clusters or nominals that are not under quarantine do not match one to one",
    IdentityFault.ID_COLLISION: "new nominals bear an id that was in use: start the run again under the next run number",
    IdentityFault.NOMINAL_NOT_ONCE: "nominal ids stand more than once",
    IdentityFault.NOMINAL_MISCOUNTED: "nominals do not have the records or the state that their members say",
    IdentityFault.ENDED_CHANGED: "nominals that had ended are not as they ended",
    IdentityFault.MERGED_INTO_NOTHING: "nominals merged in this run into one that does not live",
    IdentityFault.REPLAY_DIFFERS: "rows of members or nominals are not what the events tell",
}
"""What stands after the count in a report of faults."""


def identity_faults(
    identity: Identity, clusters: DataFrame, member: DataFrame, nominal: DataFrame, event: DataFrame, *, run_no: int
) -> DataFrame:
    """Count what is wrong with the identities of a run; lazy.

    Args:
        identity: what the run made, best as written.
        clusters: what it was made from: ``record_id``, ``cluster_id``, ``quarantined``, ``parted``.
        member: NOMINAL_MEMBER of the last good run.
        nominal: NOMINAL of the last good run.
        event: NOMINAL_EVENT of all earlier good runs.
        run_no: number of this run.

    Returns:
        One row per IdentityFault: ``fault``, ``found`` (BIGINT, 0 when all is well).
    """
    records = _records(identity, clusters, member, event)
    nominals = _nominals(identity, records, nominal, event)
    counts = [
        _counted(records, _of_record(run_no)),
        _counted(nominals, _of_nominal(run_no)),
        _counted(_clusters(records), {IdentityFault.NOT_ONE_CLUSTER: F.col("lowest") != F.col("highest")}),
    ]
    found = reduce(DataFrame.unionByName, counts).groupBy("fault").agg(F.sum("found").alias("found"))
    return found.select("fault", "found")


def faults_in_words(found: dict[str, int]) -> list[str]:
    """Sentences for the faults that were found.

    Args:
        found: count by IdentityFault.
    """
    return [f"nominals: {found[fault]} {words}" for fault, words in SENTENCES.items() if found.get(fault)]


def _counted(rows: DataFrame, faults: dict[IdentityFault, Column]) -> DataFrame:
    """The number of rows that have each fault: ``fault``, ``found``; a condition that is null is no fault."""
    counts = rows.agg(*[F.count_if(fault).alias(name) for name, fault in faults.items()])
    pairs = [F.struct(F.lit(str(name)).alias("fault"), F.col(name).alias("found")) for name in faults]
    return counts.select(F.inline(F.array(*pairs)))


def _records(identity: Identity, clusters: DataFrame, member: DataFrame, event: DataFrame) -> DataFrame:
    """One row per record ever known: where it stands in each table, and how often."""
    one = F.lit(1)
    placed = clusters.select("record_id", "cluster_id", "quarantined", "parted", one.alias("in_clusters"))
    now = identity.member.select("record_id", F.struct(*_MEMBER).alias("now"), one.alias("in_members"))
    before = member.select("record_id", F.struct(*_MEMBER).alias("before"))
    told = event.unionByName(identity.event).where("record_id is not null")
    sides = [placed, now, before, told.withColumnRenamed("nominal_id", "told_id").drop("other_nominal_id")]
    gathered = reduce(lambda left, right: left.unionByName(right, allowMissingColumns=True), sides)
    return gathered.groupBy("record_id").agg(
        *[F.max(name).alias(name) for name in ("cluster_id", "quarantined", "parted", "now", "before")],
        *[F.coalesce(F.sum(name), F.lit(0)).alias(name) for name in ("in_clusters", "in_members")],
        last_place("told_id").alias("told"),
    )


def _of_record(run_no: int) -> dict[IdentityFault, Column]:
    """Faults that a record has by itself, of a row of ``_records``."""
    stays = F.col("now.nominal_id").eqNullSafe(F.col("before.nominal_id"))
    told_id = F.when(~F.col("told.gone"), F.col("told.nominal_id"))
    told_since = F.when(~F.col("told.gone"), F.col("told.since_run_no"))
    return {
        IdentityFault.RUN_NO_NOT_ABOVE: F.col("before.since_run_no") >= F.lit(run_no),
        IdentityFault.CLUSTER_MISSING: (F.col("in_clusters") > 0) & (F.isnull("cluster_id") | F.isnull("quarantined")),
        IdentityFault.RECORD_NOT_ONCE: (F.col("in_clusters") != F.col("in_members")) | (F.col("in_clusters") > 1),
        IdentityFault.MOVED_IN_QUARANTINE: F.col("quarantined")
        & F.col("before").isNotNull()
        & (stays == F.col("parted")),
        IdentityFault.NOMINAL_MISCOUNTED: ~F.col("quarantined").eqNullSafe(F.col("now.quarantined")),
        IdentityFault.REPLAY_DIFFERS: ~told_id.eqNullSafe(F.col("now.nominal_id"))
        | ~told_since.eqNullSafe(F.col("now.since_run_no")),
    }


def _clusters(records: DataFrame) -> DataFrame:
    """One row per cluster that is not under quarantine: ``lowest`` and ``highest`` of its nominals."""
    nominal = F.col("now.nominal_id")
    return (
        records.where(~F.col("quarantined"))
        .groupBy("cluster_id")
        .agg(F.min(nominal).alias("lowest"), F.max(nominal).alias("highest"))
    )


def _nominals(identity: Identity, records: DataFrame, nominal: DataFrame, event: DataFrame) -> DataFrame:
    """One row per nominal ever known: its row now and before, what its records say, what its events tell."""
    one = F.lit(1)
    now = identity.nominal.select("nominal_id", F.struct(*_NOMINAL).alias("now"), one.alias("rows"))
    survivors = identity.nominal.where(F.col("state") == F.lit(NominalState.MERGED.value)).select(
        F.coalesce("merged_into", "nominal_id").alias("nominal_id"), F.col("ended_run_no").alias("took_over_run_no")
    )
    before = nominal.select("nominal_id", F.struct(*_NOMINAL).alias("before"))
    free = ~F.col("quarantined")
    members = records.where("now is not null").select(
        F.col("now.nominal_id").alias("nominal_id"),
        one.alias("members"),
        F.when(free, F.col("cluster_id")).alias("cluster_id"),
        "quarantined",
        (F.col("quarantined") & (F.col("before").isNull() | F.col("parted"))).alias("newcomer"),
    )
    known = records.where("before is not null").select(
        F.col("before.nominal_id").alias("nominal_id"), F.lit(True).alias("was_known")
    )
    told = event.unionByName(identity.event).where("record_id is null").drop("record_id")
    sides = [now, survivors, before, members, known, told]
    gathered = reduce(lambda left, right: left.unionByName(right, allowMissingColumns=True), sides)
    plain = ("now", "before", "was_known", "took_over_run_no", "newcomer")
    return gathered.groupBy("nominal_id").agg(
        *[F.max(name).alias(name) for name in plain],
        *[F.coalesce(F.sum(name), F.lit(0)).alias(name) for name in ("rows", "members")],
        F.struct(F.min("cluster_id").alias("low"), F.max("cluster_id").alias("high")).alias("cluster"),
        F.struct(F.min("quarantined").alias("low"), F.max("quarantined").alias("high")).alias("held"),
        history().alias("told"),
    )


def _of_nominal(run_no: int) -> dict[IdentityFault, Column]:
    """Faults of a nominal, of a row of ``_nominals``."""
    known = F.col("before").isNotNull() | F.col("was_known")
    had_ended = F.col("before.ended_run_no").isNotNull()
    lives = F.col("now.state").isin(NominalState.LIVE.value, NominalState.QUARANTINED.value)
    is_held = F.col("now.state") == F.lit(NominalState.QUARANTINED.value)
    agrees = (
        (F.col("now.records") == F.col("members"))
        & (lives == (F.col("members") > 0))
        & (lives == F.isnull("now.ended_run_no"))
        & (is_held == F.coalesce("held.high", F.lit(False)))
    )
    is_told = reduce(
        lambda one, other: one & other,
        [F.col(f"now.{name}").eqNullSafe(F.col(f"told.{name}")) for name in _NOMINAL if name != "records"],
    )
    last = F.greatest("before.created_run_no", F.coalesce("before.ended_run_no", F.lit(0)))
    merged_here = F.col("took_over_run_no") == F.lit(run_no)
    return {
        IdentityFault.RUN_NO_NOT_ABOVE: last >= F.lit(run_no),
        IdentityFault.MOVED_IN_QUARANTINE: F.col("newcomer") & (F.col("members") > 1),
        IdentityFault.NOT_ONE_CLUSTER: (F.col("cluster.low") != F.col("cluster.high"))
        | (F.col("held.low") != F.col("held.high")),
        IdentityFault.ID_COLLISION: (known & (F.col("now.created_run_no") == F.lit(run_no))) | (had_ended & lives),
        IdentityFault.NOMINAL_NOT_ONCE: F.col("rows") != 1,
        IdentityFault.NOMINAL_MISCOUNTED: ~F.coalesce(agrees, F.lit(False)),
        IdentityFault.ENDED_CHANGED: had_ended & ~F.col("now").eqNullSafe(F.col("before")),
        IdentityFault.MERGED_INTO_NOTHING: merged_here & ~F.coalesce(lives, F.lit(False)),
        IdentityFault.REPLAY_DIFFERS: ~is_told,
    }
