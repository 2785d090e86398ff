"""Corrections of whole names: symmetric, never more for the commoner, bounded as the scorer's gate takes them to be."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkage_spark.linkage.whole_names import CLIPS, WholeNames, whole_names
from linkage_spark.model.frequencies import AttributeFrequencies, WholeNameFrequencies

CLIP = 8.0
PART = AttributeFrequencies({"imran": 0.001, "khan": 0.009}, 0.000002, 1e6, 0.001)
SHARES = st.floats(1e-9, 0.5)


def names_of(shares: dict[str, float], *, reference: float = 1e-5, of_parts: float = 1e-5) -> WholeNames:
    table = WholeNameFrequencies.of(shares, records=1e6, chance_agreement=1e-4, given=PART, surname=PART)
    return WholeNames(table=table, reference=reference, of_parts=of_parts, clip_bits=CLIP)


def column(*names: tuple[str | None, str | None]) -> dict[str, pa.Array]:
    given_first, surname_last = zip(*names, strict=True)
    return {"given_first": pa.array(given_first, pa.string()), "surname_last": pa.array(surname_last, pa.string())}


def test_a_whole_name_has_one_blank_and_both_parts() -> None:
    side = column(("imran", "khan"), ("imran", None), (None, "khan"))
    assert whole_names(side).to_pylist() == ["imran khan", None, None]


def test_the_commoner_of_both_sides_counts_and_only_where_it_is_asked_for() -> None:
    names = names_of({"imran khan": 0.002, "imran kahn": 0.0001})
    left = column(("imran", "khan"), ("imran", "kahn"), ("adam", "hill"), ("imran", "khan"), (None, "khan"))
    right = column(("imran", "kahn"), ("imran", "kahn"), ("adam", "hill"), ("imran", "khan"), ("imran", "khan"))
    rows = np.array([True, True, True, False, False])
    found = names.common(left, right, rows)
    assert found[:2] == pytest.approx([0.002, 0.0001])
    assert np.isnan(found[2:]).all()
    np.testing.assert_array_equal(found, names.common(right, left, rows))


@given(st.lists(SHARES, min_size=2, max_size=6), SHARES, SHARES, st.floats(-16, 16))
def test_the_commoner_name_never_weighs_more_and_no_correction_is_beyond_its_bounds(
    shares: list[float], reference: float, of_parts: float, parts: float
) -> None:
    names = names_of({str(no): share for no, share in enumerate(shares)}, reference=reference, of_parts=of_parts)
    counted = names.exact(np.sort(shares), np.full(len(shares), parts))
    uncounted = names.exact(np.array([np.nan]), np.array([parts]))[0]
    assert (np.diff(counted) <= 0).all()
    assert uncounted >= counted[0], "a name that is not counted has fewer bearers than the rarest that is"
    assert max(*counted, uncounted) <= names.most_exact(parts)
    assert np.abs([*counted, uncounted]).max() <= CLIPS * CLIP


def test_beside_its_parts_a_name_says_how_much_commoner_it_is_than_they_say_and_of_two_the_commoner_speaks() -> None:
    names = names_of(
        {"imran khan": 0.001 * 0.009 * 4, "imran hill": 0.001 * 0.000002 / 2}, reference=2e-5, of_parts=1e-5
    )
    left = column(("imran", "khan"), ("imran", "khan"), ("imran", "hill"), ("adam", "hill"), ("imran", "khan"))
    right = column(("imran", "khan"), ("imran", "hill"), ("adam", "hill"), ("adam", "hill"), ("imran", "khan"))
    rows = np.array([True, True, True, True, False])
    # The reference is a name twice as common as its parts: one bit is said already. Not counted: adam hill.
    assert names.beside_parts(left, right, rows) == pytest.approx([-1.0, -1.0, 2.0, 1.0, 0.0])
    np.testing.assert_array_equal(names.beside_parts(left, right, rows), names.beside_parts(right, left, rows))
    assert names.most_beside_parts() == pytest.approx(2.0)


@given(SHARES, SHARES, SHARES)
def test_what_a_name_says_beside_its_parts_is_inside_one_clip(share: float, reference: float, of_parts: float) -> None:
    names = names_of({"imran khan": share}, reference=reference, of_parts=of_parts)
    side = column(("imran", "khan"))
    bits = names.beside_parts(side, side, np.array([True]))[0]
    assert -CLIP <= bits <= names.most_beside_parts() <= CLIP


@given(SHARES, st.floats(-16, 16))
def test_where_parts_are_taken_as_independent_an_uncounted_rare_name_is_corrected_as_its_parts(
    of_parts: float, parts: float
) -> None:
    # So common that no part could say more: the bound never binds.
    names = names_of({"x y": 0.9999}, reference=of_parts, of_parts=of_parts)
    assert names.exact(np.array([np.nan]), np.array([parts]))[0] == pytest.approx(
        max(parts, np.log2(of_parts / 0.9999))
    )
