from __future__ import annotations

import math
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage_spark.linkage.assignment import Assignment, assign_one_to_one, match_probability
from tests.support.examples import examples

Pairs = dict[tuple[int, int], float]

LEFT, RIGHT = 5, 7
PAIRS = st.dictionaries(
    keys=st.tuples(st.integers(0, LEFT - 1), st.integers(0, RIGHT - 1)),
    values=st.one_of(st.sampled_from([-6.0, 0.0, 3.5, 12.0, 700.0]), st.floats(-12, 40, allow_nan=False)),
    max_size=20,
)


def assign(pairs: Pairs, **options: float | None) -> Assignment:
    sizes = {"left_records": LEFT, "right_records": RIGHT}
    return assign_one_to_one(
        [left for left, _ in pairs],
        [right for _, right in pairs],
        list(pairs.values()),
        prior_bits=-5.0,
        **(sizes | options),  # type: ignore[arg-type]
    )


def side_oracle(pairs: Pairs, side: int, records: int, others: int) -> tuple[dict[tuple[int, int], float], float]:
    """One side in plain Python, the formula as it stands: expectation and maximisation in turn."""
    ratio = {pair: 2.0 ** (bits + 5.0) / others for pair, bits in pairs.items()}
    total: dict[int, float] = defaultdict(float)
    for pair, one in ratio.items():
        total[pair[side]] += one
    share = 0.5
    for _ in range(200_000):
        expected = sum(share * one / ((1 - share) + share * one) for one in total.values())
        before, share = share, (expected + 0.5) / (records + 1)
        if before == share:
            break
    share = min(share, others / records)
    return {pair: share * one / ((1 - share) + share * total[pair[side]]) for pair, one in ratio.items()}, share


@pytest.mark.parametrize(("bits", "probability"), [(0.0, 0.5), (1.0, 2 / 3), (-1.0, 1 / 3), (3.0, 8 / 9)])
def test_weight_is_log2_odds(bits: float, probability: float) -> None:
    assert match_probability([bits])[0] == pytest.approx(probability, abs=1e-15)


def test_probability_of_any_weight_is_finite_and_in_range() -> None:
    with np.errstate(all="raise"):
        found = match_probability([-1e300, -5000.0, -40.0, 40.0, 5000.0, 1e300])
    assert ((found >= 0) & (found <= 1)).all()
    assert (np.diff(found) >= 0).all()


@given(st.dictionaries(st.tuples(st.integers(0, 4), st.integers(0, 6)), st.floats(-12, 25), max_size=14))
@settings(max_examples=examples(150), deadline=None)
def test_posterior_equals_the_formula_worked_in_plain_python(pairs: Pairs) -> None:
    found = assign(pairs)
    left, share_left = side_oracle(pairs, 0, LEFT, RIGHT)
    right, share_right = side_oracle(pairs, 1, RIGHT, LEFT)
    assert found.share_left == pytest.approx(share_left, rel=1e-7)
    assert found.share_right == pytest.approx(share_right, rel=1e-7)
    assert found.posterior == pytest.approx([min(left[pair], right[pair]) for pair in pairs], rel=1e-6, abs=1e-12)


@given(PAIRS)
def test_no_record_of_either_side_is_ever_linked_twice(pairs: Pairs) -> None:
    chosen = [pair for pair, linked in zip(pairs, assign(pairs).linked, strict=True) if linked]
    assert len({left for left, _ in chosen}) == len({right for _, right in chosen}) == len(chosen)


@given(PAIRS, st.randoms(use_true_random=False))
def test_permuted_rows_give_the_permuted_answer_to_the_last_bit(pairs: Pairs, random: object) -> None:
    shuffled = list(pairs.items())
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = assign(pairs), assign(dict(shuffled))
    assert dict(zip(pairs, one.posterior, strict=True)) == dict(zip(dict(shuffled), other.posterior, strict=True))
    assert dict(zip(pairs, one.linked, strict=True)) == dict(zip(dict(shuffled), other.linked, strict=True))
    assert (one.share_left, one.share_right) == (other.share_left, other.share_right)


@given(PAIRS)
def test_sides_exchanged_give_the_same_posterior(pairs: Pairs) -> None:
    turned = assign_one_to_one(
        [right for _, right in pairs],
        [left for left, _ in pairs],
        list(pairs.values()),
        prior_bits=-5.0,
        left_records=RIGHT,
        right_records=LEFT,
    )
    assert turned.posterior.tolist() == assign(pairs).posterior.tolist()


@given(PAIRS, st.floats(0, 1), st.floats(0, 1))
def test_at_frozen_shares_a_further_rival_never_raises_a_posterior(pairs: Pairs, left: float, right: float) -> None:
    if not pairs:
        return
    fewer = dict(list(pairs.items())[:-1])
    before = assign(fewer, share_left=left, share_right=right).posterior
    after = assign(pairs, share_left=left, share_right=right).posterior[:-1]
    assert (after <= before * (1 + 1e-12)).all()


@given(PAIRS)
def test_posteriors_of_one_record_never_add_up_to_more_than_one(pairs: Pairs) -> None:
    totals: dict[tuple[str, int], float] = defaultdict(float)
    for (left, right), posterior in zip(pairs, assign(pairs).posterior, strict=True):
        totals["left", left] += posterior
        totals["right", right] += posterior
    assert all(total <= 1 + 1e-12 for total in totals.values())


def test_two_exact_rivals_share_the_probability_and_neither_is_linked() -> None:
    found = assign({(0, 0): 900.0, (0, 1): 900.0})
    assert found.posterior.tolist() == [0.5, 0.5]
    assert found.linked.tolist() == [False, False]


def test_the_heavier_of_two_rivals_is_linked() -> None:
    found = assign({(0, 0): 20.0, (0, 1): 16.0, (1, 1): 30.0, (2, 2): 20.0})
    assert found.linked.tolist() == [True, False, True, True]
    assert found.posterior[1] < 0.001


def test_where_most_records_have_a_partner_a_weight_below_zero_is_linked() -> None:
    """99 of 100 records have a plain partner; the last one's only pair has odds of 1 to 4 when taken alone."""
    codes = np.arange(100)
    bits = np.r_[np.full(99, 25.0), -2.0]
    found = assign_one_to_one(codes, codes, bits, prior_bits=-math.log2(1e4), left_records=100, right_records=100)
    assert found.share_left > 0.98
    assert match_probability(bits)[-1] == pytest.approx(0.2)
    assert found.posterior[-1] > 0.5


def test_where_few_records_have_a_partner_a_weight_above_zero_is_not_linked() -> None:
    """Two of 10,000 records have a pair; a prior of 1 in 100,000 pairs told the weights of ten times as many."""
    found = assign_one_to_one([0, 1], [0, 1], [25.0, 1.0], prior_bits=-16.6, left_records=10_000, right_records=10_000)
    assert found.share_left < 0.001
    assert found.linked.tolist() == [True, False]


def test_no_more_records_have_a_partner_than_the_other_side_has_records() -> None:
    found = assign_one_to_one([0, 1, 2], [0, 0, 0], [9.0, 9.5, 30.0], prior_bits=-3.0, left_records=6, right_records=1)
    assert found.share_left == pytest.approx(1 / 6)
    assert found.linked.tolist() == [False, False, True]


def test_given_shares_are_kept_and_take_no_rounds() -> None:
    found = assign({(0, 0): 4.0}, share_left=0.25, share_right=0.125)
    assert (found.share_left, found.share_right, found.rounds) == (0.25, 0.125, 0)
    # r = 2^9; left 0.25/7·512 over 0.75 + itself, right 0.125/5·512 over 0.875 + itself.
    assert found.posterior[0] == pytest.approx(min(18.285714 / 19.035714, 12.8 / 13.675), rel=1e-6)


def test_weights_beyond_what_a_double_holds_stay_finite() -> None:
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        found = assign({(0, 0): 1e6, (0, 1): 9e5, (1, 1): -1e6, (2, 2): 1e6})
    assert np.isfinite(found.posterior).all()
    assert found.linked.tolist() == [True, False, False, True]


def test_no_pairs_at_all_is_no_fault() -> None:
    found = assign({})
    assert found.posterior.size == found.linked.size == 0
    assert 0 <= found.share_left <= 1


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(ValueError, match=r"left codes run from 0 to 9.*right codes run from -1.*not finite"):
        assign_one_to_one([0, 9], [-1, 0], [1.0, math.nan], prior_bits=-3.0, left_records=2, right_records=2)
    with pytest.raises(ValueError, match="1 pairs are given twice"):
        assign_one_to_one([0, 0], [1, 1], [1.0, 1.0], prior_bits=-3.0, left_records=2, right_records=2)
    with pytest.raises(ValueError, match="unlike length"):
        assign_one_to_one([0], [1, 1], [1.0, 1.0], prior_bits=-3.0, left_records=2, right_records=2)
