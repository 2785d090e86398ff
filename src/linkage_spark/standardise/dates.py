"""A recorded date of birth -> its parts and what is wrong with it. Pure Python; no row, no Spark."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from linkage_spark.reference.standard import Reference
from linkage_spark.settings.sources import format_pattern
from linkage_spark.tables.enums import DobIssue

EARLIEST_YEAR = 1880
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_ALWAYS_READ = ("yyyy-MM-dd", "yyyy-MM-dd HH:mm:ss")
_ORDINAL = re.compile(r"(?<=\d)(?:st|nd|rd|th)\b(?: of\b)?", flags=re.IGNORECASE)
_PARTIAL = tuple(
    re.compile(pattern, flags=re.IGNORECASE)
    for pattern in (
        r"(?:c(?:irca)?\.?\s*)?(?P<yyyy>\d{4})",
        r"(?P<MM>\d{1,2})[/.\- ](?P<yyyy>\d{4})",
        r"(?P<yyyy>\d{4})[/.\-](?P<MM>\d{1,2})",
        r"(?P<MMM>[a-z]{3})[a-z]*[/.\- ]+(?P<yyyy>\d{4})",
        r"(?P<dd>00)[/.\- ](?P<MM>\d{1,2})[/.\- ](?P<yyyy>\d{4})",
        r"(?P<yyyy>\d{4})[/.\- ](?P<MM>\d{1,2})[/.\- ](?P<dd>00)",
    )
)


OLDEST = 120
"""A greater age in years is no age."""

_AGE = re.compile(r"(?:(?P<recorded>.*); )?age (?P<age>[^;]+?)(?: on (?P<on>[^;]+))?", flags=re.IGNORECASE)
_YEARS_OLD = re.compile(
    r"(?:aged? )?(?P<years>\d{1,3})(?:\.0+)?(?: ?(?:y|yo|yrs?|years?)(?: old)?)?", flags=re.IGNORECASE
)


class DateForm(NamedTuple):
    """A date of birth in standard form; each part is None when unknown.

    Attributes:
        full: the date, where year, month and day are known.
        year: the earlier of the two possible ones where a stated age is all there is.
        month: 1 to 12.
        day: 1 to 31.
        issue: DobIssue; None when nothing is wrong.
        changes_on: the first ``latest`` on which the same text reads otherwise, a date that was still to come being past
            then; None: on none, or ``latest`` was None.
    """

    full: date | None
    year: int | None
    month: int | None
    day: int | None
    issue: str | None
    changes_on: date | None = None


_NOTHING = (None, None, None, None)


def read_date(text: str | None, *, formats: Sequence[str], reference: Reference, latest: date | None) -> DateForm:
    """Read one date of birth, or a stated age where no year is on record.

    Args:
        text: the date as recorded; after it, or alone, 'age 34 on 06/05/2020' (``inputs.with_age``).
        formats: formats of the mapping, tried in order; ISO dates are always read.
        reference: dates and texts that stand for nothing known.
        latest: a later date is out of range; None for no upper limit beyond year 2100.

    Returns:
        Parts, DobIssue, and the day on which this changes. A year alone, or month and year, is PARTIAL. 1 January is kept and named. A STATED_AGE
        has the earlier of the two years in which the birth may fall, which is what comparing expects.
    """
    plain = " ".join((text or "").split())
    form = _read_plain(plain, formats, reference, latest)
    may_change = form.issue == DobIssue.OUT_OF_RANGE or _AGE.fullmatch(plain) or _has_short_year(tuple(formats))
    if latest is None or not may_change:
        return form
    days = _days_named(plain, formats, reference)
    to_come = sorted({day for named in days for day in (named, date(named.year, 1, 1)) if day > latest})
    changes_on = next((day for day in to_come if _read_plain(plain, formats, reference, day) != form), None)
    return form._replace(changes_on=changes_on)


def _read_plain(plain: str, formats: Sequence[str], reference: Reference, latest: date | None) -> DateForm:
    """A date, or a stated age where no year is on record."""
    stated = _AGE.fullmatch(plain)
    if not stated:
        return _read_recorded(plain, formats, reference, latest)
    form = _read_recorded(stated["recorded"] or "", formats, reference, latest)
    if form.year is not None:
        return form
    by_age = _read_age(stated["age"], stated["on"], formats, latest)
    return form if by_age.year is None and form.issue != DobIssue.MISSING else by_age


def _days_named(plain: str, formats: Sequence[str], reference: Reference) -> list[date]:
    """The days that a text names, on record and as the day of an age, however far they are to come."""
    stated = _AGE.fullmatch(plain)
    recorded = _read_recorded((stated["recorded"] or "") if stated else plain, formats, reference, date.max)
    on = _read_day(stated["on"], formats, date.max) if stated else None
    return [
        *([recorded.full or date(recorded.year, recorded.month or 1, 1)] if recorded.year is not None else []),
        *([on] if on is not None else []),
    ]


@lru_cache(maxsize=64)
def _has_short_year(formats: tuple[str, ...]) -> bool:
    """A format has a year of two digits, so that the century is a matter of the day."""
    return any("yy" in text.replace("yyyy", "") for text in formats)


def _read_recorded(plain: str, formats: Sequence[str], reference: Reference, latest: date | None) -> DateForm:
    """A date, or part of one."""
    if not plain:
        return DateForm(*_NOTHING, DobIssue.MISSING)
    if " ".join(re.findall(r"[a-z0-9]+", plain.lower())) in reference.date_placeholder_texts:
        return DateForm(*_NOTHING, DobIssue.PLACEHOLDER)
    full = _read_full(plain, _patterns(tuple(formats)), latest)
    if full is None and not any(pattern.fullmatch(plain) for pattern in _PARTIAL):
        full = _read_full(_ORDINAL.sub("", plain), _loose_patterns(tuple(formats)), latest)
    if full:
        return _judge(full, reference, latest)
    for pattern in _PARTIAL:
        match = pattern.fullmatch(plain)
        if match:
            return _partial(match.groupdict(), latest)
    return DateForm(*_NOTHING, DobIssue.UNREADABLE)


def _read_full(plain: str, patterns: Sequence[re.Pattern[str]], latest: date | None) -> date | None:
    """The first pattern's date that is one."""
    for pattern in patterns:
        match = pattern.fullmatch(plain)
        full = _to_date(match.groupdict(), latest) if match else None
        if full:
            return full
    return None


def _read_age(age: str, on: str | None, formats: Sequence[str], latest: date | None) -> DateForm:
    """The earlier of the two years of birth that an age in full years leaves; nothing for an approximate age.

    Someone of 34 on 6 May 2020 was born from 7 May 1985 to 6 May 1986. 0 stands for an age that nobody asked for.
    """
    years = _YEARS_OLD.fullmatch(age.strip())
    day = _read_day(on, formats, latest)
    if years is None or day is None:
        return DateForm(*_NOTHING, DobIssue.APPROXIMATE_AGE)
    if int(years["years"]) == 0:
        return DateForm(*_NOTHING, DobIssue.PLACEHOLDER)
    earlier = day.year - int(years["years"]) - 1
    if int(years["years"]) > OLDEST or (latest and day > latest) or _is_out_of_range(earlier, latest):
        return DateForm(*_NOTHING, DobIssue.OUT_OF_RANGE)
    return DateForm(None, earlier, None, None, DobIssue.STATED_AGE)


def _read_day(text: str | None, formats: Sequence[str], latest: date | None) -> date | None:
    """The day on which an age was stated, a time after it left out; None when it is no full date."""
    plain = (text or "").strip()
    patterns = _patterns(tuple(formats))
    return _read_full(plain, patterns, latest) or _read_full(re.split("[ T]", plain)[0], patterns, latest)


@lru_cache(maxsize=64)
def _patterns(formats: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    """Compiled formats, the always-read ones last."""
    return tuple(re.compile(format_pattern(text)) for text in dict.fromkeys((*formats, *_ALWAYS_READ)))


@lru_cache(maxsize=64)
def _loose_patterns(formats: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    """The same with any of the usual signs between the parts, and a month written out: 4.3.1980, 4 March 1980."""
    found = []
    for text in dict.fromkeys((*formats, *_ALWAYS_READ, "dd MMM yyyy")):
        pattern = re.sub(r"(?<=\))(?:\\?[ ./-])(?=\(\?P)", r"(?:[./\\- ]|, ?)", format_pattern(text))
        found.append(
            re.compile(pattern.replace("(?P<MMM>[A-Za-z]{3})", "(?P<MMM>[A-Za-z]{3})(?:[a-z]{1,6}|[A-Z]{1,6}|\\.)?"))
        )
    return tuple(found)


def _month(parts: dict[str, str]) -> int | None:
    """The month's number; 0 when it is recorded as 00; None when it is no month."""
    if parts.get("MMM"):
        name = parts["MMM"].lower()
        return MONTHS.index(name) + 1 if name in MONTHS else None
    number = int(parts["MM"]) if parts.get("MM") else 0
    return number if 0 <= number <= 12 else None


def _year(parts: dict[str, str], latest: date | None) -> int:
    """The year; two digits mean the last such year that is not in the future."""
    if "yyyy" in parts:
        return int(parts["yyyy"])
    short, limit = int(parts["yy"]), (latest.year if latest else 2024)
    return 2000 + short if 2000 + short <= limit else 1900 + short


def _to_date(parts: dict[str, str], latest: date | None) -> date | None:
    """A real date, or None."""
    month = _month(parts)
    try:
        return date(_year(parts, latest), month or 0, int(parts["dd"]))
    except (ValueError, KeyError):
        return None


def _judge(full: date, reference: Reference, latest: date | None) -> DateForm:
    """Placeholders and dates out of range become null; 1 January is only named."""
    if full in reference.date_placeholders:
        return DateForm(*_NOTHING, DobIssue.PLACEHOLDER)
    if _is_out_of_range(full.year, latest) or (latest and full > latest):
        return DateForm(*_NOTHING, DobIssue.OUT_OF_RANGE)
    issue = DobIssue.FIRST_OF_JANUARY if (full.month, full.day) == (1, 1) else None
    return DateForm(full, full.year, full.month, full.day, issue)


def _partial(parts: dict[str, str], latest: date | None) -> DateForm:
    """A year, or a month and year."""
    year, month = int(parts["yyyy"]), _month(parts)
    if month is None:
        return DateForm(*_NOTHING, DobIssue.UNREADABLE)
    if year == 0:
        return DateForm(*_NOTHING, DobIssue.PLACEHOLDER)
    if _is_out_of_range(year, latest):
        return DateForm(*_NOTHING, DobIssue.OUT_OF_RANGE)
    return DateForm(None, year, month or None, None, DobIssue.PARTIAL)


def _is_out_of_range(year: int, latest: date | None) -> bool:
    """True when nobody on record can be born in that year."""
    return not EARLIEST_YEAR <= year <= (latest.year if latest else 2100)
