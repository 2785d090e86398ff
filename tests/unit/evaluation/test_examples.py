from __future__ import annotations

from typing import Any

from linkage_spark.evaluation.examples import EXAMPLE_COLUMNS, pick_examples

LANES = {"conduct": "suspect", "welfare": "victim", "triage": "additional_relevant"}


def rows() -> list[dict[str, Any]]:
    made = []
    for lane, role in LANES.items():
        for tier in ("match", "possible"):
            for event_type in ("crime", "incident"):
                for rank in (1, 2):
                    row: dict[str, Any] = dict.fromkeys(EXAMPLE_COLUMNS, 0)
                    key = f"{lane}-{tier}-{event_type}-{rank}"
                    row |= {
                        "hit_id": key,
                        "lane": lane,
                        "tier": tier,
                        "event_type": event_type,
                        "role": role,
                        "kind_rank": rank,
                    }
                    made.append(row)
    return made


def test_examples_are_spread_over_lanes_tiers_and_event_types() -> None:
    picked = pick_examples(rows(), limit=12)
    assert len(picked) == 12
    assert {(row["lane"], row["tier"]) for row in picked} == {
        (lane, tier) for lane in LANES for tier in ("match", "possible")
    }
    assert sum(row["event_type"] == "crime" for row in picked) == 6


def test_order_of_rows_changes_nothing() -> None:
    assert pick_examples(rows(), limit=7) == pick_examples(reversed(rows()), limit=7)


def test_fewer_hits_than_wanted_are_all_shown() -> None:
    assert len(pick_examples(rows()[:3], limit=12)) == 3
    assert pick_examples([], limit=12) == []
