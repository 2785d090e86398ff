"""The page of a model's trial: what readers would gain and lose with it, and a sample to read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from linkage_spark.report.rendering import template
from linkage_spark.report.tables import Table
from linkage_spark.report.words import count, label

Rows = Sequence[Mapping[str, Any]]

_HEADS = ("employee", "record", "event", "role", "lane", "tier", "bits", "what agreed and what differed")


def shadow_page(*, trial: Mapping[str, Any], rows: Rows, samples: Mapping[str, Rows], advisory: str) -> str:
    """The page as HTML text; it opens offline. It names employees and records by reference, so it is personal data.

    Args:
        trial: a row of MODEL_TRIAL.
        rows: hits by ``lane``, ``change``, ``tier_now`` and ``tier_then``.
        samples: hits gained and lost, by 'gained' and 'lost'.
        advisory: the advisory statement.
    """
    titles = {"gained": "A sample of hits gained", "lost": "A sample of hits lost"}
    tables = {"counts": _counts(rows)} | {name: _sampled(titles[name], samples[name]) for name in titles}
    return template("shadow.html.j2").render(
        trial=trial, advisory=advisory, tables={name: table for name, table in tables.items() if table.rows}
    )


def _counts(rows: Rows) -> Table:
    """Hits by lane and by how they change."""
    listed = tuple(
        (
            label(row["lane"]),
            row["change"],
            label(row["tier_now"]) if row["tier_now"] else "not shown",
            label(row["tier_then"]) if row["tier_then"] else "not shown",
            count(row["hits"]),
        )
        for row in rows
    )
    heads = ("lane", "change", "with the model in use", "with the tried model", "hits")
    return Table("Hits by lane and tier", heads, listed, frozenset({4}))


def _sampled(title: str, rows: Rows) -> Table:
    """Hits to be read."""
    listed = tuple(
        (
            row["employee_id"],
            f"{row['source_system']}:{row['person_ref']}",
            row["event_ref"],
            label(row["role"]),
            label(row["lane"]),
            label(row["tier"]),
            f"{row['match_weight']:+.1f}",
            row["explanation"],
        )
        for row in rows
    )
    return Table(title, _HEADS, listed, frozenset({6}))
