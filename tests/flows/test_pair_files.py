"""Person files through the engine: which pairs are proposed, sampled and counted, and what each one's sentence adds up to."""

from __future__ import annotations

import functools
import itertools
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pyspark.sql import Observation

from linkage_spark.flows.person_files import explain_file_pairs, propose_file_pairs
from linkage_spark.kit.frames import local_frame
from linkage_spark.linkage.blocking import choose_refined, count_keys
from linkage_spark.linkage.frequencies import count_agreement, count_values, frequencies_of
from linkage_spark.linkage.score_stage import score_candidates, score_pair
from linkage_spark.linkage.training.patterns import MILLIONTHS, count_patterns, expected_copies, pattern_columns
from linkage_spark.linkage.training.sampling import sample_other_pairs
from linkage_spark.model.frequencies import Frequencies
from linkage_spark.model.person_files import load_person_file_model
from linkage_spark.model.schema import Model
from linkage_spark.reference.names import load_name_reference
from linkage_spark.tables.candidates import COMPARED_COLUMNS
from tests.support.persons import crowd, person, persons

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

CONF = Path(__file__).resolve().parents[2] / "conf"
NAMES = load_name_reference(CONF)
SECRET = b"s" * 32
NAME_PARTS = frozenset(("name", "given_names", "surname"))
BRITISH = NAME_PARTS | {"date_of_birth", "address", "premises", "postcode", "town"}
FURTHER = {"extra_job": "text"}
JOBS = ("clerk", "farrier", "farier", None, "taxi driver")

AWAY = "3|mill lane|walsall|WS1 1AA"

Row = dict[str, Any]


@functools.cache
def file_model(*, mapped: frozenset[str] = BRITISH, whole: bool = False) -> Model:
    shipped = load_person_file_model(CONF, "person_files_v1")
    return shipped.model_for(mapped=mapped, further=FURTHER, expected_matches=5.0, pairs=100.0, whole=whole)


def frame(spark: SparkSession, rows: list[Row], jobs: dict[str, str | None] | None = None) -> DataFrame:
    """PERSON rows with the further column."""
    known = jobs or {row["person_ref"]: JOBS[no % len(JOBS)] for no, row in enumerate(rows)}
    further = local_frame(spark, list(known.items()), schema="person_ref string, extra_job string")
    return persons(spark, rows).join(further, on="person_ref", how="left")


def propose(left: DataFrame, right: DataFrame, model: Model, *, within: bool, **others: Any) -> DataFrame:
    arguments: dict[str, Any] = {"refined": (), "broadcast": True, **others}
    return propose_file_pairs(
        left, right, model=model, secret=SECRET, within=within, observation=Observation(), **arguments
    )


def pairs_of(found: DataFrame) -> list[tuple[str, str]]:
    return sorted((row[0], row[1]) for row in found.select("person_ref_l", "person_ref_r").collect())


def people(size: int, start: str = "p") -> list[Row]:
    """Made-up records, one row each, all taking part."""
    rows = [row for row in crowd(20261121, size) if row["variant_no"] == 0]
    return [
        {**row, "person_ref": start + row["person_ref"][1:], "not_screened_reason": None, "source_system": "file"}
        for row in rows
    ]


def every_pair(rows: list[Row]) -> list[tuple[str, str]]:
    return sorted(itertools.combinations(sorted(row["person_ref"] for row in rows), 2))


# ---- which pairs -------------------------------------------------------------------------------------------


def test_within_one_file_each_pair_stands_once_with_the_lesser_reference_left(spark: SparkSession) -> None:
    # Ten records that agree on everything: every rule proposes every pair.
    rows = [person(f"r{no}") for no in (10, 9, 1, 2, 33, 4)]
    file = frame(spark, rows)
    found = propose(file, file, file_model(), within=True)
    assert pairs_of(found) == every_pair(rows)
    masks = {row.rule_mask for row in found.select("rule_mask").collect()}
    assert all(mask.bit_count() > 5 for mask in masks)


def test_a_file_small_enough_is_compared_whole(spark: SparkSession) -> None:
    rows = [
        person("a", "", "", None, None),
        person("b"),
        person("c", "kwame", "khan", "1999-11-30", AWAY),
        person("d", "jane", "", "1950", None),
    ]
    file = frame(spark, rows)
    whole = file_model(mapped=NAME_PARTS, whole=True)
    assert pairs_of(propose(file, file, whole, within=True)) == every_pair(rows)
    other = frame(spark, [person("a"), person("z", "x", "y", None, None)])
    assert pairs_of(propose(file, other, whole, within=False)) == sorted(itertools.product("abcd", "az"))


def test_no_gate_stands_between_dates_that_contradict_each_other(spark: SparkSession) -> None:
    left, right = frame(spark, [person("l", born="1984-03-12")]), frame(spark, [person("r", born="1951-10-29")])
    assert pairs_of(propose(left, right, file_model(), within=False)) == [("l", "r")]


@pytest.mark.parametrize(
    ("rule", "left", "right"),
    [
        ("given_as_surname", ("khan", ""), ("adam", "khan")),
        ("surname_as_given", ("", "adam"), ("adam", "khan")),
        ("given_as_surname", ("sara", "khan"), ("", "sara")),
        ("surname_as_given", ("sara", "khan"), ("khan", "")),
    ],
)
@pytest.mark.parametrize("within", [False, True])
def test_a_single_name_in_the_other_box_is_found(
    spark: SparkSession, rule: str, left: tuple[str, str], right: tuple[str, str], within: bool
) -> None:
    one, other = person("l", *left, None, None), person("r", *right, None, None)
    model = file_model()
    if within:
        file = frame(spark, [one, other], {"l": None, "r": None})
        found = propose(file, file, model, within=True)
    else:
        found = propose(frame(spark, [one], {"l": None}), frame(spark, [other], {"r": None}), model, within=False)
    rows = found.select("person_ref_l", "person_ref_r", "rule_mask").collect()
    assert [(row[0], row[1]) for row in rows] == [("l", "r")]
    proposing = [at.id for no, at in enumerate(model.rules) if rows[0].rule_mask >> no & 1]
    assert proposing == [rule]


def test_broadcast_and_the_order_of_rows_change_nothing(spark: SparkSession) -> None:
    rows = people(60)
    file = frame(spark, rows)
    shuffled = frame(spark, rows[::-1], {row["person_ref"]: JOBS[no % 5] for no, row in enumerate(rows)}).repartition(5)
    one = propose(file, file, file_model(), within=True)
    other = propose(shuffled, shuffled, file_model(), within=True, broadcast=False)
    found = pairs_of(one)
    assert 0 < len(found) < len(every_pair(rows))
    assert len(set(found)) == len(found)
    assert pairs_of(other) == found


def test_a_heavy_key_takes_its_second_key(spark: SparkSession) -> None:
    # Five of one surname and nothing else in common: over a cap of three its key needs the initial too, and two share one.
    givens = {"a": "adam", "b": "bill", "c": "sara", "d": "jane", "e": "anne"}
    rows = [person(ref, given, "khan", None, None) for ref, given in givens.items()]
    file = frame(spark, rows, dict.fromkeys(givens))
    model = file_model().model_copy(update={"key_cap": 3})
    chosen = choose_refined(count_keys(file, file, model=model).collect(), model=model, secret=SECRET)
    assert pairs_of(propose(file, file, model, within=True)) == every_pair(rows)
    assert pairs_of(propose(file, file, model, within=True, refined=chosen.hmacs)) == [("a", "e")]


# ---- scores ------------------------------------------------------------------------------------------------


def test_every_sentence_ends_in_weights_that_add_up_to_the_match_weight(spark: SparkSession) -> None:
    rows = people(30)
    file = frame(spark, rows)
    model = file_model(whole=True)
    pairs = propose(file, file, model, within=True)
    counts = [tuple(row) for row in count_values(file, further=tuple(model.further)).collect()]
    scored = explain_file_pairs(
        score_candidates(pairs, model=model, frequencies=frequencies_of(counts), names=NAMES), model=model
    ).collect()
    assert 5 < len(scored) < len(every_pair(rows))
    weights = [name for name in scored[0].asDict() if name.startswith("weight_")]
    assert {"weight_extra_job", "weight_household"} <= set(weights)
    for row in scored:
        assert row.ref_l < row.ref_r
        assert row.match_weight >= model.thresholds.floor_bits
        assert sum(row[name] for name in weights) == round(row.match_weight * 1000)
        said = re.search(r"Bits: (.*); together ([+-][\d.]+)\.$", row.explanation)
        assert said, row.explanation
        parts = [round(float(part.rsplit(" ", 1)[1]) * 1000) for part in said[1].split(", ")]
        assert sum(parts) == round(float(said[2]) * 1000) == round(row.match_weight * 1000)


def test_a_sentence_names_the_further_attribute_as_its_owner_does_and_shows_no_value(spark: SparkSession) -> None:
    left = frame(spark, [person("l", "adam", "zzqxv")], {"l": "farrier"})
    right = frame(spark, [person("r", "adam", "zzqxv")], {"r": "farier"})
    model = file_model(whole=True)
    pairs = propose(left, right, model, within=False)
    (row,) = explain_file_pairs(
        score_candidates(pairs, model=model, frequencies=Frequencies.none(), names=NAMES), model=model
    ).collect()
    assert "Job: the values agree but for a slip." in row.explanation
    assert re.search(r"\bjob \+\d", row.explanation)
    assert "the employee" not in row.explanation
    assert "police" not in row.explanation
    for value in ("zzqxv", "adam", "farrier", "farier", "1984", "B23"):
        assert value not in row.explanation


# ---- sampling, counting ------------------------------------------------------------------------------------


def sample(
    left: DataFrame, right: DataFrame, candidates: DataFrame, sizes: tuple[int, int], *, within: bool
) -> DataFrame:
    return sample_other_pairs(left, right, candidates, model=file_model(), draws=900, records=sizes, within=within)


def whole_rows(found: DataFrame) -> list[str]:
    return sorted(str(row) for row in found.select(sorted(found.columns)).collect())


@pytest.mark.parametrize("within", [True, False])
def test_a_sample_holds_no_candidate_no_pair_with_itself_and_the_same_rows_on_any_partitions(
    spark: SparkSession, within: bool
) -> None:
    rows, others = people(40), people(25, "q")
    left = frame(spark, rows)
    right = left if within else frame(spark, others)
    sizes = (len(rows), len(rows) if within else len(others))
    candidates = propose(left, right, file_model(), within=within)
    proposed = set(pairs_of(candidates))
    found = sample(left.repartition(1), right.repartition(1), candidates, sizes, within=within)
    drawn = pairs_of(found)
    assert len(set(drawn)) == len(drawn)
    assert proposed
    assert not proposed & set(drawn)
    refs = [{row["person_ref"] for row in side} for side in (rows, rows if within else others)]
    possible = set(every_pair(rows)) if within else set(itertools.product(*refs))
    assert set(drawn) <= possible - proposed
    # Nine hundred draws out of 780 or 1,000 pairs: some two thirds of what is left.
    assert len(drawn) > 0.4 * len(possible - proposed)
    again = sample(left.repartition(7), right.repartition(7), candidates.repartition(3), sizes, within=within)
    assert whole_rows(again) == whole_rows(found)
    wanted = {f"{name}_{side}" for side in "lr" for name in (*COMPARED_COLUMNS, "extra_job")}
    assert set(found.columns) == wanted


def test_patterns_add_up_to_the_pairs_and_each_is_what_the_pair_compares_to(spark: SparkSession) -> None:
    rows = people(25)
    file = frame(spark, rows)
    model = file_model(whole=True)
    pairs = propose(file, file, model, within=True)
    counted = count_patterns(pairs, model=model, names=NAMES).collect()
    columns = pattern_columns(model)
    assert columns == ("name", "date_of_birth", "address", "extra_job")
    assert sum(row.pairs for row in counted) == len(every_pair(rows))
    assert len({tuple(row[name] for name in columns) for row in counted}) == len(counted)
    # Missing jobs: pairs of which at least one record has none.
    without = sum(1 for no in range(len(rows)) if JOBS[no % len(JOBS)] is None)
    with_both = (len(rows) - without) * (len(rows) - without - 1) // 2
    assert sum(row.pairs for row in counted if row.extra_job == 0) == len(every_pair(rows)) - with_both


def test_values_are_counted_once_per_record_and_unknown_ones_not_at_all(spark: SparkSession) -> None:
    rows = [person("a"), person("b", "adam", "", "1984", None), person("c", "", "khan", None, AWAY)]
    counted = count_values(frame(spark, rows, {"a": "clerk", "b": "clerk", "c": None}), further=("extra_job",))
    assert {(row.attribute, row.value): row.bearers for row in counted.collect()} == {
        ("given", "adam"): 2,
        ("surname", "example"): 1,
        ("surname", "khan"): 1,
        ("date_of_birth", "1984-03-12"): 1,
        ("postcode", "B23 6AB"): 1,
        ("postcode", "WS1 1AA"): 1,
        ("name", "adam example"): 1,
        ("extra_job", "clerk"): 2,
    }


def test_agreement_by_chance_is_the_share_of_all_pairs_that_both_have_a_value(spark: SparkSession) -> None:
    rows = [person(ref) for ref in "abcde"]
    jobs: dict[str, str | None] = {"a": "clerk", "b": "clerk", "c": "chef", "d": "chef", "e": None}
    file = frame(spark, rows, jobs)
    other = frame(spark, rows[:3], {"a": "clerk", "b": "nurse", "c": None})
    empty = frame(spark, rows[:2], {"a": None, "b": None})
    within = count_agreement(file, None, columns=("extra_job",)).collect()
    between = count_agreement(file, other, columns=("extra_job", "surname_last")).collect()
    assert [(row.attribute, row.share) for row in within] == [("extra_job", pytest.approx(4 / 12))]
    assert {row.attribute: row.share for row in between} == {
        "extra_job": pytest.approx(2 / 8),
        "surname_last": pytest.approx(1.0),
    }
    assert count_agreement(file, empty, columns=("extra_job",)).collect() == []


@pytest.mark.parametrize("with_frequencies", [False, True])
def test_expected_copies_are_the_summed_probabilities_of_pairs_that_agree_on_a_value(
    spark: SparkSession, with_frequencies: bool
) -> None:
    rows = people(20)
    jobs = {row["person_ref"]: JOBS[no % len(JOBS)] for no, row in enumerate(rows)}
    file = frame(spark, rows, jobs)
    model = file_model(whole=True)
    pairs = propose(file, file, model, within=True)
    counts = [tuple(row) for row in count_values(file, further=tuple(model.further)).collect()]
    frequencies = frequencies_of(counts) if with_frequencies else Frequencies.none()
    summed = expected_copies(pairs.repartition(3), model=model, names=NAMES, frequencies=frequencies).collect()
    found = {(row.attribute, row.value): row.millionths for row in summed}
    expected: Counter[tuple[str, str]] = Counter()
    by_ref = {row["person_ref"]: {**row, "extra_job": jobs[row["person_ref"]]} for row in rows}
    for pair in every_pair(rows):
        one, other = (by_ref[ref] for ref in pair)
        scored = score_pair(one, other, model=model, frequencies=frequencies, names=NAMES)
        probability = 1 / (1 + 2 ** -(int(str(scored["match_weight_millibits"])) / 1000))
        for attribute, column in (
            ("given", "given_first"),
            ("surname", "surname_last"),
            ("date_of_birth", "date_of_birth"),
            ("postcode", "postcode"),
            ("extra_job", "extra_job"),
        ):
            if one[column] is not None and one[column] == other[column]:
                expected[attribute, str(one[column])] += round(probability * MILLIONTHS)
        whole = [(side["given_first"], side["surname_last"]) for side in (one, other)]
        if None not in whole[0] and whole[0] == whole[1]:
            expected["name", " ".join(whole[0])] += round(probability * MILLIONTHS)
    assert found == dict(expected)
    assert sum(found.values()) > 0
