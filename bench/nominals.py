"""Measure the job nominals on made-up forces of several sizes: seconds per stage, memory, and accuracy against the truth.

    python -m bench.nominals --sizes 300000,1000000,3000000

Feeds and estates are those of bench.run; a size whose estate is not there is backfilled first. The job runs on a copy of the
estate, so that every measurement is a first run. Forces of more than `--most-judged` records are timed and not held against the
truth, which takes as long as the job. Every figure lands in one JSON file, from which bench.page makes the page.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import Any

from bench import submit
from bench.run import make_feeds, read_stages, run_backfill, run_watched, say
from bench.sizes import measure_sizes, process_load, size_parser

GAPS = 4
"""Exit code of an evaluation that was written whole, and found a naming tradition far below the best."""

TOLD = (
    *("run_id", "records", "candidate_pairs", "scored_pairs", "edges", "engine", "engine_why"),
    *("components", "largest_component", "looked_into", "conflicts", "cuts", "states", "sizes"),
)
"""Of the job's own figures."""


def bench_size(asked: argparse.Namespace, records: int) -> dict[str, Any]:
    """Everything about one size: feeds and estate where they are missing, the job, the truth."""
    feeds, root = make_feeds(asked, records), asked.build / "nominals" / str(records)
    _copy_estate(asked, feeds, root, records)
    say(f"{records:,} person records: nominals …")
    found = {"person_records": records, **run_nominals(asked, root, records)}
    say(f"{records:,} person records: nominals: {found['seconds_from_first_stage']:.1f} s from the first stage on")
    if records <= asked.most_judged:
        found |= judge(asked, feeds, root, records, found["run_id"])
    shutil.rmtree(root)
    return found


def judge(asked: argparse.Namespace, feeds: Path, root: Path, records: int, run_id: str) -> dict[str, Any]:
    """The nominals against the truth."""
    command = submit.job("evaluate", ["--feeds", str(feeds), "--out", str(root)], master=asked.master)
    watched = run_watched(command, asked.build / "logs" / f"evaluate-nominals-{records}.log", accepted=(0, GAPS))
    told = (root / "reports" / run_id / "nominal_accuracy.json").read_text(encoding="utf-8")
    return {"evaluation_seconds": round(watched.seconds, 1), "accuracy": json.loads(told)}


def _copy_estate(asked: argparse.Namespace, feeds: Path, root: Path, records: int) -> None:
    """A copy of the backfilled estate."""
    estate = asked.build / "estate" / str(records)
    if not (estate / "tables" / "run").is_dir():
        say(f"{records:,} person records: backfill …")
        run_backfill(asked, feeds, estate, records)
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(estate, root)


def run_nominals(asked: argparse.Namespace, root: Path, records: int) -> dict[str, Any]:
    """The job in a fresh process."""
    command = submit.job("nominals", ["--out", str(root)], master=asked.master)
    watched = run_watched(command, asked.build / "logs" / f"nominals-{records}.log")
    stages, _ = read_stages(watched)
    told = json.loads(next(root.glob("reports/*/nominals.json")).read_text(encoding="utf-8"))
    return {
        "seconds": round(watched.seconds, 1),
        "seconds_from_first_stage": round(watched.seconds - stages[0]["from_start"], 1),
        "stages": [{"stage": one["stage"], "seconds": one["seconds"]} for one in stages],
        **process_load(watched),
        **{name: told[name] for name in TOLD},
    }


def main() -> int:
    """Measure every size."""
    parser = size_parser("bench.nominals", __doc__, figures="nominals.json")
    parser.add_argument(
        "--most-judged", type=int, default=1_000_000, help="largest force that is held against its truth"
    )
    measure_sizes(parser.parse_args(), bench_size)
    return 0


if __name__ == "__main__":
    sys.exit(main())
