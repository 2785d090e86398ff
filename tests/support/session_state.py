"""What a stage may not change of a Spark session, and what a test may change for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def session_state(spark: SparkSession) -> dict[str, Any]:
    """All settings, what is persisted or cached, and the folder of checkpoints."""
    inner: Any = spark
    return {
        "settings": dict(spark.conf.getAll),
        "persisted": sorted(inner.sparkContext._jsc.getPersistentRDDs()),
        "nothing_cached": inner._jsparkSession.sharedState().cacheManager().isEmpty(),
        "checkpoints": inner.sparkContext._jsc.sc().getCheckpointDir().toString(),
    }


#: Tiny frames under long plans: interpreting them is quicker than compiling them.
INTERPRETED = {"spark.sql.codegen.wholeStage": "false", "spark.sql.codegen.factoryMode": "NO_CODEGEN"}
#: As a job runs them.
COMPILED = {"spark.sql.codegen.wholeStage": "true", "spark.sql.codegen.factoryMode": "FALLBACK"}


@contextmanager
def settings(spark: SparkSession, **values: str) -> Iterator[None]:
    """Session settings for a while."""
    were = {name: spark.conf.get(name) for name in values}
    try:
        for name, value in values.items():
            spark.conf.set(name, value)
        yield
    finally:
        for name, value in were.items():
            spark.conf.set(name, str(value))
