"""Addresses as recorded -> flat, number, street, places, kind, premises key."""

import pytest

from linkage_spark.standardise.addresses import read_address

NOTHING = dict.fromkeys(("flat", "house", "street", "locality", "town", "box", "postcode", "uprn"))


def read(reference, **fields):
    return read_address(**{**NOTHING, **fields}, reference=reference)


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ("Flat 2, 14 High Street, Erdington, Birmingham", "2|14|high street|erdington|birmingham"),
        ("Flat 2 14 High St, Birmingham", "2|14|high street||birmingham"),
        ("2/14 High Street, Birmingham", "2|14|high street||birmingham"),
        ("Flat 02A, 014 High Street, Birmingham", "2A|14|high street||birmingham"),
        ("Ground Floor Flat, 14 High Street, Birmingham", "GROUND FLOOR|14|high street||birmingham"),
        ("Apartment 12, Aston Court, 5 Mill Lane, Aston, Birmingham", "12|5|mill lane|aston|birmingham"),
        ("Flat 12, Aston Court, Mill Lane, Birmingham", "12|ASTON COURT|mill lane||birmingham"),
        ("41 a High Rd, Bham, West Midlands", "|41A|high road||birmingham"),
        ("41A High Road", "|41A|high road||"),
        ("12 - 14 High Street, Birmingham", "|12-14|high street||birmingham"),
        ("Rose Cottage, Church Lane, Solihull", "|ROSE COTTAGE|church lane||solihull"),
        ("Old School House, School Lane, Dudley", "|OLD SCHOOL HOUSE|school lane||dudley"),
        ("14 Hospital Street, Birmingham", "|14|hospital street||birmingham"),
        ("3 Police Station Road, Dudley", "|3|police station road||dudley"),
        ("5 St. John's Close, Solihull", "|5|saint johns close||solihull"),
        ("7 The Green, Coventry", "|7|the green||coventry"),
        ("7 Broadway\nCoventry", "|7|broadway||coventry"),
        ("Flat above 14 High Street, Birmingham", "ABOVE|14|high street||birmingham"),
        ("The flat over 14 High Street", "ABOVE|14|high street||"),
        ("Overton House, Mill Lane, Birmingham", "|OVERTON HOUSE|mill lane||birmingham"),
    ],
)
def test_dwellings_in_one_box(reference, box, expected):
    form = read(reference, box=box, postcode="B23 6AB")
    parts = (form.saon, form.paon, form.street, form.locality, form.town)
    assert "|".join(part or "" for part in parts) == expected
    assert form.address_kind == "dwelling"
    assert form.address_issue is None
    assert form.premises_key == f"B23 6AB|{form.paon}|{form.saon or ''}"


def test_a_postcode_at_the_end_of_the_box_is_read(reference):
    form = read(reference, box="14 High Street, Birmingham B236AB")
    assert (form.postcode, form.town, form.premises_key) == ("B23 6AB", "birmingham", "B23 6AB|14|")


def test_parts(reference):
    form = read(
        reference,
        flat="FLAT 2",
        house="14A",
        street="HIGH ST",
        locality="ERDINGTON",
        town="B'HAM",
        postcode="B23 6AB",
    )
    assert (form.saon, form.paon, form.street) == ("2", "14A", "high street")
    assert (form.locality, form.town) == ("erdington", "birmingham")


def test_a_number_in_the_street_box(reference):
    form = read(reference, street="14 High Street", town="Birmingham", postcode="B23 6AB")
    assert (form.paon, form.street) == ("14", "high street")


def test_the_roster_has_lines_and_a_town(reference):
    form = read(reference, box="14 High Street, Erdington", town="Birmingham", postcode="B23 6AB")
    assert (form.paon, form.locality, form.town) == ("14", "erdington", "birmingham")


@pytest.mark.parametrize(
    ("box", "postcode", "kind"),
    [
        ("City Hospital, Dudley Road, Birmingham", "B18 7QH", "institution"),
        ("HMP Birmingham, Winson Green Road", "B18 4AS", "institution"),
        ("Room 4, Elm Bail Hostel, 5 Mill Lane", "B18 4AS", "institution"),
        ("Aston Police Station, Queens Road", "B6 7ND", "police_station"),
        ("NFA", None, "no_fixed_abode"),
        ("No Fixed Abode", "B1 1AA", "no_fixed_abode"),
        (None, "ZZ99 3VZ", "no_fixed_abode"),
        (None, "NF1 1NF", "no_fixed_abode"),
        ("Outside 12 High Street", "B23 6AB", "public_place"),
        ("Junction of High Street and Station Road", None, "public_place"),
    ],
)
def test_places_that_are_nobodys_home_have_no_premises_key(reference, box, postcode, kind):
    form = read(reference, box=box, postcode=postcode)
    assert form.address_kind == kind
    assert form.address_issue == "not_a_dwelling"
    assert form.premises_key is None


@pytest.mark.parametrize(
    ("fields", "kind", "issue"),
    [
        ({}, "unknown", "missing"),
        ({"box": "Unknown"}, "unknown", "placeholder"),
        ({"postcode": "ZZ99 3WZ"}, "unknown", "placeholder"),
        ({"box": "14 High Street"}, "dwelling", "no_postcode"),
        ({"box": "14 High Street", "postcode": "nonsense"}, "dwelling", "bad_postcode"),
        ({"box": "14 High Street", "postcode": "B23"}, "dwelling", "bad_postcode"),
        ({"box": "14 High Street", "postcode": "B2O 2AA"}, "dwelling", "bad_postcode"),
        ({"box": "High Street, Birmingham", "postcode": "B23 6AB"}, "dwelling", "no_premises"),
        ({"postcode": "B23 6AB"}, "dwelling", "no_premises"),
    ],
)
def test_issues(reference, fields, kind, issue):
    form = read(reference, **fields)
    assert (form.address_kind, form.address_issue) == (kind, issue)


def test_flat_2_is_not_flat_22(reference):
    keys = {read(reference, box=f"Flat {n}, 14 High Street", postcode="B23 6AB").premises_key for n in (2, 22)}
    assert keys == {"B23 6AB|14|2", "B23 6AB|14|22"}


@pytest.mark.parametrize(
    ("raw", "uprn"),
    [("000100070123456", "100070123456"), ("0", None), ("9999999999", None), ("abc", None), ("", None)],
)
def test_uprn(reference, raw, uprn):
    assert read(reference, box="14 High Street", uprn=raw).uprn == uprn


def test_a_stated_kind_wins(reference):
    stated = read_address(
        **{**NOTHING, "box": "14 High Street", "postcode": "B23 6AB"},
        reference=reference,
        stated_kind="public_place",
    )
    assert (stated.address_kind, stated.premises_key) == ("public_place", None)
