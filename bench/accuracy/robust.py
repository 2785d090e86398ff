"""Measure the jobs link and dedupe, trained, in the situations where estimating without labels goes wrong.

    python -m bench.accuracy.robust [--only SCENARIO,...] [--seed N]

Every scenario makes its files of made-up people with known truth and runs scripts/submit.sh once. The figures land
in docs/robustness.json, from which bench.accuracy.robust_page makes the page.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bench.accuracy.robust_people import COLUMNS, kin
from bench.accuracy.robust_scenarios import SCENARIOS, Rows, Scenario, mapping_text
from linkage_spark.evaluation.calibration import expected_calibration_error

ROOT = Path(__file__).resolve().parents[2]
JSON = ROOT / "docs" / "robustness.json"
SEED = 20261121


# ---- files -------------------------------------------------------------------------------------------------


def prepare(scenario: Scenario, folder: Path, *, seed: int) -> dict[str, Rows]:
    """Write a scenario's files, its mapping and its truth into a folder; what was written."""
    folder.mkdir(parents=True, exist_ok=True)
    made = scenario.entries(seed)
    for side, rows in made.items():
        _write(folder / f"{side}.csv", ("ref", *COLUMNS), ([ref, *(e.row[at] for at in COLUMNS)] for ref, e in rows))
    head, rows_of_truth = truth(made)
    _write(folder / "truth.csv", head, rows_of_truth)
    (folder / "mapping.toml").write_text(mapping_text(scenario), encoding="utf-8")
    return made


def truth(made: Mapping[str, Rows]) -> tuple[tuple[str, ...], list[list[str]]]:
    """Head and rows of the truth: every true pair of two files, the entity of every record of one."""
    if "input" in made:
        return ("ref", "entity"), [[ref, f"P{entry.person.person_id}"] for ref, entry in made["input"]]
    partners = {entry.person.person_id: ref for ref, entry in made["right"]}
    pairs = [[ref, partners.get(entry.person.person_id, "")] for ref, entry in made["left"]]
    return ("ref_l", "ref_r"), sorted(pair for pair in pairs if pair[1])


def _write(path: Path, head: tuple[str, ...], rows: Any) -> None:
    """A CSV file."""
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(head)
        writer.writerows(rows)


# ---- running -----------------------------------------------------------------------------------------------


def command(scenario: Scenario, folder: Path) -> list[str]:
    """The words of one run."""
    words = [str(ROOT / "scripts" / "submit.sh"), scenario.job, "--"]
    for side in ("left", "right") if scenario.job == "link" else ("input",):
        words += [f"--{side}", str(folder / f"{side}.csv")]
    words += ["--mapping", str(folder / "mapping.toml"), "--truth", str(folder / "truth.csv")]
    words += ["--out", str(folder / "out"), "--train"]
    return words + (["--one-to-one"] if scenario.one_to_one else [])


def measure(scenario: Scenario, work: Path, *, seed: int, master: str) -> dict[str, Any]:
    """One run to its end, and what is kept of its figures."""
    folder = work / scenario.name
    shutil.rmtree(folder, ignore_errors=True)
    made = prepare(scenario, folder, seed=seed)
    with (folder / "log").open("wb") as said:
        done = subprocess.run(
            command(scenario, folder),
            env={**os.environ, "LINKAGE_MASTER": master},
            stdout=said,
            stderr=said,
            check=False,
        )
    if done.returncode:
        raise SystemExit(f"robust: {scenario.name} ended with exit code {done.returncode}; see {folder / 'log'}")
    metrics = json.loads((folder / "out" / "metrics.json").read_text(encoding="utf-8"))
    with (folder / "out" / "pairs.csv").open(encoding="utf-8", newline="") as lines:
        linked = [(row["ref_l"], row["ref_r"]) for row in csv.DictReader(lines) if row["linked"].lower() == "true"]
    return {**keep(metrics), "false_links": dict(sorted(false_links(linked, made).items()))}


def false_links(linked: list[tuple[str, str]], made: Mapping[str, Rows]) -> Counter[str]:
    """Linked pairs of two people, by how the two could be taken for each other."""
    people = {ref: entry.person for rows in made.values() for ref, entry in rows}
    return Counter(
        kin(people[one], people[other]) for one, other in linked if people[one].person_id != people[other].person_id
    )


def keep(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """What the page needs of metrics.json: nothing that another machine would give otherwise."""
    training, known = metrics.get("training") or {}, metrics["truth"]
    kept: dict[str, Any] = {
        "code_version": metrics["run"]["code_version"],
        "records": [file["records"] for file in metrics["files"]],
        "candidates": metrics["candidates"],
        "training": {
            **{name: training.get(name) for name in ("expected_matches", "settled", "used", "sure_share")},
            **{name: sentences(training.get(name)) for name in ("faults", "doubts")},
        },
        "shares": {name: value for name, value in training.items() if name.startswith("share of class")},
        "expected_matches": metrics["scored"]["expected_matches"],
        "linked": known["default"]["linked"],
        "true_linked": known["default"]["true_linked"],
        "true_pairs": known["true_pairs"],
        **{name: known["default"][name]["value"] for name in ("precision", "recall", "f1")},
        "ceiling": known["ceiling"] and {name: known["ceiling"][name] for name in ("at_least", "f1")},
        "calibration_error": expected_calibration_error(known["calibration"]),
        "calibration": [
            [at["at_least"], at["pairs"], at["mean_probability"], at["true_share"]["value"]]
            for at in known["calibration"]
        ],
        "loss": {name: known["loss"][name] for name in ("lost_by_blocking", "lost_by_floor", "lost_by_decision")},
        "warnings": list(metrics.get("warnings", ())),
    }
    if "cluster_truth" in metrics:
        held = metrics["cluster_truth"]
        kept["clusters"] = {name: held[f"pairwise_{name}"]["value"] for name in ("precision", "recall", "f1")}
        kept["clusters"]["largest"] = metrics["clusters"]["largest_cluster"]
    return kept


def sentences(told: str | list[str] | None) -> list[str]:
    """Faults or doubts one by one; 'none' is none."""
    if isinstance(told, str):
        return [] if told == "none" else told.split("; ")
    return list(told or ())


def read_figures(path: Path) -> dict[str, Any]:
    """The figures so far."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return {"seed": SEED, "scenarios": {}, **found}


def write_figures(path: Path, found: Mapping[str, Any]) -> None:
    """Replace the figures whole; scenarios in the order of SCENARIOS."""
    known = {at.name: found["scenarios"][at.name] for at in SCENARIOS if at.name in found["scenarios"]}
    text = json.dumps({**found, "scenarios": known}, indent=1, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def chosen(only: str) -> Iterator[Scenario]:
    """The scenarios asked for.

    Raises:
        SystemExit: there is none of that name.
    """
    names = {name for name in only.split(",") if name}
    if unknown := names - {at.name for at in SCENARIOS}:
        raise SystemExit(
            f"robust: no such scenario: {', '.join(sorted(unknown))}; there are {', '.join(at.name for at in SCENARIOS)}"
        )
    return (at for at in SCENARIOS if not names or at.name in names)


def read_arguments() -> argparse.Namespace:
    """What was asked."""
    parser = argparse.ArgumentParser(
        prog="bench.accuracy.robust", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="", help="scenarios to measure again, joined by commas; the others are kept")
    parser.add_argument("--seed", type=int, default=SEED, help="another seed makes other people")
    parser.add_argument("--master", default="local[2]")
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "robust")
    parser.add_argument("--json", type=Path, default=JSON)
    return parser.parse_args()


def main() -> int:
    """Measure what was asked; scenarios that are not measured again stay as they were."""
    asked = read_arguments()
    for scenario in chosen(asked.only):
        print(f"robust: {scenario.name} …", flush=True)  # noqa: T201
        figures = measure(scenario, asked.work.resolve(), seed=asked.seed, master=asked.master)
        found = {**read_figures(asked.json), "seed": asked.seed}
        found["scenarios"][scenario.name] = figures
        write_figures(asked.json, found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
