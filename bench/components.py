"""Connected components of a random graph through one engine: seconds, and memory of Java and Python beside the session's own.

    python -m bench.components --engine driver --edges 1000000,10000000

Each size runs in a process of its own. As many records as edges, ids spread over all LONGs: one giant component and a
long tail, which is harder than a force's graph. Edges are stored first; reading them belongs to the time, as in a run.
Prints one JSON document.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import psutil
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from bench.machine import ROOT, describe_machine, describe_versions
from linkage_spark.nominals.engines import ComponentEngine, DriverEngine, components_faults
from linkage_spark.nominals.graphframes_engine import GraphFramesEngine

SAMPLE_SECONDS = 0.1
DELTA = ("spark.sql.extensions", "spark.sql.catalog.spark_catalog")
"""Settings of conf/spark/local.conf that need the Delta jars, which this measurement does without."""


def main() -> None:
    """Measure each size in a process of its own, or one size in this one."""
    asked = _arguments()
    if asked.inside:
        print(json.dumps(_measure(asked, int(asked.edges))))  # noqa: T201
        return
    runs = [_run_inside(size) for size in asked.edges.split(",")]
    versions = {**describe_versions("java"), **{name: _version(name) for name in ("scipy", "graphframes-py")}}
    print(json.dumps({"machine": describe_machine(), "versions": versions, "runs": runs}, indent=2))  # noqa: T201


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--edges", default="1000000", help="numbers of edges, joined by commas")
    parser.add_argument("--engine", choices=("driver", "graphframes"), default="driver")
    parser.add_argument("--checkpoints", choices=("reliable", "local"), default="reliable", help="of GraphFrames")
    parser.add_argument("--master", default="local[2]")
    parser.add_argument("--driver-memory", default="4g")
    parser.add_argument("--jars", type=Path, help="folder of GraphFrames' jars (default: as its tests find it)")
    parser.add_argument("--check", action="store_true", help="count the result's faults as a run does (off the clock)")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def _run_inside(size: str) -> dict[str, Any]:
    """One size: the same command, in a new process; a size named last is the one that holds."""
    paths = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    environment = {
        **os.environ,
        "PYTHONPATH": paths,
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_CONF_DIR": str(ROOT / "conf/spark"),
        "SPARK_LOCAL_IP": "127.0.0.1",
    }
    command = [sys.executable, "-m", "bench.components", *sys.argv[1:], "--edges", size, "--inside"]
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _measure(asked: argparse.Namespace, size: int) -> dict[str, Any]:
    """Make the graph and find its components."""
    with tempfile.TemporaryDirectory() as folder:
        spark = _session(asked, Path(folder))
        try:
            edges = _stored_graph(spark, size, f"{folder}/edges")
            checkpoints = f"{folder}/run" if asked.checkpoints == "reliable" else ""
            engine: ComponentEngine = (
                GraphFramesEngine(checkpoints) if asked.engine == "graphframes" else DriverEngine()
            )
            with _Memory() as memory:
                began = time.monotonic()
                found = engine.components(edges)
                records = found.count()
                seconds = time.monotonic() - began
            checked = _checked(edges, found) if asked.check else {}
        finally:
            spark.stop()
    return {
        "engine": engine.name,
        "edges": size,
        "records": records,
        "seconds": round(seconds, 1),
        "megabytes_before": round(memory.before / 1e6),
        "peak_megabytes": round(memory.peak / 1e6),
        "bytes_per_edge": round((memory.peak - memory.before) / size),
        "load_before": round(memory.load, 1),
        **checked,
    }


def _checked(edges: DataFrame, found: DataFrame) -> dict[str, Any]:
    """The check that a run makes of its result, and what it takes."""
    began = time.monotonic()
    ends = edges.selectExpr("explode(array(left_record_id, right_record_id)) record_id")
    faults = components_faults(edges, found, ends).collect()[0].asDict()
    return {"faults": faults, "check_seconds": round(time.monotonic() - began, 1)}


def _session(asked: argparse.Namespace, folder: Path) -> SparkSession:
    """The settings of conf/spark/local.conf without Delta."""
    lines = (ROOT / "conf/spark/local.conf").read_text(encoding="utf-8").splitlines()
    pairs = (line.split(None, 1) for line in lines if line.strip() and not line.startswith("#"))
    settings = {key: value.strip() for key, value in pairs if key not in DELTA} | {
        "spark.driver.memory": asked.driver_memory,
        "spark.driver.extraJavaOptions": f'"-Dlog4j2.configurationFile={ROOT}/conf/spark/log4j2.properties"',
        "spark.local.dir": str(folder / "local"),
    }
    if asked.engine == "graphframes":
        settings["spark.jars"] = ",".join(str(jar) for jar in _graphframes_jars(asked.jars))
    builder = SparkSession.builder.master(asked.master).appName("bench-components")
    for key, value in settings.items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


def _graphframes_jars(folder: Path | None) -> list[Path]:
    home_cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    cache = Path(os.environ.get("LINKAGE_CACHE") or Path(home_cache) / "linkage_spark") / "graphframes"
    place = folder or Path(os.environ.get("LINKAGE_GRAPHFRAMES_JARS") or cache)
    if not (jars := sorted(place.glob("*.jar"))):
        raise SystemExit(f"no GraphFrames jars in {place}")
    return jars


def _stored_graph(spark: SparkSession, size: int, place: str) -> DataFrame:
    """A random graph of as many records as edges, the same each time."""

    def end(side: str) -> Any:
        return F.xxhash64(F.pmod(F.xxhash64(F.lit(side), F.col("id")), F.lit(size)))

    graph = spark.range(size).select(end("left").alias("left_record_id"), end("right").alias("right_record_id"))
    graph.write.parquet(path=place)
    return spark.read.parquet(place)


class _Memory:
    """Resident memory of this process and its Java while a block runs: before it, and at its highest."""

    def __enter__(self) -> _Memory:
        self.before = self.peak = _resident()
        self.load = psutil.getloadavg()[0]
        self._ended = threading.Event()
        self._sampler = threading.Thread(target=self._sample, daemon=True)
        self._sampler.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._sampler.join()

    def _sample(self) -> None:
        while not self._ended.wait(SAMPLE_SECONDS):
            self.peak = max(self.peak, _resident())


def _resident() -> int:
    """Bytes of this process and what it started."""
    total = 0
    for process in [psutil.Process(), *psutil.Process().children(recursive=True)]:
        try:
            total += int(process.memory_info().rss)
        except psutil.Error:
            continue
    return total


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(distribution_name=name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


if __name__ == "__main__":
    main()
