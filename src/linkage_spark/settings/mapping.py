"""An analyst's mapping of one or two person files: which column is which attribute. Text in, checked object out."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Literal

from pydantic import Field

from linkage_spark.errors import SettingsError
from linkage_spark.settings.files import Frozen
from linkage_spark.settings.mapping_faults import is_columns, mapping_faults
from linkage_spark.settings.mapping_keys import (
    ADDRESS,
    AGE,
    BIRTH_KEYS,
    BORN,
    COLUMN_KEYS,
    DATE_PARTS,
    EXTRA_KEYS,
    LOCALITY,
    NAME,
    POSTCODE,
    SIDE_KEYS,
    TEXTS,
    TOP_KEYS,
    is_sided,
    raw_columns,
)

Side = Literal["left", "right"]
Kind = Literal["text", "exact"]
Contradictions = Literal["unless_strong", "always", "never"]

DEFAULT_DATE_FORMATS: tuple[str, ...] = ("dd/MM/yyyy", "yyyyMMdd")
"""Tried where a mapping states no format, beside ISO yyyy-MM-dd, which is always read."""


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
        found = {key: getattr(self, key) for key in TEXTS}
        if born:
            found |= {BORN: born.column, **{f"{BORN}.{part}": getattr(born, part) for part in (*DATE_PARTS, *AGE)}}
        found |= {f"extra.{extra.name}": extra.column for extra in self.extras}
        return {key: names for key, names in found.items() if names}


class ClusterSettings(Frozen):
    """What the guard of ``dedupe`` cuts in clusters.

    Attributes:
        max_records: most records of one cluster.
        contradictions: which records that contradict each other may not stand in one cluster: 'always', all; 'never',
            none; 'unless_strong', those whose own pair does not outweigh it (dates: not linked; a twin's forename: less than
            the model's ``match_bits``) and whom the rest of their cluster does not outvote; names marked for different
            sexes, which no weight knows of, count as in 'always'.
    """

    max_records: int = Field(default=500, ge=2)
    contradictions: Contradictions = "unless_strong"


class PersonMapping(Frozen):
    """A checked mapping file.

    Attributes:
        source: the file, as messages call it.
        country: two upper-case letters as stated; None when the postcodes are to tell.
        both: what [columns] says; its ``ref`` may be empty where each side has its own.
        left, right: what holds for one side; None where the file has no part for either.
        clusters: [clusters]; only ``dedupe`` makes any.
    """

    source: str
    country: str | None = None
    both: Columns
    left: Columns | None = Field(default=None)
    right: Columns | None = Field(default=None)
    clusters: ClusterSettings = ClusterSettings()

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
    faults = list(mapping_faults(values))
    if faults:
        raise SettingsError("\n".join(f"{path}: {fault}" for fault in dict.fromkeys(faults)))
    country = values.get("country")
    sides = {name: _columns(values, name) if is_sided(values) else None for name in ("left", "right")}
    return PersonMapping(
        source=path,
        country=_country(country) if country else None,
        both=_columns(values, None),
        clusters=ClusterSettings(**values.get("clusters", {})),
        **sides,
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
    dated = _nearly(born, BIRTH_KEYS) if isinstance(born, Mapping) else {"column": born}
    found = {key: raw.get(key) for key in TEXTS}
    found |= {BORN: dated.get("column"), **{f"{BORN}.{part}": dated.get(part) for part in (*DATE_PARTS, *AGE)}}
    for name, value in sorted({**dict.fromkeys(own), **extras}.items()):
        column = _nearly(value, EXTRA_KEYS).get("column") if isinstance(value, Mapping) else name
        found[f"extra.{name}"] = own.get(name, column)
    return {key: _listed(names) for key, names in found.items() if is_columns(names)}


def one_file_faults(path: str, text: str) -> list[str]:
    """Why a mapping that has faults besides is none for one file; empty where it may be one, or cannot be told.

    Args:
        path: what messages call the mapping.
        text: its content.
    """
    values = _toml(text)
    if not is_sided(values):
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
        return _nearly(tomllib.loads(text.removeprefix("\ufeff")), TOP_KEYS)
    except tomllib.TOMLDecodeError:
        return {}


def _stated(values: Mapping[str, Any], which: Side | None) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Of one file: keys of columns, [extra], and its own columns of further attributes; what is no table is none."""
    own = _nearly(values.get(which), SIDE_KEYS) if which else {}
    base, over = (_nearly(table.get("columns"), COLUMN_KEYS) for table in (values, own))
    raw = raw_columns({"columns": base, "own": {"columns": over}}, "own")
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


def _columns(values: Mapping[str, Any], which: str | None) -> Columns:
    """One side's columns out of values without a fault."""
    raw = raw_columns(values, which)
    own = values.get(which, {}).get("extra_columns", {}) if which else {}
    extras = [_extra(name, own.get(name), at) for name, at in sorted(values.get("extra", {}).items())]
    born = _birth(raw[BORN]) if BORN in raw else None
    texts = {key: _listed(raw[key]) for key in TEXTS if key in raw}
    return Columns(**{"ref": (), **texts}, date_of_birth=born, extras=tuple(extras))


def _extra(name: str, own: Any, value: Any) -> Extra:
    """A further attribute; a side's own column comes first, then the stated one, then the attribute's name."""
    kind, column = (value["kind"], value["column"]) if isinstance(value, Mapping) else (value, name)
    return Extra(name=name, column=_listed(own or column), kind=kind)


def _birth(value: Any) -> BirthColumns:
    """A date of birth in any of its three forms."""
    if not isinstance(value, Mapping):
        return BirthColumns(column=_listed(value))
    columns = {key: _listed(value[key]) for key in ("column", *DATE_PARTS, *AGE) if key in value}
    formats = (str(value["format"]).strip(),) if "format" in value else DEFAULT_DATE_FORMATS
    return BirthColumns(**columns, formats=formats, stated="format" in value)


def _listed(value: Any) -> tuple[str, ...]:
    """One column or a list of them, outer blanks cut off."""
    return tuple(name.strip() for name in ([value] if isinstance(value, str) else value))


def _country(text: str) -> str:
    """Two upper-case letters; UK is another way to write GB."""
    plain = text.strip().upper()
    return "GB" if plain == "UK" else plain
