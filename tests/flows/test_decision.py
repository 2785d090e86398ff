"""From scored pairs to links: best variants, thresholds, rivals. Rows written by hand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from pyspark.sql import functions as F

from linkage_spark.kit.frames import local_frame
from linkage_spark.linkage.comparison.dates import Dates, compare_dates
from linkage_spark.linkage.decision import FACTS, decide, judge
from linkage_spark.linkage.rivals import dates_exclude
from linkage_spark.model.schema import load_model
from linkage_spark.tables.candidates import SCORED_PAIR
from linkage_spark.tables.linkage import LINK
from tests.unit.linkage.test_decision import CASES, WHOLE, all_facts

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

MODEL = load_model(Path(__file__).resolve().parents[2] / "conf", "screening_v1")
MATCH = round(1000 * MODEL.thresholds.match_bits)
MARGIN = round(1000 * MODEL.rival.margin_bits)
HOME = ("dob_full", *WHOLE, "same_premises", "same_postcode")
TWIN = ("dob_full", "surname_agrees", "forename_differs", "same_premises", "same_postcode", "twin_pattern")

_DEFAULTS: dict[str, Any] = {
    **{field.name: 0 for field in SCORED_PAIR.fields if field.type.typeName() in ("integer", "long")},
    **{field.name: False for field in SCORED_PAIR.fields if field.type.typeName() == "boolean"},
    **{field.name: "" for field in SCORED_PAIR.fields if field.type.typeName() == "string"},
    "source_system": "crime",
    "rule_mask": 1,
}


def pair(employee: str, ref: str, holds: tuple[str, ...], weight: int = MATCH, **others: Any) -> dict[str, Any]:
    ids = {"employee_id": employee, "person_ref": ref, "match_weight_millibits": weight}
    return {**_DEFAULTS, **ids, **dict.fromkeys(holds, True), **others}


def scored(spark: SparkSession, rows: list[dict[str, Any]]) -> DataFrame:
    return local_frame(spark, [tuple(row[name] for name in SCORED_PAIR.names) for row in rows], SCORED_PAIR.schema)


def decided(spark: SparkSession, rows: list[dict[str, Any]]) -> dict[tuple[str, str], Any]:
    frame = decide(scored(spark, rows), model=MODEL)
    expected = [name for name in LINK.names if name not in ("explanation", "evidence_fingerprint")]
    assert frame.columns[: len(expected)] == expected
    assert set(frame.columns[len(expected) :]) == set(SCORED_PAIR.names) - set(expected)
    found = frame.collect()
    links = {(row.employee_id, row.person_ref): row for row in found}
    assert len(links) == len(found)
    return links


def test_the_columns_say_what_the_policy_says_of_one_pair(spark: SparkSession) -> None:
    cases = [pair(f"e{no}", f"p{no}", holds) for no, (holds, _, _) in enumerate(CASES)]
    facts = [
        pair(
            f"f{no}",
            f"q{no}",
            tuple(name for name in FACTS if row[name]),
            (MATCH, MATCH - 1, -50_000)[no % 3],
        )
        for no, row in enumerate(all_facts())
        if no % 13 == 0
    ]
    rows = cases + facts
    links = decided(spark, rows)
    assert len(links) == len(rows)
    wrong = [
        (row["employee_id"], links[row["employee_id"], row["person_ref"]])
        for row in rows
        if judge(row, MODEL)
        != tuple(links[row["employee_id"], row["person_ref"]][name] for name in ("tier", "policy_reason"))
    ]
    assert wrong == []


def test_one_link_per_pair_of_records_keeps_the_best_variants_and_all_rules(spark: SparkSession) -> None:
    rows = [
        pair("e1", "p1", ("same_premises",), weight=90_000, person_variant_no=0, rule_mask=1),
        pair("e1", "p1", HOME, weight=MATCH + 5, person_variant_no=2, rule_mask=2),
        pair("e1", "p1", HOME, weight=MATCH + 5, person_variant_no=1, rule_mask=4),
        pair("e1", "p1", HOME, weight=MATCH + 4, person_variant_no=3, rule_mask=4),
    ]
    link = decided(spark, rows)["e1", "p1"]
    assert (link.tier, link.person_variant_no, link.match_weight_millibits, link.rule_mask) == (
        "match",
        1,
        MATCH + 5,
        7,
    )
    assert link.match_weight == pytest.approx((MATCH + 5) / 1000)
    assert link.model_id == MODEL.id


def test_a_rival_employee_holds_a_match_back_and_an_excluded_one_does_not(spark: SparkSession) -> None:
    high = MATCH + 10_000
    rows = [
        # Two employees for one record, too close.
        pair("e1", "close", HOME, weight=high),
        pair("e2", "close", HOME, weight=high - MARGIN + 1),
        # Clear by exactly the margin.
        pair("e1", "clear", HOME, weight=high),
        pair("e2", "clear", HOME, weight=high - MARGIN),
        # The twin, and a father of the same name whom the date excludes.
        pair("e1", "twin", HOME, weight=high),
        pair("e2", "twin", TWIN, weight=high - 1),
        pair("e1", "father", HOME, weight=high),
        pair("e2", "father", (*HOME[1:], "dob_contradicts"), weight=high + 1),
        # Equal weights: the lower id leads, by nothing.
        pair("e2", "equal", HOME, weight=high),
        pair("e1", "equal", HOME, weight=high),
        # One employee with many records has no rival.
        pair("e3", "own1", HOME, weight=high),
        pair("e3", "own2", HOME, weight=high),
    ]
    links = decided(spark, rows)

    def said(employee: str, ref: str) -> tuple[Any, ...]:
        link = links[employee, ref]
        return link.tier, link.policy_reason, link.rival_employee_id, link.leader_margin_bits

    assert said("e1", "close") == ("possible", "rival_too_close", "e2", (MARGIN - 1) / 1000)
    assert said("e2", "close")[2:] == ("e1", -(MARGIN - 1) / 1000)
    assert said("e1", "clear") == ("match", "same_premises_and_date", "e2", MARGIN / 1000)
    assert said("e1", "twin") == ("possible", "rival_too_close", "e2", 0.001)
    assert said("e2", "twin")[:2] == ("possible", "twin_pattern")
    assert said("e1", "father") == ("match", "same_premises_and_date", None, None)
    assert said("e2", "father") == ("non_match", "contradiction", "e1", 0.001)
    assert said("e1", "equal") == ("possible", "rival_too_close", "e2", 0.0)
    assert said("e2", "equal") == ("possible", "rival_too_close", "e1", 0.0)
    assert said("e3", "own1")[2:] == (None, None)
    assert links["e3", "own2"].tier == "match"


def test_rivals_of_one_record_are_weighed_together(spark: SparkSession) -> None:
    high, each = MATCH + 10_000, MARGIN + 1000
    rows = [pair("e1", "two", HOME, weight=high), pair("e1", "four", HOME, weight=high)]
    # Each a bit further off than the margin asks: two together balance it, three are too many.
    rows += [pair(f"e{no}", "two", HOME, weight=high - each) for no in (2, 3)]
    rows += [pair(f"e{no}", "four", HOME, weight=high - each) for no in (2, 3, 4)]
    links = decided(spark, rows)
    assert links["e1", "two"].tier == "match"
    assert (links["e1", "four"].tier, links["e1", "four"].policy_reason) == ("possible", "rival_too_close")
    assert links["e1", "four"].leader_margin_bits == each / 1000


def test_records_of_one_employee_compete_only_where_their_dates_exclude_each_other(spark: SparkSession) -> None:
    high = MATCH + 10_000
    near = ("dob_near", *HOME[1:])
    swap, digit, exact = (1984, 12, 3), (1985, 3, 12), (1984, 3, 12)

    def of(employee: str, ref: str, holds: tuple[str, ...], born: tuple[int | None, ...], weight: int = high) -> Any:
        year, month, day = born
        return pair(employee, ref, holds, weight, person_dob_year=year, person_dob_month=month, person_dob_day=day)

    rows = [
        # Two slips of one date that exclude each other, equally strong; a third record agrees with both.
        of("e1", "swap", near, swap),
        of("e1", "digit", near, digit),
        of("e1", "exact", HOME, exact),
        # One of the two leads by the margin.
        of("e2", "strong", near, swap),
        of("e2", "weak", near, digit, weight=high - MARGIN),
        # The same two dates, but one record is another employee's by far.
        of("e3", "own", near, swap),
        of("e3", "theirs", near, digit),
        of("e4", "theirs", HOME, digit, weight=high + MARGIN),
        # An incomplete date and a contradicted one exclude nobody.
        of("e5", "full", near, swap),
        of("e5", "year", ("name_whole", "forename_agrees", "same_premises"), (1985, None, None)),
        of("e5", "father", (*HOME[1:], "dob_contradicts"), (1955, 3, 12), weight=high + 1),
        # Nor does 1 January, which stands for a year alone.
        of("e7", "slip", near, digit),
        of("e7", "january", ("name_whole", "forename_agrees", "same_premises"), (1984, 1, 1)),
        # Many records of one employee whose dates agree.
        *[of("e6", f"r{no}", HOME, exact) for no in range(4)],
    ]
    links = decided(spark, rows)
    said = {ref: (link.tier, link.policy_reason) for (_, ref), link in links.items() if ref != "theirs"}
    assert said["swap"] == said["digit"] == ("possible", "rival_record_too_close")
    assert said["exact"] == ("match", "same_premises_and_date")
    assert said["strong"] == ("match", "same_premises_near_date")
    assert said["weak"] == ("possible", "rival_record_too_close")
    assert said["own"] == ("match", "same_premises_near_date")
    assert links["e4", "theirs"].tier == "match"
    assert links["e3", "theirs"].policy_reason == "rival_too_close"
    assert said["full"] == ("match", "same_premises_near_date")
    assert said["slip"] == ("match", "same_premises_near_date")
    assert said["father"] == ("non_match", "contradiction")
    assert {said[f"r{no}"][0] for no in range(4)} == {"match"}
    # Two that exclude each other share the posterior; one record seen alone has it whole.
    assert links["e1", "swap"].rival_posterior == pytest.approx(0.5, abs=1e-4)
    assert links["e1", "exact"].rival_posterior > 0.999
    assert links["e2", "strong"].rival_posterior == pytest.approx(8 / 9, abs=1e-4)


def test_the_dates_that_exclude_each_other_are_those_that_the_comparison_calls_contradicting(
    spark: SparkSession,
) -> None:
    years = (1884, 1948, 1970, 1971, 1984, 1985, 1990, 1994, 1997, 1999, 2000, 2001)
    days = ((1, 1), (3, 12), (12, 3), (3, 21), (11, 30), (10, 30), (3, 13), (2, 1))
    dates = [(year, month, day) for year in years for month, day in days]
    grid = [(*one, *other) for one in dates for other in dates]
    frame = local_frame(spark, grid, schema=", ".join(f"{part}_{side} int" for side in "lr" for part in "ymd"))
    digits = [(F.col(f"y_{s}") * 10_000 + F.col(f"m_{s}") * 100 + F.col(f"d_{s}")).cast("string") for s in "lr"]
    said = frame.select("*", dates_exclude(F.col("y_l"), digits[0], F.col("y_r"), digits[1]).alias("said")).collect()
    columns = np.array([tuple(row)[:6] for row in said]).T
    expected = compare_dates(Dates(*columns[:3]), Dates(*columns[3:])).contradicts
    assert [row.said for row in said] == expected.tolist()
    assert 0.3 < expected.mean() < 0.95


def test_the_posterior_shares_one_record_among_its_employees(spark: SparkSession) -> None:
    rows = [
        pair("e1", "p", HOME, weight=20_000),
        pair("e2", "p", HOME, weight=20_000),
        pair("e1", "q", HOME, weight=0),
    ]
    links = decided(spark, rows)
    prior = 2**MODEL.prior_bits / (1 + 2**MODEL.prior_bits)
    share = prior * MODEL.rival.roster_size
    ratio = 2**20 * (1 - prior)
    assert links["e1", "p"].rival_posterior == pytest.approx(ratio / (1 - share + 2 * ratio))
    assert links["e1", "p"].rival_posterior == pytest.approx(0.5, abs=1e-5)
    assert links["e1", "q"].rival_posterior == pytest.approx((1 - prior) / (1 - share + 1 - prior))
