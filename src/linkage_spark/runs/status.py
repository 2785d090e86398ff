"""How things stand, at a glance: the last runs, what readers see and how old it is, who is at work, which feeds wait."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

from pyspark.sql import functions as F

from linkage_spark.errors import SourceError, StaleError, UsageError
from linkage_spark.runs.context import FORCE_ZONE
from linkage_spark.runs.day_gates import GATES_FILE, OF_NOMINALS
from linkage_spark.runs.entry import conf_dir, environment
from linkage_spark.runs.feed_states import known_states
from linkage_spark.runs.lock import held_lock
from linkage_spark.runs.manifest import ENDED_WELL, GoodRun, last_good_run, run_numbers
from linkage_spark.runs.retain_lists import is_unfinished
from linkage_spark.runs.session import open_session
from linkage_spark.settings.run import load_settings
from linkage_spark.settings.sources import FeedMapping, feeds_of, load_sources
from linkage_spark.store.delta import DeltaStore
from linkage_spark.store.feeds import feed_fingerprint
from linkage_spark.store.files import Files
from linkage_spark.store.snapshot import CurrentRun, read_current_run
from linkage_spark.tables.changes import FEED_STATE
from linkage_spark.tables.enums import Measure, RunKind, RunStatus
from linkage_spark.tables.gates import RUN_METRIC
from linkage_spark.tables.results import RUN

NIGHT_IS_OVER = time(7, 0)
"""From when on what reviewers see should be of this day, Europe/London: an hour before they meet, so that there is time to start it again."""

_SHOWN_RUNS = 10


@dataclass(frozen=True)
class Status:
    """What there is to say.

    Attributes:
        now: aware time.
        runs: the last rows of RUN, newest first.
        current: what readers see.
        good: the last good run.
        lock: who holds the lock; empty when nobody does.
        found_new: the day of the last run that published and found a feed written to; every good one after it found nothing new in the feeds.
        quiet_days: longest that no run may have found anything new (``[gates] max_days_without_news``).
        measured_on: the day of the last run that measured the feeds; None when none did.
        event_ages: days from each source's latest event to that day.
        retained_on: the day on which the job retain last came to its end; None when it never did.
        held_since: the day on which the first good run began.
        retain_within_days: longest that retention may lie back (``[retention] due_every_days``).
        waiting: feeds that were written to since that run; None when no feeds root was given.
        feed_days: day on which a run last found each feed written to, by ``source.feed``.
        gates: what the newest run that was measured wrote down of its figures (``day_gates.GATES_FILE``); None where none was.
    """

    now: datetime
    runs: Sequence[Mapping[str, Any]]
    current: CurrentRun | None
    good: GoodRun
    lock: Mapping[str, str]
    found_new: date
    quiet_days: int
    measured_on: date | None
    event_ages: Mapping[str, float]
    retained_on: date | None
    held_since: date
    retain_within_days: int
    waiting: Sequence[str] | None
    feed_days: Mapping[str, date] = field(default_factory=dict)
    gates: Mapping[str, Any] | None = None

    @property
    def is_stale(self) -> bool:
        """The night is over, and the last good run is not of today; before that, not of yesterday or today."""
        return self.good.day < day_due(self.now)

    @property
    def is_retain_due(self) -> bool:
        """No retain has come to its end for longer than it may; where none ever did, since the first run."""
        return (_day(self.now) - (self.retained_on or self.held_since)).days > self.retain_within_days

    @property
    def days_without_news(self) -> int:
        """Days from the last run that found anything new in the feeds to the last good one."""
        return (self.good.day - self.found_new).days

    @property
    def failed_last(self) -> bool:
        """The newest run failed."""
        return bool(self.runs) and self.runs[0]["status"] == RunStatus.FAILED.value


def run_status(*, root: str, feeds_root: str | None = None, now: datetime | None = None) -> int:
    """Print how things stand.

    Args:
        root: output root.
        feeds_root: to see which feeds wait; None: it is not looked at.
        now: aware time; None: the clock's.

    Returns:
        0: the last good run is of the day that is due.

    Raises:
        UsageError: nothing was ever published under the root.
        StaleError: the last good run is older than what is due, the newest run failed, no run has found anything new in the feeds, or
            retention has not come to its end, for too long.
    """
    settings = load_settings(conf_dir(), environment())
    with open_session("status") as spark:
        files = Files(spark)
        store = DeltaStore(spark, files.absolute(root))
        good = last_good_run(store)
        if good is None:
            raise UsageError(f"--out {root}: no run has been published there; run the backfill first")
        measured_on, event_ages = _event_ages(store, good)
        held_since, retained_on = _held_and_retained(files, store)
        status = Status(
            now=now or datetime.now(tz=UTC),
            runs=[row.asDict() for row in store.read(RUN).orderBy(F.desc("run_no")).limit(_SHOWN_RUNS).collect()],
            current=read_current_run(files, store.root),
            good=good,
            lock=held_lock(files, store.root),
            found_new=_found_new(store),
            quiet_days=settings.gates.max_days_without_news,
            measured_on=measured_on,
            event_ages=event_ages,
            retained_on=retained_on,
            held_since=held_since,
            retain_within_days=settings.retention.due_every_days,
            waiting=_waiting(store, good, files.absolute(feeds_root)) if feeds_root else None,
            feed_days={f"{source}.{feed}": row["written_day"] for (source, feed), row in _feeds(store, good).items()},
            gates=_gates(files, store.root, run_numbers(store)),
        )
    print(in_words(status), flush=True)
    if faults := _faults(status):
        raise StaleError("\n".join(faults))
    return 0


def _faults(status: Status) -> list[str]:
    """What somebody has to look into."""
    found = []
    if status.failed_last:
        why = status.runs[0]["error_class"]
        found.append(f"the newest run failed ({why}); see its log, mend the cause, start it again")
    elif status.is_stale:
        day = status.good.day
        found.append(f"the last good run is of {day}; see whether the nightly run was started, and start it")
    if status.days_without_news > status.quiet_days:
        found.append(
            f"no run has found anything new in the feeds since {status.found_new}, for more than {status.quiet_days} days "
            "([gates] max_days_without_news): see whether the feeds are delivered"
        )
    if status.is_retain_due:
        since = status.retained_on or f"the first run, of {status.held_since}"
        found.append(
            f"no retain has come to its end since {since}, for more than {status.retain_within_days} days ([retention] due_every_days): "
            "see its log, mend the cause, start it again"
        )
    return found


def _held_and_retained(files: Files, store: DeltaStore) -> tuple[date, date | None]:
    """The days on which the first good run began, and the newest retain that came to its end."""
    good = F.col("status").isin(*ENDED_WELL)
    rows = store.read(RUN).where(good).select("run_id", "kind", "run_no", "started_at").orderBy("run_no").collect()
    retains = [row for row in reversed(rows) if row["kind"] == RunKind.RETAIN.value]
    # It stands in RUN from its switch on, before its files go.
    ended = (row for row in retains if not is_unfinished(files, store.root, row["run_id"]))
    last = next(ended, None)
    return _day(rows[0]["started_at"]), _day(last["started_at"]) if last is not None else None


def _found_new(store: DeltaStore) -> date:
    """``news_day`` of all runs."""
    columns = ("run_no", "run_day", "kind", "status", "input_fingerprint")
    return news_day([row.asDict() for row in store.read(RUN).select(*columns).collect()])


def news_day(runs: Iterable[Mapping[str, Any]]) -> date:
    """The day of the last run that published and found a feed written to.

    A backfill always counts. A daily run does where the feeds are others than at the good run before it: a reviewer's word, a disposal date
    that has come and nominals that are made anew publish too, and tell nothing of what sources deliver.

    Args:
        runs: rows of RUN, whatever their order; a first backfill is among them.
    """
    of_feeds = (RunKind.BACKFILL.value, RunKind.DAILY.value)
    good = [row for row in runs if row["kind"] in of_feeds and row["status"] in ENDED_WELL]
    in_order = sorted(good, key=lambda row: row["run_no"])
    found: list[date] = [
        row["run_day"]
        for before, row in pairwise([None, *in_order])
        if row is not None and row["status"] == RunStatus.PUBLISHED.value and _is_of_other_feeds(row, before)
    ]
    return found[-1]


def _is_of_other_feeds(row: Mapping[str, Any], before: Mapping[str, Any] | None) -> bool:
    """A backfill, or the feeds had changed since the run before."""
    is_backfill = row["kind"] == RunKind.BACKFILL.value
    return is_backfill or before is None or row["input_fingerprint"] != before["input_fingerprint"]


def _event_ages(store: DeltaStore, good: GoodRun) -> tuple[date | None, dict[str, float]]:
    """As the last run measured them that measured anything, and its day."""
    if RUN_METRIC.name not in good.versions:
        return None, {}
    metric = store.read(RUN_METRIC, version=good.versions[RUN_METRIC.name])
    rows = metric.where(F.col("measure") == Measure.EVENT_AGE_DAYS.value).collect()
    numbers = run_numbers(store)
    newest = max((numbers.get(row["run_id"], 0) for row in rows), default=0)
    last = [row for row in rows if numbers.get(row["run_id"], 0) == newest]
    return (last[0]["run_day"], {row["part"]: row["value"] for row in last}) if last else (None, {})


def _feeds(store: DeltaStore, good: GoodRun) -> dict[tuple[str, str], dict[str, Any]]:
    """The feeds as the last good run left them, by source and feed."""
    return known_states(store.read(FEED_STATE, version=good.versions[FEED_STATE.name]))


def _gates(files: Files, root: str, numbers: Mapping[str, int]) -> Mapping[str, Any] | None:
    """What the newest measured run wrote down, a stopped one too.

    Args:
        files: the file system.
        root: output root.
        numbers: ``run_no`` of every run by its id.
    """
    runs = [folder.name for folder in files.list(f"{root}/reports")]
    for run_id in sorted(runs, key=lambda run_id: _ended(run_id, numbers), reverse=True):
        path = f"{root}/reports/{run_id}/{GATES_FILE}"
        if files.exists(path):
            told: Mapping[str, Any] = json.loads(files.read_text(path))
            return told
    return None


def _ended(run_id: str, numbers: Mapping[str, int]) -> tuple[int, str]:
    """Where a run comes in the order in which runs ended; one that was stopped has the number of its failure, one that was killed has none."""
    known = numbers.get(run_id) or numbers.get(f"{run_id}-failed")
    return known or max((no for other, no in numbers.items() if other < run_id), default=0), run_id


def _waiting(store: DeltaStore, good: GoodRun, feeds_root: str) -> list[str]:
    """Feeds that are another than the last good run read, or gone."""
    prints = {key: row["fingerprint"] for key, row in _feeds(store, good).items()}
    feeds = [feed for feed in feeds_of(load_sources(conf_dir())) if (feed.source_system, feed.name) in prints]
    return [feed.key for feed in feeds if _print(store, feed, feeds_root) != prints[(feed.source_system, feed.name)]]


def _print(store: DeltaStore, feed: FeedMapping, feeds_root: str) -> str | None:
    """How a feed stands; None where it is not there, or cannot be read."""
    try:
        return feed_fingerprint(store.spark, feed, feeds_root)
    except SourceError:
        return None


def in_words(status: Status) -> str:
    """What a person reads."""
    lines = [f"Status at {_local(status.now)}", "", "Last runs, newest first:"]
    lines += [f"  {_run_line(row)}" for row in status.runs]
    lines += ["", f"Readers see: {_seen(status)}", f"Lock: {_lock_line(status.lock)}"]
    if status.event_ages:
        ages = ", ".join(f"{source} {age:.0f}" for source, age in sorted(status.event_ages.items()))
        lines.append(f"Latest event of each source, days before {status.measured_on}: {ages}")
    if status.feed_days:
        written = ", ".join(f"{feed} {day}" for feed, day in sorted(status.feed_days.items()))
        lines.append(f"Last found written to: {written}")
    if (days := status.days_without_news) > 0:
        lines.append(
            f"No run has found anything new in the feeds since {status.found_new}, {days} days before the last good run"
        )
    lines.append(f"Last retain: {status.retained_on or f'none since the first run, of {status.held_since}'}")
    lines.append(f"New or changed hits of the last good run: {_changes(status.good)}")
    lines += _gate_lines(status.gates)
    if status.waiting is not None:
        lines.append(f"Feeds written to since the last good run: {', '.join(status.waiting) or 'none'}")
    return "\n".join(lines)


def _gate_lines(gates: Mapping[str, Any] | None) -> list[str]:
    """What stopped the newest measured run, and how much of the alert budget it took."""
    if gates is None:
        return []
    figures, moved = gates["figures"], gates["breaches"]
    new = ", ".join(
        f"{figure['part']} {figure['value']:,.0f}" for figure in figures if figure["measure"] == Measure.NEW_ITEMS.value
    )
    said = f"{len(moved)} breached" if moved else "none breached"
    # The job nominals makes no hits.
    of_nominals_alone = figures and {figure["measure"] for figure in figures} <= set(OF_NOMINALS)
    hits = "" if of_nominals_alone else f"; hits of its day: {new or 'none'}"
    return [f"Gates of {gates['run_id']}: {len(figures)} figures, {said}{hits}", *[f"  {breach}" for breach in moved]]


def _run_line(row: Mapping[str, Any]) -> str:
    seconds = (row["finished_at"] - row["started_at"]).total_seconds()
    failed = f" ({row['error_class']})" if row["error_class"] else ""
    return f"{row['run_id']}  for {row['run_day']}  {row['status']}{failed}  {seconds:,.0f} s  shows {row['shown_run_id'] or 'nothing'}"


def _seen(status: Status) -> str:
    if status.current is None:
        return "nothing yet"
    age = status.now - status.current.published_at
    return f"{status.current.run_id}, published {_local(status.current.published_at)}, {age.total_seconds() / 3600:.1f} hours ago"


def _lock_line(lock: Mapping[str, str]) -> str:
    if not lock:
        return "free"
    if "run_id" not in lock:
        return "there, and it cannot be read: delete lock.json when no run is working"
    told = (lock.get(name, "?") for name in ("run_id", "since", "host", "pid"))
    return "held by {} since {} (host {}, process {})".format(*told)


def _changes(good: GoodRun) -> str:
    """What the last run that looked for changes counted."""
    stages = {stage["stage"]: stage["counts"] for stage in json.loads(good.counts_json).get("stages", [])}
    counts = {name: n for name, n in stages.get("follow", {}).items() if "hits" in name}
    return ", ".join(f"{name} {n:,}" for name, n in sorted(counts.items())) or "none"


def _local(moment: datetime) -> str:
    """A time as the force reads it."""
    return f"{moment.astimezone(FORCE_ZONE):%Y-%m-%d %H:%M} (Europe/London)"


def _day(moment: datetime) -> date:
    """The day of a time as the force reads it."""
    return moment.astimezone(FORCE_ZONE).date()


def day_due(now: datetime) -> date:
    """The day of which the last good run should be."""
    here = now.astimezone(FORCE_ZONE)
    return here.date() if here.time() >= NIGHT_IS_OVER else here.date() - timedelta(days=1)
