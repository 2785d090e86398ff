"""Recall bounded by what records carry."""

from __future__ import annotations

from typing import Any

from linkage_spark.evaluation.carried import carried_figures
from tests.unit.evaluation.test_accuracy import counts, pattern

PATTERNS = [
    pattern("match", True, 90, claim_tier="match"),
    pattern("possible", True, 6, claim_tier="match"),
    pattern(None, True, 4, claim_tier="match"),
    pattern("possible", True, 30, claim_tier="possible"),
    pattern(None, True, 10, claim_tier="possible", supportable=False),
    pattern(None, True, 40, claim_tier="non_match"),
    pattern(None, True, 20, claim_tier=None, outcome="record_not_screened", supportable=False),
    pattern("possible", False, 126),
]
FOUND: Any = carried_figures(PATTERNS)


def test_recall_of_tier_match_is_over_true_links_that_carry_match() -> None:
    assert counts(FOUND["match_of_match"]) == (90, 100)
    assert counts(FOUND["carry_match"]) == (100, 200)


def test_recall_of_all_shown_is_over_true_links_that_carry_at_least_possible() -> None:
    assert counts(FOUND["shown_of_possible"]) == (126, 140)
    assert counts(FOUND["carry_possible"]) == (140, 200)


def test_the_coarse_bound_asks_nobody_and_keeps_what_the_comparison_cannot_see() -> None:
    assert counts(FOUND["shown_of_supportable"]) == (126, 170)
    assert counts(FOUND["supportable"]) == (170, 200)


def test_shown_pairs_per_true_one_count_false_pairs() -> None:
    assert (FOUND["shown_pairs"], FOUND["true_shown_pairs"], FOUND["shown_pairs_per_true"]) == (252, 126, 2.0)
    assert carried_figures([pattern("match", False, 2)])["shown_pairs_per_true"] is None


def test_every_true_link_stands_in_one_row_of_tiers() -> None:
    rows = {
        row["carries"]: (row["true_links"]["numerator"], row["shown_match"], row["shown_possible"])
        for row in FOUND["tiers"]
    }
    assert rows == {"match": (100, 90, 6), "possible": (40, 0, 30), "non_match": (40, 0, 0), "not_compared": (20, 0, 0)}
