"""Gaps between naming traditions, their intervals and the limit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkage_spark.evaluation.gaps import difference, gap_faults, tradition_gaps
from linkage_spark.evaluation.intervals import proportion
from tests.unit.evaluation.test_accuracy import pattern

LIMITS: dict[str, Any] = {"max_gap": 0.1, "max_precision_gap": 0.2, "min_links": 200}


def group(name: str, found: int, missed: int, false: int = 0) -> list[dict[str, Any]]:
    return [
        pattern("match", True, found, naming_tradition=name),
        pattern(None, True, missed, naming_tradition=name),
        pattern("possible", False, false, naming_tradition=name),
    ]


def gaps(*groups: list[dict[str, Any]]) -> dict[tuple[str, str], Any]:
    found = tradition_gaps([row for rows in groups for row in rows], **LIMITS)
    return {(row["measure"], row["group"]): row for row in found["groups"]}


def test_the_gap_is_the_best_judged_groups_share_less_the_groups() -> None:
    found = gaps(group("british", 950, 50), group("polish", 360, 40), group("somali", 10, 0))
    polish = found["recall", "polish"]
    assert (polish["best_group"], polish["gap"], polish["judged"], polish["too_wide"]) == ("british", 0.05, True, False)
    assert found["recall", "british"]["gap"] == 0.0
    small = found["recall", "somali"]
    assert (small["judged"], small["too_wide"], small["gap"]) == (False, False, -0.05)


def test_a_gap_above_the_limit_by_more_than_chance_is_too_wide() -> None:
    found = gaps(group("british", 950, 50), group("polish", 330, 70), group("somali", 1, 9))
    assert found["recall", "polish"]["too_wide"]
    assert not found["recall", "somali"]["too_wide"]


def test_precision_has_its_own_limit() -> None:
    found = gaps(
        group("british", 1000, 0, false=0), group("polish", 300, 0, false=65), group("sikh", 300, 0, false=150)
    )
    assert not found["precision", "polish"]["too_wide"]
    assert found["precision", "sikh"]["too_wide"]


def test_links_with_an_on_duty_sign_stand_outside_the_default_view_and_count_in_no_precision() -> None:
    rows = [*group("british", 1000, 0), *group("sikh", 300, 0), pattern("possible", False, 150, on_duty_sign=True)]
    on_duty = [{**row, "naming_tradition": "sikh"} if row["on_duty_sign"] else row for row in rows]
    share = gaps(on_duty)["precision", "sikh"]["share"]
    assert (share["numerator"], share["denominator"]) == (300, 300)


def test_records_that_hold_too_little_count_in_no_recall() -> None:
    rows = [*group("british", 950, 50), pattern(None, True, 500, supportable=False)]
    assert gaps(rows)["recall", "british"]["share"]["denominator"] == 1000


def test_newcombes_interval_is_that_of_his_paper() -> None:
    # Newcombe 1998, table II, example (a), method 10: 56/70 - 48/80 is 0.2000, 0.0524 to 0.3339.
    found = difference(proportion(56, 70), proportion(48, 80))
    assert found == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)
    assert difference(proportion(0, 0), proportion(1, 2)) is None


@given(*[st.integers(min_value=0, max_value=300) for _ in range(4)])
def test_the_interval_holds_the_difference_and_changes_sign_with_it(a: int, b: int, c: int, d: int) -> None:
    one, other = proportion(a, a + b), proportion(c, c + d)
    there, back = difference(one, other), difference(other, one)
    if there is None or back is None:
        return
    assert -1 <= there[1] <= there[0] + 1e-9
    assert there[0] - 1e-9 <= there[2] <= 1
    assert there == pytest.approx((-back[0], -back[2], -back[1]))


def test_the_error_names_groups_figures_and_the_setting_and_stands_on_the_page_of_bad_input() -> None:
    found = tradition_gaps([*group("irish", 330, 0, false=0), *group("polish", 163, 50, false=100)], **LIMITS)
    faults = gap_faults(found)
    assert len(faults) == 2
    page = (Path(__file__).resolve().parents[3] / "docs" / "bad-input.md").read_text(encoding="utf-8")
    assert f"`{faults[0]}`" in page
    assert "evaluation.max_tradition_precision_gap" in faults[1]


def test_without_a_judged_group_nothing_is_compared() -> None:
    found = gaps(group("somali", 3, 1))
    assert found["recall", "somali"]["gap"] is None
    assert found["recall", "somali"]["best_group"] == ""
