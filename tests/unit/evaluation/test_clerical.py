"""The allocation of a sample for review, and the estimate from its answers."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkage_spark.evaluation.clerical import (
    LEAST_REVIEWED,
    LEAST_SHARE,
    Stratum,
    allocate,
    clerical_estimate,
    least_size,
    stratum_of,
)
from linkage_spark.evaluation.expectation import shifted


def stratum(shown: bool, tier: str, place: int, pairs: int, share: float) -> dict[str, Any]:
    return {
        "shown": shown,
        "tier": tier,
        "probability_bin": place,
        "pairs": pairs,
        "probability_millionths": round(pairs * share * 1_000_000),
    }


def answered(row: dict[str, Any], yes: int, no: int, cannot_tell: int = 0) -> dict[str, Any]:
    return {**row, "yes": yes, "no": no, "cannot_tell": cannot_tell}


UPPER = stratum(True, "match", 5, 100, 0.96)
MIDDLE = stratum(True, "possible", 3, 40, 0.5)
LOWER = stratum(False, "possible", 1, 60, 0.1)


# ---- allocation --------------------------------------------------------------------------------------------


def test_the_allocation_is_neymans_by_hand() -> None:
    # N·sqrt(p(1-p)): 1000·0.5 = 500, 1000·0.3 = 300, 1000·0.4 = 400 (p 0.5, 0.1, 0.2): 50 : 30 : 40 of 120.
    rows = [stratum(True, "match", place, 1000, share) for place, share in ((3, 0.5), (1, 0.1), (2, 0.2))]
    found = allocate(rows, 120)
    assert found == {Stratum(True, "match", 3): 50, Stratum(True, "match", 1): 30, Stratum(True, "match", 2): 40}


def test_a_stratum_of_which_the_model_is_sure_is_allocated_as_if_the_least_share_were_wrong() -> None:
    sure, floor = stratum(True, "match", 7, 1000, 1.0), stratum(True, "match", 6, 1000, 1 - LEAST_SHARE)
    assert set(allocate([sure, floor], 100).values()) == {50}


def test_small_strata_are_drawn_whole_and_others_twice_at_least() -> None:
    one, two, vast = (stratum(True, "match", place, pairs, 0.5) for place, pairs in enumerate((1, 2, 10**6)))
    sure = stratum(True, "match", 7, 3, 1.0)
    found = allocate([one, two, vast, sure], 100)
    assert [found[stratum_of(row)] for row in (one, two, vast, sure)] == [1, 2, 95, LEAST_REVIEWED]


def test_a_sample_greater_than_all_pairs_is_all_pairs() -> None:
    assert sum(allocate([UPPER, MIDDLE, LOWER], 1000).values()) == 200


def test_a_sample_too_small_for_the_strata_is_refused_with_the_least_size() -> None:
    with pytest.raises(ValueError, match="a sample of 5 is too small: 3 strata need at least 6 pairs"):
        allocate([UPPER, MIDDLE, LOWER], 5)


@st.composite
def populations(draw: st.DrawFn) -> list[dict[str, Any]]:
    keys = draw(
        st.lists(
            st.tuples(st.booleans(), st.sampled_from(["match", "possible", "non_match"]), st.integers(0, 7)),
            min_size=1,
            max_size=12,
            unique=True,
        )
    )
    return [stratum(*key, draw(st.integers(1, 300)), draw(st.floats(0, 1))) for key in keys]


@given(populations(), st.integers(0, 400), st.randoms())
def test_an_allocation_adds_up_keeps_its_bounds_and_knows_no_order(
    rows: list[dict[str, Any]], more: int, chance: Any
) -> None:
    size = least_size(rows) + more
    found = allocate(rows, size)
    assert sum(found.values()) == min(size, sum(row["pairs"] for row in rows))
    for row in rows:
        assert min(LEAST_REVIEWED, row["pairs"]) <= found[stratum_of(row)] <= row["pairs"]
    again = list(rows)
    chance.shuffle(again)
    assert allocate(again, size) == found
    larger = allocate(rows, size + 1)
    assert all(larger[key] >= number for key, number in found.items())


@given(
    st.lists(st.tuples(st.integers(2, 9), st.floats(0.02, 0.98)), min_size=2, max_size=3),
    st.integers(0, 8),
)
def test_no_other_allocation_has_less_variance(strata: list[tuple[int, float]], more: int) -> None:
    rows = [stratum(True, "match", place, pairs, share) for place, (pairs, share) in enumerate(strata)]
    size = min(least_size(rows) + more, sum(row["pairs"] for row in rows))

    def variance(numbers: tuple[int, ...]) -> float:
        total = 0.0
        for row, number in zip(rows, numbers, strict=True):
            share = min(max(row["probability_millionths"] / 1e6 / row["pairs"], LEAST_SHARE), 1 - LEAST_SHARE)
            total += row["pairs"] ** 2 * share * (1 - share) / number
        return total

    found = allocate(rows, size)
    ranges = [range(LEAST_REVIEWED, row["pairs"] + 1) for row in rows]
    best = min(variance(numbers) for numbers in itertools.product(*ranges) if sum(numbers) == size)
    assert variance(tuple(found[stratum_of(row)] for row in rows)) == pytest.approx(best)


# ---- estimate ----------------------------------------------------------------------------------------------


def test_figures_by_hand() -> None:
    rows = [answered(UPPER, 19, 1), answered(MIDDLE, 4, 4, 2), answered(LOWER, 1, 9)]
    figures = clerical_estimate(rows[::-1])
    assert figures["sample"] == {
        "pairs": 40,
        "yes": 24,
        "no": 14,
        "cannot_tell": 2,
        "strata": 3,
        "strata_without_answer": 0,
    }
    # 100 · 19/20 + 40 · 4/8 = 115 of the 140 shown; 60 · 1/10 = 6 of the others.
    assert (figures["pairs"], figures["shown"]) == (200, 140)
    assert figures["true_shown"]["value"] == 115.0
    assert figures["false_shown"]["value"] == 25.0
    assert figures["missed_among_scored"]["value"] == 6.0
    assert figures["true_pairs"]["value"] == 121.0
    assert figures["precision"]["value"] == round(115 / 140, 6)
    assert figures["recall_among_scored"]["value"] == round(115 / 121, 6)
    assert [(tier["tier"], tier["pairs"], tier["true_pairs"]["value"]) for tier in figures["tiers"]] == [
        ("match", 100, 95.0),
        ("possible", 100, 26.0),
    ]


def test_limits_of_strata_whose_answers_are_alike_by_hand() -> None:
    # The exact lower limit of n of n is the n-th root of 0.025. For 20 of 100, n counts as 20·99/80 = 24.75; for
    # 10 of 60 as 10·59/50 = 11.8.
    figures = clerical_estimate([answered(UPPER, 20, 0), answered(LOWER, 0, 10)])
    assert figures["true_shown"] == {"value": 100.0, "low": round(100 * 0.025 ** (1 / 24.75), 6), "high": 100.0}
    assert figures["missed_among_scored"]["high"] == round(60 * (1 - 0.025 ** (1 / 11.8)), 6)


def test_limits_of_several_strata_are_put_together_by_squared_distances() -> None:
    one, other = (clerical_estimate([row])["true_shown"] for row in (answered(UPPER, 19, 1), answered(MIDDLE, 4, 4)))
    both = clerical_estimate([answered(UPPER, 19, 1), answered(MIDDLE, 4, 4)])["true_shown"]
    assert (one["value"], other["value"], both["value"]) == (95.0, 20.0, 115.0)
    below = math.hypot(95 - one["low"], 20 - other["low"])  # type: ignore[operator]
    above = math.hypot(one["high"] - 95, other["high"] - 20)  # type: ignore[operator]
    assert (both["low"], both["high"]) == (pytest.approx(115 - below, abs=1e-5), pytest.approx(115 + above, abs=1e-5))


def test_in_a_vast_stratum_the_limits_are_those_of_the_binomial() -> None:
    # 45 of 50: 45 or more of 50 at the lower limit have a chance of 0.025, 45 or fewer at the upper one.
    share = clerical_estimate([answered(stratum(True, "match", 5, 10**9, 0.9), 45, 5)])["precision"]
    low, high = share["low"], share["high"]
    assert low is not None and high is not None
    assert sum(math.comb(50, k) * low**k * (1 - low) ** (50 - k) for k in range(45, 51)) == pytest.approx(
        0.025, abs=1e-5
    )
    assert sum(math.comb(50, k) * high**k * (1 - high) ** (50 - k) for k in range(46)) == pytest.approx(0.025, abs=1e-5)


def test_answers_all_alike_leave_a_width() -> None:
    figures = clerical_estimate([answered(UPPER, 20, 0), answered(LOWER, 0, 10)])
    for name in ("precision", "recall_among_scored", "missed_among_scored"):
        part = figures[name]  # type: ignore[literal-required]
        assert part["low"] < part["high"], name
    assert figures["recall_among_scored"]["value"] == 1.0


def test_a_stratum_answered_whole_has_no_width() -> None:
    figures = clerical_estimate([answered(MIDDLE, 30, 10)])
    assert figures["precision"] == {"value": 0.75, "low": 0.75, "high": 0.75}


def test_cannot_tell_is_missing_at_random_in_its_stratum_and_widens_the_interval() -> None:
    less = clerical_estimate([answered(UPPER, 9, 1, 10)])["precision"]
    more = clerical_estimate([answered(UPPER, 18, 2)])["precision"]
    assert less["value"] == more["value"] == 0.9
    assert less["low"] < more["low"] and less["high"] > more["high"]  # type: ignore[operator]


def test_a_stratum_nobody_could_tell_anything_of_lies_between_none_and_all_and_is_counted() -> None:
    figures = clerical_estimate([answered(LOWER, 0, 0, 10)])
    assert figures["sample"]["strata_without_answer"] == 1
    assert figures["missed_among_scored"] == {"value": 6.0, "low": 0.0, "high": 60.0}


def test_more_answers_than_pairs_and_a_stratum_twice_are_refused() -> None:
    with pytest.raises(ValueError, match="41 yes"):
        clerical_estimate([answered(MIDDLE, 41, 0)])
    with pytest.raises(ValueError, match="twice"):
        clerical_estimate([answered(MIDDLE, 1, 0), answered(MIDDLE, 1, 0)])


def test_the_estimate_is_unbiased_over_all_samples_of_a_tiny_population() -> None:
    shown, kept = [1, 1, 1, 0, 1], [0, 1, 0, 0]
    found = []
    for one, other in itertools.product(itertools.combinations(shown, 3), itertools.combinations(kept, 2)):
        figures = clerical_estimate(
            [
                answered(stratum(True, "match", 5, 5, 0.9), sum(one), 3 - sum(one)),
                answered(stratum(False, "possible", 1, 4, 0.1), sum(other), 2 - sum(other)),
            ]
        )
        found.append(
            (figures["true_shown"]["value"], figures["missed_among_scored"]["value"], figures["precision"]["value"])
        )
    assert len(found) == 10 * 6
    assert np.mean(found, axis=0) == pytest.approx([4.0, 1.0, 0.8], abs=1e-6)


MIXED = {(True, 6): (800, 0.99), (True, 4): (300, 0.85), (False, 2): (300, 0.3), (False, 0): (1500, 0.02)}
NEARLY_PURE = {(True, 7): (5000, 0.999), (True, 5): (400, 0.97), (False, 2): (200, 0.3), (False, 0): (20_000, 0.003)}
SMALL = {(True, 6): (50, 0.9), (False, 1): (50, 0.2)}
"""Strata of populations: pairs, and the share of them that is true. The model believes in odds twice as good."""


@pytest.mark.parametrize(
    ("population", "size"),
    [(MIXED, 200), (NEARLY_PURE, 200), (NEARLY_PURE, 40), (SMALL, 40)],
    ids=["mixed", "nearly pure", "nearly pure, few", "small"],
)
def test_95_percent_intervals_hold_the_truth_in_at_least_93_of_100_samples(
    population: dict[tuple[bool, int], tuple[int, float]], size: int
) -> None:
    rows = [stratum(key[0], "possible", key[1], pairs, shifted(share, 1)) for key, (pairs, share) in population.items()]
    right = {key: round(pairs * share) for key, (pairs, share) in population.items()}
    sizes = allocate(rows, size)
    found, missed = (sum(true for key, true in right.items() if key[0] is shown) for shown in (True, False))
    truth = {
        "true_pairs": found + missed,
        "true_shown": found,
        "missed_among_scored": missed,
        "precision": found / sum(row["pairs"] for row in rows if row["shown"]),
        "recall_among_scored": found / (found + missed),
    }
    chance, samples = np.random.default_rng(20261121), 1000
    covered = dict.fromkeys(truth, 0)
    for _ in range(samples):
        counted = []
        for row, true in zip(rows, right.values(), strict=True):
            drawn = sizes[stratum_of(row)]
            yes = int(chance.hypergeometric(true, row["pairs"] - true, drawn))
            counted.append(answered(row, yes, drawn - yes))
        figures = clerical_estimate(counted)
        for name, value in truth.items():
            part = figures[name]  # type: ignore[literal-required]
            covered[name] += part["low"] - 1e-6 <= value <= part["high"] + 1e-6
    assert {name: count for name, count in covered.items() if count < 0.93 * samples} == {}


@given(populations(), st.data())
def test_every_interval_holds_its_estimate_and_keeps_its_bounds(
    rows: list[dict[str, Any]], data: st.DataObject
) -> None:
    counted = []
    for row in rows:
        yes = data.draw(st.integers(0, row["pairs"]))
        no = data.draw(st.integers(0, row["pairs"] - yes))
        counted.append(answered(row, yes, no, data.draw(st.integers(0, row["pairs"] - yes - no))))
    figures = clerical_estimate(counted)
    for name in ("precision", "recall_among_scored"):
        part = figures[name]  # type: ignore[literal-required]
        if part["value"] is not None:
            assert 0 <= part["low"] <= part["value"] <= part["high"] <= 1
    for name in ("true_pairs", "true_shown", "false_shown", "missed_among_scored"):
        part = figures[name]  # type: ignore[literal-required]
        assert 0 <= part["low"] <= part["value"] <= part["high"] <= figures["pairs"]
    assert clerical_estimate(counted[::-1]) == figures
