"""Every vector of cases/*.csv, both ways round."""

from __future__ import annotations

import pytest

from linkage_spark.linkage.comparison.levels import GIVEN, PART_NAMES, SURNAME
from linkage_spark.linkage.comparison.pair import compare
from tests.unit.linkage.comparison.knowledge import (
    address_columns,
    cases,
    comparer,
    date_columns,
    name_columns,
)


def _name(text: str) -> tuple[str | None, str | None]:
    given, surname = text.split("|")
    return given or None, surname or None


@pytest.mark.parametrize("kind", [GIVEN, SURNAME])
def test_each_part_of_a_name_reaches_its_level_both_ways_round(kind: str) -> None:
    wrong = []
    for case, left, right, expected in cases(f"names_{kind}"):
        for one, other in ((left, right), (right, left)):
            found = PART_NAMES[comparer().part_level(kind, one, other)]
            if found != expected:
                wrong.append((case, one, other, expected, found))
    assert wrong == []


def test_each_whole_name_reaches_its_cell_both_ways_round() -> None:
    wrong = []
    for case, left, right, expected in cases("names_whole"):
        for one, other in ((left, right), (right, left)):
            levels = compare(name_columns(*_name(one)), name_columns(*_name(other)), comparer=comparer())
            if levels.level_name != expected:
                wrong.append((case, one, other, expected, levels.level_name))
    assert wrong == []


def test_sex_marked_parts_conflict_only_when_both_sides_are_marked() -> None:
    wrong = []
    for case, left, right, expected in cases("sex_marks"):
        for one, other in ((left, right), (right, left)):
            if comparer().sex_marked_conflict(_name(one), _name(other)) != (expected == "yes"):
                wrong.append((case, one, other, expected))
    assert wrong == []


def test_each_pair_of_dates_reaches_its_level_both_ways_round() -> None:
    wrong = []
    for case, left, right, expected in cases("dates"):
        for one, other in ((left, right), (right, left)):
            levels = compare(date_columns(one), date_columns(other), comparer=comparer())
            if levels.level_date_of_birth != expected:
                wrong.append((case, one, other, expected, levels.level_date_of_birth))
    assert wrong == []


def test_each_pair_of_addresses_reaches_its_level_both_ways_round() -> None:
    wrong = []
    for case, left, right, expected in cases("addresses"):
        for one, other in ((left, right), (right, left)):
            levels = compare(address_columns(one), address_columns(other), comparer=comparer())
            if levels.level_address != expected:
                wrong.append((case, one, other, expected, levels.level_address))
    assert wrong == []


def test_there_are_enough_vectors() -> None:
    files = ("names_given", "names_surname", "names_whole", "sex_marks", "dates", "addresses")
    assert sum(1 for file in files for _ in cases(file)) >= 350
