"""The summary in plain text, for a terminal or a log file."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

from linkage_spark.report import accuracy_tables, tables
from linkage_spark.report.tables import Table
from linkage_spark.report.words import WEAK

WIDTH = 118

_GAP = "  "


def summary(figures: Mapping[str, Any], *, report_path: str) -> str:
    """The run in words: stages, sources, rules, hits, accuracy where known, and where the page lies.

    Args:
        figures: shape of ``evaluation.figures.Figures``.
        report_path: where the page was written; '' when none was.
    """
    run = figures["run"]
    parts = [
        _wrapped(run["advisory"]),
        f"Run {run['run_id']}  model {run['model_id']}  code {run['code_version']}",
        *[_wrapped(f"{WEAK} {doubt}.") for doubt in run.get("model_doubts", [])],
        *[_as_text(table) for table in _tables(figures)],
        _wrapped(run["coverage_caveat"]),
    ]
    if report_path:
        parts.append(f"Report: {report_path}")
    return "\n\n".join(parts) + "\n"


def _tables(figures: Mapping[str, Any]) -> list[Table]:
    """Which tables stand on the console, those with rows only."""
    chosen = [
        tables.stages(figures),
        tables.sources(figures),
        tables.screening(figures),
        tables.rules(figures),
        tables.tiers(figures),
        tables.hits(figures),
        tables.location_hits(figures),
        tables.expected_false(figures),
    ]
    if "expectation" in figures:
        chosen.append(accuracy_tables.expectation(figures))
    accuracy = figures.get("accuracy")
    if accuracy is not None:
        chosen += [
            tables.scopes(accuracy),
            *([accuracy_tables.carried(accuracy)] if "carried" in accuracy else []),
            tables.hit_accuracy(accuracy),
            tables.loss(accuracy),
            accuracy_tables.loss_by_stage(accuracy),
            *([accuracy_tables.gaps(accuracy)] if "gaps" in accuracy else []),
            accuracy_tables.ablation(accuracy),
            tables.hard_negatives(accuracy),
        ]
    return [table for table in chosen if table.rows]


def _as_text(table: Table) -> str:
    """Columns aligned by spaces; what does not fit is wrapped within the last text column."""
    widths = [max(len(row[i]) for row in (table.heads, *table.rows)) for i in range(len(table.heads))]
    widest = max((i for i in range(len(widths)) if i not in table.numeric), key=lambda i: widths[i])
    spare = WIDTH - sum(widths) - len(_GAP) * (len(widths) - 1)
    if spare < 0:
        widths[widest] = max(20, widths[widest] + spare)
    lines = [table.title.upper()]
    for number, row in enumerate((table.heads, *table.rows)):
        lines += _row(row, widths, widest, table)
        if number == 0:
            lines.append(_GAP.join("-" * width for width in widths))
    if table.note:
        lines.append(_wrapped(table.note))
    return "\n".join(lines)


def _row(row: tuple[str, ...], widths: list[int], widest: int, table: Table) -> list[str]:
    """One row as one or more lines."""
    wrapped = textwrap.wrap(row[widest], widths[widest]) or [""]
    lines = []
    for number, piece in enumerate(wrapped):
        cells = [piece if i == widest else (cell if number == 0 else "") for i, cell in enumerate(row)]
        placed = [
            cell.rjust(width) if i in table.numeric else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        lines.append(_GAP.join(placed).rstrip())
    return lines


def _wrapped(text: str) -> str:
    return "\n".join(textwrap.wrap(text, WIDTH))
