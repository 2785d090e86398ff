"""Accepted edges → connected components, behind one small protocol: which engine, the driver's own, and the check of a result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import LongType, StructField, StructType

from linkage_spark.errors import ContractError, SettingsError
from linkage_spark.nominals.components import components

EngineName = Literal["driver", "graphframes"]

COMPONENT_SCHEMA = StructType(
    [StructField("record_id", LongType(), nullable=False), StructField("component_id", LongType(), nullable=False)]
)
"""One row per record that some edge touches, and its component, named by the lowest record id in it."""

DRIVER_BYTES_PER_EDGE = 230
"""Memory that the driver engine takes per edge at its peak, Java and Python together (bench/components.py: 226 with 10 million)."""


class ComponentEngine(Protocol):
    """Connected components of edges between LONG ids."""

    @property
    def name(self) -> EngineName:
        """What settings call it."""

    def components(self, edges: DataFrame) -> DataFrame:
        """Find the component of every record that an edge touches. Runs jobs: an action, in ``runs/``.

        Args:
            edges: ``left_record_id``, ``right_record_id`` LONG, never null; in any direction, any number of times, and
                from a record to itself. Other columns stay where they are. A stored table: it may be read twice.

        Returns:
            COMPONENT_SCHEMA. Nothing stays cached, and no setting of the session is changed.
        """


class Choice(NamedTuple):
    """An engine, and one sentence that says why."""

    engine: EngineName
    why: str


def price_graph(edge_count: int, *, driver_edges: int) -> Choice:
    """The engine that a graph of this size asks for, whatever is installed.

    Args:
        edge_count: accepted edges.
        driver_edges: most edges that may come to the driver.

    Raises:
        ValueError: a negative number.
    """
    if edge_count < 0 or driver_edges < 0:
        raise ValueError(f"{edge_count} edges, {driver_edges} for the driver: neither may be negative")
    gigabytes = edge_count * DRIVER_BYTES_PER_EDGE / 1e9
    size = f"{edge_count:,} accepted edges would take about {gigabytes:.1f} GB of the driver's memory"
    if edge_count <= driver_edges:
        return Choice("driver", f"{size}, and [nominals] driver_edges allows {driver_edges:,}")
    return Choice("graphframes", f"{size}, and [nominals] driver_edges allows only {driver_edges:,}")


def choose_engine(
    setting: Literal["auto", "driver", "graphframes"],
    *,
    edge_count: int,
    driver_edges: int,
    graphframes_at_hand: bool,
) -> Choice:
    """The engine of a run: what the settings name, or with 'auto' what the price of the graph says.

    Args:
        setting: ``[nominals] engine``.
        edge_count: accepted edges.
        driver_edges: ``[nominals] driver_edges``; binds 'auto' alone.
        graphframes_at_hand: the package and its jars are there (``graphframes_engine.missing_graphframes`` says nothing).

    Returns:
        The engine and why, for the log and the manifest.

    Raises:
        SettingsError: GraphFrames is asked for, or is what fits, and is not there; the message names every remedy.
    """
    price = price_graph(edge_count, driver_edges=driver_edges)
    if setting == "driver":
        return Choice("driver", f'[nominals] engine = "driver"; {price.why}')
    if setting == "graphframes":
        if not graphframes_at_hand:
            raise SettingsError(
                '[nominals] engine = "graphframes", and GraphFrames is not there: install the Python package graphframes-py and '
                'add its two jars to spark.jars, or set [nominals] engine = "driver"'
            )
        return Choice("graphframes", '[nominals] engine = "graphframes"')
    if price.engine == "graphframes" and not graphframes_at_hand:
        raise SettingsError(
            f'[nominals] engine = "auto": {price.why}, and GraphFrames is not there: install the Python package graphframes-py and '
            'add its two jars to spark.jars, or give the driver the memory and raise [nominals] driver_edges (or set engine = "driver")'
        )
    return price


@dataclass(frozen=True)
class DriverEngine:
    """scipy's components on the driver: edges come there as two LONG columns, and as nothing else."""

    name: EngineName = "driver"

    def components(self, edges: DataFrame) -> DataFrame:
        """See ``ComponentEngine``; rows come in the order of ``record_id``.

        Raises:
            ContractError: a null or a type other than LONG among the ids.
        """
        left, right = _ends(edges)
        ids, places = np.unique(np.concatenate([left, right]), return_inverse=True)
        labels = components(places[: len(left)], places[len(left) :], len(ids))
        found = pd.DataFrame({"record_id": ids, "component_id": ids[labels]}, copy=False)
        return edges.sparkSession.createDataFrame(found, schema=COMPONENT_SCHEMA)


def _ends(edges: DataFrame) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Both ends of every edge; by way of an Arrow table where Spark hands one out (from 4.0 on), which saves a copy."""
    pairs = edges.select("left_record_id", "right_record_id")
    faults = [
        f"{field.name} is {field.dataType.simpleString()}" for field in pairs.schema if field.dataType != LongType()
    ]
    if faults:
        raise ContractError(f"edges of a graph have LONG ids: {', '.join(faults)}")
    table: Any = pairs.toArrow() if hasattr(pairs, "toArrow") else pairs.toPandas()
    left, right = (np.asarray(table[name]) for name in ("left_record_id", "right_record_id"))
    if len(left) == 0:  # an empty column may have lost its type on the way
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    if left.dtype != np.int64 or right.dtype != np.int64:  # nulls make doubles of the ids
        raise ContractError("edges of a graph have two ids each: some are null")
    return left, right


def components_faults(
    edges: DataFrame, found: DataFrame, vertices: DataFrame, *, edge_count: int | None = None
) -> DataFrame:
    """Count what may not be in a result; the run collects it, and publishes nothing unless every count is 0.

    Args:
        edges: ``left_record_id``, ``right_record_id`` LONG: what was given to the engine.
        found: ``record_id``, ``component_id`` LONG: what came of it.
        vertices: ``record_id`` LONG: the records that must have a component each; rows may repeat.
        edge_count: rows that ``edges`` must have, as counted when they were made; None where nobody has counted.

    Returns:
        One row of LONG counts, never null: ``edges_across`` (ends in two components), ``edges_without`` (an end is null
        or has no component), ``edges_miscounted`` (more or fewer than ``edge_count``), ``vertices_without`` (no
        component), ``vertices_twice`` (more than one row), ``strangers`` (records with a component that are no vertex),
        ``misnamed`` (components whose name is not their lowest record id), ``loose`` (components with fewer edges than
        records less one, which cannot hang together).
    """
    labels = found.groupBy("record_id").agg(
        F.min("component_id").alias("component_id"), F.count(F.lit(1)).alias("component_rows")
    )
    of_vertices = (
        vertices.select("record_id", F.lit(True).alias("is_vertex"))
        .distinct()
        .join(labels, on="record_id", how="full")
        .agg(
            _how_many(F.col("is_vertex") & F.col("component_id").isNull()).alias("vertices_without"),
            _how_many(F.col("component_rows") > 1).alias("vertices_twice"),
            _how_many(F.col("is_vertex").isNull()).alias("strangers"),
        )
    )
    members = labels.groupBy("component_id").agg(
        F.min("record_id").alias("lowest_record_id"), F.count(F.lit(1)).alias("records")
    )
    seen = F.coalesce(F.col("edges"), F.lit(0))
    all_seen = F.coalesce(F.sum("edges"), F.lit(0))
    of_components = (
        _edges_by_component(edges, labels)
        .join(members, on="component_id", how="full")
        .agg(
            _sum_of("edges_across"),
            _sum_of("edges_without"),
            F.abs(all_seen - (all_seen if edge_count is None else F.lit(edge_count))).alias("edges_miscounted"),
            _how_many(F.col("component_id") != F.col("lowest_record_id")).alias("misnamed"),
            _how_many(F.col("records") > seen + 1).alias("loose"),
        )
    )
    return of_components.crossJoin(of_vertices)


def _edges_by_component(edges: DataFrame, labels: DataFrame) -> DataFrame:
    """``component_id`` of the left end, and how many ``edges``, ``edges_across`` and ``edges_without`` it has."""
    left, right = (
        labels.select(
            F.col("record_id").alias(f"{side}_record_id"), F.col("component_id").alias(f"{side}_component_id")
        )
        for side in ("left", "right")
    )
    unlike = F.col("left_component_id") != F.col("right_component_id")
    no_end = F.col("left_component_id").isNull() | F.col("right_component_id").isNull()
    return (
        edges.select("left_record_id", "right_record_id")
        .join(left, on="left_record_id", how="left")
        .join(right, on="right_record_id", how="left")
        .groupBy(F.col("left_component_id").alias("component_id"))
        .agg(
            F.count(F.lit(1)).alias("edges"),
            _how_many(unlike).alias("edges_across"),
            _how_many(no_end).alias("edges_without"),
        )
    )


def _sum_of(name: str) -> Any:
    """A count over all components; 0 where there are none."""
    return F.coalesce(F.sum(name), F.lit(0)).alias(name)


def _how_many(claim: Any) -> Any:
    """Rows of which a claim holds."""
    return F.count(F.when(claim, F.lit(1)))
