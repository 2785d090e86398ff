"""How many links of a tier are false by the model's own reckoning: needs no truth."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

_MOST_BITS = 60.0
_PARTS = 1_000_000


def posterior(match_weight: Column, rival_posterior: Column) -> Column:
    """Chance that a link is right: 2^w / (1 + 2^w) times the pair's share among its rivals, 0 to 1.

    ``match_weight`` is log2 posterior odds of this pair against chance, prior included (Fellegi and
    Sunter 1969, "A theory for record linkage", JASA 64 (328), 1183-1210). The share among rivals
    enters as a factor: at most one of the employees proposed for a person record is that person.
    Beyond 60 bits the weight changes nothing any more and is cut, so that 2^w stays finite.
    """
    bits = F.least(F.greatest(match_weight, F.lit(-_MOST_BITS)), F.lit(_MOST_BITS))
    return rival_posterior / (F.lit(1.0) + F.pow(F.lit(2.0), -bits))


def expected_false_links(links: DataFrame) -> DataFrame:
    """Expected false links per tier: the sum over its links of 1 - posterior.

    The sum says how many false links the model knows of, taken as true what it was told; if its
    weights are too bold, so is this figure. It counts links before the policy's extra conditions,
    which can only make a tier purer.

    Args:
        links: LINK, any tiers. Reads ``tier``, ``match_weight`` (log2) and ``rival_posterior`` (0 to 1).

    Returns:
        One row per tier: ``tier`` STRING, ``links`` LONG, ``expected_false`` DOUBLE (in millionths,
        added as whole numbers so that the order of rows changes nothing).
    """
    false_parts = F.round((F.lit(1.0) - posterior(F.col("match_weight"), F.col("rival_posterior"))) * _PARTS)
    return (
        links.select(F.col("tier"), false_parts.cast("long").alias("false_parts"))
        .groupBy("tier")
        .agg(F.count(F.lit(1)).alias("links"), F.sum("false_parts").alias("false_parts"))
        .select("tier", "links", (F.col("false_parts") / F.lit(_PARTS)).alias("expected_false"))
    )
