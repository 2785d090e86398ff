"""Connected components of a random graph through one engine: seconds, and memory of Java and Python beside the session's own.

    python -m bench.components --engine driver --edges 1000000,10000000 --check

Each size runs in a process of its own. As many records as edges, ids spread over all LONGs: one giant component and a
long tail, which is harder than a force's graph. Edges are stored first; reading them belongs to the time, as in a run.
Prints one JSON document, or with --into adds its runs to a file, where they take the place of those of the same engine and size.
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
from datetime import UTC, datetime
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
    for size in asked.edges.split(","):
        run = _run_inside(size)
        if asked.into is None:
            print(json.dumps({"machine": describe_machine(), "runs": [run]}, indent=2))  # noqa: T201
            continue
        former = json.loads(asked.into.read_text(encoding="utf-8"))["runs"] if asked.into.is_file() else []
        found = {"machine": describe_machine(), "runs": with_run(former, run)}
        asked.into.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def with_run(former: list[dict[str, Any]], run: dict[str, Any]) -> list[dict[str, Any]]:
    """Runs by engine and size; a new one takes the place of the former one of its engine, checkpoints and size."""

    def kind(of: dict[str, Any]) -> tuple[str, str, int]:
        return of["engine"], of["checkpoints"], of["edges"]

    return sorted([*(one for one in former if kind(one) != kind(run)), run], key=kind)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--edges", default="1000000", help="numbers of edges, joined by commas")
    parser.add_argument("--engine", choices=("driver", "graphframes"), default="driver")
    parser.add_argument("--checkpoints", choices=("reliable", "local"), default="reliable", help="of GraphFrames")
    parser.add_argument("--master", default="local[2]")
    parser.add_argument("--driver-memory", default="4g")
    parser.add_argument("--jars", type=Path, help="folder of GraphFrames' jars (default: as its tests find it)")
    parser.add_argument("--check", action="store_true", help="count the result's faults as a run does (off the clock)")
    parser.add_argument("--into", type=Path, help="JSON file that keeps the runs")
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
            checked = _checked(edges, found, size, f"{folder}/components") if asked.check else {}
        finally:
            spark.stop()
    is_driver = asked.engine == "driver"
    return {
        "engine": engine.name,
        "checkpoints": "none" if is_driver else asked.checkpoints,
        "edges": size,
        "records": records,
        "seconds": round(seconds, 1),
        "others_cores": round(memory.others_cpu_seconds / seconds, 1),
        "load_before": round(memory.load, 1),
        "driver_memory": asked.driver_memory,
        **memory.in_megabytes(),
        "bytes_per_edge": round((memory.peak - memory.before) / size),
        **checked,
        "measured_on": datetime.now(tz=UTC).date().isoformat(),
        "versions": _versions([] if is_driver else _graphframes_jars(asked.jars)),
    }


def _checked(edges: DataFrame, found: DataFrame, size: int, place: str) -> dict[str, Any]:
    """The check that a run makes of its stored result, and what storing and checking take."""
    began = time.monotonic()
    found.write.parquet(path=place)
    stored = time.monotonic()
    vertices = edges.select(F.explode(F.array("left_record_id", "right_record_id")).alias("record_id")).distinct()
    faults = (
        components_faults(edges, edges.sparkSession.read.parquet(place), vertices, edge_count=size)
        .collect()[0]
        .asDict()
    )
    ended = time.monotonic()
    return {
        "store_seconds": round(stored - began, 1),
        "check_seconds": round(ended - stored, 1),
        "faults": faults,
    }


def _versions(jars: list[Path]) -> dict[str, str]:
    """Of what takes part; GraphFrames' jars by their names, which carry theirs."""
    told = describe_versions("java")
    found = {name: told[name] for name in ("python", "java", "pyspark", "numpy", "pyarrow")}
    found["scipy"] = _version("scipy")
    return (
        found
        if not jars
        else {**found, "graphframes-py": _version("graphframes-py"), "jars": ", ".join(jar.name for jar in jars)}
    )


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
    """Resident memory of this process and its Java while a block runs, before it and at its highest; and how quiet it was."""

    def __enter__(self) -> _Memory:
        self.before_of = _resident()
        self.peak_of = dict(self.before_of)
        self.before = self.peak = sum(self.before_of.values())
        self.load = psutil.getloadavg()[0]
        self.others_cpu_seconds = _others_cpu_seconds()
        self._ended = threading.Event()
        self._sampler = threading.Thread(target=self._sample, daemon=True)
        self._sampler.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._sampler.join()
        self.others_cpu_seconds = max(0.0, _others_cpu_seconds() - self.others_cpu_seconds)

    def in_megabytes(self) -> dict[str, int]:
        """Before and at the peak: together, and of each program at its own peak."""
        found = {"megabytes_before": self.before, "peak_megabytes": self.peak}
        for program in ("java", "python"):
            found[f"{program}_megabytes_before"] = self.before_of.get(program, 0)
            found[f"{program}_peak_megabytes"] = self.peak_of.get(program, 0)
        return {name: round(size / 1e6) for name, size in found.items()}

    def _sample(self) -> None:
        while not self._ended.wait(SAMPLE_SECONDS):
            now = _resident()
            self.peak = max(self.peak, sum(now.values()))
            for program, size in now.items():
                self.peak_of[program] = max(self.peak_of.get(program, 0), size)


def _tree() -> list[psutil.Process]:
    """This process and what it started."""
    return [psutil.Process(), *psutil.Process().children(recursive=True)]


def _resident() -> dict[str, int]:
    """Bytes of this process and what it started, by program: java, python."""
    found: dict[str, int] = {}
    for process in _tree():
        try:
            program = "java" if process.name().startswith("java") else "python"
            found[program] = found.get(program, 0) + int(process.memory_info().rss)
        except psutil.Error:
            continue
    return found


def _others_cpu_seconds() -> float:
    """Processor time of everything else on the machine since it started."""
    spent = psutil.cpu_times()
    total = float(spent.user + spent.nice + spent.system)
    for process in _tree():
        try:
            own = process.cpu_times()
            total -= float(own.user + own.system)
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
