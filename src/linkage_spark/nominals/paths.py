"""Shape of a cluster: which records are too many steps apart, and which edges alone hold two sides together.

A graph is given per vertex, as neighbour → number of the edge between them; vertices are codes from 0. No function
recurses, and no answer depends on the order of the neighbours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

Near = Sequence[Mapping[int, int]]
"""Per vertex code: neighbour → number of the edge."""

EXACT_RECORDS = 300
"""Up to so many records the two ends are the farthest of all; in a larger cluster see ``too_far_apart``."""


def reached(near: Near, start: int) -> dict[int, int]:
    """Every vertex that can be reached from one, itself included, and the fewest steps it takes."""
    steps = {start: 0}
    layer, step = [start], 0
    while layer:
        step += 1
        found: list[int] = []
        for vertex in layer:
            for other in near[vertex]:
                if other not in steps:
                    steps[other] = step
                    found.append(other)
        layer = found
    return steps


def too_far_apart(
    cluster: Sequence[int], near: Near, *, max_path: int, held: Sequence[int] | None = None
) -> tuple[int, int] | None:
    """Two vertices of a connected cluster more than ``max_path`` steps apart; None when there are no such two.

    Of all such pairs it is the one farthest apart, of several the lowest. In a cluster of more than EXACT_RECORDS the
    ends are first sought by two sweeps: from the lowest vertex to the farthest, and on from there to the farthest,
    each the lowest of several. Ends so found may be a little nearer than the farthest two. When they are near enough,
    every pair is looked at all the same, so that None always means that there are no such two.

    Args:
        cluster: vertices, ascending.
        near: edges; none leaves the cluster.
        max_path: most steps that are allowed, at least 1.
        held: a label per vertex; two vertices of one label are left out of the search. None: all are looked at.

    Returns:
        The pair, lower vertex first.
    """
    if len(cluster) <= max_path + 1:
        return None
    if len(cluster) > EXACT_RECORDS:
        start = _farthest(near, cluster[0])[0]
        end, steps = _farthest(near, start)
        if steps > max_path and (held is None or held[start] != held[end]):
            return min(start, end), max(start, end)
    return _farthest_pair(cluster, near, max_path=max_path, held=held)


def _farthest(near: Near, start: int) -> tuple[int, int]:
    """The vertex farthest from one, the lowest of several, and the steps it takes."""
    steps = reached(near, start)
    most = max(steps.values())
    return min(vertex for vertex, step in steps.items() if step == most), most


def _farthest_pair(
    cluster: Sequence[int], near: Near, *, max_path: int, held: Sequence[int] | None
) -> tuple[int, int] | None:
    """The pair farthest apart, of several the lowest; None when none is more than ``max_path`` steps apart.

    All vertices walk one step at a time together. What each has reached is one number with a bit per vertex, so that
    a step costs one operation per edge and end.
    """
    place = {vertex: bit for bit, vertex in enumerate(cluster)}
    around = [[place[other] for other in near[vertex]] for vertex in cluster]
    at = [1 << bit for bit in range(len(cluster))]
    exempt: dict[int, int] = {}
    if held is not None:
        for vertex, own in zip(cluster, at, strict=True):
            exempt[held[vertex]] = exempt.get(held[vertex], 0) | own
    every = (1 << len(cluster)) - 1
    wanted = [every & ~exempt.get(held[vertex], 0) if held is not None else every for vertex in cluster]
    reach, step, far = at, 0, None
    while (missing := _lowest_missing(reach, wanted)) is not None:
        step += 1
        if step > max_path:
            far = missing
        grown = []
        for own, others in zip(reach, around, strict=True):
            for other in others:
                own |= reach[other]
            grown.append(own)
        reach = grown
    return None if far is None else (cluster[far[0]], cluster[far[1]])


def _lowest_missing(reach: Sequence[int], wanted: Sequence[int]) -> tuple[int, int] | None:
    """The lowest pair of places of which one should reach the other and has not."""
    for place, (own, all_wanted) in enumerate(zip(reach, wanted, strict=True)):
        missing = all_wanted & ~own
        if missing:
            return place, (missing & -missing).bit_length() - 1
    return None


def tree_path(tree: Near, start: int, end: int) -> list[int]:
    """Numbers of the edges of a tree between two of its vertices, from the start on."""
    # Walked from the end, so that each vertex knows the edge and the next vertex towards it.
    onward: dict[int, tuple[int, int]] = {}
    layer = [end]
    while start not in onward and layer:
        found: list[int] = []
        for vertex in layer:
            for other, number in tree[vertex].items():
                if other != end and other not in onward:
                    onward[other] = number, vertex
                    found.append(other)
        layer = found
    path: list[int] = []
    while start != end:
        number, start = onward[start]
        path.append(number)
    return path


def bridges(near: Near) -> list[int]:
    """Numbers, ascending, of the edges that stand on no cycle (Tarjan 1974): without one, its ends part.

    Args:
        near: any graph without self-loops and with at most one edge between two vertices.
    """
    entered = [-1] * len(near)  # when the walk came to a vertex
    lowest = [0] * len(near)  # the earliest vertex that it or those behind it touch by an edge back
    clock = 0
    found: list[int] = []
    for root in range(len(near)):
        if entered[root] >= 0:
            continue
        entered[root] = lowest[root] = clock
        clock += 1
        walk: list[tuple[int, int, Iterator[tuple[int, int]]]] = [(root, -1, iter(near[root].items()))]
        while walk:
            vertex, came_by, rest = walk[-1]
            for other, number in rest:
                if number == came_by:
                    continue
                if entered[other] < 0:
                    entered[other] = lowest[other] = clock
                    clock += 1
                    walk.append((other, number, iter(near[other].items())))
                    break
                lowest[vertex] = min(lowest[vertex], entered[other])
            else:
                walk.pop()
                if walk:
                    before = walk[-1][0]
                    lowest[before] = min(lowest[before], lowest[vertex])
                    if lowest[vertex] > entered[before]:
                        found.append(came_by)
    return sorted(found)
