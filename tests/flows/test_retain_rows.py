"""What retention leaves of histories and items, on tables that stand in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from linkage_spark.errors import GateError
from linkage_spark.governance.due import ASKED
from linkage_spark.hits.build import stable_id
from linkage_spark.kit.frames import local_frame
from linkage_spark.runs.retain import _refuse_taken_back, hits_as_told, named_subjects
from linkage_spark.runs.retain_rows import RetainedEstate, remove_items, words_that_stay
from linkage_spark.settings.run import load_settings
from linkage_spark.tables.canonical import EMPLOYEE, EVENT, PERSON, REFUSED
from linkage_spark.tables.lifecycle import HIT_HISTORY, ITEM, LINK_HISTORY, LOCATION_HIT_HISTORY
from linkage_spark.tables.linkage import LINK
from linkage_spark.tables.nominals import NOMINAL_EVENT, PERSON_JUDGEMENT
from linkage_spark.tables.results import RUN
from linkage_spark.tables.review import LINK_JUDGEMENT, NEGATED_LINK
from linkage_spark.tables.star import STAR_HIT
from tests.support.contract_rows import contract_rows
from tests.support.feeds import CONF

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from linkage_spark.kit.contract import TableContract

Row = dict[str, Any]

DAYS = [date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)]
PERIODS = {"record_withdrawn": 0, "left_roster": 30, "superseded": 60}
RETENTION = load_settings(CONF, "local", {"retention": {"law_enforcement": PERIODS, "public_task": PERIODS}}).retention
REST = {"employee_id": "E1", "source_system": "crime", "purpose": "law_enforcement"}


@dataclass
class Tables:
    """A store that holds rows in memory, the newest version of each table alone."""

    spark: SparkSession
    rows: dict[TableContract, list[Row]] = field(default_factory=dict)

    def read(self, contract: TableContract, version: int | None = None) -> DataFrame:
        return contract_rows(self.spark, contract, *self.rows.get(contract, []))

    def version(self, contract: TableContract) -> int | None:
        return 1 if contract in self.rows else None

    def overwrite(self, contract: TableContract, frame: DataFrame) -> int:
        assert tuple(frame.columns) == contract.names
        self.rows[contract] = [row.asDict() for row in frame.collect()]
        return 2


def shown(no: int, hit: str, change: str, tier: str, weight: float, **others: Any) -> Row:
    """A row that a run left in the history of a hit."""
    stamps = {"run_id": f"R{no}", "run_day": DAYS[no - 1], "item_change": change}
    of_hit = {"hit_id": hit, "event_ref": f"C-{hit}", "person_ref": f"N-{hit}", "tier": tier, "match_weight": weight}
    return {**REST, **stamps, **of_hit, **others}


def item(hit: str, tier: str, weight: float, before: tuple[str, float] | None, **others: Any) -> Row:
    """What ITEM says of a hit that holds."""
    then = {"tier_before": before[0], "match_weight_before": before[1]} if before is not None else {}
    now = {"is_live": True, "employee_id": "E1", "tier": tier, "match_weight": weight}
    return {"item_kind": "hit", "item_id": hit, **now, **then, **others}


def retained(
    spark: SparkSession,
    rows: dict[TableContract, list[Row]],
    *asked: tuple[str, str | None, str],
    day: date = DAYS[2],
) -> tuple[Tables, RetainedEstate]:
    """Tables after ``remove_items``; every record and event of them stands where ``rows`` does not say otherwise."""
    runs = [{"run_id": f"R{no}", "run_no": no, "run_day": one} for no, one in enumerate(DAYS, start=1)]
    told = [row for history in (HIT_HISTORY, LINK_HISTORY) for row in rows.get(history, [])]
    stands = {
        PERSON: [{"source_system": "crime", "person_ref": ref} for ref in {row["person_ref"] for row in told}],
        EVENT: [{"source_system": "crime", "event_ref": row["event_ref"]} for row in told if "event_ref" in row],
    }
    tables = Tables(spark, {RUN: runs, **stands, **rows})
    run: Any = SimpleNamespace(spark=spark, store=tables, settings=SimpleNamespace(retention=RETENTION), day=day)
    every = (ITEM, HIT_HISTORY, LINK_HISTORY, LOCATION_HIT_HISTORY, PERSON, EVENT, EMPLOYEE, REFUSED, NEGATED_LINK)
    good: Any = None
    versions = {table.name: 1 for table in every}
    estate = RetainedEstate(good=good, nominals=None, nominals_as_they_were=False, versions=versions)
    remove_items(run, estate, local_frame(spark, list(asked), schema=ASKED))
    return tables, estate


def before(tables: Tables) -> dict[str, tuple[str | None, float | None]]:
    return {row["item_id"]: (row["tier_before"], row["match_weight_before"]) for row in tables.rows[ITEM]}


# ---- what was shown before ---------------------------------------------------------------------------------

CHANGED = [shown(1, "h1", "new", "match", 20.5), shown(2, "h1", "changed", "possible", 7.25)]


def test_what_was_shown_before_goes_from_the_item_with_the_row_that_told_it(spark: SparkSession) -> None:
    other = [shown(1, "h2", "new", "possible", 5.0), shown(2, "h2", "changed", "match", 21.0)]
    items = [item("h1", "possible", 7.25, ("match", 20.5)), item("h2", "match", 21.0, ("possible", 5.0))]
    rows = {HIT_HISTORY: [*CHANGED, *other], ITEM: items}
    tables, estate = retained(spark, rows, ("person", "crime", "N-h1"))
    assert before(tables) == {"h1": (None, None), "h2": ("possible", 5.0)}
    now = {row["item_id"]: (row["tier"], row["match_weight"], row["is_live"]) for row in tables.rows[ITEM]}
    assert now == {"h1": ("possible", 7.25, True), "h2": ("match", 21.0, True)}
    assert {(row["hit_id"], row["run_id"]) for row in tables.rows[HIT_HISTORY]} == {
        ("h1", "R2"),
        ("h2", "R1"),
        ("h2", "R2"),
    }
    assert estate.removed[("hit_history", "asked_for")] == 1


def test_what_was_shown_before_goes_where_its_row_alone_named_whom_somebody_asked_for(spark: SparkSession) -> None:
    rows = [
        shown(1, "h1", "new", "match", 30.0),
        shown(2, "h1", "changed", "possible", 9.0, person_ref="N-other"),
        shown(3, "h1", "changed", "match", 20.0),
    ]
    history = {HIT_HISTORY: rows, ITEM: [item("h1", "match", 20.0, ("possible", 9.0))]}
    tables, _ = retained(spark, history, ("person", "crime", "N-other"))
    assert {row["run_id"] for row in tables.rows[HIT_HISTORY]} == {"R1", "R3"}
    assert before(tables) == {"h1": (None, None)}, "what is left was shown before that"


def test_what_was_shown_before_stays_while_the_row_before_the_newest_does(spark: SparkSession) -> None:
    rows = [shown(1, "h1", "new", "match", 30.0), *CHANGED[1:], shown(3, "h1", "changed", "match", 20.0)]
    history = {HIT_HISTORY: rows, ITEM: [item("h1", "match", 20.0, ("possible", 7.25))]}
    tables, _ = retained(spark, history, day=date(2026, 4, 2))
    assert {row["run_id"] for row in tables.rows[HIT_HISTORY]} == {"R2", "R3"}, "superseded 60 days ago"
    assert before(tables) == {"h1": ("possible", 7.25)}


def test_links_forget_what_was_shown_before_too_and_places_never_had_any(spark: SparkSession) -> None:
    links = [{**row, "person_ref": "N1"} for row in CHANGED]
    links = [{name: row[name] for name in row if name in LINK_HISTORY.names} for row in links]
    places = [
        {"run_id": f"R{no}", "run_day": DAYS[no - 1], "location_hit_id": "l1", "employee_id": "E1", "event_ref": "G1"}
        | {"source_system": "crime", "purpose": "law_enforcement", "item_change": change}
        for no, change in ((1, "new"), (2, "changed"))
    ]
    rows = {LINK_HISTORY: links, LOCATION_HIT_HISTORY: places, EVENT: [{"source_system": "crime", "event_ref": "G1"}]}
    place = {"item_kind": "location_hit", "item_id": "l1", "employee_id": "E1", "is_live": True}
    link_item = {**item("k1", "possible", 7.25, ("match", 20.5)), "item_kind": "link"}
    ids = contract_rows(spark, LINK_HISTORY, *links).select(stable_id(*LINK.key).alias("id")).distinct().collect()
    assert len(ids) == 1
    link_item["item_id"] = ids[0]["id"]
    tables, _ = retained(spark, {**rows, ITEM: [link_item, place]}, ("person", "crime", "N1"))
    assert before(tables) == {link_item["item_id"]: (None, None), "l1": (None, None)}


def test_an_item_that_is_gone_goes_with_its_last_row(spark: SparkSession) -> None:
    gone = [
        shown(1, "h1", "new", "match", 20.0),
        shown(2, "h1", "withdrawn", "match", 20.0, withdrawal_reason="left_roster"),
    ]
    rows = {HIT_HISTORY: gone, ITEM: [item("h1", "match", 20.0, ("match", 20.0), is_live=False)]}
    tables, _ = retained(spark, rows, ("employee", None, "E1"))
    assert tables.rows[ITEM] == []
    assert tables.rows[HIT_HISTORY] == []


# ---- what its source holds and we refused -------------------------------------------------------------------


def refused(produces: str, reason: str, **refs: str) -> Row:
    return {"produces": produces, "row_key": "k", "reason": reason, "row_json": '{"K": "k"}', **refs}


@pytest.mark.parametrize(
    ("produces", "ref", "reason", "stays"),
    [
        ("person", "person_ref", "not_a_person", True),
        ("person", "person_ref", "withdrawn", False),
        ("person", "person_ref", "unknown_person", False),
        ("event", "event_ref", "unreadable_date", True),
        ("event", "event_ref", "disposal_due", False),
        ("event", "event_ref", "superseded_version", False),
    ],
)
def test_what_its_source_still_holds_is_not_gone_though_it_was_refused(
    spark: SparkSession, produces: str, ref: str, reason: str, *, stays: bool
) -> None:
    history = [
        shown(1, "h1", "new", "match", 20.0),
        shown(2, "h1", "withdrawn", "match", 20.0, withdrawal_reason="record_refused"),
    ]
    refs = {"source_system": "crime", ref: history[0][ref]}
    rows: dict[TableContract, list[Row]] = {
        HIT_HISTORY: history,
        ITEM: [item("h1", "match", 20.0, ("match", 20.0), is_live=False)],
        (PERSON if produces == "person" else EVENT): [],
        REFUSED: [refused(produces, reason, **refs)],
    }
    tables, _ = retained(spark, rows)
    assert bool(tables.rows[HIT_HISTORY]) == bool(tables.rows[ITEM]) == stays
    tables, _ = retained(spark, {**rows, REFUSED: []})
    assert tables.rows[HIT_HISTORY] == [], "taken back since"


@pytest.mark.parametrize("on_roster", [True, False])
def test_a_rival_whose_hr_rows_were_refused_is_still_on_the_roster(spark: SparkSession, *, on_roster: bool) -> None:
    links = [{**REST, "run_id": "R1", "run_day": DAYS[0], "item_change": "new", "person_ref": "N1"}]
    links = [{name: row[name] for name in row if name in LINK_HISTORY.names} for row in links]
    rows = {
        LINK_HISTORY: [{**links[0], "rival_employee_id": "E9"}],
        EMPLOYEE: [{"employee_id": "E1"}],
        REFUSED: [refused("assignment", "conflicting_roster_rows", source_system="hr", person_ref="E9")] * on_roster,
    }
    tables, estate = retained(spark, rows)
    assert (("link_history", "rival_gone") in estate.removed) != on_roster
    assert tables.rows[LINK_HISTORY][0]["rival_employee_id"] == ("E9" if on_roster else None)


# ---- the snapshot, and those who were asked for -------------------------------------------------------------


def test_a_snapshot_says_of_a_hit_what_was_shown_before_while_its_item_does(spark: SparkSession) -> None:
    hits = contract_rows(
        spark,
        STAR_HIT,
        *[
            {"hit_key": key, "hit_tier": "match", "hit_tier_before": "possible", "hit_match_weight_before": 5.5}
            for key in ("h1", "h2", "h3")
        ],
        {"hit_key": "h4"},
    )
    items = contract_rows(
        spark,
        ITEM,
        item("h1", "match", 20.0, ("possible", 5.5)),
        item("h2", "match", 20.0, None),
        {**item("h3", "match", 20.0, ("possible", 5.5)), "item_kind": "location_hit"},
        item("h4", "match", 20.0, None),
    )
    found = hits_as_told(hits, items)
    assert found.columns == hits.columns
    told = {(row["hit_key"], row["hit_tier_before"], row["hit_match_weight_before"]) for row in found.collect()}
    assert told == {("h1", "possible", 5.5), ("h2", None, None), ("h3", None, None), ("h4", None, None)}
    rest = [name for name in hits.columns if not name.endswith("_before")]
    assert found.select(*rest).exceptAll(hits.select(*rest)).isEmpty()


def test_those_whom_a_table_names_are_found_whatever_the_table_and_as_they_are_written_alone(
    spark: SparkSession,
) -> None:
    record = contract_rows(spark, PERSON, {"source_system": "crime", "person_ref": "N5"})
    ids = record.selectExpr("xxhash64(source_system, person_ref) as id").collect()[0]["id"]
    frames = {
        PERSON: contract_rows(
            spark,
            PERSON,
            {"source_system": "crime", "person_ref": "N1"},
            {"source_system": "hr", "person_ref": "E1"},
        ),
        REFUSED: contract_rows(spark, REFUSED, refused("event", "missing_key", source_system="crime", event_ref="C2")),
        ITEM: contract_rows(spark, ITEM, item("h1", "match", 20.0, None, employee_id="E2")),
        LINK_HISTORY: contract_rows(
            spark,
            LINK_HISTORY,
            {"employee_id": "E3", "source_system": "intel", "person_ref": "N3", "rival_employee_id": "E4"},
        ),
        HIT_HISTORY: contract_rows(spark, HIT_HISTORY, {"source_system": "crime", "event_ref": "C1"}),
        NOMINAL_EVENT: contract_rows(spark, NOMINAL_EVENT, {"run_no": 1, "kind": "left", "record_id": ids}),
        PERSON_JUDGEMENT: contract_rows(spark, PERSON_JUDGEMENT),
    }
    held = {
        *(("employee", None, f"E{no}") for no in (1, 2, 3, 4)),
        *(("person", source, ref) for source, ref in (("crime", "N1"), ("intel", "N3"), ("crime", "N5"))),
        *(("event", "crime", ref) for ref in ("C1", "C2")),
    }
    unknown = {
        *(("employee", None, ref) for ref in ("e1", "E 1", "N1", "C1")),
        *(("person", source, ref) for source, ref in (("crime", "n1"), ("intel", "N1"), ("crime", "E1"))),
        *(("event", source, ref) for source, ref in (("crime", "c1"), ("intel", "C1"), ("crime", "N1"))),
    }
    assert named_subjects(frames, sorted(held | unknown, key=repr)) == held
    assert named_subjects(frames, sorted(unknown, key=repr)) == frozenset()


def test_words_on_a_link_stay_as_long_as_its_history_or_while_they_hold_it_back(spark: SparkSession) -> None:
    pairs = [{"employee_id": "E1", "source_system": "crime", "person_ref": f"N{no}"} for no in (1, 2, 3)]
    said = contract_rows(spark, LINK_JUDGEMENT, *pairs, {**pairs[0], "source_system": "intel"})
    links = contract_rows(
        spark, LINK_HISTORY, pairs[0], {**pairs[0], "run_id": "R2"}, {**pairs[2], "employee_id": "E2"}
    )
    stay = words_that_stay(said, links, contract_rows(spark, NEGATED_LINK, pairs[1]))
    assert stay.columns == list(LINK_JUDGEMENT.names)
    told = [(row["employee_id"], row["source_system"], row["person_ref"]) for row in stay.collect()]
    assert sorted(told) == [("E1", "crime", "N1"), ("E1", "crime", "N2")]


def test_a_word_goes_once_it_holds_nothing_back_though_the_history_of_its_link_had_gone_before(
    spark: SparkSession,
) -> None:
    pair = {"employee_id": "E1", "source_system": "crime", "person_ref": "N1"}
    for negated, left in (([pair], 1), ([], 0)):
        tables, estate = retained(spark, {LINK_JUDGEMENT: [pair], NEGATED_LINK: negated})
        assert len(tables.rows[LINK_JUDGEMENT]) == left
        assert estate.removed[(LINK_JUDGEMENT.name, "period_over")] == 1 - left


# ---- readers who were taken back ----------------------------------------------------------------------------


@pytest.mark.parametrize(("shown", "refused"), [("B-first", True), ("A-later", False), ("C-unchanged", True)])
def test_nothing_is_removed_while_readers_see_another_run_than_the_newest_that_published(
    spark: SparkSession, shown: str, *, refused: bool
) -> None:
    """By the order in which they ended: the clock of the later one had gone back."""
    rows = [("B-first", 1, "published"), ("A-later", 2, "published"), ("C-unchanged", 3, "unchanged")]
    runs = [{"run_id": run_id, "run_no": no, "status": status} for run_id, no, status in rows]
    run: Any = SimpleNamespace(store=Tables(spark, {RUN: [*runs, {"run_id": "D", "run_no": 4, "status": "failed"}]}))
    good: Any = SimpleNamespace(shown_run_id=shown)
    if refused:
        with pytest.raises(GateError, match=f"readers were taken back to {shown}, .* or show A-later again"):
            _refuse_taken_back(run, good)
    else:
        _refuse_taken_back(run, good)
