"""Every bad input gets a message that names source, column or key and remedy, and holds no recorded value."""

from __future__ import annotations

from datetime import date

import pytest

from linkage_spark.errors import SourceError
from linkage_spark.reference.standard import load_reference
from linkage_spark.runs.check_sources import check_feeds
from linkage_spark.runs.profile import as_csv, as_page, profile_feeds
from linkage_spark.runs.progress import Progress
from linkage_spark.settings.sources import load_sources
from linkage_spark.standardise.columns import check_columns, choose_fill_faults, count_filled
from linkage_spark.standardise.stage import standardise
from tests.support.feeds import CONF, NOMINAL_COLUMNS, raw_feeds, raw_rows, write_feeds

SOURCES = load_sources(CONF)
PLANTED = "Zzqxvplanted"
"""A name that no dictionary has; it stands in rows that are at fault and may stand in no message."""


def columns_message(feeds):
    """What check_columns says."""
    with pytest.raises(SourceError) as caught:
        check_columns(feeds, SOURCES)
    return list(caught.value.faults)


def reasons(spark, rows):
    """(feed, table, key, reason, column) of every refused row."""
    standard = standardise(
        raw_feeds(spark, rows), sources=SOURCES, reference=load_reference(CONF), as_of=date(2026, 11, 21)
    )
    names = ("feed", "produces", "row_key", "reason", "column_name")
    return {tuple(row[name] for name in names) for row in standard.refused.collect()}


def test_missing_column(spark):
    feeds = raw_feeds(spark)
    feeds["crime.nominal"] = feeds["crime.nominal"].drop("SURNAME")
    assert columns_message(feeds) == [
        "crime.nominal: column SURNAME is missing (it becomes surname of person); supply it, or correct its name in "
        "conf/sources/crime.toml; columns there that no mapping reads: CREATED_AT"
    ]


def test_changed_schema(spark):
    feeds = raw_feeds(spark)
    renamed = feeds["custody.record"].withColumnRenamed("DETAINEE_DOB", "BIRTH_DATE")
    feeds["custody.record"] = renamed
    assert columns_message(feeds) == [
        "custody.record: column DETAINEE_DOB is missing (it becomes date_of_birth of person); supply it, or correct "
        "its name in conf/sources/custody.toml; columns there that no mapping reads: BIRTH_DATE"
    ]


def test_wrong_type(spark):
    feeds = raw_feeds(spark)
    feeds["crime.nominal"] = feeds["crime.nominal"].withColumn("DOB", feeds["crime.nominal"]["DOB"].isNull())
    feeds["crime.occurrence"] = feeds["crime.occurrence"].withColumn("OCC_FROM", feeds["crime.occurrence"]["CRIME_NO"])
    assert columns_message(feeds) == [
        "crime.nominal: column DOB has type boolean, but date_of_birth of person needs a date or text; convert it in "
        "the feed, or correct conf/sources/crime.toml",
        "crime.occurrence: column OCC_FROM has type string, but occurred_from of event needs a timestamp, or text with "
        "time_formats; convert it in the feed, or correct conf/sources/crime.toml",
    ]


def test_unexpected_roster_column(spark):
    feeds = raw_feeds(spark)
    feeds["hr.extract"] = feeds["hr.extract"].withColumn("ETHNICITY", feeds["hr.extract"]["TEAM"])
    assert columns_message(feeds) == [
        "hr.extract: column ETHNICITY is not on the allow-list; take it out of the extract, or map it in "
        "conf/sources/hr.toml once the force has decided to use it"
    ]


def test_a_police_feed_may_have_further_columns(spark):
    feeds = raw_feeds(spark)
    feeds["crime.nominal"] = feeds["crime.nominal"].withColumn("SHOE_SIZE", feeds["crime.nominal"]["TITLE"])
    check_columns(feeds, SOURCES)


def test_missing_feed(spark):
    feeds = raw_feeds(spark)
    del feeds["intel.report"]
    assert columns_message(feeds) == [
        "intel.report: the feed is not there; supply it, or set required = false in conf/sources/intel.toml"
    ]


def test_all_faults_come_at_once(spark):
    feeds = raw_feeds(spark)
    feeds["hr.extract"] = feeds["hr.extract"].drop("LAST_NAME", "POSTAL_CODE").withColumnRenamed("TEAM", "SQUAD")
    assert len(columns_message(feeds)) == 4


def test_empty_feed_and_all_null_column(spark):
    rows = raw_rows()
    rows["intel.subject"] = []
    for row in rows["crime.nominal"]:
        row["SURNAME"] = ""
    counts = count_filled(raw_feeds(spark, rows), SOURCES).collect()
    assert choose_fill_faults(counts, SOURCES) == [
        f"crime.nominal: column SURNAME is empty in all {len(rows['crime.nominal'])} rows; supply the feed again with "
        "it filled, or correct the mapping in conf/sources/crime.toml",
        "intel.subject: the feed has no rows; supply it again, or set required = false in conf/sources/intel.toml",
    ]


def test_rows_at_fault_are_refused_by_key(spark):
    rows = raw_rows()
    nominal = dict(rows["crime.nominal"][0])
    rows["crime.nominal"] += [nominal | {"SURNAME": PLANTED}, nominal | {"NOMINAL_URN": " "}]
    rows["crime.nominal_alias"][0]["ALIAS_SEQ"] = 0
    rows["crime.involvement"].append(rows["crime.involvement"][0] | {"ROLE": "SCRIBE"})
    rows["incident.log"].append(rows["incident.log"][0] | {"LOG_NUMBER": "9-1", "LOG_DATE": PLANTED})
    first, *_ = rows["hr.extract"]
    further = {"name": {"LAST_NAME": PLANTED}, "date": {"DATE_OF_BIRTH": "04-FEB-1984"}}
    further |= {"address": {"ADDRESS_LINE_1": "15 High Street"}, "nothing": {"JOB": PLANTED}}
    for what, change in further.items():
        rows["hr.extract"] += [
            first | {"PERSON_NUMBER": what, "ASSIGNMENT_NUMBER": "1"},
            first | {"PERSON_NUMBER": what, "ASSIGNMENT_NUMBER": "2"} | change,
        ]
    rows["hr.extract"].append(first | {"PERSON_NUMBER": "E7", "PERSON_TYPE": PLANTED})
    found = sorted(reasons(spark, rows), key=str)
    assert not any(PLANTED in str(part) for row in found for part in row)
    assert found == [
        ("extract", "assignment", "E6/E6-1", "conflicting_roster_rows", None),
        ("extract", "assignment", "E6/E6-2", "conflicting_roster_rows", None),
        ("extract", "assignment", "E7/E1-1", "unknown_value", "PERSON_TYPE"),
        ("extract", "assignment", "address/1", "conflicting_roster_rows", None),
        ("extract", "assignment", "address/2", "conflicting_roster_rows", None),
        ("extract", "assignment", "date/1", "conflicting_roster_rows", None),
        ("extract", "assignment", "date/2", "conflicting_roster_rows", None),
        ("extract", "assignment", "name/1", "conflicting_roster_rows", None),
        ("extract", "assignment", "name/2", "conflicting_roster_rows", None),
        ("involvement", "involvement", "20/1/N7/VICTIM", "not_a_person", "NOMINAL_URN"),
        ("involvement", "involvement", "20/2/N98/VICTIM", "unknown_person", "NOMINAL_URN"),
        ("involvement", "involvement", "99/9/N1/VICTIM", "unknown_event", "CRIME_NO"),
        ("log", "event", "9-1", "unreadable_date", "LOG_DATE"),
        ("nominal", "person", "", "missing_key", "NOMINAL_URN"),
        ("nominal", "person", "N1", "duplicate_row", None),
        ("nominal", "person", "N1", "superseded_version", None),
        ("nominal", "person", "N4", "superseded_version", None),
        ("nominal", "person", "N7", "not_a_person", None),
        ("nominal", "person", "N8", "not_a_person", None),
        ("nominal_alias", "person", "N4/0", "wrong_type", "ALIAS_SEQ"),
        ("nominal_alias", "person", "N99/1", "unknown_person", None),
        ("subject", "involvement", "R9/R9/1", "unknown_event", "REPORT_NO"),
    ]


def check(spark, root, sample_rows=20_000):
    """What check_sources finds."""
    return check_feeds(
        spark,
        SOURCES,
        load_reference(CONF),
        feeds_root=str(root),
        sample_rows=sample_rows,
        as_of=date(2026, 11, 21),
        progress=Progress(),
    )


def test_check_sources_prints_counts_and_no_value(spark, tmp_path, capsys):
    rows = raw_rows()
    rows["crime.nominal"][0]["SURNAME"] = PLANTED
    root = write_feeds(spark, tmp_path, rows)
    assert check(spark, root) == []
    printed = capsys.readouterr().out
    for line in (
        "crime.nominal as person: would refuse 1 rows, missing_key (column NOMINAL_URN)",
        "crime.involvement as involvement: would refuse 1 rows, unknown_event (column CRIME_NO)",
        "hr.extract as assignment: would refuse 2 rows, conflicting_roster_rows",
        "crime: 1 involvements with 1 roles that are in no mapping; kept as additional_relevant; add them to [roles] in "
        "conf/sources/crime.toml",
    ):
        assert line in printed
    for word in (PLANTED, "Sandhu", "SANDHU", "1984-02-03", "B23 6AB", "INTERPRETER"):
        assert word not in printed


def test_a_truncated_parquet_file_and_a_truncated_delta_file_are_named(spark, tmp_path, capsys):
    root = write_feeds(spark, tmp_path)
    for feed in ("custody/record", "crime/nominal"):
        for file in (root / feed).glob("part-*.parquet"):
            file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    faults = check(spark, root)
    assert len(faults) == 2
    for fault, key in zip(sorted(faults), ("crime.nominal: file part-", "custody.record:"), strict=True):
        assert fault.startswith(key)
        assert fault.endswith(
            ("if it was changed on purpose", "cannot be read as parquet; correct the feed or its mapping")
        )
        assert "java" not in fault.lower()
        assert "\n" not in fault
    assert "SANDHU" not in capsys.readouterr().out


def test_a_feed_that_is_not_there_is_named(spark, tmp_path):
    rows = raw_rows()
    root = write_feeds(spark, tmp_path, {key: listed for key, listed in rows.items() if key != "incident.log"})
    assert check(spark, root) == [
        "incident.log: there is nothing at incident/log under the feeds root; deliver the feed, or correct 'path' in "
        "conf/sources/incident.toml"
    ]


def test_profile_counts_and_shows_no_value(spark, tmp_path):
    rows = raw_rows()
    rows["crime.nominal"][0]["SURNAME"] = PLANTED
    rows["crime.nominal"][4]["DOB"] = "2077-07-07"
    root = write_feeds(spark, tmp_path, rows)
    profile, faults = profile_feeds(
        spark,
        SOURCES,
        load_reference(CONF),
        feeds_root=str(root),
        as_of=date(2026, 11, 21),
        progress=Progress(),
    )
    assert faults == []
    assert [row["column_name"] for row in profile if row["feed"] == "crime.nominal"] == NOMINAL_COLUMNS
    by_column = {(row["feed"], row["column_name"]): row for row in profile}
    born = by_column["crime.nominal", "DOB"]
    counts = ("rows", "missing", "placeholders", "dates_read", "dates_not_read", "dates_first_of_january")
    assert [born[name] for name in counts] == [15, 3, 1, 11, 1, 2]
    assert (born["dates_out_of_range"], born["length_least"], born["length_most"]) == (1, 10, 10)
    assert by_column["crime.nominal", "SURNAME"]["dates_read"] is None
    assert ("crime.occurrence", "FREE_TEXT") not in by_column
    table, page = as_csv(profile), as_page(profile, made="now", advisory="Advisory only.")
    assert table.startswith("feed,column_name,inputs,data_type,rows,missing,placeholders,distinct_approx,")
    assert "<h2>crime.nominal</h2>" in page
    assert "http" not in page
    for word in (PLANTED, "SANDHU", "1984-02-03", "B23 6AB", "2077"):
        assert word not in table
        assert word not in page
