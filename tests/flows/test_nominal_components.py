"""Components as the job nominals and its evaluation find them: the engine that the settings ask for, said, stored and checked."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pyspark.sql import functions as F

from linkage_spark.errors import GateError, SettingsError
from linkage_spark.kit.frames import local_frame
from linkage_spark.nominals.engines import COMPONENT_SCHEMA, DriverEngine
from linkage_spark.runs import evaluate_nominals, nominal_components
from linkage_spark.runs.evaluate_nominals import measure_nominals
from linkage_spark.runs.nominal_components import find_checked_components
from linkage_spark.runs.progress import Progress
from linkage_spark.settings.run import NominalSettings, load_settings
from linkage_spark.tables.canonical import PERSON
from linkage_spark.tables.nominals import NOMINAL_EDGE, NOMINAL_MEMBER
from tests.support.contract_rows import contract_rows
from tests.support.persons import person, persons
from tests.support.session_state import session_state

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from linkage_spark.kit.contract import TableContract

CONF = Path(__file__).resolve().parents[2] / "conf"
EDGES = [(1, 2), (3, 2), (7, 9)]


def settings(**told: Any) -> NominalSettings:
    return load_settings(CONF, "local").nominals.model_copy(update=told)


def find(spark: SparkSession, folder: Path, *, count: int = 3, **told: Any) -> str:
    """What the run says; its result lies under ``folder``/components."""
    said = io.StringIO()
    edges = local_frame(spark, EDGES, schema="left_record_id long, right_record_id long")
    find_checked_components(
        edges.withColumn("match_weight_millibits", F.lit(1)),
        edge_count=count,
        settings=settings(**told),
        work=str(folder),
        name="components",
        progress=Progress(stream=said),
    )
    return said.getvalue()


def stored(spark: SparkSession, folder: Path, name: str = "components") -> dict[int, int]:
    return {row["record_id"]: row["component_id"] for row in spark.read.parquet(f"{folder}/{name}").collect()}


def test_auto_takes_the_driver_for_what_fits_and_says_why(spark: SparkSession, tmp_path: Path) -> None:
    spark.range(1).collect()  # a session's first query notes settings of its own
    before = session_state(spark)
    said = find(spark, tmp_path, engine="auto", driver_edges=3)
    assert "components by driver: 3 accepted edges would take about 0.0 GB" in said
    assert "[nominals] driver_edges allows 3" in said
    assert stored(spark, tmp_path) == {1: 1, 2: 1, 3: 1, 7: 7, 9: 7}
    after = session_state(spark)
    changed = set(before["settings"].items()) ^ set(after["settings"].items())
    assert changed == set()
    assert after == before


def test_more_edges_than_the_driver_may_have_never_come_to_it(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(DriverEngine, "components")
    with pytest.raises(SettingsError, match="driver_edges allows only 2, and GraphFrames is not there"):
        find(spark, tmp_path, engine="auto", driver_edges=2)
    assert not (tmp_path / "components").exists()


def test_graphframes_has_its_checkpoints_in_the_runs_own_folder(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def components(self: Any, edges: DataFrame) -> DataFrame:
        asked.append((self.checkpoint_dir, edges.columns))
        return DriverEngine().components(edges)

    monkeypatch.setattr(nominal_components, "missing_graphframes", lambda _: "")
    monkeypatch.setattr(nominal_components.GraphFramesEngine, "components", components)
    said = find(spark, tmp_path, engine="auto", driver_edges=2)
    assert "components by graphframes: 3 accepted edges" in said
    assert asked == [(f"{tmp_path}/checkpoints", ["left_record_id", "right_record_id"])]


@pytest.mark.parametrize(
    ("labels", "count", "said"),
    [
        ([(1, 1), (2, 1), (3, 3), (7, 7), (9, 7)], 3, "edges_across 1"),
        ([(1, 1), (2, 1), (3, 1), (7, 7)], 3, "edges_without 1, vertices_without 1"),
        ([(1, 1), (2, 1), (3, 1), (7, 1), (9, 1)], 3, "loose 1"),
        ([(1, 1), (2, 1), (3, 1), (7, 7), (9, 7)], 5, "edges_miscounted 2"),
    ],
)
def test_a_wrong_result_ends_the_run_and_names_every_fault(
    spark: SparkSession,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    labels: list[tuple[int, int]],
    count: int,
    said: str,
) -> None:
    wrong = local_frame(spark, labels, schema=COMPONENT_SCHEMA)
    monkeypatch.setattr(DriverEngine, "components", lambda self, edges: wrong)
    with pytest.raises(GateError) as raised:
        find(spark, tmp_path, count=count, engine="driver")
    assert str(raised.value) == f"components by driver are wrong: {said}"


# --- The evaluation -------------------------------------------------------------------------------


class Estate:
    """Pinned tables with nothing in them but three accepted edges, of which a reviewer denied the last."""

    def __init__(self, spark: SparkSession) -> None:
        edges = [{"left_record_id": left, "right_record_id": right} for left, right in ((1, 2), (2, 3), (3, 4))]
        edges[1] |= {"cut_reason": "judged_not_same", "because_left_record_id": 1, "because_right_record_id": 3}
        edges[2] |= {"cut_reason": "judged_not_same", "because_left_record_id": 3, "because_right_record_id": 4}
        self.tables = {
            PERSON.name: persons(spark, [person("A"), person("B")]),
            NOMINAL_EDGE.name: contract_rows(spark, NOMINAL_EDGE, *edges),
            NOMINAL_MEMBER.name: contract_rows(spark, NOMINAL_MEMBER),
        }

    def read(self, contract: TableContract) -> DataFrame:
        return self.tables[contract.name]


def evaluate(spark: SparkSession, folder: Path, monkeypatch: pytest.MonkeyPatch, **told: Any) -> str:
    """What the evaluation says; the rule permits one true pair."""
    said = io.StringIO()
    true_pairs = local_frame(spark, [(5, 6)], schema="left_record_id long, right_record_id long")
    monkeypatch.setattr(evaluate_nominals, "_true_pairs_accepted", lambda *_: true_pairs)
    truth = local_frame(
        spark,
        [("crime", "A", 100, "", None), ("crime", "B", 100, "", None)],
        schema="source_system string, person_ref string, true_person_id long, naming_tradition string, hard_negative string",
    )
    pinned: Any = Estate(spark)
    nothing: Any = None
    measure_nominals(
        truth, pinned, comparing=nothing, settings=settings(**told), work=str(folder), progress=Progress(stream=said)
    )
    return said.getvalue()


def test_the_evaluation_finds_components_by_the_engine_of_the_settings_without_denied_edges(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = evaluate(spark, tmp_path, monkeypatch, engine="auto", driver_edges=2)
    assert "permitted_joins by driver: 1 accepted edges" in said
    assert "components by driver: 2 accepted edges" in said
    assert stored(spark, tmp_path) == {1: 1, 2: 1, 3: 1}
    assert stored(spark, tmp_path, "permitted_joins") == {5: 5, 6: 5}


@pytest.mark.parametrize(("driver_edges", "edges"), [(0, 1), (1, 2)])
def test_the_evaluation_brings_no_more_edges_to_the_driver_than_the_settings_allow(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, driver_edges: int, edges: int
) -> None:
    with pytest.raises(SettingsError, match=f"{edges} accepted edges .* driver_edges allows only {driver_edges}"):
        evaluate(spark, tmp_path, monkeypatch, engine="auto", driver_edges=driver_edges)
