"""Small files whose records go to every task: the same pairs, counts and scores as where Spark joins their keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from pyspark.sql import Observation

from linkage_spark.flows.file_comparisons import Comparisons, JoinedComparisons, SentComparisons
from linkage_spark.flows.person_files import propose_file_pairs
from linkage_spark.linkage.blocking import choose_refined, count_keys, price_rules
from linkage_spark.linkage.frequencies import count_values, frequencies_of
from linkage_spark.linkage.sent_pairs import SentFiles, compare_sent, count_first
from linkage_spark.linkage.sent_records import as_sent, records_to_send
from linkage_spark.model.frequencies import Frequencies
from linkage_spark.model.schema import Model
from tests.flows.test_pair_files import NAMES, SECRET, file_model, frame, people

if TYPE_CHECKING:
    from pyspark import Broadcast
    from pyspark.sql import DataFrame, SparkSession

CAP = 8
"""Of ninety records many keys have more bearers than this."""

DRAWS = 3_000


@dataclass(frozen=True)
class BothWays:
    """One file or two, either way; what each rule did; the frequencies of their values."""

    joined: Comparisons
    sent: Comparisons
    candidates: DataFrame
    compared: DataFrame
    records: Broadcast[SentFiles]
    prices: list[dict[str, Any]]
    frequencies: Frequencies
    model: Model


def rows_of(size: int, start: str) -> list[dict[str, Any]]:
    return [{**row, "on_duty_sign": False} for row in people(size, start)]


@pytest.fixture(scope="module", params=[True, False], ids=["one file", "two files"])
def both(request: pytest.FixtureRequest, spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> BothWays:
    within: bool = request.param
    folder = tmp_path_factory.mktemp("pairs")
    left = kept(frame(spark, rows_of(90, "p")), f"{folder}/left")
    right = left if within else kept(frame(spark, rows_of(60, "q")), f"{folder}/right")
    model = file_model().model_copy(update={"key_cap": CAP})
    counts = count_keys(right, left, model=model).collect()
    refined, observation = choose_refined(counts, model=model, secret=SECRET), Observation()
    proposed = propose_file_pairs(
        left,
        right,
        model=model,
        refined=refined.hmacs,
        secret=SECRET,
        within=within,
        broadcast=True,
        observation=observation,
    )
    candidates = kept(proposed, f"{folder}/candidates")
    prices = price_rules(counts, observation.get, model=model, refined=refined.refined)
    sides = [as_sent(records_to_send(side, model=model).toArrow()) for side in (left, right)]
    records = spark.sparkContext.broadcast(SentFiles(sides[0], sides[0 if within else 1], model, within))
    compared = kept(compare_sent(spark, records, names=NAMES, tasks=3), f"{folder}/compared")
    counted = [tuple(row) for row in count_values(left, further=tuple(model.further)).collect()]
    sizes = (len(sides[0]), len(sides[1]))
    return BothWays(
        joined=JoinedComparisons(candidates, left, right, sizes, within, NAMES),
        sent=SentComparisons(compared, records, NAMES),
        candidates=candidates,
        compared=compared,
        records=records,
        prices=prices,
        frequencies=frequencies_of(counted),
        model=model,
    )


def kept(found: DataFrame, path: str) -> DataFrame:
    found.write.parquet(path)
    return found.sparkSession.read.schema(found.schema).parquet(path)


def rows(found: DataFrame) -> list[tuple[Any, ...]]:
    return sorted(tuple(row) for row in found.select(sorted(found.columns)).collect())


def test_the_same_pairs_with_the_same_rules_each_once(both: BothWays) -> None:
    columns = ("person_ref_l", "person_ref_r", "rule_mask")
    found = rows(both.compared.select(*columns))
    assert found == rows(both.candidates.select(*columns))
    assert 300 < len(found) == len({row[:2] for row in found})


def test_every_rule_does_the_same(both: BothWays) -> None:
    counts = both.records.value.finder().counts()
    first = {row["bit"]: row["pairs"] for row in count_first(both.compared).collect()}
    told = [
        (count.refined_keys, count.refined_away, count.proposed, first.get(1 << no, 0))
        for no, count in enumerate(counts)
    ]
    names = ("refined_keys", "pairs_refined_away", "pairs_proposed", "pairs_first")
    assert told == [tuple(price[name] for name in names) for price in both.prices]
    assert all(sum(column) > 0 for column in zip(*told, strict=True)), "keys are refined, and pairs are lost by it"


def test_the_same_patterns_of_candidates_and_of_the_same_other_pairs(both: BothWays) -> None:
    assert rows(both.sent.patterns(both.model)) == rows(both.joined.patterns(both.model))
    other = rows(both.sent.other_patterns(both.model, DRAWS))
    assert other == rows(both.joined.other_patterns(both.model, DRAWS))
    assert len(other) > 10


@pytest.mark.parametrize("counted", [False, True])
def test_the_same_copies_weights_and_scores(both: BothWays, counted: bool) -> None:
    frequencies = both.frequencies if counted else Frequencies.none()
    of_values = [row for row in rows(both.joined.copies(both.model, frequencies)) if row[1]]
    assert rows(both.sent.copies(both.model, frequencies)) == of_values
    assert len(of_values) > 20
    weights = rows(both.sent.weights(both.model, frequencies))
    assert weights == rows(both.joined.weights(both.model, frequencies))
    scored = both.sent.scored(both.model, frequencies)
    assert scored.columns == both.joined.scored(both.model, frequencies).columns
    assert rows(scored) == rows(both.joined.scored(both.model, frequencies))
    assert 50 < scored.count() < both.compared.count(), "the floor leaves some out"


def test_parts_of_the_work_change_nothing(both: BothWays, spark: SparkSession) -> None:
    assert rows(compare_sent(spark, both.records, names=NAMES, tasks=1)) == rows(both.compared)


def test_nothing_can_be_asked_once_the_records_are_given_back(spark: SparkSession) -> None:
    model = file_model()
    side = as_sent(records_to_send(frame(spark, rows_of(6, "p")), model=model).toArrow())
    records = spark.sparkContext.broadcast(SentFiles(side, side, model, within=True))
    SentComparisons(compare_sent(spark, records, names=NAMES, tasks=1), records, NAMES).release()
    with pytest.raises(Exception, match="destroyed"):
        compare_sent(spark, records, names=NAMES, tasks=1).collect()
