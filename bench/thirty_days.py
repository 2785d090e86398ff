"""A made-up force that comes in thirty days, in bits and in any order, against one backfill over all of it: row for row.

    python -m bench.thirty_days --records 300000

Every row of the feeds arrives on a day drawn from its key, so that an involvement comes before its crime or long after it. Some rows
come in an older wording first, some again later, some go after a few days; employees join, move and leave. The day's run follows each
delivery. The backfill starts from the first day's tables, since what a model has frozen is frozen there. Started again with the same
arguments after it was stopped, it goes on with the day it had come to.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from delta.tables import DeltaTable
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from bench import submit
from bench.daily import wide_gates
from bench.machine import ROOT, describe_machine, describe_versions
from bench.run import make_feeds, run_watched, say
from bench.sizes import java_command, size_parser, write_json
from linkage_spark.runs.backfill import backfill
from linkage_spark.runs.context import open_run
from linkage_spark.runs.daily import daily
from linkage_spark.runs.manifest import last_good_run
from linkage_spark.runs.session import open_session
from linkage_spark.settings.sources import FeedMapping, feeds_of, load_sources
from linkage_spark.store.delta import DeltaStore
from linkage_spark.tables.candidates import SCORED_PAIR
from linkage_spark.tables.canonical import CANONICAL, REFUSED
from linkage_spark.tables.changes import FEED_PRINT
from linkage_spark.tables.enums import RunKind
from linkage_spark.tables.identifiers import PERSON_IDENTIFIER
from linkage_spark.tables.linkage import LINK
from linkage_spark.tables.results import HIT, HIT_LINK, LOCATION_HIT, SCREENING

COMPARED = (*CANONICAL, PERSON_IDENTIFIER, FEED_PRINT, SCORED_PAIR, LINK, HIT, HIT_LINK, LOCATION_HIT, SCREENING)
"""Every table of which days must leave what one run over everything leaves."""

REWORDED = {
    "hr.extract": "ADDRESS_LINE_1",
    "crime.nominal": "HOUSE_NO",
    "crime.nominal_alias": "SURNAME",
    "crime.occurrence": "OFFENCE_TITLE",
    "crime.involvement": "ROLE",
    "crime.location": "STREET",
    "custody.record": "ADDRESS",
    "intel.report": "HANDLING",
    "intel.subject": "SUBJECT_ADDRESS",
    "incident.log": "CLOSE_CODE",
    "incident.person": "PERSON_ADDRESS",
}
"""What an older wording says otherwise, by feed."""

ONE_IN = {"police": 25, "roster": 200}
"""One key in so many comes in an older wording first; as many go again, and as many rows are sent again."""

WIDE = {
    **dict.fromkeys(("max_refused_share", "max_fall", "max_refused_rise", "max_filled_fall"), 1.0),
    **dict.fromkeys(("max_links_per_employee", "max_rise", "max_times_changed", "max_times_candidates"), 1e6),
    **dict.fromkeys(("max_times_cluster", "max_weight_shift_bits"), 1e6),
    "min_times_changed": 0.0,
}
"""Gates that no day of a force that comes in bits can break."""

REACHED = "reached.json"
"""The days that are done."""

CAME, WENT, NEVER = "came_on", "went_on", 10_000


def timeline(rows: DataFrame, feed: FeedMapping, *, days: int, is_roster: bool) -> DataFrame:
    """Rows of a feed with the days between which each of them stands in it."""
    key = feed.produces[0].read_columns[0]

    def drawn(what: str, count: int) -> Column:
        return F.pmod(F.xxhash64(F.lit(feed.key), F.lit(what), F.col(key)), F.lit(count)).cast("int")

    one_in = ONE_IN["roster" if is_roster else "police"]
    first = F.when(drawn("joins", one_in) == 0, drawn("came", days)).otherwise(0) if is_roster else drawn("came", days)
    rows = rows.withColumn("first", first).withColumn("later", F.col("first") + 1 + drawn("later", 5))
    in_time = F.col("later") < days
    is_reworded = in_time & (drawn("reworded", one_in) == 0)
    parts = [
        _between(rows, F.when(is_reworded, F.col("later")).otherwise(F.col("first")), F.lit(NEVER)),
        _between(_reworded(rows.where(is_reworded), feed), F.col("first"), F.col("later")),
        _between(rows.where(in_time & (drawn("again", one_in) == 0)), F.col("later"), F.lit(NEVER)),
        _between(
            rows.where(in_time & (drawn("goes", one_in) == 0)).withColumn(key, F.concat(F.lit("GONE-"), key)),
            F.col("first"),
            F.col("later"),
        ),
    ]
    return parts[0].unionByName(parts[1]).unionByName(parts[2]).unionByName(parts[3])


def _between(rows: DataFrame, came: Column, went: Column) -> DataFrame:
    return rows.withColumns({CAME: came, WENT: went}).drop("first", "later")


def _reworded(rows: DataFrame, feed: FeedMapping) -> DataFrame:
    """The older wording, an hour older where the feed tells times as such."""
    changed = rows.withColumn(REWORDED[feed.key], F.concat(F.coalesce(REWORDED[feed.key], F.lit("")), F.lit("X")))
    if dict(changed.dtypes).get("UPDATED_AT", "").startswith("timestamp"):
        changed = changed.withColumn("UPDATED_AT", F.col("UPDATED_AT") - F.expr("interval 1 hour"))
    return changed


def stage(spark: SparkSession, feeds: Path, into: Path, *, days: int) -> dict[str, int]:
    """The timeline of every feed as files; rows by feed."""
    counts = {}
    for source in load_sources(ROOT / "conf"):
        for feed in source.feeds.values():
            reader = spark.read.format(feed.format)
            if feed.format == "csv":
                reader = reader.option("header", True).option("escape", '"')
            rows = timeline(reader.load(str(feeds / feed.path)), feed, days=days, is_roster=source.roster)
            rows.write.parquet(str(into / feed.key))
            counts[feed.key] = spark.read.parquet(str(into / feed.key)).count()
    return counts


def deliver(spark: SparkSession, staged: Path, feeds: Path, day: int) -> None:
    """The feeds as they stand on a day: Delta tables amended, all other files written anew."""
    for feed in feeds_of(load_sources(ROOT / "conf")):
        rows = spark.read.parquet(str(staged / feed.key))
        stands = rows.where((F.col(CAME) <= day) & (F.col(WENT) > day))
        path = str(feeds / feed.path)
        if feed.format == "delta" and day > 0:
            key = feed.produces[0].read_columns[0]
            touched = rows.where((F.col(CAME) == day) | (F.col(WENT) == day)).select(key).distinct()
            DeltaTable.forPath(spark, path).alias("old").merge(
                touched.alias("new"), f"old.{key} <=> new.{key}"
            ).whenMatchedDelete().execute()
            added = stands.join(touched.withColumnRenamed(key, "touched"), F.col(key).eqNullSafe(F.col("touched")))
            added.drop(CAME, WENT, "touched").coalesce(2).write.format("delta").mode("append").save(path)
            continue
        writer = stands.drop(CAME, WENT).coalesce(2).write.mode("overwrite").format(feed.format)
        if feed.format == "csv":
            writer = writer.option("header", True).option("escape", '"')
        writer.option("delta.enableChangeDataFeed", True).save(path)


def compare(spark: SparkSession, by_day: Path, at_once: Path) -> dict[str, dict[str, int]]:
    """Rows of every table, and how many are on one side only."""
    found = {}
    for table in COMPARED:
        sides = []
        for root in (by_day, at_once):
            store = DeltaStore(spark, str(root))
            good = last_good_run(store)
            assert good is not None
            sides.append(store.read(table, version=good.versions[table.name]).select(*table.names))
        days, once = sides
        found[table.name] = {
            "rows": once.count(),
            "too many": days.exceptAll(once).count(),
            "missing": once.exceptAll(days).count(),
        }
        say(f"{table.name}: {found[table.name]}")
    return found


def run_all(staged_from: Path, base: Path, *, days: int, result: Path) -> None:
    """The first backfill, the days, the one backfill, the comparison; in one process, a session for each."""
    feeds, by_day, at_once, reached = base / "feeds", base / "by_day", base / "at_once", base / REACHED
    if not reached.is_file():
        today = datetime.now(tz=UTC).date()
        with open_session("deliveries") as spark:
            rows = stage(spark, staged_from, base / "staged", days=days)
            deliver(spark, base / "staged", feeds, 0)
        _backfill(feeds, by_day, today)
        shutil.copytree(by_day, at_once)
        reached.write_text(json.dumps({"first": f"{today}", "rows": rows, "took": []}))
    known = json.loads(reached.read_text())
    first, took = date.fromisoformat(known["first"]), known["took"]
    for day in range(len(took) + 1, days):
        with open_session("deliveries") as spark:
            deliver(spark, base / "staged", feeds, day)
        began = time.perf_counter()
        with open_run(RunKind.DAILY, feeds_root=str(feeds), root=str(by_day), day=first + timedelta(days=day)) as run:
            daily(run)
        took.append(round(time.perf_counter() - began, 1))
        reached.write_text(json.dumps({**known, "took": took}))
        say(f"day {day} of {days - 1}: {took[-1]:.1f} s")
    began = time.perf_counter()
    _backfill(feeds, at_once, first + timedelta(days=days - 1))
    once = round(time.perf_counter() - began, 1)
    with open_session("compare") as spark:
        tables = compare(spark, by_day, at_once)
        store = DeltaStore(spark, str(at_once))
        reasons = store.read(REFUSED).groupBy("reason").count().collect()
    found = {
        "days": days,
        "rows_of_feeds": known["rows"],
        "seconds_per_day": took,
        "seconds_of_the_backfill": once,
        "refused": {row["reason"]: row["count"] for row in sorted(reasons)},
        "tables": tables,
    }
    result.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def _backfill(feeds: Path, root: Path, day: date) -> None:
    with open_run(RunKind.BACKFILL, feeds_root=str(feeds), root=str(root), day=day) as run:
        backfill(run)


def main() -> int:
    """Start the comparison as the jobs are started, and keep its figures."""
    parser = size_parser("bench.thirty_days", __doc__, figures="thirty_days.json")
    parser.add_argument("--records", type=int, default=300_000)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--inside", type=Path, help="set by the program itself: the feeds, inside spark-submit")
    asked = parser.parse_args()
    base = asked.build / "thirty_days"
    result = base / "result.json"
    if asked.inside is not None:
        run_all(asked.inside, base, days=asked.days, result=result)
        return 0
    scale = {"employees": asked.employees, "person_records": asked.records, "seed": asked.seed, "master": asked.master}
    begun = base / "begun.json"
    asks = json.dumps({**scale, "days": asked.days})
    goes_on = (base / REACHED).is_file() and begun.is_file() and begun.read_text() == asks
    shutil.rmtree(base / "conf" if goes_on else base, ignore_errors=True)
    base.mkdir(parents=True, exist_ok=True)
    begun.write_text(asks)
    wide_gates(base / "conf", **WIDE)
    feeds = make_feeds(asked, asked.records)
    arguments = ["--inside", str(feeds), "--days", str(asked.days), "--build", str(asked.build)]
    os.environ["LINKAGE_CONF"] = str(base / "conf")
    with submit.program(Path(__file__).resolve(), arguments, master=asked.master) as command:
        run_watched(command, asked.build / "logs" / "thirty-days.log")
    found = json.loads(result.read_text(encoding="utf-8"))
    told = {
        "machine": describe_machine(),
        "scale": scale,
        "measured_on": f"{datetime.now(tz=UTC):%Y-%m-%d}",
        "versions": describe_versions(java_command()),
        **found,
    }
    write_json(asked.json, told)
    apart = {name: counts for name, counts in found["tables"].items() if counts["too many"] or counts["missing"]}
    say(f"{len(found['tables'])} tables after {found['days']} days: {apart or 'row for row the same'}")
    shutil.rmtree(base)
    return 1 if apart else 0


if __name__ == "__main__":
    sys.exit(main())
