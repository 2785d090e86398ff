"""Clusters of one person file: average linkage inside the components of its linked pairs, on the driver."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from linkage_spark.evaluation.cluster_figures import cluster_sizes
from linkage_spark.model.schema import MISSING, PARTIAL_DATE_LEVELS
from linkage_spark.nominals.average_linkage import CLIP_BITS, average_linkage
from linkage_spark.nominals.components import components
from linkage_spark.runs.file_task import FileRun

MOST_PAIRS_INSIDE = 3_000_000
"""Up to this many compared pairs inside components come to the driver (a minute of work and 2 GB at most)."""

CLUSTER_CUTS = (0.5, 0.8, 0.9, 0.95, 0.99, 0.999)
"""Probabilities at which the components of pairs are measured against a truth, beside the clusters."""

Codes = np.ndarray[Any, np.dtype[np.int64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True)
class Graph:
    """Refs of all records in order, and the linked pairs as positions in them.

    Attributes:
        refs: every record.
        left, right, probability: pairs that some cut may accept: every linked pair.
        millibits: what each of them weighs, 1/1000 bit.
        dated: both records of a pair have a full date of birth.
        named: both have a given name.
        labels: cluster of every record, as the position of its lowest ref.
    """

    refs: pd.Index
    left: Codes
    right: Codes
    probability: np.ndarray[Any, np.dtype[np.float64]]
    millibits: Codes
    dated: Flags
    named: Flags
    labels: Codes

    def members(self, spark: SparkSession) -> DataFrame:
        """Every record with its cluster, named by the lowest ref in it: ``ref``, ``cluster_id``."""
        return _members(spark, self.refs, self.labels)

    def joined(self, spark: SparkSession, cut: float) -> DataFrame:
        """The same of the connected components of pairs at or above a probability."""
        kept = self.probability >= cut
        return _members(spark, self.refs, components(self.left[kept], self.right[kept], len(self.refs)))


def _members(spark: SparkSession, refs: pd.Index, labels: Codes) -> DataFrame:
    frame = pd.DataFrame({"ref": refs.to_numpy(), "cluster_id": refs.to_numpy()[labels]})
    return spark.createDataFrame(frame, schema="ref string, cluster_id string")


def cluster(run: FileRun, persons: DataFrame, candidates: DataFrame, decided: DataFrame) -> Graph:
    """Clusters of the records; only linked pairs, and pairs inside one component of them, come to the driver.

    Args:
        run: notes the figures.
        persons: every record, ``person_ref``.
        candidates: pairs that were compared, ``person_ref_l``, ``person_ref_r``.
        decided: those above the floor, with ``match_weight``, ``match_probability`` and levels.
    """
    with run.progress.stage("cluster") as stage:
        refs = pd.Index(persons.select("person_ref").orderBy("person_ref").toPandas()["person_ref"]).sort_values()
        accepted = decided.where(F.col("match_probability") >= F.lit(min(CLUSTER_CUTS)))
        dated = ~F.col("level_date_of_birth").isin(MISSING, *PARTIAL_DATE_LEVELS)
        flags = dated.alias("dated"), (F.col("level_given") != MISSING).alias("named")
        pairs = accepted.select("ref_l", "ref_r", "match_weight", "match_probability", *flags).toPandas()
        left, right = (refs.get_indexer(pairs[name]).astype(np.int64) for name in ("ref_l", "ref_r"))
        probability = pairs["match_probability"].to_numpy(dtype=np.float64)
        millibits = np.rint(pairs["match_weight"].to_numpy(dtype=np.float64) * 1000).astype(np.int64)
        cuts = {cut: components(left[probability >= cut], right[probability >= cut], len(refs)) for cut in CLUSTER_CUTS}
        labels, cut = _clustered(run.spark, refs, cuts, candidates, decided)
        if cut != CLUSTER_CUTS[0]:
            run.summary["warnings"].append(
                f"the linked pairs hang together too widely to be clustered as they are; clusters lie inside components of "
                f"pairs from a probability of {cut:g} on: train the model, or map more columns"
            )
        known = {name: pairs[name].to_numpy(dtype=np.bool_) for name in ("dated", "named")}
        graph = Graph(
            refs=refs, left=left, right=right, probability=probability, millibits=millibits, labels=labels, **known
        )
        largest = int(np.bincount(cuts[CLUSTER_CUTS[0]]).max()) if len(refs) else 0
        run.summary["clusters"] = {"largest_component": largest}
        note_sizes(run, graph)
        stage.counts["clusters"] = run.summary["clusters"]["clusters"]
    return graph


def note_sizes(run: FileRun, graph: Graph) -> None:
    """The sizes of the clusters, into the summary."""
    counted = Counter(np.unique(graph.labels, return_counts=True)[1].tolist())
    sizes = cluster_sizes({"size": size, "clusters": clusters} for size, clusters in counted.items())
    run.summary["clusters"] = {**sizes, "largest_component": run.summary["clusters"]["largest_component"]}


def _clustered(
    spark: SparkSession, refs: pd.Index, cuts: Mapping[float, Codes], candidates: DataFrame, decided: DataFrame
) -> tuple[Codes, float]:
    """Average linkage inside the components of the lowest cut whose pairs fit on the driver, and that cut.

    Components of the highest cut are taken as they are when even their pairs do not fit.
    """
    for cut, together in cuts.items():
        large = np.flatnonzero(np.bincount(together, minlength=len(refs))[together] > 2)
        if not large.size:
            return together, cut
        inside = _pairs_inside(spark, refs, together, large, candidates, decided)
        pairs = inside.limit(MOST_PAIRS_INSIDE + 1).toPandas()
        if len(pairs) <= MOST_PAIRS_INSIDE:
            labels = average_linkage(pairs["l"].to_numpy(), pairs["r"].to_numpy(), pairs["bits"].to_numpy(), len(refs))
            labels = np.where(np.isin(np.arange(len(refs)), large), labels, together)
            return labels, cut
    return together, cut


def _pairs_inside(
    spark: SparkSession, refs: pd.Index, together: Codes, large: Codes, candidates: DataFrame, decided: DataFrame
) -> DataFrame:
    """Every compared pair of two records of one large component: positions ``l`` and ``r``, and ``bits``.

    A pair that was compared and fell below the floor counts the least that a pair can count.
    """
    placed = pd.DataFrame({"ref": refs.to_numpy()[large], "place": large, "component": together[large]})
    places = spark.createDataFrame(placed, schema="ref string, place long, component long")
    sides = {
        side: places.select(F.col("ref").alias(f"ref_{side}"), F.col("place").alias(side), F.col("component").alias(at))
        for side, at in (("l", "of_l"), ("r", "of_r"))
    }
    found = candidates.select(F.col("person_ref_l").alias("ref_l"), F.col("person_ref_r").alias("ref_r"))
    found = found.join(sides["l"], on="ref_l").join(sides["r"], on="ref_r").where("of_l = of_r")
    found = found.join(decided.select("ref_l", "ref_r", "match_weight"), on=["ref_l", "ref_r"], how="left")
    weight = F.coalesce(F.col("match_weight"), F.lit(CLIP_BITS[0]))
    return found.select("l", "r", weight.alias("bits"))
