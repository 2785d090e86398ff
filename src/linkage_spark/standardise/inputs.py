"""A feed's raw columns -> canonical inputs, as Column expressions. Nothing is judged here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, DateType, IntegralType, StringType, TimestampNTZType, TimestampType

from linkage_spark.settings.sources import Produces, format_pattern

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def text(name: str) -> Column:
    """A column as trimmed text; null when it is empty."""
    return F.expr(_text(name))


def joined(names: Sequence[str], separator: str) -> Column:
    """Columns joined, empty ones left out; null when all are empty."""
    if len(names) == 1:
        return text(names[0])
    return F.expr(f"nullif(concat_ws('{separator}', {_texts(names)}), '')")


def with_age(recorded: Column, age: Column, as_of: Column) -> Column:
    """A date of birth and a stated age in one text, '12/03/1985; age 34 on 2020-05-06', as ``read_date`` reads it.

    Null when there is neither; an age alone stands without a day where nothing says when it was stated.
    """
    stated = F.concat(F.lit("age "), age, F.coalesce(F.concat(F.lit(" on "), as_of), F.lit("")))
    return F.nullif(F.concat_ws("; ", recorded, stated), F.lit(""))


def key(names: Sequence[str]) -> Column:
    """A key out of one or more columns, joined by '/'; null when any part is empty."""
    if len(names) == 1:
        return text(names[0])
    parts = ", '/', ".join(_text(name) for name in names)
    return F.expr(f"concat({parts})")


def row_key(names: Sequence[str]) -> Column:
    """The same for a report: empty parts stay empty; '' when all are."""
    parts = ", ".join(f"coalesce({_text(name)}, '')" for name in names)
    return F.expr(f"if(concat({parts}) = '', '', concat_ws('/', {parts}))")


def instant(frame: DataFrame, name: str, block: Produces) -> Column:
    """A time as an instant; null when it is empty or unreadable. Text is local to the block's zone."""
    kind = type_of(frame, name)
    column = F.col(_quoted(name))
    if isinstance(kind, TimestampType):
        return column
    if isinstance(kind, TimestampNTZType | DateType):
        plain = F.date_format(column, "yyyy-MM-dd HH:mm:ss")
        return F.try_to_timestamp(F.concat(plain, F.lit(f" {block.time_zone}")), F.lit("yyyy-MM-dd HH:mm:ss VV"))
    return _first_readable(text(name), block.time_formats, block.time_zone)


def day(frame: DataFrame, name: str, block: Produces) -> Column:
    """A date; null when it is empty or unreadable. ISO dates are always read."""
    return day_in(frame, name, block.date_formats, block.time_zone)


def day_in(frame: DataFrame, name: str, formats: Sequence[str], time_zone: str) -> Column:
    """The same, in these Java patterns; an instant is on the day that it is in the zone."""
    kind = type_of(frame, name)
    if isinstance(kind, TimestampType):
        return F.from_utc_timestamp(_quoted(name), time_zone).cast("date")
    if isinstance(kind, DateType | TimestampNTZType):
        return F.col(_quoted(name)).cast("date")
    return _first_readable(text(name), (*formats, "yyyy-MM-dd"), None).cast("date")


def version(frame: DataFrame, block: Produces) -> Column:
    """The source's own version as a number; 0 when the source has none."""
    names = block.columns.get("version")
    if names is None or names[0] not in frame.columns:
        return F.lit(0).cast("long")
    if isinstance(type_of(frame, names[0]), IntegralType):
        return F.coalesce(F.col(_quoted(names[0])).cast("long"), F.lit(0).cast("long"))
    return F.coalesce(F.unix_micros(instant(frame, names[0], block)), F.lit(0).cast("long"))


def whole_number(name: str) -> Column:
    """A column as an integer of at most nine digits; null when it is not one."""
    plain = text(name)
    return F.when(plain.rlike(r"^\d{1,9}$"), F.try_to_number(plain, F.lit("999999999")).cast("int"))


def looked_up(column: Column, words: Mapping[str, str] | Mapping[str, bool]) -> Column:
    """A vocabulary's value of a raw word, capitals or not; null when it is not listed."""
    if not words:
        return F.lit(None)
    pairs = [F.lit(part) for raw, to in sorted(words.items()) for part in (raw, to)]
    return F.element_at(F.create_map(*pairs), F.upper(column))


def content_hash(names: Sequence[str]) -> Column:
    """A hash of a row's columns in order of name; equal rows have equal hashes."""
    parts = ", ".join(f"coalesce(cast({_quoted(name)} as string), '\\0')" for name in sorted(names))
    return F.expr(f"xxhash64({parts})")


def raw_struct(names: Sequence[str]) -> Column:
    """The raw row, to be kept when it is refused."""
    return F.expr(f"struct({', '.join(_quoted(name) for name in names)})")


def type_of(frame: DataFrame, name: str) -> DataType:
    """A column's type."""
    found = [field.dataType for field in frame.schema.fields if field.name == name]
    return found[0] if found else StringType()


# One SQL text instead of a dozen calls per column: a mapping names some hundred columns, and every call of a
# Column function goes to the JVM and back. Only column names stand in these texts, quoted; never a value.


def _text(name: str) -> str:
    """SQL of ``text``."""
    return f"nullif(trim(cast({_quoted(name)} as string)), '')"


def _texts(names: Sequence[str]) -> str:
    """SQL of several texts, parted by commas."""
    return ", ".join(_text(name) for name in names)


def _quoted(name: str) -> str:
    """A column's name as a reference, dots and blanks allowed."""
    return f"`{name.replace('`', '``')}`"


def _first_readable(column: Column, formats: Sequence[str], zone: str | None) -> Column:
    """The first format that fits; text is held against the format before any parser sees it."""
    read = [_read(column, form, zone) for form in formats]
    return F.coalesce(*read) if read else F.lit(None).cast("timestamp")


def _read(column: Column, form: str, zone: str | None) -> Column:
    """One format."""
    pattern = re.sub(r"\(\?P<\w+>", "(", format_pattern(form))
    strict = pattern.replace(r"\d{1,2}", r"\d{2}")
    plain = column
    if "MMM" in form:
        for number, month in enumerate(_MONTHS, start=1):
            plain = F.regexp_replace(plain, f"(?i){month}", f"{number:02d}")
        form = form.replace("MMM", "MM")
    value, spark_form = (plain, form) if zone is None else (F.concat(plain, F.lit(f" {zone}")), f"{form} VV")
    return F.when(column.rlike(f"^{strict}$"), F.try_to_timestamp(value, F.lit(spark_form)))
