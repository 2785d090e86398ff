"""The page docs/benchmarks/README.md, made from the figures that the programs of this package leave there.

python -m bench.page
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from bench.components_page import component_parts
from bench.daily_page import daily_parts, thirty_days_parts
from bench.files_page import files_parts
from bench.machine import ROOT
from bench.markdown import machine_line, table
from bench.nominals_page import nominal_parts

FOLDER = ROOT / "docs" / "benchmarks"
NOTES = FOLDER / "notes.md"
"""Where the time goes and what was tried, in words; put into the page as it stands."""


def page(
    bench: dict[str, Any],
    peers: dict[str, Any] | None,
    notes: str,
    nominals: dict[str, Any] | None = None,
    graphs: dict[str, Any] | None = None,
    files: dict[str, Any] | None = None,
    days: dict[str, Any] | None = None,
    thirty_days: dict[str, Any] | None = None,
) -> str:
    """The whole page as Markdown."""
    sizes: dict[str, Any] = bench["sizes"]
    parts = [
        "# Benchmarks",
        "Made by `make bench`, `make bench-peers`, `make bench-daily`, `make bench-files`, `make bench-nominals` and `make bench-components` from "
        "the JSON files in this folder; change those, not this page. All people are made up, but for the labelled file. Seconds of different runs on a "
        "shared machine differ by a tenth or more: compare "
        "within one table.",
        machine_line(bench),
        "## Raw feeds to published hits",
        f"`scripts/submit.sh backfill` in a fresh JVM, {bench['scale']['master']}, a roster of "
        f"{bench['scale']['employees']:,}; start of the JVM included.",
        _whole(sizes),
        "Seconds per stage:",
        _stages(sizes),
        _growth(sizes),
        "Inside *standardise*, seconds until each table was written (the first one pays for reading and judging the "
        "feeds, which the others share):",
        _tables(sizes),
        "## Standard tables to links",
        "In one process: propose, score, decide, explain, write. *Cold* is the first thing a fresh JVM does (session start "
        "excluded), *warm* the median of the runs after it. The floors stand beside it: reading the same columns and "
        "hashing each value once; and scoring the same candidate pairs in one Python loop without Spark.",
        _engine(sizes),
        "Warm seconds, each step with those before it:",
        _steps(sizes),
    ]
    if peers is not None:
        parts += [
            "## Beside Splink",
            "Splink 5 on the same standard tables (rows that take part; forename, surname, date of birth, postcode, "
            "premises): link_only, six blocking rules, five comparisons, term frequencies of names, dates and postcodes; "
            "`bench/peer_splink.py` has the settings. Each prediction starts from empty caches and reads the Parquet files; "
            "ours reads the Delta tables, compares more (token sets, nicknames, flats, rivals), and writes explained links. "
            "Candidate pairs differ, since the rules do.",
            _peers(peers["sizes"]),
        ]
    if days is not None:
        parts += daily_parts(days)
    if thirty_days is not None:
        parts += thirty_days_parts(thirty_days)
    if files is not None:
        parts += files_parts(files)
    if nominals is not None:
        parts += nominal_parts(nominals["sizes"])
    if graphs is not None:
        parts += component_parts(graphs["runs"])
    if notes.strip():
        parts.append(notes.strip())
    return "\n\n".join(part for part in parts if part) + "\n"


def _heads(sizes: dict[str, Any]) -> list[str]:
    """One column a size."""
    return [f"{int(size):,}" for size in sizes]


def _whole(sizes: dict[str, Any]) -> str:
    """The job as a whole."""
    runs = [size["backfill"] for size in sizes.values()]
    rows: list[list[Any]] = [
        ["seconds", *[run["seconds"] for run in runs]],
        ["of these before the first stage", *[run["seconds_before_the_first_stage"] for run in runs]],
        ["processor seconds, all processes", *[run["cpu_seconds"] for run in runs]],
        ["of these Python", *[_program(run, "python") for run in runs]],
        ["of these Java", *[_program(run, "java") for run in runs]],
        ["of these Java's tasks", *[run["spark"]["jvm_cpu_seconds"] for run in runs]],
        ["other programs on this machine, processor seconds meanwhile", *[r.get("others_cpu_seconds") for r in runs]],
        ["rows of all feeds", *[run["rows_in"] for run in runs]],
        ["candidate pairs", *[run["candidate_pairs"] for run in runs]],
        ["pairs per second in *screen*", *[run["pairs_per_second_in_screen"] for run in runs]],
        ["hits", *[run["hits"] for run in runs]],
        ["location hits", *[run["location_hits"] for run in runs]],
        ["feeds on disk, MB", *[run["feeds_mb"] for run in runs]],
        ["tables on disk, MB", *[run["tables_mb"] for run in runs]],
        ["read from files, MB", *[run["spark"]["input_bytes"] // 2**20 for run in runs]],
        ["shuffled, MB", *[run["spark"]["shuffle_bytes"] // 2**20 for run in runs]],
        ["spilled, MB", *[run["spark"]["spilled_bytes"] // 2**20 for run in runs]],
        ["peak memory of all processes, MB", *[run["peak_memory_mb"] for run in runs]],
        ["of these Java, MB", *[run["peak_memory_mb_by_program"].get("java") for run in runs]],
    ]
    return table(["police person records", *_heads(sizes)], rows)


def _program(run: dict[str, Any], name: str) -> float | None:
    """Processor seconds of one program."""
    spent: float | None = run.get("cpu_seconds_by_program", {}).get(name)
    return spent


def _stages(sizes: dict[str, Any]) -> str:
    """Seconds by stage and size."""
    names = list(dict.fromkeys(stage["stage"] for size in sizes.values() for stage in size["backfill"]["stages"]))
    by_size = [{stage["stage"]: stage["seconds"] for stage in size["backfill"]["stages"]} for size in sizes.values()]
    return table(["stage", *_heads(sizes)], [[name, *[stages.get(name) for stages in by_size]] for name in names])


def _growth(sizes: dict[str, Any]) -> str:
    """One to three million."""
    if not {"1000000", "3000000"} <= set(sizes):
        return ""
    one, three = sizes["1000000"]["backfill"], sizes["3000000"]["backfill"]
    said = f"From 1 to 3 million records the time grows {three['seconds'] / one['seconds']:.2f}-fold"
    if "engine" in sizes["1000000"] and "engine" in sizes["3000000"]:
        engines = [sizes[size]["engine"] for size in ("1000000", "3000000")]
        warm = engines[1]["warm_seconds"]["median"] / engines[0]["warm_seconds"]["median"]
        said += f"; from tables to links, warm, {warm:.2f}-fold"
    return f"{said} (3.00 would be linear; less, because part of it is the same at any size)."


def _tables(sizes: dict[str, Any]) -> str:
    """Seconds by canonical table."""
    by_size = [size["backfill"]["standardise_tables_seconds"] for size in sizes.values()]
    names = list(dict.fromkeys(name for tables in by_size for name in tables))
    return table(["table", *_heads(sizes)], [[name, *[tables.get(name) for tables in by_size]] for name in names])


def _engine(sizes: dict[str, Any]) -> str:
    """Cold, warm and floors."""
    there = {size: found["engine"] for size, found in sizes.items() if "engine" in found}
    rows: list[list[Any]] = [
        ["seconds, warm", *[engine["warm_seconds"]["median"] for engine in there.values()]],
        ["seconds, cold", *[engine["cold_seconds"] for engine in there.values()]],
        ["floor: reading the columns, warm", *[engine["floor_scan_seconds"]["median"] for engine in there.values()]],
        ["floor: one Python loop", *[engine["floor_scoring_loop_seconds"]["median"] for engine in there.values()]],
        ["pairs per second of that loop, one core", *[e["floor_pairs_per_second_one_core"] for e in there.values()]],
        ["cores that other programs took meanwhile", *[_others(engine) for engine in there.values()]],
        ["history rows, variants counted", *[engine["history_rows"] for engine in there.values()]],
        ["pairs scored", *[engine["candidate_pairs_scored"] for engine in there.values()]],
        ["links", *[engine["links"] for engine in there.values()]],
        ["peak memory of all processes, MB", *[engine["peak_memory_mb"] for engine in there.values()]],
    ]
    return table(["", *_heads(there)], rows)


def _others(engine: dict[str, Any]) -> float | None:
    """Cores, on average, that were not ours."""
    return round(engine["others_cpu_seconds"] / engine["seconds"], 1) if "others_cpu_seconds" in engine else None


def _steps(sizes: dict[str, Any]) -> str:
    """Warm seconds of growing parts of the way."""
    there = {size: found["engine"]["steps_warm_seconds"] for size, found in sizes.items() if "engine" in found}
    names = list(dict.fromkeys(name for steps in there.values() for name in steps))
    rows = [[name, *[steps[name]["median"] for steps in there.values()]] for name in names]
    return table(["step", *_heads(there)], rows)


def _peers(sizes: dict[str, Any]) -> str:
    """Ours, Splink on DuckDB, Splink on Spark, by size."""
    rows: list[list[Any]] = []
    for size, found in sizes.items():
        ours = found["ours"]
        rows.append(
            [
                f"{int(size):,}: this engine",
                *[ours["warm_seconds"]["median"], ours["cold_seconds"], None, ours["candidate_pairs_scored"]],
                *[ours["peak_memory_mb"], _others(ours)],
            ]
        )
        for backend, name in (("duckdb", "Splink on DuckDB"), ("spark", "Splink on Spark")):
            peer = found[f"splink_{backend}"]
            rows.append(
                [
                    f"{int(size):,}: {name}",
                    *[peer["predict_seconds"]["median"], peer["predict_cold_seconds"], peer["with_training_seconds"]],
                    *[peer["pairs"], peer["peak_memory_mb_trained"], peer.get("others_cores_trained")],
                ]
            )
    head = [
        "records",
        "predict, warm s",
        "predict, cold s",
        "training and predict s",
        "pairs",
        "peak memory MB",
        "others’ cores",
    ]
    return table(head, rows)


def main_text(folder: Path) -> str:
    """The page of the figures that lie in a folder."""
    bench = json.loads((folder / "bench.json").read_text(encoding="utf-8"))
    notes_file = folder / NOTES.name
    notes = notes_file.read_text(encoding="utf-8") if notes_file.is_file() else ""
    names = ("peers.json", "nominals.json", "components.json", "files.json", "daily.json", "thirty_days.json")
    peers, nominals, graphs, files, days, thirty = (_read(folder / name) for name in names)
    return page(bench, peers, notes, nominals, graphs, files, days, thirty)


def _read(path: Path) -> dict[str, Any] | None:
    """Figures; None where there are none yet."""
    found: dict[str, Any] | None = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
    return found


def main() -> int:
    """Read the figures, write the page."""
    parser = argparse.ArgumentParser(prog="bench.page", description=__doc__)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    folder: Path = parser.parse_args().folder
    (folder / "README.md").write_text(main_text(folder), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
