"""The rules of lasting ids in plain Python, written apart from ``nominals.identity``: the oracle of its tests."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

Row = tuple[Any, ...]
Clusters = dict[int, tuple[int, bool]]
"""Record → (cluster, quarantined)."""


@dataclass
class Plain:
    """Members, nominals and events after each run, from the rules in words. Ids of new nominals are learned from the tool."""

    home: dict[int, tuple[int, bool, int]] = field(default_factory=dict)
    nominals: dict[int, tuple[str, int, int, int | None, int | None]] = field(default_factory=dict)

    def run(
        self, clusters: Clusters, run_no: int, id_given: dict[int, int], denied: Collection[tuple[int, int]] = ()
    ) -> set[Row]:
        """One run; its events.

        ``id_given``: the nominal in which the tool put a record, asked for records that need a new nominal alone.
        ``denied``: pairs judged *not the same*.
        """
        before, groups = self.home, self._groups(clusters, self._parted(clusters, denied))
        claims: dict[int, list[int]] = {}
        offers: dict[int, list[Row]] = defaultdict(list)
        for place, (records, held) in enumerate(groups):
            mine: dict[int, list[tuple[int, int]]] = defaultdict(list)
            for record in records:
                if record in before:
                    nominal, _, since = before[record]
                    mine[nominal].append((-since, -record))
            for nominal, own in mine.items():
                offers[nominal].append((held, len(own), max(own), place))
        for nominal in sorted(offers):
            claims.setdefault(max(offers[nominal])[3], []).append(nominal)
        self.home, into = {}, {}
        for place, (records, held) in enumerate(groups):
            claimed = sorted(claims.get(place, []), key=lambda nominal: (self.nominals[nominal][2], nominal))
            nominal = claimed[0] if claimed else id_given[min(records)]
            if not claimed:
                assert nominal not in self.nominals, "an id is given twice"
                self.nominals[nominal] = ("new", 0, run_no, None, None)
            into.update(dict.fromkeys(claimed[1:], nominal))
            for record in records:
                stays = record in before and before[record][0] == nominal
                self.home[record] = (nominal, held, before[record][2] if stays else run_no)
        return self._record_events(before, into, run_no) | self._end_or_count(into, run_no)

    def _parted(self, clusters: Clusters, denied: Collection[tuple[int, int]]) -> set[int]:
        """Of two records that wait in one nominal and are not the same, the later one."""
        found = set()
        for pair in denied:
            if all(record in self.home and record in clusters and clusters[record][1] for record in pair):
                (nominal, _, _), (other, _, _) = (self.home[record] for record in pair)
                if nominal == other:
                    found.add(max(pair, key=lambda record: (self.home[record][2], record)))
        return found

    def _groups(self, clusters: Clusters, parted: set[int]) -> list[tuple[list[int], bool]]:
        groups: dict[Row, list[int]] = defaultdict(list)
        for record, (cluster, held) in clusters.items():
            if not held:
                groups["cluster", cluster, False].append(record)
            elif record in self.home and record not in parted:
                groups["nominal", self.home[record][0], True].append(record)
            else:
                groups["alone", record, True].append(record)
        return [(records, key[2]) for key, records in groups.items()]

    def _record_events(self, before: dict[int, tuple[int, bool, int]], into: dict[int, int], run_no: int) -> set[Row]:
        told: set[Row] = set()
        for record in before.keys() | self.home.keys():
            was = before[record][0] if record in before else None
            now = self.home[record][0] if record in self.home else None
            if now is None:
                told.add((run_no, "left", was, None, record))
            elif now != was:
                told.add((run_no, "joined", now, was, record))
                if was is not None and into.get(was) != now:
                    told.add((run_no, "split", was, now, None))
        return told

    def _end_or_count(self, into: dict[int, int], run_no: int) -> set[Row]:
        told: set[Row] = set()
        held_of = {nominal: held for nominal, held, _ in self.home.values()}
        sizes = Counter(nominal for nominal, _, _ in self.home.values())
        for nominal, (state, _, created, _, ended) in list(self.nominals.items()):
            if ended is not None:
                continue
            if state == "new":
                told.add((run_no, "created", nominal, None, None))
            if nominal in sizes:
                now = "quarantined" if held_of[nominal] else "live"
                if now == "quarantined" != state:
                    told.add((run_no, "quarantined", nominal, None, None))
                if state == "quarantined" != now:
                    told.add((run_no, "released", nominal, None, None))
                self.nominals[nominal] = (now, sizes[nominal], created, None, None)
            else:
                now = "merged" if nominal in into else "retired"
                told.add((run_no, now, nominal, into.get(nominal), None))
                self.nominals[nominal] = (now, 0, created, into.get(nominal), run_no)
        return told
