"""Why a link or hit no longer holds: told from what became of the records that it hung on. Nothing goes unexplained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Final

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from linkage_spark.kit.contract import TableContract
from linkage_spark.kit.frames import row_hash
from linkage_spark.tables.canonical import ASSIGNMENT, EVENT, INVOLVEMENT, LOCATION, PERSON
from linkage_spark.tables.enums import RefusalReason, SourceSystem, WithdrawalReason
from linkage_spark.tables.lifecycle import ITEM
from linkage_spark.tables.linkage import LINK

HANGS_ON: Final[tuple[TableContract, ...]] = (PERSON, EVENT, INVOLVEMENT, LOCATION)
"""The tables whose rows a link or hit hangs on."""

_GONE, _REFUSED, _AMENDED = "gone", "refused", "amended"


@dataclass(frozen=True)
class Estate:
    """PERSON, EVENT, INVOLVEMENT, LOCATION and REFUSED at one moment."""

    person: DataFrame
    event: DataFrame
    involvement: DataFrame
    location: DataFrame
    refused: DataFrame

    def of(self, contract: TableContract) -> DataFrame:
        """One of them."""
        frame: DataFrame = getattr(self, contract.name)
        return frame


def withdrawal_reasons(
    gone: DataFrame, before: Estate, now: Estate, *, negated: DataFrame, model_changed: bool, software_changed: bool
) -> DataFrame:
    """The reason of every item that is no longer found.

    Args:
        gone: ``lifecycle.gone_items``.
        before: the estate as the former run left it.
        now: as this run leaves it.
        negated: NEGATED_LINK of this run.
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
        state = _what_became(before, now, wanted, contract)
        state = state.select(
            *[F.col(target).alias(f"_{name}_{target}") for target in columns], F.col("became").alias(name)
        )
        same = [F.col(source) == F.col(f"_{name}_{target}") for target, source in columns.items()]
        told = told.join(F.broadcast(state), on=reduce(lambda one, other: one & other, same), how="left")
    pair = list(LINK.key)
    judged = negated.select(*pair, F.lit(True).alias("judged"))
    told = told.join(F.broadcast(judged), on=pair, how="left")
    return told.select(*ITEM.key, _reason(model_changed, software_changed).alias("withdrawal_reason"))


def _reason(model_changed: bool, software_changed: bool) -> Column:
    """WithdrawalReason of one row."""

    def became(state: str, *names: str) -> Column:
        return reduce(lambda one, other: one | other, [F.col(name).eqNullSafe(state) for name in names])

    return (
        F.when(F.col("judged"), F.lit(WithdrawalReason.JUDGED_NOT_SAME.value))
        .when(F.lit(model_changed), F.lit(WithdrawalReason.MODEL_CHANGED.value))
        .when(became(_GONE, "employee"), F.lit(WithdrawalReason.LEFT_ROSTER.value))
        .when(became(_GONE, "record", "event", "part"), F.lit(WithdrawalReason.RECORD_WITHDRAWN.value))
        .when(became(_REFUSED, "employee"), F.lit(WithdrawalReason.ROSTER_REFUSED.value))
        .when(became(_REFUSED, "record", "event", "part", "place"), F.lit(WithdrawalReason.RECORD_REFUSED.value))
        .when(became(_AMENDED, "record", "event", "part", "place"), F.lit(WithdrawalReason.RECORD_AMENDED.value))
        .when(became(_GONE, "place"), F.lit(WithdrawalReason.RECORD_AMENDED.value))
        .when(became(_AMENDED, "employee"), F.lit(WithdrawalReason.ROSTER_AMENDED.value))
        .when(F.lit(software_changed), F.lit(WithdrawalReason.SOFTWARE_CHANGED.value))
    )


def _what_became(before: Estate, now: Estate, wanted: DataFrame, contract: TableContract) -> DataFrame:
    """Units that were there before and are gone, refused or amended: the unit's columns, ``became``."""
    unit = list(contract.unit)
    names = [name for name in contract.names if name not in unit]
    sides = [
        estate.of(contract)
        .join(F.broadcast(wanted), on=unit, how="left_semi")
        .select(*unit, row_hash(names).alias("print"), F.lit(is_now).alias("is_now"))
        for estate, is_now in ((before, False), (now, True))
    ]
    both = sides[0].unionByName(sides[1]).groupBy(*unit)
    counted = both.agg(
        F.count_if(~F.col("is_now")).alias("rows_before"),
        F.count_if("is_now").alias("rows_now"),
        F.sum(F.when(F.col("is_now"), F.col("print")).otherwise(-F.col("print"))).alias("difference"),
    )
    gone = (F.col("rows_before") > 0) & (F.col("rows_now") == 0)
    amended = (F.col("rows_before") != F.col("rows_now")) | (F.col("difference") != 0)
    refused = still_held(now.refused.join(F.broadcast(wanted), on=unit, how="left_semi"), contract)
    told = counted.join(F.broadcast(refused.withColumn("is_held", F.lit(True))), on=unit, how="left")
    became = (
        F.when(gone & F.col("is_held").isNotNull(), F.lit(_REFUSED))
        .when(gone, F.lit(_GONE))
        .when(amended, F.lit(_AMENDED))
    )
    return told.select(*unit, became.alias("became")).where("became is not null")


# ---- what the source still holds ---------------------------------------------------------------------------

_ROWS_OF: Final[Mapping[TableContract, tuple[str, ...]]] = {PERSON: (PERSON.name, ASSIGNMENT.name)}
"""What the refused rows of a table would have become, where not that table alone: an employee's stand under the assignment."""

_Reasons = tuple[RefusalReason, ...]
_OTHERS: Final[_Reasons] = (RefusalReason.DUPLICATE_ROW, RefusalReason.SUPERSEDED_VERSION)
_OF_ALIASES: Final[_Reasons] = (RefusalReason.UNKNOWN_PERSON, RefusalReason.WRONG_TYPE)
_TAKEN_BACK: Final[_Reasons] = (RefusalReason.WITHDRAWN, RefusalReason.DISPOSAL_DUE)
_HANGING: Final[_Reasons] = (RefusalReason.UNKNOWN_EVENT, RefusalReason.UNKNOWN_PERSON, RefusalReason.NOT_A_PERSON)

_NO_CONTENT: Final = "{}"
"""Stands in the place of the content of a row that its source took back (``standardise.rows.settle``)."""


def still_held(refused: DataFrame, contract: TableContract) -> DataFrame:
    """The units of which the source holds a row that it has not taken back, and that was refused.

    Duplicates and superseded versions say nothing: another row of their key does. So do the aliases of a person record: what
    became of it its own row says, and where that is gone, they hang on nothing. A part or a place that is refused
    because its event or its person is not there counts as held; whether these are gone, their own rows say.

    Args:
        refused: REFUSED.
        contract: PERSON, of employees and police alike, EVENT, INVOLVEMENT or LOCATION.

    Returns:
        The unit's columns, once each.
    """
    silent = (*_OTHERS, *(_OF_ALIASES if contract == PERSON else ()))
    rows = refused.where(F.col("produces").isin(*_ROWS_OF.get(contract, (contract.name,))) & ~_is_any(silent)).dropna(
        subset=list(contract.unit)
    )
    keys = rows.groupBy(*contract.unit, "row_key").agg(F.bool_or(_is_taken_back()).alias("taken_back"))
    return keys.where("not taken_back").select(*contract.unit).distinct()


def _is_taken_back() -> Column:
    """The source has taken the row back or no longer keeps it, whatever else spoke against it: then nothing of it was kept.

    Nothing is kept of a row either whose disposal date cannot be read (it is the row that is at fault, and no column), and of
    what hangs on a row that is gone: neither says that it was taken back.
    """
    is_emptied = F.col("row_json") == _NO_CONTENT
    unreadable = _is_any((RefusalReason.UNREADABLE_DATE,)) & F.col("column_name").isNull()
    return _is_any(_TAKEN_BACK) | (is_emptied & ~_is_any(_HANGING) & ~unreadable)


def _is_any(reasons: _Reasons) -> Column:
    """A refused row has one of some reasons."""
    return F.col("reason").isin(*[reason.value for reason in reasons])
