"""Everything that standardising looks up, loaded once and sent to the executors with the function."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from linkage_spark.errors import SettingsError
from linkage_spark.reference.files import read_table
from linkage_spark.reference.names import NameReference, load_name_reference


@dataclass(frozen=True)
class Reference:
    """Sets and mappings, small and picklable. Phrases are lower-case ASCII words parted by one space.

    Attributes:
        names: facts of names, shared with comparing.
        titles: token -> (kind, strength); kind is title, rank, honorific or noise, strength strong or weak.
        surname_prefixes: tokens that are written together with the token after them.
        box_prefixes: those of them that are joined in a single box as well.
        whole_name_placeholders: whole names that stand for nothing known.
        name_placeholders: whole names or whole parts of names that do so.
        name_placeholder_tokens: single words that do so inside a name.
        name_placeholder_starts: upper-case beginnings that are cut off.
        date_placeholders: dates that stand for nothing known.
        date_placeholder_texts: texts in a date's place that do so, digits parted by one space.
        address_placeholders: whole addresses that do so.
        postcode_placeholders: whole postcodes that do so.
        postcode_areas: letters of the real areas.
        street_words: every word that may end a street's name -> the word written out.
        street_types: the words written out.
        institutions: (phrase, place, AddressKind), longest phrase first.
        institution_words: the first words of those phrases.
        towns: another way to write a town -> the town.
        counties: names that are left out.
    """

    names: NameReference
    titles: Mapping[str, tuple[str, str]]
    surname_prefixes: frozenset[str]
    box_prefixes: frozenset[str]
    whole_name_placeholders: frozenset[str]
    name_placeholders: frozenset[str]
    name_placeholder_tokens: frozenset[str]
    name_placeholder_starts: tuple[str, ...]
    date_placeholders: frozenset[date]
    date_placeholder_texts: frozenset[str]
    address_placeholders: frozenset[str]
    postcode_placeholders: frozenset[str]
    postcode_areas: frozenset[str]
    street_words: Mapping[str, str]
    street_types: frozenset[str]
    institutions: tuple[tuple[str, str, str], ...]
    institution_words: frozenset[str]
    towns: Mapping[str, str]
    counties: frozenset[str]


def load_reference(conf_dir: Path) -> Reference:
    """Load every table under ``conf/reference``.

    Raises:
        SettingsError: when a table is missing or ill-formed; file and line are named.
    """
    titles = read_table(conf_dir, "titles_ranks", ("token", "kind", "strength"))
    placeholders = read_table(conf_dir, "placeholders", ("field", "match", "text"))
    streets = read_table(conf_dir, "street_types", ("street_type", "abbreviations"))
    institutions = read_table(conf_dir, "institutions", ("text", "place", "kind"))
    prefixes = read_table(conf_dir, "surname_prefixes", ("token", "in_box"))
    places = read_table(conf_dir, "places", ("kind", "text", "standard"))

    def listed(field: str, match: str) -> list[str]:
        return [text for named, how, text in placeholders if (named, how) == (field, match)]

    street_words = {word: full for full, short in streets for word in (full, *short.split())}
    ranked = sorted(dict.fromkeys((text, place, kind) for text, place, kind in institutions), key=lambda r: -len(r[0]))
    return Reference(
        names=load_name_reference(conf_dir),
        titles={token: (kind, strength) for token, kind, strength in titles},
        surname_prefixes=_first_cells(prefixes),
        box_prefixes=frozenset(token for token, in_box in prefixes if in_box == "yes"),
        whole_name_placeholders=frozenset([*listed("name", "whole"), *listed("name", "exact")]),
        name_placeholders=frozenset(listed("name", "exact")),
        name_placeholder_tokens=frozenset(listed("name", "token")),
        name_placeholder_starts=tuple(listed("name", "prefix")),
        date_placeholders=frozenset(_read_day(text) for text in listed("date", "exact")),
        date_placeholder_texts=frozenset(listed("date_text", "exact")),
        address_placeholders=frozenset(listed("address", "exact")),
        postcode_placeholders=frozenset(listed("postcode", "exact")),
        postcode_areas=_first_cells(read_table(conf_dir, "postcode_areas", ("area",))),
        street_words=street_words,
        street_types=frozenset(full for full, _ in streets),
        institutions=tuple(ranked),
        institution_words=frozenset(text.split()[0] for text, _, _ in ranked),
        towns={text: standard for kind, text, standard in places if kind == "town"},
        counties=frozenset(text for kind, text, _ in places if kind == "county"),
    )


def _first_cells(rows: Iterable[tuple[str, ...]]) -> frozenset[str]:
    """A table of one column as a set."""
    return frozenset(row[0] for row in rows)


def _read_day(text: str) -> date:
    """An ISO date of the placeholders table."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise SettingsError("conf/reference/placeholders.csv: a row of field date is not yyyy-mm-dd.") from None
