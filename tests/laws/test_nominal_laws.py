"""Laws of the whole way from PERSON rows to nominals: seeded worlds of made-up people, day after day through the job's own stages.

``LINKAGE_WORLDS`` is the number of worlds (200) and ``LINKAGE_WORLDS_SEED`` another seed, for a longer soak. All worlds share every run
and never meet; Spark works in the fixtures alone, and the laws look at what it left in plain Python.
"""

from __future__ import annotations

import os
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Any

import pytest

from linkage_spark.flows.cluster import records_of
from linkage_spark.kit.frames import local_frame
from linkage_spark.linkage.blocking import choose_refined, count_keys
from linkage_spark.linkage.frequencies import count_frequencies
from linkage_spark.model.schema import load_model
from linkage_spark.nominals.records import with_record_id
from linkage_spark.nominals.replay import replay, replay_nominals
from linkage_spark.tables.enums import CutReason, PolicyReason
from linkage_spark.tables.identifiers import PERSON_IDENTIFIER
from linkage_spark.tables.nominals import PERSON_JUDGEMENT
from tests.support.contract_rows import contract_rows
from tests.support.nominal_job import CONF, SECRET, Day, Frozen, NominalJob
from tests.support.nominal_rules import Plain
from tests.support.nominal_worlds import (
    DAYS,
    Live,
    Version,
    Word,
    in_force,
    known_by,
    make_world,
    number_rows,
    person_rows,
    source_of,
    tell_apart,
    told_otherwise,
)
from tests.support.persons import persons
from tests.support.session_state import settings
from tests.support.union_find import members, union_find

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

WORLDS = int(os.environ.get("LINKAGE_WORLDS", "200"))
SEED = int(os.environ.get("LINKAGE_WORLDS_SEED", "20261122"))
ALONE = (3, 17, 40, 101, 164)
"""Worlds that are also run by themselves."""

KEY_CAP = 6
"""So low that a crowded home has refined keys."""

LIMITS: dict[str, Any] = {"max_records": 6, "max_path": 3, "bridge_bits": 22.0}
FEW = 5
"""Records of the largest component that is looked into where much waits for a reviewer."""

MODEL = load_model(CONF, "nominals_v1").model_copy(update={"key_cap": KEY_CAP})
JOINING = {
    PolicyReason.SAME_PREMISES_AND_DATE,
    PolicyReason.SAME_NAME_DATE_AND_POSTCODE,
    PolicyReason.SAME_PREMISES_NEAR_DATE,
}
DIFFERS = {CutReason.PNC_DIFFERS: "pnc_id", CutReason.CRO_DIFFERS: "cro"}
LIMIT_REASONS = {CutReason.TOO_LARGE, CutReason.TOO_LONG, CutReason.WEAK_BRIDGE}

Row = dict[str, Any]
Pair = tuple[int, int]
Given = tuple[Live, list[Word]]
"""What a day is made from: the live records of all worlds, and all words so far."""


# ---- folding -------------------------------------------------------------------------------------------------


@dataclass
class Fold:
    """Days of one output root.

    Attributes:
        ids: record id by reference.
        given: what each day was made from.
        days: what each day left.
        replayed: members and nominals as events tell them, after each day.
    """

    ids: dict[str, int]
    given: list[Given] = field(default_factory=list)
    days: list[Day] = field(default_factory=list)
    replayed: list[tuple[list[Row], list[Row]]] = field(default_factory=list)

    def places(self) -> Iterator[tuple[str, Given, Day]]:
        """Every day with a name for messages."""
        for no, (given, day) in enumerate(zip(self.given, self.days, strict=True), start=1):
            yield f"seed {SEED}, {len(given[0])} records, day {no}", given, day

    def judged(self, given: Given) -> dict[Pair, bool]:
        """Same or not, of the pairs that a word is in force for and whose records are both live."""
        live, words = given
        told = {tuple(sorted(pair)): same for pair, same in in_force(words).items() if all(ref in live for ref in pair)}
        return {self.pair(*refs): same for refs, same in told.items()}

    def known_by(self, given: Given) -> dict[int, dict[str, str]]:
        """Record id → its verified number of each kind."""
        return {self.ids[ref]: known_by(version) for ref, version in given[0].items()}

    def pair(self, one: str, other: str) -> Pair:
        """The two records' ids, the lower first."""
        low, high = sorted((self.ids[one], self.ids[other]))
        return low, high


class Force:
    """All worlds, with what is frozen for them."""

    def __init__(self, spark: SparkSession, folders: pytest.TempPathFactory) -> None:
        self.spark, self.folders = spark, folders
        self.worlds = [make_world(no, seed=SEED) for no in range(1, WORLDS + 1)]
        self.ids = self._ids()
        self.frozen = self._frozen()

    def _ids(self) -> dict[str, int]:
        """Record ids as the product makes them."""
        refs = sorted({ref for world in self.worlds for live in world.days for ref in live})
        named = local_frame(
            self.spark, [(source_of(ref), ref) for ref in refs], "source_system string, person_ref string"
        )
        return {row["person_ref"]: row["record_id"] for row in with_record_id(named).collect()}

    def _frozen(self) -> Frozen:
        """Counted over the last day. Nine surnames are all common: diluted a thousandfold."""
        last = persons(self.spark, person_rows(self.day(DAYS - 1)[0]))
        records = records_of(last)
        counts = count_keys(records, records, model=MODEL, broadcast=False).collect()
        shares = [row.asDict() for row in count_frequencies(last, min_bearers=MODEL.limits.min_bearers).collect()]
        return Frozen(
            model=MODEL,
            frequency=[{**row, "share": row["share"] / 1000, "model_id": MODEL.id} for row in shares],
            refined=list(choose_refined(counts, model=MODEL, secret=SECRET).refined),
        )

    def day(self, day: int, worlds: Iterable[int] | None = None) -> Given:
        """A day of all worlds, or of some."""
        chosen = [world for world in self.worlds if worlds is None or world.no in worlds]
        return together((world.days[day], world.words[day]) for world in chosen)

    def start(self, **nominals: Any) -> tuple[NominalJob, Fold]:
        """A new output root."""
        root = self.folders.mktemp("nominals")
        return NominalJob(self.spark, self.frozen, root, **{**LIMITS, **nominals}), Fold(self.ids)

    def run(
        self,
        job: NominalJob,
        fold: Fold,
        given: Given,
        *,
        seed: int | None = None,
        parts: int = 0,
        changed: Iterable[str] | None = None,
    ) -> None:
        """One more day; with a seed the rows are shuffled; where records are told to have changed, those alone are compared."""
        live, words = given
        rows, said, numbers = person_rows(live), [self._said(word) for word in words], number_rows(live)
        if seed is not None:
            for table in (rows, said, numbers):
                random.Random(seed).shuffle(table)
        frames = [
            persons(self.spark, rows),
            local_frame(self.spark, said, schema=PERSON_JUDGEMENT.schema),
            contract_rows(self.spark, PERSON_IDENTIFIER, *numbers),
        ]
        if parts:
            frames = [frame.repartition(parts) for frame in frames]
        keys = "source_system string, person_ref string"
        told = (
            None
            if changed is None
            else local_frame(self.spark, [(source_of(ref), ref) for ref in changed], schema=keys)
        )
        fold.days.append(job.run(*frames, changed=told))
        fold.given.append(given)

    def _said(self, word: Word) -> tuple[Any, ...]:
        """A row of PERSON_JUDGEMENT, its sides as the reviewer gave them."""
        moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=word.minute)
        return self.ids[word.one], self.ids[word.other], word.judgement, moment, "reviewer 7", None


def together(worlds: Iterable[Given]) -> Given:
    """One day of several worlds."""
    lives: Live = {}
    said: list[Word] = []
    for live, words in worlds:
        lives |= live
        said += words
    return lives, said


def add_replays(fold: Fold, events: DataFrame) -> None:
    """The tables after each day as all events there ever were tell them."""
    for day in range(1, len(fold.days) + 1):
        told = [tell(events, until_run_no=day).toArrow().to_pylist() for tell in (replay, replay_nominals)]
        fold.replayed.append((told[0], told[1]))


@pytest.fixture(scope="module")
def force(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Force:
    return Force(spark, tmp_path_factory)


@pytest.fixture(scope="module")
def fold(force: Force) -> Fold:
    """Every day, and a last one without news: rows in another order, in other partitions, the other way with AQE.

    From the second day on, only records that changed are compared, and some that did not.
    """
    job, made = force.start()
    for day in range(DAYS):
        force.run(job, made, force.day(day), changed=looked_at(force, day) if day else None)
    other = {"true": "false", "false": "true"}[str(force.spark.conf.get("spark.sql.adaptive.enabled"))]
    with settings(force.spark, **{"spark.sql.adaptive.enabled": other}):
        force.run(job, made, force.day(DAYS - 1), seed=99, parts=7, changed=sorted(force.day(DAYS - 1)[0])[::25])
    add_replays(made, job.events())
    return made


def looked_at(force: Force, day: int) -> list[str]:
    """The records whose rows are others than the day before, that came or went, and every fiftieth of the rest."""
    (before, _), (now, _) = force.day(day - 1), force.day(day)
    changed = {ref for ref in before.keys() | now.keys() if forms(before.get(ref)) != forms(now.get(ref))}
    return sorted(changed) + sorted(now.keys() - changed)[::50]


def forms(version: Version | None) -> Any:
    """What PERSON says of a record."""
    return None if version is None else version[:2]


@pytest.fixture(scope="module")
def waiting(force: Force) -> Fold:
    """The first, the third and the last day where every component of more than five records waits for a reviewer."""
    job, made = force.start(quarantine_records=FEW)
    for day in (0, 2, DAYS - 1):
        force.run(job, made, force.day(day))
    add_replays(made, job.events())
    return made


@pytest.fixture(scope="module")
def at_once(force: Force) -> Fold:
    """The last day alone, and of what reviewers said only the words in force."""
    job, made = force.start()
    live, words = force.day(DAYS - 1)
    held = {pair: "same" if same else "not_same" for pair, same in in_force(words).items()}
    force.run(job, made, (live, [Word(min(pair), max(pair), judgement, 1) for pair, judgement in held.items()]))
    return made


@pytest.fixture(scope="module")
def otherwise(force: Force) -> Fold:
    """Another history with the same end."""
    job, made = force.start()
    for day in zip(*[told_otherwise(world, days=2, seed=SEED) for world in force.worlds], strict=True):
        force.run(job, made, together(day))
    return made


@pytest.fixture(scope="module")
def alone(force: Force) -> Fold:
    """A few worlds by themselves."""
    job, made = force.start()
    force.run(job, made, force.day(DAYS - 1, worlds=ALONE))
    return made


@pytest.fixture(params=["all looked into", "much waits"])
def either(request: pytest.FixtureRequest) -> Fold:
    """Both foldings of the worlds."""
    found: Fold = request.getfixturevalue({"all looked into": "fold", "much waits": "waiting"}[request.param])
    return found


# ---- what a day says -----------------------------------------------------------------------------------------


def grouping(day: Day, records: Iterable[int] | None = None) -> tuple[set[frozenset[int]], dict[Pair, Row]]:
    """Who is with whom, and every edge with its evidence and what it was cut for; of some records only where asked."""
    asked = set(day.cluster if records is None else records)
    groups = members({record: cluster for record, (cluster, _) in day.cluster.items() if record in asked})
    return groups, {ends(edge): edge for edge in day.edge if edge["left_record_id"] in asked}


def ends(edge: Row) -> Pair:
    return edge["left_record_id"], edge["right_record_id"]


def because(edge: Row) -> tuple[int | None, int | None]:
    return edge["because_left_record_id"], edge["because_right_record_id"]


def denied(edge: Row) -> bool:
    """A reviewer judged this very pair not the same."""
    return edge["cut_reason"] == CutReason.JUDGED_NOT_SAME and because(edge) == ends(edge)


def homes(day: Day) -> dict[int, int]:
    """Record → nominal."""
    return {row["record_id"]: row["nominal_id"] for row in day.member}


def held(day: Day) -> set[int]:
    """Records that wait for a reviewer."""
    return {row["record_id"] for row in day.member if row["quarantined"]}


def rows(table: Sequence[Row]) -> set[tuple[Any, ...]]:
    """A table as a set; no row stands twice."""
    found = {tuple(row.values()) for row in table}
    assert len(found) == len(table)
    return found


# ---- laws ----------------------------------------------------------------------------------------------------


def test_every_day_passes_the_checks_of_the_job(either: Fold) -> None:
    assert [day.counts["check"]["faults"] for day in either.days] == [0] * len(either.days)


def test_events_tell_the_members_and_nominals_of_every_day(either: Fold) -> None:
    for (place, _, day), (member, nominal) in zip(either.places(), either.replayed, strict=True):
        assert rows(member) == rows(day.member), place
        assert rows(nominal) == rows(day.nominal), place


def test_every_day_is_what_the_rules_of_ids_in_plain_python_say(either: Fold) -> None:
    assert_ids_follow_the_rules(either)


def assert_ids_follow_the_rules(fold: Fold) -> None:
    plain = Plain()
    for run_no, (place, given, day) in enumerate(fold.places(), start=1):
        denied = [pair for pair, same in fold.judged(given).items() if not same]
        events = plain.run(day.cluster, run_no, homes(day), denied)
        assert rows(day.member) == {(record, *at) for record, at in plain.home.items()}, place
        assert rows(day.nominal) == {(nominal, *told) for nominal, told in plain.nominals.items()}, place
        assert rows(day.event) == events, place


def test_a_day_without_news_makes_no_event_whatever_the_order_of_rows_partitions_and_aqe(fold: Fold) -> None:
    before, again = fold.days[-2:]
    assert before.event
    assert not again.event
    assert grouping(again) == grouping(before)
    assert rows(again.member) == rows(before.member)
    assert rows(again.nominal) == rows(before.nominal)


def test_the_grouping_is_that_of_the_last_day_at_once_under_the_words_in_force_alone(fold: Fold, at_once: Fold) -> None:
    assert len(at_once.given[-1][1]) < len(fold.given[-1][1])
    assert grouping(at_once.days[-1]) == grouping(fold.days[-1])


def test_days_that_compare_what_changed_keep_the_pairs_of_one_that_compares_all(fold: Fold, at_once: Fold) -> None:
    assert all("records looked at" in day.counts["compare"] for day in fold.days[1:])
    assert "records looked at" not in at_once.days[-1].counts["compare"]
    expected = rows(at_once.days[-1].pair)
    assert len(expected) > 1_000
    assert rows(fold.days[DAYS - 1].pair) == expected, f"seed {SEED}"
    assert rows(fold.days[-1].pair) == expected, f"seed {SEED}: looked at again"


@pytest.mark.slow
def test_a_few_worlds_alone_are_grouped_as_among_all(fold: Fold, alone: Fold) -> None:
    records = set(alone.days[0].cluster)
    assert grouping(alone.days[0]) == grouping(fold.days[-1], records)


@pytest.mark.slow
def test_the_grouping_is_that_of_another_history_with_the_same_end(fold: Fold, otherwise: Fold) -> None:
    assert grouping(otherwise.days[-1]) == grouping(fold.days[-1])
    assert grouping(otherwise.days[0]) != grouping(otherwise.days[-1])
    assert members(homes(otherwise.days[-1])) == members(homes(fold.days[-1]))
    assert_ids_follow_the_rules(otherwise)


def test_every_live_record_has_one_nominal_and_one_cluster(either: Fold) -> None:
    for place, (live, _), day in either.places():
        records = {either.ids[ref] for ref in live}
        assert len(records) == len(live)
        assert set(day.cluster) == records, place
        assert Counter(row["record_id"] for row in day.member) == Counter(records), place


def test_clusters_are_the_components_of_the_edges_that_were_not_cut(either: Fold) -> None:
    for place, _, day in either.places():
        joined = union_find(ends(edge) for edge in day.edge if edge["cut_reason"] is None)
        labels = {record: joined.get(record, record) for record in day.cluster}
        assert members(labels) == members({record: cluster for record, (cluster, _) in day.cluster.items()}), place


def test_no_edge_that_joins_crosses_two_nominals_and_no_cut_edge_lies_inside_one(either: Fold) -> None:
    for place, _, day in either.places():
        home, waits = homes(day), held(day)
        for edge in day.edge:
            left, right = ends(edge)
            if not {left, right} & waits:
                assert (home[left] == home[right]) == (edge["cut_reason"] is None), f"{place}: {edge}"


def test_a_pair_judged_apart_is_never_in_one_nominal_whether_it_waits_or_not(either: Fold) -> None:
    for place, given, day in either.places():
        home = homes(day)
        for (left, right), same in either.judged(given).items():
            assert same or home[left] != home[right], f"{place}: {left} {right}"


def test_a_pair_judged_the_same_is_in_one_nominal_unless_its_edge_is_named_as_cut(either: Fold) -> None:
    for place, given, day in either.places():
        home, waits, edges = homes(day), held(day), grouping(day)[1]
        judged = {pair for pair, same in either.judged(given).items() if same}
        assert {pair for pair, edge in edges.items() if edge["judged_same"]} == judged, place
        for left, right in judged:
            if not {left, right} & waits:
                cut = edges[left, right]["cut_reason"]
                assert (home[left] == home[right]) == (cut is None), f"{place}: {left} {right} {cut}"


def test_no_nominal_holds_two_records_that_exclude_each_other_unless_they_are_judged_the_same(either: Fold) -> None:
    for place, given, day in either.places():
        waits, judged = held(day), either.judged(given)
        for (one, left), (other, right) in contradicting(either, given, members(homes(day))):
            if not {left, right} & waits:
                assert judged.get(either.pair(one, other)), f"{place}: {one} {other}"


def test_no_nominal_holds_two_verified_numbers_of_a_kind_unless_their_records_are_judged_the_same(
    either: Fold,
) -> None:
    for place, given, day in either.places():
        waits, judged, known = held(day), either.judged(given), either.known_by(given)
        for group in members(homes(day)):
            for left, right in combinations(sorted(group), 2):
                if differ(known[left], known[right]) and not {left, right} & waits:
                    assert judged.get((left, right)), f"{place}: {left} {right}"


def differ(one: Mapping[str, str], other: Mapping[str, str]) -> set[str]:
    """Kinds of which two records bear different numbers."""
    return {kind for kind in one.keys() & other.keys() if one[kind] != other[kind]}


def test_an_edge_says_whether_both_records_bear_the_same_number_and_every_edge_has_a_reason(
    either: Fold,
) -> None:
    for place, given, day in either.places():
        known = either.known_by(given)
        for edge in day.edge:
            left, right = (known[record] for record in ends(edge))
            assert edge["same_identifier"] == bool(left.items() & right.items()), f"{place}: {edge}"
            assert edge["policy_reason"] in JOINING or edge["same_identifier"] or edge["judged_same"], (
                f"{place}: {edge}"
            )


def test_two_records_of_one_name_and_date_with_the_same_number_are_joined_unless_something_speaks_against_it(
    either: Fold,
) -> None:
    """Name and date of birth alone join nobody; with a number they do."""
    found = 0
    for place, given, day in either.places():
        known, judged, edges = either.known_by(given), either.judged(given), grouping(day)[1]
        by_name = defaultdict(list)
        for ref, (_, forms, _) in given[0].items():
            given_name, surname, born, _, _ = forms[0]
            if born and len(forms) == 1:
                by_name[given_name, surname, born].append(either.ids[ref])
        for records in by_name.values():
            for pair in combinations(sorted(records), 2):
                if known[pair[0]].items() & known[pair[1]].items() and judged.get(pair) is not False:
                    assert pair in edges, f"{place}: {pair}"
                    found += edges[pair]["policy_reason"] not in JOINING and not edges[pair]["judged_same"]
    enough({"by the number alone": found}, {"by the number alone": 20})


def contradicting(
    fold: Fold, given: Given, groups: Iterable[frozenset[int]]
) -> Iterator[tuple[tuple[str, int], tuple[str, int]]]:
    """Pairs of one group, by reference and id, whose own rows exclude that they are one person."""
    live, refs = given[0], {fold.ids[ref]: ref for ref in given[0]}
    for group in groups:
        for left, right in combinations(sorted(group), 2):
            one, other = refs[left], refs[right]
            if tell_apart(live[one][1][0], live[other][1][0]):
                yield (one, left), (other, right)


def test_every_cut_says_why_and_names_two_records_that_did_not_meet(either: Fold) -> None:
    for place, given, day in either.places():
        judged, waits, known = either.judged(given), held(day), either.known_by(given)
        whole = union_find(ends(edge) for edge in day.edge)
        for edge in day.edge:
            reason, (low, high) = edge["cut_reason"], because(edge)
            if reason is None or reason in LIMIT_REASONS:
                assert (low, high) == (None, None), f"{place}: {edge}"
                assert not (reason and edge["judged_same"]), f"{place}: {edge}"
                continue
            assert low is not None, f"{place}: {edge}"
            assert high is not None, f"{place}: {edge}"
            assert low < high, f"{place}: {edge}"
            assert whole[low] == whole[high] == whole[edge["left_record_id"]], f"{place}: {edge}"
            assert day.cluster[low][0] != day.cluster[high][0] or {low, high} <= waits, f"{place}: {edge}"
            if reason == CutReason.JUDGED_NOT_SAME:
                assert judged.get((low, high)) is False, f"{place}: {edge}"
            else:
                assert judged.get((low, high)) is not True, f"{place}: {edge}"
            if reason in DIFFERS:
                assert DIFFERS[reason] in differ(known[low], known[high]), f"{place}: {edge}"


def test_while_a_component_waits_each_member_keeps_its_nominal_or_is_its_own(waiting: Fold) -> None:
    before: dict[int, int] = {}
    parted = 0
    for place, given, day in waiting.places():
        home, sizes = homes(day), Counter(homes(day).values())
        components = union_find(ends(edge) for edge in day.edge if not denied(edge))
        large = {group for group in members(components) if len(group) > FEW}
        assert held(day) == {record for group in large for record in group}, place
        not_same = {record for pair, same in waiting.judged(given).items() if not same for record in pair}
        for record in held(day):
            stays = record in before and home[record] == before[record]
            assert stays or sizes[home[record]] == 1, f"{place}: {record}"
            assert stays or record not in before or record in not_same, f"{place}: {record}"
            parted += not stays and record in before
        before = home
    enough({"parted by a word": parted}, {"parted by a word": 3})


# ---- the histories are not empty of what the laws are about ----------------------------------------------------


def enough(found: dict[str, int], least: dict[str, int]) -> None:
    """Each count is at least what is stated for 200 worlds, in proportion to the worlds there are."""
    short = {name: found.get(name, 0) for name, number in least.items() if found.get(name, 0) * 200 < number * WORLDS}
    assert not short, f"seed {SEED}: too few of {short} in {found}"


def test_the_histories_hold_every_kind_of_event_and_of_cut(fold: Fold) -> None:
    kinds = Counter(row["kind"] for day in fold.days for row in day.event)
    enough(kinds, {"created": 700, "joined": 1500, "left": 300, "merged": 100, "split": 250, "retired": 100})
    cuts = Counter(edge["cut_reason"] for day in fold.days for edge in day.edge if edge["cut_reason"])
    enough(
        cuts,
        {
            "judged_not_same": 200,
            "dates_contradict": 200,
            "twin_pattern": 150,
            "another_of_the_household": 30,
            "sex_marked_conflict": 100,
            "pnc_differs": 20,
            "cro_differs": 5,
            "too_large": 1,
            "weak_bridge": 1,
        },
    )


def test_the_histories_hold_quarantines_that_begin_and_end(waiting: Fold) -> None:
    kinds = Counter(row["kind"] for day in waiting.days for row in day.event)
    enough(kinds, {"quarantined": 100, "released": 10, "merged": 20, "split": 20})
    assert all(held(day) and not held(day) >= set(day.cluster) for day in waiting.days)


def test_judgements_took_effect(fold: Fold) -> None:
    """Pairs that joined by a word alone, that a word parted, whose words were taken back, and of which a record is gone."""
    found: Counter[str] = Counter()
    for _, given, day in fold.places():
        live, words = given
        joined = [edge for edge in day.edge if edge["cut_reason"] is None]
        by_rule = union_find(ends(edge) for edge in joined if not edge["judged_same"])
        for edge in day.edge:
            left, right = ends(edge)
            if edge["judged_same"] and edge["cut_reason"]:
                found["same, and cut"] += 1
            elif edge["judged_same"]:
                found["same, and joined by it"] += by_rule.get(left, left) != by_rule.get(right, right)
                found["same, against the rule"] += edge["policy_reason"] not in JOINING
            found["not the same, an edge"] += denied(edge)
            found["not the same, another edge"] += edge["cut_reason"] == "judged_not_same" and not denied(edge)
        spoken, holds = {frozenset((word.one, word.other)) for word in words}, in_force(words)
        found["taken back"] += len(spoken - set(holds))
        found["of a record that is gone"] += sum(any(ref not in live for ref in pair) for pair in holds)
        moments = Counter((frozenset((word.one, word.other)), word.minute) for word in words)
        found["of one moment"] += sum(number > 1 for number in moments.values())
    enough(
        found,
        {
            "same, and joined by it": 100,
            "same, against the rule": 50,
            "same, and cut": 1,
            "not the same, an edge": 50,
            "not the same, another edge": 50,
            "taken back": 100,
            "of a record that is gone": 50,
            "of one moment": 50,
        },
    )


def test_the_histories_hold_components_of_records_that_exclude_each_other(fold: Fold) -> None:
    found = 0
    for _, given, day in fold.places():
        found += len(list(contradicting(fold, given, members(union_find(map(ends, day.edge))))))
    enough({"pairs": found}, {"pairs": 300})


def test_records_are_amended_withdrawn_and_come_back(force: Force) -> None:
    found: Counter[str] = Counter()
    for world in force.worlds:
        for ref in {ref for live in world.days for ref in live}:
            told = [live.get(ref) for live in world.days]
            for before, now in pairwise(told):
                found["amended"] += before is not None and now is not None and before != now
                found["gone"] += before is not None and now is None
                found["arrived"] += before is None and now is not None
            seen = [version for version in told if version]
            found["came back"] += any(told[at] is None and any(told[:at]) and any(told[at:]) for at in range(len(told)))
            assert [version[0] for version in seen] == sorted(version[0] for version in seen)
            found["with an alias"] += any(len(version[1]) > 1 for version in seen)
    enough(found, {"amended": 300, "gone": 150, "arrived": 300, "came back": 40, "with an alias": 200})
