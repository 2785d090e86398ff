"""The generator in Spark: households and events in, rows of every feed out. Lazy; nothing is collected."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import ShortType, StringType, StructField, StructType

from linkage_spark.errors import UsageError
from linkage_spark.synthesis import events
from linkage_spark.synthesis.feeds import FEEDS, WIDEST
from linkage_spark.synthesis.histories import Row, household_rows
from linkage_spark.synthesis.people import Force
from linkage_spark.synthesis.settings import ForceSettings

PERSONS_PER_HOUSEHOLD = 2.4
FEED_NUMBERS: dict[str, int] = {feed: number for number, feed in enumerate(FEEDS)}
SCHEMA = StructType(
    [
        StructField("feed", ShortType(), False),
        *[StructField(f"c{n}", StringType(), True) for n in range(WIDEST)],
    ]
)
_ARROW = pa.schema([pa.field("feed", pa.int16(), False), *[pa.field(f"c{n}", pa.string()) for n in range(WIDEST)]])
_ROWS_PER_BATCH = 20_000


def size_force(*, seed: int, employees: int, person_records: int, settings: ForceSettings) -> Force:
    """Households that leave about ``person_records`` police person records.

    Raises:
        UsageError: when there are more employees than households.
    """
    households = round(person_records / settings.records_per_head / PERSONS_PER_HOUSEHOLD)
    if employees > households:
        raise UsageError(
            f"--employees {employees} is too many for --person-records {person_records}: that is a population of "
            f"{households} households, one employee each; ask for at least "
            f"{round(employees * settings.records_per_head * PERSONS_PER_HOUSEHOLD) + 1} person records"
        )
    return Force(seed=seed, employees=employees, households=households, settings=settings)


def all_rows(spark: SparkSession, force: Force, *, partitions: int) -> DataFrame:
    """Every row of every feed: ``feed`` (its number) and the cells ``c0``, ``c1``, … as text, null beyond.

    The same seed gives the same rows on any number of partitions.
    """
    kinds: dict[str, tuple[int, Callable[[int], Iterable[Row]]]] = {
        "household": (force.households, lambda number: household_rows(force, number)),
        **{
            system: (events.count(force, system), _of_system(force, system))
            for system in ("crime", "intel", "incident")
        },
    }
    frames = [
        spark.range(start=0, end=count, step=1, numPartitions=partitions).mapInArrow(_batches(rows_of), SCHEMA)
        for count, rows_of in kinds.values()
    ]
    whole = frames[0]
    for frame in frames[1:]:
        whole = whole.unionByName(frame)
    return whole


def _of_system(force: Force, system: str) -> Callable[[int], Iterable[Row]]:
    return lambda number: events.event_rows(force, system, number)


def _batches(
    rows_of: Callable[[int], Iterable[Row]],
) -> Callable[[Iterable[pa.RecordBatch]], Iterable[pa.RecordBatch]]:
    """Numbers in, rows out, in batches of bounded size."""

    def generate(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        rows: list[Row] = []
        for batch in batches:
            for number in batch.column(0).to_pylist():
                rows.extend(rows_of(number))
                if len(rows) >= _ROWS_PER_BATCH:
                    yield _batch(rows)
                    rows = []
        if rows:
            yield _batch(rows)

    return generate


def _batch(rows: list[Row]) -> pa.RecordBatch:
    """Rows of any feeds as one batch."""
    feeds = [FEED_NUMBERS[feed] for feed, _ in rows]
    padded = [cells + (None,) * (WIDEST - len(cells)) for _, cells in rows]
    columns = [pa.array(column, pa.string()) for column in zip(*padded, strict=True)]
    return pa.RecordBatch.from_arrays([pa.array(feeds, pa.int16()), *columns], schema=_ARROW)
