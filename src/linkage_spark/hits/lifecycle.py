"""From what was found before and what is found now to how each link and hit changed. Nothing here is compared but evidence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import reduce
from typing import Final

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from linkage_spark.hits.build import stable_id
from linkage_spark.kit.contract import TableContract
from linkage_spark.tables.enums import ItemChange, ItemKind
from linkage_spark.tables.lifecycle import HIT_HISTORY, ITEM, LINK_HISTORY, LOCATION_HIT_HISTORY
from linkage_spark.tables.linkage import LINK
from linkage_spark.tables.results import HIT, HIT_LINK, LOCATION_HIT

LINK_KEY: Final = ("employee_id", "source_system", "person_ref")

_EVIDENCE: Final[Mapping[ItemKind, tuple[str, ...]]] = {
    ItemKind.LINK: ("tier", "match_weight", "policy_reason", "evidence_fingerprint"),
    ItemKind.HIT: (
        *("tier", "match_weight", "policy_reason", "evidence_fingerprint", "role_raw", "dpa_category", "on_duty_sign"),
        *("disclosed", "event_type", "event_date", "offence_code", "source_flags", "custody_number"),
        *("custody_arrived_at", "custody_released_at"),
    ),
    ItemKind.LOCATION_HIT: (
        *("place_level", "event_type", "event_date", "opening_code", "closing_code", "person_also_linked"),
    ),
}
"""The columns that are evidence: another value is a change. A further call at a home changes no earlier one."""


@dataclass(frozen=True)
class Found:
    """What one run found, under the contracts LINK, HIT, HIT_LINK and LOCATION_HIT."""

    link: DataFrame
    hit: DataFrame
    hit_link: DataFrame
    location_hit: DataFrame

    def items(self) -> DataFrame:
        """One row per item: kind, id, employee, lane, tier, match_weight, ``evidence`` and what it hangs on."""
        nothing = F.lit(None)
        link = self.link.withColumns({"item_id": stable_id(*LINK_KEY), "lane": nothing, "event_ref": nothing})
        hit = self.hit_with_evidence().withColumn("item_id", F.col("hit_id"))
        place = self.location_hit.withColumns(
            {"item_id": F.col("location_hit_id"), "tier": nothing, "match_weight": nothing, "person_ref": nothing}
        )
        listed = ((ItemKind.LINK, link), (ItemKind.HIT, hit), (ItemKind.LOCATION_HIT, place))
        return reduce(DataFrame.unionByName, [_as_items(kind, frame) for kind, frame in listed])

    def hit_with_evidence(self) -> DataFrame:
        """HIT with the evidence fingerprint of all its links."""
        prints = self.link.select(*LINK_KEY, F.col("evidence_fingerprint").alias("of_link"))
        behind = self.hit_link.select("hit_id", "employee_id", "source_system", "person_ref")
        told = behind.join(prints, on=list(LINK_KEY)).groupBy("hit_id")
        joined = F.array_join(F.sort_array(F.collect_list(F.concat_ws("/", *LINK_KEY, "of_link"))), "|")
        return self.hit.join(told.agg(F.sha2(joined, 256).alias("evidence_fingerprint")), on=["hit_id"], how="left")


HANGS_ON: Final = ("employee_id", "source_system", "person_ref", "event_ref")
"""What an item stands and falls with; null where it does not."""


def _as_items(kind: ItemKind, frame: DataFrame) -> DataFrame:
    evidence = F.sha2(F.to_json(F.struct(*_EVIDENCE[kind])), 256)
    return frame.select(
        F.lit(kind.value).alias("item_kind"),
        "item_id",
        *[F.col(name).cast("string").alias(name) for name in (*HANGS_ON, "lane", "tier")],
        F.col("match_weight").cast("double").alias("match_weight"),
        evidence.alias("evidence"),
    )


@dataclass(frozen=True)
class Moment:
    """A run and its day; ``former_day`` is that of the run before, None for the first."""

    run_id: str
    day: date
    former_day: date | None


def tell_items(
    before: DataFrame, former: DataFrame, current: DataFrame, reasons: DataFrame, *, moment: Moment
) -> DataFrame:
    """ITEM after a run.

    Args:
        before: ITEM as the former run left it.
        former: ``Found.items`` of the former run.
        current: those of this run.
        reasons: ``item_kind``, ``item_id``, ``withdrawal_reason`` of items that no longer hold.
        moment: this run.
    """
    key = list(ITEM.key)
    sides = {
        "state": before.select(*key, F.struct(*ITEM.names).alias("state")),
        "old": former.select(*key, F.struct(*former.columns).alias("old")),
        "now": current.select(*key, F.struct(*current.columns).alias("now")),
        "why": reasons.select(*key, F.struct("withdrawal_reason").alias("why")),
    }
    gathered = reduce(lambda one, other: one.unionByName(other, allowMissingColumns=True), sides.values())
    told = gathered.groupBy(*key).agg(*[F.max_by(name, F.col(name).isNotNull()).alias(name) for name in sides])
    told = told.where(F.coalesce(F.col("state.item_id"), F.col("now.item_id"), F.col("old.item_id")).isNotNull())
    told = told.withColumn("change", _change())
    is_live, changed = F.col("now").isNotNull(), F.col("change").isNotNull()
    day = F.lit(moment.day).cast("date")
    gone = F.lit(moment.former_day).cast("date")
    last = F.coalesce(F.col("now"), F.col("old"))
    return ITEM.conform(
        told.select(
            *key,
            F.coalesce(last["employee_id"], F.col("state.employee_id")).alias("employee_id"),
            F.coalesce(last["lane"], F.col("state.lane")).alias("lane"),
            is_live.alias("is_live"),
            F.coalesce("change", "state.last_change").alias("last_change"),
            F.when(is_live, F.lit(None).cast("string"))
            .when(changed, F.col("why.withdrawal_reason"))
            .otherwise(F.col("state.withdrawal_reason"))
            .alias("withdrawal_reason"),
            F.coalesce(F.col("state.first_seen_day"), day).alias("first_seen_day"),
            F.coalesce(F.col("state.first_seen_run_id"), F.lit(moment.run_id)).alias("first_seen_run_id"),
            F.when(changed, day).otherwise(F.col("state.changed_day")).alias("changed_day"),
            F.when(changed, F.lit(moment.run_id)).otherwise(F.col("state.changed_run_id")).alias("changed_run_id"),
            F.when(is_live, F.lit(None).cast("date"))
            .when(changed, gone)
            .otherwise(F.col("state.last_seen_day"))
            .alias("last_seen_day"),
            *[F.coalesce(last[name], F.col(f"state.{name}")).alias(name) for name in ("tier", "match_weight")],
            *[
                F.when(changed & (F.col("change") != ItemChange.NEW.value), F.col(f"state.{name}"))
                .otherwise(F.col(f"state.{name}_before"))
                .alias(f"{name}_before")
                for name in ("tier", "match_weight")
            ],
        )
    )


def _change() -> Column:
    """ItemChange of this run; null where nothing changed."""
    now, old, state = (F.col(name).isNotNull() for name in ("now", "old", "state"))
    return (
        F.when(now & ~old & ~state, F.lit(ItemChange.NEW.value))
        .when(now & ~state, F.lit(ItemChange.NEW.value))
        .when(now & ~old, F.lit(ItemChange.RETURNED.value))
        .when(now & (F.col("now.evidence") != F.col("old.evidence")), F.lit(ItemChange.CHANGED.value))
        .when(~now & old, F.lit(ItemChange.WITHDRAWN.value))
    )


def gone_items(former: DataFrame, current: DataFrame) -> DataFrame:
    """Items that the former run found and this one does not: ``Found.items`` rows."""
    return former.join(current.select(*ITEM.key), on=list(ITEM.key), how="left_anti")


def history_rows(items: DataFrame, former: Found, current: Found, *, moment: Moment) -> dict[TableContract, DataFrame]:
    """The rows that this run adds to each history: what came or changed as it is, what went as it last was.

    Args:
        items: what ``tell_items`` gave.
        former: what the run before found.
        current: what this run found.
        moment: this run.
    """
    today = items.where(F.col("changed_run_id") == moment.run_id).select(
        "item_kind", "item_id", "is_live", F.col("last_change").alias("item_change"), "withdrawal_reason"
    )
    sides = {
        (ItemKind.LINK, LINK_HISTORY): [
            found.link.withColumn("item_id", stable_id(*LINK_KEY)) for found in (current, former)
        ],
        (ItemKind.HIT, HIT_HISTORY): [
            found.hit_with_evidence().withColumn("item_id", F.col("hit_id")) for found in (current, former)
        ],
        (ItemKind.LOCATION_HIT, LOCATION_HIT_HISTORY): [
            found.location_hit.withColumn("item_id", F.col("location_hit_id")) for found in (current, former)
        ],
    }
    return {
        contract: _stamped(today.where(F.col("item_kind") == kind.value), contents, contract, moment)
        for (kind, contract), contents in sides.items()
    }


def _stamped(today: DataFrame, contents: Iterable[DataFrame], contract: TableContract, moment: Moment) -> DataFrame:
    """Rows of one history."""
    parts = [
        content.join(today.where(F.col("is_live") == live).drop("item_kind", "is_live"), on=["item_id"])
        for content, live in zip(contents, (True, False), strict=True)
    ]
    rows = reduce(DataFrame.unionByName, parts)
    return contract.conform(
        rows.withColumns({"run_id": F.lit(moment.run_id), "run_day": F.lit(moment.day).cast("date")})
    )


FOUND: tuple[TableContract, ...] = (LINK, HIT, HIT_LINK, LOCATION_HIT)
"""The tables of which ``Found`` is made."""
