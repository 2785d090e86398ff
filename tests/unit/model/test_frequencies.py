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


NAMES = [
    {"attribute": "given", "value": "imran", "bearers": 10, "share": 0.01},
    {"attribute": "given", "value": "", "bearers": 10, "share": 0.001},
    {"attribute": "name", "value": "imran khan", "bearers": 40, "share": 0.04},
    {"attribute": "name", "value": "imran smith", "bearers": 10, "share": 0.001},
]


def test_a_whole_name_that_is_not_listed_is_as_common_as_its_parts_say_but_no_commoner_than_any_listed() -> None:
    name = Frequencies.from_rows([*ROWS, *NAMES]).of("name")
    assert name is not None
    assert (name.share("imran khan"), name.share("imran smith")) == (0.04, 0.001)
    assert name.share("adam khan") == pytest.approx(0.001 * 0.2)
    assert name.share("imran zebra") == pytest.approx(0.01 * 0.002)
    # By its parts 0.01 · 0.6; whoever has enough bearers is listed, and the least listed has 0.001.
    given = [{"attribute": "given", "value": "adam", "bearers": 10, "share": 0.01}]
    name = Frequencies.from_rows([*ROWS, *NAMES, *given]).of("name")
    assert name is not None
    assert name.share("adam smith") == name.rare_share == 0.001


def test_whole_names_need_the_frequencies_of_their_parts() -> None:
    found = Frequencies.from_rows([row for row in [*ROWS, *NAMES] if row["attribute"] != "given"])
    assert found.of("name") is None
    assert found.of("surname") == Frequencies.from_rows(ROWS).of("surname")


def test_an_attribute_without_rows_has_no_frequencies() -> None:
    assert Frequencies.from_rows(ROWS).of("postcode") is None
    assert Frequencies.none().of("surname") is None
