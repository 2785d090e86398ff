"""The shipped reference and model, and person records for the tests of comparison and scoring."""

from __future__ import annotations

import csv
import functools
from collections.abc import Iterator
from pathlib import Path

from linkage_spark.linkage.comparison.tokens import NameComparer
from linkage_spark.model.schema import Model, load_model
from linkage_spark.reference.names import NameReference, load_name_reference
from linkage_spark.tables.enums import DobIssue

ROOT = Path(__file__).resolve().parents[4]
CASES = Path(__file__).resolve().parent / "cases"


@functools.cache
def reference() -> NameReference:
    return load_name_reference(ROOT / "conf")


@functools.cache
def comparer() -> NameComparer:
    return NameComparer(reference())


@functools.cache
def model() -> Model:
    return load_model(ROOT / "conf", "screening_v1")


def cases(name: str) -> Iterator[tuple[str, str, str, str]]:
    """Rows of a vector file: class, left, right, expected; lines that start with # are comments."""
    with (CASES / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        lines = [line for line in file if not line.startswith("#")]
    for row in csv.DictReader(lines):
        yield row["class"], row["left"], row["right"], row["expected"]


def person(
    given: str | None = "john",
    surname: str | None = "smith",
    born: str = "1980-03-14",
    address: str = "|12|high street|birmingham|B23 6AA||",
    **more: object,
) -> dict[str, object]:
    """A PERSON row from short forms; born and address as in the vector files."""
    return {**name_columns(given, surname), **date_columns(born), **address_columns(address), **more}


def name_columns(given: str | None, surname: str | None) -> dict[str, object]:
    return {
        "given_name": given or None,
        "surname": surname or None,
        "given_first": (given or "").split()[0] if (given or "").split() else None,
        "surname_last": (surname or "").split()[-1] if (surname or "").split() else None,
    }


def date_columns(born: str) -> dict[str, object]:
    if born.startswith("~"):
        return {"dob_year": int(born[1:]), "dob_month": None, "dob_day": None, "dob_issue": DobIssue.STATED_AGE.value}
    parts = [int(part) or None for part in born.split("-")] if born else [None, None, None]
    return dict(zip(("dob_year", "dob_month", "dob_day"), parts, strict=True))


def address_columns(text: str) -> dict[str, object]:
    saon, paon, street, town, postcode, uprn, kind = (part or None for part in text.split("|"))
    outward, _, inward = (postcode or "").partition(" ")
    dwelling = kind in (None, "dwelling")
    return {
        "saon": saon,
        "paon": paon,
        "street": street,
        "town": town,
        "postcode": postcode,
        "postcode_sector": f"{outward} {inward[:1]}" if postcode else None,
        "postcode_district": outward if postcode else None,
        "uprn": uprn,
        "premises_key": f"{postcode}|{paon}|{saon or ''}" if dwelling and postcode and paon else None,
        "address_kind": kind or "dwelling",
    }
