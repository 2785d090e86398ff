"""Scored pairs of person files × truth → lazy counts. ``pair_figures`` makes figures of the collected rows.

Truth of a link is the list of all its true pairs (``ref_l, ref_r``): a record that it does not name has no
partner, so a pair that is not in the list is false. Truth of a deduplication gives each record its
entity (``ref, entity``): a pair of one entity is true, and a pair with a record that the truth does not name is
*unlabelled*: counted, and left out of every figure that needs the truth.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from linkage_spark.evaluation.pair_figures import FINE_EDGES, PARTS

Kind = Literal["link", "dedupe"]
Row = Mapping[str, Any]

TRUTH_COLUMNS: dict[Kind, tuple[str, str]] = {"link": ("ref_l", "ref_r"), "dedupe": ("ref", "entity")}
"""What a truth must hold."""


def mark_pairs(pairs: DataFrame, truth: DataFrame | None, kind: Kind) -> DataFrame:
    """Add ``is_true`` to pairs of records.

    Args:
        pairs: one row per pair; reads ``ref_l`` and ``ref_r``. For dedupe either may come first.
        truth: link ``ref_l``, ``ref_r``; dedupe ``ref``, ``entity``; rows with a null or empty value say nothing.
            None: no truth is known.
        kind: 'link' or 'dedupe'.

    Returns:
        All columns of ``pairs`` and ``is_true`` BOOLEAN; null when unlabelled. As many rows as ``pairs``.
    """
    if truth is None:
        return pairs.withColumn("is_true", F.lit(None).cast("boolean"))
    known = clean_truth(truth, kind)
    keyed = pairs.withColumns({"_key_l": _text("ref_l"), "_key_r": _text("ref_r")})
    if kind == "link":
        listed = known.select(
            F.col("ref_l").alias("_key_l"), F.col("ref_r").alias("_key_r"), F.lit(True).alias("_true")
        )
        keyed = keyed.join(listed, on=["_key_l", "_key_r"], how="left")
        return keyed.select(*pairs.columns, F.coalesce("_true", F.lit(False)).alias("is_true"))
    for side in ("l", "r"):
        entity = known.select(F.col("ref").alias(f"_key_{side}"), F.col("entity").alias(f"_entity_{side}"))
        keyed = keyed.join(entity, on=f"_key_{side}", how="left")
    return keyed.select(*pairs.columns, (F.col("_entity_l") == F.col("_entity_r")).alias("is_true"))


def clean_truth(truth: DataFrame, kind: Kind) -> DataFrame:
    """The truth as text without outer blanks, without rows that lack a value, each row once."""
    names = TRUTH_COLUMNS[kind]
    texts = truth.select(*[_text(name).alias(name) for name in names])
    return texts.where(_whole(names)).distinct()


def _text(name: str) -> Column:
    """A ref as text without outer blanks, as both truth and records are compared."""
    return F.trim(F.col(name).cast("string"))


def _whole(names: tuple[str, str]) -> Column:
    """True when both values are there; never null."""
    one, other = (F.coalesce(_text(name), F.lit("")) != "" for name in names)
    return one & other


def count_truth_faults(truth: DataFrame, kind: Kind) -> DataFrame:
    """One row on what is wrong with a truth.

    Returns:
        ``rows``, ``incomplete`` (a value is null or empty) and ``contradicting`` (refs that stand under
        more than one entity; 0 for link), all LONG.
    """
    known = clean_truth(truth, kind)
    lacking = (~_whole(TRUTH_COLUMNS[kind])).cast("long")
    rows = truth.agg(F.count(F.lit(1)).alias("rows"), F.coalesce(F.sum(lacking), F.lit(0)).alias("incomplete"))
    if kind == "link":
        return rows.withColumn("contradicting", F.lit(0).cast("long"))
    twice = known.groupBy("ref").count().where("count > 1").agg(F.count(F.lit(1)).alias("contradicting"))
    return rows.crossJoin(twice)


def truth_faults(row: Row, source: str) -> list[str]:
    """Sentences on ``count_truth_faults``' row; empty when the truth can be used."""
    faults: list[str] = []
    if row["rows"] == 0:
        faults.append(f"{source} holds no rows; leave --truth out, or give the true pairs")
    elif row["rows"] == row["incomplete"]:
        faults.append(f"{source}: every row lacks a value")
    if row["contradicting"]:
        faults.append(f"{source}: {row['contradicting']:,} refs stand under more than one entity; keep one each")
    return faults


SAMPLE_FROM, SAMPLE_LEAST = 0.25, 10
"""From this share of the linked pairs on that touch no record of a truth, and this many, it may be a sample only."""


def truth_warnings(row: Row, source: str) -> list[str]:
    """Sentences on what the truth and the files do not know of each other.

    Args:
        row: ``count_truth``'s row; ``unread``: side -> ``count_unread_refs``' row; and of ``count_outside_truth``.
        source: what the truth is called.
    """
    read, pairs = row["true_pairs_read"], row["true_pairs"]
    found: list[str] = []
    unread = [text for side, counts in row.get("unread", {}).items() for text in _unread_words(side, counts)]
    because = f" ({'; '.join(unread)})" if unread else ""
    if read == 0 and pairs:
        found.append(
            f"{source}: none of its {pairs:,} true pairs has both records in the files{because}; "
            "are its refs those of the files?"
        )
    elif read is not None and read < pairs:
        found.append(
            f"{source}: {pairs - read:,} of its {pairs:,} true pairs lack a record that was read and count as missed{because}"
        )
    elif unread:
        found.append(f"{source}: it names records that were not read{because}")
    outside, linked = row.get("outside", 0), row.get("linked", 0)
    if outside >= max(SAMPLE_FROM * linked, SAMPLE_LEAST):
        found.append(
            f"{source}: {outside:,} of {linked:,} linked pairs touch no record that it names, and count as false; if it "
            "is a sample, precision and F1 say nothing: cut the files to the records whose truth is known"
        )
    return found


def _unread_words(side: str, counts: Row) -> list[str]:
    """Which refs of a truth were not read, and why."""
    kinds = (("refused", "were kept out, see refused.csv"), ("unknown", "stand in no row of the file"))
    return [f"{side}: {counts[name]:,} of its refs {words}" for name, words in kinds if counts[name]]


def count_unread_refs(truth: DataFrame, column: str, *, records: DataFrame, refused: DataFrame) -> DataFrame:
    """Refs of a truth that no record has: one row.

    Args:
        truth: as in ``mark_pairs``.
        column: ``ref``, ``ref_l`` or ``ref_r``.
        records: ``ref`` of the records that take part.
        refused: ``ref`` of rows that were kept out; nulls say nothing.

    Returns:
        ``refused`` and ``unknown`` LONG: refs of which every row was kept out, and refs in no row.
    """
    known = clean_truth(truth, "dedupe" if column == "ref" else "link").select(F.col(column).alias("ref")).distinct()
    absent = known.join(records.select(_text("ref").alias("ref")), on="ref", how="left_anti")
    kept_out = refused.select(_text("ref").alias("ref"), F.lit(True).alias("kept_out")).distinct()
    marked = absent.join(kept_out, on="ref", how="left")
    return marked.agg(
        F.count_if(F.col("kept_out").isNotNull()).alias("refused"),
        F.count_if(F.col("kept_out").isNull()).alias("unknown"),
    )


def count_outside_truth(linked: DataFrame, truth: DataFrame, kind: Kind) -> DataFrame:
    """Linked pairs of which a link's truth names neither record: one row, ``linked`` and ``outside`` LONG.

    For dedupe ``outside`` is 0: such pairs are unlabelled, and no figure counts them.
    """
    if kind == "dedupe":
        return linked.agg(F.count(F.lit(1)).alias("linked")).withColumn("outside", F.lit(0).cast("long"))
    known, pairs = clean_truth(truth, kind), linked.select(_text("ref_l").alias("ref_l"), _text("ref_r").alias("ref_r"))
    for name in ("ref_l", "ref_r"):
        named = known.select(name).distinct().withColumn(f"named_{name}", F.lit(True))
        pairs = pairs.join(named, on=name, how="left")
    neither = F.col("named_ref_l").isNull() & F.col("named_ref_r").isNull()
    return pairs.agg(F.count(F.lit(1)).alias("linked"), F.count_if(neither).alias("outside"))


def count_truth(
    truth: DataFrame, kind: Kind, *, left: DataFrame | None = None, right: DataFrame | None = None
) -> DataFrame:
    """How many pairs are true: one row.

    For dedupe n·(n - 1)/2 is summed over the entities; no pair is written out.

    Args:
        truth: as in ``mark_pairs``.
        kind: 'link' or 'dedupe'.
        left: records that take part, ``ref`` unique; for dedupe the one file. None: not told apart.
        right: the right file's; link only.

    Returns:
        ``true_pairs`` and ``true_pairs_read`` LONG: those whose two records take part; null when ``left`` is None.
    """
    known = clean_truth(truth, kind)
    read = known
    if kind == "link":
        for side, records in (("l", left), ("r", right)):
            if records is not None:
                read = read.join(records.select(_text("ref").alias(f"ref_{side}")), on=f"ref_{side}", how="left_semi")
    elif left is not None:
        read = read.join(left.select(_text("ref").alias("ref")), on="ref", how="left_semi")
    of_read = _count_pairs(read, kind, "true_pairs_read")
    if left is None:
        of_read = of_read.select(F.lit(None).cast("long").alias("true_pairs_read"))
    return _count_pairs(known, kind, "true_pairs").crossJoin(of_read)


def _count_pairs(known: DataFrame, kind: Kind, name: str) -> DataFrame:
    if kind == "link":
        return known.agg(F.count(F.lit(1)).alias(name))
    pairs = (F.col("count") * (F.col("count") - 1) / 2).cast("long")
    return known.groupBy("entity").count().agg(F.coalesce(F.sum(pairs), F.lit(0)).cast("long").alias(name))


def count_true_candidates(candidates: DataFrame, truth: DataFrame, kind: Kind) -> DataFrame:
    """True pairs among the candidates: one row, ``true_candidates`` LONG; a pair proposed twice counts once."""
    true = mark_pairs(candidates.select("ref_l", "ref_r"), truth, kind).where("is_true")
    low, high = F.col("ref_l"), F.col("ref_r")
    if kind == "dedupe":
        low, high = F.least("ref_l", "ref_r"), F.greatest("ref_l", "ref_r")
    return true.select(low.alias("low"), high.alias("high")).distinct().agg(F.count(F.lit(1)).alias("true_candidates"))


def count_by_threshold(marked: DataFrame) -> DataFrame:
    """Scored pairs counted by truth, decision, bin of probability and whole bit of weight: a few hundred rows.

    Args:
        marked: from ``mark_pairs``; reads ``is_true``, ``linked`` BOOLEAN, ``match_probability`` (0 to 1) and
            ``match_weight`` (log2); one row per pair.

    Returns:
        ``is_true`` (null: unlabelled), ``linked``, ``probability_bin`` INT (place in PROBABILITY_EDGES),
        ``weight_bit`` LONG (the weight rounded down), ``pairs`` LONG, ``probability_parts`` LONG: the sum of the
        probabilities in thousand-millionths, added as whole numbers so that the order of rows changes nothing.
    """
    parts = F.round(F.col("match_probability") * PARTS).cast("long")
    return (
        marked.select(
            "is_true",
            "linked",
            _probability_bin(F.col("match_probability")).alias("probability_bin"),
            F.floor("match_weight").cast("long").alias("weight_bit"),
            parts.alias("probability_parts"),
        )
        .groupBy("is_true", "linked", "probability_bin", "weight_bit")
        .agg(F.count(F.lit(1)).alias("pairs"), F.sum("probability_parts").alias("probability_parts"))
    )


def _probability_bin(probability: Column) -> Column:
    """The place of the greatest edge that is not above ``probability``, exact on the edges themselves.

    p·100 can round to the other side of an edge, so the two edges about it are compared once more.
    """
    near = F.floor(probability * F.lit(100)).cast("int")
    above = (near + F.lit(1)) / F.lit(100.0) <= probability
    below = near / F.lit(100.0) > probability
    hundredth = near + above.cast("int") - below.cast("int")
    place = F.greatest(F.lit(0), F.least(F.lit(99), hundredth))
    for number, edge in enumerate(FINE_EDGES, start=100):
        place = F.when(probability >= F.lit(edge), F.lit(number)).otherwise(place)
    return place
