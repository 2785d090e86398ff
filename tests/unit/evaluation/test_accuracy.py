from __future__ import annotations

from typing import Any

from linkage_spark.evaluation.accuracy import accuracy


def pattern(tier: str | None, is_true: bool, pairs: int, **other: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "source_system": "crime",
        "supportable": True,
        "naming_tradition": "british",
        "error_classes": "",
        "hard_negative": None,
        "on_duty_sign": False,
        "address_noted": False,
        "outcome": {"match": "shown_match", "possible": "shown_possible"}.get(tier or "", "not_shown"),
        "claim_tier": None,
        "claim_reason": None,
        "age_band": "35_to_44",
        "event_types": "crime",
    }
    return {**base, "tier": tier, "is_true": is_true, "pairs": pairs, **other}


PATTERNS = [
    pattern("match", True, 80),
    pattern("match", False, 2, hard_negative="twin_of_employee"),
    pattern("possible", True, 10, error_classes="alias|spelling"),
    pattern("possible", False, 8, hard_negative="namesake_same_dob", naming_tradition="irish"),
    pattern(None, True, 6, error_classes="spelling", source_system="custody"),
    pattern(None, True, 4, supportable=False, outcome="record_not_screened", on_duty_sign=True),
]
HITS = [
    {"event_type": "crime", "tier": "match", "on_duty_sign": False, "is_true": True, "hits": 9},
    {"event_type": "crime", "tier": "possible", "on_duty_sign": False, "is_true": False, "hits": 1},
    {"event_type": "crime", "tier": None, "on_duty_sign": False, "is_true": True, "hits": 3},
    {"event_type": "crime", "tier": "match", "on_duty_sign": True, "is_true": True, "hits": 2},
]
WEIGHTS = [
    {"at_least_bits": 4.0, "is_true": True, "pairs": 10},
    {"at_least_bits": 4.0, "is_true": False, "pairs": 10},
    {"at_least_bits": 20.5, "is_true": True, "pairs": 80},
]
NEGATIVES = [
    {"hard_negative": "twin_of_employee", "records": 30},
    {"hard_negative": "namesake_same_dob", "records": 50},
]
FIGURES = accuracy(PATTERNS, weights=WEIGHTS, hard_negatives=NEGATIVES, hits=HITS)


def counts(proportion: Any) -> tuple[int, int]:
    return proportion["numerator"], proportion["denominator"]


def test_precision_is_over_shown_and_recall_over_all_true_links() -> None:
    strong, shown = FIGURES["scopes"]
    assert (strong["scope"], counts(strong["precision"]), counts(strong["recall"])) == (
        "match",
        (80, 82),
        (80, 100),
    )
    assert (counts(shown["precision"]), counts(shown["recall"])) == ((90, 100), (90, 100))
    assert shown["precision"]["value"] == 0.9


def test_supportable_recall_leaves_out_records_that_hold_too_little() -> None:
    assert counts(FIGURES["scopes"][1]["recall_supportable"]) == (90, 96)
    assert FIGURES["supportable_true_links"] == 96


def test_a_record_with_two_error_classes_counts_under_both() -> None:
    found = {(row["group"], row["scope"]): counts(row["recall"]) for row in FIGURES["by_error_class"]}
    assert found["alias", "match+possible"] == (10, 10)
    assert found["spelling", "match+possible"] == (10, 16)
    assert found["clean", "match"] == (80, 84)
    assert FIGURES["by_error_class"][0]["group"] == "clean"


def test_false_links_count_under_the_tradition_of_the_employee() -> None:
    irish = [row for row in FIGURES["by_tradition"] if row["group"] == "irish"]
    assert [(row["scope"], row["false_links"]) for row in irish] == [("match", 0), ("match+possible", 8)]
    assert irish[0]["recall"]["value"] is None


def test_look_alikes_are_counted_in_the_tier_that_shows_them() -> None:
    assert FIGURES["hard_negatives"] == [
        {"hard_negative": "namesake_same_dob", "records": 50, "shown_match": 0, "shown_possible": 8},
        {"hard_negative": "twin_of_employee", "records": 30, "shown_match": 2, "shown_possible": 0},
    ]


def test_hits_on_duty_stand_apart() -> None:
    found = {(row["on_duty_sign"], row["scope"]): row for row in FIGURES["hits"]}
    assert counts(found[False, "match+possible"]["precision"]) == (9, 10)
    assert counts(found[False, "match+possible"]["recall"]) == (9, 12)
    assert counts(found[True, "match"]["recall"]) == (2, 2)


def test_curve_runs_from_the_heaviest_pairs_down() -> None:
    assert FIGURES["curve"] == [
        {"at_least_bits": 20.5, "links": 80, "precision": 1.0, "recall": 0.8},
        {"at_least_bits": 4.0, "links": 100, "precision": 0.9, "recall": 0.9},
    ]


def test_outcomes_add_up_to_all_true_links() -> None:
    assert sum(row["true_links"] for row in FIGURES["loss"]) == FIGURES["true_links"] == 100
    assert sum(row["supportable"] for row in FIGURES["loss"]) == FIGURES["supportable_true_links"]
    assert FIGURES["loss"][0] == {"outcome": "shown_match", "true_links": 80, "supportable": 80}


def test_a_run_without_any_link_has_no_precision_and_no_fault() -> None:
    empty = accuracy([pattern(None, True, 3)], weights=[], hard_negatives=[], hits=[])
    assert empty["scopes"][0]["precision"]["value"] is None
    assert counts(empty["scopes"][0]["recall"]) == (0, 3)
    assert empty["curve"] == []


def test_a_record_in_events_of_two_types_counts_under_both_and_ages_stand_apart() -> None:
    rows = [pattern("match", True, 3, event_types="crime|incident"), pattern(None, True, 1, age_band="under_25")]
    found = accuracy(rows, weights=[], hard_negatives=[], hits=[])
    by_type = {row["group"]: counts(row["recall"]) for row in found["by_event_type"] if row["scope"] == "match"}
    assert by_type == {"crime": (3, 4), "incident": (3, 3)}
    by_age = {row["group"]: counts(row["recall"]) for row in found["by_age_band"] if row["scope"] == "match"}
    assert by_age == {"35_to_44": (3, 3), "under_25": (0, 1)}


def test_what_records_carry_is_told_only_where_the_policy_was_asked() -> None:
    assert "carried" not in FIGURES
    asked = accuracy([pattern("match", True, 3, claim_tier="match")], weights=[], hard_negatives=[], hits=[])
    assert counts(asked["carried"]["match_of_match"]) == (3, 3)
