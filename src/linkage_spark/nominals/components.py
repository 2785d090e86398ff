"""Accepted pairs → connected components, on the driver: tens of millions of edges in memory."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components


def components(left: npt.ArrayLike, right: npt.ArrayLike, vertices: int) -> npt.NDArray[np.int64]:
    """The component of every vertex, named by the lowest code in it.

    Edges have no direction. An edge given twice, in either direction, and an edge from a vertex to
    itself change nothing; a vertex without edges is its own component. The answer depends on the set of
    edges alone, never on their order.

    Args:
        left: code of one end per edge, 0 to ``vertices`` - 1.
        right: code of the other end.
        vertices: number of vertices.

    Returns:
        One label per vertex code, int64: ``labels[v] <= v``, and ``labels[labels[v]] == labels[v]``.

    Raises:
        ValueError: arrays of unlike length, a code out of range, or a negative number of vertices.
    """
    ends = np.asarray(left, dtype=np.int64), np.asarray(right, dtype=np.int64)
    if ends[0].shape != ends[1].shape or ends[0].ndim != 1:
        raise ValueError(f"edges of unlike length: {ends[0].size} left ends, {ends[1].size} right ends")
    if vertices < 0:
        raise ValueError(f"{vertices} vertices")
    for side, codes in zip(("left", "right"), ends, strict=True):
        if codes.size and (int(codes.min()) < 0 or int(codes.max()) >= vertices):
            raise ValueError(f"{side} codes run from {int(codes.min())} to {int(codes.max())} over {vertices} vertices")
    if vertices == 0:
        return np.zeros(0, dtype=np.int64)
    # Doubles, which the algorithm works on anyway: a small integer type would overflow to "no edge" where one is repeated.
    graph = csr_array((np.ones(ends[0].size, dtype=np.float64), ends), shape=(vertices, vertices))
    _, numbers = connected_components(csgraph=graph, directed=False, return_labels=True)
    _, lowest = np.unique(numbers, return_index=True)
    return np.asarray(lowest[numbers], dtype=np.int64)
