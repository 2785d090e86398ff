"""All levels of a pair of person records: columns at once, or one pair for the help desk and the tests."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from linkage_spark.linkage.comparison import addresses, dates, names
from linkage_spark.linkage.comparison.further import compare_further, same_premises
from linkage_spark.linkage.comparison.levels import PART_NAMES
from linkage_spark.linkage.comparison.tokens import NameComparer
from linkage_spark.model.schema import Further
from linkage_spark.tables.enums import DobIssue

Columns = dict[str, pa.Array]

STRING_COLUMNS: tuple[str, ...] = (
    "given_name",
    "surname",
    "given_first",
    "surname_last",
    "dob_issue",
    *addresses.ADDRESS_COLUMNS,
)
INTEGER_COLUMNS: tuple[str, ...] = ("dob_year", "dob_month", "dob_day")

EVIDENCE_COLUMNS: tuple[str, ...] = (*STRING_COLUMNS, *INTEGER_COLUMNS)
"""Every column of PERSON that a score depends on. Nothing else reaches a comparison, but for further attributes of an
analyst's file."""

NO_FURTHER: Mapping[str, Further] = {}
"""The force's jobs have no further attributes."""


@dataclass(frozen=True)
class PairComparison:
    """Levels of a column of pairs; ``further`` has a column per further attribute of the model."""

    name: names.NameComparison
    date: dates.DateComparison
    address: addresses.AddressComparison
    further: dates.Ints


@dataclass(frozen=True)
class Levels:
    """Levels of one pair, by name, with what the tier policy asks."""

    level_name: str
    level_given: str
    level_surname: str
    level_date_of_birth: str
    level_address: str
    dob_full: bool
    dob_near: bool
    dob_contradicts: bool
    name_whole: bool
    forename_agrees: bool
    forename_differs: bool
    surname_agrees: bool
    same_premises: bool
    same_postcode: bool
    twin_pattern: bool
    sex_marked_conflict: bool


def compare(left: Mapping[str, object], right: Mapping[str, object], *, comparer: NameComparer) -> Levels:
    """Compare two person records (mappings with EVIDENCE_COLUMNS, None or absent = unknown).

    Symmetric: compare(l, r) equals compare(r, l). A missing value is its own level and no evidence.
    """
    columns_l, columns_r = columns_of(left), columns_of(right)
    found = compare_columns(columns_l, columns_r, comparer)
    return Levels(
        level_name=names.CELL_NAMES[int(found.name.cell[0])],
        level_given=PART_NAMES[int(found.name.given[0])],
        level_surname=PART_NAMES[int(found.name.surname[0])],
        level_date_of_birth=dates.LEVELS[int(found.date.level[0])],
        level_address=addresses.LEVELS[int(found.address.level[0])],
        dob_full=bool(found.date.full[0]),
        dob_near=bool(found.date.near[0]),
        dob_contradicts=bool(found.date.contradicts[0]),
        name_whole=bool(found.name.name_whole[0]),
        forename_agrees=bool(found.name.forename_agrees[0]),
        forename_differs=bool(found.name.forename_differs[0]),
        surname_agrees=bool(found.name.surname_agrees[0]),
        same_premises=bool(found.address.same_premises[0]),
        same_postcode=bool(found.address.same_postcode[0]),
        twin_pattern=bool(twin_pattern(found)[0]),
        sex_marked_conflict=bool(sex_marked_conflict(columns_l, columns_r, comparer)[0]),
    )


def compare_columns(
    left: Columns, right: Columns, comparer: NameComparer, further: Mapping[str, Further] = NO_FURTHER
) -> PairComparison:
    """Compare columns of pairs; ``left`` and ``right`` hold EVIDENCE_COLUMNS, and the further ones, of equal length."""
    levels = compare_further(left, right, further)
    return PairComparison(
        name=compare_names(left, right, comparer),
        date=compare_dates(left, right),
        address=with_places(compare_addresses(left, right), levels, further),
        further=levels,
    )


def with_places(
    found: addresses.AddressComparison, levels: dates.Ints, further: Mapping[str, Further]
) -> addresses.AddressComparison:
    """The same dwelling too where the place stands in further attributes, for the tier policy; levels stay."""
    return replace(found, same_premises=found.same_premises | same_premises(levels, further)) if further else found


def compare_names(left: Columns, right: Columns, comparer: NameComparer) -> names.NameComparison:
    """Levels of the names."""
    return names.compare_names(left["given_name"], left["surname"], right["given_name"], right["surname"], comparer)


def compare_dates(left: Columns, right: Columns) -> dates.DateComparison:
    """Levels of the dates of birth."""
    return dates.compare_dates(_dates(left), _dates(right))


def compare_addresses(left: Columns, right: Columns) -> addresses.AddressComparison:
    """Levels of the addresses."""
    return addresses.compare_addresses(left, right)


def twin_pattern(found: PairComparison) -> dates.Bools:
    """Same surname, full date of birth and premises, and another forename."""
    return found.name.surname_agrees & found.date.full & found.address.same_premises & found.name.forename_differs


def sex_marked_conflict(left: Columns, right: Columns, comparer: NameComparer) -> dates.Bools:
    """The names bear parts marked for different sexes, such as Singh and Kaur."""
    sides = [zip(side["given_name"].to_pylist(), side["surname"].to_pylist(), strict=True) for side in (left, right)]
    return np.array(
        [comparer.sex_marked_conflict(one, other) for one, other in zip(*sides, strict=True)], dtype=np.bool_
    )


def columns_of(person: Mapping[str, object], further: Collection[str] = ()) -> Columns:
    """One person record as columns of length one; a date object may stand for the three parts."""
    values = dict(person)
    born = values.get("date_of_birth")
    if isinstance(born, datetime.date) and values.get("dob_year") is None:
        values |= {"dob_year": born.year, "dob_month": born.month, "dob_day": born.day}
    strings = {name: pa.array([values.get(name)], type=pa.string()) for name in (*STRING_COLUMNS, *further)}
    return strings | {name: pa.array([values.get(name)], type=pa.int32()) for name in INTEGER_COLUMNS}


def iso_dates(side: Columns) -> pa.Array:
    """Dates of birth as ISO text, null where a part is unknown; each distinct date is written once."""
    year, month, day = (side[name] for name in INTEGER_COLUMNS)
    numbers = pc.add(pc.add(pc.multiply(year, 10_000), pc.multiply(month, 100)), day)
    encoded = pc.dictionary_encode(numbers)
    texts = [_iso(number // 10_000, number // 100 % 100, number % 100) for number in encoded.dictionary.to_pylist()]
    return pa.array(texts, type=pa.string()).take(encoded.indices)


def _iso(year: int, month: int, day: int) -> str | None:
    """One date; null where a part is 0, which stands for unknown."""
    return f"{year:04d}-{month:02d}-{day:02d}" if year and month and day else None


def _dates(side: Columns) -> dates.Dates:
    """Dates of birth as integers, 0 for unknown, and which years follow from a stated age."""
    year, month, day = (
        pc.fill_null(side[name], 0).to_numpy(zero_copy_only=False).astype(np.int64) for name in INTEGER_COLUMNS
    )
    by_age = pc.fill_null(pc.equal(side["dob_issue"], DobIssue.STATED_AGE.value), False)
    return dates.Dates(year=year, month=month, day=day, by_age=by_age.to_numpy(zero_copy_only=False))
