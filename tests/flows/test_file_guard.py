"""The guard of dedupe on made-up people: who stays together in an analyst's file, who is parted, and what is said of it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from pyspark.sql import functions as F

from linkage_spark.flows.person_files import explain_file_pairs
from linkage_spark.linkage.score_stage import score_candidates
from linkage_spark.model.frequencies import Frequencies
from linkage_spark.model.person_files import load_person_file_model
from linkage_spark.runs import file_guard
from linkage_spark.runs.file_clusters import cluster
from linkage_spark.runs.file_guard import Guarded, guard
from linkage_spark.runs.file_task import Used
from linkage_spark.runs.progress import Progress
from linkage_spark.settings.mapping import ClusterSettings
from tests.flows.test_pair_files import BRITISH, CONF, NAME_PARTS, NAMES, Row, propose
from tests.support.persons import person, persons

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

HOME = "14|kiln way|dudley|DY1 2AB"
AWAY = "9|mill lane|walsall|WS1 1AA"

TWINS = [
    person("t1", "wilhelmina", "sproggett", "1969-08-17", HOME),
    person("t2", "leopold", "sproggett", "1969-08-17", HOME),
    person("t3", "wilhelmina leopold", "sproggett", "1969-08-17", HOME),
]
FATHER_AND_SON = [
    person("f1", "barnaby", "quagmire", "1941-02-03", HOME),
    person("f2", "barnaby", "quagmire", "1971-06-25", HOME),
    person("f3", "barnaby", "quagmire", None, HOME),
]
SINGH_AND_KAUR = [
    person("s1", "jasvir singh", "dhillon", "1984-02-03", HOME),
    person("s2", "jasvir kaur", "dhillon", "1984-02-03", HOME),
]
ONE_PERSON = [
    person(f"p{no}", "quintilla", "zzyzxqua", "1952-10-28", home) for no, home in enumerate((HOME, AWAY, HOME))
]
EVERYBODY = [*TWINS, *FATHER_AND_SON, *SINGH_AND_KAUR, *ONE_PERSON]

Told = dict[str, list[str]]


def guarded(
    spark: SparkSession,
    rows: list[Row],
    *,
    mapped: frozenset[str] = BRITISH,
    weights: dict[tuple[str, str], float] | None = None,
    unproposed: tuple[tuple[str, str], ...] = (),
    **settings: Any,
) -> tuple[Guarded, dict[str, Any]]:
    """Every pair compared by the shipped model, clustered and guarded; ``weights`` overrule the model's for some pairs."""
    shipped = load_person_file_model(CONF, "person_files_v1")
    model = shipped.model_for(mapped=mapped, further={}, expected_matches=20.0, pairs=300.0, whole=True)
    frame = persons(spark, rows).cache()
    candidates = propose(frame, frame, model, within=True)
    for one, other in unproposed:
        candidates = candidates.where((F.col("person_ref_l") != one) | (F.col("person_ref_r") != other))
    scored = explain_file_pairs(
        score_candidates(candidates, model=model, frequencies=Frequencies.none(), names=NAMES), model=model
    )
    for (one, other), bits in (weights or {}).items():
        chosen = (F.col("ref_l") == one) & (F.col("ref_r") == other)
        scored = scored.withColumn("match_weight", F.when(chosen, F.lit(bits)).otherwise(F.col("match_weight")))
    probability = F.lit(1.0) / (F.lit(1.0) + F.pow(F.lit(2.0), -F.col("match_weight")))
    decided = scored.withColumn("match_probability", probability).cache()
    reference = SimpleNamespace(names=NAMES)
    run: Any = SimpleNamespace(spark=spark, progress=Progress(), summary={"warnings": []}, reference=reference)
    used = Used(model, Frequencies.none(), "", model.prior_bits)
    found = guard(run, frame, decided, cluster(run, frame, candidates, decided), used, ClusterSettings(**settings))
    return found, run.summary


def members(labels: Any, refs: Any) -> Told:
    told: Told = {}
    for ref, label in zip(refs, labels, strict=True):
        told.setdefault(refs[label], []).append(ref)
    return told


def before(found: Guarded) -> Told:
    return members(found.before.labels, found.before.refs)


def after(found: Guarded) -> Told:
    return members(found.after.labels, found.after.refs)


def cuts(found: Guarded, spark: SparkSession) -> list[tuple[Any, ...]]:
    told = found.cut_pairs(spark).orderBy("ref_l", "ref_r")
    return [tuple(row) for row in told.select("ref_l", "ref_r", "reason", "because_ref_l", "because_ref_r").collect()]


@pytest.fixture(scope="module")
def everybody(spark: SparkSession) -> tuple[Guarded, dict[str, Any]]:
    return guarded(spark, EVERYBODY)


def test_average_linkage_alone_joins_twins_father_and_son_through_a_third_record(
    everybody: tuple[Guarded, dict[str, Any]],
) -> None:
    assert before(everybody[0]) == {
        "f1": ["f1", "f2", "f3"],
        "p0": ["p0", "p1", "p2"],
        "s1": ["s1", "s2"],
        "t1": ["t1", "t2", "t3"],
    }


def test_twins_father_and_son_and_names_of_both_sexes_are_parted_and_one_person_stays(
    spark: SparkSession, everybody: tuple[Guarded, dict[str, Any]]
) -> None:
    found, summary = everybody
    assert after(found) == {
        "f1": ["f1", "f3"],
        "f2": ["f2"],
        "p0": ["p0", "p1", "p2"],
        "s1": ["s1"],
        "s2": ["s2"],
        "t1": ["t1", "t3"],
        "t2": ["t2"],
    }
    assert cuts(found, spark) == [
        ("f2", "f3", "dates_contradict", "f1", "f2"),
        ("s1", "s2", "sex_marked_conflict", "s1", "s2"),
        ("t1", "t2", "twin_pattern", "t1", "t2"),
        ("t2", "t3", "twin_pattern", "t1", "t2"),
    ]
    told = summary["guard"]
    assert told["linked_pairs_cut"] == {"dates_contradict": 1, "twin_pattern": 2, "sex_marked_conflict": 1}
    assert (told["contradicting_pairs"], told["clusters_parted"], told["pairs_parted"]) == (3, 3, 5)
    assert (summary["clusters"]["clusters"], summary["clusters"]["largest_cluster"]) == (7, 3)
    assert summary["warnings"] == []


def test_a_replaced_date_is_let_be_where_the_pair_is_linked_all_the_same(spark: SparkSession) -> None:
    rows = [
        person("r1", "quintilla", "zzyzxqua", "1984-02-03", HOME),
        person("r2", "quintilla", "zzyzxqua", "1957-11-29", HOME),
    ]
    linked = {("r1", "r2"): 0.1}
    assert after(guarded(spark, rows, weights=linked)[0]) == {"r1": ["r1", "r2"]}
    found, _ = guarded(spark, rows, weights=linked, contradictions="always")
    assert cuts(found, spark) == [("r1", "r2", "dates_contradict", "r1", "r2")]


def test_a_twins_forename_is_let_be_where_the_pair_is_strong_by_itself_and_only_there(spark: SparkSession) -> None:
    twins = TWINS[:2]
    assert after(guarded(spark, twins, weights={("t1", "t2"): 7.6})[0]) == {"t1": ["t1", "t2"]}
    assert after(guarded(spark, twins, weights={("t1", "t2"): 7.5})[0]) == {"t1": ["t1"], "t2": ["t2"]}


def test_one_wrong_date_among_many_records_of_a_person_is_outvoted_and_a_father_beside_a_son_is_not(
    spark: SparkSession,
) -> None:
    right = [person(f"a{no}", "barnaby", "quagmire", "1941-02-03", HOME) for no in range(3)]
    wrong = [person("b0", "barnaby", "quagmire", "1971-06-25", HOME)]
    # Two of the three are linked with the odd one, the third is not: a contradiction, against two links.
    weights = {("a0", "b0"): 5.0, ("a1", "b0"): 5.0, ("a2", "b0"): -3.0}
    found, summary = guarded(spark, [*right, *wrong], weights=weights)
    assert after(found) == before(found) == {"a0": ["a0", "a1", "a2", "b0"]}
    assert (summary["guard"]["contradicting_pairs"], summary["guard"]["outvoted_pairs"]) == (1, 1)
    undated = [person(f"c{no}", "barnaby", "quagmire", None, HOME) for no in range(3)]
    found, summary = guarded(spark, [right[0], *wrong, *undated])
    assert before(found) == {"a0": ["a0", "b0", "c0", "c1", "c2"]}
    assert [sorted(set(group) & {"a0", "b0"}) for group in after(found).values()] in (
        [["a0"], ["b0"]],
        [["b0"], ["a0"]],
    )
    assert (summary["guard"]["contradicting_pairs"], summary["guard"]["outvoted_pairs"]) == (1, 0)


def test_no_weight_outweighs_names_of_both_sexes_since_no_weight_knows_of_them(spark: SparkSession) -> None:
    found, _ = guarded(spark, SINGH_AND_KAUR, weights={("s1", "s2"): 30.0})
    assert after(found) == {"s1": ["s1"], "s2": ["s2"]}


def test_where_the_mapping_says_so_contradictions_cut_nothing(spark: SparkSession) -> None:
    found, summary = guarded(spark, [*TWINS, *FATHER_AND_SON], contradictions="never")
    assert after(found) == before(found)
    assert summary["guard"]["linked_pairs_cut"] == {} and cuts(found, spark) == []


def test_a_cluster_of_too_many_records_is_cut_and_that_is_said(spark: SparkSession) -> None:
    found, summary = guarded(spark, ONE_PERSON, max_records=2)
    assert sorted(map(len, after(found).values())) == [1, 2]
    assert {(reason, low, high) for _, _, reason, low, high in cuts(found, spark)} == {("too_large", None, None)}
    assert "1 clusters of more than 2 records were cut for their size" in summary["warnings"][0]


def test_a_date_that_is_not_mapped_contradicts_nobody(spark: SparkSession) -> None:
    undated = [person(row["person_ref"], "barnaby", "quagmire", None, HOME) for row in FATHER_AND_SON]
    found, summary = guarded(spark, undated, mapped=BRITISH - {"date_of_birth"})
    assert after(found) == {"f1": ["f1", "f2", "f3"]}
    assert summary["guard"]["contradicting_pairs"] == 0


def test_name_and_date_of_birth_alone_may_join_in_a_file(spark: SparkSession) -> None:
    rows = [person(ref, "thaddeus", "thistlewick", "1980-05-13", None) for ref in ("n1", "n2")]
    assert after(guarded(spark, rows, mapped=NAME_PARTS | {"date_of_birth"})[0]) == {"n1": ["n1", "n2"]}


def test_of_two_records_whose_pair_no_rule_proposed_a_conflict_is_found_all_the_same(spark: SparkSession) -> None:
    found, _ = guarded(spark, FATHER_AND_SON, unproposed=(("f1", "f2"),))
    assert before(found) == {"f1": ["f1", "f2", "f3"]}
    assert cuts(found, spark) == [("f2", "f3", "dates_contradict", "f1", "f2")]


def test_clusters_with_too_many_pairs_are_left_and_that_is_said(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_guard, "MOST_PAIRS_INSIDE", 0)
    found, summary = guarded(spark, FATHER_AND_SON)
    assert after(found) == before(found)
    assert "1 clusters, of 3 records in all, hold too many pairs" in summary["warnings"][0]


def test_the_order_of_rows_changes_nothing(spark: SparkSession, everybody: tuple[Guarded, dict[str, Any]]) -> None:
    found, summary = guarded(spark, EVERYBODY[::-1])
    assert after(found) == after(everybody[0])
    assert cuts(found, spark) == cuts(everybody[0], spark)
    assert summary["guard"] == everybody[1]["guard"]
