"""One labelled person file from beginning to end: the job dedupe beside Splink on Spark and on DuckDB.

    python -m bench.peer_files --data DIR

Train, score, cluster, each way in a process of its own, one after the other. Seconds count from the moment that the
session or connection is ready: for the job, from its first stage to its last line. Nobody sees the truth; the clusters
that each way wrote are held against it afterwards. The figures land in docs/benchmarks/files.json.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from bench import submit
from bench.accuracy.run import CASES as MEASURED
from bench.accuracy.run import Case, command, missing_files, prepare
from bench.machine import ROOT, describe_machine, describe_versions
from bench.peers import run_backend
from bench.process import Watched
from bench.run import read_stages, run_watched, say
from bench.sizes import java_command, write_json
from linkage_spark.evaluation.cluster_figures import cluster_figures

DATA = "historical_half"
PROGRAM = ROOT / "bench" / "peer_splink_dedupe.py"
CASES = {case.row: case for case in MEASURED if case.data == DATA and case.variant == "default"}
"""Row of docs/accuracy.md -> its run: with birth place and occupation, and without."""

BACKENDS = ("spark", "duckdb")
_FIGURES = ("pairwise_precision", "pairwise_recall", "pairwise_f1")


def bench_case(asked: argparse.Namespace, case: Case) -> dict[str, Any]:
    """All ways through one case, and how long ours takes in parts of theirs."""
    say(f"{case.row}: the job dedupe …")
    found: dict[str, Any] = {"ours": run_ours(asked, case)}
    say(f"{case.row}: the job dedupe: {found['ours']['seconds']:.1f} s")
    for backend in BACKENDS:
        say(f"{case.row}: Splink on {backend} …")
        told = found[f"splink_{backend}"] = run_splink(asked, case, backend)
        say(f"{case.row}: Splink on {backend}: {told['seconds']:.1f} s")
    found["ours_in_parts_of"] = ratios(found)
    return found


def ratios(found: dict[str, Any]) -> dict[str, float]:
    """Our seconds divided by those of each of Splink's engines."""
    ours = found["ours"]["seconds"]
    return {f"splink_{backend}": round(ours / found[f"splink_{backend}"]["seconds"], 3) for backend in BACKENDS}


def run_ours(asked: argparse.Namespace, case: Case) -> dict[str, Any]:
    """The job in a fresh process, as users start it."""
    out = asked.build / "out" / case.name
    shutil.rmtree(out, ignore_errors=True)
    name, arguments = case.job, command(case, asked.build, measured=False)[3:]
    watched = run_watched(
        submit.job(name, arguments, master=asked.master), asked.build / "logs" / f"ours-{case.row}.log"
    )
    told = json.loads((out / "metrics.json").read_text(encoding="utf-8"))
    found = whole_job(watched) | {"pairs": told["candidates"], "linked": told["scored"]["linked"]}
    return found | cost(watched) | judged(pd.read_csv(out / "members.csv", dtype=str), _truth(asked))


def whole_job(watched: Watched) -> dict[str, Any]:
    """Seconds from the job's first stage to its last line, and of every stage."""
    stages, _ = read_stages(watched)
    if not stages:
        raise SystemExit("bench: the job told no stage")
    return {
        "seconds": round(watched.lines[-1][0] - stages[0]["began_at"], 1),
        "steps": {stage["stage"]: stage["seconds"] for stage in stages},
    }


def run_splink(asked: argparse.Namespace, case: Case, backend: str) -> dict[str, Any]:
    """One of Splink's engines in a fresh process."""
    name = f"splink-{backend}-{case.row}"
    members, result = asked.build / "out" / name, asked.build / "out" / f"{name}.json"
    shutil.rmtree(members, ignore_errors=True)
    members.parent.mkdir(parents=True, exist_ok=True)
    arguments = ["--backend", backend, "--input", str(asked.build / DATA / "input.csv")]
    arguments += ["--members", str(members), "--result", str(result)]
    arguments += ["--texts"] if case.row.endswith("_text") else []
    log = asked.build / "logs" / f"{name}.log"
    watched = run_backend(PROGRAM, arguments, backend=backend, master=asked.master, log=log)
    found: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
    return found | cost(watched) | judged(pd.read_parquet(members), _truth(asked))


def cost(watched: Watched) -> dict[str, Any]:
    """What a process took as a whole, its start and end included, and what others took meanwhile."""
    return {
        "process_seconds": round(watched.seconds, 1),
        "cpu_seconds": round(watched.cpu_seconds, 1),
        "others_cpu_seconds": round(watched.others_cpu_seconds, 1),
        "peak_memory_mb": watched.peak_bytes // 2**20,
    }


def judged(members: pd.DataFrame, truth: pd.DataFrame) -> dict[str, Any]:
    """Clusters against the truth: shares of pairs that stand together, as docs/accuracy.md counts them.

    Args:
        members: ``ref``, ``cluster_id``; every record once.
        truth: ``ref``, ``entity`` of every record.
    """
    both = members.merge(truth, on="ref", how="outer", validate="one_to_one")
    if both.isna().any(axis=None):
        raise SystemExit("bench: the clusters and the truth are not of the same records")
    cells = both.groupby(["cluster_id", "entity"]).size().rename("together").reset_index()
    cells["of_cluster"] = cells.groupby("cluster_id")["together"].transform("sum")
    cells["of_entity"] = cells.groupby("entity")["together"].transform("sum")
    rows = cells.assign(cells=1, missing=False).to_dict(orient="records")
    figures = cluster_figures({str(name): value for name, value in row.items()} for row in rows)
    return {"clusters": figures["clusters"], **{name: figures[name]["value"] for name in _FIGURES}}


def _truth(asked: argparse.Namespace) -> pd.DataFrame:
    """The truth that was split off."""
    return pd.read_csv(asked.build / DATA / "truth.csv", dtype=str)


def main() -> int:
    """Measure every case; cases of the file that are not measured again are kept."""
    parser = argparse.ArgumentParser(
        prog="bench.peer_files", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the labelled sets")
    parser.add_argument("--cases", default=",".join(CASES), help="joined by commas")
    parser.add_argument("--master", default="local[2]")
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "bench" / "files")
    parser.add_argument("--json", type=Path, default=ROOT / "docs" / "benchmarks" / "files.json")
    asked = parser.parse_args()
    asked.build = asked.build.resolve()
    chosen = asked.cases.split(",")
    if unknown := set(chosen) - set(CASES):
        say(f"no such case: {', '.join(sorted(unknown))}; there are {', '.join(CASES)}")
        return 2
    if fault := missing_files(asked.data, tuple(CASES[name] for name in chosen)):
        say(fault)
        return 2
    prepare(DATA, asked.data, asked.build)
    cases: dict[str, Any] = {}
    if asked.json.is_file():
        cases = json.loads(asked.json.read_text(encoding="utf-8"))["cases"]
    for name in chosen:
        cases[name] = bench_case(asked, CASES[name]) | {
            "measured_on": f"{datetime.now(tz=UTC):%Y-%m-%d}",
            "versions": describe_versions(java_command()),
        }
        ordered = {case: cases[case] for case in CASES if case in cases}
        scale = {"master": asked.master, "records": len(_truth(asked))}
        write_json(asked.json, {"machine": describe_machine(), "scale": scale, "cases": ordered})
    return 0


if __name__ == "__main__":
    sys.exit(main())
