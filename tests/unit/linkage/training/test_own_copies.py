"""Frequencies of an analyst's files: the share of other people, a person's own copies taken off."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkage_spark.linkage.frequencies import frequencies_of
from linkage_spark.model.frequencies import AttributeFrequencies

COUNTS = [("surname", "khan", 4), ("surname", "smith", 1), ("extra_job", "baker", 2)]


def surname(copies: dict[tuple[str, str], float] | None = None) -> AttributeFrequencies:
    found = frequencies_of(COUNTS, copies).of("surname")
    assert found is not None
    return found


def test_a_share_is_that_of_the_other_records_with_half_a_record_added() -> None:
    # Five surnames: (4 - 1 + 0.5) / 5 and (1 - 1 + 0.5) / 5.
    found = surname()
    assert found.shares == pytest.approx({"khan": 0.7, "smith": 0.1})
    assert found.rare_share == pytest.approx(0.1)
    assert found.records == 5


def test_a_persons_own_copies_are_taken_off() -> None:
    # Two pairs of one person among the four: each bearer has 2 · 2 / 4 = 1 further record of their own.
    found = surname({("surname", "khan"): 2.0, ("given", "khan"): 9.0})
    assert found.shares == pytest.approx({"khan": (4 - 1 - 1 + 0.5) / 5, "smith": 0.1})
    # 4/5 of the records bear a share of 0.5 of all others, 1/5 one of 0.1.
    assert found.chance_agreement == pytest.approx(0.8 * 0.5 + 0.2 * 0.1)


def test_no_share_falls_below_half_a_record() -> None:
    # All six pairs of the four are one person's: (4 - 1 - 3 + 0.5) / 5; more than all would go below and does not.
    for summed in (6.0, 8.0, 1e9):
        assert surname({("surname", "khan"): summed}).shares["khan"] == pytest.approx(0.1)


def test_a_value_that_was_not_counted_has_the_least_share_there_is() -> None:
    found = surname()
    assert found.share("featherstonehaugh") == found.rare_share == min(found.shares.values())


def whole_name(bearers: int, own_pairs: float = 0.0) -> float:
    """Share of *imran khan* among 100 records: ten imrans, ten khans, so many of both."""
    counts = [("given", "imran", 10), ("given", "x", 90), ("surname", "khan", 10), ("surname", "y", 90)]
    counts += [("name", "imran khan", bearers), ("name", "x y", 100 - bearers)]
    found = frequencies_of(counts, {("name", "imran khan"): own_pairs}).of("name")
    assert found is not None
    return found.share("imran khan")


def test_a_whole_name_is_drawn_towards_the_product_of_its_parts() -> None:
    # The parts' shares are (10 - 1 + 0.5) / 100 each; (x + 1) / (100 + 1 / product) with x others.
    product = 0.095**2
    assert whole_name(1) == pytest.approx(1 / (100 + 1 / product))
    assert whole_name(8) == pytest.approx((7 + 1) / (100 + 1 / product))
    assert whole_name(1) < product < whole_name(8)


def test_a_persons_own_copies_are_taken_off_their_whole_name() -> None:
    # All 28 pairs of the eight are one person's: seven further records of their own each, and nobody else's.
    assert whole_name(8, own_pairs=28.0) == pytest.approx(whole_name(1))
    assert whole_name(1) < whole_name(8, own_pairs=14.0) < whole_name(8)


def test_every_attribute_has_its_own_total_and_one_without_values_has_none() -> None:
    found = frequencies_of(COUNTS)
    job = found.of("extra_job")
    assert job is not None
    assert job.shares == pytest.approx({"baker": (2 - 1 + 0.5) / 2})
    assert found.of("given") is None
    assert frequencies_of([]).by_attribute == {}


@given(
    st.dictionaries(
        st.tuples(st.sampled_from("abc"), st.sampled_from("pqr")).map(" ".join), st.integers(1, 30), min_size=1
    ),
    st.floats(0, 200),
)
def test_shares_of_whole_names_are_in_range_and_never_rise_with_a_persons_own_copies(
    bearers: dict[str, int], own_pairs: float
) -> None:
    counts = [("name", value, count) for value, count in bearers.items()]
    for no, part in enumerate(("given", "surname")):
        for letter in {value.split(" ")[no] for value in bearers}:
            counts.append((part, letter, sum(n for value, n in bearers.items() if value.split(" ")[no] == letter)))
    first = min(bearers)
    plain, corrected = (frequencies_of(counts, copies).of("name") for copies in ({}, {("name", first): own_pairs}))
    assert plain is not None
    assert corrected is not None
    assert 0 < corrected.share(first) <= plain.share(first) <= 1
    assert all(corrected.share(value) == plain.share(value) for value in bearers if value != first)
    assert 0 < corrected.rare_share == min(corrected.shares.values())
    assert 0 < corrected.chance_agreement <= 1


@given(
    st.dictionaries(st.sampled_from("abcdefgh"), st.integers(1, 50), min_size=1),
    st.randoms(use_true_random=False),
    st.floats(0, 100),
)
def test_shares_are_in_range_and_the_order_of_the_counts_does_not_matter(
    bearers: dict[str, int], chance: object, summed: float
) -> None:
    counts = [("given", value, count) for value, count in bearers.items()]
    copies = {("given", "a"): summed}
    shuffled = list(counts)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = (frequencies_of(rows, copies).of("given") for rows in (counts, shuffled))
    assert one == other
    assert one is not None
    records = sum(bearers.values())
    assert all(0.5 / records <= share <= 1 for share in one.shares.values())
    assert 0 < one.chance_agreement <= 1
