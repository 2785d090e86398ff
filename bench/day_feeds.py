"""A day's deliveries on made-up feeds: crime records that are amended or new, and employees who move. Run by bench.daily.

The change feed of every Delta table is on from the first call, so that the tables name their changes.
"""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from delta.tables import DeltaTable
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.window import Window

DELTA = ("crime/nominal", "crime/nominal_alias", "crime/occurrence", "crime/involvement", "crime/location")


def prepare(spark: SparkSession, feeds: Path) -> None:
    """Let the Delta feeds tell their changes."""
    for name in DELTA:
        spark.sql(f"alter table delta.`{feeds}/{name}` set tblproperties (delta.enableChangeDataFeed = true)")


def deliver(spark: SparkSession, feeds: Path, *, records: int, mark: str) -> None:
    """Half of the records are amended, half are new persons in new crimes: copies of others, their references behind a mark."""
    now = F.lit(datetime.now(tz=UTC))
    nominal = DeltaTable.forPath(spark, f"{feeds}/crime/nominal")
    chosen = (
        nominal.toDF().orderBy(F.xxhash64("NOMINAL_URN", F.lit(mark))).limit(records).select("NOMINAL_URN").distinct()
    )
    listed = chosen.withColumn("place", F.row_number().over(Window.orderBy(F.xxhash64("NOMINAL_URN", F.lit(mark)))))
    listed.write.mode("overwrite").parquet(f"{feeds}/.chosen")
    kept = spark.read.parquet(f"{feeds}/.chosen")
    amended = kept.where(F.col("place") % 2 == 0)
    nominal.alias("old").merge(
        F.broadcast(amended).alias("new"), "old.NOMINAL_URN = new.NOMINAL_URN"
    ).whenMatchedUpdate(set={"UPDATED_AT": now, "HOUSE_NO": F.concat(F.col("old.HOUSE_NO"), F.lit("A"))}).execute()
    copied = F.broadcast(kept.where(F.col("place") % 2 == 1).select("NOMINAL_URN"))
    _append(
        nominal.toDF().join(copied, on=["NOMINAL_URN"]).withColumn("UPDATED_AT", now),
        feeds,
        mark,
        "nominal",
        "NOMINAL_URN",
    )
    parts = spark.read.format("delta").load(f"{feeds}/crime/involvement").join(copied, on=["NOMINAL_URN"])
    parts = parts.withColumn("UPDATED_AT", now)
    crimes = spark.read.format("delta").load(f"{feeds}/crime/occurrence")
    numbers = F.broadcast(parts.select("CRIME_NO").distinct())
    _append(crimes.join(numbers, on=["CRIME_NO"]).withColumn("UPDATED_AT", now), feeds, mark, "occurrence", "CRIME_NO")
    _append(parts, feeds, mark, "involvement", "CRIME_NO", "NOMINAL_URN")


def _append(rows: DataFrame, feeds: Path, mark: str, name: str, *keys: str) -> None:
    """Add rows under references of their own."""
    path = f"{feeds}/crime/{name}"
    columns = rows.sparkSession.read.format("delta").load(path).columns
    renamed = rows.withColumns({key: F.concat(F.lit(f"{mark}-"), F.col(key)) for key in keys})
    renamed.select(*columns).coalesce(2).write.format("delta").mode("append").save(path)


def move(feeds: Path, *, employees: int) -> None:
    """The first employees of the roster move next door; only its files are written."""
    left = employees
    for path in sorted((feeds / "hr" / "extract").glob("part-*.csv")):
        lines = path.read_text(encoding="utf-8").split("\n")
        for no in range(1, len(lines)):
            cells = lines[no].split(",")
            house = [place for place, cell in enumerate(cells) if cell[:1].isdigit() and " " in cell]
            if left and house:  # some have no address
                place = house[0]
                cells[place] = f"1{cells[place]}"
                lines[no], left = ",".join(cells), left - 1
        path.write_text("\n".join(lines), encoding="utf-8")
        for stale in path.parent.glob(f".{path.name}.crc"):
            stale.unlink()
        if not left:
            return


def main() -> int:
    """Prepare, or deliver a day."""
    parser = argparse.ArgumentParser(prog="bench.day_feeds", description=__doc__)
    parser.add_argument("--feeds", type=Path, required=True)
    parser.add_argument("--prepare", action="store_true")
    parser.add_argument("--records", type=int, default=0)
    parser.add_argument(
        "--mark", default="NEW", help="stands before the references of new records; another one makes another day"
    )
    asked = parser.parse_args()
    spark = SparkSession.builder.appName("bench-day-feeds").getOrCreate()
    if asked.prepare:
        prepare(spark, asked.feeds)
    if asked.records:
        deliver(spark, asked.feeds, records=asked.records, mark=asked.mark)
    spark.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
