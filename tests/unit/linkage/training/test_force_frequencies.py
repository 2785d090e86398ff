"""An employee's own police records do not make her name common."""

from __future__ import annotations

import pytest

from linkage_spark.linkage.training.own_copies import at_roster, without_own_copies
from linkage_spark.model.frequencies import Frequencies

COUNTED = [
    {"attribute": "surname", "value": "khan", "bearers": 100, "share": 0.10},
    {"attribute": "surname", "value": "vane", "bearers": 20, "share": 0.02},
    {"attribute": "surname", "value": "", "bearers": 880, "share": 0.001},
    {"attribute": "given", "value": "adam", "bearers": 50, "share": 0.05},
]
BEARERS = {("surname", "khan"): 10, ("surname", "vane"): 1, ("surname", "quill"): 1, ("given", "adam"): 4}
COPIES = {("surname", "khan"): 8.0, ("surname", "vane"): 12.0, ("surname", "quill"): 3.0, ("given", "ben"): 2.0}


def corrected() -> dict[tuple[str, str], float]:
    rows = without_own_copies(COUNTED, bearers=BEARERS, copies=COPIES)
    return {(row["attribute"], row["value"]): row["share"] for row in rows}


def test_a_share_is_that_of_other_peoples_records() -> None:
    shares = corrected()
    # Ten employees have 0.8 records each; one has twelve; a value that no pair agrees on keeps its share.
    assert shares["surname", "khan"] == pytest.approx((100 - 0.8 + 0.5) / 1000)
    assert shares["surname", "vane"] == pytest.approx((20 - 12 + 0.5) / 1000)
    assert shares["given", "adam"] == 0.05
    # Quill is one of the rarer ones, and nobody on the roster is called Ben.
    assert shares["surname", ""] == pytest.approx(0.001 * (880 - 3 + 0.5) / 880)


def test_the_rows_come_in_order_whatever_the_order_of_the_counts_and_a_share_stays_above_0() -> None:
    rows = without_own_copies(COUNTED[::-1], bearers=BEARERS, copies={("surname", "vane"): 50.0})
    assert [(row["attribute"], row["value"]) for row in rows] == sorted((r["attribute"], r["value"]) for r in COUNTED)
    assert {row["value"]: row["share"] for row in rows}["vane"] == pytest.approx(0.0005)


def test_chance_agreement_is_that_of_an_employee_and_a_record() -> None:
    found = at_roster(Frequencies.from_rows(COUNTED), BEARERS)
    surname = found.of("surname")
    assert surname is not None
    assert surname.chance_agreement == pytest.approx((10 * 0.10 + 0.02 + 0.001) / 12)
    assert surname.shares == {"khan": 0.10, "vane": 0.02}


def test_records_are_told_by_the_commonest_value_not_by_one_that_is_mostly_one_persons() -> None:
    rows = without_own_copies(COUNTED, bearers=BEARERS, copies=COPIES)
    surname = Frequencies.from_rows(rows).of("surname")
    assert surname is not None
    assert surname.records == pytest.approx(1000, rel=0.01)
