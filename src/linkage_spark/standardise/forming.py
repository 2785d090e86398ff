"""The Arrow-batched functions: one Python pass per row for all string work of PERSON and of LOCATION."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import StructType

from linkage_spark.reference.standard import Reference
from linkage_spark.standardise.addresses import AddressForm, read_address
from linkage_spark.standardise.dates import DateForm, read_date
from linkage_spark.standardise.names import NameForm, choose_call_name, read_name, sound_of
from linkage_spark.tables.enums import AddressKind, NotScreenedReason

_MEMO = 100_000
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


@dataclass(frozen=True)
class _Readers:
    """The reading functions with a memo each; one per task."""

    name: Callable[..., NameForm]
    born: Callable[..., DateForm]
    address: Callable[..., AddressForm]


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
        readers = _make_readers(reference, as_of)
        for batch in stream:
            columns = batch.to_pydict()
            formed = _form_person_batch(columns, batch.num_rows, readings, reference, readers)
            yield _to_batch({**columns, **formed}, target)

    return rows.mapInArrow(func=batches, schema=schema)


def form_locations(rows: DataFrame, schema: StructType, *, reference: Reference) -> DataFrame:
    """Location inputs -> LOCATION: the address columns out of ADDRESS_INPUTS and stated_kind."""
    target = to_arrow_schema(schema)

    def batches(stream: Iterable[pa.RecordBatch]) -> Iterable[pa.RecordBatch]:
        readers = _make_readers(reference, None)
        for batch in stream:
            columns = batch.to_pydict()
            inputs = zip(*[columns[name] for name in (*ADDRESS_INPUTS, "stated_kind")], strict=True)
            addresses = [readers.address(*row) for row in inputs]
            yield _to_batch({**columns, **_address_columns(addresses)}, target)

    return rows.mapInArrow(func=batches, schema=schema)


def _make_readers(reference: Reference, as_of: date | None) -> _Readers:
    """Memoised readers: names, dates and addresses repeat within a task."""

    @lru_cache(maxsize=_MEMO)
    def name(title: str | None, given: str | None, surname: str | None, box: str | None, first: bool) -> NameForm:
        return read_name(title=title, given=given, surname=surname, box=box, surname_first=first, reference=reference)

    @lru_cache(maxsize=_MEMO)
    def born(text: str | None, formats: tuple[str, ...]) -> DateForm:
        return read_date(text, formats=formats, reference=reference, latest=as_of)

    @lru_cache(maxsize=_MEMO)
    def address(
        flat: str | None,
        house: str | None,
        street: str | None,
        locality: str | None,
        town: str | None,
        box: str | None,
        postcode: str | None,
        uprn: str | None,
        stated_kind: str | None,
    ) -> AddressForm:
        return read_address(
            flat=flat,
            house=house,
            street=street,
            locality=locality,
            town=town,
            box=box,
            postcode=postcode,
            uprn=uprn,
            reference=reference,
            stated_kind=stated_kind,
        )

    return _Readers(name=name, born=born, address=address)


def _form_person_batch(
    columns: Mapping[str, list[Any]],
    rows: int,
    readings: Mapping[str, Reading],
    reference: Reference,
    readers: _Readers,
) -> dict[str, list[Any]]:
    """The standard columns of one batch."""
    how = [readings[key] for key in columns["reading"]]
    texts = zip(columns["title"], columns["given"], columns["surname_in"], columns["name"], strict=True)
    names = [readers.name(*row, way.surname_first) for row, way in zip(texts, how, strict=True)]
    dates = [readers.born(text, way.date_formats) for text, way in zip(columns["born"], how, strict=True)]
    parts = zip(*[columns[name] for name in ADDRESS_INPUTS], [None] * rows, strict=True)
    addresses = [readers.address(*row) for row in parts]
    firsts = [choose_call_name(name.given, reference.names) for name in names]
    lasts = [name.surname[-1] if name.surname else None for name in names]
    canonical = reference.names.canonical
    return {
        "given_tokens": [list(name.given) for name in names],
        "surname_tokens": [list(name.surname) for name in names],
        "given_name": [" ".join(name.given) or None for name in names],
        "surname": [" ".join(name.surname) or None for name in names],
        "given_first": firsts,
        "surname_last": lasts,
        "given_sound": [sound_of(canonical(token)) if token else None for token in firsts],
        "surname_sound": [sound_of(canonical(token)) if token else None for token in lasts],
        "title_tokens": [list(name.titles) for name in names],
        "name_issue": [name.issue for name in names],
        "date_of_birth": [born.full for born in dates],
        "dob_year": [born.year for born in dates],
        "dob_month": [born.month for born in dates],
        "dob_day": [born.day for born in dates],
        "dob_issue": [born.issue for born in dates],
        **_address_columns(addresses),
        "on_duty_sign": [
            not way.roster and (name.on_duty or address.address_kind == AddressKind.POLICE_STATION)
            for name, address, way in zip(names, addresses, how, strict=True)
        ],
        "not_screened_reason": [
            _not_screened(name, born, address, way)
            for name, born, address, way in zip(names, dates, addresses, how, strict=True)
        ],
    }


def _not_screened(name: NameForm, born: DateForm, address: AddressForm, way: Reading) -> str | None:
    """Why a person takes no part in the comparison; None when he or she does.

    Nobody without a usable name token takes part, no employee without a year of birth, and no police
    person of whom a part of the name is all that is known.
    """
    if not name.given and not name.surname:
        return NotScreenedReason.UNUSABLE_NAME
    if born.year is not None:
        return None
    if way.roster:
        return NotScreenedReason.NO_DATE_OF_BIRTH
    whole = name.given and name.surname and any(len(token) > 1 for token in name.given)
    placed = address.premises_key or address.postcode or address.uprn
    return None if whole or placed else NotScreenedReason.NAME_ALONE


def _address_columns(addresses: list[AddressForm]) -> dict[str, list[Any]]:
    """Address forms as columns."""
    fields = AddressForm.__dataclass_fields__
    return {name: [getattr(address, name) for address in addresses] for name in fields}


def _to_batch(columns: Mapping[str, list[Any]], target: pa.Schema) -> pa.RecordBatch:
    """The named columns in the target's order and types."""
    arrays = [pa.array([*columns[field.name]], type=field.type) for field in target]
    return pa.RecordBatch.from_arrays(arrays=arrays, schema=target)
