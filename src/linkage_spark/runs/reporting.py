"""A run's figures → summary, page and figures file under ``ROOT/reports/<run_id>/``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pyspark.sql import DataFrame

from linkage_spark.evaluation.examples import choose_example_hits, pick_examples
from linkage_spark.evaluation.expected import expected_false_links
from linkage_spark.evaluation.figures import ExpectedFalseFigures, to_json
from linkage_spark.kit.refusing import never_refuses
from linkage_spark.report.console import summary
from linkage_spark.report.html import page


class TextFiles(Protocol):
    """What is needed of the store's files."""

    def write_text(self, path: str, text: str) -> None:
        """Write or overwrite a small file."""


@dataclass(frozen=True)
class Report:
    """What was written.

    Attributes:
        path: the page.
        summary: the text for the console, also kept as ``summary.txt``.
    """

    path: str
    summary: str


def write_report(
    root: str,
    run_id: str,
    figures: Mapping[str, Any],
    *,
    files: TextFiles,
    examples: Sequence[Mapping[str, Any]] = (),
    costly: Mapping[str, Any] | None = None,
    refuse: Callable[[], None] = never_refuses,
) -> Report:
    """Write ``report.html``, ``summary.txt`` and ``figures.json``; the same figures give the same bytes.

    Args:
        root: the run's output root.
        run_id: the run that the figures are of.
        figures: shape of ``evaluation.figures.Figures``.
        files: writes text on the output's file system.
        examples: rows of ``collect_examples``; they name employees and records by reference, so the page
            is personal data. Empty: none are shown.
        costly: the costliest errors, shape of ``report.html.page``; on the page alone. None: none are shown.
        refuse: called before each file; raises where the run may write no more.
    """
    folder = f"{root.rstrip('/')}/reports/{run_id}"
    path = f"{folder}/report.html"
    text = summary(figures, report_path=path)
    told = {
        path: page(figures, examples=examples, costly=costly),
        f"{folder}/summary.txt": text,
        f"{folder}/figures.json": to_json(figures),
    }
    for name, content in told.items():
        refuse()
        files.write_text(name, content)
    return Report(path=path, summary=text)


def collect_examples(hit: DataFrame, link: DataFrame, *, limit: int = 12) -> list[dict[str, Any]]:
    """At most ``limit`` hits over lanes, tiers and event types. One action.

    Args:
        hit: HIT.
        link: LINK.
        limit: how many the page shows.
    """
    return pick_examples([row.asDict() for row in choose_example_hits(hit, link).collect()], limit=limit)


def collect_expected_false(link: DataFrame) -> list[ExpectedFalseFigures]:
    """Expected false links per tier, for the manifest. One action.

    Args:
        link: LINK.
    """
    rows = expected_false_links(link).collect()
    return sorted(
        (
            ExpectedFalseFigures(tier=row.tier, links=row.links, expected_false=round(row.expected_false, 6))
            for row in rows
        ),
        key=lambda row: row["tier"],
    )
