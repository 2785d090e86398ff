"""How many links of a tier are false by the model's own reckoning: needs no truth."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

_PARTS = 1_000_000


def match_probability() -> Column:
    """Chance that a link is right, 0 to 1: LINK's ``rival_posterior``.

    It is a posterior already: odds 2^match_weight, prior included, against no match and against every rival
    (``linkage.rivals``); without a rival it is 2^w / (1 + 2^w) but for the share of records that are an employee's.
    To multiply it by that once more would count the chance of no match twice.
    """
    return F.greatest(F.lit(0.0), F.least(F.lit(1.0), F.col("rival_posterior")))


def expected_false_links(links: DataFrame) -> DataFrame:
    """Expected false links per tier: the sum over its links of 1 - ``match_probability``.

    The sum says how many false links the model knows of, taken as true what it was told; if its
    weights are too bold, so is this figure. It counts links before the policy's extra conditions,
    which can only make a tier purer.

    Args:
        links: LINK, any tiers. Reads ``tier`` and ``rival_posterior`` (0 to 1).

    Returns:
        One row per tier: ``tier`` STRING, ``links`` LONG, ``expected_false`` DOUBLE (in millionths,
        added as whole numbers so that the order of rows changes nothing).
    """
    false_parts = F.round((F.lit(1.0) - match_probability()) * _PARTS)
    return (
        links.select(F.col("tier"), false_parts.cast("long").alias("false_parts"))
        .groupBy("tier")
        .agg(F.count(F.lit(1)).alias("links"), F.sum("false_parts").alias("false_parts"))
        .select("tier", "links", (F.col("false_parts") / F.lit(_PARTS)).alias("expected_false"))
    )
