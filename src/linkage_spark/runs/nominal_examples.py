"""A few small components of a run of the job nominals, with what joined and what parted their records: for its report.

They name records by reference, so that whatever shows them is personal data; no name, date or address is in them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from linkage_spark.nominals.guard_stage import component_sizes
from linkage_spark.nominals.path_words import ToldEdge, cut_in_words, farthest_records, path_in_words
from linkage_spark.nominals.paths import reached
from linkage_spark.nominals.records import record_id
from linkage_spark.runs.nominal_stages import NominalRun
from linkage_spark.tables.enums import CutReason
from linkage_spark.tables.nominals import NOMINAL_EDGE, NOMINAL_MEMBER

MOST_EXAMPLES = 8

MOST_RECORDS = 30
"""Components with more records are no examples."""

MOST_CUTS_TOLD = 12
"""Cuts of one example that are told in a sentence: the heaviest."""

QUARANTINED, LARGEST, FAR_APART = "quarantined", "largest", "far_apart"
"""What an example shows, besides the values of CutReason."""

Row = Mapping[str, Any]

_WEIGHT_AND_LEVELS = (
    "policy_reason",
    "level_name",
    "level_date_of_birth",
    "level_address",
    "judged_same",
    "same_identifier",
)
_EDGE = (
    "left_record_id",
    "right_record_id",
    "match_weight_millibits",
    *_WEIGHT_AND_LEVELS,
    "cut_reason",
    "because_left_record_id",
    "because_right_record_id",
)


def collect_examples(state: NominalRun) -> list[dict[str, Any]]:
    """At most MOST_EXAMPLES components of at most MOST_RECORDS records; the same for the same tables.

    In this order: per CutReason the component with the most edges cut for it; of those not cut the largest, and the one with
    the two members that are the most steps apart, when they are two or more; last the largest component under quarantine,
    however many records it has, of which the size alone is told. Ties go to the lowest component id. A component that
    shows several of these stands once; where there are too many, the later ones give way, but not the quarantined one.

    Args:
        state: the run, its stages done up to ``identity``; read are the components of its work folder, NOMINAL_EDGE,
            NOMINAL_MEMBER and the references of the records chosen.

    Returns:
        Per example ``shows`` (list of CutReason values, LARGEST, FAR_APART, QUARANTINED) and what ``example_of`` tells.
    """
    components = state.work("components")
    small = component_sizes(components).where(F.col("records").between(2, min(MOST_RECORDS, state.most_records)))
    edges = _edges(state).join(small, on=["component_id"])
    cut = edges.where("cut_reason is not null")
    uncut = small.join(cut.select("component_id").distinct(), on=["component_id"], how="left_anti")
    shows: dict[int, list[str]] = {}
    for component, what in (*_most_cut(cut), *_largest(uncut), *_farthest(edges, uncut)):
        shows.setdefault(component, []).append(what)
    held = _held(component_sizes(components), state.most_records)
    chosen = list(shows)[: MOST_EXAMPLES - len(held)]
    if not chosen:
        return held
    members = _by_component(_members(state, chosen).collect())
    found = _by_component(
        _edges(state).where(F.col("component_id").isin(chosen)).select("component_id", *_EDGE).collect()
    )
    return [{"shows": shows[one], **example_of(members[one], found[one])} for one in chosen] + held


# ---- which components ---------------------------------------------------------------------------------------------


def _edges(state: NominalRun) -> DataFrame:
    """NOMINAL_EDGE with ``component_id``; a pair judged *not the same* may lie in two components, and is left out then."""
    left = state.work("components").select(F.col("record_id").alias("left_record_id"), "component_id")
    right = state.work("components").select(F.col("record_id").alias("right_record_id"), "component_id")
    return state.own(NOMINAL_EDGE).join(left, on=["left_record_id"]).join(right, on=["right_record_id", "component_id"])


def _most_cut(cut: DataFrame) -> list[tuple[int, str]]:
    """Per CutReason, in its order, the component with the most edges cut for it."""
    counted = cut.groupBy("cut_reason", "component_id").agg(F.count(F.lit(1)).alias("edges"))
    most = F.min(F.struct((-F.col("edges")).alias("fewer"), "component_id")).alias("most")
    found = {
        row["cut_reason"]: int(row["most"]["component_id"]) for row in counted.groupBy("cut_reason").agg(most).collect()
    }
    return [(found[reason.value], reason.value) for reason in CutReason if reason.value in found]


def _largest(uncut: DataFrame) -> list[tuple[int, str]]:
    """The component with the most records; none where there is no component."""
    return [(component, LARGEST) for component, _ in _first(uncut, "records")]


def _farthest(edges: DataFrame, uncut: DataFrame) -> list[tuple[int, str]]:
    """The component, of three records or more, with the two members the most steps apart; none where all lie one step apart."""
    gathered = (
        edges.join(uncut.where("records > 2").select("component_id"), on=["component_id"])
        .groupBy("component_id", "records")
        .agg(F.collect_list(F.struct("left_record_id", "right_record_id")).alias("edges"))
        .where(F.size("edges") * 2 < F.col("records") * (F.col("records") - 1))
    )
    steps = gathered.select("component_id", "edges").mapInArrow(_steps_apart, schema="component_id long, steps int")
    return [(component, FAR_APART) for component, _ in _first(steps, "steps")]


def _held(sizes: DataFrame, most_records: int) -> list[dict[str, Any]]:
    """The largest component under quarantine, its size alone; none where none is."""
    found = _first(sizes.where(F.col("records") > F.lit(most_records)), "records")
    return [{"shows": [QUARANTINED], **example_of([], []), "records": records} for _, records in found]


def _first(frame: DataFrame, measure: str) -> list[tuple[int, int]]:
    """Component and measure of the row with the greatest measure, of several the lowest component; [] of an empty frame."""
    row = frame.agg(F.min(F.struct((-F.col(measure)).alias("less"), "component_id")).alias("first")).collect()[0][
        "first"
    ]
    return [] if row is None else [(int(row["component_id"]), -int(row["less"]))]


def _steps_apart(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Per component the steps between the two members farthest apart."""
    schema = pa.schema([("component_id", pa.int64()), ("steps", pa.int32())])
    for batch in batches:
        rows = [
            {"component_id": row["component_id"], "steps": _widest([tuple(edge.values()) for edge in row["edges"]])}
            for row in batch.to_pylist()
        ]
        yield pa.RecordBatch.from_pylist(rows, schema=schema)


def _widest(edges: Sequence[tuple[int, ...]]) -> int:
    """Most steps between two ends of a connected graph."""
    code = {record: number for number, record in enumerate(sorted({end for edge in edges for end in edge}))}
    near: list[dict[int, int]] = [{} for _ in code]
    for number, (left, right) in enumerate(edges):
        near[code[left]][code[right]] = near[code[right]][code[left]] = number
    return max(max(reached(near, vertex).values()) for vertex in range(len(near)))


# ---- what is told of them -----------------------------------------------------------------------------------------


def _members(state: NominalRun, chosen: Sequence[int]) -> DataFrame:
    """One row per record of the chosen components: ``component_id``, ``record_id``, its reference, ``nominal_id``."""
    few = state.work("components").where(F.col("component_id").isin(list(chosen)))
    placed = state.own(NOMINAL_MEMBER).select("record_id", "nominal_id").join(F.broadcast(few), on=["record_id"])
    named = state.persons.select("source_system", "person_ref", record_id().alias("record_id"))
    return named.join(F.broadcast(placed), on=["record_id"]).distinct()


def _by_component(rows: Iterable[Any]) -> dict[int, list[dict[str, Any]]]:
    """Collected rows by component."""
    found: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(int(row["component_id"]), []).append(row.asDict())
    return found


def example_of(members: Sequence[Row], edges: Sequence[Row]) -> dict[str, Any]:
    """One component as the report draws and tells it; the order of rows changes nothing.

    Args:
        members: ``record_id``, ``source_system``, ``person_ref``, ``nominal_id``.
        edges: NOMINAL_EDGE rows, cut ones too.

    Returns:
        ``records``: how many there are. ``members``: per record ``name`` ('source/reference'), ``nominal_id`` as text and
        ``nominal``, its number from 0: nominals by records, the most first, then by name. ``edges``: ends as positions among
        the members, ``weight_millibits``, policy reason, levels, ``judged_same``, ``cut_reason``. ``path``: sentences of the
        strongest path between the two members of the first nominal that are the most steps apart; ``path_ends``: their names.
        ``cuts``: a sentence per edge cut, the heaviest first; ``cuts_untold``: how many more were cut.
    """
    names = {int(row["record_id"]): f"{row['source_system']}/{row['person_ref']}" for row in members}
    nominal = {int(row["record_id"]): int(row["nominal_id"]) for row in members}
    ranked = _ranked(names, nominal)
    placed = sorted(names, key=lambda record: (ranked[nominal[record]], names[record], record))
    place = {record: number for number, record in enumerate(placed)}
    kept = [_told(row) for row in edges if row["cut_reason"] is None]
    first = [record for record in placed if ranked[nominal[record]] == 0]
    inside = [edge for edge in kept if edge.left in first and edge.right in first]
    ends = farthest_records(inside, first)
    cuts = _cuts(edges, names)
    return {
        "records": len(placed),
        "members": [
            {"name": names[one], "nominal": ranked[nominal[one]], "nominal_id": str(nominal[one])} for one in placed
        ],
        "edges": sorted((_drawn(row, place) for row in edges), key=lambda edge: (edge["left"], edge["right"])),
        "path": path_in_words(inside, *ends, names=names) if ends else [],
        "path_ends": [names[end] for end in ends] if ends else [],
        "cuts": cuts[:MOST_CUTS_TOLD],
        "cuts_untold": max(0, len(cuts) - MOST_CUTS_TOLD),
    }


def _ranked(names: Mapping[int, str], nominal: Mapping[int, int]) -> dict[int, int]:
    """Per nominal its number: the one with the most records first, of equal ones the one with the lowest name."""
    inside: dict[int, list[str]] = {}
    for record, name in names.items():
        inside.setdefault(nominal[record], []).append(name)
    order = sorted(inside, key=lambda one: (-len(inside[one]), min(inside[one]), one))
    return {one: number for number, one in enumerate(order)}


def _told(row: Row) -> ToldEdge:
    """An edge for ``path_words``."""
    return ToldEdge(
        left=int(row["left_record_id"]),
        right=int(row["right_record_id"]),
        weight_millibits=int(row["match_weight_millibits"]),
        **{name: row[name] for name in _WEIGHT_AND_LEVELS},
    )


def _drawn(row: Row, place: Mapping[int, int]) -> dict[str, Any]:
    """An edge as the report draws it."""
    left, right = sorted((place[int(row["left_record_id"])], place[int(row["right_record_id"])]))
    told = {name: row[name] for name in (*_WEIGHT_AND_LEVELS, "cut_reason")}
    return {"left": left, "right": right, "weight_millibits": int(row["match_weight_millibits"]), **told}


def _cuts(edges: Sequence[Row], names: Mapping[int, str]) -> list[str]:
    """A sentence per edge that was cut, the heaviest first."""
    cut = sorted((row for row in edges if row["cut_reason"] is not None), key=_heaviest_first)
    return [cut_in_words(_told(row), CutReason(row["cut_reason"]), _because(row), names=names) for row in cut]


def _heaviest_first(row: Row) -> tuple[int, int, int]:
    return -int(row["match_weight_millibits"]), int(row["left_record_id"]), int(row["right_record_id"])


def _because(row: Row) -> tuple[int, int] | None:
    """The two records that may not meet; None where a limit is the reason."""
    low, high = row["because_left_record_id"], row["because_right_record_id"]
    return None if low is None or high is None else (int(low), int(high))
