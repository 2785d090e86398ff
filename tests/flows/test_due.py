"""What retention finds due: rows of histories, records of nominals that are gone, and who else a record might have been."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest

from linkage_spark.governance.due import ASKED, due_records, due_rows, without_rivals
from linkage_spark.kit.frames import local_frame
from linkage_spark.settings.run import load_settings
from linkage_spark.tables.lifecycle import LINK_HISTORY
from linkage_spark.tables.linkage import LINK
from linkage_spark.tables.nominals import NOMINAL_EVENT, NOMINAL_RUN
from linkage_spark.tables.results import RUN
from tests.support.contract_rows import contract_rows
from tests.support.feeds import CONF

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

DAYS = [date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)]
PERIODS = {"record_withdrawn": 0, "left_roster": 30, "superseded": 60}
RETENTION = load_settings(CONF, "local", {"retention": {"law_enforcement": PERIODS, "public_task": PERIODS}}).retention


def runs(spark: SparkSession) -> DataFrame:
    rows = [{"run_id": f"R{no}", "run_no": no, "run_day": day} for no, day in enumerate(DAYS, start=1)]
    return contract_rows(spark, RUN, *rows)


def told(no: int, change: str, employee: str = "E1", **others: Any) -> dict[str, Any]:
    """A row that a run left in the history of a link of one record."""
    row = {"run_id": f"R{no}", "run_day": DAYS[no - 1], "employee_id": employee, "source_system": "crime"}
    return {**row, "person_ref": f"N-{employee}", "item_change": change, **others}


def due(
    spark: SparkSession,
    day: date,
    *rows: dict[str, Any],
    asked: list[tuple[str, str | None, str]],
    missing: tuple[str, ...] = (),
) -> set[tuple]:
    refs = local_frame(spark, [("crime", ref) for ref in missing], schema="source_system string, person_ref string")
    found = due_rows(
        contract_rows(spark, LINK_HISTORY, *rows),
        LINK,
        runs(spark),
        local_frame(spark, asked, schema=ASKED),
        missing={"person_ref": refs},
        retention=RETENTION,
        day=day,
    )
    return {(row["employee_id"], row["run_id"], row["due"], row["goes"]) for row in found.collect() if row["due"]}


def test_what_was_shown_before_and_what_has_gone_is_due_when_its_own_period_is_over(spark: SparkSession) -> None:
    rows = [
        told(1, "new", "changed"),
        told(2, "changed", "changed"),
        told(1, "new", "left"),
        told(2, "withdrawn", "left", withdrawal_reason="left_roster"),
        told(1, "new", "taken"),
        told(2, "withdrawn", "taken", withdrawal_reason="record_withdrawn"),
        told(1, "new", "holds"),
    ]
    taken = {("taken", "R1", "period_over", True), ("taken", "R2", "period_over", True)}
    left = {("left", "R1", "period_over", True), ("left", "R2", "period_over", True)}
    assert due(spark, date(2026, 2, 1), *rows, asked=[]) == taken
    assert due(spark, date(2026, 3, 2), *rows, asked=[]) == taken
    assert due(spark, date(2026, 3, 3), *rows, asked=[]) == taken | left
    assert due(spark, date(2026, 4, 2), *rows, asked=[]) == taken | left | {("changed", "R1", "superseded", False)}


@pytest.mark.parametrize("reason", ["roster_refused", "record_refused"])
def test_what_was_refused_is_kept_as_what_is_superseded_until_its_source_holds_it_no_more(
    spark: SparkSession, reason: str
) -> None:
    rows = [told(1, "new"), told(2, "withdrawn", withdrawal_reason=reason)]
    # Superseded: 60 days after 1 February; taken back: at once, whatever made it go.
    assert due(spark, date(2026, 4, 1), *rows, asked=[]) == set()
    gone = {("E1", "R1", "period_over", True), ("E1", "R2", "period_over", True)}
    assert due(spark, date(2026, 4, 2), *rows, asked=[]) == gone
    assert due(spark, DAYS[1], *rows, asked=[], missing=("N-E1",)) == gone


@pytest.mark.parametrize(
    "asked", [("employee", None, "E1"), ("person", "crime", "N-E1")], ids=["employee", "person record"]
)
def test_of_whom_somebody_asks_only_what_holds_stays(spark: SparkSession, asked: tuple[str, str | None, str]) -> None:
    rows = [told(1, "new"), told(2, "changed"), told(1, "new", "E2"), told(2, "changed", "E2")]
    assert due(spark, DAYS[1], *rows, asked=[asked]) == {("E1", "R1", "asked_for", False)}
    gone = [told(1, "new"), told(2, "withdrawn", withdrawal_reason="left_roster")]
    assert {row[1:] for row in due(spark, DAYS[1], *gone, asked=[asked])} == {
        ("R1", "asked_for", True),
        ("R2", "asked_for", True),
    }


def test_a_rival_who_is_gone_is_named_no_more_and_all_else_stays(spark: SparkSession) -> None:
    rows = [told(1, "new", rival_employee_id="E2"), told(2, "changed", rival_employee_id="E3"), told(3, "changed")]
    links = contract_rows(spark, LINK_HISTORY, *rows)
    gone = local_frame(spark, [("E2",)], schema="employee_id string")
    found = without_rivals(links, gone)
    assert found.columns == links.columns
    assert {(row["run_id"], row["rival_employee_id"]) for row in found.collect()} == {
        ("R1", None),
        ("R2", "E3"),
        ("R3", None),
    }
    rest = [name for name in links.columns if name != "rival_employee_id"]
    assert found.select(*rest).exceptAll(links.select(*rest)).isEmpty()


def test_moves_of_records_that_are_gone_are_due_after_their_days_or_when_asked_for(spark: SparkSession) -> None:
    """By the days that the runs were for, as all else: each of these began after midnight."""
    late = [
        {"run_no": no, "run_id": f"R{no}", "started_at": datetime(2026, no, 2, 0, 30, tzinfo=UTC)} for no in (1, 2, 3)
    ]
    moves = [
        {"run_no": 1, "kind": "joined", "record_id": 1},
        {"run_no": 1, "kind": "joined", "record_id": 2},
        {"run_no": 2, "kind": "left", "record_id": 2},
        {"run_no": 1, "kind": "joined", "record_id": 3},
        {"run_no": 2, "kind": "left", "record_id": 3},
        {"run_no": 3, "kind": "joined", "record_id": 3},
        {"run_no": 1, "kind": "new"},
    ]
    events, of_runs = contract_rows(spark, NOMINAL_EVENT, *moves), contract_rows(spark, NOMINAL_RUN, *late)

    def found(day: date, *asked: int, refused: tuple[int, ...] = ()) -> set[tuple[int, str]]:
        ids, held = (
            local_frame(spark, [(one,) for one in listed], schema="record_id long") for listed in (asked, refused)
        )
        rows = due_records(events, of_runs, runs(spark), ids, held, days=30, held_days=60, day=day)
        return {(row["record_id"], row["due"]) for row in rows.collect()}

    assert found(date(2026, 3, 2)) == set()
    assert found(date(2026, 3, 3)) == {(2, "period_over")}
    assert found(date(2026, 2, 2), 1, 2, 3) == {(2, "asked_for")}, "what still belongs to a nominal follows its source"
    assert found(date(2026, 3, 3), refused=(2,)) == set(), "its source still holds it"
    assert found(date(2026, 4, 2), refused=(2,)) == {(2, "period_over")}
    assert found(date(2026, 2, 2), 2, refused=(2,)) == {(2, "asked_for")}
