"""Rules in the order of their worth, and matches that none finds: mask tables made by hand, and laws that hold for any."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkage_spark.evaluation.blocking_recall import (
    LEAST_IN_BOTH,
    capture_recapture,
    chao_missed,
    chapman_total,
    greedy_order,
    steps_to,
)
from linkage_spark.evaluation.intervals import Z_95

Row = dict[str, Any]


def row(mask: int, pairs: int, true: int) -> Row:
    return {"rule_mask": mask, "pairs": pairs, "true_pairs": true, "likely_pairs": true}


IDS = ("name", "date", "place")
ROWS = [
    row(0b001, 90, 1),
    row(0b010, 10, 2),
    row(0b100, 5, 0),
    row(0b011, 10, 7),
    row(0b110, 4, 4),
    row(0b111, 1, 1),
]


# ---- the order of the rules --------------------------------------------------------------------------------


def test_the_first_rule_finds_most_per_pair_and_each_next_one_most_per_pair_it_adds() -> None:
    # Alone: name 9 of 101, date 14 of 25, place 5 of 10. After date: name 1 of 90, place 0 of 5.
    steps = greedy_order(ROWS, IDS)
    assert [(step["rule_id"], step["pairs_added"], step["found_added"]) for step in steps] == [
        ("date", 25, 14),
        ("name", 90, 1),
        ("place", 5, 0),
    ]
    assert [(step["pairs"], step["found"]) for step in steps] == [(25, 14), (115, 15), (120, 15)]


def test_a_step_tells_what_its_rule_finds_alone_and_what_no_other_rule_finds() -> None:
    by_id = {step["rule_id"]: step for step in greedy_order(ROWS, IDS)}
    assert {
        name: (step["pairs_alone"], step["found_alone"], step["pairs_only"], step["found_only"])
        for name, step in by_id.items()
    } == {"name": (101, 9, 90, 1), "date": (25, 14, 10, 2), "place": (10, 5, 5, 0)}


def test_a_pair_of_two_rules_counts_once() -> None:
    steps = greedy_order([row(0b11, 10, 5)], ("a", "b"))
    assert [(step["rule_id"], step["pairs_added"], step["found_added"]) for step in steps] == [
        ("a", 10, 5),
        ("b", 0, 0),
    ]


def test_rules_that_are_worth_the_same_come_by_their_id_whatever_their_number() -> None:
    steps = greedy_order([row(0b01, 10, 5), row(0b10, 2, 1)], ("z", "a"))
    assert [(step["rule_id"], step["rule_no"]) for step in steps] == [("a", 1), ("z", 0)]


def test_shares_that_a_float_cannot_tell_apart_are_told_apart() -> None:
    large = 10**17
    steps = greedy_order([row(0b01, large, large - 1), row(0b10, large + 1, large)], ("a", "b"))
    assert [step["rule_id"] for step in steps] == ["b", "a"]


def test_without_a_truth_the_expected_matches_decide() -> None:
    rows = [
        {"rule_mask": 0b01, "pairs": 10, "expected_millionths": 900_000},
        {"rule_mask": 0b10, "pairs": 1, "expected_millionths": 500_000},
    ]
    steps = greedy_order(rows, ("a", "b"), found="expected_millionths")
    assert [(step["rule_id"], step["found"]) for step in steps] == [("b", 500_000), ("a", 1_400_000)]


def test_no_pair_at_all_lists_every_rule_with_nothing() -> None:
    steps = greedy_order([], ("b", "a"))
    assert [(step["rule_id"], step["pairs"], step["found"]) for step in steps] == [("a", 0, 0), ("b", 0, 0)]
    assert steps_to(steps, 990) == 0


@pytest.mark.parametrize(("per_mille", "rules"), [(1, 1), (933, 1), (934, 2), (1000, 2)])
def test_as_many_rules_are_enough_as_reach_the_share(per_mille: int, rules: int) -> None:
    # 14 of 15 is 933.3 thousandths.
    assert steps_to(greedy_order(ROWS, IDS), per_mille) == rules


@pytest.mark.parametrize("mask", [0, 0b1000, -1])
def test_a_mask_that_no_rule_explains_is_refused(mask: int) -> None:
    with pytest.raises(ValueError, match="none of 3 rules"):
        greedy_order([row(mask, 1, 0)], IDS)


def test_a_rule_id_that_stands_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        greedy_order(ROWS, ("a", "b", "a"))


RULES = 6
NAMES = tuple("fbdace")
TABLES = st.lists(
    st.tuples(st.integers(1, 2**RULES - 1), st.integers(1, 50), st.integers(0, 50)).map(
        lambda at: row(at[0], at[1], min(at[1], at[2]))
    ),
    max_size=25,
)


def covered(rows: Iterable[Row], chosen: int) -> tuple[int, int]:
    hit = [at for at in rows if at["rule_mask"] & chosen]
    return sum(at["pairs"] for at in hit), sum(at["true_pairs"] for at in hit)


@given(rows=TABLES)
def test_every_rule_stands_once_and_cumulative_figures_are_those_of_the_union_so_far(rows: list[Row]) -> None:
    steps = greedy_order(rows, NAMES)
    assert sorted(step["rule_id"] for step in steps) == sorted(NAMES)
    chosen, before = 0, (0, 0)
    for step in steps:
        chosen |= 1 << step["rule_no"]
        now = step["pairs"], step["found"]
        assert now == covered(rows, chosen)
        assert (step["pairs_added"], step["found_added"]) == (now[0] - before[0], now[1] - before[1])
        assert now >= before
        assert step["found_added"] >= 0
        before = now
    assert before == (sum(at["pairs"] for at in rows), sum(at["true_pairs"] for at in rows))


@given(rows=TABLES)
def test_no_rule_left_would_have_added_more_per_pair(rows: list[Row]) -> None:
    chosen = 0
    for step in greedy_order(rows, NAMES):
        pairs, found = covered(rows, chosen)
        for no in set(range(RULES)) - {at for at in range(RULES) if chosen >> at & 1}:
            with_it = covered(rows, chosen | 1 << no)
            # found/pairs of the other rule is no greater, cross-multiplied; 0 pairs find 0.
            assert (with_it[1] - found) * step["pairs_added"] <= step["found_added"] * (with_it[0] - pairs) or (
                step["found_added"] == 0 and with_it[1] == found
            )
        chosen |= 1 << step["rule_no"]


@given(rows=TABLES, seed=st.integers(0, 2**32))
def test_the_order_of_rows_and_a_mask_that_is_split_change_nothing(rows: list[Row], seed: int) -> None:
    split = [
        part
        for at in rows
        for part in (row(at["rule_mask"], at["pairs"], at["true_pairs"]), row(at["rule_mask"], 0, 0))
    ]
    random.Random(seed).shuffle(split)
    assert greedy_order(split, NAMES) == greedy_order(rows, NAMES)
    groups = (0b000111, 0b111000)
    assert capture_recapture(split, NAMES, groups=groups) == capture_recapture(rows, NAMES, groups=groups)


# ---- matches that no rule finds ----------------------------------------------------------------------------


def test_chao_by_hand() -> None:
    # f0 = 10²/(2·5) = 10; r = 2: variance 5·(16/4 + 8 + 4/2) = 70; C = exp(1.96 √ln 1.7).
    found = chao_missed(100, 10, 5)
    spread = math.exp(Z_95 * math.sqrt(math.log(1.7)))
    assert found == {"missed": 10.0, "low": round(10 / spread, 3), "high": round(10 * spread, 3)}


def test_chao_where_none_was_found_twice_takes_the_corrected_form() -> None:
    # f0 = 4·3/2 = 6; N = 26: variance 6 + 4·49/4 - 256/104 = 52.538.
    found = chao_missed(20, 4, 0)
    spread = math.exp(Z_95 * math.sqrt(math.log(1 + (6 + 49 - 256 / 104) / 36)))
    assert found == {"missed": 6.0, "low": round(6 / spread, 3), "high": round(6 * spread, 3)}


@pytest.mark.parametrize(("once", "twice"), [(0, 0), (0, 3), (1, 0)])
def test_nothing_is_missed_and_no_interval_given_where_none_or_a_single_one_was_found_once(
    once: int, twice: int
) -> None:
    assert chao_missed(9, once, twice) == {"missed": 0.0, "low": None, "high": None}


def test_chapman_by_hand() -> None:
    # (19 + 1)(14 + 1)/(9 + 1) - 1 = 29; variance 20·15·10·5/(100·11) = 13.636.
    total, variance = chapman_total(19, 14, 9)
    assert total == pytest.approx(29.0)
    assert variance == pytest.approx(15_000 / 1_100)


def test_what_both_groups_found_cannot_be_more_than_one_of_them_found() -> None:
    with pytest.raises(ValueError, match="5 in both groups"):
        chapman_total(4, 9, 5)


def test_matches_are_counted_by_how_many_rules_and_which_group_found_them() -> None:
    # Rules: 0 reads names, 1 and 2 do not, 3 reads both and belongs to no group.
    rows = [
        row(0b0001, 50, 10),
        row(0b0010, 9, 3),
        row(0b1000, 9, 2),
        row(0b0011, 20, 8),
        row(0b0110, 5, 1),
        row(0b1101, 9, 1),
    ]
    found = capture_recapture(rows, ("name", "date", "place", "mixed"), groups=(0b0001, 0b0110))
    assert (found["found"], found["once"], found["twice"]) == (25, 15, 9)
    assert found["chao"] == chao_missed(25, 15, 9)
    assert (found["first"], found["second"], found["both"]) == (19, 13, 9)
    # N = 20·14/10 - 1 = 27, variance 280·10·4/(100·11); 25 were found.
    half = Z_95 * math.sqrt(280 * 40 / 1_100)
    assert found["chapman"] == {"missed": 2.0, "low": 0.0, "high": round(27 + half - 25, 3)}


def test_too_few_in_both_groups_give_no_estimate_of_that_kind() -> None:
    def of(both: int) -> Any:
        return capture_recapture([row(0b11, both, both), row(0b01, 9, 9)], ("a", "b"), groups=(1, 2))["chapman"]

    assert of(LEAST_IN_BOTH - 1) is None
    assert of(LEAST_IN_BOTH) == {"missed": 0.0, "low": 0.0, "high": 0.0}


def test_no_match_gives_no_estimate() -> None:
    found = capture_recapture([row(1, 5, 0)], ("a", "b"), groups=(1, 2))
    assert (found["chao"], found["chapman"]) == (None, None)


def test_two_independent_catches_give_the_truth_back() -> None:
    # Of 1,000 matches 800 are caught by one group, 500 by the other, 400 by both: 100 by neither.
    rows = [row(0b01, 400, 400), row(0b10, 100, 100), row(0b11, 400, 400)]
    found = capture_recapture(rows, ("a", "b"), groups=(1, 2))["chapman"]
    assert found is not None
    assert found["missed"] == pytest.approx(100, abs=1)
    assert found["low"] is not None
    assert found["high"] is not None
    assert found["low"] < 100 < found["high"]


def test_probabilities_are_not_counted_as_pairs_and_groups_do_not_overlap() -> None:
    with pytest.raises(ValueError, match="whole pairs"):
        capture_recapture([], ("a", "b"), groups=(1, 2), found="expected_millionths")
    with pytest.raises(ValueError, match="share a rule"):
        capture_recapture([], ("a", "b"), groups=(1, 3))
