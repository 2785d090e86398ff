"""How values are written for readers that know text, integers and doubles only. Column in, Column out."""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import Column
from pyspark.sql import functions as F

_SECONDS_A_DAY = 86_400


def date_key(day: Column) -> Column:
    """A DATE as an integer yyyymmdd; 0 for null."""
    number = F.year(day) * 10_000 + F.month(day) * 100 + F.dayofmonth(day)
    return F.coalesce(number, F.lit(0)).cast("int")


def iso_utc(instant: Column) -> Column:
    """A TIMESTAMP as text such as 2024-02-29T23:05:00Z, fractions cut off; null stays null.

    Computed from seconds since 1970, so that the session's time zone does not matter.
    """
    seconds = F.unix_seconds(instant)
    of_day = F.pmod(seconds, F.lit(_SECONDS_A_DAY))
    day = F.date_add(F.lit("1970-01-01").cast("date"), ((seconds - of_day) / _SECONDS_A_DAY).cast("int"))
    parts = (
        (of_day / 3_600).cast("int"),
        (F.pmod(of_day, F.lit(3_600)) / 60).cast("int"),
        F.pmod(of_day, F.lit(60)).cast("int"),
    )
    clock = F.concat_ws(":", *[F.lpad(part.cast("string"), 2, "0") for part in parts])
    return F.concat(day.cast("string"), F.lit("T"), clock, F.lit("Z"))


def flag(truth: Column) -> Column:
    """A BOOLEAN as 1 or 0; null stays null."""
    return truth.cast("int")


def upper_key(reference: Column) -> Column:
    """A reference as a key in upper case, since section access compares in upper case."""
    return F.upper(reference)


def joined_key(*parts: Column) -> Column:
    """References joined by '/'; null when any is null."""
    return F.concat(*[piece for part in parts for piece in (F.lit("/"), part)][1:])


def hashed_key(*parts: Column) -> Column:
    """SHA-256 of references joined by '|', first 32 hex digits: a short key that is stable over runs."""
    return F.substring(F.sha2(F.concat_ws("|", *parts), 256), 1, 32)


def in_words(code: Column, words: Mapping[str, str]) -> Column:
    """A code in plain words; the code itself when it has none, null for null."""
    entries = [F.lit(str(part)) for pair in words.items() for part in pair]
    return F.coalesce(F.element_at(F.create_map(*entries), code), code)
