"""A sample of the pairs that no blocking rule proposes, so that estimation sees the whole space of pairs."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from linkage_spark.model.schema import Model
from linkage_spark.tables.candidates import COMPARED_COLUMNS

PAIR = ("person_ref_l", "person_ref_r")


def sample_other_pairs(
    left: DataFrame,
    right: DataFrame,
    candidates: DataFrame,
    *,
    model: Model,
    draws: int,
    records: tuple[int, int],
    within: bool,
) -> DataFrame:
    """Draw pairs by hash and leave out the candidates.

    Args:
        left: PERSON rows (with further columns), one per record.
        right: the same of the other file; of the same file when ``within``.
        candidates: frame with ``person_ref_l`` and ``person_ref_r`` of the pairs that rules propose.
        model: names the further columns.
        draws: pairs drawn; fewer come out, as doubles, candidates and pairs of a record with itself fall away.
        records: rows of ``left`` and of ``right``.
        within: both sides are one file; the lesser ``person_ref`` stands on the left, as in ``propose_pairs``.

    Returns:
        One row per drawn pair: compared columns suffixed ``_l`` and ``_r``. The same rows whatever the order or
        the partitions of the inputs.
    """
    drawn = _draw(left.sparkSession, draws=draws, records=records, within=within)
    pairs = drawn.join(_numbered(left, model, "l"), on="no_l").join(_numbered(right, model, "r"), on="no_r")
    return pairs.drop("no_l", "no_r").join(candidates.select(*PAIR), on=list(PAIR), how="left_anti")


def _draw(spark: SparkSession, *, draws: int, records: tuple[int, int], within: bool) -> DataFrame:
    """Distinct pairs of row numbers."""
    numbered = spark.range(draws).select(
        _number("left", records[0]).alias("one"), _number("right", records[1]).alias("other")
    )
    if within:
        ordered = numbered.where("one != other")
        numbered = ordered.select(F.least("one", "other").alias("one"), F.greatest("one", "other").alias("other"))
    return numbered.select(F.col("one").alias("no_l"), F.col("other").alias("no_r")).distinct()


def _number(side: str, records: int) -> Column:
    """A row number, evenly spread over the rows, out of the draw's own number."""
    return F.pmod(F.xxhash64(F.lit(side), F.col("id")), F.lit(records))


def _numbered(persons: DataFrame, model: Model, side: str) -> DataFrame:
    """Rows with their number in order of reference, 0 first."""
    number = F.row_number().over(Window.orderBy("person_ref")) - 1
    columns = [F.col(name).alias(f"{name}_{side}") for name in (*COMPARED_COLUMNS, *model.further)]
    return persons.select(number.cast("long").alias(f"no_{side}"), *columns)
