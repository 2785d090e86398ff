"""Blocking by example: which errors each rule bridges, what is refined, what is counted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pyspark.sql import Observation
from pyspark.sql import functions as F

from linkage_spark.linkage.blocking import choose_refined, count_keys, price_rules, propose_pairs
from linkage_spark.linkage.frequencies import count_frequencies
from linkage_spark.linkage.keys import PARTS, side
from linkage_spark.model.schema import Rule, load_model
from linkage_spark.tables.candidates import COMPARED_COLUMNS
from linkage_spark.tables.linkage import BLOCKING_AUDIT, FREQUENCY, REFINED_KEY, RULE_PRICE
from tests.support.persons import employee, person, persons

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

MODEL = load_model(Path(__file__).resolve().parents[2] / "conf", "screening_v1")
SECRET = b"s" * 32
BIT = {rule.id: 1 << no for no, rule in enumerate(MODEL.rules)}

AWAY = "3|mill lane|walsall|WS1 1AA"
LOCAL = "3|oak road|birmingham|B23 9ZZ"

# One employee: Sarah Jane Smith, 12 March 1984, 14 High Street, B23 6AB.
# What was recorded, and a rule that must find it.
FOUND = {
    "as is": (("sarah jane", "smith"), "premises"),
    "nickname, moved": (("sally", "smith", "1984-03-12", AWAY), "date_surname"),
    "former surname, moved": (("sarah jane", "jones", "1984-03-12", AWAY), "date_given"),
    "day and month swapped, moved": (("sarah", "smith", "1984-12-03", AWAY), "date_given"),
    "given name and surname swapped with a typo": (("smyth", "sara", "1984-03-12", AWAY), "date_swapped"),
    "three tokens in another order": (("smith", "sarah jane", "1984-03-12", AWAY), "date_tokens"),
    "both initials changed, in the district": (("zara", "wood", "1984-03-12", LOCAL), "date_district"),
    "one digit of the day, moved": (("sarah", "smith", "1984-03-13", AWAY), "sounds_year"),
    "1 January, moved": (("sarah", "smith", "1984-01-01", AWAY), "sounds_year"),
    "year only, moved": (("sarah", "smith", "1984", AWAY), "sounds_year"),
    "year wrong, swapped, moved": (("smith", "sarah", "1985-03-12", AWAY), "sounds_month_day"),
    "surname misspelt and the day wrong": (("sarah", "smixth", "1984-03-13", AWAY), "given_year"),
    "forename cut short and the day wrong": (("sarabel", "smith", "1984-03-13", AWAY), "surname_year"),
    "nickname and the day wrong": (("sally", "smith", "1984-03-13", AWAY), "surname_year_month"),
    "garbled name and the day wrong, house unknown": (
        ("xx", "yy", "1984-03-13", "|high street|birmingham|B23 6AB"),
        "year_postcode",
    ),
    "no date, no postcode, at home": (("sarah", "jones", None, "14|high street|birmingham|"), "street"),
    "no date, moved, swapped": (("smith", "sarah", None, AWAY), "undated"),
    "on duty, surname alone": (("", "smith", None, None, {"on_duty_sign": True}), "on_duty"),
}
NOT_FOUND = {
    "a namesake born otherwise": ("sarah", "smith", "1961-07-30", AWAY),
    "surname alone, not on duty": ("", "smith", None, None),
    "somebody else": ("adam", "khan", "1990-10-11", AWAY),
    "no name, no date, no address": ("", "", None, None),
}


def row(ref: str, values: tuple[Any, ...]) -> dict[str, Any]:
    others = values[-1] if values and isinstance(values[-1], dict) else {}
    return person(ref, *[value for value in values if not isinstance(value, dict)], **others)


def test_each_error_class_is_bridged_by_the_rule_that_is_there_for_it(spark: SparkSession) -> None:
    roster = persons(spark, [employee("e1", "sarah jane", "smith")])
    rows = [row(ref, values) for ref, (values, _) in FOUND.items()] + [row(ref, v) for ref, v in NOT_FOUND.items()]
    rows.append(person("kept out", "sarah jane", "smith", not_screened_reason="name_alone"))
    pairs = propose_pairs(persons(spark, rows), roster, model=MODEL, refined=(), secret=SECRET)
    assert pairs.columns == ["rule_mask", *[f"{name}{s}" for s in ("_l", "_r") for name in COMPARED_COLUMNS]]
    masks = {found.person_ref_r: found.rule_mask for found in pairs.collect()}
    missed = [ref for ref, (_, rule) in FOUND.items() if not masks.get(ref, 0) & BIT[rule]]
    assert not missed
    assert set(masks) == set(FOUND)


def test_a_part_is_null_whenever_something_it_needs_is_unknown(spark: SparkSession) -> None:
    rows = [
        employee("full", "sarah jane", "smith"),
        employee("1 january", "sarah jane", "smith", "1984-01-01"),
        employee("no name", "", "", None, None),
        employee("no given", "", "smith", "1984"),
        employee("a prison", "sarah", "smith", address_kind="institution"),
    ]
    read = side()
    frame = persons(spark, rows).select(
        "person_ref", *[p.roster(read).cast("string").alias(n) for n, p in PARTS.items()]
    )
    found = {r.person_ref: {k for k, v in r.asDict().items() if v is None} for r in frame.collect()}
    assert found["full"] == set()
    assert found["1 january"] == {"month_day"}
    assert found["no name"] == {name for name, part in PARTS.items() if part.reads}
    assert found["no given"] >= {"sounds", "initials", "given_initial", "date", "year_month", "month_day"}
    assert found["a prison"] >= {"home_postcode", "house_street"}


def test_a_key_over_the_cap_needs_the_second_key_and_the_loss_is_counted(spark: SparkSession) -> None:
    model = MODEL.model_copy(
        update={
            "key_cap": 3,
            "rules": (
                Rule(id="year", parts=("year",), refine="given_initial"),
                Rule(id="home", parts=("premises",)),
            ),
        }
    )
    roster = persons(spark, [employee("e1", "sara", "smith"), employee("e2", "bill", "smith", "1990-05-05", AWAY)])
    history = persons(
        spark,
        [
            person(f"p{no}", given, "khan", "1984-02-02", None)
            for no, given in enumerate(("sara", "sam", "adam", "bill", ""))
        ]
        + [person("p9", "zoe", "khan", "1990-05-05", None)],
    )
    counts = count_keys(history, roster, model=model).collect()
    chosen = choose_refined(counts, model=model, secret=SECRET)
    assert [(r["rule_id"], r["history_rows"]) for r in chosen.refined] == [("year", 5)]
    assert [(r["roster_rows"], r["pairs_before"]) for r in chosen.audit] == [(1, 5)]
    assert set(chosen.refined[0]) == set(REFINED_KEY.names)
    assert set(chosen.audit[0]) == set(BLOCKING_AUDIT.names)
    observed = Observation("blocking")
    pairs = propose_pairs(history, roster, model=model, refined=chosen.hmacs, secret=SECRET, observation=observed)
    found = {(pair.person_ref_l, pair.person_ref_r) for pair in pairs.collect()}
    assert found == {("e1", "p0"), ("e1", "p1"), ("e2", "p9")}
    prices = price_rules(counts, observed.get, model=model, refined=chosen.refined)
    assert set(prices[0]) == set(RULE_PRICE.names)
    year, home = prices
    assert (
        year["history_rows"],
        year["roster_rows"],
        year["pairs_before_refinement"],
        year["refined_keys"],
    ) == (6, 2, 6, 1)
    assert (year["pairs_refined_away"], year["pairs_proposed"], year["pairs_first"]) == (3, 3, 3)
    assert (home["history_rows"], home["roster_rows"], home["pairs_proposed"]) == (0, 2, 0)


def test_heavy_keys_are_found_from_a_sample_and_counted_in_full(spark: SparkSession) -> None:
    rules = (
        Rule(id="year", parts=("year",), refine="given_initial"),
        Rule(id="home", parts=("premises",)),
        Rule(id="name", parts=("sounds",), refine="year"),
    )
    model = MODEL.model_copy(update={"key_cap": 160, "rules": rules})  # a sample of one record in five
    born = {"1984": 400, "1985": 161, "1986": 160, "1987": 40}
    rows = [
        person(f"{year} {no}", "sara", "khan", year, None) for year, bearers in born.items() for no in range(bearers)
    ]
    roster = persons(
        spark, [employee(f"e{no}", "sara", "smith", year, AWAY) for no, year in enumerate(("1984", "1987"))]
    )
    for broadcast in (True, False):
        history = persons(spark, rows).repartition(3)
        found = count_keys(history, roster, model=model, broadcast=broadcast).collect()
        year, home, name = sorted(found, key=lambda row: row["rule_no"])
        assert sorted((row["history_rows"], row["roster_rows"]) for row in year["heavy"]) == [(161, 0), (400, 1)]
        assert (year["history_rows"], year["roster_rows"], year["pairs"]) == (761, 2, 440)
        assert (home["history_rows"], home["roster_rows"], home["pairs"], home["heavy"]) == (0, 2, 0, [])
        assert [(row["history_rows"], row["roster_rows"]) for row in name["heavy"]] == [(761, 0)]
        assert (name["history_rows"], name["roster_rows"], name["pairs"]) == (761, 2, 0)


def test_the_choice_of_refined_keys_depends_on_the_secret_and_not_on_the_order(spark: SparkSession) -> None:
    model = MODEL.model_copy(update={"key_cap": 1})
    rows = [person(f"p{no}", "sara", surname) for no, surname in enumerate(("khan", "khan", "smith", "smith", "smith"))]
    roster = persons(spark, [employee("e1")])
    counts = count_keys(persons(spark, rows), roster, model=model).collect()
    again = count_keys(persons(spark, rows[::-1]).repartition(3), roster, model=model).collect()
    chosen = choose_refined(counts, model=model, secret=SECRET)
    assert chosen == choose_refined(again[::-1], model=model, secret=SECRET)
    other = choose_refined(counts, model=model, secret=b"t" * 32)
    assert len(other.hmacs) == len(chosen.hmacs) > 1
    assert other.hmacs.isdisjoint(chosen.hmacs)


def test_frequencies_keep_values_of_enough_bearers_and_pool_the_rest(spark: SparkSession) -> None:
    rows = [
        person(f"p{no}", given, "khan", None, None) for no, given in enumerate(("sara",) * 5 + ("adam", "bill", "bill"))
    ]
    rows.append(person("p0", "zoe", "khan", None, None, variant_no=1, variant_kind="alias"))
    counted = count_frequencies(persons(spark, rows), min_bearers=5)
    assert counted.columns == [name for name in FREQUENCY.names if name != "model_id"]
    found = {(r.attribute, r.value): (r.bearers, r.share) for r in counted.collect()}
    assert found == {
        ("given", "sara"): (5, pytest.approx(5 / 8)),
        ("given", ""): (3, pytest.approx(1.5 / 8)),
        ("surname", "khan"): (8, pytest.approx(1.0)),
    }


def test_a_whole_name_is_borne_by_as_many_as_it_has_dates_of_birth(spark: SparkSession) -> None:
    # sara khan: six records, three dates; adam khan: six records of one date; zoe khan: no date; sara: no surname.
    rows = [person(f"s{no}", "sara", "khan", f"198{no % 3}-03-12", None) for no in range(6)]
    rows += [person(f"a{no}", "adam", "khan", "1970-03-12", None) for no in range(6)]
    rows += [person(f"z{no}", "zoe", "khan", None, None) for no in range(6)]
    rows += [person(f"g{no}", "sara", "", f"197{no}-03-12", None) for no in range(6)]
    rows.append(person("s9", "sara", "khan", "1999-01-02", None, variant_no=1, variant_kind="alias"))
    counted = count_frequencies(persons(spark, rows), min_bearers=3).where("attribute = 'name'").collect()
    assert [(row.value, row.bearers, row.share) for row in counted] == [("sara khan", 3, pytest.approx(3 / 4))]


def test_no_key_or_value_of_a_person_stands_in_the_plan(spark: SparkSession) -> None:
    roster = persons(spark, [employee("e1", "qzzvorn", "smith")])
    history = persons(spark, [person("p1", "qzzvorn", "smith")])
    counts = count_keys(history, roster, model=MODEL)
    key = F.lit("")  # a literal of our own, so that the assertion below is known to be able to fail
    plans = [
        frame._jdf.queryExecution().toString()
        for frame in (
            counts,
            propose_pairs(history, roster, model=MODEL, refined=("0" * 64,), secret=SECRET),
            roster.select(key),
        )
    ]
    assert not any("qzzvorn" in plan or SECRET.decode() in plan for plan in plans)
