"""Feeds that do not add up or refuse too much stop a run; numbers that serve nominals alone do not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from linkage_spark.runs.checks import reconcile, source_faults
from linkage_spark.settings.run import load_settings

GATES = load_settings(Path(__file__).resolve().parents[3] / "conf", "local").gates


def parts(produces: str, *, rows_in: int, rows_out: int, refused: int) -> list[Any]:
    reasons = [{"source_system": "custody", "produces": produces, "reason": "superseded_version", "rows": refused}]
    return reconcile({("custody", "record", produces): rows_in}, {("custody", produces): rows_out}, reasons, {})


@pytest.mark.parametrize(("produces", "stops"), [("person", True), ("person_identifier", False)])
def test_refusals_of_numbers_alone_keep_nobody_from_being_screened(produces: str, *, stops: bool) -> None:
    refused = round(1_000 * GATES.max_refused_share) + 1
    faults = source_faults(parts(produces, rows_in=1_000, rows_out=1_000 - refused, refused=refused), GATES)
    assert [f"{refused} of 1000 rows were refused" in fault for fault in faults] == [True] * stops


@pytest.mark.parametrize("produces", ["person", "person_identifier"])
def test_rows_that_are_lost_stop_every_run(produces: str) -> None:
    faults = source_faults(parts(produces, rows_in=10, rows_out=8, refused=1), GATES)
    assert faults == [f"custody.record as {produces}: 10 rows in, 8 out and 1 refused do not add up"]


def test_what_a_source_takes_back_or_disposes_of_is_no_fault() -> None:
    reasons = [
        {"source_system": "custody", "produces": "person", "reason": reason, "rows": 400}
        for reason in ("withdrawn", "disposal_due")
    ]
    made = reconcile({("custody", "record", "person"): 1_000}, {("custody", "person"): 200}, reasons, {})
    assert source_faults(made, GATES) == []
