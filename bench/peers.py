"""Splink on DuckDB and on Spark, on the standard tables that bench.run left, beside our own figures.

python -m bench.peers --sizes 1000000,3000000
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import submit
from bench.machine import ROOT, describe_machine, describe_versions
from bench.process import Watched
from bench.run import run_engine, run_watched, say
from bench.sizes import java_command, write_json

PROGRAM = ROOT / "bench" / "peer_splink.py"
_DEFAULT_SPARK = (
    *("--conf", "spark.sql.catalogImplementation=in-memory"),
    *("--conf", "spark.sql.ansi.enabled=false"),
)
"""Splink's SQL rests on casts that become null."""


def bench_peers(asked: argparse.Namespace, records: int) -> dict[str, Any]:
    """Both backends of Splink, and ours again in the same run."""
    root, tables = asked.build / "estate" / str(records), asked.build / "peers" / str(records)
    if not (root / "tables" / "run").is_dir():
        raise SystemExit(f"bench: there is no finished run of {records} person records: run 'make bench' first")
    say(f"{records:,} person records: ours …")
    found: dict[str, Any] = {"person_records": records, "ours": run_engine(asked, root, records)}
    for backend in ("duckdb", "spark"):
        say(f"{records:,} person records: Splink on {backend} …")
        found[f"splink_{backend}"] = run_splink(asked, backend, tables, records)
        told = found[f"splink_{backend}"]
        say(
            f"{records:,} person records: Splink on {backend}: predict {told['predict_seconds']['median']:.1f} s, "
            f"with training {told['with_training_seconds']:.1f} s"
        )
    return found


def run_splink(asked: argparse.Namespace, backend: str, tables: Path, records: int) -> dict[str, Any]:
    """One backend: a process that trains and predicts, then a fresh one that only predicts."""
    work = asked.build / "work"
    work.mkdir(parents=True, exist_ok=True)
    model, result = work / f"splink-{backend}-{records}.model.json", work / f"splink-{backend}-{records}.json"
    arguments = ["--backend", backend, "--tables", str(tables), "--model", str(model), "--result", str(result)]
    found: dict[str, Any] = {}
    for step, more in (("trained", ["--repeats", str(asked.repeats)]), ("cold", ["--cold"])):
        log = asked.build / "logs" / f"splink-{backend}-{step}-{records}.log"
        watched = run_backend(PROGRAM, [*arguments, *more], backend=backend, master=asked.master, log=log)
        found |= json.loads(result.read_text(encoding="utf-8"))
        found[f"peak_memory_mb_{step}"] = watched.peak_bytes // 2**20
        found[f"others_cores_{step}"] = round(watched.others_cpu_seconds / watched.seconds, 2)
    return found


def run_backend(program: Path, arguments: list[str], *, backend: str, master: str, log: Path) -> Watched:
    """One program that measures Splink: DuckDB in Python alone, Spark as submit.sh starts it, with Splink's jar."""
    if backend == "duckdb":
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        return run_watched(submit.Command((sys.executable, str(program), *arguments), environment), log)
    from splink.internals.spark.jar_location import similarity_jar_location

    options = ["--jars", similarity_jar_location(), *_DEFAULT_SPARK]
    with submit.program(program, arguments, master=master, options=options) as command:
        return run_watched(command, log)


def main() -> int:
    """Measure every size; sizes of the file that are not measured again are kept."""
    parser = argparse.ArgumentParser(prog="bench.peers", description=__doc__)
    parser.add_argument("--sizes", default="1000000,3000000", help="person records, joined by commas")
    parser.add_argument("--master", default="local[2]")
    parser.add_argument("--repeats", type=int, default=3, help="warm runs")
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "bench")
    parser.add_argument("--json", type=Path, default=ROOT / "docs" / "benchmarks" / "peers.json")
    asked = parser.parse_args()
    asked.build = asked.build.resolve()
    sizes: dict[str, Any] = {}
    if asked.json.is_file():
        sizes = json.loads(asked.json.read_text(encoding="utf-8"))["sizes"]
    for records in (int(size) for size in asked.sizes.split(",")):
        sizes[str(records)] = bench_peers(asked, records) | {
            "measured_on": f"{datetime.now(tz=UTC):%Y-%m-%d}",
            "versions": describe_versions(java_command()),
        }
        ordered = {size: sizes[size] for size in sorted(sizes, key=int)}
        write_json(asked.json, {"machine": describe_machine(), "scale": {"master": asked.master}, "sizes": ordered})
    return 0


if __name__ == "__main__":
    sys.exit(main())
