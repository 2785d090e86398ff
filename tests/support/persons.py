"""Builders of PERSON rows with defaults, for every test that needs persons. All people here are made up."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING, Any

import jellyfish

from linkage_spark.kit.frames import local_frame
from linkage_spark.tables.canonical import PERSON

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_PREFIXES = ("muhammad", "mohammed", "md", "mohd")
_LONGEST_SOUND = 6

_DEFAULTS: dict[str, Any] = {
    **dict.fromkeys(PERSON.names),
    "source_system": "crime",
    "variant_no": 0,
    "variant_kind": "recorded",
    "title_tokens": [],
    "on_duty_sign": False,
    "source_version": 0,
}


def person(
    ref: str,
    given: str = "adam",
    surname: str = "example",
    born: str | None = "1984-03-12",
    home: str | None = "14|high street|birmingham|B23 6AB",
    **others: Any,
) -> dict[str, Any]:
    """One PERSON row in standard form.

    Args:
        ref: person_ref.
        given: given-name tokens, joined by a space; '' for none.
        surname: surname tokens, joined by a space; '' for none.
        born: ISO date, 'YYYY' or 'YYYY-MM' for a partial one, None for none.
        home: 'flat/number|street|town|postcode' (flat and any part may be empty), None for no address.
        others: PERSON columns that override what follows from the above; an unknown one is an error.
    """
    row = {**_DEFAULTS, "person_ref": ref, **_name(given, surname), **_birth(born), **_address(home)}
    unknown = [name for name in others if name not in _DEFAULTS]
    if unknown:
        raise KeyError(f"not a PERSON column: {unknown}")
    return {**row, **others}


def employee(ref: str, *args: Any, **others: Any) -> dict[str, Any]:
    """One PERSON row of the roster."""
    return person(ref, *args, **{"source_system": "hr", **others})


def persons(spark: SparkSession, rows: Iterable[dict[str, Any]]) -> DataFrame:
    """A PERSON frame of these rows."""
    values = [tuple(row[name] for name in PERSON.names) for row in rows]
    return local_frame(spark, values, schema=PERSON.schema)


def _name(given: str, surname: str) -> dict[str, Any]:
    givens, surnames = given.split(), surname.split()
    called = [token for token in givens if token not in _PREFIXES] or givens
    first = called[0] if called else None
    last = surnames[-1] if surnames else None
    issue = None if givens and surnames else "single_token" if givens or surnames else "missing"
    return {
        "name_raw": " ".join([*givens, *surnames]).upper() or None,
        "given_tokens": givens,
        "surname_tokens": surnames,
        "given_name": given or None,
        "surname": surname or None,
        "given_first": first,
        "surname_last": last,
        "given_sound": _sound(first),
        "surname_sound": _sound(last),
        "name_issue": issue,
    }


def _sound(token: str | None) -> str | None:
    return (jellyfish.metaphone(token)[:_LONGEST_SOUND] or None) if token else None


def _birth(born: str | None) -> dict[str, Any]:
    parts = [int(part) for part in born.split("-")] if born else []
    year, month, day = [*parts, None, None, None][:3]
    full = date(year, month, day) if year and month and day else None
    if full is not None:
        issue = "first_of_january" if (month, day) == (1, 1) else None
    else:
        issue = "partial" if parts else "missing"
    return {
        "date_of_birth_raw": born,
        "date_of_birth": full,
        "dob_year": year,
        "dob_month": month,
        "dob_day": day,
        "dob_issue": issue,
    }


def _address(home: str | None) -> dict[str, Any]:
    if home is None:
        return {"address_kind": "unknown", "address_issue": "missing"}
    number, street, town, postcode = (part or None for part in home.split("|"))
    flat, _, house = (number or "").rpartition("/")
    saon, paon = flat or None, house or None
    district = postcode.split()[0] if postcode else None
    return {
        "address_raw": ", ".join(part for part in (number, street, town) if part) or None,
        "postcode_raw": postcode,
        "saon": saon,
        "paon": paon,
        "street": street,
        "town": town,
        "postcode": postcode,
        "postcode_sector": f"{district} {postcode.split()[1][0]}" if postcode else None,
        "postcode_district": district,
        "premises_key": f"{postcode}|{paon}|{saon or ''}" if postcode and paon else None,
        "address_kind": "dwelling",
        "address_issue": None if postcode else "no_postcode",
    }


_GIVENS = ("adam", "adams", "mohammed ali", "sara", "sarah jane", "jane", "kwame", "bill", "william", "")
_SURNAMES = ("khan", "cann", "smith", "smyth", "smith jones", "adam", "begum", "")
_BIRTHS = (
    "1984-03-12",
    "1984-12-03",
    "1984-01-01",
    "1948-03-12",
    "1984",
    "1984-03",
    "1999-11-30",
    "2001-11-30",
    None,
)
_HOMES = (
    "14|high street|birmingham|B23 6AB",
    "2/14|high street|birmingham|B23 6AB",
    "14|high street|birmingham|",
    "9|mill lane|walsall|WS1 1AA",
    "|mill lane|walsall|WS1 1AA",
    None,
)


def crowd(seed: int, size: int, *, roster: bool = False) -> list[dict[str, Any]]:
    """``size`` made-up PERSON rows from a few values, so that many collide; the same rows for the same seed.

    Some history rows have a second variant, an on-duty sign, or take no part in the comparison.
    """
    draw = random.Random(seed)
    rows = []
    for number in range(size):
        ref = f"{'e' if roster else 'p'}{number:05d}"
        for variant in range(1 if roster or draw.random() < 0.9 else 2):
            born = draw.choice(_BIRTHS[:4]) if roster else draw.choice(_BIRTHS)
            row = person(
                ref,
                draw.choice(_GIVENS),
                draw.choice(_SURNAMES),
                born,
                draw.choice(_HOMES),
                variant_no=variant,
                variant_kind="alias" if variant else "recorded",
                source_system="hr" if roster else draw.choice(("crime", "custody", "intel", "incident")),
                on_duty_sign=not roster and draw.random() < 0.1,
                not_screened_reason="name_alone" if draw.random() < 0.03 else None,
            )
            rows.append(row)
    return rows
