"""Small stories of police records through all stages up to clusters, many of them in one run.

Every story has its own references, places and numbers. Each blocking rule of ``nominals_v1`` holds a place, so that stories
never meet.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from linkage_spark.flows.cluster import Comparing, accepted_edges, compare_records, conflicts_inside, records_of
from linkage_spark.kit.frames import local_frame
from linkage_spark.model.frequencies import Frequencies
from linkage_spark.model.schema import load_model
from linkage_spark.nominals.engines import DriverEngine
from linkage_spark.nominals.guard import GuardLimits
from linkage_spark.nominals.guard_stage import clusters, guard_components, with_cuts
from linkage_spark.nominals.judgements import judgements_in_force
from linkage_spark.nominals.numbers import usable_numbers
from linkage_spark.nominals.records import with_record_id
from linkage_spark.reference.names import load_name_reference
from linkage_spark.tables.identifiers import PERSON_IDENTIFIER
from linkage_spark.tables.nominals import NOMINAL_EDGE, PERSON_JUDGEMENT
from tests.support.contract_rows import contract_rows
from tests.support.persons import person, persons

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, Row, SparkSession

CONF = Path(__file__).resolve().parents[2] / "conf"
COMPARING = Comparing(load_model(CONF, "nominals_v1"), Frequencies.none(), load_name_reference(CONF))
LIMITS = GuardLimits(max_records=500, max_path=6, bridge_millibits=14_000)

HOME = "14|elm grove|birmingham|B23 6AB"
AWAY, MOVED = "3|mill lane|walsall|WS1 1AA", "88|long acre|dudley|DY1 2BC"

RECORDS = [
    # One person: at two homes, once with a slip of the date, once under a former name that an alias row tells.
    person("a1", "qorwen", "vantrizzel", "1984-03-12", HOME),
    person("a2", "qorwen", "vantrizzel", "1984-12-03", HOME),
    person("a3", "qorwen", "vantrizzel", "1984-03-12", AWAY),
    person("a3", "qorwen", "vantrizzel", "1984-03-12", HOME, variant_no=1, variant_kind="other_address"),
    person("a4", "qorwen", "oldname", "1984-03-12", HOME),
    # The same name and date of birth in another town: nobody joins on that alone.
    person("a5", "qorwen", "vantrizzel", "1984-03-12", MOVED),
    # The twin and the father at the same home.
    person("b1", "belinda", "vantrizzel", "1984-03-12", HOME),
    person("b2", "belinda", "vantrizzel", "1984-03-12", HOME),
    person("c1", "qorwen", "vantrizzel", "1955-06-30", HOME),
    # Another person, alone; and one whose date is not known, who takes no part.
    person("d1", "tomas", "belloquin", "1979-10-05", AWAY),
    person("d2", "tomas", "belloquin", None, AWAY),
]
ONE_PERSON = [{"a1", "a2", "a3", "a4"}, {"a5"}, {"b1", "b2"}, {"c1"}, {"d1"}, {"d2"}]

Said = tuple[str, str, str, int]
"""Two references, the word, the day of January 2026."""

_PLACES = ("address_raw", "postcode_raw", "street", "postcode", "postcode_sector", "postcode_district", "premises_key")


def number(ref: str, identifier: str | None, *, kind: str = "pnc_id", verified: bool = True) -> dict[str, Any]:
    """One row of PERSON_IDENTIFIER; without a standard form it says why."""
    issue = "check_letter_wrong" if identifier is None else None
    return {
        "source_system": "crime",
        "person_ref": ref,
        "kind": kind,
        "identifier_raw": identifier or "WRONG",
        "identifier": identifier,
        "identifier_issue": issue,
        "verified": verified,
    }


@dataclass(frozen=True)
class Story:
    """Records, what reviewers said of them, and their numbers.

    Attributes:
        mark: what its references, places and numbers begin with.
    """

    mark: str
    rows: Sequence[dict[str, Any]]
    said: Sequence[Said]
    numbers: Sequence[dict[str, Any]]

    def persons(self) -> list[dict[str, Any]]:
        """PERSON rows."""
        return [self._marked(row, "person_ref", *_PLACES) for row in self.rows]

    def identifiers(self) -> list[dict[str, Any]]:
        """PERSON_IDENTIFIER rows."""
        return [self._marked(row, "person_ref", "identifier_raw", "identifier") for row in self.numbers]

    def judgements(self) -> list[Said]:
        """What was said, of the marked references."""
        return [(self.mark + one, self.mark + other, word, day) for one, other, word, day in self.said]

    def _marked(self, row: dict[str, Any], *names: str) -> dict[str, Any]:
        return row | {name: self.mark + row[name] for name in names if row[name] is not None}


@dataclass(frozen=True)
class Told:
    """What became of one story.

    Attributes:
        names: record id → reference.
        cluster: reference → its cluster and whether it waits for a reviewer.
        edges, conflicts: accepted pairs before the guard, and what speaks against pairs of one component.
        kept_edges: NOMINAL_EDGE rows, with what the guard did.
    """

    names: dict[int, str]
    cluster: dict[str, tuple[int, bool]]
    edges: list[Row]
    conflicts: list[Row]
    kept_edges: list[Row]

    def together(self) -> list[set[str]]:
        """Clusters as sets of references, in order."""
        found: dict[int, set[str]] = {}
        for ref, (cluster, _) in self.cluster.items():
            found.setdefault(cluster, set()).add(ref)
        return sorted(found.values(), key=sorted)

    def pairs(self, rows: Iterable[Row], *columns: str) -> set[tuple[Any, ...]]:
        """Pairs of references in alphabetical order, with some columns."""
        ends = ("left_record_id", "right_record_id")
        return {(*sorted(self.names[row[end]] for end in ends), *[row[column] for column in columns]) for row in rows}

    def cut(self, *columns: str) -> set[tuple[Any, ...]]:
        """The pairs whose edge the guard cut."""
        return self.pairs([row for row in self.kept_edges if row.cut_reason], *columns)


class Stories:
    """Stories under the same limits, added where a test says what it is about and run together."""

    def __init__(
        self, *, limits: GuardLimits = LIMITS, most_records: int = 2_000, frequencies: Frequencies | None = None
    ) -> None:
        self.limits, self.most_records = limits, most_records
        self.comparing = replace(COMPARING, frequencies=frequencies or COMPARING.frequencies)
        self.stories: list[Story] = []

    def add(
        self,
        rows: Sequence[dict[str, Any]],
        said: Sequence[Said] = (),
        *,
        numbers: Sequence[dict[str, Any]] = (),
    ) -> Story:
        """One more story."""
        story = Story(f"{len(self.stories)}~", rows, said, numbers)
        self.stories.append(story)
        return story

    def run(self, spark: SparkSession, *, partitions: int = 0) -> dict[str, Told]:
        """All of them, by mark; rows in another order and many partitions where asked."""
        rows = [row for story in self.stories for row in story.persons()]
        history = persons(spark, rows[::-1] if partitions else rows)
        if partitions:
            history = history.repartition(partitions, "surname")
        names = {row.record_id: row.person_ref for row in with_record_id(history).collect()}
        ids = {name: record for record, name in names.items()}
        said = [word for story in self.stories for word in story.judgements()]
        numbers = [number for story in self.stories for number in story.identifiers()]
        tables = self._stages(history, judged(spark, ids, said), contract_rows(spark, PERSON_IDENTIFIER, *numbers))
        return {story.mark: _told(story.mark, names, *tables) for story in self.stories}

    def _stages(self, history: DataFrame, said: DataFrame, identifiers: DataFrame) -> list[list[Row]]:
        """Edges, conflicts, edges after the guard, clusters; each worked out once."""
        judgements = judgements_in_force(said).localCheckpoint()
        records = records_of(history).localCheckpoint()
        scored = compare_records(records, comparing=self.comparing, refined=(), secret=b"s" * 32).localCheckpoint()
        borne = usable_numbers(identifiers).localCheckpoint()
        edges = accepted_edges(
            scored, records, judgements, borne, comparing=self.comparing, most_bearers=self.limits.max_records
        ).localCheckpoint()
        standing = edges.where("not denied")
        components = DriverEngine().components(standing.select("left_record_id", "right_record_id")).localCheckpoint()
        conflicts = conflicts_inside(
            records, components, edges, judgements, borne, comparing=self.comparing, most_records=self.most_records
        ).localCheckpoint()
        guarded = guard_components(
            components, standing, conflicts, limits=self.limits, most_records=self.most_records
        ).localCheckpoint()
        live = with_record_id(history).select("record_id").distinct()
        placed = clusters(live, components, guarded, most_records=self.most_records)
        kept = NOMINAL_EDGE.conform(with_cuts(edges, guarded))
        return [frame.collect() for frame in (edges, conflicts, kept, placed)]


def _told(
    mark: str,
    names: dict[int, str],
    edges: list[Row],
    conflicts: list[Row],
    kept: list[Row],
    placed: list[Row],
) -> Told:
    """The part of a run that is of one story; a pair that crosses to another one would be a KeyError."""
    own = {record: ref.removeprefix(mark) for record, ref in names.items() if ref.startswith(mark)}
    of_it = [
        [row for row in rows if {row.left_record_id, row.right_record_id} & own.keys()]
        for rows in (edges, conflicts, kept)
    ]
    cluster = {own[row.record_id]: (row.cluster_id, row.quarantined) for row in placed if row.record_id in own}
    return Told(own, cluster, *of_it)


def judged(spark: SparkSession, ids: dict[str, int], said: Sequence[Said]) -> DataFrame:
    """PERSON_JUDGEMENT rows."""
    rows = [
        (*sorted((ids[one], ids[other])), word, datetime(2026, 1, day, tzinfo=UTC), "reviewer 7", None)
        for one, other, word, day in said
    ]
    return local_frame(spark, rows, schema=PERSON_JUDGEMENT.schema)
