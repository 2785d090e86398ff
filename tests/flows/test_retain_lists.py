"""Every file that goes while retention is at work is told of, file by file and for whose order, however often it was cut off."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from linkage_spark.errors import LinkageError, LockError
from linkage_spark.runs.retain_lists import (
    REMOVED_FILES,
    STANDING,
    UNREADABLE,
    begin_lists,
    finish_lists,
    is_unfinished,
)
from linkage_spark.store.files import Files
from linkage_spark.tables.governance import REMOVAL
from tests.support.contract_rows import contract_rows

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from linkage_spark.kit.contract import TableContract

DAY = date(2026, 11, 21)


@dataclass
class Log:
    """A store of REMOVAL alone, in memory, and what attempts say."""

    spark: SparkSession
    rows: list[dict[str, Any]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def exists(self, contract: TableContract) -> bool:
        assert contract == REMOVAL
        return bool(self.rows)

    def read(self, contract: TableContract) -> DataFrame:
        return contract_rows(self.spark, contract, *self.rows)

    def append(self, contract: TableContract, frame: DataFrame) -> None:
        assert tuple(frame.columns) == contract.names
        self.rows += [row.asDict() for row in frame.collect()]

    def told(self) -> set[tuple[Any, ...]]:
        names = ("run_id", "kind", "part", "files", "bytes", "reference")
        return {tuple(row[name] for name in names) for row in self.rows}


def attempt(log: Log, root: Path, run_id: str) -> Any:
    return SimpleNamespace(
        run_id=run_id,
        day=DAY,
        root=str(root),
        files=Files(log.spark),
        store=log,
        spark=log.spark,
        progress=SimpleNamespace(say=log.said.append),
        refuse_unless_held=lambda: None,
    )


def listed(root: Path, run_id: str) -> set[tuple[str, str]]:
    with (root / "reports" / run_id / REMOVED_FILES).open(newline="", encoding="utf-8") as file:
        return {(row["file"], row["gone_since"]) for row in csv.DictReader(file)}


def note(root: Path, run_id: str) -> Path:
    return root / "reports" / run_id / STANDING


def full_lists(root: Path) -> list[str]:
    """Runs whose lists name a file, of any attempt."""
    found = {path.parent.name: json.loads(path.read_text()) for path in (root / "reports").glob(f"*/{STANDING}")}
    return sorted(run_id for run_id, told in found.items() if told["files"] or told["earlier"])


@pytest.fixture
def log(spark: SparkSession) -> Log:
    return Log(spark)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in (
        "tables/person/a.parquet",
        "tables/person/b.parquet",
        "tables/person/kept.parquet",
        "published/hit/run_id=R0/c.parquet",
        "work/daily/d.parquet",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("1234567")
    return tmp_path


@pytest.mark.parametrize(
    ("cases", "named"),
    [
        ((None, None, None), (None, None, None)),
        (("IG/1", "IG/2", None), (None, None, None)),
        (("IG/1", None, "IG/1"), ("IG/1", None, "IG/1")),
        ((None, "IG/1", "IG/1"), (None, "IG/1", "IG/1")),
    ],
)
def test_what_is_gone_since_attempts_that_were_cut_off_the_one_that_finishes_tells_for_its_own_case_alone(
    log: Log, root: Path, cases: tuple[str | None, ...], named: tuple[str | None, ...]
) -> None:
    begin_lists(attempt(log, root, "R1-retain"), cases[0])
    # A daily run may have done it: nobody can know.
    (root / "work" / "daily" / "d.parquet").unlink()
    (root / "tables" / "person" / "a.parquet").unlink()
    assert is_unfinished(Files(log.spark), str(root), "R1-retain")
    begin_lists(attempt(log, root, "R2-retain"), cases[1])
    (root / "tables" / "person" / "b.parquet").unlink()

    last = attempt(log, root, "R3-retain")
    lists = begin_lists(last, cases[2])
    (root / "published" / "hit" / "run_id=R0" / "c.parquet").unlink()
    assert [one.run_id for one in lists] == ["R1-retain", "R2-retain", "R3-retain"]
    assert log.rows == [], "nothing is told of before all is"
    finish_lists(last, lists)

    assert listed(root, "R3-retain") == {
        ("work/daily/d.parquet", "R1-retain"),
        ("tables/person/a.parquet", "R1-retain"),
        ("tables/person/b.parquet", "R2-retain"),
        ("published/hit/run_id=R0/c.parquet", "R3-retain"),
    }
    assert log.told() == {
        ("R1-retain", "work", "daily", 1, 7, named[0]),
        ("R1-retain", "table_files", "person", 1, 7, named[0]),
        ("R2-retain", "table_files", "person", 1, 7, named[1]),
        ("R3-retain", "snapshot", "R0", 1, 7, named[2]),
    }
    assert len({tuple(row[name] for name in REMOVAL.key) for row in log.rows}) == len(log.rows)
    assert [path.name for path in (root / "reports").iterdir()] == ["R3-retain"]
    assert [path.name for path in (root / "reports" / "R3-retain").iterdir()] == [REMOVED_FILES]
    assert not is_unfinished(Files(log.spark), str(root), "R3-retain")


def test_however_many_attempts_fail_one_list_is_full_and_each_still_counts_as_unfinished(log: Log, root: Path) -> None:
    ids = [f"R{no}-retain" for no in range(1, 6)]
    names = [f"tables/person/{no}.parquet" for no in range(1, 6)]
    for name in names:
        (root / name).write_text("1")
    for run_id, name in zip(ids, names, strict=True):
        former = {path: path.read_bytes() for path in (root / "reports").glob(f"*/{STANDING}")}
        run = attempt(log, root, run_id)
        lists = begin_lists(run, None)
        assert full_lists(root) == [run_id]
        (root / name).unlink()
        if run_id == ids[2]:
            # Killed right after it had written its own list: those before it are still as they were.
            for path, content in former.items():
                path.write_bytes(content)
            assert full_lists(root) == ids[1:3]
    assert all(is_unfinished(Files(log.spark), str(root), run_id) for run_id in ids)
    finish_lists(run, lists)
    assert listed(root, ids[-1]) == set(zip(names, ids, strict=True))
    assert log.told() == {(run_id, "table_files", "person", 1, 1, None) for run_id in ids}
    assert not list((root / "reports").glob(f"*/{STANDING}"))


def test_a_list_is_emptied_only_once_the_next_one_stands(log: Log, root: Path) -> None:
    begin_lists(attempt(log, root, "R1-retain"), None)
    kept = note(root, "R1-retain").read_bytes()
    run = attempt(log, root, "R2-retain")
    held = iter([True])

    def refuse_at_the_second() -> None:
        if not next(held, False):
            assert note(root, "R2-retain").exists()
            raise LockError("another run holds the lock")

    run.refuse_unless_held = refuse_at_the_second
    with pytest.raises(LockError):
        begin_lists(run, None)
    assert note(root, "R1-retain").read_bytes() == kept


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        b'{"run_id": "R1-retain", "day": "2026-11-21", "reference": null, "files": [["tables/person/a.parquet"]]}',
        b'{"run_id": "R1-retain", "day": "2026-11-21", "reference": null, "files": [["a.parquet", 7, 0]]}',
        b'{"run_id": "R1-retain", "day": "2026-11-21", "reference": null, "files": [["tables/person/a.parquet", null, 0]]}',
        b'{"run_id": "R1-retain", "day": "2026-11-21", "reference": null, "files": [["tables/person/a.parquet", 7, 1e30]]}',
        b'{"run_id": "R1-retain", "day": "yesterday", "reference": null, "files": []}',
    ],
)
def test_a_list_that_cannot_be_read_is_said_and_holds_nothing_up(log: Log, root: Path, content: bytes) -> None:
    begin_lists(attempt(log, root, "R1-retain"), "IG/1")
    note(root, "R1-retain").write_bytes(content)
    (root / "tables" / "person" / "a.parquet").unlink()
    run = attempt(log, root, "R2-retain")
    lists = begin_lists(run, "IG/1")
    assert log.said == ["the list of R1-retain cannot be read: what it deleted is not known file by file"]
    assert is_unfinished(Files(log.spark), str(root), "R1-retain")
    (root / "tables" / "person" / "b.parquet").unlink()
    finish_lists(run, lists)
    assert listed(root, "R2-retain") == {("tables/person/b.parquet", "R2-retain")}
    assert log.told() == {("R2-retain", "table_files", "person", 1, 7, "IG/1")}
    assert not is_unfinished(Files(log.spark), str(root), "R1-retain")
    left = [(path.name, path.read_bytes()) for path in (root / "reports" / "R1-retain").iterdir()]
    assert left == [(UNREADABLE, content)], "whoever can read it may"


def test_a_list_that_was_set_aside_is_never_read_again_and_goes_with_its_report_folder(log: Log, root: Path) -> None:
    begin_lists(attempt(log, root, "R1-retain"), None)
    note(root, "R1-retain").write_text("")
    second = attempt(log, root, "R2-retain")
    finish_lists(second, begin_lists(second, None))
    log.said.clear()
    third = attempt(log, root, "R3-retain")
    lists = begin_lists(third, None)
    shutil.rmtree(root / "reports" / "R1-retain")
    finish_lists(third, lists)
    assert log.said == []
    assert listed(root, "R3-retain") == {(f"reports/R1-retain/{UNREADABLE}", "R3-retain")}
    assert log.told() == {("R3-retain", "report", "R1-retain", 1, 0, None)}


def test_a_list_that_cannot_be_got_at_ends_the_attempt_and_costs_no_list(log: Log, root: Path) -> None:
    class Failing(Files):
        def read_bytes(self, path: str) -> bytes:
            raise OSError(f"no answer for {path}")

    begin_lists(attempt(log, root, "R1-retain"), "IG/1")
    kept = note(root, "R1-retain").read_bytes()
    (root / "tables" / "person" / "a.parquet").unlink()
    run = attempt(log, root, "R2-retain")
    run.files = Failing(log.spark)
    with pytest.raises(LinkageError, match=r"files_before\.json could not be got at \(OSError\); nothing was removed"):
        begin_lists(run, "IG/1")
    assert note(root, "R1-retain").read_bytes() == kept
    assert not (root / "reports" / "R2-retain").exists()

    again = attempt(log, root, "R3-retain")
    finish_lists(again, begin_lists(again, "IG/1"))
    assert listed(root, "R3-retain") == {("tables/person/a.parquet", "R1-retain")}
    assert log.told() == {("R1-retain", "table_files", "person", 1, 7, "IG/1")}


def test_where_the_list_is_lost_that_took_others_over_their_files_are_not_said_to_be_told(log: Log, root: Path) -> None:
    begin_lists(attempt(log, root, "R1-retain"), None)
    (root / "tables" / "person" / "a.parquet").unlink()
    begin_lists(attempt(log, root, "R2-retain"), None)
    assert json.loads(note(root, "R1-retain").read_text())["taken_over_by"] == "R2-retain"
    note(root, "R2-retain").write_text("")
    said = [
        "R1-retain was cut off, and the list of R2-retain, which took its own over, cannot be read: what it deleted is not known file by file",
        "the list of R2-retain cannot be read: what it deleted is not known file by file",
    ]
    log.said.clear()
    begin_lists(attempt(log, root, "R3-retain"), None)
    assert log.said == said
    log.said.clear()
    run = attempt(log, root, "R4-retain")
    lists = begin_lists(run, None)
    assert log.said == [
        *said,
        "R3-retain was cut off: what is gone since it began is told with the files of this run",
    ]
    finish_lists(run, lists)
    assert listed(root, "R4-retain") == set()
    assert sorted(path.name for path in (root / "reports").iterdir()) == ["R2-retain", "R4-retain"]


@pytest.mark.parametrize("asked", [0, 1])
def test_an_attempt_that_loses_the_lock_at_its_end_deletes_no_list(log: Log, root: Path, asked: int) -> None:
    run = attempt(log, root, "R1-retain")
    lists = begin_lists(run, None)
    kept = note(root, "R1-retain").read_bytes()
    (root / "tables" / "person" / "a.parquet").unlink()
    held = iter([True] * asked)

    def refuse() -> None:
        if not next(held, False):
            raise LockError("another run holds the lock")

    run.refuse_unless_held = refuse
    with pytest.raises(LockError):
        finish_lists(run, lists)
    assert note(root, "R1-retain").read_bytes() == kept
    assert (root / "reports" / "R1-retain" / REMOVED_FILES).exists() == bool(asked)


def test_of_a_list_that_cannot_be_read_the_next_one_may_know_what_it_said(log: Log, root: Path) -> None:
    begin_lists(attempt(log, root, "R1-retain"), None)
    (root / "tables" / "person" / "a.parquet").unlink()
    begin_lists(attempt(log, root, "R2-retain"), None)
    note(root, "R1-retain").write_text("")
    log.said.clear()
    run = attempt(log, root, "R3-retain")
    finish_lists(run, begin_lists(run, None))
    assert log.said == [
        f"{run_id} was cut off: what is gone since it began is told with the files of this run"
        for run_id in ("R1-retain", "R2-retain")
    ]
    assert listed(root, "R3-retain") == {("tables/person/a.parquet", "R1-retain")}
    assert log.told() == {("R1-retain", "table_files", "person", 1, 7, None)}


def test_lists_as_they_were_written_before_they_were_taken_over_are_read(log: Log, root: Path) -> None:
    for run_id, names in (("R1-retain", ("gone", "a", "b")), ("R2-retain", ("a", "b"))):
        files = [(f"tables/person/{name}.parquet", 7, 0) for name in names]
        note(root, run_id).parent.mkdir(parents=True)
        note(root, run_id).write_text(
            json.dumps({"run_id": run_id, "day": DAY.isoformat(), "reference": None, "files": files})
        )
    (root / "tables" / "person" / "b.parquet").unlink()
    run = attempt(log, root, "R3-retain")
    lists = begin_lists(run, None)
    assert full_lists(root) == ["R3-retain"]
    finish_lists(run, lists)
    assert listed(root, "R3-retain") == {
        ("tables/person/gone.parquet", "R1-retain"),
        ("tables/person/b.parquet", "R2-retain"),
    }


def test_files_of_an_attempt_that_was_cut_off_once_it_had_told_of_them_are_counted_once(log: Log, root: Path) -> None:
    first = attempt(log, root, "R1-retain")
    lists = begin_lists(first, None)
    kept = note(root, "R1-retain").read_bytes()
    (root / "tables" / "person" / "a.parquet").unlink()
    finish_lists(first, lists)
    told = log.told()
    assert told == {("R1-retain", "table_files", "person", 1, 7, None)}
    note(root, "R1-retain").write_bytes(kept)

    # Taken over by one that is cut off as well, they are still known as told.
    begin_lists(attempt(log, root, "R2-retain"), None)
    third = attempt(log, root, "R3-retain")
    finish_lists(third, begin_lists(third, None))
    assert log.told() == told
    assert len(log.rows) == 1
    assert not note(root, "R1-retain").exists()
    assert listed(root, "R1-retain") == {("tables/person/a.parquet", "R1-retain")}

    fourth = attempt(log, root, "R4-retain")
    assert finish_lists(fourth, begin_lists(fourth, None)) == []
    assert log.told() == told


def test_an_attempt_that_has_lost_the_lock_writes_nothing_down(log: Log, root: Path) -> None:
    def refuse() -> None:
        raise LockError("another run holds the lock")

    run = attempt(log, root, "R1-retain")
    run.refuse_unless_held = refuse
    with pytest.raises(LockError):
        begin_lists(run, None)
    assert not (root / "reports").exists()
