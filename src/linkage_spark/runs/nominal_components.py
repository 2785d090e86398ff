"""Components as every run finds them: by the engine that the settings and the number of edges ask for, stored, and checked."""

from __future__ import annotations

from collections.abc import Callable

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from linkage_spark.errors import GateError
from linkage_spark.kit.refusing import never_refuses
from linkage_spark.nominals.engines import Choice, ComponentEngine, DriverEngine, choose_engine, components_faults
from linkage_spark.nominals.graphframes_engine import GraphFramesEngine, missing_graphframes
from linkage_spark.runs.progress import Progress
from linkage_spark.settings.run import NominalSettings


def find_checked_components(
    edges: DataFrame,
    *,
    edge_count: int,
    settings: NominalSettings,
    work: str,
    name: str,
    progress: Progress,
    refuse: Callable[[], None] = never_refuses,
) -> Choice:
    """Find the components of edges, store them as ``work``/``name`` (COMPONENT_SCHEMA), and check them.

    Args:
        edges: ``left_record_id``, ``right_record_id`` LONG, never null, stored; other columns stay where they are.
        edge_count: how many they are, as counted when they were made.
        settings: ``[nominals]``, for ``engine`` and ``driver_edges``.
        work: folder that the run removes; an engine's checkpoints lie in it as well.
        name: of the result in that folder; what lies there is replaced.
        progress: is told which engine was taken, and why.
        refuse: called before anything is written or deleted; raises where another run may work in that folder by now.

    Returns:
        The engine, and why.

    Raises:
        SettingsError: GraphFrames is needed and not there.
        GateError: an edge crosses two components, a record has none or two, or the counts do not add up.
    """
    spark, ends = edges.sparkSession, edges.select("left_record_id", "right_record_id")
    choice = choose_engine(
        settings.engine,
        edge_count=edge_count,
        driver_edges=settings.driver_edges,
        graphframes_at_hand=not missing_graphframes(spark),
    )
    progress.say(f"  {name} by {choice.engine}: {choice.why}")
    engine: ComponentEngine = (
        GraphFramesEngine(checkpoint_dir=f"{work}/checkpoints", refuse=refuse)
        if choice.engine == "graphframes"
        else DriverEngine()
    )
    found = engine.components(ends)
    refuse()
    found.write.mode("overwrite").parquet(f"{work}/{name}")
    _refuse_faults(ends, spark.read.parquet(f"{work}/{name}"), edge_count=edge_count, name=name, choice=choice)
    return choice


def _refuse_faults(ends: DataFrame, found: DataFrame, *, edge_count: int, name: str, choice: Choice) -> None:
    """End the run where the check counts anything.

    Raises:
        GateError: every fault with its count.
    """
    vertices = ends.select(F.explode(F.array("left_record_id", "right_record_id")).alias("record_id"))
    counts = components_faults(ends, found, vertices, edge_count=edge_count).collect()[0].asDict()
    if wrong := ", ".join(f"{fault} {n}" for fault, n in sorted(counts.items()) if n):
        remedy = '; set [nominals] engine = "driver"' if choice.engine == "graphframes" else ""
        raise GateError(f"{name} by {choice.engine} are wrong: {wrong}{remedy}")
