"""The Arrow-batched functions: one Python pass per row for all string work of PERSON and of LOCATION."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import StructType

from linkage_spark.reference.standard import Reference
from linkage_spark.standardise.addresses import AddressForm, AddressReader
from linkage_spark.standardise.dates import DateForm, read_date
from linkage_spark.standardise.names import NameForm, NameReader, choose_call_name, sound_of
from linkage_spark.tables.enums import AddressKind, NotScreenedReason

_MEMO = 100_000
_DATE_COLUMNS = ("date_of_birth", "dob_year", "dob_month", "dob_day", "dob_issue", "dob_changes_on")
ADDRESS_INPUTS = ("flat", "house", "street_in", "locality_in", "town_in", "box", "postcode_in", "uprn_in")
"""Inputs of an address, named apart from the columns they become."""


@dataclass(frozen=True)
class Reading:
    """How one mapping block's texts are to be read.

    Attributes:
        date_formats: tried in order.
        surname_first: order of a single name box.
        roster: True for HR, whose rows carry no sign of duty.
    """

    date_formats: tuple[str, ...]
    surname_first: bool
    roster: bool


class _NameColumns(NamedTuple):
    """The columns that follow from a name, in this order."""

    given_tokens: tuple[str, ...]
    surname_tokens: tuple[str, ...]
    given_name: str | None
    surname: str | None
    given_first: str | None
    surname_last: str | None
    given_sound: str | None
    surname_sound: str | None
    title_tokens: tuple[str, ...]
    name_issue: str | None
    on_duty: bool


@dataclass(frozen=True)
class _Readers:
    """The reading functions with a memo each, and what they were made with."""

    reference: Reference
    as_of: date | None
    name: Callable[..., _NameColumns]
    born: Callable[[str | None, tuple[str, ...]], DateForm]
    address: Callable[..., AddressForm]


_READERS: list[_Readers] = []
"""The readers of this process: what one task has learnt serves the next one of the same reference."""


def form_persons(
    rows: DataFrame,
    schema: StructType,
    *,
    readings: Mapping[str, Reading],
    reference: Reference,
    as_of: date | None,
) -> DataFrame:
    """Person inputs -> the columns of ``schema``: PERSON, and any input column that it names as well.

    Args:
        rows: reading, source_system, person_ref, variant_no, variant_kind, source_version, the raw
            texts, and the inputs title, given, surname_in, name, born, and of ADDRESS_INPUTS.
        schema: what to give.
        readings: by the value of column ``reading``.
        reference: names, placeholders, streets, postcodes.
        as_of: latest date of birth that is accepted; None for no upper limit.
    """
    target = to_arrow_schema(schema)

    def batches(stream: Iterable[pa.RecordBatch]) -> Iterable[pa.RecordBatch]:
        readers = _readers_for(reference, as_of)
        for batch in stream:
            with _no_collector():
                formed = _to_batch(batch, _form_person_batch(batch, readings, readers), target)
            yield formed

    return rows.mapInArrow(func=batches, schema=schema)


def form_locations(rows: DataFrame, schema: StructType, *, reference: Reference) -> DataFrame:
    """Location inputs -> LOCATION: the address columns out of ADDRESS_INPUTS and stated_kind."""
    target = to_arrow_schema(schema)

    def batches(stream: Iterable[pa.RecordBatch]) -> Iterable[pa.RecordBatch]:
        readers = _readers_for(reference, None)
        for batch in stream:
            with _no_collector():
                inputs = zip(*_texts(batch, *ADDRESS_INPUTS, "stated_kind"), strict=True)
                addresses = [readers.address(*row) for row in inputs]
                formed = _to_batch(batch, _columns_of(AddressForm._fields, addresses), target)
            yield formed

    return rows.mapInArrow(func=batches, schema=schema)


@contextmanager
def _no_collector() -> Iterator[None]:
    """Python's cycle collector paused for one batch.

    A batch makes a hundred thousand tuples and no cycle; the collector would walk them, and all that the memos
    hold, again and again: a third of the time.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _readers_for(reference: Reference, as_of: date | None) -> _Readers:
    """Readers with their memos. They are pure, so that a memo kept between tasks changes no result."""
    for readers in _READERS:
        if readers.as_of == as_of and readers.reference == reference:
            return readers
    readers = _make_readers(reference, as_of)
    _READERS[:] = [readers, *_READERS[:1]]
    return readers


def _make_readers(reference: Reference, as_of: date | None) -> _Readers:
    """Memoised readers: whole names, dates and addresses repeat, and their parts much more."""
    names, addresses = NameReader(reference), AddressReader(reference)

    @lru_cache(maxsize=_MEMO)
    def name(
        title: str | None, given: str | None, surname: str | None, box: str | None, surname_first: bool
    ) -> _NameColumns:
        return _name_columns(names.read(title, given, surname, box, surname_first), reference)

    @lru_cache(maxsize=_MEMO)
    def born(text: str | None, formats: tuple[str, ...]) -> DateForm:
        return read_date(text, formats=formats, reference=reference, latest=as_of)

    address = lru_cache(maxsize=_MEMO)(addresses.read)
    return _Readers(reference=reference, as_of=as_of, name=name, born=born, address=address)


def _name_columns(name: NameForm, reference: Reference) -> _NameColumns:
    """A name's columns: its tokens, the two that are compared by sound, and their sounds."""
    first = choose_call_name(name.given, reference.names)
    last = name.surname[-1] if name.surname else None
    canonical = reference.names.canonical
    return _NameColumns(
        given_tokens=name.given,
        surname_tokens=name.surname,
        given_name=" ".join(name.given) or None,
        surname=" ".join(name.surname) or None,
        given_first=first,
        surname_last=last,
        given_sound=sound_of(canonical(first)) if first else None,
        surname_sound=sound_of(canonical(last)) if last else None,
        title_tokens=name.titles,
        name_issue=name.issue,
        on_duty=name.on_duty,
    )


def _form_person_batch(
    batch: pa.RecordBatch, readings: Mapping[str, Reading], readers: _Readers
) -> dict[str, Sequence[Any]]:
    """The standard columns of one batch."""
    how = [readings[key] for key in _texts(batch, "reading")[0]]
    texts = zip(*_texts(batch, "title", "given", "surname_in", "name"), how, strict=True)
    names = [readers.name(*row, way.surname_first) for *row, way in texts]
    dates = [readers.born(text, way.date_formats) for text, way in zip(*_texts(batch, "born"), how, strict=True)]
    parts = zip(*_texts(batch, *ADDRESS_INPUTS), strict=True)
    addresses = [readers.address(*row, None) for row in parts]
    return {
        **_columns_of(_NameColumns._fields, names),
        **dict(zip(_DATE_COLUMNS, _columns_of(DateForm._fields, dates).values(), strict=True)),
        **_columns_of(AddressForm._fields, addresses),
        "on_duty_sign": [
            not way.roster and (name.on_duty or address.address_kind == AddressKind.POLICE_STATION)
            for name, address, way in zip(names, addresses, how, strict=True)
        ],
        "not_screened_reason": [
            _not_screened(name, born, address, way)
            for name, born, address, way in zip(names, dates, addresses, how, strict=True)
        ],
    }


def _not_screened(name: _NameColumns, born: DateForm, address: AddressForm, way: Reading) -> str | None:
    """Why a person takes no part in the comparison; None when he or she does.

    Nobody without a usable name token takes part, no employee without a year of birth, and no police
    person of whom a part of the name is all that is known.
    """
    if not name.given_tokens and not name.surname_tokens:
        return NotScreenedReason.UNUSABLE_NAME
    if born.year is not None:
        return None
    if way.roster:
        return NotScreenedReason.NO_DATE_OF_BIRTH
    whole = name.given_tokens and name.surname_tokens and any(len(token) > 1 for token in name.given_tokens)
    placed = address.premises_key or address.postcode or address.uprn
    return None if whole or placed else NotScreenedReason.NAME_ALONE


def _texts(batch: pa.RecordBatch, *names: str) -> list[list[Any]]:
    """Columns of a batch as Python lists."""
    return [batch.column(name).to_pylist() for name in names]


def _columns_of(fields: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> dict[str, Sequence[Any]]:
    """Rows of one kind of form as columns."""
    return dict(zip(fields, zip(*rows, strict=True) if rows else [()] * len(fields), strict=True))


def _to_batch(batch: pa.RecordBatch, formed: Mapping[str, Sequence[Any]], target: pa.Schema) -> pa.RecordBatch:
    """The target's columns: those that were formed, else as they came."""
    arrays = [
        pa.array(formed[field.name], type=field.type) if field.name in formed else _as(batch.column(field.name), field)
        for field in target
    ]
    return pa.RecordBatch.from_arrays(arrays=arrays, schema=target)


def _as(column: pa.Array, field: pa.Field) -> pa.Array:
    """A column that passes through, in the target's type."""
    return column if column.type == field.type else column.cast(field.type)
