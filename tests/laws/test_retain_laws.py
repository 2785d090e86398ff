"""Removing what is due between two days changes nothing that the later day makes of what holds, nominals among it.

``LINKAGE_DAY_SEED`` chooses another history.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from linkage_spark.runs.main_stages import ALL_TABLES
from linkage_spark.runs.retain import Order
from linkage_spark.tables.lifecycle import ITEM, LIFECYCLE
from linkage_spark.tables.nominals import NOMINAL, NOMINAL_EVENT, NOMINAL_MEMBER, NOMINAL_RUN
from linkage_spark.tables.results import RUN
from tests.support.day_worlds import FIRST_DAY, make_history
from tests.support.draws import SEED, TOLD
from tests.support.held import gone_refs, holding, refs_in
from tests.support.left import OF_NOMINALS, STAMPS
from tests.support.main_job import MainJob, write_day

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.slow

WORLDS = 30
_AT_ONCE = dict.fromkeys(("record_withdrawn", "left_roster", "superseded"), 0)
SETTINGS = {"retention": {"law_enforcement": _AT_ONCE, "public_task": _AT_ONCE}}
HOLDING = tuple(
    table for table in (*ALL_TABLES, *OF_NOMINALS) if table not in (*LIFECYCLE, RUN, NOMINAL_EVENT, NOMINAL_RUN)
)
"""Tables that say what holds now; the others tell of what was."""


def test_days_with_retention_between_them_make_what_they_make_without(
    spark: SparkSession, tmp_path_factory: pytest.TempPathFactory
) -> None:
    base = tmp_path_factory.mktemp("retained")
    history = make_history(seed=SEED, worlds=WORLDS, days=2)
    kept = MainJob(spark, base / "kept", base / "feeds", settings=SETTINGS)
    write_day(spark, kept.feeds, None, history.days[0])
    kept.backfill(FIRST_DAY)
    kept.nominals(FIRST_DAY)
    write_day(spark, kept.feeds, history.days[0], history.days[1])
    kept.daily(FIRST_DAY + timedelta(days=1))
    shutil.copytree(kept.root, base / "rid")
    rid = replace(kept, root=base / "rid")

    rid.retain(FIRST_DAY + timedelta(days=1), Order(at_once=True))
    assert len(_events(rid)) < len(_events(kept)), "nothing was due: the test would show nothing"
    write_day(spark, kept.feeds, history.days[1], history.days[2])
    for job in (kept, rid):
        job.daily(FIRST_DAY + timedelta(days=2))
    for table in HOLDING:
        assert rid.rows(table, leave_out=STAMPS) == kept.rows(table, leave_out=STAMPS), f"{TOLD}, {table.name}"

    # What they tell of the past is the same but for what went: of every member, how it came to its nominal.
    live = [row for row in _dicts(rid, ITEM) if row["is_live"]]
    assert len(live) == len([row for row in _dicts(kept, ITEM) if row["is_live"]])
    told, told_of_all = _events(rid), _events(kept)
    assert told < told_of_all
    members = {(row["nominal_id"], row["record_id"]) for row in _dicts(rid, NOMINAL_MEMBER)}
    joined = {(nominal, record) for _, kind, nominal, _, record in told if kind == "joined"}
    assert members <= joined, f"{TOLD}: nobody can say how {sorted(members - joined)[:3]} came where they are"
    assert {row["nominal_id"] for row in _dicts(rid, NOMINAL) if row["state"] == "live"} == {one for one, _ in members}

    # And a further removal leaves of what is gone nothing at all, whichever way the root went.
    for job in (kept, rid):
        job.retain(FIRST_DAY + timedelta(days=2), Order(at_once=True))
        assert holding(refs_in(job.root), gone_refs(history)) == {}, TOLD
    for table in (*HOLDING, NOMINAL_EVENT):
        assert rid.rows(table, leave_out=STAMPS) == kept.rows(table, leave_out=STAMPS), f"{TOLD}, {table.name}"


def _events(job: MainJob) -> set[tuple[Any, ...]]:
    return set(job.rows(NOMINAL_EVENT))


def _dicts(job: MainJob, table: Any) -> list[dict[str, Any]]:
    return [dict(zip(table.names, row, strict=True)) for row in job.rows(table)]
