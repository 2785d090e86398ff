"""Distinct rule masks counted in Spark: pairs, true pairs, probability, and what null says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linkage_spark.evaluation.blocking_lean import count_classes, list_true_pairs, unite_pairs
from linkage_spark.evaluation.blocking_recall import count_masks
from linkage_spark.kit.frames import local_frame
from tests.support.persons import employee, person, persons

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

SCHEMA = "ref_l string, ref_r string, rule_mask long, is_true boolean, match_probability double"
TOP = 1 << 61
PAIRS = [
    ("a", "b", 3, True, 0.5),
    ("a", "c", 3, None, 0.4999996),
    ("a", "d", 3, False, None),
    ("b", "c", 4, False, 0.25),
    ("b", "d", TOP, True, None),
]


def counted(pairs: DataFrame, *, truth_marked: bool) -> dict[int, dict[str, Any]]:
    rows = [row.asDict() for row in count_masks(pairs, truth_marked=truth_marked).collect()]
    assert len({row["rule_mask"] for row in rows}) == len(rows)
    return {row.pop("rule_mask"): row for row in rows}


def test_masks_are_counted_with_truth_and_probability_and_a_null_is_neither_true_nor_likely(
    spark: SparkSession,
) -> None:
    found = counted(local_frame(spark, PAIRS, schema=SCHEMA), truth_marked=True)
    names = ("pairs", "true_pairs", "unlabelled_pairs", "expected_millionths", "likely_pairs")
    assert {mask: tuple(row[name] for name in names) for mask, row in found.items()} == {
        # 0.4999996 is 500,000 millionths, and not likely.
        3: (3, 1, 1, 1_000_000, 1),
        4: (1, 0, 0, 250_000, 0),
        TOP: (1, 1, 0, 0, 0),
    }
    assert all(tuple(row) == names for row in found.values())


def test_without_truth_and_probability_pairs_alone_are_counted(spark: SparkSession) -> None:
    pairs = local_frame(spark, PAIRS, schema=SCHEMA).drop("is_true", "match_probability")
    assert counted(pairs, truth_marked=False) == {3: {"pairs": 3}, 4: {"pairs": 1}, TOP: {"pairs": 1}}


def test_rows_and_partitions_in_any_order_give_the_same_sums(spark: SparkSession) -> None:
    pairs = [(f"l{no}", f"r{no}", 1 + no % 3, no % 2 == 0, no / 997) for no in range(300)]
    frame = local_frame(spark, pairs, schema=SCHEMA)
    turned = local_frame(spark, pairs[::-1], schema=SCHEMA).repartition(7)
    assert counted(turned, truth_marked=True) == counted(frame, truth_marked=True)


# ---- a lean set: pairs of records, and error classes ------------------------------------------------------


CANDIDATES = [
    ("e1", "crime", "p1", 0, 0, 0b001),
    ("e1", "crime", "p1", 0, 1, 0b100),
    ("e1", "crime", "p2", 0, 0, 0b010),
    ("e2", "crime", "p1", 0, 0, 0b010),
]
CANDIDATE_SCHEMA = "person_ref_l string, source_system_r string, person_ref_r string, variant_no_l int, variant_no_r int, rule_mask long"
SCORED = [("e1", "crime", "p1", 0), ("e1", "crime", "p1", 2000), ("e1", "crime", "p2", -3000)]
SCORED_SCHEMA = "employee_id string, source_system string, person_ref string, match_weight_millibits int"
TRUE = [
    ("e1", "crime", "p1", "OLD|TYP", True),
    ("e1", "crime", "p2", "", True),
    ("e3", "crime", "p9", "TYP", True),
    ("e4", "crime", "p9", "TYP", False),
]
TRUE_SCHEMA = "employee_id string, source_system string, person_ref string, error_classes string, is_read boolean"


def united(spark: SparkSession) -> DataFrame:
    return unite_pairs(
        local_frame(spark, CANDIDATES, schema=CANDIDATE_SCHEMA),
        local_frame(spark, SCORED, schema=SCORED_SCHEMA),
        local_frame(spark, TRUE, schema=TRUE_SCHEMA),
    )


def test_variants_of_one_pair_of_records_count_once_with_all_their_rules_and_their_best_score(
    spark: SparkSession,
) -> None:
    rows = {(row.employee_id, row.person_ref): row for row in united(spark).collect()}
    assert {key: (row.rule_mask, row.is_true, row.error_classes) for key, row in rows.items()} == {
        ("e1", "p1"): (0b101, True, "OLD|TYP"),
        ("e1", "p2"): (0b010, True, ""),
        ("e2", "p1"): (0b010, False, None),
        ("e3", "p9"): (0, True, "TYP"),
        ("e4", "p9"): (0, True, "TYP"),
    }
    assert rows["e1", "p1"].match_probability == 0.8
    assert rows["e2", "p1"].match_probability is None
    without = unite_pairs(
        local_frame(spark, CANDIDATES, schema=CANDIDATE_SCHEMA),
        local_frame(spark, SCORED, schema=SCORED_SCHEMA),
        None,
    )
    assert sorted((row.employee_id, row.person_ref, row.rule_mask) for row in without.collect()) == [
        ("e1", "p1", 0b101),
        ("e1", "p2", 0b010),
        ("e2", "p1", 0b010),
    ]


def test_a_true_pair_counts_once_for_all_and_in_every_class_of_its_record(spark: SparkSession) -> None:
    rows = count_classes(united(spark), lean=0b001).collect()
    found = {(row.error_class, row.is_read, row.lean_finds, row.rule_mask): row.true_pairs for row in rows}
    assert found == {
        ("all", True, True, 0): 1,
        ("all", True, False, 0b010): 1,
        ("all", True, False, 0): 1,
        ("all", False, False, 0): 1,
        ("OLD", True, True, 0): 1,
        ("TYP", True, True, 0): 1,
        ("TYP", True, False, 0): 1,
        ("TYP", False, False, 0): 1,
        ("clean", True, False, 0b010): 1,
    }


def test_a_true_pair_is_read_when_some_row_of_both_sides_takes_part(spark: SparkSession) -> None:
    held = {"not_screened_reason": "name_alone"}
    rows = [
        employee("e1", **held),
        employee("e1", variant_no=1),
        employee("e2", **held),
        person("p1"),
        person("p2", **held),
    ]
    frame = persons(spark, rows)
    employees = local_frame(
        spark, [("e1", 1, "british"), ("e2", 2, "british")], schema="employee_id string, true_person_id long, x string"
    )
    records = local_frame(
        spark,
        [
            ("crime", "p1", 1, ["TYP", "OLD", "TYP"]),
            ("crime", "p2", 1, []),
            ("crime", "p1", 2, None),
            ("crime", "p3", 1, ["OLD"]),
            ("crime", "p1", 7, []),
        ],
        schema="source_system string, person_ref string, true_person_id long, error_classes array<string>",
    )
    found = list_true_pairs(employees, records, frame).collect()
    assert sorted((row.employee_id, row.person_ref, row.error_classes, row.is_read) for row in found) == [
        ("e1", "p1", "OLD|TYP", True),
        ("e1", "p2", "", False),
        ("e1", "p3", "OLD", False),
        ("e2", "p1", "", False),
    ]
