"""Everything a run of the force's jobs needs, gathered once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from pyspark.sql import SparkSession

from linkage_spark.errors import FeedNotThereError, LockError, SourceError
from linkage_spark.kit.refusing import never_refuses
from linkage_spark.model.schema import Model, load_model
from linkage_spark.reference.standard import Reference, load_reference
from linkage_spark.runs.entry import conf_dir, environment
from linkage_spark.runs.feeds_root import open_session_over
from linkage_spark.runs.left_behind import forget_left, set_aside
from linkage_spark.runs.lock import HeldLock, hold_lock
from linkage_spark.runs.manifest import MadeFrom, code_version, fingerprint, new_run_id, unused_run_id
from linkage_spark.runs.models import find_model, is_shipped
from linkage_spark.runs.progress import Progress
from linkage_spark.runs.secret import load_secret
from linkage_spark.runs.session import open_session
from linkage_spark.runs.tidying import tidied
from linkage_spark.settings.canaries import Canary, load_canaries
from linkage_spark.settings.run import Settings, load_settings
from linkage_spark.settings.sources import FeedMapping, SourceMapping, feeds_of, load_sources
from linkage_spark.settings.wording import Wording, load_wording
from linkage_spark.store.delta import DeltaStore
from linkage_spark.store.feeds import feed_fingerprint
from linkage_spark.store.files import Files
from linkage_spark.tables.enums import RunKind

FORCE_ZONE: Final = ZoneInfo("Europe/London")
"""The zone of days and of the meeting at 08:00; times are UTC everywhere else."""


@dataclass
class RunContext:
    """What stages read and write through, and what they were told.

    Attributes:
        kind: which job.
        run_id: the run; an interrupted run that goes on takes its old id back.
        day: the day that the run is for, Europe/London.
        root: output root.
        feeds_root: folder under which the mappings' relative paths lie.
        canaries: made-up employees whose records the run must find.
        secret: key of every stored hash of a personal value; never printed, never stored.
        refuse_unless_held: called right before anything is written, RUN and ``current_run`` above all: a LockError when the lock is lost.
    """

    kind: RunKind
    run_id: str
    started_at: datetime
    day: date
    root: str
    feeds_root: str
    spark: SparkSession
    files: Files
    store: DeltaStore
    settings: Settings
    wording: Wording
    sources: tuple[SourceMapping, ...]
    reference: Reference
    model: Model
    canaries: tuple[Canary, ...]
    secret: bytes
    progress: Progress
    refuse_unless_held: Callable[[], None] = never_refuses

    @property
    def work(self) -> str:
        """The run's own scratch folder; removed at its end."""
        return scratch(self.root, self.kind.value)


def scratch(root: str, name: str = "") -> str:
    """Where runs over ``root`` keep what is removed at their end: one run's folder, or that of all of them."""
    return "/".join([root, "work", *([name] if name else [])])


def clear_work(run: RunContext) -> None:
    """Remove the run's scratch folder, and the folder of all of them when nothing else is in it."""
    run.refuse_unless_held()
    run.files.delete(run.work)
    run.files.delete_empty(scratch(run.root))


@contextmanager
def emptied(files: Files, path: str, *, refuse: Callable[[], None] = never_refuses) -> Iterator[str]:
    """A scratch folder, emptied before and removed after; an error inside it comes through, as ``tidied`` says.

    Args:
        files: the file system.
        path: the folder.
        refuse: called before it is deleted; raises where another run works there by now.
    """

    def empty() -> None:
        refuse()
        files.delete(path)

    empty()
    with tidied(f"{path}, which the next run empties,", empty):
        yield path


@contextmanager
def open_run(
    kind: RunKind, *, feeds_root: str, root: str, model_id: str | None = None, day: date | None = None
) -> Iterator[RunContext]:
    """Read and validate all settings, open the session, take the lock.

    Settings come first, and the folder of the feeds: a typing mistake costs a second, not a session.

    Args:
        kind: which job.
        feeds_root: folder under which the mappings' relative paths lie; a job that reads no feeds names ``root``.
        root: output root.
        model_id: the model; None: the one that the settings name.
        day: the day that the run is for; None: today in Europe/London.

    Raises:
        SettingsError: any file under ``conf`` is wrong.
        UsageError: ``feeds_root`` is not the folder of the feeds.
        LockError: another run holds the lock; or took it over while this one worked, whatever error it ended with.
    """
    conf, env = conf_dir(), environment()
    settings, wording = load_settings(conf, env), load_wording(conf)
    sources, reference, canaries = load_sources(conf), load_reference(conf), load_canaries(conf)
    model_id = model_id or settings.screening.model_id
    shipped = load_model(conf, model_id) if is_shipped(conf, model_id) else None
    started_at = datetime.now(tz=UTC)
    run_id = new_run_id(started_at, kind.value)
    progress = Progress()
    reads_feeds = feeds_root != root
    opened = open_session_over(kind.value, feeds_root, sources) if reads_feeds else open_session(kind.value)
    with opened as spark:
        files = Files(spark)
        root, feeds_root = files.absolute(root), files.absolute(feeds_root)
        store = DeltaStore(spark, root, kept_days=settings.retention.table_days)
        hours = settings.lock.stale_after_hours
        lock = hold_lock(files, root, run_id=run_id, now=started_at, stale_after_hours=hours, say=progress.say)
        with lock as held, lock_loss_told(held):
            store.refuse = held
            _leave_to_its_holder(kind, store, held, progress)
            yield RunContext(
                kind=kind,
                run_id=unused_run_id(store, run_id),
                started_at=started_at,
                day=day or started_at.astimezone(FORCE_ZONE).date(),
                root=root,
                feeds_root=feeds_root,
                spark=spark,
                files=files,
                store=store,
                settings=settings,
                wording=wording,
                sources=sources,
                reference=reference,
                model=shipped or find_model(conf, store, model_id),
                canaries=canaries,
                secret=load_secret(files, root, settings=settings, env=env),
                progress=progress,
                refuse_unless_held=held,
            )


@contextmanager
def lock_loss_told(refuse: Callable[[], None]) -> Iterator[None]:
    """An error of a run that has lost its lock is told as that: what it had written or read has gone from under it.

    Args:
        refuse: raises the LockError.
    """
    try:
        yield
    except LockError:
        raise
    except Exception as error:
        lost = lock_loss(refuse)
        if lost is not None:
            raise lost from error
        raise


def lock_loss(refuse: Callable[[], None]) -> LockError | None:
    """What a run whose lock is lost must end with; None where it holds it, or where nobody can tell: that must hide no error."""
    try:
        refuse()
    except LockError as lost:
        return lost
    except Exception:
        return None
    return None


def _leave_to_its_holder(kind: RunKind, store: DeltaStore, held: HeldLock, progress: Progress) -> None:
    """Nobody goes on with the work of a run that may not have ended: what it is still writing would come into it.

    Retention deletes it once it has written down what stands there, so that it tells of these files too.
    """
    work = scratch(store.root)
    if held.may_go_on or not store.files.exists(work):
        return
    set_aside(store.files, work, refuse=held)
    if kind is not RunKind.RETAIN:
        forget_left(store, work, refuse=held, say=progress.say)
        held()
        store.files.delete(work)
    progress.say("whoever held the lock may still be at work: nothing is gone on with that a stopped run had done")


def made_from(run: RunContext) -> MadeFrom:
    """Fingerprints of code, settings (mappings, reference lists and wording in), model and feeds."""
    feeds = {feed.key: _feed_state(run, feed) for feed in feeds_of(run.sources)}
    return MadeFrom(
        code=code_version(),
        settings=settings_digest(run.settings),
        model=run.model.fingerprint,
        feeds=fingerprint(feeds),
    )


def settings_digest(settings: Settings) -> str:
    """One fingerprint of the settings, mappings, reference lists and wording."""
    conf = conf_dir()
    digests = {
        str(path.relative_to(conf)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(conf.rglob("*"))
        if _decides_rows(path)
    }
    return fingerprint({"settings": settings.fingerprint, **digests})


def _feed_state(run: RunContext, feed: FeedMapping) -> str:
    """A feed's fingerprint; a word when it is not there or cannot be read, which reading the feeds says with all other faults."""
    try:
        return feed_fingerprint(run.spark, feed, run.feeds_root)
    except FeedNotThereError:
        return "missing"
    except SourceError:
        return "unreadable"


def _decides_rows(path: Path) -> bool:
    """True for the files that decide what rows say: mappings, reference lists and wording."""
    return path.is_file() and (path.parent.name in {"sources", "reference"} or path.name == "wording.toml")
