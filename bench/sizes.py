"""What the benchmarks of several sizes share: their arguments, the file of figures, and what a watched process took."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import submit
from bench.machine import ROOT, describe_machine, describe_versions
from bench.process import Watched


def size_parser(prog: str, description: str | None, *, figures: str) -> argparse.ArgumentParser:
    """Sizes, roster, seed, master and places; `figures` is the file of docs/benchmarks that they go into."""
    parser = argparse.ArgumentParser(prog=prog, description=description)
    parser.add_argument("--sizes", default="300000,1000000,3000000", help="person records, joined by commas")
    parser.add_argument("--employees", type=int, default=13_000)
    parser.add_argument("--seed", type=int, default=20261121)
    parser.add_argument("--master", default="local[2]")
    parser.add_argument("--build", type=lambda text: Path(text).resolve(), default=ROOT / "build" / "bench")
    parser.add_argument("--json", type=Path, default=ROOT / "docs" / "benchmarks" / figures)
    return parser


def measure_sizes(asked: argparse.Namespace, measure: Callable[[argparse.Namespace, int], dict[str, Any]]) -> None:
    """Measure every size; sizes of the file that are not measured again are kept."""
    sizes = json.loads(asked.json.read_text(encoding="utf-8"))["sizes"] if asked.json.is_file() else {}
    for records in (int(size) for size in asked.sizes.split(",")):
        sizes[str(records)] = measure(asked, records) | {
            "measured_on": f"{datetime.now(tz=UTC):%Y-%m-%d}",
            "versions": describe_versions(java_command()),
        }
        found = {
            "machine": describe_machine(),
            "scale": {"employees": asked.employees, "seed": asked.seed, "master": asked.master},
            "sizes": {size: sizes[size] for size in sorted(sizes, key=int)},
        }
        write_json(asked.json, found)


def process_load(watched: Watched) -> dict[str, Any]:
    """Processor time and memory, ours and others'."""
    return {
        "cpu_seconds": round(watched.cpu_seconds, 1),
        "cpu_seconds_by_program": {name: round(spent, 1) for name, spent in watched.cpu_by_program.items()},
        "others_cpu_seconds": round(watched.others_cpu_seconds, 1),
        "peak_memory_mb": watched.peak_bytes // 2**20,
        "peak_memory_mb_by_program": {name: size // 2**20 for name, size in sorted(watched.peak_by_program.items())},
    }


def java_command() -> str:
    """The java that submit.sh chooses."""
    with submit.program(Path("none.py"), [], master="local[1]") as command:
        home = next(word.split("=", 1)[1] for word in command.words if word.startswith("JAVA_HOME="))
    return f"{home}/bin/java"


def write_json(path: Path, found: dict[str, Any]) -> None:
    """Replace the file of figures whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
