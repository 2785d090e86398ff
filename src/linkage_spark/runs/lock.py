"""One run at a time over one output root."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial

from linkage_spark.errors import LockError
from linkage_spark.runs.tidying import tidied
from linkage_spark.store.files import Files


@contextmanager
def hold_lock(
    files: Files,
    root: str,
    *,
    run_id: str,
    now: datetime,
    stale_after_hours: float,
    say: Callable[[str], None],
) -> Iterator[None]:
    """Hold ``ROOT/lock.json`` while a run works; it names who holds it and since when.

    A lock whose process is gone from this very host, or one of another host, or that cannot be read, that is older than
    ``stale_after_hours``, is taken over, and that is said.

    Args:
        files: the file system.
        root: output root.
        run_id: the run that wants the lock.
        now: aware UTC time.
        stale_after_hours: age at which a lock from another host counts as left behind.
        say: prints one line.

    Raises:
        LockError: names the run, host and process that hold the lock, and since when.
    """
    path = f"{root}/lock.json"
    mine = json.dumps({"run_id": run_id, "host": socket.gethostname(), "pid": os.getpid(), "since": now.isoformat()})
    if not files.create_exclusive(path, mine):
        held = held_lock(files, root)
        if not _left_behind(held, now=now, stale_after_hours=stale_after_hours):
            raise LockError(
                f"run {held.get('run_id', '?')} has held {path.rsplit('/', 1)[-1]} since {held.get('since', '?')} "
                f"(host {held.get('host', '?')}, process {held.get('pid', '?')}); wait for it, or stop it first; "
                "delete the file only when no run is working"
            )
        say(f"taking over the lock that run {held.get('run_id', '?')} left behind at {held.get('since', '?')}")
        files.delete(path)
        if not files.create_exclusive(path, mine):
            raise LockError("another run took the lock at the same moment; try again when it has ended")
    with tidied(f"the lock {path}", partial(_release, files, path, run_id)):
        yield


def held_lock(files: Files, root: str) -> dict[str, str]:
    """What the lock says: ``run_id``, ``host``, ``pid``, ``since``; of one that cannot be read ``since`` alone, when it was written.

    Empty when nobody holds it.
    """
    said = _read(files, f"{root}/lock.json")
    if said:
        return said
    entry = next((entry for entry in files.list(root) if entry.name == "lock.json"), None)
    return {} if entry is None else {"since": datetime.fromtimestamp(entry.modified_ms / 1000, tz=UTC).isoformat()}


def _release(files: Files, path: str, run_id: str) -> None:
    """Delete the lock if it is still ours."""
    if _read(files, path).get("run_id") == run_id:
        files.delete(path)


def _read(files: Files, path: str) -> dict[str, str]:
    """What the lock says; empty when it is unreadable or gone."""
    try:
        held = json.loads(files.read_text(path)) if files.exists(path) else {}
    except ValueError:
        held = {}
    return held if isinstance(held, dict) else {}


def _left_behind(held: dict[str, str], *, now: datetime, stale_after_hours: float) -> bool:
    """True when the holder is gone from this host, or a lock is too old to be believed: of another host, or one that cannot be read.

    The latter may be one that is being written.
    """
    if held.get("host") == socket.gethostname() and not _alive(int(held.get("pid", 0) or 0)):
        return True
    if held.get("host") == socket.gethostname():
        return False
    try:
        since = datetime.fromisoformat(held.get("since", ""))
    except ValueError:
        return False
    return now - since > timedelta(hours=stale_after_hours)


def _alive(pid: int) -> bool:
    """True when a process of this host has the number."""
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
