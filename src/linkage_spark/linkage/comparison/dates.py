"""Levels of two dates of birth. All of it runs on whole columns; a single pair is a column of length one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from linkage_spark.model.schema import DATE_LEVELS, MISSING, PARTIAL_DATE_LEVELS

LEVELS: tuple[str, ...] = (MISSING, *PARTIAL_DATE_LEVELS, *DATE_LEVELS)
"""Date levels by code."""

CODE: dict[str, int] = {level: code for code, level in enumerate(LEVELS)}

GENERATION_YEARS = 13
"""Years of birth this far apart, other than exactly a century, are never a slip: father and son."""

NEAR_LEVELS: tuple[str, ...] = ("day_month_swap", "one_digit_or_transposition", "century")
"""Levels that a slip in writing explains."""

_CONTRADICTING = ("differ", "within_ten_years", "within_two_years", "partial_differ")

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Dates:
    """One side's dates of birth; 0 stands for an unknown part.

    Attributes:
        year, month, day: the parts.
        by_age: the year follows from a stated age: it is that year or the next. None stands for nowhere.
    """

    year: Ints
    month: Ints
    day: Ints
    by_age: Bools | None = None


@dataclass(frozen=True)
class DateComparison:
    """Level codes of date pairs, with what the tier policy asks.

    Attributes:
        level: position in LEVELS.
        full: both dates are full and equal.
        near: they differ by a slip that writing explains.
        contradicts: both years are known and no level explains the difference.
    """

    level: Ints
    full: Bools
    near: Bools
    contradicts: Bools

    @classmethod
    def of_levels(cls, level: Ints, contradicts: Bools) -> DateComparison:
        """The comparison with these levels; years that lie too far apart contradict at a level that else does not."""
        near = np.isin(level, [CODE[name] for name in NEAR_LEVELS])
        return cls(level=level, full=level == CODE["exact"], near=near, contradicts=contradicts)


def compare_dates(left: Dates, right: Dates) -> DateComparison:
    """Compare two columns of dates of birth; symmetric.

    A date without a year is missing. A stated age leaves two years: either agrees, the one before the earlier is
    near, and any other differs; month and day are unknown. Where both dates are full, the strongest level that holds is taken,
    with two exceptions: one digit, or neighbouring digits exchanged, is no slip where the years
    differ by GENERATION_YEARS or more; and 1 January against another day of one year is taken for a
    default before it is taken for a slip.
    """
    years_known = (left.year > 0) & (right.year > 0)
    both_full = years_known & (left.month > 0) & (right.month > 0) & (left.day > 0) & (right.day > 0)
    partial = _partial_level(left, right)
    if left.by_age is not None or right.by_age is not None:
        partial = np.where(_years_of_age_agree(left, right), CODE["partial_year_agrees"], partial)
    level = np.where(both_full, _full_level(left, right), partial)
    level = np.where(years_known, level, CODE[MISSING]).astype(np.int64)
    gap = np.abs(left.year - right.year)
    contradicts = np.isin(level, [CODE[name] for name in _CONTRADICTING])
    contradicts |= (level == CODE["month_and_day"]) & (gap >= GENERATION_YEARS)
    return DateComparison.of_levels(level, contradicts & years_known)


def _full_level(left: Dates, right: Dates) -> Ints:
    """Level codes of pairs of full dates."""
    same_year, same_month, same_day = (
        left.year == right.year,
        left.month == right.month,
        left.day == right.day,
    )
    gap = np.abs(left.year - right.year)
    month_and_day = same_month & same_day
    january_l, january_r = _first_of_january(left), _first_of_january(right)
    digits = _digits_differing(left, right)
    one_slip = (digits == 1) | ((digits == 2) & _neighbours_exchanged(left, right))
    claims: list[tuple[str, Bools]] = [
        ("exact", same_year & month_and_day),
        ("day_month_swap", same_year & (left.month == right.day) & (left.day == right.month)),
        ("century", month_and_day & (gap == 100)),
        ("first_of_january", same_year & (january_l ^ january_r)),
        ("one_digit_or_transposition", one_slip & (gap < GENERATION_YEARS)),
        ("year_and_one_part", same_year & (same_month | same_day)),
        ("month_and_day", month_and_day & ~january_l),
        ("two_digits", (digits == 2) & (gap < GENERATION_YEARS)),
        ("year_only", same_year),
        ("within_two_years", gap <= 2),
        ("within_ten_years", gap <= 10),
    ]
    return np.select([claim for _, claim in claims], [CODE[name] for name, _ in claims], default=CODE["differ"])


def _partial_level(left: Dates, right: Dates) -> Ints:
    """Level codes of pairs with both years, of which at least one side lacks month or day."""
    gap = np.abs(left.year - right.year)
    shared_month = (left.month > 0) & (right.month > 0)
    shared_day = (left.day > 0) & (right.day > 0)
    differs = (shared_month & (left.month != right.month)) | (shared_day & (left.day != right.day))
    agrees = (gap == 0) & ~differs
    return np.select(
        [agrees & (shared_month | shared_day), agrees, (gap == 0) | ((gap == 1) & ~differs)],
        [CODE["partial_year_and_part_agree"], CODE["partial_year_agrees"], CODE["partial_near"]],
        default=CODE["partial_differ"],
    )


def _years_of_age_agree(left: Dates, right: Dates) -> Bools:
    """A year that one side knows, or may have been born in, is one of the other side's two."""
    by_age_l, by_age_r = (
        np.zeros(side.year.shape, dtype=np.bool_) if side.by_age is None else side.by_age for side in (left, right)
    )
    later = right.year - left.year
    found: Bools = (by_age_l | by_age_r) & ((later == 0) | ((later == 1) & by_age_l) | ((later == -1) & by_age_r))
    return found


def _first_of_january(dates: Dates) -> Bools:
    """The date is 1 January, which systems enter when only the year is known."""
    found: Bools = (dates.month == 1) & (dates.day == 1)
    return found


def _digit_columns(dates: Dates) -> list[list[Ints]]:
    """The digits of day, month and year, most significant first."""
    year, month, day = dates.year, dates.month, dates.day
    return [
        [day // 10, day % 10],
        [month // 10, month % 10],
        [year // 1000, year // 100 % 10, year // 10 % 10, year % 10],
    ]


def _digits_differing(left: Dates, right: Dates) -> Ints:
    """How many of the eight digits differ."""
    pairs = [
        (a, b)
        for one, other in zip(_digit_columns(left), _digit_columns(right), strict=True)
        for a, b in zip(one, other, strict=True)
    ]
    count: Ints = np.sum([(a != b).astype(np.int64) for a, b in pairs], axis=0, dtype=np.int64)
    return count


def _neighbours_exchanged(left: Dates, right: Dates) -> Bools:
    """Two neighbouring digits inside day, month or year stand in each other's place."""
    found = np.zeros(left.year.shape, dtype=np.bool_)
    for one, other in zip(_digit_columns(left), _digit_columns(right), strict=True):
        for place in range(len(one) - 1):
            found |= (one[place] != other[place]) & (one[place] == other[place + 1]) & (one[place + 1] == other[place])
    return found
