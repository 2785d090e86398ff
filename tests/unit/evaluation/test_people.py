"""The committee's figures from the counted row."""

from __future__ import annotations

import math
from typing import Any

import pytest

from linkage_spark.evaluation.people import people_figures, true_people


def counted(**other: int) -> dict[str, int]:
    row = {"employees_scored": 50, "employees_shown": 40}
    for name, parts in (("falsely", 4_000_000), ("missed", 2_000_000)):
        for scenario, times in (("stated", 2), ("less", 3), ("more", 1)):
            row |= {f"{name}_{scenario}": parts * times // 2, f"{name}_variance_{scenario}": parts * times // 4}
    return {**row, **other}


def test_people_shown_are_counted_and_the_others_estimated_with_1_96_deviations() -> None:
    found: Any = people_figures(counted(), employees=100, not_screened=0)
    assert (found["shown"], found["falsely"]["value"], found["missed"]["value"]) == (40, 4.0, 2.0)
    assert found["falsely"]["low"] == pytest.approx(4 - 1.959964 * math.sqrt(2), abs=1e-5)
    assert found["falsely"]["wide_high"] == pytest.approx(6 + 1.959964 * math.sqrt(3), abs=1e-5)
    assert found["missed"]["low"] == pytest.approx(2 - 1.959964, abs=1e-5)


def test_the_sentence_says_how_many_of_whom_falsely_and_missed() -> None:
    said = people_figures(counted(), employees=1200, not_screened=7)["statement"]
    assert said.startswith(
        "Out of 1,200 people we expect to find 40, of whom 4 (95 % interval 1 to 7) falsely, and to miss 2 ("
    )
    assert "off by 1 bit either way" in said
    assert said.endswith("Not screened, so that nothing is said of them: 7 of the 1,200.")


def test_an_empty_run_has_a_sentence_too() -> None:
    nothing = dict.fromkeys(counted(), 0)
    assert "find 0, of whom 0" in people_figures(nothing, employees=3, not_screened=3)["statement"]


def test_the_truths_people_are_read_by_name() -> None:
    row = {"shown": 4, "shown_falsely": 1, "missed_scored": 2, "missed": 3}
    assert true_people(row) == row
