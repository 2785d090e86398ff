"""Laws of the daily run: whatever the days were, their sum is what one run over everything would have made.

No run takes the last day but one, so that the last run takes two days in one. ``LINKAGE_DAY_WORLDS`` is the number of worlds, ``LINKAGE_DAYS``
that of days (at least three), ``LINKAGE_DAY_SEED`` another seed, for a longer soak. With more than three days all of them but the first are taken in one as well.
``LINKAGE_CLOCKS`` ('forward' or 'back') says which clock change the days come through; by itself it is the one and the other by turns.
"""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, timedelta
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from linkage_spark.errors import GateError, SettingsError, UsageError
from linkage_spark.kit.contract import TableContract
from linkage_spark.runs import shadow
from linkage_spark.runs.approval import approve, refuse_unapproved_model
from linkage_spark.runs.main_stages import ALL_TABLES
from linkage_spark.runs.manifest import good_run, last_good_run
from linkage_spark.runs.progress import Progress
from linkage_spark.runs.publish import show_again
from linkage_spark.runs.replay import ThatDay, no_longer_held, removed_since, score_again
from linkage_spark.runs.retain import Order
from linkage_spark.runs.retain_files import NEWEST_ALONE, PURGED
from linkage_spark.runs.retain_lists import REMOVED_FILES, STANDING
from linkage_spark.runs.shadow import try_model
from linkage_spark.store.files import Files
from linkage_spark.tables.candidates import SCORED_PAIR
from linkage_spark.tables.canonical import CANONICAL, PERSON, REFUSED
from linkage_spark.tables.changes import FEED_PRINT
from linkage_spark.tables.enums import RunKind
from linkage_spark.tables.governance import MODEL_TRIAL, REMOVAL
from linkage_spark.tables.identifiers import PERSON_IDENTIFIER
from linkage_spark.tables.lifecycle import HIT_HISTORY, ITEM, LIFECYCLE, LINK_HISTORY, LOCATION_HIT_HISTORY
from linkage_spark.tables.linkage import LINK
from linkage_spark.tables.results import HIT, HIT_LINK, LOCATION_HIT, RUN, SCREENING
from linkage_spark.tables.review import LINK_JUDGEMENT, NEGATED_LINK
from linkage_spark.tables.star import STAR
from tests.support.ageing import age, old_files
from tests.support.day_worlds import FIRST_DAY, History, make_history
from tests.support.draws import KILL_DAY, SEED, TOLD
from tests.support.held import gone_refs, holding, refs_in
from tests.support.killing import Killed, Readers, drawn, points, readers_find_one_whole_run, readers_of
from tests.support.main_job import FIRST_START, MainJob, write_day

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

WORLDS = int(os.environ.get("LINKAGE_DAY_WORLDS", "60"))
DAYS = max(3, int(os.environ.get("LINKAGE_DAYS", "3")))

RUNS = tuple(no for no in range(DAYS + 1) if no != DAYS - 1)
"""The days on which there is a run, by number: a night that failed is caught up with by the next."""

WAYS = ("by_day", "in_one") if DAYS > 3 else ("by_day",)

COMPARED = (
    *CANONICAL,
    PERSON_IDENTIFIER,
    FEED_PRINT,
    SCORED_PAIR,
    NEGATED_LINK,
    LINK,
    HIT,
    HIT_LINK,
    LOCATION_HIT,
    SCREENING,
)
"""Every table of which a day must leave what a run over everything leaves."""

ONCE_SWITCHED = ("publish: after table run", "start: before renaming part.parquet")
"""Where the last day is killed besides: RUN has switched and readers have not been moved, and while the next start was about to move them."""


@dataclass
class Folds:
    """The same history, taken in three ways from the same first day on.

    Attributes:
        history: what the feeds held.
        by_day: a daily run every day but one, and the last one twice.
        in_one: all days but the first in one daily run; None where there are three days alone.
        at_once: a backfill on the last day.
        seen: what each run of ``by_day`` left of some tables, the backfill of the first day among them.
        versions: newest versions of the tables of ``by_day`` before and after the last day was taken a second time.
        kills: where the last day of ``by_day`` was killed before it came to its end, and what readers found then.
        repaired: what they found after the start that nobody killed.
    """

    history: History
    by_day: MainJob
    in_one: MainJob | None
    at_once: MainJob
    seen: list[dict[str, list[dict[str, Any]]]]
    versions: list[dict[str, int | None]]
    kills: dict[str, Readers]
    repaired: Readers


@pytest.fixture(scope="module")
def folds(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Folds:
    history = make_history(seed=SEED, worlds=WORLDS, days=DAYS)
    base = tmp_path_factory.mktemp("days")
    first = MainJob(spark, base / "first", base / "first-feeds")
    write_day(spark, first.feeds, None, history.days[0])
    first.backfill(FIRST_DAY)

    def copied(name: str) -> MainJob:
        shutil.copytree(first.root, base / name)
        shutil.copytree(first.feeds, base / f"{name}-feeds")
        return MainJob(spark, base / name, base / f"{name}-feeds", clock=first.clock)

    jobs: dict[str, MainJob | None] = {"in_one": None} | {name: copied(name) for name in (*WAYS, "at_once")}
    seen = [_seen(first)]
    by_day, in_one, at_once = jobs["by_day"], jobs["in_one"], jobs["at_once"]
    assert by_day is not None
    assert at_once is not None
    kills: dict[str, Readers] = {}
    count = 0
    for before, no in pairwise(RUNS):
        write_day(spark, by_day.feeds, history.days[before], history.days[no])
        if no == DAYS:
            for job in jobs.values():
                _judge(job, seen[-1][LINK.name])
            kills = _killed_on(by_day, FIRST_DAY + timedelta(days=no), [*_three_of(count), *ONCE_SWITCHED])
        with points() as watched:
            by_day.daily(FIRST_DAY + timedelta(days=no))
        count = next(no for no, name in enumerate(watched.seen) if name.endswith("before table run"))
        seen.append(_seen(by_day))
    versions, repaired = [_versions(by_day)], readers_of(by_day)
    by_day.daily(FIRST_DAY + timedelta(days=DAYS))
    versions.append(_versions(by_day))
    for job in (in_one, at_once):
        if job is not None:
            write_day(spark, job.feeds, history.days[0], history.days[DAYS])
    if in_one is not None:
        in_one.daily(FIRST_DAY + timedelta(days=DAYS))
    at_once.backfill(FIRST_DAY + timedelta(days=DAYS))
    return Folds(history, by_day, in_one, at_once, seen, versions, kills, repaired)


def _judge(job: MainJob | None, links: list[dict[str, Any]]) -> None:
    """Reviewers' words on some of the links that were shown before the last day; that day changes what some of them were said of."""
    for no, link in enumerate(links[::5] if job is not None else ()):
        assert job is not None
        for minute, word in enumerate(_SAID[no % len(_SAID)]):
            said_of = {**link, "evidence_fingerprint": _ELSEWHERE} if word.startswith(_OTHER) else link
            job.say(said_of, word.removeprefix(_OTHER), FIRST_START + timedelta(minutes=minute))


_ELSEWHERE, _OTHER = "other evidence", "other: "
_SAID = (
    ("not_same",),
    ("not_same", "withdrawn"),
    ("not_same", "other: withdrawn"),
    ("same", "not_same"),
    ("not_same", "cannot_tell"),
)
"""Words on one link, one after the other; those that begin with 'other' are said of other evidence and say nothing of this."""


def _three_of(count: int) -> list[int]:
    """After how many points of a run, and of each further start, it is killed: others every day, of those before the run is published."""
    places = sorted(drawn().sample(range(1, count * 19 // 20), 3))
    return [place - before for before, place in zip([0, *places], places, strict=False)]


def _killed_on(job: MainJob, day: date, places: list[int | str]) -> dict[str, Readers]:
    """Begin a day and be killed, once per place: after so many points, or at one; where that was, and what readers found then."""
    kills = {}
    for place in places:
        try:
            with points(kill_at=place):
                job.daily(day)
        except Killed as point:
            kills[f"{point}, start {len(kills) + 1}"] = readers_of(job)
    return kills


def _seen(job: MainJob) -> dict[str, list[dict[str, Any]]]:
    """What readers could see after a run, and what the run tells of it."""
    tables = (HIT, HIT_LINK, LINK, LOCATION_HIT, ITEM)
    return {table.name: [dict(zip(table.names, row, strict=True)) for row in job.rows(table)] for table in tables}


def _versions(job: MainJob) -> dict[str, int | None]:
    """Newest version of every table but RUN."""
    return {table.name: job.store.version(table) for table in ALL_TABLES if table != RUN}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("table", COMPARED, ids=lambda table: table.name)
def test_days_add_up_to_what_one_run_over_everything_makes(folds: Folds, way: str, table: TableContract) -> None:
    expected, found = folds.at_once.rows(table), getattr(folds, way).rows(table)
    told = f"{TOLD}, {WORLDS} worlds, {table.name}"
    assert len(expected) > 0, told
    assert [row for row in found if row not in expected] == [], f"{told}: too many"
    assert [row for row in expected if row not in found] == [], f"{told}: missing"
    assert found == expected, told


def test_a_table_written_whole_again_holds_the_same_rows(folds: Folds) -> None:
    job = folds.by_day
    before = {table.name: job.rows(table) for table in COMPARED}
    job.compact(FIRST_DAY + timedelta(days=DAYS))
    assert {table.name: job.rows(table) for table in COMPARED} == before
    raw = job.spark.read.format("delta").load(job.store.path(PERSON))
    assert raw.where("_mark or _batch is not null").isEmpty()
    job.daily(FIRST_DAY + timedelta(days=DAYS))
    assert "nothing has changed" in job.said


def test_every_kind_of_change_happened(folds: Folds) -> None:
    happened = folds.history.happened
    assert len(happened) >= 20, happened
    assert min(happened.values()) > 0
    refused = Counter(row["reason"] for row in _dicts(folds.by_day, REFUSED))
    assert refused["disposal_due"] > 0
    assert len(folds.seen[-1]["hit"]) > 50, "too few hits to tell anything"
    assert {row["tier"] for row in folds.seen[-1]["hit"]} == {"match", "possible"}


def test_the_last_day_was_killed_again_and_again_and_left_nothing_behind(folds: Folds) -> None:
    """That it ended as a day that nobody killed is what all the other laws here say: they look at its tables."""
    job, told = folds.by_day, f"{TOLD}, killed on {KILL_DAY} at {'; '.join(folds.kills)}"
    assert len(folds.kills) == 3 + len(ONCE_SWITCHED), told
    assert all(readers.find_one_whole_run for readers in folds.kills.values()), told
    for folder in (job.root, job.root / "tables", job.root / "published"):
        of_calm = folds.at_once.root / folder.relative_to(job.root)
        assert {path.name for path in folder.iterdir()} == {path.name for path in of_calm.iterdir()}, told
    for folder in (job.root / "published").iterdir():
        if folder.name != "current_run":
            assert len(list(folder.glob("run_id=*"))) <= len(RUNS), f"{told}: {folder.name}"


def test_readers_of_a_day_that_was_killed_once_it_had_switched_are_moved_by_the_next_start(folds: Folds) -> None:
    told = f"{TOLD}, killed on {KILL_DAY} at {'; '.join(folds.kills)}"
    *begun, switched, repairing = folds.kills.values()
    assert all(readers.follow == readers.should_follow for readers in begun), told
    for readers in (switched, repairing):
        assert readers.should_follow != readers.follow == begun[0].follow, told
    assert folds.repaired == Readers(True, switched.should_follow, switched.should_follow), told
    current = folds.by_day.root / "published" / "current_run"
    assert [path.name for path in current.iterdir()] == ["part.parquet"], told


def test_the_same_day_twice_changes_nothing(folds: Folds) -> None:
    before, after = folds.versions
    assert after == before
    assert "nothing has changed" in folds.by_day.said


def test_every_hit_is_told_since_when_and_how_it_changed(folds: Folds) -> None:
    """Against what was seen each day, in plain Python."""
    days = [FIRST_DAY + timedelta(days=no) for no in RUNS]
    hits = [{row["hit_id"]: row for row in seen["hit"]} for seen in folds.seen]
    changes: Counter[str] = Counter()
    for no, seen in enumerate(folds.seen):
        told = {row["item_id"]: row for row in seen["item"] if row["item_kind"] == "hit"}
        assert told.keys() == {hit for day in hits[: no + 1] for hit in day}, f"{TOLD}, day {no}"
        for hit, item in told.items():
            where = f"{TOLD}, day {no}, {hit}"
            there = [hit in day for day in hits[: no + 1]]
            assert item["is_live"] == there[-1], where
            assert item["first_seen_day"] == days[there.index(True)], where
            assert (item["withdrawal_reason"] is None) == there[-1], where
            if not there[-1]:
                last = max(place for place, was in enumerate(there) if was)
                assert (item["last_seen_day"], item["changed_day"]) == (days[last], days[last + 1]), where
                assert item["last_change"] == "withdrawn", where
            elif no and not there[-2]:
                assert item["last_change"] == ("returned" if any(there[:-1]) else "new"), where
                assert item["changed_day"] == days[no], where
            elif no and _facts(hits[no][hit], folds.seen[no]) != _facts(hits[no - 1][hit], folds.seen[no - 1]):
                assert (item["last_change"], item["changed_day"]) == ("changed", days[no]), where
                assert item["tier_before"] == hits[no - 1][hit]["tier"], where
            elif no:
                assert item["changed_day"] < days[no], where
            changes[item["last_change"]] += item["changed_day"] == days[no]
    assert changes.keys() >= {"new", "changed", "withdrawn"}, changes


def _facts(hit: dict[str, Any], seen: dict[str, list[dict[str, Any]]]) -> tuple[Any, ...]:
    """What is evidence of a hit: all of it but its sentence, and the evidence of its links."""
    links = {(row["employee_id"], row["source_system"], row["person_ref"]): row for row in seen["link"]}
    behind = [(row["source_system"], row["person_ref"]) for row in seen["hit_link"] if row["hit_id"] == hit["hit_id"]]
    prints = sorted((*key, links[hit["employee_id"], *key]["evidence_fingerprint"]) for key in behind)
    left_out = {"explanation", "person_ref", "link_count", "before_employment", "default_view", "employment_type"}
    return (*(value for name, value in hit.items() if name not in left_out), tuple(prints))


def test_what_was_shown_on_any_day_can_be_told_from_the_histories(folds: Folds) -> None:
    for table, history in ((HIT, HIT_HISTORY), (LINK, LINK_HISTORY), (LOCATION_HIT, LOCATION_HIT_HISTORY)):
        rows = [dict(zip(history.names, row, strict=True)) for row in folds.by_day.rows(history)]
        left_out = {"explanation"} | (
            {"calls_at_premises", "calls_at_premises_365_days"} if table == LOCATION_HIT else set()
        )
        names = [name for name in table.names if name not in left_out]
        for no, seen in zip(RUNS, folds.seen, strict=True):
            told = {}
            for row in sorted(rows, key=lambda row: row["run_day"]):
                if row["run_day"] <= FIRST_DAY + timedelta(days=no):
                    told[tuple(row[name] for name in table.key)] = row
            live = [row for row in told.values() if row["item_change"] != "withdrawn"]
            found, expected = (
                sorted(([row[name] for name in names] for row in listed), key=repr)
                for listed in (live, seen[table.name])
            )
            assert found == expected, f"{TOLD}, day {no}, {table.name}"


def test_nothing_goes_unexplained(folds: Folds) -> None:
    gone = [row for row in folds.seen[-1]["item"] if not row["is_live"]]
    reasons = {row["withdrawal_reason"] for row in gone}
    assert None not in reasons
    assert reasons >= {"left_roster", "record_withdrawn", "record_amended", "roster_amended", "judged_not_same"}, (
        reasons
    )
    assert not reasons & {"model_changed", "software_changed"}


def test_a_link_is_gone_once_a_reviewer_has_negated_it_until_its_evidence_is_another(folds: Folds) -> None:
    """In plain Python, from the words themselves and what was shown the day before."""
    job, before = folds.by_day, {(_pair(row), row["evidence_fingerprint"]) for row in folds.seen[-2]["link"]}
    said: dict[tuple[tuple[str, ...], str], list[str]] = {}
    for row in sorted(job.store.read(LINK_JUDGEMENT).collect(), key=lambda row: row["judged_at"]):
        said.setdefault((_pair(row), row["evidence_fingerprint"]), []).append(row["judgement"])
    negated = {pair_and_print for pair_and_print, words in said.items() if words[-1] == "not_same"}
    shown = {(_pair(row), row["evidence_fingerprint"]) for row in folds.seen[-1]["link"]}
    held_back = {(_pair(row), row["evidence_fingerprint"]) for row in _dicts(job, NEGATED_LINK)}
    assert negated <= before, TOLD
    assert held_back <= negated, TOLD
    assert len(held_back) > 3, f"{TOLD}: too few to tell anything"
    assert not {pair for pair, _ in held_back} & {pair for pair, _ in shown}, TOLD
    assert negated & shown == set(), f"{TOLD}: shown again on the evidence that was negated"
    why = {(row["item_kind"], row["withdrawal_reason"]) for row in folds.seen[-1]["item"] if not row["is_live"]}
    assert {("link", "judged_not_same"), ("hit", "judged_not_same")} <= why, TOLD
    assert (said.keys() - negated) & shown, f"{TOLD}: no word was taken back"


def _pair(row: Any) -> tuple[str, ...]:
    return tuple(row[name] for name in LINK.key)


def test_a_record_that_its_source_still_holds_is_told_as_refused_and_never_as_taken_back(folds: Folds) -> None:
    """Of nominals, which nobody marks as taken back."""
    held = {row["NOMINAL_URN"] for row in folds.history.days[-1]["crime.nominal"].values()}
    why = {"record_withdrawn": False, "record_refused": True}
    for row in _dicts(folds.by_day, LINK_HISTORY):
        told = row["withdrawal_reason"]
        if told in why and row["source_system"] == "crime" and row["run_day"] == LAST:
            assert (row["person_ref"] in held) == why[told], f"{TOLD}, {row['person_ref']}"


# ---- retention ---------------------------------------------------------------------------------------------

LAST = FIRST_DAY + timedelta(days=DAYS)
_HOLDING = tuple(table for table in ALL_TABLES if table not in (*LIFECYCLE, RUN))
"""Tables that say what holds, which retention never changes."""

_AT_ONCE = dict.fromkeys(("record_withdrawn", "left_roster", "superseded"), 0)
_NEVER = dict.fromkeys(_AT_ONCE, 36_500)


def copied(job: MainJob, name: str, periods: dict[str, int]) -> MainJob:
    """The same root once more, where what no longer holds is kept for other periods."""
    root = job.root.with_name(name)
    shutil.copytree(job.root, root)
    settings = {"retention": {"law_enforcement": periods, "public_task": periods}}
    return MainJob(job.spark, root, job.feeds, clock=job.clock, settings=settings)


def _dicts(job: MainJob, table: TableContract) -> list[dict[str, Any]]:
    return [dict(zip(table.names, row, strict=True)) for row in job.rows(table)]


def _removals(job: MainJob) -> list[dict[str, Any]]:
    return [row.asDict() for row in job.store.read(REMOVAL).collect()]


def test_what_its_source_took_back_is_nowhere_left_and_the_days_go_on(folds: Folds) -> None:
    job = copied(folds.by_day, "due", _AT_ONCE)
    gone = gone_refs(folds.history)
    files_before = refs_in(job.root)
    before = holding(files_before, gone)
    assert {ref[0] for ref in gone} >= set("EC"), sorted(gone)
    assert {name.split("/")[0] for name in before} >= {"tables", "published"}
    assert any("_delta_log" in name for name in before)
    rows = {table.name: job.rows(table) for table in _HOLDING}
    job.retain(LAST, Order(at_once=True))
    left = refs_in(job.root)
    assert holding(left, gone) == {}, f"seed {SEED}"
    assert {table.name: job.rows(table) for table in _HOLDING} == rows, "what holds stays as it is"
    items = _dicts(job, ITEM)
    assert items
    assert all(item["is_live"] for item in items)
    assert any(item["tier_before"] for item in folds.seen[-1]["item"] if item["is_live"])
    assert {(item["tier_before"], item["match_weight_before"]) for item in items} == {(None, None)}
    shown = job.spark.read.parquet(f"{job.root}/published/hit")
    assert shown.count() == len(rows[HIT.name])
    assert shown.where("hit_tier_before is not null or hit_match_weight_before is not null").isEmpty()
    told = _removals(job)
    assert {row["kind"] for row in told} == {"rows", "table_files", "log_files", "snapshot", "report"}
    good = last_good_run(job.store)
    assert good is not None
    listed = (job.root / "reports" / good.run_id / REMOVED_FILES).read_text().splitlines()[1:]
    expected = {name for name in files_before if name.split("/")[0] in ("tables", "published", "reports")} - set(left)
    assert {line.split(",")[0] for line in listed} == expected
    assert sum(row["files"] for row in told) == len(expected)
    _can_be_shown_without_what_went(folds.by_day, job)

    versions = {table.name: job.store.version(table) for table in (*_HOLDING, *LIFECYCLE)}
    job.daily(LAST)
    assert "nothing has changed" in job.said
    job.retain(LAST, Order(at_once=True))
    assert {table.name: job.store.version(table) for table in (*_HOLDING, *LIFECYCLE)} == versions
    assert len([row for row in _removals(job) if row["kind"] == "rows"]) == len(
        [r for r in told if r["kind"] == "rows"]
    )


def _can_be_shown_without_what_went(whole: MainJob, job: MainJob) -> None:
    """Of the first day: what is no longer held is counted, and that it cannot be scored again is said."""
    row = next(row for row in whole.store.read(RUN).collect() if row["kind"] == "backfill")
    first = good_run(row)
    that_day = ThatDay(shown=first, told=first.run_id, up_to=row["run_no"], code=row["code_version"])
    assert no_longer_held(whole.store, that_day, None) == []
    assert not removed_since(whole.store, that_day)
    said = no_longer_held(job.store, that_day, None)
    assert [line.split(" rows of ")[1].split()[0] for line in said] == ["hit", "location_hit"]
    assert removed_since(job.store, that_day)
    with StringIO() as printed:
        parts = {"employee_id": None, "work": str(job.root / "work"), "out": str(job.root / "again")}
        differing = score_again(job.store, Files(job.spark), that_day, progress=Progress(printed), **parts)
        assert (differing, "the tables of that day are no longer stored" in printed.getvalue()) == (0, True)


def test_superseded_files_and_log_entries_go_once_their_days_are_over_and_no_earlier(folds: Folds) -> None:
    by_age = [table for table in PURGED if table not in NEWEST_ALONE]

    def files(job: MainJob) -> set[str]:
        there = [table for table in by_age if job.store.exists(table)]
        named = {table.name: {Path(path).name for path in job.store.read(table).inputFiles()} for table in there}
        return old_files(job.root, [table.name for table in there], named)

    young, old = (copied(folds.by_day, name, _NEVER) for name in ("young", "old"))
    age(old.root, days=young.context(RunKind.RETAIN, LAST, StringIO()).settings.retention.table_days + 2)
    rows = {table.name: young.rows(table) for table in _HOLDING}
    for job in (young, old):
        superseded = files(job)
        assert any(name.endswith(".parquet") for name in superseded)
        assert any(name.endswith(".json") for name in superseded)
        job.retain(LAST)
        left = {name for name in superseded if (job.root / name).exists()}
        assert left == (superseded if job is young else set())
        assert {table.name: job.rows(table) for table in _HOLDING} == rows


@pytest.mark.slow
def test_those_who_were_asked_for_go_at_once_and_what_holds_of_anybody_stays(
    folds: Folds, capsys: pytest.CaptureFixture[str]
) -> None:
    job = copied(folds.by_day, "asked", _NEVER)
    gone, history, live = gone_refs(folds.history), _dicts(job, LINK_HISTORY), _dicts(job, LINK)
    withdrawn = next(row for row in history if row["person_ref"] in gone)
    leaver = next(row["employee_id"] for row in history if row["employee_id"] in gone - {withdrawn["employee_id"]})
    link = next(row for row in live if len([told for told in history if _same_link(told, row)]) > 1)
    asked = {withdrawn["person_ref"], leaver}
    subjects = (
        ("person", withdrawn["source_system"], withdrawn["person_ref"]),
        ("employee", None, leaver),
        ("person", link["source_system"], link["person_ref"]),
    )
    with pytest.raises(UsageError, match="--reference"):
        Order(subjects=subjects)
    rows = {table.name: job.rows(table) for table in _HOLDING}
    job.retain(LAST, Order(subjects=subjects, reference="IG/2026/0001", at_once=True))
    assert holding(refs_in(job.root), asked) == {}, f"seed {SEED}"
    assert {table.name: job.rows(table) for table in _HOLDING} == rows
    after = _dicts(job, LINK_HISTORY)
    of_link = [row for row in after if _same_link(row, link)]
    assert [row["match_weight"] for row in of_link] == [link["match_weight"]], "of what holds, that which holds"
    wanted = {(source, ref) for kind, source, ref in subjects if kind == "person"}
    others = [
        row
        for row in history
        if row["employee_id"] != leaver and (row["source_system"], row["person_ref"]) not in wanted
    ]
    kept = [row for row in after if not _same_link(row, link)]
    assert sorted(map(repr, kept)) == sorted(map(repr, others)), "and nobody else's"
    told = [row for row in _removals(job) if row["kind"] == "rows"]
    assert {row["reference"] for row in told} == {"IG/2026/0001"}
    assert not any(ref in repr(told) for ref in asked), "the log names nobody"
    assert "1 of the 3 asked for still stand" in capsys.readouterr().out


@pytest.mark.slow
def test_an_order_that_was_killed_is_finished_and_one_that_names_nobody_is_no_success(
    folds: Folds, capsys: pytest.CaptureFixture[str]
) -> None:
    job = copied(folds.by_day, "killed-order", _NEVER)
    gone = gone_refs(folds.history)
    one = next(row for row in _dicts(job, LINK_HISTORY) if row["person_ref"] in gone)
    order = Order(subjects=(("person", one["source_system"], one["person_ref"]),), reference="IG/2026/0002")
    with points(kill_at=f"files that nobody needs: before purge {PERSON.name}"), pytest.raises(Killed):
        job.retain(LAST, order)
    assert holding(refs_in(job.root), {one["person_ref"]}), "its rows are gone, and files still hold it"
    assert not any(row["person_ref"] == one["person_ref"] for row in _dicts(job, LINK_HISTORY))
    job.retain(LAST, order)
    assert holding(refs_in(job.root), {one["person_ref"]}) == {}
    said = capsys.readouterr().out
    assert "0 of the 1 asked for were named in a table" in said
    assert "An earlier run for this reference" in said

    mistyped = (one["source_system"], one["person_ref"].lower() + "x")
    wrong = Order(subjects=(("person", *mistyped),), reference="IG/2026/0003", lines={("person", *mistyped): (2,)})
    with pytest.raises(UsageError, match="no table named any of the 1 asked for"):
        job.retain(LAST, wrong)
    assert "line 2: nothing of these was held" in capsys.readouterr().out
    assert readers_find_one_whole_run(job)


def test_readers_who_were_taken_back_hold_retention_up_and_run_tells_of_it(folds: Folds) -> None:
    job = copied(folds.by_day, "back", _AT_ONCE)
    before = last_good_run(job.store)
    assert before is not None
    earlier = next(row["run_id"] for row in job.store.read(RUN).collect() if row["kind"] == "backfill")
    show_again(job.context(RunKind.PUBLISH, LAST, StringIO()), earlier)
    versions, files = _versions(job), refs_in(job.root).keys()
    with pytest.raises(GateError, match=f"taken back to {earlier}, .* show {before.shown_run_id} again"):
        job.retain(LAST, Order(at_once=True))
    assert _versions(job) == versions
    assert files <= refs_in(job.root).keys(), "nothing has gone"
    newest = max(job.store.read(RUN).collect(), key=lambda row: row["run_no"])
    assert (newest["kind"], newest["status"], newest["error_class"]) == ("retain", "failed", "GateError")
    assert newest["shown_run_id"] == earlier
    assert "kind=retain" in job.said.splitlines()[-1]
    assert "status=failed" in job.said.splitlines()[-1]


@pytest.mark.slow
def test_retention_that_was_killed_twice_tells_of_every_file_and_readers_are_not_taken_back(folds: Folds) -> None:
    job = copied(folds.by_day, "cut-off", _AT_ONCE)
    gone, there = gone_refs(folds.history), set(refs_in(job.root))
    earlier = next(row["run_id"] for row in job.store.read(RUN).collect() if row["kind"] == "backfill")
    for table in (LINK, ITEM):
        with points(kill_at=f"files that nobody needs: before purge {table.name}"), pytest.raises(Killed):
            job.retain(LAST, Order(at_once=True))
    lists = [json.loads(path.read_text()) for path in sorted((job.root / "reports").glob(f"*/{STANDING}"))]
    assert [bool(told["files"]) for told in lists] == [False, True], "the first one's was taken over"
    assert [told["run_id"] for told in lists[1]["earlier"]] == [lists[0]["run_id"]]
    assert holding(refs_in(job.root), gone), "files still hold what is gone"
    with pytest.raises(UsageError, match="were removed since"):
        show_again(job.context(RunKind.PUBLISH, LAST, StringIO()), earlier)
    job.retain(LAST, Order(at_once=True))
    left = refs_in(job.root)
    assert holding(left, gone) == {}, f"seed {SEED}"
    good = last_good_run(job.store)
    assert good is not None
    rows = [line.split(",") for line in (job.root / "reports" / good.run_id / REMOVED_FILES).read_text().splitlines()]
    listed = {row[0]: row[3] for row in rows[1:]}
    expected = {name for name in there if name.split("/")[0] in ("tables", "published", "reports")} - set(left)
    assert expected <= listed.keys(), "what attempts wrote themselves and the next one deleted is told too"
    assert not listed.keys() & set(left)
    assert len(set(listed.values())) == 3, "some are gone since each of the three began"
    told = [row for row in _removals(job) if row["kind"] != "rows"]
    assert {row["run_id"] for row in told} == set(listed.values())
    assert sum(row["files"] for row in told) == len(listed)
    assert not list((job.root / "reports").glob(f"*/{STANDING}"))
    assert readers_find_one_whole_run(job)


def _same_link(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return all(one[name] == other[name] for name in LINK.key)


@pytest.mark.slow
def test_where_nothing_is_due_only_scratch_goes_and_old_snapshots_by_age(folds: Folds) -> None:
    job = copied(folds.by_day, "never", _NEVER)
    rows = {table.name: job.rows(table) for table in (*_HOLDING, *LIFECYCLE)}
    published = sorted(path.name for path in (job.root / "published" / "hit").iterdir())
    (job.root / "work" / "daily").mkdir(parents=True)
    (job.root / "work" / "daily" / "left.parquet").write_bytes(b"x")
    job.retain(LAST)
    assert {table.name: job.rows(table) for table in (*_HOLDING, *LIFECYCLE)} == rows
    assert sorted(path.name for path in (job.root / "published" / "hit").iterdir()) == published
    assert not (job.root / "work").exists()
    # For table_days the tables of an earlier day can still be read.
    first = next(row for row in job.store.read(RUN).collect() if row["kind"] == "backfill")
    assert job.store.read(PERSON, version=json.loads(first["table_versions_json"])[PERSON.name]).count() > 0

    good = last_good_run(job.store)
    assert good is not None
    job.retain(LAST + timedelta(days=400))
    for table in STAR:
        left = [path.name for path in (job.root / "published" / table.name).iterdir()]
        assert left == [f"run_id={good.shown_run_id}"], table.name


# ---- a model in shadow -------------------------------------------------------------------------------------


def test_a_model_is_tried_beside_the_one_in_use_and_approved_by_name(folds: Folds, tmp_path: Path) -> None:
    job = copied(folds.at_once, "shadow", _NEVER)
    job.settings = {**job.settings, "screening": {"needs_approval": True}}
    hits = _dicts(job, HIT)
    heavier = sorted(row["match_weight"] for row in hits)[len(hits) // 2]
    held = job.model
    thresholds = held.thresholds.model_copy(update={"match_bits": heavier, "possible_bits": heavier})
    tried = held.model_copy(update={"id": "held_higher_v1", "thresholds": thresholds})
    good = last_good_run(job.store)
    assert good is not None
    with (tmp_path / "said").open("w") as printed:
        run = replace(job.context(RunKind.SHADOW, LAST, printed), model=tried)
        with pytest.raises(SettingsError, match="nobody has approved it"):
            refuse_unapproved_model(run, good)
        with pytest.raises(UsageError, match="has not been tried"):
            approve(run, approver="A. Made-Up, Head of Lab", reference="Minute 7")
        before = _versions(job)
        with pytest.MonkeyPatch.context() as patch:
            # With the frozen lists of the model in use, so that nothing but the threshold differs.
            patch.setattr(shadow, "last_good_run", lambda *_, **__: good)
            try_model(run, good)
        assert _versions(job) == before, "a trial touches no table of the results"
        trial = job.store.read(MODEL_TRIAL).collect()[0]
        light = [row for row in hits if row["match_weight"] < heavier]
        assert (trial["hits_now"], trial["lost"], trial["gained"]) == (len(hits), len(light), 0)
        approve(run, approver="A. Made-Up, Head of Lab", reference="Minute 7")
        refuse_unapproved_model(run, good)
        other = replace(run, model=tried.model_copy(update={"prior_bits": tried.prior_bits - 1}))
        with pytest.raises(SettingsError, match="nobody has approved it"):
            refuse_unapproved_model(other, good)
    page = (job.root / "reports" / run.run_id / "shadow.html").read_text()
    assert "A sample of hits lost" in page
    assert any(row["employee_id"] in page for row in light)
    assert last_good_run(job.store) == good
