"""The backfill and the daily run in the tests' own session: the jobs' real code over real feeds and real Delta tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from delta.tables import DeltaTable
from pyspark.sql import functions as F

from linkage_spark.kit.contract import TableContract
from linkage_spark.kit.frames import local_frame
from linkage_spark.model.schema import Model, load_model
from linkage_spark.reference.standard import load_reference
from linkage_spark.runs.backfill import backfill
from linkage_spark.runs.compact import compact
from linkage_spark.runs.context import RunContext
from linkage_spark.runs.daily import daily
from linkage_spark.runs.daily_nominals import own_run
from linkage_spark.runs.manifest import last_good_run, new_run_id
from linkage_spark.runs.nominals import nominals
from linkage_spark.runs.progress import Progress
from linkage_spark.runs.publish import show_again
from linkage_spark.runs.retain import Order, retain
from linkage_spark.settings.canaries import load_canaries
from linkage_spark.settings.run import AlertBudget, load_settings
from linkage_spark.settings.sources import Disposal, FeedMapping, Produces, SourceMapping, feeds_of, load_sources
from linkage_spark.settings.wording import load_wording
from linkage_spark.store.delta import DeltaStore
from linkage_spark.store.files import Files
from linkage_spark.tables.enums import RunKind, RunStatus
from linkage_spark.tables.results import RUN
from linkage_spark.tables.review import LINK_JUDGEMENT
from tests.support.day_worlds import FIRST_DAY, Feeds
from tests.support.feeds import COLUMNS, CONF, schema_of

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

SECRET = b"s" * 32
FIRST_START = datetime.combine(FIRST_DAY, time(5, 30), tzinfo=UTC)

_SHARES = ("max_refused_share", "max_fall", "max_refused_rise", "max_filled_fall")
_FACTORS = ("max_links_per_employee", "max_rise", "max_times_changed", "max_times_candidates", "max_times_cluster")
WIDE = {
    **dict.fromkeys(_SHARES, 1.0),
    **dict.fromkeys((*_FACTORS, "max_weight_shift_bits"), 1e6),
    **dict.fromkeys(("max_event_age_days", "max_feed_age_days"), 10_000),
    "min_times_changed": 0.0,
    "alert_budget": dict.fromkeys(AlertBudget.model_fields, 10_000),
}
"""Limits that no day of a small wild world breaks."""


def write_day(spark: SparkSession, root: Path, before: Feeds | None, now: Feeds) -> None:
    """Bring the feeds under a root from one day's content to another's, as their sources would.

    A Delta feed is deleted from and added to, so that its change feed tells; any other is written anew where it changed.
    """
    for feed in feeds_of(load_sources(CONF)):
        rows = list(now[feed.key].values())
        path = str(root / str(feed.path))
        if before is not None and _counted(before[feed.key].values()) == _counted(rows):
            continue
        if feed.format == "delta" and before is not None:
            _amend(spark, path, feed, list(before[feed.key].values()), rows)
            continue
        writer = _frame(spark, feed.key, rows).coalesce(1).write.mode("overwrite").format(feed.format)
        if feed.format == "csv":
            writer = writer.option("header", "true").option("escape", '"')
        writer.option("delta.enableChangeDataFeed", True).save(path)


def _model(model_id: str) -> Model:
    """The shipped model, with thresholds that a force of a few hundred records can reach: every name is common in it."""
    shipped = load_model(CONF, model_id)
    thresholds = shipped.thresholds.model_copy(update={"match_bits": 0.0, "possible_bits": -8.0})
    return shipped.model_copy(update={"thresholds": thresholds})


def sources_of_days() -> tuple[SourceMapping, ...]:
    """The shipped mappings, where an intelligence report is disposed of on its review date, and UPRN of a nominal is its PNC id."""
    found = []
    for source in load_sources(CONF):
        if "nominal" in source.feeds:
            nominal = _with_pnc_ids(source.feeds["nominal"])
            source = source.model_copy(update={"feeds": {**source.feeds, "nominal": nominal}})
        if "report" in source.feeds:
            report = source.feeds["report"].model_copy(update={"disposal": Disposal(column="REVIEW_DATE")})
            source = source.model_copy(update={"feeds": {**source.feeds, "report": report}})
        found.append(source)
    return tuple(found)


def _with_pnc_ids(nominal: FeedMapping) -> FeedMapping:
    """A feed of nominals whose UPRN is no place's number."""
    person, *others = nominal.produces
    columns = {name: column for name, column in person.columns.items() if name != "uprn"}
    columns_of_numbers = {"person_ref": "NOMINAL_URN", "pnc_id": "UPRN", "version": "UPDATED_AT"}
    numbers = Produces.model_validate(
        {"table": "person_identifier", "columns": columns_of_numbers, "constants": {"verified": True}}
    )
    return nominal.model_copy(update={"produces": (person.model_copy(update={"columns": columns}), *others, numbers)})


def _frame(spark: SparkSession, key: str, rows: Iterable[Mapping[str, Any]]) -> DataFrame:
    return local_frame(spark, [tuple(row[name] for name in COLUMNS[key]) for row in rows], schema=schema_of(key))


def _counted(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    return sorted(repr(sorted(row.items())) for row in rows)


def _amend(spark: SparkSession, path: str, feed: FeedMapping, before: list[Any], now: list[Any]) -> None:
    """Delete every row of the references that changed, and add what they say now."""
    key = feed.produces[0].read_columns[0]
    refs = sorted({str(row[key]) for row in [*before, *now]})
    changed = [
        ref
        for ref in refs
        if _counted(row for row in before if row[key] == ref) != _counted(row for row in now if row[key] == ref)
    ]
    DeltaTable.forPath(spark, path).delete(F.col(key).isin(changed))
    added = [row for row in now if row[key] in changed]
    if added:
        _frame(spark, feed.key, added).coalesce(1).write.format("delta").mode("append").save(path)


_JOBS = {RunKind.BACKFILL: backfill, RunKind.DAILY: daily, RunKind.COMPACT: compact}


@dataclass
class MainJob:
    """One output root and the feeds that it reads.

    Attributes:
        spark: the session.
        root: output root.
        feeds: feeds root.
        clock: when the next run begins.
        said: what the last run printed.
        settings: nested tables over those of conf.
        with_canaries: the made-up employees are screened too, as in every job. A fifth of a run of a few rows; and in a force of a few dozen
            every name is common, and they are not found.
    """

    spark: SparkSession
    root: Path
    feeds: Path
    clock: datetime = FIRST_START
    said: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    with_canaries: bool = False

    @property
    def model(self) -> Model:
        """The model that its runs screen with."""
        return _model(load_settings(CONF, "local").screening.model_id)

    @property
    def store(self) -> DeltaStore:
        """Its tables."""
        return DeltaStore(self.spark, str(self.root))

    def backfill(self, day: date) -> None:
        """One backfill."""
        self._run(RunKind.BACKFILL, day)

    def daily(self, day: date) -> None:
        """One daily run."""
        self._run(RunKind.DAILY, day)

    def nominals(self, day: date) -> None:
        """Which records are one person; every later day tells it anew."""
        self._run(RunKind.NOMINALS, day, lambda run: nominals(own_run(run)))

    def take_back(self, day: date) -> None:
        """Readers see again what the very first run published."""
        runs = self.store.read(RUN).where(F.col("status") == RunStatus.PUBLISHED.value).orderBy("run_no")
        first = runs.select("run_id").first()
        assert first is not None
        self._run(RunKind.PUBLISH, day, lambda run: show_again(run, first["run_id"]))

    def say(self, link: Mapping[str, Any], word: str, at: datetime) -> None:
        """A reviewer's word on a link as it is shown."""
        told = {**link, "judgement": word, "judged_at": at, "reviewer": "R1", "reason": "seen on paper"}
        rows = [tuple(told[name] for name in LINK_JUDGEMENT.names)]
        self.store.append(LINK_JUDGEMENT, local_frame(self.spark, rows, schema=LINK_JUDGEMENT.schema))

    def compact(self, day: date) -> None:
        """Tables that have grown, written whole again."""
        self._run(RunKind.COMPACT, day)

    def retain(self, day: date, order: Order | None = None) -> None:
        """Remove what is due."""
        self._run(RunKind.RETAIN, day, lambda run: retain(run, order or Order()))

    def _run(self, kind: RunKind, day: date, job: Callable[[RunContext], None] | None = None) -> None:
        log = self.root.with_suffix(".log")
        start = log.stat().st_size if log.exists() else 0
        try:
            with log.open("a", encoding="utf-8") as printed:
                (job or _JOBS[kind])(self.context(kind, day, printed))
        finally:
            self.said = log.read_bytes()[start:].decode()
            self.clock += timedelta(days=1)

    def context(self, kind: RunKind, day: date, printed: TextIO) -> RunContext:
        """What ``open_run`` gives, without a session or a lock of its own."""
        settings = load_settings(CONF, "local", {"gates": WIDE, **self.settings})
        return RunContext(
            kind=kind,
            run_id=new_run_id(self.clock, kind.value),
            started_at=self.clock,
            day=day,
            root=str(self.root),
            feeds_root=str(self.feeds),
            spark=self.spark,
            files=Files(self.spark),
            store=self.store,
            settings=settings,
            wording=load_wording(CONF),
            sources=sources_of_days(),
            reference=load_reference(CONF),
            model=self.model,
            canaries=load_canaries(CONF) if self.with_canaries else (),
            secret=SECRET,
            progress=Progress(stream=printed),
        )

    def rows(self, contract: TableContract, *, leave_out: Iterable[str] = ()) -> list[tuple[Any, ...]]:
        """The rows that the last good run pins, in some order of their own."""
        good = last_good_run(self.store)
        assert good is not None
        frame = self.store.read(contract, version=good.versions[contract.name])
        names = [name for name in contract.names if name not in set(leave_out)]
        return sorted((tuple(row[name] for name in names) for row in frame.collect()), key=repr)
