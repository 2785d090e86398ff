"""The share of matches is found where everything else is given."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage_spark.linkage.training.prior import found_prior
from tests.support.examples import examples


def bins(prior: float, matches: int, others: int) -> list[tuple[float, float]]:
    """Matches 20 bits of evidence above the prior, and others 10 below it."""
    return [(prior + 20.0, matches), (prior - 10.0, others)]


@pytest.mark.parametrize("start", [-3.0, -8.0, -14.0])
def test_the_prior_is_found_from_any_start(start: float) -> None:
    found = found_prior(bins(start, 50, 100_000), prior_bits=start, pairs=1_000_000)
    assert found == pytest.approx(math.log2(50 / 999_950), abs=0.05)


def test_files_without_a_match_expect_one_at_the_least() -> None:
    found = found_prior([(-20.0, 1000)], prior_bits=-5.0, pairs=1_000_000)
    assert found == pytest.approx(math.log2(1 / 999_999), abs=1e-6)


@given(st.lists(st.tuples(st.floats(-60, 60), st.integers(1, 10_000)), min_size=1, max_size=20))
@settings(max_examples=examples(50), deadline=None)
def test_probabilities_add_up_to_the_matches_that_the_prior_stands_for(rows: list[tuple[float, int]]) -> None:
    pairs = 10 * sum(count for _, count in rows)
    found = found_prior(rows, prior_bits=-10.0, pairs=pairs)
    stands_for = pairs / (1 + 2**-found)
    expected = sum(count / (1 + 2 ** -min(max(bits + 10.0 + found, -60.0), 60.0)) for bits, count in rows)
    if 1.1 < stands_for < 0.49 * pairs:
        assert expected == pytest.approx(stands_for, rel=0.01)
    else:
        assert stands_for >= 1 - 1e-6
