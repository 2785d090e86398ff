"""An analyst's mapping of one or two person files: which column is which attribute. Text in, checked object out."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Literal

from pydantic import Field

from linkage_spark.errors import SettingsError
from linkage_spark.settings.files import Frozen
from linkage_spark.settings.sources import FORMAT_SIGNS, format_pattern

Side = Literal["left", "right"]
Kind = Literal["text", "exact"]

NAME, BORN, ADDRESS, LOCALITY, POSTCODE = "name", "date_of_birth", "address", "locality", "postcode"
DEFAULT_DATE_FORMATS: tuple[str, ...] = ("dd/MM/yyyy", "yyyyMMdd")
"""Tried where a mapping states no format, beside ISO yyyy-MM-dd, which is always read."""

_NAMES = ("given_names", "surname")
_TEXTS = ("ref", *_NAMES, "full_name", ADDRESS, LOCALITY, POSTCODE)
_COLUMN_KEYS = (*_TEXTS, BORN)
_TOP_KEYS = ("country", "columns", "extra", "left", "right")
_SIDE_KEYS = ("columns", "extra_columns")
_DATE_PARTS = ("day", "month", "year")
_AGE = ("age", "age_as_of")
_BIRTH_KEYS = ("column", "format", *_DATE_PARTS, *_AGE)
_EXTRA_KEYS = ("column", "kind")
_KINDS = ("text", "exact")
_RESERVED = ("ref", NAME, BORN, ADDRESS, LOCALITY, POSTCODE)
_ATTRIBUTE_NAME = re.compile(r"[a-z][a-z0-9_]*")
_A_COLUMN = "give the name of a column, or a list of such names"


class BirthColumns(Frozen):
    """Where a date of birth stands: in one text (``column``), or in its parts; beside it, or alone, a stated age.

    Attributes:
        column: columns of the whole date, joined by a space; empty when it stands in parts.
        formats: formats of that text, tried in order; ISO dates are always read.
        stated: True when the mapping states the format itself.
        day, month, year: columns of the parts; empty when the date stands in one text.
        age: columns of an age in years, used where no year of birth is on record; empty when there is none.
        age_as_of: columns of the day on which it was stated; in the same formats.
    """

    column: tuple[str, ...] = ()
    formats: tuple[str, ...] = DEFAULT_DATE_FORMATS
    stated: bool = False
    day: tuple[str, ...] = ()
    month: tuple[str, ...] = ()
    year: tuple[str, ...] = ()
    age: tuple[str, ...] = ()
    age_as_of: tuple[str, ...] = ()


class Extra(Frozen):
    """A further attribute of an analyst's file.

    Attributes:
        name: the attribute.
        column: columns of its text, joined by a space.
        kind: 'text' is compared by similarity, 'exact' is equal or not.
    """

    name: str
    column: tuple[str, ...]
    kind: Kind


class Columns(Frozen):
    """The columns of one file, as ``side`` resolves them. An attribute without a column is empty.

    Attributes:
        ref: columns of the record's key, joined by a space.
        given_names, surname: columns joined by a space.
        full_name: the whole name in one text; never beside the other two.
        date_of_birth: None when it is not mapped.
        address: columns joined by ', '.
        locality, postcode: columns joined by a space.
        extras: further attributes that this file has, in order of name.
    """

    ref: tuple[str, ...]
    given_names: tuple[str, ...] = ()
    surname: tuple[str, ...] = ()
    full_name: tuple[str, ...] = ()
    date_of_birth: BirthColumns | None = None
    address: tuple[str, ...] = ()
    locality: tuple[str, ...] = ()
    postcode: tuple[str, ...] = ()
    extras: tuple[Extra, ...] = ()

    @property
    def attributes(self) -> frozenset[str]:
        """What this file has: of name, date_of_birth, address, locality, postcode; and names of extras."""
        held = {
            NAME: self.given_names or self.surname or self.full_name,
            BORN: self.date_of_birth,
            ADDRESS: self.address,
            LOCALITY: self.locality,
            POSTCODE: self.postcode,
        }
        return frozenset([*(name for name, at in held.items() if at), *(extra.name for extra in self.extras)])

    @property
    def keys(self) -> Mapping[str, tuple[str, ...]]:
        """Mapping key -> the file's columns, ref first; keys as they stand in the TOML file."""
        born = self.date_of_birth
        found = {key: getattr(self, key) for key in _TEXTS}
        if born:
            found |= {BORN: born.column, **{f"{BORN}.{part}": getattr(born, part) for part in (*_DATE_PARTS, *_AGE)}}
        found |= {f"extra.{extra.name}": extra.column for extra in self.extras}
        return {key: names for key, names in found.items() if names}


class PersonMapping(Frozen):
    """A checked mapping file.

    Attributes:
        source: the file, as messages call it.
        country: two upper-case letters as stated; None when the postcodes are to tell.
        both: what [columns] says; its ``ref`` may be empty where each side has its own.
        left, right: what holds for one side; None where the file has no part for either.
    """

    source: str
    country: str | None = None
    both: Columns
    left: Columns | None = Field(default=None)
    right: Columns | None = Field(default=None)

    @property
    def attributes(self) -> frozenset[str]:
        """What both sides have: the attributes that count in linking; of one file, those of [columns]."""
        return side(self, "left").attributes & side(self, "right").attributes

    @property
    def is_two_sided(self) -> bool:
        """True when the mapping has a part for the left or the right file: then it is one for ``link``."""
        return self.left is not None


def load_mapping(path: str, text: str) -> PersonMapping:
    """Read the TOML text of a mapping. Pure: nothing is opened.

    Args:
        path: what messages call the file.
        text: its content.

    Raises:
        SettingsError: with every fault at once, each naming the file, the key and the remedy.
    """
    try:
        values = tomllib.loads(text.removeprefix("\ufeff"))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: not valid TOML: {error}; correct that line") from None
    faults = list(_faults(values))
    if faults:
        raise SettingsError("\n".join(f"{path}: {fault}" for fault in dict.fromkeys(faults)))
    country = values.get("country")
    sides = {name: _columns(values, name) if _sided(values) else None for name in ("left", "right")}
    return PersonMapping(
        source=path, country=_country(country) if country else None, both=_columns(values, None), **sides
    )


def side(mapping: PersonMapping, which: Side | None) -> Columns:
    """The columns of the left or the right file, or of the one file of ``dedupe`` (None).

    Raises:
        SettingsError: for one file, when only the two sides say what its ref or its attributes are.
    """
    own = {"left": mapping.left, "right": mapping.right}[which] if which else None
    found = own or mapping.both
    if not found.ref or not found.attributes:
        missing = "ref" if not found.ref else "any attribute"
        raise SettingsError(_not_for_one(mapping.source, missing))
    return found


def _not_for_one(source: str, missing: str) -> str:
    """What is said of a mapping for two files that is given with one."""
    return f"{source}: [columns] has no column for {missing}; one file is read by [columns] alone, add it there"


def stated_columns(text: str, which: Side | None) -> dict[str, tuple[str, ...]]:
    """The columns that a mapping names for one file, as far as they can be told whatever else is wrong with it.

    So a file's columns can be held against a mapping that has faults. A key that is written almost right counts as
    the one that was meant. Of a mapping without a fault these are the keys and columns of ``side``.

    Args:
        text: content of the mapping.
        which: 'left', 'right', or None for the one file of ``dedupe``.

    Returns:
        Mapping key -> columns, as ``Columns.keys``; empty where the text is no TOML.
    """
    values = _toml(text)
    raw, extras, own = _stated(values, which)
    born = raw.get(BORN)
    dated = _nearly(born, _BIRTH_KEYS) if isinstance(born, Mapping) else {"column": born}
    found = {key: raw.get(key) for key in _TEXTS}
    found |= {BORN: dated.get("column"), **{f"{BORN}.{part}": dated.get(part) for part in (*_DATE_PARTS, *_AGE)}}
    for name, value in sorted({**dict.fromkeys(own), **extras}.items()):
        column = _nearly(value, _EXTRA_KEYS).get("column") if isinstance(value, Mapping) else name
        found[f"extra.{name}"] = own.get(name, column)
    return {key: _listed(names) for key, names in found.items() if _is_columns(names)}


def one_file_faults(path: str, text: str) -> list[str]:
    """Why a mapping that has faults besides is none for one file; empty where it may be one, or cannot be told.

    Args:
        path: what messages call the mapping.
        text: its content.
    """
    values = _toml(text)
    if not _sided(values):
        return []
    held = stated_columns(text, None)
    sides = [stated_columns(text, "left"), stated_columns(text, "right")]
    if "ref" not in held and all("ref" in columns for columns in sides):
        return [_not_for_one(path, "ref")]
    if not held.keys() - {"ref"} and all(columns.keys() - {"ref"} for columns in sides):
        return [_not_for_one(path, "any attribute")]
    return []


def _toml(text: str) -> dict[str, Any]:
    """The values of a TOML text, tables that are written almost right under their own names; none of another text."""
    try:
        return _nearly(tomllib.loads(text.removeprefix("\ufeff")), _TOP_KEYS)
    except tomllib.TOMLDecodeError:
        return {}


def _stated(values: Mapping[str, Any], which: Side | None) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Of one file: keys of columns, [extra], and its own columns of further attributes; what is no table is none."""
    own = _nearly(values.get(which), _SIDE_KEYS) if which else {}
    base, over = (_nearly(table.get("columns"), _COLUMN_KEYS) for table in (values, own))
    raw = _raw_columns({"columns": base, "own": {"columns": over}}, "own")
    return raw, _nearly(values.get("extra"), ()), _nearly(own.get("extra_columns"), ())


def _nearly(table: Any, known: tuple[str, ...]) -> dict[str, Any]:
    """A table with keys that are almost a known one under that one's name, where it is free; of no table an empty one."""
    if not isinstance(table, Mapping):
        return {}
    found = {key: value for key, value in table.items() if key in known or not known}
    for key, value in table.items():
        near = get_close_matches(key, known, n=1)
        if key not in found and near:
            found.setdefault(near[0], value)
    return found


# ---- from checked values to columns ------------------------------------------------------------------------


def _sided(values: Mapping[str, Any]) -> bool:
    """True when there is a part for one side."""
    return "left" in values or "right" in values


def _raw_columns(values: Mapping[str, Any], which: str | None) -> dict[str, Any]:
    """[columns], with [which.columns] over it key by key; a name in parts replaces a full name, and the reverse."""
    base = dict(values.get("columns", {}))
    own = dict(values.get(which, {}).get("columns", {})) if which else {}
    if "full_name" in own:
        base = {key: at for key, at in base.items() if key not in _NAMES}
    if any(key in own for key in _NAMES):
        base.pop("full_name", None)
    return {**base, **own}


def _columns(values: Mapping[str, Any], which: str | None) -> Columns:
    """One side's columns out of values without a fault."""
    raw = _raw_columns(values, which)
    own = values.get(which, {}).get("extra_columns", {}) if which else {}
    extras = [_extra(name, own.get(name), at) for name, at in sorted(values.get("extra", {}).items())]
    born = _birth(raw[BORN]) if BORN in raw else None
    texts = {key: _listed(raw[key]) for key in _TEXTS if key in raw}
    return Columns(**{"ref": (), **texts}, date_of_birth=born, extras=tuple(extras))


def _extra(name: str, own: Any, value: Any) -> Extra:
    """A further attribute; a side's own column comes first, then the stated one, then the attribute's name."""
    kind, column = (value["kind"], value["column"]) if isinstance(value, Mapping) else (value, name)
    return Extra(name=name, column=_listed(own or column), kind=kind)


def _birth(value: Any) -> BirthColumns:
    """A date of birth in any of its three forms."""
    if not isinstance(value, Mapping):
        return BirthColumns(column=_listed(value))
    columns = {key: _listed(value[key]) for key in ("column", *_DATE_PARTS, *_AGE) if key in value}
    formats = (str(value["format"]).strip(),) if "format" in value else DEFAULT_DATE_FORMATS
    return BirthColumns(**columns, formats=formats, stated="format" in value)


def _listed(value: Any) -> tuple[str, ...]:
    """One column or a list of them, outer blanks cut off."""
    return tuple(name.strip() for name in ([value] if isinstance(value, str) else value))


def _country(text: str) -> str:
    """Two upper-case letters; UK is another way to write GB."""
    plain = text.strip().upper()
    return "GB" if plain == "UK" else plain


# ---- faults ------------------------------------------------------------------------------------------------


def _faults(values: Mapping[str, Any]) -> Iterator[str]:
    """Every fault of a mapping, without the file's name."""
    yield from _unknown("", values, _TOP_KEYS)
    country = values.get("country")
    if country is not None and not (isinstance(country, str) and re.fullmatch(r"\s*[A-Za-z]{2}\s*", country)):
        yield "key 'country': write a two-letter code such as \"GB\", or leave it out"
    tables = {key: values.get(key, {}) for key in ("columns", "left", "right")}
    no_tables = [key for key, table in tables.items() if not isinstance(table, Mapping)]
    yield from (f"key '{key}': make it a table, with one attribute a line" for key in no_tables)
    if "columns" not in no_tables:
        yield from _column_faults("columns", tables["columns"])
    yield from _extra_faults(values.get("extra", {}))
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
    yield from _unknown(table, values, _COLUMN_KEYS)
    for key in _TEXTS:
        if key in values and not _is_columns(values[key]):
            yield f"key '{table}.{key}': {_A_COLUMN}"
    if "full_name" in values and any(key in values for key in _NAMES):
        yield f"key '{table}.full_name': a name is full_name, or given_names and surname; leave one out"
    if BORN in values:
        yield from _birth_faults(f"{table}.{BORN}", values[BORN])


def _birth_faults(at: str, value: Any) -> Iterator[str]:
    """Faults of a date of birth."""
    if not isinstance(value, Mapping):
        if not _is_columns(value):
            yield f"key '{at}': {_A_COLUMN}, or {{ column, format }}, or {{ day, month, year }}, or {{ age, age_as_of }}"
        return
    yield from _unknown(at, value, _BIRTH_KEYS)
    yield from (
        f"key '{at}.{key}': {_A_COLUMN}"
        for key in ("column", *_DATE_PARTS, *_AGE)
        if key in value and not _is_columns(value[key])
    )
    parts = [part for part in _DATE_PARTS if part in value]
    if "column" in value and parts:
        yield f"key '{at}': it has both 'column' and '{parts[0]}'; a date stands in one column or in its parts"
    elif "column" not in value and "year" not in value and (parts or "age" not in value):
        yield f"key '{at}': add 'column', or 'year' with 'month' and 'day', or 'age' with 'age_as_of'"
    elif parts and "day" in parts and "month" not in parts:
        yield f"key '{at}.month': missing; a day says nothing without its month, add it or leave the day out"
    for one, other in (_AGE, _AGE[::-1]):
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
            yield from _unknown(at, value, _EXTRA_KEYS)
            if not _is_columns(value.get("column")):
                yield f"key '{at}.column': {_A_COLUMN}"
            value = value.get("kind")
        if value not in _KINDS:
            yield f'key \'{at}\': its kind is "text" (compared by similarity) or "exact"; write one of the two'


def _side_faults(which: str, values: Mapping[str, Any], extra: Any) -> Iterator[str]:
    """Faults of [left] or [right]."""
    yield from _unknown(which, values, _SIDE_KEYS)
    for key in _SIDE_KEYS:
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
        if not _is_columns(value):
            yield f"key '{table}.{name}': {_A_COLUMN}"


def _needed(values: Mapping[str, Any]) -> Iterator[str]:
    """What must be there: a ref and something to compare, for every file."""
    for which in ("left", "right") if _sided(values) else (None,):
        own = values.get(which, {}).get("columns", {}) if which else {}
        raw = _raw_columns(values, which) if isinstance(own, Mapping) else {}
        place = f"columns' or '{which}.columns" if which else "columns"
        if "ref" not in raw:
            yield f"key '{place}': ref is missing; add ref = \"…\", the column that says which record a row is"
        if not values.get("extra") and not any(key in raw for key in _COLUMN_KEYS if key != "ref"):
            yield (
                f"key '{place}': nothing to compare; map at least one of given_names, surname, full_name, "
                "date_of_birth, address, locality, postcode, or an [extra]"
            )


def _is_columns(value: Any) -> bool:
    """True for the name of a column, or a list of at least one such name."""
    names = [value] if isinstance(value, str) else value
    return isinstance(names, list) and bool(names) and all(isinstance(name, str) and name.strip() for name in names)
