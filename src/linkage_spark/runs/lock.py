"""One run at a time over one output root."""

from __future__ import annotations

import hashlib
import json
import os
import re
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

from linkage_spark.errors import LockError
from linkage_spark.runs.tidying import tidied
from linkage_spark.store.files import Files

_NAME: Final = "lock.json"
_MARK: Final = re.compile(rf"{re.escape(_NAME)}(\.[0-9a-f]{{12}})+")
"""Files beside the lock that say who is taking over which: the name holds a digest of what that lock says."""

_MARK_STALE_AFTER_HOURS: Final = 0.25
"""Taking over is a matter of a second. Of a starter killed on another host the mark holds up the next one for this long."""

_AT_ONCE: Final = "another run took the lock at the same moment; try again when it has ended"


@dataclass(frozen=True)
class HeldLock:
    """The lock while a run works. Called before anything is written: a LockError, which names the holder, when it is no longer its own.

    Attributes:
        refuse: what the call does.
        may_go_on: what a stopped run has done may be gone on with: of whoever held the lock before it is known that they have ended. A run
            on another host whose lock was too old to be believed may still be writing under its id.
    """

    refuse: Callable[[], None]
    may_go_on: bool

    def __call__(self) -> None:
        """Refuse to go on when the lock is lost."""
        self.refuse()


@contextmanager
def hold_lock(
    files: Files,
    root: str,
    *,
    run_id: str,
    now: datetime,
    stale_after_hours: float,
    say: Callable[[str], None],
) -> Iterator[HeldLock]:
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

    Yields:
        What a run calls before it writes.

    Raises:
        LockError: names the run, host and process that hold the lock, and since when.
    """
    path = f"{root}/{_NAME}"
    process = _this_process(run_id)
    mine = json.dumps({**process, "since": now.isoformat()})
    may_go_on = _take(
        files, path, mine, mark=json.dumps(process), now=now, stale_after_hours=stale_after_hours, say=say
    )
    with tidied(f"the lock {path}", partial(_release, files, path, mine)):
        lock = HeldLock(refuse=partial(_refuse_unless_held, files, path, mine), may_go_on=may_go_on)
        lock()
        _remove_marks(files, root, mine)
        yield lock


def held_lock(files: Files, root: str) -> dict[str, str]:
    """What the lock says: ``run_id``, ``host``, ``pid``, ``since``; of one that cannot be read ``since`` alone, when it was written.

    Empty when nobody holds it.
    """
    return _said(files, f"{root}/{_NAME}")


def _take(
    files: Files,
    path: str,
    text: str,
    *,
    mark: str,
    now: datetime,
    stale_after_hours: float,
    say: Callable[[str], None],
) -> bool:
    """Create a file that says who holds it, or take it over from a holder who is gone.

    Only who has created the mark named after what the file says may delete it, and only while it still says so: of several
    who find the same file one gets it. The mark of a starter who was killed is taken over in the same way.

    Args:
        files: the file system.
        path: the lock, or the mark of who takes one over.
        text: what the file is to say.
        mark: what the mark is to say.
        now: aware UTC time.
        stale_after_hours: age at which a file from another host counts as left behind.
        say: prints one line.

    Returns:
        Nobody had it, or the process that had it is known to have ended.

    Raises:
        LockError: somebody else has it.
    """
    if files.create_exclusive(path, text):
        return True
    held = _said(files, path)
    if not held:
        raise LockError(_AT_ONCE)
    if not _left_behind(held, now=now, stale_after_hours=stale_after_hours):
        raise LockError(
            f"{_who(held, path)}; wait for it, or stop it first; delete the file only when no run is working"
        )
    taking = f"{path}.{_digest(held)}"
    _take(files, taking, mark, mark=mark, now=now, stale_after_hours=_MARK_STALE_AFTER_HOURS, say=say)
    with tidied(f"the mark {taking}", partial(_release, files, taking, mark)):
        if _said(files, path) != held:
            raise LockError(_AT_ONCE)
        say(f"taking over the lock that run {held.get('run_id', '?')} left behind at {held['since']}")
        files.delete(path)
        if not files.create_exclusive(path, text):
            raise LockError(_AT_ONCE)
    return held.get("host") == socket.gethostname()


def _release(files: Files, path: str, text: str) -> None:
    """Delete the file if it is still ours."""
    if _text(files, path) == text:
        files.delete(path)


def _refuse_unless_held(files: Files, path: str, mine: str) -> None:
    """Refuse to go on when the lock says anything but what this run wrote into it.

    Raises:
        LockError: names who holds it now.
    """
    if _text(files, path) == mine:
        return
    held = _said(files, path)
    raise LockError(
        f"run {json.loads(mine)['run_id']} has lost {_last(path)} and may not publish: "
        f"{_who(held, path) if held else 'nobody holds it now'}; start the same command again when no run is working"
    )


def _remove_marks(files: Files, root: str, mine: str) -> None:
    """Remove what starters left that were killed while they took a lock over.

    The lock that such a mark is named after is gone for good once another stands in its place, so that it guards nothing;
    a mark named after the new one is left to whoever made it.
    """
    own = f"{_NAME}.{_digest(json.loads(mine))}"
    for entry in files.list(root):
        if _MARK.fullmatch(entry.name) and not entry.name.startswith(own):
            files.delete(f"{root}/{entry.name}")


# ---- what a lock says --------------------------------------------------------------------------------------


def _said(files: Files, path: str) -> dict[str, str]:
    """What a lock says; ``since`` is when it was written where it tells none. Empty when nobody holds it."""
    said = _read(files, path)
    if "since" in said:
        return said
    folder, name = path.rsplit("/", 1)
    entry = next((entry for entry in files.list(folder) if entry.name == name), None)
    if entry is None:
        return {}
    return {**said, "since": datetime.fromtimestamp(entry.modified_ms / 1000, tz=UTC).isoformat()}


def _read(files: Files, path: str) -> dict[str, str]:
    """What the lock says; empty when it is unreadable or gone."""
    try:
        held = json.loads(_text(files, path))
    except ValueError:
        held = {}
    return held if isinstance(held, dict) else {}


def _text(files: Files, path: str) -> str:
    """The text of a file; empty when it is none, or is gone."""
    for tries_left in (2, 1, 0):
        try:
            return files.read_text(path) if files.exists(path) else ""
        except UnicodeDecodeError:
            break
        except Exception:
            # Its holder may end between the two calls, and another begin.
            if not tries_left:
                raise
    return ""


def _digest(held: Mapping[str, Any]) -> str:
    """12 digits that tell what one lock says from what any other does."""
    return hashlib.sha256(json.dumps(dict(held), sort_keys=True).encode()).hexdigest()[:12]


def _who(held: Mapping[str, Any], path: str) -> str:
    """Who holds a lock, as a person reads it."""
    return (
        f"run {held.get('run_id', '?')} has held {_last(path)} since {held.get('since', '?')} "
        f"(host {held.get('host', '?')}, process {held.get('pid', '?')})"
    )


def _last(path: str) -> str:
    """The file's name."""
    return path.rsplit("/", 1)[-1]


def _left_behind(held: Mapping[str, Any], *, now: datetime, stale_after_hours: float) -> bool:
    """True when the holder is gone from this host, or a lock is too old to be believed: of another host, or one that cannot be read.

    The latter may be one that is being written.
    """
    if held.get("host") == socket.gethostname():
        return not _alive(held)
    try:
        since = datetime.fromisoformat(held.get("since", ""))
    except ValueError:
        return False
    return now - since > timedelta(hours=stale_after_hours)


# ---- processes ---------------------------------------------------------------------------------------------


def _this_process(run_id: str) -> dict[str, Any]:
    """Who this process is: its number alone may be another's after a restart, or be given again."""
    pid = os.getpid()
    return {"run_id": run_id, "host": socket.gethostname(), "pid": pid, "boot": _boot(), "started": _started(pid)}


def _alive(held: Mapping[str, Any]) -> bool:
    """True when the process that a lock of this host names is there.

    Boot and start are compared where both the lock and the system tell them.
    """
    pid = int(held.get("pid", 0) or 0)
    if _differ(held.get("boot"), _boot()) or not _is_process(pid):
        return False
    return not _differ(held.get("started"), _started(pid))


def _differ(said: str | None, found: str) -> bool:
    """True when both are known and not the same."""
    return bool(said and found and said != found)


def _is_process(pid: int) -> bool:
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


def _boot() -> str:
    """Id of the system's last start; empty where it tells none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _started(pid: int) -> str:
    """When a process began, in ticks since the system's start; empty where nobody tells."""
    try:
        told = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return ""
    # The name, second and in brackets, may hold anything; the start is the 22nd field, the 20th after it.
    fields = told.rpartition(b")")[2].split()
    return fields[19].decode() if len(fields) > 19 else ""
