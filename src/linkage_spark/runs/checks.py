"""What must hold before anything is published. A breach names the check and counts, never a value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from linkage_spark.errors import GateError
from linkage_spark.evaluation.figures import SourceFigures
from linkage_spark.kit.contract import TableContract
from linkage_spark.settings.run import Gates
from linkage_spark.tables.enums import RefusalReason
from linkage_spark.tables.identifiers import PERSON_IDENTIFIER


def count_suspects(tables: Sequence[tuple[TableContract, DataFrame]]) -> DataFrame:
    """Which tables need a closer look, in one pass over all of them; lazy.

    Keys are compared by a hash of 64 bits, which is quick to group by and never calls equal keys different: a
    table without repeated hashes has no repeated key. For the others ``table_faults`` looks at the keys themselves.

    Args:
        tables: contracts and the frames that were written under them.

    Returns:
        One row per table that has rows: ``place`` in ``tables``, ``repeated`` hashes that occur more than once,
        ``nulls`` in required columns.
    """
    each = [
        frame.select(
            F.lit(place).alias("place"),
            F.xxhash64(*contract.key).alias("key_hash"),
            reduce(
                lambda one, other: one + other,
                [F.col(column.name).isNull().cast("int") for column in contract.fields if column.required],
                F.lit(0),
            ).alias("nulls"),
        )
        for place, (contract, frame) in enumerate(tables)
    ]
    per_key = (
        reduce(DataFrame.unionByName, each)
        .groupBy("place", "key_hash")
        .agg(F.count(F.lit(1)).alias("rows_of_key"), F.sum("nulls").alias("nulls"))
    )
    return per_key.groupBy("place").agg(
        F.count_if(F.col("rows_of_key") > 1).alias("repeated"), F.sum("nulls").alias("nulls")
    )


def all_table_faults(tables: Sequence[tuple[TableContract, DataFrame]]) -> list[str]:
    """Faults of all written tables, in their order; one action when there is none."""
    suspects = [row for row in count_suspects(tables).collect() if row["repeated"] or row["nulls"]]
    return [fault for place in sorted(row["place"] for row in suspects) for fault in table_faults(*tables[place])]


def table_faults(contract: TableContract, frame: DataFrame) -> list[str]:
    """Faults of one written table: keys that are not unique, required columns that hold null.

    One action: rows are grouped by key, and the groups are counted together with their nulls.
    """
    required = [column.name for column in contract.fields if column.required]
    nulls = [F.sum(F.col(name).isNull().cast("long")).alias(f"null_{name}") for name in required]
    per_key = frame.groupBy(*contract.key).agg(F.count(F.lit(1)).alias("rows_of_key"), *nulls)
    row = per_key.agg(
        F.sum((F.col("rows_of_key") > 1).cast("long")).alias("repeated"),
        *[F.sum(f"null_{name}").alias(f"null_{name}") for name in required],
    ).first()
    if row is None or row["repeated"] is None:
        return []
    faults = [
        f"{contract.name}: null in required column {name} of {row[f'null_{name}']} rows"
        for name in required
        if row[f"null_{name}"]
    ]
    if row["repeated"]:
        faults.insert(0, f"{contract.name}: {row['repeated']} keys ({', '.join(contract.key)}) occur more than once")
    return faults


def source_faults(sources: Iterable[SourceFigures], gates: Gates) -> list[str]:
    """Feeds whose rows do not reconcile, or that refuse more than the gate allows.

    Numbers serve nominals alone: however many are refused, employees are screened. What a source takes back or disposes of is no fault.
    """
    faults = []
    for part in sources:
        name = f"{part['source_system']}.{part['feed']} as {part['produces']}"
        refused = sum(part["refused"].values())
        faulty = refused - taken_back(part)
        if part["rows_in"] != part["rows_out"] + refused:
            faults.append(
                f"{name}: {part['rows_in']} rows in, {part['rows_out']} out and {refused} refused do not add up"
            )
        gated = part["rows_in"] > 0 and part["produces"] != PERSON_IDENTIFIER.name
        if gated and faulty / part["rows_in"] > gates.max_refused_share:
            reasons = ", ".join(f"{reason} {count}" for reason, count in sorted(part["refused"].items()))
            faults.append(
                f"{name}: {faulty} of {part['rows_in']} rows were refused ({reasons}), more than the share "
                f"{gates.max_refused_share} that gates.max_refused_share allows; mend the feed, or raise the gate knowingly"
            )
    return faults


def taken_back(part: SourceFigures) -> int:
    """Rows of one source and table that it has taken back, or no longer keeps."""
    return sum(part["refused"].get(reason.value, 0) for reason in (RefusalReason.WITHDRAWN, RefusalReason.DISPOSAL_DUE))


def volume_faults(*, links: int, screened: int, gates: Gates) -> list[str]:
    """Too many links for the roster: a feed or a model is wrong."""
    if screened and links / screened > gates.max_links_per_employee:
        return [
            f"link: {links} links for {screened} screened employees, more than gates.max_links_per_employee = "
            f"{gates.max_links_per_employee} each; look at the rules' prices and the links by clause before raising it"
        ]
    return []


def stop_if(faults: Sequence[str]) -> None:
    """Raise when there is any fault.

    Raises:
        GateError: with every fault, one a line.
    """
    if faults:
        raise GateError("nothing was published: " + "\n".join(faults))


def reconcile(
    rows_in: Mapping[tuple[str, str, str], int],
    rows_out: Mapping[tuple[str, str], int],
    refused: Iterable[Mapping[str, Any]],
    not_screened: Mapping[tuple[str, str], int],
) -> list[SourceFigures]:
    """Rows in, out and refused, per source and canonical table.

    Several feeds of one source may make one table (a nominal and its aliases), so their rows are added
    up and their names joined.

    Args:
        rows_in: by (source, feed, table).
        rows_out: by (source, table).
        refused: mappings with source_system, produces, reason, rows.
        not_screened: person records by (source, reason).
    """
    parts: dict[tuple[str, str], SourceFigures] = {}
    for (source, feed_name, produces), count in sorted(rows_in.items()):
        part = parts.setdefault(
            (source, produces),
            SourceFigures(
                source_system=source,
                feed="",
                produces=produces,
                rows_in=0,
                rows_out=0,
                refused={},
                not_screened={},
            ),
        )
        part["feed"] = f"{part['feed']} + {feed_name}" if part["feed"] else feed_name
        part["rows_in"] += count
    for (source, produces), part in parts.items():
        part["rows_out"] = rows_out.get((source, produces), 0)
        if produces == "person":
            part["not_screened"] = {reason: n for (of, reason), n in sorted(not_screened.items()) if of == source}
    for row in refused:
        counts = parts[(row["source_system"], row["produces"])]["refused"]
        counts[row["reason"]] = counts.get(row["reason"], 0) + int(row["rows"])
    return list(parts.values())
