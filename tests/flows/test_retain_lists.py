"""Every file that retention deletes is told of, file by file and by whose order, however often it was cut off."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from linkage_spark.errors import LockError
from linkage_spark.runs.retain_lists import REMOVED_FILES, STANDING, begin_lists, finish_lists, is_unfinished
from linkage_spark.store.files import Files
from linkage_spark.tables.governance import REMOVAL
from tests.support.contract_rows import contract_rows

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from linkage_spark.kit.contract import TableContract

DAY = date(2026, 11, 21)


@dataclass
class Log:
    """A store of REMOVAL alone, in memory."""

    spark: SparkSession
    rows: list[dict[str, Any]] = field(default_factory=list)

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
        progress=SimpleNamespace(say=lambda _: None),
        refuse_unless_held=lambda: None,
    )


def listed(root: Path, run_id: str) -> set[tuple[str, str]]:
    with (root / "reports" / run_id / REMOVED_FILES).open(newline="", encoding="utf-8") as file:
        return {(row["file"], row["removed_by"]) for row in csv.DictReader(file)}


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


def test_what_attempts_deleted_that_were_cut_off_the_one_that_finishes_tells(log: Log, root: Path) -> None:
    begin_lists(attempt(log, root, "R1-retain"), "IG/1")
    (root / "work" / "daily" / "d.parquet").unlink()
    (root / "tables" / "person" / "a.parquet").unlink()
    assert is_unfinished(Files(log.spark), str(root), "R1-retain")
    begin_lists(attempt(log, root, "R2-retain"), "IG/2")
    (root / "tables" / "person" / "b.parquet").unlink()

    last = attempt(log, root, "R3-retain")
    lists = begin_lists(last, None)
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
        ("R1-retain", "work", "daily", 1, 7, "IG/1"),
        ("R1-retain", "table_files", "person", 1, 7, "IG/1"),
        ("R2-retain", "table_files", "person", 1, 7, "IG/2"),
        ("R3-retain", "snapshot", "R0", 1, 7, None),
    }
    assert [path.name for path in (root / "reports").iterdir()] == ["R3-retain"]
    assert [path.name for path in (root / "reports" / "R3-retain").iterdir()] == [REMOVED_FILES]
    assert not is_unfinished(Files(log.spark), str(root), "R3-retain")


def test_files_of_an_attempt_that_was_cut_off_once_it_had_told_of_them_are_counted_once(log: Log, root: Path) -> None:
    first = attempt(log, root, "R1-retain")
    lists = begin_lists(first, None)
    note = root / "reports" / "R1-retain" / STANDING
    kept = note.read_bytes()
    (root / "tables" / "person" / "a.parquet").unlink()
    finish_lists(first, lists)
    told = log.told()
    assert told == {("R1-retain", "table_files", "person", 1, 7, None)}
    note.write_bytes(kept)

    second = attempt(log, root, "R2-retain")
    finish_lists(second, begin_lists(second, None))
    assert log.told() == told
    assert len(log.rows) == 1
    assert not note.exists()
    assert listed(root, "R1-retain") == {("tables/person/a.parquet", "R1-retain")}

    third = attempt(log, root, "R3-retain")
    assert finish_lists(third, begin_lists(third, None)) == []
    assert log.told() == told


def test_an_attempt_that_has_lost_the_lock_writes_nothing_down(log: Log, root: Path) -> None:
    def refuse() -> None:
        raise LockError("another run holds the lock")

    run = attempt(log, root, "R1-retain")
    run.refuse_unless_held = refuse
    with pytest.raises(LockError):
        begin_lists(run, None)
    assert not (root / "reports").exists()
