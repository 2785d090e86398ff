"""Nominals against the truth: worked by hand, and against plain Python over random worlds."""

from __future__ import annotations

import json
import random
from fractions import Fraction
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from linkage_spark.evaluation.nominal_counts import (
    count_nominals,
    count_over_merged,
    count_twin_pairs,
    count_wrong_joins,
    label_records,
    list_wrong_joins,
    usual_births,
)
from linkage_spark.evaluation.nominal_figures import (
    HOUSEHOLD,
    NAMESAKES,
    PLACEHOLDER,
    STRANGERS,
    TWINS,
    NominalFigures,
    NominalShares,
    nominal_figures,
)
from linkage_spark.kit.frames import local_frame
from linkage_spark.linkage.blocking import may_be_possible
from linkage_spark.runs.evaluate_nominals import no_level_explains
from linkage_spark.runs.figures import dict_rows
from linkage_spark.synthesis.people import MOST_IN_HOUSEHOLD, Force, make_household
from linkage_spark.synthesis.settings import load_force

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

FORCE = Path(__file__).resolve().parents[2] / "conf" / "synthesis" / "force.toml"
TRUTH = "record_id long, true_person_id long, naming_tradition string, hard_negative string"
BIRTHS = "true_person_id long, dob_year int, dob_month int, dob_day int"
DATES = "record_id long, dob_year int, dob_month int, dob_day int"


def contradicts(one: str, other: str) -> Column:
    return ~may_be_possible(one, other)


def measured(labelled: DataFrame, births: DataFrame) -> NominalFigures:
    """The counts collected, as a run does."""
    counts = count_nominals(labelled, births, people_per_household=MOST_IN_HOUSEHOLD, contradicts=contradicts)
    return nominal_figures(
        dict_rows(counts.cells),
        sizes=dict_rows(counts.sizes),
        over_merged=dict_rows(counts.over_merged)[0],
        wrong_joins=dict_rows(counts.wrong_joins),
        twins=dict_rows(counts.twins)[0],
    )


def of(share: Any) -> tuple[int, int]:
    """Numerator and denominator."""
    return share["numerator"], share["denominator"]


def harmonic(one: Fraction, other: Fraction) -> float:
    return round(float(2 * one * other / (one + other)), 6)


# --- Worked by hand -------------------------------------------------------------------------------

# Nominals A {1, 2, 3, 10}, B {4, 5, 6}, C {7, 8}; record 9 stands in none, the truth does not name 10.
MEMBERS = [(1, 100), (2, 100), (3, 100), (10, 100), (4, 200), (5, 200), (6, 200), (7, 300), (8, 300)]
# Persons 0 {1, 2, 3, 4} and 1 {5, 6} are twins; person 65 {8, 9} is a namesake of 64 {7}, numbered with the household.
PERSONS = [
    *[(record, 0, "british", None) for record in (1, 2, 3, 4)],
    *[(record, 1, "polish", "twin_of_employee") for record in (5, 6)],
    (7, 64, "polish", None),
    *[(record, 65, "british", "namesake_same_dob") for record in (8, 9)],
]
# The rules permit {1, 2, 4}, {5, 6} and {8, 9}; 3 and 7 are parts by themselves.
PERMITTED = [(1, 1), (2, 1), (4, 1), (5, 5), (6, 5), (8, 8), (9, 8), (7, None)]
BORN = [(0, 1980, 5, 1), (1, 1980, 5, 1), (64, 1970, 2, 3), (65, 1970, 2, 3)]


def test_figures_of_a_small_world_worked_by_hand(spark: SparkSession) -> None:
    labelled = label_records(
        local_frame(spark, MEMBERS, "record_id long, component_id long"),
        local_frame(spark, PERSONS, TRUTH),
        permitted=local_frame(spark, PERMITTED, "record_id long, permitted_id long"),
        cluster="component_id",
    )
    found = measured(labelled, local_frame(spark, BORN, BIRTHS))
    assert (found["records"], found["unlabelled_records"], found["missing_records"]) == (9, 1, 1)
    assert (found["persons"], found["nominals"], found["largest_nominal"]) == (4, 3, 4)

    whole = found["whole"]
    # Joined: 3 in A, 3 in B, 1 in C. Of one person: 3 in A, {5, 6} in B. True: 6 + 1 + 0 + 1.
    assert of(whole["pairwise_precision"]) == (4, 7)
    assert of(whole["pairwise_recall"]) == (4, 8)
    assert whole["pairwise_f1"]["value"] == round(8 / 15, 6)
    # Precision: 1 for 1, 2, 3; 1/3 for 4; 2/3 for 5, 6; 1/2 for 7, 8; 1 for 9: 20/3 over 9 records.
    assert whole["b_cubed_precision"] == round(20 / 27, 6)
    # Recall: 3/4 for 1, 2, 3; 1/4 for 4; 1 for 5, 6, 7; 1/2 for 8, 9: 13/2 over 9 records.
    assert whole["b_cubed_recall"] == round(13 / 18, 6)
    assert whole["b_cubed_f1"] == harmonic(Fraction(20, 27), Fraction(13, 18))

    permitted = found["permitted"]
    assert permitted is not None
    # Of one part and joined: {1, 2}, {5, 6}. Permitted: 3 + 1 + 1.
    assert of(permitted["pairwise_precision"]) == (2, 7)
    assert of(permitted["pairwise_recall"]) == (2, 5)
    # Precision: 2/3 for 1, 2, 5, 6; 1/3 for 3, 4; 1/2 for 7, 8; 1 for 9: 16/3.
    assert permitted["b_cubed_precision"] == round(16 / 27, 6)
    # Recall: 2/3 for 1, 2; 1/3 for 4; 1 for 3, 5, 6, 7; 1/2 for 8, 9: 20/3.
    assert permitted["b_cubed_recall"] == round(20 / 27, 6)

    over, under = found["over_merged"], found["under_merged"]
    assert of(over["nominals"]) == (2, 3)  # B and C
    assert (over["records"], over["records_of_others"], over["largest"], over["not_looked_into"]) == (5, 2, 2, 0)
    assert of(over["persons"]) == (4, 4)
    assert (over["pairs"], over["twins_joined"], over["twin_pairs"], over["contradicting_nominals"]) == (2, 1, 1, 0)
    assert {row["relation"]: row["nominals"] for row in over["by_relation"] if row["pairs"]} == {TWINS: 1, NAMESAKES: 1}
    # Persons 0 and 65 are split, of 0, 1 and 65, with one nominal too many each; {1, 2, 4} and {8, 9} of three parts.
    assert of(under["persons"]) == (2, 3)
    assert under["extra_nominals"] == 2
    assert of(under["permitted_parts"]) == (2, 3)
    assert [(row["size"], row["nominals"], row["records"]) for row in found["sizes"] if row["nominals"]] == [
        ("2", 1, 2),
        ("3", 1, 3),
        ("4", 1, 4),
    ]

    british, polish = found["by_tradition"]
    assert (british["group"], british["records"], british["persons"]) == ("british", 6, 2)
    # With a British record: 3 in A, {4, 5} and {4, 6} in B, {7, 8} in C. True: 6 + 1.
    assert of(british["whole"]["pairwise_precision"]) == (3, 6)
    assert of(british["whole"]["pairwise_recall"]) == (3, 7)
    # With a Polish one: 3 in B, 1 in C. Precision of 5, 6, 7: 2/3, 2/3, 1/2.
    assert of(polish["whole"]["pairwise_precision"]) == (1, 4)
    assert of(polish["whole"]["pairwise_recall"]) == (1, 1)
    assert polish["whole"]["b_cubed_precision"] == round(11 / 18, 6)
    json.dumps(found, allow_nan=False)


def test_relations_and_contradictions_of_every_pair_of_persons_in_one_nominal(spark: SparkSession) -> None:
    persons: list[tuple[int, str | None]] = [
        (-7, None),
        (0, None),
        (1, "twin_of_employee"),
        (2, "spouse"),
        (3, "namesake_same_dob"),
        (64, None),
        (65, None),
        (66, None),
    ]
    births = [(0, 1980, 5, 1), (2, 1979, 8, 9), (3, 1980, 5, 1), (64, 1980, 5, 1), (65, 2010, 1, 2), (66, 2010, 1, 2)]
    labelled = label_records(
        local_frame(spark, [(no, 1) for no in range(8)], "record_id long, nominal_id long"),
        local_frame(
            spark, [(no, *person, "t") for no, person in enumerate(persons)], "a long, b long, c string, d string"
        ).toDF("record_id", "true_person_id", "hard_negative", "naming_tradition"),
    )
    born = local_frame(spark, births, BIRTHS)
    joins = list_wrong_joins(
        labelled, born, people_per_household=MOST_IN_HOUSEHOLD, contradicts=contradicts, most_persons=8
    )
    rows = {(row["true_person_id_l"], row["true_person_id_r"]): row for row in joins.collect()}
    relation = {pair: row["relation"] for pair, row in rows.items()}
    assert len(rows) == 28
    assert {pair for pair, kind in relation.items() if kind == PLACEHOLDER} == {pair for pair in rows if pair[0] == -7}
    # 0 and 1 by the truth's mark, since nobody knows when 1 was born; 65 and 66 by their date.
    assert {pair for pair, kind in relation.items() if kind == TWINS} == {(0, 1), (65, 66)}
    assert {pair for pair, kind in relation.items() if kind == NAMESAKES} == {(0, 3), (1, 3), (2, 3)}
    assert {pair for pair, kind in relation.items() if kind == HOUSEHOLD} == {(0, 2), (1, 2), (64, 65), (64, 66)}
    assert {pair for pair, kind in relation.items() if kind == STRANGERS} == {
        (one, other) for one in (0, 1, 2, 3) for other in (64, 65, 66)
    }
    # Against 2010: 1980 and 1979; 1979-08-09 against 1980-05-01 too. No date, no contradiction.
    against = {(one, other) for one in (0, 2, 3, 64) for other in (65, 66)} | {(0, 2), (2, 3), (2, 64)}
    assert {pair for pair, row in rows.items() if row["dates_contradict"]} == against
    every = {row["relation"]: row for row in count_wrong_joins(joins).collect()}
    assert (every[None]["pairs"], every[None]["nominals"]) == (28, 1)
    assert (every[None]["contradicting_pairs"], every[None]["contradicting_nominals"]) == (len(against), 1)
    exact = list_wrong_joins(labelled, born, people_per_household=MOST_IN_HOUSEHOLD, contradicts=no_level_explains)
    assert {tuple(row)[1:3] for row in exact.where("dates_contradict").collect()} == against
    twins = count_twin_pairs(labelled, born, people_per_household=MOST_IN_HOUSEHOLD).first()
    assert twins is not None and twins["twin_pairs"] == 2


def test_a_nominal_of_too_many_persons_is_counted_and_its_pairs_are_not_listed(spark: SparkSession) -> None:
    persons = [(1, 1), (2, 2), (3, 3), (4, 3), (5, 4), (6, 1)]
    labelled = label_records(
        local_frame(spark, [(1, 1), (2, 1), (3, 1), (4, 1), (5, 2), (6, 2)], "record_id long, nominal_id long"),
        local_frame(spark, [(*person, "t", None) for person in persons], TRUTH),
    )
    row = count_over_merged(labelled, most_persons=2).first()
    assert row is not None and row.asDict() == {
        "nominals": 2,
        "records": 6,
        "records_of_others": 3,
        "persons": 4,
        "largest": 3,
        "not_looked_into": 1,
    }
    joins = list_wrong_joins(
        labelled,
        local_frame(spark, [], BIRTHS),
        people_per_household=MOST_IN_HOUSEHOLD,
        contradicts=contradicts,
        most_persons=2,
    )
    assert [tuple(pair)[:3] for pair in joins.collect()] == [(2, 1, 4)]


def test_a_persons_usual_birth_is_full_before_frequent_before_early(spark: SparkSession) -> None:
    labelled = label_records(
        local_frame(spark, [], "record_id long, nominal_id long"),
        local_frame(spark, [(no, person, "t", None) for no, person in enumerate((1, 1, 1, 2, 2, 2, 3, 3, 4))], TRUTH),
    )
    dates = [
        *[(0, 1980, None, None), (1, 1980, None, None), (2, 1981, 1, 1)],
        *[(3, 1970, 1, 1), (4, 1971, 2, 2), (5, 1971, 2, 2)],
        *[(6, 1990, 3, 4), (7, 1989, 3, 4)],
        (8, None, 5, 6),
    ]
    rows = usual_births(labelled, local_frame(spark, dates, DATES)).collect()
    assert {tuple(row) for row in rows} == {(1, 1981, 1, 1), (2, 1971, 2, 2), (3, 1989, 3, 4)}


def test_the_made_up_force_numbers_and_marks_twins_and_namesakes_as_the_relations_read_them() -> None:
    force = Force(seed=7, employees=600, households=600, settings=load_force(FORCE))
    kinds: set[str | None] = set()
    for household in range(600):
        people = make_household(force, household)
        assert {person.person_id // MOST_IN_HOUSEHOLD for person in people} == {household}
        employed = [person for person in people if person.employee is not None]
        assert all(person.hard_negative is None for person in employed)
        for person in people:
            if person.hard_negative in ("twin_of_employee", "namesake_same_dob"):
                assert person.born in {colleague.born for colleague in employed}
                kinds.add(person.hard_negative)
    assert kinds == {"twin_of_employee", "namesake_same_dob"}


# --- Random worlds against plain Python -----------------------------------------------------------

WORLDS, RECORDS = 50, 14


def draw_world(number: int) -> list[tuple[int, int | None, int, str, int | None]]:
    """Records of one world: (record, cluster, person, tradition, permitted part); no other world shares any of them."""
    dice, base = random.Random(20261122 + number), number * 1_000
    rows: list[tuple[int, int | None, int, str, int | None]] = []
    for record in range(RECORDS):
        person = dice.randrange(1, 7)
        cluster = None if dice.random() < 0.1 else base + dice.randrange(1, 6)
        part = None if dice.random() < 0.3 else base + person * 10 + dice.randrange(2)
        rows.append((base + record, cluster, base + person, f"{number:02d}{'ab'[person % 2]}", part))
    return rows


def oracle(rows: list[Any], group: str | None, *, parts: bool) -> tuple[tuple[int, ...], list[Fraction]]:
    """(joined and true, joined, true) pairs with a record of the group, and sums of B-cubed precision and recall."""
    placed = [
        (
            ("alone", record) if cluster is None else cluster,
            (person, part if part is not None else ("alone", record)) if parts else person,
            tradition,
        )
        for record, cluster, person, tradition, part in rows
    ]
    pairs = [pair for pair in combinations(placed, 2) if group is None or group in (pair[0][2], pair[1][2])]
    joined = [one[1] == other[1] for one, other in pairs if one[0] == other[0]]
    true = sum(one[1] == other[1] for one, other in pairs)
    precision = recall = Fraction(0)
    for cluster, entity, tradition in placed:
        if group in (None, tradition):
            both = sum(other[:2] == (cluster, entity) for other in placed)
            precision += Fraction(both, sum(other[0] == cluster for other in placed))
            recall += Fraction(both, sum(other[1] == entity for other in placed))
    return (sum(joined), len(joined), true), [precision, recall]


def assert_same(found: NominalShares | None, pairs: tuple[int, ...], shares: list[Fraction]) -> None:
    assert found is not None
    both, joined, true = pairs
    assert of(found["pairwise_precision"]) == (both, joined)
    assert of(found["pairwise_recall"]) == (both, true)
    assert found["pairwise_f1"]["value"] == (round(2 * both / (joined + true), 6) if joined + true else None)
    assert found["b_cubed_precision"] == round(float(shares[0]), 6)
    assert found["b_cubed_recall"] == round(float(shares[1]), 6)
    assert found["b_cubed_f1"] == harmonic(*shares)


def test_figures_equal_those_counted_pair_by_pair_in_fifty_random_worlds(spark: SparkSession) -> None:
    worlds = [draw_world(number) for number in range(WORLDS)]
    rows = [row for world in worlds for row in world]
    labelled = label_records(
        local_frame(spark, [(row[0], row[1]) for row in rows if row[1] is not None], "record_id long, nominal_id long"),
        local_frame(spark, [(row[0], row[2], row[3], None) for row in rows], TRUTH),
        permitted=local_frame(spark, [(row[0], row[4]) for row in rows], "record_id long, permitted_id long"),
    ).repartition(3)
    found = measured(labelled, local_frame(spark, [], BIRTHS))
    groups = {row["group"]: row for row in found["by_tradition"]}
    for name, parts in (("whole", False), ("permitted", True)):
        every = [oracle(world, None, parts=parts) for world in worlds]
        pairs = tuple(sum(one[0][place] for one in every) for place in range(3))
        means = [sum((one[1][place] for one in every), start=Fraction(0)) / len(rows) for place in (0, 1)]
        assert_same(found[name], pairs, means)  # type: ignore[literal-required]
        for world in worlds:
            for group in {row[3] for row in world}:
                own = sum(row[3] == group for row in world)
                pairs, sums = oracle(world, group, parts=parts)
                assert_same(groups[group][name], pairs, [total / own for total in sums])  # type: ignore[literal-required]
    assert sum(row["records"] for row in groups.values()) == found["records"] == len(rows)
    assert found["missing_records"] == sum(row[1] is None for row in rows)
    persons_of: dict[int, list[int]] = {}
    for _, cluster, person, _, _ in rows:
        if cluster is not None:
            persons_of.setdefault(cluster, []).append(person)
    mixed = {cluster: people for cluster, people in persons_of.items() if len(set(people)) > 1}
    over = found["over_merged"]
    assert of(over["nominals"]) == (len(mixed), len(persons_of))
    assert over["persons"]["numerator"] == len({person for people in mixed.values() for person in people})
    assert over["records"] == sum(len(people) for people in mixed.values())
    assert over["records_of_others"] == sum(
        len(people) - max(people.count(person) for person in people) for people in mixed.values()
    )
    assert over["pairs"] == sum(len(set(people)) * (len(set(people)) - 1) // 2 for people in mixed.values())
