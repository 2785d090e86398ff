"""Levels of whole names: parts straight and with given names and surname exchanged, on whole columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from linkage_spark.linkage.comparison.levels import (
    CROSSED,
    DIFFER,
    EXACT,
    FUZZY,
    GIVEN,
    MISSING_PART,
    PART_NAMES,
    SURNAME,
    TYPO,
    VARIANT,
)
from linkage_spark.linkage.comparison.tokens import NameComparer
from linkage_spark.linkage.comparison.unlike import Vocabulary
from linkage_spark.model.schema import CROSSED_LEVELS, MISSING

_PARTS = len(PART_NAMES)
_CROSSED_FROM = _PARTS * _PARTS
_SINGLE_GIVEN_FROM = _CROSSED_FROM + len(CROSSED_LEVELS)
_SINGLE_SURNAME_FROM = _SINGLE_GIVEN_FROM + len(CROSSED_LEVELS)

CELL_NAMES: tuple[str, ...] = (
    *(
        MISSING if given == surname == MISSING else f"given {given}, surname {surname}"
        for given in PART_NAMES
        for surname in PART_NAMES
    ),
    *(f"crossed: {level}" for level in CROSSED_LEVELS),
    *(f"crossed: single name, given {level}" for level in CROSSED_LEVELS),
    *(f"crossed: single name, surname {level}" for level in CROSSED_LEVELS),
)
"""Cells of the joint name attribute by code: straight, crossed, single name in the other part's place."""

CROSS_LEAD = 3
"""Levels by which a crossed reading must beat the straight one."""

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def _parts_of_cells() -> npt.NDArray[np.int64]:
    """Part levels of the given names and of the surname, a row per cell."""
    straight = [(given, surname) for given in range(_PARTS) for surname in range(_PARTS)]
    ends = range(FUZZY, FUZZY + len(CROSSED_LEVELS))
    crossed = [(level, level) for level in ends]
    single = [*((level, MISSING_PART) for level in ends), *((MISSING_PART, level) for level in ends)]
    return np.array([*straight, *crossed, *single], dtype=np.int64)


_CELL_PARTS = _parts_of_cells()


@dataclass(frozen=True)
class NameComparison:
    """Cells of name pairs, with what scoring and the tier policy ask.

    Attributes:
        cell: position in CELL_NAMES.
        given: part level of the given names; for a crossed name the weaker of its two levels.
        surname: part level of the surname; for a crossed name the same.
        crossed: given names and surname stand in each other's place.
    """

    cell: Ints
    given: Ints
    surname: Ints
    crossed: Bools

    @classmethod
    def of_cells(cls, cell: Ints) -> NameComparison:
        """The comparison of which these are the cells: nothing else is known of a name."""
        return cls(cell, _CELL_PARTS[cell, 0], _CELL_PARTS[cell, 1], cell >= _CROSSED_FROM)

    @property
    def forename_agrees(self) -> Bools:
        """The given names agree, a variant, another order or a typing slip allowed."""
        agrees: Bools = (self.given >= TYPO) & (self.given != MISSING_PART)
        return agrees

    @property
    def forename_differs(self) -> Bools:
        """Both have given names and none agrees."""
        differs: Bools = self.given == DIFFER
        return differs

    @property
    def surname_agrees(self) -> Bools:
        """The surname agrees, a variant or a typing slip allowed."""
        agrees: Bools = (self.surname >= TYPO) & (self.surname != MISSING_PART)
        return agrees

    @property
    def name_whole(self) -> Bools:
        """Both parts agree, straight or crossed."""
        return self.forename_agrees & self.surname_agrees


@dataclass(frozen=True)
class _Coded:
    """Strings of a batch as numbers; -1 stands for null and for a string without tokens."""

    values: list[str]
    numbers: Ints
    vocabulary: Vocabulary
    given_l: Ints
    given_r: Ints
    surname_l: Ints
    surname_r: Ints


def compare_names(
    given_l: pa.Array, surname_l: pa.Array, given_r: pa.Array, surname_r: pa.Array, comparer: NameComparer
) -> NameComparison:
    """Compare columns of given names and surnames (tokens joined by a space, null = none); symmetric.

    Equality and missing parts are settled on whole columns; string distances run once per distinct
    pair. A crossed reading (given names against surname, both ways) is taken when its weaker level
    is at least fuzzy and its levels beat the straight ones by CROSS_LEAD. Where the whole of one name stands in
    the other before its last surname, which was then left out, the surname counts as a variant.
    """
    coded = _encode(given_l, surname_l, given_r, surname_r, comparer)
    every = np.arange(len(coded.given_l))
    given = _levels(GIVEN, coded, coded.given_l, coded.given_r, every, comparer)
    surname = _levels(SURNAME, coded, coded.surname_l, coded.surname_r, every, comparer)
    _lift_surnames_left_out(coded, given, surname, comparer)
    cell = given * _PARTS + surname
    crossed = np.zeros(len(cell), dtype=np.bool_)

    rows, level = _crossed_rows(coded, given, surname, comparer)
    cell[rows] = _CROSSED_FROM + level - FUZZY
    rows_single, level_single, is_surname = _single_name_rows(coded, given, surname, comparer)
    cell[rows_single] = np.where(is_surname, _SINGLE_SURNAME_FROM, _SINGLE_GIVEN_FROM) + level_single - FUZZY
    given[rows], surname[rows] = level, level
    given[rows_single] = np.where(is_surname, MISSING_PART, level_single)
    surname[rows_single] = np.where(is_surname, level_single, MISSING_PART)
    crossed[rows] = True
    crossed[rows_single] = True
    return NameComparison(cell=cell, given=given, surname=surname, crossed=crossed)


def _encode(
    given_l: pa.Array, surname_l: pa.Array, given_r: pa.Array, surname_r: pa.Array, comparer: NameComparer
) -> _Coded:
    """Number the distinct strings of all four columns."""
    count = len(given_l)
    together = pa.concat_arrays([column.cast(pa.string()) for column in (given_l, surname_l, given_r, surname_r)])
    encoded = pc.dictionary_encode(together)
    values: list[str] = encoded.dictionary.to_pylist()
    codes = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    vocabulary = comparer.vocabulary
    numbers = vocabulary.numbers(values)
    blank = np.append(vocabulary.count[numbers] == 0, True)
    codes[blank[codes]] = -1
    parts = [codes[start * count : (start + 1) * count] for start in range(4)]
    given_l, surname_l, given_r, surname_r = parts
    return _Coded(values, numbers, vocabulary, given_l, given_r, surname_l, surname_r)


def _levels(kind: str, coded: _Coded, left: Ints, right: Ints, rows: Ints, comparer: NameComparer) -> Ints:
    """Part levels of the given rows."""
    a, b = left[rows], right[rows]
    found = np.full(len(rows), MISSING_PART, dtype=np.int64)
    known = (a >= 0) & (b >= 0)
    found[known & (a == b)] = EXACT
    unequal = np.flatnonzero(known & (a != b))
    if len(unequal):
        width = len(coded.values)
        keys = np.minimum(a[unequal], b[unequal]) * width + np.maximum(a[unequal], b[unequal])
        distinct, where = np.unique(keys, return_inverse=True)
        values = coded.values
        levels_of = np.full(len(distinct), DIFFER, dtype=np.int64)
        numbers = coded.numbers
        unlike = coded.vocabulary.surely_differ(kind, numbers[distinct // width], numbers[distinct % width])
        open_ = np.flatnonzero(~unlike)
        levels_of[open_] = [
            comparer.part_level(kind, values[key // width], values[key % width]) for key in distinct[open_].tolist()
        ]
        found[unequal] = levels_of[where.reshape(-1)]
    return found


def _lift_surnames_left_out(coded: _Coded, given: Ints, surname: Ints, comparer: NameComparer) -> None:
    """Raise the levels, in place, of rows in which one name is the other without its surname."""
    tokens = np.append(coded.vocabulary.count[coded.numbers], 0)  # -1, no string, has none
    may_be = (surname < TYPO) & (given >= FUZZY) & (given != MISSING_PART)
    level = np.full(len(given), DIFFER, dtype=np.int64)
    values = coded.values
    left, right = (coded.given_l, coded.surname_l), (coded.given_r, coded.surname_r)
    for (own, last), (other, others_last) in ((left, right), (right, left)):
        rows = np.flatnonzero(may_be & (tokens[other] > 1))
        names = coded.numbers[last[rows]], coded.numbers[other[rows]]
        for row in rows[~coded.vocabulary.surely_differ(SURNAME, *names)].tolist():
            texts = (values[part[row]] for part in (own, last, other))
            level[row] = max(level[row], comparer.surname_left_out(*texts))
        # Singh beside Singh Dhillon: the box was cut before the part of the surname that was left out.
        rows = np.flatnonzero(may_be & (surname == FUZZY) & (tokens[others_last] > 1) & (other >= 0))
        for row in rows.tolist():
            before = values[others_last[row]].rpartition(" ")[0]
            found = comparer.surname_left_out(values[own[row]], values[last[row]], f"{values[other[row]]} {before}")
            level[row] = max(level[row], found)
    lifted = level >= TYPO
    given[lifted], surname[lifted] = np.maximum(given[lifted], level[lifted]), VARIANT


def _crossed_rows(coded: _Coded, given: Ints, surname: Ints, comparer: NameComparer) -> tuple[Ints, Ints]:
    """Rows with both parts on both sides that read better crossed, and the weaker crossed level."""
    straight = given + surname
    rows = np.flatnonzero((given != MISSING_PART) & (surname != MISSING_PART) & (straight + CROSS_LEAD <= 2 * EXACT))
    one = _levels(CROSSED, coded, coded.given_l, coded.surname_r, rows, comparer)
    rows, one = rows[one >= FUZZY], one[one >= FUZZY]
    other = _levels(CROSSED, coded, coded.surname_l, coded.given_r, rows, comparer)
    better = (other >= FUZZY) & (one + other >= straight[rows] + CROSS_LEAD)
    return rows[better], np.minimum(one, other)[better]


def _single_name_rows(coded: _Coded, given: Ints, surname: Ints, comparer: NameComparer) -> tuple[Ints, Ints, Bools]:
    """Rows in which a record's only name agrees with the other part of the other record.

    Returns the rows, the level, and whether it is the surname of the fuller record that agrees.
    """
    no_given_l, no_given_r = coded.given_l < 0, coded.given_r < 0
    no_surname_l, no_surname_r = coded.surname_l < 0, coded.surname_r < 0
    rows = np.flatnonzero((no_given_l ^ no_surname_l) | (no_given_r ^ no_surname_r))
    one = _levels(CROSSED, coded, coded.given_l, coded.surname_r, rows, comparer)
    other = _levels(CROSSED, coded, coded.surname_l, coded.given_r, rows, comparer)
    one, other = np.where(one == MISSING_PART, -1, one), np.where(other == MISSING_PART, -1, other)
    level = np.maximum(one, other)
    straight = np.maximum(
        np.where(given[rows] == MISSING_PART, -1, given[rows]),
        np.where(surname[rows] == MISSING_PART, -1, surname[rows]),
    )
    better = (level >= FUZZY) & ((straight < 0) | (level >= straight + CROSS_LEAD))
    by_given_l = one >= other  # the given names of l against the surname of r
    is_surname = np.where(by_given_l, no_surname_l[rows] | ~no_given_r[rows], no_surname_r[rows] | ~no_given_l[rows])
    return rows[better], level[better], is_surname[better]
