"""A scratch folder goes whatever the end, and its going hides no error; an error of a run that lost its lock is told as that."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from linkage_spark.errors import LockError, UsageError
from linkage_spark.runs import context
from linkage_spark.runs.context import emptied, lock_loss_told, open_run
from linkage_spark.store.files import Files
from linkage_spark.tables.enums import RunKind


class FolderFiles:
    """Files whose folders can be deleted until the session is dead."""

    def __init__(self) -> None:
        self.deleted: list[str] = []
        self.dead = False

    def delete(self, path: str) -> bool:
        if self.dead:
            raise ConnectionRefusedError("a name that stood in a row")
        self.deleted.append(path)
        return True


def die(files: FolderFiles) -> None:
    """The session ends in the middle of the work."""
    files.dead = True
    raise ZeroDivisionError


def test_a_scratch_folder_is_emptied_before_and_removed_after() -> None:
    files = FolderFiles()
    with emptied(cast("Files", files), "out/work") as path:
        assert (path, files.deleted) == ("out/work", ["out/work"])
    assert files.deleted == ["out/work"] * 2


@pytest.mark.parametrize("kind", [ZeroDivisionError, KeyboardInterrupt])
def test_a_scratch_folder_is_removed_after_an_error_too(kind: type[BaseException]) -> None:
    files = FolderFiles()
    with pytest.raises(kind), emptied(cast("Files", files), "out/work"):
        raise kind
    assert files.deleted == ["out/work"] * 2


def test_when_the_session_died_its_own_error_comes_through_and_the_folder_left_is_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    files = FolderFiles()
    with pytest.raises(ZeroDivisionError), emptied(cast("Files", files), "out/work"):
        die(files)
    said = capsys.readouterr().err
    assert said == "warning: out/work, which the next run empties, could not be removed (ConnectionRefusedError)\n"


def test_after_work_that_went_well_a_folder_that_cannot_be_removed_is_an_error() -> None:
    files = FolderFiles()
    with pytest.raises(ConnectionRefusedError), emptied(cast("Files", files), "out/work"):
        files.dead = True


def refuse() -> None:
    raise LockError("R3 has held lock.json")


def test_a_scratch_folder_where_another_run_works_by_now_is_left_to_it(capsys: pytest.CaptureFixture[str]) -> None:
    files = FolderFiles()
    held = iter([True])

    def refuse_at_the_second() -> None:
        if not next(held, False):
            refuse()

    with (
        pytest.raises(ZeroDivisionError),
        emptied(cast("Files", files), "out/work", refuse=refuse_at_the_second),
    ):
        raise ZeroDivisionError
    assert files.deleted == ["out/work"], "before it began"
    assert "could not be removed (LockError)" in capsys.readouterr().err
    with pytest.raises(LockError), emptied(cast("Files", files), "out/work", refuse=refuse):
        pytest.fail("it may not begin")


def test_an_error_of_a_run_that_has_lost_its_lock_is_told_as_that() -> None:
    with pytest.raises(LockError, match="R3 has held") as raised, lock_loss_told(refuse):
        raise FileNotFoundError("batch.parquet")
    assert isinstance(raised.value.__cause__, FileNotFoundError)
    with pytest.raises(KeyboardInterrupt), lock_loss_told(refuse):
        raise KeyboardInterrupt


def test_an_error_comes_through_where_the_lock_is_held_or_nobody_can_tell() -> None:
    def dead() -> None:
        raise ConnectionRefusedError

    for held in (lambda: None, dead):
        with pytest.raises(ZeroDivisionError), lock_loss_told(held):
            raise ZeroDivisionError
    with lock_loss_told(refuse):
        pass


def test_a_wrong_folder_of_feeds_is_refused_before_there_is_a_session(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def no_session(_: str) -> Any:
        raise AssertionError("a session was asked for")

    monkeypatch.setattr(context, "open_session", no_session)
    monkeypatch.delenv("LINKAGE_ENV", raising=False)
    monkeypatch.delenv("LINKAGE_CONF", raising=False)
    wrong = str(tmp_path / "nowhere")
    with (
        pytest.raises(UsageError, match="--feeds .*nowhere: no such folder"),
        open_run(RunKind.BACKFILL, feeds_root=wrong, root=str(tmp_path / "out")),
    ):
        pass
    with (
        pytest.raises(AssertionError, match="a session was asked for"),
        open_run(RunKind.NOMINALS, feeds_root=wrong, root=wrong),
    ):
        pass
