"""What a stage may not change of a Spark session."""

from __future__ import annotations

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
