"""A day in real processes that is killed at any moment, up to three times in a row, ends as an undisturbed one.

``LINKAGE_KILL_TIMES`` is the number of kills; ``LINKAGE_DAY_SEED`` and ``LINKAGE_KILL_DAY`` choose the moments: others every day.
"""

from __future__ import annotations

import os
import shutil
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from linkage_spark.runs.context import FORCE_ZONE
from tests.support.force import Estate, detain
from tests.support.jobs import killed_after, ok, submit
from tests.support.killing import KILL_DAY, SEED, drawn, readers_find_one_whole_run
from tests.support.left import left_by
from tests.support.main_job import MainJob

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.slow

DAY = f"{datetime.now(tz=FORCE_ZONE).date() + timedelta(days=1)}"
"""Every attempt is for this day, also after midnight."""

KILLS = int(os.environ.get("LINKAGE_KILL_TIMES", "2"))
IN_A_ROW = 3


def test_killed_at_any_moment_and_started_again_it_ends_as_if_it_had_not_been_killed(
    feeds: Path, estate_with_nominals: Estate, tmp_path: Path, spark: SparkSession
) -> None:
    own = tmp_path / "feeds"
    shutil.copytree(feeds, own, copy_function=shutil.copy2)
    detain(own, "C-KILLED")

    def copied(name: str) -> MainJob:
        shutil.copytree(estate_with_nominals.root, tmp_path / name)
        return MainJob(spark, tmp_path / name, own)

    def arguments(job: MainJob) -> tuple[str | Path, ...]:
        return ("--feeds", own, "--out", job.root, "--date", DAY)

    calm = copied("calm")
    begun = time.monotonic()
    ok(submit("daily", *arguments(calm)))
    took = time.monotonic() - begun
    left = left_by(calm, with_nominals=True)
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    draw = drawn()
    tried: list[int] = []
    for attempt in range(2 * KILLS):
        if len(tried) >= KILLS:
            break
        job = copied(f"killed-{attempt}")
        for _ in range(min(IN_A_ROW, KILLS - len(tried))):
            moment = draw.uniform(0.1, 0.95) * took
            told = f"seed {SEED}, {KILL_DAY}: killed after {[*tried, round(moment)]} of {took:.0f} s"
            if not killed_after(moment, job.root, "daily", *arguments(job), TMPDIR=str(scratch)):
                break
            tried.append(round(moment))
            assert readers_find_one_whole_run(job), told
        ok(submit("daily", *arguments(job)))
        found = left_by(job, with_nominals=True)
        for part, expected in left.items():
            assert found[part] == expected, f"{told}: {part}"
        shutil.rmtree(job.root)
    assert len(tried) == KILLS
    print(f"seed {SEED}, {KILL_DAY}: killed after {tried} of {took:.0f} s")  # noqa: T201
