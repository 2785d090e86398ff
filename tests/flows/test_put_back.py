"""What a stopped run had written is nowhere left once retention has put the tables back and removed what is superseded."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

from linkage_spark.kit.frames import local_frame
from linkage_spark.runs.context import RunContext
from linkage_spark.runs.retain import put_back
from linkage_spark.store.delta import DeltaStore
from linkage_spark.store.purging import purge
from linkage_spark.tables.results import HIT_LINK
from tests.support.held import refs_in

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


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
