"""Whole persons who exclude each other, through the real screening: who is shown how strongly. All people are made up."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from linkage_spark.flows.screen import link, screen
from linkage_spark.model.frequencies import Frequencies
from linkage_spark.model.schema import load_model
from linkage_spark.reference.names import load_name_reference
from tests.support.persons import employee, person, persons

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

CONF = Path(__file__).resolve().parents[2] / "conf"
MODEL = load_model(CONF, "screening_v1")
SECRET = b"s" * 32

HOUSE, CLOSE, LANE = "14|high street|birmingham|B23 6AB", "2|elm close|walsall|WS1 1AA", "9|mill lane|dudley|DY1 1AA"
COURT, TERRACE, WHARF = (
    "7|acre court|solihull|B91 1AB",
    "31|long terrace|coventry|CV1 2AB",
    "5|the wharf|oldbury|B69 1AA",
)

ROSTER = [
    # Twins, both employees.
    employee("adeel", "adeel", "khan", "1988-05-21", HOUSE),
    employee("sohail", "sohail", "khan", "1988-05-21", HOUSE),
    # Father and son of one name, both employees.
    employee("father", "imran", "hussain", "1961-03-14", CLOSE),
    employee("son", "imran", "hussain", "1988-03-14", CLOSE),
    # Two employees of one name and date of birth.
    employee("north", "john", "smith", "1980-05-06", LANE),
    employee("south", "john", "smith", "1980-05-06", COURT),
    # One employee, records with dates that exclude each other.
    employee("zara", "zara", "iqbal", "1984-03-12", TERRACE),
    employee("ewa", "ewa", "nowak", "1984-03-12", WHARF),
]
HISTORY = [
    person("p-adeel", "adeel", "khan", "1988-05-21", HOUSE),
    person("p-sohail", "sohail", "khan", "1988-05-21", HOUSE),
    person("p-father", "imran", "hussain", "1961-03-14", CLOSE),
    person("p-son", "imran", "hussain", "1988-03-14", CLOSE),
    person("p-lane", "john", "smith", "1980-05-06", LANE),
    person("p-homeless", "john", "smith", "1980-05-06", None),
    # Ten years older and ten years younger: a slip of one digit each, but twenty years apart.
    person("p-1974", "zara", "iqbal", "1974-03-12", TERRACE),
    person("p-1994", "zara", "iqbal", "1994-03-12", TERRACE),
    # Two slips of one date that exclude nobody, and a record without a slip.
    person("p-digit", "ewa", "nowak", "1984-03-13", WHARF),
    person("p-other-digit", "ewa", "nowak", "1985-03-12", WHARF),
    person("p-right", "ewa", "nowak", "1984-03-12", WHARF),
]
SHOWN = {
    ("adeel", "p-adeel"): ("match", "same_premises_and_date"),
    ("sohail", "p-sohail"): ("match", "same_premises_and_date"),
    ("adeel", "p-sohail"): ("possible", "twin_pattern"),
    ("sohail", "p-adeel"): ("possible", "twin_pattern"),
    ("father", "p-father"): ("match", "same_premises_and_date"),
    ("son", "p-son"): ("match", "same_premises_and_date"),
    ("north", "p-lane"): ("match", "same_premises_and_date"),
    ("south", "p-lane"): ("possible", "name_and_date_only"),
    ("north", "p-homeless"): ("possible", "name_and_date_only"),
    ("south", "p-homeless"): ("possible", "name_and_date_only"),
    ("zara", "p-1974"): ("possible", "rival_record_too_close"),
    ("zara", "p-1994"): ("possible", "rival_record_too_close"),
    ("ewa", "p-digit"): ("match", "same_premises_near_date"),
    ("ewa", "p-other-digit"): ("match", "same_premises_near_date"),
    ("ewa", "p-right"): ("match", "same_premises_and_date"),
}


@pytest.fixture(scope="module")
def links(spark: SparkSession) -> dict[tuple[str, str], Any]:
    scored = screen(
        persons(spark, ROSTER),
        persons(spark, HISTORY),
        model=MODEL,
        refined=frozenset(),
        frequencies=Frequencies.none(),
        names=load_name_reference(CONF),
        secret=SECRET,
    )
    rows = link(scored, model=MODEL, secret=SECRET).collect()
    return {(row.employee_id, row.person_ref): row for row in rows}


def test_every_pair_of_persons_who_exclude_each_other_has_its_tier(links: dict[tuple[str, str], Any]) -> None:
    shown = {key: (row.tier, row.policy_reason) for key, row in links.items() if row.tier != "non_match"}
    assert shown == SHOWN


def test_those_who_fit_one_record_alike_share_it_and_a_leader_has_it(links: dict[tuple[str, str], Any]) -> None:
    posterior = {key: row.rival_posterior for key, row in links.items()}
    assert posterior["north", "p-homeless"] == posterior["south", "p-homeless"] < 0.5
    assert posterior["zara", "p-1974"] == pytest.approx(posterior["zara", "p-1994"]) == pytest.approx(0.5, abs=0.05)
    assert posterior["adeel", "p-adeel"] > 0.99 > 0.01 > posterior["sohail", "p-adeel"]
    assert posterior["north", "p-lane"] > 0.99 > 0.01 > posterior["south", "p-lane"]
    assert posterior["ewa", "p-digit"] > 0.99


def test_a_reviewer_reads_why_a_record_is_held_back(links: dict[tuple[str, str], Any]) -> None:
    said = links["zara", "p-1974"].explanation
    assert "Another police record fits this employee nearly as well" in said
    assert not any(value in said for value in ("zara", "1994", "p-1994"))
