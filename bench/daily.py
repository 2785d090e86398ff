"""Measure a day on made-up forces of several sizes: changed records, and changed employees, against the whole history.

    python -m bench.daily --sizes 1000000,3000000

Feeds are those of bench.run, copied, with the change feed of their Delta tables on. A backfill comes first, then a day of
`--changed` crime records, then days on which 1, 10 and 100 employees move, then the job nominals and another day of `--changed`
records with nominals in it. Every figure lands in one JSON file, from which
bench.page makes the page.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from bench import submit
from bench.day_feeds import move
from bench.eventlog import Window, read_totals
from bench.machine import ROOT
from bench.run import make_feeds, read_stages, run_watched, say
from bench.sizes import measure_sizes, process_load, size_parser

PUBLISHING = ("publish",)


def bench_size(asked: argparse.Namespace, records: int) -> dict[str, Any]:
    """Everything about one size."""
    base = asked.build / "days" / str(records)
    feeds, root, conf = base / "feeds", base / "estate", base / "conf"
    shutil.rmtree(base, ignore_errors=True)
    shutil.copytree(make_feeds(asked, records), feeds, ignore=shutil.ignore_patterns("truth"))
    wide_gates(conf)
    _change(asked, feeds, records, "--prepare")
    found: dict[str, Any] = {"person_records": records}
    found["backfill"] = run(asked, "backfill", feeds, root, conf, f"{records}-backfill")
    say(
        f"{records:,} person records: backfill: {found['backfill']['seconds_from_first_stage']:.1f} s from the first stage"
    )
    _change(asked, feeds, records, "--records", str(asked.changed))
    tomorrow = datetime.now(tz=UTC).date() + timedelta(days=1)
    taken = run(asked, "daily", feeds, root, conf, f"{records}-day", day=tomorrow)
    found["day"] = {"changed_records": asked.changed, **taken}
    say(f"{records:,} person records: a day: {found['day']['seconds_from_first_stage']:.1f} s from the first stage")
    found["roster"] = {}
    for employees in (int(number) for number in asked.moves.split(",")):
        move(feeds, employees=employees)
        taken = run(asked, "daily", feeds, root, conf, f"{records}-roster-{employees}", day=tomorrow)
        found["roster"][str(employees)] = taken
        say(f"{records:,} person records: {employees} employees move: {taken['seconds_from_first_stage']:.1f} s")
    if asked.nominals:
        _with_nominals(asked, records, found, feeds, root, conf, tomorrow)
    shutil.rmtree(base)
    return found


def _with_nominals(
    asked: argparse.Namespace, records: int, found: dict[str, Any], feeds: Path, root: Path, conf: Path, day: date
) -> None:
    """The job nominals, and a second day of changed records with nominals in it."""
    found["nominals"] = run(asked, "nominals", None, root, conf, f"{records}-nominals")
    say(f"{records:,} person records: nominals: {found['nominals']['seconds_from_first_stage']:.1f} s")
    _change(asked, feeds, records, "--records", str(asked.changed), "--mark", "SECOND")
    found["day_with_nominals"] = run(asked, "daily", feeds, root, conf, f"{records}-day-with-nominals", day=day)
    say(
        f"{records:,} person records: a day with nominals: {found['day_with_nominals']['seconds_from_first_stage']:.1f} s"
    )


def _change(asked: argparse.Namespace, feeds: Path, records: int, *arguments: str) -> None:
    """Deliveries of a day, by a program of their own."""
    with submit.program(
        ROOT / "bench" / "day_feeds.py", ["--feeds", str(feeds), *arguments], master=asked.master
    ) as command:
        run_watched(command, asked.build / "logs" / f"day-feeds-{records}.log")


def run(
    asked: argparse.Namespace,
    job: str,
    feeds: Path | None,
    root: Path,
    conf: Path,
    name: str,
    *,
    day: date | None = None,
) -> dict[str, Any]:
    """One run in a fresh process: seconds and bytes read, stage by stage; two stages of one name share their bytes."""
    events = asked.build / "logs" / f"events-{name}"
    shutil.rmtree(events, ignore_errors=True)
    events.mkdir(parents=True)
    places = [
        *([] if feeds is None else ["--feeds", str(feeds)]),
        "--out",
        str(root),
        *([] if day is None else ["--date", day.isoformat()]),
    ]
    command = submit.job(job, places, master=asked.master, event_logs=events)
    command = submit.Command(command.words, {**command.environment, "LINKAGE_CONF": str(conf)})
    watched = run_watched(command, asked.build / "logs" / f"{name}.log")
    stages, _ = read_stages(watched)
    windows = [Window(stage["stage"], stage.pop("began_at"), stage.pop("ended_at")) for stage in stages]
    totals = read_totals(events, windows)
    shutil.rmtree(events)
    for stage in stages:
        stage["input_bytes"] = totals[stage["stage"]]["input_bytes"]
    before = stages[0]["from_start"]
    publishing = sum(stage["seconds"] for stage in stages if stage["stage"] in PUBLISHING)
    return {
        "seconds": round(watched.seconds, 1),
        "seconds_from_first_stage": round(watched.seconds - before, 1),
        "seconds_without_publishing": round(sum(stage["seconds"] for stage in stages) - publishing, 1),
        "input_bytes": totals["all"]["input_bytes"],
        "input_bytes_without_publishing": sum(s["input_bytes"] for s in stages if s["stage"] not in PUBLISHING),
        "stored_bytes": sum(path.stat().st_size for path in (root / "tables").rglob("*.parquet")),
        "counts": {stage["stage"]: stage["counts"] for stage in _figures(root).get("stages", [])},
        "stages": stages,
        **process_load(watched),
    }


def _figures(root: Path) -> dict[str, Any]:
    """Figures of the newest report."""
    newest = max(root.glob("reports/*/figures.json"), key=lambda path: path.parent.name)
    told: dict[str, Any] = json.loads(newest.read_text(encoding="utf-8"))
    return told


def wide_gates(conf: Path, **limits: float) -> None:
    """The shipped settings, with limits that no made-up day breaks: 20,000 records at once are no usual day; ``limits`` are further ones."""
    shutil.copytree(ROOT / "conf", conf)
    base = conf / "settings" / "base.toml"
    text = re.sub(r"(?m)^((?:conduct|welfare|triage)_\w+) = .*$", r"\1 = 1000000", base.read_text(encoding="utf-8"))
    for name, limit in {"max_event_age_days": 100_000, "min_times_changed": 0.0, **limits}.items():
        text, changed = re.subn(rf"(?m)^{name} = .*$", f"{name} = {limit}", text)
        if changed != 1:
            raise SystemExit(f"bench: base.toml has no limit {name}")
    base.write_text(text, encoding="utf-8")


def main() -> int:
    """Measure every size."""
    parser = size_parser("bench.daily", __doc__, figures="daily.json")
    parser.add_argument("--changed", type=int, default=20_000, help="crime person records that a day amends or brings")
    parser.add_argument("--moves", default="1,10,100", help="employees who move in a day, joined by commas")
    parser.add_argument("--nominals", action=argparse.BooleanOptionalAction, default=True)
    measure_sizes(parser.parse_args(), bench_size)
    return 0


if __name__ == "__main__":
    sys.exit(main())
