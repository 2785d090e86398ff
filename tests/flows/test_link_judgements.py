"""Reviewers' words on links: which is in force, what it takes away, and what brings it back."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from pyspark.sql import functions as F
from pyspark.sql.types import StructField, StructType

from linkage_spark.errors import GateError
from linkage_spark.kit.frames import local_frame
from linkage_spark.review.judgements import (
    link_judgement_faults,
    link_judgements_in_force,
    negated_links,
    without_negated,
    words_on_nobody,
    words_on_other_evidence,
)
from linkage_spark.runs.manifest import last_good_run
from linkage_spark.runs.progress import Progress
from linkage_spark.runs.replay import score_again, shown_on
from linkage_spark.runs.reviewers_words import refuse_faulty_words
from linkage_spark.store.delta import DeltaStore
from linkage_spark.store.files import Files
from linkage_spark.tables.candidates import SCORED_PAIR
from linkage_spark.tables.canonical import PERSON
from linkage_spark.tables.enums import Judgement
from linkage_spark.tables.gates import RUN_METRIC
from linkage_spark.tables.lifecycle import HIT_HISTORY, ITEM, LINK_HISTORY
from linkage_spark.tables.linkage import LINK
from linkage_spark.tables.nominals import NOMINAL_ALERT, NOMINAL_EVENT
from linkage_spark.tables.results import HIT, HIT_LINK, RUN
from linkage_spark.tables.review import LINK_JUDGEMENT, NEGATED_LINK
from tests.support.contract_rows import contract_rows
from tests.support.day_worlds import FIRST_DAY, make_history
from tests.support.killing import SEED, Killed, points, readers_find_one_whole_run
from tests.support.main_job import MainJob, write_day

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from linkage_spark.kit.contract import TableContract
    from linkage_spark.runs.context import RunContext

AT = datetime(2026, 3, 1, 9, tzinfo=UTC)
PAIR = {"employee_id": "E1", "source_system": "crime", "person_ref": "N1"}
OTHER = {**PAIR, "employee_id": "E2"}


def said(spark: SparkSession, *words: tuple[int, str, str], pair: dict[str, str] = PAIR) -> DataFrame:
    """Words on one pair: minute, word, evidence."""
    rows = [
        {**pair, "judgement": word, "judged_at": AT + timedelta(minutes=minute), "evidence_fingerprint": evidence}
        for minute, word, evidence in words
    ]
    return contract_rows(spark, LINK_JUDGEMENT, *rows)


CASES: dict[str, tuple[list[tuple[int, str, str]], set[tuple[str, str]]]] = {
    "the newest holds": ([(1, "same", "a"), (2, "not_same", "a")], {("not_same", "a")}),
    "whatever the order of rows": ([(2, "not_same", "a"), (1, "same", "a")], {("not_same", "a")}),
    "a doubt leaves it to the evidence": ([(1, "not_same", "a"), (2, "cannot_tell", "a")], set()),
    "it was taken back": ([(1, "not_same", "a"), (2, "withdrawn", "a")], set()),
    "said again after it was taken back": ([(1, "withdrawn", "a"), (2, "not_same", "a")], {("not_same", "a")}),
    "of one moment the negative one": ([(1, "not_same", "a"), (1, "same", "a")], {("not_same", "a")}),
    "of one moment same before a doubt": ([(1, "cannot_tell", "a"), (1, "same", "a")], {("same", "a")}),
    "of one moment a doubt before taking back": ([(1, "withdrawn", "a"), (1, "cannot_tell", "a")], set()),
    "each evidence has its own": (
        [(1, "not_same", "a"), (2, "not_same", "b"), (3, "same", "c")],
        {("not_same", "a"), ("not_same", "b"), ("same", "c")},
    ),
    "other evidence is not taken back": ([(1, "not_same", "a"), (2, "withdrawn", "b")], {("not_same", "a")}),
    "nor doubted": ([(1, "not_same", "a"), (2, "cannot_tell", "b")], {("not_same", "a")}),
    "nor outweighed": ([(1, "not_same", "a"), (2, "same", "b")], {("not_same", "a"), ("same", "b")}),
}


def test_the_newest_word_on_each_evidence_is_in_force_and_of_one_moment_the_negative_one(spark: SparkSession) -> None:
    # All at once, each under an employee of its own.
    frames = [said(spark, *words, pair={**PAIR, "employee_id": name}) for name, (words, _) in CASES.items()]
    together = frames[0]
    for frame in frames[1:]:
        together = together.unionByName(frame)
    found: dict[str, list[tuple[str, str]]] = {name: [] for name in CASES}
    for row in link_judgements_in_force(together).collect():
        found[row["employee_id"]].append((row["judgement"], row["evidence_fingerprint"]))
    assert {name: sorted(words) for name, words in found.items()} == {
        name: sorted(expected) for name, (_, expected) in CASES.items()
    }
    assert {word for words, _ in CASES.values() for _, word, _ in words} == set(Judgement)


def test_a_link_is_negated_on_the_evidence_that_the_word_was_said_of(spark: SparkSession) -> None:
    links = contract_rows(
        spark,
        LINK,
        {**PAIR, "tier": "match", "match_weight": 20.0, "evidence_fingerprint": "a"},
        {**OTHER, "tier": "possible", "evidence_fingerprint": "b"},
        {**PAIR, "employee_id": "E3", "tier": "non_match", "evidence_fingerprint": "c"},
        {**PAIR, "employee_id": "E4", "tier": "match", "evidence_fingerprint": "d"},
    )
    words = said(spark, (1, "not_same", "a")).unionByName(said(spark, (1, "not_same", "x"), pair=OTHER))
    words = words.unionByName(said(spark, (1, "not_same", "c"), pair={**PAIR, "employee_id": "E3"}))
    words = words.unionByName(said(spark, (1, "same", "d"), pair={**PAIR, "employee_id": "E4"}))
    negated = negated_links(links, link_judgements_in_force(words))
    at = (AT + timedelta(minutes=1)).replace(tzinfo=None)  # the tests' session is in UTC
    assert [tuple(row) for row in negated.collect()] == [("E1", "crime", "N1", "match", 20.0, "a", at)]
    assert sorted(row["employee_id"] for row in without_negated(links, negated).collect()) == ["E2", "E3", "E4"]


def test_a_link_is_negated_though_something_was_said_of_other_evidence_since(spark: SparkSession) -> None:
    """Values that were amended and put right again are what the reviewer spoke of."""
    links = contract_rows(spark, LINK, {**PAIR, "tier": "match", "evidence_fingerprint": "a"})
    words = said(spark, (1, "not_same", "a"), (2, "not_same", "b"), (3, "withdrawn", "b"), (4, "cannot_tell", "c"))
    negated = negated_links(links, link_judgements_in_force(words))
    assert [(row["employee_id"], row["evidence_fingerprint"]) for row in negated.collect()] == [("E1", "a")]


def test_words_on_other_evidence_of_links_that_are_shown_are_told(spark: SparkSession) -> None:
    links = contract_rows(
        spark,
        LINK,
        {**PAIR, "tier": "match", "evidence_fingerprint": "b"},
        {**OTHER, "tier": "possible", "evidence_fingerprint": "b"},
        {**PAIR, "employee_id": "E3", "tier": "non_match", "evidence_fingerprint": "b"},
        {**PAIR, "employee_id": "E4", "tier": "match", "evidence_fingerprint": "b"},
    )
    words = said(spark, (1, "not_same", "a"), (2, "same", "x"), (3, "not_same", "y"), (4, "withdrawn", "y"))
    words = words.unionByName(said(spark, (1, "not_same", "b"), pair=OTHER))
    for employee_id in ("E3", "E5"):
        words = words.unionByName(said(spark, (1, "not_same", "a"), pair={**PAIR, "employee_id": employee_id}))
    told = words_on_other_evidence(links, link_judgements_in_force(words))
    assert [tuple(row) for row in told.collect()] == [("E1", "crime", "N1", "a")]


def test_words_on_nobody_who_stands_are_told(spark: SparkSession) -> None:
    """A reference that was mistyped, in capitals that its source does not use, or of somebody who has left."""
    stand = [("hr", "e1"), ("hr", "e2"), ("crime", "N1"), ("crime", "N2"), ("custody", "N1")]
    persons = contract_rows(
        spark,
        PERSON,
        *[{"source_system": source, "person_ref": ref, "variant_no": no} for source, ref in stand for no in (0, 1)],
    )
    scored = contract_rows(spark, SCORED_PAIR, {**PAIR, "employee_id": "e1"})
    pairs = {
        "scored": ("e1", "crime", "N1"),
        "both stand": ("e2", "crime", "N2"),
        "capitals": ("E1", "crime", "N1"),
        "gone": ("e1", "crime", "N9"),
        "another source's": ("e2", "custody", "N2"),
        "neither": ("E9", "crime", "N9"),
    }
    words = said(spark).limit(0)
    for name, pair in pairs.items():
        words = words.unionByName(
            said(spark, (1, "not_same", name), (2, "same", "x"), pair=dict(zip(PAIR, pair, strict=True)))
        )
    told = words_on_nobody(link_judgements_in_force(words), scored, persons)
    found = sorted(
        (row["employee_id"], row["source_system"], row["person_ref"], row["evidence_fingerprint"])
        for row in told.collect()
    )
    lost = [name for name in pairs if name not in ("scored", "both stand")]
    assert found == sorted((*pairs[name], evidence) for name in lost for evidence in (name, "x"))


NO_FAULTS = {"unknown_words": 0, "words_to_come": 0} | {
    f"null_{column.name}": 0 for column in LINK_JUDGEMENT.fields if column.required
}


def told_by_hand(spark: SparkSession, *rows: dict[str, Any]) -> DataFrame:
    """Words as another program may write them: every column may be null."""
    complete = {**PAIR, "judgement": "not_same", "judged_at": AT, "reviewer": "R1", "evidence_fingerprint": "a"}
    schema = StructType([StructField(column.name, column.type) for column in LINK_JUDGEMENT.fields])
    values = [tuple({**complete, **row}.get(name) for name in LINK_JUDGEMENT.names) for row in rows]
    return local_frame(spark, values, schema=schema)


def test_words_that_no_run_may_use_are_counted(spark: SparkSession) -> None:
    words = told_by_hand(
        spark,
        {},
        {"judged_at": AT + timedelta(hours=1)},
        {"judged_at": AT + timedelta(hours=1, seconds=1)},
        {"judgement": "maybe"},
        {"judgement": ""},
        {"judgement": None},
        {"judged_at": None, "reviewer": None},
        {"evidence_fingerprint": None, "person_ref": None},
        {"reviewer": None},
    )
    expected = {
        "unknown_words": 2,
        "words_to_come": 1,
        "null_judgement": 1,
        "null_judged_at": 1,
        "null_reviewer": 2,
        "null_evidence_fingerprint": 1,
        "null_person_ref": 1,
    }
    found = link_judgement_faults(words, until=AT + timedelta(hours=1)).collect()[0].asDict()
    assert found == NO_FAULTS | expected
    none = link_judgement_faults(told_by_hand(spark, {}).limit(0), until=AT).collect()[0].asDict()
    assert none == NO_FAULTS


def test_the_statement_of_the_run_book_takes_out_the_words_that_no_run_may_use_and_no_others(
    spark: SparkSession, tmp_path: Path
) -> None:
    store, now = DeltaStore(spark, str(tmp_path)), datetime.now(tz=UTC)
    rows = (
        {"reason": "good"},
        {"reason": "good", "judgement": "withdrawn", "judged_at": now},
        {"judgement": "maybe"},
        {"judgement": None},
        {"judged_at": now + timedelta(hours=2)},
        *({column.name: None} for column in LINK_JUDGEMENT.fields if column.required),
    )
    told_by_hand(spark, *rows).write.format("delta").save(store.path(LINK_JUDGEMENT))
    page = (Path(__file__).resolve().parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
    (statement,) = re.findall(r"```sql\n(DELETE FROM .*?)```", page, flags=re.DOTALL)
    spark.sql(statement.replace("ROOT", str(tmp_path)))
    left = store.read(LINK_JUDGEMENT)
    assert [row["reason"] for row in left.collect()] == ["good", "good"]
    assert link_judgement_faults(left, until=now + timedelta(hours=1)).collect()[0].asDict() == NO_FAULTS


def test_words_that_no_run_may_use_stop_it_with_every_fault_and_no_value(spark: SparkSession, tmp_path: Path) -> None:
    store = DeltaStore(spark, str(tmp_path))
    run = cast("RunContext", SimpleNamespace(store=store, started_at=AT))
    refuse_faulty_words(run, None)

    def write(frame: DataFrame) -> int:
        frame.write.format("delta").mode("overwrite").option("overwriteSchema", True).save(store.path(LINK_JUDGEMENT))
        version = store.version(LINK_JUDGEMENT)
        assert version is not None
        return version

    good = write(told_by_hand(spark, {}, {"judged_at": AT + timedelta(minutes=59)}))
    refuse_faulty_words(run, good)
    rows = ({"judgement": "perhaps"}, {"judged_at": AT + timedelta(days=300)}, {"reviewer": None})
    with pytest.raises(GateError) as raised:
        refuse_faulty_words(run, write(told_by_hand(spark, *rows)))
    assert str(raised.value) == (
        "link_judgement: unknown words 1, words of a time to come 1, null reviewer 1; take these rows out, and say it again in known words, "
        "with every required column, at a time that has come"
    )
    whole = told_by_hand(spark, {})
    shapes = {
        "missing reviewer": whole.drop("reviewer"),
        "judged_at is string, not timestamp": whole.withColumn("judged_at", F.col("judged_at").cast("string")),
    }
    for fault, frame in shapes.items():
        told = (
            f"^table link_judgement: {fault}; give it the columns and types that docs/tables.md states, where it lies"
        )
        with pytest.raises(GateError, match=told):
            refuse_faulty_words(run, write(frame))
    refuse_faulty_words(run, good)


def test_where_the_clock_has_gone_back_words_are_held_against_the_latest_end_of_a_run(
    spark: SparkSession, tmp_path: Path
) -> None:
    store = DeltaStore(spark, str(tmp_path))
    store.append(
        RUN, contract_rows(spark, RUN, *[{"run_id": f"R{no}", "finished_at": AT + timedelta(days=no)} for no in (4, 2)])
    )
    run = cast("RunContext", SimpleNamespace(store=store, started_at=AT))
    at = [AT + timedelta(days=4, minutes=minutes) for minutes in (59, 61)]
    first = store.append(LINK_JUDGEMENT, told_by_hand(spark, {"judged_at": at[0]}))
    refuse_faulty_words(run, first)
    second = store.append(LINK_JUDGEMENT, told_by_hand(spark, {"judged_at": at[1]}))
    with pytest.raises(GateError, match="words of a time to come 1;"):
        refuse_faulty_words(run, second)


# ---- through the whole run ---------------------------------------------------------------------------------


def rows_of(job: MainJob, table: Any) -> list[dict[str, Any]]:
    return [dict(zip(table.names, row, strict=True)) for row in job.rows(table)]


def why(job: MainJob) -> set[tuple[str, str, str | None]]:
    """Kind, change and reason of what the last run changed."""
    items = rows_of(job, ITEM)
    good = last_good_run(job.store)
    assert good is not None
    return {
        (row["item_kind"], row["last_change"], row["withdrawal_reason"])
        for row in items
        if row["changed_run_id"] == good.run_id
    }


@pytest.fixture(scope="module")
def first_day(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> MainJob:
    """What a backfill left of which nobody has said anything."""
    base = tmp_path_factory.mktemp("judged")
    job = MainJob(spark, base / "estate", base / "feeds")
    write_day(spark, job.feeds, None, make_history(seed=SEED, worlds=12, days=1).days[0])
    job.backfill(FIRST_DAY)
    return job


def copied(job: MainJob, name: str) -> MainJob:
    """The same root once more; the feeds are read only."""
    root = job.root.with_name(name)
    shutil.copytree(job.root, root)
    return replace(job, root=root)


def by_pair(job: MainJob) -> dict[tuple[Any, ...], dict[str, Any]]:
    """The links that are shown."""
    return {tuple(link[name] for name in LINK.key): link for link in rows_of(job, LINK)}


def a_match(job: MainJob) -> dict[str, Any]:
    """A link behind a hit."""
    behind = {tuple(row[name] for name in LINK.key) for row in rows_of(job, HIT_LINK)}
    return next(link for key, link in sorted(by_pair(job).items()) if link["tier"] == "match" and key in behind)


def as_published(job: MainJob, link: dict[str, Any]) -> dict[str, Any]:
    """A link with the fingerprint that readers find in what is published."""
    shown = job.spark.read.parquet(f"{job.root}/published/link")
    of_pair = (
        (F.col("link_employee_key") == F.upper(F.lit(link["employee_id"])))
        & (F.col("link_source_system") == link["source_system"])
        & (F.col("link_person_ref") == link["person_ref"])
    )
    (row,) = shown.where(of_pair).collect()
    return {**link, "evidence_fingerprint": row["link_evidence_fingerprint"]}


@pytest.mark.slow
def test_a_negated_link_goes_with_its_hits_stays_gone_and_comes_back_when_the_word_is_taken_back(
    first_day: MainJob,
) -> None:
    job = copied(first_day, "said")
    first, hits = by_pair(job), rows_of(job, HIT)
    link = as_published(job, a_match(job))
    pair = tuple(link[name] for name in LINK.key)
    elsewhere = {**link, "evidence_fingerprint": "of another day"}

    # The same day: another may have brought dates that were still to come.
    day = FIRST_DAY
    job.say(link, "not_same", AT)
    # Newer, and of other evidence: it neither hides the word nor takes it back.
    job.say(elsewhere, "withdrawn", AT + timedelta(hours=1))
    job.daily(day)
    assert by_pair(job).keys() == first.keys() - {pair}
    assert [tuple(row[name] for name in LINK.key) for row in rows_of(job, NEGATED_LINK)] == [pair]
    assert ("link", "withdrawn", "judged_not_same") in why(job)
    assert ("hit", "withdrawn", "judged_not_same") in why(job)
    assert len(rows_of(job, HIT)) < len(hits)
    assert "words on other evidence than now" not in job.said
    assert readers_find_one_whole_run(job)
    assert scored_otherwise(job) == 0
    job.daily(day)
    assert "nothing has changed" in job.said

    # Nothing but a word has changed, and it is enough.
    job.say(elsewhere, "not_same", AT + timedelta(hours=2))
    job.say(link, "withdrawn", AT + timedelta(days=1))
    job.daily(day)
    assert rows_of(job, NEGATED_LINK) == []
    assert by_pair(job) == first
    assert rows_of(job, HIT) == hits
    assert {("link", "returned", None), ("hit", "returned", None)} <= why(job)
    assert "words on other evidence than now 1," in job.said

    # Before anything is done, and as every failure it stands in RUN.
    job.say(link, "perhaps", AT + timedelta(days=2))
    for start in (job.daily, job.backfill):
        failures = job.store.read(RUN).where("status = 'failed'").count()
        with pytest.raises(GateError, match="link_judgement: unknown words 1; take these rows out"):
            start(day)
        assert "standardise" not in job.said
        assert "find changes" not in job.said
        assert job.store.read(RUN).where("status = 'failed'").count() == failures + 1
    assert rows_of(job, HIT) == hits, "the last good run stands"


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["daily", "backfill"])
def test_a_word_that_comes_in_once_a_run_was_stopped_costs_it_nothing_that_knows_of_no_words(
    first_day: MainJob, kind: str
) -> None:
    """It had decided by another word, and told of that in every table, when it was stopped."""
    job = copied(first_day, f"stopped-{kind}")
    tables: tuple[TableContract, ...] = (LINK, HIT, HIT_LINK, LINK_HISTORY, HIT_HISTORY)
    if kind == "daily":
        job.nominals(FIRST_DAY)
        tables = (*tables, NOMINAL_ALERT, NOMINAL_EVENT)
    before = {table.name: job.rows(table) for table in tables}
    start = {"daily": job.daily, "backfill": job.backfill}[kind]
    link = a_match(job)
    job.say(link, "not_same", AT)
    with points(kill_at="publish: before table run"), pytest.raises(Killed):
        start(FIRST_DAY)
    assert "links that reviewers have negated 1," in job.said

    job.say(link, "withdrawn", AT + timedelta(days=1))
    start(FIRST_DAY)
    stages = {line.split(" done: ")[0].split("] ")[-1]: line for line in job.said.splitlines() if " done: " in line}
    again = "taken over from the interrupted run"
    assert "going on with run" in job.said
    assert again in stages["screen"]
    assert [name for name in ("decide", "hits", "follow", "check", "gates") if again in stages[name]] == []
    assert rows_of(job, NEGATED_LINK) == []
    assert {table.name: job.rows(table) for table in tables} == before
    good = last_good_run(job.store)
    assert good is not None
    assert good.versions[LINK_JUDGEMENT.name] == job.store.version(LINK_JUDGEMENT)
    measured = [(row["run_id"], row["measure"], row["part"]) for row in rows_of(job, RUN_METRIC)]
    assert len(measured) == len(set(measured))
    start(FIRST_DAY)
    assert "nothing has changed" in job.said


def scored_otherwise(job: MainJob) -> int:
    """How many links of a run are scored otherwise when its stored persons are scored again."""
    good = last_good_run(job.store)
    assert good is not None
    ended = max(row["finished_at"] for row in job.store.read(RUN).collect())
    that_day = shown_on(job.store, ended.date())
    assert that_day.shown.run_id == good.run_id
    with StringIO() as printed:
        parts = {"work": str(job.root.with_name("again")), "out": str(job.root.with_name("out"))}
        return score_again(job.store, Files(job.spark), that_day, None, progress=Progress(printed), **parts)
