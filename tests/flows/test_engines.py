"""The driver's connected components against the union-find oracle, and the check that a run makes of any engine's result."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from linkage_spark.errors import ContractError, SettingsError
from linkage_spark.kit.frames import local_frame
from linkage_spark.nominals.engines import COMPONENT_SCHEMA, DriverEngine, components_faults
from linkage_spark.nominals.graphframes_engine import GraphFramesEngine, missing_graphframes
from tests.support.graphs import RANDOM, SHAPES, Edges, everything, restricted
from tests.support.session_state import session_state
from tests.support.union_find import members, union_find

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

EDGE = "left_record_id long, right_record_id long"
LABEL = "record_id long, component_id long"
ADAPTIVE = "spark.sql.adaptive.enabled"

NO_FAULTS = {
    "edges_across": 0,
    "edges_without": 0,
    "edges_miscounted": 0,
    "vertices_without": 0,
    "vertices_twice": 0,
    "strangers": 0,
    "misnamed": 0,
    "loose": 0,
}

Labels = list[tuple[int, int]]


def frame(spark: SparkSession, edges: Edges) -> DataFrame:
    return local_frame(spark, edges, schema=EDGE)


def labels_of(found: DataFrame) -> dict[int, int]:
    rows = [(row["record_id"], row["component_id"]) for row in found.collect()]
    assert len(rows) == len({record for record, _ in rows}), "a record has two rows"
    return dict(rows)


@pytest.fixture(scope="module", params=["true", "false"], ids=["aqe", "no_aqe"])
def catalogue(spark: SparkSession, request: pytest.FixtureRequest) -> Iterator[dict[int, int]]:
    """Labels of the whole catalogue and all random graphs, found at once."""
    before = spark.conf.get(ADAPTIVE)
    spark.conf.set(ADAPTIVE, request.param)
    try:
        yield labels_of(DriverEngine().components(frame(spark, everything())))
    finally:
        spark.conf.set(ADAPTIVE, before)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_has_the_members_and_names_of_the_oracle(catalogue: dict[int, int], shape: str) -> None:
    expected, found = union_find(SHAPES[shape]), restricted(catalogue, SHAPES[shape])
    assert members(found) == members(expected)
    assert found == expected


def test_random_graphs_have_the_members_and_names_of_the_oracle(catalogue: dict[int, int]) -> None:
    for seed, edges in RANDOM.items():
        expected, found = union_find(edges), restricted(catalogue, edges)
        assert members(found) == members(expected), f"seed {seed}"
        assert found == expected, f"seed {seed}"


def test_records_without_an_edge_are_not_in_the_result(catalogue: dict[int, int]) -> None:
    assert set(catalogue) == {end for edge in everything() for end in edge}


def test_no_edges_give_no_components_of_the_right_types(spark: SparkSession) -> None:
    found = DriverEngine().components(frame(spark, []))
    assert found.collect() == []
    assert [(field.name, field.dataType) for field in found.schema] == [
        (field.name, field.dataType) for field in COMPONENT_SCHEMA
    ]


def test_partitions_and_order_of_edges_change_no_row_and_no_order_of_rows(spark: SparkSession) -> None:
    edges = frame(spark, SHAPES["two cliques with a bridge"] + SHAPES["mixed direction"])
    turned = edges.selectExpr("right_record_id left_record_id", "left_record_id right_record_id").repartition(3)
    assert DriverEngine().components(turned).collect() == DriverEngine().components(edges).collect()


def test_columns_other_than_the_ids_stay_where_they_are(spark: SparkSession) -> None:
    edges = frame(spark, [(1, 2)]).selectExpr(
        "*", "raise_error('this column came to the driver') note", "5 match_weight_millibits"
    )
    assert labels_of(DriverEngine().components(edges)) == {1: 1, 2: 1}


def test_the_driver_engine_leaves_settings_and_cache_as_they_were(spark: SparkSession) -> None:
    before = session_state(spark)
    assert labels_of(DriverEngine().components(frame(spark, [(4, 3), (3, 9)]))) == {3: 3, 4: 3, 9: 3}
    assert session_state(spark) == before


def test_the_result_is_the_same_where_spark_hands_out_no_arrow_table(
    spark: SparkSession, catalogue: dict[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    edges, nothing = frame(spark, everything()), frame(spark, [])
    for kind in type(edges).__mro__:  # as in Spark 3.5
        if "toArrow" in vars(kind):
            monkeypatch.delattr(kind, "toArrow")
    assert not hasattr(edges, "toArrow")
    assert labels_of(DriverEngine().components(edges)) == catalogue
    assert DriverEngine().components(nothing).collect() == []
    with pytest.raises(ContractError, match="some are null"):
        DriverEngine().components(local_frame(spark, [(1, None)], schema=EDGE))


@pytest.mark.parametrize(
    ("rows", "schema", "said"),
    [
        ([(1, None)], EDGE, "some are null"),
        ([(None, None)], EDGE, "some are null"),
        ([("a", "b")], "left_record_id string, right_record_id string", "left_record_id is string"),
        ([(1, 2)], "left_record_id long, right_record_id int", "right_record_id is int"),
    ],
)
def test_ids_that_are_null_or_no_longs_are_refused(
    spark: SparkSession, rows: list[tuple[object, object]], schema: str, said: str
) -> None:
    with pytest.raises(ContractError, match=said):
        DriverEngine().components(local_frame(spark, rows, schema=schema))


def faults(spark: SparkSession, edges: Edges, found: Labels, vertices: list[int]) -> dict[str, int]:
    records = local_frame(spark, [(one,) for one in vertices], schema="record_id long")
    rows = components_faults(frame(spark, edges), local_frame(spark, found, schema=LABEL), records).collect()
    assert len(rows) == 1
    return {name: count for name, count in rows[0].asDict().items() if count != 0}


def test_the_check_counts_every_kind_of_fault(spark: SparkSession) -> None:
    right: Labels = [(1, 1), (2, 1), (3, 1)]
    ends_apart: Labels = [(10, 10), (11, 11), (12, 10)]
    no_label_for_22_and_23: Labels = [(20, 20), (21, 20)]
    two_rows: Labels = [(30, 30), (30, 30), (31, 30), (31, 30), (32, 30), (32, 30)]
    from_nowhere: Labels = [(40, 40), (41, 41), (42, 42), (43, 42), (44, 44)]
    named_by_the_higher: Labels = [(50, 51), (51, 51)]
    named_by_no_member: Labels = [(60, 59), (61, 59)]
    counts = faults(
        spark,
        edges=[
            (1, 2),
            (2, 3),
            (10, 11),
            (12, 10),
            (20, 21),
            (22, 21),
            (20, 23),
            (22, 23),
            (31, 30),
            (50, 51),
            (61, 60),
        ],
        found=[
            *right,
            *ends_apart,
            *no_label_for_22_and_23,
            *two_rows,
            *from_nowhere,
            *named_by_the_higher,
            *named_by_no_member,
        ],
        vertices=[1, 2, 3, 3, 10, 11, 12, 20, 21, 22, 23, 30, 31, 32, 50, 51, 60, 61, 70, 71],
    )
    assert counts == {
        "edges_across": 1,
        "edges_without": 3,
        "vertices_without": 4,
        "vertices_twice": 3,
        "strangers": 5,
        "misnamed": 2,
        "loose": 2,  # 32 has no edge, nor have 42 and 43
    }


def test_a_record_in_two_components_is_a_fault_even_where_one_of_them_is_right(spark: SparkSession) -> None:
    assert faults(spark, [(1, 2)], [(1, 1), (2, 1), (2, 2)], [1, 2]) == {"vertices_twice": 1}


def test_two_components_under_one_name_are_a_fault_where_too_few_edges_hold_them(spark: SparkSession) -> None:
    edges, vertices = [(1, 2), (3, 4), (5, 6), (6, 7), (7, 5)], [1, 2, 3, 4, 5, 6, 7]
    apart: Labels = [(1, 1), (2, 1), (3, 3), (4, 3), (5, 5), (6, 5), (7, 5)]
    assert faults(spark, edges, apart, vertices) == {}
    merged: Labels = [(1, 1), (2, 1), (3, 1), (4, 1), (5, 5), (6, 5), (7, 5)]
    assert faults(spark, edges, merged, vertices) == {"loose": 1}


@pytest.mark.parametrize(("counted", "off"), [(2, 0), (3, 1), (0, 2), (None, 0)])
def test_edges_that_are_not_as_many_as_were_counted_are_a_fault(
    spark: SparkSession, counted: int | None, off: int
) -> None:
    found = local_frame(spark, [(1, 1), (2, 1), (3, 1)], schema=LABEL)
    rows = components_faults(frame(spark, [(1, 2), (2, 3)]), found, found.select("record_id"), edge_count=counted)
    assert rows.collect()[0].asDict() == {**NO_FAULTS, "edges_miscounted": off}


def test_no_edges_where_some_were_counted_are_a_fault(spark: SparkSession) -> None:
    nothing = frame(spark, [])
    found = DriverEngine().components(nothing)
    rows = components_faults(nothing, found, found.select("record_id"), edge_count=4)
    assert rows.collect()[0].asDict() == {**NO_FAULTS, "edges_miscounted": 4}


def test_the_check_finds_no_fault_in_an_empty_graph(spark: SparkSession) -> None:
    assert faults(spark, [], [], []) == {}


def test_an_edge_with_a_null_end_is_a_fault(spark: SparkSession) -> None:
    edges = local_frame(spark, [(1, 2), (1, None)], schema=EDGE)
    found = local_frame(spark, [(1, 1), (2, 1)], schema=LABEL)
    counts = components_faults(edges, found, found.select("record_id")).collect()[0].asDict()
    assert counts == {**NO_FAULTS, "edges_without": 1}


def test_the_check_finds_no_fault_in_the_driver_engine(spark: SparkSession) -> None:
    edges = frame(spark, everything())
    vertices = edges.selectExpr("explode(array(left_record_id, right_record_id)) record_id")
    found = DriverEngine().components(edges)
    assert components_faults(edges, found, vertices).collect()[0].asDict() == NO_FAULTS


def test_graphframes_without_its_jars_says_what_to_install_and_what_to_set(spark: SparkSession) -> None:
    said = missing_graphframes(spark)
    assert said, "the shared session is started without GraphFrames' jars: tests/graphframes has a process of its own"
    before = session_state(spark)
    with pytest.raises(SettingsError) as raised:
        GraphFramesEngine().components(frame(spark, [(1, 2)]))
    assert str(raised.value) == said
    assert "io.graphframes:graphframes-spark4_2.13" in said
    assert "io.graphframes:graphframes-graphx-spark4_2.13" in said
    assert '[nominals] engine = "driver"' in said
    assert session_state(spark) == before
