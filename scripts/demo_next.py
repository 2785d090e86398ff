"""Say where the demo's feeds and output lie, and what to try on them: whole commands, with a hit of its own."""

from __future__ import annotations

import argparse
import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow.parquet as pq

SUBMIT = "scripts/submit.sh"
CHANGED = "incident/person"
"""The feed of which a row is taken away: CSV, so that an editor serves as well."""


def told(feeds: Path, out: Path) -> str:
    """The text.

    Args:
        feeds: root of the made-up feeds.
        out: output root of a backfill over them.
    """
    run = pq.read_table(out / "published" / "current_run", columns=["run_id"]).column("run_id")[0].as_py()
    lines = [
        "Where the demo lies",
        f"  feeds   {feeds}",
        f"  output  {out}",
        f"  report  {out}/reports/{run}/report.html",
        "",
        "What to try on it, from this folder",
    ]
    for what, command in _commands(feeds, out, run):
        lines += [f"  # {what}", f"  {command}"]
    return "\n".join(lines)


def _commands(feeds: Path, out: Path, run: str) -> list[tuple[str, str]]:
    """What each does, and the command, quoted for a shell."""
    root, aside = _word(out), out.parent
    found = [
        ("how things stand", f"{SUBMIT} status -- --out {root} --feeds {_word(feeds)}"),
        ("a day with news: one row of a feed is gone (its checksum goes too)", _a_day(feeds, out)),
        (
            "what reviewers could see on a day, and that day scored again",
            f"{SUBMIT} replay -- --out {root} --as-of {_day(run)} --to {_word(aside / 'replay')}",
        ),
    ]
    hit = _best_hit(out, run)
    if hit is not None:
        employee, person = map(_word, hit)
        found += [
            (
                "why an employee and a police record were linked",
                f"{SUBMIT} why -- --out {root} --employee {employee} --person {person}",
            ),
            (
                "everything held on one person",
                f"{SUBMIT} subject -- --out {root} --employee {employee} --to {_word(aside / 'subject')}",
            ),
        ]
    return found


def _a_day(feeds: Path, out: Path) -> str:
    """Take the last row of the feed's largest file away, then take the day."""
    file = max(sorted((feeds / CHANGED).glob("*.csv")), key=lambda path: path.stat().st_size)
    checksum = _word(file.with_name(f".{file.name}.crc"))
    day = f"{SUBMIT} daily -- --feeds {_word(feeds)} --out {_word(out)}"
    return f"sed -i '$d' {_word(file)} && rm -f {checksum} && {day}"


def _word(value: Path | str) -> str:
    """As a shell reads it back."""
    return shlex.quote(str(value))


def _day(run: str) -> str:
    """The day that a run was for, by its id."""
    started = datetime.strptime(run[:16], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return started.astimezone(ZoneInfo("Europe/London")).date().isoformat()


def _best_hit(out: Path, run: str) -> tuple[str, str] | None:
    """Employee and police record of the hit with the greatest weight; None where there is no hit."""
    names = ["hit_match_weight", "hit_key", "employee_key", "event_key", "hit_person_ref"]
    hits = pq.read_table(out / "published" / "hit" / f"run_id={run}", columns=names, partitioning=None).to_pylist()
    if not hits:
        return None
    best = min(hits, key=lambda hit: (-hit["hit_match_weight"], hit["hit_key"]))
    return best["employee_key"], f"{best['event_key'].split('/')[0]}:{best['hit_person_ref']}"


def main(arguments: list[str] | None = None) -> int:
    """Print it; 2 where no demo lies there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--feeds", type=Path, required=True, help="root of the made-up feeds")
    parser.add_argument("--out", type=Path, required=True, help="output root of the backfill over them")
    given = parser.parse_args(args=arguments)
    try:
        sys.stdout.write(f"\n{told(given.feeds, given.out)}\n")
    except (FileNotFoundError, ValueError):
        sys.stderr.write(f"demo_next.py: no demo lies in {given.feeds} and {given.out}: run make demo\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
