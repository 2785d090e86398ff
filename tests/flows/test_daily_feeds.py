"""What a daily run does about feeds that are not as it left them, and at its gates: it says what and the remedy, and readers keep what they had."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest
from delta.tables import DeltaTable
from pyspark.sql import functions as F

from linkage_spark.errors import GateError, SourceError, UsageError
from linkage_spark.kit.contract import TableContract
from linkage_spark.reference.standard import load_reference
from linkage_spark.runs.check_sources import check_feeds
from linkage_spark.runs.main_stages import ALL_TABLES
from linkage_spark.runs.progress import Progress
from linkage_spark.settings.run import AlertBudget
from linkage_spark.settings.sources import SourceMapping
from linkage_spark.store.files import Files
from linkage_spark.store.snapshot import CurrentRun, read_current_run
from linkage_spark.tables.candidates import SCORED_PAIR
from linkage_spark.tables.canonical import EVENT, PERSON, REFUSED
from linkage_spark.tables.changes import CHANGES
from linkage_spark.tables.linkage import LINK
from linkage_spark.tables.results import RUN
from tests.support import main_job
from tests.support.day_worlds import FIRST_DAY, History, make_history
from tests.support.feeds import CONF
from tests.support.killing import readers_find_one_whole_run
from tests.support.left import Left, left_by
from tests.support.main_job import MainJob, sources_of_days, write_day

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SEED = 20261122
NOMINAL, CUSTODY = "crime/nominal", "custody/record"
BORN, DISPOSED = "N-LATE", "R-LATE"
"""A nominal whose date of birth, and a report whose disposal date, are to come when nothing else is."""

BORN_ON, DISPOSED_ON = 4, 6


def day(no: int) -> date:
    """So many days after the backfill."""
    return FIRST_DAY + timedelta(days=no)


@dataclass
class Ready:
    """A root after its backfill.

    Attributes:
        job: with the feeds that the backfill read.
        delivered: with those of the day after; the same root.
        calm: after a run of ``day(2)`` over these.
        left: what that run leaves.
        loaded: tables of the snapshot as a reader got them who began before that run and ended after it.
        followed: which run that reader followed, and which one readers follow then.
    """

    job: MainJob
    delivered: MainJob
    calm: MainJob
    left: Left
    loaded: dict[str, list[dict[str, Any]]]
    followed: tuple[CurrentRun, CurrentRun]


@pytest.fixture(scope="module")
def ready(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Ready:
    history = _history()
    base = tmp_path_factory.mktemp("feeds-of-days")
    job = MainJob(spark, base / "first", base / "first-feeds")
    write_day(spark, job.feeds, None, history.days[0])
    job.backfill(FIRST_DAY)
    delivered = replace(job, feeds=base / "delivered-feeds")
    shutil.copytree(job.feeds, delivered.feeds)
    write_day(spark, delivered.feeds, history.days[0], history.days[1])
    calm = copied(delivered, "calm")
    before = _current(calm)
    tables = sorted(path.name for path in (calm.root / "published").iterdir() if path.name != "current_run")
    loaded = {name: _load(calm, name, before.run_id) for name in tables[::2]}
    calm.daily(day(2))
    loaded |= {name: _load(calm, name, before.run_id) for name in tables[1::2]}
    return Ready(job, delivered, calm, left_by(calm), loaded, (before, _current(calm)))


def _current(job: MainJob) -> CurrentRun:
    current = read_current_run(Files(job.spark), str(job.root))
    assert current is not None
    return current


def _load(job: MainJob, table: str, run_id: str) -> list[dict[str, Any]]:
    """A published table as a reader loads it that has taken the run's id once."""
    files = (job.root / "published" / table / f"run_id={run_id}").glob("*.parquet")
    return [row for file in files for row in pq.ParquetFile(file).read().to_pylist()]


def _history() -> History:
    history = make_history(seed=SEED, worlds=6, days=1)
    for feeds in history.days:
        nominal = next(row for row in feeds["crime.nominal"].values() if row["NOMINAL_TYPE"] == "PERSON")
        late = {"NOMINAL_URN": BORN, "DOB": day(BORN_ON).isoformat(), "UPRN": ""}
        feeds["crime.nominal"][BORN] = {**nominal, **late}
        report = next(iter(feeds["intel.report"].values()))
        feeds["intel.report"][DISPOSED] = {**report, "REPORT_NO": DISPOSED, "REVIEW_DATE": day(DISPOSED_ON)}
    return history


def copied(job: MainJob, name: str) -> MainJob:
    """The same root and feeds once more; files keep their times, so that no feed counts as written to."""
    root, feeds = job.root.with_name(name), job.root.with_name(f"{name}-feeds")
    shutil.copytree(job.root, root)
    shutil.copytree(job.feeds, feeds)
    return replace(job, root=root, feeds=feeds)


@contextmanager
def readers_keep_what_they_had(job: MainJob) -> Iterator[None]:
    before = read_current_run(Files(job.spark), str(job.root))
    yield
    assert read_current_run(Files(job.spark), str(job.root)) == before
    assert readers_find_one_whole_run(job)


def rows(job: MainJob, table: TableContract) -> list[dict[str, Any]]:
    return [dict(zip(table.names, row, strict=True)) for row in job.rows(table)]


def record_changes(job: MainJob, *, on: bool) -> None:
    """Set the property of the table of nominals."""
    said = str(on).lower()
    job.spark.sql(f"alter table delta.`{job.feeds / NOMINAL}` set tblproperties (delta.enableChangeDataFeed = {said})")


def rename(job: MainJob, surname: str) -> None:
    """A nominal marries."""
    table = DeltaTable.forPath(job.spark, str(job.feeds / NOMINAL))
    table.update(condition=F.col("NOMINAL_URN") == BORN, set={"SURNAME": F.lit(surname)})


def surname(job: MainJob) -> str:
    """What the nominal is called in PERSON."""
    return next(str(row["surname"]) for row in rows(job, PERSON) if row["person_ref"] == BORN)


# ---- readers ------------------------------------------------------------------------------------------------


def test_a_reader_that_loads_slowly_while_a_day_is_published_gets_one_run_and_sees_its_age(ready: Ready) -> None:
    before, after = ready.followed
    assert after.run_id > before.run_id
    assert after.published_at > before.published_at
    assert {row["run_id"] for rows in ready.loaded.values() for row in rows} == {before.run_id}
    (run,) = ready.loaded["run"]
    assert run["run_day_date_key"] == int(f"{FIRST_DAY:%Y%m%d}")
    hits = ready.loaded["hit"]
    assert hits
    for table, key in (
        ("employee", "employee_key"),
        ("event", "event_key"),
        ("date", "date_key"),
        ("reason", "reason_key"),
    ):
        assert {row[key] for row in hits} <= {row[key] for row in ready.loaded[table]}, table
    assert {row["hit_key"] for row in hits} == {row["hit_key"] for row in ready.loaded["hit_link"]}
    assert {row["link_key"] for row in ready.loaded["hit_link"]} == {row["link_key"] for row in ready.loaded["link"]}


# ---- Delta tables that cannot tell -------------------------------------------------------------------------


@pytest.mark.slow
def test_a_table_that_records_no_changes_asks_for_the_backfill_and_is_followed_once_it_does(ready: Ready) -> None:
    job = copied(ready.job, "unrecorded")
    record_changes(job, on=False)
    rename(job, "Quillfeather")
    asks = r"crime\.nominal: its change feed of versions \d+ to \d+ cannot be read; set the table property .* and run the backfill"
    with readers_keep_what_they_had(job), pytest.raises(SourceError, match=asks):
        job.daily(day(1))
    job.backfill(day(1))
    assert "warning: crime.nominal: its table does not record what changes in it" in job.said
    assert surname(job).lower() == "quillfeather"
    record_changes(job, on=True)
    rename(job, "Ottershaw")
    job.daily(day(2))
    assert surname(job).lower() == "ottershaw"


def test_check_sources_names_a_table_that_records_no_changes(ready: Ready) -> None:
    job = copied(ready.job, "checked")

    def faults() -> list[str]:
        return check_feeds(
            job.spark,
            sources_of_days(),
            load_reference(CONF),
            feeds_root=str(job.feeds),
            sample_rows=20_000,
            as_of=FIRST_DAY,
            progress=Progress(stream=StringIO()),
        )

    assert faults() == []
    record_changes(job, on=False)
    assert faults() == [
        "crime.nominal: its table does not record what changes in it, so that no daily run can follow; set the table property "
        "delta.enableChangeDataFeed before anything more is written to it, or set changes = 'compare' in conf/sources/crime.toml "
        "and run the backfill"
    ]


def test_change_files_that_are_gone_ask_for_the_backfill(ready: Ready) -> None:
    job = copied(ready.job, "vacuumed")
    rename(job, "Quillfeather")
    changes = job.feeds / NOMINAL / "_change_data"
    assert list(changes.glob("*.parquet")), "the update wrote no change file"
    shutil.rmtree(changes)
    asks = r"crime\.nominal: file _change_data/\S+: what its table has recorded .* cannot be read .* run the backfill"
    with readers_keep_what_they_had(job), pytest.raises(SourceError, match=asks):
        job.daily(day(1))


def test_a_table_that_was_made_anew_asks_for_the_backfill(ready: Ready) -> None:
    job = copied(ready.job, "anew")
    shutil.rmtree(job.feeds / NOMINAL)
    same = job.spark.read.format("delta").load(str(ready.job.feeds / NOMINAL))
    same.write.format("delta").option("delta.enableChangeDataFeed", True).save(str(job.feeds / NOMINAL))
    asks = r"crime\.nominal: the Delta table was made anew since the last run, .* run the backfill"
    with readers_keep_what_they_had(job), pytest.raises(SourceError, match=asks):
        job.daily(day(1))


# ---- feeds that are gone, or broken ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("required", "said"),
    [
        (True, "there is nothing at custody/record under the feeds root; deliver the feed"),
        (False, "it was there in the last run and is not now; supply it"),
    ],
)
def test_a_feed_that_is_gone_stops_the_day_and_is_no_matter_once_it_is_back(
    ready: Ready, required: bool, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = copied(ready.job, f"gone-{required}")
    monkeypatch.setattr(main_job, "sources_of_days", lambda: _with_custody(required))
    aside = job.feeds / "aside"
    (job.feeds / CUSTODY).rename(aside)
    with readers_keep_what_they_had(job), pytest.raises(SourceError, match=rf"^custody\.record: {said}"):
        job.daily(FIRST_DAY)
    aside.rename(job.feeds / CUSTODY)
    job.daily(FIRST_DAY)
    assert "nothing has changed" in job.said


def _with_custody(required: bool) -> tuple[SourceMapping, ...]:
    """The mappings, where the run may go on without custody records, or not."""
    found = []
    for source in sources_of_days():
        if source.source_system == "custody":
            record = source.feeds["record"].model_copy(update={"required": required})
            source = source.model_copy(update={"feeds": {**source.feeds, "record": record}})
        found.append(source)
    return tuple(found)


@pytest.mark.parametrize(
    ("path", "key"),
    [(CUSTODY, "custody.record"), pytest.param(NOMINAL, "crime.nominal", marks=pytest.mark.slow)],
)
def test_a_half_written_file_stops_the_day_and_the_next_one_catches_up(ready: Ready, path: str, key: str) -> None:
    job = copied(ready.delivered, f"cut-{key.replace('.', '-')}")
    whole = _cut(job.feeds / path)
    asks = rf"^{key}:.*(export it again|correct the feed or its mapping)$"
    with readers_keep_what_they_had(job), pytest.raises(SourceError, match=asks):
        job.daily(day(1))
    for part, content in whole.items():
        part.write_bytes(content)
    job.daily(day(2))
    assert left_by(job) == ready.left


def test_a_half_written_log_of_a_feed_stops_the_day_and_is_no_matter_once_it_is_whole(ready: Ready) -> None:
    job = copied(ready.job, "cut-log")
    log = job.feeds / NOMINAL / "_delta_log"
    newest = max(log.glob("*.json"))
    for checksum in list(log.glob(f"*{newest.stem}*crc")):  # they are written after the entry
        checksum.unlink()
    whole = newest.read_bytes()
    newest.write_bytes(whole[: len(whole) // 2])
    asks = r"^crime\.nominal: .*(the log of its Delta table is cut off|cannot be read)"
    with readers_keep_what_they_had(job), pytest.raises(SourceError, match=asks):
        job.daily(FIRST_DAY)
    failed = job.store.read(RUN).orderBy(F.desc("run_no")).first()
    assert failed is not None
    assert (failed["status"], failed["error_class"]) == ("failed", "SourceError")
    newest.write_bytes(whole)
    job.daily(FIRST_DAY)
    assert "nothing has changed" in job.said


def _cut(folder: Path) -> dict[Path, bytes]:
    """Cut off the data files of a feed; what they were."""
    whole = {part: part.read_bytes() for part in folder.glob("part-*.parquet")}
    for part, content in whole.items():
        part.write_bytes(content[: len(content) // 2])
        part.with_name(f".{part.name}.crc").unlink(missing_ok=True)
    assert whole
    return whole


def test_a_day_that_brings_too_much_asks_for_the_backfill_and_writes_nothing(ready: Ready) -> None:
    job = replace(copied(ready.delivered, "too-much"), settings={"gates": {"most_changed_units": 3}})
    before = [job.store.version(table) for table in CHANGES]
    asks = r"(crime|custody|incident|intel) \w+ \d+.*: \d+ changed units, more than gates\.most_changed_units = 3 in one day; run the backfill"
    with readers_keep_what_they_had(job), pytest.raises(SourceError, match=asks):
        job.daily(day(1))
    assert [job.store.version(table) for table in CHANGES] == before


@pytest.mark.slow
def test_a_day_that_brings_too_much_is_taken_once_the_limit_is_raised(ready: Ready) -> None:
    job = copied(ready.delivered, "raised")
    with pytest.raises(SourceError, match="most_changed_units"):
        replace(job, settings={"gates": {"most_changed_units": 3}}).daily(day(1))
    job.daily(day(2))
    assert left_by(job) == ready.left


# ---- gates -------------------------------------------------------------------------------------------------


def test_a_gate_stops_a_day_and_notes_why_and_the_day_goes_on_once_it_is_raised(ready: Ready) -> None:
    job = copied(ready.delivered, "budget")
    none = dict.fromkeys(AlertBudget.model_fields, 0)
    strict = replace(job, settings={"gates": {**main_job.WIDE, "alert_budget": none}})
    with readers_keep_what_they_had(job), pytest.raises(GateError, match=r"gate new_items of \w+: \d+ came or changed"):
        strict.daily(day(2))
    noted = json.loads(max(job.root.glob("reports/*/gates.json")).read_text())
    assert noted["breaches"]
    assert {figure["measure"] for figure in noted["figures"]} >= {"rows", "links", "new_items", "feed_age_days"}
    stopped = job.store.read(RUN).orderBy(F.desc("run_no")).first()
    assert stopped is not None
    assert (stopped["status"], stopped["error_class"]) == ("failed", "GateError")
    job.clock = strict.clock
    job.daily(day(2))
    assert f"going on with run {noted['run_id']}" in job.said
    assert left_by(job) == ready.left


@pytest.mark.slow
def test_a_canary_that_is_not_found_stops_the_run(ready: Ready) -> None:
    """In a force of a few dozen every name is common, so that the shipped canaries are not found in their tiers."""
    job = replace(copied(ready.delivered, "canaries"), with_canaries=True)
    with readers_keep_what_they_had(job), pytest.raises(GateError, match="canary"):
        job.daily(day(2))
    for table in (SCORED_PAIR, LINK):
        without, found = (one.store.read(table).collect() for one in (ready.calm, job))
        assert sorted(map(repr, found)) == sorted(map(repr, without)), "nobody is found otherwise for their being there"


# ---- days ---------------------------------------------------------------------------------------------------


def test_a_day_before_that_of_the_last_run_is_refused(ready: Ready) -> None:
    job = replace(ready.job)
    with pytest.raises(
        UsageError, match=rf"--date {day(-1)}: run \S+ was for {FIRST_DAY}; .* none can be taken before"
    ):
        job.daily(day(-1))


@pytest.mark.slow
def test_without_a_delivery_a_day_takes_up_what_falls_due_on_it_and_else_does_nothing(ready: Ready) -> None:
    job = copied(ready.job, "quiet")
    job.daily(day(2))  # what else was to come in these worlds
    assert "nothing has changed" not in job.said
    assert _born(job) == (day(BORN_ON), None)
    before = {table.name: job.store.version(table) for table in ALL_TABLES if table != RUN}
    with readers_keep_what_they_had(job):
        job.daily(day(3))
    assert "nothing has changed" in job.said
    assert {table.name: job.store.version(table) for table in ALL_TABLES if table != RUN} == before

    job.daily(day(BORN_ON))
    assert "nothing has changed" not in job.said
    assert _born(job) == (None, day(BORN_ON))

    assert DISPOSED in {row["event_ref"] for row in rows(job, EVENT)}
    job.daily(day(DISPOSED_ON))
    assert "nothing has changed" not in job.said
    assert DISPOSED not in {row["event_ref"] for row in rows(job, EVENT)}
    refused = {row["reason"] for row in rows(job, REFUSED) if row["event_ref"] == DISPOSED}
    assert refused == {"disposal_due"}


def _born(job: MainJob) -> tuple[date | None, date | None]:
    """When the nominal's date of birth will be read otherwise, and how it reads now."""
    return next((row["dob_changes_on"], row["date_of_birth"]) for row in rows(job, PERSON) if row["person_ref"] == BORN)
