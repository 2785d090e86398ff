"""What a training on the force's records counts in Spark: the sample, patterns of records with variants, weights."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from linkage_spark.linkage.blocking import propose_pairs
from linkage_spark.linkage.comparison import dates
from linkage_spark.linkage.score_stage import score_pair
from linkage_spark.linkage.training.patterns import (
    MILLIONTHS,
    RECORDS,
    count_best_patterns,
    count_patterns,
    count_weights,
)
from linkage_spark.linkage.training.sampling import sample_roster_pairs
from linkage_spark.model.frequencies import Frequencies
from linkage_spark.model.schema import load_model
from linkage_spark.reference.names import load_name_reference
from linkage_spark.tables.candidates import COMPARED_COLUMNS
from tests.support.feeds import CONF
from tests.support.persons import employee, person, persons

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

MODEL, NAMES = load_model(CONF, "screening_v1"), load_name_reference(CONF)
GIVEN = ("adam", "sara", "kwame", "jane", "olga")
SURNAMES = ("khan", "smith", "example", "mensah", "novak")


def roster(spark: SparkSession, size: int = 20) -> DataFrame:
    return persons(spark, [employee(f"E{no}", *named(no)) for no in range(size)])


def named(no: int) -> tuple[str, str, str, str]:
    home = f"{1 + no}|high street|birmingham|B{10 + no % 30} {no % 7}AB"
    return GIVEN[no % 5], SURNAMES[no // 5 % 5], f"19{60 + no % 40}-0{1 + no % 9}-1{no % 10}", home


def history(spark: SparkSession, size: int = 60) -> DataFrame:
    return persons(spark, [person(f"P{no}", *named(no)) for no in range(size)])


def candidates(history: DataFrame, roster: DataFrame) -> DataFrame:
    return propose_pairs(history, roster, model=MODEL, refined=[], secret=b"s" * 32, gated=False)


def records_of(pairs: DataFrame) -> list[tuple[str, ...]]:
    return [tuple(row) for row in pairs.select(*RECORDS).collect()]


@pytest.mark.parametrize("draws", [30, 600])
def test_a_roster_sample_holds_no_candidate_no_pair_twice_and_the_same_rows_on_any_partitions(
    spark: SparkSession, draws: int
) -> None:
    left, right = roster(spark), history(spark)
    proposed = candidates(right, left)
    sizes = (20, 60)
    found = sample_roster_pairs(right.repartition(1), left, proposed, draws=draws, records=sizes)
    drawn = records_of(found)
    assert len(set(drawn)) == len(drawn)
    assert not set(drawn) & set(records_of(proposed))
    # Candidates fall away, and of ten draws for one record a few meet.
    assert 0.4 * draws < len(drawn) <= 1.2 * draws
    assert set(found.columns) == {f"{name}_{side}" for side in "lr" for name in COMPARED_COLUMNS}
    again = sample_roster_pairs(
        right.repartition(5), left.repartition(3), proposed.repartition(4), draws=draws, records=sizes
    )
    assert sorted(records_of(again)) == sorted(drawn)
    other = records_of(sample_roster_pairs(right, left, proposed, draws=draws, records=sizes, seed=7))
    assert sorted(other) != sorted(drawn)


def test_every_employee_and_record_can_be_drawn(spark: SparkSession) -> None:
    left, right = roster(spark), history(spark)
    nothing = candidates(right, left).limit(0)
    drawn = records_of(sample_roster_pairs(right, left, nothing, draws=1200, records=(20, 60)))
    assert {pair[0] for pair in drawn} == {f"E{no}" for no in range(20)}
    assert {pair[2] for pair in drawn} == {f"P{no}" for no in range(60)}
    # Twenty draws for a record over twenty employees: 64 % of them on average.
    assert 0.55 < len(drawn) / 1200 < 0.75


def test_a_pair_of_records_counts_once_by_its_best_variants(spark: SparkSession) -> None:
    left = persons(spark, [employee("E1", "adam", "khan", "1984-03-12")])
    right = persons(
        spark,
        [
            person("P1", "bogdan", "zielinski", "1984-03-12"),
            person("P1", "adam", "khan", "1984-12-03", variant_no=1, variant_kind="alias"),
            person("P2", "adam", "khan", "1984-03-12"),
        ],
    )
    pairs = candidates(right, left)
    assert Counter(records_of(pairs))["E1", "crime", "P1"] == 2
    rows = count_best_patterns(pairs, model=MODEL, names=NAMES).collect()
    found = Counter({dates.LEVELS[row.date_of_birth]: row.pairs for row in rows})
    assert found == {"day_month_swap": 1, "exact": 1}
    assert sum(row.pairs for row in count_patterns(pairs, model=MODEL, names=NAMES).collect()) == 3


def test_weights_are_those_of_score_pair_and_probabilities_add_up(spark: SparkSession) -> None:
    left, right = roster(spark, 6), history(spark, 12)
    pairs = candidates(right, left)
    by_ref = {row["person_ref"]: row.asDict() for side in (left, right) for row in side.collect()}
    wanted: Counter[int] = Counter()
    expected = 0.0
    for one, _, other in records_of(pairs):
        scored = score_pair(by_ref[one], by_ref[other], model=MODEL, frequencies=Frequencies.none(), names=NAMES)
        bits = int(str(scored["match_weight_millibits"])) / 1000
        wanted[int(bits * 2 // 1)] += 1
        expected += 1 / (1 + 2**-bits)
    rows = count_weights(pairs, model=MODEL, names=NAMES, frequencies=Frequencies.none()).collect()
    assert {row.half_bits: row.pairs for row in rows} == dict(wanted)
    assert sum(row.millionths for row in rows) / MILLIONTHS == pytest.approx(expected, abs=1e-4)
