"""The layout for estimation: groups that exclude each other, codes that name what comparison names."""

from __future__ import annotations

import numpy as np
import pytest

from linkage_spark.linkage.comparison.names import CELL_NAMES
from linkage_spark.linkage.training.layout import (
    CROSSED,
    GIVEN_ONLY,
    SINGLE_GIVEN,
    SINGLE_SURNAME,
    STRAIGHT,
    SURNAME_ONLY,
    lay_out,
)
from linkage_spark.linkage.training.patterns import pattern_columns
from linkage_spark.model.schema import CROSSED_LEVELS, MISSING, PART_LEVELS
from tests.unit.linkage.training.mixture import file_model

FURTHER = {"place_street": "street", "extra_job": "text"}


def test_codes_of_the_name_are_the_cells_that_comparison_names() -> None:
    for given_no, given in enumerate(PART_LEVELS):
        for surname_no, surname in enumerate(PART_LEVELS):
            assert CELL_NAMES[STRAIGHT[given_no, surname_no]] == f"given {given}, surname {surname}"
    assert [CELL_NAMES[code] for code in CROSSED] == [f"crossed: {level}" for level in CROSSED_LEVELS]
    assert [CELL_NAMES[code] for code in GIVEN_ONLY] == [f"given {level}, surname missing" for level in PART_LEVELS]
    assert [CELL_NAMES[code] for code in SURNAME_ONLY] == [f"given missing, surname {level}" for level in PART_LEVELS]
    for codes, part in ((SINGLE_GIVEN, "given"), (SINGLE_SURNAME, "surname")):
        assert [CELL_NAMES[code] for code in codes] == [
            f"crossed: single name, {part} {level}" for level in CROSSED_LEVELS
        ]


def test_groups_hold_every_level_once_but_for_missing_and_sum_to_one() -> None:
    for attribute in lay_out(file_model(FURTHER)):
        grouped = np.concatenate(attribute.groups).tolist()
        assert len(set(grouped)) == len(grouped), attribute.name
        left = [attribute.levels[code] for code in range(len(attribute.levels)) if code not in set(grouped)]
        assert left == [MISSING], attribute.name
        for group in attribute.groups:
            assert attribute.m[group].sum() == pytest.approx(1.0)
            assert attribute.u[group].sum() == pytest.approx(1.0)


def test_a_part_of_a_place_behaves_as_a_place_and_an_analysts_own_column_does_not() -> None:
    model = file_model(FURTHER)
    attributes = lay_out(model)
    assert tuple(attribute.name for attribute in attributes) == pattern_columns(model)
    assert [attribute.role for attribute in attributes] == ["name", "date", "place", "place", "extra"]
