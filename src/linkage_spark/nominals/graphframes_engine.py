"""Connected components by GraphFrames, for graphs that no driver holds; leaves the session as it found it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from py4j.protocol import Py4JJavaError  # type: ignore[import-untyped]
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from linkage_spark.errors import SettingsError
from linkage_spark.kit.refusing import never_refuses
from linkage_spark.nominals.engines import COMPONENT_SCHEMA, EngineName

_CLASSES = {
    "org.graphframes.GraphFramePythonAPI": "io.graphframes:graphframes",
    "org.apache.spark.graphframes.graphx.Graph": "io.graphframes:graphframes-graphx",
}
"""A class of each jar."""

_ROUNDS = "rounds"
_COMPONENTS = "components"


def missing_graphframes(spark: SparkSession) -> str:
    """One sentence that says what of GraphFrames is missing; '' when all is there."""
    missing = [] if find_spec("graphframes") else ["the Python package graphframes-py"]
    line = "spark3_2.12" if spark.version.startswith("3.") else "spark4_2.13"
    loader = _java(spark).jvm.java.lang.Thread.currentThread().getContextClassLoader()
    for name, jar in _CLASSES.items():
        try:
            loader.loadClass(name)
        except Py4JJavaError:
            missing.append(f"the jar {jar}-{line}")
    if not missing:
        return ""
    return (
        f"GraphFrames is not there: install {' and '.join(missing)} (jars in spark.jars, of the package's own version), "
        'or set [nominals] engine = "driver"'
    )


@dataclass(frozen=True)
class GraphFramesEngine:
    """GraphFrames' two-phase algorithm.

    Attributes:
        checkpoint_dir: folder of this run alone, on a file system that every executor reaches; the run deletes it at its
            end. GraphFrames' checkpoints lie in it while it works; the result stays there as Parquet. '' is for one
            machine and no folder: checkpoints are local, which was several times slower, and the result comes by way
            of the driver, 16 bytes a record.
        broadcast_threshold: neighbours from which a record is joined by broadcast. Positive: -1 with reliable
            checkpoints was reported to give wrong components (graphframes issue 872).
        refuse: called before a file in that folder is written or deleted; raises where another run may work there by now.
            GraphFrames' own checkpoints are written without asking.
    """

    checkpoint_dir: str = ""
    broadcast_threshold: int = 1_000_000
    name: EngineName = "graphframes"
    refuse: Callable[[], None] = never_refuses

    def __post_init__(self) -> None:
        if self.broadcast_threshold < 1:
            raise ValueError(f"broadcast_threshold {self.broadcast_threshold}: it must be positive")

    def components(self, edges: DataFrame) -> DataFrame:
        """See ``ComponentEngine``; the session, and what it had cached, are as before, also after an error.

        Raises:
            SettingsError: the package or a jar is missing; the message names it and the remedy.
        """
        spark = edges.sparkSession
        if missing := missing_graphframes(spark):
            raise SettingsError(missing)
        from graphframes import GraphFrame  # here, because the package is optional

        pairs = edges.select(F.col("left_record_id").alias("src"), F.col("right_record_id").alias("dst"))
        vertices = pairs.select(F.explode(F.array("src", "dst")).alias("id")).distinct()
        with _settings_kept(spark), _cache_kept(spark), _checkpoints_in(spark, self.checkpoint_dir, self.refuse):
            found = GraphFrame(vertices, pairs).connectedComponents(
                algorithm="two_phase",
                checkpointInterval=2,
                broadcastThreshold=self.broadcast_threshold,
                useLabelsAsComponents=False,
                use_local_checkpoints=not self.checkpoint_dir,
            )
            try:
                return self._kept(
                    found.select(F.col("id").alias("record_id"), F.col("component").alias("component_id"))
                )
            finally:
                found.unpersist(blocking=True)

    def _kept(self, found: DataFrame) -> DataFrame:
        """The result where it outlives what GraphFrames cached."""
        spark = found.sparkSession
        if not self.checkpoint_dir:
            return spark.createDataFrame(found.toPandas(), schema=COMPONENT_SCHEMA)
        place = _free_folder(spark, self.checkpoint_dir)
        self.refuse()
        found.write.parquet(path=place)
        return spark.read.schema(COMPONENT_SCHEMA).parquet(place)


@dataclass(frozen=True)
class _Java:
    """Spark's own objects behind the session; typed loosely, as they are not part of PySpark's interface."""

    jvm: Any
    context: Any
    session: Any


def _java(spark: SparkSession) -> _Java:
    inner: Any = spark
    return _Java(jvm=inner._jvm, context=inner.sparkContext._jsc, session=inner._jsparkSession)


def _settings(spark: SparkSession) -> Mapping[str, str]:
    """Every setting that the session has been told; one code path for Spark 3.5 and 4."""
    entries = _java(spark).session.conf().getAll().iterator()
    found: dict[str, str] = {}
    while entries.hasNext():
        entry = entries.next()
        found[entry._1()] = entry._2()
    return found


@contextmanager
def _settings_kept(spark: SparkSession) -> Iterator[None]:
    """Afterwards every setting is what it was; one that was not there is gone again."""
    before = _settings(spark)
    try:
        yield
    finally:
        after = _settings(spark)
        for key in sorted(before.keys() | after.keys()):
            if key not in before:
                spark.conf.unset(key)
            elif before[key] != after.get(key):
                spark.conf.set(key, before[key])


@contextmanager
def _cache_kept(spark: SparkSession) -> Iterator[None]:
    """Afterwards nothing is persisted that was not before: GraphFrames leaves its result and its local checkpoints.

    After an error its frames stay registered as well. Spark has no public way to strike out some of them: all are, where there
    were none before; elsewhere names without data stay behind.
    """
    java = _java(spark)
    registered = java.session.sharedState().cacheManager()
    before, none_registered = set(java.context.getPersistentRDDs()), registered.isEmpty()
    try:
        yield
    finally:
        if none_registered and not registered.isEmpty():
            spark.catalog.clearCache()
        persisted = java.context.getPersistentRDDs()
        for number in set(persisted) - before:
            persisted[number].unpersist(True)


@contextmanager
def _checkpoints_in(spark: SparkSession, folder: str, refuse: Callable[[], None]) -> Iterator[None]:
    """GraphFrames' checkpoints lie in a folder of their own, which is deleted; then the context has its own folder again."""
    if not folder:
        yield
        return
    context = _java(spark).context.sc()
    before, rounds = context.getCheckpointDir(), f"{folder}/{_ROUNDS}"
    try:
        spark.sparkContext.setCheckpointDir(rounds)
        yield
    finally:
        getattr(context, "checkpointDir_$eq")(before)
        path, system = _path(spark, rounds)
        refuse()
        system.delete(path, True)


def _path(spark: SparkSession, name: str) -> tuple[Any, Any]:
    """A path and its file system."""
    java = _java(spark)
    path = java.jvm.org.apache.hadoop.fs.Path(name)
    return path, path.getFileSystem(java.context.hadoopConfiguration())


def _free_folder(spark: SparkSession, folder: str) -> str:
    """The first of components-1, components-2 … that is not there: a run may ask more than once."""
    number = 1
    while True:
        place = f"{folder}/{_COMPONENTS}-{number}"
        path, system = _path(spark, place)
        if not system.exists(path):
            return place
        number += 1
