"""A sample of the pairs that no blocking rule proposes, so that estimation sees the whole space of pairs."""

from __future__ import annotations

from collections.abc import Iterable

from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from linkage_spark.linkage.training.patterns import RECORDS
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
    seed: int = 0,
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
        seed: another one draws other pairs.

    Returns:
        One row per drawn pair: compared columns suffixed ``_l`` and ``_r``. The same rows whatever the order or
        the partitions of the inputs.
    """
    drawn = draw_pairs(left.sparkSession, draws=draws, records=records, within=within, seed=seed)
    pairs = drawn.join(_numbered(left, model.further, "l"), on="no_l").join(
        _numbered(right, model.further, "r"), on="no_r"
    )
    return pairs.drop("no_l", "no_r").join(candidates.select(*PAIR), on=list(PAIR), how="left_anti")


def sample_roster_pairs(
    history: DataFrame,
    roster: DataFrame,
    candidates: DataFrame,
    *,
    draws: int,
    records: tuple[int, int],
    seed: int = 0,
) -> DataFrame:
    """The same for a small roster and a long history: one scan of the history, the roster broadcast, no sort.

    A share of the history's records is taken by hash, and each is held against as many employees, drawn by hash.

    Args:
        history: PERSON rows of the police, one per record.
        roster: PERSON rows of HR, one per employee.
        candidates: frame with ``patterns.RECORDS`` of the pairs that rules propose.
        draws: pairs to draw, about; those that are candidates fall away.
        records: rows of ``roster`` and of ``history``, each above 0.
        seed: another one draws other pairs.

    Returns:
        One row per drawn pair: COMPARED_COLUMNS suffixed ``_l`` (employee) and ``_r`` (police). The same rows
        whatever the order or the partitions of the inputs.
    """
    employees, persons = records
    each = min(max(1, round(draws / persons)), employees)
    one_in = max(1, round(persons * each / draws))
    record = (F.lit(seed), F.col("source_system"), F.col("person_ref"))
    taken = history.where(F.pmod(F.xxhash64(*record, F.lit("taken")), F.lit(one_in)) == 0)
    numbers = F.transform(
        F.sequence(F.lit(1), F.lit(each)), lambda no: F.pmod(F.xxhash64(*record, no), F.lit(employees))
    )
    drawn = taken.withColumn("no_l", F.explode(F.array_distinct(numbers)))
    columns = [F.col(name).alias(f"{name}_r") for name in COMPARED_COLUMNS]
    pairs = drawn.select("no_l", *columns).join(F.broadcast(_numbered(roster, (), "l")), on="no_l").drop("no_l")
    return pairs.join(candidates.select(*RECORDS).distinct(), on=list(RECORDS), how="left_anti")


def draw_pairs(spark: SparkSession, *, draws: int, records: tuple[int, int], within: bool, seed: int = 0) -> DataFrame:
    """Distinct pairs of row numbers, in order of reference from 0: ``no_l``, ``no_r``; arguments as of ``sample_other_pairs``."""
    numbered = spark.range(draws).select(
        _number("left", records[0], seed).alias("one"), _number("right", records[1], seed).alias("other")
    )
    if within:
        ordered = numbered.where("one != other")
        numbered = ordered.select(F.least("one", "other").alias("one"), F.greatest("one", "other").alias("other"))
    return numbered.select(F.col("one").alias("no_l"), F.col("other").alias("no_r")).distinct()


def _number(side: str, records: int, seed: int) -> Column:
    """A row number, evenly spread over the rows, out of the draw's own number."""
    drawn = F.xxhash64(F.lit(side), F.col("id"), F.lit(seed)) if seed else F.xxhash64(F.lit(side), F.col("id"))
    return F.pmod(drawn, F.lit(records))


def _numbered(persons: DataFrame, further: Iterable[str], side: str) -> DataFrame:
    """Rows with their number in order of reference, 0 first."""
    number = F.row_number().over(Window.orderBy("person_ref")) - 1
    columns = [F.col(name).alias(f"{name}_{side}") for name in (*COMPARED_COLUMNS, *further)]
    return persons.select(number.cast("long").alias(f"no_{side}"), *columns)
