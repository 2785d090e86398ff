"""Pairs of files whose records go to every task: found, compared once and kept as codes, then counted and scored.

Frames hold positions and codes, not records: each task takes the few values it needs from the records that were sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyspark import Broadcast
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import IntegerType, LongType, StringType, StructField, StructType

from linkage_spark.kit.frames import gathered
from linkage_spark.linkage.comparison.codes import LEVEL_MASK, code_columns, from_codes, to_codes
from linkage_spark.linkage.comparison.pair import (
    EVIDENCE_COLUMNS,
    INTEGER_COLUMNS,
    Columns,
    PairComparison,
    compare_columns,
)
from linkage_spark.linkage.comparison.tokens import NameComparer, NameKnowledge
from linkage_spark.linkage.score_stage import PERSON_QUALITY, BatchScorer, key_columns, take_rows
from linkage_spark.linkage.scoring import Scorer
from linkage_spark.linkage.sent_records import PairFinder, SentRecords
from linkage_spark.linkage.training.patterns import (
    COPIES,
    LEAST_COPY,
    by_half_bits,
    pattern_columns,
    summed_copies,
    together,
)
from linkage_spark.model.frequencies import Frequencies
from linkage_spark.model.schema import Model
from linkage_spark.tables.candidates import scored_pair_of

COMPARED_AT_ONCE = 50_000
"""Pairs in one call of the comparison: names that stand in several of them are compared once."""

Ints = npt.NDArray[np.int64]

VALUE_COLUMNS = ("given_first", "surname_last", "postcode", *INTEGER_COLUMNS)
"""What frequencies are looked up for, and the parts of a date."""

_PLACES = ("no_l", "no_r")


@dataclass(frozen=True)
class SentFiles:
    """What every task holds: the records of both sides (of one file twice the same), and the rules.

    Attributes:
        left, right: the records.
        model: its rules and further attributes; its probabilities are not read.
        within: one file against itself.
    """

    left: SentRecords
    right: SentRecords
    model: Model
    within: bool

    def finder(self) -> PairFinder:
        """Finds pairs of these records."""
        return PairFinder(self.left.as_left, self.right.as_right, model=self.model, within=self.within)

    def evidence(self, left: Ints, right: Ints) -> tuple[Columns, Columns]:
        """The columns that a comparison reads, of the records at these positions."""
        names = (*EVIDENCE_COLUMNS, *self.model.further)
        return self.left.take(names, left), self.right.take(names, right)

    def values(self, left: Ints, right: Ints) -> tuple[Columns, Columns]:
        """The columns that corrections for rare and common values read."""
        names = (*VALUE_COLUMNS, *self.model.further)
        return self.left.take(names, left), self.right.take(names, right)

    def compare(self, left: Ints, right: Ints, comparer: NameComparer) -> PairComparison:
        """All levels of these pairs."""
        return compare_columns(*self.evidence(left, right), comparer, self.model.further)


def compare_sent(spark: SparkSession, sent: Broadcast[SentFiles], *, names: NameKnowledge, tasks: int) -> DataFrame:
    """Find every pair that a rule proposes, and compare it.

    Args:
        spark: the session.
        sent: the records.
        names: nicknames, transliterations and sex-marked parts.
        tasks: parts of the work; each takes every ``tasks``-th record on the left.

    Returns:
        One row per candidate pair: ``person_ref_l``, ``person_ref_r``, ``rule_mask`` as ``propose_pairs`` gives them;
        ``no_l``, ``no_r`` positions of the records; ``code_columns`` (``comparison.codes``). Lazy.
    """
    further = tuple(sent.value.model.further)
    fields = [StructField(name, StringType(), nullable=False) for name in ("person_ref_l", "person_ref_r")]
    fields += [StructField(name, LongType(), nullable=False) for name in ("rule_mask", *_PLACES)]
    fields += [StructField(name, IntegerType(), nullable=False) for name in code_columns(further)]
    schema = StructType(fields)

    def compare(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        files, comparer = sent.value, NameComparer(names)
        finder = files.finder()
        for no in (no for batch in batches for no in batch.column("id").to_pylist()):
            for found in finder.pairs(np.arange(no, len(files.left), tasks, dtype=np.int64)):
                for left, right, mask in _parts(*found):
                    codes = to_codes(files.compare(left, right, comparer))
                    refs = [
                        side.columns["person_ref"].take(pa.array(at))
                        for side, at in ((files.left, left), (files.right, right))
                    ]
                    arrays = [*refs, mask, left, right, *(code.astype(np.int32) for code in codes)]
                    yield pa.RecordBatch.from_arrays([pa.array(array) for array in arrays], names=schema.names)

    return spark.range(0, tasks, 1, tasks).mapInArrow(compare, schema=schema)


def _parts(left: Ints, right: Ints, mask: Ints) -> Iterator[tuple[Ints, Ints, Ints]]:
    """Candidates among these pairs, COMPARED_AT_ONCE at a time."""
    rows = np.flatnonzero(mask)
    for start in range(0, len(rows), COMPARED_AT_ONCE):
        part = rows[start : start + COMPARED_AT_ONCE]
        yield left[part], right[part], mask[part]


def count_first(compared: DataFrame) -> DataFrame:
    """Pairs by their first rule: ``bit`` LONG (1 << its number), ``pairs``."""
    return compared.groupBy(F.expr("rule_mask & -rule_mask").alias("bit")).agg(F.count(F.lit(1)).alias("pairs"))


def count_compared(compared: DataFrame, *, model: Model) -> DataFrame:
    """What ``count_patterns`` gives, of the codes of compared pairs: ``pattern_columns`` and ``pairs``."""
    named = zip(code_columns(model.further), pattern_columns(model), strict=True)
    levels = [F.col(code).bitwiseAND(F.lit(LEVEL_MASK)).cast("long").alias(name) for code, name in named]
    return compared.select(*levels).groupBy(*pattern_columns(model)).agg(F.count(F.lit(1)).alias("pairs"))


def count_drawn(drawn: DataFrame, sent: Broadcast[SentFiles], *, names: NameKnowledge) -> DataFrame:
    """The same of drawn pairs that no rule proposes.

    Args:
        drawn: ``no_l``, ``no_r``: positions (``sampling.draw_pairs``).
        sent: the records.
        names: nicknames, transliterations and sex-marked parts.
    """
    model = sent.value.model
    columns = code_columns(model.further)
    schema = StructType([StructField(name, IntegerType(), nullable=False) for name in columns])

    def compare(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        files, comparer = sent.value, NameComparer(names)
        finder = files.finder()
        for batch in gathered(batches, COMPARED_AT_ONCE):
            left, right = _positions(batch)
            others = np.flatnonzero(finder.masks(left, right) == 0)
            codes = to_codes(files.compare(left[others], right[others], comparer))
            yield pa.RecordBatch.from_arrays([pa.array(code.astype(np.int32)) for code in codes], names=list(columns))

    return count_compared(drawn.select(*_PLACES).mapInArrow(compare, schema=schema), model=model)


def sum_copies(compared: DataFrame, sent: Broadcast[SentFiles], *, model: Model, frequencies: Frequencies) -> DataFrame:
    """What ``expected_copies`` gives. Pairs that cannot reach LEAST_COPY by their levels are passed over: they count nothing."""

    def sum_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        files, scorer = sent.value, Scorer(model, frequencies)
        for left, right, found in _coded(batches, model):
            rows = np.flatnonzero(scorer.most_bits_of(found) >= LEAST_COPY)
            yield summed_copies(take_rows(found, rows), *files.values(left[rows], right[rows]), scorer)

    return together(_codes_only(compared, model).mapInArrow(sum_batches, schema=COPIES))


def count_weights_sent(
    compared: DataFrame, sent: Broadcast[SentFiles], *, model: Model, frequencies: Frequencies
) -> DataFrame:
    """What ``count_weights`` gives."""
    schema = StructType([StructField("millibits", LongType())])

    def weigh_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        files, scorer = sent.value, Scorer(model, frequencies)
        for left, right, found in _coded(batches, model):
            weight = scorer.weights(found, scorer.shares(found, *files.values(left, right))).total
            yield pa.RecordBatch.from_arrays([pa.array(weight, type=pa.int64())], names=["millibits"])

    return by_half_bits(_codes_only(compared, model).mapInArrow(weigh_batches, schema=schema))


def score_sent(
    compared: DataFrame,
    sent: Broadcast[SentFiles],
    *,
    model: Model,
    frequencies: Frequencies,
    names: NameKnowledge,
) -> DataFrame:
    """What ``score_candidates`` gives: SCORED_PAIR with further attributes, pairs below the model's floor left out.

    Pairs that cannot reach the floor by their levels are passed over. No record of an analyst's file has an on-duty sign,
    for which the floor would be lower.
    """
    contract = scored_pair_of(tuple(model.further))
    of_left = ("person_ref", "variant_no")
    of_right = ("source_system", "person_ref", "variant_no", *PERSON_QUALITY, *INTEGER_COLUMNS)

    def score_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        files, scoring = sent.value, BatchScorer(model, frequencies, names)
        for batch in gathered(batches, COMPARED_AT_ONCE):
            (left, right), found = _positions(batch), _comparison(batch, model)
            rows = np.flatnonzero(scoring.scorer.most_bits_of(found) >= scoring.scorer.floor)
            floor = np.full(len(rows), scoring.scorer.floor)
            evidence = files.evidence(left[rows], right[rows])
            above, columns = scoring.above(take_rows(found, rows), *evidence, floor)
            rows = rows[above]
            if not len(rows):
                continue
            keys = {f"{name}_l": column for name, column in files.left.take(of_left, left[rows]).items()}
            keys |= {f"{name}_r": column for name, column in files.right.take(of_right, right[rows]).items()}
            keys["rule_mask"] = batch.column("rule_mask").take(pa.array(rows))
            yield scoring.as_batch(columns | key_columns(keys.__getitem__))

    frame = compared.select("rule_mask", *_PLACES, *code_columns(model.further))
    return contract.conform(frame.mapInArrow(score_batches, schema=contract.schema))


def _codes_only(compared: DataFrame, model: Model) -> DataFrame:
    """Positions and codes."""
    return compared.select(*_PLACES, *code_columns(model.further))


def _coded(batches: Iterable[pa.RecordBatch], model: Model) -> Iterator[tuple[Ints, Ints, PairComparison]]:
    """Positions and comparison of every batch."""
    for batch in gathered(batches, COMPARED_AT_ONCE):
        yield *_positions(batch), _comparison(batch, model)


def _positions(batch: pa.RecordBatch) -> tuple[Ints, Ints]:
    left, right = (batch.column(name).to_numpy(zero_copy_only=False).astype(np.int64) for name in _PLACES)
    return left, right


def _comparison(batch: pa.RecordBatch, model: Model) -> PairComparison:
    codes = [batch.column(name).to_numpy(zero_copy_only=False).astype(np.int64) for name in code_columns(model.further)]
    return from_codes(codes)
