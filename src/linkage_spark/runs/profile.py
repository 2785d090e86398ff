"""Whole feeds in counts per column, as a table (CSV) and as a page that opens offline. Never a value."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from html import escape
from typing import Any

from pyspark.sql import SparkSession

from linkage_spark.errors import SourceError
from linkage_spark.reference.standard import Reference, load_reference
from linkage_spark.runs.entry import conf_dir
from linkage_spark.runs.feeds_root import open_session_over
from linkage_spark.runs.progress import Progress
from linkage_spark.runs.reading import faults_in_words
from linkage_spark.settings.sources import SourceMapping, feeds_of, load_sources
from linkage_spark.settings.wording import load_wording
from linkage_spark.standardise.profile import PROFILE_COLUMNS, profile_feed
from linkage_spark.store.feeds import read_feed
from linkage_spark.store.files import Files

_HEADS: Mapping[str, str] = {
    "column_name": "Column",
    "inputs": "Becomes",
    "data_type": "Type",
    "rows": "Rows",
    "missing": "Missing",
    "placeholders": "Placeholders",
    "distinct_approx": "Distinct (about)",
    "dates_read": "Dates read",
    "dates_not_read": "Not a full date",
    "dates_first_of_january": "1 January",
    "dates_out_of_range": "Out of range",
    "length_least": "Shortest",
    "length_most": "Longest",
}
_SHARES: Mapping[str, str] = {
    "missing": "rows",
    "placeholders": "rows",
    "dates_not_read": "rows",
    "dates_first_of_january": "dates_read",
    "dates_out_of_range": "dates_read",
}
_STYLE = """
:root { color-scheme: light dark; --ink: #1c2330; --soft: #5b6472; --paper: #fff; --line: #d9dde3; --band: #f4f6f9 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ee; --soft: #a3acb9; --paper: #14181f; --line: #333b47; --band: #1c222c }
}
* { box-sizing: border-box }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, "Liberation Sans", Arial, sans-serif }
main { max-width: 80rem; margin: 0 auto; padding: 1.5rem }
.scroll { overflow-x: auto }
p.note { color: var(--soft) }
table { border-collapse: collapse; width: 100%; font-size: .875rem }
th, td { padding: .3rem .6rem; border-bottom: 1px solid var(--line); text-align: left; white-space: nowrap }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums }
thead th { background: var(--band) }
td small { color: var(--soft) }
"""


def run_profile(*, feeds_root: str, root: str) -> int:
    """Profile every feed and write ROOT/reports/profile/profile.csv and profile.html.

    Args:
        feeds_root: folder under which the mappings' relative paths lie.
        root: output root.

    Returns:
        0: written.

    Raises:
        SettingsError: a mapping, a reference table or the wording is wrong.
        SourceError: with every feed that has no rows or cannot be read; the others are written before.
        UsageError: feeds_root is not the folder of the feeds.
    """
    conf = conf_dir()
    sources, reference, wording = load_sources(conf), load_reference(conf), load_wording(conf)
    progress = Progress()
    now = datetime.now(tz=UTC)
    with open_session_over("profile", feeds_root, sources) as spark:
        files = Files(spark)
        root, feeds_root = files.absolute(root), files.absolute(feeds_root)
        rows, faults = profile_feeds(
            spark, sources, reference, feeds_root=feeds_root, as_of=now.date(), progress=progress
        )
        folder = f"{root}/reports/profile"
        files.mkdirs(folder)
        files.write_text(f"{folder}/profile.csv", as_csv(rows))
        files.write_text(
            f"{folder}/profile.html",
            as_page(rows, made=f"{now:%Y-%m-%d %H:%M} UTC", advisory=wording.advisory),
        )
        progress.say(f"written: {folder}/profile.csv and {folder}/profile.html")
    if faults:
        raise SourceError(faults)
    return 0


def profile_feeds(
    spark: SparkSession,
    sources: tuple[SourceMapping, ...],
    reference: Reference,
    *,
    feeds_root: str,
    as_of: date,
    progress: Progress,
) -> tuple[list[dict[str, Any]], list[str]]:
    """Profile rows of every feed that can be read, and a sentence for every other. One action per feed."""
    rows: list[dict[str, Any]] = []
    faults: list[str] = []
    for feed in feeds_of(sources):
        with progress.stage(f"profile {feed.key}") as stage:
            try:
                with faults_in_words(feeds_of(sources), feeds_root):
                    frame = read_feed(spark, feed, feeds_root)
                    found = profile_feed(frame, feed, reference=reference, as_of=as_of).collect()
            except SourceError as error:
                faults += error.faults
                continue
            if not found:
                faults.append(f"{feed.key}: the feed has no rows; supply it again")
            rows += [row.asDict() for row in found]
            stage.counts["rows"] = found[0]["rows"] if found else 0
            stage.counts["columns"] = len(found)
    return rows, faults


def as_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """The profile as CSV with a header."""
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=PROFILE_COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: row[name] for name in PROFILE_COLUMNS} for row in rows)
    return out.getvalue()


def as_page(rows: Sequence[Mapping[str, Any]], *, made: str, advisory: str) -> str:
    """The profile as one HTML page without any outside part."""
    feeds = list(dict.fromkeys(row["feed"] for row in rows))
    tables = "\n".join(_table(feed, [row for row in rows if row["feed"] == feed]) for feed in feeds)
    return (
        '<!DOCTYPE html>\n<html lang="en-GB"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<title>Profile of the feeds</title>"
        f"<style>{_STYLE}</style></head><body><main><h1>Profile of the feeds</h1>"
        f'<p class="note">Made {escape(made)}. Counts only; no recorded value stands on this page.</p>'
        f'<p class="note">{escape(advisory)}</p>'
        f"{tables}</main></body></html>\n"
    )


def _table(feed: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """One feed's table."""
    numeric = {name for name in _HEADS if name not in ("column_name", "inputs", "data_type")}
    heads = "".join(f'<th scope="col"{_class(name in numeric)}>{escape(head)}</th>' for name, head in _HEADS.items())
    body = "".join(
        "<tr>" + "".join(f"<td{_class(name in numeric)}>{_cell(name, row)}</td>" for name in _HEADS) + "</tr>\n"
        for row in rows
    )
    return (
        f'<h2>{escape(feed)}</h2><div class="scroll" tabindex="0" role="region" aria-label="{escape(feed)}">'
        f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _class(numeric: bool) -> str:
    """Numbers stand right."""
    return ' class="n"' if numeric else ""


def _cell(name: str, row: Mapping[str, Any]) -> str:
    """One cell; counts that are a part of something carry their share."""
    value = row[name]
    if value is None:
        return ""
    if not isinstance(value, int):
        return escape(str(value))
    whole = row[_SHARES[name]] if name in _SHARES else None
    share = f" <small>{100 * value / whole:.1f} %</small>" if whole and value else ""
    return f"{value:,}{share}"
