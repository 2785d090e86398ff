"""A run that is killed anywhere, or whose disk is full, ends as if nothing had been once it is started again; nothing is left behind.

``LINKAGE_KILLS`` is the number of points tried of each job, 'all' for every one; ``LINKAGE_DAY_SEED`` and ``LINKAGE_KILL_DAY`` choose which:
others every day. ``LINKAGE_CLOCKS`` says which of the two clock changes the days come through. `make soak` tries all.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException

from linkage_spark.runs.retain import Order
from linkage_spark.store.files import Files
from linkage_spark.store.snapshot import read_current_run
from linkage_spark.tables.linkage import LINK
from linkage_spark.tables.nominals import NOMINALS
from tests.support.day_worlds import FIRST_DAY, make_history
from tests.support.disks import filled, no_space_left, small_disk
from tests.support.draws import SEED, TOLD
from tests.support.held import gone_refs, holding, refs_in
from tests.support.killing import Killed, drawn, points, readers_find_one_whole_run
from tests.support.left import Left, left_by
from tests.support.main_job import FIRST_START, MainJob, write_day

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.slow

KILLS = os.environ.get("LINKAGE_KILLS", "3")
CHAIN = 20
"""So many points at most are tried on one run."""
WORLDS = 12
DAYS = 5
"""So many days come as one: in fewer, nobody may have gone."""
DAY = FIRST_DAY + timedelta(days=DAYS)
LEFT_LONG_AGO = "E999-1"

SPARKS_OWN = (Py4JJavaError, PySparkException, OSError)

_AT_ONCE = dict.fromkeys(("record_withdrawn", "left_roster", "superseded"), 0)
SETTINGS = {"retention": {"law_enforcement": _AT_ONCE, "public_task": _AT_ONCE}}


@dataclass(frozen=True)
class Work:
    """One job that is killed.

    Attributes:
        start: begins it.
        after: the job that came last; '' where it begins with what the first day left, its nominals among that.
    """

    start: Callable[[MainJob], None]
    after: str = ""


JOBS: Mapping[str, Work] = {
    "daily": Work(lambda job: job.daily(DAY)),
    "retain": Work(lambda job: job.retain(DAY, Order(at_once=True)), after="daily"),
    "compact": Work(lambda job: job.compact(DAY), after="daily"),
    "publish": Work(lambda job: job.take_back(DAY), after="daily"),
    "backfill": Work(lambda job: job.backfill(DAY)),
    "nominals": Work(lambda job: job.nominals(DAY), after="backfill"),
}
"""Each after those that it comes after."""


@dataclass
class Ready:
    """A root that a job is about to work on, what an undisturbed run leaves of it, and the points it comes through."""

    job: MainJob
    left: Left
    names: list[str]
    gone: set[str]


@pytest.fixture(scope="module")
def ready(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ready]:
    history = make_history(seed=SEED, worlds=WORLDS, days=DAYS)
    base = tmp_path_factory.mktemp("kills")
    job = MainJob(spark, base / "first", base / "feeds", settings=SETTINGS)
    write_day(spark, job.feeds, None, history.days[0])
    job.backfill(FIRST_DAY)
    job.nominals(FIRST_DAY)
    say_words(job)
    write_day(spark, job.feeds, history.days[0], history.days[-1])
    calm = {"": job}
    made = {}
    for name, work in JOBS.items():
        before_it = calm[work.after]
        calm[name] = copied(before_it, base / f"calm-{name}")
        with points() as seen:
            work.start(calm[name])
        made[name] = Ready(before_it, left(name, calm[name]), seen.seen, {*gone_refs(history), LEFT_LONG_AGO})
    return made


def say_words(job: MainJob) -> None:
    """*Not the same* on every fourth link, which takes it away; and a word on somebody who has left, which goes at the next retention."""
    links = [row.asDict() for row in job.store.read(LINK).orderBy(*LINK.key).collect()]
    for minute, link in enumerate([*links[::4], {**links[0], "employee_id": LEFT_LONG_AGO}]):
        job.say(link, "not_same", FIRST_START + timedelta(minutes=minute))


def left(name: str, job: MainJob) -> Left:
    """What a job leaves. RUN pins no nominals after a backfill: it makes none, and their tables stand as they stood."""
    if name != "backfill":
        return left_by(job, with_nominals=True)
    return left_by(job) | {"nominals": {table.name: job.store.version(table) for table in NOMINALS}}


def copied(job: MainJob, root: Path) -> MainJob:
    """The same root once more; the feeds are read only."""
    shutil.copytree(job.root, root)
    return replace(job, root=root)


def chosen(names: list[str]) -> list[str]:
    """The points to try, in their order."""
    if KILLS == "all":
        return names
    return sorted(drawn().sample(names, int(KILLS)), key=names.index)


@pytest.mark.parametrize(
    ("name", "least", "parts"),
    [
        (
            "daily",
            60,
            (
                "table person",
                "table run",
                "table nominal_event",
                "table negated_link",
                "work changed",
                "compare: after work",
                "snapshot nominal_alert",
                "snapshot hit",
                "file progress.json",
                "renaming part.parquet",
            ),
        ),
        (
            "retain",
            60,
            (
                "table item",
                "table person",
                "table run",
                "table removal",
                "words link_judgement",
                "snapshot hit",
                "purge person",
                "deleting",
            ),
        ),
        ("compact", 10, ("table person", "table involvement", "table run")),
        ("publish", 3, ("table run", "renaming part.parquet")),
        (
            "backfill",
            60,
            (
                "table person",
                "table scored_pair",
                "table run",
                "work items",
                "snapshot hit",
                "file progress.json",
                "renaming part.parquet",
            ),
        ),
        (
            "nominals",
            60,
            (
                "table nominal_pair",
                "table nominal_event",
                "table run",
                "snapshot nominal_alert",
                "snapshot hit",
                "file progress.json",
                "renaming part.parquet",
            ),
        ),
    ],
)
def test_a_run_comes_through_all_kinds_of_points(
    ready: dict[str, Ready], name: str, least: int, parts: tuple[str, ...]
) -> None:
    names = ready[name].names
    for part in parts:
        assert any(part in point for point in names), part
    assert len(names) > least


@pytest.mark.parametrize("name", list(JOBS))
def test_killed_anywhere_and_started_again_it_ends_as_if_it_had_not_been_killed(
    ready: dict[str, Ready], name: str
) -> None:
    """At several points in a row, at each once started again: as a night that will not come to its end."""
    before_it, work = ready[name], JOBS[name].start
    tried = pending = chosen(before_it.names)
    chains = 0
    while pending:
        chain = pending[:: -(-len(pending) // CHAIN)]
        job = copied(before_it.job, before_it.job.root.with_name(f"killed-{name}-{chains}"))
        killed = killed_at(job, work, chain)
        told = f"{TOLD}, {name} killed at {', '.join(killed)}"
        assert killed[:1] == chain[:1], f"{told}: it never came to '{chain[0]}'"
        found = left(name, job)
        for part, expected in before_it.left.items():
            assert found[part] == expected, f"{told}: {part}"
        assert readers_find_one_whole_run(job), told
        if name == "retain":
            assert before_it.gone > {LEFT_LONG_AGO}, "nobody has gone: the test would show nothing"
            assert holding(refs_in(job.root), before_it.gone) == {}, told
        shutil.rmtree(job.root)
        pending, chains = [point for point in pending if point not in killed], chains + 1
        print(f"{name}: {len(tried) - len(pending)} of {len(tried)} points", flush=True)  # noqa: T201
    print(f"{TOLD}: {name} killed at {len(tried)} of {len(before_it.names)} points in {chains} runs")  # noqa: T201


def killed_at(job: MainJob, work: Callable[[MainJob], None], chain: list[str]) -> list[str]:
    """Start a job until it comes to its end, killed at one point after another; where it was. Points that it comes to no more end the row."""
    killed = []
    for point in chain:
        try:
            with points(kill_at=point):
                work(job)
        except Killed:
            killed.append(point)
            assert readers_find_one_whole_run(job), f"{TOLD}, killed at {', '.join(killed)}"
        else:
            return killed
    work(job)
    return killed


# ---- a full disk, and what is broken or lost ---------------------------------------------------------------

_BEFORE_A_WRITE = re.compile(r": before (table|work|snapshot|file) ")


def test_a_full_disk_fails_the_run_and_leaves_readers_what_they_had(
    ready: dict[str, Ready], tmp_path: Path, spark: SparkSession
) -> None:
    """On a disk of its own that is full; where none can be mounted, every write of ours fails from some point on."""
    calm, disk = ready["daily"], tmp_path / "disk"
    size = sum(path.stat().st_size for path in calm.job.root.rglob("*") if path.is_file())
    with small_disk(disk, megabytes=64 + size // 2**20) as is_mounted:
        job = copied(calm.job, disk / "root")
        place = drawn().choice([name for name in calm.names if _BEFORE_A_WRITE.search(name)])
        how = (
            "a disk that is full" if is_mounted else f"nothing can be mounted here: no write succeeds from '{place}' on"
        )
        print(f"{TOLD}: {how}", flush=True)  # noqa: T201
        before = read_current_run(Files(spark), str(job.root))
        with filled(disk, free_bytes=400_000) if is_mounted else points(kill_at=place, ends=no_space_left):
            with pytest.raises(SPARKS_OWN, match="No space left|IOException"):
                job.daily(DAY)
            assert read_current_run(Files(spark), str(job.root)) == before, how
            assert readers_find_one_whole_run(job), how
        job.daily(DAY)
        assert left_by(job, with_nominals=True) == calm.left, f"{TOLD}: {how}"


def test_what_a_killed_run_noted_may_be_lost_or_half_written(ready: dict[str, Ready]) -> None:
    calm = ready["daily"]
    for no, damage in enumerate((Path.unlink, lambda path: path.write_text(path.read_text()[:20]))):
        job = copied(calm.job, calm.job.root.with_name(f"notes-{no}"))
        point = next(name for name in calm.names if "after work scored" in name)
        with points(kill_at=point), pytest.raises(Killed):
            job.daily(DAY)
        damage(job.root / "work" / "daily" / "progress.json")
        job.daily(DAY)
        assert left_by(job, with_nominals=True) == calm.left


def test_a_clock_that_goes_back_changes_neither_order_nor_result(ready: dict[str, Ready]) -> None:
    calm = ready["daily"]
    job = copied(calm.job, calm.job.root.with_name("clock"))
    job.clock -= timedelta(days=400)
    job.daily(DAY)
    assert left_by(job, with_nominals=True) == calm.left
    job.clock -= timedelta(days=1)
    job.daily(DAY)
    assert "nothing has changed" in job.said


def test_a_truncated_log_of_a_table_stops_the_run_and_readers_keep_what_they_had(ready: dict[str, Ready]) -> None:
    calm = ready["daily"]
    job = copied(calm.job, calm.job.root.with_name("log"))
    entry = sorted((job.root / "tables" / "person" / "_delta_log").glob("*.json"))[-1]
    entry.write_text(entry.read_text()[:100])
    for checksum in entry.parent.glob(f".{entry.name}.crc"):
        checksum.unlink()
    before = read_current_run(Files(job.spark), str(job.root))
    with pytest.raises(SPARKS_OWN, match="(?i)json|delta"):
        job.daily(DAY)
    assert read_current_run(Files(job.spark), str(job.root)) == before
    assert readers_find_one_whole_run(job)
