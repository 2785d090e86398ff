"""The part of the page of benchmarks on connected components."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bench.markdown import table


def component_parts(runs: Sequence[dict[str, Any]]) -> list[str]:
    """Seconds, memory and the check of each engine, by size."""
    return [
        "## Connected components",
        "`bench/components.py`: a random graph of as many records as edges, one giant component and a long tail, read "
        "from Parquet, in a fresh JVM on two cores. Memory is what processes hold, each program at its own highest; before: "
        "the session alone. *Check* is what a run counts before it goes on: edges across components, records without or with "
        "two, components too loose for their records, edges lost.",
        _engines(runs),
        _versions(runs),
    ]


def _engines(runs: Sequence[dict[str, Any]]) -> str:
    heads = [f"{run['engine']}, {run['edges']:,}" for run in runs]
    rows: list[list[Any]] = [
        ["records", *[run["records"] for run in runs]],
        ["seconds", *[run["seconds"] for run in runs]],
        ["check, seconds", *[run.get("check_seconds") for run in runs]],
        ["faults it found", *[_faults(run) for run in runs]],
        ["Java, MB", *[run["java_peak_megabytes"] for run in runs]],
        ["of these before", *[run["java_megabytes_before"] for run in runs]],
        ["Python, MB", *[run["python_peak_megabytes"] for run in runs]],
        ["of these before", *[run["python_megabytes_before"] for run in runs]],
        ["bytes an edge, both together", *[run["bytes_per_edge"] for run in runs]],
        ["driver memory asked for", *[run["driver_memory"] for run in runs]],
        ["cores that other programs took meanwhile", *[run["others_cores"] for run in runs]],
        ["load of the machine before", *[run["load_before"] for run in runs]],
    ]
    return table(["engine, edges", *heads], rows)


def _faults(run: dict[str, Any]) -> int | None:
    """Of all kinds; None where nobody has looked."""
    return sum(run["faults"].values()) if "faults" in run else None


def _versions(runs: Sequence[dict[str, Any]]) -> str:
    """What took part, over all runs, and the days."""
    versions = {f"{name} {version}": None for run in runs for name, version in run["versions"].items()}
    days = ", ".join(sorted({run["measured_on"] for run in runs}))
    return f"Versions: {', '.join(versions)}. Measured on {days}."
