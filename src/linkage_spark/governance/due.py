"""Which rows are due for removal: what no longer holds, once its period is over, or at once where somebody asked for it.

What still holds follows its source and is never due here: have it removed there, and the next daily run withdraws it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from linkage_spark.kit.contract import TableContract
from linkage_spark.settings.run import KeptFor, Retention
from linkage_spark.tables.enums import (
    ItemChange,
    NominalEventKind,
    Purpose,
    RemovalReason,
    SubjectKind,
    WithdrawalReason,
)
from linkage_spark.tables.lifecycle import HIT_HISTORY

ASKED: Final = "kind string, source_system string, ref string"
"""Columns of what somebody asked for: SubjectKind, the source system (null of an employee), and the reference."""

NO_PRINT: Final = "removed"
"""Stands in the place of a fingerprint that was removed."""

_WAYS: Final[Mapping[SubjectKind, Mapping[str, str]]] = {
    SubjectKind.EMPLOYEE: {"employee_id": "ref"},
    SubjectKind.PERSON: {"source_system": "source_system", "person_ref": "ref"},
    SubjectKind.EVENT: {"source_system": "source_system", "event_ref": "ref"},
}


def due_rows(
    history: DataFrame,
    contract: TableContract,
    runs: DataFrame,
    asked: DataFrame,
    *,
    missing: Mapping[str, DataFrame],
    retention: Retention,
    day: date,
) -> DataFrame:
    """The rows of a history, with what is due.

    A row whose own person record or event its source has taken back is kept as such, whatever else made it go. One whose employee or
    record the source still holds, and whose rows were refused, is superseded.

    Args:
        history: rows of one of the histories.
        contract: the table whose history it is.
        runs: ``run_id`` and ``run_no`` of all runs.
        asked: what somebody asked for, columns as ASKED.
        missing: by ``person_ref`` and ``event_ref``, the source system and reference of each that histories name, that no table holds
            and of which the source holds no refused row either.
        retention: how long what no longer holds is kept.
        day: the day that the run is for.

    Returns:
        The history's columns; ``due``, the RemovalReason of a row that is to go, else null; ``goes``, true where its item goes as
        a whole; ``run_no``; ``gone_no``, the run in which its item went, null while it holds.
    """
    whole, in_order = Window.partitionBy(*contract.key), Window.partitionBy(*contract.key).orderBy("run_no")
    numbered = _with_missing(_with_asked(history, asked), missing).join(
        F.broadcast(runs.select("run_id", "run_no")), on=["run_id"], how="left"
    )
    numbered = numbered.withColumn("run_no", F.coalesce("run_no", F.lit(0)))

    def last(name: str) -> Column:
        return F.max_by(name, "run_no").over(whole)

    purpose = last("purpose") if "purpose" in contract.names else None
    told = numbered.select(
        *history.columns,
        "run_no",
        "asked",
        "is_missing",
        F.lead("run_day").over(in_order).alias("next_day"),
        (last("item_change") == ItemChange.WITHDRAWN.value).alias("is_gone"),
        last("run_day").alias("gone_day"),
        last("run_no").alias("gone_no"),
        _days(_reason(last("withdrawal_reason")), purpose, retention).alias("gone_days"),
        _days(_reason(F.lit(None).cast("string")), purpose, retention).alias("kept_days"),
    )
    today = F.lit(day).cast("date")
    is_past = F.col("next_day").isNotNull()
    gone_over = F.col("is_gone") & (F.date_add("gone_day", F.col("gone_days")) <= today)
    past_over = is_past & (F.date_add("next_day", F.col("kept_days")) <= today)
    due = (
        F.when(F.col("asked") & (F.col("is_gone") | is_past), F.lit(RemovalReason.ASKED_FOR.value))
        .when(gone_over, F.lit(RemovalReason.PERIOD_OVER.value))
        .when(past_over, F.lit(RemovalReason.SUPERSEDED.value))
    )
    goes = F.col("is_gone") & (F.col("asked") | gone_over)
    gone_no = F.when(F.col("is_gone"), F.col("gone_no"))
    return told.select(
        *history.columns,
        due.alias("due"),
        F.coalesce(goes, F.lit(False)).alias("goes"),
        "run_no",
        gone_no.alias("gone_no"),
    )


def without_prints(hits: DataFrame, links: DataFrame) -> DataFrame:
    """HIT_HISTORY without fingerprints that a link had a part in which goes: a print of evidence is personal data too.

    Args:
        hits: ``due_rows`` of HIT_HISTORY.
        links: ``due_rows`` of LINK_HISTORY.

    Returns:
        The rows of ``hits``; of hits of the same employee and source up to the run in which the link went the print is NO_PRINT.
    """
    going = links.where("goes").groupBy("employee_id", "source_system").agg(F.max("gone_no").alias("link_gone_no"))
    told = hits.join(F.broadcast(going), on=["employee_id", "source_system"], how="left")
    # The row of a hit that went with the link tells the evidence that it last had.
    went_too = F.when(F.col("item_change") == ItemChange.WITHDRAWN.value, F.lit(1)).otherwise(F.lit(0))
    part = F.coalesce(F.col("run_no") - went_too < F.col("link_gone_no"), F.lit(False))
    said = F.when(part, F.lit(NO_PRINT)).otherwise(F.col("evidence_fingerprint"))
    names = [name for name in HIT_HISTORY.names if name != "evidence_fingerprint"]
    return told.select(*names, said.alias("evidence_fingerprint"), "due").select(*HIT_HISTORY.names, "due")


def without_rivals(links: DataFrame, gone: DataFrame) -> DataFrame:
    """Rows of LINK_HISTORY that no longer say who else the record might have been, where that was one of those who are gone.

    Args:
        links: rows of LINK_HISTORY, with further columns or without.
        gone: ``employee_id``, once each.
    """
    told = links.join(
        F.broadcast(gone.select(F.col("employee_id").alias("rival_employee_id"), F.lit(True).alias("rival_gone"))),
        on=["rival_employee_id"],
        how="left",
    )
    rival = F.when(F.col("rival_gone").isNull(), F.col("rival_employee_id")).alias("rival_employee_id")
    return told.select(*[rival if name == "rival_employee_id" else F.col(name) for name in links.columns])


def due_records(
    event: DataFrame,
    nominal_runs: DataFrame,
    runs: DataFrame,
    asked_ids: DataFrame,
    held_ids: DataFrame,
    *,
    days: int,
    held_days: int,
    day: date,
) -> DataFrame:
    """Records of nominals that are gone for so long that nothing more may be told of them.

    Args:
        event: NOMINAL_EVENT.
        nominal_runs: NOMINAL_RUN.
        runs: RUN, for the day that each of them was for: as of all else, it is this day that periods count from.
        asked_ids: ``record_id`` of person records that somebody asked for.
        held_ids: ``record_id`` of those that their source still holds, and whose rows were refused.
        days: for which the moves of a record that is gone are kept.
        held_days: for which those of one that was refused are.
        day: the day that the run is for.

    Returns:
        ``record_id``, ``due`` (RemovalReason), once each; never of a record that belongs to a nominal.
    """
    moves = event.where(F.col("record_id").isNotNull())
    last = moves.groupBy("record_id").agg(
        F.max_by("kind", "run_no").alias("kind"), F.max("run_no").alias("run_no")
    )  # of one run a record has one move at most
    gone = last.where(F.col("kind") == NominalEventKind.LEFT.value)
    days_of_runs = nominal_runs.select("run_no", "run_id").join(
        runs.select("run_id", "run_day"), on=["run_id"], how="inner"
    )
    dated = gone.join(F.broadcast(days_of_runs.select("run_no", "run_day")), on=["run_no"], how="left")
    wanted = asked_ids.select("record_id").distinct().withColumn("asked", F.lit(True))
    held = held_ids.select("record_id").distinct().withColumn("held", F.lit(True))
    told = dated.join(F.broadcast(wanted), on=["record_id"], how="left").join(held, on=["record_id"], how="left")
    kept_days = F.when(F.col("held"), F.lit(held_days)).otherwise(F.lit(days))
    over = F.date_add("run_day", kept_days) <= F.lit(day).cast("date")
    due = F.when(F.col("asked"), F.lit(RemovalReason.ASKED_FOR.value)).when(
        over, F.lit(RemovalReason.PERIOD_OVER.value)
    )
    return told.select("record_id", due.alias("due")).where(F.col("due").isNotNull())


def _with_asked(frame: DataFrame, asked: DataFrame) -> DataFrame:
    """A frame with ``asked``: somebody asked for what is held on the row's employee, person record or event."""
    marks = []
    for kind, columns in _WAYS.items():
        if set(columns) <= set(frame.columns):
            mark = f"asked_{kind.value}"
            wanted = asked.where(F.col("kind") == kind.value).select(
                *[F.col(at).alias(name) for name, at in columns.items()], F.lit(True).alias(mark)
            )
            frame = frame.join(F.broadcast(wanted.distinct()), on=list(columns), how="left")
            marks.append(mark)
    told = F.coalesce(*marks, F.lit(False)) if marks else F.lit(False)
    return frame.withColumn("asked", told).drop(*marks)


def _with_missing(frame: DataFrame, missing: Mapping[str, DataFrame]) -> DataFrame:
    """A frame with ``is_missing``: the row names a person record or an event that its source holds no more."""
    marks = []
    for ref, gone in missing.items():
        if ref in frame.columns:
            mark = f"no_{ref}"
            on = ["source_system", ref]
            frame = frame.join(
                F.broadcast(gone.select(*on).distinct().withColumn(mark, F.lit(True))), on=on, how="left"
            )
            marks.append(mark)
    told = F.coalesce(*marks, F.lit(False)) if marks else F.lit(False)
    return frame.withColumn("is_missing", told).drop(*marks)


def _reason(reason: Column) -> Column:
    """Why a row went; that its source took it back comes before anything else."""
    return F.when(F.col("is_missing"), F.lit(WithdrawalReason.RECORD_WITHDRAWN.value)).otherwise(reason)


def _days(reason: Column, purpose: Column | None, retention: Retention) -> Column:
    """Days for which a row is kept; without a purpose of its own the longer of both. What was refused is superseded, as all else."""

    def of(kept: KeptFor) -> Column:
        return (
            F.when(reason == WithdrawalReason.RECORD_WITHDRAWN.value, F.lit(kept.record_withdrawn))
            .when(reason == WithdrawalReason.LEFT_ROSTER.value, F.lit(kept.left_roster))
            .otherwise(F.lit(kept.superseded))
        )

    both = of(retention.law_enforcement), of(retention.public_task)
    if purpose is None:
        return F.greatest(*both)
    return F.when(purpose == Purpose.LAW_ENFORCEMENT.value, both[0]).otherwise(both[1])
