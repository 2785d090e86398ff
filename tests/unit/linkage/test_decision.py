"""The tier policy, clause by clause, on facts written by hand. No JVM."""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from linkage_spark.linkage.decision import FACTS, OTHERWISE, POLICY, clause_of, judge
from linkage_spark.model.schema import load_model
from linkage_spark.tables.enums import PolicyReason, Tier

MODEL = load_model(Path(__file__).resolve().parents[3] / "conf", "screening_v1")
HIGH = round(1000 * MODEL.thresholds.match_bits)
MIDDLE = round(1000 * MODEL.thresholds.possible_bits)

WHOLE = ("name_whole", "forename_agrees", "surname_agrees")


def pair(*holds: str, weight: int = HIGH) -> dict[str, Any]:
    unknown = set(holds) - set(FACTS)
    assert not unknown
    return {**{name: name in holds for name in FACTS}, "match_weight_millibits": weight}


CASES = [
    # what agrees, tier, reason
    (("dob_full", *WHOLE, "same_premises", "same_postcode"), Tier.MATCH, PolicyReason.SAME_PREMISES_AND_DATE),
    (("dob_full", "forename_agrees", "same_premises"), Tier.MATCH, PolicyReason.SAME_PREMISES_AND_DATE),
    (("dob_full", *WHOLE, "same_postcode"), Tier.MATCH, PolicyReason.SAME_NAME_DATE_AND_POSTCODE),
    (
        ("dob_near", *WHOLE, "same_premises", "same_postcode"),
        Tier.MATCH,
        PolicyReason.SAME_PREMISES_NEAR_DATE,
    ),
    # A near date needs the premises; the postcode is not enough.
    (("dob_near", *WHOLE, "same_postcode"), Tier.POSSIBLE, PolicyReason.NAME_AND_DATE_ONLY),
    # Name and date alone: never a match, however rare.
    (("dob_full", *WHOLE), Tier.POSSIBLE, PolicyReason.NAME_AND_DATE_ONLY),
    (("dob_full", *WHOLE, "rare_name", "rare_surname"), Tier.POSSIBLE, PolicyReason.NAME_AND_DATE_ONLY),
    (("dob_near", *WHOLE), Tier.POSSIBLE, PolicyReason.NAME_AND_DATE_ONLY),
    # Away from the premises one part of the name is not enough.
    (("dob_full", "forename_agrees"), Tier.NON_MATCH, PolicyReason.ONE_ELEMENT_ONLY),
    (("dob_full", "surname_agrees"), Tier.NON_MATCH, PolicyReason.ONE_ELEMENT_ONLY),
    (("dob_full", "forename_agrees", "same_postcode"), Tier.NON_MATCH, PolicyReason.ONE_ELEMENT_ONLY),
    # No date of birth.
    ((*WHOLE, "same_premises"), Tier.POSSIBLE, PolicyReason.NAME_AND_PREMISES_ONLY),
    (("forename_agrees", "same_premises"), Tier.POSSIBLE, PolicyReason.NAME_AND_PREMISES_ONLY),
    (("surname_agrees", "same_premises"), Tier.NON_MATCH, PolicyReason.ONE_ELEMENT_ONLY),
    ((*WHOLE, "same_postcode"), Tier.NON_MATCH, PolicyReason.ONE_ELEMENT_ONLY),
    (WHOLE, Tier.NON_MATCH, PolicyReason.ONE_ELEMENT_ONLY),
    # Date and premises without the forename.
    (("dob_full", "same_premises"), Tier.POSSIBLE, PolicyReason.DATE_AND_PREMISES_ONLY),
    (("dob_full", "same_premises", "forename_differs"), Tier.POSSIBLE, PolicyReason.DATE_AND_PREMISES_ONLY),
    (("dob_near", "same_premises", "surname_agrees"), Tier.POSSIBLE, PolicyReason.DATE_AND_PREMISES_ONLY),
    (("dob_near", "same_premises"), Tier.NON_MATCH, PolicyReason.ONE_ELEMENT_ONLY),
    # Households.
    (("same_premises", "forename_differs", "surname_agrees"), Tier.NON_MATCH, PolicyReason.CONTRADICTION),
    (
        ("same_premises", "forename_differs", "surname_agrees", "dob_near"),
        Tier.NON_MATCH,
        PolicyReason.CONTRADICTION,
    ),
    (
        ("dob_full", "same_premises", "surname_agrees", "forename_differs", "twin_pattern"),
        Tier.POSSIBLE,
        PolicyReason.TWIN_PATTERN,
    ),
    # Father and son of one name.
    (("dob_contradicts", *WHOLE, "same_premises", "rare_name"), Tier.NON_MATCH, PolicyReason.CONTRADICTION),
    # All agree, with a conflict.
    (("dob_full", *WHOLE, "same_premises", "sex_marked_conflict"), Tier.POSSIBLE, PolicyReason.CONFLICT),
    (("dob_full", *WHOLE, "sex_marked_conflict"), Tier.POSSIBLE, PolicyReason.NAME_AND_DATE_ONLY),
    # A name alone.
    ((*WHOLE, "rare_name"), Tier.POSSIBLE, PolicyReason.RARE_NAME_ALONE),
    (("surname_agrees", "rare_surname"), Tier.NON_MATCH, PolicyReason.ONE_ELEMENT_ONLY),
    # On duty.
    ((*WHOLE, "on_duty_sign"), Tier.POSSIBLE, PolicyReason.ON_DUTY_NAME),
    (("surname_agrees", "rare_surname", "on_duty_sign"), Tier.POSSIBLE, PolicyReason.ON_DUTY_NAME),
    (("surname_agrees", "on_duty_sign"), Tier.NON_MATCH, PolicyReason.ONE_ELEMENT_ONLY),
    (
        ("surname_agrees", "rare_surname", "forename_differs", "on_duty_sign"),
        Tier.NON_MATCH,
        PolicyReason.ONE_ELEMENT_ONLY,
    ),
    # One element, or none.
    (("same_premises",), Tier.NON_MATCH, PolicyReason.ONE_ELEMENT_ONLY),
    (("dob_full",), Tier.NON_MATCH, PolicyReason.ONE_ELEMENT_ONLY),
    ((), Tier.NON_MATCH, PolicyReason.ONE_ELEMENT_ONLY),
]


@pytest.mark.parametrize(
    ("holds", "tier", "reason"),
    CASES,
    ids=lambda value: "+".join(value) if isinstance(value, tuple) else str(value),
)
def test_each_combination_gets_its_tier_and_reason(holds: tuple[str, ...], tier: Tier, reason: PolicyReason) -> None:
    assert judge(pair(*holds), MODEL) == (tier, reason)


def all_facts() -> list[dict[str, Any]]:
    free = [name for name in FACTS if name not in ("name_whole", "dob_full", "dob_near", "dob_contradicts")]
    dates = [(), ("dob_full",), ("dob_near",), ("dob_contradicts",)]
    return [
        {name: name in (*date, *chosen) or (name == "name_whole" and whole) for name in FACTS}
        for date, whole, bits in itertools.product(
            dates, (False, True), itertools.product((False, True), repeat=len(free))
        )
        for chosen in [[name for name, bit in zip(free, bits, strict=True) if bit]]
    ]


def test_over_all_facts_no_pair_matches_without_a_place_and_none_survives_a_contradiction() -> None:
    for facts in all_facts():
        tier = clause_of(facts).tier
        if not (facts["same_premises"] or facts["same_postcode"]):
            assert tier is not Tier.MATCH
        if facts["dob_contradicts"]:
            assert tier is Tier.NON_MATCH
        if not (facts["dob_full"] or facts["dob_near"]) or facts["twin_pattern"] or facts["sex_marked_conflict"]:
            assert tier is not Tier.MATCH
        if facts["dob_near"] and not facts["same_premises"]:
            assert tier is not Tier.MATCH


def test_an_on_duty_record_is_shown_for_its_name_from_a_weight_lower_by_what_its_sign_is_worth_as_a_prior() -> None:
    # One of 13,000 employees for sure, where a random pair is one person once in ten million.
    assert MODEL.on_duty_bits == pytest.approx(-MODEL.prior_bits - math.log2(13_000))
    least = MODEL.thresholds.possible_bits - MODEL.on_duty_bits
    for facts, reason in (
        ((*WHOLE, "on_duty_sign"), PolicyReason.ON_DUTY_NAME),
        ((*WHOLE, "rare_name"), PolicyReason.RARE_NAME_ALONE),
        (("dob_full", *WHOLE, "on_duty_sign"), PolicyReason.NAME_AND_DATE_ONLY),
    ):
        above, below = (judge(pair(*facts, weight=round(1000 * bits)), MODEL) for bits in (least + 0.1, least - 0.1))
        assert below == (Tier.NON_MATCH, PolicyReason.BELOW_THRESHOLD)
        shown = reason is PolicyReason.ON_DUTY_NAME
        assert above == ((Tier.POSSIBLE, reason) if shown else (Tier.NON_MATCH, PolicyReason.BELOW_THRESHOLD))
    likely = MODEL.model_copy(update={"prior_bits": -8.0})
    assert likely.on_duty_bits == 0.0


def test_a_weight_below_a_threshold_lowers_the_tier_and_says_so() -> None:
    home = ("dob_full", *WHOLE, "same_premises")
    assert judge(pair(*home, weight=HIGH), MODEL)[0] is Tier.MATCH
    assert judge(pair(*home, weight=HIGH - 1), MODEL) == (Tier.POSSIBLE, PolicyReason.BELOW_THRESHOLD)
    assert judge(pair(*home, weight=MIDDLE), MODEL) == (Tier.POSSIBLE, PolicyReason.BELOW_THRESHOLD)
    assert judge(pair(*home, weight=MIDDLE - 1), MODEL) == (Tier.NON_MATCH, PolicyReason.BELOW_THRESHOLD)
    assert judge(pair("dob_full", *WHOLE, weight=MIDDLE), MODEL)[0] is Tier.POSSIBLE
    assert judge(pair("dob_full", *WHOLE, weight=MIDDLE - 1), MODEL) == (
        Tier.NON_MATCH,
        PolicyReason.BELOW_THRESHOLD,
    )
    # A high weight never lifts a pair above its clause.
    assert judge(pair("same_premises", weight=99_000), MODEL) == (
        Tier.NON_MATCH,
        PolicyReason.ONE_ELEMENT_ONLY,
    )


def test_every_clause_reads_known_facts_only_and_says_what_it_means() -> None:
    asked: set[str] = set()

    class Facts(dict[str, Any]):
        def __missing__(self, name: str) -> Any:
            asked.add(name)
            return np.bool_(True)

    for clause in (*POLICY, OTHERWISE):
        clause.holds(Facts())
        assert clause.holds.__doc__
    assert asked == set(FACTS)
