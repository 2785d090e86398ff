"""Write a made-up force: every feed in its own format, and the truth beside them."""

from __future__ import annotations

import json
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from linkage_spark.errors import UsageError
from linkage_spark.runs.progress import Progress
from linkage_spark.runs.session import open_session
from linkage_spark.store.files import Files
from linkage_spark.synthesis.feeds import FORMATS, typed
from linkage_spark.synthesis.people import Force
from linkage_spark.synthesis.settings import load_force
from linkage_spark.synthesis.stage import FEED_NUMBERS, all_rows, size_force

_HOUSEHOLDS_PER_PARTITION = 15_000
_OWN_FOLDERS = frozenset({".work", *(feed.split("/")[0] for feed in FEED_NUMBERS)})
"""What this job writes below the feeds root; anything else there is somebody else's."""


def run_synthesise(
    *, out: str, employees: int, person_records: int, seed: int, settings_file: Path, overwrite: bool = False
) -> int:
    """Make the force.

    Args:
        out: feeds root to write; must be empty or absent unless ``overwrite``.
        employees: employees on the roster.
        person_records: police person records, about.
        seed: the same seed gives the same force.
        settings_file: the rates.
        overwrite: delete what is there first.

    Raises:
        UsageError: the folder is not empty, or the sizes do not fit.
        SettingsError: the settings file is wrong.
    """
    settings = load_force(settings_file)
    force = size_force(seed=seed, employees=employees, person_records=person_records, settings=settings)
    with open_session("synthesise") as spark:
        files, progress = Files(spark), Progress()
        out = files.absolute(out)
        there = {entry.name for entry in files.list(out)}
        if there and not overwrite:
            raise UsageError(f"--out {out} is not empty; choose another folder, or add --overwrite to replace it")
        if foreign := there - _OWN_FOLDERS:
            raise UsageError(
                f"--out {out} holds {len(foreign)} entries that this job never writes; "
                "--overwrite deletes the whole folder, so choose another one"
            )
        files.delete(out)
        work = f"{out.rstrip('/')}/.work"
        with progress.stage("people, their histories and events"):
            partitions = max(2 * spark.sparkContext.defaultParallelism, force.households // _HOUSEHOLDS_PER_PARTITION)
            rows = all_rows(spark, force, partitions=partitions)
            rows.write.partitionBy("feed").parquet(work)
        for feed, number in FEED_NUMBERS.items():
            with progress.stage(feed) as stage:
                stage.counts["rows"] = _write_feed(spark, work, out, feed, number)
        files.delete(work)
        described = {
            "seed": seed,
            "employees": employees,
            "person_records_asked": person_records,
            **settings.model_dump(),
        }
        files.write_text(f"{out}/truth/settings.json", json.dumps(described, indent=1, sort_keys=True))
        _summary(spark, out, force)
    return 0


def _write_feed(spark: SparkSession, work: str, out: str, feed: str, number: int) -> int:
    """One feed in its own columns, types and format; its count of rows."""
    rows = spark.read.parquet(work).where(F.col("feed") == number).select(*typed(feed))
    path = f"{out}/{feed}"
    kind = FORMATS.get(feed.split("/")[0], "parquet")
    if kind == "csv":
        rows.write.csv(path, header=True, encoding="UTF-8", quote='"', escape='"', emptyValue="")
        return rows.count()
    # The property holds for a new Delta table, whose changes the daily run then reads; other formats pass it over.
    rows.write.format(kind).option("delta.enableChangeDataFeed", True).save(path)
    return spark.read.format(kind).load(path).count()


def _summary(spark: SparkSession, out: str, force: Force) -> None:
    """What was made, in counts."""
    person = spark.read.parquet(f"{out}/truth/person")
    print(
        f"\nA made-up force of {force.households:,} households and {force.employees:,} employees (seed {force.seed})."
    )
    print("Nobody in it is a real person.\n")
    for row in person.groupBy("source_system").count().orderBy("source_system").collect():
        print(f"  {row['source_system']:<10} {row['count']:>9,} person records")
    _classes(person)


def _classes(person: DataFrame) -> None:
    counted = person.select(F.explode("error_classes").alias("c")).groupBy("c").count().orderBy("c").collect()
    print("\nErrors put in, records per class: " + ", ".join(f"{row['c']} {row['count']:,}" for row in counted))
