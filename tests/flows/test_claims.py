"""What true links carry, read by the screening's own comparison; and one thing less."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from linkage_spark.evaluation.costliest import VALUES, choose_lost_links, told, with_values
from linkage_spark.evaluation.judged import TRUTH_EMPLOYEE, TRUTH_PERSON
from linkage_spark.flows.ablation import with_dates_equal_or_not, without_classes, without_variants
from linkage_spark.flows.claims import claim_true_links
from linkage_spark.flows.measure import judge_links
from linkage_spark.kit.frames import local_frame
from linkage_spark.linkage.score_stage import score_pair
from linkage_spark.tables.linkage import LINK
from tests.support.contract_rows import contract_rows
from tests.support.persons import employee, person, persons
from tests.unit.linkage.comparison.knowledge import model, reference
from tests.unit.linkage.test_scoring import FREQUENCIES

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

HOME, AWAY = "14|high street|birmingham|B23 6AB", "3|mill lane|coventry|CV1 2AB"
PEOPLE = [
    employee("E1", "imran", "khan", "1980-03-14", HOME),
    employee("E2", "zebedee", "featherstone", "1975-07-02", AWAY),
    employee("E3", "adam", "example", "1984-03-12", HOME, not_screened_reason="unusable_name"),
    person("P1", "imran", "khan", "1980-03-14", HOME),
    person("P2", "imran", "khan", "1980-03-14", AWAY),
    person("P2", "imran", "khan", "1980-03-15", HOME, variant_no=1),
    person("P3", "imran", "khan", "1951-01-30", HOME),
    person("P4", "zebedee", "featherstone", "1975-07-02", HOME),
    person("P5", "gareth", "unalike", "1975-02-20", None),
    person("P6", "adam", "example", "1984-03-12", HOME),
    person("P7", "imran", "khan", "1980-03-14", HOME, not_screened_reason="unusable_name"),
]
TRUE = {"P1": 1, "P2": 1, "P3": 1, "P4": 2, "P5": 2, "P6": 3, "P7": 1}


def truth(spark: SparkSession) -> dict[str, DataFrame]:
    staff = [(f"E{n}", n, "british") for n in (1, 2, 3)]
    records = [("crime", ref, true, ["TYP"], "", None) for ref, true in TRUE.items()]
    return {
        "truth_employee": local_frame(spark, staff, schema=TRUTH_EMPLOYEE),
        "truth_person": local_frame(spark, records, schema=TRUTH_PERSON),
    }


@pytest.fixture(scope="module")
def claims(spark: SparkSession) -> DataFrame:
    told = claim_true_links(
        persons(spark, PEOPLE), **truth(spark), model=model(), frequencies=FREQUENCIES, names=reference()
    )
    return local_frame(spark, told.collect(), schema=told.schema)


def test_a_true_link_carries_what_the_policy_grants_on_its_best_variant_whatever_it_weighs(claims: DataFrame) -> None:
    found = {row.person_ref: (row.claim_tier, row.claim_reason) for row in claims.collect()}
    assert found == {
        "P1": ("match", "same_premises_and_date"),
        "P2": ("match", "same_premises_near_date"),
        "P3": ("non_match", "contradiction"),
        "P4": ("possible", "name_and_date_only"),
        "P5": ("non_match", "one_element_only"),
    }


def test_the_weight_of_a_claim_is_that_of_screening(claims: DataFrame) -> None:
    (row,) = claims.where("person_ref = 'P4'").collect()
    alone = score_pair(PEOPLE[1], PEOPLE[7], model=model(), frequencies=FREQUENCIES, names=reference())
    assert row.claim_weight * 1000 == alone["match_weight_millibits"]
    assert row.level_address == alone["level_address"]


def test_lost_links_are_told_with_the_most_that_they_carry_first(spark: SparkSession, claims: DataFrame) -> None:
    everybody = persons(spark, PEOPLE)
    shown: dict[str, Any] = {"employee_id": "E1", "source_system": "crime", "person_ref": "P1", "tier": "match"}
    links = contract_rows(spark, LINK, {**shown, "match_weight": 20.0, "rival_posterior": 0.9})
    judged = judge_links(links, **truth(spark), person=everybody, claims=claims)
    chosen = choose_lost_links(judged, claims, most=3)
    rows = told([row.asDict() for row in chosen.collect()], lost=True)
    assert [row["person_ref"] for row in rows][:2] == ["P2", "P4"]
    assert rows[0]["why"] == "not_told_apart: not_shown"
    assert not set(rows[0]) & {f"{name}_l" for name in VALUES}
    valued = told([row.asDict() for row in with_values(chosen, everybody).collect()], lost=True)
    assert (valued[1]["given_name_l"], valued[1]["birth_r"]) == ("zebedee", "1975-7-2")
    assert len(valued) == len(rows) == 3


def test_one_thing_less_changes_that_thing_alone() -> None:
    whole = model()
    pooled = with_dates_equal_or_not(whole)
    weights = {round(level.weight, 9) for name, level in pooled.date_of_birth.items() if name != "exact"}
    assert len(weights) == 1
    assert sum(level.m for level in pooled.date_of_birth.values()) == pytest.approx(1)
    assert pooled.date_of_birth["exact"] == whole.date_of_birth["exact"]
    assert pooled.name == whole.name
    assert (without_classes(whole).household, without_classes(whole).context) == (None, None)
    bare = without_variants(reference())
    assert not bare.are_nicknames("bill", "william")
    assert reference().are_nicknames("bill", "william")
    assert bare.prefix_tokens == reference().prefix_tokens
