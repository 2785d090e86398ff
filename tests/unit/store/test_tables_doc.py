"""docs/tables.md is generated."""

from __future__ import annotations

from scripts.tables_doc import TARGET, render


def test_the_page_of_tables_is_up_to_date() -> None:
    assert TARGET.read_text(encoding="utf-8") == render(), "run python scripts/tables_doc.py"
