"""How often names, dates of birth and postcodes occur among police person records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from linkage_spark.model.frequencies import (
    WHOLE_NAME,
    AttributeFrequencies,
    Frequencies,
    WholeNameFrequencies,
)
from linkage_spark.tables.linkage import FREQUENCY

RARER = ""
"""The value of the row that holds the one share of all values with too few bearers."""

PRIOR_BEARERS = 1.0
"""How sure it is beforehand that a whole name is as common as its parts say: as after this many bearers. Between 0.1 and 3 it
moves next to nothing (docs/matching.md)."""


def _known_values() -> Column:
    """One (attribute, value) per attribute; value is null where the record has none."""
    values = (
        ("given", F.col("given_first")),
        ("surname", F.col("surname_last")),
        ("date_of_birth", F.date_format(F.col("date_of_birth"), "yyyy-MM-dd")),
        ("postcode", F.col("postcode")),
    )
    return F.array(*[F.struct(F.lit(name).alias("attribute"), value.alias("value")) for name, value in values])


def _whole_name() -> Column:
    """given_first and surname_last with a blank between; null where either is."""
    return F.concat(F.col("given_first"), F.lit(" "), F.col("surname_last"))


def count_frequencies(history: DataFrame, *, min_bearers: int) -> DataFrame:
    """Count the bearers of each value; values with fewer than ``min_bearers`` share one row.

    Of a whole name the bearers are the different dates of birth that it is recorded with: a person with many records
    does not make their own name common, though one recorded with ten dates would. Rarer whole names have no row: they are as common as their parts say.

    Args:
        history: PERSON rows of the police; only rows of the record itself (``variant_no`` 0) count.
        min_bearers: bearers from which a value keeps a row of its own, so that erasing a person
            never changes a model.

    Returns:
        FREQUENCY without ``model_id``: ``attribute``, ``value`` (``given_first``, ``surname_last``, the
        ISO date, the postcode, the whole name), ``bearers`` in records, of whole names in dates of birth,
        ``share`` of all records that have a value, or of all whole names with a date of birth.
        The row ``value = ''`` stands for every rarer value: ``bearers`` is the sum over all of them, at
        least 1, and ``share`` is the mean share of one of them. It is absent when no value is rarer.
    """
    recorded = history.where("variant_no = 0")
    each = recorded.select(F.explode(_known_values()).alias("known")).select("known.*")
    counted = each.where("value is not null").groupBy("attribute", "value").agg(F.count(F.lit(1)).alias("bearers"))
    counted = counted.unionByName(_count_whole_names(recorded))
    kept_value = F.when(F.col("bearers") >= min_bearers, F.col("value")).otherwise(F.lit(RARER))
    pooled = (
        counted.select("attribute", kept_value.alias("value"), "bearers")
        .groupBy("attribute", "value")
        .agg(F.sum("bearers").alias("bearers"), F.count(F.lit(1)).alias("values"))
    )
    total = F.sum("bearers").over(Window.partitionBy("attribute"))
    shared = pooled.withColumn("share", F.col("bearers") / F.col("values") / total)
    has_row = (F.col("attribute") != WHOLE_NAME) | (F.col("value") != RARER)
    return shared.where(has_row).select(*[F.col(name) for name in FREQUENCY.names if name != "model_id"])


def _count_whole_names(recorded: DataFrame) -> DataFrame:
    """attribute, value, bearers: dates of birth per whole name."""
    known = recorded.select(_whole_name().alias("value"), "date_of_birth").where(
        "value is not null and date_of_birth is not null"
    )
    names = known.distinct().groupBy("value").agg(F.count(F.lit(1)).alias("bearers"))
    return names.select(F.lit(WHOLE_NAME).alias("attribute"), "value", "bearers")


def count_values(persons: DataFrame, *, further: Sequence[str] = ()) -> DataFrame:
    """Count the bearers of every value in an analyst's files, however few.

    Args:
        persons: PERSON rows of all files together, with the further columns.
        further: columns of further attributes.

    Returns:
        ``attribute``, ``value``, ``bearers`` in records: one row per value, whole names among them.
    """
    columns = {WHOLE_NAME: _whole_name(), **{name: F.col(name) for name in further}}
    more = [F.struct(F.lit(name).alias("attribute"), value.alias("value")) for name, value in columns.items()]
    known = F.concat(_known_values(), F.array(*more))
    each = persons.select(F.explode(known).alias("known")).select("known.*").where("value is not null")
    return each.groupBy("attribute", "value").agg(F.count(F.lit(1)).alias("bearers"))


def count_agreement(left: DataFrame, right: DataFrame | None, *, columns: Sequence[str]) -> DataFrame:
    """How often two records agree on a column, over all pairs in which both have a value.

    Args:
        left: records with ``columns``.
        right: those of the other file; None: pairs of ``left``'s own records.
        columns: columns of text.

    Returns:
        ``attribute`` and ``share`` (0 to 1) DOUBLE: the sum over values of l·r / (L·R) with l and r the records that
        bear it and L and R all that have one; of one file the sum of n·(n - 1) / (N·(N - 1)). No row for a column
        that is never filled on both sides.
    """
    both = _bearers(left, columns, "l")
    if right is None:
        one, other = F.col("l"), F.col("l") - 1
        agreeing, pairs = F.sum(one * other), F.sum(one) * (F.sum(one) - 1)
    else:
        both = both.join(_bearers(right, columns, "r"), on=["attribute", "value"], how="full")
        one, other = F.coalesce("l", F.lit(0)), F.coalesce("r", F.lit(0))
        agreeing, pairs = F.sum(one * other), F.sum(one) * F.sum(other)
    summed = both.groupBy("attribute").agg(agreeing.alias("agreeing"), pairs.alias("pairs"))
    return summed.where("pairs > 0").select("attribute", (F.col("agreeing") / F.col("pairs")).alias("share"))


def _bearers(records: DataFrame, columns: Sequence[str], name: str) -> DataFrame:
    """attribute, value, and how many records bear it, as DOUBLE."""
    known = F.array(*[F.struct(F.lit(at).alias("attribute"), F.col(at).alias("value")) for at in columns])
    each = records.select(F.explode(known).alias("known")).select("known.*").where("value is not null")
    return each.groupBy("attribute", "value").agg(F.count(F.lit(1)).cast("double").alias(name))


def frequencies_of(
    counts: Iterable[tuple[str, str, int]], copies: Mapping[tuple[str, str], float] | None = None
) -> Frequencies:
    """Frequencies out of collected ``count_values`` rows, corrected for a person's own copies.

    The share of a value is the chance that a record of *another* person bears it:
    f = (c - 1 - own + 0.5) / n, at least 0.5 / n, with c its bearers, n all records with a value, and own the
    further records expected of a bearer's own person: 2 / c times the summed match probability of candidate
    pairs that agree on it (docs/matching.md). The chance agreement is the sum of c / n times f.

    A whole name's share is drawn towards the product π of its parts' shares, which is what is known of a name that one
    record bears: f = (x + a) / (n + a / π) with x = max(c - 1 - own, 0) and a = PRIOR_BEARERS, the mean of a Gamma
    distribution of shape a and mean π after x bearers among n (Gelman et al., Bayesian Data Analysis, 3rd ed., 2.6).

    Args:
        counts: (attribute, value, bearers).
        copies: summed match probabilities by (attribute, value); None for none.
    """
    bearers: dict[str, dict[str, int]] = {}
    for attribute, value, count in sorted(counts):
        bearers.setdefault(attribute, {})[value] = count
    tables = {}
    for attribute, values in bearers.items():
        records = sum(values.values())
        shares = {}
        for value, count in values.items():
            own = 2.0 * (copies or {}).get((attribute, value), 0.0) / count
            shares[value] = max(count - 1 - own, 0.0) + 0.5
        chance = sum(values[value] * share for value, share in shares.items()) / (records * records)
        tables[attribute] = AttributeFrequencies(
            shares={value: share / records for value, share in shares.items()},
            rare_share=0.5 / records,
            records=float(records),
            chance_agreement=chance,
        )
    if WHOLE_NAME in tables:
        tables[WHOLE_NAME] = _whole_names(bearers[WHOLE_NAME], tables, copies or {})
    return Frequencies(tables)


def _whole_names(
    bearers: Mapping[str, int], tables: Mapping[str, AttributeFrequencies], copies: Mapping[tuple[str, str], float]
) -> WholeNameFrequencies:
    """Shares of whole names, drawn towards the product of their parts' shares."""
    records = float(sum(bearers.values()))
    given, surname = tables["given"], tables["surname"]
    shares = {}
    for value, count in bearers.items():
        first, _, last = value.partition(" ")
        product = given.share(first) * surname.share(last)
        others = max(count - 1 - 2.0 * copies.get((WHOLE_NAME, value), 0.0) / count, 0.0)
        shares[value] = (others + PRIOR_BEARERS) / (records + PRIOR_BEARERS / product)
    chance = sum(bearers[value] * share for value, share in shares.items()) / records
    return WholeNameFrequencies.of(shares, records=records, chance_agreement=chance, given=given, surname=surname)
