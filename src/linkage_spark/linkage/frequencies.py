"""How often names, dates of birth and postcodes occur among police person records."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from linkage_spark.tables.linkage import FREQUENCY

RARER = ""
"""The value of the row that holds the one share of all values with too few bearers."""


def _known_values() -> Column:
    """One (attribute, value) per attribute; value is null where the record has none."""
    values = (
        ("given", F.col("given_first")),
        ("surname", F.col("surname_last")),
        ("date_of_birth", F.date_format(F.col("date_of_birth"), "yyyy-MM-dd")),
        ("postcode", F.col("postcode")),
    )
    return F.array(*[F.struct(F.lit(name).alias("attribute"), value.alias("value")) for name, value in values])


def count_frequencies(history: DataFrame, *, min_bearers: int) -> DataFrame:
    """Count the bearers of each value; values with fewer than ``min_bearers`` share one row.

    Args:
        history: PERSON rows of the police; only rows of the record itself (``variant_no`` 0) count.
        min_bearers: bearers from which a value keeps a row of its own, so that erasing a person
            never changes a model.

    Returns:
        FREQUENCY without ``model_id``: ``attribute``, ``value`` (``given_first``, ``surname_last``, the
        ISO date, the postcode), ``bearers`` in records, ``share`` of the records that have a value.
        The row ``value = ''`` stands for every rarer value: ``bearers`` is the sum over all of them, at
        least 1, and ``share`` is the mean share of one of them. It is absent when no value is rarer.
    """
    each = history.where("variant_no = 0").select(F.explode(_known_values()).alias("known")).select("known.*")
    counted = each.where("value is not null").groupBy("attribute", "value").agg(F.count(F.lit(1)).alias("bearers"))
    kept_value = F.when(F.col("bearers") >= min_bearers, F.col("value")).otherwise(F.lit(RARER))
    pooled = (
        counted.select("attribute", kept_value.alias("value"), "bearers")
        .groupBy("attribute", "value")
        .agg(F.sum("bearers").alias("bearers"), F.count(F.lit(1)).alias("values"))
    )
    total = F.sum("bearers").over(Window.partitionBy("attribute"))
    return pooled.withColumn("share", F.col("bearers") / F.col("values") / total).select(
        *[F.col(name) for name in FREQUENCY.names if name != "model_id"]
    )
