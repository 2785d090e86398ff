"""Events of nominals → the tables as they stood after any run.

What the events do not hold: why records were together (that is in NOMINAL_EDGE of the run), which cluster a nominal under
quarantine was held in, what a record was called, and anything of a record whose events were erased.
"""

from __future__ import annotations

from datetime import datetime

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from linkage_spark.tables.enums import NominalEventKind, NominalState
from linkage_spark.tables.nominals import NOMINAL, NOMINAL_MEMBER

_STATE_AFTER = {
    NominalEventKind.CREATED: NominalState.LIVE,
    NominalEventKind.QUARANTINED: NominalState.QUARANTINED,
    NominalEventKind.RELEASED: NominalState.LIVE,
    NominalEventKind.MERGED: NominalState.MERGED,
    NominalEventKind.RETIRED: NominalState.RETIRED,
}
"""What a nominal is after an event to it as a whole. Of one run, only *created* can be followed by another."""

_ENDS = (NominalEventKind.MERGED, NominalEventKind.RETIRED)


def replay(event: DataFrame, *, until_run_no: int | None = None) -> DataFrame:
    """Tell the members of nominals from events alone.

    Args:
        event: NOMINAL_EVENT rows from the first run on; repeated rows count once.
        until_run_no: the last run that counts; None for all.

    Returns:
        NOMINAL_MEMBER as it stood after that run.
    """
    told = _until(event, until_run_no)
    places = (
        told.where(F.col("record_id").isNotNull())
        .groupBy("record_id")
        .agg(last_place().alias("last"))
        .where(~F.col("last.gone"))
        .select("record_id", "last.nominal_id", "last.since_run_no")
    )
    held = F.col("told.state") == F.lit(NominalState.QUARANTINED.value)
    states = _histories(told).select("nominal_id", held.alias("quarantined"))
    return NOMINAL_MEMBER.conform(places.join(states, on=["nominal_id"], how="left"))


def replay_nominals(event: DataFrame, *, until_run_no: int | None = None) -> DataFrame:
    """Tell the nominals from events alone.

    Args:
        event: NOMINAL_EVENT rows from the first run on; repeated rows count once.
        until_run_no: the last run that counts; None for all.

    Returns:
        NOMINAL as it stood after that run.
    """
    records = replay(event, until_run_no=until_run_no).groupBy("nominal_id").agg(F.count(F.lit(1)).alias("records"))
    told = _histories(_until(event, until_run_no)).select("nominal_id", "told.*")
    counted = told.join(records, on=["nominal_id"], how="left")
    return NOMINAL.conform(counted.withColumn("records", F.coalesce("records", F.lit(0)).cast("int")))


def run_no_at(runs: DataFrame, moment: datetime) -> int:
    """The last run that had begun at a moment, as ``until_run_no`` takes it; 0 before the first.

    Args:
        runs: NOMINAL_RUN.
        moment: with a time zone.

    Raises:
        ValueError: the moment has no time zone.
    """
    if moment.tzinfo is None:
        raise ValueError("the moment needs a time zone")
    found = runs.where(F.col("started_at") <= F.lit(moment)).agg(F.max("run_no")).collect()[0][0]
    return int(found or 0)


def last_place(nominal: str = "nominal_id") -> Column:
    """Of all events of one record, an aggregate: a struct of ``since_run_no``, ``gone`` and ``nominal_id`` (read from column ``nominal``) of the last."""
    gone = F.col("kind") == F.lit(NominalEventKind.LEFT.value)
    known = F.col("kind").isin(NominalEventKind.JOINED.value, NominalEventKind.LEFT.value)
    return F.max(
        F.when(
            known,
            F.struct(F.col("run_no").alias("since_run_no"), gone.alias("gone"), F.col(nominal).alias("nominal_id")),
        )
    )


def history() -> Column:
    """Of all events of one nominal, an aggregate: a struct of the columns of NOMINAL that no count of members is needed for."""
    state = F.coalesce(*[F.when(_is(kind), F.lit(state.value)) for kind, state in _STATE_AFTER.items()])
    later = ~_is(NominalEventKind.CREATED)
    last = F.max(F.when(state.isNotNull(), F.struct("run_no", later.alias("later"), state.alias("state"))))
    return F.struct(
        last["state"].alias("state"),
        F.min(F.when(_is(NominalEventKind.CREATED), F.col("run_no"))).alias("created_run_no"),
        F.max(F.when(_is(NominalEventKind.MERGED), F.col("other_nominal_id"))).alias("merged_into"),
        F.max(F.when(_is(*_ENDS), F.col("run_no"))).alias("ended_run_no"),
    )


def _until(event: DataFrame, run_no: int | None) -> DataFrame:
    """The events up to a run."""
    return event if run_no is None else event.where(F.col("run_no") <= F.lit(run_no))


def _is(*kinds: NominalEventKind) -> Column:
    """The event is of one of these kinds."""
    return F.col("kind").isin(*[kind.value for kind in kinds])


def _histories(event: DataFrame) -> DataFrame:
    """One row per nominal: ``nominal_id``, ``told``, the struct of ``history``."""
    whole = event.where(_is(*_STATE_AFTER))
    return whole.groupBy("nominal_id").agg(history().alias("told"))
