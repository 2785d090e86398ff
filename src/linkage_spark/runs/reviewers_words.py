"""Reviewers' words as a run finds them: looked at before anything is done, and again where stopped work is taken up."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from pyspark.sql import DataFrame

from linkage_spark.errors import ContractError, GateError
from linkage_spark.kit.contract import TableContract
from linkage_spark.review.judgements import NULL, link_judgement_faults
from linkage_spark.runs.checkpoints import Checkpoints
from linkage_spark.runs.context import RunContext
from linkage_spark.runs.manifest import latest_end
from linkage_spark.store.delta import DeltaStore
from linkage_spark.tables.nominals import PERSON_JUDGEMENT
from linkage_spark.tables.review import LINK_JUDGEMENT

OF_REVIEWERS: Final[tuple[TableContract, ...]] = (PERSON_JUDGEMENT, LINK_JUDGEMENT)
"""Reviewers' words: others add rows to these tables, without the lock, at any time. They are read as they stand, whatever a run pins."""

DECIDE: Final = "decide"
"""The stage that reads the words."""

JUDGED: Final = "judged"
"""What it notes: the version of LINK_JUDGEMENT that it read, or None."""

ALLOWANCE: Final = timedelta(hours=1)
"""So far may the clock of whoever says a word be ahead of the run's, or of the one's that ended latest."""


def refuse_faulty_words(run: RunContext, version: int | None) -> None:
    """Stop before hours of work where the stage that reads the words could not use them. One small action.

    Args:
        run: the run.
        version: of LINK_JUDGEMENT; None where there is no such table.

    Raises:
        GateError: the table has another shape, or there are words that nobody understands, words of a time to come, or nulls in required
            columns; every fault is counted, and no row is told.
    """
    if version is None:
        return
    said = read_words(run.store, LINK_JUDGEMENT, version=version)
    # Where this clock has gone back, what was said before it did is not of a time to come.
    now = max(run.started_at, latest_end(run.store) or run.started_at)
    found = link_judgement_faults(said, until=now + ALLOWANCE).collect()[0].asDict()
    if told := _in_words(found):
        raise GateError(
            f"{LINK_JUDGEMENT.name}: {told}; take these rows out, and say it again in known words, with every required column, at a time "
            "that has come"
        )


def read_words(store: DeltaStore, table: TableContract, *, version: int | None = None) -> DataFrame:
    """Reviewers' words, which others write: a table of another shape is no fault of this code.

    Args:
        store: the tables.
        table: one of OF_REVIEWERS; it is there.
        version: None: the newest.

    Raises:
        GateError: a column is missing, or has another type.
    """
    try:
        return store.read(table, version=version)
    except ContractError as error:
        raise GateError(
            f"{error}; give it the columns and types that docs/tables.md states, where it lies: no run knows a table that is made anew from "
            "the one that was there"
        ) from None


def _in_words(found: Mapping[str, int]) -> str:
    """Faults and how many rows have each; empty where there are none."""
    words = {"unknown_words": "unknown words", "words_to_come": "words of a time to come"}
    told = {words.get(name, f"null {name.removeprefix(NULL)}"): rows for name, rows in found.items() if rows}
    return ", ".join(f"{name} {rows}" for name, rows in told.items())


def forget_other_words(run: RunContext, saved: Checkpoints, version: int | None) -> None:
    """Where a stopped run decided by other words than those that stand now: it decides anew, and what came after is made anew too.

    What it did before that knows nothing of words and stays.

    Args:
        run: the run.
        saved: the stages that are done; loses those from ``decide`` on.
        version: of LINK_JUDGEMENT as it stands now.
    """
    done = saved.done.get(DECIDE)
    if done is None or done.notes[JUDGED] == version:
        return
    saved.forget_from(DECIDE)
    run.progress.say(
        "reviewers' words on links are others than those that the stopped run had read: links are decided anew"
    )
