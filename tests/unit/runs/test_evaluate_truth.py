"""What is done to scored pairs before the policy decides: what a row of the ablation changes, and what reviewers negated."""

from __future__ import annotations

from typing import Any, cast

from linkage_spark.runs.evaluate_truth import both


def test_what_reviewers_negated_is_left_out_after_what_else_changes() -> None:
    def add(name: str) -> Any:
        return lambda done: [*done, name]

    change = both(add("one thing less"), add("negated"))
    assert change is not None
    assert change(cast("Any", [])) == ["one thing less", "negated"]
    for one in (both(add("alone"), None), both(None, add("alone"))):
        assert one is not None
        assert one(cast("Any", [])) == ["alone"]
    assert both(None, None) is None
