"""The guard that acts: one component of accepted edges → clusters that nothing speaks against, and every edge cut."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from linkage_spark.nominals.paths import bridges, reached, too_far_apart, tree_path
from linkage_spark.tables.enums import CutReason

_REASONS = tuple(CutReason)
_RANK = {reason: rank for rank, reason in enumerate(_REASONS)}
_LIMITS = frozenset({CutReason.TOO_LARGE, CutReason.TOO_LONG, CutReason.WEAK_BRIDGE})
_SHOWN_FAULTS = 5


@dataclass(frozen=True)
class GuardLimits:
    """How large, long and loosely held one person's cluster may be.

    Attributes:
        max_records: most records of one cluster, at least 1.
        max_path: most steps (accepted edges) between two records of one cluster, at least 1.
        bridge_millibits: what an edge must weigh at least, in 1/1000 bit, to hold two sides of 2 or more records
            together alone.

    Raises:
        ValueError: a limit below 1 record or 1 step.
    """

    max_records: int
    max_path: int
    bridge_millibits: int

    def __post_init__(self) -> None:
        faults = [f"{name} is {value}" for name in ("max_records", "max_path") if (value := getattr(self, name)) < 1]
        if faults:
            raise ValueError(f"limits must be at least 1: {', '.join(faults)}")


@dataclass(frozen=True)
class Edge:
    """One accepted edge: ``left`` < ``right`` are record ids, the weight is in 1/1000 bit.

    ``judged_same`` says that a reviewer's judgement *same* is in force for the pair, ``same_number`` that both bear the same
    verified number, of which the weight knows nothing.
    """

    left: int
    right: int
    weight_millibits: int
    judged_same: bool = False
    same_number: bool = False


@dataclass(frozen=True)
class Conflict:
    """Two records, ``left`` < ``right``, that may not stand in one cluster, whether an edge joins them or not."""

    left: int
    right: int
    reason: CutReason


@dataclass(frozen=True)
class Cut:
    """One accepted edge between two clusters, and why it does not join them.

    ``because_left`` < ``because_right`` are the two records that would have met and may not; None where a limit on
    size, length or bridges is the reason.
    """

    left: int
    right: int
    weight_millibits: int
    reason: CutReason
    because_left: int | None
    because_right: int | None


@dataclass(frozen=True)
class Split:
    """What became of a component: per record, ascending, the lowest record of its cluster; cuts by left, then right."""

    labels: Mapping[int, int]
    cuts: tuple[Cut, ...]


def split_component(
    members: Iterable[int], edges: Iterable[Edge], conflicts: Iterable[Conflict], *, limits: GuardLimits
) -> Split:
    """Clusters of one component that nothing speaks against, and every accepted edge between two of them as a cut.

    The answer depends on the sets of members, edges and conflicts alone, never on their order, and of the ids only on
    which is lower. Edges have one order, strongest first: pairs judged the same before all others, then by weight,
    then by lowest left, then by lowest right. "Weakest" is the last in that order.

    1. *Strongest first.* Each edge joins the clusters of its two ends, unless that would bring together two records
       in conflict, or make a cluster of more than ``max_records``. Then it is cut, and the cut names the first reason
       in the order of ``CutReason`` and the lowest pair with that reason, as things stood when the edge had its turn.
       Clusters only grow, so two that may not be joined once are never joined later.
    2. *Judgements.* A pair judged the same overrules computed conflicts of that very pair, of no other. A pair that
       is also judged not the same counts as not the same, and its edge as an ordinary edge. An edge judged the same
       is never cut for a limit: the records that such edges hold together may be more, or farther apart, than the
       limits say.
    3. *Too long.* While two records of a cluster are more than ``max_path`` steps apart, and edges judged the same do
       not hold them together: take the two farthest apart (of several the lowest; above ``paths.EXACT_RECORDS``
       records as ``paths.too_far_apart`` finds them), follow the path between them along the strongest edges (the
       maximum spanning tree), and part the cluster at the weakest edge on it that is not judged the same, of equal
       weights at the one nearest the middle of that path. All edges between the two sides are cut.
    4. *Weak bridge.* An edge below ``bridge_millibits`` that alone holds two sides of at least 2 records each
       together is cut, the weakest first, until there is none. That makes no path longer, so rule 3 still holds. An edge
       between two records with the same verified number is not weak, whatever it weighs.

    A cut is never taken back, even where a later cut took its reason away. A component without conflicts of at most
    3 records, and no more than ``max_records`` and ``max_path`` + 1, is therefore never cut.

    Args:
        members: record ids, integers of any size; one given twice counts once. A record without edges is its own
            cluster.
        edges: accepted edges between members, each pair once.
        conflicts: pairs of members; a pair may have several reasons.
        limits: of size, length and bridges.

    Returns:
        The cluster of every member, and one cut per edge between two clusters; no edge inside a cluster is cut.

    Raises:
        ValueError: an edge or conflict of a record with itself, with the higher id on the left, or with an end that is
            no member; an edge given twice; a conflict whose reason is a limit. All faults at once, by id and count.
    """
    records = sorted({int(member) for member in members})
    code = {record: number for number, record in enumerate(records)}
    given, against = list(edges), list(conflicts)
    _refuse_faults(code, given, against)
    denied = {(c.left, c.right) for c in against if c.reason == CutReason.JUDGED_NOT_SAME}
    same = {(e.left, e.right) for e in given if e.judged_same} - denied
    given.sort(key=lambda e: ((e.left, e.right) not in same, -e.weight_millibits, e.left, e.right))
    work = _Component(
        records=len(records),
        ends=[(code[e.left], code[e.right]) for e in given],
        weights=[int(e.weight_millibits) for e in given],
        judged=len(same),
        numbered={number for number, e in enumerate(given) if e.same_number},
        against={(_RANK[c.reason], code[c.left], code[c.right]) for c in against if (c.left, c.right) not in same},
    )
    work.join(max_records=limits.max_records)
    work.part_long(max_path=limits.max_path)
    work.part_weak(below=limits.bridge_millibits)
    labels = {records[member]: records[cluster[0]] for cluster in work.clusters() for member in cluster}
    cuts = [_cut(given[number], reason, records) for number, reason in work.cuts.items()]
    return Split(
        labels={record: labels[record] for record in records},
        cuts=tuple(sorted(cuts, key=lambda cut: (cut.left, cut.right))),
    )


def _refuse_faults(code: Mapping[int, int], edges: Sequence[Edge], conflicts: Sequence[Conflict]) -> None:
    """Raise ValueError for everything that cannot be an edge or a conflict of these members."""
    faults: dict[str, list[tuple[int, int]]] = {}
    seen: set[tuple[int, int]] = set()
    for kind, pairs in (("edge", edges), ("conflict", conflicts)):
        for pair in pairs:
            ends = int(pair.left), int(pair.right)
            if ends[0] == ends[1]:
                faults.setdefault(f"{kind} of a record with itself", []).append(ends)
            elif ends[0] > ends[1]:
                faults.setdefault(f"{kind} with the higher id on the left", []).append(ends)
            if ends[0] not in code or ends[1] not in code:
                faults.setdefault(f"{kind} with an end that is no member", []).append(ends)
            if isinstance(pair, Edge):
                if ends in seen:
                    faults.setdefault("edge given twice", []).append(ends)
                seen.add(ends)
            elif pair.reason in _LIMITS:
                faults.setdefault("conflict whose reason is a limit", []).append(ends)
    if faults:
        told = (f"{said} ({len(pairs)}): {sorted(pairs)[:_SHOWN_FAULTS]}" for said, pairs in sorted(faults.items()))
        raise ValueError("; ".join(told))


_Against = tuple[int, int, int]
"""A reason against joining: its rank in CutReason, and the codes of the two records, -1 for a limit."""


def _cut(edge: Edge, against: _Against, records: Sequence[int]) -> Cut:
    """A cut, in record ids."""
    rank, low, high = against
    return Cut(
        left=int(edge.left),
        right=int(edge.right),
        weight_millibits=int(edge.weight_millibits),
        reason=_REASONS[rank],
        because_left=None if low < 0 else records[low],
        because_right=None if high < 0 else records[high],
    )


class _Component:
    """A component at work: records as codes, edges by number, strongest first, and the cuts so far."""

    def __init__(
        self,
        *,
        records: int,
        ends: Sequence[tuple[int, int]],
        weights: Sequence[int],
        judged: int,
        numbered: Set[int],
        against: Iterable[_Against],
    ) -> None:
        self.cuts: dict[int, _Against] = {}
        self._ends = ends
        self._weights = weights
        self._judged = judged  # the edges before this number are judged the same
        self._numbered = numbered  # edges between two records with the same verified number
        self._joined = _Joined(records, against)
        self._held: list[int] = []
        # Per record, neighbour → number of the edge: all edges inside clusters, and those alone that joined.
        self._near: list[dict[int, int]] = [{} for _ in range(records)]
        self._tree: list[dict[int, int]] = [{} for _ in range(records)]

    def join(self, *, max_records: int) -> None:
        """Rules 1 and 2. The edges that joined are a maximum spanning tree of each cluster; later cuts keep it one."""
        joined = self._joined
        for number, (left, right) in enumerate(self._ends):
            if number == self._judged:
                self._held = joined.labels()
            one, other = joined.cluster_of(left), joined.cluster_of(right)
            if one != other:
                refusal = joined.refusal(one, other, most=max_records if number >= self._judged else None)
                if refusal is not None:
                    self.cuts[number] = refusal
                    continue
                joined.join(one, other)
                self._tree[left][right] = self._tree[right][left] = number
            self._near[left][right] = self._near[right][left] = number
        self._held = self._held or joined.labels()

    def clusters(self) -> Iterator[list[int]]:
        """Members of every cluster, ascending; clusters by their lowest member."""
        seen: set[int] = set()
        for lowest in range(len(self._tree)):
            if lowest not in seen:
                cluster = sorted(reached(self._tree, lowest))
                seen.update(cluster)
                yield cluster

    def part_long(self, *, max_path: int) -> None:
        """Rule 3."""
        waiting = [cluster for cluster in self.clusters() if len(cluster) > max_path + 1]
        while waiting:
            cluster = waiting.pop()
            ends = too_far_apart(cluster, self._near, max_path=max_path, held=self._held)
            if ends is None:
                continue
            # The ends are not held together, so that some edge on the path is not judged; nor is any across it, since
            # an edge across that came before it would have joined instead.
            left, right = self._ends[self._weakest(tree_path(self._tree, *ends))]
            del self._tree[left][right], self._tree[right][left]
            sides = [sorted(reached(self._tree, end)) for end in (left, right)]
            smaller = set(sides[0] if len(sides[0]) <= len(sides[1]) else sides[1])
            for member in sorted(smaller):
                for other in [other for other in self._near[member] if other not in smaller]:
                    self._drop(self._near[member][other], CutReason.TOO_LONG)
            waiting += sides

    def _weakest(self, path: Sequence[int]) -> int:
        """The weakest edge of a path that is not judged; of equal weights the one nearest the middle, then the last."""
        return -min(
            (self._weights[number], abs(2 * place + 1 - len(path)), -number)
            for place, number in enumerate(path)
            if number >= self._judged
        )[2]

    def part_weak(self, *, below: int) -> None:
        """Rule 4. A cut makes no new bridge and no side larger: each bridge needs one look, the weakest first."""
        for number in reversed(bridges(self._near)):
            left, right = self._ends[number]
            weak = number >= self._judged and number not in self._numbered and self._weights[number] < below
            if weak and len(self._near[left]) > 1 and len(self._near[right]) > 1:
                self._drop(number, CutReason.WEAK_BRIDGE)
                del self._tree[left][right], self._tree[right][left]

    def _drop(self, number: int, reason: CutReason) -> None:
        """Cut an edge for a limit."""
        left, right = self._ends[number]
        del self._near[left][right], self._near[right][left]
        self.cuts[number] = _RANK[reason], -1, -1


class _Joined:
    """Union-find over record codes that knows, between each two clusters, the first reason against joining them."""

    def __init__(self, records: int, against: Iterable[_Against]) -> None:
        self._parent = list(range(records))
        self._size = [1] * records
        self._against: list[dict[int, _Against]] = [{} for _ in range(records)]
        for reason in against:
            self._oppose(reason[1], reason[2], reason)

    def _oppose(self, one: int, other: int, reason: _Against) -> None:
        """Remember a reason between two clusters, unless one that comes before it is known."""
        first = min(reason, self._against[one].get(other, reason))
        self._against[one][other] = self._against[other][one] = first

    def cluster_of(self, record: int) -> int:
        """The code that stands for the record's cluster at present."""
        parent = self._parent
        while parent[record] != record:
            parent[record] = parent[parent[record]]
            record = parent[record]
        return record

    def labels(self) -> list[int]:
        """Per record the code that stands for its cluster."""
        return [self.cluster_of(record) for record in range(len(self._parent))]

    def refusal(self, one: int, other: int, *, most: int | None) -> _Against | None:
        """Why two clusters may not be joined; None when nothing speaks against it. ``most`` records, None for any."""
        reason = self._against[one].get(other)
        if reason is None and most is not None and self._size[one] + self._size[other] > most:
            return _RANK[CutReason.TOO_LARGE], -1, -1
        return reason

    def join(self, one: int, other: int) -> None:
        """Two clusters become one. The one with fewer partners in conflict hands them over."""
        if len(self._against[one]) < len(self._against[other]):
            one, other = other, one
        self._parent[other] = one
        self._size[one] += self._size[other]
        for partner, reason in self._against[other].items():
            del self._against[partner][other]
            self._oppose(one, partner, reason)
        self._against[other] = {}
