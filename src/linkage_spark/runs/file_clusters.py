"""Clusters of one person file: connected components of its linked pairs, on the driver."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from linkage_spark.evaluation.cluster_figures import cluster_sizes, count_cluster_sizes
from linkage_spark.linkage.assignment import LINK_AT
from linkage_spark.nominals.components import components
from linkage_spark.runs.file_inputs import Inputs
from linkage_spark.runs.file_task import FileRun

CLUSTER_CUTS = (0.5, 0.8, 0.9, 0.95, 0.99, 0.999)
"""Probabilities at which clusters are measured against a truth."""


@dataclass(frozen=True)
class Graph:
    """Refs of all records in order, and the scored pairs as positions in them with their probability."""

    refs: pd.Index
    left: np.ndarray[Any, np.dtype[np.int64]]
    right: np.ndarray[Any, np.dtype[np.int64]]
    probability: np.ndarray[Any, np.dtype[np.float64]]

    def members(self, spark: SparkSession, cut: float) -> DataFrame:
        """Every record with its cluster: components of the pairs at or above a probability, named by the lowest ref."""
        kept = self.probability >= cut
        labels = components(self.left[kept], self.right[kept], len(self.refs))
        frame = pd.DataFrame({"ref": self.refs.to_numpy(), "cluster_id": self.refs.to_numpy()[labels]})
        return spark.createDataFrame(frame, schema="ref string, cluster_id string")


def cluster(run: FileRun, inputs: Inputs, decided: DataFrame) -> Graph:
    """Connected components of the linked pairs; only pairs that some cut may accept come to the driver."""
    with run.progress.stage("cluster") as stage:
        refs = pd.Index(inputs.files[0].persons.select("person_ref").orderBy("person_ref").toPandas()["person_ref"])
        refs = refs.sort_values()
        accepted = decided.where(F.col("match_probability") >= F.lit(min(CLUSTER_CUTS)))
        pairs = accepted.select("ref_l", "ref_r", "match_probability").toPandas()
        graph = Graph(
            refs=refs,
            left=refs.get_indexer(pairs["ref_l"]).astype(np.int64),
            right=refs.get_indexer(pairs["ref_r"]).astype(np.int64),
            probability=pairs["match_probability"].to_numpy(dtype=np.float64),
        )
        sizes = count_cluster_sizes(graph.members(run.spark, LINK_AT)).collect()
        run.summary["clusters"] = cluster_sizes(row.asDict() for row in sizes)
        stage.counts["clusters"] = run.summary["clusters"]["clusters"]
    return graph
