"""Whole persons as recorded, through standardising, comparing, scoring and the tier policy; cases/persons.csv."""

from __future__ import annotations

import csv
import functools
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

import pytest

from linkage_spark.linkage.decision import judge
from linkage_spark.linkage.score_stage import score_pair
from linkage_spark.model.frequencies import Frequencies
from linkage_spark.reference.standard import Reference, load_reference
from linkage_spark.standardise.addresses import read_address
from linkage_spark.standardise.dates import read_date
from linkage_spark.standardise.names import choose_call_name, read_name
from linkage_spark.tables.enums import AddressKind
from tests.unit.linkage.comparison.knowledge import CASES, ROOT, model

FORMATS = ("yyyy-MM-dd", "dd/MM/yyyy", "dd-MMM-yyyy")
LEAST_ROWS = 300
SHOWN = ("level_name", "level_date_of_birth", "level_address")


class Recorded(NamedTuple):
    """One person as recorded: given|surname or one box, date, lines parted by semicolons, postcode."""

    name: str
    born: str
    address: str
    postcode: str


class Case(NamedTuple):
    """One row of the file."""

    label: str
    left: Recorded
    right: Recorded
    levels: tuple[str, str, str]
    tier: str


@functools.cache
def reference() -> Reference:
    return load_reference(ROOT / "conf")


def cases() -> Iterator[Case]:
    with (CASES / "persons.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    for row in rows:
        left = Recorded(*(row[f"{field}_l"] for field in Recorded._fields))
        own = Recorded(*(row[f"{field}_r"] for field in Recorded._fields))
        right = Recorded(*(one if other == "=" else other for one, other in zip(left, own, strict=True)))
        yield Case(row["class"], left, right, (row["name"], row["date_of_birth"], row["address"]), row["tier"])


@functools.cache
def standard(recorded: Recorded) -> dict[str, object]:
    """The columns of PERSON that a comparison reads, by the functions that the jobs use."""
    parted = "|" in recorded.name
    given, _, surname = recorded.name.partition("|")
    name = read_name(
        title=None,
        given=given if parted else None,
        surname=surname if parted else None,
        box=None if parted else recorded.name,
        surname_first=False,
        reference=reference(),
    )
    born = read_date(recorded.born, formats=FORMATS, reference=reference(), latest=date(2026, 1, 1))
    nothing = dict.fromkeys(("flat", "house", "street", "locality", "town", "uprn"))
    address = read_address(**nothing, box=recorded.address, postcode=recorded.postcode, reference=reference())
    return {
        "given_name": " ".join(name.given) or None,
        "surname": " ".join(name.surname) or None,
        "given_first": choose_call_name(name.given, reference().names),
        "surname_last": name.surname[-1] if name.surname else None,
        "dob_year": born.year,
        "dob_month": born.month,
        "dob_day": born.day,
        "dob_issue": born.issue,
        **address._asdict(),
        "on_duty_sign": name.on_duty or address.address_kind == AddressKind.POLICE_STATION,
    }


def compared(left: Recorded, right: Recorded) -> dict[str, object]:
    return score_pair(
        standard(left), standard(right), model=model(), frequencies=Frequencies.none(), names=reference().names
    )


def test_each_pair_of_recorded_persons_reaches_its_levels_and_its_tier() -> None:
    wrong = []
    for case in cases():
        row = compared(case.left, case.right)
        found = (*(row[name] for name in SHOWN), str(judge(row, model())[0]))
        if found != (*case.levels, case.tier):
            weight = row["match_weight_millibits"]
            wrong.append((case.label, case.left, case.right, "expected", *case.levels, case.tier, found, weight))
    assert wrong == []


@pytest.mark.thorough
def test_the_levels_and_the_weight_are_the_same_from_the_other_side() -> None:
    keys = [*SHOWN, "match_weight_millibits"]
    for case in cases():
        one, other = compared(case.left, case.right), compared(case.right, case.left)
        assert [one[key] for key in keys] == [other[key] for key in keys], case


def test_there_are_enough_persons_and_every_tier_is_among_them() -> None:
    listed = list(cases())
    assert len(listed) >= LEAST_ROWS
    assert {case.tier for case in listed} == {"match", "possible", "non_match"}


ODD = (
    "",
    "|",
    "12345",
    "😀",
    "😀|😀",
    "x" * 5000,
    "a " * 500,
    "张伟",
    "محمد",
    "\x00\x01",
    "---",
    "'",
    "İ|ß",
    "%s{}|\\n",
    "1|2",
)


@pytest.mark.parametrize("name", ODD, ids=lambda name: ascii(name)[:12])
def test_odd_input_is_compared_and_never_contradicts_itself(name: str) -> None:
    odd = Recorded(name, name, name, name)
    usual = Recorded("John|Smith", "04/03/1980", "12 High Street", "B23 6AA")
    assert compared(odd, usual)["match_weight_millibits"] == compared(usual, odd)["match_weight_millibits"]
    same = compared(odd, odd)
    assert not same["forename_differs"]
    assert not same["dob_contradicts"]
