"""The Spark session of a job. Everything that decides a plan stands in ``conf/spark``, not here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pyspark.sql import SparkSession

from linkage_spark.errors import UsageError
from linkage_spark.runs.tidying import tidied

_NEEDED = "spark.sql.catalog.spark_catalog"


@contextmanager
def open_session(app_name: str) -> Iterator[SparkSession]:
    """Give the session that ``scripts/submit.sh`` configured, and stop it afterwards.

    Raises:
        UsageError: when the job was started without the project's Spark settings.
    """
    spark = SparkSession.builder.appName(name=app_name).getOrCreate()
    with tidied("Spark's session", spark.stop):
        if "DeltaCatalog" not in (spark.conf.get(_NEEDED, "") or ""):
            raise UsageError(
                f"{app_name}: Spark runs without Delta; start jobs through scripts/submit.sh {app_name} -- …"
            )
        yield spark
