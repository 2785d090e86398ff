"""Employees against police persons over the real stages, and what the desk says of the same pairs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pyspark.sql import Observation

from linkage_spark.errors import ContractError, UsageError
from linkage_spark.flows.screen import link, screen
from linkage_spark.linkage.blocking import choose_refined, count_keys, with_keys
from linkage_spark.model.frequencies import Frequencies
from linkage_spark.model.schema import load_model
from linkage_spark.reference.names import load_name_reference
from linkage_spark.runs.why import Desk, explain_pair, parse_person
from linkage_spark.tables.canonical import PERSON
from linkage_spark.tables.linkage import LINK
from tests.support.persons import employee, person, persons

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

CONF = Path(__file__).resolve().parents[2] / "conf"
MODEL = load_model(CONF, "screening_v1")
NAMES = load_name_reference(CONF)
SECRET = b"s" * 32
HOME, AWAY = "14|elm grove|birmingham|B23 6AB", "3|mill lane|walsall|WS1 1AA"

ROSTER = [
    employee("e1", "qorwen", "vantrizzel", "1984-03-12", HOME),
    employee("e2", "tomas", "belloquin", "1979-10-05", AWAY),
]
HISTORY = [
    person("at home", "qorwen", "vantrizzel", "1984-03-12", HOME),
    person("swapped", "vantrizzel", "qorwen", "1984-12-03", HOME),
    person("moved", "qorwen", "vantrizzel", "1984-03-12", AWAY.replace("3|mill", "99|mill")),
    person("undated", "qorwen", "vantrizzel", None, HOME),
    person("twin", "belinda", "vantrizzel", "1984-03-12", HOME),
    person("father", "qorwen", "vantrizzel", "1955-06-30", HOME),
    person("sister", "belinda", "vantrizzel", "1987-06-30", HOME),
    person("alias", "someone", "else", "1961-07-07", None),
    person("alias", "tomas", "belloquin", "1979-10-05", AWAY, variant_no=1, variant_kind="alias"),
    person("nobody", "kwame", "stranger", "1991-01-19", None),
]
EXPECTED = {
    ("e1", "at home"): ("match", "same_premises_and_date"),
    ("e1", "swapped"): ("match", "same_premises_near_date"),
    ("e1", "moved"): ("possible", "name_and_date_only"),
    ("e1", "undated"): ("possible", "name_and_premises_only"),
    ("e1", "twin"): ("possible", "twin_pattern"),
    ("e2", "alias"): ("match", "same_premises_and_date"),
}


def values(spark: SparkSession) -> tuple[Any, Any]:
    return persons(spark, ROSTER), persons(spark, HISTORY)


def run(spark: SparkSession, observation: Observation | None = None) -> dict[tuple[str, str], Any]:
    roster, history = values(spark)
    scored = screen(
        roster,
        history,
        model=MODEL,
        refined=(),
        frequencies=Frequencies.none(),
        names=NAMES,
        secret=SECRET,
        observation=observation,
    )
    frame = link(scored, model=MODEL, secret=SECRET)
    LINK.check(frame)
    return {(row.employee_id, row.person_ref): row for row in frame.collect()}


def test_each_kind_of_pair_gets_the_tier_of_the_policy(spark: SparkSession) -> None:
    observation = Observation("screen")
    links = run(spark, observation)
    shown = {pair: (row.tier, row.policy_reason) for pair, row in links.items() if row.tier != "non_match"}
    assert shown == EXPECTED
    assert links["e2", "alias"].person_variant_no == 1
    for row in links.values():
        parts = [row[name] for name in row.asDict() if name.startswith("weight_")]
        assert sum(parts) == row.match_weight_millibits
        assert row.explanation
        assert not re.search("qorwen|vantrizzel|belloquin|elm grove|1984", row.explanation.lower())
    fingerprints = {row.evidence_fingerprint for row in links.values()}
    assert len(fingerprints) == len(links)
    counts = observation.get
    assert counts["pairs_first"] - counts["pairs_gated"] >= len(links) > 0
    assert counts["pairs_gated"] >= 2, "father and sister are settled by their dates"


def test_a_frame_that_is_no_person_table_stops_at_the_door(spark: SparkSession) -> None:
    roster, history = values(spark)
    arguments = {
        "model": MODEL,
        "refined": (),
        "frequencies": Frequencies.none(),
        "names": NAMES,
        "secret": SECRET,
    }
    with pytest.raises(ContractError, match="missing surname_sound"):
        screen(roster, history.drop("surname_sound"), **arguments)
    with pytest.raises(ContractError, match="unexpected team"):
        screen(roster.selectExpr("*", "'x' as team"), history, **arguments)


def desk_rows(
    spark: SparkSession, rows: list[dict[str, Any]], *, on_roster: bool, model: Any = MODEL
) -> list[dict[str, Any]]:
    return [
        row.asDict(recursive=True)
        for row in with_keys(persons(spark, rows), model=model, on_roster=on_roster).collect()
    ]


def test_the_desk_says_what_the_run_says_and_no_recorded_value(spark: SparkSession) -> None:
    links = run(spark)
    desk = Desk(model=MODEL, refined=frozenset(), frequencies=Frequencies.none(), names=NAMES, secret=SECRET)
    left = {row["person_ref"]: [row] for row in desk_rows(spark, ROSTER, on_roster=True)}
    right: dict[str, list[dict[str, Any]]] = {}
    for row in desk_rows(spark, HISTORY, on_roster=False):
        right.setdefault(row["person_ref"], []).append(row)
    for (employee_id, ref), row in links.items():
        shown = row.asDict() if row.tier != "non_match" else None
        text = explain_pair(left[employee_id], right[ref], desk, shown)
        best = text.split("\n\n")[0]
        proposing = {line.split()[0] for line in best.splitlines() if re.match(r"    \S+ +yes ", line)}
        assert proposing == {rule.id for no, rule in enumerate(MODEL.rules) if row.rule_mask >> no & 1}
        assert f"{row.match_weight:+.3f}" in best
        assert f"before rivals: {row.tier}" in best
        assert not re.search("qorwen|vantrizzel|belloquin|elm grove|1984", text.lower())
    unseen = explain_pair(left["e2"], right["nobody"], desk)
    assert "no rule proposes the pair" in unseen
    father = explain_pair(left["e1"], right["father"], desk)
    assert "contradiction" in father
    assert "Held back by the policy: The dates of birth exclude each other" in father


def test_the_desk_names_a_heavy_key_and_a_row_that_was_kept_out(spark: SparkSession) -> None:
    model = MODEL.model_copy(update={"key_cap": 1})
    history = [person("p1", "qorwen", "vantrizzel", home=None), person("p2", "xana", "vantrizzel", home=None)]
    counts = count_keys(persons(spark, history), persons(spark, ROSTER), model=model).collect()
    refined = choose_refined(counts, model=model, secret=SECRET).hmacs
    desk = Desk(model=model, refined=refined, frequencies=Frequencies.none(), names=NAMES, secret=SECRET)
    left = desk_rows(spark, ROSTER[:1], on_roster=True)
    same, other = desk_rows(spark, history, on_roster=False)
    assert re.search(
        "surname_year_month +yes +.*heavy one, and its second key given_initial is equal too",
        explain_pair(left, [same], desk),
    )
    assert re.search(
        "surname_year_month +no +.*heavy one and its second key given_initial is not equal",
        explain_pair(left, [other], desk),
    )
    kept_out = explain_pair(left, [{**same, "not_screened_reason": "name_alone"}], desk)
    assert "kept out (name_alone)" in kept_out
    assert "never compared" in kept_out


def test_a_person_is_named_by_source_and_reference() -> None:
    assert parse_person("intel:R-1/2:3") == ("intel", "R-1/2:3")
    for wrong in ("N0001", "hr:1", "crime:", "pnc:7"):
        with pytest.raises(UsageError, match=f"--person {wrong}: write SOURCE:REF"):
            parse_person(wrong)


def test_person_rows_of_the_builder_obey_the_contract(spark: SparkSession) -> None:
    PERSON.check(persons(spark, HISTORY))
