"""Expected pairs from probabilities alone, and the committee's sentence."""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkage_spark.evaluation.expectation import Limits, expected_figures, share_of_both, shifted, statement
from linkage_spark.settings.wording import load_wording

WORDING = load_wording(Path(__file__).parents[3] / "conf")


def stratum(shown: bool, pairs: int, millionths: int) -> dict[str, Any]:
    return {"shown": shown, "tier": "match", "probability_bin": 0, "pairs": pairs, "probability_millionths": millionths}


STRATA = [stratum(True, 100, 95_000_000), stratum(False, 50, 5_000_000)]
"""A hundred shown pairs of 0.95 each, fifty others of 0.1 each."""


def test_expected_pairs_are_sums_of_probabilities_and_limits_are_1_96_poisson_binomial_deviations() -> None:
    figures = expected_figures(STRATA)
    assert (figures["pairs"], figures["shown"]) == (150, 100)
    # Variances by hand: 100 · 0.95 · 0.05 = 4.75 and 50 · 0.1 · 0.9 = 4.5.
    above, below = 1.959964 * math.sqrt(4.75), 1.959964 * math.sqrt(4.5)
    assert figures["true_shown"]["value"] == 95.0
    assert figures["true_shown"]["low"] == pytest.approx(95 - above, abs=1e-5)
    assert figures["true_shown"]["high"] == pytest.approx(95 + above, abs=1e-5)
    assert figures["false_shown"]["value"] == 5.0
    assert figures["false_shown"]["low"] == pytest.approx(5 - above, abs=1e-5)
    assert figures["missed_among_scored"]["value"] == 5.0
    assert figures["missed_among_scored"]["high"] == pytest.approx(5 + below, abs=1e-5)
    assert figures["precision"]["value"] == 0.95
    assert figures["recall_among_scored"]["value"] == 0.95


def test_the_wide_range_is_that_of_odds_halved_and_doubled() -> None:
    # Odds 19:1 become 19:2 and 38:1: true of a hundred 90.476 and 97.436. Odds 1:9 become 1:18 and 2:9.
    figures = expected_figures(STRATA)
    low = 100 * 19 / 21
    assert figures["true_shown"]["wide_low"] == pytest.approx(low - 1.959964 * math.sqrt(low * 2 / 21), abs=1e-5)
    high = 50 * 2 / 11
    assert figures["missed_among_scored"]["wide_high"] == pytest.approx(
        high + 1.959964 * math.sqrt(high * 9 / 11), abs=1e-5
    )


def test_without_a_shown_pair_precision_is_unknown_and_without_a_true_one_recall_too() -> None:
    figures = expected_figures([stratum(False, 10, 0)])
    nothing = {"value": None, "low": None, "high": None, "wide_low": None, "wide_high": None}
    assert figures["precision"] == figures["recall_among_scored"] == nothing
    assert expected_figures([])["true_shown"]["value"] == 0.0


@pytest.mark.parametrize(
    ("probability", "bits", "expected"),
    [(0.5, 1.0, 2 / 3), (0.5, -1.0, 1 / 3), (0.2, 2.0, 0.5), (0.0, 1.0, 0.0), (1.0, -1.0, 1.0), (0.3, 0.0, 0.3)],
)
def test_a_bit_doubles_the_odds(probability: float, bits: float, expected: float) -> None:
    assert shifted(probability, bits) == pytest.approx(expected)


def test_limits_of_a_share_by_hand() -> None:
    # 30 (20 to 40) of 30 + 10 (5 to 20): odds x solve 30 - 10x = sqrt(10² + 10²x²), the other side
    # 10 - 30y = sqrt(5² + 10²y²).
    found = share_of_both(Limits(30, 20, 40), Limits(10, 5, 20))
    assert found is not None
    assert found.value == 0.75
    odds = found.low / (1 - found.low)
    assert 30 - 10 * odds == pytest.approx(math.sqrt(100 + 100 * odds**2))
    other = (1 - found.high) / found.high
    assert 10 - 30 * other == pytest.approx(math.sqrt(25 + 100 * other**2))


def test_a_share_of_nothing_is_none_and_a_share_without_rest_has_a_lower_limit_below_one() -> None:
    assert share_of_both(Limits(0, 0, 3), Limits(0, 0, 3)) is None
    found = share_of_both(Limits(30, 25, 35), Limits(0, 0, 4))
    assert found is not None
    assert found.value == found.high == 1.0
    assert 0.8 < found.low < 0.95


@st.composite
def limits(draw: st.DrawFn) -> Limits:
    low, value, high = sorted(draw(st.lists(st.floats(0, 1e6), min_size=3, max_size=3)))
    return Limits(value, low, high)


@given(limits(), limits())
def test_limits_of_a_share_keep_inside_0_to_1_and_about_the_share(first: Limits, second: Limits) -> None:
    found = share_of_both(first, second)
    if found is not None:
        assert 0 <= found.low <= found.value <= found.high <= 1


@given(st.lists(st.tuples(st.booleans(), st.lists(st.integers(0, 1_000_000), min_size=1, max_size=8)), max_size=6))
def test_the_variance_is_never_below_the_exact_one_and_figures_keep_their_order(
    groups: list[tuple[bool, list[int]]],
) -> None:
    figures = expected_figures([stratum(shown, len(parts), sum(parts)) for shown, parts in groups])
    shares = [part / 1e6 for shown, parts in groups if shown for part in parts]
    exact = 1.959964 * math.sqrt(sum(share * (1 - share) for share in shares))
    true = figures["true_shown"]
    assert true["value"] == pytest.approx(sum(shares), abs=1e-5)
    assert true["low"] <= max(0.0, sum(shares) - exact) + 1e-5
    assert true["high"] >= min(len(shares), sum(shares) + exact) - 1e-5
    for name in ("true_shown", "false_shown", "missed_among_scored", "precision", "recall_among_scored"):
        part = figures[name]  # type: ignore[literal-required]
        if part["value"] is not None:
            assert part["wide_low"] <= part["low"] <= part["value"] <= part["high"] <= part["wide_high"]


def test_95_of_100_limits_hold_the_true_number_by_enumeration() -> None:
    # Ten pairs, all outcomes weighed by their probability.
    shares = [0.1, 0.3, 0.5, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99]
    true = expected_figures([stratum(True, 1, round(share * 1e6)) for share in shares])["true_shown"]
    covered = 0.0
    for outcome in itertools.product((0, 1), repeat=len(shares)):
        chance = math.prod(share if drawn else 1 - share for share, drawn in zip(shares, outcome, strict=True))
        covered += chance * (true["low"] <= sum(outcome) <= true["high"])
    assert covered >= 0.93


# ---- the sentence ------------------------------------------------------------------------------------------

REVIEWED = (
    "Out of 13,000 people we expect to find 412, of whom 7 (95 % interval 2 to 15) falsely, and to miss 23 "
    "(95 % interval 10 to 41). This rests on a sample of the scored pairs that people reviewed. "
    "Pairs that were never scored are not counted in any of these figures."
)
UNREVIEWED = (
    "Out of 63 records we expect to find 41 links, of which 3 (95 % interval 0 to 6) falsely, and to miss fewer than 1 "
    "(95 % interval 0 to 2). A record can have several links. If the model's weights are off by 1 bit either way: 0 to 9 "
    "found falsely, 0 to 5 missed. This rests on the model's own probabilities alone; no pair was reviewed. "
    "Pairs that were never scored are not counted in any of these figures."
)


def test_the_statement_says_n_x_y_z_with_limits_rounded_outwards_and_that_people_reviewed() -> None:
    said = statement(13_000, 412, 6.6, 22.5, {"false": (2.4, 14.1), "missed": (10.0, 40.2)}, True)
    assert said == REVIEWED


def test_without_review_the_statement_says_so_and_how_far_one_bit_would_move_it() -> None:
    near = {"false": (0.2, 5.5), "missed": (0.0, 1.2)}
    far = {"false": (0.0, 8.1), "missed": (0.0, 4.9)}
    assert statement(63, 41, 2.7, 0.3, near, False, wide=far, counted="links") == UNREVIEWED  # type: ignore[arg-type]


def test_the_statement_gives_the_interval_of_what_is_found_where_it_was_estimated() -> None:
    said = statement(10, 4, 0, 0, {"found": (3.0, 5.0)}, True)
    assert said.startswith(
        "Out of 10 people we expect to find 4 (95 % interval 3 to 5), of whom 0 falsely, and to miss 0."
    )


@pytest.mark.parametrize("figures", [(10, 4, 5, 0), (-1, 4, 1, 0), (10, 4, 1, -0.1)])
def test_impossible_figures_make_no_statement(figures: tuple[int, float, float, float]) -> None:
    with pytest.raises(ValueError, match="found falsely|below 0"):
        statement(*figures, {}, True)


def test_no_statement_uses_a_barred_word() -> None:
    assert WORDING.forbidden_in(REVIEWED) == WORDING.forbidden_in(UNREVIEWED) == []
