"""The page of a subject report: every row held on one person, with its source and logic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from linkage_spark.kit.contract import TableContract
from linkage_spark.report.rendering import template
from linkage_spark.settings.run import Retention


@dataclass(frozen=True)
class Holding:
    """What one table holds on somebody.

    Attributes:
        table: the table.
        rows: its rows by column, as text; a column without a value is left out.
    """

    table: TableContract
    rows: Sequence[Mapping[str, str]]


def subject_page(
    *,
    whom: str,
    held: Sequence[Holding],
    run: Mapping[str, str],
    retention: Retention,
    advisory: str,
    written_at: str,
) -> str:
    """The page as HTML text; it opens offline.

    Args:
        whom: the person, by reference.
        held: what each table holds.
        run: the last good run's row of RUN, as text.
        retention: how long what no longer holds is kept.
        advisory: the advisory statement.
        written_at: when, in words.
    """
    return template("subject.html.j2").render(
        whom=whom,
        run=run,
        retention=retention,
        advisory=advisory,
        written_at=written_at,
        total=sum(len(part.rows) for part in held),
        held=[
            {
                "name": part.table.name,
                "row": part.table.row,
                "meanings": {column.name: column.description for column in part.table.fields},
                "rows": part.rows,
            }
            for part in held
        ],
    )
