"""A few hits that show what the kinds look like: references and sentences, no person's value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from linkage_spark.tables.enums import Tier
from linkage_spark.tables.linkage import LINK_WEIGHTS

EXAMPLE_COLUMNS: tuple[str, ...] = (
    "hit_id",
    "employee_id",
    "source_system",
    "event_ref",
    "person_ref",
    "event_type",
    "role",
    "lane",
    "tier",
    "match_weight",
    "policy_reason",
    "event_date",
    "on_duty_sign",
    "default_view",
    "before_employment",
    "link_count",
    "explanation",
    *LINK_WEIGHTS,
)
"""What the report shows of one example hit: references and the sentence, never a person's value."""


def choose_example_hits(hit: DataFrame, link: DataFrame, *, per_kind: int = 2) -> DataFrame:
    """At most ``per_kind`` hits of each lane, tier and event type, with the best link's weights.

    Chosen by ``hit_id``, which is a hash: as good as a draw, and the same every time.

    Args:
        hit: HIT.
        link: LINK.
        per_kind: hits per (lane, tier, event_type).

    Returns:
        EXAMPLE_COLUMNS, and ``kind_rank`` INT from 1 within its kind.
    """
    kind = Window.partitionBy("lane", "tier", "event_type").orderBy("hit_id")
    chosen = hit.withColumn("kind_rank", F.row_number().over(kind)).where(F.col("kind_rank") <= per_kind)
    weights = link.select("employee_id", "source_system", "person_ref", *LINK_WEIGHTS)
    joined = chosen.join(weights, on=["employee_id", "source_system", "person_ref"], how="inner")
    return joined.select(*EXAMPLE_COLUMNS, "kind_rank")


def pick_examples(rows: Iterable[Mapping[str, Any]], limit: int = 12) -> list[dict[str, Any]]:
    """At most ``limit`` of the chosen hits, in turn over tiers, lanes and event types."""
    taken: Counter[tuple[str, str]] = Counter()
    left = sorted((dict(row) for row in rows), key=lambda row: (row["kind_rank"], row["hit_id"]))
    picked: list[dict[str, Any]] = []
    while left and len(picked) < limit:
        best = min(
            left,
            key=lambda row: (
                taken["lane+tier", row["lane"] + row["tier"]],
                taken["event_type", row["event_type"]],
                taken["role", row["role"]],
                row["kind_rank"],
                row["hit_id"],
            ),
        )
        left.remove(best)
        taken["lane+tier", best["lane"] + best["tier"]] += 1
        taken["event_type", best["event_type"]] += 1
        taken["role", best["role"]] += 1
        picked.append({name: best[name] for name in EXAMPLE_COLUMNS})
    order = {tier: number for number, tier in enumerate(Tier)}
    return sorted(picked, key=lambda row: (order[Tier(row["tier"])], row["lane"], row["event_type"], row["hit_id"]))
