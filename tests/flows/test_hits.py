"""Links to hits, incidents at homes, screened or not: expected rows written by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from linkage_spark.hits.build import build_hits, links_without_involvement
from linkage_spark.hits.locations import build_location_hits
from linkage_spark.hits.screening import build_screening
from linkage_spark.tables.canonical import EMPLOYEE, EVENT, INVOLVEMENT, LOCATION, PERSON, REFUSED
from linkage_spark.tables.linkage import LINK
from linkage_spark.tables.results import HIT
from tests.support.contract_rows import contract_rows

CAVEAT = "covers little"


def link(employee: str, ref: str, *, tier="match", millibits=20_000, **others) -> dict:
    return {
        "employee_id": employee,
        "source_system": "crime",
        "person_ref": ref,
        "tier": tier,
        "match_weight_millibits": millibits,
        "match_weight": millibits / 1000,
        "policy_reason": "same_premises_and_date",
        "explanation": f"sentence {ref}",
    } | others


def part(event: str, ref: str, *, role="suspect", raw="SUSPECT", source="crime", **others) -> dict:
    key = {"source_system": source, "event_ref": event, "person_ref": ref}
    return key | {"role": role, "role_raw": raw, "role_mapped": True, "dpa_category": "suspect"} | others


def event(ref: str, day: date | None = date(2020, 5, 1), *, source="crime", kind="crime", **others) -> dict:
    return {"source_system": source, "event_ref": ref, "event_type": kind, "event_date": day} | others


EMPLOYEES = (
    {
        "employee_id": "E1",
        "employment_type": "employee",
        "start_date": date(2020, 5, 1),
        "assignment_count": 1,
    },
    {"employee_id": "E2", "employment_type": "contractor", "assignment_count": 1},
)


def hits_of(spark, links, parts, events):
    tables = build_hits(
        contract_rows(spark, LINK, *links),
        contract_rows(spark, INVOLVEMENT, *parts),
        contract_rows(spark, EVENT, *events),
        contract_rows(spark, EMPLOYEE, *EMPLOYEES),
        caveat=CAVEAT,
    )
    return tables.hit.collect(), tables.hit_link.collect()


def test_a_hit_is_one_employee_event_and_role_with_its_best_link(spark) -> None:
    links = [
        link("E1", "N1", tier="possible", millibits=30_000),
        link("E1", "N2", millibits=15_000, on_duty_sign=True),
        link("E1", "N3", millibits=15_000),
        link("E1", "N4", tier="non_match", millibits=90_000),
        link("E2", "N1", tier="possible", millibits=9_000, on_duty_sign=True),
    ]
    parts = [
        part("C1", "N1"),
        part("C1", "N2", raw="SUSP", disclosed=False),
        part("C1", "N2", raw="SUSPECT", disclosed=True),
        part("C1", "N3", raw=""),
        part("C1", "N1", role="victim", raw="VICTIM", dpa_category="victim"),
        part("C1", "N4", role="witness", raw="WITNESS"),
        part("C9", "N9"),
    ]
    arrived = datetime(2020, 5, 1, 22, 0, tzinfo=UTC)
    c1 = event("C1", date(2020, 4, 30), offence_code="008", source_flags="DA|X", custody_arrived_at=arrived)
    hits, hit_links = hits_of(spark, links, parts, [c1, event("C9")])
    found = {(hit.employee_id, hit.role): hit for hit in hits}
    assert set(found) == {("E1", "suspect"), ("E1", "victim"), ("E2", "suspect"), ("E2", "victim")}
    best = found["E1", "suspect"]
    assert (best.person_ref, best.tier, best.match_weight, best.explanation) == (
        "N2",
        "match",
        15.0,
        "sentence N2",
    )
    assert (best.link_count, best.role_raw, best.disclosed) == (3, "SUSP|SUSPECT", True)
    assert (best.on_duty_sign, best.default_view, best.before_employment) == (False, True, True)
    assert (best.lane, best.purpose, best.dpa_category) == ("conduct", "law_enforcement", "suspect")
    assert (best.offence_code, best.source_flags, best.review_status, best.coverage_caveat) == (
        "008",
        "DA|X",
        "unreviewed",
        CAVEAT,
    )
    assert best.custody_arrived_at is not None
    welfare = found["E1", "victim"]
    assert (welfare.lane, welfare.purpose, welfare.link_count, welfare.disclosed) == (
        "welfare",
        "public_task",
        1,
        None,
    )
    duty = found["E2", "suspect"]
    assert (duty.on_duty_sign, duty.default_view, duty.before_employment) == (True, False, None)
    assert duty.employment_type == "contractor"
    behind = sorted(row.person_ref for row in hit_links if row.hit_id == best.hit_id)
    assert behind == ["N1", "N2", "N3"]
    assert len(hit_links) == 6
    assert len({hit.hit_id for hit in hits}) == 4
    assert all(len(hit.hit_id) == 32 for hit in hits)


def test_the_start_date_itself_is_employment_and_an_event_without_a_date_is_unknown(spark) -> None:
    parts = [part("C1", "N1"), part("C2", "N1")]
    hits, _ = hits_of(spark, [link("E1", "N1")], parts, [event("C1"), event("C2", None)])
    assert {hit.event_ref: hit.before_employment for hit in hits} == {"C1": False, "C2": None}


def test_an_equal_reference_in_another_source_is_another_person(spark) -> None:
    hits, _ = hits_of(
        spark, [link("E1", "N1")], [part("L1", "N1", source="incident")], [event("L1", source="incident")]
    )
    assert hits == []


def test_a_hit_of_an_event_that_is_missing_does_not_vanish(spark) -> None:
    hits, _ = hits_of(spark, [link("E1", "N1")], [part("C1", "N1")], [])
    assert [(hit.event_ref, hit.event_type) for hit in hits] == [("C1", None)]


def test_links_that_stand_in_no_event_are_counted(spark) -> None:
    links = contract_rows(
        spark, LINK, link("E1", "N1"), link("E1", "N2"), link("E2", "N2"), link("E2", "N3", tier="non_match")
    )
    counted = links_without_involvement(links, contract_rows(spark, INVOLVEMENT, part("C1", "N1"))).collect()
    assert [tuple(row) for row in counted] == [("crime", 2)]


# --- incidents at homes ---


def place(postcode="B1 1AA", paon="14", saon=None, uprn=None, kind="dwelling") -> dict:
    key = f"{postcode}|{paon}|{saon or ''}" if postcode and paon and kind == "dwelling" else None
    return {
        "postcode": postcode,
        "paon": paon,
        "saon": saon,
        "uprn": uprn,
        "premises_key": key,
        "address_kind": kind,
    }


def home(employee: str, variant=0, **address) -> dict:
    return {
        "source_system": "hr",
        "person_ref": employee,
        "variant_no": variant,
        "variant_kind": "recorded",
    } | place(**address)


def at(event_ref: str, *, source="incident", no=1, **address) -> dict:
    return {"source_system": source, "event_ref": event_ref, "location_no": no} | place(**address)


def locations_of(spark, homes, places, events, hits=()):
    rows = build_location_hits(
        contract_rows(spark, PERSON, *homes),
        contract_rows(spark, LOCATION, *places),
        contract_rows(spark, EVENT, *events),
        contract_rows(spark, EMPLOYEE, *EMPLOYEES),
        contract_rows(spark, HIT, *hits),
        caveat=CAVEAT,
    )
    return {(row.employee_id, row.event_ref): row for row in rows.collect()}


def incident(ref: str, day: date | None = date(2024, 1, 1)) -> dict:
    return event(ref, day, source="incident", kind="incident", opening_code="05")


LEVELS = {
    "same UPRN, address written otherwise": (
        {"uprn": "100"},
        {"uprn": "100", "paon": "ROSE COTTAGE"},
        "same_property",
    ),
    "same number and postcode": ({}, {}, "same_dwelling"),
    "same flat": ({"saon": "2"}, {"saon": "2"}, "same_dwelling"),
    "only one side names a flat": ({"saon": "2"}, {}, "same_building"),
    "only the other side names a flat": ({}, {"saon": "2"}, "same_building"),
    "two flats": ({"saon": "2"}, {"saon": "3"}, None),
    "another number": ({}, {"paon": "15"}, None),
    "no postcode on either side": ({"postcode": None}, {"postcode": None}, None),
    "no number on either side": ({"paon": None}, {"paon": None}, None),
    "a hospital": ({"uprn": "100"}, {"uprn": "100", "kind": "institution"}, None),
    "home is a police station": ({"uprn": "100", "kind": "police_station"}, {"uprn": "100"}, None),
}


def test_places_agree_by_property_dwelling_or_building_and_only_dwellings_count(spark) -> None:
    homes, places, events = [], [], []
    for number, (mine, theirs, _) in enumerate(LEVELS.values()):
        town = {"postcode": f"B{number} 1AA"}  # a world of its own for each case
        own = {key: (f"{value}{number}" if key == "uprn" else value) for key, value in mine.items()}
        other = {key: (f"{value}{number}" if key == "uprn" else value) for key, value in theirs.items()}
        homes.append(home(f"E{number}", **(town | own)))
        places.append(at(f"L{number}", **(town | other)))
        events.append(incident(f"L{number}"))
    found = locations_of(spark, homes, places, events)
    levels = {key[1]: row.place_level for key, row in found.items()}
    assert levels == {f"L{n}": level for n, (_, _, level) in enumerate(LEVELS.values()) if level is not None}


def test_repeat_calls_are_counted_in_all_and_in_the_year_up_to_each(spark) -> None:
    days = {
        "L1": date(2022, 1, 1),
        "L2": date(2024, 1, 1),
        "L3": date(2024, 12, 30),
        "L4": date(2024, 12, 31),
        "L5": date(2024, 12, 31),
        "L6": None,
    }
    twice = at("L2", no=2, uprn="7")
    found = locations_of(
        spark,
        [home("E1", uprn="7"), home("E2", paon="99"), home("E1", variant=1, paon="50")],
        [*[at(ref) for ref in days], twice, at("L7", paon="50"), at("C1", source="crime")],
        [*[incident(ref, day) for ref, day in days.items()], incident("L7"), event("C1")],
        hits=[{"employee_id": "E1", "source_system": "incident", "event_ref": "L4", "role": "victim"}],
    )
    assert set(found) == {("E1", ref) for ref in days}
    year = {ref: row.calls_at_premises_365_days for (_, ref), row in found.items()}
    assert year == {"L1": 1, "L2": 1, "L3": 2, "L4": 3, "L5": 3, "L6": None}
    assert {row.calls_at_premises for row in found.values()} == {6}
    assert found["E1", "L2"].place_level == "same_property"
    assert [ref for (_, ref), row in found.items() if row.person_also_linked] == ["L4"]
    last = found["E1", "L5"]
    assert (last.lane, last.purpose, last.before_employment, last.opening_code) == (
        "triage",
        "law_enforcement",
        False,
        "05",
    )
    assert last.explanation == (
        "An incident was recorded at the employee's recorded home, the same place by postcode, number and flat if any. "
        "6 incident(s) at this home in all, 3 in the 365 days up to this one. "
        "No person is asserted: the place alone agrees."
    )
    assert found["E1", "L6"].before_employment is None


# --- screened or not ---


def test_every_employee_is_screened_or_has_a_reason(spark) -> None:
    roster = contract_rows(
        spark,
        PERSON,
        home("E1"),
        home("E2", kind="no_fixed_abode") | {"not_screened_reason": "no_date_of_birth"},
        home("E3", postcode=None, paon=None) | {"not_screened_reason": "unusable_name"},
        home("E3", variant=1),
    )
    out = {
        "source_system": "hr",
        "feed": "extract",
        "produces": "assignment",
        "reason": "conflicting_roster_rows",
    }
    refused = contract_rows(
        spark,
        REFUSED,
        out | {"row_key": "E4/E4-1"},
        out | {"row_key": "E4/E4-2"},
        out | {"row_key": "E1/1", "reason": "duplicate_row"},
        out | {"row_key": "", "reason": "missing_key"},
        out | {"row_key": "/1", "reason": "missing_key", "copy_no": 2},
        out | {"row_key": "E5/1", "source_system": "crime"},
    )
    hit = contract_rows(spark, HIT, {"employee_id": "E1", "hit_id": "a"}, {"employee_id": "E1", "hit_id": "b"})
    rows = {row.employee_id: tuple(row)[1:] for row in build_screening(roster, refused, hit).collect()}
    assert rows == {
        "E1": (True, None, True, 2),
        "E2": (False, "no_date_of_birth", False, 0),
        "E3": (True, None, False, 0),
        "E4": (False, "refused", False, 0),
    }


@pytest.mark.parametrize("large", ["involvement", "event"])
def test_large_tables_are_not_shuffled_whole(large: str, spark) -> None:
    tables = build_hits(
        contract_rows(spark, LINK, link("E1", "N1")),
        contract_rows(spark, INVOLVEMENT, part("C1", "N1")),
        contract_rows(spark, EVENT, event("C1")),
        contract_rows(spark, EMPLOYEE, *EMPLOYEES),
        caveat=CAVEAT,
    )
    plan = tables.hit._jdf.queryExecution().sparkPlan().toString()
    hint = "LeftSemi, BuildRight" if large == "event" else "Inner, BuildRight"
    assert f"{hint}" in plan
    assert "CartesianProduct" not in plan
    assert "NestedLoop" not in plan
