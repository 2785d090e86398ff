"""One run at a time: who holds the lock is said, a lock left behind is taken over by one, and who lost it publishes nothing."""

import ast
import json
import os
import random
import re
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from linkage_spark.errors import LockError
from linkage_spark.runs import lock, publishing
from linkage_spark.runs.lock import held_lock, hold_lock
from linkage_spark.store.files import FileEntry, Files
from linkage_spark.tables.results import HIT

NOW = datetime(2026, 11, 21, 5, 30, tzinfo=UTC)
GONE = 2**22 + 1
"""No process has this number."""


class MemoryFiles:
    """The five calls that the lock makes, in memory."""

    def __init__(self, *, written: datetime = NOW, **texts: str) -> None:
        self.texts = dict(texts)
        self.written = written

    def step(self) -> None:
        """Comes before every call."""

    def list(self, path: str) -> list[FileEntry]:
        self.step()
        at = int(self.written.timestamp() * 1000)
        return [FileEntry(name, name.removeprefix(f"{path}/"), 0, at, is_dir=False) for name in self.texts]

    def exists(self, path: str) -> bool:
        self.step()
        return path in self.texts

    def read_text(self, path: str) -> str:
        self.step()
        return self.texts[path]

    def create_exclusive(self, path: str, text: str) -> bool:
        self.step()
        return self.texts.setdefault(path, text) is text

    def delete(self, path: str) -> bool:
        self.step()
        return self.texts.pop(path, None) is not None


class Killed(BaseException):
    """The process is gone."""


class Interrupted(MemoryFiles):
    """Before one of the calls something else happens; a starter that is killed makes no call after it."""

    def __init__(self, at: int, act: Callable[[], object] | None = None, **texts: str) -> None:
        super().__init__(**texts)
        self.steps, self.at, self.act = 0, at, act

    def step(self) -> None:
        self.steps += 1
        if self.act is None and self.steps >= self.at:
            raise Killed
        if self.act is not None and self.steps == self.at:
            self.act()


class Turns(MemoryFiles):
    """Starters in threads of their own, of which one at a time makes a call; which one is drawn."""

    def __init__(self, seed: int, **texts: str) -> None:
        super().__init__(**texts)
        self.draw, self.turn, self.next = random.Random(seed), threading.Condition(), ""
        self.there: list[str] = []
        self.working: list[str] = []
        self.worked: list[list[str]] = []
        self.faults: list[Exception] = []

    def step(self) -> None:
        me = threading.current_thread().name
        if me in self.there:
            with self.turn:
                self._pass_on()
                assert self.turn.wait_for(lambda: self.next == me, timeout=20)

    def race(self, *names: str) -> None:
        """All of them start at once."""
        self.there = list(names)
        starters = [threading.Thread(target=self._start, name=name) for name in names]
        for starter in starters:
            starter.start()
        with self.turn:
            self._pass_on()
        for starter in starters:
            starter.join()
        assert self.faults == []

    def _start(self) -> None:
        me = threading.current_thread().name
        with self.turn:
            assert self.turn.wait_for(lambda: self.next == me, timeout=20)
        try:
            with suppress(LockError), take(self, run_id=me) as refuse_unless_held:
                self.working.append(me)
                self.worked.append(list(self.working))
                try:
                    refuse_unless_held()
                except LockError as fault:
                    self.faults.append(fault)
                self.working.remove(me)
        except Exception as fault:
            self.faults.append(fault)
        finally:
            with self.turn:
                self.there.remove(me)
                self._pass_on()

    def _pass_on(self) -> None:
        self.next = self.draw.choice(self.there) if self.there else ""
        self.turn.notify_all()


def held(**changes: Any) -> str:
    lock = {"run_id": "R1", "host": "elsewhere", "pid": 1, "since": (NOW - timedelta(hours=1)).isoformat()}
    return json.dumps({**lock, **changes})


STALE = {"out/lock.json": held(since=(NOW - timedelta(hours=13)).isoformat())}


def take(files: MemoryFiles, said: list[str] | None = None, *, run_id: str = "R2") -> Any:
    say = (said if said is not None else []).append
    return hold_lock(cast("Files", files), "out", run_id=run_id, now=NOW, stale_after_hours=12, say=say)


def steps_of_a_takeover() -> int:
    """Calls that an undisturbed one makes, to the end of its work."""
    files = Interrupted(0, lambda: None, **STALE)
    with take(files):
        pass
    assert files.texts == {}
    return files.steps


def test_a_free_lock_is_taken_and_given_back() -> None:
    files = MemoryFiles()
    with take(files) as lock_held:
        assert json.loads(files.texts["out/lock.json"])["run_id"] == "R2"
        assert lock_held.may_go_on
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
    ("left_behind", "has_ended"),
    [
        (held(host=socket.gethostname(), pid=GONE), True),
        (held(since=(NOW - timedelta(hours=13)).isoformat()), False),
    ],
    ids=["dead here", "old elsewhere"],
)
def test_a_lock_left_behind_is_taken_over_and_that_is_said(left_behind: str, has_ended: bool) -> None:
    said: list[str] = []
    files = MemoryFiles(**{"out/lock.json": left_behind})
    with take(files, said) as lock_held:
        assert json.loads(files.texts["out/lock.json"])["run_id"] == "R2"
        assert lock_held.may_go_on == has_ended, "a run that may still be at work keeps its id to itself"
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


# ---- who the process is ------------------------------------------------------------------------------------


@pytest.fixture
def this_boot(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What a lock of this process says; the system tells boot and start."""
    monkeypatch.setattr(lock, "_boot", lambda: "boot-2")
    monkeypatch.setattr(lock, "_started", lambda _: "4711")
    return {"host": socket.gethostname(), "pid": os.getpid(), "boot": "boot-2", "started": "4711"}


def test_the_lock_says_which_process_holds_it(this_boot: dict[str, Any]) -> None:
    files = MemoryFiles()
    with take(files):
        told = json.loads(files.texts["out/lock.json"])
        assert told == {"run_id": "R2", "since": NOW.isoformat(), **this_boot}


@pytest.mark.parametrize("another", [{"boot": "boot-1"}, {"started": "12"}], ids=["another boot", "given again"])
def test_a_number_that_another_process_bears_now_is_taken_over(
    this_boot: dict[str, Any], another: dict[str, str]
) -> None:
    said: list[str] = []
    files = MemoryFiles(**{"out/lock.json": held(**{**this_boot, **another})})
    with take(files, said):
        assert json.loads(files.texts["out/lock.json"])["run_id"] == "R2"
    assert "left behind" in said[0]
    assert files.texts == {}


@pytest.mark.parametrize("unknown", [{}, {"boot": ""}, {"started": ""}, {"boot": "", "started": ""}])
def test_what_the_lock_does_not_tell_is_not_compared(this_boot: dict[str, Any], unknown: dict[str, str]) -> None:
    files = MemoryFiles(**{"out/lock.json": held(**{**this_boot, **unknown})})
    with pytest.raises(LockError), take(files):
        pass


def test_what_the_system_does_not_tell_is_not_compared(
    this_boot: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("_boot", "_started"):
        monkeypatch.setattr(lock, name, lambda *_: "")
    files = MemoryFiles(**{"out/lock.json": held(**this_boot)})
    with pytest.raises(LockError), take(files):
        pass


@pytest.mark.skipif(not Path("/proc/self/comm").exists(), reason="this system has no /proc")
def test_a_process_has_one_start_whatever_its_name() -> None:
    comm = Path(f"/proc/{os.getpid()}/comm")
    name, start = comm.read_text(), lock._started(os.getpid())
    try:
        comm.write_text("a) R 1 (b")
        assert lock._started(os.getpid()) == start
    finally:
        comm.write_text(name)
    assert start.isdigit() and start != lock._started(1)
    assert lock._started(GONE) == ""
    assert re.fullmatch("[0-9a-f-]{36}", lock._boot())


# ---- several at once ---------------------------------------------------------------------------------------


def test_whoever_comes_between_two_steps_of_a_takeover_works_alone() -> None:
    for at in range(1, steps_of_a_takeover() + 1):
        second = take(files := Interrupted(at, **STALE), run_id="R3")
        inside: list[str] = []

        def come(second: Any = second, inside: list[str] = inside) -> None:
            with suppress(LockError):
                second.__enter__()
                inside.append("R3")

        files.act = come
        with suppress(LockError), take(files):
            assert inside == [], at
            inside.append("R2")
        if inside == ["R3"]:
            assert json.loads(files.texts["out/lock.json"])["run_id"] == "R3", at
            second.__exit__(None, None, None)
        assert len(inside) >= 1, at
        assert files.texts == {}, at


@pytest.mark.parametrize("left", [{}, STALE], ids=["free", "stale"])
def test_of_three_that_start_at_once_never_two_work(left: dict[str, str]) -> None:
    for seed in range(60):
        files = Turns(seed, **left)
        files.race("R2", "R3", "R4")
        assert files.worked and all(len(working) == 1 for working in files.worked), seed
        assert files.texts == {}, seed


def killed_at(at: int, monkeypatch: pytest.MonkeyPatch, *, host: str = "", **texts: str) -> dict[str, str]:
    """What a starter leaves that is killed before one of its calls, on this host or another."""
    files = Interrupted(at, **texts)
    with monkeypatch.context() as patch:
        patch.setattr(os, "getpid", lambda: GONE)
        if host:
            patch.setattr(socket, "gethostname", lambda: host)
        with pytest.raises(Killed), take(files, run_id="KILLED"):
            pass
    return files.texts


def test_after_a_starter_was_killed_between_two_steps_the_next_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    for at in range(1, steps_of_a_takeover() + 1):
        left = killed_at(at, monkeypatch, **STALE)
        files = Turns(at, **left)
        files.race("R2", "R3", "R4")
        assert files.worked and all(len(working) == 1 for working in files.worked), at
        assert files.texts == {}, at


def test_after_two_starters_were_killed_the_next_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    left = [killed_at(at, monkeypatch, **STALE) for at in range(1, steps_of_a_takeover() + 1)]
    for once in left:
        for at in range(1, 100):
            try:
                twice = killed_at(at, monkeypatch, **once)
            except pytest.fail.Exception:
                break  # it came to its end
            with take(files := MemoryFiles(**twice)):
                pass
            assert files.texts == {}, (once, at)
        assert at > 3


@pytest.mark.parametrize(("minutes", "refused"), [(5, True), (20, False)])
def test_a_takeover_cut_off_on_another_host_holds_up_the_next_for_minutes(
    minutes: int, refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    lefts = [killed_at(at, monkeypatch, host="far", **STALE) for at in range(1, steps_of_a_takeover() + 1)]
    left = next(left for left in lefts if len(left) == 2)
    files = MemoryFiles(written=NOW - timedelta(minutes=minutes), **left)
    if refused:
        with pytest.raises(LockError, match=r"run KILLED has held lock\.json\.[0-9a-f]{12} since"), take(files):
            pass
        assert files.texts == left
        del files.texts["out/lock.json"]  # what the message and the run book have a person do
    with take(files):
        pass
    assert files.texts == {}


def test_a_fault_in_reading_the_lock_comes_through() -> None:
    class Broken(MemoryFiles):
        def read_text(self, path: str) -> str:
            raise ConnectionError(path)

    with pytest.raises(ConnectionError), take(files := Broken(**STALE)):
        pass
    assert files.texts == STALE


def test_no_other_file_beside_the_lock_is_removed() -> None:
    others = dict.fromkeys(("out/lock.json.bak", "out/lock.json.0123456789abc", "out/pairs.csv"), "mine")
    with take(files := MemoryFiles(**others)):
        pass
    assert files.texts == others


def test_the_mark_of_whoever_takes_over_the_new_lock_is_left_to_him() -> None:
    """A clock that is a day ahead finds every lock too old."""
    with take(files := MemoryFiles()):
        mark = f"out/lock.json.{lock._digest(held_lock(cast('Files', files), 'out'))}"
    with take(files := MemoryFiles(**{mark: "{}"})):
        assert mark in files.texts
    with take(files, run_id="R3"):
        pass
    assert files.texts == {}


def test_a_lock_that_goes_while_it_is_read_is_no_fault_of_the_files() -> None:
    class Going(MemoryFiles):
        def read_text(self, path: str) -> str:
            del self.texts[path]
            raise ConnectionError(path)

    with pytest.raises(LockError, match="at the same moment"), take(Going(**STALE)):
        pass


# ---- a lock that was lost ----------------------------------------------------------------------------------


def test_a_run_may_publish_while_it_holds_the_lock_and_not_after_it_was_taken_over() -> None:
    files = MemoryFiles()
    with take(files) as refuse_unless_held:
        refuse_unless_held()
        files.texts["out/lock.json"] = taken = held(run_id="R3")
        with pytest.raises(LockError, match=r"R2 has lost lock\.json .*run R3 has held .*host elsewhere, process 1"):
            refuse_unless_held()
    assert files.texts == {"out/lock.json": taken}


@pytest.mark.parametrize("lost", [None, "", held(run_id="R2")], ids=["deleted", "unreadable", "of another R2"])
def test_a_run_whose_lock_is_not_its_own_may_not_publish(lost: str | None) -> None:
    files = MemoryFiles()
    with take(files) as refuse_unless_held:
        del files.texts["out/lock.json"]
        files.texts |= {"out/lock.json": lost} if lost is not None else {}
        with pytest.raises(LockError, match="R2 has lost" if lost is not None else "nobody holds it now"):
            refuse_unless_held()


def test_a_run_that_lost_the_lock_moves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    moved: list[str] = []
    monkeypatch.setattr(publishing, "side_by_side", lambda _, works: [work() for work in works.values()])
    for name in ("write_run", "move_current_run", "delete_published", "write_published"):
        monkeypatch.setattr(publishing, name, lambda *_, name=name, **__: moved.append(name))
    for name in ("run_row", "read_current_run", "_taken_back_to"):
        monkeypatch.setattr(publishing, name, lambda *_, **__: None)
    files, at = (
        MemoryFiles(),
        {"files": None, "root": "out", "run_id": "R2", "started_at": NOW, "store": None, "spark": None},
    )
    good: Any = SimpleNamespace(run_id="R1", shown_run_id="R1", versions={}, counts_json="{}")
    with take(files) as refuse_unless_held:
        run: Any = SimpleNamespace(**at, refuse_unless_held=refuse_unless_held)
        files.texts["out/lock.json"] = held(run_id="R3")
        with pytest.raises(LockError):
            publishing.show(run, publishing.Published(summary="", finished_at=NOW, shown_run_id="R2"))
        with pytest.raises(LockError):
            publishing.record_unchanged(run, good=good, made_from=cast("Any", None))
        with pytest.raises(LockError):
            publishing.repair_current_run(run, good)
        with pytest.raises(LockError):
            publishing.forget(run, "R1")
        with pytest.raises(LockError):
            publishing.write_tables(run, {HIT: cast("Any", None)})
    assert moved == []


def test_whatever_writes_run_or_moves_readers_sees_to_the_lock_right_before() -> None:
    """All but the row of a run that failed, which nobody follows."""
    found = 0
    for path in sorted(Path(lock.__file__).parent.glob("*.py")):
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(function, ast.FunctionDef) or function.name == "record_failure":
                continue
            for block in (getattr(node, name, None) for node in ast.walk(function) for name in ("body", "orelse")):
                lines = [ast.unparse(line) for line in block] if isinstance(block, list) else []
                for before, line in zip(["", *lines], lines, strict=False):
                    if line.startswith(("write_run(", "move_current_run(")):
                        found += 1
                        assert before.endswith("run.refuse_unless_held()"), f"{path.name}, {function.name}: {line}"
    assert found >= 12
