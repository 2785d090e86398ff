"""Reviewers' words on links: which is in force, what it takes away, and what brings it back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest

from linkage_spark.errors import GateError
from linkage_spark.review.judgements import (
    link_judgement_faults,
    link_judgements_in_force,
    negated_links,
    without_negated,
)
from linkage_spark.runs.manifest import last_good_run
from linkage_spark.runs.progress import Progress
from linkage_spark.runs.replay import score_again, shown_on
from linkage_spark.store.files import Files
from linkage_spark.tables.enums import Judgement
from linkage_spark.tables.lifecycle import ITEM
from linkage_spark.tables.linkage import LINK
from linkage_spark.tables.results import HIT, HIT_LINK, RUN
from linkage_spark.tables.review import LINK_JUDGEMENT, NEGATED_LINK
from tests.support.contract_rows import contract_rows
from tests.support.day_worlds import FIRST_DAY, make_history
from tests.support.killing import SEED, readers_find_one_whole_run
from tests.support.main_job import MainJob, write_day

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

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


CASES: dict[str, tuple[list[tuple[int, str, str]], tuple[str, str] | None]] = {
    "the newest holds": ([(1, "same", "a"), (2, "not_same", "a")], ("not_same", "a")),
    "whatever the order of rows": ([(2, "not_same", "b"), (1, "same", "a")], ("not_same", "b")),
    "a doubt leaves it to the evidence": ([(1, "not_same", "a"), (2, "cannot_tell", "a")], None),
    "it was taken back": ([(1, "not_same", "a"), (2, "withdrawn", "a")], None),
    "said again after it was taken back": ([(1, "withdrawn", "a"), (2, "not_same", "a")], ("not_same", "a")),
    "of one moment the negative one": ([(1, "not_same", "a"), (1, "same", "a")], ("not_same", "a")),
    "of one moment same before a doubt": ([(1, "cannot_tell", "a"), (1, "same", "a")], ("same", "a")),
    "of one moment a doubt before taking back": ([(1, "withdrawn", "a"), (1, "cannot_tell", "a")], None),
    "the evidence is that of the newest": ([(1, "not_same", "a"), (2, "not_same", "b")], ("not_same", "b")),
}


def test_the_newest_word_is_in_force_and_of_one_moment_the_negative_one(spark: SparkSession) -> None:
    # All at once, each under an employee of its own.
    frames = [said(spark, *words, pair={**PAIR, "employee_id": name}) for name, (words, _) in CASES.items()]
    together = frames[0]
    for frame in frames[1:]:
        together = together.unionByName(frame)
    rows = link_judgements_in_force(together).collect()
    found = {row["employee_id"]: (row["judgement"], row["evidence_fingerprint"]) for row in rows}
    assert found == {name: expected for name, (_, expected) in CASES.items() if expected is not None}
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


def test_a_word_that_nobody_understands_is_counted(spark: SparkSession) -> None:
    words = said(spark, (1, "not_same", "a"), (2, "maybe", "a"), (3, "", "a"))
    assert link_judgement_faults(words).collect()[0].asDict() == {"unknown_words": 2}


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


@pytest.mark.slow
def test_a_negated_link_goes_with_its_hits_stays_gone_and_comes_back_when_the_word_is_taken_back(
    spark: SparkSession, tmp_path_factory: pytest.TempPathFactory
) -> None:
    base = tmp_path_factory.mktemp("judged")
    job = MainJob(spark, base / "estate", base / "feeds")
    write_day(spark, job.feeds, None, make_history(seed=SEED, worlds=12, days=1).days[0])
    job.backfill(FIRST_DAY)
    first = {tuple(link[name] for name in LINK.key): link for link in rows_of(job, LINK)}
    behind = {tuple(row[name] for name in LINK.key) for row in rows_of(job, HIT_LINK)}
    pair = next(key for key, link in sorted(first.items()) if link["tier"] == "match" and key in behind)
    link, hits = first[pair], rows_of(job, HIT)

    # The same day: another may have brought dates that were still to come.
    day = FIRST_DAY
    job.say(link, "not_same", AT)
    job.daily(day)
    shown = {tuple(row[name] for name in LINK.key) for row in rows_of(job, LINK)}
    assert shown == first.keys() - {pair}
    assert [tuple(row[name] for name in LINK.key) for row in rows_of(job, NEGATED_LINK)] == [pair]
    assert ("link", "withdrawn", "judged_not_same") in why(job)
    assert ("hit", "withdrawn", "judged_not_same") in why(job)
    assert len(rows_of(job, HIT)) < len(hits)
    assert readers_find_one_whole_run(job)
    assert scored_otherwise(job) == 0
    job.daily(day)
    assert "nothing has changed" in job.said

    # Nothing but a word has changed, and it is enough.
    job.say(link, "withdrawn", AT + timedelta(days=1))
    job.daily(day)
    assert rows_of(job, NEGATED_LINK) == []
    assert {tuple(row[name] for name in LINK.key): row for row in rows_of(job, LINK)} == first
    assert rows_of(job, HIT) == hits
    assert {("link", "returned", None), ("hit", "returned", None)} <= why(job)

    job.say(link, "perhaps", AT + timedelta(days=2))
    with pytest.raises(GateError, match="link_judgement: unknown words 1; take these rows out"):
        job.daily(day)
    assert rows_of(job, HIT) == hits, "the last good run stands"


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
