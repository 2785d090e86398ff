"""How much of the result of link and dedupe, trained, hangs on which of the other pairs were sampled.

    python -m bench.accuracy.seeds [--data DIR] [--only CASE,...] [--seeds 0,1,2]

The examples are made up and always there; --data adds the labelled sets of bench.accuracy.run. Files small enough to
be compared whole need no sample: here they are sampled all the same, which asks more of the estimate. Fails when
a figure moves by LIMIT or more between two seeds.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.accuracy.run import CASES as OPEN_CASES
from bench.accuracy.run import MAPPINGS, missing_files, prepare, say
from bench.submit import program

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples" / "person-files"
SEEDED = Path(__file__).with_name("seeded.py")
LIMIT = 0.002
"""F1 may move by less than this between two seeds."""


@dataclass(frozen=True)
class SeedCase:
    """One set and what it is compared with."""

    name: str
    task: Mapping[str, Any]
    data: str = ""
    sampled: bool = True


def cases(work: Path) -> list[SeedCase]:
    """The examples and the open sets that have one row per default run; ``out`` is put in later."""
    link = {"left": str(EXAMPLES / "members.csv"), "right": str(EXAMPLES / "volunteers.csv")}
    known = [
        SeedCase(
            "examples.link",
            {
                "kind": "link",
                "paths": link,
                "mapping": str(EXAMPLES / "link.toml"),
                "truth": str(EXAMPLES / "link_truth.csv"),
            },
        ),
        SeedCase(
            "examples.register",
            {
                "kind": "dedupe",
                "paths": {"file": str(EXAMPLES / "register.csv")},
                "mapping": str(EXAMPLES / "register.toml"),
                "truth": str(EXAMPLES / "register_truth.csv"),
            },
        ),
    ]
    for case in OPEN_CASES:
        if case.variant != "default" or case.data == "historical_half" or case.one_to_one:
            continue
        files = {"left": "left", "right": "right"} if case.job == "link" else {"file": "input"}
        task = {
            "kind": case.job,
            "paths": {side: str(work / case.data / f"{file}.csv") for side, file in files.items()},
            "mapping": str(MAPPINGS / f"{case.mapping}.toml"),
            "truth": str(work / case.data / "truth.csv"),
        }
        known.append(SeedCase(case.row, task, data=case.data))
    return known


def measure(case: SeedCase, work: Path, seeds: list[int], master: str) -> dict[str, dict[str, Any]]:
    """Figures by seed, from one process."""
    folder = work / "seeds" / case.name
    folder.mkdir(parents=True, exist_ok=True)
    result, asked, log = folder / "result.json", folder / "asked.json", folder / "log"
    task = {**case.task, "out": str(folder), "train": True}
    content = {"task": task, "seeds": seeds, "sampled": case.sampled, "result": str(result)}
    asked.write_text(json.dumps(content, indent=1), encoding="utf-8")
    with program(SEEDED, [str(asked)], master=master) as command, log.open("wb") as said:
        done = subprocess.run(command.words, env=dict(command.environment), stdout=said, stderr=said, check=False)
    if done.returncode:
        raise SystemExit(f"seeds: {case.name} ended with exit code {done.returncode}; see its log in {folder.name}")
    found: dict[str, dict[str, Any]] = json.loads(result.read_text(encoding="utf-8"))
    return found


def spread(found: Mapping[str, Mapping[str, Any]], figure: str) -> float:
    """Largest difference of a figure between two seeds; 0 where it is not measured."""
    values = [run[figure] for run in found.values() if figure in run]
    return max(values) - min(values) if values else 0.0


def main() -> int:
    """Measure, print a line per case, write the figures; 1 when one moves too much."""
    parser = argparse.ArgumentParser(prog="seeds", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder of the labelled sets")
    parser.add_argument("--only", default="", help="cases, joined by commas")
    parser.add_argument("--seeds", default="0,1,2", help="joined by commas")
    parser.add_argument("--master", default="local[2]")
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "accuracy")
    asked = parser.parse_args()
    work, seeds = asked.work.resolve(), [int(seed) for seed in asked.seeds.split(",")]
    only = {name for name in asked.only.split(",") if name}
    chosen = [case for case in cases(work) if (case.name in only if only else not case.data or asked.data)]
    needed = {case.data for case in chosen if case.data}
    if needed and (fault := missing_files(asked.data, tuple(c for c in OPEN_CASES if c.data in needed))):
        print(fault, file=sys.stderr)  # noqa: T201
        return 2
    for data in sorted(needed):
        prepare(data, asked.data, work)
    too_far = []
    for case in chosen:
        found = measure(case, work, seeds, asked.master)
        moved = {figure: round(spread(found, figure), 6) for figure in ("f1", "cluster_f1")}
        say(f"{case.name}: {json.dumps(found)}")
        say(f"{case.name}: F1 moves by {moved['f1']:.4f}, F1 of clusters by {moved['cluster_f1']:.4f}")
        too_far += [case.name] if max(moved.values()) >= LIMIT else []
    if too_far:
        say(f"more than {LIMIT}: {', '.join(too_far)}")
    return 1 if too_far else 0


if __name__ == "__main__":
    sys.exit(main())
