"""No column, code, label, template or sentence of the tool uses a word that the owner has barred."""

from __future__ import annotations

import ast
import enum
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import linkage_spark
from linkage_spark.kit.contract import TableContract
from linkage_spark.report import words
from linkage_spark.report.console import summary
from linkage_spark.report.html import page
from linkage_spark.settings.wording import load_wording
from linkage_spark.tables import candidates, canonical, enums, linkage, nominals, results
from tests.unit.report import made_up

CONF = Path(__file__).parents[3] / "conf"
SOURCES = Path(linkage_spark.__file__).parent
WORDING = load_wording(CONF)
CONTRACTS = [
    value
    for module in (candidates, canonical, linkage, nominals, results)
    for value in vars(module).values()
    if isinstance(value, TableContract)
]
SPEAKING = ("report", "hits", "linkage", "nominals", "evaluation", "runs", "serving", "tables")
"""Packages whose text reaches a reader."""


def barred(text: str) -> list[str]:
    """Barred words in ``text``, as whole words too where they stand inside code."""
    return WORDING.forbidden_in(re.sub(r"[^\w\s]", " ", text))


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.name)
def test_tables_columns_and_descriptions(contract: TableContract) -> None:
    texts = [
        contract.name,
        contract.row,
        *(part for c in contract.fields for part in (c.name, c.description)),
    ]
    assert [(text, barred(text)) for text in texts if barred(text)] == []


def test_codes() -> None:
    kinds = [value for value in vars(enums).values() if isinstance(value, type) and issubclass(value, enum.Enum)]
    assert len(kinds) > 10
    assert [member for kind in kinds for member in kind if barred(str(member.value))] == []


def test_labels() -> None:
    assert [text for pair in words.LABELS.items() for text in pair if barred(text)] == []


def texts_of(path: Path) -> Iterator[tuple[int, str]]:
    """String literals of a module, docstrings left out: what it may show."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.lineno, node.value


@pytest.mark.parametrize("package", SPEAKING)
def test_sentences_in_the_code(package: str) -> None:
    found = [
        f"{path.relative_to(SOURCES)}:{line} {barred(text)}"
        for path in sorted((SOURCES / package).rglob("*.py"))
        for line, text in texts_of(path)
        if barred(text)
    ]
    assert found == []


def test_templates() -> None:
    templates = sorted((SOURCES / "report" / "templates").glob("*"))
    assert templates
    assert [
        (path.name, barred(path.read_text(encoding="utf-8")))
        for path in templates
        if barred(path.read_text(encoding="utf-8"))
    ] == []


def test_advisory_and_caveat_themselves() -> None:
    assert barred(WORDING.advisory) == barred(WORDING.coverage_caveat) == []


def test_whole_page_and_summary() -> None:
    figures = made_up.figures()
    figures["expectation"] = made_up.expectation(truth_was_there=True)
    whole = page(figures, examples=made_up.examples(), costly=made_up.costly())
    text = re.sub(r"<style>.*?</style>|<[^>]+>", " ", whole, flags=re.DOTALL)
    assert barred(text) == []
    assert barred(summary(figures, report_path="report.html")) == []


def test_the_test_itself_finds_a_barred_word() -> None:
    assert barred(f"a {WORDING.forbidden_words[0].upper()} link")
    assert barred("risk_score")
