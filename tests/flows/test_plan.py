"""The plan of the candidate pairs, on real files: history read once, one broadcast join, no shuffle."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from linkage_spark.linkage.blocking import choose_refined, count_keys, propose_pairs
from linkage_spark.model.schema import load_model
from tests.support.persons import crowd, persons
from tests.support.session_state import COMPILED, settings

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

MODEL = load_model(Path(__file__).resolve().parents[2] / "conf", "screening_v1").model_copy(update={"key_cap": 20})
SECRET = b"s" * 32
FORBIDDEN = (
    "CartesianProduct",
    "BroadcastNestedLoopJoin",
    "SortMergeJoin",
    "ShuffledHashJoin",
    "BatchEvalPython",
    "HashAggregate",
    "ObjectHashAggregate",
    "Window",
)


@pytest.fixture(autouse=True)
def compiled(spark: SparkSession) -> Iterator[None]:
    """Code is generated, as in a job."""
    with settings(spark, **COMPILED):
        yield


def executed_plan(spark: SparkSession, frame: DataFrame) -> str:
    """The final plan of the frame, after it ran; paths and columns in full."""
    wide = {"spark.sql.maxMetadataStringLength": "10000", "spark.sql.debug.maxToStringFields": "1000"}
    with settings(spark, **wide):
        frame.collect()
        plan = str(frame._jdf.queryExecution().executedPlan().toString())
    return plan.split("== Initial Plan ==")[0]


@pytest.mark.parametrize("format_", ["parquet", "delta"])
@pytest.mark.parametrize("refined", [False, True], ids=["nothing refined", "keys refined"])
def test_candidates_take_one_scan_of_the_history_and_one_broadcast_join(
    spark: SparkSession, tmp_path: Path, format_: str, refined: bool
) -> None:
    persons(spark, crowd(1, 400)).write.format(format_).save(f"{tmp_path}/history_files")
    persons(spark, crowd(2, 40, roster=True)).write.format(format_).save(f"{tmp_path}/roster_files")
    history = spark.read.format(format_).load(f"{tmp_path}/history_files")
    roster = spark.read.format(format_).load(f"{tmp_path}/roster_files")
    hmacs: frozenset[str] = frozenset()
    if refined:
        counts = count_keys(history, roster, model=MODEL).collect()
        hmacs = choose_refined(counts, model=MODEL, secret=SECRET).hmacs
        assert hmacs
    pairs = propose_pairs(history, roster, model=MODEL, refined=hmacs, secret=SECRET)
    plan = executed_plan(spark, pairs)
    scans = re.findall(r"FileScan \w+.*", plan)
    assert len([scan for scan in scans if "history_files" in scan]) == 1
    assert len([scan for scan in scans if "roster_files" in scan]) == 1
    assert len(re.findall(r"\bBroadcastHashJoin\b", plan)) == 1
    assert re.search(r"BroadcastHashJoin .*BuildRight", plan), "the roster is the side that is broadcast"
    assert re.search(r"\*\(\d+\) BroadcastHashJoin", plan), "the join is fused with the scan and the keys"
    broadcast = plan[plan.index("BroadcastExchange") :]
    assert "roster_files" in broadcast
    assert "history_files" not in broadcast
    assert [name for name in FORBIDDEN if re.search(rf"\b{name}\b", plan)] == []
    assert re.findall(r"\b(?!Broadcast)\w*Exchange\b", plan) == []
    assert len(re.findall(r"\bMapInArrow\b", plan)) == 1, "the look-up of refined keys, on the roster"


def test_every_step_of_the_candidates_is_small_enough_to_be_compiled(spark: SparkSession, tmp_path: Path) -> None:
    # The JVM never compiles a method of more than 8,000 bytes: the same step then takes two or three times as long.
    persons(spark, crowd(1, 40)).write.format("parquet").save(f"{tmp_path}/history_files")
    history = spark.read.format("parquet").load(f"{tmp_path}/history_files")
    with settings(spark, **{"spark.sql.adaptive.enabled": "false"}):  # an adaptive plan holds no code before it runs
        pairs = propose_pairs(history, history, model=MODEL, refined=frozenset(), secret=SECRET)
        plan = pairs._jdf.queryExecution().executedPlan()
        debug = getattr(getattr(spark._jvm.org.apache.spark.sql.execution.debug, "package$"), "MODULE$")
        code = str(debug.codegenString(plan))
    sizes = [int(size) for size in re.findall(r"maxMethodCodeSize:(-?\d+)", code)]
    assert len(sizes) >= 3
    assert min(sizes) > 0, "-1: a step that could not be compiled at all"
    assert max(sizes) < 8000
