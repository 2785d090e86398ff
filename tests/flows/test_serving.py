"""The published star, read back by readers that are not Spark."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from linkage_spark.kit.frames import local_frame
from linkage_spark.serving.columns import iso_utc
from linkage_spark.serving.star import FRESHNESS, Results, build_star, with_baseline
from linkage_spark.store.files import Files
from linkage_spark.store.snapshot import published_path, write_published
from linkage_spark.tables.canonical import EMPLOYEE, EVENT
from linkage_spark.tables.lifecycle import BASELINE, ITEM
from linkage_spark.tables.linkage import LINK
from linkage_spark.tables.results import HIT, HIT_LINK, LOCATION_HIT, RUN, SCREENING
from linkage_spark.tables.star import STAR, STAR_FRESHNESS
from tests.support.contract_rows import contract_rows

RUN_ID = "20261121T053000Z-backfill"
BIG = str(2**53 + 1)
ADVISORY = "advisory only"
BASELINE_RUN, LATER_RUN = "20260301T100000Z-backfill", "20260301T080000Z-daily"
"""The run that set the baseline, and one that came after it on the same day, when the clock had gone back."""

NUMBERS = {BASELINE_RUN: 1, LATER_RUN: 2}


def results(spark) -> Results:
    crime = {"source_system": "crime"}
    ref = {**crime, "employee_id": "e1ß", "person_ref": BIG}
    hit = {
        "hit_id": "h1",
        "event_ref": "C1",
        "event_date": date(2024, 2, 29),
        "tier": "match",
        "role": "suspect",
        "default_view": True,
    }
    hit |= {
        "policy_reason": "same_premises_and_date",
        "explanation": "ä, “ü”\n",
        "match_weight": 12.345,
        **ref,
    }
    undated = hit | {
        "hit_id": "h2",
        "event_ref": "C2",
        "event_date": None,
        "role": "odd_role",
        "disclosed": True,
    }
    other_link = {"employee_id": "E2", "source_system": "crime", "person_ref": "N9"}
    at = datetime(2024, 3, 31, 0, 59, 59, 999_999, tzinfo=UTC)
    events = [
        {
            "event_type": "crime",
            "event_date": date(2024, 2, 29),
            "reported_at": at,
            "event_ref": "C1",
            **crime,
        },
        {"event_type": "crime", "event_ref": "C2", **crime},
        {"event_type": "crime", "event_ref": "C3", **crime},
        {
            "event_type": "incident",
            "event_ref": "L1",
            "source_system": "incident",
            "event_date": date(2024, 3, 2),
        },
    ]
    location_hit = {
        "location_hit_id": "l1",
        "employee_id": "e1ß",
        "source_system": "incident",
        "event_ref": "L1",
    }
    location_hit |= {"event_date": date(2024, 3, 2), "place_level": "same_building", "calls_at_premises": 1}
    run = {"run_id": "x", "kind": "backfill", "status": "published", "started_at": at, "finished_at": at}
    run |= {
        "run_day": date(2026, 3, 2),
        "advisory": ADVISORY,
        "model_id": "screening_v1",
        "code_version": "1",
        "lawful_basis_reference": "DPIA 1",
    }
    employees = [
        {"employee_id": "e1ß", "team": "Süd"},
        {"employee_id": "E2", "start_date": date(1999, 12, 31)},
    ]
    screenings = [
        {"employee_id": "e1ß", "screened": True, "hit_count": 2},
        {"employee_id": "E3", "not_screened_reason": "refused"},
    ]
    day, before = date(2026, 3, 2), date(2026, 3, 1)
    seen = {"is_live": True, "lane": "conduct", "last_change": "new", "first_seen_day": before, "changed_day": before}
    seen |= {"changed_run_id": BASELINE_RUN}
    items = [
        {"item_kind": "hit", "item_id": "h1", **seen},
        {
            "item_kind": "hit",
            "item_id": "h2",
            **seen,
            "last_change": "changed",
            "changed_day": day,
            "tier_before": "possible",
        },
        {"item_kind": "location_hit", "item_id": "l1", **seen, "lane": "triage", "changed_run_id": LATER_RUN},
        {"item_kind": "link", "item_id": "k1", **seen, "lane": None},
        {"item_kind": "hit", "item_id": "h0", "employee_id": "E2", **seen, "is_live": False, "last_change": "withdrawn"}
        | {"withdrawal_reason": "record_amended", "changed_day": day, "last_seen_day": before, "tier": "match"},
    ]
    lanes = ("conduct", "welfare", "triage")
    baselines = [{"lane": lane, "baseline_day": before, "run_id": BASELINE_RUN} for lane in lanes]
    return Results(
        hit=contract_rows(spark, HIT, hit, undated),
        hit_link=contract_rows(spark, HIT_LINK, {"hit_id": "h1", **ref}, {"hit_id": "h2", **ref}),
        location_hit=contract_rows(spark, LOCATION_HIT, location_hit),
        link=contract_rows(spark, LINK, {"rule_mask": 2**53 + 1, "match_weight_millibits": -12_345, **ref}, other_link),
        employee=contract_rows(spark, EMPLOYEE, *employees),
        event=contract_rows(spark, EVENT, *events),
        screening=contract_rows(spark, SCREENING, *screenings),
        item=contract_rows(spark, ITEM, *items),
        baseline=contract_rows(spark, BASELINE, *baselines),
        freshness=local_frame(spark, [("crime", "nominal", day, None, None, 12)], schema=FRESHNESS),
        run=contract_rows(spark, RUN, run),
    )


@pytest.fixture(scope="module")
def published(spark, tmp_path_factory) -> str:
    root = str(tmp_path_factory.mktemp("star"))
    for contract, frame in build_star(results(spark), run_id=RUN_ID, numbers=NUMBERS).items():
        write_published(Files(spark), frame, root, contract, RUN_ID)
    return root


def table(root: str, name: str) -> pa.Table:
    return pq.read_table(published_path(root, name, RUN_ID), partitioning=None)


def rows(root: str, name: str, *columns: str) -> set[tuple]:
    return {tuple(row[column] for column in columns) for row in table(root, name).to_pylist()}


@pytest.mark.parametrize("contract", STAR, ids=lambda contract: contract.name)
def test_every_table_has_scalars_its_run_no_null_key_and_unique_keys(contract, published: str) -> None:
    found = table(published, contract.name)
    assert set(found.schema.types) <= {pa.string(), pa.int32(), pa.float64()}
    assert tuple(found.column_names) == contract.names
    assert set(found["run_id"].to_pylist()) == {RUN_ID}
    assert [c.name for c in contract.fields if c.required and found[c.name].null_count] == []
    assert found.group_by(list(contract.key)).aggregate([]).num_rows == found.num_rows > 0
    for file in Path(published_path(published, contract.name, RUN_ID)).glob("*.parquet"):
        physical = {pq.ParquetFile(file).schema.column(n).physical_type for n in range(len(found.column_names))}
        assert "INT96" not in physical


def test_values_come_back_as_they_went_in(published: str) -> None:
    assert rows(
        published, "hit", "hit_key", "employee_key", "event_key", "date_key", "reason_key", "hit_person_ref"
    ) == {
        ("h1", "E1SS", "crime/C1", 20240229, "policy_reason/same_premises_and_date", BIG),
        ("h2", "E1SS", "crime/C2", 0, "policy_reason/same_premises_and_date", BIG),
    }
    assert rows(published, "hit", "hit_explanation", "hit_match_weight", "hit_tier_words") == {
        ("ä, “ü”\n", 12.345, "strong possible link")
    }
    assert rows(published, "hit", "hit_role_words", "hit_disclosed", "hit_on_duty_sign") == {
        ("suspect", None, 0),
        ("odd_role", 1, 0),
    }
    assert rows(published, "link", "link_rule_mask", "link_match_weight_millibits", "link_person_ref") == {
        (BIG, -12_345, BIG)
    }
    assert rows(published, "employee", "employee_key", "employee_id", "employee_team", "employee_start_date_key") == {
        ("E1SS", "e1ß", "Süd", 0),
        ("E2", "E2", None, 19991231),
    }
    assert rows(published, "event", "event_key", "event_reported_at", "event_occurred_date_key") == {
        ("crime/C1", "2024-03-31T00:59:59Z", 20240229),
        ("crime/C2", None, 0),
        ("incident/L1", None, 20240302),
    }
    assert rows(published, "screening", "employee_key", "screening_screened", "screening_reason_words") == {
        ("E1SS", 1, None),
        ("E3", 0, "every HR row of the employee was refused"),
    }
    assert rows(published, "run", "run_advisory", "run_started_at") == {(ADVISORY, "2024-03-31T00:59:59Z")}


def test_a_hit_says_since_when_and_how_it_changed_and_the_default_view_is_what_came_since_the_baseline(
    published: str,
) -> None:
    columns = ("hit_change", "hit_first_seen_date_key", "hit_changed_date_key", "hit_since_baseline", "hit_tier_before")
    assert rows(published, "hit", "hit_key", *columns, "hit_default_view") == {
        ("h1", "unchanged", 20260301, 20260301, 0, None, 0),
        ("h2", "changed", 20260301, 20260302, 1, "possible", 1),
    }
    assert rows(published, "location_hit", "location_hit_key", "location_hit_since_baseline") == {("l1", 1)}, (
        "what a later run brought on the day of the baseline came after it, though its id sorts before"
    )
    columns = ("withdrawn_kind", "withdrawn_reason_words", "withdrawn_last_seen_date_key", "withdrawn_date_key")
    assert rows(published, "withdrawn", "withdrawn_key", "employee_key", *columns, "withdrawn_tier") == {
        ("h0", "E2", "hit", "the source has amended the record", 20260301, 20260302, "match")
    }


def test_on_the_day_of_the_baseline_the_order_of_the_runs_counts_and_not_their_ids(spark) -> None:
    day, early, now = date(2026, 3, 1), "20260301T090000Z-daily", "20260301T070000Z-daily"

    def since(set_by: str, numbers: dict[str, int], *runs: str) -> dict[str, bool | None]:
        hits = [{"item_kind": "hit", "item_id": run, "lane": "conduct", "changed_run_id": run} for run in runs]
        link = {"item_kind": "link", "item_id": "link", "lane": None, "changed_run_id": LATER_RUN}
        items = contract_rows(spark, ITEM, *({**item, "changed_day": day} for item in (*hits, link)))
        baseline = contract_rows(spark, BASELINE, {"lane": "conduct", "baseline_day": day, "run_id": set_by})
        told = with_baseline(items, baseline, numbers)
        assert told.columns == [*ITEM.names, "since_baseline"]
        return {row["item_id"]: row["since_baseline"] for row in told.collect()}

    ended = {early: 1, BASELINE_RUN: 2, LATER_RUN: 3}
    of_runs = {early: False, BASELINE_RUN: False, LATER_RUN: True, now: True, "link": None}
    assert since(BASELINE_RUN, ended, early, BASELINE_RUN, LATER_RUN, now) == of_runs, "the last is still under way"
    assert since(now, ended, LATER_RUN, now) == {LATER_RUN: False, now: False, "link": None}, "which sets it itself"


def test_days_run_without_a_gap_from_first_to_last_and_day_0_is_unknown(published: str) -> None:
    days = sorted(
        rows(
            published,
            "date",
            "date_key",
            "date_iso",
            "date_year_month",
            "date_weekday",
            "date_financial_year",
        )
    )
    assert days[0] == (0, "unknown", None, None, None)
    assert days[1:] == [
        (20240229, "2024-02-29", "2024-02", 4, "2023/24"),
        (20240301, "2024-03-01", "2024-03", 5, "2023/24"),
        (20240302, "2024-03-02", "2024-03", 6, "2023/24"),
    ]


def test_a_reader_joins_the_star_by_its_keys(published: str) -> None:
    views = {
        contract.name: f"read_parquet('{published}/published/{contract.name}/*/*.parquet', hive_partitioning = true)"
        for contract in STAR
    }
    found = duckdb.sql(
        f"""
        select h.hit_key, e.event_reported_at, d.date_iso, r.reason_words, l.link_match_weight_millibits,
               m.employee_team
        from {views["hit"]} h
        join {views["event"]} e using (event_key)
        join {views["date"]} d using (date_key)
        join {views["reason"]} r using (reason_key)
        join {views["employee"]} m using (employee_key)
        join {views["hit_link"]} b using (hit_key)
        join {views["link"]} l using (link_key)
        where h.run_id = '{RUN_ID}'
        order by 1
        """
    ).fetchall()
    words = "name, date of birth and home agree"
    assert found == [
        ("h1", "2024-03-31T00:59:59Z", "2024-02-29", words, -12_345, "Süd"),
        ("h2", None, "unknown", words, -12_345, "Süd"),
    ]


def test_how_fresh_each_feed_is(published: str) -> None:
    columns = [name for name in STAR_FRESHNESS.names if name != "run_id"]
    assert rows(published, "freshness", *columns) == {("crime.nominal", "crime", 20260302, 0, None, 12)}


def test_an_empty_run_publishes_a_star_that_can_be_read(spark, tmp_path) -> None:
    full = results(spark)
    empty = Results(
        **{name: getattr(full, name).limit(0) for name in Results.__dataclass_fields__ if name != "run"},
        run=full.run,
    )
    for contract, frame in build_star(empty, run_id=RUN_ID, numbers={}).items():
        write_published(Files(spark), frame, str(tmp_path), contract, RUN_ID)
    assert table(str(tmp_path), "hit").num_rows == 0
    assert rows(str(tmp_path), "date", "date_key") == {(0,)}
    assert table(str(tmp_path), "run").num_rows == 1


@pytest.mark.parametrize("zone", ["UTC", "Europe/London", "Pacific/Auckland"])
def test_times_are_utc_whatever_the_sessions_zone(zone: str, spark) -> None:
    before = spark.conf.get("spark.sql.session.timeZone")
    spark.conf.set("spark.sql.session.timeZone", zone)
    try:
        seconds = [0, -1, 1_711_846_799, 1_711_846_800, 1_729_990_800, 1_729_994_400]
        frame = local_frame(spark, [(s,) for s in seconds], schema="s long").selectExpr("s", "timestamp_seconds(s) t")
        found = {row.s: row.iso for row in frame.select("s", iso_utc(frame["t"]).alias("iso")).collect()}
    finally:
        spark.conf.set("spark.sql.session.timeZone", before)
    assert found == {s: datetime.fromtimestamp(s, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for s in seconds}
