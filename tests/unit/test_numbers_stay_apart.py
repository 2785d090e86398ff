"""PNC and CRO numbers serve nominals only: nothing that matches employees can reach them (000-13)."""

from __future__ import annotations

import ast
from pathlib import Path
from types import ModuleType

from linkage_spark.runs import backfill, daily_stages, main_stages
from linkage_spark.tables.candidates import BARRED_COLUMNS, COMPARED_COLUMNS, SCORED_PAIR
from linkage_spark.tables.canonical import CANONICAL, PERSON
from linkage_spark.tables.identifiers import PERSON_IDENTIFIER
from linkage_spark.tables.linkage import LINK

SRC = Path(__file__).parents[2] / "src" / "linkage_spark"
NUMBERS = {"pnc_id", "cro", "identifier", "identifier_raw", "person_identifier"}
MAY_READ = {
    "standardise/identifiers.py",
    "standardise/stage.py",
    "nominals/numbers.py",
    "standardise/affected.py",
    "runs/main_stages.py",
    "runs/checks.py",  # its name alone: refused numbers stop no screening
    "runs/nominal_stages.py",
    "runs/nominals.py",
}


def modules() -> dict[str, ast.Module]:
    return {str(path.relative_to(SRC)): ast.parse(path.read_text(encoding="utf-8")) for path in SRC.rglob("*.py")}


def imports_numbers(tree: ast.Module) -> bool:
    return any(
        isinstance(node, ast.ImportFrom) and node.module == "linkage_spark.tables.identifiers"
        for node in ast.walk(tree)
    )


def test_only_standardising_and_nominals_read_the_table() -> None:
    assert {name for name, tree in modules().items() if imports_numbers(tree)} == MAY_READ


def test_what_matches_employees_names_no_number() -> None:
    """Not even as a text: a column cannot be asked for by its name."""
    matching = (
        "linkage/",
        "hits/",
        "serving/",
        "evaluation/",
        "model/",
        "flows/screen.py",
        "flows/claims.py",
        "runs/why.py",
    )
    for name, tree in modules().items():
        if name.startswith(matching):
            texts = {
                node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
            }
            assert not texts & NUMBERS, name


def test_the_runs_write_and_check_the_table_and_no_stage_that_matches_reads_it() -> None:
    tables = {"PERSON_IDENTIFIER", "STANDARDISED", "_GROWN", "CHECKED"}

    def reads(module: ModuleType) -> set[str]:
        made = {name: made for name, made in vars(module).items() if getattr(made, "__module__", "") == module.__name__}
        return {
            name for name, made in made.items() if hasattr(made, "__code__") and tables & set(made.__code__.co_names)
        }

    assert reads(main_stages) == {"check", "reconciled"}
    assert reads(backfill) == {"_standardise"}
    assert reads(daily_stages) == {"standardise_changes", "check_day"}


def test_no_pair_link_or_person_has_a_column_for_a_number() -> None:
    assert set(BARRED_COLUMNS) >= NUMBERS - {"person_identifier"}
    for columns in (PERSON.names, SCORED_PAIR.names, LINK.names, COMPARED_COLUMNS):
        assert not NUMBERS & set(columns)
    assert PERSON_IDENTIFIER not in CANONICAL
