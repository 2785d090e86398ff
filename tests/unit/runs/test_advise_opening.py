"""Lean and rich rules priced together: each rule once, none beyond the bits that a mask has."""

from __future__ import annotations

from pathlib import Path

from linkage_spark.linkage.keys import key_parts
from linkage_spark.model.person_files import MOST_RULES, load_person_file_model
from linkage_spark.model.schema import Rule, load_model
from linkage_spark.runs.advise_opening import BRITISH, RICH, candidate_rules

CONF = Path(__file__).parents[3] / "conf"


def test_rules_of_the_same_parts_in_any_order_are_one_and_the_lean_one_stands_for_it() -> None:
    lean = (Rule(id="home", parts=("premises",), refine="given_initial"), Rule(id="year", parts=("sounds", "year")))
    rich = (
        Rule(id="premises", parts=("premises",), refine="year"),
        Rule(id="other", parts=("year", "sounds")),
        Rule(id="year", parts=("year", "district")),
        Rule(id="again", parts=("district", "year")),
    )
    found = candidate_rules(lean, rich)
    assert found.rules == (*lean, Rule(id="rich:year", parts=("year", "district")))
    assert found.lean == ("home", "year")
    assert found.same == {"premises": "home", "other": "year", "again": "rich:year"}
    assert found.left_out == ()


def test_rich_rules_without_a_bit_are_named_and_no_lean_one_is_left_out() -> None:
    lean = tuple(Rule(id=f"l{no}", parts=(f"a{no}",)) for no in range(MOST_RULES - 1))
    rich = tuple(Rule(id=f"r{no}", parts=(f"b{no}",)) for no in range(3))
    found = candidate_rules(lean, rich)
    assert len(found.rules) == MOST_RULES
    assert found.rules[-1].id == "rich:r0"
    assert found.left_out == ("rich:r1", "rich:r2")


def test_every_british_rule_of_analysts_files_is_priced_with_those_of_the_shipped_model() -> None:
    model = load_model(CONF, "screening_v1")
    rich = load_person_file_model(CONF, "person_files_v1").rules_for(BRITISH, {})
    found = candidate_rules(model.rules, rich)
    assert found.left_out == ()
    assert found.same["premises"] == "premises"
    assert {f"{RICH}date", f"{RICH}sounds", f"{RICH}postcode", f"{RICH}surname_town"} <= {r.id for r in found.rules}
    assert not any(part.startswith(("place_", "extra_")) for rule in found.rules for part in rule.parts)
    assert key_parts(model.model_copy(update={"rules": found.rules}))
