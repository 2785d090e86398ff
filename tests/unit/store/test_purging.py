"""Which files of Delta's log and tables may go, and what is done again when somebody else writes, without a JVM."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from delta.exceptions import ConcurrentAppendException

from linkage_spark.errors import LockError
from linkage_spark.store import delta
from linkage_spark.store.delta import DeltaStore
from linkage_spark.store.files import FileEntry
from linkage_spark.store.purging import older_entries, removed_in
from linkage_spark.tables.review import LINK_JUDGEMENT


def entry(name: str, modified_ms: int = 0) -> FileEntry:
    return FileEntry(path=f"/x/{name}", name=name, size_bytes=1, modified_ms=modified_ms, is_dir=False)


def test_an_entry_names_the_files_that_it_lets_go() -> None:
    commit = (
        '{"commitInfo":{"operation":"MERGE"}}\n\n'
        '{"remove":{"path":"part-0%20a.parquet","deletionTimestamp":1}}\n'
        '{"remove":{"path":"below/part-1.parquet"}}\n{"add":{"path":"part-2.parquet"}}\n'
    )
    assert removed_in(commit) == {"part-0 a.parquet", "part-1.parquet"}
    assert removed_in("") == set()


def test_no_entry_goes_that_is_young_or_comes_after_a_young_one() -> None:
    times = {3: 10, 4: 20, 5: 90, 6: 30, 7: 95}
    log = [
        *(entry(f"{no:020d}.json", at) for no, at in times.items()),
        entry(f"{3:020d}.crc", 10),
        entry(f"{4:020d}.checkpoint.parquet", 90),
        entry(f"{7:020d}.checkpoint.parquet", 95),
        entry("_last_checkpoint", 95),
    ]

    def going(since_ms: float) -> list[str]:
        return sorted(one.name.lstrip("0") for one in older_entries(log, 7, since_ms))

    assert going(50) == ["3.crc", "3.json", "4.json"]
    assert going(20) == ["3.crc", "3.json"]
    assert going(5) == []
    everything = ["3.crc", "3.json", "4.checkpoint.parquet", "4.json", "5.json", "6.json"]
    assert going(float("inf")) == everything


@pytest.mark.parametrize("conflicts", [0, 2, 99])
def test_rows_are_removed_again_where_somebody_has_added_some(monkeypatch: pytest.MonkeyPatch, conflicts: int) -> None:
    begun: list[str] = []

    class Merge:
        def alias(self, _: str) -> Merge:
            return self

        def merge(self, *, source: object, condition: str) -> Merge:
            begun.append(condition)
            return self

        def whenMatchedDelete(self) -> Merge:  # noqa: N802
            return self

        def execute(self) -> None:
            if len(begun) <= conflicts:
                raise ConcurrentAppendException("somebody has added rows")

    monkeypatch.setattr(delta, "DeltaTable", SimpleNamespace(forPath=lambda **_: Merge()))
    monkeypatch.setattr(DeltaStore, "version", lambda *_: 7)
    held: list[int] = []
    store: Any = DeltaStore.__new__(DeltaStore)
    store.spark, store.root, store.refuse = None, "/x", lambda: held.append(1)
    rows: Any = SimpleNamespace(select=lambda *_: rows, distinct=lambda: rows, alias=lambda _: rows)
    if conflicts < 5:
        assert store.remove(LINK_JUDGEMENT, rows) == 7
        assert len(begun) == len(held) == conflicts + 1
    else:
        with pytest.raises(LockError, match="others have written to it all the time"):
            store.remove(LINK_JUDGEMENT, rows)
    assert all(f"there.{name} <=> going.{name}" in begun[0] for name in LINK_JUDGEMENT.key)
