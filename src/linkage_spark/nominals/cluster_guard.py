"""The guard over clusters that stand already: which are looked into, and what it makes of each, on the driver."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from linkage_spark.nominals.guard import Conflict, Cut, Edge, GuardLimits, split_component

_EVERY_BRIDGE_HOLDS = -(2**62)

Codes = npt.NDArray[np.int64]


def outvoted(labels: Codes, left: Codes, right: Codes, conflicts: Sequence[Conflict]) -> list[Conflict]:
    """Conflicts both records of which belong to their cluster by the word of most others in it.

    A record belongs where it has more strong pairs inside its cluster than conflicts. Of two persons in one cluster
    the one with fewer records is in conflict with more than it has of its own, so that what is between them stands; a
    record with one wrong date among many of its person is let be.

    Args:
        labels: the cluster of every record, as the lowest code in it.
        left: code of one end of every strong pair: such that knows both names and both dates, whatever they say.
        right: code of its other end.
        conflicts: records in conflict, each pair once; such of two clusters are not given back.
    """
    inside = labels[left] == labels[right]
    ends = np.array([(c.left, c.right) for c in conflicts], dtype=np.int64).reshape(-1, 2)
    together = labels[ends[:, 0]] == labels[ends[:, 1]]
    held = np.bincount(np.concatenate([left[inside], right[inside]]), minlength=len(labels))
    opposed = np.bincount(ends[together].reshape(-1), minlength=len(labels))
    belongs = held > opposed
    let_be = together & belongs[ends[:, 0]] & belongs[ends[:, 1]]
    return [conflicts[place] for place in np.flatnonzero(let_be).tolist()]


def guard_clusters(
    labels: Codes,
    left: Codes,
    right: Codes,
    weight_millibits: Codes,
    conflicts: Iterable[Conflict],
    *,
    max_records: int,
    most_pairs: int = 1_000_000,
) -> tuple[Codes, tuple[Cut, ...], Codes]:
    """Clusters without conflicts and of no more than ``max_records``, each inside one that was given.

    A cluster with a conflict in it, or too many records, is made anew by ``guard.split_component`` from its accepted
    pairs: the strongest first, unless that brings together two records in conflict, or too many. Others stay as
    they are. Neither the length of paths nor weak bridges count here: average linkage has weighed them.

    Args:
        labels: the cluster of every record, as the lowest code in it; accepted pairs hold each together.
        left: code of the lower end of every accepted pair, each pair once; such between two clusters are passed over.
        right: code of its other end.
        weight_millibits: what each weighs, 1/1000 bit.
        conflicts: records that may not stand together; such of two clusters are passed over.
        max_records: most records of one cluster, at least 1.
        most_pairs: accepted pairs that are looked at in all, about 1 KB each; clusters with the fewest come first.

    Returns:
        The labels; every accepted pair inside one given cluster that now lies between two, by left, then right; and the labels
        of clusters that were left as they are, since they hold too many pairs.
    """
    against: dict[int, list[Conflict]] = {}
    for conflict in conflicts:
        if labels[conflict.left] == labels[conflict.right]:
            against.setdefault(int(labels[conflict.left]), []).append(conflict)
    sizes = np.bincount(labels, minlength=len(labels))
    looked_into = np.union1d(np.flatnonzero(sizes > max_records), np.fromiter(against, dtype=np.int64))
    pairs = np.bincount(labels[left[labels[left] == labels[right]]], minlength=len(labels))[looked_into]
    in_order = np.argsort(pairs, kind="stable")
    fits = np.cumsum(pairs[in_order]) <= most_pairs
    looked_into, left_out = looked_into[in_order[fits]], looked_into[in_order[~fits]]
    members: dict[int, list[int]] = {int(label): [] for label in looked_into}
    for record in np.flatnonzero(np.isin(labels, looked_into)).tolist():
        members[int(labels[record])].append(record)
    edges: dict[int, list[Edge]] = {label: [] for label in members}
    for place in np.flatnonzero((labels[left] == labels[right]) & np.isin(labels[left], looked_into)).tolist():
        edge = Edge(left=int(left[place]), right=int(right[place]), weight_millibits=int(weight_millibits[place]))
        edges[int(labels[edge.left])].append(edge)
    limits = GuardLimits(max_records=max_records, max_path=max_records, bridge_millibits=_EVERY_BRIDGE_HOLDS)
    made = labels.copy()
    cuts: list[Cut] = []
    for label, records in members.items():
        split = split_component(records, edges[label], against.get(label, ()), limits=limits)
        made[list(split.labels)] = list(split.labels.values())
        cuts += split.cuts
    return made, tuple(sorted(cuts, key=lambda cut: (cut.left, cut.right))), np.sort(left_out)
