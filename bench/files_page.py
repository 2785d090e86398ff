"""The part of docs/benchmarks/README.md on one labelled person file, from the figures of bench.peer_files."""

from __future__ import annotations

from typing import Any

from bench.markdown import table

_WAYS = {"ours": "`dedupe --train`", "splink_spark": "Splink on Spark", "splink_duckdb": "Splink on DuckDB"}
_CASES = {
    "historical_half": "names, date of birth and postcode",
    "historical_half_text": "birth place and occupation as well",
}
AIM = 0.2
"""Our whole job in less than this part of the time that Splink takes on Spark."""
BUSY_CORES = 0.2
"""From so many cores on, taken by other programs on average, figures are said to come from a busy machine."""


def files_parts(files: dict[str, Any]) -> list[str]:
    """The section, paragraph by paragraph."""
    cases: dict[str, Any] = files["cases"]
    return [
        "## A whole person file beside Splink",
        f"`historical_half`, {files['scale']['records']:,} records (`docs/accuracy.md` says where it is from), found repeats in: train, "
        f"score, cluster and write, on {files['scale']['master']}, each way in a fresh process. Seconds count from the moment "
        "that the session or connection is ready; for the job, from its first stage to its last line. Splink compares, blocks on "
        "and trains what its authors publish for this very file (`bench/peer_splink_dedupe.py` says where and what was "
        "changed) and writes nothing but each record's cluster; the job also writes every pair with its explanation, "
        "and a report. Clusters as each way makes them by default: Splink's at 0.95.",
        _machine(files),
        *[text for name, case in cases.items() for text in _case(name, case)],
    ]


def _machine(files: dict[str, Any]) -> str:
    """What it ran on, and how quiet that was."""
    machine = files["machine"]
    runs = [case[way] for case in files["cases"].values() for way in _WAYS]
    most = max(round(run["others_cpu_seconds"] / run["process_seconds"], 1) for run in runs)
    busy = (
        f"**The machine was busy: other programs took up to {most} of its {machine['cores']} cores, so seconds are too "
        "many and their proportions uncertain.**"
        if most >= BUSY_CORES
        else f"Other programs took at most {most} of a core."
    )
    newest = max(files["cases"].values(), key=lambda case: case["measured_on"])
    versions = ", ".join(f"{name} {version}" for name, version in newest["versions"].items())
    return f"Machine: {machine['cpu']}, {machine['cores']} cores. Versions: {versions}. Measured on {newest['measured_on']}. {busy}"


def _case(name: str, case: dict[str, Any]) -> list[str]:
    """One case: a table of all ways, what it says, and where the job's time goes."""
    runs = [case[way] for way in _WAYS]
    rows: list[list[Any]] = [
        ["seconds, train to clusters", *[run["seconds"] for run in runs]],
        ["of these Splink's *train*", None, *[run["steps"]["train"] for run in runs[1:]]],
        ["of these Splink's *predict*", None, *[run["steps"]["predict"] for run in runs[1:]]],
        ["of these Splink's *cluster*", None, *[run["steps"]["cluster"] for run in runs[1:]]],
        ["seconds of the process, start and end included", *[run["process_seconds"] for run in runs]],
        ["processor seconds of the process", *[run["cpu_seconds"] for run in runs]],
        ["other programs on this machine, processor seconds meanwhile", *[run["others_cpu_seconds"] for run in runs]],
        ["peak memory of all processes, MB", *[run["peak_memory_mb"] for run in runs]],
        ["pairs compared", *[run["pairs"] for run in runs]],
        ["clusters", *[run["clusters"] for run in runs]],
        ["pairs in one cluster: precision", *[f"{run['pairwise_precision']:.3f}" for run in runs]],
        ["pairs in one cluster: recall", *[f"{run['pairwise_recall']:.3f}" for run in runs]],
        ["pairs in one cluster: F1", *[f"{run['pairwise_f1']:.3f}" for run in runs]],
    ]
    steps = case["ours"]["steps"]
    return [
        f"{_CASES[name][0].upper()}{_CASES[name][1:]} (`{name}`):",
        table(["", *_WAYS.values()], rows),
        _verdict(case["ours_in_parts_of"]),
        "The job's seconds per stage: " + ", ".join(f"{stage} {seconds:.1f}" for stage, seconds in steps.items()) + ".",
    ]


def _verdict(parts: dict[str, float]) -> str:
    """Ours in parts of theirs, beside the aim."""
    spark, duckdb = parts["splink_spark"], parts["splink_duckdb"]
    reached = "reached" if spark < AIM else "missed"
    return (
        f"The job takes {spark:.3f} of Splink's time on Spark (aim: less than {AIM:.2f}, {reached}) and {duckdb:.1f} times that "
        "on DuckDB."
    )
