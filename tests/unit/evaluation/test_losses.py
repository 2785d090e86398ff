"""Where and why true links were lost."""

from __future__ import annotations

import pytest

from linkage_spark.evaluation.accuracy import error_classes
from linkage_spark.evaluation.losses import losses_by_class, losses_by_stage, reason_of, stage_of
from tests.unit.evaluation.test_accuracy import counts, pattern


@pytest.mark.parametrize(
    ("outcome", "stage"),
    [
        ("shown_match", "shown"),
        ("employee_refused", "standardising"),
        ("record_not_screened", "standardising"),
        ("never_proposed", "blocking"),
        ("below_floor", "scoring"),
        ("held_back: below_threshold", "scoring"),
        ("held_back: one_element_only", "policy"),
        ("held_back: contradiction", "policy"),
        ("below_floor_or_never_proposed", "blocking_or_scoring"),
        ("negated_by_reviewer", "review"),
        ("not_shown", "not_told_apart"),
    ],
)
def test_every_outcome_has_its_stage(outcome: str, stage: str) -> None:
    assert stage_of(outcome) == stage


def test_an_outcome_that_judging_does_not_give_is_a_fault() -> None:
    with pytest.raises(ValueError, match="no outcome"):
        stage_of("vanished")


def lost(
    outcome: str, pairs: int, claim: str | None = "possible", reason: str = "name_and_date_only", **other: object
) -> dict[str, object]:
    return pattern(None, True, pairs, outcome=outcome, claim_tier=claim, claim_reason=reason, **other)


def test_stages_count_what_the_policy_would_have_shown() -> None:
    rows = [
        lost("never_proposed", 3),
        lost("never_proposed", 2, "non_match", "one_element_only"),
        lost("below_floor", 4, supportable=False),
        pattern("match", True, 50),
        pattern("possible", False, 7),
    ]
    assert losses_by_stage(rows) == [
        {"stage": "blocking", "true_links": 5, "supportable": 5, "carry_possible": 3},
        {"stage": "scoring", "true_links": 4, "supportable": 0, "carry_possible": 4},
    ]
    assert losses_by_stage([pattern(None, True, 1)])[0]["carry_possible"] is None


def test_a_pair_that_the_policy_would_hold_back_is_the_policys_loss_wherever_it_was_lost() -> None:
    assert reason_of(lost("never_proposed", 1, "non_match", "one_element_only")) == "held_back: one_element_only"
    assert reason_of(lost("below_floor", 1)) == "below_floor"
    assert reason_of(lost("record_refused", 1, None)) == "record_refused"


def test_what_a_reviewer_took_away_is_the_reviewers_loss_and_stands_apart_from_the_policys() -> None:
    assert reason_of(lost("negated_by_reviewer", 1, "non_match", "contradiction")) == "negated_by_reviewer"
    rows = [lost("negated_by_reviewer", 2), lost("held_back: contradiction", 1, "non_match", "contradiction")]
    assert [(row["stage"], row["true_links"]) for row in losses_by_stage(rows)] == [("policy", 1), ("review", 2)]


def test_a_class_below_the_least_recall_names_its_reasons_the_most_frequent_first() -> None:
    rows = [
        pattern("match", True, 80, error_classes="OLD"),
        lost("never_proposed", 5, error_classes="OLD|TYP"),
        lost("below_floor", 15, "non_match", "one_element_only", error_classes="OLD"),
        pattern("match", True, 45, error_classes="TYP"),
        lost("below_floor", 100, error_classes="OLD", supportable=False),
    ]
    old, typ = losses_by_class(rows, error_classes)
    assert (old["error_class"], counts(old["recall_supportable"]), old["below_least"]) == ("OLD", (80, 100), True)
    assert [(one["reason"], one["true_links"]) for one in old["reasons"]] == [
        ("held_back: one_element_only", 15),
        ("never_proposed", 5),
    ]
    assert (typ["error_class"], counts(typ["recall_supportable"]), typ["below_least"]) == ("TYP", (45, 50), False)
