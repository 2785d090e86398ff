"""What the desk says of reviewers' words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from linkage_spark.runs.why import taken_away, word_beside

SUMMER = datetime(2026, 7, 1, 8, 30, tzinfo=UTC)
LINK = {"tier": "match", "match_weight": 20.5, "evidence_fingerprint": "a"}
NEGATED = {**LINK, "judged_at": SUMMER}


def word(judgement: str = "not_same", evidence: str = "a") -> dict[str, Any]:
    """A word in force."""
    return {"judgement": judgement, "judged_at": SUMMER, "evidence_fingerprint": evidence}


def test_a_link_that_a_word_took_away_is_told_with_its_tier_its_weight_the_day_and_what_brings_it_back() -> None:
    assert taken_away(NEGATED, [word()]) == [
        "Published: no link, because of a reviewer's word; without it: tier match, weight +20.500 bits.",
        "On 2026-07-01 09:30 (Europe/London) a reviewer said of this very evidence: not the same.",
        "The link comes back when a value that was compared changes, or when the word is taken back.",
    ]


@pytest.mark.parametrize("now", [[], [word("same")], [word(evidence="b")]], ids=["withdrawn", "same", "other evidence"])
def test_a_word_that_is_no_longer_in_force_is_told_as_such(now: list[dict[str, Any]]) -> None:
    *lines, last = taken_away(NEGATED, now)
    assert lines == taken_away(NEGATED, [word(), *now])
    assert last == "That word is no longer in force: the next run no longer goes by it."


def test_beside_a_link_that_is_shown_stands_the_newest_of_what_was_said_of_other_evidence() -> None:
    earlier = {**word(evidence="c"), "judged_at": SUMMER - timedelta(days=1)}
    assert word_beside(LINK, [word(evidence="b"), earlier, word("same")]) == [
        "On 2026-07-01 09:30 (Europe/London) a reviewer said of other evidence than this: not the same. "
        "Of this evidence nobody has said it."
    ]
    assert word_beside(LINK, []) == word_beside(LINK, [word("same")]) == []


def test_what_was_said_of_a_link_since_the_run_comes_before_what_was_said_of_other_evidence() -> None:
    (line,) = word_beside(LINK, [word(), {**word(evidence="b"), "judged_at": SUMMER + timedelta(days=1)}])
    assert line.startswith("On 2026-07-01 09:30 (Europe/London) a reviewer said of this very evidence: not the same.")
    assert line.endswith("The next run takes the link away.")
