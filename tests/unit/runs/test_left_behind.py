"""What stopped runs had begun to publish is known by their notes alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from linkage_spark.errors import LockError
from linkage_spark.runs import left_behind
from linkage_spark.runs.left_behind import SET_ASIDE, forget_left, left_run, set_aside
from linkage_spark.store.files import FileEntry


class NoteFiles:
    """A work folder in memory, and what is asked of it."""

    def __init__(self, **notes: str) -> None:
        self.texts = {f"out/work/{kind}/progress.json": text for kind, text in notes.items()}
        self.deleted: list[str] = []

    def list(self, path: str) -> tuple[FileEntry, ...]:
        names = sorted({name.removeprefix(f"{path}/").split("/")[0] for name in self.texts})
        return tuple(FileEntry(f"{path}/{name}", name, 0, 0, is_dir="." not in name) for name in names)

    def exists(self, path: str) -> bool:
        return path in self.texts

    def read_text(self, path: str) -> str:
        return self.texts[path]

    def rename_overwrite(self, source: str, target: str) -> None:
        self.texts[target] = self.texts.pop(source)

    def delete(self, path: str) -> None:
        self.deleted.append(path)


def store(files: NoteFiles) -> Any:
    class Store:
        root = "out"

    Store.files = files  # type: ignore[attr-defined]
    return Store


def note(run_id: object) -> str:
    return json.dumps({"run_id": run_id})


def refuse() -> None:
    raise LockError("another run holds the lock")


@pytest.fixture
def snapshots(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Runs whose snapshots were deleted; R1 stands in RUN."""
    gone: list[str] = []
    monkeypatch.setattr(left_behind, "delete_published", lambda *given: gone.append(given[-1]))
    monkeypatch.setattr(left_behind, "run_numbers", lambda _: {"R1": 1})
    return gone


def test_a_stopped_run_is_forgotten_unless_it_stands_in_run(snapshots: list[str]) -> None:
    files: Any = NoteFiles(daily=note("R2"), backfill=note("R1"), nominals=note("R2"), link="{")
    files.texts["out/work/notes.txt"] = "no folder"
    said: list[str] = []
    forget_left(store(files), "out/work", refuse=lambda: None, say=said.append)
    assert (snapshots, files.deleted) == (["R2"], ["out/reports/R2"])
    assert said == ["removed what the unfinished run R2 had left"]


def test_notes_that_were_set_aside_say_which_run_it_was_and_are_gone_on_with_by_nobody(snapshots: list[str]) -> None:
    files: Any = NoteFiles(daily=note("R2"))
    set_aside(files, "out/work", refuse=lambda: None)
    assert list(files.texts) == [f"out/work/daily/{SET_ASIDE}"]
    forget_left(store(files), "out/work", refuse=lambda: None, say=lambda _: None)
    assert snapshots == ["R2"]


@pytest.mark.parametrize("told", ["", "{", "[]", "{}", *map(note, ("", "..", "R1/..", 7, None))])
def test_notes_that_name_no_run_cost_no_folder(snapshots: list[str], told: str) -> None:
    files: Any = NoteFiles(daily=told)
    assert left_run(files, "out/work/daily/progress.json") is None
    forget_left(store(files), "out/work", refuse=refuse, say=lambda _: None)
    assert (snapshots, files.deleted) == ([], [])


def test_nothing_is_set_aside_or_forgotten_once_the_lock_is_lost(snapshots: list[str]) -> None:
    files: Any = NoteFiles(daily=note("R2"))
    with pytest.raises(LockError):
        set_aside(files, "out/work", refuse=refuse)
    with pytest.raises(LockError):
        forget_left(store(files), "out/work", refuse=refuse, say=lambda _: None)
    assert list(files.texts) == ["out/work/daily/progress.json"]
    assert (snapshots, files.deleted) == ([], [])
