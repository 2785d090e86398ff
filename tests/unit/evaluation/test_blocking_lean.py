"""A lean set beside further rules: mask tables made by hand, and laws that hold for any."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from linkage_spark.evaluation.blocking_lean import ALL, CLEAN, beyond_lean, class_recall, lean_alone

Row = dict[str, Any]

IDS = ("date", "place", "rich:name", "rich:town")
LEAN = 0b0011


def row(mask: int, pairs: int, true: int) -> Row:
    return {"rule_mask": mask, "pairs": pairs, "true_pairs": true, "likely_pairs": true}


ROWS = [
    row(0b0001, 10, 6),
    row(0b0101, 5, 4),
    row(0b0010, 20, 1),
    row(0b0100, 30, 3),
    row(0b1100, 2, 1),
    row(0b1000, 100, 2),
]


def test_the_lean_set_is_ordered_as_if_there_were_no_other_rule() -> None:
    steps = lean_alone(ROWS, IDS, lean=LEAN, found="true_pairs")
    assert [(step["rule_id"], step["pairs_added"], step["found_added"]) for step in steps] == [
        ("date", 15, 10),
        ("place", 20, 1),
    ]
    # Of what date finds, nothing is found by another lean rule: the rich one that shares a pair does not count.
    assert steps[0]["found_only"] == 10


def test_a_further_rule_costs_the_pairs_that_the_lean_set_does_not_propose() -> None:
    steps = beyond_lean(ROWS, IDS, lean=LEAN, found="true_pairs")
    assert [(step["rule_id"], step["pairs_alone"], step["found_alone"]) for step in steps] == [
        ("rich:name", 32, 4),
        ("rich:town", 102, 3),
    ]
    assert [(step["pairs_added"], step["found_added"]) for step in steps] == [(32, 4), (100, 2)]


MASKS = st.lists(
    st.tuples(st.integers(1, 15), st.integers(1, 1000), st.integers(0, 1000)).map(
        lambda made: row(made[0], max(made[1], made[2]), made[2])
    ),
    min_size=1,
    max_size=25,
)


@given(rows=MASKS, lean=st.sampled_from([0b0001, 0b0011, 0b0111, 0b1010]))
def test_lean_set_and_what_lies_beyond_it_make_the_whole(rows: list[Row], lean: int) -> None:
    alone = lean_alone(rows, IDS, lean=lean, found="true_pairs")
    beyond = beyond_lean(rows, IDS, lean=lean, found="true_pairs")
    assert {step["rule_no"] for step in alone} | {step["rule_no"] for step in beyond} == set(range(4))
    assert len(alone) + len(beyond) == 4
    for name, column in (("pairs", "pairs"), ("found", "true_pairs")):
        last = alone[-1][name] + beyond[-1][name]  # type: ignore[literal-required]
        assert last == sum(one[column] for one in rows)


# ---- error classes -----------------------------------------------------------------------------------------


def counted(error_class: str, mask: int, true: int, *, read: bool = True, lean: bool = False) -> Row:
    return {
        "error_class": error_class,
        "is_read": read,
        "lean_finds": lean,
        "rule_mask": mask,
        "true_pairs": true,
    }


CLASSES = [
    counted(ALL, 0, 95, lean=True),
    counted(ALL, 0b0100, 3),
    counted(ALL, 0b1100, 1),
    counted(ALL, 0, 1),
    counted(ALL, 0, 10, read=False),
    counted(CLEAN, 0, 80, lean=True),
    counted("TYP", 0, 8, lean=True),
    counted("TYP", 0b1100, 1),
    counted("TYP", 0, 1),
    counted("GON", 0, 4, read=False),
]


def test_recall_of_a_class_is_of_pairs_that_were_read_and_the_worst_comes_first_after_all() -> None:
    found = class_recall(CLASSES[::-1], IDS)
    assert [one["error_class"] for one in found] == [ALL, "TYP", CLEAN, "GON"]
    whole, typos, clean, gone = found
    assert (whole["true_pairs"], whole["lost_by_reading"], whole["lost_by_lean"]) == (110, 10, 5)
    assert (whole["lean"]["numerator"], whole["lean"]["denominator"]) == (95, 100)
    assert whole["every_rule"]["value"] == 0.99
    assert (typos["lean"]["value"], typos["every_rule"]["value"]) == (0.8, 0.9)
    assert clean["lean"]["value"] == 1.0
    assert (gone["lean"]["value"], gone["lost_by_lean"], gone["brought_back_by"]) == (None, 0, [])


def test_what_brings_back_a_class_is_told_best_first() -> None:
    whole = class_recall(CLASSES, IDS)[0]
    assert whole["brought_back_by"] == [
        {"rule_id": "rich:name", "true_pairs": 4},
        {"rule_id": "rich:town", "true_pairs": 1},
    ]
