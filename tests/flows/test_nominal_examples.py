"""Which components a run of the job nominals shows, and what it tells of them: tables as the stages leave them, by hand."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import pytest

from linkage_spark.kit.frames import local_frame
from linkage_spark.nominals.records import with_record_id
from linkage_spark.runs.nominal_examples import MOST_EXAMPLES, MOST_RECORDS, collect_examples
from linkage_spark.tables.enums import CutReason
from linkage_spark.tables.nominals import NOMINAL_EDGE, NOMINAL_MEMBER
from tests.support.contract_rows import contract_rows
from tests.support.persons import person, persons

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from linkage_spark.kit.contract import TableContract
    from linkage_spark.runs.nominal_stages import NominalRun

Pairs = dict[tuple[str, str], CutReason | None]


def chain(name: str, records: int) -> Pairs:
    refs = [f"{name}{number:02}" for number in range(records)]
    return dict.fromkeys(itertools.pairwise(refs))


def clique(name: str, records: int) -> Pairs:
    return dict.fromkeys(itertools.combinations([f"{name}{number:02}" for number in range(records)], 2))


def joined(components: Sequence[Pairs]) -> list[set[str]]:
    """References that edges join which were not cut."""
    edges = [(pair, why) for pairs in components for pair, why in pairs.items()]
    found: list[set[str]] = [{ref} for ref in sorted({ref for pair, _ in edges for ref in pair})]
    for pair in (pair for pair, why in edges if why is None):
        meeting = [refs for refs in found if not refs.isdisjoint(pair)]
        found = [refs for refs in found if refs not in meeting] + [set().union(*meeting)]
    return found


class Tables:
    """What ``collect_examples`` reads of a run, made of components: references, and why the edge between two was cut."""

    def __init__(
        self, spark: SparkSession, components: Sequence[Pairs], *, across: Pairs | None = None, most_records: int = 50
    ) -> None:
        self.most_records = most_records
        placed = {ref: no for no, pairs in enumerate(components) for pair in pairs for ref in pair}
        # Two rows a record: variants of one record are one record.
        rows = [person(ref, variant_no=number) for ref in placed for number in (0, 1)]
        self.persons = persons(spark, rows)
        ids = {row.person_ref: row.record_id for row in with_record_id(self.persons).distinct().collect()}
        self._components = local_frame(
            spark, [(ids[ref], no) for ref, no in placed.items()], schema="record_id long, component_id long"
        )
        edges = [self._edge(ids, *pair, why) for pairs in [*components, across or {}] for pair, why in pairs.items()]
        members = [
            {"record_id": ids[ref], "nominal_id": nominal}
            for nominal, refs in enumerate(joined(components), start=1_000)
            for ref in refs
        ]
        self._own = {
            NOMINAL_EDGE.name: contract_rows(spark, NOMINAL_EDGE, *edges),
            NOMINAL_MEMBER.name: contract_rows(spark, NOMINAL_MEMBER, *members),
        }

    @staticmethod
    def _edge(ids: dict[str, int], one: str, other: str, why: CutReason | None) -> dict[str, Any]:
        left, right = sorted((ids[one], ids[other]))
        return {
            "left_record_id": left,
            "right_record_id": right,
            "match_weight_millibits": 20_000,
            "policy_reason": "same_premises_and_date",
            "cut_reason": why and why.value,
        }

    def work(self, name: str) -> DataFrame:
        assert name == "components"
        return self._components

    def own(self, contract: TableContract) -> DataFrame:
        return self._own[contract.name]


def shown(tables: Tables) -> list[tuple[list[str], int, str]]:
    """Per example what it shows, its records, and the first letter of their references."""
    found = collect_examples(cast("NominalRun", tables))
    return [
        (one["shows"], one["records"], "".join(sorted({m["name"].split("/")[1][0] for m in one["members"]})))
        for one in found
    ]


@pytest.fixture(scope="module")
def tables(spark: SparkSession) -> Tables:
    dates, twins = CutReason.DATES_CONTRADICT, CutReason.TWIN_PATTERN
    return Tables(
        spark,
        [
            chain("a", 2) | {("a00", "a02"): dates},
            chain("b", 2) | {("b00", "b02"): dates, ("b01", "b02"): dates, ("b01", "b03"): twins},  # the most of both
            chain("c", 3) | {("c00", "c03"): dates, ("c01", "c03"): dates},  # as many, but a higher id
            chain("d", 4),
            clique("e", 6),  # the largest that was not cut
            chain("f", 5),  # four steps from end to end
            chain("g", MOST_RECORDS + 1) | {("g00", "g02"): CutReason.TOO_LONG},  # too many records to be shown
            chain("h", 51),  # waits for a reviewer
            chain("i", 52),
        ],
    )  # fmt: skip


def test_chosen_by_rule_each_component_once_and_the_quarantined_by_its_size_alone(tables: Tables) -> None:
    assert shown(tables) == [
        (["dates_contradict", "twin_pattern"], 4, "b"),
        (["largest"], 6, "e"),
        (["far_apart"], 5, "f"),
        (["quarantined"], 52, ""),
    ]


def test_records_are_named_once_though_they_have_variants_and_cuts_are_told(tables: Tables) -> None:
    first = collect_examples(cast("NominalRun", tables))[0]
    assert [one["name"] for one in first["members"]] == [f"crime/b{number:02}" for number in range(4)]
    assert len(first["cuts"]) == 3
    assert sum(1 for edge in first["edges"] if edge["cut_reason"] is None) == 1


def test_a_pair_judged_not_the_same_across_two_components_belongs_to_neither(spark: SparkSession) -> None:
    denied = CutReason.JUDGED_NOT_SAME
    judged = chain("a", 3) | {("a00", "a02"): denied}
    apart: Pairs = {("a00", "b01"): denied, ("a02", "b00"): denied}
    told = collect_examples(cast("NominalRun", Tables(spark, [judged, chain("b", 2)], across=apart)))
    assert [(one["shows"], one["records"], len(one["cuts"])) for one in told] == [
        (["judged_not_same"], 3, 1),
        (["largest"], 2, 0),
    ]


def test_the_order_and_partitions_of_rows_change_nothing(tables: Tables) -> None:
    before = collect_examples(cast("NominalRun", tables))
    kept = tables._components, dict(tables._own), tables.persons
    tables._components = tables._components.repartition(3).sortWithinPartitions("record_id")
    tables._own = {name: frame.repartition(2) for name, frame in tables._own.items()}
    tables.persons = tables.persons.repartition(3)
    assert collect_examples(cast("NominalRun", tables)) == before
    tables._components, tables._own, tables.persons = kept


def test_never_more_than_eight_and_whoever_waits_keeps_a_place(spark: SparkSession) -> None:
    cut = [{(f"{no}a", f"{no}b"): reason} for no, reason in enumerate(CutReason)]
    found = shown(Tables(spark, [*cut, clique("x", 4), chain("y", 3), chain("z", 51)]))
    assert len(found) == MOST_EXAMPLES
    assert [shows for shows, _, _ in found] == [[reason.value] for reason in list(CutReason)[:7]] + [["quarantined"]]


def test_nobody_joined_and_nothing_to_show(spark: SparkSession) -> None:
    assert collect_examples(cast("NominalRun", Tables(spark, []))) == []
