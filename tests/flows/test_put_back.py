"""What a stopped run had written is nowhere left once retention has put the tables back and removed what is superseded; nor are readers taken back to it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from linkage_spark.errors import UsageError
from linkage_spark.kit.contract import TableContract
from linkage_spark.kit.frames import local_frame
from linkage_spark.runs.context import RunContext
from linkage_spark.runs.publish import _refuse
from linkage_spark.runs.retain import put_back
from linkage_spark.store.delta import DeltaStore
from linkage_spark.store.files import Files
from linkage_spark.store.purging import purge
from linkage_spark.tables.governance import REMOVAL
from linkage_spark.tables.results import HIT_LINK, RUN
from linkage_spark.tables.star import STAR
from tests.support.contract_rows import contract_rows
from tests.support.held import refs_in

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def test_a_table_that_was_put_back_tells_nothing_of_what_a_stopped_run_had_written(
    spark: SparkSession, tmp_path: Path
) -> None:
    store, kept, gone = DeltaStore(spark, str(tmp_path)), "N001-1", "N002-2"
    said: list[str] = []
    run = cast("RunContext", SimpleNamespace(store=store, progress=SimpleNamespace(say=said.append)))

    def write(ref: str) -> None:
        rows = [(f"H-{ref}", "E1", "crime", ref, "match", 9.5)]
        store.overwrite(HIT_LINK, local_frame(spark, rows, schema=HIT_LINK.schema))

    write(kept)
    good = store.version(HIT_LINK)
    assert good is not None
    write(gone)
    put_back(run, {HIT_LINK.name: good})
    assert said == [f"put hit_link back to version {good}, where the last good run left it"]
    before = store.read(HIT_LINK).collect()
    assert [row["person_ref"] for row in before] == [kept]
    assert any(gone in refs for refs in refs_in(tmp_path).values())
    purge(store, HIT_LINK, kept_days=0, log_at_once=True)
    assert [name for name, refs in refs_in(tmp_path).items() if gone in refs] == []
    assert store.read(HIT_LINK).collect() == before


@pytest.mark.parametrize(
    ("removed_by", "run_id", "said"),
    [
        (None, "B-first", None),
        ("A-retain", "B-first", "rows that it may show were removed since"),
        ("A-retain", "A-retain", None),  # the same snapshot without them
        ("A-retain", "C-later", None),
        ("A-retain", "D-gone", "its snapshot is no longer there"),
        ("A-retain", "X", "no good run has this id"),
        ("K-killed", "B-first", None),  # it never came to its switch: its rows stand
    ],
)
def test_readers_are_not_taken_back_to_what_was_removed_though_its_snapshot_is_still_there(
    spark: SparkSession, tmp_path: Path, removed_by: str | None, run_id: str, said: str | None
) -> None:
    """As a retain leaves it that was killed between its switch and the files."""
    published = ("B-first", "A-retain", "C-later", "D-gone")
    for table in STAR:
        for one in published[:-1]:
            (tmp_path / "published" / table.name / f"run_id={one}").mkdir(parents=True)
    runs = [{"run_id": one, "run_no": no, "status": "published"} for no, one in enumerate(published, start=1)]
    removals = [
        {"run_id": removed_by, "kind": "rows", "rows": 3},
        {"run_id": "C-later", "kind": "table_files", "files": 9},
    ]
    rows: dict[TableContract, list[dict[str, Any]]] = {RUN: runs, REMOVAL: removals if removed_by else []}

    class Stored:
        def exists(self, contract: TableContract) -> bool:
            return bool(rows[contract])

        def read(self, contract: TableContract) -> DataFrame:
            return contract_rows(spark, contract, *rows[contract])

    run = cast("RunContext", SimpleNamespace(store=Stored(), files=Files(spark), root=str(tmp_path)))
    if said is None:
        _refuse(run, run_id)
        return
    with pytest.raises(UsageError, match=said) as raised:
        _refuse(run, run_id)
    assert str(raised.value).endswith("it may be one of C-later, A-retain"), "those alone that can be shown"
