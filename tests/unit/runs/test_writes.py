"""Files that another run may own by now are written and deleted only right after the lock was asked for."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from linkage_spark import runs

PACKAGE = Path(runs.__file__).parents[1]
CHANGES = re.compile(r"\.(write_text|rename_overwrite|delete)\(|^delete_published\(|\.write\..*parquet\(")
ASKS = ("refuse()", "refuse_unless_held()", "held()")


def blocks(tree: ast.AST) -> list[list[ast.stmt]]:
    """Statements that follow one another."""
    found = (getattr(node, name, None) for node in ast.walk(tree) for name in ("body", "orelse", "finalbody"))
    return [block for block in found if isinstance(block, list)]


@pytest.mark.parametrize(
    ("module", "changes"),
    [
        ("nominals/graphframes_engine.py", 2),
        ("runs/context.py", 3),
        ("runs/left_behind.py", 3),
        ("runs/nominal_components.py", 1),
        ("runs/nominal_publishing.py", 1),
        ("runs/publishing.py", 1),
        ("runs/reporting.py", 1),
        ("runs/retain_files.py", 3),
        ("runs/shadow.py", 1),
        ("runs/train.py", 1),
    ],
)
def test_whatever_a_run_writes_or_deletes_beside_its_tables_it_asks_for_the_lock_right_before(
    module: str, changes: int
) -> None:
    found = 0
    for block in blocks(ast.parse((PACKAGE / module).read_text(encoding="utf-8"))):
        lines = [ast.unparse(line) for line in block]
        for line, before, text in zip(block, ["", *lines], lines, strict=False):
            if isinstance(line, ast.Expr) and CHANGES.search(text):
                found += 1
                assert before.endswith(ASKS), f"{module}: {text}"
    assert found >= changes, "what writes has another form"


@pytest.mark.parametrize(
    ("module", "call"),
    [
        ("publishing", "write_report"),
        ("shadow", "emptied"),
        ("train", "emptied"),
        ("nominal_stages", "find_checked_components"),
    ],
)
def test_what_writes_for_a_run_is_told_how_to_ask(module: str, call: str) -> None:
    tree = ast.parse((PACKAGE / "runs" / f"{module}.py").read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == call]
    assert calls
    for found in calls:
        told = {word.arg: ast.unparse(word.value) for word in found.keywords}
        assert told.get("refuse") in {"run.refuse_unless_held", "state.run.refuse_unless_held"}
