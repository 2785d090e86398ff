"""Measure the main job on made-up forces of several sizes: raw feeds to published hits, and tables to links.

    python -m bench.run --sizes 300000,1000000,3000000

Feeds are made once per size and kept. Every figure lands in one JSON file, from which bench.page makes the page.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench import submit
from bench.eventlog import Window, read_totals
from bench.machine import ROOT
from bench.process import Watched, watch
from bench.sizes import measure_sizes, process_load, size_parser

_STAGE_STARTS = re.compile(r"^\[\s*([\d.]+) s\] (\S.*) …$")
_STAGE_ENDS = re.compile(r"^\[\s*([\d.]+) s\] (\S.*?) done: .*?([\d.]+) s$")
_TABLE_WRITTEN = re.compile(r"^\[\s*([\d.]+) s\]   (\w+) written$")


def bench_size(asked: argparse.Namespace, records: int) -> dict[str, Any]:
    """Everything about one size: feeds, the job, the engine."""
    feeds = make_feeds(asked, records)
    root = asked.build / "estate" / str(records)
    shutil.rmtree(root, ignore_errors=True)
    say(f"{records:,} person records: raw feeds to published hits …")
    backfill = run_backfill(asked, feeds, root, records)
    say(f"{records:,} person records: raw feeds to published hits: {backfill['seconds']:.1f} s")
    found: dict[str, Any] = {"person_records": records, "backfill": backfill}
    if asked.engine:
        say(f"{records:,} person records: standard tables to links …")
        found["engine"] = run_engine(asked, root, records)
        warm, cold = found["engine"]["warm_seconds"]["median"], found["engine"]["cold_seconds"]
        say(f"{records:,} person records: standard tables to links: warm {warm:.1f} s, cold {cold:.1f} s")
    return found


def make_feeds(asked: argparse.Namespace, records: int) -> Path:
    """The feeds of one size, roster and seed; made unless a finished set is there."""
    folder: Path = asked.build / "feeds" / f"{asked.employees}x{records}-seed{asked.seed}"
    if (folder / "truth" / "settings.json").is_file():
        return folder
    say(f"{records:,} person records: making the feeds (once; they are kept) …")
    sizes = ["--employees", str(asked.employees), "--person-records", str(records), "--seed", str(asked.seed)]
    command = submit.job("synthesise", ["--out", str(folder), *sizes, "--overwrite"], master=asked.master)
    run_watched(command, asked.build / "logs" / f"synthesise-{records}.log")
    return folder


def run_backfill(asked: argparse.Namespace, feeds: Path, root: Path, records: int) -> dict[str, Any]:
    """One backfill in a fresh process."""
    events = asked.build / "logs" / f"events-{records}"
    shutil.rmtree(events, ignore_errors=True)
    events.mkdir(parents=True)
    command = submit.job(
        "backfill", ["--feeds", str(feeds), "--out", str(root)], master=asked.master, event_logs=events
    )
    watched = run_watched(command, asked.build / "logs" / f"backfill-{records}.log")
    stages, tables = read_stages(watched)
    windows = [Window(stage["stage"], stage.pop("began_at"), stage.pop("ended_at")) for stage in stages]
    totals = read_totals(events, windows)
    figures = json.loads(next(root.glob("reports/*/figures.json")).read_text(encoding="utf-8"))
    counts = {stage["stage"]: stage["counts"] for stage in figures["stages"]}
    for stage in stages:
        stage |= {"counts": counts.get(stage["stage"], {}), "spark": totals[stage["stage"]]}
    screen = next(stage for stage in stages if stage["stage"] == "screen")
    pairs = int(screen["counts"].get("candidate pairs", 0))
    before = stages[0]["from_start"] if stages else 0.0
    return {
        "seconds": round(watched.seconds, 1),
        "seconds_before_the_first_stage": before,
        "seconds_from_first_stage": round(watched.seconds - before, 1),
        **process_load(watched),
        "stages": stages,
        "standardise_tables_seconds": tables,
        "rows_in": counts.get("standardise", {}).get("rows in"),
        "candidate_pairs": pairs,
        "pairs_per_second_in_screen": round(pairs / screen["seconds"]) if screen["seconds"] else 0,
        "hits": counts.get("hits", {}).get("hits"),
        "location_hits": counts.get("hits", {}).get("location hits"),
        "feeds_mb": _size_mb(feeds, leave_out="truth"),
        "tables_mb": _size_mb(root / "tables"),
        "spark": totals["all"],
    }


def read_stages(watched: Watched) -> tuple[list[dict[str, Any]], dict[str, float]]:
    """Stages, and tables written inside the first, from the job's own lines."""
    stages: list[dict[str, Any]] = []
    tables: dict[str, float] = {}
    began: dict[str, tuple[float, float]] = {}
    last = 0.0
    for at, line in watched.lines:
        if start := _STAGE_STARTS.match(line):
            began[start[2]] = (at, float(start[1]))
            last = float(start[1])
        elif (end := _STAGE_ENDS.match(line)) and end[2] in began:
            began_at, from_start = began[end[2]]
            stages.append(
                {
                    "stage": end[2],
                    "seconds": float(end[3]),
                    "from_start": from_start,
                    "began_at": began_at,
                    "ended_at": at,
                }
            )
        elif table := _TABLE_WRITTEN.match(line):
            tables[table[2]] = round(float(table[1]) - last, 1)
            last = float(table[1])
    return stages, tables


def run_engine(asked: argparse.Namespace, root: Path, records: int) -> dict[str, Any]:
    """Standard tables to links in a fresh process."""
    work, result = asked.build / "work" / str(records), asked.build / "work" / f"engine-{records}.json"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    peers = asked.build / "peers" / str(records)
    arguments = ["--root", str(root), "--work", str(work), "--peers", str(peers), "--result", str(result)]
    arguments += ["--repeats", str(asked.repeats)]
    with submit.program(ROOT / "bench" / "engine.py", arguments, master=asked.master) as command:
        watched = run_watched(command, asked.build / "logs" / f"engine-{records}.log")
    found: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
    shutil.rmtree(work, ignore_errors=True)
    return {
        **found,
        "seconds": round(watched.seconds, 1),
        "others_cpu_seconds": round(watched.others_cpu_seconds, 1),
        "peak_memory_mb": watched.peak_bytes // 2**20,
    }


def run_watched(command: submit.Command, log: Path, accepted: Sequence[int] = (0,)) -> Watched:
    """Run to the end; stop everything when it ends with an exit code that is not accepted."""
    watched = watch(command.words, environment=command.environment, log=log)
    if watched.code not in accepted:
        raise SystemExit(
            f"bench: a measured program ended with {watched.code}; its log is {log.name} in the log folder"
        )
    return watched


def _size_mb(folder: Path, leave_out: str = "") -> float:
    """Size of a folder's files, MB."""
    files = (
        path for path in folder.rglob("*") if path.is_file() and leave_out not in (path.parts if leave_out else ())
    )
    return round(sum(path.stat().st_size for path in files) / 2**20, 1)


def say(text: str) -> None:
    """One line to whoever waits."""
    print(f"bench: {text}", flush=True)  # noqa: T201


def main() -> int:
    """Measure every size."""
    parser = size_parser("bench.run", __doc__, figures="bench.json")
    parser.add_argument("--repeats", type=int, default=3, help="warm runs of each step")
    parser.add_argument("--no-engine", dest="engine", action="store_false", help="the job only")
    measure_sizes(parser.parse_args(), bench_size)
    return 0


if __name__ == "__main__":
    sys.exit(main())
