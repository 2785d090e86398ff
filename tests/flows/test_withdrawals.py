"""Why what was shown no longer holds: left, taken back, refused or amended; and what of a source is still held though it was refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from linkage_spark.hits.withdrawals import Estate, still_held, withdrawal_reasons
from linkage_spark.kit.frames import local_frame
from linkage_spark.tables.canonical import EVENT, INVOLVEMENT, LOCATION, PERSON, REFUSED
from linkage_spark.tables.review import NEGATED_LINK
from tests.support.contract_rows import contract_rows

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from linkage_spark.kit.contract import TableContract

Row = dict[str, Any]

EMPLOYEE: Row = {"source_system": "hr", "person_ref": "E1"}
RECORD: Row = {"source_system": "crime", "person_ref": "N1"}
CRIME: Row = {"source_system": "crime", "event_ref": "C1"}
PART: Row = {**CRIME, "person_ref": "N1", "role_raw": "SUSPECT"}
PLACE: Row = {**CRIME, "location_no": 1}
WHOLE = {
    "person": [EMPLOYEE, RECORD],
    "event": [CRIME],
    "involvement": [PART],
    "location": [PLACE],
}


def refused(produces: str, unit: Row, reason: str, **others: Any) -> Row:
    """A row of REFUSED that speaks of a unit."""
    refs = {name: unit[name] for name in ("source_system", "person_ref", "event_ref") if name in unit}
    key = "/".join(str(unit[name]) for name in ("event_ref", "person_ref", "role_raw") if name in unit)
    content = "{}" if reason in ("withdrawn", "disposal_due") else '{"KEY": "x"}'
    return {"produces": produces, **refs, "row_key": key, "reason": reason, "row_json": content, **others}


def estate(spark: SparkSession, rows: dict[str, list[Row]], out: list[Row]) -> Estate:
    tables = {table.name: contract_rows(spark, table, *rows[table.name]) for table in _TABLES}
    return Estate(**tables, refused=contract_rows(spark, REFUSED, *out))


_TABLES: tuple[TableContract, ...] = (PERSON, EVENT, INVOLVEMENT, LOCATION)
_GONE = (
    "item_kind string, item_id string, employee_id string, source_system string, person_ref string, event_ref string"
)


def reasons(
    spark: SparkSession,
    gone_from: tuple[str, ...],
    *out: Row,
    software: bool = True,
    judged: bool = False,
    model: bool = False,
) -> dict[str, str | None]:
    """Why a link, a hit and a location hit went once some units stand in no table; by kind.

    Args:
        spark: the session.
        gone_from: 'employee', 'record', 'event', 'part', 'place'.
        out: what was refused.
        software: other software decides now, which explains whatever nothing else does.
        judged: a reviewer has negated the link.
        model: another model decides now.
    """
    units = {
        "person": [row for name, row in (("employee", EMPLOYEE), ("record", RECORD)) if name not in gone_from],
        "event": [CRIME] if "event" not in gone_from else [],
        "involvement": [PART] if "part" not in gone_from else [],
        "location": [PLACE] if "place" not in gone_from else [],
    }
    gone = [
        ("link", "1", "E1", "crime", "N1", None),
        ("hit", "2", "E1", "crime", "N1", "C1"),
        ("location_hit", "3", "E1", "crime", None, "C1"),
    ]
    found = withdrawal_reasons(
        local_frame(spark, gone, schema=_GONE),
        estate(spark, WHOLE, []),
        estate(spark, units, list(out)),
        negated=contract_rows(spark, NEGATED_LINK, *([{"employee_id": "E1", **RECORD}] if judged else [])),
        model_changed=model,
        software_changed=software,
    )
    return {row["item_kind"]: row["withdrawal_reason"] for row in found.collect()}


EVERY = ("link", "hit", "location_hit")
ORPHAN = refused("involvement", PART, "unknown_event")
CASES = {
    "the employee has left": (("employee",), (), dict.fromkeys(EVERY, "left_roster")),
    "a superseded row is no row of the roster": (
        ("employee",),
        (refused("assignment", EMPLOYEE, "superseded_version"),),
        dict.fromkeys(EVERY, "left_roster"),
    ),
    "HR rows that conflict": (
        ("employee",),
        (refused("assignment", EMPLOYEE, "conflicting_roster_rows"),),
        dict.fromkeys(EVERY, "roster_refused"),
    ),
    "a person type that nobody mapped": (
        ("employee",),
        (refused("assignment", EMPLOYEE, "unknown_value", column_name="PERSON_TYPE"),),
        dict.fromkeys(EVERY, "roster_refused"),
    ),
    "one assignment withdrawn, the other refused": (
        ("employee",),
        (
            refused("assignment", EMPLOYEE, "withdrawn", row_key="E1/1"),
            refused("assignment", EMPLOYEE, "unknown_value", row_key="E1/2"),
        ),
        dict.fromkeys(EVERY, "roster_refused"),
    ),
    "the record is gone": (
        ("record", "part"),
        (refused("involvement", PART, "unknown_person"),),
        {"link": "record_withdrawn", "hit": "record_withdrawn", "location_hit": "software_changed"},
    ),
    "the record is gone and an alias hangs on nothing": (
        ("record",),
        (refused("person", RECORD, "unknown_person"), refused("person", RECORD, "wrong_type", row_key="N1/x")),
        {"link": "record_withdrawn", "hit": "record_withdrawn", "location_hit": "software_changed"},
    ),
    "the record is marked as withdrawn, an older row of it could not be read": (
        ("record",),
        (refused("person", RECORD, "withdrawn"), refused("person", RECORD, "unreadable_date", column_name="AT")),
        {"link": "record_withdrawn", "hit": "record_withdrawn", "location_hit": "software_changed"},
    ),
    "the record is an organisation now": (
        ("record", "part"),
        (refused("person", RECORD, "not_a_person"), refused("involvement", PART, "not_a_person")),
        {"link": "record_refused", "hit": "record_refused", "location_hit": "software_changed"},
    ),
    "no time of the event can be read": (
        ("event", "part", "place"),
        (
            refused("event", CRIME, "unreadable_date", column_name="OCC_FROM"),
            ORPHAN,
            refused("location", CRIME, "unknown_event"),
        ),
        {"link": "software_changed", "hit": "record_refused", "location_hit": "record_refused"},
    ),
    "the event is gone, and its part is refused for that": (
        ("event", "part"),
        (ORPHAN,),
        {"link": "software_changed", "hit": "record_withdrawn", "location_hit": "record_withdrawn"},
    ),
    "the event is due for disposal, and its part goes with it": (
        ("event", "part", "place"),
        (
            refused("event", CRIME, "disposal_due"),
            {**ORPHAN, "row_json": "{}"},
            refused("location", CRIME, "unknown_event", row_json="{}"),
        ),
        {"link": "software_changed", "hit": "record_withdrawn", "location_hit": "record_withdrawn"},
    ),
    "an event that is taken back, and no time of it can be read": (
        ("event", "part"),
        (refused("event", CRIME, "unreadable_date", column_name="OCC_FROM", row_json="{}"), ORPHAN),
        {"link": "software_changed", "hit": "record_withdrawn", "location_hit": "record_withdrawn"},
    ),
    "a disposal date that cannot be read": (
        ("event", "part"),
        (refused("event", CRIME, "unreadable_date", row_json="{}"), {**ORPHAN, "row_json": "{}"}),
        {"link": "software_changed", "hit": "record_refused", "location_hit": "record_refused"},
    ),
    "the part is taken back": (
        ("part",),
        (refused("involvement", PART, "withdrawn"),),
        {"link": "software_changed", "hit": "record_withdrawn", "location_hit": "software_changed"},
    ),
    "a place without a number": (
        ("place",),
        (refused("location", CRIME, "wrong_type", column_name="LOC_SEQ"),),
        {"link": "software_changed", "hit": "record_refused", "location_hit": "record_refused"},
    ),
    "the place is gone": (
        ("place",),
        (),
        {"link": "software_changed", "hit": "record_amended", "location_hit": "record_amended"},
    ),
    "what is taken back comes before what is refused": (
        ("employee", "record"),
        (refused("assignment", EMPLOYEE, "conflicting_roster_rows"), refused("person", RECORD, "withdrawn")),
        {"link": "record_withdrawn", "hit": "record_withdrawn", "location_hit": "roster_refused"},
    ),
    "a refused row of somebody else": (
        ("record",),
        (refused("person", {**RECORD, "source_system": "intel"}, "not_a_person"),),
        {"link": "record_withdrawn", "hit": "record_withdrawn", "location_hit": "software_changed"},
    ),
}


@pytest.mark.parametrize(("gone_from", "out", "expected"), list(CASES.values()), ids=list(CASES))
def test_why_something_went(
    spark: SparkSession, gone_from: tuple[str, ...], out: tuple[Row, ...], expected: dict[str, str]
) -> None:
    assert reasons(spark, gone_from, *out) == expected


def test_a_refused_row_of_what_still_stands_explains_nothing(spark: SparkSession) -> None:
    found = reasons(spark, (), refused("person", RECORD, "not_a_person"), software=False)
    assert found == dict.fromkeys(EVERY)


def units(frame: DataFrame) -> set[tuple[str, ...]]:
    return {tuple(row) for row in frame.collect()}


def test_what_its_source_still_holds_is_told_unit_by_unit(spark: SparkSession) -> None:
    rows = contract_rows(
        spark,
        REFUSED,
        refused("assignment", EMPLOYEE, "conflicting_roster_rows"),
        refused("assignment", EMPLOYEE, "conflicting_roster_rows", copy_no=2),
        refused("person", RECORD, "not_a_person"),
        refused("person", {**RECORD, "person_ref": "N2"}, "duplicate_row"),
        refused("person", {"source_system": "crime"}, "missing_key"),
        refused("event", CRIME, "unreadable_date"),
        refused("event", {**CRIME, "event_ref": "C2"}, "superseded_version"),
        refused("involvement", PART, "withdrawn"),
        refused("involvement", PART, "not_a_person", row_key="C1/N1/VICTIM"),
    )
    assert units(still_held(rows, PERSON)) == {("hr", "E1"), ("crime", "N1")}
    assert units(still_held(rows, EVENT)) == {("crime", "C1")}
    assert units(still_held(rows, INVOLVEMENT)) == {("crime", "C1", "N1")}
    assert units(still_held(rows, LOCATION)) == set()


def test_what_a_reviewer_negated_went_for_that_whatever_else_happened_to_it(spark: SparkSession) -> None:
    of_pair = {"link": "judged_not_same", "hit": "judged_not_same"}
    for model, gone_from, other in ((False, ("place",), "record_amended"), (True, ("place",), "model_changed")):
        found = reasons(spark, gone_from, judged=True, model=model)
        assert found == {**of_pair, "location_hit": other}, "no person is asserted of a place"
