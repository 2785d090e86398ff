from __future__ import annotations

import pytest

from linkage_spark.evaluation.intervals import proportion
from linkage_spark.report.words import label, of, percent, reasons, share, signed


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "—"),
        (1.0, "100.0 %"),
        (0.99999, "> 99.9 %"),
        (0.0, "0.0 %"),
        (0.0001, "< 0.1 %"),
        (0.5, "50.0 %"),
    ],
)
def test_only_a_whole_reads_as_a_whole(value: float | None, text: str) -> None:
    assert percent(value) == text


def test_share_names_its_interval() -> None:
    assert share(proportion(81, 263)) == "30.8 % (25.5 to 36.6)"
    assert share(proportion(0, 0)) == "—"
    assert of(proportion(1204, 1238)) == "1,204 of 1,238"


def test_reasons_stand_by_size() -> None:
    assert reasons({"not_a_person": 3, "name_alone": 1200, "duplicate_row": 0}) == "name alone 1,200, not a person 3"
    assert reasons({}) == "—"


def test_codes_become_words() -> None:
    assert label("match") == "strong possible link"
    assert label("held_back: rival_too_close") == "held back by policy: rival too close"
    assert label("negated_by_reviewer") == "a reviewer said: not the same"
    assert label("review") == "review (a reviewer said: not the same)"
    assert label(None) == label("") == "—"
    assert signed(-2.04) == "−2.0"
