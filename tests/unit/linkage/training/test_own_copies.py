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


def test_every_attribute_has_its_own_total_and_one_without_values_has_none() -> None:
    found = frequencies_of(COUNTS)
    job = found.of("extra_job")
    assert job is not None
    assert job.shares == pytest.approx({"baker": (2 - 1 + 0.5) / 2})
    assert found.of("given") is None
    assert frequencies_of([]).by_attribute == {}


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
