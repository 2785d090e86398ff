"""One run at a time: who holds the lock is said, and a lock left behind is taken over."""

import json
import os
import socket
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from linkage_spark.errors import LockError
from linkage_spark.runs.lock import held_lock, hold_lock
from linkage_spark.store.files import FileEntry, Files

NOW = datetime(2026, 11, 21, 5, 30, tzinfo=UTC)


class MemoryFiles:
    """The five calls that the lock makes, in memory."""

    def __init__(self, *, written: datetime = NOW, **texts: str) -> None:
        self.texts = dict(texts)
        self.written = written

    def list(self, path: str) -> list[FileEntry]:
        at = int(self.written.timestamp() * 1000)
        return [FileEntry(name, name.removeprefix(f"{path}/"), 0, at, is_dir=False) for name in self.texts]

    def exists(self, path: str) -> bool:
        return path in self.texts

    def read_text(self, path: str) -> str:
        return self.texts[path]

    def create_exclusive(self, path: str, text: str) -> bool:
        return self.texts.setdefault(path, text) is text

    def delete(self, path: str) -> None:
        del self.texts[path]


def held(**changes: Any) -> str:
    lock = {"run_id": "R1", "host": "elsewhere", "pid": 1, "since": (NOW - timedelta(hours=1)).isoformat()}
    return json.dumps({**lock, **changes})


def take(files: MemoryFiles, said: list[str] | None = None) -> Any:
    say = (said if said is not None else []).append
    return hold_lock(cast("Files", files), "out", run_id="R2", now=NOW, stale_after_hours=12, say=say)


def test_a_free_lock_is_taken_and_given_back() -> None:
    files = MemoryFiles()
    with take(files):
        assert json.loads(files.texts["out/lock.json"])["run_id"] == "R2"
    assert files.texts == {}


def test_a_lock_of_another_host_refuses_and_says_who_holds_it_since_when() -> None:
    files = MemoryFiles(**{"out/lock.json": held()})
    with (
        pytest.raises(LockError, match="run R1 .* since 2026-11-21T04:30.*host elsewhere, process 1"),
        take(files),
    ):
        pass
    assert "R1" in files.texts["out/lock.json"]


def test_a_lock_of_this_host_whose_process_lives_refuses() -> None:
    files = MemoryFiles(**{"out/lock.json": held(host=socket.gethostname(), pid=os.getpid())})
    with pytest.raises(LockError), take(files):
        pass


@pytest.mark.parametrize(
    "left_behind",
    [
        held(host=socket.gethostname(), pid=2**22 + 1),
        held(since=(NOW - timedelta(hours=13)).isoformat()),
    ],
    ids=["dead here", "old elsewhere"],
)
def test_a_lock_left_behind_is_taken_over_and_that_is_said(left_behind: str) -> None:
    said: list[str] = []
    files = MemoryFiles(**{"out/lock.json": left_behind})
    with take(files, said):
        assert json.loads(files.texts["out/lock.json"])["run_id"] == "R2"
    assert len(said) == 1 and "left behind" in said[0]


@pytest.mark.parametrize(
    "may_live",
    ["{half a lo", held(host=socket.gethostname(), pid=os.getpid(), since=(NOW - timedelta(hours=99)).isoformat())],
    ids=["half written", "alive here"],
)
def test_a_lock_whose_holder_may_live_is_never_taken_over(may_live: str) -> None:
    files = MemoryFiles(**{"out/lock.json": may_live})
    with pytest.raises(LockError, match="delete the file only when no run is working"), take(files):
        pass
    assert files.texts == {"out/lock.json": may_live}


def test_a_lock_that_cannot_be_read_is_taken_over_once_it_is_old_and_told_apart_from_none() -> None:
    files = MemoryFiles(written=NOW - timedelta(hours=13), **{"out/lock.json": ""})
    assert held_lock(cast("Files", files), "out") == {"since": (NOW - timedelta(hours=13)).isoformat()}
    said: list[str] = []
    with take(files, said):
        assert json.loads(files.texts["out/lock.json"])["run_id"] == "R2"
    assert "left behind" in said[0]
    assert held_lock(cast("Files", files), "out") == {}


def test_the_lock_is_given_back_when_the_run_fails() -> None:
    files = MemoryFiles()
    with pytest.raises(ZeroDivisionError), take(files):
        _ = 1 / 0
    assert files.texts == {}
