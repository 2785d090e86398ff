from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkage_spark.evaluation.intervals import proportion, wilson_interval

# Newcombe (1998), "Two-sided confidence intervals for the single proportion: comparison of seven
# methods", Statistics in Medicine 17, 857-872, table I, score method without continuity correction.
NEWCOMBE = [
    (81, 263, 0.2553, 0.3662),
    (15, 148, 0.0624, 0.1605),
    (0, 20, 0.0, 0.1611),
    (1, 29, 0.0061, 0.1718),
]


@pytest.mark.parametrize(("numerator", "denominator", "low", "high"), NEWCOMBE)
def test_interval_equals_the_published_values(numerator: int, denominator: int, low: float, high: float) -> None:
    assert wilson_interval(numerator, denominator) == pytest.approx((low, high), abs=5e-5)


def test_nothing_counted_has_no_interval() -> None:
    assert wilson_interval(0, 0) is None
    assert proportion(0, 0) == {"numerator": 0, "denominator": 0, "value": None, "low": None, "high": None}


def test_more_found_than_there_are_is_refused() -> None:
    with pytest.raises(ValueError, match="3 of 2"):
        wilson_interval(3, 2)


@given(st.integers(0, 10_000), st.integers(1, 10_000))
def test_interval_holds_the_share_and_stays_within_0_and_1(part: int, whole: int) -> None:
    numerator = min(part, whole)
    interval = wilson_interval(numerator, whole)
    assert interval is not None
    low, high = interval
    assert 0 <= low <= numerator / whole <= high <= 1
    assert low < high


@given(st.integers(0, 1_000), st.integers(1, 1_000))
def test_found_and_missed_have_mirrored_intervals(part: int, whole: int) -> None:
    numerator = min(part, whole)
    found, missed = wilson_interval(numerator, whole), wilson_interval(whole - numerator, whole)
    assert found is not None
    assert missed is not None
    assert found == pytest.approx((1 - missed[1], 1 - missed[0]))
