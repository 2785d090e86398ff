"""The catalogue of graphs through GraphFrames, in a process of its own: the tests' shared session lacks the jars.

Usage: python -m tests.graphframes.catalogue_run OUT.json SCRATCH JAR,JAR
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from linkage_spark.nominals.engines import components_faults
from linkage_spark.nominals.graphframes_engine import GraphFramesEngine, missing_graphframes
from tests.conftest import ROOT, spark_settings
from tests.support.graphs import SHAPES, Edges, everything
from tests.support.session_state import session_state

ADAPTIVE = "spark.sql.adaptive.enabled"
EDGE = "left_record_id long, right_record_id long"


def open_session(scratch: Path, jars: str) -> SparkSession:
    """The settings of conf/spark/local.conf without Delta, and GraphFrames' jars."""
    java = f'-XX:TieredStopAtLevel=1 "-Dlog4j2.configurationFile={ROOT}/conf/spark/log4j2.properties"'
    delta = ("spark.sql.extensions", "spark.sql.catalog.spark_catalog")
    settings = {key: value for key, value in spark_settings("local").items() if key not in delta} | {
        "spark.jars": jars,
        "spark.driver.memory": "2g",
        "spark.driver.extraJavaOptions": java,
        "spark.sql.shuffle.partitions": "2",
        "spark.default.parallelism": "2",
        "spark.local.dir": str(scratch / "local"),
        "spark.sql.warehouse.dir": str(scratch / "warehouse"),
    }
    builder = SparkSession.builder.master("local[2]").appName("graphframes-tests")
    for key, value in settings.items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


def told(work: Callable[[], dict[str, Any]], spark: SparkSession) -> dict[str, Any]:
    """What a piece of work found, with the session's state on both sides of it."""
    before, began = session_state(spark), time.monotonic()
    found = work()
    return {**found, "seconds": round(time.monotonic() - began, 1), "before": before, "after": session_state(spark)}


def labelled(engine: GraphFramesEngine, edges: DataFrame) -> dict[str, Any]:
    found = engine.components(edges)
    vertices = edges.selectExpr("explode(array(left_record_id, right_record_id)) record_id")
    counts = components_faults(edges, found, vertices).collect()[0].asDict()
    rows = [(row["record_id"], row["component_id"]) for row in found.collect()]
    folder = Path(engine.checkpoint_dir) if engine.checkpoint_dir else None
    left = sorted(path.name for path in folder.iterdir()) if folder and folder.exists() else []
    return {"rows": rows, "faults": counts, "schema": found.schema.simpleString(), "left_on_disk": left}


def failed(engine: GraphFramesEngine, edges: DataFrame) -> dict[str, Any]:
    """Edges that cannot be read to their end."""
    broken = edges.selectExpr(
        "left_record_id",
        "if(right_record_id = 20003, raise_error('broken on purpose'), right_record_id) right_record_id",
    )
    try:
        engine.components(broken)
    except Exception as error:
        return {"error": str(error)}
    return {"error": ""}


def runs(spark: SparkSession, scratch: Path) -> dict[str, Any]:
    """Every run by name. One frame stays persisted meanwhile, and the context has checkpoints of somebody else."""

    def edges(pairs: Edges) -> DataFrame:
        return spark.createDataFrame(pairs, schema=EDGE)

    def once(engine: GraphFramesEngine, pairs: Edges) -> dict[str, Any]:
        return told(lambda: labelled(engine, edges(pairs)), spark)

    def in_(name: str) -> str:
        return str(scratch / name)

    found: dict[str, Any] = {"settings_untold": once(GraphFramesEngine(), everything())}
    two = SHAPES["two isolated pairs"]
    found["failed_local"] = told(lambda: failed(GraphFramesEngine(), edges(two)), spark)
    other = spark.range(10).persist()
    other.count()
    spark.sparkContext.setCheckpointDir(in_("somebody_else"))
    spark.conf.set(ADAPTIVE, "false")
    found["reliable_no_aqe"] = once(GraphFramesEngine(checkpoint_dir=in_("reliable_no_aqe")), everything())
    spark.conf.set(ADAPTIVE, "true")
    hubs = GraphFramesEngine(checkpoint_dir=in_("reliable_aqe"), broadcast_threshold=20)
    found["reliable_aqe_hubs"] = once(hubs, everything())
    found["empty_local"] = once(GraphFramesEngine(), [])
    found["empty_reliable"] = once(GraphFramesEngine(checkpoint_dir=in_("empty")), [])
    found["asked_again"] = once(GraphFramesEngine(checkpoint_dir=in_("empty")), [(5, 4)])
    found["failed_reliable"] = told(lambda: failed(GraphFramesEngine(checkpoint_dir=in_("failed")), edges(two)), spark)
    found["failed_reliable"]["left_on_disk"] = sorted(path.name for path in (scratch / "failed").iterdir())
    other.unpersist(blocking=True)
    found["end"] = session_state(spark)
    return found


def main() -> None:
    out, scratch, jars = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    spark = open_session(scratch, jars)
    try:
        missing = missing_graphframes(spark)
        out.write_text(json.dumps({"missing": missing, "runs": {} if missing else runs(spark, scratch)}))
    finally:
        spark.stop()


if __name__ == "__main__":
    main()
