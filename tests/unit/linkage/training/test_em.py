"""Estimation without labels finds a known mixture, settles, and is moved by nothing but the counts."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
import pytest

from linkage_spark.linkage.training.em import CONTEXT, HOUSEHOLD, MATCH, RANDOM, Fitted, fit
from linkage_spark.linkage.training.layout import CROSSED, GIVEN_ONLY, STRAIGHT, Attribute, Floats, lay_out
from tests.unit.linkage.training.mixture import (
    EXTRAS,
    GIVEN_M,
    GIVEN_U,
    HOUSEHOLD_SURNAME,
    SHARES_OF_FOUR,
    SHARES_OF_TWO,
    SURNAME_M,
    SURNAME_U,
    Mixture,
    file_model,
    mixture,
    restraint,
    true_tables,
)

PAIRS = 1e8
ADDRESS = 2
MIXTURES = {"two classes": SHARES_OF_TWO, "four classes": SHARES_OF_FOUR}


@functools.cache
def attributes() -> tuple[Attribute, ...]:
    return lay_out(file_model(EXTRAS))


@functools.cache
def known(which: str) -> Mixture:
    return mixture(MIXTURES[which], attributes(), PAIRS)


def estimate(
    found: Mixture,
    classes: Sequence[str],
    *,
    share: float = 0.0005,
    garbled_share: float = 0.0,
    most_rounds: int = 500,
    sample_weight: float = 1.0,
) -> Fitted:
    return fit(
        found.codes,
        found.weight,
        attributes(),
        share=share,
        classes=classes,
        sample_weight=sample_weight,
        restraint=restraint(garbled_share, most_rounds),
    )


@functools.cache
def fitted(which: str) -> Fitted:
    return estimate(known(which), tuple(MIXTURES[which]))


@pytest.mark.parametrize("which", MIXTURES)
def test_the_shares_of_a_known_mixture_come_out_within_one_in_a_hundred(which: str) -> None:
    # The start is a quarter of the true share of matches, and the same for household and context.
    shares = fitted(which).shares
    assert set(shares) == set(MIXTURES[which])
    for name, share in MIXTURES[which].items():
        assert shares[name] == pytest.approx(share, rel=0.01), name
    assert sum(shares.values()) == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("which", MIXTURES)
def test_the_tables_of_a_known_mixture_come_out_within_six_thousandths(which: str) -> None:
    found = fitted(which)
    for name in MIXTURES[which]:
        for no, true in enumerate(true_tables(name)):
            codes = STRAIGHT if no == 0 else attributes()[no].groups[-1]
            worst = np.abs(found.tables[name][no][codes] - true).max()
            assert worst < 0.006, f"{name}, {attributes()[no].name}: {worst}"
    if HOUSEHOLD in MIXTURES[which]:
        np.testing.assert_allclose(found.household_surname, HOUSEHOLD_SURNAME, atol=0.006)


def test_the_start_is_not_already_the_truth() -> None:
    one = estimate(known("two classes"), (MATCH, RANDOM), most_rounds=1)
    start = attributes()[0].m[STRAIGHT]
    assert np.abs(start - np.outer(GIVEN_M, SURNAME_M)).max() > 0.1
    assert not one.settled
    assert one.shares[MATCH] != pytest.approx(SHARES_OF_TWO[MATCH], rel=0.01)


@pytest.mark.parametrize("garbled_share", [0.0, 0.02])
@pytest.mark.parametrize("which", MIXTURES)
def test_the_log_likelihood_hardly_ever_falls_and_the_fit_settles(which: str, garbled_share: float) -> None:
    # Smoothing and what is held fixed make it an EM with a prior: a fall of one part in a million is allowed.
    found = estimate(known(which), tuple(MIXTURES[which]), garbled_share=garbled_share)
    bits = np.array(found.log_likelihood)
    assert found.settled
    assert len(bits) < 500
    assert bits[-1] > bits[0]
    assert np.diff(bits).min() > -1e-6 * abs(bits[-1])


def test_a_fit_that_runs_out_of_rounds_says_that_it_has_not_settled() -> None:
    found = estimate(known("four classes"), tuple(SHARES_OF_FOUR), most_rounds=3)
    assert len(found.log_likelihood) == 3
    assert not found.settled


@pytest.mark.parametrize("which", MIXTURES)
def test_the_order_of_the_patterns_does_not_matter(which: str) -> None:
    order = np.random.default_rng(20261121).permutation(len(known(which).weight))
    shuffled = Mixture(known(which).codes[order], known(which).weight[order])
    # Sums differ in their last digits, and so may the round that settles: as many rounds for both.
    one = estimate(known(which), tuple(MIXTURES[which]), most_rounds=15)
    other = estimate(shuffled, tuple(MIXTURES[which]), most_rounds=15)
    assert other.shares == pytest.approx(one.shares, rel=1e-9)
    for name in MIXTURES[which]:
        for left, right in zip(one.tables[name], other.tables[name], strict=True):
            np.testing.assert_allclose(left, right, rtol=1e-7, atol=1e-12)


def test_a_pattern_twice_counts_as_one_with_both_weights() -> None:
    whole = known("two classes")
    halves = Mixture(np.vstack([whole.codes, whole.codes]), np.concatenate([whole.weight / 4, whole.weight * 3 / 4]))
    one, other = (estimate(found, (MATCH, RANDOM), most_rounds=10) for found in (whole, halves))
    assert other.shares == pytest.approx(one.shares, rel=1e-9)


def test_without_household_and_context_there_are_only_match_and_random() -> None:
    found = fitted("two classes")
    assert list(found.shares) == list(found.tables) == [MATCH, RANDOM]


def test_only_the_context_beside_match_and_random_is_possible() -> None:
    found = estimate(known("four classes"), (MATCH, RANDOM, CONTEXT), most_rounds=5)
    assert set(found.shares) == set(found.tables) == {MATCH, RANDOM, CONTEXT}


def test_an_attribute_that_is_always_missing_stays_where_it_started_and_decides_nothing() -> None:
    whole = known("two classes")
    blind = whole.codes.copy()
    blind[:, ADDRESS] = 0
    found = estimate(Mixture(blind, whole.weight), (MATCH, RANDOM))
    for name, start in ((MATCH, attributes()[ADDRESS].m), (RANDOM, attributes()[ADDRESS].u)):
        table = found.tables[name][ADDRESS]
        np.testing.assert_allclose(table, start, rtol=1e-9)
        assert table[0] == 1.0  # missing: as probable in either class
    # Name, date and the two columns still find the share.
    assert found.shares[MATCH] == pytest.approx(SHARES_OF_TWO[MATCH], rel=0.01)


@pytest.mark.parametrize("sample_weight", [1.0, 5000.0])
def test_a_level_that_was_never_seen_has_a_finite_weight(sample_weight: float) -> None:
    found = estimate(known("four classes"), tuple(SHARES_OF_FOUR), sample_weight=sample_weight)
    unseen = np.concatenate([CROSSED, GIVEN_ONLY])
    assert not np.isin(known("four classes").codes[:, 0], unseen).any()
    for tables in found.tables.values():
        for table in tables:
            assert np.isfinite(np.log2(table)).all()
            assert table.min() > 0
    weight = np.log2(found.tables[MATCH][0][CROSSED] / found.tables[RANDOM][0][CROSSED])
    assert np.abs(weight).max() < 60


def test_every_table_sums_to_one_inside_each_group() -> None:
    found = fitted("four classes")
    for name in (MATCH, RANDOM):
        for table, attribute in zip(found.tables[name], attributes(), strict=True):
            for group in attribute.groups:
                assert table[group].sum() == pytest.approx(1.0, abs=1e-9), (name, attribute.name)


def test_a_larger_weight_of_a_sampled_pair_smooths_the_class_random_more() -> None:
    # A crossed name was never seen in random pairs. Each unseen level gets what the start puts there, but never more
    # than one sampled pair, so a coarser sample knows less about it.
    fine, coarse = (
        estimate(known("two classes"), (MATCH, RANDOM), most_rounds=1, sample_weight=weight) for weight in (1.0, 30.0)
    )
    group = attributes()[0].groups[0]
    start = attributes()[0].u[group] / attributes()[0].u[group].sum()
    expected = start[-len(CROSSED) :] * PAIRS  # about 40 pairs of 100 million for crossed exact
    assert expected.min() > 20
    np.testing.assert_allclose(fine.tables[RANDOM][0][CROSSED] * PAIRS, np.minimum(expected, 1.0), rtol=0.02)
    np.testing.assert_allclose(coarse.tables[RANDOM][0][CROSSED] * PAIRS, np.minimum(expected, 30.0), rtol=0.02)


def test_the_garbled_share_keeps_a_differing_forename_from_weighing_against_all_else() -> None:
    # Pairs of one person in which no forename differs: taken as they are, a differing one would rule a pair out.
    given = np.array([1e-9, 0.01, 0.03, 0.05, 0.10, 0.80999])
    weight = np.zeros(len(known("two classes").weight))
    for name, names in ((MATCH, np.outer(given, SURNAME_M)), (RANDOM, np.outer(GIVEN_U, SURNAME_U))):
        tables = [table.ravel() for table in (names, *true_tables(name)[1:])]
        weight += PAIRS * SHARES_OF_TWO[name] * functools.reduce(np.multiply.outer, tables).ravel()
    pairs = Mixture(known("two classes").codes, weight)

    def share_of(garbled_share: float) -> float:
        found = estimate(pairs, (MATCH, RANDOM), garbled_share=garbled_share)
        return float(found.tables[MATCH][0][STRAIGHT[0, -1]])

    # A garbled forename agrees as by chance: 2 % of the pairs, 96 % of them differ, 75 % of the surnames are exact.
    # A little more comes out: random pairs that now look like one person's.
    assert share_of(0.0) < 0.001
    assert 0.95 < share_of(0.02) / (0.02 * 0.96 * 0.75) < 1.2


def test_in_the_household_name_and_date_leak_and_the_place_is_one_persons() -> None:
    found = fitted("four classes")
    match, random, household, context = (found.tables[name] for name in (MATCH, RANDOM, HOUSEHOLD, CONTEXT))
    np.testing.assert_allclose(household[1], 0.995 * random[1] + 0.005 * match[1], rtol=1e-9)
    np.testing.assert_allclose(household[ADDRESS], match[ADDRESS])
    np.testing.assert_allclose(context[0], random[0])
    np.testing.assert_allclose(context[1], random[1])
    given: Floats = household[0][STRAIGHT].sum(axis=1)
    expected = 0.995 * random[0][STRAIGHT].sum(axis=1) + 0.005 * match[0][STRAIGHT].sum(axis=1)
    np.testing.assert_allclose(given, expected, rtol=1e-3)
