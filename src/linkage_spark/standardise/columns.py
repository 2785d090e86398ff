"""Does a feed fit its mapping? Everything that can be said before a long run, all faults at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import (
    BooleanType,
    DataType,
    DateType,
    DecimalType,
    IntegralType,
    StringType,
    TimestampNTZType,
    TimestampType,
)

from linkage_spark.errors import SettingsError, SourceError
from linkage_spark.settings.sources import (
    DATE_INPUTS,
    KEYS,
    NUMBER_INPUTS,
    TIME_INPUTS,
    FeedMapping,
    Produces,
    SourceMapping,
    feeds_of,
)
from linkage_spark.standardise import inputs as C
from linkage_spark.standardise.identifiers import count_numbers
from linkage_spark.tables.enums import AddressKind, EmploymentType, EventType, Role, SourceSystem, VariantKind

_VOCABULARIES: Mapping[str, type] = {
    "variant_kinds": VariantKind,
    "employment_types": EmploymentType,
    "address_kinds": AddressKind,
}
_CONSTANTS: Mapping[str, type] = {
    "event_type": EventType,
    "variant_kind": VariantKind,
    "employment_type": EmploymentType,
}
_NAMES: Mapping[str, tuple[str, ...]] = {"person": ("surname", "name"), "assignment": ("employment_type",)}


def check_words(sources: Iterable[SourceMapping]) -> None:
    """Refuse mappings whose values are no words of this tool.

    Raises:
        SettingsError: with every such word, the file and the key.
    """
    faults = []
    for source in sources:
        file = f"conf/sources/{source.source_system}.toml"
        if source.source_system not in list(SourceSystem):
            faults.append(f"{file}: '{source.source_system}' is no source; it may be one of {_listed(SourceSystem)}")
        faults += [
            f"{file}: key 'roles.{raw}': '{to}' is no role; it may be one of {_listed(Role)}"
            for raw, to in source.roles.items()
            if to not in list(Role)
        ]
        for feed in source.feeds.values():
            for block in feed.produces:
                faults += _block_words(f"{file}: feed {feed.name}", block)
    if faults:
        raise SettingsError("\n".join(faults))


def check_columns(feeds: Mapping[str, DataFrame], sources: tuple[SourceMapping, ...]) -> None:
    """Refuse feeds that do not fit their mappings; looks at columns and types only, reads no row.

    Raises:
        SettingsError: when a mapping holds a word that this tool does not know.
        SourceError: with all faults: a missing feed, a missing or wrongly typed column, a column of the
            roster that is not on the allow-list. Each names feed, column and remedy.
    """
    check_words(sources)
    faults = [fault for feed in feeds_of(sources) for fault in column_faults(feed, feeds.get(feed.key))]
    if faults:
        raise SourceError(faults)


def column_faults(feed: FeedMapping, frame: DataFrame | None) -> list[str]:
    """What is wrong with one feed's columns, in sentences; empty when nothing is."""
    file = f"conf/sources/{feed.source_system}.toml"
    if frame is None:
        return [f"{feed.key}: the feed is not there; supply it, or set required = false in {file}"] * feed.required
    there = set(frame.columns)
    strangers = sorted(there - set(feed.known_columns))
    missing = [name for name in feed.needed_columns if name not in there]
    faults = [_missing(feed, name, strangers, file) for name in missing]
    for block in feed.produces:
        for name, columns in block.columns.items():
            for column in columns:
                if column in there:
                    faults += _type_fault(feed, block, name, column, C.type_of(frame, column), file)
                    if name == "verified":
                        faults += _words_fault(feed, block, column, C.type_of(frame, column), file)
    if feed.allow_list:
        faults += [
            f"{feed.key}: column {name} is not on the allow-list; take it out of the extract, or map it in {file} "
            "once the force has decided to use it"
            for name in strangers
        ]
    return list(dict.fromkeys(faults))


def count_filled(feeds: Mapping[str, DataFrame], sources: tuple[SourceMapping, ...]) -> DataFrame:
    """Lazy counts per feed: feed, rows, filled (column that must be filled -> rows with a value), numbers.

    ``numbers`` are the PNC and CRO numbers that the rows state. One aggregate per feed over the few columns that matter;
    for ``choose_fill_faults``.
    """
    counts = []
    for feed in feeds_of(sources):
        frame = feeds.get(feed.key)
        if frame is None:
            continue
        pairs: list[Column] = []
        for name in must_be_filled(feed):
            if name in frame.columns:
                pairs += [F.lit(name), F.count(C.text(name))]
        filled = F.create_map(*pairs) if pairs else F.create_map(F.lit(""), F.lit(0).cast("long"))
        counts.append(
            frame.agg(
                F.count(F.lit(1)).alias("rows"), filled.alias("filled"), count_numbers(frame, feed).alias("numbers")
            ).select(F.lit(feed.key).alias("feed"), "rows", "filled", "numbers")
        )
    return reduce(DataFrame.unionByName, counts)


def count_rows(feeds: Mapping[str, DataFrame], sources: tuple[SourceMapping, ...]) -> DataFrame:
    """Lazy counts per feed without a look at what is filled: ``feed``, ``rows``, ``numbers`` as in ``count_filled``; ``filled`` is empty.

    Where no numbers are mapped, Delta and Parquet answer from what they keep of their files.
    """
    counts = [
        feeds[feed.key]
        .agg(F.count(F.lit(1)).alias("rows"), count_numbers(feeds[feed.key], feed).alias("numbers"))
        .select(
            F.lit(feed.key).alias("feed"),
            "rows",
            F.create_map(F.lit(""), F.lit(0).cast("long")).alias("filled"),
            "numbers",
        )
        for feed in feeds_of(sources)
        if feed.key in feeds
    ]
    return reduce(DataFrame.unionByName, counts)


def choose_fill_faults(counts: Iterable[Any], sources: tuple[SourceMapping, ...]) -> list[str]:
    """Sentences on feeds without rows and on columns that are empty in every row.

    Args:
        counts: the collected rows of ``count_filled`` and ``count_rows``.
        sources: the mappings.
    """
    mappings = {feed.key: feed for feed in feeds_of(sources)}
    faults = []
    for row in counts:
        feed = mappings[row["feed"]]
        file = f"conf/sources/{feed.source_system}.toml"
        if row["rows"] == 0:
            if feed.required:
                faults.append(f"{feed.key}: the feed has no rows; supply it again, or set required = false in {file}")
            continue
        faults += [
            f"{feed.key}: column {name} is empty in all {row['rows']:,} rows; "
            f"supply the feed again with it filled, or correct the mapping in {file}"
            for name, filled in row["filled"].items()
            if name and filled == 0
        ]
    return faults


def must_be_filled(feed: FeedMapping) -> tuple[str, ...]:
    """The columns that may not be empty in every row: keys, names of records, and what the mapping adds."""
    names: dict[str, None] = {}
    for block in feed.produces:
        inputs = [*KEYS[block.table]]
        if not block.is_variant:
            inputs += _NAMES.get(block.table, ())
        names |= dict.fromkeys(column for name in inputs for column in block.columns.get(name, ()))
        names |= dict.fromkeys(block.filled)
    return tuple(names)


def _listed(words: type) -> str:
    """The values of an enum."""
    return ", ".join(sorted(str(word) for word in words))  # type: ignore[attr-defined]


def _block_words(place: str, block: Produces) -> list[str]:
    """Words of one block that are no words of this tool."""
    faults = []
    for key, words in _VOCABULARIES.items():
        for raw, to in getattr(block, key).items():
            if to not in list(words):  # type: ignore[call-overload]
                faults.append(f"{place}: key '{key}.{raw}': '{to}' may be one of {_listed(words)}")
    for key, words in _CONSTANTS.items():
        if key in block.constants and block.constants[key] not in list(words):  # type: ignore[call-overload]
            faults.append(f"{place}: constant '{key}': '{block.constants[key]}' may be one of {_listed(words)}")
    return faults


def _missing(feed: FeedMapping, name: str, strangers: list[str], file: str) -> str:
    """A missing column, with the feed's unmapped columns beside it, since it may have been renamed."""
    inputs = sorted(
        {f"{key} of {block.table}" for block in feed.produces for key, names in block.columns.items() if name in names}
    )
    hint = f"; columns there that no mapping reads: {', '.join(strangers[:8])}" if strangers else ""
    used = f" (it becomes {', '.join(inputs)})" if inputs else ""
    return f"{feed.key}: column {name} is missing{used}; supply it, or correct its name in {file}{hint}"


def _type_fault(feed: FeedMapping, block: Produces, name: str, column: str, kind: DataType, file: str) -> list[str]:
    """A column whose type cannot serve its input."""
    needed = _needed_type(name, kind, block)
    if needed is None:
        return []
    has = f"{feed.key}: column {column} has type {kind.simpleString()}"
    return [f"{has}, but {name} of {block.table} needs {needed}; convert it in the feed, or correct {file}"]


def _words_fault(feed: FeedMapping, block: Produces, column: str, kind: DataType, file: str) -> list[str]:
    """A column whose values nothing turns into verified, so that every number of the feed would count for nothing."""
    has = f"{feed.key}: column {column} has type {kind.simpleString()}"
    if not isinstance(kind, BooleanType):
        remedy = f'give its block in {file} words, as in verified = {{ "Y" = true, "N" = false }}'
        return [] if block.verified else [f"{has}, and nothing says which of its values mean verified; {remedy}"]
    if not block.verified or "TRUE" in block.verified:
        return []
    remedy = f'take the words of verified out of its block in {file}, or add "TRUE" to them'
    return [f"{has}, but the words of verified do not say what TRUE means; {remedy}"]


def _needed_type(name: str, kind: DataType, block: Produces) -> str | None:
    """What an input needs, when this type is not it; None when it is."""
    is_text = isinstance(kind, StringType)
    is_moment = isinstance(kind, DateType | TimestampType | TimestampNTZType)
    if name in TIME_INPUTS:
        fits = is_moment or (is_text and bool(block.time_formats))
        return None if fits else "a timestamp, or text with time_formats"
    if name == "version":
        fits = is_moment or isinstance(kind, IntegralType) or (is_text and bool(block.time_formats))
        return None if fits else "a timestamp, a whole number, or text with time_formats"
    if name in DATE_INPUTS:
        return None if is_text or is_moment else "a date or text"
    if name in NUMBER_INPUTS:
        return None if is_text or isinstance(kind, IntegralType) else "a whole number"
    fits = is_text or isinstance(kind, IntegralType | DecimalType)
    if name in ("disclosed", "verified"):
        fits = fits or isinstance(kind, BooleanType)
    return None if fits else "text or a whole number"
