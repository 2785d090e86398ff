"""The guard over the clusters of one person file: what contradicts itself or is too large is cut, and every cut is told."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from linkage_spark.flows.person_files import conflicting_file_pairs
from linkage_spark.kit.frames import local_frame
from linkage_spark.linkage.assignment import LINK_AT
from linkage_spark.linkage.joining import standing_conflict
from linkage_spark.nominals.cluster_guard import guard_clusters, outvoted
from linkage_spark.nominals.guard import Conflict, Cut
from linkage_spark.runs.file_clusters import MOST_PAIRS_INSIDE, Codes, Graph, note_sizes
from linkage_spark.runs.file_task import FileRun, Used
from linkage_spark.settings.mapping import ClusterSettings
from linkage_spark.tables.enums import CutReason

_CUT_SCHEMA = (
    "ref_l string, ref_r string, match_weight double, reason string, because_ref_l string, because_ref_r string"
)


@dataclass(frozen=True)
class Guarded:
    """Clusters before the guard and after it.

    Attributes:
        before: as average linkage made them.
        after: the same records and pairs, with the labels that the guard left.
        cuts: linked pairs that stood in one cluster before and stand in two after; ends as positions in ``refs``.
    """

    before: Graph
    after: Graph
    cuts: tuple[Cut, ...] = ()

    def cut_pairs(self, spark: SparkSession) -> DataFrame:
        """One row per cut: ``ref_l``, ``ref_r``, ``match_weight`` (bits), ``reason``, ``because_ref_l``, ``because_ref_r``.

        ``reason`` is a CutReason; the two records behind it are null where a cluster was too large.
        """
        refs = self.after.refs
        rows = [
            (
                *(refs[cut.left], refs[cut.right], cut.weight_millibits / 1000, cut.reason.value),
                *(None if end is None else refs[end] for end in (cut.because_left, cut.because_right)),
            )
            for cut in self.cuts
        ]
        return local_frame(spark, rows, schema=_CUT_SCHEMA)


def guard(
    run: FileRun, persons: DataFrame, decided: DataFrame, graph: Graph, used: Used, settings: ClusterSettings
) -> Guarded:
    """Look for contradictions inside every cluster, and cut those and what is too large.

    Two records contradict each other where a claim of ``joining.FILE_CONFLICTS`` holds of them. Unless the mapping
    says otherwise a pair is let be that by itself outweighs it (``joining.standing_conflict``): its dates where the pair is
    linked, since the model has a probability for a date that was replaced; the forenames of a twin from the model's
    ``match_bits`` on. And so is one that the rest of the cluster outvotes (``nominals.cluster_guard.outvoted``).

    Args:
        run: notes the figures.
        persons: every record, with the model's further columns.
        decided: pairs above the floor, with ``conflicts``.
        graph: clusters of linked pairs.
        used: with what the pairs were scored.
        settings: what is cut.
    """
    with run.progress.stage("guard") as stage:
        looked_into, left_out = _looked_into(graph, settings)
        found = _conflicts(run, persons, decided, graph, looked_into, used, settings)
        conflicts = found if settings.contradictions == "always" else _standing(graph, found)
        left, right = np.minimum(graph.left, graph.right), np.maximum(graph.left, graph.right)
        labels, cuts, whole = guard_clusters(
            graph.labels, left, right, graph.millibits, conflicts, max_records=settings.max_records
        )
        guarded = Guarded(before=graph, after=replace(graph, labels=labels), cuts=cuts)
        _note(run, guarded, settings, looked_into=looked_into, left_out=left_out)
        run.summary["guard"] |= {"contradicting_pairs": len(found), "outvoted_pairs": len(found) - len(conflicts)}
        _warn_of_whole(run, graph, whole)
        stage.counts["linked pairs cut"] = len(cuts)
    return guarded


def _looked_into(graph: Graph, settings: ClusterSettings) -> tuple[Codes, Codes]:
    """Labels of the clusters every pair of which is looked at, and of those that hold too many.

    Clusters with the fewest pairs that are not linked come first, as long as there are no more than MOST_PAIRS_INSIDE.
    """
    if settings.contradictions == "never":
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    sizes = np.bincount(graph.labels, minlength=len(graph.labels))
    together = graph.labels[graph.left] == graph.labels[graph.right]
    linked = np.bincount(graph.labels[graph.left[together]], minlength=len(graph.labels))
    open_pairs = sizes * (sizes - 1) // 2 - linked
    several = np.flatnonzero(sizes > 1)
    in_order = several[np.argsort(open_pairs[several], kind="stable")]
    fit = np.cumsum(open_pairs[in_order]) <= MOST_PAIRS_INSIDE
    return in_order[fit], in_order[~fit]


def _conflicts(
    run: FileRun,
    persons: DataFrame,
    decided: DataFrame,
    graph: Graph,
    looked_into: Codes,
    used: Used,
    settings: ClusterSettings,
) -> list[Conflict]:
    """Pairs of records of one of these clusters of which a conflict stands, ends as positions.

    Of pairs above the floor it is known already; the others are compared for it.
    """
    if not looked_into.size:
        return []
    inside = np.flatnonzero(np.isin(graph.labels, looked_into))
    placed = pd.DataFrame({"ref": graph.refs.to_numpy()[inside], "place": inside, "cluster": graph.labels[inside]})
    places = run.spark.createDataFrame(placed, schema="ref string, place long, cluster long")
    one, other = (places.selectExpr(f"ref as ref_{side}", f"place as {side}", "cluster") for side in "lr")
    pairs = one.join(other, on=["cluster"]).where("l < r").select("ref_l", "ref_r")
    known = decided.select("ref_l", "ref_r", "match_weight", "conflicts")
    scored = pairs.join(known.where(F.size("conflicts") > 0), on=["ref_l", "ref_r"])
    unscored = conflicting_file_pairs(
        pairs.join(known, on=["ref_l", "ref_r"], how="left_anti"),
        persons,
        model=used.model,
        frequencies=used.frequencies,
        names=run.reference.names,
    )
    strong = {
        CutReason.DATES_CONTRADICT: float(np.log2(LINK_AT / (1 - LINK_AT))),
        CutReason.TWIN_PATTERN: used.model.thresholds.match_bits,
    }
    outweighed_from = {} if settings.contradictions == "always" else strong
    standing = standing_conflict(F.col("conflicts"), F.col("match_weight"), outweighed_from=outweighed_from)
    told = scored.unionByName(unscored).select("ref_l", "ref_r", standing.alias("reason")).where("reason is not null")
    found = told.toPandas()
    ends = [graph.refs.get_indexer(pd.Index(found[name])).tolist() for name in ("ref_l", "ref_r")]
    return [
        Conflict(left=low, right=high, reason=CutReason(reason))
        for low, high, reason in zip(*ends, found["reason"], strict=True)
    ]


def _standing(graph: Graph, conflicts: list[Conflict]) -> list[Conflict]:
    """The conflicts that the rest of their cluster does not outvote; of names marked for both sexes no pair knows anything.

    For a record speak the linked pairs that know what the conflict is about, and are in none themselves: both full dates,
    and for a twin's forename both given names as well.
    """
    records = len(graph.refs)
    against = np.array([conflict.left * records + conflict.right for conflict in conflicts], dtype=np.int64)
    low, high = np.minimum(graph.left, graph.right), np.maximum(graph.left, graph.right)
    agreeing = graph.dated & ~np.isin(low * records + high, against)
    speaking = {CutReason.DATES_CONTRADICT: agreeing, CutReason.TWIN_PATTERN: agreeing & graph.named}
    let_be: set[Conflict] = set()
    for reason, knows in speaking.items():
        asked = [conflict for conflict in conflicts if conflict.reason == reason]
        let_be.update(outvoted(graph.labels, low[knows], high[knows], asked))
    return [conflict for conflict in conflicts if conflict not in let_be]


def _note(run: FileRun, guarded: Guarded, settings: ClusterSettings, *, looked_into: Codes, left_out: Codes) -> None:
    """Figures and warnings of the guard, and the sizes of the clusters that it left."""
    before = run.summary["clusters"]["pairs_together"]
    note_sizes(run, guarded.after)
    counted = Counter(cut.reason for cut in guarded.cuts)
    moved = guarded.before.labels != guarded.after.labels
    large = np.bincount(guarded.before.labels) > settings.max_records
    run.summary["guard"] = {
        "max_records": settings.max_records,
        "contradictions": settings.contradictions,
        "clusters_looked_into": len(looked_into),
        "clusters_not_looked_into": len(left_out),
        "clusters_parted": len(np.unique(guarded.before.labels[moved])),
        "clusters_too_large": int(large.sum()),
        "pairs_parted": before - run.summary["clusters"]["pairs_together"],
        "linked_pairs_cut": {reason.value: counted[reason] for reason in CutReason if counted[reason]},
    }
    if large.any():
        run.summary["warnings"].append(
            f"{int(large.sum()):,} clusters of more than {settings.max_records:,} records were cut for their size: look at "
            "cuts.csv; train the model, map more columns, or raise max_records under [clusters] of the mapping"
        )
    if left_out.size:
        records = int(np.isin(guarded.before.labels, left_out).sum())
        run.summary["warnings"].append(
            f"{len(left_out):,} clusters, of {records:,} records in all, hold too many pairs to be looked into for contradictions: train the model, or "
            "map more columns"
        )


def _warn_of_whole(run: FileRun, graph: Graph, whole: Codes) -> None:
    """Clusters that hold too many linked pairs to be made anew."""
    run.summary["guard"]["clusters_left_whole"] = len(whole)
    if whole.size:
        records = int(np.isin(graph.labels, whole).sum())
        run.summary["warnings"].append(
            f"{len(whole):,} clusters, of {records:,} records in all, were left as they are although they contradict themselves or are too large: they hold "
            "too many linked pairs to be made anew; train the model, or map more columns"
        )
