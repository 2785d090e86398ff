"""Retention: due rows go from the histories, from the items and from what nominals remember of records that are gone; reviewers' words last."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import Final

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from linkage_spark.governance.due import due_records, due_rows, without_prints, without_rivals
from linkage_spark.hits.build import stable_id
from linkage_spark.hits.withdrawals import still_held
from linkage_spark.kit.contract import TableContract
from linkage_spark.kit.frames import local_frame
from linkage_spark.nominals.records import record_id
from linkage_spark.runs.context import RunContext
from linkage_spark.runs.daily_nominals import NominalPart
from linkage_spark.runs.manifest import GoodRun
from linkage_spark.runs.reading import persisted
from linkage_spark.runs.reviewers_words import read_words
from linkage_spark.tables.canonical import EMPLOYEE, EVENT, PERSON, REFUSED
from linkage_spark.tables.enums import ItemKind, RemovalReason, SourceSystem, SubjectKind
from linkage_spark.tables.lifecycle import HIT_HISTORY, ITEM, LINK_HISTORY, LOCATION_HIT_HISTORY
from linkage_spark.tables.linkage import LINK
from linkage_spark.tables.nominals import NOMINAL_EVENT, NOMINAL_RUN, PERSON_JUDGEMENT
from linkage_spark.tables.results import HIT, LOCATION_HIT, RUN
from linkage_spark.tables.review import LINK_JUDGEMENT, NEGATED_LINK

_HISTORIES: Final[Mapping[TableContract, tuple[TableContract, ItemKind]]] = {
    LINK_HISTORY: (LINK, ItemKind.LINK),
    HIT_HISTORY: (HIT, ItemKind.HIT),
    LOCATION_HIT_HISTORY: (LOCATION_HIT, ItemKind.LOCATION_HIT),
}


@dataclass(frozen=True)
class DueWords:
    """Reviewers' words that are due.

    Attributes:
        version: version of their table in which they were found.
        rows: the words; lazy, of versions that stay as they are.
    """

    version: int
    rows: DataFrame


@dataclass
class RetainedEstate:
    """What stands under the root when retention begins, and what it becomes.

    Attributes:
        good: the last good run.
        nominals: the nominals of the estate; None where there are none.
        nominals_as_they_were: nothing that decides them has changed since they were made.
        versions: version of every table that a run pins, as retention has it so far.
        removed: rows that go, by table and reason.
        words: reviewers' words that are due, by table: they are counted under ``removed``, and go last.
    """

    good: GoodRun
    nominals: NominalPart | None
    nominals_as_they_were: bool
    versions: dict[str, int]
    removed: Counter[tuple[str, str]] = field(default_factory=Counter)
    words: dict[TableContract, DueWords] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Rows that go."""
        return self.removed.total()

    def read(self, run: RunContext, table: TableContract) -> DataFrame:
        """A table as retention has it so far; empty where the last good run knew no such table."""
        if table.name not in self.versions:
            return local_frame(run.spark, [], schema=table.schema)
        return run.store.read(table, version=self.versions[table.name])


def remove_items(run: RunContext, estate: RetainedEstate, asked: DataFrame) -> None:
    """Due rows of the histories, and the items of which no history tells any more."""
    runs = run.store.read(RUN)
    missing = {ref: _missing(run, estate, table, ref) for table, ref in ((PERSON, "person_ref"), (EVENT, "event_ref"))}
    histories = {
        history: due_rows(
            estate.read(run, history),
            table,
            runs,
            asked,
            missing=missing,
            retention=run.settings.retention,
            day=run.day,
        )
        for history, (table, _) in _HISTORIES.items()
    }
    with persisted([*missing.values(), *histories.values()]):
        found = [_count_due(estate, history, rows) for history, rows in histories.items()]
        kept = {history: rows.where("due is null") for history, rows in histories.items()}
        told = told_of_items(kept)
        gone = _rivals_gone(run, estate, kept)
        found.append(_count_due(estate, LINK_HISTORY, _of_rivals(kept[LINK_HISTORY], gone)))
        if not any(found):
            return
        kept[LINK_HISTORY] = without_rivals(kept[LINK_HISTORY], gone)
        kept[HIT_HISTORY] = without_prints(histories[HIT_HISTORY], histories[LINK_HISTORY]).where("due is null")
        items = estate.read(run, ITEM)
        stay = items_as_told(items, told)
        estate.removed[(ITEM.name, RemovalReason.PERIOD_OVER.value)] += items.count() - stay.count()
        estate.versions[ITEM.name] = run.store.overwrite(ITEM, stay)
        for history, rows in kept.items():
            estate.versions[history.name] = run.store.overwrite(history, rows.select(*history.names))


def _rivals_gone(run: RunContext, estate: RetainedEstate, kept: Mapping[TableContract, DataFrame]) -> DataFrame:
    """Employees whom links name as rivals alone: they are on the roster no more, and no history tells of them themselves."""
    of_hr = estate.read(run, REFUSED).where(F.col("source_system") == SourceSystem.HR.value)
    refused = still_held(of_hr, PERSON).select(F.col("person_ref").alias("employee_id"))
    told = [rows.select("employee_id") for rows in (*kept.values(), estate.read(run, EMPLOYEE), refused)]
    held = reduce(DataFrame.unionByName, told).distinct()
    rivals = kept[LINK_HISTORY].select(F.col("rival_employee_id").alias("employee_id")).where("employee_id is not null")
    return rivals.distinct().join(held, on=["employee_id"], how="left_anti")


def _of_rivals(links: DataFrame, gone: DataFrame) -> DataFrame:
    """Rows of LINK_HISTORY that name one of them, with ``due``."""
    rival = gone.select(F.col("employee_id").alias("rival_employee_id"))
    due = F.lit(RemovalReason.RIVAL_GONE.value)
    return links.join(F.broadcast(rival), on=["rival_employee_id"], how="left_semi").withColumn("due", due)


def _missing(run: RunContext, estate: RetainedEstate, table: TableContract, ref: str) -> DataFrame:
    """References that histories name and of which no row stands in a feed any more, kept or refused: ``source_system`` and the reference."""
    on = ["source_system", ref]
    named = [estate.read(run, history).select(*on) for history in _HISTORIES if ref in history.names]
    every = reduce(DataFrame.unionByName, named).distinct()
    gone = every.join(estate.read(run, table).select(*on).distinct(), on=on, how="left_anti")
    refused = estate.read(run, REFUSED).join(F.broadcast(gone), on=on, how="left_semi")
    return gone.join(F.broadcast(still_held(refused, table)), on=on, how="left_anti")


def _count_due(estate: RetainedEstate, history: TableContract, rows: DataFrame) -> bool:
    """Count the due rows of one history; False when there are none."""
    found = rows.where("due is not null").groupBy("due").count().collect()
    for row in found:
        estate.removed[(history.name, row["due"])] += int(row["count"])
    return bool(found)


BEFORE: Final[Mapping[str, str]] = {"tier_before": "tier", "match_weight_before": "match_weight"}
"""What ITEM says of an item as it was before it last changed, and what the row of its history said that was in force then."""


def told_of_items(histories: Mapping[TableContract, DataFrame]) -> DataFrame:
    """What histories tell of items.

    Args:
        histories: rows of each history, with ``run_no``.

    Returns:
        ``item_kind``, ``item_id``, ``rows``, and ``before``: tier and weight of the row before the newest, null where there is one row alone.
    """
    listed = []
    for history, rows in histories.items():
        table, kind = _HISTORIES[history]
        item = stable_id(*table.key) if kind is ItemKind.LINK else F.col(table.key[0])
        shown = [
            (F.col(name) if name in history.names else F.lit(None)).cast(ITEM.schema[name].dataType).alias(name)
            for name in BEFORE.values()
        ]
        listed.append(rows.select(F.lit(kind.value).alias("item_kind"), item.alias("item_id"), "run_no", *shown))
    newest_first = F.sort_array(F.collect_list(F.struct("run_no", *BEFORE.values())), asc=False)
    of_item = reduce(DataFrame.unionByName, listed).groupBy(*ITEM.key)
    return of_item.agg(F.count(F.lit(1)).alias("rows"), F.get(newest_first, 1).alias("before"))


def items_as_told(items: DataFrame, told: DataFrame) -> DataFrame:
    """ITEM without items that no longer hold and of which no history tells, and without what was shown before where none tells that.

    Args:
        items: ITEM.
        told: what the rows of histories that stay tell: ``item_kind``, ``item_id``, ``rows``, ``before``.

    Returns:
        ITEM; tier and weight before the last change are null unless the row before the newest has them.
    """
    stays = F.col("is_live") | F.col("rows").isNotNull()
    same = reduce(
        lambda one, other: one & other,
        [F.col(name).eqNullSafe(F.col(f"before.{of}")) for name, of in BEFORE.items()],
    )
    columns = [F.when(same, F.col(name)).alias(name) if name in BEFORE else F.col(name) for name in ITEM.names]
    return items.join(told, on=list(ITEM.key), how="left").where(stays).select(*columns)


def remove_nominals(run: RunContext, estate: RetainedEstate, asked: DataFrame) -> None:
    """Moves of records that are long gone."""
    if estate.nominals is None:
        return
    events = estate.read(run, NOMINAL_EVENT)
    people = asked.where(F.col("kind") == SubjectKind.PERSON.value)
    ids = people.withColumn("person_ref", F.col("ref")).select(record_id().alias("record_id"))
    purposes = (run.settings.retention.law_enforcement, run.settings.retention.public_task)
    due = due_records(
        events,
        estate.read(run, NOMINAL_RUN),
        run.store.read(RUN),
        ids,
        _held_ids(run, estate),
        days=max(kept.record_withdrawn for kept in purposes),
        held_days=max(kept.superseded for kept in purposes),
        day=run.day,
    )
    told = events.join(F.broadcast(due), on=["record_id"], how="left").select(*NOMINAL_EVENT.names, "due")
    if _count_due(estate, NOMINAL_EVENT, told):
        kept = told.where("due is null").select(*NOMINAL_EVENT.names)
        estate.versions[NOMINAL_EVENT.name] = run.store.overwrite(NOMINAL_EVENT, kept)


# ---- reviewers' words --------------------------------------------------------------------------------------

_SIDES: Final = ("left_id", "right_id")
"""Record ids of the two whom a word was said of; an employee's is made as that of a police record."""


def find_words(run: RunContext, estate: RetainedEstate, asked: DataFrame) -> None:
    """Find and count reviewers' words that are due, once all other rows have gone that are: what is left tells which words stay.

    None goes yet. No run puts them back, as it does all that a stopped one had changed: so they go last (``remove_words``), once REMOVAL
    tells of them.

    Args:
        run: the run.
        estate: what stands.
        asked: what somebody asked for, columns as ASKED.
    """
    for table in (LINK_JUDGEMENT, PERSON_JUDGEMENT):
        version = run.store.version(table)
        if version is None:
            continue
        said = read_words(run.store, table, version=version)
        if table == LINK_JUDGEMENT:
            words = words_on_links(said, estate.read(run, LINK_HISTORY), estate.read(run, NEGATED_LINK))
            told = None
        else:
            words = words_on_records(said)
            told = estate.read(run, NOMINAL_EVENT).where("record_id is not null").select("record_id")
        due = due_words(words, _standing(run, estate, words, told), _held_ids(run, estate), _asked_ids(asked))
        if _count_due(estate, table, due):
            estate.words[table] = DueWords(version, due.select(*table.names))


def remove_words(run: RunContext, estate: RetainedEstate) -> None:
    """Take out the words that were found due. Those that somebody adds meanwhile stay, and are for the next run to find."""
    for table, words in estate.words.items():
        after = run.store.remove(table, words.rows)
        if estate.versions.get(table.name) == words.version and after == words.version + 1:
            estate.versions[table.name] = after


def words_on_links(said: DataFrame, links: DataFrame, negated: DataFrame) -> DataFrame:
    """Words on pairs of which no history tells, and that hold no link back.

    Args:
        said: LINK_JUDGEMENT.
        links: rows of LINK_HISTORY that stay.
        negated: NEGATED_LINK.

    Returns:
        LINK_JUDGEMENT, and ``left_id`` and ``right_id`` of the two whom a word was said of.
    """
    told = links.select(*LINK.key).unionByName(negated.select(*LINK.key)).distinct()
    untold = said.join(told, on=list(LINK.key), how="left_anti").select(*LINK_JUDGEMENT.names)
    employee = F.xxhash64(F.lit(SourceSystem.HR.value), F.col("employee_id"))
    return untold.withColumns(dict(zip(_SIDES, (employee, record_id()), strict=True)))


def words_on_records(said: DataFrame) -> DataFrame:
    """PERSON_JUDGEMENT, and ``left_id`` and ``right_id`` of the two whom a word was said of."""
    return said.withColumns({"left_id": F.col("left_record_id"), "right_id": F.col("right_record_id")})


def due_words(words: DataFrame, standing: DataFrame, held: DataFrame, asked: DataFrame) -> DataFrame:
    """Words that go: all but those of which both stand. One whom its source holds, and whose rows were refused, counts as standing.

    Where somebody asked for either of the two, what was refused holds nothing any more: of histories it goes then too. What does stand
    still holds, whoever asked.

    Args:
        words: what ``words_on_links`` or ``words_on_records`` gave.
        standing: ``record_id`` of those who stand in the tables.
        held: ``record_id`` of those whom their source still holds, and whose rows were refused.
        asked: ``record_id`` of those whom somebody asked for.

    Returns:
        The rows of ``words`` that are due, with ``due``, the RemovalReason.
    """
    told = words
    for mark, ids in {"standing": standing, "held": held, "asked": asked}.items():
        for side in _SIDES:
            marks = ids.select(F.col("record_id").alias(side)).distinct().withColumn(f"{side}_{mark}", F.lit(True))
            told = told.join(marks, on=[side], how="left")

    def is_marked(side: str, mark: str) -> Column:
        return F.col(f"{side}_{mark}").isNotNull()

    is_asked = reduce(lambda one, other: one | other, [is_marked(side, "asked") for side in _SIDES])
    stay = [is_marked(side, "standing") | (is_marked(side, "held") & ~is_asked) for side in _SIDES]
    due = F.when(is_asked, F.lit(RemovalReason.ASKED_FOR.value)).otherwise(F.lit(RemovalReason.PERIOD_OVER.value))
    gone = told.where(~reduce(lambda one, other: one & other, stay))
    return gone.select(*words.columns, due.alias("due"))


def _standing(run: RunContext, estate: RetainedEstate, words: DataFrame, told: DataFrame | None) -> DataFrame:
    """``record_id`` of those of whom words were said, and who stand in PERSON; and of those of whom the moves of nominals tell."""
    sides = [words.select(F.col(side).alias("record_id")) for side in _SIDES]
    wanted = reduce(DataFrame.unionByName, sides).distinct()
    there = [estate.read(run, PERSON).select(record_id().alias("record_id")), *([] if told is None else [told])]
    every = reduce(DataFrame.unionByName, there)
    return every.join(F.broadcast(wanted), on=["record_id"], how="left_semi").distinct()


def _held_ids(run: RunContext, estate: RetainedEstate) -> DataFrame:
    """``record_id`` of those whom their source still holds, and whose rows were refused; employees among them."""
    return still_held(estate.read(run, REFUSED), PERSON).select(record_id().alias("record_id"))


def _asked_ids(asked: DataFrame) -> DataFrame:
    """``record_id`` of employees and police records that somebody asked for."""
    is_employee = F.col("kind") == SubjectKind.EMPLOYEE.value
    people = asked.where(F.col("kind").isin(SubjectKind.EMPLOYEE.value, SubjectKind.PERSON.value)).select(
        F.when(is_employee, F.lit(SourceSystem.HR.value)).otherwise(F.col("source_system")).alias("source_system"),
        F.col("ref").alias("person_ref"),
    )
    return people.select(record_id().alias("record_id"))
