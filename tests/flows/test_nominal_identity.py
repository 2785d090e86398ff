"""Nominals last: who keeps an id is a rule, every change is an event, and the events tell every run.

All histories, the short ones by hand and two hundred seeded ones, are folded together: one history owns a thousand
record ids, and a run of all of them is two Spark jobs.
"""

from __future__ import annotations

import json
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import reduce
from typing import TYPE_CHECKING

import pytest
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from linkage_spark.kit.contract import TableContract
from linkage_spark.kit.frames import local_frame
from linkage_spark.nominals.identity import Identity, assign_identity, assign_members, tell_changes, with_parted
from linkage_spark.nominals.identity_checks import SENTENCES, IdentityFault, faults_in_words, identity_faults
from linkage_spark.nominals.replay import replay, replay_nominals, run_no_at
from linkage_spark.tables.nominals import NOMINAL, NOMINAL_EVENT, NOMINAL_MEMBER, NOMINAL_RUN
from tests.support.nominal_rules import Clusters, Plain, Row
from tests.support.session_state import settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

CLUSTERS = "record_id long, cluster_id long, quarantined boolean, parted boolean"
RUNS = 6
CHECKED = (1, 4, RUNS)
"""Runs whose faults are counted and whose events are replayed by Spark; those of every run are replayed in plain Python."""
WORLDS = 200


def together(*clusters: Sequence[int], held: Sequence[int] = ()) -> Clusters:
    """Records by cluster; ``held`` names by position the clusters under quarantine."""
    return {record: (no, no in held) for no, records in enumerate(clusters) for record in records}


# ---- histories by hand ---------------------------------------------------------------------------------------

HAND: dict[str, list[Clusters]] = {
    "a lower id arrives": [together((10, 11), (20,)), together((3, 10, 11), (20,))],
    "nothing changes": [together((1, 2), (3,)), together((3,), (2, 1))],
    "the older is smaller": [together((50,)), together((50,), (1, 2, 3)), together((1, 2, 3, 50))],
    "parts": [together((1, 2, 3, 4, 5)), together((1, 2), (3, 4, 5))],
    "halves": [together((7, 8)), together((7, 8, 1, 2)), together((1, 2), (7, 8))],
    "halves of one age": [together((4, 5, 6, 7)), together((6, 7), (5, 4))],
    "swap": [together((1, 2, 3), (4, 5, 6)), together((1, 2, 6), (4, 5, 3))],
    "all change places": [together((1, 2), (3, 4)), together((3, 4), (1, 2))],
    "merge and split": [together((9,)), together((9,), (1, 2, 3)), together((1, 2, 9), (3,))],
    "the smaller part is left": [together((9,)), together((9,), (1, 2, 3, 4)), together((1, 2, 3, 9), (4, 5))],
    "one leaves and comes back": [together((1, 2, 3)), together((1, 2)), together((1, 2, 3))],
    "the last leaves and comes back": [together((1,), (2,)), together((2,)), together((1,), (2,))],
    "all records replaced at once": [together((1, 2)), together((8, 9))],
    "all records replaced one by one": [together((1, 2)), together((2, 8)), together((8, 9))],
    "held": [
        together((1, 2), (3, 4), (5,)),
        together((1, 2, 3, 4, 6), (5,), held=[0]),
        together((1, 2), (3, 4, 6), (5,)),
    ],
    "held and still held": [together((1, 2)), together((1, 2, 3, 4), held=[0]), together((1, 2, 3, 4), held=[0])],
    "held before more": [together((1, 2, 3)), together((1, 9), (2, 3), held=[0])],
    "held in two places": [together((1, 2, 3, 4)), together((1, 2, 5), (3, 4), held=[0, 1])],
    "held, then gone": [together((1,), (2,)), together((1,), (2,), held=[0, 1]), together((2,))],
    "held, then one": [together((1,), (2,)), together((1, 2), held=[0]), together((1, 2))],
    "everybody held from the start": [together((1, 2, 3), held=[0]), together((1, 2, 3))],
    "merged twice": [
        together((3,)),
        together((3,), (2,)),
        together((3,), (2,), (1,)),
        together((3,), (1, 2)),
        together((1, 2, 3)),
    ],
    "regrouped": [together((1, 2, 3), (4, 5, 6), (7, 8)), together((1, 4, 7, 8), (2, 3, 5), (6,))],
    "nobody": [together((1, 2)), {}, together((1, 2))],
}


# ---- many worlds ---------------------------------------------------------------------------------------------


@dataclass
class World:
    """One small force whose records come, go, come back and regroup."""

    chance: random.Random
    clusters: dict[int, int] = field(default_factory=dict)
    held: set[int] = field(default_factory=set)
    gone: list[int] = field(default_factory=list)

    def step(self) -> Clusters:
        """One run's clusters, after some of: arrivals, withdrawals, moves, merge, halving, a new model, quarantines."""
        self._arrive()
        for record in list(self.clusters):
            if self.chance.random() < 0.08:
                del self.clusters[record]
                self.gone.append(record)
            elif self.chance.random() < 0.12:
                self.clusters[record] = self._somewhere()
        if self.clusters and self.chance.random() < 0.3:
            one, other = self._somewhere(), self._somewhere()
            self.clusters = {record: one if at == other else at for record, at in self.clusters.items()}
        if self.clusters and self.chance.random() < 0.3:
            halved, new = self._somewhere(), self.chance.randrange(10**6)
            self.clusters = {
                record: new if at == halved and self.chance.random() < 0.5 else at
                for record, at in self.clusters.items()
            }
        if self.chance.random() < 0.06:
            new_labels = [self.chance.randrange(10**6) for _ in range(1 + len(self.clusters) // 3)]
            self.clusters = {record: self.chance.choice(new_labels) for record in self.clusters}
        now = set(self.clusters.values())
        self.held = {at for at in sorted(now) if self.chance.random() < (0.6 if at in self.held else 0.12)}
        return self._renamed()

    def _arrive(self) -> None:
        for _ in range(self.chance.randrange(5)):
            again = self.gone and self.chance.random() < 0.4
            record = self.gone.pop(self.chance.randrange(len(self.gone))) if again else self.chance.randrange(1000)
            self.clusters.setdefault(record, self._somewhere())

    def _somewhere(self) -> int:
        return self.chance.choice([self.chance.randrange(10**6), *self.clusters.values()])

    def _renamed(self) -> Clusters:
        """The clusters under names that tell nothing, as an engine may give them."""
        labels = sorted(set(self.clusters.values()))
        names = dict(zip(labels, self.chance.sample(range(10**6), len(labels)), strict=True))
        return {record: (names[at], at in self.held) for record, at in self.clusters.items()}


def seeded(no: int) -> list[Clusters]:
    world = World(random.Random(f"world {no}"))
    return [world.step() for _ in range(RUNS)]


HISTORIES: dict[str | int, list[Clusters]] = {**HAND, **{no: seeded(no) for no in range(1, WORLDS + 1)}}
PLACE = {name: place for place, name in enumerate(HISTORIES)}


def of_run(run_no: int) -> Clusters:
    """All histories' clusters of a run; a history that has ended stays as it was."""
    found: Clusters = {}
    for name, history in HISTORIES.items():
        start = PLACE[name] * 1000
        for record, (at, held) in history[min(run_no, len(history)) - 1].items():
            found[start + record] = (PLACE[name] * 10**6 + at, held)
    return found


# ---- the fold ------------------------------------------------------------------------------------------------


def frame(
    spark: SparkSession, table: TableContract, rows: Iterable[Row], *, seed: int = 0, parts: int | None = None
) -> DataFrame:
    """Rows as a frame, in an order and partitions that mean nothing."""
    shuffled = sorted(rows, key=str)
    random.Random(seed).shuffle(shuffled)
    made = local_frame(spark, shuffled, table.schema)
    return made if parts is None else made.repartition(parts)


def clusters_frame(spark: SparkSession, clusters: Clusters, *, seed: int = 0, parts: int | None = None) -> DataFrame:
    rows = [(record, at, held, False) for record, (at, held) in clusters.items()]
    random.Random(seed).shuffle(rows)
    made = local_frame(spark, rows, CLUSTERS)
    return made if parts is None else made.repartition(parts)


def fetch(*frames: DataFrame) -> list[list[Row]]:
    """Rows of several frames by one Spark job."""
    each = [
        rows.select(F.lit(no).alias("no"), F.to_json(F.struct(*rows.columns)).alias("row"))
        for no, rows in enumerate(frames)
    ]
    found: list[list[Row]] = [[] for _ in frames]
    for row in reduce(DataFrame.unionByName, each).collect():
        values = json.loads(row["row"])
        found[row["no"]].append(tuple(values.get(name) for name in frames[row["no"]].columns))
    return [sorted(rows, key=str) for rows in found]


@dataclass
class Told:
    """What one run left."""

    member: list[Row]
    nominal: list[Row]
    event: list[Row]
    faults: dict[str, int] | None


class Fold:
    """All histories, run after run from what the run before left."""

    def __init__(self, spark: SparkSession) -> None:
        self.spark = spark
        self.runs = [Told([], [], [], faults=None)]

    def run(self) -> None:
        run_no = len(self.runs)
        last = self.runs[-1]
        clusters = clusters_frame(self.spark, of_run(run_no), seed=run_no)
        member, nominal = self.tables(last)
        (members,) = fetch(assign_members(clusters, member, nominal, run_no=run_no))
        made = tell_changes(frame(self.spark, NOMINAL_MEMBER, members), member, nominal, run_no=run_no)
        told = Told(members, *fetch(made.nominal, made.event), faults=None)
        if run_no in CHECKED:
            written = Identity(*self.tables(told), frame(self.spark, NOMINAL_EVENT, told.event))
            faults = identity_faults(written, clusters, member, nominal, self.events(run_no - 1), run_no=run_no)
            told.faults = {row["fault"]: row["found"] for row in faults.collect()}
        self.runs.append(told)

    def tables(self, told: Told, *, seed: int = 0, parts: int | None = None) -> tuple[DataFrame, DataFrame]:
        return (
            frame(self.spark, NOMINAL_MEMBER, told.member, seed=seed, parts=parts),
            frame(self.spark, NOMINAL, told.nominal, seed=seed, parts=parts),
        )

    def events(self, until: int) -> DataFrame:
        return frame(self.spark, NOMINAL_EVENT, [row for told in self.runs[: until + 1] for row in told.event])

    def members(self, name: str, run_no: int) -> dict[int, int]:
        """Record → nominal, in one history."""
        start = PLACE[name] * 1000
        return {row[0] - start: row[1] for row in self.runs[run_no].member if start <= row[0] < start + 1000}

    def nominals(self, name: str, run_no: int) -> dict[int, Row]:
        """Nominal → its row, in one history."""
        mine = {nominal for no in range(1, run_no + 1) for nominal in self.members(name, no).values()}
        return {row[0]: row for row in self.runs[run_no].nominal if row[0] in mine}

    def kinds(self, name: str, run_no: int) -> dict[str, int]:
        """Events of a run by kind, in one history."""
        mine = self.nominals(name, run_no)
        return dict(Counter(row[1] for row in self.runs[run_no].event if row[2] in mine))


@pytest.fixture(scope="module")
def fold(spark: SparkSession) -> Fold:
    made = Fold(spark)
    for _ in range(RUNS):
        made.run()
    return made


# ---- by hand: who keeps an id --------------------------------------------------------------------------------


def test_a_new_record_with_a_lower_id_leaves_the_nominal_its_id(fold: Fold) -> None:
    first = fold.members("a lower id arrives", 1)
    assert fold.members("a lower id arrives", 2) == {**first, 3: first[10]}
    assert fold.kinds("a lower id arrives", 2) == {"joined": 1}


@pytest.mark.parametrize("name", ["nothing changes", "all change places"])
def test_the_same_groups_under_other_cluster_ids_make_no_event(fold: Fold, name: str) -> None:
    assert fold.members(name, 2) == fold.members(name, 1)
    assert fold.kinds(name, 2) == {}


def test_of_two_nominals_that_become_one_the_older_stays_even_if_it_is_smaller(fold: Fold) -> None:
    name = "the older is smaller"
    before, now = fold.members(name, 2), fold.members(name, 3)
    assert set(now.values()) == {before[50]}
    assert fold.kinds(name, 3) == {"joined": 3, "merged": 1}
    assert fold.nominals(name, 3)[before[1]] == (before[1], "merged", 0, 2, before[50], 3)


def test_of_two_nominals_of_one_age_the_lower_id_stays(fold: Fold) -> None:
    before, now = fold.members("held, then one", 1), fold.members("held, then one", 3)
    assert set(now.values()) == {min(before.values())}


def test_of_a_nominal_that_parts_the_larger_part_keeps_the_id(fold: Fold) -> None:
    before, now = fold.members("parts", 1), fold.members("parts", 2)
    assert now[3] == now[4] == now[5] == before[1]
    assert now[1] == now[2] != before[1]
    assert fold.kinds("parts", 2) == {"joined": 2, "created": 1, "split": 1}
    assert (2, "split", before[1], now[1], None) in fold.runs[2].event


def test_of_equal_parts_the_one_with_the_record_that_was_longest_in_it_keeps_the_id_then_the_lowest_record(
    fold: Fold,
) -> None:
    assert fold.members("halves", 3)[7] == fold.members("halves", 1)[7] != fold.members("halves", 3)[1]
    now = fold.members("halves of one age", 2)
    assert now[4] == now[5] == fold.members("halves of one age", 1)[4] != now[6]


def test_of_two_nominals_that_swap_records_both_live_and_each_has_given_to_the_other(fold: Fold) -> None:
    before, now = fold.members("swap", 1), fold.members("swap", 2)
    assert now == {1: before[1], 2: before[1], 6: before[1], 3: before[4], 4: before[4], 5: before[4]}
    assert fold.kinds("swap", 2) == {"joined": 2, "split": 2}


def test_a_nominal_can_merge_and_part_in_one_run(fold: Fold) -> None:
    before, now = fold.members("merge and split", 2), fold.members("merge and split", 3)
    assert now[1] == now[2] == now[9] == before[9]
    assert now[3] not in before.values()
    assert fold.kinds("merge and split", 3) == {"joined": 3, "merged": 1, "created": 1, "split": 1}


def test_an_id_that_is_taken_over_does_not_stay_behind_with_the_smaller_part(fold: Fold) -> None:
    name = "the smaller part is left"
    before, now = fold.members(name, 2), fold.members(name, 3)
    assert now[4] == now[5]
    assert now[4] not in before.values()
    assert fold.nominals(name, 3)[before[4]][1:] == ("merged", 0, 2, before[9], 3)


def test_a_record_that_leaves_and_comes_back_is_where_its_cluster_is(fold: Fold) -> None:
    name = "one leaves and comes back"
    assert fold.members(name, 3) == fold.members(name, 1)
    assert [fold.kinds(name, run_no) for run_no in (2, 3)] == [{"left": 1}, {"joined": 1}]
    assert [row[3] for row in fold.runs[3].member if row[0] == PLACE[name] * 1000 + 3] == [3]


@pytest.mark.parametrize("name", ["the last leaves and comes back", "nobody"])
def test_a_nominal_of_which_no_record_is_left_ends_and_never_comes_back(fold: Fold, name: str) -> None:
    gone, again = fold.members(name, 1)[1], fold.members(name, 3)[1]
    assert again != gone
    assert fold.nominals(name, 3)[gone][1:] == ("retired", 0, 1, None, 2)
    assert fold.kinds(name, 2) == {"left": len(fold.members(name, 1)) - len(fold.members(name, 2)), "retired": 1}


def test_records_replaced_one_by_one_keep_the_nominal_and_all_at_once_do_not(fold: Fold) -> None:
    name = "all records replaced one by one"
    assert fold.members(name, 3) == dict.fromkeys((8, 9), fold.members(name, 1)[1])
    assert fold.kinds("all records replaced at once", 2) == {"left": 2, "retired": 1, "created": 1, "joined": 2}


def test_under_quarantine_nobody_moves_and_a_new_record_is_its_own(fold: Fold) -> None:
    before, now = fold.members("held", 1), fold.members("held", 2)
    assert {record: now[record] for record in before} == before
    assert now[6] not in before.values()
    assert Counter(row[1] for row in fold.nominals("held", 2).values()) == {"quarantined": 3, "live": 1}
    assert fold.kinds("held", 2) == {"quarantined": 3, "created": 1, "joined": 1}
    assert fold.members("held", 3) == {**before, 6: before[3]}
    assert fold.kinds("held", 3) == {"released": 2, "merged": 1, "joined": 1}
    assert fold.kinds("held and still held", 3) == {}


def test_a_nominal_in_two_clusters_under_quarantine_stays_one(fold: Fold) -> None:
    before, now = fold.members("held in two places", 1), fold.members("held in two places", 2)
    assert {record: now[record] for record in before} == before
    assert now[5] not in before.values()


def test_records_under_quarantine_keep_their_nominal_though_more_of_its_records_are_elsewhere(fold: Fold) -> None:
    before, now = fold.members("held before more", 1), fold.members("held before more", 2)
    assert now[1] == before[1]
    assert now[2] == now[3]
    assert len({now[1], now[2], now[9]}) == 3
    assert fold.kinds("held before more", 2) == {"joined": 3, "created": 2, "quarantined": 2, "split": 1}


def test_quarantine_ends_in_release_in_merger_or_in_retirement(fold: Fold) -> None:
    assert fold.kinds("held, then gone", 3) == {"left": 1, "retired": 1, "released": 1}
    assert fold.kinds("held, then one", 3) == {"joined": 1, "merged": 1, "released": 1}
    assert fold.kinds("everybody held from the start", 1) == {"created": 3, "joined": 3, "quarantined": 3}
    assert fold.kinds("everybody held from the start", 2) == {"joined": 2, "merged": 2, "released": 1}


def test_a_merged_nominal_names_the_one_that_took_it_over_then_for_good(fold: Fold) -> None:
    first = fold.members("merged twice", 3)
    rows = fold.nominals("merged twice", 5)
    assert rows[first[1]][1:] == ("merged", 0, 3, first[2], 4)
    assert rows[first[2]][1:] == ("merged", 0, 2, first[3], 5)
    assert rows[first[3]][1:] == ("live", 3, 1, None, None)


def test_a_new_model_that_regroups_all_moves_ids_by_the_same_rule(fold: Fold) -> None:
    before, now = fold.members("regrouped", 1), fold.members("regrouped", 2)
    assert now[2] == now[3] == now[5] == before[1]
    assert now[1] == now[4] == now[7] == now[8] == min(before[4], before[7])
    assert now[6] not in before.values()


def test_a_record_whose_id_is_the_number_of_a_nominal_is_a_record_all_the_same(spark: SparkSession) -> None:
    clusters = clusters_frame(spark, together((1, 7, 8), held=[0]))
    member = frame(spark, NOMINAL_MEMBER, [(1, 7, False, 1)])
    nominal = frame(spark, NOMINAL, [(7, "live", 1, 1, None, None)])
    (rows,) = fetch(assign_members(clusters, member, nominal, run_no=2))
    assert {record: since for record, _, _, since in rows} == {1: 1, 7: 2, 8: 2}
    assert len({nominal for _, nominal, _, _ in rows}) == 3


def test_of_two_that_wait_in_one_nominal_and_are_not_the_same_the_later_one_leaves(spark: SparkSession) -> None:
    clusters = local_frame(
        spark, [(1, 9, True), (2, 9, True), (3, 9, True), (4, 4, False), (5, 9, True)], CLUSTERS.rpartition(",")[0]
    )
    homes = [(1, 10, False, 1), (2, 10, False, 2), (3, 10, False, 1), (4, 10, False, 1), (5, 50, False, 1)]
    member = frame(spark, NOMINAL_MEMBER, homes)
    nominal = frame(spark, NOMINAL, [(10, "live", 4, 1, None, None), (50, "live", 1, 1, None, None)])
    # Later by its run, later by its id; one that does not wait, one of another nominal, one judged the same.
    said = [(1, 2, False), (1, 3, False), (3, 4, False), (1, 5, False), (2, 3, True)]
    judgements = local_frame(spark, said, "left_record_id long, right_record_id long, same boolean")
    parted = with_parted(clusters, member, judgements)
    assert {row.record_id for row in parted.where("parted").collect()} == {2, 3}
    (rows,) = fetch(assign_members(parted, member, nominal, run_no=3))
    now = {record: home for record, home, _, _ in rows}
    assert (now[1], now[5]) == (10, 50)
    assert len({now[record] for record in (1, 2, 3, 4, 5)}) == 5


# ---- laws ----------------------------------------------------------------------------------------------------


def test_every_run_of_every_world_is_what_the_rules_in_plain_python_say(fold: Fold) -> None:
    plain = Plain()
    for run_no in range(1, RUNS + 1):
        told = fold.runs[run_no]
        events = plain.run(of_run(run_no), run_no, {row[0]: row[1] for row in told.member})
        assert told.member == sorted(((r, *place) for r, place in plain.home.items()), key=str), f"run {run_no}"
        assert told.nominal == sorted(((n, *row) for n, row in plain.nominals.items()), key=str), f"run {run_no}"
        assert told.event == sorted(events, key=str), f"run {run_no}"


def test_clusters_and_nominals_match_one_to_one_but_under_quarantine_where_all_stay(fold: Fold) -> None:
    for run_no in range(1, RUNS + 1):
        before, now = ({row[0]: row[1] for row in fold.runs[no].member} for no in (run_no - 1, run_no))
        clusters = of_run(run_no)
        assert now.keys() == clusters.keys()
        free = {(clusters[record][0], nominal) for record, nominal in now.items() if not clusters[record][1]}
        assert len(free) == len({cluster for cluster, _ in free}) == len({nominal for _, nominal in free})
        held = {record: nominal for record, nominal in now.items() if clusters[record][1]}
        assert not set(held.values()) & {nominal for _, nominal in free}
        assert all(before[record] == nominal for record, nominal in held.items() if record in before)
        new = [nominal for record, nominal in held.items() if record not in before]
        sizes = Counter(now.values())
        assert all(sizes[nominal] == 1 for nominal in new)


def test_a_group_that_stays_as_it_was_keeps_its_id_and_an_ended_id_never_comes_back(fold: Fold) -> None:
    for run_no in range(2, RUNS + 1):
        before, now = (
            {frozenset(records): nominal for nominal, records in by_nominal(fold.runs[no]).items()}
            for no in (run_no - 1, run_no)
        )
        clusters = of_run(run_no)
        whole = {group for group in before.keys() & now.keys() if not any(clusters[record][1] for record in group)}
        assert len(whole) > 50
        assert all(before[group] == now[group] for group in whole)
        ended = {row[0] for row in fold.runs[run_no - 1].nominal if row[5] is not None}
        assert not ended & set(now.values())


def by_nominal(told: Told) -> dict[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    for record, nominal, _, _ in told.member:
        found[nominal].append(record)
    return found


def test_a_new_id_is_made_of_the_lowest_record_of_its_group_and_the_number_of_the_run(fold: Fold) -> None:
    made: list[Row] = []
    for run_no in range(1, RUNS + 1):
        groups = by_nominal(fold.runs[run_no])
        made += [(row[2], min(groups[row[2]]), run_no) for row in fold.runs[run_no].event if row[1] == "created"]
    rows = local_frame(fold.spark, made, "nominal_id long, record_id long, run_no int")
    wanted = F.xxhash64(F.lit("nominal"), "record_id", "run_no")
    assert len(made) > 1000
    assert rows.where(F.col("nominal_id") != wanted).count() == 0


def test_no_run_has_a_fault(fold: Fold) -> None:
    for run_no in CHECKED:
        assert fold.runs[run_no].faults == dict.fromkeys([str(fault) for fault in IdentityFault], 0), f"run {run_no}"


def test_the_events_of_all_runs_so_far_tell_the_members_after_each_run(fold: Fold) -> None:
    told: dict[int, tuple[int, int]] = {}
    for run_no in range(1, RUNS + 1):
        for _, kind, nominal, came_from, record in fold.runs[run_no].event:
            if kind == "joined":
                assert told.get(record, (None,))[0] == came_from
                told[record] = (nominal, run_no)
            elif kind == "left":
                assert told.pop(record)[0] == nominal
        assert told == {record: (nominal, since) for record, nominal, _, since in fold.runs[run_no].member}


def test_replay_gives_both_tables_as_they_stood_after_a_run_and_repeated_events_count_once(fold: Fold) -> None:
    twice = fold.events(RUNS).unionByName(fold.events(3))
    frames = [told(twice, until_run_no=until) for until in (*CHECKED[:-1], None) for told in (replay, replay_nominals)]
    wanted = [rows for run_no in CHECKED for rows in (fold.runs[run_no].member, fold.runs[run_no].nominal)]
    assert fetch(*frames) == wanted


def test_row_order_partitions_and_aqe_change_nothing_and_a_restarted_run_gives_the_same_ids(fold: Fold) -> None:
    run_no, spark = RUNS - 1, fold.spark
    other = {"true": "false", "false": "true"}[str(spark.conf.get("spark.sql.adaptive.enabled"))]
    with settings(spark, **{"spark.sql.adaptive.enabled": other}):
        clusters = clusters_frame(spark, of_run(run_no), seed=99, parts=5)
        member, nominal = fold.tables(fold.runs[run_no - 1], seed=98, parts=3)
        made = assign_identity(clusters, member, nominal, run_no=run_no)
        again = fetch(made.member, made.nominal, made.event)
    told = fold.runs[run_no]
    assert again == [told.member, told.nominal, told.event]


def test_the_worlds_hold_every_kind_of_event_many_times(fold: Fold) -> None:
    seen = Counter(row[1] for told in fold.runs for row in told.event)
    assert set(seen) == {"created", "joined", "left", "merged", "split", "quarantined", "released", "retired"}
    assert min(seen.values()) > 100, seen


# ---- faults --------------------------------------------------------------------------------------------------


@dataclass
class Case:
    """A third run: records 1, 2 and 3 are where they were, record 4 is new under quarantine; nominal 30 had ended."""

    clusters: list[Row] = field(
        default_factory=lambda: [(1, 1, False, False), (2, 1, False, False), (3, 2, False, False), (4, 3, True, False)]
    )
    member: list[Row] = field(
        default_factory=lambda: [(1, 10, False, 1), (2, 10, False, 1), (3, 20, False, 1), (4, 40, True, 3)]
    )
    nominal: list[Row] = field(
        default_factory=lambda: [
            (10, "live", 2, 1, None, None),
            (20, "live", 1, 1, None, None),
            (30, "retired", 0, 1, None, 2),
            (40, "quarantined", 1, 3, None, None),
        ]
    )
    event: list[Row] = field(
        default_factory=lambda: [
            (3, "created", 40, None, None),
            (3, "quarantined", 40, None, None),
            (3, "joined", 40, None, 4),
        ]
    )
    retired_run_no: int = 2

    def swap(self, table: str, place: int, *rows: Row) -> Case:
        """With other rows in place of one."""
        getattr(self, table)[place : place + 1] = rows
        return self

    def earlier(self) -> list[Row]:
        """The events before."""
        told: list[Row] = [(1, "created", nominal, None, None) for nominal in (10, 20, 30)]
        told += [(1, "joined", nominal, None, record) for record, nominal in ((1, 10), (2, 10), (3, 20), (9, 30))]
        return [*told, (self.retired_run_no, "left", 30, None, 9), (self.retired_run_no, "retired", 30, None, None)]


def apart(rows: Iterable[Row], by: int, *columns: int) -> list[Row]:
    """Rows with the ids in some columns moved, so that cases share none."""
    return [tuple(v + by if at in columns and v is not None else v for at, v in enumerate(row)) for row in rows]


IDS_COLLIDE = (
    Case()
    .swap("member", 3, (4, 30, True, 3))
    .swap("nominal", 2, (30, "quarantined", 1, 1, None, None))
    .swap("nominal", 3)
    .swap("event", 0)
    .swap("event", 0, (3, "quarantined", 30, None, None))
    .swap("event", 1, (3, "joined", 30, None, 4))
)
MERGED_AWAY = (
    Case()
    .swap("clusters", 2)
    .swap("member", 2)
    .swap("nominal", 1, (20, "merged", 0, 1, 99, 3))
    .swap("event", 3, (3, "left", 20, None, 3), (3, "merged", 20, 99, None))
)
HELD_AND_MOVED = Case().swap("clusters", 0, (1, 1, True, False)).swap("member", 0, (1, 40, True, 3))
HELD_AND_NOT_PARTED = (
    Case()
    .swap("clusters", 0, (1, 1, True, True))
    .swap("clusters", 1, (2, 1, True, False))
    .swap("member", 0, (1, 10, True, 1))
    .swap("member", 1, (2, 10, True, 1))
    .swap("nominal", 0, (10, "quarantined", 2, 1, None, None))
    .swap("event", 3, (3, "quarantined", 10, None, None))
)

CASES: list[tuple[Case, dict[str, int]]] = [
    (Case(), {}),
    # A member is missing: the record, which is held nowhere, and the nominal are both miscounted.
    (Case().swap("member", 2), {"record_not_once": 1, "nominal_miscounted": 2, "replay_differs": 1}),
    (Case().swap("member", 2, (3, 20, False, 1), (3, 20, False, 1)), {"record_not_once": 1}),
    (Case().swap("clusters", 2, (3, None, False, False)), {"cluster_missing": 1}),
    # In the wrong nominal: a cluster with two nominals, a nominal with two clusters.
    (
        Case().swap("member", 0, (1, 20, False, 1)),
        {"not_one_cluster": 2, "nominal_miscounted": 2, "replay_differs": 1},
    ),
    # Under quarantine, and moved to a new record that should be alone.
    (HELD_AND_MOVED, {"moved_in_quarantine": 2, "nominal_miscounted": 2, "replay_differs": 1}),
    # Judged not the same, and still where it was; and not alone.
    (HELD_AND_NOT_PARTED, {"moved_in_quarantine": 2}),
    (IDS_COLLIDE, {"id_collision": 1, "ended_changed": 1, "replay_differs": 1}),
    (Case().swap("nominal", 0, *[(10, "live", 2, 1, None, None)] * 2), {"nominal_not_once": 1}),
    (Case().swap("nominal", 0, (10, "live", 3, 1, None, None)), {"nominal_miscounted": 1}),
    (Case().swap("nominal", 2, (30, "retired", 0, 2, None, 2)), {"ended_changed": 1, "replay_differs": 1}),
    (Case().swap("event", 2), {"replay_differs": 1}),
    (MERGED_AWAY, {"merged_into_nothing": 1, "nominal_not_once": 1, "nominal_miscounted": 1}),
    (Case(retired_run_no=3).swap("nominal", 2, (30, "retired", 0, 1, None, 3)), {"run_no_not_above": 1}),
]


def test_each_fault_is_counted_under_its_name(spark: SparkSession) -> None:
    made = Case([], [], [], [])
    before, earlier, wanted = Case([], [], [], []), list[Row](), Counter(dict.fromkeys(map(str, IdentityFault), 0))
    for place, (case, faults) in enumerate(CASES):
        by, last = place * 100, Case()
        made.clusters += apart(case.clusters, by, 0, 1)
        made.member += apart(case.member, by, 0, 1)
        made.nominal += apart(case.nominal, by, 0, 4)
        made.event += apart(case.event, by, 2, 3, 4)
        before.member += apart(last.member[:3], by, 0, 1)
        before.nominal += apart([*last.nominal[:2], (30, "retired", 0, 1, None, case.retired_run_no)], by, 0)
        earlier += apart(case.earlier(), by, 2, 3, 4)
        wanted.update(faults)
    found = identity_faults(
        Identity(
            frame(spark, NOMINAL_MEMBER, made.member),
            frame(spark, NOMINAL, made.nominal),
            frame(spark, NOMINAL_EVENT, made.event),
        ),
        local_frame(spark, made.clusters, CLUSTERS),
        frame(spark, NOMINAL_MEMBER, before.member),
        frame(spark, NOMINAL, before.nominal),
        frame(spark, NOMINAL_EVENT, earlier),
        run_no=3,
    )
    assert {row["fault"]: row["found"] for row in found.collect()} == dict(wanted)
    assert min(wanted.values()) > 0, "every fault is among the cases"


def test_a_date_is_told_by_the_last_run_that_had_begun(spark: SparkSession) -> None:
    days = [(1, 2), (2, 9), (3, 9)]
    rows = [(no, f"r{no}", datetime(2026, 11, day, 6, no, tzinfo=UTC), "nominals_v1", "code") for no, day in days]
    runs = frame(spark, NOMINAL_RUN, rows)
    asked = {
        "before": (1, 23),
        "at once": (2, 6),
        "between": (8, 0),
        "two in a day": (9, 12),
        "between the two": (9, 6),
    }
    minutes = {"at once": 1, "between the two": 2}
    found = {
        name: run_no_at(runs, datetime(2026, 11, day, hour, minutes.get(name, 0), tzinfo=UTC))
        for name, (day, hour) in asked.items()
    }
    assert found == {"before": 0, "at once": 1, "between": 1, "two in a day": 3, "between the two": 2}
    with pytest.raises(ValueError, match="time zone"):
        run_no_at(runs, datetime(2026, 11, 9))  # noqa: DTZ001


def test_faults_in_words_carry_counts_and_leave_out_what_was_not_found() -> None:
    assert set(SENTENCES) == set(IdentityFault)
    said = faults_in_words({"id_collision": 2, "replay_differs": 0})
    assert said == [f"nominals: 2 {SENTENCES[IdentityFault.ID_COLLISION]}"]
