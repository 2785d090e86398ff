"""What is wrong with the text of a mapping: every fault at once, each with its key and the remedy."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from linkage_spark.settings.mapping_keys import (
    ADDRESS,
    AGE,
    BIRTH_KEYS,
    BORN,
    CLUSTER_KEYS,
    COLUMN_KEYS,
    CONTRADICTIONS,
    DATE_PARTS,
    EXTRA_KEYS,
    KINDS,
    LOCALITY,
    NAME,
    NAMES,
    POSTCODE,
    SIDE_KEYS,
    TEXTS,
    TOP_KEYS,
    is_sided,
    raw_columns,
)
from linkage_spark.settings.sources import FORMAT_SIGNS, format_pattern

_RESERVED = ("ref", NAME, BORN, ADDRESS, LOCALITY, POSTCODE)
_ATTRIBUTE_NAME = re.compile(r"[a-z][a-z0-9_]*")
_A_COLUMN = "give the name of a column, or a list of such names"


def mapping_faults(values: Mapping[str, Any]) -> Iterator[str]:
    """Every fault of a mapping, without the file's name."""
    yield from _unknown("", values, TOP_KEYS)
    country = values.get("country")
    if country is not None and not (isinstance(country, str) and re.fullmatch(r"\s*[A-Za-z]{2}\s*", country)):
        yield "key 'country': write a two-letter code such as \"GB\", or leave it out"
    tables = {key: values.get(key, {}) for key in ("columns", "left", "right")}
    no_tables = [key for key, table in tables.items() if not isinstance(table, Mapping)]
    yield from (f"key '{key}': make it a table, with one attribute a line" for key in no_tables)
    if "columns" not in no_tables:
        yield from _column_faults("columns", tables["columns"])
    yield from _extra_faults(values.get("extra", {}))
    yield from _cluster_faults(values.get("clusters", {}))
    for which in ("left", "right"):
        if which not in no_tables:
            yield from _side_faults(which, tables[which], values.get("extra", {}))
    if not no_tables:
        yield from _needed(values)


def _unknown(table: str, values: Mapping[str, Any], known: tuple[str, ...]) -> Iterator[str]:
    """Keys that do not exist, with the nearest that does."""
    for key in values:
        if key not in known:
            near = get_close_matches(key, known, n=1)
            name = f"{table}.{key}" if table else key
            yield f"unknown key '{name}'; " + (
                f"did you mean '{near[0]}'?" if near else f"remove it; there may be {', '.join(known)}"
            )


def _column_faults(table: str, values: Mapping[str, Any]) -> Iterator[str]:
    """Faults of one table of columns."""
    yield from _unknown(table, values, COLUMN_KEYS)
    for key in TEXTS:
        if key in values and not is_columns(values[key]):
            yield f"key '{table}.{key}': {_A_COLUMN}"
    if "full_name" in values and any(key in values for key in NAMES):
        yield f"key '{table}.full_name': a name is full_name, or given_names and surname; leave one out"
    if BORN in values:
        yield from _birth_faults(f"{table}.{BORN}", values[BORN])


def _birth_faults(at: str, value: Any) -> Iterator[str]:
    """Faults of a date of birth."""
    if not isinstance(value, Mapping):
        if not is_columns(value):
            yield f"key '{at}': {_A_COLUMN}, or {{ column, format }}, or {{ day, month, year }}, or {{ age, age_as_of }}"
        return
    yield from _unknown(at, value, BIRTH_KEYS)
    yield from (
        f"key '{at}.{key}': {_A_COLUMN}"
        for key in ("column", *DATE_PARTS, *AGE)
        if key in value and not is_columns(value[key])
    )
    parts = [part for part in DATE_PARTS if part in value]
    if "column" in value and parts:
        yield f"key '{at}': it has both 'column' and '{parts[0]}'; a date stands in one column or in its parts"
    elif "column" not in value and "year" not in value and (parts or "age" not in value):
        yield f"key '{at}': add 'column', or 'year' with 'month' and 'day', or 'age' with 'age_as_of'"
    elif parts and "day" in parts and "month" not in parts:
        yield f"key '{at}.month': missing; a day says nothing without its month, add it or leave the day out"
    for one, other in (AGE, AGE[::-1]):
        if one in value and other not in value:
            yield f"key '{at}.{other}': missing; '{one}' says nothing without it, add it or leave both out"
    if "format" in value:
        yield from _format_faults(f"{at}.format", value)


def _format_faults(at: str, value: Mapping[str, Any]) -> Iterator[str]:
    """Faults of a date's format."""
    form = value["format"]
    example = "write it as in yyyy-MM-dd, dd/MM/yyyy or yyyyMMdd"
    if "column" not in value and "age_as_of" not in value:
        yield f"key '{at}': a format belongs to a 'column'; parts need none, leave it out"
    if not isinstance(form, str):
        yield f"key '{at}': {example}"
        return
    meant = _meant_format(form)
    remedy = f"did you mean {meant}?" if meant else example
    try:
        format_pattern(form.strip())
    except ValueError as error:
        yield f"key '{at}': {error}; {remedy}"
        return
    signs = _SIGNS.findall(form)
    if len(set(signs)) < len(signs):
        yield f"key '{at}': a sign stands in it twice; {example}"
    elif not _is_date(signs):
        yield f"key '{at}': it needs a day dd, a month MM or MMM and a year yyyy or yy; {remedy}"


_SIGNS = re.compile("|".join(FORMAT_SIGNS))


def _is_date(signs: list[str]) -> bool:
    """Day, month and year are there."""
    return bool({"yyyy", "yy"} & set(signs) and {"MMM", "MM"} & set(signs) and "dd" in signs)


_PERCENT_SIGNS = {"%Y": "yyyy", "%y": "yy", "%m": "MM", "%b": "MMM", "%d": "dd", "%H": "HH", "%M": "mm", "%S": "ss"}


def _meant_format(form: str) -> str | None:
    """What a format in other letters was meant to be: '%d/%m/%Y', 'DD.MM.YYYY', 'dd.mm.yyyy', 'd/M/yyyy'; else None."""
    text = form.strip()
    for sign, plain in _PERCENT_SIGNS.items():
        text = text.replace(sign, plain).replace(sign.replace("%", "%-"), plain)
    if "%" not in form:
        text = re.sub("[Yy]+", lambda found: "yy" if len(found[0]) == 2 else "yyyy", text)
        text = re.sub("[Dd]+", "dd", text)
        if "MM" not in text:
            text = re.sub("[Mm]+", lambda found: "MMM" if len(found[0]) > 2 else "MM", text, count=1)
    try:
        format_pattern(text)
    except ValueError:
        return None
    signs = _SIGNS.findall(text)
    return text if text != form.strip() and _is_date(signs) and len(set(signs)) == len(signs) else None


def _extra_faults(values: Any) -> Iterator[str]:
    """Faults of [extra]."""
    if not isinstance(values, Mapping):
        yield "key 'extra': make it a table, with one attribute a line"
        return
    for name, value in values.items():
        at = f"extra.{name}"
        if not _ATTRIBUTE_NAME.fullmatch(name):
            plain = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_0123456789") or "attribute"
            yield (
                f"key '{at}': an attribute's name is made of a-z, 0-9 and _ and begins with a letter; "
                f'write {plain} = {{ column = "{name}", kind = "text" }}'
            )
        elif name in _RESERVED:
            yield f"key '{at}': {name} is an attribute of [columns]; map it there, or give this one another name"
        if isinstance(value, Mapping):
            yield from _unknown(at, value, EXTRA_KEYS)
            if not is_columns(value.get("column")):
                yield f"key '{at}.column': {_A_COLUMN}"
            value = value.get("kind")
        if value not in KINDS:
            yield f'key \'{at}\': its kind is "text" (compared by similarity) or "exact"; write one of the two'


def _cluster_faults(values: Any) -> Iterator[str]:
    """Faults of [clusters]."""
    if not isinstance(values, Mapping):
        yield "key 'clusters': make it a table, with one setting a line"
        return
    yield from _unknown("clusters", values, CLUSTER_KEYS)
    most = values.get("max_records", 2)
    if type(most) is not int or most < 2:
        yield "key 'clusters.max_records': write a whole number of 2 or more: the most records of one person"
    if values.get("contradictions", CONTRADICTIONS[0]) not in CONTRADICTIONS:
        yield (
            "key 'clusters.contradictions': write \"unless_strong\" (records that contradict each other stand together only "
            'where their own pair is strong), "always" (they never do) or "never" (contradictions cut nothing)'
        )


def _side_faults(which: str, values: Mapping[str, Any], extra: Any) -> Iterator[str]:
    """Faults of [left] or [right]."""
    yield from _unknown(which, values, SIDE_KEYS)
    for key in SIDE_KEYS:
        if not isinstance(values.get(key, {}), Mapping):
            yield f"key '{which}.{key}': make it a table, with one attribute a line"
        elif key == "columns":
            yield from _column_faults(f"{which}.columns", values.get(key, {}))
        else:
            yield from _extra_column_faults(f"{which}.{key}", values.get(key, {}), extra)


def _extra_column_faults(table: str, values: Mapping[str, Any], extra: Any) -> Iterator[str]:
    """Faults of a side's own columns of further attributes."""
    for name, value in values.items():
        if not isinstance(extra, Mapping) or name not in extra:
            yield f"key '{table}.{name}': there is no such attribute in [extra]; add it there, or correct the name"
        if not is_columns(value):
            yield f"key '{table}.{name}': {_A_COLUMN}"


def _needed(values: Mapping[str, Any]) -> Iterator[str]:
    """What must be there: a ref and something to compare, for every file."""
    for which in ("left", "right") if is_sided(values) else (None,):
        own = values.get(which, {}).get("columns", {}) if which else {}
        raw = raw_columns(values, which) if isinstance(own, Mapping) else {}
        place = f"columns' or '{which}.columns" if which else "columns"
        if "ref" not in raw:
            yield f"key '{place}': ref is missing; add ref = \"…\", the column that says which record a row is"
        if not values.get("extra") and not any(key in raw for key in COLUMN_KEYS if key != "ref"):
            yield (
                f"key '{place}': nothing to compare; map at least one of given_names, surname, full_name, "
                "date_of_birth, address, locality, postcode, or an [extra]"
            )


def is_columns(value: Any) -> bool:
    """True for the name of a column, or a list of at least one such name."""
    names = [value] if isinstance(value, str) else value
    return isinstance(names, list) and bool(names) and all(isinstance(name, str) and name.strip() for name in names)
