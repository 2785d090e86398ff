from __future__ import annotations

import pytest

from linkage_spark.evaluation.figures import FIGURES_VERSION, from_json, sorted_rows, to_json
from tests.unit.report import made_up


@pytest.mark.parametrize("with_accuracy", [True, False])
def test_figures_survive_the_way_to_json_and_back(with_accuracy: bool) -> None:
    figures = made_up.figures(with_accuracy=with_accuracy)
    assert from_json(to_json(figures)) == figures


def test_missing_section_is_named() -> None:
    figures = {**made_up.figures()}
    del figures["rules"]
    with pytest.raises(ValueError, match="rules"):
        from_json(to_json(figures))


def test_other_version_is_refused() -> None:
    with pytest.raises(ValueError, match="version"):
        from_json(to_json({**made_up.figures(), "version": FIGURES_VERSION + 1}))


def test_rows_are_sorted_with_null_first() -> None:
    rows = [{"a": "x", "n": 1}, {"a": None, "n": 2}, {"a": "b", "n": 3}]
    assert [row["n"] for row in sorted_rows(rows, ["a", "n"])] == [2, 3, 1]
