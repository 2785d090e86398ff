"""The hand-written feeds of tests/support/feeds.py through the whole stage, outcomes written by hand."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from datetime import date, datetime

import pytest
from pyspark.sql import functions as F

from linkage_spark.hits.screening import build_screening
from linkage_spark.kit.frames import local_frame
from linkage_spark.reference.standard import load_reference
from linkage_spark.settings.sources import load_sources
from linkage_spark.standardise.columns import check_columns
from linkage_spark.standardise.stage import rows_by_table, standardise
from linkage_spark.tables.canonical import CANONICAL, PERSON
from linkage_spark.tables.results import HIT
from tests.support.feeds import CONF, raw_feeds, raw_rows

AS_OF = date(2026, 11, 21)


def run(feeds, *names):
    """The named tables collected, by name; all of them when none is named."""
    standard = standardise(feeds, sources=load_sources(CONF), reference=load_reference(CONF), as_of=AS_OF)
    frames = {contract.name: contract.check(getattr(standard, contract.name)) for contract in CANONICAL}
    frames = {name: frame for name, frame in frames.items() if not names or name in names}
    return {name: [row.asDict() for row in frame.collect()] for name, frame in frames.items()}


@pytest.fixture(scope="module")
def feeds(spark):
    return raw_feeds(spark)


@pytest.fixture(scope="module")
def tables(feeds):
    check_columns(feeds, load_sources(CONF))
    return run(feeds)


@pytest.fixture(scope="module")
def persons(tables):
    return {(p["source_system"], p["person_ref"], p["variant_no"]): p for p in tables["person"]}


def test_every_row_is_kept_or_refused(spark, feeds, tables):
    counted = rows_by_table({key: frame.count() for key, frame in feeds.items()}, load_sources(CONF), numbers={})
    rows_in = Counter()
    for (source, _, table), rows in counted.items():
        rows_in[source, table] += rows
    rows_out = Counter((row["source_system"], row["produces"]) for row in tables["refused"])
    for table in ("person", "event", "involvement", "location"):
        rows_out.update((row["source_system"], table) for row in tables[table] if row["source_system"] != "hr")
    rows_out["hr", "assignment"] += len(tables["assignment"])
    assert rows_in == rows_out


def test_keys_are_unique(tables):
    for contract in CANONICAL:
        keys = [tuple(row[name] for name in contract.key) for row in tables[contract.name]]
        assert len(keys) == len(set(keys)), contract.name


def test_refused_rows_and_their_reasons(tables):
    assert sorted(
        (r["feed"], r["produces"], r["row_key"], r["reason"], r["column_name"]) for r in tables["refused"]
    ) == [
        ("extract", "assignment", "E6/E6-1", "conflicting_roster_rows", None),
        ("extract", "assignment", "E6/E6-2", "conflicting_roster_rows", None),
        ("involvement", "involvement", "20/1/N7/VICTIM", "not_a_person", "NOMINAL_URN"),
        ("involvement", "involvement", "20/2/N98/VICTIM", "unknown_person", "NOMINAL_URN"),
        ("involvement", "involvement", "99/9/N1/VICTIM", "unknown_event", "CRIME_NO"),
        ("nominal", "person", "", "missing_key", "NOMINAL_URN"),
        ("nominal", "person", "N1", "duplicate_row", None),
        ("nominal", "person", "N4", "superseded_version", None),
        ("nominal", "person", "N7", "not_a_person", None),
        ("nominal", "person", "N8", "not_a_person", None),
        ("nominal_alias", "person", "N99/1", "unknown_person", None),
        ("subject", "involvement", "R9/R9/1", "unknown_event", "REPORT_NO"),
    ]


def test_refused_rows_keep_the_raw_row_but_not_free_text(tables):
    superseded = next(row for row in tables["refused"] if row["reason"] == "superseded_version")
    assert json.loads(superseded["row_json"])["DOB"] == "1988-11-06"
    assert not any("never read" in row["row_json"] for row in tables["refused"])


def test_two_agreeing_assignments_are_one_person(tables, persons):
    assert ("hr", "E2", 0) in persons
    assert [a["assignment_no"] for a in tables["assignment"] if a["employee_id"] == "E2"] == ["E2-1", "E2-2"]
    employee = next(e for e in tables["employee"] if e["employee_id"] == "E2")
    assert (employee["assignment_count"], employee["start_date"]) == (2, date(2010, 9, 1))
    assert (employee["role_title"], employee["team"]) == ("Constable", "Response")


def test_employees_whose_rows_conflict_are_in_no_table(tables):
    for name in ("person", "employee", "assignment"):
        column = "person_ref" if name == "person" else "employee_id"
        assert "E6" not in {row[column] for row in tables[name]}


def test_employment_types(tables):
    types = {e["employee_id"]: e["employment_type"] for e in tables["employee"]}
    assert types == dict.fromkeys(("E1", "E2", "E3"), "employee") | {"E4": "volunteer", "E5": "contractor"}


def test_a_person_in_standard_form(persons):
    person = persons["crime", "N1", 0]
    assert person["given_tokens"] == ["harpreet", "kaur"]
    assert (person["given_name"], person["surname"], person["surname_last"]) == (
        "harpreet kaur",
        "sandhu",
        "sandhu",
    )
    assert person["date_of_birth"] == date(1984, 2, 3)
    assert (person["dob_year"], person["dob_month"], person["dob_day"]) == (1984, 2, 3)
    assert person["premises_key"] == "B23 6AB|14|"
    assert (person["name_raw"], person["address_raw"]) == ("HARPREET KAUR SANDHU", "14, HIGH ST, BIRMINGHAM")
    assert (person["date_of_birth_raw"], person["postcode_raw"]) == ("1984-02-03", "B23 6AB")
    assert person["not_screened_reason"] is None


def test_the_newest_version_stays(persons):
    assert persons["crime", "N4", 0]["date_of_birth"] == date(1988, 11, 5)


def test_a_variant_takes_what_it_lacks_from_its_record(persons):
    former = persons["crime", "N4", 1]
    assert (former["variant_kind"], former["given_name"], former["surname"]) == (
        "former_name",
        "katarzyna",
        "kowalska",
    )
    assert (former["date_of_birth"], former["premises_key"]) == (date(1988, 11, 5), "DY1 1AA|9|")
    moved = persons["crime", "N1", 1]
    assert (moved["variant_kind"], moved["surname"]) == ("other_address", "sandhu")
    assert (moved["premises_key"], moved["town"]) == (
        "B21 9AA|3|",
        None,
    )  # an address is taken whole or not at all


def test_spelling_variants_sound_alike(persons):
    assert persons["crime", "N2", 0]["given_sound"] == "MHMT"
    assert persons["hr", "E2", 0]["given_first"] == "bilal"


def test_signs_of_duty(persons):
    on_duty = {key[:2] for key, person in persons.items() if person["on_duty_sign"]}
    assert on_duty == {("crime", "N3")}
    assert persons["crime", "N3", 0]["title_tokens"] == ["pc", "pc", "4512"]


def test_who_takes_no_part(persons):
    assert {key[1]: p["not_screened_reason"] for key, p in persons.items() if p["not_screened_reason"]} == {
        "N9": "unusable_name",
        "1-20240513/2": "unusable_name",
        "R2/1": "name_alone",
    }


def test_issues_are_named(persons):
    assert persons["crime", "N12", 0]["dob_issue"] == "unreadable"
    assert persons["crime", "N11", 0]["dob_issue"] == "first_of_january"
    assert persons["intel", "R1/1", 0]["dob_issue"] == "partial"
    assert persons["crime", "N10", 0]["address_issue"] == "bad_postcode"
    assert persons["crime", "N11", 0]["postcode"] == "B20 2AA"  # repaired
    assert persons["intel", "R9/1", 0]["address_kind"] == "institution"


def test_a_stated_age_stands_in_for_a_year_of_birth_that_is_not_on_record(feeds, tmp_path):
    shutil.copytree(CONF / "sources", tmp_path / "sources")
    mapping = tmp_path / "sources" / "intel.toml"
    born = 'date_of_birth = "SUBJECT_DOB"\n'
    mapping.write_text(mapping.read_text().replace(born, f'{born}age = "SUBJECT_AGE"\nage_as_of = "SEEN_ON"\n'))
    subjects = feeds["intel.subject"].withColumns(
        {
            "SUBJECT_AGE": F.when(F.col("REPORT_NO") == "R2", F.lit("c. 30")).otherwise(F.lit("34")),
            "SEEN_ON": F.lit("2020-05-06").cast("timestamp"),
        }
    )
    sources = load_sources(tmp_path)
    aged = {**feeds, "intel.subject": subjects}
    check_columns(aged, sources)
    standard = standardise(aged, sources=sources, reference=load_reference(CONF), as_of=AS_OF)
    rows = PERSON.check(standard.person).where("source_system = 'intel'").collect()
    assert {row["person_ref"]: (row["dob_year"], row["dob_issue"], row["not_screened_reason"]) for row in rows} == {
        "R1/1": (1979, "partial", None),  # what is on record counts more
        "R1/2": (1985, "stated_age", None),
        "R2/1": (None, "approximate_age", "name_alone"),
        "R9/1": (1985, "stated_age", None),
    }
    assert not any(row["dob_month"] or row["dob_day"] or row["date_of_birth"] for row in rows)
    raw = {row["person_ref"]: row["date_of_birth_raw"] for row in rows}
    assert raw["R1/1"] == "1979; age 34 on 2020-05-06 00:00:00"
    assert raw["R2/1"] == "age c. 30 on 2020-05-06 00:00:00"


def test_events_carry_utc_and_the_local_date(tables):
    events = {e["event_ref"]: e for e in tables["event"]}
    assert events["20/1"]["event_date"] == date(2020, 1, 31)  # winter: local is UTC
    assert events["20/2"]["event_date"] == date(2020, 7, 1)  # 23:30 UTC in June is the next day
    assert events["1-20240513"]["reported_at"] == datetime(2024, 5, 13, 22, 30)  # noqa: DTZ001 - Spark gives UTC
    assert events["1-20240513"]["event_date"] == date(2024, 5, 13)
    assert events["2-20240114"]["reported_at"] == datetime(2024, 1, 14, 23, 30)  # noqa: DTZ001
    assert events["20/3"]["event_date"] is None
    assert events["C1"]["custody_number"] == "C1"
    assert (events["R2"]["grading_scheme"], events["R2"]["source_evaluation"]) == ("5x5x5", "E")


def test_roles(tables):
    roles = {(i["event_ref"], i["person_ref"]): i for i in tables["involvement"]}
    assert roles["20/1", "N3"]["role_raw"] == "WITNESS"
    unknown = roles["20/2", "N4"]
    assert (unknown["role_raw"], unknown["role"], unknown["role_mapped"]) == (
        "INTERPRETER",
        "additional_relevant",
        False,
    )
    assert roles["20/2", "N5"]["dpa_category"] == "convicted"
    assert [roles["20/1", ref]["disclosed"] for ref in ("N1", "N2", "N3")] == [False, True, None]
    assert roles["R1", "R1/1"]["role"] == "intelligence_subject"


def test_places(tables):
    places = {(p["event_ref"], p["location_no"]): p for p in tables["location"]}
    assert places["20/1", 1]["premises_key"] == "B23 6AB|14|"
    assert places["1-20240513", 1]["premises_key"] == "B20 2AA|30|2"
    assert places["20/2", 1]["address_kind"] == "public_place"
    assert places["2-20240114", 1]["address_kind"] == "public_place"


def test_order_and_partitions_change_nothing(spark, tables):
    turned = {key: list(reversed(rows)) for key, rows in raw_rows().items()}
    feeds = {key: frame.repartition(3) for key, frame in raw_feeds(spark, turned).items()}
    for name, rows in run(feeds, "person", "involvement").items():
        assert sorted(map(repr, rows)) == sorted(map(repr, tables[name])), name


def test_the_clock_changes(spark):
    rows = raw_rows()
    log = rows["incident.log"][0]
    rows["incident.log"] = [
        log | {"LOG_NUMBER": "a", "LOG_DATE": "2024-03-31 00:59:00"},
        log | {"LOG_NUMBER": "b", "LOG_DATE": "2024-03-31 02:00:00"},
        log | {"LOG_NUMBER": "c", "LOG_DATE": "2024-10-27 00:30:00"},
        log | {"LOG_NUMBER": "d", "LOG_DATE": "2024-10-27 02:30:00"},
        log | {"LOG_NUMBER": "e", "LOG_DATE": "last tuesday"},
    ]
    feeds = {key: rows[key] for key in ("hr.extract", "incident.log", "incident.person")}
    tables = run(raw_feeds(spark, feeds), "event", "refused")
    times = {e["event_ref"]: e["reported_at"] for e in tables["event"] if e["source_system"] == "incident"}
    assert {ref: f"{moment:%d %H:%M}" for ref, moment in times.items()} == {
        "a": "31 00:59",
        "b": "31 01:00",
        "c": "26 23:30",
        "d": "27 02:30",
    }
    unreadable = [row for row in tables["refused"] if row["reason"] == "unreadable_date"]
    assert [(row["row_key"], row["produces"], row["column_name"]) for row in unreadable] == [("e", "event", "LOG_DATE")]


def test_hr_rows_of_one_assignment_that_disagree_are_refused_and_the_employee_is_listed(spark):
    rows = raw_rows()
    again = next(row for row in rows["hr.extract"] if row["PERSON_NUMBER"] == "E1")
    rows["hr.extract"] += [{**again, "DATE_OF_BIRTH": "04-MAR-1985"}, {**again}]
    standard = standardise(
        raw_feeds(spark, rows), sources=load_sources(CONF), reference=load_reference(CONF), as_of=AS_OF
    )
    refused = standard.refused.where("source_system = 'hr'").persist()
    person = standard.person.where("source_system = 'hr'").persist()
    reasons = Counter(row.reason for row in refused.where("row_key like 'E1/%'").collect())
    assert reasons == {"conflicting_roster_rows": 2, "duplicate_row": 1}
    assert "E1" not in {row.person_ref for row in person.collect()}
    listed = build_screening(person, refused, local_frame(spark, [], HIT.schema)).collect()
    assert {row.employee_id: row.not_screened_reason for row in listed if not row.screened} == {
        "E1": "refused",
        "E6": "refused",
        **{
            row.person_ref: row.not_screened_reason for row in person.where("not_screened_reason is not null").collect()
        },
    }
