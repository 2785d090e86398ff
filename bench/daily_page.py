"""A day's part of the page of benchmarks."""

from __future__ import annotations

from typing import Any

from bench.markdown import machine_line, table


def daily_parts(found: dict[str, Any]) -> list[str]:
    """Seconds and bytes read of a day, by size of the history, and of employees who move."""
    sizes: dict[str, Any] = found["sizes"]
    return [
        "## A day",
        "`scripts/submit.sh daily` in a fresh JVM after a backfill: crime records that are amended or new, in Delta feeds that name their "
        "changes; then days on which employees move, each of whom meets the whole history in one scan. Nominals come after that, with a second "
        "day of as many changed records.",
        machine_line(found),
        _day(sizes),
        _growth(sizes),
        "Seconds per stage of the day of changed records:",
        _stages(sizes),
        "Employees who move:",
        _moves(sizes),
        *_nominals({size: run for size, run in sizes.items() if "day_with_nominals" in run}),
    ]


def thirty_days_parts(found: dict[str, Any]) -> list[str]:
    """Days against one backfill, table by table."""
    scale, took = found["scale"], sorted(found["seconds_per_day"])
    rows = [[name, counts["rows"], counts["too many"], counts["missing"]] for name, counts in found["tables"].items()]
    return [
        "## Thirty days against one backfill",
        f"`make thirty-days`: {scale['person_records']:,} police person records and {scale['employees']:,} employees arrive in {found['days']} days, "
        f"each row on a day drawn from its key, reworded, sent again and withdrawn ones among them; the first is a backfill, the job daily takes each of the others "
        f"({took[0]:.0f} to {took[-1]:.0f} s, median {took[len(took) // 2]:.0f} s). One backfill over the feeds of the last day ({found['seconds_of_the_backfill']:.0f} s) "
        f"stands against it. Refused rows at the end, by reason: "
        + ", ".join(f"{reason} {count:,}" for reason, count in sorted(found["refused"].items()))
        + f". Measured on {found['measured_on']}.",
        table(["table", "rows", "too many after the days", "missing after the days"], rows),
    ]


def _heads(sizes: dict[str, Any]) -> list[str]:
    return [f"{int(size):,}" for size in sizes]


def _mb(size: int) -> int:
    return size // 2**20


def _day(sizes: dict[str, Any]) -> str:
    """The day as a whole, beside the backfill."""
    runs = list(sizes.values())
    days, firsts = [run["day"] for run in runs], [run["backfill"] for run in runs]
    rows: list[list[Any]] = [
        ["changed person records", *[day["changed_records"] for day in days]],
        ["seconds from the first stage on", *[day["seconds_from_first_stage"] for day in days]],
        ["of these without publishing", *[day["seconds_without_publishing"] for day in days]],
        [
            "the backfill before it, seconds from the first stage on",
            *[run["seconds_from_first_stage"] for run in firsts],
        ],
        ["the day's share of that", *[_share(day, first) for day, first in zip(days, firsts, strict=True)]],
        ["read from files without publishing, MB", *[_mb(day["input_bytes_without_publishing"]) for day in days]],
        ["the backfill, MB", *[_mb(run["input_bytes_without_publishing"]) for run in firsts]],
        ["tables on disk, superseded versions too, MB", *[_mb(day["stored_bytes"]) for day in days]],
        ["processor seconds, all processes", *[day["cpu_seconds"] for day in days]],
        ["other programs meanwhile, processor seconds", *[day["others_cpu_seconds"] for day in days]],
        ["peak memory of all processes, MB", *[day["peak_memory_mb"] for day in days]],
    ]
    return table(["police person records", *_heads(sizes)], rows)


def _share(day: dict[str, Any], first: dict[str, Any]) -> str:
    return f"{day['seconds_from_first_stage'] / first['seconds_from_first_stage']:.2f}"


def _growth(sizes: dict[str, Any]) -> str:
    """Three times the history: the whole day, and the parts of it that look at history."""
    if not {"1000000", "3000000"} <= set(sizes):
        return ""
    one, three = sizes["1000000"], sizes["3000000"]
    parts = [
        ("the day without publishing", *(_whole(run["day"]) for run in (one, three))),
        ("its screening of changed records", *(_of_stage(run["day"], "screen") for run in (one, three))),
    ]
    for employees in sorted(set(one["roster"]) & set(three["roster"]), key=int):
        moved = [run["roster"][employees] for run in (one, three)]
        parts.append((f"{employees} employees move, without publishing", *(_whole(run) for run in moved)))
        parts.append((f"the screening of {employees} who move", *(_of_stage(run, "screen") for run in moved)))
    if all("day_with_nominals" in run for run in (one, three)):
        days = [run["day_with_nominals"] for run in (one, three)]
        parts.append(("nominals' comparison of changed records", *(_of_stage(day, "compare") for day in days)))
    rows = [[name, a[0], b[0], f"{b[0] / a[0]:.2f}", f"{b[1] / a[1]:.2f}" if a[1] else None] for name, a, b in parts]
    head = [
        "at three times the history",
        "1,000,000: seconds",
        "3,000,000: seconds",
        "times the seconds",
        "times the bytes read",
    ]
    return table(head, rows)


def _whole(run: dict[str, Any]) -> tuple[float, int]:
    """Seconds and bytes read, publishing apart."""
    return run["seconds_without_publishing"], run["input_bytes_without_publishing"]


def _of_stage(run: dict[str, Any], name: str) -> tuple[float, int]:
    """The same of one stage."""
    stage = _stage(run, name)
    return stage["seconds"], stage["input_bytes"]


def _stages(sizes: dict[str, Any]) -> str:
    """Seconds by stage and size."""
    by_size = [{stage["stage"]: stage["seconds"] for stage in run["day"]["stages"]} for run in sizes.values()]
    names = list(dict.fromkeys(name for stages in by_size for name in stages))
    return table(["stage", *_heads(sizes)], [[name, *[stages.get(name) for stages in by_size]] for name in names])


def _moves(sizes: dict[str, Any]) -> str:
    """Days of the roster."""
    rows: list[list[Any]] = []
    for size, run in sizes.items():
        for employees, day in run["roster"].items():
            rows.append(
                [
                    f"{int(size):,} records: {employees}",
                    day["seconds_from_first_stage"],
                    day["seconds_without_publishing"],
                    _mb(day["input_bytes_without_publishing"]),
                    _mb(day["stored_bytes"]),
                ]
            )
    head = [
        "employees who move",
        "seconds",
        "without publishing",
        "read, MB",
        "tables on disk, superseded versions too, MB",
    ]
    return table(head, rows)


def _nominals(sizes: dict[str, Any]) -> list[str]:
    """The comparison of police records with one another: all of them, and those that a day changed."""
    if not sizes:
        return []
    jobs, days = ([run[name] for run in sizes.values()] for name in ("nominals", "day_with_nominals"))
    rows: list[list[Any]] = [
        ["job nominals, seconds from the first stage on", *[job["seconds_from_first_stage"] for job in jobs]],
        ["its comparison of all records, seconds", *[_stage(job, "compare")["seconds"] for job in jobs]],
        ["the same, MB read", *[_mb(_stage(job, "compare")["input_bytes"]) for job in jobs]],
        ["a day with nominals, seconds from the first stage on", *[day["seconds_from_first_stage"] for day in days]],
        [
            "its comparison of changed records with all, seconds",
            *[_stage(day, "compare")["seconds"] for day in days],
        ],
        ["the same, MB read", *[_mb(_stage(day, "compare")["input_bytes"]) for day in days]],
    ]
    return ["With nominals:", table(["police person records", *_heads(sizes)], rows)]


def _stage(run: dict[str, Any], name: str) -> dict[str, Any]:
    """One stage of a run."""
    found: dict[str, Any] = next(stage for stage in run["stages"] if stage["stage"] == name)
    return found
