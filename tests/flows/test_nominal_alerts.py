"""One alert per employee and person, and what is offered beside it: expected rows written by hand."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

from linkage_spark.hits.build import build_hits
from linkage_spark.kit.frames import local_frame
from linkage_spark.nominals.alerts import AlertTables, build_alerts, links_without_nominal
from linkage_spark.nominals.records import with_record_id
from linkage_spark.settings.wording import load_wording
from linkage_spark.tables.canonical import EMPLOYEE, EVENT, INVOLVEMENT
from linkage_spark.tables.linkage import LINK
from linkage_spark.tables.nominals import NOMINAL_ALERT, NOMINAL_MEMBER, SAME_NOMINAL
from linkage_spark.tables.results import HIT, HIT_LINK
from linkage_spark.tables.review import NEGATED_LINK
from tests.support.contract_rows import contract_rows
from tests.support.persons import employee, person, persons

CONF = Path(__file__).parents[2] / "conf"
DAY1, DAY2, DAY3 = date(2020, 1, 31), date(2021, 6, 1), date(2022, 12, 24)
EVENTS = {"C1": DAY1, "C2": DAY2, "C3": DAY3, "C4": None}


def link(who: str, ref: str, *, tier="match", millibits=20_000, on_duty=False, source="crime") -> dict:
    return {
        "employee_id": who,
        "source_system": source,
        "person_ref": ref,
        "tier": tier,
        "match_weight_millibits": millibits,
        "match_weight": millibits / 1000,
        "on_duty_sign": on_duty,
    }


def part(event: str, ref: str, role="suspect", *, raw="X", source="crime") -> dict:
    key = {"source_system": source, "event_ref": event, "person_ref": ref, "role_raw": raw}
    return key | {"role": role, "dpa_category": role}


def place(nominal: int, ref: str, *, quarantined=False, source="crime") -> tuple:
    return (source, ref, nominal, quarantined)


def inputs(spark, links, parts, places, negated=()):
    """The frames of ``build_alerts``; hits are those that the links and parts make."""
    schema = "source_system string, person_ref string, nominal_id long, quarantined boolean"
    placed = with_record_id(local_frame(spark, places, schema=schema)).selectExpr("*", "1 AS since_run_no")
    keys = {(source, ref) for source, ref, *_ in places} | {(row["source_system"], row["person_ref"]) for row in parts}
    people = [person(ref, source_system=source) for source, ref in sorted(keys)]
    people += [row | {"variant_no": 1} for row in people] + [employee("N1")]
    sources = ("crime", "intel")
    events = [
        {"source_system": source, "event_ref": ref, "event_type": "crime", "event_date": day}
        for source in sources
        for ref, day in EVENTS.items()
    ]
    staff = [{"employee_id": who, "employment_type": "employee", "assignment_count": 1} for who in ("E1", "E2")]
    link_frame, involvement = contract_rows(spark, LINK, *links), contract_rows(spark, INVOLVEMENT, *parts)
    hits = build_hits(
        link_frame,
        involvement,
        contract_rows(spark, EVENT, *events),
        contract_rows(spark, EMPLOYEE, *staff),
        caveat="covers little",
    )
    return {
        "hit": local_frame(spark, hits.hit.collect(), schema=HIT.schema),
        "hit_link": local_frame(spark, hits.hit_link.collect(), schema=HIT_LINK.schema),
        "link": link_frame,
        "negated": contract_rows(spark, NEGATED_LINK, *negated),
        "persons": persons(spark, people),
        "involvement": involvement,
        "member": NOMINAL_MEMBER.conform(placed),
    }


def rows_of(frame) -> list[dict]:
    """All rows, sorted by their key."""
    return sorted((row.asDict() for row in frame.collect()), key=lambda row: repr(list(row.values())[:4]))


def built(spark, links, parts, places, negated=()) -> tuple[list[dict], list[dict]]:
    tables = build_alerts(**inputs(spark, links, parts, places, negated))
    return rows_of(tables.alert), rows_of(tables.same_nominal)


def alert(who="E1", nominal=7, **others) -> dict:
    """An alert without events; a test names what differs."""
    usual = {
        "employee_id": who,
        "nominal_id": nominal,
        "tier": "match",
        "match_weight_millibits": 20_000,
        "linked_records": 1,
        "other_records": 0,
        "events": 0,
        "conduct_events": 0,
        "welfare_events": 0,
        "other_events": 0,
        "roles_json": "{}",
        "first_event_date": None,
        "last_event_date": None,
        "default_view": False,
        "statement": "1 record, 0 events",
    }
    return usual | others


def offer(who: str, ref: str, nominal: int, events: int, statement: str, *, source="crime") -> dict:
    return {
        "employee_id": who,
        "source_system": source,
        "person_ref": ref,
        "nominal_id": nominal,
        "events": events,
        "statement": statement,
    }


def test_three_records_and_two_events_of_one_person_are_one_alert(spark) -> None:
    links = [
        link("E1", "N1", tier="possible", millibits=30_000),
        link("E1", "N2", millibits=15_000),
        link("E1", "N3", millibits=14_000),
    ]
    parts = [
        part("C1", "N1"),
        part("C1", "N2", raw="Y"),
        part("C1", "N3", "victim"),
        part("C2", "N2", "victim"),
        part("C2", "N3", "witness"),
    ]
    alerts, offers = built(spark, links, parts, [place(7, ref) for ref in ("N1", "N2", "N3")])
    assert alerts == [
        alert(
            match_weight_millibits=15_000,  # the strongest of the stronger tier
            linked_records=3,
            events=2,
            conduct_events=1,
            welfare_events=2,
            roles_json='{"suspect":1,"victim":2,"witness":1}',
            first_event_date=DAY1,
            last_event_date=DAY2,
            default_view=True,
            statement="3 records, 2 events",
        )
    ]
    assert offers == []


def test_records_that_did_not_match_are_offered_and_never_counted_as_hits(spark) -> None:
    links = [
        link("E1", "N1"),
        link("E1", "N2", tier="possible"),
        link("E1", "N3", tier="non_match"),
        link("E2", "N4", tier="possible", millibits=9_000),
    ]
    parts = [
        part("C1", "N1"),
        part("C1", "N3"),  # already a hit of E1 through N1
        part("C2", "N3"),
        part("C2", "N4", "victim"),
        part("C3", "N4", "victim"),
    ]
    alerts, offers = built(spark, links, parts, [place(7, f"N{number}") for number in range(1, 6)])
    assert alerts == [
        alert(
            linked_records=2,
            other_records=3,
            events=1,
            conduct_events=1,
            other_events=2,
            roles_json='{"suspect":1}',
            first_event_date=DAY1,
            last_event_date=DAY1,
            default_view=True,
            statement="2 records, 1 event; 3 other records of the same nominal, not matched, in 2 further events",
        ),
        alert(
            "E2",
            tier="possible",
            match_weight_millibits=9_000,
            other_records=4,
            events=2,
            welfare_events=2,
            other_events=1,  # C1; C2 is a hit of E2 through N4
            roles_json='{"victim":2}',
            first_event_date=DAY2,
            last_event_date=DAY3,
            default_view=True,
            statement="1 record, 2 events; 4 other records of the same nominal, not matched, in 1 further event",
        ),
    ]
    two, one = (
        "same nominal as 2 linked records, not itself matched",
        "same nominal as 1 linked record, not itself matched",
    )
    assert offers == [
        offer("E1", "N3", 7, 2, two),
        offer("E1", "N4", 7, 2, two),
        offer("E1", "N5", 7, 0, two),
        offer("E2", "N1", 7, 1, one),
        offer("E2", "N2", 7, 0, one),
        offer("E2", "N3", 7, 2, one),
        offer("E2", "N5", 7, 0, one),
    ]


def test_a_record_that_a_reviewer_has_negated_is_offered_to_others_and_not_to_its_employee_again(spark) -> None:
    negated = [{"employee_id": "E1", "source_system": "crime", "person_ref": "N2"}]
    parts = [part("C1", "N1"), part("C2", "N2"), part("C3", "N3")]
    places = [*(place(7, f"N{number}") for number in range(1, 5)), place(7, "N2", source="intel")]
    alerts, offers = built(spark, [link("E1", "N1"), link("E2", "N4")], parts, places, negated)
    assert alerts == [
        alert(
            other_records=3,
            events=1,
            conduct_events=1,
            other_events=1,  # C3; C2 is of the negated record alone
            roles_json='{"suspect":1}',
            first_event_date=DAY1,
            last_event_date=DAY1,
            default_view=True,
            statement="1 record, 1 event; 3 other records of the same nominal, not matched, in 1 further event",
        ),
        alert(
            "E2",
            other_records=4,
            other_events=3,
            statement="1 record, 0 events; 4 other records of the same nominal, not matched, in 3 further events",
        ),
    ]
    said = "same nominal as 1 linked record, not itself matched"
    assert offers == [
        offer("E1", "N3", 7, 1, said),
        offer("E1", "N4", 7, 0, said),
        offer("E1", "N2", 7, 0, said, source="intel"),
        offer("E2", "N1", 7, 1, said),
        offer("E2", "N2", 7, 1, said),
        offer("E2", "N3", 7, 1, said),
        offer("E2", "N2", 7, 0, said, source="intel"),
    ]


def test_an_employee_of_whom_every_link_to_a_nominal_is_negated_has_no_alert_of_it(spark) -> None:
    negated = [{"employee_id": "E1", "source_system": "crime", "person_ref": "N1"}]
    alerts, offers = built(spark, [link("E1", "N3")], [], [place(7, "N1"), place(7, "N2"), place(8, "N3")], negated)
    assert ([row["nominal_id"] for row in alerts], offers) == ([8], [])


def test_a_link_whose_record_stands_in_no_event_is_an_alert_without_events(spark) -> None:
    alerts, offers = built(spark, [link("E1", "N1")], [], [place(7, "N1"), place(8, "N2")])
    assert (alerts, offers) == ([alert()], [])


def test_two_persons_of_one_employee_are_two_alerts_and_a_shared_event_is_in_both(spark) -> None:
    links = [link("E1", "N1"), link("E1", "N2", tier="possible"), link("E1", "N3", tier="non_match")]
    parts = [part("C4", "N1"), part("C4", "N2", "victim"), part("C4", "N4"), part("C9", "N3")]
    alerts, offers = built(spark, links, parts, [place(7, "N1"), place(8, "N2"), place(9, "N3"), place(7, "N4")])
    shared = {"events": 1, "default_view": True}
    assert alerts == [
        alert(
            **shared,
            conduct_events=1,
            roles_json='{"suspect":1}',
            other_records=1,
            statement="1 record, 1 event; 1 other record of the same nominal, not matched, in 0 further events",
        ),
        alert(
            nominal=8,
            **shared,
            tier="possible",
            welfare_events=1,
            roles_json='{"victim":1}',
            statement="1 record, 1 event",
        ),
    ]
    assert offers == [offer("E1", "N4", 7, 1, "same nominal as 1 linked record, not itself matched")]


def test_equal_references_of_two_sources_are_two_records_and_two_events(spark) -> None:
    links = [link("E1", "N1"), link("E1", "N1", source="intel")]
    parts = [part("C1", "N1", "additional_relevant"), part("C1", "N1", "intelligence_subject", source="intel")]
    alerts, offers = built(spark, links, parts, [place(7, "N1"), place(7, "N1", source="intel")])
    assert [(row["linked_records"], row["events"], row["conduct_events"], row["welfare_events"]) for row in alerts] == [
        (2, 2, 0, 0)
    ]
    assert json.loads(alerts[0]["roles_json"]) == {"additional_relevant": 1, "intelligence_subject": 1}
    assert offers == []


def test_what_waits_for_a_reviewer_is_said_without_barred_words_or_values(spark) -> None:
    places = [place(7, "N1", quarantined=True), place(7, "N2"), place(7, "N3"), place(7, "N4", quarantined=True)]
    alerts, offers = built(spark, [link("E1", "N1"), link("E1", "N2")], [], places)
    assert [row["statement"] for row in alerts] == [
        "2 records, 0 events; 2 other records of the same nominal, not matched, in 0 further events; "
        "a reviewer has yet to settle the place of 2 records"
    ]
    offered = "same nominal as 2 linked records, not itself matched"
    linked = "; a reviewer has yet to settle the place of 1 linked record"
    assert {row["person_ref"]: row["statement"] for row in offers} == {
        "N3": f"{offered}{linked}",
        "N4": f"{offered}; a reviewer has yet to settle its place in the nominal{linked}",
    }
    statements, wording = [row["statement"].lower() for row in (*alerts, *offers)], load_wording(CONF)
    assert [wording.forbidden_in(text) for text in statements] == [[], [], []]
    assert not any(word in text for text in statements for word in ("adam", "example", "n1", "n2", "e1"))


def test_an_alert_is_in_the_default_view_when_one_of_its_hits_is(spark) -> None:
    links = [link("E1", "N1", on_duty=True), link("E1", "N2"), link("E2", "N1", on_duty=True)]
    parts = [part("C1", "N1", "witness"), part("C2", "N2", "witness")]
    alerts, _ = built(spark, links, parts, [place(7, "N1"), place(7, "N2")])
    assert {row["employee_id"]: (row["events"], row["default_view"]) for row in alerts} == {
        "E1": (2, True),
        "E2": (1, False),
    }


def test_shown_links_outside_all_nominals_make_no_alert_and_are_counted(spark) -> None:
    links = [link("E1", "N1"), link("E1", "N2"), link("E2", "N2", tier="possible"), link("E2", "N3", tier="non_match")]
    frames = inputs(spark, links, [part("C1", "N2")], [place(7, "N1")])
    assert [row["nominal_id"] for row in rows_of(build_alerts(**frames).alert)] == [7]
    counted = links_without_nominal(frames["link"], frames["member"])
    assert [tuple(row) for row in counted.collect()] == [("crime", 2)]


def test_row_order_and_partitions_change_nothing(spark) -> None:
    links = [link("E1", "N1"), link("E1", "N2"), link("E1", "N3", tier="possible"), link("E2", "N3")]
    parts = [part("C1", "N1"), part("C2", "N2", "victim"), part("C2", "N3", "witness"), part("C3", "N4")]
    places = [place(7, "N1"), place(7, "N2"), place(8, "N3"), place(7, "N4"), place(8, "N5")]
    one = inputs(spark, links, parts, places)
    other = inputs(spark, links[::-1], parts[::-1], places[::-1])
    once = build_alerts(**one)
    again = build_alerts(**{name: frame.repartition(5) for name, frame in other.items()})
    assert len(rows_of(once.alert)) == 3 and len(rows_of(once.same_nominal)) == 3
    assert rows_of(once.alert) == rows_of(again.alert)
    assert rows_of(once.same_nominal) == rows_of(again.same_nominal)


def test_nothing_to_link_is_no_alert(spark) -> None:
    tables: AlertTables = build_alerts(**inputs(spark, [link("E1", "N1", tier="non_match")], [], [place(7, "N1")]))
    assert (rows_of(tables.alert), rows_of(tables.same_nominal)) == ([], [])
    assert (tables.alert.columns, tables.same_nominal.columns) == (list(NOMINAL_ALERT.names), list(SAME_NOMINAL.names))


def test_large_tables_are_not_shuffled_whole(spark) -> None:
    tables = build_alerts(
        **inputs(spark, [link("E1", "N1")], [part("C1", "N1"), part("C2", "N2")], [place(7, "N1"), place(7, "N2")])
    )
    for frame in tables:
        plan = frame._jdf.queryExecution().sparkPlan().toString()
        assert "CartesianProduct" not in plan
        assert "NestedLoop" not in plan
