"""Codes of compared pairs: the comparison comes out of them as it went in."""

from __future__ import annotations

import itertools
from dataclasses import fields

import numpy as np
import pyarrow as pa

from linkage_spark.linkage.comparison.codes import LEVEL_MASK, code_columns, from_codes, to_codes
from linkage_spark.linkage.comparison.names import CELL_NAMES, NameComparison
from linkage_spark.linkage.comparison.pair import INTEGER_COLUMNS, STRING_COLUMNS, PairComparison, compare_columns
from linkage_spark.model.schema import Further
from tests.support.persons import crowd, person
from tests.unit.linkage.comparison.knowledge import comparer

FURTHER = {"extra_job": Further.model_construct(kind="text", levels={})}

ROWS = [
    *crowd(20261122, 60),
    person("s1", "", "khan", "1984", None),
    person("s2", "khan", "", "1955-03", None),
    person("s3", "khan", "adam", "1971-03-12"),
    person("s4", "adam", "", None, None),
    person("s5", "adam", "khan", "1955-03-12"),
]
JOBS = ("clerk", "farrier", "farier", None)


def compared() -> PairComparison:
    pairs = list(itertools.combinations(range(len(ROWS)), 2))
    sides = []
    for end in range(2):
        rows = [ROWS[pair[end]] for pair in pairs]
        columns = {name: pa.array([row[name] for row in rows], pa.string()) for name in STRING_COLUMNS}
        columns |= {name: pa.array([row[name] for row in rows], pa.int32()) for name in INTEGER_COLUMNS}
        jobs = [JOBS[pair[end] % len(JOBS)] for pair in pairs]
        sides.append(columns | {"extra_job": pa.array(jobs, pa.string())})
    return compare_columns(sides[0], sides[1], comparer(), FURTHER)


def test_every_level_and_claim_survives() -> None:
    found = compared()
    codes = to_codes(found)
    assert len(codes) == len(code_columns(FURTHER)) == 4
    assert all(code.min() >= 0 and code.max() < 2**15 for code in codes)
    again = from_codes(codes)
    for part in ("name", "date", "address"):
        one, other = getattr(found, part), getattr(again, part)
        for field in fields(one):
            assert np.array_equal(getattr(one, field.name), getattr(other, field.name)), (part, field.name)
    assert np.array_equal(found.further, again.further)
    # The cases are there: claims that do not follow from a level, names in the other box, an attribute that is missing.
    month_and_day = {
        level for level in set(codes[1] & LEVEL_MASK) if len(set(codes[1][(codes[1] & LEVEL_MASK) == level])) > 1
    }
    assert month_and_day, "a level that contradicts at some distances of years and not at others"
    assert found.name.crossed.any() and found.address.same_premises.any() and found.address.postcodes_equal.any()
    assert len(set(found.further[:, 0].tolist())) >= 3


def test_the_parts_of_a_cell_are_what_its_name_says() -> None:
    parts = NameComparison.of_cells(np.arange(len(CELL_NAMES), dtype=np.int64))
    assert not parts.crossed[: len(CELL_NAMES) - 12].any() and parts.crossed[-1]
    for cell, name in enumerate(CELL_NAMES):
        assert bool(parts.crossed[cell]) == name.startswith("crossed")


def test_files_without_further_attributes_have_three_codes() -> None:
    found = compared()
    bare = PairComparison(found.name, found.date, found.address, np.zeros((len(found.name.cell), 0), dtype=np.int64))
    assert from_codes(to_codes(bare)).further.shape == (len(found.name.cell), 0)
