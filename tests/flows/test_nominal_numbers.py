"""PNC and CRO numbers among nominals: two that differ part their records, an equal one joins with one more agreement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from linkage_spark.nominals.guard import GuardLimits
from linkage_spark.nominals.numbers import count_numbers, differing_pairs, equal_pairs, usable_numbers
from linkage_spark.nominals.records import with_record_id
from linkage_spark.tables.identifiers import PERSON_IDENTIFIER
from linkage_spark.tables.nominals import NOMINAL_EDGE
from tests.support.contract_rows import contract_rows
from tests.support.nominal_scenarios import AWAY, HOME, LIMITS, MOVED, ONE_PERSON, RECORDS, Stories, Told, number
from tests.support.persons import person

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

PNC, OTHER_PNC = "2004/0000123X", "2011/0000005Y"
CRO, OTHER_CRO = "000123/98X", "000077/98Y"


def numbered(world: Told) -> set[tuple[Any, ...]]:
    """Pairs that bear the same number."""
    return world.pairs([row for row in world.edges if row.same_identifier])


STORIES = Stories()
PLAIN = STORIES.add(RECORDS)


@pytest.fixture(scope="module")
def told(spark: SparkSession) -> dict[str, Told]:
    return STORIES.run(spark)


# ---- the veto ----------------------------------------------------------------------------------------------

DIFFER = STORIES.add(RECORDS, numbers=[number("a1", PNC), number("a2", OTHER_PNC)])


def test_two_different_verified_numbers_part_records_that_the_rule_joins(told: dict[str, Told]) -> None:
    world = told[DIFFER.mark]
    assert ("a1", "a2", "pnc_differs") in world.pairs(world.conflicts, "reason")
    assert not any({"a1", "a2"} <= cluster for cluster in world.together())
    # Records without a number go with the stronger side, and nobody else is moved.
    assert set().union(*world.together()) == set().union(*ONE_PERSON)
    assert ("a1", "a2", "pnc_differs") in world.cut("cut_reason")


CRO_DIFFER = STORIES.add(
    RECORDS,
    numbers=[number("a1", CRO, kind="cro"), number("a2", OTHER_CRO, kind="cro"), number("a1", PNC), number("a2", PNC)],
)


def test_different_cro_numbers_part_as_well_and_an_equal_pnc_id_does_not_help(told: dict[str, Told]) -> None:
    world = told[CRO_DIFFER.mark]
    assert ("a1", "a2", "cro_differs") in world.pairs(world.conflicts, "reason")
    assert not any({"a1", "a2"} <= cluster for cluster in world.together())
    assert ("a1", "a2") in numbered(world)


FAR = STORIES.add(RECORDS, numbers=[number("a3", PNC), number("a4", OTHER_PNC)])


def test_different_numbers_part_two_records_of_a_component_whatever_joins_them(told: dict[str, Told]) -> None:
    assert any({"a3", "a4"} <= cluster for cluster in told[PLAIN.mark].together())
    assert not any({"a3", "a4"} <= cluster for cluster in told[FAR.mark].together())


UNVERIFIED = STORIES.add(
    RECORDS,
    numbers=[
        number("a1", PNC),
        number("a2", OTHER_PNC, verified=False),
        number("a3", None),
        number("a4", CRO, kind="cro"),
        number("b1", PNC, verified=False),
        number("b2", OTHER_PNC, verified=False),
    ],
)


def test_numbers_that_nobody_verified_or_that_have_no_form_part_nobody(told: dict[str, Told]) -> None:
    assert told[UNVERIFIED.mark].together() == ONE_PERSON
    assert numbered(told[UNVERIFIED.mark]) == set()


_BOTH = [number("a1", PNC), number("a1", OTHER_PNC)]
TWO = STORIES.add(RECORDS, numbers=[*_BOTH, number("a2", OTHER_PNC), number("a5", PNC)])
TWO_AND_CRO = STORIES.add(RECORDS, numbers=[*_BOTH, number("a1", CRO, kind="cro"), number("a2", OTHER_CRO, kind="cro")])


def test_a_record_with_two_verified_numbers_of_one_kind_tells_nothing_by_that_kind(told: dict[str, Told]) -> None:
    assert told[TWO.mark].together() == ONE_PERSON
    assert numbered(told[TWO.mark]) == set()
    assert not any({"a1", "a2"} <= cluster for cluster in told[TWO_AND_CRO.mark].together())


def test_a_pair_too_large_to_be_looked_into_has_no_conflict(spark: SparkSession) -> None:
    stories = Stories(most_records=3)
    story = stories.add(RECORDS, numbers=DIFFER.numbers)
    assert stories.run(spark)[story.mark].conflicts == []


# ---- the join ----------------------------------------------------------------------------------------------


def _one_agreement() -> list[dict[str, Any]]:
    """Four pairs: name alone, date of birth alone, home alone, nothing."""
    people = {
        "name": ("qorwen", "vantrizzel", "1984-03-12"),
        "date": ("belinda", "quagmire", "1971-05-02"),
        "home": ("ulric", "penhallow", "1966-11-30"),
        "none": ("barnaby", "sproggett", "1959-07-21"),
    }
    homes = {ref: f"{no}|elm grove|birmingham|B23 6AB" for no, ref in zip((20, 40, 60, 80), people, strict=True)}
    return [
        *[person(f"{ref}-1", *told, homes[ref]) for ref, told in people.items()],
        person("name-2", "qorwen", "vantrizzel", None, AWAY),
        person("date-2", "wilhelmina", "otherwise", people["date"][2], MOVED),
        person("home-2", "tomas", "belloquin", None, homes["home"]),
        person("none-2", "leopold", "zzyzxqua", None, AWAY),
    ]


AGREE = STORIES.add(
    _one_agreement(),
    numbers=[number(row["person_ref"], f"2004/{row['person_ref'][:-2]}") for row in _one_agreement()],
)
AGREE_UNNUMBERED = STORIES.add(_one_agreement())


def test_an_equal_verified_number_joins_with_one_more_agreement(told: dict[str, Told]) -> None:
    """Each of the four pairs has one number of its own."""
    assert told[AGREE_UNNUMBERED.mark].edges == []
    world = told[AGREE.mark]
    assert [cluster for cluster in world.together() if len(cluster) > 1] == [{"date-1", "date-2"}, {"name-1", "name-2"}]
    # The home alone makes an edge as well; another forename at one home is cut like any other.
    assert numbered(world) == {(f"{ref}-1", f"{ref}-2") for ref in ("name", "date", "home")}
    assert world.cut("cut_reason") == {("home-1", "home-2", "another_of_the_household")}


EVIDENCE = STORIES.add(RECORDS, numbers=[number("a1", PNC), number("a2", PNC), number("a5", PNC)])


def test_an_edge_by_number_keeps_its_evidence_and_says_what_joined_it(told: dict[str, Told]) -> None:
    world = told[EVIDENCE.mark]
    assert {"a1", "a2", "a3", "a4", "a5"} in world.together()
    joined = world.pairs(world.edges, "by_rule", "same_identifier", "judged_same")
    assert {("a1", "a2", True, True, False), ("a1", "a5", False, True, False)} <= joined
    assert ("a1", "a4", True, False, False) in joined
    (edge,) = [
        row
        for row in world.kept_edges
        if row.same_identifier and (row.policy_reason, row.level_date_of_birth) == ("name_and_date_only", "exact")
    ]
    weights = [name for name in NOMINAL_EDGE.names if name.startswith("weight_")]
    assert sum(edge[name] for name in weights) == edge.match_weight_millibits
    assert PNC not in str(edge)


BY_CRO = STORIES.add(
    RECORDS,
    numbers=[
        number("a1", CRO, kind="cro"),
        number("a5", CRO, kind="cro"),
        number("d1", PNC),
        number("d2", PNC, verified=False),
        number("b1", CRO),
    ],
)


def test_an_equal_cro_number_joins_too_and_an_unverified_one_does_nothing(told: dict[str, Told]) -> None:
    assert [cluster for cluster in told[BY_CRO.mark].together() if {"a1", "d1", "b1"} & cluster] == [
        {"a1", "a2", "a3", "a4", "a5"},
        {"b1", "b2"},
        {"d1"},
    ]


FATHER_AND_SON = STORIES.add(RECORDS, numbers=[number("a1", PNC), number("c1", PNC)])


def test_the_guard_cuts_an_edge_by_number_where_dates_contradict(told: dict[str, Told]) -> None:
    """Father and son of one name: an equal number is then an error of the source."""
    assert told[FATHER_AND_SON.mark].together() == ONE_PERSON
    assert ("a1", "c1", "dates_contradict") in told[FATHER_AND_SON.mark].cut("cut_reason")


_LATER = [person(f"m{no}", given, "vantrizzel") for no, given in enumerate(("qorwen belinda", "belinda"))]
LATER = STORIES.add(_LATER)
LATER_NUMBERED = STORIES.add(_LATER, numbers=[number("m0", PNC), number("m1", PNC)])


def test_an_equal_number_tells_a_later_forename_in_use_from_a_twin(told: dict[str, Told]) -> None:
    assert told[LATER.mark].together() == [{"m0"}, {"m1"}]
    assert told[LATER_NUMBERED.mark].together() == [{"m0", "m1"}]


TWO_HOMES = STORIES.add(
    [
        person(f"h{no}", "qorwen", "vantrizzel", "1984-03-12", home)
        for no, home in enumerate((HOME, HOME, MOVED, MOVED))
    ],
    numbers=[number("h0", PNC), number("h2", PNC)],
)


def test_an_equal_number_holds_two_homes_of_two_records_each_together(told: dict[str, Told]) -> None:
    """Somebody who has moved: name and date alone weigh less than a bridge must."""
    world = told[TWO_HOMES.mark]
    (bridge,) = [row for row in world.edges if row.same_identifier]
    assert bridge.match_weight_millibits < LIMITS.bridge_millibits
    assert world.together() == [{"h0", "h1", "h2", "h3"}]


_WITH_ALIAS = [
    person("v1", "wilhelmina", "sproggett", "1984-03-12", HOME),
    person("v2", "w", "sproggett", "1984-03-13", AWAY),
    person("v2", "tomas", "belloquin", "1984-03-12", AWAY, variant_no=1, variant_kind="alias"),
]
ALIAS = STORIES.add(_WITH_ALIAS)
ALIAS_NUMBERED = STORIES.add(_WITH_ALIAS, numbers=[number("v1", PNC), number("v2", PNC)])


def test_an_alias_that_agrees_is_enough_where_a_heavier_pair_of_rows_does_not(told: dict[str, Told]) -> None:
    assert told[ALIAS.mark].edges == []
    assert numbered(told[ALIAS_NUMBERED.mark]) == {("v1", "v2")}


JUDGED_APART = STORIES.add(RECORDS, [("a1", "a5", "not_same", 2)], numbers=[number("a1", PNC), number("a5", PNC)])
JUDGED_SAME = STORIES.add(RECORDS, [("a1", "a5", "same", 2)], numbers=[number("a1", PNC), number("a5", OTHER_PNC)])


def test_not_the_same_and_the_same_by_a_reviewer_outweigh_numbers(told: dict[str, Told]) -> None:
    assert not any({"a1", "a5"} <= cluster for cluster in told[JUDGED_APART.mark].together())
    assert any({"a1", "a5"} <= cluster for cluster in told[JUDGED_SAME.mark].together())


def test_a_number_on_too_many_records_joins_nobody_and_is_counted(spark: SparkSession) -> None:
    rows = [person(ref, "qorwen", "vantrizzel", "1984-03-12", None) for ref in ("x1", "x2", "x3")]
    numbers = [number(row["person_ref"], PNC) for row in rows]
    stories = Stories(limits=GuardLimits(max_records=2, max_path=6, bridge_millibits=14_000))
    three, two = stories.add(rows, numbers=numbers), stories.add(rows, numbers=numbers[:2])
    told = stories.run(spark)
    assert told[three.mark].edges == []
    assert told[two.mark].together() == [{"x1", "x2"}, {"x3"}]
    frame = contract_rows(
        spark, PERSON_IDENTIFIER, *numbers, number("x1", CRO, kind="cro"), number("y", PNC, verified=False)
    )
    assert count_numbers(frame, max_records=2).collect()[0].asDict() == {
        "records": 3,
        "contradicted": 0,
        "too_common": 1,
        "pairs": 0,
    }
    counted = count_numbers(frame, max_records=3).collect()[0]
    assert (counted["too_common"], counted["pairs"]) == (0, 3)


def test_counts_of_no_number_and_of_records_that_bear_two(spark: SparkSession) -> None:
    none = contract_rows(spark, PERSON_IDENTIFIER)
    assert count_numbers(none, max_records=2).collect()[0].asDict() == {
        "records": 0,
        "contradicted": 0,
        "too_common": 0,
        "pairs": 0,
    }
    two = contract_rows(spark, PERSON_IDENTIFIER, number("a", PNC), number("a", OTHER_PNC), number("b", PNC))
    assert count_numbers(two, max_records=2).collect()[0].asDict() == {
        "records": 1,
        "contradicted": 1,
        "too_common": 0,
        "pairs": 0,
    }


def test_pairs_stand_once_whatever_the_number_of_kinds_and_writings(spark: SparkSession) -> None:
    rows = [number(ref, PNC) for ref in "ab"] + [number(ref, CRO, kind="cro") for ref in "ab"]
    rows += [{**number("a", PNC), "identifier_raw": "04/123X"}]
    numbers = usable_numbers(contract_rows(spark, PERSON_IDENTIFIER, *rows))
    assert numbers.count() == 4
    assert equal_pairs(numbers, max_records=2).count() == 1
    components = with_record_id(contract_rows(spark, PERSON_IDENTIFIER, *rows)).selectExpr(
        "record_id", "7L component_id"
    )
    assert differing_pairs(numbers, components.distinct(), most_records=9).count() == 0
