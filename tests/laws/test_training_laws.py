"""Laws of training, on a seeded made-up crowd: nothing but the records decides what is learnt."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from linkage_spark.linkage.blocking import propose_pairs
from linkage_spark.linkage.frequencies import count_values, frequencies_of
from linkage_spark.linkage.training.estimate import Counted, estimate
from linkage_spark.linkage.training.patterns import MILLIONTHS, count_patterns, expected_copies
from linkage_spark.linkage.training.sampling import sample_other_pairs, sample_roster_pairs
from linkage_spark.model.frequencies import Frequencies
from linkage_spark.model.schema import load_model
from linkage_spark.reference.names import load_name_reference
from tests.support.persons import crowd, persons

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

CONF = Path(__file__).resolve().parents[2] / "conf"
MODEL = load_model(CONF, "screening_v1")
NAMES = load_name_reference(CONF)
SECRET = b"s" * 32
SEED = 20261121
DRAWS = 4_000

Row = dict[str, Any]


@contextmanager
def setting(spark: SparkSession, name: str, value: str) -> Iterator[None]:
    before = spark.conf.get(name)
    spark.conf.set(name, value)
    try:
        yield
    finally:
        spark.conf.set(name, before)


def one_file(size: int) -> list[Row]:
    """One row per record; the reference alone is the key."""
    return [{**row, "source_system": "crime"} for row in crowd(SEED, size) if row["variant_no"] == 0]


def patterns(frame: DataFrame) -> list[Row]:
    return [row.asDict() for row in count_patterns(frame, model=MODEL, names=NAMES).collect()]


def learnt(spark: SparkSession, rows: list[Row], parts: int, *, seed: int = 0) -> tuple[Counted, Row, Frequencies]:
    """Counted patterns, the model's content and the frequencies, as a run of one file makes them."""
    frame = persons(spark, rows).repartition(parts)
    # Of four rules only, so that there are other pairs to sample.
    model = MODEL.model_copy(update={"rules": MODEL.rules[:4]})
    candidates = propose_pairs(
        frame, frame, model=model, refined=frozenset(), secret=SECRET, within=True, gated=False
    ).cache()
    try:
        sample = sample_other_pairs(
            frame,
            frame,
            candidates,
            model=MODEL,
            draws=DRAWS,
            records=(len(rows), len(rows)),
            within=True,
            seed=seed,
        )
        counted = Counted.of(
            patterns(candidates),
            patterns(sample),
            model=MODEL,
            pairs=len(rows) * (len(rows) - 1) // 2,
            candidate_pairs=candidates.count(),
        )
        trained = estimate(counted, base=MODEL, share=0.01).model_at({}, method="a test")
        summed = expected_copies(candidates, model=trained.model, names=NAMES, frequencies=Frequencies.none())
        copies = {(row.attribute, row.value): row.millionths / MILLIONTHS for row in summed.collect()}
        bearers = [(row.attribute, row.value, row.bearers) for row in count_values(frame, further=()).collect()]
    finally:
        candidates.unpersist()
    return counted, trained.model.model_dump(mode="json"), frequencies_of(sorted(bearers), copies)


def assert_same(one: tuple[Counted, Row, Frequencies], other: tuple[Counted, Row, Frequencies]) -> None:
    assert np.array_equal(one[0].codes, other[0].codes), f"seed {SEED}"
    assert np.array_equal(one[0].weight, other[0].weight), f"seed {SEED}"
    assert one[1] == other[1], f"seed {SEED}"
    assert one[2] == other[2], f"seed {SEED}"


def test_row_order_partition_count_and_aqe_change_nothing_that_is_learnt(spark: SparkSession) -> None:
    rows = one_file(140)
    expected = learnt(spark, rows, parts=1)
    assert expected[0].sampled > 1_000
    assert len(expected[0].codes) > 100
    assert_same(learnt(spark, rows[::-1], parts=3), expected)
    with setting(spark, "spark.sql.adaptive.enabled", "false"):
        assert_same(learnt(spark, rows[1::2] + rows[::2], parts=5), expected)
    # The comparison can fail: another draw is another estimate.
    assert learnt(spark, rows, parts=1, seed=1)[1] != expected[1]


def test_a_sample_against_a_roster_is_the_same_whatever_the_order_and_the_partitions(spark: SparkSession) -> None:
    roster, history = crowd(SEED, 20, roster=True), one_file(200)

    def drawn(left: list[Row], right: list[Row], parts: int, seed: int = 0) -> list[tuple[str, str]]:
        employees, records = (persons(spark, rows).repartition(parts) for rows in (left, right))
        candidates = propose_pairs(records, employees, model=MODEL, refined=frozenset(), secret=SECRET)
        sample = sample_roster_pairs(
            records, employees, candidates, draws=500, records=(len(left), len(right)), seed=seed
        )
        return sorted((row.person_ref_l, row.person_ref_r) for row in sample.collect())

    expected = drawn(roster, history, 1)
    assert len(expected) == len(set(expected)) > 200
    assert drawn(roster[::-1], history[::-1], 4) == expected
    assert drawn(roster, history, 1, seed=1) != expected
