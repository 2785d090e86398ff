"""Scored pairs → clusters by average linkage, on the driver: a chain of weak links does not make one person."""

from __future__ import annotations

import heapq

import numpy as np
import numpy.typing as npt

from linkage_spark.nominals.components import components

UNSCORED_BITS = -3.0
"""What a pair counts that was never compared: somewhat against."""

CLIP_BITS = (-6.0, 8.0)
"""A pair counts at least and at most this: no single pair decides for a whole cluster."""

_MILLI = 1000


def average_linkage(
    left: npt.ArrayLike, right: npt.ArrayLike, weight_bits: npt.ArrayLike, vertices: int
) -> npt.NDArray[np.int64]:
    """The cluster of every vertex, named by the lowest code in it.

    Two clusters are joined as long as the mean weight of all pairs between them is above 0, the pair of clusters with
    the greatest mean first; of equal means the one with the lowest codes (Sokal and Michener 1958, UPGMA). Weights are
    clipped to CLIP_BITS, and a pair that is not given counts UNSCORED_BITS. Clusters therefore never reach beyond
    a connected component of the pairs above 0. Means are of whole 1/1000 bit, so the order of pairs changes nothing.

    Args:
        left: code of one end per pair, 0 to ``vertices`` - 1; each pair once, in either direction.
        right: code of the other end; never the same.
        weight_bits: match weight of the pair, log2 of the odds.
        vertices: number of vertices.

    Returns:
        One label per vertex code, int64: ``labels[v] <= v``, and ``labels[labels[v]] == labels[v]``.

    Raises:
        ValueError: as ``components``; also when weights are of another length, a pair stands twice, or a vertex is
            paired with itself.
    """
    ends = np.asarray(left, dtype=np.int64), np.asarray(right, dtype=np.int64)
    weights = np.asarray(weight_bits, dtype=np.float64)
    if weights.shape != ends[0].shape:
        raise ValueError(f"{weights.size} weights for {ends[0].size} pairs")
    within = components(ends[0][weights > 0], ends[1][weights > 0], vertices)
    low, high = np.minimum(*ends), np.maximum(*ends)
    if np.any(low == high) or np.unique(low * np.int64(max(vertices, 1)) + high).size < low.size:
        raise ValueError("each pair of two vertices may stand once")
    units = np.rint(np.clip(weights, *CLIP_BITS) * _MILLI).astype(np.int64)
    kept = within[low] == within[high]
    links = _Links(zip(low[kept].tolist(), high[kept].tolist(), units[kept].tolist(), strict=True))
    links.join_all()
    labels = np.arange(vertices, dtype=np.int64)
    for label, members in links.members.items():
        labels[members] = label
    return labels


class _Links:
    """Clusters that may still be joined: the sum and number of scored pairs between each two of them."""

    def __init__(self, pairs: zip[tuple[int, int, int]]) -> None:
        self.members: dict[int, list[int]] = {}
        self._between: dict[int, dict[int, tuple[int, int]]] = {}
        self._heap: list[tuple[float, int, int, int, int]] = []
        for low, high, units in pairs:
            for one, other in ((low, high), (high, low)):
                self.members.setdefault(one, [one])
                self._between.setdefault(one, {})[other] = (units, 1)
            self._offer(low, high)

    def _mean(self, one: int, other: int) -> float:
        """Mean of all pairs between two clusters, in 1/1000 bit."""
        units, scored = self._between[one][other]
        pairs = len(self.members[one]) * len(self.members[other])
        return (units + (pairs - scored) * int(UNSCORED_BITS * _MILLI)) / pairs

    def _offer(self, one: int, other: int) -> None:
        """Remember two clusters for joining when their mean is above 0. The sizes tell later whether it still holds."""
        mean, (low, high) = self._mean(one, other), sorted((one, other))
        if mean > 0:
            heapq.heappush(self._heap, (-mean, low, high, len(self.members[low]), len(self.members[high])))

    def join_all(self) -> None:
        """Join the best two clusters until no mean is above 0."""
        while self._heap:
            _, low, high, of_low, of_high = heapq.heappop(self._heap)
            if len(self.members.get(low, ())) == of_low and len(self.members.get(high, ())) == of_high:
                self._join(low, high)

    def _join(self, low: int, high: int) -> None:
        """Two clusters become one, named by the lower code."""
        self.members[low] += self.members.pop(high)
        one, other = self._between.pop(low), self._between.pop(high)
        del one[high], other[low]
        more, fewer = (one, other) if len(one) >= len(other) else (other, one)
        for near, (units, scored) in fewer.items():
            had = more.get(near, (0, 0))
            more[near] = (had[0] + units, had[1] + scored)
        self._between[low] = more
        for near, both in more.items():
            links = self._between[near]
            links.pop(high, None)
            links[low] = both
            self._offer(low, near)
