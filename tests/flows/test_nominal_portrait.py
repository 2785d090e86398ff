"""What a nominal's records call the person, per category of data subject; and records' ids. Rows written by hand."""

from __future__ import annotations

from datetime import date

import pytest
from pyspark.sql import functions as F

from linkage_spark.kit.frames import local_frame
from linkage_spark.nominals.portrait import address_form, date_of_birth_form, name_form, portrait
from linkage_spark.nominals.records import record_faults, with_record_id
from linkage_spark.tables.canonical import EVENT, INVOLVEMENT, PERSON
from linkage_spark.tables.nominals import NOMINAL_MEMBER, NOMINAL_PORTRAIT
from tests.support.contract_rows import contract_rows
from tests.support.persons import employee, person, persons

HIGH_STREET = "14 HIGH STREET, BIRMINGHAM, B23 6AB"


def member(nominal: int, *refs: str, source="crime", quarantined=False) -> list[dict]:
    """Members before they have an id: it follows from source and reference."""
    return [
        {"source_system": source, "person_ref": ref, "nominal_id": nominal, "quarantined": quarantined} for ref in refs
    ]


def members(spark, rows):
    keys = [(row["source_system"], row["person_ref"], row["nominal_id"], row["quarantined"]) for row in rows]
    schema = "source_system string, person_ref string, nominal_id long, quarantined boolean"
    frame = with_record_id(local_frame(spark, keys, schema=schema)).selectExpr("*", "1 AS since_run_no")
    return NOMINAL_MEMBER.conform(frame)


def part(event: str, ref: str, category: str, *, source="crime", raw="X") -> dict:
    key = {"source_system": source, "event_ref": event, "person_ref": ref, "role_raw": raw}
    return key | {"role": "witness", "dpa_category": category}


def event(ref: str, day: date | None, *, source="crime") -> dict:
    return {"source_system": source, "event_ref": ref, "event_type": source, "event_date": day}


def frames(spark, people, parts, events, places):
    return (
        persons(spark, people),
        contract_rows(spark, INVOLVEMENT, *parts),
        contract_rows(spark, EVENT, *events),
        members(spark, places),
    )


def rows_of(frame) -> list[tuple]:
    """All columns of all rows, sorted."""
    return sorted((tuple(row) for row in frame.collect()), key=repr)


# --- one person ---

DAY1, DAY2, DAY3 = date(2020, 1, 31), date(2021, 6, 1), date(2022, 12, 24)

PEOPLE = [
    person("N1", "adam", "example", "1984-03-12"),
    person("N1", "adey", "example", "1984-03-12", variant_no=1, variant_kind="alias"),
    person("N2", "adam", "example", "1984-03", None),
    person("N3", "adam", "specimen", "1984-03-12"),
    person("N4", "sara", "else", "1990-01-01", "2/9|mill lane|walsall|WS1 1AA"),
    person("N5", "no", "member"),
    employee("N1", "adam", "employee"),
]
PARTS = [
    part("C1", "N1", "suspect"),
    part("C1", "N1", "suspect", raw="Y"),
    part("C1", "N2", "suspect"),
    part("C2", "N1", "victim"),
    part("C3", "N2", "suspect"),
    part("C9", "N5", "suspect"),
]
EVENTS = [event("C1", DAY1), event("C2", DAY2), event("C3", DAY3), event("C9", DAY3)]
PLACES = [*member(7, "N1", "N2"), *member(7, "N3", quarantined=True), *member(8, "N4")]

EXPECTED = [
    # N3 and N4 stand in no event.
    (7, "", "address", HIGH_STREET, 1, 0, None, None),
    (7, "", "date_of_birth", "1984-03-12", 1, 0, None, None),
    (7, "", "name", "ADAM SPECIMEN", 1, 0, None, None),
    # N1 in C1, N2 in C1 and C3: one event of two records counts once; the alias is a form of N1.
    (7, "suspect", "address", HIGH_STREET, 1, 1, DAY1, DAY1),
    (7, "suspect", "date_of_birth", "1984-03-12", 1, 1, DAY1, DAY1),
    (7, "suspect", "date_of_birth", "1984-03-??", 1, 2, DAY1, DAY3),
    (7, "suspect", "name", "ADAM EXAMPLE", 2, 2, DAY1, DAY3),
    (7, "suspect", "name", "ADEY EXAMPLE", 1, 1, DAY1, DAY1),
    # N1 as victim of C2: nothing of C1, nothing of N2.
    (7, "victim", "address", HIGH_STREET, 1, 1, DAY2, DAY2),
    (7, "victim", "date_of_birth", "1984-03-12", 1, 1, DAY2, DAY2),
    (7, "victim", "name", "ADAM EXAMPLE", 1, 1, DAY2, DAY2),
    (7, "victim", "name", "ADEY EXAMPLE", 1, 1, DAY2, DAY2),
    (8, "", "address", "2, 9 MILL LANE, WALSALL, WS1 1AA", 1, 0, None, None),
    (8, "", "date_of_birth", "1990-01-01", 1, 0, None, None),
    (8, "", "name", "SARA ELSE", 1, 0, None, None),
]


def test_forms_are_counted_per_category_over_distinct_records_and_events(spark) -> None:
    found = portrait(*frames(spark, PEOPLE, PARTS, EVENTS, PLACES))
    assert found.columns == list(NOMINAL_PORTRAIT.names)
    assert rows_of(found) == EXPECTED


def test_row_order_and_partitions_change_no_portrait(spark) -> None:
    turned = frames(spark, PEOPLE[::-1], PARTS[::-1], EVENTS[::-1], PLACES[::-1])
    assert rows_of(portrait(*[frame.repartition(5) for frame in turned])) == EXPECTED


def test_an_event_that_is_missing_or_has_no_date_counts_without_one(spark) -> None:
    people = [person("N1", "adam", "example", None, None)]
    parts = [part("C1", "N1", "victim"), part("C2", "N1", "victim"), part("C3", "N1", "witness_other")]
    found = portrait(*frames(spark, people, parts, [event("C1", DAY1), event("C3", None)], member(7, "N1")))
    assert rows_of(found) == [
        (7, "victim", "name", "ADAM EXAMPLE", 1, 2, DAY1, DAY1),
        (7, "witness_other", "name", "ADAM EXAMPLE", 1, 1, None, None),
    ]


def test_equal_references_of_two_sources_are_two_records_and_two_events(spark) -> None:
    people = [
        person("N1", "adam", "example", None, None),
        person("N1", "adam", "example", None, None, source_system="intel"),
    ]
    parts = [part("R1", "N1", "victim"), part("R1", "N1", "victim", source="intel")]
    places = [*member(7, "N1"), *member(7, "N1", source="intel")]
    found = portrait(*frames(spark, people, parts, [event("R1", DAY1), event("R1", DAY3, source="intel")], places))
    assert rows_of(found) == [(7, "victim", "name", "ADAM EXAMPLE", 2, 2, DAY1, DAY3)]


# --- how forms read ---

FORMS = {
    "name in full": ("name", person("p", "sarah jane", "smith jones"), "SARAH JANE SMITH JONES"),
    "surname only": ("name", person("p", "", "smith"), "SMITH"),
    "name missing or a placeholder": ("name", person("p", "", "", name_issue="placeholder"), None),
    "date in full": ("date", person("p", born="1984-03-02"), "1984-03-02"),
    "1 January": ("date", person("p", born="1984-01-01"), "1984-01-01"),
    "month and year": ("date", person("p", born="1980-05"), "1980-05-??"),
    "year": ("date", person("p", born="1980"), "1980-??-??"),
    "stated age": ("date", person("p", born="1985", dob_issue="stated_age"), "1985 or 1986"),
    "date missing": ("date", person("p", born=None), None),
    "date a placeholder": ("date", person("p", born=None, dob_issue="placeholder"), None),
    "house": ("address", person("p"), HIGH_STREET),
    "flat": ("address", person("p", home="2/14|high street|birmingham|B23 6AB"), f"2, {HIGH_STREET}"),
    "named house": (
        "address",
        person("p", home="ROSE COTTAGE|mill lane|walsall|WS1 1AA", locality="the delves"),
        "ROSE COTTAGE, MILL LANE, THE DELVES, WALSALL, WS1 1AA",
    ),
    "no postcode": ("address", person("p", home="14|high street|birmingham|"), "14 HIGH STREET, BIRMINGHAM"),
    "only a postcode": ("address", person("p", home="|||B23 6AB"), "B23 6AB"),
    "sector": (
        "address",
        person("p", home="|high street||", postcode_sector="B23 6", postcode_district="B23"),
        "HIGH STREET, B23 6??",
    ),
    "district": ("address", person("p", home="|high street||", postcode_district="B23"), "HIGH STREET, B23 ???"),
    "only a property reference": ("address", person("p", home="|||", uprn="100"), "UPRN 100"),
    "no fixed abode": ("address", person("p", home=None, address_kind="no_fixed_abode"), "NO FIXED ABODE"),
    "address missing": ("address", person("p", home=None), None),
    "address a placeholder": ("address", person("p", home=None, address_issue="placeholder"), None),
}


def test_forms_read_as_a_person_writes_them_and_what_is_not_known_is_no_form(spark) -> None:
    columns = {"name": name_form(), "date": date_of_birth_form(), "address": address_form()}
    people = [row | {"person_ref": case} for case, (_, row, _) in FORMS.items()]
    found = persons(spark, people).select("person_ref", *[form.alias(name) for name, form in columns.items()])
    read = {row["person_ref"]: row for row in found.collect()}
    assert {case: read[case][attribute] for case, (attribute, _, _) in FORMS.items()} == {
        case: form for case, (_, _, form) in FORMS.items()
    }


# --- ids of records ---


CRIME_N1 = 8951631770543951088
"""XXH64 of 'crime' with seed 42, taken as the seed for 'N1'; worked out by another implementation."""


def test_a_records_id_follows_from_source_and_reference_and_from_nothing_else(spark) -> None:
    rows = [
        person("N1"),
        person("N1", "other", "name", variant_no=1),
        person("N1", source_system="intel"),
        person("1", source_system="crimeN"),
    ]
    ids = [row["record_id"] for row in with_record_id(persons(spark, rows)).collect()]
    assert ids[0] == ids[1] == CRIME_N1
    assert len(set(ids)) == 3


def test_records_that_share_an_id_are_counted_and_variants_and_employees_are_none(
    spark, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [person("N1"), person("N1", variant_no=1), person("N2"), person("X3"), person("X4"), employee("X5")]
    frame = contract_rows(spark, PERSON, *rows)
    assert [tuple(row) for row in record_faults(frame).collect()] == [(0,)]
    assert [tuple(row) for row in record_faults(frame.limit(0)).collect()] == [(0,)]
    monkeypatch.setattr("linkage_spark.nominals.records.record_id", lambda: F.length("person_ref").cast("long"))
    assert [tuple(row) for row in record_faults(frame).collect()] == [(1,)]
    assert [tuple(row) for row in record_faults(frame.where("person_ref IN ('N1', 'X5')")).collect()] == [(0,)]
