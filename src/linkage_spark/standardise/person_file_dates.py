"""Dates of birth of an analyst's person file: one text that ``read_date`` understands, and years before 1880."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from linkage_spark.settings.mapping import BirthColumns
from linkage_spark.settings.sources import format_pattern
from linkage_spark.tables.enums import DobIssue

EARLIEST_FILE_YEAR = 1000
"""The force's records begin with people born in 1880; an analyst's file may be of history."""

PART_FORMATS: tuple[str, ...] = ("yyyy-MM-dd", "yy-MM-dd", "yyyy-MMM-dd", "yy-MMM-dd")
"""What ``join_parts`` gives."""

_EARLY_YEAR, _FOUR_DIGITS = r"(1[0-7]\d{2}|18[0-7]\d)", r"(\d{4})"  # EARLIEST_FILE_YEAR to 1879
_ORDER = {"yyyy": 0, "MMM": 1, "MM": 1, "dd": 2}
_ISO = "yyyy-MM-dd"
_SIGN = re.compile("yyyy|yy|MMM|MM|dd")


def formats_of(born: BirthColumns | None) -> tuple[str, ...]:
    """The formats to try on what ``whole_text`` or ``join_parts`` gives."""
    if born is None:
        return ()
    return (*(() if born.column else PART_FORMATS), *(born.formats if born.column or born.age else ()))


def born_columns(born: BirthColumns | None) -> tuple[str, ...]:
    """The columns that a date of birth comes from, a stated age among them."""
    return (*born.column, *born.year, *born.month, *born.day, *born.age, *born.age_as_of) if born else ()


def whole_text(text: Column, formats: Sequence[str]) -> Column:
    """A date in one text, made safe for formats without separators such as ddMMyyyy.

    Digits of another length than the format has are ambiguous: one short in front of a leading day or month
    is a zero that a spreadsheet dropped and is put back; a lone year stays; all else becomes unreadable.
    """
    compact = [form for form in formats if re.fullmatch(r"(?:yyyy|yy|MM|dd)+", form)]
    if not compact:
        return text
    lengths, count = sorted({len(form) for form in compact}), F.length(text)
    fixed = F.when(count.isin(lengths) | (count == len("yyyy")) | text.rlike("^0+$"), text)
    for form in compact:
        if not form.startswith("y"):
            fixed = fixed.when(count == len(form) - 1, F.lpad(text, len(form), "0"))
    return F.when(text.rlike(r"^\d+$"), fixed.otherwise(F.concat(F.lit("?"), text))).otherwise(text)


def join_parts(day: Column, month: Column, year: Column) -> Column:
    """Day, month and year -> 'yyyy-MM-dd', or 'yyyy-MM' or 'yyyy' where the rest is missing or zero.

    A month may be a name. A day without its month is left out; parts without a year are unreadable.
    """
    day, month, year = (F.when(~part.rlike("^0+$"), part) for part in (day, month, year))
    named = month.rlike("^[A-Za-z]{3}")
    month = F.when(named, F.substring(month, 1, 3)).otherwise(month)
    some = F.coalesce(year, month, day).isNotNull()
    return (
        F.when(some & year.isNull(), F.concat_ws("-", F.lit("?"), month, day))
        .when(month.isNull(), year)
        .when(day.isNotNull(), F.concat_ws("-", year, month, day))
        .when(named, F.concat_ws(" ", month, year))
        .otherwise(F.concat_ws("-", year, month))
    )


def without_age(born: Column) -> Column:
    """The date alone, without the age that ``inputs.with_age`` puts beside it."""
    return F.nullif(F.regexp_replace(born, "(^|; )age [^;]*$", ""), F.lit(""))


def find_early(born: Column, formats: Sequence[str]) -> Column:
    """A date of birth from EARLIEST_FILE_YEAR to 1879 as 'yyyy-M-d', 'yyyy-MMM-d', 'yyyy-M' or 'yyyy'; else null."""
    whole = [(_java(format_pattern(form)), _SIGN.findall(form)) for form in dict.fromkeys((*formats, _ISO))]
    partial = [(r"(\d{4})", ["yyyy"]), (r"(\d{4})[/.\-](\d{1,2})", ["yyyy", "MM"])]
    partial.append((r"(\d{1,2})[/.\- ](\d{4})", ["MM", "yyyy"]))
    found = []
    for pattern, signs in (*whole, *partial):
        if "yyyy" not in signs:
            continue
        early = f"^{pattern.replace(_FOUR_DIGITS, _EARLY_YEAR)}$"
        order = sorted((_ORDER[sign], place) for place, sign in enumerate(signs, start=1))
        iso = F.regexp_replace(born, early, "-".join(f"${place}" for _, place in order))
        found.append(F.when(born.rlike(early), iso))
    return F.coalesce(*found)


def fill_early(persons: DataFrame, born: str, formats: Sequence[str]) -> DataFrame:
    """Dates of birth that PERSON holds to be out of range, read again for earlier centuries; ``born`` is dropped."""
    out_of_range = F.col("dob_issue") == DobIssue.OUT_OF_RANGE.value
    held = persons.withColumn("early", F.when(out_of_range, find_early(F.col(born), formats)))
    text = F.initcap("early")
    day = F.coalesce(*[F.try_to_timestamp(text, F.lit(form)) for form in ("yyyy-M-d", "yyyy-MMM-d")]).cast("date")
    held = held.withColumn("early_date", F.when(F.col("early").isNotNull(), day))
    parts, date = F.split("early", "-"), F.col("early_date")
    whole = F.size(parts) == len(("year", "month", "day"))
    is_early = F.col("early").isNotNull() & (~whole | date.isNotNull())
    january = F.when((F.month(date) == 1) & (F.dayofmonth(date) == 1), F.lit(DobIssue.FIRST_OF_JANUARY.value))
    becomes = {
        "date_of_birth": date,
        "dob_year": parts[0].cast("int"),
        "dob_month": F.when(whole, F.month(date)).otherwise(F.nullif(F.get(parts, F.lit(1)).cast("int"), F.lit(0))),
        "dob_day": F.dayofmonth(date),
        "dob_issue": F.when(whole, january).otherwise(F.lit(DobIssue.PARTIAL.value)),
    }
    filled = {name: F.when(is_early, column).otherwise(F.col(name)) for name, column in becomes.items()}
    return held.withColumns(filled).drop("early", "early_date", born)


def _java(pattern: str) -> str:
    """A pattern with numbered groups in place of named ones."""
    return re.sub(r"\(\?P<\w+>", "(", pattern)
