"""The scoring stage in Spark equals the pair scored alone, keeps its contract, and explains every link."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from linkage_spark.kit.frames import local_frame
from linkage_spark.linkage.decision import decide
from linkage_spark.linkage.evidence import explain_links
from linkage_spark.linkage.score_stage import score_candidates, score_pair
from linkage_spark.model.frequencies import Frequencies
from linkage_spark.tables.candidates import COMPARED_COLUMNS, SCORED_PAIR
from linkage_spark.tables.canonical import PERSON
from linkage_spark.tables.linkage import LINK
from tests.support.persons import employee, person
from tests.unit.linkage.comparison.knowledge import model, reference
from tests.unit.linkage.test_scoring import FREQUENCIES

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

HOME, AWAY = "14|high street|birmingham|B23 6AB", "3|mill lane|coventry|CV1 2AB"
ROSTER = [
    employee("E1", "imran", "khan", "1980-03-14", HOME),
    employee("E2", "adeel", "khan", "1980-03-14", HOME),
    employee("E3", "zebedee", "featherstone", "1975-07-02", AWAY),
]
HISTORY = [
    person("P1", "imran", "khan", "1980-03-14", HOME),
    person("P2", "khan", "imran", "1980-03-15", HOME),
    person("P3", "zebedee", "featherstone", None, None, name_issue=None, dob_issue="missing"),
    person("P4", "mohammed imran", "khan", "1980", None, dob_issue="partial"),
    person("P5", "gareth", "unalike", "1951-01-30", AWAY),
    person("P6", "", "khan", None, None, name_issue="single_token", on_duty_sign=True),
]


def candidates(spark: SparkSession) -> DataFrame:
    def side(rows: list[dict[str, Any]], suffix: str) -> DataFrame:
        frame = local_frame(spark, [tuple(row[name] for name in PERSON.names) for row in rows], PERSON.schema)
        return frame.select(*[F.col(name).alias(f"{name}_{suffix}") for name in COMPARED_COLUMNS])

    return side(ROSTER, "l").crossJoin(side(HISTORY, "r")).withColumn("rule_mask", F.lit(5).cast("long"))


def test_the_stage_scores_each_pair_as_it_is_scored_alone_and_every_link_is_explained(
    spark: SparkSession,
) -> None:
    scored = score_candidates(candidates(spark), model=model(), frequencies=FREQUENCIES, names=reference())
    found = {(row["employee_id"], row["person_ref"]): row.asDict() for row in SCORED_PAIR.check(scored).collect()}
    alone = {
        (left["person_ref"], right["person_ref"]): score_pair(
            left, {**right, "rule_mask": 5}, model=model(), frequencies=FREQUENCIES, names=reference()
        )
        for left, right in itertools.product(ROSTER, HISTORY)
    }
    floor = model().thresholds.floor_bits * 1000
    assert found == {key: row for key, row in alone.items() if int(str(row["match_weight_millibits"])) >= floor}
    assert ("E1", "P1") in found
    assert ("E1", "P5") not in found

    links = explain_links(decide(scored, model=model()), secret=b"secret", model=model())
    rows = {(row["employee_id"], row["person_ref"]): row for row in LINK.check(links).collect()}
    assert rows.keys() == found.keys()
    assert rows["E1", "P1"]["tier"] == "match"
    assert rows["E2", "P1"]["twin_pattern"]
    assert rows["E2", "P1"]["tier"] != "match"
    for row in rows.values():
        assert len(row["evidence_fingerprint"]) == 64
        assert row["explanation"].endswith(".")
        assert "khan" not in row["explanation"].lower()
    assert len({row["evidence_fingerprint"] for row in rows.values()}) == len(rows)


def test_an_empty_candidate_frame_gives_no_pairs(spark: SparkSession) -> None:
    none = candidates(spark).where("false")
    scored = score_candidates(none, model=model(), frequencies=Frequencies.none(), names=reference())
    assert scored.columns == list(SCORED_PAIR.names)
    assert scored.collect() == []
