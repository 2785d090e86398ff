"""Frequencies: listed values have their share, all rarer ones share one, and none change nothing."""

from __future__ import annotations

import pytest

from linkage_spark.model.frequencies import Frequencies

ROWS = [
    {"attribute": "surname", "value": "smith", "bearers": 600, "share": 0.6},
    {"attribute": "surname", "value": "khan", "bearers": 200, "share": 0.2},
    {"attribute": "surname", "value": "", "bearers": 200, "share": 0.002},
]


def test_listed_values_have_their_share_and_rarer_ones_share_one() -> None:
    surname = Frequencies.from_rows(ROWS).of("surname")
    assert surname is not None
    assert (surname.share("smith"), surname.share("zebra"), surname.share("yak")) == (0.6, 0.002, 0.002)
    assert surname.bearers("khan") == pytest.approx(200)
    assert surname.bearers("zebra") is None
    assert surname.chance_agreement == pytest.approx(0.36 + 0.04 + 0.2 * 0.002)


def test_the_order_of_rows_does_not_matter() -> None:
    assert Frequencies.from_rows(ROWS) == Frequencies.from_rows(ROWS[::-1])


def test_a_rarer_value_is_always_below_every_listed_one() -> None:
    for rows in (ROWS[:2], [*ROWS[:2], ROWS[2] | {"share": 0.5}]):
        surname = Frequencies.from_rows(rows).of("surname")
        assert surname is not None
        assert surname.rare_share == pytest.approx(0.1)


def test_an_attribute_without_rows_has_no_frequencies() -> None:
    assert Frequencies.from_rows(ROWS).of("postcode") is None
    assert Frequencies.none().of("surname") is None
