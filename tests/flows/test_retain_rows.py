"""What retention leaves of histories and items, on tables that stand in memory."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from linkage_spark.errors import GateError
from linkage_spark.governance.due import ASKED
from linkage_spark.hits.build import stable_id
from linkage_spark.kit.frames import local_frame
from linkage_spark.nominals.records import record_id
from linkage_spark.runs.retain import Order, _refuse_taken_back, _still_held, _was_begun, hits_as_told, named_subjects
from linkage_spark.runs.retain_files import SPARED_HOURS
from linkage_spark.runs.retain_rows import RetainedEstate, find_words, remove_items, remove_words
from linkage_spark.runs.retain_told import removal_rows
from linkage_spark.settings.run import load_settings
from linkage_spark.store.delta import DeltaStore
from linkage_spark.store.purging import purge
from linkage_spark.tables.canonical import EMPLOYEE, EVENT, PERSON, REFUSED
from linkage_spark.tables.governance import REMOVAL
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

    def exists(self, contract: TableContract) -> bool:
        return contract in self.rows

    def remove(self, contract: TableContract, rows: DataFrame) -> int:
        going = {tuple(row) for row in rows.select(*contract.key).collect()}
        stand = [tuple(row) for row in self.read(contract).select(*contract.key).collect()]
        rows_of = zip(stand, self.rows[contract], strict=True)
        self.rows[contract] = [row for key, row in rows_of if key not in going]
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
    """Tables after ``remove_items`` and the words; every record and event of them stands where ``rows`` does not say otherwise."""
    runs = [{"run_id": f"R{no}", "run_no": no, "run_day": one} for no, one in enumerate(DAYS, start=1)]
    told = [row for history in (HIT_HISTORY, LINK_HISTORY) for row in rows.get(history, [])]
    stands = {
        PERSON: [{"source_system": "crime", "person_ref": ref} for ref in {row["person_ref"] for row in told}],
        EVENT: [{"source_system": "crime", "event_ref": row["event_ref"]} for row in told if "event_ref" in row],
    }
    tables = Tables(spark, {RUN: runs, **stands, **rows})
    run = run_on(tables, day)
    every = (ITEM, HIT_HISTORY, LINK_HISTORY, LOCATION_HIT_HISTORY, PERSON, EVENT, EMPLOYEE, REFUSED, NEGATED_LINK)
    good: Any = None
    versions = {table.name: 1 for table in every}
    estate = RetainedEstate(good=good, nominals=None, nominals_as_they_were=False, versions=versions)
    wanted = local_frame(spark, list(asked), schema=ASKED)
    remove_items(run, estate, wanted)
    find_words(run, estate, wanted)
    remove_words(run, estate)
    return tables, estate


def run_on(tables: Tables, day: date = DAYS[2]) -> Any:
    return SimpleNamespace(spark=tables.spark, store=tables, settings=SimpleNamespace(retention=RETENTION), day=day)


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


# ---- reviewers' words --------------------------------------------------------------------------------------

PAIR = {"employee_id": "E1", "source_system": "crime", "person_ref": "N1"}
EMPLOYED = {"source_system": "hr", "person_ref": "E1"}
RECORDED = {"source_system": "crime", "person_ref": "N1"}
E1, N1 = ("employee", None, "E1"), ("person", "crime", "N1")


def linked(no: int, change: str, **others: Any) -> Row:
    """A row that a run left in the history of the link of PAIR."""
    return {**PAIR, "run_id": f"R{no}", "run_day": DAYS[no - 1], "item_change": change, **others}


def refused_person(**refs: str) -> Row:
    return refused("assignment" if refs["source_system"] == "hr" else "person", "not_a_person", **refs)


def why_words_went(estate: RetainedEstate, table: TableContract = LINK_JUDGEMENT) -> dict[str, int]:
    return {reason: rows for (part, reason), rows in estate.removed.items() if part == table.name and rows}


def test_words_on_a_link_stay_as_long_as_its_history_or_while_they_hold_it_back(spark: SparkSession) -> None:
    pairs = [{**PAIR, "person_ref": f"N{no}"} for no in (1, 2, 3)]
    of_another = linked(1, "new", employee_id="E2", person_ref="N3")
    rows = {
        LINK_JUDGEMENT: [*pairs, {**PAIR, "source_system": "intel"}],
        LINK_HISTORY: [linked(1, "new"), of_another],
        NEGATED_LINK: [pairs[1]],
        PERSON: [],
    }
    tables, estate = retained(spark, rows)
    told = [(row["employee_id"], row["source_system"], row["person_ref"]) for row in tables.rows[LINK_JUDGEMENT]]
    assert told == [("E1", "crime", "N1"), ("E1", "crime", "N2")]
    assert why_words_went(estate) == {"period_over": 2}
    assert estate.versions[LINK_HISTORY.name] == 1, "no history was written for it"


def test_a_word_goes_once_it_holds_nothing_back_though_the_history_of_its_link_had_gone_before(
    spark: SparkSession,
) -> None:
    for negated, left in (([PAIR], 1), ([], 0)):
        tables, estate = retained(spark, {LINK_JUDGEMENT: [PAIR], NEGATED_LINK: negated})
        assert len(tables.rows[LINK_JUDGEMENT]) == left
        assert why_words_went(estate) == ({} if left else {"period_over": 1})


@pytest.mark.parametrize(
    ("persons", "refused_rows", "asked", "went"),
    [
        ([EMPLOYED, RECORDED], [], (), {}),
        ([EMPLOYED], [RECORDED], (), {}),
        ([RECORDED], [EMPLOYED], (), {}),
        ([], [EMPLOYED, RECORDED], (), {}),
        ([EMPLOYED], [], (), {"period_over": 1}),
        ([RECORDED], [], (), {"period_over": 1}),
        ([EMPLOYED, RECORDED], [], (E1, N1), {}),
        ([EMPLOYED], [RECORDED], (E1,), {"asked_for": 1}),
        ([EMPLOYED], [RECORDED], (N1,), {"asked_for": 1}),
        ([EMPLOYED], [], (E1,), {"asked_for": 1}),
        ([EMPLOYED], [], (("employee", None, "N1"), ("person", "intel", "N1")), {"period_over": 1}),
    ],
)
def test_a_word_stays_while_both_stand_though_nothing_links_them_now(
    spark: SparkSession, persons: list[Row], refused_rows: list[Row], asked: tuple[Any, ...], went: dict[str, int]
) -> None:
    rows = {LINK_JUDGEMENT: [PAIR], PERSON: persons, REFUSED: [refused_person(**refs) for refs in refused_rows]}
    tables, estate = retained(spark, rows, *asked)
    assert why_words_went(estate) == went
    assert len(tables.rows[LINK_JUDGEMENT]) == 1 - sum(went.values())


def test_an_order_leaves_words_while_the_link_stands_and_takes_them_with_it(spark: SparkSession) -> None:
    order = Order(subjects=(E1, N1), reference="IG/1")
    stands = {LINK_JUDGEMENT: [PAIR], LINK_HISTORY: [linked(1, "new")], PERSON: [EMPLOYED, RECORDED]}
    tables, estate = retained(spark, stands, *order.subjects)
    assert tables.rows[LINK_JUDGEMENT] == [PAIR]
    said = _still_held(run_on(tables), estate, order)
    assert "2 of the 2 asked for still stand in the feeds" in said
    assert "Reviewers' words still name 2 of the 2 asked for" in said
    assert "N1" not in said

    gone = [linked(1, "new"), linked(2, "withdrawn", withdrawal_reason="record_withdrawn")]
    tables, estate = retained(spark, {**stands, LINK_HISTORY: gone, PERSON: [EMPLOYED]}, *order.subjects)
    assert (tables.rows[LINK_JUDGEMENT], tables.rows[LINK_HISTORY]) == ([], [])
    assert why_words_went(estate) == {"asked_for": 1}
    assert "Reviewers' words" not in _still_held(run_on(tables), estate, order)

    # Nothing but the word was left of them when the order came: said again, it finds that it was carried out.
    tables, estate = retained(spark, {LINK_JUDGEMENT: [PAIR]}, *order.subjects)
    told = {("rows", *what): (rows, 0, 0) for what, rows in estate.removed.items()}
    removals = [dict(zip(REMOVAL.names, row, strict=True)) for row in removal_rows("R9", DAYS[2], "IG/1", told)]
    again = run_on(Tables(spark, {REMOVAL: removals}))
    assert _was_begun(again, order)
    assert not _was_begun(again, Order(subjects=order.subjects, reference="IG/2"))
    assert _still_held(run_on(tables), estate, order) == "Of the 2 asked for no table holds anything now."


def test_a_word_that_alone_names_somebody_is_said_to_be_held(spark: SparkSession) -> None:
    order = Order(subjects=(E1, ("event", "crime", "C1")), reference="IG/1")
    _, estate = retained(spark, {})
    said = _still_held(run_on(Tables(spark, {LINK_JUDGEMENT: [PAIR]})), estate, order)
    assert said.startswith("Reviewers' words still name 1 of the 2 asked for")


def test_an_order_is_worked_on_though_the_table_of_words_is_gone_that_the_last_good_run_had_read(
    spark: SparkSession,
) -> None:
    class WithoutWords(Tables):
        def read(self, contract: TableContract, version: int | None = None) -> DataFrame:
            assert contract not in (LINK_JUDGEMENT, PERSON_JUDGEMENT), "nothing stands there"
            return super().read(contract, version)

    order = Order(subjects=(E1,), reference="IG/1")
    _, estate = retained(spark, {})
    estate.versions |= {LINK_JUDGEMENT.name: 5, PERSON_JUDGEMENT.name: 5}
    assert _still_held(run_on(WithoutWords(spark)), estate, order) == "Of the 1 asked for no table holds anything now."


def test_words_that_came_in_since_are_for_the_next_run_to_find(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    for after, pinned in ((2, 2), (3, 1)):
        monkeypatch.setattr(Tables, "remove", lambda *_, after=after: after)
        tables = Tables(spark, {LINK_JUDGEMENT: [PAIR]})
        versions = {table.name: 1 for table in (PERSON, REFUSED, LINK_HISTORY, NEGATED_LINK, LINK_JUDGEMENT)}
        good: Any = None
        estate = RetainedEstate(good=good, nominals=None, nominals_as_they_were=False, versions=versions)
        find_words(run_on(tables), estate, local_frame(spark, [], schema=ASKED))
        remove_words(run_on(tables), estate)
        assert estate.versions[LINK_JUDGEMENT.name] == pinned


def test_a_word_on_two_records_stays_while_both_stand_or_the_moves_of_nominals_tell_of_them(
    spark: SparkSession,
) -> None:
    persons = [{"source_system": "crime", "person_ref": f"N{no}"} for no in range(1, 6)]
    frame = contract_rows(spark, PERSON, *persons).select("person_ref", record_id().alias("id"))
    ids = {row["person_ref"]: row["id"] for row in frame.collect()}

    def left(others: dict[TableContract, list[Row]], *asked: tuple[str, str | None, str]) -> tuple[set[str], Any]:
        # N1 stands, N2 was refused, of N3 the moves of nominals tell; N4 and N5 are gone.
        said = [{"left_record_id": ids["N1"], "right_record_id": ids[f"N{no}"]} for no in range(2, 6)]
        tables = Tables(spark, {PERSON: persons[:1], PERSON_JUDGEMENT: said, **others})
        good: Any = None
        versions = {table.name: 1 for table in (PERSON, REFUSED, NOMINAL_EVENT)}
        estate = RetainedEstate(good=good, nominals=None, nominals_as_they_were=False, versions=versions)
        find_words(run_on(tables), estate, local_frame(spark, list(asked), schema=ASKED))
        remove_words(run_on(tables), estate)
        names = {no: ref for ref, no in ids.items()}
        stay = {names[row["right_record_id"]] for row in tables.rows[PERSON_JUDGEMENT]}
        return stay, why_words_went(estate, PERSON_JUDGEMENT)

    stands: dict[TableContract, list[Row]] = {
        REFUSED: [refused_person(**persons[1])],
        NOMINAL_EVENT: [{"run_no": 1, "kind": "left", "record_id": ids["N3"]}, {"run_no": 1, "kind": "created"}],
    }
    assert left(stands) == ({"N2", "N3"}, {"period_over": 2})
    assert left(stands, ("person", "crime", "N5")) == ({"N2", "N3"}, {"period_over": 1, "asked_for": 1})
    assert left(stands, ("person", "crime", "N2")) == ({"N3"}, {"period_over": 2, "asked_for": 1})


def words_in(spark: SparkSession, *refs: str) -> DataFrame:
    at = datetime(2026, 1, 2, tzinfo=UTC)
    rows = [{**PAIR, "person_ref": ref, "judgement": "not_same", "judged_at": at, "reviewer": "A"} for ref in refs]
    return contract_rows(spark, LINK_JUDGEMENT, *rows)


def refs_of(store: DeltaStore) -> list[str]:
    return sorted(row["person_ref"] for row in store.read(LINK_JUDGEMENT).collect())


def test_a_word_that_is_added_while_others_go_stays(spark: SparkSession, tmp_path: Path) -> None:
    store = DeltaStore(spark, str(tmp_path))
    before = store.append(LINK_JUDGEMENT, words_in(spark, "N1", "N2"))
    due = store.read(LINK_JUDGEMENT, version=before).where("person_ref = 'N1'")
    store.append(LINK_JUDGEMENT, words_in(spark, "N3"))
    assert store.remove(LINK_JUDGEMENT, due) == before + 2
    assert refs_of(store) == ["N2", "N3"]
    assert store.remove(LINK_JUDGEMENT, due) >= before + 2, "nothing more is there to go"
    assert refs_of(store) == ["N2", "N3"]
    log = "".join(path.read_text() for path in Path(store.path(LINK_JUDGEMENT), "_delta_log").glob("*.json"))
    assert "not_same" not in log
    assert not [ref for ref in ("N1", "N2", "N3", "E1") if f'"{ref}' in log or f'{ref}\\"' in log]


def test_words_that_others_add_and_take_out_at_the_same_moment_are_neither_lost_nor_left(
    spark: SparkSession, tmp_path: Path
) -> None:
    """For real: Delta refuses what two do at once, and whoever was refused does it again."""
    store, added = DeltaStore(spark, str(tmp_path)), [f"A{no}" for no in range(6)]
    store.append(LINK_JUDGEMENT, words_in(spark, "N1", "N2", "N3", "N4").coalesce(1))
    path = store.path(LINK_JUDGEMENT)

    def add() -> None:
        for ref in added:
            words_in(spark, ref).coalesce(1).write.format("delta").mode("append").save(path)

    with ThreadPoolExecutor() as together:
        adding = together.submit(add)
        for ref in ("N1", "N2", "N3"):
            store.remove(LINK_JUDGEMENT, words_in(spark, ref))
        adding.result()
    assert refs_of(store) == [*added, "N4"]


def test_files_of_words_that_went_go_now_and_one_that_is_being_added_does_not(
    spark: SparkSession, tmp_path: Path
) -> None:
    store = DeltaStore(spark, str(tmp_path))
    before = store.append(LINK_JUDGEMENT, words_in(spark, "N1", "N2").coalesce(1))
    folder = Path(store.path(LINK_JUDGEMENT))
    superseded = {path.name for path in folder.glob("*.parquet")}
    being_added, left_behind = folder / "part-being-added.parquet", folder / "part-left-behind.parquet"
    for path in (being_added, left_behind):
        path.write_bytes(next(folder.glob("*.parquet")).read_bytes())
    two_days_ago = time.time() - 2 * 24 * 3600
    os.utime(left_behind, (two_days_ago, two_days_ago))
    version = store.remove(LINK_JUDGEMENT, words_in(spark, "N1"))
    purge(store, LINK_JUDGEMENT, kept_days=0, log_at_once=True, spared_hours=SPARED_HOURS)
    there = {path.name for path in folder.glob("*.parquet")}
    assert not there & {*superseded, left_behind.name}
    assert being_added.name in there
    # Whoever began to add words before must find that the number of the next version is taken.
    entries = {path.name for path in (folder / "_delta_log").glob("*.json")}
    assert {f"{no:020d}.json" for no in range(before, version + 1)} <= entries
    assert refs_of(store) == ["N2"]

    purge(store, LINK_JUDGEMENT, kept_days=0, log_at_once=True)
    assert not being_added.exists()
    assert {path.name for path in (folder / "_delta_log").glob("0*.json")} == {f"{version:020d}.json"}
    assert refs_of(store) == ["N2"]


# ---- readers who were taken back ----------------------------------------------------------------------------


@pytest.mark.parametrize(("shown", "refused"), [("B-first", True), ("A-later", False), ("C-unchanged", True)])
def test_nothing_is_removed_while_readers_see_another_run_than_the_newest_that_published(
    spark: SparkSession, shown: str, *, refused: bool
) -> None:
    """By the order in which they ended: the clock of the later one had gone back."""
    rows = [("B-first", 1, "published"), ("A-later", 2, "published"), ("C-unchanged", 3, "unchanged")]
    runs = [{"run_id": run_id, "run_no": no, "status": status} for run_id, no, status in rows]
    store = Tables(spark, {RUN: [*runs, {"run_id": "D", "run_no": 4, "status": "failed"}]})
    run: Any = SimpleNamespace(store=store, root="out")
    good: Any = SimpleNamespace(shown_run_id=shown)
    if refused:
        with pytest.raises(GateError, match=f"readers were taken back to {shown}, .* show A-later again"):
            _refuse_taken_back(run, good)
    else:
        _refuse_taken_back(run, good)
