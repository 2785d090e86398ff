"""Write docs/tables.md from the table contracts. With --check, only say whether it is up to date."""

from __future__ import annotations

import argparse
import inspect
import sys
from enum import StrEnum
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))

from linkage_spark.kit.contract import TableContract
from linkage_spark.tables import enums
from linkage_spark.tables.candidates import SCORED_PAIR
from linkage_spark.tables.canonical import CANONICAL
from linkage_spark.tables.changes import CHANGES
from linkage_spark.tables.gates import RUN_METRIC
from linkage_spark.tables.governance import MODEL_APPROVAL, MODEL_TRIAL, REMOVAL
from linkage_spark.tables.identifiers import PERSON_IDENTIFIER
from linkage_spark.tables.lifecycle import LIFECYCLE
from linkage_spark.tables.linkage import LINKAGE
from linkage_spark.tables.nominals import NOMINALS, PERSON_JUDGEMENT
from linkage_spark.tables.results import CURRENT_RUN, RESULTS
from linkage_spark.tables.review import LINK_JUDGEMENT, NEGATED_LINK
from linkage_spark.tables.star import STAR, STAR_NOMINALS
from linkage_spark.tables.training import TRAINING

TARGET = Path(__file__).resolve().parent.parent / "docs" / "tables.md"

_HEAD = """# Tables

Generated from `src/linkage_spark/tables/` by `scripts/tables_doc.py`; change the contracts, not this page.

Sections 1 to 4 are Delta tables under `ROOT/tables/<name>`. Section 5 is what readers load: plain Parquet
under `ROOT/published/<table>/run_id=<run>/`. Unless a
description says otherwise, a column that is not *required* is null when the source has no value. Words such
as `Tier` name a list of section 6.
"""

_SECTIONS: tuple[tuple[str, str, tuple[TableContract, ...]], ...] = (
    (
        "1. Canonical tables",
        "What standardising turns every feed into, and what is remembered of the feeds from one run to the next.",
        (*CANONICAL, PERSON_IDENTIFIER, *CHANGES),
    ),
    (
        "2. Linkage",
        "Keys priced and refined, frequencies, scored pairs, links; models learnt from the force's own records, tried and approved.",
        (*LINKAGE, SCORED_PAIR, LINK_JUDGEMENT, NEGATED_LINK, *TRAINING, MODEL_TRIAL, MODEL_APPROVAL),
    ),
    (
        "3. Results",
        "Hits, location hits, screening, the run that pins them all, what becomes of links and hits from run to run, and what was removed.",
        (*RESULTS, *LIFECYCLE, RUN_METRIC, REMOVAL),
    ),
    (
        "4. Nominals",
        "Which police person records are one person, why, what happened to that over time, and what hits know of it.",
        (*NOMINALS, PERSON_JUDGEMENT),
    ),
    (
        "5. Published star",
        (
            "Text, 32-bit integers and doubles only. Take `run_id` from the one row of `current_run`, filter "
            "every table by it, then drop the column: any two tables then share at most one column, and "
            "there is no circle among them. Days are `yyyymmdd`, 0 when unknown; times are ISO text in UTC; yes "
            "and no are 1 and 0.\n\n`run_id` stands in the files and in the folder's name. pyarrow takes that for a "
            "conflict unless told to look at the files alone: `pq.read_table(folder, partitioning=None)`; Spark "
            "and DuckDB need nothing."
        ),
        (*STAR, *STAR_NOMINALS, CURRENT_RUN),
    ),
)


def render() -> str:
    """The page."""
    parts = [_HEAD]
    for title, text, contracts in _SECTIONS:
        parts.append(f"\n## {title}\n\n{text}\n")
        parts += [_table(contract) for contract in contracts]
    parts.append("\n## 6. Coded values\n")
    parts += [_codes(codes) for codes in _enums()]
    return "".join(parts)


def _table(contract: TableContract) -> str:
    """One contract."""
    lines = [
        f"\n### {contract.name}\n",
        f"{contract.row}  ",
        f"Key: {', '.join(f'`{name}`' for name in contract.key)}\n",
        "| column | type | required | meaning |",
        "| --- | --- | --- | --- |",
    ]
    for column in contract.fields:
        meaning = column.description.replace("|", "\\|")
        needed = "yes" if column.required else ""
        lines.append(f"| `{column.name}` | {column.type.simpleString()} | {needed} | {meaning} |")
    return "\n".join(lines) + "\n"


def _enums() -> list[type[StrEnum]]:
    """The lists of coded values, in the order of their module."""
    return [
        value
        for value in vars(enums).values()
        if inspect.isclass(value) and issubclass(value, StrEnum) and value is not StrEnum
    ]


def _codes(codes: type[StrEnum]) -> str:
    """One list."""
    return f"\n**{codes.__name__}**: {inspect.getdoc(codes)}  \n{', '.join(f'`{code}`' for code in codes)}\n"


def main(arguments: list[str] | None = None) -> int:
    """Write the page, or check it; 1 when it is out of date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when the page is out of date")
    checking = parser.parse_args(args=arguments).check
    text = render()
    if checking:
        same = TARGET.is_file() and TARGET.read_text(encoding="utf-8") == text
        if not same:
            sys.stderr.write("docs/tables.md is out of date: run python scripts/tables_doc.py\n")
        return 0 if same else 1
    TARGET.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
