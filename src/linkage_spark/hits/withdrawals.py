"""Why a link or hit no longer holds: told from what became of the records that it hung on. Nothing goes unexplained."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import Final

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from linkage_spark.kit.contract import TableContract
from linkage_spark.kit.frames import row_hash
from linkage_spark.tables.canonical import EVENT, INVOLVEMENT, LOCATION, PERSON
from linkage_spark.tables.enums import SourceSystem, WithdrawalReason
from linkage_spark.tables.lifecycle import ITEM

HANGS_ON: Final[tuple[TableContract, ...]] = (PERSON, EVENT, INVOLVEMENT, LOCATION)
"""The tables whose rows a link or hit hangs on."""

_GONE, _AMENDED = "gone", "amended"


@dataclass(frozen=True)
class Estate:
    """PERSON, EVENT, INVOLVEMENT and LOCATION at one moment."""

    person: DataFrame
    event: DataFrame
    involvement: DataFrame
    location: DataFrame

    def of(self, contract: TableContract) -> DataFrame:
        """One of them."""
        frame: DataFrame = getattr(self, contract.name)
        return frame


def withdrawal_reasons(
    gone: DataFrame, before: Estate, now: Estate, *, model_changed: bool, software_changed: bool
) -> DataFrame:
    """The reason of every item that is no longer found.

    Args:
        gone: ``lifecycle.gone_items``.
        before: the estate as the former run left it.
        now: as this run leaves it.
        model_changed: another model than the former run's decided.
        software_changed: other software, settings, mappings or reference lists did.

    Returns:
        ``item_kind``, ``item_id``, ``withdrawal_reason``, which is null where nothing explains it.
    """
    told = gone.withColumn("hr", F.lit(SourceSystem.HR.value))
    units = {
        "employee": (PERSON, {"source_system": "hr", "person_ref": "employee_id"}),
        "record": (PERSON, {"source_system": "source_system", "person_ref": "person_ref"}),
        "event": (EVENT, {"source_system": "source_system", "event_ref": "event_ref"}),
        "part": (INVOLVEMENT, {name: name for name in INVOLVEMENT.unit}),
        "place": (LOCATION, {"source_system": "source_system", "event_ref": "event_ref"}),
    }
    for name, (contract, columns) in units.items():
        wanted = told.select(*[F.col(source).alias(target) for target, source in columns.items()]).distinct()
        state = _what_became(before.of(contract), now.of(contract), wanted, contract)
        state = state.select(
            *[F.col(target).alias(f"_{name}_{target}") for target in columns], F.col("became").alias(name)
        )
        same = [F.col(source) == F.col(f"_{name}_{target}") for target, source in columns.items()]
        told = told.join(F.broadcast(state), on=reduce(lambda one, other: one & other, same), how="left")
    return told.select(*ITEM.key, _reason(model_changed, software_changed).alias("withdrawal_reason"))


def _reason(model_changed: bool, software_changed: bool) -> Column:
    """WithdrawalReason of one row."""

    def became(state: str, *names: str) -> Column:
        return reduce(lambda one, other: one | other, [F.col(name).eqNullSafe(state) for name in names])

    return (
        F.when(F.lit(model_changed), F.lit(WithdrawalReason.MODEL_CHANGED.value))
        .when(became(_GONE, "employee"), F.lit(WithdrawalReason.LEFT_ROSTER.value))
        .when(became(_GONE, "record", "event", "part"), F.lit(WithdrawalReason.RECORD_WITHDRAWN.value))
        .when(became(_AMENDED, "record", "event", "part", "place"), F.lit(WithdrawalReason.RECORD_AMENDED.value))
        .when(became(_GONE, "place"), F.lit(WithdrawalReason.RECORD_AMENDED.value))
        .when(became(_AMENDED, "employee"), F.lit(WithdrawalReason.ROSTER_AMENDED.value))
        .when(F.lit(software_changed), F.lit(WithdrawalReason.SOFTWARE_CHANGED.value))
    )


def _what_became(before: DataFrame, now: DataFrame, wanted: DataFrame, contract: TableContract) -> DataFrame:
    """Units that were there before and are gone or amended: the unit's columns, ``became``."""
    names = [name for name in contract.names if name not in contract.unit]
    sides = [
        frame.join(F.broadcast(wanted), on=list(contract.unit), how="left_semi").select(
            *contract.unit, row_hash(names).alias("print"), F.lit(is_now).alias("is_now")
        )
        for frame, is_now in ((before, False), (now, True))
    ]
    both = sides[0].unionByName(sides[1]).groupBy(*contract.unit)
    counted = both.agg(
        F.count_if(~F.col("is_now")).alias("rows_before"),
        F.count_if("is_now").alias("rows_now"),
        F.sum(F.when(F.col("is_now"), F.col("print")).otherwise(-F.col("print"))).alias("difference"),
    )
    gone = (F.col("rows_before") > 0) & (F.col("rows_now") == 0)
    amended = (F.col("rows_before") != F.col("rows_now")) | (F.col("difference") != 0)
    became = F.when(gone, F.lit(_GONE)).when(amended, F.lit(_AMENDED))
    return counted.select(*contract.unit, became.alias("became")).where("became is not null")
