"""Further attributes of an analyst's file: vectors by hand per kind, symmetry, null as missing."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage_spark.linkage.comparison.further import CODE, LEVELS, compare_further, compare_values
from linkage_spark.model.schema import FURTHER_LEVELS, Further, Probabilities
from tests.support.examples import examples

CASES = [
    # Codes such as foreign postcodes.
    ("code", "4223", "4223", "exact"),
    ("code", "4223", "4232", "one_slip"),  # neighbours exchanged
    ("code", "4223", "423", "one_slip"),  # one lost
    ("code", "4223", "9223", "one_slip"),
    ("code", "1017 ab", "1017 xy", "near"),  # two edits in six or more
    ("code", "4223", "4299", "same_start"),  # two edits in four, first half equal
    ("code", "42233", "42299", "same_start"),  # five: too short for near; its half is three
    ("code", "4223", "4322", "differ"),
    ("code", "4223", "9999", "differ"),
    ("code", "422", "42999", "same_start"),
    # House numbers and names.
    ("house", "14", "14", "exact"),
    ("house", "12 14", "14", "shared_token"),
    ("house", "flat 2 14", "14 2", "shared_token"),
    ("house", "14", "41", "one_slip"),
    ("house", "14", "14a", "one_slip"),
    ("house", "14", "15", "one_slip"),
    ("house", "14", "205", "differ"),
    ("house", "rose cottage", "mill house", "differ"),
    # Streets.
    ("street", "station road", "station road", "exact"),
    ("street", "station road", "road station", "near"),  # tokens in another order
    ("street", "stationroad", "station road", "near"),  # spacing
    ("street", "station road", "statoin road", "similar"),  # one edit of 11 letters is 90.9, two of 24 are 91.7
    ("street", "primrose hill road", "primrose hil road", "near"),  # one letter of 35 lost is 97
    ("street", "station road", "station road north", "near"),  # 0.97 of a whole set of tokens
    ("street", "station road", "statun rowd", "alike"),  # three edits in 11 letters: 72.7
    ("street", "mill", "mill lane", "faint"),  # four letters are too few for a set: 8 of 13 letters in common
    ("street", "station road", "primrose hill", "differ"),
    # Free text.
    ("text", "plumber", "plumber", "exact"),
    ("text", "plumber", "plumbr", "near"),  # one edit
    ("text", "bricklayer", "brcklayr", "near"),  # two edits in eight
    ("text", "ab", "ac", "half"),  # one edit in two letters is no slip
    ("text", "taxi driver", "driver", "similar"),  # the shorter set of tokens is contained
    ("text", "carpenter", "carpentry works", "similar"),  # Jaro-Winkler
    ("text", "builder", "welder", "half"),  # three edits in seven
    ("text", "nurse", "accountant", "differ"),
    # Codes that agree or do not.
    ("exact", "a", "a", "exact"),
    ("exact", "a", "b", "differ"),
    ("exact", "plumber", "plumbr", "differ"),
]
KINDS = tuple(FURTHER_LEVELS)
TEXTS = st.one_of(st.none(), st.text(alphabet="ab1 ", min_size=1, max_size=9), st.sampled_from([c[1] for c in CASES]))


def levels(kind: str, left: list[str | None], right: list[str | None]) -> list[str]:
    found = compare_values(kind, pa.array(left, type=pa.string()), pa.array(right, type=pa.string()))
    return [LEVELS[kind][code] for code in found.tolist()]


@pytest.mark.parametrize(("kind", "left", "right", "expected"), CASES)
def test_two_values_reach_the_level_that_was_worked_out_by_hand(
    kind: str, left: str, right: str, expected: str
) -> None:
    assert levels(kind, [left], [right]) == [expected]


@pytest.mark.parametrize("kind", KINDS)
def test_the_vectors_reach_every_level_of_their_kind(kind: str) -> None:
    reached = {expected for at, _, _, expected in CASES if at == kind}
    assert reached == set(FURTHER_LEVELS[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_an_unknown_value_is_missing_and_never_agrees_or_differs(kind: str) -> None:
    assert levels(kind, [None, "a", None], ["a", None, None]) == ["missing"] * 3
    assert CODE[kind]["missing"] == 0


@pytest.mark.parametrize("kind", KINDS)
def test_no_pairs_give_no_levels(kind: str) -> None:
    assert levels(kind, [], []) == []


@settings(max_examples=examples(150), deadline=None)
@given(st.sampled_from(KINDS), st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=8))
def test_the_sides_may_be_exchanged_and_other_pairs_change_nothing(
    kind: str, pairs: list[tuple[str | None, str | None]]
) -> None:
    left, right = [one for one, _ in pairs], [other for _, other in pairs]
    together = levels(kind, left, right)
    assert levels(kind, right, left) == together
    assert [levels(kind, [one], [other])[0] for one, other in pairs] == together
    for one, other, level in zip(left, right, together, strict=True):
        assert (level == "missing") == (one is None or other is None)
        assert (level == "exact") == (one is not None and one == other)


def test_columns_come_in_the_order_of_the_models_attributes() -> None:
    even = {
        kind: {at: Probabilities(m=1 / len(all_), u=1 / len(all_)) for at in all_}
        for kind, all_ in FURTHER_LEVELS.items()
    }
    further = {
        "extra_job": Further(kind="text", levels=even["text"]),
        "extra_sex": Further(kind="exact", levels=even["exact"]),
    }
    left = {"extra_sex": pa.array(["f", "f"]), "extra_job": pa.array(["plumber", None])}
    right = {"extra_sex": pa.array(["m", "f"]), "extra_job": pa.array(["plumbr", "plumber"])}
    expected = [[CODE["text"]["near"], CODE["exact"]["differ"]], [0, CODE["exact"]["exact"]]]
    np.testing.assert_array_equal(compare_further(left, right, further), expected)
    assert compare_further(left, right, {}).shape == (2, 0)
