"""Police records against each other: what joins, what speaks against it, what the guard and reviewers make of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pyspark.sql import functions as F

from linkage_spark.model.frequencies import Frequencies
from linkage_spark.nominals.judgements import judgement_faults, judgements_in_force
from linkage_spark.tables.nominals import NOMINAL_EDGE
from tests.support.nominal_scenarios import AWAY, HOME, MOVED, ONE_PERSON, RECORDS, Stories, Told, judged, number
from tests.support.numbers import pnc
from tests.support.persons import person

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

STORIES = Stories()
PLAIN = STORIES.add(RECORDS)


@pytest.fixture(scope="module")
def told(spark: SparkSession) -> dict[str, Told]:
    return STORIES.run(spark)


@pytest.fixture(scope="module")
def plain(told: dict[str, Told]) -> Told:
    return told[PLAIN.mark]


def test_records_of_one_person_join_and_name_and_date_alone_join_nobody(plain: Told) -> None:
    assert plain.together() == ONE_PERSON


def test_every_accepted_pair_rests_on_name_date_and_place(plain: Told) -> None:
    assert {row.policy_reason for row in plain.edges} == {"same_premises_and_date", "same_premises_near_date"}
    assert ("a3", "a5") not in plain.pairs(plain.edges)


def test_weights_of_an_edge_add_up_and_the_lower_record_stands_left(plain: Told) -> None:
    weights = [name for name in NOMINAL_EDGE.names if name.startswith("weight_")]
    assert plain.kept_edges
    for row in plain.kept_edges:
        assert sum(row[name] for name in weights) == row.match_weight_millibits
        assert row.left_record_id < row.right_record_id


BRIDGE = STORIES.add([*RECORDS, person("bridge", "qorwen belinda", "vantrizzel", "1984-03-12", HOME)])


def test_a_bridge_between_twins_is_cut_and_says_why(told: dict[str, Told]) -> None:
    """A record with both twins' forenames accepts each of them."""
    world = told[BRIDGE.mark]
    conflicts = world.pairs(world.conflicts, "reason")
    assert {("a1", "b1", "twin_pattern"), ("a1", "b2", "twin_pattern")} <= conflicts
    for cluster in world.together():
        assert not ({"b1", "b2"} & cluster and {"a1", "a2", "a3"} & cluster)
    assert {row.cut_reason for row in world.kept_edges if row.cut_reason} == {"twin_pattern"}


_SLIP = [
    person("one", "amir", "khan", "1990-05-12", HOME),
    person("both", "amir imran", "khan", "1990-05-12", HOME),
    person("other", "imran", "khan", "1990-12-05", HOME),
]
_MOVED = [
    *_SLIP[:2],
    person("both", "amir imran", "khan", "1990-05-12", AWAY, variant_no=1, variant_kind="other_address"),
    person("other", "imran", "khan", "1990-05-12", AWAY),
]
SLIPPED = {STORIES.add(_SLIP).mark: "another_of_the_household", STORIES.add(_MOVED).mark: "twin_pattern"}


def test_a_bridge_between_twins_is_cut_when_a_date_has_a_slip_and_when_one_has_moved(told: dict[str, Told]) -> None:
    """The policy's own contradiction is a conflict, and so is a twin's pattern without the home."""
    for mark, reason in SLIPPED.items():
        world = told[mark]
        assert ("one", "other", reason) in world.pairs(world.conflicts, "reason")
        assert not any({"one", "other"} <= cluster for cluster in world.together())
        assert {row.cut_reason for row in world.kept_edges} == {None, reason}


LATER = STORIES.add(
    [
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
)


def test_a_later_forename_in_use_is_not_told_from_a_twin(told: dict[str, Told]) -> None:
    """Who is called by the other's second forename may be the twin; forenames in another order, and a prefix, are one name."""
    world = told[LATER.mark]
    conflicts = world.pairs(world.conflicts, "reason")
    assert {("m1", "m2", "twin_pattern"), ("m1", "m3", "another_of_the_household")} <= conflicts
    assert not {pair for pair in conflicts if pair[0][0] in "op"} - {("o2", "o3", "twin_pattern")}
    assert {"m1"} in world.together()
    assert {"m2", "m3"} in world.together()
    assert any({"o1", "o2"} <= one or {"o1", "o3"} <= one for one in world.together())


_IN_USE = Frequencies.from_rows(
    {"attribute": "given", "value": value, "bearers": bearers, "share": bearers / 1_000_000}
    for value, bearers in (
        *(("saima", 900), ("salma", 700), ("salna", 16), ("alison", 900), ("allison", 700)),
        *(("hasan", 900), ("hassan", 800)),
    )
)
CLOSE = Stories(frequencies=_IN_USE)


def at_home(*given: str) -> list[dict[str, Any]]:
    return [person(name, name, "shah", "2004-09-30", HOME) for name in given]


_ALIAS = person("saima", "salma", "shah", "2004-09-30", HOME, variant_no=1, variant_kind="alias")
TWO_NAMES = [
    CLOSE.add(at_home("saima", "salma")),
    CLOSE.add([*at_home("saima", "salma"), _ALIAS]),
]
ONE_NAME = [
    CLOSE.add(rows)
    for rows in (
        at_home("salma", "salna"),  # hardly anybody bears the second beside the first
        at_home("salma", "sakma"),  # nobody does
        at_home("alison", "allison"),  # they sound alike
        at_home("saima salma", "salma saima"),
        at_home("salma saima", "salma"),
        # Forename and surname in each other's place, with a slip in each.
        [
            person("straight", "saima", "hasan", "2004-09-30", HOME),
            person("crossed", "hassan", "salma", "2004-09-30", HOME),
        ],
    )
]
NUMBERED = CLOSE.add(at_home("saima", "salma"), numbers=[number(name, pnc(2004, 123)) for name in ("saima", "salma")])


def test_forenames_a_slip_apart_that_both_are_in_use_are_two_persons_names(spark: SparkSession) -> None:
    """A name that hardly anybody bears is a slip; so is one of the same sound, and one on a record with the other's number."""
    told = CLOSE.run(spark)
    for story in TWO_NAMES:
        world = told[story.mark]
        assert world.pairs(world.edges) == {("saima", "salma")}
        assert world.pairs(world.conflicts, "reason") == {("saima", "salma", "twin_pattern")}
        assert world.together() == [{"saima"}, {"salma"}]
    for story in (*ONE_NAME, NUMBERED):
        world = told[story.mark]
        assert len(world.edges) == 1, story.mark
        assert world.conflicts == [], story.mark
        assert len(world.together()) == 1, story.mark


ALIAS = STORIES.add(
    [
        person("amir", "amir", "khan", "1990-05-12", HOME),
        person("imran", "imran", "khan", "1990-05-12", HOME),
        person("imran", "amir", "khan", "1990-05-12", HOME, variant_no=1, variant_kind="alias"),
    ]
)


def test_a_brothers_name_given_as_an_alias_joins_nobody_to_the_brother(told: dict[str, Told]) -> None:
    world = told[ALIAS.mark]
    assert world.together() == [{"amir"}, {"imran"}]
    assert [row.cut_reason for row in world.kept_edges] == ["twin_pattern"]


DENIED = STORIES.add(RECORDS, [("a1", "a2", "not_same", 2)])


def test_not_the_same_parts_an_accepted_pair_inside_a_larger_component(told: dict[str, Told]) -> None:
    world = told[DENIED.mark]
    assert not any({"a1", "a2"} <= cluster for cluster in world.together())
    assert ("a1", "a2", "judged_not_same") in world.cut("cut_reason")
    assert any({"a1", "a4"} <= cluster or {"a2", "a4"} <= cluster for cluster in world.together())


CHAIN = STORIES.add(
    [
        person("x1", "qorwen", "vantrizzel", "1984-03-12", HOME),
        person("x2", "qorwen", "vantrizzel", "1984-03-22", HOME),
        person("x3", "qorwen", "vantrizzel", "1994-03-22", HOME),
        person("x4", "qorwen", "vantrizzel", "1994-07-22", HOME),
    ]
)


def test_dates_that_no_level_explains_part_a_chain_of_near_dates(told: dict[str, Told]) -> None:
    world = told[CHAIN.mark]
    contradict = [pair for pair in world.pairs(world.conflicts, "reason") if pair[2] == "dates_contradict"]
    assert contradict
    for one, other, _ in contradict:
        assert not any({one, other} <= cluster for cluster in world.together())


REVIEWED = STORIES.add(RECORDS, [("a1", "a5", "same", 2), ("d1", "a5", "not_same", 2), ("b1", "b2", "not_same", 2)])


def test_a_reviewers_same_joins_and_not_the_same_parts(told: dict[str, Told]) -> None:
    together = told[REVIEWED.mark].together()
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
    stories = Stories(most_records=3)
    story = stories.add(RECORDS)
    world = stories.run(spark)[story.mark]
    assert {ref for ref, (_, waits) in world.cluster.items() if waits} == {"a1", "a2", "a3", "a4"}
    assert world.conflicts == []


def test_row_order_and_partitions_change_no_cluster(spark: SparkSession, told: dict[str, Told]) -> None:
    columns = ("match_weight_millibits", "policy_reason", "cut_reason")
    for mark, turned in STORIES.run(spark, partitions=7).items():
        world = told[mark]
        assert turned.together() == world.together()
        assert turned.pairs(turned.kept_edges, *columns) == world.pairs(world.kept_edges, *columns)
