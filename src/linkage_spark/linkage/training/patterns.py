"""Agreement patterns: what a pair's levels are, counted over all pairs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import LongType, StringType, StructField, StructType

from linkage_spark.linkage.comparison.pair import (
    EVIDENCE_COLUMNS,
    Columns,
    PairComparison,
    compare_columns,
    iso_dates,
)
from linkage_spark.linkage.comparison.tokens import NameComparer, NameKnowledge
from linkage_spark.linkage.score_stage import side_columns
from linkage_spark.linkage.scoring import Scorer
from linkage_spark.linkage.whole_names import whole_names
from linkage_spark.model.frequencies import FREQUENCY_ATTRIBUTES, Frequencies
from linkage_spark.model.schema import Model

MILLIONTHS = 1_000_000
"""Expected copies are summed as integers of 1/1,000,000, so that their sum has no order."""

RECORDS: tuple[str, ...] = ("person_ref_l", "source_system_r", "person_ref_r")
"""What names a pair of an employee and a police person record."""


def pattern_columns(model: Model) -> tuple[str, ...]:
    """Names of the code columns: the cell of the name, then a level code per attribute."""
    return ("name", "date_of_birth", "address", *model.further)


def count_patterns(pairs: DataFrame, *, model: Model, names: NameKnowledge) -> DataFrame:
    """Compare pairs and count each pattern of levels.

    Args:
        pairs: compared columns suffixed ``_l`` and ``_r``.
        model: names the further attributes; its probabilities are not read.
        names: nicknames, transliterations and sex-marked parts.

    Returns:
        One row per pattern: ``pattern_columns`` (level codes; 0 of all but the name is missing) and ``pairs``.
    """
    further = model.further
    columns = pattern_columns(model)
    schema = StructType([StructField(name, LongType(), nullable=False) for name in columns])

    def compare_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        comparer = NameComparer(names)
        for batch in batches:
            left, right = side_columns(batch, "l", further), side_columns(batch, "r", further)
            found = compare_columns(left, right, comparer, further)
            codes = [found.name.cell, found.date.level, found.address.level, *found.further.T]
            arrays = [pa.array(np.ascontiguousarray(code), type=pa.int64()) for code in codes]
            yield pa.RecordBatch.from_arrays(arrays, names=list(columns))

    compared = _evidence_only(pairs, model).mapInArrow(compare_batches, schema=schema)
    return compared.groupBy(*columns).agg(F.count(F.lit(1)).alias("pairs"))


def count_best_patterns(pairs: DataFrame, *, model: Model, names: NameKnowledge) -> DataFrame:
    """The same where a record has variants: each pair of records counts once, by its best pair of variants.

    Args:
        pairs: compared columns suffixed ``_l`` (employee) and ``_r`` (police), one row per pair of variants.
        model: tells which pair of variants is the best: the one of the highest match weight without
            frequencies, then of the greatest level codes.
        names: nicknames, transliterations and sex-marked parts.

    Returns:
        As ``count_patterns``.
    """
    columns = pattern_columns(model)
    fields = [*(StructField(name, StringType()) for name in RECORDS), StructField("millibits", LongType())]
    schema = StructType([*fields, *(StructField(name, LongType()) for name in columns)])

    def compare_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        comparer, scorer = NameComparer(names), Scorer(model, Frequencies.none())
        for batch in batches:
            left, right = side_columns(batch, "l", model.further), side_columns(batch, "r", model.further)
            found = compare_columns(left, right, comparer, model.further)
            weight = scorer.weights(found, scorer.shares(found, left, right)).total
            codes = [weight, found.name.cell, found.date.level, found.address.level, *found.further.T]
            arrays = [pa.array(np.ascontiguousarray(code), type=pa.int64()) for code in codes]
            yield pa.RecordBatch.from_arrays([*(batch.column(name) for name in RECORDS), *arrays], names=schema.names)

    compared = _with_records(pairs, model).mapInArrow(compare_batches, schema=schema)
    best = compared.groupBy(*RECORDS).agg(F.max(F.struct("millibits", *columns)).alias("best")).select("best.*")
    return best.groupBy(*columns).agg(F.count(F.lit(1)).alias("pairs"))


def expected_copies(pairs: DataFrame, *, model: Model, names: NameKnowledge, frequencies: Frequencies) -> DataFrame:
    """How many matches are expected among the candidate pairs that agree on each value.

    Args:
        pairs: candidate pairs, compared columns suffixed ``_l`` and ``_r``.
        model: a fitted model.
        names: nicknames, transliterations and sex-marked parts.
        frequencies: what the model is applied with; ``Frequencies.none()`` for none.

    Returns:
        One row per value that both records of a pair bear: ``attribute``, ``value``, ``millionths``: the sum
        of the pairs' match probabilities in 1/1,000,000.
    """

    def sum_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        comparer, scorer = NameComparer(names), Scorer(model, frequencies)
        for batch in batches:
            left, right = side_columns(batch, "l", model.further), side_columns(batch, "r", model.further)
            found = compare_columns(left, right, comparer, model.further)
            yield summed_copies(found, left, right, scorer)

    summed = _evidence_only(pairs, model).mapInArrow(sum_batches, schema=COPIES)
    return together(summed)


COPIES = StructType(
    [StructField("attribute", StringType()), StructField("value", StringType()), StructField("millionths", LongType())]
)
"""What ``summed_copies`` gives of a batch, and ``expected_copies`` of all."""

_COPIES_ARROW = pa.schema([("attribute", pa.string()), ("value", pa.string()), ("millionths", pa.int64())])

LEAST_COPY = -21_000
"""A pair below this weight, 1/1000 bit, is less than half a millionth of a match: it counts nothing."""


def together(summed: DataFrame) -> DataFrame:
    """Sums of batches as one row per value."""
    return summed.groupBy("attribute", "value").agg(F.sum("millionths").alias("millionths"))


def copies_by_value(rows: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], float]:
    """``expected_copies``' rows as matches per (attribute, value)."""
    return {(row["attribute"], row["value"]): row["millionths"] / MILLIONTHS for row in rows}


def summed_copies(found: PairComparison, left: Columns, right: Columns, scorer: Scorer) -> pa.RecordBatch:
    """COPIES of one batch of compared pairs."""
    model = scorer.model
    bits = scorer.weights(found, scorer.shares(found, left, right)).total / 1000.0
    millionths = np.rint(MILLIONTHS / (1.0 + np.exp2(-np.clip(bits, -60, 60)))).astype(np.int64)
    values_l, values_r = frequency_values(left, tuple(model.further)), frequency_values(right, tuple(model.further))
    parts = []
    for attribute, values in values_l.items():
        table = pa.table({"value": values, "other": values_r[attribute], "millionths": millionths})
        agreeing = table.filter(pa.compute.equal(table["value"], table["other"])).select(["value", "millionths"])
        summed = agreeing.group_by("value").aggregate([("millionths", "sum")])
        named = pa.array([attribute] * summed.num_rows, type=pa.string())
        parts.append(pa.table({"attribute": named, "value": summed["value"], "millionths": summed["millionths_sum"]}))
    batches = pa.concat_tables(parts).combine_chunks().to_batches()
    found_batch = batches[0] if batches else pa.RecordBatch.from_pylist([], schema=_COPIES_ARROW)
    return found_batch.cast(_COPIES_ARROW)


def count_weights(pairs: DataFrame, *, model: Model, names: NameKnowledge, frequencies: Frequencies) -> DataFrame:
    """Pairs of records by match weight, each by its best pair of variants.

    Args:
        pairs: compared columns suffixed ``_l`` (employee) and ``_r`` (police).
        model: what they are scored with.
        names: nicknames, transliterations and sex-marked parts.
        frequencies: shares of values.

    Returns:
        ``half_bits`` LONG (floor of twice the weight in bits), ``pairs`` LONG, ``millionths`` LONG: the summed match
        probability in 1/1,000,000.
    """
    fields = [*(StructField(name, StringType()) for name in RECORDS), StructField("millibits", LongType())]
    schema = StructType(fields)

    def weigh_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        comparer, scorer = NameComparer(names), Scorer(model, frequencies)
        for batch in batches:
            left, right = side_columns(batch, "l", model.further), side_columns(batch, "r", model.further)
            found = compare_columns(left, right, comparer, model.further)
            weight = scorer.weights(found, scorer.shares(found, left, right)).total
            columns = [*(batch.column(name) for name in RECORDS), pa.array(weight, type=pa.int64())]
            yield pa.RecordBatch.from_arrays(columns, names=schema.names)

    weighed = _with_records(pairs, model).mapInArrow(weigh_batches, schema=schema)
    return by_half_bits(weighed.groupBy(*RECORDS).agg(F.max("millibits").alias("millibits")))


def by_half_bits(best: DataFrame) -> DataFrame:
    """What ``count_weights`` gives, of ``millibits`` of every pair of records."""
    bits = F.col("millibits") / F.lit(1000.0)
    probability = F.lit(1.0) / (F.lit(1.0) + F.pow(F.lit(2.0), -F.greatest(F.least(bits, F.lit(60.0)), F.lit(-60.0))))
    return (
        best.select(F.floor(bits * 2).cast("long").alias("half_bits"), F.rint(probability * MILLIONTHS).alias("part"))
        .groupBy("half_bits")
        .agg(F.count(F.lit(1)).alias("pairs"), F.sum(F.col("part").cast("long")).alias("millionths"))
    )


def frequency_values(side: Columns, further: tuple[str, ...]) -> dict[str, pa.Array]:
    """The values whose frequencies move a weight, by attribute; null where unknown."""
    given, surname, born, postcode, name = FREQUENCY_ATTRIBUTES
    return {
        given: side["given_first"],
        surname: side["surname_last"],
        born: iso_dates(side),
        postcode: side["postcode"],
        name: whole_names(side),
        **{name: side[name] for name in further},
    }


def _with_records(pairs: DataFrame, model: Model) -> DataFrame:
    """RECORDS and the columns that a comparison reads."""
    evidence = [f"{name}_{side}" for side in "lr" for name in (*EVIDENCE_COLUMNS, *model.further)]
    return pairs.select(*RECORDS, *evidence)


def _evidence_only(pairs: DataFrame, model: Model) -> DataFrame:
    """The columns that a comparison reads."""
    return pairs.select(*[f"{name}_{side}" for side in "lr" for name in (*EVIDENCE_COLUMNS, *model.further)])
