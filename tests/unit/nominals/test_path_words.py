"""Paths and cuts in sentences, by hand."""

from __future__ import annotations

import itertools
import random
import re
from pathlib import Path

import pytest

from linkage_spark.nominals.path_words import (
    CUT_SENTENCES,
    ToldEdge,
    cut_in_words,
    farthest_records,
    path_in_words,
    strongest_path,
)
from linkage_spark.settings.wording import load_wording
from linkage_spark.tables.enums import CutReason, PolicyReason

CONF = Path(__file__).parents[3] / "conf"
NAMES = {1: "crime/C-12", 2: "custody/K-7", 3: "intel/I-3", 4: "custody/K-9", 5: "incident/N-5"}


def edge(
    left: int, right: int, weight: int = 20_000, *, same: bool = False, numbered: bool = False, **told: str
) -> ToldEdge:
    usual = {
        "policy_reason": PolicyReason.SAME_PREMISES_AND_DATE.value,
        "level_name": "given exact, surname exact",
        "level_date_of_birth": "exact",
        "level_address": "same_premises",
    }
    said = {"judged_same": same, "same_identifier": numbered}
    return ToldEdge(left=left, right=right, weight_millibits=weight, **said, **(usual | told))


def ends(path: list[ToldEdge]) -> list[tuple[int, int]]:
    return [(one.left, one.right) for one in path]


def test_a_step_names_both_records_what_agrees_and_how_much_it_weighs() -> None:
    assert path_in_words([edge(1, 2, 31_249)], 1, 2, names=NAMES) == [
        "crime/C-12 and custody/K-7: name, date of birth and home agree (31.2 bits; name exact, date exact, address "
        "same premises)."
    ]


def test_a_path_is_told_from_its_start_on_whichever_end_of_an_edge_is_lower() -> None:
    slips = {"level_name": "given variant, surname typo", "level_date_of_birth": "day_month_swap"}
    near = edge(2, 4, 14_050, policy_reason="same_premises_near_date", **slips)
    far = edge(1, 4, policy_reason="same_name_date_and_postcode", level_address="same_postcode")
    first = (
        "custody/K-7 and custody/K-9: name and home agree, the date of birth but for a slip (14.1 bits; name given variant and "
        "surname typo, date day month swap, address same premises)."
    )
    second = (
        "custody/K-9 and crime/C-12: whole name, date of birth and postcode agree (20.0 bits; name exact, date exact, address "
        "same postcode)."
    )
    assert path_in_words([near, far], 2, 1, names=NAMES) == [first, second]
    assert [text.split(":")[0] for text in path_in_words([near, far], 1, 2, names=NAMES)] == [
        "crime/C-12 and custody/K-9",
        "custody/K-9 and custody/K-7",
    ]


def test_a_pair_judged_the_same_says_so_whatever_the_records_say() -> None:
    against = edge(
        1, 3, -3_200, same=True, policy_reason="contradiction", level_name="given differ, surname exact",
        level_date_of_birth="differ", level_address="missing",
    )  # fmt: skip
    assert path_in_words([against], 3, 1, names=NAMES) == [
        "intel/I-3 and crime/C-12: a reviewer has judged them the same (−3.2 bits; name given differ and surname exact, "
        "date differ, address missing)."
    ]


def test_the_detour_over_strong_edges_is_taken_before_a_weak_short_cut() -> None:
    edges = [edge(1, 4, 11_000), edge(1, 2, 30_000), edge(2, 3, 25_000), edge(3, 4, 40_000)]
    assert ends(strongest_path(edges, 1, 4)) == [(1, 2), (2, 3), (3, 4)]


def test_a_judgement_goes_before_every_weight_and_of_equal_weights_the_lower_ids() -> None:
    triangle = [edge(1, 2, 30_000), edge(2, 3, 30_000), edge(1, 3, -5_000, same=True)]
    assert ends(strongest_path(triangle, 1, 3)) == [(1, 3)]
    assert ends(strongest_path([edge(1, 2), edge(2, 3), edge(1, 3)], 2, 3)) == [(1, 2), (1, 3)]


def test_the_order_of_edges_changes_nothing_and_no_path_has_a_stronger_weakest_edge() -> None:
    rng = random.Random(7)
    for _ in range(60):
        records = range(1, rng.randint(3, 7))
        edges = [edge(*pair, rng.randint(10, 14) * 1000) for pair in itertools.combinations(records, 2)]
        edges = [one for one in edges if one.right == one.left + 1 or rng.random() < 0.4]
        path = strongest_path(edges, 1, records[-1])
        assert strongest_path(rng.sample(edges, len(edges)), 1, records[-1]) == path
        weakest = min(one.weight_millibits for one in path)
        stronger = [one for one in edges if one.weight_millibits > weakest]
        with pytest.raises(ValueError, match="no path"):
            strongest_path(stronger, 1, records[-1])


def test_no_path_is_refused_by_id_and_no_step_leads_to_oneself() -> None:
    with pytest.raises(ValueError, match="no path of 2 edges leads from record 1 to record 4"):
        path_in_words([edge(1, 2), edge(3, 4)], 1, 4, names=NAMES)
    with pytest.raises(ValueError, match="from record 1 to record 5"):
        path_in_words([edge(1, 2)], 1, 5, names=NAMES)
    assert path_in_words([], 1, 1, names=NAMES) == []


def test_farthest_records_by_hand() -> None:
    chain = [edge(1, 2), edge(2, 3), edge(3, 4), edge(2, 5)]
    assert farthest_records(chain, [4, 2, 1, 3, 5]) == (1, 4)
    assert farthest_records(chain[:1], [2, 1]) == (1, 2)
    assert farthest_records([edge(1, 2), edge(2, 3), edge(1, 3)], [3, 2, 1]) == (1, 2)
    assert farthest_records([], [1]) is farthest_records([], []) is farthest_records([edge(2, 3)], [1, 2, 3]) is None
    assert farthest_records([edge(1, 3), edge(2, 4), edge(2, 5)], [1, 2, 3, 4, 5]) == (1, 3)


def test_a_cut_names_the_two_records_that_may_not_meet() -> None:
    assert cut_in_words(edge(1, 4, 24_000), CutReason.DATES_CONTRADICT, (3, 4), names=NAMES) == (
        "crime/C-12 and custody/K-9 would have joined (24.0 bits), but intel/I-3 and custody/K-9 have dates of birth that "
        "contradict each other."
    )
    assert cut_in_words(edge(1, 4, same=True), CutReason.PNC_DIFFERS, (2, 3), names=NAMES) == (
        "crime/C-12 and custody/K-9 would have joined (a reviewer has judged them the same; 20.0 bits), but custody/K-7 and "
        "intel/I-3 have different verified PNC numbers."
    )


def test_an_equal_number_is_told_without_the_number() -> None:
    step = edge(1, 2, 16_000, numbered=True, policy_reason="name_and_date_only", level_address="different")
    assert path_in_words([step], 1, 2, names=NAMES) == [
        "crime/C-12 and custody/K-7: the same verified PNC or CRO number stands on both (16.0 bits; name exact, date exact, "
        "address different)."
    ]
    judged = edge(1, 2, 16_000, numbered=True, same=True)
    assert "a reviewer has judged them the same (" in path_in_words([judged], 1, 2, names=NAMES)[0]
    assert cut_in_words(edge(1, 4, numbered=True), CutReason.CRO_DIFFERS, (1, 4), names=NAMES) == (
        "crime/C-12 and custody/K-9 would have joined (the same verified PNC or CRO number stands on both; 20.0 bits), but they "
        "have different verified CRO numbers."
    )


def test_a_cut_of_the_very_pair_that_may_not_meet_names_it_once() -> None:
    assert cut_in_words(edge(1, 4), CutReason.JUDGED_NOT_SAME, (1, 4), names=NAMES) == (
        "crime/C-12 and custody/K-9 would have joined (20.0 bits), but they have been judged not the same by a reviewer."
    )


def test_a_cut_for_a_limit_names_nobody_else() -> None:
    assert cut_in_words(edge(1, 4, 12_000), CutReason.WEAK_BRIDGE, None, names=NAMES) == (
        "crime/C-12 and custody/K-9 would have joined (12.0 bits), but this edge alone, too weak for it, would have held two "
        "groups of records together."
    )


@pytest.mark.parametrize("reason", list(CutReason))
def test_every_reason_has_a_sentence_and_names_a_pair_unless_it_is_a_limit(reason: CutReason) -> None:
    limits = {CutReason.TOO_LARGE, CutReason.TOO_LONG, CutReason.WEAK_BRIDGE}
    assert ("{pair}" in CUT_SENTENCES[reason]) == (reason not in limits)
    told = cut_in_words(edge(1, 4), reason, None if reason in limits else (2, 3), names=NAMES)
    assert load_wording(CONF).forbidden_in(re.sub(r"[^\w\s]", " ", told)) == []


@pytest.mark.parametrize("reason", list(PolicyReason))
def test_every_clause_can_be_told_without_a_barred_word(reason: PolicyReason) -> None:
    told = path_in_words([edge(1, 2, policy_reason=reason.value)], 1, 2, names=NAMES)[0]
    assert load_wording(CONF).forbidden_in(re.sub(r"[^\w\s]", " ", told)) == []
