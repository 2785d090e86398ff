"""Police records against each other: what joins, what speaks against it, what the guard and reviewers make of it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pyspark.sql import functions as F

from linkage_spark.flows.cluster import Comparing, accepted_edges, compare_records, conflicts_inside, records_of
from linkage_spark.model.frequencies import Frequencies
from linkage_spark.model.schema import load_model
from linkage_spark.nominals.engines import DriverEngine
from linkage_spark.nominals.guard import GuardLimits
from linkage_spark.nominals.guard_stage import clusters, guard_components, with_cuts
from linkage_spark.nominals.judgements import judgement_faults, judgements_in_force
from linkage_spark.nominals.numbers import usable_numbers
from linkage_spark.nominals.records import with_record_id
from linkage_spark.reference.names import load_name_reference
from linkage_spark.tables.identifiers import PERSON_IDENTIFIER
from linkage_spark.tables.nominals import NOMINAL_EDGE, PERSON_JUDGEMENT
from tests.support.contract_rows import contract_rows
from tests.support.persons import person, persons

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

CONF = Path(__file__).resolve().parents[2] / "conf"
COMPARING = Comparing(load_model(CONF, "nominals_v1"), Frequencies.none(), load_name_reference(CONF))
LIMITS = GuardLimits(max_records=500, max_path=6, bridge_millibits=14_000)
HOME, NEXT_DOOR = "14|elm grove|birmingham|B23 6AB", "16|elm grove|birmingham|B23 6AB"
AWAY, MOVED = "3|mill lane|walsall|WS1 1AA", "88|long acre|dudley|DY1 2BC"

RECORDS = [
    # One person: at two homes, once with a slip of the date, once under a former name that an alias row tells.
    person("a1", "qorwen", "vantrizzel", "1984-03-12", HOME),
    person("a2", "qorwen", "vantrizzel", "1984-12-03", HOME),
    person("a3", "qorwen", "vantrizzel", "1984-03-12", AWAY),
    person("a3", "qorwen", "vantrizzel", "1984-03-12", HOME, variant_no=1, variant_kind="other_address"),
    person("a4", "qorwen", "oldname", "1984-03-12", HOME),
    # The same name and date of birth in another town: nobody joins on that alone.
    person("a5", "qorwen", "vantrizzel", "1984-03-12", MOVED),
    # The twin and the father at the same home.
    person("b1", "belinda", "vantrizzel", "1984-03-12", HOME),
    person("b2", "belinda", "vantrizzel", "1984-03-12", HOME),
    person("c1", "qorwen", "vantrizzel", "1955-06-30", HOME),
    # Another person, alone; and one whose date is not known, who takes no part.
    person("d1", "tomas", "belloquin", "1979-10-05", AWAY),
    person("d2", "tomas", "belloquin", None, AWAY),
]
ONE_PERSON = [{"a1", "a2", "a3", "a4"}, {"a5"}, {"b1", "b2"}, {"c1"}, {"d1"}, {"d2"}]


class World:
    """Records through all stages up to clusters."""

    def __init__(
        self,
        spark: SparkSession,
        rows: list[dict[str, Any]],
        said: list[tuple[str, str, str, int]] | None = None,
        *,
        limits: GuardLimits = LIMITS,
        most_records: int = 2_000,
        partitions: int = 0,
        numbers: list[dict[str, Any]] | None = None,
    ) -> None:
        history = persons(spark, rows)
        if partitions:
            history = history.repartition(partitions, "surname")
        self.names = {row.record_id: row.person_ref for row in with_record_id(history).collect()}
        ids = {name: record for record, name in self.names.items()}
        judgements = judgements_in_force(judged(spark, ids, said or []))
        self.records = records_of(history)
        scored = compare_records(self.records, comparing=COMPARING, refined=(), secret=b"s" * 32)
        borne = usable_numbers(contract_rows(spark, PERSON_IDENTIFIER, *(numbers or []))).localCheckpoint()
        most = limits.max_records
        edges = accepted_edges(scored, self.records, judgements, borne, comparing=COMPARING, most_bearers=most)
        self.edges = edges.localCheckpoint()
        standing = self.edges.where("not denied")
        components = DriverEngine().components(standing.select("left_record_id", "right_record_id")).localCheckpoint()
        self.conflicts = conflicts_inside(
            self.records, components, self.edges, judgements, borne, comparing=COMPARING, most_records=most_records
        ).localCheckpoint()
        guarded = guard_components(
            components, standing, self.conflicts, limits=limits, most_records=most_records
        ).localCheckpoint()
        live = with_record_id(history).select("record_id").distinct()
        self.clusters = clusters(live, components, guarded, most_records=most_records)
        self.kept_edges = NOMINAL_EDGE.conform(with_cuts(self.edges, guarded))

    def together(self) -> list[set[str]]:
        """Clusters as sets of references, in order."""
        found: dict[int, set[str]] = {}
        for row in self.clusters.collect():
            found.setdefault(row.cluster_id, set()).add(self.names[row.record_id])
        return sorted(found.values(), key=sorted)

    def pairs(self, frame: DataFrame, *columns: str) -> set[tuple[Any, ...]]:
        """Rows of a frame of pairs, with references in alphabetical order."""
        ends = ("left_record_id", "right_record_id")
        rows = frame.select(*ends, *columns).collect()
        return {(*sorted(self.names[row[end]] for end in ends), *[row[column] for column in columns]) for row in rows}


def judged(spark: SparkSession, ids: dict[str, int], said: list[tuple[str, str, str, int]]) -> DataFrame:
    """PERSON_JUDGEMENT rows: two references, the word, the day of January 2026."""
    rows = [
        (*sorted((ids[one], ids[other])), word, datetime(2026, 1, day, tzinfo=UTC), "reviewer 7", None)
        for one, other, word, day in said
    ]
    return spark.createDataFrame(rows, schema=PERSON_JUDGEMENT.schema)


@pytest.fixture(scope="module")
def world(spark: SparkSession) -> World:
    return World(spark, RECORDS)


def test_records_of_one_person_join_and_name_and_date_alone_join_nobody(world: World) -> None:
    assert world.together() == ONE_PERSON


def test_every_accepted_pair_rests_on_name_date_and_place(world: World) -> None:
    reasons = {row.policy_reason for row in world.edges.select("policy_reason").collect()}
    assert reasons == {"same_premises_and_date", "same_premises_near_date"}
    assert ("a3", "a5") not in {pair[:2] for pair in world.pairs(world.edges)}


def test_weights_of_an_edge_add_up_and_the_lower_record_stands_left(world: World) -> None:
    weights = [name for name in NOMINAL_EDGE.names if name.startswith("weight_")]
    wrong = world.kept_edges.where(
        (sum(F.col(name) for name in weights) != F.col("match_weight_millibits"))
        | (F.col("left_record_id") >= F.col("right_record_id"))
    )
    assert world.kept_edges.count() > 0
    assert wrong.count() == 0


def test_a_bridge_between_twins_is_cut_and_says_why(spark: SparkSession) -> None:
    """A record with both twins' forenames accepts each of them."""
    bridge = [*RECORDS, person("bridge", "qorwen belinda", "vantrizzel", "1984-03-12", HOME)]
    world = World(spark, bridge)
    conflicts = world.pairs(world.conflicts, "reason")
    assert {("a1", "b1", "twin_pattern"), ("a1", "b2", "twin_pattern")} <= conflicts
    for cluster in world.together():
        assert not ({"b1", "b2"} & cluster and {"a1", "a2", "a3"} & cluster)
    cut = {row.cut_reason for row in world.kept_edges.where("cut_reason is not null").collect()}
    assert cut == {"twin_pattern"}


def test_a_bridge_between_twins_is_cut_when_a_date_has_a_slip_and_when_one_has_moved(spark: SparkSession) -> None:
    """The policy's own contradiction is a conflict, and so is a twin's pattern without the home."""
    slip = [
        person("one", "amir", "khan", "1990-05-12", HOME),
        person("both", "amir imran", "khan", "1990-05-12", HOME),
        person("other", "imran", "khan", "1990-12-05", HOME),
    ]
    moved = [
        *slip[:2],
        person("both", "amir imran", "khan", "1990-05-12", AWAY, variant_no=1, variant_kind="other_address"),
        person("other", "imran", "khan", "1990-05-12", AWAY),
    ]
    for rows, reason in ((slip, "another_of_the_household"), (moved, "twin_pattern")):
        world = World(spark, rows)
        assert ("one", "other", reason) in world.pairs(world.conflicts, "reason")
        assert not any({"one", "other"} <= cluster for cluster in world.together())
        assert {row.cut_reason for row in world.kept_edges.collect()} == {None, reason}


def test_a_later_forename_in_use_is_not_told_from_a_twin(spark: SparkSession) -> None:
    """Who is called by the other's second forename may be the twin; forenames in another order, and a prefix, are one name."""
    rows = [
        person("m1", "qorwen belinda", "vantrizzel", "1984-03-12", HOME),
        person("m2", "belinda", "vantrizzel", "1984-03-12", HOME),
        person("m3", "belinda", "vantrizzel", "1984-03-21", HOME),
        person("o1", "qorwen belinda", "vantrizzel", "1971-05-02", AWAY),
        person("o2", "belinda qorwen", "vantrizzel", "1971-05-02", AWAY),
        person("o3", "qorwen", "vantrizzel", "1971-05-02", AWAY),
        person("p1", "mohammed imran", "belloquin", "1979-10-05", MOVED),
        person("p2", "mohammed", "belloquin", "1979-10-05", MOVED),
        person("p3", "imran", "belloquin", "1979-10-05", MOVED),
    ]
    world = World(spark, rows)
    conflicts = {
        (*sorted((world.names[r.left_record_id], world.names[r.right_record_id])), r.reason)
        for r in world.conflicts.collect()
    }
    assert {("m1", "m2", "twin_pattern"), ("m1", "m3", "another_of_the_household")} <= conflicts
    assert not {pair for pair in conflicts if pair[0][0] in "op"} - {("o2", "o3", "twin_pattern")}
    assert {"m1"} in world.together()
    assert {"m2", "m3"} in world.together()
    assert any({"o1", "o2"} <= one or {"o1", "o3"} <= one for one in world.together())


def test_a_brothers_name_given_as_an_alias_joins_nobody_to_the_brother(spark: SparkSession) -> None:
    rows = [
        person("amir", "amir", "khan", "1990-05-12", HOME),
        person("imran", "imran", "khan", "1990-05-12", HOME),
        person("imran", "amir", "khan", "1990-05-12", HOME, variant_no=1, variant_kind="alias"),
    ]
    world = World(spark, rows)
    assert world.together() == [{"amir"}, {"imran"}]
    assert [row.cut_reason for row in world.kept_edges.collect()] == ["twin_pattern"]


def test_not_the_same_parts_an_accepted_pair_inside_a_larger_component(spark: SparkSession) -> None:
    world = World(spark, RECORDS, [("a1", "a2", "not_same", 2)])
    assert not any({"a1", "a2"} <= cluster for cluster in world.together())
    cut = world.pairs(world.kept_edges.where("cut_reason = 'judged_not_same'"))
    assert ("a1", "a2") in cut
    assert any({"a1", "a4"} <= cluster or {"a2", "a4"} <= cluster for cluster in world.together())


def test_dates_that_no_level_explains_part_a_chain_of_near_dates(spark: SparkSession) -> None:
    chain = [
        person("x1", "qorwen", "vantrizzel", "1984-03-12", HOME),
        person("x2", "qorwen", "vantrizzel", "1984-03-22", HOME),
        person("x3", "qorwen", "vantrizzel", "1994-03-22", HOME),
        person("x4", "qorwen", "vantrizzel", "1994-07-22", HOME),
    ]
    world = World(spark, chain)
    contradict = world.pairs(world.conflicts.where("reason = 'dates_contradict'"))
    assert contradict
    for one, other in contradict:
        assert not any({one, other} <= cluster for cluster in world.together())


def test_a_reviewers_same_joins_and_not_the_same_parts(spark: SparkSession) -> None:
    said = [("a1", "a5", "same", 2), ("d1", "a5", "not_same", 2), ("b1", "b2", "not_same", 2)]
    together = World(spark, RECORDS, said).together()
    assert {"a1", "a2", "a3", "a4", "a5"} in together
    assert {"b1"} in together
    assert {"b2"} in together


@pytest.mark.parametrize(
    ("words", "joined"),
    [
        ([("same", 2), ("not_same", 3)], False),
        ([("not_same", 2), ("same", 3)], True),
        ([("same", 2), ("not_same", 2)], False),
        ([("same", 2), ("withdrawn", 3)], False),
        ([("withdrawn", 2), ("same", 3)], True),
    ],
)
def test_the_newest_word_holds_and_ties_are_negative(
    spark: SparkSession, words: list[tuple[str, int]], joined: bool
) -> None:
    rows = judged(spark, {"a": 1, "b": 2}, [("a", "b", word, day) for word, day in words])
    found = [row.asDict() for row in judgements_in_force(rows).collect()]
    assert any(row["same"] for row in found) is joined


def test_sides_do_not_matter_to_a_word_and_words_that_nobody_understands_are_counted(spark: SparkSession) -> None:
    rows = judged(
        spark, {"a": 1, "b": 2}, [("a", "b", "same", 2), ("a", "b", "withdrawn", 3), ("a", "a", "not-same", 4)]
    )
    ends = {"left_record_id": F.col("right_record_id"), "right_record_id": F.col("left_record_id")}
    turned = rows.where("judgement = 'withdrawn'").withColumns(ends)
    both = rows.where("judgement = 'same'").unionByName(turned)
    assert judgements_in_force(both).collect() == []
    assert judgement_faults(rows).collect()[0].asDict() == {"unknown_words": 1, "self_pairs": 1}


def test_a_component_too_large_to_look_into_waits_as_a_whole(spark: SparkSession) -> None:
    world = World(spark, RECORDS, most_records=3)
    held = {world.names[row.record_id] for row in world.clusters.where("quarantined").collect()}
    assert held == {"a1", "a2", "a3", "a4"}
    assert world.pairs(world.conflicts) == set()


def test_row_order_and_partitions_change_no_cluster(spark: SparkSession, world: World) -> None:
    turned = World(spark, list(reversed(RECORDS)), partitions=7)
    assert turned.together() == world.together()
    assert turned.pairs(turned.edges, "match_weight_millibits", "policy_reason") == world.pairs(
        world.edges, "match_weight_millibits", "policy_reason"
    )
